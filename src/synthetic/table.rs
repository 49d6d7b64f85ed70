//! Files as columns, and writing them as CSV.

use std::borrow::Cow;
use std::io;
use std::num::NonZeroU32;

use crate::calendar::Day;

/// Code of an empty text cell.
pub(super) const EMPTY: u8 = u8::MAX;

/// One file of a council: a name and columns of the same length.
///
/// # Examples
/// ```
/// use earlyhelp::synthetic::CouncilParams;
/// let council = CouncilParams::new(2_000, 1).generate()?;
/// let plans = council.extract("plans").ok_or("no such file")?;
/// let mut file = Vec::new();
/// plans.write_csv(&mut file)?;
/// assert!(file.starts_with(b"record_id,person_id,start,end,recorded,end_recorded,kind,category\n"));
/// assert_eq!(file.iter().filter(|&&byte| byte == b'\n').count(), plans.rows() + 1);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct CouncilFile {
    pub(super) name: &'static str,
    pub(super) columns: Vec<Column>,
}

/// One column: its cells by type and, where the file was damaged, the text that stands in a cell instead.
#[derive(Clone, PartialEq)]
pub(super) struct Column {
    name: &'static str,
    cells: Cells,
    /// Row and text of the damaged cells, by row.
    damage: Vec<(usize, String)>,
}

/// The cells of a column, one for each row, in a compact form.
#[derive(Clone, PartialEq)]
pub(super) enum Cells {
    /// Identifiers such as `P0000123`: `prefix`, then the number filled with zeros to `width` digits.
    Id {
        /// The letters before the number.
        prefix: &'static str,
        /// Digits of the number.
        width: usize,
        /// The numbers, from 1; `None` is an empty cell.
        numbers: Vec<Option<NonZeroU32>>,
    },
    /// One of few texts.
    Text {
        /// The texts.
        values: &'static [&'static str],
        /// For each row a place in `values`; any number beyond is an empty cell.
        codes: Vec<u8>,
    },
    /// Dates.
    Date(Vec<Option<Day>>),
    /// Numbers: percent or pounds.
    Number(Vec<Option<f64>>),
}

impl Cells {
    fn len(&self) -> usize {
        match self {
            Self::Id { numbers, .. } => numbers.len(),
            Self::Text { codes, .. } => codes.len(),
            Self::Date(days) => days.len(),
            Self::Number(values) => values.len(),
        }
    }

    /// Whether a cell is empty.
    pub(super) fn is_empty_cell(&self, row: usize) -> bool {
        match self {
            Self::Id { numbers, .. } => numbers.get(row).copied().flatten().is_none(),
            Self::Text { values, codes } => {
                codes.get(row).is_none_or(|&code| usize::from(code) >= values.len())
            }
            Self::Date(days) => days.get(row).copied().flatten().is_none(),
            Self::Number(values) => values.get(row).copied().flatten().is_none(),
        }
    }

    fn cell(&self, row: usize) -> Cow<'_, str> {
        match self {
            Self::Id { prefix, width, numbers } => match numbers.get(row) {
                Some(Some(number)) => Cow::Owned(format!("{prefix}{number:0width$}")),
                _ => Cow::Borrowed(""),
            },
            Self::Text { values, codes } => {
                let code = codes.get(row).copied().unwrap_or(EMPTY);
                Cow::Borrowed(values.get(usize::from(code)).copied().unwrap_or(""))
            }
            Self::Date(days) => {
                days.get(row).copied().flatten().map_or(Cow::Borrowed(""), |day| Cow::Owned(day.to_string()))
            }
            Self::Number(values) => values
                .get(row)
                .copied()
                .flatten()
                .map_or(Cow::Borrowed(""), |value| Cow::Owned(value.to_string())),
        }
    }

    fn gather(&self, rows: &[usize]) -> Self {
        match self {
            Self::Id { prefix, width, numbers } => {
                Self::Id { prefix, width: *width, numbers: rows.iter().map(|&row| numbers[row]).collect() }
            }
            Self::Text { values, codes } => {
                Self::Text { values, codes: rows.iter().map(|&row| codes[row]).collect() }
            }
            Self::Date(days) => Self::Date(rows.iter().map(|&row| days[row]).collect()),
            Self::Number(values) => Self::Number(rows.iter().map(|&row| values[row]).collect()),
        }
    }
}

impl Column {
    pub(super) fn new(name: &'static str, cells: Cells) -> Self {
        Self { name, cells, damage: Vec::new() }
    }

