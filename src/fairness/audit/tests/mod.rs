//! Tests of the whole audit.

mod agreement;
mod areas;
mod by_hand;
mod coverage;
mod few_scores;
mod ordinal;
mod safety;
mod verdicts;

use rand_xoshiro::Xoshiro256PlusPlus;
use rand_xoshiro::rand_core::{Rng, SeedableRng};

use super::*;
use crate::evaluate::Bootstrap;

/// Made-up rows.
struct Made {
    random: Xoshiro256PlusPlus,
}

impl Made {
    fn seeded(seed: u64) -> Self {
        Self { random: Xoshiro256PlusPlus::seed_from_u64(seed) }
    }

    /// Between 0 and 1.
    fn uniform(&mut self) -> f64 {
        ((self.random.next_u64() >> 11) as f64 + 0.5) / 9_007_199_254_740_992.0
    }

    /// Box and Muller's way.
    fn normal(&mut self) -> f64 {
        let radius = (-2.0 * self.uniform().ln()).sqrt();
        radius * (std::f64::consts::TAU * self.uniform()).cos()
    }
}

fn params(operating: OperatingPoint, minimum: u32, resamples: u32) -> AuditParams {
    AuditParams { minimum, bootstrap: Bootstrap { resamples, seed: 11 }, ..AuditParams::at(operating) }
}

/// The groups of a column, with their names.
fn groups(attribute: &AttributeAudit) -> &[AuditedGroup] {
    match &attribute.finding {
        AttributeFinding::Measured { groups, .. } => groups,
        AttributeFinding::NotMeasurable { why } => panic!("not measurable: {why}"),
    }
}

/// A shown group's figures and comparisons.
fn shown(group: &AuditedGroup) -> Option<(&GroupMeasures, &[Disparity])> {
    match &group.outcome {
        AuditedOutcome::Shown { measures, disparities } => Some((measures, disparities)),
        AuditedOutcome::Suppressed { .. } => None,
    }
}

fn disparity(all: &[Disparity], measure: GroupMeasure, is: impl Fn(&Against) -> bool) -> &Disparity {
    all.iter().find(|found| found.measure == measure && is(&found.against)).unwrap()
}

fn is_largest(against: &Against) -> bool {
    matches!(against, Against::Largest(_))
}

#[track_caller]
fn close(ours: f64, theirs: f64, tolerance: f64) {
    assert!((ours - theirs).abs() <= tolerance, "{ours} is not {theirs}");
}

/// Per group: true negatives, false positives, false negatives, true positives.
fn table(cells: &[(&str, [usize; 4])]) -> ScoreTable {
    let (mut scores, mut outcomes, mut names) = (vec![], vec![], vec![]);
    for (name, counts) in cells {
        for (cell, &count) in counts.iter().enumerate() {
            for _ in 0..count {
                scores.push(if cell % 2 == 1 { 0.75 } else { 0.25 });
                outcomes.push(cell >= 2);
                names.push(Some(*name));
            }
        }
    }
    ScoreTable::new(scores, outcomes).unwrap().group("area", &names).unwrap()
}

fn criteria(audit: &Audit) -> &[CriterionReport] {
    match &audit.attributes[0].finding {
        AttributeFinding::Measured { criteria, .. } => criteria,
        AttributeFinding::NotMeasurable { why } => panic!("not measurable: {why}"),
    }
}

/// What is said of a criterion of the first column.
fn criterion(audit: &Audit, which: Criterion) -> &CriterionReport {
    criteria(audit).iter().find(|report| report.criterion == which).unwrap()
}
