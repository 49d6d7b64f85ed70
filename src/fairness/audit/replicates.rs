//! The figures of each resample, read off the sums of a block.

use super::block::{Block, Column, LANES, Lanes};
use super::calibration::BINS;
use super::cells::{CELLS, Cells, PerCell};
use super::curves::{GRID, RocMaker, on_grid};
use super::rows::Rows;
use crate::stats::{Interval, percentile_interval};

/// Figures that come from the bootstrap alone, numbered after the shares.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Scored {
    Auc,
    AveragePrecision,
    MeanScore,
    CalibrationGap,
    ExpectedError,
    NetBenefit,
}

impl Scored {
    pub(super) const ALL: [Self; 6] = [
        Self::Auc,
        Self::AveragePrecision,
        Self::MeanScore,
        Self::CalibrationGap,
        Self::ExpectedError,
        Self::NetBenefit,
    ];

    pub(super) fn place(self) -> usize {
        Cells::SHARES + self as usize
    }

    /// Whether it is read off a curve.
    pub(super) fn of_curve(self) -> bool {
        matches!(self, Self::Auc | Self::AveragePrecision)
    }
}

/// All figures of a group in a resample.
pub(super) const FIGURES: usize = Cells::SHARES + Scored::ALL.len();

/// What reading a block needs to know of the groups, column by column, everybody last.
pub(super) struct Shape {
    /// For each column: its first place, its groups, and the places of its bases (everybody last).
    columns: Vec<(usize, usize, Vec<usize>)>,
    places: usize,
    bins: usize,
    /// For each place, the bins it has rows in, best first: mean score, and whether a tenth ends there.
    filled: Vec<Vec<Filled>>,
    odds: f64,
    parts: Cells,
}

struct Filled {
    bin: usize,
    mean: f64,
    last: bool,
}

/// One block's figures: [place][figure], and areas between curves: [column][base][group].
pub(super) struct Read {
    figures: Vec<Lanes<f64>>,
    areas: Vec<Lanes<f64>>,
    /// How far the difference of two curves is from that of the first lane of the block that every other is held
    /// against, again as an area; 0 in that block itself.
    chance: Vec<Lanes<f64>>,
    /// The curves of the first lane: [column][base, then group].
    curves: Vec<[f64; GRID]>,
}

/// The figures of one column's groups over all resamples.
pub(super) struct Replicates {
    /// [group][figure], everybody after the last group.
    series: Vec<Series>,
    /// [base][group], everybody as the last base.
    areas: Vec<Areas>,
    groups: usize,
}

/// The area between two curves over the resamples.
///
/// An area is never below 0, and chance alone makes it larger: the area of a resample holds the noise of the sample and its
/// own. So whether there is any is not read off the areas' interval. With `D` the difference of the two curves,
/// the area is the size (the mean absolute value) of `D`, and that of `D* - D` over the resamples is what it would be
/// by chance, were the curves the same: the bootstrap of a norm, centred at what was found.
///
/// # References
/// P. Hall and S. R. Wilson (1991), "Two guidelines for bootstrap hypothesis testing", *Biometrics* 47:757-762, on
/// resampling under the null hypothesis. A. W. van der Vaart and J. A. Wellner (1996), *Weak Convergence and Empirical
/// Processes*, chapter 3.9, on the bootstrap of smooth functions of empirical distributions.
#[derive(Debug, Clone)]
pub(super) struct Areas {
    pub(super) series: Series,
    pub(super) chance: Vec<f64>,
}

/// One figure over the resamples, and what the bins make of it when every row counts once.
#[derive(Debug, Clone)]
pub(super) struct Series {
    pub(super) centre: f64,
    pub(super) drawn: Vec<f64>,
}

