//! Cells, rows and columns; below, what a table may say otherwise, and who is beside the audit.

mod asked;

use std::path::PathBuf;

use polars::df;
use polars::prelude::{DataFrame, ParquetWriter};

use super::*;
use crate::error::RecordsError;
use crate::records::{Reject, RejectReason};

fn columns() -> ScoreColumns {
    ScoreColumns::new("risk", "excluded").group("sex")
}

fn from_csv(bytes: &[u8], columns: &ScoreColumns) -> Result<(ScoreTable, ScoreIntake), ScoresError> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("scores.csv");
    std::fs::write(&path, bytes).unwrap();
    read_scores(&path, columns)
}

/// Scores, outcomes and the group of each row.
fn content(table: &ScoreTable) -> (Vec<f64>, Vec<bool>, Vec<String>) {
    let groups = table.groups.first().map(|group| {
        group.codes.iter().map(|&code| group.names[usize::from(code)].clone()).collect::<Vec<_>>()
    });
    (table.scores.clone(), table.outcomes.clone(), groups.unwrap_or_default())
}

fn rejected(row: u64, column: &str, reason: RejectReason) -> Reject {
    Reject {
        source: "scores".to_owned(),
        file: None,
        row,
        column: Some(column.to_owned()),
        reason,
        pattern: None,
    }
}

/// As it is in a file.
fn rejected_in(file: &str, row: u64, column: Option<&str>, reason: RejectReason) -> Reject {
    Reject { file: Some(file.to_owned()), column: column.map(str::to_owned), ..rejected(row, "", reason) }
}

#[test]
fn numbers_booleans_and_texts_all_say_the_same() {
    let expected =
        (vec![0.0, 1.0, 1.0], vec![true, false, true], vec!["1".to_owned(), "0".into(), "1".into()]);
    let frames: [DataFrame; 6] = [
        df!("risk" => [0.0, 1.0, 1.0], "excluded" => [true, false, true], "sex" => ["1", "0", "1"]).unwrap(),
        df!("risk" => [0_i32, 1, 1], "excluded" => [1_i64, 0, 1], "sex" => [1_i64, 0, 1]).unwrap(),
        df!("risk" => [0_u8, 1, 1], "excluded" => [1.0, 0.0, 1.0], "sex" => [1.0, 0.0, 1.0]).unwrap(),
        df!("risk" => [false, true, true], "excluded" => ["Yes", "no", "TRUE"], "sex" => ["1 ", "0", " 1"])
            .unwrap(),
        df!("risk" => ["0", "1e0", " 1.0"], "excluded" => ["1", "0", "true"], "sex" => [1_u8, 0, 1]).unwrap(),
        df!("risk" => [0.0_f32, 1.0, 1.0], "excluded" => [1_i8, 0, 1], "sex" => [1_i16, 0, 1]).unwrap(),
    ];
    for frame in &frames {
        let (table, intake) = ScoreTable::from_frame(frame, &columns()).unwrap();
        assert_eq!(content(&table), expected, "{frame:?}");
        assert_eq!((intake.read, intake.audited, intake.rejected.len()), (3, 3, 0));
    }
    let flags = df!("risk" => [0.5, 0.5], "excluded" => [true, false], "sex" => [true, false]).unwrap();
    assert_eq!(content(&ScoreTable::from_frame(&flags, &columns()).unwrap().0).2, ["true", "false"]);
}

