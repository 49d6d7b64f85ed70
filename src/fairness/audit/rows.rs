//! The rows brought into one order that does not depend on the order in which they came.

use std::cmp::Ordering;

use super::super::people::{Counted, RowPeople};
use super::cells::{Cells, GroupPeople, cell};
use super::params::OperatingPoint;
use super::report::{Operating, ScoreScale, Tie, TieAsOne};
use super::table::ScoreTable;
use crate::error::AuditError;
use crate::stats::Clusters;

/// All rows, best score first. Rows that are equal in everything but the cluster may stand in any order.
pub(super) struct Rows {
    pub(super) scores: Vec<f64>,
    pub(super) outcomes: Vec<bool>,
    /// Whether outcomes are known.
    pub(super) followed: bool,
    /// See [`cell`].
    pub(super) cells: Vec<u8>,
    /// What each cell counts for.
    pub(super) parts: Cells,
    /// 1 each, where none were given.
    pub(super) weights: Option<Vec<f64>>,
    /// The number of each row's cluster; none where rows are independent.
    pub(super) clusters: Option<Clusters>,
    pub(super) people: RowPeople,
    /// One code per row, for each group column.
    pub(super) codes: Vec<Vec<u16>>,
    pub(super) scale: ScoreScale,
    pub(super) operating: Operating,
    /// The score bin of each row, from the highest scores down.
    pub(super) bins: Vec<u8>,
    pub(super) bin_count: usize,
    /// How many different scores there are.
    pub(super) values: usize,
}

/// The most score bins that a resample is measured on. All resamples of a table with no more distinct scores are
/// exact; for others, what the bins round off is under a thousandth of the area under a curve, is the same
/// in all resamples, and is taken out again.
const MOST_BINS: usize = 128;

impl Rows {
    /// `least`: how many people have to be tied at the cut for the last places to be shared among them.
    pub(super) fn new(table: &ScoreTable, point: OperatingPoint, least: u64) -> Result<Self, AuditError> {
        let scores = &table.scores;
        let mut keyed: Vec<(u64, u32)> = scores.iter().map(|&score| descending(score)).zip(0..).collect();
        keyed.sort_unstable();
        let (mut selected, mut tie) = selected(table, point, &keyed)?;
        let tied = (0..selected.len()).filter(|&row| selected[row].is_none());
        let not_shared = tie.take_if(|_| table.people.distinct(tied) < least).map(|Tie { rows, places }| {
            if 2 * places > rows { TieAsOne::Selected } else { TieAsOne::LeftOff }
        });
        if let Some(all) = not_shared {
            for selected in &mut selected {
                *selected = selected.or(Some(all == TieAsOne::Selected));
            }
        }
        let places = tie.map_or(0.0, |tie| tie.places as f64 / tie.rows as f64);
        let clusters = table.clusters.as_ref().map(|codes| Clusters::new(codes));
        let compare = |a: usize, b: usize| -> Ordering {
            let weight =
                table.weights.as_ref().map_or(Ordering::Equal, |weights| weights[a].total_cmp(&weights[b]));
            let codes = table.groups.iter().map(|group| group.codes[a].cmp(&group.codes[b]));
            weight
                .then(table.outcomes[a].cmp(&table.outcomes[b]))
                .then(selected[a].cmp(&selected[b]))
                .then_with(|| codes.fold(Ordering::Equal, Ordering::then))
                .then_with(|| {
                    clusters.as_ref().map_or(Ordering::Equal, |held| held.index[a].cmp(&held.index[b]))
                })
        };
        for tie in keyed.chunk_by_mut(|a, b| a.0 == b.0) {
            tie.sort_by(|a, b| compare(a.1 as usize, b.1 as usize));
        }
        let order: Vec<u32> = keyed.into_iter().map(|(_, row)| row).collect();
        let take = |row: u32| row as usize;
        let sorted: Vec<f64> = order.iter().map(|&row| scores[take(row)] + 0.0).collect();
        let outcomes: Vec<bool> = order.iter().map(|&row| table.outcomes[take(row)]).collect();
        let cell_of = |row: usize| cell(table.outcomes[row], selected[row]) as u8;
        let cells: Vec<u8> = order.iter().map(|&row| cell_of(take(row))).collect();
        let chances = sorted.iter().all(|score| (0.0..=1.0).contains(score));
        let scale = if chances { ScoreScale::Chances } else { ScoreScale::Points };
        let (bins, bin_count, values) = score_bins(&sorted, &outcomes);
        let operating = Operating { not_shared, ..operating(point, &sorted, &cells, scale, tie) };
        let gather = |codes: &[u16]| order.iter().map(|&row| codes[take(row)]).collect();
        Ok(Self {
            weights: table
                .weights
                .as_ref()
                .map(|weights| order.iter().map(|&row| weights[take(row)]).collect()),
            clusters: clusters.map(|held| held.reordered(&order)),
            people: table.people.reordered(&order),
            codes: table.groups.iter().map(|group| gather(&group.codes)).collect(),
            scores: sorted,
            outcomes,
            followed: table.followed,
            cells,
            parts: Cells::new(places),
            scale,
            operating,
            bins,
            bin_count,
            values,
        })
    }

