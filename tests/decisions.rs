//! Decisions handed in as a file: put on record by the one road, all of them or none, and listed with their reasons.

use std::collections::BTreeMap;

use earlyhelp::calendar::{AsOf, Day};
use earlyhelp::error::ReviewError;
use earlyhelp::evaluate::Capacity;
use earlyhelp::ledger::{Filter, Ledger, LedgerError, RecordedDecision};
use earlyhelp::monitor::{Monitor, MonitorParams, Verdict};
use earlyhelp::report::{decisions_csv, list_html};
use earlyhelp::review::{
    Agreement, DecisionFile, ReasonCode, ReviewList, ReviewRules, Reviewer, Step, SubmittedDecision,
};
use earlyhelp::scoring::Request;
use earlyhelp::stats::newcombe_difference;
use tempfile::TempDir;

use crate::world::{PURPOSE, cohort, released};

const STORES: [&str; 2] = ["ledger.sqlite", "ledger.jsonl"];

/// A recorded list of eight places, on which the team works so.
fn recorded(store: &str, rules: ReviewRules) -> (TempDir, Ledger, ReviewList) {
    let folder = tempfile::tempdir().unwrap();
    let ledger = Ledger::open(folder.path().join(store)).unwrap();
    let list = listed(&ledger, "2024-04-01", rules);
    (folder, ledger, list)
}

fn listed(ledger: &Ledger, as_of: &str, rules: ReviewRules) -> ReviewList {
    listed_of(ledger, as_of, rules, 8)
}

fn listed_of(ledger: &Ledger, as_of: &str, rules: ReviewRules, places: u32) -> ReviewList {
    let council = released();
    let as_of: AsOf = as_of.parse().unwrap();
    let request = Request::new("B. Lead", PURPOSE, as_of.day() + 1);
    let start = ledger.start_run(&council.scorer, &request, as_of, None).unwrap();
    let scores = council.scorer.score(&cohort(&council.records, as_of), &request).unwrap();
    let list = ReviewList::draw(&scores, Capacity::Cases(places)).unwrap();
    let mut list = list.reviewed_by(rules).unwrap();
    ledger.finish_run(start, &scores, &mut list, &council.records).unwrap();
    list
}

fn reviewer() -> Reviewer {
    Reviewer::new("A. Worker", "early help worker")
}

/// A decision about a place of a list: days after it was asked for on which the case was opened and decided.
fn about(list: &ReviewList, place: u32, [opened, decided]: [i32; 2]) -> SubmittedDecision {
    let asked = list.provenance().requested_on;
    SubmittedDecision {
        place,
        case: list.entries()[place as usize - 1].case().entity().to_owned(),
        own_judgement: None,
        opened_on: asked + opened,
        decided_on: asked + decided,
        step: Step::SeekInformation,
        agreement: Agreement::CannotTell,
        reason_code: None,
        reason: format!("asked the school about {place}"),
        supersedes: None,
    }
}

fn file(list: &ReviewList, decisions: Vec<SubmittedDecision>) -> DecisionFile {
    DecisionFile::new(&list.provenance().run_id, reviewer(), decisions)
}

/// A file as another program would hand it in.
fn handed_in(ledger: &Ledger, file: &DecisionFile) -> Result<Vec<(u32, u64)>, LedgerError> {
    ledger.submit(&DecisionFile::from_json(&file.to_json().unwrap()).unwrap())
}

fn codes() -> ReviewRules {
    let code = |code: &str, words: &str| ReasonCode { code: code.into(), words: words.into() };
    ReviewRules {
        reason_codes: vec![code("known", "We support them already"), code("moved", "They have moved away")],
        ..ReviewRules::default()
    }
}

fn held(ledger: &Ledger) -> Vec<RecordedDecision> {
    ledger.decisions("2030-01-01".parse().unwrap()).unwrap()
}

