//! Two real numbers that turn a total of points into log-odds, and what a shift of points does to the
//! loss.

use crate::stats::link::softplus;

/// `log-odds = offset + unit * points`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Line {
    pub(super) unit: f64,
    pub(super) offset: f64,
}

/// What the loss of a card depends on: for each total of points how many cases have it, and two sums over
/// the cases with the outcome. No case needs to be looked at again.
#[derive(Debug, Clone)]
pub(super) struct Sums {
    /// The lowest total; the others follow one by one.
    pub(super) low: i32,
    /// Cases by total.
    pub(super) all: Vec<f64>,
    /// Cases with the outcome.
    pub(super) yes: f64,
    /// The sum of their totals.
    pub(super) moment: f64,
    /// The sum of squares of the card's points.
    pub(super) squares: f64,
    /// The belief that holds the unit back; see [`RIDGE`].
    pub(super) ridge: f64,
}

/// A step is held, before seeing data, to be around 1 in log-odds: the penalty is half its square, as if it
/// were drawn from a standard normal distribution. It decides only where data say little: with a column
/// that separates the outcomes the unit would otherwise grow without end.
pub(super) const RIDGE: f64 = 1.0;

impl Sums {
    fn total(&self, place: usize) -> f64 {
        f64::from(self.low) + place as f64
    }

    /// The sum of losses and half the ridge.
    pub(super) fn value(&self, line: Line) -> f64 {
        let mut sum = 0.5 * self.ridge * line.unit * line.unit * self.squares
            - line.offset * self.yes
            - line.unit * self.moment;
        for (place, &all) in self.all.iter().enumerate() {
            if all > 0.0 {
                sum += all * softplus(line.offset + line.unit * self.total(place));
            }
        }
        sum
    }

    /// The sum of losses alone.
    pub(super) fn loss(&self, line: Line) -> f64 {
        self.value(line) - 0.5 * self.ridge * line.unit * line.unit * self.squares
    }

    /// Gradient and Hessian in (offset, unit).
    fn slopes(&self, line: Line) -> ([f64; 2], Curve) {
        let mut gradient = [-self.yes, -self.moment + self.ridge * line.unit * self.squares];
        let mut curve = Curve { offset: 0.0, cross: 0.0, unit: self.ridge * self.squares };
        for (place, &all) in self.all.iter().enumerate() {
            if all > 0.0 {
                let total = self.total(place);
                let chance = logistic(line.offset + line.unit * total);
                let weight = all * chance * (1.0 - chance);
                gradient[0] += all * chance;
                gradient[1] += all * chance * total;
                curve.offset += weight;
                curve.cross += weight * total;
                curve.unit += weight * total * total;
            }
        }
        (gradient, curve)
    }

    /// The line with the least value, and that value: Newton's method with halved steps where a whole one
    /// overshoots. With `free` false only the offset moves.
    pub(super) fn fit(&self, start: Line, free: bool) -> (Line, f64) {
        let free = free && self.squares > 0.0;
        let (mut line, mut value) = (start, self.value(start));
        for _ in 0..MOST_STEPS {
            let (gradient, curve) = self.slopes(line);
            let Some([offset, unit]) = curve.solve(gradient, free) else { break };
            let promise = gradient[0] * offset + gradient[1] * unit;
            let (mut share, mut moved) = (1.0, false);
            while share > 1e-6 {
                let next = Line { offset: line.offset - share * offset, unit: line.unit - share * unit };
                let there = self.value(next);
                if there < value {
                    (line, value, moved) = (next, there, true);
                    break;
                }
                share *= 0.5;
                if promise < 1e-10 * value.abs() {
                    break;
                }
            }
            if !moved || promise < 1e-12 * value.abs() {
                break;
            }
        }
        (line, value)
    }
}

/// Newton's method is at the last bits after 4 to 8 steps.
const MOST_STEPS: usize = 50;

/// The Hessian of the loss in (offset, unit).
#[derive(Debug, Clone, Copy)]
struct Curve {
    offset: f64,
    cross: f64,
    unit: f64,
}

impl Curve {
    /// The Hessian's inverse times a gradient; `None` where there is no curvature left.
    fn solve(self, [a, b]: [f64; 2], free: bool) -> Option<[f64; 2]> {
        if !free {
            return (self.offset > 0.0).then(|| [a / self.offset, 0.0]);
        }
        let determinant = self.offset * self.unit - self.cross * self.cross;
        (determinant > 1e-14 * self.offset * self.unit).then(|| {
            [(self.unit * a - self.cross * b) / determinant, (self.offset * b - self.cross * a) / determinant]
        })
    }
}

