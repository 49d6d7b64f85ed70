//! One audit from beginning to end.

use super::block::Column;
use super::calibration::Totals;
use super::grouping::Grouping;
use super::groups::{Context, Group, coarse, published};
use super::measure::measures;
use super::ordinal;
use super::params::{AuditParams, OperatingPoint};
use super::report::{
    AttributeAudit, AttributeFinding, Audit, AuditedGroup, AuditedOutcome, CommonScore, GroupMeasures,
    Operating, ScoreScale, ScoreSpread, Tie,
};
use super::resample::resample;
use super::rows::Rows;
use super::suppress::held_back;
use super::table::{ScoreTable, folded};
use crate::error::{AuditError, EvaluateError};
use crate::evaluate::Capacity;
use crate::stats::Bootstrap;

/// How many groups one pass over the rows takes at most, where a column does not have more by itself. It
/// bounds the memory: a group needs some 70 kB for each thread.
const PASS: usize = 256;

impl ScoreTable {
    /// Measures every group of every column, and how groups differ.
    ///
    /// The same rows in any order give the same audit to the bit, at any number of threads.
    ///
    /// # Errors
    /// [`AuditError::TooFewPeople`], [`AuditError::Parameter`], [`AuditError::NoPrediction`],
    /// [`AuditError::NoScores`], [`AuditError::Reference`].
    pub fn audit(&self, params: &AuditParams) -> Result<Audit, AuditError> {
        check(self, params)?;
        let mut rows = Rows::new(self, params.operating, u64::from(params.minimum))?;
        rows.read_as(params.scores, self.bands)?;
        let context = Context::new(&rows, params);
        let singles = Grouping::singles(self, &context);
        let everybody = everybody(&context);
        let mut whole = None;
        let attributes = Self::measured(&context, &everybody, singles.iter(), &mut whole);
        let mut intersections = Vec::new();
        if params.intersections == 2 {
            for first in 0..singles.len() {
                for second in first + 1..singles.len() {
                    let pair =
                        Grouping::pair(self, &context, (first, second), (&singles[first], &singles[second]));
                    intersections.extend(Self::measured(
                        &context,
                        &everybody,
                        [&pair].into_iter(),
                        &mut whole,
                    ));
                }
            }
        }
        let not_held = self.not_held.iter().map(|name| AttributeAudit {
            columns: vec![name.clone()],
            finding: AttributeFinding::NotMeasurable { why: "the data do not hold it".to_owned() },
        });
        let mut whole = if let Some(whole) = whole {
            whole
        } else {
            let none = Column { codes: &vec![0; rows.count()], places: vec![None], groups: 0, bases: vec![] };
            let replicates = resample(&rows, &[none], &params.bootstrap);
            measures(&context, &everybody, &everybody, (&replicates[0], 0), &mut Totals::new(&rows))
        };
        whole.by_score = ordinal::of_everybody(&context, &everybody);
        let Bootstrap { resamples, seed } = params.bootstrap;
        let told = |tie: Tie| Tie {
            rows: published(tie.rows, params.round_to),
            places: published(tie.places, params.round_to),
        };
        let tie_withheld = rows.operating.tied.is_some() && !context.tie_seen();
        let audit = Audit {
            followed: self.followed,
            n: whole.n,
            positives: whole.positives,
            selected: whole.selected,
            clusters: published(
                rows.clusters.as_ref().map_or(rows.count(), |clusters| clusters.count) as u64,
                params.round_to,
            ),
            clustered: rows.clusters.is_some(),
            by_person: self.by_person,
            people: rows.people.known().map(|people| published(people, params.round_to)),
            weighted: rows.weights.is_some(),
            scores: rows.scale,
            spread: self.scored.then(|| spread(&rows, params, everybody.seen.scores)),
            operating: Operating {
                tied: rows.operating.tied.filter(|_| !tie_withheld).map(told),
                tie_withheld,
                ..rows.operating.clone()
            },
            params: AuditParams {
                references: params
                    .references
                    .iter()
                    .map(|(column, value)| (column.clone(), folded(Some(value))))
                    .collect(),
                ..params.clone()
            },
            correction: format!(
                "over the groups of one column and one measure: the 95% point of the largest difference in standard \
                 deviations (max-t) from the {} bootstrap with {resamples} resamples (seed {seed}), at most Šidák's value{}",
                if rows.clusters.is_some() { "family" } else { "row" },
                if rows.scale == ScoreScale::Chances {
                    ""
                } else {
                    ", which outcomes at equal score always have"
                }
            ),
            whole,
            left_out: self.lost.as_deref().map_or(Ok(Vec::new()), |lost| lost.parted(params, &attributes))?,
            chosen: self
                .chosen
                .as_deref()
                .map_or(Ok(Vec::new()), |chosen| chosen.parted(params, &attributes))?,
            attributes: attributes.into_iter().chain(not_held).collect(),
            intersections,
        };
        let audit = if self.followed { audit } else { audit.without_outcomes() };
        Ok(if self.scored { audit } else { audit.without_scores() })
    }

