//! What a program that embeds the crate does: asks about one person, keeps what it made, shares a ledger among threads, hands over
//! rows and features of its own.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, LazyLock};

use earlyhelp::calendar::{AsOf, Day};
use earlyhelp::cohort::NotInCohort;
use earlyhelp::error::Class;
use earlyhelp::evaluate::Capacity;
use earlyhelp::features::{Cell, FeatureMatrix};
use earlyhelp::ledger::{EntryKind, Erasure, Filter, Ledger, LedgerError, ReplayOf};
use earlyhelp::project::Project;
use earlyhelp::records::{Extract, Records, RecordsBuilder};
use earlyhelp::review::{Agreement, ReviewList, Reviewer, Step};
use earlyhelp::scoring::{Answer, Asked, Asking, RankedCase, Request, ScoredCase, Scorer, Scores};
use earlyhelp::synthetic::{CouncilParams, Format};
use polars::prelude::{DataFrame, DataType, ParquetReader, SerReader as _};

/// `examples/scorer`, a program of the core alone, gives these answers; its own test holds it to the same file.
#[test]
fn the_core_alone_says_what_the_whole_library_says() {
    #[derive(serde::Deserialize)]
    struct Case {
        id: String,
        features: BTreeMap<String, Cell>,
    }
    let path = format!("{}/models/synthetic_council_additive.json", env!("CARGO_MANIFEST_DIR"));
    let scorer = Scorer::from_json(&std::fs::read_to_string(path).unwrap()).unwrap();
    let day = |text: &str| text.parse::<Day>().unwrap();
    let request = Request::new("B. Lead", &scorer.sign_off().purpose, day("2025-04-02"));
    let names = scorer.candidate().model().features();
    let answers = include_str!("../examples/scorer/answers.jsonl").lines();
    for (line, told) in include_str!("../examples/scorer/cases.jsonl").lines().zip(answers) {
        let case: Case = serde_json::from_str(line).unwrap();
        let cell = |name: &String| vec![case.features.get(name).copied().unwrap_or(Cell::Missing)];
        let matrix =
            FeatureMatrix::from_cells(names.to_vec(), 1, &names.iter().map(cell).collect::<Vec<_>>());
        let as_of = AsOf::new(day("2025-04-01"));
        let asked = scorer.score_matrix(&[case.id], &matrix.unwrap(), as_of, "earlyhelp-scorer", &request);
        assert_eq!(serde_json::to_string(&asked.unwrap()[0]).unwrap(), told);
    }
}

struct Town {
    folder: tempfile::TempDir,
    project: Project,
    records: Arc<Records>,
    scorer: Arc<Scorer>,
    today: Day,
}

static TOWN: LazyLock<Town> = LazyLock::new(|| {
    let folder = tempfile::tempdir().unwrap();
    let council = CouncilParams::new(4_000, 5).generate().unwrap();
    let project = Project::load(council.write(folder.path(), Format::Parquet).unwrap()).unwrap();
    let records = Arc::new(project.records().unwrap());
    let path = format!("{}/models/synthetic_council_additive.json", env!("CARGO_MANIFEST_DIR"));
    let scorer = Arc::new(Scorer::from_json(&std::fs::read_to_string(path).unwrap()).unwrap());
    Town { folder, project, records, scorer, today: council.extract_date() }
});

impl Town {
    fn request(&self, by: &str) -> Request {
        Request::new(by, &self.scorer.sign_off().purpose, self.today)
    }

    fn asking(&self) -> Asking<'static, 'static> {
        self.scorer.asking_shared(&self.records.as_of_shared(AsOf::new(self.today)))
    }

    /// What a service keeps: nothing of it borrows from this function.
    fn scores(&self) -> Scores<'static, 'static> {
        let snapshot = self.records.as_of_shared(AsOf::new(self.today));
        let cohort = self.scorer.candidate().cohort().choose(&snapshot).unwrap();
        self.scorer.score_shared(&cohort, &self.request("B. Lead")).unwrap()
    }

    /// A table as another program has it.
    fn frame(&self, table: &str) -> DataFrame {
        let file = std::fs::File::open(self.folder.path().join(format!("{table}.parquet"))).unwrap();
        ParquetReader::new(file).finish().unwrap()
    }

