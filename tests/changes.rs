//! What came in since records were read: with changes they are what reading everything again gives.

use std::collections::BTreeSet;

use earlyhelp::cohort::CohortSpec;
use earlyhelp::error::RecordsError;
use earlyhelp::features::FeatureMatrix;
use earlyhelp::records::{Duplicates, Extract, Known, PeopleColumns, Records, RecordsBuilder, SourceMapping};
use polars::df;

use crate::world::{Dice, Row, World, as_of, cells, wild, wild_date, wild_features, wild_row};

const DATES: [&str; 4] = ["2020-06-01", "2022-01-01", "2023-09-15", "2030-01-01"];

/// Records of these rows alone, of whoever they are about.
fn changes(world: &World, rows: &[Vec<Row>]) -> Records {
    let mut builder = Records::builder().reject_limit(0.0);
    for (source, rows) in world.sources.iter().zip(rows) {
        let mut only = source.clone();
        only.rows.clone_from(rows);
        builder = builder.source(only.mapping.clone(), Extract::frame(only.frame()));
    }
    builder.build().unwrap()
}

/// A row that says of a record what became known later.
fn later_state(row: &Row, dice: &mut Dice) -> Row {
    let known = row.known + 1 + dice.below(400) as i32;
    Row { known, value: row.value.map(|value| value + 1.0), ended: row.ended.or(Some(known)), ..row.clone() }
}

#[test]
fn records_with_changes_are_what_reading_all_rows_together_gives() {
    let (mut with_states, mut replaced_rows, mut added_rows) = (0, 0, 0);
    for seed in 0..60 {
        let mut dice = Dice::new(seed);
        let mut before = wild(seed, 14, 160);
        if seed % 2 == 1 {
            // Without references, and so without states.
            let columns = &mut before.source_mut("housing").mapping.columns;
            columns.reference = None;
            columns.duplicates = if seed % 4 == 1 { Duplicates::Drop } else { Duplicates::Keep };
            before.source_mut("police").mapping.columns.incident = Some("place".into());
        }
        let people: Vec<String> = before.people.iter().map(|person| person.id.clone()).collect();
        let whose: Vec<String> = (0..=dice.below(3)).map(|_| dice.pick(&people).clone()).collect();
        let rows: Vec<Vec<Row>> = before
            .sources
            .iter()
            .map(|source| {
                let mut rows = Vec::new();
                for nth in 0..dice.below(6) {
                    let reference = format!("new {} {nth}", source.name());
                    let mut row = wild_row(&mut dice, &source.mapping, people.len(), reference);
                    row.person.clone_from(dice.pick(&whose));
                    if dice.chance(0.2) {
                        // Never met before, and in the middle of the names that are held.
                        row.kind = format!("c{}", dice.below(3));
                        row.place = Some("on the border".into());
                    }
                    rows.push(row);
                }
                let is_dated = matches!(source.mapping.columns.known, Known::Column(_));
                let own = source.rows.iter().filter(|row| whose.contains(&row.person));
                let held: Vec<Row> = own.cloned().collect();
                if is_dated && !held.is_empty() && dice.chance(0.7) {
                    let state = dice.pick(&held).clone();
                    rows.push(later_state(&state, &mut dice));
                    with_states += 1;
                }
                if !held.is_empty() && dice.chance(0.3) {
                    // The same once more, as a monthly return says it again.
                    rows.push(dice.pick(&held).clone());
                }
                rows
            })
            .collect();
        let named: BTreeSet<&String> = rows.iter().flatten().map(|row| &row.person).collect();
        if named.is_empty() {
            continue;
        }
        let mut replaced: Vec<&str> = Vec::new();
        let mut after = before.clone();
        for (source, rows) in after.sources.iter_mut().zip(&rows) {
            if dice.chance(0.3) {
                replaced.push(before.source(source.name()).name());
                let held = source.rows.len();
                source.rows.retain(|row| !named.contains(&row.person));
                replaced_rows += held - source.rows.len();
            }
            added_rows += rows.len();
            source.rows.extend(rows.iter().cloned());
        }
        let held = before.records();
        let found = held.with(&changes(&before, &rows), &replaced).unwrap();
        let expected = after.records();
        for date in DATES.map(as_of).into_iter().chain([wild_date()]) {
            let (found, expected) = (found.as_of(date), expected.as_of(date));
            for source in expected.sources() {
                assert_eq!(found.digest(source), expected.digest(source), "seed {seed}, {source}, {date}");
            }
        }
        let spec = wild_features(&mut dice, &before, true);
        let matrix = |records: &Records| -> FeatureMatrix {
            spec.compute(&CohortSpec::default().choose(&records.as_of(wild_date())).unwrap()).unwrap()
        };
        assert_eq!(cells(&matrix(&found)), cells(&matrix(&expected)), "seed {seed}");
        // What was held is as it was.
        assert_eq!(
            held.as_of(wild_date()).digest("police"),
            before.records().as_of(wild_date()).digest("police")
        );
    }
    assert!(
        with_states > 30 && replaced_rows > 100 && added_rows > 300,
        "{with_states} {replaced_rows} {added_rows}"
    );
}

