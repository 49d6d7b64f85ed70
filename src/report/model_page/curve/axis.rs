//! Along a drawing: values and the people who have them.

use super::super::super::figure::plain;
use super::super::super::words;
use super::LEFT;
use crate::model::Scale;

/// Bars of a histogram along values.
pub(super) const BINS: usize = 36;

/// 1, 2 or 5 times a power of ten, from `least` up.
pub(super) fn nice(least: f64) -> f64 {
    let power = 10_f64.powf(least.log10().floor());
    [1.0, 2.0, 5.0, 10.0]
        .into_iter()
        .map(|digit| digit * power)
        .find(|step| *step >= least * 0.999)
        .unwrap_or(least)
}

/// A stretch of a drawing's width with the people on it.
pub(super) struct People {
    pub from: f64,
    pub to: f64,
    pub share: f64,
}

/// Values along the drawing.
pub(super) struct Across {
    pub scale: Scale,
    pub low: f64,
    pub high: f64,
    pub right: f64,
}

impl Across {
    pub(super) fn x(&self, value: f64) -> f64 {
        let (low, high) = (self.scale.apply(self.low), self.scale.apply(self.high));
        let along = if low < high { (self.scale.apply(value) - low) / (high - low) } else { 0.0 };
        LEFT + along.clamp(0.0, 1.0) * (self.right - LEFT)
    }

    /// Values to write under the drawing, far enough apart to be read.
    pub(super) fn marks(&self, whole: bool) -> Vec<(f64, String)> {
        const APART: f64 = 46.0;
        const FEW: f64 = 12.0;
        let values: Vec<f64> = match self.scale {
            Scale::Linear => {
                let step =
                    nice((self.high - self.low) / 8.0).max(if whole { 1.0 } else { f64::MIN_POSITIVE });
                let (first, last) = ((self.low / step).ceil() as i64, (self.high / step).floor() as i64);
                (first..=last.min(first.saturating_add(20))).map(|nth| nth as f64 * step).collect()
            }
            Scale::Log if whole && self.low >= 0.0 && self.high <= FEW => {
                (self.low.ceil() as i64..=self.high as i64).map(|value| value as f64).collect()
            }
            Scale::Log => {
                let powers = (0..9).flat_map(|power| [1.0, 2.0, 5.0].map(|digit| digit * 10_f64.powi(power)));
                let sizes: Vec<f64> = powers.collect();
                let below = sizes.iter().rev().map(|size| -size);
                below.chain([0.0]).chain(sizes.iter().copied()).collect()
            }
        };
        let mut marks: Vec<(f64, String)> = Vec::new();
        for value in values.into_iter().filter(|value| *value >= self.low && *value <= self.high) {
            let x = self.x(value);
            if marks.last().is_none_or(|(last, _)| x - last >= APART) {
                marks.push((x, written(value)));
            }
        }
        marks
    }
}

/// A number under a drawing.
pub(super) fn written(value: f64) -> String {
    if value.fract() == 0.0 {
        let size = words::count(value.abs() as u64);
        return if value < 0.0 { format!("\u{2212}{size}") } else { size };
    }
    let text = plain(value, 4);
    text.trim_end_matches('0').to_owned()
}

/// People on stretches of any width, put into bars of one width.
pub(super) fn even(spread: &[People], right: f64) -> Vec<People> {
    let width = (right - LEFT) / BINS as f64;
    let mut shares = [0.0; BINS];
    let bin = |x: f64| (((x - LEFT) / width) as usize).min(BINS - 1);
    for people in spread {
        let (first, last) = (bin(people.from), bin(people.to));
        if first == last {
            shares[first] += people.share;
            continue;
        }
        for (nth, share) in shares.iter_mut().enumerate().take(last + 1).skip(first) {
            let left = LEFT + nth as f64 * width;
            let overlap = (people.to.min(left + width) - people.from.max(left)).max(0.0);
            *share += people.share * overlap / (people.to - people.from);
        }
    }
    let bar = |(nth, share): (usize, &f64)| {
        let from = LEFT + nth as f64 * width;
        People { from: from + 0.5, to: from + width - 0.5, share: *share }
    };
    shares.iter().enumerate().map(bar).collect()
}

/// At most so many whole numbers have bars of their own.
pub(super) const MOST_NUMBERS: f64 = 40.0;

/// A bar for each whole number. `valued` holds values, rising, each with the share of people above the one
/// before and up to it: they are spread evenly over the whole numbers there.
pub(super) fn at_whole_numbers(across: &Across, valued: &[(f64, f64)]) -> Vec<People> {
    const WIDEST: f64 = 18.0;
    let mut bars = Vec::new();
    let mut before: Option<f64> = None;
    for &(value, share) in valued {
        let first = before.map_or(value, |before| (before + 1.0).min(value)).round() as i64;
        let last = value.round() as i64;
        before = Some(value);
        let share = share / (last - first + 1) as f64;
        for number in first..=last {
            let x = |number: i64| across.x(number as f64);
            // As wide as the nearer neighbour allows.
            let rooms = [x(number + 1) - x(number), x(number) - x(number - 1)];
            let half = 0.4 * rooms.into_iter().filter(|room| *room > 0.0).fold(WIDEST, f64::min);
            let (from, to) = ((x(number) - half).max(LEFT), (x(number) + half).min(across.right));
            bars.push(People { from, to, share });
        }
    }
    bars
}

/// People from value to value, in bars of one width.
pub(super) fn between(across: &Across, valued: &[(f64, f64)]) -> Vec<People> {
    let mut before: Option<f64> = None;
    let mut spread = Vec::new();
    for &(value, share) in valued {
        spread.push(People { from: across.x(before.unwrap_or(value)), to: across.x(value), share });
        before = Some(value);
    }
    even(&spread, across.right)
}
