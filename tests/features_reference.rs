//! Every measure defined a second time, slowly and from its documentation alone, and compared with the
//! crate's one pass over columns.

use std::collections::BTreeSet;

use earlyhelp::calendar::{AsOf, Day, Lookback};
use earlyhelp::cohort::{Cohort, CohortSpec, Unit};
use earlyhelp::features::{Cell, Feature, FeatureSpec, Measure, Scope};
use earlyhelp::records::{Coverage, Role, Selector};
use proptest::prelude::*;

use crate::world::{Dice, Person, Row, Source, World, as_of, mappings, wild, wild_date, wild_features};

/// The world as it was known at a date, read with plain loops.
struct Reference<'w> {
    world: &'w World,
    as_of: AsOf,
    today: i32,
}

/// What the reference says of one cell: what it may be, and the references of the records behind it.
struct Answer {
    allowed: Vec<Cell>,
    behind: Vec<BTreeSet<String>>,
}

impl Answer {
    fn one(cell: Cell, behind: BTreeSet<String>) -> Self {
        Self { allowed: vec![cell], behind: vec![behind] }
    }
}

impl<'w> Reference<'w> {
    fn new(world: &'w World, as_of: AsOf) -> Self {
        Self { world, as_of, today: as_of.day().epoch_days() }
    }

