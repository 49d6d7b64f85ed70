//! Where ids come in: each table's ids become those of the people they stand for, and pseudonyms where there is a key.

use super::column::{Column, NO_DAY};
use super::dictionary::{Dictionary, IdParts, LINKED_TWICE, NONE, UNKNOWN, UNLINKED, encode_ids};
use super::identities::Identities;
use super::links::Link;
use crate::error::RecordsError;

/// The people so far, and what every table's ids go through.
pub(super) struct Ids<'a> {
    pub(super) people: Dictionary,
    /// There is a list of people, and nobody else is taken in.
    pub(super) are_listed: bool,
    pub(super) identities: &'a Identities,
    /// Pseudonyms made, each with its id, where they are to be kept.
    pub(super) way_back: Vec<(String, Box<str>)>,
}

impl<'a> Ids<'a> {
    pub(super) fn new(identities: &'a Identities, are_listed: bool) -> Self {
        Self { people: Dictionary::default(), are_listed, identities, way_back: Vec::new() }
    }

    /// The same people, for a source that is read at the same time as others and adds nobody.
    pub(super) fn apart(&self) -> Self {
        Self {
            people: self.people.clone(),
            are_listed: true,
            identities: self.identities,
            way_back: Vec::new(),
        }
    }
}

/// Where the ids of one table come in.
pub(super) struct Entrance<'i> {
    identities: &'i Identities,
    /// The system whose ids the table has; none where they are people's own.
    system: Option<usize>,
    /// Nothing is to be done with the ids.
    is_plain: bool,
    parts: IdParts,
    of_households: IdParts,
    /// The ids as the table has them, and for each of them whose it is.
    written: Dictionary,
    whose: Vec<Vec<Whose>>,
    /// Pseudonyms made, each with its id.
    way_back: Vec<(String, Box<str>)>,
}

/// A person that an id stands for, as [`Link`] says it, by the person's code.
struct Whose {
    code: u32,
    /// Tells people apart that have no code, because they are not on the list.
    nth: usize,
    link: Link,
}

/// The ids of some rows.
pub(super) struct Entered {
    /// The code of each row's person, or why there is none.
    pub(super) person: Vec<u32>,
    /// How sure each link is, where tables say whose an id is.
    pub(super) link: Option<Vec<f64>>,
    /// The day from which it is known whose each id is, where ids were merged from a day on.
    pub(super) known: Option<Vec<i32>>,
    /// A number for each id as it is written, where that may not be the person's.
    pub(super) written: Option<Vec<u32>>,
}

impl<'i> Entrance<'i> {
    pub(super) fn new(
        identities: &'i Identities,
        of: &str,
        system: Option<&str>,
    ) -> Result<Self, RecordsError> {
        let system = system.map(|name| identities.system(of, name)).transpose()?;
        let is_plain = system.is_none() && identities.key().is_none() && !identities.merges.reach(None);
        Ok(Self {
            identities,
            system,
            is_plain,
            parts: IdParts::default(),
            of_households: IdParts::default(),
            written: Dictionary::default(),
            whose: Vec::new(),
            way_back: Vec::new(),
        })
    }

    /// Whether it may be known only later than the record whose it is.
    pub(super) fn delays(&self) -> bool {
        self.identities.merges.has_days(self.system)
    }

    /// The people whom the ids of some rows stand for, on each row's own day where it has one. Without `grow` only those that
    /// are in `people` already.
    pub(super) fn enter(
        &mut self,
        people: &mut Dictionary,
        (cells, rows): (&[&Column], usize),
        days: Option<&[i32]>,
        grow: bool,
    ) -> Entered {
        if self.is_plain {
            let person = encode_ids(people, &mut self.parts, cells, rows, grow);
            return Entered { person, link: None, known: None, written: None };
        }
        let written = encode_ids(&mut self.written, &mut self.parts, cells, rows, true);
        for code in self.whose.len()..self.written.len() {
            let links = self.identities.whose(self.system, self.written.text(code as u32));
            let whose = self.coded(links, people, grow);
            self.whose.push(whose);
        }
        let mut person = Vec::with_capacity(rows);
        let mut link = self.system.map(|_| Vec::with_capacity(rows));
        let mut known = self.delays().then(|| Vec::with_capacity(rows));
        for (row, &code) in written.iter().enumerate() {
            let whose = if code == NONE { &[][..] } else { &self.whose[code as usize] };
            let day = days.map(|days| days[row]).filter(|&day| day != NO_DAY);
            let (chosen, probability, since) = choose(whose, day);
            person.push(if code == NONE { NONE } else { chosen });
            if let Some(link) = &mut link {
                link.push(probability);
            }
            if let Some(known) = &mut known {
                known.push(since);
            }
        }
        Entered { person, link, known, written: Some(written) }
    }

    /// The households of some rows.
    pub(super) fn enter_households(
        &mut self,
        households: &mut Dictionary,
        (cells, rows): (&[&Column], usize),
    ) -> Vec<u32> {
        let Some(key) = self.identities.key() else {
            return encode_ids(households, &mut self.of_households, cells, rows, true);
        };
        let mut written = Dictionary::default();
        let codes = encode_ids(&mut written, &mut IdParts::default(), cells, rows, true);
        let made: Vec<u32> = (0..written.len() as u32)
            .map(|code| {
                let id = written.text(code);
                let pseudonym = key.of_household(id);
                let code = households.intern(&pseudonym);
                if self.identities.keeps_way_back() {
                    self.way_back.push((pseudonym, id.into()));
                }
                code
            })
            .collect();
        codes.into_iter().map(|code| if code == NONE { NONE } else { made[code as usize] }).collect()
    }

    /// The pseudonyms that were made, each with its id; none unless they are to be kept.
    pub(super) fn way_back(self) -> Vec<(String, Box<str>)> {
        self.way_back
    }

    fn coded(&mut self, links: Vec<Link>, people: &mut Dictionary, grow: bool) -> Vec<Whose> {
        let texts: Vec<Box<str>> = links.iter().map(|link| link.person.clone()).collect();
        let code = |link: Link| {
            let nth = texts.iter().position(|text| *text == link.person).unwrap_or_default();
            let pseudonym = self.identities.key().map(|key| key.of_person(&link.person));
            let text = pseudonym.as_deref().unwrap_or(&link.person);
            let code = if grow { people.intern(text) } else { people.find(text).unwrap_or(UNKNOWN) };
            if let (Some(pseudonym), true) = (pseudonym, self.identities.keeps_way_back()) {
                self.way_back.push((pseudonym, link.person.clone()));
            }
            Whose { code, nth, link }
        };
        links.into_iter().map(code).collect()
    }
}

/// Of the people that an id stands for the one of a day, how sure that is, and since when it is known. Without a day it has to
/// be one person for all time.
fn choose(whose: &[Whose], day: Option<i32>) -> (u32, f64, i32) {
    let holds = |whose: &&Whose| day.is_none_or(|day| (whose.link.from..whose.link.to).contains(&day));
    let mut held = whose.iter().filter(holds);
    let Some(first) = held.next() else { return (UNLINKED, 0.0, i32::MIN) };
    let (mut probability, mut known) = (first.link.probability, first.link.known);
    for other in held {
        if other.nth != first.nth {
            return (LINKED_TWICE, 0.0, i32::MIN);
        }
        probability = probability.max(other.link.probability);
        known = known.min(other.link.known);
    }
    (first.code, probability, known)
}
