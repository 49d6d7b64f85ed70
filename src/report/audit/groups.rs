//! The figures of each group.

use super::super::words;
use super::chart::{self, Along, Dot, Span};
use super::figure;
use crate::evaluate::Estimate;
use crate::fairness::audit::{Audit, AuditedGroup, AuditedOutcome, GroupMeasure, GroupMeasures, ScoreScale};

/// What is drawn for each group: what the criteria compare.
const DRAWN: [(GroupMeasure, &str); 4] = [
    (GroupMeasure::SelectionRate, "Of the group, selected"),
    (GroupMeasure::TruePositiveRate, "Of those with the outcome, selected"),
    (GroupMeasure::FalsePositiveRate, "Of those without it, selected"),
    (GroupMeasure::Precision, "Of those selected, with the outcome"),
];

/// The other figures, in tables that fit a page.
const DETAILS: [(&str, &[GroupMeasure]); 3] = [
    (
        "Shares of people",
        &[
            GroupMeasure::Prevalence,
            GroupMeasure::ShareOfSelected,
            GroupMeasure::TrueNegativeRate,
            GroupMeasure::FalseNegativeRate,
            GroupMeasure::FalseDiscoveryRate,
            GroupMeasure::FalseOmissionRate,
            GroupMeasure::Accuracy,
        ],
    ),
    (
        "Ranking",
        &[
            GroupMeasure::Auc,
            GroupMeasure::AveragePrecision,
            GroupMeasure::MeanScore,
            GroupMeasure::NetBenefit,
        ],
    ),
    (
        "Calibration",
        &[
            GroupMeasure::CalibrationGap,
            GroupMeasure::CalibrationSlope,
            GroupMeasure::CalibrationIntercept,
            GroupMeasure::ExpectedCalibrationError,
        ],
    ),
];

/// Groups with their rates drawn beside everybody's.
#[derive(Default)]
pub(super) struct GroupTable {
    pub columns: Vec<DrawnColumn>,
    pub rows: Vec<GroupRow>,
}

pub(super) struct DrawnColumn {
    pub name: &'static str,
    pub question: &'static str,
    /// What the drawings' right end stands for.
    pub high: String,
}

pub(super) struct GroupRow {
    pub name: String,
    pub is_everybody: bool,
    pub known: bool,
    pub held_back: bool,
    pub n: String,
    pub positives: String,
    pub selected: String,
    pub cells: Vec<DrawnCell>,
}

pub(super) struct DrawnCell {
    /// The figure with its interval, or why there is none.
    pub says: String,
    /// Its denominator; empty where there is no figure.
    pub n: String,
    pub span: Option<Span>,
}

/// How many groups are held back, such as `2 further groups`; empty for none.
pub(in crate::report) fn held_back(groups: &[AuditedGroup]) -> String {
    match groups.len() - shown(groups).count() {
        0 => String::new(),
        held => words::counted(held, "further group", "further groups"),
    }
}

/// The groups that are shown, with their figures.
pub(in crate::report) fn shown(
    groups: &[AuditedGroup],
) -> impl Iterator<Item = (&AuditedGroup, &GroupMeasures)> {
    groups.iter().filter_map(|group| match &group.outcome {
        AuditedOutcome::Shown { measures, .. } => Some((group, &**measures)),
        AuditedOutcome::Suppressed { .. } => None,
    })
}

impl GroupTable {
    /// `all`: the groups held back have a row, too.
    pub(super) fn of(audit: &Audit, groups: &[AuditedGroup], all: bool) -> Self {
        let whole = &audit.whole;
        let along = DRAWN.map(|(measure, _)| {
            let figures =
                shown(groups).filter_map(|(_, held)| held.figure(measure)).chain(whole.figure(measure));
            Along::holding(figures)
        });
        let columns = DRAWN.iter().zip(along).map(|(&(measure, question), along)| DrawnColumn {
            name: measure.name(),
            question,
            high: format!("{:.0}%", 100.0 * along.high),
        });
        let row = |name: String, known: bool, is_everybody: bool, held: Option<&GroupMeasures>| {
            let cell = |((measure, _), along): (&(GroupMeasure, &str), Along)| {
                held.map(|held| DrawnCell::of(held, *measure, whole.figure(*measure), along, audit.scores))
            };
            GroupRow {
                name,
                is_everybody,
                known,
                held_back: held.is_none(),
                n: held.map(|held| words::count(held.n)).unwrap_or_default(),
                positives: count(held.and_then(|held| held.positives)),
                selected: count(held.and_then(|held| held.selected)),
                cells: DRAWN.iter().zip(along).filter_map(cell).collect(),
            }
        };
        let mut rows = vec![row("Everybody".to_owned(), true, true, Some(whole))];
        rows.extend(shown(groups).map(|(group, held)| row(group.name(), group.known, false, Some(held))));
        let held = held_back(groups);
        if all && !held.is_empty() {
            rows.push(row(held, true, false, None));
        }
        Self { columns: columns.collect(), rows }
    }
}

fn count(number: Option<u64>) -> String {
    number.map_or_else(|| figure::WITHHELD.to_owned(), words::count)
}

