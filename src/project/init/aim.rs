//! What a model over the sources could foresee, from what, of whom, and on which dates.

use std::collections::BTreeSet;

use super::plan::{Aim, DECIDE, Plan, Possible, Taken, found_coverage, has_letters, without_letter};
use super::words;
use crate::calendar::{AsOf, Day, Horizon, Lookback};
use crate::cohort::CohortSpec;
use crate::features::{FeatureTemplate, Measure, Scopes};
use crate::outcome::OutcomeSpec;
use crate::records::{EventColumns, Facts, Kind, Role, Selector, Table};

/// Fewest people with a code for it to be written into a draft, which is passed around as no extract is: as many as a
/// report needs to show a group.
const FEWEST_SHOWN: usize = 10;
/// Fewest people with an outcome for it to be proposed. Spread over several years of training and testing, fewer leave each
/// date a handful.
const FEWEST_WITH_OUTCOME: usize = 200;

/// An outcome that the records could give.
#[derive(Debug, Clone, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Wanted {
    pub(super) source: String,
    #[serde(default)]
    pub(super) kinds: Vec<String>,
    /// What begins, in words: "a child protection plan".
    pub(super) what: String,
    #[serde(default)]
    pub(super) measures: String,
}

/// Proposes an aim; none where there is no source.
pub(super) fn aim(
    plan: &Plan,
    tables: &[Table],
    possible: Possible,
    (wanted, features): (Vec<Wanted>, Vec<FeatureTemplate>),
) -> Option<Aim> {
    let wanted = if wanted.is_empty() { likely(plan, tables) } else { wanted };
    let with: Vec<(Wanted, &Taken<EventColumns>, usize)> = wanted
        .into_iter()
        .filter_map(|wanted| {
            let source = plan.sources.iter().find(|source| source.name == wanted.source)?;
            let people = people_with(&wanted.kinds, source, &tables[source.table]);
            Some((wanted, source, people))
        })
        .collect();
    let enough = with.iter().find(|(.., people)| *people >= FEWEST_WITH_OUTCOME);
    let (chosen, source, people) = enough.or_else(|| with.iter().max_by_key(|(.., people)| *people))?;
    let (from, to) = found_coverage(&source.columns, &tables[source.table], possible)?;
    let (horizon, as_of, date_notes) = dates(from, to);
    let mut notes = vec![format!(
        "{DECIDE}is this what the council wants to foresee? {people} people have such a record."
    )];
    let mut others: Vec<&str> = with
        .iter()
        .filter(|(other, ..)| other.what != chosen.what)
        .map(|(other, ..)| other.what.as_str())
        .collect();
    others.retain(|other| !other.starts_with("a record of"));
    others.dedup();
    if !others.is_empty() {
        notes.push(format!("There are also: {}.", others.join(", ")));
    }
    if *people < FEWEST_WITH_OUTCOME {
        notes.push(format!("{DECIDE}{people} people are too few to learn from; name another outcome."));
    }
    let selector =
        Selector { source: source.name.clone(), kinds: chosen.kinds.clone(), ..Selector::default() };
    let mut cohort = CohortSpec::default();
    if has_children(plan, tables, to) {
        cohort = cohort.ages(0, 17);
    }
    if source.columns.ended.is_some() {
        cohort.not_open = vec![Selector::source(&source.name)];
    }
    // Who has not come yet, or has left, is not asked about.
    let enrolled = plan.sources.iter().filter(|other| is_study(other) && other.name != source.name);
    if let Some(enrolled) = enrolled.into_iter().find(|other| other.columns.ended.is_some()) {
        cohort.open = vec![Selector::source(&enrolled.name)];
        notes.push(format!(
            "{DECIDE}asked about are those with an open record of {} at the date. Presentations may overlap: what one date stands \
             for, further rules say.",
            enrolled.name
        ));
    }
    let measures = if chosen.measures.is_empty() {
        "That the service wrote such a record: what was found and acted on, not every need.".to_owned()
    } else {
        chosen.measures.clone()
    };
    let outcome = OutcomeSpec {
        name: words::plain(&format!("{} within {horizon}", chosen.what.trim_start_matches("a "))),
        words: format!("{} begins within {horizon}", capital(&chosen.what)),
        records: vec![selector],
        horizon,
        counts: crate::outcome::Occurrence::default(),
        follow_up: crate::outcome::FollowUp::default(),
        measures,
    };
    let has = |template: &FeatureTemplate| {
        template.source == "people" && plan.people.is_some()
            || plan.sources.iter().any(|source| source.name == template.source)
    };
    let mut features: Vec<FeatureTemplate> = features.into_iter().filter(has).collect();
    if features.is_empty() {
        features = all_features(plan, tables, &source.name);
    }
    if plan.households.is_none() {
        for feature in &mut features {
            feature.scope = Scopes::Own;
        }
    }
    let first = as_of.iter().min().copied().unwrap_or(from);
    let feature_notes = fit_windows(&mut features, (plan, tables, possible), AsOf::new(first));
    let known_notes = known_to(plan, &cohort);
    Some(Aim { cohort, features, feature_notes, outcome, as_of, notes, known_notes, date_notes })
}

