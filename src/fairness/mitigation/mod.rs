//! What can be done about a disparity, off by default and recorded when used.
//!
//! Two measures, each with a reason and a name behind it, and each with its figures before and after
//! ([`MitigationReport`]):
//!
//! - [`reweigh`]: in training, cases count as if group and outcome were independent;
//! - [`CapacityShares`]: on a list, each group has a share of the places, and the highest scores within the
//!   group fill them.
//!
//! # Before using either
//! Both treat people differently by a protected characteristic. Under the Equality Act 2010 that can be
//! unlawful direct discrimination even where it is meant well; positive action (sections 158 and 159) has
//! conditions of its own. **Take legal advice first.** That is why a reason and the name of who approved it are
//! needed, stand in the model file or in the list, and are shown to whoever reads them. A fault of the data is
//! better mended at its source (over-recording, a system that was not extracted) than evened out here.

mod cross_fit;
mod paired;
mod report;
mod reweigh;
mod selections;
mod shares;
mod table;
mod trial;

pub use self::report::{BeforeAfter, GroupChange, MitigationReport, RateChange, RateChanges, Used};
pub use self::reweigh::reweigh;
pub use self::selections::SelectionsCompared;
pub use self::shares::{CapacityShares, ShareRule};
pub use self::trial::MitigationTrial;
