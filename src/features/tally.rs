//! What one group of features keeps while a case's events go by.
//!
//! All windows of a group end at the as-of date, so they are nested: an event goes into one *slot*, that
//! of the smallest window that holds it, and a window is the sum of its slots: when the events of a case have gone by, each
//! slot takes in those before it, and so says what its window does. The bounds of the windows before (for changes) are further
//! slots.

use super::plan::{Codes, Group};
use crate::calendar::{AsOf, Day, Lookback};
use crate::records::{EventTable, NONE, open_on};

/// The slots of a group at one date.
#[derive(Debug, Clone)]
pub(super) struct Slots {
    /// The first day of each slot's window, latest first.
    starts: Vec<i32>,
    /// For each of the group's windows, its slot and that of the window twice as long.
    of_window: Vec<(usize, Option<usize>)>,
    today: i32,
}

impl Slots {
    pub(super) fn new(group: &Group, as_of: AsOf) -> Self {
        let previous = |window: &Lookback| {
            window.start_of_previous(as_of).filter(|_| group.wants.previous).map(Day::epoch_days)
        };
        let mut starts: Vec<i32> = group
            .windows
            .iter()
            .flat_map(|window| [Some(window.start(as_of).epoch_days()), previous(window)])
            .flatten()
            .collect();
        starts.sort_unstable_by(|a, b| b.cmp(a));
        starts.dedup();
        let slot = |day: i32| starts.iter().position(|&start| start == day).unwrap_or(0);
        let of_window = group
            .windows
            .iter()
            .map(|window| (slot(window.start(as_of).epoch_days()), previous(window).map(slot)))
            .collect();
        Self { starts, of_window, today: as_of.day().epoch_days() }
    }

    /// The first day of a window, and of the window before it where that is kept.
    pub(super) fn start(&self, window: usize) -> i32 {
        self.starts[self.of_window[window].0]
    }

    pub(super) fn today(&self) -> i32 {
        self.today
    }

    pub(super) fn previous_start(&self, window: usize) -> Option<i32> {
        self.of_window[window].1.map(|slot| self.starts[slot])
    }

    #[inline]
    fn of_day(&self, day: i32) -> Option<usize> {
        self.starts.iter().position(|&start| day >= start)
    }
}

/// No event yet.
const NEVER: i32 = i32::MIN;
const NO_CODE: (i32, usize, usize) = (NEVER, 0, 0);

/// The running figures of a group, for one case at a time.
#[derive(Debug, Clone)]
pub(super) struct Tally {
    touched: bool,
    slots: Vec<Slot>,
    /// The day of the latest event in any window.
    last: i32,
    latest: (i32, f32, usize),
    present: bool,
    days: Vec<i32>,
    episodes: Vec<(i32, i32)>,
    distinct: Vec<Distinct>,
    /// The slot of each record with an incident.
    incidents: Vec<(u32, usize)>,
    /// For each slot, where a slope is asked for.
    lines: Vec<Line>,
    /// For each slot, where a share is asked for: the sum of the values and of what they are part of.
    parts: Vec<(f64, f64)>,
    /// For each category whose latest value is asked for: its day, code and slot.
    latest_codes: Vec<(i32, usize, usize)>,
    changes: Vec<Change>,
}

/// What the line of least squares through values is made of. Days count from the as-of date, so that sums of them are
/// exact.
#[derive(Debug, Clone, Copy, Default)]
struct Line {
    n: i64,
    days: i64,
    squares: i64,
    values: f64,
    products: f64,
}

/// The last change of a category.
#[derive(Debug, Clone, Copy)]
struct Change {
    day: i32,
    /// The record of the person at hand that follows the next one, for events come latest first.
    following: Option<(i32, usize)>,
}

impl Change {
    const NONE: Self = Self { day: NEVER, following: None };
}

#[derive(Debug, Clone, Copy)]
struct Slot {
    count: u32,
    first: i32,
    valued: u32,
    sum: f64,
    max: f32,
    min: f32,
}

