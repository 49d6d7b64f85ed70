//! The fairness report: one entry per characteristic, its groups shown, held back, or not measurable.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::rates::{Characteristic, Comparison, Counts, FairnessParams, GroupRates, UNKNOWN, Verdict};
use crate::error::EvaluateError;
use crate::evaluate::interval::Estimate;
use crate::evaluate::performance::TestRows;

/// How a list treats the groups of each protected characteristic. Its text form is a table for a terminal.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FairnessReport {
    /// Groups of fewer rows than this are held back.
    pub minimum_group: u32,
    /// How many rows the test has.
    pub n: u64,
    /// How many of them are on the list.
    pub selected: u64,
    /// One entry per characteristic asked for, in the order asked.
    pub characteristics: Vec<CharacteristicReport>,
}

/// What was found for one characteristic.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CharacteristicReport {
    /// The name of the characteristic.
    pub name: String,
    /// Its groups, or why there is nothing to say.
    pub finding: Finding,
}

/// Measured or not: a characteristic that cannot be measured is never one "without disparity".
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Finding {
    /// The data allow to look at it.
    Measured {
        /// Each group, by name; those not known last.
        groups: Vec<GroupReport>,
    },
    /// The data do not allow to look at it.
    NotMeasurable {
        /// Why, in a sentence.
        why: String,
    },
}

/// One group of a characteristic.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GroupReport {
    /// The name of the group, as the data have it.
    pub group: String,
    /// Its rates, if it may be shown.
    pub outcome: GroupOutcome,
}

/// A group's rates, or that they are held back.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum GroupOutcome {
    /// The rates.
    Shown(Box<GroupRates>),
    /// The group is too small to be shown, or is held back with one that is: from the total and all other
    /// groups, the small one could be worked out. The report does not say which.
    Suppressed {
        /// Groups with fewer rows than this are too small.
        under: u32,
    },
}

