//! A trained model with everything that an auditor needs to make it again.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::edit::{self, Draft, Edit, Recalibration};
use super::footing::{self, is_broad};
use super::form::AdditiveModel;
use super::notes::TrainingNote;
use super::path::PathReport;
use super::scorecard::Scorecard;
use super::trainer::{Trained, Trainer};
use crate::calendar::{AsOf, Day, Lookback};
use crate::cohort::{CohortSpec, Unit};
use crate::dataset::{Dataset, DateSummary, Reweighed, Reweighing};
use crate::error::ModelError;
use crate::features::{Cell, FeatureMatrix, FeatureSpec};
use crate::limits;
use crate::outcome::OutcomeSpec;
use crate::records::{Snapshot, SourceChange, SourceProfile};
use crate::words;

/// What a model was trained on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct TrainingRecord {
    /// The as-of dates and what each brought.
    pub dates: Vec<DateSummary>,
    /// Cases.
    pub rows: u64,
    /// Different families among them.
    pub families: u64,
    /// Cases with the outcome.
    pub positives: u64,
    /// Features that were given and play no part.
    pub unused: Vec<String>,
    /// What the trainer did that nobody asked for. Files made before this was kept have none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<TrainingNote>,
    /// A scorecard trainer's cards, best first: near-equal ones, so that people can choose. The first is the
    /// model.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub cards: Vec<Scorecard>,
    /// How the strength of a penalty was chosen, where it was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<PathReport>,
    /// For each feature where its values lay.
    pub ranges: Vec<FeatureRange>,
    /// For each term of the model its importance: the mean of its contributions without their signs, in
    /// log-odds, over the training cases.
    pub importance: Vec<f64>,
    /// Digests of what each source said at each date.
    pub sources: Vec<SourceDigest>,
    /// What each source was at the last date, in numbers of rows. Files made before this was kept have none, and
    /// nothing is held against them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub profiles: Vec<SourceProfile>,
    /// The seed of every random choice in training.
    pub seed: u64,
    /// Protected characteristics, held or not: none of them is a feature.
    pub protected: Vec<String>,
    /// How cases were reweighed by protected characteristics, where they were: the only trace that these
    /// leave in a model.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mitigation: Option<Reweighed>,
    /// What the model cannot see, beyond what is true of every model, in plain words.
    pub cannot_see: Vec<String>,
}

/// Where the values of a feature lay in training, without a single person's.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FeatureRange {
    /// The feature.
    pub feature: String,
    /// Its values at these shares of the cases that have one: 0.1%, 10%, 20% ... 90%, 99.9%. Empty where
    /// fewer than [`FeatureRange::FEWEST`] cases have one. A value that fewer than ten families have is told as the mean of
    /// the cases around it, of ten families or more; the first and the last are those of the tenth case from the end at least.
    pub quantiles: Vec<f64>,
    /// The share of cases for which it is missing.
    pub missing: f64,
    /// The share of cases that its source does not cover.
    pub not_covered: f64,
}

impl FeatureRange {
    /// Fewer values than this are not described: their quantiles would be single people's.
    pub const FEWEST: usize = 100;
    /// Cases that quantiles are taken from, evenly spaced over all.
    const SAMPLE: usize = 1 << 16;

    fn of(matrix: &FeatureMatrix, families: &[u32], feature: usize) -> Self {
        let (mut missing, mut not_covered) = (0_usize, 0_usize);
        for cell in matrix.column(feature) {
            missing += usize::from(cell == Cell::Missing);
            not_covered += usize::from(cell == Cell::NotCovered);
        }
        let stride = matrix.rows().div_ceil(Self::SAMPLE).max(1);
        let cells = matrix.column(feature).zip(families).step_by(stride);
        let mut values: Vec<(f32, u32)> =
            cells.filter_map(|(cell, &family)| Some((cell.value()?, family))).collect();
        values.sort_unstable_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
        let quantiles = if values.len() < Self::FEWEST { Vec::new() } else { nobodys_quantiles(&values) };
        let rows = matrix.rows() as f64;
        Self {
            feature: matrix.names()[feature].clone(),
            quantiles,
            missing: missing as f64 / rows,
            not_covered: not_covered as f64 / rows,
        }
    }
}

