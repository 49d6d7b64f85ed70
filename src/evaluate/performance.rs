//! The bundle: everything that is said about how well a model ranks and predicts on a test set.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

use super::calibration::{Calibration, brier, log_loss};
use super::ranking::RankedRows;
use crate::error::EvaluateError;
use crate::stats::{Bootstrap, Clusters, Estimate, expected_share, percentile_interval, wilson};

/// The rows of a test: one row per person and as-of date, with what was predicted and what happened.
///
/// Several as-of dates may be pooled. All slices have one entry per row, in an order that does not depend
/// on chance (sums are made in the order of the rows, so another order may change the last bits).
#[derive(Debug, Clone, Copy)]
pub(crate) struct TestRows<'a> {
    /// The score of each row: the log-odds of the outcome.
    pub(crate) log_odds: &'a [f64],
    /// Whether the outcome followed.
    pub(crate) outcomes: &'a [bool],
    /// The family of each row, by a code that does not depend on the order of the rows. All rows of one
    /// person, at all as-of dates, have the code of that person's family.
    pub(crate) families: &'a [u32],
    /// The part of a place on the list that each row has, 0 to 1: see
    /// [`places_at_capacity`](super::ranking::places_at_capacity). With several as-of dates each date has its
    /// own list.
    pub(crate) places: &'a [f64],
}

/// Rows of equal score, and fewer places than rows. Each row counts as selected by the part of them that there are
/// places for, which is the mean over all orders of equals: so no order of rows changes a figure.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Tie {
    /// How many rows have the score at which the list ends; over several lists, together.
    pub rows: u64,
    /// How many places of the list are left for them.
    pub places: u64,
}

impl TestRows<'_> {
    /// A score above this is no log-odds that any model gives (a probability's log-odds in `f64` ends at
    /// about ±745), and sums of its squares could overflow.
    const LARGEST: f64 = 1e100;

    /// Checks lengths and scores.
    ///
    /// # Errors
    /// [`EvaluateError::Empty`], [`EvaluateError::LengthMismatch`] or [`EvaluateError::Score`].
    pub(crate) fn check(&self) -> Result<(), EvaluateError> {
        let expected = self.log_odds.len();
        let lengths = [
            ("outcomes", self.outcomes.len()),
            ("families", self.families.len()),
            ("places", self.places.len()),
        ];
        for (what, found) in lengths {
            if found != expected {
                return Err(EvaluateError::LengthMismatch { what: what.to_owned(), expected, found });
            }
        }
        if expected == 0 {
            return Err(EvaluateError::Empty);
        }
        let usable = |score: &f64| score.is_finite() && score.abs() <= Self::LARGEST;
        match self.log_odds.iter().position(|score| !usable(score)) {
            Some(row) => Err(EvaluateError::Score { row }),
            None => Ok(()),
        }
    }
}

/// How well a model did on a test set, each number with its 95% interval.
/// A [`Backtest`](super::Backtest) measures it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Performance {
    /// How many rows.
    pub n: u64,
    /// How many of them had the outcome.
    pub positives: u64,
    /// How many families the rows belong to.
    pub families: u64,
    /// The share with the outcome (Wilson).
    pub prevalence: Estimate,
    /// The area under the ROC curve (family bootstrap). `None` when fewer than
    /// [`Performance::LEAST_FAMILIES`] families hold a row with the outcome, or a row without it.
    pub auc: Option<Estimate>,
    /// Average precision (the same bootstrap). `None` when `auc` is.
    pub average_precision: Option<Estimate>,
    /// The log loss in nats, see [`log_loss`].
    pub log_loss: Estimate,
    /// The Brier score, see [`brier`].
    pub brier: Estimate,
    /// Slope, intercept and bins; `None` when they cannot be estimated.
    pub calibration: Option<Calibration>,
    /// How many rows are on the list.
    pub capacity: u64,
    /// Rows of equal score at the end of the list, where there are more of them than places. They share the places
    /// in the figures that follow, which are means over every order of equals.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tied: Option<Tie>,
    /// The share of the list that had the outcome (Wilson). `None` when the list is empty.
    pub precision_at_capacity: Option<Estimate>,
    /// The share of those with the outcome that the list holds (Wilson). `None` when nobody had the outcome.
    pub recall_at_capacity: Option<Estimate>,
    /// How many cases on the list are reviewed for each one that had the outcome: 1 / precision. `None` when
    /// the list holds none.
    pub number_needed_to_review: Option<f64>,
}

