//! How well a model did and to whom it would have been fair, for a terminal.

use super::audit::audit_text;
use super::model_page::AnyModel;
use crate::evaluate::{Estimate, Performance};

/// What `earlyhelp train` prints of a model: its backtest beside simple rules with 95% intervals, and its fairness check.
pub fn evidence_text<'a>(model: impl Into<AnyModel<'a>>) -> String {
    let model = model.into();
    let (candidate, backtest) = (model.candidate(), model.backtest());
    let training = candidate.training();
    let mut text = format!(
        "Model {}\nOutcome: {}.\nTrained on {} cases of {} families ({} with the outcome) at {} dates.\n\n",
        candidate.digest().get(..12).unwrap_or_default(),
        candidate.outcome().words,
        training.rows,
        training.families,
        training.positives,
        training.dates.len(),
    );
    text.push_str(
        "Backtest: trained on earlier dates, tested on later ones and on families never trained on.\n",
    );
    text.push_str(&backtest.overall.to_string());
    if let Some(known) = &backtest.known_to {
        text.push_str(&format!("\n{known}\n"));
    }
    text.push_str("\nBeside simple rules, on the same cases (with 95% intervals):\n");
    let heads = ["AUC", "average precision", "outcome on the list"];
    text.push_str(&format!("  {:<34} {:<22} {:<22} {}\n", "", heads[0], heads[1], heads[2]));
    text.push_str(&row("this model", &backtest.overall));
    for rule in &backtest.rules {
        text.push_str(&row(rule.rule.words(), &rule.performance));
    }
    text.push('\n');
    text.push_str(&audit_text(&model.fairness()));
    text
}

fn row(name: &str, performance: &Performance) -> String {
    let shown = |estimate: Option<Estimate>| {
        let words = |found: Estimate| {
            format!("{:.3} ({:.3}-{:.3})", found.value, found.interval.low, found.interval.high)
        };
        estimate.map_or_else(|| "-".to_owned(), words)
    };
    let Performance { auc, average_precision, precision_at_capacity, .. } = performance;
    let found = [*auc, *average_precision, *precision_at_capacity].map(shown);
    format!("  {name:<34} {:<22} {:<22} {}\n", found[0], found[1], found[2])
}
