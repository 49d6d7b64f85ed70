//! Checkpoints: where a chain ended on a day, to be kept elsewhere and signed if wanted.
//!
//! # References
//! - RFC 8032 (2017), Edwards-Curve Digital Signature Algorithm: Ed25519.

use std::fmt;
use std::fs::OpenOptions;
use std::io::{self, Write as _};
use std::path::Path;

use ed25519_dalek::{Signature, Signer as _, VerifyingKey};
use serde::{Deserialize, Serialize};

use super::chain::Head;
use crate::calendar::Day;
use crate::error::LedgerError;
use crate::limits;

/// What a checkpoint says it is. It is signed with the rest, so that a signature can be used for nothing else.
const FORMAT: &str = "earlyhelp ledger checkpoint, format 1";

/// Where the chain ended on a day. It says nothing of what the ledger holds, so it can be kept anywhere: with an
/// auditor, in a minute book, in an e-mail to oneself. What it is kept for is that the keeper of the ledger
/// cannot change it.
///
/// # Examples
/// ```
/// use earlyhelp::ledger::{Checkpoint, Ledger, SigningKey};
///
/// # let folder = std::env::temp_dir().join("earlyhelp-checkpoint-example");
/// # let _ = std::fs::remove_dir_all(&folder);
/// # std::fs::create_dir_all(&folder)?;
/// let ledger = Ledger::open(folder.join("ledger.sqlite"))?;
/// let key = SigningKey::generate()?;
/// let checkpoint = ledger.checkpoint("2025-04-01".parse()?)?.sign(&key)?;
///
/// checkpoint.verify(&key.public())?;
/// assert!(checkpoint.verify(&SigningKey::generate()?.public()).is_err());
/// assert!(ledger.verify(std::slice::from_ref(&checkpoint))?.finding.is_none());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Checkpoint {
    /// What it is, and in which format.
    pub format: String,
    /// How many entries the ledger had.
    pub entries: u64,
    /// The hash of the last of them, 64 hexadecimal digits.
    pub hash: String,
    /// The day on which it was taken, as the taker says.
    pub on: Day,
    /// The Ed25519 signature over all of the above, 128 hexadecimal digits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signature: Option<String>,
    /// The public key that goes with the signature, 64 hexadecimal digits. It only says which key to look
    /// for: trust a key that you have from elsewhere.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub public_key: Option<String>,
}

impl Checkpoint {
    /// Where a chain ended, as it is known from elsewhere: from the witness on a list, for instance.
    #[must_use]
    pub fn of(head: &Head, on: Day) -> Self {
        Self {
            format: FORMAT.into(),
            entries: head.entries,
            hash: head.hash.clone(),
            on,
            signature: None,
            public_key: None,
        }
    }

    /// The bytes that are signed: the checkpoint as JSON, without signature and key.
    fn signed_bytes(&self) -> Result<Vec<u8>, LedgerError> {
        let bare = Self { signature: None, public_key: None, ..self.clone() };
        serde_json::to_vec(&bare).map_err(|error| LedgerError::Checkpoint(error.to_string()))
    }

    /// The same checkpoint, signed.
    ///
    /// # Errors
    /// [`LedgerError::Checkpoint`] when it cannot be written as JSON.
    pub fn sign(mut self, key: &SigningKey) -> Result<Self, LedgerError> {
        self.signature = Some(hex::encode(key.0.sign(&self.signed_bytes()?).to_bytes()));
        self.public_key = Some(key.public().to_string());
        Ok(self)
    }

    /// Checks that the owner of `key` signed it.
    ///
    /// # Errors
    /// [`LedgerError::Signature`] when there is no signature, or when it is another key's or of another text.
    pub fn verify(&self, key: &PublicKey) -> Result<(), LedgerError> {
        let signature = self.signature.as_ref().ok_or(LedgerError::Signature("it is not signed"))?;
        let signature = hex::decode(signature)
            .ok()
            .and_then(|bytes| Signature::from_slice(&bytes).ok())
            .ok_or(LedgerError::Signature("what stands there is not a signature"))?;
        if self.public_key.as_ref().is_some_and(|said| *said != key.to_string()) {
            return Err(LedgerError::Signature("it names another public key than the one given"));
        }
        key.0
            .verify_strict(&self.signed_bytes()?, &signature)
            .map_err(|_| LedgerError::Signature("it is not of this text by this key"))
    }

    /// Reads a checkpoint from its file.
    ///
    /// # Errors
    /// [`LedgerError::Checkpoint`] when the file cannot be read or is not a checkpoint of this format.
    pub fn load(path: impl AsRef<Path>) -> Result<Self, LedgerError> {
        let path = path.as_ref();
        let wrong = |why: String| LedgerError::Checkpoint(format!("{}: {why}", path.display()));
        let text = limits::read(path, limits::SETTINGS_BYTES).map_err(|error| wrong(error.to_string()))?;
        let checkpoint: Self = serde_json::from_slice(&text).map_err(|error| wrong(error.to_string()))?;
        if checkpoint.format != FORMAT {
            return Err(wrong(format!("its format is not \"{FORMAT}\"")));
        }
        Ok(checkpoint)
    }

