//! What followed for each case: labels to train on.

use super::Texts;
use super::query::Query;
use crate::calendar::Day;
use crate::error::SqlError;
use crate::outcome::{Label, Occurrence, OutcomeSpec};
use crate::records::Selector;

impl<'p> Texts<'p> {
    /// The same with the outcome of each case: 1 where it came about, 0 where it did not, `NULL` where neither can be said.
    ///
    /// # Errors
    /// [`SqlError::Outcome`] where a source does not cover the horizon, [`SqlError::Lacks`] where it is not there.
    pub fn with_outcome(mut self, outcome: &'p OutcomeSpec) -> Result<Self, SqlError> {
        outcome.check()?;
        for selector in outcome.selectors() {
            self.check_selector(selector, &format!("outcome {}", outcome.name))?;
            if let Some(source) = self.source(&selector.source) {
                outcome.check_reach(self.as_of, (source.name, source.coverage))?;
            }
        }
        self.outcome = Some(outcome);
        Ok(self)
    }

    /// A source's records of these kinds, each in its last state, known or not: what outcomes read, and nothing else does.
    fn in_the_end(&self, selector: &Selector, columns: &str, which: &str) -> String {
        let Some(source) = self.source(&selector.source) else { return String::new() };
        let condition = source.condition(selector, self.dialect);
        let condition = condition.map_or_else(String::new, |condition| format!(" AND {condition}"));
        format!("SELECT {columns}\nFROM {}\nWHERE superseded IS NULL AND {which}{condition}", source.table)
    }
}

pub(super) fn text(asked: &Texts<'_>, outcome: &OutcomeSpec) -> String {
    let title = format!(
        "The outcome of each case, for training: {}.\nIt reads what happened from the date on, however late it became known.",
        outcome.name
    );
    asked.heading(&title) + &query(asked, outcome).text(asked.dialect)
}

fn query(asked: &Texts<'_>, outcome: &OutcomeSpec) -> Query {
    let (dialect, today) = (asked.dialect, asked.today());
    let ends = outcome.horizon.end(asked.as_of);
    let mut query = Query::new(
        "eh_outcomes",
        format!("What followed within {}: 1, 0, or NULL where it cannot be said.", outcome.horizon),
    );
    let before_the_end = format!("occurred < {}", ends.epoch_days());
    let records = outcome.records.iter();
    let records: Vec<String> =
        records.map(|selector| asked.in_the_end(selector, "person, occurred", &before_the_end)).collect();
    query.with.push(("records".into(), records.join("\nUNION ALL\n")));
    let on = |days: &str| format!("MAX(CASE WHEN r.occurred {days} {today} THEN 1 ELSE 0 END)");
    query.with.push((
        "happened".into(),
        format!(
            "SELECT o.entity, {} AS earlier, {} AS later\nFROM eh_own o\nJOIN records r ON r.person = o.person\nGROUP BY o.entity",
            on("<"),
            on(">=")
        ),
    ));
    let ended = followed(asked, outcome, &mut query);
    let label = |label: Label| dialect.text(label.name());
    let already = match outcome.counts {
        Occurrence::Any => String::new(),
        Occurrence::First => format!("WHEN h.earlier = 1 THEN {} ", label(Label::AlreadyHappened)),
    };
    let ended = ended.map(|condition| format!("WHEN {condition} THEN {} ", label(Label::FollowUpEnded)));
    let join = if ended.is_some() { "\nLEFT JOIN followed f ON f.entity = c.entity" } else { "" };
    let (yes, no) = (label(Label::Positive), label(Label::Negative));
    query.with.push((
        "labels".into(),
        format!(
            "SELECT c.entity, CASE {already}WHEN h.later = 1 THEN {yes} {}ELSE {no} END AS label\nFROM eh_case c\nLEFT JOIN happened h \
             ON h.entity = c.entity{join}",
            ended.unwrap_or_default(),
        ),
    ));
    query.column("l.entity", "entity");
    query.column(format!("CASE l.label WHEN {yes} THEN 1 WHEN {no} THEN 0 END"), "outcome");
    query.column("l.label", "label");
    query.column(dialect.text(&asked.as_of.to_string()), "as_of");
    query.column(dialect.text(&(ends - 1).to_string()), "looked_until");
    query.column(asked.mark(Some(outcome)).to_string(), super::MADE_BY);
    query.from = "FROM labels l".into();
    query
}

