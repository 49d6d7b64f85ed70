//! What auditors ask of a table beyond scores and outcomes, and who is beside the audit.

use super::*;
use crate::calendar::Horizon;
use crate::fairness::audit::{
    AttributeAudit, AttributeFinding, Audit, AuditError, AuditParams, AuditedOutcome, DisparityVerdict,
    GroupMeasure, OperatingPoint,
};
use crate::records::{DateForm, DayZero, Encoding, ReadOptions};

/// A small group's figure of a characteristic: everything is shown.
fn shown_params(operating: OperatingPoint) -> AuditParams {
    AuditParams { minimum: AuditParams::NOTHING_HELD_BACK, ..AuditParams::at(operating) }
}

/// Rows, selected or left out, and the verdict against everybody, of a group beside the audit.
fn beside(attributes: &[AttributeAudit], name: &str) -> (u64, Option<u64>, DisparityVerdict) {
    let AttributeFinding::Measured { groups, .. } = &attributes[0].finding else { panic!("measured") };
    let group = groups.iter().find(|group| group.name() == name).unwrap();
    let AuditedOutcome::Shown { measures, disparities } = &group.outcome else { panic!("shown") };
    let found = disparities.iter().rfind(|found| found.measure == GroupMeasure::SelectionRate);
    (measures.n, measures.selected, found.unwrap().verdict)
}

#[test]
fn a_text_in_windows_1252_is_read_where_it_is_declared() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("scores.csv");
    std::fs::write(&path, b"risk,excluded,sex\n0.1,1,Caf\xe9\n0.2,0,x\n").unwrap();
    let options = ReadOptions { encoding: Some(Encoding::Windows1252), ..ReadOptions::default() };
    let (table, intake) = ScoreTable::read(Extract::path(&path).options(options), &columns()).unwrap();
    assert_eq!((intake.rejected.len(), content(&table).2[0].as_str()), (0, "caf\u{e9}"));
}

#[test]
fn per_cent_signs_are_read_and_a_column_that_has_some_is_refused() {
    let (table, _) = from_csv(b"risk,excluded,sex\n12%,1,F\n 7.5 %,0,M\n", &columns()).unwrap();
    assert_eq!(table.scores, [0.12, 0.075]);
    let mixed = from_csv(b"risk,excluded,sex\n12%,1,F\n0.075,0,M\n", &columns()).unwrap_err();
    assert_eq!(mixed, ScoresError::MixedPercent { column: "risk".into() });
    // A comma is no decimal point here, and is not dropped either.
    let (_, intake) = from_csv(b"risk;excluded;sex\n0,25;1;F\n0.5;0;M\n", &columns()).unwrap();
    assert_eq!(intake.rejected[0].reason, RejectReason::NumberUnreadable);
}

#[test]
fn bands_have_the_order_that_is_given() {
    let bands = ScoreColumns {
        score_order: ["Low", "Medium", "High"].map(str::to_owned).to_vec(),
        ..ScoreColumns::new("band", "y")
    };
    let text = b"band,y\nHIGH,1\nlow,0\n Medium ,1\nsevere,1\n,0\n";
    let (table, intake) = from_csv(text, &bands).unwrap();
    assert_eq!(table.scores, [2.0, 0.0, 1.0]);
    let twice =
        ScoreColumns { score_order: vec!["Low".into(), "High".into(), " low".into()], ..bands.clone() };
    assert!(matches!(from_csv(text, &twice), Err(ScoresError::Columns { .. })));
    let reasons: Vec<_> = intake.rejected.iter().map(|held| (held.row, held.reason)).collect();
    assert_eq!(reasons, [(5, RejectReason::BandUnknown), (6, RejectReason::ValueMissing)]);
}

