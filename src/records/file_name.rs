//! What the name of a file says of the rows in it: the day on which they became known, and their kind.

use std::collections::BTreeSet;
use std::fmt;

use serde::{Deserialize, Serialize};

use super::month::MONTHS;
use crate::calendar::Day;
use crate::error::RecordsError;

/// A pattern of file names, in which parts of a date and the kind of a record are named.
///
/// `{yyyy}`, `{mm}`, `{mmm}` (`Mar` or `March`) and `{dd}` are parts of a date, `{kind}` is the kind, and `*` is any text.
/// Parts may stand in one pair of brackets (`{yyyymmdd}`, `{mmm yyyy}`). Everything else stands for itself, in capitals
/// or not. A name that gives a month alone means its last day, and a year alone the last day of December: what a return
/// says of a month was not all known before the month was over, and a day too early would let a model see ahead.
///
/// # Examples
/// ```
/// use earlyhelp::records::FilePattern;
///
/// let returns = FilePattern::new("attendance_{mmm}{yyyy}.csv")?;
/// assert_eq!(returns.day("Attendance_Feb2024.csv")?.to_string(), "2024-02-29");
/// assert!(returns.day("attendance_final.csv").is_err());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(try_from = "String", into = "String")]
pub struct FilePattern {
    text: String,
    parts: Vec<Part>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Part {
    /// In small letters.
    Text(String),
    Any,
    Year,
    Month,
    MonthName,
    Day,
    Kind,
}

/// What a name was found to say so far.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord)]
struct Said {
    year: Option<i16>,
    month: Option<i8>,
    day: Option<i8>,
    kind: Option<String>,
}

impl FilePattern {
    /// Reads a pattern.
    ///
    /// # Errors
    /// [`RecordsError::FilePattern`] where a part is not known, stands twice, or a bracket is not closed; where a day is
    /// named without a month, or a month without a year; and where it names nothing at all.
    pub fn new(text: impl Into<String>) -> Result<Self, RecordsError> {
        let text = text.into();
        let mut parts = Vec::new();
        let mut rest = text.as_str();
        while let Some(letter) = rest.chars().next() {
            if letter == '*' {
                parts.push(Part::Any);
                rest = &rest[1..];
            } else if letter == '{' {
                let Some((within, behind)) = rest[1..].split_once('}') else {
                    return Err(wrong(&text, "a bracket is not closed"));
                };
                named(within, &mut parts).ok_or_else(|| {
                    let why = "in brackets stand yyyy, mm, mmm, dd or kind, and nothing else";
                    wrong(&text, why)
                })?;
                rest = behind;
            } else {
                let end = rest.find(['*', '{']).unwrap_or(rest.len());
                parts.push(Part::Text(rest[..end].to_lowercase()));
                rest = &rest[end..];
            }
        }
        let count = |part: &Part| parts.iter().filter(|held| *held == part).count();
        let (years, days, kinds) = (count(&Part::Year), count(&Part::Day), count(&Part::Kind));
        let months = count(&Part::Month) + count(&Part::MonthName);
        let why = if [years, months, days, kinds].into_iter().any(|count| count > 1) {
            "a part stands in it twice"
        } else if days > months || months > years {
            "a day needs a month beside it, and a month a year"
        } else if years + kinds == 0 {
            "it names neither a date ({yyyy}) nor a kind ({kind})"
        } else {
            return Ok(Self { text, parts });
        };
        Err(wrong(&text, why))
    }

    /// Whether it names a date.
    #[must_use]
    pub fn has_day(&self) -> bool {
        self.parts.contains(&Part::Year)
    }

    /// Whether it names a kind.
    #[must_use]
    pub fn has_kind(&self) -> bool {
        self.parts.contains(&Part::Kind)
    }

    /// How many days ahead of the day on which it is read a file's day can be: as many as the part of the date that its
    /// name leaves out may have, since the last of them is taken.
    pub(super) fn ahead(&self) -> i32 {
        let has_month = self.parts.contains(&Part::Month) || self.parts.contains(&Part::MonthName);
        match (self.parts.contains(&Part::Day), has_month) {
            (true, _) => 0,
            (false, true) => 31,
            (false, false) => 366,
        }
    }

    /// The day that a file's name says; of a month alone its last one.
    ///
    /// # Errors
    /// [`RecordsError::FilePattern`] where the name is not of the pattern, or says several days.
    pub fn day(&self, name: &str) -> Result<Day, RecordsError> {
        self.only(name, Said::date)
    }

