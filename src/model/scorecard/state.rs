//! A card on the way to its optimum, and the moves that lead from it to its neighbours.

use super::bar::Bar;
use super::columns::{Table, Tally, YesNo};
use super::line::{Line, RIDGE, Reach, Sums};

/// What does not change during a search.
pub(super) struct Problem<'c> {
    pub(super) columns: Vec<&'c YesNo>,
    /// The places of the columns among those that were handed in.
    pub(super) origin: Vec<usize>,
    /// The least and the most points that each column may have.
    pub(super) bounds: Vec<(i32, i32)>,
    pub(super) table: Table,
    /// The weight of cases with the outcome, by column.
    pub(super) yes: Vec<f64>,
    /// The weight of all cases, and of those with the outcome.
    pub(super) total: (f64, f64),
    /// What one whole unit of weight is worth in cases.
    pub(super) grain: f64,
    /// The most columns with points.
    pub(super) terms: usize,
    /// By how much columns have to lower the sum of losses to be worth their lines.
    pub(super) bar: Bar,
}

impl Problem<'_> {
    /// The same with some of the columns.
    pub(super) fn narrowed(&self, columns: &[usize]) -> Self {
        let held: Vec<&YesNo> = columns.iter().map(|&column| self.columns[column]).collect();
        Self {
            origin: columns.iter().map(|&column| self.origin[column]).collect(),
            bounds: columns.iter().map(|&column| self.bounds[column]).collect(),
            table: Table::new(&held, self.table.rows(), self.table.weights()),
            columns: held,
            yes: columns.iter().map(|&column| self.yes[column]).collect(),
            ..*self
        }
    }
}

/// Whole-number points for some columns, with the line that fits them best.
#[derive(Clone)]
pub(super) struct State {
    pub(super) points: Vec<i32>,
    totals: Vec<i32>,
    pub(super) sums: Sums,
    pub(super) line: Line,
    /// The least value of the sums, and what its columns cost.
    pub(super) value: f64,
}

/// A column that gets more points, or fewer, and what that leads to.
#[derive(Debug, Clone)]
pub(super) struct Move {
    pub(super) column: usize,
    pub(super) step: i32,
    pub(super) sums: Sums,
    pub(super) line: Line,
    pub(super) value: f64,
}

/// Columns outside the card of which the steps are tried one by one, those with most promise first. The
/// promise is of second order and real steps; 32 hold the best whole-number move all but always.
const SHORTLIST: usize = 32;

/// Moves whose line is fitted exactly.
const FITTED: usize = 10;

/// A column worth a closer look.
#[derive(Debug, Clone, Copy)]
struct Hint {
    column: usize,
    /// The step that it promises, in points.
    promised: f64,
    /// Whether it says yes of more than half of what counts.
    is_most: bool,
}

/// A value is lower only if it is so beyond rounding.
pub(super) fn is_lower(value: f64, than: f64) -> bool {
    value < than - 1e-9 * than.abs()
}

impl State {
    /// The card without points.
    pub(super) fn empty(problem: &Problem<'_>, unit: f64) -> Self {
        let (all, yes) = problem.total;
        let sums = Sums { low: 0, all: vec![all], yes, moment: 0.0, squares: 0.0, ridge: RIDGE };
        let (line, value) = sums.fit(Line { unit, offset: (yes / (all - yes)).ln() }, false);
        let rows = problem.columns.first().map_or(0, |column| column.rows());
        Self { points: vec![0; problem.columns.len()], totals: vec![0; rows], sums, line, value }
    }

    /// The columns with points.
    pub(super) fn chosen(&self) -> Vec<usize> {
        (0..self.points.len()).filter(|&column| self.points[column] != 0).collect()
    }

    pub(super) fn terms(&self) -> usize {
        self.points.iter().filter(|&&points| points != 0).count()
    }

    /// The same in a problem narrowed to columns among which are all with points. The totals move over.
    pub(super) fn narrowed(&mut self, columns: &[usize]) -> Self {
        Self {
            points: columns.iter().map(|&column| self.points[column]).collect(),
            totals: std::mem::take(&mut self.totals),
            sums: self.sums.clone(),
            ..*self
        }
    }

    /// Takes over what became of it there.
    pub(super) fn widen(&mut self, columns: &[usize], narrow: Self) {
        for (&column, &points) in columns.iter().zip(&narrow.points) {
            self.points[column] = points;
        }
        (self.totals, self.sums) = (narrow.totals, narrow.sums);
        (self.line, self.value) = (narrow.line, narrow.value);
    }

    /// The columns with points and so many others with most promise, in order.
    pub(super) fn most_promising(
        &self,
        problem: &Problem<'_>,
        tally: &Tally,
        free: bool,
        others: usize,
    ) -> Vec<usize> {
        let reach = Reach::new(&self.sums, self.line, 1, free);
        let mut columns: Vec<usize> =
            self.shortlist(problem, tally, &reach, others).into_iter().map(|hint| hint.column).collect();
        columns.sort_unstable();
        columns
    }