#[test]
fn what_a_page_wrote_out_is_the_code_that_was_meant() {
    let unseen = |code: &str| ReasonCode { code: code.into(), words: "Something".into() };
    let rules =
        ReviewRules { reason_codes: vec![unseen("a\u{200d}b"), unseen("c")], ..ReviewRules::default() };
    let (_folder, ledger, list) = recorded("ledger.sqlite", rules);
    let mut decision = about(&list, 1, [1, 1]);
    decision.reason_code = Some("a\\u{200d}b".into());
    handed_in(&ledger, &file(&list, vec![decision])).unwrap();
    assert_eq!(held(&ledger)[0].reason_code.as_deref(), Some("a\u{200d}b"));
    assert!(ledger.verify(&[]).unwrap().finding.is_none());
}

#[test]
fn a_code_means_what_it_meant_on_its_own_list() {
    let folder = tempfile::tempdir().unwrap();
    let ledger = Ledger::open(folder.path().join("ledger.sqlite")).unwrap();
    let codes = |words: [&str; 2]| ReviewRules {
        reason_codes: ["a", "b"]
            .iter()
            .zip(words)
            .map(|(code, words)| ReasonCode { code: (*code).into(), words: words.into() })
            .collect(),
        ..ReviewRules::default()
    };
    let then = listed(&ledger, "2024-04-01", codes(["We support them already", "Other"]));
    let decided = |list: &ReviewList| {
        let decisions = (1..=8).map(|place| {
            let mut decision = about(list, place, [1, 1]);
            decision.reason_code = Some(if place < 5 { "a" } else { "b" }.into());
            decision
        });
        file(list, decisions.collect())
    };
    handed_in(&ledger, &decided(&then)).unwrap();
    listed(&ledger, "2024-05-01", codes(["The family has moved away", "Other"]));
    let account = ledger.account(None, 4, "2024-05-02".parse().unwrap()).unwrap();
    let told: Vec<(&str, u64)> =
        account.by_code.iter().map(|judged| (judged.reason.as_str(), judged.decided)).collect();
    assert_eq!(told, [("Other", 4), ("We support them already", 4)]);
    // Two codes, of which one has four decisions of eight: with a minimum of five neither is told, for each follows from the
    // other.
    assert!(ledger.account(None, 5, "2024-05-02".parse().unwrap()).unwrap().by_code.is_empty());
}

#[test]
fn a_file_is_put_on_record_whole_and_a_second_time_refused() {
    for store in STORES {
        let (_folder, ledger, list) = recorded(store, ReviewRules::default());
        let mut decisions = vec![about(&list, 3, [2, 4]), about(&list, 1, [1, 5]), about(&list, 8, [6, 6])];
        decisions[1].own_judgement = Some("settled at home".to_owned());
        (decisions[2].step, decisions[2].agreement) = (Step::NoAction, Agreement::Disagree);
        let file = file(&list, decisions.clone());
        let before = ledger.head().unwrap().entries;
        let entries = handed_in(&ledger, &file).unwrap();
        assert_eq!(entries.iter().map(|(place, _)| *place).collect::<Vec<_>>(), [3, 1, 8]);
        // An opening and a decision each.
        assert_eq!(ledger.head().unwrap().entries, before + 6);
        let by_entry: BTreeMap<u64, RecordedDecision> =
            held(&ledger).into_iter().map(|decision| (decision.entry, decision)).collect();
        assert_eq!(by_entry.len(), 3);
        for (said, (place, entry)) in decisions.iter().zip(&entries) {
            let held = &by_entry[entry];
            assert_eq!((held.place, held.case.as_ref()), (*place, Some(&said.case)));
            assert_eq!((held.opened_on, held.decided_on), (said.opened_on, said.decided_on));
            assert_eq!((held.step, held.agreement), (said.step, said.agreement));
            assert_eq!(held.reason.as_ref(), Some(&said.reason));
            assert_eq!(held.own_judgement, said.own_judgement);
            assert_eq!(held.judged_first, said.own_judgement.is_some());
            assert_eq!(held.reviewer, reviewer());
        }
        assert!(ledger.verify(&[]).unwrap().finding.is_none());

        let head = ledger.head().unwrap();
        let again = handed_in(&ledger, &file).unwrap_err().to_string();
        assert!(again.contains("place 3") && again.contains("--supersedes"), "{again}");
        assert_eq!(ledger.head().unwrap(), head, "a refused file leaves no trace");

        // One of them anew, in the place of the first.
        let mut anew = about(&list, 3, [2, 7]);
        anew.supersedes = Some(entries[0].1);
        let last = handed_in(&ledger, &self::file(&list, vec![anew])).unwrap()[0].1;
        let both = held(&ledger);
        let first = both.iter().find(|decision| decision.entry == entries[0].1).unwrap();
        assert_eq!(first.superseded_by, Some(last));
        assert!(ledger.verify(&[]).unwrap().finding.is_none());
    }
}

