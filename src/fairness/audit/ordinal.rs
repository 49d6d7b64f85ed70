//! Scores that are not chances, of few values: what happened at each score, and whether groups differ in outcome where their
//! scores are equal.
//!
//! The table of what happened has groups and scores for its two dimensions, and is guarded as pairs of columns are. Its
//! totals are known: of each group (its rows with the outcome and without), and of each score (everybody's). Where the
//! selection follows the score, the rates of those selected tell the total of a group's selected scores as well as that of
//! the others. So both parts are guarded by themselves, and so is what lies between them: the score at which a list ends,
//! whose rows share the last places. A cell withheld there is joined by cells of the group on both sides of it, and joins
//! one that is alone on its side. Where all that a group has on one side of the cut is at one score, that cell is what the
//! rates of the selection tell by themselves; what a group's mean score adds to its totals is not looked at.

use super::super::people::{Counted, Parts};
use super::cells::Cells;
use super::groups::{Context, Group};
use super::rates::{Rate, rounded};
use super::report::{OutcomeAtScore, ScoreScale};
use super::rows::{Rows, few_valued};
use super::suppress::{Guard, PairCells, hold_back_parts, smaller};

/// The fewest rows of each group at a score for its spread to be known.
const LEAST_ROWS: u64 = 2;

/// Rows of one score: without the outcome and with it, their weight, and that of those with the outcome.
#[derive(Debug, Clone, Copy, Default)]
struct AtScore {
    rows: Parts,
    weight: f64,
    with: f64,
}

impl AtScore {
    fn count(&self) -> u64 {
        self.rows[0] + self.rows[1]
    }

    fn share(&self) -> f64 {
        (self.with / self.weight).min(1.0)
    }
}

/// The rows of a group at each score; each score has a bin of its own, since there are few.
fn at_scores(rows: &Rows, members: &[u32]) -> Vec<AtScore> {
    let mut all = vec![AtScore::default(); rows.bin_count];
    for &row in members {
        let (at, weight) = (&mut all[usize::from(rows.bins[row as usize])], rows.weight(row as usize));
        let outcome = rows.outcomes[row as usize];
        at.rows[usize::from(outcome)] += 1;
        at.weight += weight;
        at.with += if outcome { weight } else { 0.0 };
    }
    all
}

/// The difference in outcome at equal score, -1 to 1: the mean over the scores of the difference of the shares, each
/// with the weight `ab / (a + b)` of the rows `a` and `b` of both groups; and its standard error, by family. The base may
/// be everybody, the group among them. `None` where no score has two rows of each, or where nothing varies.
///
/// It is the least-squares difference with a level for each score, and the error is that line's: its residuals are from
/// what the line says, not from each cell's own share, which small cells follow too closely (with own shares, families in
/// ten scores of six rows were called different in 6.7 of 100 samples without a difference; so, in 5.0).
///
/// # References
/// The weights: W. G. Cochran (1954), "Some methods for strengthening the common χ² tests", *Biometrics* 10:417-451. N.
/// Mantel and W. Haenszel (1959), *Journal of the National Cancer Institute* 22:719-748. The error: K.-Y. Liang and S. L.
/// Zeger (1986), "Longitudinal data analysis using generalized linear models", *Biometrika* 73:13-22, raised by
/// `n / (n - 1)` within each score.
pub(super) fn at_equal_score(rows: &Rows, here: &[u32], base: &[u32]) -> Option<(f64, f64)> {
    let groups = [at_scores(rows, here), at_scores(rows, base)];
    let weight = |(a, b): (&AtScore, &AtScore)| {
        let enough = a.count().min(b.count()) >= LEAST_ROWS;
        if enough { a.weight * b.weight / (a.weight + b.weight) } else { 0.0 }
    };
    let weights: Vec<f64> = groups[0].iter().zip(&groups[1]).map(weight).collect();
    let total: f64 = weights.iter().sum();
    if total <= 0.0 {
        return None;
    }
    let parts = weights.iter().zip(groups[0].iter().zip(&groups[1])).filter(|(weight, _)| **weight > 0.0);
    let difference = parts.map(|(weight, (a, b))| weight * (a.share() - b.share())).sum::<f64>() / total;
    let clusters = rows.clusters.as_ref();
    let mut sums = vec![(false, 0.0); clusters.map_or(rows.count(), |clusters| clusters.count)];
    for (members, own, other, sign) in
        [(here, &groups[0], &groups[1], 1.0), (base, &groups[1], &groups[0], -1.0)]
    {
        for &row in members {
            let row = row as usize;
            let bin = usize::from(rows.bins[row]);
            if weights[bin] <= 0.0 {
                continue;
            }
            let (own, other) = (&own[bin], &other[bin]);
            let (n, weight) = ((own.count() + other.count()) as f64, own.weight + other.weight);
            let foreseen = (own.with + other.with) / weight + sign * difference * other.weight / weight;
            let off = f64::from(u8::from(rows.outcomes[row])) - foreseen;
            let part = weights[bin] / total * rows.weight(row) / own.weight * off * (n / (n - 1.0)).sqrt();
            let sum = &mut sums[clusters.map_or(row, |clusters| clusters.index[row] as usize)];
            *sum = (true, sum.1 + sign * part);
        }
    }
    let families = sums.iter().filter(|sum| sum.0).count() as f64;
    let squares: f64 = sums.iter().map(|sum| sum.1 * sum.1).sum();
    let correction = if clusters.is_some() { families / (families - 1.0) } else { 1.0 };
    let error = (squares * correction).sqrt();
    (error > 1e-12 && error.is_finite()).then_some((difference, error))
}