impl Performance {
    /// The fewest families that must hold a row of each class for AUC and average precision to be shown.
    ///
    /// Of the resamples, about `e^-k` hold none of `k` families: with five it is under 1%, and they
    /// can be left out without changing the interval. With fewer, an interval would only pretend to be one.
    pub const LEAST_FAMILIES: usize = 5;

    /// Measures a test set.
    ///
    /// The same rows, in any order but for rounding, and the same bootstrap give the same result at any
    /// number of threads; counts, AUC, average precision and their intervals are the same to the bit.
    ///
    /// # Errors
    /// What [`TestRows::check`] finds; [`EvaluateError::TooFewResamples`]; [`EvaluateError::OneFamily`].
    pub(crate) fn measure(rows: &TestRows<'_>, bootstrap: &Bootstrap) -> Result<Self, EvaluateError> {
        rows.check()?;
        bootstrap.check()?;
        let clusters = Clusters::new(rows.families);
        let (log_odds, outcomes) = (rows.log_odds, rows.outcomes);
        let n = log_odds.len() as u64;
        let positives = outcomes.iter().filter(|&&outcome| outcome).count() as u64;
        let Listed { capacity, found, tied } = Listed::count(outcomes, rows.places);
        let ((auc, average_precision), (log_loss, (brier, calibration))) = rayon::join(
            || ranked(rows, &clusters, bootstrap).unzip(),
            || {
                let log_loss = || log_loss(log_odds, outcomes, rows.families);
                let brier = || brier(log_odds, outcomes, rows.families);
                let calibration = || Calibration::measure(log_odds, outcomes, rows.families);
                rayon::join(log_loss, || rayon::join(brier, calibration))
            },
        );
        Ok(Self {
            n,
            positives,
            families: clusters.count as u64,
            prevalence: wilson(positives, n).ok_or(EvaluateError::Empty)?,
            auc,
            average_precision,
            log_loss: log_loss.ok_or(EvaluateError::OneFamily)?,
            brier: brier.ok_or(EvaluateError::OneFamily)?,
            calibration,
            capacity,
            tied,
            precision_at_capacity: expected_share(found, capacity),
            recall_at_capacity: expected_share(found, positives),
            number_needed_to_review: (found > 0.0).then(|| capacity as f64 / found),
        })
    }
}

/// What is on the lists.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Listed {
    pub(super) capacity: u64,
    /// How many with the outcome are expected on them.
    pub(super) found: f64,
    pub(super) tied: Option<Tie>,
}

impl Listed {
    /// Rows with the same part of a place are counted before anything is added up, so that the order of the rows
    /// changes no bit.
    pub(super) fn count(outcomes: &[bool], places: &[f64]) -> Self {
        let mut parts: BTreeMap<u64, [u64; 2]> = BTreeMap::new();
        for (&part, &outcome) in places.iter().zip(outcomes) {
            if part > 0.0 {
                let [rows, with] = parts.entry(part.to_bits()).or_default();
                *rows += 1;
                *with += u64::from(outcome);
            }
        }
        let (mut capacity, mut found) = (0.0, 0.0);
        let (mut tied, mut shared) = (0, 0.0);
        for (bits, [rows, with]) in parts {
            let part = f64::from_bits(bits);
            capacity += part * rows as f64;
            found += part * with as f64;
            if part < 1.0 {
                tied += rows;
                shared += part * rows as f64;
            }
        }
        // Places of a list are whole: only rounding parts the sums from whole numbers.
        let tied = (tied > 0).then(|| Tie { rows: tied, places: shared.round() as u64 });
        Self { capacity: capacity.round() as u64, found, tied }
    }
}

