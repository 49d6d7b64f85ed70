//! Lists by the count of needs, against a count and a draw by loops.

use std::collections::{BTreeMap, BTreeSet};

use super::drawn::{Came, Draw};
use super::*;
use crate::calendar::Day;
use crate::evaluate::Capacity;
use crate::evaluate::ranking::lot;
use crate::features::Cell;
use crate::model::Trainer;
use crate::scoring::{NotScored, Request, SignOff};
use crate::synthetic::{CouncilParams, Format};

#[test]
fn whoever_has_the_most_needs_on_record_comes_first_one_a_household() {
    let folder = std::env::temp_dir().join(format!("earlyhelp-simulation-{}", std::process::id()));
    let council = CouncilParams::new(2_000, 3).generate().unwrap();
    let path = council.write(&folder, Format::Csv).unwrap();
    let text = std::fs::read_to_string(path).unwrap().replacen("[training]", "[training]\nresamples = 99", 1);
    let project = Project::from_toml(&text, &folder).unwrap();
    let records = project.records().unwrap();
    let trainer = Trainer::by_name("logistic").unwrap();
    let today: Day = "2025-04-01".parse().unwrap();
    let sign_off = SignOff {
        by: "a".into(),
        role: "b".into(),
        purpose: project.purpose.clone(),
        signed_on: today,
        review_by: today + 300,
    };
    let model = project.train(&records, &project.protected().unwrap(), &trainer).unwrap();
    let scorer = model.release(sign_off).unwrap();
    let as_of: AsOf = "2024-06-01".parse().unwrap();
    let params = SimulationParams::new(as_of, as_of);
    let lengths = [Capacity::Cases(25), Capacity::Cases(60)];
    let draw = Draw {
        project: &project,
        records: &records,
        scorer: &scorer,
        params: &params,
        lengths: &lengths,
        protected: &Protected::none(Vec::new()),
    };
    let Came::Lists(drawn) = draw.at(as_of).unwrap() else { panic!("lists") };

    // The needs that a feature above zero speaks of, counted by hand.
    let cohort = project.cohort(&records, as_of).unwrap();
    let spec = scorer.candidate().features();
    let matrix = spec.compute(&cohort).unwrap();
    let needs = |row: usize| {
        let features = spec
            .features()
            .iter()
            .enumerate()
            .filter(|(_, feature)| feature.need.is_some() && feature.measure.codes().is_none());
        let shown = features
            .filter(|(column, _)| matches!(matrix.cell(row, *column), Cell::Value(value) if value > 0.0));
        shown.filter_map(|(_, feature)| feature.need.as_deref()).collect::<BTreeSet<_>>().len()
    };
    let request = Request::new("b", &project.purpose, today);
    let scores = scorer.score(&cohort, &request).unwrap();
    let held_back: BTreeSet<&str> = scores.not_scored().iter().map(NotScored::entity).collect();
    let mut rows: Vec<usize> = (0..cohort.len()).filter(|&row| !held_back.contains(cohort.id(row))).collect();
    let seed = as_of.day().epoch_days() as u64;
    rows.sort_by_key(|&row| (std::cmp::Reverse(needs(row)), lot(seed, cohort.id(row))));
    let mut households = BTreeSet::new();
    rows.retain(|&row| cohort.household(row).is_none_or(|household| households.insert(household)));
    let counts: BTreeMap<usize, usize> = rows.iter().fold(BTreeMap::new(), |mut counts, &row| {
        *counts.entry(needs(row)).or_default() += 1;
        counts
    });
    assert!(counts.len() > 3, "counts that differ: {counts:?}");
    for (pair, length) in drawn.lists.iter().zip([25, 60]) {
        let expected: Vec<u32> = rows[..length].iter().map(|&row| row as u32).collect();
        assert_eq!(pair.needs, expected);
        assert_ne!(pair.model, expected);
    }
    std::fs::remove_dir_all(&folder).unwrap();
}
