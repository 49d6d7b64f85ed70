//! How strongly terms are held, and whether idle ones go: what families say that the fit has not seen.

use std::collections::BTreeMap;

use rayon::prelude::*;

use super::bar::BARELY;
use super::block::Block;
use super::column::Column;
use super::descent::{Cases, Descent};
use super::task::Task;

/// What is done to a fit whose strengths come from its own cases.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Hold {
    /// Times so much: the strengths of all features' own terms.
    pub(super) factor: f64,
    /// Whether terms stay that hardly say anything.
    pub(super) keeps_idle: bool,
}

/// The strengths come from an approximation of the likelihood (Laplace's) in which yes and no say less than they do, the more the better
/// outcomes are told apart (N. Breslow and X. Lin 1995, *Biometrika* 82:81-91): terms are then held too strongly. These are tried
/// instead, from twice as strong to a hundredth.
const FACTORS: [f64; 8] = [2.0, 1.0, 0.5, 0.25, 0.12, 0.06, 0.03, 0.01];
/// What a factor has to bring, as a logarithm of a likelihood, for each of its own logarithm: a tenth as strong 1.2.
const BROUGHT_BY_FACTOR: f64 = 0.5;
/// And what idle terms have to, all together: one, below which Kass and Raftery (*Bayes factors*, JASA 90, 1995) find a difference not
/// worth more than a bare mention, or where they are many the least that a term ever has to, for each. Somebody has to read them.
const BROUGHT_BY_IDLE: f64 = 1.0;
/// With as many cases of the rarer outcome asking brings little and costs more than half the fit (80,000 cases of 60 features: the same
/// scores at 1.6 times the CPU), unless outcomes are told apart so well that less is left unexplained than not.
const MANY_OUTCOMES: f64 = 1_000.0;
/// Families are set aside, fold by fold, until some so many cases of the rarer outcome were foreseen: what they say is then clear, and
/// more folds would cost as much as the fit itself.
const FORESEEN: f64 = 250.0;
/// A factor that goes too far is drawn back to these powers of itself.
const POWERS: [f64; 4] = [1.0, 0.5, 0.25, 0.125];
/// The share of cases, the surest by a term alone, that say how sure it is: of a yes or no they are all alike, and fewer than a fourth
/// lie far out on a line.
const SUREST: f64 = 0.25;

impl Default for Hold {
    /// As its own cases speak for.
    fn default() -> Self {
        Self { factor: 1.0, keeps_idle: false }
    }
}

