//! Schools: rolls, special needs, free meals, attendance, suspensions.

use rayon::prelude::*;

use super::{Context, Records, Row, Source, runs};
use crate::synthetic::needs::{FamilyNeeds, Income, Need};
use crate::synthetic::population::{Child, Family, Population};
use crate::synthetic::random::{Draw, Purpose};
use crate::synthetic::rates::{
    ABSENT_FSM, ABSENT_FSM_SEN, ABSENT_IF_DISENGAGED, ABSENT_NEITHER, ABSENT_SEN, BACKGROUND_SUSPENSION,
    EHC_PLAN, EXCLUDED, SEN_SUPPORT, SUSPENDED,
};
use crate::synthetic::timeline::{
    BOUNDS, FIRST_SCHOOL_YEAR, HALVES, LAST_SCHOOL_YEAR, OPEN, Term, YEAR, day, half_of, halves_of, terms_of,
};

/// Ages, in years, between which support for special needs begins, evenly.
const SUPPORT_AGES: (f64, f64) = (4.5, 10.0);
/// Ages between which a plan begins; support comes first, for these years at most.
const PLAN_AGES: (f64, f64) = (5.0, 11.0);
const SUPPORT_BEFORE_PLAN: f64 = 1.5;
/// Boys get help for special needs about twice as often as girls; the mean of the two factors is 1.
const BY_SEX: [f64; 2] = [1.34, 0.64];

/// Rates solved for the pupils that there are.
pub(in super::super) struct SchoolRates {
    /// Probability, before the factor by sex, that a child ever has support only, or a plan.
    support: f64,
    plan: f64,
    /// Persistent absence of pupils who are not disengaged, by free meals (2) and special needs (1).
    absent: [f64; 4],
    /// Suspensions a school year of a disengaged pupil.
    suspensions: f64,
    /// Share of suspensions that are permanent exclusions.
    permanent: f64,
}

/// Help with special needs: support from a day on, then perhaps a plan.
struct Help {
    support: i32,
    plan: i32,
}

fn help(child: &Child, support: f64, plan: f64) -> Option<Help> {
    let factor = BY_SEX[usize::from(child.person.female)];
    let [level, when] = child.sen_draws;
    let at = |(low, high): (f64, f64)| child.birth + ((low + when * (high - low)) * YEAR) as i32;
    if level < plan * factor {
        let starts = at(PLAN_AGES);
        let before = starts - (SUPPORT_BEFORE_PLAN * YEAR) as i32;
        let earliest = child.birth + (SUPPORT_AGES.0 * YEAR) as i32;
        Some(Help { support: before.max(earliest).min(starts - 1), plan: starts })
    } else if level < (plan + support) * factor {
        Some(Help { support: at(SUPPORT_AGES), plan: OPEN })
    } else {
        None
    }
}

/// The day of the school census in January of a school year.
fn census(school_year: i32) -> i32 {
    day(school_year + 1, 1, 18)
}

/// Place among the four groups of absence figures.
fn absence_group(meals: bool, special: bool) -> usize {
    usize::from(meals) * 2 + usize::from(special)
}

/// Counts of pupils on the census days, for solving.
#[derive(Default, Clone)]
struct Pupils {
    count: u64,
    /// Expected pupils with a plan, and with support, if every child had it some day.
    with_plan: f64,
    with_support: f64,
    support_before_plan: f64,
    /// By absence group: pupils, and those disengaged in winter.
    groups: [[u64; 2]; 4],
    /// By disengaged in winter (2) and in summer (1).
    exposure: [u64; 4],
}

impl Pupils {
    fn plus(mut self, other: &Self) -> Self {
        self.count += other.count;
        self.with_plan += other.with_plan;
        self.with_support += other.with_support;
        self.support_before_plan += other.support_before_plan;
        for (to, from) in self.groups.iter_mut().flatten().zip(other.groups.iter().flatten()) {
            *to += from;
        }
        for (to, from) in self.exposure.iter_mut().zip(other.exposure) {
            *to += from;
        }
        self
    }
}

