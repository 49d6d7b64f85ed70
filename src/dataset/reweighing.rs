//! How much each case counts, so that group and outcome are independent in what a model learns from.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// A wish to reweigh training cases, with its reason and the name of who approved it.
///
/// See [`reweigh`](crate::fairness::reweigh) for the method, for what it does to calibration, and for the
/// legal caution.
///
/// # Examples
/// ```
/// use earlyhelp::dataset::Reweighing;
///
/// let asked: Reweighing = toml::from_str(
///     r#"
/// reweigh = ["sex"]
/// reason = "Police data over-record boys; the impact assessment of March asks for this."
/// approved_by = "C. Monitoring Officer"
/// "#,
/// )?;
/// assert_eq!(asked.reweigh, ["sex"]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Reweighing {
    /// The protected characteristics, one or several. Several count jointly: a group is then a combination
    /// of their values.
    pub reweigh: Vec<String>,
    /// Why. Needed: to count people of one group more than those of another is different treatment by a
    /// protected characteristic, and somebody will have to justify it.
    pub reason: String,
    /// Who approved it, by name or office. Needed.
    pub approved_by: String,
}

/// What a reweighing came to: counts and weights alone, never a group's name.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Reweighed {
    /// What was asked for, why, and by whom it was approved.
    pub asked: Reweighing,
    /// The fewest cases with the outcome, and without it, that a group needed for weights of its own.
    pub minimum_group: u32,
    /// Groups with weights of their own; those pooled together count as one.
    pub groups: u32,
    /// Groups that were pooled because they were too small.
    pub pooled: u32,
    /// The least weight of a case.
    pub least_weight: f64,
    /// The greatest weight of a case.
    pub greatest_weight: f64,
    /// As many cases that count alike would say as much (Kish's effective sample size); at most the number
    /// of cases.
    pub effective_cases: f64,
}

/// The group of each case as a bare number, from which weights are made anew for whatever cases are learnt
/// from.
#[derive(Debug, Clone)]
pub(super) struct Strata {
    pub(super) asked: Reweighing,
    pub(super) minimum_group: u32,
    /// For each case its group.
    pub(super) of_case: Vec<u32>,
}

impl Strata {
    pub(super) fn take(&self, rows: &[u32]) -> Self {
        let of_case = rows.iter().map(|&row| self.of_case[row as usize]).collect();
        Self { asked: self.asked.clone(), minimum_group: self.minimum_group, of_case }
    }

    /// What the reweighing of these cases comes to.
    pub(super) fn summary(&self, outcomes: &[bool]) -> Reweighed {
        let weighing = Weighing::new(&self.of_case, outcomes, self.minimum_group);
        let weights = weighing.weights(&self.of_case, outcomes);
        let (mut least, mut greatest, mut sum, mut squares) = (f64::INFINITY, 0.0_f64, 0.0, 0.0);
        for &weight in &weights {
            least = least.min(weight);
            greatest = greatest.max(weight);
            sum += weight;
            squares += weight * weight;
        }
        Reweighed {
            asked: self.asked.clone(),
            minimum_group: self.minimum_group,
            groups: weighing.cells.len() as u32,
            pooled: weighing.pooled,
            least_weight: least,
            greatest_weight: greatest,
            effective_cases: sum * sum / squares,
        }
    }

    /// For each case how much it counts; `None` where all count alike.
    pub(super) fn weights(&self, outcomes: &[bool]) -> Option<Vec<f64>> {
        let weights =
            Weighing::new(&self.of_case, outcomes, self.minimum_group).weights(&self.of_case, outcomes);
        let alike = weights.iter().all(|weight| weight.to_bits() == 1.0_f64.to_bits());
        (!alike).then_some(weights)
    }
}

/// How much a case counts, by its group and its outcome.
struct Weighing {
    /// For each group the place of its cell.
    place: BTreeMap<u32, usize>,
    /// For each cell its cases without and with the outcome.
    cells: Vec<[u64; 2]>,
    pooled: u32,
}

