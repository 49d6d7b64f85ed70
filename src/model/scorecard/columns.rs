//! Yes/no columns in bits, and how often each says yes at each total of points.

use std::sync::Arc;

/// A yes/no column, one bit a case.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct YesNo {
    words: Vec<u64>,
    rows: usize,
}

impl YesNo {
    /// How many cases.
    pub(crate) fn rows(&self) -> usize {
        self.rows
    }

    /// For how many cases it says yes.
    pub(crate) fn ones(&self) -> usize {
        self.words.iter().map(|word| word.count_ones() as usize).sum()
    }

    /// What it says of a case.
    #[inline]
    pub(crate) fn get(&self, row: usize) -> bool {
        self.words[row / 64] >> (row % 64) & 1 == 1
    }

    /// The bits themselves, to tell columns apart.
    pub(super) fn fingerprint(self) -> Vec<u64> {
        self.words
    }

    /// The column that says yes where this says no.
    pub(super) fn opposite(&self) -> Self {
        let mut words: Vec<u64> = self.words.iter().map(|word| !word).collect();
        if let Some(last) = words.last_mut()
            && !self.rows.is_multiple_of(64)
        {
            *last &= (1 << (self.rows % 64)) - 1;
        }
        Self { words, rows: self.rows }
    }

    /// Adds `step` to the total of every case of which it says yes.
    pub(super) fn add_to(&self, totals: &mut [i32], step: i32) {
        for (block, &word) in totals.chunks_mut(64).zip(&self.words) {
            for (place, total) in block.iter_mut().enumerate() {
                *total += step * (word >> place & 1) as i32;
            }
        }
    }

    /// The sum of the weights (of ones, if there are none) where it says yes.
    pub(super) fn mass(&self, weights: Option<&[u32]>) -> u64 {
        match weights {
            None => self.ones() as u64,
            Some(weights) => {
                let held = weights.iter().enumerate().filter(|&(row, _)| self.get(row));
                held.map(|(_, &weight)| u64::from(weight)).sum()
            }
        }
    }

    /// The cases of which both say yes.
    pub(super) fn and(&self, other: &Self) -> Self {
        Self { words: self.words.iter().zip(&other.words).map(|(a, b)| a & b).collect(), rows: self.rows }
    }
}

impl FromIterator<bool> for YesNo {
    fn from_iter<I: IntoIterator<Item = bool>>(cases: I) -> Self {
        let (mut words, mut word, mut rows) = (Vec::new(), 0_u64, 0);
        for yes in cases {
            word |= u64::from(yes) << (rows % 64);
            rows += 1;
            if rows % 64 == 0 {
                words.push(std::mem::take(&mut word));
            }
        }
        if rows % 64 != 0 {
            words.push(word);
        }
        Self { words, rows }
    }
}

/// The columns turned on their side: for each case a run of words with a bit for each column, so that one
/// walk over the cases counts all columns at once.
pub(super) struct Table {
    columns: usize,
    /// Words a case.
    words: usize,
    bits: Vec<u64>,
    /// Weights in whole units, so that sums do not depend on the order of the cases.
    weights: Option<Arc<[u32]>>,
    rows: usize,
}

impl Table {
    pub(super) fn new(columns: &[&YesNo], rows: usize, weights: Option<Arc<[u32]>>) -> Self {
        let words = columns.len().div_ceil(64);
        let mut bits = vec![0_u64; rows * words];
        let mut square = [0_u64; 64];
        for (place, group) in columns.chunks(64).enumerate() {
            for block in 0..rows.div_ceil(64) {
                square.fill(0);
                for (line, column) in square.iter_mut().zip(group) {
                    *line = column.words[block];
                }
                transpose(&mut square);
                let first = block * 64;
                for (offset, &line) in square.iter().enumerate().take(rows - first) {
                    bits[(first + offset) * words + place] = line;
                }
            }
        }
        Self { columns: columns.len(), words, bits, weights, rows }
    }

    pub(super) fn rows(&self) -> usize {
        self.rows
    }

    pub(super) fn weights(&self) -> Option<Arc<[u32]>> {
        self.weights.clone()
    }

