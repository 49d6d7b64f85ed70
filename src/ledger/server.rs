//! Ledgers on a server, as far as every build knows them: what the address of one looks like, and what it may not hold.

use std::path::Path;

/// The SQL that makes a ledger's tables on PostgreSQL, the triggers that guard them, and the roles of those who read, write and
/// purge. `earlyhelp ledger-schema` prints it.
///
/// # Examples
/// ```
/// assert!(earlyhelp::ledger::POSTGRES_SCHEMA.contains("CREATE TABLE earlyhelp.entry"));
/// ```
pub const POSTGRES_SCHEMA: &str = include_str!("postgres/schema.sql");

/// Whether a ledger of this name is in a database on a server, and not in a file.
///
/// # Examples
/// ```
/// use earlyhelp::ledger::is_on_server;
///
/// assert!(is_on_server("postgresql://db.council.example/ledger".as_ref()));
/// assert!(!is_on_server("ledger.sqlite".as_ref()));
/// ```
#[must_use]
pub fn is_on_server(path: &Path) -> bool {
    let path = path.to_string_lossy();
    // Also with other capitals, and with a stroke too few: taken for a file, it would be made, and named in errors.
    let scheme = path.split_once(':').map(|(scheme, _)| scheme.to_ascii_lowercase());
    matches!(scheme.as_deref(), Some("postgresql" | "postgres"))
}

/// Whether an address has a password in it, or might have. Such an address is refused and never shown: other programs of the
/// machine can see what a command was given, and a shell remembers it.
///
/// # Examples
/// ```
/// use earlyhelp::ledger::holds_password;
///
/// assert!(holds_password("postgresql://worker:secret@db.council.example/ledger"));
/// assert!(!holds_password("postgresql://worker@db.council.example/ledger"));
/// ```
#[must_use]
pub fn holds_password(address: &str) -> bool {
    let lower = address.to_ascii_lowercase();
    let after_scheme = match lower.split_once("://") {
        None if is_on_server(address.as_ref()) => lower.split_once(':').map(|(_, rest)| rest),
        rest => rest.map(|(_, rest)| rest),
    };
    // Up to the last @, since a password may hold any sign.
    let in_front = after_scheme
        .and_then(|rest| rest.rsplit_once('@'))
        .is_some_and(|(user, _)| user.contains(':') || user.contains("%3a"));
    in_front || lower.contains("password=")
}

#[cfg(test)]
mod tests {
    use super::{holds_password, is_on_server};

    #[test]
    fn an_address_is_told_from_a_path_and_its_password_from_what_else_it_says() {
        for address in
            ["postgresql://h/d", "postgres://h/d", "PostgreSQL://h/d", "postgres:h", "postgresql:/h/d"]
        {
            assert!(is_on_server(address.as_ref()), "{address}");
        }
        for path in ["ledger.sqlite", "postgres.jsonl", "C:\\ledger.jsonl", "a/postgres:b", "postgresql"] {
            assert!(!is_on_server(path.as_ref()), "{path}");
        }
        for address in [
            "postgresql://u:p@h/d",
            "postgres://u:p/q?@h/d",
            "postgres://:p@h",
            "postgres:u:p@h/d",
            "jdbc:postgresql://u:p@h/d",
            "PostgreSQL://u%3Ap@h/d",
            "postgresql://h/d?user=u&password=p",
            "host=h PassWord=p",
        ] {
            assert!(holds_password(address), "{address}");
        }
        for address in
            ["postgresql://u@h:5432/d", "postgresql://[::1]:5432/d", "C:\\a@b.jsonl", "a:b@c.jsonl"]
        {
            assert!(!holds_password(address), "{address}");
        }
    }
}
