//! The list as a workbook.

use super::super::about::{About, Fact};
use super::super::list_page::{
    AbsentItem, chance_in_words, effect, mark_in_words, records_say, stability_in_words,
};
use super::super::plain::list_table;
use super::super::since::{Changed, Changes, Gone, decided_in_words};
use super::super::table::{Column, Table, Value};
use super::super::words;
use super::super::workbook::{Head, Note, Sheet, workbook};
use crate::error::ReportError;
use crate::features::{Cell, Scope};
use crate::records::RecordReference;
use crate::review::{ListedCase, ReviewList};
use crate::scoring::{Contribution, RankedCase};

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
    let since = list.changes().map(|since| {
        let since = Changes::of(since);
        (format!("Since {}", since.as_of), since_table(list, &since))
    });
    let sheets = [
        ("List".to_owned(), list_table(list)),
        ("Cases".to_owned(), cases(list)),
        ("Reasons".to_owned(), reasons(list)),
        ("Records".to_owned(), records(list)),
        ("Beside".to_owned(), beside(list)),
        ("Not known".to_owned(), absences(list)),
    ];
    let behind = [("Not scored".to_owned(), not_scored(list)), ("Sources".to_owned(), sources(list))];
    let sheets: Vec<Sheet> =
        sheets.into_iter().chain(since).chain(behind).map(|(name, table)| Sheet { name, table }).collect();
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

/// Each case on the list: those that have a place, and those beside them.
fn each_case(list: &ReviewList) -> impl Iterator<Item = (usize, &ListedCase, &RankedCase)> {
    list.entries().iter().enumerate().flat_map(|(nth, entry)| {
        [entry.case()].into_iter().chain(entry.beside()).map(move |case| (nth + 1, entry, case))
    })
}

/// What the page says of a case above its reasons. The score is no column: whoever has one can cut at it.
fn cases(list: &ReviewList) -> Table {
    let mut table = Table::named([
        "place",
        "entity",
        "drawn",
        "rank",
        "of",
        "band",
        "band_rests_on_cases",
        "rate_of_all_cases",
        "known_already",
        "chance_of_the_outcome",
        "how_sure_the_ranking_is",
    ]);
    for (nth, entry) in list.entries().iter().enumerate() {
        let case = entry.case();
        let known: Vec<String> = case.known_to().iter().filter_map(mark_in_words).collect();
        table.rows.push(vec![
            Value::Whole(nth as u64 + 1),
            Value::text(case.entity()),
            Value::text(entry.why_listed().words()),
            Value::whole(case.rank()),
            Value::whole(case.of()),
            Value::text(&case.band().name),
            Value::Whole(case.band().observed.n),
            Value::Share(case.band().average.value),
            Value::text(known.join("; ")),
            // In words, as on the page: a chance is there to be read with its interval, and not to be sorted by.
            Value::text(case.chance().map(chance_in_words).unwrap_or_default()),
            Value::text(case.stability().map(stability_in_words).unwrap_or_default()),
        ]);
    }
    table
}

fn reasons(list: &ReviewList) -> Table {
    let is_pair = |case: &RankedCase| case.contributions().iter().any(|part| part.features.len() > 1);
    let pairs = each_case(list).any(|(_, _, case)| is_pair(case));
    let mut table = Table::new(["place", "entity", "reason"].map(Column::new));
    table.columns.push(Column::new("points").bars());
    table.columns.extend(
        ["points_low", "points_high", "effect", "says", "how_usual", "whose_records", "help_seeking"]
            .map(Column::new),
    );
    table.columns.extend(
        ["records", "records_say", "records_without_value", "feature", "value", "unit", "stands_for"]
            .map(Column::new),
    );
    if pairs {
        table.columns.extend(["and_feature", "and_value", "and_unit", "and_stands_for"].map(Column::new));
    }
    for (place, _, case) in each_case(list) {
        for part in case.contributions() {
            let mut row = vec![Value::Whole(place as u64), Value::text(case.entity())];
            row.extend(reason(part));
            for nth in 0..=usize::from(pairs) {
                let text = |of: &[String]| Value::text(of.get(nth).cloned().unwrap_or_default());
                let value = part.values.get(nth).map_or(Value::Empty, |&cell| Value::cell(cell));
                row.extend([text(&part.features), value, text(&part.units), text(&part.codes)]);
            }
            table.rows.push(row);
        }
    }
    table
}

fn reason(part: &Contribution) -> [Value; 12] {
    let [points, low, high] = Value::ends(Some(part.log_odds), part.interval, Value::Points);
    let says = part.words.trim_end_matches('.');
    let says = if part.detail.is_empty() { says.to_owned() } else { format!("{says}: {}", part.detail) };
    [
        Value::text(&part.label),
        points,
        low,
        high,
        Value::text(effect(part.log_odds)),
        Value::text(words::sentence(&says)),
        Value::text(words::sentence(&part.usual)),
        Value::text(if part.scope == Scope::Household { "others in the household" } else { "own records" }),
        Value::text(if part.help_seeking {
            "rests on a request for help: asking is not a risk in itself"
        } else {
            ""
        }),
        Value::Whole(part.records.len() as u64),
        Value::text(records_say(part)),
        Value::Whole(part.without_value as u64),
    ]
}

