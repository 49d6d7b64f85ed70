//! Which records of a source are meant: kinds, roles and categories.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::codes::UnlistedCodes;
use super::events::{EventTable, Role};
use super::header::nearest;
use super::{Records, Source};
use crate::error::SpecError;

/// Which records of one source are meant. What is left empty does not narrow.
///
/// # Examples
/// ```
/// use earlyhelp::records::{Role, Selector};
///
/// let harmed = Selector::source("police").kind("police_incident").role(Role::Victim);
/// assert_eq!(harmed.source, "police");
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Selector {
    /// The source.
    pub source: String,
    /// Only these kinds, each written as the source has it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub kinds: Vec<String>,
    /// Only these roles.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub roles: Vec<Role>,
    /// Only records whose category (a column that the mapping keeps) is one of the values.
    #[serde(default, rename = "where", skip_serializing_if = "BTreeMap::is_empty")]
    pub categories: BTreeMap<String, Vec<String>>,
    /// Whether there may be no such record yet. A model is not trained on records of which there is none, since
    /// a misspelt name would look the same; this says that such records are expected later.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub optional: bool,
}

impl Selector {
    /// All records of a source.
    pub fn source(name: impl Into<String>) -> Self {
        Self { source: name.into(), ..Self::default() }
    }

    /// Also (or only) records of this kind.
    #[must_use]
    pub fn kind(mut self, kind: impl Into<String>) -> Self {
        self.kinds.push(kind.into());
        self
    }

    /// Also (or only) records with this role.
    #[must_use]
    pub fn role(mut self, role: Role) -> Self {
        self.roles.push(role);
        self
    }

    /// Also (or only) records with this value of a category.
    #[must_use]
    pub fn category(mut self, column: impl Into<String>, value: impl Into<String>) -> Self {
        self.categories.entry(column.into()).or_default().push(value.into());
        self
    }

    /// There may be no such record yet.
    #[must_use]
    pub fn optional(mut self) -> Self {
        self.optional = true;
        self
    }

    /// Looks the names up in the records. `of` says in errors whose selector it is. A name that no record has
    /// matches nothing here: see [`Selector::check`].
    pub(crate) fn resolve(&self, records: &Records, of: &str) -> Result<Selection, SpecError> {
        let Some(index) = records.source_index(&self.source) else {
            let names = records.sources().map(|(name, ..)| name);
            let nearest = nearest(names, &self.source);
            return Err(SpecError::NoSource {
                of: of.to_owned(),
                source_name: self.source.clone(),
                nearest: nearest.map_or_else(String::new, |name| format!("; did you mean \"{name}\"?")),
            });
        };
        let source = records.source_at(index);
        let kinds = (!self.kinds.is_empty())
            .then(|| source.kinds.iter().map(|kind| self.kinds.iter().any(|k| **k == **kind)).collect());
        let roles = (!self.roles.is_empty()).then(|| Role::ALL.map(|role| self.roles.contains(&role)));
        let categories = self
            .categories
            .iter()
            .map(|(column, wanted)| {
                let place = category_place(source, column, of)?;
                let values = &source.categories[place].1;
                Ok((place, values.iter().map(|value| wanted.iter().any(|w| **w == **value)).collect()))
            })
            .collect::<Result<_, SpecError>>()?;
        Ok(Selection { source: index, kinds, roles, categories })
    }
}

impl Selector {
    /// Refuses a selector of which a name, or all together, matches no record: a feature of it would be zero
    /// for everybody, an exclusion would leave nobody out, an outcome would come about for nobody, and
    /// nothing would show it.
    ///
    /// Records of any date count. This is asked where a model is made; later a month may well be without one
    /// of the kinds.
    pub(crate) fn check(&self, records: &Records, of: &str) -> Result<(), SpecError> {
        let selection = self.resolve(records, of)?;
        if self.optional {
            return Ok(());
        }
        let source = records.source_at(selection.source);
        let (of, source_name) = (of.to_owned(), source.name.clone());
        if source.shape().rows == 0 {
            return Err(SpecError::NoRecords { of, source_name });
        }
        if let Some((what, wanted, held)) = self.not_held(source) {
            let nearest = held.nearest(wanted);
            return Err(SpecError::NoValue {
                of,
                source_name,
                what,
                wanted: wanted.to_owned(),
                nearest: nearest.map_or_else(String::new, |name| format!("; did you mean \"{name}\"?")),
                held: held.to_string(),
            });
        }
        let events = source.events();
        if (0..events.rows()).any(|row| selection.matches(&events, row)) {
            Ok(())
        } else {
            Err(SpecError::NeverTogether { of, source_name })
        }
    }

