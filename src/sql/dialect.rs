//! How each engine writes what all of them can say.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// The engine that a text is written for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Dialect {
    /// DuckDB, 1.0 or later.
    DuckDb,
    /// PostgreSQL, 12 or later.
    PostgreSql,
    /// Spark SQL, 3.3 or later, with or without ANSI mode.
    Spark,
    /// SQL Server 2014 or later. The texts keep its rules, and were not run there.
    SqlServer,
}

impl Dialect {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::DuckDb, Self::PostgreSql, Self::Spark, Self::SqlServer];

    /// The name by which the command knows it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::DuckDb => "duckdb",
            Self::PostgreSql => "postgresql",
            Self::Spark => "spark",
            Self::SqlServer => "sqlserver",
        }
    }

    /// The type of double precision.
    pub(super) fn double(self) -> &'static str {
        match self {
            Self::DuckDb | Self::Spark => "DOUBLE",
            Self::PostgreSql => "DOUBLE PRECISION",
            Self::SqlServer => "FLOAT(53)",
        }
    }

    fn single(self) -> &'static str {
        match self {
            Self::DuckDb | Self::Spark => "FLOAT",
            Self::PostgreSql | Self::SqlServer => "REAL",
        }
    }

    /// A number of double precision, to the bit. A plain `0.7` would be a decimal, or of single precision.
    pub(super) fn number(self, value: f64) -> String {
        match self {
            Self::PostgreSql => format!("CAST('{value:E}' AS {})", self.double()),
            // With an exponent it is of double precision there.
            _ if value.is_sign_negative() => format!("({value:E})"),
            _ => format!("{value:E}"),
        }
    }

    /// A text.
    pub(super) fn text(self, text: &str) -> String {
        match self {
            Self::Spark => format!("'{}'", text.replace('\\', "\\\\").replace('\'', "\\'")),
            Self::SqlServer => format!("N'{}'", text.replace('\'', "''")),
            Self::DuckDb | Self::PostgreSql => format!("'{}'", text.replace('\'', "''")),
        }
    }

    /// A name as somebody else gave it.
    pub(super) fn name_of(self, name: &str) -> String {
        match self {
            Self::Spark => format!("`{}`", name.replace('`', "``")),
            Self::SqlServer => format!("[{}]", name.replace(']', "]]")),
            Self::DuckDb | Self::PostgreSql => format!("\"{}\"", name.replace('"', "\"\"")),
        }
    }

    pub(super) fn as_double(self, number: &str) -> String {
        format!("CAST({number} AS {})", self.double())
    }

    /// The number of single precision that is nearest, as one of double precision: what a matrix holds.
    pub(super) fn rounded(self, number: &str) -> String {
        format!("CAST(CAST({number} AS {}) AS {})", self.single(), self.double())
    }

    /// `ln(1 + x)` of a number that is not below zero.
    pub(super) fn ln_1p(self, number: &str) -> String {
        let one = self.number(1.0);
        match self {
            Self::Spark => format!("LOG1P({number})"),
            Self::SqlServer => format!("LOG({one} + {number})"),
            Self::DuckDb | Self::PostgreSql => format!("LN({one} + {number})"),
        }
    }

    /// What [`lot`](crate::evaluate::ranking::lot) draws, in the same order.
    pub(super) fn lot(self, seed: u64, id: &str) -> String {
        let text = format!("CONCAT({}, {id})", self.text(&format!("{seed}/")));
        match self {
            Self::DuckDb => format!("SHA256({text})"),
            Self::PostgreSql => format!("ENCODE(SHA256(CONVERT_TO({text}, 'UTF8')), 'hex') COLLATE \"C\""),
            Self::Spark => format!("SHA2({text}, 256)"),
            // Of an id with letters beyond ASCII the lot is another: its texts are no UTF-8.
            Self::SqlServer => format!("HASHBYTES('SHA2_256', CAST({text} AS VARCHAR(8000)))"),
        }
    }

    /// A staged table of a file; `None` where the engine reads no such files.
    pub(super) fn load(self, table: &str, folder: &str) -> Option<String> {
        match self {
            Self::DuckDb => Some(format!(
                "CREATE OR REPLACE VIEW {table} AS SELECT * FROM read_parquet('{folder}{table}.parquet');\n"
            )),
            Self::Spark => Some(format!(
                "CREATE OR REPLACE TEMPORARY VIEW {table} USING parquet OPTIONS (path '{folder}{table}.parquet');\n"
            )),
            Self::PostgreSql | Self::SqlServer => None,
        }
    }

    /// A table that was made, as a file, or as a folder of parts.
    pub(super) fn keep(self, table: &str) -> Option<String> {
        match self {
            Self::DuckDb => Some(format!("COPY {table} TO '{table}.parquet' (FORMAT parquet);\n")),
            Self::Spark => {
                Some(format!("INSERT OVERWRITE DIRECTORY '{table}' USING parquet SELECT * FROM {table};\n"))
            }
            Self::PostgreSql | Self::SqlServer => None,
        }
    }

    pub(super) fn greater(self, a: &str, b: &str) -> String {
        match self {
            Self::SqlServer => format!("CASE WHEN {a} >= {b} THEN {a} ELSE {b} END"),
            _ => format!("GREATEST({a}, {b})"),
        }
    }

    pub(super) fn lesser(self, a: &str, b: &str) -> String {
        match self {
            Self::SqlServer => format!("CASE WHEN {a} <= {b} THEN {a} ELSE {b} END"),
            _ => format!("LEAST({a}, {b})"),
        }
    }

    /// A text by whose bytes rows are put in order.
    pub(super) fn by_bytes(self, text: &str) -> String {
        match self {
            Self::PostgreSql => format!("{text} COLLATE \"C\""),
            Self::SqlServer => format!("{text} COLLATE Latin1_General_BIN2"),
            Self::DuckDb | Self::Spark => text.to_owned(),
        }
    }

    /// One of some numbers, by its place from 0; `None` where the engine has no arrays.
    pub(super) fn one_of(self, numbers: &[f64], place: &str) -> Option<String> {
        // The digits alone, and a type for all of them: a fifth of the text.
        let digits: Vec<String> = numbers.iter().map(|number| format!("{number:E}")).collect();
        match self {
            Self::DuckDb => Some(format!("(CAST('[{}]' AS DOUBLE[]))[{place} + 1]", digits.join(", "))),
            Self::PostgreSql => {
                Some(format!("(CAST('{{{}}}' AS DOUBLE PRECISION[]))[{place} + 1]", digits.join(",")))
            }
            Self::Spark => Some(format!("ELEMENT_AT(ARRAY({}), {place} + 1)", digits.join(", "))),
            Self::SqlServer => None,
        }
    }

    /// How many features a table has room for, each with its value of eight bytes and its state of four: a row of PostgreSQL has
    /// 8,160 bytes, and a table of SQL Server 1,024 columns.
    pub(super) fn most_features(self) -> usize {
        match self {
            Self::PostgreSql => 640,
            Self::SqlServer => 510,
            Self::DuckDb | Self::Spark => usize::MAX,
        }
    }

    /// How many contributions, of eight bytes each: a row of SQL Server has 8,060 bytes.
    pub(super) fn most_terms(self) -> usize {
        match self {
            Self::PostgreSql => 1_000,
            Self::SqlServer => 900,
            Self::DuckDb | Self::Spark => usize::MAX,
        }
    }

    /// How many terms of two features: without arrays each is a table to join, and a statement of SQL Server reads 256.
    pub(super) fn most_grids(self) -> usize {
        match self {
            Self::SqlServer => 250,
            _ => usize::MAX,
        }
    }

    /// How many levels of `CASE` may stand in one another.
    pub(super) fn most_levels(self) -> usize {
        match self {
            Self::SqlServer => 10,
            _ => usize::MAX,
        }
    }
}

impl fmt::Display for Dialect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Dialect {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let names = || Self::ALL.map(Self::name).join(", ");
        Self::ALL
            .into_iter()
            .find(|dialect| dialect.name().eq_ignore_ascii_case(text))
            .ok_or_else(|| format!("there is no dialect \"{text}\"; there are: {}", names()))
    }
}
