//! What a line must bring to be on a card, and how much of what it brought stands.

use crate::stats::chance::below;

/// By how much (in log-likelihood) each line must make the outcomes likelier: the larger of two demands.
///
/// **For its points**: half the logarithm of the number of events, the cases with the rarer outcome, which is
/// how much is known. This is the Bayesian information criterion. With two events it would ask for next to
/// nothing; ½ is what one fitted number of no meaning brings on average.
///
/// **For being chosen**: as the `k`-th line the best of all `K` questions is taken, so that chance alone
/// brings the logarithm of `K / k`. A line must bring more. By the extended criterion it would be
/// as much more as its points ask for; but that grows with the number of events, and of many events a card
/// would lose lines that tell. Consistent is every bar that exceeds the logarithm of `K` (Chen and Chen's
/// `gamma > 1 - ln(events) / (2 ln K)`), and [`CLEAR`] is enough. To ask less of later lines is what is as good
/// for few strong effects as for many weak ones.
///
/// `K` counts the questions as they are asked. Cuts of one feature overlap, but those asked are the best of up
/// to 64: the best of eight such cuts of a feature of noise reaches 5 to 7 (log-likelihood) as often as the best
/// of 15 to 20 independent questions would, of ten values as 6 to 8, and a yes/no feature as one does. The
/// number asked is in the middle of this, and a factor of two is 0.7 of a bar of 9.
///
/// # References
/// J. Chen and Z. Chen, "Extended Bayesian information criteria for model selection with large model spaces",
/// *Biometrika* 95 (2008), and "Extended BIC for small-n-large-P sparse GLM", *Statistica Sinica* 22 (2012);
/// D. P. Foster and E. I. George, "The risk inflation criterion for multiple regression", *Annals of
/// Statistics* 22 (1994); F. Abramovich, Y. Benjamini, D. L. Donoho and I. M. Johnstone, "Adapting to unknown
/// sparsity by controlling the false discovery rate", *Annals of Statistics* 34 (2006), for `K / k`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Bar {
    points: f64,
    questions: f64,
}

/// How much more than the best of all questions brings by chance is clear: the logarithm of two. A gain of `b` comes by chance in
/// some `exp(-b) / sqrt(pi b)` of questions, so of tables of noise about one in ten gets a line. To ask for more (ten times less
/// likely by chance) cost invented tables of 700 cases, 4 to 12% of them with the outcome, up to 4% of their log loss.
const CLEAR: f64 = std::f64::consts::LN_2;

impl Bar {
    /// Every line pays that lowers the loss at all.
    pub(super) const NONE: Self = Self { points: 0.0, questions: 0.0 };

    pub(super) fn new(events: f64, questions: usize) -> Self {
        Self { points: 0.5 * events.max(std::f64::consts::E).ln(), questions: questions as f64 }
    }

    /// What the first, second, third ... line must bring.
    pub(super) fn of_line(self, place: usize) -> f64 {
        let choice = (self.questions / place as f64).max(1.0).ln();
        self.points.max(choice + self.points.min(CLEAR))
    }

    /// What so many lines must bring together.
    pub(super) fn of_lines(self, count: usize) -> f64 {
        (1..=count).map(|place| self.of_line(place)).sum()
    }

