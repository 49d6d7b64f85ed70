//! What five systems of a council would really export, in eight files, and the same council's clean extracts: one project file
//! each and no script, and the features are the same to the bit.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::io::Write as _;
use std::path::Path;

use earlyhelp::project::Project;
use earlyhelp::records::{RejectReason, RemarkKind};
use earlyhelp::synthetic::{CouncilParams, Format};

use crate::world::Dice;

/// A clean extract: names of its columns, and its rows as texts.
struct Table {
    names: Vec<String>,
    rows: Vec<Vec<String>>,
}

impl Table {
    fn read(folder: &Path, name: &str) -> Self {
        let mut reader = csv::Reader::from_path(folder.join(format!("{name}.csv"))).unwrap();
        let texts = |record: &csv::StringRecord| record.iter().map(str::to_owned).collect::<Vec<_>>();
        let names = texts(reader.headers().unwrap());
        Self { names, rows: reader.records().map(|record| texts(&record.unwrap())).collect() }
    }

    fn rows(&self) -> impl Iterator<Item = BTreeMap<&str, &str>> {
        let names = || self.names.iter().map(String::as_str);
        self.rows.iter().map(move |row| names().zip(row.iter().map(String::as_str)).collect())
    }
}

/// `2024-03-31` as `31/03/2024`; texts that are no whole date stay.
fn day_first(date: &str) -> String {
    match date.split('-').collect::<Vec<_>>()[..] {
        [year, month, day] => format!("{day}/{month}/{year}"),
        _ => date.to_owned(),
    }
}

/// As a spreadsheet counts days.
fn serial(date: &str) -> String {
    let day: earlyhelp::calendar::Day = date.parse().unwrap();
    (day.epoch_days() + 25_569).to_string()
}

fn windows_1252(text: &str) -> Vec<u8> {
    encoding_rs::WINDOWS_1252.encode(text).0.into_owned()
}

fn utf_16(text: &str) -> Vec<u8> {
    [0xff, 0xfe].into_iter().chain(text.encode_utf16().flat_map(u16::to_le_bytes)).collect()
}

/// How many rows were planted of each fault.
#[derive(Default)]
struct Planted {
    merged: usize,
    overlap: usize,
    ends_before_starts: BTreeSet<String>,
    doubled: usize,
    no_figure: usize,
}

