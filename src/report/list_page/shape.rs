//! How the model treats a feature, as a small picture beside a reason.

use crate::features::Cell;
use crate::report::words;
use crate::review::{Course, TermPicture};
use crate::scoring::Contribution;

/// The drawing: 120 wide and 36 high, all of a page on one scale.
const WIDTH: f64 = 120.0;
const HEIGHT: f64 = 36.0;
const EDGE: f64 = 3.0;

/// A picture with the family's place on it.
pub(super) struct Drawn {
    /// The points of the line.
    pub(super) line: String,
    /// Where the average case stands.
    pub(super) axis: String,
    pub(super) x: String,
    pub(super) y: String,
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
        let (low, high) = (added().fold(0.0, f64::min), added().fold(0.0, f64::max));
        Self { all, low, high }
    }

    /// The picture of a reason; none of a pair, of codes without an order, and where the case has no value.
    pub(super) fn draw(&self, part: &Contribution) -> Option<Drawn> {
        let ([feature], [Cell::Value(value)]) = (&*part.features, &*part.values) else { return None };
        let picture = self.all.iter().find(|picture| picture.feature == *feature)?;
        let added: Vec<f64> = picture.course.contributions().collect();
        let (first, last) = (*added.first()?, *added.last()?);
        let across = |along: f64| EDGE + (WIDTH - 2.0 * EDGE) * along;
        let down = |added: f64| {
            let range = (self.high - self.low).max(f64::MIN_POSITIVE);
            EDGE + (HEIGHT - 2.0 * EDGE) * (self.high - added) / range
        };
        let point = |along: f64, added: f64| format!("{:.1},{:.1}", across(along), down(added));
        let many = added.len() as f64;
        let line: Vec<String> = match picture.course {
            Course::Steps(_) => (0..added.len())
                .flat_map(|step| [step, step + 1].map(|end| point(end as f64 / many, added[step])))
                .collect(),
            Course::Line(_) => {
                (0..added.len()).map(|at| point(at as f64 / (many - 1.0).max(1.0), added[at])).collect()
            }
        };
        Some(Drawn {
            line: line.join(" "),
            axis: format!("{:.1}", down(0.0)),
            x: format!("{:.1}", across(picture.course.along(f64::from(*value)))),
            y: format!("{:.1}", down(part.log_odds)),
            says: format!(
                "How the model treats it: {} points at the lowest values, {} at the highest; here {}",
                words::points(first),
                words::points(last),
                words::points(part.log_odds)
            ),
        })
    }
}
