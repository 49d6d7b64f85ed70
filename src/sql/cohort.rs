//! Who is asked about: the cohort's rules as tables of cases, and of the people behind each.

use super::Texts;
use super::query::{Query, tree};
use crate::cohort::Unit;
use crate::features::Measure;
use crate::records::Selector;

/// The ages that are told apart: nobody was born more years before a date, or after it.
const AGES: std::ops::RangeInclusive<i32> = -2..=130;

/// The household of each person as it was known on the date.
pub(super) fn homes(asked: &Texts<'_>) -> Query {
    let (today, dialect) = (asked.today(), asked.dialect);
    let mut query = Query::new("eh_home", "The household of each person, as it was known on the date.");
    query.with.push((
        "known".into(),
        format!(
            "SELECT person, household, ROW_NUMBER() OVER (\n  PARTITION BY person ORDER BY COALESCE(start_day, {}) DESC, {}\n) AS place\n\
             FROM eh_stays\n\
             WHERE (start_day IS NULL OR (start_day <= {today} AND start_day + lag_days < {today}))\n  \
             AND (end_day IS NULL OR NOT (end_day <= {today} AND end_day + lag_days < {today}))",
            i32::MIN,
            dialect.by_bytes("household"),
        ),
    ));
    query.column("person", "person");
    query.column("household", "household");
    query.from = "FROM known WHERE place = 1".into();
    query
}

/// Everybody, with their age on the date and whether they are known to have died or left.
pub(super) fn people(asked: &Texts<'_>) -> Query {
    let today = asked.as_of.day();
    let mut query = Query::new("eh_person", "Everybody, with their age in whole years on the date.");
    // Whoever was born on this day or later is younger than so many years.
    let born_after = |age: i32| (today.plus_months(-12 * age).epoch_days() + 1).to_string();
    let edges: Vec<String> = AGES.rev().map(born_after).collect();
    let ages: Vec<String> = AGES.rev().chain([*AGES.start() - 1]).map(|age| age.to_string()).collect();
    query.column("person", "person");
    query.column("born", "born");
    query.column(format!("CASE WHEN born IS NOT NULL THEN {} END", tree("born", &edges, &ages)), "age");
    let days = today.epoch_days();
    query.column(format!("CASE WHEN died < {days} OR left_day < {days} THEN 1 ELSE 0 END"), "is_gone");
    query.from = "FROM eh_people".into();
    query
}

/// Whose records may be a case's own.
fn possible(unit: Unit) -> &'static str {
    match unit {
        Unit::Person => "SELECT person AS entity, person FROM eh_person",
        Unit::Family => "SELECT household AS entity, person FROM eh_home",
    }
}

/// The cases: who passes every rule. A rule looks at those of a case's people who are here.
pub(super) fn cases(asked: &Texts<'_>) -> Query {
    let (rules, dialect, today) = (asked.cohort, asked.dialect, asked.today());
    let mut query = Query::new("eh_case", "The cases: who passes every rule of the cohort.");
    query.with.push(("possible".into(), possible(rules.unit).into()));
    let (mut having, mut joins) =
        (vec!["SUM(CASE WHEN p.is_gone = 0 THEN 1 ELSE 0 END) > 0".to_owned()], String::new());
    if let Some((youngest, oldest)) = rules.ages {
        let fits = format!("p.is_gone = 0 AND p.age BETWEEN {youngest} AND {oldest}");
        having.push(format!("MAX(CASE WHEN {fits} THEN 1 ELSE 0 END) = 1"));
    }
    let mut rule = |selector: &Selector, condition: String, passes: &str| {
        let Some(source) = asked.source(&selector.source) else { return };
        let name = format!("rule{}", query.with.len());
        query.with.push((format!("{name}_seen"), source.seen(&[selector], asked.as_of, dialect)));
        query.with.push((name.clone(), format!("SELECT DISTINCT person FROM {name}_seen WHERE {condition}")));
        joins.push_str(&format!("\nLEFT JOIN {name} ON {name}.person = o.person"));
        let has = format!("p.is_gone = 0 AND {name}.person IS NOT NULL");
        having.push(format!("MAX(CASE WHEN {has} THEN 1 ELSE 0 END) = {passes}"));
    };
    let is_open = format!("s0 = 1 AND occurred <= {today} AND COALESCE(ended, {}) > {today}", i32::MAX);
    rules.open.iter().for_each(|records| rule(records, is_open.clone(), "1"));
    rules.not_open.iter().for_each(|records| rule(records, is_open.clone(), "0"));
    for none in &rules.none_within {
        let from = i64::from(today) - i64::from(none.days);
        rule(&none.records, format!("s0 = 1 AND occurred >= {from} AND occurred < {today}"), "0");
    }
    for records in &rules.latest {
        latest(asked, records, &mut query, &mut joins, &mut having);
    }
    query.column("o.entity", "entity");
    query.column(
        match rules.unit {
            Unit::Person => "MAX(h.household)",
            Unit::Family => "o.entity",
        },
        "household",
    );
    query.from = format!(
        "FROM possible o\nJOIN eh_person p ON p.person = o.person\nLEFT JOIN eh_home h ON h.person = o.person{joins}\n\
         GROUP BY o.entity\nHAVING {}",
        having.join("\n  AND ")
    );
    query
}