/// Shortens windows that reach beyond what their source has at the first date: there a feature would not be covered for
/// anybody born before. Says which, and where none fits.
fn fit_windows(
    features: &mut [FeatureTemplate],
    (plan, tables, possible): (&Plan, &[Table], Possible),
    first: AsOf,
) -> Vec<String> {
    const LENGTHS: [u32; 7] = [1825, 1095, 730, 365, 182, 91, 28];
    let (mut shortened, mut too_late) = (BTreeSet::new(), BTreeSet::new());
    for feature in features {
        let Some(source) = plan.sources.iter().find(|source| source.name == feature.source) else { continue };
        let covered = found_coverage(&source.columns, &tables[source.table], possible);
        let Some((from, _)) = covered else { continue };
        for over in feature.over.iter_mut().filter(|over| **over != Lookback::Ever) {
            let start = over.start(first);
            if start >= from {
                continue;
            }
            let fits = |days: &u32| {
                let other = Lookback::Days(*days).start(first);
                other >= from && other > start
            };
            if let Some(days) = LENGTHS.into_iter().find(fits) {
                *over = Lookback::Days(days);
                shortened.insert(source.name.as_str());
            } else {
                too_late.insert(source.name.as_str());
            }
        }
        feature.over.dedup();
    }
    let listed = |names: BTreeSet<&str>| names.into_iter().collect::<Vec<_>>().join(", ");
    let mut notes = Vec::new();
    if !shortened.is_empty() {
        notes.push(format!(
            "Windows are as long as the sources reach back at {first}: shorter than is usual for {}.",
            listed(shortened)
        ));
    }
    if !too_late.is_empty() {
        notes.push(format!(
            "{DECIDE}at {first} there are not 28 days of {}, so its features are not covered: take later dates, export more, \
             or leave them out?",
            listed(too_late)
        ));
    }
    notes
}

/// What may mean that a service is working with a case already, as lines to be taken out of their comment: sources of
/// episodes that are called like it. Nobody of the cohort has an open episode of those that it leaves out.
fn known_to(plan: &Plan, cohort: &CohortSpec) -> Vec<String> {
    let is_left_out = |name: &str| cohort.not_open.iter().any(|selector| selector.source == name);
    let is_worked_with = |source: &&Taken<EventColumns>| {
        source.columns.ended.is_some()
            && !is_study(source)
            && words::has(&source.name, &words::WORKED_WITH)
            && !is_left_out(&source.name)
    };
    let mut lines = Vec::new();
    for source in plan.sources.iter().filter(is_worked_with) {
        if lines.is_empty() {
            lines.push(
                "Whom is a service working with already? A list marks them, and its test says what the list adds. Take \
                 away the # where it fits."
                    .to_owned(),
            );
        }
        lines.extend([
            "[[known_to]]".to_owned(),
            format!("name = \"{}\"", source.name),
            format!("words = \"an episode of {} is open\"", source.name.replace('_', " ")),
            format!("records = [{{ source = \"{}\" }}]", source.name),
            "open = true".to_owned(),
        ]);
    }
    lines
}

/// Whether a source is about people in something, a course or the like, and not about people alone.
fn is_study(source: &Taken<EventColumns>) -> bool {
    source.columns.entity.len() > 1
}

