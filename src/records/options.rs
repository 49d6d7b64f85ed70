//! How text is read: delimiter, encoding, and what stands for nothing.

use serde::{Deserialize, Serialize};

/// How the text of an extract is to be read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ReadOptions {
    /// The delimiter of a text file. Without it: whichever of comma, pipe, tab and semicolon stands most
    /// often in the header.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub delimiter: Option<Delimiter>,
    /// The encoding of a text file.
    pub encoding: Encoding,
    /// Texts that stand for "nothing here".
    pub nulls: Vec<String>,
    /// Whether to drop a list letter in front of a value (`a) Male`).
    pub list_letters: bool,
}

impl Default for ReadOptions {
    /// UTF-8 text; the sentinels that councils' systems write most often; values as they stand.
    fn default() -> Self {
        Self {
            delimiter: None,
            encoding: Encoding::Utf8,
            nulls: ["NULL", "N/A", "UNKNOWN", "NOT KNOWN"].map(str::to_owned).to_vec(),
            list_letters: false,
        }
    }
}

/// What separates the fields of a text file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[repr(u8)]
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

/// The encoding of a text file.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Encoding {
    /// UTF-8, with or without a byte order mark.
    #[default]
    #[serde(rename = "utf-8")]
    Utf8,
    /// Windows-1252, as older case systems write.
    #[serde(rename = "windows-1252")]
    Windows1252,
}

impl ReadOptions {
    /// A cell's text without outer blanks, list letters and sentinels; empty where it says nothing.
    pub(super) fn clean<'a>(&self, text: &'a str) -> &'a str {
        let mut text = text.trim();
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
