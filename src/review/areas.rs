//! Where needs are, and where the places of a list are: by area, without anybody's row.

use hashbrown::HashMap;
use serde::Serialize;

use super::list::ReviewList;
use super::listed::WhyListed;
use crate::calendar::AsOf;
use crate::error::{AuditError, Error, MitigationError};
use crate::fairness::Protected;
use crate::fairness::audit::{Counted, Guard, UNKNOWN, hold_back, hold_back_parts};
use crate::scoring::Scores;

/// How many cases of a cohort show each need, and how many are on a list, by the groups of a characteristic such as the area where
/// people live. It holds nobody's row, and no number of people under a minimum, nor one from which such a number could be worked
/// out: the rule of an [audit](crate::fairness::audit).
///
/// # Examples
/// ```
/// use earlyhelp::fairness::Protected;
/// use earlyhelp::review::ReviewList;
/// use earlyhelp::scoring::Scores;
///
/// fn print(list: &ReviewList, scores: &Scores<'_, '_>, protected: &Protected) -> earlyhelp::Result<()> {
///     let view = list.by_area(scores, protected, "area", 10)?;
///     for area in &view.areas {
///         println!("{}: {:?} scored, {:?} listed", area.area, area.scored, area.listed);
///     }
///     Ok(())
/// }
/// ```
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct AreaView {
    /// The as-of date.
    pub as_of: AsOf,
    /// The characteristic.
    pub by: String,
    /// The needs, as the features name them.
    pub needs: Vec<String>,
    /// Cases that were scored, in all areas together.
    pub scored: u64,
    /// Places given for scores, in all areas together.
    pub listed: u64,
    /// Cases that show each need, in all areas together, in the order of `needs`; `None` where withheld.
    pub with_need: Vec<Option<u64>>,
    /// The areas, by name; those that are too small to be named together at the end, such as `2 further groups`.
    pub areas: Vec<Area>,
    /// No number of people under this is told, nor could it be worked out.
    pub minimum: u32,
}

/// One area. `None`: withheld, because it would tell too few people apart.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Area {
    /// The area.
    pub area: String,
    /// Cases that were scored.
    pub scored: Option<u64>,
    /// Places given for scores.
    pub listed: Option<u64>,
    /// Cases that show each need, in the order of [`AreaView::needs`].
    pub needs: Vec<Option<u64>>,
}

/// What is counted of an area.
#[derive(Clone)]
struct Counts {
    scored: u64,
    listed: u64,
    needs: Vec<u64>,
}

impl ReviewList {
    /// Where needs and places are, by the groups of a protected characteristic. `scores` are those that the list was drawn from; of a
    /// household that shares a place the one who leads it counts as listed. A need is on record where a feature above zero speaks of
    /// it, as in the backtest's count of needs.
    ///
    /// # Errors
    /// [`MitigationError::Unknown`] where the characteristic is not held, [`AuditError::TooFewPeople`] where fewer cases were scored than
    /// the minimum.
    pub fn by_area(
        &self,
        scores: &Scores<'_, '_>,
        protected: &Protected,
        by: &str,
        minimum: u32,
    ) -> Result<AreaView, Error> {
        if scores.len() < minimum as usize {
            return Err(AuditError::TooFewPeople { n: scores.len(), minimum }.into());
        }
        let characteristic = protected
            .held()
            .iter()
            .position(|held| held == by)
            .ok_or_else(|| MitigationError::Unknown(by.to_owned()))?;
        let listed: hashbrown::HashSet<&str> = self
            .entries()
            .iter()
            .filter(|entry| entry.why_listed() != WhyListed::AtRandom)
            .map(|entry| entry.case().entity())
            .collect();
        let (needs, cases) = scores.needs();
        let none = Counts { scored: 0, listed: 0, needs: vec![0; needs.len()] };
        let mut counts: HashMap<&str, Counts> = HashMap::new();
        for (entity, shown) in cases {
            let area = protected.group(characteristic, entity).unwrap_or(UNKNOWN);
            let held = counts.entry(area).or_insert_with(|| none.clone());
            held.scored += 1;
            held.listed += u64::from(listed.contains(entity));
            held.needs.iter_mut().zip(shown).for_each(|(count, shown)| *count += u64::from(shown));
        }
        let mut counts: Vec<(&str, Counts)> = counts.into_iter().collect();
        counts.sort_unstable_by_key(|(area, _)| *area);
        Ok(AreaView::told(&counts, &needs, (self.provenance().as_of, by), minimum))
    }
}

