//! Who there is, and who lived with whom, when.

use std::sync::Arc;

use sha2::{Digest as _, Sha256};

use super::column::NO_DAY;
use super::dictionary::NONE;
use super::reject::{Remark, RemarkKind};
use crate::calendar::{AsOf, Day};
use crate::error::RecordsError;

/// The people of the records, in the order of their ids.
#[derive(Debug, Clone)]
pub(crate) struct People {
    pub(crate) ids: Arc<[Box<str>]>,
    /// Days since 1970-01-01; [`NO_DAY`] where unknown.
    pub(super) born: Vec<i32>,
    pub(super) partings: Partings,
    /// For each person the lowest-numbered person of the family: everybody who ever shared a household,
    /// directly or through others. Splits keep a family whole.
    pub(crate) family: Vec<u32>,
}

impl People {
    pub(crate) fn len(&self) -> usize {
        self.ids.len()
    }

    /// Of ids and dates of birth, and of who had died or left by a date as was known then.
    pub(super) fn digest(&self, as_of: AsOf) -> String {
        let mut hash = Sha256::new();
        for (id, born) in self.ids.iter().zip(&self.born) {
            hash.update((id.len() as u64).to_le_bytes());
            hash.update(id.as_bytes());
            hash.update(born.to_le_bytes());
        }
        for (nth, days) in [&self.partings.died, &self.partings.left].into_iter().enumerate() {
            for (person, day) in days.iter().enumerate().filter(|(_, day)| has_come(**day, as_of)) {
                hash.update([nth as u8]);
                hash.update((person as u64).to_le_bytes());
                hash.update(day.to_le_bytes());
            }
        }
        hex::encode(hash.finalize())
    }

    /// The day of a person's death, in days since 1970-01-01.
    pub(crate) fn died(&self, person: u32) -> Option<i32> {
        self.partings.died.get(person as usize).copied().filter(|&day| day != NO_DAY)
    }

    /// The same of their leaving for good.
    pub(crate) fn left(&self, person: u32) -> Option<i32> {
        self.partings.left.get(person as usize).copied().filter(|&day| day != NO_DAY)
    }

    pub(crate) fn born(&self, person: u32) -> Option<Day> {
        Some(self.born[person as usize]).filter(|&day| day != NO_DAY).map(Day::from_epoch_days)
    }
}

/// On which days people died or left; both empty where nobody did.
#[derive(Debug, Clone, Default)]
pub(super) struct Partings {
    pub(super) died: Vec<i32>,
    pub(super) left: Vec<i32>,
}

/// Why a person is not there to be asked about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Gone {
    Died,
    Left,
}

fn has_come(day: i32, as_of: AsOf) -> bool {
    day != NO_DAY && as_of.sees(day)
}

/// Fewest days of death or leaving that have to be unusable for it to be the column that is wrong, and not a slip of the pen.
/// Below it `check` counts them and no more.
const FEWEST_UNUSABLE: u64 = 10;

impl Partings {
    /// Refuses a list of which a larger share of the days of death and leaving cannot be used than of a source's rows may be
    /// rejected: these people would count as being here. Of the days that there are, since most people have none.
    pub(super) fn check_limit(&self, remarks: &[Remark], limit: f64) -> Result<(), RecordsError> {
        let unusable = remarks.iter().filter(|remark| remark.kind == RemarkKind::PartingUnusable);
        let unusable: u64 = unusable.map(|remark| remark.rows).sum();
        let usable = self.died.iter().chain(&self.left).filter(|&&day| day != NO_DAY).count() as u64;
        let of = usable + unusable;
        if unusable >= FEWEST_UNUSABLE && unusable as f64 > limit * of as f64 {
            return Err(RecordsError::PartingsUnusable { unusable, of, limit: limit * 100.0 });
        }
        Ok(())
    }

    /// Whether the person had died or left by a date, as was known then: on the day itself nobody knows it yet.
    pub(super) fn gone(&self, person: u32, as_of: AsOf) -> Option<Gone> {
        let has = |days: &[i32]| days.get(person as usize).is_some_and(|&day| has_come(day, as_of));
        if has(&self.died) { Some(Gone::Died) } else { has(&self.left).then_some(Gone::Left) }
    }

    /// The same by the places that people have in the end; who has none is not on the list.
    pub(super) fn placed(self, place: &[u32], people: usize) -> Self {
        let put = |days: Vec<i32>| {
            let mut placed = if days.is_empty() { Vec::new() } else { vec![NO_DAY; people] };
            for (&place, day) in place.iter().zip(days) {
                placed[place as usize] = day;
            }
            placed
        };
        Self { died: put(self.died), left: put(self.left) }
    }
}

/// One person's time in one household.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Spell {
    pub(crate) person: u32,
    /// `i32::MIN` where there is no beginning.
    pub(crate) start: i32,
    pub(crate) household: u32,
    /// `i32::MAX` while it lasts.
    pub(crate) end: i32,
    pub(crate) lag: i32,
}

/// Who belonged to which household, when.
#[derive(Debug, Clone, Default)]
pub(crate) struct Households {
    pub(crate) ids: Arc<[Box<str>]>,
    /// Sorted, so by person and then by start.
    pub(super) spells: Vec<Spell>,
}

/// The households as they were known on one date.
#[derive(Debug)]
pub(crate) struct Residence {
    /// For each person their household, or [`NONE`].
    pub(crate) of_person: Vec<u32>,
    /// Members of household `h`: `members[starts[h]..starts[h + 1]]`, in order.
    starts: Vec<u32>,
    members: Vec<u32>,
}

