//! Features, scores and what is not scored as SQL: for a database that holds the records, and engines that hold more of them than
//! one machine.
//!
//! ```text
//! staged tables ─2_cohort→ eh_case, eh_own, eh_others ─3_features→ eh_features { value | state }
//!                                                     ─4_scores→ eh_contributions → eh_scores
//!                                         eh_case ─5_outcomes→ eh_outcomes { 1 | 0 | NULL }
//! ```
//!
//! The texts make a **scored table and no list**: no case is shown to anybody by them. They say what the library computes: features,
//! steps, grids and straight lines to the bit; lines on a logarithmic scale, and with them scores, to 1e-12.
//!
//! Days are whole numbers (days since 1970-01-01), the first day of each window stands in the text as a number, and a feature is
//! two columns: its value, `NULL` where there is none, and its state (0 a value, 1 missing, 2 not covered).

mod cells;
mod cohort;
mod dialect;
mod features;
mod gate;
mod names;
mod outcomes;
mod query;
mod raw;
mod scored;
mod scores;
mod source;
mod staged;
mod states;
mod tables;
mod trained;
mod views;

pub use dialect::Dialect;
pub use raw::RawTables;
pub use staged::StagedTable;
pub use tables::TableFolder;
pub use trained::{staged_people, training_data};

use std::collections::BTreeMap;
use std::fmt::Write as _;

use sha2::{Digest as _, Sha256};

use self::features::Side;
use self::names::Names;
use self::query::commented;
use self::source::Source;
use crate::calendar::AsOf;
use crate::cohort::{CohortSpec, Unit};
use crate::error::SqlError;
use crate::features::{Feature, FeatureSpec, Measure, Scope};
use crate::model::{AdditiveModel, Axis, Shape, Term};
use crate::outcome::OutcomeSpec;
use crate::project::{Project, SourceFile};
use crate::records::{Coverage, EventColumns, PEOPLE_TABLE, STAYS_TABLE, Selector, SourceMapping};
use crate::scoring::{Gate, Request, Scorer};

/// One text, with the name of the file that it is kept in.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Script {
    /// The file's name; texts are run in the order of their names.
    pub name: &'static str,
    /// Statements, each with what it makes.
    pub text: String,
}

/// The columns of a feature.
#[derive(Debug)]
struct Column {
    value: String,
    state: String,
}

/// What is computed of a cohort on a date, written in one dialect: its features, and scores where a model is there to give them.
///
/// # Examples
/// ```
/// use earlyhelp::calendar::Lookback;
/// use earlyhelp::cohort::CohortSpec;
/// use earlyhelp::features::{Feature, FeatureSpec, Measure};
/// use earlyhelp::records::{Selector, SourceMapping};
/// use earlyhelp::sql::{Dialect, Texts};
///
/// let police = [SourceMapping::new("police", "person", "incident", "on")];
/// let incidents = Feature::new(Selector::source("police"), Measure::Count, Lookback::Months(12));
/// let (cohort, spec) = (CohortSpec::default().ages(0, 16), FeatureSpec::new(vec![incidents])?);
/// let texts = Texts::new(&police, (&cohort, &spec), ("2024-04-01".parse()?, Dialect::DuckDb))?;
/// let names: Vec<&str> = texts.scripts().iter().map(|script| script.name).collect();
/// assert_eq!(names, ["1_staging.sql", "2_cohort.sql", "3_features.sql"]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Texts<'p> {
    as_of: AsOf,
    dialect: Dialect,
    sources: Vec<Source<'p>>,
    cohort: &'p CohortSpec,
    spec: &'p FeatureSpec,
    columns: Vec<Column>,
    scoring: Option<Scoring<'p>>,
    outcome: Option<&'p OutcomeSpec>,
    raw: Option<RawTables<'p>>,
    /// Each staged table, with what no view says of it.
    views: Vec<(String, Vec<&'static str>)>,
}

/// What scores are given by.
struct Scoring<'p> {
    scorer: &'p Scorer,
    request: &'p Request,
    gate: Gate<'p>,
    /// A name for each term.
    terms: Vec<String>,
}

