//! Whole-number scorecards as a trainer of the one model form.
//!
//! A card asks a few yes/no questions and adds whole-number points. `score = offset + unit * points`: two
//! real numbers, refitted for every choice of points, so the points themselves are what is optimised; none
//! is rounded afterwards.

mod bar;
mod card;
mod columns;
mod cuts;
mod line;
mod search;
mod state;
mod terms;
#[cfg(test)]
mod tests;

use serde::{Deserialize, Serialize};

pub(in crate::model) use self::card::Worded;
pub use self::card::{CardLine, Condition, PointsRow, Scorecard};
use self::cuts::{Question, questions};
use self::search::{CardLimits, IntegerCard, search};
use super::form::{AdditiveModel, Axis, Shape, Term};
use crate::error::ModelError;
use crate::features::{Cell, Cells, Direction, FeatureMatrix};

/// Settings of a scorecard: at most so many lines with so many points.
///
/// The outcome that counts as positive is always `true`. Of all cards within the limits the one with the
/// least log loss is looked for, by a search that starts from several places and moves, drops and swaps
/// lines two at a time; it is not proven to be the best.
///
/// A line must pay for its place, on a card of at most ten lines as on one of any number. It has to raise the logarithm
/// of the likelihood by half the logarithm of the number of cases with the rarer outcome (the Bayesian information
/// criterion, counted in events), and the `k`-th line by more than the best of all `K` questions tried would by
/// chance: by `ln(K / k)` and the logarithm of two. Of features that say nothing a card without lines is mostly left, and that is no
/// error.
///
/// What one point is worth is shrunk by what the lines owe to having been chosen: a line that barely passed most likely
/// had luck, and is weaker than it seems. Where there are many cases next to nothing is taken.
///
/// # Examples
/// As a linfa trainer, on a linfa dataset (NaN means missing):
/// ```
/// use earlyhelp::model::ScorecardParams;
/// use linfa::prelude::*;
/// use ndarray::{Array1, Array2};
///
/// let visits = Array2::from_shape_fn((500, 1), |(row, _)| (row % 10) as f64);
/// let outcomes = Array1::from_shape_fn(500, |row| (row * 7) % 23 < row % 10);
/// let data = DatasetBase::new(visits, outcomes).with_feature_names(vec!["visits"]);
///
/// let model = ScorecardParams::default().terms(2).fit(&data)?;
/// assert_eq!(model.terms()[0].on, ["visits"]);
///
/// // The same with the card to print.
/// let (_, card) = &ScorecardParams::default().terms(2).cards_of(&data)?[0];
/// // Two questions, and what a value counts that is not on record: training saw none of those.
/// assert!(card.lines.len() <= 3);
/// println!("{card}");
/// # Ok::<(), earlyhelp::error::ModelError>(())
/// ```
///
/// # References
/// B. Ustun and C. Rudin, "Learning optimized risk scores", *Journal of Machine Learning Research* 20
/// (2019); J. Liu, C. Zhong, B. Li, M. Seltzer and C. Rudin, "`FasterRisk`: fast and accurate interpretable
/// risk scores", *Advances in Neural Information
/// Processing Systems* 35 (2022); C. T. Volinsky and A. E. Raftery, "Bayesian information criterion for
/// censored survival models", *Biometrics* 56 (2000); J. Chen and Z. Chen, "Extended Bayesian information criteria
/// for model selection with large model spaces", *Biometrika* 95 (2008), and "Extended BIC for small-n-large-P
/// sparse GLM", *Statistica Sinica* 22 (2012); D. P. Foster and E. I. George, "The risk inflation criterion for
/// multiple regression", *Annals of Statistics* 22 (1994); A. Ghosh, F. Zou and F. A. Wright, "Estimating odds ratios
/// in genome scans: an approximate conditional likelihood approach", *American Journal of Human Genetics* 82 (2008).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
#[non_exhaustive]
pub struct ScorecardParams {
    /// The most lines, 1 or more; `None` (in a file: `any`) for as many as pay. The default, 10, is what fits on a page beside
    /// its table and can be added up by hand in a minute or two. A line that says what a value counts that is not on record,
    /// where training saw too few such cases to ask about it, is none of them.
    #[serde(with = "self::terms")]
    #[cfg_attr(feature = "schema", schemars(schema_with = "self::terms::schema"))]
    pub terms: Option<u32>,
    /// Points lie between minus this and plus this, 1 to 1000. The default, 5, is that of `RiskSLIM` and
    /// `FasterRisk`: sums stay within what people add in their heads.
    #[cfg_attr(feature = "schema", schemars(range(min = 1, max = 1000)))]
    pub points: u32,
    /// How many cards are wanted, 1 or more: the best, and others nearly as good that ask other questions,
    /// so that people can choose. There may be fewer: none is worse than a card without lines. The default is 5.
    pub cards: u32,
    /// How many cuts of a feature are considered, 1 or more: those that alone part the outcomes best. The
    /// default, 8, leaves the search room to find which go together; more cost time and overfit.
    pub most_cuts: u32,
    /// Refits on redrawn families, from which intervals come, when a dataset is trained on; 0 for none.
    /// Points stand; refits say how well the worth of a point and the starting level are known. The
    /// default, 20, gives the width of an interval to within a sixth.
    pub refits: u32,
}

