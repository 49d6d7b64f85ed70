//! What the two ways of resampling share: a block of resamples, its sums, and the numbers that are drawn for it.

use rand_xoshiro::rand_core::{Rng, SeedableRng};
use rand_xoshiro::{SplitMix64, Xoshiro256PlusPlus};

use super::cells::{CELLS, has_outcome};

/// Resamples that are made together: the bytes of one cache line.
pub(super) const LANES: usize = 64;

/// The chance, in 65,536ths, that a Poisson number with mean 1 is above 0, 1, 2 ... They sum to 65,536, so the mean
/// is exactly 1; the variance is 0.99997.
pub(super) const POISSON: [u16; 8] = [41_427, 17_317, 5_263, 1_244, 240, 39, 5, 1];

/// A number per lane.
pub(super) type Lanes<T> = [T; LANES];

/// A group column as the bootstrap sees it.
pub(super) struct Column<'a> {
    /// The code of each row.
    pub(super) codes: &'a [u16],
    /// The place of each code among the groups that are looked at, if it is.
    pub(super) places: Vec<Option<u16>>,
    /// How many groups are looked at.
    pub(super) groups: usize,
    /// The groups against whose curves all others' are held.
    pub(super) bases: Vec<usize>,
}

/// Sums of one block: for each place, bin and outcome, and for each place and cell of the confusion matrix.
pub(super) struct Block<T> {
    pub(super) bins: Vec<Lanes<T>>,
    pub(super) cells: Vec<Lanes<T>>,
}

/// The random numbers of a block, given as the seed and its number.
pub(super) fn stream((seed, block): (u64, u32)) -> Xoshiro256PlusPlus {
    let start = SplitMix64::seed_from_u64(seed).next_u64() ^ (u64::from(block) | 1 << 40);
    Xoshiro256PlusPlus::seed_from_u64(SplitMix64::seed_from_u64(start).next_u64())
}

impl<T: Copy + Default + std::ops::AddAssign> Block<T> {
    pub(super) fn new(places: usize, bins: usize) -> Self {
        let empty = [T::default(); LANES];
        Self { bins: vec![empty; places * bins * 2], cells: vec![empty; places * CELLS] }
    }

    /// Adds the numbers of one bin and cell.
    pub(super) fn add<S: Copy + Into<T>>(
        &mut self,
        place: usize,
        (bin, cell): (usize, usize),
        bins: usize,
        part: &Lanes<S>,
    ) {
        let bin = &mut self.bins[(place * bins + bin) * 2 + usize::from(has_outcome(cell))];
        for (sum, &part) in bin.iter_mut().zip(part) {
            *sum += part.into();
        }
        for (sum, &part) in self.cells[place * CELLS + cell].iter_mut().zip(part) {
            *sum += part.into();
        }
    }
}

/// A Poisson number with mean 1 for each lane: how many of the chances 16 random bits stay below.
#[inline]
pub(super) fn poisson(random: &mut Xoshiro256PlusPlus) -> Lanes<u8> {
    // As signed numbers, which processors compare in one step: the lowest stands for 0.
    const LIMITS: [i16; 8] = {
        let mut limits = [0; 8];
        let mut nth = 0;
        while nth < 8 {
            limits[nth] = (POISSON[nth] as i32 - 32_768) as i16;
            nth += 1;
        }
        limits
    };
    let mut even = [0_i16; LANES];
    for four in even.chunks_exact_mut(4) {
        let bits = random.next_u64();
        for (lane, part) in four.iter_mut().zip([bits, bits >> 16, bits >> 32, bits >> 48]) {
            *lane = part as i16;
        }
    }
    let mut above = [0_i16; LANES];
    for limit in LIMITS {
        for (above, even) in above.iter_mut().zip(&even) {
            *above += i16::from(*even < limit);
        }
    }
    above.map(|number| number as u8)
}
