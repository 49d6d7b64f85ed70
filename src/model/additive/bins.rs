//! Where a feature's values are cut into steps.

use super::levels::MOST_CODES;
use crate::features::{Cells, Exact};
use crate::model::shape::Scale;
use crate::stats::round_between;

/// Cases that quantiles are taken from, evenly spaced over all: enough to place a cut to within a
/// thousandth of the cases, and sorting them costs little.
const SAMPLE: usize = 1 << 16;

/// A value that occurs: in how many cases of the sample, how much these count, and those of them with the outcome.
struct Value {
    at: f64,
    cases: usize,
    mass: f64,
    positive: f64,
}

/// Edges between the steps of a feature: each different value a step of its own where there are at most
/// `most` of them, else quantiles, where a value as common as a whole step still stands alone, and where, from [`DEFAULT_STEPS`]
/// on, the ends are cut finer, and a step is cut again, [`TIMES`] as many in all, if outcomes clearly differ within it.
pub(super) fn edges(cells: Cells<'_>, (outcomes, mass): (&[bool], Option<&[f32]>), most: usize) -> Edges {
    let stride = cells.len().div_ceil(SAMPLE).max(1);
    let mass = |row: usize| mass.map_or(1.0, |mass| f64::from(mass[row]));
    let mut told: Vec<(f64, f64, bool)> = (0..cells.len())
        .step_by(stride)
        .filter_map(|row| Some((cells.at(row).value()?, mass(row), outcomes[row])))
        .collect();
    told.sort_unstable_by(|a, b| a.0.total_cmp(&b.0));
    let mut values: Vec<Value> = Vec::new();
    for (value, mass, outcome) in told {
        if values.last().is_none_or(|last| last.at < value) {
            values.push(Value { at: value, cases: 0, mass: 0.0, positive: 0.0 });
        }
        if let Some(last) = values.last_mut() {
            last.cases += 1;
            last.mass += mass;
            last.positive += if outcome { mass } else { 0.0 };
        }
    }
    let between = |after: usize| edge_between(values[after - 1].at, values[after].at);
    if values.len() <= most || most < DEFAULT_STEPS {
        return Edges {
            at: quantiles(&values, most).into_iter().map(between).collect(),
            are_cut_again: false,
        };
    }
    let plain = finer_at_ends(&values, most);
    let cuts = cut_again(&values, &plain, MOST_STEPS.min(TIMES * most));
    Edges { are_cut_again: cuts.len() > plain.len(), at: cuts.into_iter().map(between).collect() }
}

/// Edges between steps.
pub(super) struct Edges {
    pub(super) at: Vec<f64>,
    /// Whether there are more because outcomes differed within a step.
    pub(super) are_cut_again: bool,
}

/// The values, by their places, that begin a step.
fn quantiles(values: &[Value], most: usize) -> Vec<usize> {
    let counted: usize = values.iter().map(|value| value.cases).sum();
    // A value as common as a whole step is one; the others share what steps are left.
    let is_common = |value: &Value| values.len() <= most || value.cases * most >= counted;
    let (common, mut left) = values.iter().fold((0, 0), |(common, left), value| {
        if is_common(value) { (common + 1, left) } else { (common, left + value.cases) }
    });
    let mut steps = most - common.min(most);
    let mut cuts = Vec::new();
    let mut held = 0;
    for (place, pair) in values.windows(2).enumerate() {
        if !is_common(&pair[0]) {
            held += pair[0].cases;
        }
        let is_full = is_common(&pair[0]) || is_common(&pair[1]) || held * steps >= left;
        if is_full && cuts.len() + 1 < most {
            cuts.push(place + 1);
            if held > 0 {
                left -= held;
                held = 0;
                steps = (steps - 1).max(1);
            }
        }
    }
    cuts
}

/// So often the outermost steps are halved: three times leave an eighth of a step of the middle, 0.2% of the cases.
const MOST_HALVINGS: usize = 3;

