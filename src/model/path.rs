//! The strength of a penalty chosen along a whole path, on families and dates that were not learnt from.

use serde::{Deserialize, Serialize};

use super::shape::is_figure;
use super::solver::{Design, Path, Roles, SolverError, Traced, trace};
use super::validation::Validation;
use crate::error::ModelError;

/// Settings of a path: a fit at each of many strengths of the penalty, of which held-out cases choose one.
///
/// The strengths are equally spaced in logarithm. The first is the least that leaves every coefficient at
/// zero. The path ends early where weaker penalties no longer change the fit (glmnet's rule: the last
/// strength brought less than a hundred-thousandth of the deviance explained).
///
/// All folds go down the path side by side over one packed copy of the cases, of 4 bytes a case and
/// coefficient. With many features, one that is the same for most cases (a code, a mark, a count that is
/// mostly 0) takes a byte, or nine, for each case where it differs, and time for these alone. Then each of the folds
/// also keeps the curvature of the features that play a part so far: 8 bytes for each pair. Their fits are as precise as glmnet's; the model itself is then fitted at the strength taken,
/// to [`LogisticParams::tolerance`](crate::model::LogisticParams::tolerance).
///
/// # Examples
/// ```
/// use earlyhelp::features::{Cell, FeatureMatrix};
/// use earlyhelp::model::{LogisticParams, PathParams, Scale};
///
/// let contacts = (0..400).map(|row| Cell::Value((row % 10) as f32)).collect();
/// let noise = (0..400).map(|row| Cell::Value((row * 31 % 17) as f32)).collect();
/// let outcomes: Vec<bool> = (0..400).map(|row| (row * 7) % 23 < row % 10).collect();
/// let cases = FeatureMatrix::from_cells(vec!["contacts".into(), "noise".into()], 400, &[contacts, noise])
///     .ok_or("two columns of 400 cells")?;
///
/// let params = LogisticParams::default().l1_ratio(0.5).path(PathParams::default());
/// let fit = params.fit_matrix(&cases, &[Scale::Linear; 2], &outcomes, None)?;
/// let report = fit.path.ok_or("a path was asked for")?;
/// assert_eq!(fit.model.terms()[0].on, ["contacts"]);
/// assert!(report.mean_losses[report.chosen] < report.mean_losses[0]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # References
/// Friedman, Hastie and Tibshirani, *Regularization paths for generalized linear models via coordinate
/// descent*, Journal of Statistical Software 33(1), 2010.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
pub struct PathParams {
    /// How many strengths, 2 or more. The default, 100, is glmnet's: each is then about a tenth weaker than
    /// the one before, finer than the held-out loss can tell apart.
    pub strengths: u32,
    /// The last strength as a share of the first, above 0 and below 1. The default, 1e-4, is glmnet's for
    /// more cases than features, which is the rule here; it costs little, since a path ends early.
    pub smallest: f64,
    /// How many folds of families, 2 or more. The default, 5, lets each fit learn from four fifths of the
    /// families; with more, the folds' fits hardly differ and cost more.
    pub folds: u8,
    /// Which strength is taken. The default is the best.
    pub choice: PathChoice,
}

impl Default for PathParams {
    fn default() -> Self {
        Self { strengths: 100, smallest: 1e-4, folds: 5, choice: PathChoice::default() }
    }
}

/// Which strength of a path is taken.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum PathChoice {
    /// The one with the least mean loss on held-out cases (the strongest of equals): the default, because
    /// a list is judged by how well it ranks people whom the model has not seen.
    #[default]
    Best,
    /// The strongest whose held-out loss is within a standard error of the least: fewer features, for
    /// little loss that the data can prove.
    OneStandardError,
}

/// What a path showed: one entry for each strength, from the strongest to the weakest.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct PathReport {
    /// The strengths, falling.
    pub strengths: Vec<f64>,
    /// Mean log loss (natural logarithm) on held-out cases, over the folds by their weight.
    pub mean_losses: Vec<f64>,
    /// Standard error of that mean, from how the folds differ; 0 where only one fold has cases to check.
    pub standard_errors: Vec<f64>,
    /// How many coefficients of the fit of all cases are not zero. A feature has one for its value and one
    /// for each absence that training saw often enough.
    pub non_zero: Vec<u32>,
    /// The place of the strength that was taken.
    pub chosen: usize,
}

