//! The forms of a table that says whose id is whose.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::mapping::one_or_many;

/// The form and the columns of a table that says whose id is whose.
///
/// # Examples
/// ```
/// use earlyhelp::records::IdentityColumns;
///
/// let columns: IdentityColumns =
///     toml::from_str("form = \"wide\"\nperson = \"care_id\"\nsystems = { police = \"nominal\" }").unwrap();
/// assert!(matches!(columns, IdentityColumns::Wide { .. }));
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(tag = "form", rename_all = "snake_case", deny_unknown_fields)]
#[non_exhaustive]
pub enum IdentityColumns {
    /// A row for each id that a system gave: which system, which id, whose.
    Crosswalk {
        /// The column of the system's name, as `system` in a mapping names it.
        system: String,
        /// The system's own id: one column, or several joined by `/`.
        #[serde(with = "one_or_many")]
        #[cfg_attr(feature = "schema", schemars(with = "crate::records::OneOrMany<String>"))]
        local: Vec<String>,
        /// The person.
        person: String,
        /// The first day on which the id is that person's. Without the column, or where it is empty, there is no beginning.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        from: Option<String>,
        /// The first day on which it no longer is. Empty while it lasts.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        to: Option<String>,
        /// How sure the linkage is, 0 to 1.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        probability: Option<String>,
    },
    /// A row for each person, and a column of ids for each system.
    Wide {
        /// The person.
        person: String,
        /// For each system the column of its ids. An empty cell: the person has none there.
        systems: BTreeMap<String, String>,
        /// How sure the linkage is, 0 to 1.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        probability: Option<String>,
    },
    /// A row for each id that was merged into another. Rows without the other id, or with the same, say nothing.
    Merged {
        /// The id that is no longer used.
        old: String,
        /// The id that it was merged into, which may have been merged again.
        into: String,
        /// The day of it. A record under the old id is known to be the person's only from that day on.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        on: Option<String>,
        /// The system whose ids they are. Without it they are people's.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        system: Option<String>,
    },
    /// The clusters that Splink writes: the cluster is the person, the data set is the system.
    SplinkClusters {
        /// The cluster's id.
        #[serde(default = "cluster_id")]
        cluster: String,
        /// The record's id.
        #[serde(default = "unique_id")]
        id: String,
        /// The record's data set.
        #[serde(default = "source_dataset")]
        dataset: String,
        /// The one system there is, where only one was looked through for doubles: Splink then writes no data set.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        system: Option<String>,
    },
    /// The predictions for pairs that Splink writes, of which it made the clusters.
    SplinkPairs {
        /// How probable it is that the two are one person.
        #[serde(default = "match_probability")]
        probability: String,
        /// The record's id, without the ending `_l` or `_r`.
        #[serde(default = "unique_id")]
        id: String,
        /// The record's data set, without the ending `_l` or `_r`.
        #[serde(default = "source_dataset")]
        dataset: String,
        /// The one system there is, as for the clusters.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        system: Option<String>,
    },
}

impl IdentityColumns {
    /// The columns that are read.
    pub(crate) fn named(&self) -> Vec<&str> {
        fn of<'n>(names: &[Option<&'n String>]) -> Vec<&'n str> {
            names.iter().flatten().map(|name| name.as_str()).collect()
        }
        match self {
            Self::Crosswalk { system, local, person, from, to, probability } => {
                let mut named =
                    of(&[Some(system), Some(person), from.as_ref(), to.as_ref(), probability.as_ref()]);
                named.extend(local.iter().map(String::as_str));
                named
            }
            Self::Wide { person, systems, probability } => {
                let mut named = of(&[Some(person), probability.as_ref()]);
                named.extend(systems.values().map(String::as_str));
                named
            }
            Self::Merged { old, into, on, system: _ } => of(&[Some(old), Some(into), on.as_ref()]),
            Self::SplinkClusters { cluster, id, dataset, system } => {
                of(&[Some(cluster), Some(id), Some(dataset).filter(|_| system.is_none())])
            }
            Self::SplinkPairs { probability, id, dataset, system } => {
                of(&[Some(probability), Some(id), Some(dataset).filter(|_| system.is_none())])
            }
        }
    }

    /// Whether it says how sure it is that records are one person's.
    pub(crate) fn has_probabilities(&self) -> bool {
        match self {
            Self::Crosswalk { probability, .. } | Self::Wide { probability, .. } => probability.is_some(),
            Self::SplinkPairs { .. } => true,
            Self::Merged { .. } | Self::SplinkClusters { .. } => false,
        }
    }
}

fn cluster_id() -> String {
    "cluster_id".into()
}

fn unique_id() -> String {
    "unique_id".into()
}

fn source_dataset() -> String {
    "source_dataset".into()
}

fn match_probability() -> String {
    "match_probability".into()
}
