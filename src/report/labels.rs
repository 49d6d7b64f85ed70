//! The parts of a model in plain words: one wording of each for pages and papers.

use serde_json::Value;

use super::words::{self, capitalised, listed, plain};
use crate::calendar::{AsOf, Lookback};
use crate::cohort::{CohortSpec, OwnDay, Unit};
use crate::evaluate::{Capacity, FamilyRule};
use crate::features::{Direction, Feature, Measure, Scope};
use crate::model::{Candidate, Place, Shape, ShapeRow, Trainer};
use crate::records::Selector;
use crate::scoring::SignOff;

/// Dates as people write them, one after the other.
pub(super) fn dates(dates: impl IntoIterator<Item = AsOf>) -> String {
    listed(&dates.into_iter().map(|date| words::date(date.day())).collect::<Vec<_>>())
}

/// The words of a feature, by its name.
pub(super) fn label(candidate: &Candidate, name: &str) -> String {
    let feature = candidate.features().features().iter().find(|feature| feature.name == name);
    feature.map_or_else(|| name.to_owned(), |feature| feature.label.clone())
}

/// Which records, in words: `plans (cin plan or cp plan)`.
pub(super) fn records(selector: &Selector) -> String {
    let mut kinds: Vec<String> = selector.kinds.iter().map(|kind| plain(kind)).collect();
    kinds.extend(selector.roles.iter().map(|role| format!("as {}", role.name())));
    kinds.extend(selector.categories.values().flatten().cloned());
    let source = plain(&selector.source);
    if kinds.is_empty() { source } else { format!("{source} ({})", kinds.join(" or ")) }
}

/// The source that a feature reads.
pub(super) fn source(feature: &Feature) -> String {
    match feature.measure {
        Measure::Age => "dates of birth".to_owned(),
        Measure::Members(..) => "households and dates of birth".to_owned(),
        Measure::Moves => "households".to_owned(),
        _ => records(&feature.records),
    }
}

/// What a feature computes.
pub(super) fn measure(feature: &Feature) -> String {
    let value = feature.unit.as_str();
    match &feature.measure {
        Measure::Count => "how many records".to_owned(),
        Measure::Any => "whether there is any record".to_owned(),
        Measure::Sum => format!("the sum ({value})"),
        Measure::Mean => format!("the mean ({value})"),
        Measure::Max => format!("the largest ({value})"),
        Measure::Min => format!("the smallest ({value})"),
        Measure::Latest => format!("the latest ({value})"),
        Measure::Share => {
            format!("the sum of the values, as a share of the sum of what they are part of ({value})")
        }
        Measure::Slope => format!("the slope of the values by day ({value})"),
        Measure::LatestIs { category, value } => format!("whether the latest {} is {value}", plain(category)),
        Measure::LatestOf { category, codes } => {
            format!("the latest {}, of {}", plain(category), words::counted(codes.len(), "code", "codes"))
        }
        Measure::DaysSinceChange(category) => format!("days since {} changed", plain(category)),
        Measure::Members(from, to) => format!("how many people are {from} to {to} years old"),
        Measure::Moves => "how often the household changed".to_owned(),
        Measure::DistinctKinds => "how many kinds of record".to_owned(),
        Measure::DistinctDays => "on how many days".to_owned(),
        Measure::Distinct(category) => format!("how many different values of {}", plain(category)),
        Measure::DaysSinceLast => "days since the last record".to_owned(),
        Measure::DaysSinceFirst => "days since the first record".to_owned(),
        Measure::DaysOpen => "days on which an episode was open".to_owned(),
        Measure::Change => "how many records more than in the time before".to_owned(),
        Measure::PresentNow => "whether an episode is open".to_owned(),
        _ => "age in years".to_owned(),
    }
}

/// What is said in place of a look-back of a feature that has none.
pub(super) const ON_THE_DAY: &str = "on the day";

/// How far back a feature reads.
pub(super) fn window(feature: &Feature) -> String {
    match (&feature.measure, feature.over) {
        (Measure::Age | Measure::PresentNow | Measure::Members(..), _) => ON_THE_DAY.to_owned(),
        (_, Lookback::Ever) => "as far back as the records go".to_owned(),
        (_, over) => format!("last {over}"),
    }
}

/// Whose records a feature reads.
pub(super) fn whose(scope: Scope, unit: Unit) -> &'static str {
    match (scope, unit) {
        (Scope::Own, Unit::Person) => "the person's own",
        (Scope::Own, Unit::Family) => "all members'",
        (Scope::Household, _) => "others in the household",
    }
}

