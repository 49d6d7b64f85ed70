//! Where the kind of an event comes from.

use serde::{Deserialize, Serialize};

use super::column::NO_DAY;
use super::file_name::FilePattern;

/// Where the kind of an event comes from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Kind {
    /// Every row is of this kind.
    Constant(String),
    /// A column says it.
    Column(String),
    /// The name of the file says it, in the part `{kind}`.
    FileName(FilePattern),
    /// Two dates of the row say it: handed in late or on time.
    ByDates(KindByDates),
}

/// A kind that two dates of a row say by which is the later.
///
/// # Examples
/// ```
/// use earlyhelp::records::{Extract, Kind, KindByDates, Records, SourceMapping};
/// use polars::df;
///
/// let rows = df!(
///     "who" => ["p1", "p2", "p3"],
///     "paid" => ["2024-03-05", "2024-03-01", "2024-03-02"],
///     "due" => [Some("2024-03-01"), Some("2024-03-01"), None],
/// )?;
/// let kind = KindByDates {
///     column: "paid".into(),
///     after: "due".into(),
///     then: "late".into(),
///     otherwise: "on_time".into(),
///     empty: Some("not_due".into()),
/// };
/// let payments = SourceMapping::new("payments", "who", "", "paid").kind_of(Kind::ByDates(kind));
/// let records = Records::builder().source(payments, Extract::frame(rows)).build()?;
/// assert_eq!(records.kinds("payments").collect::<Vec<_>>(), ["late", "not_due", "on_time"]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct KindByDates {
    /// The column of the first date. It is the one of `occurred` or of `known`: before that day nobody could tell the kind.
    pub column: String,
    /// The column of the second date.
    pub after: String,
    /// The kind where the first date lies after the second.
    pub then: String,
    /// The kind where it does not: before it, or on it.
    pub otherwise: String,
    /// The kind where the second date is empty. Without it such a row is rejected: that nothing was due is not the same as
    /// that it came in time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub empty: Option<String>,
}

impl KindByDates {
    /// The kind by two days, [`NO_DAY`] where there is none; `None` where they say no kind.
    pub(super) fn of(&self, first: i32, second: i32) -> Option<&str> {
        match (first, second) {
            (NO_DAY, _) => None,
            (_, NO_DAY) => self.empty.as_deref(),
            (first, second) => Some(if first > second { &self.then } else { &self.otherwise }),
        }
    }

    /// What is wrong with it, if anything. `dates` are the columns of `occurred` and `known`.
    pub(super) fn fault(&self, dates: [Option<&str>; 2]) -> Option<&'static str> {
        let is_empty = |kind: &str| kind.trim().is_empty();
        let kinds = [Some(&self.then), Some(&self.otherwise), self.empty.as_ref()];
        if kinds.into_iter().flatten().any(|kind| is_empty(kind)) {
            return Some("`kind.by_dates` gives an empty text as a kind");
        }
        if self.column == self.after {
            return Some("`kind.by_dates` compares a column with itself");
        }
        if !dates.contains(&Some(self.column.as_str())) {
            return Some(
                "`kind.by_dates` compares a date that is neither the one of `occurred` nor that of `known`, so that the kind \
                 would be seen before anybody could tell it; name that column as `known`",
            );
        }
        None
    }
}
