//! Two ways of choosing from the same cases, compared case by case.
//!
//! Each way's own interval says how far its figure would move had other families been in the test. Both figures move
//! together, since the cases are the same, so two intervals side by side say little about the difference. Here
//! the difference is measured itself, over the same redrawn families for both (a paired bootstrap).

use std::fmt;

use serde::{Deserialize, Serialize};

use super::backtest::Backtest;
use super::calibration::log_loss;
use super::cases::Cases;
use super::figure::Figure;
use super::performance::{Listed, Performance};
use super::ranking::RankedRows;
use crate::error::EvaluateError;
use crate::stats::link::softplus;
use crate::stats::{Bootstrap, Clusters, Estimate, clustered_mean, percentile_interval};

/// A figure without something, with it (or of a first and of a second way), and the difference of the two, with
/// 95% intervals.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct PairedChange {
    /// Without, or the first.
    pub without: Estimate,
    /// With, or the second.
    pub with: Estimate,
    /// With minus without.
    pub change: Estimate,
}

impl PairedChange {
    /// A figure of both over the cases as they are and over resamples; `n` is what each rests on. `None` where there
    /// is none in the cases as they are. Resamples without it are left out.
    pub(crate) fn over<T>(
        whole: &T,
        drawn: &[T],
        n: [u64; 2],
        of: impl Fn(&T) -> Option<[f64; 2]>,
    ) -> Option<Self> {
        let [without, with] = of(whole)?;
        let drawn: Vec<[f64; 2]> = drawn.iter().filter_map(of).collect();
        let interval =
            |of: fn(&[f64; 2]) -> f64| percentile_interval(drawn.iter().map(of).collect::<Vec<f64>>());
        Some(Self {
            without: Estimate { value: without, interval: interval(|held| held[0])?, n: n[0] },
            with: Estimate { value: with, interval: interval(|held| held[1])?, n: n[1] },
            change: Estimate {
                value: with - without,
                interval: interval(|held| held[1] - held[0])?,
                n: n[0].min(n[1]),
            },
        })
    }
}

impl fmt::Display for PairedChange {
    /// The difference with its interval, signed, and a star where the interval is clear of no difference.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let decimals = f.precision().unwrap_or(3);
        let Estimate { value, interval, .. } = self.change;
        let star = if interval.low > 0.0 || interval.high < 0.0 { " *" } else { "" };
        write!(f, "{value:+.decimals$} ({:+.decimals$} to {:+.decimals$}){star}", interval.low, interval.high)
    }
}

/// Two models, or a model's lists and another selection, on the same cases: how far each figure differs, and whose
/// places change.
///
/// Intervals are 95% percentile intervals over the same redrawn families for both; that of the log loss is a paired
/// one in closed form, of the mean over families of the cases' differences. They hold models and lists fixed, and are
/// **not corrected for the number of figures**. Cases of equal score at the end of a list share its last places, as in
/// [`Performance`].
///
/// # References
/// A. C. Davison and D. V. Hinkley (1997), *Bootstrap Methods and their Application*, section 5.3. The whole-family
/// draw: see [`Bootstrap`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct PairedTest {
    /// Cases.
    pub n: u64,
    /// Cases with the outcome.
    pub positives: u64,
    /// Different families.
    pub families: u64,
    /// Places on the lists of the first and of the second.
    pub capacity: [u64; 2],
    /// Places that both give to the same case. Of a shared place, the part that both give counts. `None`, here and in the
    /// next two, where an audit withholds it: too few people are on both lists, on one alone, or on neither.
    pub in_both: Option<f64>,
    /// Places that only the first gives.
    pub only_in_first: Option<f64>,
    /// Places that only the second gives.
    pub only_in_second: Option<f64>,
    /// The area under the ROC curve. `None` where one of the two has no scores, and as in [`Performance`].
    pub auc: Option<PairedChange>,
    /// Average precision. `None` where the area is.
    pub average_precision: Option<PairedChange>,
    /// The share of the lists that had the outcome. `None` where a list is empty.
    pub precision_at_capacity: Option<PairedChange>,
    /// The share of those with the outcome that the lists hold. `None` where nobody had the outcome.
    pub recall_at_capacity: Option<PairedChange>,
    /// The mean log loss; below zero, the second is better. `None` where one of the two has no scores.
    pub log_loss: Option<PairedChange>,
}

