//! The bootstrap of one column where rows are independent and of equal weight.
//!
//! Rows of one group, score bin and cell of the confusion matrix are then alike in all that a resample measures.
//! What they count together, the sum of `n` Poisson numbers with mean 1, is a Poisson number with mean `n`: so it is
//! drawn at once, and a resample takes a time that does not grow with the rows.

use rand_xoshiro::Xoshiro256PlusPlus;
use rand_xoshiro::rand_core::Rng;

use super::block::{Block, Column, LANES, Lanes, poisson, stream};
use super::cells::CELLS;
use super::rows::Rows;

/// Means from here on are drawn in parts that are this times a power of two: so tables stay few and small.
const LARGE: u32 = 1_024;
/// Up to so many rows, each row's number is drawn by itself, which is then quicker.
const SINGLY: u32 = 2;

/// How many rows of a column are alike.
pub(super) struct Pooled {
    bins: usize,
    groups: usize,
    /// In the order of bins, and of cells within a bin.
    alike: Vec<Alike>,
    /// Drawers for means below [`LARGE`], each at its mean, where it is needed.
    small: Vec<Option<Drawer>>,
    /// Drawers for [`LARGE`] times 1, 2, 4, ...
    large: Vec<Drawer>,
}

/// Rows of one bin, cell and place; the place after the last group is that of rows that are not looked at.
struct Alike {
    bin: usize,
    cell: usize,
    place: usize,
    rows: u32,
}

impl Pooled {
    pub(super) fn new(rows: &Rows, column: &Column<'_>) -> Self {
        let wide = column.groups + 1;
        let mut counts = vec![0_u32; rows.bin_count * CELLS * wide];
        for (row, code) in column.codes.iter().enumerate() {
            let place = column.places[usize::from(*code)].map_or(column.groups, usize::from);
            counts[(usize::from(rows.bins[row]) * CELLS + usize::from(rows.cells[row])) * wide + place] += 1;
        }
        let alike: Vec<Alike> = counts
            .iter()
            .enumerate()
            .filter(|&(_, &rows)| rows > 0)
            .map(|(at, &rows)| Alike {
                bin: at / wide / CELLS,
                cell: at / wide % CELLS,
                place: at % wide,
                rows,
            })
            .collect();
        let mut small = Vec::new();
        small.resize_with(LARGE as usize, || None);
        for Alike { rows, .. } in &alike {
            let rest = rows % LARGE;
            if rest > 0 && *rows > SINGLY {
                small[rest as usize].get_or_insert_with(|| Drawer::new(rest));
            }
        }
        let most = alike.iter().map(|alike| alike.rows / LARGE).max().unwrap_or(0);
        let large = (0..u32::BITS - most.leading_zeros()).map(|power| Drawer::new(LARGE << power)).collect();
        Self { bins: rows.bin_count, groups: column.groups, alike, small, large }
    }

    /// The sums of a block; without one, every row counts once.
    pub(super) fn counts(&self, block: Option<(u64, u32)>) -> Block<u32> {
        let mut random = block.map(stream);
        let mut sums = Block::new(self.groups + 1, self.bins);
        for run in self.alike.chunk_by(|a, b| (a.bin, a.cell) == (b.bin, b.cell)) {
            let mut all = [0_u32; LANES];
            let (bin, cell) = (run[0].bin, run[0].cell);
            for alike in run {
                let drawn = match &mut random {
                    None => [alike.rows; LANES],
                    Some(random) => self.draw(alike.rows, random),
                };
                for (all, drawn) in all.iter_mut().zip(&drawn) {
                    *all += drawn;
                }
                if alike.place < self.groups {
                    sums.add(alike.place, (bin, cell), self.bins, &drawn);
                }
            }
            sums.add(self.groups, (bin, cell), self.bins, &all);
        }
        sums
    }

    fn draw(&self, rows: u32, random: &mut Xoshiro256PlusPlus) -> Lanes<u32> {
        let mut drawn = [0; LANES];
        if rows <= SINGLY {
            for _ in 0..rows {
                for (drawn, times) in drawn.iter_mut().zip(poisson(random)) {
                    *drawn += u32::from(times);
                }
            }
            return drawn;
        }
        if let Some(Some(drawer)) = self.small.get((rows % LARGE) as usize) {
            drawer.add(random, &mut drawn);
        }
        for (power, drawer) in self.large.iter().enumerate() {
            if (rows / LARGE) >> power & 1 == 1 {
                drawer.add(random, &mut drawn);
            }
        }
        drawn
    }
}

/// Draws Poisson numbers of one mean, each from 32 random bits: the first of them choose a slot, and the others
/// between the slot's two numbers. Chances are exact to a few parts in 2^32.
///
/// # References
/// M. D. Vose (1991), "A linear algorithm for generating random numbers with a given distribution", *IEEE
/// Transactions on Software Engineering* 17:972-975, after A. J. Walker (1977).
struct Drawer {
    /// The number that the first slot stands for.
    first: u32,
    /// The slots are two to this power.
    power: u32,
    slots: Vec<Slot>,
}

/// A slot's own number is drawn where the other bits stay below `limit`.
#[derive(Debug, Clone, Copy)]
struct Slot {
    limit: u32,
    other: u32,
}

