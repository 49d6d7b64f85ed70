//! Where a `PostgreSQL` database is and how to get in: its address, and what the environment adds.
//!
//! Of what other clients of `PostgreSQL` go by this knows a part. What it does not know and what would ask for more safety, or
//! lead elsewhere, is refused; nothing is silently taken for something weaker.

use std::path::{Path, PathBuf};
use std::time::Duration;

use postgres::config::SslMode;
use postgres::{CancelToken, Client, Config, NoTls};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use rustls::{ClientConfig, RootCertStore};
use tokio_postgres_rustls::MakeRustlsConnect;

/// Variables that ask for something this does not do.
const NOT_FOLLOWED: [&str; 17] = [
    "PGSERVICE",
    "PGHOSTADDR",
    "PGOPTIONS",
    "PGREQUIRESSL",
    "PGREQUIREAUTH",
    "PGREQUIREPEER",
    "PGCHANNELBINDING",
    "PGGSSENCMODE",
    "PGKRBSRVNAME",
    "PGSSLCERT",
    "PGSSLKEY",
    "PGSSLCERTMODE",
    "PGSSLCRL",
    "PGSSLCRLDIR",
    "PGSSLMINPROTOCOLVERSION",
    "PGSSLMAXPROTOCOLVERSION",
    "PGTARGETSESSIONATTRS",
];

/// Seconds that a server may take to answer, where nobody says otherwise.
const ANSWER: u64 = 10;
/// Seconds of silence after which the server is asked whether it is still there: a query may take an hour, and a firewall forgets
/// a connection on which nothing moves.
const SILENCE: u64 = 60;

/// Where to connect, as whom, and whom to believe.
pub(crate) struct Login {
    config: Config,
    tls: Option<MakeRustlsConnect>,
    /// The address as it may be shown: server and database, and nothing of who connects.
    pub(crate) shown: PathBuf,
}

/// What a process is told by its environment.
struct Environment<'a> {
    variable: &'a dyn Fn(&str) -> Option<String>,
    home: Option<PathBuf>,
}

impl Environment<'_> {
    /// A variable that is set to something.
    fn get(&self, name: &str) -> Option<String> {
        (self.variable)(name).filter(|value| !value.is_empty())
    }

    fn in_home(&self, path: &str) -> Option<PathBuf> {
        self.home.as_ref().map(|home| home.join(path))
    }
}

/// The parts of an address.
#[derive(Default)]
struct Address {
    host: Option<String>,
    port: Option<String>,
    user: Option<String>,
    database: Option<String>,
    mode: Option<String>,
    roots: Option<String>,
    timeout: Option<String>,
}

impl Login {
    /// Reads an address, and what this process's environment says of what it leaves out; or says why the address cannot be used.
    pub(crate) fn of(address: &str) -> Result<Self, String> {
        // A variable that is no text gives a login that fails, never one that is less safe.
        let variable = |name: &str| std::env::var_os(name).map(|value| value.to_string_lossy().into_owned());
        Self::read(address, &Environment { variable: &variable, home: std::env::home_dir() })
    }

    // What is wrong is said without the address: nobody knows yet what stands in it.
    fn read(address: &str, environment: &Environment<'_>) -> Result<Self, String> {
        if let Some(name) = NOT_FOLLOWED.iter().find(|name| environment.get(name).is_some()) {
            return Err(format!("the variable {name} is set, and is not followed here; unset it"));
        }
        let address = Address::parse(address)?;
        let or = |given: Option<String>, name: &str| given.or_else(|| environment.get(name));
        let host = or(address.host, "PGHOST").unwrap_or_else(default_host);
        if host.contains(',') {
            return Err("it names several servers; name one".into());
        }
        let port: u16 = match or(address.port, "PGPORT") {
            None => 5432,
            Some(port) => {
                port.parse().ok().filter(|&port| port > 0).ok_or("its port is not a number up to 65535")?
            }
        };
        let database = or(address.database, "PGDATABASE")
            .ok_or("it names no database; write it as postgresql://HOST/DATABASE, or set PGDATABASE")?;
        let user = or(address.user, "PGUSER")
            .or_else(|| ["USER", "LOGNAME", "USERNAME"].iter().find_map(|name| environment.get(name)))
            .ok_or("nobody says who connects; set PGUSER")?;
        let seconds: u64 = match or(address.timeout, "PGCONNECT_TIMEOUT") {
            None => ANSWER,
            Some(seconds) => {
                seconds.parse().map_err(|_| "the time to wait for it is no number of seconds")?
            }
        };
        let is_local = host.starts_with('/');
        let mode = or(address.mode, "PGSSLMODE");
        let tls = match mode.as_deref() {
            // What goes over a socket does not leave the machine.
            None | Some("disable" | "verify-full") if is_local => None,
            Some("disable") => None,
            None | Some("verify-full") => {
                let roots = or(address.roots, "PGSSLROOTCERT").map(PathBuf::from);
                let roots = roots.or_else(|| environment.in_home(".postgresql/root.crt"));
                Some(believing(roots.as_deref())?)
            }
            Some(_) => {
                return Err(
                    "its sslmode is not one of verify-full (which it is where nothing is said) and disable: \
                            the others would go on with a server that nobody vouches for, or without TLS"
                        .into(),
                );
            }
        };
        let password = match environment.get("PGPASSWORD") {
            Some(password) => Some(password),
            None => password_from_file(environment, [&host, &port.to_string(), &database, &user])?,
        };
        let mut config = Config::new();
        config
            .host(&host)
            .port(port)
            .dbname(&database)
            .user(&user)
            .application_name("earlyhelp")
            .connect_timeout(Duration::from_secs(seconds.clamp(1, 3_600)))
            // A server that went away without a word.
            .tcp_user_timeout(Duration::from_secs(30))
            .keepalives_idle(Duration::from_secs(SILENCE))
            .ssl_mode(if tls.is_some() { SslMode::Require } else { SslMode::Disable });
        if let Some(password) = password {
            config.password(password);
        }
        let server = if is_local { "localhost" } else { &host };
        let server = if server.contains(':') { format!("[{server}]") } else { encoded(server) };
        let shown = format!("postgresql://{server}:{port}/{}", encoded(&database)).into();
        Ok(Self { config, tls, shown })
    }

