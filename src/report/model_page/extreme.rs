//! Where a term adds the least and the most, in words.

use super::super::words::{self, Move};

/// Where a term adds the least or the most.
pub(super) struct Extreme {
    pub points: String,
    pub at: String,
    pub share: String,
}

impl Extreme {
    /// `None` for what rounds to nothing.
    pub(super) fn of(contribution: f64, at: String, share: String) -> Option<Self> {
        let points = words::points(contribution);
        (words::rounds_to(contribution) != Move::None).then_some(Self { points, at, share })
    }
}

/// `1 to 2 records`; just the label where the unit says nothing.
pub(super) fn with_unit(label: &str, unit: &str) -> String {
    match unit {
        "yes or no" | "value" => label.to_owned(),
        unit => words::with_unit(label, label == "1", unit),
    }
}

/// The two ends of an interval in points.
pub(super) fn interval(contribution: f64, reach: Option<f64>) -> String {
    reach.map_or_else(
        || "not known".to_owned(),
        |reach| format!("{} to {}", words::points(contribution - reach), words::points(contribution + reach)),
    )
}
