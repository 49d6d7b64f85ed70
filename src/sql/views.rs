//! Views that make the staged tables of raw ones, as the library reads extracts: each row is accepted or has its first fault, and
//! all are counted.
//!
//! ```text
//! raw_police ─eh_raw_police─→ eh_checked_police { fault } ─→ eh_told_police { verdict } ─→ eh_police
//!                                        └───────────────────────┴─→ eh_rejects, eh_intake
//! ```

use super::Texts;
use super::cells::{Cells, in_capitals};
use super::dialect::Dialect;
use super::query::{Query, commented};
use super::raw::{Raw, RawTables};
use super::source::Source;
use super::states::{Told, order};
use crate::records::{HouseholdColumns, Kind, Known, OPEN, PeopleColumns, RejectReason, Role};

/// What a row's fault is: conditions, of which the first that holds counts.
#[derive(Default)]
struct Faults(Vec<(String, RejectReason)>);

impl Faults {
    fn add(&mut self, condition: String, reason: RejectReason) {
        self.0.push((condition, reason));
    }

    fn text(&self, dialect: Dialect) -> String {
        let when = |(condition, reason): &(String, RejectReason)| {
            format!("\n  WHEN {condition} THEN {}", dialect.text(reason.code()))
        };
        let whens: Vec<String> = self.0.iter().map(when).collect();
        format!("CASE{}\nEND", whens.concat())
    }
}

/// All views, in the order in which they are made.
#[derive(Default)]
struct Views {
    raw: Vec<Query>,
    staged: Vec<Query>,
    /// Of each table its name, its checked rows, and those that repeat others.
    counted: Vec<(String, String, Option<String>)>,
}

/// The views, with what is to be known of them.
pub(super) fn text(asked: &Texts<'_>, raw: &RawTables<'_>) -> String {
    let dialect = asked.dialect;
    let mut views = Views::default();
    if asked.has_view("eh_people")
        && let Some(people) = &raw.people
    {
        views.people(dialect, people);
    }
    if asked.has_view("eh_stays") {
        match &raw.households {
            Some(households) => views.stays(dialect, households),
            None => views.staged.push(no_stays()),
        }
    }
    for source in asked.sources.iter().filter(|source| asked.has_view(&source.table)) {
        views.source(dialect, source, raw);
    }
    views.counts(dialect);
    let mut text = said(asked);
    for query in views.raw.iter().chain(&views.staged).rev() {
        text.push_str(&format!("DROP VIEW IF EXISTS {};\n", query.table));
    }
    text.push('\n');
    let heading = "The raw tables, and what their columns are called below. This is the one place to edit by hand: where they are called \
                   otherwise\nor lie in another schema. A cell of another type is cast here, or in a view of your own that bears the raw \
                   table's name.\nDates are of a date type, numbers of a number type, and everything else is text.\n";
    text.push_str(&commented(heading));
    text.push('\n');
    for query in views.raw.iter().chain(&views.staged) {
        text.push_str(&query.view_text(dialect));
    }
    text
}

/// Which tables have no view, and why.
fn said(asked: &Texts<'_>) -> String {
    let unsaid = asked.views().filter(|(_, unsaid)| !unsaid.is_empty());
    let lines: Vec<String> = unsaid
        .map(|(table, unsaid)| {
            format!("{table} has no view: {}. `--staged` makes this table.", unsaid.join(", "))
        })
        .collect();
    if lines.is_empty() {
        return String::new();
    }
    commented(&format!("What the mapping asks and no view says:\n{}\n", lines.join("\n"))) + "\n"
}

fn no_stays() -> Query {
    let mut query = Query::new("eh_stays", "No list of households: nobody is known to live with anybody.");
    let columns = [
        ("person", "person"),
        ("person", "household"),
        ("born", "start_day"),
        ("born", "end_day"),
        ("born", "lag_days"),
    ];
    for (what, name) in columns {
        query.column(what, name);
    }
    query.from = "FROM eh_people WHERE 1 = 0".into();
    query
}

impl Views {
    fn raw(&mut self, dialect: Dialect, table: &str, columns: &[(&str, String)]) {
        let raw = table.trim_start_matches("eh_");
        let mut query = Query::new(table, "");
        for (name, called) in columns {
            query.column(dialect.name_of(called), (*name).to_owned());
        }
        query.from = format!("FROM {raw}");
        self.raw.push(query);
    }

