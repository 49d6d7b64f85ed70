//! What the ledger is for: past scores come out the same, the service can account for its lists, and a
//! person can be shown everything, corrected and taken out.

use std::path::Path;
use std::process::Command;
use std::sync::LazyLock;

use earlyhelp::calendar::{AsOf, Day};
use earlyhelp::evaluate::Capacity;
use earlyhelp::ledger::{
    Correction, EntryKind, Erasure, Filter, Ledger, LedgerError, NotReplayed, Replay, ReplayOf, RunFinished,
};
use earlyhelp::project::Project;
use earlyhelp::records::Records;
use earlyhelp::report::subject_html;
use earlyhelp::review::{Agreement, ListParams, RandomSample, ReviewList, Reviewer, Step};
use earlyhelp::scoring::{Request, Scorer};
use earlyhelp::synthetic::{CouncilParams, Format};

/// A council whose cohort has more than 10,000 children, and a shipped model that fits it.
struct Town {
    folder: tempfile::TempDir,
    project: Project,
    records: Records,
    scorer: Scorer,
    today: Day,
}

static TOWN: LazyLock<Town> = LazyLock::new(|| {
    let folder = tempfile::tempdir().unwrap();
    let council = CouncilParams::new(12_500, 5).generate().unwrap();
    let project = Project::load(council.write(folder.path(), Format::Parquet).unwrap()).unwrap();
    let records = project.records().unwrap();
    let path = format!("{}/models/synthetic_council_additive.json", env!("CARGO_MANIFEST_DIR"));
    let scorer = Scorer::from_json(&std::fs::read_to_string(path).unwrap()).unwrap();
    Town { folder, project, records, scorer, today: council.extract_date() }
});

impl Town {
    /// Scores the cohort of a date, as asked for today, and puts it on record; ten cases by rank, three at random.
    fn record(&self, ledger: &Ledger, as_of: Day) -> (String, ReviewList) {
        let cohort = self.project.cohort(&self.records, AsOf::new(as_of)).unwrap();
        let request = Request::new("B. Lead", &self.scorer.sign_off().purpose, self.today);
        let start = ledger.start_run(&self.scorer, &request, AsOf::new(as_of), Some("project")).unwrap();
        let scores = self.scorer.score(&cohort, &request).unwrap();
        let mut list = ReviewList::draw(
            &scores,
            ListParams::new(Capacity::Cases(10)).comparison(RandomSample { cases: 3, seed: 1 }),
        )
        .unwrap();
        (ledger.finish_run(start, &scores, &mut list, &self.records).unwrap(), list)
    }
}

/// Both stores.
fn ledgers(folder: &Path) -> [Ledger; 2] {
    ["ledger.sqlite", "ledger.jsonl"].map(|name| Ledger::open(folder.join(name)).unwrap())
}

fn erasure(entity: &str, reason: &str) -> Erasure {
    Erasure {
        entity: entity.to_owned(),
        by: "D. Officer".to_owned(),
        reason: reason.to_owned(),
        ..Erasure::default()
    }
}

fn run_of(ledger: &Ledger, run: &str) -> RunFinished {
    ledger.runs().unwrap().into_iter().find(|held| held.audit.run_id == run).unwrap()
}

#[test]
fn ten_thousand_past_cases_come_out_the_same_in_another_process() {
    let town = &*TOWN;
    let folder = tempfile::tempdir().unwrap();
    for ledger in ledgers(folder.path()) {
        let (run, _) = town.record(&ledger, town.today);
        let replay = |threads: &str, more: &[&str]| -> Replay {
            let output = Command::new(env!("CARGO_BIN_EXE_earlyhelp"))
                .arg("replay")
                .arg(ledger.path())
                .args(["--json"])
                .args(more)
                .env("RAYON_NUM_THREADS", threads)
                .output()
                .unwrap();
            assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
            serde_json::from_slice(&output.stdout).unwrap()
        };
        let scored = run_of(&ledger, &run).scored;
        assert!(scored >= 10_000, "{scored}");
        for threads in ["1", "3"] {
            let found = replay(threads, &[]);
            assert_eq!((found.asked, found.reproduced), (scored, scored));
        }
        // From the extracts, too: cohort, features, scores and ranks.
        let project = town.folder.path().join("project.toml");
        let found = replay("3", &["--project", project.to_str().unwrap()]);
        assert_eq!((found.asked, found.reproduced, found.from_extracts), (scored, scored, true));
        let sample = replay("2", &["--sample", "500", "--seed", "7"]);
        assert_eq!((sample.asked, sample.reproduced), (500, 500));
    }
}

