//! From cells and outcomes to terms: cut, fit, find pairs, check them on other families, fit all, redraw.

use rayon::prelude::*;

use super::axis::StepAxis;
use super::bins;
use super::block::{Block, Kind};
use super::choice::{REST_WHILE_CHOOSING, limit_terms, supports_a_choice};
use super::column::{Column, masses};
use super::descent::{Cases, Descent, FLAT, MOST_STEPS_OF_FIT};
use super::grid::Grid;
use super::judge::Hold;
use super::line::Line;
use super::task::{FeatureKind, Task};
use super::together::{Pairs, choose_all};
use crate::features::{Cells, Exact};
use crate::model::footing::is_broad;
use crate::model::refits::Draw;

/// The finished fit, in steps.
pub(super) struct Grown {
    pub(super) intercept: f64,
    pub(super) terms: Vec<GrownTerm>,
    /// For each redraw the intercept.
    pub(super) intercepts: Vec<f64>,
    pub(super) notes: Notes,
}

/// What was done that nobody asked for.
#[derive(Default)]
pub(super) struct Notes {
    /// Features some of whose codes share a step, and how many codes.
    pub(super) shared: Vec<(usize, usize)>,
    /// Features of which a step was cut again because outcomes differed within it, and into how many steps in all.
    pub(super) cut: Vec<(usize, usize)>,
    /// How the features' own terms are held.
    pub(super) hold: Hold,
    pub(super) pairs: PairNotes,
}

/// How many pairs there are.
#[derive(Clone, Copy, Default)]
pub(super) struct PairNotes {
    /// Clear where they were looked for.
    pub(super) clear: usize,
    /// Of these in the model.
    pub(super) kept: usize,
    /// In the model because they pay together.
    pub(super) together: usize,
}

/// A centred term.
pub(super) struct GrownTerm {
    pub(super) features: Vec<usize>,
    pub(super) edges: Vec<Vec<f64>>,
    pub(super) values: Vec<f64>,
    pub(super) counts: Vec<f64>,
    /// For each redraw the steps, centred.
    pub(super) redrawn: Vec<Vec<f64>>,
}

pub(super) fn grow(task: &Task<'_>) -> Grown {
    let (axes, mut columns): (Vec<StepAxis>, Vec<Column>) =
        task.cells.par_iter().zip(task.kinds).map(|(cells, kind)| StepAxis::of(task, *cells, *kind)).unzip();
    let blocks: Vec<Block> = axes
        .iter()
        .zip(task.kinds)
        .zip(task.cells)
        .map(|((axis, kind), cells)| match (axis, *kind) {
            (StepAxis::Numbers(edges), FeatureKind::Number(direction, scale)) => {
                let (places, counts) = bins::places(*cells, task.mass, &edges.at, scale);
                Block::new(Kind::Ordered { steps: axis.values(), direction })
                    .with_line(Line::of(&places, &counts))
            }
            _ => Block::new(Kind::Levels { steps: axis.values() }),
        })
        .collect();
    let whole = Cases { outcomes: task.outcomes, mass: task.mass };
    let learnt = task.learnt(0);
    let learning = Cases { outcomes: task.outcomes, mass: Some(&learnt) };
    let mut pairs = Pairs::default();
    let mut fit;
    if (task.most_pairs > 0 || task.most_terms.is_some()) && supports_a_choice(task) {
        fit = Descent::start(blocks.iter().cloned(), learning);
        fit.run(&columns, learning, MOST_STEPS_OF_FIT, REST_WHILE_CHOOSING);
        if task.most_pairs > 0 {
            pairs = choose_all(task, &mut fit, &mut columns, (&blocks, learning));
        }
        limit_terms(task, &mut fit, &columns);
        fit.unsettle();
        fit.rescore(&columns, whole);
    } else {
        fit = Descent::start(blocks.iter().cloned(), whole);
    }
    fit.fit_terms(&columns, whole);
    let hold = Hold::judged(task, &blocks, &columns[..axes.len()], (whole, fit.loss()));
    if !hold.keeps_idle {
        fit.drop_idle(&columns, axes.len(), whole);
    }
    let factor = fit.hold(hold.factor, &columns, axes.len(), whole);
    fit.weigh(&columns);
    let redrawn = redraw(task, &fit, &columns);
    let mut grown = terms(task, &fit, &columns, &axes, &pairs, &redrawn);
    grown.notes = Notes { hold: Hold { factor, ..hold }, pairs: grown.notes.pairs, ..notes(&axes) };
    grown
}