/// One of the two ways.
#[derive(Clone, Copy)]
struct Way<'a> {
    log_odds: Option<&'a [f64]>,
    places: &'a [f64],
}

impl PairedTest {
    /// Two backtests of the same cases, with the first's bootstrap.
    ///
    /// # Errors
    /// [`EvaluateError::Plan`] where they were not tested on the same cases.
    pub fn of(first: &Backtest, second: &Backtest) -> Result<Self, EvaluateError> {
        let cases = [first.cases(), second.cases()];
        let same = cases[0].ids() == cases[1].ids()
            && cases[0].outcomes == cases[1].outcomes
            && cases[0].families == cases[1].families;
        if !same {
            return Err(EvaluateError::Plan("the two were not tested on the same cases".into()));
        }
        let way = |test: &'_ Backtest| -> (Vec<f64>, Vec<f64>) {
            (test.cases().log_odds.clone(), test.places().to_vec())
        };
        let held = [way(first), way(second)];
        let ways = [0, 1].map(|nth| Way { log_odds: Some(&held[nth].0), places: &held[nth].1 });
        Ok(Self::measure(cases[0], ways, first.report().plan.bootstrap))
    }

    /// The lists of tested cases against another selection of the same cases: who was chosen the usual way,
    /// for instance. `usual` has one entry per case, in their order; it is the first, the lists are the second.
    /// It has no scores, so only figures of lists are compared. Groups are compared
    /// in the same way by `BeforeAfter::of_selections`, among the mitigations.
    ///
    /// # Errors
    /// As for [`Cases::check`]; [`EvaluateError::LengthMismatch`] where `usual` or the cases' own lists have another
    /// length; [`EvaluateError::TooFewResamples`].
    ///
    /// # Examples
    /// ```
    /// use earlyhelp::evaluate::{Bootstrap, Cases, PairedTest};
    ///
    /// // The model lists cases 0 to 9, of whom 0 to 5 had the outcome; as usual, 5 to 14 would have been chosen.
    /// let day = "2024-04-01".parse()?;
    /// let cases = Cases {
    ///     entities: Vec::new(),
    ///     dates: vec![day; 40],
    ///     families: (0..40).collect(),
    ///     outcomes: (0..40).map(|case| case < 6 || case == 12).collect(),
    ///     log_odds: (0..40).map(|case| -f64::from(case)).collect(),
    ///     listed: (0..40).map(|case| case < 10).collect(),
    /// };
    /// let usual: Vec<bool> = (0..40).map(|case| (5..15).contains(&case)).collect();
    /// let found = PairedTest::of_selections(&cases, &usual, Bootstrap::default())?;
    /// assert_eq!((found.in_both, found.only_in_first, found.only_in_second), (Some(5.0), Some(5.0), Some(5.0)));
    /// let precision = found.precision_at_capacity.ok_or("empty lists")?;
    /// assert!((precision.change.value - (0.6 - 0.2)).abs() < 1e-12);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn of_selections(cases: &Cases, usual: &[bool], bootstrap: Bootstrap) -> Result<Self, EvaluateError> {
        cases.check()?;
        let expected = cases.len();
        for (what, found) in [("listed", cases.listed.len()), ("usual", usual.len())] {
            if found != expected {
                return Err(EvaluateError::LengthMismatch { what: what.to_owned(), expected, found });
            }
        }
        bootstrap.check()?;
        let held = [usual, &cases.listed[..]]
            .map(|list| list.iter().map(|&on| f64::from(u8::from(on))).collect::<Vec<_>>());
        let ways = [0, 1].map(|nth| Way { log_odds: None, places: &held[nth] });
        Ok(Self::measure(cases, ways, bootstrap))
    }

    fn measure(cases: &Cases, ways: [Way<'_>; 2], bootstrap: Bootstrap) -> Self {
        let (outcomes, n) = (&cases.outcomes, cases.len() as u64);
        let clusters = Clusters::new(&cases.families);
        let lists = ways.map(|way| Places::new(way.places, outcomes, &clusters));
        let with: Vec<u32> =
            (0..cases.len()).filter(|&row| outcomes[row]).map(|row| clusters.index[row]).collect();
        let lists_over = |times: &[u8]| Lists {
            positives: with.iter().map(|&cluster| u64::from(times[cluster as usize])).sum(),
            held: [lists[0].over(times), lists[1].over(times)],
        };
        let once = vec![1; clusters.count];
        let whole = lists_over(&once);
        let drawn = bootstrap.over(clusters.count, lists_over);
        let capacity = ways.map(|way| Listed::count(outcomes, way.places).capacity);
        let positives = [whole.positives; 2];
        let total = |parts: fn(f64, f64) -> f64| {
            let mut parts: Vec<f64> =
                ways[0].places.iter().zip(ways[1].places).map(|(&a, &b)| parts(a, b)).collect();
            // Added from the smallest up, so that the order of the cases changes no bit.
            parts.sort_unstable_by(f64::total_cmp);
            parts.iter().sum::<f64>()
        };
        let (auc, average_precision) = areas(cases, ways, &clusters, bootstrap).unzip();
        Self {
            n,
            positives: whole.positives,
            families: clusters.count as u64,
            capacity,
            in_both: Some(total(f64::min)),
            only_in_first: Some(total(|first, second| (first - second).max(0.0))),
            only_in_second: Some(total(|first, second| (second - first).max(0.0))),
            auc,
            average_precision,
            precision_at_capacity: PairedChange::over(&whole, &drawn, capacity, |lists| {
                let [first, second] = lists.held;
                (first[0] > 0.0 && second[0] > 0.0).then(|| [first[1] / first[0], second[1] / second[0]])
            }),
            recall_at_capacity: PairedChange::over(&whole, &drawn, positives, |lists| {
                let positives = lists.positives as f64;
                (positives > 0.0).then(|| lists.held.map(|[_, found]| found / positives))
            }),
            log_loss: losses(cases, ways),
        }
    }

    /// The same without telling whose places change.
    #[must_use]
    pub(crate) fn without_places(self) -> Self {
        Self { in_both: None, only_in_first: None, only_in_second: None, ..self }
    }

    /// The difference in a figure: see the fields.
    #[must_use]
    pub fn change(&self, figure: Figure) -> Option<PairedChange> {
        match figure {
            Figure::Auc => self.auc,
            Figure::AveragePrecision => self.average_precision,
            Figure::PrecisionAtCapacity => self.precision_at_capacity,
            Figure::RecallAtCapacity => self.recall_at_capacity,
            Figure::LogLoss => self.log_loss,
        }
    }
}

