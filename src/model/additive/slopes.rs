//! How strongly the lines of terms, and the products of pairs, are held.

use super::block::{Block, Wanted, quickened};

/// The strengths of the lines ([`Strengths::line`]): one for all features' own that are not flat, one for all products of pairs.
#[derive(Debug, Clone, Copy)]
pub(super) struct Lines {
    pub(super) features: f64,
    pub(super) pairs: f64,
    /// They are at least this.
    least: f64,
}

/// The lines' strength before anything is known: slopes of half a log-odds a standard deviation.
const FIRST_LINE: f64 = 4.0;
/// The lines' strength stays between these: slopes of 1.4 log-odds a standard deviation, as where outcomes are all but separated,
/// or of a fifth. Where most features say nothing their slopes would have all others held as still,
/// and a slope of nothing would cost nothing.
const LEAST_LINE: f64 = 0.5;
const MOST_LINE: f64 = 25.0;
/// The products' strength before it is estimated: slopes of a fifth for two features each a standard deviation up.
const FIRST_PRODUCT: f64 = 25.0;
/// Products say less, and of many that pay a little each is small: slopes of one twentieth.
const MOST_PRODUCT: f64 = 400.0;
/// A slope of nothing that is counted with those of the terms: of few cases two slopes that are large by chance would have all
/// others be as large.
const IDLE_SLOPES: f64 = 1.0;
/// Of fewer outcomes than this, or than this that are none, slopes are held more strongly: the usual ten for a coefficient.
const FEWEST_OUTCOMES: f64 = 10.0;

impl Lines {
    /// As they are before anything is known.
    pub(super) fn again(self) -> Self {
        let Self { least, .. } = self;
        Self { features: FIRST_LINE.max(least), pairs: FIRST_PRODUCT.max(least), least }
    }

    /// Before anything is known, given how many cases are of the rarer outcome.
    pub(super) fn first(rarer: f64) -> Self {
        let least = LEAST_LINE.max(FEWEST_OUTCOMES / rarer);
        Self { features: 0.0, pairs: 0.0, least }.again()
    }

    pub(super) fn of(self, block: &Block) -> f64 {
        if block.is_pair() { self.pairs } else { self.features }
    }

    /// Those that all terms together speak for: so that their slopes are as large as they say.
    pub(super) fn wanted<'p>(self, terms: &(impl Iterator<Item = (&'p Block, &'p Wanted)> + Clone)) -> Self {
        let of = |is_pair: bool, line: f64, most: f64| {
            let slopes = || terms.clone().filter(|(block, _)| block.is_pair() == is_pair);
            let determined: f64 = slopes().map(|(_, wanted)| wanted.slope.0).sum();
            let squares: f64 = slopes().map(|(_, wanted)| wanted.slope.1).sum();
            if determined <= 0.0 {
                return line;
            }
            quickened(line, (determined + IDLE_SLOPES) / squares.max(1e-300), 1.0).min(most).max(self.least)
        };
        Self {
            features: of(false, self.features, MOST_LINE),
            pairs: of(true, self.pairs, MOST_PRODUCT),
            least: self.least,
        }
    }
}
