//! What is told of a database that records were read from.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// That records were read from a database, at which moment of it, and by which queries.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct FromDatabase {
    /// The moment as the server writes it (`pg_current_snapshot()`): which transactions were over by then. All queries saw the
    /// database as it stood then.
    pub snapshot: String,
    /// SHA-256 of the text of each query, by source; `people`, `households` and `identities 1` (and on) count as sources.
    pub queries: BTreeMap<String, String>,
}