    fn people(&mut self, dialect: Dialect, Raw { columns, options, .. }: &Raw<'_, PeopleColumns>) {
        let cells = Cells { dialect, options, last: None, ahead: 0 };
        let (first, last) = cells.plausible();
        let mut raw = vec![("person", columns.person[0].clone())];
        let mut others = Vec::new();
        let none = || "CAST(NULL AS INTEGER)".to_owned();
        let mut day = |name: &'static str, column: &Option<String>, is_told: &dyn Fn(&str) -> String| {
            let what = column.as_ref().map_or_else(none, |column| {
                raw.push((name, column.clone()));
                let day = cells.day(&format!("r.{name}"));
                format!("CASE WHEN {} THEN {day} END", is_told(&day))
            });
            others.push((what, name.to_owned()));
        };
        let between = |day: &str| format!("{day} BETWEEN {first} AND {last}");
        let never = crate::records::Plausible::DEFAULT.last;
        day("born", &columns.date_of_birth, &between);
        // To leave may be planned; nobody has died on a day that is yet to come.
        day("died", &columns.died, &|day| format!("{} AND {day} < {never}", between(day)));
        day("left_day", &columns.left, &|day| format!("{day} >= {first} AND {day} < {never}"));
        self.raw(dialect, "eh_raw_people", &raw);

        let mut checked =
            Query::new("eh_checked_people", "The list of people, and which of its rows are rejected.");
        checked.with = cells.steps("eh_raw_people", &["person".to_owned()], &others);
        checked.with.push((
            "counted".into(),
            "SELECT c.*, ROW_NUMBER() OVER (PARTITION BY c.person ORDER BY c.person) AS nth\nFROM cells c"
                .into(),
        ));
        for name in ["person", "born", "died", "left_day"] {
            checked.column(format!("n.{name}"), name);
        }
        let mut faults = Faults::default();
        faults.add("n.person IS NULL".into(), RejectReason::EntityMissing);
        faults.add("n.nth > 1".into(), RejectReason::EntityRepeated);
        checked.column(faults.text(dialect), "fault");
        checked.from = "FROM counted n".into();
        self.staged.push(checked);

