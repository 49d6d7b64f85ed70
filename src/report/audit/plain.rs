//! An audit in a few lines for a terminal, and as a long table for a spreadsheet.

use polars::prelude::DataFrame;

use super::super::table::{Column, Table, Value};
use super::super::words;
use super::criteria::{self, main_against};
use super::parted::Parted;
use super::{figure, groups};
use crate::error::ReportError;
use crate::evaluate::Estimate;
use crate::fairness::audit::{
    Against, AttributeAudit, AttributeFinding, Audit, AuditedGroup, AuditedOutcome, CriterionReport,
    Disparity, DisparityVerdict, GroupMeasure, GroupMeasures, ScoreScale,
};
use crate::outputs::on_one_line;

/// What the text says of all rows together, in words that need no glossary.
const OVERALL: [(&str, GroupMeasure); 5] = [
    ("had the outcome", GroupMeasure::Prevalence),
    ("selected", GroupMeasure::SelectionRate),
    ("AUC (chance gives 0.5)", GroupMeasure::Auc),
    ("of those selected, had the outcome (precision)", GroupMeasure::Precision),
    ("of those with the outcome, selected (recall)", GroupMeasure::TruePositiveRate),
];

/// A column's name, and what it holds.
type Named = (&'static str, fn(&'static str) -> Column);

const HEAD: [Named; 21] = [
    ("characteristic", Column::new),
    ("group", Column::new),
    ("value_known", Column::new),
    ("status", Column::new),
    ("group_rows", Column::whole),
    ("measure", Column::new),
    ("value", Column::number),
    ("low", Column::number),
    ("high", Column::number),
    ("rests_on_rows", Column::whole),
    ("compared_with", Column::new),
    ("compared_group", Column::new),
    ("difference", Column::number),
    ("difference_low", Column::number),
    ("difference_high", Column::number),
    ("ratio", Column::number),
    ("ratio_low", Column::number),
    ("ratio_high", Column::number),
    ("verdict", Column::new),
    ("smallest_difference_shown", Column::number),
    ("rests_on_rows_of_both", Column::whole),
];

/// The audit in a few lines: for each characteristic its criteria with the group that sets them, the groups
/// that differ, and what cannot be told. The page and the table have every figure.
pub fn audit_text(audit: &Audit) -> String {
    let told = |count: Option<u64>| count.map_or_else(|| figure::WITHHELD.to_owned(), words::count);
    let people =
        audit.people.map(|people| format!(" about {}", words::counted(people as usize, "person", "people")));
    let people = people.unwrap_or_default();
    let families = if audit.by_person {
        format!("{people}, whose rows are taken together (no families were given)")
    } else if audit.clustered {
        format!("{people} of {} families", words::count(audit.clusters))
    } else {
        format!("{people}, taken for independent of each other")
    };
    let mut text = format!(
        "Audit of {} rows{families}; with the outcome: {}; selected ({}): {}.\n\
         Absent means: within ±{}, or within a fifth of everybody's own share where that is small. \"Cannot \
         tell\" is not fair: the sample is too small to say.\n\
         Differences have the interval that holds for all groups of a characteristic at once.\n",
        words::count(audit.n),
        if audit.followed { told(audit.positives) } else { super::facts::NOT_KNOWN_YET.to_owned() },
        audit.operating.words,
        told(audit.selected),
        figure::points(audit.params.margin),
    );
    text.push_str(&format!("Scores: {}.\n", super::facts::spread(audit)));
    text.push_str(&format!("{}\n", super::facts::meaning(audit)));
    let inverted = super::facts::inverted(audit);
    if !inverted.is_empty() {
        text.push_str(&format!("{inverted}\n"));
    }
    let tied = super::facts::tied(&audit.operating);
    if !tied.is_empty() {
        text.push_str(&format!("{tied}\n"));
    }
    text.push_str(&overall(audit));
    for (heading, parted) in [
        ("Left out more or less often than everybody:", Parted::left_out(audit)),
        (
            "Chosen by the ranking more or less often than everybody (all else is of those drawn at random):",
            Parted::chosen(audit),
        ),
    ] {
        let lines: String = parted.iter().map(Parted::text).collect();
        if !lines.is_empty() {
            text.push_str(&format!(
                "{heading}\n{}",
                lines.lines().map(|line| on_one_line(line) + "\n").collect::<String>()
            ));
        }
    }
    for attribute in &audit.attributes {
        text.push('\n');
        match &attribute.finding {
            AttributeFinding::NotMeasurable { why } => text.push_str(&format!(
                "{}: NOT MEASURABLE ({why}). That is not a finding of no disparity.\n",
                on_one_line(&attribute.name())
            )),
            AttributeFinding::Measured { reference, groups, criteria, .. } => {
                text.push_str(&characteristic(audit, attribute, groups, criteria));
                let instead = main_against(criteria);
                text.push_str(&held_back_reference(audit, attribute, reference.as_deref(), instead));
            }
        }
    }
    for pair in &audit.intersections {
        text.push_str(&intersection(pair));
    }
    text
}

