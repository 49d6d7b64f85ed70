//! The table that is audited: scores, outcomes, groups, in memory.

use std::borrow::Cow;
use std::collections::BTreeMap;

use crate::error::AuditError;

/// The group of those whose entry is missing, empty, or says that it is unknown.
pub const UNKNOWN: &str = "unknown";
/// The group of those who would not say (`REFU` in English school and social-care data).
pub const REFUSED: &str = "refused";
/// The group of those who were not asked yet (`NOBT` in English school and social-care data).
pub const NOT_OBTAINED: &str = "not obtained";

/// Any scores with what happened: one row per case. It needs no model and no explanation, so the scores of
/// a vendor can be audited as well.
///
/// # Examples
/// ```
/// use earlyhelp::fairness::audit::{AuditParams, OperatingPoint, ScoreTable};
///
/// // 600 people. In group b, people without the outcome score as high as those with it in group a.
/// let n = 600_usize;
/// let sex: Vec<Option<&str>> = (0..n).map(|row| Some(if row % 2 == 0 { "a" } else { "b" })).collect();
/// let outcomes: Vec<bool> = (0..n).map(|row| row % 3 == 0).collect();
/// let scores: Vec<f64> = (0..n)
///     .map(|row| if row % 3 == 0 || (row % 2 == 1 && row % 5 < 3) { 0.8 } else { 0.1 })
///     .map(|score| score + 0.01)
///     .collect();
/// let table = ScoreTable::new(scores, outcomes)?.group("sex", &sex)?.not_held("faith")?;
/// let audit = table.audit(&AuditParams::at(OperatingPoint::Threshold(0.5)))?;
/// assert_eq!((audit.n, audit.attributes.len()), (600, 2));
/// # Ok::<(), earlyhelp::fairness::audit::AuditError>(())
/// ```
#[derive(Debug, Clone)]
pub struct ScoreTable {
    pub(super) scores: Vec<f64>,
    /// All false where they are not known yet.
    pub(super) outcomes: Vec<bool>,
    /// Whether outcomes are known.
    pub(super) followed: bool,
    pub(super) predicted: Option<Vec<bool>>,
    pub(super) weights: Option<Vec<f64>>,
    pub(super) clusters: Option<Vec<u32>>,
    pub(super) groups: Vec<GroupColumn>,
    pub(super) not_held: Vec<String>,
}

/// A group column, each value coded by its place among the names.
#[derive(Debug, Clone)]
pub(super) struct GroupColumn {
    pub(super) name: String,
    pub(super) codes: Vec<u16>,
    /// In alphabetical order without regard to capitals, those of no known value last.
    pub(super) names: Vec<String>,
}

/// Whether this is a value, and not one of the three ways of having none.
pub(super) fn is_known(name: &str) -> bool {
    !matches!(name, UNKNOWN | REFUSED | NOT_OBTAINED)
}

/// How extracts and the programs that write them say that there is no value.
const WRITTEN_UNKNOWN: [&str; 8] =
    ["NA", "N/A", "NULL", "None", "NaN", "not known", "not stated", "not recorded"];

/// The name under which a text is audited: without blanks around it, and one blank for several within.
pub(super) fn canonical(text: Option<&str>) -> Cow<'_, str> {
    let Some(text) = text else { return Cow::Borrowed(UNKNOWN) };
    let mut words = text.split_whitespace();
    let spelt = match (words.next(), words.next()) {
        (None, _) => return Cow::Borrowed(UNKNOWN),
        (Some(word), None) => Cow::Borrowed(word),
        _ => Cow::Owned(text.split_whitespace().collect::<Vec<_>>().join(" ")),
    };
    let is = |name: &str| spelt.eq_ignore_ascii_case(name);
    if is(UNKNOWN) || WRITTEN_UNKNOWN.into_iter().any(is) {
        Cow::Borrowed(UNKNOWN)
    } else if is("REFU") || is(REFUSED) || is("prefer not to say") {
        Cow::Borrowed(REFUSED)
    } else if is("NOBT") || is(NOT_OBTAINED) {
        Cow::Borrowed(NOT_OBTAINED)
    } else {
        spelt
    }
}

