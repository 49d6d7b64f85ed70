//! What the test found, as tables that several papers show.

use std::cmp::Ordering;

use super::super::chances::against_foreseen;
use super::super::figure::{Figure, Unit};
use super::super::{labels, words};
use super::parts::{Block, Cell};
use crate::evaluate::calibration::Calibration;
use crate::evaluate::{
    BacktestReport, Estimate, Interval, KnownReport, KnownShares, NotKnownFigures, Performance, TermReport,
};
use crate::report::AnyModel;
use crate::stats;

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
        .map_or_else(String::new, |figure| format!(": {}", figure.words()));
    format!(
        "The test is of {} cases of {} families, on {}. {} of the cases had the outcome{share}. Each list had {}; all \
         lists together had {} cases.",
        words::count(all.n),
        words::count(all.families),
        labels::dates(report.splits.iter().map(|split| split.split.test)),
        words::count(all.positives),
        labels::capacity(report.plan.capacity),
        words::count(all.capacity)
    )
}

/// What the lists would have held, in whole numbers out of a hundred.
pub(super) fn in_a_hundred(report: &BacktestReport) -> Option<String> {
    let (listed, found) = (report.overall.precision_at_capacity?, report.overall.recall_at_capacity?);
    let of_hundred = |estimate: &Estimate| (100.0 * estimate.value).round() as u64;
    let (right, held) = (of_hundred(&listed), of_hundred(&found));
    Some(format!(
        "In the test, of 100 cases on a list, about {right} had the outcome and about {} had not. Of 100 cases that \
         had the outcome, the lists held about {held}; about {} were not on them.",
        100 - right.min(100),
        100 - held.min(100)
    ))
}