impl Default for ScorecardParams {
    fn default() -> Self {
        Self { terms: Some(10), points: 5, cards: 5, most_cuts: 8, refits: 20 }
    }
}

impl ScorecardParams {
    /// At most this many lines.
    #[must_use]
    pub fn terms(mut self, most: u32) -> Self {
        self.terms = Some(most);
        self
    }

    /// So many refits.
    #[must_use]
    pub fn refits(mut self, refits: u32) -> Self {
        self.refits = refits;
        self
    }

    /// As many lines as pay.
    #[must_use]
    pub fn any_terms(mut self) -> Self {
        self.terms = None;
        self
    }

    /// Points between minus and plus this.
    #[must_use]
    pub fn points(mut self, most: u32) -> Self {
        self.points = most;
        self
    }

    /// How many cards are wanted.
    #[must_use]
    pub fn cards(mut self, wanted: u32) -> Self {
        self.cards = wanted;
        self
    }

    /// The most cuts of a feature that are considered.
    #[must_use]
    pub fn most_cuts(mut self, most: u32) -> Self {
        self.most_cuts = most;
        self
    }

    /// Fits cases; `directions` has one for each feature, `weights` (if any) a weight for each case. Gives
    /// the best cards, best first, each as a model and as a card to print.
    ///
    /// Weights count for points, unit and offset, and for what a line must pay; cuts are chosen, and the table
    /// is counted, over cases as they are.
    ///
    /// # Errors
    /// [`ModelError::NotFitted`] where there is only one outcome, a setting is out of range, or lengths do
    /// not agree.
    pub fn fit_matrix(
        &self,
        matrix: &FeatureMatrix,
        directions: &[Direction],
        outcomes: &[bool],
        weights: Option<&[f64]>,
    ) -> Result<Vec<(AdditiveModel, Scorecard)>, ModelError> {
        self.fit_families((matrix, outcomes), (directions, &[]), weights, None)
    }

    /// The same where it is known which cases are of one family: a question is asked only where families enough
    /// answer it either way. `codes` has, for each feature whose numbers are codes without an order, how many.
    pub(crate) fn fit_families(
        &self,
        (matrix, outcomes): (&FeatureMatrix, &[bool]),
        (directions, codes): (&[Direction], &[Option<usize>]),
        weights: Option<&[f64]>,
        families: Option<&[u64]>,
    ) -> Result<Vec<(AdditiveModel, Scorecard)>, ModelError> {
        let not_fitted = |why: &str| ModelError::NotFitted(why.to_owned());
        if directions.len() != matrix.names().len() {
            return Err(not_fitted("there must be a direction for each feature"));
        }
        if outcomes.len() != matrix.rows() {
            return Err(not_fitted("there must be an outcome for each case"));
        }
        if self.most_cuts == 0 {
            return Err(not_fitted("at least one cut of a feature must be considered"));
        }
        let asked = questions((matrix, outcomes), (directions, codes), families, self.most_cuts as usize);
        let signs: Vec<_> = asked.iter().map(|question| question.sign).collect();
        let columns: Vec<_> = asked.iter().map(|question| &question.answers).collect();
        let limits = CardLimits {
            terms: self.terms.map(|terms| terms as usize),
            points: i32::try_from(self.points).unwrap_or(i32::MAX),
            cards: self.cards as usize,
            must_pay: true,
        };
        let found = search(&columns, &signs, outcomes, weights, &limits)
            .map_err(|error| ModelError::NotFitted(error.to_string()))?;
        found.iter().map(|card| finished(matrix, &asked, card, outcomes, weights)).collect()
    }
}