#[test]
fn whatever_is_wrong_with_one_keeps_all_out_and_names_nobody() {
    for store in STORES {
        let (_folder, ledger, list) = recorded(store, codes());
        let coded = |place: u32, days: [i32; 2]| {
            let mut decision = about(&list, place, days);
            decision.reason_code = Some("known".to_owned());
            decision
        };
        let mut wrong: Vec<(&str, SubmittedDecision)> = Vec::new();
        let mut case = |of: &'static str, change: &dyn Fn(&mut SubmittedDecision)| {
            let mut decision = coded(2, [1, 2]);
            change(&mut decision);
            wrong.push((of, decision));
        };
        let other = list.entries()[4].case().entity().to_owned();
        case("another case", &|decision| decision.case.clone_from(&other));
        case("no such place", &|decision| decision.place = 9);
        case("place 0", &|decision| decision.place = 0);
        case("a code of no list", &|decision| decision.reason_code = Some("other".to_owned()));
        case("no code", &|decision| decision.reason_code = None);
        case("no words", &|decision| decision.reason = " \u{200b}".to_owned());
        case("a book", &|decision| decision.reason = "x".repeat(70_000));
        case("a book before", &|decision| decision.own_judgement = Some("x".repeat(70_000)));
        case("before the list", &|decision| decision.opened_on = list.provenance().requested_on - 1);
        case("after its last day", &|decision| decision.decided_on = list.provenance().expires + 1);
        case("nothing to supersede", &|decision| decision.supersedes = Some(3));
        let head = ledger.head().unwrap();
        for (of, decision) in wrong {
            let file = file(&list, vec![coded(1, [1, 1]), decision, coded(3, [1, 1])]);
            let told = ledger.submit(&file).unwrap_err();
            assert!(matches!(told, LedgerError::Submitted { .. }), "{of}: {told}");
            let told = told.to_string();
            assert!(told.contains("nothing of the file was"), "{of}: {told}");
            for private in
                list.entries().iter().map(|entry| entry.case().entity()).chain(["asked the school", "xxx"])
            {
                assert!(!told.contains(private), "{of}: {told}");
            }
            assert_eq!(ledger.head().unwrap(), head, "{of}");
        }
        let nobody =
            DecisionFile::new(&list.provenance().run_id, Reviewer::new(" ", "lead"), vec![coded(1, [1, 1])]);
        assert!(ledger.submit(&nobody).is_err());
        let no_run = DecisionFile::new("2019-01-01-none", reviewer(), vec![coded(1, [1, 1])]);
        assert!(ledger.submit(&no_run).is_err());
        // By the beginning of the run's id, as everywhere.
        let run = &list.provenance().run_id;
        let short = DecisionFile::new(&run[..run.len() - 1], reviewer(), vec![coded(1, [1, 1])]);
        assert_eq!(ledger.submit(&short).unwrap().len(), 1);
        assert!(ledger.verify(&[]).unwrap().finding.is_none());
    }
}

