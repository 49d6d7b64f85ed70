//! The fit: one convex objective, brought to its minimum by exact moves of one term at a time.
//!
//! Outside, the log loss is replaced by its quadratic model at the present scores (Newton's method for
//! generalised linear models). Inside, terms take turns: a term's residuals are added up by step, its best
//! steps are the solution of a narrow-banded system, and one pass takes the move out of what the others
//! see. The quadratic model's residual is kept up to date, so that the scores themselves need no pass over
//! the terms.
//!
//! How smooth each term is, is part of the fit: see [`Block::wanted`](super::block::Block::wanted).

use super::block::{Block, Strengths, Wanted};
use super::column::{Column, MOST_STEPS, Steps, Working};
use super::slopes::Lines;
use crate::stats::link::{SoftplusSum, probability_single, softplus};

/// A term while it is fitted.
#[derive(Debug, Clone)]
pub(super) struct Part {
    pub(super) block: Block,
    pub(super) rough: f64,
    pub(super) values: Vec<f64>,
    /// For each step the sum of the weights.
    pub(super) information: Vec<f64>,
    /// The length of its last move, in standard errors.
    moved: f64,
    /// Whether it was taken out: it stays at zero.
    is_out: bool,
    /// Whether it was found flat: it stays so smooth.
    pub(super) is_flat: bool,
}

/// The cases: outcomes, and how much each counts (0: not at all).
#[derive(Debug, Clone, Copy)]
pub(super) struct Cases<'a> {
    pub(super) outcomes: &'a [bool],
    pub(super) mass: Option<&'a [f32]>,
}

/// A fit on its way.
#[derive(Debug, Clone)]
pub(super) struct Descent {
    pub(super) parts: Vec<Part>,
    pub(super) intercept: f64,
    /// See [`Strengths::level`]; one for all terms.
    pub(super) level: f64,
    lines: Lines,
    scores: Vec<f32>,
    working: Working,
    /// The log loss of all cases at these scores, in all.
    loss: f64,
}

/// The roughness of a term that was found flat.
const FLAT_ROUGHNESS: f64 = 1e9;
/// The least weight of a case in the quadratic model: a case that is all but certain still anchors it.
const LEAST_WEIGHT: f32 = 1e-6;
/// A term's roughness before anything is known: neighbours differ by some 0.2 log-odds.
const FIRST_ROUGHNESS: f64 = 200.0;
/// The level's strength before anything is known: absences differ from values by some 0.5 log-odds.
const FIRST_LEVEL: f64 = 4.0;
/// The level's strength of a term of which nothing is absent. There is no level to tell, and a strong one would only draw steps of few
/// cases together: this much keeps a term that separates the outcomes from saying more than half a case more on either side would.
const HELD_LEVEL: f64 = 0.01;
/// The level's strength stays between these: absences differ from values by some 1.4 log-odds, or 0.5. It
/// lies on every value step too, so a strong one would flatten shapes that have nothing to do with absences.
const LEAST_LEVEL: f64 = 0.5;
const MOST_LEVEL: f64 = 4.0;
/// A fit is not at rest while the strength of a term still falls below this share of itself in one step.
const LOOSENED: f64 = 0.5;
/// Steps of the whole fit, and when it is at rest: when a step moves the scores of all cases together by
/// less than this many standard errors of one coefficient. Half its square is what the log-likelihood is
/// short of its best, over all cases.
pub(super) const MOST_STEPS_OF_FIT: usize = 40;
const REST: f64 = 0.3;
/// How often it is asked which terms are flat: once some are, the others' slopes are judged by each other alone.
const MOST_ROUNDS: usize = 3;
/// Steps in which the others settle when some terms became flat.
const STEPS_AFTER: usize = 10;
/// Sweeps between two looks at the log loss.
const SWEEPS: usize = 2;
/// Moves shorter than this hardly change the weights: the quadratic model keeps them, which changes the
/// path and not where it ends.
const WEIGHTS_SERVE: f64 = 1.0;
/// Sweeps of a redrawn fit.
const REDRAW_SWEEPS: usize = 3;

