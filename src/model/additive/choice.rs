//! Which pairs pay each by itself, and which terms where there is a limit on them.

use super::block::{Block, Found, Kind};
use super::column::{Column, Working, masses};
use super::descent::{Cases, Descent, FLAT};
use super::grid::Grid;
use super::line::Line;
use super::pairs;
use super::sides::Side;
use super::task::{FeatureKind, Task};
use crate::features::Direction;

/// A pair that is likelier than chance by less than this is "not worth more than a bare mention" (Kass and Raftery, *Bayes
/// factors*, JASA 90, 1995), and gets none.
const BARE_MENTION: f64 = 1.0;
/// A fit that only chooses pairs is at rest where a step moves the scores of all cases together by less than this many standard
/// errors of one coefficient.
pub(super) const REST_WHILE_CHOOSING: f64 = 0.5;
/// Steps in which chosen pairs settle beside the other terms while they are checked.
const STEPS_OF_CHECK: usize = 4;
/// Fewer cases with the outcome than this, to learn from or to check on, do not support a choice of pairs:
/// the usual ten for each of two features' coarse cells, no more than a sanity bound.
const FEWEST_POSITIVES: usize = 40;
/// So many pairs in a row, from the clearest down, that are not worth a mention, and the rest is not looked at.
const MOST_IDLE: usize = 12;
/// The share of real pairs is found by turns.
const MOST_LOOKS: usize = 200;

/// A pair that is looked at.
pub(super) struct Candidate {
    pub(super) grid: Grid,
    pub(super) column: Column,
    pub(super) block: Block,
    pub(super) found: Found,
}

/// What came of the choice.
pub(super) struct Chosen {
    /// The pairs that pay each by itself.
    pub(super) grids: Vec<Grid>,
    /// How many were clear where they were looked for.
    pub(super) clear: usize,
    /// Those that are likelier than chance, and not clear.
    pub(super) doubtful: Vec<Candidate>,
    /// How many times less cases count than if they were independent.
    pub(super) effect: f64,
}

/// Whether there are cases enough on both sides to choose pairs by.
pub(super) fn supports_a_choice(task: &Task<'_>) -> bool {
    let positive = |wanted: &dyn Fn(usize) -> bool| {
        task.outcomes.iter().enumerate().filter(|&(row, &outcome)| outcome && wanted(row)).count()
    };
    positive(&|row| task.validation.learns(row, 0)) >= FEWEST_POSITIVES
        && positive(&|row| task.validation.checks(row, 0)) >= FEWEST_POSITIVES
}

