//! How usual a value is in the cohort.

use super::{ENGLISH, fill};
use crate::features::{Cell, Feature, Measure};
use crate::words;

/// The fewest cases of which is said what most of them have: among fewer, a share or a middle value would say something of
/// one of them.
const FEWEST: usize = 50;

/// What a feature says of a whole cohort, as far as a sentence needs it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Usual {
    /// Cases that the source covers.
    covered: usize,
    /// Of these, those without a value.
    missing: usize,
    /// Those with 0.
    none: usize,
    /// Cases by code, where values are codes; the last is of any other code.
    by_code: Vec<usize>,
    /// The value in the middle of all that have one; of days since an event, of all that are covered, where no event counts
    /// as later than any. `None` where there is none.
    middle: Option<f32>,
}

/// What kind of thing is said of a measure.
#[derive(Clone, Copy, PartialEq)]
enum Form {
    /// Most have none of it.
    Amount,
    /// Days since something, which most never had.
    Since,
    YesOrNo,
    Code,
    /// Everybody has one.
    Level,
    /// Nothing: what is usual says nothing of need.
    Unsaid,
}

fn form(measure: &Measure) -> Form {
    match measure {
        Measure::Count
        | Measure::Sum
        | Measure::DistinctKinds
        | Measure::DistinctDays
        | Measure::Distinct(_)
        | Measure::Incidents
        | Measure::DaysOpen
        | Measure::Moves => Form::Amount,
        Measure::DaysSinceLast | Measure::DaysSinceFirst | Measure::DaysSinceChange(_) => Form::Since,
        Measure::Any | Measure::PresentNow | Measure::LatestIs { .. } => Form::YesOrNo,
        Measure::LatestOf { .. } => Form::Code,
        Measure::Mean
        | Measure::Max
        | Measure::Min
        | Measure::Share
        | Measure::Latest
        | Measure::Members(..) => Form::Level,
        Measure::Age | Measure::Slope | Measure::Change => Form::Unsaid,
    }
}

impl Usual {
    /// Of the values of a feature in a cohort.
    pub(crate) fn of(feature: &Feature, cells: impl Iterator<Item = Cell>) -> Self {
        let codes = feature.measure.codes().map_or(0, |codes| codes.len() + 1);
        let mut usual = Self { covered: 0, missing: 0, none: 0, by_code: vec![0; codes], middle: None };
        let mut values = Vec::new();
        for cell in cells {
            let Cell::Value(value) = cell else {
                usual.covered += usize::from(cell == Cell::Missing);
                usual.missing += usize::from(cell == Cell::Missing);
                continue;
            };
            usual.covered += 1;
            usual.none += usize::from(value == 0.0);
            if let Some(held) = usual.by_code.get_mut((value as usize).min(codes.saturating_sub(1))) {
                *held += 1;
            }
            values.push(value);
        }
        let among = match form(&feature.measure) {
            Form::Since => usual.covered,
            Form::Amount | Form::Level => values.len(),
            Form::YesOrNo | Form::Code | Form::Unsaid => 0,
        };
        // The lower of the two in the middle of an even number.
        let place = among.saturating_sub(1) / 2;
        if place < values.len() {
            usual.middle = Some(*values.select_nth_unstable_by(place, f32::total_cmp).1);
        }
        usual
    }

    /// How usual the value is, as a sentence without a full stop; empty where there is nothing to say.
    pub(crate) fn words(&self, feature: &Feature, cell: Cell) -> String {
        let (covered, form) = (self.covered, form(&feature.measure));
        if covered < FEWEST || cell == Cell::NotCovered || form == Form::Unsaid {
            return String::new();
        }
        let share = |cases: usize| words::percent(cases as f64 / covered as f64);
        let is_most = |cases: usize| 2 * cases > covered;
        let middle = self.middle.map(|middle| words::sensible(Cell::Value(middle), &feature.unit));
        let said = |name: &str, share: &str| {
            let template = ENGLISH.usual.get(name).map_or("", String::as_str);
            fill(template, |part| match part {
                "share" => share.to_owned(),
                _ => middle.clone().unwrap_or_default(),
            })
        };
        let like =
            |cases: usize| said(if is_most(cases) { "like_most" } else { "like_share" }, &share(cases));
        match (form, cell.value()) {
            (Form::Amount | Form::YesOrNo, Some(0.0)) => like(self.none),
            (Form::Amount, Some(_)) if is_most(self.none) => {
                said("most_have_none", &share(covered - self.none - self.missing))
            }
            (Form::Amount | Form::Level, Some(_)) if middle.is_some() => said("half_at_most", ""),
            (Form::Since, Some(_)) if is_most(self.missing) => {
                said("most_have_none", &share(covered - self.missing))
            }
            (Form::Since, Some(_)) if middle.is_some() => said("half_within", ""),
            (Form::YesOrNo, Some(_)) => said("share_have", &share(covered - self.none - self.missing)),
            (Form::Code, Some(code)) => {
                let last = self.by_code.len().saturating_sub(1);
                like(self.by_code.get((code as usize).min(last)).copied().unwrap_or_default())
            }
            (_, None) => like(self.missing),
            _ => String::new(),
        }
    }
}
