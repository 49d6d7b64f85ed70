//! A first project file, drafted from a folder of extracts.

mod aim;
mod guess;
mod identities;
mod ids;
mod layout;
mod plan;
mod study;
mod words;
mod write;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

pub use layout::Layout;

use self::plan::{DECIDE, Plan, Possible};
use super::Project;
use crate::calendar::Day;
use crate::error::{Error, ProjectError};
use crate::records::{Table, Walk, survey};

/// A folder of extracts of which a project file is drafted.
///
/// # Examples
/// ```
/// use earlyhelp::project::{DraftParams, Project};
/// use earlyhelp::synthetic::{CouncilParams, Format};
///
/// let council = CouncilParams::new(1_000, 1).generate()?;
/// let folder = std::env::temp_dir().join("earlyhelp-draft");
/// council.write(&folder, Format::Csv)?;
///
/// let draft = DraftParams::new(&folder).read_on(council.extract_date()).draft(&folder)?;
/// let project = Project::from_toml(draft.text(), &folder)?;
/// assert_eq!(project.sources.len(), 16);
/// assert!(draft.decisions() > 0);
/// # Ok::<(), earlyhelp::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct DraftParams {
    folder: PathBuf,
    layout: Option<Layout>,
    read_on: Option<Day>,
}

/// A project file in draft: its text, in which comments marked `# DECIDE:` ask for decisions, and an account of how it came
/// about. No value of a person stands in either, but for codes that at least ten people share.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProjectDraft {
    text: String,
    account: Vec<String>,
}

impl ProjectDraft {
    /// The text of the project file.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// What was found, a line each.
    #[must_use]
    pub fn account(&self) -> &[String] {
        &self.account
    }

    /// How many comments ask for a decision.
    #[must_use]
    pub fn decisions(&self) -> usize {
        let mark = format!("# {DECIDE}");
        self.text.lines().filter(|line| line.starts_with(&mark)).count()
    }
}

impl DraftParams {
    /// All files in a folder and the folders in it, guessed at.
    pub fn new(folder: impl Into<PathBuf>) -> Self {
        Self { folder: folder.into(), layout: None, read_on: None }
    }

    /// Files of a layout that is known.
    #[must_use]
    pub fn layout(self, layout: Layout) -> Self {
        Self { layout: Some(layout), ..self }
    }

    /// The day on which the files are read: nothing in them can be of a later one.
    #[must_use]
    pub fn read_on(self, day: Day) -> Self {
        Self { read_on: Some(day), ..self }
    }

    /// Looks into the files and drafts a project that stands in the folder `to`, from which paths in it are written. All
    /// rows are read; the first million of a table are looked into. The same files give the same text.
    ///
    /// # Errors
    /// [`ProjectError::Folder`] where the folder cannot be listed, holds no table that can be read, or none that can be taken for
    /// anything. A single file that cannot be read is named in a comment.
    pub fn draft(&self, to: &Path) -> Result<ProjectDraft, Error> {
        let unreadable = |why: String| ProjectError::Folder { path: self.folder.clone(), why };
        let base = |path: &Path| path.canonicalize().map_err(|error| unreadable(error.to_string()));
        let folder = base(&self.folder)?;
        let to = base(to)?;
        let mut files = Vec::new();
        let mut walk = Walk::from(&folder);
        below(&folder, (&folder, &mut walk), &mut files).map_err(|error| unreadable(error.to_string()))?;
        let (mut tables, mut faults) = tables(&files);
        if tables.is_empty() {
            let why = faults.first().cloned().unwrap_or_else(|| "it holds no file of a table".to_owned());
            return Err(unreadable(why).into());
        }
        let possible = Possible(self.read_on);
        let (mut plan, wanted) = match self.layout {
            None => {
                let (parts, unreadable) = study::study(&mut tables);
                faults.extend(unreadable);
                (guess::guess(&tables, &parts), (Vec::new(), Vec::new()))
            }
            Some(layout) => {
                let text = layout.read()?;
                let plan = text.plan(&tables);
                if plan.is_empty() {
                    return Err(unreadable(not_of(layout, &text, &tables)).into());
                }
                (plan, (text.outcome, text.feature))
            }
        };
        plan.left_out.extend(faults);
        // A draft in which nothing is read would look as if something had been found.
        if plan.is_empty() {
            let why = plan.left_out.iter().map(|why| why.replace(DECIDE, "")).collect::<Vec<_>>().join("; ");
            return Err(unreadable(format!("no table in it could be taken for anything: {why}")).into());
        }
        let aim = aim::aim(&plan, &tables, possible, wanted);
        let name = self.folder.file_name().unwrap_or(self.folder.as_os_str()).to_string_lossy().into_owned();
        let draft = write::Written { plan: &plan, tables: &tables, base: &to, possible };
        let text = draft.text(aim.as_ref(), &name);
        let mut account = account(&plan, &tables);
        let mut draft = ProjectDraft { text, account: Vec::new() };
        let (faults, warnings) = self.found_by_check(&draft.text, &to);
        let mut remarks = String::new();
        for fault in &faults {
            remarks.push_str(&format!("# {DECIDE}`check` says: {}\n", one_line(fault)));
        }
        draft.text.push_str(&remarks);
        if let Some(aim) = &aim {
            account.push(format!("outcome: {}", aim.outcome.words));
        }
        account.push(match faults.len() {
            0 => format!(
                "check accepts the draft, with {}",
                crate::words::counted(warnings, "warning", "warnings")
            ),
            1 => "check finds 1 fault in the draft; it stands at its end".to_owned(),
            n => format!("check finds {n} faults in the draft; they stand at its end"),
        });
        draft.account = account;
        Ok(draft)
    }

