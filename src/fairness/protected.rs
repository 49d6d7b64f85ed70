//! Protected characteristics, held for audit, and for mitigation where somebody answers for it.

use std::fmt;

use hashbrown::HashMap;
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::audit::{UNKNOWN, folded};
use crate::cohort::Unit;
use crate::error::{AuditError, MitigationError, RecordsError};
use crate::records::{
    Closed, EntityOf, Extract, Identities, Intake, Records, Reject, Remark, TableRead, UnlistedCodes,
    read_table,
};

/// The columns of a file of protected characteristics.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct ProtectedColumns {
    /// The entity, as the cohort has it: the person (or the family, where families are scored). One
    /// column, or several joined by `/`.
    #[serde(with = "crate::records::one_or_many")]
    #[cfg_attr(feature = "schema", schemars(with = "crate::records::OneOrMany<String>"))]
    pub entity: Vec<String>,
    /// The system whose ids they are, by its name in the tables of identities. Without it they are people's own, or
    /// households'.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub system: Option<String>,
    /// The characteristics that are held, each a column.
    pub characteristics: Vec<String>,
    /// Characteristics that are not held and cannot be audited: said in every report.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub not_held: Vec<String>,
    /// How a family's value comes from its members', where families are scored and the file is by person.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub of_family: Option<FamilyValue>,
}

/// How a family's characteristic comes from those of its members: everybody who ever belonged to the household.
///
/// Neither is right for all. The name of the characteristic says in every report which of them was taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum FamilyValue {
    /// The one value that all members have whose value is known; `members differ` where they do.
    AllAlike,
    /// The value of the youngest member whose day of birth is known: of the child, mostly, about whom it is.
    Youngest,
}

impl FamilyValue {
    /// A characteristic's name, with what it is of a family.
    fn name(self, characteristic: &str) -> String {
        let of = match self {
            Self::AllAlike => "of a family: of all members, or members differ",
            Self::Youngest => "of a family: its youngest member's",
        };
        format!("{characteristic} ({of})")
    }
}

/// Protected characteristics by entity.
///
/// Nothing that trains or scores takes this type, and it gives no value out: it can be audited with, and it
/// can set how much cases count or how a list's places are dealt where a named person has approved of that
/// ([`mitigation`](crate::fairness::mitigation)); that is all.
///
/// # Examples
/// ```
/// use earlyhelp::fairness::{Protected, ProtectedColumns};
/// use earlyhelp::records::Extract;
/// use polars::df;
///
/// let columns = ProtectedColumns {
///     entity: vec!["person".into()],
///     characteristics: vec!["sex".into()],
///     not_held: vec!["religion".into()],
///     ..ProtectedColumns::default()
/// };
/// let frame = df!("person" => ["p1", "p2"], "sex" => ["F", "M"])?;
/// let protected = Protected::read(&columns, Extract::frame(frame))?;
/// assert_eq!(protected.names().collect::<Vec<_>>(), ["sex", "religion"]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Protected {
    names: Vec<String>,
    /// The characteristics' names in the file, where they have others of families.
    columns: Vec<String>,
    not_held: Vec<String>,
    /// For each characteristic its groups.
    groups: Vec<Vec<Box<str>>>,
    /// For each entity the place of its group for each characteristic, `u32::MAX` where unknown.
    /// The place of each entity's codes among all.
    of_entity: HashMap<Box<str>, u32>,
    /// A code for each entity and characteristic that is held, entity by entity.
    codes: Vec<u32>,
    /// What became of the file's rows.
    read: Option<Closed>,
}

/// A protected characteristic of rows in hand, for measuring apart from a [`Protected`] file.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub enum Characteristic<'a> {
    /// The data hold it.
    Held {
        /// Its name, such as `sex`.
        name: &'a str,
        /// The group of each row, sorted as [`ScoreTable::group`](super::audit::ScoreTable::group) does: `None` is
        /// not known.
        groups: &'a [Option<&'a str>],
    },
    /// The data do not hold it: nothing can be said, which the report must say.
    NotHeld {
        /// Its name, such as `religion`.
        name: &'a str,
    },
}

