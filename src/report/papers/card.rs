//! The model card.

use super::super::words;
use super::document::{Document, Kind, Section};
use super::parts::{Block, Cell};
use super::results::{chances, fairness, in_short, tested};
use super::{afterwards, data, wording};
use crate::calendar::Lookback;
use crate::model::{Candidate, TrainingRecord};
use crate::outcome::Occurrence;
use crate::report::AnyModel;

/// The model card: what a model is, what it is for and not for, what it reads, how it did when tested, how
/// its lists treat groups, what it cannot see, and who decided what.
///
/// Everything in it comes from the model file. It names nobody whose records were read.
///
/// # Examples
/// ```
/// use earlyhelp::report::papers::model_card;
/// use earlyhelp::scoring::AuditedModel;
///
/// fn write(model: &AuditedModel) -> earlyhelp::Result<[String; 2]> {
///     let card = model_card(model);
///     Ok([card.to_markdown(), card.to_json()?])
/// }
/// ```
///
/// # References
/// M. Mitchell and others (2019), "Model cards for model reporting", *Proceedings of the Conference on Fairness,
/// Accountability, and Transparency*, 220-229. G. S. Collins and others (2024), "TRIPOD+AI statement", *BMJ*
/// 385:e078378, for what is said of outcome, predictors, population and calibration.
#[must_use]
pub fn model_card<'a>(model: impl Into<AnyModel<'a>>) -> Document {
    let model = model.into();
    let candidate = model.candidate();
    let title = format!("Model card: {}", candidate.outcome().words.trim_end_matches('.'));
    let lead = vec![
        format!(
            "This model is about {}. It ranks them by how much their records speak for this outcome: \"{}\" It makes short \
             lists for people to review. The software decides nothing and acts on nothing.",
            wording::cohort(candidate.cohort()),
            wording::sentence(&candidate.outcome().words)
        ),
        "This card is written by the software, never by hand: what is particular to this model comes from the model file. \
         Behind each measured figure stand its 95% interval and n, the number of cases it rests \
         on. Words of the field are explained at the end."
            .to_owned(),
    ];
    let sections = vec![
        in_short(model),
        identity(model),
        purpose(model),
        outcome(candidate),
        population(candidate),
        learnt_from(candidate),
        reads(candidate),
        settings(candidate),
        tested(model),
        chances(model),
        fairness(model),
        cannot_see(candidate),
        changes(model),
        decisions(model),
        Section::new("What can be checked and asked for", afterwards::blocks(), ""),
        for_machines(candidate),
    ];
    Document::new(Kind::ModelCard, title, model.digest(), lead, sections)
}

fn identity(model: AnyModel<'_>) -> Section {
    let candidate = model.candidate();
    let facts = [
        ("Status", Cell::text(wording::status(model))),
        ("Kind", Cell::text(wording::capitalised(wording::kind(candidate.trainer())))),
        ("Digest of the model file", Cell::Code(model.digest().to_owned())),
        ("Digest of the model without evidence and sign-off", Cell::Code(candidate.digest().to_owned())),
        ("Digest of its features", Cell::Code(candidate.features().digest())),
        ("Made by", Cell::text(format!("earlyhelp {}", candidate.crate_version()))),
        ("Seed of all random choices", Cell::Code(candidate.training().seed.to_string())),
    ];
    let blocks = vec![Block::facts(facts), Block::text(wording::how(candidate))];
    Section::new("What it is", blocks, "")
}

fn purpose(model: AnyModel<'_>) -> Section {
    let signed = match model.sign_off() {
        Some(says) => format!(
            "It was signed for this purpose: \"{}\" A request to score for any other purpose is refused.",
            wording::sentence(&says.purpose)
        ),
        None => "Nobody has signed for a purpose yet. Until then it cannot score.".to_owned(),
    };
    let uses = "It is made for one way of use: people look at the cases on a list, at the reasons beside each, and at the \
                records behind them. They form their own view and may disagree, and it is they who offer help. Whether it is \
                used so, no model file can say.";
    let blocks = vec![
        Block::text(signed),
        Block::text(uses),
        Block::text("It must never be used in these ways, not all of which software can prevent:"),
        Block::list(wording::forbidden()),
    ];
    Section::new("What it is for, and what it is not for", blocks, "")
}