/// How the risk may move with a feature.
pub(super) fn direction(direction: Direction, trainer: &Trainer) -> String {
    // The one trainer that takes note of a direction and does not hold the model to it.
    let held = if matches!(trainer, Trainer::Logistic(_)) { "is expected to" } else { "may only" };
    match direction {
        Direction::None => "either way".to_owned(),
        Direction::Rising => format!("{held} rise with it"),
        Direction::Falling => format!("{held} fall with it"),
    }
}

/// One of those who are asked about, and several.
pub(super) fn unit(rules: &CohortSpec) -> (&'static str, &'static str) {
    match rules.unit {
        Unit::Person => ("person", "people"),
        Unit::Family => ("family", "families"),
    }
}

/// Who is asked about. Names of sources stand in quotation marks: they are a council's own.
pub(super) fn cohort(rules: &CohortSpec) -> String {
    let mut text = match (rules.unit, rules.ages) {
        (Unit::Person, None) => "people".to_owned(),
        (Unit::Person, Some((youngest, oldest))) => format!("people aged {youngest} to {oldest}"),
        (Unit::Family, None) => "families".to_owned(),
        (Unit::Family, Some((youngest, oldest))) => {
            format!("families with a member aged {youngest} to {oldest}")
        }
    };
    let named = |selectors: &[Selector]| {
        let quoted: Vec<String> =
            selectors.iter().map(|selector| format!("\"{}\"", records(selector))).collect();
        let sources = if quoted.len() == 1 { "source" } else { "sources" };
        format!("the {sources} {}", listed(&quoted))
    };
    if !rules.open.is_empty() {
        text.push_str(&format!(" with an open entry in {}", named(&rules.open)));
    }
    if !rules.not_open.is_empty() {
        let joined = if rules.open.is_empty() { " with" } else { " and" };
        text.push_str(&format!("{joined} no open entry in {}", named(&rules.not_open)));
    }
    let mut joined = if rules.open.is_empty() && rules.not_open.is_empty() { " with" } else { " and" };
    for rule in &rules.none_within {
        let of = named(std::slice::from_ref(&rule.records));
        text.push_str(&format!("{joined} no entry in {of} in the last {} days", rule.days));
        joined = " and";
    }
    for selector in &rules.latest {
        let of = named(std::slice::from_ref(selector));
        text.push_str(&format!("{joined} a last entry in {of}"));
        joined = " and";
    }
    if let Some(OwnDay { records, days, within }) = &rules.own_day {
        let of = named(std::slice::from_ref(records));
        let after = words::counted(*days as usize, "day", "days");
        text.push_str(&format!(
            ", each seen {after} after an entry in {of}, or when that was known, in the {within} up to the date"
        ));
    }
    text
}

/// What kind of model it is.
pub(super) fn kind(trainer: &Trainer) -> &'static str {
    match trainer {
        Trainer::Additive(_) => "an additive model: for each term a table of steps",
        Trainer::Scorecard(_) => "a scorecard: whole points for yes-or-no questions",
        Trainer::Logistic(_) => "a logistic regression: for each term a straight line",
    }
}

/// How a score comes about.
pub(super) fn how(candidate: &Candidate) -> String {
    let terms = candidate.model().terms();
    let pairs = terms.iter().filter(|term| term.on.len() == 2).count();
    let count = words::counted(terms.len(), "term", "terms");
    let by = match candidate.trainer() {
        Trainer::Additive(_) => "by a table of steps that was learnt from past cases",
        Trainer::Scorecard(_) => "by whole points for the answer to a yes-or-no question",
        Trainer::Logistic(_) if terms.iter().any(|term| matches!(term.shape, Shape::Steps { .. })) => {
            "in proportion to its value, or by a step for each of its codes"
        }
        Trainer::Logistic(_) => "in proportion to its value",
    };
    let mut text = format!(
        "Every case starts from the average. Each of {count} adds to the score or takes from it, {by}. The sum is the \
         score; nothing else goes in, so the reasons shown beside a score are the whole of it."
    );
    if pairs > 0 {
        text.push_str(&format!(
            " {} of the terms look at two features together.",
            words::count(pairs as u64)
        ));
    }
    text
}

/// Whether a row of a term's table is of values, not of cases that have none.
pub(super) fn is_valued(row: &ShapeRow) -> bool {
    !matches!(row.at, Place::Missing | Place::NotCovered)
}

