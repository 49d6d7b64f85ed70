//! What is said of one figure, and of all of them together.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::stats::Interval;

/// What a 95% interval says about a limit. The order is the order of concern, so the highest of several
/// verdicts is the verdict on all of them.
///
/// # Examples
/// ```
/// use earlyhelp::evaluate::Interval;
/// use earlyhelp::monitor::Verdict;
///
/// let allowed = Interval { low: 0.0, high: 0.1 };
/// assert_eq!(Verdict::of(Interval { low: 0.01, high: 0.04 }, allowed), Verdict::Within);
/// assert_eq!(Verdict::of(Interval { low: 0.06, high: 0.21 }, allowed), Verdict::CannotTell);
/// assert_eq!(Verdict::of(Interval { low: 0.15, high: 0.21 }, allowed), Verdict::Beyond);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// The whole interval lies within the limit.
    Within,
    /// The interval holds values on both sides of the limit, or there is no interval: too few cases, or
    /// nothing to compare with. It is not good news and not bad news.
    CannotTell,
    /// The whole interval lies beyond the limit.
    Beyond,
}

impl Verdict {
    /// The verdict on a figure whose allowed values run from `allowed.low` to `allowed.high`, both included.
    #[must_use]
    pub fn of(interval: Interval, allowed: Interval) -> Self {
        if interval.low >= allowed.low && interval.high <= allowed.high {
            Self::Within
        } else if interval.low > allowed.high || interval.high < allowed.low {
            Self::Beyond
        } else {
            Self::CannotTell
        }
    }

    /// The verdict in words.
    #[must_use]
    pub fn words(self) -> &'static str {
        match self {
            Self::Within => "within",
            Self::CannotTell => "cannot tell",
            Self::Beyond => "BEYOND",
        }
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.words())
    }
}