impl<'p> Texts<'p> {
    /// The features of a cohort, of sources that are staged.
    ///
    /// # Errors
    /// [`SqlError`] where the sources lack what is read, or the dialect cannot say it.
    pub fn new(
        sources: impl IntoIterator<Item = &'p SourceMapping>,
        what: (&'p CohortSpec, &'p FeatureSpec),
        date: (AsOf, Dialect),
    ) -> Result<Self, SqlError> {
        let parts = |mapping: &'p SourceMapping| (&*mapping.name, &mapping.columns, &mapping.coverage);
        Self::of(sources.into_iter().map(parts), what, date)
    }

    /// The features of a project's cohort: the project's own, or those that a model reads.
    ///
    /// # Errors
    /// As for [`Texts::new`].
    pub fn of_project(
        project: &'p Project,
        spec: &'p FeatureSpec,
        date: (AsOf, Dialect),
    ) -> Result<Self, SqlError> {
        Self::of(project.sources.iter().map(parts_of), (&project.cohort, spec), date)
    }

    /// The same with scores of a released model, whose features these are.
    ///
    /// # Errors
    /// [`SqlError`] where the request is one for which nothing is scored, the features are not the model's, or the dialect cannot say
    /// a term.
    pub fn scored_by(mut self, scorer: &'p Scorer, request: &'p Request) -> Result<Self, SqlError> {
        let candidate = scorer.candidate();
        scorer.check_request(self.cohort, self.as_of, request)?;
        if candidate.features() != self.spec {
            return Err(SqlError::Lacks {
                what: "the features are not those that the model reads".to_owned(),
            });
        }
        self.check_terms(candidate.model())?;
        let coverage = |name: &str| self.source(name).map(|source| source.coverage);
        let gate = Gate::new(candidate, (self.as_of, coverage), request.abstention);
        let mut of_terms = Names::default();
        let term = |term: &Term| format!("t_{}", of_terms.like(&term.on.join("__")));
        let terms = candidate.model().terms().iter().map(term).collect();
        self.scoring = Some(Scoring { scorer, request, gate, terms });
        Ok(self)
    }