/// The figures of all rows together, with their intervals. Those that need an outcome are left out where it is not
/// known yet.
fn overall(audit: &Audit) -> String {
    let mut text = "Everybody (95% intervals):\n".to_owned();
    for (name, measure) in OVERALL {
        if !audit.followed && measure != GroupMeasure::SelectionRate {
            continue;
        }
        let told = match audit.whole.figure(measure) {
            Some(found) => figure::figure(measure, found, audit.scores),
            None => figure::missing(&audit.whole, measure).to_owned(),
        };
        text.push_str(&format!("  {name:<47}{told}\n"));
    }
    text
}

fn characteristic(
    audit: &Audit,
    attribute: &AttributeAudit,
    groups: &[AuditedGroup],
    criteria: &[CriterionReport],
) -> String {
    let against = main_against(criteria);
    let compared = match against {
        Some(against) => format!("against {against}"),
        None if groups::shown(groups).count() < 2 => {
            "nothing to compare: fewer than two groups are shown".to_owned()
        }
        None => "compared with nobody".to_owned(),
    };
    let mut text = format!("{}, {}\n", on_one_line(&attribute.name()), on_one_line(&compared));
    for report in criteria {
        let set_by = report.set_by.as_ref().map_or_else(String::new, |setter| {
            format!(
                "  {} (n = {}): {}{}",
                setter.group,
                words::count(setter.n),
                criteria::size_in_words(audit, report.criterion, setter),
                if report.set_against() == Some(&Against::Whole) { " against everybody" } else { "" }
            )
        });
        let line = format!("  {:<26}{:<25}{set_by}", report.criterion, report.verdict);
        text.push_str(&format!("{}\n", on_one_line(line.trim_end())));
    }
    for group in groups {
        let against = against.map(|against| against.for_group(&group.name()));
        let told = criteria::present(audit, group, against);
        if !told.is_empty() {
            let whom = if against == Some(&Against::Whole) { " from everybody" } else { "" };
            text.push_str(&on_one_line(&format!("  {} differs{whom}: {}", group.name(), told.join("; "))));
            text.push('\n');
        }
    }
    text.push_str(&at_each_score(groups));
    let unsure = cannot_tell(groups, against);
    if !unsure.is_empty() {
        text.push_str(&on_one_line(&format!("  selection cannot be told for: {}", unsure.join(", "))));
        text.push('\n');
    }
    let held = groups::held_back(groups);
    if !held.is_empty() {
        text.push_str(&format!("  held back (too small, or one that is could be worked out): {held}\n"));
    }
    text
}

