//! A first project from a folder: guessed at, or by a layout that is known.

use std::fmt::Write as _;
use std::path::Path;
use std::process::{Command, Output};

use earlyhelp::calendar::Day;
use earlyhelp::model::Trainer;
use earlyhelp::project::{DraftParams, Layout, Project, ProjectDraft};
use earlyhelp::synthetic::{Council, CouncilParams, Format};

fn earlyhelp(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_earlyhelp")).args(arguments).output().expect("the command runs")
}

fn council() -> Council {
    CouncilParams::new(3_000, 4).generate().unwrap()
}

/// Files and columns as another council calls them.
const FILES: [(&str, &str); 18] = [
    ("people", "Persons_Master"),
    ("households", "Family Composition"),
    ("protected", "Equalities"),
    ("school_roll", "SIMS enrolments"),
    ("attendance", "absence_by_term"),
    ("suspensions", "Exclusions"),
    ("sen", "SEND register"),
    ("fsm", "Meals"),
    ("housing", "Northgate_arrears"),
    ("police", "Police notifications"),
    ("domestic_abuse", "MERLINs"),
    ("benefits", "Revs and Bens"),
    ("youth_justice", "YOT"),
    ("health", "NHS referrals"),
    ("contacts", "MASH contacts"),
    ("referrals", "Front door referrals"),
    ("early_help", "EHM episodes"),
    ("plans", "Statutory plans"),
];

const COLUMNS: [(&str, &str); 14] = [
    ("record_id", "Record No"),
    ("person_id", "Child ID"),
    ("household_id", "FamilyID"),
    ("date_of_birth", "D.O.B."),
    ("date_of_birth", "DOB"),
    ("start", "Start Date"),
    ("end", "Date Closed"),
    ("end_recorded", "Closure Entered On"),
    ("recorded", "Date Entered"),
    ("occurred", "Incident Date"),
    ("kind", "Event Type"),
    ("value", "Amount"),
    ("sex", "Gender"),
    ("ethnicity", "Ethnic Origin"),
];

/// Renames, and writes days as councils do; the other columns stay.
fn scramble(from: &Path, to: &Path) {
    for (file, other) in FILES {
        let Ok(text) = std::fs::read_to_string(from.join(format!("{file}.csv"))) else { continue };
        let mut lines = text.lines();
        let head: Vec<&str> = lines.next().unwrap().split(',').collect();
        let renamed: Vec<&str> = head
            .iter()
            .map(|name| {
                let found = COLUMNS.iter().rev().find(|(own, _)| own == name);
                found.map_or(*name, |(_, other)| *other)
            })
            .collect();
        let mut out = format!("{}\n", renamed.join(";"));
        for line in lines {
            assert!(!line.contains('"'), "no cell of the council has a comma");
            let cells: Vec<String> = line.split(',').map(slashed).collect();
            let _ = writeln!(out, "{}", cells.join(";"));
        }
        std::fs::write(to.join(format!("{other}.csv")), out).unwrap();
    }
}

fn slashed(cell: &str) -> String {
    match cell.parse::<Day>() {
        Ok(day) => {
            let (year, month, day) = day.ymd();
            format!("{day:02}/{month:02}/{year}")
        }
        Err(_) => cell.to_owned(),
    }
}

fn accepted(draft: &ProjectDraft, folder: &Path) -> Project {
    let text = draft.text();
    assert!(!text.contains("`check` says"), "{text}");
    assert_eq!(crate::schema::refusal(text), None, "{text}");
    Project::from_toml(text, folder).unwrap()
}

/// Trains, quickly: what is asked is whether it can be.
fn trains(project: &Project) -> f64 {
    let mut project = project.clone();
    project.training.resamples = 39;
    let records = project.records().unwrap();
    let trainer = Trainer::by_name("logistic").unwrap();
    let model = project.train(&records, &project.protected().unwrap(), &trainer).unwrap();
    model.backtest().overall.auc.unwrap().value
}

