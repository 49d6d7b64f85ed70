//! Workbooks, read back by two readers that are none of their writer: their numbers are the JSON's, and nothing in them runs.

mod reading;

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;
use std::sync::LazyLock;

use calamine::{Data, Reader};
use earlyhelp::evaluate::Capacity;
use earlyhelp::fairness::audit::{AuditParams, OperatingPoint};
use earlyhelp::outputs::json_text;
use earlyhelp::report::audit::{audit_csv, audit_xlsx};
use earlyhelp::report::{list_json, list_xlsx, metrics_csv, metrics_xlsx};
use earlyhelp::review::{ListParams, RandomSample, ReviewList};
use earlyhelp::scoring::Request;
use earlyhelp::synthetic::{CouncilParams, Format};
use serde_json::Value;

use self::reading::{Sheet, bits, book, is_inert, parts, undone};
use crate::world;

/// What somebody might write to make a spreadsheet do something, or to make one id look like another.
const HOSTILE: [&str; 16] = [
    "=HYPERLINK(\"http://x.invalid\",\"y\")",
    "+1+1",
    "-2+3",
    "@SUM(A1)",
    "<b>&amp;\"'</b>]]>",
    "\u{202e}txt.exe",
    "a\u{1b}[2J",
    "_x0041_",
    "\\u{1b}",
    "two\nlines\r",
    "'quoted",
    "\u{9b}\u{200b}",
    "{=1}",
    "http://x.invalid/",
    "1e5",
    "&B&D",
];

/// A note of so many letters.
fn note(letters: usize) -> String {
    "=cmd|' /C calc'!A0 ".chars().cycle().take(letters).collect()
}

/// A list whose ids, references, title and request are hostile.
static LIST: LazyLock<ReviewList> = LazyLock::new(|| {
    let made = world::released();
    let mut world = made.world.clone();
    let hostile = |id: &str| {
        let nth: usize = id[1..].parse().unwrap();
        format!("{}{id}", HOSTILE[nth % HOSTILE.len()])
    };
    world.people.iter_mut().for_each(|person| person.id = hostile(&person.id));
    world.spells.iter_mut().for_each(|spell| spell.person = hostile(&spell.person));
    for source in &mut world.sources {
        for (nth, row) in source.rows.iter_mut().enumerate() {
            row.person = hostile(&row.person);
            row.reference = match nth % 40 {
                0 => note(10_000) + &row.reference,
                1 => note(40_000) + &row.reference,
                _ => format!("{}{}", HOSTILE[nth % HOSTILE.len()], row.reference),
            };
        }
    }
    let records = world.records();
    let cohort = world::cohort(&records, world::list_date());
    let usual = world::request();
    let request = Request::new("=B. \u{202e}Lead", &usual.purpose, usual.on);
    let scores = made.scorer.score(&cohort, &request).unwrap();
    let comparison = RandomSample { cases: 4, seed: 3 };
    ReviewList::draw(&scores, ListParams::new(Capacity::Cases(12)).comparison(comparison)).unwrap()
});

const TITLE: &str = "=1+1 & \u{202e}children";