    fn person(&self, id: &str) -> &'w Person {
        self.world.people.iter().find(|person| person.id == id).unwrap()
    }

    fn age(&self, id: &str) -> Option<i32> {
        let born = Day::from_epoch_days(self.person(id).born?);
        let ((y, m, d), (by, bm, bd)) = (self.as_of.day().ymd(), born.ymd());
        let years = i32::from(y) - i32::from(by);
        Some(if (m, d) < (bm, bd) { years - 1 } else { years })
    }

    /// The household joined last of those that the person is known to be in; of two joined on one day
    /// the first by name.
    fn household(&self, id: &str) -> Option<String> {
        let lag = self.world.household_lag;
        let mut best: Option<(i32, &str)> = None;
        for spell in self.world.spells.iter().filter(|spell| spell.person == id) {
            let known = |day: i32| day <= self.today && day + lag < self.today;
            if spell.start.is_some_and(|start| !known(start)) || spell.end.is_some_and(known) {
                continue;
            }
            let since = spell.start.unwrap_or(i32::MIN);
            let better = best.is_none_or(|(held, name)| {
                since > held || (since == held && spell.household.as_str() < name)
            });
            if better {
                best = Some((since, &spell.household));
            }
        }
        best.map(|(_, name)| name.to_owned())
    }

    fn members(&self, household: &str) -> Vec<String> {
        let mut members: Vec<String> = self.world.people.iter().map(|person| person.id.clone()).collect();
        members.retain(|id| self.household(id).as_deref() == Some(household));
        members.sort();
        members
    }

    /// How often a person came into another household since a day.
    fn moves(&self, id: &str, since: i32) -> usize {
        let mut known: Vec<(i32, &str)> = self
            .world
            .spells
            .iter()
            .filter(|spell| spell.person == id)
            .filter(|spell| spell.start.is_none_or(|start| start + self.world.household_lag < self.today))
            .map(|spell| (spell.start.unwrap_or(i32::MIN), spell.household.as_str()))
            .collect();
        known.sort_unstable();
        (1..known.len()).filter(|&at| known[at].1 != known[at - 1].1 && known[at].0 >= since).count()
    }

    /// A row's end as known at the date; `i32::MAX` while it is open.
    fn end(&self, source: &Source, row: &Row) -> i32 {
        match (row.ended, source.ended_known(row)) {
            (Some(end), Some(known)) if known < self.today => end,
            _ => i32::MAX,
        }
    }

    /// A person's rows that were known before the date and that the selector means.
    fn rows(&self, source: &'w Source, id: &str, selector: &Selector) -> Vec<&'w Row> {
        let has_role = source.mapping.columns.role.is_some();
        let mut found = Vec::new();
        for row in &source.rows {
            let role = if has_role { row.role.unwrap_or(Role::Subject) } else { Role::Subject };
            let place_fits = selector
                .categories
                .get("place")
                .is_none_or(|wanted| row.place.as_ref().is_some_and(|place| wanted.contains(place)));
            let fits = row.person == id
                && source.known(row) < self.today
                && (selector.kinds.is_empty() || selector.kinds.contains(&row.kind))
                && (selector.roles.is_empty() || selector.roles.contains(&role))
                && place_fits;
            if fits {
                found.push(row);
            }
        }
        found
    }

    /// Whether the source's silence about a person since a day says that nothing happened.
    fn covered(&self, source: &Source, id: &str, start: i32, whole_past: bool) -> bool {
        let coverage = &source.mapping.coverage;
        let allowed = coverage.stale_after_days.unwrap_or(Coverage::STALE_AFTER_DAYS) as i32;
        if coverage.to.is_some_and(|to| to.epoch_days() < self.today - 1 - allowed) {
            return false;
        }
        if let (Some((youngest, oldest)), Some(age)) = (coverage.ages, self.age(id))
            && (age < i32::from(youngest) || age > i32::from(oldest))
        {
            return false;
        }
        // Without a declared beginning: the first day of what was known at the date.
        let known = source.rows.iter().filter(|row| source.known(row) < self.today);
        let found = known.map(|row| row.occurred).min();
        let Some(from) = coverage.from.map(Day::epoch_days).or(found) else { return false };
        let needed = self.person(id).born.map_or(start, |born| start.max(born));
        if !whole_past && from > needed {
            return false;
        }
        coverage.roster.as_ref().is_none_or(|name| {
            let roster = self.world.source(name);
            self.rows(roster, id, &Selector::source(name))
                .iter()
                .any(|row| row.occurred <= self.today && self.end(roster, row) > start)
        })
    }

    fn answer(&self, feature: &Feature, own: &[String], person: Option<&str>) -> Answer {
        if feature.measure == Measure::Age {
            let youngest = own.iter().filter_map(|id| self.age(id)).min();
            let cell = youngest.map_or(Cell::Missing, |age| Cell::Value(age as f32));
            return Answer::one(cell, BTreeSet::new());
        }
        if matches!(feature.measure, Measure::Members(..) | Measure::Moves) {
            let home = person.map_or(Some(String::new()), |id| self.household(id));
            let cell = match (&feature.measure, home) {
                (_, None) => Cell::Missing,
                (Measure::Members(from, to), Some(home)) => {
                    let members = person.map_or_else(|| own.to_vec(), |_| self.members(&home));
                    let ages: Option<Vec<i32>> = members.iter().map(|id| self.age(id)).collect();
                    let of_age = |ages: Vec<i32>| {
                        ages.into_iter()
                            .filter(|age| (i32::from(*from)..=i32::from(*to)).contains(age))
                            .count()
                    };
                    ages.map(of_age).map_or(Cell::Missing, |count| Cell::Value(count as f32))
                }
                _ => {
                    let since = feature.over.start(self.as_of).epoch_days();
                    let most = own.iter().map(|id| self.moves(id, since)).max();
                    most.map_or(Cell::Missing, |moves| Cell::Value(moves as f32))
                }
            };
            return Answer::one(cell, BTreeSet::new());
        }
        let people: Vec<String> = match (feature.scope, person) {
            (Scope::Household, Some(id)) => match self.household(id) {
                None => return Answer::one(Cell::Missing, BTreeSet::new()),
                Some(home) => self.members(&home).into_iter().filter(|other| other != id).collect(),
            },
            _ => own.to_vec(),
        };
        let source = self.world.source(&feature.records.source);
        let start = feature.over.start(self.as_of).epoch_days();
        let before = feature.over.start_of_previous(self.as_of).map(Day::epoch_days);
        let since = match feature.measure {
            Measure::PresentNow => self.today,
            Measure::Change => before.unwrap(),
            _ => start,
        };
        let ever = feature.over == Lookback::Ever && feature.measure != Measure::PresentNow;
        let rows: Vec<&Row> = people.iter().flat_map(|id| self.rows(source, id, &feature.records)).collect();
        let mut answer = self.measure(&feature.measure, source, &rows, (start, before));
        let covered = people.iter().any(|id| self.covered(source, id, since, ever));
        // With nobody else in the household there is nobody of whom the source could be silent.
        let alone = feature.scope == Scope::Household && people.is_empty();
        if !covered && !alone {
            answer.allowed = vec![Cell::NotCovered];
        }
        answer
    }

    fn measure(
        &self,
        measure: &Measure,
        source: &Source,
        rows: &[&Row],
        (start, before): (i32, Option<i32>),
    ) -> Answer {
        let within = |from: i32| -> Vec<&Row> {
            rows.iter().copied().filter(|row| row.occurred >= from && row.occurred < self.today).collect()
        };
        let window = within(start);
        let valued: Vec<&Row> = window.iter().copied().filter(|row| row.value.is_some()).collect();
        let value = |row: &Row| row.value.unwrap() as f32;
        let first = window.iter().map(|row| row.occurred).min();
        let last = window.iter().map(|row| row.occurred).max();
        let all = |cell: Cell| Answer::one(cell, references(&window));
        let number = |n: usize| Cell::Value(n as f32);
        match measure {
            Measure::Count => all(number(window.len())),
            Measure::Any => all(number(usize::from(!window.is_empty()))),
            Measure::DistinctKinds => all(number(distinct(window.iter().map(|row| &row.kind)))),
            Measure::Distinct(_) => all(number(distinct(window.iter().filter_map(|row| row.place.as_ref())))),
            Measure::DistinctDays => all(number(distinct(window.iter().map(|row| &row.occurred)))),
            Measure::Sum => {
                // Records of which no value is known do not sum to nothing.
                let is_unknown = valued.is_empty() && !window.is_empty();
                let sum = valued.iter().map(|row| value(row)).sum();
                let cell = if is_unknown { Cell::Missing } else { Cell::Value(sum) };
                Answer::one(cell, references(&valued))
            }
            Measure::Mean => {
                let sum: f32 = valued.iter().map(|row| value(row)).sum();
                let cell = Some(sum / valued.len() as f32).filter(|_| !valued.is_empty());
                Answer::one(cell.map_or(Cell::Missing, Cell::Value), references(&valued))
            }
            Measure::Max | Measure::Min => {
                let further = if *measure == Measure::Max { f32::max } else { f32::min };
                let extreme = valued.iter().map(|row| value(row)).reduce(further);
                let behind: Vec<&Row> =
                    valued.iter().copied().filter(|row| Some(value(row)) == extreme).collect();
                Answer::one(extreme.map_or(Cell::Missing, Cell::Value), references(&behind))
            }
            Measure::Share => share(&valued),
            Measure::Slope => slope(&valued, value),
            Measure::LatestIs { value, .. } => {
                let placed = window.iter().copied().filter(|row| row.place.is_some());
                let day = placed.clone().map(|row| row.occurred).max();
                either(placed.filter(|row| Some(row.occurred) == day), |row| {
                    f32::from(u8::from(row.place.as_ref() == Some(value)))
                })
            }
            Measure::LatestOf { codes, .. } => {
                let placed = window.iter().copied().filter(|row| row.place.is_some());
                let day = placed.clone().map(|row| row.occurred).max();
                either(placed.filter(|row| Some(row.occurred) == day), |row| {
                    let place = row.place.as_ref().unwrap();
                    codes.iter().position(|code| code == place).map_or(codes.len() as f32, |at| at as f32)
                })
            }
            Measure::DaysSinceChange(_) => {
                let past: Vec<&Row> = rows
                    .iter()
                    .copied()
                    .filter(|row| row.occurred < self.today && row.place.is_some())
                    .collect();
                self.last_change(&past, start)
            }
            Measure::Latest => {
                let day = valued.iter().map(|row| row.occurred).max();
                either(valued.iter().copied().filter(|row| Some(row.occurred) == day), value)
            }
            Measure::DaysSinceLast => {
                either(window.iter().copied().filter(|row| Some(row.occurred) == last), |row| {
                    (self.today - row.occurred) as f32
                })
            }
            Measure::DaysSinceFirst => {
                either(window.iter().copied().filter(|row| Some(row.occurred) == first), |row| {
                    (self.today - row.occurred) as f32
                })
            }
            Measure::Change => {
                let both = within(before.unwrap());
                let change = 2 * window.len() as i32 - both.len() as i32;
                Answer::one(Cell::Value(change as f32), references(&both))
            }
            Measure::DaysOpen => {
                let open = |row: &Row, day: i32| row.occurred <= day && self.end(source, row) > day;
                let from = start.max(rows.iter().map(|row| row.occurred).min().unwrap_or(self.today));
                let days = (from..self.today).filter(|&day| rows.iter().any(|row| open(row, day))).count();
                let behind: Vec<&Row> = rows
                    .iter()
                    .copied()
                    .filter(|row| row.occurred < self.today && self.end(source, row) > start)
                    .collect();
                Answer::one(number(days), references(&behind))
            }
            Measure::PresentNow => {
                let open = |row: &Row| row.occurred <= self.today && self.end(source, row) > self.today;
                let behind: Vec<&Row> = rows.iter().copied().filter(|row| open(row)).collect();
                Answer::one(number(usize::from(!behind.is_empty())), references(&behind))
            }
            other => panic!("the reference does not define {other:?}"),
        }
    }
}

