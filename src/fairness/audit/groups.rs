//! The groups of one column: their rows, their sums, and the exact figures that need no interval yet.

use super::super::people::{Counted, Parts};
use super::block::Column;
use super::calibration;
use super::cells::{CELLS, Cells, GroupPeople, People, PerCell};
use super::curves::Curve;
use super::params::AuditParams;
use super::rates::{CellSums, Moments, Rate};
use super::replicates::Scored;
use super::report::ScoreScale;
use super::rows::Rows;
use super::suppress::few_of_either;

/// What all groups of an audit share.
pub(super) struct Context<'a> {
    pub(super) rows: &'a Rows,
    pub(super) params: &'a AuditParams,
    /// The rows family by family; none where rows are independent.
    families: Option<Families>,
    /// Where scores are chances.
    pub(super) log_odds: Option<Vec<f64>>,
}

/// Rows sorted by family.
struct Families {
    order: Vec<u32>,
    starts: Vec<u32>,
}

/// Which numbers of a group a reader may know. All are measured and compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(clippy::struct_excessive_bools, reason = "each may be withheld by itself")]
pub(super) struct Seen {
    /// How many have the outcome.
    pub(super) outcome: bool,
    /// How many are selected.
    pub(super) selection: bool,
    /// How many are both: the cells of the confusion matrix.
    pub(super) cells: bool,
    /// How many are at each score, with the outcome and without, where scores have few values: figures of them together tell it.
    pub(super) scores: bool,
}

impl Seen {
    /// Its curves, and what else knows of scores and outcome alone.
    pub(super) fn curve(self) -> bool {
        self.outcome && self.scores
    }

    /// Whether nothing is withheld.
    pub(super) fn all(self) -> bool {
        self.outcome && self.selection && self.cells
    }

    /// Whether a share may be known, by its place among [`Cells::shares`].
    pub(super) fn share(self, nth: usize) -> bool {
        match nth {
            0 => self.outcome,
            1 => self.selection,
            _ => self.all(),
        }
    }

    /// Whether a figure of the scores may be. Where a score is 0 or 1 its mean is the selection rate.
    pub(super) fn scored(self, figure: Scored) -> bool {
        match figure {
            Scored::Auc | Scored::AveragePrecision | Scored::ExpectedError => self.curve(),
            Scored::MeanScore => self.selection && self.scores,
            Scored::CalibrationGap => self.curve() && self.selection,
            // With the number selected it tells how many of them have the outcome.
            Scored::NetBenefit => self.all(),
        }
    }
}

/// A group that is shown, or everybody. Whether its figures may be, `seen` says.
pub(super) struct Group {
    pub(super) members: Vec<u32>,
    pub(super) sums: CellSums,
    pub(super) seen: Seen,
    pub(super) curve: Option<Curve>,
    /// The exact figures, in the order of [`Scored::ALL`].
    scored: [Option<f64>; Scored::ALL.len()],
}

impl<'a> Context<'a> {
    pub(super) fn new(rows: &'a Rows, params: &'a AuditParams) -> Self {
        let families = rows.clusters.as_ref().map(|clusters| {
            let mut starts = vec![0_u32; clusters.count + 1];
            for &family in &clusters.index {
                starts[family as usize + 1] += 1;
            }
            for family in 0..clusters.count {
                starts[family + 1] += starts[family];
            }
            let mut next = starts.clone();
            let mut order = vec![0_u32; clusters.index.len()];
            for (row, &family) in clusters.index.iter().enumerate() {
                order[next[family as usize] as usize] = row as u32;
                next[family as usize] += 1;
            }
            Families { order, starts }
        });
        let chances = rows.scale == ScoreScale::Chances;
        Self { rows, params, families, log_odds: chances.then(|| calibration::log_odds(rows)) }
    }

    pub(super) fn least(&self) -> u64 {
        u64::from(self.params.minimum)
    }

