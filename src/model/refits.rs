//! How far a model's terms and scores would move had other families been on record.

use serde::{Deserialize, Serialize};

use crate::error::ModelError;
use crate::limits;
use crate::stats::Z;
use crate::stats::random::mixed;

/// Refits of a model on redrawn families, as deviations from it: what intervals of shapes and scores, and
/// the stability of ranks, are made of.
///
/// Each refit counts every family anew (the Bayesian bootstrap: weights that are exponential with mean 1),
/// a family with all its members and dates at once. Deviations are kept as whole multiples of a unit, at
/// most [`Refits::LEVELS`] of them either way, which is a thousandth of the widest one.
///
/// # References
/// D. B. Rubin (1981), "The Bayesian bootstrap", *Annals of Statistics* 9:130-134. For data in clusters:
/// C. A. Field and A. H. Welsh (2007), "Bootstrapping clustered data", *JRSS B* 69:369-390.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Refits {
    /// The seed that the families were drawn by.
    seed: u64,
    intercept: Deviations,
    /// For each term.
    terms: Vec<Deviations>,
}

/// Deviations of some figures, refit by refit.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Kept", into = "Kept")]
struct Deviations {
    unit: f64,
    /// For each refit a multiple of the unit for each figure.
    refits: Vec<Vec<i16>>,
}

/// Deviations as they stand in a file: a line of numbers for each refit.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Kept {
    unit: f64,
    refits: Vec<String>,
}

impl From<Deviations> for Kept {
    fn from(deviations: Deviations) -> Self {
        let line = |refit: &Vec<i16>| refit.iter().map(i16::to_string).collect::<Vec<_>>().join(" ");
        Self { unit: deviations.unit, refits: deviations.refits.iter().map(line).collect() }
    }
}

impl TryFrom<Kept> for Deviations {
    type Error = ModelError;
    fn try_from(kept: Kept) -> Result<Self, ModelError> {
        let numbers =
            |line: &String| line.split(' ').filter(|text| !text.is_empty()).map(str::parse).collect();
        let refits: Result<_, std::num::ParseIntError> = kept.refits.iter().map(numbers).collect();
        let refits =
            refits.map_err(|_| ModelError::Form("a refit holds something that is no number".into()))?;
        Ok(Self { unit: kept.unit, refits })
    }
}

impl Deviations {
    /// `drawn` holds for each refit the figures themselves.
    fn new(fitted: &[f64], drawn: &[Vec<f64>]) -> Self {
        let away =
            || drawn.iter().map(|figures| figures.iter().zip(fitted).map(|(drawn, fitted)| drawn - fitted));
        let widest = away().flatten().fold(0.0_f64, |widest, away| widest.max(away.abs()));
        if widest == 0.0 {
            return Self { unit: 0.0, refits: drawn.iter().map(|figures| vec![0; figures.len()]).collect() };
        }
        let unit = widest / f64::from(Refits::LEVELS);
        Self {
            unit,
            refits: away().map(|refit| refit.map(|away| (away / unit).round() as i16).collect()).collect(),
        }
    }

    fn at(&self, refit: usize, figure: usize) -> f64 {
        self.unit * f64::from(self.refits[refit][figure])
    }

    fn fits(&self, refits: usize, figures: usize) -> bool {
        // A thousand units at most, times a value in single precision, stay numbers.
        self.unit >= 0.0
            && self.unit <= limits::FIGURE
            && self.refits.iter().flatten().all(|away| away.unsigned_abs() <= Refits::LEVELS.unsigned_abs())
            && self.refits.len() == refits
            && self.refits.iter().all(|refit| refit.len() == figures)
    }
}

impl Refits {
    /// The finest a deviation is told apart: a thousandth of the widest of its term.
    pub const LEVELS: i16 = 1000;

    /// Refits as a trainer found them: for each term its fitted figures and for each refit what they
    /// became there.
    pub(super) fn new(
        seed: u64,
        intercept: f64,
        intercepts: &[f64],
        terms: &[(Vec<f64>, Vec<Vec<f64>>)],
    ) -> Self {
        let each: Vec<Vec<f64>> = intercepts.iter().map(|&drawn| vec![drawn]).collect();
        Self {
            seed,
            intercept: Deviations::new(&[intercept], &each),
            terms: terms.iter().map(|(fitted, drawn)| Deviations::new(fitted, drawn)).collect(),
        }
    }

