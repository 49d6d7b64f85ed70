//! Areas under and between curves, exact, with weights.
//!
//! # References
//! AUC: D. Bamber (1975), *Journal of Mathematical Psychology* 12:387-415. Average precision: C. D. Manning, P.
//! Raghavan and H. Schütze (2008), *Introduction to Information Retrieval*, section 8.4. ABROCA: J. Gardner, C.
//! Brooks and R. Baker (2019), *Learning Analytics and Knowledge*.

use super::rows::Rows;

/// A piece of a ROC curve over a stretch of false-positive rates, which begins where the last piece ended. Where
/// the next piece starts higher than this one ends, the curve goes straight up.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Piece {
    /// The false-positive rate at its end.
    pub(super) end: f64,
    /// The true-positive rate at its start, and at its end.
    pub(super) from: f64,
    pub(super) to: f64,
    /// By how much the true-positive rate rises in a unit of the false-positive rate.
    slope: f64,
}

/// What one walk down the ranking of a group finds. `None` of it exists without both classes.
#[derive(Debug, Clone)]
pub(super) struct Curve {
    pub(super) auc: f64,
    pub(super) average_precision: f64,
    pub(super) roc: Vec<Piece>,
}

impl Curve {
    /// Of these rows, which are in the order of [`Rows`]: best first.
    pub(super) fn new(rows: &Rows, members: &[u32]) -> Option<Self> {
        let score = |row: &u32| rows.scores[*row as usize];
        let (mut roc, mut wrong, mut precision) = (RocMaker::default(), 0.0, 0.0);
        // Weights are added class by class, so that counts of pairs stay whole numbers without weights.
        for tie in members.chunk_by(|a, b| score(a).total_cmp(&score(b)).is_eq()) {
            let (mut with, mut without) = (0.0, 0.0);
            for &row in tie {
                let weight = rows.weight(row as usize);
                if rows.outcomes[row as usize] {
                    with += weight;
                } else {
                    without += weight;
                }
            }
            wrong += with * (roc.negatives + 0.5 * without);
            roc.step(with, without);
            if with > 0.0 {
                precision += with * roc.positives / (roc.positives + roc.negatives);
            }
        }
        let (positives, negatives) = (roc.positives, roc.negatives);
        (positives > 0.0 && negatives > 0.0).then(|| Self {
            auc: 1.0 - wrong / (positives * negatives),
            average_precision: precision / positives,
            roc: roc.finish(),
        })
    }
}

/// Makes a ROC curve from counts, from the highest score down.
#[derive(Debug, Clone, Default)]
pub(super) struct RocMaker {
    pieces: Vec<Piece>,
    pub(super) positives: f64,
    pub(super) negatives: f64,
    /// Whether the last piece is level, so that it can be made longer.
    level: bool,
}

impl RocMaker {
    /// Rows of one score.
    pub(super) fn step(&mut self, with: f64, without: f64) {
        let from = self.positives;
        self.positives += with;
        self.negatives += without;
        if without <= 0.0 {
            self.level &= with <= 0.0;
            return;
        }
        let level = with <= 0.0;
        match self.pieces.last_mut() {
            Some(last) if level && self.level => last.end = self.negatives,
            _ => self.pieces.push(Piece { end: self.negatives, from, to: self.positives, slope: 0.0 }),
        }
        self.level = level;
    }

    /// The curve in rates.
    fn finish(mut self) -> Vec<Piece> {
        self.scale();
        self.pieces
    }

    fn scale(&mut self) {
        let mut begin = 0.0;
        for piece in &mut self.pieces {
            piece.end /= self.negatives;
            piece.from /= self.positives;
            piece.to /= self.positives;
            let rise = piece.to - piece.from;
            piece.slope = if rise > 0.0 { rise / (piece.end - begin) } else { 0.0 };
            begin = piece.end;
        }
    }

    /// As [`finish`](Self::finish), keeping the buffer; empty without both classes.
    pub(super) fn curve(&mut self) -> &[Piece] {
        if self.positives > 0.0 && self.negatives > 0.0 {
            self.scale();
            &self.pieces
        } else {
            &[]
        }
    }

    pub(super) fn clear(&mut self) {
        self.pieces.clear();
        (self.positives, self.negatives, self.level) = (0.0, 0.0, false);
    }
}

/// The area between two ROC curves, 0 to 1, counting all of it: where the curves cross, both sides. Not a
/// number without two curves.
pub(super) fn area_between(one: &[Piece], other: &[Piece]) -> f64 {
    if one.is_empty() || other.is_empty() {
        return f64::NAN;
    }
    let (mut i, mut j, mut start, mut area) = (0, 0, 0.0, 0.0);
    let (mut begin_one, mut begin_other) = (0.0, 0.0);
    while let (Some(a), Some(b)) = (one.get(i), other.get(j)) {
        let end = a.end.min(b.end);
        let width = end - start;
        if width > 0.0 {
            let first = at(a, begin_one, start) - at(b, begin_other, start);
            let last = at(a, begin_one, end) - at(b, begin_other, end);
            area += width * mean_size(first, last);
        }
        start = end;
        if a.end <= end {
            begin_one = a.end;
            i += 1;
        }
        if b.end <= end {
            begin_other = b.end;
            j += 1;
        }
    }
    area
}

/// Places on the axis of false-positive rates, evenly spaced, at which resampled curves are held against each other.
pub(super) const GRID: usize = 128;

/// A curve's true-positive rates on the grid; not numbers without a curve.
pub(super) fn on_grid(curve: &[Piece]) -> [f64; GRID] {
    let mut values = [f64::NAN; GRID];
    let (mut nth, mut begin) = (0, 0.0);
    for (place, value) in values.iter_mut().enumerate() {
        let x = (place as f64 + 0.5) / GRID as f64;
        while curve.get(nth).is_some_and(|piece| piece.end < x) {
            begin = curve[nth].end;
            nth += 1;
        }
        // Rounding may leave the last piece short of 1.
        if let Some(piece) = curve.get(nth).or(curve.last()) {
            *value = at(piece, begin, x.min(piece.end));
        }
    }
    values
}

fn at(piece: &Piece, begin: f64, x: f64) -> f64 {
    piece.from + piece.slope * (x - begin)
}

/// The mean distance from 0 of a line from `first` to `last`.
fn mean_size(first: f64, last: f64) -> f64 {
    let (a, b) = (first.abs(), last.abs());
    if first * last >= 0.0 { f64::midpoint(a, b) } else { (a * a + b * b) / (2.0 * (a + b)) }
}
