//! The terms: the most important first, each with its curve, its table and what the model is without it.

use super::super::figure::signed;
use super::super::labels;
use super::super::words;
use super::about::reads;
use super::curve::{Curve, PageScale};
use super::extreme::{Extreme, interval, with_unit};
use super::grid::Heat;
use super::{AnyModel, about, percent, px};
use crate::evaluate::{Estimate, TermReport};
use crate::features::{Direction, Feature, Scope};
use crate::model::{FeatureRange, ShapeRow, ShapeTable, Shares, TermTable};

/// All terms.
pub(super) struct Terms {
    pub rows: Vec<ImportanceRow>,
    /// Those that hardly move anybody's score.
    pub small: Vec<ImportanceRow>,
    /// How many terms there are.
    pub count: String,
    /// How many make half of all that moves scores.
    pub half: String,
    /// Their names.
    pub half_names: Vec<String>,
    /// Terms that the backtest's models had and this one has not.
    pub elsewhere: Vec<String>,
    pub intervals: bool,
    pub articles: Vec<Article>,
}

/// A line of the table of terms.
pub(super) struct ImportanceRow {
    pub place: usize,
    pub id: String,
    pub name: String,
    pub importance: String,
    /// The bar's length on a drawing 200 wide.
    pub bar: String,
    pub without: Without,
}

/// What the model would be without a term.
#[derive(Clone)]
pub(super) struct Without {
    pub is_tested: bool,
    /// By how much the log loss rises, in thousandths, with its interval.
    pub loss: String,
    pub verdict: &'static str,
    pub kept: String,
}

/// One term in full.
pub(super) struct Article {
    pub place: usize,
    pub id: String,
    pub name: String,
    pub importance: String,
    pub features: Vec<Read>,
    pub lowest: Option<Extreme>,
    pub highest: Option<Extreme>,
    pub without: Without,
    pub curve: Option<Curve>,
    pub rows: Vec<ValueRow>,
    /// Whether shares of people are only about right.
    pub is_about: bool,
    pub is_line: bool,
    pub unit: String,
    pub open: bool,
    pub heat: Option<Heat>,
}

/// A feature that a term reads.
pub(super) struct Read {
    pub label: String,
    pub reads: String,
    /// Why it is there; empty where nobody said.
    pub why: String,
    pub household: bool,
    pub help_seeking: bool,
    pub direction: &'static str,
    pub missing: String,
    pub not_covered: String,
}

/// A row of a term's table.
pub(super) struct ValueRow {
    pub label: String,
    pub points: String,
    pub interval: String,
    pub share: String,
    pub note: &'static str,
}

/// A table of at most so many rows is open from the start.
const OPEN: usize = 6;

impl Terms {
    pub(super) fn of(model: AnyModel<'_>, tables: &[TermTable]) -> Self {
        let mut order: Vec<usize> = (0..tables.len()).collect();
        order.sort_by(|&a, &b| tables[b].importance.total_cmp(&tables[a].importance));
        let largest = tables.iter().map(|table| table.importance).fold(0.0, f64::max);
        let scale = PageScale::of(tables);
        let row = |(nth, &term): (usize, &usize)| {
            let table = &tables[term];
            ImportanceRow {
                place: nth + 1,
                id: format!("term-{}", nth + 1),
                name: name(table),
                importance: format!("{:.3}", table.importance),
                bar: px(if largest > 0.0 { 196.0 * table.importance / largest } else { 0.0 }),
                without: Without::of(model.without(&table.on)),
            }
        };
        let telling = order.iter().filter(|&&term| tables[term].importance >= 0.0005).count();
        let mut rows: Vec<ImportanceRow> = order.iter().enumerate().map(row).collect();
        let small = rows.split_off(telling);
        let half = half(&order, tables);
        let articles =
            order.iter().enumerate().map(|(nth, &term)| Article::of(model, nth + 1, &tables[term], scale));
        let is_ours = |term: &&TermReport| tables.iter().any(|table| table.on == term.on);
        let elsewhere = model.backtest().terms.iter().filter(|term| !is_ours(term));
        let labels = |term: &TermReport| {
            let said = term.on.iter().map(|name| feature(model, name).map_or(name.as_str(), |f| &f.label));
            said.collect::<Vec<_>>().join(" with ")
        };
        Self {
            rows,
            small,
            count: words::counted(tables.len(), "term", "terms"),
            half: words::counted(half.len(), "term", "terms"),
            half_names: half.iter().map(|&term| name(&tables[term])).collect(),
            elsewhere: elsewhere.map(labels).collect(),
            intervals: model.candidate().model().refits().is_some(),
            articles: articles.collect(),
        }
    }
}

/// The fewest terms that make half of all importance.
fn half<'o>(order: &'o [usize], tables: &[TermTable]) -> &'o [usize] {
    let all: f64 = tables.iter().map(|table| table.importance).sum();
    let mut sum = 0.0;
    let enough = order.iter().position(|&term| {
        sum += tables[term].importance;
        sum >= 0.5 * all
    });
    &order[..enough.map_or(0, |last| last + 1)]
}

fn name(table: &TermTable) -> String {
    table.labels.join(" with ")
}

