//! Raw tables: what of a project's mapping views can say of them.

use std::collections::BTreeMap;

use super::Texts;
use super::dialect::Dialect;
use super::source::Source;
use crate::project::{FileOf, Project, SourceFile};
use crate::records::{DateForm, HouseholdColumns, Kind, Known, PeopleColumns, ReadOptions};

/// A database's raw tables: a mapping's own, one for each source, with the columns that it names. Dates are of a date type,
/// numbers of a number type and everything else texts.
///
/// # Examples
/// ```
/// use earlyhelp::cohort::CohortSpec;
/// use earlyhelp::features::{Feature, FeatureSpec};
/// use earlyhelp::records::PeopleColumns;
/// use earlyhelp::sql::{Dialect, RawTables, Texts};
///
/// let people = PeopleColumns { person: vec!["id".into()], ..PeopleColumns::default() };
/// let (cohort, spec) = (CohortSpec::default(), FeatureSpec::new(vec![Feature::age()])?);
/// let texts = Texts::new(&[], (&cohort, &spec), ("2024-04-01".parse()?, Dialect::DuckDb))?;
/// let texts = texts.with_views(RawTables::new().people(&people, Default::default()));
/// let unsaid: Vec<&[&str]> = texts.views().map(|(_, unsaid)| unsaid).collect();
/// assert_eq!(unsaid, [&[] as &[&str], &[]]);
/// assert!(texts.scripts()[0].text.contains("CREATE VIEW eh_people"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Default)]
pub struct RawTables<'p> {
    pub(super) people: Option<Raw<'p, PeopleColumns>>,
    pub(super) households: Option<Raw<'p, HouseholdColumns>>,
    /// How the cells of each source are read, and which keys outside its columns no view says.
    sources: BTreeMap<&'p str, (ReadOptions, Vec<&'static str>)>,
    /// What no view says of any table.
    of_all: Vec<&'static str>,
}

crate::opaque_debug!(RawTables<'_>);

/// A list of people or of households.
pub(super) struct Raw<'p, Columns> {
    pub(super) columns: &'p Columns,
    pub(super) options: ReadOptions,
    unsaid: Vec<&'static str>,
}

impl<'p> RawTables<'p> {
    /// Sources whose cells are read as everything is that nobody says more of, and no list of people yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The list of people. Without one there are no views: people are then those whom records name.
    #[must_use]
    pub fn people(mut self, columns: &'p PeopleColumns, options: ReadOptions) -> Self {
        self.people = Some(Raw { columns, options, unsaid: Vec::new() });
        self
    }

    /// The list of who belonged to which household.
    #[must_use]
    pub fn households(mut self, columns: &'p HouseholdColumns, options: ReadOptions) -> Self {
        self.households = Some(Raw { columns, options, unsaid: Vec::new() });
        self
    }

    /// How the cells of a source are read.
    #[must_use]
    pub fn source(mut self, name: &'p str, options: ReadOptions) -> Self {
        self.sources.insert(name, (options, Vec::new()));
        self
    }

    /// The tables of a project.
    #[must_use]
    pub fn of_project(project: &'p Project) -> Self {
        let mut raw = Self {
            people: project.people.as_ref().map(list),
            households: project.households.as_ref().map(list),
            ..Self::default()
        };
        if !project.identities.is_empty() {
            raw.of_all.push("identities");
        }
        if project.pseudonyms.is_some() {
            raw.of_all.push("pseudonyms");
        }
        for SourceFile { name, read, codes, join, .. } in &project.sources {
            raw.sources.insert(name, (read.clone(), beside(codes.is_empty(), join.is_empty())));
        }
        raw
    }

    pub(super) fn options(&self, source: &str) -> ReadOptions {
        self.sources.get(source).map(|(options, _)| options.clone()).unwrap_or_default()
    }