    /// The faults that a check of the draft finds, and how many warnings.
    fn found_by_check(&self, text: &str, to: &Path) -> (Vec<String>, usize) {
        let project = match Project::from_toml(text, to) {
            Ok(project) => project,
            Err(fault) => return (vec![fault.to_string()], 0),
        };
        // Whoever drafts a project from a folder means it to be read.
        let project = project.may_read(&self.folder);
        let project = match self.read_on {
            Some(day) => project.read_on(day),
            None => project,
        };
        match project.check() {
            Ok(checked) => {
                let last = checked.project().training.as_of.iter().copied().max();
                let warnings = last.map_or(0, |last| checked.warnings(last).len());
                (checked.faults().iter().map(ToString::to_string).collect(), warnings)
            }
            Err(fault) => (vec![fault.to_string()], 0),
        }
    }
}

/// That a folder is not of a layout: what was looked for, and what is there.
fn not_of(layout: Layout, text: &layout::LayoutText, tables: &[Table]) -> String {
    const SHOWN: usize = 10;
    let mut held: Vec<String> = tables.iter().take(SHOWN).map(guess::shown).collect();
    if tables.len() > SHOWN {
        held.push(crate::words::counted(tables.len() - SHOWN, "more table", "more tables"));
    }
    let others: Vec<&str> =
        Layout::ALL.into_iter().filter(|other| *other != layout).map(Layout::name).collect();
    format!(
        "it is not of the layout {}: there is no table such as {}, by its name and its columns. There is {}. Take the folder \
         that holds the export, another layout ({}), or none, and what the tables are is guessed",
        layout.name(),
        crate::words::listed(&text.files()),
        crate::words::listed(&held),
        crate::words::listed(&others)
    )
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// What each table was taken for.
fn account(plan: &Plan, tables: &[Table]) -> Vec<String> {
    let of = |place: usize, what: &str| {
        format!("{}: {what} ({} rows)", guess::shown(&tables[place]), tables[place].rows)
    };
    let mut lines = Vec::new();
    lines.extend(plan.identities.iter().map(|taken| of(taken.table, "whose id is whose")));
    lines.extend(plan.people.as_ref().map(|taken| of(taken.table, "the people")));
    lines.extend(plan.households.as_ref().map(|taken| of(taken.table, "the households")));
    lines.extend(
        plan.protected.as_ref().map(|taken| of(taken.table, "protected characteristics, for audit alone")),
    );
    lines.extend(plan.sources.iter().map(|taken| of(taken.table, &format!("source {}", taken.name))));
    lines.extend(plan.left_out.iter().map(|why| why.replace(DECIDE, "")));
    lines
}

/// Files of tables, and folders of Parquet files, below a folder, in the order of their names. A link that leads out of the
/// whole (`root`) is passed over: a project there may not read what it names.
fn below(folder: &Path, (root, walk): (&Path, &mut Walk), found: &mut Vec<PathBuf>) -> std::io::Result<()> {
    let mut entries: Vec<PathBuf> =
        std::fs::read_dir(folder)?.map(|entry| Ok(entry?.path())).collect::<std::io::Result<_>>()?;
    entries.sort();
    for entry in entries {
        let name = entry.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let is_inside = entry.canonicalize().is_ok_and(|real| real.starts_with(root));
        if name.starts_with(['.', '~']) || !is_inside {
            continue;
        }
        if !entry.is_dir() {
            found.push(entry);
        } else if !walk.enters(&entry) {
            // It was there before, by another name.
        } else if is_partitioned(&entry)? {
            found.extend(parts(&entry)?);
        } else {
            below(&entry, (root, walk), found)?;
        }
    }
    Ok(())
}

/// Whether a folder is a table in parts: it has folders named `key=value`.
fn is_partitioned(folder: &Path) -> std::io::Result<bool> {
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        if entry.path().is_dir() && entry.file_name().to_string_lossy().contains('=') {
            return Ok(true);
        }
    }
    Ok(false)
}

