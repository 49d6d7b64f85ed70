//! How well a model would have done: trained on earlier dates, tested on later ones, with an interval on
//! every figure and simple rules beside it.
//!
//! ```text
//! Candidate + Dataset ─Backtest::run→ Backtest { BacktestReport, scored test cases }
//! ```

mod backtest;
pub mod calibration;
pub mod interval;
pub mod performance;
pub mod ranking;
mod rules;

pub use backtest::{
    Backtest, BacktestPlan, BacktestReport, Band, Capacity, FamilyRule, Split, SplitReport, TestCase,
};
pub use interval::{Bootstrap, Estimate, Interval};
pub use performance::{Performance, TestRows};
pub use rules::{RuleReport, SimpleRule};
