//! A council with a signal: needs that show in every source and bring plans about; and the whole chain
//! from its records to a review list.

use earlyhelp::calendar::{AsOf, Day, Horizon, Lookback};
use earlyhelp::cohort::{Cohort, CohortSpec};
use earlyhelp::dataset::Dataset;
use earlyhelp::evaluate::{Backtest, BacktestPlan, Bootstrap, Capacity, FamilyRule};
use earlyhelp::fairness::FairnessAudit;
use earlyhelp::fairness::audit::AuditParams;
use earlyhelp::features::{Direction, Feature, FeatureSpec, Measure};
use earlyhelp::model::{Candidate, LogisticParams, SourceDigest, Trainer, TrainingContext};
use earlyhelp::outcome::{FollowUp, OutcomeSpec};
use earlyhelp::records::{Records, Role, Selector};
use earlyhelp::review::{ListParams, RandomSample, ReviewList};
use earlyhelp::scoring::{AuditedModel, Request, Scorer, SignOff};

use super::{Dice, PLACES, Person, Row, Source, Spell, World, as_of, day, kinds_of, mappings};

/// Dates to train and test on.
pub fn training_dates() -> [AsOf; 3] {
    [as_of("2021-04-01"), as_of("2022-04-01"), as_of("2023-04-01")]
}

/// The date of the list.
pub fn list_date() -> AsOf {
    as_of("2024-04-01")
}

pub const PURPOSE: &str = "Offer early help to families";

/// Children in households of three, from 2019 to mid-2024; the higher a child's need, the more happens.
pub fn council(seed: u64, people: usize) -> World {
    let mut dice = Dice::new(seed);
    let (from, to) = (day("2019-01-01"), day("2024-06-30"));
    let mut world = World { people: vec![], spells: vec![], household_lag: 3, sources: vec![], sex: vec![] };
    for mut mapping in mappings() {
        if ["police", "housing"].contains(&mapping.name.as_str()) {
            mapping.coverage.from = Some(Day::from_epoch_days(from));
        }
        // What an outcome or a follow-up reads has to say how far it reaches.
        if ["plans", "roll"].contains(&mapping.name.as_str()) {
            mapping.coverage.to = Some(Day::from_epoch_days(to));
        }
        // Rows are of up to half a year after the last date that is asked about.
        mapping.coverage.updated = Some(Day::from_epoch_days(to + 200));
        world.sources.push(Source { mapping, rows: Vec::new() });
    }
    for nth in 0..people {
        let id = format!("p{nth:04}");
        let born = day("2006-01-01") + dice.between(0, 12 * 365);
        let need = dice.normal();
        let home = format!("h{:04}", nth / 3);
        let moves = dice.chance(0.15).then(|| dice.between(from, to));
        world.spells.push(Spell { person: id.clone(), household: home, start: None, end: moves });
        if moves.is_some() {
            let next = format!("h{:04}", dice.below(people.div_ceil(3)));
            world.spells.push(Spell { person: id.clone(), household: next, start: moves, end: None });
        }
        council_rows(&mut dice, &mut world, &id, (born, need), (from, to));
        world.sex.push((id.clone(), if dice.chance(0.5) { "F" } else { "M" }));
        world.people.push(Person { id, born: Some(born) });
    }
    for source in &mut world.sources {
        for (nth, row) in source.rows.iter_mut().enumerate() {
            row.reference = format!("{}-{nth}", source.mapping.name);
        }
    }
    world
}

fn council_rows(
    dice: &mut Dice,
    world: &mut World,
    id: &str,
    (born, need): (i32, f64),
    (from, to): (i32, i32),
) {
    let at_school = from.max(born + 4 * 366);
    let start = at_school + dice.between(0, 30);
    let roll = Row {
        person: id.to_owned(),
        kind: "enrolled".into(),
        occurred: start,
        known: start,
        ended: dice.chance(0.1).then(|| start + dice.between(100, 1500)),
        ..Row::default()
    };
    world.source_mut("roll").rows.push(roll);
    for month in (from..to).step_by(30) {
        for (source, base, slope) in [("police", 0.03, 0.9), ("housing", 0.03, 0.5), ("school", 0.08, 0.4)] {
            let chance = base * f64::exp(slope * need);
            if (source == "school" && month < at_school) || !dice.chance(chance.min(0.9)) {
                continue;
            }
            let occurred = month + dice.between(0, 29);
            let row = Row {
                person: id.to_owned(),
                kind: (*dice.pick(kinds_of(source))).to_owned(),
                occurred,
                known: occurred + dice.between(0, 40),
                role: dice.chance(0.8).then(|| *dice.pick(&Role::ALL)),
                value: dice.chance(0.9).then(|| (100.0 * (need + 4.0 + dice.unit()).max(0.1)).round()),
                place: dice.chance(0.9).then(|| (*dice.pick(&PLACES)).to_owned()),
                ..Row::default()
            };
            world.source_mut(source).rows.push(row);
        }
    }
    let mut next = from;
    while next < to {
        next += 91;
        if dice.chance((0.035 * f64::exp(1.1 * need)).min(0.8)) {
            let occurred = next + dice.between(0, 80);
            let ended = occurred + dice.between(40, 260);
            let row = Row {
                person: id.to_owned(),
                kind: (*dice.pick(kinds_of("plans"))).to_owned(),
                occurred,
                ended: (ended < to).then_some(ended),
                ended_known: (ended < to).then(|| ended + dice.between(0, 20)),
                ..Row::default()
            };
            world.source_mut("plans").rows.push(row);
            next = ended;
        }
    }
}

