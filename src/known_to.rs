//! Whom a service is working with already, as it was known on the date: what a list adds, and what it only repeats.
//!
//! ```text
//! Cohort + [KnownTo] ─KnownCases::of→ KnownCases { yes | no | cannot tell }
//! ```
//!
//! It is marked beside a case, and told of a backtest's lists. No model reads it, and it is no rule of the cohort.
//! Records are read as features read them, through the snapshot of the cohort, so a mark cannot see what became known
//! later.
//!
//! # Examples
//! ```
//! use earlyhelp::cohort::CohortSpec;
//! use earlyhelp::known_to::{IsKnown, KnownCases, KnownTo};
//! use earlyhelp::records::{Extract, Records, Selector, SourceMapping};
//! use polars::df;
//!
//! let episodes = df!(
//!     "person" => ["p1", "p2"],
//!     "start" => ["2024-01-05", "2023-06-01"],
//!     "end" => [None, Some("2023-12-01")],
//! )?;
//! let mapping = SourceMapping::new("early_help", "person", "episode", "start").ended("end");
//! let records = Records::builder().source(mapping, Extract::frame(episodes)).build()?;
//! let cohort = CohortSpec::default().choose(&records.as_of("2024-04-01".parse()?))?;
//!
//! let early_help = [Selector::source("early_help")];
//! let open = KnownTo::while_open("early_help", "an early-help episode is open", early_help);
//! let known = KnownCases::of(&[open], &cohort)?;
//! assert_eq!([known.any(0), known.any(1)], [IsKnown::Yes, IsKnown::No]);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::calendar::{AsOf, Lookback};
use crate::cohort::{Cohort, Unit};
use crate::error::SpecError;
use crate::features::{Cell, Feature, FeatureSpec, Measure, Scopes};
use crate::records::{Records, Selector};
use crate::words;

/// Records which mean that a service is working with a case already: an open referral, an open episode of early help, a
/// worker allocated. Either while one of their episodes is open on the date, or for so long after any of them.
///
/// # Examples
/// ```
/// use earlyhelp::calendar::Lookback;
/// use earlyhelp::known_to::KnownTo;
/// use earlyhelp::records::Selector;
///
/// let referred = KnownTo::within(
///     "referred",
///     "a referral in the last 45 days",
///     [Selector::source("referrals")],
///     Lookback::Days(45),
/// );
/// assert!(referred.check().is_ok());
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct KnownTo {
    /// A short name.
    pub name: String,
    /// What is so of a case that is known, in plain words: "an early-help episode is open".
    pub words: String,
    /// The records; any of them will do.
    pub records: Vec<Selector>,
    /// A case is known while an episode among them is open at the date. Either this or `over`.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub open: bool,
    /// A case is known for so long after any of them. Either this or `open`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub over: Option<Lookback>,
    /// Whose records: the person's own, the other household members', or either.
    #[serde(default, skip_serializing_if = "is_own")]
    pub scope: Scopes,
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "the form that serde asks for")]
fn is_own(scope: &Scopes) -> bool {
    *scope == Scopes::Own
}

/// Whether a case was known to a service on the date.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum IsKnown {
    /// A record says so.
    Yes,
    /// The sources cover the case, and no record says so.
    No,
    /// A source does not cover the case, or no household of it is known: nobody can say. It is never taken for a "no".
    CannotTell,
}

impl IsKnown {
    /// The answer in words: `yes`, `no` or `cannot tell`.
    #[must_use]
    pub fn words(self) -> &'static str {
        match self {
            Self::Yes => "yes",
            Self::No => "no",
            Self::CannotTell => "cannot tell",
        }
    }

    /// Of several: yes where one is, no where all are.
    pub(crate) fn any(of: impl IntoIterator<Item = Self>) -> Self {
        of.into_iter().fold(Self::No, |held, next| match (held, next) {
            (Self::Yes, _) | (_, Self::Yes) => Self::Yes,
            (Self::CannotTell, _) | (_, Self::CannotTell) => Self::CannotTell,
            (Self::No, Self::No) => Self::No,
        })
    }
}

impl fmt::Display for IsKnown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.words())
    }
}

/// What one [`KnownTo`] says of a case.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct KnownMark {
    /// Its name.
    pub name: String,
    /// What is so of a case that is known.
    pub words: String,
    /// Whether it is so of this case.
    pub known: IsKnown,
}

crate::opaque_debug!(KnownMark);

