//! A pair as a table of coloured cells with their signs written in them.

use super::super::words;
use super::extreme::{Extreme, interval, with_unit};
use super::percent;
use crate::model::{GridCell, GridSide, Place, ShapeTable, TermTable};

/// The pair's grid.
pub(super) struct Heat {
    pub first: String,
    pub second: String,
    pub heads: Vec<String>,
    pub rows: Vec<HeatRow>,
    /// The cells that at least ten cases were in.
    pub list: Vec<ListRow>,
    /// How many cells fewer were in.
    pub few: String,
    extremes: [Option<(f64, String, String)>; 2],
}

pub(super) struct HeatRow {
    pub label: String,
    pub cells: Vec<HeatCell>,
}

pub(super) struct HeatCell {
    pub points: String,
    pub raises: bool,
    /// How strong the colour is, in hundredths.
    pub strength: u32,
    /// Whether fewer than ten cases were there.
    pub few: bool,
}

pub(super) struct ListRow {
    pub first: String,
    pub second: String,
    pub points: String,
    pub interval: String,
    pub share: String,
}

/// The strongest colour, in hundredths: text stays readable on it.
const STRONGEST: f64 = 55.0;

impl Heat {
    /// `None` for a term of one feature.
    pub(super) fn of(table: &TermTable) -> Option<Self> {
        let ShapeTable::Grid { first, second, cells } = &table.shape else { return None };
        let [of_first, of_second] = table.labels.as_slice() else { return None };
        let is_seen = |cell: &GridCell| cell.share.is_some();
        let rows: Vec<usize> =
            (0..first.len()).filter(|&row| is_value(&first[row]) || cells[row].iter().any(is_seen)).collect();
        let columns: Vec<usize> = (0..second.len())
            .filter(|&column| is_value(&second[column]) || cells.iter().any(|row| is_seen(&row[column])))
            .collect();
        let all = || rows.iter().flat_map(|&row| columns.iter().map(move |&column| (row, column)));
        let largest = all().map(|(row, column)| cells[row][column].contribution.abs()).fold(0.0, f64::max);
        let heat = |cell: &GridCell| HeatCell {
            points: words::points(cell.contribution),
            raises: cell.contribution > 0.0,
            strength: (STRONGEST * cell.contribution.abs() / largest.max(f64::MIN_POSITIVE)).round() as u32,
            few: cell.share.is_none(),
        };
        let seen: Vec<(usize, usize, f64)> = all()
            .filter_map(|(row, column)| cells[row][column].share.map(|share| (row, column, share)))
            .collect();
        let side = |side: &GridSide, nth: usize| {
            let unit = table.units.get(nth).map_or("value", String::as_str);
            if is_value(side) { with_unit(&side.label, unit) } else { side.label.clone() }
        };
        let place =
            |row: usize, column: usize| format!("{} with {}", side(&first[row], 0), side(&second[column], 1));
        let extreme = |raises: bool| {
            let cell = |&(row, column, share): &(usize, usize, f64)| {
                (cells[row][column].contribution, place(row, column), percent(share))
            };
            let found = seen.iter().map(cell).filter(|(contribution, ..)| (*contribution > 0.0) == raises);
            found.max_by(|a, b| a.0.abs().total_cmp(&b.0.abs()))
        };
        Some(Self {
            first: of_first.clone(),
            second: of_second.clone(),
            heads: columns.iter().map(|&column| second[column].label.clone()).collect(),
            rows: rows
                .iter()
                .map(|&row| HeatRow {
                    label: first[row].label.clone(),
                    cells: columns.iter().map(|&column| heat(&cells[row][column])).collect(),
                })
                .collect(),
            list: seen
                .iter()
                .map(|&(row, column, share)| ListRow {
                    first: first[row].label.clone(),
                    second: second[column].label.clone(),
                    points: words::points(cells[row][column].contribution),
                    interval: interval(cells[row][column].contribution, cells[row][column].reach),
                    share: percent(share),
                })
                .collect(),
            few: words::count((rows.len() * columns.len() - seen.len()) as u64),
            extremes: [extreme(false), extreme(true)],
        })
    }

    /// Where the pair lowers and where it raises most.
    pub(super) fn extremes(&self) -> (Option<Extreme>, Option<Extreme>) {
        let [lowest, highest] = &self.extremes;
        let of = |found: &Option<(f64, String, String)>| {
            let (contribution, at, share) = found.as_ref()?;
            Extreme::of(*contribution, at.clone(), share.clone())
        };
        (of(lowest), of(highest))
    }
}

fn is_value(side: &GridSide) -> bool {
    !matches!(side.at, Place::Missing | Place::NotCovered)
}
