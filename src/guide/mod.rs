//! The guide: what the parts are, how to use them well, and what not to use them for.
//!
//! | page | says | read it if you |
//! |---|---|---|
//! | [`concepts`] | the nouns in the order of the flow; how a score is made; what a band is | are new to the crate |
//! | [`point_in_time`] | how the future is kept out of features; how to spot leakage | map sources, or audit a model |
//! | [`linking`] | how ids of several systems, merged ids and Splink's output become people; pseudonyms | bring extracts of several services together |
//! | [`project_file`] | every table and key of `project.toml` | write a project |
//! | [`check`] | how to look at extracts before anything is made of them; what the page shows and withholds | bring in extracts, or mend them |
//! | [`defaults`] | every default and its reason | audit a model, or wonder why |
//! | [`governance`] | what is recorded where; sign-off; what a council has to do itself | sign for a model, or answer for its use |
//! | [`accountability`] | audit, ledger, replay, corrections, papers, monitoring | audit a system, or have to answer for one |
//! | [`outputs`] | how files are written: whole, for their owner alone, never over an input | run the command, or keep what it writes |
//! | [`running`] | where features and scores are computed: one machine, a database, an engine over many | plan an overnight job, or outgrow a machine |
//! | [`deploying`] | what there is to install, what it touches, a month's run, updates and the end | install programs in a council |
//! | [`embedding`] | the roads into another program: Rust, a process, files, SQL; what each costs and guarantees, and what that program has to do itself | write case-management software, or run its nights |
//! | [`misuse`] | what the crate resists, and what it cannot | read or use a list |
//! | [`security`] | who might do harm, what resists (with the test that attacks it), and what does not | answer for where it runs |
//! | [`design`] | why the crate is cut as it is; the invariants | change the crate, or review it |

#[doc = include_str!("concepts.md")]
pub mod concepts {}

#[doc = include_str!("point_in_time.md")]
pub mod point_in_time {}

#[doc = include_str!("linking.md")]
pub mod linking {}

#[doc = include_str!("project_file.md")]
pub mod project_file {}

#[doc = include_str!("check.md")]
pub mod check {}

#[doc = include_str!("defaults.md")]
pub mod defaults {}

#[doc = include_str!("governance.md")]
pub mod governance {}

#[doc = include_str!("accountability.md")]
pub mod accountability {}

#[doc = include_str!("outputs.md")]
pub mod outputs {}

#[doc = include_str!("running.md")]
pub mod running {}

#[doc = include_str!("deploying.md")]
pub mod deploying {}

#[doc = include_str!("embedding.md")]
pub mod embedding {}

#[doc = include_str!("misuse.md")]
pub mod misuse {}

#[doc = include_str!("security.md")]
pub mod security {}

#[doc = include_str!("design.md")]
pub mod design {}

#[cfg(test)]
mod tests;