    /// Connects. What the server remarks on the way goes to `remarked`.
    pub(crate) fn connect(
        &self,
        remarked: impl Fn(&postgres::error::DbError) + Send + Sync + 'static,
    ) -> Result<Client, postgres::Error> {
        let mut config = self.config.clone();
        config.notice_callback(move |remark| remarked(&remark));
        match &self.tls {
            None => config.connect(NoTls),
            Some(tls) => config.connect(tls.clone()),
        }
    }

    /// Asks the server to end what a connection is doing. That it cannot be asked does no harm: it ends by itself.
    pub(crate) fn cancel(&self, doing: &CancelToken) {
        let _ = match &self.tls {
            None => doing.cancel_query(NoTls),
            Some(tls) => doing.cancel_query(tls.clone()),
        };
    }
}

impl Address {
    fn parse(address: &str) -> Result<Self, String> {
        let rest =
            address.split_once("://").map(|(_, rest)| rest).ok_or("it does not begin with postgresql://")?;
        let (place, options) = rest.split_once('?').unwrap_or((rest, ""));
        let (authority, database) = place.split_once('/').unwrap_or((place, ""));
        let (user, server) = authority.rsplit_once('@').unwrap_or(("", authority));
        // The colons of an IPv6 address stand in brackets.
        let (host, port) = match server.strip_prefix('[').and_then(|server| server.split_once(']')) {
            Some((host, port)) => (host, port.strip_prefix(':').unwrap_or(port)),
            None => server.rsplit_once(':').unwrap_or((server, "")),
        };
        let mut parts = Self {
            host: part(host)?,
            port: part(port)?,
            user: part(user)?,
            database: part(database)?,
            ..Self::default()
        };
        for option in options.split('&').filter(|option| !option.is_empty()) {
            let (name, value) = option.split_once('=').unwrap_or((option, ""));
            let place = match name {
                "host" => &mut parts.host,
                "port" => &mut parts.port,
                "user" => &mut parts.user,
                "dbname" => &mut parts.database,
                "sslmode" => &mut parts.mode,
                "sslrootcert" => &mut parts.roots,
                "connect_timeout" => &mut parts.timeout,
                _ => {
                    return Err("behind its ? may stand host, port, user, dbname, sslmode, sslrootcert and \
                                connect_timeout, and nothing else"
                        .into());
                }
            };
            *place = part(value)?;
        }
        Ok(parts)
    }
}

/// A part of an address, its %XX read; `None` where it is empty.
fn part(text: &str) -> Result<Option<String>, String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, behind @ ..] = rest {
        if *first == b'%' {
            let byte = behind.get(..2).and_then(|two| hex::decode(two).ok());
            bytes.extend(byte.ok_or("a % in it is not followed by two hexadecimal digits")?);
            rest = &behind[2..];
        } else {
            bytes.push(*first);
            rest = behind;
        }
    }
    let text = String::from_utf8(bytes).map_err(|_| "it holds bytes that are no UTF-8")?;
    // The protocol ends texts by it.
    if text.contains('\0') {
        return Err("it holds a zero byte".into());
    }
    Ok(Some(text).filter(|text| !text.is_empty()))
}

/// As it may stand in an address.
fn encoded(text: &str) -> String {
    let mut shown = String::new();
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            shown.push(char::from(byte));
        } else {
            shown.push_str(&format!("%{byte:02X}"));
        }
    }
    shown
}

