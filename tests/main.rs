//! All integration tests, in one binary: one link for all of them.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test says what went wrong by panicking"
)]

mod abstention;
mod accountability;
mod additivity;
mod categories;
mod changes;
mod check_page;
mod claims;
mod command;
mod counter_evidence;
mod decisions;
mod dependencies;
mod determinism;
mod door;
mod drafting;
mod editing;
mod embedding;
mod every_command;
mod exact;
mod examples;
mod features_reference;
mod files;
mod forged;
mod forms;
mod fuzz;
mod identities;
mod intake;
mod invariants;
mod known_to;
mod layers;
mod leakage;
mod ledger;
mod ledger_crash;
mod ledger_faults;
mod ledger_machine;
mod ledger_proof;
mod limits;
mod linfa_cross_check;
mod lists;
mod mess;
mod mitigation;
mod model_page;
mod models;
mod month_two;
mod mutilated;
mod never_silent;
mod oulad;
mod outputs;
mod own_day;
mod readability;
mod schema;
mod serve;
mod shares;
mod simulation;
mod snapshots;
mod sources;
mod sql;
mod store;
mod study_data;
mod synthetic_council;
mod trainers;
mod twins;
mod workbooks;
mod world;
