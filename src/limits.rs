//! How large what comes from elsewhere may be: files, lines, tables and models, each bound with its reason.
//!
//! A file that somebody sends may be damaged, or made to do harm. Beyond these bounds it is an error that says so, and
//! never a program that waits without end or runs out of memory. [`guide::defaults`](crate::guide::defaults) lists them.

use std::borrow::Cow;
use std::fs::File;
use std::io::Read;
use std::path::Path;

use crate::error::FileError;

/// The most bytes of a project file, and of any other file of settings: 4 MiB, a hundred times the longest one known.
pub const SETTINGS_BYTES: u64 = 4 << 20;

/// The most bytes of a model file: 64 MiB, fifty times those of the models in `models/`.
pub const MODEL_BYTES: u64 = 64 << 20;

/// The most bytes of what a reviewer writes about one case: 64 KiB, some twenty pages. A long note has ten.
pub const NOTE_BYTES: usize = 64 << 10;

/// The most bytes of a name or a role of whoever looks at a case: 200. It stays in a ledger for ever, so it is no place for notes.
pub const NAME_BYTES: usize = 200;

/// The most bytes of one record of a delimited text, with all its cells: 16 MiB. A long case note has some thousand.
pub const RECORD_BYTES: usize = 16 << 20;

/// The most bytes of a question to a [service](crate::service): 4 MiB. The records of one household over ten years have some hundred
/// thousand.
pub const QUESTION_BYTES: usize = 4 << 20;

/// The most places that a service gives a list, and the most cases that it draws at random beside them: 1,000. A list is for people to
/// read.
pub const PLACES: u32 = 1_000;

/// The most columns of a table: 16,384, as many as a sheet of Excel has.
pub const COLUMNS: usize = 16_384;

/// The deepest that columns of a Parquet or Arrow file may be nested: 64. A decoder goes down by calling itself.
pub const DEPTH: usize = 64;

/// The bytes that a file may unpack to however small it is, and the most that one page of a Parquet file may: 256 MiB. Writers
/// of Parquet end a page at 1 MiB, or at 100 MB.
pub const UNPACKED_BYTES: u64 = 256 << 20;

/// A larger file may unpack to so many times its size: 100. A sheet of numbers unpacks tenfold, one of the same word
/// fiftyfold; a file that was made to fill the memory, a thousandfold and more.
pub const UNPACKED_FOLD: u64 = 100;

/// The most features of a project or a model: 10,000. A page could not show more, and nobody could review them.
pub const FEATURES: usize = 10_000;

/// The most terms of a model: 20,000, so that each feature may have one and as many pairs again.
pub const TERMS: usize = 20_000;

/// No figure of a model is further from zero than this: 1e9. A chance of 1 in 10^300 is 691 in log-odds; with larger figures
/// sums over cases could leave the numbers that a computer has, and a score would be infinite.
pub const FIGURE: f64 = 1e9;

/// The most letters of an error that are shown: 20,000, and 2,000 of one line.
const SHOWN: [usize; 2] = [20_000, 2_000];

/// The most bytes that a file of `packed` bytes may unpack to: [`UNPACKED_BYTES`], or [`UNPACKED_FOLD`] times its size.
///
/// # Examples
/// ```
/// use earlyhelp::limits;
///
/// assert_eq!(limits::unpacked(1_000), limits::UNPACKED_BYTES);
/// assert_eq!(limits::unpacked(1_000_000_000), 100_000_000_000);
/// ```
#[must_use]
pub const fn unpacked(packed: u64) -> u64 {
    let fold = packed.saturating_mul(UNPACKED_FOLD);
    if fold > UNPACKED_BYTES { fold } else { UNPACKED_BYTES }
}

