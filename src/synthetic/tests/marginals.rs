//! Every published figure, measured on the files alone.

use std::collections::HashMap;

use super::super::rates::{self, ETHNICITY, Published};
use super::*;

/// Children of a family share what their family has: about two children a family, weighted by size.
const FAMILY: f64 = 2.2;
/// Referrals and episodes cluster less: a family's children are referred one by one, but share needs.
const SHARED_NEEDS: f64 = 1.6;

fn share(rate: Published) -> f64 {
    rate.value / 100.0
}

fn children_on(on: i32) -> usize {
    births().into_iter().filter(|&birth| is_child(birth, on)).count()
}

/// Mean number of children over the measured year.
fn child_years() -> f64 {
    (children_on(YEAR_START) + children_on(YEAR_END - 1)) as f64 / 2.0
}

fn within_year(day: i32) -> bool {
    (YEAR_START..YEAR_END).contains(&day)
}

#[test]
fn referrals_and_re_referrals() {
    let mut by_child: HashMap<usize, Vec<i32>> = HashMap::new();
    for (person, day) in ids("referrals", "person_id").into_iter().zip(days("referrals", "occurred")) {
        by_child.entry(person).or_default().push(day);
    }
    let (mut all, mut again) = (0, 0);
    for days in by_child.values_mut() {
        days.sort_unstable();
        for (place, &day) in days.iter().enumerate().filter(|&(_, &day)| within_year(day)) {
            all += 1;
            again += usize::from(place > 0 && day - days[place - 1] <= 365);
        }
    }
    // 1%: referrals of the last days that became known after the extract would be missing in a last year.
    assert_near("referrals", all, child_years(), rates::REFERRALS.value / 1e4, SHARED_NEEDS, 0.01);
    assert_near("re-referrals", again, all as f64, share(rates::RE_REFERRALS), SHARED_NEEDS, 0.02);
}

#[test]
fn sources_of_referrals() {
    let sources = words("referrals", "referral_source");
    for (word, rate) in
        [("police", rates::FROM_POLICE), ("school", rates::FROM_SCHOOL), ("health", rates::FROM_HEALTH)]
    {
        let count = sources.iter().filter(|&&source| source == word).count();
        assert_near(word, count, sources.len() as f64, share(rate), 1.0, 0.0);
    }
}

#[test]
fn episodes_plans_and_care() {
    let starts: Vec<(&str, i32)> = words("plans", "kind").into_iter().zip(days("plans", "start")).collect();
    // 3%: children who turn 18 between referral and start, and the part of the year in which an open
    // episode keeps a child from starting another.
    for (kind, rate) in [
        ("cin_episode", rates::NEED_STARTS),
        ("cp_plan", rates::PROTECTION_STARTS),
        ("cla_episode", rates::CARE_STARTS),
    ] {
        let count = starts.iter().filter(|&&(k, day)| k == kind && within_year(day)).count();
        assert_near(kind, count, child_years(), rate.value / 1e4, SHARED_NEEDS, 0.03);
    }
    // Published: 371,550 different children in 396,870 episodes.
    let mut children: Vec<usize> = ids("plans", "person_id")
        .into_iter()
        .zip(&starts)
        .filter(|&(_, &(kind, day))| kind == "cin_episode" && within_year(day))
        .map(|(person, _)| person)
        .collect();
    children.sort_unstable();
    children.dedup();
    assert_near("children with an episode", children.len(), child_years(), 0.0305, SHARED_NEEDS, 0.05);
}

#[test]
fn children_in_need_at_a_date() {
    for on in [day(2022, 3, 31), day(2023, 3, 31), day(2024, 3, 31)] {
        let open = has_spell("plans", "cin_episode", on).into_iter().filter(|&open| open).count();
        assert_near("in need", open, children_on(on) as f64, rates::IN_NEED.value / 1e4, SHARED_NEEDS, 0.03);
    }
}

#[test]
fn most_deprived_areas_have_over_ten_times_the_rate() {
    let area = protected("area");
    let births = births();
    let decile = |person: usize| {
        let place = rates::AREA_VALUES.iter().position(|&name| name == area[person]).unwrap();
        rates::AREAS[place].0
    };
    let children = |wanted: u8| {
        let on = |person: &usize| is_child(births[*person], YEAR_START) && decile(*person) == wanted;
        (1..births.len()).filter(on).count() as f64
    };
    let kinds = words("plans", "kind");
    let starts = days("plans", "start");
    let plans = |wanted: u8| {
        let people = ids("plans", "person_id").into_iter().zip(kinds.iter().zip(&starts));
        let counts = |&(person, (kind, start)): &(usize, (&&str, &i32))| {
            *kind != "cin_episode" && *start >= day(2019, 4, 1) && decile(person) == wanted
        };
        people.filter(counts).count() as f64
    };
    let (most, least) = (plans(1), plans(10));
    let ratio = most / children(1) / (least / children(10));
    // Six years of plans and care; three standard errors of the log of a ratio of counts.
    let error = (3.0 * (SHARED_NEEDS * (1.0 / most + 1.0 / least)).sqrt()).exp();
    assert!(ratio * error > rates::DEPRIVATION_RATIO.value, "ratio {ratio}");
    assert!(ratio / error < 2.0 * rates::DEPRIVATION_RATIO.value, "ratio {ratio}");
}