    /// The header.
    pub(super) fn name(&self) -> &'static str {
        self.name
    }

    /// The cells as they would be without damage.
    pub(super) fn cells(&self) -> &Cells {
        &self.cells
    }

    /// Row (from 0) and text of every damaged cell, by row; empty in a clean file. Such a text stands in
    /// the file in place of the cell's own.
    pub(super) fn damage(&self) -> &[(usize, String)] {
        &self.damage
    }

    /// Number of rows.
    pub(super) fn len(&self) -> usize {
        self.cells.len()
    }

    /// The cell of a row (from 0) as the file has it; empty text for an empty cell or a row beyond the end.
    pub(super) fn cell(&self, row: usize) -> Cow<'_, str> {
        match self.damage.binary_search_by_key(&row, |(row, _)| *row) {
            Ok(place) => Cow::Borrowed(&self.damage[place].1),
            Err(_) => self.cells.cell(row),
        }
    }

    /// All cells as the file has them, row by row.
    pub(super) fn iter(&self) -> impl Iterator<Item = Cow<'_, str>> {
        (0..self.len()).map(|row| self.cell(row))
    }

    pub(super) fn gather(&self, rows: &[usize]) -> Self {
        Self::new(self.name, self.cells.gather(rows))
    }

    /// Puts a text in place of a cell. Rows must come in rising order.
    pub(super) fn spoil(&mut self, row: usize, text: String) {
        self.damage.push((row, text));
    }
}

/// The form and length only, as for a [`Column`].
impl std::fmt::Debug for Cells {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let form = match self {
            Self::Id { .. } => "Id",
            Self::Text { .. } => "Text",
            Self::Date(_) => "Date",
            Self::Number(_) => "Number",
        };
        write!(f, "{form}({} rows)", self.len())
    }
}

/// Name and length only: the files of a council look like personal data, and printing is no way to
/// read them.
impl std::fmt::Debug for Column {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Column({}, {} rows)", self.name, self.len())
    }
}

impl CouncilFile {
    /// The file's name, without an ending.
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// The columns in the order of the file.
    pub(super) fn columns(&self) -> &[Column] {
        &self.columns
    }

    /// A column by its header.
    pub(super) fn column(&self, name: &str) -> Option<&Column> {
        self.columns.iter().find(|column| column.name == name)
    }

    /// Number of rows, without the header.
    pub fn rows(&self) -> usize {
        self.columns.first().map_or(0, Column::len)
    }

    /// Writes the file as comma-separated text in UTF-8 with a header: dates as year-month-day, an empty
    /// cell for nothing.
    ///
    /// # Errors
    /// When `to` cannot be written.
    pub fn write_csv(&self, to: impl io::Write) -> io::Result<()> {
        let mut writer = csv::WriterBuilder::new().buffer_capacity(1 << 16).from_writer(to);
        writer.write_record(self.columns.iter().map(Column::name))?;
        for row in 0..self.rows() {
            for column in &self.columns {
                writer.write_field(column.cell(row).as_bytes())?;
            }
            writer.write_record(None::<&[u8]>)?;
        }
        writer.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn extract() -> CouncilFile {
        let mut dates = Column::new("start", Cells::Date(vec![Day::from_ymd(2024, 2, 29), None, None]));
        dates.spoil(1, "31/02/2023".to_owned());
        CouncilFile {
            name: "x",
            columns: vec![
                Column::new(
                    "id",
                    Cells::Id { prefix: "P", width: 4, numbers: [1, 20, 0].map(NonZeroU32::new).to_vec() },
                ),
                Column::new("role", Cells::Text { values: &["victim", "a,b"], codes: vec![0, 1, EMPTY] }),
                dates,
                Column::new("value", Cells::Number(vec![Some(12.5), None, Some(3.0)])),
            ],
        }
    }

    #[test]
    fn csv_holds_each_cell_and_nothing_for_nothing() {
        let mut file = Vec::new();
        extract().write_csv(&mut file).unwrap();
        assert_eq!(
            String::from_utf8(file).unwrap(),
            "id,role,start,value\nP0001,victim,2024-02-29,12.5\nP0020,\"a,b\",31/02/2023,\n,,,3\n"
        );
    }

    #[test]
    fn debug_shows_no_cell() {
        let text = format!("{:?} {:?}", extract(), extract().columns()[0].cells());
        assert!(!text.contains("P0001") && !text.contains("victim") && text.contains("3 rows"), "{text}");
    }
}