impl PathReport {
    /// Checks a report that was read: one entry for each strength, falling, and a place among them.
    ///
    /// # Errors
    /// [`ModelError::Form`] where it is not so.
    pub(super) fn check(&self) -> Result<(), ModelError> {
        let entries = self.strengths.len();
        let others = [self.mean_losses.len(), self.standard_errors.len(), self.non_zero.len()];
        let falls = self.strengths.is_sorted_by(|a, b| a > b);
        let figures = self.strengths.iter().chain(&self.mean_losses).chain(&self.standard_errors);
        if others == [entries; 3] && self.chosen < entries && falls && figures.copied().all(is_figure) {
            return Ok(());
        }
        Err(ModelError::Form("its path of penalties is not one entry for each strength, falling".into()))
    }

    /// The strength that was taken.
    ///
    /// # Panics
    /// If the report was changed so that there is no such place.
    #[must_use]
    pub fn strength(&self) -> f64 {
        self.strengths[self.chosen]
    }
}

/// A path followed to its end: what it showed, and the point of the fit of all cases at the strength taken,
/// intercept first.
pub(super) struct Followed {
    pub report: PathReport,
    pub point: Vec<f64>,
}

impl PathParams {
    /// Follows the path with the fit of all cases and the fits of the folds.
    pub(super) fn follow(
        &self,
        l1_ratio: f64,
        design: &impl Design,
        outcomes: &[bool],
        weights: Option<&[f64]>,
        validation: &Validation,
    ) -> Result<Followed, PathError> {
        let folds = Folds::new(validation, outcomes, weights);
        folds.check()?;
        let path = Path { count: self.strengths as usize, smallest: self.smallest, l1_ratio };
        let mut traced = trace(design, outcomes, weights, &folds.parts, &folds.roles, path)?;
        let (mean_losses, standard_errors) = curve(&traced)?;
        let chosen = self.choice.of(&mean_losses, &standard_errors);
        let points = &mut traced.tracks[0].points;
        let count = |point: &Vec<f64>| point[1..].iter().filter(|&&coefficient| coefficient != 0.0).count();
        let non_zero = points.iter().map(|point| count(point) as u32).collect();
        let point = points.swap_remove(chosen);
        let report =
            PathReport { strengths: traced.strengths, mean_losses, standard_errors, non_zero, chosen };
        Ok(Followed { report, point })
    }
}

/// Why a path could not be followed.
#[derive(Debug)]
pub(super) enum PathError {
    /// The folds do not allow it.
    Folds(ModelError),
    /// A fit failed.
    Fit(SolverError),
}

impl From<SolverError> for PathError {
    fn from(error: SolverError) -> Self {
        Self::Fit(error)
    }
}

impl PathChoice {
    fn of(self, losses: &[f64], errors: &[f64]) -> usize {
        let mut best = 0;
        for (place, &loss) in losses.iter().enumerate() {
            if loss < losses[best] {
                best = place;
            }
        }
        match self {
            Self::Best => best,
            Self::OneStandardError => {
                losses.iter().position(|&loss| loss <= losses[best] + errors[best]).unwrap_or(best)
            }
        }
    }
}

/// The mean held-out loss at each strength and its standard error: the folds' losses and their spread,
/// weighted by the folds' weights.
fn curve(traced: &Traced) -> Result<(Vec<f64>, Vec<f64>), PathError> {
    let folds: Vec<_> = traced.tracks[1..].iter().filter(|track| track.check_weight > 0.0).collect();
    if folds.is_empty() {
        let why = "no fold has cases to check a penalty on; use fewer folds or give the strength";
        return Err(PathError::Folds(ModelError::NotFitted(why.into())));
    }
    let weight: f64 = folds.iter().map(|track| track.check_weight).sum();
    let over_folds = |of: &dyn Fn(usize) -> f64| {
        (0..folds.len()).map(|k| folds[k].check_weight * of(k)).sum::<f64>() / weight
    };
    let losses: Vec<f64> =
        (0..traced.strengths.len()).map(|place| over_folds(&|k| folds[k].check_losses[place])).collect();
    let error = |(place, mean): (usize, &f64)| match folds.len() - 1 {
        0 => 0.0,
        free => (over_folds(&|k| (folds[k].check_losses[place] - mean).powi(2)) / free as f64).sqrt(),
    };
    let errors = losses.iter().enumerate().map(error).collect();
    Ok((losses, errors))
}

