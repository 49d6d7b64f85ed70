//! Figures as people read them: shares in percent, differences of shares in percentage points.

use super::super::table::Value;
use crate::evaluate::{Estimate, Interval};
use crate::fairness::audit::{Criterion, GroupMeasure, GroupMeasures, ScoreScale};

/// A share of nobody.
pub(super) const NO_FIGURE: &str = "no figure";
/// What a reader may not know, where there is something to know.
pub(super) const WITHHELD: &str = "withheld";

/// In what a measure is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Unit {
    /// A share of people: percent; differences in percentage points.
    Share,
    /// Already a difference of shares: percentage points.
    Points,
    /// True positives for each thousand rows: a net benefit of 0.012 is read as nothing by most people.
    PerThousand,
    /// A bare number with so many decimals.
    Number(usize),
}

fn unit(measure: GroupMeasure, scale: ScoreScale) -> Unit {
    match measure {
        GroupMeasure::CalibrationGap | GroupMeasure::ExpectedCalibrationError => Unit::Points,
        GroupMeasure::NetBenefit => Unit::PerThousand,
        GroupMeasure::Auc | GroupMeasure::AveragePrecision | GroupMeasure::Abroca => Unit::Number(3),
        GroupMeasure::CalibrationSlope | GroupMeasure::CalibrationIntercept => Unit::Number(2),
        GroupMeasure::MeanScore if scale != ScoreScale::Chances => Unit::Number(3),
        _ => Unit::Share,
    }
}

/// As what a table holds it.
pub(super) fn kind(measure: GroupMeasure, scale: ScoreScale) -> fn(f64) -> Value {
    if unit(measure, scale) == Unit::Share { Value::Share } else { Value::Number }
}

/// A figure of a group with its interval: `12.3% (10.1 to 14.6)`.
pub(super) fn figure(measure: GroupMeasure, found: &Estimate, scale: ScoreScale) -> String {
    let unit = unit(measure, scale);
    let signed = matches!(measure, GroupMeasure::CalibrationGap | GroupMeasure::CalibrationIntercept);
    let text =
        told(unit, if unit == Unit::Share { "%" } else { "" }, signed, found.value, Some(found.interval));
    match of_nobody(measure, found.value) {
        Some(words) => format!("{words}: {text}"),
        None => text,
    }
}

/// A share with its interval, whatever it is of: `12.3% (10.1 to 14.6)`.
pub(super) fn percent(found: &Estimate) -> String {
    told(Unit::Share, "%", false, found.value, Some(found.interval))
}

/// Why a group has no figure of this name.
pub(super) fn missing(measures: &GroupMeasures, measure: GroupMeasure) -> &'static str {
    if measures.withholds(measure) { WITHHELD } else { NO_FIGURE }
}

/// A share of none or of all, said in words: a bare 0.0% is read as a small share.
fn of_nobody(measure: GroupMeasure, value: f64) -> Option<&'static str> {
    let (none, all) = match measure {
        GroupMeasure::Prevalence => ("nobody had the outcome", "everybody had the outcome"),
        GroupMeasure::SelectionRate => ("nobody selected", "everybody selected"),
        GroupMeasure::TruePositiveRate | GroupMeasure::FalsePositiveRate | GroupMeasure::Precision => {
            ("none", "all")
        }
        _ => return None,
    };
    if value <= 0.0 {
        Some(none)
    } else if value >= 1.0 {
        Some(all)
    } else {
        None
    }
}

/// A difference of two groups: `+4.2 points (1.0 to 7.4)`. An area between curves has no sign.
pub(super) fn difference(
    measure: GroupMeasure,
    value: f64,
    interval: Option<Interval>,
    scale: ScoreScale,
) -> String {
    let unit = match unit(measure, scale) {
        Unit::Share => Unit::Points,
        other => other,
    };
    told(unit, "", measure != GroupMeasure::Abroca, value, interval)
}

/// What a measure is called. Where scores are not chances, groups have no calibration gap, but outcomes at equal score.
pub(super) fn name(measure: GroupMeasure, scale: ScoreScale) -> &'static str {
    if measure == GroupMeasure::CalibrationGap && scale != ScoreScale::Chances {
        "outcome at equal score"
    } else {
        measure.name()
    }
}

/// A size without sign or interval, in the unit of a difference: `3.1 points`.
pub(super) fn size(measure: GroupMeasure, value: f64, scale: ScoreScale) -> String {
    difference(measure, value.abs(), None, scale).trim_start_matches('+').to_owned()
}

/// A ratio: `1.35 (1.10 to 1.66)`.
pub(super) fn ratio(value: f64, interval: Option<Interval>) -> String {
    told(Unit::Number(2), "", false, value, interval)
}

/// What "absent" means for a criterion: `within ±5 points`.
pub(super) fn margin(criterion: Criterion, margin: Option<f64>) -> String {
    match (criterion, margin) {
        (Criterion::FourFifthsRule, _) => "between four fifths and five fourths".to_owned(),
        (_, None) => "within the margin, which is withheld".to_owned(),
        (Criterion::Abroca, Some(margin)) => format!("under {}", bare(margin, 3)),
        (_, Some(margin)) => format!("within ±{}", points(margin)),
    }
}

/// A share as percentage points: `5 points`, `1 point`.
pub(in crate::report) fn points(share: f64) -> String {
    match bare(100.0 * share, 2).as_str() {
        "1" => "1 point".to_owned(),
        number => format!("{number} points"),
    }
}

