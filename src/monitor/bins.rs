//! Values put into ordered bins.

use crate::features::{Cell, NEW_CODE};
use crate::stats::round_between;

/// What stands for the two absences in an order of values: both come before every value.
const NOT_COVERED: f64 = f64::NEG_INFINITY;
const MISSING: f64 = f64::MIN;

/// A cell as a number that sorts: not covered, then missing, then values.
pub(super) fn sortable(cell: Cell) -> f64 {
    match cell {
        Cell::Value(value) => f64::from(value),
        Cell::Missing => MISSING,
        Cell::NotCovered => NOT_COVERED,
    }
}

/// Ordered bins: one for not covered, one for missing, and those of the values.
pub(super) struct Bins {
    /// The highest value of each bin of values but the last, which has no end.
    cuts: Vec<f64>,
    /// What is told of each cut: the roundest number from there to the next value, since the cut itself is somebody's.
    told: Vec<f64>,
    /// What the bins of values hold, where each is one code's.
    codes: Vec<String>,
}

impl Bins {
    /// The bins of these values (sorted; absences among them are passed over), cut at their `parts`-quantiles:
    /// the smallest values that so many parts of them do not exceed. Where a value repeats, cuts fall
    /// together and bins are fewer. Values that are all the same have a bin of their own, with one below and
    /// one above it: whatever comes later is then something new.
    pub(super) fn of(sorted: &[f64], parts: usize) -> Self {
        let values = &sorted[sorted.partition_point(|&value| value <= MISSING)..];
        let (Some(&first), Some(&last)) = (values.first(), values.last()) else {
            return Self::cut_at(Vec::new());
        };
        if first.total_cmp(&last).is_eq() {
            return Self::cut_at(vec![first.next_down(), first]);
        }
        let quantile = |part: usize| values[(part * values.len()).div_ceil(parts) - 1];
        let mut cuts: Vec<f64> = (1..parts).map(quantile).filter(|&cut| cut < last).collect();
        cuts.dedup();
        let next = |cut: f64| values[values.partition_point(|&held| held <= cut)];
        let told = cuts.iter().map(|&cut| 0.0 - round_between(-next(cut), -cut)).collect();
        Self { told, ..Self::cut_at(cuts) }
    }

    fn cut_at(cuts: Vec<f64>) -> Self {
        Self { told: cuts.clone(), cuts, codes: Vec::new() }
    }

    /// A bin for each of these codes, and one for any other.
    pub(super) fn of_codes(codes: &[String]) -> Self {
        let names = codes.iter().cloned().chain([NEW_CODE.to_owned()]);
        Self { codes: names.collect(), ..Self::cut_at((0..codes.len()).map(|code| code as f64).collect()) }
    }

    /// How many bins there are.
    pub(super) fn len(&self) -> usize {
        self.cuts.len() + 3
    }

    /// The bin of a value: 0 not covered, 1 missing, then upwards.
    pub(super) fn place(&self, value: f64) -> u16 {
        if value <= MISSING {
            return u16::from(value > NOT_COVERED);
        }
        2 + self.cuts.partition_point(|&cut| cut < value) as u16
    }

    /// What a bin holds, in words.
    pub(super) fn words(&self, bin: usize) -> String {
        let cut = |place: usize| format!("{}", (self.told[place] * 1e4).round() / 1e4);
        match bin {
            0 => "not covered".to_owned(),
            1 => "missing".to_owned(),
            _ if !self.codes.is_empty() => self.codes[bin - 2].clone(),
            _ if self.cuts.is_empty() => "any value".to_owned(),
            2 => format!("up to {}", cut(0)),
            _ if bin - 2 == self.cuts.len() => format!("over {}", cut(bin - 3)),
            _ => format!("over {} up to {}", cut(bin - 3), cut(bin - 2)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bins_are_cut_at_quantiles() {
        let many: Vec<f64> = (0..100).map(f64::from).collect();
        let bins = Bins::of(&many, 10);
        assert_eq!(bins.len(), 12);
        assert_eq!((bins.place(-5.0), bins.place(9.0), bins.place(9.5), bins.place(1e9)), (2, 2, 3, 11));
        assert_eq!((bins.place(sortable(Cell::NotCovered)), bins.place(sortable(Cell::Missing))), (0, 1));
        assert_eq!(bins.place(sortable(Cell::Value(f32::MIN))), 2);
        // Mostly zeros: the zeros are one bin, the few others another.
        let mut counts = vec![0.0; 95];
        counts.extend([1.0, 1.0, 2.0, 3.0, 9.0]);
        let bins = Bins::of(&counts, 10);
        assert_eq!((bins.len(), bins.place(0.0), bins.place(1.0), bins.place(9.0)), (4, 2, 3, 3));
        assert_eq!((bins.words(2), bins.words(3)), ("up to 0".to_owned(), "over 0".to_owned()));
    }

    #[test]
    fn no_cut_is_told_that_is_somebodys_amount() {
        let amounts: Vec<f64> = (0..100).map(|nth| 13.37 + 17.11 * f64::from(nth)).collect();
        let bins = Bins::of(&amounts, 10);
        assert_eq!(bins.len(), 12);
        assert!(bins.told.iter().all(|cut| !amounts.contains(cut)), "{:?}", bins.told);
        assert!(bins.cuts.iter().zip(&bins.told).all(|(cut, told)| cut < told && *told < cut + 17.11));
        let mut counts = [0; 12];
        for &amount in &amounts {
            counts[usize::from(bins.place(amount))] += 1;
        }
        assert_eq!(counts[2..], [10; 10]);
    }

    #[test]
    fn values_all_the_same_have_a_bin_of_their_own() {
        let bins = Bins::of(&[NOT_COVERED, MISSING, 4.0, 4.0], 10);
        assert_eq!((bins.place(3.9), bins.place(4.0), bins.place(4.1)), (2, 3, 4));
        assert_eq!(Bins::of(&[MISSING], 10).len(), 3);
        assert_eq!(Bins::of(&[], 10).len(), 3);
    }
}
