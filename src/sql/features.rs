//! Every feature as of the date: a table for each source and scope, and one of all.

use std::collections::BTreeMap;

use super::query::Query;
use super::source::Source;
use super::{Column, Texts};
use crate::calendar::{Day, Lookback};
use crate::features::{Feature, Measure, Scope};
use crate::records::Selector;

/// The features of one source and one scope.
pub(super) struct Side<'a, 'p> {
    asked: &'a Texts<'p>,
    source: &'a Source<'p>,
    scope: Scope,
    features: Vec<(&'p Feature, &'a Column)>,
    selectors: Vec<&'p Selector>,
    /// What is looked up across rows before they are counted, and the name of each.
    across: Vec<(String, String)>,
    /// Names of the days from which on the source has to cover a case.
    from: BTreeMap<i32, String>,
}

/// What is counted of a case's rows, and what a case without any has.
struct Counted {
    what: String,
    is_zero_without_rows: bool,
}

impl<'a, 'p> Side<'a, 'p> {
    pub(super) fn new(
        asked: &'a Texts<'p>,
        source: &'a Source<'p>,
        scope: Scope,
        features: Vec<(&'p Feature, &'a Column)>,
    ) -> Self {
        let mut selectors: Vec<&Selector> = Vec::new();
        for (feature, _) in &features {
            if !selectors.contains(&&feature.records) {
                selectors.push(&feature.records);
            }
        }
        Self { asked, source, scope, features, selectors, across: Vec::new(), from: BTreeMap::new() }
    }

    pub(super) fn columns(&self) -> impl Iterator<Item = &Column> {
        self.features.iter().map(|(_, column)| *column)
    }

    pub(super) fn table(&self) -> String {
        let [own, household] = &self.source.made;
        match self.scope {
            Scope::Own => own.clone(),
            Scope::Household => household.clone(),
        }
    }

    /// The table: for each case the value and the state of each feature.
    pub(super) fn query(mut self) -> Query {
        let Texts { as_of, dialect, .. } = *self.asked;
        let of_whom = match self.scope {
            Scope::Own => "the case's own records",
            Scope::Household => "records of the others in the household",
        };
        let mut query = Query::new(self.table(), format!("Source {}: {of_whom}.", self.source.name));
        let people = match self.scope {
            Scope::Own => "eh_own",
            Scope::Household => "eh_others",
        };
        let counted: Vec<Counted> =
            self.features.clone().iter().map(|(feature, _)| self.counted(feature)).collect();
        let from: Vec<String> =
            self.features.clone().iter().map(|(feature, _)| self.covered_from(feature)).collect();
        query.with.push(("seen".into(), self.source.seen(&self.selectors, as_of, dialect)));
        let across: Vec<String> =
            self.across.iter().map(|(what, name)| format!(",\n  {what} AS {name}")).collect();
        let across = across.concat();
        let joined = format!("FROM {people} o\nJOIN seen s ON s.person = o.person");
        query.with.push(("events".into(), format!("SELECT o.entity, s.*{across}\n{joined}")));
        let found: Vec<String> = counted
            .iter()
            .zip(&self.features)
            .map(|(counted, (_, column))| format!("{} AS {}", counted.what, column.value))
            .collect();
        query.with.push((
            "found".into(),
            format!("SELECT e.entity,\n  {}\nFROM events e\nGROUP BY e.entity", found.join(",\n  ")),
        ));
        self.cover(&mut query, people);
        query.column("c.entity", "entity");
        for ((counted, (_, column)), from) in counted.iter().zip(&self.features).zip(&from) {
            let value = if counted.is_zero_without_rows {
                format!("CASE WHEN f.entity IS NULL THEN {} ELSE f.{} END", dialect.number(0.0), column.value)
            } else {
                format!("f.{}", column.value)
            };
            let covered = match self.scope {
                Scope::Own => format!("k.{from} = 1"),
                // Of nobody there is nothing that a source could have missed.
                Scope::Household => format!("c.household IS NOT NULL AND COALESCE(k.{from}, 1) = 1"),
            };
            let not_covered = match self.scope {
                Scope::Own => format!("k.{from} = 1"),
                Scope::Household => format!("c.household IS NULL OR COALESCE(k.{from}, 1) = 1"),
            };
            query.column(format!("CASE WHEN {covered} THEN {value} END"), column.value.clone());
            let is_missing = match (self.scope, counted.is_zero_without_rows) {
                (Scope::Own, true) => format!("f.entity IS NOT NULL AND f.{} IS NULL", column.value),
                (Scope::Household, true) => {
                    format!("c.household IS NULL OR (f.entity IS NOT NULL AND f.{} IS NULL)", column.value)
                }
                (Scope::Own, false) => format!("f.{} IS NULL", column.value),
                (Scope::Household, false) => format!("c.household IS NULL OR f.{} IS NULL", column.value),
            };
            query.state(
                format!("CASE WHEN NOT ({not_covered}) THEN 2 WHEN {is_missing} THEN 1 ELSE 0 END"),
                column.state.clone(),
            );
        }
        "FROM eh_case c\nLEFT JOIN found f ON f.entity = c.entity\nLEFT JOIN covered k ON k.entity = c.entity"
            .clone_into(&mut query.from);
        query
    }

