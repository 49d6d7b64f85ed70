//! How well a model did in its backtest, as a table.

use polars::prelude::DataFrame;

use super::model_page::AnyModel;
use super::table::{Column, Table, Value};
use crate::calendar::Day;
use crate::error::ReportError;
use crate::evaluate::{BacktestReport, Estimate, Figure, Performance};

/// Every figure of the model and of the simple rules, over all tests and date by date, as CSV: UTF-8 with a byte-order mark. The columns:
/// `tested_on` (empty over all tests together), `of` (`this model` or a rule), `measure`, `value` with its 95% interval (`low`, `high`),
/// and the `cases` that it rests on. Shares are from 0 to 1. Empty where there is no figure.
///
/// # Errors
/// [`ReportError::Render`] where the text cannot be made.
pub fn metrics_csv<'a>(model: impl Into<AnyModel<'a>>) -> Result<String, ReportError> {
    figures(model.into().backtest()).csv()
}

/// The same as a polars frame, with figures whole: see [`metrics_csv`] for its columns.
///
/// # Errors
/// [`ReportError::Render`] where the frame cannot be made.
pub fn metrics_frame<'a>(model: impl Into<AnyModel<'a>>) -> Result<DataFrame, ReportError> {
    figures(model.into().backtest()).frame()
}

/// A figure's name, the kind of number that it is, and what was found.
type Found = (&'static str, fn(f64) -> Value, Option<Estimate>);

fn found(performance: &Performance) -> Vec<Found> {
    let kind = |figure| match figure {
        Figure::Auc | Figure::AveragePrecision | Figure::LogLoss => Value::Number as fn(f64) -> Value,
        Figure::PrecisionAtCapacity | Figure::RecallAtCapacity => Value::Share,
    };
    let mut found: Vec<Found> = vec![("had the outcome", Value::Share, Some(performance.prevalence))];
    found.extend(Figure::ALL.map(|figure| (figure.words(), kind(figure), figure.of(performance))));
    found.push(("Brier score", Value::Number, Some(performance.brier)));
    let calibration = performance.calibration.as_ref();
    found.push(("calibration slope", Value::Number, calibration.map(|held| held.slope)));
    found.push(("calibration in the large", Value::Points, calibration.map(|held| held.intercept)));
    found
}

/// Over all tests together, the simple rules, and date by date.
pub(super) fn figures(report: &BacktestReport) -> Table {
    let mut table = Table::new([
        Column::date("tested_on"),
        Column::new("of"),
        Column::new("measure"),
        Column::number("value"),
        Column::number("low"),
        Column::number("high"),
        Column::whole("cases"),
    ]);
    table.columns.iter_mut().for_each(|column| column.decimals = 6);
    let mut add = |tested_on: Option<Day>, of: &str, performance: &Performance| {
        for (measure, kind, found) in found(performance) {
            let mut row = vec![Value::date(tested_on), Value::text(of), Value::text(measure)];
            row.extend(Value::estimate(found.as_ref(), kind));
            row.push(found.map_or(Value::Empty, |found| Value::Whole(found.n)));
            table.rows.push(row);
        }
    };
    add(None, "this model", &report.overall);
    for rule in &report.rules {
        add(None, rule.rule.words(), &rule.performance);
    }
    for split in &report.splits {
        add(Some(split.split.test.day()), "this model", &split.performance);
    }
    table
}
