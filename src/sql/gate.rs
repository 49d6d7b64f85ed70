//! Which cases are not scored, and why: the rule of abstention in SQL.

use super::Texts;
use crate::scoring::{Gate, Watched};

/// The columns that the rule needs of each case: whether a value lies outside, and how much is unknown or stale.
pub(super) trait InSql {
    fn columns(&self, asked: &Texts<'_>) -> Vec<(String, String)>;
    fn verdict(&self, asked: &Texts<'_>) -> String;
}

impl InSql for Gate<'_> {
    fn columns(&self, asked: &Texts<'_>) -> Vec<(String, String)> {
        let dialect = asked.dialect;
        let zero = dialect.number(0.0);
        let number = |value: f64| dialect.number(value);
        let column = |watched: &Watched<'_>| asked.column_at(watched.place);
        let outside: Vec<String> = self
            .features
            .iter()
            .filter(|watched| watched.from.is_finite())
            .map(|watched| {
                let value = format!("f.{}", column(watched).value);
                format!("{value} < {} OR {value} > {}", number(watched.from), number(watched.to))
            })
            .collect();
        let is_unknown = |watched: &Watched<'_>| {
            let (value, state) = (&column(watched).value, &column(watched).state);
            let mut any = vec![format!("f.{state} = 2")];
            if let Some(codes) = watched.codes {
                any.push(format!("f.{value} >= {}", number(codes as f64)));
            }
            if watched.missing_is_unknown {
                any.push(format!("f.{state} = 1"));
            } else if watched.is_of_household {
                any.push(format!("f.{state} = 1 AND k.household IS NULL"));
            }
            any.join(" OR ")
        };
        // Added in the order in which the library adds them: those that are not known, and then those that are stale.
        let unknown = |watched: &Watched<'_>| {
            format!("CASE WHEN {} THEN {} ELSE {zero} END", is_unknown(watched), number(watched.share))
        };
        let stale = |watched: &Watched<'_>| {
            format!("CASE WHEN {} THEN {zero} ELSE {} END", is_unknown(watched), number(watched.share))
        };
        let sum = |parts: Vec<String>| if parts.is_empty() { zero.clone() } else { parts.join(" + ") };
        let of_unknown: Vec<String> = self.features.iter().map(unknown).collect();
        let of_stale = self.features.iter().filter(|watched| watched.is_stale).map(stale);
        let of_both: Vec<String> = of_unknown.iter().cloned().chain(of_stale).collect();
        let is_outside = if outside.is_empty() { "1 = 0".to_owned() } else { outside.join(" OR ") };
        vec![
            (format!("CASE WHEN {is_outside} THEN 1 ELSE 0 END"), "is_outside".to_owned()),
            (sum(of_unknown), "unknown".to_owned()),
            (sum(of_both), "unknown_or_stale".to_owned()),
        ]
    }

    fn verdict(&self, asked: &Texts<'_>) -> String {
        let most = asked.dialect.number(self.rule.unknown_share);
        let text = |text: &str| asked.dialect.text(text);
        format!(
            "CASE WHEN s.is_outside = 1 THEN {} WHEN s.unknown > {most} THEN {} WHEN s.unknown_or_stale > {most} THEN {} END",
            text("outside"),
            text("thin"),
            text("stale")
        )
    }
}