fn notes(axes: &[StepAxis]) -> Notes {
    let mut notes = Notes::default();
    for (feature, axis) in axes.iter().enumerate() {
        match axis {
            StepAxis::Numbers(edges) if edges.are_cut_again => {
                notes.cut.push((feature, axis.values()));
            }
            StepAxis::Codes(levels) if levels.sharing() > 0 => notes.shared.push((feature, levels.sharing())),
            _ => {}
        }
    }
    notes
}

/// The fit as it would be had other families been drawn, several times.
fn redraw(task: &Task<'_>, fit: &Descent, columns: &[Column]) -> Vec<(f64, Vec<Vec<f64>>)> {
    let determined = fit.determined();
    (0..task.redraws)
        .into_par_iter()
        .map(|nth| {
            let draw = Draw::new(task.seed, nth as u32);
            let counts: Vec<f32> = task.families.iter().map(|&family| draw.count(family)).collect();
            let mut drawn = 0;
            let normal = || {
                drawn += 1;
                draw.normal(drawn)
            };
            fit.redrawn(columns, &counts, &determined, normal)
        })
        .collect()
}

/// Takes absences and codes that too few families have for never seen, and values that too few have beside an absence. Their
/// steps have no neighbours that would hold them, so such a step would be what became of those few.
fn forget_rare_steps(task: &Task<'_>, columns: &[Column], grids: &[Grid], counts: &mut [Vec<f64>]) {
    let features = task.cells.len();
    let is_rare = |cells: &Cells<'_>, is: &dyn Fn(Exact) -> bool| {
        !is_broad((0..cells.len()).filter(|&row| is(cells.at(row))), Some(task.families))
    };
    // For each feature whether to forget missing, and not covered.
    let rare: Vec<[bool; 2]> = task
        .cells
        .iter()
        .map(|cells| {
            [Exact::Missing, Exact::NotCovered].map(|absence| is_rare(cells, &|cell| cell == absence))
        })
        .collect();
    let absences = |steps: usize, rare: [bool; 2]| {
        [steps - 2, steps - 1].into_iter().zip(rare).filter(|(_, is_rare)| *is_rare).map(|(step, _)| step)
    };
    for ((counts, &rare), cells) in counts.iter_mut().zip(&rare).zip(task.cells) {
        let values = counts.len() - 2;
        let is_absent = counts[values..].iter().any(|&count| count > 0.0);
        if is_absent && is_rare(cells, &|cell| cell.value().is_some()) {
            counts[..values].fill(0.0);
        }
        for step in absences(counts.len(), rare) {
            counts[step] = 0.0;
        }
    }
    for (feature, kind) in task.kinds.iter().enumerate() {
        if matches!(kind, FeatureKind::Category { .. }) {
            let codes = columns[feature].to_codes(task.outcomes.len());
            for step in rare_codes(&codes, counts[feature].len() - 2, task.families) {
                counts[feature][step] = 0.0;
            }
        }
    }
    for (Grid { first, second }, counts) in grids.iter().zip(&mut counts[features..]) {
        for row in absences(first.steps, rare[first.feature]) {
            counts[row * second.steps..(row + 1) * second.steps].fill(0.0);
        }
        for column in absences(second.steps, rare[second.feature]) {
            counts.iter_mut().skip(column).step_by(second.steps).for_each(|count| *count = 0.0);
        }
    }
}

