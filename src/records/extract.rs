//! Where rows come from: structs of a program's own; by a feature, files, folders of Parquet files and frames; by another, a query in a
//! database.

use std::path::PathBuf;

#[cfg(feature = "files")]
use polars::error::PolarsResult;
#[cfg(feature = "files")]
use polars::frame::DataFrame;
use serde::Serialize;
#[cfg(feature = "files")]
use sha2::Sha256;

use super::codes::{CodeList, UnlistedCodes};
use super::column::Batch;
use super::date_form::{DateForm, DayZero};
use super::file_name::FilePattern;
#[cfg(feature = "files")]
use super::files;
#[cfg(feature = "files")]
use super::fingerprint::add;
use super::header::Name;
use super::lookup::Lookup;
use super::options::ReadOptions;
use super::rows::RowTable;
use super::shape::{Shape, Shaping};
#[cfg(feature = "postgres")]
use crate::database::Query;
use crate::error::RecordsError;

/// The rows of one source. Structs of a program's own ([`Extract::rows`]) need no feature; files and frames come by `files`.
///
/// A path is read by its ending, in capitals or not: `.csv`, `.txt`, `.tsv` and `.psv` as delimited text, `.xlsx`, `.xlsm`,
/// `.xls` and `.ods` as workbooks, `.parquet`, `.arrow`, `.ipc` and `.feather` as such, each also packed as `.gz`, `.zst`
/// or alone in a `.zip`; a folder as Parquet files; and a pattern such as `police_*.csv` or `police/**/*.csv` as all files
/// whose names are of it, in the order of their names. Folders below it that are named `name=value` give a column `name` to
/// the files in them (hive partitions); a file that has the column itself and says otherwise is refused.
///
/// The header is the first of the first 30 lines in which all columns asked for stand. Names of columns are compared
/// without regard to capitals and outer blanks; a column that is asked for and stands twice is refused.
///
/// # Examples
/// ```
/// use earlyhelp::records::Extract;
/// use polars::df;
///
/// let from_file = Extract::path("extracts/police.csv");
/// let from_program = Extract::frame(df!("person_id" => ["p1"], "occurred" => ["2024-01-31"])?);
/// # Ok::<(), polars::error::PolarsError>(())
/// ```
#[derive(Debug)]
pub struct Extract {
    /// The columns of rows, each of which has to be one that is read.
    whole: Option<Vec<String>>,
    origin: Origin,
    options: ReadOptions,
    shape: Shape,
}

pub(super) enum Origin {
    /// What a program's own rows say, or why that is no table; none where it has no row.
    Rows(Result<Option<RowTable>, String>),
    #[cfg(feature = "files")]
    Paths(Vec<PathBuf>),
    #[cfg(feature = "files")]
    Frames(Box<dyn Iterator<Item = PolarsResult<DataFrame>> + Send>),
    #[cfg(feature = "postgres")]
    Query(Query),
}

impl std::fmt::Debug for Origin {
    /// Never prints the rows of a frame.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Rows(_) => f.write_str("rows"),
            #[cfg(feature = "files")]
            Self::Paths(paths) => paths.fmt(f),
            #[cfg(feature = "files")]
            Self::Frames(_) => f.write_str("frames"),
            #[cfg(feature = "postgres")]
            Self::Query(_) => f.write_str("a query"),
        }
    }
}

impl Extract {
    /// The rows of a file, or of a folder of Parquet files.
    #[cfg(feature = "files")]
    pub fn path(path: impl Into<PathBuf>) -> Self {
        Self::paths([path.into()])
    }

    /// The rows of several files, one after another, each of which may be a folder or a pattern as well. Their headers may
    /// differ in the order of columns, and in names that [`ReadOptions::aliases`] lists.
    #[cfg(feature = "files")]
    pub fn paths<P: Into<PathBuf>>(paths: impl IntoIterator<Item = P>) -> Self {
        Self::of(Origin::Paths(paths.into_iter().map(Into::into).collect()))
    }

    pub(super) fn of(origin: Origin) -> Self {
        Self { whole: None, origin, options: ReadOptions::default(), shape: Shape::default() }
    }

    /// The files that it is read from: each that is named, found by a pattern or in a folder. One that is not there is named,
    /// too; frames and rows have none.
    #[must_use]
    pub fn files(&self) -> Vec<PathBuf> {
        match &self.origin {
            #[cfg(feature = "files")]
            Origin::Paths(paths) => files::named(paths),
            _ => Vec::new(),
        }
    }

    /// How many bytes its files have; 0 where nobody knows.
    pub(super) fn bytes(&self) -> u64 {
        self.files().iter().filter_map(|path| path.metadata().ok()).map(|file| file.len()).sum()
    }

