//! The table from pseudonyms back to ids: written where somebody asks for it, and nowhere else.

use std::path::Path;

use super::Records;
use crate::error::RecordsError;
use crate::outputs::{Outputs, Over, cell};

impl Records {
    /// Writes each pseudonym with the id that it was made of to a new CSV file (`pseudonym`, `id`; people and households, in
    /// the order of the pseudonyms) that its owner alone can read (mode 600, where the system knows modes). Whoever has this
    /// file needs no key. An id that a spreadsheet would run as a formula is made text, so that it can be had back
    /// ([`cell`]).
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
        let (outputs, name) = Outputs::beside(path).map_err(|error| failed(&error))?;
        let mut writer = csv::Writer::from_writer(Vec::new());
        let mut write = |line: [&str; 2]| writer.write_record(line).map_err(|error| failed(&error));
        write(["pseudonym", "id"])?;
        for (pseudonym, id) in &self.way_back {
            write([pseudonym, &cell(id)])?;
        }
        let text = writer.into_inner().map_err(|error| failed(&error))?;
        outputs.over(Over::Nothing).write(&[(name.as_str(), text)]).map_err(|error| failed(&error))
    }
}
