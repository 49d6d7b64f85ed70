//! Lists of people, of households and of ids: what is wrong with them is counted, shown, and refused where a list would go
//! wrong by it.

use std::path::Path;
use std::process::{Command, Output};

use earlyhelp::error::{RecordsError, ScoringError};
use earlyhelp::project::Project;
use earlyhelp::records::{
    Extract, Identities, IdentityColumns, PeopleColumns, Records, RemarkKind, SourceMapping,
};
use earlyhelp::report::papers::{Organisation, dpia_evidence};
use earlyhelp::scoring::ModelFile;
use earlyhelp::synthetic::{CouncilParams, Format};
use polars::df;

use crate::world::{self, World};

fn remarked(records: &Records, kind: RemarkKind) -> u64 {
    records.remarks().iter().filter(|remark| remark.kind == kind).map(|remark| remark.rows).sum()
}

/// Forty people, some with a day of death and some with one of leaving.
fn with_partings(died: &[&str], left: &[&str]) -> Result<Records, RecordsError> {
    let id: Vec<String> = (0..40).map(|nth| format!("p{nth:02}")).collect();
    let of = |days: &[&str]| -> Vec<Option<String>> {
        (0..40).map(|nth| days.get(nth).map(|day| (*day).to_owned())).collect()
    };
    let frame = df!("id" => id, "died" => of(died), "left" => of(left)).unwrap();
    let columns = PeopleColumns {
        person: vec!["id".into()],
        died: Some("died".into()),
        left: Some("left".into()),
        ..PeopleColumns::default()
    };
    Records::builder().read_on("2025-04-01".parse().unwrap()).people(columns, Extract::frame(frame)).build()
}

#[test]
fn nobody_has_died_on_a_day_that_is_yet_to_come() {
    let records = with_partings(&["2024-05-01", "2025-06-01", "2099-06-01"], &["2025-06-01"]).unwrap();
    assert_eq!(remarked(&records, RemarkKind::PartingUnusable), 2);
    assert_eq!((remarked(&records, RemarkKind::Died), remarked(&records, RemarkKind::Left)), (1, 1));
    // What stands for no day is none.
    let records = with_partings(&["2099-12-31", "31/12/9999"], &[]).unwrap();
    assert_eq!(remarked(&records, RemarkKind::PartingUnusable), 0);
}

#[test]
fn days_of_death_of_which_too_many_cannot_be_used_are_refused() {
    let some = |unusable: usize, usable: usize| {
        let days: Vec<&str> = [vec!["n/k"; unusable], vec!["2024-05-01"; usable]].concat();
        with_partings(&days, &[])
    };
    assert_eq!(remarked(&some(9, 1).unwrap(), RemarkKind::PartingUnusable), 9, "slips of the pen");
    let refused = some(10, 20).err();
    assert!(
        matches!(refused, Some(RecordsError::PartingsUnusable { unusable: 10, of: 30, .. })),
        "{refused:?}"
    );
    let told = refused.unwrap().to_string();
    assert!(told.contains("10 of 30 days of death") && !told.contains("n/k"), "{told}");
}

#[test]
fn merges_into_nobody_and_into_the_same_are_counted() {
    let merged = |system: Option<&str>| IdentityColumns::Merged {
        old: "old".into(),
        into: "into".into(),
        on: None,
        system: system.map(str::to_owned),
    };
    // a into b, which is listed; c over d to e and f to g, which are not; b into itself.
    let rows = df!("old" => ["a", "c", "d", "f", "b"], "into" => ["b", "d", "e", "g", "b"]).unwrap();
    let columns = PeopleColumns { person: vec!["id".into()], ..PeopleColumns::default() };
    let listed = || Extract::frame(df!("id" => ["b", "h"]).unwrap());
    let identities = Identities::read([(merged(None), Extract::frame(rows.clone()))]).unwrap();
    let records =
        Records::builder().identities(identities).people(columns.clone(), listed()).build().unwrap();
    assert_eq!(remarked(&records, RemarkKind::MergedIntoItself), 1);
    assert_eq!(remarked(&records, RemarkKind::MergedIntoNobody), 3);

    // Without a list anybody can be; of a system its table says whose an id is.
    let visits = || Extract::frame(df!("who" => ["b"], "on" => ["2024-01-05"]).unwrap());
    let identities = Identities::read([(merged(None), Extract::frame(rows.clone()))]).unwrap();
    let mapping = SourceMapping::new("visits", "who", "visit", "on");
    let records = Records::builder().identities(identities).source(mapping, visits()).build().unwrap();
    assert_eq!(remarked(&records, RemarkKind::MergedIntoNobody), 0);
    let whose = df!("system" => ["police"], "local" => ["b"], "person" => ["h"]).unwrap();
    let crosswalk = IdentityColumns::Crosswalk {
        system: "system".into(),
        local: vec!["local".into()],
        person: "person".into(),
        from: None,
        to: None,
        probability: None,
    };
    let tables = [(merged(Some("police")), Extract::frame(rows)), (crosswalk, Extract::frame(whose))];
    let identities = Identities::read(tables).unwrap();
    let records = Records::builder().identities(identities).people(columns, listed()).build().unwrap();
    assert_eq!(remarked(&records, RemarkKind::MergedIntoNobody), 3);
}