fn records(list: &ReviewList) -> Table {
    let mut table = Table::named([
        "place",
        "entity",
        "reason",
        "source",
        "reference",
        "kind",
        "happened_on",
        "known_on",
        "whose",
        "linked_with",
    ]);
    for (place, _, case) in each_case(list) {
        for part in case.contributions() {
            table.rows.extend(part.records.iter().map(|record| {
                let mut row =
                    vec![Value::Whole(place as u64), Value::text(case.entity()), Value::text(&part.label)];
                row.extend(reference(record));
                row
            }));
        }
    }
    table
}

fn reference(record: &RecordReference) -> [Value; 7] {
    let whose = record.member.as_ref().map(|member| format!("{} ({})", member.id, member.ages));
    [
        Value::text(words::plain(&record.source)),
        Value::text(record.reference.as_deref().unwrap_or("none given")),
        Value::text(words::plain(&record.kind)),
        Value::Date(record.occurred),
        Value::Date(record.known),
        Value::text(whose.unwrap_or_default()),
        record.link.map_or(Value::Empty, |link| Value::Share(link.into())),
    ]
}

fn beside(list: &ReviewList) -> Table {
    let mut table = Table::new(["place", "place_is_led_by", "entity", "rank", "of", "band"].map(Column::new));
    table.columns.push(Column::new("rate_observed_in_band").bars());
    for (nth, entry) in list.entries().iter().enumerate() {
        table.rows.extend(entry.beside().iter().map(|other| {
            vec![
                Value::Whole(nth as u64 + 1),
                Value::text(entry.case().entity()),
                Value::text(other.entity()),
                Value::whole(other.rank()),
                Value::whole(other.of()),
                Value::text(&other.band().name),
                Value::Share(other.band().observed.value),
            ]
        }));
    }
    table
}

fn absences(list: &ReviewList) -> Table {
    let mut table = Table::named(["place", "entity", "what", "why", "what_follows"]);
    for (place, _, case) in each_case(list) {
        table.rows.extend(case.absent().iter().map(|absence| {
            let item = AbsentItem::of(absence, case.contributions());
            let why = if absence.why == Cell::NotCovered { "not covered" } else { "missing" };
            let [what, why, follows] = [item.label, why, item.note].map(Value::text);
            vec![Value::Whole(place as u64), Value::text(case.entity()), what, why, follows]
        }));
    }
    table
}

fn not_scored(list: &ReviewList) -> Table {
    let mut table = Table::named(["entity", "why_not"]);
    let row = |entity: &str, why: String| vec![Value::text(entity), Value::text(why)];
    table.rows.extend(list.not_scored().iter().map(|held| row(held.entity(), held.reason().words())));
    table
}

/// Who is new, stayed, left or has fallen clearly.
fn since_table(list: &ReviewList, since: &Changes<'_>) -> Table {
    let mut table = Table::named([
        "what",
        "entity",
        "place_now",
        "place_then",
        "lists_in_a_row",
        "why",
        "decided_then",
        "what_changed",
    ]);
    for (nth, entry) in list.entries().iter().enumerate() {
        if entry.why_listed() == crate::review::WhyListed::AtRandom {
            continue;
        }
        let stayed = entry.since();
        let changed = stayed.map_or(&[][..], |stayed| &stayed.changed).iter().map(Changed::of);
        let changed: Vec<String> = changed.map(|held| held.in_words()).collect();
        let decided = stayed.and_then(|stayed| stayed.decided.as_ref()).map(decided_in_words);
        table.rows.push(vec![
            Value::text(if stayed.is_some() { "stayed" } else { "new" }),
            Value::text(entry.case().entity()),
            Value::Whole(nth as u64 + 1),
            stayed.map_or(Value::Empty, |stayed| Value::whole(stayed.place_then)),
            Value::whole(stayed.map_or(1, |stayed| stayed.times)),
            Value::Empty,
            Value::text(decided.unwrap_or_default()),
            Value::text(changed.join(" ")),
        ]);
    }
    let mut gone = |what: &str, gone: &Gone<'_>| {
        table.rows.push(vec![
            Value::text(what),
            Value::text(gone.entity),
            Value::Empty,
            Value::whole(gone.place_then),
            Value::Empty,
            Value::text(&gone.why),
            Value::text(&gone.decided),
            Value::Empty,
        ]);
    };
    since.left.iter().for_each(|held| gone("left", held));
    since.fallen.iter().for_each(|held| gone("fallen clearly: support may be able to step down", held));
    table
}

fn sources(list: &ReviewList) -> Table {
    let mut table = Table::named(["source", "covers_from", "covers_to", "extract_made", "digest"]);
    table.rows.extend(list.provenance().sources.iter().map(|state| {
        vec![
            Value::text(words::plain(&state.source)),
            Value::date(state.covers_from),
            Value::date(state.covers_to),
            Value::date(state.updated),
            Value::text(&state.digest),
        ]
    }));
    table
}
