//! Excel workbooks: a sheet to read first, and a sheet for each table.

use rust_xlsxwriter::{
    ConditionalFormatDataBar, ConditionalFormatType, DocProperties, ExcelDateTime, Format, FormatAlign,
    Workbook, Worksheet, XlsxError,
};

use super::table::{Table, Value};
use crate::calendar::Day;
use crate::error::ReportError;
use crate::outputs::workbook_text;

/// What Excel takes in a cell, in units of UTF-16.
const CELL_LENGTH: usize = 32_767;

/// Rows of a sheet, its headings among them.
const SHEET_ROWS: usize = 1_048_576;

/// What Excel takes as the name of a sheet, in units of UTF-16.
const NAME_LENGTH: usize = 31;

/// Of the 255 units that Excel takes at the foot of a page, with room for the rest of it.
const FOOTER_LENGTH: usize = 200;

const CUT: &str = " ... (cut here: a cell of Excel holds no more; the whole text is in the JSON)";

/// What stands on the first sheet, line by line.
pub(super) enum Note {
    Title(String),
    Heading(String),
    Line(String),
    /// What it is, and what it says.
    Fact(String, String),
}

impl Note {
    pub(super) fn fact(label: impl Into<String>, text: impl Into<String>) -> Self {
        Self::Fact(label.into(), text.into())
    }
}

/// What is said of a workbook as a whole.
pub(super) struct Head<'a> {
    pub title: &'a str,
    /// The day that stands in its properties: the same input gives the same bytes whenever it is written.
    pub made: Day,
    /// What stands at the foot of each printed page; empty for nothing but the page's number.
    pub printed: &'a str,
}

/// A table and the name of its sheet.
pub(super) struct Sheet {
    pub name: String,
    pub table: Table,
}

/// The bytes of a workbook. A sheet of no rows is left out.
///
/// # Errors
/// [`ReportError::Render`] where it cannot be written.
pub(super) fn workbook(head: &Head<'_>, notes: &[Note], sheets: &[Sheet]) -> Result<Vec<u8>, ReportError> {
    let failed = |error: XlsxError| ReportError::Render(error.to_string());
    let mut book = Workbook::new();
    let mut properties = DocProperties::new().set_title(workbook_text(head.title));
    if let Some(made) = excel_day(head.made) {
        properties = properties.set_creation_datetime(&made);
    }
    book.set_properties(&properties);
    let formats = Formats::new();
    let mut names = vec![READ_ME.to_lowercase()];
    // An ampersand begins an order in a footer, and two are one.
    let printed = workbook_text(head.printed).replace('&', "&&");
    let footer = format!("&L{}&R&P of &N", cut_to(&printed, FOOTER_LENGTH));
    write_notes(book.add_worksheet().set_footer(&footer), notes, &formats).map_err(failed)?;
    for Sheet { name, table } in sheets.iter().filter(|sheet| !sheet.table.rows.is_empty()) {
        let sheet = book.add_worksheet().set_footer(&footer);
        sheet.set_name(sheet_name(name, &mut names)).map_err(failed)?;
        write_table(sheet, table, &formats).map_err(failed)?;
    }
    book.save_to_buffer().map_err(failed)
}

const READ_ME: &str = "Read me";

/// The day of creation of workbooks that are of no day: the library reads no clock, and the same input gives the same bytes.
pub(super) fn fixed_day() -> Day {
    // 1 January 2000.
    Day::from_epoch_days(10_957)
}

/// A day of which Excel knows; earlier ones are written as text.
fn excel_day(day: Day) -> Option<ExcelDateTime> {
    let (year, month, day) = day.ymd();
    let of = (u16::try_from(year).ok()?, u8::try_from(month).ok()?, u8::try_from(day).ok()?);
    // Excel takes 1900 for a leap year, so days before its March are off by one.
    (year > 1900).then(|| ExcelDateTime::from_ymd(of.0, of.1, of.2).ok()).flatten()
}

/// The name as Excel takes it, and no other sheet's.
fn sheet_name(name: &str, names: &mut Vec<String>) -> String {
    let plain: String = workbook_text(name)
        .chars()
        .map(|c| if matches!(c, '[' | ']' | ':' | '*' | '?' | '/' | '\\') { ' ' } else { c })
        .collect();
    let plain = plain.trim_matches(|c: char| c == '\'' || c.is_whitespace());
    // Excel keeps "History" for itself.
    let plain = if plain.is_empty() || plain.eq_ignore_ascii_case("history") { "Sheet" } else { plain };
    let mut nth = 1;
    loop {
        let behind = if nth == 1 { String::new() } else { format!(" {nth}") };
        let name = format!("{}{behind}", cut_to(plain, NAME_LENGTH - behind.len()).trim_end_matches('\''));
        if !names.contains(&name.to_lowercase()) {
            names.push(name.to_lowercase());
            return name;
        }
        nth += 1;
    }
}