    /// Counts, for each total of points, all cases and those of which each column says yes.
    pub(super) fn tally(&self, totals: &[i32]) -> Tally {
        let low = totals.iter().copied().min().unwrap_or(0);
        let high = totals.iter().copied().max().unwrap_or(0);
        let width = (high - low + 1) as usize;
        let mut starts = vec![0_u32; width + 1];
        for &total in totals {
            starts[(total - low) as usize + 1] += 1;
        }
        for place in 0..width {
            starts[place + 1] += starts[place];
        }
        let mut order = vec![0_u32; self.rows];
        let mut next = starts.clone();
        for (row, &total) in totals.iter().enumerate() {
            let place = &mut next[(total - low) as usize];
            order[*place as usize] = row as u32;
            *place += 1;
        }
        let mut tally =
            Tally { low, columns: self.columns, all: vec![0.0; width], yes: vec![0.0; width * self.columns] };
        let mut counters = vec![[0_u64; PLANES]; self.words];
        let mut counts = vec![0_u64; self.columns];
        for place in 0..width {
            let rows = &order[starts[place] as usize..starts[place + 1] as usize];
            counts.fill(0);
            tally.all[place] = match &self.weights {
                None => {
                    self.count(rows, &mut counters, &mut counts);
                    rows.len() as f64
                }
                Some(weights) => {
                    self.weigh(rows, weights, &mut counts);
                    rows.iter().map(|&row| u64::from(weights[row as usize])).sum::<u64>() as f64
                }
            };
            for (yes, &count) in tally.yes[place * self.columns..].iter_mut().zip(&counts) {
                *yes = count as f64;
            }
        }
        tally
    }

    fn bits_of(&self, row: u32) -> &[u64] {
        &self.bits[row as usize * self.words..][..self.words]
    }

    /// Counts the ones of each column over some cases, 64 columns at a time: plane `b` of a counter holds
    /// bit `b` of 64 counts. Cases go in 32 or 8 at once, through full adders.
    fn count(&self, rows: &[u32], counters: &mut [[u64; PLANES]], out: &mut [u64]) {
        let words = counters.len();
        let case = |row: u32| &self.bits_of(row)[..words];
        let large = rows.chunks_exact(32);
        let small = large.remainder().chunks_exact(8);
        for &row in small.remainder() {
            for (counter, &word) in counters.iter_mut().zip(case(row)) {
                carry(counter, 0, word);
            }
        }
        for block in small {
            let cases: [&[u64]; 8] = std::array::from_fn(|place| case(block[place]));
            for (place, counter) in counters.iter_mut().enumerate() {
                let eight = eights(counter, cases.map(|case| case[place]));
                carry(counter, 3, eight);
            }
        }
        for block in large {
            let cases: [&[u64]; 32] = std::array::from_fn(|place| case(block[place]));
            for (place, counter) in counters.iter_mut().enumerate() {
                let [a, b, c, d] = [0, 8, 16, 24]
                    .map(|first| eights(counter, std::array::from_fn(|offset| cases[first + offset][place])));
                let (eight, sixteen_a) = add(counter[3], a, b);
                let (eight, sixteen_b) = add(eight, c, d);
                let (sixteen, more) = add(counter[4], sixteen_a, sixteen_b);
                (counter[3], counter[4]) = (eight, sixteen);
                carry(counter, 5, more);
            }
        }
        let planes = (usize::BITS - rows.len().leading_zeros()) as usize;
        for (counter, counts) in counters.iter_mut().zip(out.chunks_mut(64)) {
            for (place, &plane) in counter[..planes].iter().enumerate() {
                for (column, count) in counts.iter_mut().enumerate() {
                    *count += (plane >> column & 1) << place;
                }
            }
            counter[..planes].fill(0);
        }
    }

    fn weigh(&self, rows: &[u32], weights: &[u32], out: &mut [u64]) {
        for &row in rows {
            let weight = u64::from(weights[row as usize]);
            for (place, &word) in self.bits_of(row).iter().enumerate() {
                let mut rest = word;
                while rest != 0 {
                    out[place * 64 + rest.trailing_zeros() as usize] += weight;
                    rest &= rest - 1;
                }
            }
        }
    }
}

/// Bits of a counter: cases are numbered in 32 bits.
const PLANES: usize = 33;

/// A full adder on 64 bits at once: sum and carry.
#[inline]
fn add(a: u64, b: u64, c: u64) -> (u64, u64) {
    let half = a ^ b;
    (half ^ c, (a & b) | (half & c))
}