/// Where Debian's packages put the socket; elsewhere this machine's own name.
fn default_host() -> String {
    const SOCKETS: &str = "/var/run/postgresql";
    if cfg!(unix) && Path::new(SOCKETS).is_dir() { SOCKETS.to_owned() } else { "localhost".to_owned() }
}

/// TLS with a server whose certificate one of these authorities signed for its name.
fn believing(roots: Option<&Path>) -> Result<MakeRustlsConnect, String> {
    let roots = roots.filter(|roots| roots.exists()).ok_or(
        "it is not known whose certificates to believe; name the file of the server's authority in PGSSLROOTCERT, put it at \
         ~/.postgresql/root.crt, or say sslmode=disable where the network itself is trusted",
    )?;
    let cannot = |why: String| format!("the certificates of {} cannot be used: {why}", roots.display());
    let mut store = RootCertStore::empty();
    for certificate in CertificateDer::pem_file_iter(roots).map_err(|error| cannot(error.to_string()))? {
        let certificate = certificate.map_err(|error| cannot(error.to_string()))?;
        store.add(certificate).map_err(|error| cannot(error.to_string()))?;
    }
    if store.is_empty() {
        return Err(cannot("there is none in it".into()));
    }
    let config = ClientConfig::builder_with_provider(rustls::crypto::ring::default_provider().into())
        .with_safe_default_protocol_versions()
        .map_err(|error| cannot(error.to_string()))?
        .with_root_certificates(store)
        .with_no_client_auth();
    Ok(MakeRustlsConnect::new(config))
}

/// The password of the first line that is about this host, port, database and user.
fn password_from_file(environment: &Environment<'_>, about: [&str; 4]) -> Result<Option<String>, String> {
    let named = environment.get("PGPASSFILE").map(PathBuf::from);
    let is_named = named.is_some();
    let Some(path) = named.or_else(|| environment.in_home(".pgpass")) else { return Ok(None) };
    if !is_named && !path.exists() {
        return Ok(None);
    }
    let cannot = |why: &str| format!("the file of passwords {} {why}", path.display());
    let held = std::fs::metadata(&path).map_err(|error| cannot(&format!("cannot be read: {error}")))?;
    if !held.is_file() {
        return Err(cannot("is no file"));
    }
    #[cfg(unix)]
    if std::os::unix::fs::PermissionsExt::mode(&held.permissions()) & 0o077 != 0 {
        return Err(cannot("can be read by others; take their rights away (chmod 600)"));
    }
    let text = crate::limits::read_text(&path, crate::limits::SETTINGS_BYTES)
        .map_err(|error| cannot(&format!("cannot be read: {error}")))?;
    Ok(password_in(&text, about))
}

fn password_in(text: &str, about: [&str; 4]) -> Option<String> {
    text.lines().filter(|line| !line.starts_with('#')).find_map(|line| {
        let fields = fields(line);
        let [told @ .., password] = &fields[..] else { return None };
        let is_about = |(told, about): (&String, &&str)| {
            told == "*" || told == about || told == "localhost" && about.starts_with('/')
        };
        (told.len() == about.len() && told.iter().zip(&about).all(is_about)).then(|| password.clone())
    })
}

/// What stands between colons; a backslash takes the next sign as it is.
fn fields(line: &str) -> Vec<String> {
    let mut fields = vec![String::new()];
    let mut signs = line.chars();
    while let Some(sign) = signs.next() {
        if sign == ':' && fields.len() < 5 {
            fields.push(String::new());
            continue;
        }
        let sign = if sign == '\\' { signs.next() } else { Some(sign) };
        if let Some(field) = fields.last_mut() {
            field.extend(sign);
        }
    }
    fields
}

#[cfg(test)]
mod tests {
    use super::*;

    fn login(address: &str, variables: &[(&str, &str)]) -> Result<Login, String> {
        let variable = |name: &str| {
            let found = variables.iter().find(|(held, _)| *held == name);
            found.map(|(_, value)| (*value).to_owned()).or_else(|| (name == "USER").then(|| "me".into()))
        };
        Login::read(address, &Environment { variable: &variable, home: None })
    }

    fn parts(login: &Login) -> (String, u16, String, String) {
        let host = match &login.config.get_hosts()[0] {
            postgres::config::Host::Tcp(host) => host.clone(),
            #[cfg(unix)]
            postgres::config::Host::Unix(path) => path.display().to_string(),
        };
        let text = |text: Option<&str>| text.unwrap().to_owned();
        (host, login.config.get_ports()[0], text(login.config.get_user()), text(login.config.get_dbname()))
    }