/// Such figures of the model, of the version before it, and of the simple rules.
pub(super) fn contenders(model: AnyModel<'_>, lines: &[Line]) -> Block {
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
    let rows = lines.iter().map(|line| {
        let mut row = vec![Cell::text(line.says)];
        row.extend(found.iter().map(|found| Cell::figure((line.of)(found).as_ref(), line.unit)));
        row
    });
    Block::table(heads, rows)
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

/// What came of lists of other lengths than the test's.
pub(super) fn lengths(report: &BacktestReport) -> Block {
    let heads = ["Places on each list", "Lists", "On the list, had the outcome (n: cases on the lists)"];
    let rows = report.lengths.iter().map(|held| {
        vec![
            Cell::Count(u64::from(held.cases)),
            Cell::Count(u64::from(held.lists)),
            Cell::figure(Some(&held.observed), Unit::Share),
        ]
    });
    Block::table(heads, rows)
}

/// What of the lists, and of all cases, was known to a service already.
pub(super) fn known_already(report: &KnownReport) -> Block {
    let heads =
        ["Known already on the day", "On the lists (n: cases on the lists)", "Of all cases (n: test cases)"];
    let row = |says: &str, shares: &KnownShares| {
        vec![Cell::text(says), of_enough(shares.listed.as_ref()), of_enough(shares.cases.as_ref())]
    };
    let each = report.each.iter().map(|kind| row(&words::capitalised(&kind.words), &kind.shares));
    Block::table(heads, each.chain([row("Any of them", &report.any)]))
}

/// How lists did among those nobody was working with.
pub(super) fn not_known(report: &KnownReport) -> Block {
    let heads = [
        "Those nobody was working with",
        "Had the outcome (n: those of them on the lists)",
        "Had the outcome, was on the lists (n: those of them with the outcome)",
    ];
    let row = |says: &str, figures: &NotKnownFigures| {
        vec![Cell::text(says), of_enough(figures.precision.as_ref()), of_enough(figures.recall.as_ref())]
    };
    let rows = [
        row("These lists", &report.lists),
        row("Lists of the same length, of these cases alone", &report.own_lists),
    ];
    Block::table(heads, rows)
}

/// A share, or that it is of too few.
fn of_enough(estimate: Option<&Estimate>) -> Cell {
    match estimate {
        Some(_) => Cell::figure(estimate, Unit::Share),
        None => Cell::NotShown("too few to say".to_owned()),
    }
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
    let heads = [
        "Cases, from the lowest scores up",
        "Foreseen on average",
        "Had the outcome (n: cases in the group)",
        "Against what was foreseen",
    ];
    let rows = found.bins.iter().enumerate().map(|(nth, bin)| {
        vec![
            Cell::text(format!("group {} of {}", nth + 1, found.bins.len())),
            Cell::text(format!("{:.1}%", 100.0 * bin.mean_predicted)),
            Cell::figure(Some(&bin.observed), Unit::Share),
            Cell::text(match against_foreseen(bin) {
                Ordering::Greater => "more common",
                Ordering::Less => "rarer",
                Ordering::Equal => "no clear difference",
            }),
        ]
    });
    Block::table(heads, rows)
}

/// The terms that the test looked at and that are in the model, the most useful first.
fn looked_at(model: AnyModel<'_>) -> Vec<&TermReport> {
    let is_in_it = |on: &[String]| model.candidate().model().terms().iter().any(|term| term.on == on);
    let mut terms: Vec<&TermReport> =
        model.backtest().terms.iter().filter(|term| is_in_it(&term.on)).collect();
    let rise = |term: &TermReport| term.log_loss_without.map_or(f64::NEG_INFINITY, |found| found.value);
    terms.sort_by(|a, b| rise(b).total_cmp(&rise(a)));
    terms
}

/// Whether the test shows that the model is better with a term. A rise that is written as 0 even with two more
/// decimals shows nothing: a term that hardly ever speaks has an interval as narrow as that.
fn is_needed(term: &TermReport) -> bool {
    const LEAST: f64 = 0.5e-6;
    term.log_loss_without.is_some_and(|found| found.interval.low >= LEAST)
}

/// How many terms have not shown that they are needed; nothing where the test did not look at terms.
pub(super) fn not_shown_needed(model: AnyModel<'_>) -> Option<String> {
    let terms = looked_at(model);
    let not = terms.iter().filter(|term| !is_needed(term)).count();
    (!terms.is_empty()).then(|| {
        format!(
            "{} of {} have not shown in the test that the model needs them.",
            if not == 0 { "None".to_owned() } else { words::count(not as u64) },
            words::counted(terms.len(), "term", "terms")
        )
    })
}

/// How the worth of a term is to be read.
pub(super) const ON_TERMS: &str = "A term has shown that it is needed where the interval as written lies above 0. Each was left out on its \
                                   own, without training anew: of two that say the same, both can look needless.";

/// What the model would be without each of its terms.
pub(super) fn without(model: AnyModel<'_>) -> Block {
    let report = model.backtest();
    let heads = [
        "Without",
        "The log loss would rise by (below 0: the model would be better off; n: all test cases)",
        "Places of the lists that would go to other cases",
        "Shown to be needed",
    ];
    let listed = report.overall.capacity;
    let label = |name: &String| labels::label(model.candidate(), name);
    let rows = looked_at(model).into_iter().map(|term| {
        let labels: Vec<String> = term.on.iter().map(label).collect();
        let changed = ((1.0 - term.list_kept) * listed as f64).round() as u64;
        vec![
            Cell::text(labels.join(" together with ")),
            Cell::figure(term.log_loss_without.as_ref(), Unit::Nats),
            Cell::text(format!("{} of {}", words::count(changed), words::count(listed))),
            Cell::text(if is_needed(term) { "yes" } else { "no" }),
        ]
    });
    Block::table(heads, rows)
}

/// A difference of two figures that were measured on the same cases, `a - b`, from their intervals.
///
/// The two are taken as independent. They are measured on the same cases and so move together, which makes
/// the interval wider than it need be: it errs on the side of "cannot tell".
pub(super) fn difference(a: &Estimate, b: &Estimate) -> Estimate {
    Estimate { n: a.n.min(b.n), ..stats::difference(a, b) }
}
