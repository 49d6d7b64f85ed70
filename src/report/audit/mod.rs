//! A fairness audit as a page, as a few lines for a terminal, and as a table for a spreadsheet.

mod chart;
mod criteria;
mod facts;
mod figure;
mod glossary;
mod groups;
#[cfg(test)]
mod made;
mod plain;
#[cfg(test)]
mod tests;

use askama::Template;

use self::criteria::{CriterionRow, DifferenceRow, Overview};
use self::facts::{Facts, Rejected};
use self::groups::{CalibrationPlot, DetailTable, GroupTable};
use super::words;
use crate::error::ReportError;
use crate::fairness::audit::{AttributeAudit, AttributeFinding, Audit, AuditedGroup, ScoreIntake};

pub use self::plain::{audit_csv, audit_text};

/// An audit as one HTML page, complete in itself: no script, nothing loaded from elsewhere, readable on paper.
///
/// `title` is the heading: say whose scores they are and what they foresee. `intake` is what became of the rows
/// of the file, if they came from one: rows left out belong on the page, since who is missing from a table is
/// itself a question of fairness.
///
/// For each characteristic the page says of each criterion of fairness whether a disparity is present,
/// absent within the margin, or that one cannot tell, which group sets it and on how many people that rests. A
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

#[derive(Template)]
#[template(path = "audit.html", config = "src/report/askama.toml")]
struct Page<'a> {
    title: &'a str,
    facts: Facts,
    rejected: Option<Rejected>,
    overview: Overview,
    characteristics: Vec<Characteristic>,
    intersections: Vec<Intersection>,
    glossary: &'static [(&'static str, &'static str)],
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
}

/// Two characteristics together.
struct Intersection {
    name: String,
    not_measurable: String,
    shown: String,
    groups: GroupTable,
    /// The names of groups held back, in one line: most of the groups of a pair are small.
    held_back: String,
}

impl<'a> Page<'a> {
    fn of(audit: &'a Audit, title: &'a str, intake: Option<&ScoreIntake>) -> Self {
        let numbered = audit.attributes.iter().enumerate();
        Self {
            title,
            facts: Facts::of(audit),
            rejected: intake.and_then(Rejected::of),
            overview: Overview::of(audit),
            characteristics: numbered.map(|(nth, held)| Characteristic::of(audit, nth, held)).collect(),
            intersections: audit.intersections.iter().map(|held| Intersection::of(audit, held)).collect(),
            glossary: &glossary::GLOSSARY,
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
        let held: Vec<String> = groups::held_back(groups).map(AuditedGroup::name).collect();
        Self {
            name: name(attribute),
            not_measurable,
            shown: format!("{} of {} groups shown", groups.len() - held.len(), groups.len()),
            groups: GroupTable::of(audit, groups, false),
            held_back: held.join("; "),
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
fn name(attribute: &AttributeAudit) -> String {
    let plain = words::plain(&attribute.name());
    let mut letters = plain.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}
