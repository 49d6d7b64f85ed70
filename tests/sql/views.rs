//! Views over raw tables beside the library that reads the same rows: each staged table row by row, what was rejected and why, and
//! the features of both.

use std::collections::BTreeSet;

use earlyhelp::calendar::Day;
use earlyhelp::cohort::{CohortSpec, Unit};
use earlyhelp::project::Project;
use earlyhelp::records::{
    Duplicates, Extract, HouseholdColumns, Kind, KindByDates, Known, PeopleColumns, ReadOptions, Records,
    Repeated, SourceMapping, summarise,
};
use earlyhelp::sql::{Dialect, RawTables, Texts};
use earlyhelp::synthetic::{CouncilParams, Format};
use polars::prelude::{
    DataFrame, DataType, IntoColumn as _, NamedFrom as _, ParquetReader, SerReader as _, Series,
};

use super::asked::mappings_of;
use super::engines::{Engine, Given, Made, numbers, texts_of};
use super::outcomes::restated;
use super::same;
use crate::world::{self, Dice, World, wild, wild_date, wild_features};

/// What somebody may have typed, or a system written where it knew nothing.
fn odd_text(dice: &mut Dice, text: Option<&str>) -> Option<String> {
    let text = text.unwrap_or_default();
    match dice.below(9) {
        0 => None,
        1 => Some(String::new()),
        2 => Some(" \t\u{a0}".into()),
        3 => Some("\u{2003}unKnown ".into()),
        4 => Some("somebody else".into()),
        5 => Some(text.to_uppercase()),
        6 => Some(format!("b) {text}")),
        7 => Some(format!("n/a{text}")),
        _ => Some(format!("\u{3000}\t{text}\r\n")),
    }
}

fn odd_day(dice: &mut Dice, day: Option<i32>) -> Option<i32> {
    let today = wild_date().day().epoch_days();
    let days = [-25_567, -25_566, -40_000, 47_480, 47_481, 60_000, 0, today + 400, today - 300, today + 101];
    if dice.chance(0.3) { None } else { dice.chance(0.8).then(|| *dice.pick(&days)).or(day) }
}

fn odd_number(dice: &mut Dice) -> Option<f64> {
    let numbers = [f64::NAN, f64::INFINITY, 1e300, -3.5, 1e-60, 3.402_823_567e38, 0.1, -0.0];
    dice.chance(0.8).then(|| *dice.pick(&numbers))
}

/// The same rows with some odd cells, and some rows twice.
fn dirty(frame: &DataFrame, dice: &mut Dice, share: f64) -> DataFrame {
    let columns = frame.columns().iter().map(|column| {
        let name = column.name().clone();
        let series = match column.dtype() {
            DataType::String => {
                let cells = column.str().unwrap().iter().map(|text| {
                    if dice.chance(share) { odd_text(dice, text) } else { text.map(str::to_owned) }
                });
                Series::new(name, cells.collect::<Vec<_>>())
            }
            DataType::Date => {
                let days = column.as_materialized_series().date().unwrap().physical().iter();
                let days = days.map(|day| if dice.chance(share) { odd_day(dice, day) } else { day });
                let days = Series::new(name, days.collect::<Vec<Option<i32>>>());
                days.cast(&DataType::Date).unwrap()
            }
            _ => {
                let numbers = column.f64().unwrap().iter();
                let numbers =
                    numbers.map(|number| if dice.chance(share) { odd_number(dice) } else { number });
                Series::new(name, numbers.collect::<Vec<Option<f64>>>())
            }
        };
        series.into_column()
    });
    let frame = DataFrame::new(frame.height(), columns.collect()).unwrap();
    let again = frame.slice(0, frame.height() / 6);
    frame.vstack(&again).unwrap()
}

