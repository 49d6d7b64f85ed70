//! What may be passed on of an error.

use std::error::Error as _;

use crate::ledger::store::PATIENCE;

/// What went wrong, without a value of an entry and without who connects. A server's message can name both; which it does is known
/// of some classes of errors alone.
pub(super) fn said(error: &postgres::Error) -> String {
    let Some(server) = error.as_db_error() else {
        let mut text = error.to_string();
        let mut cause = error.source();
        while let Some(why) = cause {
            text = format!("{text}: {why}");
            cause = why.source();
        }
        return text;
    };
    let code = server.code().code();
    match code.get(..2).unwrap_or_default() {
        "28" => format!("the server refuses the login ({code}); look at PGUSER, PGPASSWORD and PGPASSFILE"),
        _ if code == "55P03" => {
            let seconds = PATIENCE.as_secs();
            format!("another program has held it for {seconds} seconds; end that one, and run the same again")
        }
        // No such database, no such table or right, no room, gone down, or what a trigger says.
        "08" | "25" | "3D" | "42" | "53" | "55" | "57" | "P0" => server.message().to_owned(),
        _ => format!("the server refuses it ({code})"),
    }
}