impl Weighing {
    /// Counts cases by group and outcome. Groups with fewer than `least` cases of either outcome are pooled;
    /// a pool that is still too small takes in the next smallest group, until it is large enough or
    /// everybody is in it.
    fn new(groups: &[u32], outcomes: &[bool], least: u32) -> Self {
        let least = u64::from(least.max(1));
        let mut counts: BTreeMap<u32, [u64; 2]> = BTreeMap::new();
        for (&group, &outcome) in groups.iter().zip(outcomes) {
            counts.entry(group).or_default()[usize::from(outcome)] += 1;
        }
        let rarer = |cell: &[u64; 2]| cell[0].min(cell[1]);
        let mut smallest_first: Vec<(u32, [u64; 2])> = counts.into_iter().collect();
        smallest_first.sort_by_key(|(group, cell)| (rarer(cell), *group));
        let (mut pool, mut pooled) = ([0, 0], 0);
        let mut place = BTreeMap::new();
        let mut cells = Vec::new();
        for (group, cell) in smallest_first {
            let pool_is_short = pooled > 0 && rarer(&pool) < least;
            if rarer(&cell) < least || pool_is_short {
                pool = [pool[0] + cell[0], pool[1] + cell[1]];
                pooled += 1;
                place.insert(group, 0);
                if cells.is_empty() {
                    cells.push(pool);
                }
                cells[0] = pool;
            } else {
                place.insert(group, cells.len());
                cells.push(cell);
            }
        }
        Self { place, cells, pooled }
    }