#[test]
fn a_council_with_other_names_is_drafted_checked_and_trained() {
    let folder = tempfile::tempdir().unwrap();
    let (own, other) = (folder.path().join("own"), folder.path().join("other"));
    std::fs::create_dir_all(&other).unwrap();
    let council = council();
    council.write(&own, Format::Csv).unwrap();
    scramble(&own, &other);

    let draft = DraftParams::new(&other).draft(&other).unwrap();
    assert_eq!(draft, DraftParams::new(&other).draft(&other).unwrap());
    let project = accepted(&draft, &other);
    assert_eq!(project.people.as_ref().unwrap().path, [Path::new("Persons_Master.csv")]);
    assert_eq!(project.households.as_ref().unwrap().path, [Path::new("Family Composition.csv")]);
    let protected = project.protected.as_ref().unwrap();
    assert_eq!(protected.columns.characteristics[..2], ["Gender", "Ethnic Origin"]);
    assert_eq!(project.sources.len(), 15);
    for source in &project.sources {
        assert_eq!(source.columns.entity, ["Child ID"], "{}", source.name);
        let known = toml::to_string(&source.columns).unwrap();
        assert!(known.contains("Date Entered"), "{}: {known}", source.name);
    }
    assert!(draft.decisions() <= 6, "{} decisions", draft.decisions());
    let auc = trains(&project);
    assert!(auc > 0.55, "{auc}");

    // No id of a person or a record in what was written or said.
    let said = format!("{}\n{}", draft.text(), draft.account().join("\n"));
    let people = std::fs::read_to_string(own.join("people.csv")).unwrap();
    assert!(people.lines().skip(1).all(|line| !said.contains(line.split(',').next().unwrap())));
}

#[test]
fn an_export_of_the_safeguarding_dataset_is_drafted_and_trained_by_the_commands() {
    let folder = tempfile::tempdir().unwrap();
    let tables = folder.path().join("ssd");
    let to = tables.to_string_lossy().into_owned();
    let made = earlyhelp(&["synth", "--layout", "ssd", "--children", "3000", "--seed", "4", "--out", &to]);
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    let drafted = earlyhelp(&["init", &to, "--layout", "ssd"]);
    assert!(drafted.status.success(), "{}", String::from_utf8_lossy(&drafted.stderr));
    let path = tables.join("project.toml");
    let text = std::fs::read_to_string(&path).unwrap();
    assert!(!text.contains("`check` says"), "{text}");
    let project = Project::load(&path).unwrap();
    let names: Vec<&str> = project.sources.iter().map(|source| source.name.as_str()).collect();
    assert_eq!(names, ["care", "cin_plans", "contacts", "cp_plans", "early_help", "referrals"]);
    assert!(text.contains("The folder has no table of missing"), "{text}");
    trains(&project);

    // Whom somebody may be working with already stands in comments, which say it once they are none.
    assert!(project.known_to.is_empty() && text.contains("# [[known_to]]"), "{text}");
    let begins = text.find("# [[known_to]]").unwrap();
    let ends = begins + text[begins..].find("\n\n").unwrap();
    let block: Vec<&str> = text[begins..ends].lines().map(|line| line.trim_start_matches("# ")).collect();
    let said = format!("{}{}{}", &text[..begins], block.join("\n"), &text[ends..]);
    let with = Project::from_toml(&said, &tables).unwrap();
    let names: Vec<&str> = with.known_to.iter().map(|known| known.name.as_str()).collect();
    assert!(names.contains(&"early_help") && !names.contains(&"contacts"), "{names:?}");
    let checked = with.records().unwrap();
    assert!(with.dataset(&checked).is_ok());

    // What is there is not written over.
    let again = earlyhelp(&["init", &to, "--layout", "ssd"]);
    assert_eq!(again.status.code(), Some(1));
    assert_eq!(std::fs::read_to_string(&path).unwrap(), text);
}

