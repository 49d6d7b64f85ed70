//! Small drawings: an interval beside everybody's value, and what was foreseen against what came about.

use crate::evaluate::Estimate;
use crate::fairness::audit::AuditBin;

/// The width of an interval's drawing, in its own units.
const WIDTH: f64 = 200.0;

/// Room at both ends, so that no mark is cut.
const EDGE: f64 = 5.0;

/// The side of a calibration drawing.
const SIDE: f64 = 120.0;

/// A place on a drawing, to a tenth of its unit.
fn px(place: f64) -> String {
    format!("{place:.1}")
}

/// From where to where a column of drawings reaches; the same for all of its rows.
#[derive(Debug, Clone, Copy)]
pub(super) struct Along {
    pub low: f64,
    pub high: f64,
}

impl Along {
    /// From 0 to a round number that no interval passes.
    pub(super) fn holding<'a>(figures: impl Iterator<Item = &'a Estimate>) -> Self {
        let most = figures.map(|found| found.interval.high.max(found.value)).fold(0.0, f64::max);
        let rounds = [0.01, 0.02, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.8, 1.0];
        Self { low: 0.0, high: rounds.into_iter().find(|round| most <= *round).unwrap_or(1.0) }
    }

    fn x(self, value: f64) -> f64 {
        let along = (value - self.low) / (self.high - self.low);
        EDGE + along.clamp(0.0, 1.0) * (WIDTH - 2.0 * EDGE)
    }
}

/// An interval with its value, and a line for everybody's.
pub(super) struct Span {
    pub low: String,
    pub high: String,
    pub value: String,
    /// Empty where everybody's value is not shown.
    pub everybody: String,
}

impl Span {
    pub(super) fn of(found: &Estimate, everybody: Option<&Estimate>, along: Along) -> Self {
        Self {
            low: px(along.x(found.interval.low)),
            high: px(along.x(found.interval.high)),
            value: px(along.x(found.value)),
            everybody: everybody.map(|all| px(along.x(all.value))).unwrap_or_default(),
        }
    }
}

/// A bin on a calibration drawing.
pub(super) struct Dot {
    pub x: String,
    pub y: String,
    pub low: String,
    pub high: String,
}

/// How far the sides of calibration drawings reach: to the highest chance or share on any of them.
pub(super) fn reach<'a>(bins: impl Iterator<Item = &'a AuditBin>) -> f64 {
    bins.map(|bin| bin.mean_predicted.max(bin.observed.interval.high)).fold(0.01, f64::max)
}

/// The bins of a group. Both sides go by square roots: most chances are small, and the small ones are to be
/// told apart.
pub(super) fn dots(bins: &[AuditBin], most: f64) -> Vec<Dot> {
    let along = |chance: f64| SIDE * (chance.max(0.0) / most).sqrt().min(1.0);
    bins.iter()
        .map(|bin| Dot {
            x: px(along(bin.mean_predicted)),
            y: px(SIDE - along(bin.observed.value)),
            low: px(SIDE - along(bin.observed.interval.low)),
            high: px(SIDE - along(bin.observed.interval.high)),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evaluate::Interval;

    fn estimate(value: f64, low: f64, high: f64) -> Estimate {
        Estimate { value, interval: Interval { low, high }, n: 40 }
    }

    #[test]
    fn a_column_reaches_to_a_round_number_beyond_all_of_its_intervals() {
        let figures = [estimate(0.1, 0.05, 0.21), estimate(0.2, 0.1, 0.27)];
        let along = Along::holding(figures.iter());
        assert!((along.high - 0.3).abs() < 1e-12);
        let span = Span::of(&estimate(0.15, 0.0, 0.3), Some(&figures[1]), along);
        assert_eq!((span.low.as_str(), span.value.as_str(), span.high.as_str()), ("5.0", "100.0", "195.0"));
        assert_eq!(span.everybody, "131.7");
        assert_eq!(Span::of(&figures[0], None, along).everybody, "");
    }

    #[test]
    fn what_comes_about_as_foreseen_lies_on_the_diagonal() {
        let bins = [0.04, 0.16].map(|chance| AuditBin {
            mean_predicted: chance,
            observed: estimate(chance, chance / 4.0, 4.0 * chance),
        });
        let most = reach(bins.iter());
        assert!((most - 0.64).abs() < 1e-12);
        let dots = dots(&bins, most);
        assert_eq!((dots[0].x.as_str(), dots[0].y.as_str()), ("30.0", "90.0"));
        assert_eq!((dots[1].low.as_str(), dots[1].high.as_str()), ("90.0", "0.0"));
    }
}