#[test]
fn rows_that_cannot_be_audited_are_counted_with_reason_and_place() {
    let frame = df!(
        "risk" => [Some(0.1), None, Some(f64::NAN), Some(0.4), Some(0.5), Some(f64::INFINITY), Some(0.7)],
        "excluded" => [Some(1), Some(1), Some(0), None, Some(2), Some(0), Some(0)],
        "sex" => [None, Some("F"), Some("F"), Some("F"), Some("F"), Some("F"), Some("")],
    )
    .unwrap();
    let (table, intake) = ScoreTable::from_frame(&frame, &columns()).unwrap();
    assert_eq!(
        content(&table),
        (vec![0.1, 0.7], vec![true, false], vec!["unknown".into(), "unknown".into()])
    );
    assert_eq!(
        intake.rejected,
        [
            rejected(2, "risk", RejectReason::ValueMissing),
            // What is not a number is no number that was there, as in extracts.
            rejected(3, "risk", RejectReason::ValueMissing),
            rejected(4, "excluded", RejectReason::ValueMissing),
            rejected(5, "excluded", RejectReason::FlagUnreadable),
            rejected(6, "risk", RejectReason::NumberUnreadable),
        ]
    );
    assert_eq!(intake.read, intake.audited + intake.rejected.len() as u64);
    assert_eq!(intake.reasons()[0], (Some("risk"), RejectReason::ValueMissing, 2));
}

#[test]
fn what_is_chosen_is_read_too() {
    let frame = df!(
        "risk" => [0.1, 0.2, 0.3, 0.4, 0.5],
        "excluded" => [1, 0, 0, 1, 1],
        "listed" => [Some("yes"), Some("no"), Some("no"), None, Some("yes")],
        "w" => [1.0, 2.0, 0.0, 1.0, 2.5],
        "family" => [Some("b"), None, Some("a"), Some("a"), None],
    )
    .unwrap();
    let asked = ScoreColumns {
        predicted: Some("listed".into()),
        weight: Some("w".into()),
        cluster: Some("family".into()),
        not_held: vec!["faith".into()],
        ..ScoreColumns::new("risk", "excluded")
    };
    let (table, intake) = ScoreTable::from_frame(&frame, &asked).unwrap();
    assert_eq!(table.predicted, Some(vec![true, false, true]));
    assert_eq!(table.weights, Some(vec![1.0, 2.0, 2.5]));
    assert_eq!(table.not_held, ["faith"]);
    assert_eq!(
        intake.rejected,
        [
            rejected(3, "w", RejectReason::WeightNotAboveZero),
            rejected(4, "listed", RejectReason::ValueMissing)
        ]
    );
    // Rows without a family are two families, not one.
    let clusters = table.clusters.unwrap();
    assert_eq!(intake.without_cluster, 2);
    assert!(clusters[0] != clusters[1] && clusters[1] != clusters[2] && clusters[0] != clusters[2]);
}

#[test]
fn families_are_coded_alike_whatever_the_order_of_the_rows() {
    let read = |families: [&str; 3]| {
        let frame = df!("risk" => [0.1; 3], "excluded" => [1, 0, 0], "family" => families).unwrap();
        let asked = ScoreColumns { cluster: Some("family".into()), ..ScoreColumns::new("risk", "excluded") };
        ScoreTable::from_frame(&frame, &asked).unwrap().0.clusters.unwrap()
    };
    let (one, other) = (read(["b", "c", "a"]), read(["a", "b", "c"]));
    assert_eq!((one[0], one[1], one[2]), (other[1], other[2], other[0]));
}

#[test]
fn a_csv_file_is_read_with_and_without_a_mark_and_whatever_its_delimiter() {
    let expected = (vec![0.25, 0.5], vec![true, false], vec!["ünit, a".to_owned(), "unknown".into()]);
    for text in [
        "risk,excluded,sex\n0.25,1,\"Ünit, a\"\n0.5,0,\n",
        "\u{feff}risk;excluded;sex\r\n0.25;yes;Ünit, a\r\n0.5;no; \r\n",
        "Sex|RISK |Excluded\nÜnit, a|0.25|TRUE\n|0.5|false\n",
        "sex\trisk\texcluded\tnote\n\"Ünit, a\"\t0.25\t1\tx\n\t0.5\t0\ty\n",
    ] {
        let (table, intake) = from_csv(text.as_bytes(), &columns()).unwrap();
        assert_eq!(content(&table), expected, "{text}");
        assert_eq!((intake.read, intake.audited), (2, 2));
    }
}