#[test]
fn a_text_that_is_no_file_of_decisions_is_refused_without_showing_it() {
    let (_folder, _ledger, list) = recorded("ledger.jsonl", ReviewRules::default());
    let good = file(&list, vec![about(&list, 1, [1, 1])]).to_json().unwrap();
    let twice = file(&list, vec![about(&list, 1, [1, 1])]);
    let mut two = twice.clone();
    two.decisions.push(two.decisions[0].clone());
    assert!(two.to_json().unwrap_err().to_string().contains("two decisions about place 1"));
    let mut none = twice.clone();
    none.decisions.clear();
    assert!(none.to_json().is_err());
    let mut early = twice;
    early.decisions[0].decided_on = early.decisions[0].opened_on - 1;
    assert!(early.to_json().is_err());
    let wrong = [
        good.replace("format 1", "format 2"),
        good.replace("\"seek_information\"", "\"secret step\""),
        good.replace("\"cannot_tell\"", "null"),
        good.replace("\"reason\": \"asked the school about 1\"", "\"because\": \"secret\""),
        good.replace("\"place\": 1", "\"place\": \"secret\""),
        good.replace("\"place\": 1", "\"place\": -1"),
        good[..good.len() / 2].to_owned(),
        "[".repeat(100_000),
        String::new(),
    ];
    for text in wrong {
        assert_ne!(text, good);
        let told = DecisionFile::from_json(&text).err().unwrap();
        assert!(matches!(told, ReviewError::DecisionFile(_)), "{told}");
        assert!(!told.to_string().contains("secret") && told.to_string().len() < 300, "{told}");
    }
}

#[test]
fn own_judgement_comes_first_where_the_list_asks_for_it() {
    let rules = ReviewRules { own_judgement_first: true, ..ReviewRules::default() };
    for store in STORES {
        let (_folder, ledger, list) = recorded(store, rules.clone());
        let run = list.provenance().run_id.as_str();
        let on = list.provenance().requested_on;
        let first = |told: LedgerError| matches!(told, LedgerError::Review(ReviewError::JudgeFirst));
        assert!(ledger.open_case((run, 1), reviewer(), Some("\u{200b}"), on).is_err_and(first));
        ledger.open_case((run, 1), reviewer(), Some("settled"), on).unwrap();
        // Once it is there, the case can be opened again, and decided.
        let case = ledger.open_case((run, 1), reviewer(), None, on).unwrap();
        let decision = case.decide(Step::NoAction, Agreement::Agree, "settled", on).unwrap();
        ledger.record_decision(&decision).unwrap();
        let without = file(&list, vec![about(&list, 2, [1, 1])]);
        let told = ledger.submit(&without).unwrap_err();
        assert!(told.to_string().contains("own judgement"), "{told}");
        let mut with = without;
        with.decisions[0].own_judgement = Some("worried".to_owned());
        ledger.submit(&with).unwrap();
        assert!(held(&ledger).iter().all(|decision| decision.judged_first));
        assert!(ledger.verify(&[]).unwrap().finding.is_none());
    }
}

#[test]
fn what_is_handed_in_late_says_so_and_is_in_order() {
    for store in STORES {
        let (_folder, ledger, list) = recorded(store, ReviewRules::default());
        handed_in(&ledger, &file(&list, vec![about(&list, 1, [9, 9])])).unwrap();
        handed_in(&ledger, &file(&list, vec![about(&list, 2, [3, 8]), about(&list, 3, [1, 2])])).unwrap();
        let late: Vec<_> = ledger
            .entries(&Filter::all())
            .unwrap()
            .into_iter()
            .filter_map(|entry| entry.why_earlier().map(str::to_owned))
            .collect();
        // The first of the second file: those after it are in order.
        assert!(matches!(&late[..], [why] if why.contains("handed in later")), "{late:?}");
        assert!(ledger.verify(&[]).unwrap().finding.is_none());
        // One by one nothing has changed: a day before the last entry's needs a reason.
        let case = about(&list, 4, [1, 1]);
        let run = (list.provenance().run_id.as_str(), 4);
        assert!(matches!(
            ledger.open_case(run, reviewer(), None, case.opened_on),
            Err(LedgerError::Earlier { .. })
        ));
    }
}

