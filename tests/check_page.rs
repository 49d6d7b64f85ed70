//! What a check says of extracts: its counts are those of what was planted, and nothing of anybody is in it.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use earlyhelp::project::{DataQuality, FindingWeight, Project, ShownCount, TableQuality};
use earlyhelp::records::{DateClass, IdMismatch, RejectReason, RemarkKind};
use earlyhelp::report::{check_html, check_json};
use earlyhelp::synthetic::{CouncilParams, DirtKind, Format};

fn table<'q>(quality: &'q DataQuality, source: &str) -> &'q TableQuality {
    quality.tables.iter().find(|table| table.intake.source == source).unwrap()
}

/// The cells of a CSV file by column.
fn columns(file: &Path) -> BTreeMap<String, Vec<String>> {
    let mut reader = csv::Reader::from_path(file).unwrap();
    let names: Vec<String> = reader.headers().unwrap().iter().map(str::to_owned).collect();
    let mut columns: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for row in reader.records() {
        for (name, cell) in names.iter().zip(&row.unwrap()) {
            columns.entry(name.clone()).or_default().push(cell.to_owned());
        }
    }
    columns
}

/// That a page is one file that does nothing, and is put together right.
pub fn is_inert(page: &str) {
    for foreign in ["http", "<script", "<link", "<img", "@import", "url(", "javascript:"] {
        assert!(!page.contains(foreign), "{foreign}");
    }
    for tag in ["section", "details", "table", "ul", "li", "div", "svg", "span", "dl", "p", "title"] {
        let times = |text: String| page.matches(&text).count();
        let opened = times(format!("<{tag}>")) + times(format!("<{tag} "));
        assert_eq!(opened, times(format!("</{tag}>")), "{tag}");
    }
    let mut ids: Vec<&str> =
        page.split(" id=\"").skip(1).map(|rest| &rest[..rest.find('"').unwrap()]).collect();
    for link in page.split("href=\"#").skip(1) {
        assert!(ids.contains(&&link[..link.find('"').unwrap()]), "a link leads nowhere");
    }
    let count = ids.len();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), count, "an id stands twice");
}

#[test]
fn the_counts_are_those_of_what_was_planted() {
    let council = CouncilParams::new(3_000, 5).dirty(true).generate().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let project = Project::load(council.write(folder.path(), Format::Csv).unwrap()).unwrap();
    let checked = project.check().unwrap();
    let quality = checked.quality("2025-04-01".parse().unwrap(), None);

    let planted = |source: &str, kinds: &[DirtKind]| -> Vec<u64> {
        let of = council.planted_dirt().iter();
        let of = of.filter(|dirt| dirt.source == source && kinds.contains(&dirt.kind));
        // The header is line 1.
        let mut lines: Vec<u64> = of.flat_map(|dirt| dirt.rows.iter().map(|row| *row as u64 + 2)).collect();
        lines.sort_unstable();
        lines
    };
    let mut rejected = 0;
    for source in ["attendance", "police", "plans", "school_roll", "benefits"] {
        let held = table(&quality, source);
        for (reason, kinds) in [
            (RejectReason::EntityMissing, &[DirtKind::EmptyPerson, DirtKind::PlaceholderPerson][..]),
            (RejectReason::EntityUnknown, &[DirtKind::UnlistedPerson]),
            (RejectReason::DateUnreadable, &[DirtKind::UnreadableDate]),
            (RejectReason::EndBeforeStart, &[DirtKind::EndBeforeStart]),
        ] {
            let lines = planted(source, kinds);
            let groups: Vec<_> = held.validity.iter().filter(|group| group.reason == reason).collect();
            let rows: u64 = groups.iter().map(|group| group.rows).sum();
            assert_eq!(rows, lines.len() as u64, "{source}: {reason}");
            rejected += rows;
            for group in groups {
                assert!(group.first.iter().all(|line| lines.contains(line)), "{source}: {reason}");
                assert_eq!(group.file.as_deref(), Some(&*format!("{source}.csv")));
            }
        }
        let unlisted = planted(source, &[DirtKind::UnlistedPerson]).len() as u64;
        let unmatched: Vec<_> = held.unmatched.iter().map(|held| (held.why, held.rows)).collect();
        assert_eq!(unmatched, [(IdMismatch::NotListed, unlisted)]);
        let repeated = planted(source, &[DirtKind::RepeatedRow]).len() as u64;
        assert_eq!(held.uniqueness[&RemarkKind::SaidBefore], repeated, "{source}");
        let people = held.completeness.iter().find(|column| column.column == "person_id").unwrap();
        let nobody = planted(source, &[DirtKind::EmptyPerson, DirtKind::PlaceholderPerson]).len() as u64;
        assert_eq!((people.cells, people.empty), (held.intake.read, nobody), "{source}");
        // Dates by class and by how they are written.
        let dates = held.completeness.iter().find(|column| !column.dates.is_empty()).unwrap();
        let unreadable = planted(source, &[DirtKind::UnreadableDate]).len() as u64;
        assert_eq!(dates.dates[&DateClass::Unreadable], unreadable, "{source}");
        assert_eq!(dates.dates[&DateClass::Plausible], held.intake.read - unreadable, "{source}");
        let written = serde_json::to_value(&held.files[0].dates[&dates.column]).unwrap();
        let day_first = planted(source, &[DirtKind::DayFirstDate]).len() as u64;
        // Of a column in which every date could be read either way none is turned round: every pupil starts on the first.
        assert_eq!(written["dd/mm/yyyy"].as_u64().unwrap_or(0), day_first, "{source}: {written}");
        assert_eq!(day_first > 0, source != "school_roll", "{source}");
        // Each month's rows, added up, are the records.
        let timeliness = held.timeliness.as_ref().unwrap();
        let drawn: u64 = timeliness.months.iter().map(|month| month.rows).sum();
        let last = held.superseded + repeated;
        assert_eq!(drawn + last, held.intake.accepted, "{source}");
        assert!(timeliness.months.iter().all(|month| !month.missing), "{source}");
    }
    assert!(rejected > 100);

    // Nobody's id and no planted cell is on the page, and the page is one file that does nothing.
    let (page, json) = (check_html(&quality).unwrap(), check_json(&quality).unwrap());
    is_inert(&page);
    let ids = columns(&folder.path().join("people.csv")).remove("person_id").unwrap();
    let ids: BTreeSet<&str> = ids.iter().map(String::as_str).collect();
    for text in [&page, &json, &checked.rejects_csv().unwrap()] {
        let words = text.split(|c: char| !c.is_alphanumeric());
        assert_eq!(words.filter(|word| ids.contains(word)).count(), 0, "an id");
        assert!(!text.contains("n/k") && !text.contains("31/02/2023"), "a cell");
    }
}