/// The quantiles of values, sorted, each with its family: none is told that fewer families have than anything is learnt from.
/// Empty where all values together are of fewer.
fn nobodys_quantiles(values: &[(f32, u32)]) -> Vec<f64> {
    let is_of_many = |from: usize, to: usize| {
        let families: Vec<u64> = values[from..to].iter().map(|(_, family)| u64::from(*family)).collect();
        is_broad(0..families.len(), Some(&families))
    };
    let count = values.len();
    if !is_of_many(0, count) {
        return Vec::new();
    }
    let at = |share: f64| {
        let rank = (share * (count - 1) as f64).round() as usize;
        let rank = rank.clamp(footing::FEWEST - 1, count - footing::FEWEST);
        let value = values[rank].0;
        let from = values.partition_point(|held| held.0 < value);
        let to = values.partition_point(|held| held.0 <= value);
        if is_of_many(from, to) {
            return f64::from(value);
        }
        // As many cases on both sides, as far as there are any.
        let around = |reach: usize| (rank.saturating_sub(reach), (rank + reach + 1).min(count));
        let reach = (1..count).find(|&reach| is_of_many(around(reach).0, around(reach).1)).unwrap_or(count);
        let around = &values[around(reach).0..around(reach).1];
        let mean = around.iter().map(|held| f64::from(held.0)).sum::<f64>() / around.len() as f64;
        // Counts stay counts.
        if around.iter().all(|held| held.0.fract() == 0.0) { mean.round() } else { mean }
    };
    let shares = std::iter::once(0.001).chain((1..10).map(|tenth| f64::from(tenth) / 10.0)).chain([0.999]);
    let mut highest = f64::NEG_INFINITY;
    shares
        .map(|share| {
            highest = highest.max(at(share));
            highest
        })
        .collect()
}

impl FeatureRange {
    /// How many quantiles there are, where there are any.
    const QUANTILES: usize = 11;

    /// Checks a range that was read.
    fn check(&self) -> Result<(), ModelError> {
        let spread = &self.quantiles;
        // Values are single precision.
        let are_values = spread.iter().all(|value| value.abs() <= f64::from(f32::MAX));
        let are_quantiles = (spread.is_empty() || spread.len() == Self::QUANTILES) && spread.is_sorted();
        let is_share = |share: f64| (0.0..=1.0).contains(&share);
        if are_values && are_quantiles && is_share(self.missing) && is_share(self.not_covered) {
            return Ok(());
        }
        Err(ModelError::Form(format!(
            "where the values of \"{}\" lay is not told by {} quantiles that rise and by shares",
            self.feature,
            Self::QUANTILES
        )))
    }
}

/// The mean size of each term's contribution.
fn importance(model: &AdditiveModel, matrix: &FeatureMatrix) -> Result<Vec<f64>, ModelError> {
    let mut sums = vec![0.0; model.terms().len()];
    model.for_each_explained(matrix, |contributions| {
        for (sum, contribution) in sums.iter_mut().zip(contributions) {
            *sum += contribution.abs();
        }
    })?;
    Ok(sums.into_iter().map(|sum| sum / matrix.rows() as f64).collect())
}

/// What a model file records of the circumstances of training, beyond the dataset itself.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TrainingContext {
    /// Digests of what was read.
    pub sources: Vec<SourceDigest>,
    /// The seed of every random choice in training.
    pub seed: u64,
    /// Protected characteristics, held or not. A feature that reads one is refused.
    pub protected: Vec<String>,
    /// What the model cannot see, in plain words: shown with every score.
    pub cannot_see: Vec<String>,
}

impl TrainingRecord {
    /// Checks a record that was read against the model that it is of: every length against every other, and that no figure
    /// is one that could not be. What pages and scores read from here on is not checked again.
    fn check(&self, model: &AdditiveModel) -> Result<(), ModelError> {
        let wrong = |why: &str| Err(ModelError::Form(format!("its training record {why}")));
        if !self.ranges.iter().map(|range| &range.feature).eq(model.features()) {
            return wrong("tells where the values of other features lay");
        }
        self.ranges.iter().try_for_each(FeatureRange::check)?;
        let is_size = |size: &f64| (0.0..=limits::FIGURE).contains(size);
        if self.importance.len() != model.terms().len() || !self.importance.iter().all(is_size) {
            return wrong("has no importance for each term");
        }
        if self.positives > self.rows || self.families > self.rows {
            return wrong("counts more outcomes or families than cases");
        }
        if self.cards.len() > limits::TERMS {
            return wrong("has more cards than anybody could choose from");
        }
        self.cards.iter().try_for_each(|card| card.check(model.features()))?;
        self.path.as_ref().map_or(Ok(()), PathReport::check)
    }