/// A term whose steps all lie within this of each other (log-odds) is flat: it moves a chance of 5% by
/// less than a fortieth of a percentage point.
pub(super) const FLAT: f64 = 0.005;

/// What a step starts from.
struct Before {
    intercept: f64,
    values: Vec<Vec<f64>>,
    objective: f64,
}

/// Rises of the objective below this share of it are rounding: losses are summed from single precision.
const ROUNDING: f64 = 1e-7;
/// A step is not cut shorter than this.
const LEAST_SHARE: f64 = 1e-3;

impl Cases<'_> {
    pub(super) fn mass(&self, row: usize) -> f32 {
        self.mass.map_or(1.0, |mass| mass[row])
    }

    /// How much they count together, and those of them with the outcome.
    pub(super) fn counted(&self) -> (f64, f64) {
        let each =
            self.outcomes.iter().enumerate().map(|(row, &outcome)| (f64::from(self.mass(row)), outcome));
        each.fold((0.0, 0.0), |(mass, positive), (here, outcome)| {
            (mass + here, positive + if outcome { here } else { 0.0 })
        })
    }

    /// How much those of the rarer outcome count.
    pub(super) fn rarer(&self) -> f64 {
        let (mass, positive) = self.counted();
        positive.min(mass - positive)
    }

    /// The log loss, in all, of the mean chance alone.
    pub(super) fn loss_alone(&self) -> f64 {
        let (mass, positive) = self.counted();
        let of = |part: f64| -part * (part / mass).ln();
        of(positive) + of(mass - positive)
    }

    /// What a score costs a case.
    pub(super) fn loss(&self, row: usize, score: f32) -> f64 {
        f64::from(self.mass(row)) * softplus(f64::from(if self.outcomes[row] { -score } else { score }))
    }

    /// Adds what a score costs a case: its mass times minus the logarithm of the chance of what happened.
    #[inline]
    fn add_loss(&self, to: &mut SoftplusSum, row: usize, score: f32) {
        to.add(self.mass(row), if self.outcomes[row] { -score } else { score });
    }
}

impl Part {
    /// How strongly it is held: a flat term has no slope either.
    fn strengths(&self, level: f64, lines: Lines) -> Strengths {
        let line = if self.is_flat { FLAT_ROUGHNESS } else { lines.of(&self.block) };
        let level = if self.block.has_absences(&self.information) { level } else { HELD_LEVEL };
        Strengths { rough: self.rough, level, line }
    }

    pub(super) fn new(block: Block) -> Self {
        let steps = block.steps();
        Self {
            block,
            rough: FIRST_ROUGHNESS,
            values: vec![0.0; steps],
            information: vec![0.0; steps],
            moved: f64::INFINITY,
            is_out: false,
            is_flat: false,
        }
    }
}

impl Descent {
    pub(super) fn start(blocks: impl Iterator<Item = Block>, cases: Cases<'_>) -> Self {
        let rows = cases.outcomes.len();
        let (mass, positive) = cases.counted();
        let intercept = (positive / (mass - positive)).ln();
        let working = Working {
            residual: vec![0.0; rows],
            weight: vec![0.0; rows],
            shift: 0.0,
            stored: 0.0,
            weights: 0.0,
        };
        let parts = blocks.map(Part::new).collect();
        let mut descent = Self {
            parts,
            intercept,
            level: FIRST_LEVEL,
            lines: Lines::first(cases.rarer()),
            scores: vec![intercept as f32; rows],
            working,
            loss: 0.0,
        };
        descent.linearise(cases, true);
        descent
    }

    /// Residuals at the present scores, and weights, unless those in use still serve.
    fn linearise(&mut self, cases: Cases<'_>, weights: bool) {
        let working = &mut self.working;
        (working.shift, working.stored) = (0.0, 0.0);
        let mut loss = SoftplusSum::default();
        if weights {
            working.weights = 0.0;
        }
        for (row, &outcome) in cases.outcomes.iter().enumerate() {
            let chance = probability_single(self.scores[row]);
            let mass = cases.mass(row);
            cases.add_loss(&mut loss, row, self.scores[row]);
            let residual = (f32::from(u8::from(outcome)) - chance) * mass;
            working.residual[row] = residual;
            working.stored += f64::from(residual);
            if weights {
                let weight = (chance * (1.0 - chance)).max(LEAST_WEIGHT) * mass;
                working.weight[row] = weight;
                working.weights += f64::from(weight);
            }
        }
        self.loss = loss.finish();
    }