impl Slot {
    const EMPTY: Self =
        Self { count: 0, first: i32::MAX, valued: 0, sum: 0.0, max: f32::NEG_INFINITY, min: f32::INFINITY };
}

/// Counts each code in the slot of its latest event.
#[derive(Debug, Clone)]
struct Distinct {
    counts: Vec<u32>,
    /// For each code, the case (counted from 1) that had it last, and the slot it was counted in.
    seen: Vec<(u32, u32)>,
    case: u32,
}

impl Tally {
    pub(super) fn new(group: &Group, slots: &Slots, codes: impl Fn(&Codes) -> usize) -> Self {
        let slots = slots.starts.len();
        Self {
            touched: false,
            slots: vec![Slot::EMPTY; slots],
            last: NEVER,
            latest: (NEVER, f32::NAN, 0),
            present: false,
            days: Vec::new(),
            episodes: Vec::new(),
            incidents: Vec::new(),
            distinct: group
                .wants
                .distinct
                .iter()
                .map(|of| Distinct { counts: vec![0; slots], seen: vec![(0, 0); codes(of)], case: 1 })
                .collect(),
            lines: vec![Line::default(); if group.wants.line { slots } else { 0 }],
            parts: vec![(0.0, 0.0); if group.wants.parts { slots } else { 0 }],
            latest_codes: vec![NO_CODE; group.wants.latest.len()],
            changes: vec![Change::NONE; group.wants.changes.len()],
        }
    }

    /// Whether there is anything of the case at hand.
    #[inline]
    pub(super) fn is_touched(&self) -> bool {
        self.touched
    }

    /// Makes ready for the next case.
    pub(super) fn clear(&mut self) {
        self.touched = false;
        self.slots.fill(Slot::EMPTY);
        self.last = NEVER;
        self.latest = (NEVER, f32::NAN, 0);
        self.present = false;
        self.days.clear();
        self.episodes.clear();
        self.incidents.clear();
        for distinct in &mut self.distinct {
            distinct.counts.fill(0);
            distinct.case += 1;
        }
        self.lines.fill(Line::default());
        self.parts.fill((0.0, 0.0));
        self.latest_codes.fill(NO_CODE);
        self.changes.fill(Change::NONE);
    }

    /// Records of another person follow: they change nothing of the one before.
    pub(super) fn next_person(&mut self) {
        self.changes.iter_mut().for_each(|change| change.following = None);
    }

    /// Takes a visible event that the group reads. Events of one person come latest first; several
    /// people's may follow each other.
    #[inline]
    pub(super) fn add(&mut self, group: &Group, slots: &Slots, events: &EventTable, row: usize, as_of: AsOf) {
        let day = events.occurred[row];
        let wants = &group.wants;
        if let Some(end) = events.ended(row, as_of) {
            if open_on(slots.today, day, end) {
                self.touched = true;
                self.present = true;
            }
            if wants.episodes && day < slots.today {
                self.touched = true;
                self.episodes.push((day, end.min(slots.today)));
            }
        }
        // A record known before the date may be of something planned for later: no window holds it.
        if day >= slots.today {
            return;
        }
        let code_of = |codes: &Codes| match codes {
            Codes::Kinds => usize::from(events.kind[row]),
            Codes::Category(column) => events.categories[*column][row] as usize,
        };
        for (change, codes) in self.changes.iter_mut().zip(&wants.changes) {
            let code = code_of(codes);
            // A record without a category is none that it could have changed from.
            if code == NONE as usize {
                continue;
            }
            self.touched = true;
            if let Some((later, other)) = change.following.replace((day, code))
                && other != code
            {
                change.day = change.day.max(later);
            }
        }
        let Some(place) = slots.of_day(day) else { return };
        self.touched = true;
        let slot = &mut self.slots[place];
        slot.count += 1;
        slot.first = slot.first.min(day);
        self.last = self.last.max(day);
        if wants.parts
            && let Some((value, of)) = events.part(row)
        {
            let sums = &mut self.parts[place];
            sums.0 += f64::from(value);
            sums.1 += f64::from(of);
        }
        if wants.values
            && let Some(value) = events.value.as_ref().map(|values| values[row]).filter(|v| !v.is_nan())
        {
            slot.valued += 1;
            slot.sum += f64::from(value);
            slot.max = slot.max.max(value);
            slot.min = slot.min.min(value);
            if day > self.latest.0 {
                self.latest = (day, value, place);
            }
            if wants.line {
                self.lines[place].add(i64::from(day - slots.today), f64::from(value));
            }
        }
        if wants.days && self.days.last() != Some(&day) {
            self.days.push(day);
        }
        if wants.incidents
            && let Some(incidents) = &events.incident
        {
            self.incidents.push((incidents[row], place));
        }
        for (distinct, codes) in self.distinct.iter_mut().zip(&wants.distinct) {
            distinct.add(code_of(codes), place);
        }
        for (latest, codes) in self.latest_codes.iter_mut().zip(&wants.latest) {
            let code = code_of(codes);
            if day > latest.0 && code != NONE as usize {
                *latest = (day, code, place);
            }
        }
    }

