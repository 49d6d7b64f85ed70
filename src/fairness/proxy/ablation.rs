//! What leaving a feature out does to ranking, and to each disparity.

use rayon::prelude::*;
use serde::Serialize;

use super::grouping::{Grouped, Grouping, counted};
use super::scores::AdditiveScores;
use super::{characteristics, protected_groups};
use crate::error::EvaluateError;
use crate::evaluate::Backtest;
use crate::evaluate::ranking::RankedRows;
use crate::fairness::audit::{AuditParams, hold_back_parts};
use crate::fairness::people::RowPeople;
use crate::fairness::{Characteristic, Protected};
use crate::stats::{
    Bootstrap, Clusters, Estimate, Interval, LANES, newcombe_difference, percentile_interval, wilson,
};

/// For each feature: what a list costs, and what becomes of each disparity, without it.
///
/// **Without training anew.** All terms that read the feature, alone or in a pair, are taken out of the
/// scores; the others stay as they are, and lists of the same length are drawn again for each date. A model
/// trained without the feature would let others take over part of its work, so it would lose less ranking
/// *and* keep more of the disparity than stands here: this shows where to look, and a candidate trained without
/// the feature is the proof.
///
/// **Intervals** are 95% each, by a bootstrap of whole families, with and without the feature on the
/// same draws (paired); the lists are those of all cases. For groups they also take in Newcombe's interval, since
/// a bootstrap of a small group in which nobody is listed shows no spread. They are not corrected for the number of features
/// and groups: among twenty changes that are none, about one interval leaves out zero.
///
/// # Examples
/// ```
/// use earlyhelp::calendar::AsOf;
/// use earlyhelp::evaluate::{Bootstrap, Capacity, Cases};
/// use earlyhelp::fairness::proxy::{AblationReport, AdditiveScores};
/// use earlyhelp::fairness::Characteristic;
/// use earlyhelp::fairness::audit::AuditParams;
///
/// // Police records put the east on the list and foresee nothing; arrears foresee the outcome.
/// let police: Vec<f64> = (0..400).map(|row| if row % 2 == 0 { 0.1 } else { -0.1 }).collect();
/// let arrears: Vec<f64> = (0..400).map(|row| f64::from(row / 2 % 10) / 9.0).collect();
/// let scores = AdditiveScores {
///     cases: Cases {
///         log_odds: police.iter().zip(&arrears).map(|(police, arrears)| police + arrears).collect(),
///         outcomes: (0..400).map(|row| row / 2 % 10 >= 8).collect(),
///         families: (0..400).collect(),
///         dates: vec!["2024-04-01".parse::<AsOf>()?; 400],
///         ..Cases::default()
///     },
///     contributions: vec![(vec!["police".into()], police), (vec!["arrears".into()], arrears)],
///     capacity: Capacity::Cases(80),
/// };
/// let groups: Vec<Option<&str>> = (0..400).map(|row| Some(if row % 2 == 0 { "east" } else { "west" })).collect();
/// let asked = [Characteristic::Held { name: "area", groups: &groups }];
/// let bootstrap = Bootstrap { resamples: 199, seed: 1 };
///
/// let report = AblationReport::measure(&scores, &asked, &bootstrap, &AuditParams::at_release())?;
/// let police = report.feature("police").ok_or("a feature")?;
/// // Ranking gains, and all of the disparity of 20 points goes.
/// assert!(police.ranking.auc.is_some_and(|change| change.interval.low > 0.0));
/// let change = police.gaps[0].selection_rate.ok_or("both groups are large")?;
/// assert!((change.value + 0.2).abs() < 1e-12 && change.interval.high < 0.0);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # References
/// The paired cluster bootstrap: A. C. Davison and D. V. Hinkley (1997), *Bootstrap Methods and their
/// Application*, sections 3.8 and 5.3.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct AblationReport {
    /// Groups of fewer rows than this are held back, and rates of fewer are not shown.
    pub minimum_group: u32,
    /// How many cases there are.
    pub n: u64,
    /// Of how many families.
    pub families: u64,
    /// How many cases are on the lists.
    pub listed: u64,
    /// Resamples and seed.
    pub bootstrap: Bootstrap,
    /// The model as it is.
    pub ranking: RankingFigures,
    /// Each group's difference to the rest, the model as it is.
    pub gaps: Vec<GroupGap>,
    /// Each feature, that which costs the most average precision first.
    pub features: Vec<FeatureAblation>,
    /// Characteristics of which nothing can be said, with the reason.
    pub not_measurable: Vec<(String, String)>,
    /// Groups held back: characteristic and group.
    pub held_back: Vec<(String, u64)>,
}

