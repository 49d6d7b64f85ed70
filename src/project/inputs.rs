//! The files that a project reads.

use std::path::{Path, PathBuf};

use super::{CodesFile, Project, PseudonymsBy};
use crate::error::ProjectError;
use crate::records::Extract;

impl Project {
    /// Every file that the project reads, as it is named or found by a pattern: extracts, lists of codes, look-up tables, the
    /// key for pseudonyms; a table that is queried in a database has none. None of them should be written over
    /// ([`Outputs::apart_from`](crate::outputs::Outputs::apart_from)).
    ///
    /// # Examples
    /// ```
    /// use earlyhelp::project::Project;
    /// use earlyhelp::synthetic::{CouncilParams, Format};
    ///
    /// let council = CouncilParams::new(1_000, 1).generate()?;
    /// let project = Project::from_toml(&council.project_toml(Format::Csv), "extracts")?;
    /// assert!(project.input_files().contains(&"extracts/people.csv".into()));
    /// # Ok::<(), earlyhelp::Error>(())
    /// ```
    #[must_use]
    pub fn input_files(&self) -> Vec<PathBuf> {
        // Whatever is named may be a pattern.
        let mut named = Vec::new();
        for (_, file) in self.tables() {
            named.extend(file.path.iter().map(|path| self.extracts().join(path)));
            for codes in file.codes.values() {
                let (CodesFile::File(path) | CodesFile::Ruled(super::RuledCodes { file: path, .. })) = codes;
                named.push(self.folder.join(path));
            }
            for join in file.join {
                named.extend(join.file.as_ref().map(|path| self.folder.join(path)));
                named.extend(join.path.as_ref().map(|path| self.extracts().join(path)));
            }
        }
        let mut files = Extract::paths(named).files();
        if let Some(PseudonymsBy::KeyFile(path)) = &self.pseudonyms {
            files.push(self.folder.join(path));
        }
        files
    }

    /// Refuses a file that lies where the project may not read. Files that are not there are left to whoever opens them.
    pub(super) fn stays_inside(&self) -> Result<(), ProjectError> {
        // A project that is named without a folder is in this one.
        let own = |folder: &Path| {
            if folder.as_os_str().is_empty() { Path::new(".").canonicalize() } else { folder.canonicalize() }
        };
        let allowed =
            [&*self.folder, self.extracts()].into_iter().chain(self.may_read.iter().map(PathBuf::as_path));
        let allowed: Vec<PathBuf> = allowed.filter_map(|folder| own(folder).ok()).collect();
        let outside = |path: &PathBuf| {
            path.canonicalize().is_ok_and(|real| !allowed.iter().any(|folder| real.starts_with(folder)))
        };
        match self.input_files().into_iter().find(outside) {
            None => Ok(()),
            Some(path) => Err(ProjectError::Outside { path }),
        }
    }
}