impl AreaView {
    fn told(counts: &[(&str, Counts)], needs: &[&str], (as_of, by): (AsOf, &str), minimum: u32) -> Self {
        let least = u64::from(minimum);
        let mut rows = vec![false; counts.len()];
        let sizes: Vec<Counted> = counts.iter().map(|(_, held)| [held.scored; 2].into()).collect();
        hold_back(&sizes, &mut rows, Guard::of_rows(least));
        // Each count parts an area's cases in two, and its total over all areas is told.
        let withheld = |of: &dyn Fn(&Counts) -> u64| -> Vec<bool> {
            let parts: Vec<Counted> =
                counts.iter().map(|(_, held)| [of(held), held.scored - of(held)].into()).collect();
            let mut withheld = rows.clone();
            hold_back_parts(&parts, &mut withheld, least);
            withheld
        };
        let listed = withheld(&|held| held.listed);
        let by_need: Vec<Vec<bool>> =
            (0..needs.len()).map(|need| withheld(&|held: &Counts| held.needs[need])).collect();
        let shown = |withheld: bool, count: u64| if withheld { None } else { Some(count) };
        let mut areas: Vec<Area> = counts
            .iter()
            .enumerate()
            .filter(|&(nth, _)| !rows[nth])
            .map(|(nth, (area, held))| Area {
                area: (*area).to_owned(),
                scored: Some(held.scored),
                listed: shown(listed[nth], held.listed),
                needs: held.needs.iter().zip(&by_need).map(|(&count, of)| shown(of[nth], count)).collect(),
            })
            .collect();
        let hidden = rows.iter().filter(|&&held| held).count();
        if hidden > 0 {
            areas.push(Area {
                area: crate::words::counted(hidden, "further group", "further groups"),
                scored: None,
                listed: None,
                needs: vec![None; needs.len()],
            });
        }
        let sum = |of: &dyn Fn(&Counts) -> u64| counts.iter().map(|(_, held)| of(held)).sum::<u64>();
        let scored = sum(&|held| held.scored);
        // A total is a count of people like any other.
        let whole =
            |count: u64| shown(crate::fairness::audit::few_of_either([count, scored - count], least), count);
        Self {
            as_of,
            by: by.to_owned(),
            needs: needs.iter().map(|need| (*need).to_owned()).collect(),
            scored,
            listed: sum(&|held| held.listed),
            with_need: (0..needs.len()).map(|need| whole(sum(&|held: &Counts| held.needs[need]))).collect(),
            areas,
            minimum,
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn view(counts: &[(u64, u64, u64)], minimum: u32) -> AreaView {
        let names: Vec<String> = (0..counts.len()).map(|nth| format!("area {nth:02}")).collect();
        let held: Vec<(&str, Counts)> = names
            .iter()
            .zip(counts)
            .map(|(name, &(scored, listed, need))| {
                (name.as_str(), Counts { scored, listed, needs: vec![need] })
            })
            .collect();
        AreaView::told(&held, &["housing"], ("2025-04-01".parse().unwrap(), "area"), minimum)
    }

    #[test]
    fn counts_by_hand() {
        let told = view(&[(100, 20, 40), (200, 3, 50), (300, 30, 297), (4, 0, 0)], 10);
        assert_eq!((told.scored, told.listed), (604, 53));
        let areas: Vec<_> =
            told.areas.iter().map(|area| (&*area.area, area.scored, area.listed, area.needs[0])).collect();
        // The last is too few to be named, and one more goes with it, or its size would be what is left.
        assert_eq!(areas.last().unwrap(), &("2 further groups", None, None, None));
        // 3 of 200 are on the list, and 3 of 300 do not show the need: both are withheld, with the area that is not named.
        assert_eq!(areas[0], ("area 01", Some(200), None, Some(50)));
        assert_eq!(areas[1], ("area 02", Some(300), Some(30), None));
    }

    proptest! {
        #[test]
        fn no_small_number_can_be_worked_out(
            counts in prop::collection::vec((1_u64..60, 0_u64..60, 0_u64..60), 1..8),
            minimum in 2_u32..12,
        ) {
            let counts: Vec<(u64, u64, u64)> =
                counts.into_iter().map(|(n, listed, need)| (n, listed.min(n), need.min(n))).collect();
            prop_assume!(counts.iter().map(|(scored, _, _)| scored).sum::<u64>() >= u64::from(minimum));
            let told = view(&counts, minimum);
            let least = u64::from(minimum);
            let small = |count: u64, of: u64| (1..least).contains(&count) || (1..least).contains(&(of - count));
            let (mut known_scored, mut known_need, mut hidden_need) = (0, 0, 0);
            for area in told.areas.iter().filter(|area| area.scored.is_some()) {
                let scored = area.scored.unwrap();
                prop_assert!(scored >= least);
                known_scored += scored;
                for count in [area.listed, area.needs[0]].into_iter().flatten() {
                    prop_assert!(!small(count, scored));
                }
                match area.needs[0] {
                    Some(count) => known_need += count,
                    None => hidden_need += 1,
                }
            }
            // What is left of the totals: nothing, or enough.
            let left = told.scored - known_scored;
            prop_assert!(left == 0 || left >= least);
            if let Some(all) = told.with_need[0] {
                let nobody_hidden = hidden_need == 0 && left == 0;
                prop_assert!(nobody_hidden || all - known_need == 0 || all - known_need >= least);
                prop_assert!(!small(all, told.scored));
            }
        }
    }
}