impl Households {
    /// The households as known on a date. A person who is in two at once counts in the one joined last
    /// (of those joined on one day, the first by id).
    pub(super) fn at(&self, as_of: AsOf, people: usize) -> Residence {
        let mut of_person = vec![NONE; people];
        let mut since = vec![i32::MIN; people];
        let today = as_of.day().epoch_days();
        for spell in &self.spells {
            let begun = spell.start <= today
                && (spell.start == i32::MIN || as_of.sees(spell.start.saturating_add(spell.lag)));
            let over = spell.end <= today && as_of.sees(spell.end.saturating_add(spell.lag));
            let person = spell.person as usize;
            if begun && !over && (of_person[person] == NONE || spell.start > since[person]) {
                of_person[person] = spell.household;
                since[person] = spell.start;
            }
        }
        let mut starts = vec![0_u32; self.ids.len() + 1];
        for &household in of_person.iter().filter(|&&household| household != NONE) {
            starts[household as usize + 1] += 1;
        }
        for household in 0..self.ids.len() {
            starts[household + 1] += starts[household];
        }
        let mut next = starts.clone();
        let mut members = vec![0; starts.last().copied().unwrap_or(0) as usize];
        for (person, &household) in of_person.iter().enumerate() {
            if household != NONE {
                members[next[household as usize] as usize] = person as u32;
                next[household as usize] += 1;
            }
        }
        Residence { of_person, starts, members }
    }
}

impl Households {
    /// How many of a person's spells, but for the first, began on `since` or later and before the date, as far as that was
    /// known; one in the household of the spell before is no move.
    pub(super) fn moves(&self, as_of: AsOf, person: u32, since: i32) -> i32 {
        let first = self.spells.partition_point(|spell| spell.person < person);
        let own = self.spells[first..].iter().take_while(|spell| spell.person == person);
        let known: Vec<&Spell> = own
            .filter(|spell| {
                spell.start == i32::MIN
                    || spell.start < as_of.day().epoch_days()
                        && as_of.sees(spell.start.saturating_add(spell.lag))
            })
            .collect();
        let is_move = |pair: &&[&Spell]| pair[0].household != pair[1].household && pair[1].start >= since;
        known.windows(2).filter(is_move).count() as i32
    }
}

impl Residence {
    /// The household's members, in the order of their ids.
    pub(crate) fn members(&self, household: u32) -> &[u32] {
        let household = household as usize;
        &self.members[self.starts[household] as usize..self.starts[household + 1] as usize]
    }

    pub(super) fn digest(&self, people: &People, households: &[Box<str>]) -> String {
        let mut hash = Sha256::new();
        for (id, &household) in people.ids.iter().zip(&self.of_person) {
            if let Some(household) = households.get(household as usize) {
                for text in [id, household] {
                    hash.update((text.len() as u64).to_le_bytes());
                    hash.update(text.as_bytes());
                }
            }
        }
        hex::encode(hash.finalize())
    }

    /// Everybody else in the person's household.
    pub(crate) fn others(&self, person: u32) -> impl Iterator<Item = u32> {
        let members = match self.of_person[person as usize] {
            NONE => &[],
            household => self.members(household),
        };
        members.iter().copied().filter(move |&member| member != person)
    }
}

/// Joins everybody who ever shared a household; gives each person the lowest number in their family.
pub(super) fn families(people: usize, spells: &[Spell], households: usize) -> Vec<u32> {
    fn root(parent: &mut [u32], mut person: u32) -> u32 {
        while parent[person as usize] != person {
            parent[person as usize] = parent[parent[person as usize] as usize];
            person = parent[person as usize];
        }
        person
    }
    let mut parent: Vec<u32> = (0..people as u32).collect();
    let mut first_member = vec![NONE; households];
    for spell in spells {
        let first = &mut first_member[spell.household as usize];
        if *first == NONE {
            *first = spell.person;
            continue;
        }
        let (a, b) = (root(&mut parent, *first), root(&mut parent, spell.person));
        parent[a.max(b) as usize] = a.min(b);
    }
    (0..people as u32).map(|person| root(&mut parent, person)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spell(person: u32, household: u32, start: i32, end: i32) -> Spell {
        Spell { person, start, household, end, lag: 0 }
    }

    #[test]
    fn a_move_is_seen_only_once_it_is_known() {
        let households = Households {
            ids: Arc::from([Box::from("a"), Box::from("b")]),
            spells: vec![spell(0, 0, i32::MIN, 100), spell(0, 1, 100, i32::MAX), spell(1, 0, 5, i32::MAX)],
        };
        let at = |day| households.at(AsOf::new(Day::from_epoch_days(day)), 2);
        assert_eq!(at(100).of_person, vec![0, 0], "the move of day 100 is known from day 101 on");
        assert_eq!(at(101).of_person, vec![1, 0]);
        assert_eq!(at(100).others(0).collect::<Vec<_>>(), vec![1]);
        assert_eq!(at(101).others(0).count(), 0);
        assert_eq!(at(5).of_person, vec![0, NONE]);
    }

    #[test]
    fn a_family_is_everybody_who_ever_shared_a_household() {
        let spells =
            [spell(0, 0, 0, 9), spell(1, 0, 0, 9), spell(1, 1, 9, 20), spell(3, 1, 9, 20), spell(2, 2, 0, 9)];
        assert_eq!(families(5, &spells, 3), vec![0, 0, 2, 0, 4]);
    }
}