    /// How the selected and the others of this table are spread over groups, to be shown beside another table that holds
    /// the others by themselves: a group of which the number selected is withheld is held back whole, since the sizes of
    /// the group in both tables would give the number away; and so is one that is held back `beside`.
    fn parted(
        &self,
        params: &AuditParams,
        beside: &[AttributeAudit],
    ) -> Result<Vec<AttributeAudit>, AuditError> {
        let params = AuditParams { operating: OperatingPoint::Predicted, intersections: 1, ..params.clone() };
        // Rows that stand for many cases each can be fewer than the least that may be shown.
        if self.people.distinct(0..self.scores.len()) < u64::from(params.minimum) {
            return Ok(Vec::new());
        }
        let mut attributes = self.audit(&params)?.attributes;
        for attribute in &mut attributes {
            let AttributeFinding::Measured { reference, largest, groups, criteria } = &mut attribute.finding
            else {
                continue;
            };
            let beside = beside.iter().find(|other| other.columns == attribute.columns);
            let is_beside = |group: &AuditedGroup| match beside.map(|other| &other.finding) {
                Some(AttributeFinding::Measured { groups, .. }) => {
                    groups.iter().any(|other| other.values == group.values)
                }
                // Nothing is said of it there.
                _ => true,
            };
            let may_be_known = |group: &AuditedGroup| match &group.outcome {
                AuditedOutcome::Shown { measures, .. } => measures.selected.is_some() && is_beside(group),
                AuditedOutcome::Suppressed { .. } => false,
            };
            let (mut shown, held): (Vec<_>, Vec<_>) =
                std::mem::take(groups).into_iter().partition(may_be_known);
            let names: Vec<String> = shown.iter().map(AuditedGroup::name).collect();
            for criterion in criteria {
                criterion.set_by.take_if(|setter| !names.contains(&setter.group));
            }
            for base in [reference, largest] {
                base.take_if(|base| !names.contains(base));
            }
            let outcome = || AuditedOutcome::Suppressed { under: params.minimum };
            shown.extend(held.iter().map(|_| AuditedGroup {
                values: Vec::new(),
                known: false,
                outcome: outcome(),
            }));
            *groups = shown;
        }
        Ok(attributes)
    }

    /// Measures groupings, several in one pass of the bootstrap where they are small.
    fn measured<'g>(
        context: &Context<'_>,
        everybody: &Group,
        groupings: impl Iterator<Item = &'g Grouping>,
        whole: &mut Option<GroupMeasures>,
    ) -> Vec<AttributeAudit> {
        let mut found = Vec::new();
        let mut waiting: Vec<&Grouping> = Vec::new();
        let mut pass = |waiting: &mut Vec<&'g Grouping>| {
            let columns: Vec<Column<'_>> = waiting.iter().map(|held| held.column(context)).collect();
            let replicates = resample(context.rows, &columns, &context.params.bootstrap);
            for ((grouping, column), replicates) in waiting.iter().zip(&columns).zip(&replicates) {
                let mut totals = Totals::new(context.rows);
                whole.get_or_insert_with(|| {
                    measures(context, everybody, everybody, (replicates, column.groups), &mut totals)
                });
                found.push(grouping.audit(context, everybody, column, replicates));
            }
            waiting.clear();
        };
        for grouping in groupings {
            let ahead: usize = waiting.iter().map(|held| held.shown().count()).sum();
            if !waiting.is_empty() && ahead + grouping.shown().count() > PASS {
                pass(&mut waiting);
            }
            waiting.push(grouping);
        }
        if !waiting.is_empty() {
            pass(&mut waiting);
        }
        found
    }
}

