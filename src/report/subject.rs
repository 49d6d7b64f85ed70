//! What is held about one person, as a page for that person.

use askama::Template;

use super::words;
use crate::error::ReportError;
use crate::ledger::{EntryKind, Held, PastScore, SubjectPack};
use crate::outputs::json_text;

/// The pack as a page that stands on its own: every score with its plain reasons, and every entry as it is
/// held. It names the person by the pseudonym; who gives it out puts the name to it.
///
/// # Errors
/// [`ReportError::Render`] where the page cannot be made.
pub fn subject_html(pack: &SubjectPack) -> Result<String, ReportError> {
    let page = Page {
        pack,
        made_on: words::date(pack.made_on),
        scores: pack.scores.iter().map(ScoreSection::of).collect(),
        entries: pack.entries.iter().map(EntrySection::of).collect::<Result<_, _>>()?,
    };
    page.render().map_err(|error| ReportError::Render(error.to_string()))
}

#[derive(Template)]
#[template(path = "subject.html", config = "src/report/askama.toml")]
struct Page<'a> {
    pack: &'a SubjectPack,
    made_on: String,
    scores: Vec<ScoreSection<'a>>,
    entries: Vec<EntrySection>,
}

struct ScoreSection<'a> {
    says: &'a PastScore,
    as_of: String,
    /// Its place in the order of a cohort, and of how many; empty where somebody asked about the person alone.
    rank: String,
    shown: String,
    expires: String,
    model: &'a str,
    /// What was said, and its points.
    reasons: Vec<(String, String)>,
}

impl<'a> ScoreSection<'a> {
    fn of(says: &'a PastScore) -> Self {
        Self {
            says,
            as_of: words::date(says.as_of.day()),
            rank: says.rank.map_or_else(String::new, |(rank, of)| {
                format!("{} of {}", words::count(rank.into()), words::count(of.into()))
            }),
            shown: match (says.place, &says.asked_by) {
                (Some(place), _) => format!("Yes: place {place} on a list."),
                (None, Some(asked_by)) => format!("Yes: to {asked_by}, who asked about this person alone."),
                (None, None) => "No: the case was on no list that people looked at.".to_owned(),
            },
            expires: words::date(says.expires),
            model: says.model.get(..12).unwrap_or(&says.model),
            reasons: says
                .reasons
                .iter()
                .map(|reason| (reason.paragraph(), words::points(reason.log_odds)))
                .collect(),
        }
    }
}

struct EntrySection {
    title: String,
    text: String,
}

impl EntrySection {
    fn of(entry: &Held) -> Result<Self, ReportError> {
        let what = match EntryKind::of(&entry.kind) {
            Some(EntryKind::CaseScored) => "scored",
            Some(EntryKind::CaseNotScored) => "not scored, with the reason",
            Some(EntryKind::CaseAsked) => "asked about by a person",
            Some(EntryKind::CaseOpened) => "opened by a person",
            Some(EntryKind::Decision) => "decided about by a person",
            Some(EntryKind::Correction) => "records put right",
            _ => &entry.kind,
        };
        let text = json_text(&serde_json::json!({
            "run": entry.run,
            "facts": entry.facts,
            "content": entry.content,
        }))
        .map_err(|error| ReportError::Render(error.to_string()))?;
        Ok(Self { title: format!("{}. {}: {what}", entry.entry, words::date(entry.on)), text })
    }
}
