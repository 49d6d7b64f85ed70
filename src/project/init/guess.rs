//! What the tables of a folder are likely to be: by the names of their columns, by what stands in them, and by the ids
//! that they share.

use super::plan::{DECIDE, Parts, Plan, Taken, has_letters, without_letter};
use super::words::{self, DateRole, Unfit};
use crate::fairness::ProtectedColumns;
use crate::records::{
    DateForm, DayZero, EventColumns, Facts, HouseholdColumns, Kind, Known, PeopleColumns, SourceMapping,
    Table,
};

/// From so large a share of a column on it is taken for dates, or for numbers.
const MOST: f64 = 0.9;
/// From so large a share of ids in common on two columns are of the same people.
const SAME_PEOPLE: f64 = 0.5;
/// Days that a record is taken to be known late, where no column says it. A week: most systems are kept within one, and
/// a record that is taken for known too early shows the model what nobody knew.
const LAG_DAYS: i32 = 7;

/// The column of ids by which all tables are joined.
#[derive(Clone, Copy)]
pub(super) struct Hub<'t> {
    table: usize,
    ids: &'t Facts,
}

pub(super) fn guess(tables: &[Table], parts: &Parts) -> Plan {
    let mut plan = Plan::default();
    let Some(hub) = hub(tables) else {
        plan.left_out.push(format!("{DECIDE}no column looks like the ids of people; name one as `entity`"));
        return plan;
    };
    let mut used = vec![false; tables.len()];
    plan.people = people(tables, hub);
    plan.protected = protected(tables, hub, parts);
    plan.households = coming_again(tables, hub, parts).or_else(|| households(tables, hub));
    if let Some(people) = &plan.people {
        used[people.table] = true;
    }
    if let Some(households) = plan.households.as_ref().filter(|_| parts.0.is_empty()) {
        used[households.table] = true;
    }
    if let Some(protected) = &plan.protected {
        // A table of one row a person holds what is so on the day of the extract.
        used[protected.table] |= is_one_a_person(&tables[protected.table], &protected.columns.entity[0]);
        used[protected.table] |= !parts.0.is_empty() && dates(&tables[protected.table]).is_err();
    }
    let mut names: Vec<String> = vec!["people".to_owned(), "households".to_owned(), "protected".to_owned()];
    for (place, table) in tables.iter().enumerate() {
        let by =
            tables.iter().filter(|other| other.join.as_ref().is_some_and(|join| join.path == table.path));
        let by: Vec<String> = by.map(shown).collect();
        if !by.is_empty() && person(table, hub).is_none() {
            plan.left_out.push(format!("{}: looked up by {}.", shown(table), by.join(" and ")));
            used[place] = true;
        }
    }
    for (place, table) in tables.iter().enumerate().filter(|(place, _)| !used[*place]) {
        match source(table, place, (hub, parts)) {
            Ok(mut source) => {
                let base = source.name.clone();
                let mut number = 2;
                while names.contains(&source.name) {
                    source.name = format!("{base}_{number}");
                    number += 1;
                }
                names.push(source.name.clone());
                plan.sources.push(source);
            }
            Err(why) => plan.left_out.push(match why.strip_prefix(DECIDE) {
                Some(why) => format!("{DECIDE}{}: {why}", shown(table)),
                None => format!("{}: {why}", shown(table)),
            }),
        }
    }
    plan
}

/// A table by its file, and its sheet.
pub(super) fn shown(table: &Table) -> String {
    let file = table.path.file_name().unwrap_or(table.path.as_os_str()).to_string_lossy().into_owned();
    match &table.sheet {
        Some(sheet) => format!("{file}, sheet {sheet}"),
        None => file,
    }
}

fn is_date(facts: &Facts) -> bool {
    let named = words::date_role(&facts.name).is_some();
    let dates = if named { facts.dates + facts.serials } else { facts.dates };
    // What stands for no end (9999-12-31) and the odd slip are dates too.
    facts.filled > 0 && dates as f64 >= MOST * facts.filled as f64
}

fn is_number(facts: &Facts) -> bool {
    facts.filled > 0 && facts.numbers as f64 >= MOST * facts.filled as f64
}

