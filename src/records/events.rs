//! One source's events: columns side by side, each person's events together, in one canonical order.

use std::ops::Range;

use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::column::Texts;
use super::link::LinkProbability;
use crate::calendar::AsOf;

/// The person's part in an event.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
#[repr(u8)]
#[non_exhaustive]
pub enum Role {
    /// The event is about the person.
    #[default]
    Subject,
    /// It was done to the person. A victim's record is not a perpetrator's.
    Victim,
    /// The person is thought to have done it.
    Suspect,
    /// The person was there.
    Witness,
}

impl Role {
    /// All roles.
    pub const ALL: [Self; 4] = [Self::Subject, Self::Victim, Self::Suspect, Self::Witness];

    /// The role's name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Subject => "subject",
            Self::Victim => "victim",
            Self::Suspect => "suspect",
            Self::Witness => "witness",
        }
    }

    pub(super) fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| text.eq_ignore_ascii_case(role.name()))
    }
}

/// An end that has not come, or is not known.
pub(crate) const OPEN: i32 = i32::MAX;

/// The events of one source. Rows of one person lie together; within them rows are sorted by day, then by
/// everything else a row holds, so that the order of the extract's rows leaves no trace.
#[derive(Debug, Default, Clone)]
pub(crate) struct EventTable {
    /// Rows of person `p`: `starts[p]..starts[p + 1]`.
    pub(super) starts: Vec<u32>,
    pub(crate) occurred: Vec<i32>,
    pub(super) known: KnownDays,
    pub(crate) kind: Vec<u16>,
    pub(super) episodes: Option<Episodes>,
    /// NaN where a row has no value.
    pub(crate) value: Option<Vec<f32>>,
    /// What each value is a part of, not below it; NaN where that is not known.
    pub(crate) of: Option<Vec<f32>>,
    pub(crate) role: Option<Vec<Role>>,
    /// A column of codes for each category; `u32::MAX` where a row has none.
    pub(crate) categories: Vec<Vec<u32>>,
    pub(super) references: Option<References>,
    /// A code for each incident; `u32::MAX` where a row has none. None where the mapping names no incidents.
    pub(crate) incident: Option<Vec<u32>>,
    pub(super) link: Option<Vec<LinkProbability>>,
    /// The day on which a later state of the same record became known; [`OPEN`] for the last one. None where no record
    /// came more than once.
    pub(super) superseded: Option<Vec<i32>>,
}

