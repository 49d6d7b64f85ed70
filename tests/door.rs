//! Files that come in wrong: each fault with the right value, or the error or reject that says what to do, in every kind
//! of table and every form of file in which it can come.

use std::io::Write as _;
use std::path::Path;

use earlyhelp::calendar::Lookback;
use earlyhelp::cohort::CohortSpec;
use earlyhelp::error::{RecordsError, ScoresError};
use earlyhelp::fairness::audit::{ScoreColumns, ScoreTable};
use earlyhelp::fairness::{Protected, ProtectedColumns};
use earlyhelp::features::{Cell, Feature, FeatureSpec, Measure};
use earlyhelp::records::{
    Decimal, Extract, HouseholdColumns, Known, PeopleColumns, ReadOptions, Records, RecordsBuilder,
    RejectReason, RemarkKind, Selector, SourceMapping,
};
use polars::prelude::{
    DataFrame, DataType, IntoColumn, IntoSeries, IpcWriter, NamedFrom, ParquetWriter, SerWriter, Series,
    TimeUnit, TimeZone,
};
use tempfile::TempDir;

use crate::world::as_of;

/// The endings of the forms in which a table of texts can come.
pub const FORMS: [&str; 4] = ["csv", "csv.gz", "xlsx", "parquet"];

/// A table of texts as a frame; the first row is the header.
pub fn frame_of(rows: &[&[&str]]) -> DataFrame {
    let column = |(place, name): (usize, &&str)| {
        let cells: Vec<&str> = rows[1..].iter().map(|row| row[place]).collect();
        Series::new((*name).into(), cells).into_column()
    };
    let columns = rows[0].iter().enumerate().map(column).collect();
    DataFrame::new(rows.len() - 1, columns).unwrap()
}

/// Writes a table of texts in the form that the ending says. A cell of a delimited text stands as it is, with quotes
/// where it holds a comma.
pub fn write_table(path: &Path, rows: &[&[&str]]) {
    let ending = path.extension().unwrap().to_str().unwrap();
    let cell = |cell: &&str| if cell.contains(',') { format!("\"{cell}\"") } else { (*cell).to_owned() };
    let line = |row: &&[&str]| row.iter().map(cell).collect::<Vec<_>>().join(",") + "\n";
    let text = || rows.iter().map(line).collect::<String>();
    if ending == "csv" {
        std::fs::write(path, text()).unwrap();
    } else if ending == "gz" {
        let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        packed.write_all(text().as_bytes()).unwrap();
        std::fs::write(path, packed.finish().unwrap()).unwrap();
    } else if ending == "xlsx" {
        std::fs::write(path, workbook(rows)).unwrap();
    } else {
        write_frame(path, &mut frame_of(rows));
    }
}

fn write_frame(path: &Path, frame: &mut DataFrame) {
    let file = std::fs::File::create(path).unwrap();
    if path.extension().unwrap() == "parquet" {
        ParquetWriter::new(file).finish(frame).unwrap();
    } else {
        IpcWriter::new(file).finish(frame).unwrap();
    }
}