#[test]
fn next_month_needs_no_other_project() {
    let folder = tempfile::tempdir().unwrap();
    let (march, april) = (folder.path().join("march"), folder.path().join("april"));
    let project = CouncilParams::new(1_000, 1).generate().unwrap().write(&march, Format::Csv).unwrap();
    CouncilParams::new(1_000, 2).generate().unwrap().write(&april, Format::Csv).unwrap();
    let people = |project: Project| project.records().unwrap().people();
    let (first, second) =
        (Project::load(&project).unwrap(), Project::load(april.join("project.toml")).unwrap());
    let moved = first.clone().extracts_in(&april).unwrap();
    assert_ne!(people(first.clone()), people(second.clone()));
    assert_eq!(people(moved), people(second));
    assert!(first.clone().extracts_in(folder.path().join("may")).is_err());
    let mut absolute = first;
    absolute.sources[0].path = vec![march.join("school_roll.csv")];
    let told = absolute.extracts_in(&april).unwrap_err().to_string();
    assert!(told.contains("absolute"), "{told}");
}

#[test]
fn the_looked_after_return_is_found_by_its_names_and_what_is_lacking_is_said() {
    let folder = tempfile::tempdir().unwrap();
    let (mut header, mut episodes) = (
        "CHILD,SEX,DOB,ETHNIC,UPN\n".to_owned(),
        "CHILD,DECOM,RNE,LS,CIN,PLACE,PLACE_PROVIDER,DEC,REC\n".to_owned(),
    );
    for child in 0..120 {
        let _ = writeln!(
            header,
            "{},{},14/{:02}/201{},WBRI,",
            700_100 + child,
            child % 2 + 1,
            child % 12 + 1,
            child % 9
        );
        for year in 2020..2025 {
            let month = (child + year) % 12 + 1;
            let _ = writeln!(
                episodes,
                "{},25/{month:02}/{year},S,C2,N1,U6,PR1,28/{month:02}/{year},X1",
                700_100 + child
            );
        }
    }
    std::fs::write(folder.path().join("header.csv"), header).unwrap();
    std::fs::write(folder.path().join("Episodes.csv"), episodes).unwrap();
    std::fs::write(folder.path().join("read me.md"), "no table").unwrap();
    let draft = DraftParams::new(folder.path()).layout(Layout::Ssda903).draft(folder.path()).unwrap();
    let project = accepted(&draft, folder.path());
    assert_eq!(project.sources.len(), 1);
    let columns = &project.sources[0].columns;
    assert_eq!((columns.occurred.as_str(), columns.ended.as_deref()), ("DECOM", Some("DEC")));
    assert!(!columns.categories.contains(&"REC".to_owned()));
    assert!(
        draft.text().contains("no table of reviews") && !draft.text().contains("700"),
        "{}",
        draft.text()
    );
}