    /// Fits the line again with its unit free.
    pub(super) fn refit(&mut self, problem: &Problem<'_>) {
        let (line, value) = self.sums.fit(self.line, true);
        (self.line, self.value) = (line, value + problem.bar.of_lines(self.terms()));
    }

    pub(super) fn take(&mut self, problem: &Problem<'_>, next: Move) {
        problem.columns[next.column].add_to(&mut self.totals, next.step);
        self.points[next.column] += next.step;
        (self.sums, self.line, self.value) = (next.sums, next.line, next.value);
    }

    /// Counts the cases anew, for the card and for each column by the card's totals.
    pub(super) fn tally(&mut self, problem: &Problem<'_>) -> Tally {
        let tally = problem.table.tally(&self.totals);
        self.sums.low = tally.low;
        self.sums.all = tally.all.iter().map(|count| count * problem.grain).collect();
        tally
    }

    /// The move of one column by some points, with its line fitted.
    pub(super) fn step(
        &self,
        problem: &Problem<'_>,
        tally: &Tally,
        column: usize,
        step: i32,
        free: bool,
    ) -> Move {
        let cases = tally.column(column);
        let low = self.sums.low.min(tally.low + step);
        let high = |low: i32, width: usize| low + width as i32;
        let end = high(self.sums.low, self.sums.all.len()).max(high(tally.low + step, cases.len()));
        let mut all = vec![0.0; (end - low) as usize];
        let place = |total: i32| (total - low) as usize;
        all[place(self.sums.low)..][..self.sums.all.len()].copy_from_slice(&self.sums.all);
        for (offset, &count) in cases.iter().enumerate() {
            let weight = count * problem.grain;
            all[place(tally.low) + offset] -= weight;
            all[place(tally.low + step) + offset] += weight;
        }
        let points = self.points[column];
        let sums = Sums {
            low,
            all,
            moment: self.sums.moment + f64::from(step) * problem.yes[column],
            squares: self.sums.squares + f64::from(step) * f64::from(2 * points + step),
            ..self.sums
        };
        let (line, value) = sums.fit(self.line, free);
        let terms = self.terms() + usize::from(points + step != 0) - usize::from(points != 0);
        // A unit below zero would turn every sign round.
        let value = if line.unit > 0.0 { value + problem.bar.of_lines(terms) } else { f64::INFINITY };
        Move { column, step, sums, line, value }
    }

