//! Quantities of the fits that share a pass, worked on side by side.

use super::single::{STRIP, Strip};
use super::sparse::BLOCK;

/// Fits that share a pass: five folds and the fit of all rows. Six pairs of accumulators are also what the
/// sixteen vector registers of a plain x86-64 or ARM core hold.
pub(super) const LANES: usize = 6;
/// Strips of a block. 256 rows by 120 columns take 120 KiB, which stays in the second-level cache between
/// the two halves of a pass.
pub(super) const BLOCK_STRIPS: usize = BLOCK / STRIP;
/// Fits of a pass and two that are not there: a row's numbers are whole vectors.
pub(super) const PADDED: usize = 8;

/// A quantity of each fit of a pass.
pub(super) type Lanes<T> = [T; LANES];
/// Numbers of each row of a block for each fit.
pub(super) type ByRow = [[f32; PADDED]; BLOCK];

/// The products of one column with the residuals of all fits, summed over strips.
///
/// Apart from its caller, or the compiler shuffles the sums for the sake of what is done with them once.
#[inline(never)]
pub(super) fn slopes<'c>(cells: impl Iterator<Item = &'c Strip>, residuals: &[Lanes<Strip>]) -> Lanes<Strip> {
    let [mut a, mut b, mut c, mut d, mut e, mut f] = [[0.0; STRIP]; LANES];
    for (of, &cell) in residuals.iter().zip(cells) {
        a = plus_product(a, cell, of[0]);
        b = plus_product(b, cell, of[1]);
        c = plus_product(c, cell, of[2]);
        d = plus_product(d, cell, of[3]);
        e = plus_product(e, cell, of[4]);
        f = plus_product(f, cell, of[5]);
    }
    [a, b, c, d, e, f]
}

#[inline]
pub(super) fn plus_scaled(mut sum: Strip, cell: Strip, by: f32) -> Strip {
    for row in 0..STRIP {
        sum[row] += cell[row] * by;
    }
    sum
}

#[inline]
pub(super) fn plus_product(mut sum: Strip, cell: Strip, by: Strip) -> Strip {
    for row in 0..STRIP {
        sum[row] += cell[row] * by[row];
    }
    sum
}

#[inline]
pub(super) fn plus(sums: &mut [f32; PADDED], others: &[f32; PADDED], by: f32) {
    for (sum, other) in sums.iter_mut().zip(others) {
        *sum += by * other;
    }
}

/// Adds the numbers of a strip's rows.
pub(super) fn plus_rows(strips: &mut Lanes<Strip>, rows: &[[f32; PADDED]]) {
    for (place, row) in rows.iter().take(STRIP).enumerate() {
        strips.iter_mut().zip(row).for_each(|(strip, number)| strip[place] += number);
    }
}

/// The numbers of each row.
pub(super) fn by_rows(strips: &[Lanes<Strip>; BLOCK_STRIPS]) -> ByRow {
    let mut rows = [[0.0; PADDED]; BLOCK];
    for (rows, lanes) in rows.chunks_exact_mut(STRIP).zip(strips) {
        for (lane, strip) in lanes.iter().enumerate() {
            rows.iter_mut().zip(strip).for_each(|(row, &number)| row[lane] = number);
        }
    }
    rows
}

pub(super) fn add_masked(sums: &mut Lanes<f64>, strips: &Lanes<Strip>, mask: &Lanes<f64>) {
    for ((sum, strip), mask) in sums.iter_mut().zip(strips).zip(mask) {
        *sum += mask * total(strip);
    }
}

pub(super) fn total(strip: &Strip) -> f64 {
    let halves = [strip[0] + strip[4], strip[1] + strip[5], strip[2] + strip[6], strip[3] + strip[7]];
    f64::from(halves[0] + halves[2]) + f64::from(halves[1] + halves[3])
}
