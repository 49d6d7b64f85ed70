//! The cluster bootstrap of all figures of all groups at once.
//!
//! A resample gives each family a number of times that it counts, with all its rows. Here that number is drawn for
//! each family by itself from the Poisson distribution with mean 1, which is what drawing as many families as there
//! are, with replacement, comes to when there are many; the sum over families then varies a little, and no
//! figure here depends on the sum. What it gains: families can be drawn in any order, many resamples at once.
//!
//! So resamples are made in blocks of [`LANES`]. One pass over the rows adds, for each group, score bin and
//! outcome, the numbers of all lanes together; every figure of every resample is then read off these
//! counts. The numbers of a block come from one stream of random numbers, made of the seed and the block, so
//! the threads do not matter.
//!
//! # References
//! J. A. Hanley and B. `MacGibbon` (2006), "Creating non-parametric bootstrap samples using Poisson frequencies",
//! *Computer Methods and Programs in Biomedicine* 83:57-62. N. Chamandy, O. Muralidharan, A. Najmi and S. Naidu
//! (2012), "Estimating uncertainty for massive data streams", Google technical report. The whole-cluster draw:
//! C. A. Field and A. H. Welsh (2007), *Journal of the Royal Statistical Society B* 69:369-390.

use std::ops::Range;

use rand_xoshiro::Xoshiro256PlusPlus;
use rayon::prelude::*;

use super::block::{Block, Column, LANES, Lanes, POISSON, poisson, stream};
use super::cells::CELLS;
use super::pooled::Pooled;
use super::replicates::{Read, Replicates, Shape, read_block};
use super::rows::Rows;
use crate::stats::Bootstrap;

/// Rows that can be added before a 16-bit sum could overflow.
const SAFE_ROWS: usize = u16::MAX as usize / POISSON.len();
/// Rows whose numbers are read ahead together.
const FETCHED: usize = 16;
/// A row whose group is not looked at.
const NOWHERE: u16 = u16::MAX;

/// The rows in the order in which a pass takes them: by bin, and by cell within it.
struct Walk<'a> {
    rows: &'a Rows,
    order: Vec<u32>,
    runs: Vec<Run>,
    /// The place of each row in each column, row by row; and that of everybody, where no column has a place for
    /// each row.
    places: Vec<u16>,
    columns: usize,
    /// The places of a column that has one for each row: everybody is their sum.
    complete: Range<usize>,
    /// How many places there are, without that of [`NOWHERE`].
    count: usize,
}

/// Rows of one bin and one cell.
struct Run {
    bin: usize,
    cell: usize,
    start: usize,
    end: usize,
}

/// Runs the bootstrap for several columns. Everybody is a column of one group at the end.
///
/// No figure is made of two columns, so where rows that are alike can be drawn together, each column is resampled
/// by itself.
pub(super) fn resample(rows: &Rows, columns: &[Column<'_>], bootstrap: &Bootstrap) -> Vec<Replicates> {
    if rows.clusters.is_none() && rows.weights.is_none() {
        let one = |column: &Column<'_>| {
            let shape = Shape::new(rows, std::slice::from_ref(column));
            let pooled = Pooled::new(rows, column);
            blocks(&shape, bootstrap, |block, centre| read_block(&pooled.counts(block), &shape, centre))
        };
        return columns.iter().flat_map(one).collect();
    }
    let (walk, shape) = (Walk::new(rows, columns), Shape::new(rows, columns));
    blocks(&shape, bootstrap, |block, centre| match &rows.weights {
        None => read_block(&walk.counts(block), &shape, centre),
        Some(weights) => read_block(&walk.sums(weights, block), &shape, centre),
    })
}

/// Reads all blocks, each given as the seed and its number.
fn blocks(
    shape: &Shape,
    bootstrap: &Bootstrap,
    read: impl Fn(Option<(u64, u32)>, Option<&Read>) -> Read + Sync,
) -> Vec<Replicates> {
    // Every row once: what the bins make of the figures themselves.
    let centre = read(None, None);
    let blocks = bootstrap.resamples.div_ceil(LANES as u32);
    let drawn: Vec<_> =
        (0..blocks).into_par_iter().map(|block| read(Some((bootstrap.seed, block)), Some(&centre))).collect();
    shape.gather(&centre, &drawn, bootstrap.resamples as usize)
}

