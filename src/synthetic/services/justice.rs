//! Police, domestic-abuse notifications and youth justice.

use super::{Records, Row, Source, event_days};
use crate::synthetic::needs::{FamilyNeeds, Need};
use crate::synthetic::population::Family;
use crate::synthetic::random::{Draw, Purpose};
use crate::synthetic::rates::{OVER_RECORDING, SILENT_AREA};
use crate::synthetic::timeline::{FIRST_HALF, HALVES, YOUTH_JUSTICE_START};

/// Incidents a year in a family where someone offends, and elsewhere.
const INCIDENTS: [f64; 2] = [3.0, 0.08];
/// Notified incidents of domestic abuse a year; each makes two or three rows.
const NOTIFICATIONS: [f64; 2] = [2.0, 0.015];
/// Outcomes a year of a child of ten or more in a family where someone offends, and elsewhere.
const OUTCOMES: [f64; 2] = [0.25, 0.002];
/// Share of incidents that become a contact with the council (a choice).
const TOLD_TO_COUNCIL: f64 = 0.3;
/// Place of the police among the sources of referrals.
const FROM_POLICE: usize = 0;
const VICTIM: usize = 0;
const SUSPECT: usize = 1;
const WITNESS: usize = 2;

pub(super) fn write(seed: u64, family: &Family, needs: &FamilyNeeds, records: &mut Records) {
    let mut draw = Draw::stream(seed, Purpose::Justice, u64::from(family.number));
    for half in FIRST_HALF..HALVES {
        let offending = Need::Offending.in_bits(needs.family[half]);
        let rate = INCIDENTS[usize::from(!offending)];
        for day in event_days(half, rate, &mut draw) {
            incident(family, day, [0.2, 0.55, 0.25], &mut draw, records);
        }
        if family.over_recorded {
            // The planted bias: more incidents for the same need, none as victim.
            for day in event_days(half, rate * (OVER_RECORDING - 1.0), &mut draw) {
                incident(family, day, [0.0, 0.6, 0.4], &mut draw, records);
            }
        }
        let abuse = Need::DomesticAbuse.in_bits(needs.family[half]);
        for day in event_days(half, NOTIFICATIONS[usize::from(!abuse)], &mut draw) {
            notification(family, day, &mut draw, records);
        }
        outcomes(family, half, offending, &mut draw, records);
    }
}

/// A police incident is about one person: a child of ten or more in half of the families that have one.
fn incident(family: &Family, day: i32, roles: [f64; 3], draw: &mut Draw, records: &mut Records) {
    let role = draw.pick(&roles);
    let recorded = day + draw.lag(1, 5);
    let about_child = draw.chance(0.5);
    let which = draw.unit();
    if !family.has_children_on(day) {
        return;
    }
    let old_enough: Vec<usize> = older_children(family, day).collect();
    let person = if about_child && !old_enough.is_empty() {
        family.child(old_enough[(which * old_enough.len() as f64) as usize])
    } else {
        family.carer(usize::from(family.has_second_carer(day) && which < 0.5))
    };
    records.point(Source::Police, Row::point(person, day, recorded, 0).detail(role));
    // The police tell the council of some incidents in homes with children: a contact about one child.
    let children: Vec<usize> =
        (0..family.children.len()).filter(|&place| family.children[place].is_child_on(day)).collect();
    if draw.chance(TOLD_TO_COUNCIL) && !children.is_empty() {
        let child = children[((1.0 - which) * children.len() as f64) as usize % children.len()];
        let contact = Row::point(family.child(child), recorded, recorded + 1, 0);
        records.point(Source::Contacts, contact.detail(FROM_POLICE));
    }
}

/// One row for the victim, one for a suspect who lives in the home, one for each child who was there.
fn notification(family: &Family, day: i32, draw: &mut Draw, records: &mut Records) {
    let recorded = day + draw.lag(1, 7);
    let suspect_known = draw.chance(0.4);
    // The planted silence: the notifications of one area never reach the council's files.
    let reaches = family.area != SILENT_AREA && family.has_children_on(day);
    let mut write = |person, role| {
        if reaches {
            records.point(Source::DomesticAbuse, Row::point(person, day, recorded, 0).detail(role));
        }
    };
    write(family.carer(0), VICTIM);
    if suspect_known && family.has_second_carer(day) {
        write(family.carer(1), SUSPECT);
    }
    for (place, child) in family.children.iter().enumerate() {
        if draw.chance(0.15) && child.is_child_on(day) {
            write(family.child(place), WITNESS);
        }
    }
}

fn outcomes(family: &Family, half: usize, offending: bool, draw: &mut Draw, records: &mut Records) {
    for place in 0..family.children.len() {
        for day in event_days(half, OUTCOMES[usize::from(!offending)], draw) {
            let recorded = day + draw.lag(10, 40);
            // The system of this source began later: nothing older was carried over.
            if day >= YOUTH_JUSTICE_START && older_children(family, day).any(|older| older == place) {
                records.point(Source::YouthJustice, Row::point(family.child(place), day, recorded, 0));
            }
        }
    }
}

/// Children aged 10 to 17: from the age of criminal responsibility.
fn older_children(family: &Family, day: i32) -> impl Iterator<Item = usize> {
    let old_enough = move |child: &crate::synthetic::population::Child| {
        child.is_child_on(day) && f64::from(day - child.birth) >= 10.0 * crate::synthetic::timeline::YEAR
    };
    family.children.iter().enumerate().filter(move |(_, child)| old_enough(child)).map(|(place, _)| place)
}