/// A children in need census of some years, a table for each module, as councils' tools unpack the return.
fn census(folder: &Path) {
    let day = |days: u32| Day::from_epoch_days(17_257 + i32::try_from(days).unwrap());
    let mut tables = [
        ("ChildIdentifiers", "LAchildID,UPN,PersonBirthDate,GenderCurrent,PersonDeathDate\n".to_owned()),
        ("ChildCharacteristics", "LAchildID,Ethnicity\n".to_owned()),
        (
            "CINdetails",
            "LAchildID,CINdetailsID,CINreferralDate,ReferralSource,PrimaryNeedCode,CINclosureDate,ReasonForClosure,\
             DateOfInitialCPC,ReferralNFA\n"
                .to_owned(),
        ),
        (
            "Assessments",
            "LAchildID,CINdetailsID,AssessmentActualStartDate,AssessmentInternalReviewDate,\
             AssessmentAuthorisationDate,AssessmentFactors\n"
                .to_owned(),
        ),
        ("CINplanDates", "LAchildID,CINdetailsID,CINPlanStartDate,CINPlanEndDate\n".to_owned()),
        ("Section47", "LAchildID,CINdetailsID,S47ActualStartDate,InitialCPCtarget,DateOfInitialCPC,ICPCnotRequired\n".to_owned()),
        (
            "ChildProtectionPlans",
            "LAchildID,CINdetailsID,CPPID,CPPstartDate,CPPendDate,InitialCategoryOfAbuse,LatestCategoryOfAbuse,\
             NumberOfPreviousCPP\n"
                .to_owned(),
        ),
        ("Reviews", "LAchildID,CINdetailsID,CPPID,CPPreviewDate\n".to_owned()),
    ];
    let mut episode = 0;
    for child in 0..1_600_u32 {
        let id = 400_100 + child;
        let mut row = |place: usize, cells: String| {
            let _ = writeln!(tables[place].1, "{id},{cells}");
        };
        row(0, format!(",{},{},", day(child * 37 % 1_800), child % 2 + 1));
        row(1, ["WBRI", "APKN", "BAFR"][child as usize % 3].to_owned());
        for referral in 0..=child % 4 {
            episode += 1;
            // A child of many referrals is the likelier to come to a plan.
            let (from, is_grave) =
                (child * 101 % 500 + referral * 640, (child * 7 + referral) % 5 < referral);
            let source = ["1A", "2B", "6"][episode as usize % 3];
            row(
                2,
                format!(
                    "{episode},{},{source},N{},{},RC1,,{}",
                    day(from),
                    child % 9 + 1,
                    day(from + 120),
                    u32::from(!is_grave)
                ),
            );
            row(3, format!("{episode},{},{},{},2B 3A", day(from + 5), day(from + 15), day(from + 40)));
            if is_grave {
                row(4, format!("{episode},{},{}", day(from + 41), day(from + 70)));
                row(5, format!("{episode},{},{},{},0", day(from + 60), day(from + 75), day(from + 74)));
                row(
                    6,
                    format!(
                        "{episode},C{episode},{},{},NEG,EMO,{}",
                        day(from + 75),
                        day(from + 118),
                        referral / 2
                    ),
                );
                row(7, format!("{episode},C{episode},{}", day(from + 100)));
            }
        }
    }
    for (name, text) in tables {
        std::fs::write(folder.join(format!("{name}.csv")), text).unwrap();
    }
}

#[test]
fn the_children_in_need_census_is_drafted_and_trained() {
    let folder = tempfile::tempdir().unwrap();
    census(folder.path());
    let draft = DraftParams::new(folder.path()).layout(Layout::CscCensus).draft(folder.path()).unwrap();
    let project = accepted(&draft, folder.path());
    let names: Vec<&str> = project.sources.iter().map(|source| source.name.as_str()).collect();
    assert_eq!(
        names,
        ["assessments", "cin_plans", "cp_plans", "cp_reviews", "referrals", "section_47"],
        "{}",
        draft.text()
    );
    let people = &project.people.as_ref().unwrap().columns;
    assert_eq!(
        (people.date_of_birth.as_deref(), people.died.as_deref()),
        (Some("PersonBirthDate"), Some("PersonDeathDate"))
    );
    // The column's name before 2024. Ethnicity is in a module of its own, and the draft asks for it.
    assert_eq!(project.protected.as_ref().unwrap().columns.characteristics, ["GenderCurrent"]);
    assert!(draft.text().contains("ethnicity and disability are modules of their own"), "{}", draft.text());
    // What a row learns later, or is of the day of the return, is read by nothing.
    let read: Vec<String> =
        project.sources.iter().map(|source| toml::to_string(&source.columns).unwrap()).collect();
    for later in ["ReasonForClosure", "LatestCategoryOfAbuse", "AssessmentFactors", "InitialCPCtarget"] {
        assert!(read.iter().all(|columns| !columns.contains(later)), "{later}");
    }
    assert!(
        draft.account().iter().any(|line| line.contains("child protection plan")),
        "{:?}",
        draft.account()
    );
    assert!(trains(&project) > 0.5);
}