/// The least that is a workbook: one sheet, its cells as texts.
fn workbook(rows: &[&[&str]]) -> Vec<u8> {
    let escaped = |text: &str| text.replace('&', "&amp;").replace('<', "&lt;").replace('"', "&quot;");
    let mut sheet = String::new();
    for (row, cells) in rows.iter().enumerate() {
        sheet += &format!("<row r=\"{}\">", row + 1);
        for (column, cell) in cells.iter().enumerate().filter(|(_, cell)| !cell.is_empty()) {
            let place = format!("{}{}", char::from(b'A' + column as u8), row + 1);
            sheet += &format!("<c r=\"{place}\" t=\"inlineStr\"><is><t>{}</t></is></c>", escaped(cell));
        }
        sheet += "</row>";
    }
    let main = "http://schemas.openxmlformats.org/spreadsheetml/2006/main";
    let office = "http://schemas.openxmlformats.org/officeDocument/2006/relationships";
    let package = "http://schemas.openxmlformats.org/package/2006";
    let kind = "application/vnd.openxmlformats-officedocument.spreadsheetml";
    let parts = [
        (
            "[Content_Types].xml",
            format!(
                "<Types xmlns=\"{package}/content-types\"><Default Extension=\"rels\" \
                 ContentType=\"application/vnd.openxmlformats-package.relationships+xml\"/><Override \
                 PartName=\"/xl/workbook.xml\" ContentType=\"{kind}.sheet.main+xml\"/><Override \
                 PartName=\"/xl/worksheets/sheet1.xml\" ContentType=\"{kind}.worksheet+xml\"/></Types>"
            ),
        ),
        (
            "_rels/.rels",
            format!(
                "<Relationships xmlns=\"{package}/relationships\"><Relationship Id=\"a\" \
                 Type=\"{office}/officeDocument\" Target=\"xl/workbook.xml\"/></Relationships>"
            ),
        ),
        (
            "xl/workbook.xml",
            format!(
                "<workbook xmlns=\"{main}\" xmlns:r=\"{office}\"><sheets><sheet name=\"Data\" sheetId=\"1\" \
                 r:id=\"b\"/></sheets></workbook>"
            ),
        ),
        (
            "xl/_rels/workbook.xml.rels",
            format!(
                "<Relationships xmlns=\"{package}/relationships\"><Relationship Id=\"b\" Type=\"{office}/worksheet\" \
                 Target=\"worksheets/sheet1.xml\"/></Relationships>"
            ),
        ),
        (
            "xl/worksheets/sheet1.xml",
            format!("<worksheet xmlns=\"{main}\"><sheetData>{sheet}</sheetData></worksheet>"),
        ),
    ];
    let mut book = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    for (name, text) in parts {
        book.start_file(name, zip::write::SimpleFileOptions::default()).unwrap();
        book.write_all(b"<?xml version=\"1.0\" encoding=\"UTF-8\"?>").unwrap();
        book.write_all(text.as_bytes()).unwrap();
    }
    book.finish().unwrap().into_inner()
}

/// A table of a project, for whatever it is there for.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Table {
    Extract,
    People,
    Households,
    Protected,
    Scores,
}

const TABLES: [Table; 5] =
    [Table::Extract, Table::People, Table::Households, Table::Protected, Table::Scores];

impl Table {
    /// The columns that the tests' mappings ask for, and a note that nobody asks for.
    fn header(self) -> &'static [&'static str] {
        match self {
            Self::Extract => &["who", "on", "recorded", "note"],
            Self::People => &["who", "born", "note"],
            Self::Households => &["who", "home", "start", "note"],
            Self::Protected => &["who", "sex", "note"],
            Self::Scores => &["risk", "outcome", "sex", "note"],
        }
    }

    fn row(self, number: usize) -> Vec<String> {
        let id = format!("p{number}");
        let cells = match self {
            Self::Extract => vec![id, "2022-06-01".into(), "2022-06-02".into(), "seen".into()],
            Self::People => vec![id, "2012-05-01".into(), "seen".into()],
            Self::Households => vec![id, format!("h{}", number / 3), "2020-01-01".into(), "seen".into()],
            Self::Protected => {
                vec![id, if number.is_multiple_of(2) { "F" } else { "M" }.into(), "seen".into()]
            }
            Self::Scores => {
                let (risk, outcome) = (number as f64 / 500.0, number.is_multiple_of(5));
                let sex = if number.is_multiple_of(2) { "F" } else { "M" };
                vec![risk.to_string(), u8::from(outcome).to_string(), sex.into(), "seen".into()]
            }
        };
        assert_eq!(cells.len(), self.header().len());
        cells
    }

    fn rows(self, rows: usize) -> Vec<Vec<String>> {
        let header = self.header().iter().map(|name| (*name).to_owned()).collect();
        std::iter::once(header).chain((0..rows).map(|number| self.row(number))).collect()
    }

    /// How many rows were read, accepted and rejected; and the rejects as row and reason.
    fn read(self, extract: Extract) -> Result<Came, String> {
        if self == Self::Protected {
            let columns = ProtectedColumns {
                entity: vec!["who".into()],
                characteristics: vec!["sex".into()],
                ..ProtectedColumns::default()
            };
            let held = Protected::read(&columns, extract).map_err(|error| error.to_string())?;
            let intake = held.intake().unwrap();
            let rejects = held.rejects().iter().map(|reject| (reject.row, reject.reason)).collect();
            return Ok(Came { read: intake.read, accepted: intake.accepted, rejects });
        }
        if self == Self::Scores {
            let columns = ScoreColumns { groups: vec!["sex".into()], ..ScoreColumns::new("risk", "outcome") };
            let (_, intake) =
                ScoreTable::read(extract, &columns).map_err(|error: ScoresError| error.to_string())?;
            let rejects = intake.rejected.iter().map(|reject| (reject.row, reject.reason)).collect();
            return Ok(Came { read: intake.read, accepted: intake.audited, rejects });
        }
        let records = self.builder(extract).build().map_err(|error: RecordsError| error.to_string())?;
        let name = match self {
            Self::People => "people",
            Self::Households => "households",
            _ => "visits",
        };
        let intake = records.intake().iter().find(|intake| intake.source == name).unwrap();
        let of_table = records.rejects().iter().filter(|reject| reject.source == name);
        let rejects = of_table.map(|reject| (reject.row, reject.reason)).collect();
        Ok(Came { read: intake.read, accepted: intake.accepted, rejects })
    }

    /// Records in which this is one of the tables.
    fn builder(self, extract: Extract) -> RecordsBuilder<'static> {
        let builder = Records::builder().reject_limit(1.0).read_on("2025-01-01".parse().unwrap());
        let person: Vec<String> = vec!["who".into()];
        let one = frame_of(&[&["who", "on", "recorded"], &["p1", "2022-06-01", "2022-06-02"]]);
        let visits =
            || SourceMapping::new("visits", "who", "visit", "on").known(Known::Column("recorded".into()));
        match self {
            Self::People => {
                let columns =
                    PeopleColumns { person, date_of_birth: Some("born".into()), ..PeopleColumns::default() };
                builder.people(columns, extract).source(visits(), Extract::frame(one))
            }
            Self::Households => {
                let (household, start) = ("home".into(), Some("start".into()));
                let columns = HouseholdColumns { person, household, start, ..HouseholdColumns::default() };
                builder.households(columns, extract).source(visits(), Extract::frame(one))
            }
            _ => builder.source(visits(), extract),
        }
    }
}

