//! Pairs none of which is clear, and that pay together.

use rayon::prelude::*;

use super::block::Block;
use super::choice::{BARE_MENTION, Candidate, Chosen, REST_WHILE_CHOOSING, choose};
use super::column::Column;
use super::descent::{Cases, Descent, MOST_STEPS_OF_FIT};
use super::grid::Grid;
use super::task::Task;

/// What each pair has to bring: a grid is read cell by cell, and costs as much to read as five of the terms that hardly say anything
/// ([`BARELY`](super::bar::BARELY)).
const BROUGHT_BY_PAIR: f64 = 0.25;
/// Families are set aside, fold by fold, until so many cases of the rarer outcome were foreseen. Pairs that are not clear say little
/// together, too: it takes four times as many cases to hear it as to hear how strongly terms are held.
const FORESEEN: f64 = 1_000.0;

/// The pairs of a model, and what came of looking for them.
#[derive(Default)]
pub(super) struct Pairs {
    /// Their grids, in the order of the last parts.
    pub(super) grids: Vec<Grid>,
    /// How many were clear where they were looked for.
    pub(super) clear: usize,
    /// How many of the last are there because they pay together.
    pub(super) together: usize,
}

/// Chooses pairs, and adds those that are likelier than chance and not clear, all or none: where outcomes of other families are foreseen
/// better with them. As a logarithm of a likelihood that is evidence for all of them together from cases that had no part in finding
/// them, and it has to be more than a bare mention and what it costs to read them.
///
/// For each fold of families, pairs are looked for anew without them. `fit` is what features alone say where the first fold is
/// checked on; the pairs come last in it and in `columns`.
pub(super) fn choose_all(
    task: &Task<'_>,
    fit: &mut Descent,
    columns: &mut Vec<Column>,
    (blocks, learning): (&[Block], Cases<'_>),
) -> Pairs {
    let own = columns.clone();
    let chosen = choose(task, fit, columns, (learning, 0));
    let clear = chosen.clear;
    let Some(first) = Joined::of(task, fit, columns, (&chosen, learning, 0)) else {
        return Pairs { grids: chosen.grids, clear, together: 0 };
    };
    let folds = task.validation.folds();
    let foreseen = Cases { mass: Some(&task.checked(0)), ..learning }.rarer().max(1.0);
    let others: Vec<(f64, usize)> = (1..folds.min((FORESEEN / foreseen).ceil() as u8))
        .into_par_iter()
        .filter_map(|fold| {
            let learnt = task.learnt(fold);
            let learning = Cases { mass: Some(&learnt), ..learning };
            let mut columns = own.clone();
            let mut fit = Descent::start(blocks.iter().cloned(), learning);
            fit.run(&columns, learning, MOST_STEPS_OF_FIT, REST_WHILE_CHOOSING);
            let chosen = choose(task, &mut fit, &mut columns, (learning, fold));
            Joined::of(task, &fit, &columns, (&chosen, learning, fold))
        })
        .map(|joined| (joined.gain, joined.grids.len()))
        .collect();
    let looks = 1.0 + others.len() as f64;
    let (gain, pairs) = others
        .iter()
        .fold((first.gain, first.grids.len()), |(gain, pairs), other| (gain + other.0, pairs + other.1));
    let mut grids = chosen.grids;
    if gain <= BARE_MENTION.max(BROUGHT_BY_PAIR * pairs as f64 / looks) {
        return Pairs { grids, clear, together: 0 };
    }
    let together = first.grids.len();
    *fit = first.fit;
    *columns = first.columns;
    grids.extend(first.grids);
    Pairs { grids, clear, together }
}

/// A fit with the pairs that are not clear, beside the same without them.
struct Joined {
    fit: Descent,
    columns: Vec<Column>,
    /// The added pairs' grids.
    grids: Vec<Grid>,
    /// By how much the log loss of the cases that are checked on is less with them, in all.
    gain: f64,
}

impl Joined {
    /// `None` where there is none to add.
    fn of(
        task: &Task<'_>,
        without: &Descent,
        columns: &[Column],
        (chosen, learning, fold): (&Chosen, Cases<'_>, u8),
    ) -> Option<Self> {
        let room = task.most_pairs.saturating_sub(chosen.grids.len());
        let mut doubtful: Vec<&Candidate> = chosen.doubtful.iter().collect();
        doubtful.sort_by(|a, b| b.found.evidence.total_cmp(&a.found.evidence));
        doubtful.truncate(room);
        if doubtful.is_empty() {
            return None;
        }
        let (mut without, mut fit, mut columns) = (without.clone(), without.clone(), columns.to_vec());
        // Both have gone the same way, or the one without them could be behind for want of a few steps.
        without.settle_beside([].into_iter(), &mut columns, learning);
        without.rescore(&columns, learning);
        let grids = fit.settle_beside(doubtful.into_iter(), &mut columns, learning);
        fit.purify_pairs(task, &columns, &grids);
        fit.rescore(&columns, learning);
        let checked = task.checked(fold);
        let checked = Cases { mass: Some(&checked), ..learning };
        let loss = |fit: &Descent| -> f64 {
            fit.scores().iter().enumerate().map(|(row, &score)| checked.loss(row, score)).sum()
        };
        let gain = loss(&without) - loss(&fit);
        Some(Self { fit, columns, grids, gain })
    }
}