/// Three figures of ranking, or their changes. `None` where a figure cannot be told: nobody has the
/// outcome, everybody has it, or no list has a place.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[non_exhaustive]
pub struct RankingFigures {
    /// The area under the ROC curve.
    pub auc: Option<Estimate>,
    /// Average precision.
    pub average_precision: Option<Estimate>,
    /// Of those on the lists, the share with the outcome.
    pub outcome_share: Option<Estimate>,
}

/// A group's rates on the lists less those of everybody else, as differences of shares from -1 to 1. All are
/// `None` where in the group, or in the rest, fewer than [`AblationReport::minimum_group`] have the outcome, do
/// not have it, are on the lists, or are not: from the figures together that number could be worked out. So could, of those with
/// the outcome and of those without it, how many are on the lists and how many are not: where one of these is few, though not
/// none, or would follow from the other groups, all are `None` as well.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct GroupGap {
    /// The characteristic.
    pub characteristic: String,
    /// The group.
    pub group: String,
    /// Rows of the group.
    pub n: u64,
    /// Of all, the share on the list.
    pub selection_rate: Option<Estimate>,
    /// Of those with the outcome, the share on the list.
    pub true_positive_rate: Option<Estimate>,
    /// Of those without it, the share on the list.
    pub false_positive_rate: Option<Estimate>,
}

/// What becomes of a [`GroupGap`] without a feature: the difference to the rest then, less that now. `None` where
/// the gap is.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct GapChange {
    /// The characteristic.
    pub characteristic: String,
    /// The group.
    pub group: String,
    /// The change of the difference in selection rates.
    pub selection_rate: Option<Estimate>,
    /// The change of the difference in true-positive rates.
    pub true_positive_rate: Option<Estimate>,
    /// The change of the difference in false-positive rates.
    pub false_positive_rate: Option<Estimate>,
}

/// The model without a feature.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct FeatureAblation {
    /// The feature.
    pub feature: String,
    /// The terms that go with it.
    pub terms: Vec<Vec<String>>,
    /// Of the places on the lists, the share that the same cases would have. `None` without a place.
    pub list_kept: Option<Estimate>,
    /// Each figure without the feature less the figure with it: below zero, leaving it out costs.
    pub ranking: RankingFigures,
    /// What becomes of each group's difference to the rest, in the order of [`AblationReport::gaps`].
    pub gaps: Vec<GapChange>,
}

impl AblationReport {
    /// Leaves each feature out of a backtest's scores, at the backtest's capacity. The backtest's own
    /// bootstrap (of its plan) is the one to give.
    ///
    /// # Errors
    /// As [`AblationReport::measure`].
    pub fn of(
        backtest: &Backtest,
        protected: &Protected,
        bootstrap: &Bootstrap,
        params: &AuditParams,
    ) -> Result<Self, EvaluateError> {
        let entities: Vec<&str> = backtest.cases().entities.iter().map(String::as_str).collect();
        let groups = protected_groups(protected, &entities);
        let asked = characteristics(protected, &groups);
        Self::measure(&AdditiveScores::of(backtest), &asked, bootstrap, params)
    }