impl Shape {
    pub(super) fn new(rows: &Rows, columns: &[Column<'_>]) -> Self {
        let everybody: usize = columns.iter().map(|column| column.groups).sum();
        let mut shape = Self {
            columns: Vec::new(),
            places: everybody + 1,
            bins: rows.bin_count,
            filled: Vec::new(),
            odds: rows.operating.threshold_chance.map_or(f64::NAN, |chance| chance / (1.0 - chance)),
            parts: rows.parts.clone(),
        };
        for column in columns {
            let first = shape.filled.len();
            let bases = column.bases.iter().map(|base| first + base).chain([everybody]).collect();
            shape.columns.push((first, column.groups, bases));
            shape.fill(rows, column.groups, |row| column.places[usize::from(column.codes[row])]);
        }
        shape.fill(rows, 1, |_| Some(0));
        shape
    }

    fn fill(&mut self, rows: &Rows, groups: usize, place: impl Fn(usize) -> Option<u16>) {
        let mut sums = vec![[0.0; 3]; groups * self.bins]; // rows, weight, weighted score
        for row in 0..rows.count() {
            if let Some(group) = place(row) {
                let weight = rows.weight(row);
                let sum = &mut sums[usize::from(group) * self.bins + usize::from(rows.bins[row])];
                *sum = [sum[0] + 1.0, sum[1] + weight, sum[2] + weight * rows.scores[row]];
            }
        }
        for sums in sums.chunks_exact(self.bins) {
            let n: f64 = sums.iter().map(|sum| sum[0]).sum();
            let mut filled: Vec<Filled> = Vec::new();
            let (mut seen, mut tenth) = (0.0, 0.0);
            for (bin, sum) in sums.iter().enumerate().filter(|(_, sum)| sum[0] > 0.0) {
                let here = ((seen + 0.5 * sum[0]) / n * BINS as f64).floor();
                if let Some(before) = filled.last_mut() {
                    before.last = here > tenth;
                }
                tenth = here;
                filled.push(Filled { bin, mean: sum[2] / sum[1], last: true });
                seen += sum[0];
            }
            self.filled.push(filled);
        }
    }

    /// Puts the blocks' figures into one series each.
    pub(super) fn gather(&self, centre: &Read, drawn: &[Read], resamples: usize) -> Vec<Replicates> {
        let series = |from: &dyn Fn(&Read) -> Lanes<f64>| {
            let lanes = drawn.iter().flat_map(from).take(resamples);
            Series { centre: from(centre)[0], drawn: lanes.collect() }
        };
        let figure = |place: usize, nth: usize| series(&|read| read.figures[place * FIGURES + nth]);
        let mut area = 0;
        let mut all = Vec::with_capacity(self.columns.len());
        for (first, groups, bases) in &self.columns {
            let places = (*first..first + groups).chain([self.places - 1]);
            let count = bases.len() * groups;
            all.push(Replicates {
                series: places
                    .flat_map(|place| (0..FIGURES).map(move |nth| (place, nth)))
                    .map(|(p, n)| figure(p, n))
                    .collect(),
                areas: (area..area + count)
                    .map(|nth| Areas {
                        series: series(&|read| read.areas[nth]),
                        chance: series(&|read| read.chance[nth]).drawn,
                    })
                    .collect(),
                groups: *groups,
            });
            area += count;
        }
        all
    }
}

/// Reads all figures of a block; `centre` is the one in which every row counts once.
pub(super) fn read_block<T: Copy + Into<f64>>(
    block: &Block<T>,
    shape: &Shape,
    centre: Option<&Read>,
) -> Read {
    let mut read = Read {
        figures: Vec::with_capacity(shape.places * FIGURES),
        areas: Vec::new(),
        chance: Vec::new(),
        curves: Vec::new(),
    };
    for place in 0..shape.places {
        let cells: [Lanes<f64>; CELLS] =
            std::array::from_fn(|cell| block.cells[place * CELLS + cell].map(Into::into));
        let figures = figures(block, shape, place, &cells);
        read.figures.extend(figures);
    }
    let mut centres = centre.map_or(&[][..], |centre| &centre.curves);
    for (first, groups, bases) in &shape.columns {
        let places: Vec<usize> = bases.iter().copied().chain(*first..first + groups).collect();
        let (own, rest) = centres.split_at(centres.len().min(places.len()));
        centres = rest;
        areas(&Curves { block, shape, places: &places, centre: own }, bases.len(), &mut read);
    }
    read
}

fn weighed(cells: &[Lanes<f64>; CELLS], parts: &PerCell) -> Lanes<f64> {
    let mut sums = [0.0; LANES];
    for (cell, part) in cells.iter().zip(parts).filter(|(_, part)| **part > 0.0) {
        for (sum, drawn) in sums.iter_mut().zip(cell) {
            *sum += part * drawn;
        }
    }
    sums
}

fn figures<T: Copy + Into<f64>>(
    block: &Block<T>,
    shape: &Shape,
    place: usize,
    cells: &[Lanes<f64>; CELLS],
) -> [Lanes<f64>; FIGURES] {
    const EMPTY: Lanes<f64> = [0.0; LANES];
    let (mut positives, mut negatives, mut wrong, mut precision) = (EMPTY, EMPTY, EMPTY, EMPTY);
    let (mut score, mut miss, mut error) = (EMPTY, EMPTY, EMPTY);
    for filled in &shape.filled[place] {
        let at = (place * shape.bins + filled.bin) * 2;
        let (without, with) = (&block.bins[at], &block.bins[at + 1]);
        for lane in 0..LANES {
            let (p, q): (f64, f64) = (with[lane].into(), without[lane].into());
            wrong[lane] += p * (negatives[lane] + 0.5 * q);
            positives[lane] += p;
            negatives[lane] += q;
            let seen = (positives[lane] + negatives[lane]).max(f64::MIN_POSITIVE);
            precision[lane] += p * positives[lane] / seen;
            let expected = (p + q) * filled.mean;
            score[lane] += expected;
            miss[lane] += p - expected;
        }
        if filled.last {
            for lane in 0..LANES {
                error[lane] += miss[lane].abs();
            }
            miss = EMPTY;
        }
    }
    let mut all = [EMPTY; FIGURES];
    let parts = &shape.parts;
    let denominators = parts.denominators.each_ref().map(|parts| weighed(cells, parts));
    for ((figure, of), nth) in all.iter_mut().zip(&parts.shares).zip(Cells::DENOMINATOR_OF) {
        *figure = weighed(cells, of);
        for (share, whole) in figure.iter_mut().zip(&denominators[nth]) {
            *share /= whole;
        }
    }
    let (right, wrongly) = (weighed(cells, &parts.shares[2]), weighed(cells, &parts.shares[3]));
    for lane in 0..LANES {
        let (p, q) = (positives[lane], negatives[lane]);
        let n = p + q;
        let mut set = |figure: Scored, value: f64| all[figure.place()][lane] = value;
        set(Scored::Auc, 1.0 - wrong[lane] / (p * q));
        set(Scored::AveragePrecision, precision[lane] / p);
        set(Scored::MeanScore, score[lane] / n);
        set(Scored::CalibrationGap, (p - score[lane]) / n);
        set(Scored::ExpectedError, error[lane] / n);
        set(Scored::NetBenefit, (right[lane] - wrongly[lane] * shape.odds) / n);
    }
    all
}

/// The curves of one column's bases and groups, and what they are in the block that others are held against.
struct Curves<'a, T> {
    block: &'a Block<T>,
    shape: &'a Shape,
    places: &'a [usize],
    centre: &'a [[f64; GRID]],
}