    fn recorded(&self, ledger: &Ledger) -> (String, ReviewList) {
        let (request, as_of) = (self.request("B. Lead"), AsOf::new(self.today));
        let start = ledger.start_run(&self.scorer, &request, as_of, None).unwrap();
        let scores = self.scores();
        let mut list = ReviewList::draw(&scores, Capacity::Cases(10)).unwrap();
        (ledger.finish_run(start, &scores, &mut list, &self.records).unwrap(), list)
    }
}

fn ledgers(folder: &Path) -> [Ledger; 2] {
    ["ledger.sqlite", "ledger.jsonl"].map(|name| Ledger::open(folder.join(name)).unwrap())
}

/// All that is said of a case, but for the run that said it.
fn says(case: &ScoredCase) -> serde_json::Value {
    let mut says = serde_json::to_value(case).unwrap();
    says.as_object_mut().unwrap().remove("audit").unwrap();
    // How usual something is in a cohort cannot be said of one person.
    for part in says["contributions"].as_array_mut().unwrap() {
        part.as_object_mut().unwrap().remove("usual");
    }
    says
}

#[test]
fn one_person_is_told_what_the_list_of_the_date_would_tell() {
    let town = &*TOWN;
    let (scores, asking) = (town.scores(), town.asking());
    let request = town.request("C. Worker");
    let mut runs = std::collections::HashSet::new();
    for rank in (1..=scores.len()).step_by(7) {
        let ranked: RankedCase = scores.case(rank).unwrap().unwrap();
        assert_eq!(scores.rank_of(ranked.entity()), Some(rank));
        let asked = asking.one(ranked.entity(), &request).unwrap();
        assert_eq!(says(asked.case().unwrap()), says(&ranked), "rank {rank}");
        // Siblings are no one run.
        assert!(runs.insert(asked.provenance().run_id.clone()));
        assert_eq!(asked.case().unwrap().provenance(), asked.provenance());
        let again = town.scorer.score_one(asking.snapshot(), ranked.entity(), &request).unwrap();
        assert!(again == asked);
    }
    for not_scored in scores.not_scored() {
        let asked = asking.one(not_scored.entity(), &request).unwrap();
        assert!(asked.answer() == Answer::NotScored(not_scored.reason()));
    }
}

#[test]
fn who_is_not_asked_about_is_told_why() {
    let town = &*TOWN;
    let (scores, asking, request) = (town.scores(), town.asking(), town.request("C. Worker"));
    let in_cohort: std::collections::HashSet<&str> = (1..=scores.len())
        .filter_map(|rank| scores.case(rank).unwrap())
        .map(|case| case.entity().to_owned())
        .chain(scores.not_scored().iter().map(|case| case.entity().to_owned()))
        .map(|id| &*id.leak())
        .collect();
    let people = town.frame("people");
    let ids = people.column("person_id").unwrap().str().unwrap();
    let mut reasons = BTreeMap::new();
    for id in ids.iter().flatten().filter(|id| !in_cohort.contains(id)) {
        match asking.one(id, &request).unwrap().answer() {
            Answer::NotInCohort(why) => *reasons.entry(why.words()).or_insert(0) += 1,
            _ => panic!("somebody who is in no cohort is answered as if they were"),
        }
    }
    assert!(reasons.keys().any(|why| why.contains("of another age")), "{reasons:?}");
    let nobody = asking.one("nobody", &request).unwrap();
    assert!(nobody.answer() == Answer::NotInCohort(NotInCohort::NotInRecords));
    // A request that is refused for a list is refused for one.
    for wrong in [
        Request::new("C. Worker", "Something else", town.today),
        Request::new("  ", &request.purpose, town.today),
        Request { valid_for_days: 90, ..request.clone() },
    ] {
        for id in ["nobody", ids.get(0).unwrap()] {
            assert!(asking.one(id, &wrong).is_err());
        }
    }
}