    /// The kind that a file's name says.
    ///
    /// # Errors
    /// [`RecordsError::FilePattern`] where the name is not of the pattern, or says several kinds.
    pub fn kind(&self, name: &str) -> Result<String, RecordsError> {
        self.only(name, |said| {
            said.kind.as_deref().map(str::trim).filter(|kind| !kind.is_empty()).map(str::to_owned)
        })
    }

    /// What is the same in every way in which the name can be read.
    fn only<T: PartialEq>(&self, name: &str, of: impl Fn(&Said) -> Option<T>) -> Result<T, RecordsError> {
        let mut found: Vec<T> = Vec::new();
        for value in self.readings(name).iter().filter_map(of) {
            if !found.contains(&value) {
                found.push(value);
            }
        }
        match found.pop() {
            Some(value) if found.is_empty() => Ok(value),
            Some(_) => Err(wrong(
                &self.text,
                &format!("the file {name} can be read in more than one way; write more of the name out"),
            )),
            None => Err(wrong(
                &self.text,
                &format!("the name of the file {name} is not of it; rename the file, or change the pattern"),
            )),
        }
    }

    /// All ways to read a name, part by part: each is how far it has come, and what it says.
    fn readings(&self, name: &str) -> BTreeSet<Said> {
        // Letter by letter, so that a kind keeps its capitals.
        let letters: Vec<char> = name.chars().collect();
        let mut ways = BTreeSet::from([(0_usize, Said::default())]);
        for part in &self.parts {
            let step = |(at, said): &(usize, Said)| part.read(&letters, *at, said);
            ways = ways.iter().flat_map(step).collect();
        }
        let whole = ways.into_iter().filter(|(at, _)| *at == letters.len());
        whole.map(|(_, said)| said).filter(|said| !self.has_day() || said.date().is_some()).collect()
    }
}

impl Part {
    /// The places to which the part reaches from `at`, each with what is said by then.
    fn read(&self, letters: &[char], at: usize, said: &Said) -> Vec<(usize, Said)> {
        let number = |digits: usize| -> Option<i16> {
            let text: String = letters.get(at..at + digits)?.iter().collect();
            text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok())?
        };
        let is_here = |text: &str| -> Option<usize> {
            let mut end = at;
            for wanted in text.chars() {
                let held = letters.get(end)?;
                if !held.to_lowercase().eq(std::iter::once(wanted)) {
                    return None;
                }
                end += 1;
            }
            Some(end)
        };
        let with = |end: usize, change: &dyn Fn(&mut Said)| {
            let mut said = said.clone();
            change(&mut said);
            (end, said)
        };
        match self {
            Self::Text(text) => is_here(text).map(|end| (end, said.clone())).into_iter().collect(),
            Self::Any => (at..=letters.len()).map(|end| (end, said.clone())).collect(),
            Self::Year => {
                let year = number(4).filter(|year| (1900..2200).contains(year));
                year.map(|year| with(at + 4, &|said| said.year = Some(year))).into_iter().collect()
            }
            Self::Month => {
                let month = number(2).map(|month| month as i8);
                month.map(|month| with(at + 2, &|said| said.month = Some(month))).into_iter().collect()
            }
            Self::Day => {
                let day = number(2).map(|day| day as i8);
                day.map(|day| with(at + 2, &|said| said.day = Some(day))).into_iter().collect()
            }
            Self::MonthName => {
                let of = |(place, name): (usize, &&str)| {
                    let month = Some(place as i8 + 1);
                    let lengths = BTreeSet::from([3, if name.len() > 4 { 4 } else { 3 }, name.len()]);
                    lengths
                        .into_iter()
                        .filter_map(|length| is_here(&name[..length]))
                        .map(|end| with(end, &|said| said.month = month))
                        .collect::<Vec<_>>()
                };
                MONTHS.iter().enumerate().flat_map(of).collect()
            }
            Self::Kind => (at + 1..=letters.len())
                .map(|end| with(end, &|said| said.kind = Some(letters[at..end].iter().collect())))
                .collect(),
        }
    }
}

impl Said {
    /// The day, where there is such a day.
    fn date(&self) -> Option<Day> {
        let year = self.year?;
        match (self.month, self.day) {
            (Some(month), Some(day)) => Day::from_ymd(year, month, day),
            (month, _) => {
                let month = month.unwrap_or(12);
                (28..=31).rev().find_map(|day| Day::from_ymd(year, month, day))
            }
        }
    }
}

