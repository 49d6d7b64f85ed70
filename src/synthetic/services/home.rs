//! Housing, benefits and council tax: what the council knows about the home and its money.

use super::{Records, Row, Source, event_days, runs};
use crate::synthetic::needs::{FamilyNeeds, Income, Need};
use crate::synthetic::population::Family;
use crate::synthetic::random::{Draw, Purpose};
use crate::synthetic::timeline::{BOUNDS, FIRST_HALF, HALVES, OPEN, month_end};

/// Records a year of a family whose housing is unstable, and of another.
const HOUSING: [f64; 2] = [2.8, 0.02];
/// Council-tax reminders a year of a family in hardship, and of another.
const ARREARS: [f64; 2] = [2.8, 0.05];
const CLAIM: u8 = 0;
const TAX_ARREARS: u8 = 1;

pub(super) fn write(seed: u64, family: &Family, needs: &FamilyNeeds, records: &mut Records) {
    let mut draw = Draw::stream(seed, Purpose::Home, u64::from(family.number));
    let tenant = family.carer(0);
    for half in FIRST_HALF..HALVES {
        let unstable = Need::Housing.in_bits(needs.family[half]);
        for day in event_days(half, HOUSING[usize::from(!unstable)], &mut draw) {
            let kind = draw.pick(&[0.6, 0.28, 0.12]);
            let pounds = (draw.normal(6.4, 0.7).exp()).round();
            let late = draw.lag(1, 5);
            if family.has_children_on(day) {
                // Housing reports at the month's end, and arrears are taken on that very day.
                let reported = month_end(day);
                let row = Row::point(tenant, day, reported + late, kind as u8);
                let row = if kind == 0 { Row { start: reported, ..row }.value(pounds) } else { row };
                records.point(Source::Housing, row);
            }
        }
        let hardship = Need::Financial.in_bits(needs.family[half]);
        for day in event_days(half, ARREARS[usize::from(!hardship)], &mut draw) {
            let (end, lags) = (day + draw.between(30, 150), (draw.lag(3, 21), draw.lag(3, 21)));
            if family.has_children_on(day) {
                records.spell(Source::Benefits, Row::spell(tenant, (day, end), lags, TAX_ARREARS));
            }
        }
    }
    for (first, end) in runs(|half| needs.income[half] == Income::Low) {
        let (into, beyond) = (draw.between(0, 180), draw.between(0, 180));
        let lags = (draw.lag(3, 21), draw.lag(3, 21));
        let to = if end == HALVES { OPEN } else { BOUNDS[end] + beyond };
        records.spell(Source::Benefits, Row::spell(tenant, (BOUNDS[first] + into, to), lags, CLAIM));
    }
}
