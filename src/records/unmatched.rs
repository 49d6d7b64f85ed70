//! Ids that are on no list of people, and what may have become of them on their way.

use std::collections::BTreeMap;

use hashbrown::{HashMap, HashSet};
use serde::{Deserialize, Serialize};

use super::column::Column;
use super::dictionary::{Dictionary, UNKNOWN};
use super::pattern::CellPattern;

/// Rows of a table whose id is not on the list of people, for one likely reason.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct UnmatchedIds {
    /// What may have become of the id.
    pub why: IdMismatch,
    /// Rows.
    pub rows: u64,
    /// Different ids.
    pub ids: u64,
}

/// What may have become of an id that is on no list: a guess from how it is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum IdMismatch {
    /// `2.02E+16`: a spreadsheet took it for a number, and its last digits are gone.
    ScientificNotation,
    /// An id of the list has zeros before it, and is the same otherwise; or the other way round.
    LeadingZeros,
    /// An id of the list is the same but for capitals or blanks.
    CaseOrBlanks,
    /// An id of the list is the same but for marks such as hyphens, or a `.0` behind it.
    Marks,
    /// It has letters where all ids of the list have digits, or digits where they have letters.
    OtherCharacters,
    /// It is longer or shorter than every id of the list.
    OtherLength,
    /// It is written as those of the list are, and is not on it.
    NotListed,
}

impl IdMismatch {
    /// What it means and what to do, in plain words.
    #[must_use]
    pub fn words(self) -> &'static str {
        match self {
            Self::ScientificNotation => {
                "written as 2.02E+16: a spreadsheet took the id for a number and lost its last digits; export the column \
                 as text"
            }
            Self::LeadingZeros => {
                "the same as an id on the list but for zeros before it: a spreadsheet took the id for a number; export \
                 the column as text"
            }
            Self::CaseOrBlanks => {
                "the same as an id on the list but for capitals or blanks; write it alike in both extracts"
            }
            Self::Marks => {
                "the same as an id on the list but for marks such as hyphens, or .0 behind it; write it alike in both extracts"
            }
            Self::OtherCharacters => {
                "letters where the list's ids have digits, or the other way round: likely the id of another system; give \
                 the column that holds the list's ids"
            }
            Self::OtherLength => {
                "longer or shorter than every id on the list: likely the id of another system, or cut short"
            }
            Self::NotListed => {
                "written like the ids on the list, and not on it: people whom the list of people leaves out, such as \
                 those who moved away"
            }
        }
    }
}

/// The ids of the list as they may be met elsewhere.
#[derive(Debug)]
struct Listed {
    without_zeros: HashSet<Box<str>>,
    folded: HashSet<Box<str>>,
    bare: HashSet<Box<str>>,
    patterns: HashSet<CellPattern>,
    lengths: HashSet<usize>,
    /// Whether an id of the list has letters, and whether it has digits.
    characters: HashSet<(bool, bool)>,
}

/// Finds out what became of ids that are not on the list, while a table is read.
#[derive(Debug, Default)]
pub(super) struct Unmatched {
    /// Made when the first such id is met: most tables have none.
    listed: Option<Listed>,
    seen: HashMap<Box<str>, IdMismatch>,
    rows: BTreeMap<IdMismatch, u64>,
}

fn without_zeros(id: &str) -> &str {
    id.trim_start_matches('0')
}

fn folded(id: &str) -> String {
    id.chars().filter(|c| !c.is_whitespace()).flat_map(char::to_lowercase).collect()
}