/// The bytes of a file that has no more than `most`.
///
/// # Errors
/// [`FileError`] where it cannot be read, is no regular file (a pipe or a device might never end), or is larger.
///
/// # Examples
/// ```
/// use earlyhelp::error::FileError;
/// use earlyhelp::limits;
///
/// let path = std::env::temp_dir().join("earlyhelp-limits.txt");
/// std::fs::write(&path, "0123456789")?;
/// assert_eq!(limits::read(&path, 10).map(|bytes| bytes.len()), Ok(10));
/// assert_eq!(limits::read(&path, 9), Err(FileError::TooLarge { most: 9 }));
/// assert_eq!(limits::read(std::env::temp_dir(), 9), Err(FileError::NotAFile));
/// # Ok::<(), std::io::Error>(())
/// ```
pub fn read(path: impl AsRef<Path>, most: u64) -> Result<Vec<u8>, FileError> {
    let path = path.as_ref();
    let failed = |error: std::io::Error| FileError::System(error.to_string());
    let held = std::fs::metadata(path).map_err(failed)?;
    if !held.is_file() {
        return Err(FileError::NotAFile);
    }
    let mut bytes = Vec::new();
    // One more than it may have: what it had a moment ago is not what it has.
    File::open(path).map_err(failed)?.take(most + 1).read_to_end(&mut bytes).map_err(failed)?;
    if bytes.len() as u64 > most { Err(FileError::TooLarge { most }) } else { Ok(bytes) }
}

/// The text of a file that has no more than `most` bytes.
///
/// # Errors
/// As [`read`], and [`FileError::NotText`] where it is not in UTF-8.
pub fn read_text(path: impl AsRef<Path>, most: u64) -> Result<String, FileError> {
    String::from_utf8(read(path, most)?).map_err(|_| FileError::NotText)
}

/// An error's text without what nobody would read: a parser shows the line that it cannot read, and that may be a whole
/// file. What is left out is counted.
///
/// # Examples
/// ```
/// use earlyhelp::limits;
///
/// assert_eq!(limits::shortened("no such file"), "no such file");
/// let long = format!("expected a table at\n{}\n", "x".repeat(50_000_000));
/// assert!(limits::shortened(&long).len() < 3_000);
/// ```
#[must_use]
pub fn shortened(text: &str) -> Cow<'_, str> {
    let [most, most_of_line] = SHOWN;
    if text.len() <= most && text.lines().all(|line| line.len() <= most_of_line) {
        return Cow::Borrowed(text);
    }
    let mut kept = String::new();
    let mut left = most;
    for (nth, line) in text.split('\n').enumerate() {
        if nth > 0 {
            kept.push('\n');
        }
        let end = cut(line, most_of_line.min(left));
        kept.push_str(&line[..end]);
        left -= end;
        if end < line.len() {
            kept.push_str(&format!(" [{} more bytes of this line are not shown]", line.len() - end));
        }
        if left == 0 {
            kept.push_str("\n[the rest is not shown]");
            break;
        }
    }
    Cow::Owned(kept)
}

/// The last place up to `most` at which a text can be cut.
fn cut(text: &str, most: usize) -> usize {
    if text.len() <= most {
        return text.len();
    }
    (0..=most).rev().find(|&at| text.is_char_boundary(at)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_line_is_cut_between_letters_and_what_is_around_it_is_kept() {
        let text = format!("at line 1\n{}\n  ^\nunknown field", "é".repeat(5_000));
        let shown = shortened(&text);
        assert!(shown.starts_with("at line 1\néé") && shown.ends_with("\n  ^\nunknown field"), "{shown}");
        assert!(shown.contains("[8000 more bytes of this line are not shown]"), "{shown}");
        let lines = "a line\n".repeat(10_000);
        let shown = shortened(&lines);
        assert!(shown.len() < 30_000 && shown.ends_with("[the rest is not shown]"));
    }

    #[test]
    fn what_is_no_text_and_what_never_ends_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("latin.toml");
        std::fs::write(&path, b"name = \"caf\xe9\"").unwrap();
        assert_eq!(read_text(&path, 100), Err(FileError::NotText));
        assert!(matches!(read(folder.path().join("none"), 100), Err(FileError::System(_))));
        #[cfg(unix)]
        assert_eq!(read("/dev/zero", 100), Err(FileError::NotAFile));
    }
}