#[test]
fn what_cannot_be_made_again_is_said_with_the_reason() {
    let town = &*TOWN;
    let folder = tempfile::tempdir().unwrap();
    let ledger = Ledger::open(folder.path().join("ledger")).unwrap();
    let (run, list) = town.record(&ledger, town.today);
    let scored = run_of(&ledger, &run).scored;

    // Extracts of another council are not those that were read.
    let other = CouncilParams::new(2_000, 8).generate().unwrap();
    let elsewhere = tempfile::tempdir().unwrap();
    let other = Project::load(other.write(elsewhere.path(), Format::Csv).unwrap()).unwrap();
    let other = other.records().unwrap();
    let found = ledger.replay(&ReplayOf::Run(run.clone()), Some(&other)).unwrap();
    assert_eq!(found.not_replayed[&NotReplayed::ExtractChanged], scored);
    assert!(found.changed_sources[&run].contains(&"people".to_owned()));
    assert!(!found.is_faithful());

    let entity = list.entries()[0].case().entity().to_owned();
    ledger.purge(&erasure(&entity, "erasure, Article 17"), town.today).unwrap();
    let found = ledger.replay(&ReplayOf::Everything, None).unwrap();
    assert_eq!(found.not_replayed[&NotReplayed::Purged], 1);
    assert_eq!((found.asked, found.reproduced), (scored, scored - 1));
    assert!(ledger.verify(&[]).unwrap().finding.is_none());
    assert!(matches!(ledger.replay(&ReplayOf::Run("nothing".into()), None), Err(LedgerError::NoRun(_))));
}

