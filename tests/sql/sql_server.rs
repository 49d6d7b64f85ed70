//! What SQL Server asks of its texts. They were never run there: this holds them to the rules that are known.
//!
//! Every statement is taken apart, and whatever is not expected in it is refused. So only what stands in SQL Server 2014 can be
//! in a text, and a condition stands where SQL Server has conditions: it has no values that are true or false.

use earlyhelp::sql::Dialect;
use sqlparser::ast::{
    BinaryOperator, ConditionalStatements, DataType, Expr, Function, FunctionArg, FunctionArgExpr,
    FunctionArguments, GroupByExpr, Ident, InTarget, JoinConstraint, JoinOperator, ObjectName, Query, Select,
    SelectItem, SetExpr, SetOperator, SetQuantifier, Statement, TableFactor, UnaryOperator, Value,
    WindowType,
};

use super::parsed::statements;

/// `CASE` in `CASE`: [CASE](https://learn.microsoft.com/sql/t-sql/language-elements/case-transact-sql).
const LEVELS: usize = 10;
/// Letters of a name.
const NAME: usize = 128;
/// What older versions read in one statement.
const TABLES: usize = 256;
/// Columns of a list, and of a table.
const LISTED: usize = 4096;
const COLUMNS: usize = 1024;
/// Names and numbers in one expression, beyond which message 8632 is known.
const PARTS: usize = 65_535;
/// Operands of a chain, which is bound as deep as it is long: on a 64-bit server with its usual stack some 3,400 are too many.
const CHAIN: usize = 1_024;

/// The functions of SQL Server 2014 that the texts use.
const FUNCTIONS: [&str; 11] = [
    "SUM",
    "MAX",
    "MIN",
    "COUNT",
    "COALESCE",
    "NULLIF",
    "LOG",
    "ROW_NUMBER",
    "LAG",
    "CONCAT",
    // Of SHA-256 since 2012, and of no more than 8,000 bytes.
    "HASHBYTES",
];

/// What is counted over a statement.
#[derive(Default)]
struct Counted {
    tables: usize,
    parts: usize,
}

fn name(ident: &Ident) {
    let is_plain = ident.value.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    assert!(ident.quote_style.is_none() && is_plain, "{ident} is quoted, or has to be");
    assert!(ident.value.len() <= NAME, "{ident} is too long");
}

fn names(name_of: &ObjectName) {
    name_of.0.iter().for_each(|part| name(part.as_ident().unwrap()));
}

impl Counted {
    fn statement(&mut self, statement: &Statement) {
        match statement {
            Statement::If(drop) => {
                assert!(drop.elseif_blocks.is_empty() && drop.else_block.is_none());
                let asked = drop.if_block.condition.as_ref().unwrap().to_string();
                let ConditionalStatements::Sequence { statements } = &drop.if_block.conditional_statements
                else {
                    panic!("{drop} is not one statement")
                };
                let [Statement::Drop { if_exists: false, names, .. }] = statements.as_slice() else {
                    panic!("{drop} drops nothing, or says IF EXISTS")
                };
                assert_eq!(asked, format!("OBJECT_ID(N'{}', N'U') IS NOT NULL", names[0]));
            }
            Statement::Query(query) => {
                let SetExpr::Select(select) = &*query.body else { panic!("{query} makes no table") };
                let into = select.into.as_ref().expect("SELECT INTO");
                assert!(!into.temporary && !into.unlogged && !into.table);
                assert!(select.projection.len() <= COLUMNS, "{} columns of a table", select.projection.len());
                self.query(query, true);
            }
            other => panic!("what is this: {other}"),
        }
    }

    fn query(&mut self, query: &Query, is_outer: bool) {
        let Query {
            with,
            body,
            order_by,
            limit_clause,
            fetch,
            locks,
            for_clause,
            settings,
            format_clause,
            pipe_operators,
        } = query;
        let is_plain = order_by.is_none() && limit_clause.is_none() && fetch.is_none() && locks.is_empty();
        assert!(is_plain && for_clause.is_none() && settings.is_none() && format_clause.is_none());
        assert!(pipe_operators.is_empty());
        assert!(is_outer || with.is_none(), "WITH stands in front of a statement alone");
        for table in with.iter().flat_map(|with| &with.cte_tables) {
            name(&table.alias.name);
            assert!(table.alias.columns.is_empty() && table.materialized.is_none());
            self.query(&table.query, false);
        }
        self.rows(body, is_outer);
    }

