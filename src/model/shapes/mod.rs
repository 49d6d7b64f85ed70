//! A model's terms as tables: what each adds to the score, where, for how many people, how surely.

mod writing;

use serde::Serialize;

use self::writing::{Writing, decimals};
use super::candidate::{Candidate, FeatureRange};
use super::form::{AdditiveModel, Axis, Scale, Shape, Term};
use super::refits::Refits;
use super::scorecard::{CardLine, Condition, Worded};
use super::trainer::Trainer;
use crate::features::{Cell, Feature};

/// A term of a model as a table that people can read, made from the model's own figures.
///
/// # Examples
/// ```
/// use earlyhelp::model::{Candidate, ShapeTable};
///
/// fn print(candidate: &Candidate) {
///     for table in candidate.tables() {
///         println!("{}", table.labels.join(" and "));
///         if let ShapeTable::Steps { rows } | ShapeTable::Line { rows, .. } = &table.shape {
///             for row in rows {
///                 println!("  {:<20} {:+.2}", row.label, row.contribution);
///             }
///         }
///     }
/// }
/// ```
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct TermTable {
    /// The term's feature, or the two of a pair, by name.
    pub on: Vec<String>,
    /// The same in plain words.
    pub labels: Vec<String>,
    /// The units of their values.
    pub units: Vec<String>,
    /// The mean of the term's contributions without their signs, in log-odds, over the training cases.
    pub importance: f64,
    /// How the shares of people in the table were found.
    pub shares: Shares,
    /// The table.
    pub shape: ShapeTable,
}

/// How shares of training cases were found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Shares {
    /// Cases were counted step by step, to the nearest five.
    Counted,
    /// From the tenths of the feature's values: right to within a tenth. Those of missing and not covered
    /// were counted.
    FromTenths,
}

/// The figures of a term.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ShapeTable {
    /// A row for each step, from the lowest values up, then *missing* and *not covered*.
    Steps {
        /// The steps.
        rows: Vec<ShapeRow>,
    },
    /// A row for each value that marks a tenth of the people (0.1%, 10%, 20% ... 90%, 99.9%; equal ones
    /// once), then *missing* and *not covered*.
    Line {
        /// On which scale the line is straight.
        scale: Scale,
        /// The rows.
        rows: Vec<ShapeRow>,
        /// The line itself, close enough to draw it, from the lowest row to the highest.
        curve: Vec<CurvePoint>,
    },
    /// A cell for each pair of steps.
    Grid {
        /// The first feature's steps, with *missing* and *not covered* at the end.
        first: Vec<GridSide>,
        /// The second feature's.
        second: Vec<GridSide>,
        /// For each of the first's steps a cell for each of the second's.
        cells: Vec<Vec<GridCell>>,
    },
}

/// Where on a feature a figure holds.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Place {
    /// Values from here, that included, up to below there; `None` where there is no end.
    Between {
        /// The lower end.
        from: Option<f64>,
        /// The upper end.
        below: Option<f64>,
    },
    /// This value.
    At(f64),
    /// No value.
    Missing,
    /// The source does not cover the case.
    NotCovered,
}

/// What a term adds at one place.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct ShapeRow {
    /// Where.
    pub at: Place,
    /// The same in words: `0`, `1 to 2`, `3 or more`, `missing`, `not covered`.
    pub label: String,
    /// What is added to the score there, in log-odds.
    pub contribution: f64,
    /// Half the width of its 95% interval over the refits, in log-odds; `None` for a model without refits.
    pub reach: Option<f64>,
    /// The share of training cases there, 0 to 1 (of a line's row: above the row before, up to here; of its
    /// last row also all above); `None` where they are fewer than ten, or not known.
    pub share: Option<f64>,
    /// Whether training told what this place means. If not, it counts as an average case, which is not
    /// the same as safe.
    pub learnt: bool,
}

/// A point on a line.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[non_exhaustive]
pub struct CurvePoint {
    /// The value.
    pub value: f64,
    /// What is added to the score there, in log-odds.
    pub contribution: f64,
    /// Half the width of its 95% interval, in log-odds; `None` for a model without refits.
    pub reach: Option<f64>,
}

/// A step of one of a pair's features.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct GridSide {
    /// Where.
    pub at: Place,
    /// The same in words.
    pub label: String,
}

/// What a pair adds in one cell of its grid.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[non_exhaustive]
pub struct GridCell {
    /// What is added to the score, in log-odds, beyond what the two features add by themselves.
    pub contribution: f64,
    /// Half the width of its 95% interval, in log-odds; `None` for a model without refits.
    pub reach: Option<f64>,
    /// The share of training cases there, 0 to 1; `None` where they are fewer than ten.
    pub share: Option<f64>,
}

