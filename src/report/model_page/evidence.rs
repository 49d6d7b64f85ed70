//! How the model did in the backtest, and how its lists treat groups.

use super::super::chances::Chances;
use super::super::figure::plain;
use super::super::words::{self, OutOf};
use super::{AnyModel, px};
use crate::evaluate::calibration::{Calibration, ReliabilityBin};
use crate::evaluate::{Estimate, KnownReport, KnownShares, NotKnownFigures, Performance};

/// The backtest in figures.
pub(super) struct Evidence {
    pub cases: String,
    pub families: String,
    pub tests: String,
    /// Of so many cases on the lists.
    pub listed: String,
    pub listed_rate: String,
    pub listed_interval: String,
    pub average: String,
    pub found: String,
    pub found_interval: String,
    pub rows: Vec<Contender>,
    pub splits: Vec<SplitRow>,
    pub lengths: Vec<LengthRow>,
    pub known: Option<KnownSheet>,
    pub bands: Vec<BandRow>,
    pub calibration: Option<Reliability>,
    pub chances: Chances,
}

/// The model or a simple rule.
pub(super) struct Contender {
    pub name: String,
    pub is_model: bool,
    pub listed: String,
    pub found: String,
    pub auc: String,
    pub precision: String,
    pub loss: String,
}

pub(super) struct SplitRow {
    pub test: String,
    pub trained_on: String,
    pub cases: String,
    pub listed: String,
    pub auc: String,
}

/// Lists of one length.
pub(super) struct LengthRow {
    pub cases: String,
    pub lists: String,
    pub listed: String,
}

/// Who on the lists was known to a service already, and what the lists add.
pub(super) struct KnownSheet {
    pub rows: Vec<KnownRow>,
    /// What cannot be told; empty where that is nobody.
    pub cannot_tell: String,
    /// Of those nobody was working with, the share with the outcome.
    pub average: String,
    pub added: Vec<AddedRow>,
}

pub(super) struct KnownRow {
    pub says: String,
    pub listed: String,
    pub cases: String,
}

pub(super) struct AddedRow {
    pub says: &'static str,
    pub listed: String,
    pub found: String,
}

pub(super) struct BandRow {
    pub name: String,
    pub rate: String,
    pub interval: String,
    pub tested: String,
    /// The bar's length and the interval's two ends on a drawing 200 wide.
    pub bar: String,
    pub low: String,
    pub high: String,
}

impl Evidence {
    pub(super) fn of(model: AnyModel<'_>) -> Self {
        let report = model.backtest();
        let before = model.previous().map(|previous| {
            Contender::of("The version before people changed it", false, &previous.performance)
        });
        let overall = &report.overall;
        let prevalence = overall.prevalence.value;
        let rates = report.bands.iter().map(|band| band.observed.value).chain([prevalence]);
        let out_of = OutOf::fitting(rates);
        let told = |estimate: Option<&Estimate>| match estimate {
            Some(estimate) => (out_of.rate(estimate), out_of.interval(estimate)),
            None => ("not measured".to_owned(), "not known".to_owned()),
        };
        let (listed_rate, listed_interval) = told(overall.precision_at_capacity.as_ref());
        let hundred = OutOf::fitting(std::iter::empty());
        let (found, found_interval) = overall.recall_at_capacity.as_ref().map_or_else(
            || ("not measured".to_owned(), "not known".to_owned()),
            |recall| (hundred.rate(recall), hundred.interval(recall)),
        );
        let highest = report.bands.iter().map(|band| band.observed.interval.high).fold(0.0, f64::max);
        let along = |rate: f64| px(if highest > 0.0 { 196.0 * rate / highest } else { 0.0 });
        Self {
            cases: words::count(overall.n),
            families: words::count(overall.families),
            tests: report
                .splits
                .iter()
                .map(|split| words::date(split.split.test.day()))
                .collect::<Vec<_>>()
                .join(" and "),
            listed: words::count(overall.capacity),
            listed_rate,
            listed_interval,
            average: out_of.rate(&overall.prevalence),
            found,
            found_interval,
            rows: std::iter::once(Contender::of("This model", true, overall))
                .chain(before)
                .chain(report.rules.iter().map(|rule| {
                    Contender::of(&words::capitalised(rule.rule.words()), false, &rule.performance)
                }))
                .collect(),
            splits: report
                .splits
                .iter()
                .map(|split| SplitRow {
                    test: words::date(split.split.test.day()),
                    trained_on: words::count(split.trained_on),
                    cases: words::count(split.performance.n),
                    listed: rate(split.performance.precision_at_capacity.as_ref()),
                    auc: figure(split.performance.auc.as_ref(), 3),
                })
                .collect(),
            lengths: report
                .lengths
                .iter()
                .map(|held| LengthRow {
                    cases: words::count(u64::from(held.cases)),
                    lists: words::count(u64::from(held.lists)),
                    listed: rate(Some(&held.observed)),
                })
                .collect(),
            known: report.known_to.as_ref().map(KnownSheet::of),
            bands: report
                .bands
                .iter()
                .map(|band| BandRow {
                    name: band.name.clone(),
                    rate: out_of.rate(&band.observed),
                    interval: out_of.interval(&band.observed),
                    tested: words::count(band.observed.n),
                    bar: along(band.observed.value),
                    low: along(band.observed.interval.low),
                    high: along(band.observed.interval.high),
                })
                .collect(),
            calibration: overall.calibration.as_ref().map(Reliability::of),
            chances: Chances::of(report),
        }
    }
}

