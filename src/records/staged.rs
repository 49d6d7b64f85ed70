//! Staged tables: records as an engine holds them, in a form that is plain enough for SQL. They are written of records, and
//! read back.

use std::sync::Arc;

use polars::prelude::{Column, DataFrame, DataType, IntoColumn, NamedFrom, PolarsResult, Series};

use super::Records;
use super::column::NO_DAY;
use super::dictionary::{Dictionary, NONE};
use super::events::{Episodes, EventTable, KnownDays, OPEN, References, Role};
use super::kept::Kept;
use super::link::LinkProbability;
use super::mapping::{Coverage, EventColumns, Known};
use super::people::{Households, Partings, People, Spell, families};
use super::reject::Intake;
use super::source::{Source, begins};
use crate::calendar::Day;
use crate::error::RecordsError;

/// How the staged table of a source looks.
pub(crate) struct StagedAs<'p> {
    pub(crate) source: &'p str,
    pub(crate) table: &'p str,
    pub(crate) columns: &'p EventColumns,
    pub(crate) coverage: &'p Coverage,
    /// Each category that the mapping keeps, with its column.
    pub(crate) categories: Vec<(&'p str, &'p str)>,
}

impl StagedAs<'_> {
    fn has_episodes(&self) -> bool {
        self.columns.ended.is_some() || self.columns.lasts_days.is_some()
    }

    fn is_linked(&self) -> bool {
        self.columns.link_probability.is_some() || self.columns.system.is_some()
    }
}

/// The name of the table of people.
pub(crate) const PEOPLE_TABLE: &str = "eh_people";
/// The name of the table of who belonged to which household.
pub(crate) const STAYS_TABLE: &str = "eh_stays";

fn days(name: &str, days: impl Iterator<Item = Option<i32>>) -> Column {
    Series::new(name.into(), days.collect::<Vec<Option<i32>>>()).into_column()
}

fn texts<'a>(name: &str, texts: impl Iterator<Item = Option<&'a str>>) -> Column {
    Series::new(name.into(), texts.collect::<Vec<Option<&str>>>()).into_column()
}

fn numbers(name: &str, numbers: impl Iterator<Item = Option<f64>>) -> Column {
    Series::new(name.into(), numbers.collect::<Vec<Option<f64>>>()).into_column()
}

impl Records {
    /// Everybody, as a staged table.
    pub(crate) fn staged_people(&self) -> PolarsResult<DataFrame> {
        let people = &self.people;
        let all = || 0..people.len() as u32;
        let columns = vec![
            texts("person", people.ids.iter().map(|id| Some(&**id))),
            days("born", all().map(|person| people.born(person).map(Day::epoch_days))),
            days("died", all().map(|person| people.died(person))),
            days("left_day", all().map(|person| people.left(person))),
        ];
        DataFrame::new(people.len(), columns)
    }

    /// Who belonged to which household, as a staged table.
    pub(crate) fn staged_stays(&self) -> PolarsResult<DataFrame> {
        let (people, households, stays) = (&self.people.ids, &self.households.ids, self.stays());
        let known = |day: i32, none: i32| (day != none).then_some(day);
        let columns = vec![
            texts("person", stays.iter().map(|stay| Some(&*people[stay.person as usize]))),
            texts("household", stays.iter().map(|stay| Some(&*households[stay.household as usize]))),
            days("start_day", stays.iter().map(|stay| known(stay.start, i32::MIN))),
            days("end_day", stays.iter().map(|stay| known(stay.end, OPEN))),
            days("lag_days", stays.iter().map(|stay| Some(stay.lag))),
        ];
        DataFrame::new(stays.len(), columns)
    }

