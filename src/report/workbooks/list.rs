//! The list as a workbook.

use super::super::about::{About, Fact};
use super::super::list_tables::list_tables;
use super::super::since::Changes;
use super::super::workbook::{Head, Note, Sheet, workbook};
use crate::error::ReportError;
use crate::review::ReviewList;

/// The list as an Excel workbook. Its first sheet says what may be done with it, and until when, in the words of the page; then
/// come a row for each place, each reason, each record behind one, each case beside another, each value that is not known, each
/// case that was not scored, what changed since the list before, and the sources. A sheet of which there is nothing is left out.
///
/// Numbers are those of [`list_json`](crate::report::list_json), whole; Excel shows some of their digits. Shares are from 0 to 1, and shown in
/// percent; points are log-odds. Text is text, never a formula; signs that are not seen are written out (`\u{1b}`), and a text
/// beyond the 32,767 characters of a cell is cut, and says so. The file's day of creation is the day of the request: the same
/// list gives the same bytes.
///
/// # Errors
/// [`ReportError::Render`] where the workbook cannot be made.
///
/// # Examples
/// ```
/// use earlyhelp::report::list_xlsx;
/// use earlyhelp::review::ReviewList;
///
/// fn write(list: &ReviewList, folder: &std::path::Path) -> Result<(), Box<dyn std::error::Error>> {
///     std::fs::write(folder.join("list.xlsx"), list_xlsx(list, "Early help, March")?)?;
///     Ok(())
/// }
/// ```
pub fn list_xlsx(list: &ReviewList, title: &str) -> Result<Vec<u8>, ReportError> {
    let witness = list.witness().map(ToString::to_string).unwrap_or_default();
    let about = About::of(list, &witness);
    let sheets: Vec<Sheet> =
        list_tables(list).into_iter().map(|(name, table)| Sheet { name, table }).collect();
    let until =
        about.facts.iter().find(|fact| fact.ends).map(|fact| format!("{} {}. ", fact.label, fact.text));
    let printed = format!("{}Run {}", until.unwrap_or_default(), list.provenance().run_id);
    let head = Head { title, made: list.provenance().requested_on, printed: &printed };
    workbook(&head, &notes(list, title, about), &sheets)
}

fn notes(list: &ReviewList, title: &str, about: About<'_>) -> Vec<Note> {
    let says = list.provenance();
    // A digest has a cell to itself, to be copied from.
    let fact = |fact: Fact<'_>| {
        let parts = [fact.text.as_str(), fact.code].into_iter().filter(|part| !part.is_empty());
        let labels = [fact.label].into_iter().chain(std::iter::repeat(""));
        labels.zip(parts).map(|(label, part)| Note::fact(label, part)).collect::<Vec<_>>()
    };
    let line = |text: &str| Note::Line(text.to_owned());
    let mut notes = vec![Note::Title(title.to_owned())];
    notes.extend(about.facts.into_iter().flat_map(fact));
    notes.extend([Note::Heading(about.heading.to_owned()), Note::Line(about.lead.join(" "))]);
    notes.push(Note::Heading(about.do_heading.to_owned()));
    notes.extend(about.steps.iter().map(|(first, rest)| Note::Line(format!("{first}{rest}"))));
    notes.push(Note::Heading(about.unseen_heading.to_owned()));
    notes.extend(about.cannot_see.iter().map(|text| line(text)));
    notes.extend(about.notes.into_iter().map(|(what, text)| Note::fact(what, text)));
    notes.push(Note::Heading("How to read the figures".to_owned()));
    if !says.outcome_measures.is_empty() {
        notes.push(Note::fact("What the outcome measures", &says.outcome_measures));
    }
    notes.push(Note::fact("Rates", format!("{} {}", list.tested_in_words(), about.rate_note).trim()));
    notes.push(Note::fact("Points", about.points_note));
    if let Some(since) = list.changes().map(Changes::of) {
        let says = format!("{} new, {} stayed. Cases drawn at random are neither.", since.new, since.stayed);
        notes.push(Note::fact(format!("Since the list of {}", since.as_of), says));
    }
    if !about.unscored.is_empty() {
        notes.push(Note::fact("Not scored", about.unscored));
    }
    notes.push(Note::Heading("What is needed to make these scores again".to_owned()));
    notes.extend(about.record.into_iter().flat_map(fact));
    notes
}