#[test]
fn an_answer_is_on_record_apart_from_alerts_and_can_be_made_again_and_taken_out() {
    let town = &*TOWN;
    let folder = tempfile::tempdir().unwrap();
    let (scores, asking) = (town.scores(), town.asking());
    for ledger in ledgers(folder.path()) {
        town.recorded(&ledger);
        let before = ledger.account(None, 5, town.today).unwrap();
        let asked: Vec<Asked> = [1, 2, 40]
            .map(|rank| scores.case(rank).unwrap().unwrap().entity().to_owned())
            .iter()
            .map(String::as_str)
            .chain(["nobody"])
            .map(|id| asking.one(id, &town.request("C. Worker")).unwrap())
            .collect();
        let numbers: Vec<u64> =
            asked.iter().map(|asked| ledger.record_asked(&town.scorer, asked).unwrap()).collect();
        assert!(numbers.windows(2).all(|pair| pair[0] + 1 == pair[1]));
        let seen = ledger.verify(&[]).unwrap();
        assert_eq!(seen.finding, None);
        let after = ledger.account(None, 5, town.today).unwrap();
        assert_eq!((before.asked, after.asked), (0, 4));
        assert_eq!((after.alerts, &after.runs), (before.alerts, &before.runs));

        for records in [None, Some(&*town.records)] {
            let replay = ledger.replay(&ReplayOf::Everything, records).unwrap();
            assert_eq!(replay.asked, replay.reproduced, "{replay}");
            assert_eq!(replay.asked, scores.len() as u64 + 3);
        }

        // It is part of what is held about the person.
        let id = asked[2].entity();
        let pack = ledger.subject_pack(id, town.today).unwrap();
        let told = pack.scores.iter().find(|score| score.asked_by.is_some()).unwrap();
        assert_eq!((told.asked_by.as_deref(), told.rank), (Some("C. Worker"), None));
        assert!(
            told.reasons
                .iter()
                .zip(asked[2].case().unwrap().contributions())
                .all(|(a, b)| { a.log_odds.to_bits() == b.log_odds.to_bits() && a.features == b.features })
        );

        // What stays of it names nobody, and lets nobody confirm a guess.
        let by = |by: &str| Erasure {
            entity: id.to_owned(),
            by: by.to_owned(),
            reason: "erasure was asked for".to_owned(),
            ..Erasure::default()
        };
        let purged = ledger.purge(&by("D. Officer"), town.today).unwrap();
        assert!(purged.entries.contains(&numbers[2]) && purged.still_named_in.is_empty());
        assert_eq!(ledger.verify(&[]).unwrap().finding, None);
        let run = &asked[2].provenance().run_id;
        for entry in ledger.entries(&Filter::all()).unwrap() {
            let left = format!("{} {:?}", entry.facts(), entry.content().map(|content| &content.body));
            assert!(!left.contains(run.as_str()) && !left.contains(id), "entry {}", entry.seq());
        }
        let replay = ledger.replay(&ReplayOf::Everything, None).unwrap();
        assert_eq!(replay.reproduced, scores.len() as u64 + 1, "{replay}");

        // A model that was taken out of use answers nobody; nor does one that is not the answer's.
        ledger.retire(&town.scorer.digest()[..12], "A. Manager", "a new one is due", town.today).unwrap();
        let refused = ledger.record_asked(&town.scorer, &asked[0]).unwrap_err();
        assert!(matches!(refused, LedgerError::Retired(_)) && refused.class() == Class::Refused);
    }
}

#[test]
fn who_asks_cannot_be_the_person_and_an_answer_of_another_model_is_refused() {
    let town = &*TOWN;
    let folder = tempfile::tempdir().unwrap();
    let ledger = Ledger::open(folder.path().join("ledger.sqlite")).unwrap();
    let (scores, asking) = (town.scores(), town.asking());
    let id = scores.case(1).unwrap().unwrap().entity().to_owned();
    let asked = asking.one(&id, &town.request(&format!("worker of {id}"))).unwrap();
    assert_eq!(ledger.record_asked(&town.scorer, &asked), Err(LedgerError::NamesThePerson));
    let path = format!("{}/models/synthetic_council_scorecard.json", env!("CARGO_MANIFEST_DIR"));
    let other = Scorer::from_json(&std::fs::read_to_string(path).unwrap()).unwrap();
    let asked = asking.one(&id, &town.request("C. Worker")).unwrap();
    assert_eq!(ledger.record_asked(&other, &asked), Err(LedgerError::OtherRun));
    assert_eq!(ledger.head().unwrap().entries, 0);
}