impl<'a> Characteristic<'a> {
    /// The name of the characteristic.
    pub fn name(&self) -> &'a str {
        match self {
            Self::Held { name, .. } | Self::NotHeld { name } => name,
        }
    }
}

impl fmt::Debug for Protected {
    /// Never prints a person.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Protected").field("names", &self.names).finish_non_exhaustive()
    }
}

/// The group of a family whose members differ; not "mixed", which is an ethnicity in many files.
const MIXED: &str = "members differ";

/// The code of a group that is not known.
const NOT_KNOWN: u32 = u32::MAX;

/// The place of a group among others.
fn place_of(groups: &mut Vec<Box<str>>, name: &str) -> u32 {
    let place = groups.iter().position(|group| **group == *name).unwrap_or_else(|| {
        groups.push(Box::from(name));
        groups.len() - 1
    });
    place as u32
}

impl Protected {
    /// Reads a file of protected characteristics. Groups are named in lower case, as audits name them. An empty cell is an unknown group, not a reject; what else
    /// means unknown, refused or not obtained is told by [`ScoreTable::group`](super::audit::ScoreTable::group). An
    /// entity that stands twice is rejected the second time.
    ///
    /// # Errors
    /// [`RecordsError`] where the file cannot be read or lacks a column.
    pub fn read(columns: &ProtectedColumns, extract: Extract) -> Result<Self, RecordsError> {
        Self::read_of(columns, extract, &Identities::default(), Unit::Person)
    }

    /// The same, by the ids of people (or households) that the file's stand for: of records that were read with these
    /// identities. A row whose link to its person is less sure than 0.9 is rejected.
    ///
    /// # Errors
    /// As [`Protected::read`], and where no identities are of the file's `system`.
    pub fn read_of(
        columns: &ProtectedColumns,
        extract: Extract,
        identities: &Identities,
        unit: Unit,
    ) -> Result<Self, RecordsError> {
        let of = match unit {
            Unit::Person => EntityOf::Person(columns.system.as_deref()),
            Unit::Family => EntityOf::Household,
        };
        let mut protected = Self::none(columns.not_held.clone());
        protected.names.clone_from(&columns.characteristics);
        protected.groups = columns.characteristics.iter().map(|_| Vec::new()).collect();
        // By how each is written: what that means is asked once.
        let mut places: Vec<HashMap<Box<str>, u32>> =
            columns.characteristics.iter().map(|_| HashMap::new()).collect();
        let Self { groups, of_entity, codes, .. } = &mut protected;
        let closed = read_table(
            "protected",
            (&columns.entity, &columns.characteristics),
            (extract, identities, of),
            |entity, cells| {
                let code = |(nth, cell): (usize, &Option<std::borrow::Cow<'_, str>>)| {
                    let Some(text) = cell else { return NOT_KNOWN };
                    if let Some(&place) = places[nth].get(&**text) {
                        return place;
                    }
                    let place = match folded(Some(text)).as_str() {
                        UNKNOWN => NOT_KNOWN,
                        name => place_of(&mut groups[nth], name),
                    };
                    places[nth].insert(Box::from(&**text), place);
                    place
                };
                codes.extend(cells.iter().enumerate().map(code));
                let place = of_entity.len() as u32;
                of_entity.insert(entity.into(), place);
            },
        )?;
        protected.read = Some(closed);
        Ok(protected)
    }