    /// For each case and each day from which on it is asked: whether the source covers one of its people.
    fn cover(&self, query: &mut Query, people: &str) {
        let Texts { as_of, dialect, .. } = *self.asked;
        let (coverage, today) = (self.source.coverage, as_of.day().epoch_days());
        let mut conditions = Vec::new();
        if !coverage.is_fresh(as_of) {
            conditions.push("1 = 0".to_owned());
        }
        if let Some((youngest, oldest)) = coverage.ages {
            conditions.push(format!("(p.age IS NULL OR p.age BETWEEN {youngest} AND {oldest})"));
        }
        let (begins, from_begins) = if let Some(from) = coverage.from {
            (from.epoch_days().to_string(), "")
        } else {
            let first =
                format!("SELECT MIN(occurred) AS day FROM {} WHERE known < {today}", self.source.table);
            query.with.push(("begins".into(), first));
            ("b.day".to_owned(), "\nCROSS JOIN begins b")
        };
        let first = Day::BOUNDS.0;
        conditions.push(format!("{begins} IS NOT NULL"));
        // Before birth there was nothing to record.
        let since = format!(
            "CASE WHEN {} THEN CASE WHEN p.born >= {begins} THEN {first} ELSE {begins} END END AS since",
            conditions.join(" AND ")
        );
        let (until, from_roster) = match self.asked.source(coverage.roster.as_deref().unwrap_or_default()) {
            None => (String::new(), ""),
            Some(roster) => {
                query.with.push(("on_roster".into(), roster.seen(&[], as_of, dialect)));
                query.with.push((
                    "roster".into(),
                    format!(
                        "SELECT person, MAX(COALESCE(ended, {})) AS until_day\nFROM on_roster WHERE occurred <= {today}\n\
                         GROUP BY person",
                        i32::MAX
                    ),
                ));
                (", r.until_day".to_owned(), "\nLEFT JOIN roster r ON r.person = p.person")
            }
        };
        query.with.push((
            "cover".into(),
            format!("SELECT p.person, {since}{until}\nFROM eh_person p{from_begins}{from_roster}"),
        ));
        let columns: Vec<String> = self
            .from
            .iter()
            .map(|(&start, name)| {
                let mut all = vec!["v.since IS NOT NULL".to_owned()];
                if start > first {
                    all.push(format!("v.since <= {start}"));
                }
                if !until.is_empty() {
                    all.push(format!("v.until_day > {start}"));
                }
                format!("MAX(CASE WHEN {} THEN 1 ELSE 0 END) AS {name}", all.join(" AND "))
            })
            .collect();
        query.with.push((
            "covered".into(),
            format!(
                "SELECT o.entity,\n  {}\nFROM {people} o\nJOIN cover v ON v.person = o.person\nGROUP BY o.entity",
                columns.join(",\n  ")
            ),
        ));
    }

    /// The name of the column that says whether the source covers the case from the day that the feature asks for.
    fn covered_from(&mut self, feature: &Feature) -> String {
        let as_of = self.asked.as_of;
        let start = match feature.measure {
            Measure::PresentNow => as_of.day(),
            Measure::Change => {
                feature.over.start_of_previous(as_of).unwrap_or(Day::from_epoch_days(i32::MIN))
            }
            _ => feature.over.start(as_of),
        };
        let next = format!("k{}", self.from.len());
        self.from.entry(start.epoch_days()).or_insert(next).clone()
    }

    fn selector(&self, feature: &Feature) -> usize {
        self.selectors.iter().position(|held| **held == feature.records).unwrap_or_default()
    }

    /// What is looked up across rows, by its name.
    fn across(&mut self, what: String) -> String {
        let found = self.across.iter().find(|(held, _)| *held == what);
        if let Some((_, name)) = found {
            return name.clone();
        }
        let name = format!("a{}", self.across.len());
        self.across.push((what, name.clone()));
        name
    }

