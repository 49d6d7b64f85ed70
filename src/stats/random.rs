//! Random numbers that are the same on every machine and at any number of threads: each use has a stream of its own,
//! made from a seed and a number.

use rand_xoshiro::Xoshiro256PlusPlus;
use rand_xoshiro::rand_core::{Rng, SeedableRng};

/// Two to the 64th over the golden ratio, by which `SplitMix64` goes on.
const GOLDEN: u64 = 0x9E37_79B9_7F4A_7C15;

/// A well-mixed number of a seed and a key: the `seed + 1`-th of the `SplitMix64` sequence that starts at the key.
///
/// # References
/// G. L. Steele, D. Lea and C. H. Flood (2014), "Fast splittable pseudorandom number generators", *OOPSLA '14*,
/// 453-472.
#[inline]
pub(crate) fn mix(seed: u64, key: u64) -> u64 {
    let mut z = key.wrapping_add(seed.wrapping_add(1).wrapping_mul(GOLDEN));
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

/// [`mix`] with the seed put into the key, where it decides the folds and refits of training. Keys that are a step
/// apart then do not share numbers under neighbouring seeds.
#[inline]
pub(crate) fn mixed(seed: u64, key: u64) -> u64 {
    mix(0, key ^ seed.wrapping_mul(GOLDEN))
}

/// The stream of a number (a resample, a block) under a seed. Both go through a mixing step: neighbouring seeds or
/// numbers share no random numbers.
pub(crate) fn stream(seed: u64, number: u64) -> Xoshiro256PlusPlus {
    Xoshiro256PlusPlus::seed_from_u64(mix(0, mix(0, seed) ^ number))
}

/// A whole number below `bound` (> 0), each equally likely: a 32-bit number times `bound`, top half kept,
/// with the few draws that would favour some numbers thrown away (D. Lemire, 2019, "Fast random integer
/// generation in an interval", *ACM Transactions on Modeling and Computer Simulation* 29:3).
pub(crate) fn below(random: &mut impl Rng, bound: u32) -> u32 {
    loop {
        let product = (random.next_u64() >> 32) * u64::from(bound);
        let rest = product as u32;
        if rest >= bound || rest >= bound.wrapping_neg() % bound {
            return (product >> 32) as u32;
        }
    }
}

#[cfg(test)]
mod tests {
    use rand_xoshiro::SplitMix64;

    use super::*;

    #[test]
    fn mixing_is_splitmix() {
        // The first numbers of the reference program for seed 1234567.
        assert_eq!(mix(0, 1_234_567), 6_457_827_717_110_365_317);
        assert_eq!(mix(1, 1_234_567), 3_203_168_211_198_807_973);
        for key in [0, 1, 77, u64::MAX] {
            assert_eq!(mix(0, key), SplitMix64::seed_from_u64(key).next_u64());
            assert_eq!(mixed(5, key), mix(0, key ^ 5_u64.wrapping_mul(GOLDEN)));
            assert_eq!(mixed(0, key), mix(0, key));
        }
    }

    #[test]
    fn streams_differ_by_seed_and_number_and_come_again() {
        let first = |seed, number| stream(seed, number).next_u64();
        assert_eq!(first(3, 4), first(3, 4));
        let all = [first(3, 4), first(4, 3), first(3, 5), first(4, 4), first(0, 7), first(7, 0)];
        for (place, one) in all.iter().enumerate() {
            assert!(!all[..place].contains(one));
        }
    }

    #[test]
    fn bounded_numbers_are_equally_likely() {
        let mut random = stream(1, 2);
        let mut times = [0_u32; 7];
        for _ in 0..28_000 {
            times[below(&mut random, 7) as usize] += 1;
        }
        // 4,000 each, give or take 59; five times that is allowed.
        assert!(times.iter().all(|count| count.abs_diff(4_000) < 293), "{times:?}");
        assert_eq!(below(&mut random, 1), 0);
    }
}
