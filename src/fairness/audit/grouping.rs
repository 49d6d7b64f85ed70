//! The groups of one column, or of two: which are shown, and what is said of them.

use std::ops::Range;

use super::super::people::Counted;
use super::block::Column;
use super::calibration::Totals;
use super::cells::GroupPeople;
use super::compare::Comparison;
use super::criteria::{JudgedGroup, criteria};
use super::groups::{Context, Group, Number, Seen};
use super::judged::Judged;
use super::measure::measures;
use super::ordinal;
use super::rates::Moments;
use super::replicates::Replicates;
use super::report::{
    Against, AttributeAudit, AttributeFinding, AuditedGroup, AuditedOutcome, GroupMeasure, OutcomeAtScore,
};
use super::suppress::{Columns, Guard, PairCells, Whole};
use super::table::{ScoreTable, folded, is_known};

/// The most pairs of values that are looked at in two columns.
const MOST_PAIRS: usize = 1_000;

/// Which groups, and which numbers of them, are held back.
struct Hidden {
    rows: Vec<bool>,
    outcome: Vec<bool>,
    selection: Vec<bool>,
    cells: Vec<bool>,
    at_score: Vec<bool>,
}

impl Hidden {
    /// `hold_back` holds back more groups by one number and its complement, until none can be worked out. `at_scores` has
    /// the people of all groups at each score.
    fn new(
        context: &Context<'_>,
        groups: &[GroupPeople],
        at_scores: &[Vec<Counted>],
        hold_back: impl Fn(Number, &[Counted], Vec<bool>, Guard) -> Vec<bool>,
    ) -> Self {
        let guard = |number: Number, mut held: Vec<bool>| {
            let least = context.least();
            let by =
                if matches!(number, Number::Rows) { Guard::of_rows(least) } else { Guard::of_parts(least) };
            let counted: Vec<Vec<Counted>> =
                groups.iter().map(|people| number.counted(&context.rows.parts, people)).collect();
            let parts = 0..counted.first().map_or(0, Vec::len);
            let counted: Vec<Vec<Counted>> = match number {
                Number::AtScore => at_scores.to_vec(),
                _ => parts.map(|nth| counted.iter().map(|counted| counted[nth]).collect()).collect(),
            };
            // What one part adds can make another too small to stay.
            loop {
                let before = held.clone();
                for people in &counted {
                    held = hold_back(number, people, held, by);
                }
                if held == before {
                    return held;
                }
            }
        };
        let rows = guard(Number::Rows, vec![false; groups.len()]);
        let outcome = guard(Number::Outcome, rows.clone());
        let selection = guard(Number::Selection, rows.clone());
        let either = outcome.iter().zip(&selection).map(|(&outcome, &selection)| outcome || selection);
        let cells = guard(Number::Cells, either.collect());
        let at_score = guard(Number::AtScore, rows.clone());
        Self { rows, outcome, selection, cells, at_score }
    }

    /// Nothing of no groups.
    fn nothing(context: &Context<'_>) -> Self {
        Self::new(context, &[], &[], |_, _, held, _| held)
    }

    /// Of the groups of several columns those of one.
    fn of_column(&self, column: &Range<usize>) -> Self {
        let of = |held: &[bool]| held[column.clone()].to_vec();
        Self {
            rows: of(&self.rows),
            outcome: of(&self.outcome),
            selection: of(&self.selection),
            cells: of(&self.cells),
            at_score: of(&self.at_score),
        }
    }

    fn pairs(
        context: &Context<'_>,
        places: &[(usize, usize)],
        (groups, at_scores): (&[GroupPeople], &[Vec<Counted>]),
        margins: (&Self, &Self),
    ) -> Self {
        Self::new(context, groups, at_scores, |number, people, held, guard| {
            let margins = (margins.0.guarded(number), margins.1.guarded(number));
            PairCells { places, people, margins }.hold_back(&held, guard)
        })
    }

    fn guarded(&self, number: Number) -> &[bool] {
        match number {
            Number::Rows => &self.rows,
            Number::Outcome => &self.outcome,
            Number::Selection => &self.selection,
            Number::Cells => &self.cells,
            Number::AtScore => &self.at_score,
        }
    }
}