    /// Ends a case, before its figures are read.
    pub(super) fn finish(&mut self) {
        if self.days.len() > 1 {
            self.days.sort_unstable();
            self.days.dedup();
        }
        self.episodes.sort_unstable();
        // Of an incident the record in the smallest window stays: it is in all the larger ones. What has no incident is
        // one of its own.
        self.incidents.sort_unstable();
        self.incidents.dedup_by(|next, held| next.0 == held.0 && next.0 != NONE);
        take_in_those_before(&mut self.slots, Slot::take_in);
        take_in_those_before(&mut self.parts, |(sum, of), before| {
            *sum += before.0;
            *of += before.1;
        });
        take_in_those_before(&mut self.lines, Line::take_in);
        for distinct in &mut self.distinct {
            take_in_those_before(&mut distinct.counts, |count, before| *count += before);
        }
    }

    fn window(&self, slots: &Slots, window: usize) -> &Slot {
        &self.slots[slots.of_window[window].0]
    }

    #[inline]
    pub(super) fn count(&self, slots: &Slots, window: usize) -> u32 {
        self.window(slots, window).count
    }

    /// The count less the count of the window before.
    pub(super) fn change(&self, slots: &Slots, window: usize) -> f32 {
        let now = i64::from(self.count(slots, window));
        let both = slots.of_window[window].1.map_or(now, |place| i64::from(self.slots[place].count));
        (2 * now - both) as f32
    }

    /// The sum of the values. `None` where there are records and no value is known of any: that is not a sum of 0.
    pub(super) fn sum(&self, slots: &Slots, window: usize) -> Option<f64> {
        let &Slot { count, valued, sum, .. } = self.window(slots, window);
        (count == 0 || valued > 0).then_some(sum)
    }

    pub(super) fn mean(&self, slots: &Slots, window: usize) -> Option<f32> {
        let valued = self.window(slots, window).valued;
        self.sum(slots, window).filter(|_| valued > 0).map(|sum| (sum / f64::from(valued)) as f32)
    }

    /// The sum of the values in hundredths of the sum of what they are part of. `None` where that is 0: a share of nothing
    /// is no share.
    pub(super) fn share(&self, slots: &Slots, window: usize) -> Option<f32> {
        let (sum, of) = self.parts[slots.of_window[window].0];
        (of > 0.0).then(|| (100.0 * sum / of) as f32)
    }

    pub(super) fn max(&self, slots: &Slots, window: usize) -> Option<f32> {
        let max = self.window(slots, window).max;
        (max > f32::NEG_INFINITY).then_some(max)
    }

    pub(super) fn min(&self, slots: &Slots, window: usize) -> Option<f32> {
        let min = self.window(slots, window).min;
        (min < f32::INFINITY).then_some(min)
    }

