//! The list that people read, and what they decide.
//!
//! ```text
//! Scores ─ReviewList::draw→ ReviewList ─open(Reviewer)→ OpenCase ─decide→ Decision
//! ```
//!
//! A list is cut at what a team can look at. A case is opened by a named person, one at a time; a
//! [`Decision`] can only come from an open case, with a reason. There is no way to decide without
//! opening, and none to decide several cases at once.

mod areas;
mod decision;
mod earlier;
mod file;
mod judgement;
mod list;
mod listed;
mod listing;
mod picture;
mod rules;
mod since;

pub use areas::{Area, AreaView};
pub(crate) use decision::LookedAt;
pub use decision::{Decision, OpenCase};
pub use earlier::EarlierList;
pub(crate) use earlier::{EarlierCase, EarlierPart, EarlierPlace};
pub use file::{DecisionFile, SubmittedDecision};
pub use judgement::{Agreement, Reviewer, Step};
pub use list::{ListParams, RandomSample, ReviewList, SharesUsed, Witness};
pub use listed::{ListedCase, WhyListed};
pub use listing::Among;
pub(crate) use listing::{leads, leads_by_needs, length};
pub use picture::{Course, TermPicture};
pub use rules::{ReasonCode, ReviewRules};
pub use since::{ChangedReason, Fallen, Left, PastDecision, Since, Stayed, WhyLeft};
