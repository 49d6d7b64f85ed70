//! What the page, the table and the lines say of a made-up audit.

use super::made::{self, FORMULA, SCRIPT, TINY};
use super::{audit_csv, audit_frame, audit_html, audit_text};
use crate::fairness::audit::*;
use crate::records::{Reject, RejectReason};

const TITLE: &str = "Scores of <a vendor> & \"others\"";

fn page(audit: &Audit) -> String {
    audit_html(audit, TITLE, None).unwrap()
}

/// The part of the page that is about one characteristic.
fn section(page: &str, nth: usize) -> &str {
    let start = page.find(&format!("aria-labelledby=\"characteristic-{nth}\"")).unwrap();
    let rest = &page[start..];
    &rest[..rest.find("</section>").unwrap()]
}

fn groups(attribute: &AttributeAudit) -> &[AuditedGroup] {
    match &attribute.finding {
        AttributeFinding::Measured { groups, .. } => groups,
        AttributeFinding::NotMeasurable { .. } => &[],
    }
}

/// A row of the table by its first cells.
fn rows<'a>(table: &'a [csv::StringRecord], first: [&'a str; 2]) -> Vec<&'a csv::StringRecord> {
    table.iter().filter(|row| row[0] == *first[0] && row[1] == *first[1]).collect()
}

fn table(audit: &Audit) -> Vec<csv::StringRecord> {
    let text = audit_csv(audit).unwrap();
    assert!(text.starts_with('\u{feff}'));
    csv::Reader::from_reader(text.as_bytes()).records().map(Result::unwrap).collect()
}

fn rejects() -> ScoreIntake {
    let rejected = |row, column: Option<&str>, reason| Reject {
        source: "scores".to_owned(),
        file: None,
        row,
        column: column.map(Into::into),
        reason,
        pattern: None,
    };
    ScoreIntake {
        read: 25_182,
        audited: 25_179,
        rejected: vec![
            rejected(17, Some("risk"), RejectReason::ValueMissing),
            rejected(1_204, Some("risk"), RejectReason::ValueMissing),
            rejected(9_000, None, RejectReason::FieldCount),
        ],
        ..ScoreIntake::default()
    }
}

#[test]
fn every_group_of_every_characteristic_is_on_the_page() {
    let audit = made::audit();
    let page = page(&audit);
    let mut seen = 0;
    for (nth, attribute) in audit.attributes.iter().enumerate() {
        let section = section(&page, nth + 1);
        for group in groups(attribute) {
            let name = match group.name().as_str() {
                SCRIPT => "&#60;script&#62;alert(1)&#60;/script&#62;".to_owned(),
                FORMULA => "=HYPERLINK(&#34;x&#34;)".to_owned(),
                name => name.to_owned(),
            };
            assert!(section.contains(&format!("role=\"rowheader\">{name}<")), "{name}");
            seen += 1;
        }
    }
    assert_eq!(seen, 63);
}

#[test]
fn nothing_from_the_data_runs_in_the_page() {
    let page = page(&made::audit());
    assert!(!page.contains("<script") && !page.contains("<a vendor>"));
    assert_eq!(page.matches("<title>").count(), 1);
    assert!(page.contains("&#60;a vendor&#62; &#38; &#34;others&#34;"));
    // Nothing is loaded from elsewhere.
    assert!(!page.contains("http://") && !page.contains("https://") && !page.contains("url("));
    for (open, close) in
        [("<table", "</table>"), ("<section", "</section>"), ("<details", "</details>"), ("<svg", "</svg>")]
    {
        assert_eq!(page.matches(open).count(), page.matches(close).count(), "{open}");
    }
}

#[test]
fn every_verdict_stands_in_words_with_the_group_that_sets_it_and_its_size() {
    let audit = made::audit();
    let page = page(&audit);
    for (nth, attribute) in audit.attributes.iter().enumerate() {
        let AttributeFinding::Measured { criteria, .. } = &attribute.finding else { continue };
        let section = section(&page, nth + 1);
        for report in criteria {
            let at = section.find(&format!("<strong>{}</strong>", report.criterion)).unwrap();
            let row = &section[at..];
            let row = &row[..row.find("</tr>").unwrap()];
            assert!(row.contains(&format!("</span> {}</span>", report.verdict)), "{row}");
            let setter = report.set_by.as_ref().unwrap();
            assert!(row.contains(&format!("n = {}", super::words::count(setter.n))), "{row}");
        }
    }
    for verdict in [DisparityVerdict::Present, DisparityVerdict::AbsentWithin, DisparityVerdict::CannotTell] {
        assert!(page.contains(&format!("</span> {verdict}</span>")));
    }
    assert!(page.contains("Cannot tell is not fair"));
    assert!(section(&page, 1).contains("<strong>F</strong>: false-positive rate −"));
}

#[test]
fn what_cannot_be_measured_is_as_prominent_as_what_can() {
    let page = page(&made::audit());
    let section = section(&page, 5);
    assert!(section.contains("<h2 id=\"characteristic-5\">Disability</h2>"));
    assert!(section.contains("<strong>Not measurable:</strong> the table does not hold it"));
    assert!(section.contains("not a finding of no disparity"));
    let glance = &page[page.find("id=\"glance\"").unwrap()..page.find("class=\"characteristic\"").unwrap()];
    assert!(glance.contains("Disability</a></th><td role=\"cell\" colspan=\"7\">"));
    assert!(glance.contains("Characteristics not measurable</dt><dd>1</dd>"));
}

#[test]
fn held_back_groups_have_no_name_and_no_figure() {
    const HELD: &str = "1 further group";
    let audit = made::audit();
    let page = page(&audit);
    for text in [&page, &audit_text(&audit), &audit_csv(&audit).unwrap()] {
        assert!(!text.contains(TINY), "its name can point at a person");
    }
    let section = section(&page, 2);
    let at = section.find(&format!("rowheader\">{HELD}<")).unwrap();
    let row = &section[at + "rowheader\">".len() + HELD.len()..];
    let row = &row[..row.find("</tr>").unwrap()];
    assert!(row.contains("Held back") && !row.contains("<svg") && !row.contains("n ="), "{row}");
    let said: String = row.split('<').filter_map(|part| part.split_once('>')).map(|(_, text)| text).collect();
    assert!(!said.contains(|c: char| c.is_ascii_digit()), "{said}");

    let table = table(&audit);
    let held = rows(&table, ["ethnicity", ""]);
    assert_eq!(held.len(), 1);
    assert_eq!(held[0][3], *"held back");
    assert!(held[0].iter().skip(4).all(str::is_empty));
    assert!(audit_text(&audit).contains(&format!("could be worked out): {HELD}\n")));
}

#[test]
fn a_figure_that_may_not_be_shown_is_not_a_nought() {
    // Gypsy or Roma: 34 people, one of whom had the outcome.
    let audit = made::audit();
    let page = page(&audit);
    let section = section(&page, 2);
    let row = &section[section.find("rowheader\">Gypsy or Roma<").unwrap()..];
    let row = &row[..row.find("</tr>").unwrap()];
    assert!(row.contains("n = 34") && row.contains("with the outcome: withheld"), "{row}");
    assert!(row.contains("true-positive rate: </span><span class=\"quiet\">withheld"), "{row}");
    let table = table(&audit);
    let found = rows(&table, ["ethnicity", "Gypsy or Roma"]);
    let rate = found.iter().find(|row| row[5] == *"true-positive rate" && row[10] == *"whole").unwrap();
    assert_eq!((&rate[6], &rate[12], &rate[18]), ("", "", "cannot tell"));
}

#[test]
fn the_table_has_every_figure_and_comparison_and_no_formula() {
    let audit = made::audit();
    let table = table(&audit);
    let men = rows(&table, ["sex", "F"]);
    let compared: Vec<&str> =
        men.iter().filter(|row| row[5] == *"false-positive rate").map(|row| &row[10]).collect();
    assert_eq!(compared, ["largest", "whole"]);
    let AuditedOutcome::Shown { measures, .. } = &groups(&audit.attributes[0])[0].outcome else { panic!() };
    let rate = men.iter().find(|row| row[5] == *"false-positive rate").unwrap();
    assert_eq!(rate[6], format!("{:.6}", measures.false_positive_rate.unwrap().value));
    assert_eq!(&rate[11], "M");
    // The largest group is compared with everybody alone.
    let largest = rows(&table, ["sex", "M"]);
    assert!(largest.iter().all(|row| row[10].is_empty() || row[10] == *"whole"));
    assert_eq!(rows(&table, ["disability", ""])[0][3], *"not measurable");
    assert!(!rows(&table, ["ward", "'=HYPERLINK(\"x\")"]).is_empty());
    assert!(table.iter().all(|row| row.iter().all(|cell| !cell.starts_with('='))));
    let everybody = rows(&table, ["everybody", "everybody"]);
    assert_eq!(everybody.len(), 19);
    assert!(everybody.iter().all(|row| row[4] == *"25179"));
}

#[test]
fn the_lines_say_what_is_there_and_what_cannot_be_told() {
    let text = audit_text(&made::audit());
    assert!(
        text.starts_with("Audit of 25,179 rows about 20,911 people of 17,034 families; with the outcome: ")
    );
    assert!(text.contains("selected (score of 0.2 or more): "));
    assert!(text.contains("\"Cannot tell\" is not fair"));
    assert!(text.contains("sex, against the largest group M\n"));
    assert!(text.contains("F differs: selection rate −"));
    assert!(text.contains("disability: NOT MEASURABLE (the table does not hold it)."));
    assert!(text.contains("sex × ethnicity: "));
    for criterion in Criterion::ALL {
        assert_eq!(text.matches(&format!("  {criterion:<26}")).count(), 4, "{criterion}");
    }
    assert!(text.lines().count() < 80, "{} lines", text.lines().count());
}

#[test]
fn the_lines_say_how_it_does_over_everybody() {
    // Of 25,179 rows 1,208 had the outcome; 690 of these and 2,157 others are selected.
    let mut audit = made::audit();
    let text = audit_text(&audit);
    let line = |text: &str, name: &str| {
        let held = text.lines().find(|line| line.trim_start().starts_with(name));
        held.unwrap_or_else(|| panic!("{name}: {text}")).trim().to_owned()
    };
    for (name, share) in [
        ("had the outcome", "4.8% ("),
        ("selected  ", "11.3% ("),
        ("of those selected, had the outcome (precision)", "24.2% ("),
        ("of those with the outcome, selected (recall)", "57.1% ("),
    ] {
        assert!(line(&text, name).contains(share), "{text}");
    }
    let auc = audit.whole.auc.unwrap();
    let shown = format!("{:.3} ({:.3} to {:.3})", auc.value, auc.interval.low, auc.interval.high);
    assert!(line(&text, "AUC (chance gives 0.5)").ends_with(&shown), "{text}");
    // Before anything is known of outcomes, only the selection is said.
    audit.followed = false;
    let text = audit_text(&audit);
    assert!(line(&text, "selected  ").contains("11.3% (") && !text.contains("AUC (chance gives"), "{text}");
}

#[test]
fn a_terminal_is_sent_no_command() {
    let mut audit = made::audit();
    let AttributeFinding::Measured { groups, .. } = &mut audit.attributes[0].finding else { panic!() };
    groups[0].values = vec!["F\u{1b}[2J".to_owned()];
    let text = audit_text(&audit);
    assert!(text.contains("F\\u{1b}[2J differs") && !text.contains('\u{1b}'));
}

#[test]
fn rows_left_out_are_on_the_page_with_reason_and_place() {
    let page = audit_html(&made::audit(), TITLE, Some(&rejects())).unwrap();
    assert!(page.contains("Left out: 3 of 25,182 rows read"));
    assert!(page.contains("column risk: nothing in the cell</th><td>2</td>"));
    assert!(page.contains("17, 1,204, 9,000."));
    let none = ScoreIntake { rejected: Vec::new(), ..rejects() };
    assert!(!audit_html(&made::audit(), TITLE, Some(&none)).unwrap().contains("Left out"));
}

#[test]
fn pairs_are_folded_and_their_small_groups_counted_in_a_line() {
    let page = page(&made::audit());
    let section = &page[page.find("aria-labelledby=\"intersections\"").unwrap()..];
    let section = &section[..section.find("</section>").unwrap()];
    assert!(section.contains("<summary>Sex × ethnicity: 38 of 40 groups shown</summary>"));
    assert!(section.contains("could be worked out from them: 2 further groups."));
    assert!(!section.contains(TINY));
    assert!(section.contains("rowheader\">F, Black African<"));
}

#[test]
fn scores_that_are_no_chances_have_no_calibration_and_it_is_said() {
    let mut audit = made::audit();
    audit.scores = ScoreScale::Points;
    audit.operating.threshold_chance = None;
    let clear = |held: &mut GroupMeasures| {
        held.calibration_gap = None;
        held.calibration_slope = None;
        held.calibration_intercept = None;
        held.expected_calibration_error = None;
        held.net_benefit = None;
        held.reliability.clear();
    };
    clear(&mut audit.whole);
    for attribute in &mut audit.attributes {
        let AttributeFinding::Measured { groups, .. } = &mut attribute.finding else { continue };
        for group in groups {
            if let AuditedOutcome::Shown { measures, .. } = &mut group.outcome {
                clear(measures);
            }
        }
    }
    let page = page(&audit);
    assert!(page.contains("The scores are taken for points, not for chances"));
    assert!(!page.contains("class=\"plots\"") && !page.contains("<strong>Calibration</strong>"));
}

#[test]
fn what_happened_at_each_score_is_on_every_face() {
    let (mut scores, mut outcomes, mut names) = (vec![], vec![], vec![]);
    // At 3 there are five of M with the outcome, whom the minimum withholds, and with them those of F and all at 2.
    let cells =
        [("F", 2, [40, 20]), ("F", 3, [30, 30]), ("F", 5, [20, 40]), ("M", 2, [40, 20]), ("M", 3, [30, 5])];
    for (name, score, counts) in cells {
        for (outcome, count) in [false, true].into_iter().zip(counts) {
            scores.extend(vec![f64::from(score); count]);
            outcomes.extend(vec![outcome; count]);
            names.extend(vec![Some(name); count]);
        }
    }
    let table = ScoreTable::new(scores, outcomes).unwrap().group("sex", &names).unwrap();
    let audit = table.audit(&AuditParams::at(OperatingPoint::Threshold(2.0))).unwrap();
    let page = page(&audit);
    let table = &page[page.find("what happened at each score?").unwrap()..];
    let table = &table[..table.find("</table>").unwrap()];
    assert!(table.contains("<th scope=\"row\">5</th><td>66.7%"), "{table}");
    assert!(table.contains("<td>withheld</td><td>withheld</td>") && table.contains("<td>nobody</td>"));
    assert!(page.contains("outcome at equal score") && page.contains("taken for points"));
    let text = audit_text(&audit);
    assert!(
        text.contains("with the outcome at each score, f: 2: withheld; 3: withheld; 5: 66.7% (n = 60)"),
        "{text}"
    );
    let csv = audit_csv(&audit).unwrap();
    let line = |start: &str| csv.lines().find(|line| line.starts_with(start)).unwrap().to_owned();
    assert!(line("sex,f,yes,shown,180,outcome at score 5").contains(",0.666667,"));
    assert!(line("sex,m,yes,withheld,95,outcome at score 3").ends_with("outcome at score 3,,,,,,,,,,,,,,,"));
    assert!(csv.contains(",outcome at equal score,") && !csv.contains(",calibration gap,"));
    let json = serde_json::to_string(&audit).unwrap();
    assert!(json.contains("\"scores\":\"points\"") && json.contains("{\"score\":3.0,\"observed\":null}"));
    let back: Audit = serde_json::from_str(&json.replace("\"points\"", "\"not_chances\"")).unwrap();
    assert_eq!(back, audit);
}

#[test]
fn every_word_of_the_page_is_explained_in_the_glossary() {
    let found = super::glossary::named(&super::TERMS);
    assert_eq!(found.len(), super::TERMS.len());
    let page = page(&made::audit());
    for crate::report::glossary::Term { term, meaning } in found {
        assert!(page.contains(&format!("<dt>{term}</dt><dd>{meaning}</dd>")), "{term}");
    }
}

#[test]
fn the_frame_of_an_audit_says_what_its_table_says() {
    let audit = made::audit();
    let (text, frame) = (audit_csv(&audit).unwrap(), audit_frame(&audit).unwrap());
    let mut table = csv::Reader::from_reader(text.trim_start_matches('\u{feff}').as_bytes());
    let names = frame.get_column_names();
    assert!(table.headers().unwrap().iter().eq(names.iter().map(|name| name.as_str())));
    let rows: Vec<csv::StringRecord> = table.records().map(Result::unwrap).collect();
    assert_eq!(rows.len(), frame.height());
    let (values, differences) =
        (frame.column("value").unwrap().f64().unwrap(), frame.column("difference").unwrap());
    for (row, (value, difference)) in rows.iter().zip(values.iter().zip(differences.f64().unwrap().iter())) {
        for (cell, figure) in [(&row[6], value), (&row[12], difference)] {
            assert_eq!(cell, figure.map_or(String::new(), |figure| format!("{figure:.6}")));
        }
    }
    assert!(differences.null_count() < rows.len() && values.null_count() > 0);
}
