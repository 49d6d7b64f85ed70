//! Lists of past dates as they would have been, against the same lists drawn one by one and looked at by loops.

mod by_hand;

use std::collections::{BTreeMap, BTreeSet};

use earlyhelp::calendar::Horizon;
use earlyhelp::error::{Error, ReviewError, ScoringError, SimulationError};
use earlyhelp::evaluate::Capacity;
use earlyhelp::fairness::CapacityShares;
use earlyhelp::fairness::audit::{AttributeFinding, Audit, AuditedOutcome};
use earlyhelp::known_to::IsKnown;
use earlyhelp::outcome::Label;
use earlyhelp::project::{DateOutcomes, ListResults, MeasuredOn, SimulationParams};
use earlyhelp::report::{simulation_csv, simulation_html, simulation_json, simulation_text, simulation_xlsx};
use earlyhelp::review::{Among, ListParams};
use earlyhelp::scoring::Scorer;

use by_hand::*;

#[test]
fn every_list_is_the_one_that_score_draws_at_each_length() {
    for cases in [20, 10, 40] {
        let (lists, found) = (all_by_hand(cases), at(cases));
        assert_eq!(found.lists.len(), lists.len());
        let mut before: BTreeSet<&String> = BTreeSet::new();
        let mut ever: BTreeSet<&String> = BTreeSet::new();
        for (list, (found, date)) in lists.iter().zip(found.lists.iter().zip(&FOUND.dates)) {
            assert_eq!((found.as_of, found.places as usize), (list.as_of, list.places.len()));
            assert_eq!((date.cohort as usize, date.not_scored as usize), (list.cohort, list.not_scored));
            let on = |of: &BTreeSet<&String>| {
                list.places.iter().filter(|(_, shown)| shown.iter().any(|id| of.contains(id))).count() as u64
            };
            let (repeats, ever_before) = (on(&before), on(&ever));
            assert_eq!(
                (found.repeats, found.returning, found.new),
                (repeats, ever_before - repeats, found.places - ever_before)
            );
            before = list.places.iter().flat_map(|(_, shown)| shown).collect();
            ever.extend(&before);
            let known = found.known.unwrap();
            let of = |wanted| list.known.iter().filter(|&&known| known == wanted).count() as u64;
            assert_eq!(
                [known.yes, known.no, known.cannot_tell],
                [IsKnown::Yes, IsKnown::No, IsKnown::CannotTell].map(of)
            );
            assert!(!found.withheld);
            assert_eq!(found.results.is_some(), list.labels.is_some());
            assert_eq!(found.results.is_some(), found.needs.is_some());
            let Some(ListResults { right, wrong, cannot_tell, precision, recall, .. }) = found.results else {
                continue;
            };
            let (judged, with) = followed(list);
            assert_eq!(right as usize, judged.iter().filter(|(right, _)| *right).count());
            assert_eq!((right + wrong) as usize, judged.len());
            assert_eq!((right + wrong + cannot_tell) as usize, list.places.len());
            is_close(recall, &with);
            if judged.len() >= 10 {
                is_close(precision, &judged);
            }
        }
        assert!(found.lists.iter().any(|list| list.returning > 0) || cases != 40);
    }
}