impl DrawnCell {
    fn of(
        held: &GroupMeasures,
        measure: GroupMeasure,
        everybody: Option<&Estimate>,
        along: Along,
        scale: ScoreScale,
    ) -> Self {
        let Some(found) = held.figure(measure) else {
            return Self { says: figure::missing(held, measure).to_owned(), n: String::new(), span: None };
        };
        Self {
            says: figure::figure(measure, found, scale),
            n: words::count(found.n),
            span: Some(Span::of(found, everybody, along)),
        }
    }
}

/// Figures of the groups that are not drawn.
pub(super) struct DetailTable {
    pub caption: &'static str,
    pub columns: Vec<&'static str>,
    pub rows: Vec<(String, Vec<DetailCell>)>,
}

/// A figure with what it rests on.
pub(super) struct DetailCell {
    pub says: String,
    /// Empty where there is no figure.
    pub n: String,
}

impl DetailCell {
    fn of(held: &GroupMeasures, measure: GroupMeasure, scale: ScoreScale) -> Self {
        let found = held.figure(measure);
        Self {
            says: found.map_or_else(
                || figure::missing(held, measure).to_owned(),
                |found| figure::figure(measure, found, scale),
            ),
            n: found.map(|found| words::count(found.n)).unwrap_or_default(),
        }
    }
}

pub(super) fn details(audit: &Audit, groups: &[AuditedGroup]) -> Vec<DetailTable> {
    let mut tables = Vec::new();
    for (caption, measures) in DETAILS {
        let whole = ("Everybody".to_owned(), &audit.whole);
        let held: Vec<(String, &GroupMeasures)> =
            std::iter::once(whole).chain(shown(groups).map(|(group, held)| (group.name(), held))).collect();
        // Calibration of scores that are not chances has no figure of one group: then there is no table.
        let told: Vec<GroupMeasure> = measures
            .iter()
            .copied()
            .filter(|measure| held.iter().any(|(_, held)| held.figure(*measure).is_some()))
            .collect();
        if told.is_empty() {
            continue;
        }
        let cell = |held: &GroupMeasures, measure: GroupMeasure| DetailCell::of(held, measure, audit.scores);
        let rows = held
            .into_iter()
            .map(|(name, held)| (name, told.iter().map(|measure| cell(held, *measure)).collect()));
        let rows = rows.collect();
        tables.push(DetailTable {
            caption,
            columns: told.into_iter().map(GroupMeasure::name).collect(),
            rows,
        });
    }
    tables
}

/// What happened at each score, group by group; for scores that are not chances.
pub(super) struct ScoresTable {
    pub columns: Vec<String>,
    /// The score, and a cell for each column.
    pub rows: Vec<(String, Vec<DetailCell>)>,
}

impl ScoresTable {
    /// Everybody's column first; `None` where there is nothing to show.
    pub(super) fn of(audit: &Audit, groups: &[AuditedGroup]) -> Option<Self> {
        let whole = ("Everybody".to_owned(), &audit.whole);
        let held: Vec<(String, &GroupMeasures)> = std::iter::once(whole)
            .chain(shown(groups).map(|(group, held)| (group.name(), held)))
            .filter(|(_, held)| !held.by_score.is_empty())
            .collect();
        let cell = |held: &GroupMeasures, score: f64| {
            let found = held.by_score.iter().find(|at| at.score.total_cmp(&score).is_eq());
            let observed = found.and_then(|found| found.observed.as_ref());
            DetailCell {
                says: match (found, observed) {
                    (_, Some(observed)) => observed.percent(),
                    (Some(_), None) => figure::WITHHELD.to_owned(),
                    (None, None) => "nobody".to_owned(),
                },
                n: observed.map(|observed| words::count(observed.n)).unwrap_or_default(),
            }
        };
        let row = |score: f64| {
            let cells = held.iter().map(|(_, held)| cell(held, score)).collect();
            (figure::bare(score, 4), cells)
        };
        let rows: Vec<_> = audit.whole.by_score.iter().map(|at| row(at.score)).collect();
        (!rows.is_empty())
            .then(|| Self { columns: held.iter().map(|(name, _)| name.clone()).collect(), rows })
    }
}

/// What was foreseen in a group, and what came about.
pub(super) struct CalibrationPlot {
    pub name: String,
    pub n: String,
    /// What the ends of both sides stand for.
    pub most: String,
    pub dots: Vec<Dot>,
    pub rows: Vec<[String; 3]>,
}

impl CalibrationPlot {
    /// Everybody's first; none where the scores are no chances.
    pub(super) fn all(audit: &Audit, groups: &[AuditedGroup]) -> Vec<Self> {
        let whole = ("Everybody".to_owned(), &audit.whole);
        let held: Vec<(String, &GroupMeasures)> = std::iter::once(whole)
            .chain(shown(groups).map(|(group, held)| (group.name(), held)))
            .filter(|(_, held)| !held.reliability.is_empty())
            .collect();
        let most = chart::reach(held.iter().flat_map(|(_, held)| &held.reliability));
        let plot = |(name, held): (String, &GroupMeasures)| Self {
            name,
            n: words::count(held.n),
            most: format!("{:.0}%", 100.0 * most),
            dots: chart::dots(&held.reliability, most),
            rows: held
                .reliability
                .iter()
                .map(|bin| {
                    let foreseen = format!("{:.1}%", 100.0 * bin.mean_predicted);
                    [foreseen, bin.observed.percent(), words::count(bin.observed.n)]
                })
                .collect(),
        };
        held.into_iter().map(plot).collect()
    }
}
