//! Scores from files and frames, for [`ScoreTable`]. Rows are read as those of every extract are
//! ([`Extract`](crate::records::Extract)); what their cells mean to an audit is said here.

mod cell;
mod columns;
mod intake;
mod rows;
#[cfg(test)]
mod tests;

#[cfg(feature = "files")]
use std::path::Path;

#[cfg(feature = "files")]
use polars::prelude::DataFrame;

use self::rows::{Rows, SOURCE};
use super::table::ScoreTable;
use crate::error::ScoresError;
use crate::records::Extract;

pub use self::columns::{ArmColumn, ScoreColumns, ScoreFollowUp};
pub use self::intake::{LoneScore, OutcomeJump, ScoreIntake};

/// Reads a table of scores from a file, as [`ScoreTable::read`] does.
///
/// # Errors
/// Those of [`ScoreTable::read`].
///
/// # Examples
/// ```no_run
/// use std::path::Path;
///
/// use earlyhelp::fairness::audit::{AuditParams, OperatingPoint, ScoreColumns, read_scores};
///
/// let columns = ScoreColumns::new("risk", "excluded").group("sex").group("ethnicity");
/// let (table, intake) = read_scores(Path::new("vendor.csv"), &columns)?;
/// println!("{} of {} rows audited", intake.audited, intake.read);
/// let audit = table.audit(&AuditParams::at(OperatingPoint::Threshold(0.2)))?;
/// # let _ = audit;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[cfg(feature = "files")]
pub fn read_scores(path: &Path, columns: &ScoreColumns) -> Result<(ScoreTable, ScoreIntake), ScoresError> {
    ScoreTable::read(Extract::path(path), columns)
}

impl ScoreTable {
    /// The columns of an extract as a table for an audit, and what became of its rows.
    ///
    /// Scores and weights may be numbers or texts of numbers; outcomes and selections booleans, 0 and 1, or
    /// texts such as `yes` and `false`. A row without a usable score, outcome, selection or weight is not in the
    /// table but in [`ScoreIntake::rejected`]; a row without a group is in the table, in the group "unknown". The audit of
    /// the table also compares who is left out, and whom a ranking chose where there is a random arm:
    /// [`Audit::left_out`](super::Audit::left_out), [`Audit::chosen`](super::Audit::chosen).
    ///
    /// # Errors
    /// [`ScoresError::Columns`] where what is asked for does not go together; [`ScoresError::Read`] where the extract cannot be
    /// read; [`ScoresError::ColumnType`]; [`ScoresError::OneAndTwo`] where an outcome or a selection is coded 1 and 2;
    /// [`ScoresError::MixedPercent`]; [`ScoresError::DateOrder`] where it cannot be told whether the day or the month comes first in the days
    /// of scoring, and [`ReadOptions::dates`](crate::records::ReadOptions::dates) does not say it; [`ScoresError::NoSuchValue`] where no row has a value that is given;
    /// [`ScoresError::NoRow`] where no row can be used; [`ScoresError::TooManyCases`];
    /// [`ScoresError::Table`] where [`ScoreTable`] refuses a column.
    pub fn read(extract: Extract, columns: &ScoreColumns) -> Result<(Self, ScoreIntake), ScoresError> {
        columns.check()?;
        let mut rows = Rows::new(columns, extract.how().dates.as_ref())?;
        let mut files = Vec::new();
        let mut failed = None;
        let wanted = rows.wanted();
        extract.read(SOURCE, (&wanted, &[]), &mut files, &mut |batch| {
            if failed.is_none() {
                failed = rows.take(&batch).err();
            }
            Ok(())
        })?;
        match failed {
            Some(error) => Err(error),
            None => rows.finish(&files),
        }
    }

    /// As [`read`](Self::read), from a frame.
    ///
    /// # Errors
    /// Those of [`read`](Self::read).
    #[cfg(feature = "files")]
    pub fn from_frame(frame: &DataFrame, columns: &ScoreColumns) -> Result<(Self, ScoreIntake), ScoresError> {
        Self::read(Extract::frame(frame.clone()), columns)
    }
}
