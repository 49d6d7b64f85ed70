//! What a source's extract needs besides its files: lists of codes and look-up tables.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::{FileOf, SourceFile};
use crate::error::{ProjectError, RecordsError};
use crate::records::{CodeList, Extract, Lookup, ReadOptions, Unlisted};

/// A list of codes: its file alone, or with what becomes of codes that are not on it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(untagged)]
#[non_exhaustive]
pub enum CodesFile {
    /// The file: a table with the columns `value`, `meaning` and, where wanted, `alias`.
    File(PathBuf),
    /// The file, and a rule.
    Ruled(RuledCodes),
}

/// A list of codes with a rule.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct RuledCodes {
    /// The file.
    pub file: PathBuf,
    /// What becomes of a code that is not on the list.
    #[serde(default)]
    pub unlisted: Unlisted,
}

/// A look-up table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct JoinFile {
    /// The file, where it is kept with the project; else it is one of the extracts, named as `path`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file: Option<PathBuf>,
    /// The extract, which another folder of extracts has too. One of `file` and `path` is given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<PathBuf>,
    /// How its text is read.
    #[serde(default)]
    pub read: ReadOptions,
    /// The source's column that is looked up, and the table's column that it is looked up in; or several such pairs.
    #[serde(with = "on")]
    #[cfg_attr(feature = "schema", schemars(with = "on::On"))]
    pub on: Vec<[String; 2]>,
    /// The columns that the table gives: the name by which the source's `columns` ask for it, and the table's column.
    pub columns: BTreeMap<String, String>,
}

/// What is read of any table of a project, whatever its columns mean.
pub(super) struct TableFile<'f> {
    pub(super) name: &'f str,
    pub(super) path: &'f [PathBuf],
    pub(super) query: Option<&'f str>,
    pub(super) read: &'f ReadOptions,
    pub(super) codes: &'f BTreeMap<String, CodesFile>,
    pub(super) join: &'f [JoinFile],
}

impl<'f> TableFile<'f> {
    /// A table that has the name which such a table has in every project.
    pub(super) fn of<Columns>(name: &'f str, file: &'f FileOf<Columns>) -> Self {
        let FileOf { path, query, read, codes, join, .. } = file;
        Self { name, path, query: query.as_deref(), read, codes, join }
    }
}

impl<'f> From<&'f SourceFile> for TableFile<'f> {
    fn from(file: &'f SourceFile) -> Self {
        let SourceFile { name, path, query, read, codes, join, .. } = file;
        Self { name, path, query: query.as_deref(), read, codes, join }
    }
}

/// Reads `["code", "code"]` and `[["module", "module"], ["term", "term"]]` alike.
mod on {
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    #[derive(Deserialize)]
    #[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
    #[cfg_attr(feature = "schema", schemars(rename = "ColumnPairs"))]
    #[serde(
        untagged,
        expecting = "give the source's column and the table's: [\"code\", \"code\"], or a list of such pairs"
    )]
    pub(super) enum On {
        Pair([String; 2]),
        Pairs(Vec<[String; 2]>),
    }

    pub(super) fn serialize<S: Serializer>(on: &[[String; 2]], serializer: S) -> Result<S::Ok, S::Error> {
        match on {
            [pair] => pair.serialize(serializer),
            pairs => pairs.serialize(serializer),
        }
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Vec<[String; 2]>, D::Error> {
        Ok(match On::deserialize(deserializer)? {
            On::Pair(pair) => vec![pair],
            On::Pairs(pairs) => pairs,
        })
    }
}

impl CodesFile {
    pub(super) fn read(&self, folder: &Path) -> Result<CodeList, RecordsError> {
        let (file, unlisted) = match self {
            Self::File(file) => (file, Unlisted::default()),
            Self::Ruled(ruled) => (&ruled.file, ruled.unlisted),
        };
        CodeList::read(Extract::path(folder.join(file))).map(|list| list.unlisted(unlisted))
    }
}

impl JoinFile {
    /// Refuses a table that is named twice or not at all.
    pub(super) fn check(&self) -> Result<(), ProjectError> {
        if self.file.is_some() == self.path.is_some() {
            let why = "a look-up table needs `file` (kept with the project) or `path` (one of the extracts), not both";
            return Err(ProjectError::Range { key: "source.join", why: why.to_owned() });
        }
        Ok(())
    }

    /// `folder`: the project's; `extracts`: that of the extracts.
    pub(super) fn read(&self, folder: &Path, extracts: &Path) -> Result<Lookup, RecordsError> {
        let columns: Vec<(&str, &str)> =
            self.columns.iter().map(|(name, column)| (name.as_str(), column.as_str())).collect();
        let on: Vec<[&str; 2]> = self.on.iter().map(|[local, key]| [local.as_str(), key.as_str()]).collect();
        let file = match (&self.file, &self.path) {
            (_, Some(path)) => extracts.join(path),
            (file, None) => folder.join(file.as_deref().unwrap_or(Path::new(""))),
        };
        Lookup::read_by(Extract::path(file).options(self.read.clone()), &on, &columns)
    }
}

impl SourceFile {
    /// The names that one of its columns has in files: aliases, and a look-up table's own.
    pub(super) fn behind<'s>(&'s self, column: &'s str) -> impl Iterator<Item = String> + 's {
        let aliases = self.read.aliases.get(column).into_iter().flatten();
        aliases.chain(self.join.iter().filter_map(|join| join.columns.get(column))).cloned()
    }
}
