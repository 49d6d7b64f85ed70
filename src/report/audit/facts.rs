//! What was audited, and how: the rows, the operating point, the settings.

use super::super::words;
use super::figure;
use crate::fairness::audit::{Audit, GroupMeasure, Operating, ScoreIntake, ScoreScale, Tie, TieAsOne};

/// The facts at the head and the foot of the page.
pub(super) struct Facts {
    pub n: String,
    pub positives: String,
    pub selected: String,
    pub clusters: String,
    /// Empty where it is not said whom rows are about.
    pub people: String,
    /// Whether people are the unit of intervals, since no families were given.
    pub by_person: bool,
    /// What is counted where something is held back: people, or rows.
    pub unit: &'static str,
    pub weighted: bool,
    /// What the scores are taken for, and what follows from it.
    pub meaning: &'static str,
    pub operating: String,
    /// What a selection costs and gains, in words; empty where the scores do not say.
    pub exchange: String,
    /// Where the scores lie.
    pub spread: String,
    /// That higher scores go with fewer outcomes; empty where they do not.
    pub inverted: &'static str,
    /// That equals share the last places of the list; empty where they do not.
    pub tied: String,
    pub minimum: u32,
    /// Empty where counts are exact.
    pub rounded: String,
    /// `5 points`.
    pub margin: String,
    pub correction: String,
    pub resamples: String,
    pub seed: u64,
    pub references: String,
}

/// Said of the outcomes of a list in use.
pub(super) const NOT_KNOWN_YET: &str = "not known yet: only who is selected can be compared";

impl Facts {
    pub(super) fn of(audit: &Audit) -> Self {
        let whole = &audit.whole;
        let with_share = |count: Option<u64>, measure: GroupMeasure| match (count, whole.figure(measure)) {
            (Some(count), Some(share)) => {
                format!("{}, {}", words::count(count), figure::figure(measure, share, audit.scores))
            }
            (Some(count), None) => words::count(count),
            (None, _) => figure::WITHHELD.to_owned(),
        };
        let params = &audit.params;
        let references = params
            .references
            .iter()
            .map(|(column, value)| format!("{}: {value}", words::plain(column)))
            .collect::<Vec<_>>();
        Self {
            n: words::count(audit.n),
            positives: if audit.followed {
                with_share(audit.positives, GroupMeasure::Prevalence)
            } else {
                NOT_KNOWN_YET.to_owned()
            },
            selected: with_share(audit.selected, GroupMeasure::SelectionRate),
            clusters: if audit.clustered && !audit.by_person {
                words::count(audit.clusters)
            } else {
                String::new()
            },
            by_person: audit.by_person,
            people: audit.people.map(words::count).unwrap_or_default(),
            unit: unit(audit),
            weighted: audit.weighted,
            meaning: meaning(audit),
            operating: audit.operating.words.clone(),
            spread: spread(audit),
            inverted: inverted(audit),
            exchange: audit.operating.threshold_chance.map(exchange).unwrap_or_default(),
            tied: tied(&audit.operating),
            minimum: params.minimum,
            rounded: params.round_to.map(|to| to.to_string()).unwrap_or_default(),
            margin: figure::points(params.margin),
            correction: audit.correction.trim_end_matches('.').to_owned(),
            resamples: words::count(u64::from(params.bootstrap.resamples)),
            seed: params.bootstrap.seed,
            references: if references.is_empty() {
                "none given; groups are compared with the largest group and with everybody".to_owned()
            } else {
                references.join("; ")
            },
        }
    }
}

/// What the scores are taken for, and what follows from it.
pub(super) fn meaning(audit: &Audit) -> &'static str {
    if audit.spread.is_none() {
        return "There are no scores, so nothing is said of how they rank or of what they mean.";
    }
    match audit.scores {
        ScoreScale::Chances => {
            "All scores lie from 0 to 1 and are taken for chances: they are compared with what happened."
        }
        ScoreScale::Ranks => {
            "The scores are taken for ranks, not for chances: they are never compared with shares of outcomes. Calibration \
             within groups is the difference in outcome at equal score, where scores have at most 20 values, and there is \
             no net benefit."
        }
        ScoreScale::Points => {
            "The scores are taken for points, not for chances: they are never compared with shares of outcomes. Calibration \
             within groups is the difference in outcome at equal score, where scores have at most 20 values, and there is \
             no net benefit."
        }
    }
}

/// What net benefit weighs against what.
fn exchange(chance: f64) -> String {
    let percent = figure::bare(100.0 * chance, 2);
    if chance > 0.0 && chance < 1.0 {
        let wrongly = (1.0 - chance) / chance;
        format!(
            "Net benefit is told at a chance of {percent}%: one person selected rightly is taken to be worth \
             as much as {} selected wrongly cost.",
            figure::bare(wrongly, 1)
        )
    } else {
        format!("Net benefit is told at a chance of {percent}%.")
    }
}