    /// The sums of each group of a column that is looked at, and for each base its moments with each group.
    pub(super) fn sums(&self, column: &Column<'_>) -> (Vec<CellSums>, Vec<Vec<Moments>>) {
        let rows = self.rows;
        let plain = self.families.is_none() && rows.weights.is_none();
        let mut sums = vec![CellSums { plain, ..CellSums::default() }; column.groups];
        let place = |row: usize| column.places[usize::from(column.codes[row])].map(usize::from);
        for row in 0..rows.count() {
            let (cell, weight) = (usize::from(rows.cells[row]), rows.weight(row));
            let Some(place) = place(row) else { continue };
            let sums: &mut CellSums = &mut sums[place];
            sums.rows[cell] += 1;
            sums.weights[cell] += weight;
            if self.families.is_none() {
                sums.moments[cell][cell] += weight * weight;
            }
        }
        let mut across = vec![vec![Moments::default(); column.groups]; column.bases.len()];
        let sets = rows.parts.sets();
        match &self.families {
            None => {
                for sums in &mut sums {
                    sums.with_whole = sums.moments;
                    sums.clusters = sets.map(|set| {
                        (0..CELLS).filter(|cell| set >> cell & 1 == 1).map(|cell| sums.rows[cell]).sum()
                    });
                    sums.wholly = sums.clusters;
                }
            }
            Some(families) => {
                let mut parts: Vec<(usize, PerCell)> = Vec::new();
                for ends in families.starts.windows(2) {
                    let members = &families.order[ends[0] as usize..ends[1] as usize];
                    let all = self.parts(members, place, &mut parts);
                    family((&mut sums, &mut across), (&column.bases, &sets), &parts, &all);
                }
            }
        }
        (sums, across)
    }

    /// What a family holds in each cell: in each group that is looked at, and in all.
    fn parts(
        &self,
        members: &[u32],
        place: impl Fn(usize) -> Option<usize>,
        parts: &mut Vec<(usize, PerCell)>,
    ) -> PerCell {
        parts.clear();
        let mut all = [0.0; CELLS];
        for &row in members {
            let row = row as usize;
            let (cell, weight) = (usize::from(self.rows.cells[row]), self.rows.weight(row));
            all[cell] += weight;
            let Some(place) = place(row) else { continue };
            let known = parts.iter().position(|part| part.0 == place).unwrap_or_else(|| {
                parts.push((place, [0.0; CELLS]));
                parts.len() - 1
            });
            parts[known].1[cell] += weight;
        }
        all
    }

    /// A group with its exact figures.
    pub(super) fn group(&self, members: Vec<u32>, sums: CellSums, seen: Seen) -> Group {
        let (rows, n) = (self.rows, members.len());
        let with = sums.count(&rows.parts, Cells::WITH) as u64;
        let ranked = rows.followed && with.min(n as u64 - with) >= LEAST_CLASS;
        let curve = if ranked { Curve::new(rows, &members) } else { None };
        let chances = rows.scale == ScoreScale::Chances && n > 0;
        let (mut weight, mut score) = (0.0, 0.0);
        for &row in &members {
            weight += rows.weight(row as usize);
            score += rows.weight(row as usize) * rows.scores[row as usize];
        }
        let mean = (n > 0).then(|| score / weight);
        let share =
            |nth: usize| sums.weights.iter().zip(&rows.parts.shares[nth]).map(|(w, p)| w * p).sum::<f64>();
        let prevalence = share(0) / weight;
        let benefit = rows
            .operating
            .threshold_chance
            .filter(|_| n > 0)
            .map(|chance| (share(2) - share(3) * chance / (1.0 - chance)) / weight);
        let scored = Scored::ALL.map(|figure| match figure {
            Scored::Auc => curve.as_ref().map(|curve| curve.auc),
            Scored::AveragePrecision => curve.as_ref().map(|curve| curve.average_precision),
            Scored::MeanScore => mean,
            Scored::CalibrationGap => mean.filter(|_| chances).map(|mean| prevalence - mean),
            Scored::ExpectedError => chances.then(|| calibration::expected_error(rows, &members)),
            Scored::NetBenefit => benefit,
        });
        Group { members, sums, seen, curve, scored }
    }
}