/// The groups that are made up of groups of another column, wherever all of a column's groups lie within those of another. The
/// groups of each column stand at its place among all.
fn wholes(codes: &[Vec<u16>], each: &[Range<usize>]) -> Vec<Whole> {
    let mut found = Vec::new();
    for (outer, inner) in (0..codes.len()).flat_map(|outer| (0..codes.len()).map(move |inner| (outer, inner)))
    {
        if outer == inner {
            continue;
        }
        let mut within: Vec<Option<u16>> = vec![None; each[inner].len()];
        let lies_within =
            |(&part, &whole): (&u16, &u16)| *within[usize::from(part)].get_or_insert(whole) == whole;
        if !codes[inner].iter().zip(&codes[outer]).all(lies_within) {
            continue;
        }
        found.extend(each[outer].clone().enumerate().map(|(whole, group)| {
            let parts = each[inner].clone().enumerate();
            let its = parts.filter(|&(part, _)| within[part].map(usize::from) == Some(whole));
            Whole { group, parts: its.map(|(_, part)| part).collect() }
        }));
    }
    found
}

enum Codes {
    Single(usize),
    Pair(Vec<u16>),
}

/// The groups of a column, or of two.
pub(super) struct Grouping {
    columns: Vec<String>,
    values: Vec<Vec<String>>,
    codes: Codes,
    sizes: Vec<u64>,
    hidden: Hidden,
    reference: Option<usize>,
    /// Why it is not looked at.
    refused: Option<String>,
}

impl Grouping {
    /// Each column by itself. What is held back of one minds the others.
    pub(super) fn singles(table: &ScoreTable, context: &Context<'_>) -> Vec<Self> {
        let rows = context.rows;
        let (mut people, mut each) = (Vec::new(), Vec::new());
        let mut at_scores: Vec<Vec<Counted>> = Vec::new();
        for (column, codes) in table.groups.iter().zip(&rows.codes) {
            let groups = column.names.len();
            let group_of = |row: usize| usize::from(codes[row]);
            each.push(people.len()..people.len() + groups);
            people.extend(rows.people_of(groups, group_of));
            let of_column = rows.people_at_scores(groups, group_of);
            at_scores.resize_with(of_column.len(), Vec::new);
            at_scores.iter_mut().zip(of_column).for_each(|(all, more)| all.extend(more));
        }
        let columns = Columns { wholes: wholes(&rows.codes, &each), each };
        let hidden = Hidden::new(context, &people, &at_scores, |_, people, held, guard| {
            columns.hold_back(people, held, guard)
        });
        let each = columns.each.iter().enumerate();
        each.map(|(nth, column)| Self::single(table, context, nth, hidden.of_column(column))).collect()
    }

    fn single(table: &ScoreTable, context: &Context<'_>, nth: usize, hidden: Hidden) -> Self {
        let column = &table.groups[nth];
        let mut sizes = vec![0; column.names.len()];
        for &code in &context.rows.codes[nth] {
            sizes[usize::from(code)] += 1;
        }
        let asked = context.params.references.iter().find(|(name, _)| *name == column.name);
        let reference = asked
            .map(|(_, value)| folded(Some(value)))
            .and_then(|value| column.names.iter().position(|name| folded(Some(name)) == value));
        Self {
            columns: vec![column.name.clone()],
            values: column.names.iter().map(|name| vec![name.clone()]).collect(),
            codes: Codes::Single(nth),
            sizes,
            hidden,
            reference,
            refused: None,
        }
    }

    /// Two columns together: the pairs of values that some row has.
    pub(super) fn pair(
        table: &ScoreTable,
        context: &Context<'_>,
        (a, b): (usize, usize),
        (first, second): (&Grouping, &Grouping),
    ) -> Self {
        let rows = context.rows;
        let wide = second.values.len();
        let mut sizes = vec![0_u64; first.values.len() * wide];
        let joint = |row: usize| usize::from(rows.codes[a][row]) * wide + usize::from(rows.codes[b][row]);
        (0..rows.count()).for_each(|row| sizes[joint(row)] += 1);
        let present: Vec<usize> = (0..sizes.len()).filter(|&pair| sizes[pair] > 0).collect();
        let columns = vec![table.groups[a].name.clone(), table.groups[b].name.clone()];
        let mut grouping = Self {
            columns,
            values: Vec::new(),
            codes: Codes::Single(a),
            sizes: Vec::new(),
            hidden: Hidden::nothing(context),
            reference: None,
            refused: None,
        };
        if present.len() > MOST_PAIRS {
            let why = format!(
                "the two columns have more than {MOST_PAIRS} pairs of values; put values into larger groups"
            );
            grouping.refused = Some(why);
            return grouping;
        }
        let place_of: Vec<u16> = {
            let mut places = vec![0; sizes.len()];
            for (place, &pair) in present.iter().enumerate() {
                places[pair] = place as u16;
            }
            places
        };
        let places: Vec<(usize, usize)> = present.iter().map(|&pair| (pair / wide, pair % wide)).collect();
        let group_of = |row: usize| usize::from(place_of[joint(row)]);
        let people = rows.people_of(present.len(), group_of);
        let at_scores = rows.people_at_scores(present.len(), group_of);
        let name = |&(i, j): &(usize, usize)| vec![first.values[i][0].clone(), second.values[j][0].clone()];
        grouping.values = places.iter().map(name).collect();
        grouping.codes = Codes::Pair((0..rows.count()).map(|row| place_of[joint(row)]).collect());
        grouping.sizes = present.iter().map(|&pair| sizes[pair]).collect();
        grouping.hidden =
            Hidden::pairs(context, &places, (&people, &at_scores), (&first.hidden, &second.hidden));
        let asked = first.reference.zip(second.reference);
        grouping.reference = asked.and_then(|asked| places.iter().position(|&place| place == asked));
        grouping
    }