    fn of(
        sources: impl Iterator<Item = (&'p str, &'p EventColumns, &'p Coverage)>,
        (cohort, spec): (&'p CohortSpec, &'p FeatureSpec),
        (as_of, dialect): (AsOf, Dialect),
    ) -> Result<Self, SqlError> {
        if cohort.own_day.is_some() {
            return Err(SqlError::NotSaid { what: "cases that are seen each on a day of their own" });
        }
        if spec.features().len() > dialect.most_features() {
            return Err(SqlError::NotSaid { what: "so many features in this dialect" });
        }
        let mut names = Names::default();
        for taken in OWN_TABLES {
            names.like(taken);
        }
        let sources = sources.map(|source| Source::new(source, &mut names)).collect();
        let mut of_features = Names::default();
        let column = |feature: &Feature| {
            let name = of_features.like(&feature.name);
            Column { value: format!("f_{name}"), state: format!("s_{name}") }
        };
        let columns = spec.features().iter().map(column).collect();
        let (raw, views) = (None, Vec::new());
        let texts =
            Self { as_of, dialect, sources, cohort, spec, columns, scoring: None, outcome: None, raw, views };
        texts.check()?;
        Ok(texts)
    }

    /// The texts, in the order in which they are run.
    #[must_use]
    pub fn scripts(&self) -> Vec<Script> {
        let mut scripts = vec![
            Script { name: "1_staging.sql", text: staged::text(self) },
            Script { name: "2_cohort.sql", text: self.cohort_text() },
            Script { name: "3_features.sql", text: self.features_text() },
        ];
        if let Some(scoring) = &self.scoring {
            scripts.push(Script { name: "4_scores.sql", text: self.scores_text(scoring) });
        }
        if let Some(outcome) = self.outcome {
            scripts.push(Script { name: "5_outcomes.sql", text: outcomes::text(self, outcome) });
        }
        scripts
    }

    /// Texts that bring tables in and out as Parquet files, to be run before and behind the others: the staged ones, which lie in
    /// `staged_in` (`""` for the folder in which the texts are run, otherwise a path that ends in a slash), and what is made. For the
    /// engines that read and write such files by themselves; of the others there are none.
    #[must_use]
    pub fn file_scripts(&self, staged_in: &str) -> Vec<Script> {
        let of_sources = self.sources.iter().map(|source| &*source.table);
        let staged =
            [PEOPLE_TABLE, STAYS_TABLE].into_iter().chain(of_sources).filter(|table| !self.has_view(table));
        let load: Option<String> = staged.map(|table| self.dialect.load(table, staged_in)).collect();
        let of_scores = self.scoring.iter().flat_map(|_| ["eh_contributions", "eh_scores"]);
        let of_outcome = self.outcome.iter().map(|_| "eh_outcomes");
        let made = ["eh_case", "eh_features"].into_iter().chain(of_scores).chain(of_outcome);
        let keep: Option<String> = made.map(|table| self.dialect.keep(table)).collect();
        let texts = [
            ("0_load.sql", "The staged tables, from their files.", load),
            ("9_keep.sql", "What was made, as files.", keep),
        ];
        let script = |(name, says, text): (&'static str, &str, Option<String>)| {
            Some(Script { name, text: self.heading(says) + &text? })
        };
        texts.into_iter().filter_map(script).collect()
    }

    /// For each feature of the spec the names of its columns in `eh_features`: its value, and its state.
    pub fn columns(&self) -> impl Iterator<Item = (&str, &str)> {
        self.columns.iter().map(|column| (column.value.as_str(), column.state.as_str()))
    }

    /// For each term of the model the name of its column in `eh_contributions`; none where no model is there.
    pub fn terms(&self) -> impl Iterator<Item = &str> {
        self.scoring.iter().flat_map(|scoring| scoring.terms.iter().map(String::as_str))
    }

    /// That everything that is read is there to be read.
    fn check(&self) -> Result<(), SqlError> {
        let lacks = |what: String| Err(SqlError::Lacks { what });
        let selectors = self.cohort.selectors().map(|(selector, of)| (selector, of.to_owned()));
        let read = self.features().filter(|(feature, _)| !feature.measure.is_of_people());
        let of_features = read.map(|(feature, _)| (&feature.records, format!("feature {}", feature.name)));
        selectors.chain(of_features).try_for_each(|(selector, of)| self.check_selector(selector, &of))?;
        for (feature, _) in self.features() {
            let Some(source) = self.source(&feature.records.source) else { continue };
            let of = |what: &str| format!("feature {} reads {what}", feature.name);
            if let Some(category) = feature.measure.category().filter(|name| source.category(name).is_none())
            {
                return lacks(format!(
                    "{}, which source {} does not keep",
                    of(&format!("the category \"{category}\"")),
                    source.name
                ));
            }
            let asks = match feature.measure {
                Measure::DaysOpen | Measure::PresentNow => (source.has_episodes(), "episodes"),
                Measure::Share => (source.columns.of.is_some(), "what values are part of"),
                Measure::Incidents => (source.columns.incident.is_some(), "incidents"),
                _ if feature.measure.needs_value() => (source.columns.value.is_some(), "values"),
                _ => (true, ""),
            };
            if !asks.0 {
                return lacks(format!("{}, which source {} does not have", of(asks.1), source.name));
            }
        }
        self.check_silence()
    }

    /// That the source of some records is there, and keeps the categories that they are chosen by.
    fn check_selector(&self, selector: &Selector, of: &str) -> Result<(), SqlError> {
        let lacks = |what: String| Err(SqlError::Lacks { what });
        let Some(source) = self.source(&selector.source) else {
            let named = &selector.source;
            return lacks(format!("{of} reads the source \"{named}\", which the project does not have"));
        };
        match selector.categories.keys().find(|name| source.category(name).is_none()) {
            Some(category) => lacks(format!(
                "{of} asks for the category \"{category}\", which source {} does not keep",
                source.name
            )),
            None => Ok(()),
        }
    }

    /// That episodes are asked of sources that have them, and that a rule which reads silence is asked of a source that is
    /// declared to cover the days: in a database nobody looks whether it does.
    fn check_silence(&self) -> Result<(), SqlError> {
        let lacks = |what: String| Err(SqlError::Lacks { what });
        let rosters = self.sources.iter().filter_map(|source| source.coverage.roster.as_deref());
        let rules = self.cohort.open.iter().chain(&self.cohort.not_open);
        for name in rosters.chain(rules.map(|selector| selector.source.as_str())) {
            if !self.source(name).is_some_and(Source::has_episodes) {
                return lacks(format!("source \"{name}\" is asked for episodes, and has none"));
            }
        }
        for rule in &self.cohort.none_within {
            let Some(source) = self.source(&rule.records.source) else { continue };
            let start = i64::from(self.today()) - i64::from(rule.days);
            let covers = source.coverage.from.is_some_and(|from| i64::from(from.epoch_days()) <= start);
            if !covers || !source.coverage.is_fresh(self.as_of) {
                return lacks(format!(
                    "cohort rule `none_within`: source {} is not declared to cover the {} days before {} (`coverage`: `from` and \
                     `to`), so that its silence says nothing",
                    source.name, rule.days, self.as_of
                ));
            }
        }
        Ok(())
    }

    /// That no table has more columns than the dialect has room for, and no term more steps than it has levels for.
    fn check_terms(&self, model: &AdditiveModel) -> Result<(), SqlError> {
        let grids = model.terms().iter().filter(|term| matches!(term.shape, Shape::Grid { .. })).count();
        if grids > self.dialect.most_grids() {
            return Err(SqlError::NotSaid {
                what: "a model of so many terms of two features in this dialect",
            });
        }
        if model.terms().len() > self.dialect.most_terms() {
            return Err(SqlError::NotSaid { what: "a model of so many terms in this dialect" });
        }
        let deepest = model.terms().iter().flat_map(|term| term.shape.axes()).map(Axis::bins).max();
        // A tree of so many leaves, and the state above it.
        let levels = deepest.map_or(0, |bins| bins.next_power_of_two().trailing_zeros() as usize + 1);
        if levels > self.dialect.most_levels() {
            return Err(SqlError::NotSaid { what: "a term of so many steps in this dialect" });
        }
        Ok(())
    }

    /// A number for all that decides what a table says: date, sources, rules and features, and the outcome where it is a table of
    /// outcomes. Tables of a project that was changed since bear another, but for one in two thousand million.
    fn mark(&self, outcome: Option<&OutcomeSpec>) -> u32 {
        let sources = self.sources.iter().map(|source| (source.name, source.columns, source.coverage));
        let says = (self.as_of, sources.collect::<Vec<_>>(), self.cohort, self.spec.digest(), outcome);
        let digest = Sha256::digest(serde_json::to_vec(&says).unwrap_or_default());
        digest[..4].iter().fold(0, |mark, &byte| mark << 8 | u32::from(byte)) >> 1
    }

    fn today(&self) -> i32 {
        self.as_of.day().epoch_days()
    }

    fn source(&self, name: &str) -> Option<&Source<'p>> {
        self.sources.iter().find(|source| source.name == name)
    }

