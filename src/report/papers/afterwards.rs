//! What can be checked and asked for once a model is in use.

use super::parts::{Block, Cell};

/// What can be asked once the model is in use, what answers it, and what that needs.
const AFTERWARDS: [(&str, &str, &str); 8] = [
    (
        "What is held about a person, and what was said of them?",
        "earlyhelp subject",
        "A ledger. It writes all that the ledger holds about one person, with a plain explanation of every score.",
    ),
    (
        "A record was wrong: what followed from it?",
        "earlyhelp correct",
        "A ledger. It names the past cases that rest on the record and the open lists they are on; with corrected \
         extracts it scores them again.",
    ),
    (
        "Can a person be taken out?",
        "earlyhelp purge",
        "A ledger. It takes out what is said of the person, and names entries about others in which they still stand. \
         Extracts, lists and copies made before are for the organisation to find.",
    ),
    (
        "Who looked, what did they decide, how often did they disagree with the list?",
        "earlyhelp log",
        "A ledger in which reviewers' decisions are put on record. By group, too, with intervals.",
    ),
    (
        "Was the record of what happened changed?",
        "earlyhelp verify",
        "A ledger. Whether its newest entries were cut off shows only beside a checkpoint that was kept elsewhere.",
    ),
    (
        "Does every past score still come out the same?",
        "earlyhelp replay",
        "A ledger; for a check back to the records, the extracts of that day. It says which cases could not be \
         computed again, and why.",
    ),
    (
        "How does it treat groups, with intervals that hold for all groups at once? Which features go together with \
         a protected characteristic?",
        "earlyhelp audit-model",
        "The project and its extracts.",
    ),
    (
        "Have the data or the results changed since training?",
        "earlyhelp monitor",
        "The project and new extracts. It reports against stated limits. It stops nothing: people do.",
    ),
];

/// What can be checked and asked for once the model is in use.
pub(super) fn blocks() -> Vec<Block> {
    of(&AFTERWARDS)
}

/// The same, of what is about one person alone.
pub(super) fn about_a_person() -> Vec<Block> {
    of(&AFTERWARDS[..3])
}

fn of(asked: &[(&str, &str, &str)]) -> Vec<Block> {
    let heads = ["Question", "What answers it", "What that needs"];
    let rows = asked.iter().map(|&(question, command, needs)| {
        vec![Cell::text(question), Cell::Code(command.to_owned()), Cell::text(needs)]
    });
    vec![
        Block::text(
            "The software has a command for each of these questions. A ledger is kept only where the organisation asks for \
             one when it scores. Whether it does, whom a family can write to, and how soon it gets an answer, is for the \
             organisation to say.",
        ),
        Block::table(heads, rows),
    ]
}