/// The rows of a table as sorted texts, by the columns and types of another.
fn rows(frame: &DataFrame, like: &DataFrame) -> Vec<Vec<String>> {
    let columns: Vec<Vec<String>> = like
        .columns()
        .iter()
        .map(|column| {
            if *column.dtype() == DataType::String {
                texts_of(frame, column.name()).into_iter().map(|text| format!("{text:?}")).collect()
            } else {
                let numbers = numbers(frame, column.name()).into_iter();
                numbers.map(|number| format!("{:?}", number.map(|number| number + 0.0))).collect()
            }
        })
        .collect();
    let mut rows: Vec<Vec<String>> =
        (0..frame.height()).map(|row| columns.iter().map(|column| column[row].clone()).collect()).collect();
    rows.sort();
    rows
}

/// Runs the texts over raw tables, and holds every staged view against what the library makes of the same rows.
fn same_tables(
    engine: &Engine,
    texts: &Texts<'_>,
    (records, raw): (&Records, Vec<(String, DataFrame)>),
    of: &str,
) -> Viewed {
    let (viewed, others): (Vec<_>, Vec<_>) = texts.views().partition(|(_, unsaid)| unsaid.is_empty());
    let mut given = Given { scripts: texts.scripts(), ..Given::default() };
    for (name, frame) in raw {
        given.table(&name, frame);
    }
    let mut expected = Vec::new();
    for staged in texts.staged_tables(records).unwrap() {
        if others.iter().any(|(name, _)| *name == staged.name) {
            given.table(&staged.name, staged.frame);
        } else {
            expected.push(staged);
        }
    }
    given.keep =
        viewed.iter().map(|(name, _)| *name).chain(["eh_intake", "eh_rejects"]).map(str::to_owned).collect();
    let (folder, made) = engine.run_one(given);
    for staged in expected {
        let found = made.frame(&staged.name);
        let (found, wanted) = (rows(&found, &staged.frame), rows(&staged.frame, &staged.frame));
        let missing: Vec<_> = wanted.iter().filter(|row| !found.contains(row)).take(5).collect();
        let beside: Vec<_> = found.iter().filter(|row| !wanted.contains(row)).take(5).collect();
        let names = staged.frame.columns().iter().map(|column| column.name().to_string()).collect::<Vec<_>>();
        assert!(
            missing.is_empty() && beside.is_empty() && found.len() == wanted.len(),
            "{of}: {}: {names:?}\nnot there: {missing:#?}\nthere: {beside:#?}\n{} {}",
            staged.name,
            found.len(),
            wanted.len()
        );
    }
    let intake = made.frame("eh_intake");
    let read = [numbers(&intake, "rows_read"), numbers(&intake, "accepted"), numbers(&intake, "rejected")];
    for (row, source) in texts_of(&intake, "source").into_iter().enumerate() {
        let held = records.intake().iter().find(|held| Some(&held.source) == source.as_ref()).unwrap();
        let counts = [held.read, held.accepted, held.rejected].map(|count| Some(count as f64));
        assert_eq!([read[0][row], read[1][row], read[2][row]], counts, "{of}: {source:?}");
    }
    let rejects = made.frame("eh_rejects");
    let (sources, reasons) = (texts_of(&rejects, "source"), texts_of(&rejects, "reason"));
    let mut found: Vec<(String, String, u64)> = Vec::new();
    for (row, count) in numbers(&rejects, "rejected").into_iter().enumerate() {
        found.push((sources[row].clone().unwrap(), reasons[row].clone().unwrap(), count.unwrap() as u64));
    }
    let counted = texts_of(&intake, "source");
    let mut wanted: Vec<(String, String, u64)> = Vec::new();
    for (source, _, reason, count) in summarise(records.rejects()) {
        if !counted.iter().any(|held| held.as_deref() == Some(source)) {
            continue;
        }
        let held = wanted.iter_mut().find(|held| held.0 == source && held.1 == reason.code());
        match held {
            Some(held) => held.2 += count,
            None => wanted.push((source.to_owned(), reason.code().to_owned(), count)),
        }
    }
    found.sort();
    wanted.sort();
    assert_eq!(found, wanted, "{of}");
    let reasons = wanted.into_iter().map(|(_, reason, _)| reason).collect();
    Viewed { made, reasons, _folder: folder }
}

