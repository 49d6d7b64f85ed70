//! Nothing that became known on the as-of date or later changes anything of that date.

use earlyhelp::calendar::{AsOf, Lookback};
use earlyhelp::cohort::{Cohort, CohortSpec, Unit};
use earlyhelp::features::{Cell, Feature, FeatureSpec, Measure};
use earlyhelp::records::{Known, Records, Selector};
use proptest::prelude::*;

use crate::world::{
    self, Dice, Row, Spell, World, cells, kinds_of, list_date, wild, wild_date, wild_features, wild_row,
};

/// Adds to a world what became known on the date or later: events (some of a kind and a category never
/// seen before), ends of episodes, and a move.
fn add_future(world: &mut World, dice: &mut Dice, as_of: AsOf) {
    let today = as_of.day().epoch_days();
    for source in &mut world.sources {
        for nth in 0..=dice.below(4) {
            let reference = format!("later-{}-{nth}", source.mapping.name);
            let mut row = wild_row(dice, &source.mapping, 1, reference);
            row.person.clone_from(&world.people[dice.below(world.people.len())].id);
            if dice.chance(0.3) {
                row.kind = "a kind never seen before".into();
                row.place = Some("a place never seen before".into());
            }
            match source.mapping.columns.known {
                // It may have happened long ago: what counts is when it became known.
                Known::Column(_) | Known::FileName(_) => {
                    row.occurred = today - dice.between(-40, 300);
                    row.known = today + dice.between(0, 40);
                }
                Known::LagDays(lag) => row.occurred = today - lag + dice.between(0, 40),
            }
            row.ended = row.ended.map(|_| row.occurred + dice.between(0, 50));
            row.ended_known = row.ended;
            source.rows.push(row);
        }
    }
    // Ends that are told on the day or later, of episodes that stand there as open.
    for source in world.sources.iter_mut().filter(|source| source.mapping.columns.ended.is_some()) {
        let told = source.mapping.columns.ended_known.is_some();
        let lag = match source.mapping.columns.known {
            Known::LagDays(lag) => lag,
            Known::Column(_) | Known::FileName(_) => 0,
        };
        for row in source.rows.iter_mut().filter(|row| row.ended.is_none() && row.occurred < today) {
            if dice.chance(0.5) {
                let ended = if told { row.occurred } else { today - lag };
                row.ended = Some(ended.max(row.occurred) + dice.between(0, 30));
                row.ended_known = Some(today + dice.between(0, 30));
            }
        }
    }
    // A move that becomes known on the day or later: out of the old household, into a new one.
    let moved = today - world.household_lag + dice.between(0, 20);
    let person = world.people[dice.below(world.people.len())].id.clone();
    for spell in world.spells.iter_mut().filter(|spell| spell.person == person && spell.end.is_none()) {
        if spell.start.is_none_or(|start| start <= moved) {
            spell.end = Some(moved);
        }
    }
    world.spells.push(Spell { person, household: "a new one".into(), start: Some(moved), end: None });
}

