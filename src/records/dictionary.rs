//! Texts as small numbers: ids, kinds and categories.

use std::hash::BuildHasher as _;
use std::sync::Arc;

use hashbrown::{DefaultHashBuilder, HashMap, HashTable};
use rayon::prelude::*;

use super::column::{Column, NO_INTEGER};
use super::numbered::Numbered;

/// No entry.
pub(crate) const NONE: u32 = u32::MAX;

/// Gives each distinct text a code, in order of first appearance; [`Dictionary::sorted`] then gives the
/// codes that do not depend on the order of rows.
///
/// A clone shares what is held until one of the two takes a new text in.
#[derive(Debug, Default, Clone)]
pub(super) struct Dictionary {
    held: Arc<Held>,
    /// Whole numbers that were looked up without taking them in.
    found: HashMap<i64, u32>,
}

#[derive(Debug, Default, Clone)]
struct Held {
    texts: Vec<Box<str>>,
    /// The codes, found by their texts; each with its text's hash, so that no text is hashed again when the table grows.
    by_text: HashTable<(u64, u32)>,
    /// The same of short texts, which stand in the table themselves: to look at one elsewhere would wait for memory.
    by_short: HashTable<(u128, u32)>,
    /// The same of most texts that are numbered in a row, as ids are.
    numbered: Numbered,
    hasher: DefaultHashBuilder,
    /// Whole numbers are looked up without being written out; small ones by their place.
    by_integer: HashMap<i64, u32>,
    by_small_integer: Vec<u32>,
}

impl Held {
    fn find(&self, text: &str) -> Option<u32> {
        if let Some(packed) = packed(text) {
            if let Some(code) = self.numbered.find(packed) {
                return Some(code);
            }
            let is_it = |&(held, _): &(u128, u32)| held == packed;
            return self.by_short.find(self.hasher.hash_one(packed), is_it).map(|&(_, code)| code);
        }
        let hash = self.hasher.hash_one(text);
        let is_it = |&(held, code): &(u64, u32)| held == hash && *self.texts[code as usize] == *text;
        self.by_text.find(hash, is_it).map(|&(_, code)| code)
    }

    fn take_in(&mut self, text: &str) -> u32 {
        let code = self.texts.len() as u32;
        self.texts.push(text.into());
        if let Some(packed) = packed(text) {
            if self.numbered.take_in(packed, code) {
                return code;
            }
            let Self { by_short, hasher, .. } = self;
            let hash = |packed: u128| hasher.hash_one(packed);
            by_short.insert_unique(hash(packed), (packed, code), |&(packed, _)| hash(packed));
            return code;
        }
        let hash = self.hasher.hash_one(text);
        self.by_text.insert_unique(hash, (hash, code), |&(hash, _)| hash);
        code
    }

    #[inline]
    fn integer(&self, value: i64) -> Option<u32> {
        let code = match small(value) {
            Some(place) => self.by_small_integer.get(place).copied(),
            None => self.by_integer.get(&value).copied(),
        };
        code.filter(|&code| code != NONE)
    }

    fn keep_integer(&mut self, value: i64, code: u32) {
        match small(value) {
            Some(place) => {
                if self.by_small_integer.len() <= place {
                    self.by_small_integer.resize(place + 1, NONE);
                }
                self.by_small_integer[place] = code;
            }
            None => {
                self.by_integer.insert(value, code);
            }
        }
    }
}

fn small(value: i64) -> Option<usize> {
    usize::try_from(value).ok().filter(|&value| value < SMALL_INTEGERS)
}

impl Dictionary {
    pub(super) fn len(&self) -> usize {
        self.held.texts.len()
    }

    pub(super) fn text(&self, code: u32) -> &str {
        &self.held.texts[code as usize]
    }

    pub(super) fn texts(&self) -> impl Iterator<Item = &str> {
        self.held.texts.iter().map(|text| &**text)
    }

    pub(super) fn find(&self, text: &str) -> Option<u32> {
        self.held.find(text)
    }

    pub(super) fn intern(&mut self, text: &str) -> u32 {
        self.held.find(text).unwrap_or_else(|| Arc::make_mut(&mut self.held).take_in(text))
    }