    /// Takes the sweeps' moves into the scores, and looks afresh; where the quadratic model promised too
    /// much, only as far as the objective falls. Gives how far the scores moved, in standard errors of one
    /// coefficient, and whether the weights are fresh.
    fn settle(&mut self, cases: Cases<'_>, before: &Before, fresh: bool) -> (f64, bool) {
        let shift = self.working.shift as f32;
        let mut moved = 0.0;
        // What is left of the residuals says how far each score went; the moves take their place.
        for (row, &score) in self.scores.iter().enumerate() {
            let weight = self.working.weight[row];
            let by = if weight > 0.0 {
                let residual =
                    (f32::from(u8::from(cases.outcomes[row])) - probability_single(score)) * cases.mass(row);
                (residual - self.working.residual[row]) / weight + shift
            } else {
                0.0
            };
            self.working.residual[row] = by;
            moved += f64::from(weight * by * by);
        }
        let mut share = 1.0;
        while share > LEAST_SHARE && self.objective(cases, before, share) > before.objective {
            share /= 2.0;
        }
        for (score, by) in self.scores.iter_mut().zip(&self.working.residual) {
            *score += share as f32 * by;
        }
        if share < 1.0 {
            let between = |now: f64, then: f64| then + share * (now - then);
            self.intercept = between(self.intercept, before.intercept);
            for (part, then) in self.parts.iter_mut().zip(&before.values) {
                for (value, &then) in part.values.iter_mut().zip(then) {
                    *value = between(*value, then);
                }
            }
        }
        let fresh = fresh || share < 1.0;
        self.linearise(cases, fresh);
        (share * f64::sqrt(moved), fresh)
    }

    /// Log loss of all cases and penalties, a share of the way along the moves that stand where the
    /// residuals were.
    fn objective(&self, cases: Cases<'_>, before: &Before, share: f64) -> f64 {
        let mut loss = SoftplusSum::default();
        for (row, (score, by)) in self.scores.iter().zip(&self.working.residual).enumerate() {
            cases.add_loss(&mut loss, row, score + share as f32 * by);
        }
        loss.finish() + self.penalty(before, share)
    }

    /// The penalties of all terms, a share of the way from where they stood before.
    fn penalty(&self, before: &Before, share: f64) -> f64 {
        let mut objective = 0.0;
        for (part, then) in self.parts.iter().zip(&before.values) {
            let along: Vec<f64> =
                part.values.iter().zip(then).map(|(now, then)| then + share * (now - then)).collect();
            let strengths = self.strengths(part);
            objective += part.block.penalty(&part.information, &along, strengths);
        }
        objective
    }

    /// Where the fit stands before a step.
    fn before(&self) -> Before {
        let values = self.parts.iter().map(|part| part.values.clone()).collect();
        let mut before = Before { intercept: self.intercept, values, objective: 0.0 };
        before.objective = (self.loss + self.penalty(&before, 0.0)) * (1.0 + ROUNDING);
        before
    }

    /// Adds up each term's weights.
    pub(super) fn weigh(&mut self, columns: &[Column]) {
        let working = &self.working;
        for (part, column) in self.parts.iter_mut().zip(columns) {
            let sums = column.sums(&working.weight, working.weights);
            let steps = part.block.steps();
            part.information.copy_from_slice(&sums[..steps]);
        }
    }

    /// One turn of every term whose last move was longer than `busy`. Gives the length of the longest
    /// move; lengths are in standard errors of the term.
    fn sweep(&mut self, columns: &[Column], pulls: Option<&[Vec<f64>]>, busy: f64) -> f64 {
        self.centre();
        let mut longest: f64 = 0.0;
        let working = &mut self.working;
        for (place, (part, column)) in self.parts.iter_mut().zip(columns).enumerate() {
            if part.moved < busy || part.is_out {
                continue;
            }
            let strengths = part.strengths(self.level, self.lines);
            let pull = pulls.map(|pulls| &pulls[place][..]);
            self.intercept += part.take_turn(column, working, strengths, pull);
            longest = longest.max(part.moved);
        }
        longest
    }

