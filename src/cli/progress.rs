//! Progress on stderr, if that is a terminal; otherwise nothing.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use earlyhelp::outputs::on_one_line;
use earlyhelp::project;
use earlyhelp::records::Road;
use indicatif::{HumanCount, ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::output::say;

/// A line that says what is being done right now. It goes when this does.
pub struct Progress(ProgressBar);

impl Progress {
    pub fn start(what: &str) -> Self {
        // The draw target is hidden by indicatif where stderr is no terminal.
        let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
        if let Ok(style) = ProgressStyle::with_template("{spinner} {elapsed_precise}  {msg}") {
            bar.set_style(style);
        }
        bar.enable_steady_tick(Duration::from_millis(120));
        bar.set_message(what.to_owned());
        Self(bar)
    }

    pub fn stage(&self, what: &str) {
        self.0.set_message(what.to_owned());
    }

    /// Warnings, above the line.
    pub fn warn(&self, warnings: &[String]) {
        self.0.suspend(|| warnings.iter().for_each(|warning| say(&format!("warning: {warning}"))));
    }

    /// What a project tells, so that it is shown on this line.
    pub fn watch(&self) -> Watch {
        Watch { bar: self.0.clone(), read: Mutex::default() }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}

/// Shows what a project tells.
pub struct Watch {
    bar: ProgressBar,
    /// The source that is being read, and how many of its rows were.
    read: Mutex<(String, u64)>,
}

impl project::Progress for Watch {
    fn stage(&self, what: &str) {
        self.bar.set_message(on_one_line(what).into_owned());
    }

    fn rows(&self, source: &str, rows: u64) {
        let mut read = self.read.lock().unwrap_or_else(PoisonError::into_inner);
        if read.0 != source {
            *read = (source.to_owned(), 0);
        }
        read.1 += rows;
        self.bar.set_message(format!("reading {}: {} rows", on_one_line(source), HumanCount(read.1)));
    }

    fn roads(&self, roads: &[(String, Road)]) {
        let again = roads.iter().filter_map(|(source, road)| match road {
            Road::Kept => None,
            Road::Read { why, not_kept } => {
                let not_kept = not_kept.as_ref().map(|why| format!("; it could not be kept: {why}"));
                Some(format!("{}: {why}{}", on_one_line(source), not_kept.unwrap_or_default()))
            }
        });
        let again: Vec<String> = again.collect();
        let kept = roads.len() - again.len();
        self.bar.suspend(|| {
            say(&format!("store: {kept} of {} sources are taken from it", roads.len()));
            for line in &again {
                say(&format!("  read: {line}"));
            }
        });
    }

    #[cfg(unix)]
    fn cpu_seconds(&self) -> Option<f64> {
        let time = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
        Some(time.tv_sec as f64 + time.tv_nsec as f64 * 1e-9)
    }
}
