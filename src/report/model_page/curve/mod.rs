//! The drawing of one term: what it adds, with its interval, and the people under it.

mod axis;
#[cfg(test)]
mod tests;

use self::axis::{Across, People, even, nice};
use super::evidence::signed;
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
        let per_unit = if usual > 0.0 { (Self::USUAL / usual).min(Self::MOST / whole) } else { Self::USUAL };
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

/// The frame of one drawing.
struct Frame {
    low: f64,
    high: f64,
    right: f64,
    scale: PageScale,
}

impl Frame {
    fn of(rows: &[ShapeRow], scale: PageScale) -> Self {
        let (low, high) = span(rows, false);
        let half = scale.tick / 2.0;
        let steps = |value: f64| (value / half).ceil().max(2.0) * half;
        let absent =
            rows.iter().any(|row| matches!(row.at, Place::Missing | Place::NotCovered) && is_drawn(row));
        Self { low: -steps(-low), high: steps(high), right: if absent { RIGHT } else { FULL }, scale }
    }

    fn bottom(&self) -> f64 {
        TOP + (self.high - self.low) * self.scale.per_unit
    }

    fn base(&self) -> f64 {
        self.bottom() + ABOVE_BARS + BARS
    }

    /// From the top; what lies beyond the frame is drawn on its edge.
    fn y(&self, log_odds: f64) -> f64 {
        TOP + (self.high - log_odds.clamp(self.low, self.high)) * self.scale.per_unit
    }

    fn levels(&self) -> Vec<Level> {
        let tick = self.scale.tick;
        let decimals = (-tick.log10().floor()).max(0.0) as usize;
        // A hair's breadth, since the frame's ends may be marks themselves.
        let (first, last) =
            ((self.low / tick - 1e-9).ceil() as i32, (self.high / tick + 1e-9).floor() as i32);
        (first..=last)
            .map(|nth| {
                let y = self.y(f64::from(nth) * tick);
                Level {
                    y: px(y),
                    text_y: px(y + 4.0),
                    label: signed(f64::from(nth) * tick, decimals, true),
                    is_zero: nth == 0,
                }
            })
            .collect()
    }

    fn absent(&self, rows: &[ShapeRow]) -> Vec<Absent> {
        let place = |row: &ShapeRow| match row.at {
            Place::Missing => Some(ABSENT[0]),
            Place::NotCovered => Some(ABSENT[1]),
            _ => None,
        };
        let of = |row: &ShapeRow| {
            let (from, to) = place(row)?;
            let band = row.reach.filter(|_| row.learnt).map(|reach| {
                let (top, bottom) = (self.y(row.contribution + reach), self.y(row.contribution - reach));
                (px(top), px(bottom - top))
            });
            let middle = f64::midpoint(from, to);
            let share = short(row.share, false);
            Some(Absent {
                from: px(from),
                width: px(to - from),
                to: px(to),
                y: px(self.y(row.contribution)),
                band,
                learnt: row.learnt,
                name: Mark { x: px(middle), y: px(self.base() + 15.0), label: row.label.clone() },
                share: Mark { x: px(middle), y: px(self.base() - 4.0), label: share },
            })
        };
        rows.iter().filter(|row| is_drawn(row)).filter_map(of).collect()
    }

    /// A closed shape around steps, or none.
    fn band_of_steps(&self, steps: &[(f64, f64, &ShapeRow)]) -> String {
        let mut path = String::new();
        for (from, to, row) in steps {
            if let Some(reach) = row.reach {
                let (top, bottom) = (self.y(row.contribution + reach), self.y(row.contribution - reach));
                path.push_str(&format!("M{from:.1} {top:.1}H{to:.1}V{bottom:.1}H{from:.1}Z"));
            }
        }
        path
    }

    fn line_of_steps(&self, steps: &[(f64, f64, &ShapeRow)]) -> (String, String) {
        let (mut line, mut rare) = (String::new(), String::new());
        for (nth, (from, to, row)) in steps.iter().enumerate() {
            let y = self.y(row.contribution);
            line.push_str(&if nth == 0 {
                format!("M{from:.1} {y:.1}H{to:.1}")
            } else {
                format!("V{y:.1}H{to:.1}")
            });
            if row.share.is_none() {
                rare.push_str(&format!("M{from:.1} {y:.1}H{to:.1}"));
            }
        }
        (line, rare)
    }

    fn line_of_points(&self, across: &Across, points: &[CurvePoint]) -> (String, String) {
        let through = |points: Vec<(f64, f64)>| {
            let said: Vec<String> = points.iter().map(|(x, y)| format!("{x:.1} {:.1}", self.y(*y))).collect();
            format!("M{}", said.join("L"))
        };
        // A single value is drawn over the whole width.
        let at = |point: &CurvePoint, right: bool| {
            if points.len() == 1 && right { self.right } else { across.x(point.value) }
        };
        let twice: Vec<(&CurvePoint, bool)> = if points.len() == 1 {
            vec![(&points[0], false), (&points[0], true)]
        } else {
            points.iter().map(|point| (point, false)).collect()
        };
        let line =
            through(twice.iter().map(|(point, right)| (at(point, *right), point.contribution)).collect());
        let side = |by: f64| {
            let reach = |point: &CurvePoint| point.contribution + by * point.reach.unwrap_or_default();
            twice.iter().map(|(point, right)| (at(point, *right), reach(point))).collect::<Vec<_>>()
        };
        if points.iter().all(|point| point.reach.is_none()) {
            return (line, String::new());
        }
        let around = side(1.0).into_iter().chain(side(-1.0).into_iter().rev()).collect();
        (line, format!("{}Z", through(around)))
    }
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
                Values::of_line(&frame, *scale, curve, range, unit)
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

    fn of_line(
        frame: &Frame,
        scale: Scale,
        curve: &[CurvePoint],
        range: Option<&FeatureRange>,
        unit: &str,
    ) -> Self {
        let low = curve.first().map_or(0.0, |point| point.value);
        let high = curve.last().map_or(0.0, |point| point.value);
        let across = Across { scale, low, high, right: frame.right };
        let (line, band) = frame.line_of_points(&across, curve);
        let quantiles = range.map_or(&[][..], |range| &range.quantiles);
        let with_value = range.map_or(1.0, |range| 1.0 - range.missing - range.not_covered);
        let tenth =
            |pair: &[f64]| People { from: across.x(pair[0]), to: across.x(pair[1]), share: 0.1 * with_value };
        let spread: Vec<People> = quantiles.windows(2).map(tenth).collect();
        Self {
            line,
            rare: String::new(),
            band,
            marks: across.marks(is_whole(unit)),
            people: even(&spread, frame.right),
            told: false,
            is_about: false,
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
            caption: caption(rows, unit),
        }
    }
}

/// What stands below a drawing: the unit, and how many have a value where not all do.
fn caption(rows: &[ShapeRow], unit: &str) -> String {
    let absent = rows.iter().filter(|row| matches!(row.at, Place::Missing | Place::NotCovered));
    let with_value = 1.0 - absent.filter_map(|row| row.share).sum::<f64>();
    let unit = if matches!(unit, "yes or no" | "value") { "" } else { unit };
    match (unit, with_value < 1.0) {
        (unit, false) => unit.to_owned(),
        ("", true) => format!("{} of cases have a value", percent(with_value)),
        (unit, true) => format!("{unit}; {} of cases have a value", percent(with_value)),
    }
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
