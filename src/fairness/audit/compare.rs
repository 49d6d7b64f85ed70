//! Differences and ratios between groups, and what they say.

use super::curves::area_between;
use super::groups::{Context, Group, coarse};
use super::measure::{POWER, estimate, sidak};
use super::rates::{Moments, Rate, RatePair};
use super::replicates::{Replicates, Scored, Series};
use super::report::{Against, Disparity, DisparityVerdict, Measure, ScoreScale};
use crate::stats::{Estimate, Interval, Z};

/// The groups of a column against one base: a group among them, or everybody.
pub(super) struct Comparison<'a> {
    pub(super) context: &'a Context<'a>,
    pub(super) groups: &'a [Group],
    pub(super) base: &'a Group,
    /// The base's place among the replicates: the number of groups for everybody.
    pub(super) base_place: usize,
    /// The base's place among the bases of the bootstrap.
    pub(super) base_number: usize,
    pub(super) against: Against,
    /// The moments of the base with each group; for everybody they are among the groups' sums.
    pub(super) across: Option<&'a [Moments]>,
    pub(super) replicates: &'a Replicates,
}

/// Where a measure comes from.
enum Source {
    /// A share, by its place, or its complement.
    Share(usize, bool),
    Scored(Scored),
    Area,
}

fn source(measure: Measure) -> Option<Source> {
    Some(match measure {
        Measure::Prevalence => Source::Share(0, false),
        Measure::SelectionRate => Source::Share(1, false),
        Measure::TruePositiveRate => Source::Share(2, false),
        Measure::FalseNegativeRate => Source::Share(2, true),
        Measure::FalsePositiveRate => Source::Share(3, false),
        Measure::TrueNegativeRate => Source::Share(3, true),
        Measure::Precision => Source::Share(4, false),
        Measure::FalseDiscoveryRate => Source::Share(4, true),
        Measure::FalseOmissionRate => Source::Share(5, false),
        Measure::Accuracy => Source::Share(6, false),
        Measure::Auc => Source::Scored(Scored::Auc),
        Measure::AveragePrecision => Source::Scored(Scored::AveragePrecision),
        Measure::MeanScore => Source::Scored(Scored::MeanScore),
        Measure::CalibrationGap => Source::Scored(Scored::CalibrationGap),
        Measure::ExpectedCalibrationError => Source::Scored(Scored::ExpectedError),
        Measure::NetBenefit => Source::Scored(Scored::NetBenefit),
        Measure::Abroca => Source::Area,
        Measure::ShareOfSelected | Measure::CalibrationSlope | Measure::CalibrationIntercept => return None,
    })
}

/// Difference and ratio before they are put together.
struct Gap {
    value: f64,
    series: Series,
    interval: Interval,
    deviation: f64,
    rates: Option<RatePair>,
    ratio: Option<(f64, Interval)>,
}

