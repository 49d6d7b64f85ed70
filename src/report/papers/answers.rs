//! What is known of each field of the transparency record.

use std::collections::{BTreeMap, BTreeSet};

use super::super::words;
use super::evidence::LINES;
use super::organisation::Organisation;
use super::parts::{Block, Cell};
use super::{afterwards, data, evidence, groups, risks, wording};
use crate::features::Feature;
use crate::model::Candidate;
use crate::project::Project;
use crate::report::AnyModel;

/// What the record is made from.
pub(super) struct Known<'a> {
    pub model: AnyModel<'a>,
    pub project: Option<&'a Project>,
    pub organisation: &'a Organisation,
}

/// What is known of a field.
pub(super) struct Answer {
    /// From the files, and then from the organisation.
    pub blocks: Vec<Block>,
    /// Whether the organisation still has to say something.
    pub asks: bool,
}

/// Fields by number, with their answers.
pub(super) type Answers = Vec<(&'static str, Answer)>;

impl Answer {
    /// The files say all there is to say.
    fn known(mut blocks: Vec<Block>) -> Self {
        blocks.retain(|block| !block.is_empty());
        Self { blocks, asks: false }
    }

    /// The organisation's own words, after what the files say.
    fn with(mut blocks: Vec<Block>, said: Option<&String>) -> Self {
        let said = said.filter(|text| !text.trim().is_empty());
        // Their paragraphs stay paragraphs.
        let paragraphs = said.into_iter().flat_map(|text| text.split("\n\n"));
        blocks.extend(paragraphs.filter(|text| !text.trim().is_empty()).map(Block::text));
        Self { blocks, asks: said.is_none() }
    }

    /// Only the organisation can say.
    pub(super) fn asked(said: Option<&String>) -> Self {
        Self::with(Vec::new(), said)
    }
}

/// All answers, by the number of the field.
pub(super) fn all(known: &Known<'_>) -> BTreeMap<&'static str, Answer> {
    let parts = [top, owner, rationale, deployment, system, model_part, development, operational, impact];
    parts.into_iter().flat_map(|part| part(known)).collect()
}

impl Known<'_> {
    fn candidate(&self) -> &Candidate {
        self.model.candidate()
    }

    /// What the tool is called.
    pub(super) fn name(&self) -> String {
        self.project.map_or_else(
            || format!("list of {} for review", wording::cohort(self.candidate().cohort())),
            |project| project.name.clone(),
        )
    }

    fn purpose(&self) -> Option<&str> {
        self.model
            .sign_off()
            .map(|says| says.purpose.as_str())
            .or_else(|| self.project.map(|project| project.purpose.as_str()))
    }

    fn one_sentence(&self) -> String {
        format!(
            "Ranks {} by how much linked service records speak for one outcome (\"{}\"), so that people can review a short \
             list.",
            wording::cohort(self.candidate().cohort()),
            wording::sentence(&self.candidate().outcome().words)
        )
    }
}

/// Title, metadata and tier 1.
fn top(known: &Known<'_>) -> Answers {
    let organisation = known.organisation;
    let title =
        organisation.name.as_ref().map_or_else(|| known.name(), |name| format!("{name}: {}", known.name()));
    let description = format!(
        "The software reads records of several services as they were known on a day, and computes from them a score for \
         each case. The highest scores make a short list. A person opens each case on it, sees the reasons and the \
         records behind them, and decides what to do. The software decides nothing and acts on nothing.{}",
        known
            .purpose()
            .map_or_else(String::new, |purpose| format!(" It is for: {}", wording::sentence(purpose)))
    );
    vec![
        ("0.1", Answer { blocks: vec![Block::text(title)], asks: organisation.name.is_none() }),
        ("0.2", Answer::asked(organisation.name.as_ref())),
        ("0.3", Answer::asked(organisation.phase.as_ref())),
        ("0.4", Answer::asked(organisation.region.as_ref())),
        ("0.5", Answer::known(vec![Block::text(known.one_sentence())])),
        ("1.1", Answer { blocks: vec![Block::text(known.name())], asks: known.project.is_none() }),
        ("1.2", Answer::with(vec![Block::text(description)], organisation.description.as_ref())),
        ("1.3", Answer::asked(organisation.website.as_ref())),
        ("1.4", Answer::asked(organisation.contact_email.as_ref())),
    ]
}

/// Owner and responsibility.
fn owner(known: &Known<'_>) -> Answers {
    let organisation = known.organisation;
    let software = "The software is earlyhelp, a program that the organisation runs itself, on its own machines and \
                    without a network. Its authors get no data from it.";
    vec![
        ("2.1.1", Answer::asked(organisation.name.as_ref())),
        ("2.1.2", Answer::asked(organisation.team.as_ref())),
        ("2.1.3", Answer::asked(organisation.senior_responsible_owner.as_ref())),
        ("2.1.4", Answer::with(vec![Block::text(software)], organisation.third_party_involvement.as_ref())),
        ("2.1.4.1", Answer::asked(organisation.third_party.as_ref())),
        ("2.1.4.2", Answer::asked(organisation.companies_house_number.as_ref())),
        ("2.1.4.3", Answer::asked(organisation.third_party_role.as_ref())),
        ("2.1.4.4", Answer::asked(organisation.procurement.as_ref())),
        ("2.1.4.5", Answer::asked(organisation.third_party_data_access.as_ref())),
    ]
}

/// Description and rationale.
fn rationale(known: &Known<'_>) -> Answers {
    let (candidate, organisation) = (known.candidate(), known.organisation);
    let outcome = candidate.outcome();
    let mut detailed = vec![Block::text(format!(
        "{} What it foresees is something that a service recorded: {}",
        wording::how(candidate),
        wording::sentence(&outcome.words)
    ))];
    if !outcome.measures.trim().is_empty() {
        detailed.push(Block::text(format!("What that measures: {}", wording::sentence(&outcome.measures))));
    }
    detailed.push(Block::text("It must never be used in these ways, not all of which software can prevent:"));
    detailed.push(Block::list(wording::forbidden()));
    let alternatives = vec![
        Block::text(
            "The software tests every model beside simple rules on the same cases. This is how they compare; a model that \
             does no better than a rule is not worth its cost in intrusion.",
        ),
        Block::text(evidence::size(known.model.backtest())),
        evidence::contenders(known.model, &LINES[..4]),
        Block::text("Further measures stand in the model card."),
    ];
    vec![
        ("2.2.1", Answer::known(detailed)),
        ("2.2.2", Answer::asked(organisation.benefits.as_ref())),
        ("2.2.3", Answer::asked(organisation.previous_process.as_ref())),
        ("2.2.4", Answer::with(alternatives, organisation.alternatives.as_ref())),
    ]
}

/// Deployment context.
fn deployment(known: &Known<'_>) -> Answers {
    let organisation = known.organisation;
    let capacity = wording::capacity(known.model.backtest().plan.capacity);
    let process = format!(
        "On a chosen day the software scores all cases and draws a list that is as long as the team can look at (in the \
         test: {capacity}). A case may be opened and decided only while its score has not expired, which it does 31 days \
         after the date unless the request said otherwise."
    );
    let review = "The software cannot act on a score. A decision exists only where a person with a name and a role has \
                  opened one case and given a reason in words; there is none for several cases at once, and \"no action\" \
                  is a decision like any other. The person sees the band with the rate that was observed in the test, \
                  the reasons with the records behind them, what was missing or not covered, and what the model cannot \
                  see. Where decisions are put on record in a ledger, earlyhelp log counts how often reviewers disagree with \
                  the list.";
    let mut appeals = vec![Block::text(
        "Each score carries its explanation and a record of use: model, data, purpose and date.",
    )];
    appeals.extend(afterwards::about_a_person());
    vec![
        ("2.3.1", Answer::with(vec![Block::text(process)], organisation.process.as_ref())),
        ("2.3.2", Answer::with(vec![Block::text(review)], organisation.human_review.as_ref())),
        ("2.3.3", Answer::asked(organisation.frequency.as_ref())),
        ("2.3.4", Answer::asked(organisation.training.as_ref())),
        ("2.3.5", Answer::with(appeals, organisation.appeals.as_ref())),
    ]
}

const MONITORING: &str = "The command earlyhelp monitor compares new data with those of training (drift, volumes, how \
                          fresh and complete each source is, results once outcomes are known), each against a stated limit. \
                          It reports, and changes nothing.";

/// The system.
fn system(known: &Known<'_>) -> Answers {
    let (candidate, organisation) = (known.candidate(), known.organisation);
    let architecture = format!(
        "One program (earlyhelp {}) that reads extract files, a project file and a model file, and writes files: models, \
         lists, papers and, where the organisation wants one, a ledger. It has no connection to a network and needs no \
         service. The same files give the same lists, to the last digit; earlyhelp replay checks that for scores in a ledger.",
        candidate.crate_version()
    );
    let maintenance = match known.model.sign_off() {
        Some(says) => format!(
            "The model has to be reviewed by {}. After that day the software refuses to score with it. {MONITORING}",
            words::date(says.review_by)
        ),
        None => format!(
            "The model is not released and cannot score. A release needs a review-by date, after which scoring is refused. \
             {MONITORING}"
        ),
    };
    let inputs = format!(
        "Extracts of these sources, linked by pseudonymous ids: {}.",
        wording::listed(&data::sources(known.model, known.project))
    );
    let output = "A list of cases as a page, a table and JSON: for each case its pseudonymous id, its band with the rate \
                  that was observed, the reasons in words with the records behind them, what was absent, and the day on \
                  which the score expires.";
    vec![
        ("2.4.1.1", Answer::with(vec![Block::text(architecture)], organisation.system_architecture.as_ref())),
        ("2.4.1.2", Answer::known(vec![Block::text(inputs)])),
        ("2.4.1.3", Answer::known(vec![Block::text(output)])),
        ("2.4.1.4", Answer::with(vec![Block::text(maintenance)], organisation.maintenance.as_ref())),
        (
            "2.4.1.5",
            Answer::known(vec![Block::text(format!("One model: {}.", wording::kind(candidate.trainer())))]),
        ),
    ]
}

/// The model.
fn model_part(known: &Known<'_>) -> Answers {
    let candidate = known.candidate();
    let (version, task) = (
        vec![Block::facts([
            ("Digest of the model file", Cell::Code(known.model.digest().to_owned())),
            ("Made by", Cell::text(format!("earlyhelp {}", candidate.crate_version()))),
            ("Status", Cell::text(wording::status(known.model))),
        ])],
        format!(
            "To rank {} by how much their records speak for this outcome: \"{}\" It looks {} ahead.",
            wording::cohort(candidate.cohort()),
            wording::sentence(&candidate.outcome().words),
            candidate.outcome().horizon
        ),
    );
    let features = candidate.features().features();
    let label = |feature: &Feature| format!("{}; from {}", feature.label, wording::source(feature));
    let is_used = |feature: &&Feature| data::is_used(candidate, feature);
    let input = vec![
        Block::text(
            "For each case these numbers and yes-or-no answers, computed from records known before the day:",
        ),
        Block::list(features.iter().filter(is_used).map(label)),
    ];
    let output = "A score in log-odds for each case, made of what each term adds; and from the test the band that the \
                  score lies in.";
    let mut performance = vec![Block::text(evidence::size(known.model.backtest()))];
    performance.extend(evidence::in_a_hundred(known.model.backtest()).map(Block::text));
    performance.push(Block::text(
        "The figures beside those of simple rules are in the field \"Alternatives considered\".",
    ));
    performance.extend([evidence::splits(known.model.backtest()), evidence::bands(known.model.backtest())]);
    performance.push(Block::text(if known.model.backtest().is_calibrated() {
        "Over all cases the test could not show that foreseen chances are off."
    } else {
        "Foreseen chances did not pass their check, so readers are shown bands and never a chance."
    }));
    if let Some(found) = &known.model.backtest().overall.calibration {
        performance.extend([evidence::calibration(found), Block::text(evidence::bins_off(found))]);
    }
    performance.extend(groups::disparities(&known.model.fairness()));
    let horizon = candidate.outcome().horizon;
    let datasets = format!(
        "The same linked records serve for learning and for testing, apart in time and by family: what was known before \
         a date makes the features, what happened in the {horizon} from it on makes the outcome. {} {}",
        wording::sentence(&format!(
            "The model learnt from cases on {}",
            wording::dates(candidate.training().dates.iter().map(|date| date.as_of))
        )),
        wording::families(known.model.backtest().plan.families)
    );
    vec![
        ("2.4.2.1", Answer::known(vec![Block::text(candidate.outcome().name.clone())])),
        ("2.4.2.2", Answer::known(version)),
        ("2.4.2.3", Answer::known(vec![Block::text(task)])),
        ("2.4.2.4", Answer::known(input)),
        ("2.4.2.5", Answer::known(vec![Block::text(output)])),
        (
            "2.4.2.6",
            Answer::known(vec![
                Block::text(format!(
                    "{}. How a score comes about is told in the field \"Detailed description\".",
                    wording::capitalised(wording::kind(candidate.trainer()))
                )),
                wording::settings(candidate.trainer()),
            ]),
        ),
        ("2.4.2.7", Answer::known(performance)),
        ("2.4.2.8", Answer::known(vec![Block::text(datasets)])),
    ]
}

/// Development data.
fn development(known: &Known<'_>) -> Answers {
    let (candidate, organisation) = (known.candidate(), known.organisation);
    let training = candidate.training();
    let sources = wording::listed(&data::sources(known.model, known.project));
    let description =
        format!("Dated records about {} from these sources: {sources}.", wording::unit(candidate.cohort()).1);
    let quantities = format!(
        "{} cases of {} families on {}; {} of the cases had the outcome. {} features.",
        words::count(training.rows),
        words::count(training.families),
        wording::dates(training.dates.iter().map(|date| date.as_of)),
        words::count(training.positives),
        words::count(candidate.features().features().len() as u64)
    );
    let cleaning = "The software validates every row. A row with a fault is rejected whole, counted, and written to a \
                    file with its place and the reason; rows read are rows accepted and rows rejected. Too many \
                    rejected rows end the run.";
    let complete = data::covered(candidate);
    vec![
        (
            "2.4.3.1",
            Answer { blocks: vec![Block::text(description)], asks: organisation.collection.is_none() },
        ),
        (
            "2.4.3.2",
            Answer::known(vec![Block::text(
                "Tables of dated records: dates, kinds, numbers and codes. No free \
            text, no pictures, no sound.",
            )]),
        ),
        ("2.4.3.3", Answer::known(vec![Block::text(quantities)])),
        (
            "2.4.3.4",
            Answer::with(data::sensitive(known.model, known.project), organisation.sensitive_data.as_ref()),
        ),
        ("2.4.3.5", Answer::with(complete, organisation.completeness.as_ref())),
        ("2.4.3.6", Answer::with(vec![Block::text(cleaning)], organisation.cleaning.as_ref())),
        ("2.4.3.7", Answer::asked(organisation.collection.as_ref())),
        ("2.4.3.8", Answer::asked(organisation.storage.as_ref())),
        ("2.4.3.9", Answer::asked(organisation.sharing.as_ref())),
    ]
}

/// Operational data.
fn operational(known: &Known<'_>) -> Answers {
    let organisation = known.organisation;
    let used: BTreeSet<String> = data::read_by_model(known.candidate());
    let sources =
        format!("For scoring, the model reads: {}.", wording::listed(&used.into_iter().collect::<Vec<_>>()));
    let methods = "Rows are validated, linked by their pseudonymous ids, and cut off at the day: what became known on that \
                   day or later is not seen. Features are computed by the rules in the model file, and nothing is \
                   learnt at this stage.";
    let basis = organisation.legal_basis.as_ref().map(|basis| format!("Lawful basis: {basis}"));
    vec![
        ("2.4.4.1", Answer::known(vec![Block::text(sources)])),
        (
            "2.4.4.2",
            Answer::known(vec![
                Block::text(
                    "The same as for development. The characteristics that are held for audit are not read when scores are \
                     made.",
                ),
                Block::text(data::on_age(known.candidate()).unwrap_or_default()),
            ]),
        ),
        ("2.4.4.3", Answer::known(vec![Block::text(methods)])),
        (
            "2.4.4.4",
            Answer::with(
                vec![Block::text(
                    "A score expires, and no case can be opened or decided after that. The software keeps no copy of the \
                     extracts. A ledger, where one is kept, holds for every case that was scored what each feature said and \
                     the score, for listed cases all that was shown, and decisions. A person can be taken out of it.",
                )],
                organisation.storage.as_ref(),
            ),
        ),
        (
            "2.4.4.5",
            Answer::with(basis.into_iter().map(Block::Paragraph).collect(), organisation.sharing.as_ref()),
        ),
    ]
}

/// Risks, mitigations and impact assessments.
fn impact(known: &Known<'_>) -> Answers {
    let organisation = known.organisation;
    let assessed = [
        ("Data protection impact assessment", &organisation.dpia),
        ("Equality impact assessment", &organisation.equality_impact_assessment),
        ("Other assessments", &organisation.other_assessments),
    ];
    let facts = assessed.iter().filter_map(|(name, said)| Some((*name, Cell::text(said.as_ref()?.clone()))));
    let facts = Block::facts(facts);
    let blocks = if facts.is_empty() { Vec::new() } else { vec![facts] };
    let asks = organisation.dpia.is_none() || organisation.equality_impact_assessment.is_none();
    vec![
        ("2.5.1", Answer { blocks, asks }),
        ("2.5.2", Answer::with(vec![risks::table()], organisation.risks.as_ref())),
    ]
}
