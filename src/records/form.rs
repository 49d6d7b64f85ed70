//! How a file was read, once it is known.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

/// How a file was read: what it turned out to be where the project did not say.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct FileForm {
    /// What kind of file it is: `text`, `workbook`, `Parquet` or `Arrow`; `query` of rows from a database.
    pub kind: Cow<'static, str>,
    /// What stands between the columns of a text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub delimiter: Option<Cow<'static, str>>,
    /// The encoding of a text. Single rows may have been read as Windows-1252 all the same: see
    /// [`FileRead::windows_1252`](super::FileRead::windows_1252).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub encoding: Option<Cow<'static, str>>,
    /// The sheet of a workbook.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sheet: Option<String>,
}

impl FileForm {
    /// A kind of file that has neither delimiter nor sheet.
    pub(super) fn plain(kind: &'static str) -> Self {
        Self { kind: Cow::Borrowed(kind), delimiter: None, encoding: None, sheet: None }
    }

    pub(super) fn text(delimiter: &'static str, encoding: &'static str) -> Self {
        Self {
            delimiter: Some(Cow::Borrowed(delimiter)),
            encoding: Some(Cow::Borrowed(encoding)),
            ..Self::plain("text")
        }
    }

    pub(super) fn workbook(sheet: String) -> Self {
        Self { sheet: Some(sheet), ..Self::plain("workbook") }
    }
}
