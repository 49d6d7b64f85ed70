//! What a calibration line is fitted to: rows, or sums over stretches of log-odds that stand for many rows.

use super::rows::Rows;
use crate::stats::line::Derivatives;
use crate::stats::link::probability;

/// Stretches of equal width between the lowest and the highest log-odds of a group.
const STRETCHES: usize = 128;
/// Sums of powers from 0 to this.
const ORDER: usize = 8;
/// The most that a fitted line may rise over half a stretch. The power series of the logistic function
/// converges up to π; here, its terms after the eighth are below 1e-9.
const STEEPEST: f64 = 0.25;

/// Some rows with their log-odds.
#[derive(Clone, Copy)]
pub(super) struct Members<'a> {
    pub(super) rows: &'a Rows,
    /// Best first.
    pub(super) places: &'a [u32],
    pub(super) log_odds: &'a [f64],
}

/// What a regression is fitted to.
pub(super) enum Points<'a> {
    Rows(Members<'a>),
    Stretches(Stretches),
}

/// Mean and spread of the log-odds, which only put a regression on a handy scale; weight, and weight with the
/// outcome.
#[derive(Debug, Clone, Copy)]
pub(super) struct Scale {
    pub(super) mean: f64,
    pub(super) spread: f64,
    pub(super) weight: f64,
    pub(super) with: f64,
}

impl Members<'_> {
    /// Calls `each` with log-odds, weight, weight with the outcome, and the row.
    pub(super) fn each(&self, mut each: impl FnMut(f64, f64, f64, usize)) {
        for &row in self.places {
            let row = row as usize;
            let weight = self.rows.weight(row);
            each(self.log_odds[row], weight, if self.rows.outcomes[row] { weight } else { 0.0 }, row);
        }
    }

    /// Whether some row without the outcome scores higher than some row with it, and the other way round: exactly
    /// then a logistic regression on one score has a finite answer (A. Albert and J. A. Anderson, 1984, *Biometrika*
    /// 71:1-10). False also where a score is infinite.
    pub(super) fn overlap(&self) -> bool {
        let ends = |outcome: bool| {
            let is = |row: &&u32| self.rows.outcomes[**row as usize] == outcome;
            let score = |row: &u32| self.log_odds[*row as usize];
            let (high, low) = (self.places.iter().find(is)?, self.places.iter().rfind(is)?);
            Some((score(low), score(high))).filter(|(low, high)| low.is_finite() && high.is_finite())
        };
        match (ends(false), ends(true)) {
            (Some(without), Some(with)) => with.0 < without.1 && without.0 < with.1,
            _ => false,
        }
    }

    fn scale(&self) -> Scale {
        let (mut weight, mut with, mut sum, mut square) = (0.0, 0.0, 0.0, 0.0);
        self.each(|x, w, y, _| (weight, with, sum) = (weight + w, with + y, sum + w * x));
        let mean = sum / weight;
        self.each(|x, w, _, _| square += w * (x - mean).powi(2));
        Scale { mean, spread: (square / weight).sqrt(), weight, with }
    }
}

impl Points<'_> {
    pub(super) fn scale(&self) -> Scale {
        match self {
            Self::Rows(members) => members.scale(),
            Self::Stretches(stretches) => stretches.scale(),
        }
    }

    /// At the line `a + b z`, `z` being the log-odds on the scale given.
    pub(super) fn derivatives(&self, scale: &Scale, at: [f64; 2]) -> Option<Derivatives> {
        let (gradient, hessian) = match self {
            Self::Rows(members) => {
                let (mut gradient, mut hessian) = ([0.0; 2], [0.0; 3]);
                members.each(|x, weight, with, _| {
                    let z = (x - scale.mean) / scale.spread;
                    let p = probability(at[0] + at[1] * z);
                    let (residual, curve) = (with - weight * p, weight * p * (1.0 - p));
                    gradient = [gradient[0] + residual, gradient[1] + residual * z];
                    hessian = [hessian[0] + curve, hessian[1] + curve * z, hessian[2] + curve * z * z];
                });
                (gradient, hessian)
            }
            Self::Stretches(stretches) => stretches.derivatives(scale, at),
        };
        hessian.iter().all(|entry| entry.is_finite()).then_some((gradient, hessian))
    }

    /// Whether a line that rises by `tilt` in a unit of log-odds is followed to all digits that matter.
    pub(super) fn follow(&self, tilt: f64) -> bool {
        match self {
            Self::Rows(_) => true,
            Self::Stretches(stretches) => tilt.abs() * stretches.half <= STEEPEST,
        }
    }
}