/// The card as a model, and to print.
fn finished(
    matrix: &FeatureMatrix,
    asked: &[Question],
    card: &IntegerCard,
    outcomes: &[bool],
    weights: Option<&[f64]>,
) -> Result<(AdditiveModel, Scorecard), ModelError> {
    let names = matrix.names();
    let mut totals = vec![0; matrix.rows()];
    let mut lines = Vec::new();
    let (mut terms, mut intercept) = (Vec::new(), card.offset);
    for of_feature in card.points.chunk_by(|a, b| asked[a.0].feature == asked[b.0].feature) {
        let feature = asked[of_feature[0].0].feature;
        let mut rules: Vec<(Condition, i32)> =
            of_feature.iter().map(|&(column, points)| (asked[column].condition, points)).collect();
        for &(column, points) in of_feature {
            asked[column].answers.add_to(&mut totals, points);
        }
        let was_asked = |absence| asked.iter().any(|q| q.feature == feature && q.condition == absence);
        let unlearnt = match [Condition::Missing, Condition::NotCovered].map(was_asked) {
            [false, false] => Some(Condition::Absent),
            [false, true] => Some(Condition::Missing),
            [true, false] => Some(Condition::NotCovered),
            [true, true] => None,
        };
        if let Some(absence) = unlearnt {
            let average = average_points(&rules, absence, matrix.cells(feature), weights);
            if average != 0 {
                rules.push((absence, average));
                let cells = matrix.cells(feature).iter().zip(&mut totals);
                let absent = cells.filter(|(cell, _)| absence.holds(*cell));
                absent.for_each(|(_, total)| *total += average);
            }
        }
        lines.extend(rules.iter().map(|&(condition, points)| {
            (feature, CardLine { feature: names[feature].clone(), condition, points })
        }));
        let (shape, mean) = steps(&rules, card.unit, matrix.cells(feature), weights)?;
        intercept += mean;
        terms.push(Term::one(&names[feature], shape));
    }
    // Questions are in the order of their features' names, and so are terms; people read a card as the columns stand.
    lines.sort_by_key(|(feature, _)| *feature);
    let lines = lines.into_iter().map(|(_, line)| line).collect();
    let model = AdditiveModel::new(names.to_vec(), intercept, terms)?;
    Ok((model, Scorecard::new((card.unit, card.offset), lines, &totals, outcomes)))
}

/// The points of an average case, to the nearest whole point: what an `unlearnt` absence counts, which training saw too seldom
/// to learn from. With none it would count as a value that gives none, and what is missing would be taken for safe.
fn average_points(
    rules: &[(Condition, i32)],
    unlearnt: Condition,
    cells: Cells<'_>,
    weights: Option<&[f64]>,
) -> i32 {
    let (mut sum, mut mass) = (0.0, 0.0);
    for (row, cell) in cells.iter().enumerate() {
        if !unlearnt.holds(cell) {
            let points: i32 =
                rules.iter().filter(|(rule, _)| rule.holds(cell)).map(|(_, points)| points).sum();
            let weight = weights.map_or(1.0, |weights| weights[row]);
            sum += weight * f64::from(points);
            mass += weight;
        }
    }
    if mass > 0.0 { (sum / mass).round() as i32 } else { 0 }
}

/// A feature's points as centred steps, and the mean that was taken out.
pub(super) fn steps(
    rules: &[(Condition, i32)],
    unit: f64,
    cells: Cells<'_>,
    weights: Option<&[f64]>,
) -> Result<(Shape, f64), ModelError> {
    let mut edges: Vec<f64> = rules
        .iter()
        .flat_map(|(condition, _)| match condition {
            Condition::AtLeast(cut) | Condition::Below(cut) => vec![*cut],
            // Nothing is below the code 0.
            Condition::Is(0) => vec![0.5],
            Condition::Is(code) => vec![f64::from(*code) - 0.5, f64::from(*code) + 0.5],
            Condition::Missing | Condition::NotCovered | Condition::Absent => Vec::new(),
        })
        .collect();
    edges.sort_by(f64::total_cmp);
    edges.dedup();
    let points_at = |holds: &dyn Fn(Condition) -> bool| {
        rules.iter().filter(|(condition, _)| holds(*condition)).map(|(_, points)| *points).sum::<i32>()
    };
    // A bin's values answer every question alike: those of its lower edge, or any below the first.
    let mut points: Vec<i32> = (0..=edges.len())
        .map(|bin| {
            points_at(&|condition| match condition {
                Condition::AtLeast(cut) => bin > 0 && edges[bin - 1] >= cut,
                Condition::Below(cut) => bin == 0 || edges[bin - 1] < cut,
                Condition::Is(code) => {
                    let code = f64::from(code);
                    (bin == 0 || edges[bin - 1] < code)
                        && edges.get(bin).is_some_and(|&end| end < code + 1.0 && end > code)
                }
                Condition::Missing | Condition::NotCovered | Condition::Absent => false,
            })
        })
        .collect();
    points
        .extend([Cell::Missing, Cell::NotCovered].map(|cell| points_at(&|condition| condition.holds(cell))));
    let mut masses = vec![0.0; points.len()];
    let axis = Axis::new(edges)?;
    for (row, cell) in cells.iter().enumerate() {
        masses[axis.bin(cell)] += weights.map_or(1.0, |weights| weights[row]);
    }
    let all: f64 = masses.iter().sum();
    let sum: f64 = masses.iter().zip(&points).map(|(mass, &points)| mass * f64::from(points)).sum();
    let mean = unit * sum / all;
    let values = points.iter().map(|&points| unit * f64::from(points) - mean).collect();
    Ok((Shape::Steps { axis, values }, mean))
}
