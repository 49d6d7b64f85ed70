//! Which data go where: sources, columns, features, and what none of them needs.

use std::collections::{BTreeMap, BTreeSet};

use super::super::{labels, words};
use super::known::Known;
use super::parts::{Block, Blocks, Cell};
use crate::features::{Feature, Measure};
use crate::model::Candidate;
use crate::project::{Project, SourceFile};
use crate::records::{EventColumns, Kind, Known as KnownOn, Selector};

/// The name under which dates of birth are read.
const PEOPLE: &str = "people";

/// Whether a feature plays a part in the model.
pub(super) fn is_used(candidate: &Candidate, feature: &Feature) -> bool {
    candidate.model().terms().iter().any(|term| term.on.contains(&feature.name))
}

/// Which sources there are, and what is read of them. Sources, characteristics and columns stand in the
/// order of their names, never in that of a file; features in that of the model.
impl<'a> Known<'a> {
    /// All sources of dated records: those of the project, or those that the model file names.
    fn sources(&self) -> BTreeSet<&'a str> {
        if let Some(project) = self.project {
            return project.sources.iter().map(|source| source.name.as_str()).collect();
        }
        let trained = self.training().sources.iter().map(|source| source.source.as_str());
        let read = self.features().iter().map(|feature| feature.records.source.as_str());
        let outcome = self.candidate().outcome().records.iter().map(|records| records.source.as_str());
        trained.chain(read).chain(outcome).filter(|name| *name != PEOPLE).collect()
    }

    /// All of them in words.
    pub(super) fn source_list(&self) -> String {
        listed(self.sources())
    }

    /// Of how many sources the model file holds digests, and which they are.
    pub(super) fn digested_sources(&self) -> Option<(String, String)> {
        let names: BTreeSet<&str> = self.training().sources.iter().map(|held| held.source.as_str()).collect();
        (!names.is_empty()).then(|| (words::counted(names.len(), "source", "sources"), listed(names)))
    }

    /// The sources that say which part somebody played.
    pub(super) fn sources_with_roles(&self) -> Option<String> {
        let files = self.project.map_or(&[][..], |project| &project.sources);
        let names: BTreeSet<&str> =
            files.iter().filter(|file| file.columns.role.is_some()).map(|file| file.name.as_str()).collect();
        (!names.is_empty()).then(|| listed(names))
    }

    /// What the model reads when it scores: the records of features that play a part.
    pub(super) fn read_by_model(&self) -> String {
        let used = self.features().iter().filter(|feature| is_used(self.candidate(), feature));
        let names: BTreeSet<String> = used.map(labels::source).collect();
        words::listed(&names.into_iter().collect::<Vec<_>>())
    }

    /// Whether the project asks for other features than the model has, whatever their order and reasons.
    pub(super) fn differs_from_project(&self) -> bool {
        let in_order = |features: &[Feature]| {
            let mut features: Vec<Feature> =
                features.iter().map(|feature| Feature { why: None, ..feature.clone() }).collect();
            features.sort_by(|a, b| a.name.cmp(&b.name));
            features
        };
        let asked = self.project.and_then(|project| project.features().ok());
        asked.is_some_and(|asked| in_order(asked.features()) != in_order(self.features()))
    }

    /// What is to be said where age, which the Equality Act names, is a feature of the model.
    pub(super) fn on_age(&self) -> &'static str {
        let mut used = self.features().iter().filter(|feature| is_used(self.candidate(), feature));
        if used.any(|feature| feature.measure == Measure::Age) {
            "Age is a protected characteristic, too, and is a feature of this model: it goes into scores. Its use is for \
             people to justify."
        } else {
            ""
        }
    }

    /// For how many cases features have no value: missing, or not covered.
    pub(super) fn covered(&self) -> Blocks {
        let training = self.training();
        let counted = |share: f64| (share * training.rows as f64).round() as u64;
        let gaps: Vec<Vec<Cell>> = training
            .ranges
            .iter()
            .map(|range| (&range.feature, counted(range.missing + range.not_covered)))
            .filter(|(_, cases)| *cases >= 10)
            .map(|(name, cases)| vec![Cell::text(labels::label(self.candidate(), name)), Cell::Count(cases)])
            .collect();
        let all = words::count(training.rows);
        if gaps.is_empty() {
            return Blocks(vec![Block::text(format!(
                "Every feature had a value for all but fewer than 10 of the {all} cases."
            ))]);
        }
        let text = format!(
            "Of the {all} cases that the model learnt from, these had no value for a feature. Features that are not in the \
             table had one for all cases but fewer than 10. What is missing and what a source does not cover are kept apart \
             from zero."
        );
        let heads = ["Feature", "Cases without a value (missing or not covered)"];
        Blocks(vec![Block::text(text), Block::table(heads, gaps)])
    }
}

