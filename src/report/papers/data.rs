//! Which data go where: sources, columns, features, and what none of them needs.

use std::collections::{BTreeMap, BTreeSet};

use super::super::words;
use super::parts::{Block, Cell};
use super::wording;
use crate::features::{Feature, Measure};
use crate::model::Candidate;
use crate::project::{Project, SourceFile};
use crate::records::{EventColumns, Kind, Known, Selector};
use crate::report::AnyModel;

/// The name under which dates of birth are read.
const PEOPLE: &str = "people";

/// All sources of records by their names in plain words: those of the project, or those that were read in
/// training.
pub(super) fn sources(model: AnyModel<'_>, project: Option<&Project>) -> Vec<String> {
    names(model, project).iter().map(|name| wording::plain(name)).collect()
}

/// All sources of records, in the order of the project.
fn names(model: AnyModel<'_>, project: Option<&Project>) -> Vec<String> {
    if let Some(project) = project {
        return project.sources.iter().map(|source| source.name.clone()).collect();
    }
    let candidate = model.candidate();
    let mut names: Vec<String> = Vec::new();
    let trained = candidate.training().sources.iter().map(|source| &source.source);
    let read = candidate.features().features().iter().map(|feature| &feature.records.source);
    let outcome = candidate.outcome().records.iter().map(|records| &records.source);
    for name in trained.chain(read).chain(outcome) {
        if name != PEOPLE && !names.contains(name) {
            names.push(name.clone());
        }
    }
    names
}

/// Whether a feature plays a part in the model.
pub(super) fn is_used(candidate: &Candidate, feature: &Feature) -> bool {
    candidate.model().terms().iter().any(|term| term.on.contains(&feature.name))
}

/// What is to be said where age, which the Equality Act names, is a feature of the model.
pub(super) fn on_age(candidate: &Candidate) -> Option<&'static str> {
    let mut used = candidate.features().features().iter().filter(|feature| is_used(candidate, feature));
    used.any(|feature| feature.measure == Measure::Age).then_some(
        "Age is a protected characteristic, too, and is a feature of this model: it goes into scores. Its use is for people to \
         justify.",
    )
}

/// What the model reads when it scores, in plain words: the records of features that play a part.
pub(super) fn read_by_model(candidate: &Candidate) -> BTreeSet<String> {
    let features = candidate.features().features().iter();
    features.filter(|feature| is_used(candidate, feature)).map(wording::source).collect()
}

/// For how many cases features have no value: missing, or not covered.
pub(super) fn covered(candidate: &Candidate) -> Vec<Block> {
    let training = candidate.training();
    let counted = |share: f64| (share * training.rows as f64).round() as u64;
    let gaps: Vec<Vec<Cell>> = training
        .ranges
        .iter()
        .filter(|range| counted(range.missing + range.not_covered) >= 10)
        .map(|range| {
            vec![
                Cell::text(wording::label(candidate, &range.feature)),
                Cell::Count(counted(range.missing + range.not_covered)),
            ]
        })
        .collect();
    let all = words::count(training.rows);
    if gaps.is_empty() {
        return vec![Block::text(format!(
            "Every feature had a value for all but fewer than 10 of the {all} cases."
        ))];
    }
    let text = format!(
        "Of the {all} cases that the model learnt from, these had no value for a feature. Features that are not in the table \
         had one for all cases but fewer than 10. What is missing and what a source does not cover are kept apart from zero."
    );
    vec![Block::text(text), Block::table(["Feature", "Cases without a value (missing or not covered)"], gaps)]
}

/// What data protection law or the Equality Act says of data of such a name.
struct Sensitive {
    /// Parts of names by which it is found.
    parts: &'static [&'static str],
    /// What it may be.
    is: &'static str,
}

