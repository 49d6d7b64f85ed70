//! Extracts from services, validated into records that know two dates: when something happened, and when
//! the council came to know it.
//!
//! ```text
//! Extract + SourceMapping ─Records::builder→ Records ─as_of→ Snapshot
//! ```
//!
//! - Every row of an extract is accepted or kept as a [`Reject`] with its position and reason; nothing is
//!   lost and no value is shown.
//! - The order of rows, files and sources leaves no trace: people, kinds and events are put into a
//!   canonical order.
//! - [`Records::as_of`] gives a [`Snapshot`]: the only way to what was known on a date.
//! - Each source says what it covers ([`Coverage`]); outside it, an absent record means nothing.
//!
//! # Examples
//! ```
//! use earlyhelp::calendar::AsOf;
//! use earlyhelp::records::{Extract, Known, Records, SourceMapping};
//! use polars::df;
//!
//! let notices = df!(
//!     "person" => ["p1", "p1", "p2"],
//!     "occurred" => ["2024-01-05", "2024-03-28", "31/02/2024"],
//!     "recorded" => ["2024-01-09", "2024-04-02", "2024-03-01"],
//! )?;
//! let police = SourceMapping::new("police", "person", "incident", "occurred")
//!     .known(Known::Column("recorded".into()));
//! let records =
//!     Records::builder().source(police, Extract::frame(notices)).reject_limit(0.5).build()?;
//!
//! let intake = &records.intake()[0];
//! assert_eq!((intake.read, intake.accepted, intake.rejected), (3, 2, 1));
//! assert_eq!(records.rejects()[0].row, 3);
//!
//! // The second notice happened in March but became known in April.
//! let march = records.as_of(AsOf::new("2024-04-01".parse()?));
//! assert_eq!(march.events("police", "p1").count(), 1);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod builder;
mod codes;
mod column;
mod counted;
mod date_form;
mod days;
mod dictionary;
mod entrance;
mod events;
mod extract;
mod file_name;
#[cfg(feature = "files")]
mod files;
mod fingerprint;
mod form;
mod from_database;
mod header;
mod identities;
mod identity_columns;
mod intake;
mod kept;
mod kind;
mod layout;
mod link;
mod links;
mod listing;
mod lists;
mod lookup;
mod mapping;
mod memory;
mod merges;
mod month;
mod numbered;
mod options;
mod pattern;
mod people;
mod profile;
mod pseudonyms;
mod reading;
mod reject;
mod repeats;
mod roads;
mod rows;
mod selector;
mod shape;
mod snapshot;
mod source;
#[cfg(feature = "files")]
mod staged;
#[cfg(feature = "files")]
mod store;
#[cfg(feature = "files")]
mod store_at;
#[cfg(feature = "files")]
mod survey;
#[cfg(feature = "files")]
mod table_file;
mod tables;
mod unmatched;
#[cfg(feature = "files")]
mod waiting;
#[cfg(feature = "full")]
mod way_back;
mod with;

use std::sync::Arc;

pub use builder::{DEFAULT_REJECT_LIMIT, RecordsBuilder};
pub use codes::{CodeList, Unlisted, UnlistedCodes};
pub use date_form::{DateForm, DayZero, DayZeroColumn};
pub use days::DateWritten;
pub use events::Role;
pub use extract::Extract;
pub use file_name::FilePattern;
pub use form::FileForm;
pub use from_database::FromDatabase;
pub use identities::Identities;
pub use identity_columns::IdentityColumns;
pub use kind::{Kind, KindByDates};
pub use link::LinkProbability;
pub use lookup::Lookup;
pub use mapping::{
    Coverage, Duplicates, EventColumns, HouseholdColumns, Known, PeopleColumns, Repeated, SourceMapping,
};
#[cfg(feature = "files")]
pub use memory::{MemoryLimit, MemorySize};
pub use options::{Decimal, Delimiter, Encoding, ReadOptions};
pub use pattern::CellPattern;
pub use profile::{ChangeIn, KindProfile, SourceChange, SourceProfile};
pub use pseudonyms::PseudonymKey;
pub use reject::{Intake, Reject, RejectReason, Remark, RemarkKind, summarise};
pub use roads::Road;
pub use selector::Selector;
pub use snapshot::{Event, HouseholdMember, RecordReference, Snapshot};
pub use source::DaysFound;
#[cfg(feature = "files")]
pub use store::RecordStore;
pub use tables::{ColumnRead, DateClass, FileRead, LinkCertainty, TableRead};
pub use unmatched::{IdMismatch, UnmatchedIds};