    /// The records of a source, as a staged table; `None` where there is no such source.
    pub(crate) fn staged_events(&self, staged: &StagedAs<'_>) -> Option<PolarsResult<DataFrame>> {
        let held = self.source(staged.source)?;
        let (events, people) = (&*held.events(), &self.people);
        let rows = || 0..events.rows();
        let of_row: Vec<(u32, i32)> = (0..people.len() as u32)
            .flat_map(|person| events.rows_of(person).zip(0..).map(move |(_, seq)| (person, seq)))
            .collect();
        let mut columns = vec![
            texts("person", of_row.iter().map(|&(person, _)| Some(&*people.ids[person as usize]))),
            days("seq", of_row.iter().map(|&(_, seq)| Some(seq))),
            days("occurred", rows().map(|row| Some(events.occurred[row]))),
            days("known", rows().map(|row| Some(events.known(row)))),
            days("superseded", rows().map(|row| events.superseded_on(row))),
            texts("kind", rows().map(|row| Some(&*held.kinds[usize::from(events.kind[row])]))),
            days("role", rows().map(|row| Some(events.role(row) as i32))),
        ];
        if staged.has_episodes() {
            let ended = |row| events.finally_ended(row).filter(|&day| day != OPEN);
            columns.push(days("ended", rows().map(ended)));
            columns.push(days("ended_known", rows().map(|row| events.end_known(row))));
        }
        for (name, values) in [("value", &events.value), ("part_of", &events.of)] {
            if let Some(values) = values {
                let values = values.iter().map(|&value| (!value.is_nan()).then_some(f64::from(value)));
                columns.push(numbers(name, values));
            }
        }
        if let Some(incidents) = &events.incident {
            columns.push(texts("incident", incidents.iter().map(|&code| held.incident(code))));
        }
        for (place, (_, column)) in staged.categories.iter().enumerate() {
            let (codes, (_, names)) = (&events.categories[place], &held.categories[place]);
            let name = |&code: &u32| names.get(code as usize).map(|name| &**name);
            columns.push(texts(column, codes.iter().map(name)));
        }
        if events.references.is_some() {
            let reference = |row| events.reference(row).filter(|text| !text.is_empty());
            columns.push(texts("reference", rows().map(reference)));
        }
        if let Some(links) = &events.link {
            columns.push(numbers("link", links.iter().map(|link| Some(link.value()))));
        }
        Some(DataFrame::new(events.rows(), columns))
    }

    /// Records that are read back from staged tables. `read` gives a table by its name.
    ///
    /// # Errors
    /// [`RecordsError::Staged`] where a table lacks a column, or holds what it cannot: a row of nobody, a day that is none. Nothing of it
    /// is turned away: whoever staged the rows accepted them.
    pub(crate) fn of_staged<E: From<RecordsError>>(
        sources: &[StagedAs<'_>],
        read: impl Fn(&str) -> Result<DataFrame, E>,
    ) -> Result<Self, E> {
        let people = everybody(&Table::new(PEOPLE_TABLE, read(PEOPLE_TABLE)?))?;
        let ids = Arc::clone(&people.ids);
        let table = Table::new(STAYS_TABLE, read(STAYS_TABLE)?);
        let (household_ids, spells) = spells(&table, &ids)?;
        let mut intake = vec![counted("people", people.ids.len()), counted("households", spells.len())];
        let family = families(people.ids.len(), &spells, household_ids.len());
        let mut held = Vec::new();
        for staged in sources {
            let table = Table::new(staged.table, read(staged.table)?);
            held.push(source(staged, &table, &ids)?);
            intake.push(counted(staged.source, table.frame.height()));
        }
        held.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(Self {
            people: People { family, ..people },
            households: Households { ids: household_ids.into(), spells },
            sources: held.into_iter().map(Arc::new).collect(),
            intake,
            rejects: Vec::new(),
            remarks: Vec::new(),
            tables: Vec::new(),
            unlisted: Vec::new(),
            way_back: Vec::new(),
            roads: Vec::new(),
            from_database: None,
        })
    }
}

fn counted(source: &str, rows: usize) -> Intake {
    Intake { source: source.to_owned(), read: rows as u64, accepted: rows as u64, rejected: 0 }
}

/// A table that is read back.
struct Table<'n> {
    name: &'n str,
    frame: DataFrame,
}

impl<'n> Table<'n> {
    fn new(name: &'n str, frame: DataFrame) -> Self {
        Self { name, frame }
    }

    fn fault(&self, why: impl Into<String>) -> RecordsError {
        RecordsError::Staged { table: self.name.to_owned(), why: why.into() }
    }

    fn column(&self, name: &str, kind: &DataType) -> Result<Column, RecordsError> {
        let column = self.frame.column(name).map_err(|_| self.fault(format!("it has no column {name}")))?;
        // Strict: a day that does not fit, or a text that is no number, is an error and no empty cell.
        column
            .strict_cast(kind)
            .map_err(|_| self.fault(format!("column {name} does not hold what it should ({kind})")))
    }

    fn whole(&self, name: &str) -> Result<Vec<Option<i32>>, RecordsError> {
        // A cast alone would cut half a day off, and take true and false for days.
        let held = self.frame.column(name).map(Column::dtype);
        if held.is_ok_and(|kind| !kind.is_integer() && *kind != DataType::Null) {
            return Err(self.fault(format!("column {name} does not hold whole numbers")));
        }
        let column = self.column(name, &DataType::Int32)?;
        let cells = column.i32().map_err(|error| self.fault(error.to_string()))?;
        Ok(cells.iter().collect())
    }

