//! Tables as an engine wrote them: Parquet files in a folder.

use std::io::Cursor;
use std::panic::catch_unwind;
use std::path::{Path, PathBuf};

use polars::prelude::{DataFrame, ParquetReader, SerReader as _};
use sha2::{Digest as _, Sha256};

use super::dialect::Dialect;
use crate::error::SqlError;

/// The table of scores.
pub(super) const SCORES: &str = "eh_scores";

/// A folder of tables: each a file `NAME.parquet`, or a folder of that name, or of `NAME`, with parts of it.
///
/// # Examples
/// ```
/// use earlyhelp::sql::TableFolder;
///
/// let nothing = TableFolder::new(std::env::temp_dir().join("no-such-folder"));
/// assert!(nothing.read("eh_scores").unwrap_err().to_string().contains("eh_scores"));
/// ```
#[derive(Debug, Clone)]
pub struct TableFolder {
    folder: PathBuf,
}

impl TableFolder {
    /// A folder, which need not be there yet.
    pub fn new(folder: impl Into<PathBuf>) -> Self {
        Self { folder: folder.into() }
    }

    /// A whole table: all parts, one below the other.
    ///
    /// # Errors
    /// [`SqlError::Table`] where there is none of that name, it is there twice, or a part cannot be read.
    pub fn read(&self, table: &str) -> Result<DataFrame, SqlError> {
        self.read_and_digest(table).map(|(frame, _)| frame)
    }

    /// The same with SHA-256 over the very bytes that were read, whatever the parts are called.
    pub(super) fn read_and_digest(&self, table: &str) -> Result<(DataFrame, [u8; 32]), SqlError> {
        let (mut whole, mut digests): (Option<DataFrame>, Vec<[u8; 32]>) = (None, Vec::new());
        for path in self.parts(table)? {
            let bytes = std::fs::read(&path).map_err(|error| fault(table, error.to_string()))?;
            digests.push(Sha256::digest(&bytes).into());
            // Somebody else's decoder: a damaged file is an error, whatever it does.
            let part = match catch_unwind(|| ParquetReader::new(Cursor::new(&bytes)).finish()) {
                Ok(Ok(frame)) => frame,
                Ok(Err(error)) => return Err(fault(table, error.to_string())),
                Err(_) => return Err(fault(table, "a part of it is damaged")),
            };
            match &mut whole {
                None => whole = Some(part),
                Some(above) => {
                    above.vstack_mut(&part).map_err(|error| fault(table, error.to_string()))?;
                }
            }
        }
        // Spark calls its parts anew each time.
        digests.sort_unstable();
        let whole = whole.ok_or_else(|| fault(table, "it has no part"))?;
        Ok((whole, Sha256::digest(digests.concat()).into()))
    }

    /// The dialect of the texts that made a scored table, as it says of itself.
    ///
    /// # Errors
    /// [`SqlError::Table`] where there is no scored table, or it does not say.
    pub fn dialect(&self) -> Result<Dialect, SqlError> {
        let scores = self.read(SCORES)?;
        let first =
            scores.column("dialect").ok().and_then(|column| column.str().ok()?.iter().next()??.parse().ok());
        first.ok_or_else(|| {
            fault(
                SCORES,
                "it does not say in which dialect it was made; make it by the texts of `earlyhelp sql`",
            )
        })
    }

    /// The files of a table, in the order of their names.
    fn parts(&self, table: &str) -> Result<Vec<PathBuf>, SqlError> {
        let file = self.folder.join(format!("{table}.parquet"));
        let folder = self.folder.join(table);
        let one = match (file.exists(), folder.exists()) {
            (true, false) => file,
            (false, true) => folder,
            (true, true) => return Err(fault(table, "it is there twice, as a file and as a folder")),
            (false, false) => {
                return Err(fault(table, format!("there is none in {}", self.folder.display())));
            }
        };
        if one.is_file() {
            return Ok(vec![one]);
        }
        let held = std::fs::read_dir(&one).map_err(|error| fault(table, error.to_string()))?;
        let mut parts = Vec::new();
        for entry in held {
            let path = entry.map_err(|error| fault(table, error.to_string()))?.path();
            if path.is_dir() {
                return Err(fault(table, "it has folders in it; write it without partitions"));
            }
            // An engine writes notes of its own beside parts: `_SUCCESS`, checksums that begin with a dot.
            if path.extension().is_some_and(|ending| ending == "parquet") && !is_hidden(&path) {
                parts.push(path);
            }
        }
        parts.sort();
        Ok(parts)
    }
}

fn is_hidden(path: &Path) -> bool {
    path.file_name().and_then(|name| name.to_str()).is_none_or(|name| name.starts_with(['.', '_']))
}

pub(super) fn fault(table: &str, why: impl Into<String>) -> SqlError {
    SqlError::Table { table: table.to_owned(), why: why.into() }
}