    /// Refuses codes of a category that no such record has, and records with a code that is none of these: a model would
    /// have learnt nothing of it.
    pub(crate) fn check_codes(
        &self,
        records: &Records,
        of: &str,
        (category, codes): (&str, &[String]),
    ) -> Option<SpecError> {
        let fault = || {
            let selection = self.resolve(records, of)?;
            let source = records.source_at(selection.source);
            let place = category_place(source, category, of)?;
            let events = source.events();
            let (names, held) = (&source.categories[place].1, &events.categories[place]);
            let is_other = |name: &str| !codes.iter().any(|code| code == name);
            let read = (0..held.len()).filter(|&row| selection.matches(&events, row));
            let read = read.map(|row| held[row] as usize);
            let others =
                Held::of(names, read.filter(|&code| names.get(code).is_some_and(|name| is_other(name))));
            if !others.names.is_empty() {
                let why = format!(
                    "records of source {} have a {category} that is not among its codes: {}; add what is missing to `codes`, \
                     or bring it under one of them with a list of codes",
                    source.name,
                    others.common()
                );
                return Err(SpecError::Invalid { of: of.to_owned(), why });
            }
            codes.iter().try_for_each(|code| self.clone().category(category, code).check(records, of))
        };
        fault().err()
    }

    /// The first name that no record of the source has: what it is a name of, and the names that there are.
    fn not_held<'s>(&'s self, source: &Source) -> Option<(String, &'s str, Held)> {
        let events = source.events();
        let lacks = |wanted: &&String, names: &[Box<str>]| !names.iter().any(|name| **name == ***wanted);
        if let Some(kind) = self.kinds.iter().find(|kind| lacks(kind, &source.kinds)) {
            let held = Held::of(&source.kinds, events.kind.iter().map(|&kind| usize::from(kind)));
            return Some(("kind".to_owned(), kind, held));
        }
        let has_role = |role: Role| (0..events.rows()).any(|row| events.role(row) == role);
        if let Some(role) = self.roles.iter().find(|role| !has_role(**role)) {
            let names = Role::ALL.map(|role| Box::from(role.name()));
            let held = Held::of(&names, (0..events.rows()).map(|row| events.role(row) as usize));
            return Some(("role".to_owned(), role.name(), held));
        }
        self.categories.iter().find_map(|(column, wanted)| {
            let place = source.categories.iter().position(|(name, _)| name == column)?;
            let (_, names) = &source.categories[place];
            let value = wanted.iter().find(|value| lacks(value, names))?;
            let held = Held::of(names, events.categories[place].iter().map(|&code| code as usize));
            Some((format!("value of {column}"), value.as_str(), held))
        })
    }
}

/// A column of more values may be free text, or ids: none of it is shown.
pub(crate) const MOST_NAMES: usize = 50;

/// The names that a source has, with how many records have each, the commonest first.
struct Held {
    names: Vec<(String, u64)>,
}

impl Held {
    /// Names shown in an error: what fits on a few lines.
    const SHOWN: usize = 12;

    fn of(names: &[Box<str>], codes: impl Iterator<Item = usize>) -> Self {
        let mut counts = vec![0; names.len()];
        // A record without a value has a code beyond all names.
        codes.filter(|&code| code < names.len()).for_each(|code| counts[code] += 1);
        let mut names: Vec<(String, u64)> =
            names.iter().map(ToString::to_string).zip(counts).filter(|(_, count)| *count > 0).collect();
        names.sort_by(|(a, many), (b, others)| others.cmp(many).then_with(|| a.cmp(b)));
        Self { names }
    }

    /// Those that at least [`UnlistedCodes::FEWEST`] records have; rarer ones, which may be free text, are counted.
    fn common(&self) -> String {
        let is_common = |(_, count): &&(String, u64)| *count >= UnlistedCodes::FEWEST;
        let names: Vec<(String, u64)> = self.names.iter().filter(is_common).cloned().collect();
        match (names.len(), self.names.len() - names.len()) {
            (_, 0) => self.to_string(),
            (0, rare) => format!(
                "{rare} with fewer than {} records each, which may be free text",
                UnlistedCodes::FEWEST
            ),
            (_, rare) => format!(
                "{}, and {rare} more with fewer than {} records each, which may be free text",
                Self { names },
                UnlistedCodes::FEWEST
            ),
        }
    }

    /// The name that was most likely meant, if one is near.
    fn nearest(&self, wanted: &str) -> Option<&str> {
        let plain = |text: &str| text.trim().to_lowercase();
        let wanted = plain(wanted);
        let names = || self.names.iter().map(|(name, _)| name.as_str());
        if let Some(same) = names().find(|name| plain(name) == wanted) {
            return Some(same);
        }
        if self.names.len() > MOST_NAMES {
            return None;
        }
        let within = |name: &&str| {
            let name = plain(name);
            wanted.len() > 2 && name.len() > 2 && (name.contains(&wanted) || wanted.contains(&name))
        };
        names().find(within).or_else(|| {
            names()
                .map(|name| (strsim::normalized_damerau_levenshtein(&plain(name), &wanted), name))
                .filter(|&(near, _)| near >= 0.6)
                .max_by(|(a, _), (b, _)| a.total_cmp(b))
                .map(|(_, name)| name)
        })
    }
}

