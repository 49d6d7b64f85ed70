//! What papers are made from, and what they say of it in words.

use serde::Serialize;

use super::super::{labels, words};
use super::organisation::{self, Organisation};
use super::parts::{Block, Blocks, Cell};
use crate::features::Feature;
use crate::model::{Candidate, TrainingRecord};
use crate::outcome::Occurrence;
use crate::outputs::printable_json;
use crate::project::Project;
use crate::records::Intake;
use crate::report::AnyModel;
use crate::scoring::SignOff;

/// What a paper is made from. What is not known is left out, and the paper says so.
#[derive(Clone, Copy)]
pub(super) struct Known<'a> {
    pub model: AnyModel<'a>,
    pub project: Option<&'a Project>,
    pub organisation: &'a Organisation,
    pub intake: &'a [Intake],
}

/// A value as JSON on one line that hides nothing.
fn code_of(value: &impl Serialize) -> String {
    printable_json(&serde_json::to_string(value).unwrap_or_default()).into_owned()
}

/// The model and what it is about.
impl<'a> Known<'a> {
    pub(super) fn candidate(&self) -> &'a Candidate {
        self.model.candidate()
    }

    pub(super) fn training(&self) -> &'a TrainingRecord {
        self.candidate().training()
    }

    /// The features, in the order of the model file.
    pub(super) fn features(&self) -> &'a [Feature] {
        self.candidate().features().features()
    }

    /// The outcome as a heading has it.
    pub(super) fn heading(&self) -> &'a str {
        self.candidate().outcome().words.trim_end_matches('.')
    }

    pub(super) fn foreseen(&self) -> String {
        words::sentence(&self.candidate().outcome().words)
    }

    pub(super) fn measures(&self) -> Option<String> {
        Some(words::sentence(&self.candidate().outcome().measures)).filter(|text| !text.is_empty())
    }

    pub(super) fn horizon(&self) -> String {
        self.candidate().outcome().horizon.to_string()
    }

    pub(super) fn outcome_records(&self) -> String {
        let records: Vec<String> = self.candidate().outcome().records.iter().map(labels::records).collect();
        words::listed(&records)
    }

    pub(super) fn what_counts(&self) -> &'static str {
        match self.candidate().outcome().counts {
            Occurrence::Any => "any such record within that time",
            Occurrence::First => {
                "only the first that the person ever had; whoever had one before is left out"
            }
        }
    }

    pub(super) fn follow_up(&self) -> String {
        let rule = &self.candidate().outcome().follow_up;
        let mut limits: Vec<String> = Vec::new();
        limits.extend(
            rule.during.iter().map(|held| format!("while an entry in {} lasts", labels::records(held))),
        );
        limits.extend(rule.until_age.map(|age| format!("until the age of {age}")));
        if limits.is_empty() { "over the whole time".to_owned() } else { limits.join(", and ") }
    }

    pub(super) fn cohort(&self) -> String {
        labels::cohort(self.candidate().cohort())
    }

    pub(super) fn whom(&self) -> String {
        words::capitalised(&self.cohort())
    }

    /// One of those who are asked about.
    pub(super) fn one(&self) -> &'static str {
        labels::unit(self.candidate().cohort()).0
    }

    /// Several of them.
    pub(super) fn many(&self) -> &'static str {
        labels::unit(self.candidate().cohort()).1
    }

    pub(super) fn asks_about_children(&self) -> bool {
        self.candidate().cohort().ages.is_some_and(|(youngest, _)| youngest < 18)
    }

    pub(super) fn kind(&self) -> String {
        words::capitalised(labels::kind(self.candidate().trainer()))
    }

    pub(super) fn how(&self) -> String {
        labels::how(self.candidate())
    }

    pub(super) fn outcome_code(&self) -> Block {
        Block::Code(code_of(self.candidate().outcome()))
    }

    pub(super) fn cohort_code(&self) -> Block {
        Block::Code(code_of(self.candidate().cohort()))
    }

    /// What is done with ids while they are read, where the project says so: it is processing of its own.
    pub(super) fn at_the_door(&self) -> Vec<String> {
        let Some(project) = self.project else { return Vec::new() };
        let mut steps = Vec::new();
        if !project.identities.is_empty() {
            let is_unsure = project.identities.iter().any(|file| file.columns.has_probabilities());
            let sure = if is_unsure {
                "How sure each link is comes with the record as far as the case, and a record whose link is too unsure is rejected."
            } else {
                "No table says how sure a link is, so all are taken as certain: a wrong one shows a family another's records."
            };
            steps.push(format!(
                "Linking: {} that say whose id is whose bring the records of several systems together as one person's. {sure}",
                words::counted(project.identities.len(), "table", "tables"),
            ));
        }
        if project.pseudonyms.is_some() {
            steps.push(
                "Pseudonyms: ids of people and households become pseudonyms by a keyed hash (HMAC-SHA-256) while they are read. \
                 Whoever holds the key and a list of ids has the way back, so they are still personal data."
                    .to_owned(),
            );
        }
        steps
    }

    pub(super) fn blind_spots(&self) -> Vec<String> {
        self.training().blind_spots("the day that is asked about")
    }
}