/// Writes the eight files; takes planted rows that no reader can use out of `clean`, where they were good.
#[allow(clippy::too_many_lines, reason = "eight files, one after another")]
fn make_mess(clean: &Path, raw: &Path) -> Planted {
    let mut dice = Dice::new(8);
    let mut planted = Planted::default();
    let people = Table::read(clean, "people");
    // The ids of four systems. Those of social care keep the order of the clean ones.
    let ids: BTreeMap<&str, usize> =
        people.rows.iter().enumerate().map(|(place, row)| (row[0].as_str(), place)).collect();
    let care = |id: &str| format!("{}", 800_000 + ids[id]);
    let school = |id: &str| format!("K{}", 302_000_000_000_usize + 7 * ids[id]);
    let housing = |id: &str| format!("0{}", 4_400 + ids[id]);
    let police = |id: &str| format!("NICHE-{}", 55_000 + ids[id]);
    let merged: BTreeSet<&str> =
        (0..25).map(|_| people.rows[dice.below(people.rows.len())][0].as_str()).collect();
    planted.merged = merged.len();
    let mut either = |id: &str| {
        let old = if merged.contains(id) && dice.chance(0.5) { "9" } else { "" };
        format!("{old}{}", care(id))
    };

    let mut text = "LCS ID;Forename;D.O.B.;Gender;Merged into ID\r\n".to_owned();
    let protected = Table::read(clean, "protected");
    let sex: BTreeMap<&str, &str> = protected.rows().map(|row| (row["person_id"], row["sex"])).collect();
    for row in people.rows() {
        let (id, born) = (row["person_id"], day_first(row["date_of_birth"]));
        let gender = match sex[id] {
            "male" => "a) Male",
            "female" => "b) Female",
            _ => "u) Unknown",
        };
        write!(text, "{};Zoë;{born};{gender};\r\n", care(id)).unwrap();
        if merged.contains(id) {
            write!(text, "9{0};Dup;{born};{gender};{0}\r\n", care(id)).unwrap();
        }
    }
    std::fs::write(raw.join("lcs_people.csv"), windows_1252(&text)).unwrap();

    let mut text = "\u{feff}LCS_ID,UPN,TenancyPersonRef,Niche_Nominal\r\n".to_owned();
    for id in people.rows().map(|row| row["person_id"]) {
        write!(text, "{},{},{},{}\r\n", care(id), school(id), housing(id), police(id)).unwrap();
    }
    std::fs::write(raw.join("crosswalk.csv"), text).unwrap();

    let mut text = "lcs_id,household,from,to\n".to_owned();
    for row in Table::read(clean, "households").rows() {
        let [start, end] = ["start", "end"].map(|name| day_first(row[name]));
        writeln!(text, "{},{},{start},{end}", care(row["person_id"]), row["household_id"]).unwrap();
    }
    std::fs::write(raw.join("households.csv"), text).unwrap();

    // Two monthly files of one source: other names in the header, and rows that stand in both.
    let referrals = Table::read(clean, "referrals");
    for (file, header, from, to) in [
        ("2025-02", "Referral ID,LCS ID,Date of Referral,Recorded Date", "2000-01-01", "2025-03-01"),
        ("2025-03", "Referral_ID,LCS_ID,Referral Date,Date recorded", "2025-02-01", "2030-01-01"),
    ] {
        let mut text = format!("\u{feff}{header}\r\n");
        for row in referrals.rows().filter(|row| (from..to).contains(&row["occurred"])) {
            planted.overlap += usize::from(file == "2025-03" && row["occurred"] < "2025-03-01");
            let [occurred, recorded] = ["occurred", "recorded"].map(|name| day_first(row[name]));
            write!(text, "{},{},{occurred},{recorded}\r\n", row["record_id"], either(row["person_id"]))
                .unwrap();
        }
        std::fs::write(raw.join(format!("lcs_referrals_{file}.csv")), text).unwrap();
    }

    // Dates with times; some ends before their starts, which no reader can use.
    let plans = Table::read(clean, "plans");
    let mut text = "Plan ID,LCS ID,Plan Type,Start,End,Recorded,End recorded\r\n".to_owned();
    for (place, row) in plans.rows().enumerate() {
        let [mut start, mut end, recorded, ended] =
            ["start", "end", "recorded", "end_recorded"].map(|name| day_first(row[name]));
        if place % 40 == 7 && !end.is_empty() && start != end {
            std::mem::swap(&mut start, &mut end);
            planted.ends_before_starts.insert(row["record_id"].to_owned());
        }
        let end = if end.is_empty() { end } else { end + " 00:00:00" };
        let (id, who, kind) = (row["record_id"], either(row["person_id"]), row["kind"]);
        write!(text, "{id},{who},{kind},{start} 00:00:00,{end},{recorded},{ended}\r\n").unwrap();
    }
    std::fs::write(raw.join("lcs_plans.csv"), text + "\r\n").unwrap();
    let kept = plans.rows.iter().filter(|row| !planted.ends_before_starts.contains(&row[0]));
    let mut writer = csv::Writer::from_path(clean.join("plans.csv")).unwrap();
    writer.write_record(&plans.names).unwrap();
    kept.for_each(|row| writer.write_record(row).unwrap());
    writer.flush().unwrap();

    // Per cent signs, and signs for "not known" in place of a figure: a row without a value.
    let mut attendance = Table::read(clean, "attendance");
    let mut text = "UPN;Term;Term End;Known;Sessions missed %\r\n".to_owned();
    let value = attendance.names.iter().position(|name| name == "value").unwrap();
    for place in 0..attendance.rows.len() {
        if place % 50 == 3 {
            attendance.rows[place][value].clear();
            planted.no_figure += 1;
        }
    }
    for row in attendance.rows() {
        let [occurred, recorded] = ["occurred", "recorded"].map(|name| day_first(row[name]));
        let missed = if row["value"].is_empty() { "N/A".to_owned() } else { format!("{}%", row["value"]) };
        write!(text, "{};Autumn;{occurred};{recorded};{missed}\r\n", school(row["person_id"])).unwrap();
    }
    std::fs::write(raw.join("edu_attendance.csv"), windows_1252(&text)).unwrap();
    let mut writer = csv::Writer::from_path(clean.join("attendance.csv")).unwrap();
    writer.write_record(&attendance.names).unwrap();
    attendance.rows.iter().for_each(|row| writer.write_record(row).unwrap());
    writer.flush().unwrap();

    // Days as spreadsheets count them, pounds, and a last line that sums up.
    let mut text = "TenancyPersonRef,Event,Event Date,Recorded,Balance\r\n".to_owned();
    for row in Table::read(clean, "housing").rows() {
        let event = match row["kind"] {
            "arrears_snapshot" => "1: Arrears",
            "homelessness_application" => "2: Homeless App",
            _ => "NOSP",
        };
        let balance = row["value"].parse::<u64>().map_or_else(
            |_| row["value"].to_owned(),
            |pounds| match (pounds / 1000, pounds % 1000) {
                (0, pounds) => format!("\"£{pounds}.00\""),
                (thousands, rest) => format!("\"£{thousands},{rest:03}.00\""),
            },
        );
        let [occurred, recorded] = ["occurred", "recorded"].map(|name| serial(row[name]));
        write!(text, "{},{event},{occurred},{recorded},{balance}\r\n", housing(row["person_id"])).unwrap();
    }
    text.push_str("Total,,,,\"£1,234,567.00\"\r\n");
    std::fs::write(raw.join("housing_export.csv"), windows_1252(&text)).unwrap();
    let kinds = "value,meaning,alias\n1: Arrears,arrears_snapshot,\nHomeless App,homelessness_application,\n\
                 NOSP,tenancy_warning,notice of seeking possession\n";
    std::fs::write(raw.join("housing_codes.csv"), kinds).unwrap();

    let mut text = "OccNo\tNominal\tOccurred\tRecorded\tOffence\tRole\r\n".to_owned();
    for row in Table::read(clean, "police").rows() {
        let (id, who, role) = (row["record_id"], police(row["person_id"]), row["role"].to_uppercase());
        let (occurred, recorded) = (row["occurred"], row["recorded"]);
        write!(
            text,
            "{id}\t{who}\t{occurred}T23:14:05\t{recorded}T09:00:00Z\t\"Assault, without injury\"\t{role}\r\n"
        )
        .unwrap();
    }
    std::fs::write(raw.join("police_niche.txt"), utf_16(&text)).unwrap();

    // Packed, without a reference, some rows twice, and every way to say that an episode is open.
    let mut text = "lcs_id,start_date,end_date,known,end_known,type\r\n".to_owned();
    for (place, row) in Table::read(clean, "early_help").rows().enumerate() {
        let end = match (row["end"], place % 3) {
            ("", 0) => "OPEN",
            ("", 1) => "9999-12-31",
            (end, _) => end,
        };
        let line = format!(
            "{},{},{end},{},{},Early Help Assessment\r\n",
            care(row["person_id"]),
            row["start"],
            row["recorded"],
            row["end_recorded"]
        );
        text.push_str(&line);
        if place % 12 == 5 {
            text.push_str(&line);
            planted.doubled += 1;
        }
    }
    let file = std::fs::File::create(raw.join("eh_module.csv.gz")).unwrap();
    let mut packed = flate2::write::GzEncoder::new(file, flate2::Compression::fast());
    packed.write_all(text.as_bytes()).unwrap();
    packed.finish().unwrap();
    planted
}