fn feature<'a>(model: AnyModel<'a>, name: &str) -> Option<&'a Feature> {
    model.candidate().features().features().iter().find(|feature| feature.name == name)
}

impl Without {
    fn of(found: Option<&TermReport>) -> Self {
        let Some(found) = found else {
            let not_tested = || "not in the test".to_owned();
            return Self {
                is_tested: false,
                loss: not_tested(),
                verdict: "none of the backtest's models had it",
                kept: not_tested(),
            };
        };
        let loss = found.log_loss_without.as_ref();
        Self {
            is_tested: true,
            loss: loss.map_or_else(|| "not measured".to_owned(), thousandths),
            verdict: match loss.map(|estimate| estimate.interval) {
                Some(interval) if interval.low > 0.0 => "worse without it",
                Some(interval) if interval.high < 0.0 => "better without it",
                _ => "no clear difference",
            },
            kept: format!("{:.0} of 100", 100.0 * found.list_kept),
        }
    }
}

/// A small figure with its interval, in thousandths.
fn thousandths(estimate: &Estimate) -> String {
    let said = |value: f64| signed(1000.0 * value, 2);
    format!("{} ({} to {})", said(estimate.value), said(estimate.interval.low), said(estimate.interval.high))
}

impl Article {
    fn of(model: AnyModel<'_>, place: usize, table: &TermTable, scale: PageScale) -> Self {
        let ranges = &model.candidate().training().ranges;
        let range = ranges.iter().find(|range| Some(&range.feature) == table.on.first());
        let is_about = table.shares == Shares::FromTenths;
        let rows: &[ShapeRow] = match &table.shape {
            ShapeTable::Steps { rows } | ShapeTable::Line { rows, .. } => rows,
            ShapeTable::Grid { .. } => &[],
        };
        let heat = Heat::of(table);
        let shown = rows.iter().filter(|row| row.share != Some(0.0) || labels::is_valued(row));
        let unit = table.units.first().map_or("", String::as_str);
        let (lowest, highest) = heat.as_ref().map_or_else(|| extremes(rows, unit, is_about), Heat::extremes);
        Self {
            place,
            id: format!("term-{place}"),
            name: name(table),
            importance: format!("{:.3}", table.importance),
            features: table.on.iter().filter_map(|name| Read::of(model, name)).collect(),
            lowest,
            highest,
            without: Without::of(model.without(&table.on)),
            curve: Curve::of(table, range, scale),
            rows: shown.map(|row| ValueRow::of(row, is_about)).collect(),
            is_about,
            is_line: matches!(table.shape, ShapeTable::Line { .. }),
            unit: if matches!(unit, "yes or no" | "value") { String::new() } else { unit.to_owned() },
            open: rows.len() <= OPEN,
            heat,
        }
    }
}

/// The rows that lower and that raise the score most, among those that people were seen in; of nearly equal
/// ones the commonest.
fn extremes(rows: &[ShapeRow], unit: &str, is_about: bool) -> (Option<Extreme>, Option<Extreme>) {
    const EQUAL: f64 = 0.005;
    let seen =
        || rows.iter().filter_map(|row| row.share.filter(|share| *share > 0.0).map(|share| (row, share)));
    let of = |sign: f64| {
        let most = seen().map(|(row, _)| sign * row.contribution).fold(0.0, f64::max);
        let near = seen().filter(|(row, _)| most - sign * row.contribution < EQUAL);
        let (row, share) = near.max_by(|a, b| a.1.total_cmp(&b.1))?;
        let at = if labels::is_valued(row) { with_unit(&row.label, unit) } else { row.label.clone() };
        let said = if is_about && labels::is_valued(row) { about(share) } else { percent(share) };
        if most > 0.0 { Extreme::of(row.contribution, at, said) } else { None }
    };
    (of(-1.0), of(1.0))
}

impl Read {
    fn of(model: AnyModel<'_>, name: &str) -> Option<Self> {
        let feature = feature(model, name)?;
        let range: Option<&FeatureRange> =
            model.candidate().training().ranges.iter().find(|range| range.feature == name);
        let rows = model.candidate().training().rows;
        let share = |of: fn(&FeatureRange) -> f64| {
            range.map_or_else(|| "not known".to_owned(), |range| super::about::share(of(range), rows))
        };
        Some(Self {
            label: feature.label.clone(),
            reads: reads(&feature.records, &feature.measure, feature.over),
            why: feature.why.as_deref().map(words::sentence).unwrap_or_default(),
            household: feature.scope == Scope::Household,
            help_seeking: feature.help_seeking,
            direction: match feature.direction {
                Direction::None => "",
                Direction::Rising => "declared: the score rises with it, or stays",
                Direction::Falling => "declared: the score falls with it, or stays",
            },
            missing: share(|range| range.missing),
            not_covered: share(|range| range.not_covered),
        })
    }
}

impl ValueRow {
    fn of(row: &ShapeRow, is_about: bool) -> Self {
        Self {
            label: row.label.clone(),
            points: words::points(row.contribution),
            interval: interval(row.contribution, row.reach),
            share: labels::share(row, is_about),
            note: if row.learnt { "" } else { "training hardly saw this: it counts as an average case" },
        }
    }
}