#[test]
fn dates_are_told_apart_by_training_and_by_what_is_known() {
    assert_eq!(FOUND.training_ends, "2023-04-01".parse().unwrap());
    assert_eq!(FOUND.measured_on, MeasuredOn::AfterTraining);
    for date in &FOUND.dates {
        assert_eq!(date.in_training, date.as_of.day() < FOUND.training_ends);
        let until = Horizon::Months(12).end(date.as_of);
        let is_over = until <= "2025-04-01".parse().unwrap();
        let expected = if is_over { DateOutcomes::Known } else { DateOutcomes::Open { until } };
        assert_eq!(date.outcomes, Some(expected), "{}", date.as_of);
        let list = at(20).lists.iter().find(|list| list.as_of == date.as_of).unwrap();
        assert_eq!(list.results.is_some(), is_over, "an open list has neither right nor wrong");
    }
    let says = FOUND.says.join(" ");
    assert!(FOUND.says[0].starts_with("2 of 9 lists are seen in training"), "{says}");
    assert!(says.contains("2 of 9 lists are open"), "{says}");

    let town = &*TOWN;
    let simulate = |from: &str, to: &str| {
        let params = params(from, to).capacities([Capacity::Cases(12), Capacity::Cases(8)]);
        town.project.simulate(&town.records, &town.scorer, &params).unwrap()
    };
    let early = simulate("2022-10-01", "2023-01-01");
    assert_eq!((early.measured_on, early.capacities[0].model.lists), (MeasuredOn::InTraining, 2));
    let first = &early.says[0];
    assert!(first.contains("flatters the model") && first.contains("dates up to 1 October 2021"), "{first}");
    assert!(simulation_html(&early).unwrap().contains("class=\"first flattering\""));
    // Eight places are too few, and eight of twelve are no fewer than four apart from all of them.
    let short = &early.capacities[1];
    assert!(short.lists.iter().all(|list| list.withheld && list.results.is_none() && list.known.is_none()));
    assert!(short.model.results.is_none() && short.apart.found.is_none());
    assert!(
        early.says.iter().any(|said| said.contains("withheld of 2 lists of 8 places")),
        "{:?}",
        early.says
    );

    let late = simulate("2024-07-01", "2024-10-01");
    assert_eq!((late.measured_on, late.capacities[0].model.lists), (MeasuredOn::Nothing, 0));
    assert!(late.says[0].contains("not known yet what followed"), "{:?}", late.says);
    assert!(late.groups.as_ref().is_some_and(|audit| !audit.followed));
    assert!(late.capacities[0].model.results.is_none() && late.capacities[0].apart.found.is_none());
}

#[test]
fn figures_over_several_lists_are_of_those_that_training_had_not_seen() {
    let measured = |list: &&ByHand| list.labels.is_some() && list.as_of.day() >= FOUND.training_ends;
    let trained: BTreeSet<String> = [date("2021-04-01"), date("2022-04-01")]
        .into_iter()
        .flat_map(|as_of| {
            let cohort = TOWN.project.cohort(&TOWN.records, as_of).unwrap();
            cohort.ids().map(str::to_owned).collect::<Vec<_>>()
        })
        .collect();
    for cases in [10, 20, 40] {
        let (lists, found) = (all_by_hand(cases), at(cases));
        let (mut judged, mut with, mut shown_with, mut not_known) = (vec![], vec![], vec![], vec![]);
        let mut trained_families = BTreeSet::new();
        for list in &lists {
            trained_families.extend(
                list.families.iter().filter(|(id, _)| trained.contains(*id)).map(|(_, family)| *family),
            );
        }
        let (mut places, mut of_trained) = (0, 0);
        for list in lists.iter().filter(measured) {
            let labels = list.labels.as_ref().unwrap();
            let (of_list, of_cohort) = followed(list);
            judged.extend(of_list);
            with.extend(of_cohort);
            let shown: BTreeSet<&String> = list.places.iter().flat_map(|(_, shown)| shown).collect();
            for (id, _) in labels.iter().filter(|(_, label)| **label == Label::Positive) {
                shown_with.push((shown.contains(id), list.families[id]));
            }
            for ((lead, _), known) in list.places.iter().zip(&list.known) {
                places += 1;
                of_trained += u64::from(trained_families.contains(&list.families[lead]));
                if let (Some(right), IsKnown::No) = (labels[lead].outcome(), known) {
                    not_known.push((right, list.families[lead]));
                }
            }
        }
        let model = &found.model;
        assert_eq!((model.lists, model.places), (5, places));
        let results = model.results.unwrap();
        assert_eq!((results.right + results.wrong) as usize, judged.len());
        is_close(results.precision, &judged);
        is_close(results.recall, &with);
        is_close(model.recall_of_household, &shown_with);
        let known = model.not_known.unwrap();
        if known.precision.is_some() {
            is_close(known.precision, &not_known);
        }
        let share = of_trained as f64 / places as f64;
        assert!(model.families_trained_on.is_none_or(|found| (found - share).abs() < 1e-12));

        let work = &found.workload;
        assert_eq!((work.lists, work.places), (9, 9 * u64::from(cases)));
        let leads = || lists.iter().flat_map(|list| list.places.iter().map(move |(lead, _)| (list, lead)));
        assert_eq!(work.cases as usize, leads().map(|(_, lead)| lead).collect::<BTreeSet<_>>().len());
        let families = |from: &str| {
            let of = leads().filter(|(list, _)| list.as_of >= date(from));
            of.map(|(list, lead)| list.families[lead]).collect::<BTreeSet<_>>().len() as u64
        };
        // The last list is in use until January 2025.
        assert_eq!(
            (work.families, work.families_in_last_year),
            (families("2022-10-01"), Some(families("2024-01-01")))
        );
        let known: Vec<Answer> = lists
            .iter()
            .flat_map(|list| {
                let leads = list.places.iter().zip(&list.known);
                leads.map(|((lead, _), known)| (*known == IsKnown::Yes, list.families[lead]))
            })
            .collect();
        is_close(work.known, &known);
        let new: u64 = found.lists[1..].iter().map(|list| list.new).sum();
        assert!((work.new_a_list.unwrap() - new as f64 / 8.0).abs() < 1e-12);

        let apart = &found.apart;
        assert_eq!(apart.both + apart.only_model, work.places);
        assert_eq!(apart.only_model, apart.only_needs, "both lists are as long");
        assert_eq!(apart.both, found.lists.iter().map(|list| list.shared_with_needs).sum::<u64>());
        if let Some(parts) = apart.found {
            assert_eq!(parts.both.right + parts.only_model.right, results.right);
            assert_eq!(parts.both.places + parts.only_model.places, results.right + results.wrong);
        }
    }
    assert!(at(40).apart.found.is_some() && at(40).model.not_known.unwrap().precision.is_some());
}

