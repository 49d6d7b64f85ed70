//! A feature's steps, row by row, as bytes: the only thing that the fitting passes read of the data.

/// The most steps of a term: a step is a byte.
pub(super) const MOST_STEPS: usize = 256;

/// A figure for each step of a term. The fixed length lets a byte index it without a check.
pub(super) type Steps<T> = [T; MOST_STEPS];

/// Rows whose places fit two bytes.
const BLOCK: usize = 1 << 16;

/// The step that each row is in.
///
/// Records about people are mostly silence: one step (no contact, no exclusion) holds most rows. Such a
/// column keeps only the rows outside its commonest step; what the rest add up to is the total less these.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Column {
    /// A byte a row.
    Dense(Vec<u8>),
    /// Rows outside the commonest step.
    Sparse(Sparse),
}

/// Rows outside the commonest step: three bytes each.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Sparse {
    common: u8,
    /// For each block of rows where its entries end.
    ends: Vec<usize>,
    /// The rows' places in their block.
    at: Vec<u16>,
    codes: Vec<u8>,
}

/// What a fit has left to explain.
///
/// The residual is `stored - weight * shift`: moving all rows at once, which a sparse column does when its
/// commonest step moves, is one subtraction.
#[derive(Debug, Clone)]
pub(super) struct Working {
    pub(super) residual: Vec<f32>,
    pub(super) weight: Vec<f32>,
    pub(super) shift: f64,
    /// The sum of what is stored as residual.
    pub(super) stored: f64,
    /// The sum of the weights.
    pub(super) weights: f64,
}

impl Column {
    /// Takes the codes of all rows, as bytes or as the rows outside the commonest, whichever is smaller.
    pub(super) fn new(codes: Vec<u8>) -> Self {
        let mut counts = [0_usize; MOST_STEPS];
        for &code in &codes {
            counts[usize::from(code)] += 1;
        }
        let (common, &count) =
            counts.iter().enumerate().max_by_key(|&(code, count)| (count, 256 - code)).unwrap_or((0, &0));
        let others = codes.len() - count;
        if others * 3 >= codes.len() {
            return Self::Dense(codes);
        }
        let common = common as u8;
        let mut sparse = Sparse {
            common,
            ends: Vec::new(),
            at: Vec::with_capacity(others),
            codes: Vec::with_capacity(others),
        };
        for block in codes.chunks(BLOCK) {
            for (place, &code) in block.iter().enumerate() {
                if code != common {
                    sparse.at.push(place as u16);
                    sparse.codes.push(code);
                }
            }
            sparse.ends.push(sparse.at.len());
        }
        Self::Sparse(sparse)
    }

    /// The step whose rows are left out.
    pub(super) fn common(&self) -> Option<u8> {
        match self {
            Self::Dense(_) => None,
            Self::Sparse(sparse) => Some(sparse.common),
        }
    }

    /// Adds up `values` by step. `total` is their sum over all rows.
    pub(super) fn sums(&self, values: &[f32], total: f64) -> Steps<f64> {
        let mut lanes = Lanes::default();
        match self {
            Self::Dense(codes) => {
                let (codes, last_codes) = codes.as_chunks::<LANES>();
                let (values, last_values) = values.as_chunks::<LANES>();
                for (codes, values) in codes.iter().zip(values) {
                    lanes.add(*codes, *values);
                }
                lanes.add_rest(last_codes, last_values.iter().copied());
                lanes.merge()
            }
            Self::Sparse(sparse) => {
                for (block, (at, codes)) in sparse.blocks() {
                    let values = &values[block..values.len().min(block + BLOCK)];
                    let (at, last_at) = at.as_chunks::<LANES>();
                    let (codes, last_codes) = codes.as_chunks::<LANES>();
                    for (at, codes) in at.iter().zip(codes) {
                        lanes.add(*codes, at.map(|at| values[usize::from(at)]));
                    }
                    lanes.add_rest(last_codes, last_at.iter().map(|&at| values[usize::from(at)]));
                }
                let mut sums = lanes.merge();
                let others: f64 = sums.iter().sum();
                sums[usize::from(sparse.common)] = total - others;
                sums
            }
        }
    }

    /// How many rows are in each of `steps` steps.
    pub(super) fn counts(&self, rows: usize, steps: usize) -> Vec<f64> {
        let mut counts = vec![0_usize; MOST_STEPS];
        let (codes, common) = match self {
            Self::Dense(codes) => (codes, None),
            Self::Sparse(sparse) => (&sparse.codes, Some(sparse.common)),
        };
        for &code in codes {
            counts[usize::from(code)] += 1;
        }
        if let Some(common) = common {
            counts[usize::from(common)] = rows - codes.len();
        }
        counts[..steps].iter().map(|&count| count as f64).collect()
    }