    /// Moves the intercept to where the residuals add up to nothing.
    fn centre(&mut self) {
        let working = &mut self.working;
        let by = (working.stored - working.shift * working.weights) / working.weights;
        working.shift += by;
        self.intercept += by;
    }

    /// Brings all terms to rest, smoothness included, and takes the scores afresh.
    pub(super) fn fit_terms(&mut self, columns: &[Column], cases: Cases<'_>) {
        self.run(columns, cases, MOST_STEPS_OF_FIT, REST);
        self.rescore(columns, cases);
    }

    /// Makes those of the first `terms` flat that say too little, and brings the others to rest.
    pub(super) fn drop_idle(&mut self, columns: &[Column], terms: usize, cases: Cases<'_>) {
        for _ in 0..MOST_ROUNDS {
            let any = self.flatten(columns, terms, cases);
            self.run(columns, cases, STEPS_AFTER, REST);
            self.rescore(columns, cases);
            if !any {
                break;
            }
        }
    }

    /// Makes the strengths of the first `terms` so many times as large.
    pub(super) fn scale_strengths(&mut self, factor: f64, terms: usize) {
        for part in self.parts[..terms].iter_mut().filter(|part| !part.is_flat) {
            part.rough *= factor;
        }
        self.lines.features *= factor;
    }

    /// Brings the fit to rest at the strengths as they are, and takes the scores afresh.
    pub(super) fn rest_as_held(&mut self, columns: &[Column], cases: Cases<'_>) {
        self.weigh(columns);
        for _ in 0..MOST_STEPS_OF_FIT {
            if self.step(columns, cases, REST) < REST {
                break;
            }
        }
        self.rescore(columns, cases);
    }

    /// One step at the strengths as they are: some sweeps, and their moves taken into the scores. Gives how far these moved.
    fn step(&mut self, columns: &[Column], cases: Cases<'_>, rest: f64) -> f64 {
        let before = self.before();
        let longest = self.sweep(columns, None, 0.0);
        for _ in 1..SWEEPS {
            self.sweep(columns, None, rest / 2.0);
        }
        let (moved, fresh) = self.settle(cases, &before, longest > WEIGHTS_SERVE);
        if fresh {
            self.weigh(columns);
        }
        moved
    }

    /// Brings the fit to rest, smoothness included: until a step moves all scores together by less than
    /// `rest` standard errors of one coefficient and no term is about to be let go of, for at most `most`
    /// steps.
    pub(super) fn run(&mut self, columns: &[Column], cases: Cases<'_>, most: usize, rest: f64) {
        self.weigh(columns);
        for _ in 0..most {
            let moved = self.step(columns, cases, rest);
            // Of few cases the first strengths hold everything all but still, whatever the data would say.
            let wanted = self.wanted();
            let lines = self.lines.wanted(&self.parts.iter().map(|part| &part.block).zip(&wanted));
            let loosens = lines.features < LOOSENED * self.lines.features
                || self.parts.iter().zip(&wanted).any(|(part, wanted)| wanted.rough < LOOSENED * part.rough);
            if moved < rest && !loosens {
                return;
            }
            self.lines = lines;
            self.smooth(wanted);
        }
    }

    pub(super) fn strengths(&self, part: &Part) -> Strengths {
        part.strengths(self.level, self.lines)
    }

    /// For each term what it speaks for as it stands.
    fn wanted(&self) -> Vec<Wanted> {
        let of = |part: &Part| {
            if part.is_out || part.is_flat {
                return Wanted { rough: part.rough, slope: (0.0, 0.0) };
            }
            part.block.wanted(&part.information, &part.values, self.strengths(part))
        };
        self.parts.iter().map(of).collect()
    }