    /// Writes it to a new file, as JSON.
    ///
    /// # Errors
    /// [`LedgerError::Checkpoint`] when the file cannot be written.
    pub fn save(&self, path: impl AsRef<Path>) -> Result<(), LedgerError> {
        let path = path.as_ref();
        let wrong = |why: String| LedgerError::Checkpoint(format!("{}: {why}", path.display()));
        let mut text = serde_json::to_vec_pretty(self).map_err(|error| wrong(error.to_string()))?;
        text.push(b'\n');
        save_new(path, &text).map_err(|error| wrong(crate::error::said(&error)))
    }
}

/// Writes a new file, never over another: that may be the only checkpoint of its time, a key, or the ledger itself. It is there
/// whole or not at all: one that was cut off by a kill or a full disk would stand in the way of the next.
fn save_new(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let written = |path: &Path| -> io::Result<()> {
        let mut options = OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let mut file = options.open(path)?;
        let done = file.write_all(bytes).and_then(|()| file.sync_all());
        if done.is_err() {
            let _ = std::fs::remove_file(path);
        }
        done
    };
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let waiting = path.with_file_name(format!(".{name}.{}.new", std::process::id()));
    let saved = written(&waiting).and_then(|()| match std::fs::hard_link(&waiting, path) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Err(error),
        // Some drives know no second name of a file.
        Err(_) => written(path),
        Ok(()) => Ok(()),
    });
    let _ = std::fs::remove_file(&waiting);
    saved
}

/// The secret half of an Ed25519 key pair, which signs checkpoints.
///
/// Keep its file away from the ledger: whoever can write both can also sign what was changed.
pub struct SigningKey(ed25519_dalek::SigningKey);

impl SigningKey {
    /// A new key, from the system's random bytes.
    ///
    /// # Errors
    /// [`LedgerError::NoRandomness`] when the system gives none.
    pub fn generate() -> Result<Self, LedgerError> {
        let mut secret = [0; 32];
        getrandom::fill(&mut secret).map_err(|error| LedgerError::NoRandomness(error.to_string()))?;
        Ok(Self(ed25519_dalek::SigningKey::from_bytes(&secret)))
    }

    /// Reads a key from a file: 32 bytes, raw or as 64 hexadecimal digits.
    ///
    /// # Errors
    /// [`LedgerError::Key`] when the file cannot be read or holds something else.
    pub fn load(path: impl AsRef<Path>) -> Result<Self, LedgerError> {
        Ok(Self(ed25519_dalek::SigningKey::from_bytes(&key_bytes(path.as_ref())?)))
    }

    /// Writes the key to a new file, as 64 hexadecimal digits, which (on Unix) only its owner can read. It
    /// never writes over a file: a lost key cannot be had again.
    ///
    /// # Errors
    /// [`LedgerError::Key`] when there is such a file already, or when it cannot be written.
    pub fn save(&self, path: impl AsRef<Path>) -> Result<(), LedgerError> {
        let path = path.as_ref();
        save_new(path, format!("{}\n", hex::encode(self.0.to_bytes())).as_bytes())
            .map_err(|error| LedgerError::Key(format!("{}: {}", path.display(), crate::error::said(&error))))
    }

    /// The public half, which others verify with.
    #[must_use]
    pub fn public(&self) -> PublicKey {
        PublicKey(self.0.verifying_key())
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SigningKey").finish_non_exhaustive()
    }
}

/// The public half of an Ed25519 key pair. Its text is 64 hexadecimal digits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublicKey(VerifyingKey);

impl PublicKey {
    /// Reads a key from a file: 32 bytes, raw or as 64 hexadecimal digits.
    ///
    /// # Errors
    /// [`LedgerError::Key`] when the file cannot be read or holds something else.
    pub fn load(path: impl AsRef<Path>) -> Result<Self, LedgerError> {
        Self::from_bytes(key_bytes(path.as_ref())?)
    }

    fn from_bytes(bytes: [u8; 32]) -> Result<Self, LedgerError> {
        VerifyingKey::from_bytes(&bytes)
            .map(Self)
            .map_err(|_| LedgerError::Key("these 32 bytes are not an Ed25519 public key".into()))
    }
}

impl std::str::FromStr for PublicKey {
    type Err = LedgerError;
    fn from_str(text: &str) -> Result<Self, LedgerError> {
        let bytes = hex::decode(text.trim()).ok().and_then(|bytes| bytes.try_into().ok());
        Self::from_bytes(bytes.ok_or_else(|| LedgerError::Key("write it as 64 hexadecimal digits".into()))?)
    }
}

impl fmt::Display for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0.as_bytes()))
    }
}

fn key_bytes(path: &Path) -> Result<[u8; 32], LedgerError> {
    let wrong = |why: String| LedgerError::Key(format!("{}: {why}", path.display()));
    let bytes = limits::read(path, limits::SETTINGS_BYTES).map_err(|error| wrong(error.to_string()))?;
    <[u8; 32]>::try_from(bytes.as_slice())
        .ok()
        .or_else(|| hex::decode(bytes.trim_ascii()).ok()?.try_into().ok())
        .ok_or_else(|| wrong("it must hold 32 bytes, raw or as 64 hexadecimal digits".into()))
}
