//! A fairness audit as a page, as a few lines for a terminal, and as a table for a spreadsheet.

#[cfg(feature = "excel")]
mod book;
mod bundle;
mod chart;
pub(super) mod criteria;
mod facts;
pub(super) mod figure;
pub(super) mod groups;
#[cfg(test)]
mod made;
mod parted;
mod plain;
#[cfg(test)]
mod tests;

use askama::Template;

use self::criteria::{CriterionRow, DifferenceRow, Overview};
use self::facts::{Apart, Facts};
use self::groups::{CalibrationPlot, DetailTable, GroupTable, ScoresTable};
use self::parted::Parted;
use super::glossary::{self, Term};
use super::words;
use crate::error::ReportError;
use crate::fairness::audit::{AttributeAudit, AttributeFinding, Audit, ScoreIntake};

#[cfg(feature = "excel")]
pub use self::book::audit_xlsx;
pub use self::bundle::{AUDIT_FILES, audit_files};
pub use self::plain::{audit_csv, audit_frame, audit_text};

/// An audit as one HTML page, complete in itself: no script, nothing loaded from elsewhere, readable on paper.
///
/// `title` is the heading: say whose scores they are and what they foresee. `intake` is what became of the rows
/// of the file, if they came from one: rows left out belong on the page, since who is missing from a table is
/// itself a question of fairness.
///
/// For each characteristic the page says of each criterion of fairness whether a disparity is present,
/// absent within the margin, or impossible to tell, which group sets it and on how many people that rests. A
/// characteristic that could not be measured stands among the others, as large as they do.
///
/// # Errors
/// [`ReportError::Render`] where the page cannot be made.
///
/// # Examples
/// ```
/// use earlyhelp::fairness::audit::Audit;
/// use earlyhelp::report::audit::{audit_csv, audit_html, audit_text};
///
/// fn write(audit: &Audit, folder: &std::path::Path) -> Result<(), Box<dyn std::error::Error>> {
///     let page = audit_html(audit, "The vendor's school exclusion score, 2024", None)?;
///     std::fs::write(folder.join("audit.html"), page)?;
///     std::fs::write(folder.join("audit.csv"), audit_csv(audit)?)?;
///     assert!(audit_text(audit).contains("is not fair"));
///     Ok(())
/// }
/// ```
pub fn audit_html(audit: &Audit, title: &str, intake: Option<&ScoreIntake>) -> Result<String, ReportError> {
    let page = Page::of(audit, title, intake);
    let mut text = page.render().map_err(|error| ReportError::Render(error.to_string()))?;
    text.push('\n');
    Ok(text)
}

/// The words that a reader of the page needs, in the order in which they are met.
const TERMS: [&str; 23] = [
    "score",
    "outcome",
    "selected",
    "prevalence",
    "selection rate",
    "true-positive rate",
    "false-positive rate",
    "precision",
    "false-omission rate",
    "AUC",
    "average precision",
    "calibration gap",
    "outcome at equal score",
    "calibration slope and intercept",
    "expected calibration error",
    "net benefit",
    "ABROCA",
    "95% interval",
    "simultaneous interval",
    "margin",
    "smallest difference it could show",
    "percentage point",
    "held back",
];

#[derive(Template)]
#[template(path = "audit.html", config = "src/report/askama.toml")]
struct Page<'a> {
    title: &'a str,
    facts: Facts,
    apart: Option<Apart>,
    left_out: Vec<Parted>,
    chosen: Vec<Parted>,
    overview: Overview,
    characteristics: Vec<Characteristic>,
    intersections: Vec<Intersection>,
    glossary: Vec<Term>,
}

/// A characteristic on the page.
struct Characteristic {
    /// For links within the page.
    id: String,
    name: String,
    /// Why it could not be measured; empty where it was.
    not_measurable: String,
    /// Whom its groups are compared with; empty where with nobody.
    against: String,
    criteria: Vec<CriterionRow>,
    groups: GroupTable,
    /// Differences that are there.
    present: Vec<DifferenceRow>,
    /// All others.
    others: Vec<DifferenceRow>,
    details: Vec<DetailTable>,
    plots: Vec<CalibrationPlot>,
    /// What happened at each score, where scores are not chances and have few values.
    by_score: Option<ScoresTable>,
}

/// Two characteristics together.
struct Intersection {
    name: String,
    not_measurable: String,
    shown: String,
    groups: GroupTable,
    /// How many groups are held back: most of the groups of a pair are small.
    held_back: String,
}

impl<'a> Page<'a> {
    fn of(audit: &'a Audit, title: &'a str, intake: Option<&ScoreIntake>) -> Self {
        let numbered = audit.attributes.iter().enumerate();
        Self {
            title,
            facts: Facts::of(audit),
            apart: intake.and_then(Apart::of),
            left_out: Parted::left_out(audit),
            chosen: Parted::chosen(audit),
            overview: Overview::of(audit),
            characteristics: numbered.map(|(nth, held)| Characteristic::of(audit, nth, held)).collect(),
            intersections: audit.intersections.iter().map(|held| Intersection::of(audit, held)).collect(),
            glossary: glossary::named(&TERMS),
        }
    }
}

impl Characteristic {
    fn of(audit: &Audit, nth: usize, attribute: &AttributeAudit) -> Self {
        let mut page = Self {
            id: id(nth),
            name: name(attribute),
            not_measurable: String::new(),
            against: String::new(),
            criteria: Vec::new(),
            groups: GroupTable::default(),
            present: Vec::new(),
            others: Vec::new(),
            details: Vec::new(),
            plots: Vec::new(),
            by_score: None,
        };
        match &attribute.finding {
            AttributeFinding::NotMeasurable { why } => page.not_measurable = sentence(why),
            AttributeFinding::Measured { groups, criteria, .. } => {
                let main = criteria::main_against(criteria);
                page.against = main.map(ToString::to_string).unwrap_or_default();
                page.criteria = CriterionRow::all(audit, groups, criteria);
                page.groups = GroupTable::of(audit, groups, true);
                (page.present, page.others) = DifferenceRow::split(audit, groups, main);
                page.details = groups::details(audit, groups);
                page.plots = CalibrationPlot::all(audit, groups);
                page.by_score = ScoresTable::of(audit, groups);
            }
        }
        page
    }
}

impl Intersection {
    fn of(audit: &Audit, attribute: &AttributeAudit) -> Self {
        let (groups, not_measurable) = match &attribute.finding {
            AttributeFinding::NotMeasurable { why } => (&[][..], sentence(why)),
            AttributeFinding::Measured { groups, .. } => (groups.as_slice(), String::new()),
        };
        let shown = groups::shown(groups).count();
        Self {
            name: name(attribute),
            not_measurable,
            shown: format!("{shown} of {} groups shown", groups.len()),
            groups: GroupTable::of(audit, groups, false),
            held_back: groups::held_back(groups),
        }
    }
}

/// With a full stop.
fn sentence(text: &str) -> String {
    format!("{}.", text.trim_end_matches('.'))
}

/// Where a characteristic stands on the page.
fn id(nth: usize) -> String {
    format!("characteristic-{}", nth + 1)
}

/// The name of a characteristic as people write it: `age_band` as `Age band`.
pub(super) fn name(attribute: &AttributeAudit) -> String {
    words::capitalised(&words::plain(&attribute.name()))
}