    /// Leaves each feature out of any additive scores.
    ///
    /// # Errors
    /// [`EvaluateError::Empty`] and [`EvaluateError::OneFamily`] where there is nothing to compare;
    /// [`EvaluateError::LengthMismatch`] where something has another number of entries than there are cases;
    /// [`EvaluateError::Score`] where a score or a contribution is not a number;
    /// [`EvaluateError::TooFewResamples`].
    pub fn measure(
        scores: &AdditiveScores,
        characteristics: &[Characteristic<'_>],
        bootstrap: &Bootstrap,
        params: &AuditParams,
    ) -> Result<Self, EvaluateError> {
        scores.check()?;
        bootstrap.check()?;
        let rows = scores.cases.log_odds.len();
        let people = RowPeople::of_ids(&scores.cases.entities);
        let (mut not_measurable, mut held_back) = (Vec::new(), Vec::new());
        let mut groupings: Vec<(&str, Grouping<'_>)> = Vec::new();
        for asked in characteristics {
            match Grouped::of(asked, (rows, &people), params.minimum)? {
                Grouped::NotMeasurable(why) => not_measurable.push((asked.name().to_owned(), why)),
                Grouped::Groups(grouping) => groupings.push((asked.name(), grouping)),
            }
        }
        for (name, grouping) in &groupings {
            held_back.extend(counted(name, grouping.groups.iter().filter(|group| group.held).count()));
        }
        let contest = Contest::new(scores, &groupings);
        let [point, ..] = contest.figures(&vec![[1; LANES]; contest.clusters.count]);
        let drawn = bootstrap.over_lanes(contest.clusters.count, |times| contest.figures(times));
        let held = withheld(&contest, &people, u64::from(params.minimum));
        let figures = Figures { contest: &contest, point, drawn, held };
        let mut features: Vec<FeatureAblation> =
            (0..contest.without.len()).map(|nth| figures.ablation(nth, scores)).collect();
        let cost =
            |found: &FeatureAblation| found.ranking.average_precision.map_or(0.0, |change| change.value);
        features.sort_by(|a, b| cost(a).total_cmp(&cost(b)));
        Ok(Self {
            minimum_group: params.minimum,
            n: rows as u64,
            families: contest.clusters.count as u64,
            listed: contest.listed.iter().filter(|&&listed| listed).count() as u64,
            bootstrap: *bootstrap,
            ranking: figures.ranking(0),
            gaps: figures.gaps(),
            features,
            not_measurable,
            held_back,
        })
    }

    /// What was found of one feature; `None` where no term reads it.
    #[must_use]
    pub fn feature(&self, name: &str) -> Option<&FeatureAblation> {
        self.features.iter().find(|held| held.feature == name)
    }
}

/// The scores with and without each feature, ready to be counted with other weights.
struct Contest<'a> {
    outcomes: &'a [bool],
    clusters: Clusters,
    ranked: RankedRows,
    listed: Vec<bool>,
    groupings: &'a [(&'a str, Grouping<'a>)],
    /// The groups that are shown: characteristic and group, as places.
    shown: Vec<(usize, usize)>,
    without: Vec<Without<'a>>,
}

/// Of each group of each characteristic, whether its rates are withheld. The three together give how many have the outcome,
/// how many do not, and how many of each are listed, of the group and of its rest; so they are shown together or not, and not
/// where one of these numbers is too small.
fn withheld(contest: &Contest<'_>, people: &RowPeople, least: u64) -> Vec<Vec<bool>> {
    let (outcomes, listed) = (contest.outcomes, &contest.listed[..]);
    let sides: [&dyn Fn(usize) -> Option<bool>; 4] = [
        &|row| Some(outcomes[row]),
        &|row| Some(listed[row]),
        &|row| outcomes[row].then_some(listed[row]),
        &|row| (!outcomes[row]).then_some(listed[row]),
    ];
    let of = |(_, grouping): &(&str, Grouping<'_>)| {
        let mut held: Vec<bool> = grouping.groups.iter().map(|group| group.held).collect();
        for side in sides {
            let place = |row: usize| Some((grouping.of_row[row] as usize, side(row)?));
            let parts = people.parted(listed.len(), held.len(), place);
            hold_back_parts(&parts, &mut held, least);
        }
        for (group, held) in held.iter_mut().enumerate().filter(|(_, held)| !**held) {
            let is_of = |row: usize| usize::from(grouping.of_row[row] as usize == group);
            *held = sides[..2].iter().any(|side| {
                let parts = people.parted(listed.len(), 2, |row| Some((is_of(row), side(row)?)));
                parts.iter().flat_map(|people| people.parts).any(|number| number < least)
            });
        }
        held
    };
    contest.groupings.iter().map(of).collect()
}

struct Without<'a> {
    feature: &'a str,
    ranked: RankedRows,
    /// The cases that come on a list or fall off it.
    moved: Vec<(u32, bool)>,
}

