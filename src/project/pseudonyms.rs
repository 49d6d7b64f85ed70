//! Where the key for pseudonyms is.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::error::{Error, ProjectError};
use crate::limits;
use crate::records::PseudonymKey;

/// Where the key is by which ids become pseudonyms: in a file, or in a variable of the environment. It never stands in the
/// project file itself, which people show each other.
///
/// # Examples
/// ```
/// use earlyhelp::project::PseudonymsBy;
///
/// let by: PseudonymsBy = toml::from_str("key_file = \"pseudonyms.key\"").unwrap();
/// assert_eq!(by, PseudonymsBy::KeyFile("pseudonyms.key".into()));
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum PseudonymsBy {
    /// A file that holds the key and nothing else; line breaks at its end are not part of it.
    KeyFile(PathBuf),
    /// The name of a variable of the environment.
    KeyEnv(String),
}

impl PseudonymsBy {
    /// The key; a path is relative to the project's folder.
    pub(super) fn key(&self, folder: &Path) -> Result<PseudonymKey, Error> {
        let missing = |why: String| ProjectError::Range { key: "pseudonyms", why };
        let mut key = match self {
            Self::KeyFile(path) => {
                let path = folder.join(path);
                limits::read(&path, limits::SETTINGS_BYTES).map_err(|error| {
                    missing(format!("cannot read the key file {}: {error}", path.display()))
                })?
            }
            Self::KeyEnv(name) => std::env::var_os(name)
                .ok_or_else(|| missing(format!("the environment has no variable {name}; set it to the key")))?
                .into_encoded_bytes(),
        };
        while key.last().is_some_and(|byte| matches!(byte, b'\n' | b'\r')) {
            key.pop();
        }
        Ok(PseudonymKey::new(&key)?)
    }
}