/// Ranks all pairs on what the features leave, fits those that are clear, and keeps those that make other
/// families' outcomes likelier. The kept ones are the last parts of `fit` and the last of `columns`. `learning` are the cases that
/// are learnt from where those of `fold` are checked on.
pub(super) fn choose(
    task: &Task<'_>,
    fit: &mut Descent,
    columns: &mut Vec<Column>,
    (learning, fold): (Cases<'_>, u8),
) -> Chosen {
    let rows = task.outcomes.len();
    let features = columns.len();
    // A grid could turn what its feature's own term must not, and says of it what that term was refused.
    let is_free = |feature: usize| {
        matches!(
            task.kinds[feature],
            FeatureKind::Number(Direction::None, _) | FeatureKind::Category { is_listed: false, .. }
        )
    };
    let free: Vec<usize> = (0..features).filter(|&feature| is_free(feature)).collect();
    let sides: Vec<Side> = free
        .iter()
        .map(|&feature| Side {
            column: &columns[feature],
            information: &fit.parts[feature].information,
            order: fit.order(feature),
            places: fit.places(feature),
        })
        .collect();
    let ranked = pairs::rank(&sides, fit.working(), learning.mass);
    let effect = design_effect(task.families, fit.working());
    let mut tried: Vec<Candidate> = Vec::new();
    let mut idle = 0;
    for pair in &ranked {
        let side = |place: usize| (free[place], &sides[place]);
        let grid = Grid::new(side(pair.first), side(pair.second));
        let column = grid.column(&columns[..features], rows);
        let block = Block::new(Kind::Grid { first: grid.first.steps, second: grid.second.steps });
        let block = block.with_line(grid.product());
        let (mut information, mut sums) = fit.seen_by(&column, block.steps());
        information.iter_mut().chain(&mut sums).for_each(|figure| *figure /= effect);
        let found = block.evidence(&information, &sums);
        idle = if found.evidence > BARE_MENTION { 0 } else { idle + 1 };
        if found.evidence > 0.0 {
            tried.push(Candidate { grid, column, block: block.purified(&information), found });
        }
        if idle == MOST_IDLE || tried.len() == 2 * task.most_pairs {
            break;
        }
    }
    let evidence: Vec<f64> = tried.iter().map(|pair| pair.found.evidence).collect();
    let wanted = worth(&evidence, ranked.len());
    let (clear, doubtful): (Vec<Candidate>, _) =
        tried.into_iter().partition(|pair| pair.found.evidence > wanted);
    let mut chosen = Chosen { grids: Vec::new(), clear: clear.len(), doubtful, effect };
    if clear.is_empty() {
        return chosen;
    }
    let evidence: Vec<f64> = clear.iter().map(|pair| pair.found.evidence).collect();
    let mut grids = fit.settle_beside(&clear.iter().collect::<Vec<_>>(), columns, learning);
    // Beside the others a pair may have nothing left to say.
    fit.choose_pairs(columns, features, (wanted, task.most_pairs), effect);
    fit.purify_pairs(task, columns, &grids);
    fit.rescore(columns, learning);
    let checked = Cases { mass: Some(&task.checked(fold)), ..learning };
    let pays: Vec<bool> = evidence
        .iter()
        .zip(features..)
        .map(|(evidence, place)| {
            // What the learnt families say and what the others add to it are one ratio of likelihoods. The others must not
            // speak against the pair either: they are the ones it was not found on.
            let (gain, error) = gain(checked, fit, &columns[place], place);
            let (gain, error) = (gain / effect, error / effect.sqrt());
            !fit.parts[place].is_flat && evidence + gain > wanted && gain > -error
        })
        .collect();
    let kept = |place: usize| place < features || pays[place - features];
    retain_places(columns, kept);
    retain_places(&mut fit.parts, kept);
    retain_places(&mut grids, |place| pays[place]);
    chosen.grids = grids;
    chosen
}

/// How much likelier than chance one of so many pairs has to be to be worth a grid: as much as makes up for how few there
/// are, and [`BARE_MENTION`] more.
///
/// How few there are is judged from all of them together: one of all, or as many as their evidence adds up to, each as likely
/// as that. (The share of what is real among what was tried, by maximum likelihood: B. Efron, *Microarrays, empirical Bayes and the
/// two-groups model*, Statistical Science 23, 2008.) So of two dozen pairs that each say a little all are found, and one that says as
/// little alone is not.
fn worth(evidence: &[f64], pairs: usize) -> f64 {
    let least = 1.0 / pairs.max(2) as f64;
    let mut share = least;
    for _ in 0..MOST_LOOKS {
        let odds = share / (1.0 - share).max(least);
        let real: f64 = evidence.iter().map(|said| 1.0 / (1.0 + (-said).exp() / odds)).sum();
        let next = (real / pairs as f64).clamp(least, 0.5);
        if (next - share).abs() < 1e-3 * share {
            break;
        }
        share = next;
    }
    ((1.0 - share) / share).ln().max(0.0) + BARE_MENTION
}

/// How many times the residuals of families vary as much as those of so many independent cases would: at least 1. Evidence
/// for a pair counts that much less, else one person at a dozen dates would be a dozen witnesses.
///
/// The first-order correction of J. N. K. Rao and A. J. Scott (1981), *The analysis of categorical data from complex sample
/// surveys*, JASA 76.
fn design_effect(families: &[u64], working: &Working) -> f64 {
    let mut rows: Vec<usize> = (0..families.len()).collect();
    rows.sort_by_key(|&row| families[row]);
    let residual =
        |row: usize| f64::from(working.residual[row]) - working.shift * f64::from(working.weight[row]);
    let (mut together, mut apart) = (0.0, 0.0);
    for family in rows.chunk_by(|&a, &b| families[a] == families[b]) {
        together += family.iter().map(|&row| residual(row)).sum::<f64>().powi(2);
        apart += family.iter().map(|&row| residual(row).powi(2)).sum::<f64>();
    }
    if apart > 0.0 { (together / apart).max(1.0) } else { 1.0 }
}

fn retain_places<T>(of: &mut Vec<T>, kept: impl Fn(usize) -> bool) {
    let mut place = 0;
    of.retain(|_| {
        place += 1;
        kept(place - 1)
    });
}

/// Takes out the terms beyond the limit, the least first, unless they pay: a term beyond it stays where
/// the cases that are checked on speak for it by more than a standard error.
pub(super) fn limit_terms(task: &Task<'_>, fit: &mut Descent, columns: &[Column]) {
    let Some(most) = task.most_terms else { return };
    let checked = Cases { outcomes: task.outcomes, mass: Some(&task.checked(0)) };
    let mut sizes: Vec<(f64, usize)> = fit
        .parts
        .iter()
        .enumerate()
        .map(|(place, part)| (part.size(), place))
        .filter(|(size, _)| *size > FLAT)
        .collect();
    sizes.sort_by(|a, b| b.0.total_cmp(&a.0));
    for &(_, place) in sizes.iter().skip(most).rev() {
        let (gain, error) = gain(checked, fit, &columns[place], place);
        if gain <= error {
            fit.take_out(place);
        }
    }
}

/// By how much the log loss of these cases falls for a term, in all, and the standard error of that.
fn gain(cases: Cases<'_>, fit: &Descent, column: &Column, place: usize) -> (f64, f64) {
    let mut part = vec![0.0; cases.outcomes.len()];
    column.add_to(&mut part, &fit.parts[place].steps());
    let (mut sum, mut squares) = (0.0, 0.0);
    for (row, (&with, part)) in fit.scores().iter().zip(part).enumerate() {
        if cases.mass(row) > 0.0 {
            let gain = cases.loss(row, with - part) - cases.loss(row, with);
            sum += gain;
            squares += gain * gain;
        }
    }
    (sum, squares.sqrt())
}

impl Descent {
    /// Adds pairs and lets them settle beside the other terms; gives their grids. They are the last parts and the last of `columns`.
    pub(super) fn settle_beside(
        &mut self,
        pairs: &[&Candidate],
        columns: &mut Vec<Column>,
        cases: Cases<'_>,
    ) -> Vec<Grid> {
        let mut grids = Vec::new();
        for pair in pairs {
            self.add(pair.block.clone(), pair.found.rough);
            columns.push(pair.column.clone());
            grids.push(pair.grid.clone());
        }
        self.run(columns, cases, STEPS_OF_CHECK, REST_WHILE_CHOOSING);
        grids
    }

    /// [Purifies](Self::purify) the last pairs, which have these grids.
    pub(super) fn purify_pairs(&mut self, task: &Task<'_>, columns: &[Column], grids: &[Grid]) {
        let rows = task.outcomes.len();
        let from = columns.len() - grids.len();
        let counts: Vec<Vec<f64>> = columns[from..]
            .iter()
            .zip(grids)
            .map(|(column, grid)| column.counts(rows, grid.first.steps * grid.second.steps))
            .collect();
        for (place, (grid, masses)) in
            grids.iter().zip(masses(task.mass, &columns[from..], &counts)).enumerate()
        {
            self.purify(from + place, grid, &masses);
        }
    }

    /// Of the pairs from `first` on, which say something worth `wanted` beside all others that do, and are not beyond `most`; the
    /// others are made flat, the least first. As when they were found, their features' own terms are fitted anew with each, and cases
    /// count `effect` times less.
    pub(super) fn choose_pairs(
        &mut self,
        columns: &[Column],
        first: usize,
        (wanted, most): (f64, usize),
        effect: f64,
    ) {
        let mut spoken: Vec<(f64, usize)> = (first..columns.len())
            .map(|place| (self.found(&columns[place], place, effect).evidence, place))
            .collect();
        spoken.sort_by(|a, b| a.0.total_cmp(&b.0));
        let mut left = spoken.len();
        for (evidence, place) in spoken {
            // What those before it no longer say is there for it to say.
            let is_idle = evidence < wanted && self.found(&columns[place], place, effect).evidence < wanted;
            if is_idle || left > most {
                self.make_flat(&columns[place], place);
                left -= 1;
            }
        }
    }

    /// What the residuals say for a pair, what it says already included.
    pub(super) fn found(&self, column: &Column, place: usize, effect: f64) -> Found {
        let part = &self.parts[place];
        let (mut information, mut sums) = self.left_to(column, part);
        information.iter_mut().chain(&mut sums).for_each(|figure| *figure /= effect);
        part.block.evidence(&information, &sums)
    }

    /// Where a feature's steps lie beside each other's, in standard deviations, absences last, for the product of a pair: on its
    /// line, else where its own term has them; `None` where there is but one step.
    pub(super) fn places(&self, place: usize) -> Option<Vec<f64>> {
        let part = &self.parts[place];
        if let Some(line) = part.block.line() {
            return Some(line.places().to_vec());
        }
        let values = part.values.len() - 2;
        let at: Vec<f64> = match part.block.kind {
            Kind::Levels { .. } => part.values[..values].to_vec(),
            Kind::Ordered { .. } => (0..values).map(|step| step as f64).collect(),
            Kind::Grid { .. } => return None,
        };
        Line::standardised(&at, &part.information[..values])
    }

    /// The value steps of a feature of codes in the order of what they say; `None` where they have an order of their own.
    pub(super) fn order(&self, place: usize) -> Option<Vec<usize>> {
        let part = &self.parts[place];
        matches!(part.block.kind, Kind::Levels { .. }).then(|| {
            let mut order: Vec<usize> = (0..part.values.len() - 2).collect();
            order.sort_by(|&a, &b| part.values[a].total_cmp(&part.values[b]));
            order
        })
    }

    /// Hands what a grid says of its features one by one over to their own terms; scores do not change.
    fn purify(&mut self, place: usize, grid: &Grid, counts: &[f64]) {
        let mut values: Vec<Vec<f64>> =
            self.parts.iter_mut().map(|part| std::mem::take(&mut part.values)).collect();
        let (first, second) = grid.purify(&mut values[place], counts);
        grid.hand_over(&mut values, &first, &second);
        for (part, values) in self.parts.iter_mut().zip(values) {
            part.values = values;
        }
    }
}