/// Fewer cases than this are not told: their number could point at a person.
const FEWEST_SHOWN: f64 = 10.0;

/// Points of a line's curve, less one: enough for a smooth logarithm on paper.
const CURVE: usize = 32;

impl Candidate {
    /// The model's terms as tables, in the order of [`AdditiveModel::terms`].
    #[must_use]
    pub fn tables(&self) -> Vec<TermTable> {
        (0..self.model().terms().len()).map(|nth| Sheet { candidate: self, nth }.table()).collect()
    }

    /// A scorecard's best card as plain text, with codes by their names; `None` for a model of another trainer. At most 78
    /// characters wide.
    #[must_use]
    pub fn card_text(&self) -> Option<String> {
        let words = |line: &CardLine| match line.condition {
            Condition::Is(_) => self.condition_in_words(&line.feature, line.condition),
            condition => condition.to_string(),
        };
        let card = self.training().cards.first()?;
        Some(Worded { card, words: &words }.to_string())
    }

    /// A card's question of a feature in words: `3 or more`, `yes`, `missing`.
    pub(crate) fn condition_in_words(&self, feature: &str, condition: Condition) -> String {
        if let Condition::Is(code) = condition
            && let writing @ Writing::Codes(_) = self.writing(feature)
        {
            return writing.value(f64::from(code), 0);
        }
        let (Condition::AtLeast(cut) | Condition::Below(cut)) = condition else {
            return condition.to_string();
        };
        let Ok(axis) = Axis::new(vec![cut]) else { return condition.to_string() };
        let bin = usize::from(condition == Condition::AtLeast(cut));
        self.writing(feature).sides(&axis).swap_remove(bin).label
    }

    /// What the candidate says of a feature, and where its values lay.
    fn described(&self, name: &str) -> Option<(&Feature, &FeatureRange)> {
        let feature = self.features().features().iter().find(|feature| feature.name == name)?;
        let range = self.training().ranges.iter().find(|range| range.feature == name)?;
        Some((feature, range))
    }

    /// How a feature's values are written.
    fn writing(&self, name: &str) -> Writing<'_> {
        let is_code = matches!(self.trainer(), Trainer::Additive(params) if params.categories.iter().any(|c| c == name));
        match self.described(name) {
            Some((feature, _)) if feature.unit == "yes or no" => Writing::YesOrNo,
            Some((feature, _)) => Writing::of(&feature.measure, is_code),
            None => Writing::Decimals,
        }
    }
}

/// One term with what is needed to tabulate it.
#[derive(Clone, Copy)]
struct Sheet<'c> {
    candidate: &'c Candidate,
    nth: usize,
}