#[test]
fn bad_lines_of_a_csv_file_are_rejected_by_their_line() {
    let mut bytes =
        b"risk,excluded,sex\n0.1,1,F\n0.2,1\n\"x\",1,F\n0.4,1,Caf\xe9\n0.5,,F\n0.6,0,\"a\nb\"\n0.7,maybe,F\n"
            .to_vec();
    bytes.extend_from_slice(b"0.8,0,M\n");
    let (table, intake) = from_csv(&bytes, &columns()).unwrap();
    // What is not UTF-8 is Windows-1252.
    assert_eq!(table.scores, [0.1, 0.4, 0.6, 0.8]);
    let none = |row, reason| rejected_in("scores.csv", row, None, reason);
    let rejected = |row, column, reason| rejected_in("scores.csv", row, Some(column), reason);
    assert_eq!(
        intake.rejected,
        [
            none(3, RejectReason::FieldCount),
            rejected(4, "risk", RejectReason::NumberUnreadable),
            rejected(6, "excluded", RejectReason::ValueMissing),
            rejected(9, "excluded", RejectReason::FlagUnreadable),
        ]
    );
    assert_eq!((intake.read, intake.audited), (8, 4));
}

#[test]
fn a_parquet_file_says_what_its_frame_says() {
    let mut frame = df!(
        "note" => ["x", "y", "z"],
        "sex" => [Some("F"), None, Some("M")],
        "excluded" => [Some(true), Some(false), None],
        "risk" => [0.25, 0.5, 0.75],
    )
    .unwrap();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("scores.PARQUET");
    ParquetWriter::new(std::fs::File::create(&path).unwrap()).finish(&mut frame).unwrap();
    let (table, intake) = read_scores(&path, &columns()).unwrap();
    assert_eq!(content(&table), (vec![0.25, 0.5], vec![true, false], vec!["f".into(), "unknown".into()]));
    assert_eq!(
        intake.rejected,
        [rejected_in("scores.PARQUET", 3, Some("excluded"), RejectReason::ValueMissing)]
    );
    let missing = ScoreColumns::new("risk", "excluded").group("ethnicity");
    assert!(matches!(
        read_scores(&path, &missing).unwrap_err(),
        ScoresError::Read(RecordsError::NoColumn { column, .. }) if column == "ethnicity"
    ));
}

#[test]
fn errors_name_the_column_and_never_a_value() {
    let frame =
        df!("risk" => ["s3cret", "s3cret"], "excluded" => ["s3cret", "0"], "sex" => ["s3cret", "F"]).unwrap();
    let error = ScoreTable::from_frame(&frame, &ScoreColumns::new("risk", "outcome")).unwrap_err();
    assert_eq!(
        error.to_string(),
        "source scores: there is no column \"outcome\": it has risk, excluded, sex (a frame); give the name as the \
         header has it"
    );
    let error = ScoreTable::from_frame(&frame, &columns()).unwrap_err();
    assert_eq!(
        error.to_string(),
        "none of the 2 rows read can be audited, mostly column \"risk\": not a finite number"
    );
    let text = b"risk,excluded,sex\ns3cret,s3cret,s3cret\ns3cret\n";
    for error in
        [from_csv(text, &columns()).unwrap_err(), from_csv(text, &columns().group("age")).unwrap_err()]
    {
        assert!(!format!("{error} {error:?}").contains("s3cret"), "{error}");
    }
    let twice = columns().group("sex");
    let frame = df!("risk" => [0.1], "excluded" => [1], "sex" => ["F"]).unwrap();
    assert_eq!(
        ScoreTable::from_frame(&frame, &twice).unwrap_err(),
        ScoresError::Table(crate::error::AuditError::Twice { column: "sex".into() })
    );
}

