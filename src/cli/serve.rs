//! `earlyhelp serve`

use std::io::{self, BufRead, BufReader, ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use earlyhelp::ledger::Ledger;
use earlyhelp::limits::QUESTION_BYTES;
use earlyhelp::scoring::Scorer;
use earlyhelp::service::Service;

use super::ledger::{KeepArguments, Kept};
use super::progress::Progress;
use super::{Failure, Outcome, ProjectArgument, output, today};

/// Arguments of `earlyhelp serve`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
A question is one line of JSON, and so is its answer:

    {\"v\":1,\"id\":1,\"do\":\"health\"}
    {\"v\":1,\"id\":2,\"do\":\"explain\",\"by\":\"C. Worker\",\"purpose\":\"...\",\"person\":\"P0000017\"}

`earlyhelp schema --service` prints what can be asked; examples/clients has programs in several languages that ask it. Every
answer about people is in the ledger before it is given.")]
pub struct Arguments {
    #[command(flatten)]
    project: ProjectArgument,
    /// The released model.
    #[arg(long, value_name = "RELEASED.json")]
    model: PathBuf,
    /// The ledger in which every answer is put on record (it is started where there is none): an SQLite file, JSON lines where the
    /// name ends in .jsonl, or a PostgreSQL database (`postgresql://HOST/DATABASE`).
    #[arg(long, value_name = "LEDGER")]
    ledger: PathBuf,
    #[command(flatten)]
    keep: KeepArguments,
    /// Answer on this Unix socket, which its owner alone can open, and not on the standard input and output.
    #[cfg(unix)]
    #[arg(long, value_name = "SOCKET", conflicts_with = "listen")]
    socket: Option<PathBuf>,
    /// Answer on this port of this machine (`127.0.0.1:8765`; port 0 takes a free one, which is told), not on the standard input
    /// and output. Every user of the machine can reach it, so questions have to hold a token.
    #[arg(long, value_name = "ADDRESS", requires = "token_file")]
    listen: Option<SocketAddr>,
    /// The file that holds the token, in its first line: 16 letters or more.
    #[arg(long, value_name = "FILE")]
    token_file: Option<PathBuf>,
    /// The most clients at once; more are told to try again.
    #[arg(long, value_name = "N", default_value_t = 64, value_parser = clap::value_parser!(u16).range(1..))]
    clients: u16,
    /// A client that asks nothing for so many seconds is cut off.
    #[arg(long, value_name = "SECONDS", default_value_t = 300, value_parser = clap::value_parser!(u64).range(1..=86_400))]
    idle: u64,
}

/// A question that was begun has to end, and an answer to be taken, within so long: a program writes a line at once.
const LINE: Duration = Duration::from_secs(30);

/// A checkpoint is taken so often, if anything was put on record since: what came after the last one could be cut off unseen.
const CHECKPOINTS: Duration = Duration::from_hours(1);

/// The fewest letters of a token: it cannot be tried out.
const TOKEN: usize = 16;

pub fn run(arguments: &Arguments) -> Result<Outcome, Failure> {
    let token = arguments.token_file.as_deref().map(token).transpose()?;
    let project = arguments.project.load()?;
    let scorer = Scorer::from_json(&output::read(&arguments.model)?)?;
    let ledger = Ledger::open(&arguments.ledger)?.with_clock(today);
    let kept = arguments.keep.kept(&ledger)?;
    let progress = Progress::start("reading");
    let project = project.on_progress(progress.watch());
    let records = project.records()?;
    let outcome = output::outcome_of(&records);
    drop(progress);
    let configuration = output::read(&arguments.project.project)?;
    let mut service = Service::new(project, records, scorer, ledger, today).with_configuration(configuration);
    if let Some(token) = token {
        service = service.with_token(token);
    }
    #[cfg(unix)]
    if let Some(path) = &arguments.socket {
        let listener = unix::bind(path)?;
        output::say(&format!("answering on {}", path.display()));
        return serve(&service, &kept, arguments, || listener.accept().map(|(stream, _)| stream));
    }
    if let Some(address) = arguments.listen {
        if !address.ip().is_loopback() {
            return Err(format!(
                "{address} can be reached from other machines; give one of this machine, 127.0.0.1:PORT"
            )
            .into());
        }
        let listener =
            TcpListener::bind(address).map_err(|error| format!("cannot listen on {address}: {error}"))?;
        output::say(&format!("answering on {}", listener.local_addr()?));
        return serve(&service, &kept, arguments, || listener.accept().map(|(stream, _)| stream));
    }
    output::say("answering on the standard input and output");
    let mut questions = io::stdin().lock();
    let mut answers = io::stdout().lock();
    while let Some(question) = question(&mut questions, |_| Ok(()))? {
        let answer = answer(&service, &question);
        match answers.write_all(answer.as_bytes()).and_then(|()| answers.flush()) {
            // Whoever asked is gone; what was answered is on record.
            Err(error) if error.kind() == ErrorKind::BrokenPipe => break,
            done => done?,
        }
    }
    kept.checkpoint(service.ledger())?;
    Ok(outcome)
}

/// The token of a file.
fn token(path: &std::path::Path) -> Result<String, Failure> {
    let text = output::settings(path)?;
    let token = text.lines().next().unwrap_or_default().trim();
    if token.chars().count() < TOKEN {
        return Err(format!(
            "{} holds no token: its first line is to have {TOKEN} letters or more",
            path.display()
        )
        .into());
    }
    Ok(token.to_owned())
}

/// What a client is connected by.
trait Stream: Read + Write + Send + Sized {
    fn limit(&self, reading: Duration, writing: Duration) -> io::Result<()>;
    fn twin(&self) -> io::Result<Self>;
}

impl Stream for TcpStream {
    fn limit(&self, reading: Duration, writing: Duration) -> io::Result<()> {
        self.set_nodelay(true)?;
        self.set_read_timeout(Some(reading))?;
        self.set_write_timeout(Some(writing))
    }

    fn twin(&self) -> io::Result<Self> {
        self.try_clone()
    }
}

/// Answers clients, each on a thread of its own, until the process is ended.
fn serve<S: Stream>(
    service: &Service,
    kept: &Kept,
    arguments: &Arguments,
    accept: impl Fn() -> io::Result<S>,
) -> Result<Outcome, Failure> {
    let (most, idle) = (usize::from(arguments.clients), Duration::from_secs(arguments.idle));
    let clients = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        scope.spawn(|| keep_checkpoints(service, kept));
        loop {
            let stream = match accept() {
                Ok(stream) => stream,
                // One that was gone again, or too many files open: others are to be answered.
                Err(error) => {
                    output::say(&format!("a client could not be let in: {error}"));
                    std::thread::sleep(Duration::from_millis(100));
                    continue;
                }
            };
            if clients.fetch_add(1, Ordering::SeqCst) >= most {
                clients.fetch_sub(1, Ordering::SeqCst);
                turn_away(stream, &format!("{most} clients ask already; try again when one of them is done"));
                continue;
            }
            let clients = &clients;
            scope.spawn(move || {
                // A client that is gone, or too slow, is no fault of the service.
                let _ = converse(service, stream, idle);
                clients.fetch_sub(1, Ordering::SeqCst);
            });
        }
    })
}

/// Answers one client's questions, one after the other.
fn converse<S: Stream>(service: &Service, mut answers: S, idle: Duration) -> io::Result<()> {
    answers.limit(Duration::from_secs(1), LINE)?;
    let mut questions = BufReader::new(answers.twin()?);
    loop {
        let (asked, begun) = (Instant::now(), std::cell::Cell::new(None::<Instant>));
        let waited = |is_begun: bool| {
            if is_begun && begun.get().is_none() {
                begun.set(Some(Instant::now()));
            }
            let is_late = begun.get().map_or(asked.elapsed() > idle, |begun| begun.elapsed() > LINE);
            if is_late { Err(io::Error::from(ErrorKind::TimedOut)) } else { Ok(()) }
        };
        match question(&mut questions, waited) {
            Ok(Some(question)) => answers.write_all(answer(service, &question).as_bytes())?,
            Ok(None) => return Ok(()),
            Err(error) => {
                if error.kind() == ErrorKind::TimedOut && begun.get().is_some() {
                    let says =
                        format!("the question did not end within {} seconds; ask again", LINE.as_secs());
                    answers.write_all(format!("{}\n", Service::turned_away(&says)).as_bytes())?;
                }
                return Err(error);
            }
        }
    }
}

/// The line that answers a question.
fn answer(service: &Service, question: &Question) -> String {
    let mut line = match question {
        Question::Whole(text) => service.answer(text),
        Question::TooLong => Service::too_long(),
    };
    line.push('\n');
    line
}

/// A line that was read.
enum Question {
    Whole(Vec<u8>),
    TooLong,
}

fn is_late(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut | ErrorKind::Interrupted)
}

