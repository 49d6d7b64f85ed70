//! A council, a simulation of it, and the same lists drawn one by one.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use earlyhelp::calendar::{AsOf, Horizon};
use earlyhelp::dataset::Dataset;
use earlyhelp::evaluate::{Capacity, Estimate};
use earlyhelp::fairness::CapacityShares;
use earlyhelp::known_to::IsKnown;
use earlyhelp::model::Trainer;
use earlyhelp::outcome::{FollowUp, Label, OutcomeSpec};
use earlyhelp::project::{AtCapacity, Project, Simulation, SimulationParams};
use earlyhelp::records::Records;
use earlyhelp::review::{ListParams, ReviewList};
use earlyhelp::scoring::{Request, Scorer, SignOff};
use earlyhelp::stats::Z;
use earlyhelp::synthetic::{CouncilParams, Format};

pub fn date(text: &str) -> AsOf {
    text.parse().unwrap()
}

/// A council whose model was trained on what followed until April 2023, and whose extracts end with March 2025.
pub struct Town {
    pub folder: tempfile::TempDir,
    pub project: Project,
    pub records: Records,
    pub scorer: Scorer,
    pub unreleased: String,
    /// The project file.
    pub text: String,
}

pub static TOWN: LazyLock<Town> = LazyLock::new(|| {
    let folder = tempfile::tempdir().unwrap();
    let path = CouncilParams::new(3_000, 8).generate().unwrap().write(folder.path(), Format::Csv).unwrap();
    let text = std::fs::read_to_string(path).unwrap();
    let dates = text.lines().find(|line| line.starts_with("as_of = ")).unwrap();
    let text = text.replace(dates, "as_of = [\"2021-04-01\", \"2022-04-01\"]\nresamples = 99");
    let project = Project::from_toml(&text, folder.path()).unwrap();
    let records = project.records().unwrap();
    let trainer = Trainer::by_name("logistic").unwrap();
    let model = project.train(&records, &project.protected().unwrap(), &trainer).unwrap();
    let unreleased = model.to_json().unwrap();
    let sign_off = SignOff {
        by: "A. Manager".into(),
        role: "Head of Early Help".into(),
        purpose: project.purpose.clone(),
        signed_on: "2025-04-01".parse().unwrap(),
        review_by: "2026-04-01".parse().unwrap(),
    };
    Town { folder, text, scorer: model.release(sign_off).unwrap(), project, records, unreleased }
});

pub fn params(from: &str, to: &str) -> SimulationParams {
    SimulationParams { every: Horizon::Months(3), ..SimulationParams::new(date(from), date(to)) }
}

/// Three lists seen in training, then some of which it is known what followed, then open ones.
pub fn asked() -> SimulationParams {
    params("2022-10-01", "2024-10-01").capacities([Capacity::Cases(20)])
}

pub static FOUND: LazyLock<Simulation> = LazyLock::new(|| {
    let town = &*TOWN;
    town.project.simulate(&town.records, &town.scorer, &asked()).unwrap()
});

/// A list drawn as `score` draws it, and all that is known of its cohort.
pub struct ByHand {
    pub as_of: AsOf,
    /// By place: the case that leads it, and everybody it shows.
    pub places: Vec<(String, BTreeSet<String>)>,
    pub known: Vec<IsKnown>,
    /// What followed for each case of the cohort; `None` where that is not known of the date.
    pub labels: Option<BTreeMap<String, Label>>,
    pub families: BTreeMap<String, u32>,
    pub cohort: usize,
    pub not_scored: usize,
}

pub fn by_hand(as_of: AsOf, params: ListParams) -> ByHand {
    by_hand_with(as_of, params, None)
}