/// Whether a column can hold ids: filled, of many values, and neither a date nor a measured number.
fn can_be_id(table: &Table, facts: &Facts) -> bool {
    let looked = facts.marks.len().max(1) as f64;
    let is_measured = is_number(facts) && (facts.fractions > 0 || words::has(&facts.name, &words::VALUES));
    let is_unfit = words::unfit(&facts.name).is_some_and(|why| why != Unfit::OfExtractDay)
        || words::unfit(&facts.name).is_some() && !words::has(&facts.name, &words::IDS);
    table.rows > 0
        && facts.filled as f64 >= MOST * looked
        && facts.distinct.len() >= 2
        && (facts.distinct.len() >= 20 || words::has(&facts.name, &words::IDS))
        && !is_date(facts)
        && !is_measured
        && !is_unfit
        && !words::is_birth(&facts.name)
}

pub(super) fn is_one_a_person(table: &Table, id: &str) -> bool {
    table.column(id).is_some_and(|ids| ids.distinct.len() as f64 >= 0.98 * ids.filled as f64)
}

/// How much a name speaks for the ids of people, against those of records.
fn person_like(name: &str) -> f64 {
    let person = if words::has(name, &words::PEOPLE) { 0.3 } else { 0.0 };
    let other = words::has(name, &words::RECORDS) || words::has(name, &words::HOUSEHOLDS);
    person - if other { 0.3 } else { 0.0 }
}

fn birth(table: &Table) -> Option<&Facts> {
    table.columns.iter().find(|facts| words::is_birth(&facts.name) && is_date(facts))
}

/// The ids of the list of people where there is one, else the column whose ids most tables share.
pub(super) fn hub(tables: &[Table]) -> Option<Hub<'_>> {
    let mut best: Option<(f64, Hub<'_>)> = None;
    for (place, table) in tables.iter().enumerate() {
        for ids in table.columns.iter().filter(|facts| can_be_id(table, facts)) {
            let listed = birth(table).is_some() && is_one_a_person(table, &ids.name);
            let shared: f64 = tables
                .iter()
                .enumerate()
                .filter(|(other, _)| *other != place)
                .map(|(_, other)| {
                    let shares = other.columns.iter().filter(|facts| can_be_id(other, facts));
                    shares.map(|facts| facts.share_in(ids)).fold(0.0, f64::max)
                })
                .sum();
            let list = if listed { 0.5 + tables.len() as f64 * 0.1 } else { 0.0 };
            let score = shared + list + person_like(&ids.name) * 2.0;
            if best.as_ref().is_none_or(|(held, _)| score > *held) {
                best = Some((score, Hub { table: place, ids }));
            }
        }
    }
    best.map(|(_, hub)| hub)
}

/// The column of a table that holds the ids of people, and the share of them that the hub has.
pub(super) fn person<'t>(table: &'t Table, hub: Hub<'_>) -> Option<(&'t Facts, f64)> {
    let mut best: Option<(f64, &Facts, f64)> = None;
    for facts in table.columns.iter().filter(|facts| can_be_id(table, facts)) {
        let share = facts.share_in(hub.ids).max(hub.ids.share_in(facts));
        let same = if facts.name.eq_ignore_ascii_case(&hub.ids.name) { 0.3 } else { 0.0 };
        let score = share + same + person_like(&facts.name);
        if share >= SAME_PEOPLE && best.as_ref().is_none_or(|(held, ..)| score > *held) {
            best = Some((score, facts, facts.share_in(hub.ids)));
        }
    }
    best.map(|(_, facts, share)| (facts, share))
}

fn people(tables: &[Table], hub: Hub<'_>) -> Option<Taken<PeopleColumns>> {
    let table = &tables[hub.table];
    let birth = birth(table)?;
    if !is_one_a_person(table, &hub.ids.name) {
        return None;
    }
    let columns = PeopleColumns {
        person: vec![hub.ids.name.clone()],
        date_of_birth: Some(birth.name.clone()),
        ..PeopleColumns::default()
    };
    let notes =
        vec![format!("{}: one row for each of {} ids, with a date of birth.", shown(table), table.rows)];
    Some(Taken { name: "people".to_owned(), table: hub.table, columns, notes })
}

