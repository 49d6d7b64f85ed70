//! The quality of a project's data at the door, in the usual terms: completeness, uniqueness, timeliness and validity.

use std::collections::BTreeMap;

use serde::{Serialize, Serializer};

use super::Project;
use crate::calendar::{AsOf, Day};
use crate::cohort::Cohort;
use crate::error::Error;
use crate::monitor::{Finding, Verdict};
use crate::records::{
    CellPattern, ColumnRead, Coverage, DaysFound, FileRead, Intake, LinkCertainty, RejectReason, RemarkKind,
    SourceChange, UnmatchedIds,
};
use crate::words;

/// What is in a project's extracts and what is wrong with it, in counts: see [`Checked::quality`](super::Checked::quality).
///
/// It may travel: it holds no id and no value of a row. Names of kinds, roles and values of categories are in it, each
/// with a count of people that is withheld where it is small; counts of rejected rows are whole, since they are to be
/// mended.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct DataQuality {
    /// The project.
    pub project: String,
    /// The date that freshness is told for.
    pub as_of: AsOf,
    /// People in all records.
    pub people: u64,
    /// Their families.
    pub families: u64,
    /// What is wrong or doubtful, the weightiest first.
    pub findings: Vec<QualityFinding>,
    /// Every table: people, households, protected characteristics, and the sources by name.
    pub tables: Vec<TableQuality>,
    /// Who is asked about at each training date, and who is not, by rule.
    pub cohorts: Vec<CohortAtDate>,
    /// For each two sources how many people of one are in the other.
    pub overlaps: Vec<Overlap>,
    /// What a model says of the records, where one was given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub model: Option<ModelAtTheDoor>,
}

impl DataQuality {
    /// Where the extracts could not even be read: every fault of [`Project::reading_faults`], and no table.
    #[must_use]
    pub fn unread(project: &Project, as_of: AsOf, faults: &[Error]) -> Self {
        let finding =
            |fault: &Error| QualityFinding { weight: FindingWeight::Error, words: fault.to_string() };
        Self {
            project: project.name.clone(),
            as_of,
            people: 0,
            families: 0,
            findings: faults.iter().map(finding).collect(),
            tables: Vec::new(),
            cohorts: Vec::new(),
            overlaps: Vec::new(),
            model: None,
        }
    }
}

/// How much a finding weighs. The order is that of weight.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum FindingWeight {
    /// Training, scoring or monitoring refuse the records for it.
    Error,
    /// It may make features, outcomes or lists wrong, and only the council can say.
    Warning,
    /// It is known and dealt with, and worth a look.
    Note,
}

/// Something that is wrong or doubtful, with what to do about it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct QualityFinding {
    /// How much it weighs.
    pub weight: FindingWeight,
    /// What it is, and what to do.
    pub words: String,
}

/// One table.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct TableQuality {
    /// Its rows: read = accepted + rejected.
    pub intake: Intake,
    /// Its files, and how each was read.
    pub files: Vec<FileRead>,
    /// Completeness and plausibility of each mapped column.
    pub completeness: Vec<ColumnRead>,
    /// Validity: rejected rows that stand in one file and column for one reason and look alike, the commonest first.
    pub validity: Vec<RejectGroup>,
    /// Uniqueness, and what else is remarkable of rows that are used: how many of each kind.
    pub uniqueness: BTreeMap<RemarkKind, u64>,
    /// States of records that a later row superseded: they count up to the day on which that row became known.
    pub superseded: u64,
    /// Rows by month, and how fresh it is; `None` for a table that is not a source of dated records.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub timeliness: Option<Timeliness>,
    /// People with a record; `None` as above.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub people: Option<ShownCount>,
    /// Kinds.
    pub kinds: Names,
    /// Roles; none where the source has none.
    pub roles: Names,
    /// The values of each category.
    pub categories: BTreeMap<String, Names>,
    /// Rows whose id is on no list of people, by what may have become of it.
    pub unmatched: Vec<UnmatchedIds>,
    /// How sure links to people are, where the mapping names their probability.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub links: Option<LinkCertainty>,
}

/// Rejected rows alike.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct RejectGroup {
    /// The file, where the table is made of files.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub file: Option<String>,
    /// The column, where it is one column's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub column: Option<String>,
    /// Why.
    pub reason: RejectReason,
    /// What the cells look like.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pattern: Option<CellPattern>,
    /// How many rows.
    pub rows: u64,
    /// Where the first [`RejectGroup::FIRST`] of them stand: lines of a text, rows of other files.
    pub first: Vec<u64>,
}

impl RejectGroup {
    /// How many places are named: enough to look, and no list of rows.
    pub const FIRST: usize = 5;
}

/// How a source lies in time.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Timeliness {
    /// What the project declares.
    pub declared: Coverage,
    /// The days that its records name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub found: Option<DaysFound>,
    /// How many days before the as-of date's eve it ends: by its declared `to`, otherwise by its last record. Below 0
    /// where it reaches further; `None` where there is neither.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub days_behind: Option<i32>,
    /// How many may be.
    pub stale_after_days: u32,
    /// Records by the month in which they happened, without a gap.
    pub months: Vec<MonthOfRows>,
}