/// The fewest rows with, and without, the outcome for a curve. Of the resamples about `e^-k` hold none of `k`
/// rows: with five it is under 1%, with fewer an interval would only pretend to be one.
const LEAST_CLASS: u64 = 5;

/// Adds the products of one family.
fn family(
    (sums, across): (&mut [CellSums], &mut [Vec<Moments>]),
    (bases, sets): (&[usize], &[u8; Cells::DENOMINATORS]),
    parts: &[(usize, PerCell)],
    all: &PerCell,
) {
    for (place, part) in parts {
        let sums = &mut sums[*place];
        add_product(&mut sums.moments, part, part);
        add_product(&mut sums.with_whole, part, all);
        let cells = |holds: &dyn Fn(usize) -> bool| {
            (0..CELLS).fold(0, |held, cell| held | u8::from(holds(cell)) << cell)
        };
        let here = cells(&|cell| part[cell] > 0.0);
        let outside = cells(&|cell| all[cell] > part[cell]);
        for (nth, set) in sets.iter().enumerate() {
            let counts = set & here > 0;
            sums.clusters[nth] += u64::from(counts);
            sums.wholly[nth] += u64::from(counts && set & outside == 0);
        }
    }
    if parts.len() < 2 {
        return;
    }
    for (across, base) in across.iter_mut().zip(bases) {
        if let Some((_, there)) = parts.iter().find(|part| part.0 == *base) {
            for (place, here) in parts.iter().filter(|part| part.0 != *base) {
                add_product(&mut across[*place], here, there);
            }
        }
    }
}

fn add_product(moments: &mut Moments, left: &PerCell, right: &PerCell) {
    // Most families have rows in one cell only.
    for (row, left) in moments.iter_mut().zip(left).filter(|(_, left)| **left > 0.0) {
        for (entry, right) in row.iter_mut().zip(right) {
            *entry += left * right;
        }
    }
}

impl Group {
    /// Rows, as published.
    pub(super) fn n(&self, round: Option<u32>) -> u64 {
        published(self.members.len() as u64, round)
    }

    /// A figure of the scores.
    pub(super) fn scored(&self, figure: Scored) -> Option<f64> {
        self.scored[figure as usize]
    }

    /// How many families a figure hangs on, which are what is redrawn (rows, where they are independent): for curves those
    /// of the smaller class.
    pub(super) fn few(&self, curve: bool) -> u64 {
        let families = &self.sums.clusters;
        if curve { families[1].min(families[Cells::WITH]) } else { families[0] }
    }
}

impl Context<'_> {
    /// One of a group's shares, by its place among [`Cells::shares`].
    pub(super) fn rate(&self, group: &Group, nth: usize) -> Option<Rate> {
        // Without outcomes there is no share but that of the selected.
        if !self.rows.followed && nth != 1 {
            return None;
        }
        group.sums.rate(&self.rows.parts, nth, self.params.round_to)
    }

    fn people(&self) -> People {
        self.rows.people_of(1, |_| 0).swap_remove(0).all
    }

    /// Whether it may be known how many rows are tied at the end of a list, and for how many places: with its length that tells
    /// how many are above them, and below.
    pub(super) fn tie_seen(&self) -> bool {
        let parts = Number::Selection.parts(&self.rows.parts, &self.people());
        parts.into_iter().all(|parts| !few_of_either(parts, self.least()))
    }

    /// Which numbers of everybody may be known.
    pub(super) fn seen(&self) -> Seen {
        let people = self.people();
        let at_scores = self.rows.people_at_scores(1, |_| 0);
        let few = at_scores.iter().flatten().any(|at| few_of_either(at.parts, self.least()));
        let may = |number: Number| {
            let mut parts = number.parts(&self.rows.parts, &people).into_iter();
            match number {
                // What lies around its end does not show in how long a list is.
                Number::Selection => parts.next().is_none_or(|parts| !few_of_either(parts, self.least())),
                _ => parts.all(|parts| !few_of_either(parts, self.least())),
            }
        };
        let [outcome, selection, cells] = [Number::Outcome, Number::Selection, Number::Cells].map(may);
        Seen { outcome, selection, cells, scores: !few }
    }
}

