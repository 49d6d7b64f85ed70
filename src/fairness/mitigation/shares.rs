//! Places on a list dealt to groups.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::super::audit::{AuditParams, UNKNOWN, folded};
use super::super::protected::Protected;
use crate::error::MitigationError;
use crate::stats::link::probability;

/// A share of a list's places for each group of one protected characteristic, with a reason and the name of
/// who approved it. Within a group the highest scores come first.
///
/// Places are whole: they are dealt by the method of the largest remainder, and what a group cannot fill goes
/// to the others. A group with fewer than `minimum_group` cases is pooled with others like it, and so are
/// those that are given no share by name; those whose group is not known are a group. A pool that is small
/// may still come out without a place, so look at what became of it.
///
/// Nothing is done silently: a case that is listed only because of its group's share is marked
/// [`ByShare`](crate::review::WhyListed::ByShare), and the list says how many places changed. Note that the mark can
/// tell a reader which group a person is in; say so to those who read lists. **Read the caution in
/// [`mitigation`](crate::fairness::mitigation) first.**
///
/// # Examples
/// ```
/// use earlyhelp::fairness::{CapacityShares, ShareRule};
///
/// let shares: CapacityShares = toml::from_str(
///     r#"
/// characteristic = "sex"
/// by = "group_size"
/// reason = "The list of March held boys alone; panel decision 12."
/// approved_by = "C. Monitoring Officer"
/// "#,
/// )?;
/// assert_eq!(shares.by, ShareRule::GroupSize);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # References
/// M. L. Balinski and H. P. Young (2001), *Fair Representation*, 2nd edition, on largest remainders.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CapacityShares {
    /// The protected characteristic.
    pub characteristic: String,
    /// What the shares go by.
    pub by: ShareRule,
    /// Why. Needed, as for [`Reweighing`](crate::dataset::Reweighing).
    pub reason: String,
    /// Who approved it, by name or office. Needed.
    pub approved_by: String,
    /// The fewest cases of a group that has a share of its own. The default is that of
    /// [`AuditParams::minimum`], for the same reason: the share of a smaller group points at people.
    #[serde(default = "default_minimum_group")]
    pub minimum_group: u32,
}

fn default_minimum_group() -> u32 {
    AuditParams::at_release().minimum
}

/// What groups' shares of the places go by.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ShareRule {
    /// By how many cases of the cohort are in the group: everybody is listed at about the same rate.
    GroupSize,
    /// By how many cases of the group the model expects to have the outcome (the sum of their chances).
    /// What the records overstate for a group, this overstates as well.
    ExpectedNeed,
    /// By shares given by name (capitals and blanks do not matter), 0 to 1 each and at most 1 together; all other groups are pooled and have what
    /// is left.
    Given(BTreeMap<String, f64>),
}

/// A group's part in dealing places.
#[derive(Debug, Default)]
struct Part {
    /// Positions in the ranking, best first.
    members: Vec<usize>,
    /// What its share is in proportion to.
    claim: f64,
}

impl CapacityShares {
    /// Which of the cases have a place, given all ids and log-odds by rank, best first, and the number of
    /// places.
    pub(crate) fn deal<'c>(
        &self,
        protected: &Protected,
        ranked: impl Iterator<Item = (&'c str, f64)>,
        places: usize,
    ) -> Result<Vec<bool>, MitigationError> {
        signed(&self.reason, &self.approved_by)?;
        let place = protected.place(&self.characteristic)?;
        let mut groups: BTreeMap<&str, Part> = BTreeMap::new();
        let mut count = 0;
        for (position, (entity, log_odds)) in ranked.enumerate() {
            let part = groups.entry(protected.group(place, entity).unwrap_or(UNKNOWN)).or_default();
            part.members.push(position);
            part.claim += match self.by {
                ShareRule::ExpectedNeed => probability(log_odds),
                ShareRule::GroupSize | ShareRule::Given(_) => 1.0,
            };
            count = position + 1;
        }
        let parts = match &self.by {
            ShareRule::Given(shares) => given(groups, shares, |name| protected.has_group(place, name))?,
            ShareRule::GroupSize | ShareRule::ExpectedNeed => {
                let least = self.minimum_group as usize;
                pooled(groups, |_, part| part.members.len() >= least)
            }
        };
        let claims: Vec<(f64, usize)> = parts.iter().map(|part| (part.claim, part.members.len())).collect();
        let mut has_place = vec![false; count];
        for (part, dealt) in parts.iter().zip(deal(&claims, places)) {
            for &position in &part.members[..dealt] {
                has_place[position] = true;
            }
        }
        Ok(has_place)
    }
}