/// The share with the outcome at each score, a line for each group; empty where scores are chances.
fn at_each_score(groups: &[AuditedGroup]) -> String {
    let mut text = String::new();
    for (group, held) in groups::shown(groups).filter(|(_, held)| !held.by_score.is_empty()) {
        let told = held.by_score.iter().map(|at| {
            let share = at
                .observed
                .as_ref()
                .map(|observed| format!("{:.1}% (n = {})", 100.0 * observed.value, words::count(observed.n)));
            let share = share.unwrap_or_else(|| figure::WITHHELD.to_owned());
            format!("{}: {share}", figure::bare(at.score, 4))
        });
        let told: Vec<String> = told.collect();
        let line = format!("  with the outcome at each score, {}: {}", group.name(), told.join("; "));
        text.push_str(&format!("{}\n", on_one_line(&line)));
    }
    text
}

/// That the group asked for as the reference is not the one compared with; empty where it is, or where none
/// was asked for.
fn held_back_reference(
    audit: &Audit,
    attribute: &AttributeAudit,
    shown: Option<&str>,
    instead: Option<&Against>,
) -> String {
    let asked = audit.params.references.iter().find(|(column, _)| attribute.columns == [column.as_str()]);
    match (asked, shown) {
        (Some((_, value)), None) => {
            let instead =
                instead.map_or_else(String::new, |instead| format!("; {instead} was taken instead"));
            let text = format!("  the reference group {value} that was asked for is held back{instead}");
            format!("{}\n", on_one_line(&text))
        }
        _ => String::new(),
    }
}

/// The groups of which not even the selection rate can be told from the others', with their sizes.
fn cannot_tell(groups: &[AuditedGroup], against: Option<&Against>) -> Vec<String> {
    let unsure = |found: &Disparity| {
        found.measure == GroupMeasure::SelectionRate && found.verdict == DisparityVerdict::CannotTell
    };
    let shown = groups.iter().filter_map(|group| match &group.outcome {
        AuditedOutcome::Shown { measures, .. } => Some((group, measures.n)),
        AuditedOutcome::Suppressed { .. } => None,
    });
    shown
        .filter(|(group, _)| {
            let against = against.map(|against| against.for_group(&group.name()));
            criteria::told(group, against).any(unsure)
        })
        .map(|(group, n)| format!("{} (n = {})", group.name(), words::count(n)))
        .collect()
}

fn intersection(pair: &AttributeAudit) -> String {
    let AttributeFinding::Measured { groups, .. } = &pair.finding else {
        return String::new();
    };
    let shown = groups::shown(groups).count();
    let name = pair.name();
    let name = on_one_line(&name);
    format!("\n{name}: {shown} groups shown, {} held back; see the page.\n", groups.len() - shown)
}

/// The audit as a table: UTF-8 with a byte-order mark, a line of headings, and one row for each group, measure
/// and comparison, everybody first.
///
/// `value`, `low` and `high` are the group's own figure with its 95% interval; shares are from 0 to 1. The
/// `difference` and `ratio` from `compared_with` (`reference`, `largest` or `whole`, by name in
/// `compared_group`) have the ends that hold for all groups at once. `status` is `shown`, `held back`, `withheld` (of what
/// happened at one score) or `not measurable`. A cell is empty where there is no figure or it may not be shown: never 0. A text that a
/// spreadsheet would run as a formula gets an apostrophe before it ([`cell`](crate::outputs::cell)).
///
/// # Errors
/// [`ReportError::Render`] where the text cannot be made.
pub fn audit_csv(audit: &Audit) -> Result<String, ReportError> {
    audit_table(audit).csv()
}

/// The same as a polars frame, with figures whole: see [`audit_csv`] for its columns. Null where there is no figure or it may not be shown.
///
/// # Errors
/// [`ReportError::Render`] where the frame cannot be made.
pub fn audit_frame(audit: &Audit) -> Result<DataFrame, ReportError> {
    audit_table(audit).frame()
}