fn capital(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map_or_else(String::new, |first| first.to_uppercase().chain(chars).collect())
}

fn people_with(kinds: &[String], source: &Taken<EventColumns>, table: &Table) -> usize {
    let Some(ids) = source.columns.entity.last().and_then(|name| table.column(name)) else { return 0 };
    match &source.columns.kind {
        Kind::Column(column) if !kinds.is_empty() => table.column(column).map_or(0, |facts| {
            let texts: Vec<&str> = raw(facts, kinds);
            facts.people_with(&texts, ids)
        }),
        _ => ids.distinct.len(),
    }
}

/// Codes as the file writes them, behind list letters where it has some.
fn raw<'f>(facts: &'f Facts, kinds: &[String]) -> Vec<&'f str> {
    let held = facts.values.iter().flat_map(|values| values.keys());
    held.filter(|text| kinds.iter().any(|kind| kind == without_letter(text) || kind == *text))
        .map(String::as_str)
        .collect()
}

/// Outcomes by the names of sources and kinds, the likeliest first.
fn likely(plan: &Plan, tables: &[Table]) -> Vec<Wanted> {
    let mut found = Vec::new();
    for (any, what) in words::OUTCOMES {
        // What services write is about people; "registration" for a course is no plan.
        for source in plan.sources.iter().filter(|source| !is_study(source)) {
            let table = &tables[source.table];
            let kinds = match &source.columns.kind {
                Kind::Column(column) => shown_kinds(source, table, column),
                Kind::Constant(_) | Kind::FileName(_) | Kind::ByDates(_) => Vec::new(),
            };
            let of: Vec<String> = kinds.iter().filter(|kind| words::has(kind, any)).cloned().collect();
            let is_all = words::has(&source.name, any) || words::has(&source.columns.occurred, any);
            if of.is_empty() && !is_all {
                continue;
            }
            found.push(Wanted {
                source: source.name.clone(),
                kinds: of,
                what: what.to_owned(),
                measures: String::new(),
            });
        }
    }
    // Where nothing is called like an outcome, each source could be one.
    // Of a study none that says who takes part.
    let takes_part = |source: &&Taken<EventColumns>| is_study(source) && source.columns.ended.is_some();
    let has_other = plan.sources.iter().any(|source| !takes_part(&source));
    let each = plan.sources.iter().filter(|source| !(has_other && takes_part(source)));
    found.extend(each.map(|source| Wanted {
        source: source.name.clone(),
        kinds: Vec::new(),
        what: format!("a record of {}", source.name.replace('_', " ")),
        measures: String::new(),
    }));
    found
}

/// The kinds that enough people have.
fn shown_kinds(source: &Taken<EventColumns>, table: &Table, column: &str) -> Vec<String> {
    let (Some(facts), Some(ids)) =
        (table.column(column), source.columns.entity.last().and_then(|name| table.column(name)))
    else {
        return Vec::new();
    };
    let letters = has_letters(table, std::iter::once(column));
    let held = facts.values.iter().flat_map(|values| values.keys());
    held.filter(|text| facts.people_with(&[text], ids) >= FEWEST_SHOWN)
        .map(|text| if letters { without_letter(text).to_owned() } else { text.clone() })
        .collect()
}

/// A horizon, and dates whose horizons end within the source: a year each if it reaches far enough, else less.
fn dates(from: Day, to: Day) -> (Horizon, Vec<Day>, Vec<String>) {
    let mut notes = Vec::new();
    for months in [12_i32, 6, 3, 1] {
        let (year, month, _) = (to + 1).plus_months(-months).ymd();
        let Some(last) = Day::from_ymd(year, month, 1) else { continue };
        let back = |times: i32| last.plus_months(-months * times);
        // Before the first date something has to be there to read.
        let dates: Vec<Day> = (0..3).map(back).filter(|date| *date >= from.plus_months(months)).collect();
        if dates.len() >= 2 || months == 1 {
            let horizon: Horizon = format!("{months} months").parse().unwrap_or(Horizon::Days(28));
            let mut dates = if dates.len() >= 2 { dates } else { vec![back(0), back(1)] };
            dates.sort_unstable();
            if months < 12 {
                notes.push(format!(
                    "{DECIDE}the outcome's source reaches from {from} to {to}, too short for a horizon of 12 months. Is {horizon} \
                     of use to the service, or can it export more years?"
                ));
            }
            return (horizon, dates, notes);
        }
    }
    (Horizon::Days(28), vec![from, to], notes)
}