/// Adds eight words to the lowest three planes; what is left over counts eight each.
#[inline]
fn eights(counter: &mut [u64; PLANES], word: [u64; 8]) -> u64 {
    let (one, two_a) = add(counter[0], word[0], word[1]);
    let (one, two_b) = add(one, word[2], word[3]);
    let (two, four_a) = add(counter[1], two_a, two_b);
    let (one, two_a) = add(one, word[4], word[5]);
    let (one, two_b) = add(one, word[6], word[7]);
    let (two, four_b) = add(two, two_a, two_b);
    let (four, eight) = add(counter[2], four_a, four_b);
    (counter[0], counter[1], counter[2]) = (one, two, four);
    eight
}

/// Adds a word to the planes from one on.
#[inline]
fn carry(counter: &mut [u64; PLANES], from: usize, mut word: u64) {
    for plane in &mut counter[from..] {
        if word == 0 {
            return;
        }
        (*plane, word) = (*plane ^ word, *plane & word);
    }
}

/// Turns a square of 64 by 64 bits: bit `j` of word `i` becomes bit `i` of word `j`. Halves are swapped
/// at every scale.
///
/// # References
/// H. S. Warren, *Hacker's Delight*, 2nd edition (2012), section 7-3.
fn transpose(square: &mut [u64; 64]) {
    let (mut width, mut mask) = (32, 0x0000_0000_ffff_ffff_u64);
    while width > 0 {
        let mut line = 0;
        while line < 64 {
            let swap = (square[line] >> width ^ square[line + width]) & mask;
            square[line] ^= swap << width;
            square[line + width] ^= swap;
            line = (line + width + 1) & !width;
        }
        width /= 2;
        mask ^= mask << width;
    }
}

/// Counts (or weights in whole units) by total of points: whole numbers below 2^53, so exact.
pub(super) struct Tally {
    /// The lowest total; the others follow one by one.
    pub(super) low: i32,
    columns: usize,
    /// All cases, by total.
    pub(super) all: Vec<f64>,
    /// For each total, the cases of which each column says yes.
    yes: Vec<f64>,
}

impl Tally {
    /// By column, the cases with a total of which it says yes.
    #[inline]
    pub(super) fn at(&self, place: usize) -> &[f64] {
        &self.yes[place * self.columns..][..self.columns]
    }

    /// A column's cases by total.
    pub(super) fn column(&self, column: usize) -> Vec<f64> {
        self.yes.iter().skip(column).step_by(self.columns).copied().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counting_in_bits_is_counting_one_by_one() {
        for (rows, columns) in [(1_usize, 1_usize), (63, 2), (64, 64), (65, 65), (1000, 130), (517, 3)] {
            let says = |row: usize, column: usize| (row * 7919 + column * 104_729 + row * column) % 5 < 2;
            let held: Vec<YesNo> =
                (0..columns).map(|column| (0..rows).map(|row| says(row, column)).collect()).collect();
            let mut totals = vec![0; rows];
            held[0].add_to(&mut totals, -3);
            held[columns - 1].add_to(&mut totals, 2);
            let weights: Arc<[u32]> = (0..rows as u32).map(|row| row % 9).collect();
            for weights in [None, Some(weights)] {
                let weight = |row: usize| weights.as_ref().map_or(1, |weights| u64::from(weights[row]));
                let table = Table::new(&held.iter().collect::<Vec<_>>(), rows, weights.clone());
                let tally = table.tally(&totals);
                for place in 0..tally.all.len() {
                    let here = |row: &usize| totals[*row] == tally.low + place as i32;
                    assert_eq!(tally.all[place] as u64, (0..rows).filter(here).map(weight).sum::<u64>());
                    for column in 0..columns {
                        let yes = (0..rows).filter(here).filter(|&row| says(row, column)).map(weight);
                        assert_eq!(tally.at(place)[column] as u64, yes.sum::<u64>(), "{rows} {columns}");
                        assert_eq!(tally.column(column)[place].to_bits(), tally.at(place)[column].to_bits());
                    }
                }
            }
        }
    }

    #[test]
    fn the_opposite_says_yes_where_the_column_says_no() {
        for rows in [1, 63, 64, 65, 130] {
            let column: YesNo = (0..rows).map(|row| row % 3 == 0).collect();
            let opposite = column.opposite();
            assert!((0..rows).all(|row| column.get(row) != opposite.get(row)));
            assert_eq!(column.ones() + opposite.ones(), rows);
            assert_eq!(column.and(&opposite).ones(), 0);
        }
    }
}