#[test]
fn an_outcome_has_named_values_and_a_third_state() {
    let named = ScoreColumns {
        outcome_true: vec!["Errors".into(), "Fraud".into()],
        outcome_unresolved: vec!["Control Investigation".into()],
        ..ScoreColumns::new("risk", "result")
    };
    let text = b"risk,result\n0.1,errors\n0.2,No errors\n0.3,Control  investigation\n0.4,fraud\n0.5,\n";
    let (table, intake) = from_csv(text, &named).unwrap();
    assert_eq!(
        (table.scores.as_slice(), table.outcomes.as_slice()),
        ([0.1, 0.2, 0.4].as_slice(), [true, false, true].as_slice())
    );
    assert_eq!((intake.read, intake.audited, intake.unresolved, intake.rejected.len()), (5, 3, 1, 1));
    // A value that no row has is a slip of the pen, and would make every outcome a no.
    let slip = ScoreColumns { outcome_true: vec!["Error".into()], ..ScoreColumns::new("risk", "result") };
    assert_eq!(
        from_csv(text, &slip).unwrap_err(),
        ScoresError::NoSuchValue { column: "result".into(), value: "Error".into() }
    );
    // With a third state alone the rest says yes or no.
    let open = ScoreColumns { outcome_unresolved: vec!["open".into()], ..ScoreColumns::new("risk", "y") };
    let (table, intake) = from_csv(b"risk,y\n0.1,yes\n0.2,Open\n0.3,no\n0.4,maybe\n", &open).unwrap();
    assert_eq!(
        (table.outcomes.as_slice(), intake.unresolved, intake.rejected.len()),
        ([true, false].as_slice(), 1, 1)
    );
}

#[test]
fn selections_are_audited_without_scores() {
    let columns = ScoreColumns::without_score("listed", "y").group("sex");
    let mut text = "listed,y,sex\n".to_owned();
    for row in 0..400 {
        let (sex, listed) = if row % 2 == 0 { ("F", row % 4 == 0) } else { ("M", row % 10 == 1) };
        text.push_str(&format!("{},{},{sex}\n", u8::from(listed), u8::from(row % 3 == 0)));
    }
    let (table, _) = from_csv(text.as_bytes(), &columns).unwrap();
    let audit = table.audit(&AuditParams::at(OperatingPoint::Predicted)).unwrap();
    assert!(audit.spread.is_none() && audit.whole.auc.is_none() && audit.whole.mean_score.is_none());
    assert!((audit.whole.selection_rate.unwrap().value - 0.35).abs() < 1e-12);
    assert!(audit.whole.true_positive_rate.is_some() && audit.whole.reliability.is_empty());
    let AttributeFinding::Measured { criteria, .. } = &audit.attributes[0].finding else {
        panic!("measured")
    };
    assert!(criteria.iter().any(|held| held.verdict == DisparityVerdict::Present));
    assert_eq!(table.audit(&AuditParams::at(OperatingPoint::Threshold(0.5))), Err(AuditError::NoScores));
    // As the same selections with scores that say nothing.
    let same = ScoreTable::new(vec![0.0; 400], table.outcomes.clone()).unwrap();
    let same = same.predicted(table.predicted.clone().unwrap()).unwrap();
    let same = same.audit(&AuditParams::at(OperatingPoint::Predicted)).unwrap();
    assert_eq!(same.whole.precision, audit.whole.precision);
    let neither = ScoreColumns { outcome: Some("y".into()), ..ScoreColumns::default() };
    assert!(matches!(from_csv(b"y\n1\n", &neither), Err(ScoresError::Columns { .. })));
}