/// Adds of each case what says until when it is followed, and gives the condition that this is not to the end of the horizon;
/// `None` where everybody is.
fn followed(asked: &Texts<'_>, outcome: &OutcomeSpec, query: &mut Query) -> Option<String> {
    let ends = outcome.horizon.end(asked.as_of);
    let (mut columns, mut joins) = (vec!["o.entity".to_owned()], String::new());
    let mut conditions = Vec::new();
    if let Some(age) = outcome.follow_up.until_age {
        columns.push("MAX(p.born) AS born".into());
        joins.push_str("\nJOIN eh_person p ON p.person = o.person");
        conditions.push(format!("f.born < {}", first_born(age, ends).epoch_days()));
    }
    if let Some(during) = &outcome.follow_up.during {
        lasting(asked, during, query);
        columns.push("MAX(l.until_day) AS until_day".into());
        joins.push_str("\nLEFT JOIN lasting l ON l.person = o.person");
        conditions.push(format!("f.until_day IS NULL OR f.until_day < {}", ends.epoch_days()));
    }
    if conditions.is_empty() {
        return None;
    }
    query.with.push((
        "followed".into(),
        format!("SELECT {}\nFROM eh_own o{joins}\nGROUP BY o.entity", columns.join(", ")),
    ));
    Some(conditions.join(" OR "))
}

/// The end of the unbroken run of episodes that holds the date, of each person who is in one.
fn lasting(asked: &Texts<'_>, during: &Selector, query: &mut Query) {
    let (today, open) = (asked.today(), i32::MAX);
    let has_ends = asked.source(&during.source).is_some_and(super::source::Source::has_episodes);
    let end = if has_ends { format!("COALESCE(ended, {open})") } else { open.to_string() };
    let columns = format!("person, occurred, {end} AS until_day");
    query.with.push(("spells".into(), asked.in_the_end(during, &columns, &format!("{end} > {today}"))));
    query.with.push((
        "reached".into(),
        format!(
            "SELECT person, occurred, until_day, COALESCE(MAX(until_day) OVER (\n  PARTITION BY person ORDER BY occurred, until_day ROWS \
             BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING\n), {today}) AS reached\nFROM spells"
        ),
    ));
    query.with.push((
        "parted".into(),
        "SELECT person, occurred, until_day,\n  MIN(CASE WHEN occurred > reached THEN occurred END) OVER (PARTITION BY person) AS gap\n\
         FROM reached"
            .into(),
    ));
    query.with.push((
        "lasting".into(),
        "SELECT person, MAX(until_day) AS until_day\nFROM parted\nWHERE gap IS NULL OR occurred < gap\nGROUP BY person"
            .into(),
    ));
}

/// The first day of birth of whoever is not yet of an age on the day before another.
fn first_born(age: u8, day: Day) -> Day {
    let months = 12 * i32::from(age);
    let about = day.plus_months(-months);
    // One end of a month stands for several days.
    let is_later = |born: &Day| born.plus_months(months) >= day;
    (-3..=3).map(|days| about + days).find(is_later).unwrap_or(about)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn birthdays_are_those_of_the_library() {
        for day in (0..3000).map(|days| Day::from_epoch_days(18_000 + days)) {
            for age in [0_u8, 1, 4, 18] {
                let first = first_born(age, day);
                for born in (-40..40).map(|days| first + days) {
                    assert_eq!(
                        born.plus_months(12 * i32::from(age)) < day,
                        born < first,
                        "{day} {age} {born}"
                    );
                }
            }
        }
    }
}