/// The groups by name, and those that do not stand alone together at the end.
fn pooled(groups: BTreeMap<&str, Part>, stands_alone: impl Fn(&str, &Part) -> bool) -> Vec<Part> {
    let (mut parts, mut pool) = (Vec::new(), Part::default());
    for (name, part) in groups {
        if stands_alone(name, &part) {
            parts.push(part);
        } else {
            pool.members.extend(part.members);
            pool.claim += part.claim;
        }
    }
    pool.members.sort_unstable();
    if !pool.members.is_empty() {
        parts.push(pool);
    }
    parts
}

/// The groups with the shares that they are given, and all others with the rest.
fn given(
    mut groups: BTreeMap<&str, Part>,
    shares: &BTreeMap<String, f64>,
    is_group: impl Fn(&str) -> bool,
) -> Result<Vec<Part>, MitigationError> {
    let wrong = |why: String| Err(MitigationError::Shares(why));
    let asked = shares.len();
    let shares: BTreeMap<String, f64> =
        shares.iter().map(|(name, &share)| (folded(Some(name)), share)).collect();
    if shares.len() < asked {
        return wrong(
            "one group is given two shares; names differ by more than capitals and blanks".to_owned(),
        );
    }
    if let Some(name) = shares.keys().find(|name| *name != UNKNOWN && !is_group(name)) {
        return wrong(format!("there is no group \"{name}\""));
    }
    if shares.values().any(|share| !(0.0..=1.0).contains(share)) {
        return wrong("a share must be 0 to 1".to_owned());
    }
    let sum: f64 = shares.values().sum();
    if sum > 1.0 + 1e-9 {
        return wrong(format!("they add up to {sum}, which is more than 1"));
    }
    let rest = 1.0 - sum;
    for (name, part) in &mut groups {
        part.claim = shares.get(*name).copied().unwrap_or(0.0);
    }
    let named = groups.keys().filter(|name| shares.contains_key(**name)).count();
    let others = groups.len() > named;
    if others && rest < 1e-9 {
        return wrong("they leave nothing for people of other groups; leave them a share".to_owned());
    }
    let mut parts = pooled(groups, |name, _| shares.contains_key(name));
    if let Some(pool) = parts.last_mut().filter(|_| others) {
        pool.claim = rest;
    }
    Ok(parts)
}

/// Whole places by the largest remainder: for each group its claim and how many places it can fill. Of equal
/// remainders the larger group's comes first, then the one that stands first.
fn deal(groups: &[(f64, usize)], places: usize) -> Vec<usize> {
    let mut dealt = vec![0; groups.len()];
    let mut open: Vec<usize> = (0..groups.len()).filter(|&group| groups[group].1 > 0).collect();
    let mut left = places.min(groups.iter().map(|(_, size)| size).sum());
    while left > 0 && !open.is_empty() {
        let claimed: f64 = open.iter().map(|&group| groups[group].0).sum();
        let sizes: usize = open.iter().map(|&group| groups[group].1).sum();
        // Where nobody who still has room claims anything, the rest goes by size.
        let quota = |group: usize| {
            let (claim, size) = groups[group];
            let share = if claimed > 0.0 { claim / claimed } else { size as f64 / sizes as f64 };
            left as f64 * share
        };
        let full: Vec<usize> =
            open.iter().copied().filter(|&group| quota(group) >= groups[group].1 as f64).collect();
        if full.is_empty() {
            let mut remainders: Vec<(f64, usize)> = Vec::new();
            let mut over = left;
            for &group in &open {
                let quota = quota(group);
                dealt[group] = quota as usize;
                over = over.saturating_sub(dealt[group]);
                remainders.push((quota.fract(), group));
            }
            remainders.sort_by(|a, b| {
                b.0.total_cmp(&a.0).then(groups[b.1].1.cmp(&groups[a.1].1)).then(a.1.cmp(&b.1))
            });
            for &(_, group) in remainders.iter().take(over) {
                dealt[group] += 1;
            }
            break;
        }
        for &group in &full {
            dealt[group] = groups[group].1;
            left -= groups[group].1;
        }
        open.retain(|group| !full.contains(group));
    }
    dealt
}

