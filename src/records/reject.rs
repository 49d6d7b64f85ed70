//! Rows that cannot be used: kept, counted, and never a value among them.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

use super::pattern::CellPattern;

/// Why a row was not used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum RejectReason {
    /// More or fewer fields than the header has.
    FieldCount,
    /// Bytes that are no text in the declared encoding.
    Encoding,
    /// A quote that opens a cell and is not closed, or only rows later.
    QuoteOpen,
    /// A row that sums up the others.
    TotalRow,
    /// No id, or one of the declared "unknown" texts.
    EntityMissing,
    /// An id that is not on the list of people.
    EntityUnknown,
    /// An id that stood on the list of people before.
    EntityRepeated,
    /// An id that the tables of identities do not know, or not on the day.
    IdentityUnknown,
    /// An id that stands for two people at once, by the tables of identities.
    IdentityTwice,
    /// No date where one is needed.
    DateMissing,
    /// A text that is no date, or a date that does not exist.
    DateUnreadable,
    /// A date that cannot be: outside the limits of what is plausible.
    DateImplausible,
    /// A number of days from a day 0 that the row does not have.
    DayZeroUnknown,
    /// An episode that ends before it begins.
    EndBeforeStart,
    /// No kind of event.
    KindMissing,
    /// A text that is no number, or one that is not finite.
    NumberUnreadable,
    /// A value that is no part of the number it is said to be of: below 0, or above that number.
    NotAPart,
    /// A role other than subject, victim, suspect or witness.
    RoleUnknown,
    /// A link probability under the minimum.
    LinkWeak,
    /// A link probability that does not lie between 0 and 1.
    LinkNotAShare,
    /// No reference where the source is said to have one.
    ReferenceMissing,
    /// A reference that stands in the source already, about somebody or something else.
    ReferenceRepeated,
    /// The same in everything as a row before it, where the source is to have no such rows.
    Duplicate,
    /// No household.
    HouseholdMissing,
    /// Nothing in a cell that is needed.
    ValueMissing,
    /// Neither true nor false, 1 nor 0, yes nor no.
    FlagUnreadable,
    /// A band that is not among those whose order was given.
    BandUnknown,
    /// A weight that is not above 0.
    WeightNotAboveZero,
    /// A count that is not a whole number from 0 up.
    CountUnreadable,
}

impl RejectReason {
    /// Whether such a row says nothing that is lost with it, so that it is not held against its source.
    pub(super) fn is_no_record(self) -> bool {
        matches!(self, Self::TotalRow | Self::Duplicate)
    }