    /// What the model cannot see, in plain words, beginning with what became known from a day on: the one
    /// list that scores, pages and papers show.
    pub(crate) fn blind_spots(&self, day: &str) -> Vec<String> {
        let named = |names: &[String]| {
            words::listed(&names.iter().map(|name| words::plain(name)).collect::<Vec<_>>())
        };
        let mut lines = vec![
            format!("Anything that became known on or after {day}."),
            "Records of services that are not among its sources, and whatever was never recorded.".to_owned(),
            "Why something happened, and what a family is doing about it.".to_owned(),
        ];
        if !self.protected.is_empty() {
            let trained = self.mitigation.as_ref().map_or_else(String::new, |held| {
                format!(" In training, {} set how much past cases counted.", named(&held.asked.reweigh))
            });
            lines.push(format!(
                "Protected characteristics ({}), held for audit or not held at all: the score reads none of them.{trained} \
                 Features can go together with them all the same, and so stand for them in part.",
                named(&self.protected)
            ));
        }
        lines.extend(self.cannot_see.iter().map(|line| words::sentence(line)));
        lines
    }
}

/// What one source said at one date, as a digest.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SourceDigest {
    /// The source.
    pub source: String,
    /// The date.
    pub as_of: AsOf,
    /// SHA-256, hexadecimal: see [`Snapshot::digest`](crate::records::Snapshot::digest).
    pub digest: String,
}

/// A trained model that has not been released: it can be measured, audited and read, and cannot score
/// anybody.
///
/// # What does not compile
/// A released model scores a cohort:
/// ```
/// # use earlyhelp::cohort::Cohort;
/// # use earlyhelp::error::ScoringError;
/// # use earlyhelp::{model::Candidate, scoring::{Request, Scorer}};
/// fn list(model: &Scorer, cohort: &Cohort<'_>, request: &Request) -> Result<(), ScoringError> {
///     model.score(cohort, request).map(drop)
/// }
/// ```
/// A candidate does not:
/// ```compile_fail,E0599
/// # use earlyhelp::cohort::Cohort;
/// # use earlyhelp::error::ScoringError;
/// # use earlyhelp::{model::Candidate, scoring::{Request, Scorer}};
/// fn list(model: &Candidate, cohort: &Cohort<'_>, request: &Request) -> Result<(), ScoringError> {
///     model.score(cohort, request).map(drop)
/// }
/// ```
///
/// Its file names a digest of everything it says; one changed character is refused on loading.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Stored", into = "Stored")]
pub struct Candidate {
    body: Body,
    digest: String,
}

/// What the digest is over.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Body {
    crate_version: String,
    cohort: CohortSpec,
    outcome: OutcomeSpec,
    features: FeatureSpec,
    trainer: Trainer,
    training: TrainingRecord,
    model: AdditiveModel,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    edits: Vec<Edit>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    edited_from: Option<String>,
    #[serde(default, rename = "footings", skip_serializing_if = "Vec::is_empty")]
    recalibrations: Vec<Recalibration>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Stored {
    format: String,
    digest: String,
    says: Body,
}

/// The form of a candidate's file.
const FORMAT: &str = "earlyhelp-candidate/1";