    /// The code of each of the column's `rows` cells, [`NONE`] where the cell is absent. With `grow`
    /// unset, a text that is not in the dictionary is given as [`UNKNOWN`].
    pub(super) fn encode(&mut self, column: &Column, rows: usize, grow: bool) -> Vec<u32> {
        match column {
            Column::Constant(text) => {
                let code = text.as_deref().map_or(NONE, |text| self.code(text, grow));
                vec![code; rows]
            }
            Column::Text(texts) => {
                let mut last: (&str, u32) = ("", NONE);
                let mut lately = Lately::default();
                texts
                    .iter()
                    .map(|text| {
                        if text != last.0 {
                            last = (text, lately.code(text, || self.code(text, grow)));
                        }
                        last.1
                    })
                    .collect()
            }
            Column::Integer(values) => self.encode_integers(values.iter().copied(), grow),
            // An id kept as a float (a common accident of spreadsheets) is the whole number it shows.
            Column::Number(values) if values.iter().all(|v| v.is_nan() || is_whole(*v)) => self
                .encode_integers(
                    values.iter().map(|&v| if v.is_nan() { NO_INTEGER } else { v as i64 }),
                    grow,
                ),
            Column::Number(_) | Column::Day(_) => {
                (0..rows).map(|row| column.text(row).map_or(NONE, |text| self.code(&text, grow))).collect()
            }
        }
    }

    fn encode_integers(&mut self, values: impl Iterator<Item = i64>, grow: bool) -> Vec<u32> {
        let mut last = (NO_INTEGER, NONE);
        values
            .map(|value| {
                if value != last.0 {
                    last = (value, self.integer(value, grow));
                }
                last.1
            })
            .collect()
    }

    fn integer(&mut self, value: i64, grow: bool) -> u32 {
        if value == NO_INTEGER {
            return NONE;
        }
        if let Some(code) = self.held.integer(value).or_else(|| self.found.get(&value).copied()) {
            return code;
        }
        let code = self.code(&value.to_string(), grow);
        if grow {
            Arc::make_mut(&mut self.held).keep_integer(value, code);
        } else if code != UNKNOWN {
            // An id may become known later, by a source that may add to the list.
            self.found.insert(value, code);
        }
        code
    }

    fn code(&mut self, text: &str, grow: bool) -> u32 {
        if grow { self.intern(text) } else { self.find(text).unwrap_or(UNKNOWN) }
    }

    /// The texts whose codes are `used`, in sorted order, and for each code its place in that order
    /// ([`NONE`] for one that is not used: only rejected rows had it).
    pub(super) fn sorted(self, used: impl Iterator<Item = u32>) -> (Vec<Box<str>>, Vec<u32>) {
        let place = self.places(used);
        (self.arranged(&place), place)
    }

    /// The texts at their [places](Self::places).
    pub(super) fn arranged(self, place: &[u32]) -> Vec<Box<str>> {
        let Held { mut texts, .. } = Arc::unwrap_or_clone(self.held);
        let mut code_at = vec![NONE; place.iter().filter(|&&place| place != NONE).count()];
        for (code, &place) in (0_u32..).zip(place).filter(|(_, place)| **place != NONE) {
            code_at[place as usize] = code;
        }
        code_at.into_iter().map(|code| std::mem::take(&mut texts[code as usize])).collect()
    }

    /// For each code the place of its text among those whose codes are `used`, in sorted order; [`NONE`] for others.
    pub(super) fn places(&self, used: impl Iterator<Item = u32>) -> Vec<u32> {
        let texts = &self.held.texts;
        let mut is_used = vec![false; texts.len()];
        for code in used.filter(|&code| code < LINKED_TWICE) {
            is_used[code as usize] = true;
        }
        let mut order: Vec<u32> = (0..texts.len() as u32).filter(|&code| is_used[code as usize]).collect();
        // The first bytes of a text as a number say which comes first, nearly always.
        let first = |code: u32| {
            let text = texts[code as usize].as_bytes();
            let mut bytes = [0; 8];
            let length = text.len().min(8);
            bytes[..length].copy_from_slice(&text[..length]);
            u64::from_be_bytes(bytes)
        };
        let mut keyed: Vec<(u64, u32)> = order.iter().map(|&code| (first(code), code)).collect();
        keyed.par_sort_unstable_by(|a, b| {
            let rest = || texts[a.1 as usize].cmp(&texts[b.1 as usize]);
            a.0.cmp(&b.0).then_with(rest)
        });
        order.clear();
        order.extend(keyed.into_iter().map(|(_, code)| code));
        let mut place = vec![NONE; is_used.len()];
        for (new, &old) in order.iter().enumerate() {
            place[old as usize] = new as u32;
        }
        place
    }
}

