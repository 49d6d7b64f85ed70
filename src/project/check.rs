//! A project's extracts as they are, before anything is made of them.

use super::queries::Given;
use super::{Project, doubts};
use crate::calendar::AsOf;
use crate::error::{Error, RecordsError, ReportError, SpecError};
use crate::fairness::Protected;
use crate::outcome::Label;
use crate::outputs::cell;
use crate::records::{Intake, Records, Reject, check_limit};

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
    /// [`Error::Records`] where a file cannot be used at all; [`Project::reading_faults`] says of all files what is wrong.
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
        let (records, protected) = self.read_both(Given::new(), 1.0)?;
        Ok(Checked { project: self, records, protected })
    }
}

impl Project {
    /// Every fault for which an extract cannot be used at all, each table read by itself: [`Project::check`] fails with
    /// the first of them. None where all can be read.
    #[must_use]
    pub fn reading_faults(&self) -> Vec<Error> {
        let reading = match self.begin(Given::new(), |identities| identities) {
            Ok(reading) => reading,
            Err(fault) => return vec![fault],
        };
        // Read apart, sources are not what a run holds of them: nothing of it is to be kept, nor taken for it.
        let alone = |project: Self| Self { store: None, ..project }.read_by(&reading, 1.0).err();
        let without_sources = Self { sources: Vec::new(), ..self.clone() };
        let people = Self { households: None, ..without_sources.clone() };
        let households = Self { people: None, ..without_sources };
        let mut faults: Vec<Error> = Vec::new();
        faults.extend(people.people.is_some().then(|| alone(people)).flatten());
        faults.extend(households.households.is_some().then(|| alone(households)).flatten());
        faults.extend(self.protected_by(&reading).err());
        for source in &self.sources {
            // Without a list of people, so that the source's own faults are found whatever is wrong with the list.
            let sources = vec![source.clone()];
            faults.extend(alone(Self { sources, people: None, households: None, ..self.clone() }));
        }
        // A table without rows is no fault by itself, but that nobody is in any.
        let is_empty = |fault: &Error| matches!(fault, Error::Records(RecordsError::Empty));
        faults.retain(|fault| !is_empty(fault));
        if faults.is_empty() {
            faults.extend(self.read_by(&reading, 1.0).err());
        }
        let mut told = std::collections::BTreeSet::new();
        faults.retain(|fault| told.insert(fault.to_string()));
        faults
    }
}