/// What became of a table's rows.
#[derive(Debug, PartialEq)]
struct Came {
    read: u64,
    accepted: u64,
    rejects: Vec<(u64, RejectReason)>,
}

fn written(form: &str, rows: &[Vec<String>]) -> (TempDir, Extract) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(format!("table.{form}"));
    let rows: Vec<Vec<&str>> = rows.iter().map(|row| row.iter().map(String::as_str).collect()).collect();
    let rows: Vec<&[&str]> = rows.iter().map(Vec::as_slice).collect();
    write_table(&path, &rows);
    (folder, Extract::path(path))
}

#[test]
fn a_quote_that_is_never_closed_costs_its_own_row_in_every_table() {
    for table in TABLES {
        for form in FORMS {
            let mut rows = table.rows(400);
            let last = rows[300].len() - 1;
            rows[300][last] = "\"seen at home".into();
            let (_folder, extract) = written(form, &rows);
            let came = table.read(extract).unwrap();
            // In a workbook or a Parquet file a quote is a letter like any other.
            let is_text = form.starts_with("csv");
            let rejects = if is_text { vec![(301, RejectReason::QuoteOpen)] } else { vec![] };
            let wanted = Came { read: 400, accepted: 400 - rejects.len() as u64, rejects };
            assert_eq!(came, wanted, "{table:?} {form}");
        }
    }
}

#[test]
fn a_quote_that_closes_rows_later_swallows_none_of_them() {
    for table in TABLES {
        for form in ["csv", "csv.gz"] {
            let mut rows = table.rows(60);
            let last = rows[10].len() - 1;
            rows[10][last] = "\"he said".into();
            rows[30][last] = "\"so".into();
            let (_folder, extract) = written(form, &rows);
            let came = table.read(extract).unwrap();
            assert_eq!(came.read, came.accepted + came.rejects.len() as u64, "{table:?} {form}");
            // Whether the second quote closes the first one or opens another, at most these two rows are lost.
            assert_eq!(came.read, 60, "{table:?} {form}");
            assert!(came.accepted >= 58 && came.rejects.iter().any(|reject| reject.0 == 11), "{came:?}");
        }
    }
}