/// The rule that somebody's last record of a source is such a one.
fn latest(
    asked: &Texts<'_>,
    records: &Selector,
    query: &mut Query,
    joins: &mut String,
    having: &mut Vec<String>,
) {
    let Some(source) = asked.source(&records.source) else { return };
    let name = format!("rule{}", query.with.len());
    query.with.push((format!("{name}_seen"), source.seen(&[records], asked.as_of, asked.dialect)));
    query.with.push((
        format!("{name}_placed"),
        format!(
            "SELECT person, s0, ROW_NUMBER() OVER (PARTITION BY person ORDER BY seq DESC) AS place\nFROM {name}_seen WHERE \
             occurred < {}",
            asked.today()
        ),
    ));
    query.with.push((name.clone(), format!("SELECT person FROM {name}_placed WHERE place = 1 AND s0 = 1")));
    joins.push_str(&format!("\nLEFT JOIN {name} ON {name}.person = o.person"));
    having.push(format!("MAX(CASE WHEN p.is_gone = 0 AND {name}.person IS NOT NULL THEN 1 ELSE 0 END) = 1"));
}

/// The people whose records are each case's own.
pub(super) fn own(asked: &Texts<'_>) -> Query {
    let mut query = Query::new("eh_own", "The people whose records are each case's own.");
    query.with.push(("possible".into(), possible(asked.cohort.unit).into()));
    query.column("o.entity", "entity");
    query.column("o.person", "person");
    query.from = "FROM possible o\nJOIN eh_case c ON c.entity = o.entity".into();
    query
}

/// The others in each case's household.
pub(super) fn others() -> Query {
    let mut query = Query::new("eh_others", "The others in each case's household.");
    query.column("c.entity", "entity");
    query.column("h.person", "person");
    query.from =
        "FROM eh_case c\nJOIN eh_home h ON h.household = c.household AND h.person <> c.entity".into();
    query
}

/// What the lists of people and of households say of each case; `None` where no feature asks.
pub(super) fn of_people(asked: &Texts<'_>) -> Option<Query> {
    let features: Vec<_> = asked.features().filter(|(feature, _)| feature.measure.is_of_people()).collect();
    if features.is_empty() {
        return None;
    }
    let mut query = Query::new("eh_of_people", "What the lists of people and households say of each case.");
    query.column("c.entity", "entity");
    let (mut of_own, mut of_home) = (vec!["MIN(p.age) AS age".to_owned()], Vec::new());
    let mut joins = String::new();
    for (feature, column) in features {
        let found = match feature.measure {
            Measure::Members(youngest, oldest) => {
                let name = format!("aged_{youngest}_to_{oldest}");
                let fits = format!("CASE WHEN p.age BETWEEN {youngest} AND {oldest} THEN 1 ELSE 0 END");
                of_home.push(format!("SUM({fits}) AS {name}"));
                format!("CASE WHEN m.unknown = 0 THEN m.{name} END")
            }
            Measure::Moves => {
                let name = format!("moves_{}", query.with.len());
                query.with.push((name.clone(), moves(asked, feature.over.start(asked.as_of).epoch_days())));
                joins.push_str(&format!("\nLEFT JOIN {name} ON {name}.person = o.person"));
                of_own.push(format!("MAX(COALESCE({name}.moves, 0)) AS {name}"));
                format!("CASE WHEN c.household IS NOT NULL THEN n.{name} END")
            }
            _ => "n.age".to_owned(),
        };
        query.column(asked.dialect.rounded(&found), column.value.clone());
        query.state(format!("CASE WHEN {found} IS NULL THEN 1 ELSE 0 END"), column.state.clone());
    }
    query.with.push((
        "of_own".into(),
        format!(
            "SELECT o.entity, {}\nFROM eh_own o\nJOIN eh_person p ON p.person = o.person{joins}\nGROUP BY o.entity",
            of_own.join(", ")
        ),
    ));
    of_home.push("MAX(CASE WHEN p.age IS NULL THEN 1 ELSE 0 END) AS unknown".into());
    query.with.push((
        "of_home".into(),
        format!(
            "SELECT c.entity, {}\nFROM eh_case c\nJOIN eh_home h ON h.household = c.household\nJOIN eh_person p ON p.person = \
             h.person\nGROUP BY c.entity",
            of_home.join(", ")
        ),
    ));
    query.from =
        "FROM eh_case c\nJOIN of_own n ON n.entity = c.entity\nLEFT JOIN of_home m ON m.entity = c.entity"
            .into();
    Some(query)
}

/// How often each person came into another household since a day, as far as it was known.
fn moves(asked: &Texts<'_>, since: i32) -> String {
    let (today, household) = (asked.today(), asked.dialect.by_bytes("household"));
    let (first, last) = (i32::MIN, i32::MAX);
    format!(
        "SELECT person, SUM(CASE WHEN household_before <> household AND begun >= {since} THEN 1 ELSE 0 END) AS moves\nFROM (\n  SELECT \
         person, household, COALESCE(start_day, {first}) AS begun, LAG(household) OVER (\n    PARTITION BY person ORDER BY \
         COALESCE(start_day, {first}), {household}, COALESCE(end_day, {last})\n  ) AS household_before\n  FROM eh_stays\n  WHERE \
         start_day IS NULL OR (start_day < {today} AND start_day + lag_days < {today})\n) spells\nGROUP BY person"
    )
}