impl Checked<'_> {
    pub(super) fn project(&self) -> &Project {
        self.project
    }

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

    /// The columns in which rejected rows are told.
    pub(crate) const REJECT_COLUMNS: [&'static str; 6] =
        ["source", "file", "row", "column", "reason", "pattern"];

    /// Every rejected row as CSV: source, file, row, column, reason, and what the cell looks like
    /// ([`CellPattern`](crate::records::CellPattern)); never a value. What a spreadsheet would run is made text
    /// ([`cell`](crate::outputs::cell)).
    ///
    /// # Errors
    /// [`ReportError::Render`] where it cannot be written.
    pub fn rejects_csv(&self) -> Result<String, ReportError> {
        let failed = |error: &dyn std::error::Error| ReportError::Render(error.to_string());
        let mut writer = csv::Writer::from_writer(Vec::new());
        let mut write = |line: [&str; 6]| writer.write_record(line).map_err(|error| failed(&error));
        write(Self::REJECT_COLUMNS)?;
        for reject in self.rejects() {
            let (file, column) = (reject.file.as_deref(), reject.column.as_deref());
            write([
                &cell(&reject.source),
                &cell(file.unwrap_or_default()),
                &reject.row.to_string(),
                &cell(column.unwrap_or_default()),
                reject.reason.code(),
                &cell(&reject.pattern.as_ref().map(ToString::to_string).unwrap_or_default()),
            ])?;
        }
        let bytes = writer.into_inner().map_err(|error| failed(&error))?;
        String::from_utf8(bytes).map_err(|error| failed(&error))
    }

    /// Whether a model can be trained on this: features, cohorts and outcome fit the records, and no source has
    /// more rejected rows than the project allows.
    ///
    /// # Errors
    /// The first of [`Checked::faults`].
    pub fn verdict(&self) -> Result<(), Error> {
        self.faults().into_iter().next().map_or(Ok(()), Err)
    }

    /// Everything for which training, an audit or monitoring would refuse these records, in one go: whoever mends a
    /// project wants to see all of it, and not the next fault after each run.
    #[must_use]
    pub fn faults(&self) -> Vec<Error> {
        let (project, records) = (self.project, &self.records);
        let mut faults: Vec<Error> = Vec::new();
        let (rejects, limit) = (records.rejects(), project.reject_limit);
        let over = |of_source: &Intake| check_limit(std::slice::from_ref(of_source), rejects, limit).err();
        faults.extend(records.intake().iter().filter_map(over).map(Error::from));
        match project.features() {
            Ok(features) => faults.extend(features.faults(records).into_iter().map(Error::from)),
            Err(fault) => faults.push(fault.into()),
        }
        let chosen = project.cohort.faults(records).into_iter().chain(project.outcome.faults(records));
        let chosen = chosen.chain(project.help_faults(records)).chain(project.known_faults(records));
        faults.extend(chosen.map(Error::from));
        self.date_faults(&mut faults);
        match project.backtest_plan() {
            Ok(plan) => {
                faults.extend(plan.check(project.outcome.horizon, &project.cohort).err().map(Error::from));
                let tested: Vec<AsOf> = plan.splits.iter().map(|split| split.test).collect();
                faults.extend(project.label_sources(records, &tested).err());
            }
            Err(fault) => faults.push(fault),
        }
        if faults.is_empty() && project.training.mitigation.is_some() {
            faults.extend(project.training_data(records, &self.protected).err());
        }
        let mut told = std::collections::BTreeSet::new();
        faults.retain(|fault| told.insert(fault.to_string()));
        faults
    }

    /// What is wrong with the training dates: cohorts, outcomes and the length of the lists.
    fn date_faults(&self, faults: &mut Vec<Error>) {
        let (project, before) = (self.project, faults.len());
        let mut outcomes = [0_u64; 2];
        let (mut is_audited, mut unknown) = (false, None);
        for &as_of in &project.training.as_of {
            let cohort = match project.cohort(&self.records, as_of) {
                Ok(cohort) => cohort,
                Err(fault) => {
                    faults.push(fault);
                    continue;
                }
            };
            match self.protected.check_knows(cohort.ids()) {
                Ok(()) => is_audited = true,
                Err(fault) => unknown = Some(fault),
            }
            let of = format!("the cohort at {as_of}");
            faults.extend(project.training.capacity.check_within(cohort.len(), &of).err().map(Error::from));
            match project.outcome.labels(&cohort) {
                Ok(labels) => labels
                    .into_iter()
                    .filter_map(Label::outcome)
                    .for_each(|outcome| outcomes[usize::from(outcome)] += 1),
                Err(fault) => faults.push(fault.into()),
            }
        }
        faults.extend(unknown.filter(|_| !is_audited).map(Error::from));
        if faults.len() == before && outcomes.contains(&0) {
            let all = if outcomes[1] == 0 { "nobody has" } else { "everybody has" };
            let why = format!("{all} it at any of the training dates, so there is nothing to learn");
            faults.push(SpecError::Invalid { of: format!("outcome {}", project.outcome.name), why }.into());
        }
    }

    /// What the project declares and the records do not bear out, or what it leaves unsaid: each a sentence, for training
    /// and for a list as of a date. None of it stops a run, since only the council knows which of the two is right.
    #[must_use]
    pub fn warnings(&self, as_of: AsOf) -> Vec<String> {
        let last = self.project.training.as_of.iter().copied().max();
        let until = last.map_or(as_of, |last| last.max(as_of));
        let mut warnings = doubts::of_training(self.project, &self.records, until);
        warnings.extend(self.protected.unlisted_codes().iter().map(ToString::to_string));
        warnings.extend(self.protected.table().into_iter().flat_map(doubts::unmatched));
        warnings.extend(doubts::stale(&self.records, as_of));
        warnings
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Six rows of contacts, of which two have no date, and one has no person.
    fn project(name: &str) -> Project {
        let folder = std::env::temp_dir().join(format!("earlyhelp-checked-{name}-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let rows = "who,on\na,2021-05-01\na,\n,2021-06-01\nb,soon\nc,2021-05-02\nc,2021-06-01\n";
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
as_of = ["2021-05-15", "2022-01-01"]
capacity = { cases = 1 }
"#;
        Project::from_toml(text, folder).unwrap()
    }

    #[test]
    fn rejects_are_shown_and_are_an_error_only_at_the_end() {
        let project = project("rejects");
        assert!(matches!(project.records(), Err(Error::Records(RecordsError::TooManyRejects { .. }))));
        let checked = project.check().unwrap();
        assert_eq!(checked.records().people(), 2);
        let csv = checked.rejects_csv().unwrap();
        let rows: Vec<Vec<&str>> = csv.lines().skip(1).map(|line| line.split(',').collect()).collect();
        assert_eq!(rows.iter().map(|row| row[2]).collect::<Vec<_>>(), ["3", "4", "5"]);
        assert!(rows.iter().all(|row| row[0] == "contacts") && !csv.contains("soon"));
        let Err(Error::Records(RecordsError::TooManyRejects { rejected, read, .. })) = checked.verdict()
        else {
            panic!("three of six rows are rejected");
        };
        assert_eq!((rejected, read), (3, 6));

        let lenient = Project { reject_limit: 0.75, ..project };
        lenient.check().unwrap().verdict().unwrap();
    }

    #[test]
    fn all_faults_are_told_at_once() {
        let project = project("faults");
        let text = toml::to_string(&project).unwrap();
        let again = |from: &str, to: &str, text: &str| {
            assert!(text.contains(from), "{from} in {text}");
            text.replacen(from, to, 1)
        };
        // A misspelt kind in a feature and in the outcome, a horizon beyond the records, a list of everybody.
        let text = again("measure = \"count\"", "measure = \"count\"\nkinds = [\"Contact\"]", &text);
        let text = again(
            "[outcome]",
            "[outcome]\nfollow_up = { during = { source = \"contacts\", kinds = [\"c\"] } }",
            &text,
        );
        let text = again("to = \"2023-01-01\"", "to = \"2022-03-01\"", &text);
        let text = again("cases = 1", "cases = 900", &text);
        let wrong = Project::from_toml(&text, project.folder.clone()).unwrap();
        let checked = wrong.check().unwrap();
        let told: Vec<String> = checked.faults().iter().map(ToString::to_string).collect();
        for part in [
            "rejected",
            "did you mean \"contact\"",
            "kind \"c\"",
            "2022-03-01",
            "900 cases are more than the 2",
        ] {
            assert!(told.iter().any(|fault| fault.contains(part)), "{part}: {told:?}");
        }
        assert!(matches!(wrong.records().map(|records| wrong.dataset(&records)), Err(Error::Records(_))));
        let lenient = Project { reject_limit: 0.75, ..wrong };
        let records = lenient.records().unwrap();
        let Err(refused) = lenient.dataset(&records) else {
            panic!("a model was trained on a misspelt kind")
        };
        assert!(matches!(refused, Error::Spec(SpecError::NoValue { .. })), "{refused}");
    }

    #[test]
    fn amounts_that_are_all_blank_are_told() {
        let blank = project("blank");
        let text = toml::to_string(&blank).unwrap();
        let text = text.replacen("\"count\"", "\"sum\"", 1);
        let text = text.replacen("occurred = \"on\"", "occurred = \"on\"\nvalue = \"owed\"", 1);
        let told = |owed: [&str; 2]| {
            let rows = format!("who,on,owed\na,2021-05-01,{}\nc,2021-05-02,{}\n", owed[0], owed[1]);
            std::fs::write(blank.folder.join("contacts.csv"), rows).unwrap();
            let project = Project::from_toml(&text, blank.folder.clone()).unwrap();
            let checked = project.check().unwrap();
            let scored = project.scoring_warnings(checked.records(), "2022-03-01".parse().unwrap());
            [checked.warnings("2022-03-01".parse().unwrap()), scored].map(|warnings| {
                warnings.iter().any(|warning| {
                    warning.contains("of the 2 records that it reads")
                        && warning.contains("none has an amount")
                })
            })
        };
        assert_eq!(told(["", ""]), [true; 2]);
        assert_eq!(told(["", "12.50"]), [false; 2]);
    }

    #[test]
    fn training_is_warned_as_a_check_is() {
        let project = project("doubts");
        let checked = project.check().unwrap();
        let told = project.training_warnings(checked.records());
        assert!(told.iter().any(|warning| warning.contains("reads 365 days")), "{told:?}");
        let of_check = checked.warnings("2022-03-01".parse().unwrap());
        assert!(told.iter().all(|warning| of_check.contains(warning)), "{told:?} {of_check:?}");
        let late = "2030-01-01".parse().unwrap();
        for told in [checked.warnings(late), project.scoring_warnings(checked.records(), late)] {
            assert!(told.iter().any(|warning| warning.contains("contacts ends 2,556 days")), "{told:?}");
        }
        let told = project.scoring_warnings(checked.records(), late);
        assert!(
            told.iter().any(|warning| warning.contains("not covered for anybody at 2030-01-01")),
            "{told:?}"
        );
    }
}
