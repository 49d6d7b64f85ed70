//! Youth clubs: voluntary, and planted as protective.

use super::{Records, Row, Source, event_days};
use crate::synthetic::needs::{FamilyNeeds, Need};
use crate::synthetic::population::Family;
use crate::synthetic::random::{Draw, Purpose};
use crate::synthetic::timeline::{FIRST_HALF, HALVES};

/// Sign-ups a year of a child who takes part, and of one who does not (a try-out).
const RATES: [f64; 2] = [2.8, 0.03];

pub(super) fn write(seed: u64, family: &Family, needs: &FamilyNeeds, records: &mut Records) {
    let mut draw = Draw::stream(seed, Purpose::Activity, u64::from(family.number));
    for (place, child) in family.children.iter().enumerate() {
        for half in FIRST_HALF..HALVES {
            let takes_part = Need::YouthActivity.in_bits(needs.children[place][half]);
            for day in event_days(half, RATES[usize::from(!takes_part)], &mut draw) {
                let recorded = day + draw.lag(1, 30);
                let old_enough = day - child.birth >= 7 * 365;
                if old_enough && child.is_child_on(day) {
                    records.point(Source::YouthActivity, Row::point(family.child(place), day, recorded, 0));
                }
            }
        }
    }
}