/// Whether there is a table of what happened at each score.
fn is_tabled(context: &Context<'_>) -> bool {
    context.rows.scale != ScoreScale::Chances && context.rows.followed && few_valued(context.rows)
}

/// What happened at each score, to everybody.
pub(super) fn of_everybody(context: &Context<'_>, everybody: &Group) -> Vec<OutcomeAtScore> {
    if !is_tabled(context) || !everybody.seen.all() {
        return Vec::new();
    }
    let scores = at_scores(context.rows, &everybody.members);
    let held = withheld_from_everybody(context.rows, &Stretch::of(context.rows), context.least());
    published(context, everybody, &scores, &held)
}

/// What happened at each score, to the groups that are `shown`, by code; of those `held` nothing is told.
pub(super) fn of_groups(
    context: &Context<'_>,
    everybody: &Group,
    (codes, held): (&[u16], &[bool]),
    shown: &[(usize, &Group)],
) -> Vec<Vec<OutcomeAtScore>> {
    if !is_tabled(context) || !everybody.seen.all() {
        return vec![Vec::new(); shown.len()];
    }
    let rows = context.rows;
    let stretches = Stretch::of(rows);
    let place = |row: usize| usize::from(codes[row]) * rows.bin_count + usize::from(rows.bins[row]);
    let places = held.len() * rows.bin_count;
    let counts = rows.people.parted(rows.count(), places, |row| Some((place(row), rows.outcomes[row])));
    let counts: Vec<Vec<Counted>> = counts.chunks(rows.bin_count).map(<[Counted]>::to_vec).collect();
    let of_everybody = withheld_from_everybody(rows, &stretches, context.least());
    let withheld = withheld(&stretches, &counts, |scores, cut| {
        let margin: Vec<bool> = scores.iter().map(|&score| of_everybody[score]).collect();
        let cells = PairCells { places: &cut.places, people: &cut.people, margins: (held, &margin) };
        cells.hold_back(&cut.begin, Guard::of_parts(context.least()))
    });
    let told = |&(code, group): &(usize, &Group)| {
        if held[code] {
            return Vec::new();
        }
        published(context, group, &at_scores(rows, &group.members), &withheld[code])
    };
    shown.iter().map(told).collect()
}

/// The scores that a group has, from the lowest up, with Wilson's interval on as many rows as the group's prevalence is
/// effectively made of.
fn published(
    context: &Context<'_>,
    group: &Group,
    scores: &[AtScore],
    withheld: &[bool],
) -> Vec<OutcomeAtScore> {
    let rows = context.rows;
    let Some(base) = group.sums.rate(&rows.parts, 0, None) else { return Vec::new() };
    let effective = base.effective / base.n as f64;
    let observed = |at: &AtScore| {
        let (mut share, mut n) = (at.share(), at.count());
        if let Some(to) = context.params.round_to {
            let with = rounded(share * n as f64, to) as f64;
            n = rounded(n as f64, to);
            share = (with / n as f64).min(1.0);
        }
        (n > 0).then(|| Rate::plain(share, n, n as f64 * effective).estimate())
    };
    let values = rows.scores.chunk_by(|a, b| a.total_cmp(b).is_eq()).map(|tie| tie[0]);
    let mut told: Vec<OutcomeAtScore> = values
        .zip(scores)
        .zip(withheld)
        .filter(|((_, at), _)| at.count() > 0)
        .map(|((score, at), &held)| OutcomeAtScore {
            score,
            observed: if held { None } else { observed(at) },
        })
        .collect();
    told.reverse();
    told
}

