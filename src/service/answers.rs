//! What each question does.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::Serialize;
use serde_json::{Map, Value, json};

use super::protocol::{Ask, Decide, Explain, List, Open, Question, Score, Wrong};
use super::{Service, VERSION};
use crate::calendar::{AsOf, Day};
use crate::error::{Class, Error, ScoringError};
use crate::evaluate::Capacity;
use crate::features::{Cell, FeatureMatrix};
use crate::ledger::{LedgerError, RecordedCase};
use crate::limits;
use crate::records::{Extract, Records, RejectReason, Remark, summarise};
use crate::review::{Among, ReviewList, Reviewer};
use crate::scoring::{Acceptance, Asked, Request};
use crate::words;

impl Service {
    /// The answer as JSON.
    pub(super) fn done(&self, question: Question) -> Result<String, Wrong> {
        let Question { on, by, purpose, ask } = question;
        let on = match on {
            Some(on) => on,
            None => self.today()?,
        };
        for (what, text) in [("by", &by), ("purpose", &purpose)] {
            short(what, text)?;
        }
        let asker = Asker { by, purpose, on };
        match ask {
            Ask::Explain(asked) => return self.explain(asker, *asked),
            Ask::Health(_) => self.health(),
            Ask::Score(asked) => self.score(asker, asked),
            Ask::List(asked) => self.list(&asker, &asked),
            Ask::Open(asked) => self.open_case(asker, &asked),
            Ask::Decide(asked) => self.decide(asker, asked),
            Ask::Audit(_) => self.audit(&asker),
        }
        .map(|answer| answer.to_string())
    }

    /// Today, or tomorrow where somebody has it on record already: days begin at other hours elsewhere.
    fn today(&self) -> Result<Day, Wrong> {
        let today = (self.clock)();
        let last = self.ledger.last_day()?.filter(|last| *last <= today + 1);
        Ok(last.map_or(today, |last| last.max(today)))
    }

    fn health(&self) -> Result<Value, Wrong> {
        let sign_off = self.scorer.sign_off();
        Ok(json!({
            "version": env!("CARGO_PKG_VERSION"),
            "protocol": VERSION,
            "model": self.scorer.digest(),
            "purpose": sign_off.purpose,
            "review_by": sign_off.review_by,
            "people": self.records.people(),
            "entries": self.ledger.head()?.entries,
        }))
    }

    fn explain(&self, asker: Asker, asked: Explain) -> Result<String, Wrong> {
        let as_of = asked.as_of.unwrap_or_else(|| AsOf::new(asker.on));
        let request = asker.request(self.accepted(asked.accept)?);
        if words::is_blank(&asked.person) {
            return Err(Wrong::input("`person` is blank"));
        }
        short("origin", asked.origin.as_deref().unwrap_or_default())?;
        if asked.origin.is_some() && asked.records.is_none() && asked.features.is_none() {
            return Err(Wrong::input(
                "`origin` says where `records` or `features` come from, and there are none",
            ));
        }
        let (mut rejects, mut remarks) = (Vec::new(), Vec::new());
        let answer = match (asked.records, asked.features) {
            (None, None) => self.asking(as_of)?.one(&asked.person, &request).map_err(Error::from)?,
            (Some(tables), None) => {
                let records = self.records_of(tables)?;
                rejects = rejects_of(&records);
                let remark = |held: &Remark| json!({ "table": held.source, "what": held.kind.words(), "rows": held.rows });
                remarks = records.remarks().iter().map(remark).collect();
                let origin = asked.origin.as_deref().unwrap_or("the question");
                let asking = self.scorer.asking_given(&records.as_of(as_of), origin)?;
                let asking = asking.known_to(&self.project.known_to)?;
                asking.one(&asked.person, &request)?
            }
            (None, Some(features)) => {
                let origin = asked.origin.as_deref().unwrap_or_default();
                self.of_features(&asked.person, (&features, origin), as_of, &request)?
            }
            (Some(_), Some(_)) => {
                return Err(Wrong::input("give `records` or `features` of the person, or neither; not both"));
            }
        };
        let answer = Arc::new(answer);
        let entry = self.recorder.record((&self.ledger, &self.scorer), &answer)?;
        // Straight to its text: it is long, and asked for often.
        serde_json::to_string(&Told { entry, answer: &answer, rejects, remarks }).map_err(|_| Wrong {
            class: Class::Ours,
            says: "the answer cannot be written as JSON".to_owned(),
        })
    }