    /// How many refits there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.intercept.refits.len()
    }

    /// Never true of a model's: it has at least two, or none at all.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The seed that the families were drawn by.
    #[must_use]
    pub fn seed(&self) -> u64 {
        self.seed
    }

    /// How far the intercept was from the model's in a refit.
    pub(super) fn intercept(&self, refit: usize) -> f64 {
        self.intercept.at(refit, 0)
    }

    /// How far a figure of a term was from the model's in a refit.
    pub(super) fn figure(&self, term: usize, refit: usize, figure: usize) -> f64 {
        self.terms[term].at(refit, figure)
    }

    /// Checks that there are deviations for these numbers of figures, one number a term.
    pub(super) fn check(&self, figures: &[usize]) -> Result<(), ModelError> {
        let refits = self.len();
        let fits = refits >= 2
            && self.intercept.fits(refits, 1)
            && self.terms.len() == figures.len()
            && self.terms.iter().zip(figures).all(|(term, &figures)| term.fits(refits, figures));
        if fits { Ok(()) } else { Err(ModelError::Form("the refits do not fit the model's terms".into())) }
    }

    /// The same with every deviation multiplied, as a recalibration does.
    pub(super) fn scaled(mut self, by: f64) -> Self {
        for part in self.terms.iter_mut().chain([&mut self.intercept]) {
            part.unit *= by;
        }
        self
    }

    /// Half the width of a 95% interval around a fitted figure, given its deviation in each refit:
    /// Student's quantile times their root mean square.
    pub(super) fn reach(deviations: impl ExactSizeIterator<Item = f64>) -> f64 {
        let refits = deviations.len() as f64;
        let squares: f64 = deviations.map(|deviation| deviation * deviation).sum();
        student(refits) * (squares / refits).sqrt()
    }
}

/// The 97.5% quantile of Student's t, by its expansion around the normal one (Abramowitz and Stegun 1964,
/// 26.7.5): within 0.004 from 5 degrees of freedom up, within 0.001 from 10.
fn student(freedom: f64) -> f64 {
    let z = Z;
    let first = (z.powi(3) + z) / 4.0;
    let second = (5.0 * z.powi(5) + 16.0 * z.powi(3) + 3.0 * z) / 96.0;
    let third = (3.0 * z.powi(7) + 19.0 * z.powi(5) + 17.0 * z.powi(3) - 15.0 * z) / 384.0;
    z + first / freedom + second / freedom.powi(2) + third / freedom.powi(3)
}

/// One redrawing of the families.
#[derive(Debug, Clone, Copy)]
pub(super) struct Draw {
    seed: u64,
}

impl Draw {
    pub(super) fn new(seed: u64, nth: u32) -> Self {
        Self { seed: mixed(seed, u64::from(nth) + 1) }
    }

    /// How often a family counts: exponential with mean 1.
    pub(super) fn count(self, family: u64) -> f32 {
        -uniform(mixed(self.seed, family)).ln() as f32
    }

    /// The `nth` of this draw's standard normals, by Box and Muller (1958).
    pub(super) fn normal(self, nth: u64) -> f64 {
        let length = (-2.0 * uniform(mixed(!self.seed, 2 * nth)).ln()).sqrt();
        length * (std::f64::consts::TAU * uniform(mixed(!self.seed, 2 * nth + 1))).cos()
    }
}

/// A number above 0 and below 1 from random bits.
fn uniform(bits: u64) -> f64 {
    ((bits >> 12) as f64 + 0.5) / (1_u64 << 52) as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn students_quantiles_are_those_of_the_tables() {
        let tables = [(5.0, 2.571, 0.004), (10.0, 2.228, 0.001), (20.0, 2.086, 0.001), (100.0, 1.984, 0.001)];
        for (freedom, table, within) in tables {
            assert!((student(freedom) - table).abs() < within, "{freedom}");
        }
    }

    #[test]
    fn counts_and_normals_have_their_means_and_variances() {
        let draw = Draw::new(7, 3);
        let moments = |values: &[f64]| {
            let mean = values.iter().sum::<f64>() / values.len() as f64;
            (mean, values.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / values.len() as f64)
        };
        let counts: Vec<f64> = (0..100_000).map(|family| f64::from(draw.count(family))).collect();
        let (mean, variance) = moments(&counts);
        assert!((mean - 1.0).abs() < 0.02 && (variance - 1.0).abs() < 0.05, "{mean} {variance}");
        let normals: Vec<f64> = (0..100_000).map(|nth| draw.normal(nth)).collect();
        let (mean, variance) = moments(&normals);
        assert!(mean.abs() < 0.02 && (variance - 1.0).abs() < 0.03, "{mean} {variance}");
    }

    #[test]
    fn deviations_are_kept_to_a_thousandth_of_the_widest() {
        let fitted = vec![1.0, -2.0];
        let drawn = vec![vec![1.5, -2.001], vec![0.75, -2.0]];
        let kept = Deviations::new(&fitted, &drawn);
        for (refit, drawn) in drawn.iter().enumerate() {
            for (figure, drawn) in drawn.iter().enumerate() {
                assert!((kept.at(refit, figure) - (drawn - fitted[figure])).abs() <= 0.5 * 0.5 / 1000.0);
            }
        }
    }
}
