//! How a feature's values are written: whole numbers for what is counted, else few decimals.

use super::{GridSide, Place};
use crate::features::{Measure, NEW_CODE};
use crate::model::Axis;

/// How values are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Writing<'f> {
    /// What the numbers 0, 1, 2 ... stand for.
    Codes(&'f [String]),
    YesOrNo,
    /// Whole numbers from this one up, if there is a lowest.
    Whole(Option<i32>),
    Decimals,
}

impl<'f> Writing<'f> {
    pub(super) fn of(measure: &'f Measure, is_code: bool) -> Self {
        match measure {
            Measure::LatestOf { codes, .. } => Self::Codes(codes),
            Measure::Slope => Self::Decimals,
            measure if measure.needs_value() && is_code => Self::Whole(Some(0)),
            measure if measure.needs_value() => Self::Decimals,
            Measure::Any | Measure::PresentNow | Measure::LatestIs { .. } => Self::YesOrNo,
            Measure::Change => Self::Whole(None),
            Measure::DaysSinceLast | Measure::DaysSinceFirst | Measure::DaysSinceChange(_) => {
                Self::Whole(Some(1))
            }
            _ => Self::Whole(Some(0)),
        }
    }

    /// A single value.
    pub(super) fn value(self, value: f64, decimals: usize) -> String {
        match self {
            Self::YesOrNo => (if value > 0.0 { "yes" } else { "no" }).to_owned(),
            Self::Codes(codes) => codes.get(value as usize).map_or(NEW_CODE, String::as_str).to_owned(),
            _ => number(value, decimals),
        }
    }

    /// The bins of an axis, the two absences last.
    pub(super) fn sides(self, axis: &Axis) -> Vec<GridSide> {
        let edges = axis.edges();
        let decimals = decimals(edges);
        let mut sides: Vec<GridSide> = (0..=edges.len())
            .map(|bin| {
                let from = bin.checked_sub(1).map(|before| edges[before]);
                let below = edges.get(bin).copied();
                let label = match self {
                    Self::Codes(codes) => Some(some_of(codes, from, below)),
                    Self::YesOrNo => Self::yes_or_no(from, below),
                    Self::Whole(least) => Self::whole(least, from, below),
                    Self::Decimals => None,
                };
                let label = label.unwrap_or_else(|| Self::decimals(from, below, decimals));
                GridSide { at: Place::Between { from, below }, label }
            })
            .collect();
        sides.push(GridSide { at: Place::Missing, label: "missing".to_owned() });
        sides.push(GridSide { at: Place::NotCovered, label: "not covered".to_owned() });
        sides
    }

    /// `None` where the bin holds both answers or neither.
    fn yes_or_no(from: Option<f64>, below: Option<f64>) -> Option<String> {
        let holds =
            |value: f64| from.is_none_or(|from| value >= from) && below.is_none_or(|below| value < below);
        match (holds(0.0), holds(1.0)) {
            (true, false) => Some("no".to_owned()),
            (false, true) => Some("yes".to_owned()),
            (true, true) => Some("yes or no".to_owned()),
            (false, false) => None,
        }
    }

    /// `None` where no whole number lies in the bin.
    fn whole(least: Option<i32>, from: Option<f64>, below: Option<f64>) -> Option<String> {
        let first = from.map(f64::ceil).or(least.map(f64::from));
        let last = below.map(|below| below.ceil() - 1.0);
        match (first, last) {
            (Some(first), Some(last)) if last < first => None,
            (Some(first), Some(last)) if last < first + 0.5 => Some(number(first, 0)),
            (Some(first), Some(last)) => Some(format!("{} to {}", number(first, 0), number(last, 0))),
            (Some(first), None) if from.is_some() => Some(format!("{} or more", number(first, 0))),
            (None, Some(last)) => Some(format!("up to {}", number(last, 0))),
            (_, None) => Some(ANY.to_owned()),
        }
    }

    fn decimals(from: Option<f64>, below: Option<f64>, decimals: usize) -> String {
        match (from, below) {
            (Some(from), Some(below)) => {
                format!("{} to under {}", number(from, decimals), number(below, decimals))
            }
            (Some(from), None) => format!("{} or more", number(from, decimals)),
            (None, Some(below)) => format!("under {}", number(below, decimals)),
            (None, None) => ANY.to_owned(),
        }
    }
}

const ANY: &str = "any value";

/// More codes than this in one step are counted and not all named.
const NAMED: usize = 4;