#[test]
fn one_ledger_serves_many_threads() {
    let town = &*TOWN;
    let folder = tempfile::tempdir().unwrap();
    let asking = town.asking();
    let ids: Vec<String> = {
        let scores = town.scores();
        (1..=32).map(|rank| scores.case(rank).unwrap().unwrap().entity().to_owned()).collect()
    };
    for ledger in ledgers(folder.path()) {
        let ledger = Arc::new(ledger);
        std::thread::scope(|scope| {
            for worker in 0..16 {
                let (ledger, asking, ids) = (Arc::clone(&ledger), &asking, &ids);
                scope.spawn(move || {
                    for nth in 0..4 {
                        let id = &ids[(worker * 4 + nth) % ids.len()];
                        let asked = asking.one(id, &town.request(&format!("Worker {worker}"))).unwrap();
                        let entry = ledger.record_asked(&town.scorer, &asked).unwrap();
                        let held = ledger.entries(&Filter::all().from(entry).limit(1)).unwrap();
                        assert_eq!(held[0].content().unwrap().subject.as_deref(), Some(id.as_str()));
                        // Reading while reading.
                        ledger
                            .read(&Filter::all().subject(id.as_str()), &mut |entry| {
                                let of = Filter::all().from(entry.seq()).limit(1);
                                assert_eq!(ledger.entries(&of)?.len(), 1);
                                Ok(())
                            })
                            .unwrap();
                    }
                });
            }
        });
        let of_answers = Filter::of(&[EntryKind::CaseAsked]).facts_only();
        let answers = ledger.entries(&of_answers).unwrap();
        assert_eq!(answers.len(), 64);
        assert!(answers.iter().all(|entry| entry.content().is_none()));
        assert_eq!(ledger.verify(&[]).unwrap().finding, None);
    }
}

#[test]
fn a_recorded_list_is_seen_and_a_case_of_it_opened_after_a_restart() {
    let town = &*TOWN;
    let folder = tempfile::tempdir().unwrap();
    for name in ["ledger.sqlite", "ledger.jsonl"] {
        let path = folder.path().join(name);
        let (run, list) = town.recorded(&Ledger::open(&path).unwrap());
        let ledger = Ledger::open_existing(&path).unwrap();
        let recorded = ledger.list(&run[..6]).unwrap();
        let ids: Vec<&str> = recorded.places.iter().filter_map(|place| place.entity.as_deref()).collect();
        let listed: Vec<&str> = list.entries().iter().map(|entry| entry.case().entity()).collect();
        assert_eq!(ids, listed);
        assert_eq!(recorded.run.listed.len(), ids.len());
        let reviewer = Reviewer::new("C. Worker", "Practitioner");
        for (place, entry) in (1..).zip(list.entries()) {
            let open = ledger.open_case((&run, place), reviewer.clone(), None, town.today).unwrap();
            let (view, case) = (open.view(), entry.case());
            assert_eq!((view.entity(), view.rank()), (case.entity(), Some((case.rank(), case.of()))));
            assert_eq!(
                (view.band(), view.chance(), view.stability()),
                (case.band(), case.chance(), case.stability())
            );
            assert_eq!((view.cannot_see(), view.known_to()), (case.cannot_see(), case.known_to()));
            assert!(view.absent() == case.absent() && *view.counter_evidence() == *entry.counter_evidence());
            assert_eq!(view.average().to_bits(), case.average().to_bits());
            assert_eq!(view.reasons().len(), case.contributions().len());
            for (reason, part) in view.reasons().zip(case.contributions()) {
                assert_eq!((reason.words(), reason.log_odds()), (&*part.words, part.log_odds));
                assert!((reason.label(), reason.features()) == (&*part.label, part.features.as_slice()));
                assert_eq!(
                    (reason.detail(), reason.usual(), reason.scope()),
                    (&*part.detail, &*part.usual, part.scope)
                );
                assert!(reason.interval() == part.interval && reason.records() == part.records.as_slice());
                assert_eq!(reason.help_seeking(), part.help_seeking);
            }
            let decision = open.decide(Step::NoAction, Agreement::Agree, "known to the school", town.today);
            ledger.record_decision(&decision.unwrap()).unwrap();
        }
        assert!(matches!(
            ledger.open_case((&run, 11), reviewer.clone(), None, town.today),
            Err(LedgerError::NoPlace(11))
        ));
        let recorded = ledger.list(&run).unwrap();
        assert!(recorded.places.iter().all(|place| {
            place.decided == Some((Step::NoAction, town.today))
                && place.opened == [(reviewer.clone(), town.today)]
        }));
        // The same run put on record again keeps its places where they stand.
        town.recorded(&ledger);
        assert_eq!(ledger.list(&run).unwrap(), recorded);
        assert_eq!(ledger.verify(&[]).unwrap().finding, None);
    }
}

