//! The logistic loss of several rows at once, in single precision.
//!
//! Made of sums, products and choices only, so that a compiler turns it into vector instructions; with the
//! library's exponential and logarithm it would work on one row at a time.

/// Rows that are worked on together: two vectors of four, the least that any processor of today has.
pub(super) const STRIP: usize = 8;

/// The same quantity of [`STRIP`] rows.
pub(super) type Strip = [f32; STRIP];

/// The logistic loss of a strip of rows and its derivatives in the linear predictor, times the rows' weights.
pub(super) struct Logistic {
    /// log(1 + exp(eta)) - y eta
    pub(super) loss: Strip,
    /// probability - y
    pub(super) residual: Strip,
    /// probability (1 - probability)
    pub(super) curvature: Strip,
}

impl Logistic {
    #[inline]
    pub(super) fn at(eta: &Strip, target: &Strip, weight: &Strip) -> Self {
        let mut at = Self { loss: [0.0; STRIP], residual: [0.0; STRIP], curvature: [0.0; STRIP] };
        for row in 0..STRIP {
            let small = exp_of_negative(-eta[row].abs());
            let near = 1.0 / (1.0 + small);
            let far = small * near;
            let of_true = if eta[row] >= 0.0 { near } else { far };
            // What the row's own side lacks: eta where the outcome is false, -eta where it is true.
            let short = eta[row] * (1.0 - 2.0 * target[row]);
            let short = if short > 0.0 { short } else { 0.0 };
            at.loss[row] = weight[row] * (short + ln_1p_of_share(small));
            at.residual[row] = weight[row] * (of_true - target[row]);
            at.curvature[row] = weight[row] * near * far;
        }
        at
    }
}

/// exp(x) for x of 0 or less, to single precision.
///
/// exp(x) = 2^n exp(r) with n whole and r within half of ln 2; exp(r) by its Taylor series, whose first term
/// left out, r^8 / 8!, is below 6e-9.
#[inline]
fn exp_of_negative(x: f32) -> f32 {
    /// 1.5 * 2^23: a small number added to it is rounded to a whole one, which stands in its low bits.
    const ROUNDER: f32 = 12_582_912.0;
    /// ln 2 in two parts; products of the first with small whole numbers are exact.
    const LN_2: (f32, f32) = (355.0 / 512.0, -2.121_944_4e-4);
    // exp(-87) is about the smallest normal number.
    let x = if x < -87.0 { -87.0 } else { x };
    let shifted = x * std::f32::consts::LOG2_E + ROUNDER;
    let whole = shifted - ROUNDER;
    let r = x - whole * LN_2.0 - whole * LN_2.1;
    let mut sum = 1.0 / 5040.0;
    for next in [1.0 / 720.0, 1.0 / 120.0, 1.0 / 24.0, 1.0 / 6.0, 0.5, 1.0, 1.0] {
        sum = sum * r + next;
    }
    // The exponent field of 2^n; the bits of `ROUNDER` itself leave at the top.
    sum * f32::from_bits((shifted.to_bits() << 23).wrapping_add(127 << 23))
}

/// ln(1 + share) for a share of 0 to 1, to single precision: 2 artanh(z) with z = share / (2 + share), at
/// most 1/3, whose series is cut where its terms fall below 1e-8.
#[inline]
fn ln_1p_of_share(share: f32) -> f32 {
    let z = share / (2.0 + share);
    let square = z * z;
    let mut sum = 1.0 / 13.0;
    for next in [1.0 / 11.0, 1.0 / 9.0, 1.0 / 7.0, 1.0 / 5.0, 1.0 / 3.0, 1.0] {
        sum = sum * square + next;
    }
    2.0 * z * sum
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exponential_and_logarithm_are_right_to_single_precision() {
        for step in 0..=87_000 {
            let x = -step as f32 / 1000.0;
            let exact = f64::from(x).exp();
            assert!((f64::from(exp_of_negative(x)) / exact - 1.0).abs() < 3e-7, "{x}");
            let share = step as f32 / 87_000.0;
            assert!((f64::from(ln_1p_of_share(share)) - f64::from(share).ln_1p()).abs() < 2e-7, "{share}");
        }
        assert!(exp_of_negative(f32::NAN).is_nan());
        assert!(exp_of_negative(-1e30) < 2e-38);
    }
}
