//! The same rows give the same bytes: in any order of rows and sources, at any number of threads, and in little memory.

use std::path::Path;

use earlyhelp::cohort::CohortSpec;
use earlyhelp::error::RecordsError;
use earlyhelp::features::Cell;
use earlyhelp::records::{Coverage, Extract, MemoryLimit, MemorySize, Records, RecordsBuilder};
use proptest::prelude::*;

use crate::world::{self, Dice, Row, World, cells, council, wild, wild_date, wild_features};

/// Everything that the chain writes, as bytes.
#[derive(PartialEq)]
struct Bytes {
    matrix: Vec<u32>,
    candidate: String,
    audited: String,
    list: String,
}

fn bits(cell: Cell) -> u32 {
    match cell {
        Cell::Value(value) => value.to_bits(),
        Cell::Missing => u32::MAX,
        Cell::NotCovered => u32::MAX - 1,
    }
}

/// Runs the whole chain on so many threads.
fn run(world: &World, threads: usize) -> Bytes {
    run_on(world, threads, world.builder())
}

fn run_on(world: &World, threads: usize, builder: RecordsBuilder<'static>) -> Bytes {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
    pool.install(|| {
        let records = builder.build().unwrap();
        let chain = world::chain(world, &records);
        let scorer = chain.audited.clone().release(world::sign_off()).unwrap();
        Bytes {
            matrix: cells(chain.data.matrix()).into_iter().flatten().map(bits).collect(),
            candidate: serde_json::to_string(&chain.candidate).unwrap(),
            audited: chain.audited.to_json().unwrap(),
            list: serde_json::to_string(&world::list(&scorer, &records)).unwrap(),
        }
    })
}