#[test]
fn counts_say_what_rows_say() {
    let rows: Vec<(bool, bool, &str)> = [
        ((true, true), [30, 12]),
        ((true, false), [20, 40]),
        ((false, true), [10, 25]),
        ((false, false), [140, 123]),
    ]
    .into_iter()
    .flat_map(|((selected, outcome), counts)| {
        let kinds = ["f", "m"].into_iter().zip(counts);
        kinds.flat_map(move |(sex, count)| std::iter::repeat_n((selected, outcome, sex), count))
    })
    .collect();
    let sex: Vec<Option<&str>> = rows.iter().map(|row| Some(row.2)).collect();
    let selected = rows.iter().map(|row| row.0).collect();
    let by_row = ScoreTable::without_scores(selected, Some(rows.iter().map(|row| row.1).collect())).unwrap();
    let by_row = by_row.group("sex", &sex).unwrap();
    let expected = by_row.audit(&AuditParams::at(OperatingPoint::Predicted)).unwrap();
    let counted =
        ScoreColumns { count: Some("n".into()), ..ScoreColumns::without_score("s", "y") }.group("sex");
    let text = b"s,y,sex,n\n1,1,f,30\n1,1,m,12\n1,0,F,20\n1,0,M,40\n0,1,f,10\n0,1,m,25\n0,0,f,140\n0,0,m,123\n0,0,m,0\n";
    let (table, intake) = from_csv(text, &counted).unwrap();
    assert_eq!((intake.read, intake.audited), (9, 9));
    assert_eq!(table.audit(&AuditParams::at(OperatingPoint::Predicted)).unwrap(), expected);
    let confusion = ScoreColumns {
        confusion: Some(["TP", "FP", "FN", "TN"].map(str::to_owned)),
        ..ScoreColumns::default()
    }
    .group("sex");
    let (table, _) = from_csv(b"sex,TP,FP,FN,TN\nf,30,20,10,140\nM,12,40,25,123\n", &confusion).unwrap();
    assert_eq!(table.audit(&AuditParams::at(OperatingPoint::Predicted)).unwrap(), expected);
    // What is no count is rejected, and what is too much is an error before it fills the memory.
    let (_, intake) =
        from_csv(b"sex,TP,FP,FN,TN\nf,30,20,10,140\nM,1.5,4,2,1\nx,-1,4,2,1\n", &confusion).unwrap();
    assert!(intake.rejected.iter().all(|held| held.reason == RejectReason::CountUnreadable));
    assert_eq!(intake.rejected.len(), 2);
    let same =
        ScoreColumns { confusion: Some(["TP", "FP", "tp", "TN"].map(str::to_owned)), ..confusion.clone() };
    assert!(matches!(
        from_csv(b"sex,TP,FP,FN,TN\nf,30,20,10,140\n", &same),
        Err(ScoresError::Columns { .. })
    ));
    let huge = from_csv(b"sex,TP,FP,FN,TN\nf,4000000000,4000000000,1,1\n", &confusion);
    assert!(matches!(huge, Err(ScoresError::TooManyCases { .. })));
}

#[test]
fn rows_not_followed_for_the_whole_horizon_are_set_apart() {
    let columns = ScoreColumns {
        scored_on: Some("on".into()),
        follow_up: Some(ScoreFollowUp { to: "2024-04-01".parse().unwrap(), horizon: Horizon::Months(12) }),
        ..ScoreColumns::new("risk", "y")
    };
    let text = b"risk,y,on\n0.1,1,2023-04-01\n0.2,0,02/04/2023\n0.3,0,31/12/2021\n0.4,1,n/k\n";
    let (table, intake) = from_csv(text, &columns).unwrap();
    // The year from 1 April 2023 ends before 1 April 2024; the one from 2 April does not.
    assert_eq!(table.scores, [0.1, 0.3]);
    assert_eq!((intake.read, intake.audited, intake.not_followed, intake.rejected.len()), (4, 2, 1, 1));
    assert_eq!(intake.rejected[0].reason, RejectReason::DateUnreadable);
    let without = ScoreColumns { scored_on: None, ..columns };
    assert!(matches!(from_csv(text, &without), Err(ScoresError::Columns { .. })));
}

