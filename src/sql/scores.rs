//! Contributions, their sum, and what stands beside a score.

use super::dialect::Dialect;
use super::gate::InSql as _;
use super::query::{Query, indented, tree};
use super::{Column, Scoring, Texts};
use crate::model::{Axis, Scale, Shape};
use crate::scoring::lots_of;

/// The contribution of each term, by case.
pub(super) fn contributions(asked: &Texts<'_>, scoring: &Scoring<'_>) -> Vec<Query> {
    let dialect = asked.dialect;
    let mut query = Query::new("eh_contributions", "What each term adds to each case's score, in log-odds.");
    query.column("f.entity", "entity");
    let (mut cells, mut joins, mut grids) = (Vec::new(), String::new(), Vec::new());
    for (nth, (term, name)) in scoring.terms().enumerate() {
        let of = |place: usize| asked.column(&term.on[place]);
        let what = match &term.shape {
            Shape::Line { scale, centre, slope, at_centre, missing, not_covered } => {
                let at = |absent: &Option<f64>| dialect.number(absent.unwrap_or(*at_centre));
                let column = of(0);
                let value = scaled(*scale, &format!("f.{}", column.value), dialect);
                let value = format!(
                    "{} + {} * ({value} - {})",
                    dialect.number(*at_centre),
                    dialect.number(*slope),
                    dialect.number(*centre)
                );
                by_state(column, &value, &at(missing), &at(not_covered))
            }
            Shape::Steps { axis, values } => {
                let numbers: Vec<String> = values.iter().map(|&value| dialect.number(value)).collect();
                binned(of(0), axis, &numbers, dialect)
            }
            Shape::Grid { first, second, values } => {
                let places = |axis: &Axis| (0..axis.bins()).map(|bin| bin.to_string()).collect::<Vec<_>>();
                let bin = |place: usize, axis: &Axis| binned(of(place), axis, &places(axis), dialect);
                cells.push(format!(
                    "({}) * {} + ({}) AS cell{nth}",
                    bin(0, first),
                    second.bins(),
                    bin(1, second)
                ));
                dialect.one_of(values, &format!("f.cell{nth}")).unwrap_or_else(|| {
                    joins.push_str(&format!(
                        "\nJOIN eh_grid g{nth} ON g{nth}.term = {nth} AND g{nth}.cell = f.cell{nth}"
                    ));
                    grids.extend(values.iter().enumerate().map(|(cell, &value)| (nth, cell, value)));
                    format!("g{nth}.value")
                })
            }
        };
        query.column(what, name);
    }
    let columns: Vec<String> = std::iter::once("f.*".to_owned()).chain(cells).collect();
    query
        .with
        .push(("cells".into(), format!("SELECT\n{}\nFROM eh_features f", indented(&columns.join(",\n")))));
    query.from = format!("FROM cells f{joins}");
    let mut queries = Vec::new();
    if !grids.is_empty() {
        queries.push(grid_table(&grids, dialect));
    }
    queries.push(query);
    queries
}

/// The most rows of one list of values.
const LISTED: usize = 1000;

/// The cells of all grids, for an engine without arrays.
fn grid_table(grids: &[(usize, usize, f64)], dialect: Dialect) -> Query {
    let mut query = Query::new("eh_grid", "The cells of the terms of two features.");
    let row =
        |&(term, cell, value): &(usize, usize, f64)| format!("({term}, {cell}, {})", dialect.number(value));
    let list = |cells: &[(usize, usize, f64)]| {
        let rows: Vec<String> = cells.iter().map(row).collect();
        let rows = rows.join(",\n  ");
        format!("SELECT v.term, v.cell, v.value FROM (VALUES\n  {rows}\n) AS v (term, cell, value)")
    };
    let lists: Vec<String> = grids.chunks(LISTED).map(list).collect();
    query.with.push(("cells".into(), lists.join("\nUNION ALL ")));
    for name in ["term", "cell", "value"] {
        query.column(name, name);
    }
    query.from = "FROM cells".into();
    query
}

fn by_state(column: &Column, value: &str, missing: &str, not_covered: &str) -> String {
    format!("CASE f.{} WHEN 0 THEN {value} WHEN 1 THEN {missing} ELSE {not_covered} END", column.state)
}

/// One of `leaves` for each bin of the axis.
fn binned(column: &Column, axis: &Axis, leaves: &[String], dialect: Dialect) -> String {
    let edges: Vec<String> = axis.edges().iter().map(|&edge| dialect.number(edge)).collect();
    let value = tree(&format!("f.{}", column.value), &edges, &leaves[..=edges.len()]);
    by_state(column, &value, &leaves[edges.len() + 1], &leaves[edges.len() + 2])
}

fn scaled(scale: Scale, value: &str, dialect: Dialect) -> String {
    match scale {
        Scale::Linear => value.to_owned(),
        Scale::Log => {
            let (above, below) = (dialect.ln_1p(value), dialect.ln_1p(&format!("(-{value})")));
            format!("CASE WHEN {value} < {} THEN -{below} ELSE {above} END", dialect.number(0.0))
        }
    }
}

/// The score of each case, and what stands beside it.
pub(super) fn scores(asked: &Texts<'_>, scoring: &Scoring<'_>) -> Query {
    let dialect = asked.dialect;
    let mut query = Query::new(
        "eh_scores",
        "The score of each case: the intercept and all contributions, added from left to right.\nA score is no list, and nothing may be \
         done with it but to draw a list for people to review.",
    );
    let names: Vec<String> = scoring.terms().map(|(_, name)| format!("c.{name}")).collect();
    let intercept = dialect.number(scoring.scorer.candidate().model().intercept());
    let log_odds = match dialect {
        // It fails on long chains.
        Dialect::Spark if !names.is_empty() => {
            format!("AGGREGATE(ARRAY({}), {intercept}, (sum, part) -> sum + part)", names.join(", "))
        }
        _ => std::iter::once(intercept).chain(names).collect::<Vec<_>>().join(" + "),
    };
    let gate = scoring.gate.columns(asked);
    let gated: Vec<String> = gate.iter().map(|(what, name)| format!(",\n  {what} AS {name}")).collect();
    let gated = gated.concat();
    query.with.push((
        "summed".into(),
        format!(
            "SELECT c.entity,\n  {log_odds} AS log_odds{gated}\nFROM eh_contributions c\nJOIN eh_features f ON f.entity = c.entity\n\
             JOIN eh_case k ON k.entity = c.entity"
        ),
    ));
    query.with.push((
        "judged".into(),
        format!("SELECT s.entity, s.log_odds, {} AS not_scored\nFROM summed s", scoring.gate.verdict(asked)),
    ));
    query.column("j.entity", "entity");
    query.column("j.log_odds", "log_odds");
    query.column(scoring.band("j.log_odds", dialect), "band");
    query.column("j.not_scored", "not_scored");
    // Equal scores stand in the order of their lots, as on a list.
    let lot = dialect.lot(lots_of(asked.as_of), "j.entity");
    query.column(
        format!(
            "CASE WHEN j.not_scored IS NULL THEN ROW_NUMBER() OVER (\n    PARTITION BY CASE WHEN j.not_scored IS NULL THEN 1 ELSE 0 END\n    \
             ORDER BY j.log_odds DESC, {lot}\n  ) END"
        ),
        "score_rank",
    );
    for (name, text) in asked.labels() {
        query.column(dialect.text(&text), name);
    }
    query.from = "FROM judged j".into();
    query
}