fn bare(id: &str) -> String {
    let id = id.strip_suffix(".0").unwrap_or(id);
    id.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

/// An id, or a key, but for zeros before it, capitals, blanks, marks and a `.0` behind it.
pub(super) fn plainly(text: &str) -> String {
    without_zeros(&bare(text)).to_owned()
}

/// Whether an id has letters, and whether it has digits.
fn letters_and_digits(id: &str) -> (bool, bool) {
    (id.chars().any(char::is_alphabetic), id.chars().any(char::is_numeric))
}

impl Listed {
    fn of(ids: &Dictionary) -> Self {
        let mut listed = Self {
            without_zeros: HashSet::new(),
            folded: HashSet::new(),
            bare: HashSet::new(),
            patterns: HashSet::new(),
            lengths: HashSet::new(),
            characters: HashSet::new(),
        };
        for id in ids.texts() {
            listed.without_zeros.insert(without_zeros(id).into());
            listed.folded.insert(folded(id).into());
            listed.bare.insert(bare(id).into());
            listed.patterns.insert(CellPattern::of(id));
            listed.lengths.insert(id.chars().count());
            listed.characters.insert(letters_and_digits(id));
        }
        listed
    }

    fn guess(&self, id: &str) -> IdMismatch {
        let pattern = CellPattern::of(id);
        if pattern.is_scientific() {
            IdMismatch::ScientificNotation
        } else if self.without_zeros.contains(without_zeros(id)) {
            IdMismatch::LeadingZeros
        } else if self.folded.contains(&*folded(id)) {
            IdMismatch::CaseOrBlanks
        } else if self.bare.contains(&*bare(id)) {
            IdMismatch::Marks
        } else if self.patterns.contains(&pattern) && self.lengths.contains(&id.chars().count()) {
            IdMismatch::NotListed
        } else if !self.characters.contains(&letters_and_digits(id)) {
            IdMismatch::OtherCharacters
        } else if !self.lengths.contains(&id.chars().count()) {
            IdMismatch::OtherLength
        } else {
            IdMismatch::OtherCharacters
        }
    }
}

impl Unmatched {
    /// Takes note of a batch's ids that have no code.
    pub(super) fn look(&mut self, ids: &Dictionary, codes: &[u32], columns: &[&Column]) {
        for (row, _) in codes.iter().enumerate().filter(|(_, code)| **code == UNKNOWN) {
            let parts: Vec<_> = columns.iter().map(|column| column.text(row).unwrap_or_default()).collect();
            let id = parts.join("/");
            let why = self.seen.get(id.as_str()).copied().unwrap_or_else(|| {
                let why = self.listed.get_or_insert_with(|| Listed::of(ids)).guess(&id);
                self.seen.insert(id.into(), why);
                why
            });
            *self.rows.entry(why).or_default() += 1;
        }
    }

    /// What was found, the commonest first.
    pub(super) fn close(self) -> Vec<UnmatchedIds> {
        let ids = |why| self.seen.values().filter(|held| **held == why).count() as u64;
        let mut found: Vec<UnmatchedIds> =
            self.rows.iter().map(|(&why, &rows)| UnmatchedIds { why, rows, ids: ids(why) }).collect();
        found.sort_by_key(|held| (std::cmp::Reverse(held.rows), held.why));
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn guess(list: &[&str], id: &str) -> IdMismatch {
        let mut ids = Dictionary::default();
        for id in list {
            ids.intern(id);
        }
        Listed::of(&ids).guess(id)
    }

    #[test]
    fn what_became_of_an_id_is_guessed_from_how_it_is_written() {
        let upns = ["A00123456789", "B00123456790"];
        let numbers = ["0012345", "0012346", "9912345"];
        for (list, id, why) in [
            (&numbers[..], "12345", IdMismatch::LeadingZeros),
            (&numbers[..], "1.2E+4", IdMismatch::ScientificNotation),
            (&numbers[..], "9912345.0", IdMismatch::Marks),
            (&numbers[..], "0099999", IdMismatch::NotListed),
            (&numbers[..], "123456789", IdMismatch::OtherLength),
            (&numbers[..], "A012345", IdMismatch::OtherCharacters),
            (&upns[..], "a00123456789", IdMismatch::CaseOrBlanks),
            (&upns[..], "A00 123456789", IdMismatch::CaseOrBlanks),
            (&upns[..], "A-00123456789", IdMismatch::Marks),
            (&upns[..], "C00123456791", IdMismatch::NotListed),
            (&upns[..], "00123456789", IdMismatch::OtherCharacters),
        ] {
            assert_eq!(guess(list, id), why, "{id}");
        }
    }
}
