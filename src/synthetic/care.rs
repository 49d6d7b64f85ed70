//! The way into children's social care: referral, decision, episode of need, plan, care.
//!
//! A child without an open episode is referred at the rate
//! `base × exp(planted effects) × (boost within a year of an earlier referral)`. A referral leads to no
//! action, to an assessment without need, or to an episode of need, in the published shares: so every
//! planted effect on referrals is the same effect on episodes of need. An episode is plain, holds a
//! protection plan, or holds a time in care.
//!
//! Three numbers are not published and follow from those that are: the base rate (from the rate of
//! referrals), the boost (from the share of re-referrals) and the length of episodes (from the number in
//! need at a date). [`solve`] finds them by running every history with the same draws again and scaling.

use rayon::prelude::*;

use super::needs::{FamilyNeeds, Shares};
use super::population::{Child, Population};
use super::random::{Draw, Purpose};
use super::rates::{
    CARE_STARTS, IN_NEED, NEED_STARTS, NO_FURTHER_ACTION, NOT_IN_NEED, PROTECTION_STARTS, RE_REFERRALS,
    REFERRALS,
};
use super::timeline::{BOUNDS, EXTRACT, HALVES, RECORDS_START, WARM_UP, YEAR, day, half_of};

/// What was decided on a referral.
#[derive(Clone, Copy)]
pub(super) enum Decision {
    NoAction,
    NotInNeed,
    Need(Episode),
}

/// An episode of need, with the plan or the time in care inside it.
#[derive(Clone, Copy)]
pub(super) struct Episode {
    pub(super) start: i32,
    pub(super) end: i32,
    pub(super) protection: Option<(i32, i32)>,
    pub(super) care: Option<(i32, i32)>,
}

/// The solved numbers.
#[derive(Clone, Copy)]
pub(super) struct Hazard {
    /// Referrals a year of a child at relative hazard 1.
    pub(super) base: f64,
    boost: f64,
    length: f64,
}

/// Everything that follows for one child from its needs.
pub(super) struct ChildCourse {
    pub(super) relative: [f32; HALVES],
}

/// Runs one child's history and shows each referral: its day and what was decided.
///
/// The first draws of a referral do not depend on the solved numbers, so that two runs with slightly
/// different numbers tell nearly the same story, and [`solve`] converges.
pub(super) fn history(
    seed: u64,
    number: u32,
    child: &Child,
    course: &ChildCourse,
    hazard: &Hazard,
    mut visit: impl FnMut(i32, Decision),
) {
    let last = child.adult_from.min(EXTRACT);
    let mut day = child.birth.max(WARM_UP);
    let mut boosted_until = WARM_UP;
    let mut draw = Draw::stream(seed, Purpose::Care, u64::from(number));
    loop {
        let wait = draw.exponential(1.0);
        let draws = [(); 6].map(|()| draw.unit());
        let Some(referred) = next_referral(day, wait, last, boosted_until, &course.relative, hazard) else {
            return;
        };
        boosted_until = referred + 365;
        let (no_action, not_in_need) = (NO_FURTHER_ACTION.value / 100.0, NOT_IN_NEED.value / 100.0);
        if draws[0] < no_action {
            visit(referred, Decision::NoAction);
            day = referred + 14;
        } else if draws[0] < no_action + not_in_need {
            visit(referred, Decision::NotInNeed);
            // The assessment takes up to 45 working days, which is 63 days.
            day = referred + 63;
        } else {
            let episode = episode(referred, &draws, child.adult_from, hazard.length);
            visit(referred, Decision::Need(episode));
            day = episode.end + 1;
        }
    }
}

/// The day when the integrated hazard reaches `wait`; none before `last`.
fn next_referral(
    mut day: i32,
    mut wait: f64,
    last: i32,
    boosted_until: i32,
    relative: &[f32; HALVES],
    hazard: &Hazard,
) -> Option<i32> {
    if day >= last {
        return None;
    }
    let mut half = half_of(day);
    while day < last {
        let boosted = day < boosted_until;
        let mut until = BOUNDS[half + 1].min(last);
        if boosted {
            until = until.min(boosted_until);
        }
        let rate = hazard.base / YEAR * f64::from(relative[half]) * if boosted { hazard.boost } else { 1.0 };
        let spent = rate * f64::from(until - day);
        if spent > wait {
            return Some(day + (wait / rate) as i32);
        }
        wait -= spent;
        day = until;
        if day >= BOUNDS[half + 1] {
            half += 1;
        }
    }
    None
}

