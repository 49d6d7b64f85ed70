//! Audits of half a table: of scores whose outcomes are not known yet, such as a list that is in use; and of selections
//! and outcomes without scores.

use super::report::{
    AttributeFinding, Audit, AuditedOutcome, Criterion, GroupMeasure, GroupMeasures, ScoreScale,
};

impl Audit {
    /// What can be said without outcomes: who is selected, and how scores lie.
    pub(super) fn without_outcomes(mut self) -> Self {
        self.positives = None;
        self.keep(
            |measure| {
                matches!(
                    measure,
                    GroupMeasure::SelectionRate | GroupMeasure::ShareOfSelected | GroupMeasure::MeanScore
                )
            },
            |criterion| matches!(criterion, Criterion::StatisticalParity | Criterion::FourFifthsRule),
        );
        self
    }

    /// What can be said without scores: who is selected, and whether rightly.
    pub(super) fn without_scores(mut self) -> Self {
        self.scores = ScoreScale::Points;
        self.operating.threshold_chance = None;
        self.keep(
            |measure| {
                !matches!(
                    measure,
                    GroupMeasure::Auc
                        | GroupMeasure::AveragePrecision
                        | GroupMeasure::MeanScore
                        | GroupMeasure::CalibrationGap
                        | GroupMeasure::CalibrationSlope
                        | GroupMeasure::CalibrationIntercept
                        | GroupMeasure::ExpectedCalibrationError
                        | GroupMeasure::NetBenefit
                        | GroupMeasure::Abroca
                )
            },
            |criterion| !matches!(criterion, Criterion::CalibrationWithinGroups | Criterion::Abroca),
        );
        self
    }

    fn keep(&mut self, measure: fn(GroupMeasure) -> bool, criterion: fn(Criterion) -> bool) {
        self.whole.keep(measure);
        for attribute in self.attributes.iter_mut().chain(&mut self.intersections) {
            let AttributeFinding::Measured { groups, criteria, .. } = &mut attribute.finding else {
                continue;
            };
            criteria.retain(|held| criterion(held.criterion));
            for group in groups {
                let AuditedOutcome::Shown { measures, disparities } = &mut group.outcome else { continue };
                measures.keep(measure);
                disparities.retain(|held| measure(held.measure));
            }
        }
    }
}

impl GroupMeasures {
    /// Blanks every figure but those that are kept.
    fn keep(&mut self, kept: fn(GroupMeasure) -> bool) {
        if !kept(GroupMeasure::Prevalence) {
            self.positives = None;
        }
        if !kept(GroupMeasure::CalibrationGap) {
            self.reliability.clear();
            self.by_score.clear();
        }
        for measure in GroupMeasure::ALL {
            if let Some(figure) = self.figure_mut(measure).filter(|_| !kept(measure)) {
                *figure = None;
            }
        }
    }
}