#[test]
fn a_merge_on_a_day_that_is_yet_to_come_is_counted() {
    let merged = IdentityColumns::Merged {
        old: "old".into(),
        into: "into".into(),
        on: Some("on".into()),
        system: None,
    };
    let rows = df!("old" => ["a", "c"], "into" => ["b", "b"], "on" => ["2024-01-05", "2031-01-05"]).unwrap();
    let identities = Identities::read([(merged, Extract::frame(rows))]).unwrap();
    let columns = PeopleColumns { person: vec!["id".into()], ..PeopleColumns::default() };
    let records = Records::builder()
        .identities(identities)
        .read_on("2024-06-01".parse().unwrap())
        .people(columns, Extract::frame(df!("id" => ["b"]).unwrap()))
        .build()
        .unwrap();
    assert_eq!(remarked(&records, RemarkKind::MergedLater), 1);
}

#[test]
fn households_emptied_or_halved_since_training_are_refused_until_somebody_accepts_them() {
    let made = world::released();
    let scored = |keeps: &dyn Fn(usize) -> bool, accepts: bool| {
        let mut world = World { ..made.world.clone() };
        let mut nth = 0;
        world.spells.retain(|_| {
            nth += 1;
            keeps(nth)
        });
        let records = world.records();
        let cohort = world::cohort(&records, world::list_date());
        let request = world::request();
        let request =
            if accepts { request.accepting("households", "C. Data", "the register moves") } else { request };
        made.scorer.score(&cohort, &request).map(|_| ())
    };
    scored(&|_| true, false).unwrap();
    for keeps in [&(|_| false) as &dyn Fn(usize) -> bool, &|nth| nth % 2 == 0] {
        let refused = scored(keeps, false).err();
        assert!(
            matches!(&refused, Some(ScoringError::SourcesChanged { .. }) if refused.as_ref().unwrap().to_string().contains("households")),
            "{refused:?}"
        );
        scored(keeps, true).unwrap();
    }
}

fn council(folder: &Path) -> String {
    let council = CouncilParams::new(1_000, 3).generate().unwrap();
    std::fs::read_to_string(council.write(folder, Format::Csv).unwrap()).unwrap()
}

/// Writes the columns of a file's rows, chosen and changed.
fn rewrite(folder: &Path, from: &str, to: &str, row: impl Fn(&[&str]) -> String) {
    let text = std::fs::read_to_string(folder.join(from)).unwrap();
    let rows: String = text.lines().map(|line| row(&line.split(',').collect::<Vec<_>>()) + "\n").collect();
    std::fs::write(folder.join(to), rows).unwrap();
}

