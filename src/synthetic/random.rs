//! Random draws that depend on nothing but the seed, the purpose and the family.
//!
//! Every purpose (who lives where, which needs, which police records ...) has its own stream for every
//! family. So a change in one service leaves all others as they were, families may be worked on in
//! parallel, and the same seed gives the same bytes at any number of threads.
//!
//! # References
//! Blackman & Vigna, "Scrambled linear pseudorandom number generators", *ACM TOMS* 47(4), 2021
//! (xoshiro256++). Knuth, *The Art of Computer Programming* 2, section 3.4.1 (Poisson by products of
//! uniforms). Box & Muller, *Ann. Math. Stat.* 29(2), 1958 (normal).

use crate::stats::random::mixed;
use rand_xoshiro::Xoshiro256PlusPlus;
use rand_xoshiro::rand_core::{Rng, SeedableRng};

/// What a stream of draws is for. Two purposes never share a stream.
#[derive(Clone, Copy)]
pub(super) enum Purpose {
    Population = 1,
    Needs,
    Care,
    School,
    Home,
    Justice,
    Health,
    Referral,
    Activity,
    Dirt,
    Attendance,
}

/// One stream of draws.
pub(super) struct Draw(Xoshiro256PlusPlus);

impl Draw {
    /// The stream of one purpose and one number (a family or a child) under a seed.
    pub(super) fn stream(seed: u64, purpose: Purpose, number: u64) -> Self {
        let mut state = seed;
        for part in [purpose as u64, number] {
            state = mixed(part, state);
        }
        Self(Xoshiro256PlusPlus::seed_from_u64(state))
    }

    /// A number in [0, 1), on the grid of 2^-53.
    pub(super) fn unit(&mut self) -> f64 {
        (self.0.next_u64() >> 11) as f64 * (1.0 / 9_007_199_254_740_992.0)
    }

    /// True with probability `p`.
    pub(super) fn chance(&mut self, p: f64) -> bool {
        self.unit() < p
    }

    /// A whole number from `low` to `high`, both included.
    pub(super) fn between(&mut self, low: i32, high: i32) -> i32 {
        let width = f64::from((high - low).max(0) + 1);
        low + (self.unit() * width) as i32
    }

    /// A real number from `low` up to `high`.
    pub(super) fn uniform(&mut self, low: f64, high: f64) -> f64 {
        low + self.unit() * (high - low)
    }

    /// An exponential waiting time with this mean.
    pub(super) fn exponential(&mut self, mean: f64) -> f64 {
        -mean * (1.0 - self.unit()).ln()
    }

    /// How many events happen, at this mean number (made for means below ten).
    pub(super) fn poisson(&mut self, mean: f64) -> u32 {
        let stop = (-mean).exp();
        let (mut count, mut product) = (0, self.unit());
        while product > stop && count < 1_000 {
            count += 1;
            product *= self.unit();
        }
        count
    }

    /// A normal number.
    pub(super) fn normal(&mut self, mean: f64, sd: f64) -> f64 {
        let radius = (-2.0 * (1.0 - self.unit()).ln()).sqrt();
        mean + sd * radius * (std::f64::consts::TAU * self.unit()).cos()
    }

    /// The place of one of the weights, chosen in proportion to them.
    pub(super) fn pick(&mut self, weights: &[f64]) -> usize {
        let mut left = self.unit() * weights.iter().sum::<f64>();
        for (place, weight) in weights.iter().enumerate() {
            left -= weight;
            if left < 0.0 {
                return place;
            }
        }
        weights.len().saturating_sub(1)
    }

    /// Days until something is known: usually `low` to `high`, and for one record in fifty another one
    /// to six months, because every service has late entries.
    pub(super) fn lag(&mut self, low: i32, high: i32) -> i32 {
        let usual = self.between(low, high);
        if self.chance(0.02) { usual + self.between(30, 180) } else { usual }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn streams_repeat_and_differ() {
        let first = |purpose, number| Draw::stream(7, purpose, number).unit().to_bits();
        assert_eq!(first(Purpose::Care, 3), first(Purpose::Care, 3));
        assert_ne!(first(Purpose::Care, 3), first(Purpose::Care, 4));
        assert_ne!(first(Purpose::Care, 3), first(Purpose::Health, 3));
    }

    #[test]
    fn distributions_have_their_means_and_spreads() {
        let mut draw = Draw::stream(1, Purpose::Dirt, 0);
        let n = 200_000;
        let mean_and_var = |values: Vec<f64>| {
            let mean = values.iter().sum::<f64>() / f64::from(n);
            let var = values.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / f64::from(n);
            (mean, var)
        };
        let close = |got: (f64, f64), mean: f64, var: f64| {
            // Five standard errors of the mean; the variance to 5%.
            assert!((got.0 - mean).abs() < 5.0 * (var / f64::from(n)).sqrt(), "{got:?} against {mean}");
            assert!((got.1 / var - 1.0).abs() < 0.05, "{got:?} against {var}");
        };
        close(mean_and_var((0..n).map(|_| draw.exponential(3.0)).collect()), 3.0, 9.0);
        close(mean_and_var((0..n).map(|_| f64::from(draw.poisson(1.4))).collect()), 1.4, 1.4);
        close(mean_and_var((0..n).map(|_| draw.normal(-2.0, 0.5)).collect()), -2.0, 0.25);
        close(mean_and_var((0..n).map(|_| f64::from(draw.between(1, 6))).collect()), 3.5, 35.0 / 12.0);
        let ones = (0..n).filter(|_| draw.pick(&[3.0, 1.0]) == 1).count();
        assert!((ones as f64 / f64::from(n) - 0.25).abs() < 0.005);
    }
}