#[test]
fn days_of_scoring_that_could_be_other_days_are_refused_until_their_order_is_said() {
    let columns = ScoreColumns {
        scored_on: Some("on".into()),
        follow_up: Some(ScoreFollowUp { to: "2024-04-01".parse().unwrap(), horizon: Horizon::Months(12) }),
        ..ScoreColumns::new("risk", "y")
    };
    let read = |rows: &str, dates: Option<DateForm>| {
        let options = ReadOptions { dates, ..ReadOptions::default() };
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("scores.csv");
        std::fs::write(&path, format!("risk,y,on\n{rows}")).unwrap();
        ScoreTable::read(Extract::path(&path).options(options), &columns)
            .map(|(_, intake)| (intake.audited, intake.not_followed))
    };
    // 4 March or 3 April 2023: whether a year had passed by 1 April 2024 is another answer for each.
    let either = "0.1,1,03/04/2023\n0.2,0,03/04/2023\n0.3,0,01/01/2023\n";
    assert!(
        matches!(read(either, None), Err(ScoresError::DateOrder { why, .. }) if why.contains("say which"))
    );
    assert_eq!(read(either, Some(DateForm::DayFirst)), Ok((1, 2)));
    assert_eq!(read(either, Some(DateForm::MonthFirst)), Ok((3, 0)));
    // A day above 12 shows it.
    assert_eq!(read(&format!("{either}0.4,1,25/12/2022\n"), None), Ok((2, 2)));
    let month_first = read(&format!("{either}0.4,1,12/25/2022\n"), None);
    assert!(
        matches!(month_first, Err(ScoresError::DateOrder { why, .. }) if why.contains("the month stands first"))
    );
    let mixed = read("0.1,1,25/12/2022\n0.2,0,12/25/2022\n", None);
    assert!(matches!(mixed, Err(ScoresError::DateOrder { why, .. }) if why.contains("none can be trusted")));
    let counted = read(either, Some(DateForm::DaysFrom(DayZero::Day("2020-01-01".parse().unwrap()))));
    assert!(matches!(counted, Err(ScoresError::Columns { .. })));
}

#[test]
fn scores_that_stand_for_none_are_said() {
    let mut text = "risk,excluded,sex\n".to_owned();
    for row in 0..40 {
        text.push_str(&format!("0.{row:02},{},F\n", row % 2));
    }
    assert!(from_csv(text.as_bytes(), &columns()).unwrap().1.lone_scores.is_empty());
    text.push_str("-999,0,F\n-999,1,F\n");
    let (_, intake) = from_csv(text.as_bytes(), &columns()).unwrap();
    assert_eq!(intake.audited, 42, "the rows stay: nobody but the auditor knows what they are");
    assert!(intake.warnings()[0].starts_with("2 rows have the score -999"), "{:?}", intake.warnings());
}

#[test]
fn outcomes_that_are_all_one_from_some_day_on_are_said() {
    let columns = ScoreColumns { scored_on: Some("on".into()), ..ScoreColumns::new("risk", "y") };
    let mut text = "risk,y,on\n".to_owned();
    for row in 0..300 {
        text.push_str(&format!("0.1,{},2013-{:02}-11\n", u8::from(row / 12 % 2 == 0), row % 12 + 1));
    }
    let quiet = from_csv(text.as_bytes(), &columns).unwrap().1;
    assert_eq!(quiet.jump, None);
    for _ in 0..50 {
        text.push_str("0.1,1,2014-05-11\n");
    }
    let jump = from_csv(text.as_bytes(), &columns).unwrap().1.jump.unwrap();
    assert_eq!((jump.from.to_string().as_str(), jump.rows, jump.all), ("2014-05-11", 50, true));
}

#[test]
fn who_is_left_out_is_a_finding_of_its_own() {
    // 60% of the people in the north have no outcome, 5% of the others.
    let columns = ScoreColumns::new("risk", "y").group("area");
    let mut text = "risk,y,area\n".to_owned();
    for row in 0..1_000 {
        let (area, lost) = if row % 2 == 0 { ("North", row % 10 < 6) } else { ("south", row % 40 == 1) };
        let outcome = if lost {
            ""
        } else if row % 3 == 0 {
            "1"
        } else {
            "0"
        };
        text.push_str(&format!("0.{},{outcome},{area}\n", row % 9 + 1));
    }
    let (table, intake) = from_csv(text.as_bytes(), &columns).unwrap();
    let audit = table.audit(&AuditParams::at(OperatingPoint::Threshold(0.5))).unwrap();
    assert_eq!(intake.rejected.len(), 325);
    assert_eq!(beside(&audit.left_out, "north"), (500, Some(300), DisparityVerdict::Present));
    assert_eq!(beside(&audit.left_out, "south"), (500, Some(25), DisparityVerdict::Present));
    // Where nobody is left out there is nothing to say.
    let whole = from_csv(b"risk,y,area\n0.1,1,n\n0.2,0,s\n", &columns).unwrap().0;
    let whole = whole.audit(&shown_params(OperatingPoint::Threshold(0.5))).unwrap();
    assert!(whole.left_out.is_empty() && whole.chosen.is_empty());
}