    /// A column of which no cell may be empty.
    fn all_whole(&self, name: &str) -> Result<Vec<i32>, RecordsError> {
        let cells = self.whole(name)?.into_iter().collect::<Option<Vec<i32>>>();
        cells.ok_or_else(|| self.fault(format!("column {name} has empty cells")))
    }

    fn numbers(&self, name: &str) -> Result<Vec<Option<f64>>, RecordsError> {
        let column = self.column(name, &DataType::Float64)?;
        let cells = column.f64().map_err(|error| self.fault(error.to_string()))?;
        Ok(cells.iter().map(|cell| cell.filter(|number| !number.is_nan())).collect())
    }

    /// Codes of texts in the order in which they are met; [`NONE`] where a cell is empty.
    fn codes(&self, name: &str) -> Result<(Dictionary, Vec<u32>), RecordsError> {
        let column = self.column(name, &DataType::String)?;
        let cells = column.str().map_err(|error| self.fault(error.to_string()))?;
        let mut texts = Dictionary::default();
        let codes = cells.iter().map(|cell| cell.map_or(NONE, |text| texts.intern(text))).collect();
        Ok((texts, codes))
    }

    /// Texts in their order, and for each row its place among them.
    fn sorted(&self, name: &str) -> Result<(Vec<Box<str>>, Vec<u32>), RecordsError> {
        let (texts, mut codes) = self.codes(name)?;
        let (texts, place) = texts.sorted(codes.iter().copied());
        for code in codes.iter_mut().filter(|code| **code != NONE) {
            *code = place[*code as usize];
        }
        Ok((texts, codes))
    }

    /// The people of the rows, by their places among all.
    fn people(&self, all: &[Box<str>]) -> Result<Vec<u32>, RecordsError> {
        let (texts, mut codes) = self.codes("person")?;
        let find = |text: &str| all.binary_search_by(|held| (**held).cmp(text)).ok();
        let places: Vec<Option<usize>> = texts.texts().map(find).collect();
        let mut nobody = 0_u64;
        for code in &mut codes {
            match places.get(*code as usize).copied().flatten() {
                Some(place) => *code = place as u32,
                None => nobody += 1,
            }
        }
        if nobody > 0 {
            return Err(self.fault(format!("{nobody} rows are of nobody who is in {PEOPLE_TABLE}")));
        }
        Ok(codes)
    }
}

/// From 1800 to 2200: no project says of other days that they can be.
const DAYS: std::ops::RangeInclusive<i32> = -62_091..=84_005;

impl Table<'_> {
    /// Refuses rows that begin outside of all days that can be, or end before they begin.
    fn check_days(&self, rows: impl Iterator<Item = (Option<i32>, Option<i32>)>) -> Result<(), RecordsError> {
        let is_wrong = |&(begun, ended): &(Option<i32>, Option<i32>)| {
            begun.is_some_and(|begun| !DAYS.contains(&begun) || ended.is_some_and(|ended| ended < begun))
        };
        match rows.filter(is_wrong).count() {
            0 => Ok(()),
            rows => Err(self.fault(format!(
                "{rows} rows begin on a day that cannot be, or end before they begin; the library would have turned them away"
            ))),
        }
    }
}

/// Everybody, each at their place in the order of ids.
fn everybody(table: &Table<'_>) -> Result<People, RecordsError> {
    let (ids, place) = table.sorted("person")?;
    let rows = table.frame.height();
    if ids.len() != rows || ids.is_empty() {
        return Err(table.fault("it does not hold everybody once"));
    }
    if ids.iter().any(|id| id.is_empty() || id.trim() != &**id) {
        return Err(table.fault("an id is empty, or has blanks around it"));
    }
    let put = |name: &str| -> Result<Vec<i32>, RecordsError> {
        let mut placed = vec![NO_DAY; rows];
        for (&place, day) in place.iter().zip(table.whole(name)?) {
            placed[place as usize] = day.unwrap_or(NO_DAY);
        }
        Ok(placed)
    };
    let partings = Partings { died: put("died")?, left: put("left_day")? };
    Ok(People { ids: ids.into(), born: put("born")?, partings, family: Vec::new() })
}

fn spells(table: &Table<'_>, people: &[Box<str>]) -> Result<(Vec<Box<str>>, Vec<Spell>), RecordsError> {
    let person = table.people(people)?;
    let (ids, household) = table.sorted("household")?;
    if household.contains(&NONE) {
        return Err(table.fault("column household has empty cells"));
    }
    let (start, end, lag) =
        (table.whole("start_day")?, table.whole("end_day")?, table.all_whole("lag_days")?);
    let spell = |row: usize| Spell {
        person: person[row],
        start: start[row].unwrap_or(i32::MIN),
        household: household[row],
        end: end[row].unwrap_or(OPEN),
        lag: lag[row],
    };
    let mut spells: Vec<Spell> = (0..person.len()).map(spell).collect();
    table.check_days(start.iter().copied().zip(end.iter().copied()))?;
    spells.sort_unstable();
    Ok((ids, spells))
}