impl Candidate {
    /// Trains a model on a dataset.
    ///
    /// # Errors
    /// [`ModelError::NotFitted`], as the trainer says, or [`ModelError::Protected`] where a feature reads
    /// a protected characteristic.
    pub fn train(data: &Dataset, trainer: &Trainer, context: TrainingContext) -> Result<Self, ModelError> {
        data.spec()
            .check_protected(&context.protected)
            .map_err(|error| ModelError::Protected(error.to_string()))?;
        let is_protected =
            |column: &&String| context.protected.iter().any(|name| name.eq_ignore_ascii_case(column));
        if let Some(column) = data.columns_read().iter().find(is_protected) {
            return Err(ModelError::Protected(format!(
                "a source that features read maps the column \"{column}\", which is a protected characteristic, held \
                 for audit alone; take it out of the mapping"
            )));
        }
        let Trained { model, unused, cards, path, notes } = trainer.fit(data, context.seed)?;
        Self::of(Body {
            crate_version: env!("CARGO_PKG_VERSION").to_owned(),
            cohort: data.cohort().clone(),
            outcome: data.outcome().clone(),
            features: data.spec().clone(),
            trainer: trainer.clone(),
            training: TrainingRecord {
                dates: data.dates().to_vec(),
                rows: data.rows() as u64,
                families: data.family_count() as u64,
                positives: data.outcomes().iter().filter(|&&outcome| outcome).count() as u64,
                unused,
                notes,
                cards,
                path,
                ranges: (0..data.spec().features().len())
                    .map(|feature| FeatureRange::of(data.matrix(), data.families(), feature))
                    .collect(),
                importance: importance(&model, data.matrix())?,
                sources: context.sources,
                profiles: data.profiles().to_vec(),
                seed: context.seed,
                protected: context.protected,
                mitigation: data.reweighed_by(),
                cannot_see: context.cannot_see,
            },
            model,
            edits: Vec::new(),
            edited_from: None,
            recalibrations: Vec::new(),
        })
    }

    /// In what the sources that the model rests on are not what they were at training: what `score` refuses,
    /// `monitor` calls beyond and `check` shows. Nothing is found of a source that the model file does not describe.
    ///
    /// See [`SourceProfile::changes`] for what is compared, and [`SourceProfile`] for the limits.
    #[must_use]
    pub fn changed_sources(&self, snapshot: &Snapshot<'_>) -> Vec<SourceChange> {
        let read = self.reads(snapshot);
        let profiles = self.body.training.profiles.iter();
        profiles
            .filter_map(|profile| Some((profile, read.get(profile.source.as_str())?)))
            .flat_map(|(profile, &since)| profile.changes(snapshot, since))
            .collect()
    }

