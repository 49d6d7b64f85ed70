//! Health: attendances of children, referrals of carers for substance use or mental health.

use super::{Records, Row, Source, event_days};
use crate::synthetic::needs::{FamilyNeeds, Need};
use crate::synthetic::population::Family;
use crate::synthetic::random::{Draw, Purpose};
use crate::synthetic::timeline::{FIRST_HALF, HALVES};

/// Referrals a year of a carer with the need, and without. All services are about as reliable: near
/// three records a year with the need, few without, so that effects can be compared.
const REFERRALS: [f64; 2] = [2.8, 0.02];
/// Attendances a year of any child (a choice near emergency-department figures). They carry no planted
/// effect: a source that says nothing about need.
const ATTENDANCES: f64 = 0.35;

pub(super) fn write(seed: u64, family: &Family, needs: &FamilyNeeds, records: &mut Records) {
    let mut draw = Draw::stream(seed, Purpose::Health, u64::from(family.number));
    for half in FIRST_HALF..HALVES {
        for (kind, need) in [(1, Need::SubstanceUse), (2, Need::MentalHealth)] {
            let rate = REFERRALS[usize::from(!need.in_bits(needs.family[half]))];
            for day in event_days(half, rate, &mut draw) {
                let recorded = day + draw.lag(7, 35);
                if family.has_children_on(day) {
                    records.point(Source::Health, Row::point(family.carer(0), day, recorded, kind));
                }
            }
        }
        for (place, child) in family.children.iter().enumerate() {
            for day in event_days(half, ATTENDANCES, &mut draw) {
                let recorded = day + draw.lag(7, 35);
                if child.is_child_on(day) {
                    records.point(Source::Health, Row::point(family.child(place), day, recorded, 0));
                }
            }
        }
    }
}