#[test]
fn lists_have_codes_and_look_up_tables_and_the_protected_one_shows_its_columns() {
    let folder = tempfile::tempdir().unwrap();
    let text = council(folder.path());
    let head = std::fs::read_to_string(folder.path().join("protected.csv")).unwrap();
    let head: Vec<String> = head.lines().next().unwrap().split(',').map(str::to_owned).collect();
    let place = |name: &str| head.iter().position(|held| held == name).unwrap();
    let (id, sex, ethnicity) = (place("person_id"), place("sex"), place("ethnicity"));
    rewrite(folder.path(), "protected.csv", "sex.csv", |cells| format!("{},{}", cells[id], cells[sex]));
    rewrite(folder.path(), "protected.csv", "ethnicity.csv", |cells| {
        format!("{},{}", cells[id], cells[ethnicity])
    });
    // One of the two is on the list, and has another name there.
    std::fs::write(
        folder.path().join("sexes.csv"),
        "value,meaning\nF,girls and women\nfemale,girls and women\n",
    )
    .unwrap();
    let start = text.find("[protected]").unwrap();
    let end = start + text[start..].find("\n\n").unwrap();
    let table = r#"[protected]
path = "sex.csv"
columns = { entity = "person_id", characteristics = ["sex", "ethnicity"] }
codes = { sex = "sexes.csv" }
join = [{ file = "ethnicity.csv", on = ["person_id", "person_id"], columns = { ethnicity = "ethnicity" } }]"#;
    let project = Project::from_toml(&text.replace(&text[start..end], table), folder.path()).unwrap();
    let plain = Project::from_toml(&text, folder.path()).unwrap();
    let checked = project.check().unwrap();
    let intake = checked.protected().intake().unwrap();
    assert_eq!(intake, plain.protected().unwrap().intake().unwrap());
    let page = checked.quality("2025-04-01".parse().unwrap(), None);
    let shown = page.tables.iter().find(|table| table.intake.source == "protected").unwrap();
    let columns: Vec<&str> = shown.completeness.iter().map(|column| column.column.as_str()).collect();
    assert_eq!(columns, ["person_id", "sex", "ethnicity"]);
    assert!(shown.completeness.iter().all(|column| column.cells == intake.read));
    let told = checked.warnings("2025-04-01".parse().unwrap()).join("\n");
    assert!(told.contains("protected") && told.contains("sex"), "{told}");
}

#[test]
fn the_evidence_for_an_impact_assessment_names_linking_and_pseudonyms() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let model = std::fs::read_to_string(root.join("models/synthetic_council_scorecard.json")).unwrap();
    let model = ModelFile::from_json(&model).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let text = council(folder.path());
    let paper = |text: &str| {
        let project = Project::from_toml(text, folder.path()).unwrap();
        let paper = dpia_evidence(&model, Some(&project), &Organisation::default(), None).unwrap();
        paper.to_markdown().split_whitespace().collect::<Vec<_>>().join(" ")
    };
    let plain = paper(&text);
    assert!(!plain.contains("Linking:") && !plain.contains("Pseudonyms:"));
    let tables = r#"[[identities]]
path = "nominals.csv"
columns = { form = "crosswalk", system = "system", local = "nominal", person = "person_id", probability = "sure" }

[pseudonyms]
key_env = "KEY"

[people]"#;
    let told = paper(&text.replacen("[people]", tables, 1));
    assert!(told.contains("Linking: 1 table") && told.contains("How sure each link is"), "{told}");
    assert!(told.contains("Pseudonyms: ids of people and households become pseudonyms"), "{told}");
    assert!(
        told.contains("whose id is whose") && told.contains("nominal, person_id, sure, system"),
        "{told}"
    );
}

fn earlyhelp(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_earlyhelp")).args(arguments).output().expect("the command runs")
}

#[test]
fn papers_are_written_from_another_folder_of_extracts() {
    let folder = tempfile::tempdir().unwrap();
    let (own, other) = (folder.path().join("own"), folder.path().join("other"));
    council(&own);
    CouncilParams::new(1_500, 3).generate().unwrap().write(&other, Format::Csv).unwrap();
    let model = Path::new(env!("CARGO_MANIFEST_DIR")).join("models/synthetic_council_scorecard.json");
    let papers = |more: &[&str]| {
        let to = folder.path().join("papers");
        let (model, to) = (model.to_string_lossy(), to.to_string_lossy());
        let output = earlyhelp(&[&["card", &*model, "--out", &*to], more].concat());
        let told = String::from_utf8_lossy(&output.stderr).into_owned();
        (
            output.status.code(),
            told,
            std::fs::read_to_string(Path::new(&*to).join("dpia_evidence.md")).unwrap_or_default(),
        )
    };
    let (project, other) = (own.join("project.toml"), other.to_string_lossy().into_owned());
    let project = project.to_string_lossy();
    let (code, told, _) = papers(&["--extracts", &other]);
    assert_eq!(code, Some(2), "{told}");
    let rows = std::fs::read_to_string(Path::new(&other).join("people.csv")).unwrap().lines().count() - 1;
    let (code, told, paper) = papers(&["--project", &project, "--extracts", &other]);
    // 3: the other council's rows that were rejected are said.
    assert!(matches!(code, Some(0 | 3)), "{told}");
    let grouped = format!("{},{:03}", rows / 1_000, rows % 1_000);
    assert!(paper.contains(&grouped), "{grouped}: {paper}");
}