/// The codes of a step: `council`, `council or private rent`.
fn some_of(codes: &[String], from: Option<f64>, below: Option<f64>) -> String {
    let is_in = |code: usize| {
        let code = code as f64;
        from.is_none_or(|from| code >= from) && below.is_none_or(|below| code < below)
    };
    let mut held: Vec<&str> =
        codes.iter().enumerate().filter(|(code, _)| is_in(*code)).map(|(_, name)| name.as_str()).collect();
    let counted;
    if held.len() > NAMED {
        counted = format!("one of {} others", held.len() - NAMED + 1);
        held.truncate(NAMED - 1);
        held.push(&counted);
    }
    if is_in(codes.len()) {
        held.push(NEW_CODE);
    }
    held.join(" or ")
}

/// As few decimals as keep each figure within a twentieth of its size and of the distance to its
/// neighbours, at most six.
pub(super) fn decimals(rising: &[f64]) -> usize {
    const MOST: usize = 6;
    let room = |nth: usize| {
        let before = nth.checked_sub(1).map(|before| rising[nth] - rising[before]);
        let after = rising.get(nth + 1).map(|next| next - rising[nth]);
        [before, after].into_iter().flatten().fold(rising[nth].abs(), f64::min)
    };
    let close = |places: usize| {
        let unit = 10_f64.powi(places as i32);
        (0..rising.len())
            .all(|nth| ((rising[nth] * unit).round() / unit - rising[nth]).abs() <= room(nth) / 20.0)
    };
    (0..MOST).find(|&places| close(places)).unwrap_or(MOST)
}

/// A number without needless zeros. The minus is a real one, which a screen reader speaks.
fn number(value: f64, decimals: usize) -> String {
    let text = format!("{:.decimals$}", value.abs());
    let text = if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.') } else { &text };
    if value < 0.0 && text != "0" { format!("\u{2212}{text}") } else { text.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(writing: Writing, edges: &[f64]) -> Vec<String> {
        let mut sides = writing.sides(&Axis::new(edges.to_vec()).unwrap());
        let absent: Vec<String> =
            sides.split_off(edges.len() + 1).into_iter().map(|side| side.label).collect();
        assert_eq!(absent, ["missing", "not covered"]);
        sides.into_iter().map(|side| side.label).collect()
    }

    #[test]
    fn steps_of_what_is_counted_are_whole_numbers() {
        let count = Writing::of(&Measure::Count, false);
        assert_eq!(labels(count, &[0.5, 2.5]), ["0", "1 to 2", "3 or more"]);
        assert_eq!(labels(count, &[1.0, 3.0]), ["0", "1 to 2", "3 or more"]);
        assert_eq!(labels(count, &[4.5, 5.5]), ["0 to 4", "5", "6 or more"]);
        assert_eq!(labels(count, &[]), ["any value"]);
        let since = Writing::of(&Measure::DaysSinceLast, false);
        assert_eq!(labels(since, &[30.5]), ["1 to 30", "31 or more"]);
        let change = Writing::of(&Measure::Change, false);
        assert_eq!(labels(change, &[-1.5, 0.5]), ["up to \u{2212}2", "\u{2212}1 to 0", "1 or more"]);
        assert_eq!(labels(Writing::of(&Measure::Any, false), &[0.5]), ["no", "yes"]);
        assert_eq!(labels(Writing::of(&Measure::Latest, true), &[0.5, 1.5]), ["0", "1", "2 or more"]);
        // No whole number lies between these.
        assert_eq!(labels(count, &[1.2, 1.4]), ["0 to 1", "1.2 to under 1.4", "2 or more"]);
    }

    #[test]
    fn other_steps_have_as_many_decimals_as_tell_them_apart() {
        let mean = Writing::of(&Measure::Mean, false);
        assert_eq!(labels(mean, &[3.0, 7.25]), ["under 3", "3 to under 7.2", "7.2 or more"]);
        assert_eq!(labels(mean, &[0.012, 0.019]), ["under 0.012", "0.012 to under 0.019", "0.019 or more"]);
        assert_eq!(labels(mean, &[4.347_826_086]), ["under 4.3", "4.3 or more"]);
        assert_eq!(
            labels(mean, &[-0.25, 100.0]),
            ["under \u{2212}0.25", "\u{2212}0.25 to under 100", "100 or more"]
        );
        assert_eq!(labels(mean, &[1000.0]), ["under 1000", "1000 or more"]);
    }
}
