//! What may be passed on of an error.

use std::error::Error as _;
use std::io;

/// What went wrong before any row was looked at: of a server's message only what cannot hold a value, and not who connects. Which
/// message can hold what is known of some classes of errors alone.
pub(crate) fn said(error: &postgres::Error) -> String {
    match code(error) {
        Some(code) if code.starts_with("42") || code.starts_with("3D") => of_server(error),
        _ => said_of_rows(error),
    }
}

/// What went wrong while rows were read, when even a complaint about syntax may be about a value.
pub(crate) fn said_of_rows(error: &postgres::Error) -> String {
    let Some(code) = code(error) else { return of_client(error) };
    match code.get(..2).unwrap_or_default() {
        "28" => format!("the server refuses the login ({code}); look at PGUSER, PGPASSWORD and PGPASSFILE"),
        // Its message says for whom there are too many.
        _ if code == "53300" => format!("the server has too many connections ({code}); try again later"),
        _ if code == "55P03" => {
            "somebody else has locked a table for too long; run the same again later".into()
        }
        // A function's own words may be about anything, whatever code it chose.
        _ if is_raised(error) => format!("a function of the database refuses it ({code})"),
        // A right that is missing, what writes, no room, gone down.
        _ if code == "42501" => of_server(error),
        "08" | "25" | "53" | "55" | "57" => of_server(error),
        _ => format!("the server refuses it ({code})"),
    }
}

/// What went wrong while rows came in, and what to do where it was the connection and not the query.
pub(super) fn said_of_stream(error: &io::Error) -> String {
    let inner = error.get_ref().and_then(|inner| inner.downcast_ref::<postgres::Error>());
    let why = inner.map_or_else(|| error.to_string(), said_of_rows);
    let is_of_query = inner
        .and_then(code)
        .is_some_and(|code| !["08", "53", "57"].iter().any(|class| code.starts_with(class)));
    if is_of_query { why } else { why + "; run the same again" }
}

fn code(error: &postgres::Error) -> Option<&str> {
    error.code().map(postgres::error::SqlState::code)
}

fn is_raised(error: &postgres::Error) -> bool {
    error.as_db_error().and_then(postgres::error::DbError::routine) == Some("exec_stmt_raise")
}

fn of_server(error: &postgres::Error) -> String {
    error.as_db_error().map_or_else(|| of_client(error), |server| server.message().to_owned())
}

fn of_client(error: &postgres::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(why) = cause {
        text = format!("{text}: {why}");
        cause = why.source();
    }
    text
}