/// AUC and average precision with intervals from one bootstrap.
fn ranked(rows: &TestRows<'_>, clusters: &Clusters, bootstrap: &Bootstrap) -> Option<(Estimate, Estimate)> {
    let with = clusters.with_any(rows.outcomes.iter().copied());
    let without = clusters.with_any(rows.outcomes.iter().map(|outcome| !outcome));
    if with.min(without) < Performance::LEAST_FAMILIES {
        return None;
    }
    let order = RankedRows::new(rows.log_odds, rows.outcomes, &clusters.index);
    let whole = order.areas(&vec![1; clusters.count])?;
    let drawn: Vec<_> = bootstrap
        .over_lanes(clusters.count, |times| order.areas_of_lanes(times))
        .into_iter()
        .flatten()
        .collect();
    let n = rows.log_odds.len() as u64;
    let auc = percentile_interval(drawn.iter().map(|areas| areas.auc).collect())?;
    let average_precision = percentile_interval(drawn.iter().map(|areas| areas.average_precision).collect())?;
    Some((
        Estimate { value: whole.auc, interval: auc, n },
        Estimate { value: whole.average_precision, interval: average_precision, n },
    ))
}

impl fmt::Display for Performance {
    /// A few lines for a terminal.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let share = self.prevalence.percent();
        writeln!(
            f,
            "Test: {} cases in {} families; {} had the outcome, {share}",
            self.n, self.families, self.positives
        )?;
        match (&self.auc, &self.average_precision) {
            (Some(auc), Some(precision)) => {
                writeln!(f, "Ranking: AUC {auc} (chance gives 0.5)")?;
                let chance = self.prevalence.value;
                writeln!(f, "  average precision {precision} (chance gives about {chance:.3})")?;
            }
            _ => writeln!(f, "Ranking: cannot be told, too few families with or without the outcome")?,
        }
        match &self.calibration {
            Some(calibration) => {
                writeln!(f, "Calibration: slope {:.2} (right is 1)", calibration.slope)?;
                writeln!(f, "  intercept {:.2} (right is 0)", calibration.intercept)?;
            }
            None => writeln!(f, "Calibration: cannot be told from these scores and outcomes")?,
        }
        writeln!(f, "Losses: log loss {:.4}; Brier score {:.4}", self.log_loss, self.brier)?;
        write!(f, "List: {} cases", self.capacity)?;
        if let Some(precision) = &self.precision_at_capacity {
            write!(f, "; {} of them had the outcome", precision.percent())?;
        }
        writeln!(f)?;
        if let Some(Tie { rows, places }) = self.tied {
            writeln!(f, "  its last places ({places}) are shared by {rows} cases of equal score")?;
        }
        if let Some(recall) = &self.recall_at_capacity {
            writeln!(f, "  it holds {} of those who had the outcome", recall.percent())?;
        }
        if let Some(number) = self.number_needed_to_review {
            writeln!(f, "  {number:.1} cases to review for each one that had the outcome")?;
        }
        write!(f, "Brackets hold 95% intervals. A case is one person, or one family, at one date.")
    }
}

#[cfg(test)]
mod tests {
    use rand_xoshiro::Xoshiro256PlusPlus;
    use rand_xoshiro::rand_core::{Rng, SeedableRng};

    use super::super::ranking::places_at_capacity;
    use super::*;
    use crate::stats::fixture::{close, load};

    /// Made-up test rows. In each family a shared part of the score and of the chance of the outcome.
    struct Made {
        log_odds: Vec<f64>,
        outcomes: Vec<bool>,
        families: Vec<u32>,
        places: Vec<f64>,
    }