    /// The rows that a program holds as structs of its own: each field a column of its name, `None` an empty cell. What a cell says
    /// is read as a file's would be, by the project's forms of dates and numbers; but a field of numbers of which one has a fraction holds
    /// numbers, however the project writes them. All are held at once; for what does not fit, hand over [frames](Self::frames). None at all is a table without a row, whatever its columns.
    ///
    /// A field that is a struct or a list itself is an error where the source is read.
    ///
    /// # Examples
    /// ```
    /// use earlyhelp::records::{Extract, Records, SourceMapping};
    /// use earlyhelp::calendar::Day;
    ///
    /// #[derive(serde::Serialize)]
    /// struct Visit {
    ///     child: String,
    ///     number: u32,
    ///     on: Day,
    ///     outcome: Option<&'static str>,
    /// }
    ///
    /// let visits = [
    ///     Visit { child: "p1".into(), number: 1, on: "2024-01-31".parse()?, outcome: Some("seen") },
    ///     Visit { child: "p2".into(), number: 2, on: "2024-02-02".parse()?, outcome: None },
    /// ];
    /// let mapping = SourceMapping::new("visits", "child", "number", "on");
    /// let records = Records::builder().source(mapping, Extract::rows(&visits)).build()?;
    /// assert_eq!(records.people(), 2);
    /// # Ok::<(), earlyhelp::Error>(())
    /// ```
    pub fn rows<T: Serialize>(rows: impl IntoIterator<Item = T>) -> Self {
        Self::of(Origin::Rows(RowTable::of(rows.into_iter())))
    }

    /// The same where each column has to be one that is read: a misspelt one would be passed over.
    pub(crate) fn whole_rows<T: Serialize>(rows: impl IntoIterator<Item = T>) -> Self {
        let rows = RowTable::of(rows.into_iter());
        let columns = rows.iter().flatten().flat_map(RowTable::names).map(str::to_owned).collect();
        Self::of(Origin::Rows(rows)).whole(columns)
    }

    /// The rows of a frame.
    #[cfg(feature = "files")]
    #[must_use]
    pub fn frame(frame: DataFrame) -> Self {
        Self::frames([Ok(frame)])
    }

    /// The rows of several frames with the same columns, one after another. Each is asked for when the
    /// one before has been read, so that they need not be held together, on whichever thread reads the source.
    #[cfg(feature = "files")]
    pub fn frames<I>(frames: I) -> Self
    where
        I: IntoIterator<Item = PolarsResult<DataFrame>>,
        I::IntoIter: Send + 'static,
    {
        Self::of(Origin::Frames(Box::new(frames.into_iter())))
    }

    /// Refuses columns, of which these are the names, that nobody reads: what was sent is not to be passed over.
    pub(super) fn whole(mut self, columns: Vec<String>) -> Self {
        self.whole = Some(columns);
        self
    }

    /// Refuses a column that is not among those asked for.
    fn reads_whole(&self, source: &str, asked: &[&str]) -> Result<(), RecordsError> {
        let is_asked = |column: &String| {
            asked.iter().any(|name| {
                let aliases = self.options.aliases.get(*name).map_or(&[][..], Vec::as_slice);
                Name { column: name, aliases }.is(column)
            })
        };
        if self.whole.iter().flatten().all(is_asked) {
            return Ok(());
        }
        let why = "the rows have a column that the project does not read; leave it out, or spell it as the project does";
        Err(RecordsError::Mapping { extract: source.to_owned(), why: why.to_owned() })
    }

    /// The rows of a query's result.
    #[cfg(feature = "postgres")]
    pub(crate) fn query(query: Query) -> Self {
        Self::of(Origin::Query(query))
    }

    /// Reads text so.
    #[must_use]
    pub fn options(mut self, options: ReadOptions) -> Self {
        self.options = options;
        self
    }

    /// Translates a column by a list of codes. What is not on the list is counted:
    /// [`Records::unlisted_codes`](super::Records::unlisted_codes).
    #[must_use]
    pub fn codes(mut self, column: impl Into<String>, list: CodeList) -> Self {
        self.shape.codes.push((column.into(), list));
        self
    }

    /// Adds the columns of a look-up table. A row whose key is not in it has nothing there, and is counted.
    #[must_use]
    pub fn join(mut self, table: Lookup) -> Self {
        self.shape.lookups.push(table);
        self
    }

    /// Adds a column that the name of each file says.
    pub(super) fn column_of_file(mut self, column: &'static str, pattern: FilePattern) -> Self {
        self.shape.of_file.push((column, pattern));
        self
    }

