//! A simulation as a table for a spreadsheet, and as a short text for a terminal.

use std::fmt::Write as _;

use super::rows::{ApartSheet, KnownRow, LengthRow, by_length, list_of, percent, state};
use super::{every, length, measured, period, place};
use crate::error::ReportError;
use crate::evaluate::Estimate;
use crate::project::{AtCapacity, ListResults, SimulatedDate, SimulatedList, Simulation};
use crate::report::table::{Table, Value};
use crate::words;

/// The columns.
const HEAD: [&str; 29] = [
    "as_of",
    "length",
    "cohort",
    "not_scored",
    "places",
    "new",
    "repeats",
    "returning",
    "known",
    "not_known",
    "known_cannot_tell",
    "right",
    "wrong",
    "cannot_tell",
    "precision",
    "precision_low",
    "precision_high",
    "recall",
    "recall_low",
    "recall_high",
    "shared_with_needs",
    "needs_right",
    "needs_wrong",
    "needs_cannot_tell",
    "needs_precision",
    "needs_recall",
    "in_training",
    "state",
    "changed_sources",
];

/// The lists as a table: a line of headings, one row a list and length, lists of the length asked for first. Shares are 0 to 1; a
/// cell is empty where there is nothing to tell, or it is withheld, which `state` says.
///
/// # Errors
/// [`ReportError::Render`] where it cannot be written.
pub fn simulation_csv(simulation: &Simulation) -> Result<String, ReportError> {
    lists_table(simulation).csv()
}

/// The lists, one row a list and length.
pub(in crate::report) fn lists_table(simulation: &Simulation) -> Table {
    let mut table = Table::named(HEAD);
    for column in &mut table.columns {
        column.bars =
            matches!(column.name.as_str(), "precision" | "recall" | "needs_precision" | "needs_recall");
    }
    let dates = || simulation.dates.iter();
    table.rows.extend(simulation.capacities.iter().flat_map(|at| dates().map(move |date| row(at, date))));
    table
}

fn row(at: &AtCapacity, date: &SimulatedDate) -> Vec<Value> {
    let list = list_of(at, date);
    let count = |of: fn(&SimulatedList) -> u64| list.map_or(Value::Empty, |list| Value::Whole(of(list)));
    let known = list.and_then(|list| list.known);
    let results = list.and_then(|list| list.results);
    let needs = list.and_then(|list| list.needs);
    let of = |results: Option<ListResults>, of: fn(&ListResults) -> u64| {
        results.map_or(Value::Empty, |results| Value::Whole(of(&results)))
    };
    let value = |share: Option<Estimate>| share.map_or(Value::Empty, |share| Value::Share(share.value));
    let with_interval = |share: Option<Estimate>| Value::estimate(share.as_ref(), Value::Share);
    let mut cells = vec![
        Value::Date(date.as_of.day()),
        Value::text(length(at.capacity)),
        Value::Whole(date.cohort),
        Value::Whole(date.not_scored),
        count(|list| list.places),
        count(|list| list.new),
        count(|list| list.repeats),
        count(|list| list.returning),
    ];
    cells.extend(match known {
        Some(known) => [known.yes, known.no, known.cannot_tell].map(Value::Whole),
        None => [Value::Empty, Value::Empty, Value::Empty],
    });
    cells.extend([
        of(results, |held| held.right),
        of(results, |held| held.wrong),
        of(results, |held| held.cannot_tell),
    ]);
    cells.extend(with_interval(results.and_then(|held| held.precision)));
    cells.extend(with_interval(results.and_then(|held| held.recall)));
    cells.extend([
        count(|list| list.shared_with_needs),
        of(needs, |held| held.right),
        of(needs, |held| held.wrong),
        of(needs, |held| held.cannot_tell),
        value(needs.and_then(|held| held.precision)),
        value(needs.and_then(|held| held.recall)),
        Value::text(if date.in_training { "yes" } else { "no" }),
        Value::text(date.no_list.as_ref().map_or_else(|| state(date, list), |why| format!("no list: {why}"))),
        Value::text(date.changed_sources.join("; ")),
    ]);
    cells
}

/// The simulation in some thirty lines: what to trust, the lists, the work, and the count of needs.
#[must_use]
pub fn simulation_text(simulation: &Simulation) -> String {
    let mut text = format!(
        "Lists of {}, {}: {}, each for {}; model {}\n\n",
        period(simulation),
        every(simulation.params.every),
        simulation.capacities.first().map_or_else(String::new, |main| length(main.capacity)),
        place(simulation.one_per),
        simulation.candidate.get(..12).unwrap_or(&simulation.candidate)
    );
    for said in &simulation.says {
        let _ = writeln!(text, "- {said}");
    }
    let _ = writeln!(
        text,
        "\n{:<10} {:>6} {:>5} {:>7} {:>9} {:>6} {:>6} {:>6} {:>11}  state",
        "list", "places", "new", "repeats", "returning", "known", "right", "wrong", "needs right"
    );
    if let Some(main) = simulation.capacities.first() {
        for date in &simulation.dates {
            let _ = writeln!(text, "{}", line(date, list_of(main, date)));
        }
    }
    work(&mut text, simulation);
    if let Some(apart) = ApartSheet::of(simulation) {
        let _ = writeln!(text, "\nBeside the count of needs. {}", apart.says);
        for row in apart.rows {
            let _ = writeln!(
                text,
                "  {:<27} {:>6} places; right: {} of {}, {}",
                row.name, row.places, row.right, row.known, row.share
            );
        }
    }
    let known = KnownRow::all(simulation);
    if !known.is_empty() {
        let _ = writeln!(text, "\nAmong those nobody was working with:");
        for row in known {
            let _ = writeln!(
                text,
                "  {:<29} right: {}; of those with the outcome they hold: {}",
                row.name, row.precision, row.recall
            );
        }
    }
    text
}

fn line(date: &SimulatedDate, list: Option<&SimulatedList>) -> String {
    let Some(list) = list else {
        let why = date.no_list.as_deref().unwrap_or_default();
        return format!("{} no list: {why}", date.as_of);
    };
    let dash = || "-".to_owned();
    let right = list.results.map_or_else(dash, |held| words::count(held.right));
    let wrong = list.results.map_or_else(dash, |held| words::count(held.wrong));
    format!(
        "{:<10} {:>6} {:>5} {:>7} {:>9} {:>6} {:>6} {:>6} {:>11}  {}",
        date.as_of.to_string(),
        list.places,
        list.new,
        list.repeats,
        list.returning,
        list.known.map_or_else(dash, |known| words::count(known.yes)),
        right,
        wrong,
        list.needs.map_or_else(dash, |held| words::count(held.right)),
        state(date, Some(list))
    )
}

/// Work and findings at each length.
fn work(text: &mut String, simulation: &Simulation) {
    let _ = writeln!(text, "\nWork, and what lists find (of {}):", measured(simulation.measured_on));
    let _ = writeln!(
        text,
        "  {:<24} {:>9} {:>9} {:>9} {:>11}  {:<24} {:<24} right by needs",
        "length", "a list", "new", "families", "last year", "right", "found"
    );
    for (row, (_, at)) in LengthRow::all(simulation).into_iter().zip(by_length(simulation)) {
        let _ = writeln!(
            text,
            "  {:<24} {:>9} {:>9} {:>9} {:>11}  {:<24} {:<24} {}",
            row.length,
            row.a_list,
            row.new,
            row.families,
            row.in_year,
            row.precision,
            row.recall,
            percent(at.needs.results.as_ref().and_then(|held| held.precision.as_ref()))
        );
    }
}
