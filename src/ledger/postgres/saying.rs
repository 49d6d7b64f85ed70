//! What may be passed on of an error.

use postgres::error::SqlState;

use crate::ledger::store::PATIENCE;

/// What went wrong, without a value of an entry and without who connects.
pub(super) fn said(error: &postgres::Error) -> String {
    match (error.as_db_error(), error.code()) {
        (_, Some(&SqlState::LOCK_NOT_AVAILABLE)) => {
            let seconds = PATIENCE.as_secs();
            format!("another program has held it for {seconds} seconds; end that one, and run the same again")
        }
        // What a trigger of the ledger says.
        (Some(server), Some(code)) if code.code().starts_with("P0") => server.message().to_owned(),
        _ => crate::database::said(error),
    }
}
