//! The table from pseudonyms back to ids: written where somebody asks for it, and nowhere else.

use std::fs::OpenOptions;
use std::io::Write as _;
use std::path::Path;

use super::Records;
use crate::error::RecordsError;

impl Records {
    /// Writes each pseudonym with the id that it was made of to a new CSV file (`pseudonym`, `id`; people and households, in
    /// the order of the pseudonyms) that its owner alone can read (mode 600, where the system knows modes). Whoever has this
    /// file needs no key.
    ///
    /// # Errors
    /// [`RecordsError::WayBack`] where no pseudonyms were made or their ids not kept
    /// ([`Identities::keep_way_back`](super::Identities::keep_way_back)), where the file is there already, and where it cannot
    /// be written.
    pub fn write_way_back(&self, path: &Path) -> Result<(), RecordsError> {
        let failed = |why: &dyn std::fmt::Display| RecordsError::WayBack {
            path: path.to_owned(),
            why: why.to_string(),
        };
        if self.way_back.is_empty() {
            return Err(failed(&"no pseudonyms were made, or their ids were not kept"));
        }
        let mut options = OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let mut file = options.open(path).map_err(|error| failed(&error))?;
        let mut writer = csv::Writer::from_writer(Vec::new());
        let mut write = |line: [&str; 2]| writer.write_record(line).map_err(|error| failed(&error));
        write(["pseudonym", "id"])?;
        for (pseudonym, id) in &self.way_back {
            write([pseudonym, id])?;
        }
        let text = writer.into_inner().map_err(|error| failed(&error))?;
        let written = file.write_all(&text).and_then(|()| file.sync_all());
        written.map_err(|error| {
            // Half a table is none.
            let _ = std::fs::remove_file(path);
            failed(&error)
        })
    }
}
