//! All integration tests, in one binary: one link for all of them.

mod additivity;
mod command;
mod dependencies;
mod determinism;
mod examples;
mod features_reference;
mod intake;
mod invariants;
mod layers;
mod leakage;
mod linfa_cross_check;
mod oulad;
mod synthetic_council;
mod world;
