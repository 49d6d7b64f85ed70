//! Chances and log-odds.

/// The probability that belongs to a log-odds. Neither end overflows, and small chances keep their digits.
#[inline]
pub(crate) fn probability(log_odds: f64) -> f64 {
    1.0 / (1.0 + (-log_odds).exp())
}

/// [`probability`] in single precision, for passes over many rows that need no more.
#[inline]
pub(crate) fn probability_single(log_odds: f32) -> f32 {
    1.0 / (1.0 + (-log_odds).exp())
}

/// The log-odds of a probability; infinite at 0 and 1. Chances next to 1 keep the digits that they have.
#[inline]
pub(crate) fn log_odds(probability: f64) -> f64 {
    probability.ln() - (-probability).ln_1p()
}

/// `ln(1 + e^x)` without overflow: minus the log of the probability whose log-odds is `-x`.
///
/// # References
/// M. Mächler (2012), "Accurately computing log(1 - exp(-|a|))", vignette of the R package *Rmpfr*.
#[inline]
pub(crate) fn softplus(x: f64) -> f64 {
    x.max(0.0) + (-x.abs()).exp().ln_1p()
}

/// A sum of [`softplus`] of many numbers in single precision, each counted so many times.
///
/// `ln(1 + e^-|x|)` of numbers that count once is the logarithm of a product: one logarithm for a few hundred numbers.
/// Factors lie between 1 and 2, so the product of so many fits a double, and is as exact as the sum would be.
#[derive(Debug, Clone, Copy)]
pub(crate) struct SoftplusSum {
    sum: f64,
    product: f64,
    factors: u32,
}

/// Factors of a product: 2 to this power is far below what a double holds.
const FACTORS: u32 = 512;

impl Default for SoftplusSum {
    fn default() -> Self {
        Self { sum: 0.0, product: 1.0, factors: 0 }
    }
}

impl SoftplusSum {
    /// Adds `times * softplus(x)`.
    #[inline]
    pub(crate) fn add(&mut self, times: f32, x: f32) {
        if times == 0.0 {
            return;
        }
        let (times, beyond) = (f64::from(times), f64::from((-x.abs()).exp()));
        self.sum += times * f64::from(x.max(0.0));
        if times.to_bits() == 1.0_f64.to_bits() {
            self.product *= 1.0 + beyond;
            self.factors += 1;
            if self.factors == FACTORS {
                self.close();
            }
        } else {
            self.sum += times * beyond.ln_1p();
        }
    }

    fn close(&mut self) {
        self.sum += self.product.ln();
        (self.product, self.factors) = (1.0, 0);
    }

    /// The sum.
    pub(crate) fn finish(mut self) -> f64 {
        self.close();
        self.sum
    }
}

#[cfg(test)]
mod tests {
    use super::super::fixture::close;
    use super::*;

    #[test]
    fn a_sum_is_that_of_its_parts() {
        let numbers: Vec<f32> = (0..5_000).map(|nth| (nth as f32 - 2_500.0) / 37.0).collect();
        for times in [0.0, 0.25, 1.0, 3.0] {
            let (mut sum, mut expected) = (SoftplusSum::default(), 0.0);
            for &x in &numbers {
                sum.add(times, x);
                sum.add(1.0, -x);
                expected += f64::from(times) * softplus(f64::from(x)) + softplus(f64::from(-x));
            }
            close(sum.finish() / expected, 1.0, 1e-8);
        }
        // Where every factor is 2, and far out.
        let mut even = SoftplusSum::default();
        (0..2_000).for_each(|_| even.add(1.0, 0.0));
        close(even.finish() / (2_000.0 * 2.0_f64.ln()), 1.0, 1e-12);
        let mut far = SoftplusSum::default();
        far.add(1.0, 200.0);
        far.add(1.0, -200.0);
        assert_eq!(far.finish().to_bits(), 200.0_f64.to_bits());
    }

    #[test]
    fn both_ends_keep_their_digits() {
        // 1 / (1 + e^50) is e^-50 to all digits, and far out it is 0 or 1, never no number.
        close(probability(-50.0) / (-50.0_f64).exp(), 1.0, 1e-14);
        close(probability(3.0_f64.ln()), 0.75, 1e-15);
        let bits = |numbers: [f64; 2]| numbers.map(f64::to_bits);
        assert_eq!(bits([probability(-5e4), probability(5e4)]), bits([0.0, 1.0]));
        assert_eq!(probability(f64::NEG_INFINITY).to_bits(), 0);
        close(softplus(-50.0) / (-50.0_f64).exp(), 1.0, 1e-14);
        close(softplus(0.0), 2.0_f64.ln(), 1e-15);
        assert_eq!(bits([softplus(5e4), softplus(-5e4)]), bits([5e4, 0.0]));
        assert_eq!(probability_single(-200.0).to_bits(), 0);
        for share in [1e-300, 1e-9, 0.3, 0.5, 0.999] {
            close(probability(log_odds(share)) / share, 1.0, 1e-12);
        }
        assert_eq!(bits([log_odds(0.0), log_odds(1.0)]), bits([f64::NEG_INFINITY, f64::INFINITY]));
    }
}