impl FairnessReport {
    /// Measures the list (`rows.selected`) for each characteristic.
    ///
    /// A group with fewer than `minimum_group` rows is held back. So is the next smallest, and the one after
    /// it, until at least two are held back and together have `minimum_group` rows: otherwise the total
    /// minus the groups shown would give the small ones away. A characteristic that is known for nobody, or a
    /// test smaller than `minimum_group`, is not measurable.
    ///
    /// # Errors
    /// What [`TestRows::check`] finds; [`EvaluateError::LengthMismatch`] for a characteristic that has another
    /// number of entries than there are rows.
    #[allow(clippy::trivially_copy_pass_by_ref, reason = "parameters are given by reference everywhere")]
    pub(crate) fn measure(
        rows: &TestRows<'_>,
        characteristics: &[Characteristic<'_>],
        params: &FairnessParams,
    ) -> Result<Self, EvaluateError> {
        rows.check()?;
        let all = Counts::of_all(rows);
        let measured = characteristics.iter().map(|characteristic| {
            let name = characteristic.name().to_owned();
            Ok(CharacteristicReport {
                finding: finding(rows, &all, characteristic, params.minimum_group)?,
                name,
            })
        });
        Ok(Self {
            minimum_group: params.minimum_group,
            n: all.n,
            selected: all.selected,
            characteristics: measured.collect::<Result<_, EvaluateError>>()?,
        })
    }
}

fn finding(
    rows: &TestRows<'_>,
    all: &Counts,
    characteristic: &Characteristic<'_>,
    under: u32,
) -> Result<Finding, EvaluateError> {
    let least = u64::from(under);
    let (name, groups) = match characteristic {
        Characteristic::NotHeld { .. } => {
            return Ok(Finding::NotMeasurable { why: "the data do not hold it".to_owned() });
        }
        Characteristic::Held { name, groups } => (name, groups),
    };
    if groups.len() != rows.outcomes.len() {
        return Err(EvaluateError::LengthMismatch {
            what: format!("characteristic {name}"),
            expected: rows.outcomes.len(),
            found: groups.len(),
        });
    }
    if all.n < least {
        return Ok(Finding::NotMeasurable { why: format!("the whole test has under {under} cases") });
    }
    let counts = Counts::of_groups(rows, groups);
    if counts.iter().all(|&(group, _)| group == UNKNOWN) {
        return Ok(Finding::NotMeasurable { why: "it is not known for anybody in the test".to_owned() });
    }
    let sizes: Vec<u64> = counts.iter().map(|(_, counts)| counts.n).collect();
    let reports = counts.iter().zip(held_back(&sizes, least)).map(|(&(group, counts), held)| {
        let outcome = if held {
            GroupOutcome::Suppressed { under }
        } else {
            GroupOutcome::Shown(Box::new(GroupRates::new(&counts, &all.without(&counts), least)))
        };
        GroupReport { group: group.to_owned(), outcome }
    });
    Ok(Finding::Measured { groups: reports.collect() })
}

/// Which groups are held back, given their sizes: from the smallest up (the first of equals), each that is
/// too small, and then as many more as it takes for none to be found by subtraction.
pub(crate) fn held_back(sizes: &[u64], least: u64) -> Vec<bool> {
    let mut order: Vec<usize> = (0..sizes.len()).collect();
    order.sort_by_key(|&group| sizes[group]);
    let mut held = vec![false; sizes.len()];
    let (mut count, mut rows) = (0, 0);
    for group in order {
        let exposed = count == 1 || (count > 0 && rows < least);
        if sizes[group] >= least && !exposed {
            break;
        }
        held[group] = true;
        count += 1;
        rows += sizes[group];
    }
    held
}

impl fmt::Display for FairnessReport {
    /// A table for each characteristic, and how to read it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "Fairness: {} cases in the test, {} of them on the list", self.n, self.selected)?;
        for characteristic in &self.characteristics {
            writeln!(f, "\n{}", characteristic.name)?;
            match &characteristic.finding {
                Finding::NotMeasurable { why } => writeln!(f, "  not measurable: {why}")?,
                Finding::Measured { groups } => write_groups(f, groups)?,
            }
        }
        write!(
            f,
            "
How to read it
  on the list     of all in the group, how many are on the list
  found           of those who had the outcome, how many are on the list
  wrongly listed  of those who did not have it, how many are on the list
  Brackets hold 95% intervals. A note compares with everybody else in the test, where the interval of
  the difference is clear of zero. \"No clear difference\" is not \"no difference\": small groups cannot
  show one. With many comparisons some are clear by chance alone (about one in twenty).
  \"-\": a share of fewer than {least} cases, not shown. \"held back\": a group of fewer than {least} cases,
  or one from which such a group could be worked out. A case is one person at one date.",
            least = self.minimum_group
        )
    }
}

const HEADINGS: [&str; 6] =
    ["group", "cases", "on the list", "found", "wrongly listed", "compared with the rest"];

fn write_groups(f: &mut fmt::Formatter<'_>, groups: &[GroupReport]) -> fmt::Result {
    let rate = |estimate: Option<&Estimate>| estimate.map_or_else(|| "-".to_owned(), Estimate::percent);
    let cells = groups.iter().map(|group| match &group.outcome {
        GroupOutcome::Suppressed { .. } => {
            let mut cells = [const { String::new() }; 6];
            cells[0].clone_from(&group.group);
            "held back".clone_into(&mut cells[1]);
            cells
        }
        GroupOutcome::Shown(rates) => [
            group.group.clone(),
            rates.n.to_string(),
            rate(rates.selection_rate.as_ref()),
            rate(rates.true_positive_rate.as_ref()),
            rate(rates.false_positive_rate.as_ref()),
            notes(rates),
        ],
    });
    let mut lines = vec![HEADINGS.map(str::to_owned)];
    lines.extend(cells);
    let width = |column: usize| lines.iter().map(|line| line[column].chars().count()).max().unwrap_or(0);
    let widths: [usize; 6] = std::array::from_fn(width);
    for line in &lines {
        let padded: Vec<String> =
            line.iter().zip(widths).map(|(cell, width)| format!("  {cell:<width$}")).collect();
        writeln!(f, "{}", padded.concat().trim_end())?;
    }
    Ok(())
}

