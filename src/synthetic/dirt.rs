//! Damage as real files have it, planted row by row, so that a reader can be held to account.

use std::collections::BTreeMap;

use serde::Serialize;

use super::random::{Draw, Purpose};
use super::table::{Cells, Column, CouncilFile};

/// One way in which a row is damaged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum DirtKind {
    /// The whole row stands a second time, below the first.
    RepeatedRow,
    /// The first date is no date: `31/02/2023` or `n/k`.
    UnreadableDate,
    /// The person is `UNKNOWN`.
    PlaceholderPerson,
    /// The person's id has the right form but is on no list.
    UnlistedPerson,
    /// There is no person.
    EmptyPerson,
    /// The spell ends before it starts.
    EndBeforeStart,
    /// The first date is written day first, `28/02/2023`: unusual here, but right.
    DayFirstDate,
    /// A word has a letter before it, `a) victim`: unusual here, but right.
    LetteredWord,
}

impl DirtKind {
    const ALL: [Self; 8] = [
        Self::RepeatedRow,
        Self::UnreadableDate,
        Self::PlaceholderPerson,
        Self::UnlistedPerson,
        Self::EmptyPerson,
        Self::EndBeforeStart,
        Self::DayFirstDate,
        Self::LetteredWord,
    ];

    /// Whether a reader must reject the row. A repeated row says nothing new, and is counted; the last two kinds are only
    /// unusual: the row is good.
    pub fn must_be_rejected(self) -> bool {
        !matches!(self, Self::RepeatedRow | Self::DayFirstDate | Self::LetteredWord)
    }
}

/// The rows of one file that were damaged in one way.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct PlantedDirt {
    /// The file.
    pub source: &'static str,
    /// The damage.
    pub kind: DirtKind,
    /// The damaged rows of the file as it is, from 0, without the header. For a repeated row this is
    /// the second of the two. No row is damaged twice.
    pub rows: Vec<usize>,
}

/// Files that are damaged. The people file is left alone: whom the council knows must be certain.
const DIRTY: [&str; 10] = [
    "protected",
    "school_roll",
    "attendance",
    "sen",
    "housing",
    "police",
    "domestic_abuse",
    "benefits",
    "referrals",
    "plans",
];
/// Share of a file's rows damaged in each way: with six to eight ways, under one percent altogether.
const SHARE: f64 = 0.001;

/// Damages the files, the same way for the same seed.
pub(super) fn plant(seed: u64, extracts: &mut [CouncilFile]) -> Vec<PlantedDirt> {
    let known = extracts.iter().find(|extract| extract.name == "people").map_or(0, CouncilFile::rows);
    let mut planted = Vec::new();
    for extract in extracts.iter_mut() {
        if let Some(place) = DIRTY.iter().position(|&name| name == extract.name) {
            let mut draw = Draw::stream(seed, Purpose::Dirt, place as u64);
            planted.extend(damage(extract, known, &mut draw));
        }
    }
    planted
}

/// Which column a kind of damage hits in a file; none if it has no place there.
fn target(extract: &CouncilFile, kind: DirtKind) -> Option<usize> {
    let named = |name: &str| extract.columns.iter().position(|column| column.name() == name);
    match kind {
        DirtKind::LetteredWord => named("role").or_else(|| named("sex")),
        // The protected file has no dates and one row a person: only its words are touched.
        _ if extract.name == "protected" => None,
        DirtKind::RepeatedRow => named("record_id"),
        DirtKind::UnreadableDate | DirtKind::DayFirstDate => named("occurred").or_else(|| named("start")),
        DirtKind::EndBeforeStart => named("end"),
        _ => named("person_id"),
    }
}

fn damage(extract: &mut CouncilFile, known: usize, draw: &mut Draw) -> Vec<PlantedDirt> {
    let rows = extract.rows();
    let wanted = ((rows as f64 * SHARE).round() as usize).max(1);
    let mut hit: BTreeMap<usize, DirtKind> = BTreeMap::new();
    for kind in DirtKind::ALL {
        let Some(column) = target(extract, kind) else { continue };
        let mut found = 0;
        // Tiny files may run out of rows that can be hit: then fewer are.
        for _ in 0..wanted * 50 {
            let row = (draw.unit() * rows as f64) as usize;
            let fits = row < rows && !extract.columns[column].cells().is_empty_cell(row);
            // One of them at least shows that the day comes first; else nobody could tell, and a reader would refuse them all.
            let shows = kind != DirtKind::DayFirstDate
                || found > 0
                || day_at(&extract.columns[column], row).is_some_and(|day| day.ymd().2 > 12);
            if fits && shows && !hit.contains_key(&row) {
                hit.insert(row, kind);
                found += 1;
            }
            if found == wanted {
                break;
            }
        }
    }
    apply(extract, &hit, known, draw)
}

/// Lays the rows out anew, repeats among them, and writes the damage into the cells.
fn apply(
    extract: &mut CouncilFile,
    hit: &BTreeMap<usize, DirtKind>,
    known: usize,
    draw: &mut Draw,
) -> Vec<PlantedDirt> {
    let mut order = Vec::with_capacity(extract.rows() + hit.len());
    let mut damaged: BTreeMap<DirtKind, Vec<usize>> = BTreeMap::new();
    for row in 0..extract.rows() {
        order.push(row);
        if let Some(&kind) = hit.get(&row) {
            if kind == DirtKind::RepeatedRow {
                order.push(row);
            }
            damaged.entry(kind).or_default().push(order.len() - 1);
        }
    }
    extract.columns = extract.columns.iter().map(|column| column.gather(&order)).collect();
    let mut texts: BTreeMap<(usize, usize), String> = BTreeMap::new();
    for (&kind, rows) in &damaged {
        let Some(column) = target(extract, kind) else { continue };
        for &row in rows {
            if let Some(text) = damaged_text(extract, kind, column, row, known, draw) {
                texts.insert((row, column), text);
            }
        }
    }
    for ((row, column), text) in texts {
        extract.columns[column].spoil(row, text);
    }
    damaged.into_iter().map(|(kind, rows)| PlantedDirt { source: extract.name, kind, rows }).collect()
}

fn damaged_text(
    extract: &CouncilFile,
    kind: DirtKind,
    column: usize,
    row: usize,
    known: usize,
    draw: &mut Draw,
) -> Option<String> {
    Some(match kind {
        DirtKind::RepeatedRow => return None,
        DirtKind::UnreadableDate => if draw.chance(0.5) { "31/02/2023" } else { "n/k" }.to_owned(),
        DirtKind::PlaceholderPerson => "UNKNOWN".to_owned(),
        DirtKind::UnlistedPerson => format!("P{:07}", known as i32 + draw.between(1, 9_999)),
        DirtKind::EmptyPerson => String::new(),
        DirtKind::EndBeforeStart => {
            (day_at(extract.column("start")?, row)? - draw.between(1, 60)).to_string()
        }
        DirtKind::DayFirstDate => {
            let (year, month, day) = day_at(&extract.columns[column], row)?.ymd();
            format!("{day:02}/{month:02}/{year:04}")
        }
        DirtKind::LetteredWord => {
            let Cells::Text { codes, .. } = extract.columns[column].cells() else { return None };
            let letter = char::from(b'a' + codes.get(row)?.min(&25));
            format!("{letter}) {}", extract.columns[column].cell(row))
        }
    })
}

fn day_at(column: &Column, row: usize) -> Option<crate::calendar::Day> {
    match column.cells() {
        Cells::Date(days) => days.get(row).copied().flatten(),
        _ => None,
    }
}
