//! Scores of what an engine made of the texts: its tables are held against the library, and against each other.
//!
//! Of the tables only the features are taken over. Contributions, scores, bands, ranks and who is not scored are made again of
//! them, and have to come out the same; features are computed again from the records, of every case that is asked for and of every
//! case that is handed out.

use hashbrown::HashMap;
use polars::prelude::{Column, DataFrame, DataType};
use sha2::{Digest as _, Sha256};

use super::tables::{SCORES, fault};
use super::{AS_OF_DAY, MADE_BY, Scoring, TableFolder, Texts};
use crate::cohort::Cohort;
use crate::error::SqlError;
use crate::evaluate::ranking::lot;
use crate::features::{Cell, FeatureMatrix};
use crate::records::Records;
use crate::scoring::{ScoredTable, Scores, WhyNot};

/// How far contributions and scores of an engine may be from the library's: the last digits of a logarithm.
const NEAR: f64 = 1e-12;

pub(super) const FEATURES: &str = "eh_features";
const CONTRIBUTIONS: &str = "eh_contributions";

impl<'p> Texts<'p> {
    /// The records of staged tables: of those that the library wrote ([`Texts::staged_tables`]), or that views make in a database.
    ///
    /// # Errors
    /// [`SqlError`] where a table is not there, lacks a column or holds what it cannot.
    pub fn staged_records(&self, staged: &TableFolder) -> Result<Records, SqlError> {
        self.staged_of(staged, |_| true)
    }

    /// The same with some sources alone.
    pub(super) fn staged_of(
        &self,
        staged: &TableFolder,
        wanted: impl Fn(&str) -> bool,
    ) -> Result<Records, SqlError> {
        let sources: Vec<_> =
            self.sources.iter().filter(|source| wanted(source.name)).map(super::Source::staged_as).collect();
        Records::of_staged(&sources, |table| staged.read(table))
    }

    /// The scores of the tables that an engine made of the texts, as [`Scorer::score`](crate::scoring::Scorer::score) gives them: the
    /// same guards, the same order, and a list is drawn of them in the same way. `sample`: of how many cases the features are computed
    /// again from the records, besides those of each case that is handed out; of all without it.
    ///
    /// # Errors
    /// [`SqlError::Table`] where a table is not there or cannot be read; [`SqlError::Refused`] where it is of another model, date or
    /// purpose, does not hold the cohort, or holds a contribution, score, band or rank that is further than 1e-12 from what the
    /// library makes of its features; [`SqlError::Scoring`] where scoring is refused, and where features are not those of the records.
    pub fn scores<'r>(
        &self,
        made: &TableFolder,
        cohort: &Cohort<'r>,
        sample: Option<u32>,
    ) -> Result<Scores<'p, 'r>, SqlError> {
        let Some(scoring) = &self.scoring else {
            return Err(refused("the texts have no model; give them one (`scored_by`)"));
        };
        if cohort.as_of() != self.as_of || cohort.rules() != self.cohort {
            return Err(refused("the cohort is of another date, or was chosen by other rules"));
        }
        let places: HashMap<&str, usize> = cohort.ids().zip(0..).collect();
        let read = |name: &'static str| Rows::read(name, made)?.placed(&places);
        // Before anything is believed: a table of another run is told as such, and not as one that was changed.
        let scores = read(SCORES)?;
        for (label, text) in self.labels() {
            if scores.texts(label)?.iter().any(|found| found.as_deref() != Some(&*text)) {
                return Err(refused(format!("it is of another {}", label.replace('_', "-"))));
            }
        }
        let (features, contributions) = (read(FEATURES)?, read(CONTRIBUTIONS)?);
        let digests = [features.digest, contributions.digest, scores.digest];
        let (matrix, digest) = (self.matrix(&features)?, hex::encode(Sha256::digest(digests.concat())));
        let again = drawn(cohort, &digest, sample);
        let recomputed = again.iter().filter(|&&row| row).count() as u32;
        let table = ScoredTable { dialect: self.dialect.to_string(), digest, recomputed };
        self.check_contributions(scoring, &contributions, &matrix)?;
        let held = scoring.scorer.score_table((cohort, matrix), scoring.request, (table, &again))?;
        check_scores(scoring, &scores, (&held, &places))?;
        Ok(held)
    }

    /// The features of the table, which are of single precision and have one of three states.
    pub(super) fn matrix(&self, rows: &Rows) -> Result<FeatureMatrix, SqlError> {
        let today = f64::from(self.today());
        if rows.numbers(AS_OF_DAY)?.iter().any(|&day| day != Some(today)) {
            return Err(refused(format!("{FEATURES} is of another date than {}", self.as_of)));
        }
        rows.made_by(self.mark(None))?;
        let mut columns = Vec::with_capacity(self.columns.len());
        for column in &self.columns {
            let (values, states) = (rows.numbers(&column.value)?, rows.numbers(&column.state)?);
            let cell = |(value, state): (&Option<f64>, &Option<f64>)| match (state, value) {
                (Some(0.0), Some(value)) if is_single(*value) => Some(Cell::Value(*value as f32)),
                (Some(1.0), None) => Some(Cell::Missing),
                (Some(2.0), None) => Some(Cell::NotCovered),
                _ => None,
            };
            let cells: Option<Vec<Cell>> = values.iter().zip(&states).map(cell).collect();
            let wrong =
                || fault(FEATURES, format!("{} and {} do not make a feature", column.value, column.state));
            columns.push(cells.ok_or_else(wrong)?);
        }
        let names = self.spec.features().iter().map(|feature| feature.name.clone()).collect();
        FeatureMatrix::from_cells(names, rows.of_case.len(), &columns)
            .ok_or_else(|| fault(FEATURES, "its columns do not make a table"))
    }

    /// That every contribution is the one that the model makes of the features.
    fn check_contributions(
        &self,
        scoring: &Scoring<'_>,
        rows: &Rows,
        matrix: &FeatureMatrix,
    ) -> Result<(), SqlError> {
        let names: Vec<&str> = self.terms().collect();
        let columns = names.iter().map(|name| rows.numbers(name)).collect::<Result<Vec<_>, _>>()?;
        let (mut row, mut wrong) = (0, vec![0_usize; names.len()]);
        let of_model = scoring.scorer.candidate().model().for_each_explained(matrix, |expected| {
            for ((found, expected), wrong) in columns.iter().zip(expected).zip(&mut wrong) {
                *wrong += usize::from(!found[row].is_some_and(|found| is_near(found, *expected)));
            }
            row += 1;
        });
        of_model.map_err(crate::error::ScoringError::from)?;
        match names.iter().zip(wrong).find(|(_, wrong)| *wrong > 0) {
            None => Ok(()),
            Some((name, wrong)) => Err(refused(format!(
                "{name} of {CONTRIBUTIONS} is not what the model makes of the features, in {wrong} rows"
            ))),
        }
    }
}