/// What an engine made, and the reasons for which rows were rejected.
struct Viewed {
    made: Made,
    reasons: BTreeSet<String>,
    _folder: tempfile::TempDir,
}

/// References that stand often, each with few things to say on few days: what a state is, hangs on those before.
fn churned(world: &mut World, dice: &mut Dice) {
    for source in &mut world.sources {
        let rows = source.rows.clone();
        for (nth, first) in rows.iter().take(6).enumerate() {
            let others: Vec<_> = (0..2).map(|_| dice.pick(&rows).clone()).collect();
            for _ in 0..dice.between(3, 9) {
                let mut row = if dice.chance(0.5) { first.clone() } else { dice.pick(&others).clone() };
                row.person.clone_from(&first.person);
                row.reference.clone_from(&rows[nth].reference);
                row.occurred = first.occurred;
                row.known = first.known + dice.between(0, 4);
                row.ended = row.ended.map(|_| first.occurred + 7 * dice.between(1, 2));
                row.ended_known = None;
                if dice.chance(0.7) {
                    row.kind.clone_from(&first.kind);
                    row.role = first.role;
                    row.value = first.value;
                    row.of = first.of;
                    row.place.clone_from(&first.place);
                }
                source.rows.push(row);
            }
        }
    }
}

/// Some of what a mapping may ask beside what the worlds' own do.
fn varied(mappings: &mut [SourceMapping], seed: u64, dice: &mut Dice) {
    for mapping in mappings {
        let columns = &mut mapping.columns;
        if dice.chance(0.5) {
            mapping.coverage.updated = Some(wild_date().day() + 100);
        }
        match (seed % 5, mapping.name.as_str()) {
            (1, "police" | "roll") => {
                columns.reference = None;
                columns.duplicates = Duplicates::Drop;
            }
            (1, "care") => columns.reference = None,
            (2, "police" | "care" | "plans") => columns.repeated = Repeated::Reject,
            (3, "roll") => {
                columns.ended = None;
                columns.lasts_days = Some(40);
            }
            (3, "housing") => {
                columns.incident = Some("kind".into());
                columns.known = Known::LagDays(-5);
            }
            (3, "school") => columns.kind = Kind::Constant("it's".into()),
            (4, "plans") => {
                columns.kind = Kind::ByDates(KindByDates {
                    column: "on".into(),
                    after: "until".into(),
                    then: "late".into(),
                    otherwise: "in time".into(),
                    empty: dice.chance(0.5).then(|| "open".into()),
                });
            }
            _ => {}
        }
    }
}

fn today() -> Day {
    let seconds = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs();
    Day::from_epoch_days((seconds / 86_400) as i32)
}

fn options_of(dice: &mut Dice) -> ReadOptions {
    let mut options = ReadOptions { list_letters: dice.chance(0.4), ..ReadOptions::default() };
    if dice.chance(0.2) {
        options.nulls = vec!["Somebody ELSE".into(), "it's".into()];
    }
    if dice.chance(0.2) {
        options.plausible = Some([Day::from_epoch_days(0), wild_date().day() + 50]);
    }
    options
}