#[test]
fn groups_are_those_of_the_lists_that_figures_are_of() {
    // As a reader sees them, and to an auditor who may see every number: a town so small withholds most.
    let mut project = TOWN.project.clone();
    project.training.minimum_group = 1;
    let open = project.simulate(&TOWN.records, &TOWN.scorer, &asked()).unwrap();
    let mut reader = csv::Reader::from_path(TOWN.folder.path().join("protected.csv")).unwrap();
    let head = reader.headers().unwrap().clone();
    let column = |name: &str| head.iter().position(|held| held == name).unwrap();
    let (person, sex) = (column("person_id"), column("sex"));
    let sexes: BTreeMap<String, String> = reader
        .records()
        .map(Result::unwrap)
        .map(|row| (row[person].to_owned(), row[sex].to_lowercase()))
        .collect();
    // By group: cases, listed, with the outcome, both.
    let mut groups: BTreeMap<&str, [u64; 4]> = BTreeMap::new();
    for list in
        all_by_hand(20).iter().filter(|list| list.labels.is_some() && list.as_of >= date("2023-04-01"))
    {
        let leads: BTreeSet<&str> = list.places.iter().map(|(lead, _)| lead.as_str()).collect();
        for (id, label) in list.labels.as_ref().unwrap() {
            let Some(with) = label.outcome() else { continue };
            let held = groups.entry(sexes.get(id).map_or("unknown", String::as_str)).or_default();
            let listed = leads.contains(id.as_str());
            for (nth, is) in [true, listed, with, listed && with].into_iter().enumerate() {
                held[nth] += u64::from(is);
            }
        }
    }
    for (simulation, least) in [(&*FOUND, 2), (&open, 6)] {
        let audit = simulation.groups.as_ref().unwrap();
        let compared = compared(audit, &groups);
        assert!(compared >= least, "{compared} shares were compared");
        assert_eq!(audit.n, groups.values().map(|held| held[0]).sum::<u64>());
    }
}

/// How many shares of an audit are shown; each is the one counted by hand, from cases, listed, with the outcome, and both.
fn compared(audit: &Audit, groups: &BTreeMap<&str, [u64; 4]>) -> usize {
    let attribute = audit.attributes.iter().find(|held| held.columns == ["sex"]).unwrap();
    let AttributeFinding::Measured { groups: audited, .. } = &attribute.finding else { panic!("measured") };
    let mut compared = 0;
    for group in audited {
        let AuditedOutcome::Shown { measures, .. } = &group.outcome else { continue };
        let [n, listed, with, both] = groups[group.name().as_str()];
        assert_eq!(measures.n, n);
        assert!(measures.selected.is_none_or(|selected| selected == listed));
        assert!(measures.positives.is_none_or(|positives| positives == with));
        for (rate, expected) in [
            (measures.selection_rate, listed as f64 / n as f64),
            (measures.true_positive_rate, both as f64 / with as f64),
            (measures.precision, both as f64 / listed as f64),
        ] {
            compared += usize::from(rate.is_some());
            assert!(rate.is_none_or(|rate| (rate.value - expected).abs() < 1e-12), "{}", group.name());
        }
    }
    compared
}

