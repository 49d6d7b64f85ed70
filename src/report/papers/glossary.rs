//! What the words mean that a stranger to the field would not know.

use serde::{Deserialize, Serialize};

/// A term and what it means.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Entry {
    /// The term.
    pub term: String,
    /// What it means, in plain words.
    pub meaning: String,
}

/// A term, the forms by which it is found (in small letters), and its meaning.
type Known = (&'static str, &'static [&'static str], &'static str);

/// Terms in alphabetical order.
const TERMS: &[Known] = &[
    (
        "95% interval",
        &["95% interval", "95% intervals", "interval", "intervals"],
        "A range that says how sure a figure is. With other families in the test the figure would have come out a \
         little differently; of 20 such ranges, about 19 are meant to hold what a very large test would give.",
    ),
    (
        "as-of date",
        &["as-of date", "as-of dates"],
        "The day that is asked about. The model sees what was known before it, and foresees what follows it.",
    ),
    (
        "ATRS",
        &["atrs", "algorithmic transparency recording standard"],
        "The Algorithmic Transparency Recording Standard: the form in which UK public bodies publish what algorithmic \
         tools they use, and why.",
    ),
    (
        "AUC",
        &["auc"],
        "Area under the curve: how often a case with the outcome gets a higher score than a case without it, if one \
         of each is drawn at random. 0.5 is chance, 1 is perfect.",
    ),
    (
        "average precision",
        &["average precision"],
        "How well the top of the ranking is filled with cases that had the outcome. What chance gives is the share of \
         all cases that had it; 1 is perfect.",
    ),
    (
        "backtest",
        &["backtest", "backtests"],
        "A test on the past: a model that has learnt from earlier dates only is asked about a later date of which the \
         outcomes are known by now.",
    ),
    (
        "band",
        &["band", "bands"],
        "A range of scores. A reader is shown the band of a case and what came of such cases in the test.",
    ),
    (
        "Brier score",
        &["brier score"],
        "The mean squared distance between the foreseen chance and what happened (1 or 0). 0 is perfect; lower is \
         better.",
    ),
    (
        "calibration",
        &["calibration", "calibration slope", "calibration in the large"],
        "Whether foreseen chances come true: of the cases given 10%, one in ten should have the outcome. The slope \
         says whether the scores are too extreme (below 1) or too timid (above 1); calibration in the large says \
         whether the outcome is commoner (above 0) or rarer (below 0) than foreseen.",
    ),
    (
        "case",
        &["case", "cases"],
        "One person, or one family where families are scored, at one date. The same child at three dates is three \
         cases.",
    ),
    (
        "child in need",
        &["child-in-need", "child in need", "cin"],
        "A child for whom a council provides services under section 17 of the Children Act 1989, because without them \
         the child's health or development would suffer. Short: CIN.",
    ),
    (
        "child protection plan",
        &["child protection", "child protection plan", "cp"],
        "A plan to protect a child who is thought to be suffering, or likely to suffer, significant harm. Short: CP \
         plan.",
    ),
    (
        "criminal offence data",
        &["criminal offence data"],
        "Data about convictions and offences, alleged ones among them, which Article 10 of the UK GDPR protects.",
    ),
    (
        "digest",
        &["digest", "digests", "sha-256"],
        "A fingerprint of a file: 64 letters and digits computed from all that it says (by the method SHA-256). If one \
         character of the file changes, the digest is another.",
    ),
    (
        "DPIA",
        &["dpia", "data protection impact assessment"],
        "Data protection impact assessment: what a body has to write before it uses personal data in a way that may \
         put people's rights at risk.",
    ),
    (
        "drift",
        &["drift"],
        "A change over time in what the data say or mean, after which a model may be wrong where it was right.",
    ),
    (
        "edit",
        &["edit", "edits"],
        "A change that a named person made to the model after training, with a reason.",
    ),
    ("extract", &["extract", "extracts"], "A file that was copied from a service's own system for this use."),
    (
        "feature",
        &["feature", "features"],
        "A number or a yes-or-no that is computed from records, such as how many police incidents there were in the \
         last 365 days.",
    ),
    (
        "fold",
        &["fold", "folds"],
        "A part of the families that is set aside in turn, so that no family is tested by a model that learnt from it.",
    ),
    (
        "follow-up",
        &["follow-up"],
        "The time after the as-of date over which it is known whether the outcome came. It ends early for a child who \
         moves away, for instance.",
    ),
    (
        "found by the list",
        &["found by the list"],
        "Of the cases that had the outcome, those that were on the list (also called recall, or true-positive rate).",
    ),
    ("FSM", &["fsm"], "Free school meals."),
    (
        "held back",
        &["held back"],
        "Not shown because the group is small, or because a small group could be worked out from it by subtraction.",
    ),
    (
        "help-seeking",
        &["help-seeking"],
        "Resting on somebody having asked for help. Asking for help is not a risk in itself, so such features are \
         marked wherever they are shown.",
    ),
    (
        "household record",
        &["household record", "household records", "others in the household"],
        "A record about another person in the same household. It is counted apart from the person's own records and \
         marked as such.",
    ),
    ("JSON", &["json"], "A plain text form of data that both programs and people can read."),
    (
        "L1 ratio",
        &["l1 ratio"],
        "How a penalty is shared out: 0 makes all parts of a model smaller, 1 takes the least useful ones out.",
    ),
    (
        "ledger",
        &["ledger", "ledgers"],
        "A file in which every run, every score and every decision is put on record. Nothing in it can be changed \
         unseen. What is said of a person can be taken out, and that it was taken out stays on record.",
    ),
    (
        "list",
        &["list", "lists"],
        "The cases with the highest scores at a date, as many as a team can look at. People review them one by one.",
    ),
    (
        "log loss",
        &["log loss"],
        "How far foreseen chances were from what happened; being sure and wrong costs most. 0 is perfect; lower is \
         better. Its unit is the nat.",
    ),
    (
        "log-odds",
        &["log-odds"],
        "The unit of scores: the logarithm of the odds. 0 is an even chance, +1 is odds of about 2.7 to 1, \u{2212}1 \
         the other way round. Adding log-odds multiplies odds.",
    ),
    (
        "look-back",
        &["look-back", "look-backs"],
        "How far back before the date a feature reads. What is older is not read.",
    ),
    (
        "missing",
        &["missing"],
        "The source covers the case, and there is no value: a mean of no records, for instance. It is not zero.",
    ),
    (
        "mitigation",
        &["mitigation"],
        "Making a difference between groups smaller on purpose: by weights in training, or by giving groups shares of the \
         places on a list.",
    ),
    ("n", &["n ="], "The number of cases that a figure rests on."),
    ("nat", &["nat", "nats"], "The unit of log loss: the natural logarithm."),
    (
        "need on record",
        &["need on record", "needs on record", "number of needs"],
        "A kind of difficulty, such as housing or crime, of which some feature speaks.",
    ),
    (
        "not covered",
        &["not covered"],
        "The source holds nothing for that time, age or person, so its silence says nothing. It is neither zero nor \
         missing.",
    ),
    (
        "outcome",
        &["outcome", "outcomes"],
        "What the model is asked to foresee. It is always something that a service recorded.",
    ),
    (
        "own record",
        &["own record", "own records", "the person's own"],
        "A record about the person that the case is about.",
    ),
    (
        "penalty",
        &["penalty"],
        "What training charges for complicated answers, so that a model does not learn what was mere chance.",
    ),
    (
        "percentage point",
        &["percentage point", "percentage points"],
        "The unit of a difference between two percentages: from 10% to 12% is 2 percentage points.",
    ),
    (
        "protected characteristic",
        &["protected characteristic", "protected characteristics"],
        "One of the nine characteristics that the Equality Act 2010 names: age, disability, gender reassignment, \
         marriage and civil partnership, pregnancy and maternity, race, religion or belief, sex, sexual orientation.",
    ),
    (
        "proxy",
        &["proxy", "proxies"],
        "A feature that stands for something else, as a postcode can stand for ethnicity.",
    ),
    (
        "pseudonymous id",
        &["pseudonymous", "pseudonymous id", "pseudonymous ids"],
        "A code in place of a name. Whoever holds the key can put the name back, so such data are still personal data.",
    ),
    (
        "recalibration",
        &["recalibration", "recalibrated"],
        "Moving all scores by the same rule (a factor and a shift) so that foreseen chances fit later data. It changes \
         no ranking.",
    ),
    (
        "record of use",
        &["record of use", "records of use"],
        "What is kept with each score: model, data, date, purpose, and who asked.",
    ),
    (
        "refit",
        &["refit", "refits"],
        "The same model learnt again with families redrawn at random, to see how far its figures depend on who \
         happened to be there.",
    ),
    (
        "resample",
        &["resample", "resamples", "resampling"],
        "A draw of as many families as there are, with some drawn twice and others left out. How a figure varies over \
         many such draws gives its interval.",
    ),
    (
        "score",
        &["score", "scores"],
        "The sum of what each part of the model adds for a case. It puts cases in order. It is not a fact about a \
         person.",
    ),
    (
        "seed",
        &["seed"],
        "The number from which all random choices start. With the same seed they come out the same again.",
    ),
    ("SEN", &["sen"], "Special educational needs."),
    (
        "sign-off",
        &["sign-off"],
        "The statement of a named person who releases a model for one purpose and until one date.",
    ),
    (
        "source",
        &["source", "sources"],
        "A service's system of records, such as school attendance or housing, from which an extract was made.",
    ),
    (
        "special category data",
        &["special category", "special category data"],
        "Kinds of personal data that Article 9 of the UK GDPR protects most: racial or ethnic origin, political \
         opinions, religious or philosophical beliefs, trade union membership, genetic and biometric data, health, sex \
         life and sexual orientation.",
    ),
    (
        "term",
        &["term", "terms"],
        "A part of the model: what it adds to the score for one feature, or for two features together.",
    ),
    ("UK GDPR", &["uk gdpr"], "The data protection law of the United Kingdom."),
    (
        "wrongly listed",
        &["wrongly listed"],
        "On the list without having had the outcome (the rate is also called false-positive rate).",
    ),
];

/// The terms that occur in a text, and those that occur in what is said about them.
pub(super) fn of(text: &str) -> Vec<Entry> {
    let mut text = text.to_lowercase();
    let mut taken = vec![false; TERMS.len()];
    loop {
        let before = taken.clone();
        for (taken, (_, forms, meaning)) in taken.iter_mut().zip(TERMS) {
            if !*taken && forms.iter().any(|form| occurs(&text, form)) {
                *taken = true;
                text.push('\n');
                text.push_str(&meaning.to_lowercase());
            }
        }
        if taken == before {
            break;
        }
    }
    let entry =
        |(term, _, meaning): &Known| Entry { term: (*term).to_owned(), meaning: (*meaning).to_owned() };
    TERMS.iter().zip(taken).filter(|(_, taken)| *taken).map(|(known, _)| entry(known)).collect()
}

/// Whether a form stands in a text as words of its own. Both are in small letters.
fn occurs(text: &str, form: &str) -> bool {
    text.match_indices(form).any(|(start, found)| {
        let before = text[..start].chars().next_back();
        let after = text[start + found.len()..].chars().next();
        // Names of files and features (`cases_2`) are no words.
        let joins = |c: char| c.is_alphanumeric() || c == '_';
        !before.is_some_and(joins) && !after.is_some_and(joins)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn terms(text: &str) -> Vec<String> {
        of(text).into_iter().map(|entry| entry.term).collect()
    }

    #[test]
    fn only_what_occurs_is_explained_and_what_the_explanations_need() {
        assert!(terms("Nothing to see here.").is_empty());
        assert_eq!(terms("The seed was 3."), ["seed"]);
        // Log loss is told in nats, and a Brier score speaks of nothing else.
        assert_eq!(terms("Log loss"), ["log loss", "nat"]);
        let found = terms("AUC");
        assert!(found.contains(&"case".to_owned()) && found.contains(&"score".to_owned()), "{found:?}");
        assert!(terms("seeds, auckland, bandage").is_empty());
    }

    #[test]
    fn terms_stand_in_alphabetical_order_and_each_is_found_by_its_name() {
        let names: Vec<String> = TERMS.iter().map(|(term, _, _)| term.to_lowercase()).collect();
        assert!(names.is_sorted(), "{names:?}");
        for &(term, forms, meaning) in TERMS {
            assert!(forms.iter().all(|form| *form == form.to_lowercase()), "{term}");
            assert!(meaning.ends_with('.') && meaning.len() > 15, "{term}");
            assert!(term == "n" || terms(term).contains(&term.to_owned()), "{term}");
        }
    }
}