/// The values in hundredths of what they are part of, over the records that say both.
fn share(valued: &[&Row]) -> Answer {
    let told: Vec<&Row> = valued.iter().copied().filter(|row| row.of.is_some()).collect();
    let sum: f64 = told.iter().map(|row| row.value.unwrap()).sum();
    let of: f64 = told.iter().map(|row| row.of.unwrap()).sum();
    let cell = if of > 0.0 { Cell::Value((100.0 * sum / of) as f32) } else { Cell::Missing };
    Answer::one(cell, references(&told))
}

/// The slope of the values by day, in two passes over centred values.
fn slope(valued: &[&Row], value: impl Fn(&Row) -> f32) -> Answer {
    let n = valued.len() as f64;
    let mean_day = valued.iter().map(|row| f64::from(row.occurred)).sum::<f64>() / n;
    let mean = valued.iter().map(|row| f64::from(value(row))).sum::<f64>() / n;
    let off = |row: &Row| f64::from(row.occurred) - mean_day;
    let spread: f64 = valued.iter().map(|row| off(row).powi(2)).sum();
    let together: f64 = valued.iter().map(|row| off(row) * (f64::from(value(row)) - mean)).sum();
    let days = distinct(valued.iter().map(|row| &row.occurred));
    let cell = if days < 2 { Cell::Missing } else { Cell::Value((30.0 * together / spread) as f32) };
    Answer::one(cell, references(valued))
}

