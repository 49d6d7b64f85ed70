//! What a cell looks like, without anything that it says.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::month::month_named;

/// What a cell looks like: `dd-Mon-yyyy`, `9 digits`, `empty`, or classes of characters (`aa99 9aaa`).
///
/// It is made of classes alone: a letter is `a`, a digit is `9`, a month's name in a date is `Mon`. Two cells that differ
/// only in which letters and digits they hold have one pattern, so nobody can be told from it. Runs are cut short, since a
/// long text could be known by its lengths.
///
/// # Examples
/// ```
/// use earlyhelp::records::CellPattern;
///
/// assert_eq!(CellPattern::of("31-Feb-2023").to_string(), "dd-Mon-yyyy");
/// assert_eq!(CellPattern::of("2.02E+16").to_string(), "scientific notation");
/// assert_eq!(CellPattern::of("AB12 3CD").to_string(), "aa99 9aa");
/// ```
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CellPattern(Said);

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Said {
    /// One of a closed list.
    Named(&'static str),
    /// Classes of characters, as they follow each other.
    Classes(String),
}

/// A run of characters of one class.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Run {
    Digits(usize),
    Letters(usize),
    /// The letter that stands before an exponent.
    Exponent,
    Month,
    Space,
    Mark(char),
}

/// Marks that are shown as they are: those that dates, numbers, names of codes and addresses are written with.
const MARKS: &str = "-/.:,()%£$€+'_@&#\"=;*";

/// The closed list, but for numbers of digits.
const NAMED: [&str; 22] = [
    "looks like an Excel serial",
    "yyyymmdd",
    "other",
    SCIENTIFIC,
    "empty",
    "more than 12 digits",
    "letters",
    "a number with decimals",
    "yyyy-mm",
    "words",
    "dd-Mon",
    "Mon-yy",
    "Mon-yyyy",
    "yyyy-mm-dd",
    "dd/mm/yyyy",
    "dd.mm.yyyy",
    "dd-mm-yyyy",
    "dd/mm/yy",
    "dd-Mon-yyyy",
    "dd-Mon-yy",
    "a date with a time",
    "a date and more",
];

const SCIENTIFIC: &str = "scientific notation";

const DIGITS: [&str; 12] = [
    "1 digit",
    "2 digits",
    "3 digits",
    "4 digits",
    "5 digits",
    "6 digits",
    "7 digits",
    "8 digits",
    "9 digits",
    "10 digits",
    "11 digits",
    "12 digits",
];

impl CellPattern {
    /// Fewer rows of a table than this do not show a pattern that is not of the closed list: a rare one may be known
    /// again by whoever knows the file. The closed list says nothing of anybody.
    pub const FEWEST: u64 = 5;

    /// Runs are cut after so many digits; a pattern after so many characters.
    const MOST_DIGITS: usize = 8;
    const MOST_LETTERS: usize = 3;
    const MOST: usize = 24;

    /// What a cell looks like.
    #[must_use]
    pub fn of(cell: &str) -> Self {
        let runs = runs(cell.trim());
        Self(named(&runs).map_or_else(|| Said::Classes(classes(&runs)), Said::Named))
    }

    /// The same of a cell that should hold a date.
    #[must_use]
    pub fn of_date(cell: &str) -> Self {
        match runs(cell.trim())[..] {
            [Run::Digits(5)] | [Run::Digits(5), Run::Mark('.'), Run::Digits(_)] => {
                Self(Said::Named("looks like an Excel serial"))
            }
            [Run::Digits(8)] => Self(Said::Named("yyyymmdd")),
            _ => Self::of(cell),
        }
    }

    /// What stands for a pattern that too few rows share.
    pub(crate) fn other() -> Self {
        Self(Said::Named("other"))
    }

    /// Whether a spreadsheet took an id for a number.
    pub(super) fn is_scientific(&self) -> bool {
        self.0 == Said::Named(SCIENTIFIC)
    }

    /// Whether it is of the closed list.
    pub(super) fn is_named(&self) -> bool {
        matches!(self.0, Said::Named(_))
    }
}

impl fmt::Display for CellPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Said::Named(name) => f.write_str(name),
            Said::Classes(classes) => f.write_str(classes),
        }
    }
}

impl Serialize for CellPattern {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for CellPattern {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let named = NAMED.into_iter().chain(DIGITS).find(|name| *name == text);
        Ok(Self(named.map_or(Said::Classes(text), Said::Named)))
    }
}

