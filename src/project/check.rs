//! A project's extracts as they are, before anything is made of them.

use super::Project;
use crate::error::{Error, ReportError};
use crate::fairness::Protected;
use crate::records::{Records, Reject, check_limit};

/// A project's extracts as they were read, whatever share of their rows was rejected: see [`Project::check`].
#[derive(Debug)]
pub struct Checked<'p> {
    project: &'p Project,
    records: Records,
    protected: Protected,
}

impl Project {
    /// Reads all extracts to see what is in them. Too many rejected rows are no error here, since somebody has
    /// to see them; [`Checked::verdict`] says whether a model can be trained on what was accepted.
    ///
    /// # Errors
    /// [`Error::Records`] where a file cannot be used at all.
    ///
    /// # Examples
    /// ```
    /// use earlyhelp::project::Project;
    /// use earlyhelp::synthetic::{CouncilParams, Format};
    ///
    /// let council = CouncilParams::new(1_000, 1).generate()?;
    /// let folder = std::env::temp_dir().join("earlyhelp-project-check");
    /// let project = Project::load(council.write(&folder, Format::Csv)?)?;
    ///
    /// let checked = project.check()?;
    /// assert_eq!(checked.rejects_csv()?.lines().count(), 1 + checked.rejects().count());
    /// checked.verdict()?;
    /// # Ok::<(), earlyhelp::Error>(())
    /// ```
    pub fn check(&self) -> Result<Checked<'_>, Error> {
        let (records, protected) = (self.read(1.0)?, self.protected()?);
        Ok(Checked { project: self, records, protected })
    }
}

impl Checked<'_> {
    /// The records that were accepted.
    #[must_use]
    pub fn records(&self) -> &Records {
        &self.records
    }

    /// The protected characteristics that were accepted.
    #[must_use]
    pub fn protected(&self) -> &Protected {
        &self.protected
    }

    /// Every rejected row.
    pub fn rejects(&self) -> impl Iterator<Item = &Reject> {
        self.records.rejects().iter().chain(self.protected.rejects())
    }

    /// Every rejected row as CSV: source, file, row, column and reason, and never a value.
    ///
    /// # Errors
    /// [`ReportError::Render`] where it cannot be written.
    pub fn rejects_csv(&self) -> Result<String, ReportError> {
        let failed = |error: &dyn std::error::Error| ReportError::Render(error.to_string());
        let mut writer = csv::Writer::from_writer(Vec::new());
        let mut write = |line: [&str; 5]| writer.write_record(line).map_err(|error| failed(&error));
        write(["source", "file", "row", "column", "reason"])?;
        for reject in self.rejects() {
            let (file, column) = (reject.file.as_deref(), reject.column.as_deref());
            write([
                &reject.source,
                file.unwrap_or_default(),
                &reject.row.to_string(),
                column.unwrap_or_default(),
                reject.reason.code(),
            ])?;
        }
        let bytes = writer.into_inner().map_err(|error| failed(&error))?;
        String::from_utf8(bytes).map_err(|error| failed(&error))
    }

    /// Whether a model can be trained on this: features and cohorts fit the records, and no source has more
    /// rejected rows than the project allows.
    ///
    /// # Errors
    /// [`Error::Spec`] where a feature or a cohort does not fit the records; [`Error::Records`] where too many rows
    /// were rejected.
    pub fn verdict(&self) -> Result<(), Error> {
        self.project.features()?.check(&self.records)?;
        for &as_of in &self.project.training.as_of {
            self.project.cohort(&self.records, as_of)?;
        }
        let (intake, rejects) = (self.records.intake(), self.records.rejects());
        Ok(check_limit(intake, rejects, self.project.reject_limit)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::RecordsError;

    /// Four rows of contacts, of which two have no date, and one has no person.
    fn project(name: &str) -> Project {
        let folder = std::env::temp_dir().join(format!("earlyhelp-checked-{name}-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let rows = "who,on\na,2021-05-01\na,\n,2021-06-01\nb,soon\n";
        std::fs::write(folder.join("contacts.csv"), rows).unwrap();
        let text = r#"
name = "Small"
purpose = "A test"

[[source]]
name = "contacts"
path = "contacts.csv"
columns = { entity = "who", kind = { constant = "contact" }, occurred = "on" }
coverage = { to = "2023-01-01" }

[[feature]]
source = "contacts"
measure = "count"
over = ["365 days"]

[outcome]
name = "again"
words = "Another contact"
horizon = "6 months"
records = [{ source = "contacts" }]

[training]
as_of = ["2022-01-01"]
capacity = { cases = 1 }
"#;
        Project::from_toml(text, folder).unwrap()
    }

    #[test]
    fn rejects_are_shown_and_are_an_error_only_at_the_end() {
        let project = project("rejects");
        assert!(matches!(project.records(), Err(Error::Records(RecordsError::TooManyRejects { .. }))));
        let checked = project.check().unwrap();
        assert_eq!(checked.records().people(), 1);
        let csv = checked.rejects_csv().unwrap();
        let rows: Vec<Vec<&str>> = csv.lines().skip(1).map(|line| line.split(',').collect()).collect();
        assert_eq!(rows.iter().map(|row| row[2]).collect::<Vec<_>>(), ["3", "4", "5"]);
        assert!(rows.iter().all(|row| row[0] == "contacts") && !csv.contains("soon"));
        let Err(Error::Records(RecordsError::TooManyRejects { rejected, read, .. })) = checked.verdict()
        else {
            panic!("three of four rows are rejected");
        };
        assert_eq!((rejected, read), (3, 4));

        let lenient = Project { reject_limit: 0.75, ..project };
        lenient.check().unwrap().verdict().unwrap();
    }
}