/// A short text as one number: up to fifteen bytes, and how many they are. Of no text it is 0.
#[inline]
pub(super) fn packed(text: &str) -> Option<u128> {
    let bytes = text.as_bytes();
    if bytes.len() > 15 {
        return None;
    }
    let mut packed = [0; 16];
    packed[..bytes.len()].copy_from_slice(bytes);
    packed[15] = bytes.len() as u8;
    Some(u128::from_le_bytes(packed))
}

/// Texts that came lately, for columns of a few short ones: kinds, codes, roles. A short text is one number, so it is found
/// without being hashed or compared letter by letter.
struct Lately {
    held: Vec<(u128, u32)>,
}

impl Lately {
    /// Places: far more than most columns have kinds, and few enough for the nearest cache.
    const PLACES: usize = 512;

    /// The code of a text; what is not held is asked for.
    #[inline]
    fn code(&mut self, text: &str, ask: impl FnOnce() -> u32) -> u32 {
        if text.is_empty() {
            return NONE;
        }
        let Some(packed) = packed(text) else { return ask() };
        let folded = (packed as u64 ^ (packed >> 64) as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let place = &mut self.held[(folded >> 55) as usize];
        if place.0 != packed {
            *place = (packed, ask());
        }
        place.1
    }
}

impl Default for Lately {
    fn default() -> Self {
        // No text packs to 0.
        Self { held: vec![(0, NONE); Self::PLACES] }
    }
}

/// A text that the dictionary does not know.
pub(super) const UNKNOWN: u32 = u32::MAX - 1;

/// An id that the tables of identities do not know, or not on the day.
pub(super) const UNLINKED: u32 = u32::MAX - 2;

/// An id that stands for two people at once.
pub(super) const LINKED_TWICE: u32 = u32::MAX - 3;

/// Whole numbers below this have a table; it grows to 16 MB at the most.
const SMALL_INTEGERS: usize = 1 << 22;

#[allow(clippy::float_cmp, reason = "whether the conversion is exact")]
fn is_whole(value: f64) -> bool {
    value.abs() < 9.0e15 && (value as i64) as f64 == value
}

/// The parts of ids that several columns make together. They are told apart first and joined two by two as
/// numbers, over all batches of a source: the text (`AAA/2013J/11391`) is written out once for each id, and
/// not once for each row or batch.
#[derive(Debug, Default)]
pub(super) struct IdParts {
    parts: Vec<Dictionary>,
    /// For each part after the first: what it makes with those before it. The last gives the id's code.
    joined: Vec<HashMap<(u32, u32), u32>>,
}

/// The codes of ids that one column holds, or several make together.
pub(super) fn encode_ids(
    ids: &mut Dictionary,
    IdParts { parts, joined }: &mut IdParts,
    columns: &[&Column],
    rows: usize,
    grow: bool,
) -> Vec<u32> {
    if let [column] = columns {
        return ids.encode(column, rows, grow);
    }
    parts.resize_with(columns.len(), Dictionary::default);
    joined.resize_with(columns.len().saturating_sub(1), HashMap::default);
    let codes: Vec<Vec<u32>> =
        columns.iter().zip(parts.iter_mut()).map(|(column, part)| part.encode(column, rows, true)).collect();
    let mut made = codes.first().cloned().unwrap_or_else(|| vec![NONE; rows]);
    for (level, (next, joined)) in codes.iter().skip(1).zip(joined).enumerate() {
        let is_last = level + 2 == codes.len();
        let mut last = ((NONE, NONE), NONE);
        for (row, made) in made.iter_mut().enumerate() {
            let pair = (*made, next[row]);
            if pair != last.0 {
                let is_whole = pair.0 != NONE && pair.1 != NONE;
                last = (pair, if is_whole { joined.get(&pair).copied().unwrap_or(NONE) } else { NONE });
                if is_whole && last.1 == NONE {
                    last.1 = if is_last {
                        let texts = codes.iter().zip(parts.iter()).map(|(codes, part)| part.text(codes[row]));
                        ids.code(&texts.collect::<Vec<_>>().join("/"), grow)
                    } else {
                        joined.len() as u32
                    };
                    joined.insert(pair, last.1);
                }
            }
            *made = last.1;
        }
    }
    made
}