fn has_children(plan: &Plan, tables: &[Table], on: Day) -> bool {
    let Some(people) = &plan.people else { return false };
    let Some(births) =
        people.columns.date_of_birth.as_ref().and_then(|name| tables[people.table].column(name))
    else {
        return false;
    };
    let young = on.plus_months(-18 * 12).epoch_days();
    let held = (0..births.days.len()).filter_map(|row| births.day(row));
    held.filter(|&day| day > young).count() >= FEWEST_WITH_OUTCOME
}

/// One or two features of each source: enough to begin with, and to see whether the records hold anything.
fn all_features(plan: &Plan, tables: &[Table], outcome: &str) -> Vec<FeatureTemplate> {
    let mut features = Vec::new();
    if plan.people.as_ref().is_some_and(|people| people.columns.date_of_birth.is_some()) {
        features.push(template("people", Measure::Age, None));
    }
    let (year, three_years) = (Some(Lookback::Days(365)), Some(Lookback::Days(1095)));
    for source in &plan.sources {
        let columns = &source.columns;
        let label = capital(&source.name.replace('_', " "));
        let mut add = |mut feature: FeatureTemplate, label: &str| {
            feature.label = Some(label.to_owned());
            features.push(feature);
        };
        if source.name == outcome {
            add(template(&source.name, Measure::Count, three_years), &format!("{label} before"));
            continue;
        }
        if columns.ended.is_some() {
            add(template(&source.name, Measure::PresentNow, None), &label);
        }
        if columns.value.is_some() {
            let (measure, unit) = match &columns.of {
                Some(of) => (Measure::Share, format!("% of {}", words::plain(of).replace('_', " "))),
                None => (
                    Measure::Mean,
                    columns.value.as_ref().map(|value| value.to_lowercase()).unwrap_or_default(),
                ),
            };
            let mut feature = template(&source.name, measure, year);
            feature.unit = Some(unit);
            add(feature, &label);
        } else if columns.ended.is_none() {
            let roles = roles(source, &tables[source.table]);
            for role in &roles {
                let mut feature = template(&source.name, Measure::Count, year);
                feature.roles = vec![*role];
                feature.scope = Scopes::Both;
                add(feature, &format!("{label}, as {}", role.name()));
            }
            if roles.is_empty() {
                let mut feature = template(&source.name, Measure::Count, year);
                feature.scope = Scopes::Both;
                add(feature, &label);
            }
        }
    }
    features
}

/// The roles that enough people have.
fn roles(source: &Taken<EventColumns>, table: &Table) -> Vec<Role> {
    let column = source.columns.role.as_ref().and_then(|name| table.column(name));
    let (Some(facts), Some(ids)) = (column, source.columns.entity.last().and_then(|name| table.column(name)))
    else {
        return Vec::new();
    };
    let of = [
        ("subject", Role::Subject),
        ("victim", Role::Victim),
        ("suspect", Role::Suspect),
        ("witness", Role::Witness),
    ];
    let has = |name: &str| {
        let held = facts.values.iter().flat_map(|values| values.keys());
        let texts: Vec<&str> =
            held.filter(|text| without_letter(text).eq_ignore_ascii_case(name)).map(String::as_str).collect();
        facts.people_with(&texts, ids) >= FEWEST_SHOWN
    };
    of.into_iter().filter(|(name, _)| has(name)).map(|(_, role)| role).collect()
}

fn template(source: &str, measure: Measure, over: Option<Lookback>) -> FeatureTemplate {
    FeatureTemplate {
        name: None,
        label: None,
        unit: None,
        source: source.to_owned(),
        kinds: Vec::new(),
        roles: Vec::new(),
        categories: std::collections::BTreeMap::new(),
        optional: false,
        measure,
        over: over.into_iter().collect(),
        scope: Scopes::Own,
        direction: crate::features::Direction::default(),
        help_seeking: false,
        need: None,
        why: None,
        noun: None,
        say: None,
    }
}