/// The rows of which features are computed again: all, or some by lots that nobody knows before the tables are made.
fn drawn(cohort: &Cohort<'_>, digest: &str, sample: Option<u32>) -> Vec<bool> {
    let mut drawn = vec![true; cohort.len()];
    if let Some(sample) = sample {
        let seed = u64::from_str_radix(digest.get(..16).unwrap_or_default(), 16).unwrap_or_default();
        let mut lots: Vec<(u64, usize)> = cohort.ids().map(|id| lot(seed, id)).zip(0..).collect();
        lots.sort_unstable();
        lots.into_iter().skip(sample as usize).for_each(|(_, row)| drawn[row] = false);
    }
    drawn
}

/// That scores, bands, ranks and reasons of the table are those of the library.
fn check_scores(
    scoring: &Scoring<'_>,
    rows: &Rows,
    (held, places): (&Scores<'_, '_>, &HashMap<&str, usize>),
) -> Result<(), SqlError> {
    let (log_odds, bands) = (rows.numbers("log_odds")?, rows.texts("band")?);
    let (reasons, ranks) = (rows.texts("not_scored")?, rows.numbers("score_rank")?);
    let differs = |what: &str| {
        Err(refused(format!("{what} of {SCORES} is not what the library makes of the features")))
    };
    let near = |row: usize, expected: f64| log_odds[row].is_some_and(|found| is_near(found, expected));
    if (0..rows.of_case.len()).any(|row| !near(row, held.log_odds_at(row))) {
        return differs("log_odds");
    }
    // So near to where a band begins either is right.
    let is_band = |row: usize| {
        let name = |off: f64| scoring.scorer.band(held.log_odds_at(row) + off).name;
        bands[row].as_ref().is_some_and(|found| [-NEAR, 0.0, NEAR].into_iter().any(|off| name(off) == *found))
    };
    if !(0..rows.of_case.len()).all(is_band) {
        return differs("band");
    }
    let mut expected: Vec<Option<&str>> = vec![None; rows.of_case.len()];
    for case in held.not_scored() {
        let row = places.get(case.entity()).copied().unwrap_or_default();
        expected[row] = Some(match case.reason() {
            WhyNot::Outside { .. } => "outside",
            WhyNot::Thin { .. } => "thin",
            WhyNot::Stale { .. } => "stale",
        });
    }
    if reasons.iter().map(Option::as_deref).ne(expected.iter().copied()) {
        return differs("not_scored");
    }
    // So near to each other two may stand either way.
    let by_rank = held.by_rank();
    let mut is_taken = vec![false; by_rank.len()];
    let mut is_rank = |row: usize| match (ranks[row], expected[row]) {
        (None, Some(_)) => true,
        (Some(rank), None) if rank.fract() == 0.0 => {
            let Some(place) = by_rank.get((rank as usize).wrapping_sub(1)) else { return false };
            let is_free = !std::mem::replace(&mut is_taken[rank as usize - 1], true);
            is_free && is_near(held.log_odds_at(row), held.log_odds_at(*place as usize))
        }
        _ => false,
    };
    if !(0..ranks.len()).all(&mut is_rank) {
        return differs("score_rank");
    }
    Ok(())
}