/// Pupils on a roll on the census day, and the marks of each person.
fn pupils(census: i32) -> Vec<usize> {
    has_spell("school_roll", "", census)
        .into_iter()
        .enumerate()
        .filter(|&(_, on)| on)
        .map(|(person, _)| person)
        .collect()
}

const CENSUS: i32 = day(2024, 1, 18);

#[test]
fn meals_and_special_needs() {
    let pupils = pupils(CENSUS);
    for (file, kind, rate, clusters) in [
        ("fsm", "fsm_period", rates::FREE_MEALS, FAMILY),
        ("sen", "sen_support", rates::SEN_SUPPORT, 1.0),
        ("sen", "ehc_plan", rates::EHC_PLAN, 1.0),
    ] {
        let has = has_spell(file, kind, CENSUS);
        let count = pupils.iter().filter(|&&person| has[person]).count();
        // 2%: the newest spells are not yet known, and support is solved on all years together.
        assert_near(kind, count, pupils.len() as f64, share(rate), clusters, 0.02);
    }
}

#[test]
fn persistent_absence_by_meals_and_special_needs() {
    let mut missed: HashMap<usize, (f64, f64)> = HashMap::new();
    let Cells::Number(values) = column("attendance", "value").cells() else { panic!() };
    let terms = ids("attendance", "person_id").into_iter().zip(days("attendance", "occurred"));
    for ((person, day_of), value) in terms.zip(values) {
        if (day(2023, 9, 1)..day(2024, 9, 1)).contains(&day_of) {
            let sum = missed.entry(person).or_default();
            *sum = (sum.0 + value.unwrap(), sum.1 + 1.0);
        }
    }
    let meals = has_spell("fsm", "", CENSUS);
    let special = has_spell("sen", "", CENSUS);
    for (with_meals, with_special, rate) in [
        (true, true, rates::ABSENT_FSM_SEN),
        (true, false, rates::ABSENT_FSM),
        (false, true, rates::ABSENT_SEN),
        (false, false, rates::ABSENT_NEITHER),
    ] {
        let group: Vec<f64> = pupils(CENSUS)
            .into_iter()
            .filter(|&person| meals[person] == with_meals && special[person] == with_special)
            .filter_map(|person| missed.get(&person).map(|(sum, terms)| sum / terms))
            .collect();
        let absent = group.iter().filter(|&&percent| percent >= 10.0 - 1e-9).count();
        assert_near(rate.what, absent, group.len() as f64, share(rate), 1.0, 0.02);
    }
}

#[test]
fn suspensions_and_exclusions() {
    let pupils = pupils(CENSUS);
    let kinds = words("suspensions", "kind");
    let mut suspended = vec![false; births().len()];
    let mut excluded = 0;
    let rows = ids("suspensions", "person_id").into_iter().zip(days("suspensions", "occurred"));
    for (row, (person, day_of)) in rows.enumerate() {
        if (day(2023, 9, 1)..day(2024, 9, 1)).contains(&day_of) {
            suspended[person] = true;
            excluded += usize::from(kinds[row] == "permanent_exclusion");
        }
    }
    let any = pupils.iter().filter(|&&person| suspended[person]).count();
    // Needs last for years, so the disengaged of one year are close to those of the next: their number
    // differs from the mean of all years by more than chance within a year. 5% for that.
    assert_near("suspended", any, pupils.len() as f64, share(rates::SUSPENDED), 1.0, 0.05);
    assert_near("excluded", excluded, pupils.len() as f64, share(rates::EXCLUDED), 1.2, 0.05);
}

#[test]
fn low_income_and_rolls() {
    let births = births();
    let homes = households(CENSUS);
    let claims = has_spell("benefits", "benefit_claim", CENSUS);
    let mut poor = vec![false; homes.iter().max().unwrap() + 1];
    for person in 1..homes.len() {
        poor[homes[person]] |= claims[person];
    }
    let children: Vec<usize> = (1..births.len()).filter(|&p| is_child(births[p], CENSUS)).collect();
    let low = children.iter().filter(|&&person| homes[person] > 0 && poor[homes[person]]).count();
    // 3%: a child that has left with the other carer does not see the claim of the first.
    assert_near("low income", low, children.len() as f64, share(rates::LOW_INCOME), FAMILY, 0.03);

    let on_roll = has_spell("school_roll", "", CENSUS);
    let age = |person: usize| f64::from(CENSUS - births[person]) / YEAR;
    let of_age: Vec<usize> = children.into_iter().filter(|&p| (5.5..16.0).contains(&age(p))).collect();
    let not = of_age.iter().filter(|&&person| !on_roll[person]).count();
    assert_near("not on a roll", not, of_age.len() as f64, rates::NOT_ON_ROLL, 1.0, 0.05);
}

#[test]
fn ethnic_groups() {
    let ethnicity = protected("ethnicity");
    let total: f64 = ETHNICITY.iter().map(|(_, thousands)| thousands).sum();
    let known: Vec<&&str> = ethnicity[1..].iter().filter(|code| !["REFU", "NOBT"].contains(*code)).collect();
    for (code, thousands) in ETHNICITY {
        let count = known.iter().filter(|&&&seen| seen == code).count();
        // Carers and children of a family share the code: clusters of about four.
        assert_near(code, count, known.len() as f64, thousands / total, 4.2, 0.0);
    }
}
