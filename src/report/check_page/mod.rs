//! The quality of a project's data as a page: what `earlyhelp check --out` writes.

mod timeline;

use std::collections::BTreeMap;

use askama::Template;

use self::timeline::{Axis, Timeline};
use super::words;
use crate::error::ReportError;
use crate::outputs::json_text;
use crate::project::{
    CohortAtDate, DataQuality, FindingWeight, LeftOutBy, ModelAtTheDoor, NamedCount, Names, OverlapShare,
    RejectGroup, ShownCount, TableQuality, Timeliness,
};
use crate::records::{ColumnRead, DateClass, FileRead, LinkCertainty, RemarkKind};

/// The quality of a project's data as one HTML page, complete in itself: no script, nothing loaded from elsewhere,
/// readable on paper.
///
/// It says first what is wrong or doubtful, the weightiest first, with what to do, and then shows of each table how it was
/// read, how it lies in time, what it holds and what was rejected. No id and no value of a row is on it.
///
/// # Errors
/// [`ReportError::Render`] where the page cannot be made.
///
/// # Examples
/// ```
/// use earlyhelp::project::Project;
/// use earlyhelp::report::{check_html, check_json};
///
/// fn write(project: &Project, folder: &std::path::Path) -> Result<(), Box<dyn std::error::Error>> {
///     let quality = project.check()?.quality("2025-04-01".parse()?, None);
///     std::fs::write(folder.join("check.html"), check_html(&quality)?)?;
///     std::fs::write(folder.join("check.json"), check_json(&quality)?)?;
///     Ok(())
/// }
/// ```
pub fn check_html(quality: &DataQuality) -> Result<String, ReportError> {
    let mut page = Page::of(quality).render().map_err(|error| ReportError::Render(error.to_string()))?;
    page.push('\n');
    Ok(page)
}

/// The same as JSON, digit for digit.
///
/// # Errors
/// [`ReportError::Render`] where it cannot be written.
pub fn check_json(quality: &DataQuality) -> Result<String, ReportError> {
    json_text(quality).map_err(|error| ReportError::Render(error.to_string()))
}

#[derive(Template)]
#[template(path = "check.html", config = "src/report/askama.toml")]
struct Page<'a> {
    title: &'a str,
    as_of: String,
    people: String,
    families: String,
    read: String,
    rejected: String,
    errors: usize,
    warnings: usize,
    notes: usize,
    findings: Vec<FindingRow>,
    tables: Vec<TableSection<'a>>,
    axis: Axis,
    cohorts: Vec<CohortRow>,
    overlaps: Option<Matrix<'a>>,
    model: Option<ModelSection<'a>>,
}

/// Who is asked about at a date.
struct CohortRow {
    as_of: String,
    cohort: String,
    left_out: String,
}

struct FindingRow {
    class: &'static str,
    mark: &'static str,
    weight: &'static str,
    words: String,
}

/// A table on the page.
struct TableSection<'a> {
    id: String,
    name: String,
    read: String,
    accepted: String,
    rejected: String,
    people: String,
    known: String,
    fresh: String,
    is_stale: bool,
    timeline: Option<Timeline>,
    facts: Vec<(&'static str, String)>,
    files: Vec<FileRow<'a>>,
    columns: Vec<ColumnRow<'a>>,
    names: Vec<NamesTable<'a>>,
    rejects: Vec<RejectRow<'a>>,
    more_rejects: String,
    unmatched: Vec<(String, String, &'static str)>,
    remarks: Vec<(String, &'static str)>,
    links: Vec<(String, String)>,
}

struct FileRow<'a> {
    name: &'a str,
    form: String,
    read: String,
    rejected: String,
    dates: String,
}

struct ColumnRow<'a> {
    name: &'a str,
    empty: String,
    /// The width of a bar of 100 that the share of empty cells makes; no bar where none is empty.
    bar: String,
    dates: String,
    is_doubtful: bool,
}

struct NamesTable<'a> {
    of: String,
    /// Said where names are not listed.
    unlisted: String,
    rows: Vec<(&'a str, String, String)>,
}

struct RejectRow<'a> {
    place: &'a str,
    column: &'a str,
    reason: &'static str,
    pattern: String,
    rows: String,
    first: String,
}