/// The runs of a cell. Letters are a month only where digits stand beside them: alone they may be somebody's name.
fn runs(cell: &str) -> Vec<Run> {
    let has_digit = cell.chars().any(char::is_numeric);
    let class = |c: char| match c {
        c if c.is_numeric() => 0_u8,
        c if c.is_alphabetic() => 1,
        c if c.is_whitespace() => 2,
        _ => 3,
    };
    let chars: Vec<char> = cell.chars().collect();
    let of_run = |run: &[char]| match class(run[0]) {
        0 => Run::Digits(run.len()),
        1 if has_digit && matches!(run, ['e' | 'E']) => Run::Exponent,
        1 if has_digit && month_named(&run.iter().collect::<String>()).is_some() => Run::Month,
        1 => Run::Letters(run.len()),
        2 => Run::Space,
        _ => Run::Mark(if MARKS.contains(run[0]) { run[0] } else { '?' }),
    };
    chars.chunk_by(|&a, &b| class(a) == class(b)).map(of_run).collect()
}

/// What stands in the closed list.
fn named(runs: &[Run]) -> Option<&'static str> {
    use Run::{Digits, Exponent, Letters, Mark, Month, Space};
    if let Some(named) = date(runs) {
        return Some(named);
    }
    Some(match runs {
        [] => "empty",
        [Digits(n)] => DIGITS.get(n - 1).copied().unwrap_or("more than 12 digits"),
        [Letters(_)] => "letters",
        [Digits(_), Exponent, Digits(_)]
        | [Digits(_), Exponent, Mark('+' | '-'), Digits(_)]
        | [Digits(_), Mark('.'), Digits(_), Exponent, Digits(_)]
        | [Digits(_), Mark('.'), Digits(_), Exponent, Mark('+' | '-'), Digits(_)] => SCIENTIFIC,
        [Digits(_), Mark('.'), Digits(_)] | [Mark('-'), Digits(_), Mark('.'), Digits(_)] => {
            "a number with decimals"
        }
        [Digits(4), Mark('-'), Digits(2)] => "yyyy-mm",
        _ if runs.len() > 2 && runs.iter().all(|run| matches!(run, Letters(_) | Space)) => "words",
        [Digits(_), Mark('/' | '-') | Space, Month] => "dd-Mon",
        [Month, Mark('/' | '-'), Digits(2)] => "Mon-yy",
        [Month, Mark('/' | '-') | Space, Digits(4)] => "Mon-yyyy",
        _ => return None,
    })
}

/// A date, with or without a time behind it.
fn date(runs: &[Run]) -> Option<&'static str> {
    use Run::{Digits, Mark, Month, Space};
    let (date, behind) = runs.split_at_checked(5)?;
    let name = match date {
        [Digits(4), Mark('-' | '/'), Digits(1 | 2), Mark('-' | '/'), Digits(1 | 2)] => "yyyy-mm-dd",
        [Digits(1 | 2), Mark('/'), Digits(1 | 2), Mark('/'), Digits(4)] => "dd/mm/yyyy",
        [Digits(1 | 2), Mark('.'), Digits(1 | 2), Mark('.'), Digits(4)] => "dd.mm.yyyy",
        [Digits(1 | 2), Mark('-'), Digits(1 | 2), Mark('-'), Digits(4)] => "dd-mm-yyyy",
        [Digits(1 | 2), Mark('/' | '-' | '.'), Digits(1 | 2), Mark('/' | '-' | '.'), Digits(2)] => "dd/mm/yy",
        [Digits(1 | 2), Mark('-' | '/' | '.') | Space, Month, Mark('-' | '/' | '.') | Space, Digits(4)] => {
            "dd-Mon-yyyy"
        }
        [Digits(1 | 2), Mark('-' | '/' | '.') | Space, Month, Mark('-' | '/' | '.') | Space, Digits(2)] => {
            "dd-Mon-yy"
        }
        _ => return None,
    };
    match behind {
        [] => Some(name),
        _ if behind.contains(&Mark(':')) => Some("a date with a time"),
        _ => Some("a date and more"),
    }
}

