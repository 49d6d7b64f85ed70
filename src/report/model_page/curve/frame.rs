//! The frame of a drawing: levels of the score, and how a shape stands between them.

use super::super::super::figure::signed;
use super::super::px;
use super::axis::Across;
use super::{
    ABOVE_BARS, ABSENT, Absent, BARS, FULL, Level, Mark, PageScale, RIGHT, TOP, is_drawn, short, span,
};
use crate::model::{CurvePoint, Place, ShapeRow};

/// The frame of one drawing.
pub(super) struct Frame {
    low: f64,
    high: f64,
    /// Where values end.
    pub(super) right: f64,
    scale: PageScale,
}

impl Frame {
    pub(super) fn of(rows: &[ShapeRow], scale: PageScale) -> Self {
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

    pub(super) fn base(&self) -> f64 {
        self.bottom() + ABOVE_BARS + BARS
    }

    /// From the top; what lies beyond the frame is drawn on its edge.
    fn y(&self, log_odds: f64) -> f64 {
        TOP + (self.high - log_odds.clamp(self.low, self.high)) * self.scale.per_unit
    }

    pub(super) fn levels(&self) -> Vec<Level> {
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
                    label: signed(f64::from(nth) * tick, decimals),
                    is_zero: nth == 0,
                }
            })
            .collect()
    }

    pub(super) fn absent(&self, rows: &[ShapeRow]) -> Vec<Absent> {
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
    pub(super) fn band_of_steps(&self, steps: &[(f64, f64, &ShapeRow)]) -> String {
        let mut path = String::new();
        for (from, to, row) in steps {
            if let Some(reach) = row.reach {
                let (top, bottom) = (self.y(row.contribution + reach), self.y(row.contribution - reach));
                path.push_str(&format!("M{from:.1} {top:.1}H{to:.1}V{bottom:.1}H{from:.1}Z"));
            }
        }
        path
    }

    pub(super) fn line_of_steps(&self, steps: &[(f64, f64, &ShapeRow)]) -> (String, String) {
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

    pub(super) fn line_of_points(&self, across: &Across, points: &[CurvePoint]) -> (String, String) {
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
