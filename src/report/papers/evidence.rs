//! What the test found, as tables that several papers show.

use super::super::words;
use super::markdown::said;
use super::parts::{Block, Cell, Figure, Unit};
use super::wording;
use crate::evaluate::calibration::Calibration;
use crate::evaluate::{BacktestReport, Estimate, Interval, Performance};
use crate::fairness::{Comparison, FairnessReport, Finding, GroupOutcome, GroupRates, Verdict};
use crate::report::AnyModel;

/// A figure that models and rules are compared by: what the line says, the figure, its unit, and whether
/// less is better.
pub(super) struct Line {
    pub says: &'static str,
    pub of: fn(&Performance) -> Option<Estimate>,
    pub unit: Unit,
    pub less_is_better: bool,
}

/// All of them.
pub(super) const LINES: [Line; 7] = [
    Line {
        says: "Of the cases on the lists, the share that had the outcome (n: cases on the lists)",
        of: |found| found.precision_at_capacity,
        unit: Unit::Share,
        less_is_better: false,
    },
    Line {
        says: "Of the cases that had the outcome, the share that was on the lists (n: cases with the outcome)",
        of: |found| found.recall_at_capacity,
        unit: Unit::Share,
        less_is_better: false,
    },
    Line {
        says: "Cases on the lists to be reviewed for each one that had the outcome (n: cases on the lists; lower is \
               better)",
        of: to_review,
        unit: Unit::Cases,
        less_is_better: true,
    },
    Line {
        says: "Ranking of all cases: AUC (0.5 is chance, 1 is perfect; n: all test cases)",
        of: |found| found.auc,
        unit: Unit::Scale,
        less_is_better: false,
    },
    Line {
        says: "Top of the ranking: average precision (1 is perfect; n: all test cases)",
        of: |found| found.average_precision,
        unit: Unit::Scale,
        less_is_better: false,
    },
    Line {
        says: "Foreseen chances: log loss (0 is perfect, lower is better; n: all test cases)",
        of: |found| Some(found.log_loss),
        unit: Unit::Nats,
        less_is_better: true,
    },
    Line {
        says: "Foreseen chances: Brier score (0 is perfect, lower is better; n: all test cases)",
        of: |found| Some(found.brier),
        unit: Unit::Scale,
        less_is_better: true,
    },
];

/// One over the share of the list that had the outcome, with its ends.
fn to_review(found: &Performance) -> Option<Estimate> {
    let share = found.precision_at_capacity.filter(|share| share.interval.low > 0.0)?;
    let interval = Interval { low: 1.0 / share.interval.high, high: 1.0 / share.interval.low };
    Some(Estimate { value: 1.0 / share.value, interval, n: share.n })
}

/// How large the test was, in a sentence or two.
pub(super) fn size(report: &BacktestReport) -> String {
    let all = &report.overall;
    let share = Figure::of(&all.prevalence, Unit::Share)
        .map_or_else(String::new, |figure| format!(": {}", said(&figure)));
    format!(
        "The test is of {} cases of {} families, on {}. {} of the cases had the outcome{share}. Each list had {}; all \
         lists together had {} cases.",
        words::count(all.n),
        words::count(all.families),
        wording::dates(report.splits.iter().map(|split| split.split.test)),
        words::count(all.positives),
        wording::capacity(report.plan.capacity),
        words::count(all.capacity)
    )
}

/// What the lists would have held, in whole numbers out of a hundred.
pub(super) fn in_a_hundred(report: &BacktestReport) -> Option<String> {
    let (listed, found) = (report.overall.precision_at_capacity?, report.overall.recall_at_capacity?);
    let of_hundred = |estimate: &Estimate| (100.0 * estimate.value).round() as u64;
    let (right, held) = (of_hundred(&listed), of_hundred(&found));
    Some(format!(
        "In whole numbers: of 100 cases on a list, about {right} had the outcome and about {} had not. Of 100 cases that \
         had the outcome, the lists held about {held}; about {} were not on them.",
        100 - right.min(100),
        100 - held.min(100)
    ))
}

/// The figures of the model, of the version before it, and of the simple rules.
pub(super) fn contenders(model: AnyModel<'_>) -> Block {
    let report = model.backtest();
    let mut heads = vec!["What was measured".to_owned(), "This model".to_owned()];
    let mut found: Vec<&Performance> = vec![&report.overall];
    if let Some(previous) = model.previous() {
        heads.push("The version before people edited it".to_owned());
        found.push(&previous.performance);
    }
    for rule in &report.rules {
        heads.push(format!("Simple rule: {}", rule.rule.words()));
        found.push(&rule.performance);
    }
    let rows = LINES.iter().map(|line| {
        let mut row = vec![Cell::text(line.says)];
        row.extend(found.iter().map(|found| Cell::figure((line.of)(found).as_ref(), line.unit)));
        row
    });
    Block::table(heads.iter().map(String::as_str), rows)
}