/// Counts of a group, in families' weights.
#[derive(Debug, Clone, Copy, Default)]
struct Tally {
    n: i64,
    positives: i64,
    selected: i64,
    both: i64,
}

/// The counts of everybody, and of each group of each characteristic.
#[derive(Debug, Clone)]
struct Tallies {
    all: Tally,
    groups: Vec<Vec<Tally>>,
}

impl Tally {
    /// Of rows without and with the outcome, each off the list and on it.
    fn of([off, on, missed, both]: [u64; 4]) -> Self {
        let [off, on, missed, both] = [off, on, missed, both].map(|count| count as i64);
        Self { n: off + on + missed + both, positives: missed + both, selected: on + both, both }
    }

    fn list(&mut self, weight: i64, outcome: bool) {
        self.selected += weight;
        self.both += if outcome { weight } else { 0 };
    }

    /// Selection rate, true-positive rate and false-positive rate; NaN where there is no denominator.
    fn rates(&self) -> [f64; 3] {
        let share = |part: i64, whole: i64| part as f64 / whole as f64;
        [
            share(self.selected, self.n),
            share(self.both, self.positives),
            share(self.selected - self.both, self.n - self.positives),
        ]
    }

    fn against(&self, all: &Self) -> [f64; 3] {
        let rest = Self {
            n: all.n - self.n,
            positives: all.positives - self.positives,
            selected: all.selected - self.selected,
            both: all.both - self.both,
        };
        let (here, there) = (self.rates(), rest.rates());
        std::array::from_fn(|nth| here[nth] - there[nth])
    }
}

impl<'a> Contest<'a> {
    fn new(scores: &'a AdditiveScores, groupings: &'a [(&'a str, Grouping<'a>)]) -> Self {
        let clusters = Clusters::new(&scores.cases.families);
        let rank = |log_odds: &[f64]| RankedRows::new(log_odds, &scores.cases.outcomes, &clusters.index);
        let listed = scores.listed(&scores.cases.log_odds);
        let without = scores
            .features()
            .into_iter()
            .map(|feature| {
                let left = scores.without(feature);
                let then = scores.listed(&left);
                let moved = (0_u32..).zip(listed.iter().zip(&then));
                let moved = moved.filter(|(_, (now, then))| now != then).map(|(row, (_, then))| (row, *then));
                Without { feature, moved: moved.collect(), ranked: rank(&left) }
            })
            .collect();
        let shown = groupings.iter().enumerate().flat_map(|(characteristic, (_, grouping))| {
            let groups = grouping.groups.iter().enumerate();
            groups.filter(|(_, group)| !group.held).map(move |(group, _)| (characteristic, group))
        });
        let (ranked, shown) = (rank(&scores.cases.log_odds), shown.collect());
        Self { outcomes: &scores.cases.outcomes, ranked, clusters, listed, groupings, shown, without }
    }

    /// What there is to count in each of several resamples.
    fn tallies(&self, times: &[[u8; LANES]]) -> [Tallies; LANES] {
        let none = |groups: usize| vec![[[0_u64; LANES]; 4]; groups];
        let mut all = none(1);
        let mut groups: Vec<_> =
            self.groupings.iter().map(|(_, grouping)| none(grouping.groups.len())).collect();
        for (row, &cluster) in self.clusters.index.iter().enumerate() {
            let drawn = times[cluster as usize].map(u64::from);
            let kind = 2 * usize::from(self.outcomes[row]) + usize::from(self.listed[row]);
            let add = |counts: &mut [[u64; LANES]; 4]| {
                counts[kind].iter_mut().zip(&drawn).for_each(|(count, drawn)| *count += drawn);
            };
            add(&mut all[0]);
            for ((_, grouping), counts) in self.groupings.iter().zip(&mut groups) {
                add(&mut counts[grouping.of_row[row] as usize]);
            }
        }
        std::array::from_fn(|lane| {
            let of = |counts: &[[u64; LANES]; 4]| Tally::of(counts.map(|counts| counts[lane]));
            let groups = groups.iter().map(|groups| groups.iter().map(of).collect());
            Tallies { all: of(&all[0]), groups: groups.collect() }
        })
    }