    /// How much of a card's gain over the card without lines will be found again in other cases; `without` is
    /// what is lost with each line alone.
    ///
    /// A line is on the card because it passed the bar, and those that had luck pass more often. Lost with a line
    /// is half the square of its deviate `z`; its true deviate is taken to be the mean of its likelihood given that the
    /// bar was passed. Close above the bar less than half of a line stands, far above it all. What each line owes to
    /// its choice is taken from the gain of the whole card. (What all points owe to being fitted the ridge takes.)
    ///
    /// # References
    /// A. Ghosh, F. Zou and F. A. Wright, "Estimating odds ratios in genome scans: an approximate conditional
    /// likelihood approach", *American Journal of Human Genetics* 82 (2008); J. C. van Houwelingen and S. le Cessie,
    /// "Predictive value of statistical models", *Statistics in Medicine* 9 (1990), for the part of the gain.
    pub(super) fn stands(self, gain: f64, without: &[f64]) -> f64 {
        let bar = (2.0 * self.of_line(without.len())).sqrt();
        let (mut squares, mut owed) = (0.0, 0.0);
        for &lost in without {
            // Beside lines that lean on each other one may seem to bring more than the whole card.
            let deviate = (2.0 * lost.min(gain)).max(0.0).sqrt().max(bar);
            squares += deviate * deviate;
            owed += deviate * (deviate - true_deviate(deviate, bar));
        }
        1.0 - owed / squares.max(2.0 * gain)
    }
}

/// The mean of the likelihood of a deviate's true size, given that it passed the bar either way.
fn true_deviate(deviate: f64, bar: f64) -> f64 {
    /// Steps of a tenth of a standard deviation, up to six of these away: right to three digits.
    const STEPS: i32 = 60;
    let (mut sum, mut mass) = (0.0, 0.0);
    for step in -STEPS..=STEPS {
        let away = f64::from(step) / 10.0;
        let size = deviate + away;
        let likelihood = (-0.5 * away * away).exp() / (below(size - bar) + below(-size - bar));
        sum += likelihood * size;
        mass += likelihood;
    }
    sum / mass
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bar_knows_how_many_were_tried() {
        let bar = Bar::new(150.0, 800);
        assert!((bar.of_line(1) - (1600.0_f64).ln()).abs() < 1e-12);
        assert!((bar.of_line(1) - bar.of_line(10) - (10.0_f64).ln()).abs() < 1e-12);
        assert!((bar.of_lines(3) - bar.of_line(1) - bar.of_line(2) - bar.of_line(3)).abs() < 1e-12);
        // Where few are left to try, or events are many, what points ask for is asked for.
        let points = 0.5 * (10_000.0_f64).ln();
        assert!(Bar::new(10_000.0, 200).of_line(21) - points < 1e-12);
        assert!((Bar::new(10_000.0, 200).of_line(500) - points).abs() < 1e-12);
        assert!(Bar::new(0.0, 0).of_line(1) >= 0.5);
        assert!(Bar::NONE.of_lines(7).abs() < 1e-12);
    }

    #[test]
    fn what_just_passed_owes_most_to_luck() {
        let bar = Bar::new(150.0, 800);
        let alone = |lost: f64| bar.stands(lost, &[lost]);
        let shares: Vec<f64> = [0.0, 1.0, 3.0, 10.0, 50.0].map(|over| alone(bar.of_line(1) + over)).to_vec();
        assert!(shares.is_sorted() && shares[0] > 0.2 && shares[0] < 0.5 && shares[4] > 0.999, "{shares:?}");
        // Two that are weak each by itself, of a card that is strong: most of it stands.
        let two = bar.of_line(2) + 1.0;
        assert!(bar.stands(100.0, &[two, two]) > 0.85);
        // Never more than all, never nothing.
        for lost in [f64::INFINITY, 1e6, 0.0, -1.0] {
            let share = bar.stands(20.0, &[lost, 15.0, lost]);
            assert!(share > 0.0 && share <= 1.0, "{share}");
        }
    }

    #[test]
    fn the_true_deviate_is_that_of_the_finer_sum() {
        assert!((true_deviate(12.0, 4.0) - 12.0).abs() < 1e-3);
        let (mut sum, mut mass) = (0.0, 0.0);
        for step in -16_000..=16_000 {
            let size = 4.5 + f64::from(step) / 2000.0;
            let likelihood =
                (-0.5 * (4.5 - size) * (4.5 - size)).exp() / (below(size - 4.0) + below(-size - 4.0));
            sum += likelihood * size;
            mass += likelihood;
        }
        assert!((true_deviate(4.5, 4.0) - sum / mass).abs() < 1e-3);
    }
}