    /// Takes the texts that stand for "nothing here" as they are.
    pub(super) fn without_nulls(mut self) -> Self {
        self.options.nulls.clear();
        self
    }

    /// Keeps what is not on the list of a column, whatever its rule is.
    pub(super) fn keep_unlisted(mut self, column: &str) -> Self {
        for (_, list) in self.shape.codes.iter_mut().filter(|(held, _)| held == column) {
            list.keep();
        }
        self
    }

    /// The columns that are translated.
    pub(super) fn coded(&self) -> impl Iterator<Item = &str> {
        self.shape.codes.iter().map(|(column, _)| column.as_str())
    }

    /// The columns that look-up tables give.
    pub(super) fn joined(&self) -> impl Iterator<Item = &str> {
        self.shape.lookups.iter().flat_map(|table| &table.columns).map(|(name, _)| name.as_str())
    }

    /// The columns of files that stand behind one that is asked for, by whatever name.
    pub(super) fn behind(&self, column: &str) -> Vec<String> {
        let tables = self.shape.lookups.iter().flat_map(|table| &table.columns);
        let looked_up = tables.filter(|(name, _)| name == column).map(|(_, held)| held);
        self.options.aliases.get(column).into_iter().flatten().chain(looked_up).cloned().collect()
    }

    /// What an error calls it: what it is, and the name of its file.
    pub(super) fn label(&self, what: &str) -> String {
        let name = match &self.origin {
            #[cfg(feature = "files")]
            Origin::Paths(paths) => paths.first().and_then(|path| path.file_name()),
            _ => None::<&std::ffi::OsStr>,
        };
        name.map_or_else(|| what.to_owned(), |name| format!("{what} {}", name.to_string_lossy()))
    }

    /// As [`Extract::read`], with the columns that need not be there behind those that need.
    pub(super) fn read_with(
        mut self,
        source: &str,
        (needed, optional): (&[&str], &[&str]),
        files: &mut Vec<String>,
        sink: &mut dyn FnMut(Batch) -> Result<(), RecordsError>,
    ) -> Result<(), RecordsError> {
        let all = [needed, optional].concat();
        self.reads_whole(source, &all)?;
        self.whole = None;
        let is = |held: &str, column: &str| Name { column, aliases: &[] }.is(held);
        let has_all = match self.origin {
            Origin::Rows(ref rows) => {
                let has = |table: &RowTable, column: &str| table.names().any(|held| is(held, column));
                rows.iter().flatten().all(|table| optional.iter().all(|column| has(table, column)))
            }
            #[cfg(feature = "files")]
            Origin::Frames(frames) => {
                let frames: Vec<_> = frames.collect();
                let has = |frame: &DataFrame, column: &&str| {
                    frame.get_column_names().iter().any(|held| is(held, column))
                };
                let has_all =
                    frames.iter().flatten().all(|frame| optional.iter().all(|name| has(frame, name)));
                self.origin = Origin::Frames(Box::new(frames.into_iter()));
                has_all
            }
            #[cfg(feature = "postgres")]
            Origin::Query(ref query) => {
                let has = |column: &&str| query.columns().iter().any(|held| is(&held.name, column));
                optional.iter().all(has)
            }
            #[cfg(feature = "files")]
            Origin::Paths(ref paths) => {
                let extract = Self { options: self.options.clone(), ..Self::paths(paths.clone()) };
                match extract.read(source, (&all, &[]), files, sink) {
                    Err(RecordsError::NoColumn { column, .. }) if optional.contains(&column.as_str()) => {
                        false
                    }
                    done => return done.map(drop),
                }
            }
        };
        files.clear();
        self.read(source, (if has_all { &all } else { needed }, &[]), files, sink).map(drop)
    }

    /// Adds all that its rows come from: its files, names and contents, and how they are read. `None` where a program hands the
    /// rows over: nothing says whether they are the same.
    #[cfg(feature = "files")]
    pub(super) fn fingerprint(&self, source: &str, hash: &mut Sha256) -> Option<Result<(), RecordsError>> {
        let Origin::Paths(paths) = &self.origin else { return None };
        add(hash, &format!("{:?}", self.options));
        self.shape.fingerprint(&mut |part| add(hash, part));
        Some(files::fingerprint((source, paths), &self.options, hash))
    }