/// The records of a month.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct MonthOfRows {
    /// Its first day.
    pub month: Day,
    /// Records.
    pub rows: u64,
    /// Whether all of it lies within what the source covers, and before the as-of date: then silence there is read as
    /// "nothing happened".
    pub covered: bool,
    /// Whether there should be some: it is covered and has none, other records lie before and after it, and the same
    /// month of other years has [`SourceProfile::FEWEST`](crate::records::SourceProfile::FEWEST) on average. Holidays and yearly returns are silent every year.
    pub missing: bool,
}

/// The names in a column.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Names {
    /// How many different ones there are.
    pub different: u64,
    /// Each with its counts, the commonest first. Empty where there are more than 50: they may be free text.
    pub listed: Vec<NamedCount>,
}

/// How many records have a name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct NamedCount {
    /// The name.
    pub name: String,
    /// People whom those records are about.
    pub people: ShownCount,
    /// Records; `None` where people are few, and where theirs could be worked out from it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rows: Option<u64>,
}

/// A number of people, withheld where it is small: written as a number, or as `<10`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ShownCount {
    /// So many: none, or [`ShownCount::FEWEST`] and more.
    Shown(u64),
    /// Some, but fewer.
    Few,
}

impl ShownCount {
    /// Fewer people than this are not told: the smallest group that an audit of a model shows, too.
    pub const FEWEST: u64 = 10;

    /// Withholds a small number.
    #[must_use]
    pub fn of(people: u64) -> Self {
        if people > 0 && people < Self::FEWEST { Self::Few } else { Self::Shown(people) }
    }
}

impl std::fmt::Display for ShownCount {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Shown(people) => f.write_str(&words::count(*people)),
            Self::Few => write!(f, "<{}", Self::FEWEST),
        }
    }
}

impl Serialize for ShownCount {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Shown(people) => serializer.serialize_u64(*people),
            Self::Few => serializer.collect_str(self),
        }
    }
}

/// Who is asked about at a date. Few people left out by a rule are counted with those of other rules, so that their
/// number does not follow from the others.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct CohortAtDate {
    /// The date.
    pub as_of: AsOf,
    /// People, or families, in the cohort.
    pub cohort: ShownCount,
    /// Those left out, by the first rule that they did not pass.
    pub left_out: Vec<LeftOutBy>,
}

/// How many a rule left out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct LeftOutBy {
    /// The rule, or several.
    pub rule: String,
    /// How many.
    pub people: ShownCount,
}

impl CohortAtDate {
    pub(super) fn of(cohort: &Cohort<'_>) -> Self {
        let mut rules: Vec<(String, u64)> =
            cohort.left_out().by_rule().map(|(rule, count)| (rule.to_owned(), count)).collect();
        rules.sort_by_key(|&(_, count)| std::cmp::Reverse(count));
        while rules.len() > 1
            && let Some((rule, few)) = rules.pop_if(|(_, count)| *count < ShownCount::FEWEST)
            && let Some((beside, count)) = rules.last_mut()
        {
            *beside = format!("{beside}, or {rule}");
            *count += few;
        }
        let by = |(rule, count): (String, u64)| LeftOutBy { rule, people: ShownCount::of(count) };
        Self {
            as_of: cohort.as_of(),
            cohort: ShownCount::of(cohort.len() as u64),
            left_out: rules.into_iter().map(by).collect(),
        }
    }
}

/// How many of the people in one source have a record in another.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Overlap {
    /// The people of this source.
    pub of: String,
    /// Are they in this one?
    pub within: String,
    /// How many of them are.
    pub share: OverlapShare,
}

/// A share of people. It is not told where few people are in it, or few are not.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum OverlapShare {
    /// Nobody.
    Nobody,
    /// Fewer than [`ShownCount::FEWEST`] people, or a share of so few.
    Few,
    /// This share, 0 to 1.
    Share(f64),
    /// All but fewer than [`ShownCount::FEWEST`] people.
    NearlyAll,
    /// Everybody.
    All,
}

impl OverlapShare {
    /// The share of `both` among `all`.
    #[must_use]
    pub fn of(both: u64, all: u64) -> Self {
        let few = |people: u64| people > 0 && people < ShownCount::FEWEST;
        match both {
            0 => Self::Nobody,
            _ if few(all) || few(both) => Self::Few,
            _ if both == all => Self::All,
            _ if few(all - both) => Self::NearlyAll,
            _ => Self::Share(both as f64 / all as f64),
        }
    }
}

/// What a model says of records before any outcome is known: the tests that monitoring makes of them.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct ModelAtTheDoor {
    /// The digest of the candidate in the model.
    pub candidate: String,
    /// In what the sources that it reads are not what they were when it was trained.
    pub changes: Vec<SourceChange>,
    /// Every test, with its verdict; none where they could not be made.
    pub tests: Vec<Finding>,
    /// Why they could not be made, where they could not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub failed: Option<String>,
}

impl Timeliness {
    /// Whether it ends longer before the as-of date than is allowed.
    #[must_use]
    pub fn is_stale(&self) -> bool {
        let allowed = i32::try_from(self.stale_after_days).unwrap_or(i32::MAX);
        self.days_behind.is_some_and(|days| days > allowed)
    }
}

impl ModelAtTheDoor {
    /// The tests that are beyond their limits.
    #[must_use]
    pub fn beyond(&self) -> Vec<&str> {
        let beyond = self.tests.iter().filter(|test| test.verdict == Verdict::Beyond);
        beyond.map(|test| test.about.as_str()).collect()
    }
}