fn assert_same(before: &Records, after: &Records, as_of: AsOf, spec: &FeatureSpec, rules: &CohortSpec) {
    let (old, new) = (rules.choose(&before.as_of(as_of)), rules.choose(&after.as_of(as_of)));
    let (Ok(old), Ok(new)) = (&old, &new) else {
        assert_eq!(old.is_ok(), new.is_ok(), "one of the cohorts is empty");
        return;
    };
    assert_eq!(old.ids().collect::<Vec<_>>(), new.ids().collect::<Vec<_>>());
    assert_eq!(old.digest(), new.digest());
    assert_eq!(old.left_out(), new.left_out());
    let (old_matrix, new_matrix) = (spec.compute(old).unwrap(), spec.compute(new).unwrap());
    assert_eq!(cells(&old_matrix), cells(&new_matrix));
    for source in old.snapshot().sources() {
        assert_eq!(old.snapshot().digest(source), new.snapshot().digest(source), "the digest of {source}");
    }
    for row in 0..old.len() {
        for column in 0..spec.features().len() {
            let behind = |cohort: &Cohort<'_>| spec.records_behind(cohort, row, column).unwrap();
            assert_eq!(behind(old), behind(new));
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_becomes_known_later_changes_nothing(seed in any::<u64>(), people in 1_usize..8, rows in 1_usize..30) {
        let mut before = wild(seed, people, rows);
        let mut dice = Dice::new(seed ^ 4);
        for source in &mut before.sources {
            // Without references, rows may be alike in all that is visible.
            if dice.chance(0.4) {
                source.mapping.columns.reference = None;
            }
        }
        let mut after = before.clone();
        add_future(&mut after, &mut dice, wild_date());
        let (old, new) = (before.records(), after.records());
        let spec = wild_features(&mut dice, &before, false);
        assert_same(&old, &new, wild_date(), &spec, &CohortSpec::default().not_open(Selector::source("plans")));
        let spec = wild_features(&mut dice, &before, true);
        assert_same(&old, &new, wild_date(), &spec, &CohortSpec::default().unit(Unit::Family));
    }

    #[test]
    fn what_was_known_the_day_before_counts(seed in any::<u64>(), person in 0_usize..5, ago in 1_i32..200) {
        let before = wild(seed, 5, 20);
        let mut after = before.clone();
        let today = wild_date().day().epoch_days();
        let source = after.source_mut("police");
        source.mapping.coverage = earlyhelp::records::Coverage::default();
        let row = Row {
            person: format!("p{person:02}"),
            kind: kinds_of("police")[0].into(),
            occurred: today - ago,
            known: today - 1,
            reference: "the day before".into(),
            ..Row::default()
        };
        source.rows.push(row.clone());
        let count = FeatureSpec::new(vec![
            Feature::new(Selector::source("police"), Measure::Count, Lookback::Ever),
        ]).unwrap();
        let count_in = |world: &World| {
            let mut world = world.clone();
            world.source_mut("police").mapping.coverage = earlyhelp::records::Coverage::default();
            let records = world.records();
            let cohort = CohortSpec::default().choose(&records.as_of(wild_date())).unwrap();
            let digest = cohort.snapshot().digest("police");
            (count.compute(&cohort).unwrap().cell(person, 0).value().unwrap(), digest)
        };
        let (old, new) = (count_in(&before), count_in(&after));
        prop_assert!((new.0 - old.0 - 1.0).abs() < f32::EPSILON);
        prop_assert_ne!(old.1, new.1);
        // The same, known one day later, is not there.
        after.source_mut("police").rows.last_mut().unwrap().known = today;
        prop_assert!((count_in(&after).0 - old.0).abs() < f32::EPSILON);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 6, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_byte_of_a_list_changes(seed in any::<u64>()) {
        let made = world::released();
        let mut after = made.world.clone();
        add_future(&mut after, &mut Dice::new(seed), list_date());
        let old = serde_json::to_string(&world::list(&made.scorer, &made.records)).unwrap();
        let new = serde_json::to_string(&world::list(&made.scorer, &after.records())).unwrap();
        prop_assert!(old == new, "the list changed: {}", first_difference(&old, &new));
    }
}

fn first_difference(a: &str, b: &str) -> String {
    let at = a.bytes().zip(b.bytes()).position(|(x, y)| x != y).unwrap_or(a.len().min(b.len()));
    let around = |text: &str| {
        String::from_utf8_lossy(&text.as_bytes()[at.saturating_sub(60)..])
            .chars()
            .take(120)
            .collect::<String>()
    };
    format!("{:?} became {:?}", around(a), around(b))
}

/// A record that repeats the reference of one long known, and says that it happened earlier, does not
/// take the old one's place in the past.
#[test]
fn a_later_record_with_a_known_reference_does_not_rewrite_the_past() {
    let mut before = wild(5, 2, 0);
    let today = wild_date().day().epoch_days();
    let row = |occurred: i32, known: i32| Row {
        person: "p00".into(),
        kind: "theft".into(),
        occurred,
        known,
        reference: "one".into(),
        ..Row::default()
    };
    let source = before.source_mut("police");
    source.mapping.coverage = earlyhelp::records::Coverage::default();
    source.rows.push(row(today - 30, today - 20));
    let mut after = before.clone();
    after.source_mut("police").rows.push(row(today - 60, today + 5));
    let count = |world: &World| {
        let mut builder = world.builder_of_people().reject_limit(1.0);
        for source in &world.sources {
            let extract = earlyhelp::records::Extract::frame(source.frame());
            builder = builder.source(source.mapping.clone(), extract);
        }
        let records = builder.build().unwrap();
        let spec = FeatureSpec::new(vec![Feature::new(
            Selector::source("police"),
            Measure::DaysSinceLast,
            Lookback::Ever,
        )])
        .unwrap();
        let cohort = CohortSpec::default().choose(&records.as_of(wild_date())).unwrap();
        spec.compute(&cohort).unwrap().cell(0, 0)
    };
    assert_eq!(count(&before), Cell::Value(30.0));
    assert_eq!(count(&after), Cell::Value(30.0));
}