    /// The same by household, for cohorts of families.
    ///
    /// # Examples
    /// ```
    /// use earlyhelp::fairness::{FamilyValue, Protected, ProtectedColumns};
    /// use earlyhelp::records::{Extract, HouseholdColumns, Records};
    /// use polars::df;
    ///
    /// let homes = df!("person" => ["p1", "p2"], "home" => ["h1", "h1"])?;
    /// let columns = HouseholdColumns {
    ///     person: vec!["person".into()],
    ///     household: "home".into(),
    ///     ..HouseholdColumns::default()
    /// };
    /// let records = Records::builder().households(columns, Extract::frame(homes)).build()?;
    /// let columns = ProtectedColumns {
    ///     entity: vec!["person".into()],
    ///     characteristics: vec!["sex".into()],
    ///     of_family: Some(FamilyValue::AllAlike),
    ///     ..ProtectedColumns::default()
    /// };
    /// let frame = df!("person" => ["p1", "p2"], "sex" => ["F", "M"])?;
    /// let protected = Protected::read(&columns, Extract::frame(frame))?.of_families(&records, FamilyValue::AllAlike);
    /// assert_eq!(protected.names().collect::<Vec<_>>(), ["sex (of a family: of all members, or members differ)"]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn of_families(mut self, records: &Records, rule: FamilyValue) -> Self {
        let people = records.the_people();
        let mixed: Vec<u32> = match rule {
            FamilyValue::Youngest => Vec::new(),
            FamilyValue::AllAlike => self.groups.iter_mut().map(|groups| place_of(groups, MIXED)).collect(),
        };
        let (mut of_entity, mut codes) = (HashMap::new(), Vec::new());
        for (id, mut members) in records.household_ids().iter().zip(records.ever_members()) {
            if rule == FamilyValue::Youngest {
                // Of two of one age the first by id.
                members.sort_unstable();
                let youngest = members.iter().copied().filter(|&person| people.born(person).is_some());
                members = youngest.rev().max_by_key(|&person| people.born(person)).into_iter().collect();
            }
            let known: Vec<&[u32]> =
                members.iter().filter_map(|&person| self.codes_of(&people.ids[person as usize])).collect();
            if known.is_empty() {
                continue;
            }
            let value = |nth: usize| {
                let mut values = known.iter().map(|codes| codes[nth]).filter(|&code| code != NOT_KNOWN);
                match values.next() {
                    None => NOT_KNOWN,
                    Some(first) if values.all(|code| code == first) => first,
                    Some(_) => mixed.get(nth).copied().unwrap_or(NOT_KNOWN),
                }
            };
            codes.extend((0..self.names.len()).map(value));
            of_entity.insert(id.clone(), of_entity.len() as u32);
        }
        (self.of_entity, self.codes) = (of_entity, codes);
        self.columns = std::mem::take(&mut self.names);
        self.names = self.columns.iter().map(|name| rule.name(name)).collect();
        self
    }

    /// The groups of rows that have no ids but their numbers: of each characteristic its name, its groups, and the place
    /// of every row's group among them.
    pub(crate) fn of_rows<'c>(columns: impl Iterator<Item = (&'c str, &'c [String], &'c [u16])>) -> Self {
        let mut protected = Self::none(Vec::new());
        let mut of_row: Vec<Vec<u32>> = Vec::new();
        for (name, groups, codes) in columns {
            protected.names.push(name.to_owned());
            protected.groups.push(groups.iter().map(|group| Box::from(group.as_str())).collect());
            of_row.resize(codes.len(), Vec::new());
            let is_known = |code: u16| groups[usize::from(code)] != UNKNOWN;
            for (row, &code) in of_row.iter_mut().zip(codes) {
                row.push(if is_known(code) { u32::from(code) } else { NOT_KNOWN });
            }
        }
        protected.of_entity = (0..of_row.len() as u32).map(|row| (row.to_string().into(), row)).collect();
        protected.codes = of_row.concat();
        protected
    }

    /// No characteristic is held; those named are reported as not measurable.
    #[must_use]
    pub fn none(not_held: Vec<String>) -> Self {
        Self {
            names: Vec::new(),
            columns: Vec::new(),
            not_held,
            groups: Vec::new(),
            of_entity: HashMap::new(),
            codes: Vec::new(),
            read: None,
        }
    }

    /// The names of all characteristics, held or not: no feature may read one.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.names.iter().chain(&self.not_held).map(String::as_str)
    }

    /// What became of the file's rows, where there was a file.
    #[must_use]
    pub fn intake(&self) -> Option<&Intake> {
        self.read.as_ref().map(|closed| &closed.intake)
    }

    /// What was found in the file while it was read, where there was a file.
    #[must_use]
    pub fn table(&self) -> Option<&TableRead> {
        self.read.as_ref().map(|closed| &closed.table)
    }

    /// What is remarkable about rows that were used all the same.
    #[must_use]
    pub fn remarks(&self) -> &[Remark] {
        self.read.as_ref().map_or(&[], |closed| &closed.remarks)
    }

    /// The codes that are not on the lists given for their columns.
    #[must_use]
    pub fn unlisted_codes(&self) -> &[UnlistedCodes] {
        self.read.as_ref().map_or(&[], |closed| &closed.unlisted)
    }

    /// The rejected rows.
    #[must_use]
    pub fn rejects(&self) -> &[Reject] {
        self.read.as_ref().map_or(&[], |closed| &closed.rejects)
    }

    pub(super) fn not_held(&self) -> impl Iterator<Item = &str> {
        self.not_held.iter().map(String::as_str)
    }

    /// The characteristics that are held.
    pub(crate) fn held(&self) -> &[String] {
        &self.names
    }

    /// The place of a characteristic that is held.
    pub(super) fn place(&self, name: &str) -> Result<usize, MitigationError> {
        let of_file = || self.columns.iter().position(|held| held == name);
        let place = self.names.iter().position(|held| held == name).or_else(of_file);
        place.ok_or_else(|| {
            let name = name.to_owned();
            if self.not_held.contains(&name) {
                MitigationError::NotHeld(name)
            } else {
                MitigationError::Unknown(name)
            }
        })
    }

    /// Refuses cases none of whom the file has: ids of two kinds (people and families, say) match nobody, and every group
    /// would be "not known".
    pub(crate) fn check_knows<'e>(
        &self,
        mut entities: impl ExactSizeIterator<Item = &'e str>,
    ) -> Result<(), AuditError> {
        let cases = entities.len();
        if self.held().is_empty() || entities.any(|entity| self.of_entity.contains_key(entity)) {
            return Ok(());
        }
        Err(AuditError::MatchedNobody { cases })
    }

    /// Whether anybody is in this group of the `nth` held characteristic.
    pub(super) fn has_group(&self, nth: usize, name: &str) -> bool {
        self.groups[nth].iter().any(|group| **group == *name)
    }

    /// An entity's group in the `nth` held characteristic.
    pub(crate) fn group(&self, nth: usize, entity: &str) -> Option<&str> {
        let code = self.codes_of(entity)?[nth];
        self.groups[nth].get(code as usize).map(|group| &**group)
    }

    fn codes_of(&self, entity: &str) -> Option<&[u32]> {
        let (place, width) = (*self.of_entity.get(entity)? as usize, self.groups.len());
        Some(&self.codes[place * width..][..width])
    }

    /// For each characteristic that is held the groups, `None` the last, and the place of each entity's among them.
    pub(super) fn columns_of(&self, entities: &[&str]) -> Vec<(Vec<Option<&str>>, Vec<u32>)> {
        let codes: Vec<Option<&[u32]>> = entities.par_iter().map(|entity| self.codes_of(entity)).collect();
        let columns = self.groups.iter().enumerate().map(|(nth, groups)| {
            let not_known = groups.len() as u32;
            let place = |codes: Option<&[u32]>| codes.map_or(not_known, |codes| codes[nth].min(not_known));
            let names = groups.iter().map(|group| Some(&**group)).chain([None]);
            (names.collect(), codes.iter().copied().map(place).collect())
        });
        columns.collect()
    }
}