fn assert_same(a: &Bytes, b: &Bytes, told: &str) {
    // Parts first, so that the earliest step that differs is named.
    assert!(a.matrix == b.matrix, "the matrix differs: {told}");
    assert!(a.candidate == b.candidate, "the candidate differs: {told}");
    assert!(a.audited == b.audited, "the audited model differs: {told}");
    assert!(a.list == b.list, "the list differs: {told}");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 3, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn order_and_threads_leave_no_trace(seed in any::<u64>()) {
        // More cases than one thread's share of rows, and more training rows than one block of the solver.
        let world = council(seed, 1500);
        let alone = run(&world, 1);
        let mut dice = Dice::new(seed ^ 5);
        assert_same(&alone, &run(&world.permuted(&mut dice), 2), "other order, 2 threads");
        assert_same(&alone, &run(&world.permuted(&mut dice), 8), "other order, 8 threads");
        assert_same(&alone, &run(&world, 8), "same order, 8 threads");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn order_leaves_no_trace_in_odd_worlds(seed in any::<u64>(), people in 1_usize..8, rows in 1_usize..40) {
        let world = wild(seed, people, rows);
        let mut dice = Dice::new(seed ^ 6);
        let spec = wild_features(&mut dice, &world, false);
        let digest = |world: &World| {
            let records = world.records();
            let cohort = CohortSpec::default().choose(&records.as_of(wild_date())).unwrap();
            let snapshot = cohort.snapshot();
            let digests: Vec<Option<String>> =
                snapshot.sources().map(|source| snapshot.digest(source)).collect();
            (cells(&spec.compute(&cohort).unwrap()), digests, cohort.digest())
        };
        prop_assert_eq!(digest(&world), digest(&world.permuted(&mut dice)));
    }

    /// Rows that repeat a reference: which of them is kept must not depend on where it stands.
    #[test]
    fn order_does_not_decide_between_repeated_references(seed in any::<u64>(), rows in 2_usize..12) {
        let mut world = wild(seed, 3, 0);
        let mut dice = Dice::new(seed ^ 7);
        let today = wild_date().day().epoch_days();
        let source = world.source_mut("police");
        source.mapping.coverage = Coverage::default();
        for _ in 0..rows {
            let occurred = today - dice.between(5, 7);
            source.rows.push(Row {
                person: format!("p{:02}", dice.below(3)),
                kind: "theft".into(),
                occurred,
                known: occurred + dice.between(0, 1),
                value: dice.chance(0.8).then(|| f64::from(dice.between(0, 2))),
                place: dice.chance(0.8).then(|| (*dice.pick(&world::PLACES)).to_owned()),
                reference: format!("r{}", dice.below(3)),
                ..Row::default()
            });
        }
        let spec = wild_features(&mut dice, &world, false);
        let of = |world: &World| {
            let mut builder = world.builder_of_people().reject_limit(1.0);
            for source in &world.sources {
                builder = builder.source(source.mapping.clone(), Extract::frame(source.frame()));
            }
            let records: Records = builder.build().unwrap();
            let cohort = CohortSpec::default().choose(&records.as_of(wild_date())).unwrap();
            (cells(&spec.compute(&cohort).unwrap()), cohort.snapshot().digest("police"), records.rejects().len())
        };
        prop_assert_eq!(of(&world), of(&world.permuted(&mut dice)));
    }
}

/// The smallest memory with which a world's records can be read.
fn least_memory(builder: impl Fn() -> RecordsBuilder<'static>, folder: &Path) -> u64 {
    let fits = |bytes: u64| {
        let limit = MemoryLimit::new(MemorySize::bytes(bytes), folder);
        match builder().memory(limit).build() {
            Ok(_) => true,
            Err(RecordsError::Memory { .. }) => false,
            Err(error) => panic!("{error}"),
        }
    };
    let (mut low, mut high) = (0, 1 << 30);
    assert!(fits(high) && !fits(low));
    while high - low > 1 {
        let middle = u64::midpoint(low, high);
        *(if fits(middle) { &mut high } else { &mut low }) = middle;
    }
    high
}

#[test]
fn what_waits_on_disk_leaves_no_trace() {
    let world = council(3, 700);
    let folder = tempfile::tempdir().unwrap();
    let alone = run(&world, 2);
    let least = least_memory(|| world.builder(), folder.path());
    let limited = |bytes: u64, folder: &Path| {
        world.builder().memory(MemoryLimit::new(MemorySize::bytes(bytes), folder))
    };
    // That something does wait shows where it cannot.
    let nowhere = limited(least, &folder.path().join("nowhere")).build();
    assert!(matches!(nowhere, Err(RecordsError::PutAway { .. })), "{nowhere:?}");
    for (bytes, threads) in [(least, 1), (least, 8), (least + least / 2, 2)] {
        let found = run_on(&world, threads, limited(bytes, folder.path()));
        assert_same(&alone, &found, &format!("{bytes} bytes, {threads} threads"));
    }
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0, "nothing is left behind");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_waits_on_disk_leaves_no_trace_in_odd_worlds(
        seed in any::<u64>(), people in 1_usize..8, rows in 1_usize..40, listed in any::<bool>()
    ) {
        let world = wild(seed, people, rows);
        let spec = wild_features(&mut Dice::new(seed ^ 6), &world, false);
        let folder = tempfile::tempdir().unwrap();
        let builder = || if listed { world.builder() } else { world.builder_without_list() };
        let told = |records: Records| {
            let cohort = CohortSpec::default().choose(&records.as_of(wild_date())).unwrap();
            let snapshot = cohort.snapshot();
            let digests: Vec<_> = snapshot.sources().map(|source| snapshot.digest(source)).collect();
            let events: Vec<_> = cohort.ids().flat_map(|id| {
                let of = |source| snapshot.events(source, id).map(|event| format!("{:?}", event.reference));
                records.sources().flat_map(move |(source, ..)| of(source)).collect::<Vec<_>>()
            }).collect();
            let days: Vec<_> = records.sources().map(|(source, ..)| records.days_found(source)).collect();
            let tables = format!("{:?} {:?} {:?}", records.tables(), records.intake(), records.remarks());
            (cells(&spec.compute(&cohort).unwrap()), digests, cohort.digest(), events, days, tables)
        };
        let plain = told(builder().build().unwrap());
        let limit = MemoryLimit::new(MemorySize::bytes(least_memory(builder, folder.path())), folder.path());
        prop_assert_eq!(told(builder().memory(limit).build().unwrap()), plain);
    }
}

/// What the test above rests on: another world does give other bytes.
#[test]
fn another_world_gives_other_bytes() {
    let (a, b) = (run(&council(1, 300), 2), run(&council(2, 300), 2));
    assert!(a.matrix != b.matrix && a.candidate != b.candidate && a.audited != b.audited && a.list != b.list);
}
