//! Who shares a place on a list, and how often a place is kept when the model is trained anew.

use serde::{Deserialize, Serialize};

use super::case::Stability;

/// Whom a place on a list is for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum OnePer {
    /// One household, as known on the day: the highest case of it leads, and the others of the cohort stand beside it. A case
    /// without a known household has a place of its own. The default, since a team visits a family.
    #[default]
    Household,
    /// One case.
    Case,
}

/// Who shares a place: for each row the number of its place.
pub(crate) struct Places {
    pub(super) of_row: Vec<u32>,
    pub(super) count: usize,
}

impl Places {
    /// The number of a row's place.
    pub(crate) fn of(&self, row: usize) -> u32 {
        self.of_row[row]
    }
}

/// In how many refits each place is on a list of some length.
pub(crate) struct KeptIn {
    pub(super) places: Vec<u32>,
    /// By the number of a place; empty where the model has no refits.
    pub(super) times: Vec<u32>,
    pub(super) refits: u32,
    pub(super) length: u32,
}

impl KeptIn {
    /// How sure the ranking is of a row's place.
    pub(super) fn of(&self, row: usize) -> Option<Stability> {
        let kept_in = *self.times.get(*self.places.get(row)? as usize)?;
        Some(Stability { kept_in, refits: self.refits, capacity: self.length })
    }
}