    /// Makes each term as smooth as is wanted, and re-estimates the level's strength.
    fn smooth(&mut self, wanted: Vec<Wanted>) {
        let (mut determined, mut spread) = (0.0, 0.0);
        for (part, wanted) in self.parts.iter_mut().zip(wanted) {
            if part.is_out || part.is_flat {
                continue;
            }
            part.rough = wanted.rough;
            let strengths = part.strengths(self.level, self.lines);
            let (count, square) = part.block.absence_spread(&part.information, &part.values, strengths);
            determined += count;
            spread += square;
        }
        if determined > 0.0 {
            self.level = (determined / spread.max(1e-12)).clamp(LEAST_LEVEL, MOST_LEVEL);
        }
    }

    pub(super) fn make_flat(&mut self, column: &Column, place: usize) {
        let part = &mut self.parts[place];
        (part.is_flat, part.rough) = (true, FLAT_ROUGHNESS);
        let strengths = part.strengths(self.level, self.lines);
        self.intercept += part.take_turn(column, &mut self.working, strengths, None);
    }

    /// Weights, and what a term is to explain, itself included, added up over its steps.
    pub(super) fn left_to(&self, column: &Column, part: &Part) -> (Vec<f64>, Vec<f64>) {
        let (information, mut side) = self.seen_by(column, part.values.len());
        for ((side, information), value) in side.iter_mut().zip(&information).zip(&part.values) {
            *side += information * value;
        }
        (information, side)
    }

    /// Looks at how smooth terms are with fresh eyes: what a part of the cases left open others may tell, and a strength that
    /// has run off to flatness does not come back by itself.
    pub(super) fn unsettle(&mut self) {
        for part in &mut self.parts {
            part.rough = part.rough.min(FIRST_ROUGHNESS);
        }
        self.level = FIRST_LEVEL;
        self.lines = self.lines.again();
    }

    /// Adds a term that stands at zero.
    pub(super) fn add(&mut self, block: Block, rough: f64) {
        self.parts.push(Part { rough, ..Part::new(block) });
    }

    /// Takes a term out for good: it says nothing from now on.
    pub(super) fn take_out(&mut self, place: usize) {
        let part = &mut self.parts[place];
        part.is_out = true;
        part.values.fill(0.0);
    }

    /// Computes the scores afresh from the terms, for all rows, and looks at these cases from now on.
    pub(super) fn rescore(&mut self, columns: &[Column], cases: Cases<'_>) {
        self.scores.fill(self.intercept as f32);
        for (part, column) in self.parts.iter().zip(columns) {
            column.add_to(&mut self.scores, &part.steps());
        }
        self.linearise(cases, true);
    }

    /// Weights and residuals added up over the cells of a column that is no term yet.
    pub(super) fn seen_by(&self, column: &Column, steps: usize) -> (Vec<f64>, Vec<f64>) {
        let Working { residual, weight, shift, stored, weights } = &self.working;
        let information = column.sums(weight, *weights)[..steps].to_vec();
        let sums = column.sums(residual, *stored);
        let left = information.iter().zip(sums).map(|(information, sum)| sum - shift * information).collect();
        (information, left)
    }

    /// The log loss of all cases, in all.
    pub(super) fn loss(&self) -> f64 {
        self.loss
    }

    /// For each term how many of its steps the data determine.
    pub(super) fn determined(&self) -> Vec<f64> {
        let of = |part: &Part| part.block.determined(&part.information, self.strengths(part)).0;
        self.parts.iter().map(of).collect()
    }

    pub(super) fn working(&self) -> &Working {
        &self.working
    }

    pub(super) fn scores(&self) -> &[f32] {
        &self.scores
    }