pub fn rules() -> CohortSpec {
    CohortSpec::default().ages(2, 17).not_open(Selector::source("plans"))
}

pub fn outcome() -> OutcomeSpec {
    OutcomeSpec {
        follow_up: FollowUp { during: None, until_age: Some(18) },
        ..OutcomeSpec::any(
            "plan",
            "A plan begins within a year",
            [Selector::source("plans")],
            Horizon::Months(12),
        )
    }
}

pub fn features() -> FeatureSpec {
    let own = |source: &str, measure, over| Feature::new(Selector::source(source), measure, over);
    let year = Lookback::Months(12);
    FeatureSpec::new(vec![
        own("police", Measure::Count, year).direction(Direction::Rising).need("crime"),
        own("police", Measure::Count, year).of_household(),
        Feature::new(Selector::source("police").role(Role::Victim), Measure::Any, Lookback::Months(24)),
        own("police", Measure::Latest, year),
        own("police", Measure::DaysSinceLast, Lookback::Ever),
        own("police", Measure::Distinct("place".into()), Lookback::Months(24)),
        own("housing", Measure::Sum, year).need("housing"),
        own("housing", Measure::Max, Lookback::Months(36)).name("housing_max"),
        own("housing", Measure::Change, Lookback::Days(180)),
        own("school", Measure::DistinctDays, year).need("school"),
        own("plans", Measure::DaysOpen, Lookback::Months(24)),
        Feature::age(),
    ])
    .unwrap()
}

pub fn cohort(records: &Records, as_of: AsOf) -> Cohort<'_> {
    rules().choose(&records.as_of(as_of)).unwrap()
}

pub fn dataset(records: &Records) -> Dataset {
    let cohorts: Vec<Cohort<'_>> = training_dates().iter().map(|&date| cohort(records, date)).collect();
    Dataset::build(&features(), &outcome(), &cohorts).unwrap()
}

pub fn context(records: &Records) -> TrainingContext {
    let mut sources = Vec::new();
    for as_of in training_dates() {
        let snapshot = records.as_of(as_of);
        for (source, _, _) in records.sources() {
            let digest = snapshot.digest(source).unwrap();
            sources.push(SourceDigest { source: source.to_owned(), as_of, digest });
        }
    }
    TrainingContext {
        sources,
        seed: 7,
        protected: vec!["sex".into(), "religion".into()],
        cannot_see: vec!["What nobody wrote down.".into()],
    }
}

pub fn trainer() -> Trainer {
    Trainer::Logistic(LogisticParams::default())
}

pub fn backtest(candidate: &Candidate, data: &Dataset) -> Backtest {
    let mut plan =
        BacktestPlan::expanding(&training_dates(), Horizon::Months(12), Capacity::Share(0.1)).unwrap();
    plan.families = FamilyRule::CrossFit(2);
    plan.bootstrap = Bootstrap { resamples: 99, seed: 5 };
    Backtest::run(candidate, data, &plan).unwrap()
}

pub fn sign_off() -> SignOff {
    SignOff {
        by: "A. Manager".into(),
        role: "Head of Early Help".into(),
        purpose: PURPOSE.into(),
        signed_on: "2024-03-01".parse().unwrap(),
        review_by: "2025-03-01".parse().unwrap(),
    }
}

pub fn request() -> Request {
    Request::new("B. Lead", PURPOSE, "2024-04-02".parse().unwrap())
}

/// Everything up to the model that may be signed for.
pub struct Chain {
    pub data: Dataset,
    pub candidate: Candidate,
    pub backtest: Backtest,
    pub audit: FairnessAudit,
    pub audited: AuditedModel,
}

pub fn chain(world: &World, records: &Records) -> Chain {
    let data = dataset(records);
    let candidate = Candidate::train(&data, &trainer(), context(records)).unwrap();
    let backtest = backtest(&candidate, &data);
    let audit = FairnessAudit::of(&backtest, &world.protected(), &AuditParams::at_release()).unwrap();
    let audited = AuditedModel::new(candidate.clone(), &backtest, &audit).unwrap();
    Chain { data, candidate, backtest, audit, audited }
}

pub fn list(scorer: &Scorer, records: &Records) -> ReviewList {
    let scores = scorer.score(&cohort(records, list_date()), &request()).unwrap();
    ReviewList::draw(
        &scores,
        ListParams::new(Capacity::Cases(12)).comparison(RandomSample { cases: 4, seed: 3 }),
    )
    .unwrap()
}

/// A world, its records and a model released on them: made once for all tests that only read it.
pub struct Released {
    pub world: World,
    pub records: Records,
    pub chain: Chain,
    pub scorer: Scorer,
}

pub fn released() -> &'static Released {
    static RELEASED: std::sync::OnceLock<Released> = std::sync::OnceLock::new();
    RELEASED.get_or_init(|| {
        let world = council(11, 600);
        let records = world.records();
        let chain = chain(&world, &records);
        let scorer = chain.audited.clone().release(sign_off()).unwrap();
        Released { world, records, chain, scorer }
    })
}