/// The beginning of a text, of so many units of UTF-16 at most.
fn cut_to(text: &str, most: usize) -> &str {
    let mut units = 0;
    for (at, c) in text.char_indices() {
        units += c.len_utf16();
        if units > most {
            return &text[..at];
        }
    }
    text
}

/// Text that does nothing, as long as a cell takes.
fn fitting(text: &str) -> String {
    let text = workbook_text(text);
    if text.encode_utf16().count() <= CELL_LENGTH {
        return text.into_owned();
    }
    format!("{}{CUT}", cut_to(&text, CELL_LENGTH - CUT.len()))
}

struct Formats {
    heading: Format,
    title: Format,
    strong: Format,
    text: Format,
    whole: Format,
    /// A count among texts.
    count: Format,
    number: Format,
    share: Format,
    points: Format,
    date: Format,
}

impl Formats {
    fn new() -> Self {
        let top = || Format::new().set_align(FormatAlign::Top);
        // What was text stays text when somebody goes into the cell and out again.
        let text = || top().set_quote_prefix();
        let number = |form: &str| top().set_num_format(form);
        Self {
            heading: text().set_bold().set_text_wrap().set_background_color(0x00E7_ECEF),
            title: text().set_bold().set_font_size(16),
            strong: text().set_bold(),
            text: text().set_text_wrap(),
            whole: number("#,##0"),
            count: number("#,##0").set_align(FormatAlign::Left),
            number: number("#,##0.0##"),
            share: number("0.0%"),
            points: number("+0.00;\u{2212}0.00;0.00"),
            date: number("d mmmm yyyy"),
        }
    }
}

fn write_notes(sheet: &mut Worksheet, notes: &[Note], formats: &Formats) -> Result<(), XlsxError> {
    sheet.set_name(READ_ME)?.set_column_width(0, 34)?.set_column_width(1, 96)?;
    sheet.set_portrait().set_paper_size(A4).set_print_fit_to_pages(1, 0);
    for (row, note) in (0..).zip(notes) {
        match note {
            Note::Title(text) => write(sheet, (row, 0), &Value::text(text), &formats.title, formats)?,
            Note::Heading(text) => write(sheet, (row, 0), &Value::text(text), &formats.strong, formats)?,
            Note::Line(text) => write(sheet, (row, 1), &Value::text(text), &formats.text, formats)?,
            Note::Fact(label, text) => {
                write(sheet, (row, 0), &Value::text(label), &formats.text, formats)?;
                match counted(text) {
                    Some(count) => sheet.write_number_with_format(row, 1, count, &formats.count).map(drop)?,
                    None => write(sheet, (row, 1), &Value::text(text), &formats.text, formats)?,
                }
            }
        }
    }
    Ok(())
}

/// The number that a text is, written as people write counts: it is a number on a sheet, too.
fn counted(text: &str) -> Option<f64> {
    let count: u64 = text.replace(',', "").parse().ok()?;
    (super::words::count(count) == text).then_some(count as f64)
}

const A4: u8 = 9;

fn write_table(sheet: &mut Worksheet, table: &Table, formats: &Formats) -> Result<(), XlsxError> {
    let last_column = table.columns.len().saturating_sub(1) as u16;
    for (at, column) in (0..).zip(&table.columns) {
        write(sheet, (0, at), &Value::text(column.heading()), &formats.heading, formats)?;
        sheet.set_column_width(at, width(table, usize::from(at)))?;
    }
    let (shown, missing) = fitting_rows(table.rows.len(), SHEET_ROWS);
    for (row, values) in (1..).zip(&table.rows[..shown]) {
        for (at, value) in (0..).zip(values) {
            write(sheet, (row, at), value, &formats.text, formats)?;
        }
    }
    if let Some(says) = missing {
        write(sheet, (shown as u32 + 1, 0), &Value::text(says), &formats.strong, formats)?;
    }
    let last_row = shown as u32;
    sheet.set_freeze_panes(1, 0)?;
    sheet.autofilter(0, 0, last_row, last_column)?;
    for (at, column) in (0..).zip(&table.columns) {
        if column.bars {
            sheet.add_conditional_format(1, at, last_row, at, &bars(table, usize::from(at)))?;
        }
    }
    sheet.set_landscape().set_paper_size(A4).set_print_fit_to_pages(1, 0).set_repeat_rows(0, 0)?;
    Ok(())
}

/// How many rows are shown below the headings; and what the last row says where there are more than a sheet takes.
fn fitting_rows(rows: usize, sheet: usize) -> (usize, Option<String>) {
    if rows < sheet {
        return (rows, None);
    }
    let shown = sheet - 2;
    let more = super::words::count((rows - shown) as u64);
    (
        shown,
        Some(format!("{more} more rows: a sheet of Excel holds no more. They are in the CSV and the JSON.")),
    )
}