#[test]
fn nobody_is_in_it_in_any_form_and_the_page_does_nothing() {
    let town = &*TOWN;
    let mut reader = csv::Reader::from_path(town.folder.path().join("people.csv")).unwrap();
    let place = reader.headers().unwrap().iter().position(|held| held == "person_id").unwrap();
    let people: BTreeSet<String> = reader.records().map(|row| row.unwrap()[place].to_owned()).collect();
    assert!(people.len() > 3_000);
    let page = simulation_html(&FOUND).unwrap();
    crate::check_page::is_inert(&page);
    let table = simulation_csv(&FOUND).unwrap();
    let text = simulation_text(&FOUND);
    for form in [&page, &simulation_json(&FOUND).unwrap(), &table, &text, &format!("{:?}", *FOUND)] {
        let mut words = form.split(|c: char| !c.is_alphanumeric());
        assert!(!words.any(|word| people.contains(word)), "an id");
    }
    // Every sentence is on the page and in the text, and every list has its row.
    assert_eq!(table.lines().count(), 1 + 3 * 9);
    for said in &FOUND.says {
        assert!(text.contains(said.as_str()), "{said}");
        let first = said.split(['"', '\'', '&', '<']).next().unwrap();
        assert!(page.contains(first), "{first}");
    }
    assert_eq!(page.matches("tabindex=\"0\"").count(), page.matches("class=\"scroll\"").count());
}

#[test]
fn the_workbook_says_what_the_table_does_and_names_nobody() {
    let bytes = simulation_xlsx(&FOUND).unwrap();
    let mut book: calamine::Xlsx<_> = calamine::open_workbook_from_rs(std::io::Cursor::new(bytes)).unwrap();
    let sheet = calamine::Reader::worksheet_range(&mut book, "Lists").unwrap();
    let text = simulation_csv(&FOUND).unwrap();
    let mut table = csv::Reader::from_reader(text.trim_start_matches('\u{feff}').as_bytes());
    let rows: Vec<csv::StringRecord> = table.records().map(Result::unwrap).collect();
    assert_eq!(sheet.height(), rows.len() + 1);
    let mut numbers = 0;
    for (nth, row) in rows.iter().enumerate() {
        for (at, cell) in row.iter().enumerate() {
            match sheet.get_value((nth as u32 + 1, at as u32)) {
                Some(calamine::Data::Float(number)) => {
                    numbers += 1;
                    assert!((number - cell.parse::<f64>().unwrap()).abs() < 1e-4, "{nth} {at}: {cell}");
                }
                Some(calamine::Data::String(said)) => assert_eq!(said, cell.trim_start_matches('\'')),
                Some(calamine::Data::DateTime(day)) => {
                    let since: f64 =
                        f64::from(cell.parse::<earlyhelp::calendar::Day>().unwrap().epoch_days());
                    assert!((day.as_f64() - 25_569.0 - since).abs() < 1e-9, "{cell}");
                }
                Some(calamine::Data::Empty) | None => assert_eq!(cell, ""),
                other => panic!("{nth} {at}: {other:?}"),
            }
        }
    }
    assert!(numbers > 200);
    let first = calamine::Reader::worksheet_range(&mut book, "Read me").unwrap();
    let told: String = first.rows().flatten().map(ToString::to_string).collect();
    assert!(FOUND.says.iter().all(|said| told.contains(said.as_str())));
}

#[test]
fn without_a_folder_the_command_prints_the_short_text_and_writes_nothing() {
    let town = &*TOWN;
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let project = at("project.toml", &town.text);
    let (released, unreleased) =
        (at("released.json", &town.scorer.to_json().unwrap()), at("model.json", &town.unreleased));
    let simulate = |model: &str, capacity: &str| {
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_earlyhelp"));
        command.args(["simulate", &project, "--extracts"]).arg(town.folder.path());
        command.args(["--model", model, "--from", "2022-10-01", "--to", "2024-10-01", "--every", "3 months"]);
        command.args(["--capacity", capacity]).output().unwrap()
    };
    let output = simulate(&released, "20");
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(String::from_utf8(output.stdout).unwrap(), simulation_text(&FOUND));
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 3);
    let refused = simulate(&unreleased, "20");
    assert_eq!(refused.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&refused.stderr).contains("release it first"));
    assert_eq!(simulate(&released, "0").status.code(), Some(2), "no list has no place");
}