    impl Made {
        /// Families of one to `largest`; the score is normal with standard deviation 1, and mean 1 with
        /// the outcome, 0 without; `shared` (0 to 1) is what siblings' scores have in common.
        fn new(families: u32, largest: u64, shared: f64, seed: u64) -> Self {
            let mut random = Xoshiro256PlusPlus::seed_from_u64(seed);
            let mut made = Self { log_odds: vec![], outcomes: vec![], families: vec![], places: vec![] };
            for family in 0..families {
                let size = 1 + random.next_u64() % largest;
                let common = normal(&mut random);
                let outcome = uniform(&mut random) < 0.3;
                for _ in 0..size {
                    let own = normal(&mut random);
                    // Half of the families are of one mind; else each child's outcome is its own.
                    let outcome = if family % 2 == 0 { outcome } else { uniform(&mut random) < 0.3 };
                    made.outcomes.push(outcome);
                    made.log_odds.push(
                        f64::from(u8::from(outcome)) + shared.sqrt() * common + (1.0 - shared).sqrt() * own,
                    );
                    made.families.push(family);
                }
            }
            made.places = places_at_capacity(&made.log_odds, made.log_odds.len() / 5);
            made
        }

        fn rows(&self) -> TestRows<'_> {
            TestRows {
                log_odds: &self.log_odds,
                outcomes: &self.outcomes,
                families: &self.families,
                places: &self.places,
            }
        }
    }

    fn uniform(random: &mut Xoshiro256PlusPlus) -> f64 {
        ((random.next_u64() >> 11) as f64 + 0.5) / 9_007_199_254_740_992.0
    }

    /// Box and Muller's way.
    fn normal(random: &mut Xoshiro256PlusPlus) -> f64 {
        let radius = (-2.0 * uniform(random).ln()).sqrt();
        radius * (std::f64::consts::TAU * uniform(random)).cos()
    }

    #[test]
    fn the_bundle_agrees_with_its_parts_and_with_the_fixture() {
        for set in load().datasets {
            let (outcomes, selected) = (set.outcomes(), set.selected());
            let places: Vec<f64> = selected.iter().map(|&on| f64::from(u8::from(on))).collect();
            let rows = TestRows {
                log_odds: &set.log_odds,
                outcomes: &outcomes,
                families: &set.families,
                places: &places,
            };
            let found = Performance::measure(&rows, &Bootstrap { resamples: 199, seed: 1 }).unwrap();
            let (auc, precision) = (found.auc.unwrap(), found.average_precision.unwrap());
            close(auc.value, set.auc, 1e-9);
            close(precision.value, set.average_precision, 1e-9);
            for estimate in [auc, precision, found.prevalence, found.log_loss, found.brier] {
                let interval = estimate.interval;
                assert!(interval.low < estimate.value && estimate.value < interval.high, "{}", set.name);
                assert_eq!(estimate.n, set.log_odds.len() as u64);
            }
            let hits = outcomes.iter().zip(&selected).filter(|&(&o, &s)| o && s).count() as u64;
            assert_eq!(found.precision_at_capacity, wilson(hits, found.capacity));
            assert_eq!(found.recall_at_capacity, wilson(hits, found.positives));
            close(found.number_needed_to_review.unwrap(), found.capacity as f64 / hits as f64, 0.0);
            assert!(found.calibration.is_some());
            let text = serde_json::to_string(&found).unwrap();
            assert_eq!(serde_json::from_str::<Performance>(&text).unwrap(), found);
        }
    }

    #[test]
    fn the_auc_interval_covers_as_often_as_it_says() {
        // The true AUC of two normals one standard deviation apart is Φ(1/√2).
        const TRUE_AUC: f64 = 0.760_249_938_906_523_7;
        let bootstrap = Bootstrap { resamples: 299, seed: 3 };
        let (mut by_family, mut by_row) = (0, 0);
        for set in 0..200 {
            let mut made = Made::new(150, 4, 0.9, 1_000 + set);
            let covers = |made: &Made| {
                let interval = Performance::measure(&made.rows(), &bootstrap).unwrap().auc.unwrap().interval;
                u32::from(interval.low <= TRUE_AUC && TRUE_AUC <= interval.high)
            };
            by_family += covers(&made);
            made.families = (0..made.families.len() as u32).collect();
            by_row += covers(&made);
        }
        // 95% of 200 is 190, give or take 3.
        assert!((180..=198).contains(&by_family), "{by_family} of 200");
        // Taking siblings for independent is visibly too sure.
        assert!(by_row + 10 < by_family, "{by_row} of 200 by row, {by_family} by family");
    }

    #[test]
    fn threads_and_the_order_of_rows_do_not_matter() {
        let made = Made::new(400, 3, 0.5, 8);
        let bootstrap = Bootstrap { resamples: 99, seed: 4 };
        let first = Performance::measure(&made.rows(), &bootstrap).unwrap();
        for threads in [1, 3] {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            assert_eq!(pool.install(|| Performance::measure(&made.rows(), &bootstrap)).unwrap(), first);
        }
        let n = made.log_odds.len();
        let order: Vec<usize> = (0..n).rev().collect();
        let turned = Made {
            log_odds: order.iter().map(|&row| made.log_odds[row]).collect(),
            outcomes: order.iter().map(|&row| made.outcomes[row]).collect(),
            families: order.iter().map(|&row| made.families[row]).collect(),
            places: order.iter().map(|&row| made.places[row]).collect(),
        };
        let second = Performance::measure(&turned.rows(), &bootstrap).unwrap();
        assert_eq!((second.auc, second.average_precision), (first.auc, first.average_precision));
        assert_eq!(second.precision_at_capacity, first.precision_at_capacity);
        close(second.log_loss.value, first.log_loss.value, 1e-12);
        let other = Performance::measure(&made.rows(), &Bootstrap { seed: 5, ..bootstrap }).unwrap();
        assert_ne!(other.auc, first.auc);
    }

    #[test]
    fn a_tie_at_the_cut_is_shared_and_no_order_of_rows_changes_a_byte() {
        // Six places: two rows of 3 points (one with the outcome), then four places for ten rows of 2 points (five
        // with it), eight rows of 1 point (two with it). Expected: 1 + 5 * 4/10 = 3 of 6, and of 8.
        let scores: Vec<f64> = [(3.0, 2), (2.0, 10), (1.0, 8)]
            .iter()
            .flat_map(|&(score, rows)| std::iter::repeat_n(score, rows))
            .collect();
        let outcomes: Vec<bool> =
            (0..20).map(|row| row == 0 || (2..7).contains(&row) || row == 12 || row == 13).collect();
        let bootstrap = Bootstrap { resamples: 39, seed: 2 };
        let measure = |order: &[usize]| {
            let scores: Vec<f64> = order.iter().map(|&row| scores[row]).collect();
            let outcomes: Vec<bool> = order.iter().map(|&row| outcomes[row]).collect();
            let families: Vec<u32> = order.iter().map(|&row| row as u32).collect();
            let places = places_at_capacity(&scores, 6);
            let rows =
                TestRows { log_odds: &scores, outcomes: &outcomes, families: &families, places: &places };
            Performance::measure(&rows, &bootstrap).unwrap()
        };
        let first = measure(&(0..20).collect::<Vec<_>>());
        assert_eq!((first.capacity, first.tied), (6, Some(Tie { rows: 10, places: 4 })));
        assert_eq!(first.precision_at_capacity, wilson(3, 6));
        assert_eq!(first.recall_at_capacity, wilson(3, 8));
        assert_eq!(first.number_needed_to_review, Some(2.0));
        assert!(first.to_string().contains("its last places (4) are shared by 10 cases of equal score"));
        // Those with the outcome first or last among equals: by lot it would be 5 or 1 of 6.
        for order in [(0..20).rev().collect::<Vec<_>>(), (0..20).map(|row| row * 7 % 20).collect()] {
            let other = measure(&order);
            let at_capacity = |found: &Performance| {
                (found.tied, found.precision_at_capacity, found.recall_at_capacity, found.auc)
            };
            assert_eq!(at_capacity(&other), at_capacity(&first));
        }
        // A number that is not whole: 7 places leave 5 for the ten, 1 + 2.5 with the outcome; by hand
        // (3.5 + z²/2) / (7 + z²) give or take z / (7 + z²) * sqrt(3.5 * 3.5 / 7 + z²/4).
        let places = places_at_capacity(&scores, 7);
        assert_eq!(Listed::count(&outcomes, &places).found.to_bits(), 3.5_f64.to_bits());
        let share = expected_share(3.5, 7).unwrap();
        let z = crate::stats::Z;
        close(share.interval.high, 0.5 + z / (7.0 + z * z) * (1.75 + z * z / 4.0).sqrt(), 1e-15);
    }

    #[test]
    fn wrong_input_is_named_by_position() {
        let made = Made::new(30, 2, 0.5, 9);
        let n = made.log_odds.len();
        let measure = |rows: TestRows<'_>| Performance::measure(&rows, &Bootstrap::default()).unwrap_err();
        let short = measure(TestRows { places: &made.places[1..], ..made.rows() });
        let expected = EvaluateError::LengthMismatch { what: "places".to_owned(), expected: n, found: n - 1 };
        assert_eq!(short, expected);
        let mut scores = made.log_odds.clone();
        for bad in [f64::NAN, f64::NEG_INFINITY, 1e200] {
            scores[4] = bad;
            assert_eq!(
                measure(TestRows { log_odds: &scores, ..made.rows() }),
                EvaluateError::Score { row: 4 }
            );
        }
        let empty = TestRows { log_odds: &[], outcomes: &[], families: &[], places: &[] };
        assert_eq!(measure(empty), EvaluateError::Empty);
        assert_eq!(measure(TestRows { families: &vec![3; n], ..made.rows() }), EvaluateError::OneFamily);
        let few = Performance::measure(&made.rows(), &Bootstrap { resamples: 38, seed: 0 });
        assert_eq!(few, Err(EvaluateError::TooFewResamples { resamples: 38, least: 39 }));
    }

    #[test]
    fn what_has_no_denominator_is_none() {
        let made = Made::new(30, 2, 0.5, 10);
        let n = made.log_odds.len();
        let (nobody, no_list) = (vec![false; n], vec![0.0; n]);
        let rows = TestRows { outcomes: &nobody, places: &no_list, ..made.rows() };
        let found = Performance::measure(&rows, &Bootstrap::default()).unwrap();
        assert_eq!((found.auc, found.average_precision, found.calibration.clone()), (None, None, None));
        assert_eq!((found.precision_at_capacity, found.recall_at_capacity), (None, None));
        assert_eq!(found.number_needed_to_review, None);
        let text = found.to_string();
        assert!(text.contains("Ranking: cannot be told"), "{text}");
        // Four families with the outcome are too few for an interval, five are enough.
        for (with, shown) in [(4_usize, false), (5, true)] {
            let families: Vec<u32> = (0..n as u32).collect();
            let outcomes: Vec<bool> = (0..n).map(|row| row < with).collect();
            let rows = TestRows { outcomes: &outcomes, families: &families, ..made.rows() };
            let found = Performance::measure(&rows, &Bootstrap::default()).unwrap();
            assert_eq!(found.auc.is_some(), shown);
            assert_eq!(found.average_precision.is_some(), shown);
        }
    }

    #[test]
    fn the_text_says_the_numbers() {
        let made = Made::new(300, 3, 0.5, 12);
        let found = Performance::measure(&made.rows(), &Bootstrap { resamples: 99, seed: 0 }).unwrap();
        let text = found.to_string();
        let cases = format!("Test: {} cases in 300 families; {} had", found.n, found.positives);
        assert!(text.starts_with(&cases), "{text}");
        assert!(text.contains(&format!("AUC {}", found.auc.unwrap())), "{text}");
        assert!(text.contains(&found.recall_at_capacity.unwrap().percent()), "{text}");
        assert!(text.lines().count() <= 10 && text.lines().all(|line| line.len() <= 110), "{text}");
    }
}