/// The same where the outermost steps are halved, as far as they have the cases, and of their halves the outer one again. Far
/// out a number goes through as much in one step as in many of the middle, and a curve through most of all: of a parabola of a normal
/// number the two outermost of 64 like steps get nearly as much wrong as all others together.
fn finer_at_ends(values: &[Value], most: usize) -> Vec<usize> {
    let counted: usize = values.iter().map(|value| value.cases).sum();
    let halvings = (counted / (most * FEWEST_IN_STEP)).max(1).ilog2() as usize;
    let halvings = halvings.min(MOST_HALVINGS).min((MOST_STEPS - most) / 2);
    let mut cuts = quantiles(values, most);
    let (Some(&first), Some(&last)) = (cuts.first(), cuts.last()) else { return cuts };
    let low = halved(&values[..first].iter(), halvings);
    let high = halved(&values[last..].iter().rev(), halvings).into_iter().map(|outer| values.len() - outer);
    cuts.extend(low.into_iter().chain(high));
    cuts.sort_unstable();
    cuts
}

/// How many of a step's values, told from the outside inwards, are its outer half, how many that one's outer half, and so on.
fn halved<'v>(inwards: &(impl Iterator<Item = &'v Value> + Clone), halvings: usize) -> Vec<usize> {
    let mut all: usize = inwards.clone().map(|value| value.cases).sum();
    let mut outer = Vec::new();
    for _ in 0..halvings {
        let (mut values, mut cases) = (0, 0);
        for value in inwards.clone() {
            if 2 * cases >= all {
                break;
            }
            values += 1;
            cases += value.cases;
        }
        if cases.min(all - cases) < FEWEST_IN_STEP {
            break;
        }
        outer.push(values);
        all = cases;
    }
    outer
}

/// The most steps of a feature's values: a step is a byte, and two are for the absences.
const MOST_STEPS: usize = 254;
/// The default of [`AdditiveParams::steps`](super::AdditiveParams::steps). Who sets fewer wants no more than that many.
pub(super) const DEFAULT_STEPS: usize = 64;
/// From there on there may be so many times the setting, where outcomes ask for them.
const TIMES: usize = 4;
/// A cut within a step has to make the outcomes likelier by this, beside what the best of so many cuts would by chance (as
/// logarithms): an eighth, roughly, of the features that say nothing then have one too many, which smoothing takes back.
const CLEARLY: f64 = 2.0;
/// Fewer cases than this do not make a step: what became of them is theirs.
const FEWEST_IN_STEP: usize = 10;

/// The same with more cuts, the clearest first: where the outcomes on both sides within a step differ, or those of one value
/// from the others of its step. A shape that jumps at single values has its steps there, and one that does not keeps what it had.
fn cut_again(values: &[Value], cuts: &[usize], most: usize) -> Vec<usize> {
    let least = (values.len() as f64).ln() + CLEARLY;
    let ends = cuts.iter().copied().chain([values.len()]);
    let mut parts: Vec<(std::ops::Range<usize>, Option<Cut>)> = [0]
        .into_iter()
        .chain(cuts.iter().copied())
        .zip(ends)
        .map(|(start, end)| (start..end, Cut::best(&values[start..end], least)))
        .collect();
    loop {
        let gain = |part: &Option<Cut>| part.as_ref().map_or(0.0, |cut| cut.gain);
        let best = (0..parts.len()).max_by(|&a, &b| gain(&parts[a].1).total_cmp(&gain(&parts[b].1)));
        let Some((place, (range, cut))) =
            best.and_then(|place| Some((place, (parts[place].0.clone(), parts[place].1.as_ref()?))))
        else {
            break;
        };
        let at = [range.start, range.start + cut.inside.start, range.start + cut.inside.end, range.end];
        let pieces: Vec<_> = at.windows(2).filter(|at| at[0] < at[1]).map(|at| at[0]..at[1]).collect();
        if parts.len() + pieces.len() - 1 > most {
            break;
        }
        let pieces = pieces.into_iter().map(|range| (range.clone(), Cut::best(&values[range], least)));
        parts.splice(place..=place, pieces);
    }
    parts.into_iter().skip(1).map(|(range, _)| range.start).collect()
}

/// A run of values that stands out of its step, and how much likelier the outcomes are with it apart.
struct Cut {
    inside: std::ops::Range<usize>,
    gain: f64,
}