        // Of two days of birth or death the earlier; who is still here by one row has not left.
        let mut query = Query::new("eh_people", "Everybody, once.");
        query.column("person", "person");
        query.column("MIN(born)", "born");
        query.column("MIN(died)", "died");
        query.column("CASE WHEN COUNT(*) = COUNT(left_day) THEN MAX(left_day) END", "left_day");
        query.from = "FROM eh_checked_people\nWHERE person IS NOT NULL\nGROUP BY person".into();
        self.staged.push(query);
        self.counted.push(("people".into(), "eh_checked_people".into(), None));
    }

    fn stays(&mut self, dialect: Dialect, Raw { columns, options, .. }: &Raw<'_, HouseholdColumns>) {
        let cells = Cells { dialect, options, last: None, ahead: 0 };
        let mut raw = vec![("person", columns.person[0].clone()), ("household", columns.household.clone())];
        let none = || "CAST(NULL AS INTEGER)".to_owned();
        let mut others = Vec::new();
        for (name, column) in [("start_day", &columns.start), ("end_day", &columns.end)] {
            let what = column.as_ref().map_or_else(none, |column| {
                raw.push((name, column.clone()));
                let date = format!("r.{name}");
                if name == "end_day" { cells.end(&date) } else { cells.day(&date) }
            });
            others.push((what, name.to_owned()));
        }
        self.raw(dialect, "eh_raw_households", &raw);

        let mut checked = Query::new(
            "eh_checked_households",
            "The list of households, and which of its rows are rejected.",
        );
        checked.with =
            cells.steps("eh_raw_households", &["person".to_owned(), "household".to_owned()], &others);
        for name in ["person", "household", "start_day", "end_day"] {
            checked.column(format!("c.{name}"), name);
        }
        let mut faults = Faults::default();
        of_person(&mut faults);
        faults.add("c.household IS NULL".into(), RejectReason::HouseholdMissing);
        faults.add(cells.is_implausible("c.start_day"), RejectReason::DateImplausible);
        faults.add(format!("c.end_day < {}", cells.plausible().0), RejectReason::DateImplausible);
        faults.add("c.end_day < c.start_day".into(), RejectReason::EndBeforeStart);
        checked.column(faults.text(dialect), "fault");
        checked.from = "FROM cells c\nLEFT JOIN eh_people p ON p.person = c.person".into();
        self.staged.push(checked);

        let mut query = Query::new("eh_stays", "Who belonged to which household, and when.");
        for name in ["person", "household", "start_day", "end_day"] {
            query.column(name, name);
        }
        query.column(format!("CAST({} AS INTEGER)", columns.lag_days), "lag_days");
        query.from = "FROM eh_checked_households\nWHERE fault IS NULL".into();
        self.staged.push(query);
        self.counted.push(("households".into(), "eh_checked_households".into(), None));
    }

    fn source(&mut self, dialect: Dialect, source: &Source<'_>, raw: &RawTables<'_>) {
        let options = raw.options(source.name);
        let ahead = match source.columns.known {
            Known::LagDays(lag) if lag < 0 => -lag,
            _ => 0,
        };
        let last = source.coverage.updated.map(crate::calendar::Day::epoch_days);
        let cells = Cells { dialect, options: &options, last, ahead };
        let [raw_table, checked, told] = &source.views;
        let row = Row { source, cells: &cells };
        self.raw(dialect, raw_table, &row.raw());
        self.staged.push(row.checked(raw_table, checked));

        let repeated = Told { source, dialect, checked };
        let told = repeated.query(told).map(|query| (query.table.clone(), query));
        let from = told.as_ref().map_or_else(
            || format!("FROM {checked} t\nWHERE t.fault IS NULL"),
            |(table, _)| format!("FROM {table} t\nWHERE t.verdict IS NULL"),
        );
        let mut query =
            Query::new(source.table.clone(), format!("Source {}: rows as they were accepted.", source.name));
        let has_states = source.columns.reference.is_some();
        for (name, ..) in source.staged() {
            let what = match name.as_str() {
                // Ties are rows that are the same in everything.
                "seq" => format!(
                    "CAST(ROW_NUMBER() OVER (PARTITION BY t.person ORDER BY {}) - 1 AS INTEGER)",
                    order(source, "t", dialect)
                ),
                "superseded" if !has_states || !repeated.has_states() => "CAST(NULL AS INTEGER)".into(),
                name => format!("t.{name}"),
            };
            query.column(what, name);
        }
        query.from = from;
        let counted = told.as_ref().map(|(table, _)| table.clone());
        self.staged.extend(told.map(|(_, query)| query));
        self.staged.push(query);
        self.counted.push((source.name.to_owned(), checked.clone(), counted));
    }

    /// How many rows were read, accepted and rejected.
    fn counts(&mut self, dialect: Dialect) {
        if self.counted.is_empty() {
            return;
        }
        let (mut of_faults, mut read) = (Vec::new(), Vec::new());
        for (name, checked, told) in &self.counted {
            let name = dialect.text(name);
            of_faults.push(format!(
                "SELECT {name} AS source, fault AS reason, COUNT(*) AS rejected\nFROM {checked}\nWHERE fault IS NOT NULL\nGROUP BY fault"
            ));
            if let Some(told) = told {
                let said_before = dialect.text(super::states::SAID_BEFORE);
                of_faults.push(format!(
                    "SELECT {name}, verdict, COUNT(*)\nFROM {told}\nWHERE verdict <> {said_before}\nGROUP BY verdict"
                ));
            }
            read.push(format!("SELECT {name} AS source, COUNT(*) AS rows_read\nFROM {checked}"));
        }
        let mut rejects =
            Query::new("eh_rejects", "Why rows were rejected, each by its first fault, and how many.");
        rejects.with.push(("faults".into(), of_faults.join("\nUNION ALL\n")));
        for name in ["source", "reason", "rejected"] {
            rejects.column(name, name);
        }
        rejects.from = "FROM faults".into();
        self.staged.push(rejects);
        let mut intake = Query::new(
            "eh_intake",
            "What became of each table's rows: those read are those accepted and those rejected.",
        );
        intake.with.push(("counts".into(), read.join("\nUNION ALL\n")));
        intake.with.push((
            "faults".into(),
            "SELECT source, SUM(rejected) AS rejected\nFROM eh_rejects\nGROUP BY source".into(),
        ));
        intake.column("c.source", "source");
        intake.column("c.rows_read", "rows_read");
        intake.column("c.rows_read - COALESCE(f.rejected, 0)", "accepted");
        intake.column("COALESCE(f.rejected, 0)", "rejected");
        intake.from = "FROM counts c\nLEFT JOIN faults f ON f.source = c.source".into();
        self.staged.push(intake);
    }
}