#[test]
fn a_quoted_cell_may_have_several_lines() {
    for table in [Table::Extract, Table::People, Table::Protected, Table::Scores] {
        for form in ["csv", "csv.gz"] {
            let mut rows = table.rows(40);
            let last = rows[10].len() - 1;
            rows[10][last] = "\"seen\nat home\"".into();
            rows[20][0] = String::new();
            let (_folder, extract) = written(form, &rows);
            let came = table.read(extract).unwrap();
            assert_eq!((came.read, came.accepted), (40, 39), "{table:?} {form}: {came:?}");
            // The line as an editor shows it: one further down for the line break above.
            assert_eq!(came.rejects[0].0, 22, "{table:?} {form}");
        }
    }
}

#[test]
fn dates_that_cannot_be_are_set_apart_in_every_table() {
    for form in FORMS {
        for wrong in ["0024-08-12", "2224-08-12", "1900-01-01", "2025-06-01"] {
            let mut rows = Table::Extract.rows(20);
            rows[3][1] = wrong.into();
            rows[5][2] = wrong.into();
            let (_folder, extract) = written(form, &rows);
            let came = Table::Extract.read(extract).unwrap();
            let reasons: Vec<RejectReason> = came.rejects.iter().map(|reject| reject.1).collect();
            assert_eq!(reasons, [RejectReason::DateImplausible; 2], "{form} {wrong}");
            assert_eq!(came.accepted, 18);

            let mut rows = Table::Households.rows(20);
            rows[3][2] = wrong.into();
            let (_folder, extract) = written(form, &rows);
            let came = Table::Households.read(extract).unwrap();
            assert_eq!(came.rejects.len(), 1, "{form} {wrong}: {came:?}");

            // A date of birth that cannot be loses the date and not the person.
            let mut rows = Table::People.rows(20);
            rows[3][1] = wrong.into();
            let (_folder, extract) = written(form, &rows);
            let records = Table::People.builder(extract).build().unwrap();
            assert_eq!(records.people(), 20, "{form} {wrong}");
            let told = records.remarks().iter().find(|remark| remark.kind == RemarkKind::BirthImplausible);
            assert_eq!(told.map(|remark| remark.rows), Some(1), "{form} {wrong}");
        }
    }
}

/// A year that was mistyped is not seen years too early, in any form; nor what lies before a birth left unsaid.
#[test]
fn a_mistyped_year_does_not_leak() {
    for form in FORMS {
        let mut rows = Table::Extract.rows(2);
        rows[1] = ["p0", "0024-08-12", "0024-08-14", ""].map(str::to_owned).to_vec();
        rows[2] = ["p1", "2024-08-12", "2024-08-14", ""].map(str::to_owned).to_vec();
        let (_folder, extract) = written(form, &rows);
        let people = frame_of(&[&["who", "born"], &["p0", "2012-05-01"], &["p1", "2024-09-01"]]);
        let columns = PeopleColumns {
            person: vec!["who".into()],
            date_of_birth: Some("born".into()),
            ..PeopleColumns::default()
        };
        let records =
            Table::Extract.builder(extract).people(columns, Extract::frame(people)).build().unwrap();
        let seen = |date: &str, who: &str| records.as_of(as_of(date)).events("visits", who).count();
        assert_eq!([seen("2024-04-01", "p0"), seen("2024-04-01", "p1")], [0, 0], "{form}");
        assert_eq!(seen("2024-09-01", "p1"), 1);
        let early = records.remarks().iter().find(|remark| remark.kind == RemarkKind::BeforeBirth).unwrap();
        assert_eq!(early.rows, 1, "{form}");
    }
}

/// The sum of the values of each person, by id; `None` where it is missing.
fn sums(rows: &[&[&str]], form: &str, decimal: Decimal) -> (Vec<(String, Cell)>, Vec<u64>) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(format!("money.{form}"));
    write_table(&path, rows);
    sums_of(Extract::path(path).options(ReadOptions { decimal, ..ReadOptions::default() }))
}