/// The tables in parts below a folder: the folder itself for its Parquet files, and a pattern for the others of each form.
fn parts(folder: &Path) -> std::io::Result<Vec<PathBuf>> {
    let files = Walk::files(folder)?;
    let mut endings = BTreeSet::new();
    for name in files.iter().filter_map(|file| file.file_name()?.to_str()) {
        if let Some((_, ending)) = name.split_once('.').filter(|(stem, _)| !stem.is_empty()) {
            endings.insert(ending);
        }
    }
    let table = |ending: &str| {
        let is_parquet = ending.eq_ignore_ascii_case("parquet");
        if is_parquet { folder.to_path_buf() } else { folder.join("**").join(format!("*.{ending}")) }
    };
    let tables: BTreeSet<PathBuf> = endings.into_iter().map(table).collect();
    Ok(tables.into_iter().collect())
}

const ENDINGS: [&str; 17] = [
    "csv", "txt", "tsv", "psv", "xlsx", "xlsm", "xls", "ods", "parquet", "arrow", "ipc", "feather", "gz",
    "zip", "zst", "zstd", "",
];

/// The tables of all files, those of several months as one; and of each that cannot be read, why.
fn tables(files: &[PathBuf]) -> (Vec<Table>, Vec<String>) {
    let (mut tables, mut faults): (Vec<Table>, Vec<String>) = (Vec::new(), Vec::new());
    for file in files {
        let ending =
            file.extension().map(|ending| ending.to_string_lossy().to_lowercase()).unwrap_or_default();
        if !ENDINGS.contains(&ending.as_str()) || (ending.is_empty() && !file.is_dir()) {
            continue;
        }
        match survey(file) {
            Ok(found) => tables.extend(found),
            Err(fault) => faults.push(one_line(&fault.to_string())),
        }
    }
    (in_months(tables), faults)
}

/// Files that differ in their numbers alone and have the same columns are one source.
fn in_months(tables: Vec<Table>) -> Vec<Table> {
    let mut kept: Vec<Table> = Vec::new();
    let mut left = tables.into_iter().peekable();
    while let Some(table) = left.next() {
        let pattern = pattern(&table.path);
        let names = |table: &Table| -> Vec<String> {
            table.columns.iter().map(|facts| facts.name.to_lowercase()).collect()
        };
        let mut more = 0;
        while let Some(next) = left.peek() {
            let is_same =
                table.sheet.is_none() && self::pattern(&next.path) == pattern && names(next) == names(&table);
            if pattern.is_none() || !is_same {
                break;
            }
            more += 1;
            left.next();
        }
        let joined = pattern.filter(|_| more > 0).and_then(|pattern| table.of_pattern(&pattern).ok());
        kept.push(joined.unwrap_or(table));
    }
    kept
}

/// `contacts_2024-03.csv` as `contacts_*.csv`; none where the name has no number.
fn pattern(path: &Path) -> Option<PathBuf> {
    let name = path.file_name()?.to_string_lossy().into_owned();
    let (stem, ending) = name.split_once('.')?;
    let is_number = |c: char| c.is_ascii_digit() || matches!(c, '-' | '_');
    let short = stem.trim_end_matches(is_number);
    (stem[short.len()..].contains(|c: char| c.is_ascii_digit()) && !short.is_empty())
        .then(|| path.with_file_name(format!("{short}*.{ending}")))
}
