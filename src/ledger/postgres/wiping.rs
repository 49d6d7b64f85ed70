//! Clearing the table of contents of rows that were deleted.

use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use postgres::Client;
use postgres::error::{DbError, SqlState};

use super::saying::said;
use crate::ledger::store::PATIENCE;

/// How often the table is rewritten at most. Somebody who just connects has a view for a moment, before the server says of which
/// database it is; that it was in the way is only seen afterwards.
const TRIES: u32 = 5;

/// Rewrites the table without them, once nobody's view of the database is from before. Says why not, where it could not.
pub(super) fn rewrite(
    client: &mut Client,
    kept: &AtomicI64,
    patience: Duration,
) -> Result<Option<String>, postgres::Error> {
    client.batch_execute(&format!("SET lock_timeout = {}", patience.as_millis()))?;
    let mut why = None;
    for _ in 0..TRIES {
        if !outlive(client, patience)? {
            why = Some("a transaction on that server that began before is not over".into());
            break;
        }
        kept.store(-1, Ordering::SeqCst);
        why = match client.batch_execute("VACUUM (FULL, VERBOSE) earlyhelp.content") {
            Ok(()) if kept.load(Ordering::SeqCst) == 0 => None,
            Ok(()) => {
                why = Some("somebody's older view of the database kept it".into());
                continue;
            }
            Err(error) if error.code() == Some(&SqlState::LOCK_NOT_AVAILABLE) => {
                Some("somebody is reading it".into())
            }
            Err(error) => Some(said(&error)),
        };
        break;
    }
    client.batch_execute(&format!("SET lock_timeout = {}", PATIENCE.as_millis()))?;
    Ok(why)
}

/// How many deleted rows a table had to keep that was just rewritten; `None` where a remark of the server is about something else.
pub(super) fn rows_kept(remark: &DbError) -> Option<i64> {
    // The number leads in every language in which it is said.
    let digits = remark.detail()?.trim_start().split(|sign: char| !sign.is_ascii_digit()).next()?;
    digits.parse().ok()
}

/// Waits until nobody's view of the database is from before this moment; false where somebody keeps one for longer.
fn outlive(client: &mut Client, patience: Duration) -> Result<bool, postgres::Error> {
    const PAUSE: Duration = Duration::from_millis(20);
    let now: String =
        client.query_one("SELECT pg_snapshot_xmax(pg_current_snapshot())::text", &[])?.try_get(0)?;
    let mut waited = Duration::ZERO;
    loop {
        // Whoever looks at this database, and whoever writes to any of the server: the rewriting has a view of its own, which goes
        // back to the oldest of those. What vacuums by itself looks at nothing.
        let older: bool = client
            .query_one(
                "SELECT EXISTS (SELECT FROM pg_stat_activity WHERE pid <> pg_backend_pid() \
                 AND coalesce(backend_type, '') <> 'autovacuum worker' \
                 AND (age(backend_xid) > age($1::text::xid8::xid) \
                   OR (datname = current_database() OR datname IS NULL) \
                   AND age(backend_xmin) > age($1::text::xid8::xid)))",
                &[&now],
            )?
            .try_get(0)?;
        if !older || waited >= patience {
            return Ok(!older);
        }
        std::thread::sleep(PAUSE);
        waited += PAUSE;
    }
}