    /// What is accepted of sources, each of which the project has.
    fn accepted(&self, accept: Vec<Acceptance>) -> Result<Vec<Acceptance>, Wrong> {
        let is_source = |name: &str| {
            ["people", "households"].contains(&name)
                || self.project.sources.iter().any(|source| source.name == name)
        };
        if accept.iter().all(|held| is_source(&held.source)) {
            Ok(accept)
        } else {
            Err(Wrong::input("`accept` names a source that the project does not have"))
        }
    }

    /// The records that come with a question, as the project reads them; of tables that do not come there are none.
    fn records_of(&self, mut tables: BTreeMap<String, Vec<Map<String, Value>>>) -> Result<Records, Wrong> {
        let records = self.project.records_from(|table| {
            let rows = tables.remove(table).unwrap_or_default();
            Some(Extract::whole_rows(rows))
        })?;
        match tables.first_key_value() {
            None => Ok(records),
            Some(_) => Err(Wrong::input(
                "`records` has a table that the project does not have; name them as the project does",
            )),
        }
    }

    fn of_features(
        &self,
        person: &str,
        (features, origin): (&BTreeMap<String, Cell>, &str),
        as_of: AsOf,
        request: &Request,
    ) -> Result<Asked, Wrong> {
        let names = self.scorer.candidate().model().features();
        let cell = |name: &String| features.get(name).map(|cell| vec![*cell]);
        let columns: Option<Vec<Vec<Cell>>> = names.iter().map(cell).collect();
        let matrix = columns
            .filter(|_| features.len() == names.len())
            .and_then(|columns| FeatureMatrix::from_cells(names.to_vec(), 1, &columns));
        let matrix = matrix.ok_or_else(|| {
            Wrong::input(format!(
                "`features` has each feature of the model and no other: {}",
                limits::shortened(&names.join(", "))
            ))
        })?;
        let answers = self.scorer.score_matrix(&[person], &matrix, as_of, origin, request)?;
        let none = || ScoringError::Request("there is no answer".to_owned());
        Ok(answers.into_iter().next().ok_or_else(none)?)
    }

    fn score(&self, asker: Asker, asked: Score) -> Result<Value, Wrong> {
        let as_of = asked.as_of.unwrap_or_else(|| AsOf::new(asker.on));
        for (what, places) in [("capacity", asked.capacity), ("at_random", asked.at_random)] {
            if places > limits::PLACES {
                let says = format!("`{what}` is at most {}: a list is for people to read", limits::PLACES);
                return Err(Wrong::input(says));
            }
        }
        let request = asker.request(self.accepted(asked.accept)?);
        let earlier = self.ledger.earlier_list(&request.purpose, as_of)?;
        let start = self.ledger.start_run(&self.scorer, &request, as_of, self.configuration.as_deref())?;
        let cohort = self.project.cohort(&self.records, as_of)?;
        let scores = self.scorer.score(&cohort, &request)?.known_to(&self.project.known_to)?;
        let among = if asked.not_known { Among::NotKnown } else { Among::Everybody };
        let params = self.project.list_params(Capacity::Cases(asked.capacity), asked.at_random, among);
        let mut list = ReviewList::draw(&scores, params)?.reviewed_by(self.project.review.clone())?;
        if let Some(earlier) = &earlier {
            list.since(earlier, &scores)?;
        }
        let run = self.ledger.finish_run(start, &scores, &mut list, &self.records)?;
        Ok(json!({
            "run": run,
            "as_of": as_of,
            "scored": scores.len(),
            "not_scored": scores.not_scored().len(),
            "places": list.len(),
            "expires": list.provenance().expires,
            "warnings": self.project.scoring_warnings(&self.records, as_of),
        }))
    }

    fn list(&self, asker: &Asker, asked: &List) -> Result<Value, Wrong> {
        let list = self.ledger.list(&asked.run)?;
        asker.is_for(&list.run.audit.purpose)?;
        let places: Vec<Value> = list
            .places
            .iter()
            .map(|place| {
                let opened: Vec<Value> = place
                    .opened
                    .iter()
                    .map(|(reviewer, on)| json!({ "name": reviewer.name, "role": reviewer.role, "on": on }))
                    .collect();
                let decided = place.decided.map(|(step, on)| json!({ "step": step, "on": on }));
                json!({
                    "place": place.place,
                    "person": place.entity,
                    "why_listed": place.why_listed,
                    "opened": opened,
                    "decided": decided,
                })
            })
            .collect();
        Ok(json!({
            "run": list.run.audit.run_id,
            "as_of": list.run.audit.as_of,
            "expires": list.run.audit.expires,
            "own_judgement_first": list.run.review.own_judgement_first,
            "places": places,
        }))
    }