/// Two records between which a place changed.
type Change<'a> = Option<(&'a Row, &'a Row)>;

impl Reference<'_> {
    /// Records of one day may have come in any order, and each gives its answer.
    fn last_change(&self, rows: &[&Row], start: i32) -> Answer {
        let people: BTreeSet<&str> = rows.iter().map(|row| row.person.as_str()).collect();
        let of_people: Vec<Vec<Change<'_>>> = people
            .into_iter()
            .map(|person| {
                let own = rows.iter().copied().filter(|row| row.person == person);
                let mut changes = possible_changes(&own.collect::<Vec<_>>());
                for change in &mut changes {
                    *change = change.filter(|(_, after)| after.occurred >= start);
                }
                changes
            })
            .collect();
        let day = |change: &Change<'_>| change.map_or(i32::MIN, |(_, after)| after.occurred);
        let mut answer = Answer { allowed: Vec::new(), behind: Vec::new() };
        for (place, changes) in of_people.iter().enumerate() {
            let others = of_people.iter().enumerate().filter(|(other, _)| *other != place);
            let earliest = others.map(|(_, changes)| changes.iter().map(day).min().unwrap()).max();
            for change in changes.iter().filter(|change| day(change) >= earliest.unwrap_or(i32::MIN)) {
                answer.allowed.push(match change {
                    Some((_, after)) => Cell::Value((self.today - after.occurred) as f32),
                    None => Cell::Missing,
                });
                answer
                    .behind
                    .push(change.map_or_else(BTreeSet::new, |(before, after)| references(&[before, after])));
            }
        }
        if answer.allowed.is_empty() { Answer::one(Cell::Missing, BTreeSet::new()) } else { answer }
    }
}