/// A table by the rows of the cohort.
pub(super) struct Rows {
    name: &'static str,
    frame: DataFrame,
    pub(super) digest: [u8; 32],
    /// For each case its row.
    of_case: Vec<usize>,
}

impl Rows {
    pub(super) fn read(name: &'static str, made: &TableFolder) -> Result<Self, SqlError> {
        let (frame, digest) = made.read_and_digest(name)?;
        Ok(Self { name, frame, digest, of_case: Vec::new() })
    }

    /// Whose rows they are, in the order of rows; nobody's where a cell is empty.
    pub(super) fn entities(&self) -> Result<Vec<String>, SqlError> {
        let column = self.column("entity", &DataType::String)?;
        let entities = column.str().map_err(|error| fault(self.name, error.to_string()))?;
        Ok(entities.iter().map(|entity| entity.unwrap_or_default().to_owned()).collect())
    }

    /// The same, once it is known to hold each case once and nobody else.
    pub(super) fn placed(mut self, places: &HashMap<&str, usize>) -> Result<Self, SqlError> {
        let mut of_case = vec![usize::MAX; places.len()];
        let (mut others, mut twice) = (0, 0);
        for (row, entity) in self.entities()?.iter().enumerate() {
            match places.get(&**entity) {
                None => others += 1,
                Some(&case) if of_case[case] != usize::MAX => twice += 1,
                Some(&case) => of_case[case] = row,
            }
        }
        let missing = of_case.iter().filter(|&&row| row == usize::MAX).count();
        if missing + others + twice > 0 {
            return Err(refused(format!(
                "{} does not hold the cohort of these records: {missing} cases are missing, {others} rows are of others, and {twice} \
                 are there again",
                self.name
            )));
        }
        self.of_case = of_case;
        Ok(self)
    }

    /// Refuses a table that texts of another project made, or of this one as it was before.
    pub(super) fn made_by(&self, mark: u32) -> Result<(), SqlError> {
        if self.numbers(MADE_BY)?.iter().all(|&found| found == Some(f64::from(mark))) {
            return Ok(());
        }
        Err(refused(format!(
            "{} was made by other texts than this project's: its sources, rules, features or outcome are others; write the texts again \
             (`earlyhelp sql`), and run them",
            self.name
        )))
    }

    fn column(&self, name: &str, kind: &DataType) -> Result<Column, SqlError> {
        let column =
            self.frame.column(name).map_err(|_| fault(self.name, format!("it has no column {name}")))?;
        let cast = column.strict_cast(kind);
        cast.map_err(|_| fault(self.name, format!("column {name} does not hold what it should ({kind})")))
    }

    pub(super) fn numbers(&self, name: &str) -> Result<Vec<Option<f64>>, SqlError> {
        let column = self.column(name, &DataType::Float64)?;
        let cells = column.f64().map_err(|error| fault(self.name, error.to_string()))?;
        let cells: Vec<Option<f64>> = cells.iter().collect();
        Ok(self.of_case.iter().map(|&row| cells[row]).collect())
    }

    pub(super) fn texts(&self, name: &str) -> Result<Vec<Option<String>>, SqlError> {
        let column = self.column(name, &DataType::String)?;
        let cells = column.str().map_err(|error| fault(self.name, error.to_string()))?;
        let cells: Vec<Option<&str>> = cells.iter().collect();
        Ok(self.of_case.iter().map(|&row| cells[row].map(str::to_owned)).collect())
    }
}

/// Whether a number is finite and of single precision.
fn is_single(value: f64) -> bool {
    value.is_finite() && f64::from(value as f32).to_bits() == value.to_bits()
}

fn is_near(found: f64, expected: f64) -> bool {
    (found - expected).abs() <= NEAR * expected.abs().max(1.0)
}

pub(super) fn refused(what: impl Into<String>) -> SqlError {
    SqlError::Refused { what: what.into() }
}