    /// Moves each step by `moves`: what is left to explain falls by weight times move.
    pub(super) fn advance(&self, working: &mut Working, moves: &Steps<f64>) {
        let base = match self {
            Self::Dense(_) => 0.0,
            Self::Sparse(sparse) => moves[usize::from(sparse.common)],
        };
        working.shift += base;
        let mut by = [0.0_f32; MOST_STEPS];
        for (by, step) in by.iter_mut().zip(moves) {
            *by = (step - base) as f32;
        }
        match self {
            Self::Dense(codes) => {
                for ((residual, &weight), &code) in
                    working.residual.iter_mut().zip(&working.weight).zip(codes)
                {
                    *residual -= weight * by[usize::from(code)];
                }
            }
            Self::Sparse(sparse) => {
                for (block, entries) in sparse.blocks() {
                    let end = working.residual.len().min(block + BLOCK);
                    let residual = &mut working.residual[block..end];
                    let weight = &working.weight[block..end];
                    for (&at, &code) in entries.0.iter().zip(entries.1) {
                        let at = usize::from(at);
                        residual[at] -= weight[at] * by[usize::from(code)];
                    }
                }
            }
        }
    }

    /// Adds each row's step of `values` to `to`.
    pub(super) fn add_to(&self, to: &mut [f32], values: &Steps<f64>) {
        let mut by = [0.0_f32; MOST_STEPS];
        for (by, value) in by.iter_mut().zip(values) {
            *by = *value as f32;
        }
        match self {
            Self::Dense(codes) => {
                for (to, &code) in to.iter_mut().zip(codes) {
                    *to += by[usize::from(code)];
                }
            }
            Self::Sparse(sparse) => {
                let base = by[usize::from(sparse.common)];
                for to in to.iter_mut() {
                    *to += base;
                }
                for (block, entries) in sparse.blocks() {
                    for (&at, &code) in entries.0.iter().zip(entries.1) {
                        to[block + usize::from(at)] += by[usize::from(code)] - base;
                    }
                }
            }
        }
    }

    /// The step of each row.
    pub(super) fn to_codes(&self, rows: usize) -> Vec<u8> {
        match self {
            Self::Dense(codes) => codes.clone(),
            Self::Sparse(sparse) => {
                let mut codes = vec![sparse.common; rows];
                for (block, entries) in sparse.blocks() {
                    for (&at, &code) in entries.0.iter().zip(entries.1) {
                        codes[block + usize::from(at)] = code;
                    }
                }
                codes
            }
        }
    }
}

/// How much the cases in each step of each term count.
pub(super) fn masses(mass: Option<&[f32]>, columns: &[Column], counts: &[Vec<f64>]) -> Vec<Vec<f64>> {
    let Some(mass) = mass else { return counts.to_vec() };
    let total: f64 = mass.iter().map(|&mass| f64::from(mass)).sum();
    let of = |(column, counts): (&Column, &Vec<f64>)| {
        let sums = column.sums(mass, total);
        // A commonest step's sum is a difference: rounding must not make nobody of somebody, or less.
        counts.iter().zip(sums).map(|(&count, sum)| if count == 0.0 { 0.0 } else { sum.max(0.0) }).collect()
    };
    columns.iter().zip(counts).map(of).collect()
}

/// Sums kept side by side, so that rows that follow each other in one step need not wait for each other.
const LANES: usize = 4;

#[derive(Debug)]
struct Lanes([Steps<f64>; LANES]);

impl Default for Lanes {
    fn default() -> Self {
        Self([[0.0; MOST_STEPS]; LANES])
    }
}

impl Lanes {
    #[inline]
    fn add(&mut self, codes: [u8; LANES], values: [f32; LANES]) {
        for lane in 0..LANES {
            self.0[lane][usize::from(codes[lane])] += f64::from(values[lane]);
        }
    }

    fn add_rest(&mut self, codes: &[u8], values: impl Iterator<Item = f32>) {
        for (&code, value) in codes.iter().zip(values) {
            self.0[0][usize::from(code)] += f64::from(value);
        }
    }

    fn merge(self) -> Steps<f64> {
        let [first, second, third, fourth] = self.0;
        let mut sums = first;
        for (step, sum) in sums.iter_mut().enumerate() {
            *sum = (*sum + second[step]) + (third[step] + fourth[step]);
        }
        sums
    }
}

impl Sparse {
    /// Each block's first row, and its entries.
    fn blocks(&self) -> impl Iterator<Item = (usize, (&[u16], &[u8]))> {
        self.ends.iter().enumerate().map(|(block, &end)| {
            let start = block.checked_sub(1).map_or(0, |before| self.ends[before]);
            (block * BLOCK, (&self.at[start..end], &self.codes[start..end]))
        })
    }
}
