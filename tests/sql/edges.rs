//! Every edge of every term, the numbers next to it, and every absence: contributions on each engine beside the library's.
//!
//! The features are given as a table, and the text of the scores is run alone.

use earlyhelp::calendar::Lookback;
use earlyhelp::cohort::CohortSpec;
use earlyhelp::error::SqlError;
use earlyhelp::features::{Cell, Feature, FeatureMatrix, FeatureSpec, Measure};
use earlyhelp::model::{AdditiveModel, Scale, Shape, Term};
use earlyhelp::records::{Selector, SourceMapping};
use earlyhelp::scoring::{Request, Scorer};
use earlyhelp::sql::{Dialect, Texts};
use polars::prelude::{Column, DataFrame, IntoColumn as _, NamedFrom as _, Series};

use super::engines::{Engine, Given};
use super::{made, same};
use crate::world::{self, Dice};

/// A model with all that is read for it, and cases as rows of cells.
pub struct Posed {
    pub name: &'static str,
    pub mappings: Vec<SourceMapping>,
    pub scorer: Scorer,
    pub request: Request,
    pub matrix: FeatureMatrix,
}

impl Posed {
    pub fn texts(&self, dialect: Dialect) -> Texts<'_> {
        self.try_texts(dialect).unwrap()
    }

    pub fn try_texts(&self, dialect: Dialect) -> Result<Texts<'_>, SqlError> {
        let candidate = self.scorer.candidate();
        let what = (candidate.cohort(), candidate.features());
        let texts = Texts::new(&self.mappings, what, (world::list_date(), dialect))?;
        texts.scored_by(&self.scorer, &self.request)
    }

    fn entities(&self) -> Vec<String> {
        (0..self.matrix.rows()).map(|row| format!("case{row:05}")).collect()
    }

    /// The tables of cases and of features, and the text of the scores.
    fn given(&self, dialect: Dialect) -> Given {
        let texts = self.texts(dialect);
        let entity = || Series::new("entity".into(), self.entities()).into_column();
        let households = vec![Some("h1"); self.matrix.rows()];
        let cases = vec![entity(), Series::new("household".into(), households).into_column()];
        let (mut columns, mut of_states): (Vec<Column>, Vec<Column>) = (vec![entity()], Vec::new());
        for (place, (value, state)) in texts.columns().enumerate() {
            let cells = || self.matrix.column(place);
            let values: Vec<Option<f64>> = cells().map(|cell| cell.value().map(f64::from)).collect();
            let states: Vec<i32> = cells().map(state_of).collect();
            columns.push(Series::new(value.into(), values).into_column());
            of_states.push(Series::new(state.into(), states).into_column());
        }
        columns.extend(of_states);
        let today = vec![world::list_date().day().epoch_days(); self.matrix.rows()];
        columns.push(Series::new("as_of_day".into(), today.clone()).into_column());
        columns.push(Series::new("made_by".into(), today).into_column());
        let scripts = texts.scripts().into_iter().filter(|script| script.name == "4_scores.sql").collect();
        let mut given = Given { scripts, ..Given::default() };
        given.table("eh_case", DataFrame::new(self.matrix.rows(), cases).unwrap());
        given.table("eh_features", DataFrame::new(self.matrix.rows(), columns).unwrap());
        given
    }
}

fn state_of(cell: Cell) -> i32 {
    match cell {
        Cell::Value(_) => 0,
        Cell::Missing => 1,
        Cell::NotCovered => 2,
    }
}

/// Runs the scores of all of them on an engine beside the library; gives the seconds of each.
pub fn on_engine(dialect: Dialect, all: &[Posed]) -> Vec<f64> {
    let Some(engine) = Engine::of(dialect) else { return Vec::new() };
    let (_folder, made) = engine.run(all.iter().map(|posed| posed.given(dialect)));
    for (posed, made) in all.iter().zip(&made) {
        let entities = posed.entities();
        let entities: Vec<&str> = entities.iter().map(String::as_str).collect();
        let model = posed.scorer.candidate().model();
        let of = format!("{dialect}, {}", posed.name);
        same::contributions(made, &posed.texts(dialect), model, (&entities, &posed.matrix), &of);
    }
    made.iter().map(|made| made.seconds["4_scores.sql"]).collect()
}