    fn of_all(&self, dialect: Dialect) -> Vec<&'static str> {
        let mut unsaid = self.of_all.clone();
        if self.people.is_none() {
            unsaid.push("no list of people");
        }
        if dialect == Dialect::SqlServer {
            unsaid.push("no views for SQL Server");
        }
        unsaid
    }

    /// What no view says of the list of people.
    pub(super) fn unsaid_of_people(&self, dialect: Dialect) -> Vec<&'static str> {
        let mut unsaid = self.of_all(dialect);
        if let Some(Raw { columns, options, unsaid: beside }) = &self.people {
            unsaid.extend(beside);
            unsaid.extend(of_ids(&columns.person, columns.system.as_ref(), ["person", "system"]));
            unsaid.extend(of_dates(options));
        }
        unsaid
    }

    /// What no view says of the households.
    pub(super) fn unsaid_of_households(&self, dialect: Dialect) -> Vec<&'static str> {
        let mut unsaid = self.of_all(dialect);
        if let Some(Raw { columns, options, unsaid: beside }) = &self.households {
            unsaid.extend(beside);
            unsaid.extend(of_ids(&columns.person, columns.system.as_ref(), ["person", "system"]));
            unsaid.extend(of_dates(options));
        }
        unsaid
    }

    /// What no view says of a source.
    pub(super) fn unsaid_of(&self, source: &Source<'_>, dialect: Dialect) -> Vec<&'static str> {
        let mut unsaid = self.of_all(dialect);
        let columns = source.columns;
        if let Some((options, beside)) = self.sources.get(source.name) {
            unsaid.extend(beside);
            unsaid.extend(of_dates(options));
        }
        unsaid.extend(of_ids(&columns.entity, columns.system.as_ref(), ["entity", "system"]));
        if matches!(columns.kind, Kind::FileName(_)) {
            unsaid.push("kind.file_name");
        }
        if matches!(columns.known, Known::FileName(_)) {
            unsaid.push("known.file_name");
        }
        if columns.link_probability.is_some() {
            unsaid.push("link_probability");
        }
        unsaid
    }
}

fn list<Columns>(file: &FileOf<Columns>) -> Raw<'_, Columns> {
    Raw {
        columns: &file.columns,
        options: file.read.clone(),
        unsaid: beside(file.codes.is_empty(), file.join.is_empty()),
    }
}

fn beside(no_codes: bool, no_join: bool) -> Vec<&'static str> {
    [(no_codes, "codes"), (no_join, "join")]
        .into_iter()
        .filter(|(none, _)| !none)
        .map(|(_, key)| key)
        .collect()
}

fn of_ids(ids: &[String], system: Option<&String>, keys: [&'static str; 2]) -> Vec<&'static str> {
    let unsaid = [(ids.len() != 1, keys[0]), (system.is_some(), keys[1])];
    unsaid.into_iter().filter(|(is_so, _)| *is_so).map(|(_, key)| key).collect()
}

/// In a table of dates nobody asks in which order they are written, but from which day they are counted.
fn of_dates(options: &ReadOptions) -> Option<&'static str> {
    matches!(options.dates, Some(DateForm::DaysFrom(_))).then_some("read.dates")
}

impl<'p> Texts<'p> {
    /// The same with views that make the staged tables of raw ones, in `1_staging.sql`: for those of which views can say to the
    /// letter what the mapping asks. [`Texts::views`] tells which; the others [`Texts::staged_tables`] makes.
    #[must_use]
    pub fn with_views(mut self, raw: RawTables<'p>) -> Self {
        let of_sources =
            self.sources.iter().map(|source| (source.table.clone(), raw.unsaid_of(source, self.dialect)));
        let mut views = vec![
            ("eh_people".to_owned(), raw.unsaid_of_people(self.dialect)),
            ("eh_stays".to_owned(), raw.unsaid_of_households(self.dialect)),
        ];
        views.extend(of_sources);
        self.views = views;
        self.raw = Some(raw);
        self
    }

    /// Each staged table, with the keys of the mapping that no view says: none where there is a view. Nothing where no views were
    /// asked for.
    pub fn views(&self) -> impl Iterator<Item = (&str, &[&'static str])> {
        self.views.iter().map(|(table, unsaid)| (table.as_str(), &**unsaid))
    }

    /// Whether a staged table has a view.
    #[must_use]
    pub fn has_view(&self, table: &str) -> bool {
        self.views().any(|(held, unsaid)| held == table && unsaid.is_empty())
    }
}
