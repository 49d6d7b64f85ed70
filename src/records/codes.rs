//! Lists of codes: what the codes of a column mean, and the other ways in which they are written.

use hashbrown::HashMap;
use serde::{Deserialize, Serialize};

/// What the codes of a column mean.
///
/// A cell is looked up without regard to capitals and outer blanks, as a code, as an alias of one and as a meaning; whole
/// numbers also without zeros in front. `6: Police` and `a) Male` are looked up behind their code too, and taken where the
/// text behind it is listed and the code, if it is listed as well, means the same.
///
/// # Examples
/// ```
/// use earlyhelp::records::{CodeList, Extract, Records, SourceMapping};
/// use polars::df;
///
/// let list = df!("value" => ["6", "7"], "meaning" => ["Police", "School"], "alias" => ["Plice | Constabulary", ""])?;
/// let codes = CodeList::read(Extract::frame(list))?;
/// let rows = df!(
///     "who" => ["p1", "p1", "p2"], "from" => ["6: Police", " plice", "07"], "on" => ["2024-01-05", "2024-02-05", "2024-03-05"],
/// )?;
/// let contacts = SourceMapping::new("contacts", "who", "", "on").kind_column("from");
/// let records = Records::builder().source(contacts, Extract::frame(rows).codes("from", codes)).build()?;
/// assert_eq!(records.kinds("contacts").collect::<Vec<_>>(), ["Police", "School"]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Default)]
pub struct CodeList {
    /// By code or alias, plainly written.
    codes: HashMap<String, Box<str>>,
    /// By whole number without zeros in front; none where two codes are the same so.
    numbers: HashMap<String, Option<Box<str>>>,
    /// By meaning, plainly written.
    meanings: HashMap<String, Box<str>>,
    unlisted: Unlisted,
}

/// What becomes of a code that is not on its list. It is counted and shown either way.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Unlisted {
    /// It stays as it stands: what a list has forgotten is not lost.
    #[default]
    Keep,
    /// It counts as not known: a category is then missing, and a row whose kind or role it is, is rejected.
    LeaveOut,
}

/// The codes of a column that are not on its list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct UnlistedCodes {
    /// The source.
    pub source: String,
    /// The column.
    pub column: String,
    /// Rows with such a code.
    pub rows: u64,
    /// Those that [`UnlistedCodes::FEWEST`] rows or more have, each with its rows, the commonest first.
    pub shown: Vec<(String, u64)>,
    /// Rows with one of the others, which are not shown.
    pub others: u64,
}

impl UnlistedCodes {
    /// A code that fewer rows have is counted and not shown: it may be free text, and tell of somebody.
    pub const FEWEST: u64 = 10;
}

impl CodeList {
    /// What becomes of a code that is not on the list.
    #[must_use]
    pub fn unlisted(mut self, rule: Unlisted) -> Self {
        self.unlisted = rule;
        self
    }

    /// Tells all that it says, in an order that does not depend on how it came in.
    pub(super) fn fingerprint(&self, tell: &mut dyn FnMut(&str)) {
        let mut lines: Vec<String> = Vec::new();
        lines.extend(self.codes.iter().map(|held| format!("code {held:?}")));
        lines.extend(self.numbers.iter().map(|held| format!("number {held:?}")));
        lines.extend(self.meanings.iter().map(|held| format!("meaning {held:?}")));
        lines.sort_unstable();
        for line in &lines {
            tell(line);
        }
        tell(&format!("{:?}", self.unlisted));
    }

    /// Adds a code or an alias; `false` where it is there already and means something else.
    pub(super) fn add(&mut self, code: &str, meaning: &str) -> bool {
        let code = plain(code);
        if let Some(number) = number(&code) {
            let held = self.numbers.entry(number.to_owned()).or_insert_with(|| Some(meaning.into()));
            if held.as_deref() != Some(meaning) {
                *held = None;
            }
        }
        self.meanings.insert(plain(meaning), meaning.into());
        &**self.codes.entry(code).or_insert_with(|| meaning.into()) == meaning
    }

    /// What a cell means.
    pub(super) fn meaning(&self, cell: &str) -> Option<&str> {
        let cell = plain(cell);
        self.find(&cell).or_else(|| {
            let (code, text) = behind_code(&cell)?;
            let meaning = self.find(text)?;
            self.find(code).is_none_or(|of_code| of_code == meaning).then_some(meaning)
        })
    }

    fn find(&self, plain: &str) -> Option<&str> {
        let by_number = || self.numbers.get(number(plain)?)?.as_ref();
        self.codes.get(plain).or_else(by_number).or_else(|| self.meanings.get(plain)).map(|text| &**text)
    }

    pub(super) fn keep(&mut self) {
        self.unlisted = Unlisted::Keep;
    }

    pub(super) fn keeps_unlisted(&self) -> bool {
        self.unlisted == Unlisted::Keep
    }
}

/// In small letters, with one blank where there are several.
fn plain(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ").to_lowercase()
}

/// A whole number without zeros in front.
fn number(text: &str) -> Option<&str> {
    let is_number = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    is_number.then(|| text.trim_start_matches('0'))
}

