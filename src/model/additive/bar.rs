//! Which terms say enough to stay.

use super::block::Strengths;
use super::column::Column;
use super::descent::{Cases, Descent};

/// A term stays where it makes the data likelier than without it by more than this (logarithm of the ratio of marginal
/// likelihoods), whatever the others say: a part of all that is left unexplained, and at most [`MOST_LIKELIER`]. Of many features that
/// say nothing half seem to say something (Self and Liang, *JASA* 82, 1987), which costs more than what terms so small could say. Of few
/// cases the part is next to nothing, and it must be: where features go together each by itself is hardly needed beside the others,
/// and all of them are.
const LIKELIER: f64 = 1.0 / 4000.0;
/// And at the least this: five to a hundred.
pub(super) const BARELY: f64 = 0.05;
/// The middle of what Kass and Raftery (*Bayes factors*, JASA 90, 1995) call "positive" evidence, 1 to 3: what is clearer stays, however
/// many cases there are.
const MOST_LIKELIER: f64 = 2.0;
/// What is believed of a table's features before there are data: one that says something, and half a one that does not. People ask of
/// what they think matters.
const SPEAKING: f64 = 1.0;
const SILENT: f64 = 0.5;
/// What a term costs those who read the model, which the others cannot speak for: this part of all that is left unexplained. Where
/// half of the features say something, a term for nearly each of the others pays in log loss, by next to nothing as soon as there are
/// a few hundred cases; and somebody has to read it.
const TO_BE_READ: f64 = 1.0 / 200.0;
/// The share of terms that say something is found by turns.
const MOST_TURNS: usize = 200;
const SHARE_AT_REST: f64 = 1e-6;

impl Descent {
    /// Makes those of the first `terms` flat, and says whether there were any, that the data do not speak for enough.
    ///
    /// The strength's own update only creeps towards flatness: where a term is nearly flat, any strength
    /// serves about as well. This asks the question outright, of the term first that is spoken for least. What a flat term no
    /// longer says is there for the next to say: of two that say the same, each is
    /// idle only as long as the other is there.
    pub(super) fn flatten(&mut self, columns: &[Column], terms: usize, cases: Cases<'_>) -> bool {
        let spoken = self.spoken(columns, terms);
        let least = self.bar(terms, &spoken, cases);
        let mut doubtful: Vec<&Spoken> = spoken.iter().filter(|spoken| spoken.evidence < least).collect();
        doubtful.sort_by(|a, b| a.evidence.total_cmp(&b.evidence));
        let mut any = false;
        for &Spoken { place, .. } in doubtful {
            let column = &columns[place];
            let (information, side) = self.left_to(column, &self.parts[place]);
            let part = &self.parts[place];
            if part.block.speaks(&information, &side, self.strengths(part)) < least {
                self.make_flat(column, place);
                any = true;
            }
        }
        any
    }

    /// How much likelier than flat a term has to make the data, judged from all of them together.
    ///
    /// Where most features say something, one that hardly seems to is more likely one of them than not, and where few do it is not:
    /// the share of those that say something is estimated (as of pairs: see [`choice`](super::choice)), and a term stays that is more
    /// likely among them, and worth being read. Never is a term refused that is clear by itself. All that counts as far as
    /// more is left unexplained than not: where outcomes are all but told apart no term says much beside the others, and that is no reason
    /// to keep all.
    fn bar(&self, terms: usize, spoken: &[Spoken], cases: Cases<'_>) -> f64 {
        let most = (BARELY + LIKELIER * self.loss()).min(MOST_LIKELIER);
        let counts = (2.0 * self.loss() / cases.loss_alone() - 1.0).clamp(0.0, 1.0);
        let asked = (0..terms).filter(|&place| self.is_told(place)).count() as f64;
        let mut odds = SPEAKING / SILENT;
        for _ in 0..MOST_TURNS {
            let real: f64 = spoken.iter().map(|term| 1.0 / (1.0 + (-term.at_common).exp() / odds)).sum();
            let next = (real + SPEAKING) / (asked - real + SILENT);
            if (next - odds).abs() < SHARE_AT_REST * odds {
                break;
            }
            odds = next;
        }
        let together = TO_BE_READ * self.loss() - odds.ln();
        most + counts * (together.min(most) - most)
    }

    /// What the data say for each of the first `terms` that is not flat.
    fn spoken(&self, columns: &[Column], terms: usize) -> Vec<Spoken> {
        let held: Vec<usize> =
            (0..terms).filter(|&place| !self.parts[place].is_flat && self.is_told(place)).collect();
        // A strength that was fitted to a term itself makes too much of it where it says nothing. Lines have one strength for all
        // of them; what has no line gets one to be judged by, the middle of theirs.
        let own: Vec<f64> = held
            .iter()
            .filter(|&&place| !self.parts[place].block.has_line())
            .map(|&place| self.parts[place].rough.ln())
            .collect();
        let common = (own.iter().sum::<f64>() / own.len().max(1) as f64).exp();
        let of = |&place: &usize| {
            let part = &self.parts[place];
            let (information, side) = self.left_to(&columns[place], part);
            let strengths = self.strengths(part);
            let evidence = part.block.speaks(&information, &side, strengths);
            let at_common = if part.block.has_line() {
                evidence
            } else {
                part.block.speaks(&information, &side, Strengths { rough: common, ..strengths })
            };
            Spoken { place, evidence, at_common }
        };
        held.iter().map(of).collect()
    }

    /// Whether cases differ in what a term is of.
    fn is_told(&self, place: usize) -> bool {
        self.parts[place].information.iter().filter(|&&information| information > 0.0).count() > 1
    }
}

/// How much likelier a term makes the data than flat, the others standing (logarithm of the ratio of marginal likelihoods).
struct Spoken {
    place: usize,
    /// At its own strength.
    evidence: f64,
    /// At a strength that others have too.
    at_common: f64,
}