impl fmt::Display for PairedTest {
    /// A line for each figure's difference, and one that says whose places change.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for figure in Figure::ALL {
            if let Some(change) = self.change(figure) {
                writeln!(f, "  {:<38} {change:.4}", figure.words())?;
            }
        }
        let [first, second] = self.capacity;
        let whole = |places: f64| {
            let text = format!("{places:.1}");
            text.strip_suffix(".0").map_or(text.clone(), str::to_owned)
        };
        write!(f, "  places on the lists: {first} and {second}; ")?;
        match (self.in_both, self.only_in_first, self.only_in_second) {
            (Some(both), Some(first), Some(second)) => writeln!(
                f,
                "{} go to the same cases, {} only in the first, {} only in the second",
                whole(both),
                whole(first),
                whole(second)
            ),
            _ => writeln!(
                f,
                "how many go to the same cases is withheld: it would tell a number of too few people"
            ),
        }
    }
}

/// Sums over a resample: those with the outcome; of each way the places given, and those given to cases with it.
struct Lists {
    positives: u64,
    held: [[f64; 2]; 2],
}

/// The cases that have a place, by the part of it that they have.
struct Places {
    /// Each part, from the smallest up, with the clusters of its cases, without the outcome and with it.
    parts: Vec<(f64, [Vec<u32>; 2])>,
}