const SENSITIVE: [Sensitive; 9] = [
    Sensitive { parts: &["ethnic", "race"], is: "special category data: racial or ethnic origin" },
    Sensitive {
        parts: &["relig", "belief", "faith"],
        is: "special category data: religious or philosophical beliefs",
    },
    Sensitive { parts: &["sexual", "orientation"], is: "special category data: sexual orientation" },
    Sensitive { parts: &["politic"], is: "special category data: political opinions" },
    Sensitive { parts: &["union"], is: "special category data: trade union membership" },
    Sensitive {
        parts: &["health", "disab", "substance", "mental", "medical", "pregnan", "diagnos"],
        is: "special category data: health",
    },
    Sensitive {
        parts: &["sen", "special_educational"],
        is: "may be special category data: health, where it rests on a diagnosis",
    },
    Sensitive {
        parts: &["police", "justice", "crime", "offen", "custody"],
        is: "criminal offence data (UK GDPR, Article 10)",
    },
    Sensitive {
        parts: &["abuse", "violence"],
        is: "may be criminal offence data (alleged), and data about victims",
    },
];

/// What a name suggests. A part must begin a word of the name, and the shortest part be a whole one.
pub(super) fn suggested(name: &str) -> Option<&'static str> {
    let name = name.to_lowercase();
    let is_in = |part: &str| {
        name.split(|c: char| !c.is_alphanumeric())
            .any(|word| if part.len() <= 4 { word == part } else { word.starts_with(part) })
            || (part.contains('_') && name.contains(part))
    };
    SENSITIVE.iter().find(|kind| kind.parts.iter().any(|part| is_in(part))).map(|kind| kind.is)
}

/// Which of the data may be sensitive, by their names; and the characteristics that are held for audit.
pub(super) fn sensitive(model: AnyModel<'_>, project: Option<&Project>) -> Vec<Block> {
    let mut blocks = Vec::new();
    let found: Vec<String> = names(model, project)
        .iter()
        .filter_map(|name| Some(format!("{}: {}", wording::plain(name), suggested(name)?)))
        .collect();
    if !found.is_empty() {
        blocks.push(Block::text("By their names, these sources hold or may hold sensitive data:"));
        blocks.push(Block::list(found));
    }
    blocks.push(held_for_audit(model, project));
    blocks.extend(on_age(model.candidate()).map(Block::text));
    blocks
}

/// The protected characteristics, held and not held.
pub(super) fn held_for_audit(model: AnyModel<'_>, project: Option<&Project>) -> Block {
    let columns = project.and_then(|project| project.protected.as_ref()).map(|file| &file.columns);
    let held: Vec<String> = match columns {
        Some(columns) => columns.characteristics.clone(),
        None => model.candidate().training().protected.clone(),
    };
    if held.is_empty() {
        return Block::text(
            "No protected characteristic is held, not even for fairness checks. That spares data, and leaves unknown how \
             the lists treat groups.",
        );
    }
    let named = |name: &String| match suggested(name) {
        Some(is) => format!("{} ({is})", wording::plain(name)),
        None => wording::plain(name),
    };
    let names = wording::listed(&held.iter().map(named).collect::<Vec<_>>());
    let apart = "They are kept in a file of their own and are never read to make a score. They serve fairness checks, and mitigation \
         where a project asks for it (it is off by default)";
    Block::text(match columns {
        Some(columns) if !columns.not_held.is_empty() => {
            let lacking: Vec<String> = columns.not_held.iter().map(|name| wording::plain(name)).collect();
            format!(
                "Held for audit: {names}. {apart}. Not held, and so not measurable: {}.",
                wording::listed(&lacking)
            )
        }
        Some(_) => format!("Held for audit: {names}. {apart}."),
        None => format!("Held for audit, or named as not held: {names}. {apart}."),
    })
}