/// Names in plain words, one after the other.
fn listed<'n>(names: impl IntoIterator<Item = &'n str>) -> String {
    words::listed(&names.into_iter().map(words::plain).collect::<Vec<_>>())
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

/// Which of the data are sensitive, and where each source goes.
impl Known<'_> {
    /// Which of the data may be sensitive, by their names; and the characteristics that are held for audit.
    pub(super) fn sensitive(&self) -> Blocks {
        let mut blocks = Vec::new();
        let found: Vec<String> = self
            .sources()
            .into_iter()
            .filter_map(|name| Some(format!("{}: {}", words::plain(name), suggested(name)?)))
            .collect();
        if !found.is_empty() {
            blocks.push(Block::text("By their names, these sources hold or may hold sensitive data:"));
            blocks.push(Block::list(found));
        }
        blocks.push(Block::text(self.held_for_audit()));
        blocks.push(Block::text(self.on_age()));
        Blocks(blocks)
    }

    /// The protected characteristics, held and not held.
    fn held_for_audit(&self) -> String {
        let columns = self.project.and_then(|project| project.protected.as_ref()).map(|file| &file.columns);
        let held = columns.map_or(&self.training().protected, |columns| &columns.characteristics);
        if held.is_empty() {
            return "No protected characteristic is held, not even for fairness checks. That spares data, and leaves unknown \
                    how the lists treat groups."
                .to_owned();
        }
        let named = |name: &&String| match suggested(name) {
            Some(is) => format!("{} ({is})", words::plain(name)),
            None => words::plain(name),
        };
        let in_order =
            |names: &'_ [String]| names.iter().collect::<BTreeSet<_>>().iter().map(named).collect::<Vec<_>>();
        let names = words::listed(&in_order(held));
        let apart = "They are kept in a file of their own and are never read to make a score. They serve fairness checks, and \
                     mitigation where a project asks for it (it is off by default)";
        match columns {
            Some(columns) if !columns.not_held.is_empty() => {
                let lacking: BTreeSet<&str> = columns.not_held.iter().map(String::as_str).collect();
                format!(
                    "Held for audit: {names}. {apart}. Not held, and so not measurable: {}.",
                    listed(lacking)
                )
            }
            Some(_) => format!("Held for audit: {names}. {apart}."),
            None => format!("Held for audit, or named as not held: {names}. {apart}."),
        }
    }

    /// What becomes of each source: what it is read for, and by how many features.
    pub(super) fn flows(&self) -> Block {
        let heads = [
            "Source",
            "Features that play a part",
            "Features that play none",
            "Other use",
            "Columns that are read",
        ];
        let count = |source: &str, used: bool| {
            let fits = |feature: &&Feature| {
                feature.records.source == source && is_used(self.candidate(), feature) == used
            };
            self.features().iter().filter(fits).count() as u64
        };
        let row = |source: &str| {
            let file =
                self.project.and_then(|project| project.sources.iter().find(|file| file.name == source));
            let other = self.other_uses(source);
            vec![
                Cell::text(words::plain(source)),
                Cell::Count(count(source, true)),
                Cell::Count(count(source, false)),
                Cell::text(if other.is_empty() { "none".to_owned() } else { other.join("; ") }),
                Cell::text(file.map_or_else(
                    || "not known without the project file".to_owned(),
                    |file| columns(&file.columns).join(", "),
                )),
            ]
        };
        let mut rows: Vec<Vec<Cell>> = self.sources().into_iter().map(row).collect();
        if let Some(project) = self.project {
            rows.extend(lists_of_people(project, count(PEOPLE, true), count(PEOPLE, false)));
        }
        Block::table(heads, rows)
    }

    /// What a source is read for beside features.
    fn other_uses(&self, source: &str) -> Vec<&'static str> {
        let is_in = |selectors: &[Selector]| selectors.iter().any(|records| records.source == source);
        let (outcome, rules) = (self.candidate().outcome(), self.candidate().cohort());
        let mut uses = Vec::new();
        if is_in(&outcome.records) {
            uses.push("the outcome");
        }
        if outcome.follow_up.during.as_ref().is_some_and(|records| records.source == source) {
            uses.push("how long a case is followed");
        }
        if rules.selectors().any(|(selector, _)| selector.source == source) {
            uses.push("who is asked about");
        }
        let is_known_by = |project: &Project| project.known_to.iter().any(|known| is_in(&known.records));
        if self.project.is_some_and(is_known_by) {
            uses.push("whom a service is working with already");
        }
        let is_roster = |file: &SourceFile| file.coverage.roster.as_deref() == Some(source);
        if self.project.is_some_and(|project| project.sources.iter().any(is_roster)) {
            uses.push("whom another source covers");
        }
        uses
    }

    /// What could be left out without changing a score: sources that feed nothing, features that play no
    /// part, columns that nothing reads.
    pub(super) fn needless(&self) -> Vec<(&'static str, Vec<String>)> {
        let is_used = |feature: &Feature| is_used(self.candidate(), feature);
        // Of the features of a source whether any plays a part; nothing where it has no feature.
        let feeds = |source: &str| {
            self.features()
                .iter()
                .filter(|held| held.records.source == source)
                .map(is_used)
                .reduce(|a, b| a || b)
        };
        let free = |wanted: Option<bool>| -> Vec<String> {
            let sources = self.sources().into_iter();
            let found =
                sources.filter(|source| feeds(source) == wanted && self.other_uses(source).is_empty());
            found.map(words::plain).collect()
        };
        let unused = self.features().iter().filter(|feature| !is_used(feature));
        let columns = self.project.map_or_else(Vec::new, |project| idle_columns(self.candidate(), project));
        vec![
            ("Sources that feed no feature and serve no other use", free(None)),
            ("Sources of which only features are made that play no part", free(Some(false))),
            (
                "Features that play no part in the model",
                unused.map(|feature| feature.label.clone()).collect(),
            ),
            ("Columns that are read and that nothing uses", columns),
        ]
    }
}