/// What decides first in [`EventTable::compare_rest`] between rows of one key, as a number.
enum Second<'t> {
    Known(&'t [i32]),
    KindAndRole(&'t EventTable),
    Category(&'t [u32]),
    Nothing,
}

impl<'t> Second<'t> {
    fn of(events: &'t EventTable) -> Self {
        let has_kinds = events.kind.windows(2).any(|pair| pair[0] != pair[1]);
        match (&events.known, &events.value) {
            // With a lag, or without values, the key says when a row became known.
            (KnownDays::Told(days), Some(_)) => Self::Known(days),
            _ if has_kinds || events.role.is_some() => Self::KindAndRole(events),
            _ => events.categories.first().map_or(Self::Nothing, |codes| Self::Category(codes)),
        }
    }

    #[inline]
    fn at(&self, row: usize) -> u32 {
        match self {
            Self::Known(days) => days[row].cast_unsigned() ^ 0x8000_0000,
            Self::KindAndRole(events) => (u32::from(events.kind[row]) << 8) | events.role(row) as u32,
            Self::Category(codes) => codes[row],
            Self::Nothing => 0,
        }
    }
}

/// Which columns sorted keys hold, so that they need not be looked up.
#[derive(Debug, Clone, Copy, Default)]
struct HeldByKeys {
    day_and_value: bool,
    known: bool,
    second: SecondIs,
}

/// What [`Second`] is, as far as a column can be taken from it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum SecondIs {
    Known,
    KindAndRole,
    #[default]
    Other,
}

impl HeldByKeys {
    fn of(events: &EventTable) -> Self {
        let second = match Second::of(events) {
            Second::Known(_) => SecondIs::Known,
            Second::KindAndRole(_) => SecondIs::KindAndRole,
            Second::Category(_) | Second::Nothing => SecondIs::Other,
        };
        Self { day_and_value: true, known: events.value.is_none() || second == SecondIs::Known, second }
    }
}

/// The row's number in the last 32 bits of its packed key.
#[inline]
fn row_of(key: u128) -> usize {
    key as u32 as usize
}

/// When each row became known.
#[derive(Debug, Clone)]
pub(super) enum KnownDays {
    /// So many days after it happened: not written out for each row.
    Lag(i32),
    /// As the extract says.
    Told(Vec<i32>),
}

impl Default for KnownDays {
    fn default() -> Self {
        Self::Lag(0)
    }
}

/// The ends of episodes, and when each became known.
#[derive(Debug, Default, Clone)]
pub(super) struct Episodes {
    pub(super) ended: Vec<i32>,
    pub(super) ended_known: Vec<i32>,
}

/// The texts in the order they were read, and for each row its place there.
#[derive(Debug, Default, Clone)]
pub(super) struct References {
    pub(super) texts: Texts,
    pub(super) place: Vec<u32>,
}

impl EventTable {
    pub(crate) fn rows(&self) -> usize {
        self.occurred.len()
    }

    /// How many bytes its columns take.
    pub(super) fn bytes(&self) -> u64 {
        let days = |held: &[i32]| size_of_val(held);
        let codes = |held: &[u32]| size_of_val(held);
        let known = match &self.known {
            KnownDays::Lag(_) => 0,
            KnownDays::Told(held) => days(held),
        };
        let episodes = self.episodes.iter().map(|held| days(&held.ended) + days(&held.ended_known));
        let values = self.value.iter().chain(&self.of).map(|held| size_of_val(&**held));
        let roles = self.role.iter().map(|held| size_of_val(&**held));
        let coded = self.categories.iter().chain(&self.incident).map(|held| codes(held));
        let references = self.references.iter().map(|held| held.texts.bytes() + codes(&held.place));
        let links = self.link.iter().map(|held| size_of_val(&**held));
        let rest = codes(&self.starts)
            + days(&self.occurred)
            + known
            + size_of_val(&*self.kind)
            + self.superseded.iter().map(|held| days(held)).sum::<usize>();
        let parts = episodes.chain(values).chain(roles).chain(coded).chain(references).chain(links);
        (rest + parts.sum::<usize>()) as u64
    }

    /// The rows of a person that are visible at the as-of date. **The only way to a row**: what is not
    /// known strictly before the date does not come out of here.
    #[inline]
    pub(crate) fn visible(&self, person: u32, as_of: AsOf) -> impl DoubleEndedIterator<Item = usize> {
        self.rows_of(person).filter(move |&row| {
            as_of.sees(self.known(row))
                && self.superseded.as_ref().is_none_or(|superseded| !as_of.sees(superseded[row]))
        })
    }

    /// The rows of a person that became known before the date, states that a later one superseded among them: what a
    /// source had said by then. What it says is [`EventTable::visible`].
    #[inline]
    pub(super) fn told(&self, person: u32, as_of: AsOf) -> impl Iterator<Item = usize> {
        self.rows_of(person).filter(move |&row| as_of.sees(self.known(row)))
    }

    /// All records of a person, known or not, each in its last state. For outcomes (what followed) only.
    #[inline]
    pub(crate) fn all(&self, person: u32) -> impl Iterator<Item = usize> {
        self.rows_of(person)
            .filter(|&row| self.superseded.as_ref().is_none_or(|superseded| superseded[row] == OPEN))
    }

    /// The states of a person's record that were known before the date, those that a later one superseded among them.
    pub(crate) fn states(&self, person: u32, row: usize, as_of: AsOf) -> impl Iterator<Item = usize> {
        let reference = self.superseded.as_ref().and_then(|_| self.reference(row));
        self.rows_of(person).filter(move |&other| {
            let is_state = other == row || reference.is_some() && self.reference(other) == reference;
            is_state && as_of.sees(self.known(other))
        })
    }

    /// All rows of a person, states that were superseded among them.
    #[inline]
    pub(crate) fn rows_of(&self, person: u32) -> Range<usize> {
        self.starts[person as usize] as usize..self.starts[person as usize + 1] as usize
    }

    /// The end of a row's episode as it is known at the date: [`OPEN`] if it was not known by then to
    /// have an end. `None` where the source holds no episodes.
    #[inline]
    pub(crate) fn ended(&self, row: usize, as_of: AsOf) -> Option<i32> {
        self.episodes
            .as_ref()
            .map(|episodes| if as_of.sees(episodes.ended_known[row]) { episodes.ended[row] } else { OPEN })
    }

    /// The end of a row's episode as the extract has it.
    pub(crate) fn finally_ended(&self, row: usize) -> Option<i32> {
        self.episodes.as_ref().map(|episodes| episodes.ended[row])
    }

    /// The day on which the end of a row's episode became known.
    pub(crate) fn end_known(&self, row: usize) -> Option<i32> {
        self.episodes.as_ref().map(|episodes| episodes.ended_known[row])
    }

    /// The day on which a later state of a row's record became known.
    pub(crate) fn superseded_on(&self, row: usize) -> Option<i32> {
        self.superseded.as_ref().map(|days| days[row]).filter(|&day| day != OPEN)
    }

    pub(crate) fn has_episodes(&self) -> bool {
        self.episodes.is_some()
    }

    #[inline]
    pub(crate) fn known(&self, row: usize) -> i32 {
        match &self.known {
            KnownDays::Lag(lag) => self.occurred[row].saturating_add(*lag),
            KnownDays::Told(days) => days[row],
        }
    }

    /// A row's value and what it is a part of; `None` where one of the two is not known.
    #[inline]
    pub(crate) fn part(&self, row: usize) -> Option<(f32, f32)> {
        let known = |column: &Option<Vec<f32>>| column.as_ref().map(|of| of[row]).filter(|v| !v.is_nan());
        known(&self.value).zip(known(&self.of))
    }

    pub(crate) fn role(&self, row: usize) -> Role {
        self.role.as_ref().map_or(Role::Subject, |roles| roles[row])
    }

    pub(crate) fn reference(&self, row: usize) -> Option<&str> {
        self.references.as_ref().map(|refs| refs.texts.at(refs.place[row] as usize))
    }

    /// How sure it is that a row is its person's; `None` where that is certain, or nobody says.
    pub(crate) fn link(&self, row: usize) -> Option<LinkProbability> {
        self.link.as_ref().map(|links| links[row]).filter(|&link| link < LinkProbability::CERTAIN)
    }

    /// Brings rows (`person[i]` being the person of row `i`) into canonical order. Gives for each place
    /// the row that stands there now.
    pub(super) fn sort(&mut self, person: &[u32], people: usize) -> Vec<u32> {
        // A counting sort by person of packed keys that end in the row's number, then each person's by key; the rest of a row is
        // only looked up and compared where keys tie. Keys are made in the order of rows and moved themselves: to look a row up
        // where it stands would wait for memory once a row and column.
        let mut starts = vec![0_u32; people + 1];
        for &p in person {
            starts[p as usize + 1] += 1;
        }
        for p in 0..people {
            starts[p + 1] += starts[p];
        }
        let second = Second::of(self);
        let mut next = starts.clone();
        let mut keys = vec![0_u128; person.len()];
        for (row, &p) in person.iter().enumerate() {
            let place = &mut next[p as usize];
            let (key, second) = (self.key(row), second.at(row));
            keys[*place as usize] = (u128::from(key) << 64) | (u128::from(second) << 32) | row as u128;
            *place += 1;
        }
        let mut parts: Vec<&mut [u128]> = Vec::new();
        let mut rest = keys.as_mut_slice();
        for p in 0..people {
            let (own, others) = rest.split_at_mut((starts[p + 1] - starts[p]) as usize);
            if own.len() > 1 {
                parts.push(own);
            }
            rest = others;
        }
        parts.par_iter_mut().with_min_len(64).for_each(|keys| {
            keys.sort_unstable();
            for same in keys.chunk_by_mut(|a, b| a >> 32 == b >> 32).filter(|same| same.len() > 1) {
                let link = |key: u128| self.link.as_ref().map(|links| links[row_of(key)]);
                same.sort_unstable_by(|&a, &b| {
                    let rest = self.compare_rest(row_of(a), row_of(b));
                    rest.then_with(|| link(a).cmp(&link(b))).then(a.cmp(&b))
                });
            }
        });
        let order: Vec<u32> = keys.iter().map(|&key| row_of(key) as u32).collect();
        let held = HeldByKeys::of(self);
        self.starts = starts;
        self.gather(&order, held);
        self.take_from(&keys, held);
        order
    }

    /// Takes the columns that sorted keys hold from them.
    fn take_from(&mut self, keys: &[u128], held: HeldByKeys) {
        let signed = |word: u32| (word ^ 0x8000_0000).cast_signed();
        let word = |key: u128, nth: u32| (key >> (32 * nth)) as u32;
        self.occurred = keys.iter().map(|&key| signed(word(key, 3))).collect();
        match &mut self.value {
            Some(values) => {
                let bits = |word: u32| if word >> 31 == 1 { word ^ 0x8000_0000 } else { !word };
                *values = keys.iter().map(|&key| f32::from_bits(bits(word(key, 2)))).collect();
            }
            None => {
                if let KnownDays::Told(days) = &mut self.known {
                    *days = keys.iter().map(|&key| signed(word(key, 2))).collect();
                }
            }
        }
        match (held.second, &mut self.known) {
            (SecondIs::Known, KnownDays::Told(days)) => {
                *days = keys.iter().map(|&key| signed(word(key, 1))).collect();
            }
            (SecondIs::KindAndRole, _) => {
                self.kind = keys.iter().map(|&key| (word(key, 1) >> 8) as u16).collect();
            }
            _ => {}
        }
    }

    /// The day and the value in one number; of a source without values, the day and the day known.
    fn key(&self, row: usize) -> u64 {
        let unsigned = |day: i32| u64::from(day.cast_unsigned() ^ 0x8000_0000);
        let second = match &self.value {
            None => unsigned(self.known(row)),
            Some(values) => {
                let bits = values[row].to_bits();
                // The order of floats as the order of whole numbers.
                u64::from(bits ^ if bits >> 31 == 1 { u32::MAX } else { 0x8000_0000 })
            }
        };
        (unsigned(self.occurred[row]) << 32) | second
    }

    /// Whether two rows of one person are the same in everything.
    pub(super) fn same(&self, a: usize, b: usize) -> bool {
        self.occurred[a] == self.occurred[b] && self.key(a) == self.key(b) && self.compare_rest(a, b).is_eq()
    }

    /// Whether two rows of one person and reference say the same, though perhaps not known on the same day.
    pub(super) fn says_the_same(&self, a: usize, b: usize) -> bool {
        self.is_alike(a, b) && self.finally_ended(a) == self.finally_ended(b)
    }

    /// Whether a row says of an open episode when it ended, and nothing else.
    pub(super) fn closes(&self, row: usize, open: usize) -> bool {
        self.is_alike(row, open)
            && self.finally_ended(open) == Some(OPEN)
            && self.finally_ended(row) != Some(OPEN)
    }

    /// The same but for the end, and for when each became known.
    fn is_alike(&self, a: usize, b: usize) -> bool {
        self.occurred[a] == self.occurred[b]
            && self.kind[a] == self.kind[b]
            && self.role(a) == self.role(b)
            && self.value.as_ref().is_none_or(|values| values[a].to_bits() == values[b].to_bits())
            && self.of.as_ref().is_none_or(|of| of[a].to_bits() == of[b].to_bits())
            && self.categories.iter().chain(&self.incident).all(|codes| codes[a] == codes[b])
    }

    /// How many people there are.
    pub(super) fn people(&self) -> u32 {
        self.starts.len().saturating_sub(1) as u32
    }

    /// The person of a row in canonical order.
    pub(crate) fn person_of(&self, row: usize) -> usize {
        self.starts.partition_point(|&start| start as usize <= row) - 1
    }

    fn compare_rest(&self, a: usize, b: usize) -> std::cmp::Ordering {
        let mut order = self
            .known(a)
            .cmp(&self.known(b))
            .then(self.kind[a].cmp(&self.kind[b]))
            .then(self.role(a).cmp(&self.role(b)));
        for codes in self.categories.iter().chain(&self.incident) {
            order = order.then(codes[a].cmp(&codes[b]));
        }
        if let Some(of) = &self.of {
            order = order.then(of[a].total_cmp(&of[b]));
        }
        // Ends last: an end may become known later, and must not reorder what was known before.
        order = order.then_with(|| self.reference(a).cmp(&self.reference(b)));
        if let Some(episodes) = &self.episodes {
            order = order
                .then(episodes.ended[a].cmp(&episodes.ended[b]))
                .then(episodes.ended_known[a].cmp(&episodes.ended_known[b]));
        }
        order
    }

    /// Numbers people anew: who was number `i` stands at `places[i]`, of `people` in all; places rise, but for [`u32::MAX`], which
    /// is for somebody without rows.
    pub(super) fn spread(&mut self, places: &[u32], people: usize) {
        let mut starts = vec![0_u32; people + 1];
        for (ends, &place) in self.starts.windows(2).zip(places).filter(|(_, place)| **place != u32::MAX) {
            starts[place as usize + 1] = ends[1] - ends[0];
        }
        for person in 0..people {
            starts[person + 1] += starts[person];
        }
        self.starts = starts;
    }

    /// Gives each person these rows, in canonical order. Those from `first_new` on stand anywhere; the others are in it already.
    pub(super) fn arrange(&mut self, mut rows: Vec<Vec<u32>>, first_new: u32) {
        for rows in rows.iter_mut().filter(|rows| rows.last().is_some_and(|&row| row >= first_new)) {
            let link = |row: usize| self.link.as_ref().map(|links| links[row]);
            rows.sort_unstable_by(|&a, &b| {
                let [x, y] = [a, b].map(|row| row as usize);
                let rest = self.key(x).cmp(&self.key(y)).then_with(|| self.compare_rest(x, y));
                rest.then_with(|| link(x).cmp(&link(y))).then(a.cmp(&b))
            });
        }
        let mut end = 0;
        let ends = rows.iter().map(|rows| {
            end += rows.len() as u32;
            end
        });
        self.starts = std::iter::once(0).chain(ends).collect();
        self.gather(&rows.concat(), HeldByKeys::default());
        if let Some(References { texts, place }) = &mut self.references {
            // Texts of rows that are gone would be taken for those of others.
            let mut kept = Texts::default();
            for &place in &*place {
                kept.push(texts.at(place as usize));
            }
            (*texts, *place) = (kept, (0..place.len() as u32).collect());
        }
    }

    /// Puts the columns in another order, but for those that keys hold.
    fn gather(&mut self, order: &[u32], held: HeldByKeys) {
        fn pick<T: Copy>(column: &mut Vec<T>, order: &[u32]) {
            *column = order.iter().map(|&row| column[row as usize]).collect();
        }
        if !held.day_and_value {
            pick(&mut self.occurred, order);
        }
        if let KnownDays::Told(days) = &mut self.known
            && !held.known
        {
            pick(days, order);
        }
        if held.second != SecondIs::KindAndRole {
            pick(&mut self.kind, order);
        }
        if let Some(episodes) = &mut self.episodes {
            pick(&mut episodes.ended, order);
            pick(&mut episodes.ended_known, order);
        }
        for values in self.value.iter_mut().filter(|_| !held.day_and_value).chain(&mut self.of) {
            pick(values, order);
        }
        if let Some(roles) = &mut self.role {
            pick(roles, order);
        }
        for codes in self.categories.iter_mut().chain(&mut self.incident) {
            pick(codes, order);
        }
        if let Some(references) = &mut self.references {
            pick(&mut references.place, order);
        }
        if let Some(links) = &mut self.link {
            pick(links, order);
        }
        if let Some(superseded) = &mut self.superseded {
            pick(superseded, order);
        }
    }

    /// Drops the rows that are marked.
    pub(super) fn drop_rows(&mut self, dropped: &[bool]) {
        let kept: Vec<u32> = (0..self.rows() as u32).filter(|&row| !dropped[row as usize]).collect();
        let mut before = 0;
        let mut gone = vec![0_u32; dropped.len() + 1];
        for (row, &drop) in dropped.iter().enumerate() {
            gone[row] = before;
            before += u32::from(drop);
        }
        gone[dropped.len()] = before;
        for start in &mut self.starts {
            *start -= gone[*start as usize];
        }
        self.gather(&kept, HeldByKeys::default());
    }
}
