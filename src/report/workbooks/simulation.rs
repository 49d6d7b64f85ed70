//! A simulation as a workbook.

use super::super::simulation_page::lists_table;
use super::super::words;
use super::super::workbook::{Head, Note, Sheet, workbook};
use crate::error::ReportError;
use crate::project::Simulation;

/// A simulation as an Excel workbook: how far to trust it, in the words of the page, and a row for each list at each length, as in
/// [`simulation_csv`](crate::report::simulation_csv). It names nobody. Its day of creation is that of the last list.
///
/// # Errors
/// [`ReportError::Render`] where the workbook cannot be made.
pub fn simulation_xlsx(simulation: &Simulation) -> Result<Vec<u8>, ReportError> {
    let title = format!("Simulation: {}", simulation.project);
    let mut notes = vec![Note::Title(title.clone())];
    notes.extend(simulation.says.iter().map(|said| Note::Line(said.clone())));
    notes.extend([
        Note::fact("Purpose", &simulation.purpose),
        Note::fact("What is foreseen", &simulation.outcome),
        Note::fact("Model", &simulation.model),
        Note::fact("Smallest number told", words::counted(simulation.minimum as usize, "place", "places")),
    ]);
    let made = simulation.dates.last().map_or(simulation.training_ends, |date| date.as_of.day());
    let sheet = Sheet { name: "Lists".to_owned(), table: lists_table(simulation) };
    workbook(&Head { title: &title, made, printed: "" }, &notes, &[sheet])
}