    /// For each of several resamples, figures of the model as it is, and after them each feature's changes: the three
    /// of ranking, then three for each group that is shown. NaN where there is none.
    fn figures(&self, times: &[[u8; LANES]]) -> [Vec<f64>; LANES] {
        let tallies = self.tallies(times);
        let now = self.summaries(&self.ranked, times, &tallies);
        let mut figures = now.clone();
        for without in &self.without {
            let mut then = tallies.clone();
            for &(row, joins) in &without.moved {
                let row = row as usize;
                let drawn = times[self.clusters.index[row] as usize];
                for (then, drawn) in then.iter_mut().zip(drawn) {
                    let weight = if joins { i64::from(drawn) } else { -i64::from(drawn) };
                    then.all.list(weight, self.outcomes[row]);
                    for ((_, grouping), tallies) in self.groupings.iter().zip(&mut then.groups) {
                        tallies[grouping.of_row[row] as usize].list(weight, self.outcomes[row]);
                    }
                }
            }
            let then = self.summaries(&without.ranked, times, &then);
            for ((figures, then), now) in figures.iter_mut().zip(&then).zip(&now) {
                figures.extend(then.iter().zip(now).map(|(then, now)| then - now));
            }
        }
        figures
    }

    fn summaries(
        &self,
        ranked: &RankedRows,
        times: &[[u8; LANES]],
        tallies: &[Tallies; LANES],
    ) -> [Vec<f64>; LANES] {
        let areas = ranked.areas_of_lanes(times);
        std::array::from_fn(|lane| {
            let Tallies { all, groups } = &tallies[lane];
            let [auc, precision] =
                areas[lane].map_or([f64::NAN; 2], |areas| [areas.auc, areas.average_precision]);
            let mut figures = vec![auc, precision, all.both as f64 / all.selected as f64];
            for &(characteristic, group) in &self.shown {
                figures.extend(groups[characteristic][group].against(all));
            }
            figures
        })
    }

    /// Figures of one contender.
    fn width(&self) -> usize {
        3 + 3 * self.shown.len()
    }
}

/// The figures of all cases and of every resample, to be made into estimates.
struct Figures<'a> {
    contest: &'a Contest<'a>,
    point: Vec<f64>,
    drawn: Vec<Vec<f64>>,
    /// See [`withheld`].
    held: Vec<Vec<bool>>,
}