#[test]
fn few_people_are_withheld_and_others_are_counted_right() {
    let council = CouncilParams::new(1_000, 8).generate().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let project = Project::load(council.write(folder.path(), Format::Csv).unwrap()).unwrap();
    let quality = project.check().unwrap().quality("2025-04-01".parse().unwrap(), None);
    let (mut few, mut shown) = (0, 0);
    for (source, column) in [
        ("plans", "kind"),
        ("plans", "category"),
        ("police", "role"),
        ("health", "kind"),
        ("contacts", "referral_source"),
    ] {
        let file = columns(&folder.path().join(format!("{source}.csv")));
        let mut people: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
        for (name, person) in file[column].iter().zip(&file["person_id"]).filter(|(name, _)| !name.is_empty())
        {
            people.entry(name).or_default().insert(person);
        }
        let held = table(&quality, source);
        let names = match column {
            "kind" => &held.kinds,
            "role" => &held.roles,
            _ => &held.categories[column],
        };
        assert_eq!(names.different, people.len() as u64, "{source} {column}");
        let json = serde_json::to_value(names).unwrap();
        for (held, json) in names.listed.iter().zip(json["listed"].as_array().unwrap()) {
            let of = people[held.name.as_str()].len() as u64;
            if of < 10 {
                few += 1;
                assert_eq!((held.people, held.rows), (ShownCount::Few, None), "{source} {column}");
                assert_eq!(json["people"], "<10");
            } else {
                shown += 1;
                assert_eq!(held.people, ShownCount::Shown(of), "{source} {column}");
                let rows = file[column].iter().filter(|name| **name == held.name).count() as u64;
                assert!(held.rows.is_none_or(|held| held == rows), "{source} {column}");
                assert_eq!(json["people"].as_u64(), Some(of));
            }
        }
    }
    assert!(few > 0 && shown > 5, "{few} {shown}");
}

const PROJECT: &str = r#"
name = "A <script>small</script> one"
purpose = "A test"
reject_limit = 0.9

[people]
path = "people.csv"
columns = { person = "id" }

[[source]]
name = "contacts"
path = "contacts.csv"
columns = { entity = "who", kind = { column = "kind" }, occurred = "on", link_probability = "p", minimum_link = 0.5, categories = ["note"] }
coverage = { from = "2021-01-01", to = "2023-12-31" }

[[feature]]
source = "contacts"
measure = "count"
over = ["365 days"]

[outcome]
name = "again"
words = "Another contact"
horizon = "6 months"
records = [{ source = "contacts", kinds = ["<b>rare</b>"] }]

[training]
as_of = ["2022-01-01", "2022-07-01"]
capacity = { cases = 1 }
"#;