#[test]
fn the_same_bytes_at_any_number_of_threads() {
    let town = &*TOWN;
    let short = params("2023-01-01", "2023-07-01");
    let made = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        let found = pool.install(|| town.project.simulate(&town.records, &town.scorer, &short)).unwrap();
        simulation_json(&found).unwrap() + &simulation_html(&found).unwrap()
    };
    assert!(made(1) == made(2));
}

#[test]
fn lists_of_those_nobody_works_with_hold_nobody_who_is_known() {
    let town = &*TOWN;
    let asked = SimulationParams { among: Among::NotKnown, ..asked() };
    let found = town.project.simulate(&town.records, &town.scorer, &asked).unwrap();
    for (list, date) in found.capacities[0].lists.iter().zip(asked.dates().unwrap()) {
        let params = ListParams::new(Capacity::Cases(20)).among(Among::NotKnown);
        let by_hand = by_hand(date, params);
        assert_eq!(list.known.unwrap().yes, 0);
        let right =
            by_hand.labels.as_ref().map(|_| followed(&by_hand).0.iter().filter(|(right, _)| *right).count());
        assert_eq!(list.results.map(|results| results.right as usize), right);
    }
}

#[test]
fn dealt_places_are_those_of_a_list_whose_places_are_dealt() {
    let town = &*TOWN;
    let given =
        "characteristic = \"sex\"\nby = { given = { male = 0.2 } }\nreason = \"r\"\napproved_by = \"a\"";
    let shares: CapacityShares = toml::from_str(given).unwrap();
    let asked = SimulationParams { shares: Some(shares.clone()), ..params("2023-07-01", "2023-07-01") };
    let asked = asked.capacities([Capacity::Cases(20)]);
    let found = town.project.simulate(&town.records, &town.scorer, &asked).unwrap();
    let by_hand = |shares: Option<&CapacityShares>| {
        let params = ListParams::new(Capacity::Cases(20));
        let list = by_hand_with(date("2023-07-01"), params, shares);
        followed(&list).0.iter().filter(|(right, _)| *right).count()
    };
    let results = found.capacities[0].lists[0].results.unwrap();
    assert_eq!(results.right as usize, by_hand(Some(&shares)));
    // A project that holds no characteristic cannot deal by one, and does not draw by score instead.
    let mut other = town.project.clone();
    other.protected = None;
    let refused = other.simulate(&town.records, &town.scorer, &asked).unwrap_err();
    assert!(matches!(refused, Error::Mitigation(_)), "{refused}");
}

#[test]
fn what_cannot_be_simulated_is_refused() {
    let town = &*TOWN;
    let simulate =
        |params: SimulationParams| town.project.simulate(&town.records, &town.scorer, &params).unwrap_err();
    let turned = simulate(params("2024-01-01", "2023-01-01"));
    assert!(matches!(turned, Error::Simulation(SimulationError::Period { .. })), "{turned}");
    let none = simulate(asked().capacities([Capacity::Cases(20), Capacity::Cases(0)]));
    assert!(matches!(none, Error::Evaluate(_)), "{none}");
    let long = simulate(params("2023-04-01", "2023-04-01").capacities([Capacity::Cases(100_000)]));
    let Error::Simulation(SimulationError::List { why, .. }) = &long else { panic!("{long}") };
    assert!(matches!(**why, Error::Review(ReviewError::CapacityAboveCohort { .. })), "{long}");
    assert!(long.to_string().contains("2023-04-01"), "{long}");
    let before = simulate(params("1990-01-01", "1990-07-01"));
    assert!(matches!(before, Error::Simulation(SimulationError::NoList { dates: 3, .. })), "{before}");

    let mut other = town.project.clone();
    other.purpose = "Choose whom to investigate".into();
    let refused = other.simulate(&town.records, &town.scorer, &asked()).unwrap_err();
    assert!(matches!(refused, Error::Scoring(ScoringError::OtherPurpose { .. })), "{refused}");
    assert!(Scorer::from_json(&town.unreleased).is_err());
}