#[test]
fn decisions_are_listed_as_a_table_and_counted_by_their_reasons() {
    let (_folder, ledger, list) = recorded("ledger.sqlite", codes());
    let decisions: Vec<SubmittedDecision> = (1..=8)
        .map(|place| {
            let mut decision = about(&list, place, [1, 2]);
            let moved = place % 2 == 0;
            decision.reason_code = Some(if moved { "moved" } else { "known" }.to_owned());
            decision.agreement = if moved { Agreement::Disagree } else { Agreement::Agree };
            decision.reason = format!("=HYPERLINK(\"x\"),\u{202e}\u{1b}[2J\n{place}");
            decision
        })
        .collect();
    handed_in(&ledger, &file(&list, decisions)).unwrap();
    let text = decisions_csv(&held(&ledger)).unwrap();
    let mut table = csv::Reader::from_reader(text.trim_start_matches('\u{feff}').as_bytes());
    let head = table.headers().unwrap().clone();
    let at = |name: &str| head.iter().position(|held| held == name).unwrap();
    let rows: Vec<csv::StringRecord> = table.records().map(Result::unwrap).collect();
    assert_eq!(rows.len(), 8);
    for (nth, row) in rows.iter().enumerate() {
        assert_eq!(row[at("place")], (nth + 1).to_string());
        assert!(row[at("reason")].starts_with("'=HYPERLINK"), "{}", &row[at("reason")]);
        assert!(!row[at("reason")].contains(['\u{202e}', '\u{1b}']));
        let words = if nth % 2 == 1 { "They have moved away" } else { "We support them already" };
        assert_eq!(&row[at("reason_code_words")], words);
    }

    let on: Day = "2024-05-01".parse().unwrap();
    let account = ledger.account(None, 4, on).unwrap();
    let counted: Vec<(&str, u64, u64)> = account
        .by_code
        .iter()
        .map(|judged| (judged.reason.as_str(), judged.decided, judged.disagreed))
        .collect();
    assert_eq!(counted, [("They have moved away", 4, 4), ("We support them already", 4, 0)]);
    // By what people were shown, against a direct count from the list.
    let mut shown: BTreeMap<&str, [u64; 2]> = BTreeMap::new();
    for (nth, entry) in list.entries().iter().enumerate() {
        let raising = entry.case().contributions().iter().filter(|part| part.log_odds > 0.0).take(3);
        let labels: std::collections::BTreeSet<&str> = raising.map(|part| part.label.as_str()).collect();
        for label in labels {
            let held = shown.entry(label).or_default();
            *held = [held[0] + 1, held[1] + u64::from(nth % 2 == 1)];
        }
    }
    // Neither those with the reason nor those without it may be few, in all or on either side.
    shown.retain(|_, [decided, against]| {
        let few = |n: u64| (1..4).contains(&n);
        let cells = |decided: u64, against: u64| few(decided) || few(against) || few(decided - against);
        !cells(*decided, *against) && !cells(8 - *decided, 4 - *against)
    });
    assert!(!shown.is_empty());
    assert_eq!(account.by_reason.len(), shown.len());
    for judged in &account.by_reason {
        assert_eq!([judged.decided, judged.disagreed], shown[judged.reason.as_str()], "{}", judged.reason);
        let others = (4 - judged.disagreed, 8 - judged.decided);
        assert_eq!(judged.difference, newcombe_difference((judged.disagreed, judged.decided), others));
        let clear = judged.difference.is_some_and(|difference| difference.interval.low > 0.0);
        assert_eq!(judged.stands_out(), clear, "{}", judged.reason);
    }
    assert!(account.to_string().contains("They have moved away: overrode"));
}

/// The reasons that a row leads with.
fn shown_first(list: &ReviewList, place: usize) -> std::collections::BTreeSet<String> {
    let case = list.entries()[place].case();
    let raising = case.contributions().iter().filter(|part| part.log_odds > 0.0).take(3);
    raising.map(|part| part.label.clone()).collect()
}

