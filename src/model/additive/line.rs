//! The straight line beside a term's steps.

use super::banded::Factor;

/// Where the steps lie on the feature's own scale, in standard deviations over the cases; absences lie nowhere, at 0.
///
/// A term is `slope * at + deviations`: the slope has a penalty of its own, and the roughness is that of the deviations. So an
/// effect that is straight costs one parameter, however many steps there are, and a term can be let go of in two ways: what is
/// curved of it, and what is straight. The parting of a penalty's null space from its range is that of G. Marra and S. N. Wood
/// (2011), "Practical variable selection for generalized additive models", *Computational Statistics and Data Analysis*
/// 55:2372-2387.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Line(Vec<f64>);

/// The line beside steps whose equations are solved: what is needed to say how the two share what there is to explain.
pub(super) struct Beside {
    /// The steps' places, about their mean by information.
    pub(super) at: Vec<f64>,
    /// How the term's values move with the slope while the deviations give way.
    pub(super) lever: Vec<f64>,
    /// The precision of the slope, deviations given way.
    pub(super) precision: f64,
}

impl Line {
    /// Of value steps at these places of which so many cases are; `None` where they are fewer than three, of which a line
    /// says nothing that differences do not.
    pub(super) fn of(places: &[f64], counts: &[f64]) -> Option<Self> {
        let all: f64 = counts.iter().sum();
        let moment = |power: i32, about: f64| {
            let each = places.iter().zip(counts).map(|(place, count)| count * (place - about).powi(power));
            each.sum::<f64>() / all
        };
        let mean = moment(1, 0.0);
        let deviation = moment(2, mean).sqrt();
        if places.len() < 3 || !(deviation > 0.0 && deviation.is_finite()) {
            return None;
        }
        Some(Self(places.iter().map(|place| (place - mean) / deviation).chain([0.0; 2]).collect()))
    }

    /// The places about their mean by information.
    pub(super) fn centred(&self, information: &[f64]) -> Vec<f64> {
        let values = self.0.len() - 2;
        let known: f64 = information[..values].iter().sum();
        let sum: f64 = self.0.iter().zip(information).map(|(at, information)| at * information).sum();
        let mean = if known > 0.0 { sum / known } else { 0.0 };
        self.0.iter().enumerate().map(|(step, at)| if step < values { at - mean } else { 0.0 }).collect()
    }
}

impl Beside {
    /// `penalised`: the penalty's product with the places; `factor`: of information plus penalty.
    pub(super) fn new(
        at: Vec<f64>,
        penalised: Vec<f64>,
        factor: &Factor,
        (information, strength): (&[f64], f64),
    ) -> Self {
        let mut lever = penalised;
        factor.solve(&mut lever);
        let explained: f64 = at
            .iter()
            .zip(information)
            .zip(&lever)
            .map(|((at, information), lever)| at * information * lever)
            .sum();
        Self { at, lever, precision: strength + explained }
    }

    /// The slope that is best with the deviations that go with it; `side` is information times target.
    pub(super) fn slope(&self, side: &[f64], lean: f64) -> f64 {
        let sum: f64 = self.lever.iter().zip(side).map(|(lever, side)| lever * side).sum();
        (sum + lean) / self.precision
    }
}