/// The last change of each order in which one person's records may have come.
fn possible_changes<'a>(rows: &[&'a Row]) -> Vec<Change<'a>> {
    let days: BTreeSet<i32> = rows.iter().map(|row| row.occurred).collect();
    let mut states: Vec<(Option<&'a Row>, Change<'a>)> = vec![(None, None)];
    for day in days {
        let today: Vec<&'a Row> = rows.iter().copied().filter(|row| row.occurred == day).collect();
        let mut next: Vec<(Option<&'a Row>, Change<'a>)> = Vec::new();
        for order in orders(&today) {
            for &(mut before, mut change) in &states {
                for row in order.iter().copied() {
                    if let Some(held) = before.filter(|held| held.place != row.place) {
                        change = Some((held, row));
                    }
                    before = Some(row);
                }
                let names = |(last, change): &(Option<&Row>, Change<'_>)| {
                    let name = |row: &Row| row.reference.clone();
                    (last.map(name), change.map(|(before, after)| (name(before), name(after))))
                };
                let state = (before, change);
                if next.iter().all(|held| names(held) != names(&state)) {
                    next.push(state);
                }
            }
        }
        states = next;
    }
    states.into_iter().map(|(_, change)| change).collect()
}

fn orders<'a>(rows: &[&'a Row]) -> Vec<Vec<&'a Row>> {
    if rows.len() <= 1 {
        return vec![rows.to_vec()];
    }
    let mut all = Vec::new();
    for first in 0..rows.len() {
        let rest: Vec<&Row> =
            rows.iter().enumerate().filter(|(at, _)| *at != first).map(|(_, row)| *row).collect();
        all.extend(orders(&rest).into_iter().map(|order| [vec![rows[first]], order].concat()));
    }
    all
}

fn references(rows: &[&Row]) -> BTreeSet<String> {
    rows.iter().map(|row| row.reference.clone()).collect()
}

fn distinct<T: Ord>(items: impl Iterator<Item = T>) -> usize {
    items.collect::<BTreeSet<T>>().len()
}

/// A measure that rests on one of several records on one day: any of them will do, as long as the cell
/// and the record behind it are the same one's. Missing where there is none.
fn either<'a>(rows: impl Iterator<Item = &'a Row>, value: impl Fn(&Row) -> f32) -> Answer {
    let (allowed, behind): (Vec<Cell>, Vec<BTreeSet<String>>) =
        rows.map(|row| (Cell::Value(value(row)), references(&[row]))).unzip();
    if allowed.is_empty() { Answer::one(Cell::Missing, BTreeSet::new()) } else { Answer { allowed, behind } }
}

fn same(a: Cell, b: Cell) -> bool {
    match (a, b) {
        (Cell::Value(a), Cell::Value(b)) => (a - b).abs() <= 1e-5 * a.abs().max(b.abs()).max(1.0),
        _ => a == b,
    }
}