fn of_person(faults: &mut Faults) {
    faults.add("c.person IS NULL".into(), RejectReason::EntityMissing);
    faults.add("p.person IS NULL".into(), RejectReason::EntityUnknown);
}

/// A source's rows, as they are taken up and checked.
struct Row<'a, 'p> {
    source: &'a Source<'p>,
    cells: &'a Cells<'a>,
}

impl Row<'_, '_> {
    /// The raw columns: what each is called here, and by the mapping.
    fn raw(&self) -> Vec<(&str, String)> {
        let columns = self.source.columns;
        let mut raw = vec![("person", columns.entity[0].clone()), ("occurred", columns.occurred.clone())];
        if let Known::Column(known) = &columns.known {
            raw.push(("known", known.clone()));
        }
        match &columns.kind {
            Kind::Column(kind) => raw.push(("kind", kind.clone())),
            Kind::ByDates(by) => raw.push(("due", by.after.clone())),
            Kind::Constant(_) | Kind::FileName(_) => {}
        }
        let optional = [
            ("ended", &columns.ended),
            ("ended_known", &columns.ended_known),
            ("role", &columns.role),
            ("value", &columns.value),
            ("part_of", &columns.of),
            ("reference", &columns.reference),
            ("incident", &columns.incident),
        ];
        raw.extend(optional.into_iter().filter_map(|(name, column)| Some((name, column.clone()?))));
        raw.extend(self.source.categories().map(|(name, column)| (column, name.to_owned())));
        raw
    }

    /// The cells that are texts, and the others with what they are taken to be.
    fn taken(&self) -> (Vec<String>, Vec<(String, String)>) {
        let (mut texts, mut others) = (Vec::new(), Vec::new());
        for (name, _) in self.raw() {
            let cell = format!("r.{name}");
            let other = match name {
                "occurred" | "known" | "ended_known" => self.cells.day(&cell),
                "ended" | "due" => self.cells.end(&cell),
                "value" | "part_of" => self.cells.number(&cell),
                _ => {
                    texts.push(name.to_owned());
                    continue;
                }
            };
            others.push((other, name.to_owned()));
        }
        (texts, others)
    }

    /// The faults of a row, in the order in which the library looks for them.
    fn faults(&self) -> Faults {
        let (columns, cells) = (self.source.columns, self.cells);
        let mut faults = Faults::default();
        of_person(&mut faults);
        let mut day = |name: &str| {
            faults.add(format!("c.{name} IS NULL"), RejectReason::DateMissing);
            faults.add(cells.is_implausible(&format!("c.{name}")), RejectReason::DateImplausible);
        };
        day("occurred");
        if matches!(columns.known, Known::Column(_)) {
            day("known");
        }
        let first = cells.plausible().0;
        if columns.ended.is_some() {
            faults.add(format!("c.ended < {first}"), RejectReason::DateImplausible);
            faults.add("c.ended < c.occurred".into(), RejectReason::EndBeforeStart);
        }
        if columns.ended_known.is_some() {
            faults.add(cells.is_implausible("c.ended_known"), RejectReason::DateImplausible);
        }
        match &columns.kind {
            Kind::Column(_) => faults.add("c.kind IS NULL".into(), RejectReason::KindMissing),
            Kind::ByDates(by) => {
                faults.add(format!("c.due < {first}"), RejectReason::DateImplausible);
                if by.empty.is_none() {
                    faults.add("c.due IS NULL".into(), RejectReason::KindMissing);
                }
            }
            Kind::Constant(_) | Kind::FileName(_) => {}
        }
        for (name, column) in [("c.value", &columns.value), ("c.part_of", &columns.of)] {
            if column.is_some() {
                faults.add(cells.is_too_large(name), RejectReason::NumberUnreadable);
            }
        }
        if columns.of.is_some() {
            let is_no_part = "c.part_of < 0 OR c.value < 0 OR c.value > c.part_of";
            faults.add(is_no_part.into(), RejectReason::NotAPart);
        }
        if columns.role.is_some() {
            let roles: Vec<String> = Role::ALL.iter().map(|&role| self.role(role)).collect();
            let is_one = format!("{} NOT IN ({})", in_capitals("c.role"), roles.join(", "));
            faults.add(is_one, RejectReason::RoleUnknown);
        }
        if columns.reference.is_some() {
            faults.add("c.reference IS NULL".into(), RejectReason::ReferenceMissing);
        }
        faults
    }