    fn counted(&mut self, feature: &Feature) -> Counted {
        let Texts { as_of, dialect, .. } = *self.asked;
        let today = as_of.day().epoch_days();
        let nth = self.selector(feature);
        let start = feature.over.start(as_of).epoch_days();
        let since = |start: i32, over: Lookback| match over {
            Lookback::Ever => format!("e.s{nth} = 1 AND e.occurred < {today}"),
            _ => format!("e.s{nth} = 1 AND e.occurred >= {start} AND e.occurred < {today}"),
        };
        let is_in = since(start, feature.over);
        let count = |condition: &str| format!("COUNT(CASE WHEN {condition} THEN 1 END)");
        let double = |number: &str| dialect.as_double(number);
        let sum =
            |condition: &str, what: &str| format!("SUM(CASE WHEN {condition} THEN {} END)", double(what));
        let has_value = format!("{is_in} AND e.value IS NOT NULL");
        let zero = |what: String| Counted { what: dialect.rounded(&what), is_zero_without_rows: true };
        let optional = |what: String| Counted { what: dialect.rounded(&what), is_zero_without_rows: false };
        match &feature.measure {
            Measure::Count => zero(count(&is_in)),
            Measure::Any => zero(format!("MAX(CASE WHEN {is_in} THEN 1 ELSE 0 END)")),
            Measure::Sum => zero(format!(
                "CASE WHEN {} = 0 THEN {} ELSE {} END",
                count(&is_in),
                dialect.number(0.0),
                sum(&has_value, "e.value")
            )),
            Measure::Mean => {
                let (total, valued) = (sum(&has_value, "e.value"), count(&has_value));
                optional(format!("{total} / {}", double(&format!("NULLIF({valued}, 0)"))))
            }
            Measure::Max => optional(format!("MAX(CASE WHEN {is_in} THEN e.value END)")),
            Measure::Min => optional(format!("MIN(CASE WHEN {is_in} THEN e.value END)")),
            Measure::Share => {
                let both = format!("{has_value} AND e.part_of IS NOT NULL");
                let (part, of) = (sum(&both, "e.value"), sum(&both, "e.part_of"));
                let zero = dialect.number(0.0);
                optional(format!(
                    "CASE WHEN {of} > {zero} THEN {} * {part} / {of} END",
                    dialect.number(100.0)
                ))
            }
            Measure::Slope => optional(self.slope(&has_value)),
            Measure::Latest => {
                let rank = self.latest(nth, "s.value");
                optional(format!("MAX(CASE WHEN e.{rank} = 1 AND {has_value} THEN e.value END)"))
            }
            Measure::LatestIs { category, value } => {
                let column = self.source.category(category).unwrap_or_default().to_owned();
                let says = format!("CASE WHEN e.{column} = {} THEN 1 ELSE 0 END", dialect.text(value));
                optional(self.latest_code(nth, &column, &is_in, &says))
            }
            Measure::LatestOf { category, codes } => {
                let column = self.source.category(category).unwrap_or_default().to_owned();
                let each = codes.iter().enumerate();
                let each: Vec<String> =
                    each.map(|(place, code)| format!(" WHEN {} THEN {place}", dialect.text(code))).collect();
                let each = each.concat();
                let says = format!("CASE e.{column}{each} ELSE {} END", codes.len());
                optional(self.latest_code(nth, &column, &is_in, &says))
            }
            Measure::DistinctKinds => zero(format!("COUNT(DISTINCT CASE WHEN {is_in} THEN e.kind END)")),
            Measure::Distinct(category) => {
                let column = self.source.category(category).unwrap_or_default();
                zero(format!("COUNT(DISTINCT CASE WHEN {is_in} THEN e.{column} END)"))
            }
            Measure::DistinctDays => zero(format!("COUNT(DISTINCT CASE WHEN {is_in} THEN e.occurred END)")),
            Measure::Incidents => zero(format!(
                "COUNT(DISTINCT CASE WHEN {is_in} THEN e.incident END) + {}",
                count(&format!("{is_in} AND e.incident IS NULL"))
            )),
            Measure::DaysSinceLast => {
                optional(format!("{today} - MAX(CASE WHEN {is_in} THEN e.occurred END)"))
            }
            Measure::DaysSinceFirst => {
                optional(format!("{today} - MIN(CASE WHEN {is_in} THEN e.occurred END)"))
            }
            Measure::DaysSinceChange(category) => {
                let column = self.source.category(category).unwrap_or_default().to_owned();
                let is_one = format!("s.s{nth} = 1 AND s.{column} IS NOT NULL AND s.occurred < {today}");
                let before = self.across(format!(
                    "LAG(s.{column}) OVER (PARTITION BY o.entity, s.person, CASE WHEN {is_one} THEN 1 ELSE 0 END ORDER BY s.seq)"
                ));
                let changed = format!("{is_in} AND e.{column} IS NOT NULL AND e.{before} <> e.{column}");
                optional(format!("{today} - MAX(CASE WHEN {changed} THEN e.occurred END)"))
            }
            Measure::DaysOpen => zero(self.days_open(nth, start)),
            Measure::Change => {
                let both = feature
                    .over
                    .start_of_previous(as_of)
                    .map(|start| since(start.epoch_days(), feature.over));
                let now = count(&is_in);
                zero(both.map_or_else(|| now.clone(), |both| format!("2 * {now} - {}", count(&both))))
            }
            Measure::PresentNow => zero(format!(
                "MAX(CASE WHEN e.s{nth} = 1 AND e.occurred <= {today} AND COALESCE(e.ended, {}) > {today} THEN 1 ELSE 0 END)",
                i32::MAX
            )),
            Measure::Age | Measure::Members(..) | Measure::Moves => optional("NULL".to_owned()),
        }
    }