    /// Why nothing says whether its rows are still those that were read before, where nothing does.
    #[cfg(feature = "files")]
    pub(super) fn why_read_again(&self) -> &'static str {
        match self.origin {
            #[cfg(feature = "postgres")]
            Origin::Query(_) => {
                "a query is asked each time, since nothing says whether its rows are the same"
            }
            _ => "a program hands its rows over",
        }
    }

    /// How its cells are read.
    pub(crate) fn how(&self) -> &ReadOptions {
        &self.options
    }

    /// Hands the `wanted` columns over in batches; names in `files` what the batches' file numbers mean. Gives the codes
    /// that are not on their lists.
    pub(crate) fn read(
        self,
        source: &str,
        (wanted, ids): (&[&str], &[String]),
        files: &mut Vec<String>,
        sink: &mut dyn FnMut(Batch) -> Result<(), RecordsError>,
    ) -> Result<Vec<UnlistedCodes>, RecordsError> {
        if self.shape.is_plain() {
            self.reads_whole(source, wanted)?;
        }
        let Self { origin, options, shape, whole } = self;
        let day_zero = match &options.dates {
            Some(DateForm::DaysFrom(DayZero::Column(zero))) => Some(zero.column.as_str()),
            _ => None,
        };
        if shape.is_plain() && day_zero.is_none() {
            origin
                .read(source, (wanted, ids, &options), files, &mut |_| Ok(()), &mut |_, batch| sink(batch))?;
            return Ok(Vec::new());
        }
        let shaping = std::cell::RefCell::new(Shaping::new(source, wanted, (&shape, day_zero))?);
        if !origin.is_of_files() && !shape.of_file.is_empty() {
            let why = "something is to be read from the names of files, and these rows have none".to_owned();
            return Err(RecordsError::Mapping { extract: source.to_owned(), why });
        }
        let asked = shaping.borrow().asked().to_vec();
        Self { whole, options: options.clone(), ..Self::of(Origin::Rows(Ok(None))) }
            .reads_whole(source, &asked)?;
        let mut at: Option<u32> = None;
        let told = &mut |names: &[String]| shaping.borrow_mut().check(names.iter().map(String::as_str));
        origin.read(source, (&asked, ids, &options), files, told, &mut |name, mut batch| {
            let mut shaping = shaping.borrow_mut();
            if at != batch.file {
                at = batch.file;
                shaping.begin(name)?;
            }
            shaping.make(&mut batch);
            sink(batch)
        })?;
        Ok(shaping.into_inner().unlisted())
    }
}

impl Origin {
    fn is_of_files(&self) -> bool {
        match self {
            #[cfg(feature = "files")]
            Self::Paths(_) => true,
            _ => false,
        }
    }

    /// Hands over batches, each with the name of its file; before that, tells what files there are.
    #[cfg_attr(
        not(feature = "files"),
        expect(unused_variables, clippy::ptr_arg, reason = "a program's own rows have no files")
    )]
    fn read(
        self,
        source: &str,
        (asked, ids, options): (&[&str], &[String], &ReadOptions),
        names: &mut Vec<String>,
        told: &mut dyn FnMut(&[String]) -> Result<(), RecordsError>,
        sink: &mut dyn FnMut(&str, Batch) -> Result<(), RecordsError>,
    ) -> Result<(), RecordsError> {
        if let Some(name) = options.aliases.keys().find(|name| !asked.contains(&name.as_str())) {
            let why = format!("`aliases` has \"{name}\", and no key of `columns` asks for it");
            return Err(RecordsError::Mapping { extract: source.to_owned(), why });
        }
        let of = |&column: &&str| options.aliases.get(column).map_or(&[][..], Vec::as_slice);
        let wanted: Vec<Name<'_>> = asked.iter().map(|column| Name { column, aliases: of(column) }).collect();
        let wanted = wanted.as_slice();
        let unnamed = &mut |batch: Batch| sink("", batch);
        match self {
            Self::Rows(rows) => match rows.map_err(|why| no_frame(source, why))? {
                Some(rows) => rows.batches(source, wanted, options, unnamed),
                None => Ok(()),
            },
            #[cfg(feature = "files")]
            Self::Frames(frames) => {
                let mut first = 1;
                for frame in frames {
                    let frame = frame.map_err(|error| no_frame(source, error.to_string()))?;
                    files::frame::batches((source, "a frame"), &frame, wanted, (options, first), unnamed)?;
                    first += frame.height() as u64;
                }
                Ok(())
            }
            #[cfg(feature = "postgres")]
            Self::Query(query) => files::queried::read((source, &query), wanted, options, unnamed),
            #[cfg(feature = "files")]
            Self::Paths(paths) => files::read((source, &paths), (wanted, ids, options), (names, told), sink),
        }
    }
}

fn no_frame(source: &str, why: String) -> RecordsError {
    RecordsError::Frame { extract: source.to_owned(), why }
}