fn protected(tables: &[Table], hub: Hub<'_>, parts: &Parts) -> Option<Taken<ProtectedColumns>> {
    let held = |table: &Table| -> Vec<String> {
        let few = |facts: &&Facts| facts.values.as_ref().is_some_and(|values| values.len() > 1);
        let is_held = |facts: &&Facts| words::is_protected(&facts.name) && few(facts) && !is_date(facts);
        table.columns.iter().filter(is_held).map(|facts| facts.name.clone()).collect()
    };
    // Of equals the one that says it of more people, once each.
    let rank = |(place, table): &(usize, &Table)| {
        let ids = person(table, hub).map(|(ids, _)| ids);
        let once = ids.is_some_and(|ids| ids.distinct.len() as f64 >= 0.8 * ids.filled as f64);
        let people = ids.map_or(0, |ids| ids.distinct.len());
        (usize::from(once), held(table).len(), people, usize::MAX - place)
    };
    let candidates = tables.iter().enumerate();
    let with_some = candidates
        .filter(|(_, table)| !held(table).is_empty() && person(table, hub).is_some() && parts.are_in(table));
    let (place, table) = with_some.max_by_key(rank)?;
    let (ids, share) = person(table, hub)?;
    let mut characteristics = held(table);
    let areas = table.columns.iter().filter(|facts| {
        words::has(&facts.name, &words::AREAS)
            && facts.values.as_ref().is_some_and(|values| values.len() > 1)
            && !characteristics.contains(&facts.name)
    });
    characteristics.extend(areas.map(|facts| facts.name.clone()).collect::<Vec<_>>());
    let mut notes = vec![format!("{}: by the names of its columns{}.", shown(table), shared(share))];
    if ids.distinct.len() as u64 != ids.filled && parts.0.is_empty() {
        notes.push(format!(
            "{DECIDE}some people stand in several rows; only the first of each is read. Export one row a person."
        ));
    }
    notes.push("What the council does not hold goes into `not_held`; every report says so.".to_owned());
    let columns = ProtectedColumns {
        entity: parts.with(&ids.name),
        characteristics,
        not_held: Vec::new(),
        ..ProtectedColumns::default()
    };
    Some(Taken { name: "protected".to_owned(), table: place, columns, notes })
}

fn shared(share: f64) -> String {
    format!("; {:.0}% of its ids are among the people", (share * 100.0).floor())
}

/// Where a case is a person in a course, or the like, the family is the person, who may come again.
fn coming_again(tables: &[Table], hub: Hub<'_>, parts: &Parts) -> Option<Taken<HouseholdColumns>> {
    if parts.0.is_empty() {
        return None;
    }
    // The one with the most people.
    let with = tables.iter().enumerate().filter(|(_, table)| table.join.is_none() && parts.are_in(table));
    let with = with.filter_map(|(place, table)| Some((place, table, person(table, hub)?.0)));
    let (place, table, ids) = with.max_by_key(|(place, _, ids)| (ids.distinct.len(), usize::MAX - place))?;
    let id = parts.with(&ids.name);
    let notes = vec![
        format!(
            "{DECIDE}{}: a case is taken to be one {}, since no table has each {} once. Where it is the person, name that alone \
             everywhere, and leave this table out.",
            shown(table),
            id.join(" / "),
            ids.name
        ),
        "The person, who may come again, stands for the family: nobody is learnt from and tested on at once."
            .to_owned(),
    ];
    let columns = HouseholdColumns { person: id, household: ids.name.clone(), ..HouseholdColumns::default() };
    Some(Taken { name: "households".to_owned(), table: place, columns, notes })
}

