//! Rows that repeat another: which are the next state of a record, which say what was said, and which contradict it.
//!
//! Of each reference the rows are taken by the day on which they became known, and of one day in the table's order. The first
//! that says something else than the record's state so far is its next state; the others of the day say the same or contradict
//! it. Whether that first row is the day's very first hangs on the state before. So it is told for each day what its first row
//! says and what the first row that says something else does: a day on which all say the same is sure of its state, and so is
//! one whose first row says neither of what the day before says. From there on the choice turns with every day whose first
//! row says what the day before's did, and so it is the number of turns that decides.

use super::dialect::Dialect;
use super::query::Query;
use super::source::Source;
use crate::records::{Duplicates, RejectReason, Repeated};

/// What a row is that says what another of its reference says.
pub(super) const SAID_BEFORE: &str = "said_before";

/// The rows of a source that may repeat others.
pub(super) struct Told<'a, 'p> {
    pub(super) source: &'a Source<'p>,
    pub(super) dialect: Dialect,
    /// Its checked rows.
    pub(super) checked: &'a str,
}

/// The order of a person's rows, as the library has it: by day, then by everything else that a row holds.
pub(super) fn order(source: &Source<'_>, of: &str, dialect: Dialect) -> String {
    let mut terms = says(source, of, dialect, false);
    // What is known stands before all that ties could be told by, but for the value.
    let place = 1 + usize::from(source.columns.value.is_some());
    terms.insert(place, format!("{of}.known"));
    if source.columns.reference.is_some() {
        terms.push(dialect.by_bytes(&format!("{of}.reference")));
    }
    if source.has_episodes() {
        terms.push(format!("{of}.ended NULLS LAST"));
        terms.push(format!("{of}.ended_known"));
    }
    terms.join(", ")
}

/// What a row says, but for when that became known; `whole` with its end.
fn says(source: &Source<'_>, of: &str, dialect: Dialect, whole: bool) -> Vec<String> {
    let columns = source.columns;
    let mut terms = vec![format!("{of}.occurred")];
    if columns.value.is_some() {
        terms.push(format!("{of}.value NULLS LAST"));
    }
    terms.push(dialect.by_bytes(&format!("{of}.kind")));
    terms.push(format!("{of}.role"));
    let incident = columns.incident.as_ref().map(|_| "incident");
    for name in source.categories().map(|(_, column)| column).chain(incident) {
        terms.push(format!("{} NULLS LAST", dialect.by_bytes(&format!("{of}.{name}"))));
    }
    if columns.of.is_some() {
        terms.push(format!("{of}.part_of NULLS LAST"));
    }
    if whole && source.has_episodes() {
        terms.push(format!("{of}.ended NULLS LAST"));
    }
    terms
}

impl Told<'_, '_> {
    /// Whether a reference that stands more than once tells states of one record.
    pub(super) fn has_states(&self) -> bool {
        self.source.columns.reference.is_some() && self.source.columns.repeated == Repeated::Latest
    }

    /// The sound rows, each with what becomes of it (`verdict`, `NULL` where it is kept) and the day on which a later state
    /// superseded it; `None` where every row is kept.
    pub(super) fn query(&self, table: &str) -> Option<Query> {
        let columns = self.source.columns;
        let query = Query::new(
            table,
            format!("Source {}: rows that repeat another, and what becomes of them.", self.source.name),
        );
        match (&columns.reference, columns.repeated, columns.duplicates) {
            (Some(_), Repeated::Latest, _) => Some(self.states(query)),
            (Some(_), Repeated::Reject, _) => {
                Some(self.first("c.reference", RejectReason::ReferenceRepeated, query))
            }
            (None, _, Duplicates::Drop) => Some(self.first("", RejectReason::Duplicate, query)),
            (None, _, Duplicates::Keep) => None,
        }
    }

    /// Of rows that are alike in some columns, or in all, the first.
    fn first(&self, alike: &str, reason: RejectReason, mut query: Query) -> Query {
        let (person, order) = (self.dialect.by_bytes("c.person"), order(self.source, "c", self.dialect));
        let (alike, first) = if alike.is_empty() {
            (format!("c.person, {}", order.replace(" NULLS LAST", "")), "c.occurred".to_owned())
        } else {
            (alike.to_owned(), format!("c.known, {person}, {order}"))
        };
        query.with.push((
            "placed".into(),
            format!(
                "SELECT c.*, ROW_NUMBER() OVER (\n  PARTITION BY {alike}\n  ORDER BY {first}\n) AS place\nFROM {} c\nWHERE c.fault IS NULL",
                self.checked
            ),
        ));
        query.column(
            "p.*, CASE WHEN p.place > 1 THEN ".to_owned() + &self.dialect.text(reason.code()) + " END",
            "verdict",
        );
        query.from = "FROM placed p".into();
        query
    }