/// What is looked at of a feature: every edge of its terms with the numbers on both sides of it, numbers of every size, and
/// both absences.
fn looked_at(model: &AdditiveModel, feature: &str) -> Vec<Cell> {
    let mut values = vec![0.0, -0.0, 1.0, -1.0, f32::MAX, f32::MIN, 1e-30, -1e-30, 0.1, 1e7, -1e7];
    for term in model.terms() {
        let axes: Vec<_> = match &term.shape {
            Shape::Line { centre, .. } => {
                values.extend([*centre as f32, (*centre as f32).next_up()]);
                vec![]
            }
            Shape::Steps { axis, .. } => vec![axis],
            Shape::Grid { first, second, .. } => vec![first, second],
        };
        for (name, axis) in term.on.iter().zip(axes) {
            let near = axis.edges().iter().map(|&edge| edge as f32).filter(|_| name == feature);
            values.extend(near.flat_map(|near| [near.next_down(), near, near.next_up()]));
        }
    }
    values.sort_by(f32::total_cmp);
    values.dedup_by(|a, b| a.to_bits() == b.to_bits());
    [Cell::Missing, Cell::NotCovered].into_iter().chain(values.into_iter().map(Cell::Value)).collect()
}

/// Cases in which every feature has each of what is looked at, and the features of every pair have each of one with each of the
/// other.
fn cases(model: &AdditiveModel) -> FeatureMatrix {
    let of: Vec<Vec<Cell>> = model.features().iter().map(|feature| looked_at(model, feature)).collect();
    let longest = of.iter().map(Vec::len).max().unwrap();
    let mut columns: Vec<Vec<Cell>> =
        of.iter().map(|cells| (0..longest).map(|row| cells[row % cells.len()]).collect()).collect();
    for term in model.terms() {
        let place = |name: &String| model.features().iter().position(|held| held == name).unwrap();
        let [first, second] = term.on.as_slice() else { continue };
        let (first, second) = (place(first), place(second));
        for row in 0..of[first].len() * of[second].len() {
            for (at, column) in columns.iter_mut().enumerate() {
                let nth = if at == first { row / of[second].len() } else { row };
                column.push(of[at][nth % of[at].len()]);
            }
        }
    }
    let rows = columns[0].len();
    FeatureMatrix::from_cells(model.features().to_vec(), rows, &columns).unwrap()
}

/// The sources that a spec reads, each with everything that it can be asked for.
fn sources_of(spec: &FeatureSpec, cohort: &CohortSpec) -> Vec<SourceMapping> {
    let mut mappings: Vec<SourceMapping> = Vec::new();
    let of_features = spec.features().iter().map(|feature| &feature.records);
    let of_rules = cohort.not_open.iter().chain(&cohort.open);
    for selector in of_features.chain(of_rules).filter(|selector| selector.source != "people") {
        if !mappings.iter().any(|mapping| mapping.name == selector.source) {
            let mapping = SourceMapping::new(&selector.source, "person", "one", "on");
            mappings.push(mapping.ended("until").value("value").category("place"));
        }
        let mapping = mappings.iter_mut().find(|mapping| mapping.name == selector.source).unwrap();
        for category in selector.categories.keys() {
            if !mapping.columns.categories.contains(category) {
                mapping.columns.categories.push(category.clone());
            }
        }
    }
    mappings
}

