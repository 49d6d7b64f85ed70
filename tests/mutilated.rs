//! Spoilt files are counted as another program counts them: 2,000 tables of text, held against Python's `csv`, and 60
//! workbooks, held against openpyxl. The recipe is `fixtures/make_mutilated.py`.

use earlyhelp::records::{Extract, Known, PeopleColumns, Records, RejectReason, SourceMapping};
use polars::df;
use serde::Deserialize;

#[derive(Deserialize)]
struct Spoilt {
    form: String,
    bytes: String,
    /// Records below the header; none where the file cannot be opened.
    rows: Option<u64>,
    /// The same, where a quote is a letter like any other.
    lines: Option<u64>,
}

#[derive(Debug, Default, PartialEq)]
struct Tally {
    /// As many rows as the other program found.
    same: u32,
    /// A quote that swallows rows there costs its own row here.
    more: u32,
    /// Refused as a whole.
    refused: u32,
}

#[test]
fn rows_are_counted_as_another_program_counts_them() {
    let packed = std::fs::File::open("tests/fixtures/mutilated.json.zst").unwrap();
    let files: Vec<Spoilt> =
        serde_json::from_reader(zstd::stream::read::Decoder::new(packed).unwrap()).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let (mut text, mut books) = (Tally::default(), Tally::default());
    for (nth, file) in files.iter().enumerate() {
        let path = folder.path().join(format!("{nth}.{}", file.form));
        std::fs::write(&path, hex::decode(&file.bytes).unwrap()).unwrap();
        let mapping = SourceMapping::new("notices", "person", "none", "on")
            .kind_column("kind")
            .known(Known::LagDays(0))
            .value("amount");
        let people = PeopleColumns { person: vec!["id".into()], ..PeopleColumns::default() };
        let read = Records::builder()
            .people(people, Extract::frame(df!("id" => ["P000", "P001", "P002"]).unwrap()))
            .source(mapping, Extract::path(&path))
            .reject_limit(1.0)
            .build();
        let tally = if file.form == "csv" { &mut text } else { &mut books };
        let Ok(records) = read else {
            let error = read.map(|_| ()).unwrap_err().to_string();
            tally.refused += 1;
            // What cannot be opened there cannot be opened here.
            let is_open = error.contains("a quote that opens on line 1 is not closed");
            assert!(if file.form == "csv" { is_open } else { file.rows.is_none() }, "{nth}: {error}");
            continue;
        };
        assert!(file.rows.is_some(), "{nth}");
        let intake = records.intake().iter().find(|intake| intake.source == "notices").unwrap();
        assert_eq!(intake.read, intake.accepted + intake.rejected, "{nth}");
        let (rows, lines) = (file.rows.unwrap_or_default(), file.lines.unwrap_or_default());
        let is_open = records.rejects().iter().any(|reject| reject.reason == RejectReason::QuoteOpen);
        if intake.read == rows {
            tally.same += 1;
        } else {
            assert!(
                is_open && intake.read > rows && intake.read <= lines,
                "{nth}: {} of {rows} or {lines}",
                intake.read
            );
            tally.more += 1;
        }
    }
    // In two of them the quote opens the first cell.
    assert_eq!(text, Tally { same: 1_699, more: 299, refused: 2 });
    assert_eq!(books, Tally { same: 48, more: 0, refused: 12 });
}
