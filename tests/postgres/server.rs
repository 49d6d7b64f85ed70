//! A `PostgreSQL` server for tests alone: made in a folder of its own, on a free port of this machine, and gone when the test ends,
//! however it ends. Where none can be had, a line says so and the tests that need it are skipped.

use std::io::Write as _;
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU32, Ordering};

use super::POSTGRES_SCHEMA;

/// Nobody in particular: the server refuses to run for whoever may do anything.
const NOBODY: u32 = 65_534;

pub struct Server {
    folder: PathBuf,
    programs: PathBuf,
    pub port: u16,
    databases: AtomicU32,
    /// Databases are copied from one that nobody may use meanwhile.
    copying: Mutex<()>,
    /// Ends the server when this process ends, however it does: it waits for the end of its input.
    watch: Child,
}

impl Server {
    /// Starts one, with TLS where `openssl` can make certificates for it.
    pub fn start() -> Option<Self> {
        let Some(programs) = programs() else {
            println!(
                "skipped: no PostgreSQL server is installed (initdb is neither in the PATH nor in /usr/lib/postgresql)"
            );
            return None;
        };
        // Short: the path of a socket has at most a hundred letters.
        let folder = tempfile::Builder::new().prefix("pg").tempdir_in("/tmp").unwrap().keep();
        std::fs::set_permissions(&folder, std::fs::Permissions::from_mode(0o755)).unwrap();
        if is_root() {
            std::os::unix::fs::chown(&folder, Some(NOBODY), Some(NOBODY)).unwrap();
        }
        let stop = format!(
            "cat >/dev/null; '{0}/pg_ctl' -D '{1}/data' -m immediate stop >/dev/null 2>&1; rm -rf '{1}'",
            programs.display(),
            folder.display()
        );
        let mut watch = Command::new("sh");
        // In a group of its own: what ends the test by a key does not end the watch.
        watch.args(["-c", &stop]).stdin(Stdio::piped()).process_group(0);
        let watch = as_nobody(&mut watch).current_dir("/tmp").spawn().unwrap();
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let server =
            Self { folder, programs, port, databases: AtomicU32::new(0), copying: Mutex::new(()), watch };
        server.run(
            "initdb",
            &["-D", "data", "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C", "-N"],
        );
        server.set_up();
        server.run("pg_ctl", &["-D", "data", "-l", "log", "-w", "start"]);
        server.sql("postgres", "CREATE DATABASE blank");
        server.sql("blank", POSTGRES_SCHEMA);
        Some(server)
    }

    fn set_up(&self) {
        let tls = if self.certificates() { "on" } else { "off" };
        let settings = format!(
            "port = {}\nlisten_addresses = 'localhost'\nunix_socket_directories = '{}'\nssl = {tls}\n\
             ssl_cert_file = '{1}/server.crt'\nssl_key_file = '{1}/server.key'\nshared_buffers = 32MB\nautovacuum = off\n",
            self.port,
            self.folder.display(),
        );
        let append = |name: &str, text: &str| {
            let mut file = std::fs::OpenOptions::new().append(true).open(self.folder.join(name)).unwrap();
            file.write_all(text.as_bytes()).unwrap();
        };
        append("data/postgresql.conf", &settings);
        // By the socket whoever says so; by the network with a password.
        std::fs::write(
            self.folder.join("data/pg_hba.conf"),
            "local all all trust\nhostnossl all encrypted all reject\nhost all all all scram-sha-256\n",
        )
        .unwrap();
    }