    /// By how much the values rise in 30 days.
    pub(super) fn slope(&self, slots: &Slots, window: usize) -> Option<f32> {
        let line = self.lines[slots.of_window[window].0];
        let spread = line.n * line.squares - line.days * line.days;
        let together = line.n as f64 * line.products - line.days as f64 * line.values;
        (spread > 0).then(|| (30.0 * together / spread as f64) as f32)
    }

    pub(super) fn latest_code(&self, slots: &Slots, window: usize, of: usize) -> Option<usize> {
        let (day, code, place) = self.latest_codes[of];
        (day != NEVER && place <= slots.of_window[window].0).then_some(code)
    }

    pub(super) fn days_since_change(&self, slots: &Slots, window: usize, of: usize) -> Option<i32> {
        let day = self.changes[of].day;
        (day >= slots.start(window) && day != NEVER).then(|| slots.today - day)
    }

    pub(super) fn latest(&self, slots: &Slots, window: usize) -> Option<f32> {
        let (day, value, place) = self.latest;
        (day != NEVER && place <= slots.of_window[window].0).then_some(value)
    }

    pub(super) fn days_since_last(&self, slots: &Slots, window: usize) -> Option<i32> {
        (self.count(slots, window) > 0).then(|| slots.today - self.last)
    }

    pub(super) fn days_since_first(&self, slots: &Slots, window: usize) -> Option<i32> {
        let first = self.window(slots, window).first;
        (first != i32::MAX).then(|| slots.today - first)
    }

    pub(super) fn distinct_days(&self, slots: &Slots, window: usize) -> usize {
        let start = slots.start(window);
        self.days.len() - self.days.partition_point(|&day| day < start)
    }

    pub(super) fn distinct(&self, slots: &Slots, window: usize, counter: usize) -> u32 {
        self.distinct[counter].counts[slots.of_window[window].0]
    }

    pub(super) fn incidents(&self, slots: &Slots, window: usize) -> usize {
        let last = slots.of_window[window].0;
        self.incidents.iter().filter(|&&(_, place)| place <= last).count()
    }

    pub(super) fn present(&self) -> bool {
        self.present
    }

    /// Days of the window on which at least one episode was open.
    pub(super) fn days_open(&self, slots: &Slots, window: usize) -> i32 {
        let mut covered_to = slots.start(window);
        let mut days = 0;
        for &(start, end) in &self.episodes {
            let from = start.max(covered_to);
            if end > from {
                days += end - from;
                covered_to = end;
            }
        }
        days
    }
}

/// Lets each slot take in the one before it, which has taken in those before.
fn take_in_those_before<T: Copy>(slots: &mut [T], take_in: impl Fn(&mut T, T)) {
    for place in 1..slots.len() {
        let before = slots[place - 1];
        take_in(&mut slots[place], before);
    }
}

impl Slot {
    fn take_in(&mut self, before: Self) {
        self.count += before.count;
        self.first = self.first.min(before.first);
        self.valued += before.valued;
        self.sum += before.sum;
        self.max = self.max.max(before.max);
        self.min = self.min.min(before.min);
    }
}

impl Line {
    fn take_in(&mut self, before: Self) {
        self.n += before.n;
        self.days += before.days;
        self.squares += before.squares;
        self.values += before.values;
        self.products += before.products;
    }

    fn add(&mut self, day: i64, value: f64) {
        self.n += 1;
        self.days += day;
        self.squares += day * day;
        self.values += value;
        self.products += day as f64 * value;
    }
}

impl Distinct {
    fn add(&mut self, code: usize, place: usize) {
        // A row without a category has no code.
        let Some(seen) = self.seen.get_mut(code) else { return };
        let (case, slot) = (seen.0, seen.1 as usize);
        if case == self.case {
            if slot <= place {
                return;
            }
            self.counts[slot] -= 1;
        }
        *seen = (self.case, place as u32);
        self.counts[place] += 1;
    }
}
