//! What a ledger is made of: entries, and the part of an entry that can be taken out again.

use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::calendar::Day;

/// What is to be appended: the ledger adds the number, the chain and the day's place in it.
///
/// `facts` stay for ever, so they hold nothing that leads to a person. What does goes into `content`.
///
/// # Examples
/// ```
/// use earlyhelp::ledger::{Content, Draft, Ledger};
///
/// let draft = Draft::new("family_told", "2025-04-01".parse()?)
///     .run("2025-04")
///     .facts(serde_json::json!({ "by": "letter" }))
///     .content(Content::of_subject("P-0017", serde_json::json!({ "asked": "what is held of us" })));
/// # let folder = std::env::temp_dir().join(format!("earlyhelp-draft-{}", std::process::id()));
/// # std::fs::create_dir_all(&folder)?;
/// # let path = folder.join("ledger.jsonl");
/// let ledger = Ledger::open(&path)?;
/// assert_eq!(ledger.append(vec![draft])?.entries, 1);
/// // What the library writes itself cannot be written as if it had.
/// assert!(ledger.append(vec![Draft::new("case_scored", "2025-04-01".parse()?)]).is_err());
/// # std::fs::remove_dir_all(&folder)?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, PartialEq)]
pub struct Draft {
    /// What happened, in one word, for instance `family_told`: none of those that the library writes itself
    /// ([`EntryKind`](super::EntryKind)).
    pub kind: String,
    /// The day on which it happened, as the caller says: the library reads no clock.
    pub on: Day,
    /// The run it belongs to.
    pub run: Option<String>,
    /// What stays readable for ever. Nothing in it may lead to a person.
    pub facts: Value,
    /// What can be taken out again.
    pub content: Option<Content>,
    /// What a clock said: see [`Ledger::with_clock`](super::Ledger::with_clock).
    pub(super) written: Option<Day>,
    /// Why the day lies before that of the entry before.
    pub(super) why_earlier: Option<String>,
}

impl Draft {
    /// An entry of one kind without run, facts (an empty object) and content.
    #[must_use]
    pub fn new(kind: impl Into<String>, on: Day) -> Self {
        Self {
            kind: kind.into(),
            on,
            run: None,
            facts: Value::Object(serde_json::Map::new()),
            content: None,
            written: None,
            why_earlier: None,
        }
    }

    /// With the run it belongs to.
    #[must_use]
    pub fn run(mut self, run: impl Into<String>) -> Self {
        self.run = Some(run.into());
        self
    }

    /// With what stays readable for ever.
    #[must_use]
    pub fn facts(mut self, facts: Value) -> Self {
        self.facts = facts;
        self
    }

    /// With what can be taken out again.
    #[must_use]
    pub fn content(mut self, content: Content) -> Self {
        self.content = Some(content);
        self
    }
}

impl fmt::Debug for Draft {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Draft").field("kind", &self.kind).field("on", &self.on).finish_non_exhaustive()
    }
}

/// What can be taken out of an entry without breaking the chain: a person's part of it, or bulky material
/// such as a model file.
///
/// The chain holds only a commitment to it: SHA-256 over 32 random bytes (the salt) and the content. The salt
/// stands beside the content and goes with it. Without the salt a commitment cannot be guessed back, not
/// even from a list of all pseudonyms.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Content {
    /// The pseudonym of the person it is about; `None` for material about nobody.
    pub subject: Option<String>,
    /// What is said.
    pub body: Value,
}

impl Content {
    /// What is said of one person, named by a pseudonym.
    #[must_use]
    pub fn of_subject(subject: impl Into<String>, body: Value) -> Self {
        Self { subject: Some(subject.into()), body }
    }

    /// Material about nobody, for instance a model file.
    #[must_use]
    pub fn material(body: Value) -> Self {
        Self { subject: None, body }
    }

    /// The bytes that are committed to: JSON without spaces, the keys of objects sorted.
    pub(super) fn canonical(&mut self) -> serde_json::Result<Vec<u8>> {
        self.body.sort_all_objects();
        serde_json::to_vec(self)
    }
}

impl fmt::Debug for Content {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Content").finish_non_exhaustive()
    }
}

