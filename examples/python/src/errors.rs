//! What goes wrong, as exceptions of the package: each by its class.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Mutex, OnceLock, PoisonError};

use earlyhelp::error::{
    AuditError, CalendarError, Class, Error, EvaluateError, LedgerError, OutputsError, ProjectError,
    RecordsError, ReportError, ReviewError, ScoresError, ScoringError, SpecError,
};
use earlyhelp::limits::shortened;
use earlyhelp::outputs::printable;
use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;

use crate::arrow::Unusable;

/// Why something was not done.
pub enum Fault {
    /// By the library's classes.
    Of(Class, String),
    /// An argument of a wrong type.
    Type(String),
    /// An exception that is passed on as it is.
    Python(PyErr),
}

impl Fault {
    /// What was given cannot be used.
    pub fn input(why: String) -> Self {
        Self::Of(Class::BadInput, why)
    }

    /// The same fault, where it is that of a column which could not be read, told of the frame.
    pub fn of_error(error: impl Into<Error>, unusable: &[Unusable]) -> Self {
        let error = error.into();
        let why = column(&error).and_then(|column| unusable.iter().find_map(|held| held.why(column)));
        match why {
            Some(why) => Self::input(format!("the frame: {why}")),
            None => error.into(),
        }
    }

    /// As the exception that is raised.
    pub fn raised(self, py: Python<'_>) -> PyErr {
        match self {
            Self::Python(error) => error,
            Self::Type(why) => PyTypeError::new_err(why),
            Self::Of(class, why) => {
                let text = in_keywords(&printable(&shortened(&why)));
                let name = match class {
                    Class::Refused => "Refused",
                    Class::BadInput => "BadInput",
                    Class::NotFound => "NotFound",
                    Class::Retry => "Retry",
                    _ => "Ours",
                };
                let made =
                    py.import("earlyhelp._errors").and_then(|errors| errors.getattr(name)?.call1((text,)));
                made.map_or_else(|error| error, |error| PyErr::from_value(error))
            }
        }
    }
}

/// The column of a frame that an error is about.
fn column(error: &Error) -> Option<&str> {
    match error {
        Error::Records(RecordsError::ColumnType { column, .. })
        | Error::Scores(
            ScoresError::Read(RecordsError::ColumnType { column, .. })
            | ScoresError::ColumnType { column, .. },
        ) => Some(column),
        _ => None,
    }
}

/// Options of the command as the keywords that stand for them here.
fn in_keywords(text: &str) -> String {
    const KEYWORDS: [(&str, &str); 9] = [
        ("(--accept SOURCE --by NAME --reason TEXT)", "(accept=[(source, by, reason)])"),
        ("--may-read FOLDER", "may_read=[folder]"),
        ("by --on ", "by on= "),
        ("`earlyhelp check` lists them", "Records.rejects() lists them where fewer are"),
        ("--force", "force=True"),
        ("(--because)", "(because=\"...\")"),
        ("--supersedes ", "supersedes="),
        ("`--own-judgement`, or `own_judgement` in a file", "`own_judgement`"),
        ("`earlyhelp check` shows", "the command `earlyhelp check` shows"),
    ];
    KEYWORDS.iter().fold(text.to_owned(), |text, (option, keyword)| text.replace(option, keyword))
}

macro_rules! by_class {
    ($($error:ident),+) => {$(
        impl From<$error> for Fault {
            fn from(error: $error) -> Self {
                Self::Of(error.class(), error.to_string())
            }
        }
    )+};
}
by_class!(
    AuditError,
    CalendarError,
    Error,
    EvaluateError,
    LedgerError,
    OutputsError,
    ProjectError,
    RecordsError,
    ReportError,
    ReviewError,
    ScoresError,
    ScoringError,
    SpecError
);

/// JSON that the package itself makes or reads.
impl From<serde_json::Error> for Fault {
    fn from(error: serde_json::Error) -> Self {
        // Where it stands in a text that nobody wrote helps nobody.
        let said = error.to_string();
        Self::input(said.split(" at line ").next().unwrap_or_default().to_owned())
    }
}

/// The process that worked first.
static PROCESS: OnceLock<u32> = OnceLock::new();

/// Where the last panic was. What it says may hold somebody's data; where it was does not.
static PLACE: Mutex<Option<String>> = Mutex::new(None);

/// Lets a panic say nothing on the terminal: it becomes an exception.
pub fn keep_panics() {
    std::panic::set_hook(Box::new(|panic| {
        let place = panic.location().map(|place| {
            let file = place.file().rsplit(['/', '\\']).next().unwrap_or_default();
            format!("{file}:{}", place.line())
        });
        *PLACE.lock().unwrap_or_else(PoisonError::into_inner) = place;
    }));
}

/// Works without holding the interpreter, so that other threads go on; a panic in it is an error of the class "ours".
pub fn working<T: Send>(py: Python<'_>, work: impl FnOnce() -> Result<T, Fault> + Send) -> PyResult<T> {
    // Threads do not come along with a fork: the work would wait for them for ever.
    if *PROCESS.get_or_init(std::process::id) != std::process::id() {
        let why = "this process was forked from one that uses the package already; let multiprocessing spawn";
        return Err(Fault::Of(Class::Refused, why.to_owned()).raised(py));
    }
    let done = py.detach(|| catch_unwind(AssertUnwindSafe(work)));
    done.unwrap_or_else(|_| {
        let place = PLACE.lock().unwrap_or_else(PoisonError::into_inner).take();
        let at = place.map_or_else(String::new, |place| format!(" (at {place})"));
        Err(Fault::Of(Class::Ours, format!("a fault in the library{at}: please report it with the version")))
    })
    .map_err(|fault| fault.raised(py))
}