fn sums_of(extract: Extract) -> (Vec<(String, Cell)>, Vec<u64>) {
    let mapping = SourceMapping::new("money", "who", "arrears", "on").value("pounds");
    let all =
        frame_of(&[&["who", "on"], &["p1", "2020-01-01"], &["p2", "2020-01-01"], &["p3", "2020-01-01"]]);
    let records = Records::builder()
        .source(mapping, extract)
        .source(SourceMapping::new("roll", "who", "roll", "on"), Extract::frame(all))
        .reject_limit(1.0)
        .build()
        .unwrap();
    let cohort = CohortSpec::default().choose(&records.as_of(as_of("2025-01-01"))).unwrap();
    let spec = FeatureSpec::new(vec![Feature::new(Selector::source("money"), Measure::Sum, Lookback::Ever)])
        .unwrap();
    let matrix = spec.compute(&cohort).unwrap();
    let cells = cohort.ids().enumerate().map(|(row, id)| (id.to_owned(), matrix.cell(row, 0))).collect();
    let unreadable = |reject: &&earlyhelp::records::Reject| reject.reason == RejectReason::NumberUnreadable;
    (cells, records.rejects().iter().filter(unreadable).map(|reject| reject.row).collect())
}

fn of(cells: &[(String, Cell)], id: &str) -> Cell {
    cells.iter().find(|(held, _)| held == id).unwrap().1
}

#[test]
fn a_decimal_comma_is_never_read_as_a_group_of_thousands() {
    let money: &[&[&str]] = &[
        &["who", "on", "pounds"],
        &["p1", "2024-01-10", "12,50"],
        &["p1", "2024-01-11", "£1,204.50"],
        &["p2", "2024-01-10", "1.204,50"],
        &["p2", "2024-01-11", "1204.5"],
        &["p3", "2024-01-10", "(50.00)"],
    ];
    for form in FORMS {
        let (cells, unreadable) = sums(money, form, Decimal::Point);
        assert_eq!(unreadable.len(), 2, "{form}");
        let found = ["p1", "p2", "p3"].map(|id| of(&cells, id));
        assert_eq!(found, [1204.5, 1204.5, -50.0].map(Cell::Value), "{form}");
        let (cells, unreadable) = sums(money, form, Decimal::Comma);
        assert_eq!(unreadable.len(), 3, "{form}");
        assert_eq!(["p1", "p2"].map(|id| of(&cells, id)), [12.5, 1204.5].map(Cell::Value), "{form}");
    }
}

#[test]
fn a_decimal_comma_in_a_link_or_a_score_is_no_number() {
    for form in FORMS {
        let rows: &[&[&str]] =
            &[&["who", "on", "link"], &["p1", "2024-01-10", "0.95"], &["p2", "2024-01-10", "0,95"]];
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(format!("links.{form}"));
        write_table(&path, rows);
        let mapping = SourceMapping::new("visits", "who", "visit", "on").link_probability("link", 0.9);
        let records =
            Records::builder().source(mapping, Extract::path(path)).reject_limit(1.0).build().unwrap();
        let reasons: Vec<RejectReason> = records.rejects().iter().map(|reject| reject.reason).collect();
        assert_eq!(reasons, [RejectReason::NumberUnreadable], "{form}");

        let mut rows = Table::Scores.rows(40);
        rows[7][0] = "0,25".into();
        let (_folder, extract) = written(form, &rows);
        let came = Table::Scores.read(extract).unwrap();
        assert_eq!((came.read, came.accepted), (40, 39), "{form}: {came:?}");
    }
}

#[test]
fn a_column_that_stands_twice_is_refused_in_every_table() {
    for table in TABLES {
        for form in ["csv", "csv.gz", "xlsx"] {
            // The second column asked for stands once more at the end, with something else in it.
            let mut rows = table.rows(20);
            let name = rows[0][1].clone();
            for (number, row) in rows.iter_mut().enumerate() {
                row.push(if number == 0 { name.clone() } else { "2024-09-20".into() });
            }
            let (_folder, extract) = written(form, &rows);
            let told = table.read(extract).unwrap_err();
            assert!(
                told.contains(&format!("\"{name}\"")) && told.contains("more than once"),
                "{table:?} {form}: {told}"
            );
            assert!(!told.contains("2024-09-20"));
        }
        // A Parquet file has no two columns of one name to the letter, but of one name.
        let mut rows = table.rows(20);
        let name = rows[0][1].clone();
        rows[0][1] = name.to_uppercase();
        for (number, row) in rows.iter_mut().enumerate() {
            row.push(if number == 0 { format!(" {}", name.to_uppercase()) } else { "2024-09-20".into() });
        }
        for form in ["parquet", "arrow"] {
            let (_folder, extract) = written(form, &rows);
            let told = table.read(extract).unwrap_err();
            assert!(told.contains("more than once"), "{table:?} {form}: {told}");
        }
    }
}

