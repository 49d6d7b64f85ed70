//! Reading a project's tables: records, protected characteristics, and the way back from pseudonyms.

use std::panic::resume_unwind;
use std::path::Path;
use std::sync::Arc;
use std::thread;

use super::queries::{Given, Origins, Reading};
use super::source::TableFile;
use super::{FileOf, Project};
use crate::cohort::Unit;
use crate::error::{Error, RecordsError};
use crate::fairness::Protected;
use crate::records::{
    Extract, Identities, IdentityColumns, RecordStore, Records, RecordsBuilder, SourceMapping,
};

/// The table of protected characteristics, which are read apart from records.
const PROTECTED: &str = "protected";

impl Project {
    /// Reads and validates all extracts.
    ///
    /// # Errors
    /// [`Error::Records`] where an extract cannot be used, or more of its rows are rejected than the project
    /// allows: [`Project::check`] shows which. [`ProjectError::Outside`](crate::error::ProjectError::Outside) where a file lies where the project may not read
    /// ([`Project::may_read`]).
    pub fn records(&self) -> Result<Records, Error> {
        self.read(self.reject_limit)
    }

    /// The same with tables that a program hands over, in place of their files: `give` is asked for each by its name (`people`,
    /// `households`, `identities`, or a source's), and what it gives is read as the file would be. So a project file says what
    /// records mean wherever they are.
    ///
    /// # Errors
    /// As [`Project::records`].
    ///
    /// # Examples
    /// ```
    /// use earlyhelp::project::Project;
    /// use earlyhelp::records::{Extract, Records};
    /// use polars::prelude::DataFrame;
    ///
    /// fn records(project: &Project, mut held: std::collections::HashMap<String, DataFrame>) -> earlyhelp::Result<Records> {
    ///     project.records_from(|table| held.remove(table).map(Extract::frame))
    /// }
    /// ```
    pub fn records_from(&self, mut give: impl FnMut(&str) -> Option<Extract>) -> Result<Records, Error> {
        let give = |name: &str| if name == PROTECTED { None } else { give(name) };
        self.read_by(&self.begin(self.given(give), |identities| identities)?, self.reject_limit)
    }

    /// Both [`Project::records`] and [`Project::protected`], read at the same time unless memory is limited.
    ///
    /// # Errors
    /// As for each.
    pub fn records_and_protected(&self) -> Result<(Records, Protected), Error> {
        self.read_both(Given::new(), self.reject_limit)
    }

    /// The same with tables that a program hands over, `protected` among them, as by [`Project::records_from`].
    ///
    /// # Errors
    /// As for [`Project::records`] and [`Project::protected`].
    pub fn records_and_protected_from(
        &self,
        give: impl FnMut(&str) -> Option<Extract>,
    ) -> Result<(Records, Protected), Error> {
        self.read_both(self.given(give), self.reject_limit)
    }

    pub(super) fn read_both(&self, given: Given, reject_limit: f64) -> Result<(Records, Protected), Error> {
        let reading = self.begin(given, |identities| identities)?;
        let protected = || self.protected_by(&reading);
        if self.memory.is_some() {
            return Ok((self.read_by(&reading, reject_limit)?, protected()?));
        }
        thread::scope(|scope| {
            let protected = scope.spawn(protected);
            let records = self.read_by(&reading, reject_limit)?;
            Ok((records, protected.join().unwrap_or_else(|panic| resume_unwind(panic))?))
        })
    }

    pub(super) fn read(&self, reject_limit: f64) -> Result<Records, Error> {
        self.read_by(&self.begin(Given::new(), |identities| identities)?, reject_limit)
    }

    /// Whose the ids are, and the key: read once a run, since a register of merges may be the largest table of all. All reading
    /// begins here, and so no file is opened before all are known to lie where the project may read, and all queries see a database
    /// as it stood at one moment.
    pub(super) fn begin(
        &self,
        given: Given,
        how: impl FnOnce(Identities) -> Identities,
    ) -> Result<Reading, Error> {
        self.stays_inside()?;
        let origins = Origins::begin(self, given)?;
        let table = |file: &FileOf<IdentityColumns>| {
            Ok((file.columns.clone(), self.extract(&origins, &TableFile::of("identities", file))?))
        };
        let tables = self.identities.iter().map(table).collect::<Result<Vec<_>, RecordsError>>()?;
        let identities = how(Identities::read(tables)?);
        let identities = match &self.pseudonyms {
            None => identities,
            Some(by) => identities.pseudonyms(by.key(&self.folder)?),
        };
        Ok(Reading { identities: Arc::new(identities), origins })
    }