impl Comparison<'_> {
    /// One measure for all groups, in their order; none for the base itself.
    pub(super) fn disparities(&self, measure: Measure) -> Vec<Option<Disparity>> {
        let Some(source) = source(measure) else { return self.groups.iter().map(|_| None).collect() };
        let gaps: Vec<Option<Gap>> = (0..self.groups.len())
            .map(|place| if self.is_base(place) { None } else { self.gap(place, &source) })
            .collect();
        let critical = critical(gaps.iter().flatten().map(|gap| &gap.series));
        let disparity = |place: usize, gap: Option<Gap>| {
            (!self.is_base(place)).then(|| self.disparity(measure, place, gap.as_ref(), critical))
        };
        gaps.into_iter().enumerate().map(|(place, gap)| disparity(place, gap)).collect()
    }

    fn is_base(&self, place: usize) -> bool {
        place == self.base_place
    }

    fn gap(&self, place: usize, source: &Source) -> Option<Gap> {
        let here = &self.groups[place];
        let few = |curve: bool| here.few(curve).min(self.base.few(curve));
        let series = |nth: usize| {
            let base = self.replicates.figure(self.base_place, nth);
            self.replicates.figure(place, nth).with(base, |a, b| a - b)
        };
        match *source {
            Source::Share(nth, complement) => {
                let turn = |rate: Rate| if complement { rate.complement() } else { rate };
                let round = self.context.params.round_to;
                let rates = (turn(here.rate(nth, round)?), turn(self.base.rate(nth, round)?));
                let none = Moments::default();
                let cross = match self.across {
                    Some(across) => across.get(place).unwrap_or(&none),
                    None => &here.sums.with_whole,
                };
                let own = (&here.sums.moments, &self.base.sums.moments);
                let pair = RatePair::new(rates.0, rates.1, own, cross);
                let difference = pair.difference();
                Some(Gap {
                    value: difference.value,
                    series: series(nth),
                    interval: difference.interval,
                    deviation: pair.standard_error(),
                    ratio: None,
                    rates: Some(pair),
                })
            }
            Source::Scored(figure) => {
                let (a, b) = (here.scored(figure)?, self.base.scored(figure)?);
                let series = series(figure.place());
                Some(Gap {
                    value: a - b,
                    interval: series.percentile(a - b, few(figure.of_curve()))?,
                    deviation: series.deviation()?,
                    ratio: self.scored_ratio(place, figure, (a, b)),
                    rates: None,
                    series,
                })
            }
            Source::Area => {
                let (a, b) = (here.curve.as_ref()?, self.base.curve.as_ref()?);
                let series = self.replicates.area(self.base_number, place).clone();
                let value = area_between(&a.roc, &b.roc);
                Some(Gap {
                    value,
                    interval: series.basic(value, few(true))?,
                    deviation: series.deviation()?,
                    ratio: None,
                    rates: None,
                    series,
                })
            }
        }
    }

    fn scored_ratio(&self, place: usize, figure: Scored, (a, b): (f64, f64)) -> Option<(f64, Interval)> {
        let chances = self.context.rows.scale == ScoreScale::Chances;
        let has_ratio = match figure {
            Scored::Auc | Scored::AveragePrecision => true,
            Scored::MeanScore => chances,
            Scored::CalibrationGap | Scored::ExpectedError | Scored::NetBenefit => false,
        };
        if !has_ratio || b <= 0.0 {
            return None;
        }
        let base = self.replicates.figure(self.base_place, figure.place());
        let series = self.replicates.figure(place, figure.place()).with(base, |a, b| a / b);
        let few = self.groups[place].few(figure.of_curve()).min(self.base.few(figure.of_curve()));
        Some((a / b, series.percentile(a / b, few)?))
    }

    fn disparity(&self, measure: Measure, place: usize, gap: Option<&Gap>, critical: f64) -> Disparity {
        let round = self.context.params.round_to;
        let mut disparity = Disparity {
            measure,
            against: self.against.clone(),
            difference: None,
            difference_simultaneous: None,
            ratio: None,
            ratio_simultaneous: None,
            critical: None,
            verdict: DisparityVerdict::CannotTell,
            smallest_shown: None,
        };
        let Some(gap) = gap else { return disparity };
        let n = match self.against {
            Against::Whole => self.base.n(round),
            _ => self.groups[place].n(round) + self.base.n(round),
        };
        let (difference, all) = if let Some(pair) = &gap.rates {
            // Counts are rounded already; the ends rest on how alike families are as well, and that is exact.
            let told = |found: Estimate| Estimate {
                n: pair.rows(&self.against),
                interval: rounded_around(found.value, found.interval, round),
                ..found
            };
            disparity.ratio = pair.ratio().map(told);
            disparity.ratio_simultaneous = disparity
                .ratio
                .zip(pair.ratio_interval(critical))
                .map(|(ratio, all)| rounded_around(ratio.value, all, round));
            (told(pair.difference()), rounded_around(gap.value, pair.difference_interval(critical), round))
        } else {
            disparity.ratio = gap.ratio.map(|(value, interval)| estimate(value, interval, n, round));
            let ratio_all =
                gap.ratio.map(|(value, interval)| stretched(value, interval, critical / Z, Some(0.0)));
            disparity.ratio_simultaneous = ratio_all.map(|interval| rounded_ends(interval, round));
            let least = (measure == Measure::Abroca).then_some(0.0);
            let all = stretched(gap.value, gap.interval, critical / Z, least);
            (estimate(gap.value, gap.interval, n, round), rounded_ends(all, round))
        };
        disparity.difference = Some(difference);
        disparity.difference_simultaneous = Some(all);
        disparity.critical = Some(critical);
        let margin = self.context.params.margin;
        // An area between curves is never below zero, so luck alone can lift it clear of it.
        disparity.verdict = match measure {
            Measure::Abroca if all.high <= margin => DisparityVerdict::AbsentWithin,
            _ => verdict(&all, margin),
        };
        disparity.smallest_shown = Some(coarse((critical + POWER) * gap.deviation, round));
        disparity
    }
}

