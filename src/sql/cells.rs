//! Raw cells as the library reads them: texts without blanks around them, days as numbers, numbers of single precision.

use super::dialect::Dialect;
use crate::records::{Plausible, ReadOptions};

/// Every character that is a blank: Unicode's `White_Space`.
const BLANKS: [u32; 25] = [
    0x09, 0x0A, 0x0B, 0x0C, 0x0D, 0x20, 0x85, 0xA0, 0x1680, 0x2000, 0x2001, 0x2002, 0x2003, 0x2004, 0x2005,
    0x2006, 0x2007, 0x2008, 0x2009, 0x200A, 0x2028, 0x2029, 0x202F, 0x205F, 0x3000,
];

const SMALL: &str = "abcdefghijklmnopqrstuvwxyz";
const CAPITAL: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZ";

/// What rounds to more than single precision holds, and what rounds to nothing in it.
const TOO_LARGE: f64 = 3.402_823_567_797_336_6e38;
const TOO_SMALL: f64 = 7.006_492_321_624_085e-46;

/// How the cells of one table are read.
pub(super) struct Cells<'o> {
    pub(super) dialect: Dialect,
    pub(super) options: &'o ReadOptions,
    /// The last day that a date can be, where the mapping tells it; else it is the day on which the view is asked.
    pub(super) last: Option<i32>,
    /// How many days ahead of it a register is kept.
    pub(super) ahead: i32,
}