/// Lays out an episode. Mean lengths are those that published numbers at a date and starts imply: plans
/// 0.8 years (40.6 / 50.8), care 2.6 years (67 / 26), the rest the remainder; `length` scales them all.
fn episode(referred: i32, draws: &[f64; 6], adult_from: i32, length: f64) -> Episode {
    let span = |draw: f64, mean_years: f64| (-(1.0 - draw).ln() * mean_years * length * YEAR) as i32;
    let in_days = |draw: f64, low: f64, high: f64| (low + draw * (high - low)) as i32;
    // The episode is opened soon after the referral, while the assessment still runs.
    let start = (referred + in_days(draws[1], 1.0, 15.0)).min(adult_from - 1);
    let within = |from: i32, to: i32| (from < adult_from).then_some((from, to.min(adult_from)));
    let (to_care, to_plan) =
        (CARE_STARTS.value / NEED_STARTS.value, PROTECTION_STARTS.value / NEED_STARTS.value);
    let (mut protection, mut care) = (None, None);
    let end = if draws[2] < to_care {
        let from = start + in_days(draws[3], 1.0, 120.0);
        let to = from + 7 + span(draws[4], 2.6);
        care = within(from, to);
        to
    } else if draws[2] < to_care + to_plan {
        let from = start + in_days(draws[3], 15.0, 60.0);
        let to = from + 60 + span(draws[4], 0.65);
        protection = within(from, to);
        to + in_days(draws[5], 0.0, 180.0)
    } else {
        // Three in five end soon, the others take years: half of all are over within about four months.
        start + 14 + span(draws[4], if draws[5] < 0.6 { 0.25 } else { 1.6 })
    };
    Episode { start, end: end.min(adult_from), protection, care }
}

/// What a run of all histories adds up to, over the years with records.
#[derive(Default, Clone, Copy)]
struct Counts {
    referrals: u64,
    re_referrals: u64,
    /// Children with an open episode, summed over the 31st of March of each year.
    open: u64,
}

impl Counts {
    fn plus(self, other: Self) -> Self {
        Self {
            referrals: self.referrals + other.referrals,
            re_referrals: self.re_referrals + other.re_referrals,
            open: self.open + other.open,
        }
    }
}

/// Dates on which the open episodes are counted.
fn counting_dates() -> [i32; 5] {
    [2020, 2021, 2022, 2023, 2024].map(|year| day(year, 3, 31))
}

fn count(seed: u64, number: u32, child: &Child, course: &ChildCourse, hazard: &Hazard) -> Counts {
    let mut counts = Counts::default();
    let mut earlier = i32::MIN / 2;
    history(seed, number, child, course, hazard, |referred, decision| {
        if referred >= RECORDS_START {
            counts.referrals += 1;
            counts.re_referrals += u64::from(referred - earlier <= 365);
        }
        earlier = referred;
        if let Decision::Need(episode) = decision {
            let open = |&date: &i32| episode.start <= date && date < episode.end;
            counts.open += counting_dates().iter().filter(|date| open(date)).count() as u64;
        }
    });
    counts
}

/// Each child's relative hazard, by family and place in it.
pub(super) fn courses(
    population: &Population,
    needs: &[FamilyNeeds],
    shares: &Shares,
) -> Vec<Vec<ChildCourse>> {
    population
        .families
        .par_iter()
        .zip(needs)
        .map(|(family, needs)| {
            (0..family.children.len())
                .map(|place| ChildCourse { relative: needs.relative_hazard(place, family.area, shares) })
                .collect()
        })
        .collect()
}

/// Child-years lived from the first record to the extract.
pub(super) fn child_years(population: &Population) -> f64 {
    let days =
        |child: &Child| i64::from((child.adult_from.min(EXTRACT) - child.birth.max(RECORDS_START)).max(0));
    let total: i64 = population.families.iter().flat_map(|family| &family.children).map(days).sum();
    total as f64 / YEAR
}

/// Solves base rate, boost and length of episodes for this population.
///
/// Each round runs all histories with the same draws and scales each number by how far its target was
/// missed, until all are within 0.3%; counts are whole numbers, so the result does not depend on threads.
/// It starts near where large councils end. A council of few thousand children has too few referrals to
/// come so close: it stops after twelve rounds, within some percent.
pub(super) fn solve(seed: u64, population: &Population, courses: &[Vec<ChildCourse>]) -> Hazard {
    let years = child_years(population);
    let dates = counting_dates();
    let at_dates: usize = population
        .families
        .iter()
        .flat_map(|family| &family.children)
        .map(|child| dates.iter().filter(|&&date| child.is_child_on(date)).count())
        .sum();
    let mut hazard = Hazard { base: 0.011, boost: 1.6, length: 1.05 };
    for _ in 0..12 {
        let counts = population
            .families
            .par_iter()
            .zip(courses)
            .map(|(family, courses)| {
                let each = family.children.iter().zip(courses).enumerate();
                each.map(|(place, (child, course))| count(seed, family.child(place), child, course, &hazard))
                    .fold(Counts::default(), Counts::plus)
            })
            .reduce(Counts::default, Counts::plus);
        let off = |target: f64, seen: f64| if seen > 0.0 { target / seen } else { 2.0 };
        let referrals = off(REFERRALS.value / 1e4 * years, counts.referrals as f64);
        let again =
            off(RE_REFERRALS.value / 100.0, counts.re_referrals as f64 / counts.referrals.max(1) as f64);
        let open = off(IN_NEED.value / 1e4 * at_dates as f64, counts.open as f64);
        if [referrals, again, open].iter().all(|ratio| (ratio - 1.0).abs() < 0.003) {
            break;
        }
        hazard.boost = (hazard.boost * again.powf(1.3)).clamp(1.0, 20.0);
        // A larger boost brings referrals of its own; taking them off the base keeps both in step.
        hazard.base *= referrals / again.powf(0.25);
        hazard.length = (hazard.length * open.powf(1.2)).clamp(0.1, 10.0);
    }
    hazard
}