    pub(super) fn read_by(&self, reading: &Reading, reject_limit: f64) -> Result<Records, Error> {
        let progress = |source: &str, rows: u64| self.watch.rows(source, rows);
        let mut builder = self.who(reading)?.reject_limit(reject_limit).progress(progress);
        for source in &self.sources {
            let mapping = SourceMapping {
                name: source.name.clone(),
                columns: source.columns.clone(),
                coverage: source.coverage.clone(),
            };
            builder = builder.source(mapping, self.extract(&reading.origins, &source.into())?);
        }
        let records = builder.build()?.read_from(reading.origins.told(self));
        self.watch.roads(records.roads());
        Ok(records)
    }

    /// People and households, and no source yet.
    fn who<'p>(&self, reading: &Reading) -> Result<RecordsBuilder<'p>, RecordsError> {
        let mut builder = Records::builder().identities(Arc::clone(&reading.identities));
        if let Some(day) = self.read_on {
            builder = builder.read_on(day);
        }
        if let Some(limit) = &self.memory {
            builder = builder.memory(limit.clone());
        }
        if let Some(folder) = &self.store {
            builder = builder.store(RecordStore::open(folder)?);
        }
        if let Some(people) = &self.people {
            let extract = self.extract(&reading.origins, &TableFile::of("people", people))?;
            builder = builder.people(people.columns.clone(), extract);
        }
        if let Some(households) = &self.households {
            let extract = self.extract(&reading.origins, &TableFile::of("households", households))?;
            builder = builder.households(households.columns.clone(), extract);
        }
        Ok(builder)
    }

    /// Reads all extracts again, and writes each pseudonym with the id that it was made of to a new file that its owner alone
    /// can read: see [`Records::write_way_back`].
    ///
    /// # Errors
    /// As [`Project::check`], and [`Error::Records`] where the project makes no pseudonyms or the file is there already.
    pub fn write_way_back(&self, path: impl AsRef<Path>) -> Result<(), Error> {
        let records = self.read_by(&self.begin(Given::new(), Identities::keep_way_back)?, 1.0)?;
        Ok(records.write_way_back(path.as_ref())?)
    }

    /// Reads the protected characteristics, for audit alone.
    ///
    /// # Errors
    /// [`Error::Records`] where the file cannot be used.
    pub fn protected(&self) -> Result<Protected, Error> {
        // Without a file of characteristics nothing is read.
        if self.protected.is_none() {
            return Ok(Protected::none(Vec::new()));
        }
        self.protected_by(&self.begin(Given::new(), |identities| identities)?)
    }

    pub(super) fn protected_by(&self, reading: &Reading) -> Result<Protected, Error> {
        let Some(file) = &self.protected else { return Ok(Protected::none(Vec::new())) };
        let unit = file.columns.of_family.map_or(self.cohort.unit, |_| Unit::Person);
        let extract = self.extract(&reading.origins, &TableFile::of(PROTECTED, file))?;
        let protected = Protected::read_of(&file.columns, extract, &reading.identities, unit)?;
        Ok(match file.columns.of_family {
            None => protected,
            Some(rule) => protected.of_families(&self.who(reading)?.build()?, rule),
        })
    }

    /// The folder that paths of extracts are relative to.
    pub(super) fn extracts(&self) -> &Path {
        self.extracts.as_ref().unwrap_or(&self.folder)
    }

    /// A table's extract, with the codes and the look-up tables that it needs.
    pub(super) fn extract(&self, origins: &Origins, file: &TableFile<'_>) -> Result<Extract, RecordsError> {
        let mut extract = origins.rows(self.extracts(), file)?.options(file.read.clone());
        for join in file.join {
            extract = extract.join(join.read(&self.folder, self.extracts())?);
        }
        for (column, codes) in file.codes {
            extract = extract.codes(column, codes.read(&self.folder)?);
        }
        Ok(extract)
    }
}
