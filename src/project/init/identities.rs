//! Tables that say whose id is whose, found by the ids that they share with the others.

use std::collections::BTreeMap;

use super::ids::{Hub, MOST, SAME_PEOPLE, birth, can_be_id, is_date, is_number, person};
use super::plan::{DECIDE, Taken};
use super::words::{self, DateRole};
use crate::records::{Facts, IdentityColumns, Table};

/// The ids that a system gave, as far as a table says whose they are.
pub(super) struct System {
    /// What the project calls it.
    pub(super) name: String,
    /// The marks of its ids, sorted.
    ids: Vec<u64>,
}

/// What was found of ids.
#[derive(Default)]
pub(super) struct Found {
    pub(super) tables: Vec<Taken<IdentityColumns>>,
    pub(super) systems: Vec<System>,
}

/// Fewest ids of a system: by fewer two files agree by chance.
const FEWEST: usize = 20;

/// A table of whose ids is a crosswalk where its rows have the ids of people, and others that tables without the ids of
/// people have; and one says what was merged where a column by its name says so and holds ids of people.
pub(super) fn find(tables: &[Table], hub: Hub<'_>) -> Found {
    let mut found = Found::default();
    // The columns of ids in tables that do not say otherwise whose they are.
    let strange: Vec<(usize, &Facts)> = tables
        .iter()
        .enumerate()
        .filter(|(_, table)| person(table, hub).is_none())
        .flat_map(|(place, table)| table.columns.iter().map(move |facts| (place, table, facts)))
        .filter(|(_, table, facts)| can_be_id(table, facts))
        .map(|(place, _, facts)| (place, facts))
        .collect();
    for (place, table) in tables.iter().enumerate() {
        let others: Vec<&Facts> =
            strange.iter().filter(|(of, _)| *of != place).map(|(_, facts)| *facts).collect();
        let merges = merged((place, table), hub);
        // Old ids beside new ones are no two systems'.
        let is_of_merges = merges.is_some() && birth(table).is_none();
        if let Some((whose, _)) = person(table, hub).filter(|_| !is_of_merges) {
            found.take(wide((place, table), whose, hub, &others));
            if !found.tables.iter().any(|taken| taken.table == place) {
                found.take(crosswalk((place, table), whose, &others));
            }
        }
        found.tables.extend(merges);
    }
    found
}

type Crosswalk = (Taken<IdentityColumns>, Vec<System>);

impl Found {
    fn take(&mut self, crosswalk: Option<Crosswalk>) {
        let Some((taken, systems)) = crosswalk else { return };
        let is_new = |system: &System| self.systems.iter().all(|held| held.name != system.name);
        self.systems.extend(systems.into_iter().filter(is_new).collect::<Vec<_>>());
        self.tables.push(taken);
    }

    /// The system whose ids a column has, and the share of them that it knows.
    fn of(&self, facts: &Facts) -> Option<(&System, f64)> {
        let shares = self.systems.iter().map(|system| (system, system.share(facts)));
        shares.filter(|(_, share)| *share >= SAME_PEOPLE).max_by(|a, b| a.1.total_cmp(&b.1))
    }

    /// Whom a table is about: the column of their ids, the share of them that is known, and the system whose they are.
    pub(super) fn whose<'t>(&self, table: &'t Table, hub: Hub<'_>) -> Option<Whose<'t>> {
        if let Some((ids, share)) = person(table, hub) {
            return Some(Whose { ids, share, system: None });
        }
        let of = |facts: &'t Facts| {
            let (system, share) = self.of(facts)?;
            Some(Whose { ids: facts, share, system: Some(system.name.clone()) })
        };
        let columns = table.columns.iter().filter(|facts| can_be_id(table, facts));
        columns.filter_map(of).max_by(|a, b| a.share.total_cmp(&b.share))
    }

    /// Whether a table is read for its ids.
    pub(super) fn has(&self, table: usize) -> bool {
        self.tables.iter().any(|taken| taken.table == table)
    }
}

/// Whom a table is about.
pub(super) struct Whose<'t> {
    pub(super) ids: &'t Facts,
    pub(super) share: f64,
    pub(super) system: Option<String>,
}

impl System {
    fn new(name: String, mut ids: Vec<u64>) -> Self {
        ids.sort_unstable();
        ids.dedup();
        Self { name, ids }
    }

    /// The share of a column's ids that the system has.
    fn share(&self, facts: &Facts) -> f64 {
        let held = facts.distinct.iter().filter(|mark| self.ids.binary_search(mark).is_ok()).count();
        held as f64 / facts.distinct.len().max(1) as f64
    }
}

/// Whether a column could hold the ids of a system: as good as each once, where there is one at all.
fn is_local(facts: &Facts) -> bool {
    facts.distinct.len() >= FEWEST
        && facts.distinct.len() as f64 >= MOST * facts.filled as f64
        && !is_date(facts)
        && facts.fractions == 0
        && !words::is_birth(&facts.name)
}