fn source(staged: &StagedAs<'_>, table: &Table<'_>, people: &[Box<str>]) -> Result<Source, RecordsError> {
    let columns = staged.columns;
    let person = table.people(people)?;
    let (kinds, kind) = table.sorted("kind")?;
    if kinds.len() > usize::from(u16::MAX) || kind.contains(&NONE) {
        return Err(table.fault("column kind has empty cells, or too many kinds"));
    }
    let (occurred, known) = (table.all_whole("occurred")?, table.all_whole("known")?);
    let is_late =
        |lag: i32| occurred.iter().zip(&known).any(|(&day, &known)| day.saturating_add(lag) != known);
    let known = match columns.known {
        Known::LagDays(lag) if !is_late(lag) => KnownDays::Lag(lag),
        _ => KnownDays::Told(known),
    };
    let (mut categories, mut codes) = (Vec::new(), Vec::new());
    for (name, column) in &staged.categories {
        let (values, of_row) = table.sorted(column)?;
        categories.push(((*name).to_owned(), values));
        codes.push(of_row);
    }
    let (incidents, incident) = match columns.incident {
        Some(_) => table.sorted("incident").map(|(texts, codes)| (texts, Some(codes)))?,
        None => (Vec::new(), None),
    };
    let superseded = table.whole("superseded")?;
    let mut events = EventTable {
        starts: Vec::new(),
        occurred,
        known,
        kind: kind.into_iter().map(|kind| kind as u16).collect(),
        episodes: if staged.has_episodes() { Some(episodes(table)?) } else { None },
        value: values(table, "value", columns.value.is_some())?,
        of: values(table, "part_of", columns.of.is_some())?,
        role: if columns.role.is_some() { Some(roles(table)?) } else { None },
        categories: codes,
        references: if columns.reference.is_some() { Some(references(table)?) } else { None },
        incident,
        link: if staged.is_linked() { Some(links(table)?) } else { None },
        superseded: superseded
            .iter()
            .any(Option::is_some)
            .then(|| superseded.iter().map(|day| day.unwrap_or(OPEN)).collect()),
    };
    let day = |row: usize| (Some(events.occurred[row]), events.finally_ended(row));
    table.check_days((0..events.rows()).map(day))?;
    // In the library's own order: what stands in `seq` is for engines.
    events.sort(&person, people.len());
    Ok(Source {
        name: staged.source.to_owned(),
        coverage: staged.coverage.clone(),
        kinds,
        categories,
        begins: begins(&events),
        kept: Kept::at_hand(events),
        columns: columns.readable().map(str::to_owned).collect(),
        rules: None,
        unlisted: Vec::new(),
        incidents,
    })
}

fn episodes(table: &Table<'_>) -> Result<Episodes, RecordsError> {
    let ended = table.whole("ended")?.into_iter().map(|day| day.unwrap_or(OPEN)).collect();
    Ok(Episodes { ended, ended_known: table.all_whole("ended_known")? })
}

fn values(table: &Table<'_>, name: &str, is_there: bool) -> Result<Option<Vec<f32>>, RecordsError> {
    if !is_there {
        return Ok(None);
    }
    let values = table.numbers(name)?;
    Ok(Some(values.into_iter().map(|value| value.map_or(f32::NAN, |value| value as f32)).collect()))
}

fn roles(table: &Table<'_>) -> Result<Vec<Role>, RecordsError> {
    let role = |number: i32| Role::ALL.into_iter().find(|&role| role as i32 == number);
    let roles = table.all_whole("role")?.into_iter().map(role).collect::<Option<Vec<Role>>>();
    roles.ok_or_else(|| table.fault("column role holds a number that is no role's"))
}

fn references(table: &Table<'_>) -> Result<References, RecordsError> {
    let column = table.column("reference", &DataType::String)?;
    let cells = column.str().map_err(|error| table.fault(error.to_string()))?;
    let mut references = References::default();
    for (place, cell) in (0..).zip(cells.iter()) {
        references.texts.push(cell.unwrap_or_default());
        references.place.push(place);
    }
    Ok(references)
}

fn links(table: &Table<'_>) -> Result<Vec<LinkProbability>, RecordsError> {
    let link = |value: Option<f64>| value.map_or(Some(LinkProbability::CERTAIN), LinkProbability::new);
    let links = table.numbers("link")?.into_iter().map(link).collect::<Option<Vec<LinkProbability>>>();
    links.ok_or_else(|| table.fault("column link holds what does not lie between 0 and 1"))
}