fn outcome(candidate: &Candidate) -> Section {
    let outcome = candidate.outcome();
    let counts = match outcome.counts {
        Occurrence::Any => "any such record within that time",
        Occurrence::First => "only the first that the person ever had; whoever had one before is left out",
    };
    let follow_up = match (&outcome.follow_up.during, outcome.follow_up.until_age) {
        (None, None) => "over the whole time".to_owned(),
        (Some(records), None) => format!("while an entry in {} lasts", wording::records(records)),
        (None, Some(age)) => format!("until the age of {age}"),
        (Some(records), Some(age)) => {
            format!("while an entry in {} lasts, and until the age of {age}", wording::records(records))
        }
    };
    let measures = if outcome.measures.trim().is_empty() {
        "not stated in the project. A record of a service shows what the service found and wrote down; it is not the \
         same as what happened"
            .to_owned()
    } else {
        outcome.measures.clone()
    };
    let records: Vec<String> = outcome.records.iter().map(wording::records).collect();
    let facts = [
        ("In words", Cell::text(wording::sentence(&outcome.words))),
        ("What it measures", Cell::text(wording::sentence(&measures))),
        ("Read from", Cell::text(wording::listed(&records))),
        ("How far ahead", Cell::text(format!("{} from the as-of date on", outcome.horizon))),
        ("What counts", Cell::text(counts)),
        ("How long a case is followed", Cell::text(follow_up)),
    ];
    Section::new("What it foresees", vec![Block::facts(facts)], "")
}

fn population(candidate: &Candidate) -> Section {
    let rules = candidate.cohort();
    let text = format!(
        "It is about {}. What is known on the day decides who that is; an entry is open on a day if \
         it began before it and has not ended. A request to score a population chosen by other \
         rules is refused.",
        wording::cohort(rules)
    );
    Section::new("Who it is about", vec![Block::text(text)], "")
}

/// Outcome and population as the model file has them, so that nothing rests on their words alone.
fn for_machines(candidate: &Candidate) -> Section {
    let blocks = vec![
        Block::text("The outcome:"),
        Block::Code(serde_json::to_string(candidate.outcome()).unwrap_or_default()),
        Block::text("Who it is about:"),
        Block::Code(serde_json::to_string(candidate.cohort()).unwrap_or_default()),
    ];
    Section::new("Outcome and population as the model file has them", blocks, "")
}

fn learnt_from(candidate: &Candidate) -> Section {
    let training = candidate.training();
    let sources: std::collections::BTreeSet<&str> =
        training.sources.iter().map(|source| source.source.as_str()).collect();
    let horizon = candidate.outcome().horizon;
    let text = format!(
        "It learnt from {} cases of {} families on {} (a case is one {} on one date); {} of the cases had the outcome. \
         Features of a case read what was known before its date; its outcome was looked for in the {horizon} from that \
         date on.",
        words::count(training.rows),
        words::count(training.families),
        wording::dates(training.dates.iter().map(|date| date.as_of)),
        wording::unit(candidate.cohort()).0,
        words::count(training.positives)
    );
    let heads = [
        "As-of date",
        "Cases asked about",
        "With the outcome",
        "Without it",
        "Left out: follow-up ended early",
        "Left out: outcome came before the date",
    ];
    let rows = training.dates.iter().map(|date| {
        vec![
            Cell::text(words::date(date.as_of.day())),
            Cell::Count(date.cohort),
            Cell::Count(date.positive),
            Cell::Count(date.negative),
            Cell::Count(date.follow_up_ended),
            Cell::Count(date.already_happened),
        ]
    });
    let mut blocks = vec![Block::text(text), Block::table(heads, rows)];
    if !sources.is_empty() {
        let names: Vec<String> = sources.iter().map(|name| wording::plain(name)).collect();
        blocks.push(Block::text(format!(
            "The model file holds a digest of what each of {} said on each date, so that it can be shown later whether \
             the same records were read: {}.",
            words::counted(names.len(), "source", "sources"),
            wording::listed(&names)
        )));
    }
    Section::new("What it learnt from", blocks, "")
}

fn reads(candidate: &Candidate) -> Section {
    let features = candidate.features().features();
    let training = candidate.training();
    let heads = [
        "Feature",
        "Source",
        "What it computes",
        "Window",
        "Whose records",
        "The risk",
        "Missing (cases)",
        "Not covered (cases)",
        "Notes",
    ];
    let rows = features.iter().map(|feature| {
        let mut marks = Vec::new();
        if !data::is_used(candidate, feature) {
            marks.push("plays no part in the model".to_owned());
        }
        if feature.help_seeking {
            marks.push("help-seeking".to_owned());
        }
        let (missing, not_covered) = absent(training, &feature.name);
        marks.extend(feature.need.as_ref().map(|need| format!("need on record: {}", wording::plain(need))));
        vec![
            Cell::text(&feature.label),
            Cell::text(wording::source(feature)),
            Cell::text(wording::measure(feature)),
            Cell::text(wording::window(feature)),
            Cell::text(wording::whose(feature.scope, candidate.cohort().unit)),
            Cell::text(wording::direction(feature.direction, candidate.trainer())),
            missing,
            not_covered,
            Cell::text(if marks.is_empty() { "none".to_owned() } else { marks.join("; ") }),
        ]
    });
    let ever = features
        .iter()
        .any(|feature| feature.over == Lookback::Ever && wording::window(feature).starts_with("as far"));
    let unused = training.unused.len();
    let text = format!(
        "It was given {}; {} of them play no part in it. {}",
        words::counted(features.len(), "feature", "features"),
        if unused == 0 { "none".to_owned() } else { words::count(unused as u64) },
        if ever {
            "At least one reads as far back as the records go: what is never forgotten can mark a person for ever."
        } else {
            "Each has a look-back, so that no record counts for ever."
        }
    );
    let absence = format!(
        "Where there was no value is counted out of the {} cases that it learnt from. Missing and not covered are kept apart \
         from zero, in training and beside every score.",
        words::count(training.rows)
    );
    let age = data::on_age(candidate).unwrap_or_default();
    let blocks = vec![Block::text(text), Block::text(age), Block::text(absence), Block::table(heads, rows)];
    Section::new("What it reads", blocks, "")
}

