//! Children's social care and early help: contacts, referrals, episodes, plans.

use super::{Context, Records, Row, Source, event_days};
use crate::synthetic::care::{ChildCourse, Decision, Episode, history};
use crate::synthetic::needs::{FamilyNeeds, Need};
use crate::synthetic::population::Family;
use crate::synthetic::random::{Draw, Purpose};
use crate::synthetic::rates::REFERRAL_SHARES;
use crate::synthetic::timeline::{FIRST_HALF, HALVES, half_of};

pub(super) fn write(
    context: &Context,
    family: &Family,
    needs: &FamilyNeeds,
    courses: &[ChildCourse],
    records: &mut Records,
) {
    let mut draw = Draw::stream(context.seed, Purpose::Referral, u64::from(family.number));
    for (place, (child, course)) in family.children.iter().zip(courses).enumerate() {
        let person = family.child(place);
        for half in FIRST_HALF..HALVES {
            // Contacts that come to nothing, and early help, lean on risk less than in proportion: anyone
            // may call, and help is voluntary.
            let relative = f64::from(course.relative[half]);
            for day in event_days(half, context.contacts * relative.sqrt(), &mut draw) {
                let row =
                    Row::point(person, day, day + draw.lag(0, 1), 0).detail(draw.pick(&REFERRAL_SHARES));
                if child.is_child_on(day) {
                    records.point(Source::Contacts, row);
                }
            }
            for day in event_days(half, context.early_help * relative.sqrt(), &mut draw) {
                let end = (day + draw.between(60, 360)).min(child.adult_from);
                let lags = (draw.lag(1, 14), draw.lag(1, 21));
                if child.is_child_on(day) {
                    records.spell(Source::EarlyHelp, Row::spell(person, (day, end), lags, 0));
                }
            }
        }
        history(context.seed, person, child, course, context.hazard, |day, decision| {
            let source = draw.pick(&REFERRAL_SHARES);
            let contacted = day - draw.between(0, 3);
            let contact = Row::point(person, contacted, contacted + draw.between(0, 1), 0);
            records.point(Source::Contacts, contact.detail(source));
            let referral = Row::point(person, day, day + draw.lag(0, 2), 0);
            records.point(Source::Referrals, referral.detail(source));
            if let Decision::Need(episode) = decision {
                let abuse = Need::DomesticAbuse.in_bits(needs.family[half_of(episode.start)]);
                write_episode(person, &episode, abuse, &mut draw, records);
            }
        });
    }
}

/// Shares of the categories of need, with and without domestic abuse at home. Choices near the published
/// pattern (abuse or neglect in more than half); nothing is calibrated on them.
const CATEGORIES: [[f64; 6]; 2] =
    [[0.75, 0.14, 0.05, 0.02, 0.02, 0.02], [0.46, 0.16, 0.12, 0.13, 0.06, 0.07]];

fn write_episode(person: u32, episode: &Episode, abuse: bool, draw: &mut Draw, records: &mut Records) {
    let category = draw.pick(&CATEGORIES[usize::from(!abuse)]);
    let spells = [Some((episode.start, episode.end)), episode.protection, episode.care];
    for (kind, spell) in spells.into_iter().enumerate() {
        let lags = (draw.lag(1, 7), draw.lag(1, 14));
        if let Some(spell) = spell {
            records.spell(Source::Plans, Row::spell(person, spell, lags, kind as u8).detail(category));
        }
    }
}
