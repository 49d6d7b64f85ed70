//! A table of events as an Arrow file, one column for each of its own.

use std::fs::File;
use std::io::{self, Seek as _};

use polars::io::{SerReader as _, SerWriter as _};
use polars::prelude::{Column, DataFrame, IpcReader, IpcWriter, NamedFromOwned, PolarsResult, Series};

use super::column::Texts;
use super::events::{Episodes, EventTable, KnownDays, References, Role};
use super::link::LinkProbability;

/// What a file does not say by its columns.
#[derive(Debug, Clone, Copy)]
pub(super) struct Width {
    pub(super) people: usize,
    pub(super) categories: usize,
    /// The days after which a record is known, where no column says when it was.
    pub(super) lag: Option<i32>,
}

/// The days after which the records of a table are known, where no column says when they were.
pub(super) fn lag(events: &EventTable) -> Option<i32> {
    match events.known {
        KnownDays::Lag(lag) => Some(lag),
        KnownDays::Told(_) => None,
    }
}

/// Writes a table. Of people only those at `places` have rows, and are numbered as they stand there; without it as they are.
pub(super) fn write(events: EventTable, places: Option<&[u32]>, file: &File) -> io::Result<Width> {
    let people = events.people() as usize;
    let rows = events.rows();
    let mut person = vec![0_u32; rows];
    let mut number = |nth: usize, place: usize| {
        person[events.starts[place] as usize..events.starts[place + 1] as usize].fill(nth as u32);
    };
    match places {
        None => (0..people).for_each(|place| number(place, place)),
        Some(places) => places.iter().enumerate().for_each(|(nth, &place)| number(nth, place as usize)),
    }
    let lag = lag(&events);
    let EventTable {
        starts: _,
        occurred,
        known,
        kind,
        episodes,
        value,
        of,
        role,
        categories,
        references,
        incident,
        link,
        superseded,
    } = events;
    let width = Width { people: places.map_or(people, <[u32]>::len), categories: categories.len(), lag };
    let mut columns: Vec<Column> =
        vec![named("person", person), named("occurred", occurred), named("kind", kind)];
    if let KnownDays::Told(days) = known {
        columns.push(named("known", days));
    }
    if let Some(Episodes { ended, ended_known }) = episodes {
        columns.extend([named("ended", ended), named("ended_known", ended_known)]);
    }
    columns.extend(value.map(|values| named("value", values)));
    columns.extend(of.map(|values| named("of", values)));
    columns.extend(
        role.map(|roles| named("role", roles.into_iter().map(|role| role as u8).collect::<Vec<u8>>())),
    );
    columns.extend(categories.into_iter().enumerate().map(|(nth, codes)| named(&category(nth), codes)));
    columns.extend(incident.map(|codes| named("incident", codes)));
    columns.extend(
        link.map(|links| named("link", links.into_iter().map(LinkProbability::parts).collect::<Vec<u16>>())),
    );
    columns.extend(superseded.map(|days| named("superseded", days)));
    if let Some(References { texts, place }) = references {
        let in_order = place.iter().map(|&place| texts.at(place as usize));
        columns.push(in_order.collect::<Series>().with_name("reference".into()).into());
    }
    let mut frame = DataFrame::new(rows, columns).map_err(io::Error::other)?;
    IpcWriter::new(file).finish(&mut frame).map_err(io::Error::other)?;
    Ok(width)
}

/// The table of a file that [`write`] wrote.
pub(super) fn read(file: &File, width: &Width) -> Result<EventTable, String> {
    let columns = Columns::of(file)?;
    let person: Vec<u32> = columns.needed("person")?;
    let mut starts = vec![0_u32; width.people + 1];
    for person in person {
        *starts.get_mut(person as usize + 1).ok_or("a person is not on the list")? += 1;
    }
    for nth in 0..width.people {
        starts[nth + 1] += starts[nth];
    }
    let episodes = match (columns.numbers("ended")?, columns.numbers("ended_known")?) {
        (Some(ended), Some(ended_known)) => Some(Episodes { ended, ended_known }),
        _ => None,
    };
    let roles: Option<Vec<u8>> = columns.numbers("role")?;
    let role = |code: u8| Role::ALL.into_iter().find(|role| *role as u8 == code).ok_or("a role has no name");
    let links: Option<Vec<u16>> = columns.numbers("link")?;
    let link = |parts: u16| LinkProbability::of_parts(parts).ok_or("a link is surer than certain");
    Ok(EventTable {
        starts,
        occurred: columns.needed("occurred")?,
        known: match width.lag {
            Some(lag) => KnownDays::Lag(lag),
            None => KnownDays::Told(columns.needed("known")?),
        },
        kind: columns.needed("kind")?,
        episodes,
        value: columns.numbers("value")?,
        of: columns.numbers("of")?,
        role: roles.map(|codes| codes.into_iter().map(role).collect::<Result<_, _>>()).transpose()?,
        categories: (0..width.categories)
            .map(|nth| columns.needed(&category(nth)))
            .collect::<Result<_, _>>()?,
        references: columns.references()?,
        incident: columns.numbers("incident")?,
        link: links.map(|parts| parts.into_iter().map(link).collect::<Result<_, _>>()).transpose()?,
        superseded: columns.numbers("superseded")?,
    })
}