#[test]
fn known_kinds_have_their_own_way_in_and_odd_requests_are_refused() {
    let town = &*TOWN;
    let folder = tempfile::tempdir().unwrap();
    for ledger in ledgers(folder.path()) {
        for kind in EntryKind::ALL {
            let made_up = earlyhelp::ledger::Draft::new(kind.name(), town.today);
            assert!(matches!(ledger.append(vec![made_up]), Err(LedgerError::Draft(_))), "{kind:?}");
        }
        let (run, _) = town.record(&ledger, town.today);
        // Another list of the same scores.
        let cohort = town.project.cohort(&town.records, AsOf::new(town.today)).unwrap();
        let request = Request::new("B. Lead", &town.scorer.sign_off().purpose, town.today);
        let start = ledger.start_run(&town.scorer, &request, AsOf::new(town.today), None).unwrap();
        let scores = town.scorer.score(&cohort, &request).unwrap();
        let mut longer = ReviewList::draw(&scores, Capacity::Cases(30)).unwrap();
        let other = ledger.finish_run(start, &scores, &mut longer, &town.records).unwrap();
        assert_ne!(other, run, "another list is another run");
        // A purge between start and end.
        let tomorrow = Request::new("B. Lead", &town.scorer.sign_off().purpose, town.today + 1);
        let start = ledger.start_run(&town.scorer, &tomorrow, AsOf::new(town.today), None).unwrap();
        let scores = town.scorer.score(&cohort, &tomorrow).unwrap();
        let mut list = ReviewList::draw(&scores, Capacity::Cases(10)).unwrap();
        let gone = list.entries()[3].case().entity().to_owned();
        ledger.purge(&erasure(&gone, "erasure"), town.today + 1).unwrap();
        let refused = ledger.finish_run(start, &scores, &mut list, &town.records);
        assert!(matches!(refused, Err(LedgerError::PurgedMeanwhile)));
        assert!(matches!(ledger.subject_pack(&gone, town.today), Err(LedgerError::NobodyOfThatId)));

        let worker = || Reviewer::new("C. Worker", "family worker");
        let early = ledger.open_case((&run, 1), worker(), None, town.today + -1);
        assert!(matches!(early, Err(LedgerError::TooEarly(_))));
        for beginning in ["", &run[..3]] {
            let vague = ledger.open_case((beginning, 1), worker(), None, town.today + 1);
            assert!(matches!(vague, Err(LedgerError::Ambiguous { .. })), "{beginning}");
        }
        assert!(matches!(
            ledger.retire("", "A. Manager", "why", town.today),
            Err(LedgerError::Ambiguous { .. })
        ));
        // Judged first only where the score was not seen before.
        ledger.open_case((&run, 1), worker(), None, town.today + 1).unwrap();
        ledger.open_case((&run, 1), worker(), Some("Now I know"), town.today + 1).unwrap();
        ledger.open_case((&run, 2), worker(), Some(" "), town.today + 1).unwrap();
        ledger.open_case((&run, 3), worker(), Some("I know them"), town.today + 1).unwrap();
        let opened = ledger.entries(&Filter::of(&[EntryKind::CaseOpened])).unwrap();
        let first: Vec<bool> =
            opened.iter().map(|entry| entry.facts()["judged_first"].as_bool().unwrap()).collect();
        assert_eq!(first, [false, false, false, true]);
        let checkpoint = ledger.checkpoint(town.today).unwrap();
        assert!(checkpoint.save(ledger.path()).is_err(), "never over a file");
    }
    for nowhere in ["", ":memory:"] {
        assert!(matches!(Ledger::open(nowhere), Err(LedgerError::NotALedger { .. })));
    }
}