/// What becomes of each source: what it is read for, and by how many features.
pub(super) fn flows(model: AnyModel<'_>, project: Option<&Project>) -> Block {
    let heads = [
        "Source",
        "Features that play a part",
        "Features that play none",
        "Other use",
        "Columns that are read",
    ];
    let candidate = model.candidate();
    let features = candidate.features().features();
    let mut rows: Vec<Vec<Cell>> = Vec::new();
    let dated = names(model, project);
    let count = |source: &str, used: bool| {
        let fits =
            |feature: &&Feature| feature.records.source == source && is_used(candidate, feature) == used;
        features.iter().filter(fits).count() as u64
    };
    for source in &dated {
        let file = project.and_then(|project| project.sources.iter().find(|file| file.name == *source));
        let other = other_uses(candidate, project, source);
        rows.push(vec![
            Cell::text(wording::plain(source)),
            Cell::Count(count(source, true)),
            Cell::Count(count(source, false)),
            Cell::text(if other.is_empty() { "none".to_owned() } else { other.join("; ") }),
            Cell::text(file.map_or_else(
                || "not known without the project file".to_owned(),
                |file| columns(&file.columns).join(", "),
            )),
        ]);
    }
    if let Some(project) = project {
        rows.extend(lists_of_people(project, count(PEOPLE, true), count(PEOPLE, false)));
    }
    Block::table(heads, rows)
}

/// The list of people, the households, and the protected characteristics.
fn lists_of_people(project: &Project, used: u64, unused: u64) -> Vec<Vec<Cell>> {
    let mut rows = Vec::new();
    if let Some(people) = &project.people {
        let columns: Vec<String> =
            people.columns.person.iter().chain(&people.columns.date_of_birth).cloned().collect();
        rows.push(vec![
            Cell::text("list of people"),
            Cell::Count(used),
            Cell::Count(unused),
            Cell::text("who can be asked about; ages"),
            Cell::text(columns.join(", ")),
        ]);
    }
    if let Some(households) = &project.households {
        let held = &households.columns;
        let mut columns = held.person.clone();
        columns.push(held.household.clone());
        columns.extend(held.start.iter().chain(&held.end).cloned());
        rows.push(vec![
            Cell::text("households"),
            Cell::Count(0),
            Cell::Count(0),
            Cell::text("who lives with whom; families kept apart in tests"),
            Cell::text(columns.join(", ")),
        ]);
    }
    if let Some(protected) = &project.protected {
        let columns: Vec<String> =
            protected.columns.entity.iter().chain(&protected.columns.characteristics).cloned().collect();
        rows.push(vec![
            Cell::text("protected characteristics"),
            Cell::Count(0),
            Cell::Count(0),
            Cell::text("fairness checks; mitigation, where asked for"),
            Cell::text(columns.join(", ")),
        ]);
    }
    rows
}

/// What a source is read for beside features.
pub(super) fn other_uses(
    candidate: &Candidate,
    project: Option<&Project>,
    source: &str,
) -> Vec<&'static str> {
    let is_in = |selectors: &[Selector]| selectors.iter().any(|records| records.source == source);
    let outcome = candidate.outcome();
    let rules = candidate.cohort();
    let mut uses = Vec::new();
    if is_in(&outcome.records) {
        uses.push("the outcome");
    }
    if outcome.follow_up.during.as_ref().is_some_and(|records| records.source == source) {
        uses.push("how long a case is followed");
    }
    if is_in(&rules.open) || is_in(&rules.not_open) {
        uses.push("who is asked about");
    }
    let is_roster = |file: &SourceFile| file.coverage.roster.as_deref() == Some(source);
    if project.is_some_and(|project| project.sources.iter().any(is_roster)) {
        uses.push("whom another source covers");
    }
    uses
}

/// The columns that are read of a source, each with what it is.
fn columns(held: &EventColumns) -> Vec<String> {
    let mut columns: Vec<String> = held.entity.iter().map(|name| format!("{name} (whose)")).collect();
    let mut push = |name: &str, is: &str| columns.push(format!("{name} ({is})"));
    if let Kind::Column(name) = &held.kind {
        push(name, "kind");
    }
    push(&held.occurred, "when");
    if let Known::Column(name) = &held.known {
        push(name, "when known");
    }
    let optional = [
        (&held.ended, "when ended"),
        (&held.ended_known, "when its end was known"),
        (&held.value, "number"),
        (&held.role, "part played"),
        (&held.reference, "record number"),
        (&held.link_probability, "how sure the link is"),
    ];
    for (name, is) in optional {
        if let Some(name) = name {
            push(name, is);
        }
    }
    held.categories.iter().for_each(|name| push(name, "category"));
    columns
}