    fn features(&self) -> impl Iterator<Item = (&'p Feature, &Column)> {
        self.spec.features().iter().zip(&self.columns)
    }

    fn column_at(&self, place: usize) -> &Column {
        &self.columns[place]
    }

    /// The columns of a feature that a term is on: a model names no others than the spec's.
    fn column(&self, name: &str) -> &Column {
        let place = self.spec.features().iter().position(|feature| feature.name == name);
        &self.columns[place.unwrap_or_default()]
    }

    /// What stands in each text: of which date it is, and, where there are scores, of which model, for what and until when.
    fn labels(&self) -> Vec<(&'static str, String)> {
        let as_of = ("as_of", self.as_of.to_string());
        let Some(Scoring { scorer, request, .. }) = &self.scoring else { return vec![as_of] };
        let days = i32::try_from(request.valid_for_days).unwrap_or(i32::MAX);
        vec![
            as_of,
            ("model", scorer.digest().to_owned()),
            ("purpose", request.purpose.clone()),
            ("expires", (self.as_of.day() + days).to_string()),
            ("dialect", self.dialect.to_string()),
        ]
    }

    fn heading(&self, title: &str) -> String {
        let labels: Vec<String> = self
            .labels()
            .iter()
            .filter(|(name, _)| *name != "dialect")
            .map(|(name, text)| format!("{name}: {text}"))
            .collect();
        commented(&format!(
            "{title}\nWritten by earlyhelp {} for {}; do not edit it by hand.\n{}\n",
            env!("CARGO_PKG_VERSION"),
            self.dialect,
            labels.join("\n")
        )) + "\n"
    }