/// The rows sorted by what the folds do with them.
struct Folds {
    /// Each row's part.
    parts: Vec<usize>,
    /// What the fit of all cases (first) and each fold's fit do with each part.
    roles: Vec<Roles>,
    /// For each fold the weight that its fit learns from: outcome false, outcome true.
    learnt: Vec<[f64; 2]>,
}

impl Folds {
    /// A part is a fold's cases of one kind: both learnt from and checked on, or only one of the two.
    fn new(validation: &Validation, outcomes: &[bool], weights: Option<&[f64]>) -> Self {
        const KINDS: usize = 3;
        let folds = validation.folds();
        let count = usize::from(folds) * KINDS;
        let mut roles = vec![Roles { learns: vec![true; count], checks: vec![false; count] }];
        roles.extend((0..folds).map(|_| Roles { learns: vec![false; count], checks: vec![false; count] }));
        let mut learnt = vec![[0.0; 2]; usize::from(folds)];
        let part_of = |row: usize| {
            let own = validation.fold(row);
            let kind = match (validation.checks(row, own), validation.learns(row, (own + 1) % folds)) {
                (true, true) => 0,
                (false, _) => 1,
                (true, false) => 2,
            };
            usize::from(own) * KINDS + kind
        };
        let parts: Vec<usize> = (0..outcomes.len()).map(part_of).collect();
        for (row, &part) in parts.iter().enumerate() {
            let weight = weights.map_or(1.0, |weights| weights[row]);
            for fold in 0..folds {
                let role = &mut roles[usize::from(fold) + 1];
                role.checks[part] |= validation.checks(row, fold);
                if validation.learns(row, fold) {
                    role.learns[part] = true;
                    learnt[usize::from(fold)][usize::from(outcomes[row])] += weight;
                }
            }
        }
        Self { parts, roles, learnt }
    }