#[test]
fn how_few_of_a_group_are_left_out_cannot_be_worked_out() {
    // Three of the 100 in the east are left out: beside the audit's 97 rows the 100 would tell it.
    let columns = ScoreColumns::new("risk", "y").group("area");
    let mut text = "risk,y,area\n".to_owned();
    for row in 0..1_000 {
        let (area, lost) = match row % 10 {
            0 => ("east", row < 30),
            1..=5 => ("north", row % 20 == 1),
            _ => ("south", row % 20 == 16),
        };
        let outcome = if lost {
            "x"
        } else if row % 3 == 0 {
            "1"
        } else {
            "0"
        };
        text.push_str(&format!("0.{},{outcome},{area}\n", row % 9 + 1));
    }
    let (table, _) = from_csv(text.as_bytes(), &columns).unwrap();
    let audit = table.audit(&AuditParams::at(OperatingPoint::Threshold(0.5))).unwrap();
    let AttributeFinding::Measured { groups, criteria, .. } = &audit.left_out[0].finding else {
        panic!("measured")
    };
    let hidden = groups.iter().filter(|group| matches!(group.outcome, AuditedOutcome::Suppressed { .. }));
    // Another group is held back with it, or it would follow from the total.
    assert_eq!(hidden.clone().count(), 2);
    assert!(hidden.clone().all(|group| group.values.is_empty()));
    assert!(!groups.iter().any(|group| group.name() == "east"));
    assert!(criteria.iter().all(|held| held.set_by.as_ref().is_none_or(|setter| setter.group != "east")));
    let all = table.audit(&shown_params(OperatingPoint::Threshold(0.5))).unwrap();
    assert_eq!(beside(&all.left_out, "east").1, Some(3));
}

/// An arm drawn at random, in which both groups have the outcome as often, and a ranking that chose one of them more.
fn arms() -> Audit {
    let columns = ScoreColumns {
        arm: Some(ArmColumn { column: "arm".into(), random: vec!["Random".into()] }),
        ..ScoreColumns::new("risk", "y")
    }
    .group("born");
    let mut text = "risk,y,born,arm\n".to_owned();
    for row in 0..2_000 {
        let born = if row % 2 == 0 { "abroad" } else { "here" };
        text.push_str(&format!("0.{},{},{born},random\n", row % 7 + 1, u8::from(row / 2 % 5 == 0)));
    }
    for row in 0..1_000 {
        // Nobody asks what became of those whom the ranking chose, nor of those of neither arm.
        text.push_str(&format!("0.9,,{},ranked\n", if row % 4 == 0 { "here" } else { "abroad" }));
        text.push_str(",,here,\n");
    }
    let (table, intake) = from_csv(text.as_bytes(), &columns).unwrap();
    assert_eq!(
        (intake.read, intake.audited, intake.not_random, intake.rejected.len()),
        (4_000, 2_000, 2_000, 0)
    );
    table.audit(&AuditParams::at(OperatingPoint::Threshold(0.5))).unwrap()
}

#[test]
fn a_random_arm_says_how_common_outcomes_are_and_the_other_whom_the_ranking_chose() {
    let audit = arms();
    assert_eq!((audit.n, audit.positives), (2_000, Some(400)));
    assert_eq!(beside(&audit.chosen, "abroad"), (1_750, Some(750), DisparityVerdict::Present));
    assert_eq!(beside(&audit.chosen, "here"), (1_250, Some(250), DisparityVerdict::Present));
    assert!(audit.left_out.is_empty(), "those of the other arm are not lost");
    let said = crate::report::audit::audit_text(&audit);
    assert!(said.contains("chosen more often, though the outcome is as common"), "{said}");
    let page = crate::report::audit::audit_html(&audit, "t", None).unwrap();
    assert!(page.contains("Whom the ranking chose, beside those drawn at random"));
    let table = crate::report::audit::audit_csv(&audit).unwrap();
    assert!(table.contains("born (chosen by the ranking),abroad,yes,shown,1750,selection rate,0.428571"));
}