impl Figures<'_> {
    /// The estimate of a figure; resamples in which it cannot be told are left out.
    fn estimate(&self, place: usize, n: u64) -> Option<Estimate> {
        let value = self.point[place];
        let drawn = self.drawn.iter().map(|figures| figures[place]).filter(|value| !value.is_nan());
        let interval = percentile_interval(drawn.collect())?;
        value.is_finite().then_some(Estimate { value, interval, n })
    }

    /// The three figures of ranking that start at a place.
    fn ranking(&self, place: usize) -> RankingFigures {
        let n = self.contest.outcomes.len() as u64;
        let listed = self.contest.listed.iter().filter(|&&listed| listed).count() as u64;
        RankingFigures {
            auc: self.estimate(place, n),
            average_precision: self.estimate(place + 1, n),
            outcome_share: self.estimate(place + 2, listed),
        }
    }

    /// The three figures of a group that start at a place; of the model as it is, or of what a feature's leaving changes.
    ///
    /// Resamples of a group in which nobody is listed, or moved, are all alike, which says nothing of how sure
    /// that is. So an interval also takes in Newcombe's: of the group's share less the rest's, or of the
    /// group's share that comes on less the share that falls off, beside the rest's change.
    fn rates(
        &self,
        place: usize,
        (characteristic, group): (usize, usize),
        without: Option<&Without<'_>>,
    ) -> [Option<Estimate>; 3] {
        let of_row = &self.contest.groupings[characteristic].1.of_row;
        let side = |row: usize| usize::from(of_row[row] as usize == group);
        // In the rest and in the group: of all, of those with the outcome, of those without it.
        let (mut wholes, mut first, mut second) = ([[0_u64; 2]; 3], [[0_u64; 2]; 3], [[0_u64; 2]; 3]);
        let add = |counts: &mut [[u64; 2]; 3], row: usize| {
            counts[0][side(row)] += 1;
            counts[if self.contest.outcomes[row] { 1 } else { 2 }][side(row)] += 1;
        };
        if self.held[characteristic][group] {
            return [None; 3];
        }
        for row in 0..of_row.len() {
            add(&mut wholes, row);
            if without.is_none() && self.contest.listed[row] {
                add(&mut first, row);
            }
        }
        for &(row, joins) in without.iter().flat_map(|without| &without.moved) {
            add(if joins { &mut first } else { &mut second }, row as usize);
        }
        std::array::from_fn(|nth| {
            let [rest, inside] = wholes[nth];
            let estimate = self.estimate(place + nth, rest + inside)?;
            let (own, by) = if without.is_some() {
                let of_rest = (first[nth][0] as f64 - second[nth][0] as f64) / rest as f64;
                (newcombe_difference((first[nth][1], inside), (second[nth][1], inside))?, of_rest)
            } else {
                (newcombe_difference((first[nth][1], inside), (first[nth][0], rest))?, 0.0)
            };
            let interval = Interval {
                low: estimate.interval.low.min(own.interval.low - by),
                high: estimate.interval.high.max(own.interval.high - by),
            };
            Some(Estimate { interval, ..estimate })
        })
    }

    fn gaps(&self) -> Vec<GroupGap> {
        let shown = self.contest.shown.iter().enumerate();
        shown
            .map(|(nth, &(characteristic, group))| {
                let [selection_rate, true_positive_rate, false_positive_rate] =
                    self.rates(3 + 3 * nth, (characteristic, group), None);
                let (name, grouping) = &self.contest.groupings[characteristic];
                GroupGap {
                    characteristic: (*name).to_owned(),
                    group: grouping.groups[group].name.to_owned(),
                    n: grouping.groups[group].n,
                    selection_rate,
                    true_positive_rate,
                    false_positive_rate,
                }
            })
            .collect()
    }

    fn ablation(&self, nth: usize, scores: &AdditiveScores) -> FeatureAblation {
        let without = &self.contest.without[nth];
        let place = (nth + 1) * self.contest.width();
        let terms = scores.contributions.iter().map(|(on, _)| on);
        let listed = self.contest.listed.iter().filter(|&&listed| listed).count() as u64;
        let left = without.moved.iter().filter(|(_, joins)| !joins).count() as u64;
        let shown: Vec<(usize, &(usize, usize))> = self.contest.shown.iter().enumerate().collect();
        FeatureAblation {
            feature: without.feature.to_owned(),
            terms: terms.filter(|on| on.iter().any(|name| name == without.feature)).cloned().collect(),
            list_kept: wilson(listed - left, listed),
            ranking: self.ranking(place),
            gaps: shown
                .into_par_iter()
                .map(|(nth, &(characteristic, group))| {
                    let [selection_rate, true_positive_rate, false_positive_rate] =
                        self.rates(place + 3 + 3 * nth, (characteristic, group), Some(without));
                    let (name, grouping) = &self.contest.groupings[characteristic];
                    GapChange {
                        characteristic: (*name).to_owned(),
                        group: grouping.groups[group].name.to_owned(),
                        selection_rate,
                        true_positive_rate,
                        false_positive_rate,
                    }
                })
                .collect(),
        }
    }
}
