//! How often chance alone brings a number of events as small as the one seen.

/// How often there are at most `now` events, where `before` were counted in as long a time, if events come at
/// `share` times the rate that they came at before: both counts are Poisson, so that of their sum the part of now is
/// binomial (J. Przyborowski and H. Wilenski, 1940, *Biometrika* 31:313-323). Counts may be fractions, of events
/// that come in bunches.
pub(crate) fn at_most(now: f64, before: f64, share: f64) -> f64 {
    /// Beyond, a normal curve serves, and powers would underflow.
    const EXACT: f64 = 500.0;
    let (now, all) = (now.round(), now.round() + before.round());
    let chance = share / (1.0 + share);
    if all > EXACT {
        let deviation = (all * chance * (1.0 - chance)).sqrt();
        return below((now + 0.5 - all * chance) / deviation);
    }
    let mut term = (1.0 - chance).powf(all);
    let mut sum = term;
    let mut events = 0.0;
    while events < now {
        term *= (all - events) / (events + 1.0) * share;
        events += 1.0;
        sum += term;
    }
    sum.min(1.0)
}

/// The part of a normal curve below so many standard deviations, by M. Abramowitz and I. A. Stegun, 1964,
/// *Handbook of Mathematical Functions*, 26.2.17: right to seven decimals.
pub(crate) fn below(deviations: f64) -> f64 {
    let t = 1.0 / (1.0 + 0.231_641_9 * deviations.abs());
    let tail = [1.330_274_429, -1.821_255_978, 1.781_477_937, -0.356_563_782, 0.319_381_53]
        .into_iter()
        .fold(0.0, |sum, factor| (sum + factor) * t);
    let density = (-0.5 * deviations * deviations).exp() / std::f64::consts::TAU.sqrt();
    if deviations > 0.0 { 1.0 - density * tail } else { density * tail }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exact_and_normal_agree_with_the_binomial() {
        // Of 20 events 0 in the second half: 0.5^20.
        assert!((at_most(0.0, 20.0, 1.0) - 0.5_f64.powi(20)).abs() < 1e-15);
        // P(X <= 2), n = 10, p = 1/2: 56 / 1024.
        assert!((at_most(2.0, 8.0, 1.0) - 56.0 / 1024.0).abs() < 1e-12);
        let (exact, normal) = (at_most(220.0, 280.0, 1.0), at_most(220.4, 280.6, 1.0));
        assert!((exact - normal).abs() < 5e-4, "{exact} {normal}");
        assert!((below(-3.090_232) - 0.001).abs() < 1e-6);
        assert!((at_most(5.0, 0.0, 0.5) - 1.0).abs() < 1e-12);
    }
}