    /// Two authorities, and a certificate for `localhost` that the first of them signed. Says whether there is `openssl` for it.
    fn certificates(&self) -> bool {
        let script = "for ca in right wrong; do openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes \
             -keyout $ca.key -out $ca.crt -days 2 -subj /CN=$ca -addext basicConstraints=critical,CA:TRUE || exit 1; done; \
             openssl req -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -keyout server.key -out server.csr \
             -subj /CN=localhost && printf 'subjectAltName=DNS:localhost\\nbasicConstraints=CA:FALSE\\n' >server.ext && \
             openssl x509 -req -in server.csr -CA right.crt -CAkey right.key -CAcreateserial -days 2 -extfile server.ext \
             -out server.crt && chmod 600 server.key";
        let made =
            as_nobody(Command::new("sh").args(["-c", script])).current_dir(&self.folder).output().unwrap();
        made.status.success()
    }

    /// The certificate of an authority, `right` or `wrong`; none where there is no `openssl`.
    #[allow(dead_code, reason = "one of the two tests that take this file in does not ask")]
    pub fn authority(&self, name: &str) -> Option<PathBuf> {
        Some(self.folder.join(format!("{name}.crt"))).filter(|path| path.exists())
    }

    /// The folder of the server's files.
    #[allow(dead_code, reason = "one of the two tests that take this file in does not ask")]
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// The address of a new database with the tables of a ledger, for the superuser.
    pub fn ledger(&self) -> PathBuf {
        let name = format!("ledger{}", self.databases.fetch_add(1, Ordering::SeqCst));
        let _alone = self.copying.lock().unwrap();
        self.sql("postgres", &format!("CREATE DATABASE {name} TEMPLATE blank"));
        self.address("postgres", &name)
    }

    /// The address of a database by the server's socket.
    pub fn address(&self, user: &str, database: &str) -> PathBuf {
        let socket = self.folder.display().to_string().replace('/', "%2F");
        format!("postgresql://{user}@{socket}:{}/{database}", self.port).into()
    }

    /// Runs statements in a database as the superuser.
    pub fn sql(&self, database: &str, statements: &str) {
        self.connect(database).batch_execute(statements).unwrap();
    }

    pub fn connect(&self, database: &str) -> postgres::Client {
        postgres::Config::new()
            .host_path(&self.folder)
            .port(self.port)
            .user("postgres")
            .dbname(database)
            .connect(postgres::NoTls)
            .unwrap()
    }

    /// Runs a program of the server's in its folder.
    pub fn run(&self, program: &str, arguments: &[&str]) {
        let mut command = Command::new(self.programs.join(program));
        // What a server that is started writes goes to its log; it must not hold this process's pipes open.
        let command = as_nobody(command.args(arguments)).current_dir(&self.folder).stdin(Stdio::null());
        let said = self.folder.join(format!("{program}.said"));
        let file = std::fs::File::create(&said).unwrap();
        let ended = command.stdout(file.try_clone().unwrap()).stderr(file).status().unwrap();
        let said = std::fs::read_to_string(&said).unwrap();
        let log = std::fs::read_to_string(self.folder.join("log")).unwrap_or_default();
        assert!(ended.success(), "{program}: {said}\n{log}");
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.watch.stdin.take());
        let _ = self.watch.wait();
    }
}

fn is_root() -> bool {
    let Output { stdout, .. } = Command::new("id").arg("-u").output().unwrap();
    stdout == b"0\n"
}

fn as_nobody(command: &mut Command) -> &mut Command {
    if is_root() {
        command.uid(NOBODY).gid(NOBODY);
    }
    command
}

/// The folder of the newest server's programs.
fn programs() -> Option<PathBuf> {
    let paths = std::env::var_os("PATH").unwrap_or_default();
    let mut folders: Vec<PathBuf> = std::env::split_paths(&paths).collect();
    let versions = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let mut versions: Vec<(u32, PathBuf)> = versions
        .filter_map(|version| Some((version.file_name().to_str()?.parse().ok()?, version.path().join("bin"))))
        .collect();
    versions.sort();
    folders.extend(versions.into_iter().rev().map(|(_, folder)| folder));
    folders.into_iter().find(|folder| folder.join("initdb").is_file() && folder.join("pg_ctl").is_file())
}