/// Calls `visit` for each child of a family on each census day when it is on a roll.
fn on_census_days<'a>(families: &'a [Family], mut visit: impl FnMut(&'a Family, usize, &'a Child, i32)) {
    for family in families {
        for (place, child) in family.children.iter().enumerate() {
            for year in FIRST_SCHOOL_YEAR..=LAST_SCHOOL_YEAR {
                if child.on_roll(census(year)) {
                    visit(family, place, child, year);
                }
            }
        }
    }
}

impl SchoolRates {
    /// Solves the rates so that the pupils of this population show the published figures.
    ///
    /// Special needs: the share that ever gets help is the published share at a date over the share of
    /// pupils old enough to have it by then. Absence: what disengaged pupils add is taken off. Suspensions:
    /// the rate is found by bisection on the expected share of pupils with any.
    pub(in super::super) fn solve(population: &Population, needs: &[FamilyNeeds]) -> Self {
        // Sums of real numbers depend on their order: fixed pieces, added in order.
        let pieces = |count: &(dyn Fn(&[Family], &mut Pupils) + Sync)| {
            let each: Vec<Pupils> = population
                .families
                .par_chunks(1024)
                .map(|families| {
                    let mut pupils = Pupils::default();
                    count(families, &mut pupils);
                    pupils
                })
                .collect();
            each.iter().fold(Pupils::default(), Pupils::plus)
        };
        let ages = pieces(&|families, pupils| {
            on_census_days(families, |_, _, child, year| {
                let age = f64::from(census(year) - child.birth) / YEAR;
                let begun = |(low, high): (f64, f64), age: f64| ((age - low) / (high - low)).clamp(0.0, 1.0);
                pupils.count += 1;
                pupils.with_plan += begun(PLAN_AGES, age);
                pupils.with_support += begun(SUPPORT_AGES, age);
                let supported =
                    if age < SUPPORT_AGES.0 { 0.0 } else { begun(PLAN_AGES, age + SUPPORT_BEFORE_PLAN) };
                pupils.support_before_plan += supported - begun(PLAN_AGES, age);
            });
        });
        let count = ages.count.max(1) as f64;
        let plan = EHC_PLAN.value / 100.0 * count / ages.with_plan.max(1.0);
        let support = (SEN_SUPPORT.value / 100.0 * count - plan * ages.support_before_plan)
            / ages.with_support.max(1.0);
        let pupils = pieces(&|families, pupils| {
            on_census_days(families, |family, place, child, year| {
                let needs = &needs[family.number as usize];
                let off = halves_of(year)
                    .map(|half| Need::SchoolDisengagement.in_bits(needs.children[place][half]));
                let meals = needs.income[half_of(census(year))] != Income::Enough;
                let special = help(child, support, plan).is_some_and(|help| help.support <= census(year));
                let group = &mut pupils.groups[absence_group(meals, special)];
                group[0] += 1;
                group[1] += u64::from(off[0]);
                pupils.exposure[usize::from(off[0]) * 2 + usize::from(off[1])] += 1;
            });
        });
        let targets = [ABSENT_NEITHER, ABSENT_SEN, ABSENT_FSM, ABSENT_FSM_SEN].map(|rate| rate.value / 100.0);
        let absent = std::array::from_fn(|group| {
            let [all, off] = pupils.groups[group].map(|n| n as f64);
            let share = off / all.max(1.0);
            ((targets[group] - share * ABSENT_IF_DISENGAGED) / (1.0 - share).max(1e-9)).clamp(0.0, 1.0)
        });
        let suspensions = solve_suspensions(&pupils.exposure);
        let each =
            |place: usize| pupils.exposure[place] as f64 * suspensions * suspended_share_of_year(place);
        let per_pupil = (0..4).map(each).sum::<f64>() / count;
        let permanent = EXCLUDED.value / 100.0 / per_pupil.max(1e-9);
        Self { support, plan, absent, suspensions, permanent }
    }
}

/// A school year's rate of suspensions as a share of a year fully disengaged. The place counts the
/// disengaged terms: two for the winter half-year, one for the summer.
fn suspended_share_of_year(place: usize) -> f64 {
    let off = place as f64 / 3.0;
    off + BACKGROUND_SUSPENSION * (1.0 - off)
}