/// Refuses a measure that nobody answers for.
pub(super) fn signed(reason: &str, approved_by: &str) -> Result<(), MitigationError> {
    match (crate::words::is_blank(reason), crate::words::is_blank(approved_by)) {
        (true, _) => Err(MitigationError::NotSigned("reason")),
        (_, true) => Err(MitigationError::NotSigned("approved_by")),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::protected::ProtectedColumns;
    use super::*;
    use crate::records::Extract;
    use polars::df;

    fn protected() -> Protected {
        let ids: Vec<String> = (0..100).map(|nth| format!("p{nth}")).collect();
        // 60 a, 36 b, 3 c, 1 not known.
        let group = |nth: usize| match nth {
            0..60 => Some("a"),
            60..96 => Some("b"),
            96..99 => Some("c"),
            _ => None,
        };
        let groups: Vec<Option<&str>> = (0..100).map(group).collect();
        let columns = ProtectedColumns {
            entity: vec!["id".into()],
            characteristics: vec!["g".into()],
            not_held: vec!["faith".into()],
            of_family: None,
            ..ProtectedColumns::default()
        };
        Protected::read(&columns, Extract::frame(df!("id" => ids, "g" => groups).unwrap())).unwrap()
    }

    fn shares(by: ShareRule) -> CapacityShares {
        CapacityShares {
            characteristic: "g".into(),
            by,
            reason: "r".into(),
            approved_by: "a".into(),
            minimum_group: 3,
        }
    }

    /// Everybody by id: all of a first, then b, then c.
    fn listed(shares: &CapacityShares, places: usize) -> Result<Vec<usize>, MitigationError> {
        let ids: Vec<String> = (0..100).map(|nth| format!("p{nth}")).collect();
        let ranked = ids.iter().enumerate().map(|(nth, id)| (id.as_str(), -(nth as f64) / 20.0));
        let chosen = shares.deal(&protected(), ranked, places)?;
        Ok((0..100).filter(|&position| chosen[position]).collect())
    }

    #[test]
    fn places_by_largest_remainder_by_hand() {
        // Quotas 4.7, 3.1, 2.2: the one place that is left goes to the first.
        assert_eq!(deal(&[(47.0, 90), (31.0, 90), (22.0, 90)], 10), [5, 3, 2]);
        // Of equal remainders the larger group's.
        assert_eq!(deal(&[(1.0, 5), (1.0, 6)], 3), [1, 2]);
        // A group that is full hands on what it cannot use; claims of nought take part only then.
        assert_eq!(deal(&[(0.9, 2), (0.1, 50), (0.0, 3)], 10), [2, 8, 0]);
        assert_eq!(deal(&[(1.0, 2), (0.0, 50), (0.0, 25)], 8), [2, 4, 2]);
        assert_eq!(deal(&[(1.0, 2), (1.0, 3)], 50), [2, 3]);
        assert_eq!(deal(&[], 3), [0_usize; 0]);
    }

    #[test]
    fn the_highest_scores_of_each_group_fill_its_places() {
        // Sizes 60, 36, 3 and one not known, who stands alone in the pool: 6, 3.6, 0.3, 0.1.
        assert_eq!(listed(&shares(ShareRule::GroupSize), 10).unwrap(), [0, 1, 2, 3, 4, 5, 60, 61, 62, 63]);
        let by_need = listed(&shares(ShareRule::ExpectedNeed), 10).unwrap();
        let of_a = by_need.iter().filter(|&&position| position < 60).count();
        assert!(of_a > 6, "more is expected of those who score higher: {by_need:?}");
        let half = ShareRule::Given([("a".to_owned(), 0.2), ("b".to_owned(), 0.5)].into());
        // The others, c and those not known, have what is left: three places.
        assert_eq!(listed(&shares(half), 10).unwrap(), [0, 1, 60, 61, 62, 63, 64, 96, 97, 98]);
    }

    #[test]
    fn small_groups_are_pooled() {
        let pooled = CapacityShares { minimum_group: 10, ..shares(ShareRule::GroupSize) };
        // The pool of c and those not known has a quota of 0.8 of 20, the others 12 and 7.2.
        let places = listed(&pooled, 20).unwrap();
        assert_eq!(places.iter().filter(|&&position| position >= 96).count(), 1);
        assert_eq!(places.len(), 20);
    }

    #[test]
    fn what_nobody_answers_for_or_cannot_be_is_refused() {
        let refused = |shares: CapacityShares| listed(&shares, 10).unwrap_err().to_string();
        let good = shares(ShareRule::GroupSize);
        assert!(refused(CapacityShares { reason: " ".into(), ..good.clone() }).contains("reason"));
        assert!(
            refused(CapacityShares { approved_by: String::new(), ..good.clone() }).contains("approved_by")
        );
        assert!(refused(CapacityShares { characteristic: "age".into(), ..good.clone() }).contains("\"age\""));
        let not_held = refused(CapacityShares { characteristic: "faith".into(), ..good });
        assert!(not_held.contains("not held"), "{not_held}");
        let given = |pairs: &[(&str, f64)]| {
            shares(ShareRule::Given(pairs.iter().map(|&(name, share)| (name.to_owned(), share)).collect()))
        };
        assert!(refused(given(&[("z", 0.5)])).contains("no group \"z\""));
        assert!(refused(given(&[("a", 1.5)])).contains("0 to 1"));
        assert!(refused(given(&[("a", 0.7), ("b", 0.6)])).contains("more than 1"));
        assert!(refused(given(&[("a", 0.5), ("b", 0.5)])).contains("nothing for people of other groups"));
    }
}