/// A list of people with ids of seven digits, and contacts of every month, save of one.
fn small(folder: &Path, more: &str) -> Project {
    let people: Vec<String> = (0..40).map(|nth| format!("{:07}\n", 1_234 + nth)).collect();
    let people = people.concat();
    std::fs::write(folder.join("people.csv"), "id\n".to_owned() + &people).unwrap();
    let mut rows = "who,kind,on,p,note\n".to_owned();
    for nth in 0..36 * 25 {
        let (year, month) = (2021 + nth / 25 / 12, 1 + nth / 25 % 12);
        if (year, month) != (2022, 5) {
            let who = 1_234 + nth % 40;
            let kind = if nth % 40 < 3 { "<b>rare</b>" } else { "school" };
            rows.push_str(&format!(
                "{who:07},{kind},{year}-{month:02}-{:02},0.9{},note {nth}\n",
                1 + nth % 25,
                nth % 10
            ));
        }
    }
    std::fs::write(folder.join("contacts.csv"), rows + more).unwrap();
    Project::from_toml(PROJECT, folder).unwrap()
}

#[test]
fn what_became_of_ids_and_what_is_missing_is_found() {
    let folder = tempfile::tempdir().unwrap();
    let more = "1240,school,2022-03-01,0.99,x\n".repeat(7)
        + &"1.24E+03,school,2022-03-01,0.99,x\n".repeat(2)
        + "K-17,school,2022-03-01,0.99,x\n0001240,school,01-Feb-2022 or so,0.99,x\n0001240,school,0022-02-01,0.99,x\n";
    let quality = small(folder.path(), &more).check().unwrap().quality("2024-01-01".parse().unwrap(), None);
    let contacts = table(&quality, "contacts");
    let unmatched: Vec<_> = contacts.unmatched.iter().map(|held| (held.why, held.rows, held.ids)).collect();
    assert_eq!(
        unmatched,
        [
            (IdMismatch::LeadingZeros, 7, 1),
            (IdMismatch::ScientificNotation, 2, 1),
            (IdMismatch::OtherCharacters, 1, 1)
        ]
    );
    let patterns: BTreeSet<String> =
        contacts.validity.iter().map(|group| group.pattern.as_ref().unwrap().to_string()).collect();
    // `K-17` alone is known to whoever knows the file; closed names are not.
    let expected = ["4 digits", "a date and more", "other", "scientific notation", "yyyy-mm-dd"];
    assert_eq!(patterns.iter().map(String::as_str).collect::<Vec<_>>(), expected);
    let on = contacts.completeness.iter().find(|column| column.column == "on").unwrap();
    assert_eq!((on.dates[&DateClass::YearShort], on.dates[&DateClass::Unreadable]), (1, 1));

    let months = &contacts.timeliness.as_ref().unwrap().months;
    let missing: Vec<String> =
        months.iter().filter(|month| month.missing).map(|month| month.month.to_string()).collect();
    assert_eq!((missing, months.len()), (vec!["2022-05-01".to_owned()], 36));
    let told = |weight: FindingWeight, part: &str| {
        quality.findings.iter().any(|finding| finding.weight == weight && finding.words.contains(part))
    };
    assert!(told(FindingWeight::Warning, "no record of 2022-05"), "{:?}", quality.findings);
    assert!(told(FindingWeight::Warning, "7 rows have an id in contacts"));
    assert!(told(FindingWeight::Note, "12 rows were rejected (contacts 12)"));
    assert!(quality.findings.is_sorted_by_key(|finding| finding.weight));

    // Probabilities run from 0.90 to 0.99: half lie below 0.95, and nine of ten below 0.99.
    let links = contacts.links.as_ref().unwrap();
    let rows = contacts.intake.accepted;
    assert_eq!((links.below, rows), ([435, 787], 875));
    // Notes are free text, and not listed; the rare kind is about three people.
    assert_eq!((contacts.categories["note"].different, contacts.categories["note"].listed.len()), (875, 0));
    let page = check_html(&quality).unwrap();
    is_inert(&page);
    assert!(!page.contains("<b>rare") && page.contains("&#60;b&#62;rare"));
    assert!(page.contains("&#60;10"), "three people are not counted out");
}

#[test]
fn a_sound_project_says_so_and_an_unreadable_one_says_all_that_is_wrong() {
    let folder = tempfile::tempdir().unwrap();
    let project = small(folder.path(), "");
    let as_of = "2024-01-01".parse().unwrap();
    let mut quality = project.check().unwrap().quality(as_of, None);
    assert!(quality.findings.iter().all(|finding| finding.weight > FindingWeight::Error));
    assert!(check_html(&quality).unwrap().contains("No error was found"));
    quality.findings.clear();
    assert!(check_html(&quality).unwrap().contains("Nothing wrong was found"));

    std::fs::write(folder.path().join("people.csv"), "name\nsomebody\n").unwrap();
    std::fs::remove_file(folder.path().join("contacts.csv")).unwrap();
    assert!(project.check().is_err());
    let faults = project.reading_faults();
    let told: Vec<String> = faults.iter().map(ToString::to_string).collect();
    assert_eq!(told.len(), 2, "{told:?}");
    assert!(told[0].contains("people") && told[1].contains("contacts"), "{told:?}");
    let page = check_html(&DataQuality::unread(&project, as_of, &faults)).unwrap();
    is_inert(&page);
    assert!(page.contains("These extracts could not be read") && page.contains("contacts.csv"));
}