/// Who signed, what for, and what people changed.
impl Known<'_> {
    pub(super) fn status(&self) -> String {
        labels::status(self.model.sign_off())
    }

    /// What it was signed for; before that, what the project is for.
    pub(super) fn purpose(&self) -> Option<String> {
        let signed = self.model.sign_off().map(|says| &says.purpose);
        signed
            .or_else(|| self.project.map(|project| &project.purpose))
            .map(|purpose| words::sentence(purpose))
    }

    pub(super) fn review_by(&self) -> Option<String> {
        self.model.sign_off().map(|says| words::date(says.review_by))
    }

    /// What the tool is called.
    pub(super) fn tool(&self) -> String {
        self.project
            .map_or_else(|| format!("list of {} for review", self.cohort()), |project| project.name.clone())
    }

    pub(super) fn recalibrated(&self) -> String {
        match self.candidate().recalibrations().len() {
            1 => "once".to_owned(),
            times => format!("{times} times"),
        }
    }

    pub(super) fn edits(&self) -> Block {
        let label = |name: &String| labels::label(self.candidate(), name);
        let rows = self.candidate().edits().iter().map(|edit| {
            vec![
                Cell::text(edit.on.iter().map(label).collect::<Vec<_>>().join(" together with ")),
                Cell::text(edit.change.to_string()),
                Cell::text(&edit.by),
                Cell::text(words::date(edit.on_day)),
                Cell::text(&edit.reason),
            ]
        });
        Block::table(["What", "Change", "Who", "When", "Why"], rows)
    }

    pub(super) fn decisions(&self) -> Block {
        let edits = self.candidate().edits().iter().map(|edit| {
            let what = Cell::text("An edit of the model");
            vec![what, Cell::text(&edit.by), Cell::text(words::date(edit.on_day)), Cell::text(&edit.reason)]
        });
        let release = self.model.sign_off().map(|SignOff { by, role, purpose, signed_on, .. }| {
            let (who, what) = (format!("{by} ({role})"), format!("For: {purpose}"));
            vec![
                Cell::text("Release"),
                Cell::text(who),
                Cell::text(words::date(*signed_on)),
                Cell::text(what),
            ]
        });
        Block::table(["Decision", "Who", "When", "What was said"], edits.chain(release))
    }

    /// What the organisation says, in its own paragraphs; or the line that says what it still has to write.
    #[allow(clippy::unused_self, reason = "a template calls what its value has")]
    pub(super) fn said(&self, said: Option<&str>, hint: &str) -> String {
        let Some(text) = organisation::stated(said) else { return format!("> {hint}") };
        let paragraphs = text.split("\n\n").filter(|text| !text.trim().is_empty());
        Blocks(paragraphs.map(Block::text).collect()).to_string()
    }
}