#[test]
fn the_service_can_account_for_its_lists() {
    let town = &*TOWN;
    let folder = tempfile::tempdir().unwrap();
    for ledger in ledgers(folder.path()) {
        let (run, mut list) = town.record(&ledger, town.today);
        let earlier = town.today.plus_months(-1);
        let (unseen, _) = town.record(&ledger, earlier);
        assert_ne!(run, unseen);
        // Asked for again: the same run, not another one.
        assert_eq!(town.record(&ledger, town.today).0, run);
        // And one that was started and failed.
        let request = Request::new("B. Lead", "something", town.today);
        let _ = ledger.start_run(&town.scorer, &request, AsOf::new(town.today), None).unwrap();

        let lead = || Reviewer::new("C. Worker", "family worker");
        // One decision through the list in memory, one through the ledger alone.
        let decision = list
            .open(1, lead(), town.today + 2)
            .unwrap()
            .decide(Step::OfferSupport, Agreement::Agree, "They asked for it in March", town.today + 2)
            .unwrap();
        ledger.record_decision(&decision).unwrap();
        let on = town.today + 5;
        assert!(matches!(ledger.opened_case((&run, 2), lead(), on), Err(LedgerError::NotOpened)));
        let case = ledger.open_case((&run, 2), lead(), Some("They do well"), on).unwrap();
        assert_eq!(case.entity(), list.entries()[1].case().entity());
        let shown: serde_json::Value = serde_json::from_str(&case.to_json().unwrap()).unwrap();
        assert_eq!(shown["rank"], 2);
        assert!(case.in_words().starts_with(&format!("{}: rank 2 of ", case.entity())));
        // As the list has it, apart from the run's audit record.
        let mut listed = serde_json::to_value(list.entries()[1].case()).unwrap();
        listed.as_object_mut().unwrap().remove("audit");
        listed["counter"] = serde_json::to_value(list.entries()[1].counter_evidence()).unwrap();
        assert_eq!(shown, listed);
        let case = ledger.opened_case((&run[..8], 2), lead(), on).unwrap();
        let decision =
            case.decide(Step::NoAction, Agreement::Disagree, "Known to us, doing well", on).unwrap();
        ledger.record_decision(&decision).unwrap();
        let late = run_of(&ledger, &run).audit.expires + 1;
        assert!(matches!(ledger.open_case((&run, 3), lead(), None, late), Err(LedgerError::Expired(_))));
        assert!(matches!(ledger.open_case((&run, 14), lead(), None, on), Err(LedgerError::NoPlace(14))));

        let protected = town.project.protected().unwrap();
        let account = ledger.account(Some(&protected), 5, town.today + 30).unwrap();
        assert_eq!((account.runs.len(), account.unfinished_runs, account.lists_never_opened), (2, 1, 1));
        assert_eq!((account.alerts.listed, account.at_random.listed), (20, 6));
        assert_eq!((account.alerts.opened, account.alerts.decided), (2, 2));
        assert!((account.alerts.agreement.unwrap().value - 0.5).abs() < 1e-12);
        assert_eq!(account.alerts.override_rate.unwrap().n, 2);
        let days = account.alerts.days_to_decide.unwrap();
        assert_eq!((days.median, days.longest, days.n), (2, 5, 2));
        assert_eq!(account.models.len(), 1);
        let sex = account.by_group.iter().find(|held| held.characteristic == "sex").unwrap();
        let shown: u64 = sex.groups.iter().filter_map(|group| group.listed).sum();
        assert!(shown <= 20);
        // Two decisions are too few to be told by group.
        assert!(sex.groups.iter().all(|group| group.decided.is_none() && group.agreement.is_none()));
        // Nothing that happened later counts.
        assert_eq!(ledger.account(None, 10, town.today + 1).unwrap().alerts.decided, 0);

        ledger
            .retire(town.scorer.digest(), "A. Manager", "a new model is released", town.today + 40)
            .unwrap();
        let later = Request::new("B. Lead", "something", town.today + 40);
        let refused = ledger.start_run(&town.scorer, &later, AsOf::new(town.today), None);
        assert!(matches!(refused, Err(LedgerError::Retired(_))));
        assert!(ledger.verify(&[]).unwrap().finding.is_none());
    }
}

