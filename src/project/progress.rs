//! Being told how far a project has come.

use std::fmt;
use std::sync::Arc;

use crate::records::Road;

/// Is told what a project is doing, for instance to show it on a screen: see
/// [`Project::on_progress`](super::Project::on_progress). No result depends on it.
pub trait Progress: Send + Sync {
    /// What is being done from now on.
    fn stage(&self, what: &str);

    /// How many more rows of a source were read.
    fn rows(&self, source: &str, rows: u64);

    /// How each source came to be held, where there is a store: see [`Records::roads`](crate::records::Records::roads).
    fn roads(&self, _: &[(String, Road)]) {}

    /// The CPU seconds that this process has used so far, where somebody has a clock: the library has none.
    /// With it a comparison of trainers also says how long each took.
    fn cpu_seconds(&self) -> Option<f64> {
        None
    }
}

/// Whoever is told, if anybody is. It says nothing about the project, so two projects never differ by it.
#[derive(Clone, Default)]
pub(super) struct Watch(Option<Arc<dyn Progress>>);

impl Watch {
    pub(super) fn by(progress: impl Progress + 'static) -> Self {
        Self(Some(Arc::new(progress)))
    }

    pub(super) fn stage(&self, what: &str) {
        if let Some(progress) = &self.0 {
            progress.stage(what);
        }
    }

    pub(super) fn rows(&self, source: &str, rows: u64) {
        if let Some(progress) = &self.0 {
            progress.rows(source, rows);
        }
    }

    pub(super) fn roads(&self, roads: &[(String, Road)]) {
        if let Some(progress) = &self.0
            && !roads.is_empty()
        {
            progress.roads(roads);
        }
    }

    pub(super) fn cpu_seconds(&self) -> Option<f64> {
        self.0.as_ref()?.cpu_seconds()
    }
}

impl PartialEq for Watch {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl fmt::Debug for Watch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Watch").field(&self.0.is_some()).finish()
    }
}