impl Hold {
    /// The one under which outcomes of other families are foreseen best, if that is worth it: what it brings is more than its own
    /// standard error (over families, as of a pair) and its [price](Self::price). Of few cases the best of sixteen is else often
    /// only the luckiest.
    ///
    /// For each fold of families all is done that was done with all cases, pairs apart: terms, their strengths and which are idle are
    /// found without these families, and then their outcomes are foreseen. `left` is the log loss that the fit of all cases leaves.
    pub(super) fn judged(
        task: &Task<'_>,
        blocks: &[Block],
        columns: &[Column],
        (cases, left): (Cases<'_>, f64),
    ) -> Self {
        if cases.rarer() >= MANY_OUTCOMES && 2.0 * left > cases.loss_alone() {
            return Self::default();
        }
        let tried: Vec<Self> = [false, true]
            .into_iter()
            .flat_map(|keeps_idle| FACTORS.map(|factor| Self { factor, keeps_idle }))
            .collect();
        let most = task.validation.folds();
        let needed = (FORESEEN * f64::from(most) / cases.rarer()).ceil().min(f64::from(most)) as u8;
        let folds: Vec<Fold> = (0..needed)
            .into_par_iter()
            .filter_map(|fold| Fold::of(&tried, task, blocks, columns, (cases, fold)))
            .collect();
        let idle = folds.iter().map(|fold| fold.idle).sum::<usize>() as f64 / folds.len() as f64;
        let as_it_is = tried.iter().position(|hold| *hold == Self::default()).unwrap_or_default();
        let gain = |place: usize| -> f64 {
            let of_fold = |fold: &Fold| -> Vec<f64> {
                let both = fold.losses[as_it_is].iter().zip(&fold.losses[place]);
                both.map(|(before, after)| before - after).collect()
            };
            let gains: Vec<f64> = folds.iter().flat_map(of_fold).collect();
            let error = gains.iter().map(|gain| gain * gain).sum::<f64>().sqrt();
            gains.iter().sum::<f64>() - error - tried[place].price(idle)
        };
        let best = (0..tried.len()).max_by(|&a, &b| gain(a).total_cmp(&gain(b)));
        best.filter(|&best| gain(best) > 0.0).map_or_else(Self::default, |best| tried[best])
    }

    /// What it has to bring where so many terms are idle.
    fn price(self, idle: f64) -> f64 {
        let idle = if self.keeps_idle { BROUGHT_BY_IDLE.max(BARELY * idle) } else { 0.0 };
        BROUGHT_BY_FACTOR * self.factor.ln().abs() + idle
    }
}

/// What was foreseen of the families of a fold.
struct Fold {
    /// For each that is tried the log loss of each family.
    losses: Vec<Vec<f64>>,
    /// How many terms are idle without these families.
    idle: usize,
}

impl Fold {
    /// `None` where all others have the same outcome.
    fn of(
        tried: &[Hold],
        task: &Task<'_>,
        blocks: &[Block],
        columns: &[Column],
        (cases, fold): (Cases<'_>, u8),
    ) -> Option<Self> {
        let mass = |is_held_out: bool| -> Vec<f32> {
            let of = |row| {
                let is_in = (task.validation.fold(row) == fold) == is_held_out;
                if is_in { cases.mass(row) } else { 0.0 }
            };
            (0..cases.outcomes.len()).map(of).collect()
        };
        let (learnt, held_out) = (mass(false), mass(true));
        let learnt = Cases { mass: Some(&learnt), ..cases };
        let held_out = Cases { mass: Some(&held_out), ..cases };
        if learnt.rarer() <= 0.0 {
            return None;
        }
        let mut all = Descent::start(blocks.iter().cloned(), learnt);
        all.fit_terms(columns, learnt);
        let mut telling = all.clone();
        telling.drop_idle(columns, blocks.len(), learnt);
        let losses = |hold: &Hold| {
            let mut fit = if hold.keeps_idle { all.clone() } else { telling.clone() };
            fit.hold(hold.factor, columns, blocks.len(), learnt);
            fit.rescore(columns, held_out);
            let mut of: BTreeMap<u64, f64> = BTreeMap::new();
            for (row, &score) in fit.scores().iter().enumerate().filter(|(row, _)| held_out.mass(*row) > 0.0)
            {
                *of.entry(task.families[row]).or_default() += cases.loss(row, score);
            }
            of.into_values().collect()
        };
        let idle = telling.parts.iter().filter(|part| part.is_flat).count();
        Some(Self { losses: tried.iter().map(losses).collect(), idle })
    }
}

impl Descent {
    /// Holds the first `terms` so many times as strongly as their own cases speak for, and brings all to rest so. Where some term alone
    /// would then be surer than one case more on either side would have it, the factor is drawn back: a yes or no that is the outcome
    /// then stays below half a case with the others beside it. Gives the factor.
    pub(super) fn hold(&mut self, factor: f64, columns: &[Column], terms: usize, cases: Cases<'_>) -> f64 {
        if (factor - 1.0).abs() < f64::EPSILON {
            return 1.0;
        }
        let (counted, _) = cases.counted();
        let surest = (counted + 1.0).ln();
        for factor in POWERS.map(|power| factor.powf(power)) {
            let mut held = self.clone();
            held.scale_strengths(factor, terms);
            held.rest_as_held(columns, cases);
            if factor > 1.0 || (0..terms).all(|place| held.sureness(place, &columns[place]) <= surest) {
                *self = held;
                return factor;
            }
        }
        1.0
    }

    /// The log-odds either way that a fourth of the cases have or more, were they average in all but this term.
    fn sureness(&self, place: usize, column: &Column) -> f64 {
        let values = &self.parts[place].values;
        let rows = self.scores().len();
        let mut told: Vec<(f64, f64)> = values
            .iter()
            .map(|value| (self.intercept + value).abs())
            .zip(column.counts(rows, values.len()))
            .collect();
        told.sort_by(|a, b| b.0.total_cmp(&a.0));
        let mut surer = 0.0;
        let found = told.into_iter().find(|(_, count)| {
            surer += count;
            surer >= SUREST * rows as f64
        });
        found.map_or(0.0, |(log_odds, _)| log_odds)
    }
}