const MESSY: &str = r#"
[[identities]]
path = "crosswalk.csv"
columns = { form = "wide", person = "LCS_ID", systems = { education = "UPN", housing = "TenancyPersonRef", police = "Niche_Nominal" } }

[[identities]]
path = "lcs_people.csv"
columns = { form = "merged", old = "LCS ID", into = "Merged into ID" }

[people]
path = "lcs_people.csv"
columns = { person = "LCS ID", date_of_birth = "D.O.B." }

[households]
path = "households.csv"
columns = { person = "lcs_id", household = "household", start = "from", end = "to" }

[protected]
path = "lcs_people.csv"
read = { list_letters = true }
columns = { entity = "LCS ID", characteristics = ["Gender"] }

[[source]]
name = "referrals"
path = "lcs_referrals_*.csv"
read = { aliases = { "Referral ID" = ["Referral_ID"], "LCS ID" = ["LCS_ID"], "Date of Referral" = ["Referral Date"], "Recorded Date" = ["Date recorded"] } }
columns = { entity = "LCS ID", kind = { constant = "referral" }, occurred = "Date of Referral", known = { column = "Recorded Date" }, reference = "Referral ID" }
coverage = { from = "2019-04-01", to = "2025-03-31" }

[[source]]
name = "plans"
path = "lcs_plans.csv"
columns = { entity = "LCS ID", kind = { column = "Plan Type" }, occurred = "Start", ended = "End", known = { column = "Recorded" }, ended_known = "End recorded", reference = "Plan ID" }
coverage = { from = "2019-04-01", to = "2025-03-31" }

