//! Texts that are numbered in a row (`P0000001`, `P0000002`): found by their number's place in a table.
//!
//! A hash spreads neighbours over all of memory, and each look waits for it; these tables take four bytes a number, and ids of
//! one council are numbered nearly without gaps. What does not fit goes where all other texts do.

/// Series of numbered texts, by what they have besides their numbers.
#[derive(Debug, Default, Clone)]
pub(super) struct Numbered {
    series: Vec<Series>,
}

#[derive(Debug, Clone)]
struct Series {
    /// A text of the series with zeros for its number.
    zero: u128,
    /// The code of each number, or [`NONE`].
    codes: Vec<u32>,
    /// How many texts of the series came, taken in or not.
    came: usize,
}

/// No code.
const NONE: u32 = u32::MAX;
/// A council has ids of a few kinds, and each is compared with all of them.
const MOST_SERIES: usize = 4;
/// Places for each text that came: numbers with wider gaps are not numbered in a row.
const PLACES_EACH: usize = 8;
/// Places that a series has before many came.
const FIRST_PLACES: usize = 1 << 10;
/// Digits that are read as a number; those before them are part of what a series has besides.
const MOST_DIGITS: usize = 7;

impl Numbered {
    /// The code of a short text, packed into a number as in the dictionary, if it was taken in here.
    #[inline]
    pub(super) fn find(&self, packed: u128) -> Option<u32> {
        let (zero, number) = split(packed)?;
        let series = self.series.iter().find(|series| series.zero == zero)?;
        series.codes.get(number).copied().filter(|&code| code != NONE)
    }

    /// Takes a text in that was not found anywhere, or says that it has to be kept elsewhere.
    pub(super) fn take_in(&mut self, packed: u128, code: u32) -> bool {
        let Some((zero, number)) = split(packed) else { return false };
        let place = self.series.iter().position(|series| series.zero == zero);
        let Some(place) = place.or_else(|| self.begun(zero)) else { return false };
        let series = &mut self.series[place];
        series.came += 1;
        if number >= FIRST_PLACES + PLACES_EACH * series.came {
            return false;
        }
        if series.codes.len() <= number {
            series.codes.resize(number + 1, NONE);
        }
        series.codes[number] = code;
        true
    }

    fn begun(&mut self, zero: u128) -> Option<usize> {
        if self.series.len() == MOST_SERIES {
            return None;
        }
        self.series.push(Series { zero, codes: Vec::new(), came: 0 });
        Some(self.series.len() - 1)
    }
}

/// A packed text that ends in digits as the same text with zeros for them, and the number that they are.
///
/// The two together are the text: how many digits there are to put back, the zeros tell.
#[inline]
fn split(packed: u128) -> Option<(u128, usize)> {
    const ZEROS: u64 = 0x3030_3030_3030_3030;
    const HIGHEST: u64 = 0x8080_8080_8080_8080;
    let length = (packed >> 120) as usize;
    // The last eight bytes, the last of them in the highest place; of a shorter text those before it are no digits.
    let shift = 8 * (length as i32 - 8);
    let last = if shift >= 0 { (packed >> shift) as u64 } else { (packed << -shift) as u64 };
    let values = last ^ ZEROS;
    // A byte above nine sets its highest bit; none carries into the next.
    let no_digit = (((values & !HIGHEST) + 0x7676_7676_7676_7676) | values) & HIGHEST;
    let digits = (no_digit.leading_zeros() as usize / 8).min(MOST_DIGITS);
    if digits == 0 {
        return None;
    }
    let all = u64::MAX << (64 - 8 * digits);
    let place = |bytes: u64| {
        let bytes = u128::from(bytes);
        if shift >= 0 { bytes << shift } else { bytes >> -shift }
    };
    Some((packed ^ place(values & all), number(values & all)))
}

/// Eight digits as a number, the first in the lowest byte: neighbours are joined three times.
#[inline]
fn number(digits: u64) -> usize {
    let pairs = (digits & 0x0f0f_0f0f_0f0f_0f0f).wrapping_mul((10 << 8) + 1) >> 8;
    let fours = (pairs & 0x00ff_00ff_00ff_00ff).wrapping_mul((100 << 16) + 1) >> 16;
    let eight = (fours & 0x0000_ffff_0000_ffff).wrapping_mul((10_000 << 32) + 1) >> 32;
    eight as usize
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::records::dictionary::packed;

    #[test]
    fn a_text_is_its_series_and_its_number() {
        let zero = |text: &str| packed(text).unwrap();
        for (text, series, number) in [
            ("P0000123", "P0000000", 123),
            ("P123", "P000", 123),
            ("7", "0", 7),
            ("0", "0", 0),
            ("12345678", "10000000", 2_345_678),
            ("AB-99-9999999", "AB-99-0000000", 9_999_999),
            ("K/2013/00001234", "K/2013/00000000", 1_234),
            ("a\0b\u{1}1", "a\0b\u{1}0", 1),
        ] {
            assert_eq!(split(packed(text).unwrap()), Some((zero(series), number)), "{text:?}");
        }
        for text in ["", "P", "12A", "1 ", "3.5e", "12\u{e9}", "\u{661}", "1\0"] {
            assert_eq!(split(packed(text).unwrap()), None, "{text:?}");
        }
    }

    #[test]
    fn numbers_with_wide_gaps_and_other_series_are_kept_elsewhere() {
        let mut numbered = Numbered::default();
        assert!(numbered.take_in(packed("P0000001").unwrap(), 0));
        assert!(!numbered.take_in(packed("P9999999").unwrap(), 1));
        assert!(!numbered.take_in(packed("Pxx").unwrap(), 2));
        assert!(numbered.series[0].codes.len() < 3 * FIRST_PLACES);
        for head in ["Q", "R", "S"] {
            assert!(numbered.take_in(packed(&format!("{head}1")).unwrap(), 3));
        }
        assert!(!numbered.take_in(packed("T1").unwrap(), 4));
        let found = ["P0000001", "P9999999", "Pxx", "Q1", "T1", "P1"];
        assert_eq!(
            found.map(|text| numbered.find(packed(text).unwrap())),
            [Some(0), None, None, Some(3), None, None]
        );
    }

    proptest! {
        #[test]
        fn only_a_text_that_was_taken_in_is_found(
            texts in prop::collection::vec("(P|PX|A\u{0}|\u{e9}|[0-9])?[0-9\u{0}a]{0,9}", 0..60),
            others in prop::collection::vec("(P|PX|A\u{0}|\u{e9}|[0-9])?[0-9\u{0}a]{0,9}", 0..60),
        ) {
            let mut numbered = Numbered::default();
            let mut taken = std::collections::HashMap::new();
            for (code, text) in (0..).zip(&texts) {
                if !taken.contains_key(text) && numbered.take_in(packed(text).unwrap(), code) {
                    taken.insert(text, code);
                }
            }
            for text in texts.iter().chain(&others) {
                prop_assert_eq!(numbered.find(packed(text).unwrap()), taken.get(text).copied(), "{:?}", text);
            }
        }
    }
}