impl std::fmt::Display for Held {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.names.len() {
            0 => f.write_str("it has none at all"),
            many if many > MOST_NAMES => write!(f, "it has {many} different ones, too many to list"),
            many => {
                let shown: Vec<String> = self
                    .names
                    .iter()
                    .take(Self::SHOWN)
                    .map(|(name, count)| format!("\"{name}\" ({count})"))
                    .collect();
                write!(f, "there are {}", shown.join(", "))?;
                if many > Self::SHOWN {
                    write!(f, " and {} more", many - Self::SHOWN)?;
                }
                Ok(())
            }
        }
    }
}

/// The place of a category column among those that the source keeps.
pub(crate) fn category_place(source: &Source, column: &str, of: &str) -> Result<usize, SpecError> {
    source.categories.iter().position(|(name, _)| name == column).ok_or_else(|| SpecError::NoCategory {
        of: of.to_owned(),
        source_name: source.name.clone(),
        column: column.to_owned(),
    })
}

/// A selector with its names looked up.
#[derive(Debug, Clone)]
pub(crate) struct Selection {
    pub(crate) source: usize,
    kinds: Option<Vec<bool>>,
    roles: Option<[bool; 4]>,
    categories: Vec<(usize, Vec<bool>)>,
}

impl Selection {
    pub(crate) fn takes_kind(&self, kind: u16) -> bool {
        self.kinds.as_ref().is_none_or(|kinds| kinds[usize::from(kind)])
    }

    #[inline]
    pub(crate) fn matches(&self, events: &EventTable, row: usize) -> bool {
        self.kinds.as_ref().is_none_or(|kinds| kinds[usize::from(events.kind[row])])
            && self.matches_beside_kind(events, row)
    }

    /// The same of a row whose [kind is one of those taken](Selection::takes_kind).
    #[inline]
    pub(crate) fn matches_beside_kind(&self, events: &EventTable, row: usize) -> bool {
        self.roles.is_none_or(|roles| roles[events.role(row) as usize])
            && self.categories.iter().all(|(place, wanted)| {
                wanted.get(events.categories[*place][row] as usize).copied().unwrap_or(false)
            })
    }
}

#[cfg(test)]
mod tests {
    use polars::df;

    use super::*;
    use crate::records::{Extract, SourceMapping};

    fn records() -> Records {
        let rows = df!(
            "who" => ["a", "b", "b", "c"],
            "kind" => ["6: Police", "6: Police", "Arrears", "Arrears"],
            "on" => ["2024-01-05", "2024-05-01", "2024-02-01", "2024-02-01"],
            "part" => ["victim", "victim", "subject", "subject"],
            "place" => ["north", "south", "south", "south"],
        )
        .unwrap();
        let many: Vec<String> = (0..60).map(|number| format!("word {number}")).collect();
        let notes = df!("who" => vec!["a"; 60], "on" => vec!["2024-01-05"; 60], "note" => many).unwrap();
        let mapping = SourceMapping::new("contacts", "who", "", "on").kind_column("kind").role("part");
        let nothing = df!("who" => Vec::<String>::new(), "on" => Vec::<String>::new()).unwrap();
        Records::builder()
            .source(mapping.category("place"), Extract::frame(rows))
            .source(SourceMapping::new("notes", "who", "note", "on").category("note"), Extract::frame(notes))
            .source(SourceMapping::new("empty", "who", "visit", "on"), Extract::frame(nothing))
            .build()
            .unwrap()
    }

    fn refused(selector: &Selector) -> String {
        selector.check(&records(), "feature f").unwrap_err().to_string()
    }

    #[test]
    fn a_name_that_no_record_has_is_an_error_that_says_which_there_are() {
        let contacts = || Selector::source("contacts");
        assert!(contacts().kind("6: Police").role(Role::Victim).check(&records(), "").is_ok());
        for (wanted, nearest) in [("Police", "6: Police"), ("arrears", "Arrears"), ("Arears", "Arrears")] {
            let told = refused(&contacts().kind("6: Police").kind(wanted));
            assert!(told.starts_with("feature f: no record of source contacts has the kind"), "{told}");
            assert!(told.contains(&format!("did you mean \"{nearest}\"?")), "{told}");
            assert!(told.contains("\"6: Police\" (2)") && told.contains("\"Arrears\" (2)"), "{told}");
        }
        let told = refused(&contacts().category("place", "zzz"));
        assert!(told.contains("value of place \"zzz\"") && told.contains("\"south\" (3)"), "{told}");
        assert!(!told.contains("did you mean"), "{told}");
        assert!(refused(&contacts().role(Role::Suspect)).contains("\"victim\" (2)"));
        assert!(contacts().kind("Police").optional().check(&records(), "").is_ok());
    }

    #[test]
    fn names_that_never_stand_together_are_an_error() {
        let told = refused(&Selector::source("contacts").kind("Arrears").category("place", "north"));
        assert!(told.contains("never together"), "{told}");
        assert!(refused(&Selector::source("empty")).contains("holds no record"));
    }

    #[test]
    fn what_may_be_free_text_is_not_listed() {
        let told = refused(&Selector::source("notes").category("note", "word"));
        assert!(told.contains("60 different ones") && !told.contains("word 1"), "{told}");
        // What the project wrote itself, in other letters, tells nothing.
        assert!(refused(&Selector::source("notes").category("note", "WORD 1")).contains("\"word 1\""));
    }
}