    fn role(&self, role: Role) -> String {
        self.cells.dialect.text(&role.name().to_ascii_uppercase())
    }

    fn checked(&self, raw: &str, table: &str) -> Query {
        let dialect = self.cells.dialect;
        let mut query =
            Query::new(table, format!("Source {}: its rows, each with its first fault.", self.source.name));
        let (texts, others) = self.taken();
        query.with = self.cells.steps(raw, &texts, &others);
        query.with.push((
            "judged".into(),
            format!(
                "SELECT c.*, {} AS fault\nFROM cells c\nLEFT JOIN eh_people p ON p.person = c.person",
                self.faults().text(dialect)
            ),
        ));
        for (name, ..) in self.source.staged() {
            let what = match name.as_str() {
                "seq" | "superseded" => continue,
                "known" => self.known(),
                "kind" => self.kind(),
                "ended" => self.ended(),
                "ended_known" => self.ended_known(),
                "role" => self.roles(),
                "value" | "part_of" => {
                    let rounded = self.cells.rounded(&format!("j.{name}"));
                    format!("CASE WHEN j.fault IS NULL THEN {rounded} END")
                }
                name => format!("j.{name}"),
            };
            query.column(what, name);
        }
        query.column("j.fault", "fault");
        query.from = "FROM judged j".into();
        query
    }

    fn known(&self) -> String {
        match self.source.columns.known {
            Known::LagDays(lag) => format!("j.occurred + ({lag})"),
            Known::Column(_) | Known::FileName(_) => "j.known".into(),
        }
    }

    fn kind(&self) -> String {
        let dialect = self.cells.dialect;
        match &self.source.columns.kind {
            Kind::Constant(kind) => dialect.text(kind),
            Kind::Column(_) | Kind::FileName(_) => "j.kind".into(),
            Kind::ByDates(by) => {
                let first = if by.column == self.source.columns.occurred { "occurred" } else { "known" };
                let empty = by.empty.as_ref().map_or_else(|| "NULL".to_owned(), |kind| dialect.text(kind));
                format!(
                    "CASE WHEN j.due IS NULL THEN {empty} WHEN j.{first} > j.due THEN {} ELSE {} END",
                    dialect.text(&by.then),
                    dialect.text(&by.otherwise)
                )
            }
        }
    }

    fn ended(&self) -> String {
        let days = self.source.columns.lasts_days;
        days.map_or_else(|| "j.ended".to_owned(), |days| format!("j.occurred + {days}"))
    }

    /// When an end became known; of one that has not come, a day that never comes.
    fn ended_known(&self) -> String {
        let columns = self.source.columns;
        match (columns.lasts_days, &columns.ended_known, &columns.known) {
            (Some(_), ..) => self.known(),
            (None, Some(_), _) => format!("COALESCE(j.ended_known, j.ended, {OPEN})"),
            (None, None, Known::LagDays(lag)) => {
                format!("COALESCE(j.ended + ({lag}), {})", OPEN.saturating_add(*lag))
            }
            (None, None, _) => {
                format!(
                    "CASE WHEN j.ended IS NULL THEN {OPEN} WHEN j.ended > j.known THEN j.ended ELSE j.known END"
                )
            }
        }
    }

    fn roles(&self) -> String {
        if self.source.columns.role.is_none() {
            return format!("CAST({} AS INTEGER)", Role::default() as u8);
        }
        let others = Role::ALL.iter().filter(|&&role| role != Role::default());
        let whens: Vec<String> =
            others.map(|&role| format!(" WHEN {} THEN {}", self.role(role), role as u8)).collect();
        format!("CASE {}{} ELSE {} END", in_capitals("j.role"), whens.concat(), Role::default() as u8)
    }
}