    fn weights(&self, groups: &[u32], outcomes: &[bool]) -> Vec<f64> {
        let of = |outcome: usize| self.cells.iter().map(|cell| cell[outcome]).sum::<u64>() as f64;
        let with = [of(0), of(1)];
        let all = with[0] + with[1];
        // P(group) P(outcome) / P(group, outcome), as one fraction of whole numbers.
        let by_cell: Vec<[f64; 2]> = self
            .cells
            .iter()
            .map(|cell| {
                let here = (cell[0] + cell[1]) as f64;
                [0, 1].map(|outcome| here * with[outcome] / (all * cell[outcome] as f64))
            })
            .collect();
        let weight = |(group, &outcome): (&u32, &bool)| by_cell[self.place[group]][usize::from(outcome)];
        groups.iter().zip(outcomes).map(weight).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Groups and outcomes with so many cases of each.
    fn cases(counts: &[(u32, bool, usize)]) -> (Vec<u32>, Vec<bool>) {
        counts.iter().flat_map(|&(group, outcome, n)| std::iter::repeat_n((group, outcome), n)).unzip()
    }

    fn strata(of_case: Vec<u32>, minimum_group: u32) -> Strata {
        let asked = Reweighing { reweigh: vec!["g".into()], reason: "r".into(), approved_by: "a".into() };
        Strata { asked, minimum_group, of_case }
    }

    /// The table of Kamiran and Calders (2012), section 5.2: ten applicants for a job, five of each sex;
    /// hired are four of the men and two of the women. A hired woman counts 0.5 * 0.6 / 0.2 = 1.5.
    #[test]
    fn the_weights_are_those_of_the_papers_formula() {
        let (of_case, outcomes) = cases(&[(0, true, 4), (0, false, 1), (1, true, 2), (1, false, 3)]);
        let weights = strata(of_case, 1).weights(&outcomes).unwrap();
        let by_hand = [(0, 0.75), (4, 2.0), (5, 1.5), (7, 2.0 / 3.0)];
        for (case, weight) in by_hand {
            assert!((weights[case] - weight).abs() < 1e-15, "{case}: {}", weights[case]);
        }
    }

    #[test]
    fn group_and_outcome_are_independent_afterwards_and_nothing_else_moves() {
        let (of_case, outcomes) = cases(&[
            (0, true, 40),
            (0, false, 160),
            (1, true, 30),
            (1, false, 20),
            (2, true, 11),
            (2, false, 300),
        ]);
        let weights = strata(of_case.clone(), 10).weights(&outcomes).unwrap();
        let sum = |wanted: &dyn Fn(usize) -> bool| -> f64 {
            (0..weights.len()).filter(|&case| wanted(case)).map(|case| weights[case]).sum()
        };
        let all = sum(&|_| true);
        assert!((all - 561.0).abs() < 1e-9, "the sum is the number of cases: {all}");
        assert!((sum(&|case| outcomes[case]) - 81.0).abs() < 1e-9, "the base rate is what it was");
        for group in 0..3 {
            let here = sum(&|case| of_case[case] == group);
            let cases = of_case.iter().filter(|&&held| held == group).count() as f64;
            assert!((here - cases).abs() < 1e-9, "a group weighs what it weighed");
            let with = sum(&|case| of_case[case] == group && outcomes[case]);
            assert!((with / here - 81.0 / 561.0).abs() < 1e-12, "{group}: {}", with / here);
        }
    }

    #[test]
    fn groups_that_are_too_small_are_pooled_until_they_are_not() {
        // Groups 3 and 4 have too few with the outcome; together still too few, so group 2 joins them.
        let (of_case, outcomes) = cases(&[
            (1, true, 50),
            (1, false, 100),
            (2, true, 12),
            (2, false, 90),
            (3, true, 0),
            (3, false, 30),
            (4, true, 4),
            (4, false, 9),
        ]);
        let held = strata(of_case.clone(), 10);
        let summary = held.summary(&outcomes);
        assert_eq!((summary.groups, summary.pooled), (2, 3));
        let weights = held.weights(&outcomes).unwrap();
        let of = |group: u32, outcome: bool| {
            let case =
                (0..weights.len()).find(|&case| of_case[case] == group && outcomes[case] == outcome).unwrap();
            weights[case]
        };
        let bits = |group, outcome| of(group, outcome).to_bits();
        assert_eq!(bits(2, true), bits(4, true));
        assert_eq!(bits(2, false), bits(3, false));
        assert!((of(2, true) - 145.0 * 66.0 / (295.0 * 16.0)).abs() < 1e-15);
        assert!(summary.effective_cases < 295.0 && summary.effective_cases > 200.0);
    }

    #[test]
    fn where_nothing_depends_on_the_group_all_count_alike() {
        let (of_case, outcomes) = cases(&[(0, true, 20), (0, false, 60), (1, true, 10), (1, false, 30)]);
        assert_eq!(strata(of_case, 10).weights(&outcomes), None);
        // One group, or none large enough, leaves nothing to set right.
        let (of_case, outcomes) = cases(&[(0, true, 3), (0, false, 60), (1, true, 2), (1, false, 30)]);
        assert_eq!(strata(of_case, 10).weights(&outcomes), None);
    }

    #[test]
    fn a_part_of_the_cases_gets_weights_of_its_own() {
        let (of_case, outcomes) = cases(&[(0, true, 40), (0, false, 40), (1, true, 10), (1, false, 70)]);
        let whole = strata(of_case, 5);
        // Every second case of group 0 with the outcome, and all others.
        let rows: Vec<u32> = (0..160).filter(|&row| row >= 40 || row % 2 == 0).collect();
        let part: Vec<bool> = rows.iter().map(|&row| outcomes[row as usize]).collect();
        let weights = whole.take(&rows).weights(&part).unwrap();
        assert!((weights[0] - 60.0 * 30.0 / (140.0 * 20.0)).abs() < 1e-15);
        assert!((whole.weights(&outcomes).unwrap()[0] - 80.0 * 50.0 / (160.0 * 40.0)).abs() < 1e-15);
    }
}