#[test]
fn spelling_capitals_and_blanks_change_no_byte() {
    let rows: Vec<(f64, bool, &str)> = (0..600)
        .map(|row| {
            (
                f64::from(row % 13) / 20.0,
                row % 3 == 0,
                ["White British", "any other", "REFU"][row as usize % 3],
            )
        })
        .collect();
    let of = |spell: &dyn Fn(&str) -> String| {
        let names: Vec<String> = rows.iter().map(|row| spell(row.2)).collect();
        let names: Vec<Option<&str>> = names.iter().map(|name| Some(name.as_str())).collect();
        let (scores, outcomes) = rows.iter().map(|row| (row.0, row.1)).unzip();
        let table = ScoreTable::new(scores, outcomes).unwrap().group("ethnicity", &names).unwrap();
        let mut params = AuditParams::at(OperatingPoint::Threshold(0.3));
        params.references = vec![("ethnicity".into(), spell("Any Other"))];
        let audit = table.audit(&params).unwrap();
        (serde_json::to_string(&audit).unwrap(), crate::report::audit::audit_html(&audit, "t", None).unwrap())
    };
    let as_it_is = of(&|name| name.to_owned());
    for spelt in
        [of(&str::to_uppercase), of(&str::to_lowercase), of(&|name| format!(" {} ", name.replace(' ', "  ")))]
    {
        assert!(spelt == as_it_is);
    }
}

#[test]
fn no_order_of_rows_changes_a_byte_with_whatever_is_missing() {
    let columns =
        ScoreColumns { cluster: Some("family".into()), ..ScoreColumns::new("risk", "y") }.group("area");
    let mut rows: Vec<String> = (0..500)
        .map(|row| {
            let risk = if row % 31 == 0 { String::new() } else { format!("0.{}", row * 7 % 23 + 10) };
            let family = if row % 3 == 0 { String::new() } else { (row / 4).to_string() };
            let area = ["n", "s", "", "N "][row % 4];
            format!("{risk},{},{area},{family}\n", u8::from(row % 7 < 3))
        })
        .collect();
    let audit = |rows: &[String]| {
        let text = format!("risk,y,area,family\n{}", rows.concat());
        let (table, intake) = from_csv(text.as_bytes(), &columns).unwrap();
        let audit = table.audit(&AuditParams::at(OperatingPoint::Threshold(0.2))).unwrap();
        (serde_json::to_string(&audit).unwrap(), intake.rejected.len())
    };
    let first = audit(&rows);
    for turn in [1, 77, 250] {
        rows.rotate_left(turn);
        rows.swap(3, 400);
        assert!(audit(&rows) == first, "turned by {turn}");
    }
    rows.reverse();
    assert!(audit(&rows) == first, "reversed");
}

/// Rows that do not say whom they are about may all be of one person.
#[test]
fn rows_of_nobody_in_particular_are_one_person() {
    let columns = ScoreColumns { person: Some("who".into()), ..columns() };
    let mut text = "risk,excluded,sex,who\n".to_owned();
    for row in 0..60 {
        text.push_str(&format!("0.{},{},F,p{row}\n", row + 10, row % 2));
    }
    for row in 0..40 {
        text.push_str(&format!("0.{},{},M,\n", row + 10, row % 2));
    }
    let (table, intake) = from_csv(text.as_bytes(), &columns).unwrap();
    let audit = table.audit(&AuditParams::at(OperatingPoint::Threshold(0.3))).unwrap();
    assert_eq!((intake.audited, audit.n), (100, 100));
    assert_eq!((intake.without_person, audit.people), (40, Some(61)));
    assert_eq!(audit.clusters, 100);
    // The group of those forty rows is not known to be of ten people.
    let AttributeFinding::Measured { groups, .. } = &audit.attributes[0].finding else { panic!("measured") };
    assert!(groups.iter().all(|group| matches!(group.outcome, AuditedOutcome::Suppressed { .. })));
}