fn police() -> SourceMapping {
    SourceMapping::new("police", "person", "incident", "on").reference("ref")
}

/// Police notices: person, day, reference.
fn notices(rows: &[(&str, &str, &str)]) -> Extract {
    let part = |nth: usize| rows.iter().map(move |row| [row.0, row.1, row.2][nth]).collect::<Vec<_>>();
    Extract::frame(df!("person" => part(0), "on" => part(1), "ref" => part(2)).unwrap())
}

fn of_police(rows: &[(&str, &str, &str)]) -> RecordsBuilder<'static> {
    Records::builder().source(police(), notices(rows))
}

#[test]
fn a_change_that_cannot_be_used_is_refused_and_names_nobody() {
    let held = of_police(&[("p1", "2024-01-05", "n1"), ("p2", "2024-01-07", "n2")]).build().unwrap();
    let new = [("p2", "2024-03-02", "n3")];
    let refused = |changes: Records, replaced: &[&str]| {
        let error = held.with(&changes, replaced).err().unwrap();
        assert!(matches!(error, RecordsError::Change { .. }), "{error}");
        let text = error.to_string();
        assert!(!["p1", "p2", "p9", "n1", "n3"].iter().any(|id| text.contains(id)), "{text}");
        text
    };
    let change = || of_police(&new);
    assert!(held.with(&change().build().unwrap(), &[]).is_ok());

    let stranger = of_police(&[("p9", "2024-03-02", "n3")]).build().unwrap();
    assert!(refused(stranger, &[]).contains("not among the records"));
    let other =
        Records::builder().source(SourceMapping::new("housing", "person", "arrears", "on"), notices(&new));
    assert!(refused(other.build().unwrap(), &[]).contains("source housing is not a source of the records"));
    assert!(refused(change().build().unwrap(), &["housing"]).contains("not among the records"));
    let without = Records::builder().source(police().value("ref"), notices(&[("p2", "2024-03-02", "3")]));
    assert!(refused(without.build().unwrap(), &[]).contains("another mapping"));
    let lagged = police().known(Known::LagDays(3));
    let lagged = Records::builder().source(lagged, notices(&new));
    assert!(refused(lagged.build().unwrap(), &[]).contains("another mapping"));
    let taken = of_police(&[("p2", "2024-03-02", "n1")]).build().unwrap();
    assert!(refused(taken, &[]).contains("repeats the reference of another record"));
    let born = PeopleColumns {
        person: vec!["person".into()],
        date_of_birth: Some("on".into()),
        ..PeopleColumns::default()
    };
    let born = change().people(born, notices(&[("p2", "2010-01-01", "")])).build().unwrap();
    assert!(refused(born, &[]).contains("another day of birth"));
    // Of a source whose rows are to be replaced, and of which the changes say nothing.
    let both = of_police(&new).source(
        SourceMapping::new("housing", "person", "arrears", "on"),
        notices(&[("p1", "2024-01-05", "")]),
    );
    let both = both.build().unwrap();
    let error = both.with(&change().build().unwrap(), &["housing"]).err();
    assert!(error.is_some_and(|error| error.to_string().contains("not among the changes")));
}