/// For how many cases a feature's value was missing, and for how many it was not covered.
fn absent(training: &TrainingRecord, feature: &str) -> (Cell, Cell) {
    let counted = |share: f64| {
        let cases = (share * training.rows as f64).round() as u64;
        if (1..10).contains(&cases) { Cell::NotShown("fewer than 10".to_owned()) } else { Cell::Count(cases) }
    };
    match training.ranges.iter().find(|range| range.feature == feature) {
        Some(range) => (counted(range.missing), counted(range.not_covered)),
        None => (Cell::NotShown("not known".to_owned()), Cell::NotShown("not known".to_owned())),
    }
}

fn settings(candidate: &Candidate) -> Section {
    let mut blocks = vec![wording::settings(candidate.trainer())];
    if candidate.training().path.is_some() {
        blocks.push(Block::text(
            "The strength of the penalty was chosen on families and dates that were held out of the fit, by the rule in \
             the settings.",
        ));
    }
    Section::new("Settings of training", blocks, "The settings are in the model file.")
}

fn cannot_see(candidate: &Candidate) -> Section {
    Section::new("What it cannot see", vec![Block::list(wording::cannot_see(candidate))], "")
}

fn changes(model: AnyModel<'_>) -> Section {
    let candidate = model.candidate();
    let label = |name: &String| wording::label(candidate, name);
    let heads = ["What", "Change", "Who", "When", "Why"];
    let rows = candidate.edits().iter().map(|edit| {
        vec![
            Cell::text(edit.on.iter().map(label).collect::<Vec<_>>().join(" together with ")),
            Cell::text(edit.change.to_string()),
            Cell::text(&edit.by),
            Cell::text(words::date(edit.on_day)),
            Cell::text(&edit.reason),
        ]
    });
    let rows: Vec<_> = rows.collect();
    let mut blocks = Vec::new();
    if !rows.is_empty() {
        blocks.push(Block::table(heads, rows));
        blocks.push(Block::text(
            "The model was tested again after its edits; the figures above are those of the edited model.",
        ));
    }
    if !candidate.recalibrations().is_empty() {
        blocks.push(Block::text(format!(
            "Scores were recalibrated {} by later data, as told above. {}",
            if candidate.recalibrations().len() == 1 {
                "once".to_owned()
            } else {
                format!("{} times", candidate.recalibrations().len())
            },
            if candidate.edits().is_empty() { "No person changed the model." } else { "" }
        )));
    }
    Section::new("What was changed after training", blocks, "Nothing was changed after training.")
}

fn decisions(model: AnyModel<'_>) -> Section {
    let heads = ["Decision", "Who", "When", "What was said"];
    let mut rows: Vec<Vec<Cell>> = model
        .candidate()
        .edits()
        .iter()
        .map(|edit| {
            vec![
                Cell::text("An edit of the model"),
                Cell::text(&edit.by),
                Cell::text(words::date(edit.on_day)),
                Cell::text(&edit.reason),
            ]
        })
        .collect();
    let mut blocks = Vec::new();
    if let Some(says) = model.sign_off() {
        rows.push(vec![
            Cell::text("Release"),
            Cell::text(format!("{} ({})", says.by, says.role)),
            Cell::text(words::date(says.signed_on)),
            Cell::text(format!("For: {}", says.purpose)),
        ]);
    }
    if !rows.is_empty() {
        blocks.push(Block::table(heads, rows));
    }
    if let Some(says) = model.sign_off() {
        blocks.push(Block::text(format!(
            "Review by {}. After that day the software refuses to score until somebody has looked at the model again and \
             released it anew.",
            words::date(says.review_by)
        )));
    }
    blocks.push(Block::text(
        "The model file does not say who chose the method of training, the sources, the features and the outcome, or \
         why: that belongs in the minutes of those who decided.",
    ));
    Section::new("Who decided what", blocks, "")
}
