//! Lists date by date, drawn: a bar a list, in parts.

use super::rows::{list_of, state};
use crate::project::{SimulatedDate, SimulatedList, Simulation};
use crate::words;

/// The drawing's width, and the height of its tallest bar, in its own units.
const WIDTH: f64 = 720.0;
const HEIGHT: f64 = 150.0;

/// So many dates are named below the bars; more would run into each other.
const NAMED: usize = 12;

fn px(place: f64) -> String {
    format!("{place:.1}")
}

/// A drawing.
pub(super) struct Chart {
    pub bars: Vec<Bar>,
    /// Height and number.
    pub ticks: Vec<(String, String)>,
    /// From where to where lists were seen in training.
    pub seen: Vec<(String, String)>,
    /// Place and month.
    pub months: Vec<(String, String)>,
    /// What the drawing says, for those who do not see it.
    pub says: String,
}

/// One list.
pub(super) struct Bar {
    pub x: String,
    pub width: String,
    pub parts: Vec<Part>,
    /// Where the list by the count of needs has its right places, from and to which place and at which height.
    pub mark: Option<(String, String, String)>,
    /// The list in words.
    pub says: String,
}

/// A part of a bar.
pub(super) struct Part {
    pub class: &'static str,
    pub y: String,
    pub height: String,
}

/// A list's parts from below, each with its kind and its number, and a mark.
type Parts = (Vec<(&'static str, u64)>, Option<u64>);

impl Chart {
    /// Places that are new, come back, and stay.
    pub(super) fn of_alerts(held: &Simulation) -> Self {
        let parts = |_: &SimulatedDate, list: &SimulatedList| -> Parts {
            let parts = vec![("new", list.new), ("returning", list.returning), ("repeats", list.repeats)];
            (parts, None)
        };
        let lists = held.capacities.first().map_or(&[][..], |main| &main.lists);
        let sum = |of: fn(&SimulatedList) -> u64| words::count(lists.iter().map(of).sum());
        let says = format!(
            "Over all lists {} new places, {} that come back after a list without them, and {} that were on the list before.",
            sum(|list| list.new),
            sum(|list| list.returning),
            sum(|list| list.repeats)
        );
        Self::draw(held, parts, says)
    }

    /// Places that were right and wrong; `None` where that is known of none.
    pub(super) fn of_results(held: &Simulation) -> Option<Self> {
        let lists = &held.capacities.first()?.lists;
        if lists.iter().all(|list| list.results.is_none()) {
            return None;
        }
        let parts = |_: &SimulatedDate, list: &SimulatedList| match &list.results {
            Some(results) => (
                vec![("right", results.right), ("wrong", results.wrong), ("open", results.cannot_tell)],
                list.needs.map(|needs| needs.right),
            ),
            None => (vec![("open", list.places)], None),
        };
        let results = || lists.iter().filter_map(|list| list.results);
        let says = format!(
            "Over the {} of which it is told, {} places were right, {} were wrong, and of {} it cannot be told; the count of needs \
             would have had {} right.",
            words::counted(results().count(), "list", "lists"),
            words::count(results().map(|held| held.right).sum()),
            words::count(results().map(|held| held.wrong).sum()),
            words::count(results().map(|held| held.cannot_tell).sum()),
            words::count(lists.iter().filter_map(|list| Some(list.needs?.right)).sum())
        );
        Some(Self::draw(held, parts, says))
    }

    fn draw(
        held: &Simulation,
        parts: impl Fn(&SimulatedDate, &SimulatedList) -> Parts,
        says: String,
    ) -> Self {
        let main = held.capacities.first();
        let most = main.and_then(|main| main.lists.iter().map(|list| list.places).max()).unwrap_or(0).max(1);
        let dates = held.dates.len().max(1);
        let step = WIDTH / dates as f64;
        let width = (0.72 * step).min(44.0);
        let up = |places: u64| HEIGHT * places as f64 / most as f64;
        let bar = |(nth, date): (usize, &SimulatedDate)| {
            let list = main.and_then(|main| list_of(main, date))?;
            let (parts, mark) = parts(date, list);
            let x = (nth as f64 + 0.5).mul_add(step, -width / 2.0);
            let mut below = 0;
            let drawn = parts.into_iter().filter(|(_, places)| *places > 0).map(|(class, places)| {
                below += places;
                Part { class, y: px(HEIGHT - up(below)), height: px(up(places)) }
            });
            Some(Bar {
                parts: drawn.collect(),
                x: px(x),
                width: px(width),
                mark: mark.map(|right| (px(x - 2.0), px(x + width + 2.0), px(HEIGHT - up(right)))),
                says: format!("{}: {}", words::date(date.as_of.day()), state(date, Some(list))),
            })
        };
        let middle = most / 2;
        let mut ticks = vec![(px(HEIGHT), "0".to_owned()), (px(0.0), words::count(most))];
        if middle > 0 && most.is_multiple_of(2) {
            ticks.push((px(HEIGHT - up(middle)), words::count(middle)));
        }
        let every = dates.div_ceil(NAMED);
        let month = |(nth, date): (usize, &SimulatedDate)| {
            (px((nth as f64 + 0.5) * step), words::short_date(date.as_of.day()))
        };
        let mut seen: Vec<(usize, usize)> = Vec::new();
        for (nth, _) in held.dates.iter().enumerate().filter(|(_, date)| date.in_training) {
            match seen.last_mut() {
                Some((_, end)) if *end == nth => *end += 1,
                _ => seen.push((nth, nth + 1)),
            }
        }
        Self {
            bars: held.dates.iter().enumerate().filter_map(bar).collect(),
            ticks,
            seen: seen
                .into_iter()
                .map(|(from, to)| (px(from as f64 * step), px((to - from) as f64 * step)))
                .collect(),
            months: held.dates.iter().enumerate().step_by(every).map(month).collect(),
            says,
        }
    }
}
