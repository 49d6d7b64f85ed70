//! Two ways of selecting from one table, compared row by row.

use std::fmt;

use serde::Serialize;

use super::super::audit::{AuditParams, ScoreTable, few_of_either};
use super::super::protected::Protected;
use super::report::BeforeAfter;
use crate::calendar::{AsOf, Day};
use crate::error::{AuditError, Error};
use crate::evaluate::{Cases, PairedTest};

/// Two ways of selecting from the rows of one table, such as a model's list and business as usual: what each finds, who
/// changes, and the differences with paired intervals, for everybody and group by group.
///
/// The first way is [`ScoreTable::usual`], the second is the operating point of the parameters. Rows count alike here,
/// whatever their weights.
/// Groups and counts of theirs are held back as in the audit, by the people of the table.
///
/// # Examples
/// ```
/// use earlyhelp::fairness::audit::{AuditParams, OperatingPoint, ScoreTable};
/// use earlyhelp::fairness::mitigation::SelectionsCompared;
///
/// // The model selects rows 0 to 99, most of whom have the outcome; as usual, every fourth is selected.
/// let outcomes: Vec<bool> = (0..400).map(|row| row < 80 || row % 10 == 9).collect();
/// let area: Vec<Option<&str>> = (0..400).map(|row| Some(["north", "south"][row % 2])).collect();
/// let table = ScoreTable::without_scores((0..400).map(|row| row < 100).collect(), Some(outcomes))?
///     .usual((0..400).map(|row| row % 4 == 0).collect())?
///     .group("area", &area)?;
/// let found = SelectionsCompared::of(&table, &AuditParams::at(OperatingPoint::Predicted))?;
/// assert_eq!((found.overall.in_both, found.overall.only_in_first), (Some(25.0), Some(75.0)));
/// assert!(found.overall.recall_at_capacity.ok_or("nobody had the outcome")?.change.interval.low > 0.0);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct SelectionsCompared {
    /// Everybody.
    pub overall: PairedTest,
    /// Group by group.
    pub groups: BeforeAfter,
}

impl SelectionsCompared {
    /// Compares them, with the bootstrap of `params`.
    ///
    /// # Errors
    /// [`AuditError::NoPrediction`] where the table does not say who would have been selected otherwise, or what happened;
    /// [`AuditError::Parameter`] where the list ends among equal scores; as [`ScoreTable::audit`] otherwise.
    pub fn of(table: &ScoreTable, params: &AuditParams) -> Result<Self, Error> {
        let usual = table.usual.as_deref().filter(|_| table.followed).ok_or(AuditError::NoPrediction)?;
        let rows = table.outcomes.len();
        let cases = Cases {
            entities: (0..rows).map(|row| row.to_string()).collect(),
            // All rows are of one table, whatever days they were scored on.
            dates: vec![AsOf::new(Day::from_epoch_days(0)); rows],
            families: table.clusters.clone().unwrap_or_else(|| by_content(table)),
            outcomes: table.outcomes.clone(),
            log_odds: vec![0.0; rows],
            listed: table.selected(params.operating)?,
        };
        // In each of the two parts that one column makes, the people of the two parts that another makes.
        let few = |column: &[bool], within: &[bool]| {
            let people = table.people.parted(rows, 2, |row| Some((usize::from(within[row]), column[row])));
            people.iter().any(|people| few_of_either(people.parts, u64::from(params.minimum)))
        };
        let everywhere = vec![false; rows];
        let few_of = |column: &[bool]| few(column, &everywhere);
        let lists = [usual, &cases.listed[..]];
        if few_of(&cases.outcomes) || lists.into_iter().any(|list| few_of(list) || few(list, &cases.outcomes))
        {
            return Err(AuditError::Parameter {
                what: "those with the outcome, or those selected in one of the two ways, or the others, or of these those with \
                       the outcome or without it, are fewer than the minimum, and a comparison would say how many; leave \
                       --against out, or let an auditor who may see them switch the suppression off",
            }
            .into());
        }
        let held = table.groups.iter();
        let protected =
            Protected::of_rows(held.map(|group| (group.name.as_str(), &group.names[..], &group.codes[..])));
        let mut groups = BeforeAfter::of_people(&cases, &table.people, usual, &protected, params)?;
        groups.dates.clear();
        let overall = PairedTest::of_selections(&cases, usual, params.bootstrap)?;
        let overall = if few(usual, &cases.listed) { overall.without_places() } else { overall };
        Ok(Self { overall, groups })
    }
}

/// A family for each row, numbered by what the rows say, so that no order of rows changes what is drawn.
fn by_content(table: &ScoreTable) -> Vec<u32> {
    let mut order: Vec<usize> = (0..table.outcomes.len()).collect();
    order.sort_by(|&a, &b| table.compare(a, b));
    let mut families = vec![0; order.len()];
    for (row, family) in order.into_iter().zip(0..) {
        families[row] = family;
    }
    families
}