/// The next line that holds anything; `None` at the end. Of one that is too long nothing is held. `waited` is asked again and again,
/// however slowly bytes come, and told whether a question was begun.
fn question(
    from: &mut impl BufRead,
    waited: impl Fn(bool) -> io::Result<()>,
) -> io::Result<Option<Question>> {
    let (mut line, mut is_begun, mut is_too_long) = (Vec::new(), false, false);
    loop {
        waited(is_begun)?;
        let piece = match from.fill_buf() {
            Ok(piece) => piece,
            Err(error) if is_late(&error) => continue,
            Err(error) => return Err(error),
        };
        let is_at_end = piece.is_empty();
        let end = piece.iter().position(|byte| *byte == b'\n');
        let taken = end.map_or(piece.len(), |end| end + 1);
        let more = &piece[..end.unwrap_or(taken)];
        is_begun |= more.iter().any(|byte| !byte.is_ascii_whitespace());
        is_too_long |= line.len() + more.len() > QUESTION_BYTES;
        if is_too_long {
            line = Vec::new();
        } else {
            line.extend_from_slice(more);
        }
        from.consume(taken);
        if end.is_some() || is_at_end {
            if is_begun && is_too_long {
                return Ok(Some(Question::TooLong));
            }
            if is_begun {
                return Ok(Some(Question::Whole(line)));
            }
            if is_at_end {
                return Ok(None);
            }
            (line, is_too_long) = (Vec::new(), false);
        }
    }
}