#[test]
fn a_reason_that_people_disagree_with_is_found_by_monitoring_and_no_other() {
    let (folder, council) = (tempfile::tempdir().unwrap(), released());
    let watched = |ledger: &Ledger| {
        let on: AsOf = "2024-05-01".parse().unwrap();
        let digest = council.scorer.digest();
        let account = ledger.account_of_model(digest, None, 10, on.day()).unwrap();
        let report = Monitor::new(&council.scorer).run(&council.records, on, &MonitorParams::default());
        report.unwrap().with_decisions(&account)
    };
    let judged_by = |name: &str, disagrees: &dyn Fn(&ReviewList, usize) -> bool| {
        let ledger = Ledger::open(folder.path().join(name)).unwrap();
        let list = listed_of(&ledger, "2024-04-01", ReviewRules::default(), 80);
        let decisions = (0..80).map(|nth| {
            let mut decision = about(&list, nth as u32 + 1, [1, 2]);
            let against = disagrees(&list, nth);
            decision.agreement = if against { Agreement::Disagree } else { Agreement::Agree };
            decision
        });
        handed_in(&ledger, &file(&list, decisions.collect())).unwrap();
        (watched(&ledger), list)
    };
    // Every fourth is disagreed with, whatever its reasons.
    let (even, list) = judged_by("even.sqlite", &|_, nth| nth % 4 == 0);
    let seen = even.decisions.as_ref().unwrap();
    assert_eq!((seen.lists, seen.alerts.decided, seen.alerts.disagreed), (1, 80, 20));
    assert!(!seen.reasons.is_empty());
    assert!(!even.beyond().iter().any(|about| about.starts_with("disagreement")), "{:?}", even.beyond());

    // A reason that leads about half of the list, by a direct count, and that is wrong.
    let mut leads: BTreeMap<String, usize> = BTreeMap::new();
    for label in (0..80).flat_map(|nth| shown_first(&list, nth)) {
        *leads.entry(label).or_default() += 1;
    }
    let wrong = leads.iter().min_by_key(|(_, count)| count.abs_diff(40)).unwrap().0;
    let (report, _) = judged_by("wrong.jsonl", &|list, nth| shown_first(list, nth).contains(wrong));
    let seen = report.decisions.as_ref().unwrap();
    let first = &seen.reasons[0];
    assert_eq!((&first.judged.reason, first.judged.decided), (wrong, leads[wrong] as u64));
    assert_eq!((first.judged.disagreed, first.verdict), (first.judged.decided, Verdict::Beyond));
    let about = format!("disagreement with reason \"{wrong}\"");
    assert!(report.beyond().contains(&about), "{:?}", report.beyond());
    assert_eq!(report.verdict, Verdict::Beyond);
    let text = report.to_string();
    assert!(text.contains(&about) && text.contains("disagreed in 100.0%"), "{text}");

    // Of another model nothing is counted.
    let ledger = Ledger::open_to_read(folder.path().join("wrong.jsonl")).unwrap();
    let of_another = ledger.account_of_model("0123", None, 10, "2024-05-01".parse().unwrap()).unwrap();
    assert_eq!((of_another.runs.len(), of_another.alerts.listed, of_another.models.len()), (0, 0, 0));
}