pub(crate) use builder::{EntityOf, check_limit, read_table};
pub(crate) use column::{Batch, Column};
pub(crate) use counted::{NameCounts, SourceCounts, first_of_month};
pub(crate) use date_form::DatesRead;
pub(crate) use days::{OrderFault, Plausible};
pub(crate) use dictionary::NONE;
pub(crate) use events::{EventTable, OPEN};
#[cfg(feature = "files")]
pub(crate) use files::walk::Walk;
pub(crate) use header::nearest;
pub(crate) use intake::Closed;
pub(crate) use kept::Rows;
#[cfg(feature = "schema")]
pub(crate) use mapping::OneOrMany;
pub(crate) use mapping::one_or_many;
pub(crate) use people::{Gone, People, Spell};
pub(crate) use selector::{MOST_NAMES, Selection, category_place};
pub(crate) use snapshot::open_on;
pub(crate) use source::Source;
#[cfg(feature = "files")]
pub(crate) use staged::{PEOPLE_TABLE, STAYS_TABLE, StagedAs};
#[cfg(feature = "files")]
pub(crate) use survey::{Facts, Joined, MOST_ROWS, Table, survey};

use crate::calendar::AsOf;
use crate::held::Held;
use people::Households;

/// Linked records of people, from any number of sources.
pub struct Records {
    people: People,
    households: Households,
    /// In the order of their names.
    sources: Vec<Arc<Source>>,
    intake: Vec<Intake>,
    rejects: Vec<Reject>,
    remarks: Vec<Remark>,
    tables: Vec<TableRead>,
    /// Codes of the lists of people and households that are not on their lists.
    unlisted: Vec<UnlistedCodes>,
    /// Pseudonyms, each with the id that it was made of; none unless they are to be kept.
    way_back: Vec<(String, Box<str>)>,
    /// By source; none without a store.
    roads: Vec<(String, Road)>,
    from_database: Option<FromDatabase>,
}

impl Records {
    /// Starts gathering extracts.
    #[must_use]
    pub fn builder<'p>() -> RecordsBuilder<'p> {
        RecordsBuilder::default()
    }