/// `from 0.1 to 9, 12 different; commonest: 3 (30% of rows), 2 (25% of rows)`.
pub(super) fn spread(audit: &Audit) -> String {
    let Some(held) = &audit.spread else {
        return "none are given; only who was selected is compared".to_owned();
    };
    let common: Vec<String> = held
        .commonest
        .iter()
        .map(|common| {
            let share = 100.0 * common.rows as f64 / audit.n.max(1) as f64;
            format!("{} ({}% of rows)", figure::bare(common.score, 4), figure::bare(share, 1))
        })
        .collect();
    let common =
        if common.is_empty() { String::new() } else { format!("; commonest: {}", common.join(", ")) };
    format!(
        "from {} to {}, {} different{common}",
        figure::bare(held.lowest, 4),
        figure::bare(held.highest, 4),
        words::count(held.distinct)
    )
}

/// What has to be said of scores that point the other way.
pub(super) fn inverted(audit: &Audit) -> &'static str {
    if audit.is_inverted() {
        "Higher scores go with FEWER outcomes here: the AUC is clearly below 0.5. Is the score one of safety, or the outcome \
         coded the wrong way round?"
    } else {
        ""
    }
}

/// That rows of equal score share the last places, or are too few to; empty where the list ends between scores.
pub(super) fn tied(operating: &Operating) -> String {
    let rows = |tie: Tie| words::counted(tie.rows as usize, "row", "rows");
    let places = |tie: Tie| words::counted(tie.places as usize, "place", "places");
    match (operating.tied, operating.not_shared) {
        (None, None) if operating.tie_withheld => {
            "Rows of equal score share the last places of the list: each counts as selected by that part, as it would on average \
             over every order of equals. How many share how many is withheld: it would tell how few are above them, or below."
                .to_owned()
        }
        (Some(tie), _) => format!(
            "{} of equal score share the last {} of the list: each counts as selected by that part, as it would on average \
             over every order of equals.",
            rows(tie),
            places(tie)
        ),
        (None, Some(all)) => format!(
            "The list ends among rows of equal score, of fewer people than the minimum. A share of so few would tell what \
             happened to each, so {} of them count as selected.",
            match all {
                TieAsOne::Selected => "all",
                TieAsOne::LeftOff => "none",
            }
        ),
        (None, None) => String::new(),
    }
}

/// Rows of the file that are not in the audit, and what of it has to be doubted.
pub(super) struct Apart {
    /// Empty where every row is in the audit.
    pub says: String,
    pub reasons: Vec<(String, String)>,
    /// The first positions of rejected rows; empty where none was rejected.
    pub positions: String,
    /// What has to be doubted of the rows that are there.
    pub doubts: Vec<(&'static str, String)>,
}

impl Apart {
    /// As many positions as one reads; the JSON has them all.
    const POSITIONS: usize = 20;

    /// `None` where every row was audited and nothing is to be doubted.
    pub(super) fn of(intake: &ScoreIntake) -> Option<Self> {
        let rejected = &intake.rejected;
        let apart = intake.set_apart();
        let doubts = doubts(intake);
        if rejected.is_empty() && apart.is_empty() && doubts.is_empty() {
            return None;
        }
        let apart = apart.into_iter().map(|(why, rows)| (why.to_owned(), words::count(rows)));
        let reasons = intake.reasons().into_iter().map(|(column, reason, count)| {
            let column = column.map_or_else(String::new, |column| format!("column {column}: "));
            (format!("{column}{}", reason.words()), words::count(count))
        });
        let positions: Vec<String> =
            rejected.iter().take(Self::POSITIONS).map(|held| words::count(held.row)).collect();
        let more = if rejected.len() > Self::POSITIONS { " and more, all of them in the JSON" } else { "" };
        let left = intake.read - intake.audited;
        Some(Self {
            says: if left > 0 {
                format!("{} of {} rows read", words::count(left), words::count(intake.read))
            } else {
                String::new()
            },
            reasons: reasons.chain(apart).collect(),
            positions: if positions.is_empty() {
                String::new()
            } else {
                format!("{}{more}", positions.join(", "))
            },
            doubts,
        })
    }
}

fn doubts(intake: &ScoreIntake) -> Vec<(&'static str, String)> {
    let rows = |n: u64| words::counted(n as usize, "row does", "rows do");
    let mut doubts = Vec::new();
    if let Some(jump) = intake.jump {
        doubts.push(("Outcomes change all at once", format!("{jump}.")));
    }
    for lone in &intake.lone_scores {
        doubts.push(("Scores that may be none", format!("{lone}.")));
    }
    if intake.without_cluster > 0 {
        let says =
            format!("{} not say of which family; each counts as its own.", rows(intake.without_cluster));
        doubts.push(("Families not known", says));
    }
    if intake.without_person > 0 {
        let says = format!(
            "{} not say whom they are about; they count as one person, so that nothing is shown of too few.",
            rows(intake.without_person)
        );
        doubts.push(("People not known", says));
    }
    doubts
}

/// What is counted where something is held back.
pub(in crate::report) fn unit(audit: &Audit) -> &'static str {
    if audit.people.is_some() { "people" } else { "rows" }
}