/// What could be left out without changing a score: sources that feed nothing, features that play no part,
/// columns that nothing reads.
pub(super) fn needless(model: AnyModel<'_>, project: Option<&Project>) -> Vec<(&'static str, Vec<String>)> {
    let candidate = model.candidate();
    let features = candidate.features().features();
    let feeds = |source: &String| features.iter().any(|feature| feature.records.source == *source);
    let idle: Vec<String> = names(model, project)
        .into_iter()
        .filter(|source| !feeds(source) && other_uses(candidate, project, source).is_empty())
        .map(|source| wording::plain(&source))
        .collect();
    let plays_none = |source: &String| {
        let mut read = features.iter().filter(|feature| feature.records.source == *source).peekable();
        read.peek().is_some() && !read.any(|feature| is_used(candidate, feature))
    };
    let only_idle: Vec<String> = names(model, project)
        .into_iter()
        .filter(|source| plays_none(source) && other_uses(candidate, project, source).is_empty())
        .map(|source| wording::plain(&source))
        .collect();
    let unused: Vec<String> = features
        .iter()
        .filter(|feature| !is_used(candidate, feature))
        .map(|feature| feature.label.clone())
        .collect();
    let columns = project.map_or_else(Vec::new, |project| idle_columns(candidate, project));
    vec![
        ("Sources that feed no feature and serve no other use", idle),
        ("Sources of which only features are made that play no part", only_idle),
        ("Features that play no part in the model", unused),
        ("Columns that are read and that nothing uses", columns),
    ]
}

/// Roles, numbers and categories that are mapped and that neither features nor outcome nor cohort look at.
fn idle_columns(candidate: &Candidate, project: &Project) -> Vec<String> {
    let features = candidate.features().features();
    let (outcome, rules) = (candidate.outcome(), candidate.cohort());
    let mut selectors: BTreeMap<&str, Vec<&Selector>> = BTreeMap::new();
    let of_features = features.iter().map(|feature| &feature.records);
    let of_rules =
        outcome.records.iter().chain(&outcome.follow_up.during).chain(&rules.open).chain(&rules.not_open);
    for selector in of_features.chain(of_rules) {
        selectors.entry(&selector.source).or_default().push(selector);
    }
    let mut idle = Vec::new();
    for source in &project.sources {
        let asked = selectors.get(source.name.as_str()).map_or(&[][..], Vec::as_slice);
        let measures = || features.iter().filter(|feature| feature.records.source == source.name);
        let mut push = |column: &str| idle.push(format!("{}: {column}", wording::plain(&source.name)));
        if let Some(role) = &source.columns.role
            && asked.iter().all(|selector| selector.roles.is_empty())
        {
            push(role);
        }
        let needs_value = |feature: &Feature| {
            matches!(feature.measure, Measure::Sum | Measure::Mean | Measure::Max | Measure::Latest)
        };
        if let Some(value) = &source.columns.value
            && !measures().any(needs_value)
        {
            push(value);
        }
        for category in &source.columns.categories {
            let selected = asked.iter().any(|selector| selector.categories.contains_key(category));
            let counted = measures().any(|feature| feature.measure == Measure::Distinct(category.clone()));
            if !selected && !counted {
                push(category);
            }
        }
    }
    idle
}

#[cfg(test)]
mod tests {
    use super::suggested;

    #[test]
    fn names_suggest_what_the_law_calls_them() {
        let is = |name: &str, part: &str| suggested(name).is_some_and(|is| is.contains(part));
        assert!(is("ethnicity", "ethnic origin") && is("sexual orientation", "sexual orientation"));
        assert!(is("mental_health_referral", "health") && is("sen", "health") && is("disability", "health"));
        assert!(
            is("youth_justice", "criminal") && is("police", "criminal") && is("domestic_abuse", "victims")
        );
        for plain in ["attendance", "housing", "sender", "braces", "reunion", "sex", "area"] {
            assert_eq!(suggested(plain), None, "{plain}");
        }
    }
}
