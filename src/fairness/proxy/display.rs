//! The three reports as tables for a terminal.

use std::fmt;

use super::{
    AblationReport, CarrierReport, ProxyFinding, ProxyOutcome, ProxyReport, ProxyVerdict, RankingFigures,
    TermDirection,
};
use crate::stats::Estimate;

/// Features and terms shown of each group; all are in the report itself.
const SHOWN: usize = 5;

/// Lines in columns: two spaces before each, as wide as its widest cell.
pub(in crate::fairness) fn write_table(f: &mut fmt::Formatter<'_>, lines: &[Vec<String>]) -> fmt::Result {
    let columns = lines.iter().map(Vec::len).max().unwrap_or(0);
    let width = |column: usize| {
        lines.iter().filter_map(|line| line.get(column)).map(|cell| cell.chars().count()).max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..columns).map(width).collect();
    for line in lines {
        let padded: Vec<String> =
            line.iter().zip(&widths).map(|(cell, width)| format!("  {cell:<width$}")).collect();
        writeln!(f, "{}", padded.concat().trim_end())?;
    }
    Ok(())
}

pub(in crate::fairness) fn texts<const N: usize>(cells: [&str; N]) -> Vec<String> {
    cells.map(str::to_owned).to_vec()
}

/// A figure, or a dash where there is none.
pub(in crate::fairness) fn or_dash(estimate: Option<&Estimate>) -> String {
    estimate.map_or_else(|| "-".to_owned(), Estimate::to_string)
}

impl ProxyVerdict {
    /// In words, such as "a proxy".
    #[must_use]
    pub fn words(self) -> &'static str {
        match self {
            Self::Proxy => "a proxy",
            Self::NotBeyondLimit => "not beyond the limit",
            Self::CannotTell => "cannot tell",
        }
    }
}

impl fmt::Display for ProxyReport {
    /// For each group the features that predict it best, and how to read that.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "Proxies: what predicts a group, over {} cases of {} families", self.n, self.families)?;
        for characteristic in &self.characteristics {
            writeln!(f, "\n{}", characteristic.name)?;
            let groups = match &characteristic.finding {
                ProxyFinding::NotMeasurable { why } => {
                    writeln!(f, "  not measurable: {why}")?;
                    continue;
                }
                ProxyFinding::Measured { groups, .. } => groups,
            };
            let mut lines = vec![texts(["group", "cases", "predicted by", "area under the curve", "", ""])];
            let mut held = 0;
            for group in groups {
                let ProxyOutcome::Shown { n, together, features } = &group.outcome else {
                    held += 1;
                    continue;
                };
                lines.push(vec![
                    group.group.clone(),
                    n.to_string(),
                    "all features together".to_owned(),
                    or_dash(together.auc.as_ref()),
                    together.verdict.words().to_owned(),
                ]);
                for found in features.iter().take(SHOWN) {
                    lines.push(vec![
                        String::new(),
                        String::new(),
                        found.feature.clone(),
                        or_dash(found.auc.as_ref()),
                        found.verdict.words().to_owned(),
                        found.leaning.words().to_owned(),
                    ]);
                }
            }
            write_table(f, &lines)?;
            if held > 0 {
                writeln!(f, "  further groups held back: {held}")?;
            }
        }
        write!(
            f,
            "
How to read it
  The area under the curve is how often somebody in the group stands above somebody else, when cases are put
  in order by what other families' records say: 0.5 is chance, 1 tells everyone apart. Brackets hold 95%
  intervals over families. \"A proxy\" is clearly beyond the limit of {limit:.3}, \"not beyond the limit\" clearly
  not, for all features and groups of a characteristic together (Bonferroni). The {SHOWN} best features are
  shown. A proxy is no proof of unfairness: it says where to ask how records come about.
  \"held back\": a group of fewer than {least} people, or one from which such a group could be worked out.",
            limit = self.params.limit,
            least = self.params.minimum_group,
        )
    }
}

impl fmt::Display for CarrierReport {
    /// For each group the terms with the largest part in its difference, and how to read that.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "What carries differences in score, over {} cases, in log-odds", self.n)?;
        let mut lines =
            vec![texts(["characteristic", "group", "cases", "term", "difference to the rest", ""])];
        for group in &self.groups {
            lines.push(vec![
                group.characteristic.clone(),
                group.group.clone(),
                group.n.to_string(),
                "all terms together".to_owned(),
                group.difference.to_string(),
            ]);
            for term in group.terms.iter().take(SHOWN) {
                let verdict = match term.verdict {
                    TermDirection::Higher => "raises the group's scores",
                    TermDirection::Lower => "lowers the group's scores",
                    TermDirection::CannotTell => "cannot tell",
                };
                let mut line = vec![String::new(); 3];
                line.extend([term.on.join(" and "), term.difference.to_string(), verdict.to_owned()]);
                lines.push(line);
            }
        }
        write_table(f, &lines)?;
        write_left_out(f, &self.not_measurable, &self.held_back)?;
        write!(
            f,
            "
How to read it
  A score is the sum of its terms, so a difference between mean scores is the sum of the terms' differences
  (and of a small part that is the test models' intercepts). Brackets hold 95% intervals over families; the
  words hold for all terms and groups of a characteristic together (Bonferroni). The {SHOWN} largest terms are
  shown. A term may carry a real difference in need, or one in how often a service writes things down.
  \"held back\": a group of fewer than {} people, or one from which such a group could be worked out.",
            self.minimum_group
        )
    }
}

