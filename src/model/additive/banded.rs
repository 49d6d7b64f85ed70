//! Symmetric positive-definite matrices with a narrow band: solving, and the inverse within the band.

/// The lower half of a symmetric matrix that is zero beyond `band` places from the diagonal.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Banded {
    size: usize,
    band: usize,
    /// Row by row: the diagonal, then the entries left of it, the nearest first.
    entries: Vec<f64>,
}

impl Banded {
    pub(super) fn zero(size: usize, band: usize) -> Self {
        Self { size, band, entries: vec![0.0; size * (band + 1)] }
    }

    /// The entry in `row`, `left` places left of the diagonal.
    #[inline]
    pub(super) fn at(&self, row: usize, left: usize) -> f64 {
        self.entries[row * (self.band + 1) + left]
    }

    #[inline]
    pub(super) fn add(&mut self, row: usize, left: usize, by: f64) {
        self.entries[row * (self.band + 1) + left] += by;
    }

    /// Cholesky's factor. A pivot that rounding took to zero is held above it: the penalties make the
    /// matrices met here positive definite.
    pub(super) fn factor(mut self) -> Factor {
        let width = self.band + 1;
        for row in 0..self.size {
            for left in (0..=self.band.min(row)).rev() {
                let column = row - left;
                let shared = self.band.min(column).min(self.band - left);
                let mut sum = self.entries[row * width + left];
                for back in 1..=shared {
                    sum -= self.entries[row * width + left + back] * self.entries[column * width + back];
                }
                self.entries[row * width + left] = if left == 0 {
                    sum.max(f64::MIN_POSITIVE.sqrt()).sqrt()
                } else {
                    sum / self.entries[column * width]
                };
            }
        }
        Factor(self)
    }
}

/// A lower triangle whose product with its transpose is the matrix.
#[derive(Debug, Clone)]
pub(super) struct Factor(Banded);

impl Factor {
    /// Solves for the right-hand side in place.
    pub(super) fn solve(&self, side: &mut [f64]) {
        let Banded { size, band, .. } = self.0;
        for row in 0..size {
            let mut sum = side[row];
            for left in 1..=band.min(row) {
                sum -= self.0.at(row, left) * side[row - left];
            }
            side[row] = sum / self.0.at(row, 0);
        }
        for row in (0..size).rev() {
            let mut sum = side[row];
            for below in 1..=band.min(size - 1 - row) {
                sum -= self.0.at(row + below, below) * side[row + below];
            }
            side[row] = sum / self.0.at(row, 0);
        }
    }

    /// The logarithm of the matrix's determinant.
    pub(super) fn log_determinant(&self) -> f64 {
        (0..self.0.size).map(|row| 2.0 * self.0.at(row, 0).ln()).sum()
    }

    /// The inverse within the band, by Takahashi's recurrence (Takahashi, Fagan and Chin 1973; Erisman
    /// and Tinney 1975): the rest of the inverse is never formed.
    pub(super) fn inverse_in_band(&self) -> Banded {
        let Banded { size, band, .. } = self.0;
        let mut inverse = Banded::zero(size, band);
        let entry = |inverse: &Banded, a: usize, b: usize| {
            let (row, left) = if a > b { (a, a - b) } else { (b, b - a) };
            inverse.at(row, left)
        };
        for column in (0..size).rev() {
            let reach = band.min(size - 1 - column);
            let pivot = self.0.at(column, 0);
            for below in (1..=reach).rev() {
                let row = column + below;
                let mut sum = 0.0;
                for k in 1..=reach {
                    sum += self.0.at(column + k, k) * entry(&inverse, row, column + k);
                }
                inverse.add(row, below, -sum / pivot);
            }
            let mut sum = 0.0;
            for k in 1..=reach {
                sum += self.0.at(column + k, k) * inverse.at(column + k, k);
            }
            inverse.add(column, 0, (1.0 / pivot - sum) / pivot);
        }
        inverse
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A positive-definite matrix with a band, in full and as a band.
    fn example(size: usize, band: usize) -> (Vec<Vec<f64>>, Banded) {
        let mut full = vec![vec![0.0; size]; size];
        let mut narrow = Banded::zero(size, band);
        for row in 0..size {
            for left in 0..=band.min(row) {
                let value = if left == 0 {
                    6.0 + row as f64 % 3.0
                } else {
                    ((row * 7 + left * 3) % 5) as f64 / 5.0 - 0.4
                };
                full[row][row - left] = value;
                full[row - left][row] = value;
                narrow.add(row, left, value);
            }
        }
        (full, narrow)
    }

    #[test]
    fn a_solution_solves_and_the_inverse_inverts() {
        for (size, band) in [(1, 0), (5, 0), (6, 1), (9, 3), (30, 6)] {
            let (full, narrow) = example(size, band);
            let factor = narrow.factor();
            let inverse = factor.inverse_in_band();
            for unit in 0..size {
                let mut column = vec![0.0; size];
                column[unit] = 1.0;
                factor.solve(&mut column);
                for (row, full) in full.iter().enumerate() {
                    let product: f64 = full.iter().zip(&column).map(|(a, b)| a * b).sum();
                    assert!((product - f64::from(u8::from(row == unit))).abs() < 1e-12);
                }
                for left in 0..=band.min(unit) {
                    assert!((inverse.at(unit, left) - column[unit - left]).abs() < 1e-12, "{size} {band}");
                }
            }
        }
    }
}