impl<T: Copy + Into<f64>> Curves<'_, T> {
    /// All curves of a lane.
    fn lane(&self, lane: usize, maker: &mut RocMaker) -> Vec<[f64; GRID]> {
        let curve = |&place: &usize| {
            maker.clear();
            for filled in &self.shape.filled[place] {
                let at = (place * self.shape.bins + filled.bin) * 2;
                maker.step(self.block.bins[at + 1][lane].into(), self.block.bins[at][lane].into());
            }
            on_grid(maker.curve())
        };
        self.places.iter().map(curve).collect()
    }
}

/// The areas between the curves of each of the first `bases` places and of each of the others, lane by lane.
fn areas<T: Copy + Into<f64>>(curves: &Curves<'_, T>, bases: usize, read: &mut Read) {
    let groups = curves.places.len() - bases;
    let mut maker = RocMaker::default();
    let mut areas = vec![[0.0; LANES]; bases * groups];
    let mut chance = areas.clone();
    for lane in 0..LANES {
        let drawn = curves.lane(lane, &mut maker);
        for base in 0..bases {
            for group in 0..groups {
                let (here, there) = (&drawn[bases + group], &drawn[base]);
                let at = base * groups + group;
                areas[at][lane] = mean_size(here, there, |_| 0.0);
                if let Some((here_before, there_before)) =
                    curves.centre.get(bases + group).zip(curves.centre.get(base))
                {
                    chance[at][lane] =
                        mean_size(here, there, |place| here_before[place] - there_before[place]);
                }
            }
        }
        if curves.centre.is_empty() {
            // Nothing is drawn, so all lanes are the same.
            for lanes in &mut areas {
                *lanes = [lanes[0]; LANES];
            }
            read.curves.extend(drawn);
            break;
        }
    }
    read.areas.append(&mut areas);
    read.chance.append(&mut chance);
}

/// The mean distance of two curves' difference from another one.
fn mean_size(here: &[f64; GRID], there: &[f64; GRID], from: impl Fn(usize) -> f64) -> f64 {
    let sum: f64 = (0..GRID).map(|place| (here[place] - there[place] - from(place)).abs()).sum();
    sum / GRID as f64
}

impl Replicates {
    /// A figure of a group; the group after the last is everybody.
    pub(super) fn figure(&self, group: usize, nth: usize) -> &Series {
        &self.series[group * FIGURES + nth]
    }