/// The numbers of a group that are guarded.
#[derive(Debug, Clone, Copy)]
pub(super) enum Number {
    /// Its rows.
    Rows,
    /// Those with the outcome, and without.
    Outcome,
    /// Those selected, and not.
    Selection,
    /// The four cells of the confusion matrix.
    Cells,
    /// Those at one score with the outcome, and without, where scores have few values.
    AtScore,
}

impl Number {
    /// The number with its complement; of the cells, those with the outcome and those without it. Who is at which score no
    /// cell says: that is asked of [`Rows::people_at_scores`].
    ///
    /// Where rows are tied at the cut, a share counts a part of them, and from its fraction it can follow how many are
    /// tied, above and below: so those three are guarded as well.
    pub(super) fn parts(self, cells: &Cells, people: &People) -> Vec<Parts> {
        let around_the_cut = |above: u8, tied: u8, below: u8| {
            let [above, tied, below] = [above, tied, below].map(|cells| people.within(cells));
            cells.tied.then_some([[above, tied], [below; 2]]).into_iter().flatten()
        };
        let share = |nth: usize| share_parts(cells, people, nth);
        match self {
            Self::Rows => vec![[people.count(); 2]],
            Self::Outcome => vec![share(0)],
            Self::AtScore => Vec::new(),
            Self::Selection => {
                [share(1)].into_iter().chain(around_the_cut(0b00_1010, 0b11_0000, 0b00_0101)).collect()
            }
            Self::Cells => [share(2), share(3)]
                .into_iter()
                .chain(around_the_cut(0b00_1000, 0b10_0000, 0b00_0100))
                .chain(around_the_cut(0b00_0010, 0b01_0000, 0b00_0001))
                .collect(),
        }
    }

    /// The same of the people of a group, and of those who are new in it.
    pub(super) fn counted(self, cells: &Cells, people: &GroupPeople) -> Vec<Counted> {
        let parts = self.parts(cells, &people.all).into_iter().zip(self.parts(cells, &people.new));
        parts.map(|(parts, new)| Counted { parts, new }).collect()
    }
}

/// Of the people that a share is of: those it counts and those it does not, by its place among [`Cells::shares`]. Somebody
/// with several rows can be among both.
pub(super) fn share_parts(cells: &Cells, people: &People, nth: usize) -> Parts {
    let (counted, of) = (&cells.shares[nth], &cells.denominators[Cells::DENOMINATOR_OF[nth]]);
    let others: PerCell = std::array::from_fn(|cell| of[cell] - counted[cell]);
    [people.with(counted), people.with(&others)]
}

/// A count, rounded if asked for.
pub(super) fn published(count: u64, round: Option<u32>) -> u64 {
    round.map_or(count, |to| super::rates::rounded(count as f64, to))
}

/// A figure that is no share: if it is to be rounded, two significant digits, so that no count can be worked back.
pub(super) fn coarse(value: f64, round: bool) -> f64 {
    if !round || value.abs() < f64::MIN_POSITIVE || !value.is_finite() {
        return value;
    }
    let digits = 1 - value.abs().log10().floor() as i32;
    let scale = 10_f64.powi(digits.abs());
    if digits >= 0 { (value * scale).round() / scale } else { (value / scale).round() * scale }
}
