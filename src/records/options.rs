//! How text is read: delimiter, encoding, and what stands for nothing.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::date_form::DateForm;
use crate::calendar::Day;

/// How the text of an extract is to be read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
pub struct ReadOptions {
    /// The delimiter of a text file. Without it: whichever of comma, pipe, tab and semicolon stands most
    /// often in the header.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub delimiter: Option<Delimiter>,
    /// The encoding of a text file. Without it: UTF-16 where the file says so at its beginning, otherwise UTF-8, and
    /// rows that are not are read as Windows-1252, which is remarked on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub encoding: Option<Encoding>,
    /// The sheet of a workbook: its name, or a pattern in which `*` stands for any text. Without it: the one that has
    /// the columns.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sheet: Option<String>,
    /// What stands before the decimals of a number.
    #[serde(skip_serializing_if = "Decimal::is_point")]
    pub decimal: Decimal,
    /// How dates are written, where they do not say it themselves.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dates: Option<DateForm>,
    /// The first and the last day that a date can be; one outside is a reject. Without it: from 1900-01-02 (systems write
    /// the first of January where they know no date) to the day the extract was made or is read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub plausible: Option<[Day; 2]>,
    /// Other names that columns have in some of the files, by the name that the mapping uses; in an alias `*` stands for
    /// any text. A file that has two of a column's names is refused.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub aliases: BTreeMap<String, Vec<String>>,
    /// Texts that stand for "nothing here".
    pub nulls: Vec<String>,
    /// Whether to drop a list letter in front of a value (`a) Male`).
    pub list_letters: bool,
}

impl Default for ReadOptions {
    /// Text in whatever encoding it is; the sentinels that councils' systems write most often; values as they stand.
    fn default() -> Self {
        Self {
            delimiter: None,
            encoding: None,
            sheet: None,
            decimal: Decimal::Point,
            dates: None,
            plausible: None,
            aliases: BTreeMap::new(),
            nulls: ["NULL", "N/A", "UNKNOWN", "NOT KNOWN"].map(str::to_owned).to_vec(),
            list_letters: false,
        }
    }
}

/// What separates the fields of a text file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
#[repr(u8)]
#[non_exhaustive]
pub enum Delimiter {
    /// `,`
    Comma = b',',
    /// `|`
    Pipe = b'|',
    /// The tab character.
    Tab = b'\t',
    /// `;`
    Semicolon = b';',
}

impl Delimiter {
    /// All of them. Of equals the last is taken, which is the commonest.
    pub(super) const ALL: [Self; 4] = [Self::Semicolon, Self::Tab, Self::Pipe, Self::Comma];

    /// What it is called.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Comma => "commas",
            Self::Pipe => "pipes (|)",
            Self::Tab => "tabs",
            Self::Semicolon => "semicolons",
        }
    }
}

/// What stands before the decimals of a number.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Decimal {
    /// `1,204.50`: commas may group thousands.
    #[default]
    Point,
    /// `1.204,50`: points may group thousands.
    Comma,
}

impl Decimal {
    #[allow(clippy::trivially_copy_pass_by_ref, reason = "the form that serde asks for")]
    fn is_point(&self) -> bool {
        *self == Self::Point
    }
}

/// The encoding of a text file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Encoding {
    /// UTF-8, with or without a byte order mark.
    #[serde(rename = "utf-8")]
    Utf8,
    /// UTF-16, as spreadsheets write "Unicode text".
    #[serde(rename = "utf-16")]
    Utf16,
    /// Windows-1252, as older case systems write.
    #[serde(rename = "windows-1252")]
    Windows1252,
}

impl ReadOptions {
    /// A cell's text without outer blanks, list letters and sentinels; empty where it says nothing.
    #[inline]
    pub(super) fn clean<'a>(&self, text: &'a str) -> &'a str {
        // Most cells have no outer blanks, and these are looked for among all of Unicode's.
        let is_plain = |byte: Option<&u8>| byte.is_some_and(u8::is_ascii_graphic);
        let bytes = text.as_bytes();
        let mut text = if is_plain(bytes.first()) && is_plain(bytes.last()) { text } else { text.trim() };
        if self.list_letters
            && let Some((letter, rest)) = text.split_once(')')
            && letter.len() == 1
            && letter.bytes().all(|byte| byte.is_ascii_alphabetic())
        {
            text = rest.trim_start();
        }
        if self.nulls.iter().any(|null| null.eq_ignore_ascii_case(text)) { "" } else { text }
    }
}