/// Compares every cell of a cohort, and the records behind it.
fn compare(world: &World, cohort: &Cohort<'_>, spec: &FeatureSpec) {
    let reference = Reference::new(world, cohort.as_of());
    let matrix = spec.compute(cohort).unwrap();
    for (row, id) in cohort.ids().enumerate() {
        let (own, person) = match cohort.unit() {
            Unit::Person => (vec![id.to_owned()], Some(id)),
            Unit::Family => (reference.members(id), None),
        };
        for (column, feature) in spec.features().iter().enumerate() {
            let answer = reference.answer(feature, &own, person);
            let cell = matrix.cell(row, column);
            let told = || format!("{id}: {feature:?}, as of {}", cohort.as_of());
            assert!(
                answer.allowed.iter().any(|&allowed| same(cell, allowed)),
                "{}\n got {cell:?}, not one of {:?}",
                told(),
                answer.allowed
            );
            if cell == Cell::NotCovered {
                continue;
            }
            let behind = spec.records_behind(cohort, row, column).unwrap();
            let names: BTreeSet<String> =
                behind.iter().map(|record| record.reference.clone().unwrap()).collect();
            assert_eq!(names.len(), behind.len(), "{}: a record stands twice", told());
            assert!(behind.iter().all(|record| record.source == feature.records.source));
            assert!(behind.windows(2).all(|pair| pair[0].occurred <= pair[1].occurred), "{}", told());
            let fits = answer.behind.iter().enumerate().any(|(nth, wanted)| {
                *wanted == names && answer.allowed.get(nth).is_none_or(|&a| same(cell, a))
            });
            assert!(fits, "{}\n cell {cell:?}, records {names:?}, wanted one of {:?}", told(), answer.behind);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn people_cell_by_cell(seed in any::<u64>(), people in 1_usize..9, rows in 2_usize..50) {
        let world = wild(seed, people, rows);
        let records = world.records();
        let spec = wild_features(&mut Dice::new(seed ^ 1), &world, false);
        let cohort = CohortSpec::default().choose(&records.as_of(wild_date())).unwrap();
        prop_assert_eq!(cohort.len(), people);
        compare(&world, &cohort, &spec);
    }

    #[test]
    fn families_cell_by_cell(seed in any::<u64>(), people in 2_usize..9, rows in 2_usize..50) {
        let world = wild(seed, people, rows);
        let records = world.records();
        let spec = wild_features(&mut Dice::new(seed ^ 2), &world, true);
        // A world in which nobody is known to live anywhere has no families.
        if let Ok(cohort) = CohortSpec::default().unit(Unit::Family).choose(&records.as_of(wild_date())) {
            compare(&world, &cohort, &spec);
        }
    }

    #[test]
    fn any_date_will_do(seed in any::<u64>(), offset in -60_i32..60) {
        let world = wild(seed, 4, 30);
        let records = world.records();
        let spec = wild_features(&mut Dice::new(seed ^ 3), &world, false);
        let date = AsOf::new(wild_date().day() + offset);
        compare(&world, &CohortSpec::default().choose(&records.as_of(date)).unwrap(), &spec);
    }
}

/// The reference itself, held against figures worked out by hand.
#[test]
fn the_reference_agrees_with_a_case_worked_out_by_hand() {
    let mut mapping = mappings().into_iter().find(|mapping| mapping.name == "police").unwrap();
    mapping.coverage.from = Some("2020-01-01".parse().unwrap());
    let today = as_of("2024-03-31").day().epoch_days();
    let row = |days_ago: i32, known_after: i32, value: f64, reference: &str| Row {
        person: "p".into(),
        kind: "theft".into(),
        occurred: today - days_ago,
        known: today - days_ago + known_after,
        value: Some(value),
        reference: reference.into(),
        ..Row::default()
    };
    // The last one became known on the day itself, and is not seen.
    let rows = vec![row(10, 2, 3.0, "a"), row(30, 0, 8.0, "b"), row(31, 0, 5.0, "c"), row(4, 4, 99.0, "d")];
    let world = World {
        people: vec![Person { id: "p".into(), born: None }],
        spells: vec![],
        household_lag: 0,
        sources: vec![Source { mapping, rows }],
        sex: vec![],
    };
    let reference = Reference::new(&world, as_of("2024-03-31"));
    let of = |measure, over| {
        let feature = Feature::new(Selector::source("police"), measure, over);
        let answer = reference.answer(&feature, &["p".to_owned()], Some("p"));
        (answer.allowed[0], answer.behind[0].iter().cloned().collect::<String>())
    };
    let month = Lookback::Days(30);
    assert_eq!(of(Measure::Count, month), (Cell::Value(2.0), "ab".into()));
    assert_eq!(of(Measure::Sum, month), (Cell::Value(11.0), "ab".into()));
    assert_eq!(of(Measure::Max, Lookback::Ever), (Cell::Value(8.0), "b".into()));
    assert_eq!(of(Measure::Latest, month), (Cell::Value(3.0), "a".into()));
    assert_eq!(of(Measure::Change, month), (Cell::Value(1.0), "abc".into()));
    assert_eq!(of(Measure::DaysSinceLast, month), (Cell::Value(10.0), "a".into()));
    assert_eq!(of(Measure::DaysSinceLast, Lookback::Days(3)), (Cell::Missing, String::new()));
}
