//! A project's model audited in depth.

use serde::Serialize;

use super::Project;
use crate::calendar::AsOf;
use crate::error::Error;
use crate::evaluate::{Backtest, Bootstrap};
use crate::fairness::Protected;
use crate::fairness::audit::{Audit, AuditParams, ScoreTable};
use crate::fairness::label::{Helped, LabelReport, LabelSource, Referred};
use crate::fairness::proxy::{AblationReport, CarrierReport, ProxyParams, ProxyReport};
use crate::model::Candidate;
use crate::records::Records;

/// All that the crate can say about a model and the groups it is used on.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct FullAudit {
    /// The digest of the candidate.
    pub candidate: String,
    /// Every figure of every group, on the backtest's test cases and lists.
    pub audit: Audit,
    /// How well features tell protected groups.
    pub proxies: ProxyReport,
    /// Which term carries a group's higher or lower scores.
    pub carriers: CarrierReport,
    /// What leaving a feature out would change.
    pub ablation: AblationReport,
    /// Outcomes and scores among those helped and not, and where referrals came from; `None` where the project does
    /// not say which records mean help.
    pub label: Option<LabelReport>,
}

impl Project {
    /// The resamples, minimum and seed that the project asks for; the operating point is the lists.
    #[must_use]
    pub fn audit_params(&self) -> AuditParams {
        AuditParams {
            minimum: self.training.minimum_group,
            bootstrap: Bootstrap { resamples: self.training.resamples, seed: self.seed },
            ..AuditParams::at_release()
        }
    }

    /// Audits a tested model in depth.
    ///
    /// # Errors
    /// The [`Error`] of the part that fails.
    pub fn full_audit(
        &self,
        records: &Records,
        protected: &Protected,
        (candidate, backtest): (&Candidate, &Backtest),
        params: &AuditParams,
    ) -> Result<FullAudit, Error> {
        let stage = |what: &str| self.watch.stage(what);
        stage("auditing groups");
        let audit = ScoreTable::of_backtest(backtest, protected)?.audit(params)?;
        stage("looking for proxies");
        let proxy = ProxyParams { minimum_group: params.minimum, seed: self.seed, ..ProxyParams::default() };
        let proxies = ProxyReport::of(&self.dataset(records)?, protected, &proxy)?;
        let carriers = CarrierReport::of(backtest, protected, params)?;
        stage("leaving features out");
        let ablation = AblationReport::of(backtest, protected, &params.bootstrap, params)?;
        stage("looking at the label");
        let tested: Vec<AsOf> = backtest.report().splits.iter().map(|split| split.split.test).collect();
        let label = match self.label_sources(records, &tested)? {
            None => None,
            Some((helped, referred)) => {
                let label =
                    LabelSource { outcome: &self.outcome, helped: &helped, referred: referred.as_ref() };
                Some(LabelReport::of(backtest, &label, protected, params)?)
            }
        };
        let candidate = candidate.digest().to_owned();
        Ok(FullAudit { candidate, audit, proxies, carriers, ablation, label })
    }

    /// Who was helped and who was referred after some dates; `None` where the project does not say which records
    /// mean help.
    pub(super) fn label_sources(
        &self,
        records: &Records,
        dates: &[AsOf],
    ) -> Result<Option<(Helped, Option<Referred>)>, Error> {
        if self.helped.is_empty() {
            return Ok(None);
        }
        let cohorts = dates.iter().map(|&date| self.cohort(records, date)).collect::<Result<Vec<_>, _>>()?;
        let helped = Helped::within(&cohorts, &self.helped, self.outcome.horizon)?;
        let referred = match self.referrals.as_slice() {
            [] => None,
            sources => Some(Referred::within(&cohorts, sources, self.outcome.horizon)?),
        };
        Ok(Some((helped, referred)))
    }

    /// Runs a candidate's backtest again, for what only the test cases can say.
    ///
    /// # Errors
    /// [`Error::Spec`], [`Error::Dataset`] or [`Error::Evaluate`] where the candidate is not of this project's
    /// features and outcome.
    pub fn backtest(
        &self,
        records: &Records,
        protected: &Protected,
        candidate: &Candidate,
    ) -> Result<Backtest, Error> {
        self.watch.stage("backtest");
        let data = self.training_data(records, protected)?;
        self.with_known(Backtest::run(candidate, &data, &self.backtest_plan()?)?, records)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fairness::label::ClosedLoop;
    use crate::model::Trainer;
    use crate::synthetic::{CouncilParams, Format};

    #[test]
    fn sources_of_referrals_in_the_project_file_reach_the_label_report() {
        let folder = std::env::temp_dir().join(format!("earlyhelp-referrals-{}", std::process::id()));
        let council = CouncilParams::new(2_500, 1).generate().unwrap();
        let path = council.write(&folder, Format::Csv).unwrap();
        let tables = r#"
[[helped]]
source = "early_help"

[[referral]]
name = "list"
records = [{ source = "early_help" }]
from_model = true

[training]
resamples = 99
"#;
        let text = std::fs::read_to_string(path).unwrap().replacen("[training]", tables, 1);
        let project = Project::from_toml(&text, &folder).unwrap();
        let (records, protected) = (project.records().unwrap(), project.protected().unwrap());
        let trainer = Trainer::by_name("logistic").unwrap();
        let (candidate, backtest) = project.test(&records, &protected, &trainer).unwrap();
        let params = project.audit_params();
        let full = project.full_audit(&records, &protected, (&candidate, &backtest), &params).unwrap();
        // Whoever was helped was referred by the list, since both are the same records.
        let label = full.label.unwrap();
        let referrals = label.referrals.as_ref().unwrap();
        assert_eq!(referrals.closed_loop, ClosedLoop::Closed);
        assert_eq!(referrals.referred, label.all.as_ref().unwrap().helped.n);
        assert!(label.to_string().contains("all referrals came from the model's own list"));
        std::fs::remove_dir_all(&folder).unwrap();
    }
}