#[test]
fn the_page_asks_only_where_an_answer_can_be_put_on_record() {
    let (_folder, _ledger, list) = recorded("ledger.jsonl", codes());
    let page = list_html(&list, "A list").unwrap();
    assert_eq!(page.matches("<form class=\"decision\"").count(), 8);
    // What is asked stands once; the page's script copies it into each case.
    assert_eq!(page.matches("<template id=\"decision\">").count(), 1);
    assert_eq!(page.matches(">They have moved away</option>").count(), 1);
    assert!(!page.contains(" checked"), "no answer by default");
    assert!(!page.contains("<details class=\"cover\""));
    assert!(page.contains(&format!("data-run=\"{}\"", list.provenance().run_id)));

    let council = released();
    let as_of: AsOf = "2024-04-01".parse().unwrap();
    let request = Request::new("B. Lead", PURPOSE, as_of.day() + 1);
    let scores = council.scorer.score(&cohort(&council.records, as_of), &request).unwrap();
    let unrecorded = ReviewList::draw(&scores, Capacity::Cases(8)).unwrap();
    let page = list_html(&unrecorded, "A list").unwrap();
    assert!(!page.contains("<form class=\"decision\"") && !page.contains("<template id=\"decision\">"));

    let rules = ReviewRules { own_judgement_first: true, ..ReviewRules::default() };
    let covered = list_html(&unrecorded.reviewed_by(rules).unwrap(), "A list").unwrap();
    assert_eq!(covered.matches("<details class=\"cover\"").count(), 8);
    let table = covered.split("<table class=\"short\"").nth(1).unwrap().split("</table>").next().unwrap();
    assert!(!table.contains("of scores") && !table.contains("Raises"), "{table}");
}

#[test]
fn a_workbook_of_decisions_holds_what_the_table_does() {
    use calamine::{Data, Reader as _, Xlsx};
    let (_folder, ledger, list) = recorded("ledger.sqlite", codes());
    let mut decision = about(&list, 2, [1, 2]);
    decision.reason_code = Some("moved".to_owned());
    decision.reason = "=1+1".to_owned();
    handed_in(&ledger, &file(&list, vec![decision])).unwrap();
    let bytes = earlyhelp::report::decisions_xlsx(&held(&ledger)).unwrap();
    let mut book: Xlsx<_> = Xlsx::new(std::io::Cursor::new(bytes)).unwrap();
    let sheet = book.worksheet_range("Decisions").unwrap();
    let rows: Vec<Vec<Data>> = sheet.rows().map(<[Data]>::to_vec).collect();
    assert_eq!(rows.len(), 2);
    let at = |name: &str| rows[0].iter().position(|head| *head == Data::String(name.to_owned())).unwrap();
    assert_eq!(rows[1][at("Place")], Data::Float(2.0));
    assert_eq!(rows[1][at("Reason code words")], Data::String("They have moved away".to_owned()));
    // Text, and no formula.
    assert!(book.worksheet_formula("Decisions").unwrap().is_empty());
    assert!(matches!(&rows[1][at("Reason")], Data::String(text) if text.contains("=1+1")));
}

#[test]
fn what_stays_for_ever_is_short_and_names_nobody() {
    for store in STORES {
        let (_folder, ledger, list) = recorded(store, ReviewRules::default());
        let run = list.provenance().run_id.as_str();
        let on = list.provenance().requested_on + 1;
        let entity = list.entries()[0].case().entity();
        let head = ledger.head().unwrap();
        let long = Reviewer::new("N".repeat(201), "worker");
        let naming = Reviewer::new("A. Worker", format!("worker of {entity}"));
        for reviewer in [long, naming] {
            let told = ledger.open_case((run, 1), reviewer.clone(), None, on).err().unwrap().to_string();
            let file = DecisionFile::new(run, reviewer, vec![about(&list, 1, [1, 1])]);
            let also = ledger.submit(&file).unwrap_err().to_string();
            for told in [told, also] {
                assert!(!told.contains(entity) && !told.contains("NNN"), "{told}");
            }
        }
        assert_eq!(ledger.head().unwrap(), head);
        // A decision takes the place of one that was there by then.
        let first = handed_in(&ledger, &file(&list, vec![about(&list, 2, [5, 9])])).unwrap()[0].1;
        let mut earlier = about(&list, 2, [1, 3]);
        earlier.supersedes = Some(first);
        let told = handed_in(&ledger, &file(&list, vec![earlier.clone()])).unwrap_err().to_string();
        assert!(told.contains("whose place it takes"), "{told}");
        (earlier.opened_on, earlier.decided_on) = (earlier.opened_on + 6, earlier.decided_on + 6);
        handed_in(&ledger, &file(&list, vec![earlier])).unwrap();
        assert!(ledger.verify(&[]).unwrap().finding.is_none());
    }
}