/// Adds the parts that stand in one pair of brackets; `None` where there is something else.
fn named(within: &str, parts: &mut Vec<Part>) -> Option<()> {
    let mut rest = within.to_lowercase();
    let before = parts.len();
    while !rest.is_empty() {
        let known = [
            ("yyyy", Part::Year),
            ("mmm", Part::MonthName),
            ("mm", Part::Month),
            ("dd", Part::Day),
            ("kind", Part::Kind),
            ("-", Part::Text("-".into())),
            ("_", Part::Text("_".into())),
            (".", Part::Text(".".into())),
            (" ", Part::Text(" ".into())),
        ];
        let (word, part) = known.into_iter().find(|(word, _)| rest.starts_with(word))?;
        parts.push(part);
        rest.drain(..word.len());
    }
    (parts.len() > before).then_some(())
}

fn wrong(pattern: &str, why: &str) -> RecordsError {
    RecordsError::FilePattern { pattern: pattern.to_owned(), why: why.to_owned() }
}

impl fmt::Display for FilePattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl TryFrom<String> for FilePattern {
    type Error = RecordsError;
    fn try_from(text: String) -> Result<Self, RecordsError> {
        Self::new(text)
    }
}

impl From<FilePattern> for String {
    fn from(pattern: FilePattern) -> Self {
        pattern.text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(pattern: &str, name: &str) -> Option<String> {
        FilePattern::new(pattern).unwrap().day(name).ok().map(|day| day.to_string())
    }

    #[test]
    fn a_name_says_a_day_and_of_a_month_alone_the_last() {
        for (pattern, name, wanted) in [
            ("attendance_{yyyy}-{mm}-{dd}.csv", "attendance_2024-03-31.csv", "2024-03-31"),
            ("attendance_{yyyy-mm-dd}.csv", "Attendance_2024-03-31.CSV", "2024-03-31"),
            ("*{yyyymmdd}.csv", "return 20240229.csv", "2024-02-29"),
            ("*_{dd}{mm}{yyyy}.*", "roll_31032024.xlsx", "2024-03-31"),
            ("{mmm}{yyyy}.csv", "Feb2023.csv", "2023-02-28"),
            ("{mmm yyyy}*", "September 2023 final.csv", "2023-09-30"),
            ("{mmm}-{yyyy}.csv", "sept-2023.csv", "2023-09-30"),
            ("{mmm}{yyyy}.csv", "May2024.csv", "2024-05-31"),
            ("q_{yyyy}.csv", "Q_2023.csv", "2023-12-31"),
            ("{yyyy}/{mm}/*.parquet", "2024/02/part-0.parquet", "2024-02-29"),
        ] {
            assert_eq!(day(pattern, name).as_deref(), Some(wanted), "{pattern} {name}");
        }
        for (pattern, name) in [
            ("a_{yyyy}-{mm}-{dd}.csv", "a_2023-02-29.csv"),
            ("a_{yyyy}-{mm}.csv", "a_2023-13.csv"),
            ("a_{yyyy}.csv", "a_0023.csv"),
            ("a_{yyyy}.csv", "b_2023.csv"),
            ("a_{yyyy}.csv", "a_2023.csv.bak"),
            ("*{yyyy}*", "roll 2023 to 2024.csv"),
            ("{mmm}{yyyy}.csv", "Mai2024.csv"),
        ] {
            assert_eq!(day(pattern, name), None, "{pattern} {name}");
        }
        let told = FilePattern::new("*{yyyy}*").unwrap().day("2023_2024.csv").unwrap_err().to_string();
        assert!(told.contains("more than one way"), "{told}");
    }

    #[test]
    fn a_name_says_a_kind() {
        let pattern = FilePattern::new("{kind}_{yyyy}.csv").unwrap();
        assert_eq!(pattern.kind("Late Entry_2024.csv").unwrap(), "Late Entry");
        assert!(pattern.kind("_2024.csv").is_err());
        // `b_c` or `c`: nobody can tell.
        assert!(FilePattern::new("*_{kind}.csv").unwrap().kind("a_b_c.csv").is_err());
    }

    #[test]
    fn a_pattern_that_says_nothing_is_refused() {
        for text in [
            "attendance.csv",
            "*",
            "",
            "{dd}.csv",
            "{mm}{dd}",
            "{yyyy}{yyyy}",
            "{yy}{mm}",
            "{yyyy",
            "{}",
            "{year}",
            "{yyyy}{dd}",
            "{mm}{mmm}{yyyy}",
            "{kind}{kind}",
        ] {
            assert!(FilePattern::new(text).is_err(), "{text}");
        }
    }
}
