//! A comparison with its true figures, and what of it is published.

use super::rates::RatePair;
use super::report::{Disparity, DisparityVerdict};
use crate::stats::Interval;

/// A comparison with its true figures, and what of it a reader may know.
pub(super) struct Judged {
    pub(super) disparity: Disparity,
    /// What the ratio says of the four-fifths rule.
    pub(super) four_fifths: DisparityVerdict,
    /// Whether the figures may be known.
    pub(super) seen: bool,
    /// Whether everybody's may, on which the margin rests.
    pub(super) margin_seen: bool,
    /// Whether the verdict alone would tell a small number.
    pub(super) gives_away: bool,
}

impl Judged {
    /// As it is published.
    pub(super) fn published(self) -> Disparity {
        let mut disparity = self.disparity;
        if !self.margin_seen {
            disparity.margin = None;
        }
        if self.gives_away {
            disparity.verdict = DisparityVerdict::Withheld;
        }
        if self.seen {
            return disparity;
        }
        Disparity {
            difference: None,
            difference_simultaneous: None,
            ratio: None,
            ratio_simultaneous: None,
            critical: None,
            smallest_shown: None,
            ..disparity
        }
    }
}

/// Four fifths, and the same the other way round: ratios between them keep the rule.
const FOUR_FIFTHS: (f64, f64) = (0.8, 1.25);

/// The rule is broken where the whole interval of the ratio lies outside, kept where it lies inside. Where nobody of
/// the other group is selected there is no ratio, but one the other way round.
pub(super) fn four_fifths(
    rates: Option<&RatePair>,
    ratio: Option<&Interval>,
    critical: f64,
) -> DisparityVerdict {
    let turned = || {
        let Interval { low, high } = rates?.turned().ratio_interval(critical)?;
        Some(Interval { low: 1.0 / high, high: if low > 0.0 { 1.0 / low } else { f64::INFINITY } })
    };
    let (low, high) = FOUR_FIFTHS;
    match ratio.copied().or_else(turned) {
        Some(all) if all.low >= low && all.high <= high => DisparityVerdict::AbsentWithin,
        Some(all) if all.high < low || all.low > high => DisparityVerdict::Present,
        _ => DisparityVerdict::CannotTell,
    }
}
