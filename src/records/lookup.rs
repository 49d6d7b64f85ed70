//! Tables in which further columns of a record are looked up.

use std::borrow::Cow;
use std::sync::OnceLock;

use hashbrown::{HashMap, HashSet};

use super::days::{self, Order};
use super::unmatched;

/// A table in which columns of a record are looked up by one or several of its own: the category of an offence by its
/// code, the length of a course by its module and its term.
///
/// The table is read as if it had always said the same, so join only what does not change or is known with the record
/// itself: what it came to say later would let a model see ahead.
///
/// # Examples
/// ```
/// use earlyhelp::records::{Extract, Lookup, Records, SourceMapping};
/// use polars::df;
///
/// let offences = df!("code" => ["105", "28A"], "group" => ["violence", "burglary"])?;
/// let groups = Lookup::read(Extract::frame(offences), ["offence", "code"], &[("group", "group")])?;
/// let rows = df!("who" => ["p1", "p2"], "offence" => ["28A", "105"], "on" => ["2024-01-05", "2024-02-05"])?;
/// let police = SourceMapping::new("police", "who", "", "on").kind_column("group");
/// let records = Records::builder().source(police, Extract::frame(rows).join(groups)).build()?;
/// assert_eq!(records.kinds("police").collect::<Vec<_>>(), ["burglary", "violence"]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Lookup {
    /// The extract's columns that are looked up.
    pub(super) on: Vec<String>,
    /// The columns that the table gives: by which name the mapping asks for them, and what they are called in the table.
    pub(super) columns: Vec<(String, String)>,
    rows: HashMap<Box<str>, Box<[Box<str>]>>,
    /// Rows of the table that have no key, or a part of one.
    pub(super) without_key: u64,
    /// The keys as they may be written elsewhere. Made when the first key is not found: mostly all are.
    plain: OnceLock<HashSet<String>>,
}

/// What a cell does not hold, so that `1` and `23` are not `12` and `3`.
const BETWEEN: char = '\u{1f}';

impl Lookup {
    pub(super) fn new(on: Vec<String>, columns: &[(&str, &str)]) -> Self {
        let owned = |(name, column): &(&str, &str)| ((*name).to_owned(), (*column).to_owned());
        let columns = columns.iter().map(owned).collect();
        Self { on, columns, rows: HashMap::new(), without_key: 0, plain: OnceLock::new() }
    }

    /// Tells all that it says, in an order that does not depend on how it came in.
    pub(super) fn fingerprint(&self, tell: &mut dyn FnMut(&str)) {
        tell(&format!("{:?} {:?} {}", self.on, self.columns, self.without_key));
        let mut lines: Vec<String> = self.rows.iter().map(|held| format!("{held:?}")).collect();
        lines.sort_unstable();
        for line in &lines {
            tell(line);
        }
    }

    /// The parts of a key as one text; `None` where one of them is empty, since nothing is found by a part of a key.
    pub(super) fn key<'c>(mut parts: impl Iterator<Item = Option<Cow<'c, str>>>) -> Option<Cow<'c, str>> {
        let first = parts.next()??;
        parts.try_fold(first, |key, part| {
            let mut key = key.trim().to_owned();
            key.push(BETWEEN);
            key.push_str(part?.trim());
            Some(Cow::Owned(key))
        })
    }

    /// Adds a row of the table; `false` where its key is there already with something else behind it.
    pub(super) fn add(&mut self, key: &str, cells: &[Option<Cow<'_, str>>]) -> bool {
        let cells: Box<[Box<str>]> =
            cells.iter().map(|cell| cell.as_deref().unwrap_or_default().into()).collect();
        if let Some(held) = self.rows.get(key) {
            return *held == cells;
        }
        self.rows.insert(key.into(), cells);
        true
    }

    /// The cells behind a key, in the order of the columns; an empty text where there is nothing.
    pub(super) fn find(&self, key: &str) -> Option<&[Box<str>]> {
        self.rows.get(key).map(|cells| &**cells)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// Whether a key that is not there is there in another spelling: of its zeros, capitals, blanks and marks, or of a date.
    pub(super) fn is_spelt_otherwise(&self, key: &str) -> bool {
        let plain = self.plain.get_or_init(|| self.rows.keys().map(|key| plainly(key)).collect());
        plain.contains(&plainly(key))
    }
}

/// A key whatever its parts' spelling.
fn plainly(key: &str) -> String {
    let parts = key.split(BETWEEN).map(|part| {
        // Digits alone are a code before they are a day.
        let is_code = part.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
        let day = days::read(part.trim(), None, &mut Order::default()).filter(|_| !is_code);
        day.map_or_else(|| unmatched::plainly(part), |day| format!("day {day}"))
    });
    parts.collect::<Vec<_>>().join("\u{1f}")
}

crate::opaque_debug!(Lookup);
