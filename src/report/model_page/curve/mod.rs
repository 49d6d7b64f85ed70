//! The drawing of one term: what it adds, with its interval, and the people under it.

mod axis;
mod frame;
#[cfg(test)]
mod tests;

use self::axis::{Across, MOST_NUMBERS, People, at_whole_numbers, between, even, nice};
use self::frame::Frame;
use super::{percent, px};
use crate::model::{CurvePoint, FeatureRange, Place, Scale, ShapeRow, ShapeTable, Shares, TermTable};

/// The drawing is 720 wide, and text in it is 12 high. Where values begin, and where they end beside the two
/// absences and without them:
const LEFT: f64 = 52.0;
const RIGHT: f64 = 550.0;
const FULL: f64 = 706.0;
/// The two absences.
const ABSENT: [(f64, f64); 2] = [(574.0, 630.0), (650.0, 706.0)];
const TOP: f64 = 8.0;
/// The histogram's height, and the room above it for its figures.
const BARS: f64 = 34.0;
const ABOVE_BARS: f64 = 24.0;
/// The room that a letter takes.
const LETTER: f64 = 6.6;

/// At most so many steps are drawn side by side; more are drawn along their values.
const COLUMNS: usize = 20;

/// One scale for all drawings of a page: what looks large is large.
#[derive(Debug, Clone, Copy)]
pub(super) struct PageScale {
    /// Drawing units for one unit of log-odds.
    per_unit: f64,
    /// Log-odds from mark to mark.
    tick: f64,
}

impl PageScale {
    /// The usual height of the tallest term, and the height that none exceeds.
    const USUAL: f64 = 180.0;
    const MOST: f64 = 420.0;

    pub(super) fn of(tables: &[TermTable]) -> Self {
        let range = |common: bool| {
            let spans = tables.iter().filter_map(|table| rows_of(table)).map(|rows| span(rows, common));
            spans.map(|(low, high)| high - low).fold(0.0, f64::max)
        };
        let (usual, whole) = (range(true), range(false));
        // What is rare may be all there is: it is never taller than the page.
        let fitted = |height: f64, range: f64| if range > 0.0 { height / range } else { Self::USUAL };
        let per_unit = fitted(Self::USUAL, usual).min(fitted(Self::MOST, whole));
        Self { per_unit, tick: nice(34.0 / per_unit) }
    }
}

/// The rows of a term of one feature.
fn rows_of(table: &TermTable) -> Option<&[ShapeRow]> {
    match &table.shape {
        ShapeTable::Steps { rows } | ShapeTable::Line { rows, .. } => Some(rows),
        ShapeTable::Grid { .. } => None,
    }
}

/// The lowest and the highest that a term adds, zero among them; of what is common, with its interval.
fn span(rows: &[ShapeRow], common: bool) -> (f64, f64) {
    const COMMON: f64 = 0.01;
    let drawn = rows.iter().filter(|row| is_drawn(row));
    drawn.fold((0.0, 0.0), |(low, high): (f64, f64), row| {
        let is_common = row.share.is_some_and(|share| share >= COMMON);
        let reach = row.reach.filter(|_| is_common).unwrap_or_default();
        if common && !is_common {
            (low, high)
        } else {
            (low.min(row.contribution - reach), high.max(row.contribution + reach))
        }
    })
}

/// An absence that nobody showed has no place in the drawing.
fn is_drawn(row: &ShapeRow) -> bool {
    !(matches!(row.at, Place::Missing | Place::NotCovered) && row.share == Some(0.0))
}

/// Everything that is drawn, in units of the drawing.
pub(super) struct Curve {
    pub height: String,
    pub right: String,
    pub levels: Vec<Level>,
    pub marks: Vec<Mark>,
    pub band: String,
    pub line: String,
    /// Steps that fewer than ten people were on.
    pub rare: String,
    pub absent: Vec<Absent>,
    pub bars: Vec<Bar>,
    pub figures: Vec<Mark>,
    pub base: String,
    pub below: String,
    pub caption: String,
}

/// A level of the score.
pub(super) struct Level {
    pub y: String,
    pub text_y: String,
    pub label: String,
    pub is_zero: bool,
}

/// A word at a place along the drawing.
pub(super) struct Mark {
    pub x: String,
    pub y: String,
    pub label: String,
}

