//! An audit of scores whose outcomes are not known yet: a list that is in use.

use super::report::{AttributeFinding, Audit, AuditedOutcome, Criterion, GroupMeasures, Measure};

/// What can be said without outcomes: who is selected, and how scores lie.
impl Audit {
    pub(super) fn without_outcomes(mut self) -> Self {
        self.positives = None;
        self.whole.without_outcomes();
        for attribute in self.attributes.iter_mut().chain(&mut self.intersections) {
            let AttributeFinding::Measured { groups, criteria, .. } = &mut attribute.finding else {
                continue;
            };
            criteria.retain(|held| {
                matches!(held.criterion, Criterion::StatisticalParity | Criterion::FourFifthsRule)
            });
            for group in groups {
                let AuditedOutcome::Shown { measures, disparities } = &mut group.outcome else { continue };
                measures.without_outcomes();
                disparities
                    .retain(|held| matches!(held.measure, Measure::SelectionRate | Measure::MeanScore));
            }
        }
        self
    }
}

impl GroupMeasures {
    fn without_outcomes(&mut self) {
        let blank = Self {
            n: self.n,
            positives: None,
            selected: self.selected,
            prevalence: None,
            selection_rate: self.selection_rate,
            true_positive_rate: None,
            false_positive_rate: None,
            true_negative_rate: None,
            false_negative_rate: None,
            precision: None,
            false_discovery_rate: None,
            false_omission_rate: None,
            accuracy: None,
            share_of_selected: self.share_of_selected,
            auc: None,
            average_precision: None,
            mean_score: self.mean_score,
            calibration_gap: None,
            calibration_slope: None,
            calibration_intercept: None,
            expected_calibration_error: None,
            reliability: Vec::new(),
            net_benefit: None,
        };
        *self = blank;
    }
}
