//! How a case's reasons add up, and when the records behind them happened.

use std::collections::BTreeMap;

use crate::features::Scope;
use crate::records::RecordReference;
use crate::report::words::{self, Move};
use crate::scoring::{Contribution, ScoredCase};
use crate::stats::Interval;

/// The reasons of a case, one after another from the average case to its score.
pub(super) struct AddingUp {
    pub(super) parts: Vec<Part>,
    /// Where the average case stands, in percent of the width.
    pub(super) zero: String,
    /// How many points the whole width is.
    pub(super) width: String,
}

/// The reasons that rest on the case's own records, or on those of others in the household.
pub(super) struct Part {
    pub(super) title: &'static str,
    pub(super) steps: Vec<Step>,
    /// What they come to.
    pub(super) sum: String,
}

/// One reason on the way.
pub(super) struct Step {
    pub(super) words: String,
    pub(super) points: String,
    pub(super) raises: bool,
    /// The bar, from where the reasons before it led to where it leads: where it begins and how wide it is, in percent.
    pub(super) x: String,
    pub(super) width: String,
    /// Its 95% interval at its end, likewise; none where the model knows none.
    pub(super) whisker: Option<[String; 2]>,
}

/// Reasons that are drawn each by itself; the rest is one step.
const DRAWN: usize = 12;

impl AddingUp {
    pub(super) fn of(case: &ScoredCase) -> Self {
        let telling = |part: &&Contribution| words::rounds_to(part.log_odds) != Move::None;
        let mut drawn: Vec<&Contribution> = case.contributions().iter().filter(telling).take(DRAWN).collect();
        // Own reasons first, each side with the largest first, as they come.
        drawn.sort_by_key(|part| part.scope == Scope::Household);
        let own: f64 = drawn.iter().map(|part| part.log_odds).sum();
        let rest = case.contributions().iter().map(|part| part.log_odds).sum::<f64>() - own;

        // How far left and right the way leads, whiskers among it.
        let (mut at, mut low, mut high) = (0.0_f64, 0.0_f64, 0.0_f64);
        for part in &drawn {
            let ends = part.interval.map_or([part.log_odds; 2], |held| [held.low, held.high]);
            (low, high) = (low.min(at + ends[0]), high.max(at + ends[1]));
            at += part.log_odds;
            (low, high) = (low.min(at), high.max(at));
        }
        (low, high) = (low.min(at + rest), high.max(at + rest));
        let place = |value: f64| 1.0 + 98.0 * (value - low) / (high - low).max(f64::MIN_POSITIVE);

        let mut at = 0.0;
        let mut step = |words: String, added: f64, interval: Option<Interval>| {
            let (from, to) = (at, at + added);
            at = to;
            let (left, right) = (place(f64::min(from, to)), place(f64::max(from, to)));
            Step {
                words,
                points: words::points(added),
                raises: added > 0.0,
                x: format!("{left:.1}"),
                width: format!("{:.1}", (right - left).max(0.5)),
                whisker: interval.map(|held| {
                    let [low, high] = [place(from + held.low), place(from + held.high)];
                    [format!("{low:.1}"), format!("{:.1}", high - low)]
                }),
            }
        };
        let mut parts = Vec::new();
        for (scope, title) in [(Scope::Own, "Own records"), (Scope::Household, "Others in the household")] {
            let of_scope: Vec<&&Contribution> = drawn.iter().filter(|part| part.scope == scope).collect();
            if of_scope.is_empty() {
                continue;
            }
            let sum = words::points(of_scope.iter().map(|part| part.log_odds).sum());
            let steps = of_scope
                .into_iter()
                .map(|part| step(part.words.trim_end_matches('.').to_owned(), part.log_odds, part.interval))
                .collect();
            parts.push(Part { title, steps, sum });
        }
        if words::rounds_to(rest) != Move::None {
            let steps = vec![step("All smaller reasons together".to_owned(), rest, None)];
            parts.push(Part { title: "The rest", steps, sum: words::points(rest) });
        }
        Self { parts, zero: format!("{:.1}", place(0.0)), width: format!("{:.1}", (high - low) / 0.98) }
    }
}

/// A record behind one or several reasons.
pub(super) struct Dated {
    pub(super) occurred: String,
    pub(super) known: String,
    pub(super) source: String,
    pub(super) kind: String,
    pub(super) whose: String,
    pub(super) reference: String,
    /// The reasons that it is behind.
    pub(super) behind: String,
}

/// All records behind a case's reasons, the latest first.
pub(super) fn in_time(case: &ScoredCase) -> Vec<Dated> {
    let mut behind: BTreeMap<(&RecordReference, bool), Vec<&str>> = BTreeMap::new();
    for part in case.contributions() {
        let what = part.label.split(": ").next().unwrap_or(&part.label);
        for record in &part.records {
            let held = behind.entry((record, part.scope == Scope::Household)).or_default();
            if !held.contains(&what) {
                held.push(what);
            }
        }
    }
    let mut dated: Vec<((&RecordReference, bool), Vec<&str>)> = behind.into_iter().collect();
    dated.sort_by_key(|((record, _), _)| std::cmp::Reverse(record.occurred));
    dated
        .into_iter()
        .map(|((record, of_others), reasons)| {
            let mut whose = match (&record.member, of_others) {
                (Some(member), _) => format!("{} ({})", member.id, member.ages),
                (None, true) => "others in the household".to_owned(),
                (None, false) => "own".to_owned(),
            };
            if let Some(role) = record.role {
                whose = format!("{whose}, as {}", role.name());
            }
            let link = record.link.map_or_else(String::new, |link| format!(" (linked with {link})"));
            Dated {
                occurred: words::date(record.occurred),
                known: words::date(record.known),
                source: words::plain(&record.source),
                kind: words::plain(&record.kind),
                whose,
                reference: format!("{}{link}", record.reference.as_deref().unwrap_or("none given")),
                behind: reasons.join("; "),
            }
        })
        .collect()
}