[[source]]
name = "attendance"
path = "edu_attendance.csv"
columns = { entity = "UPN", system = "education", kind = { constant = "attendance_period" }, occurred = "Term End", known = { column = "Known" }, value = "Sessions missed %" }
coverage = { from = "2019-04-01", to = "2025-03-31" }

[[source]]
name = "housing"
path = "housing_export.csv"
columns = { entity = "TenancyPersonRef", system = "housing", kind = { column = "Event" }, occurred = "Event Date", known = { column = "Recorded" }, value = "Balance" }
codes = { Event = "housing_codes.csv" }
coverage = { from = "2019-04-01", to = "2025-03-31" }

[[source]]
name = "police"
path = "police_niche.txt"
columns = { entity = "Nominal", system = "police", kind = { column = "Offence" }, occurred = "Occurred", known = { column = "Recorded" }, role = "Role", reference = "OccNo" }
coverage = { from = "2019-04-01", to = "2025-03-31" }

[[source]]
name = "early_help"
path = "eh_module.csv.gz"
read = { nulls = ["OPEN"] }
columns = { entity = "lcs_id", kind = { constant = "early_help_episode" }, occurred = "start_date", ended = "end_date", known = { column = "known" }, ended_known = "end_known", duplicates = "drop" }
coverage = { from = "2019-04-01", to = "2025-03-31" }
"#;

const CLEAN: &str = r#"
[people]
path = "people.csv"
columns = { person = "person_id", date_of_birth = "date_of_birth" }

[households]
path = "households.csv"
columns = { person = "person_id", household = "household_id", start = "start", end = "end" }

[protected]
path = "protected.csv"
columns = { entity = "person_id", characteristics = ["sex"] }

[[source]]
name = "referrals"
path = "referrals.csv"
columns = { entity = "person_id", kind = { column = "kind" }, occurred = "occurred", known = { column = "recorded" }, reference = "record_id" }
coverage = { from = "2019-04-01", to = "2025-03-31" }

[[source]]
name = "plans"
path = "plans.csv"
columns = { entity = "person_id", kind = { column = "kind" }, occurred = "start", ended = "end", known = { column = "recorded" }, ended_known = "end_recorded", reference = "record_id" }
coverage = { from = "2019-04-01", to = "2025-03-31" }

[[source]]
name = "attendance"
path = "attendance.csv"
columns = { entity = "person_id", kind = { column = "kind" }, occurred = "occurred", known = { column = "recorded" }, value = "value" }
coverage = { from = "2019-04-01", to = "2025-03-31" }

[[source]]
name = "housing"
path = "housing.csv"
columns = { entity = "person_id", kind = { column = "kind" }, occurred = "occurred", known = { column = "recorded" }, value = "value" }
coverage = { from = "2019-04-01", to = "2025-03-31" }

[[source]]
name = "police"
path = "police.csv"
columns = { entity = "person_id", kind = { constant = "Assault, without injury" }, occurred = "occurred", known = { column = "recorded" }, role = "role", reference = "record_id" }
coverage = { from = "2019-04-01", to = "2025-03-31" }

[[source]]
name = "early_help"
path = "early_help.csv"
columns = { entity = "person_id", kind = { column = "kind" }, occurred = "start", ended = "end", known = { column = "recorded" }, ended_known = "end_recorded" }
coverage = { from = "2019-04-01", to = "2025-03-31" }
"#;

const ASKED: &str = r#"
[cohort]
ages = [0, 16]
not_open = [{ source = "plans" }]

[[feature]]
source = "people"
measure = "age"

[[feature]]
source = "people"
measure = { members = [0, 17] }