/// Writes ids, and which of them are accepted.
pub(super) fn write_ids(ids: &[String], accepted: &[bool], file: &File) -> io::Result<()> {
    let accepted: Vec<u8> = accepted.iter().map(|&is| u8::from(is)).collect();
    let columns = vec![
        ids.iter().map(String::as_str).collect::<Series>().with_name("id".into()).into(),
        named("accepted", accepted),
    ];
    let mut frame = DataFrame::new(ids.len(), columns).map_err(io::Error::other)?;
    IpcWriter::new(file).finish(&mut frame).map_err(io::Error::other)
}

/// The ids of a file that [`write_ids`] wrote.
pub(super) fn read_ids(file: &File) -> Result<(Vec<String>, Vec<bool>), String> {
    let columns = Columns::of(file)?;
    let series = columns.series("id")?.ok_or("it has no ids")?;
    let held = series.str().map_err(|error| error.to_string())?;
    let ids = held.iter().map(|id| id.map(str::to_owned)).collect::<Option<_>>().ok_or("an id is missing")?;
    let accepted: Vec<u8> = columns.needed("accepted")?;
    Ok((ids, accepted.into_iter().map(|is| is == 1).collect()))
}

fn category(nth: usize) -> String {
    format!("category {nth}")
}

fn named<T>(name: &str, values: Vec<T>) -> Column
where
    Series: NamedFromOwned<Vec<T>>,
{
    Series::from_vec(name.into(), values).into()
}

/// The columns of a file, read one at a time: a whole frame would stand beside the table that is made of it.
struct Columns<'f> {
    file: &'f File,
    names: Vec<String>,
}

impl<'f> Columns<'f> {
    fn of(file: &'f File) -> Result<Self, String> {
        let schema = Self::reader(file)?.schema().map_err(|error| error.to_string())?;
        Ok(Self { file, names: schema.iter_names().map(ToString::to_string).collect() })
    }

    fn reader(mut file: &File) -> Result<IpcReader<File>, String> {
        file.rewind().and_then(|()| file.try_clone()).map(IpcReader::new).map_err(|error| error.to_string())
    }

    /// `None` where the file has no such column.
    fn series(&self, name: &str) -> Result<Option<Series>, String> {
        if !self.names.iter().any(|held| held == name) {
            return Ok(None);
        }
        let read = Self::reader(self.file)?.with_columns(Some(vec![name.to_owned()])).finish();
        let frame = read.map_err(|error| error.to_string())?;
        let column = frame.columns().first().ok_or("a column is not there")?;
        Ok(Some(column.as_materialized_series().clone()))
    }

    fn numbers<T: Number>(&self, name: &str) -> Result<Option<Vec<T>>, String> {
        let Some(series) = self.series(name)? else { return Ok(None) };
        T::of(&series).map(Some).map_err(|error| error.to_string())
    }

    fn needed<T: Number>(&self, name: &str) -> Result<Vec<T>, String> {
        self.numbers(name)?.ok_or_else(|| format!("it has no column \"{name}\""))
    }

    fn references(&self) -> Result<Option<References>, String> {
        let Some(series) = self.series("reference")? else { return Ok(None) };
        let held = series.str().map_err(|error| error.to_string())?;
        let mut texts = Texts::default();
        held.iter().for_each(|text| texts.push(text.unwrap_or_default()));
        let place = (0..texts.len() as u32).collect();
        Ok(Some(References { texts, place }))
    }
}

/// A number that a column holds.
trait Number: Sized {
    fn of(series: &Series) -> PolarsResult<Vec<Self>>;
}

/// Gives a kind of number its column.
macro_rules! number {
    ($($number:ident),*) => {
        $(impl Number for $number {
            fn of(series: &Series) -> PolarsResult<Vec<Self>> {
                Ok(series.$number()?.cont_slice()?.to_vec())
            }
        })*
    };
}

number!(u8, u16, u32, i32, f32);