impl Drawer {
    fn new(mean: u32) -> Self {
        let chances = Chances::new(mean);
        let slots = chances.shares.len();
        let power = slots.trailing_zeros();
        let mut shares = chances.shares;
        let mut made = vec![Slot { limit: u32::MAX, other: 0 }; slots];
        for (nth, slot) in made.iter_mut().enumerate() {
            slot.other = chances.first + nth as u32;
        }
        let (mut under, mut over): (Vec<usize>, Vec<usize>) = (0..slots).partition(|&nth| shares[nth] < 1.0);
        while let (Some(&low), Some(&high)) = (under.last(), over.last()) {
            under.pop();
            made[low] =
                Slot { limit: (shares[low] * 4_294_967_296.0) as u32, other: chances.first + high as u32 };
            shares[high] -= 1.0 - shares[low];
            if shares[high] < 1.0 {
                over.pop();
                under.push(high);
            }
        }
        Self { first: chances.first, power, slots: made }
    }

    #[inline]
    fn add(&self, random: &mut Xoshiro256PlusPlus, into: &mut Lanes<u32>) {
        for two in into.chunks_exact_mut(2) {
            let bits = random.next_u64();
            two[0] += self.number(bits as u32);
            two[1] += self.number((bits >> 32) as u32);
        }
    }

    #[inline]
    fn number(&self, bits: u32) -> u32 {
        let nth = bits >> (u32::BITS - self.power);
        let slot = self.slots[nth as usize];
        if bits << self.power < slot.limit { self.first + nth } else { slot.other }
    }
}

/// The chances of a Poisson number, in units of one slot.
struct Chances {
    first: u32,
    shares: Vec<f64>,
}

impl Chances {
    /// Those within eight standard deviations (and a few numbers more, for small means): all but 1 in 10^13.
    fn new(mean: u32) -> Self {
        let reach = (8.0 * f64::from(mean).sqrt()).ceil() as u32 + 1;
        let first = mean.saturating_sub(reach);
        let slots = (mean + reach + 16 - first).next_power_of_two();
        let mut shares = vec![0.0; slots as usize];
        let (middle, average) = ((mean - first) as usize, f64::from(mean));
        shares[middle] = 1.0;
        for nth in middle + 1..shares.len() {
            shares[nth] = shares[nth - 1] * average / (f64::from(first) + nth as f64);
        }
        for nth in (0..middle).rev() {
            shares[nth] = shares[nth + 1] * (f64::from(first) + nth as f64 + 1.0) / average;
        }
        let scale = f64::from(slots) / shares.iter().sum::<f64>();
        for share in &mut shares {
            *share *= scale;
        }
        Self { first, shares }
    }
}

#[cfg(test)]
mod tests {
    use rand_xoshiro::rand_core::SeedableRng;

    use super::*;

    /// The chances that the slots give to each number, against the Poisson distribution by its own formula.
    #[test]
    fn slots_give_the_chances_of_the_distribution() {
        for mean in [1, 3, 17, 200, 1_023, 4_096] {
            let drawer = Drawer::new(mean);
            let size = 1.0 / drawer.slots.len() as f64;
            let mut chances = std::collections::BTreeMap::new();
            for (nth, slot) in drawer.slots.iter().enumerate() {
                let own = f64::from(slot.limit) / 4_294_967_296.0;
                *chances.entry(drawer.first + nth as u32).or_insert(0.0) += own * size;
                *chances.entry(slot.other).or_insert(0.0) += (1.0 - own) * size;
            }
            let average = f64::from(mean);
            let mut log = -average;
            for number in 0..4 * mean + 30 {
                if number > 0 {
                    log += (average / f64::from(number)).ln();
                }
                let found = chances.get(&number).copied().unwrap_or(0.0);
                assert!((found - log.exp()).abs() < 3e-9, "{mean}: {number}: {found} {}", log.exp());
            }
        }
    }

    #[test]
    fn numbers_drawn_have_the_mean_and_the_variance_of_their_rows() {
        let small = (0..LARGE).map(|mean| (mean == 452).then(|| Drawer::new(mean))).collect();
        let large = vec![Drawer::new(LARGE), Drawer::new(2 * LARGE)];
        let pooled = Pooled { bins: 1, groups: 0, alike: Vec::new(), small, large };
        let mut random = Xoshiro256PlusPlus::seed_from_u64(7);
        for rows in [1, 2, 452, LARGE, 3 * LARGE + 452] {
            let drawn: Vec<f64> =
                (0..2_000).flat_map(|_| pooled.draw(rows, &mut random)).map(f64::from).collect();
            let n = drawn.len() as f64;
            let mean = drawn.iter().sum::<f64>() / n;
            let variance = drawn.iter().map(|number| (number - mean).powi(2)).sum::<f64>() / n;
            let expected = f64::from(rows);
            // Five standard errors; the variance of a variance is about 2 v² / n, and more for small means.
            assert!((mean - expected).abs() < 5.0 * (expected / n).sqrt(), "{rows}: {mean}");
            assert!((variance / expected - 1.0).abs() < 5.0 * (3.0 / n).sqrt(), "{rows}: {variance}");
        }
    }
}
