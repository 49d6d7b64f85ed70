//! What a folder remembers of the files that were written into it, so that they are known again.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read as _};
use std::path::Path;

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::is_plain;

/// What the marker's first key says.
const FORMAT: &str = "earlyhelp-outputs/1";
/// A marker has a line for each file; one that is longer is none.
const LONGEST: u64 = 4 << 20;

/// The files of a folder that were written by this program, as they were when it had written them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Marker {
    format: String,
    /// Mixed into digests, so that the digest of a small file does not confirm a guess made elsewhere.
    salt: String,
    pub(super) files: BTreeMap<String, Held>,
}

/// A file that was written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Held {
    pub(super) digest: String,
    /// The first file of its set. When the set is written again, what it no longer has goes.
    pub(super) with: String,
    /// What the set is.
    #[serde(default)]
    pub(super) kind: String,
}

/// What is being moved: written down before, so that whoever finds it can finish it.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Pending {
    pub(super) moves: Vec<Move>,
}

/// One file's move.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Move {
    pub(super) name: String,
    /// Where its new content waits; none where it goes without one.
    pub(super) staged: Option<String>,
    /// Where its old content goes meanwhile.
    pub(super) aside: String,
    /// The digest of the old content; none where there is none.
    pub(super) old: Option<String>,
}

impl Marker {
    pub(super) fn new() -> io::Result<Self> {
        let mut salt = [0; 16];
        getrandom::fill(&mut salt).map_err(|error| io::Error::other(error.to_string()))?;
        Ok(Self { format: FORMAT.to_owned(), salt: hex::encode(salt), files: BTreeMap::new() })
    }

    /// The marker in a file; none where there is no file.
    pub(super) fn load(path: &Path) -> io::Result<Option<Self>> {
        let marker: Option<Self> = load(path)?;
        match marker {
            Some(marker) if marker.format != FORMAT => Err(io::Error::other("another version wrote it")),
            Some(marker) if !marker.files.keys().all(|name| is_plain(name)) => Err(outside()),
            marker => Ok(marker),
        }
    }

    /// A digest that is fed piece by piece.
    pub(super) fn digest(&self) -> Sha256 {
        Sha256::new_with_prefix(&self.salt)
    }

    /// The digest of what has a name, without following links.
    pub(super) fn digest_of(&self, path: &Path) -> io::Result<String> {
        let mut digest = self.digest();
        if std::fs::symlink_metadata(path)?.is_symlink() {
            digest.update(b"link to ");
            digest.update(std::fs::read_link(path)?.as_os_str().as_encoded_bytes());
        } else {
            io::copy(&mut File::open(path)?, &mut DigestWriter(&mut digest))?;
        }
        Ok(hex::encode(digest.finalize()))
    }
}

impl Pending {
    /// What is written down; none where there is no file. It may have come with the folder from elsewhere, so it is obeyed only
    /// where it speaks of files of the folder itself.
    pub(super) fn load(path: &Path) -> io::Result<Option<Self>> {
        let pending: Option<Self> = load(path)?;
        let waits = |name: &str, ending: &str| {
            let nth = name.strip_suffix(ending);
            nth.is_some_and(|nth| !nth.is_empty() && nth.bytes().all(|digit| digit.is_ascii_digit()))
        };
        let is_of_the_folder = |moved: &Move| {
            is_plain(&moved.name)
                && waits(&moved.aside, ".old")
                && moved.staged.as_ref().is_none_or(|staged| waits(staged, ".new"))
        };
        match pending {
            Some(pending) if !pending.moves.iter().all(is_of_the_folder) => Err(outside()),
            pending => Ok(pending),
        }
    }
}

fn outside() -> io::Error {
    io::Error::other(
        "it names files outside of its folder, which this program never writes; remove it if you do not trust it",
    )
}

fn load<T: serde::de::DeserializeOwned>(path: &Path) -> io::Result<Option<T>> {
    // A pipe would be waited for, for ever, and a link leads elsewhere.
    match std::fs::symlink_metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        there => {
            if !there?.is_file() {
                return Err(io::Error::other("it is no file"));
            }
        }
    }
    let file = File::open(path)?;
    let mut text = Vec::new();
    file.take(LONGEST).read_to_end(&mut text)?;
    Ok(Some(serde_json::from_slice(&text)?))
}

struct DigestWriter<'d>(&'d mut Sha256);

impl io::Write for DigestWriter<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.update(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
