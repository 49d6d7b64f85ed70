//! Where a project's tables come from beside files: a program that hands them over, and a database, of which a reading sees one
//! moment.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use sha2::{Digest as _, Sha256};

use super::Project;
use super::source::TableFile;
use crate::error::{ProjectError, RecordsError};
use crate::ledger::{holds_password, is_on_server};
use crate::records::{Extract, FromDatabase, Identities};

#[cfg(feature = "postgres")]
use crate::database::{Moment, Query};

/// One reading of a project's tables: whose the ids are, and where the rows come from.
#[derive(Clone)]
pub(super) struct Reading {
    pub(super) identities: Arc<Identities>,
    pub(super) origins: Origins,
}

/// Tables that a program hands over, by their names.
pub(super) type Given = BTreeMap<String, Extract>;

/// Where the rows of tables come from.
#[derive(Clone, Default)]
pub(super) struct Origins {
    /// Each is read once.
    given: Arc<Mutex<Given>>,
    /// The moment of the database, where some table is queried.
    #[cfg(feature = "postgres")]
    moment: Option<Arc<Moment>>,
}

impl Origins {
    /// Takes the moment at which all queries of the project see the database, if it has any beside what is given.
    pub(super) fn begin(project: &Project, given: Given) -> Result<Self, ProjectError> {
        let asked = project.tables().filter(|(name, _)| !given.contains_key(name));
        let queries: Vec<&str> = asked.filter_map(|(_, table)| table.query).collect();
        let given = Arc::new(Mutex::new(given));
        let Some(address) = project.database.as_deref().filter(|_| !queries.is_empty()) else {
            return Ok(Self::of(given));
        };
        if cfg!(not(feature = "postgres")) {
            return Err(ProjectError::NoPostgres);
        }
        // It goes with somebody's login, whoever wrote the file. To the letter: as paths, addresses of two databases can be one.
        if !project.may_read.iter().any(|allowed| allowed.as_os_str() == address) {
            return Err(ProjectError::DatabaseNotAllowed);
        }
        Self::at(address, &queries, given)
    }

    #[cfg(feature = "postgres")]
    fn of(given: Arc<Mutex<Given>>) -> Self {
        Self { given, moment: None }
    }

    #[cfg(not(feature = "postgres"))]
    fn of(given: Arc<Mutex<Given>>) -> Self {
        Self { given }
    }

    #[cfg(feature = "postgres")]
    fn at(address: &str, queries: &[&str], given: Arc<Mutex<Given>>) -> Result<Self, ProjectError> {
        let moment = Moment::begin(address, queries.iter().copied()).map_err(ProjectError::Database)?;
        Ok(Self { given, moment: Some(Arc::new(moment)) })
    }

    #[cfg(not(feature = "postgres"))]
    fn at(_: &str, _: &[&str], _: Arc<Mutex<Given>>) -> Result<Self, ProjectError> {
        Err(ProjectError::NoPostgres)
    }

    /// Where a table's rows come from.
    #[cfg_attr(
        not(feature = "postgres"),
        allow(
            clippy::unnecessary_wraps,
            clippy::unused_self,
            reason = "with the feature it is asked, and can fail"
        )
    )]
    pub(super) fn rows(&self, extracts: &Path, table: &TableFile<'_>) -> Result<Extract, RecordsError> {
        let given = self.given.lock().unwrap_or_else(PoisonError::into_inner).remove(table.name);
        if let Some(extract) = given {
            return Ok(extract);
        }
        #[cfg(feature = "postgres")]
        if let (Some(moment), Some(query)) = (&self.moment, table.query) {
            let failed = |why: String| RecordsError::Query { extract: table.name.to_owned(), why };
            return Query::of(moment, query).map(Extract::query).map_err(failed);
        }
        Ok(Extract::paths(table.path.iter().map(|path| extracts.join(path))))
    }

    /// What is told of it with the records of a project.
    pub(super) fn told(&self, project: &Project) -> Option<FromDatabase> {
        let digest = |query: &str| hex::encode(Sha256::digest(query.as_bytes()));
        // Protected characteristics are no part of the records.
        let of_records = project.tables().filter(|(name, _)| name != "protected");
        let queries = of_records.filter_map(|(name, table)| Some((name, digest(table.query?)))).collect();
        Some(FromDatabase { snapshot: self.snapshot()?.to_owned(), queries })
    }

    #[cfg(feature = "postgres")]
    fn snapshot(&self) -> Option<&str> {
        self.moment.as_ref().map(|moment| moment.snapshot())
    }

    #[cfg(not(feature = "postgres"))]
    #[allow(clippy::unused_self, reason = "with the feature it is asked")]
    fn snapshot(&self) -> Option<&str> {
        None
    }
}

