//! Extracts that cannot be read.

use std::path::PathBuf;

/// Extracts that cannot be read or used.
///
/// A single bad row is not an error: it is kept among the rejects.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum RecordsError {
    /// A file cannot be opened or decoded.
    #[error("source {extract}: cannot read {}: {why}", path.display())]
    Read {
        /// The source.
        extract: String,
        /// The file.
        path: PathBuf,
        /// What the system or the decoder says.
        why: String,
    },
    /// A frame that a program handed over could not be made.
    #[error("source {extract}: the frame cannot be had: {why}")]
    Frame {
        /// The source.
        extract: String,
        /// What polars says.
        why: String,
    },
    /// A query in a database cannot be asked, or its rows cannot be had.
    #[error("source {extract}: the query: {why}")]
    Query {
        /// The source.
        extract: String,
        /// What the server says, as far as it names nobody, or what is wrong.
        why: String,
    },
    /// A mapped column is not in the extract.
    #[error("source {extract}: there is no column \"{column}\": {seen}; give the name as the header has it")]
    NoColumn {
        /// The source.
        extract: String,
        /// The column.
        column: String,
        /// What is there, and how it was read.
        seen: String,
    },
    /// Of a column of dates it cannot be told whether the day or the month comes first.
    #[error("source {extract}: column \"{column}\": {why}")]
    DateOrder {
        /// The source.
        extract: String,
        /// The column.
        column: String,
        /// What was found, and what to do.
        why: &'static str,
    },
    /// Two columns of one name, so that it cannot be told which is meant.
    #[error(
        "source {extract}: the header has the column \"{column}\" more than once; give each column its own name"
    )]
    ColumnTwice {
        /// The source.
        extract: String,
        /// The column.
        column: String,
    },
    /// Two columns of one file, each of which has a name of the column asked for.
    #[error(
        "source {extract}: more than one column may be \"{column}\": {found}; leave one of them out of `aliases`, or out of \
         the file"
    )]
    ColumnsAlike {
        /// The source.
        extract: String,
        /// The column asked for.
        column: String,
        /// The columns found.
        found: String,
    },
    /// One column that two columns asked for would both be.
    #[error(
        "source {extract}: \"{column}\" and \"{other}\" would be one and the same column of the file; write the aliases \
         of \"{other}\" so that they name another"
    )]
    ColumnForTwo {
        /// The source.
        extract: String,
        /// A column asked for.
        column: String,
        /// The other, which has aliases.
        other: String,
    },
    /// A pattern of file names that says nothing, or not what is asked of it.
    #[error("the pattern of file names \"{pattern}\": {why}")]
    FilePattern {
        /// The pattern.
        pattern: String,
        /// What is wrong and what to do.
        why: String,
    },
    /// A file was written to while it was read.
    #[error("source {extract}: {} changed while it was read; run again when nobody writes to it", path.display())]
    Changed {
        /// The source.
        extract: String,
        /// The file.
        path: PathBuf,
    },
    /// The name of the file does not say what it is.
    #[error(
        "source {extract}: {}: only delimited text (.csv, .txt, .tsv, .psv; also as .gz, .zip or .zst), workbooks (.xlsx, \
         .xlsm, .xls, .ods), .parquet and Arrow files (.arrow, .ipc, .feather) can be read; save it as one of them",
        path.display()
    )]
    Format {
        /// The source.
        extract: String,
        /// The file.
        path: PathBuf,
    },
    /// A column is of a type that cannot hold what it is mapped to.
    #[error(
        "source {extract}: column \"{column}\" is of type {found}, which cannot be used here; cast it before handing it over"
    )]
    ColumnType {
        /// The source.
        extract: String,
        /// The column.
        column: String,
        /// Its type.
        found: String,
    },
    /// Two sources, or a source and the people, have one name.
    #[error("two sources are named \"{0}\"; give each its own name")]
    NameTwice(String),
    /// A mapping contradicts itself.
    #[error("source {extract}: {why}")]
    Mapping {
        /// The source.
        extract: String,
        /// What is wrong and what to do.
        why: String,
    },
    /// Records that cannot be added to those that are held.
    #[error("the changes cannot be used: {}{why}", of.as_ref().map(|of| format!("source {of} ")).unwrap_or_default())]
    Change {
        /// The source, where it is of one.
        of: Option<String>,
        /// What is wrong and what to do.
        why: String,
    },
    /// More rows were rejected than the project allows.
    #[error(
        "source {extract}: {rejected} of {read} rows were rejected, over the limit of {limit:.1}% (most often: {commonest}); \
         `earlyhelp check` lists them; mend the extract or the mapping, or raise reject_limit"
    )]
    TooManyRejects {
        /// The source.
        extract: String,
        /// Rows rejected.
        rejected: u64,
        /// Rows read.
        read: u64,
        /// The limit, percent.
        limit: f64,
        /// The most frequent reason.
        commonest: String,
    },
    /// More days of death or leaving cannot be used than the project allows.
    #[error(
        "source people: {unusable} of {of} days of death or leaving cannot be read or cannot be, over the limit of {limit:.1}%: \
         these people would count as being here; `earlyhelp check` shows how they look; mend the list, or say in `read` how its \
         dates are written"
    )]
    PartingsUnusable {
        /// Days that cannot be used.
        unusable: u64,
        /// Days that there are.
        of: u64,
        /// The limit, percent.
        limit: f64,
    },
    /// A limit that is not a share.
    #[error(
        "reject_limit is {0}; it is the share of a source's rows that may be rejected: write a number from 0 to 1"
    )]
    RejectLimit(f64),
    /// Records do not fit into the memory that there is.
    #[error("source {extract}: its records take {needed} or more, and {limit} {what}; {advice}")]
    Memory {
        /// The source at which this was seen.
        extract: String,
        /// What it would take.
        needed: String,
        /// What there is.
        limit: String,
        /// Who limits it.
        what: &'static str,
        /// What to do.
        advice: &'static str,
    },
    /// A folder cannot be used as a store of what was read before.
    #[error("the store {} cannot be used: {why}", folder.display())]
    Store {
        /// The folder.
        folder: PathBuf,
        /// Why, and what to do.
        why: String,
    },
    /// A staged table cannot be read back.
    #[error("the staged table {table}: {why}")]
    Staged {
        /// The table.
        table: String,
        /// Why.
        why: String,
    },
    /// Records that do not fit into memory cannot be put on disk.
    #[error("source {extract}: its records are to wait in {} until they are needed, and that fails: {why}", folder.display())]
    PutAway {
        /// The source.
        extract: String,
        /// The folder.
        folder: PathBuf,
        /// What the system says.
        why: String,
    },
    /// More people, kinds or rows than the tables can number.
    #[error("source {extract}: more than {limit} {what}; split the extract or correct the mapping")]
    TooMany {
        /// The source.
        extract: String,
        /// Of what.
        what: &'static str,
        /// The bound.
        limit: u64,
    },
    /// A key that could be tried out.
    #[error(
        "the key for pseudonyms has fewer than {least} bytes; make one, for instance with `openssl rand -hex 32`, and keep it \
         away from the data"
    )]
    PseudonymKey {
        /// The fewest bytes.
        least: usize,
    },
    /// The table from pseudonyms to ids cannot be written.
    #[error("the table from pseudonyms to ids cannot be written to {}: {why}", path.display())]
    WayBack {
        /// The file.
        path: PathBuf,
        /// What is in the way.
        why: String,
    },
    /// No entity at all.
    #[error("there are no people: neither a list of people nor an accepted record names anybody")]
    Empty,
}