/// The classes one after another, cut where they are long. Of marks beside each other only the first is there.
fn classes(runs: &[Run]) -> String {
    let mut text = String::new();
    let mut cut = |class: char, len: usize, most: usize| {
        text.extend(std::iter::repeat_n(class, len.min(most)));
        if len > most {
            text.push('…');
        }
    };
    for &run in runs {
        match run {
            Run::Digits(len) => cut('9', len, CellPattern::MOST_DIGITS),
            Run::Letters(len) => cut('a', len, CellPattern::MOST_LETTERS),
            Run::Exponent => cut('a', 1, 1),
            Run::Month => "Mon".chars().for_each(|c| cut(c, 1, 1)),
            Run::Space => cut(' ', 1, 1),
            Run::Mark(mark) => cut(mark, 1, 1),
        }
    }
    if text.chars().count() > CellPattern::MOST {
        text = text.chars().take(CellPattern::MOST).chain(['…']).collect();
    }
    text
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_a_cell_looks_like_is_told_in_the_words_that_people_use() {
        for (cell, pattern) in [
            ("", "empty"),
            ("   ", "empty"),
            ("31/02/2023", "dd/mm/yyyy"),
            ("2023-02-31", "yyyy-mm-dd"),
            ("31-Feb-2023", "dd-Mon-yyyy"),
            ("3 february 2023", "dd-Mon-yyyy"),
            ("31-Feb-23", "dd-Mon-yy"),
            ("31/02/2023 08:30", "a date with a time"),
            ("2023-02-31T08:30:00Z", "a date with a time"),
            ("Mar-24", "Mon-yy"),
            ("123456789", "9 digits"),
            ("1234567890123", "more than 12 digits"),
            ("April", "letters"),
            ("May", "letters"),
            ("not known yet", "words"),
            ("n/k", "a/a"),
            ("P0000123", "a9999999"),
            ("2.02E+16", "scientific notation"),
            ("12345.0", "a number with decimals"),
            ("12,50", "99,99"),
            ("£1,204.50", "£9,999.99"),
            ("AB12 3CD", "aa99 9aa"),
            ("☂☂", "?"),
        ] {
            assert_eq!(CellPattern::of(cell).to_string(), pattern, "{cell:?}");
        }
        assert_eq!(CellPattern::of_date("45382").to_string(), "looks like an Excel serial");
        assert_eq!(CellPattern::of_date("45382.75").to_string(), "looks like an Excel serial");
        assert_eq!(CellPattern::of_date("20231301").to_string(), "yyyymmdd");
        assert_eq!(CellPattern::of("45382").to_string(), "5 digits");
    }

    /// Another letter for each letter and another digit for each digit, so that nothing of the cell is left.
    fn disguised(cell: &str, by: u32) -> String {
        let turned = |c: char, first: char, of: u32| {
            char::from_u32(u32::from(first) + (u32::from(c) - u32::from(first) + by) % of).unwrap()
        };
        let other = |c: char| match c {
            '0'..='9' => turned(c, '0', 10),
            'b'..='d' => turned(c, 'b', 3),
            'q'..='z' => turned(c, 'q', 10),
            'Q'..='Z' => turned(c, 'Q', 10),
            _ => c,
        };
        cell.chars().map(other).collect()
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2_000))]

        /// No three characters of a cell stand in its pattern. `9`, `a` and the letters of the closed list are left out of
        /// the cells: where they stand in a pattern they are classes and words, whatever the cell says.
        #[test]
        fn no_part_of_a_cell_stands_in_its_pattern(cell in "[0-8b-dq-zB-DQ-ZÀ-ÿ /.:,()%£+'_@&#*?-]{0,40}") {
            let pattern = CellPattern::of(&cell).to_string();
            let chars: Vec<char> = cell.chars().collect();
            for part in chars.windows(3) {
                let part: String = part.iter().collect();
                let is_word = ["dd", "yy", "words"].iter().any(|word| word.contains(part.trim()));
                let is_telling = part.chars().any(char::is_alphanumeric);
                prop_assert!(is_word || !is_telling || !pattern.contains(&part), "{cell:?} {pattern:?} {part:?}");
            }
            prop_assert!(pattern.chars().count() <= CellPattern::MOST + 1);
        }

        /// Cells that differ only in which letters and digits they hold have one pattern: nothing else gets in.
        #[test]
        fn a_pattern_does_not_hang_on_what_a_cell_says(cell in "[0-9b-dq-zQ-Z /.:,()%£+'_@&#*-]{0,30}", by in 1_u32..10) {
            let other = disguised(&cell, by);
            prop_assert_eq!(CellPattern::of(&cell), CellPattern::of(&other));
            prop_assert_eq!(CellPattern::of_date(&cell), CellPattern::of_date(&other));
        }

        /// What is written of a pattern is read as the same.
        #[test]
        fn a_pattern_is_read_as_it_was_written(
            cell in "[0-9]{0,14}|[0-9]{1,4}[-/. ][0-9]{1,2}[-/. ][0-9]{2,4}( 10:00|x)?|[0-9]{1,2}[- ](Feb|may)[- ]?[0-9]{0,4}|[a-z]+( [a-z]+)?|-?[0-9.]+E?[0-9]*|\\PC{0,12}"
        ) {
            for pattern in [CellPattern::of(&cell), CellPattern::of_date(&cell), CellPattern::other()] {
                let text = serde_json::to_string(&pattern).unwrap();
                prop_assert_eq!(serde_json::from_str::<CellPattern>(&text).unwrap(), pattern);
            }
        }

        /// Whatever is in a cell, reading it does not fail.
        #[test]
        fn any_text_has_a_pattern(cell in any::<String>()) {
            prop_assert!(!CellPattern::of(&cell).to_string().is_empty());
        }
    }
}