/// Missing or not covered, set apart.
pub(super) struct Absent {
    pub from: String,
    pub width: String,
    pub to: String,
    pub y: String,
    pub band: Option<(String, String)>,
    pub learnt: bool,
    pub name: Mark,
    pub share: Mark,
}

pub(super) struct Bar {
    pub x: String,
    pub y: String,
    pub width: String,
    pub height: String,
}

impl Curve {
    /// The drawing of a term of one feature; `None` for a pair.
    pub(super) fn of(table: &TermTable, range: Option<&FeatureRange>, scale: PageScale) -> Option<Self> {
        let rows = rows_of(table)?;
        let frame = Frame::of(rows, scale);
        let valued: Vec<&ShapeRow> =
            rows.iter().filter(|row| !matches!(row.at, Place::Missing | Place::NotCovered)).collect();
        let unit = table.units.first().map_or("", String::as_str);
        let drawn = match &table.shape {
            ShapeTable::Line { scale, curve, .. } if unit != "yes or no" => {
                Values::of_line(&frame, *scale, curve, &valued, unit)
            }
            _ if valued.len() <= COLUMNS => {
                Values::of_columns(&frame, &valued, table.shares == Shares::FromTenths)
            }
            _ => Values::of_steps(&frame, &valued, range, unit),
        };
        Some(drawn.finish(&frame, rows, unit))
    }
}

/// The part of a drawing that shows values, before people are drawn under it.
struct Values {
    line: String,
    rare: String,
    band: String,
    marks: Vec<(f64, String)>,
    people: Vec<People>,
    /// Whether each bar of people is told as a figure, and whether that is only about right.
    told: bool,
    is_about: bool,
}

impl Values {
    /// Steps side by side, each as wide as the next.
    fn of_columns(frame: &Frame, rows: &[&ShapeRow], is_about: bool) -> Self {
        let width = (frame.right - LEFT) / rows.len() as f64;
        let place = |nth: usize| LEFT + nth as f64 * width;
        let steps: Vec<(f64, f64, &ShapeRow)> =
            rows.iter().enumerate().map(|(nth, row)| (place(nth), place(nth + 1), *row)).collect();
        let (line, rare) = frame.line_of_steps(&steps);
        Self {
            line,
            rare,
            band: frame.band_of_steps(&steps),
            marks: fitting(
                rows.iter().enumerate().map(|(nth, row)| (place(nth) + width / 2.0, row.label.clone())),
            ),
            people: steps
                .iter()
                .map(|(from, to, row)| People {
                    from: from + 0.08 * width,
                    to: to - 0.08 * width,
                    share: row.share.unwrap_or_default(),
                })
                .collect(),
            told: width >= 40.0,
            is_about,
        }
    }

    /// Many steps, along their values.
    fn of_steps(frame: &Frame, rows: &[&ShapeRow], range: Option<&FeatureRange>, unit: &str) -> Self {
        let edges: Vec<f64> = rows
            .iter()
            .filter_map(|row| if let Place::Between { below, .. } = row.at { below } else { None })
            .collect();
        let (first, last) = (edges[0], edges[edges.len() - 1]);
        let gap = (last - first) / edges.len() as f64;
        let quantile = |place: usize| range.and_then(|range| range.quantiles.get(place)).copied();
        let low = quantile(0).unwrap_or(first - gap).min(first);
        let high = quantile(10).unwrap_or(last + gap).max(last);
        // Most edges crowded at the low end: the logarithm parts them.
        let is_long = low >= 0.0 && edges[edges.len() / 2] - low < 0.15 * (high - low);
        let scale = if is_long { Scale::Log } else { Scale::Linear };
        let across = Across { scale, low, high, right: frame.right };
        let steps: Vec<(f64, f64, &ShapeRow)> = rows
            .iter()
            .enumerate()
            .map(|(nth, row)| {
                let from = nth.checked_sub(1).map_or(LEFT, |before| across.x(edges[before]));
                (from, edges.get(nth).map_or(frame.right, |edge| across.x(*edge)), *row)
            })
            .collect();
        let (line, rare) = frame.line_of_steps(&steps);
        let spread: Vec<People> = steps
            .iter()
            .map(|&(from, to, row)| People { from, to, share: row.share.unwrap_or_default() })
            .collect();
        Self {
            line,
            rare,
            band: frame.band_of_steps(&steps),
            marks: across.marks(is_whole(unit)),
            people: even(&spread, frame.right),
            told: false,
            is_about: false,
        }
    }