/// A column of moments, counted in a unit from 1970 by universal time.
fn moments(name: &str, moments: Vec<i64>, unit: TimeUnit, zone: Option<&str>) -> Series {
    let series = Series::new(name.into(), moments);
    // A cast would lose the zone without a word.
    let typed =
        series.i64().unwrap().clone().into_datetime(unit, TimeZone::opt_try_new(zone).unwrap()).into_series();
    assert!(matches!(typed.dtype(), DataType::Datetime(_, held) if held.is_some() == zone.is_some()));
    typed
}

/// Midnights of summer days in London, as moments.
fn midnights(unit: TimeUnit, zone: Option<&str>) -> Vec<(&'static str, Series)> {
    let a_second = match unit {
        TimeUnit::Nanoseconds => 1_000_000_000,
        TimeUnit::Microseconds => 1_000_000,
        TimeUnit::Milliseconds => 1_000,
    };
    // In summer midnight in London is 23:00 of the day before by universal time; a naive time is as it stands.
    let early = if zone.is_some() { 3_600 } else { 0 };
    let moment = |day: &str| {
        let day: earlyhelp::calendar::Day = day.parse().unwrap();
        (i64::from(day.epoch_days()) * 86_400 - early) * a_second
    };
    let column =
        |name: &'static str, days: [&str; 3]| (name, moments(name, days.map(moment).to_vec(), unit, zone));
    vec![
        column("on", ["2024-06-28", "2024-06-28", "2023-07-02"]),
        column("recorded", ["2024-07-01", "2024-06-30", "2023-07-03"]),
    ]
}

#[test]
fn a_moment_with_a_zone_is_of_the_day_that_it_was_there() {
    let folder = tempfile::tempdir().unwrap();
    for unit in [TimeUnit::Nanoseconds, TimeUnit::Microseconds, TimeUnit::Milliseconds] {
        for zone in [Some("Europe/London"), Some("+01:00"), None] {
            let mut columns = vec![Series::new("who".into(), ["p1", "p3", "p4"]).into_column()];
            columns.extend(midnights(unit, zone).into_iter().map(|(_, series)| series.into_column()));
            let mut frame = DataFrame::new(3, columns).unwrap();
            for form in ["frame", "parquet", "arrow"] {
                let path = folder.path().join(format!("visits.{form}"));
                let extract = if form == "frame" {
                    Extract::frame(frame.clone())
                } else {
                    write_frame(&path, &mut frame);
                    Extract::path(&path)
                };
                let mapping = SourceMapping::new("visits", "who", "visit", "on")
                    .known(Known::Column("recorded".into()));
                let records = Records::builder().source(mapping, extract).build().unwrap();
                let snapshot = records.as_of(as_of("2024-07-01"));
                let seen = ["p1", "p3", "p4"].map(|who| snapshot.events("visits", who).count());
                // Known on the day itself, the day before, and a year before.
                assert_eq!(seen, [0, 1, 1], "{unit:?} {zone:?} {form}");
                let first = snapshot.events("visits", "p4").next().unwrap();
                assert_eq!(first.occurred.to_string(), "2023-07-02", "{unit:?} {zone:?} {form}");
            }
        }
    }
}

#[test]
fn a_date_of_birth_and_a_move_with_a_zone_are_of_their_own_day_too() {
    let moment = |name: &str| {
        let midnight: earlyhelp::calendar::Day = "2014-07-01".parse().unwrap();
        let moment = (i64::from(midnight.epoch_days()) * 86_400 - 3_600) * 1_000;
        moments(name, vec![moment], TimeUnit::Milliseconds, Some("Europe/London")).into_column()
    };
    let who = || Series::new("who".into(), ["p1"]).into_column();
    let people = DataFrame::new(1, vec![who(), moment("born")]).unwrap();
    let records = Table::People.builder(Extract::frame(people)).build().unwrap();
    let aged = |date: &str| {
        let ten = CohortSpec { ages: Some((10, 10)), ..CohortSpec::default() };
        ten.choose(&records.as_of(as_of(date))).is_ok()
    };
    assert_eq!([aged("2024-06-30"), aged("2024-07-01")], [false, true]);

    let home = Series::new("home".into(), ["h"]).into_column();
    let homes = DataFrame::new(1, vec![who(), home, moment("start")]).unwrap();
    let twin = frame_of(&[&["who", "home", "start"], &["p1", "h", "2014-07-01"]]);
    let digest = |frame: DataFrame| {
        let records = Table::Households.builder(Extract::frame(frame)).build().unwrap();
        ["2014-07-01", "2014-07-02", "2014-07-03"].map(|date| records.as_of(as_of(date)).digest("households"))
    };
    assert_eq!(digest(homes), digest(twin));
}