impl fmt::Display for AblationReport {
    /// What each feature's leaving costs, what it does to each clear disparity, and how to read that.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { n, families, listed, .. } = self;
        writeln!(f, "Leaving a feature out: {n} cases of {families} families, {listed} places on lists")?;
        writeln!(f, "\nRanking")?;
        let figures = |ranking: &RankingFigures| {
            let all = [&ranking.auc, &ranking.average_precision, &ranking.outcome_share];
            all.map(|figure| or_dash(figure.as_ref()))
        };
        let mut lines = vec![texts([
            "without",
            "list kept",
            "area under the curve",
            "average precision",
            "with the outcome, of those listed",
        ])];
        lines.push(
            ["(the model as it is)".to_owned(), String::new()]
                .into_iter()
                .chain(figures(&self.ranking))
                .collect(),
        );
        for found in &self.features {
            let kept = found.list_kept.as_ref().map_or_else(|| "-".to_owned(), Estimate::percent);
            lines.push([found.feature.clone(), kept].into_iter().chain(figures(&found.ranking)).collect());
        }
        write_table(f, &lines)?;
        self.write_gaps(f)?;
        write_left_out(f, &self.not_measurable, &self.held_back)?;
        write!(
            f,
            "
How to read it
  Terms that read the feature are taken out of the scores, nothing is trained anew, and lists of the same
  length are drawn again. Lines below the first are changes: below zero in the first table, leaving the feature
  out costs. In the second, a change with the other sign than the difference takes it away. Brackets
  hold 95% intervals over families, each for itself: among twenty changes that are none, about one is
  clear of zero. A model trained without the feature would lose less ranking and keep more of the difference.
  \"-\": cannot be told. Rates of fewer than {} cases are not shown.",
            self.minimum_group
        )
    }
}

impl AblationReport {
    /// Differences that are clear of zero, and the features whose leaving changes them the most.
    fn write_gaps(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "\nDifferences to the rest that are clear of zero")?;
        let mut lines =
            vec![texts(["characteristic", "group", "cases", "without", "rate", "difference, change"])];
        for (nth, gap) in self.gaps.iter().enumerate() {
            let rates = [
                ("on the list", gap.selection_rate),
                ("found", gap.true_positive_rate),
                ("wrongly listed", gap.false_positive_rate),
            ];
            for (place, (rate, now)) in rates.into_iter().enumerate() {
                let Some(now) = now.filter(|now| now.interval.low > 0.0 || now.interval.high < 0.0) else {
                    continue;
                };
                let mut line = vec![gap.characteristic.clone(), gap.group.clone(), gap.n.to_string()];
                line.extend(["(the model as it is)".to_owned(), rate.to_owned(), now.to_string()]);
                lines.push(line);
                let changes = self.features.iter().filter_map(|found| {
                    let change = &found.gaps[nth];
                    let rates =
                        [change.selection_rate, change.true_positive_rate, change.false_positive_rate];
                    Some((found.feature.as_str(), rates[place]?))
                });
                let mut changes: Vec<(&str, Estimate)> = changes.collect();
                changes.sort_by(|a, b| b.1.value.abs().total_cmp(&a.1.value.abs()));
                for (feature, change) in changes.into_iter().take(3) {
                    let mut line = vec![String::new(); 3];
                    line.extend([feature.to_owned(), String::new(), change.to_string()]);
                    lines.push(line);
                }
            }
        }
        if lines.len() == 1 {
            return writeln!(f, "  none: no group is large enough, or its lists different enough, to tell");
        }
        write_table(f, &lines)
    }
}

fn write_left_out(
    f: &mut fmt::Formatter<'_>,
    not_measurable: &[(String, String)],
    held_back: &[(String, u64)],
) -> fmt::Result {
    if !(not_measurable.is_empty() && held_back.is_empty()) {
        writeln!(f)?;
    }
    for (characteristic, why) in not_measurable {
        writeln!(f, "  {characteristic}: not measurable: {why}")?;
    }
    for (characteristic, held) in held_back {
        writeln!(f, "  {characteristic}, further groups held back: {held}")?;
    }
    Ok(())
}
