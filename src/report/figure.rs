//! Measured figures as people write them: with unit, interval, and the number of cases they rest on.

use serde::{Deserialize, Serialize};

use super::words;
use crate::stats::{Estimate, Interval};

/// A measured figure: never without its interval and the number of cases it rests on.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Figure {
    /// The figure.
    pub value: f64,
    /// The lower end of its 95% interval.
    pub low: f64,
    /// The upper end.
    pub high: f64,
    /// How many cases it rests on.
    pub n: u64,
    /// Its unit.
    pub unit: Unit,
}

/// The unit of a figure.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Unit {
    /// A share, held as 0 to 1 and written in percent.
    Share,
    /// A difference of two shares, held as -1 to 1 and written in percentage points.
    Points,
    /// Log-odds.
    LogOdds,
    /// Nats: the unit of a log loss.
    Nats,
    /// Cases.
    Cases,
    /// A number on a scale of its own, which the line it stands in describes.
    Scale,
}

impl Figure {
    /// `None` where the estimate or an end of its interval is no number, or it rests on nothing.
    pub(super) fn of(estimate: &Estimate, unit: Unit) -> Option<Self> {
        let Estimate { value, interval: Interval { low, high }, n } = *estimate;
        let whole = value.is_finite() && low.is_finite() && high.is_finite() && n > 0;
        whole.then_some(Self { value, low, high, n, unit })
    }

    /// `16.8% (15.7% to 17.9%; n = 4,537)`.
    pub(super) fn words(&self) -> String {
        self.with_unit(match self.unit {
            Unit::Share | Unit::Scale => "",
            Unit::Points => " percentage points",
            Unit::LogOdds => " log-odds",
            Unit::Nats => " nats",
            Unit::Cases => " cases",
        })
    }

    /// The same with these words for its unit.
    pub(super) fn with_unit(&self, behind: &str) -> String {
        let Figure { value, low, high, n, unit } = *self;
        let (factor, decimals, sign, mark) = match unit {
            Unit::Share => (100.0, 1, false, "%"),
            Unit::Points => (100.0, 1, true, ""),
            Unit::LogOdds => (1.0, 2, true, ""),
            Unit::Nats => (1.0, 4, false, ""),
            Unit::Cases => (1.0, 1, false, ""),
            Unit::Scale => (1.0, 3, false, ""),
        };
        let decimals = enough(&[factor * low, factor * high], decimals);
        let write = |number: f64| {
            let number = factor * number;
            format!("{}{mark}", if sign { signed(number, decimals) } else { plain(number, decimals) })
        };
        format!("{}{behind} ({} to {}; n = {})", write(value), write(low), write(high), words::count(n))
    }
}

/// So many decimals, or up to two more where an end of an interval would else be written as 0 and is not:
/// whether it holds 0 is what a reader looks for. What is too small even for that is written as 0.
fn enough(ends: &[f64], decimals: usize) -> usize {
    let shows = |decimals: usize| {
        let least = 0.5 * 10_f64.powi(-(decimals as i32));
        ends.iter().all(|end| *end == 0.0 || end.abs() >= least)
    };
    (decimals..=decimals + 2).find(|&decimals| shows(decimals)).unwrap_or(decimals)
}

/// A number with a real minus.
pub(super) fn plain(number: f64, decimals: usize) -> String {
    let text = format!("{:.decimals$}", number.abs());
    let is_nothing = text.chars().all(|c| matches!(c, '0' | '.'));
    if number < 0.0 && !is_nothing { format!("\u{2212}{text}") } else { text }
}

/// A number with its sign, which zero does not have.
pub(super) fn signed(number: f64, decimals: usize) -> String {
    let text = plain(number, decimals);
    let is_nothing = text.chars().all(|c| matches!(c, '0' | '.'));
    if number > 0.0 && !is_nothing { format!("+{text}") } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_figure_says_its_unit_interval_and_n() {
        let figure = |unit| Figure { value: 0.168, low: -0.0004, high: 0.179, n: 4_537, unit };
        for (unit, text) in [
            (Unit::Share, "16.80% (\u{2212}0.04% to 17.90%; n = 4,537)"),
            (Unit::Points, "+16.80 percentage points (\u{2212}0.04 to +17.90; n = 4,537)"),
            (Unit::LogOdds, "+0.1680 log-odds (\u{2212}0.0004 to +0.1790; n = 4,537)"),
            (Unit::Nats, "0.1680 nats (\u{2212}0.0004 to 0.1790; n = 4,537)"),
            (Unit::Cases, "0.2 cases (0.0 to 0.2; n = 4,537)"),
            (Unit::Scale, "0.1680 (\u{2212}0.0004 to 0.1790; n = 4,537)"),
        ] {
            assert_eq!(figure(unit).words(), text);
        }
    }
}