fn solve_suspensions(exposure: &[u64; 4]) -> f64 {
    let count: u64 = exposure.iter().sum();
    let share = |rate: f64| {
        let any = |place: usize| 1.0 - (-rate * suspended_share_of_year(place)).exp();
        (0..4).map(|place| exposure[place] as f64 * any(place)).sum::<f64>() / count.max(1) as f64
    };
    let (mut low, mut high) = (0.0, 30.0);
    for _ in 0..60 {
        let middle = f64::midpoint(low, high);
        if share(middle) < SUSPENDED.value / 100.0 { low = middle } else { high = middle }
    }
    f64::midpoint(low, high)
}

pub(super) fn write(context: &Context, family: &Family, needs: &FamilyNeeds, records: &mut Records) {
    let mut draw = Draw::stream(context.seed, Purpose::School, u64::from(family.number));
    for (place, child) in family.children.iter().enumerate() {
        let person = family.child(place);
        for roll in &child.rolls {
            let lags = (draw.lag(1, 14), draw.lag(1, 14));
            records.spell(Source::SchoolRoll, Row::spell(person, (roll.start, roll.end), lags, 0));
        }
        let help = help(child, context.school.support, context.school.plan);
        if let Some(help) = &help {
            write_help(person, child, help, &mut draw, records);
        }
        write_meals(person, child, needs, &mut draw, records);
        for year in FIRST_SCHOOL_YEAR..=LAST_SCHOOL_YEAR {
            let special = help.as_ref().is_some_and(|help| help.support <= census(year));
            let meals = needs.income[half_of(census(year))] != Income::Enough;
            let bits = &needs.children[place];
            let group = absence_group(meals, special);
            write_year(context, (person, child, year), bits, group, &mut draw, records);
        }
    }
}

/// Help lasts as long as the child is on a local roll: a spell for each roll that it touches.
fn write_help(person: u32, child: &Child, help: &Help, draw: &mut Draw, records: &mut Records) {
    for roll in &child.rolls {
        for (kind, from, to) in [(0, help.support, help.plan), (1, help.plan, OPEN)] {
            let spell = (from.max(roll.start), to.min(roll.end));
            let lags = (draw.lag(7, 60), draw.lag(7, 60));
            records.spell(Source::Sen, Row::spell(person, spell, lags, kind));
        }
    }
}

fn write_meals(person: u32, child: &Child, needs: &FamilyNeeds, draw: &mut Draw, records: &mut Records) {
    for (first, end) in runs(|half| needs.income[half] != Income::Enough) {
        let until = if end == HALVES { OPEN } else { BOUNDS[end] };
        for roll in &child.rolls {
            let spell = (BOUNDS[first].max(roll.start), until.min(roll.end));
            let lags = (draw.lag(5, 30), draw.lag(5, 30));
            records.spell(Source::Fsm, Row::spell(person, spell, lags, 0));
        }
    }
}

/// Attendance and suspensions of one child in one school year.
fn write_year(
    context: &Context,
    (person, child, year): (u32, &Child, i32),
    bits: &[u8; HALVES],
    group: usize,
    draw: &mut Draw,
    records: &mut Records,
) {
    if !child.rolls.iter().any(|roll| roll.start < census(year) && census(year) < roll.end) {
        return;
    }
    let rates = context.school;
    let off_in = |half: usize| Need::SchoolDisengagement.in_bits(bits[half]);
    let winter = off_in(halves_of(year)[0]);
    let missed =
        sessions_missed(draw.chance(if winter { ABSENT_IF_DISENGAGED } else { rates.absent[group] }), draw);
    for (term, missed) in terms_of(year).into_iter().zip(missed) {
        let Term { start, end, reported, half, .. } = term;
        let recorded = reported + draw.between(0, 4);
        let off = off_in(half);
        let yearly = rates.suspensions * if off { 1.0 } else { BACKGROUND_SUSPENSION };
        let suspended: Vec<i32> = (0..draw.poisson(yearly / 3.0)).map(|_| draw.between(start, end)).collect();
        let on_roll = child.on_roll(end);
        if on_roll {
            let number = u64::from(person) << 16 | u64::from(start.unsigned_abs()) & 0xffff;
            let mut draw = Draw::stream(context.seed, Purpose::Attendance, number);
            let parts = in_parts(missed, context.attendance, &mut draw);
            let days = end - start;
            for (part, missed) in (1..).zip(&parts) {
                let until = start + (days * part) / parts.len() as i32;
                records.point(Source::Attendance, Row::point(person, until, recorded, 0).value(*missed));
            }
        }
        for day in suspended {
            let reason = draw.pick(&[0.5, 0.17, 0.12, 0.08, 0.04, 0.09]);
            let kind = u8::from(draw.chance(rates.permanent));
            let row = Row::point(person, day, day + draw.lag(1, 10), kind).detail(reason);
            if on_roll {
                records.point(Source::Suspensions, row);
            }
        }
    }
}