/// Sums of powers of the log-odds, stretch by stretch. All that a logistic regression needs of the rows is sums of a
/// smooth function of their log-odds; on a short stretch that function is a power series, so its sum is one of
/// these sums. After one pass over the rows, no further one is needed.
pub(super) struct Stretches {
    /// The middle of the first stretch, and half the width of each.
    first: f64,
    half: f64,
    /// For each stretch and outcome, the weighted sums of powers of the log-odds, which go from -1 to 1 in it.
    sums: Vec<[[f64; ORDER + 1]; 2]>,
}

/// The power series of the logistic function on a stretch, and that of its derivative.
struct Series {
    chance: [f64; ORDER],
    curve: [f64; ORDER],
}

impl Series {
    /// Around `at`, for a line that rises by `rise` over half a stretch. From `s' = s - s²`.
    fn new(at: f64, rise: f64) -> Self {
        let mut terms = [0.0; ORDER + 1];
        terms[0] = probability(at);
        for nth in 0..ORDER {
            let square: f64 = (0..=nth).map(|part| terms[part] * terms[nth - part]).sum();
            terms[nth + 1] = (terms[nth] - square) / (nth + 1) as f64;
        }
        let mut series = Self { chance: [0.0; ORDER], curve: [0.0; ORDER] };
        let mut power = 1.0;
        for nth in 0..ORDER {
            series.chance[nth] = terms[nth] * power;
            series.curve[nth] = terms[nth + 1] * (nth + 1) as f64 * power;
            power *= rise;
        }
        series
    }
}

/// The sum over rows of a series times the log-odds to the power `times`.
fn sum(series: &[f64; ORDER], powers: &[f64; ORDER + 1], times: usize) -> f64 {
    series.iter().zip(&powers[times..]).map(|(term, power)| term * power).sum()
}

impl Stretches {
    /// Of rows that [`overlap`](Members::overlap).
    pub(super) fn new(members: &Members<'_>) -> Self {
        let end = |row: Option<&u32>| row.map_or(0.0, |row| members.log_odds[*row as usize]);
        let (low, high) = (end(members.places.last()), end(members.places.first()));
        let half = ((high - low) / (2 * STRETCHES) as f64).max(f64::MIN_POSITIVE);
        let mut sums = vec![[[0.0; ORDER + 1]; 2]; STRETCHES];
        let unit = 0.5 / half;
        members.each(|x, weight, _, row| {
            let place = (((x - low) * unit) as usize).min(STRETCHES - 1);
            let t = (x - low) / half - (2 * place + 1) as f64;
            let mut power = weight;
            for sum in &mut sums[place][usize::from(members.rows.outcomes[row])] {
                *sum += power;
                power *= t;
            }
        });
        Self { first: low + half, half, sums }
    }

    /// The stretches with rows: the middle, the sums, and those of rows with the outcome.
    fn each(&self) -> impl Iterator<Item = (f64, &[[f64; ORDER + 1]; 2])> {
        let middles = self.sums.iter().enumerate();
        middles
            .filter(|(_, sums)| sums[0][0] + sums[1][0] > 0.0)
            .map(|(nth, sums)| (self.first + 2.0 * nth as f64 * self.half, sums))
    }

    fn scale(&self) -> Scale {
        let (mut weight, mut with, mut total, mut square) = (0.0, 0.0, 0.0, 0.0);
        for (middle, sums) in self.each() {
            let power = |nth: usize| sums[0][nth] + sums[1][nth];
            (weight, with) = (weight + power(0), with + sums[1][0]);
            total += middle * power(0) + self.half * power(1);
        }
        let mean = total / weight;
        for (middle, sums) in self.each() {
            let power = |nth: usize| sums[0][nth] + sums[1][nth];
            let off = middle - mean;
            square += off * off * power(0) + self.half * (2.0 * off * power(1) + self.half * power(2));
        }
        Scale { mean, spread: (square / weight).sqrt(), weight, with }
    }