/// What the chain's hashes go over, in this order of fields.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Header {
    pub(super) seq: u64,
    /// The hash of the entry before, in hexadecimal.
    pub(super) previous: String,
    /// The number of the last entry that was appended in the same step. A batch whose last entry is not there
    /// was never committed.
    pub(super) through: u64,
    pub(super) kind: String,
    pub(super) on: Day,
    pub(super) run: Option<String>,
    pub(super) facts: Value,
    /// SHA-256 over the salt and the content, in hexadecimal.
    pub(super) commitment: Option<String>,
    /// What the machine's clock said when it was written.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) written: Option<Day>,
    /// Why its day lies before that of the entry before it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) why_earlier: Option<String>,
}

impl Header {
    /// JSON without spaces, the keys of objects sorted: the same header always gives the same bytes.
    pub(super) fn canonical(&mut self) -> serde_json::Result<Vec<u8>> {
        self.facts.sort_all_objects();
        serde_json::to_vec(self)
    }

    /// Reads a header that was written by [`Header::canonical`], and nothing else: any other way of writing
    /// the same header (a space, another order of keys) is refused, so that each bit of it counts.
    #[cfg_attr(
        not(any(feature = "sqlite", feature = "postgres")),
        allow(dead_code, reason = "the stores with columns read it")
    )]
    pub(super) fn parse(bytes: &[u8]) -> Option<Self> {
        let mut header: Self = serde_json::from_slice(bytes).ok()?;
        (header.canonical().ok()? == bytes).then_some(header)
    }

    /// The day of an entry whose bytes these are, without reading the rest, which is long: it is asked for with each append.
    #[cfg_attr(
        not(any(feature = "sqlite", feature = "postgres")),
        allow(dead_code, reason = "the stores with columns read it")
    )]
    pub(super) fn day_in(bytes: &[u8]) -> Option<Day> {
        #[derive(Deserialize)]
        struct Dated {
            on: Day,
        }
        serde_json::from_slice::<Dated>(bytes).ok().map(|header| header.on)
    }

    /// Whether it closes the batch in which it was appended.
    pub(super) const fn closes(&self) -> bool {
        self.through == self.seq
    }
}

/// An entry of a ledger, as it was committed.
#[derive(Clone, PartialEq, Serialize)]
pub struct LedgerEntry {
    #[serde(flatten)]
    header: Header,
    hash: String,
    content: Option<Content>,
}

impl LedgerEntry {
    pub(super) const fn new(header: Header, hash: String, content: Option<Content>) -> Self {
        Self { header, hash, content }
    }

    /// Its number in the ledger, from 1.
    pub const fn seq(&self) -> u64 {
        self.header.seq
    }

    /// What happened, in one word.
    pub fn kind(&self) -> &str {
        &self.header.kind
    }

    /// The day on which it happened, as the caller said.
    pub const fn on(&self) -> Day {
        self.header.on
    }

    /// The day on the clock of the machine that wrote it; `None` where no clock was given.
    pub const fn written(&self) -> Option<Day> {
        self.header.written
    }

    /// Why its day lies before that of the entry before it; `None` where it does not.
    pub fn why_earlier(&self) -> Option<&str> {
        self.header.why_earlier.as_deref()
    }

    /// The run it belongs to.
    pub fn run(&self) -> Option<&str> {
        self.header.run.as_deref()
    }

    /// What stays readable for ever.
    pub const fn facts(&self) -> &Value {
        &self.header.facts
    }

    /// The number of the last entry that was appended in the same step; its own, when it closed that step.
    pub const fn through(&self) -> u64 {
        self.header.through
    }

    /// Its hash: 64 hexadecimal digits.
    pub fn hash(&self) -> &str {
        &self.hash
    }

    /// The hash of the entry before it: 64 hexadecimal digits.
    pub fn previous(&self) -> &str {
        &self.header.previous
    }

    /// The commitment to its content, 64 hexadecimal digits; `None` where it never had any.
    pub fn commitment(&self) -> Option<&str> {
        self.header.commitment.as_deref()
    }

    /// Its content; `None` where it never had any, or where it was taken out.
    pub const fn content(&self) -> Option<&Content> {
        self.content.as_ref()
    }

    /// The pseudonym of the person whom its content is about.
    pub fn subject(&self) -> Option<&str> {
        self.content.as_ref()?.subject.as_deref()
    }

    /// Whether it had content that was taken out.
    pub const fn is_redacted(&self) -> bool {
        self.header.commitment.is_some() && self.content.is_none()
    }
}

impl fmt::Debug for LedgerEntry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LedgerEntry")
            .field("seq", &self.header.seq)
            .field("kind", &self.header.kind)
            .field("on", &self.header.on)
            .field("hash", &self.hash)
            .finish_non_exhaustive()
    }
}
