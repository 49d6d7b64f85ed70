//! The words of an audit, for a reader who is new to them.

/// A word and what it means, in the order in which a reader meets them.
pub(super) const GLOSSARY: [(&str, &str); 22] = [
    ("Score", "The number that the audited model or rule gave a row (a person at a date, as a rule)."),
    (
        "Outcome",
        "What the score is meant to foresee, as it was recorded. A record of what services saw and did is not always what happened to people.",
    ),
    (
        "Selected",
        "On the list, or above the threshold: those whom the score picked out. What follows is for people to decide.",
    ),
    ("Prevalence", "The share of a group that had the outcome (also called base rate)."),
    ("Selection rate", "The share of a group that was selected."),
    (
        "True-positive rate",
        "Of those who had the outcome, the share selected: who would have been found. What is left to 100% was missed (false-negative rate).",
    ),
    (
        "False-positive rate",
        "Of those who did not have the outcome, the share selected all the same. What is left to 100% is the true-negative rate.",
    ),
    (
        "Precision",
        "Of those selected, the share who had the outcome. What is left to 100% was selected wrongly (false-discovery rate).",
    ),
    ("False-omission rate", "Of those not selected, the share who had the outcome."),
    (
        "AUC",
        "How often a person with the outcome has the higher score, of two drawn at random, one with and one without it: 0.5 is tossing a coin, 1 is always.",
    ),
    (
        "Average precision",
        "Precision averaged over all lengths of the list; a score that knows nothing gets the prevalence.",
    ),
    (
        "Calibration gap",
        "The share with the outcome minus the mean score. Above 0 the scores of the group are too low, below 0 too high.",
    ),
    (
        "Calibration slope and intercept",
        "Whether scores that are chances are too extreme (slope below 1) or too timid (above 1), and too low (intercept above 0) or too high (below 0) as a whole.",
    ),
    (
        "Expected calibration error",
        "How far, on average, the share with the outcome lies from the score, in percentage points, whichever the direction.",
    ),
    (
        "Net benefit",
        "What selecting gains: those rightly selected, less those wrongly selected at the rate of exchange that the threshold implies; per 1,000 rows.",
    ),
    (
        "ABROCA",
        "The area between the ROC curves of two groups: 0 where the score tells apart equally well in both at every threshold.",
    ),
    (
        "95% interval",
        "The values that fit the data. Were the sample drawn again and again, 95 of 100 such intervals would hold the true value.",
    ),
    (
        "Simultaneous interval",
        "Wider, so that the intervals of all groups of a characteristic hold at once. With many groups one would else be found different by luck alone.",
    ),
    ("Margin", "The size under which whoever asked for the audit calls a difference too small to matter."),
    (
        "Smallest difference it could show",
        "A true difference of that size would be found in four of five samples like this one. Smaller ones would mostly be missed.",
    ),
    ("Percentage point", "The unit of a difference of percentages: from 10% to 15% is 5 points."),
    (
        "Held back",
        "Not shown, because the group is so small that a figure says little and can point at a person, or because such a group could be worked out from it.",
    ),
];