/// Percent of sessions missed in equal parts of a term, of which the mean is that of the term: one part misses as much more as
/// the next misses less.
fn in_parts(missed: f64, parts: u32, draw: &mut Draw) -> Vec<f64> {
    let most = missed.min(100.0 - missed);
    let mut all = Vec::with_capacity(parts as usize);
    for _ in 0..parts / 2 {
        let by = (draw.uniform(-most, most) * 10.0).round() / 10.0;
        all.extend([missed + by, missed - by]);
    }
    all.extend((parts % 2 == 1).then_some(missed));
    all
}

/// Percent of sessions missed in the three terms of a year. Their mean is 10 or more exactly for the
/// persistently absent. One in eight of those misses half the year or more, as published.
fn sessions_missed(persistent: bool, draw: &mut Draw) -> [f64; 3] {
    let year = if persistent {
        if draw.chance(0.13) { draw.uniform(50.0, 95.0) } else { (10.2 + draw.exponential(7.5)).min(50.0) }
    } else {
        // Most miss a few percent: the larger draws are pressed below 9.8.
        9.8 * (1.0 - (-draw.exponential(4.2) / 9.8).exp())
    };
    let spread = (0.3 * year).min((100.0 - year) / 2.0);
    let (first, second) = (draw.uniform(-0.5, 0.5) * spread, draw.uniform(-0.5, 0.5) * spread);
    [year + first, year + second, year - first - second].map(|percent| (percent * 10.0).round() / 10.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_year_is_persistently_absent_exactly_when_asked() {
        let mut draw = Draw::stream(9, Purpose::School, 0);
        for round in 0..20_000 {
            let persistent = round % 2 == 0;
            let terms = sessions_missed(persistent, &mut draw);
            let mean = terms.iter().sum::<f64>() / 3.0;
            assert_eq!(mean >= 10.0, persistent, "{terms:?}");
            assert!(terms.iter().all(|percent| (0.0..=100.0).contains(percent)), "{terms:?}");
        }
    }

    #[test]
    fn what_a_child_misses_is_the_same_however_often_it_is_written_down() {
        let mut draw = Draw::stream(9, Purpose::Attendance, 0);
        assert_eq!(in_parts(12.5, 1, &mut draw), [12.5]);
        for parts in [2, 7, 75] {
            for missed in [0.0, 0.4, 12.5, 95.0, 100.0] {
                let all = in_parts(missed, parts, &mut draw);
                let mean = all.iter().sum::<f64>() / f64::from(parts);
                assert_eq!(all.len(), parts as usize);
                assert!((mean - missed).abs() < 1e-9 && all.iter().all(|part| (0.0..=100.0).contains(part)));
            }
        }
    }

    #[test]
    fn the_solved_suspension_rate_gives_the_published_share() {
        let exposure = [95_000, 800, 900, 4_000];
        let rate = solve_suspensions(&exposure);
        let any = |off: f64| 1.0 - (-rate * (off + 0.004 * (1.0 - off))).exp();
        let share =
            (95_000.0 * any(0.0) + 800.0 * any(1.0 / 3.0) + 900.0 * any(2.0 / 3.0) + 4_000.0 * any(1.0))
                / 100_700.0;
        assert!((share - 0.0404).abs() < 1e-9, "{share}");
    }
}