fn told(unit: Unit, sign: &str, plus: bool, value: f64, interval: Option<Interval>) -> String {
    let (times, decimals, word) = match unit {
        Unit::Share => (100.0, 1, ""),
        Unit::Points => (100.0, 1, " points"),
        Unit::PerThousand => (1_000.0, 1, " per 1,000"),
        Unit::Number(decimals) => (1.0, decimals, ""),
    };
    // A share of a few in a thousand needs a second decimal to be told from another.
    let small = value.abs().max(interval.map_or(0.0, |held| held.high.abs().max(held.low.abs()))) < 0.01;
    let decimals = if times > 1.0 && small { decimals + 1 } else { decimals };
    let said = |number: f64| number_of(times * number, decimals);
    let plus =
        if plus && said(value).chars().any(|c| ('1'..='9').contains(&c)) && value > 0.0 { "+" } else { "" };
    let mut text = format!("{plus}{}{sign}{word}", said(value));
    if let Some(Interval { low, high }) = interval {
        text.push_str(&format!(" ({} to {})", said(low), said(high)));
    }
    text
}

/// With a real minus, which a screen reader speaks; nothing is ever "−0.0".
fn number_of(number: f64, decimals: usize) -> String {
    if !number.is_finite() {
        return "no limit".to_owned();
    }
    let text = format!("{:.decimals$}", number.abs());
    if number < 0.0 && text.chars().any(|c| ('1'..='9').contains(&c)) { format!("−{text}") } else { text }
}

/// At most so many decimals, without needless zeros.
pub(super) fn bare(number: f64, decimals: usize) -> String {
    let text = format!("{number:.decimals$}");
    if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.').to_owned() } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CHANCES: ScoreScale = ScoreScale::Chances;

    fn estimate(value: f64, low: f64, high: f64) -> Estimate {
        Estimate { value, interval: Interval { low, high }, n: 40 }
    }

    #[test]
    fn each_measure_has_its_unit() {
        let share = estimate(0.1234, 0.101, 0.1457);
        assert_eq!(figure(GroupMeasure::SelectionRate, &share, CHANCES), "12.3% (10.1 to 14.6)");
        assert_eq!(figure(GroupMeasure::Auc, &share, CHANCES), "0.123 (0.101 to 0.146)");
        assert_eq!(figure(GroupMeasure::CalibrationGap, &share, CHANCES), "+12.3 points (10.1 to 14.6)");
        assert_eq!(
            figure(GroupMeasure::ExpectedCalibrationError, &share, CHANCES),
            "12.3 points (10.1 to 14.6)"
        );
        assert_eq!(figure(GroupMeasure::NetBenefit, &share, CHANCES), "123.4 per 1,000 (101.0 to 145.7)");
        assert_eq!(figure(GroupMeasure::MeanScore, &share, CHANCES), "12.3% (10.1 to 14.6)");
        assert_eq!(figure(GroupMeasure::MeanScore, &share, ScoreScale::Points), "0.123 (0.101 to 0.146)");
    }

    #[test]
    fn differences_are_points_with_a_sign_and_areas_have_none() {
        let held = Some(Interval { low: -0.0741, high: -0.0102 });
        let rate = GroupMeasure::TruePositiveRate;
        assert_eq!(difference(rate, -0.042, held, CHANCES), "−4.2 points (−7.4 to −1.0)");
        assert_eq!(difference(rate, 0.042, None, CHANCES), "+4.2 points");
        assert_eq!(difference(rate, -0.000_01, None, CHANCES), "0.00 points");
        assert_eq!(difference(GroupMeasure::Abroca, 0.042, None, CHANCES), "0.042");
        assert_eq!(size(rate, 0.031, CHANCES), "3.1 points");
        assert_eq!(ratio(1.349, Some(Interval { low: 1.1, high: f64::INFINITY })), "1.35 (1.10 to no limit)");
    }

    #[test]
    fn nobody_and_everybody_are_said_in_words() {
        let (none, all) = (estimate(0.0, 0.0, 0.02), estimate(1.0, 0.98, 1.0));
        assert_eq!(figure(GroupMeasure::SelectionRate, &none, CHANCES), "nobody selected: 0.0% (0.0 to 2.0)");
        assert_eq!(
            figure(GroupMeasure::Prevalence, &all, CHANCES),
            "everybody had the outcome: 100.0% (98.0 to 100.0)"
        );
        assert_eq!(figure(GroupMeasure::Accuracy, &all, CHANCES), "100.0% (98.0 to 100.0)");
    }

    #[test]
    fn small_shares_get_another_decimal() {
        assert_eq!(
            figure(GroupMeasure::SelectionRate, &estimate(0.004, 0.002, 0.0081), CHANCES),
            "0.40% (0.20 to 0.81)"
        );
    }

    #[test]
    fn a_margin_is_said_in_the_unit_of_its_criterion() {
        assert_eq!(margin(Criterion::StatisticalParity, Some(0.05)), "within ±5 points");
        assert_eq!(margin(Criterion::EqualisedOdds, Some(0.025)), "within ±2.5 points");
        assert_eq!(margin(Criterion::EqualisedOdds, Some(0.01)), "within ±1 point");
        assert_eq!(margin(Criterion::Abroca, Some(0.05)), "under 0.05");
        assert_eq!(margin(Criterion::FourFifthsRule, None), "between four fifths and five fourths");
    }
}
