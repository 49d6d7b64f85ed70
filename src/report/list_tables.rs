//! Everything that a list says, table by table: for the sheets of its workbook, and as frames.

use polars::prelude::DataFrame;

use super::list_page::{AbsentItem, chance_in_words, effect, mark_in_words, records_say, stability_in_words};
use super::plain::list_table;
use super::since::{Changed, Changes, Gone, decided_in_words};
use super::table::{Column, Table, Value};
use super::words;
use crate::error::ReportError;
use crate::features::{Cell, Scope};
use crate::records::RecordReference;
use crate::review::{ListedCase, ReviewList};
use crate::scoring::{Contribution, RankedCase};

/// Everything that a list says as polars frames by name, for notebooks and for programs that read on: `List` (a row for each place, as in
/// [`list_csv`](super::list_csv)), `Cases`, `Reasons` (each contribution of each case), `Records` (each record behind one), `Beside`,
/// `Not known`, `Since` and a date in words (where there was a list before), `Not scored` and `Sources`. They are the sheets of the workbook.
///
/// Shares are from 0 to 1; points are log-odds; places and ranks count from 1. Types do not change with what is in a list: a cell that can be
/// a number or words (the `value` of a feature) is text. Null where there is nothing to say.
///
/// # Errors
/// [`ReportError::Render`] where a frame cannot be made.
///
/// # Examples
/// ```
/// use earlyhelp::report::list_frames;
/// use earlyhelp::review::ReviewList;
///
/// fn reasons(list: &ReviewList) -> Result<usize, earlyhelp::error::ReportError> {
///     let frames = list_frames(list)?;
///     Ok(frames.iter().find(|(name, _)| name == "Reasons").map_or(0, |(_, frame)| frame.height()))
/// }
/// ```
pub fn list_frames(list: &ReviewList) -> Result<Vec<(String, DataFrame)>, ReportError> {
    list_tables(list).into_iter().map(|(name, table)| Ok((name, table.frame()?))).collect()
}

/// The tables by the names of their sheets.
pub(super) fn list_tables(list: &ReviewList) -> Vec<(String, Table)> {
    let since = list.changes().map(|since| {
        let since = Changes::of(since);
        (format!("Since {}", since.as_of), since_table(list, &since))
    });
    let places = [
        ("List".to_owned(), list_table(list)),
        ("Cases".to_owned(), cases(list)),
        ("Reasons".to_owned(), reasons(list)),
        ("Records".to_owned(), records(list)),
        ("Beside".to_owned(), beside(list)),
        ("Not known".to_owned(), absences(list)),
    ];
    let behind = [("Not scored".to_owned(), not_scored(list)), ("Sources".to_owned(), sources(list))];
    places.into_iter().chain(since).chain(behind).collect()
}

/// Each case on the list: those that have a place, and those beside them.
fn each_case(list: &ReviewList) -> impl Iterator<Item = (usize, &ListedCase, &RankedCase)> {
    list.entries().iter().enumerate().flat_map(|(nth, entry)| {
        [entry.case()].into_iter().chain(entry.beside()).map(move |case| (nth + 1, entry, case))
    })
}

/// What the page says of a case above its reasons. The score is no column: whoever has one can cut at it.
fn cases(list: &ReviewList) -> Table {
    let mut table = Table::new([
        Column::whole("place"),
        Column::new("entity"),
        Column::new("drawn"),
        Column::whole("rank"),
        Column::whole("of"),
        Column::new("band"),
        Column::whole("band_rests_on_cases"),
        Column::number("rate_of_all_cases"),
        Column::new("known_already"),
        Column::new("chance_of_the_outcome"),
        Column::new("how_sure_the_ranking_is"),
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
    let mut table = Table::new([Column::whole("place"), Column::new("entity"), Column::new("reason")]);
    table.columns.push(Column::number("points").bars());
    table.columns.extend([
        Column::number("points_low"),
        Column::number("points_high"),
        Column::new("effect"),
        Column::new("says"),
        Column::new("how_usual"),
        Column::new("whose_records"),
        Column::new("help_seeking"),
    ]);
    table.columns.extend([
        Column::whole("records"),
        Column::new("records_say"),
        Column::whole("records_without_value"),
        Column::new("feature"),
        Column::new("value"),
        Column::new("unit"),
        Column::new("stands_for"),
    ]);
    if pairs {
        table.columns.extend([
            Column::new("and_feature"),
            Column::new("and_value"),
            Column::new("and_unit"),
            Column::new("and_stands_for"),
        ]);
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
    let mut table = Table::new([
        Column::whole("place"),
        Column::new("entity"),
        Column::new("reason"),
        Column::new("source"),
        Column::new("reference"),
        Column::new("kind"),
        Column::date("happened_on"),
        Column::date("known_on"),
        Column::new("whose"),
        Column::number("linked_with"),
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
    let mut table = Table::new([
        Column::whole("place"),
        Column::new("place_is_led_by"),
        Column::new("entity"),
        Column::whole("rank"),
        Column::whole("of"),
        Column::new("band"),
    ]);
    table.columns.push(Column::number("rate_observed_in_band").bars());
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
    let mut table = Table::new([
        Column::whole("place"),
        Column::new("entity"),
        Column::new("what"),
        Column::new("why"),
        Column::new("what_follows"),
    ]);
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
    let mut table = Table::new([Column::new("entity"), Column::new("why_not")]);
    let row = |entity: &str, why: String| vec![Value::text(entity), Value::text(why)];
    table.rows.extend(list.not_scored().iter().map(|held| row(held.entity(), held.reason().words())));
    table
}

/// Who is new, stayed, left or has fallen clearly.
fn since_table(list: &ReviewList, since: &Changes<'_>) -> Table {
    let mut table = Table::new([
        Column::new("what"),
        Column::new("entity"),
        Column::whole("place_now"),
        Column::whole("place_then"),
        Column::whole("lists_in_a_row"),
        Column::new("why"),
        Column::new("decided_then"),
        Column::new("what_changed"),
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
    let mut table = Table::new([
        Column::new("source"),
        Column::date("covers_from"),
        Column::date("covers_to"),
        Column::date("extract_made"),
        Column::new("digest"),
    ]);
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