    /// The sources that features and cohort rest on, each with the first day that is read.
    pub(crate) fn reads<'a>(&'a self, snapshot: &'a Snapshot<'_>) -> BTreeMap<&'a str, Day> {
        let Body { cohort, features, .. } = &self.body;
        let mut reads = features.reach(snapshot.records(), snapshot.as_of());
        let ever = Lookback::Ever.start(snapshot.as_of());
        for (selector, _) in cohort.selectors() {
            reads.insert(&selector.source, ever);
        }
        if cohort.unit == Unit::Family {
            reads.insert("households", ever);
        }
        reads
    }

    fn of(body: Body) -> Result<Self, ModelError> {
        if body.model.features().iter().ne(body.features.features().iter().map(|feature| &feature.name)) {
            return Err(ModelError::Form("the model's features are not those of its spec".into()));
        }
        body.training.check(&body.model)?;
        body.edits.iter().try_for_each(Edit::check)?;
        let canonical = serde_json::to_vec(&body).map_err(|error| ModelError::File(error.to_string()))?;
        Ok(Self { digest: hex::encode(Sha256::digest(canonical)), body })
    }

    /// The digest (SHA-256, hexadecimal) of everything the candidate says.
    #[must_use]
    pub fn digest(&self) -> &str {
        &self.digest
    }

    /// The model.
    #[must_use]
    pub fn model(&self) -> &AdditiveModel {
        &self.body.model
    }

    /// The features it reads.
    #[must_use]
    pub fn features(&self) -> &FeatureSpec {
        &self.body.features
    }

    /// The outcome it was trained for.
    #[must_use]
    pub fn outcome(&self) -> &OutcomeSpec {
        &self.body.outcome
    }

    /// The population it was trained on.
    #[must_use]
    pub fn cohort(&self) -> &CohortSpec {
        &self.body.cohort
    }

    /// The trainer and its settings.
    #[must_use]
    pub fn trainer(&self) -> &Trainer {
        &self.body.trainer
    }

    /// What it was trained on.
    #[must_use]
    pub fn training(&self) -> &TrainingRecord {
        &self.body.training
    }

    /// The version of this crate that trained it.
    #[must_use]
    pub fn crate_version(&self) -> &str {
        &self.body.crate_version
    }

    /// The changes that people made after training, in order.
    #[must_use]
    pub fn edits(&self) -> &[Edit] {
        &self.body.edits
    }

    /// The digest of the candidate that the last edit was made to.
    #[must_use]
    pub fn edited_from(&self) -> Option<&str> {
        self.body.edited_from.as_deref()
    }

    /// How it was recalibrated after training, in order.
    #[must_use]
    pub fn recalibrations(&self) -> &[Recalibration] {
        &self.body.recalibrations
    }

    /// The edits by which this candidate differs from another; `None` where it is not an edited version of
    /// it. (It may have been recalibrated as well.)
    #[must_use]
    pub fn edits_since(&self, other: &Self) -> Option<&[Edit]> {
        let (this, other) = (&self.body, &other.body);
        let training = |body: &Body| (body.training.rows, body.training.positives, body.training.seed);
        let same = this.cohort == other.cohort
            && this.outcome == other.outcome
            && this.features == other.features
            && this.trainer == other.trainer
            && training(this) == training(other)
            && this.training.dates == other.training.dates
            && this.training.mitigation == other.training.mitigation
            && this.training.sources == other.training.sources;
        this.edits.strip_prefix(other.edits.as_slice()).filter(|edits| same && !edits.is_empty())
    }

    /// The candidate as a person changed it. It has another digest, so backtest and fairness check have to
    /// be run again before it can be released; and both test the change, since it is made to every fit of
    /// the backtest as well.
    ///
    /// `data` must be what the candidate was trained on: the changed term is centred on its cases. What
    /// the intercept takes over for that leaves the score of every case that the edit does not touch as it
    /// was. Refits are changed alike, a card together with its model; other cards that training found stay
    /// with the version before.
    ///
    /// # Errors
    /// [`ModelError::Edit`] where the edit lacks a name or a reason, or the model does not allow it;
    /// [`ModelError::Features`] where the dataset is not the one it was trained on.
    pub fn edited(&self, edit: Edit, data: &Dataset) -> Result<Self, ModelError> {
        self.check_trained_on(data)?;
        let card = self.body.training.cards.first().cloned();
        let draft = Draft { model: self.body.model.clone(), card };
        let Draft { model, card } = draft.by_hand(&edit, data, &self.body.trainer)?;
        let mut body = self.body.clone();
        let is_used = |name: &String| model.terms().iter().any(|term| term.on.contains(name));
        body.training.unused = model.features().iter().filter(|name| !is_used(name)).cloned().collect();
        body.training.importance = importance(&model, data.matrix())?;
        body.training.cards =
            card.map(|card| edit::with_table(card, data.matrix(), data.outcomes())).into_iter().collect();
        body.model = model;
        body.edits.push(edit);
        body.edited_from = Some(self.digest.clone());
        Self::of(body)
    }

    fn check_trained_on(&self, data: &Dataset) -> Result<(), ModelError> {
        let Body { cohort, outcome, features, training, .. } = &self.body;
        let asked = (data.cohort(), data.outcome(), data.spec()) == (cohort, outcome, features);
        let positives = data.outcomes().iter().filter(|&&outcome| outcome).count() as u64;
        let counts = (data.rows() as u64, data.family_count() as u64, positives);
        let same = (training.rows, training.families, training.positives) == counts;
        if asked && same && data.dates() == training.dates {
            return self.check_reweighing(data);
        }
        Err(ModelError::Features(
            "they are not those that it was trained on; edit it with the project and the extracts it was made from, \
             or train again"
                .into(),
        ))
    }

    /// Refuses a dataset that counts its cases otherwise than the one that this was trained on: a test
    /// would be of another training.
    fn check_reweighing(&self, data: &Dataset) -> Result<(), ModelError> {
        let asked: Option<&Reweighing> = self.body.training.mitigation.as_ref().map(|held| &held.asked);
        match (asked, data.reweighing()) {
            (held, given) if held == given => Ok(()),
            (Some(_), _) => Err(ModelError::Features(
                "the model was trained on reweighed cases, and these are not reweighed in the same way; reweigh them as \
                 its training record says"
                    .into(),
            )),
            (None, _) => Err(ModelError::Features(
                "these are reweighed, and the model was trained on cases that count alike; train it on these, or test \
                 it without the reweighing"
                    .into(),
            )),
        }
    }

    /// Trains the same on other cases, without refits, and makes the same changes (edits and
    /// recalibrations, in their order) to what comes of it: for backtests. An edit of what this fit does not have does nothing.
    /// Where the model was trained on reweighed cases, these must be reweighed alike, and have weights of
    /// their own.
    ///
    /// # Errors
    /// As [`Trainer::fit`]; [`ModelError::Features`] where the cases are not reweighed as in training.
    pub fn fit_again(&self, data: &Dataset) -> Result<AdditiveModel, ModelError> {
        self.check_reweighing(data)?;
        let Body { trainer, training, edits, recalibrations, .. } = &self.body;
        let Trained { model, cards, .. } = trainer.without_refits().fit(data, training.seed)?;
        let mut draft = Draft { model, card: cards.into_iter().next() };
        for nth in 0..=edits.len() {
            for held in recalibrations.iter().filter(|held| held.after_edits as usize == nth) {
                draft = draft.recalibrated(held)?;
            }
            if let Some(edit) = edits.get(nth) {
                draft = draft.edited(edit, data.matrix())?.unwrap_or(draft);
            }
        }
        Ok(draft.model)
    }

    /// The candidate recalibrated on later data: see [`AdditiveModel::recalibrated`]. Its digest changes.
    ///
    /// # Errors
    /// [`ModelError::Form`] where the slope is not above 0.
    pub(crate) fn recalibrated(self, slope: f64, offset: f64) -> Result<Self, ModelError> {
        let mut body = self.body;
        body.model = body.model.recalibrated(slope, offset)?;
        body.training.importance.iter_mut().for_each(|importance| *importance *= slope);
        for card in &mut body.training.cards {
            card.recalibrate(slope, offset);
        }
        body.recalibrations.push(Recalibration { after_edits: body.edits.len() as u32, slope, offset });
        Self::of(body)
    }
}

