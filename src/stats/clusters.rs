//! Rows that belong together.

/// Clusters numbered 0, 1, 2 ... in the order of their codes, so that the numbers do not depend on the
/// order of the rows.
#[derive(Debug)]
pub(crate) struct Clusters {
    /// The number of each row's cluster.
    pub(crate) index: Vec<u32>,
    /// How many clusters there are.
    pub(crate) count: usize,
}

impl Clusters {
    pub(crate) fn new(codes: &[u32]) -> Self {
        let mut rows: Vec<(u32, u32)> = codes.iter().copied().zip(0..).collect();
        rows.sort_unstable();
        let mut index = vec![0; codes.len()];
        let (mut count, mut last) = (0_u32, None);
        for (code, row) in rows {
            if last != Some(code) {
                count += 1;
                last = Some(code);
            }
            index[row as usize] = count - 1;
        }
        Self { index, count: count as usize }
    }

    /// The same, where the rows stand in another order: row `order[i]` comes at place `i`.
    pub(crate) fn reordered(&self, order: &[u32]) -> Self {
        Self { index: order.iter().map(|&row| self.index[row as usize]).collect(), count: self.count }
    }

    /// `G / (G - 1)`: what a variance estimated from `G` clusters falls short by.
    pub(crate) fn correction(&self) -> f64 {
        self.count as f64 / (self.count as f64 - 1.0)
    }

    /// How many clusters hold at least one row for which `holds` is true.
    pub(crate) fn with_any(&self, holds: impl Iterator<Item = bool>) -> usize {
        let mut seen = vec![false; self.count];
        for (&cluster, hold) in self.index.iter().zip(holds) {
            seen[cluster as usize] |= hold;
        }
        seen.into_iter().filter(|&any| any).count()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clusters_are_numbered_by_code_not_by_row() {
        let clusters = Clusters::new(&[70, 3, 70, 12, u32::MAX, 3]);
        assert_eq!(clusters.index, [2, 0, 2, 1, 3, 0]);
        assert_eq!(clusters.count, 4);
        assert_eq!(clusters.with_any([true, false, true, false, false, true].into_iter()), 2);
        assert_eq!(Clusters::new(&[]).count, 0);
    }
}