fn households(tables: &[Table], hub: Hub<'_>) -> Option<Taken<HouseholdColumns>> {
    let find = |table: &Table| {
        let (ids, share) = person(table, hub)?;
        let is_household = |facts: &&Facts| {
            facts.name != ids.name
                && can_be_id(table, facts)
                && words::has(&facts.name, &words::HOUSEHOLDS)
                && facts.distinct.len() < facts.filled as usize
        };
        let household = table
            .columns
            .iter()
            .filter(is_household)
            .min_by_key(|facts| words::first(&facts.name, &words::HOUSEHOLDS).unwrap_or(usize::MAX))?;
        Some((ids.name.clone(), household.name.clone(), share))
    };
    let narrowest = |(_, table): &(usize, &Table)| table.columns.len();
    let with = tables.iter().enumerate().filter(|(_, table)| find(table).is_some());
    let (place, table) = with.min_by_key(narrowest)?;
    let (person, household, share) = find(table)?;
    let role = |wanted: DateRole| {
        let of = |facts: &&Facts| is_date(facts) && words::date_role(&facts.name) == Some(wanted);
        table.columns.iter().find(of).map(|facts| facts.name.clone())
    };
    let (start, end) = (role(DateRole::Occurred), role(DateRole::Ended));
    let notes = vec![
        format!("{}: who lives with whom{}.", shown(table), shared(share)),
        format!("{DECIDE}how many days after a move the council knows of it (`lag_days`)."),
    ];
    let columns =
        HouseholdColumns { person: vec![person], household, start, end, lag_days: LAG_DAYS, system: None };
    Some(Taken { name: "households".to_owned(), table: place, columns, notes })
}

/// The dates of a source.
struct Dates {
    occurred: String,
    ended: Option<String>,
    known: Known,
    ended_known: Option<String>,
    notes: Vec<String>,
}