impl KnownTo {
    /// Known while an episode among these records is open.
    pub fn while_open(
        name: impl Into<String>,
        words: impl Into<String>,
        records: impl IntoIterator<Item = Selector>,
    ) -> Self {
        Self {
            name: name.into(),
            words: words.into(),
            records: records.into_iter().collect(),
            open: true,
            over: None,
            scope: Scopes::Own,
        }
    }

    /// Known for so long after any of these records.
    pub fn within(
        name: impl Into<String>,
        words: impl Into<String>,
        records: impl IntoIterator<Item = Selector>,
        over: Lookback,
    ) -> Self {
        Self { open: false, over: Some(over), ..Self::while_open(name, words, records) }
    }

    /// The same by the records of others, or of either.
    #[must_use]
    pub fn scope(mut self, scope: Scopes) -> Self {
        self.scope = scope;
        self
    }

    /// What errors call it.
    fn called(&self) -> String {
        format!("known_to {}", self.name)
    }

    fn wrong(&self, why: impl Into<String>) -> SpecError {
        SpecError::Invalid { of: self.called(), why: why.into() }
    }

    /// Refuses what contradicts itself, before any record is read.
    ///
    /// # Errors
    /// [`SpecError::Invalid`] without a name, words or records, and where not exactly one of `open` and `over` is given.
    pub fn check(&self) -> Result<(), SpecError> {
        if words::is_blank(&self.name) || words::is_blank(&self.words) {
            return Err(self.wrong(
                "it needs a name, and words that people can read: words = \"an early-help episode is open\"",
            ));
        }
        if self.records.is_empty() {
            return Err(self.wrong("it names no records: records = [{ source = \"early_help\" }]"));
        }
        if self.open == self.over.is_some() {
            return Err(self.wrong(
                "say either that an episode is open (open = true), or how far back a record counts (over = \"90 days\")",
            ));
        }
        self.spec().map(drop)
    }

    /// What it reads, as features: one for each choice of records and each scope.
    fn features(&self) -> Vec<Feature> {
        let (measure, over) =
            self.over.map_or((Measure::PresentNow, Lookback::Ever), |over| (Measure::Any, over));
        let scopes: &[bool] = match self.scope {
            Scopes::Own => &[false],
            Scopes::Household => &[true],
            Scopes::Both => &[false, true],
        };
        let mut features = Vec::new();
        for &household in scopes {
            for records in &self.records {
                let feature = Feature::new(records.clone(), measure.clone(), over);
                let feature = if household { feature.of_household() } else { feature };
                let name = format!("{} {}", self.called(), features.len() + 1);
                features.push(feature.name(name).label(self.words.clone()));
            }
        }
        features
    }

    fn spec(&self) -> Result<FeatureSpec, SpecError> {
        FeatureSpec::new(self.features()).map_err(|error| self.named(error))
    }

    /// An error of one of its features as one of its own.
    fn named(&self, error: SpecError) -> SpecError {
        match error {
            SpecError::Invalid { why, .. } => self.wrong(why),
            error => error,
        }
    }

    /// Refuses it where it reads a protected characteristic.
    pub(crate) fn check_protected<S: AsRef<str>>(&self, protected: &[S]) -> Result<(), SpecError> {
        self.spec()?.check_protected(protected)
    }

    /// The choices of records that match none at all: nobody would ever be known.
    pub(crate) fn faults(&self, records: &Records) -> Vec<SpecError> {
        let of = self.called();
        let chosen = self.records.iter().filter_map(|selector| selector.check(records, &of).err());
        let mut faults: Vec<SpecError> = chosen.collect();
        faults.extend(self.fit(records).err().filter(|fault| !faults.contains(fault)));
        faults
    }

    /// Refuses records that cannot say it. A month without one of the kinds is no fault; a source that is empty is, since
    /// everybody would count as not known.
    fn fit(&self, records: &Records) -> Result<(), SpecError> {
        let of = self.called();
        for selector in &self.records {
            let selection = selector.resolve(records, &of)?;
            let source = records.source_at(selection.source);
            if source.shape().rows == 0 && !selector.optional {
                return Err(SpecError::NoRecords { of, source_name: source.name.clone() });
            }
            if self.open && source.shape().rows > 0 && !source.shape().has_episodes {
                return Err(self.wrong(format!(
                    "source {} holds no episodes that could be open; name the column of their ends in its mapping, or \
                     write how far back a record counts (over = \"90 days\") in place of `open`",
                    source.name
                )));
            }
        }
        Ok(())
    }