/// A released model of the project.
fn released(name: &'static str, text: &str) -> Posed {
    let scorer = Scorer::from_json(text).unwrap();
    let (spec, cohort) = (scorer.candidate().features().clone(), scorer.candidate().cohort().clone());
    let model = scorer.candidate().model().clone();
    // The same model under the signature of the tests' council, whose date is asked about.
    let training = scorer.candidate().training();
    let scorer = made::scorer((&cohort, &spec), &model, (&training.ranges, &training.importance));
    Posed {
        name,
        mappings: sources_of(&spec, &cohort),
        request: world::request(),
        matrix: cases(&model),
        scorer,
    }
}

/// A model with terms of these features, one for each of its sources' counts.
pub fn posed(name: &'static str, model: &AdditiveModel, matrix: FeatureMatrix) -> Posed {
    let feature = |name: &String| {
        Feature::new(Selector::source("visits"), Measure::Latest, Lookback::Months(12)).name(name)
    };
    let spec = FeatureSpec::new(model.features().iter().map(feature).collect()).unwrap();
    let cohort = CohortSpec::default();
    let mut dice = Dice::new(5);
    let ranges = made::any_ranges(&mut dice, &spec);
    let importance = vec![1.0; model.terms().len()];
    let scorer = made::scorer((&cohort, &spec), model, (&ranges, &importance));
    Posed { name, mappings: sources_of(&spec, &cohort), request: world::request(), matrix, scorer }
}

/// Steps, lines of both scales and pairs, of many features; among the edges those that no number of single precision is.
fn every_shape() -> Posed {
    let mut dice = Dice::new(41);
    let names: Vec<String> = (0..36).map(|nth| format!("feature {nth}")).collect();
    let mut terms = Vec::new();
    for (nth, name) in names.iter().enumerate() {
        let shape = match nth % 4 {
            0 => made::line(&mut dice, Scale::Linear),
            1 => made::line(&mut dice, Scale::Log),
            _ => {
                let edges = made::edges(&mut dice, 1 + nth * 2);
                made::steps(&mut dice, edges)
            }
        };
        terms.push(Term::one(name, shape));
    }
    for nth in 0..4 {
        let edges = [made::edges(&mut dice, 1 + nth), made::edges(&mut dice, 4)];
        terms.push(Term::pair(&names[2 * nth], &names[2 * nth + 1], made::grid(&mut dice, edges)));
    }
    let model = AdditiveModel::new(names, -1.25, terms).unwrap();
    let matrix = cases(&model);
    posed("every shape", &model, matrix)
}

/// The models whose edges are looked at.
fn all() -> Vec<Posed> {
    let of_council = world::released().scorer.to_json().unwrap();
    vec![
        released("council", &of_council),
        released("steps", include_str!("../../models/synthetic_council_additive.json")),
        released("points", include_str!("../../models/synthetic_council_scorecard.json")),
        every_shape(),
    ]
}

#[test]
fn duckdb_has_every_edge_where_the_library_has_it() {
    on_engine(Dialect::DuckDb, &all());
}

#[test]
fn postgresql_has_every_edge_where_the_library_has_it() {
    on_engine(Dialect::PostgreSql, &all());
}

#[test]
fn spark_has_every_edge_where_the_library_has_it() {
    on_engine(Dialect::Spark, &all());
}

#[test]
fn every_edge_is_among_the_cases_with_both_its_neighbours() {
    for posed in all() {
        let model = posed.scorer.candidate().model();
        for term in model.terms() {
            let Shape::Steps { axis, .. } = &term.shape else { continue };
            let place = model.features().iter().position(|held| *held == term.on[0]).unwrap();
            let column: Vec<Cell> = posed.matrix.column(place).collect();
            assert!(column.contains(&Cell::Missing) && column.contains(&Cell::NotCovered));
            for &edge in axis.edges() {
                let near = edge as f32;
                let all = [near.next_down(), near, near.next_up()];
                assert!(all.iter().all(|&value| column.contains(&Cell::Value(value))), "{edge}");
            }
        }
    }
}