fn check(table: &ScoreTable, params: &AuditParams) -> Result<(), AuditError> {
    let wrong = |what: &'static str| Err(AuditError::Parameter { what });
    if !(params.margin > 0.0 && params.margin < 1.0) {
        return wrong("the margin must be above 0 and below 1; 0.05 is five percentage points");
    }
    if !matches!(params.intersections, 1 | 2) {
        return wrong("intersections are 1 (none) or 2 (pairs of columns)");
    }
    if params.round_to.is_some_and(|to| to < 2) {
        return wrong("counts can be rounded to multiples of 2 or more; leave rounding out for exact counts");
    }
    match params.bootstrap.check() {
        Ok(()) => {}
        Err(EvaluateError::TooManyResamples { .. }) => {
            return wrong("more than 99,999 resamples of the bootstrap only cost time and memory");
        }
        Err(_) => return wrong("the bootstrap needs at least 39 resamples for a 95% interval"),
    }
    match params.operating {
        OperatingPoint::Threshold(_) | OperatingPoint::Capacity(_) if !table.scored => {
            return Err(AuditError::NoScores);
        }
        OperatingPoint::Threshold(threshold) if !threshold.is_finite() => {
            return wrong("the threshold must be a number");
        }
        OperatingPoint::Capacity(Capacity::Share(share)) if !(0.0..=1.0).contains(&share) => {
            return wrong("a capacity that is a share lies from 0 to 1");
        }
        OperatingPoint::Capacity(Capacity::Cases(cases)) if cases as usize > table.scores.len() => {
            return wrong(
                "the capacity is above the number of rows, so everybody would be selected; write fewer",
            );
        }
        _ => {}
    }
    let of_column = |column: &String| params.references.iter().filter(|(held, _)| held == column).count();
    if params.references.iter().any(|(column, _)| of_column(column) > 1) {
        return wrong("a column has two groups that the others are to be compared with; name one");
    }
    for (column, value) in &params.references {
        let held = table.groups.iter().find(|group| group.name == *column);
        let value = folded(Some(value));
        if !held.is_some_and(|group| group.names.iter().any(|name| folded(Some(name)) == value)) {
            return Err(AuditError::Reference { column: column.clone() });
        }
    }
    let (n, minimum) = (table.people.distinct(0..table.scores.len()) as usize, params.minimum);
    if n == 0 || n < minimum as usize {
        return Err(AuditError::TooFewPeople { n, minimum });
    }
    Ok(())
}

/// The range of the scores and the commonest of them, where enough people have it for nobody to be told by it, nor by what it
/// leaves for the others.
fn spread(rows: &Rows, params: &AuditParams, is_seen: bool) -> ScoreSpread {
    const SHOWN: usize = 3;
    let ties = rows.scores.chunk_by(|a, b| a.total_cmp(b).is_eq());
    let mut values: Vec<(f64, u64)> = Vec::new();
    let mut of_rows = Vec::with_capacity(rows.count());
    for tie in ties {
        of_rows.resize(of_rows.len() + tie.len(), values.len());
        values.push((tie[0], tie.len() as u64));
    }
    let ends = (values.last().map_or(0.0, |low| low.0), values.first().map_or(0.0, |high| high.0));
    let distinct = published(values.len() as u64, params.round_to);
    let held = held_back(
        &rows.people.sizes(rows.count(), values.len(), |row| of_rows[row]),
        u64::from(params.minimum),
    );
    // With those selected, tied and told by score, sums of them would tell others.
    let mut shown = held.iter().map(|held| is_seen && !held);
    values.retain(|&(_, rows)| shown.next() == Some(true) && rows > 1);
    // Of equally common ones the highest, which stands first.
    values.sort_by_key(|&(_, rows)| std::cmp::Reverse(rows));
    values.truncate(SHOWN);
    let common = |(score, rows): (f64, u64)| CommonScore { score, rows: published(rows, params.round_to) };
    ScoreSpread {
        lowest: coarse(ends.0, params.round_to.is_some()),
        highest: coarse(ends.1, params.round_to.is_some()),
        distinct,
        commonest: values.into_iter().map(common).collect(),
    }
}

/// All rows as a group.
fn everybody(context: &Context<'_>) -> Group {
    let rows = context.rows;
    let zeros = vec![0; rows.count()];
    let all = Column { codes: &zeros, places: vec![Some(0)], groups: 1, bases: vec![] };
    let sums = context.sums(&all).0.swap_remove(0);
    context.group((0..rows.count() as u32).collect(), sums, context.seen())
}