/// The steps, of so many, that too few families are on.
fn rare_codes(codes: &[u8], steps: usize, families: &[u64]) -> impl Iterator<Item = usize> {
    let mut rows: Vec<Vec<usize>> = vec![Vec::new(); steps];
    for (row, &code) in codes.iter().enumerate() {
        if let Some(rows) = rows.get_mut(usize::from(code)) {
            rows.push(row);
        }
    }
    (0..steps).filter(move |&step| !is_broad(rows[step].iter().copied(), Some(families)))
}

/// Purified, centred terms; those that are flat are left out.
fn terms(
    task: &Task<'_>,
    fit: &Descent,
    columns: &[Column],
    axes: &[StepAxis],
    pairs: &Pairs,
    redrawn: &[(f64, Vec<Vec<f64>>)],
) -> Grown {
    let rows = task.outcomes.len();
    let features = axes.len();
    let mut counts: Vec<Vec<f64>> =
        columns.iter().zip(&fit.parts).map(|(column, part)| column.counts(rows, part.values.len())).collect();
    let grids = &pairs.grids;
    forget_rare_steps(task, columns, grids, &mut counts);
    let masses = masses(task.mass, columns, &counts);
    let tidy = |intercept: f64, mut values: Vec<Vec<f64>>| -> (f64, Vec<Vec<f64>>) {
        let mut intercept = intercept;
        for (place, grid) in grids.iter().enumerate() {
            let (first, second) = grid.purify(&mut values[features + place], &masses[features + place]);
            grid.hand_over(&mut values, &first, &second);
        }
        for ((values, counts), masses) in values.iter_mut().zip(&counts).zip(&masses) {
            let mass: f64 = masses.iter().sum();
            let sum: f64 = values.iter().zip(masses).map(|(value, here)| value * here).sum();
            let mean = if mass > 0.0 { sum / mass } else { 0.0 };
            for (value, &count) in values.iter_mut().zip(counts) {
                *value = if count == 0.0 { 0.0 } else { *value - mean };
            }
            intercept += mean;
        }
        (intercept, values)
    };
    let (intercept, values) = tidy(fit.intercept, fit.parts.iter().map(|part| part.values.clone()).collect());
    let mut redraws: Vec<(f64, Vec<Vec<f64>>)> =
        redrawn.iter().map(|(intercept, values)| tidy(*intercept, values.clone())).collect();
    let mut terms = Vec::new();
    let mut noted = PairNotes { clear: pairs.clear, ..PairNotes::default() };
    for (place, values) in values.into_iter().enumerate() {
        let spread = values.iter().copied().fold(f64::NEG_INFINITY, f64::max)
            - values.iter().copied().fold(f64::INFINITY, f64::min);
        if spread < FLAT {
            continue;
        }
        let redrawn: Vec<Vec<f64>> =
            redraws.iter_mut().map(|(_, values)| std::mem::take(&mut values[place])).collect();
        terms.push(match place.checked_sub(features) {
            None => {
                let axis = &axes[place];
                GrownTerm {
                    features: vec![place],
                    edges: vec![axis.edges()],
                    values: axis.spread(&values),
                    counts: axis.spread(&counts[place]),
                    redrawn: redrawn.iter().map(|values| axis.spread(values)).collect(),
                }
            }
            Some(pair) => {
                let grid = &grids[pair];
                let is_clear = pair < grids.len() - pairs.together;
                *(if is_clear { &mut noted.kept } else { &mut noted.together }) += 1;
                GrownTerm {
                    features: vec![grid.first.feature, grid.second.feature],
                    edges: vec![
                        grid.first.edges(&axes[grid.first.feature]),
                        grid.second.edges(&axes[grid.second.feature]),
                    ],
                    values: grid.spread(&values, axes),
                    counts: grid.spread(&counts[place], axes),
                    redrawn: redrawn.iter().map(|values| grid.spread(values, axes)).collect(),
                }
            }
        });
    }
    let intercepts = redraws.into_iter().map(|(intercept, _)| intercept).collect();
    Grown { intercept, terms, intercepts, notes: Notes { pairs: noted, ..Notes::default() } }
}
