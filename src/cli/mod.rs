//! The command line: arguments, exit codes and what is printed where.
//!
//! Results go to stdout, everything else (progress, warnings, errors) to stderr.

mod audit;
mod audit_model;
mod card;
mod check;
mod demo;
mod edit;
mod explain;
mod init;
mod ledger;
mod list;
mod monitor;
mod output;
mod progress;
mod release;
mod schema;
mod score;
mod serve;
mod simulate;
mod sql;
mod synth;
mod train;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use earlyhelp::calendar::Day;
use earlyhelp::ledger::holds_password;
use earlyhelp::project::Project;
use earlyhelp::records::{MemoryLimit, MemorySize};

const AFTER_HELP: &str = "\
Exit codes: 0 done; 1 failed; 2 wrong use; 3 done, but rows of the extracts were rejected; 4 done, and \
what was checked does not hold (verify, replay, purge, monitor, check --model); 5 it holds, but nothing from elsewhere was \
given to compare it with (verify).

Start with `earlyhelp demo --out demo`: it makes a council that does not exist, trains a model on it, \
checks it for fairness, releases it, and writes a ranked list for people to review. Then read \
demo/council/project.toml and write your own.";

/// Features from linked service records, interpretable risk models, and short ranked lists for people to
/// review. It never acts on a score.
#[derive(Debug, Parser)]
#[command(name = "earlyhelp", version, after_help = AFTER_HELP)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// The whole story on a synthetic council, in one command.
    Demo(demo::Arguments),
    /// Write a synthetic council: extracts, project.toml, and the truth that was planted.
    Synth(synth::Arguments),
    /// Draft a project file from a folder of extracts: what each file is likely to be, and what is left to decide.
    Init(init::Arguments),
    /// Print the JSON Schema of project files, by which an editor completes and checks them.
    Schema(schema::Arguments),
    /// Read a project's extracts: rows accepted and rejected (why, where), the days declared and found, and
    /// everything for which training would refuse them.
    Check(check::Arguments),
    /// Train a model, backtest it on the past, and check it for fairness.
    Train(train::Arguments),
    /// Explain a model: a page for those who answer for it, or a short table of its terms.
    Explain(explain::Arguments),
    /// Audit any scores in a table for fairness, of this program or another one.
    Audit(Box<audit::Arguments>),
    /// Audit a model in depth: groups, proxies, what carries a difference, what the label measures.
    AuditModel(audit_model::Arguments),
    /// Write a model card, a transparency record (ATRS) and evidence for an impact assessment (DPIA).
    Card(card::Arguments),
    /// Change a model by hand, with a name and a reason, and test it again beside the version before.
    Edit(edit::Arguments),
    /// Sign for a model, so that it may score for one purpose until it has to be reviewed.
    Release(release::Arguments),
    /// Score the cohort of a date and write the list for review.
    Score(score::Arguments),
    /// Draw a list from a scored table that a database or Spark made by the texts of `earlyhelp sql`.
    List(list::Arguments),
    /// Answer questions of other programs, one line of JSON each: explain, score, list, open, decide, audit.
    Serve(serve::Arguments),
    /// Write features and scores as SQL, for a database or an engine that holds the records.
    Sql(sql::Arguments),
    /// Draw the lists of past dates as they would have been, with what followed: before a model goes into use.
    Simulate(simulate::Arguments),
    /// Compare the cohort of a date with training: drift, stale sources, outcomes known since.
    Monitor(monitor::Arguments),
    /// Open one case of a recorded list, as a named person.
    Open(ledger::review::OpenArguments),
    /// Put on record what a named person decided about a case that they opened.
    Decide(ledger::review::DecideArguments),
    /// Count what became of alerts: opened, decided, agreed with, overridden, and how long it took.
    Log(ledger::account::Arguments),
    /// Check a ledger: its chain, what its entries say of each other, and what was kept of it elsewhere.
    Verify(ledger::verify::VerifyArguments),
    /// Write down where a ledger's chain ends, signed if wanted, to be kept elsewhere.
    Checkpoint(ledger::verify::CheckpointArguments),
    /// Copy a ledger from one kind of store into another, with its chain.
    LedgerCopy(ledger::copy::Arguments),
    /// Print the SQL that makes a ledger's tables, guards and roles on PostgreSQL.
    LedgerSchema(ledger::schema::Arguments),
    /// Make past scores again and compare them to the bit.
    Replay(ledger::replay::Arguments),
    /// Put on record that records were wrong, and find the past cases that rest on them.
    Correct(ledger::person::CorrectArguments),
    /// Take a person out of a ledger.
    Purge(ledger::person::PurgeArguments),
    /// Write out everything that a ledger holds about one person, with a plain explanation of every score.
    Subject(ledger::person::SubjectArguments),
    /// Take a released model out of use.
    Retire(ledger::retire::Arguments),
}

