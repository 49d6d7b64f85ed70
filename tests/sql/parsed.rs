//! That each text is of its dialect's grammar, as a parser reads it that knows none of the engines' kindnesses.

use earlyhelp::sql::{Dialect, Texts};
use sqlparser::ast::Statement;
use sqlparser::dialect::{
    Dialect as Grammar, DuckDbDialect, MsSqlDialect, PostgreSqlDialect, SparkSqlDialect,
};
use sqlparser::parser::Parser;

use super::asked::Asked;

/// What no text nests deeper than: the trees of steps have seven levels, of expressions three or four each.
const DEEPEST: usize = 200;

fn grammar(dialect: Dialect) -> Box<dyn Grammar> {
    match dialect {
        Dialect::DuckDb => Box::new(DuckDbDialect {}),
        Dialect::PostgreSql => Box::new(PostgreSqlDialect {}),
        Dialect::Spark => Box::new(SparkSqlDialect {}),
        Dialect::SqlServer => Box::new(MsSqlDialect {}),
        other => panic!("no grammar of {other}"),
    }
}

/// The statements of all texts.
pub fn statements(texts: &Texts<'_>, dialect: Dialect) -> Vec<Statement> {
    let grammar = grammar(dialect);
    let mut all = Vec::new();
    for script in texts.scripts() {
        let parser = Parser::new(&*grammar).with_recursion_limit(DEEPEST);
        let parsed = parser.try_with_sql(&script.text).and_then(|mut parser| parser.parse_statements());
        match parsed {
            Ok(parsed) => all.extend(parsed),
            Err(error) => panic!("{dialect}: {}: {error}\n{}", script.name, around(&script.text, &error)),
        }
    }
    all
}

/// The lines around the place that an error names.
fn around(text: &str, error: &sqlparser::parser::ParserError) -> String {
    let said = error.to_string();
    let line = said.split("Line: ").nth(1).and_then(|rest| rest.split(',').next()?.parse::<usize>().ok());
    let from = line.unwrap_or(1).saturating_sub(4);
    text.lines().skip(from).take(6).map(|line| line.chars().take(400).collect::<String>() + "\n").collect()
}

#[test]
fn every_text_parses_as_its_dialect() {
    let all = super::all(super::WORLDS.iter().chain(&super::MORE_WORLDS));
    for dialect in Dialect::ALL {
        for asked in &all {
            let statements = statements(&asked.texts(dialect), dialect);
            // Each table is dropped, and made again.
            let dropped =
                statements.iter().filter(|one| matches!(one, Statement::Drop { .. } | Statement::If(_)));
            let dropped = dropped.count();
            assert!(
                dropped >= 9 && dropped * 2 <= statements.len(),
                "{dialect}: {dropped} of {}",
                statements.len()
            );
        }
    }
}

#[test]
fn what_a_text_of_one_dialect_says_another_does_not_read() {
    // The grammars are told apart: were one of them to read everything, parsing would prove nothing.
    let asked = Asked::council();
    let read = |of: Dialect, by: Dialect| {
        let grammar = grammar(by);
        asked.texts(of).scripts().iter().all(|script| {
            let parser = Parser::new(&*grammar).with_recursion_limit(DEEPEST);
            parser.try_with_sql(&script.text).and_then(|mut parser| parser.parse_statements()).is_ok()
        })
    };
    assert!(Dialect::ALL.into_iter().all(|dialect| read(dialect, dialect)));
    assert!(!read(Dialect::Spark, Dialect::PostgreSql) && !read(Dialect::Spark, Dialect::SqlServer));
}