/// Each test date on its own.
pub(super) fn splits(report: &BacktestReport) -> Block {
    let heads = [
        "Test date",
        "Cases it learnt from",
        "Cases tested",
        "On the list, had the outcome (n: cases on the list)",
        "Had the outcome, was on the list (n: cases with the outcome)",
        "AUC (n: cases tested)",
    ];
    let rows = report.splits.iter().map(|split| {
        let found = &split.performance;
        vec![
            Cell::text(words::date(split.split.test.day())),
            Cell::Count(split.trained_on),
            Cell::Count(found.n),
            Cell::figure(found.precision_at_capacity.as_ref(), Unit::Share),
            Cell::figure(found.recall_at_capacity.as_ref(), Unit::Share),
            Cell::figure(found.auc.as_ref(), Unit::Scale),
        ]
    });
    Block::table(heads, rows)
}

/// What came of the cases in each band.
pub(super) fn bands(report: &BacktestReport) -> Block {
    let heads = ["Band of the score", "Had the outcome (n: test cases in the band)"];
    let rows = report
        .bands
        .iter()
        .map(|band| vec![Cell::text(&band.name), Cell::figure(Some(&band.observed), Unit::Share)]);
    Block::table(heads, rows)
}

/// Slope and calibration in the large.
pub(super) fn calibration(found: &Calibration) -> Block {
    let heads = ["What was measured", "Found", "Right would be"];
    let rows = [
        (
            "Calibration slope (below 1: scores too extreme; n: all test cases)",
            &found.slope,
            Unit::Scale,
            "1",
        ),
        (
            "Calibration in the large (above 0: more common than foreseen; n: all test cases)",
            &found.intercept,
            Unit::LogOdds,
            "0",
        ),
    ];
    let rows = rows.map(|(says, estimate, unit, right)| {
        vec![Cell::text(says), Cell::figure(Some(estimate), unit), Cell::text(right)]
    });
    Block::table(heads, rows)
}

/// What was foreseen against what came about, by tenths of the cases.
pub(super) fn bins(found: &Calibration) -> Block {
    let heads = ["Cases, from the lowest scores up", "Foreseen on average", "Had the outcome"];
    let rows = found.bins.iter().enumerate().map(|(nth, bin)| {
        vec![
            Cell::text(format!("group {} of {}", nth + 1, found.bins.len())),
            Cell::text(format!("{:.1}%", 100.0 * bin.mean_predicted)),
            Cell::figure(Some(&bin.observed), Unit::Share),
        ]
    });
    Block::table(heads, rows)
}

/// What the model would be without each of its terms.
pub(super) fn without(model: AnyModel<'_>) -> Block {
    let report = model.backtest();
    let heads = [
        "Without",
        "The log loss would rise by (below 0: the model would be better off; n: all test cases)",
        "Places of the lists that would go to other cases",
    ];
    let listed = report.overall.capacity;
    let is_in_it = |on: &[String]| model.candidate().model().terms().iter().any(|term| term.on == on);
    let label = |name: &String| wording::label(model.candidate(), name);
    let rows = report.terms.iter().filter(|term| is_in_it(&term.on)).map(|term| {
        let labels: Vec<String> = term.on.iter().map(label).collect();
        let changed = ((1.0 - term.list_kept) * listed as f64).round() as u64;
        vec![
            Cell::text(labels.join(" together with ")),
            Cell::figure(term.log_loss_without.as_ref(), Unit::Nats),
            Cell::text(format!("{} of {}", words::count(changed), words::count(listed))),
        ]
    });
    Block::table(heads, rows)
}

/// A difference of two figures that were measured on the same cases, `a - b`, from their intervals.
///
/// The two are taken as independent. They are measured on the same cases and so move together, which makes
/// the interval wider than it need be: it errs on the side of "cannot tell".
///
/// # References
/// R. G. Newcombe (1998), *Statistics in Medicine* 17:873-890, method 10; G. Y. Zou and A. Donner (2008),
/// "Construction of confidence limits about effect measures: a general approach", *Statistics in Medicine*
/// 27:1693-1702.
pub(super) fn difference(a: &Estimate, b: &Estimate) -> Estimate {
    let value = a.value - b.value;
    let down = (a.value - a.interval.low).hypot(b.interval.high - b.value);
    let up = (a.interval.high - a.value).hypot(b.value - b.interval.low);
    Estimate { value, interval: Interval { low: value - down, high: value + up }, n: a.n.min(b.n) }
}