    fn open_case(&self, asker: Asker, asked: &Open) -> Result<Value, Wrong> {
        asker.is_for(&self.ledger.run_named(&asked.run)?.audit.purpose)?;
        let reviewer = Reviewer::new(asker.by, &*asked.role);
        let own = asked.own_judgement.as_deref();
        let case = self.ledger.open_case((&asked.run, asked.place), reviewer, own, asker.on)?;
        said(&case)
    }

    fn decide(&self, asker: Asker, asked: Decide) -> Result<Value, Wrong> {
        asker.is_for(&self.ledger.run_named(&asked.run)?.audit.purpose)?;
        let reviewer = Reviewer::new(asker.by, asked.role);
        let case = self.ledger.opened_case((&asked.run, asked.place), reviewer, asker.on)?;
        let mut decision = case.decide(asked.step, asked.agreement, asked.reason, asker.on)?;
        if let Some(code) = asked.reason_code {
            decision = decision.coded(code);
        }
        let entry = match asked.supersedes {
            None => self.ledger.record_decision(&decision)?,
            Some(entry) => self.ledger.supersede_decision(entry, &decision)?,
        };
        Ok(json!({ "entry": entry }))
    }

    fn audit(&self, asker: &Asker) -> Result<Value, Wrong> {
        asker.is_for(&self.scorer.sign_off().purpose)?;
        let seen = self.ledger.verify(&[])?;
        let finding = seen.finding.as_ref().map(ToString::to_string);
        let account = match finding {
            None => Some(self.ledger.account(None, self.project.audit_params().minimum, asker.on)?),
            Some(_) => None,
        };
        Ok(
            json!({ "entries": seen.entries, "redacted": seen.redacted, "finding": finding, "account": account }),
        )
    }
}

/// An answer about one person.
#[derive(Serialize)]
struct Told<'a> {
    entry: u64,
    answer: &'a Asked,
    /// Of the rows that came with the question.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    rejects: Vec<Value>,
    /// What is remarkable about rows that were used: a date of birth, for instance, that cannot be read.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    remarks: Vec<Value>,
}

/// Who asks, for what, and on which day.
struct Asker {
    by: String,
    purpose: String,
    on: Day,
}

impl Asker {
    fn request(self, accepted: Vec<Acceptance>) -> Request {
        Request { accepted, ..Request::new(self.by, self.purpose, self.on) }
    }

    /// Refuses what is asked for another purpose.
    fn is_for(&self, purpose: &str) -> Result<(), ScoringError> {
        if self.purpose.trim() == purpose.trim() {
            Ok(())
        } else {
            Err(ScoringError::OtherPurpose { released: purpose.to_owned() })
        }
    }
}

/// Refuses a name that is longer than any: it stays in the ledger.
fn short(what: &str, text: &str) -> Result<(), Wrong> {
    if text.len() <= NAME_MOST {
        return Ok(());
    }
    Err(Wrong::input(format!(
        "`{what}` has more than {NAME_MOST} bytes; it stays in the ledger, and is no place for notes"
    )))
}

/// The most bytes of who asks, for what, and from where: a purpose is a sentence or two.
const NAME_MOST: usize = 1_000;

/// A case as its list said it.
fn said(case: &RecordedCase) -> Result<Value, Wrong> {
    let unwritten = |error: serde_json::Error| LedgerError::Draft(error.to_string());
    let shown: Value = serde_json::from_str(&case.to_json()?).map_err(unwritten)?;
    Ok(json!({ "case": shown, "why_listed": case.why_listed(), "expires": case.expires() }))
}

/// What of the rows that came with a question was rejected: nothing is lost without a word.
fn rejects_of(records: &Records) -> Vec<Value> {
    let of_reason = |(source, column, reason, rows): (&str, Option<&str>, RejectReason, u64)| json!({ "table": source, "column": column, "reason": reason.words(), "rows": rows });
    summarise(records.rejects()).into_iter().map(of_reason).collect()
}