#[test]
fn a_list_s_numbers_are_the_json_s_to_the_bit() {
    let list = &*LIST;
    let bytes = list_xlsx(list, TITLE).unwrap();
    let json: Value = serde_json::from_str(&list_json(list).unwrap()).unwrap();
    let entries = json["entries"].as_array().unwrap();
    let sheet = Sheet::of(&bytes, "List");
    assert_eq!(sheet.rows.len(), list.len());
    let of = |get: &dyn Fn(&Value) -> Option<u64>| entries.iter().map(get).collect::<Vec<_>>();
    let observed =
        |end: &'static str| move |entry: &Value| bits(&entry["case"]["band"]["observed"]["interval"][end]);
    assert_eq!(sheet.numbers("Rank"), of(&|entry| bits(&entry["case"]["rank"])));
    assert_eq!(
        sheet.numbers("Had the outcome in this band"),
        of(&|entry| bits(&entry["case"]["band"]["observed"]["value"]))
    );
    assert_eq!(sheet.numbers("Had the outcome in this band: low end (95%)"), of(&observed("low")));
    assert_eq!(sheet.numbers("Had the outcome in this band: high end (95%)"), of(&observed("high")));
    assert_eq!(
        sheet.numbers("Retrainings that keep it on such a list"),
        of(&|entry| bits(&entry["case"]["stability"]["kept_in"]))
    );
    assert!(sheet.numbers("Had the outcome in this band: high end (95%)").iter().all(Option::is_some));
    // A day is a day, and not a text of one.
    for cell in sheet.column("Expires") {
        let Data::DateTime(day) = cell else { panic!("{cell:?} is no day") };
        let (year, month, day, ..) = day.to_ymd_hms_milli();
        assert_eq!(format!("{year:04}-{month:02}-{day:02}"), json["audit"]["expires"]);
    }
    let ids: Vec<String> = sheet.texts("Case").iter().map(|cell| undone(cell)).collect();
    assert!(ids.iter().zip(entries).all(|(id, entry)| *id == entry["case"]["entity"]), "{ids:?}");
    let held: BTreeSet<&str> =
        HOSTILE.into_iter().filter(|text| ids.iter().any(|id| id.starts_with(text))).collect();
    assert!(held.len() >= 8, "{held:?}");

    // Every reason of every case, those beside a place with them, in order.
    let sheet = Sheet::of(&bytes, "Reasons");
    let cases = entries.iter().flat_map(|entry| {
        let beside = entry.get("beside").and_then(Value::as_array).into_iter().flatten();
        [&entry["case"]].into_iter().chain(beside)
    });
    let parts: Vec<&Value> = cases.flat_map(|case| case["contributions"].as_array().unwrap()).collect();
    assert!(parts.len() > 100, "{}", parts.len());
    let of = |get: &dyn Fn(&Value) -> Option<u64>| parts.iter().map(|part| get(part)).collect::<Vec<_>>();
    assert_eq!(sheet.numbers("Points"), of(&|part| bits(&part["log_odds"])));
    assert_eq!(sheet.numbers("Points: low end (95%)"), of(&|part| bits(&part["interval"]["low"])));
    assert_eq!(sheet.numbers("Value"), of(&|part| bits(&part["values"][0])));
    let counts = of(&|part| Some((part["records"].as_array().unwrap().len() as f64).to_bits()));
    assert_eq!(sheet.numbers("Records"), counts);
    let records: usize = parts.iter().map(|part| part["records"].as_array().unwrap().len()).sum();
    assert_eq!(Sheet::of(&bytes, "Records").rows.len(), records);
}

#[test]
fn hostile_text_of_a_list_is_inert() {
    let list = &*LIST;
    let bytes = list_xlsx(list, TITLE).unwrap();
    is_inert(&bytes);
    // Notes of 10,000 letters are whole; longer ones than a cell takes are cut, and say so.
    let references = Sheet::of(&bytes, "Records").texts("Reference");
    let whole = references.iter().filter(|text| text.starts_with("=cmd") && text.len() < 11_000);
    assert!(whole.clone().count() > 0 && whole.clone().all(|text| text.starts_with(&note(10_000))));
    let cut: Vec<_> = references.iter().filter(|text| text.len() > 11_000).collect();
    assert!(!cut.is_empty());
    for text in cut {
        assert!(text.len() == 32_767 && text.contains("cut here"), "{}", text.len());
    }
}

#[test]
fn a_list_says_first_what_it_is_for_and_until_when() {
    let list = &*LIST;
    let bytes = list_xlsx(list, TITLE).unwrap();
    let names = book(&bytes).sheet_names();
    assert_eq!(names[..3], ["Read me", "List", "Cases"]);
    let sheet = Sheet::of(&bytes, "Read me");
    let text: Vec<String> = sheet.rows.iter().flatten().map(ToString::to_string).collect();
    assert_eq!(sheet.head[0], "=1+1 & \\u{202e}children");
    let said = |text_of: &str| text.iter().any(|cell| cell.contains(text_of));
    let page = earlyhelp::report::list_html(list, TITLE).unwrap();
    for words in [
        "It ranks; people decide.",
        "nobody can tell from it what will happen to one person",
        "they do not say what causes what",
        "Do not use after",
        &list.provenance().run_id,
        &list.provenance().purpose,
        "In no ledger",
        "4 cases were drawn at random",
    ] {
        assert!(said(words) && page.contains(words), "{words}");
    }
    let cannot_see = list.entries()[0].case().cannot_see();
    assert!(!cannot_see.is_empty() && cannot_see.iter().all(|line| said(line)));
}