#[test]
fn a_person_is_shown_everything_and_leaves_no_trace_when_taken_out() {
    let town = &*TOWN;
    let folder = tempfile::tempdir().unwrap();
    for ledger in ledgers(folder.path()) {
        let (run, list) = town.record(&ledger, town.today);
        let entity = list.entries()[0].case().entity().to_owned();
        let worker = Reviewer::new("C. Worker", "family worker");
        let case = ledger.open_case((&run, 1), worker, Some("A quiet worry of mine"), town.today).unwrap();
        let decision = case
            .decide(Step::SeekInformation, Agreement::CannotTell, "Unusual words here", town.today)
            .unwrap();
        ledger.record_decision(&decision).unwrap();

        let pack = ledger.subject_pack(&entity, town.today).unwrap();
        assert_eq!((pack.scores.len(), pack.entries.len()), (1, 3));
        let score = &pack.scores[0];
        assert_eq!((score.rank.map(|(rank, _)| rank), score.place), (Some(1), Some(1)));
        // Computed again from what is kept: the same as the list showed, but for the records and the rest of the cohort, which
        // are not kept.
        let mut shown = list.entries()[0].case().contributions().to_vec();
        for part in &mut shown {
            part.records.clear();
            part.detail.clear();
            part.usual.clear();
        }
        assert!(score.reasons == shown);
        let page = subject_html(&pack).unwrap();
        for words in ["A quiet worry of mine", "Unusual words here", &entity, "place 1 on a list"] {
            assert!(page.contains(words), "{words}");
        }
        // Somebody who was on no list is shown their score as well.
        let unlisted = town.project.cohort(&town.records, AsOf::new(town.today)).unwrap();
        let unlisted = unlisted.ids().find(|id| {
            let mut shown =
                list.entries().iter().flat_map(|entry| std::iter::once(entry.case()).chain(entry.beside()));
            shown.all(|case| case.entity() != *id)
        });
        let pack = ledger.subject_pack(unlisted.unwrap(), town.today).unwrap();
        assert!(pack.scores.len() == 1 && pack.scores[0].place.is_none());

        let checkpoint = ledger.checkpoint(town.today).unwrap();
        let refused = ledger.purge(&erasure(&entity, &format!("because of {entity}")), town.today);
        assert!(matches!(refused, Err(LedgerError::NamesThePerson)));
        let purged = ledger.purge(&erasure(&entity, "erasure, Article 17"), town.today).unwrap();
        // Score, opening, decision, and the run's digests over ids: else a guess could be held against them.
        assert_eq!(purged.entries.len(), 4);
        assert!(purged.wiped);
        assert!(run_of(&ledger, &run).audit.cohort.is_empty());
        assert!(matches!(ledger.subject_pack(&entity, town.today), Err(LedgerError::NobodyOfThatId)));
        assert!(ledger.verify(std::slice::from_ref(&checkpoint)).unwrap().finding.is_none());
        // Raw bytes of every file beside the ledger.
        let name = ledger.path().file_name().unwrap().to_str().unwrap().to_owned();
        for file in std::fs::read_dir(folder.path()).unwrap() {
            let path = file.unwrap().path();
            if !path.file_name().unwrap().to_str().unwrap().starts_with(&name) {
                continue;
            }
            let bytes = std::fs::read(&path).unwrap();
            for trace in [entity.as_str(), "A quiet worry", "Unusual words"] {
                let found = bytes.windows(trace.len()).any(|window| window == trace.as_bytes());
                assert!(!found, "\"{trace}\" in {}", path.display());
            }
        }
        // What is counted stays counted.
        let account = ledger.account(None, 10, town.today).unwrap();
        assert_eq!((account.alerts.listed, account.alerts.decided, account.purges), (10, 1, 1));
    }
}

#[test]
fn a_wrong_record_leads_to_the_cases_that_rest_on_it() {
    let town = &*TOWN;
    let folder = tempfile::tempdir().unwrap();
    let ledger = Ledger::open(folder.path().join("ledger.sqlite")).unwrap();
    let (run, list) = town.record(&ledger, town.today);
    // A record behind the first case's reasons.
    let case = list.entries()[0].case();
    let (feature, record) = case
        .contributions()
        .iter()
        .find_map(|part| Some((part.features[0].clone(), part.records.first()?.clone())))
        .unwrap();
    let correction = Correction {
        entity: case.entity().to_owned(),
        records: vec![(record.source.clone(), record.reference.clone().unwrap())],
        what: "it was about somebody else".into(),
        by: "D. Officer".into(),
    };
    // Nothing is put right in these extracts: scored again, it comes out as it was.
    let affected = ledger.correct(&correction, Some(&town.records), town.today).unwrap();
    let own = affected.iter().find(|held| held.entity == case.entity()).unwrap();
    assert!(own.through.contains(&feature), "{:?}", own.through);
    assert!(own.is_open && own.place == Some(1) && own.run == run);
    assert!(!own.after.unwrap().differs_from(&own.before));
    assert_eq!(own.after, Some(own.before));
    assert!(affected.iter().all(|held| held.place.is_some()), "others only where it is known");

    // A record that no case rests on.
    let unknown = Correction { records: vec![(record.source, "no such record".into())], ..correction };
    assert!(ledger.affected_by(&unknown, None, town.today).unwrap().is_empty());
    // Any of their records: every past case of theirs, and after the list has expired it is not open.
    let any = Correction { records: Vec::new(), ..unknown };
    let affected = ledger.affected_by(&any, None, run_of(&ledger, &run).audit.expires + 1).unwrap();
    assert!(affected.len() == 1 && !affected[0].is_open);
    let corrections = ledger.entries(&Filter::of(&[EntryKind::Correction])).unwrap();
    assert_eq!(corrections.len(), 1);
}
