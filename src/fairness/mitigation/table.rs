//! A mitigation before and after, for a terminal.

use std::fmt;

use super::report::{BeforeAfter, MitigationReport, Used};
use crate::calendar::AsOf;
use crate::evaluate::PairedChange;

impl fmt::Display for MitigationReport {
    /// A table for each characteristic, and how to read it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.used {
            Used::Reweighing(record) => write!(
                f,
                "Mitigation: training cases reweighed by {} ({} groups; weights {:.2} to {:.2}).\nApproved by {}: {}\n",
                record.asked.reweigh.join(" and "),
                record.groups,
                record.least_weight,
                record.greatest_weight,
                record.asked.approved_by,
                record.asked.reason
            )?,
            Used::Shares(shares) => write!(
                f,
                "Mitigation: places on the list dealt by {}.\nApproved by {}: {}\n",
                shares.characteristic, shares.approved_by, shares.reason
            )?,
        }
        let dates =
            |side: &BeforeAfter| side.dates.iter().map(AsOf::to_string).collect::<Vec<_>>().join(", ");
        writeln!(f, "\nAt the dates trained on ({}), families never trained on", dates(&self.training))?;
        self.training.write(f)?;
        writeln!(f, "\nAt a later date ({}), families never trained on", dates(&self.later))?;
        self.later.write(f)?;
        write!(
            f,
            "
How to read it
  Without and with the mitigation on the same cases; the last column is the change, with its 95% interval
  over redrawn families. A star: the interval is clear of zero. Intervals are not corrected for the number
  of figures, so some stars are chance. \"held back\": a group of fewer than {least} people, or one from which
  such a group could be worked out; \"-\": a share of fewer than {least} cases.
  What is gained for one group is lost for others: look at all of them, and at the outcome on the list.",
            least = self.minimum_group
        )
    }
}

impl BeforeAfter {
    pub(super) fn write(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let changed =
            self.places_changed.map_or_else(|| "a number withheld".to_owned(), |places| places.to_string());
        writeln!(
            f,
            "  {} cases of {} families, {} with the outcome; {} places, {changed} of them changed",
            self.n, self.families, self.positives, self.listed
        )?;
        let mut lines = vec![
            line("AUC", self.auc.as_ref()),
            line("average precision", self.average_precision.as_ref()),
            line("outcome on the list", self.outcome_on_list.as_ref()),
        ];
        for (name, groups) in &self.characteristics {
            for group in groups {
                let Some(rates) = &group.rates else {
                    lines.push([
                        format!("{name} {}: held back", group.group),
                        String::new(),
                        String::new(),
                        String::new(),
                    ]);
                    continue;
                };
                for (what, rate) in [
                    ("listed", &rates.selection),
                    ("found", &rates.found),
                    ("wrongly listed", &rates.wrongly_listed),
                ] {
                    lines.push(line(&format!("{name} {}: {what}", group.group), rate.rate.as_ref()));
                    lines.push(line("  minus that of the rest", rate.to_the_rest.as_ref()));
                }
            }
        }
        let width = |column: usize| lines.iter().map(|line| line[column].chars().count()).max().unwrap_or(0);
        let widths: [usize; 4] = std::array::from_fn(width);
        for line in &lines {
            let padded: Vec<String> =
                line.iter().zip(widths).map(|(cell, width)| format!("  {cell:<width$}")).collect();
            writeln!(f, "{}", padded.concat().trim_end())?;
        }
        Ok(())
    }
}

fn line(name: &str, change: Option<&PairedChange>) -> [String; 4] {
    let Some(paired) = change else {
        return [name.to_owned(), "-".to_owned(), "-".to_owned(), "-".to_owned()];
    };
    [
        name.to_owned(),
        format!("{:.3}", paired.without.value),
        format!("{:.3}", paired.with.value),
        paired.to_string(),
    ]
}
