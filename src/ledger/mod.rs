//! An append-only record of what was scored, by which model, on which data, for whom, who looked and what
//! they decided: so that an auditor can count it, verify it, and make every past score again.
//!
//! ```text
//! Scorer ─record_release→ │        │ ─verify→  Verification   (changed, removed, inserted, reordered?)
//! Scores, ReviewList ───→ │ Ledger │ ─replay→  Replay         (does every past score come out the same?)
//! Decision ─────────────→ │        │ ─account→ Account        (how many alerts, opened, overridden?)
//! DecisionFile ─submit──→ │        │ ─decisions→ RecordedDecision (what was decided, and why)
//!                                    ─subject_pack→ SubjectPack (all that is held about one person)
//! ```
//!
//! Each entry has *facts*, which stay for ever and name no family, and may have *content*: what is said of
//! one person. The chain of hashes holds a commitment to the content, so a purge can take it out, and the chain
//! still verifies. A ledger is one SQLite file (with the default feature `sqlite`), one file of JSON lines, or one PostgreSQL
//! database (with the feature `postgres`), for a team on several machines; each can be written by several processes at once and
//! is whole after a crash. [`Ledger::copy_from`] takes one over into another.
//!
//! Entries carry the day that the caller gives, and beside it that of a clock where one is given: the library has none.
//!
//! **What it proves.** A chain shows a change to whoever holds a hash from before it, and to nobody else: who can write the
//! file can write all of it anew. So checkpoints, and lists with their [witness](crate::review::Witness), are kept where
//! whoever keeps the ledger cannot write; see [`Ledger::verify`].

mod account;
mod asking;
mod chain;
mod checkpoint;
mod copying;
mod decisions;
mod earlier;
mod entry;
mod events;
mod groups;
mod handle;
mod kept;
mod lines;
mod listed;
mod lists;
mod person;
#[cfg(feature = "postgres")]
mod postgres;
mod record;
mod replay;
mod reviewing;
mod rules;
mod server;
mod shown;
#[cfg(feature = "sqlite")]
mod sqlite;
mod store;
mod tally;
mod verify;

pub use crate::error::LedgerError;
pub use account::{Account, ModelLine, RunLine};
pub use chain::{Head, PURGE};
pub use checkpoint::{Checkpoint, PublicKey, SigningKey};
pub use decisions::{Judged, RecordedDecision};
pub use entry::{Content, Draft, LedgerEntry};
pub use events::{EntryKind, RejectCount, RunFinished};
pub use groups::{GroupTallies, GroupTally};
pub use handle::Ledger;
pub use kept::CheckpointFolder;
pub use lists::{RecordedList, RecordedPlace};
pub use person::{AffectedCase, Correction, Erasure, Held, PastScore, Purged, ScoreAndRank, SubjectPack};
pub use record::RunStart;
pub use replay::{Differs, NotReplayed, Replay, ReplayOf};
pub use reviewing::RecordedCase;
pub use server::{POSTGRES_SCHEMA, holds_password, is_on_server};
pub use shown::{CaseView, ReasonView};
pub use store::{Filter, Store};
pub use tally::{Days, Tally};
pub use verify::{ChainFault, PurgeSeen, Tampering, Verification};