/// How a command ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Outcome {
    Done,
    DoneWithRejects,
    /// What was checked does not hold.
    Found,
    /// It holds, by itself alone.
    NothingToCompare,
}

/// What a command can fail with: shown to the person as one line.
type Failure = Box<dyn std::error::Error>;

/// Runs the command that the arguments name.
pub fn run() -> ExitCode {
    // A panic is a fault of the program or of a decoder. What it says may hold somebody's data; where it was does not.
    std::panic::set_hook(Box::new(|panic| {
        let place = panic.location().map_or_else(String::new, ToString::to_string);
        output::say(&format!("a fault at {place}"));
    }));
    // Before anything is said of the arguments: what cannot be read of them would be shown.
    if std::env::args_os().any(|argument| {
        let argument = argument.to_string_lossy();
        argument.to_ascii_lowercase().contains("postgres") && holds_password(&argument)
    }) {
        output::say(
            "error: a password must not stand in the address of a ledger, where other programs and the shell's history see it; put it \
             into PGPASSWORD, or into a file that PGPASSFILE names",
        );
        return ExitCode::from(2);
    }
    let arguments = Arguments::parse();
    let outcome = match arguments.command {
        Command::Demo(arguments) => demo::run(&arguments),
        Command::Synth(arguments) => synth::run(&arguments),
        Command::Init(arguments) => init::run(&arguments),
        Command::Schema(arguments) => schema::run(&arguments),
        Command::Check(arguments) => check::run(&arguments),
        Command::Train(arguments) => train::run(&arguments),
        Command::Explain(arguments) => explain::run(&arguments),
        Command::Audit(arguments) => audit::run(&arguments),
        Command::AuditModel(arguments) => audit_model::run(&arguments),
        Command::Card(arguments) => card::run(&arguments),
        Command::Edit(arguments) => edit::run(&arguments),
        Command::Release(arguments) => release::run(&arguments),
        Command::Score(arguments) => score::run(&arguments),
        Command::List(arguments) => list::run(&arguments),
        Command::Serve(arguments) => serve::run(&arguments),
        Command::Sql(arguments) => sql::run(&arguments),
        Command::Simulate(arguments) => simulate::run(&arguments),
        Command::Monitor(arguments) => monitor::run(&arguments),
        Command::Open(arguments) => ledger::review::open(&arguments),
        Command::Decide(arguments) => ledger::review::decide(&arguments),
        Command::Log(arguments) => ledger::account::run(&arguments),
        Command::Verify(arguments) => ledger::verify::verify(&arguments),
        Command::Checkpoint(arguments) => ledger::verify::checkpoint(&arguments),
        Command::LedgerCopy(arguments) => ledger::copy::run(&arguments),
        Command::LedgerSchema(arguments) => ledger::schema::run(&arguments),
        Command::Replay(arguments) => ledger::replay::run(&arguments),
        Command::Correct(arguments) => ledger::person::correct(&arguments),
        Command::Purge(arguments) => ledger::person::purge(&arguments),
        Command::Subject(arguments) => ledger::person::subject(&arguments),
        Command::Retire(arguments) => ledger::retire::run(&arguments),
    };
    match outcome {
        Ok(Outcome::Done) => ExitCode::SUCCESS,
        Ok(Outcome::DoneWithRejects) => ExitCode::from(3),
        Ok(Outcome::Found) => ExitCode::from(4),
        Ok(Outcome::NothingToCompare) => ExitCode::from(5),
        Err(error) => {
            output::say(&format!("error: {}", earlyhelp::limits::shortened(&error.to_string())));
            ExitCode::from(1)
        }
    }
}

