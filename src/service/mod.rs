//! A released model behind one line of JSON a question: for programs in other languages, in a process of its own
//! (`earlyhelp serve`) or in theirs.
//!
//! ```text
//! {"v":1,"id":7,"do":"explain","by":"C. Worker","purpose":"…","person":"P-0017"}
//! {"v":1,"id":7,"ok":{"entry":812,"answer":{…}}}
//! {"v":1,"id":7,"error":{"class":"refused","says":"…"}}
//! ```
//!
//! A [`Service`] holds a project's records, a released model and a ledger. **Nothing is answered that is not on record first**: each
//! explanation, run, opening and decision has its entry in the ledger by the time its answer is given. A question that is refused,
//! malformed or too long is answered by an error as data, with a [class](crate::error::Class) that says what can be done about it;
//! no question ends the service, and none is asked of it that acts on a score.
//!
//! [`Service::json_schema`] describes the questions; [`guide::embedding`](crate::guide::embedding) tells which road into another
//! program costs and guarantees what.

mod answers;
mod protocol;
mod recorder;
#[cfg(feature = "schema")]
mod schema;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde::Deserialize;
use serde_json::Value;

use crate::calendar::{AsOf, Day};
use crate::error::{Class, Error, FileError, ScoringError};
use crate::ledger::Ledger;
use crate::limits;
use crate::project::Project;
use crate::records::Records;
use crate::scoring::{Asking, Scorer};

use self::protocol::{Question, Wrong};
use self::recorder::Recorder;

/// The version of questions and answers. It changes where a question of before would be understood otherwise; fields are added
/// to answers without it.
pub const VERSION: u32 = 1;

/// Dates that are kept ready to be asked about: this month, the one before, and two more.
const DATES: usize = 4;

/// Answers questions about one project by one released model, and puts each answer on record.
///
/// # Examples
/// ```
/// use earlyhelp::calendar::Day;
/// use earlyhelp::ledger::Ledger;
/// use earlyhelp::project::Project;
/// use earlyhelp::scoring::Scorer;
/// use earlyhelp::service::Service;
///
/// fn ready(project: Project, scorer: Scorer, ledger: Ledger, today: Day) -> earlyhelp::Result<Service> {
///     let records = project.records()?;
///     // A service that runs for longer than a day asks its clock instead.
///     Ok(Service::new(project, records, scorer, ledger, move || today))
/// }
///
/// fn ask(service: &Service, line: &str) -> String {
///     service.answer(line.as_bytes())
/// }
/// ```
pub struct Service {
    project: Project,
    records: Arc<Records>,
    scorer: Arc<Scorer>,
    ledger: Ledger,
    recorder: Recorder,
    /// The dates asked about last, the last one last.
    ready: Mutex<Vec<Arc<Asking<'static, 'static>>>>,
    clock: Box<dyn Fn() -> Day + Send + Sync>,
    token: Option<String>,
    /// The project file's text, of which a run keeps the digest.
    configuration: Option<String>,
}

crate::opaque_debug!(Service);

/// Where a service finds what it needs, for programs that start one by a text.
///
/// # Examples
/// ```
/// use earlyhelp::service::Setup;
///
/// let text = r#"{ "project": "project.toml", "model": "released.json", "ledger": "ledger.sqlite" }"#;
/// let setup: Setup = serde_json::from_str(text)?;
/// assert_eq!(setup.extracts, None);
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Setup {
    /// The project file.
    pub project: PathBuf,
    /// The released model.
    pub model: PathBuf,
    /// The ledger, which is started where there is none.
    pub ledger: PathBuf,
    /// The folder of the extracts, if not the project's own.
    #[serde(default)]
    pub extracts: Option<PathBuf>,
    /// Further folders, or the database, that the project may read: see [`Project::may_read`].
    #[serde(default)]
    pub may_read: Vec<PathBuf>,
}

impl Service {
    /// Reads everything that a setup names, which takes as long as reading the extracts does. `clock` says which day it is.
    ///
    /// # Errors
    /// [`Error`] where a file cannot be read, the model is none that was released, or the ledger cannot be opened.
    pub fn open(
        setup: &Setup,
        clock: impl Fn() -> Day + Clone + Send + Sync + 'static,
    ) -> Result<Self, Error> {
        let project = Project::load(&setup.project)?.read_on(clock());
        let mut project = setup.may_read.iter().fold(project, Project::may_read);
        if let Some(folder) = &setup.extracts {
            project = project.extracts_in(folder)?;
        }
        let unreadable = |error: FileError| ScoringError::File(error.to_string());
        let model = limits::read_text(&setup.model, limits::MODEL_BYTES).map_err(unreadable)?;
        let scorer = Scorer::from_json(&model)?;
        let ledger = Ledger::open(&setup.ledger)?.with_clock(clock.clone());
        let records = project.records()?;
        let text = limits::read_text(&setup.project, limits::SETTINGS_BYTES).map_err(unreadable)?;
        Ok(Self::new(project, records, scorer, ledger, clock).with_configuration(text))
    }