    /// What was known at a date: see [`Snapshot`].
    #[must_use]
    pub fn as_of(&self, as_of: AsOf) -> Snapshot<'_> {
        Snapshot::new(Held::Lent(self), as_of)
    }

    /// The same where the records are shared: what is made from the snapshot needs no other owner, and can be kept and handed
    /// to threads.
    ///
    /// # Examples
    /// ```
    /// use std::sync::Arc;
    /// use earlyhelp::records::{Records, Snapshot};
    ///
    /// fn today(records: Records, on: earlyhelp::calendar::AsOf) -> Snapshot<'static> {
    ///     Arc::new(records).as_of_shared(on)
    /// }
    /// ```
    #[must_use]
    pub fn as_of_shared(self: &Arc<Self>, as_of: AsOf) -> Snapshot<'static> {
        Snapshot::new(Held::Shared(Arc::clone(self)), as_of)
    }

    /// What became of each source's rows, in the order of the sources' names (`people` and `households`
    /// among them).
    #[must_use]
    pub fn intake(&self) -> &[Intake] {
        &self.intake
    }

    /// Every rejected row, by source, file and row.
    #[must_use]
    pub fn rejects(&self) -> &[Reject] {
        &self.rejects
    }

    /// What is remarkable about rows that were used all the same, by source.
    #[must_use]
    pub fn remarks(&self) -> &[Remark] {
        &self.remarks
    }

    /// The codes that are not on the lists given for their columns, by source.
    pub fn unlisted_codes(&self) -> impl Iterator<Item = &UnlistedCodes> {
        self.unlisted.iter().chain(self.sources.iter().flat_map(|source| &source.unlisted))
    }

    /// What was found in each table while it was read, in the order of [`Records::intake`].
    #[must_use]
    pub fn tables(&self) -> &[TableRead] {
        &self.tables
    }

    /// How each source came to be held, in the order of their names: read, or taken from the store. Empty without a store.
    #[must_use]
    pub fn roads(&self) -> &[(String, Road)] {
        &self.roads
    }

    /// The moment of the database that they were read from, and the queries; `None` where none were.
    #[must_use]
    pub fn from_database(&self) -> Option<&FromDatabase> {
        self.from_database.as_ref()
    }

    /// The same, which were read from a database, if they were.
    pub(crate) fn read_from(self, from_database: Option<FromDatabase>) -> Self {
        Self { from_database, ..self }
    }

    /// How many people are in a household at any time.
    pub(crate) fn housed(&self) -> usize {
        self.households.spells.chunk_by(|a, b| a.person == b.person).count()
    }

    /// How many people there are.
    #[must_use]
    pub fn people(&self) -> usize {
        self.people.len()
    }

    /// How many families there are: groups of people who ever shared a household, directly or through
    /// others.
    #[must_use]
    pub fn families(&self) -> usize {
        self.people.family.iter().enumerate().filter(|(person, family)| *person == **family as usize).count()
    }

    /// The names of the sources, sorted, each with what it covers and how many events it holds.
    pub fn sources(&self) -> impl Iterator<Item = (&str, &Coverage, usize)> {
        self.sources.iter().map(|source| (source.name.as_str(), &source.coverage, source.shape().rows))
    }

    /// The days that a source's records name, beside what [`Coverage`] declares; `None` where there is no such
    /// source, or no record in it.
    #[must_use]
    pub fn days_found(&self, source: &str) -> Option<DaysFound> {
        self.source(source).and_then(Source::days_found)
    }

    /// The kinds of event that a source holds, sorted.
    pub fn kinds(&self, source: &str) -> impl Iterator<Item = &str> {
        self.source(source).into_iter().flat_map(|source| source.kinds.iter().map(|kind| &**kind))
    }

    pub(crate) fn source(&self, name: &str) -> Option<&Source> {
        self.source_index(name).map(|index| &*self.sources[index])
    }

    pub(crate) fn source_index(&self, name: &str) -> Option<usize> {
        self.sources.binary_search_by(|source| source.name.as_str().cmp(name)).ok()
    }

    pub(crate) fn all_sources(&self) -> impl Iterator<Item = &Source> {
        self.sources.iter().map(|source| &**source)
    }

    pub(crate) fn source_at(&self, index: usize) -> &Source {
        &self.sources[index]
    }

    pub(crate) fn the_people(&self) -> &People {
        &self.people
    }

    pub(crate) fn household_ids(&self) -> &Arc<[Box<str>]> {
        &self.households.ids
    }

    /// Who belonged to which household, and when: known at a date or not.
    pub(crate) fn stays(&self) -> &[Spell] {
        &self.households.spells
    }

    /// For each household everybody who ever belonged to it, known at the time or not: for audits alone.
    pub(crate) fn ever_members(&self) -> Vec<Vec<u32>> {
        let mut members = vec![Vec::new(); self.households.ids.len()];
        for spell in &self.households.spells {
            members[spell.household as usize].push(spell.person);
        }
        members
    }

    pub(crate) fn person(&self, id: &str) -> Option<u32> {
        self.people.ids.binary_search_by(|held| (**held).cmp(id)).ok().map(|person| person as u32)
    }
}

crate::opaque_debug!(Records);