    pub(super) fn shown(&self) -> impl Iterator<Item = usize> {
        (0..self.values.len()).filter(|&code| !self.hidden.rows[code])
    }

    fn known(&self, code: usize) -> bool {
        self.values[code].iter().all(|value| is_known(value))
    }

    fn reference(&self) -> Option<usize> {
        self.reference.filter(|&code| !self.hidden.rows[code])
    }

    /// The largest group of known value that is shown; of equals the first.
    fn largest(&self) -> Option<usize> {
        let known = self.shown().filter(|&code| self.known(code));
        known.reduce(|best, next| if self.sizes[next] > self.sizes[best] { next } else { best })
    }

    pub(super) fn column<'a>(&'a self, context: &Context<'a>) -> Column<'a> {
        let codes = match &self.codes {
            Codes::Single(nth) => &context.rows.codes[*nth],
            Codes::Pair(codes) => codes,
        };
        let mut places = vec![None; self.values.len().max(ScoreTable::MOST_GROUPS)];
        let mut groups = 0_u16;
        for code in self.shown() {
            places[code] = Some(groups);
            groups += 1;
        }
        let place = |code: usize| places[code].map(usize::from);
        let mut bases: Vec<usize> =
            self.reference().into_iter().chain(self.largest()).filter_map(place).collect();
        bases.dedup();
        Column { codes, groups: usize::from(groups), places, bases }
    }

    pub(super) fn audit(
        &self,
        context: &Context<'_>,
        everybody: &Group,
        column: &Column<'_>,
        replicates: &Replicates,
    ) -> AttributeAudit {
        let why = if let Some(why) = &self.refused {
            Some(why.clone())
        } else if !(0..self.values.len()).any(|code| self.known(code)) {
            Some("it is not known for anybody".to_owned())
        } else {
            None
        };
        if let Some(why) = why {
            let finding = AttributeFinding::NotMeasurable { why };
            return AttributeAudit { columns: self.columns.clone(), finding };
        }
        let (sums, across) = context.sums(column);
        let mut members: Vec<Vec<u32>> = vec![Vec::new(); column.groups];
        for (row, &code) in column.codes.iter().enumerate() {
            if let Some(place) = column.places[usize::from(code)] {
                members[usize::from(place)].push(row as u32);
            }
        }
        let shown: Vec<usize> = self.shown().collect();
        let groups: Vec<Group> = members
            .into_iter()
            .zip(sums)
            .zip(&shown)
            .map(|((members, sums), &code)| {
                let (all, hidden) = (everybody.seen, &self.hidden);
                let seen = Seen {
                    outcome: all.outcome && !hidden.outcome[code],
                    selection: all.selection && !hidden.selection[code],
                    cells: all.cells && !hidden.cells[code],
                    scores: all.scores && !hidden.at_score[code],
                };
                context.group(members, sums, seen)
            })
            .collect();
        let bases = self.bases(column);
        let comparisons: Vec<Comparison<'_>> = bases
            .iter()
            .map(|(against, place, number)| Comparison {
                context,
                groups: &groups,
                base: place.map_or(everybody, |place| &groups[place]),
                everybody,
                base_place: place.unwrap_or(column.groups),
                base_number: *number,
                against: against.clone(),
                across: across.get(*number).map(|across: &Vec<Moments>| &across[..]),
                replicates,
            })
            .collect();
        let mut judged = self.judged(context, &groups, &comparisons, replicates);
        for (place, by_score) in self.by_score(context, everybody, &groups).into_iter().enumerate() {
            judged[place].measures.by_score = by_score;
        }
        let name = |code: usize| self.values[code].join(", ");
        let first = bases.iter().map(|(against, ..)| against).find(|against| **against != Against::Whole);
        let criteria =
            if self.columns.len() == 1 { criteria(&judged, first, context.params) } else { Vec::new() };
        let groups = self.published(context, judged);
        AttributeAudit {
            columns: self.columns.clone(),
            finding: AttributeFinding::Measured {
                reference: self.reference().map(name),
                largest: self.largest().map(name),
                groups,
                criteria,
            },
        }
    }