impl Sheet<'_> {
    fn model(&self) -> &AdditiveModel {
        self.candidate.model()
    }

    fn term(&self) -> &Term {
        &self.model().terms()[self.nth]
    }

    fn table(&self) -> TermTable {
        let term = self.term();
        let of = |say: &dyn Fn(&Feature) -> String| {
            let said = |name: &String| self.candidate.described(name).map(|(feature, _)| say(feature));
            term.on.iter().map(|name| said(name).unwrap_or_else(|| name.clone())).collect()
        };
        let importance = self.candidate.training().importance.get(self.nth).copied();
        let is_counted = !term.cases.is_empty();
        TermTable {
            on: term.on.clone(),
            labels: of(&|feature| feature.label.clone()),
            units: of(&|feature| feature.unit.clone()),
            importance: importance.unwrap_or_default(),
            shares: if is_counted { Shares::Counted } else { Shares::FromTenths },
            shape: match &term.shape {
                Shape::Steps { axis, values } => ShapeTable::Steps { rows: self.steps(axis, values) },
                Shape::Line { scale, centre, .. } => self.line(*scale, *centre),
                Shape::Grid { first, second, values } => self.grid(first, second, values),
            },
        }
    }

    fn steps(&self, axis: &Axis, values: &[f64]) -> Vec<ShapeRow> {
        let counted = &self.term().cases;
        let tenths = Tenths::of(self.range());
        let writing = self.candidate.writing(&self.term().on[0]);
        let (sides, is_coded) = (writing.sides(axis), matches!(writing, Writing::Codes(_)));
        let row = |(bin, side): (usize, GridSide)| {
            let share = match (side.at, counted.get(bin)) {
                (Place::Between { .. }, Some(&cases)) => self.share(cases),
                (Place::Between { from, below }, None) => tenths.between(from, below),
                (at, _) => self.absent(at),
            };
            let is_blind = match side.at {
                // Steps of numbers are held by their neighbours; a code has none.
                Place::Between { .. } => is_coded && counted.get(bin) == Some(&0),
                _ => self.term().is_blind_to(side.at.cell()),
            };
            ShapeRow {
                learnt: !is_blind,
                at: side.at,
                label: side.label,
                contribution: values[bin],
                reach: self.reach_of(bin),
                share,
            }
        };
        sides.into_iter().enumerate().map(row).collect()
    }

    fn line(&self, scale: Scale, centre: f64) -> ShapeTable {
        let writing = self.candidate.writing(&self.term().on[0]);
        let tenths = Tenths::of(self.range());
        let values = match (writing, tenths.distinct()) {
            (Writing::YesOrNo, _) => vec![0.0, 1.0],
            // Too few values for their tenths to be known: the middle alone.
            (_, values) if values.is_empty() => vec![unscaled(scale, centre)],
            (_, values) => values,
        };
        let decimals = decimals(&values);
        let at = |at: Place, label: String, share: Option<f64>| {
            let cell = at.cell();
            ShapeRow {
                at,
                label,
                contribution: self.contribution(cell),
                reach: self.reach_at(cell),
                share,
                learnt: !self.term().is_blind_to(cell),
            }
        };
        let mut rows: Vec<ShapeRow> = values
            .iter()
            .enumerate()
            .map(|(nth, &value)| {
                at(Place::At(value), writing.value(value, decimals), tenths.up_to(nth, &values))
            })
            .collect();
        for (place, label) in [(Place::Missing, "missing"), (Place::NotCovered, "not covered")] {
            rows.push(at(place, label.to_owned(), self.absent(place)));
        }
        let ends = values.first().copied().zip(values.last().copied()).unwrap_or_default();
        let (low, high) = (scale.apply(ends.0), scale.apply(ends.1));
        let point = |nth: usize| {
            let value = match nth {
                0 => ends.0,
                CURVE => ends.1,
                _ => unscaled(scale, low + (high - low) * nth as f64 / CURVE as f64),
            };
            let cell = Cell::Value(value as f32);
            CurvePoint { value, contribution: self.contribution(cell), reach: self.reach_at(cell) }
        };
        let points = if low < high { CURVE } else { 0 };
        ShapeTable::Line { scale, rows, curve: (0..=points).map(point).collect() }
    }

    fn grid(&self, first: &Axis, second: &Axis, values: &[f64]) -> ShapeTable {
        let on = &self.term().on;
        let cell = |(figure, &contribution): (usize, &f64)| GridCell {
            contribution,
            reach: self.reach_of(figure),
            share: self.term().cases.get(figure).and_then(|&cases| self.share(cases)),
        };
        let cells: Vec<GridCell> = values.iter().enumerate().map(cell).collect();
        ShapeTable::Grid {
            first: self.candidate.writing(&on[0]).sides(first),
            second: self.candidate.writing(&on[1]).sides(second),
            cells: cells.chunks(second.bins()).map(<[GridCell]>::to_vec).collect(),
        }
    }

    fn range(&self) -> Option<&FeatureRange> {
        self.candidate.described(&self.term().on[0]).map(|(_, range)| range)
    }

    fn contribution(&self, cell: Cell) -> f64 {
        self.term().shape.contribution(cell.into(), cell.into())
    }

    /// Half the interval of a figure of the term.
    fn reach_of(&self, figure: usize) -> Option<f64> {
        let refits = self.model().refits()?;
        Some(Refits::reach((0..refits.len()).map(|refit| refits.figure(self.nth, refit, figure))))
    }

    /// Half the interval of what the term adds for a cell.
    fn reach_at(&self, cell: Cell) -> Option<f64> {
        let refits = self.model().refits()?;
        let made_of = self.term().shape.made_of(cell.into(), cell.into());
        let away = |refit| {
            made_of.iter().map(|&(figure, factor)| factor * refits.figure(self.nth, refit, figure)).sum()
        };
        Some(Refits::reach((0..refits.len()).map(away)))
    }

    /// The share that a count of cases is.
    fn share(&self, cases: u64) -> Option<f64> {
        (cases > 0).then(|| cases as f64 / self.candidate.training().rows as f64)
    }

    /// The share of cases without a value, for the reason that the place says.
    fn absent(&self, at: Place) -> Option<f64> {
        let range = self.range()?;
        let share = if at == Place::Missing { range.missing } else { range.not_covered };
        (share == 0.0 || (share * self.candidate.training().rows as f64).round() >= FEWEST_SHOWN)
            .then_some(share)
    }
}