    /// Takes the scores for what they are `said` to be, or for what they look like.
    pub(super) fn read_as(&mut self, said: Option<ScoreScale>, bands: bool) -> Result<(), AuditError> {
        if said == Some(ScoreScale::Chances) && self.scale != ScoreScale::Chances {
            let what = "scores that are chances lie from 0 to 1; say that these are ranks or points";
            return Err(AuditError::Parameter { what });
        }
        let ranks = bands || self.scale == ScoreScale::Chances && look_like_ranks(&self.scores);
        self.scale = said.unwrap_or(if ranks { ScoreScale::Ranks } else { self.scale });
        if self.scale != ScoreScale::Chances {
            self.operating.threshold_chance = None;
        }
        Ok(())
    }

    pub(super) fn count(&self) -> usize {
        self.scores.len()
    }

    /// The people of each group, given by row.
    pub(super) fn people_of(&self, groups: usize, group_of: impl Fn(usize) -> usize) -> Vec<GroupPeople> {
        let mut people = vec![GroupPeople::NOBODY; groups];
        let mut cells: Vec<(usize, u8)> = Vec::new();
        self.people.each(self.count(), |rows| {
            cells.clear();
            for row in rows.iter().map(|&row| row as usize) {
                let (group, cell) = (group_of(row), 1 << self.cells[row]);
                match cells.iter_mut().find(|held| held.0 == group) {
                    Some(held) => held.1 |= cell,
                    None => cells.push((group, cell)),
                }
            }
            let first = cells.iter().map(|held| held.0).min();
            for &(group, cells) in &cells {
                people[group].all.add(cells);
                if Some(group) == first {
                    people[group].new.add(cells);
                }
            }
        });
        people
    }

    /// The people of each group at each score, those without the outcome and those with it, score by score; none where
    /// scores have many values, so that nobody could try all the tables that figures may come from.
    pub(super) fn people_at_scores(
        &self,
        groups: usize,
        group_of: impl Fn(usize) -> usize,
    ) -> Vec<Vec<Counted>> {
        if !few_valued(self) {
            return Vec::new();
        }
        let place = |row: usize| usize::from(self.bins[row]) * groups + group_of(row);
        let places = self.bin_count * groups;
        let people = self.people.parted(self.count(), places, |row| Some((place(row), self.outcomes[row])));
        people.chunks(groups).map(<[Counted]>::to_vec).collect()
    }

    pub(super) fn weight(&self, row: usize) -> f64 {
        self.weights.as_ref().map_or(1.0, |weights| weights[row])
    }
}

/// The most distinct scores that are told apart one by one: deciles, ventiles and bands have no more. Beyond that
/// groups of some hundred rows have a few at each score, whose shares say nothing and are withheld.
const MOST_VALUES: usize = 20;

/// Whether the scores are of so few values that each can be looked at.
pub(super) fn few_valued(rows: &Rows) -> bool {
    rows.values <= MOST_VALUES
}

/// Whether scores look like ranks that were divided: from five to twenty values, all of them twentieths, as
/// deciles over ten are.
pub(super) fn look_like_ranks(scores: &[f64]) -> bool {
    let values: Vec<f64> = scores.chunk_by(|a, b| a.total_cmp(b).is_eq()).map(|tie| tie[0]).collect();
    let is_twentieth = |value: &f64| (value * 20.0 - (value * 20.0).round()).abs() < 1e-9;
    (5..=MOST_VALUES).contains(&values.len()) && values.iter().all(is_twentieth)
}

/// A key that sorts the highest score first; 0 and -0 have equal keys.
fn descending(score: f64) -> u64 {
    let bits = (score + 0.0).to_bits();
    if bits >> 63 == 0 { !(bits | 1 << 63) } else { bits }
}

impl ScoreTable {
    /// Who is selected, row by row.
    ///
    /// # Errors
    /// [`AuditError::NoScores`], [`AuditError::NoPrediction`]; [`AuditError::Parameter`] where a list of limited length ends
    /// among equal scores, so that it is open which rows are on it.
    pub(in crate::fairness) fn selected(&self, point: OperatingPoint) -> Result<Vec<bool>, AuditError> {
        if !self.scored && point != OperatingPoint::Predicted {
            return Err(AuditError::NoScores);
        }
        let mut ranked: Vec<(u64, u32)> =
            self.scores.iter().map(|&score| descending(score)).zip(0..).collect();
        ranked.sort_unstable();
        match selected(self, point, &ranked)? {
            (selected, None) => Ok(selected.into_iter().flatten().collect()),
            (_, Some(_)) => Err(AuditError::Parameter {
                what: "the list ends among equal scores, so it is open who is on it; give the column that says who was \
                       selected, or a threshold",
            }),
        }
    }
}