    /// Whether each fold has both outcomes to learn from.
    fn check(&self) -> Result<(), PathError> {
        let folds = self.learnt.len();
        match self.learnt.iter().position(|learnt| learnt[0].min(learnt[1]) <= 0.0) {
            None => Ok(()),
            Some(fold) => Err(PathError::Folds(ModelError::NotFitted(format!(
                "fold {} of {folds} would learn from one outcome only: there are too few families or earlier dates \
                 with the outcome to choose a strength by validation; give the strength instead",
                fold + 1
            )))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::form::{AdditiveModel, Scale};
    use super::super::logistic::{Groups, LogisticFit, LogisticParams};
    use super::super::solver::tests::{Columns, drawn};
    use super::super::solver::{Limits, Penalty, solve};
    use super::*;
    use crate::calendar::{AsOf, Day};
    use crate::features::{Cell, FeatureMatrix};

    /// Families of three cases, over this many dates.
    fn validation(rows: usize, dates: i32, seed: u64) -> Validation {
        let keys: Vec<u64> = (0..rows as u64).map(|row| row / 3).collect();
        let date = |row: i32| AsOf::new(Day::from_epoch_days(10_000 + 365 * (row % dates)));
        Validation::new(&keys, &(0..rows as i32).map(date).collect::<Vec<_>>(), 3, seed)
    }

    fn matrix(design: &Columns) -> FeatureMatrix {
        let names = (0..design.0.len()).map(|nth| format!("f{nth}")).collect();
        let cells = |column: &Vec<f64>| -> Vec<Cell> {
            let cell = |(row, &value): (usize, &f64)| match row % 11 {
                0 => Cell::Missing,
                _ => Cell::Value(value as f32),
            };
            column.iter().enumerate().map(cell).collect()
        };
        let columns: Vec<_> = design.0.iter().map(cells).collect();
        FeatureMatrix::from_cells(names, design.0[0].len(), &columns).unwrap()
    }

    fn fit(
        params: &LogisticParams,
        (design, outcomes): (&Columns, &[bool]),
        validation: &Validation,
    ) -> Result<LogisticFit, ModelError> {
        let matrix = matrix(design);
        let scales = vec![Scale::Linear; design.0.len()];
        params.fit_validated(
            &matrix,
            &scales,
            outcomes,
            None,
            Groups { validation: Some(validation), ..Groups::default() },
            None,
        )
    }

    fn log_odds(model: &AdditiveModel, design: &Columns) -> Vec<f64> {
        model.log_odds(&matrix(design)).unwrap()
    }

    /// Every fold fitted by itself with the exact solver, its losses and their spread written out plainly.
    #[test]
    fn the_curve_is_that_of_fits_made_one_by_one() {
        let (design, outcomes, weights) = drawn(90, 2, 0.3, 4);
        for dates in [1, 2] {
            let validation = validation(90, dates, 6);
            let params = PathParams { strengths: 6, smallest: 0.05, ..PathParams::default() };
            let report = params.follow(0.5, &design, &outcomes, Some(&weights), &validation).unwrap().report;
            assert_eq!(report.strengths.len(), 6);
            for (place, &strength) in report.strengths.iter().enumerate() {
                let (mut losses, mut shares) = (Vec::new(), Vec::new());
                for fold in 0..3 {
                    let learnt: Vec<f64> = (0..90)
                        .map(|row| if validation.learns(row, fold) { weights[row] } else { 0.0 })
                        .collect();
                    let penalty = Penalty { strength, l1_ratio: 0.5 };
                    let found =
                        solve(&design, &outcomes, Some(&learnt), penalty, Limits::default(), None).unwrap();
                    let (mut loss, mut share) = (0.0, 0.0);
                    for row in (0..90).filter(|&row| validation.checks(row, fold)) {
                        let eta = found.intercept
                            + found.coefficients[0] * design.0[0][row]
                            + found.coefficients[1] * design.0[1][row];
                        let chance = crate::stats::link::probability(eta);
                        loss -= weights[row] * if outcomes[row] { chance } else { 1.0 - chance }.ln();
                        share += weights[row];
                    }
                    losses.push(loss / share);
                    shares.push(share);
                }
                let total: f64 = shares.iter().sum();
                let mean = (losses[0] * shares[0] + losses[1] * shares[1] + losses[2] * shares[2]) / total;
                let spread: f64 =
                    losses.iter().zip(&shares).map(|(l, s)| s / total * (l - mean).powi(2)).sum();
                assert!((report.mean_losses[place] - mean).abs() < 1e-5, "{place} {mean}");
                assert!((report.standard_errors[place] - (spread / 2.0).sqrt()).abs() < 1e-5, "{place}");
            }
            let least = report.mean_losses.iter().copied().fold(f64::INFINITY, f64::min);
            assert_eq!(report.mean_losses.iter().position(|&loss| loss <= least), Some(report.chosen));
        }
    }

    #[test]
    fn a_family_is_never_on_both_sides_and_time_is_kept() {
        for dates in [1, 2, 3] {
            let validation = validation(300, dates, 1);
            let outcomes: Vec<bool> = (0..300).map(|row| row % 4 == 0).collect();
            let folds = Folds::new(&validation, &outcomes, None);
            let mut checked = 0;
            for roles in &folds.roles[1..] {
                let learns = |row: usize| roles.learns[folds.parts[row]];
                let checks = |row: usize| roles.checks[folds.parts[row]];
                assert!((0..300).any(learns) && (0..300).any(checks));
                for row in 0..300 {
                    let family = row / 3 * 3..row / 3 * 3 + 3;
                    assert!(!(checks(row) && family.clone().any(learns)), "{row}");
                    if dates > 1 {
                        let is_last = row as i32 % dates == dates - 1;
                        assert!(!learns(row) || !is_last, "{row}");
                        assert!(!checks(row) || is_last, "{row}");
                    }
                    checked += usize::from(checks(row));
                }
            }
            assert_eq!(checked, 300 / dates as usize, "each case of the last date is checked once");
            assert!((0..300).all(|row| folds.roles[0].learns[folds.parts[row]]), "the model learns from all");
        }
    }

    #[test]
    fn the_model_is_the_exact_fit_at_the_strength_taken() {
        let (design, outcomes, _) = drawn(900, 9, -1.0, 14);
        let validation = validation(900, 1, 2);
        let path = |choice| PathParams { choice, ..PathParams::default() };
        let params = LogisticParams::default().l1_ratio(0.5);
        let best =
            fit(&params.clone().path(path(PathChoice::Best)), (&design, &outcomes), &validation).unwrap();
        let choice = PathChoice::OneStandardError;
        let simple = fit(&params.clone().path(path(choice)), (&design, &outcomes), &validation).unwrap();
        for found in [&best, &simple] {
            let report = found.path.as_ref().unwrap();
            let alone = params.clone().strength(report.strength());
            let alone = fit(&alone, (&design, &outcomes), &validation).unwrap();
            assert_eq!(alone.path, None);
            assert_eq!(alone.unused, found.unused);
            let pairs = log_odds(&alone.model, &design).into_iter().zip(log_odds(&found.model, &design));
            pairs.for_each(|(left, right)| assert!((left - right).abs() < 1e-7, "{left} {right}"));
        }
        let (best, simple) = (best.path.unwrap(), simple.path.unwrap());
        assert_eq!(best.mean_losses, simple.mean_losses);
        assert!(simple.chosen < best.chosen, "{} {}", simple.chosen, best.chosen);
        let most = best.mean_losses[best.chosen] + best.standard_errors[best.chosen];
        assert!(simple.mean_losses[simple.chosen] <= most && simple.mean_losses[simple.chosen - 1] > most);
        assert!(simple.non_zero[simple.chosen] < best.non_zero[best.chosen]);
    }

    /// Not the same bits, because sums then run in another order; a dataset is put in order before.
    #[test]
    fn the_order_of_cases_plays_no_part_beyond_rounding() {
        let (design, outcomes, _) = drawn(600, 6, -1.0, 9);
        let order: Vec<usize> = (0..600).map(|row| row * 371 % 600).collect();
        let keys: Vec<u64> = (0..600).map(|row| row / 3).collect();
        let run = |order: &[usize]| {
            let take = |column: &Vec<f64>| order.iter().map(|&row| column[row]).collect();
            let design = Columns::new(design.0.iter().map(take).collect());
            let outcomes: Vec<bool> = order.iter().map(|&row| outcomes[row]).collect();
            let keys: Vec<u64> = order.iter().map(|&row| keys[row]).collect();
            let validation = Validation::of_one_date(&keys, 3, 5);
            let names = (0..6).map(|nth| format!("f{nth}")).collect();
            let cells = |column: &Vec<f64>| column.iter().map(|&value| Cell::Value(value as f32)).collect();
            let columns: Vec<Vec<Cell>> = design.0.iter().map(cells).collect();
            let matrix = FeatureMatrix::from_cells(names, 600, &columns).unwrap();
            let params = LogisticParams { tolerance: 1e-12, ..LogisticParams::default() };
            let params = params.l1_ratio(0.5).path(PathParams::default());
            let fit = params.fit_validated(
                &matrix,
                &[Scale::Linear; 6],
                &outcomes,
                None,
                Groups { validation: Some(&validation), ..Groups::default() },
                None,
            );
            let fit = fit.unwrap();
            (fit.model.log_odds(&matrix).unwrap(), fit.path.unwrap())
        };
        let (plain, report) = run(&(0..600).collect::<Vec<_>>());
        let (moved, again) = run(&order);
        assert_eq!(report.chosen, again.chosen);
        for (place, &row) in order.iter().enumerate() {
            assert!((moved[place] - plain[row]).abs() < 1e-9, "{} {}", moved[place], plain[row]);
        }
    }

    #[test]
    fn settings_that_cannot_be_are_refused() {
        let (design, outcomes, _) = drawn(120, 2, 0.0, 7);
        let with = |params: LogisticParams, outcomes: &[bool]| match fit(
            &params,
            (&design, outcomes),
            &validation(120, 1, 1),
        ) {
            Ok(_) => String::new(),
            Err(error) => error.to_string(),
        };
        let path = |path: PathParams| LogisticParams::default().path(path);
        assert_eq!(with(path(PathParams::default()), &outcomes), "");
        let both = LogisticParams { strength: Some(0.1), ..path(PathParams::default()) };
        assert!(with(both, &outcomes).contains("exclude each other"));
        assert!(
            with(path(PathParams { folds: 1, ..PathParams::default() }), &outcomes).contains("2 or more")
        );
        let none = PathParams { strengths: 1, ..PathParams::default() };
        assert!(with(path(none), &outcomes).contains("number of strengths"));
        let mut one = vec![false; 120];
        one[5] = true;
        assert!(with(path(PathParams::default()), &one).contains("would learn from one outcome only"));
    }

    #[test]
    fn a_path_is_written_only_where_there_is_one() {
        let plain = serde_json::to_string(&LogisticParams::default()).unwrap();
        assert!(!plain.contains("path"), "{plain}");
        let params = LogisticParams::default().path(PathParams::default());
        let written = serde_json::to_string(&params).unwrap();
        assert_eq!(serde_json::from_str::<LogisticParams>(&written).unwrap(), params);
        let short: LogisticParams =
            serde_json::from_str(r#"{"path":{"choice":"one_standard_error"}}"#).unwrap();
        assert_eq!(
            short.path.map(|path| (path.strengths, path.choice)),
            Some((100, PathChoice::OneStandardError))
        );
    }
}