    /// The code, as it is written in files.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::FieldCount => "field_count",
            Self::Encoding => "encoding",
            Self::QuoteOpen => "quote_open",
            Self::TotalRow => "total_row",
            Self::EntityMissing => "entity_missing",
            Self::EntityUnknown => "entity_unknown",
            Self::EntityRepeated => "entity_repeated",
            Self::IdentityUnknown => "identity_unknown",
            Self::IdentityTwice => "identity_twice",
            Self::DateMissing => "date_missing",
            Self::DateUnreadable => "date_unreadable",
            Self::DateImplausible => "date_implausible",
            Self::DayZeroUnknown => "day_zero_unknown",
            Self::EndBeforeStart => "end_before_start",
            Self::KindMissing => "kind_missing",
            Self::NumberUnreadable => "number_unreadable",
            Self::NotAPart => "not_a_part",
            Self::RoleUnknown => "role_unknown",
            Self::LinkWeak => "link_weak",
            Self::LinkNotAShare => "link_not_a_share",
            Self::ReferenceMissing => "reference_missing",
            Self::ReferenceRepeated => "reference_repeated",
            Self::Duplicate => "duplicate",
            Self::HouseholdMissing => "household_missing",
            Self::ValueMissing => "value_missing",
            Self::FlagUnreadable => "flag_unreadable",
            Self::BandUnknown => "band_unknown",
            Self::WeightNotAboveZero => "weight_not_above_zero",
            Self::CountUnreadable => "count_unreadable",
        }
    }

    /// What it means, in plain words.
    #[must_use]
    pub fn words(self) -> &'static str {
        match self {
            Self::FieldCount => "the row has more or fewer fields than the header",
            Self::Encoding => "the row is not text in the declared encoding",
            Self::QuoteOpen => "a quote opens here that is not closed, or only rows later",
            Self::TotalRow => "the row sums up the others",
            Self::EntityMissing => "no id",
            Self::EntityUnknown => "the id is not on the list of people",
            Self::EntityRepeated => "the id stands on the list twice",
            Self::IdentityUnknown => "the identities do not know the id, or not on that day",
            Self::IdentityTwice => "the id stands for two people at once in the identities",
            Self::DateMissing => "no date",
            Self::DateUnreadable => "not a date that exists",
            Self::DateImplausible => "a date that cannot be (outside `plausible`)",
            Self::DayZeroUnknown => "no day 0 to count its days from (`days_from`)",
            Self::EndBeforeStart => "it ends before it begins",
            Self::KindMissing => "no kind of event",
            Self::NumberUnreadable => "not a finite number",
            Self::NotAPart => "below 0, or above the number (`of`) that it is a part of",
            Self::RoleUnknown => "a role other than subject, victim, suspect, witness",
            Self::LinkWeak => "the link to the person is too unsure",
            Self::LinkNotAShare => "a link probability that is not between 0 and 1",
            Self::ReferenceMissing => "no reference",
            Self::ReferenceRepeated => "the reference stands in the source twice",
            Self::Duplicate => "the same in everything as another row",
            Self::HouseholdMissing => "no household",
            Self::ValueMissing => "nothing in the cell",
            Self::FlagUnreadable => "not true or false, 1 or 0, yes or no",
            Self::BandUnknown => "not one of the bands whose order was given",
            Self::WeightNotAboveZero => "a weight that is not above 0",
            Self::CountUnreadable => "not a whole number from 0 up",
        }
    }
}

impl fmt::Display for RejectReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

/// A row that could not be used: where it stands and why. It holds nothing of what the row says.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Reject {
    /// The source.
    pub source: String,
    /// The file's name, where the source is made of files.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub file: Option<String>,
    /// CSV: the line on which the row begins (the header is line 1). Otherwise the row, from 1.
    pub row: u64,
    /// The column at fault, where it is one column's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub column: Option<String>,
    /// Why.
    pub reason: RejectReason,
    /// What the cell at fault looks like, and nothing of what it says; none where no one cell is at fault. A pattern that
    /// fewer than [`CellPattern::FEWEST`] rejects of a table, column and reason share is told as `other`, unless it is one
    /// of a closed list.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pattern: Option<CellPattern>,
}

/// What is remarkable about rows that were used all the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum RemarkKind {
    /// A cell with line breaks in it.
    SeveralLines,
    /// No UTF-8, and so read as Windows-1252.
    Windows1252,
    /// A date of birth that cannot be read: the person is kept without it.
    BirthUnreadable,
    /// A date of birth that cannot be: the person is kept without it.
    BirthImplausible,
    /// A day of death or of leaving that cannot be read or cannot be: the person is kept without it.
    PartingUnusable,
    /// A person who died, and is in no cohort once that is known.
    Died,
    /// A person who left, and is in no cohort once that is known.
    Left,
    /// A person who died before being born, by the list.
    DiedBeforeBirth,
    /// A person to whom the list gives two dates of birth under one id.
    BirthsDiffer,
    /// A person whom the list has under several ids.
    SeveralIds,
    /// An id that stands for two people at once, by the tables of identities.
    IdentityTwice,
    /// An id that is merged into itself.
    MergedIntoItself,
    /// An id that is merged into one that is nobody's.
    MergedIntoNobody,
    /// An id that is merged on a day that is yet to come.
    MergedLater,
    /// It happened after the person died.
    AfterDeath,
    /// It happened before the person was born.
    BeforeBirth,
    /// The same in everything as another row of the source; counted as often as it stands there.
    Duplicate,
    /// What another row of the same reference says already; counted once.
    SaidBefore,
    /// A later state of a record that the source held already.
    LaterState,
    /// An end that stands for none, such as 9999-12-31.
    OpenEnd,
    /// A code that is not on its list.
    Unlisted,
    /// A key that is not in the look-up table.
    NotInLookup,
    /// A key that is in the look-up table in another spelling.
    KeySpeltOtherwise,
    /// A row of the look-up table without a key.
    KeyMissingInLookup,
    /// No incident, where the source is said to have one.
    IncidentMissing,
    /// A number that is held as another, by a half or more: seven digits are.
    Rounded,
}