[[feature]]
source = "people"
measure = "moves"
over = ["730 days"]

[[feature]]
source = "referrals"
measure = "days_since_last"
over = ["1095 days"]

[[feature]]
source = "police"
roles = ["victim"]
measure = "count"
over = ["365 days", "ever"]
scope = "both"

[[feature]]
source = "housing"
kinds = ["arrears_snapshot"]
measure = "sum"
over = ["365 days"]
scope = "both"

[[feature]]
source = "housing"
measure = "distinct_kinds"
over = ["ever"]
scope = "both"

[[feature]]
source = "attendance"
measure = "mean"
over = ["365 days"]

[[feature]]
source = "early_help"
measure = "days_open"
over = ["1095 days"]

[[feature]]
source = "plans"
measure = "days_open"
over = ["1095 days"]

[outcome]
name = "plan"
words = "A plan begins within 12 months"
horizon = "12 months"
records = [{ source = "plans" }]

[training]
as_of = ["2022-04-01", "2023-04-01", "2024-04-01"]
capacity = { share = 0.05 }
trainer = { trainer = "logistic" }
"#;

#[test]
fn eight_messy_files_of_five_systems_give_the_features_of_the_clean_ones() {
    let folder = tempfile::tempdir().unwrap();
    let [clean, raw] = ["clean", "raw"].map(|name| folder.path().join(name));
    CouncilParams::new(2_000, 11).generate().unwrap().write(&clean, Format::Csv).unwrap();
    std::fs::create_dir_all(&raw).unwrap();
    let planted = make_mess(&clean, &raw);

    let head = "name = \"Mess\"\npurpose = \"Offer early help\"\n";
    let project = |sources: &str, folder: &Path| {
        Project::from_toml(&format!("{head}{sources}{ASKED}"), folder)
            .unwrap()
            .read_on("2025-04-01".parse().unwrap())
    };
    let (messy, tidy) = (project(MESSY, &raw), project(CLEAN, &clean));
    let (found, wanted) = (messy.records().unwrap(), tidy.records().unwrap());

    // Nothing is lost, and nothing is rejected but what was planted.
    let rejected = |source: &str, reason: RejectReason| {
        found.rejects().iter().filter(|reject| reject.source == source && reject.reason == reason).count()
    };
    assert!(!planted.ends_before_starts.is_empty() && planted.overlap > 0 && planted.doubled > 0);
    assert_eq!(rejected("plans", RejectReason::EndBeforeStart), planted.ends_before_starts.len());
    assert_eq!(rejected("housing", RejectReason::TotalRow), 1);
    assert_eq!(rejected("early_help", RejectReason::Duplicate), planted.doubled);
    assert_eq!(found.rejects().len(), planted.ends_before_starts.len() + 1 + planted.doubled);
    let remarked = |source: &str, kind: RemarkKind| {
        let of = |remark: &&earlyhelp::records::Remark| remark.source == source && remark.kind == kind;
        found.remarks().iter().find(of).map_or(0, |remark| remark.rows as usize)
    };
    assert_eq!(remarked("referrals", RemarkKind::SaidBefore), planted.overlap);
    assert_eq!(remarked("people", RemarkKind::SeveralIds), planted.merged);
    for intake in found.intake() {
        assert_eq!(intake.read, intake.accepted + intake.rejected, "{}", intake.source);
    }

    assert_eq!((found.people(), found.families()), (wanted.people(), wanted.families()));
    let (of_mess, of_clean) = (messy.features().unwrap(), tidy.features().unwrap());
    for &date in &messy.training.as_of {
        let (a, b) = (messy.cohort(&found, date).unwrap(), tidy.cohort(&wanted, date).unwrap());
        assert_eq!(a.len(), b.len(), "{date}");
        let (a, b) = (of_mess.compute(&a).unwrap(), of_clean.compute(&b).unwrap());
        for column in 0..a.names().len() {
            for row in 0..a.rows() {
                assert_eq!(
                    a.cell(row, column),
                    b.cell(row, column),
                    "{date}: {} of row {row}",
                    a.names()[column]
                );
            }
        }
    }
    let checked = messy.check().unwrap();
    assert_eq!(checked.faults().iter().map(ToString::to_string).collect::<Vec<_>>(), Vec::<String>::new());
}
