//! What a list says of itself: the same on its page and on the first sheet of its workbook.

use super::words;
use crate::evaluate::Tie;
use crate::review::{Among, ReviewList, SharesUsed, WhyListed};
use crate::scoring::{OnePer, Provenance};

/// What a list is for, what may be done with it, and where it comes from.
pub(super) struct About<'a> {
    pub facts: Vec<Fact<'a>>,
    pub heading: &'static str,
    /// What it is; its second sentence is the one to remember.
    pub lead: [&'static str; 3],
    pub do_heading: &'static str,
    /// What a reader does: the beginning of each sentence, and its rest.
    pub steps: [(&'static str, &'static str); 3],
    pub unseen_heading: &'static str,
    pub cannot_see: &'a [String],
    /// What is not as usual: in a few words, and in a sentence or two.
    pub notes: Vec<(&'static str, String)>,
    pub rate_note: &'static str,
    pub points_note: &'static str,
    /// How many were not scored, and what that says; empty where all were.
    pub unscored: String,
    /// What is needed to make the scores again.
    pub record: Vec<Fact<'a>>,
}

/// A line of what is to be known.
pub(super) struct Fact<'a> {
    pub label: &'static str,
    pub text: String,
    /// What is no word: a digest.
    pub code: &'a str,
    /// Whether it is the day on which use ends.
    pub ends: bool,
}

impl<'a> Fact<'a> {
    fn new(label: &'static str, text: impl Into<String>) -> Self {
        Self { label, text: text.into(), code: "", ends: false }
    }

    fn code(label: &'static str, text: impl Into<String>, code: &'a str) -> Self {
        Self { code, ..Self::new(label, text) }
    }
}

const LEAD: [&str; 3] = [
    "The list ranks cases so that a person looks at some first.",
    "It ranks; people decide.",
    "A high place is not a finding about a family, and a place off the list does not mean that all is well.",
];

const STEPS: [(&str, &str); 3] = [
    (
        "Form your own view first",
        ", from what you and those who know the family know. Then read the reasons.",
    ),
    ("Look at the records behind the reasons.", " A record can be wrong, old, or about somebody else."),
    (
        "Disagree freely.",
        " Say why: that is how an error of the list is found. To do nothing is a decision too.",
    ),
];

/// What a model is; its second sentence is the one to remember.
pub(super) const MODEL: [&str; 3] = [
    "The model ranks cases so that a person looks at some first.",
    LEAD[1],
    "A high score is not a finding about anybody, and a low one does not mean that all is well.",
];

/// What an audit is; its second sentence is the one to remember.
pub(super) const AUDIT: [&str; 2] = [
    "It compares what a score did for different groups of people, and says how sure that is.",
    "It does not say that anything is fair.",
];

pub(super) const AUDIT_CANNOT_SEE: [&str; 4] = [
    "Why groups differ, or who is treated unlawfully. A difference is a question, not an answer.",
    "Whether the outcome was recorded alike for all: where services look harder at some people, they find more, and a score that \
     foresees it looks right.",
    "Those who are not in the table at all, and what help did for those who got it.",
    "Which criterion matters. Where the outcome is commoner in one group than in another, they cannot all hold at once.",
];

const RATES: &str =
    "Such a rate is of a group of cases: nobody can tell from it what will happen to one person.";

const POINTS: &str = "Points say what made the score; they are not percentages, and they do not say what causes what. Reasons on \
    one subject share its weight and can point both ways: read them together.";

impl<'a> About<'a> {
    /// `witness` is the list's, as text.
    pub(super) fn of(list: &'a ReviewList, witness: &'a str) -> Self {
        let entries = list.entries();
        Self {
            facts: facts(list),
            heading: "What this list is, and is not",
            lead: LEAD,
            do_heading: "What you do",
            steps: STEPS,
            unseen_heading: "What the list cannot see",
            cannot_see: entries.first().map_or(&[][..], |entry| entry.case().cannot_see()),
            notes: notes(list),
            rate_note: RATES,
            points_note: POINTS,
            unscored: unscored(list.not_scored().len()),
            record: record(list.provenance(), witness),
        }
    }
}

fn facts(list: &ReviewList) -> Vec<Fact<'_>> {
    let says = list.provenance();
    let own_days = list.entries().iter().any(|entry| entry.case().has_own_day());
    let as_of = if own_days {
        "As of, at the latest: each case has a day of its own"
    } else {
        "As of (known before this day)"
    };
    let length = match list.drawn_with().one_per {
        OnePer::Household => {
            let households = words::counted(list.len(), "household", "households");
            format!("{households} from a cohort of {} cases", cohort(says))
        }
        OnePer::Case => {
            let cases = words::counted(list.len(), "case", "cases");
            format!("{cases} from a cohort of {}", cohort(says))
        }
    };
    let by_band: Vec<String> = list
        .by_band()
        .into_iter()
        .map(|(band, cases)| format!("{} in the {band}", words::count(cases as u64)))
        .collect();
    let mut facts = vec![
        Fact::new(as_of, words::date(says.as_of.day())),
        Fact { ends: true, ..Fact::new("Do not use after", words::date(says.expires)) },
        Fact::new("On this list", length),
        Fact::new("Listed for their scores", format!("{} of scores", by_band.join(", "))),
    ];
    if let Some(known) = list.known() {
        let alone = if list.drawn_with().among == Among::NotKnown {
            ": places were given only to those whom none knows"
        } else {
            ""
        };
        facts.push(Fact::new("Known to a service already", format!("{}{alone}", known_in_words(known))));
    }
    facts.extend([foreseen(says), purpose(says), asked_for(says)]);
    facts
}