#[test]
fn a_column_of_the_wrong_type_is_named_with_its_type() {
    let day = polars::prelude::DataType::Date;
    let mut frame = df!("risk" => [1_i32, 2], "excluded" => [1, 0], "sex" => ["F", "M"]).unwrap();
    let days = frame.column("risk").unwrap().cast(&day).unwrap();
    frame.replace("risk", days).unwrap();
    let error = ScoreTable::from_frame(&frame, &columns()).unwrap_err();
    assert_eq!(error.to_string(), "column \"risk\" is of type date, where a number is needed");
}

#[test]
fn other_files_are_refused_by_name() {
    let path = PathBuf::from("scores.docx");
    let refused = read_scores(&path, &columns()).unwrap_err();
    assert!(matches!(&refused, ScoresError::Read(RecordsError::Format { path: held, .. }) if *held == path));
    assert!(refused.to_string().contains("save it as one of them"), "{refused}");
    let absent = PathBuf::from("no-such-folder/scores.csv");
    let refused = read_scores(&absent, &columns());
    assert!(matches!(refused, Err(ScoresError::Read(RecordsError::Read { path, .. })) if path == absent));
    assert!(matches!(from_csv(b"", &columns()), Err(ScoresError::Read(RecordsError::NoColumn { .. }))));
    assert_eq!(
        from_csv(b"risk,excluded,sex\n", &columns()).unwrap_err().to_string(),
        "none of the 0 rows read can be audited"
    );
}

#[test]
fn a_column_that_stands_twice_is_refused_only_where_it_is_asked_for() {
    let twice =
        from_csv(b"risk,excluded,sex,sex\n0.5,1,F,M\n", &ScoreColumns::new("risk", "excluded").group("sex"));
    assert!(
        matches!(twice, Err(ScoresError::Read(RecordsError::ColumnTwice { column, .. })) if column == "sex")
    );
    let other = from_csv(b"risk,excluded,note,note\n0.5,1,F,M\n", &ScoreColumns::new("risk", "excluded"));
    assert_eq!(other.unwrap().1.audited, 1);
    // Capitals alone do not tell which is meant.
    let letter = from_csv(b"risk,Risk,excluded\n0.5,0.1,1\n", &ScoreColumns::new("risk", "excluded"));
    assert!(letter.is_err());
    let cases = from_csv(b"RISK,Risk,excluded\n0.5,0.1,1\n", &ScoreColumns::new("risk", "excluded"));
    assert!(cases.is_err());
}

#[test]
fn outcomes_coded_one_and_two_are_refused() {
    let columns = ScoreColumns::new("risk", "y");
    let frame = df!("risk" => [0.1, 0.2, 0.3], "y" => [1, 2, 1]).unwrap();
    let refused = ScoreTable::from_frame(&frame, &columns).unwrap_err();
    assert!(matches!(&refused, ScoresError::OneAndTwo { column } if column == "y"));
    assert!(refused.to_string().contains("write 1 for yes and 0 for no"), "{refused}");
    // Beside a 0 a 2 is one row that cannot be read.
    let frame = df!("risk" => [0.1, 0.2, 0.3], "y" => ["1", "2", "0"]).unwrap();
    let (_, intake) = ScoreTable::from_frame(&frame, &columns).unwrap();
    assert_eq!((intake.audited, intake.rejected.len()), (2, 1));
}

#[test]
fn a_family_written_as_a_number_with_decimals_is_the_same_family() {
    let mut columns = ScoreColumns::new("risk", "y").group("area");
    columns.cluster = Some("family".to_owned());
    let frame = df!(
        "risk" => [0.1, 0.2, 0.3, 0.4],
        "y" => [1, 0, 1, 0],
        "family" => ["12", "12.0", "7", "12.5"],
        "area" => ["3", "3.0", "3.00", "v1.0"],
    )
    .unwrap();
    let (table, _) = ScoreTable::from_frame(&frame, &columns).unwrap();
    let clusters = table.clusters.as_ref().unwrap();
    assert_eq!(clusters[0], clusters[1]);
    assert!(clusters[2] != clusters[0] && clusters[3] != clusters[0]);
    assert_eq!(table.groups[0].names, ["3", "v1.0"]);
}
