//! A `PostgreSQL` database: how to get in, what may be said of its errors, and rows of queries, all as they stood at one moment.
//!
//! The one module that uses a network, and only in a build with the feature `postgres`.

mod login;
mod moment;
mod query;
mod saying;

pub(crate) use login::Login;
pub(crate) use moment::Moment;
pub(crate) use query::Query;
pub(crate) use saying::said;
