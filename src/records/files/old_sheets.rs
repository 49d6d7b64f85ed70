//! How far apart the cells of an `.xls` lie, before it is opened.
//!
//! calamine makes a table of every sheet as it opens one, with a place for each cell between the outermost. Rows and columns are
//! numbers of two bytes there, so two cells in opposite corners would ask for four billion places: a file of ten kilobytes filled
//! the memory. The records are those of \[MS-XLS\], *Excel Binary File Format*.

use hashbrown::HashMap;

use super::compound::Compound;

/// What the tables of some sheets hold.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(in crate::records) struct Extent {
    /// Places between the outermost cells, of all sheets together.
    pub(in crate::records) places: u64,
    /// Cells that are filled.
    pub(in crate::records) cells: u64,
    /// Places that the sheets say they have.
    pub(in crate::records) stated: u64,
}

/// The extent of all sheets of a container.
pub(in crate::records) fn extent(compound: &Compound<'_>) -> Extent {
    // Where the first cannot be read, calamine takes the second.
    let streams = ["Workbook", "Book"].into_iter().flat_map(|name| compound.streams(name));
    streams.map(|stream| of_stream(&stream)).fold(Extent::default(), Extent::and)
}

fn of_stream(stream: &[u8]) -> Extent {
    let mut known: HashMap<usize, Extent> = HashMap::new();
    let sheets = Entries(stream).take_while(|(kind, _)| *kind != END).filter(|(kind, _)| *kind == SHEET);
    let starts =
        sheets.filter_map(|(_, data)| Some(u32::from_le_bytes(data.first_chunk().copied()?) as usize));
    starts
        .map(|start| {
            *known.entry(start).or_insert_with(|| stream.get(start..).map_or_else(Extent::default, of_sheet))
        })
        .fold(Extent::default(), Extent::and)
}

impl Extent {
    fn and(self, other: Self) -> Self {
        Self {
            places: self.places.saturating_add(other.places),
            cells: self.cells.saturating_add(other.cells),
            stated: self.stated.saturating_add(other.stated),
        }
    }
}

const BEGIN: u16 = 0x0809;
const END: u16 = 0x000a;
/// Where a sheet begins.
const SHEET: u16 = 0x0085;
/// The rows and columns that a sheet says it has.
const DIMENSIONS: u16 = 0x0200;
/// Several numbers side by side.
const NUMBERS: u16 = 0x00bd;
/// What stands in one cell: a number in either form, a text in three, a yes or no, a formula.
const CELLS: [u16; 7] = [0x0203, 0x027e, 0x0204, 0x00d6, 0x00fd, 0x0205, 0x0006];

fn of_sheet(stream: &[u8]) -> Extent {
    let mut extent = Extent::default();
    let (mut rows, mut columns) = ((u64::MAX, 0), (u64::MAX, 0));
    let mut depth = 0_usize;
    for (kind, data) in Entries(stream) {
        match kind {
            BEGIN => depth += 1,
            // The end of the sheet itself; what it holds, charts and the like, end before.
            END if depth <= 1 => break,
            END => depth -= 1,
            _ if depth > 1 => {}
            DIMENSIONS => extent.stated = extent.stated.saturating_add(stated(data).unwrap_or(0)),
            _ if kind == NUMBERS || CELLS.contains(&kind) => {
                let (Some(row), Some(first)) = (short(data, 0), short(data, 2)) else { continue };
                let last = if kind == NUMBERS { short(data, data.len() - 2) } else { None };
                let last = last.unwrap_or(first).max(first);
                rows = (rows.0.min(row), rows.1.max(row));
                columns = (columns.0.min(first), columns.1.max(last));
                extent.cells += last - first + 1;
            }
            _ => {}
        }
    }
    if extent.cells > 0 {
        extent.places = (rows.1 - rows.0 + 1) * (columns.1 - columns.0 + 1);
    }
    extent
}

/// How many places a sheet says it has: its first row and the one behind its last, then its columns. Rows have two bytes in
/// older files, and four in newer ones.
fn stated(data: &[u8]) -> Option<u64> {
    let long = |at: usize| Some(short(data, at)? + (short(data, at + 2)? << 16));
    let (rows, columns) = if data.len() >= 14 {
        ((long(0)?, long(4)?), (short(data, 8)?, short(data, 10)?))
    } else {
        ((short(data, 0)?, short(data, 2)?), (short(data, 4)?, short(data, 6)?))
    };
    let many = |(first, past): (u64, u64)| past.saturating_sub(first);
    Some(many(rows).saturating_mul(many(columns)))
}

fn short(data: &[u8], at: usize) -> Option<u64> {
    Some(u64::from(u16::from_le_bytes(*data.get(at..)?.first_chunk()?)))
}

/// The entries of a stream, each a kind and its data, up to where they break off.
struct Entries<'a>(&'a [u8]);

impl<'a> Iterator for Entries<'a> {
    type Item = (u16, &'a [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        let (head, rest) = self.0.split_first_chunk::<4>()?;
        let (data, rest) = rest.split_at_checked(usize::from(u16::from_le_bytes([head[2], head[3]])))?;
        self.0 = rest;
        Some((u16::from_le_bytes([head[0], head[1]]), data))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OLD: &[u8] = include_bytes!("../../../tests/fixtures/twins/old.xls");

    fn entry(kind: u16, shorts: &[u16]) -> Vec<u8> {
        let mut bytes = Vec::from(kind.to_le_bytes());
        bytes.extend((2 * shorts.len() as u16).to_le_bytes());
        bytes.extend(shorts.iter().flat_map(|short| short.to_le_bytes()));
        bytes
    }

    #[test]
    fn a_sheet_has_a_place_for_every_cell_between_the_outermost() {
        let sheet: Vec<u8> = [
            entry(BEGIN, &[0; 8]),
            entry(DIMENSIONS, &[0, 0, 10, 0, 2, 5, 0]),
            entry(0x0203, &[3, 7, 0, 0, 0, 0, 0]),
            entry(NUMBERS, &[4, 2, 0, 0, 0, 0, 0, 0, 3]),
            // A chart within the sheet: its cells are not the sheet's.
            entry(BEGIN, &[0; 8]),
            entry(0x0203, &[60_000, 60_000, 0]),
            entry(END, &[]),
            entry(0x00fd, &[9, 2, 0, 0, 0]),
            entry(END, &[]),
            entry(0x0203, &[60_000, 60_000, 0]),
        ]
        .concat();
        // Rows 3 to 9, columns 2 to 7.
        assert_eq!(of_sheet(&sheet), Extent { places: 7 * 6, cells: 4, stated: 30 });
        let start = entry(SHEET, &[0; 4]).len() as u16 * 2 + 4;
        // Twice the same sheet: two tables.
        let globals = [entry(SHEET, &[start, 0, 0, 0]), entry(SHEET, &[start, 0, 0, 0]), entry(END, &[])];
        let stream = [globals.concat(), sheet].concat();
        assert_eq!(of_stream(&stream), Extent { places: 84, cells: 8, stated: 60 });
        for cut in 0..stream.len() {
            of_stream(&stream[..cut]);
        }
    }

    #[test]
    fn a_real_workbook_is_as_large_as_its_table() {
        let extent = extent(&Compound::of(OLD).unwrap());
        assert!(extent.cells > 0 && extent.places < 10 * extent.cells, "{extent:?}");
    }
}
