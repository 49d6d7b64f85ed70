//! Differences and ratios between groups, and what they say.

use super::cells::People;
use super::curves::area_between;
use super::groups::{Context, Group, coarse, share_parts};
use super::judged::{Judged, four_fifths};
use super::measure::{POWER, estimate, sidak};
use super::ordinal;
use super::rates::{Moments, RatePair};
use super::replicates::{Areas, Replicates, Scored, Series};
use super::report::{Against, Disparity, DisparityVerdict, GroupMeasure, ScoreScale};
use super::rows::few_valued;
use super::suppress::gives_away;
use crate::stats::{Estimate, Interval, Z};

/// The groups of a column against one base: a group among them, or everybody.
pub(super) struct Comparison<'a> {
    pub(super) context: &'a Context<'a>,
    pub(super) groups: &'a [Group],
    pub(super) base: &'a Group,
    pub(super) everybody: &'a Group,
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
    /// The outcome at equal score, for scores that are not chances.
    EqualScore,
}

impl Source {
    /// Whether a reader may know a group's figure.
    fn is_seen(&self, group: &Group) -> bool {
        match *self {
            Self::Share(nth, _) => group.seen.share(nth),
            Self::Scored(figure) => group.seen.scored(figure),
            Self::Area => group.seen.curve(),
            Self::EqualScore => group.seen.scored(Scored::CalibrationGap),
        }
    }
}