/// What differs from the rest, in plain words.
fn notes(rates: &GroupRates) -> String {
    let compared: [(&Comparison, &str, &str); 3] = [
        (&rates.selection_rate_difference, "listed more often", "listed less often"),
        (&rates.true_positive_rate_difference, "found more often", "missed more often"),
        (&rates.false_positive_rate_difference, "wrongly listed more often", "wrongly listed less often"),
    ];
    if compared.iter().all(|(comparison, ..)| comparison.difference.is_none()) {
        return "nothing to compare with".to_owned();
    }
    let clear: Vec<&str> = compared
        .iter()
        .filter_map(|&(comparison, higher, lower)| match comparison.verdict {
            Verdict::Higher => Some(higher),
            Verdict::Lower => Some(lower),
            Verdict::CannotTell => None,
        })
        .collect();
    if clear.is_empty() { "no clear difference".to_owned() } else { clear.join("; ") }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Rows with groups of the given sizes; in group `g`, one in `every[g]` is on the list.
    struct Made {
        groups: Vec<Option<&'static str>>,
        outcomes: Vec<bool>,
        selected: Vec<bool>,
        families: Vec<u32>,
        log_odds: Vec<f64>,
    }

    impl Made {
        fn new(sizes: &[(Option<&'static str>, usize, usize)]) -> Self {
            let (mut groups, mut outcomes, mut selected) = (vec![], vec![], vec![]);
            for &(group, size, every) in sizes {
                for row in 0..size {
                    groups.push(group);
                    outcomes.push(row % 3 == 0);
                    selected.push(row % every == 0);
                }
            }
            let n = groups.len();
            Self { groups, outcomes, selected, families: (0..n as u32).collect(), log_odds: vec![0.0; n] }
        }

        fn report(&self, minimum_group: u32) -> FairnessReport {
            let rows = TestRows {
                log_odds: &self.log_odds,
                outcomes: &self.outcomes,
                families: &self.families,
                selected: &self.selected,
            };
            let held = Characteristic::Held { name: "area", groups: &self.groups };
            let not_held = Characteristic::NotHeld { name: "faith" };
            FairnessReport::measure(&rows, &[held, not_held], &FairnessParams { minimum_group }).unwrap()
        }
    }

    fn shown(report: &FairnessReport) -> Vec<(&str, Option<u64>)> {
        let Finding::Measured { groups } = &report.characteristics[0].finding else { panic!("not measured") };
        let size = |outcome: &GroupOutcome| match outcome {
            GroupOutcome::Shown(rates) => Some(rates.n),
            GroupOutcome::Suppressed { .. } => None,
        };
        groups.iter().map(|group| (group.group.as_str(), size(&group.outcome))).collect()
    }

    #[test]
    fn no_small_group_can_be_worked_out() {
        const NONE: [usize; 0] = [];
        let held = |sizes: &[u64]| -> Vec<usize> {
            let held = held_back(sizes, 10);
            (0..sizes.len()).filter(|&group| held[group]).collect()
        };
        assert_eq!(held(&[50, 10, 20]), NONE);
        assert_eq!(held(&[50, 9, 20]), [1, 2]); // one small: the next smallest goes with it
        assert_eq!(held(&[9, 50, 4, 20]), [0, 2]); // two small ones, 13 rows together
        assert_eq!(held(&[50, 1, 1, 20]), [1, 2, 3]); // 2 rows in two groups: one each
        assert_eq!(held(&[5, 30, 30]), [0, 1]); // of equals the first
        assert_eq!(held(&[500, 3]), [0, 1]);
        assert_eq!(held(&[500]), NONE);
        assert_eq!(held(&[]), NONE);
    }

    #[test]
    fn sums_of_what_is_shown_never_leave_a_small_remainder() {
        // Every mixture of four sizes around the limit.
        let sizes = [1_u64, 4, 5, 9, 10, 11, 40];
        let all = (0..7_usize.pow(4)).map(|code| [code % 7, code / 7 % 7, code / 49 % 7, code / 343]);
        for choice in all {
            let groups = choice.map(|which| sizes[which]);
            let held = held_back(&groups, 10);
            let hidden: Vec<u64> = (0..4).filter(|&group| held[group]).map(|group| groups[group]).collect();
            assert!((0..4).all(|group| held[group] || groups[group] >= 10), "{groups:?}");
            let safe = hidden.is_empty() || (hidden.len() > 1 && hidden.iter().sum::<u64>() >= 10);
            assert!(safe || hidden.len() == 4, "{groups:?}: {hidden:?}");
            // No more than needed: without any small group nothing is held back.
            assert_eq!(hidden.is_empty(), groups.iter().all(|&size| size >= 10));
        }
    }

    #[test]
    fn held_back_counts_appear_nowhere() {
        let sizes = [(Some("a"), 2_000, 5), (Some("b"), 7, 7), (Some("c"), 613, 5), (None, 1_000, 5)];
        let report = Made::new(&sizes).report(10);
        assert_eq!(shown(&report), [("a", Some(2_000)), ("b", None), ("c", None), ("unknown", Some(1_000))]);
        let (json, text) = (serde_json::to_string(&report).unwrap(), report.to_string());
        assert!(json.contains(r#"{"group":"b","outcome":{"suppressed":{"under":10}}}"#), "{json}");
        assert!(json.contains(r#"{"group":"c","outcome":{"suppressed":{"under":10}}}"#), "{json}");
        assert!(!json.contains("613") && !text.contains("613"));
        for group in ["b", "c"] {
            let line = text.lines().find(|line| line.trim_start().starts_with(&format!("{group} "))).unwrap();
            assert_eq!(line.split_whitespace().collect::<Vec<_>>(), [group, "held", "back"]);
        }
        assert_eq!(serde_json::from_str::<FairnessReport>(&json).unwrap(), report);
        assert!(serde_json::from_str::<FairnessReport>(&json.replacen("\"n\":", "\"m\":", 1)).is_err());
    }

    #[test]
    fn what_is_not_held_or_not_known_is_not_measurable() {
        let report = Made::new(&[(Some("a"), 100, 5)]).report(10);
        let faith = &report.characteristics[1];
        assert_eq!(faith.name, "faith");
        assert!(matches!(&faith.finding, Finding::NotMeasurable { why } if why.contains("do not hold")));
        // One group only: shown, but there is nobody to compare it with.
        assert_eq!(shown(&report), [("a", Some(100))]);
        assert!(report.to_string().contains("nothing to compare with"));
        for report in [Made::new(&[(None, 100, 5)]).report(10), Made::new(&[(Some("a"), 9, 2)]).report(10)] {
            assert!(matches!(report.characteristics[0].finding, Finding::NotMeasurable { .. }));
        }
    }

    #[test]
    fn the_length_of_a_characteristic_is_checked() {
        let made = Made::new(&[(Some("a"), 30, 2)]);
        let rows = TestRows {
            log_odds: &made.log_odds,
            outcomes: &made.outcomes,
            families: &made.families,
            selected: &made.selected,
        };
        let held = [Characteristic::Held { name: "area", groups: &made.groups[1..] }];
        let what = "characteristic area".to_owned();
        assert_eq!(
            FairnessReport::measure(&rows, &held, &FairnessParams::default()),
            Err(EvaluateError::LengthMismatch { what, expected: 30, found: 29 })
        );
    }

    #[test]
    fn the_table_lines_up_and_says_what_differs() {
        let sizes = [(Some("Ö, a long name"), 300, 2), (Some("b"), 300, 10), (None, 27, 4)];
        let text = Made::new(&sizes).report(10).to_string();
        let line = |start: &str| text.lines().find(|line| line.trim_start().starts_with(start)).unwrap();
        let column = |line: &str, what: &str| line[..line.find(what).unwrap()].chars().count();
        assert!(
            line("Ö").ends_with("listed more often; found more often; wrongly listed more often"),
            "{text}"
        );
        assert!(line("b").ends_with("listed less often; missed more often; wrongly listed less often"));
        assert!(
            line("unknown").contains(" -  ") && line("unknown").ends_with("no clear difference"),
            "{text}"
        );
        assert_eq!(column(line("group"), "on the list"), column(line("Ö"), "50.0%"));
        assert_eq!(column(line("group"), "on the list"), column(line("b"), "10.0%"));
        assert!(text.contains("faith\n  not measurable: the data do not hold it"));
    }
}