/// The groups of one characteristic.
pub(super) struct Groups {
    pub name: String,
    pub block: Block,
}

/// Each characteristic that was audited: a table, or why there is none.
pub(super) fn groups(report: &FairnessReport) -> Vec<Groups> {
    let heads = [
        "Group",
        "Cases",
        "Had the outcome (n: cases)",
        "Was on a list (n: cases)",
        "Found by the list (n: cases with the outcome)",
        "Wrongly listed (n: cases without the outcome)",
        "Against everybody else",
    ];
    report
        .characteristics
        .iter()
        .map(|held| Groups {
            name: wording::capitalised(&wording::plain(&held.name)),
            block: match &held.finding {
                Finding::NotMeasurable { why } => Block::text(format!(
                    "Not measurable: {why}. That is a gap, and not a finding that all is well."
                )),
                Finding::Measured { groups } => Block::table(
                    heads,
                    groups.iter().map(|group| match &group.outcome {
                        GroupOutcome::Shown(rates) => shown(&wording::group(&group.group), rates),
                        GroupOutcome::Suppressed { .. } => {
                            let mut row = vec![Cell::NotShown("held back".to_owned()); heads.len()];
                            row[0] = Cell::text(wording::group(&group.group));
                            row
                        }
                    }),
                ),
            },
        })
        .collect()
}

fn shown(name: &str, rates: &GroupRates) -> Vec<Cell> {
    let share = |estimate: Option<&Estimate>| match estimate {
        Some(_) => Cell::figure(estimate, Unit::Share),
        None => Cell::NotShown("too few cases".to_owned()),
    };
    let said = differences(rates);
    vec![
        Cell::text(name),
        Cell::Count(rates.n),
        share(rates.base_rate.as_ref()),
        share(rates.selection_rate.as_ref()),
        share(rates.true_positive_rate.as_ref()),
        share(rates.false_positive_rate.as_ref()),
        Cell::text(if said.is_empty() { "no clear difference".to_owned() } else { said.join("; ") }),
    ]
}

/// For each characteristic the groups that clearly differ from everybody else, or that there are none.
pub(super) fn clear_differences(report: &FairnessReport) -> Vec<Block> {
    if report.characteristics.is_empty() {
        return Vec::new();
    }
    let mut blocks = vec![Block::text(
        "Clear differences of a group from everybody else in the test (n: both together). A difference that is not \
         clear may still be there; a small group cannot show one. Where many groups are compared, about one comparison \
         in twenty is called clear by chance alone. All groups with all rates are in the model card.",
    )];
    for held in &report.characteristics {
        let name = wording::capitalised(&wording::plain(&held.name));
        match &held.finding {
            Finding::NotMeasurable { why } => {
                blocks.push(Block::text(format!("{name}: not measurable ({why}).")));
            }
            Finding::Measured { groups } => {
                let clear: Vec<String> = groups
                    .iter()
                    .filter_map(|group| match &group.outcome {
                        GroupOutcome::Shown(rates) => Some((&group.group, differences(rates))),
                        GroupOutcome::Suppressed { .. } => None,
                    })
                    .filter(|(_, found)| !found.is_empty())
                    .map(|(group, found)| format!("{}: {}", wording::group(group), found.join("; ")))
                    .collect();
                if clear.is_empty() {
                    blocks.push(Block::text(format!("{name}: no clear difference.")));
                } else {
                    blocks.extend([Block::text(format!("{name}:")), Block::list(clear)]);
                }
            }
        }
    }
    blocks
}

/// The clear differences of a group from everybody else, each with its size.
fn differences(rates: &GroupRates) -> Vec<String> {
    let compared: [(&Comparison, &str, &str); 3] = [
        (&rates.selection_rate_difference, "listed more often", "listed less often"),
        (&rates.true_positive_rate_difference, "found more often", "missed more often"),
        (&rates.false_positive_rate_difference, "wrongly listed more often", "wrongly listed less often"),
    ];
    let say = |(comparison, more, less): (&Comparison, &str, &str)| {
        let verdict = match comparison.verdict {
            Verdict::Higher => more,
            Verdict::Lower => less,
            Verdict::CannotTell => return None,
        };
        let figure = Figure::of(comparison.difference.as_ref()?, Unit::Points)?;
        Some(format!("{verdict}: {}", said(&figure)))
    };
    compared.into_iter().filter_map(say).collect()
}
