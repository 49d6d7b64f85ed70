//! The rows of a test by group, with those groups held back that are too small to be shown.

use std::collections::BTreeMap;

use super::super::audit::{UNKNOWN, folded, held_back};
use super::super::people::RowPeople;
use super::super::protected::Characteristic;
use crate::error::EvaluateError;

/// A characteristic's groups, or why nothing can be said of it.
#[derive(Debug)]
pub(in crate::fairness) enum Grouped<'a> {
    Groups(Grouping<'a>),
    NotMeasurable(String),
}

/// A characteristic's groups by name, those not known last, and each row's group.
#[derive(Debug)]
pub(in crate::fairness) struct Grouping<'a> {
    pub(in crate::fairness) groups: Vec<Group<'a>>,
    /// For each row the place of its group.
    pub(in crate::fairness) of_row: Vec<u32>,
}

#[derive(Debug, Clone, Copy)]
pub(in crate::fairness) struct Group<'a> {
    pub(in crate::fairness) name: &'a str,
    pub(in crate::fairness) n: u64,
    /// Too small to be shown, or held back with one that is.
    pub(in crate::fairness) held: bool,
}

impl<'a> Grouped<'a> {
    /// Sorts `rows` rows into groups, and holds back as a fairness audit does.
    pub(in crate::fairness) fn of(
        characteristic: &Characteristic<'a>,
        (rows, people): (usize, &RowPeople),
        under: u32,
    ) -> Result<Self, EvaluateError> {
        let Characteristic::Held { name, groups } = characteristic else {
            return Ok(Self::NotMeasurable("the data do not hold it".to_owned()));
        };
        if groups.len() != rows {
            return Err(EvaluateError::LengthMismatch {
                what: format!("characteristic {name}"),
                expected: rows,
                found: groups.len(),
            });
        }
        if people.distinct(0..rows) < u64::from(under) {
            return Ok(Self::NotMeasurable(format!("there are under {under} people")));
        }
        // By what spellings have in common; named by the commonest, of equals the first in the alphabet.
        let folds: Vec<String> = groups.iter().map(|group| folded(*group)).collect();
        let mut spelt: BTreeMap<&str, BTreeMap<&'a str, u64>> = BTreeMap::new();
        for (fold, group) in folds.iter().zip(*groups) {
            *spelt.entry(fold).or_default().entry(group.unwrap_or(UNKNOWN)).or_default() += 1;
        }
        let unknown = spelt.remove(UNKNOWN);
        if spelt.is_empty() {
            return Ok(Self::NotMeasurable("it is not known for anybody".to_owned()));
        }
        let named = |spelt: &BTreeMap<&'a str, u64>| {
            spelt.iter().fold((UNKNOWN, 0), |best, (&name, &n)| if n > best.1 { (name, n) } else { best }).0
        };
        let n = |spelt: &BTreeMap<&str, u64>| spelt.values().sum::<u64>();
        let mut sizes: Vec<(&str, u64)> = spelt.values().map(|spelt| (named(spelt), n(spelt))).collect();
        sizes.extend(unknown.as_ref().map(|spelt| (UNKNOWN, n(spelt))));
        let place: BTreeMap<&str, u32> =
            spelt.keys().copied().chain(unknown.as_ref().map(|_| UNKNOWN)).zip(0..).collect();
        if sizes.len() == 1 {
            return Ok(Self::NotMeasurable(
                "everybody is in one group: there is no rest to compare with".to_owned(),
            ));
        }
        let of_row: Vec<u32> = folds.iter().map(|fold| place[fold.as_str()]).collect();
        let counts = people.sizes(rows, sizes.len(), |row| of_row[row] as usize);
        let held = held_back(&counts, u64::from(under));
        let groups = sizes.into_iter().zip(held).map(|((name, n), held)| Group { name, n, held }).collect();
        Ok(Self::Groups(Grouping { groups, of_row }))
    }
}

/// How many groups of a characteristic are held back, if any: none of them is named.
pub(in crate::fairness) fn counted(characteristic: &str, held: usize) -> Option<(String, u64)> {
    (held > 0).then(|| (characteristic.to_owned(), held as u64))
}

impl Grouping<'_> {
    /// Who is in a group, row by row.
    pub(in crate::fairness) fn members(&self, group: usize) -> Vec<bool> {
        self.of_row.iter().map(|&of| of as usize == group).collect()
    }

    /// How many groups are compared with their rest. Of two groups that are all there is, each is the other's
    /// rest: one comparison.
    pub(in crate::fairness) fn compared(&self) -> usize {
        let shown = self.groups.iter().filter(|group| !group.held).count();
        if self.groups.len() == 2 { shown.min(1) } else { shown }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn small_groups_are_held_back_and_those_not_known_are_a_group() {
        let groups: Vec<Option<&str>> =
            [(Some("a"), 30), (Some("b"), 3), (Some("c"), 12), (None, 20), (Some(UNKNOWN), 5)]
                .into_iter()
                .flat_map(|(group, n)| vec![group; n])
                .collect();
        let asked = Characteristic::Held { name: "area", groups: &groups };
        let Ok(Grouped::Groups(grouping)) = Grouped::of(&asked, (70, &RowPeople::default()), 10) else {
            panic!("groups")
        };
        let seen: Vec<(&str, u64, bool)> =
            grouping.groups.iter().map(|group| (group.name, group.n, group.held)).collect();
        // b is too small, and c goes with it, or all minus the rest would give b away.
        assert_eq!(seen, [("a", 30, false), ("b", 3, true), ("c", 12, true), ("unknown", 25, false)]);
        assert_eq!(grouping.compared(), 2);
        assert_eq!(grouping.members(1).iter().filter(|&&member| member).count(), 3);
        assert!(Grouped::of(&asked, (71, &RowPeople::default()), 10).is_err());
        let nobody = vec![None; 70];
        let unknown = Characteristic::Held { name: "faith", groups: &nobody };
        for (asked, why) in
            [(unknown, "not known for anybody"), (Characteristic::NotHeld { name: "x" }, "not hold")]
        {
            let Ok(Grouped::NotMeasurable(told)) = Grouped::of(&asked, (70, &RowPeople::default()), 10)
            else {
                panic!("a reason")
            };
            assert!(told.contains(why), "{told}");
        }
    }
}