/// Scores whose total a reader knows by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stretch {
    /// Some of their rows are selected, or all in part.
    Between,
    Selected,
    Left,
}

impl Stretch {
    /// Those between come first, since what is withheld there asks for more on both sides.
    const ALL: [Self; 3] = [Self::Between, Self::Selected, Self::Left];

    /// That of each score.
    fn of(rows: &Rows) -> Vec<Self> {
        let mut met = vec![[false; 2]; rows.bin_count];
        for (&bin, &cell) in rows.bins.iter().zip(&rows.cells) {
            let part = rows.parts.denominators[Cells::SELECTED][usize::from(cell)];
            let met = &mut met[usize::from(bin)];
            *met = [met[0] || part < 1.0, met[1] || part > 0.0];
        }
        let stretch = |met: [bool; 2]| match met {
            [true, true] => Self::Between,
            [false, true] => Self::Selected,
            [_, false] => Self::Left,
        };
        met.into_iter().map(stretch).collect()
    }

    fn places(self, of: &[Self]) -> Vec<usize> {
        (0..of.len()).filter(|&score| of[score] == self).collect()
    }
}

/// The place with the fewest rows, of those that have any.
fn fewest(people: &[Counted]) -> Option<usize> {
    let held = (0..people.len()).filter(|&place| people[place] != Counted::default());
    held.min_by_key(|&place| smaller(people[place].parts))
}

/// The cells of one stretch that have rows: group and place in the stretch, parts, and which are withheld to begin with.
#[derive(Default)]
struct Cut {
    places: Vec<(usize, usize)>,
    people: Vec<Counted>,
    begin: Vec<bool>,
}

/// Which cells are withheld, line by line: `counts` has the rows of each group at each score, and `hold` says which cells of a
/// stretch, whose scores it is given, are.
fn withheld(
    stretches: &[Stretch],
    counts: &[Vec<Counted>],
    hold: impl Fn(&[usize], &Cut) -> Vec<bool>,
) -> Vec<Vec<bool>> {
    let mut joins = vec![false; counts.len()];
    loop {
        let mut withheld = vec![vec![false; stretches.len()]; counts.len()];
        for stretch in Stretch::ALL {
            let scores = stretch.places(stretches);
            let mut cut = Cut::default();
            for (group, counts) in counts.iter().enumerate() {
                let line: Vec<Counted> = scores.iter().map(|&score| counts[score]).collect();
                let joined = match stretch {
                    Stretch::Between => joins[group],
                    _ => Stretch::Between.places(stretches).iter().any(|&score| withheld[group][score]),
                };
                let first = if joined { fewest(&line) } else { None };
                for (column, &cell) in
                    line.iter().enumerate().filter(|(_, cell)| **cell != Counted::default())
                {
                    cut.places.push((group, column));
                    cut.people.push(cell);
                    cut.begin.push(first == Some(column));
                }
            }
            for (&(group, column), held) in cut.places.iter().zip(hold(&scores, &cut)) {
                withheld[group][scores[column]] = held;
            }
        }
        // A cell withheld alone on its side of the cut would follow from what lies between.
        let mut grown = false;
        for (group, joins) in joins.iter_mut().enumerate().filter(|(_, joins)| !**joins) {
            let alone = |stretch: Stretch| {
                stretch.places(stretches).iter().filter(|&&score| withheld[group][score]).count() == 1
            };
            *joins = alone(Stretch::Selected) || alone(Stretch::Left);
            grown |= *joins;
        }
        if !grown {
            return withheld;
        }
    }
}

/// Which scores are withheld from everybody's table.
fn withheld_from_everybody(rows: &Rows, stretches: &[Stretch], least: u64) -> Vec<bool> {
    let place = |row: usize| Some((usize::from(rows.bins[row]), rows.outcomes[row]));
    let line = rows.people.parted(rows.count(), rows.bin_count, place);
    let hold = |_: &[usize], cut: &Cut| {
        let mut held = cut.begin.clone();
        hold_back_parts(&cut.people, &mut held, least);
        held
    };
    withheld(stretches, &[line], hold).concat()
}