    fn derivatives(&self, scale: &Scale, [a, b]: [f64; 2]) -> Derivatives {
        let (mut gradient, mut hessian) = ([0.0; 2], [0.0; 3]);
        let half = self.half / scale.spread;
        for (middle, sums) in self.each() {
            let z = (middle - scale.mean) / scale.spread;
            let series = Series::new(a + b * z, b * half);
            let powers: [f64; ORDER + 1] = std::array::from_fn(|nth| sums[0][nth] + sums[1][nth]);
            let residual = |times: usize| sums[1][times] - sum(&series.chance, &powers, times);
            let curve: [f64; 3] =
                std::array::from_fn(|times| half.powi(times as i32) * sum(&series.curve, &powers, times));
            gradient = [gradient[0] + residual(0), gradient[1] + z * residual(0) + half * residual(1)];
            hessian[0] += curve[0];
            hessian[1] += z * curve[0] + curve[1];
            hessian[2] += z * z * curve[0] + 2.0 * z * curve[1] + curve[2];
        }
        (gradient, hessian)
    }

    /// The sum over rows, all of weight 1, of the square of the residual at the line `at` of the log-odds times the
    /// line `times`.
    pub(super) fn squares(&self, at: [f64; 2], times: [f64; 2]) -> f64 {
        let mut squares = 0.0;
        for (middle, sums) in self.each() {
            let series = Series::new(at[0] + at[1] * middle, at[1] * self.half);
            let (level, tilt) = (times[0] + times[1] * middle, times[1] * self.half);
            // p² = p - p', and (1 - p)² = 1 - p - p'.
            let without: [f64; ORDER] = std::array::from_fn(|nth| series.chance[nth] - series.curve[nth]);
            let mut with: [f64; ORDER] = std::array::from_fn(|nth| -series.chance[nth] - series.curve[nth]);
            with[0] += 1.0;
            for (series, powers) in [without, with].iter().zip(sums) {
                squares += level * level * sum(series, powers, 0)
                    + tilt * (2.0 * level * sum(series, powers, 1) + tilt * sum(series, powers, 2));
            }
        }
        squares
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fairness::audit::params::OperatingPoint;
    use crate::fairness::audit::table::ScoreTable;

    fn close(one: f64, other: f64) {
        assert!((one - other).abs() <= 1e-9 * other.abs().max(1.0), "{one} {other}");
    }

    /// Scores from one in a million to nearly 1, with weights, and lines as steep as a stretch can follow.
    #[test]
    fn stretches_give_what_rows_give() {
        let n = 4_000;
        let chances = (0..n).map(|nth| probability(-14.0 + 18.0 * (f64::from(nth) / f64::from(n)).sqrt()));
        let outcomes = (0..n).map(|nth| nth * 7_919 % 4_001 < nth / 2).collect();
        let weights = (0..n).map(|nth| 1.0 + f64::from(nth % 5)).collect();
        let table = ScoreTable::new(chances.collect(), outcomes).unwrap();
        let plain = Rows::new(&table, OperatingPoint::Threshold(0.5), 0).unwrap();
        let weighted =
            Rows::new(&table.weights(weights).unwrap(), OperatingPoint::Threshold(0.5), 0).unwrap();
        let all: Vec<u32> = (0..n as u32).collect();
        for rows in [&plain, &weighted] {
            let log_odds = super::super::calibration::log_odds(rows);
            let members = Members { rows, places: &all, log_odds: &log_odds };
            assert!(members.overlap());
            let (exact, short) = (Points::Rows(members), Points::Stretches(Stretches::new(&members)));
            let (scale, found) = (exact.scale(), short.scale());
            for (one, other) in [
                (found.mean, scale.mean),
                (found.spread, scale.spread),
                (found.weight, scale.weight),
                (found.with, scale.with),
            ] {
                close(one, other);
            }
            for line in [[0.0, 0.0], [-2.0, 1.5], [1.0, scale.spread], [-1.0, 3.0 * scale.spread]] {
                assert!(short.follow(line[1] / scale.spread));
                let (one, other) =
                    (short.derivatives(&scale, line).unwrap(), exact.derivatives(&scale, line).unwrap());
                one.0.into_iter().zip(other.0).for_each(|(one, other)| close(one, other));
                one.1.into_iter().zip(other.1).for_each(|(one, other)| close(one, other));
            }
            assert!(!short.follow(4.0));
        }
        let log_odds = super::super::calibration::log_odds(&plain);
        let members = Members { rows: &plain, places: &all, log_odds: &log_odds };
        let (at, times) = ([0.5, 1.2], [0.3, -0.2]);
        let mut squares = 0.0;
        members.each(|x, _, with, _| {
            squares += ((with - probability(at[0] + at[1] * x)) * (times[0] + times[1] * x)).powi(2);
        });
        close(Stretches::new(&members).squares(at, times), squares);
    }
}