impl Cells<'_> {
    /// The columns of a raw table as the library takes them up, step by step: each step a query over the one before, the last
    /// of them `cells`. Texts that say nothing are `NULL`.
    pub(super) fn steps(
        &self,
        raw: &str,
        texts: &[String],
        others: &[(String, String)],
    ) -> Vec<(String, String)> {
        let columns = |text: &dyn Fn(&str) -> String, other: &dyn Fn(&(String, String)) -> String| {
            let of_texts = texts.iter().map(|name| format!("  {} AS {name}", text(name)));
            let all: Vec<String> =
                of_texts.chain(others.iter().map(|held| format!("  {}", other(held)))).collect();
            all.join(",\n")
        };
        let as_made = |(what, name): &(String, String)| format!("{what} AS {name}");
        let as_it_is = |(_, name): &(String, String)| format!("t.{name}");
        let trimmed = columns(&|name| self.trimmed(&format!("r.{name}")), &as_made);
        let mut steps = vec![
            ("blanks".to_owned(), format!("SELECT {} AS blanks", blanks(self.dialect))),
            ("trimmed".to_owned(), format!("SELECT\n{trimmed}\nFROM {raw} r\nCROSS JOIN blanks b")),
        ];
        if self.options.list_letters {
            let without = columns(&|name| self.without_letter(&format!("t.{name}")), &as_it_is);
            steps.push((
                "plain".to_owned(),
                format!("SELECT\n{without}\nFROM trimmed t\nCROSS JOIN blanks b"),
            ));
        }
        let before = steps.last().map(|(name, _)| name.clone()).unwrap_or_default();
        let told = columns(&|name| self.told(&format!("t.{name}")), &as_it_is);
        steps.push(("cells".to_owned(), format!("SELECT\n{told}\nFROM {before} t")));
        steps
    }

    fn trimmed(&self, text: &str) -> String {
        match self.dialect {
            Dialect::Spark => format!("TRIM(BOTH b.blanks FROM {text})"),
            Dialect::PostgreSql => format!("BTRIM({text}, b.blanks)"),
            _ => format!("TRIM({text}, b.blanks)"),
        }
    }

    /// A trimmed text without a list letter in front (`a) Male`).
    fn without_letter(&self, text: &str) -> String {
        let rest = format!("SUBSTR({text}, 3)");
        let rest = match self.dialect {
            Dialect::Spark => format!("TRIM(LEADING b.blanks FROM {rest})"),
            _ => format!("LTRIM({rest}, b.blanks)"),
        };
        format!(
            "CASE WHEN SUBSTR({text}, 2, 1) = ')' AND POSITION(SUBSTR({text}, 1, 1) IN '{SMALL}{CAPITAL}') > 0 THEN {rest} ELSE {text} END"
        )
    }

    /// A text, `NULL` where it stands for nothing.
    fn told(&self, text: &str) -> String {
        let nothing = std::iter::once("").chain(self.options.nulls.iter().map(String::as_str));
        let nothing: Vec<String> =
            nothing.map(|text| self.dialect.text(&text.to_ascii_uppercase())).collect();
        format!("CASE WHEN {} NOT IN ({}) THEN {text} END", in_capitals(text), nothing.join(", "))
    }

    /// A date as a number of days.
    pub(super) fn day(&self, date: &str) -> String {
        match self.dialect {
            Dialect::Spark => format!("DATEDIFF({date}, DATE '1970-01-01')"),
            _ => format!("CAST({date} - DATE '1970-01-01' AS INTEGER)"),
        }
    }

    /// The end of something; one beyond every plan is none.
    pub(super) fn end(&self, date: &str) -> String {
        let day = self.day(date);
        format!("CASE WHEN {day} < {} THEN {day} END", Plausible::DEFAULT.last)
    }

    /// A number; `NULL` where there is none.
    pub(super) fn number(&self, number: &str) -> String {
        let none = format!("CAST('NaN' AS {})", self.dialect.double());
        format!("NULLIF({}, {none})", self.dialect.as_double(number))
    }

    /// That a number cannot be held in single precision.
    pub(super) fn is_too_large(&self, number: &str) -> String {
        format!("ABS({number}) >= {}", self.dialect.number(TOO_LARGE))
    }

    /// A number in single precision.
    pub(super) fn rounded(&self, number: &str) -> String {
        // PostgreSQL refuses what it would round to 0.
        format!(
            "CASE WHEN ABS({number}) > {} THEN {} ELSE 0 * {number} END",
            self.dialect.number(TOO_SMALL),
            self.dialect.rounded(number)
        )
    }

    /// The first and the last day that a date can be.
    pub(super) fn plausible(&self) -> (String, String) {
        if let Some([first, last]) = self.options.plausible {
            return (first.epoch_days().to_string(), last.epoch_days().to_string());
        }
        let last = match (self.last, self.ahead) {
            (Some(day), ahead) => day.saturating_add(ahead).to_string(),
            (None, 0) => self.day("CURRENT_DATE"),
            (None, ahead) => format!("{} + {ahead}", self.day("CURRENT_DATE")),
        };
        (Plausible::DEFAULT.first.to_string(), last)
    }

    /// That a day cannot be.
    pub(super) fn is_implausible(&self, day: &str) -> String {
        let (first, last) = self.plausible();
        format!("{day} NOT BETWEEN {first} AND {last}")
    }
}

/// All blanks in one text, none of which stands in it as such.
fn blanks(dialect: Dialect) -> String {
    if dialect == Dialect::DuckDb {
        let each: Vec<String> = BLANKS.iter().map(|blank| format!("CHR({blank})")).collect();
        return each.join(" || ");
    }
    let each: Vec<String> = BLANKS.iter().map(|blank| format!("\\u{blank:04X}")).collect();
    let escape = if dialect == Dialect::PostgreSql { "E" } else { "" };
    format!("{escape}'{}'", each.concat())
}

/// A text with its ASCII letters in capitals, and no other touched.
pub(super) fn in_capitals(text: &str) -> String {
    format!("TRANSLATE({text}, '{SMALL}', '{CAPITAL}')")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blanks_are_those_at_which_the_library_trims() {
        let all = (0..=0x10_FFFF).filter(|&code| char::from_u32(code).is_some_and(char::is_whitespace));
        assert_eq!(all.collect::<Vec<u32>>(), BLANKS);
    }
}