    /// The mark of every row of a cohort.
    fn marks(&self, cohort: &Cohort<'_>) -> Result<Vec<IsKnown>, SpecError> {
        if cohort.unit() == Unit::Family && self.scope != Scopes::Own {
            return Err(self.wrong("a family's records are all its own; drop the scope"));
        }
        self.fit(cohort.snapshot().records())?;
        let spec = self.spec()?;
        let matrix = spec.compute(cohort).map_err(|error| self.named(error))?;
        (0..cohort.len())
            .map(|row| {
                let mut held = Vec::with_capacity(spec.features().len());
                for feature in 0..spec.features().len() {
                    held.push(match matrix.cell(row, feature) {
                        Cell::Value(value) if value > 0.0 => IsKnown::Yes,
                        Cell::Value(_) => IsKnown::No,
                        // A source that is silent on the case says nothing; a record of it says what it says.
                        Cell::NotCovered
                            if self.over.is_some()
                                && !spec.records_behind(cohort, row, feature)?.is_empty() =>
                        {
                            IsKnown::Yes
                        }
                        Cell::NotCovered | Cell::Missing => IsKnown::CannotTell,
                    });
                }
                Ok(IsKnown::any(held))
            })
            .collect()
    }
}

/// Refuses several of one name, and what each of them refuses.
pub(crate) fn check_all(to: &[KnownTo]) -> Result<(), SpecError> {
    let mut names = BTreeSet::new();
    to.iter().try_for_each(|known| {
        known.check()?;
        if names.insert(known.name.trim()) {
            Ok(())
        } else {
            Err(known.wrong("there are two of this name; give one of them another"))
        }
    })
}

/// Which cases of a cohort were known to whom on the date: for each row and each [`KnownTo`] one answer.
#[derive(Clone, PartialEq, Eq)]
pub struct KnownCases {
    to: Vec<KnownTo>,
    as_of: AsOf,
    rows: BTreeMap<String, u32>,
    /// By what they are known to, then by row.
    marks: Vec<Vec<IsKnown>>,
}

crate::opaque_debug!(KnownCases);

impl KnownCases {
    /// Looks the cases of a cohort up on its date, also where each is seen on a day of its own: whoever works with a family by
    /// the date of the list knows it, though it was not so on the day that its features are of.
    ///
    /// # Errors
    /// [`SpecError`] where two have one name, one contradicts itself or does not fit the records, or a source that it reads
    /// holds no record at all.
    pub fn of(to: &[KnownTo], cohort: &Cohort<'_>) -> Result<Self, SpecError> {
        check_all(to)?;
        let on_its_date = cohort.on_its_date();
        let marks = to.iter().map(|known| known.marks(&on_its_date)).collect::<Result<_, _>>()?;
        let rows = cohort.ids().map(str::to_owned).zip(0..).collect();
        Ok(Self { to: to.to_vec(), as_of: cohort.as_of(), rows, marks })
    }

    /// What cases can be known to.
    #[must_use]
    pub fn to(&self) -> &[KnownTo] {
        &self.to
    }

    /// The date of the cohort.
    #[must_use]
    pub fn as_of(&self) -> AsOf {
        self.as_of
    }

    /// How many cases there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// What each [`KnownTo`] says of a row of the cohort, in their order.
    ///
    /// # Panics
    /// If there is no such row.
    pub fn of_row(&self, row: usize) -> impl Iterator<Item = IsKnown> + '_ {
        self.marks.iter().map(move |marks| marks[row])
    }

    /// Whether a row is known to any of them: yes where one says so, no where all say no.
    ///
    /// # Panics
    /// If there is no such row.
    #[must_use]
    pub fn any(&self, row: usize) -> IsKnown {
        IsKnown::any(self.of_row(row))
    }

    /// The same with names and words.
    ///
    /// # Panics
    /// If there is no such row.
    #[must_use]
    pub fn marks(&self, row: usize) -> Vec<KnownMark> {
        let mark = |(to, known): (&KnownTo, IsKnown)| KnownMark {
            name: to.name.clone(),
            words: to.words.clone(),
            known,
        };
        self.to.iter().zip(self.of_row(row)).map(mark).collect()
    }

    /// The row of a case, by its id.
    pub(crate) fn row(&self, id: &str) -> Option<usize> {
        self.rows.get(id).map(|&row| row as usize)
    }

    /// How many rows are known, are not, and of how many that cannot be told: together all.
    #[must_use]
    pub fn counts(&self) -> [usize; 3] {
        let mut counts = [0; 3];
        for row in 0..self.len() {
            counts[match self.any(row) {
                IsKnown::Yes => 0,
                IsKnown::No => 1,
                IsKnown::CannotTell => 2,
            }] += 1;
        }
        counts
    }
}