fn source(measure: GroupMeasure) -> Option<Source> {
    Some(match measure {
        GroupMeasure::Prevalence => Source::Share(0, false),
        GroupMeasure::SelectionRate => Source::Share(1, false),
        GroupMeasure::TruePositiveRate => Source::Share(2, false),
        GroupMeasure::FalseNegativeRate => Source::Share(2, true),
        GroupMeasure::FalsePositiveRate => Source::Share(3, false),
        GroupMeasure::TrueNegativeRate => Source::Share(3, true),
        GroupMeasure::Precision => Source::Share(4, false),
        GroupMeasure::FalseDiscoveryRate => Source::Share(4, true),
        GroupMeasure::FalseOmissionRate => Source::Share(5, false),
        GroupMeasure::Accuracy => Source::Share(6, false),
        GroupMeasure::Auc => Source::Scored(Scored::Auc),
        GroupMeasure::AveragePrecision => Source::Scored(Scored::AveragePrecision),
        GroupMeasure::MeanScore => Source::Scored(Scored::MeanScore),
        GroupMeasure::CalibrationGap => Source::Scored(Scored::CalibrationGap),
        GroupMeasure::NetBenefit => Source::Scored(Scored::NetBenefit),
        GroupMeasure::Abroca => Source::Area,
        // The expected calibration error grows with noise, and so with a smaller group: its difference would be one of sizes.
        GroupMeasure::ExpectedCalibrationError
        | GroupMeasure::ShareOfSelected
        | GroupMeasure::CalibrationSlope
        | GroupMeasure::CalibrationIntercept => return None,
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
    /// For an area between curves: what chance alone makes of it in each resample, and exceeds in 5 of 100.
    chance: Option<(Vec<f64>, f64)>,
}

impl Comparison<'_> {
    /// One measure for all groups, in their order; none for the base itself. All are judged on the true figures.
    pub(super) fn disparities(&self, measure: GroupMeasure) -> Vec<Option<Judged>> {
        let chances = self.context.rows.scale == ScoreScale::Chances;
        let source = match source(measure) {
            Some(Source::Scored(Scored::CalibrationGap)) if !chances => Source::EqualScore,
            Some(source) => source,
            None => return self.groups.iter().map(|_| None).collect(),
        };
        let gaps: Vec<Option<Gap>> = (0..self.groups.len())
            .map(|place| if self.is_base(place) { None } else { self.gap(place, &source) })
            .collect();
        let critical = match source {
            Source::Area => {
                Z * critical_of_areas(gaps.iter().flatten().filter_map(|gap| gap.chance.as_ref()))
            }
            // It has no resamples.
            Source::EqualScore => sidak(gaps.iter().flatten().count()),
            _ => critical(gaps.iter().flatten().map(|gap| &gap.series)),
        };
        let margin = self.margin(&source);
        // That of scores which are chances is a part of how many have the outcome.
        let is_of_outcome = matches!(source, Source::Scored(_)) && chances;
        let judged = |place: usize, gap: Option<&Gap>| {
            (!self.is_base(place)).then(|| {
                let disparity = self.disparity(measure, place, gap, (critical, margin));
                let rates = gap.and_then(|gap| gap.rates.as_ref());
                Judged {
                    four_fifths: four_fifths(rates, disparity.ratio_simultaneous.as_ref(), critical),
                    seen: source.is_seen(&self.groups[place]) && source.is_seen(self.base),
                    margin_seen: source.is_seen(self.everybody)
                        && (!is_of_outcome || self.everybody.seen.outcome),
                    gives_away: false,
                    disparity,
                }
            })
        };
        let mut all: Vec<Option<Judged>> =
            gaps.iter().enumerate().map(|(place, gap)| judged(place, gap.as_ref())).collect();
        if let Source::Share(nth, complement) = source {
            self.guard_verdicts((nth, complement), &gaps, (critical, margin), &mut all);
        }
        all
    }

    /// What counts as no difference: the margin asked for, but where everybody's own figure is small, or nearly all,
    /// no more than a fifth of it. At a list of 2 in 100 a group listed twice as often as another is otherwise "absent
    /// within five points". A fifth is the tolerance of the four-fifths rule.
    fn margin(&self, source: &Source) -> f64 {
        const FIFTH: f64 = 0.2;
        let whole = |nth: usize| self.context.rate(self.everybody, nth).map(|rate| rate.value);
        let figure = match *source {
            Source::Share(nth, _) => whole(nth),
            Source::EqualScore => whole(0),
            Source::Scored(Scored::AveragePrecision) => self.everybody.scored(Scored::AveragePrecision),
            Source::Scored(Scored::Auc) | Source::Area => None,
            Source::Scored(_) if self.context.rows.scale == ScoreScale::Chances => whole(0),
            Source::Scored(_) => None,
        };
        let asked = self.context.params.margin;
        figure.map_or(asked, |figure| asked.min(FIFTH * figure.min(1.0 - figure)))
    }

    /// Withholds verdicts that would tell a small number of people by themselves: of a group whose number is held
    /// back, and of the base, on which the verdicts of all groups rest.
    fn guard_verdicts(
        &self,
        (nth, complement): (usize, bool),
        gaps: &[Option<Gap>],
        (critical, margin): (f64, f64),
        all: &mut [Option<Judged>],
    ) {
        let number = |group: &Group| {
            let [counted, others] =
                share_parts(&self.context.rows.parts, &People::of_rows(&group.sums.rows), nth);
            (if complement { others } else { counted }, counted + others)
        };
        let said = |gap: Option<&Gap>, number: Option<(u64, u64)>, there: bool| {
            let pair = gap?.rates.as_ref()?;
            let interval = match number {
                None => pair.difference_interval(critical),
                Some((few, of)) => pair.had_been(few as f64 / of as f64, there).difference_interval(critical),
            };
            Some(verdict(&interval, margin))
        };
        let least = self.context.least();
        if !self.base.seen.share(nth) && !matches!(self.against, Against::Whole) {
            let (few, of) = number(self.base);
            let would = |other: Option<(u64, u64)>| -> Vec<_> {
                gaps.iter().map(|gap| said(gap.as_ref(), other, true)).collect()
            };
            if gives_away((few, of), least, &would(None), |other| would(Some((other, of)))) {
                all.iter_mut().flatten().for_each(|judged| judged.gives_away = true);
            }
        }
        for ((judged, gap), group) in all.iter_mut().zip(gaps).zip(self.groups) {
            let Some(judged) = judged.as_mut().filter(|_| !group.seen.share(nth)) else { continue };
            let (few, of) = number(group);
            let would = |other: Option<(u64, u64)>| said(gap.as_ref(), other, false);
            judged.gives_away |= gives_away((few, of), least, &would(None), |other| would(Some((other, of))));
        }
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
                let pair = self.pair(place, nth)?;
                let pair = if complement { pair.complement() } else { pair };
                let difference = pair.difference();
                Some(Gap {
                    value: difference.value,
                    series: series(nth),
                    interval: difference.interval,
                    deviation: pair.standard_error(),
                    ratio: None,
                    rates: Some(pair),
                    chance: None,
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
                    chance: None,
                    series,
                })
            }
            Source::EqualScore => {
                let rows = self.context.rows;
                let found = few_valued(rows)
                    .then(|| ordinal::at_equal_score(rows, &here.members, &self.base.members));
                let (value, deviation) = found.flatten()?;
                let interval = Interval { low: value - Z * deviation, high: value + Z * deviation };
                let series = Series { centre: value, drawn: Vec::new() };
                Some(Gap { value, interval, deviation, ratio: None, rates: None, chance: None, series })
            }
            Source::Area => {
                let (a, b) = (here.curve.as_ref()?, self.base.curve.as_ref()?);
                let areas = self.replicates.area(self.base_number, place);
                let value = area_between(&a.roc, &b.roc);
                Some(Gap {
                    value,
                    interval: areas.interval(value, few(true))?,
                    deviation: areas.series.deviation()?,
                    ratio: None,
                    rates: None,
                    chance: Some((areas.chance.clone(), areas.by_chance(few(true))?)),
                    series: areas.series.clone(),
                })
            }
        }
    }

    /// A group's share, and that which it is held against.
    fn pair(&self, place: usize, nth: usize) -> Option<RatePair> {
        let (context, here) = (self.context, &self.groups[place]);
        let Some(across) = self.across else {
            context.rate(here, nth)?;
            let sums = (&here.sums, &self.base.sums);
            return RatePair::of_whole(&context.rows.parts, nth, sums, context.params.round_to);
        };
        let rates = (context.rate(here, nth)?, context.rate(self.base, nth)?);
        let none = Moments::default();
        let cross = across.get(place).unwrap_or(&none);
        Some(RatePair::of_groups(rates.0, rates.1, (&here.sums, &self.base.sums), cross))
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
        let few = |group: &Group| group.few(figure.of_curve());
        let few = few(&self.groups[place]).min(few(self.base));
        Some((a / b, series.percentile(a / b, few)?))
    }

    fn disparity(
        &self,
        measure: GroupMeasure,
        place: usize,
        gap: Option<&Gap>,
        (critical, margin): (f64, f64),
    ) -> Disparity {
        let round = self.context.params.round_to;
        let roughly = round.is_some();
        let mut disparity = Disparity {
            measure,
            against: self.against.clone(),
            difference: None,
            difference_simultaneous: None,
            ratio: None,
            ratio_simultaneous: None,
            critical: None,
            margin: Some(coarse(margin, roughly)),
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
            disparity.ratio = gap.ratio.map(|(value, interval)| estimate(value, interval, n, roughly));
            let ratio_all =
                gap.ratio.map(|(value, interval)| stretched(value, interval, critical / Z, Some(0.0)));
            disparity.ratio_simultaneous = ratio_all.map(|interval| rounded_ends(interval, roughly));
            let mut all = stretched(gap.value, gap.interval, critical / Z, None);
            if let Some((_, by_chance)) = &gap.chance {
                all.low = Areas::left(gap.value, critical / Z * by_chance);
            }
            (estimate(gap.value, gap.interval, n, roughly), rounded_ends(all, roughly))
        };
        disparity.difference = Some(difference);
        disparity.difference_simultaneous = Some(all);
        disparity.critical = Some(critical);
        disparity.verdict = verdict(&all, margin);
        let clear = match &gap.chance {
            Some((_, by_chance)) => critical / Z * by_chance,
            None => critical * gap.deviation,
        };
        disparity.smallest_shown = Some(coarse(clear + POWER * gap.deviation, roughly));
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

pub(super) fn rounded_ends(interval: Interval, round: bool) -> Interval {
    Interval { low: coarse(interval.low, round), high: coarse(interval.high, round) }
}

/// The same for a figure that is made of rounded counts and stays as it is: within its interval.
fn rounded_around(value: f64, interval: Interval, round: Option<u32>) -> Interval {
    let Interval { low, high } = rounded_ends(interval, round.is_some());
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

/// By how much the points that chance alone exceeds in 5 of 100 samples must be raised for the largest of several areas
/// to exceed its own as rarely: the 95% point of the largest of them in each resample, each in units of its point.
fn critical_of_areas<'s>(all: impl Iterator<Item = &'s (Vec<f64>, f64)>) -> f64 {
    let (mut largest, mut count): (Vec<f64>, _) = (Vec::new(), 0);
    for (drawn, point) in all.filter(|(_, point)| *point > 0.0) {
        count += 1;
        largest.resize(drawn.len(), 0.0);
        for (largest, size) in largest.iter_mut().zip(drawn) {
            *largest = largest.max(size / point);
        }
    }
    if count < 2 {
        return 1.0;
    }
    largest.sort_unstable_by(f64::total_cmp);
    let place = (largest.len() + 1) * 95 / 100;
    place.checked_sub(1).and_then(|place| largest.get(place)).map_or(1.0, |point| point.max(1.0))
}