/// The loss, its slope and its curvature at every total that one step away can lead to.
pub(super) struct Reach {
    low: i32,
    line: Line,
    ridge: f64,
    free: bool,
    losses: Vec<f64>,
    chances: Vec<f64>,
    curves: Vec<f64>,
    curve: Curve,
}

/// What a column could bring if its step were any real number: to second order, with the line refitted.
#[derive(Debug, Clone, Copy)]
pub(super) struct Promise {
    /// The step in points.
    pub(super) step: f64,
    /// By how much the loss would fall.
    pub(super) gain: f64,
}

impl Reach {
    /// Tables for steps of at most `most` points from a fitted line.
    pub(super) fn new(sums: &Sums, line: Line, most: i32, free: bool) -> Self {
        let low = sums.low - most;
        let width = sums.all.len() + 2 * most as usize;
        let odds = (0..width).map(|place| line.offset + line.unit * (f64::from(low) + place as f64));
        let losses = odds.clone().map(softplus).collect();
        let chances: Vec<f64> = odds.map(logistic).collect();
        let curves = chances.iter().map(|chance| chance * (1.0 - chance)).collect();
        let free = free && sums.squares > 0.0;
        Self { low, line, ridge: sums.ridge, free, losses, chances, curves, curve: sums.slopes(line).1 }
    }

    /// Chance, curvature and total times curvature at a total.
    pub(super) fn at(&self, total: i32) -> (f64, f64, f64) {
        let place = (total - self.low) as usize;
        (self.chances[place], self.curves[place], self.curves[place] * f64::from(total))
    }

    /// Whether a column with this curvature says yes of more than half of what counts.
    pub(super) fn is_most(&self, curve: f64) -> bool {
        curve > 0.5 * self.curve.offset
    }

    /// A column's promise from its expected cases with the outcome, its curvature and its curvature times
    /// the total; `points` are those that it has.
    pub(super) fn promise(&self, yes: f64, [expected, curve, cross]: [f64; 3], points: i32) -> Promise {
        let pull = yes - expected - self.ridge * self.line.unit * f64::from(points);
        let Some([a, b]) = self.curve.solve([curve, cross], self.free) else {
            return Promise { step: 0.0, gain: 0.0 };
        };
        let own = (curve + self.ridge - a * curve - b * cross).max(1e-9 * curve + f64::MIN_POSITIVE);
        Promise { step: pull / own / self.line.unit, gain: 0.5 * pull * pull / own }
    }

    /// How much the value changes when some cases (counted by total, from `low`; `yes` of them have the
    /// outcome) are shifted by `step` points and the sum of squared points grows by `growth`: exact for the
    /// present line, and to second order for the line refitted. To shift the other cases the other way
    /// is the same card with another offset, and the second order is the better the fewer cases move.
    pub(super) fn change(&self, low: i32, cases: &[f64], yes: f64, step: i32, growth: f64) -> f64 {
        let from = (low - self.low) as usize;
        let to = (from as i64 + i64::from(step)) as usize;
        let shift = f64::from(step);
        let unit = self.line.unit;
        let mut change = 0.5 * self.ridge * unit * unit * growth - unit * shift * yes;
        let mut gradient = [0.0, self.ridge * unit * growth - shift * yes];
        let mut curve = self.curve;
        curve.unit += self.ridge * growth;
        for (place, &all) in cases.iter().enumerate() {
            if all > 0.0 {
                let (old, new) = (from + place, to + place);
                let total = f64::from(low) + place as f64;
                let (p, q) = (self.chances[old], self.chances[new]);
                let (v, w) = (self.curves[old], self.curves[new]);
                let moved = total + shift;
                change += all * (self.losses[new] - self.losses[old]);
                gradient[0] += all * (q - p);
                gradient[1] += all * (moved * q - total * p);
                curve.offset += all * (w - v);
                curve.cross += all * (moved * w - total * v);
                curve.unit += all * (moved * moved * w - total * total * v);
            }
        }
        let refit = curve.solve(gradient, self.free).map_or(0.0, |[a, b]| gradient[0] * a + gradient[1] * b);
        change - 0.5 * refit.max(0.0)
    }
}

/// The probability at log-odds `x`, rounded as a card is fitted: its line is to keep its bits.
#[inline]
pub(super) fn logistic(x: f64) -> f64 {
    let small = (-x.abs()).exp();
    let rare = small / (1.0 + small);
    if x < 0.0 { rare } else { 1.0 - rare }
}