fn cohort(says: &Provenance) -> String {
    words::count(u64::from(says.cohort_size))
}

fn foreseen(says: &Provenance) -> Fact<'_> {
    Fact::new("What is foreseen", &says.outcome)
}

fn purpose(says: &Provenance) -> Fact<'_> {
    Fact::new("Purpose", &says.purpose)
}

fn asked_for(says: &Provenance) -> Fact<'_> {
    Fact::new("Asked for by", format!("{}, {}", says.requested_by, words::date(says.requested_on)))
}

fn notes(list: &ReviewList) -> Vec<(&'static str, String)> {
    let allowed = list.provenance().allowed().into_iter().map(|line| ("A source that changed", line));
    let mut notes: Vec<_> = allowed.collect();
    notes.extend(list.shares().map(|used| ("Places by group", shares_in_words(used))));
    notes.extend(list.tied().map(|tie| ("Equal scores at the end", tie_in_words(tie))));
    let random = list.entries().iter().filter(|entry| entry.why_listed() == WhyListed::AtRandom).count();
    if random > 0 {
        let says = format!(
            "{} drawn at random from the rest, not for a high score, so that you also see what the ranking may miss. Look at \
             them with the same care.",
            words::counted(random, "case was", "cases were")
        );
        notes.push(("Drawn at random", says));
    }
    notes
}

fn tie_in_words(tie: Tie) -> String {
    format!(
        "{} have the same score as the last place, and {} of them {} on this list: lots decided which. The others are as high.",
        words::counted(tie.rows as usize, "case", "cases"),
        words::count(tie.places),
        if tie.places == 1 { "is" } else { "are" }
    )
}

fn unscored(cases: usize) -> String {
    if cases == 0 {
        return String::new();
    }
    format!(
        "{} not scored: a score would rest on too little, on records that are out of date, or on values far from any that the \
         model was trained on. That says nothing about how they are: it is for people to find out.",
        words::counted(cases, "case of the cohort was", "cases of the cohort were")
    )
}

fn record<'a>(says: &'a Provenance, witness: &'a str) -> Vec<Fact<'a>> {
    let on_record = if witness.is_empty() {
        Fact::new(ON_RECORD, "In no ledger")
    } else {
        let where_it_ended = "Where the ledger ended then, which a ledger that was rewritten since does not lead to \
            (earlyhelp verify --witness):";
        Fact::code(ON_RECORD, where_it_ended, witness)
    };
    let table = says.table.as_ref().map(|table| {
        let made = format!(
            "From a table made in SQL ({}); features of {} computed again from the records, and those of each case that is shown. The \
             table:",
            table.dialect,
            words::counted(table.recomputed as usize, "case", "cases")
        );
        Fact::code("Where it was computed", made, &table.digest)
    });
    let facts = vec![
        Fact::code("Run", "", &says.run_id),
        Fact::code("Released model", "", &says.model),
        Fact::code("Candidate in it", "", &says.candidate),
        Fact::code("Features", "", &says.features),
        Fact::new("As-of date", words::date(says.as_of.day())),
        Fact::code("Cohort", format!("{} cases,", cohort(says)), &says.cohort),
        foreseen(says),
        purpose(says),
        asked_for(says),
        Fact::new("Last day of use", words::date(says.expires)),
        Fact::new("Library version", &says.library_version),
        on_record,
    ];
    facts.into_iter().chain(table).collect()
}

const ON_RECORD: &str = "On record";

/// `4 of 25 are known to a service already; of 1 that cannot be told`.
fn known_in_words([yes, no, cannot_tell]: [usize; 3]) -> String {
    let of = words::count((yes + no + cannot_tell) as u64);
    let said = format!("{} of {of}", words::count(yes as u64));
    match cannot_tell {
        0 => said,
        _ => format!("{said}; of {} it cannot be told", words::count(cannot_tell as u64)),
    }
}

/// How places were dealt to groups, and who answers for it.
fn shares_in_words(used: &SharesUsed) -> String {
    format!(
        "The places of this list were dealt to groups by {}, the highest scores within each. Of {} places, {} are others \
         than by score alone. Approved by {}, for this reason: {}",
        words::plain(&used.asked.characteristic),
        words::count(u64::from(used.places)),
        words::count(u64::from(used.changed)),
        used.asked.approved_by,
        used.asked.reason
    )
}