#[test]
fn what_is_of_the_day_of_the_extract_is_refused_with_the_reason() {
    let folder = tempfile::tempdir().unwrap();
    let mut rows = "Child Unique ID,Gender,Age,Date of Referral,Referral Source,Number of Referrals in Last 12 Months,Case Status\n".to_owned();
    for child in 0..200 {
        let (month, year) = (child % 12 + 1, 2021 + child % 4);
        let _ = writeln!(
            rows,
            "{},a) Male,7,19/{month:02}/{year},{},{},open",
            81_000 + child / 2,
            ["b) School", "c) Police"][child % 2],
            child % 3
        );
    }
    std::fs::write(folder.path().join("Referrals.csv"), rows).unwrap();
    let draft = DraftParams::new(folder.path()).draft(folder.path()).unwrap();
    let text = draft.text();
    assert!(
        text.contains("# Not used, Age, Number of Referrals in Last 12 Months, Case Status: its value is that of the day"),
        "{text}"
    );
    let project = Project::from_toml(text, folder.path()).unwrap();
    assert_eq!(project.sources[0].columns.categories, ["Referral Source"]);
    assert!(
        project.sources[0].read.list_letters && text.contains("how soon") || text.contains("days late"),
        "{text}"
    );
}

#[test]
fn a_folder_without_tables_is_an_error_that_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let told = DraftParams::new(folder.path()).draft(folder.path()).unwrap_err().to_string();
    assert!(told.contains("no file of a table"), "{told}");
}

/// A council whose police has ids of its own; a table says whose they are.
fn with_crosswalk(folder: &Path, crosswalk: impl Fn(usize) -> String, head: &str) {
    let mut people = "Client ID;D.O.B.;Deceased Date;Merged into ID\n".to_owned();
    let mut contacts = "Client ID,Contact Date,Source\n".to_owned();
    let (mut police, mut whose) = ("Nominal,Incident Date\n".to_owned(), head.to_owned());
    for person in 0..400 {
        let (month, year) = (person % 12 + 1, 2008 + person % 12);
        let died = if person % 40 == 7 { "03/05/2024" } else { "" };
        let into = if person % 50 == 9 { (70_000 + person - 1).to_string() } else { String::new() };
        let _ = writeln!(people, "{};14/{month:02}/{year};{died};{into}", 70_000 + person);
        for nth in 0..6 {
            let (month, year) = ((person + nth) % 12 + 1, 2019 + nth);
            let _ = writeln!(contacts, "{},17/{month:02}/{year},School", 70_000 + person);
            if person % 3 == 0 {
                let _ = writeln!(police, "N-{},19/{month:02}/{year}", 500 + person);
            }
        }
        whose.push_str(&crosswalk(person));
    }
    for (name, text) in [("clients", people), ("contacts", contacts), ("niche", police), ("index", whose)] {
        std::fs::write(folder.join(format!("{name}.csv")), text).unwrap();
    }
}

#[test]
fn old_ids_beside_new_ones_are_merges() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: String| std::fs::write(folder.path().join(name), text).unwrap();
    let born = |n: usize| format!("{},2010-{:02}-{:02}\n", 1_000 + n, 1 + n % 12, 1 + n % 28);
    write("people.csv", "person_id,date_of_birth\n".to_owned() + &(0..200).map(born).collect::<String>());
    let merged = |n: usize| format!("{},{},2022-03-{:02}\n", 9_000 + n, 1_000 + n, 1 + n % 28);
    write("merged.csv", "old_id,new_id,merged_on\n".to_owned() + &(0..30).map(merged).collect::<String>());
    let visit = |n: usize| {
        let id = if n.is_multiple_of(20) { 9_000 + n / 20 } else { 1_000 + n % 200 };
        format!("{id},2023-{:02}-{:02}\n", 1 + n % 12, 1 + n % 28)
    };
    write("visits.csv", "person_id,visited\n".to_owned() + &(0..600).map(visit).collect::<String>());
    let draft = DraftParams::new(folder.path()).draft(folder.path()).unwrap();
    let merges = "columns = { form = \"merged\", into = \"new_id\", old = \"old_id\", on = \"merged_on\" }";
    assert!(draft.text().contains(merges), "{}", draft.text());
    assert!(!draft.text().contains("form = \"wide\""), "{}", draft.text());
}