/// What two spellings of one group have in common: they differ in capitals and blanks at most.
pub(super) fn folded(text: Option<&str>) -> String {
    canonical(text).to_lowercase()
}

/// The groups of a column, by what their spellings have in common, each with the spelling that most rows have (of
/// equally common ones the first in the alphabet); groups of no known value last.
fn spellings(values: &[Option<&str>], rows: &[u32]) -> Vec<(String, String)> {
    let mut groups: BTreeMap<String, BTreeMap<String, u64>> = BTreeMap::new();
    for (value, &rows) in values.iter().zip(rows).filter(|(_, rows)| **rows > 0) {
        let spelt = groups.entry(folded(*value)).or_default();
        *spelt.entry(canonical(*value).into_owned()).or_default() += u64::from(rows);
    }
    let commonest = |spelt: BTreeMap<String, u64>| {
        spelt.into_iter().reduce(|best, next| if next.1 > best.1 { next } else { best }).map(|best| best.0)
    };
    let mut named: Vec<(String, String)> =
        groups.into_iter().filter_map(|(folded, spelt)| Some((folded, commonest(spelt)?))).collect();
    named.sort_by_key(|(folded, _)| !is_known(folded));
    named
}

impl ScoreTable {
    /// The most values that a group column may have. More is no grouping, but an id or a number that was not
    /// put into groups.
    pub const MOST_GROUPS: usize = 1_000;
    /// A score above this is no score that anything gives, and sums of its squares could overflow.
    const LARGEST: f64 = 1e100;

    /// A table of scores (any unit, higher is more at risk) and whether the outcome followed, one entry per row.
    ///
    /// # Errors
    /// [`AuditError::LengthMismatch`], [`AuditError::Score`], [`AuditError::TooManyRows`].
    pub fn new(scores: Vec<f64>, outcomes: Vec<bool>) -> Result<Self, AuditError> {
        if u32::try_from(scores.len()).is_err() {
            return Err(AuditError::TooManyRows);
        }
        let usable = |score: &f64| score.is_finite() && score.abs() <= Self::LARGEST;
        if let Some(row) = scores.iter().position(|score| !usable(score)) {
            return Err(AuditError::Score { row });
        }
        let table = Self {
            scores,
            outcomes,
            followed: true,
            predicted: None,
            weights: None,
            clusters: None,
            groups: Vec::new(),
            not_held: Vec::new(),
        };
        table.same_length("outcomes", table.outcomes.len())?;
        Ok(table)
    }

    /// A table of scores whose outcomes are not known yet, such as a list in use: the audit then says who is
    /// selected and how scores lie, and nothing about being right or wrong.
    ///
    /// # Errors
    /// As [`ScoreTable::new`].
    pub fn without_outcomes(scores: Vec<f64>) -> Result<Self, AuditError> {
        let rows = scores.len();
        Ok(Self { followed: false, ..Self::new(scores, vec![false; rows])? })
    }

    fn same_length(&self, what: &str, found: usize) -> Result<(), AuditError> {
        let expected = self.scores.len();
        if found == expected {
            return Ok(());
        }
        Err(AuditError::LengthMismatch { what: what.to_owned(), expected, found })
    }

    /// Who was selected, one entry per row: for [`OperatingPoint::Predicted`](super::OperatingPoint::Predicted).
    ///
    /// # Errors
    /// [`AuditError::LengthMismatch`].
    pub fn predicted(mut self, selected: Vec<bool>) -> Result<Self, AuditError> {
        self.same_length("selected", selected.len())?;
        self.predicted = Some(selected);
        Ok(self)
    }

    /// How many people of the population each row stands for, above 0, one entry per row; the unit does not
    /// matter. A row of weight 0 is to be left out.
    ///
    /// # Errors
    /// [`AuditError::LengthMismatch`], [`AuditError::Weight`].
    pub fn weights(mut self, weights: Vec<f64>) -> Result<Self, AuditError> {
        self.same_length("weights", weights.len())?;
        let usable = |weight: &f64| *weight > 0.0 && *weight <= Self::LARGEST;
        if let Some(row) = weights.iter().position(|weight| !usable(weight)) {
            return Err(AuditError::Weight { row });
        }
        self.weights = Some(weights);
        Ok(self)
    }