    /// The place of each row from the last one on among those that have something, as one case's rows are walked through.
    fn latest(&mut self, nth: usize, of: &str) -> String {
        let Texts { as_of, dialect, .. } = *self.asked;
        let today = as_of.day().epoch_days();
        let is_one = format!("s.s{nth} = 1 AND {of} IS NOT NULL AND s.occurred < {today}");
        let person = dialect.by_bytes("s.person");
        self.across(format!(
            "ROW_NUMBER() OVER (PARTITION BY o.entity, CASE WHEN {is_one} THEN 1 ELSE 0 END \
             ORDER BY s.occurred DESC, {person}, s.seq DESC)"
        ))
    }

    fn latest_code(&mut self, nth: usize, column: &str, is_in: &str, says: &str) -> String {
        let rank = self.latest(nth, &format!("s.{column}"));
        format!("MAX(CASE WHEN e.{rank} = 1 AND {is_in} AND e.{column} IS NOT NULL THEN {says} END)")
    }

    /// The slope of the line of least squares through values by day.
    fn slope(&self, has_value: &str) -> String {
        let Texts { as_of, dialect, .. } = *self.asked;
        let day = format!("(e.occurred - {})", as_of.day().epoch_days());
        let whole = |what: &str| {
            format!("CAST(SUM(CASE WHEN {has_value} THEN CAST({what} AS BIGINT) END) AS BIGINT)")
        };
        let sum = |what: &str| format!("SUM(CASE WHEN {has_value} THEN {what} END)");
        let (n, days) = (format!("COUNT(CASE WHEN {has_value} THEN 1 END)"), whole(&day));
        let squares = whole(&format!("{day} * {day}"));
        let value = dialect.as_double("e.value");
        let (values, products) = (sum(&value), sum(&format!("{} * {value}", dialect.as_double(&day))));
        let spread = format!("({n} * {squares} - {days} * {days})");
        let double = |number: &str| dialect.as_double(number);
        let together = format!("({} * {products} - {} * {values})", double(&n), double(&days));
        let thirty = dialect.number(30.0);
        format!("CASE WHEN {spread} > 0 THEN {thirty} * {together} / {} END", double(&spread))
    }

    /// Days on which at least one episode was open: of each what lies beyond those that began before it.
    fn days_open(&mut self, nth: usize, start: i32) -> String {
        let Texts { as_of, dialect, .. } = *self.asked;
        let today = as_of.day().epoch_days();
        let end = |of: &str| dialect.lesser(&format!("COALESCE({of}.ended, {today})"), &today.to_string());
        let is_one = |of: &str| format!("{of}.s{nth} = 1 AND {of}.occurred < {today}");
        let reached = self.across(format!(
            "MAX({end}) OVER (PARTITION BY o.entity, CASE WHEN {is_one} THEN 1 ELSE 0 END \
             ORDER BY s.occurred, {end} ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)",
            end = end("s"),
            is_one = is_one("s"),
        ));
        let begins = dialect.greater("e.occurred", &start.to_string());
        let begins = dialect.greater(&begins, &format!("COALESCE(e.{reached}, {start})"));
        let days = dialect.greater("0", &format!("({} - {begins})", end("e")));
        format!("SUM(CASE WHEN {} THEN {days} ELSE 0 END)", is_one("e"))
    }
}
