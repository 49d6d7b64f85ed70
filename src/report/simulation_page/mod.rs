//! A simulation in every form: a page, a table, data, and a short text.

mod chart;
mod plain;
mod rows;

use askama::Template;

use self::chart::Chart;
use self::rows::{ApartSheet, KnownRow, LengthRow, ListRow};
use super::groups_sheet::Fairness;
use super::{labels, words};
use crate::calendar::Horizon;
use crate::error::ReportError;
use crate::evaluate::Capacity;
use crate::outputs::json_text;
use crate::project::{MeasuredOn, Simulation};
use crate::scoring::OnePer;

#[cfg(feature = "excel")]
pub(super) use plain::lists_table;
pub use plain::{simulation_csv, simulation_text};

/// A simulation as one HTML page, complete in itself: no script, nothing loaded from elsewhere, readable on paper.
///
/// It says first how far the figures can be trusted, and then shows the lists date by date, how much work they are at several
/// lengths, how they differ from the count of needs, and how they treat protected groups. Nobody's id is on it.
///
/// # Errors
/// [`ReportError::Render`] where the page cannot be made.
///
/// # Examples
/// ```
/// use earlyhelp::project::Simulation;
/// use earlyhelp::report::{simulation_csv, simulation_html, simulation_json};
///
/// fn write(simulation: &Simulation, folder: &std::path::Path) -> Result<(), Box<dyn std::error::Error>> {
///     std::fs::write(folder.join("simulation.html"), simulation_html(simulation)?)?;
///     std::fs::write(folder.join("simulation.csv"), simulation_csv(simulation)?)?;
///     std::fs::write(folder.join("simulation.json"), simulation_json(simulation)?)?;
///     Ok(())
/// }
/// ```
pub fn simulation_html(simulation: &Simulation) -> Result<String, ReportError> {
    let mut page = Page::of(simulation).render().map_err(|error| ReportError::Render(error.to_string()))?;
    page.push('\n');
    Ok(page)
}

/// The same as JSON, digit for digit.
///
/// # Errors
/// [`ReportError::Render`] where it cannot be written.
pub fn simulation_json(simulation: &Simulation) -> Result<String, ReportError> {
    json_text(simulation).map_err(|error| ReportError::Render(error.to_string()))
}

#[derive(Template)]
#[template(path = "simulation.html", config = "src/report/askama.toml")]
struct Page<'a> {
    held: &'a Simulation,
    model: &'a str,
    period: String,
    every: String,
    length: String,
    place: &'static str,
    trained_on: String,
    ends: String,
    is_flattering: bool,
    has_known: bool,
    alerts: Chart,
    results: Option<Chart>,
    lists: Vec<ListRow<'a>>,
    lengths: Vec<LengthRow>,
    measured: &'static str,
    backtest: String,
    apart: Option<ApartSheet>,
    known: Vec<KnownRow>,
    /// By protected group.
    fairness: Option<Fairness>,
}

impl<'a> Page<'a> {
    fn of(held: &'a Simulation) -> Self {
        let main = held.capacities.first();
        Self {
            model: held.candidate.get(..12).unwrap_or(&held.candidate),
            period: period(held),
            every: every(held.params.every),
            length: main.map_or_else(String::new, |main| length(main.capacity)),
            place: place(held.one_per),
            trained_on: labels::dates(held.trained_on.iter().copied()),
            ends: words::date(held.training_ends),
            is_flattering: held.measured_on == MeasuredOn::InTraining,
            has_known: main.is_some_and(|main| main.lists.iter().any(|list| list.known.is_some())),
            alerts: Chart::of_alerts(held),
            results: Chart::of_results(held),
            lists: ListRow::all(held),
            lengths: LengthRow::all(held),
            measured: measured(held.measured_on),
            backtest: main
                .and_then(|main| {
                    Some(main.backtest.as_ref()?.words(main.workload.places_a_list.round() as usize))
                })
                .unwrap_or_default(),
            apart: ApartSheet::of(held),
            known: KnownRow::all(held),
            fairness: held.groups.as_ref().map(Fairness::of),
            held,
        }
    }
}

/// From which date to which.
fn period(held: &Simulation) -> String {
    let lists: Vec<_> = held.dates.iter().map(|date| words::date(date.as_of.day())).collect();
    match lists.as_slice() {
        [] => String::new(),
        [only] => only.clone(),
        [first, .., last] => format!("{first} to {last}"),
    }
}

/// How often there is a list.
fn every(every: Horizon) -> String {
    match every {
        Horizon::Months(1) => "every month".to_owned(),
        Horizon::Months(months) => format!("every {months} months"),
        Horizon::Days(1) => "every day".to_owned(),
        Horizon::Days(days) => format!("every {days} days"),
    }
}

/// How long lists are.
fn length(capacity: Capacity) -> String {
    match capacity {
        Capacity::Cases(places) => words::counted(places as usize, "place", "places"),
        Capacity::Share(_) => labels::capacity(capacity),
    }
}

/// Whom a place is for.
fn place(one_per: OnePer) -> &'static str {
    match one_per {
        OnePer::Household => "one household",
        OnePer::Case => "one case",
    }
}

/// The lists that figures over several are of.
fn measured(on: MeasuredOn) -> &'static str {
    match on {
        MeasuredOn::AfterTraining => {
            "lists of which it is known what followed and which were not seen in training"
        }
        MeasuredOn::InTraining => {
            "lists of which it is known what followed, all of them seen in training: flattering"
        }
        MeasuredOn::Nothing => "no list: it is not known yet what followed",
    }
}