/// The share of cases that a row of a term's table is about, which may be known to within a tenth alone.
pub(super) fn share(row: &ShapeRow, is_about: bool) -> String {
    match row.share {
        Some(share) if is_about && is_valued(row) => words::about(share),
        Some(share) => words::percent(share),
        None if is_about && is_valued(row) => "not known".to_owned(),
        None => "fewer than 10 cases".to_owned(),
    }
}

/// How long a list is.
pub(super) fn capacity(capacity: Capacity) -> String {
    match capacity {
        Capacity::Cases(cases) => words::counted(cases as usize, "case", "cases"),
        Capacity::Share(share) => {
            let percent = format!("{:.2}", 100.0 * share);
            format!("{}% of the cases of its date", percent.trim_end_matches('0').trim_end_matches('.'))
        }
    }
}

/// How families were kept apart in the test.
pub(super) fn families(rule: FamilyRule) -> String {
    match rule {
        FamilyRule::CrossFit(folds) => format!(
            "Families were dealt into {folds} folds, and the cases of each fold were scored by a model that had learnt \
             from the others: no case was scored by a model that knew its family."
        ),
        FamilyRule::LeaveOut => "Families in the test were left out of training.".to_owned(),
    }
}

/// The trainer's settings, in the words of people where there are some, each with what it is set to.
pub(super) fn settings(trainer: &Trainer) -> Vec<(String, String)> {
    let Ok(Value::Object(fields)) = serde_json::to_value(trainer) else { return Vec::new() };
    let shown = |value: Value| match value {
        Value::String(text) => text,
        other => other.to_string(),
    };
    fields.into_iter().map(|(name, value)| (setting(&name), shown(value))).collect()
}

fn setting(name: &str) -> String {
    let words = match name {
        "trainer" => "Trainer (the method by which the model was learnt)",
        "steps" => "Most steps of one feature's table",
        "pairs" => "Most terms on two features together",
        "terms" => "Most terms",
        "refits" => "Refits on redrawn families",
        "categories" => "Features whose numbers are codes without an order",
        "points" => "Most points of one line",
        "cards" => "Cards that were looked for, the best of which is the model",
        "most_cuts" => "Most places at which one feature's values were considered for a question",
        "strength" => "Strength of the penalty",
        "l1_ratio" => "L1 ratio of the penalty",
        "max_iterations" => "Most steps of the solver (the computation that looks for the best fit)",
        "tolerance" => "Precision at which the solver stops",
        "path" => "How the strength of the penalty was chosen",
        other => return capitalised(&plain(other)),
    };
    words.to_owned()
}

/// Whether it is released, by whom and until when.
pub(super) fn status(signed: Option<&SignOff>) -> String {
    match signed {
        None => "Audited and not released: nobody has signed for it, and it cannot score.".to_owned(),
        Some(says) => format!(
            "Released by {} ({}) on {}, to be reviewed by {}.",
            says.by,
            says.role,
            words::date(says.signed_on),
            words::date(says.review_by)
        ),
    }
}

/// A group by its name (which audits give in lower case), with the meaning of the ethnicity codes of the English school census, which most
/// children's records use.
///
/// # References
/// Department for Education, *Common basic data set*: code set "ethnicity".
pub(super) fn group(name: &str) -> String {
    let code = name.to_uppercase();
    let meaning = match code.as_str() {
        "WBRI" => "White British",
        "WIRI" => "White Irish",
        "WIRT" => "Traveller of Irish heritage",
        "WROM" => "Gypsy or Roma",
        "WOTH" => "any other White background",
        "MWBC" => "White and Black Caribbean",
        "MWBA" => "White and Black African",
        "MWAS" => "White and Asian",
        "MOTH" => "any other mixed background",
        "AIND" => "Indian",
        "APKN" => "Pakistani",
        "ABAN" => "Bangladeshi",
        "AOTH" => "any other Asian background",
        "BCRB" => "Black Caribbean",
        "BAFR" => "Black African",
        // A word as well, so it is not put in its place.
        "BOTH" => return format!("{name} (as a code of ethnicity: any other Black background)"),
        "CHNE" => "Chinese",
        "OOTH" => "any other ethnic group",
        "REFU" => "refused",
        "NOBT" => "not yet obtained",
        _ => return name.to_owned(),
    };
    format!("{} ({code})", capitalised(meaning))
}
