//! A scorecard, as one adds it up by hand.

use super::super::labels;
use super::super::words::{self, OutOf};
use super::AnyModel;
use crate::model::{Candidate, PointsRow, Scorecard};

/// The card that is the model, and others that are nearly as good.
pub(super) struct Card {
    pub lines: Vec<Line>,
    pub rows: Vec<Row>,
    /// Whether chances may be shown beside observed rates.
    pub chances: bool,
    pub unit: String,
    pub offset: String,
    pub others: Vec<Vec<Line>>,
}

pub(super) struct Line {
    pub label: String,
    pub condition: String,
    pub points: String,
}

/// What a total of points means.
pub(super) struct Row {
    pub points: String,
    pub predicted: String,
    pub observed: String,
    pub interval: String,
    pub cases: String,
}

/// Rows of fewer cases show neither their number nor a rate.
const FEWEST: u64 = 10;

impl Card {
    pub(super) fn of(model: AnyModel<'_>) -> Option<Self> {
        let candidate = model.candidate();
        let (card, others) = candidate.training().cards.split_first()?;
        let chances = model.backtest().is_calibrated();
        let rates = card.table.iter().filter(|row| row.cases >= FEWEST).map(|row| row.observed.value);
        let out_of = OutOf::fitting(rates);
        Some(Self {
            lines: Line::all(candidate, card),
            rows: card.table.iter().map(|row| Row::of(row, out_of)).collect(),
            chances,
            unit: format!("{:.3}", card.unit),
            offset: format!("{:.3}", card.offset).replace('-', "\u{2212}"),
            others: others.iter().map(|card| Line::all(candidate, card)).collect(),
        })
    }
}

impl Line {
    fn all(candidate: &Candidate, card: &Scorecard) -> Vec<Self> {
        card.lines
            .iter()
            .map(|line| Self {
                label: labels::label(candidate, &line.feature),
                condition: candidate.condition_in_words(&line.feature, line.condition),
                points: whole(i64::from(line.points), true),
            })
            .collect()
    }
}

impl Row {
    fn of(row: &PointsRow, out_of: OutOf) -> Self {
        let few = row.cases < FEWEST;
        let (from, to) = (whole(row.from, false), whole(row.to, false));
        Self {
            points: if row.from == row.to { from } else { format!("{from} to {to}") },
            predicted: format!("{:.1}%", 100.0 * row.predicted),
            observed: if few { "not shown".to_owned() } else { out_of.rate(&row.observed) },
            interval: if few { String::new() } else { out_of.interval(&row.observed) },
            cases: if few { "fewer than 10".to_owned() } else { words::count(row.cases) },
        }
    }
}

/// A whole number with a real minus, and a plus if asked for.
fn whole(number: i64, signed: bool) -> String {
    let size = words::count(number.unsigned_abs());
    let sign = match number.signum() {
        -1 => "\u{2212}",
        1 if signed => "+",
        _ => "",
    };
    format!("{sign}{size}")
}