    fn of_line(frame: &Frame, scale: Scale, curve: &[CurvePoint], rows: &[&ShapeRow], unit: &str) -> Self {
        let low = curve.first().map_or(0.0, |point| point.value);
        let high = curve.last().map_or(0.0, |point| point.value);
        let across = Across { scale, low, high, right: frame.right };
        let (line, band) = frame.line_of_points(&across, curve);
        let valued = rows.iter().filter_map(|row| match row.at {
            Place::At(value) => Some((value, row.share.unwrap_or_default())),
            _ => None,
        });
        let valued: Vec<(f64, f64)> = valued.collect();
        let people = if is_whole(unit) && high - low <= MOST_NUMBERS {
            at_whole_numbers(&across, &valued)
        } else {
            between(&across, &valued)
        };
        Self {
            line,
            rare: String::new(),
            band,
            marks: across.marks(is_whole(unit)),
            people,
            told: false,
            is_about: true,
        }
    }

    fn finish(self, frame: &Frame, rows: &[ShapeRow], unit: &str) -> Curve {
        let base = frame.base();
        let most = self.people.iter().map(|people| people.share).fold(0.0, f64::max);
        // What is there at all is seen.
        let height = |share: f64| if share > 0.0 { (BARS * share / most).max(1.0) } else { 0.0 };
        let bar = |people: &People| Bar {
            x: px(people.from),
            y: px(base - height(people.share)),
            width: px(people.to - people.from),
            height: px(height(people.share)),
        };
        let figure = |people: &People| Mark {
            x: px(f64::midpoint(people.from, people.to)),
            y: px(base - height(people.share) - 4.0),
            label: short(Some(people.share).filter(|share| *share > 0.0), self.is_about),
        };
        let told = if self.told { self.people.as_slice() } else { &[] };
        Curve {
            height: px(base + 38.0),
            right: px(frame.right),
            levels: frame.levels(),
            marks: self
                .marks
                .into_iter()
                .map(|(x, label)| Mark { x: px(x), y: px(base + 15.0), label })
                .collect(),
            band: self.band,
            line: self.line,
            rare: self.rare,
            absent: frame.absent(rows),
            bars: self.people.iter().filter(|people| people.share > 0.0).map(bar).collect(),
            figures: told.iter().map(figure).collect(),
            base: px(base),
            below: px(base + 32.0),
            caption: caption(rows, unit, self.is_about),
        }
    }
}

/// What stands below a drawing: the unit, how many have a value where not all do, and how sure the bars are.
fn caption(rows: &[ShapeRow], unit: &str, is_about: bool) -> String {
    let absent = rows.iter().filter(|row| matches!(row.at, Place::Missing | Place::NotCovered));
    let with_value = 1.0 - absent.filter_map(|row| row.share).sum::<f64>();
    let mut said = Vec::new();
    if !matches!(unit, "yes or no" | "value") {
        said.push(unit.to_owned());
    }
    if with_value < 1.0 {
        said.push(format!("{} of cases have a value", percent(with_value)));
    }
    if is_about {
        said.push("bars are right to within a tenth".to_owned());
    }
    said.join("; ")
}

/// A share of cases as a drawing has room for.
fn short(share: Option<f64>, is_about: bool) -> String {
    match share {
        None => "<10".to_owned(),
        Some(share) if is_about && share < 0.1 => "<10%".to_owned(),
        Some(share) if share < 0.001 => "<0.1%".to_owned(),
        Some(share) => percent(share),
    }
}

/// As many labels as have room beside each other, the first and the last among them.
fn fitting(labels: impl Iterator<Item = (f64, String)>) -> Vec<(f64, String)> {
    let half = |label: &str| label.chars().count() as f64 * LETTER / 2.0 + 3.0;
    let mut kept: Vec<(f64, String)> = Vec::new();
    let mut left_out = None;
    for (x, label) in labels {
        if kept.last().is_none_or(|(before, held)| before + half(held) <= x - half(&label)) {
            kept.push((x, label));
            left_out = None;
        } else {
            left_out = Some((x, label));
        }
    }
    if let Some((x, label)) = left_out {
        while kept.len() > 1
            && kept.last().is_some_and(|(before, held)| before + half(held) > x - half(&label))
        {
            kept.pop();
        }
        kept.push((x, label));
    }
    kept
}

/// Whether values of the unit are counted.
fn is_whole(unit: &str) -> bool {
    matches!(unit, "records" | "kinds" | "days" | "years" | "different values")
}