impl Project {
    /// All tables, each by its name; of the tables of identities, with their numbers.
    pub(super) fn tables(&self) -> impl Iterator<Item = (String, TableFile<'_>)> {
        let numbered = |(nth, file)| (format!("identities {}", nth + 1), TableFile::of("identities", file));
        let of_identities = self.identities.iter().enumerate().map(numbered);
        let people = self.people.iter().map(|file| TableFile::of("people", file));
        let households = self.households.iter().map(|file| TableFile::of("households", file));
        let protected = self.protected.iter().map(|file| TableFile::of("protected", file));
        let lists = people.chain(households).chain(protected);
        let others = lists.chain(self.sources.iter().map(TableFile::from));
        of_identities.chain(others.map(|table| (table.name.to_owned(), table)))
    }

    /// What a program hands over of the tables.
    pub(super) fn given(&self, mut give: impl FnMut(&str) -> Option<Extract>) -> Given {
        self.tables().filter_map(|(_, table)| Some((table.name.to_owned(), give(table.name)?))).collect()
    }

    /// Refuses a table that comes from nowhere or from two places, and a database that cannot be one.
    pub(super) fn check_queries(&self) -> Result<(), ProjectError> {
        let wrong = |key: &'static str, why: &str| ProjectError::Range { key, why: why.to_owned() };
        for (name, table) in self.tables() {
            let why = match (table.path, table.query) {
                ([], None) => "needs `path` (its files) or `query` (of the project's `database`)",
                ([_, ..], Some(_)) => "has both `path` and `query`; leave one of them out",
                (_, Some(query)) if query.trim().is_empty() => "has an empty `query`; write one SELECT",
                (_, Some(_)) if self.database.is_none() => {
                    "has a `query`, and the project names no `database`; write database = \"postgresql://HOST/DATABASE\""
                }
                _ => continue,
            };
            return Err(wrong("query", &format!("{name} {why}")));
        }
        let Some(address) = self.database.as_deref() else { return Ok(()) };
        if holds_password(address) {
            let why = "a password has no place in a file; take it out, and put it into PGPASSWORD, PGPASSFILE or ~/.pgpass";
            return Err(wrong("database", why));
        }
        if !is_on_server(Path::new(address)) {
            return Err(wrong("database", "it is no address; write it as postgresql://HOST/DATABASE"));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    #[cfg(not(feature = "postgres"))]
    #[test]
    fn a_project_with_a_query_is_loaded_and_its_reading_names_the_feature_that_is_missing() {
        use super::{Project, ProjectError};
        use crate::error::Error;
        use crate::synthetic::{CouncilParams, Format};

        let text = CouncilParams::new(1_000, 1).generate().unwrap().project_toml(Format::Csv);
        let query = text.replace("path = \"sen.csv\"", "query = \"SELECT 1\"");
        assert!(Project::from_toml(&query, ".").unwrap_err().to_string().contains("names no `database`"));
        let project = Project::from_toml(&format!("database = \"postgresql://h/d\"\n{query}"), ".").unwrap();
        let told = project.may_read("postgresql://h/d").records().unwrap_err();
        assert!(matches!(told, Error::Project(ProjectError::NoPostgres)));
        assert!(told.to_string().contains("feature `postgres`"), "{told}");
    }
}