/// What the interval of a difference says: clear of zero, wholly within the margin, or neither. One that is
/// both is present: a small difference that is sure is not absent, least of all where rates are small.
pub(super) fn verdict(interval: &Interval, margin: f64) -> DisparityVerdict {
    if interval.low > 0.0 || interval.high < 0.0 {
        DisparityVerdict::Present
    } else if interval.low >= -margin && interval.high <= margin {
        DisparityVerdict::AbsentWithin
    } else {
        DisparityVerdict::CannotTell
    }
}

/// An interval of one figure, drawn out to hold for several: each side by the proportion of the standard errors.
pub(super) fn stretched(value: f64, interval: Interval, part: f64, least: Option<f64>) -> Interval {
    let low = value - (value - interval.low) * part;
    let high = value + (interval.high - value) * part;
    Interval { low: least.map_or(low, |least| low.max(least)), high }
}

pub(super) fn rounded_ends(interval: Interval, round: Option<u32>) -> Interval {
    Interval { low: coarse(interval.low, round), high: coarse(interval.high, round) }
}

/// The same for a figure that is made of rounded counts and stays as it is: within its interval.
fn rounded_around(value: f64, interval: Interval, round: Option<u32>) -> Interval {
    let Interval { low, high } = rounded_ends(interval, round);
    Interval { low: low.min(value), high: high.max(value) }
}

/// How many standard errors intervals must reach to hold for all these figures at once: the 95% point of the
/// largest of them in each resample, each in its own standard deviations. At least the 1.96 of one
/// figure; at most Šidák's value, which is enough however the figures depend on each other.
///
/// # References
/// P. H. Westfall and S. S. Young (1993), *Resampling-Based Multiple Testing*. J. P. Romano and M. Wolf (2005),
/// "Exact and approximate stepdown methods for multiple hypothesis testing", *Journal of the American Statistical
/// Association* 100:94-108.
fn critical<'s>(all: impl Iterator<Item = &'s Series>) -> f64 {
    let mut largest: Vec<f64> = Vec::new();
    let mut count = 0;
    for series in all {
        count += 1;
        let Some(deviation) = series.deviation().filter(|&deviation| deviation > 0.0) else { continue };
        let present = || series.drawn.iter().copied().filter(|value| value.is_finite());
        let mean = present().sum::<f64>() / present().count().max(1) as f64;
        largest.resize(series.drawn.len(), 0.0);
        for (largest, value) in largest.iter_mut().zip(&series.drawn) {
            let away = ((value - mean) / deviation).abs();
            if away > *largest {
                *largest = away;
            }
        }
    }
    largest.sort_unstable_by(f64::total_cmp);
    let place = (largest.len() + 1) * 95 / 100;
    let point = place.checked_sub(1).and_then(|place| largest.get(place)).copied().unwrap_or(Z);
    if count < 2 { Z } else { point.clamp(Z, sidak(count)) }
}