impl fmt::Display for SelectionsCompared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "Selected here, against the other selection of the same rows (the change, with its paired 95% interval; a star: \
             clear of zero)"
        )?;
        self.overall.fmt(f)?;
        writeln!(f, "\nThe other selection, this one, and the change, by group")?;
        self.groups.write(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fairness::audit::OperatingPoint;
    use crate::stats::Bootstrap;

    /// 300 people at one date, and 6 of the group `b` at twelve.
    #[test]
    fn what_is_held_back_is_counted_in_people() {
        let people: Vec<u32> = (0..300).chain((300..306).flat_map(|person| [person; 12])).collect();
        let of = |says: fn(usize) -> bool| (0..people.len()).map(says).collect::<Vec<bool>>();
        let area: Vec<Option<&str>> =
            people.iter().map(|&person| Some(if person < 300 { "a" } else { "b" })).collect();
        let table = |outcomes: Vec<bool>| {
            let table = ScoreTable::without_scores(of(|row| row % 3 == 0), Some(outcomes)).unwrap();
            table.usual(of(|row| row % 4 == 0)).unwrap().group("area", &area).unwrap()
        };
        let params = AuditParams {
            bootstrap: Bootstrap { resamples: 39, seed: 1 },
            ..AuditParams::at(OperatingPoint::Predicted)
        };
        let shown = |table: &ScoreTable| {
            let found = SelectionsCompared::of(table, &params).unwrap();
            found.groups.characteristics[0].1.iter().filter(|group| group.rates.is_some()).count()
        };
        let both = table(of(|row| row % 5 == 0));
        assert_eq!(shown(&both), 2);
        assert_eq!(shown(&both.people(people.clone()).unwrap()), 0);
        // Only rows of those six have the outcome.
        let few = table(of(|row| row >= 300 && row % 2 == 0));
        assert!(SelectionsCompared::of(&few, &params).is_ok());
        let refused = SelectionsCompared::of(&few.people(people.clone()).unwrap(), &params);
        assert!(matches!(refused, Err(Error::Audit(AuditError::Parameter { .. }))));
    }

    /// Rows by group, outcome, and whether they are selected usually and here; so many of each.
    fn of(rows: &[(&'static str, bool, [bool; 2], usize)]) -> ScoreTable {
        let each = rows
            .iter()
            .flat_map(|&(group, outcome, on, times)| std::iter::repeat_n((group, outcome, on), times));
        let each: Vec<_> = each.collect();
        let selected = |nth: usize| each.iter().map(|row| row.2[nth]).collect::<Vec<bool>>();
        let groups: Vec<Option<&str>> = each.iter().map(|row| Some(row.0)).collect();
        let outcomes = each.iter().map(|row| row.1).collect();
        let table = ScoreTable::without_scores(selected(1), Some(outcomes)).unwrap();
        table.usual(selected(0)).unwrap().group("area", &groups).unwrap()
    }

    fn compared(rows: &[(&'static str, bool, [bool; 2], usize)]) -> Result<SelectionsCompared, Error> {
        let params = AuditParams {
            bootstrap: Bootstrap { resamples: 99, seed: 1 },
            ..AuditParams::at(OperatingPoint::Predicted)
        };
        SelectionsCompared::of(&of(rows), &params)
    }

    const PLENTY: [(&str, bool, [bool; 2], usize); 8] = [
        ("a", true, [true, true], 100),
        ("a", true, [true, false], 40),
        ("a", true, [false, true], 50),
        ("a", true, [false, false], 60),
        ("a", false, [true, true], 90),
        ("a", false, [true, false], 45),
        ("a", false, [false, true], 55),
        ("a", false, [false, false], 500),
    ];

    #[test]
    fn few_who_change_are_not_counted() {
        let all = compared(&PLENTY).unwrap();
        assert_eq!((all.overall.in_both, all.groups.places_changed), (Some(190.0), Some(85)));
        assert!(all.to_string().contains("190 go to the same cases, 85 only in the first"), "{all}");
        // 2 and 2 of the usual list are not on the other.
        let mut rows = PLENTY;
        (rows[1].3, rows[5].3) = (2, 2);
        let few = compared(&rows).unwrap();
        let overall = &few.overall;
        assert_eq!((overall.in_both, overall.only_in_first, overall.only_in_second), (None, None, None));
        assert_eq!(few.groups.places_changed, None);
        assert!(overall.recall_at_capacity.is_some(), "102 and 150 of 212 are no secret");
        assert!(few.to_string().contains("how many go to the same cases is withheld"), "{few}");
        // 9 of those with the outcome are on the list in use: recall would tell them.
        let mut rows = PLENTY;
        (rows[0].3, rows[1].3) = (5, 4);
        assert!(compared(&rows).unwrap_err().to_string().contains("a comparison would say how many"));
    }

    #[test]
    fn a_group_whose_cells_are_withheld_is_not_compared_by_them() {
        // In c, 40 have the outcome and 33 and 38 are selected, but 3 of them are both.
        let small = [
            ("c", true, [true, true], 3),
            ("c", true, [false, false], 37),
            ("c", false, [true, true], 30),
            ("c", false, [false, true], 5),
            ("c", false, [false, false], 200),
        ];
        let medium = PLENTY.map(|(_, outcome, on, times)| ("b", outcome, on, times / 2));
        let rows: Vec<_> = PLENTY.into_iter().chain(medium).chain(small).collect();
        let found = compared(&rows).unwrap();
        let rates = |nth: usize| found.groups.characteristics[0].1[nth].rates.as_deref().unwrap();
        assert!(rates(0).found.rate.is_some() && rates(0).wrongly_listed.to_the_rest.is_some());
        // b, which is next in size, goes with it.
        for nth in [1, 2] {
            let rates = rates(nth);
            assert!(rates.selection.rate.is_some(), "{nth}");
            for change in [&rates.found, &rates.wrongly_listed] {
                assert!(change.rate.is_none() && change.to_the_rest.is_none(), "{nth}: {change:?}");
            }
        }
    }
}