    /// The rows as states of their records.
    fn states(&self, mut query: Query) -> Query {
        let (source, dialect) = (self.source, self.dialect);
        let content = says(source, "c", dialect, true).join(", ");
        let likeness = says(source, "c", dialect, false).join(", ");
        let person = dialect.by_bytes("c.person");
        let mut with = |name: &str, text: String| query.with.push((name.to_owned(), text));
        // Whoever was known first is whom the record is about.
        with(
            "owned",
            format!(
                "SELECT c.*,\n  FIRST_VALUE(c.person) OVER (PARTITION BY c.reference ORDER BY c.known, {person}) AS owner,\n  \
                 DENSE_RANK() OVER (PARTITION BY c.reference ORDER BY {content}) AS content,\n  \
                 DENSE_RANK() OVER (PARTITION BY c.reference ORDER BY {likeness}) AS likeness\nFROM {} c\nWHERE c.fault IS NULL",
                self.checked
            ),
        );
        let day = of_day("o");
        let order = order(source, "o", dialect);
        with(
            "placed",
            format!(
                "SELECT o.*,\n  ROW_NUMBER() OVER ({day} ORDER BY {order}) AS place,\n  \
                 FIRST_VALUE(o.content) OVER ({day} ORDER BY {order}) AS one\nFROM owned o"
            ),
        );
        with(
            "parted",
            format!(
                "SELECT p.*, MIN(CASE WHEN p.content <> p.one THEN p.place END) OVER ({}) AS other_place\nFROM placed p",
                of_day("p")
            ),
        );
        // What is told of a day stands in its first row, and is spread over the day at the end: no table is joined with itself.
        with(
            "days",
            format!(
                "SELECT p.*,\n  MAX(CASE WHEN p.place = p.other_place THEN p.content END) OVER ({}) AS other,\n  \
                 CASE WHEN p.place = 1 AND p.person = p.owner THEN 1 ELSE 0 END AS is_day\nFROM parted p",
                of_day("p")
            ),
        );
        turns(&mut query);
        self.spread(&mut query);
        query
    }

    /// Adds to a query what each row is, by the state that its day brings.
    fn spread(&self, query: &mut Query) {
        let (source, dialect) = (self.source, self.dialect);
        let mut with = |name: &str, text: String| query.with.push((name.to_owned(), text));
        let of_change =
            |what: &str| format!("MAX(CASE WHEN d.is_change = 1 THEN d.{what} END) OVER ({})", of_day("d"));
        with(
            "spread",
            format!(
                "SELECT d.*,\n  {} AS new_state,\n  {} AS new_place,\n  {} AS superseded_on\nFROM ends d",
                of_change("state"),
                of_change("state_place"),
                of_change("next_change")
            ),
        );
        // An open episode says nothing against its end.
        let of_state = |what: &str| {
            format!("MAX(CASE WHEN d.place = d.new_place THEN d.{what} END) OVER ({})", of_day("d"))
        };
        let says_no_end = if source.has_episodes() {
            format!(
                "CASE WHEN d.ended IS NULL AND {} IS NOT NULL AND d.likeness = {} THEN 1 ELSE 0 END",
                of_state("ended"),
                of_state("likeness")
            )
        } else {
            "0".to_owned()
        };
        with("told", format!("SELECT d.*,\n  {says_no_end} AS says_no_end\nFROM spread d"));
        let said_before = dialect.text(SAID_BEFORE);
        let repeated = dialect.text(RejectReason::ReferenceRepeated.code());
        for (name, ..) in source.staged().into_iter().filter(|(name, ..)| name != "seq") {
            let what = if name == "superseded" {
                "CASE WHEN t.person = t.owner AND t.place = t.new_place THEN t.superseded_on END".to_owned()
            } else {
                format!("t.{name}")
            };
            query.column(what, name);
        }
        query.column(
            format!(
                "CASE\n  WHEN t.person <> t.owner THEN {repeated}\n  WHEN t.place = t.new_place THEN NULL\n  WHEN t.new_place IS NULL OR \
                 t.place < t.new_place OR t.content = t.new_state OR t.says_no_end = 1 THEN {said_before}\n  ELSE {repeated}\nEND"
            ),
            "verdict",
        );
        query.from = "FROM told t".into();
    }
}

/// Adds which state each day brings, and until when it lasts.
fn turns(query: &mut Query) {
    let mut with = |name: &str, text: String| query.with.push((name.to_owned(), text));
    let of_record = "PARTITION BY d.reference, d.is_day ORDER BY d.known";
    with(
        "after",
        format!(
            "SELECT d.*, LAG(d.one) OVER ({of_record}) AS one_before, LAG(d.other) OVER ({of_record}) AS other_before\nFROM days d"
        ),
    );
    let is_sure = "d.other IS NULL OR d.one_before IS NULL OR (d.one <> d.one_before AND (d.other_before IS NULL OR d.one <> \
                       d.other_before))";
    with(
        "turning",
        format!(
            "SELECT d.*,\n  CASE WHEN {is_sure} THEN 1 ELSE 0 END AS is_sure,\n  \
                 CASE WHEN {is_sure} THEN 0 WHEN d.one = d.one_before THEN 1 ELSE 0 END AS turns\nFROM after d"
        ),
    );
    with("runs", format!("SELECT d.*, SUM(d.is_sure) OVER ({of_record}) AS run\nFROM turning d"));
    with(
            "chosen",
            "SELECT d.*, MOD(SUM(d.turns) OVER (PARTITION BY d.reference, d.is_day, d.run ORDER BY d.known), 2) AS is_other\nFROM runs d"
                .into(),
        );
    with(
            "said",
            "SELECT d.*,\n  CASE WHEN d.is_other = 1 THEN d.other ELSE d.one END AS state,\n  CASE WHEN d.is_other = 1 THEN d.other_place \
             ELSE 1 END AS state_place\nFROM chosen d"
                .into(),
        );
    with("said_after", format!("SELECT d.*, LAG(d.state) OVER ({of_record}) AS state_before\nFROM said d"));
    with(
            "changes",
            "SELECT d.*, CASE WHEN d.is_day = 1 AND (d.state_before IS NULL OR d.state_before <> d.state) THEN 1 ELSE 0 END AS \
             is_change\nFROM said_after d"
                .into(),
        );
    with(
            "ends",
            "SELECT d.*, LEAD(d.known) OVER (PARTITION BY d.reference, d.is_change ORDER BY d.known) AS next_change\nFROM changes d".into(),
        );
}

fn of_day(of: &str) -> String {
    format!("PARTITION BY {of}.reference, {of}.person, {of}.known")
}