/// Who is selected, `None` for those tied at the cut of a list of limited length; and that tie.
fn selected(
    table: &ScoreTable,
    point: OperatingPoint,
    ranked: &[(u64, u32)],
) -> Result<(Vec<Option<bool>>, Option<Tie>), AuditError> {
    match point {
        OperatingPoint::Threshold(threshold) => {
            Ok((table.scores.iter().map(|&score| Some(score >= threshold)).collect(), None))
        }
        OperatingPoint::Predicted => {
            let selected = table.predicted.as_ref().ok_or(AuditError::NoPrediction)?;
            Ok((selected.iter().map(|&selected| Some(selected)).collect(), None))
        }
        OperatingPoint::Capacity(capacity) => {
            let places = capacity.of(ranked.len());
            let mut selected = vec![Some(false); ranked.len()];
            for &(_, row) in &ranked[..places] {
                selected[row as usize] = Some(true);
            }
            let last = places.checked_sub(1).map(|place| ranked[place].0);
            let left_off = ranked[places..].iter().take_while(|&&(key, _)| Some(key) == last).count();
            if left_off == 0 {
                return Ok((selected, None));
            }
            let on = ranked[..places].iter().rev().take_while(|&&(key, _)| Some(key) == last).count();
            for &(_, row) in &ranked[places - on..places + left_off] {
                selected[row as usize] = None;
            }
            Ok((selected, Some(Tie { rows: (on + left_off) as u64, places: on as u64 })))
        }
    }
}

/// The rule in words, and the chance that it stands for.
fn operating(
    point: OperatingPoint,
    scores: &[f64],
    cells: &[u8],
    scale: ScoreScale,
    tied: Option<Tie>,
) -> Operating {
    let is_selected = |cell: u8| matches!(cell, 1 | 3..);
    let count = cells.iter().filter(|&&cell| is_selected(cell)).count();
    // Rows are sorted: the selection follows the score if no score above the lowest selected one is left.
    let lowest = cells.iter().rposition(|&cell| is_selected(cell)).map(|row| scores[row]);
    let follows = |lowest: f64| {
        scores.iter().zip(cells).take_while(|&(&score, _)| score > lowest).all(|(_, &cell)| is_selected(cell))
    };
    let chance = match point {
        OperatingPoint::Threshold(threshold) => Some(threshold).filter(|_| count > 0),
        OperatingPoint::Capacity(_) | OperatingPoint::Predicted => lowest.filter(|&lowest| follows(lowest)),
    };
    let words = match point {
        OperatingPoint::Threshold(threshold) => format!("score of {threshold} or more"),
        OperatingPoint::Capacity(crate::evaluate::Capacity::Share(share)) => {
            format!("the highest scores, {} in 100 of all rows", 100.0 * share)
        }
        OperatingPoint::Capacity(crate::evaluate::Capacity::Cases(cases)) => {
            format!("the {cases} highest scores")
        }
        OperatingPoint::Predicted => "as the table says".to_owned(),
    };
    let open = |chance: &f64| *chance > 0.0 && *chance < 1.0 && scale == ScoreScale::Chances;
    Operating { words, threshold_chance: chance.filter(open), tied, tie_withheld: false, not_shared: None }
}

/// Bins of neighbouring scores, from the highest down, each with about as much of the positives and of the
/// negatives together as any other: so there are many where positives are, which is what the
/// curves depend on. Equal scores are in one bin. The bin of each row, how many bins there are, and how many scores.
fn score_bins(scores: &[f64], outcomes: &[bool]) -> (Vec<u8>, usize, usize) {
    let equal = |a: &f64, b: &f64| a.total_cmp(b).is_eq();
    let distinct = scores.chunk_by(equal).count();
    let positives = outcomes.iter().filter(|&&outcome| outcome).count();
    let share = |outcome: bool| {
        let class = if outcome { positives } else { outcomes.len() - positives };
        0.5 / class.max(1) as f64
    };
    let (with, without) = (share(true), share(false));
    let mut bins = vec![0_u8; scores.len()];
    let (mut bin, mut row, mut mass) = (0_usize, 0, 0.0);
    for tie in scores.chunk_by(equal) {
        let next = if distinct <= MOST_BINS { row > 0 } else { mass * MOST_BINS as f64 >= (bin + 1) as f64 };
        if next && bin + 1 < MOST_BINS {
            bin += 1;
        }
        for _ in tie {
            bins[row] = bin as u8;
            mass += if outcomes[row] { with } else { without };
            row += 1;
        }
    }
    (bins, bin + 1, distinct)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn deciles_over_ten_are_ranks_and_few_chances_are_not() {
        let scores = |values: &[f64]| values.iter().rev().copied().collect::<Vec<f64>>();
        let deciles: Vec<f64> = (1..=10).map(|decile| f64::from(decile) / 10.0).collect();
        assert!(look_like_ranks(&scores(&deciles)));
        assert!(!look_like_ranks(&scores(&[0.1, 0.9])));
        assert!(!look_like_ranks(&scores(&[0.1, 0.2, 0.31, 0.4, 0.5])));
        let many: Vec<f64> = (0..=20).map(|nth| f64::from(nth) / 20.0).collect();
        assert!(!look_like_ranks(&scores(&many)));
    }
}