/// Gives the reasons for which rows of these worlds were rejected.
fn wild_views(engine: &Engine, seeds: std::ops::Range<u64>) -> BTreeSet<String> {
    let mut reasons = BTreeSet::new();
    for seed in seeds {
        let mut dice = Dice::new(seed ^ 0x1267);
        let families = seed % 3 == 2;
        let mut world = restated(wild(seed, 4 + seed as usize % 9, 30), &mut dice);
        churned(&mut world, &mut dice);
        let mut mappings = mappings_of(&world);
        varied(&mut mappings, seed, &mut dice);
        for (source, mapping) in world.sources.iter_mut().zip(&mappings) {
            source.mapping = mapping.clone();
        }
        // Every other world is as dirty as worlds can be.
        let share = if seed % 2 == 0 { 0.0 } else { 0.05 };
        let people_columns = PeopleColumns {
            died: Some("died".into()),
            left: (seed % 4 < 2).then(|| "left".into()),
            ..world::people_columns()
        };
        let home_columns: HouseholdColumns = world::household_columns(world.household_lag);
        let mut people = world.people_frame();
        let partings = ["died", "left"].map(|name| {
            let days = (0..people.height())
                .map(|_| dice.chance(0.2).then(|| wild_date().day().epoch_days() - dice.between(-20, 300)));
            let days = Series::new(name.into(), days.collect::<Vec<Option<i32>>>());
            days.cast(&DataType::Date).unwrap().into_column()
        });
        people = people.hstack(&partings).unwrap();
        let people = dirty(&people, &mut dice, share);
        let homes = dirty(&world.homes_frame(), &mut dice, share);
        let mut builder = Records::builder().read_on(today()).reject_limit(1.0);
        let (of_people, of_homes) = (options_of(&mut dice), options_of(&mut dice));
        builder = builder
            .people(people_columns.clone(), Extract::frame(people.clone()).options(of_people.clone()))
            .households(home_columns.clone(), Extract::frame(homes.clone()).options(of_homes.clone()));
        let mut tables = vec![("raw_people".to_owned(), people), ("raw_households".to_owned(), homes)];
        let mut raw = RawTables::new().people(&people_columns, of_people).households(&home_columns, of_homes);
        for (source, mapping) in world.sources.iter().zip(&mappings) {
            let frame = dirty(&source.frame(), &mut dice, share);
            let options = options_of(&mut dice);
            builder = builder.source(mapping.clone(), Extract::frame(frame.clone()).options(options.clone()));
            raw = raw.source(&mapping.name, options);
            tables.push((format!("raw_{}", mapping.name), frame));
        }
        let Ok(records) = builder.build() else { panic!("world {seed} cannot be read") };
        let spec = wild_features(&mut dice, &world, families);
        let rules = CohortSpec::default().unit(if families { Unit::Family } else { Unit::Person });
        let texts =
            Texts::new(&mappings, (&rules, &spec), (wild_date(), engine.dialect)).unwrap().with_views(raw);
        assert!(texts.views().all(|(_, unsaid)| unsaid.is_empty()));
        let of = format!("world {seed}");
        let found = same_tables(engine, &texts, (&records, tables), &of);
        reasons.extend(found.reasons);
        let Ok(cohort) = rules.choose(&records.as_of(wild_date())) else { continue };
        same::features(
            &found.made.table("eh_features"),
            &texts,
            (&cohort, &spec.compute(&cohort).unwrap()),
            &of,
        );
    }
    reasons
}

fn council_views(engine: &Engine) {
    let folder = tempfile::tempdir().unwrap();
    let council = CouncilParams::new(1_500, 1).generate().unwrap();
    let path = council.write(folder.path(), Format::Parquet).unwrap();
    let project = Project::load(path).unwrap().read_on(today());
    let records = project.records().unwrap();
    let (spec, date) = (project.features().unwrap(), "2025-04-01".parse().unwrap());
    let texts = Texts::of_project(&project, &spec, (date, engine.dialect)).unwrap();
    let texts = texts.with_views(RawTables::of_project(&project));
    assert!(texts.views().all(|(_, unsaid)| unsaid.is_empty()));
    let mut tables = Vec::new();
    for file in std::fs::read_dir(folder.path()).unwrap() {
        let path = file.unwrap().path();
        if path.extension().is_some_and(|ending| ending == "parquet") {
            let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
            let frame = ParquetReader::new(std::fs::File::open(&path).unwrap()).finish().unwrap();
            tables.push((format!("raw_{name}"), frame));
        }
    }
    let found = same_tables(engine, &texts, (&records, tables), "council");
    let cohort = project.cohort(&records, date).unwrap();
    same::features(
        &found.made.table("eh_features"),
        &texts,
        (&cohort, &spec.compute(&cohort).unwrap()),
        "council",
    );
}