impl RemarkKind {
    /// What it means, in plain words.
    #[must_use]
    pub fn words(self) -> &'static str {
        match self {
            Self::SeveralLines => "rows with line breaks within a cell",
            Self::Windows1252 => "rows that are not UTF-8, read as Windows-1252",
            Self::BirthUnreadable => "people whose date of birth cannot be read, kept without it",
            Self::BirthImplausible => "people whose date of birth cannot be, kept without it",
            Self::PartingUnusable => {
                "days of death or leaving that cannot be read or cannot be: these people count as being here"
            }
            Self::Died => "people who died: in no cohort once that is known",
            Self::Left => "people who left: in no cohort once that is known",
            Self::DiedBeforeBirth => "people who died before they were born, by the list",
            Self::BirthsDiffer => "people with two dates of birth under one id: perhaps two people",
            Self::SeveralIds => "people whom the list has under several ids, taken as one",
            Self::IdentityTwice => "ids that stand for two people at once: their records are rejected",
            Self::MergedIntoItself => "rows that merge an id into itself, which says nothing",
            Self::MergedIntoNobody => {
                "ids that were merged into one that is on no list: their records are rejected as nobody's"
            }
            Self::MergedLater => {
                "ids that were merged on a day that is yet to come: until then their records are seen for nobody"
            }
            Self::AfterDeath => "records from after the person's death",
            Self::BeforeBirth => "records from before the person's birth",
            Self::Duplicate => "rows that are the same in everything as another, each counted",
            Self::SaidBefore => "rows that say of a reference what another says, counted once",
            Self::LaterState => "rows that give the later state of a record",
            Self::OpenEnd => "ends that stand for none, such as 9999-12-31",
            Self::Unlisted => "rows with a code that is not on its list",
            Self::NotInLookup => "rows whose key is not in the look-up table, so that nothing is known there",
            Self::KeySpeltOtherwise => {
                "of these rows, those whose key is in the look-up table but for zeros before it, capitals, blanks, marks, .0 \
                 behind it, or the form of a date: write it alike in both"
            }
            Self::KeyMissingInLookup => "rows of the look-up table without a key, which nothing can find",
            Self::IncidentMissing => "rows without an incident, each counted as one of its own",
            Self::Rounded => {
                "rows whose number is held as another, by a half or more, since seven digits are"
            }
        }
    }
}

/// So many rows of a source that were used, and what is remarkable about them.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Remark {
    /// The source.
    pub source: String,
    /// What is remarkable.
    pub kind: RemarkKind,
    /// How many rows.
    pub rows: u64,
}

/// What became of a source's rows. `read = accepted + rejected` always holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Intake {
    /// The source.
    pub source: String,
    /// Rows read.
    pub read: u64,
    /// Rows used.
    pub accepted: u64,
    /// Rows not used.
    pub rejected: u64,
}

impl Intake {
    /// The share of rows that were rejected, 0 to 1.
    #[must_use]
    pub fn rejected_share(&self) -> f64 {
        if self.read == 0 { 0.0 } else { self.rejected as f64 / self.read as f64 }
    }
}

/// Counts rejects by source, column and reason, in that order.
#[must_use]
pub fn summarise(rejects: &[Reject]) -> Vec<(&str, Option<&str>, RejectReason, u64)> {
    let mut counts = BTreeMap::new();
    for reject in rejects {
        *counts.entry((reject.source.as_str(), reject.column.as_deref(), reject.reason)).or_insert(0) += 1;
    }
    counts.into_iter().map(|((source, column, reason), n)| (source, column, reason, n)).collect()
}
