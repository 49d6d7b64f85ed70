//! Who leads a place, who stands beside it, and how often it is kept.

use super::Scores;
use super::places::{KeptIn, OnePer, Places};
use crate::error::ScoringError;
use crate::known_to::IsKnown;

impl Scores<'_, '_> {
    /// Who shares a place.
    pub(crate) fn places(&self, one_per: OnePer) -> Places {
        let mut of_row = Vec::with_capacity(self.cohort.len());
        let mut numbers: hashbrown::HashMap<u32, u32> = hashbrown::HashMap::new();
        let mut count = 0;
        for row in 0..self.cohort.len() {
            let household = if one_per == OnePer::Household { self.cohort.household(row) } else { None };
            let place = match household {
                Some(household) => *numbers.entry(household).or_insert(count),
                None => count,
            };
            count += u32::from(place == count);
            of_row.push(place);
        }
        Places { of_row, count: count as usize }
    }

    /// The ranks (from 1) that lead a place, from the highest.
    pub(crate) fn leads(&self, places: &Places) -> Vec<usize> {
        let mut led = vec![false; places.count];
        let is_first = |&(_, &row): &(usize, &u32)| {
            !std::mem::replace(&mut led[places.of_row[row as usize] as usize], true)
        };
        (1..).zip(&self.order).filter(is_first).map(|(rank, _)| rank).collect()
    }

    /// Those of the leading ranks in whose place no case is known to a service already.
    pub(crate) fn not_known(&self, places: &Places, leads: Vec<usize>) -> Vec<usize> {
        let mut is_known = vec![false; places.count];
        for (rank, &row) in (1..).zip(&self.order) {
            if self.is_known(rank) == Some(IsKnown::Yes) {
                is_known[places.of_row[row as usize] as usize] = true;
            }
        }
        let place_at = |rank: usize| places.of_row[self.order[rank - 1] as usize] as usize;
        leads.into_iter().filter(|&rank| !is_known[place_at(rank)]).collect()
    }

    /// For each of these leading ranks the others that share its place, from the highest.
    pub(crate) fn beside(&self, places: &Places, leads: &[usize]) -> Vec<Vec<usize>> {
        let place_at = |rank: usize| places.of_row[self.order[rank - 1] as usize];
        let of_place: hashbrown::HashMap<u32, usize> =
            leads.iter().enumerate().map(|(nth, &rank)| (place_at(rank), nth)).collect();
        let mut beside = vec![Vec::new(); leads.len()];
        for rank in 1..=self.order.len() {
            if let Some(&nth) = of_place.get(&place_at(rank))
                && leads[nth] != rank
            {
                beside[nth].push(rank);
            }
        }
        beside
    }

    /// In how many refits each place is among the `length` highest.
    pub(crate) fn kept_in(&self, places: &Places, length: usize) -> Result<KeptIn, ScoringError> {
        let model = self.scorer().candidate().model();
        let refits = model.refits().map_or(0, |refits| refits.len() as u32);
        let mut times = vec![0; if refits == 0 { 0 } else { places.count }];
        for refit in 0.. {
            let Some(log_odds) = model.refit_log_odds(&self.matrix, refit)? else { break };
            let mut rows = self.by_lot.clone();
            rows.sort_by(|&a, &b| log_odds[b as usize].total_cmp(&log_odds[a as usize]));
            let mut kept = hashbrown::HashSet::with_capacity(length);
            for place in rows.iter().map(|&row| places.of_row[row as usize]) {
                if kept.len() == length {
                    break;
                }
                kept.insert(place);
            }
            for place in kept {
                times[place as usize] += 1;
            }
        }
        Ok(KeptIn { places: places.of_row.clone(), times, refits, length: length as u32 })
    }
}