impl Cut {
    /// The clearest within a step: its lower part, or one of its values.
    fn best(values: &[Value], least: f64) -> Option<Self> {
        let sum = |values: &[Value]| values.iter().fold(Told::default(), Told::with);
        let all = sum(values);
        let spread = all.positive * (all.mass - all.positive) / (all.mass * all.mass);
        if values.len() < 2 || spread.is_nan() || spread <= 0.0 {
            return None;
        }
        // The score test of what is inside against what is not: no logarithm for each.
        let clarity = |inside: Told| {
            if inside.cases < FEWEST_IN_STEP || all.cases - inside.cases < FEWEST_IN_STEP {
                return 0.0;
            }
            let away = inside.positive - inside.mass * all.positive / all.mass;
            away * away / (2.0 * inside.mass * (all.mass - inside.mass) / all.mass * spread)
        };
        let mut below = Told::default();
        let mut best = (0.0, 0..0);
        for (place, value) in values.iter().enumerate() {
            let of_value = clarity(Told::default().with(value));
            if of_value > best.0 {
                best = (of_value, place..place + 1);
            }
            below = below.with(value);
            let of_lower = clarity(below);
            if of_lower > best.0 {
                best = (of_lower, 0..place + 1);
            }
        }
        let inside = sum(&values[best.1.clone()]);
        let outside =
            Told { cases: 0, mass: all.mass - inside.mass, positive: all.positive - inside.positive };
        let gain = inside.log_likelihood() + outside.log_likelihood() - all.log_likelihood();
        (gain > least).then_some(Self { inside: best.1, gain })
    }
}

/// Cases added up.
#[derive(Debug, Clone, Copy, Default)]
struct Told {
    cases: usize,
    mass: f64,
    positive: f64,
}

impl Told {
    fn with(self, value: &Value) -> Self {
        Self {
            cases: self.cases + value.cases,
            mass: self.mass + value.mass,
            positive: self.positive + value.positive,
        }
    }

    /// The logarithm of the likelihood of their outcomes at their own rate.
    fn log_likelihood(self) -> f64 {
        let of = |mass: f64| if mass > 0.0 { mass * (mass / self.mass).ln() } else { 0.0 };
        of(self.positive) + of(self.mass - self.positive)
    }
}

/// An edge between two neighbouring values: half way between whole numbers that follow each other, else the roundest number
/// around the middle. From edges half way between amounts, one after another, each person's exact amount could be worked out.
fn edge_between(value: f64, next: f64) -> f64 {
    let gap = next - value;
    let follow = value.fract() == 0.0 && gap <= 1.0;
    if follow { f64::midpoint(value, next) } else { round_between(value + 0.25 * gap, next - 0.25 * gap) }
}

/// Where the value steps lie on a scale: the mean of their values, over a sample of the cases, and how much those of it in each count. A
/// step of which the sample has nobody lies half way between its edges.
pub(super) fn places(
    cells: Cells<'_>,
    mass: Option<&[f32]>,
    edges: &[f64],
    scale: Scale,
) -> (Vec<f64>, Vec<f64>) {
    let stride = cells.len().div_ceil(SAMPLE).max(1);
    let (mut sums, mut counts) = (vec![0.0; edges.len() + 1], vec![0.0; edges.len() + 1]);
    for row in (0..cells.len()).step_by(stride) {
        if let Some(value) = cells.at(row).value() {
            let mass = mass.map_or(1.0, |mass| f64::from(mass[row]));
            let step = edges.partition_point(|&edge| edge <= value);
            sums[step] += mass * scale.apply(value);
            counts[step] += mass;
        }
    }
    let place = |step: usize| {
        if counts[step] > 0.0 {
            return sums[step] / counts[step];
        }
        let below = edges.get(step.wrapping_sub(1)).or(edges.first());
        let above = edges.get(step).or(edges.last());
        below.zip(above).map_or(0.0, |(&below, &above)| scale.apply(f64::midpoint(below, above)))
    };
    ((0..sums.len()).map(place).collect(), counts)
}

/// How many codes 0, 1, 2 ... there are up to the largest.
pub(super) fn codes_in(cells: Cells<'_>) -> usize {
    let largest = cells.iter().filter_map(Exact::value).fold(0.0, f64::max);
    (largest as usize).min(MOST_CODES - 1) + 1
}

/// The step of every case: value steps, then missing, then not covered.
pub(super) fn codes(cells: Cells<'_>, edges: &[f64]) -> Vec<u8> {
    let steps = edges.len() + 1;
    let code = |cell: Exact| match cell {
        Exact::Value(value) => edges.partition_point(|&edge| edge <= value) as u8,
        Exact::Missing => steps as u8,
        Exact::NotCovered => steps as u8 + 1,
    };
    // Of most people there is nothing on record: a cell is mostly the one before it again.
    let mut last = (Exact::Missing, steps as u8);
    cells
        .iter()
        .map(|cell| {
            if cell != last.0 {
                last = (cell, code(cell));
            }
            last.1
        })
        .collect()
}
