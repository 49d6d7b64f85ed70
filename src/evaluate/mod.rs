//! How well a model would have done: trained on earlier dates, tested on later ones, with an interval on
//! every figure and simple rules beside it.
//!
//! ```text
//! Candidate + Dataset ─Backtest::run→ Backtest { BacktestReport, scored test cases }
//! ```

mod backtest;
mod bands;
pub mod calibration;
mod cases;
mod comparison;
mod cross_fit;
mod figure;
mod known;
mod lengths;
mod paired;
pub(crate) mod performance;
mod plan;
pub(crate) mod ranking;
mod recalibration;
mod rules;

pub use crate::stats::{Bootstrap, Estimate, Interval};
pub use backtest::{Backtest, BacktestReport, SplitReport, TermReport};
pub use bands::{Band, BandRule};
pub use cases::Cases;
pub use comparison::{BarReport, ChoiceRule, Entrant, ModelComparison, SuccessBar};
pub use cross_fit::FamilyRule;
pub(crate) use cross_fit::{CrossFit, Part};
pub use figure::Figure;
pub use known::{KnownKind, KnownReport, KnownShares, NotKnownFigures};
pub use lengths::ListLength;
pub use paired::{PairedChange, PairedTest};
pub use performance::{Performance, Tie};
pub use plan::{BacktestPlan, Capacity, Split};
pub use ranking::{auc, average_precision};
pub use recalibration::RecalibrationReport;
pub(crate) use rules::{NeedsOnRecord, needs};
pub use rules::{RuleReport, SimpleRule};
