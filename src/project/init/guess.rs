//! What the tables of a folder are likely to be: by the names of their columns, by what stands in them, and by the ids
//! that they share.

use super::identities::{self, Found, Whose};
use super::ids::{Hub, MOST, birth, can_be_id, hub, is_date, is_number, is_one_a_person, person};
use super::plan::{DECIDE, Parts, Plan, Taken, has_letters, without_letter};
use super::words::{self, DateRole, Unfit};
use crate::fairness::ProtectedColumns;
use crate::project::RESERVED;
use crate::records::{
    DateForm, DayZero, EventColumns, Facts, HouseholdColumns, Kind, Known, PeopleColumns, SourceMapping,
    Table,
};

/// Days that a record is taken to be known late, where no column says it. A week: most systems are kept within one, and
/// a record that is taken for known too early shows the model what nobody knew.
const LAG_DAYS: i32 = 7;

pub(super) fn guess(tables: &[Table], parts: &Parts) -> Plan {
    let mut plan = Plan::default();
    let Some(hub) = hub(tables) else {
        plan.left_out.push(format!("{DECIDE}no column looks like the ids of people; name one as `entity`"));
        return plan;
    };
    let found = identities::find(tables, hub);
    let mut used: Vec<bool> = (0..tables.len()).map(|place| found.has(place)).collect();
    plan.people = people(tables, hub);
    plan.protected = protected(tables, hub, &found, parts);
    plan.households = coming_again(tables, hub, parts).or_else(|| households(tables, hub, &found));
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
    let mut names: Vec<String> = RESERVED.map(str::to_owned).to_vec();
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
        if let Some(first) = tables[..place].iter().find(|other| is_same(other, table)) {
            plan.left_out.push(format!("{}: it holds the same rows as {}.", shown(table), shown(first)));
            continue;
        }
        match source((table, place), hub, &found, parts) {
            Ok(mut source) => {
                let base = source.name.clone();
                let mut number = 2;
                while names.contains(&source.name) {
                    source.name = format!("{base}_{number}");
                    number += 1;
                }
                names.push(source.name.clone());
                let pattern = super::pattern(&table.path).filter(|_| table.sheet.is_none());
                let is_month = |other: &&Taken<EventColumns>| {
                    pattern.is_some() && super::pattern(&tables[other.table].path) == pattern
                };
                if let Some(other) = plan.sources.iter().find(is_month) {
                    source.notes.push(format!(
                        "{DECIDE}its name differs from that of {} in numbers alone, and its columns have other names. Are they one \
                         source? Then name both files in one `path`, and the other names under `read = {{ aliases = ... }}`.",
                        shown(&tables[other.table])
                    ));
                }
                plan.sources.push(source);
            }
            Err(why) => plan.left_out.push(match why.strip_prefix(DECIDE) {
                Some(why) => format!("{DECIDE}{}: {why}", shown(table)),
                None => format!("{}: {why}", shown(table)),
            }),
        }
    }
    plan.identities = found.tables;
    plan
}

/// Whether two tables hold the same, as a file and its packed copy do.
fn is_same(one: &Table, other: &Table) -> bool {
    let is_alike = |(a, b): (&Facts, &Facts)| a.name == b.name && a.marks == b.marks;
    one.rows == other.rows
        && one.rows > 0
        && one.columns.len() == other.columns.len()
        && one.columns.iter().zip(&other.columns).all(is_alike)
}

/// Whether a sheet has the name that spreadsheets give by themselves: `Sheet1`.
fn is_unnamed(sheet: &str) -> bool {
    let rest = sheet.trim().to_lowercase();
    rest.strip_prefix("sheet").is_some_and(|rest| rest.trim().chars().all(|letter| letter.is_ascii_digit()))
}

/// A table by its file, and its sheet.
pub(super) fn shown(table: &Table) -> String {
    let path = &table.path;
    let file = match parts_below(path) {
        Some(folder) => format!("{folder}/**/{}", path.file_name().unwrap_or_default().to_string_lossy()),
        None => path.file_name().unwrap_or(path.as_os_str()).to_string_lossy().into_owned(),
    };
    match &table.sheet {
        Some(sheet) => format!("{file}, sheet {sheet}"),
        None => file,
    }
}

fn people(tables: &[Table], hub: Hub<'_>) -> Option<Taken<PeopleColumns>> {
    let table = &tables[hub.table];
    let birth = birth(table)?;
    if !is_one_a_person(table, &hub.ids.name) {
        return None;
    }
    let died = table.columns.iter().find(|facts| words::has(&facts.name, &words::DEATHS) && is_date(facts));
    let columns = PeopleColumns {
        person: vec![hub.ids.name.clone()],
        date_of_birth: Some(birth.name.clone()),
        died: died.map(|facts| facts.name.clone()),
        ..PeopleColumns::default()
    };
    let notes =
        vec![format!("{}: one row for each of {} ids, with a date of birth.", shown(table), table.rows)];
    Some(Taken { name: "people".to_owned(), table: hub.table, columns, notes })
}

