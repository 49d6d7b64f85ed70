//! Statements: each makes one table of others.

use std::fmt::Write as _;

use super::dialect::Dialect;

/// A statement that makes a table.
#[derive(Debug, Default)]
pub(super) struct Query {
    /// What the table is, for whoever reads the text.
    pub(super) says: String,
    pub(super) table: String,
    /// Queries that stand before it, by their names.
    pub(super) with: Vec<(String, String)>,
    /// What each column is, and its name.
    pub(super) columns: Vec<(String, String)>,
    /// The columns of states, which stand after all others: between numbers of eight bytes they would take eight as well, and a row of
    /// PostgreSQL has 8,160.
    pub(super) states: Vec<(String, String)>,
    /// From where, which rows, and by what they are put together.
    pub(super) from: String,
}

impl Query {
    pub(super) fn new(table: impl Into<String>, says: impl Into<String>) -> Self {
        Self { table: table.into(), says: says.into(), ..Self::default() }
    }

    pub(super) fn column(&mut self, what: impl Into<String>, name: impl Into<String>) {
        self.columns.push((what.into(), name.into()));
    }

    pub(super) fn state(&mut self, what: impl Into<String>, name: impl Into<String>) {
        self.states.push((what.into(), name.into()));
    }

    /// The statement that makes a table of it.
    pub(super) fn text(&self, dialect: Dialect) -> String {
        let Self { says, table, .. } = self;
        let mut text = commented(says);
        let _ = match dialect {
            Dialect::SqlServer => {
                writeln!(text, "IF OBJECT_ID(N'{table}', N'U') IS NOT NULL DROP TABLE {table};")
            }
            _ => writeln!(text, "DROP TABLE IF EXISTS {table};"),
        };
        match dialect {
            Dialect::DuckDb | Dialect::PostgreSql => {
                let _ = writeln!(text, "CREATE TABLE {table} AS");
            }
            Dialect::Spark => {
                let _ = writeln!(text, "CREATE TABLE {table} USING parquet AS");
            }
            Dialect::SqlServer => {}
        }
        text + &self.body(dialect)
    }

    /// The statement that makes a view of it, which must not be there.
    pub(super) fn view_text(&self, dialect: Dialect) -> String {
        format!("{}CREATE VIEW {} AS\n{}", commented(&self.says), self.table, self.body(dialect))
    }

    fn body(&self, dialect: Dialect) -> String {
        let Self { table, with, columns, states, from, .. } = self;
        let mut text = String::new();
        for (nth, (name, query)) in with.iter().enumerate() {
            let opening = if nth == 0 { "WITH " } else { ", " };
            let _ = writeln!(text, "{opening}{name} AS (\n{}\n)", indented(query));
        }
        let listed = columns.iter().chain(states).map(|(what, name)| format!("{what} AS {name}"));
        let listed: Vec<String> = listed.collect();
        let _ = write!(text, "SELECT\n{}\n", indented(&listed.join(",\n")));
        if dialect == Dialect::SqlServer {
            let _ = writeln!(text, "INTO {table}");
        }
        let _ = writeln!(text, "{from};\n");
        text
    }
}

/// Lines of text as comments. For some engines a carriage return alone ends a line, and a comment with it.
pub(super) fn commented(says: &str) -> String {
    says.replace('\r', "\n").lines().map(|line| format!("-- {line}").trim_end().to_owned() + "\n").collect()
}

pub(super) fn indented(text: &str) -> String {
    let lines: Vec<String> = text.lines().map(|line| format!("  {line}")).collect();
    lines.join("\n")
}

/// A binary tree of conditions: `leaves[i]` where the number lies between the edges `i - 1` (included) and `i`. `edge` writes
/// one.
pub(super) fn tree(number: &str, edges: &[String], leaves: &[String]) -> String {
    match edges.len() {
        0 => leaves[0].clone(),
        count => {
            let middle = count / 2;
            let below = tree(number, &edges[..middle], &leaves[..=middle]);
            let above = tree(number, &edges[middle + 1..], &leaves[middle + 1..]);
            format!("CASE WHEN {number} < {} THEN {below} ELSE {above} END", edges[middle])
        }
    }
}