/// Every figure of every group, everybody first.
pub(super) fn audit_table(audit: &Audit) -> Table {
    // Six decimals: enough to work on with, and no more than is known.
    let mut table = Table::new(HEAD.map(|(name, column)| column(name).decimals(6)));
    let rows = &mut table.rows;
    add_group(rows, ["everybody", "everybody", "yes"], (&audit.whole, audit.scores), &[]);
    for attribute in audit.attributes.iter().chain(&audit.intersections) {
        add_attribute(rows, &attribute.name(), attribute, audit.scores);
    }
    // Beside the audit stand shares of rows, and nothing else.
    for (of, beside) in [("left out of the audit", &audit.left_out), ("chosen by the ranking", &audit.chosen)]
    {
        for attribute in beside {
            let mut shares = Vec::new();
            add_attribute(&mut shares, &format!("{} ({of})", attribute.name()), attribute, audit.scores);
            let told = [Value::text(GroupMeasure::SelectionRate.name()), Value::Empty];
            shares.retain(|row: &Vec<Value>| told.contains(&row[5]));
            rows.extend(shares);
        }
    }
    table
}

fn add_attribute(rows: &mut Vec<Vec<Value>>, name: &str, attribute: &AttributeAudit, scale: ScoreScale) {
    let AttributeFinding::Measured { groups, .. } = &attribute.finding else {
        return rows.push(whole(first([name, "", "", "not measurable"])));
    };
    for group in groups {
        let (label, known) = (group.name(), if group.known { "yes" } else { "no" });
        match &group.outcome {
            AuditedOutcome::Suppressed { .. } => rows.push(whole(first([name, &label, known, "held back"]))),
            AuditedOutcome::Shown { measures, disparities } => {
                add_group(rows, [name, &label, known], (measures, scale), disparities);
            }
        }
    }
}

fn first(cells: [&str; 4]) -> Vec<Value> {
    cells.map(Value::text).into()
}

/// The row with nothing in its other cells.
fn whole(mut row: Vec<Value>) -> Vec<Value> {
    row.resize(HEAD.len(), Value::Empty);
    row
}

fn add_group(
    rows: &mut Vec<Vec<Value>>,
    [name, group, known]: [&str; 3],
    (measures, scale): (&GroupMeasures, ScoreScale),
    disparities: &[Disparity],
) {
    for measure in GroupMeasure::ALL {
        let found = measures.figure(measure);
        let mut row = first([name, group, known, "shown"]);
        row.extend([Value::Whole(measures.n), Value::text(figure::name(measure, scale))]);
        row.extend(Value::estimate(found, figure::kind(measure, scale)));
        row.push(found.map_or(Value::Empty, |found| Value::Whole(found.n)));
        let compared: Vec<Vec<Value>> =
            disparities.iter().filter(|held| held.measure == measure).map(comparison).collect();
        // Two curves are needed for the area between them, so one group alone has no row of it.
        if compared.is_empty() && measure != GroupMeasure::Abroca {
            rows.push(whole(row));
        } else {
            rows.extend(compared.into_iter().map(|cells| row.iter().cloned().chain(cells).collect()));
        }
    }
    for at in &measures.by_score {
        let observed = at.observed.as_ref();
        let mut row = first([name, group, known, if observed.is_some() { "shown" } else { "withheld" }]);
        row.extend([Value::Whole(measures.n), Value::text(format!("outcome at score {}", at.score))]);
        row.extend(Value::estimate(observed, Value::Share));
        row.push(observed.map_or(Value::Empty, |held| Value::Whole(held.n)));
        rows.push(whole(row));
    }
}

fn comparison(found: &Disparity) -> Vec<Value> {
    let (with, group) = match &found.against {
        Against::Reference(name) => ("reference", name.as_str()),
        Against::Largest(name) => ("largest", name.as_str()),
        Against::Whole => ("whole", "everybody"),
    };
    let value = |held: &Option<Estimate>| held.as_ref().map(|held| held.value);
    let mut cells = vec![Value::text(with), Value::text(group)];
    cells.extend(Value::ends(value(&found.difference), found.difference_simultaneous, Value::Number));
    cells.extend(Value::ends(value(&found.ratio), found.ratio_simultaneous, Value::Number));
    cells.push(Value::text(found.verdict.to_string()));
    cells.push(found.smallest_shown.map_or(Value::Empty, Value::Number));
    cells.push(found.difference.as_ref().map_or(Value::Empty, |held| Value::Whole(held.n)));
    cells
}