fn protected(
    tables: &[Table],
    hub: Hub<'_>,
    found: &Found,
    parts: &Parts,
) -> Option<Taken<ProtectedColumns>> {
    let held = |table: &Table| -> Vec<String> {
        let few = |facts: &&Facts| facts.values.as_ref().is_some_and(|values| values.len() > 1);
        let is_held = |facts: &&Facts| words::is_protected(&facts.name) && few(facts) && !is_date(facts);
        table.columns.iter().filter(is_held).map(|facts| facts.name.clone()).collect()
    };
    // Of equals the one that says it of more people, once each.
    let rank = |(place, table): &(usize, &Table)| {
        let ids = found.whose(table, hub).map(|whose| whose.ids);
        let once = ids.is_some_and(|ids| ids.distinct.len() as f64 >= 0.8 * ids.filled as f64);
        let people = ids.map_or(0, |ids| ids.distinct.len());
        (usize::from(once), held(table).len(), people, usize::MAX - place)
    };
    let candidates = tables.iter().enumerate();
    let with_some = candidates.filter(|(_, table)| {
        !held(table).is_empty() && found.whose(table, hub).is_some() && parts.are_in(table)
    });
    let (place, table) = with_some.max_by_key(rank)?;
    let Whose { ids, share, system } = found.whose(table, hub)?;
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
        system,
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

fn households(tables: &[Table], hub: Hub<'_>, found: &Found) -> Option<Taken<HouseholdColumns>> {
    let find = |table: &Table| {
        let Whose { ids, share, system } = found.whose(table, hub)?;
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
        Some((ids.name.clone(), household.name.clone(), share, system))
    };
    let narrowest = |(_, table): &(usize, &Table)| table.columns.len();
    let with = tables.iter().enumerate().filter(|(_, table)| find(table).is_some());
    let (place, table) = with.min_by_key(narrowest)?;
    let (person, household, share, system) = find(table)?;
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
        HouseholdColumns { person: vec![person], household, start, end, lag_days: LAG_DAYS, system };
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
    (table, place): (&Table, usize),
    hub: Hub<'_>,
    found: &Found,
    parts: &Parts,
) -> Result<Taken<EventColumns>, String> {
    if table.rows == 0 {
        return Err("it holds no row".to_owned());
    }
    let Whose { ids, share, system } = found
        .whose(table, hub)
        .ok_or_else(|| format!("{DECIDE}no column of it shares its ids with the people; left out"))?;
    if !parts.are_in(table) {
        return Err(format!(
            "{DECIDE}it lacks {} of the id, which no other table gives by a column that both have; left out",
            parts.0.join(" / ")
        ));
    }
    let dates = dates(table)?;
    let stem = table.sheet.clone().filter(|sheet| !is_unnamed(sheet)).unwrap_or_else(|| stem(&table.path));
    let name = words::plain(&stem);
    let mut notes = vec![format!("{}: {} rows{}.", shown(table), table.rows, shared(share))];
    notes.extend(days_0(table));
    let mut taken = parts.with(&ids.name);
    let mut columns = SourceMapping::new(&name, &ids.name, name.clone(), &dates.occurred).columns;
    columns.system = system;
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
    if let (Some(value), Some(of)) = (&columns.value, &columns.of) {
        notes.push(format!(
            "By their names {value} is a part of {of}; a row of which that is not so is rejected."
        ));
    }
    if share < MOST {
        notes.push(format!(
            "{DECIDE}the other {:.0}% of its ids are nobody's here, and their rows are rejected. Are they written otherwise?",
            ((1.0 - share) * 100.0).ceil()
        ));
    }
    notes.extend(unused(table, &columns, &taken));
    Ok(Taken { name, table: place, columns, notes })
}

/// The folder of a table in parts, of a path such as `visits/**/*.csv`.
fn parts_below(path: &std::path::Path) -> Option<String> {
    let above = path.parent().filter(|above| above.ends_with("**"))?;
    Some(above.parent()?.file_name()?.to_string_lossy().into_owned())
}

pub(super) fn stem(path: &std::path::Path) -> String {
    if let Some(folder) = parts_below(path) {
        return folder;
    }
    let name = path.file_name().unwrap_or(path.as_os_str()).to_string_lossy();
    let stem = name.split('.').next().unwrap_or_default();
    stem.trim_matches(|c: char| matches!(c, '*' | '_' | '-' | ' ')).to_owned()
}

/// Two columns of which one is a part of the other: sessions missed, of sessions possible.
fn pair<'f>(left: &[&'f Facts]) -> Option<(&'f Facts, &'f Facts)> {
    let named = |words: &'static [&'static str]| {
        let numbers = left.iter().copied().filter(|facts| is_number(facts) && facts.smallest >= 0.0);
        let named = numbers.filter_map(move |facts| Some((words::first(&facts.name, words)?, facts)));
        named.min_by_key(|(rank, _)| *rank).map(|(_, facts)| facts)
    };
    let (part, whole) = (named(&words::PARTS)?, named(&words::WHOLES)?);
    (part.name != whole.name && part.largest <= whole.largest).then_some((part, whole))
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
    let pair = pair(left);
    let is_of_pair =
        |facts: &Facts| pair.is_some_and(|(part, whole)| [&part.name, &whole.name].contains(&&facts.name));
    let is_code = |facts: &&&Facts| {
        let many = facts.values.as_ref().is_some_and(|values| !values.is_empty());
        many && facts.fractions == 0
            && !words::has(&facts.name, &words::VALUES)
            && !is_of_pair(facts)
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
    columns.value =
        pair.map(|(part, _)| part).or(value.map(|facts| &**facts)).map(|facts| facts.name.clone());
    columns.of = pair.map(|(_, whole)| whole.name.clone());
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
