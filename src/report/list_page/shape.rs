//! How the model treats a feature, as a small picture beside a reason.

use crate::features::Cell;
use crate::report::words;
use crate::review::{Course, TermPicture};
use crate::scoring::Contribution;

/// The drawing: 120 wide and 36 high, all of a page on one scale.
const WIDTH: f64 = 120.0;
const HEIGHT: f64 = 36.0;
const EDGE: f64 = 3.0;

/// A picture, drawn once for the page.
pub(super) struct Drawing {
    /// By what a reason refers to it.
    pub(super) id: usize,
    /// The points of the line.
    pub(super) line: String,
    /// Where the average case stands.
    pub(super) axis: String,
}

/// A case's place on a picture.
pub(super) struct Stand {
    pub(super) picture: usize,
    pub(super) x: String,
    pub(super) y: String,
    /// Whether that raises the score, as a class.
    pub(super) class: &'static str,
    /// The same in words.
    pub(super) says: String,
}

/// The pictures of a page.
pub(super) struct Pictures<'a> {
    all: &'a [TermPicture],
    low: f64,
    high: f64,
}

impl<'a> Pictures<'a> {
    pub(super) fn of(all: &'a [TermPicture]) -> Self {
        let added = || all.iter().flat_map(|picture| picture.course.contributions());
        Self { all, low: added().fold(0.0, f64::min), high: added().fold(0.0, f64::max) }
    }

    pub(super) fn drawings(&self) -> Vec<Drawing> {
        let drawing = |(id, picture): (usize, &TermPicture)| {
            let added: Vec<f64> = picture.course.contributions().collect();
            let point = |along: f64, added: f64| format!("{:.1},{:.1}", across(along), self.down(added));
            let many = added.len() as f64;
            let line: Vec<String> = match picture.course {
                Course::Steps(_) => (0..added.len())
                    .flat_map(|step| [step, step + 1].map(|end| point(end as f64 / many, added[step])))
                    .collect(),
                Course::Line(_) => {
                    (0..added.len()).map(|at| point(at as f64 / (many - 1.0).max(1.0), added[at])).collect()
                }
            };
            Drawing { id, line: line.join(" "), axis: format!("{:.1}", self.down(0.0)) }
        };
        self.all.iter().enumerate().map(drawing).collect()
    }

    /// Where a case stands; nowhere for a pair, for codes without an order, and where the case has no value.
    pub(super) fn stand(&self, part: &Contribution) -> Option<Stand> {
        let ([feature], [Cell::Value(value)]) = (&*part.features, &*part.values) else { return None };
        let (id, picture) = self.all.iter().enumerate().find(|(_, picture)| picture.feature == *feature)?;
        let (first, last) = (picture.course.contributions().next()?, picture.course.contributions().last()?);
        Some(Stand {
            picture: id,
            x: format!("{:.1}", across(picture.course.along(f64::from(*value)))),
            y: format!("{:.1}", self.down(part.log_odds)),
            class: if part.log_odds > 0.0 { "up" } else { "down" },
            says: format!(
                "Curve: {} at the lowest values, {} at the highest, here {}",
                words::points(first),
                words::points(last),
                words::points(part.log_odds)
            ),
        })
    }

    fn down(&self, added: f64) -> f64 {
        let range = (self.high - self.low).max(f64::MIN_POSITIVE);
        EDGE + (HEIGHT - 2.0 * EDGE) * (self.high - added) / range
    }
}

fn across(along: f64) -> f64 {
    EDGE + (WIDTH - 2.0 * EDGE) * along
}