#[test]
fn the_same_input_gives_the_same_bytes_and_no_clock_is_in_them() {
    let list = &*LIST;
    let bytes = list_xlsx(list, TITLE).unwrap();
    assert!(bytes == list_xlsx(list, TITLE).unwrap());
    let parts = parts(&bytes);
    let core = &parts.iter().find(|(name, _)| name == "docProps/core.xml").unwrap().1;
    let day = list.provenance().requested_on.to_string();
    assert_eq!(core.matches(&format!("{day}T00:00:00Z")).count(), 2, "{core}");
    assert_eq!(core.matches("T00:00:00Z").count(), 2, "{core}");
    let sheets = parts.iter().filter(|(name, _)| name.starts_with("xl/worksheets/sheet"));
    for (name, sheet) in sheets.skip(1) {
        assert!(sheet.contains("state=\"frozen\"") && sheet.contains("<autoFilter"), "{name}");
    }
    // The last day of use is on every printed page.
    let first = Sheet::of(&bytes, "Read me");
    let until = first.rows.iter().find(|row| row[0] == *"Do not use after").map(|row| row[1].to_string());
    let printed = format!("Do not use after {}. Run {}", until.unwrap(), list.provenance().run_id);
    let feet = parts.iter().filter(|(_, text)| text.contains(&format!("&amp;L{printed}&amp;R"))).count();
    assert_eq!(feet, book(&bytes).sheet_names().len(), "{printed}");
    let bars = parts.iter().filter(|(_, text)| text.contains("<dataBar")).count();
    assert_eq!(bars, 3, "list, reasons, beside");
}

#[test]
fn a_backtest_s_workbook_and_table_hold_the_model_s_figures() {
    let model = &world::released().chain.audited;
    let bytes = metrics_xlsx(model, TITLE).unwrap();
    is_inert(&bytes);
    assert!(bytes == metrics_xlsx(model, TITLE).unwrap());
    let report = serde_json::to_value(model.backtest()).unwrap();
    let sheet = Sheet::of(&bytes, "Figures");
    let of = |measure: &str| {
        let rows = sheet.texts("Measure").into_iter().zip(sheet.numbers("Value"));
        rows.filter(|(held, _)| held == measure).map(|(_, value)| value).collect::<Vec<_>>()
    };
    let contenders = [&report["overall"]]
        .into_iter()
        .chain(report["rules"].as_array().unwrap().iter().map(|rule| &rule["performance"]))
        .chain(report["splits"].as_array().unwrap().iter().map(|split| &split["performance"]));
    let contenders: Vec<&Value> = contenders.collect();
    for (measure, name) in [
        ("AUC", "auc"),
        ("average precision", "average_precision"),
        ("outcome on the list", "precision_at_capacity"),
        ("found by the list", "recall_at_capacity"),
        ("log loss", "log_loss"),
        ("Brier score", "brier"),
        ("had the outcome", "prevalence"),
    ] {
        let told: Vec<_> = contenders.iter().map(|held| bits(&held[name]["value"])).collect();
        assert!(told[0].is_some());
        assert_eq!(of(measure), told, "{measure}");
    }
    let bands = report["bands"].as_array().unwrap();
    let told: Vec<_> = bands.iter().map(|band| bits(&band["observed"]["value"])).collect();
    assert_eq!(Sheet::of(&bytes, "Bands").numbers("Had the outcome"), told);
    let terms = report["terms"].as_array().unwrap();
    let told: Vec<_> = terms.iter().map(|term| bits(&term["importance"])).collect();
    assert_eq!(Sheet::of(&bytes, "Terms").numbers("Mean size in points"), told);

    let table = metrics_csv(model).unwrap();
    let mut table = csv::Reader::from_reader(table.trim_start_matches('\u{feff}').as_bytes());
    let rows: Vec<csv::StringRecord> = table.records().map(Result::unwrap).collect();
    assert_eq!(rows.len(), sheet.rows.len());
    for (row, value) in rows.iter().zip(sheet.numbers("Value")) {
        assert_eq!(row[3], value.map_or_else(String::new, |bits| format!("{:.6}", f64::from_bits(bits))));
    }
}