#[test]
fn what_no_view_says_is_named_and_left_to_the_library() {
    let text = r#"
        name = "x"
        purpose = "y"
        people = { path = "p.csv", columns = { person = "id", date_of_birth = "born" } }
        outcome = { name = "o", words = "It comes about", records = [{ source = "plain" }], horizon = "1 month" }
        training = { as_of = ["2024-01-01"], capacity = { cases = 5 } }
        [[source]]
        name = "plain"
        path = "a.csv"
        columns = { entity = "id", kind = { constant = "x" }, occurred = "on" }
        [[source]]
        name = "odd"
        path = "b.csv"
        codes = { k = "k.csv" }
        read = { dates = { days_from = "2024-01-01" } }
        columns = { entity = ["a", "b"], kind = { column = "k" }, occurred = "on", link_probability = "p" }
        [[feature]]
        source = "plain"
        measure = "count"
        over = ["1 month"]
        why = "z"
        [[feature]]
        source = "odd"
        measure = "count"
        over = ["1 month"]
        why = "z"
    "#;
    let unsaid = |text: &str, dialect| -> Vec<(String, String)> {
        let project = Project::from_toml(text, ".").unwrap();
        let spec = project.features().unwrap();
        let texts = Texts::of_project(&project, &spec, (wild_date(), dialect)).unwrap();
        let texts = texts.with_views(RawTables::of_project(&project));
        let staging = texts.scripts().remove(0).text;
        let unsaid = texts.views().map(|(table, unsaid)| {
            let has_view = staging.contains(&format!("CREATE VIEW {table} AS"));
            assert_eq!(has_view, unsaid.is_empty(), "{table}");
            let is_told = staging.contains(&format!("-- {table} has no view: {}", unsaid.join(", ")));
            assert_eq!(is_told, !unsaid.is_empty(), "{table}");
            (table.to_owned(), unsaid.join(" "))
        });
        unsaid.collect()
    };
    let of = |table: &str, unsaid: &str| (table.to_owned(), unsaid.to_owned());
    let odd = of("eh_odd", "codes read.dates entity link_probability");
    let found = unsaid(text, Dialect::DuckDb);
    assert_eq!(found, [of("eh_people", ""), of("eh_stays", ""), odd, of("eh_plain", "")]);
    let nobody = unsaid(&text.replace("people =", "#"), Dialect::DuckDb);
    assert!(nobody.iter().all(|(_, unsaid)| unsaid.contains("no list of people")));
    assert!(unsaid(text, Dialect::SqlServer).iter().all(|(_, unsaid)| unsaid.contains("SQL Server")));
}

#[test]
fn duckdb_views_make_the_staged_tables_of_the_library() {
    let Some(engine) = Engine::of(Dialect::DuckDb) else { return };
    let reasons = wild_views(&engine, 0..30);
    let all = [
        "date_implausible",
        "date_missing",
        "duplicate",
        "end_before_start",
        "entity_missing",
        "entity_repeated",
        "entity_unknown",
        "household_missing",
        "kind_missing",
        "not_a_part",
        "number_unreadable",
        "reference_missing",
        "reference_repeated",
        "role_unknown",
    ];
    assert_eq!(reasons.iter().map(String::as_str).collect::<Vec<_>>(), all);
    council_views(&engine);
}

#[test]
fn postgresql_views_make_the_staged_tables_of_the_library() {
    let Some(engine) = Engine::of(Dialect::PostgreSql) else { return };
    wild_views(&engine, 0..8);
    council_views(&engine);
}

#[test]
fn spark_views_make_the_staged_tables_of_the_library() {
    let Some(engine) = Engine::of(Dialect::Spark) else { return };
    wild_views(&engine, 1..2);
}