/// Takes a checkpoint now and then.
fn keep_checkpoints(service: &Service, kept: &Kept) {
    let mut last = None;
    loop {
        std::thread::sleep(CHECKPOINTS);
        let head = service.ledger().head().ok().map(|head| head.entries);
        if head != last {
            match kept.checkpoint(service.ledger()) {
                Ok(()) => last = head,
                Err(error) => output::say(&format!("{error}")),
            }
        }
    }
}

fn turn_away(mut stream: impl Stream, says: &str) {
    let _ = stream.limit(Duration::from_secs(1), Duration::from_secs(1));
    let _ = stream.write_all(format!("{}\n", Service::turned_away(says)).as_bytes());
}

#[cfg(unix)]
mod unix {
    use std::fs::Permissions;
    use std::io;
    use std::os::unix::fs::{FileTypeExt as _, PermissionsExt as _};
    use std::os::unix::net::{UnixListener, UnixStream};
    use std::path::Path;
    use std::time::Duration;

    use super::{Failure, Stream};

    impl Stream for UnixStream {
        fn limit(&self, reading: Duration, writing: Duration) -> io::Result<()> {
            self.set_read_timeout(Some(reading))?;
            self.set_write_timeout(Some(writing))
        }

        fn twin(&self) -> io::Result<Self> {
            self.try_clone()
        }
    }

    /// Makes the socket, for its owner alone; one that a service which was killed left there is taken away.
    pub(super) fn bind(path: &Path) -> Result<UnixListener, Failure> {
        let failed = |error: io::Error| format!("cannot make the socket {}: {error}", path.display());
        if let Ok(there) = std::fs::symlink_metadata(path) {
            if !there.file_type().is_socket() {
                return Err(format!(
                    "{} is there already, and is no socket; give another name",
                    path.display()
                )
                .into());
            }
            if UnixStream::connect(path).is_ok() {
                return Err(format!("another service answers on {} already", path.display()).into());
            }
            std::fs::remove_file(path).map_err(failed)?;
        }
        // Nobody else is to get in before it is closed to them: it is made under another name.
        let mut name = path.as_os_str().to_owned();
        name.push(format!(".{}", std::process::id()));
        let listener = UnixListener::bind(&name).map_err(failed)?;
        std::fs::set_permissions(&name, Permissions::from_mode(0o600)).map_err(failed)?;
        std::fs::rename(&name, path).map_err(failed)?;
        Ok(listener)
    }
}
