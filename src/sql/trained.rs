//! Training data of the tables that an engine made: features and outcomes of each training date.

use std::path::Path;

use super::scored::{FEATURES, Rows, refused};
use super::tables::fault;
use super::{Dialect, TableFolder, Texts};
use crate::cohort::{Cohort, Unit};
use crate::dataset::Dataset;
use crate::error::{Error, SqlError};
use crate::features::FeatureMatrix;
use crate::outcome::Label;
use crate::project::{Project, SourceFile};
use crate::records::{Records, STAYS_TABLE};

const OUTCOMES: &str = "eh_outcomes";

/// Training data of a project whose features and outcomes an engine computed: `made` has a folder for each training date, called by
/// it (`2024-04-01`), with what the texts of that date made. `records` need to hold no source: people and households
/// ([`staged_people`]) say who is of one family.
///
/// # Errors
/// [`SqlError`] where a date's tables are not there, are of another date, or do not hold the same cases; [`Error::Dataset`] where no
/// case has a known outcome.
pub fn training_data(project: &Project, made: &Path, records: &Records) -> Result<Dataset, Error> {
    let spec = project.features()?;
    let (mut dates, mut tables) = (Vec::new(), Vec::new());
    for &as_of in &project.training.as_of {
        // The names of columns are the same in each dialect.
        let texts = Texts::of_project(project, &spec, (as_of, Dialect::DuckDb))?;
        let texts = texts.with_outcome(&project.outcome)?;
        let folder = TableFolder::new(made.join(as_of.to_string()));
        let (date, digests) = texts.of_date(&folder, records)?;
        dates.push(date);
        tables.extend(digests.map(|(table, digest)| (table, as_of, hex::encode(digest))));
    }
    let sources = spec.features().iter().map(|feature| feature.records.source.as_str());
    let is_read = |name: &str| sources.clone().any(|source| source == name);
    let read = project.sources.iter().filter(|source| is_read(&source.name));
    let mut columns: Vec<String> =
        read.flat_map(|source| source.columns.readable().map(str::to_owned)).collect();
    columns.sort_unstable();
    columns.dedup();
    Dataset::of_tables((&spec, &project.outcome), (columns, tables), dates)
}

/// People and households of the staged tables of a project, and, where the project says who is known to a service already, the
/// sources that this and the cohort's rules read: what
/// [`training_data`] needs of records.
///
/// # Errors
/// [`SqlError`] where a table is not there or cannot be read.
pub fn staged_people(project: &Project, staged: &TableFolder) -> Result<Records, Error> {
    let spec = project.features()?;
    let no_date = || refused("the project names no training date");
    let as_of = *project.training.as_of.first().ok_or_else(no_date)?;
    let texts = Texts::of_project(project, &spec, (as_of, Dialect::DuckDb))?;
    let known = project.known_to.iter().flat_map(|known| &known.records);
    // Whom they know is asked of the cohort, whose rules read sources as well.
    let rules =
        project.cohort.selectors().map(|(selector, _)| selector).filter(|_| !project.known_to.is_empty());
    let wanted: Vec<&str> = known.chain(rules).map(|selector| &*selector.source).collect();
    let rosters = |source: &str| {
        let of = |file: &&SourceFile| {
            wanted.contains(&&*file.name) && file.coverage.roster.as_deref() == Some(source)
        };
        project.sources.iter().any(|file| of(&file))
    };
    let records = texts.staged_of(staged, |source| wanted.contains(&source) || rosters(source))?;
    if project.households.is_some() && records.housed() == 0 {
        let why = "the project has households, and the table has nobody: relatives would be trained and tested on at once";
        return Err(fault(STAYS_TABLE, why).into());
    }
    Ok(records)
}

/// Cohort, features and labels of a date.
type OfDate<'r> = (Cohort<'r>, FeatureMatrix, Vec<Label>);

/// The two tables that these were read from, with their digests.
type Digests = [(&'static str, [u8; 32]); 2];

impl Texts<'_> {
    /// Cohort, features and labels of the date, and the digests of their tables.
    fn of_date<'r>(
        &self,
        made: &TableFolder,
        records: &'r Records,
    ) -> Result<(OfDate<'r>, Digests), SqlError> {
        let features = Rows::read(FEATURES, made)?;
        let snapshot = records.as_of(self.as_of);
        let cohort = self.cohort.chosen_elsewhere(&snapshot, features.entities()?.into_iter());
        let cohort = cohort.ok_or_else(|| {
            let of = match self.cohort.unit {
                Unit::Person => "people",
                Unit::Family => "households",
            };
            refused(format!(
                "{FEATURES} of {} holds cases twice, or such as are not among the {of} of the date",
                self.as_of
            ))
        })?;
        let (features, outcomes) = {
            let places = cohort.ids().zip(0..).collect();
            (features.placed(&places)?, Rows::read(OUTCOMES, made)?.placed(&places)?)
        };
        let date = self.as_of.to_string();
        if outcomes.texts("as_of")?.iter().any(|found| found.as_deref() != Some(&*date)) {
            return Err(refused(format!("{OUTCOMES} in the folder of {date} is of another date")));
        }
        outcomes.made_by(self.mark(self.outcome))?;
        let label = |text: &Option<String>| {
            Label::ALL.into_iter().find(|label| Some(label.name()) == text.as_deref())
        };
        let labels: Option<Vec<Label>> = outcomes.texts("label")?.iter().map(label).collect();
        let labels =
            labels.ok_or_else(|| refused(format!("{OUTCOMES} of {date} holds a label that there is not")))?;
        let said = outcomes.numbers("outcome")?;
        let is_said = |(label, said): (&Label, &Option<f64>)| {
            label.outcome().map(|yes| f64::from(u8::from(yes))) == *said
        };
        if !labels.iter().zip(&said).all(is_said) {
            return Err(refused(format!("label and outcome contradict each other in {OUTCOMES} of {date}")));
        }
        let matrix = self.matrix(&features)?;
        let digests = [(FEATURES, features.digest), (OUTCOMES, outcomes.digest)];
        Ok(((cohort, matrix, labels), digests))
    }
}
