//! Who leads a place, who stands beside it, and how often it is kept.

use super::Scores;
use super::places::{KeptIn, OnePer, Places};
use crate::error::ScoringError;
use crate::evaluate::needs;
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
        self.leads_in(places, 1..=self.order.len())
    }

    /// The ranks that lead a place where the count of needs on record puts cases in order, the most needs first; equal
    /// counts by the date's lot, as equal scores are.
    pub(crate) fn leads_by_needs(&self, places: &Places) -> Vec<usize> {
        let counts = needs(self.scorer().candidate().features(), &self.matrix);
        let mut ranks = vec![0; self.cohort.len()];
        for (rank, &row) in (1..).zip(&self.order) {
            ranks[row as usize] = rank;
        }
        let mut rows = self.by_lot.clone();
        rows.sort_by(|&a, &b| counts[b as usize].total_cmp(&counts[a as usize]));
        self.leads_in(places, rows.into_iter().map(|row| ranks[row as usize]))
    }

    /// Of ranks in some order those that are the first of their place.
    fn leads_in(&self, places: &Places, ranks: impl Iterator<Item = usize>) -> Vec<usize> {
        let mut led = vec![false; places.count];
        let is_first = |&rank: &usize| !std::mem::replace(&mut led[places.of(self.row(rank)) as usize], true);
        ranks.filter(is_first).collect()
    }

    /// Whether a row of the cohort, scored or not, is known to a service already; `None` where nobody said what that means.
    pub(crate) fn known(&self, row: usize) -> Option<IsKnown> {
        self.known_to.as_ref().map(|known| known.any(row))
    }

    /// The row of the cohort that has a rank.
    pub(crate) fn row(&self, rank: usize) -> usize {
        self.order[rank - 1] as usize
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