/// The code and the text of `6: police`, `a) male`, `6. police` or `n1 - neglect`.
fn behind_code(plain: &str) -> Option<(&str, &str)> {
    const LONGEST: usize = 4;
    let end = plain.find(|c: char| !c.is_ascii_alphanumeric())?;
    let (code, rest) = plain.split_at(end);
    let text =
        rest.strip_prefix(" - ").or_else(|| rest.trim_start().strip_prefix([':', ')', '.', '=']))?.trim();
    ((1..=LONGEST).contains(&code.len()) && text.chars().any(char::is_alphabetic)).then_some((code, text))
}

/// Counts the codes of a column that are not on its list.
#[derive(Default)]
pub(super) struct UnlistedTally {
    rows: u64,
    of: HashMap<Box<str>, u64>,
}

impl UnlistedTally {
    pub(super) fn add(&mut self, cell: &str) {
        /// Of a column with more it is no list that is incomplete, but the wrong column; more are not told apart.
        const MOST: usize = 10_000;
        self.rows += 1;
        if let Some(rows) = self.of.get_mut(cell) {
            *rows += 1;
        } else if self.of.len() < MOST {
            self.of.insert(cell.into(), 1);
        }
    }

    pub(super) fn close(self, source: &str, column: &str) -> Option<UnlistedCodes> {
        let often = self.of.into_iter().filter(|&(_, rows)| rows >= UnlistedCodes::FEWEST);
        let mut shown: Vec<(String, u64)> = often.map(|(code, rows)| (code.into(), rows)).collect();
        shown.sort_by(|(a, many), (b, others)| others.cmp(many).then_with(|| a.cmp(b)));
        let others = self.rows - shown.iter().map(|(_, rows)| rows).sum::<u64>();
        (self.rows > 0).then(|| UnlistedCodes {
            source: source.to_owned(),
            column: column.to_owned(),
            rows: self.rows,
            shown,
            others,
        })
    }
}

impl std::fmt::Display for UnlistedCodes {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "source {}: {} a {} that is not on its list of codes",
            self.source,
            if self.rows == 1 { "1 row has".to_owned() } else { format!("{} rows have", self.rows) },
            self.column
        )?;
        for (place, (code, rows)) in self.shown.iter().enumerate() {
            write!(f, "{} \"{code}\" ({rows})", if place == 0 { ":" } else { "," })?;
        }
        match (self.others, self.shown.is_empty()) {
            (0, _) => Ok(()),
            (_, true) => f.write_str("; each has too few rows to be shown"),
            (others, false) => write!(f, ", and {others} rows whose codes are too rare to be shown"),
        }
    }
}

crate::opaque_debug!(CodeList);

#[cfg(test)]
mod tests {
    use super::*;

    fn list(codes: &[(&str, &str)]) -> CodeList {
        let mut list = CodeList::default();
        for (code, meaning) in codes {
            assert!(list.add(code, meaning), "{code}");
        }
        list
    }

    #[test]
    fn a_cell_is_looked_up_however_it_is_written() {
        let list =
            list(&[("6", "Police"), ("07", "School"), ("N1", "Neglect"), ("Plice", "Police"), ("m", "Male")]);
        for (cell, meaning) in [
            ("6", "Police"),
            ("006", "Police"),
            ("7", "School"),
            ("6: Police", "Police"),
            ("6 : PLICE", "Police"),
            ("9: Police", "Police"),
            (" police ", "Police"),
            ("a) Male", "Male"),
            ("n1 - neglect", "Neglect"),
            ("7.School", "School"),
        ] {
            assert_eq!(list.meaning(cell), Some(meaning), "{cell}");
        }
        // A code that contradicts its text, a text that is not listed, a number with decimals, a word with a hyphen.
        for cell in ["6: School", "6: Health", "7.6", "x-male", "6 Police", "", ":", "6:"] {
            assert_eq!(list.meaning(cell), None, "{cell}");
        }
    }

    #[test]
    fn codes_that_differ_by_zeros_alone_are_told_apart() {
        let list = list(&[("1", "One"), ("01", "Other")]);
        assert_eq!(
            (list.meaning("1"), list.meaning("01"), list.meaning("001")),
            (Some("One"), Some("Other"), None)
        );
        let mut list = list;
        assert!(!list.add(" 1 ", "Two"), "a code that means two things");
    }

    #[test]
    fn a_rare_code_is_counted_and_not_shown() {
        let mut tally = UnlistedTally::default();
        for row in 0..22 {
            tally.add(if row < 10 {
                "Plice"
            } else if row < 19 {
                "rang her aunt"
            } else {
                "x"
            });
        }
        let told = tally.close("s", "c").unwrap();
        assert_eq!((told.rows, told.others, &told.shown[..]), (22, 12, &[("Plice".to_owned(), 10)][..]));
        assert!(
            told.to_string().ends_with("\"Plice\" (10), and 12 rows whose codes are too rare to be shown")
        );
        assert_eq!(UnlistedTally::default().close("s", "c"), None);
    }
}