fn source(
    table: &Table,
    place: usize,
    (hub, parts): (Hub<'_>, &Parts),
) -> Result<Taken<EventColumns>, String> {
    if table.rows == 0 {
        return Err("it holds no row".to_owned());
    }
    let (ids, share) = person(table, hub)
        .ok_or_else(|| format!("{DECIDE}no column of it shares its ids with the people; left out"))?;
    if !parts.are_in(table) {
        return Err(format!(
            "{DECIDE}it lacks {} of the id, which no other table gives by a column that both have; left out",
            parts.0.join(" / ")
        ));
    }
    let dates = dates(table)?;
    let stem = table.sheet.clone().unwrap_or_else(|| stem(&table.path));
    let name = words::plain(&stem);
    let mut notes = vec![format!("{}: {} rows{}.", shown(table), table.rows, shared(share))];
    notes.extend(days_0(table));
    let mut taken = parts.with(&ids.name);
    let mut columns = SourceMapping::new(&name, &ids.name, name.clone(), &dates.occurred).columns;
    columns.entity.clone_from(&taken);
    taken.extend([&dates.occurred].into_iter().chain(&dates.ended).chain(&dates.ended_known).cloned());
    if let Known::Column(known) = &dates.known {
        taken.push(known.clone());
    }
    (columns.ended, columns.known, columns.ended_known) = (dates.ended, dates.known, dates.ended_known);
    notes.extend(dates.notes);
    let free = |facts: &&Facts| !taken.contains(&facts.name) && words::unfit(&facts.name).is_none();
    let columns_left: Vec<&Facts> =
        table.columns.iter().filter(free).filter(|facts| !is_date(facts)).collect();
    fill(&mut columns, &columns_left);
    if share < MOST {
        notes.push(format!(
            "{DECIDE}the other {:.0}% of its ids are nobody's here, and their rows are rejected. Are they written otherwise?",
            ((1.0 - share) * 100.0).ceil()
        ));
    }
    notes.extend(unused(table, &columns, &taken));
    Ok(Taken { name, table: place, columns, notes })
}

pub(super) fn stem(path: &std::path::Path) -> String {
    let name = path.file_name().unwrap_or(path.as_os_str()).to_string_lossy();
    let stem = name.split('.').next().unwrap_or_default();
    stem.trim_matches(|c: char| matches!(c, '*' | '_' | '-' | ' ')).to_owned()
}

/// Kind, role, value, reference and categories, from the columns that are left.
fn fill(columns: &mut EventColumns, left: &[&Facts]) {
    let texts = |facts: &Facts| facts.values.clone().unwrap_or_default();
    let is_role = |facts: &&&Facts| {
        let values = texts(facts);
        let is = |text: &String| {
            let text = without_letter(text).to_lowercase();
            ["subject", "victim", "suspect", "witness"].contains(&text.as_str())
        };
        !values.is_empty() && values.keys().all(is)
    };
    columns.role = left.iter().find(is_role).map(|facts| facts.name.clone());
    let is_code = |facts: &&&Facts| {
        let many = facts.values.as_ref().is_some_and(|values| !values.is_empty());
        many && facts.fractions == 0
            && !words::has(&facts.name, &words::VALUES)
            && Some(&facts.name) != columns.role.as_ref()
    };
    let codes: Vec<&&Facts> = left.iter().filter(is_code).collect();
    let filled = |facts: &&&&Facts| facts.filled as f64 >= MOST * facts.marks.len() as f64;
    let named =
        |facts: &&&&Facts| words::has(&facts.name, &words::KINDS) && !words::has(&facts.name, &["reason"]);
    let kind = codes.iter().filter(filled).filter(named);
    let kind = kind.min_by_key(|facts| words::first(&facts.name, &words::KINDS).unwrap_or(usize::MAX));
    let kind = kind.map(|facts| facts.name.clone());
    let is_reference = |facts: &&&Facts| {
        facts.distinct.len() == facts.marks.len()
            && facts.filled == facts.marks.len() as u64
            && facts.fractions == 0
            && !is_date(facts)
            && words::has(&facts.name, &words::IDS)
    };
    columns.reference = left.iter().find(is_reference).map(|facts| facts.name.clone());
    let is_value = |facts: &&&Facts| {
        is_number(facts)
            && (facts.fractions > 0 || words::has(&facts.name, &words::VALUES))
            && !words::has(&facts.name, &words::IDS)
    };
    let values = left.iter().filter(is_value);
    let value = values.min_by_key(|facts| words::first(&facts.name, &words::VALUES).unwrap_or(usize::MAX));
    columns.value = value.map(|facts| facts.name.clone());
    // A column of many codes, of which most stand once, is rather somebody's words.
    let kept = codes.into_iter().filter(|facts| {
        Some(&facts.name) != kind.as_ref()
            && facts.distinct.len() > 1
            && facts.distinct.len() * 4 <= facts.filled as usize
            && !words::has(&facts.name, &words::IDS)
    });
    columns.categories = kept.map(|facts| facts.name.clone()).collect();
    if let Some(kind) = kind {
        columns.kind = Kind::Column(kind);
    }
}

/// Which dates say what.
fn dates(table: &Table) -> Result<Dates, String> {
    let usable = |facts: &&Facts| is_date(facts) && words::unfit(&facts.name).is_none();
    let dates: Vec<(&Facts, Option<DateRole>)> = table
        .columns
        .iter()
        .filter(usable)
        .map(|facts| (facts, words::date_role(&facts.name)))
        .filter(|(_, role)| *role != Some(DateRole::Birth))
        .collect();
    let of =
        |role: DateRole| dates.iter().filter(move |(_, held)| *held == Some(role)).map(|(facts, _)| *facts);
    let mut notes = Vec::new();
    let begun = |facts: &&Facts| {
        let filled = (facts.filled * 20 / facts.marks.len().max(1) as u64).min(19);
        let rank = words::first(&facts.name, &words::STARTED).unwrap_or(words::STARTED.len());
        (std::cmp::Reverse(filled), rank)
    };
    let nameless = dates.iter().filter(|(_, role)| role.is_none()).map(|(facts, _)| *facts);
    let occurred = of(DateRole::Occurred)
        .min_by_key(begun)
        .or_else(|| nameless.min_by_key(begun))
        .or_else(|| of(DateRole::Known).min_by_key(begun))
        .or_else(|| of(DateRole::Ended).min_by_key(begun));
    let Some(occurred) = occurred else {
        let offsets = table.columns.iter().any(|facts| {
            words::date_role(&facts.name).is_some() && is_number(facts) && facts.largest < 10_000.0
        });
        return Err(if offsets {
            format!(
                "{DECIDE}its dates are numbers of days from a day that it does not say; give read = {{ dates = {{ days_from = \
                 \"...\" }} }}"
            )
        } else {
            "it has no dates, so it is no source of dated records".to_owned()
        });
    };
    let later = |facts: &&Facts| facts.name != occurred.name && is_not_before(facts, occurred);
    let ended = of(DateRole::Ended).filter(later).min_by_key(begun).map(|facts| facts.name.clone());
    let known = of(DateRole::Known).filter(later).min_by_key(begun).map(|facts| facts.name.clone());
    let ended_known = of(DateRole::EndedKnown).next().map(|facts| facts.name.clone());
    let ended_known = ended_known.filter(|_| ended.is_some());
    let known = match known {
        Some(column) => Known::Column(column),
        None if words::date_role(&occurred.name) == Some(DateRole::Known) => {
            notes.push(
                "Only the day on which it became known is there, and it stands for the day it happened too."
                    .into(),
            );
            Known::LagDays(0)
        }
        None => {
            notes.push(format!(
                "{DECIDE}no column says when a record became known; it is taken for {LAG_DAYS} days late. A lag that is too \
                 short shows the model what nobody knew."
            ));
            Known::LagDays(LAG_DAYS)
        }
    };
    if words::date_role(&occurred.name).is_none() {
        notes.push(format!("{DECIDE}is \"{}\" the day on which it happened?", occurred.name));
    }
    Ok(Dates { occurred: occurred.name.clone(), ended, known, ended_known, notes })
}

/// Whether a date is hardly ever before another one of the same row.
fn is_not_before(later: &Facts, earlier: &Facts) -> bool {
    let pairs = (0..earlier.days.len()).filter_map(|row| Some((earlier.day(row)?, later.day(row)?)));
    let (mut both, mut before) = (0_u64, 0_u64);
    for (first, second) in pairs {
        both += 1;
        before += u64::from(second < first);
    }
    before * 20 <= both
}

/// What a draft says above a table whose dates are counted in days.
fn days_0(table: &Table) -> Option<String> {
    let Some(DateForm::DaysFrom(DayZero::Column(zero))) = &table.dates else { return None };
    Some(if zero.is.is_empty() {
        format!("{DECIDE}its dates are numbers of days; is the day 0 of each row the one in {}?", zero.column)
    } else {
        format!(
            "{DECIDE}its dates are numbers of days, and {} seems to name the day 0 of each row. Give each name its day in `is`; the \
             first of January stands there for want of it. Then put `coverage` and the dates of training right.",
            zero.column
        )
    })
}

/// The columns that nothing reads, by why.
fn unused(table: &Table, columns: &EventColumns, taken: &[String]) -> Vec<String> {
    let read: Vec<&str> = columns.readable().chain(columns.reference.as_deref()).collect();
    let is_free = |name: &str| !taken.iter().any(|held| held == name) && !read.contains(&name);
    let mut notes = Vec::new();
    for why in [Unfit::OfExtractDay, Unfit::Planned, Unfit::Protected, Unfit::Identifying] {
        let of = table.columns.iter().map(|facts| facts.name.as_str());
        let names: Vec<&str> = of.filter(|name| is_free(name) && words::unfit(name) == Some(why)).collect();
        if !names.is_empty() {
            notes.push(format!("Not used, {}: {}.", names.join(", "), why.words()));
        }
    }
    let rest = table.columns.iter().filter(|facts| {
        is_free(&facts.name) && words::unfit(&facts.name).is_none() && !words::is_birth(&facts.name)
    });
    let rest: Vec<&str> = rest.map(|facts| facts.name.as_str()).collect();
    if !rest.is_empty() {
        notes.push(format!("Not used: {}.", rest.join(", ")));
    }
    if !table.twice.is_empty() {
        notes.push(format!("Not used, since the name stands more than once: {}.", table.twice.join(", ")));
    }
    if has_letters(table, read.iter().copied()) {
        notes.push("Its words stand behind list letters (`a) ...`), which are dropped.".to_owned());
    }
    notes
}