    fn rows(&mut self, mut rows: &SetExpr, may_make: bool) {
        let mut length = 1;
        while let SetExpr::SetOperation {
            left,
            op: SetOperator::Union,
            set_quantifier: SetQuantifier::All,
            right,
        } = rows
        {
            self.rows(right, false);
            length += 1;
            rows = left;
        }
        assert!(length <= CHAIN, "a union of {length}");
        match rows {
            SetExpr::Select(select) => {
                assert!(may_make || select.into.is_none());
                self.select(select);
            }
            SetExpr::Values(values) => {
                assert!(!values.explicit_row && values.rows.len() <= 1000, "{} rows", values.rows.len());
                values.rows.iter().flat_map(|row| row.iter()).for_each(|value| self.value(value, 0));
            }
            other => panic!("what is this: {other}"),
        }
    }

    fn select(&mut self, select: &Select) {
        let Select {
            distinct: _,
            projection,
            from,
            selection,
            group_by,
            having,
            top,
            named_window,
            qualify,
            ..
        } = select;
        assert!(top.is_none() && named_window.is_empty() && qualify.is_none());
        assert!(select.lateral_views.is_empty() && select.prewhere.is_none() && select.connect_by.is_empty());
        assert!(projection.len() <= LISTED);
        for item in projection {
            self.parts = 0;
            match item {
                SelectItem::UnnamedExpr(value @ (Expr::Identifier(_) | Expr::CompoundIdentifier(_))) => {
                    self.value(value, 0);
                }
                SelectItem::ExprWithAlias { expr, alias } => {
                    name(alias);
                    self.value(expr, 0);
                }
                SelectItem::QualifiedWildcard(..) => {}
                other => panic!("{other} has no name"),
            }
            assert!(self.parts <= PARTS, "an expression of {} parts", self.parts);
        }
        for table in from {
            self.table(&table.relation);
            for join in &table.joins {
                self.table(&join.relation);
                match &join.join_operator {
                    JoinOperator::Join(JoinConstraint::On(on))
                    | JoinOperator::Left(JoinConstraint::On(on)) => {
                        self.condition(on, 0);
                    }
                    JoinOperator::CrossJoin(JoinConstraint::None) => {}
                    other => panic!("what is this: {other:?}"),
                }
            }
        }
        let GroupByExpr::Expressions(groups, with) = group_by else { panic!("GROUP BY ALL") };
        assert!(with.is_empty());
        self.values(groups, 0);
        selection.iter().chain(having).for_each(|condition| self.condition(condition, 0));
    }

    fn table(&mut self, table: &TableFactor) {
        self.tables += 1;
        let alias = match table {
            TableFactor::Table { name, alias, args: None, with_hints, .. } if with_hints.is_empty() => {
                names(name);
                alias.as_ref()
            }
            TableFactor::Derived { lateral: false, subquery, alias, sample: None } => {
                self.query(subquery, false);
                assert!(alias.is_some(), "a table without a name");
                alias.as_ref()
            }
            other => panic!("what is this: {other}"),
        };
        if let Some(alias) = alias {
            name(&alias.name);
        }
    }

    /// A value: `levels` are those of `CASE` above it.
    fn value(&mut self, value: &Expr, levels: usize) {
        match value {
            Expr::Identifier(ident) => self.named(std::slice::from_ref(ident)),
            Expr::CompoundIdentifier(parts) => self.named(parts),
            Expr::Value(literal) => {
                self.parts += 1;
                match &literal.value {
                    Value::Number(digits, false) => assert!(digits.parse::<f64>().unwrap().is_finite()),
                    Value::NationalStringLiteral(_) | Value::Null => {}
                    // The name of an algorithm, which is no text.
                    Value::SingleQuotedString(name) if name == "SHA2_256" => {}
                    other => panic!("{other} is no value there"),
                }
            }
            Expr::Nested(inner) => self.value(inner, levels),
            Expr::UnaryOp { op: UnaryOperator::Minus, expr } => self.value(expr, levels),
            Expr::BinaryOp { .. } => self.chain(value, levels),
            Expr::Cast { expr, data_type, format: None, .. } => {
                let is_known = matches!(
                    data_type,
                    DataType::Float(_)
                        | DataType::Real
                        | DataType::BigInt(None)
                        | DataType::Int(None)
                        | DataType::Varchar(_)
                );
                assert!(is_known, "{data_type} is no type there");
                self.value(expr, levels);
            }
            Expr::Collate { expr, collation } => {
                assert_eq!(collation.to_string(), "Latin1_General_BIN2");
                self.value(expr, levels);
            }
            Expr::Case { operand, conditions, else_result, .. } => {
                let levels = deeper(levels);
                self.values(operand.as_deref(), levels);
                for when in conditions {
                    match operand {
                        None => self.condition(&when.condition, levels),
                        Some(_) => self.value(&when.condition, levels),
                    }
                    self.value(&when.result, levels);
                }
                self.values(else_result.as_deref(), levels);
            }
            Expr::Function(function) => self.function(function, levels),
            other => panic!("{other} is no value there"),
        }
    }

