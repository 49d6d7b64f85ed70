//! The table that is audited: scores, outcomes, groups, in memory.

use std::borrow::Cow;
use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};

use super::super::people::RowPeople;
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
#[allow(clippy::struct_excessive_bools, reason = "each says one thing of the table")]
pub struct ScoreTable {
    /// All 0 where there are none.
    pub(super) scores: Vec<f64>,
    /// Whether there are scores.
    pub(super) scored: bool,
    /// Whether scores are the places of bands whose order was stated.
    pub(super) bands: bool,
    /// All false where they are not known yet.
    pub(in crate::fairness) outcomes: Vec<bool>,
    /// Whether outcomes are known.
    pub(in crate::fairness) followed: bool,
    pub(super) predicted: Option<Vec<bool>>,
    /// Who would have been selected otherwise.
    pub(in crate::fairness) usual: Option<Vec<bool>>,
    pub(super) weights: Option<Vec<f64>>,
    pub(in crate::fairness) clusters: Option<Vec<u32>>,
    /// Whether the clusters are people, since no families were given.
    pub(super) by_person: bool,
    pub(in crate::fairness) people: RowPeople,
    pub(in crate::fairness) groups: Vec<GroupColumn>,
    pub(in crate::fairness) not_held: Vec<String>,
    /// All rows that were read, those "selected" who are left out of this table; none where nobody is.
    pub(super) lost: Option<Box<Self>>,
    /// The rows of both arms, those "selected" whom the ranking chose; none where there is no random arm.
    pub(super) chosen: Option<Box<Self>>,
}

/// A group column, each value coded by its place among the names.
#[derive(Debug, Clone)]
pub(in crate::fairness) struct GroupColumn {
    pub(in crate::fairness) name: String,
    pub(in crate::fairness) codes: Vec<u16>,
    /// In lower case and alphabetical order, those of no known value last.
    pub(in crate::fairness) names: Vec<String>,
}

/// Whether this is a value, and not one of the three ways of having none.
pub(super) fn is_known(name: &str) -> bool {
    !matches!(name, UNKNOWN | REFUSED | NOT_OBTAINED)
}

/// How extracts and the programs that write them say that there is no value.
const WRITTEN_UNKNOWN: [&str; 8] =
    ["NA", "N/A", "NULL", "None", "NaN", "not known", "not stated", "not recorded"];

/// The name under which a text is audited: without blanks around it, and one blank for several within.
fn canonical(text: Option<&str>) -> Cow<'_, str> {
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

/// The name of a group: what its spellings have in common, which differ in capitals and blanks at most.
pub(crate) fn folded(text: Option<&str>) -> String {
    canonical(text).to_lowercase()
}

/// The groups of a column, by what their spellings have in common; groups of no known value last.
fn spellings(values: &[Option<&str>], rows: &[u32]) -> Vec<String> {
    let held = values.iter().zip(rows).filter(|(_, rows)| **rows > 0);
    let groups: BTreeSet<String> = held.map(|(value, _)| folded(*value)).collect();
    let mut named: Vec<String> = groups.into_iter().collect();
    named.sort_by_key(|name| !is_known(name));
    named
}

impl ScoreTable {
    /// The most values that a group column may have. More is no grouping, but an id or a number that was not
    /// put into groups.
    pub const MOST_GROUPS: usize = 1_000;
    /// A score above this is no score that anything gives, and sums of its squares could overflow.
    pub(super) const LARGEST: f64 = 1e100;

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
            scored: true,
            bands: false,
            outcomes,
            followed: true,
            predicted: None,
            usual: None,
            weights: None,
            clusters: None,
            by_person: false,
            people: RowPeople::default(),
            groups: Vec::new(),
            not_held: Vec::new(),
            lost: None,
            chosen: None,
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

    /// A table of who was selected, and of what happened where that is known, without the scores: the audit then says
    /// nothing about scores.
    ///
    /// # Errors
    /// As [`ScoreTable::new`].
    pub fn without_scores(selected: Vec<bool>, outcomes: Option<Vec<bool>>) -> Result<Self, AuditError> {
        let scores = vec![0.0; selected.len()];
        let table = match outcomes {
            Some(outcomes) => Self::new(scores, outcomes)?,
            None => Self::without_outcomes(scores)?,
        };
        Self { scored: false, ..table }.predicted(selected)
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

    /// Who would have been selected otherwise, such as the usual way, one entry per row: for
    /// [`SelectionsCompared`](crate::fairness::mitigation::SelectionsCompared).
    ///
    /// # Errors
    /// [`AuditError::LengthMismatch`].
    pub fn usual(mut self, selected: Vec<bool>) -> Result<Self, AuditError> {
        self.same_length("usual", selected.len())?;
        self.usual = Some(selected);
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

    /// Whom each row is about, by a code, where people have several rows, such as one at each date of scoring. Groups and
    /// counts are then held back by their people and not by their rows: twelve rows of one child are one child.
    ///
    /// # Errors
    /// [`AuditError::LengthMismatch`].
    pub fn people(self, people: Vec<u32>) -> Result<Self, AuditError> {
        self.same_length("people", people.len())?;
        Ok(self.about(RowPeople::of_codes(people)))
    }

    pub(in crate::fairness) fn about(mut self, people: RowPeople) -> Self {
        self.people = people;
        self
    }

    /// A column of groups, one entry per row. `None`, the empty text, "unknown", `NA`, `N/A`, `NULL`, `None`,
    /// `NaN`, "not known", "not stated" and "not recorded" are the group [`UNKNOWN`]; `REFU`, "refused" and
    /// "prefer not to say" are [`REFUSED`]; `NOBT` and "not obtained" are [`NOT_OBTAINED`] (in any case of
    /// letters). None of these rows is dropped. Values that differ only in capitals or blanks are one group ("White
    /// British" and "white  british "); it is named in lower case, so that no way of writing it changes an audit. So a value that means "none of these" needs another word, such as
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
        let places: BTreeMap<&str, u16> = named.iter().map(String::as_str).zip(0_u16..).collect();
        let place = |value: Option<&str>| places.get(folded(value).as_str()).copied().unwrap_or(0);
        let places: Vec<u16> = values.iter().map(|&value| place(value)).collect();
        self.groups.push(GroupColumn {
            name: name.to_owned(),
            codes: codes.iter().map(|&code| places[code as usize]).collect(),
            names: named,
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

    /// How two rows stand to each other by everything that they say but their families: the same whatever the order of
    /// the table.
    pub(in crate::fairness) fn compare(&self, a: usize, b: usize) -> Ordering {
        let numbers = |held: &[f64]| held[a].total_cmp(&held[b]);
        let flags = |held: &[bool]| held[a].cmp(&held[b]);
        numbers(&self.scores)
            .then(flags(&self.outcomes))
            .then_with(|| self.predicted.as_deref().map_or(Ordering::Equal, flags))
            .then_with(|| self.usual.as_deref().map_or(Ordering::Equal, flags))
            .then_with(|| self.weights.as_deref().map_or(Ordering::Equal, numbers))
            .then_with(|| {
                let codes = self.groups.iter().map(|group| group.codes[a].cmp(&group.codes[b]));
                codes.fold(Ordering::Equal, Ordering::then)
            })
    }

    fn new_name(&self, name: &str) -> Result<(), AuditError> {
        let held = self.groups.iter().map(|group| &group.name).chain(&self.not_held);
        if held.into_iter().any(|held| held == name) {
            return Err(AuditError::Twice { column: name.to_owned() });
        }
        Ok(())
    }
}
