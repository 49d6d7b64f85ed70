//! What was read in this process, and ledgers that were written to: no file is ever written over them.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use earlyhelp::outputs::{Outputs, Over};

static INPUTS: Mutex<BTreeSet<PathBuf>> = Mutex::new(BTreeSet::new());

/// Takes note of files. A model is none of them: a notebook that is run again saves it where it was read from.
pub fn read(paths: impl IntoIterator<Item = PathBuf>) {
    INPUTS.lock().unwrap_or_else(PoisonError::into_inner).extend(paths);
}

/// Files of a kind in a folder, over nothing that is not the package's own unless forced, and over no input at all.
pub fn outputs(kind: &str, folder: &Path, force: bool) -> Outputs {
    let inputs = INPUTS.lock().unwrap_or_else(PoisonError::into_inner).clone();
    Outputs::folder(folder).kind(kind).over(if force { Over::Anything } else { Over::Own }).apart_from(inputs)
}
