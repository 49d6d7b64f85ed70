//! Pairs none of which is clear, and that pay together.

use rayon::prelude::*;

use super::block::Block;
use super::choice::{Candidate, Chosen, REST_WHILE_CHOOSING, choose};
use super::column::Column;
use super::descent::{Cases, Descent, MOST_STEPS_OF_FIT};
use super::grid::Grid;
use super::task::Task;

/// What they have to bring, as a logarithm of a ratio of likelihoods: a hundred to one. Of families that had no part in finding them such a
/// ratio is by chance alone at least that much in at most one table of a hundred (L. Wasserman, A. Ramdas and S. Balakrishnan 2020,
/// *Universal inference*, PNAS 117: of one fold; here they are added up over the folds).
const HUNDRED_TO_ONE: f64 = 4.6;
/// And each of them, on average: half of what one alone has to (see [`choice`](super::choice)). Somebody has to read each grid, cell
/// by cell: with half of that 21,000 students' records got nineteen that brought 9.8 together.
const BROUGHT_BY_PAIR: f64 = 0.5;
/// Families are set aside, fold by fold, until so many cases of the rarer outcome were foreseen. Pairs that are not clear say little
/// together, too: it takes four times as many cases to hear it as to hear how strongly terms are held. Where those of the first fold
/// speak against them a hundred to one no other is asked, which would cost half the fit of many cases.
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
/// better with them. No case has a part in that on which they were found: for each fold of families, pairs are looked for anew without
/// them.
///
/// `fit` is what features alone say where the first fold is checked on; the pairs come last in it and in `columns`.
pub(super) fn choose_all(
    task: &Task<'_>,
    fit: &mut Descent,
    columns: &mut Vec<Column>,
    (blocks, learning): (&[Block], Cases<'_>),
) -> Pairs {
    let features = columns.len();
    let chosen = choose(task, fit, columns, (learning, 0));
    let chosen_columns = columns.len();
    let first = Joined::of(task, fit, columns, (&chosen, learning, 0));
    let alone = Pairs { grids: chosen.grids, clear: chosen.clear, together: 0 };
    let Some(first) = first.filter(|first| first.gain >= -HUNDRED_TO_ONE) else {
        columns.truncate(chosen_columns);
        return alone;
    };
    let folds = task.validation.folds();
    let foreseen = Cases { mass: Some(&task.checked(0)), ..learning }.rarer().max(1.0);
    let others: Vec<Joined> = (1..folds.min((FORESEEN / foreseen).ceil() as u8))
        .into_par_iter()
        .filter_map(|fold| {
            let learnt = task.learnt(fold);
            let learning = Cases { mass: Some(&learnt), ..learning };
            let mut columns = columns[..features].to_vec();
            let mut fit = Descent::start(blocks.iter().cloned(), learning);
            fit.run(&columns, learning, MOST_STEPS_OF_FIT, REST_WHILE_CHOOSING);
            let chosen = choose(task, &mut fit, &mut columns, (learning, fold));
            Joined::of(task, &fit, &mut columns, (&chosen, learning, fold))
        })
        .collect();
    let looks = || others.iter().chain([&first]);
    let gain: f64 = looks().map(|look| look.gain).sum();
    let pairs = looks().map(|look| look.grids.len()).sum::<usize>() as f64 / looks().count() as f64;
    if gain <= HUNDRED_TO_ONE.max(BROUGHT_BY_PAIR * pairs) {
        columns.truncate(chosen_columns);
        return alone;
    }
    let together = first.grids.len();
    *fit = first.fit;
    Pairs { grids: [alone.grids, first.grids].concat(), together, ..alone }
}

/// A fit with the pairs that are not clear, beside the same without them.
struct Joined {
    fit: Descent,
    /// The added pairs' grids.
    grids: Vec<Grid>,
    /// By how much the log loss of the cases that are checked on is less with them, in all, as far as cases are independent.
    gain: f64,
}

impl Joined {
    /// `None` where there is none to add; else their columns come last.
    fn of(
        task: &Task<'_>,
        without: &Descent,
        columns: &mut Vec<Column>,
        (chosen, learning, fold): (&Chosen, Cases<'_>, u8),
    ) -> Option<Self> {
        let room = task.most_pairs.saturating_sub(chosen.grids.len());
        let mut doubtful: Vec<&Candidate> = chosen.doubtful.iter().collect();
        doubtful.sort_by(|a, b| b.found.evidence.total_cmp(&a.found.evidence));
        doubtful.truncate(room);
        if doubtful.is_empty() {
            return None;
        }
        let (mut without, mut fit) = (without.clone(), without.clone());
        // Both go the same way, or the one without them could be behind for want of a few steps.
        without.settle_beside(&[], columns, learning);
        without.rescore(columns, learning);
        let grids = fit.settle_beside(&doubtful, columns, learning);
        fit.purify_pairs(task, columns, &grids);
        fit.rescore(columns, learning);
        let checked = task.checked(fold);
        let checked = Cases { mass: Some(&checked), ..learning };
        let loss = |fit: &Descent| -> f64 {
            fit.scores().iter().enumerate().map(|(row, &score)| checked.loss(row, score)).sum()
        };
        let gain = (loss(&without) - loss(&fit)) / chosen.effect;
        Some(Self { fit, grids, gain })
    }
}
