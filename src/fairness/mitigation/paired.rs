//! The same cases without a mitigation and with it, over the same redrawn families.

use super::super::protected::Protected;
use super::super::rates::{Characteristic, Counts, FairnessParams, UNKNOWN};
use super::super::report::{FairnessReport, Finding, GroupOutcome};
use super::cross_fit::Side;
use super::report::{BeforeAfter, GroupChange, PairedChange, RateChange, RateChanges};
use crate::dataset::Dataset;
use crate::error::EvaluateError;
use crate::evaluate::interval::{Bootstrap, Clusters, Estimate, percentile_interval};
use crate::evaluate::performance::TestRows;
use crate::evaluate::ranking::RankedRows;

/// Scores and lists of one side of the comparison.
pub(super) struct Arm<'a> {
    pub(super) log_odds: &'a [f64],
    pub(super) listed: Vec<bool>,
}

/// The same cases twice.
pub(super) struct Pair<'a> {
    pub(super) data: &'a Dataset,
    pub(super) side: &'a Side,
    pub(super) without: Arm<'a>,
    pub(super) with: Arm<'a>,
}

/// Cases of a group (or of all) that count: in all, with the outcome, and on the lists without and with.
#[derive(Debug, Clone, Copy, Default)]
struct Tally {
    n: u32,
    positives: u32,
    /// Without and with: on the list, and of these with the outcome.
    listed: [[u32; 2]; 2],
}

/// A rate as part and whole, without and with.
type Shares = [(u32, u32); 2];

impl Tally {
    fn add(&mut self, times: u32, outcome: bool, listed: [bool; 2]) {
        let positive = times * u32::from(outcome);
        self.n += times;
        self.positives += positive;
        for (held, on_it) in self.listed.iter_mut().zip(listed) {
            held[0] += times * u32::from(on_it);
            held[1] += positive * u32::from(on_it);
        }
    }

    fn without(&self, part: &Self) -> Self {
        let listed = [0, 1].map(|arm| [0, 1].map(|kind| self.listed[arm][kind] - part.listed[arm][kind]));
        Self { n: self.n - part.n, positives: self.positives - part.positives, listed }
    }

    fn selection(&self) -> Shares {
        self.listed.map(|[listed, _]| (listed, self.n))
    }

    fn found(&self) -> Shares {
        self.listed.map(|[_, found]| (found, self.positives))
    }

    fn wrongly_listed(&self) -> Shares {
        self.listed.map(|[listed, found]| (listed - found, self.n - self.positives))
    }

    fn outcome_on_list(&self) -> Shares {
        self.listed.map(|[listed, found]| (found, listed))
    }
}

/// One resample: the areas without and with, the tally of all, and that of each group.
struct Resample {
    areas: Option<[(f64, f64); 2]>,
    all: Tally,
    groups: Vec<Vec<Tally>>,
}

impl Pair<'_> {
    pub(super) fn measure(
        &self,
        protected: &Protected,
        params: FairnessParams,
        bootstrap: &Bootstrap,
    ) -> Result<BeforeAfter, EvaluateError> {
        let (resamples, least) = (bootstrap.resamples, Bootstrap::LEAST);
        if resamples < least {
            return Err(EvaluateError::TooFewResamples { resamples, least });
        }
        let row = |place: usize| self.side.rows[place] as usize;
        let cases = self.side.rows.len();
        let outcomes: Vec<bool> = (0..cases).map(|place| self.data.outcomes()[row(place)]).collect();
        let families: Vec<u32> = (0..cases).map(|place| self.data.families()[row(place)]).collect();
        let clusters = Clusters::new(&families);
        let groups: Vec<Vec<Option<&str>>> = (0..protected.held().len())
            .map(|nth| (0..cases).map(|place| protected.group(nth, self.data.id(row(place)))).collect())
            .collect();
        let named: Vec<(Vec<&str>, Vec<u32>)> =
            groups.iter().map(|of| numbered(of, &outcomes, &self.without.listed)).collect();
        let ranked =
            [&self.without, &self.with].map(|arm| RankedRows::new(arm.log_odds, &outcomes, &clusters.index));
        let resample = |times: &[u8]| {
            let mut drawn = Resample {
                areas: None,
                all: Tally::default(),
                groups: named.iter().map(|(names, _)| vec![Tally::default(); names.len()]).collect(),
            };
            let areas = [0, 1].map(|arm| ranked[arm].areas(times));
            if let [Some(without), Some(with)] = areas {
                drawn.areas = Some([without, with].map(|held| (held.auc, held.average_precision)));
            }
            for place in 0..cases {
                let count = u32::from(times[clusters.index[place] as usize]);
                if count > 0 {
                    let listed = [self.without.listed[place], self.with.listed[place]];
                    drawn.all.add(count, outcomes[place], listed);
                    for (tallies, (_, numbers)) in drawn.groups.iter_mut().zip(&named) {
                        tallies[numbers[place] as usize].add(count, outcomes[place], listed);
                    }
                }
            }
            drawn
        };
        let whole = resample(&vec![1; clusters.count]);
        let drawn = bootstrap.over(clusters.count, resample);
        let rows = TestRows {
            log_odds: self.without.log_odds,
            outcomes: &outcomes,
            families: &families,
            selected: &self.without.listed,
        };
        let characteristics: Vec<Characteristic<'_>> = protected
            .held()
            .iter()
            .zip(&groups)
            .map(|(name, groups)| Characteristic::Held { name, groups })
            .collect();
        let shown = FairnessReport::measure(&rows, &characteristics, &params)?;
        let measured = Measured { whole: &whole, drawn: &drawn, least: params.minimum_group };
        let both = self.without.listed.iter().zip(&self.with.listed);
        Ok(BeforeAfter {
            dates: self.side.dates.clone(),
            n: cases as u64,
            positives: u64::from(whole.all.positives),
            families: clusters.count as u64,
            listed: u64::from(whole.all.listed[0][0]),
            places_changed: both.filter(|(without, with)| **without && !**with).count() as u64,
            auc: measured.area(|areas| areas.0),
            average_precision: measured.area(|areas| areas.1),
            outcome_on_list: measured.rate(|drawn| drawn.all.outcome_on_list()),
            characteristics: shown
                .characteristics
                .iter()
                .enumerate()
                .map(|(nth, of)| (of.name.clone(), measured.groups(nth, &of.finding)))
                .collect(),
        })
    }
}

