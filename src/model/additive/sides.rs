//! A feature as one side of a pair: its steps, joined to fewer.

use super::column::Column;

/// A feature while pairs are chosen.
pub(super) struct Side<'a> {
    pub(super) column: &'a Column,
    /// For each step the sum of the weights.
    pub(super) information: &'a [f64],
    /// The value steps in their order, where that is another than their numbers'.
    pub(super) order: Option<Vec<usize>>,
    /// Where its steps lie, in standard deviations, absences last; `None` where they lie nowhere.
    pub(super) places: Option<Vec<f64>>,
}

/// A feature's steps joined to at most `most` runs with about equal information each; each absence that
/// occurs stays by itself. Gives the run of each step, and the number of runs of values. Steps are neighbours by `order`, else by
/// their numbers.
pub(super) fn joined(information: &[f64], order: Option<&[usize]>, most: usize) -> (Vec<u8>, usize) {
    let steps = information.len() - 2;
    if let Some(order) = order {
        let ordered: Vec<f64> =
            order.iter().copied().chain(steps..steps + 2).map(|step| information[step]).collect();
        let (runs_in_order, runs) = joined(&ordered, None, most);
        let mut joined = runs_in_order.clone();
        order.iter().zip(runs_in_order).for_each(|(&step, run)| joined[step] = run);
        return (joined, runs);
    }
    let most = most.min(steps);
    let mut left: f64 = information[..steps].iter().sum();
    let mut runs = 0_usize;
    let mut held = 0.0;
    let mut joined = vec![0_u8; steps + 2];
    for step in 0..steps {
        joined[step] = runs as u8;
        held += information[step];
        let wanted = left / (most - runs) as f64;
        let next = information.get(step + 1).copied().unwrap_or(0.0);
        let steps_left = steps - step - 1;
        let runs_left = most - runs - 1;
        if step + 1 < steps
            && runs_left > 0
            && (held + 0.5 * next >= wanted || next >= wanted || steps_left <= runs_left)
        {
            left -= held;
            held = 0.0;
            runs += 1;
        }
    }
    runs += 1;
    joined[steps] = runs as u8;
    joined[steps + 1] = runs as u8 + 1;
    (joined, runs)
}

/// The means of the places of the steps that are joined to each of so many runs, by information.
pub(super) fn means(places: &[f64], (joined, runs): (&[u8], usize), information: &[f64]) -> Vec<f64> {
    let mut sums = vec![(0.0, 0.0); runs];
    for ((&run, place), information) in joined.iter().zip(places).zip(information) {
        let sum = &mut sums[usize::from(run)];
        *sum = (sum.0 + information * place, sum.1 + information);
    }
    sums.into_iter().map(|(sum, known)| if known > 0.0 { sum / known } else { 0.0 }).collect()
}
