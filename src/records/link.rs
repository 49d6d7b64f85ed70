//! How sure a linkage is that a record is a person's.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize};

/// How sure a linkage is that a record is this person's: 0 to 1, kept to four decimals and rounded down, so that it is never
/// shown surer than it is.
///
/// # Examples
/// ```
/// use earlyhelp::records::LinkProbability;
///
/// let link = LinkProbability::new(0.93456).unwrap();
/// assert_eq!(link.to_string(), "0.93");
/// assert_eq!(link.value(), 0.9345);
/// assert!(LinkProbability::new(93.0).is_none());
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(into = "f64")]
pub struct LinkProbability(u16);

impl LinkProbability {
    /// Certain: a record under the person's own id.
    pub const CERTAIN: Self = Self(10_000);

    /// `None` for what does not lie between 0 and 1.
    #[must_use]
    pub fn new(probability: f64) -> Option<Self> {
        // A number such as 0.93 is a little less than it is written as.
        let parts = (probability * 10_000.0 + 1e-6).floor();
        (0.0..=1.0).contains(&probability).then_some(Self(parts as u16))
    }

    /// In parts of ten thousand.
    pub(super) fn parts(self) -> u16 {
        self.0
    }

    /// `None` for more than all of them.
    pub(super) fn of_parts(parts: u16) -> Option<Self> {
        (parts <= Self::CERTAIN.0).then_some(Self(parts))
    }

    /// The probability, 0 to 1.
    #[must_use]
    pub fn value(self) -> f64 {
        f64::from(self.0) / 10_000.0
    }
}

impl From<LinkProbability> for f64 {
    fn from(link: LinkProbability) -> Self {
        link.value()
    }
}

impl fmt::Display for LinkProbability {
    /// Two decimals, rounded down.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{:02}", self.0 / 10_000, self.0 % 10_000 / 100)
    }
}

impl<'de> Deserialize<'de> for LinkProbability {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let probability = f64::deserialize(deserializer)?;
        Self::new(probability)
            .ok_or_else(|| serde::de::Error::custom("a link probability lies between 0 and 1"))
    }
}