impl KnownSheet {
    fn of(report: &KnownReport) -> Self {
        let row = |says: &str, shares: &KnownShares| KnownRow {
            says: words::capitalised(says),
            listed: of_enough(shares.listed.as_ref()),
            cases: of_enough(shares.cases.as_ref()),
        };
        let each = report.each.iter().map(|kind| row(&kind.words, &kind.shares));
        let added = |says, figures: &NotKnownFigures| AddedRow {
            says,
            listed: of_enough(figures.precision.as_ref()),
            found: of_enough(figures.recall.as_ref()),
        };
        Self {
            rows: each.chain([row("any of them", &report.any)]).collect(),
            cannot_tell: report.any.cannot_tell_words(),
            average: of_enough(report.prevalence.as_ref()),
            added: vec![
                added("These lists", &report.lists),
                added("Lists of the same length, of these cases alone", &report.own_lists),
            ],
        }
    }
}

/// A share in percent with its interval, or that it is of too few.
fn of_enough(estimate: Option<&Estimate>) -> String {
    estimate.map_or_else(|| "too few to say".to_owned(), Estimate::percent)
}

impl Contender {
    fn of(name: &str, is_model: bool, performance: &Performance) -> Self {
        Self {
            name: name.to_owned(),
            is_model,
            listed: rate(performance.precision_at_capacity.as_ref()),
            found: rate(performance.recall_at_capacity.as_ref()),
            auc: figure(performance.auc.as_ref(), 3),
            precision: figure(performance.average_precision.as_ref(), 3),
            loss: figure(Some(&performance.log_loss), 4),
        }
    }
}

/// A figure with its interval.
fn figure(estimate: Option<&Estimate>, decimals: usize) -> String {
    estimate.map_or_else(
        || "not measured".to_owned(),
        |estimate| {
            let said = |value: f64| plain(value, decimals);
            let interval = estimate.interval;
            format!("{} ({} to {})", said(estimate.value), said(interval.low), said(interval.high))
        },
    )
}

/// A share in percent with its interval.
fn rate(estimate: Option<&Estimate>) -> String {
    estimate.map_or_else(|| "not measured".to_owned(), Estimate::percent)
}

/// What was foreseen against what came about.
pub(super) struct Reliability {
    pub dots: Vec<Dot>,
    pub ticks: Vec<ReliabilityTick>,
}

/// A tenth of the test cases on the drawing, and in the table.
pub(super) struct Dot {
    pub x: String,
    pub y: String,
    pub low: String,
    pub high: String,
    pub predicted: String,
    pub observed: String,
    pub cases: String,
}

pub(super) struct ReliabilityTick {
    /// From the left.
    pub x: String,
    /// From the top.
    pub y: String,
    pub label: &'static str,
}

/// The side of the drawing.
const SIDE: f64 = 300.0;

/// Marks that are nearer to each other would be written into each other.
const APART: f64 = 28.0;

/// Chances that are marked on the sides.
const MARKS: [(f64, &str); 10] = [
    (0.0, "0"),
    (0.01, "1%"),
    (0.02, "2%"),
    (0.05, "5%"),
    (0.1, "10%"),
    (0.2, "20%"),
    (0.3, "30%"),
    (0.5, "50%"),
    (0.75, "75%"),
    (1.0, "100%"),
];

impl Reliability {
    fn of(found: &Calibration) -> Self {
        let reach = |bin: &ReliabilityBin| bin.mean_predicted.max(bin.observed.interval.high);
        let most = found.bins.iter().map(reach).fold(0.01, f64::max);
        // Roots along both sides: most chances are small, and the small ones are to be told apart.
        let along = move |chance: f64| SIDE * (chance / most).sqrt();
        let dots = found.bins.iter().map(|bin| Dot {
            x: px(along(bin.mean_predicted)),
            y: px(SIDE - along(bin.observed.value)),
            low: px(SIDE - along(bin.observed.interval.low)),
            high: px(SIDE - along(bin.observed.interval.high)),
            predicted: format!("{:.1}%", 100.0 * bin.mean_predicted),
            observed: bin.observed.percent(),
            cases: words::count(bin.n),
        });
        let mut ticks: Vec<ReliabilityTick> = Vec::new();
        let mut before = f64::NEG_INFINITY;
        for (chance, label) in MARKS.into_iter().filter(|(chance, _)| *chance <= most) {
            let x = along(chance);
            if x - before >= APART {
                ticks.push(ReliabilityTick { x: px(x), y: px(SIDE - x), label });
                before = x;
            }
        }
        Self { dots: dots.collect(), ticks }
    }
}