/// The names of the groups in the order of a fairness report, and each case's place among them.
fn numbered<'a>(groups: &[Option<&'a str>], outcomes: &[bool], listed: &[bool]) -> (Vec<&'a str>, Vec<u32>) {
    let rows = TestRows { log_odds: &[], outcomes, families: &[], selected: listed };
    let names: Vec<&str> = Counts::of_groups(&rows, groups).into_iter().map(|(name, _)| name).collect();
    let place = |group: Option<&str>| {
        let name = group.unwrap_or(UNKNOWN);
        names.iter().position(|held| *held == name).unwrap_or_default() as u32
    };
    let numbers = groups.iter().map(|&group| place(group)).collect();
    (names, numbers)
}

/// The figures of the cases as they are, and over all resamples.
struct Measured<'a> {
    whole: &'a Resample,
    drawn: &'a [Resample],
    least: u32,
}

impl Measured<'_> {
    fn area(&self, of: impl Fn(&(f64, f64)) -> f64) -> Option<PairedChange> {
        let n = [u64::from(self.whole.all.n); 2];
        self.change(n, |drawn| drawn.areas.as_ref().map(|[without, with]| [of(without), of(with)]))
    }

    /// A rate of a group, or of all; `None` where it is of too few cases.
    fn rate(&self, of: impl Fn(&Resample) -> Shares) -> Option<PairedChange> {
        let wholes = of(self.whole).map(|(_, whole)| whole);
        if wholes.iter().any(|&whole| whole < self.least.max(1)) {
            return None;
        }
        self.change(wholes.map(u64::from), |drawn| quotients(of(drawn)))
    }

    /// A group's rate minus that of everybody else.
    fn difference(&self, of: impl Fn(&Resample) -> (Shares, Shares)) -> Option<PairedChange> {
        let (here, there) = of(self.whole);
        if here.iter().chain(&there).any(|&(_, whole)| whole < self.least.max(1)) {
            return None;
        }
        let n = [0, 1].map(|arm| u64::from(here[arm].1) + u64::from(there[arm].1));
        self.change(n, |drawn| {
            let (here, there) = of(drawn);
            let (here, there) = (quotients(here)?, quotients(there)?);
            Some([here[0] - there[0], here[1] - there[1]])
        })
    }

    /// A figure without and with: `None` where there is none in the cases as they are. Resamples without it
    /// are left out.
    fn change(&self, n: [u64; 2], of: impl Fn(&Resample) -> Option<[f64; 2]>) -> Option<PairedChange> {
        let [without, with] = of(self.whole)?;
        let drawn: Vec<[f64; 2]> = self.drawn.iter().filter_map(of).collect();
        let interval =
            |of: fn(&[f64; 2]) -> f64| percentile_interval(drawn.iter().map(of).collect::<Vec<f64>>());
        Some(PairedChange {
            without: Estimate { value: without, interval: interval(|held| held[0])?, n: n[0] },
            with: Estimate { value: with, interval: interval(|held| held[1])?, n: n[1] },
            change: Estimate {
                value: with - without,
                interval: interval(|held| held[1] - held[0])?,
                n: n[0].min(n[1]),
            },
        })
    }

    fn groups(&self, nth: usize, finding: &Finding) -> Vec<GroupChange> {
        let Finding::Measured { groups } = finding else { return Vec::new() };
        let change = |place: usize, of: fn(&Tally) -> Shares| RateChange {
            rate: self.rate(|drawn| of(&drawn.groups[nth][place])),
            to_the_rest: self.difference(|drawn| {
                let group = &drawn.groups[nth][place];
                (of(group), of(&drawn.all.without(group)))
            }),
        };
        let rates = |place: usize| RateChanges {
            n: u64::from(self.whole.groups[nth][place].n),
            selection: change(place, Tally::selection),
            found: change(place, Tally::found),
            wrongly_listed: change(place, Tally::wrongly_listed),
        };
        groups
            .iter()
            .enumerate()
            .map(|(place, group)| GroupChange {
                group: group.group.clone(),
                rates: match group.outcome {
                    GroupOutcome::Shown(_) => Some(Box::new(rates(place))),
                    GroupOutcome::Suppressed { .. } => None,
                },
            })
            .collect()
    }
}

/// Both shares as numbers; `None` where either is a share of nothing.
fn quotients(shares: Shares) -> Option<[f64; 2]> {
    let [without, with] = shares.map(|(part, whole)| (whole > 0).then(|| f64::from(part) / f64::from(whole)));
    Some([without?, with?])
}
