//! What can go wrong, what the software does about it, and what only people can do.

use super::parts::{Block, Cell};

/// Each risk, what the software does, and what is left to people.
const RISKS: [(&str, &str, &str); 11] = [
    (
        "The list is taken for a decision",
        "It gives no yes or no, takes no limit to act on and connects to nothing. A decision exists only where a named \
         person has opened one case and given a reason.",
        "Reviewers need the time and the power to disagree. Count how often they do: with a ledger, earlyhelp log does.",
    ),
    (
        "A score is taken for a fact about a person",
        "Readers see bands with the rate that was observed and its interval, beside the rate among all cases.",
        "Do not copy a band into a case file. Write down what was found when somebody looked.",
    ),
    (
        "The list is wrong about a family",
        "The rates of right and wrong places are in this paper; each case shows its reasons and the records behind them.",
        "Treat a place on the list as a reason to look, and staying off it as no sign that all is well.",
    ),
    (
        "Some groups are listed, or wrongly listed, more often",
        "The characteristics that are held for audit stay apart and are never read to make a score. Differences come \
         with intervals. What cannot be measured is said. Mitigation is off unless a project asks for it, and is then \
         recorded.",
        "Decide beforehand which difference matters. Whether groups may be treated differently is a legal question first. Ask in other ways about groups that cannot be measured.",
    ),
    (
        "A feature stands for a protected characteristic (a proxy)",
        "A feature that has the name of one held for audit is refused. The audit measures how well each feature tells each group, and \
         what each adds to a difference between groups.",
        "Read the proxy report, look at each feature and ask what else it says.",
    ),
    (
        "Somebody is listed for what others did",
        "Records of others in the household are counted apart and marked as such beside every reason.",
        "Keep household lists up to date. Consider doing without such features.",
    ),
    (
        "Asking for help counts against people",
        "Such features are marked help-seeking, and the page says that asking is not a risk in itself.",
        "Compare with a model without them. If little is lost, leave them out.",
    ),
    (
        "Something old is held against a person for ever",
        "Every feature states its look-back. Scores expire.",
        "Avoid features without a limit, and close episodes that have ended.",
    ),
    (
        "Silence of a source is taken for safety",
        "Zero, missing and not covered are three different things, from the reader to the page. A case about which too \
         little is known gets no score.",
        "State truly what each source covers. Treat families with thin records as not assessed.",
    ),
    (
        "The list feeds on itself: what is looked at becomes the next model's outcome",
        "A list can hold a sample of cases drawn at random, marked as such.",
        "Ask for that sample, look at it with the same care, and keep how each case came to notice.",
    ),
    (
        "The use spreads to other purposes, people or years",
        "A request for another purpose, for a population chosen by other rules, or after the review-by date is refused. \
         Each score carries a record of who asked and for what.",
        "The purpose is typed by a person and can be false. Keep a ledger, and look at the records of use.",
    ),
];

/// The risks as a table.
pub(super) fn table() -> Block {
    let heads = ["Risk", "What the software does about it", "What is left to people"];
    Block::table(heads, RISKS.map(|(risk, done, left)| [risk, done, left].map(Cell::text).to_vec()))
}