/// The list of people, the households, and the protected characteristics.
fn lists_of_people(project: &Project, used: u64, unused: u64) -> Vec<Vec<Cell>> {
    let mut rows = Vec::new();
    for (nth, file) in project.identities.iter().enumerate() {
        let number = if project.identities.len() > 1 { format!(" {}", nth + 1) } else { String::new() };
        let mut columns: Vec<String> = file.columns.named().into_iter().map(str::to_owned).collect();
        columns.sort();
        columns.dedup();
        rows.push(vec![
            Cell::text(format!("whose id is whose{number}")),
            Cell::Count(0),
            Cell::Count(0),
            Cell::text("which records are one person's"),
            Cell::text(columns.join(", ")),
        ]);
    }
    if let Some(people) = &project.people {
        let columns: Vec<String> = {
            let held = &people.columns;
            let dates = held.date_of_birth.iter().chain(&held.died).chain(&held.left);
            held.person.iter().chain(dates).cloned().collect()
        };
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
        let columns: Vec<String> = protected
            .columns
            .entity
            .iter()
            .cloned()
            .chain(sorted(&protected.columns.characteristics))
            .collect();
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

/// The columns that are read of a source, each with what it is.
fn columns(held: &EventColumns) -> Vec<String> {
    let mut columns: Vec<String> = held.entity.iter().map(|name| format!("{name} (whose)")).collect();
    let mut push = |name: &str, is: &str| columns.push(format!("{name} ({is})"));
    match &held.kind {
        Kind::Column(name) => push(name, "kind"),
        Kind::FileName(_) => push("name of the file", "kind"),
        Kind::ByDates(by) => {
            push(&by.column, "kind, by which is later");
            push(&by.after, "kind, by which is later");
        }
        Kind::Constant(_) => {}
    }
    push(&held.occurred, "when");
    match &held.known {
        KnownOn::Column(name) => push(name, "when known"),
        KnownOn::FileName(_) => push("name of the file", "when known"),
        KnownOn::LagDays(_) => {}
    }
    let optional = [
        (&held.ended, "when ended"),
        (&held.ended_known, "when its end was known"),
        (&held.value, "number"),
        (&held.of, "what the number is a part of"),
        (&held.role, "part played"),
        (&held.reference, "record number"),
        (&held.incident, "incident number"),
        (&held.link_probability, "how sure the link is"),
    ];
    for (name, is) in optional {
        if let Some(name) = name {
            push(name, is);
        }
    }
    for name in sorted(&held.categories) {
        push(&name, "category");
    }
    columns
}

fn sorted(names: &[String]) -> Vec<String> {
    names.iter().cloned().collect::<BTreeSet<_>>().into_iter().collect()
}

/// Roles, numbers and categories that are mapped and that neither features nor outcome nor cohort look at.
fn idle_columns(candidate: &Candidate, project: &Project) -> Vec<String> {
    let features = candidate.features().features();
    let (outcome, rules) = (candidate.outcome(), candidate.cohort());
    let mut selectors: BTreeMap<&str, Vec<&Selector>> = BTreeMap::new();
    let of_features = features.iter().map(|feature| &feature.records);
    let of_rules = outcome
        .records
        .iter()
        .chain(&outcome.follow_up.during)
        .chain(rules.selectors().map(|(held, _)| held))
        .chain(project.known_to.iter().flat_map(|known| &known.records));
    for selector in of_features.chain(of_rules) {
        selectors.entry(&selector.source).or_default().push(selector);
    }
    let mut idle = Vec::new();
    let sources: BTreeMap<&str, &SourceFile> =
        project.sources.iter().map(|source| (source.name.as_str(), source)).collect();
    for source in sources.into_values() {
        let asked = selectors.get(source.name.as_str()).map_or(&[][..], Vec::as_slice);
        let measures = || features.iter().filter(|feature| feature.records.source == source.name);
        let mut push = |column: &str| idle.push(format!("{}: {column}", words::plain(&source.name)));
        if let Some(role) = &source.columns.role
            && asked.iter().all(|selector| selector.roles.is_empty())
        {
            push(role);
        }
        if let Some(value) = &source.columns.value
            && !measures().any(|feature| feature.measure.needs_value())
        {
            push(value);
        }
        if let Some(of) = &source.columns.of
            && !measures().any(|feature| feature.measure == Measure::Share)
        {
            push(of);
        }
        for category in sorted(&source.columns.categories) {
            let selected = asked.iter().any(|selector| selector.categories.contains_key(&category));
            let counted = measures().any(|feature| feature.measure.category() == Some(&category));
            if !selected && !counted {
                push(&category);
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