    /// The area between the curves of a group and of a base; the base after the last is everybody.
    pub(super) fn area(&self, base: usize, group: usize) -> &Areas {
        &self.areas[base * self.groups + group]
    }
}

impl Series {
    /// This one's figure, and another's, put together resample by resample.
    pub(super) fn with(&self, other: &Self, join: impl Fn(f64, f64) -> f64) -> Self {
        let drawn = self.drawn.iter().zip(&other.drawn).map(|(&a, &b)| join(a, b)).collect();
        Self { centre: join(self.centre, other.centre), drawn }
    }

    /// The resamples that have a figure, if nine of ten have.
    fn present(&self) -> Option<Vec<f64>> {
        let drawn: Vec<f64> = self.drawn.iter().copied().filter(|value| value.is_finite()).collect();
        (drawn.len() * 10 >= self.drawn.len() * 9 && self.centre.is_finite()).then_some(drawn)
    }

    /// The percentile interval around the exact `value`: what the bins changed is taken out. `None` where more
    /// than a tenth of the resamples have no figure.
    ///
    /// The variance over resamples of `m` families or rows is too small by `(m - 1) / m`, which shows in small groups; the
    /// interval is widened by the root of it (`few` being `m`: families, where rows belong to some; those of the smaller class for curves).
    /// T. C. Hesterberg (2015), "What teachers should know about the bootstrap", *The American Statistician*
    /// 69:371-386, on narrowness.
    pub(super) fn percentile(&self, value: f64, few: u64) -> Option<Interval> {
        let interval = percentile_interval(self.present()?)?;
        let wide = widening(few);
        // Rounding or luck must not leave the figure outside its own interval.
        let (low, high) =
            (value + wide * (interval.low - self.centre), value + wide * (interval.high - self.centre));
        Some(Interval { low: low.min(value), high: high.max(value) })
    }

    /// The basic interval, for a figure that cannot be below 0 and that noise makes larger: each resample adds to
    /// the noise that the figure itself has, and the interval is turned round to take it out again. Its upper end is
    /// the larger of the basic and the percentile end: near 0 the basic one alone falls short, and "absent"
    /// rests on this end.
    pub(super) fn basic(&self, value: f64, few: u64) -> Option<Interval> {
        let interval = percentile_interval(self.present()?)?;
        let wide = widening(few);
        let end = |drawn: f64| (value - wide * (drawn - self.centre)).max(0.0);
        let percentile = value + wide * (interval.high - self.centre);
        Some(Interval {
            low: end(interval.high).min(value),
            high: end(interval.low).max(percentile).max(value),
        })
    }

    /// The standard deviation over the resamples.
    pub(super) fn deviation(&self) -> Option<f64> {
        let drawn = self.present()?;
        let n = drawn.len() as f64;
        let mean = drawn.iter().sum::<f64>() / n;
        let square = drawn.iter().map(|value| (value - mean).powi(2)).sum::<f64>();
        Some((square / (n - 1.0)).sqrt()).filter(|deviation| deviation.is_finite())
    }
}

impl Areas {
    /// The area that chance alone exceeds in 5 of 100 samples; `None` where more than a tenth of the resamples have none.
    pub(super) fn by_chance(&self, few: u64) -> Option<f64> {
        let mut drawn: Vec<f64> = self.chance.iter().copied().filter(|size| size.is_finite()).collect();
        if drawn.len() * 10 < self.chance.len() * 9 {
            return None;
        }
        drawn.sort_unstable_by(f64::total_cmp);
        let place = (drawn.len() + 1) * 95 / 100;
        Some(widening(few) * drawn.get(place.checked_sub(1)?)?)
    }

    /// What is left of an area without what chance could make; nothing where that is rounding.
    pub(super) fn left(value: f64, by_chance: f64) -> f64 {
        const ROUNDING: f64 = 1e-9;
        let left = value - by_chance;
        if left > ROUNDING { left } else { 0.0 }
    }

    /// From what is left of the area without what chance alone could make, to the upper end of the percentile
    /// interval, which errs upwards.
    pub(super) fn interval(&self, value: f64, few: u64) -> Option<Interval> {
        let percentile = self.series.percentile(value, few)?;
        Some(Interval { low: Self::left(value, self.by_chance(few)?), high: percentile.high })
    }
}

/// See [`Series::percentile`].
fn widening(few: u64) -> f64 {
    let few = few.max(2) as f64;
    (few / (few - 1.0)).sqrt()
}