#[test]
fn crosswalks_and_merged_ids_are_found_by_the_ids_that_files_share() {
    let wide = |person: usize| {
        let nominal = if person.is_multiple_of(3) { format!("N-{}", 500 + person) } else { String::new() };
        format!("{},{nominal},U{}\n", 70_000 + person, 9_000 + person)
    };
    let long = |person: usize| {
        let nominal = if person.is_multiple_of(3) {
            format!("{},Police,N-{}\n", 70_000 + person, 500 + person)
        } else {
            String::new()
        };
        format!("{},Schools,U{}\n{nominal}", 70_000 + person, 9_000 + person)
    };
    let drafted = |crosswalk: &dyn Fn(usize) -> String, head: &str| {
        let folder = tempfile::tempdir().unwrap();
        with_crosswalk(folder.path(), crosswalk, head);
        // A packed copy of a file is no second source.
        std::fs::copy(folder.path().join("niche.csv"), folder.path().join("niche_copy.txt")).unwrap();
        let draft = DraftParams::new(folder.path()).draft(folder.path()).unwrap();
        let project = accepted(&draft, folder.path());
        let records = project.records().unwrap();
        let kept: u64 = records.intake().iter().filter(|of| of.source == "niche").map(|of| of.accepted).sum();
        assert_eq!(kept, 134 * 6, "{}", draft.text());
        assert!(
            draft.text().contains("niche_copy.txt: it holds the same rows as niche.csv"),
            "{}",
            draft.text()
        );
        // Merged ids are the person's, and nobody died on the day of a merge.
        assert_eq!(records.people(), 400 - 8);
        let people = &project.people.as_ref().unwrap().columns;
        assert_eq!(people.died.as_deref(), Some("Deceased Date"));
        project.identities.iter().map(|file| toml::to_string(&file.columns).unwrap()).collect::<Vec<_>>()
    };
    let found = drafted(&wide, "Client ID,Police Nominal,UPN\n");
    assert!(found.iter().any(|held| held.contains("form = \"wide\"")
        && held.contains("Police Nominal")
        && !held.contains("UPN")));
    assert!(found.iter().any(|held| held.contains("into = \"Merged into ID\"") && !held.contains("on =")));
    let found = drafted(&long, "Person,System,Local ID\n");
    assert!(
        found
            .iter()
            .any(|held| held.contains("form = \"crosswalk\"") && held.contains("system = \"System\"")),
        "{found:?}"
    );
    assert_eq!(found.len(), 2);
}

#[test]
fn a_folder_of_noise_is_an_error_and_no_draft() {
    let folder = tempfile::tempdir().unwrap();
    let to = folder.path().to_string_lossy().into_owned();
    let refused = |why: &str| {
        let output = earlyhelp(&["init", &to]);
        let told = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.code() == Some(1) && told.contains(why), "{told}");
        assert!(!folder.path().join("project.toml").exists());
    };
    refused("no file of a table");
    let mut random = 88_172_645_463_325_252_u64;
    let mut noise = |bytes: usize| -> Vec<u8> {
        let mut next = || {
            random ^= random << 13;
            random ^= random >> 7;
            random ^= random << 17;
            (random >> 24) as u8
        };
        (0..bytes).map(|_| next()).collect()
    };
    for name in ["a.csv", "b.txt", "c.xlsx", "d.parquet", "e.csv.gz"] {
        std::fs::write(folder.path().join(name), noise(4_000)).unwrap();
    }
    refused("cannot be used");
    std::fs::write(folder.path().join("f.csv"), "colour,shape\nred,round\nblue,square\n").unwrap();
    refused("no column looks like the ids of people");
}

