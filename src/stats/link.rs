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

/// [`softplus`] in single precision.
#[inline]
pub(crate) fn softplus_single(x: f32) -> f32 {
    x.max(0.0) + (-x.abs()).exp().ln_1p()
}

#[cfg(test)]
mod tests {
    use super::super::fixture::close;
    use super::*;

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
        assert_eq!(softplus_single(200.0).to_bits(), 200.0_f32.to_bits());
        assert_eq!(probability_single(-200.0).to_bits(), 0);
        for share in [1e-300, 1e-9, 0.3, 0.5, 0.999] {
            close(probability(log_odds(share)) / share, 1.0, 1e-12);
        }
        assert_eq!(bits([log_odds(0.0), log_odds(1.0)]), bits([f64::NEG_INFINITY, f64::INFINITY]));
    }
}
