//! The drawing of one term: what it adds, with its interval, and the people under it.

mod axis;

use self::axis::{Across, People, even, nice};
use super::evidence::signed;
use super::{percent, px};
use crate::model::{CurvePoint, FeatureRange, Place, Scale, ShapeRow, ShapeTable, TermTable};

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
const COLUMNS: usize = 12;

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
    pub unit: String,
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
        let steps = |value: f64| (value / scale.tick).ceil().max(1.0) * scale.tick;
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
        let (first, last) = ((self.low / tick).round() as i32, (self.high / tick).round() as i32);
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

    fn absent(&self, rows: &[ShapeRow]) -> Vec<(Absent, Mark, People)> {
        let place = |row: &ShapeRow| match row.at {
            Place::Missing => Some(ABSENT[0]),
            Place::NotCovered => Some(ABSENT[1]),
            _ => None,
        };
        let of = |row: &ShapeRow| {
            let (from, to) = place(row)?;
            let band = row.reach.map(|reach| {
                let (top, bottom) = (self.y(row.contribution + reach), self.y(row.contribution - reach));
                (px(top), px(bottom - top))
            });
            let absent = Absent {
                from: px(from),
                width: px(to - from),
                to: px(to),
                y: px(self.y(row.contribution)),
                band,
                learnt: row.learnt,
            };
            let mark = Mark { x: px(f64::midpoint(from, to)), y: String::new(), label: row.label.clone() };
            Some((absent, mark, People { from, to, share: row.share.unwrap_or_default() }))
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
            _ if valued.len() <= COLUMNS => Values::of_columns(&frame, &valued),
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
    /// Whether each bar of people is told as a figure.
    told: bool,
}

impl Values {
    /// Steps side by side, each as wide as the next.
    fn of_columns(frame: &Frame, rows: &[&ShapeRow]) -> Self {
        let width = (frame.right - LEFT) / rows.len() as f64;
        let place = |nth: usize| LEFT + nth as f64 * width;
        let steps: Vec<(f64, f64, &ShapeRow)> =
            rows.iter().enumerate().map(|(nth, row)| (place(nth), place(nth + 1), *row)).collect();
        let longest = rows.iter().map(|row| row.label.chars().count()).max().unwrap_or_default();
        let every = ((longest as f64 * LETTER + 6.0) / width).ceil().max(1.0) as usize;
        let (line, rare) = frame.line_of_steps(&steps);
        Self {
            line,
            rare,
            band: frame.band_of_steps(&steps),
            marks: (0..rows.len())
                .step_by(every)
                .map(|nth| (place(nth) + width / 2.0, rows[nth].label.clone()))
                .collect(),
            people: steps
                .iter()
                .map(|(from, to, row)| People {
                    from: from + 0.08 * width,
                    to: to - 0.08 * width,
                    share: row.share.unwrap_or_default(),
                })
                .collect(),
            told: width >= 40.0,
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
        }
    }

    fn finish(self, frame: &Frame, rows: &[ShapeRow], unit: &str) -> Curve {
        let base = frame.base();
        let (mut marks, mut people, mut figures) = (Vec::new(), self.people, Vec::new());
        let mark = |x: f64, label: String| Mark { x: px(x), y: px(base + 15.0), label };
        marks.extend(self.marks.into_iter().map(|(x, label)| mark(x, label)));
        let from_here_told = if self.told { 0 } else { people.len() };
        let mut absent = Vec::new();
        for (shown, under, there) in frame.absent(rows) {
            absent.push(shown);
            marks.push(Mark { y: px(base + 15.0), ..under });
            people.push(there);
        }
        let most = people.iter().map(|people| people.share).fold(0.0, f64::max);
        let mut bars = Vec::new();
        for (nth, people) in people.iter().enumerate() {
            let height = if most > 0.0 { BARS * people.share / most } else { 0.0 };
            // What is there at all is seen.
            let height = if people.share > 0.0 { height.max(1.0) } else { 0.0 };
            bars.push(Bar {
                x: px(people.from),
                y: px(base - height),
                width: px(people.to - people.from),
                height: px(height),
            });
            if nth >= from_here_told {
                let label = if people.share > 0.0 { percent(people.share) } else { "under 10".to_owned() };
                let x = px(f64::midpoint(people.from, people.to));
                figures.push(Mark { x, y: px(base - height - 4.0), label });
            }
        }
        bars.retain(|bar| bar.height != "0.0");
        Curve {
            height: px(base + 38.0),
            right: px(frame.right),
            levels: frame.levels(),
            marks,
            band: self.band,
            line: self.line,
            rare: self.rare,
            absent,
            bars,
            figures,
            base: px(base),
            below: px(base + 32.0),
            unit: if matches!(unit, "yes or no" | "value") { String::new() } else { unit.to_owned() },
        }
    }
}

/// Whether values of the unit are counted.
fn is_whole(unit: &str) -> bool {
    matches!(unit, "records" | "kinds" | "days" | "years" | "different values")
}

#[cfg(test)]
mod tests {
    use super::axis::{BINS, written};
    use super::*;
    use crate::model::Shares;

    fn row(at: Place, contribution: f64, share: Option<f64>) -> ShapeRow {
        ShapeRow { at, label: "x".into(), contribution, reach: Some(0.1), share, learnt: share.is_some() }
    }

    fn table(rows: Vec<ShapeRow>) -> TermTable {
        TermTable {
            on: vec!["f".into()],
            labels: vec!["F".into()],
            units: vec!["records".into()],
            importance: 0.1,
            shares: Shares::Counted,
            shape: ShapeTable::Steps { rows },
        }
    }

    fn steps(count: u32, height: f64) -> Vec<ShapeRow> {
        (0..count)
            .map(|nth| {
                let from = (nth > 0).then(|| f64::from(nth));
                let below = (nth + 1 < count).then(|| f64::from(nth + 1));
                let up = height * f64::from(nth) / f64::from(count - 1);
                row(Place::Between { from, below }, up, Some(1.0 / f64::from(count)))
            })
            .collect()
    }

    fn number(text: &str) -> f64 {
        text.parse().unwrap()
    }

    #[test]
    fn one_scale_serves_a_page() {
        let tables = [table(steps(3, 2.0)), table(steps(3, 0.2))];
        let scale = PageScale::of(&tables);
        let drawn: Vec<Curve> = tables.iter().map(|table| Curve::of(table, None, scale).unwrap()).collect();
        let zero_to_one = |curve: &Curve| {
            let y = |wanted: fn(&Level) -> bool| number(&curve.levels.iter().find(|l| wanted(l)).unwrap().y);
            let zero = y(|level| level.is_zero);
            let next = curve.levels.iter().map(|level| zero - number(&level.y)).filter(|up| *up > 0.0);
            next.fold(f64::INFINITY, f64::min)
        };
        assert!((zero_to_one(&drawn[0]) - zero_to_one(&drawn[1])).abs() < 0.11);
        assert!(number(&drawn[0].height) > number(&drawn[1].height) + 50.0);
    }

    #[test]
    fn a_step_is_drawn_where_its_figure_is_and_an_absence_apart() {
        let mut rows = steps(3, 1.0);
        rows.push(row(Place::Missing, -0.5, Some(0.3)));
        rows.push(row(Place::NotCovered, 0.0, Some(0.0)));
        let tables = [table(rows)];
        let scale = PageScale::of(&tables);
        let curve = Curve::of(&tables[0], None, scale).unwrap();
        let zero = number(&curve.levels.iter().find(|level| level.is_zero).unwrap().y);
        assert!(curve.line.starts_with(&format!("M52.0 {zero:.1}H")), "{}", curve.line);
        let top = zero - scale.per_unit;
        assert!(curve.line.ends_with(&format!("V{top:.1}H550.0")), "{} {top}", curve.line);
        assert_eq!(curve.absent.len(), 1, "what nobody showed is not drawn");
        assert!((number(&curve.absent[0].y) - (zero + 0.5 * scale.per_unit)).abs() < 0.1);
        assert_eq!(curve.bars.len(), 4);
        assert_eq!(curve.figures[3].label, "30%");
        assert!(curve.rare.is_empty());
    }

    #[test]
    fn many_steps_lie_along_their_values_and_keep_their_people() {
        let tables = [table(steps(40, 1.0))];
        let curve = Curve::of(&tables[0], None, PageScale::of(&tables)).unwrap();
        assert_eq!(curve.bars.len(), BINS);
        assert!(curve.figures.is_empty());
        let labels: Vec<&str> = curve.marks.iter().map(|mark| mark.label.as_str()).collect();
        assert_eq!(&labels[..3], ["0", "5", "10"]);
        let spread =
            [People { from: LEFT, to: 300.0, share: 0.6 }, People { from: 300.0, to: 300.0, share: 0.4 }];
        let sum: f64 = even(&spread, RIGHT).iter().map(|people| people.share).sum();
        assert!((sum - 1.0).abs() < 1e-12);
    }

    #[test]
    fn steps_without_people_are_told_apart() {
        let mut rows = steps(3, 1.0);
        rows[1].share = None;
        let curve = Curve::of(&table(rows), None, PageScale { per_unit: 100.0, tick: 0.5 }).unwrap();
        assert_eq!(curve.rare.matches('M').count(), 1);
        assert_eq!(curve.figures[1].label, "under 10");
    }

    #[test]
    fn marks_are_round_numbers() {
        let steps = [0.034, 0.011, 0.07, 3.0, 1.0].map(nice);
        for (step, right) in steps.into_iter().zip([0.05, 0.02, 0.1, 5.0, 1.0]) {
            assert!((step - right).abs() < 1e-12, "{step} {right}");
        }
        assert_eq!([1500.0, -2.0, 0.25].map(written), ["1,500", "\u{2212}2", "0.25"]);
        let across = Across { scale: Scale::Log, low: 0.0, high: 1000.0, right: RIGHT };
        let labels: Vec<String> = across.marks(true).into_iter().map(|(_, label)| label).collect();
        assert_eq!(labels[..3], ["0", "1", "2"]);
        assert_eq!(labels.last().unwrap(), "1,000");
    }
}