/// A row for each person, and a column of ids for each system.
fn wide(
    (place, table): (usize, &Table),
    whose: &Facts,
    hub: Hub<'_>,
    others: &[&Facts],
) -> Option<Crosswalk> {
    if (whose.distinct.len() as f64) < 0.8 * whose.filled as f64 {
        return None;
    }
    let mut columns = BTreeMap::new();
    let mut systems = Vec::new();
    for facts in table.columns.iter().filter(|facts| facts.name != whose.name && is_local(facts)) {
        let serves = others.iter().any(|other| other.share_in(facts) >= SAME_PEOPLE);
        if serves && facts.share_in(hub.ids) < SAME_PEOPLE {
            let name = words::plain(&facts.name);
            systems.push(System::new(name.clone(), facts.distinct.clone()));
            columns.insert(name, facts.name.clone());
        }
    }
    if systems.is_empty() {
        return None;
    }
    let notes = vec![format!(
        "Whose the ids of other systems are: {} beside {}, by the ids that other files have.",
        columns.values().cloned().collect::<Vec<_>>().join(", "),
        whose.name
    )];
    let columns = IdentityColumns::Wide {
        person: whose.name.clone(),
        systems: columns,
        probability: probability(table).map(|facts| facts.name.clone()),
    };
    Some((Taken { name: "identities".to_owned(), table: place, columns, notes }, systems))
}

/// A row for each id: a column says of which system it is.
fn crosswalk((place, table): (usize, &Table), whose: &Facts, others: &[&Facts]) -> Option<Crosswalk> {
    let locals = table.columns.iter().filter(|facts| facts.name != whose.name && is_local(facts));
    let kinds = table.columns.iter().filter(|facts| {
        facts.filled as f64 >= MOST * facts.marks.len() as f64
            && facts.values.as_ref().is_some_and(|values| (2..=20).contains(&values.len()))
    });
    let kinds: Vec<&Facts> = kinds.collect();
    for local in locals {
        for kind in &kinds {
            let systems: Vec<System> = kind
                .values
                .iter()
                .flatten()
                .map(|(text, _)| {
                    let wanted = Facts::mark_of(text);
                    let rows = kind.marks.iter().zip(&local.marks);
                    let of_it = rows.filter(|(held, id)| **held == wanted && **id != 0).map(|(_, id)| *id);
                    System::new(text.clone(), of_it.collect())
                })
                .collect();
            // A system has all ids of a file. Half of them are anybody's: the women's, or those of one year.
            let serves = |system: &System| others.iter().any(|other| system.share(other) >= MOST);
            if !systems.iter().any(serves) {
                continue;
            }
            let day = |role: DateRole| {
                let of = |facts: &&Facts| is_date(facts) && words::date_role(&facts.name) == Some(role);
                table.columns.iter().find(of).map(|facts| facts.name.clone())
            };
            let notes = vec![format!(
                "Whose the ids of other systems are: {} says which system, by the ids that other files have.",
                kind.name
            )];
            let columns = IdentityColumns::Crosswalk {
                system: kind.name.clone(),
                local: vec![local.name.clone()],
                person: whose.name.clone(),
                from: day(DateRole::Occurred),
                to: day(DateRole::Ended),
                probability: probability(table).map(|facts| facts.name.clone()),
            };
            return Some((Taken { name: "identities".to_owned(), table: place, columns, notes }, systems));
        }
    }
    None
}

/// How sure a linkage is.
fn probability(table: &Table) -> Option<&Facts> {
    table.columns.iter().find(|facts| {
        words::has(&facts.name, &words::LINKS)
            && is_number(facts)
            && facts.smallest >= 0.0
            && facts.largest <= 1.0
    })
}

/// Ids that were merged into others. A second column of people's ids may be anybody's (a sibling's), so its name has to
/// say it.
fn merged((place, table): (usize, &Table), hub: Hub<'_>) -> Option<Taken<IdentityColumns>> {
    let is_id = |facts: &&Facts| !is_date(facts) && facts.fractions == 0 && !facts.distinct.is_empty();
    let of_people = |facts: &Facts| facts.share_in(hub.ids) >= SAME_PEOPLE;
    let says_old = table.columns.iter().any(|facts| words::has(&facts.name, &words::OLD));
    let says_so = |facts: &Facts| {
        words::has(&facts.name, &words::MERGED) || says_old && words::has(&facts.name, &words::NEW)
    };
    let named = |facts: &&Facts| says_so(facts) && of_people(facts);
    let candidates = table.columns.iter().filter(is_id).filter(named);
    let into = candidates.max_by_key(|facts| words::has(&facts.name, &words::INTO))?;
    let rest = || table.columns.iter().filter(is_id).filter(|facts| facts.name != into.name);
    let once = |facts: &&Facts| facts.distinct.len() as f64 >= MOST * facts.filled as f64;
    let listed = person(table, hub).map(|(ids, _)| ids).filter(|ids| ids.name != into.name);
    let old = rest()
        .find(|facts| words::has(&facts.name, &words::OLD))
        .or(listed)
        .or_else(|| rest().filter(once).find(|facts| words::has(&facts.name, &words::IDS)))?;
    // On a list of people the only day is seldom that of a merge.
    let is_list = birth(table).is_some();
    let is_day = |facts: &&Facts| {
        let is_other = words::is_birth(&facts.name) || words::has(&facts.name, &words::DEATHS);
        let is_alone = !is_list && !is_other && words::date_role(&facts.name).is_some();
        is_date(facts) && (words::has(&facts.name, &words::MERGED) || is_alone)
    };
    let on = table.columns.iter().find(is_day).map(|facts| facts.name.clone());
    let mut notes = vec![format!("Ids that were merged into others: {} into {}.", old.name, into.name)];
    if on.is_none() {
        notes.push(format!(
            "{DECIDE}no column says when they were merged, so all records count as the person's from the first day on. \
             Can the system say it?"
        ));
    }
    let columns =
        IdentityColumns::Merged { old: old.name.clone(), into: into.name.clone(), on, system: None };
    Some(Taken { name: "identities".to_owned(), table: place, columns, notes })
}