    /// How the terms would stand had other families been drawn: each row counts `counts` times as much,
    /// and the penalties pull as if their own expectations had been drawn anew. Gives the terms' values.
    ///
    /// One Newton step from the present fit, to which `sweeps` of the terms are enough: a redrawn sample
    /// moves terms by about a standard error. With the pull, draws spread as the posterior of a
    /// penalised fit does, bias included (Papandreou and Yuille, *Gaussian sampling by local
    /// perturbations*, 2010; Nychka, *Bayesian confidence intervals for smoothing splines*, JASA 83, 1988);
    /// the weights make it follow the families (Rubin, *The Bayesian bootstrap*, 1981).
    ///
    /// How smooth a term is, is an estimate too: a variance from `determined` differences, whose logarithm
    /// has itself a variance of some two over their number. It is drawn with the rest. Without it, terms of
    /// few steps (a yes or no is one difference) are thought to be known better than they are.
    pub(super) fn redrawn(
        &self,
        columns: &[Column],
        counts: &[f32],
        determined: &[f64],
        mut normal: impl FnMut() -> f64,
    ) -> (f64, Vec<Vec<f64>>) {
        let scale = |values: &[f32]| -> (Vec<f32>, f64) {
            let scaled: Vec<f32> = values.iter().zip(counts).map(|(value, count)| value * count).collect();
            let total = scaled.iter().map(|&value| f64::from(value)).sum();
            (scaled, total)
        };
        let (residual, stored) = scale(&self.working.residual);
        let (weight, weights) = scale(&self.working.weight);
        let mut redrawn = Self {
            parts: self.parts.clone(),
            intercept: self.intercept,
            level: self.level,
            lines: self.lines,
            scores: Vec::new(),
            working: Working { residual, weight, shift: 0.0, stored, weights },
            loss: 0.0,
        };
        for (part, determined) in redrawn.parts.iter_mut().zip(determined) {
            part.rough *= (normal() * (2.0 / determined.max(1.0)).sqrt()).exp();
        }
        redrawn.weigh(columns);
        let pulls: Vec<Vec<f64>> = redrawn
            .parts
            .iter()
            .map(|part| part.block.pull(&part.information, self.strengths(part), &mut normal))
            .collect();
        for _ in 0..REDRAW_SWEEPS {
            redrawn.sweep(columns, Some(&pulls), 0.0);
        }
        // The sum of all moves of the intercept is in `intercept`.
        (redrawn.intercept, redrawn.parts.into_iter().map(|part| part.values).collect())
    }
}

impl Part {
    /// How much it says: the standard deviation of its steps over the cases, by their information.
    pub(super) fn size(&self) -> f64 {
        let mass: f64 = self.information.iter().sum();
        let moment = |power: i32| {
            let each =
                self.information.iter().zip(&self.values).map(|(weight, value)| weight * value.powi(power));
            each.sum::<f64>() / mass
        };
        (moment(2) - moment(1) * moment(1)).max(0.0).sqrt()
    }

    /// The values as a table for a byte to index.
    pub(super) fn steps(&self) -> Steps<f64> {
        let mut steps = [0.0; MOST_STEPS];
        steps[..self.values.len()].copy_from_slice(&self.values);
        steps
    }

    /// Moves to the best steps while the other terms stand, and takes the move out of what they see. Gives the level, which
    /// is the intercept's.
    fn take_turn(
        &mut self,
        column: &Column,
        working: &mut Working,
        strengths: Strengths,
        pull: Option<&[f64]>,
    ) -> f64 {
        let sums = column.sums(&working.residual, working.stored);
        let moves = self.turn(&sums, working.shift, strengths, pull);
        column.advance(working, &moves);
        // What a column leaves out moved with the shift, not with its rows.
        let base = column.common().map_or(0.0, |common| moves[usize::from(common)]);
        let mut length = 0.0;
        for (information, step) in self.information.iter().zip(&moves) {
            working.stored -= information * (step - base);
            length += information * step * step;
        }
        self.moved = length.sqrt();
        let centre = self.block.centre(&self.information, &self.values);
        self.values.iter_mut().for_each(|value| *value -= centre);
        centre
    }

    /// The best steps while the other terms stand; gives the moves.
    fn turn(
        &mut self,
        sums: &Steps<f64>,
        shift: f64,
        strengths: Strengths,
        pull: Option<&[f64]>,
    ) -> Steps<f64> {
        let side: Vec<f64> = (0..self.block.steps())
            .map(|step| {
                let residual = sums[step] - shift * self.information[step];
                residual + self.information[step] * self.values[step] + pull.map_or(0.0, |pull| pull[step])
            })
            .collect();
        let lean = pull.map_or(0.0, |pull| pull[side.len()]);
        let best = self.block.solve(&self.information, side, lean, strengths);
        let mut moves = [0.0; MOST_STEPS];
        for (step, (value, best)) in self.values.iter_mut().zip(best).enumerate() {
            moves[step] = best - *value;
            *value = best;
        }
        moves
    }
}
