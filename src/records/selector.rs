//! Which records of a source are meant: kinds, roles and categories.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::events::{EventTable, Role};
use super::{Records, Source};
use crate::error::SpecError;

/// Which records of one source are meant. What is left empty does not narrow.
///
/// # Examples
/// ```
/// use earlyhelp::records::{Role, Selector};
///
/// let harmed = Selector::source("police").kind("police_incident").role(Role::Victim);
/// assert_eq!(harmed.source, "police");
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Selector {
    /// The source.
    pub source: String,
    /// Only these kinds. A kind that the extract happens not to hold simply matches nothing.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub kinds: Vec<String>,
    /// Only these roles.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub roles: Vec<Role>,
    /// Only records whose category (a column that the mapping keeps) is one of the values.
    #[serde(default, rename = "where", skip_serializing_if = "BTreeMap::is_empty")]
    pub categories: BTreeMap<String, Vec<String>>,
}

impl Selector {
    /// All records of a source.
    pub fn source(name: impl Into<String>) -> Self {
        Self { source: name.into(), ..Self::default() }
    }

    /// Also (or only) records of this kind.
    #[must_use]
    pub fn kind(mut self, kind: impl Into<String>) -> Self {
        self.kinds.push(kind.into());
        self
    }

    /// Also (or only) records with this role.
    #[must_use]
    pub fn role(mut self, role: Role) -> Self {
        self.roles.push(role);
        self
    }

    /// Also (or only) records with this value of a category.
    #[must_use]
    pub fn category(mut self, column: impl Into<String>, value: impl Into<String>) -> Self {
        self.categories.entry(column.into()).or_default().push(value.into());
        self
    }

    /// Looks the names up in the records. `of` says in errors whose selector it is.
    pub(crate) fn resolve(&self, records: &Records, of: &str) -> Result<Selection, SpecError> {
        let Some(index) = records.source_index(&self.source) else {
            return Err(SpecError::NoSource { of: of.to_owned(), source_name: self.source.clone() });
        };
        let source = records.source_at(index);
        let kinds = (!self.kinds.is_empty())
            .then(|| source.kinds.iter().map(|kind| self.kinds.iter().any(|k| **k == **kind)).collect());
        let roles = (!self.roles.is_empty()).then(|| Role::ALL.map(|role| self.roles.contains(&role)));
        let categories = self
            .categories
            .iter()
            .map(|(column, wanted)| {
                let place = category_place(source, column, of)?;
                let values = &source.categories[place].1;
                Ok((place, values.iter().map(|value| wanted.iter().any(|w| **w == **value)).collect()))
            })
            .collect::<Result<_, SpecError>>()?;
        Ok(Selection { source: index, kinds, roles, categories })
    }
}

/// The place of a category column among those that the source keeps.
pub(crate) fn category_place(source: &Source, column: &str, of: &str) -> Result<usize, SpecError> {
    source.categories.iter().position(|(name, _)| name == column).ok_or_else(|| SpecError::NoCategory {
        of: of.to_owned(),
        source_name: source.name.clone(),
        column: column.to_owned(),
    })
}

/// A selector with its names looked up.
#[derive(Debug, Clone)]
pub(crate) struct Selection {
    pub(crate) source: usize,
    kinds: Option<Vec<bool>>,
    roles: Option<[bool; 4]>,
    categories: Vec<(usize, Vec<bool>)>,
}

impl Selection {
    pub(crate) fn takes_kind(&self, kind: u16) -> bool {
        self.kinds.as_ref().is_none_or(|kinds| kinds[usize::from(kind)])
    }

    #[inline]
    pub(crate) fn matches(&self, events: &EventTable, row: usize) -> bool {
        self.kinds.as_ref().is_none_or(|kinds| kinds[usize::from(events.kind[row])])
            && self.roles.is_none_or(|roles| roles[events.role(row) as usize])
            && self.categories.iter().all(|(place, wanted)| {
                wanted.get(events.categories[*place][row] as usize).copied().unwrap_or(false)
            })
    }
}