/// The project file that a command reads.
#[derive(Debug, clap::Args)]
struct ProjectArgument {
    /// The project file.
    #[arg(value_name = "PROJECT.toml")]
    project: PathBuf,
    #[command(flatten)]
    extracts: ExtractsArgument,
}

/// Where a project's extracts are, if not where the project file stands.
#[derive(Debug, clap::Args)]
struct ExtractsArgument {
    /// Read the extracts from this folder, not from where the project file stands: this month's files.
    #[arg(long, value_name = "FOLDER", requires = "project")]
    extracts: Option<PathBuf>,
    /// Also let the project read files below this folder, or ask its queries in the database of this address
    /// (`postgresql://HOST/DATABASE`, as the project has it); may be given more than once. Without it a project reads what lies
    /// below its own folder and below that of its extracts, and no database.
    #[arg(long, value_name = "FOLDER|ADDRESS", requires = "project")]
    may_read: Vec<PathBuf>,
    /// Take sources whose files are the same as before from this folder, and keep those there that had to be read: next month
    /// only what changed is read. It holds records as the extracts do, and is for its owner alone.
    #[arg(long, value_name = "FOLDER", requires = "project")]
    store: Option<PathBuf>,
    /// Hold no more than so much memory of records (`2GB`, `500MB`): sources are read one after the other, and what does not fit
    /// waits on disk. Nothing that comes out depends on it. Without it all records are held.
    #[arg(long, value_name = "SIZE", requires = "project")]
    memory: Option<MemorySize>,
    /// Where what does not fit waits, in files without a name that are gone when the run ends [default: the system's folder for
    /// such files; on many systems that is memory itself].
    #[arg(long, value_name = "FOLDER", requires = "memory")]
    scratch: Option<PathBuf>,
}

impl ProjectArgument {
    /// Every file that the command reads for the project.
    fn inputs(&self, project: &Project) -> Vec<PathBuf> {
        let mut inputs = project.input_files();
        inputs.push(self.project.clone());
        inputs
    }

    fn load(&self) -> Result<Project, earlyhelp::Error> {
        self.extracts.load(&self.project)
    }
}

impl ExtractsArgument {
    /// The project whose extracts are in the folder.
    fn load(&self, project: &std::path::Path) -> Result<Project, earlyhelp::Error> {
        let mut project = self.may_read.iter().fold(load(project)?, Project::may_read);
        if let Some(folder) = &self.store {
            project = project.store(folder);
        }
        if let Some(size) = self.memory {
            let folder = self.scratch.clone().unwrap_or_else(std::env::temp_dir);
            project = project.memory(MemoryLimit::new(size, folder));
        }
        Ok(match &self.extracts {
            None => project,
            Some(folder) => project.extracts_in(folder)?,
        })
    }
}

/// Reads a project file, whose extracts are read today.
fn load(path: impl AsRef<std::path::Path>) -> Result<earlyhelp::project::Project, earlyhelp::Error> {
    Ok(earlyhelp::project::Project::load(path)?.read_on(today()))
}

/// Today's date (UTC). The library has no clock; the command is where time comes in.
fn today() -> Day {
    jiff::Timestamp::now().to_zoned(jiff::tz::TimeZone::UTC).date().into()
}

/// Whom an invented council's project scores.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Scored {
    /// Each child.
    Person,
    /// Each household: early help works with families.
    Family,
}

impl Scored {
    fn many(self) -> &'static str {
        match self {
            Self::Person => "children",
            Self::Family => "families",
        }
    }
}
