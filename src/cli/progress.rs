//! Progress on stderr, if that is a terminal; otherwise nothing.

use std::time::Duration;

use indicatif::{HumanCount, ProgressBar, ProgressDrawTarget, ProgressStyle};

/// What is being done right now, with a counter of rows.
pub struct Progress {
    bar: ProgressBar,
    source: String,
    rows: u64,
}

impl Progress {
    pub fn start(what: &str) -> Self {
        // The draw target is hidden by indicatif where stderr is no terminal.
        let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
        if let Ok(style) = ProgressStyle::with_template("{spinner} {elapsed_precise}  {msg}") {
            bar.set_style(style);
        }
        bar.enable_steady_tick(Duration::from_millis(120));
        bar.set_message(what.to_owned());
        Self { bar, source: String::new(), rows: 0 }
    }

    pub fn stage(&self, what: &str) {
        self.bar.set_message(what.to_owned());
    }

    /// So many more rows of a source were read.
    pub fn rows(&mut self, source: &str, rows: u64) {
        if self.source != source {
            source.clone_into(&mut self.source);
            self.rows = 0;
        }
        self.rows += rows;
        self.bar.set_message(format!("reading {source}: {} rows", HumanCount(self.rows)));
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}
