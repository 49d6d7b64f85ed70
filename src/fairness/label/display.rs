//! The label report as tables for a terminal.

use std::fmt;

use super::{HelpSplit, LabelReport, ReferralReport, Side};
use crate::fairness::proxy::display::{or_dash, texts, write_table};
use crate::stats::Estimate;

fn percent(estimate: Option<&Estimate>) -> String {
    estimate.map_or_else(|| "-".to_owned(), Estimate::percent)
}

impl fmt::Display for LabelReport {
    /// What the label is, those helped beside those not helped, where referrals came from, and how to read it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let label = &self.label;
        writeln!(f, "The label \"{}\": {} ({})", label.name, label.words, label.horizon)?;
        if label.measures.is_empty() {
            writeln!(f, "What it measures: nobody has said. Write it into the outcome's `measures`.")?;
        } else {
            writeln!(f, "What it measures: {}", label.measures)?;
        }
        writeln!(f, "\nThose helped beside those not helped, over {} cases", self.n)?;
        let mut lines = vec![texts(["of", "", "cases", "were helped", "had the outcome", "mean score"])];
        match &self.all {
            Some(all) => write_split(&mut lines, ["everybody", ""], all),
            None => lines.push(texts(["everybody", "", "held back"])),
        }
        for held in &self.groups {
            write_split(&mut lines, [&held.characteristic, &held.group], &held.split);
        }
        for (characteristic, held) in &self.held_back {
            lines.push(texts([characteristic, &format!("further groups: {held}"), "held back"]));
        }
        write_table(f, &lines)?;
        for (characteristic, why) in &self.not_measurable {
            writeln!(f, "  {characteristic}: not measurable: {why}")?;
        }
        match &self.referrals {
            Some(referrals) => write_referrals(f, referrals)?,
            None => writeln!(
                f,
                "\nReferral source: not asked for. Whether the list feeds its own label cannot be told."
            )?,
        }
        write!(
            f,
            "
How to read it
  Scores are in log-odds. Brackets hold 95% intervals, each for itself. Those helped were chosen, so a
  difference is not what help does; it says that the label means something else for them.
  \"held back\": fewer than {} people helped or not helped, or a group from which such a one could be worked out;
  no share with the outcome: it would tell as small a number of people.",
            self.minimum_group
        )
    }
}

fn write_split(lines: &mut Vec<Vec<String>>, of: [&str; 2], split: &HelpSplit) {
    let total = split.helped.n + split.not_helped.n;
    lines.push(texts([of[0], of[1], &total.to_string(), &percent(split.helped_share.as_ref())]));
    let mut side = |name: &str, side: &Side| {
        let (rate, score) = (percent(side.outcome_rate.as_ref()), or_dash(side.mean_score.as_ref()));
        lines.push(texts(["", name, &side.n.to_string(), "", &rate, &score]));
    };
    side("helped", &split.helped);
    side("not helped", &split.not_helped);
    let points = split.outcome_difference.as_ref();
    let (outcome, score) = (percent(points), or_dash(split.score_difference.as_ref()));
    lines.push(texts(["", "difference", &total.to_string(), "", &outcome, &score]));
}

fn write_referrals(f: &mut fmt::Formatter<'_>, report: &ReferralReport) -> fmt::Result {
    writeln!(f, "\nReferrals: {} cases were referred", report.referred)?;
    let mut lines = vec![texts(["source", "cases", "had the outcome", "mean score", ""])];
    for held in &report.sources {
        let name = held.source.as_deref().unwrap_or("(not referred)");
        let note = if held.from_model { "the model's own list" } else { "" };
        lines.push(match &held.cases {
            None => texts([name, "held back", "", "", note]),
            Some(side) => texts([
                name,
                &side.n.to_string(),
                &percent(side.outcome_rate.as_ref()),
                &or_dash(side.mean_score.as_ref()),
                note,
            ]),
        });
    }
    write_table(f, &lines)?;
    writeln!(f, "  From the model's own list: {} of those referred", percent(report.from_model.as_ref()))?;
    writeln!(f, "  {}", report.closed_loop.words())
}