/// People, and visits in a folder for each year and area.
fn visits_in_parts(folder: &Path) {
    let day = |days: u32| Day::from_epoch_days(18_993 + i32::try_from(days).unwrap());
    let mut people = "person_id,date_of_birth\n".to_owned();
    let mut parts: std::collections::BTreeMap<String, String> = std::collections::BTreeMap::new();
    for child in 0..400_u32 {
        let _ = writeln!(people, "c{child},{}", day(0) - i32::try_from(child * 11).unwrap());
        for nth in 0..=child % 4 {
            let on = day(child * 13 % 330 + nth * 250);
            let area = ["North", "South"][child as usize % 2];
            let part = parts.entry(format!("year={}/area={area}", on.ymd().0)).or_default();
            let _ = writeln!(part, "c{child},{on},{}", on + 2);
        }
    }
    std::fs::create_dir_all(folder).unwrap();
    std::fs::write(folder.join("people.csv"), people).unwrap();
    for (part, rows) in parts {
        let part = folder.join("visits").join(part);
        std::fs::create_dir_all(&part).unwrap();
        std::fs::write(part.join("part-0.csv"), format!("person_id,visited,recorded\n{rows}")).unwrap();
    }
}

#[test]
fn a_table_in_folders_of_its_values_is_one_source_whatever_its_files_are() {
    let folder = tempfile::tempdir().unwrap();
    let (extracts, project) = (folder.path().join("extracts"), folder.path().join("project"));
    visits_in_parts(&extracts);
    std::fs::create_dir_all(&project).unwrap();
    let draft = DraftParams::new(&extracts).draft(&project).unwrap();
    let accepted = accepted(&draft, &project);
    // Seen from the project's folder, so that both can move.
    assert_eq!(accepted.people.as_ref().unwrap().path, [Path::new("../extracts/people.csv")]);
    let [visits] = accepted.sources.as_slice() else { panic!("{}", draft.text()) };
    assert_eq!(
        (visits.name.as_str(), visits.path.as_slice()),
        ("visits", &["../extracts/visits/**/*.csv".into()][..])
    );
    assert!(visits.columns.categories.contains(&"area".to_owned()), "{}", draft.text());
    let refused = accepted.records().unwrap_err().to_string();
    assert!(refused.contains("--may-read"), "{refused}");
    let records = accepted.clone().may_read(&extracts).records().unwrap();
    assert_eq!(records.intake().iter().find(|intake| intake.source == "visits").unwrap().read, 1_000);
    // Three years of records: what looks back further would be covered for nobody.
    let warnings = accepted.training_warnings(&records);
    assert!(warnings.iter().all(|warning| !warning.contains("begins too late")), "{warnings:?}");
    assert!(
        warnings.iter().any(|warning| warning.contains("purpose is still to be decided")),
        "{warnings:?}"
    );
}

#[test]
fn no_source_is_named_as_a_table_of_every_project_is() {
    let folder = tempfile::tempdir().unwrap();
    visits_in_parts(folder.path());
    let visits =
        std::fs::read_to_string(folder.path().join("visits/year=2022/area=North/part-0.csv")).unwrap();
    std::fs::remove_dir_all(folder.path().join("visits")).unwrap();
    std::fs::write(folder.path().join("identities.csv"), visits).unwrap();
    let draft = DraftParams::new(folder.path()).draft(folder.path()).unwrap();
    assert!(draft.text().contains("name = \"identities_2\""), "{}", draft.text());
    for name in ["people", "households", "protected", "identities"] {
        let text = draft.text().replace("name = \"identities_2\"", &format!("name = \"{name}\""));
        let told = Project::from_toml(&text, folder.path()).unwrap_err().to_string();
        assert!(told.contains(name) && told.contains("another name"), "{told}");
    }
}

#[test]
fn a_folder_that_is_not_of_the_layout_is_told_what_was_looked_for_and_what_is_there() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("meals.csv"), "a,b\n1,2\n").unwrap();
    let drafted = DraftParams::new(folder.path()).layout(Layout::Ssda903).draft(folder.path());
    let told = drafted.unwrap_err().to_string();
    for part in ["ssda903", "episodes", "meals.csv", "annex-a"] {
        assert!(told.to_lowercase().contains(part), "{part}: {told}");
    }
}