impl Places {
    fn new(places: &[f64], outcomes: &[bool], clusters: &Clusters) -> Self {
        let mut distinct: Vec<f64> = places.iter().copied().filter(|&part| part > 0.0).collect();
        distinct.sort_unstable_by(f64::total_cmp);
        distinct.dedup();
        let mut parts: Vec<(f64, [Vec<u32>; 2])> =
            distinct.into_iter().map(|part| (part, [Vec::new(), Vec::new()])).collect();
        for (row, part) in places.iter().enumerate() {
            if let Ok(place) = parts.binary_search_by(|(held, _)| held.total_cmp(part)) {
                parts[place].1[usize::from(outcomes[row])].push(clusters.index[row]);
            }
        }
        Self { parts }
    }

    /// Places given, and those given to cases with the outcome, when each cluster counts so many times. Cases are
    /// counted in whole numbers, so their order changes no bit.
    fn over(&self, times: &[u8]) -> [f64; 2] {
        let count = |clusters: &[u32]| -> u64 {
            clusters.iter().map(|&cluster| u64::from(times[cluster as usize])).sum()
        };
        let mut sums = [0.0; 2];
        for (part, [without, with]) in &self.parts {
            let (without, with) = (count(without), count(with));
            sums[0] += part * (without + with) as f64;
            sums[1] += part * with as f64;
        }
        sums
    }
}