    fn values<'e>(&mut self, values: impl IntoIterator<Item = &'e Expr>, levels: usize) {
        for value in values {
            self.value(value, levels);
        }
    }

    /// Values that are added up, or taken from each other, from left to right.
    fn chain(&mut self, mut value: &Expr, levels: usize) {
        use BinaryOperator::{Divide, Minus, Multiply, Plus};
        let mut length = 1;
        while let Expr::BinaryOp { left, op, right } = value {
            assert!(matches!(op, Plus | Minus | Multiply | Divide), "{op} makes no value there");
            self.value(right, levels);
            length += 1;
            value = left;
        }
        assert!(length <= CHAIN, "a chain of {length}");
        self.value(value, levels);
    }

    fn named(&mut self, parts: &[Ident]) {
        self.parts += 1;
        parts.iter().for_each(name);
    }

    fn function(&mut self, function: &Function, levels: usize) {
        let called = function.name.to_string();
        assert!(FUNCTIONS.contains(&called.as_str()), "{called} is not in SQL Server 2014, or not expected");
        assert!(function.filter.is_none() && function.within_group.is_empty());
        // COALESCE and NULLIF are CASE under another name.
        let levels = if called == "COALESCE" || called == "NULLIF" { deeper(levels) } else { levels };
        if let FunctionArguments::List(list) = &function.args {
            for argument in &list.args {
                let FunctionArg::Unnamed(FunctionArgExpr::Expr(value)) = argument else {
                    panic!("what is this: {argument}")
                };
                self.value(value, levels);
            }
        }
        match &function.over {
            None => {}
            Some(WindowType::WindowSpec(window)) => {
                assert!(window.window_name.is_none());
                self.values(&window.partition_by, levels);
                for order in &window.order_by {
                    assert!(order.options.nulls_first.is_none());
                    // A constant there is refused.
                    assert!(!matches!(order.expr, Expr::Value(_)), "ordered by {order}");
                    self.value(&order.expr, levels);
                }
            }
            Some(other @ WindowType::NamedWindow(_)) => panic!("{other:?} is not in SQL Server 2014"),
        }
    }

    fn condition(&mut self, condition: &Expr, levels: usize) {
        use BinaryOperator::{And, Eq, Gt, GtEq, Lt, LtEq, NotEq, Or};
        match condition {
            Expr::Nested(inner) | Expr::UnaryOp { op: UnaryOperator::Not, expr: inner } => {
                self.condition(inner, levels);
            }
            Expr::BinaryOp { left, op: And | Or, right } => {
                self.condition(left, levels);
                self.condition(right, levels);
            }
            Expr::BinaryOp { left, op: Eq | NotEq | Lt | LtEq | Gt | GtEq, right } => {
                self.value(left, levels);
                self.value(right, levels);
            }
            Expr::IsNull(value) | Expr::IsNotNull(value) => self.value(value, levels),
            Expr::Between { expr, low, high, .. } => {
                self.values([&**expr, &**low, &**high], levels);
            }
            Expr::In { expr, target: InTarget::List(list), .. } => {
                self.value(expr, levels);
                self.values(list, levels);
            }
            other => panic!("{other} is no condition there"),
        }
    }
}

fn deeper(levels: usize) -> usize {
    assert!(levels < LEVELS, "CASE nested deeper than {LEVELS}");
    levels + 1
}

/// That all statements keep the rules.
pub fn keep_the_rules(statements: &[Statement]) {
    for statement in statements {
        let mut counted = Counted::default();
        counted.statement(statement);
        assert!(counted.tables <= TABLES, "{} tables in one statement", counted.tables);
    }
}

#[test]
fn the_texts_keep_the_rules_of_sql_server() {
    for asked in super::all(super::WORLDS.iter().chain(&super::MORE_WORLDS)) {
        let texts = asked.texts(Dialect::SqlServer);
        for script in texts.scripts() {
            assert!(
                script.text.lines().all(|line| !line.trim().eq_ignore_ascii_case("go")),
                "{}",
                script.name
            );
        }
        keep_the_rules(&statements(&texts, Dialect::SqlServer));
    }
}
