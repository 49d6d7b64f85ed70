//! Puts answers on record, those that come together in one step: a disk is waited for once, however many ask.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Condvar, Mutex, PoisonError};

use crate::error::LedgerError;
use crate::ledger::Ledger;
use crate::scoring::{Asked, Scorer};

/// Those who wait, and whether one of them is writing.
#[derive(Default)]
pub(super) struct Recorder {
    queue: Mutex<Queue>,
    written: Condvar,
}

#[derive(Default)]
struct Queue {
    waiting: Vec<Waiting>,
    is_writing: bool,
}

struct Waiting {
    asked: Arc<Asked>,
    /// The number of its entry, once it has one.
    entry: Arc<Mutex<Option<Result<u64, LedgerError>>>>,
}

impl Recorder {
    /// Puts an answer on record, and gives the number of its entry.
    pub(super) fn record(
        &self,
        (ledger, scorer): (&Ledger, &Scorer),
        asked: &Arc<Asked>,
    ) -> Result<u64, LedgerError> {
        let entry = Arc::new(Mutex::new(None));
        let mut queue = self.queue.lock().unwrap_or_else(PoisonError::into_inner);
        queue.waiting.push(Waiting { asked: Arc::clone(asked), entry: Arc::clone(&entry) });
        loop {
            if let Some(done) = entry.lock().unwrap_or_else(PoisonError::into_inner).take() {
                return done;
            }
            if queue.is_writing {
                queue = self.written.wait(queue).unwrap_or_else(PoisonError::into_inner);
                continue;
            }
            // Whoever finds nobody writing writes for all who wait.
            queue.is_writing = true;
            let batch = std::mem::take(&mut queue.waiting);
            drop(queue);
            write((ledger, scorer), &batch);
            queue = self.queue.lock().unwrap_or_else(PoisonError::into_inner);
            queue.is_writing = false;
            self.written.notify_all();
        }
    }
}

fn write((ledger, scorer): (&Ledger, &Scorer), batch: &[Waiting]) {
    let all: Vec<&Asked> = batch.iter().map(|waiting| &*waiting.asked).collect();
    // Whatever happens, everybody who waits is told.
    let by = |asked: &[&Asked]| -> Result<Vec<u64>, LedgerError> {
        catch_unwind(AssertUnwindSafe(|| ledger.record_all_asked(scorer, asked)))
            .unwrap_or_else(|_| Err(LedgerError::Draft("a fault in the program".to_owned())))
    };
    let told = |waiting: &Waiting, done: Result<u64, LedgerError>| {
        *waiting.entry.lock().unwrap_or_else(PoisonError::into_inner) = Some(done);
    };
    match by(&all) {
        Ok(entries) => batch.iter().zip(entries).for_each(|(waiting, entry)| told(waiting, Ok(entry))),
        // One of them is to blame, and the others are not to suffer for it.
        Err(_) if batch.len() > 1 => batch.iter().for_each(|waiting| {
            told(waiting, by(&[&*waiting.asked]).map(|entries| entries.first().copied().unwrap_or_default()));
        }),
        Err(error) => batch.iter().for_each(|waiting| told(waiting, Err(error.clone()))),
    }
}
