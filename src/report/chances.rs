//! What is said of a model's chances: whether they came true in the test. Page, card and record say it from
//! here.

use std::cmp::Ordering;

use super::figure::{Figure, Unit, plain, signed};
use super::words;
use crate::evaluate::calibration::ReliabilityBin;
use crate::evaluate::{BacktestReport, RecalibrationReport};
use crate::stats::Estimate;

/// Whether foreseen chances came true, in words. What there is nothing to say of is empty.
pub(super) struct Chances {
    /// Whether they passed their check, in a few words.
    pub verdict: &'static str,
    /// What follows from that.
    pub means: &'static str,
    /// In how many groups of cases they are off.
    pub bins: String,
    /// The calibration slope and calibration in the large, with their intervals.
    pub slope: String,
    pub in_the_large: String,
    /// How a recalibration moved the scores.
    pub moved: String,
}

impl Chances {
    pub(super) fn of(report: &BacktestReport) -> Self {
        let found = report.overall.calibration.as_ref();
        let (verdict, means) = match found {
            None => (
                "This could not be measured on these tests.",
                "There were too few outcomes, or scores parted them completely. Readers are shown bands with the rates that \
                 were observed, and never a chance.",
            ),
            Some(_) if report.is_calibrated() => (
                "They pass their check over all cases.",
                "The intervals of the slope and of calibration in the large hold what would be right. A chance is shown \
                 beside a case where the test measured finely enough, and its band always. It is still a rate among many, \
                 and not the chance of one person.",
            ),
            Some(_) => (
                "They do not pass their check.",
                "What the model gives as a chance is not what came about. Readers are shown bands with the rates that were \
                 observed, and never a chance.",
            ),
        };
        let figure = |of: fn(&crate::evaluate::calibration::Calibration) -> &Estimate, unit| {
            found
                .and_then(|found| Figure::of(of(found), unit))
                .map_or_else(String::new, |figure| figure.words())
        };
        Self {
            verdict,
            means,
            bins: found.map_or_else(String::new, |found| off(&found.bins)),
            slope: figure(|found| &found.slope, Unit::Scale),
            in_the_large: figure(|found| &found.intercept, Unit::LogOdds),
            moved: report.recalibration.as_ref().map_or_else(String::new, moved),
        }
    }
}

/// How what came about in a bin compares with what was foreseen, by the interval; equal where it cannot tell.
pub(super) fn against_foreseen(bin: &ReliabilityBin) -> Ordering {
    let interval = bin.observed.interval;
    if interval.low > bin.mean_predicted {
        Ordering::Greater
    } else if interval.high < bin.mean_predicted {
        Ordering::Less
    } else {
        Ordering::Equal
    }
}

/// In how many of how many groups of cases the foreseen chance lies outside the interval of what came about.
fn off(bins: &[ReliabilityBin]) -> String {
    let off = bins.iter().filter(|bin| against_foreseen(bin).is_ne()).count();
    let groups = words::counted(bins.len(), "group", "groups");
    match off {
        0 => format!(
            "In each of {groups} of cases with neighbouring scores, the foreseen chance lies within the interval of what came \
             about."
        ),
        _ => format!(
            "In {off} of {groups} of cases with neighbouring scores, the foreseen chance lies outside the interval of what \
             came about: there it is somewhat too high or too low, even where the two figures over all cases are right."
        ),
    }
}

fn moved(moved: &RecalibrationReport) -> String {
    format!(
        "Scores were moved to fit later data: multiplied by {} and shifted by {} log-odds. Before that, the calibration slope \
         was {} and calibration in the large {}. In the test, each family's cases were moved by what the other half of the \
         families said. No ranking changed.",
        plain(moved.slope, 3),
        signed(moved.offset, 3),
        plain(moved.slope_before, 3),
        signed(moved.in_the_large_before, 3)
    )
}
