//! Ids that say nothing, made by a key from those that do.

use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;

use crate::error::RecordsError;

/// The key by which ids become pseudonyms while they are read: HMAC-SHA-256 (RFC 2104) of what the id is of and of the id.
///
/// The same key and id give the same pseudonym in every file, month and system; without the key nobody can tell which
/// pseudonym an id has, not even by trying all ids there are. The id of a person and that of a household never give the same
/// pseudonym, though both may be the number 17. The key is in no output, error or `Debug`.
///
/// # Examples
/// ```
/// use earlyhelp::records::PseudonymKey;
///
/// let key = PseudonymKey::new(b"0123456789abcdef0123456789abcdef")?;
/// assert_eq!(key.of_person("17").len(), 32);
/// assert_ne!(key.of_person("17"), key.of_household("17"));
/// assert!(PseudonymKey::new(b"short").is_err());
/// # Ok::<(), earlyhelp::error::RecordsError>(())
/// ```
#[derive(Clone)]
pub struct PseudonymKey(Hmac<Sha256>);

crate::opaque_debug!(PseudonymKey);

impl PseudonymKey {
    /// The fewest bytes of a key: as many as SHA-256 gives, so that a key is no easier to try out than what it makes.
    pub const LEAST_BYTES: usize = 32;

    /// Takes the key's bytes as they are.
    ///
    /// # Errors
    /// [`RecordsError::PseudonymKey`] where there are fewer than [`Self::LEAST_BYTES`].
    pub fn new(key: &[u8]) -> Result<Self, RecordsError> {
        let short = RecordsError::PseudonymKey { least: Self::LEAST_BYTES };
        if key.len() < Self::LEAST_BYTES {
            return Err(short);
        }
        Hmac::new_from_slice(key).map(Self).map_err(|_| short)
    }

    /// The pseudonym of a person's id: 32 hexadecimal digits.
    #[must_use]
    pub fn of_person(&self, id: &str) -> String {
        self.of("person", id)
    }

    /// The pseudonym of a household's id: 32 hexadecimal digits.
    #[must_use]
    pub fn of_household(&self, id: &str) -> String {
        self.of("household", id)
    }

    /// Tells this key from others, and nothing about it.
    pub(super) fn fingerprint(&self) -> String {
        self.of("fingerprint", "")
    }

    /// What the id is of stands before it, behind the length that no other word has.
    fn of(&self, domain: &str, id: &str) -> String {
        let mut hash = self.0.clone();
        for part in ["earlyhelp/pseudonym/1", domain] {
            hash.update(&(part.len() as u64).to_le_bytes());
            hash.update(part.as_bytes());
        }
        hash.update(id.as_bytes());
        // Half of it: with a thousand million ids two are alike with a chance of one in 10^20.
        hex::encode(&hash.finalize().into_bytes()[..16])
    }
}