    /// What happened at each score in each group shown. Not for pairs: a table of three dimensions has more totals.
    fn by_score(
        &self,
        context: &Context<'_>,
        everybody: &Group,
        groups: &[Group],
    ) -> Vec<Vec<OutcomeAtScore>> {
        let Codes::Single(nth) = self.codes else { return Vec::new() };
        let places: Vec<usize> = self.shown().collect();
        let shown: Vec<(usize, &Group)> = places.into_iter().zip(groups).collect();
        ordinal::of_groups(context, everybody, (&context.rows.codes[nth], &self.hidden.cells), &shown)
    }

    /// Whom to compare with: the base, its place among the groups shown, its number among the bases.
    fn bases(&self, column: &Column<'_>) -> Vec<(Against, Option<usize>, usize)> {
        let name = |code: usize| self.values[code].join(", ");
        let base = |code: usize, against: fn(String) -> Against| {
            let place = column.places[code].map(usize::from);
            let number = place.and_then(|place| column.bases.iter().position(|&base| base == place));
            (against(name(code)), place, number.unwrap_or(column.bases.len()))
        };
        let reference = self.reference().map(|code| base(code, Against::Reference));
        let largest = self.largest().map(|code| base(code, Against::Largest));
        let everybody = (Against::Whole, None, column.bases.len());
        reference.into_iter().chain(largest).chain([everybody]).collect()
    }

    /// The groups that are shown, measured and compared.
    fn judged(
        &self,
        context: &Context<'_>,
        groups: &[Group],
        comparisons: &[Comparison<'_>],
        replicates: &Replicates,
    ) -> Vec<JudgedGroup> {
        let mut totals = Totals::new(context.rows);
        let mut compared: Vec<Vec<Judged>> = groups.iter().map(|_| Vec::new()).collect();
        for comparison in comparisons {
            for measure in GroupMeasure::COMPARED {
                for (held, found) in compared.iter_mut().zip(comparison.disparities(measure)) {
                    held.extend(found);
                }
            }
        }
        let everybody = comparisons.first().map(|comparison| comparison.everybody);
        let shown = groups.iter().enumerate().zip(self.shown()).zip(compared);
        shown
            .map(|(((place, group), code), judged)| JudgedGroup {
                name: self.values[code].join(", "),
                measures: measures(
                    context,
                    group,
                    everybody.unwrap_or(group),
                    (replicates, place),
                    &mut totals,
                ),
                judged,
            })
            .collect()
    }

    /// All groups in their order, as a reader sees them.
    fn published(&self, context: &Context<'_>, judged: Vec<JudgedGroup>) -> Vec<AuditedGroup> {
        let mut judged = judged.into_iter();
        let outcome = |code: usize| {
            let shown = if self.hidden.rows[code] { None } else { judged.next() };
            match shown {
                Some(group) => AuditedOutcome::Shown {
                    measures: Box::new(group.measures),
                    disparities: group.judged.into_iter().map(Judged::published).collect(),
                },
                None => AuditedOutcome::Suppressed { under: context.params.minimum },
            }
        };
        let outcomes: Vec<AuditedOutcome> = (0..self.values.len()).map(outcome).collect();
        // Those held back come last and have no names: the place among other names would tell something, too.
        let (shown, held): (Vec<_>, Vec<_>) = outcomes
            .into_iter()
            .enumerate()
            .partition(|(_, outcome)| matches!(outcome, AuditedOutcome::Shown { .. }));
        let shown = shown.into_iter().map(|(code, outcome)| AuditedGroup {
            values: self.values[code].clone(),
            known: self.known(code),
            outcome,
        });
        let held =
            held.into_iter().map(|(_, outcome)| AuditedGroup { values: Vec::new(), known: false, outcome });
        shown.chain(held).collect()
    }
}
