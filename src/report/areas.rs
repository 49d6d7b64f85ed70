//! Needs and places by area: a page, a table and data.

use askama::Template;
use serde::Serialize;

use super::table::{Column, Table, Value};
use super::words;
use crate::error::ReportError;
use crate::outputs::json_text;
use crate::review::AreaView;

/// Needs and places by area as one HTML page, complete in itself: for those who plan services. It names nobody.
///
/// # Errors
/// [`ReportError::Render`] where the page cannot be made.
pub fn areas_html(view: &AreaView, title: &str) -> Result<String, ReportError> {
    let mut page = Page::of(view, title).render().map_err(|error| ReportError::Render(error.to_string()))?;
    page.push('\n');
    Ok(page)
}

/// The same as a table: the columns are the area, cases `scored`, places `listed` for their scores, and the cases that show each
/// need. Empty where withheld.
///
/// # Errors
/// [`ReportError::Render`] where the text cannot be made.
pub fn areas_csv(view: &AreaView) -> Result<String, ReportError> {
    let fixed = [view.by.as_str(), "scored", "listed"].map(Column::new);
    let needs = view.needs.iter().map(|need| Column::new(format!("need_{need}")));
    let mut table = Table::new(fixed.into_iter().chain(needs));
    let number = |number: Option<u64>| number.map_or(Value::Empty, Value::Whole);
    table.rows.extend(view.areas.iter().map(|area| {
        let fixed = [Value::text(&area.area), number(area.scored), number(area.listed)];
        fixed.into_iter().chain(area.needs.iter().map(|&need| number(need))).collect()
    }));
    table.csv()
}

/// The same as JSON, with what the page says of it in `says`.
///
/// # Errors
/// [`ReportError::Render`] where the text cannot be made.
pub fn areas_json(view: &AreaView) -> Result<String, ReportError> {
    #[derive(Serialize)]
    struct Said<'a> {
        says: [String; 3],
        #[serde(flatten)]
        view: &'a AreaView,
    }
    let [counts, names] = LEAD.map(str::to_owned);
    json_text(&Said { says: [counts, names, note(view.minimum)], view })
        .map_err(|error| ReportError::Render(error.to_string()))
}

const LEAD: [&str; 2] = [
    "It counts in how many cases each need is on record, where people live.",
    "It names nobody, and says nothing about one family.",
];

fn note(minimum: u32) -> String {
    format!(
        "A need is on record where a service wrote something down. Where services look harder, they find more: a difference \
         between areas can be one between services. Cases that were not scored are not counted. “Withheld” means that a number \
         would tell fewer than {minimum} people apart, or that such a number could be worked out; it does not mean none."
    )
}

#[derive(Template)]
#[template(path = "areas.html", config = "src/report/askama.toml")]
struct Page<'a> {
    title: &'a str,
    as_of: String,
    by: String,
    head: String,
    scored: String,
    listed: String,
    minimum: u32,
    lead: [&'static str; 2],
    note: String,
    needs: Vec<String>,
    rows: Vec<Row>,
}

struct Row {
    area: String,
    is_all: bool,
    scored: String,
    listed: String,
    needs: Vec<Count>,
}

/// A count with its share of the area's cases.
struct Count {
    says: String,
    /// How long its bar is, the longest of the page being 100; none where withheld.
    share: Option<String>,
}

impl<'a> Page<'a> {
    fn of(view: &AreaView, title: &'a str) -> Self {
        let shares = view.areas.iter().flat_map(|area| {
            area.needs
                .iter()
                .filter_map(|need| Some((*need)? as f64 / area.scored.filter(|&of| of > 0)? as f64))
        });
        let largest = shares.fold(f64::MIN_POSITIVE, f64::max);
        let number = |number: Option<u64>| number.map_or_else(|| "withheld".to_owned(), words::count);
        let count = |count: Option<u64>, of: Option<u64>| match (count, of) {
            (Some(count), Some(of)) if of > 0 => {
                let share = count as f64 / of as f64;
                Count {
                    says: format!("{} ({})", words::count(count), words::percent(share)),
                    share: Some(format!("{:.1}", 100.0 * (share / largest).min(1.0))),
                }
            }
            (count, _) => Count { says: number(count), share: None },
        };
        let counts =
            |needs: &[Option<u64>], of: Option<u64>| needs.iter().map(|&need| count(need, of)).collect();
        let all = Row {
            area: "All areas".to_owned(),
            is_all: true,
            scored: words::count(view.scored),
            listed: words::count(view.listed),
            needs: counts(&view.with_need, Some(view.scored)),
        };
        let rows = view.areas.iter().map(|area| Row {
            area: area.area.clone(),
            is_all: false,
            scored: number(area.scored),
            listed: number(area.listed),
            needs: counts(&area.needs, area.scored),
        });
        Self {
            title,
            as_of: words::date(view.as_of.day()),
            by: words::plain(&view.by),
            head: words::capitalised(&words::plain(&view.by)),
            scored: words::count(view.scored),
            listed: words::count(view.listed),
            minimum: view.minimum,
            lead: LEAD,
            note: note(view.minimum),
            needs: view.needs.iter().map(|need| words::capitalised(&words::plain(need))).collect(),
            rows: std::iter::once(all).chain(rows).collect(),
        }
    }
}