/// Bars from 0, to the right above it and to the left below.
fn bars(table: &Table, at: usize) -> ConditionalFormatDataBar {
    let bars = ConditionalFormatDataBar::new()
        .set_fill_color(0x00D9_8B5F)
        .set_negative_fill_color(0x005B_8DB8)
        .set_solid_fill(true)
        .set_border_off(true);
    let has_shares = table.rows.iter().any(|row| matches!(row[at], Value::Share(_)));
    if has_shares { bars.set_minimum(ConditionalFormatType::Number, 0) } else { bars }
}

/// As wide as what is in it, within bounds: long texts are wrapped.
fn width(table: &Table, at: usize) -> f64 {
    let widest = table.rows.iter().take(200).map(|row| match &row[at] {
        Value::Text(text) => text.chars().count().min(48),
        Value::Date(_) => 18,
        _ => 8,
    });
    let heading = table.columns[at].heading();
    let word = heading.split(' ').map(|word| word.chars().count()).max().unwrap_or(0) + 3;
    widest.max().unwrap_or(0).max(word).max(9) as f64 + 1.0
}

fn write(
    sheet: &mut Worksheet,
    (row, at): (u32, u16),
    value: &Value,
    text: &Format,
    formats: &Formats,
) -> Result<(), XlsxError> {
    let (number, format) = match value {
        Value::Empty => return Ok(()),
        Value::Text(said) => {
            return sheet.write_string_with_format(row, at, fitting(said), text).map(|_| ());
        }
        Value::Date(day) => {
            return match excel_day(*day) {
                Some(day) => sheet.write_datetime_with_format(row, at, &day, &formats.date).map(|_| ()),
                None => sheet.write_string_with_format(row, at, day.to_string(), text).map(|_| ()),
            };
        }
        Value::Whole(number) => (*number as f64, &formats.whole),
        Value::Number(number) => (*number, &formats.number),
        Value::Share(number) => (*number, &formats.share),
        Value::Points(number) => (*number, &formats.points),
    };
    // Nothing stands for what is no number.
    if number.is_finite() {
        sheet.write_number_with_format(row, at, number, format)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sheets_have_names_that_excel_takes_and_each_its_own() {
        let mut names = vec!["read me".to_owned()];
        let long = "\u{1f600}".repeat(20);
        for (given, made) in [
            ("List", "List"),
            ("list", "list 2"),
            ("READ ME", "READ ME 2"),
            ("a[b]:c*d?e/f\\g", "a b  c d e f g"),
            ("'quoted'", "quoted"),
            ("", "Sheet"),
            ("History", "Sheet 2"),
            (&long, &"\u{1f600}".repeat(15)),
            (&long, &format!("{} 2", "\u{1f600}".repeat(14))),
        ] {
            assert_eq!(sheet_name(given, &mut names), made);
        }
        assert!(names.iter().all(|name| name.encode_utf16().count() <= NAME_LENGTH));
    }

    #[test]
    fn what_does_not_fit_is_cut_and_said() {
        let longest = "\u{1f600}".repeat(CELL_LENGTH / 2);
        assert_eq!(fitting(&longest), longest);
        let cut = fitting(&(longest + "ab"));
        assert!(cut.ends_with(CUT) && cut.encode_utf16().count() <= CELL_LENGTH);

        // Of a sheet of ten rows one is for the headings.
        assert_eq!(fitting_rows(9, 10), (9, None));
        let (shown, says) = fitting_rows(10, 10);
        assert_eq!((shown, says.unwrap().starts_with("2 more rows")), (8, true));
    }

    #[test]
    fn days_that_excel_does_not_know_are_text_and_no_number_is_empty() {
        let day = |text: &str| Value::Date(text.parse().unwrap());
        let mut table = Table::named(["what"]);
        let values = [day("1899-12-31"), day("2024-02-29"), Value::Number(f64::NAN), Value::Points(-0.5)];
        table.rows = values.map(|value| vec![value]).into();
        let made = "2024-04-01".parse().unwrap();
        let head = Head { title: "t", made, printed: "" };
        let bytes = workbook(&head, &[], &[Sheet { name: "T".into(), table }]).unwrap();
        let mut book: calamine::Xlsx<_> =
            calamine::open_workbook_from_rs(std::io::Cursor::new(bytes)).unwrap();
        let range = calamine::Reader::worksheet_range(&mut book, "T").unwrap();
        let text = |row| range.get_value((row, 0)).map(ToString::to_string).unwrap_or_default();
        assert_eq!(text(1), "1899-12-31");
        assert!(matches!(range.get_value((2, 0)), Some(calamine::Data::DateTime(_))));
        assert_eq!((text(3).as_str(), text(4).as_str()), ("", "-0.5"));
    }
}