#[test]
fn an_audit_s_workbook_holds_its_figures_and_nothing_that_is_held_back() {
    let made = world::released();
    let params =
        AuditParams { minimum: 100, ..AuditParams::at(OperatingPoint::Capacity(Capacity::Cases(40))) };
    let table =
        earlyhelp::fairness::audit::ScoreTable::of_backtest(&made.chain.backtest, &made.world.protected())
            .unwrap();
    let audit = table.audit(&params).unwrap();
    let bytes = audit_xlsx(&audit, TITLE, None).unwrap();
    is_inert(&bytes);
    assert!(bytes == audit_xlsx(&audit, TITLE, None).unwrap());
    let sheet = Sheet::of(&bytes, "Figures");
    let text = audit_csv(&audit).unwrap();
    let mut csv = csv::Reader::from_reader(text.trim_start_matches('\u{feff}').as_bytes());
    let rows: Vec<csv::StringRecord> = csv.records().map(Result::unwrap).collect();
    assert_eq!(rows.len(), sheet.rows.len());
    for (heading, at) in
        [("Value", 6), ("Low end (95%)", 7), ("Difference", 12), ("Ratio: high end (95%)", 17)]
    {
        for (row, bits) in rows.iter().zip(sheet.numbers(heading)) {
            assert_eq!(row[at], bits.map_or_else(String::new, |bits| format!("{:.6}", f64::from_bits(bits))));
        }
    }
    // Whole, where the CSV is rounded.
    let json: Value = serde_json::from_str(&json_text(&audit).unwrap()).unwrap();
    let auc = sheet.texts("Measure").iter().position(|measure| measure == "AUC").unwrap();
    assert_eq!(sheet.numbers("Value")[auc], bits(&json["whole"]["auc"]["value"]));
    assert!(json["whole"]["auc"]["value"].is_number());
    for (nth, status) in sheet.texts("Status").iter().enumerate() {
        if status == "held back" {
            assert!(sheet.rows[nth][4..].iter().all(|cell| *cell == Data::Empty));
        }
    }
    let criteria = Sheet::of(&bytes, "Criteria");
    let told = json["attributes"][0]["finding"]["measured"]["criteria"].as_array().map_or(0, Vec::len);
    assert!(criteria.rows.len() >= told.max(1));
}

#[test]
fn rejected_rows_are_told_in_a_workbook_as_in_the_table() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    let council = CouncilParams::new(1_000, 3).dirty(true).generate().unwrap();
    let project = council.write(&at("council"), Format::Csv).unwrap();
    for name in ["rejects.csv", "rejects.xlsx"] {
        let output = Command::new(env!("CARGO_BIN_EXE_earlyhelp"))
            .args(["check", project.to_str().unwrap(), "--rejects", at(name).to_str().unwrap()])
            .output()
            .unwrap();
        assert_eq!(output.status.code(), Some(3), "{}", String::from_utf8_lossy(&output.stderr));
    }
    let bytes = std::fs::read(at("rejects.xlsx")).unwrap();
    is_inert(&bytes);
    let mut table = csv::Reader::from_path(at("rejects.csv")).unwrap();
    let rows: Vec<csv::StringRecord> = table.records().map(Result::unwrap).collect();
    assert!(rows.len() > 20, "{}", rows.len());
    let sheet = Sheet::of(&bytes, "Rejects");
    let told: Vec<Vec<String>> =
        sheet.rows.iter().map(|row| row.iter().map(ToString::to_string).collect()).collect();
    let listed: Vec<Vec<String>> = rows.iter().map(|row| row.iter().map(str::to_owned).collect()).collect();
    assert_eq!(told, listed);
    let counts = Sheet::of(&bytes, "Reasons");
    let counted: f64 = counts.numbers("Rows").into_iter().flatten().map(f64::from_bits).sum();
    assert_eq!(counted as usize, rows.len());
}

/// A Python that has openpyxl, if there is one.
fn python() -> Option<String> {
    let python = std::env::var("EARLYHELP_PYTHON").unwrap_or_else(|_| "python3".to_owned());
    let has = Command::new(&python).args(["-c", "import openpyxl"]).output();
    has.is_ok_and(|output| output.status.success()).then_some(python)
}

#[test]
fn openpyxl_reads_the_same_numbers_and_no_formula() {
    let Some(python) = python() else {
        assert!(std::env::var_os("EARLYHELP_PYTHON").is_none(), "the Python that is named has no openpyxl");
        println!("skipped: there is no Python with openpyxl");
        return;
    };
    let list = &*LIST;
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    std::fs::write(at("list.xlsx"), list_xlsx(list, TITLE).unwrap()).unwrap();
    std::fs::write(at("list.json"), list_json(list).unwrap()).unwrap();
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/read_workbook.py");
    let output = Command::new(python).arg(script).args([at("list.xlsx"), at("list.json")]).output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{said}{}", String::from_utf8_lossy(&output.stderr));
    let numbers: usize = said.split_whitespace().next().unwrap().parse().unwrap();
    println!("{said}");
    assert!(numbers > 500, "{said}");
}
