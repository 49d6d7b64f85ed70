//! How the model treats a feature, as a picture beside a reason needs it.

use serde::Serialize;

use crate::model::{Candidate, Place, ShapeTable, TermTable};

/// What one term of the model adds to a score, from the lowest values of its feature to the highest: a small picture beside a
/// reason shows where a case stands on it. Of single features whose values have an order.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct TermPicture {
    /// The feature.
    pub feature: String,
    /// The unit of its values.
    pub unit: String,
    /// What is added, along the values.
    #[serde(flatten)]
    pub course: Course,
}

/// How a term runs along its feature's values. Contributions are in log-odds.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Course {
    /// Steps: the value from which each begins (`None` for the first, which has no lower end) and what it adds.
    Steps(Vec<(Option<f64>, f64)>),
    /// A line: points on it, and what is added there.
    Line(Vec<(f64, f64)>),
}

impl TermPicture {
    /// The pictures of these features, in the order of the model's terms.
    pub(super) fn of(candidate: &Candidate, is_wanted: impl Fn(&str) -> bool) -> Vec<Self> {
        let codes = |name: &str| {
            candidate
                .features()
                .features()
                .iter()
                .any(|held| held.name == name && held.measure.codes().is_some())
        };
        let picture = |table: TermTable| {
            let [feature] = <[String; 1]>::try_from(table.on).ok()?;
            if !is_wanted(&feature) || codes(&feature) {
                return None;
            }
            let course = match table.shape {
                ShapeTable::Steps { rows } => Course::Steps(
                    rows.iter()
                        .filter_map(|row| match row.at {
                            Place::Between { from, .. } => Some((from, row.contribution)),
                            Place::At(_) | Place::Missing | Place::NotCovered => None,
                        })
                        .collect(),
                ),
                ShapeTable::Line { curve, .. } => {
                    Course::Line(curve.iter().map(|point| (point.value, point.contribution)).collect())
                }
                ShapeTable::Grid { .. } => return None,
            };
            Some(Self { feature, unit: table.units.into_iter().next().unwrap_or_default(), course })
        };
        candidate.tables().into_iter().filter_map(picture).collect()
    }
}

impl Course {
    /// How far along it a value lies: 0 at its beginning, 1 at its end. Each step is as wide as any other.
    #[must_use]
    pub fn along(&self, value: f64) -> f64 {
        match self {
            Self::Steps(steps) => {
                let at = steps.iter().filter(|(from, _)| from.is_none_or(|from| from <= value)).count();
                (at.max(1) as f64 - 0.5) / steps.len().max(1) as f64
            }
            Self::Line(points) => {
                let after = points.partition_point(|(at, _)| *at < value);
                let (Some(last), Some(next)) = (after.checked_sub(1), points.get(after)) else {
                    return if after == 0 { 0.0 } else { 1.0 };
                };
                let part = (value - points[last].0) / (next.0 - points[last].0);
                (last as f64 + part) / (points.len() - 1).max(1) as f64
            }
        }
    }

    /// What is added along it, from its beginning to its end.
    pub fn contributions(&self) -> impl Iterator<Item = f64> + '_ {
        let (steps, points) = match self {
            Self::Steps(steps) => (steps.as_slice(), [].as_slice()),
            Self::Line(points) => ([].as_slice(), points.as_slice()),
        };
        steps.iter().map(|(_, added)| *added).chain(points.iter().map(|(_, added)| *added))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_lies_in_the_middle_of_its_step_and_where_it_is_on_a_line() {
        let steps = Course::Steps(vec![(None, -0.1), (Some(1.0), 0.2), (Some(4.0), 0.5), (Some(9.0), 0.7)]);
        let close =
            |found: f64, wanted: f64| assert!((found - wanted).abs() < 1e-12, "{found}, not {wanted}");
        for (value, along) in
            [(0.0, 0.125), (0.9, 0.125), (1.0, 0.375), (3.9, 0.375), (4.0, 0.625), (100.0, 0.875)]
        {
            close(steps.along(value), along);
        }
        let line = Course::Line(vec![(0.0, 0.0), (1.0, 0.5), (3.0, 1.0)]);
        for (value, along) in
            [(-1.0, 0.0), (0.0, 0.0), (0.5, 0.25), (1.0, 0.5), (2.0, 0.75), (3.0, 1.0), (7.0, 1.0)]
        {
            close(line.along(value), along);
        }
        assert_eq!(line.contributions().count(), 3);
    }
}