#[test]
fn the_sum_of_what_is_not_known_is_missing_in_every_form() {
    let money: &[&[&str]] = &[
        &["who", "on", "pounds"],
        &["p1", "2024-01-10", ""],
        &["p1", "2024-01-11", "NULL"],
        &["p2", "2024-01-10", ""],
        &["p2", "2024-01-11", "300"],
    ];
    for form in FORMS {
        let (cells, unreadable) = sums(money, form, Decimal::Point);
        let found = ["p1", "p2", "p3"].map(|id| of(&cells, id));
        // Nothing known; some of it known; no record at all.
        assert_eq!(found[..2], [Cell::Missing, Cell::Value(300.0)], "{form}");
        assert_eq!((found[2], unreadable.len()), (Cell::Value(0.0), 0), "{form}");
    }
    // Numbers that are not there, in a column of numbers.
    let typed = DataFrame::new(
        3,
        vec![
            Series::new("who".into(), ["p1", "p2", "p2"]).into_column(),
            Series::new("on".into(), ["2024-01-10", "2024-01-10", "2024-01-11"]).into_column(),
            Series::new("pounds".into(), [None, Some(300.0), None]).into_column(),
        ],
    );
    let (cells, _) = sums_of(Extract::frame(typed.unwrap()));
    assert_eq!(["p1", "p2"].map(|id| of(&cells, id)), [Cell::Missing, Cell::Value(300.0)]);
}

#[test]
fn a_later_return_of_an_episode_closes_it_and_leaves_the_past_as_it_was() {
    // The same episode in the returns of two years, open in the first; one that is closed in the only return; and one
    // that comes twice and says the same.
    let returns: &[&[&str]] = &[
        &["who", "start", "end", "returned", "ref"],
        &["p1", "2023-09-23", "2024-05-30", "2025-03-31", "r1"],
        &["p1", "2023-09-23", "", "2024-03-31", "r1"],
        &["p2", "2023-09-23", "2024-05-30", "2025-03-31", "r2"],
        &["p3", "2024-05-01", "", "2024-05-31", "r3"],
        &["p3", "2024-05-01", "9999-12-31", "2025-03-31", "r3"],
    ];
    for form in FORMS {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(format!("care.{form}"));
        write_table(&path, returns);
        let mapping = SourceMapping::new("care", "who", "episode", "start")
            .ended("end")
            .known(Known::Column("returned".into()))
            .reference("ref");
        let records = Records::builder().source(mapping, Extract::path(path)).build().unwrap();
        assert_eq!(records.intake()[0].rejected, 0, "{form}");
        let care = || Selector::source("care");
        let spec = FeatureSpec::new(vec![
            Feature::new(care(), Measure::PresentNow, Lookback::Ever),
            Feature::new(care(), Measure::Count, Lookback::Ever),
            Feature::new(care(), Measure::DaysOpen, Lookback::Ever),
        ])
        .unwrap();
        let said = |date: &str| {
            let cohort = CohortSpec::default().choose(&records.as_of(as_of(date))).unwrap();
            let matrix = spec.compute(&cohort).unwrap();
            [0, 1, 2].map(|row| [0, 1, 2].map(|column| matrix.cell(row, column)))
        };
        let cells = |numbers: [f32; 3]| numbers.map(Cell::Value);
        // Before the first return came nothing was known, and from then on to the second it is open: 282 days from
        // 23 September to 1 July.
        let summer = said("2024-07-01");
        assert_eq!(summer[0], cells([1.0, 1.0, 282.0]), "{form}");
        assert_eq!(summer[2], cells([1.0, 1.0, 61.0]), "{form}");
        // 250 days from 23 September to 30 May.
        let spring = said("2025-04-01");
        assert_eq!(spring[0], cells([0.0, 1.0, 250.0]), "{form}");
        assert_eq!(spring[1], spring[0], "{form}: a return at once and two returns end alike");
        assert_eq!(spring[2], cells([1.0, 1.0, 335.0]), "{form}");
    }
}