/// Shares of people of one source in another.
struct Matrix<'a> {
    names: Vec<&'a str>,
    rows: Vec<(&'a str, Vec<Share>)>,
}

struct Share {
    says: String,
    strength: String,
}

struct ModelSection<'a> {
    candidate: &'a str,
    changes: Vec<(String, &'a str)>,
    tests: Vec<(&'a str, &'static str, &'static str)>,
    within: usize,
}

impl<'a> Page<'a> {
    fn of(quality: &'a DataQuality) -> Self {
        let count = |weight| quality.findings.iter().filter(|finding| finding.weight == weight).count();
        let sum = |of: fn(&TableQuality) -> u64| words::count(quality.tables.iter().map(of).sum());
        let axis = Axis::of(quality);
        Self {
            title: &quality.project,
            as_of: words::date(quality.as_of.day()),
            people: words::count(quality.people),
            families: words::count(quality.families),
            read: sum(|table| table.intake.read),
            rejected: sum(|table| table.intake.rejected),
            errors: count(FindingWeight::Error),
            warnings: count(FindingWeight::Warning),
            notes: count(FindingWeight::Note),
            findings: quality
                .findings
                .iter()
                .map(|finding| FindingRow::of(finding.weight, &finding.words))
                .collect(),
            tables: quality
                .tables
                .iter()
                .enumerate()
                .map(|(nth, table)| TableSection::of(table, nth, &axis))
                .collect(),
            cohorts: quality.cohorts.iter().map(CohortRow::of).collect(),
            overlaps: Matrix::of(quality),
            model: quality.model.as_ref().map(ModelSection::of),
            axis,
        }
    }
}

impl CohortRow {
    fn of(held: &CohortAtDate) -> Self {
        let by = |left_out: &LeftOutBy| format!("{} {}", left_out.people, left_out.rule);
        Self {
            as_of: words::date(held.as_of.day()),
            cohort: held.cohort.to_string(),
            left_out: held.left_out.iter().map(by).collect::<Vec<_>>().join("; "),
        }
    }
}

impl FindingRow {
    fn of(weight: FindingWeight, said: &str) -> Self {
        let (class, mark, weight) = match weight {
            FindingWeight::Error => ("present", "✕", "Error"),
            FindingWeight::Warning => ("doubt", "▲", "Warning"),
            FindingWeight::Note => ("unsure", "·", "Note"),
        };
        Self { class, mark, weight, words: words::sentence(said) }
    }
}

/// Rejects shown in a table's list; the JSON has all.
const REJECTS_SHOWN: usize = 30;

impl<'a> TableSection<'a> {
    fn of(table: &'a TableQuality, nth: usize, axis: &Axis) -> Self {
        let intake = &table.intake;
        let timeliness = table.timeliness.as_ref();
        let is_stale = timeliness.is_some_and(|held| held.is_stale() || held.found.is_none());
        let shown = table.validity.len().min(REJECTS_SHOWN);
        let more = table.validity.len() - shown;
        Self {
            id: format!("table-{}", nth + 1),
            name: words::capitalised(&words::plain(&intake.source)),
            read: words::count(intake.read),
            accepted: words::count(intake.accepted),
            rejected: words::count(intake.rejected),
            people: table.people.map(|people| people.to_string()).unwrap_or_default(),
            known: timeliness
                .and_then(|held| held.found)
                .map(|found| words::date(found.last_known))
                .unwrap_or_default(),
            fresh: timeliness.map(freshness).unwrap_or_default(),
            is_stale,
            timeline: timeliness.map(|held| Timeline::of(held, axis)),
            facts: timeliness.map(facts).unwrap_or_default(),
            files: table.files.iter().map(FileRow::of).collect(),
            columns: table.completeness.iter().map(ColumnRow::of).collect(),
            names: NamesTable::all(table),
            rejects: table.validity[..shown].iter().map(RejectRow::of).collect(),
            more_rejects: if more > 0 {
                words::counted(more, "further group of rejects is", "further groups of rejects are")
            } else {
                String::new()
            },
            unmatched: table
                .unmatched
                .iter()
                .map(|held| (words::count(held.rows), words::count(held.ids), held.why.words()))
                .collect(),
            remarks: remarks(&table.uniqueness, table.superseded),
            links: table.links.as_ref().map(links).unwrap_or_default(),
        }
    }
}

/// How far a source reaches, seen from the as-of date.
fn freshness(held: &Timeliness) -> String {
    let days = |days: i32| words::counted(days.unsigned_abs() as usize, "day", "days");
    match held.days_behind.filter(|_| held.found.is_some()) {
        None => "no record".to_owned(),
        Some(behind @ ..0) => format!("{} beyond it", days(behind)),
        Some(0) => "up to the as-of date".to_owned(),
        Some(behind) if held.is_stale() => format!("up to {} before it: too old", days(behind)),
        Some(behind) => format!("up to {} before it", days(behind)),
    }
}

/// Days declared beside days found.
fn facts(held: &Timeliness) -> Vec<(&'static str, String)> {
    let found = |of: fn(&crate::records::DaysFound) -> crate::calendar::Day| {
        held.found.as_ref().map_or_else(|| "no record".to_owned(), |found| words::date(of(found)))
    };
    vec![
        ("Declared from", words::date_if_stated(held.declared.from)),
        ("Declared to", words::date_if_stated(held.declared.to)),
        ("Extract made on", words::date_if_stated(held.declared.updated)),
        ("First record", found(|found| found.first_occurred)),
        ("Last record", found(|found| found.last_occurred)),
        ("Last became known", found(|found| found.last_known)),
    ]
}

fn remarks(kinds: &BTreeMap<RemarkKind, u64>, superseded: u64) -> Vec<(String, &'static str)> {
    let mut remarks: Vec<(String, &'static str)> =
        kinds.iter().map(|(kind, &rows)| (words::count(rows), kind.words())).collect();
    if superseded > 0 {
        let what =
            "states of records that a later row superseded, used up to the day on which that became known";
        remarks.push((words::count(superseded), what));
    }
    remarks
}

fn links(held: &LinkCertainty) -> Vec<(String, String)> {
    let limits = LinkCertainty::LIMITS.iter().zip(held.below.iter().zip(&held.people_below));
    limits
        .map(|(limit, (rows, &people))| {
            let rows = words::counted(*rows as usize, "row is linked", "rows are linked");
            (format!("{rows} with less than {limit}"), ShownCount::of(people).to_string())
        })
        .collect()
}

impl<'a> FileRow<'a> {
    fn of(file: &'a FileRead) -> Self {
        let is_query = file.form.as_ref().is_some_and(|form| form.kind == "query");
        let mut form = Vec::new();
        if let Some(held) = &file.form {
            form.push(held.kind.to_string());
            form.extend(held.encoding.as_deref().map(ToOwned::to_owned));
            form.extend(held.delimiter.as_ref().map(|delimiter| format!("{delimiter} between columns")));
            form.extend(held.sheet.as_ref().map(|sheet| format!("sheet {sheet}")));
        } else {
            form.push("no row".to_owned());
        }
        if file.windows_1252 > 0 {
            form.push(format!("{} of them Windows-1252", words::count(file.windows_1252)));
        }
        let of_column = |(column, ways): (&String, &BTreeMap<_, u64>)| {
            let ways: Vec<String> = ways
                .iter()
                .map(|(way, &dates): (&crate::records::DateWritten, _)| {
                    if ways.len() == 1 {
                        way.words().to_owned()
                    } else {
                        format!("{} ({})", way.words(), words::count(dates))
                    }
                })
                .collect();
            format!("{column}: {}", ways.join(", "))
        };
        let dates: Vec<String> = file.dates.iter().map(of_column).collect();
        Self {
            name: file.file.as_deref().unwrap_or(if is_query {
                "rows of a query"
            } else {
                "rows of a program"
            }),
            form: form.join(", "),
            read: words::count(file.read),
            rejected: words::count(file.rejected),
            dates: dates.join("; "),
        }
    }
}

impl<'a> ColumnRow<'a> {
    fn of(column: &'a ColumnRead) -> Self {
        let share = if column.cells == 0 { 0.0 } else { column.empty as f64 / column.cells as f64 };
        let is_fault = |class: DateClass| {
            !matches!(class, DateClass::Plausible | DateClass::Absent | DateClass::OpenEnd)
        };
        let classes = column.dates.iter().filter(|(class, _)| **class != DateClass::Absent);
        let dates: Vec<String> =
            classes.map(|(class, &dates)| format!("{} {}", words::count(dates), class.words())).collect();
        Self {
            name: &column.column,
            empty: words::percent(share),
            bar: if share > 0.0 { format!("{:.1}", 100.0 * share) } else { String::new() },
            dates: dates.join("; "),
            is_doubtful: column.dates.keys().any(|&class| is_fault(class)),
        }
    }
}

impl<'a> NamesTable<'a> {
    fn all(table: &'a TableQuality) -> Vec<Self> {
        let mut all =
            vec![Self::of("Kinds".to_owned(), &table.kinds), Self::of("Roles".to_owned(), &table.roles)];
        let categories = table.categories.iter();
        all.extend(categories.map(|(column, names)| Self::of(format!("Values of {column}"), names)));
        all.retain(|table| !table.rows.is_empty() || !table.unlisted.is_empty());
        all
    }

    fn of(of: String, names: &'a Names) -> Self {
        let unlisted = names.listed.is_empty() && names.different > 0;
        let row = |held: &'a NamedCount| {
            let rows = held.rows.map_or_else(|| "withheld".to_owned(), words::count);
            (held.name.as_str(), rows, held.people.to_string())
        };
        Self {
            of,
            unlisted: if unlisted {
                format!(
                    "{} different ones, not listed: they may be free text.",
                    words::count(names.different)
                )
            } else {
                String::new()
            },
            rows: names.listed.iter().map(row).collect(),
        }
    }
}

impl<'a> RejectRow<'a> {
    fn of(group: &'a RejectGroup) -> Self {
        let first: Vec<String> = group.first.iter().map(u64::to_string).collect();
        let more = if group.rows > group.first.len() as u64 { ", …" } else { "" };
        Self {
            place: group.file.as_deref().unwrap_or_default(),
            column: group.column.as_deref().unwrap_or_default(),
            reason: group.reason.words(),
            pattern: group.pattern.as_ref().map(ToString::to_string).unwrap_or_default(),
            rows: words::count(group.rows),
            first: first.join(", ") + more,
        }
    }
}

impl<'a> Matrix<'a> {
    fn of(quality: &'a DataQuality) -> Option<Self> {
        let mut names: Vec<&str> = quality.overlaps.iter().map(|held| held.of.as_str()).collect();
        names.dedup();
        let share = |of: &str, within: &str| {
            let found = quality.overlaps.iter().find(|held| held.of == of && held.within == within);
            Share::of(found.map(|held| held.share))
        };
        let row = |&of: &&'a str| (of, names.iter().map(|within| share(of, within)).collect());
        let rows = names.iter().map(row).collect();
        (!names.is_empty()).then(|| Self { rows, names: names.clone() })
    }
}

impl Share {
    fn of(share: Option<OverlapShare>) -> Self {
        let (says, strength) = match share {
            None => ("–".to_owned(), 0.0),
            Some(OverlapShare::Nobody) => ("none".to_owned(), 0.0),
            Some(OverlapShare::Few) => (format!("<{}", ShownCount::FEWEST), 0.0),
            Some(OverlapShare::Share(share)) => (words::percent(share), share),
            Some(OverlapShare::NearlyAll) => ("nearly all".to_owned(), 1.0),
            Some(OverlapShare::All) => ("all".to_owned(), 1.0),
        };
        Self { says, strength: format!("{:.0}%", 60.0 * strength) }
    }
}

impl<'a> ModelSection<'a> {
    fn of(model: &'a ModelAtTheDoor) -> Self {
        use crate::monitor::Verdict;
        let test = |verdict: Verdict| match verdict {
            Verdict::Beyond => ("present", "▲ beyond"),
            Verdict::CannotTell => ("unsure", "? cannot tell"),
            Verdict::Within => ("within", "✓ within"),
        };
        let told = model.tests.iter().filter(|held| held.verdict != Verdict::Within);
        Self {
            candidate: model.candidate.get(..12).unwrap_or(&model.candidate),
            changes: model
                .changes
                .iter()
                .map(|change| (words::plain(&change.source), change.words.as_str()))
                .collect(),
            tests: told
                .map(|held| (held.about.as_str(), test(held.verdict).0, test(held.verdict).1))
                .collect(),
            within: model.tests.iter().filter(|held| held.verdict == Verdict::Within).count(),
        }
    }
}