    /// The best moves of one column, best first, those that were fitted exactly.
    pub(super) fn moves(&self, problem: &Problem<'_>, tally: &Tally, free: bool) -> Vec<Move> {
        let reach = Reach::new(&self.sums, self.line, farthest(problem), free);
        let terms = self.terms();
        let (one_more, one_less) = (problem.bar.of_line(terms + 1), -problem.bar.of_line(terms.max(1)));
        let mut guesses = Vec::new();
        for Hint { column, promised, is_most } in self.shortlist(problem, tally, &reach, SHORTLIST) {
            let moved = self.moved(problem, tally, column, is_most);
            let points = self.points[column];
            let mut here: Vec<(f64, usize, i32)> = self
                .steps(problem, column, promised)
                .into_iter()
                .map(|step| {
                    let bar = match (points != 0, points + step != 0) {
                        (false, true) => one_more,
                        (true, false) => one_less,
                        _ => 0.0,
                    };
                    (moved.change(&reach, tally.low, step, points) + bar, column, step)
                })
                .collect();
            here.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.2.cmp(&b.2)));
            guesses.extend(here.into_iter().take(2));
        }
        guesses.sort_by(|a, b| a.0.total_cmp(&b.0).then((a.1, a.2).cmp(&(b.1, b.2))));
        guesses.truncate(FITTED);
        let mut moves: Vec<Move> = guesses
            .into_iter()
            .map(|(_, column, step)| self.step(problem, tally, column, step, free))
            .collect();
        moves.sort_by(|a, b| a.value.total_cmp(&b.value));
        moves
    }

    /// The cases that a column moves.
    fn moved(&self, problem: &Problem<'_>, tally: &Tally, column: usize, is_most: bool) -> Moved {
        let cases = tally.column(column).into_iter().map(|count| count * problem.grain);
        let yes = problem.yes[column];
        if is_most {
            let others = cases.zip(&self.sums.all).map(|(count, all)| all - count).collect();
            return Moved { cases: others, yes: problem.total.1 - yes, side: -1 };
        }
        Moved { cases: cases.collect(), yes, side: 1 }
    }

    /// The card with these points (by place among all columns), its line fitted, and what would be lost with
    /// each of its lines, to second order.
    pub(super) fn of(problem: &Problem<'_>, points: &[(usize, i32)], start: Line) -> (Self, Vec<f64>) {
        let mut state = Self::empty(problem, start.unit);
        for (column, place) in problem.origin.iter().enumerate() {
            let Some(&(_, held)) = points.iter().find(|(origin, _)| origin == place) else { continue };
            problem.columns[column].add_to(&mut state.totals, held);
            state.points[column] = held;
            state.sums.moment += f64::from(held) * problem.yes[column];
            state.sums.squares += f64::from(held) * f64::from(held);
        }
        let tally = state.tally(problem);
        state.line = start;
        state.refit(problem);
        let reach = Reach::new(&state.sums, state.line, farthest(problem), true);
        let lost = |column: usize| {
            let points = state.points[column];
            let is_most = 2.0 * tally.column(column).iter().sum::<f64>() * problem.grain > problem.total.0;
            let moved = state.moved(problem, &tally, column, is_most);
            moved.change(&reach, tally.low, -points, points)
        };
        let without = state.chosen().into_iter().map(lost).collect();
        (state, without)
    }

    /// What the column that tells most is worth alone, in log-odds; between 0.5 and 5 to be of use as a
    /// start where there is little, or too much, to tell.
    pub(super) fn strongest(&self, problem: &Problem<'_>, tally: &Tally) -> f64 {
        let reach = Reach::new(&self.sums, self.line, 1, false);
        let best = self
            .shortlist(problem, tally, &reach, SHORTLIST)
            .into_iter()
            .map(|Hint { column, promised, .. }| {
                let step = if promised < 0.0 { -1 } else { 1 };
                self.step(problem, tally, column, step, true)
            })
            .min_by(|a, b| a.value.total_cmp(&b.value));
        best.map_or(1.0, |best| best.line.unit).clamp(0.5, 5.0)
    }

    /// The columns worth a closer look: those with points and, of the others, so many of most promise.
    fn shortlist(&self, problem: &Problem<'_>, tally: &Tally, reach: &Reach, others: usize) -> Vec<Hint> {
        let columns = problem.columns.len();
        let mut parts = [vec![0.0; columns], vec![0.0; columns], vec![0.0; columns]];
        for place in 0..tally.all.len() {
            let (chance, curve, cross) = reach.at(tally.low + place as i32);
            let [a, b, c] = &mut parts;
            for (((count, a), b), c) in tally.at(place).iter().zip(a).zip(b).zip(c) {
                *a += count * chance;
                *b += count * curve;
                *c += count * cross;
            }
        }
        let may_add = self.terms() < problem.terms;
        let mut inside = Vec::new();
        let mut outside = Vec::new();
        for (column, &points) in self.points.iter().enumerate() {
            let sums = [0, 1, 2].map(|part| parts[part][column] * problem.grain);
            let promise = reach.promise(problem.yes[column], sums, points);
            let (low, high) = problem.bounds[column];
            let hint = Hint { column, promised: promise.step, is_most: reach.is_most(sums[1]) };
            if points != 0 {
                inside.push(hint);
            } else if may_add && allows(low, high, promise.step) {
                outside.push((promise.gain, hint));
            }
        }
        outside.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.column.cmp(&b.1.column)));
        inside.extend(outside.into_iter().take(others).map(|(_, hint)| hint));
        inside
    }

    /// The steps to try: all of them where points are few, else those around the promised one, one up and
    /// down, and for a column with points the step that drops it.
    fn steps(&self, problem: &Problem<'_>, column: usize, promised: f64) -> Vec<i32> {
        let points = self.points[column];
        let (low, high) = (problem.bounds[column].0 - points, problem.bounds[column].1 - points);
        let mut steps: Vec<i32> = if high - low <= 20 {
            (low..=high).collect()
        } else {
            let near = (promised.clamp(f64::from(low), f64::from(high))).floor() as i32;
            [near - 1, near, near + 1, near + 2, -1, 1, -points].into_iter().collect()
        };
        steps.retain(|&step| step != 0 && (low..=high).contains(&step));
        steps.sort_unstable();
        steps.dedup();
        steps
    }
}

/// The cases that a step of a column moves: those of which it says yes, or the others the other way, whichever
/// are fewer.
struct Moved {
    /// By total.
    cases: Vec<f64>,
    /// How many of them have the outcome.
    yes: f64,
    side: i32,
}

impl Moved {
    /// How much the value changes with a step of a column that has so many points, its bar left aside.
    fn change(&self, reach: &Reach, low: i32, step: i32, points: i32) -> f64 {
        let growth = f64::from(step) * f64::from(2 * points + step);
        reach.change(low, &self.cases, self.yes, self.side * step, growth)
    }
}

/// The most points that a step can move.
fn farthest(problem: &Problem<'_>) -> i32 {
    problem.bounds.iter().map(|&(low, high)| high - low).max().unwrap_or(0).max(1)
}

/// Whether points may go the way of a step from nought.
fn allows(low: i32, high: i32, step: f64) -> bool {
    (step > 0.0 && high > 0) || (step < 0.0 && low < 0)
}
