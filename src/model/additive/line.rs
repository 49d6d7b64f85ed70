//! The straight line beside a term's steps, and the product beside a pair's.

use super::banded::Factor;

/// Where the steps lie on the feature's own scale, in standard deviations over the cases; absences lie nowhere, at 0.
///
/// A term is `slope * at + deviations`: the slope has a penalty of its own, and the roughness is that of the deviations. So an
/// effect that is straight costs one parameter, however many steps there are, and a term can be let go of in two ways: what is
/// curved of it, and what is straight. The parting of a penalty's null space from its range is that of G. Marra and S. N. Wood
/// (2011), "Practical variable selection for generalized additive models", *Computational Statistics and Data Analysis*
/// 55:2372-2387.
///
/// Of a grid it is the product of its two sides' places: what most pairs that pay say, told by one parameter.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Line {
    at: Vec<f64>,
    /// Which steps are values, and no absences.
    is_value: Vec<bool>,
}

/// The line beside steps whose equations are solved: what is needed to say how the two share what there is to explain.
pub(super) struct Beside {
    /// The steps' places, about their mean by information.
    pub(super) at: Vec<f64>,
    /// How the term's values move with the slope while the deviations give way.
    pub(super) lever: Vec<f64>,
    /// The precision of the slope, deviations given way.
    pub(super) precision: f64,
}

/// See [`Line::closeness`].
const FARTHEST: f64 = 8.0;

impl Line {
    /// Of value steps at these places of which so many cases are; `None` where they are fewer than three, of which a line
    /// says nothing that differences do not.
    pub(super) fn of(places: &[f64], counts: &[f64]) -> Option<Self> {
        let at = if places.len() < 3 { None } else { Self::standardised(places, counts) }?;
        Some(Self { at, is_value: places.iter().map(|_| true).chain([false; 2]).collect() })
    }

    /// Places of value steps in standard deviations from their mean, weighed, and the two absences at 0; `None` where all are one.
    pub(super) fn standardised(places: &[f64], weights: &[f64]) -> Option<Vec<f64>> {
        let all: f64 = weights.iter().sum();
        let moment = |power: i32, about: f64| {
            let each = places.iter().zip(weights).map(|(place, weight)| weight * (place - about).powi(power));
            each.sum::<f64>() / all
        };
        let mean = moment(1, 0.0);
        let deviation = moment(2, mean).sqrt();
        let is_told = deviation > 0.0 && deviation.is_finite();
        is_told.then(|| places.iter().map(|place| (place - mean) / deviation).chain([0.0; 2]).collect())
    }

    /// Of a grid, row by row, whose sides lie at these places, absences last.
    pub(super) fn product(first: &[f64], second: &[f64]) -> Self {
        let values = (first.len() - 2, second.len() - 2);
        let cells = || (0..first.len()).flat_map(|row| (0..second.len()).map(move |column| (row, column)));
        let is_value = |(row, column): (usize, usize)| row < values.0 && column < values.1;
        Self {
            at: cells()
                .map(|cell| if is_value(cell) { first[cell.0] * second[cell.1] } else { 0.0 })
                .collect(),
            is_value: cells().map(is_value).collect(),
        }
    }

    /// At these places, whatever the steps are.
    pub(super) fn at(places: Vec<f64>) -> Self {
        Self { is_value: vec![true; places.len()], at: places }
    }

    /// How close each step in order lies to the next, beside the middle of all distances: what their difference counts in the
    /// roughness, so that it is that of a shape on the feature's own scale and not on its ranks (H. Rue and L. Held 2005, *Gaussian Markov
    /// Random Fields*, section 3.3: random walks at irregular places). Between an eighth and eight times, because far out a step is
    /// as far from the next as nobody can tell a shape by.
    pub(super) fn closeness(&self) -> Vec<f64> {
        let values: Vec<f64> = self
            .at
            .iter()
            .zip(&self.is_value)
            .filter(|(_, is_value)| **is_value)
            .map(|(at, _)| *at)
            .collect();
        let gaps: Vec<f64> = values.windows(2).map(|pair| pair[1] - pair[0]).collect();
        let mut sorted = gaps.clone();
        sorted.sort_by(f64::total_cmp);
        let middle = sorted.get(sorted.len() / 2).copied().unwrap_or(1.0);
        gaps.into_iter().map(|gap| (middle / gap).clamp(1.0 / FARTHEST, FARTHEST)).collect()
    }

    /// The places as they are.
    pub(super) fn places(&self) -> &[f64] {
        &self.at
    }

    /// The places about their mean by information.
    pub(super) fn centred(&self, information: &[f64]) -> Vec<f64> {
        let told =
            || self.at.iter().zip(&self.is_value).zip(information).filter(|((_, is_value), _)| **is_value);
        let known: f64 = told().map(|(_, information)| information).sum();
        let sum: f64 = told().map(|((at, _), information)| at * information).sum();
        let mean = if known > 0.0 { sum / known } else { 0.0 };
        self.at
            .iter()
            .zip(&self.is_value)
            .map(|(at, &is_value)| if is_value { at - mean } else { 0.0 })
            .collect()
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