pub fn by_hand_with(as_of: AsOf, params: ListParams, shares: Option<&CapacityShares>) -> ByHand {
    let Town { project, records, scorer, .. } = &*TOWN;
    let cohort = project.cohort(records, as_of).unwrap();
    let mut request = Request::new("B. Lead", &project.purpose, "2025-04-01".parse().unwrap());
    let changed = scorer.candidate().changed_sources(cohort.snapshot());
    for source in changed.iter().map(|change| &change.source).collect::<BTreeSet<_>>() {
        request = request.accepting(source, "B. Lead", "a test");
    }
    let scores = scorer.score(&cohort, &request).unwrap().known_to(&project.known_to).unwrap();
    let list = match shares {
        None => ReviewList::draw(&scores, params).unwrap(),
        Some(shares) => {
            ReviewList::draw_shared(&scores, params, &project.protected().unwrap(), shares).unwrap()
        }
    };
    let places = list.entries().iter().map(|entry| {
        let shown = std::iter::once(entry.case()).chain(entry.beside());
        (entry.case().entity().to_owned(), shown.map(|case| case.entity().to_owned()).collect())
    });
    let labels = project.outcome.labels(&cohort).ok();
    // A horizon of a day leaves nobody out, so that everybody's family is told.
    let soon =
        OutcomeSpec { horizon: Horizon::Days(1), follow_up: FollowUp::default(), ..project.outcome.clone() };
    let data = Dataset::build(&project.features().unwrap(), &soon, std::slice::from_ref(&cohort)).unwrap();
    ByHand {
        as_of,
        places: places.collect(),
        known: list.entries().iter().filter_map(|entry| entry.case().is_known()).collect(),
        labels: labels.map(|labels| cohort.ids().map(str::to_owned).zip(labels).collect()),
        families: data.ids().map(str::to_owned).zip(data.families().iter().copied()).collect(),
        cohort: cohort.len(),
        not_scored: scores.not_scored().len(),
    }
}

pub fn all_by_hand(capacity: u32) -> Vec<ByHand> {
    let params = ListParams::new(Capacity::Cases(capacity)).one_per(TOWN.project.list.one_per);
    asked().dates().unwrap().into_iter().map(|date| by_hand(date, params)).collect()
}

/// Whether something is so of a row, and the row's family.
pub type Answer = (bool, u32);

/// A share of rows in families, with the interval that its families are worth (Korn and Graubard 1998), by loops.
pub fn share(rows: &[Answer]) -> (f64, f64, f64) {
    let n = rows.len() as f64;
    let value = rows.iter().filter(|(is, _)| *is).count() as f64 / n;
    let residual = |is: bool| if is { 1.0 - value } else { -value };
    let families: BTreeSet<u32> = rows.iter().map(|(_, family)| *family).collect();
    let count = families.len() as f64;
    let between: f64 = families
        .iter()
        .map(|family| {
            let of = rows.iter().filter(|(_, of)| of == family);
            of.map(|(is, _)| residual(*is)).sum::<f64>().powi(2)
        })
        .sum();
    let alone: f64 = rows.iter().map(|(is, _)| residual(*is).powi(2)).sum();
    let effect = (between * count / (count - 1.0)) / (alone * n / (n - 1.0));
    let worth = n / effect.clamp(1.0, n);
    let centre = (value * worth + Z * Z / 2.0) / (worth + Z * Z);
    let half = Z / (worth + Z * Z) * (worth * value * (1.0 - value) + Z * Z / 4.0).sqrt();
    (value, centre - half, centre + half)
}

pub fn is_close(found: Option<Estimate>, rows: &[Answer]) {
    let found = found.unwrap();
    let (value, low, high) = share(rows);
    assert_eq!(found.n, rows.len() as u64);
    for (a, b) in [(found.value, value), (found.interval.low, low), (found.interval.high, high)] {
        assert!((a - b).abs() < 1e-12, "{found:?}: {value} ({low} to {high})");
    }
}

/// Places with whether each was right, and cases with the outcome with whether each led a place.
pub fn followed(list: &ByHand) -> (Vec<Answer>, Vec<Answer>) {
    let labels = list.labels.as_ref().unwrap();
    let leads: BTreeSet<&str> = list.places.iter().map(|(lead, _)| lead.as_str()).collect();
    let judged = list.places.iter().filter_map(|(lead, _)| {
        let right = labels[lead].outcome()?;
        Some((right, list.families[lead]))
    });
    let with = labels.iter().filter(|(_, label)| **label == Label::Positive);
    (judged.collect(), with.map(|(id, _)| (leads.contains(id.as_str()), list.families[id])).collect())
}

pub fn at(cases: u32) -> &'static AtCapacity {
    FOUND.capacities.iter().find(|at| at.capacity == Capacity::Cases(cases)).unwrap()
}