impl Place {
    /// A cell that lies here.
    fn cell(self) -> Cell {
        match self {
            Self::Missing => Cell::Missing,
            Self::NotCovered => Cell::NotCovered,
            Self::At(value) => Cell::Value(value as f32),
            Self::Between { from, below } => Cell::Value(from.or(below).unwrap_or_default() as f32),
        }
    }
}

/// What is known of how values are spread, from their tenths.
struct Tenths<'r> {
    range: Option<&'r FeatureRange>,
}

/// The shares that the quantiles of a [`FeatureRange`] mark.
const MARKED: [f64; 11] = [0.001, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.999];

impl<'r> Tenths<'r> {
    fn of(range: Option<&'r FeatureRange>) -> Self {
        Self { range: range.filter(|range| range.quantiles.len() == MARKED.len()) }
    }

    /// The different ones among the quantiles.
    fn distinct(&self) -> Vec<f64> {
        let mut values = self.range.map_or(&[][..], |range| &range.quantiles).to_vec();
        values.dedup();
        values
    }

    /// The share of cases from one value up to below another; `None` where the tenths are not known.
    fn between(&self, from: Option<f64>, below: Option<f64>) -> Option<f64> {
        let range = self.range?;
        let under = |edge: f64| share_under(&range.quantiles, |value| value < edge, edge);
        let share = below.map_or(1.0, under) - from.map_or(0.0, under);
        Some(share.max(0.0) * (1.0 - range.missing - range.not_covered))
    }

    /// The share of cases above the value before and up to this one; of the last value, all above the one
    /// before.
    fn up_to(&self, nth: usize, values: &[f64]) -> Option<f64> {
        let range = self.range?;
        let up_to = |value: f64| share_under(&range.quantiles, |held| held <= value, value);
        let high = if nth + 1 == values.len() { 1.0 } else { up_to(values[nth]) };
        let low = nth.checked_sub(1).map_or(0.0, |before| up_to(values[before]));
        Some((high - low).max(0.0) * (1.0 - range.missing - range.not_covered))
    }
}

/// The share of values that are under `edge` as `is_under` says, straight between the quantiles on both sides.
fn share_under(quantiles: &[f64], is_under: impl Fn(f64) -> bool, edge: f64) -> f64 {
    let count = quantiles.iter().filter(|value| is_under(**value)).count();
    match count.checked_sub(1) {
        None => 0.0,
        Some(last) if last + 1 == quantiles.len() => 1.0,
        Some(last) => {
            let (low, high) = (quantiles[last], quantiles[last + 1]);
            let along = if high > low { (edge - low) / (high - low) } else { 0.0 };
            MARKED[last] + along.clamp(0.0, 1.0) * (MARKED[last + 1] - MARKED[last])
        }
    }
}

/// The value that a scale takes there.
fn unscaled(scale: Scale, scaled: f64) -> f64 {
    match scale {
        Scale::Linear => scaled,
        Scale::Log => scaled.abs().exp_m1().copysign(scaled),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tenths_share_out_every_case_that_has_a_value() {
        let mut quantiles = vec![0.0; 9];
        quantiles.extend([1.0, 4.0]);
        let range = FeatureRange { feature: "f".into(), quantiles, missing: 0.15, not_covered: 0.05 };
        let tenths = Tenths::of(Some(&range));
        let values = tenths.distinct();
        assert_eq!(values, [0.0, 1.0, 4.0]);
        let shares: Vec<f64> = (0..3).map(|nth| tenths.up_to(nth, &values).unwrap() / 0.8).collect();
        for (share, right) in shares.iter().zip([0.8, 0.1, 0.1]) {
            assert!((share - right).abs() < 1e-12, "{shares:?}");
        }
        // Half way from the mark of 80% to that of 90%, and a half on to the highest.
        let steps = [(None, Some(0.5)), (Some(0.5), Some(2.5)), (Some(2.5), None)];
        let shares: Vec<f64> =
            steps.iter().map(|&(from, below)| tenths.between(from, below).unwrap() / 0.8).collect();
        for (share, right) in shares.iter().zip([0.85, 0.0995, 0.0505]) {
            assert!((share - right).abs() < 1e-12, "{shares:?}");
        }
        let few = FeatureRange { quantiles: vec![], ..range };
        assert_eq!(Tenths::of(Some(&few)).up_to(0, &[0.0]), None);
    }
}