impl TryFrom<Stored> for Candidate {
    type Error = ModelError;

    fn try_from(stored: Stored) -> Result<Self, ModelError> {
        if stored.format != FORMAT {
            return Err(ModelError::File(format!(
                "its form is not {FORMAT}; it was made by another version"
            )));
        }
        let candidate = Self::of(stored.says)?;
        if candidate.digest == stored.digest { Ok(candidate) } else { Err(ModelError::Changed) }
    }
}

impl From<Candidate> for Stored {
    fn from(candidate: Candidate) -> Self {
        Self { format: FORMAT.to_owned(), digest: candidate.digest, says: candidate.body }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_quantile_is_one_familys_value() {
        // 200 amounts, each of one family alone, and the highest of somebody who can be known by it.
        let mut values: Vec<(f32, u32)> =
            (0..199).map(|row| ((row * row) as f32 * 0.013 + 0.37, row)).collect();
        values.push((77_777.25, 199));
        let quantiles = nobodys_quantiles(&values);
        assert_eq!(quantiles.len(), 11);
        assert!(
            quantiles.iter().all(|told| values.iter().all(|held| (f64::from(held.0) - told).abs() > 1e-4)),
            "{quantiles:?}"
        );
        assert!(quantiles[10] < 520.0 && quantiles.is_sorted(), "{quantiles:?}");
        assert!((quantiles[5] - 130.0).abs() < 5.0, "{quantiles:?}");

        // A family at many dates is one.
        let values: Vec<(f32, u32)> = (0..400).map(|row| ((row / 20) as f32 + 0.5, row / 20)).collect();
        let quantiles = nobodys_quantiles(&values);
        assert!(quantiles.is_sorted() && quantiles[10] < 17.0 && quantiles[0] > 3.0, "{quantiles:?}");
        assert_eq!(nobodys_quantiles(&values[..180]), Vec::<f64>::new());

        // What many families have is told as it is, and a rare count stays a count.
        let mut values: Vec<(f32, u32)> = (0..980).map(|row| (f32::from(u8::from(row > 500)), row)).collect();
        values.extend((0..20).map(|row| (2.0 + (row / 4) as f32, 2_000 + row)));
        let quantiles = nobodys_quantiles(&values);
        assert_eq!(quantiles[..10], [0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 1.0, 1.0, 1.0, 1.0]);
        assert!(quantiles[10].fract() == 0.0 && quantiles[10] >= 2.0, "{quantiles:?}");
    }
}