/// Area under the curve and average precision of both, where both have scores.
fn areas(
    cases: &Cases,
    ways: [Way<'_>; 2],
    clusters: &Clusters,
    bootstrap: Bootstrap,
) -> Option<(PairedChange, PairedChange)> {
    let with = clusters.with_any(cases.outcomes.iter().copied());
    let without = clusters.with_any(cases.outcomes.iter().map(|outcome| !outcome));
    if with.min(without) < Performance::LEAST_FAMILIES {
        return None;
    }
    let ranked = |way: Way<'_>| Some(RankedRows::new(way.log_odds?, &cases.outcomes, &clusters.index));
    let ranked = [ranked(ways[0])?, ranked(ways[1])?];
    let both = |times: &[u8]| Some([ranked[0].areas(times)?, ranked[1].areas(times)?]);
    let whole = both(&vec![1; clusters.count]);
    let drawn = bootstrap.over_lanes(clusters.count, |times| {
        let [first, second] = [0, 1].map(|nth| ranked[nth].areas_of_lanes(times));
        std::array::from_fn(|lane| Some([first[lane]?, second[lane]?]))
    });
    let n = [cases.len() as u64; 2];
    let change = |of: fn(&super::ranking::Areas) -> f64| {
        PairedChange::over(&whole, &drawn, n, |held| {
            held.as_ref().map(|[first, second]| [of(first), of(second)])
        })
    };
    Some((change(|areas| areas.auc)?, change(|areas| areas.average_precision)?))
}

/// The mean log loss of both, and the mean of the cases' own differences, with the family as the unit.
fn losses(cases: &Cases, ways: [Way<'_>; 2]) -> Option<PairedChange> {
    let (outcomes, families) = (&cases.outcomes, &cases.families);
    let (first, second) = (ways[0].log_odds?, ways[1].log_odds?);
    let cost = |log_odds: f64, outcome: bool| softplus(if outcome { -log_odds } else { log_odds });
    let differences: Vec<f64> = (0..cases.len())
        .map(|row| cost(second[row], outcomes[row]) - cost(first[row], outcomes[row]))
        .collect();
    Some(PairedChange {
        without: log_loss(first, outcomes, families)?,
        with: log_loss(second, outcomes, families)?,
        change: clustered_mean(&differences, families)?,
    })
}

#[cfg(test)]
mod tests {
    use super::super::ranking::places_at_capacity;
    use super::*;
    use crate::stats::fixture::close;

    fn cases(outcomes: Vec<bool>, log_odds: Vec<f64>) -> Cases {
        let n = outcomes.len();
        Cases {
            entities: Vec::new(),
            dates: vec!["2024-04-01".parse().unwrap(); n],
            families: (0..n as u32).collect(),
            outcomes,
            log_odds,
            listed: vec![false; n],
        }
    }

    fn ways<'a>(first: &'a (Vec<f64>, Vec<f64>), second: &'a (Vec<f64>, Vec<f64>)) -> [Way<'a>; 2] {
        [first, second].map(|(log_odds, places)| Way { log_odds: Some(log_odds), places })
    }

    #[test]
    fn figures_and_places_by_hand_with_a_tie_in_one_of_the_two() {
        // The first ranks 0 to 9 and lists 0 and 1. The second has 2 on top, and shares its second place among 0, 1,
        // 3 and 4. With the outcome: 0, 2 and 4.
        let outcomes: Vec<bool> = (0..10).map(|row| matches!(row, 0 | 2 | 4)).collect();
        let first: Vec<f64> = (0..10).map(|row| -f64::from(row)).collect();
        let second = vec![1.0, 1.0, 2.0, 1.0, 1.0, 0.0, 0.0, 0.0, 0.0, 0.0];
        let of = |scores: Vec<f64>| {
            let places = places_at_capacity(&scores, 2);
            (scores, places)
        };
        let (first, second) = (of(first), of(second));
        let cases = cases(outcomes, first.0.clone());
        let found = PairedTest::measure(&cases, ways(&first, &second), Bootstrap::default());
        assert_eq!((found.n, found.positives, found.capacity), (10, 3, [2, 2]));
        // Of 0 and 1 the second gives a quarter of a place each.
        assert_eq!(
            (found.in_both, found.only_in_first, found.only_in_second),
            (Some(0.5), Some(1.5), Some(1.5))
        );
        // Found: 1 of 2 by the first; 1 + 2 * 1/4 = 1.5 of 2 by the second; three had the outcome.
        let precision = found.precision_at_capacity.unwrap();
        close(precision.without.value, 0.5, 1e-15);
        close(precision.with.value, 0.75, 1e-15);
        close(precision.change.value, 0.25, 1e-15);
        let recall = found.recall_at_capacity.unwrap();
        close(recall.change.value, 0.5 / 3.0, 1e-15);
        // Three families with the outcome are too few for an area's interval.
        assert_eq!((found.auc, found.average_precision), (None, None));
        let cost = |rows: &[f64]| {
            let cost = |row: usize| softplus(if cases.outcomes[row] { -rows[row] } else { rows[row] });
            (0..10).map(cost).sum::<f64>() / 10.0
        };
        close(found.log_loss.unwrap().change.value, cost(&second.0) - cost(&first.0), 1e-12);
        let text = found.to_string();
        assert!(
            text.contains("2 and 2; 0.5 go to the same cases, 1.5 only in the first, 1.5 only in"),
            "{text}"
        );
    }

    #[test]
    fn the_same_twice_differs_by_exactly_nothing_and_so_does_any_order_of_cases() {
        let outcomes: Vec<bool> = (0..200).map(|row| row * 7 % 5 == 0).collect();
        let scores: Vec<f64> = (0..200).map(|row| f64::from(row * 13 % 17)).collect();
        let other: Vec<f64> = (0..200).map(|row| f64::from(row * 11 % 23)).collect();
        let bootstrap = Bootstrap { resamples: 199, seed: 3 };
        let measure = |order: &[usize], second: &[f64]| {
            let pick = |from: &[f64]| order.iter().map(|&row| from[row]).collect::<Vec<_>>();
            let of = |scores: Vec<f64>| {
                let places = places_at_capacity(&scores, 30);
                (scores, places)
            };
            let (first, second) = (of(pick(&scores)), of(pick(second)));
            let mut cases = cases(order.iter().map(|&row| outcomes[row]).collect(), first.0.clone());
            cases.families = order.iter().map(|&row| row as u32 / 2).collect();
            PairedTest::measure(&cases, ways(&first, &second), bootstrap)
        };
        let forth: Vec<usize> = (0..200).collect();
        let back: Vec<usize> = (0..200).rev().collect();
        let same = measure(&forth, &scores);
        for figure in Figure::ALL {
            let change = same.change(figure).unwrap().change;
            assert_eq!((change.value, change.interval.low, change.interval.high), (0.0, 0.0, 0.0));
        }
        assert_eq!((same.only_in_first, same.only_in_second), (Some(0.0), Some(0.0)));
        let (first, second) = (measure(&forth, &other), measure(&back, &other));
        // A mean adds in the order of the cases; everything else is the same to the bit.
        assert_eq!(PairedTest { log_loss: None, ..first }, PairedTest { log_loss: None, ..second });
    }

    #[test]
    fn the_paired_interval_is_narrower_than_that_of_two_independent_figures_and_holds_its_level() {
        // 300 families of one case; both lists hold 60 drawn by a shared score, so the true difference is none.
        let bootstrap = Bootstrap { resamples: 199, seed: 5 };
        let (mut clear, mut paired, mut apart) = (0, 0.0, 0.0);
        for set in 0..200_u64 {
            let draw = |stream: u64, row: u64| {
                let bits = crate::stats::random::mix(set * 8 + stream, row);
                (bits >> 11) as f64 / 9_007_199_254_740_992.0
            };
            let outcomes: Vec<bool> = (0..300).map(|row| draw(0, row) < 0.3).collect();
            let score = |stream: u64| -> Vec<f64> {
                (0..300)
                    .map(|row| {
                        draw(1, row)
                            + 0.3 * draw(stream, row)
                            + 0.2 * f64::from(u8::from(outcomes[row as usize]))
                    })
                    .collect()
            };
            let of = |scores: Vec<f64>| {
                let places = places_at_capacity(&scores, 60);
                (scores, places)
            };
            let (first, second) = (of(score(2)), of(score(3)));
            let cases = cases(outcomes.clone(), first.0.clone());
            let found = PairedTest::measure(&cases, ways(&first, &second), bootstrap);
            let recall = found.recall_at_capacity.unwrap();
            let Estimate { interval, .. } = recall.change;
            clear += u32::from(interval.low > 0.0 || interval.high < 0.0);
            paired += interval.high - interval.low;
            let width = |estimate: Estimate| estimate.interval.high - estimate.interval.low;
            apart += width(recall.without).hypot(width(recall.with));
        }
        assert!(paired < 0.8 * apart, "{paired} against {apart}");
        // 5% of 200 is 10, give or take 3; lists are held fixed, so a little fewer or more is allowed.
        assert!((1..=20).contains(&clear), "{clear} of 200");
    }

    #[test]
    fn selections_of_other_lengths_are_refused() {
        let cases = cases((0..20).map(|row| row < 8).collect(), vec![0.0; 20]);
        let short = PairedTest::of_selections(&cases, &[true; 19], Bootstrap::default()).unwrap_err();
        assert!(
            matches!(short, EvaluateError::LengthMismatch { what, expected: 20, found: 19 } if what == "usual")
        );
        let few = PairedTest::of_selections(&cases, &[true; 20], Bootstrap { resamples: 3, seed: 0 });
        assert!(matches!(few, Err(EvaluateError::TooFewResamples { resamples: 3, .. })));
        // An empty list has no precision, and its recall is nothing.
        let found = PairedTest::of_selections(&cases, &[true; 20], Bootstrap::default()).unwrap();
        assert_eq!((found.precision_at_capacity, found.capacity), (None, [20, 0]));
        assert_eq!(found.recall_at_capacity.unwrap().change.value.to_bits(), (-1.0_f64).to_bits());
    }
}