    /// Features by source and scope, in the order of their first.
    fn sides(&self) -> Vec<Side<'_, 'p>> {
        let mut sides: BTreeMap<(usize, Scope), Vec<(&'p Feature, &Column)>> = BTreeMap::new();
        for (feature, column) in self.features() {
            if let Some(place) = self.sources.iter().position(|source| source.name == feature.records.source)
            {
                sides.entry((place, feature.scope)).or_default().push((feature, column));
            }
        }
        let side = |((place, scope), features)| Side::new(self, &self.sources[place], scope, features);
        sides.into_iter().map(side).collect()
    }

    fn cohort_text(&self) -> String {
        let mut queries =
            vec![cohort::people(self), cohort::homes(self), cohort::cases(self), cohort::own(self)];
        if self.cohort.unit == Unit::Person {
            queries.push(cohort::others());
        }
        let texts: String = queries.iter().map(|query| query.text(self.dialect)).collect();
        self.heading("The cohort: who is asked about on the date, by the project's rules.") + &texts
    }

    fn features_text(&self) -> String {
        let mut text = self.heading("Every feature as of the date: what was known strictly before it.");
        let mut all = query::Query::new("eh_features", "All features of each case.");
        all.column("c.entity", "entity");
        "FROM eh_case c".clone_into(&mut all.from);
        let mut of_table: BTreeMap<String, String> = BTreeMap::new();
        let mut tables: Vec<String> = Vec::new();
        for side in self.sides() {
            let table = side.table();
            side.columns().for_each(|column| {
                of_table.insert(column.value.clone(), table.clone());
            });
            text.push_str(&side.query().text(self.dialect));
            tables.push(table);
        }
        if let Some(query) = cohort::of_people(self) {
            for (feature, column) in self.features() {
                if feature.measure.is_of_people() {
                    of_table.insert(column.value.clone(), query.table.clone());
                }
            }
            text.push_str(&query.text(self.dialect));
            tables.push(query.table);
        }
        for (nth, table) in tables.iter().enumerate() {
            all.from.push_str(&format!("\nJOIN {table} j{nth} ON j{nth}.entity = c.entity"));
        }
        for (_, column) in self.features() {
            let table = of_table.get(&column.value);
            let nth = tables.iter().position(|held| Some(held) == table).unwrap_or_default();
            all.column(format!("j{nth}.{}", column.value), column.value.clone());
            all.state(format!("j{nth}.{}", column.state), column.state.clone());
        }
        // Of which date they are and by which texts they were made, in each row: a table by itself shall say it.
        all.state(self.today().to_string(), AS_OF_DAY);
        all.state(self.mark(None).to_string(), MADE_BY);
        text + &all.text(self.dialect)
    }

    fn scores_text(&self, scoring: &Scoring<'p>) -> String {
        let mut text = self.heading("Contributions, scores, and which cases are not scored.");
        for query in scores::contributions(self, scoring) {
            text.push_str(&query.text(self.dialect));
        }
        text + &scores::scores(self, scoring).text(self.dialect)
    }
}

impl<'p> Scoring<'p> {
    fn terms(&self) -> impl Iterator<Item = (&'p Term, &str)> {
        self.scorer.candidate().model().terms().iter().zip(self.terms.iter().map(String::as_str))
    }

    /// The band of a score.
    fn band(&self, log_odds: &str, dialect: Dialect) -> String {
        let (mut whens, mut last) = (String::new(), dialect.text("all cases"));
        for band in &self.scorer.backtest().bands {
            let name = dialect.text(&band.name);
            let Some(from) = band.from else {
                last = name;
                break;
            };
            let _ = write!(whens, " WHEN {log_odds} >= {} THEN {name}", dialect.number(from));
        }
        if whens.is_empty() { last } else { format!("CASE{whens} ELSE {last} END") }
    }
}

fn parts_of(file: &SourceFile) -> (&str, &EventColumns, &Coverage) {
    (&file.name, &file.columns, &file.coverage)
}

/// The column of a feature table that says of which date it is, in days since 1970-01-01.
const AS_OF_DAY: &str = "as_of_day";

/// The column that says by which texts a table was made: see [`Texts::mark`].
const MADE_BY: &str = "made_by";

/// Tables that the texts make and read besides those of sources.
const OWN_TABLES: [&str; 20] = [
    "people",
    "stays",
    "person",
    "home",
    "case",
    "own",
    "others",
    "of_people",
    "features",
    "grid",
    "contributions",
    "scores",
    "outcomes",
    "runs",
    "raw_people",
    "checked_people",
    "raw_households",
    "checked_households",
    "rejects",
    "intake",
];

crate::opaque_debug!(Texts<'_>);