    #[test]
    fn an_address_comes_before_the_environment_and_is_shown_without_who_connects() {
        let off = ("PGSSLMODE", "disable");
        for (address, variables, expected, shown) in [
            ("postgresql://u@h:1/d", vec![off], ("h", 1, "u", "d"), "postgresql://h:1/d"),
            ("postgres://h/d", vec![off], ("h", 5432, "me", "d"), "postgresql://h:5432/d"),
            (
                "postgresql://u%40x@[::1]:2/a%2Fb",
                vec![off],
                ("::1", 2, "u@x", "a/b"),
                "postgresql://[::1]:2/a%2Fb",
            ),
            (
                "postgresql://",
                vec![off, ("PGHOST", "x"), ("PGPORT", "3"), ("PGUSER", "v"), ("PGDATABASE", "e")],
                ("x", 3, "v", "e"),
                "postgresql://x:3/e",
            ),
            (
                "postgresql://u@h/d?port=4&host=i&user=w&dbname=f",
                vec![off, ("PGUSER", "v")],
                ("i", 4, "w", "f"),
                "postgresql://i:4/f",
            ),
            ("postgresql://u@%2Frun%2Fx:5/d", vec![], ("/run/x", 5, "u", "d"), "postgresql://localhost:5/d"),
            (
                "postgresql:///d?host=/run/x&sslmode=verify-full",
                vec![],
                ("/run/x", 5432, "me", "d"),
                "postgresql://localhost:5432/d",
            ),
        ] {
            let login = login(address, &variables).unwrap();
            let (host, port, user, database) = parts(&login);
            assert_eq!((host.as_str(), port, user.as_str(), database.as_str()), expected, "{address}");
            assert_eq!(login.shown, Path::new(shown));
        }
    }

    #[test]
    fn what_is_not_followed_is_refused_and_said_without_the_address() {
        let off = ("PGSSLMODE", "disable");
        for (address, variables, said) in [
            ("postgresql://h/d?password=secret", vec![off], "connect_timeout"),
            ("postgresql:h/secret", vec![off], "postgresql://"),
            ("postgresql://h/", vec![off], "PGDATABASE"),
            ("postgresql://h:secret/d", vec![off], "port"),
            ("postgresql://h:0/d", vec![off], "port"),
            ("postgresql://a,secret/d", vec![off], "several"),
            ("postgresql://h/d?secret=1", vec![off], "connect_timeout"),
            ("postgresql://h/d%zz", vec![off], "hexadecimal"),
            ("postgresql://h/d%00", vec![off], "zero"),
            ("postgresql://h/d", vec![], "PGSSLROOTCERT"),
            ("postgresql://h/d?sslrootcert=/nowhere/secret", vec![], "PGSSLROOTCERT"),
            ("postgresql://h/d", vec![("PGSSLMODE", "prefer")], "verify-full"),
            ("postgresql://h/d?sslmode=require", vec![off], "verify-full"),
            ("postgresql://h/d?sslmode=verify-ca", vec![], "verify-full"),
            ("postgresql:///d?host=/run/x&sslmode=require", vec![], "verify-full"),
            ("postgresql://h/d", vec![off, ("PGSSLCRL", "secret")], "PGSSLCRL"),
            ("postgresql://h/d", vec![off, ("PGPASSFILE", "/nowhere/at/all")], "passwords"),
        ] {
            let refused = login(address, &variables).err().unwrap_or_else(|| panic!("{address}"));
            assert!(refused.contains(said), "{address}: {refused}");
            assert!(!refused.contains("secret"), "{refused}");
        }
    }

    #[test]
    fn a_password_is_taken_from_the_line_that_is_about_the_login() {
        let text = "# h:5432:d:u:no\nh:5432:other:u:no\nh:*:d:u:a\\:b\\\\c:d\n*:*:*:*:last\nshort:line\n";
        let password = |host| password_in(text, [host, "5432", "d", "u"]);
        assert_eq!(password("h").as_deref(), Some("a:b\\c:d"));
        assert_eq!(password("i").as_deref(), Some("last"));
        let of_socket = password_in("localhost:5432:d:u:p", ["/run/x", "5432", "d", "u"]);
        assert_eq!(of_socket.as_deref(), Some("p"));
        assert_eq!(password_in("h:5432:d:u", ["h", "5432", "d", "u"]), None);
    }

    #[cfg(unix)]
    #[test]
    fn a_file_of_passwords_that_others_can_read_is_refused() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("pass");
        std::fs::write(&path, "*:*:*:*:secret\n").unwrap();
        let named = [("PGSSLMODE", "disable"), ("PGPASSFILE", path.to_str().unwrap())];
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o640)).unwrap();
        let refused = login("postgresql://h/d", &named).err().unwrap();
        assert!(refused.contains("chmod 600") && !refused.contains("secret"), "{refused}");
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
        let login = login("postgresql://h/d", &named).unwrap();
        assert_eq!(login.config.get_password(), Some(&b"secret"[..]));
    }
}