    /// The family of each row, by a code that does not depend on the order of the rows. Rows of one person
    /// at several dates are of one family, too.
    ///
    /// # Errors
    /// [`AuditError::LengthMismatch`].
    pub fn clusters(mut self, clusters: Vec<u32>) -> Result<Self, AuditError> {
        self.same_length("clusters", clusters.len())?;
        self.clusters = Some(clusters);
        Ok(self)
    }

    /// A column of groups, one entry per row. `None`, the empty text, "unknown", `NA`, `N/A`, `NULL`, `None`,
    /// `NaN`, "not known", "not stated" and "not recorded" are the group [`UNKNOWN`]; `REFU`, "refused" and
    /// "prefer not to say" are [`REFUSED`]; `NOBT` and "not obtained" are [`NOT_OBTAINED`] (in any case of
    /// letters). None of these rows is dropped. Values that differ only in capitals or blanks are one group, under the
    /// spelling that most rows have ("White British" and "white  british "). So a value that means "none of these" needs another word, such as
    /// "no religion".
    ///
    /// # Errors
    /// [`AuditError::LengthMismatch`], [`AuditError::Twice`], [`AuditError::TooManyGroups`].
    pub fn group(self, name: &str, groups: &[Option<&str>]) -> Result<Self, AuditError> {
        let mut seen: BTreeMap<Option<&str>, u32> = BTreeMap::new();
        let mut values: Vec<Option<&str>> = Vec::new();
        let mut codes = Vec::with_capacity(groups.len());
        for &group in groups {
            let code = *seen.entry(group).or_insert_with(|| {
                values.push(group);
                values.len() as u32 - 1
            });
            codes.push(code);
        }
        self.group_coded(name, &codes, &values)
    }

    /// As [`group`](Self::group), for a column that is coded already: row `i` has the value `values[codes[i]]`.
    ///
    /// # Errors
    /// Those of [`group`](Self::group), and [`AuditError::Code`].
    pub fn group_coded(
        mut self,
        name: &str,
        codes: &[u32],
        values: &[Option<&str>],
    ) -> Result<Self, AuditError> {
        self.same_length(name, codes.len())?;
        self.new_name(name)?;
        let mut rows = vec![0_u32; values.len()];
        for (row, &code) in codes.iter().enumerate() {
            match rows.get_mut(code as usize) {
                Some(rows) => *rows += 1,
                None => return Err(AuditError::Code { column: name.to_owned(), row }),
            }
        }
        let named = spellings(values, &rows);
        if named.len() > Self::MOST_GROUPS {
            return Err(AuditError::TooManyGroups { column: name.to_owned(), most: Self::MOST_GROUPS });
        }
        let places: BTreeMap<&str, u16> =
            named.iter().map(|(folded, _)| folded.as_str()).zip(0_u16..).collect();
        let place = |value: Option<&str>| places.get(folded(value).as_str()).copied().unwrap_or(0);
        let places: Vec<u16> = values.iter().map(|&value| place(value)).collect();
        self.groups.push(GroupColumn {
            name: name.to_owned(),
            codes: codes.iter().map(|&code| places[code as usize]).collect(),
            names: named.into_iter().map(|(_, name)| name).collect(),
        });
        Ok(self)
    }

    /// A characteristic that the data do not hold, to be reported as not measurable.
    ///
    /// # Errors
    /// [`AuditError::Twice`].
    pub fn not_held(mut self, name: &str) -> Result<Self, AuditError> {
        self.new_name(name)?;
        self.not_held.push(name.to_owned());
        Ok(self)
    }

    fn new_name(&self, name: &str) -> Result<(), AuditError> {
        let held = self.groups.iter().map(|group| &group.name).chain(&self.not_held);
        if held.into_iter().any(|held| held == name) {
            return Err(AuditError::Twice { column: name.to_owned() });
        }
        Ok(())
    }
}