    /// A service over records that were read; `clock` says which day it is, for questions that do not.
    pub fn new(
        project: Project,
        records: impl Into<Arc<Records>>,
        scorer: impl Into<Arc<Scorer>>,
        ledger: Ledger,
        clock: impl Fn() -> Day + Send + Sync + 'static,
    ) -> Self {
        Self {
            project,
            records: records.into(),
            scorer: scorer.into(),
            ledger,
            recorder: Recorder::default(),
            ready: Mutex::default(),
            clock: Box::new(clock),
            token: None,
            configuration: None,
        }
    }

    /// The ledger that answers are put on record in.
    #[must_use]
    pub fn ledger(&self) -> &Ledger {
        &self.ledger
    }

    /// Keeps with each run the digest of the project file's text, so that it can be told later whether it was this one.
    #[must_use]
    pub fn with_configuration(mut self, text: impl Into<String>) -> Self {
        self.configuration = Some(text.into());
        self
    }

    /// Answers only questions that hold this token, where others could ask.
    #[must_use]
    pub fn with_token(mut self, token: impl Into<String>) -> Self {
        self.token = Some(token.into());
        self
    }

    /// Answers one question: one JSON object, and one line of JSON without its end. May be called by any number of threads. It never
    /// panics: what does inside is an answer of the class [`Ours`](Class::Ours).
    #[must_use]
    pub fn answer(&self, question: &[u8]) -> String {
        if question.len() > limits::QUESTION_BYTES {
            return Self::too_long();
        }
        let (id, read) = protocol::read(question, self.token.as_deref());
        let done = read.and_then(|question| self.guarded(question));
        match done {
            Ok(answer) => format!("{{\"v\":{VERSION},\"id\":{id},\"ok\":{answer}}}"),
            Err(wrong) => wrong.answer(&id).to_string(),
        }
    }

    /// The answer to a question of more than [`QUESTION_BYTES`](limits::QUESTION_BYTES), of which not even the id is read.
    #[must_use]
    pub fn too_long() -> String {
        let most = limits::QUESTION_BYTES;
        let says = format!("the question has more than {most} bytes; ask about one person at a time");
        Wrong { class: Class::BadInput, says }.answer(&Value::Null).to_string()
    }

    /// Refuses a question before it is read: too many ask at once, or somebody took too long to ask.
    #[must_use]
    pub fn turned_away(says: &str) -> String {
        Wrong { class: Class::Retry, says: says.to_owned() }.answer(&Value::Null).to_string()
    }

    fn guarded(&self, question: Question) -> Result<String, Wrong> {
        // What is shared is behind locks, and a ledger's step is done whole or not at all.
        catch_unwind(AssertUnwindSafe(|| self.done(question))).unwrap_or_else(|_| {
            let says =
                "a fault in the program: nothing was answered; please report it with the version".to_owned();
            Err(Wrong { class: Class::Ours, says })
        })
    }

    /// The model and the records of a date, ready to be asked.
    fn asking(&self, as_of: AsOf) -> Result<Arc<Asking<'static, 'static>>, Error> {
        let is_of_date = |held: &Arc<Asking<'_, '_>>| held.snapshot().as_of() == as_of;
        {
            let mut ready = self.ready();
            if let Some(place) = ready.iter().position(is_of_date) {
                let found = ready.remove(place);
                ready.push(Arc::clone(&found));
                return Ok(found);
            }
        }
        // Made without the lock: others go on with the dates that there are.
        let made = self.scorer.asking_shared(&self.records.as_of_shared(as_of));
        let made = Arc::new(made.known_to(&self.project.known_to)?);
        let mut ready = self.ready();
        if !ready.iter().any(is_of_date) {
            ready.push(Arc::clone(&made));
            let over = ready.len().saturating_sub(DATES);
            ready.drain(..over);
        }
        Ok(made)
    }

    fn ready(&self) -> MutexGuard<'_, Vec<Arc<Asking<'static, 'static>>>> {
        self.ready.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