#[test]
fn a_project_serves_with_rows_from_anywhere() {
    let town = &*TOWN;
    // As another program has them: a struct a row.
    let rows = |table: &str| -> Vec<serde_json::Value> {
        let frame = town.frame(table);
        let texts: Vec<_> =
            frame.columns().iter().map(|column| column.cast(&DataType::String).unwrap()).collect();
        let row = |row: usize| {
            let cell = |column: &polars::prelude::Column| {
                (column.name().to_string(), serde_json::json!(column.str().unwrap().get(row)))
            };
            serde_json::Value::Object(texts.iter().map(cell).collect())
        };
        (0..frame.height()).map(row).collect()
    };
    let mut asked = Vec::new();
    let records = town
        .project
        .records_from(|table| {
            asked.push(table.to_owned());
            match table {
                "police" => Some(Extract::rows(rows("police"))),
                "households" => None,
                other => Some(Extract::frame(town.frame(other))),
            }
        })
        .unwrap();
    assert!(asked.contains(&"people".to_owned()) && !asked.contains(&"protected".to_owned()), "{asked:?}");
    let as_of = AsOf::new(town.today);
    let (ours, theirs) = (town.records.as_of(as_of), records.as_of(as_of));
    for source in ours.sources() {
        assert_eq!(ours.digest(source), theirs.digest(source), "{source}");
    }
    assert_eq!(records.intake(), town.records.intake());
}

#[test]
fn features_from_elsewhere_are_scored_with_the_same_guards() {
    let town = &*TOWN;
    let (scores, request) = (town.scores(), town.request("C. Worker"));
    let snapshot = town.records.as_of(AsOf::new(town.today));
    let cohort = town.scorer.candidate().cohort().choose(&snapshot).unwrap();
    let matrix = town.scorer.candidate().features().compute(&cohort).unwrap();
    let ids: Vec<&str> = cohort.ids().collect();
    let score = |ids: &[&str], request: &Request| {
        town.scorer.score_matrix(ids, &matrix, AsOf::new(town.today), "a warehouse", request)
    };
    let answers = score(&ids, &request).unwrap();
    let not_scored: BTreeMap<&str, _> =
        scores.not_scored().iter().map(|case| (case.entity(), case.reason())).collect();
    let mut compared = 0;
    for (id, answer) in ids.iter().zip(&answers) {
        assert_eq!(answer.entity(), *id);
        match answer.answer() {
            Answer::Scored(case) => {
                let ranked = scores.case(scores.rank_of(id).unwrap()).unwrap().unwrap();
                assert!(case.score() == ranked.score() && case.band() == ranked.band());
                assert!(case.contributions().iter().zip(ranked.contributions()).all(|(a, b)| {
                    a.log_odds.to_bits() == b.log_odds.to_bits()
                        && a.values == b.values
                        && a.records.is_empty()
                }));
                assert_eq!(case.provenance().table.as_ref().unwrap().dialect, "a warehouse");
                compared += 1;
            }
            Answer::NotScored(why) => assert_eq!(Some(&why), not_scored.get(id)),
            _ => panic!("it is said of nobody that they are in no cohort"),
        }
        if compared == 300 {
            break;
        }
    }
    assert_eq!(compared, 300);
    let other = Request::new("C. Worker", "Something else", town.today);
    assert_eq!(score(&ids, &other).unwrap_err().class(), Class::Refused);
    assert_eq!(score(&ids[1..], &request).unwrap_err().class(), Class::BadInput);
    let twice: Vec<&str> = ids.iter().map(|_| "p").collect();
    assert_eq!(score(&twice, &request).unwrap_err().class(), Class::BadInput);

    // On record as what they are, and made again from the records.
    let folder = tempfile::tempdir().unwrap();
    let ledger = Ledger::open(folder.path().join("ledger.sqlite")).unwrap();
    for answer in answers.iter().take(5) {
        ledger.record_asked(&town.scorer, answer).unwrap();
    }
    assert_eq!(ledger.verify(&[]).unwrap().finding, None);
    for records in [None, Some(&*town.records)] {
        let replay = ledger.replay(&ReplayOf::Everything, records).unwrap();
        assert!(replay.asked > 0 && replay.asked == replay.reproduced, "{replay}");
    }
}

#[test]
fn what_a_service_keeps_can_be_kept_and_handed_to_threads() {
    fn kept<T: Send + Sync + 'static>() {}
    fn handed<T: Send>() {}
    kept::<Ledger>();
    kept::<Records>();
    kept::<Scorer>();
    kept::<Scores<'static, 'static>>();
    kept::<Asking<'static, 'static>>();
    kept::<Asked>();
    kept::<ReviewList>();
    kept::<Project>();
    handed::<Extract>();
    handed::<RecordsBuilder<'_>>();
}
