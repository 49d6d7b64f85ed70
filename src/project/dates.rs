//! The dates of training, as a list or as a rule.

use serde::{Deserialize, Deserializer, de};

use crate::calendar::{AsOf, Day, Horizon};

/// Most dates that a rule may stand for: forty years of months. More is a slip of the pen.
const MOST: i32 = 480;

/// The as-of dates: a list, or a rule that stands for one.
#[derive(Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(
    untagged,
    expecting = "give a list of dates, or { every = \"1 month\", from = \"2022-04-01\", to = \"2024-04-01\" }"
)]
pub(super) enum Dates {
    /// A list of dates.
    List(Vec<AsOf>),
    /// A date each span.
    Every(Rule),
}

/// A date each span from the first on, as far as the last.
#[derive(Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "schema", schemars(rename = "DateRule"))]
#[serde(deny_unknown_fields)]
pub(super) struct Rule {
    /// The span from one date to the next.
    every: Horizon,
    /// The first date.
    from: Day,
    /// None is later than this day.
    to: Day,
}

/// The dates from the first on, as far as the last; one more than `most` where there are more.
pub(super) fn every(span: Horizon, from: Day, to: Day, most: i32) -> Vec<AsOf> {
    // Counted from the first date on, so that the 31st does not become the 28th for good in February.
    let at = |times: i32| match span {
        Horizon::Days(days) => from + i32::try_from(days).unwrap_or(i32::MAX).saturating_mul(times),
        Horizon::Months(months) => {
            from.plus_months(i32::try_from(months).unwrap_or(i32::MAX).saturating_mul(times))
        }
    };
    (0..=most).map(at).take_while(|day| *day <= to).map(AsOf::new).collect()
}

impl Rule {
    fn dates(&self) -> Result<Vec<AsOf>, String> {
        if self.to < self.from {
            return Err(format!("`as_of` is to end on {}, before it begins on {}", self.to, self.from));
        }
        let dates = every(self.every, self.from, self.to, MOST);
        if dates.len() > MOST as usize {
            return Err(format!("`as_of` stands for more than {MOST} dates; make `every` longer"));
        }
        Ok(dates)
    }
}

pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<AsOf>, D::Error> {
    match Dates::deserialize(deserializer)? {
        Dates::List(dates) => Ok(dates),
        Dates::Every(rule) => rule.dates().map_err(de::Error::custom),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, Deserialize)]
    struct Held {
        #[serde(deserialize_with = "deserialize")]
        as_of: Vec<AsOf>,
    }

    fn read(text: &str) -> Result<Vec<String>, String> {
        let held = toml::from_str::<Held>(text).map_err(|error| error.to_string())?;
        Ok(held.as_of.iter().map(AsOf::to_string).collect())
    }

    #[test]
    fn a_rule_stands_for_its_dates() {
        let months = read(r#"as_of = { every = "1 months", from = "2024-01-31", to = "2024-04-01" }"#);
        assert_eq!(months.unwrap(), ["2024-01-31", "2024-02-29", "2024-03-31"]);
        let days = read(r#"as_of = { every = "28 days", from = "2024-01-01", to = "2024-01-29" }"#);
        assert_eq!(days.unwrap(), ["2024-01-01", "2024-01-29"]);
        assert_eq!(read(r#"as_of = ["2024-01-01"]"#).unwrap(), ["2024-01-01"]);
    }

    #[test]
    fn a_rule_that_cannot_be_is_refused() {
        for (text, told) in [
            (r#"as_of = { every = "1 months", from = "2024-02-01", to = "2024-01-01" }"#, "before it begins"),
            (r#"as_of = { every = "1 days", from = "1990-01-01", to = "2024-01-01" }"#, "more than 480"),
            (r#"as_of = { every = "1 months", from = "2024-02-01" }"#, "give a list of dates"),
        ] {
            let refused = read(text).unwrap_err();
            assert!(refused.contains(told), "{refused}");
        }
    }
}