impl<'a> Walk<'a> {
    fn new(rows: &'a Rows, columns: &[Column<'_>]) -> Self {
        let key = |row: usize| usize::from(rows.bins[row]) * CELLS + usize::from(rows.cells[row]);
        let mut starts = vec![0_u32; rows.bin_count * CELLS + 1];
        for row in 0..rows.count() {
            starts[key(row) + 1] += 1;
        }
        for place in 1..starts.len() {
            starts[place] += starts[place - 1];
        }
        let run = |place: usize| Run {
            bin: place / CELLS,
            cell: place % CELLS,
            start: starts[place] as usize,
            end: starts[place + 1] as usize,
        };
        let runs: Vec<Run> = (0..rows.bin_count * CELLS).map(run).filter(|run| run.start < run.end).collect();
        let mut next = starts.clone();
        let mut order = vec![0_u32; rows.count()];
        for row in 0..rows.count() {
            let place = &mut next[key(row)];
            order[*place as usize] = row as u32;
            *place += 1;
        }
        // Families in their order, so that a pass reads their numbers from front to back.
        if let Some(clusters) = &rows.clusters {
            for run in &runs {
                let part = &mut order[run.start..run.end];
                part.sort_by_key(|&row| clusters.index[row as usize]);
            }
        }
        let mut count = 0;
        let mut complete = 0..0;
        for column in columns {
            if complete.is_empty()
                && column.codes.iter().all(|&code| column.places[usize::from(code)].is_some())
            {
                complete = count..count + column.groups;
            }
            count += column.groups;
        }
        let width = columns.len() + usize::from(complete.is_empty());
        // Everybody's place, until another is put in its stead.
        let mut places = vec![count as u16; rows.count() * width];
        count = 0;
        for (nth, column) in columns.iter().enumerate() {
            let offset = count as u16;
            for (at, &row) in order.iter().enumerate() {
                let code = column.codes[row as usize] as usize;
                places[at * width + nth] = column.places[code].map_or(NOWHERE, |place| offset + place);
            }
            count += column.groups;
        }
        let nowhere = count as u16 + 1;
        for place in &mut places {
            *place = if *place == NOWHERE { nowhere } else { *place };
        }
        Self { rows, order, runs, places, columns: width, complete, count: count + 1 }
    }

    /// Adds what was gathered for a place.
    fn add<T: Copy + Default + std::ops::AddAssign, S: Copy + Into<T>>(
        &self,
        sums: &mut Block<T>,
        place: usize,
        run: &Run,
        part: &Lanes<S>,
    ) {
        sums.add(place, (run.bin, run.cell), self.rows.bin_count, part);
        if self.complete.contains(&place) {
            sums.add(self.count - 1, (run.bin, run.cell), self.rows.bin_count, part);
        }
    }

    /// How often each row counts in each lane of this block, handed out in the order of the walk.
    fn times(&self, block: Option<(u64, u32)>) -> Times<'_> {
        let Some(block) = block else { return Times::Once };
        let mut random = stream(block);
        match &self.rows.clusters {
            None => Times::Rows(random),
            Some(clusters) => {
                let drawn = (0..clusters.count).map(|_| poisson(&mut random)).collect();
                Times::Clusters { drawn, of: &clusters.index }
            }
        }
    }

    fn counts(&self, block: Option<(u64, u32)>) -> Block<u32> {
        let mut times = self.times(block);
        let mut sums = Block::new(self.count, self.rows.bin_count);
        let mut gathered = vec![[0_u16; LANES]; self.count + 1];
        let mut fetched = [[0_u8; LANES]; FETCHED];
        for run in &self.runs {
            let mut start = run.start;
            while start < run.end {
                let end = run.end.min(start + SAFE_ROWS);
                let places = &self.places[start * self.columns..end * self.columns];
                let batches = places.chunks(FETCHED * self.columns);
                for (rows, places) in self.order[start..end].chunks(FETCHED).zip(batches) {
                    times.fetch(rows, &mut fetched);
                    for (drawn, places) in fetched.iter().zip(places.chunks_exact(self.columns)) {
                        for &place in places {
                            for (sum, &times) in gathered[usize::from(place)].iter_mut().zip(drawn) {
                                *sum += u16::from(times);
                            }
                        }
                    }
                }
                let mut flush = |place: usize| {
                    let part = std::mem::replace(&mut gathered[place], [0; LANES]);
                    self.add(&mut sums, place, run, &part);
                };
                if places.len() < self.count {
                    // A place that occurs twice is empty the second time.
                    places
                        .iter()
                        .map(|&place| usize::from(place))
                        .filter(|&place| place < self.count)
                        .for_each(&mut flush);
                } else {
                    (0..self.count).for_each(&mut flush);
                }
                start = end;
            }
        }
        sums
    }

    fn sums(&self, weights: &[f64], block: Option<(u64, u32)>) -> Block<f64> {
        let mut times = self.times(block);
        let mut sums = Block::new(self.count, self.rows.bin_count);
        let mut fetched = [[0_u8; LANES]; 1];
        for run in &self.runs {
            for at in run.start..run.end {
                let row = self.order[at];
                let weight = weights[row as usize];
                times.fetch(&[row], &mut fetched);
                let drawn = fetched[0].map(|times| weight * f64::from(times));
                for &place in &self.places[at * self.columns..(at + 1) * self.columns] {
                    if usize::from(place) < self.count {
                        self.add(&mut sums, usize::from(place), run, &drawn);
                    }
                }
            }
        }
        sums
    }
}

/// Where the numbers of times come from.
enum Times<'a> {
    /// Every row once.
    Once,
    /// Rows are independent: drawn as they are met.
    Rows(Xoshiro256PlusPlus),
    /// Drawn for each cluster.
    Clusters { drawn: Vec<Lanes<u8>>, of: &'a [u32] },
}

impl Times<'_> {
    /// Copies the numbers of these rows together: one read after another, none of which waits for the last.
    #[inline]
    fn fetch(&mut self, rows: &[u32], into: &mut [Lanes<u8>]) {
        match self {
            Self::Once => into.fill([1; LANES]),
            Self::Rows(random) => rows.iter().zip(into).for_each(|(_, into)| *into = poisson(random)),
            Self::Clusters { drawn, of } => {
                for (row, into) in rows.iter().zip(into) {
                    *into = drawn[of[*row as usize] as usize];
                }
            }
        }
    }
}
