//! Who lives in the council: families, their homes over time, their schools.

use super::random::{Draw, Purpose};
use super::rates::{
    AREAS, ETHNICITY, ETHNICITY_NOT_OBTAINED, ETHNICITY_REFUSED, NOT_ON_ROLL, OVER_RECORDED, SIXTH_FORM,
};
use super::timeline::{EXTRACT, OPEN, RECORDS_START, YEAR, day, plus_years, year_and_month};

/// Address changes of a family a year. A choice: "a few percent".
const MOVES_A_YEAR: f64 = 0.05;
/// Couples with children who part in a year (a choice).
const SEPARATIONS_A_YEAR: f64 = 0.012;
/// Share of the children who then live with the parent that leaves (a choice).
const CHILD_GOES_ALONG: f64 = 0.25;
/// Families with one carer at the start; about a fifth to a quarter of families with dependent
/// children in official household statistics.
const LONE_CARER: f64 = 0.22;
/// Numbers of children a family ever has, 1 to 5. Chosen so that the children under 18 at a date come
/// to about 1.75 a household.
const FAMILY_SIZES: [f64; 5] = [0.25, 0.48, 0.19, 0.06, 0.02];

/// A spell on a school's roll.
#[derive(Clone, Copy)]
pub(super) struct Roll {
    pub(super) start: i32,
    pub(super) end: i32,
}

/// What every person has, for the people and the protected files.
pub(super) struct Person {
    /// The date of birth as the files have it: the 15th where the day is not known, empty for a few.
    pub(super) shown_birth: i32,
    pub(super) female: bool,
    /// Place in the list of ethnicity values.
    pub(super) ethnicity: u8,
    /// Yes, no, or not recorded.
    pub(super) disability: Option<bool>,
}

/// A child (under 18 at some time from the first record on).
pub(super) struct Child {
    pub(super) person: Person,
    pub(super) birth: i32,
    /// The 18th birthday.
    pub(super) adult_from: i32,
    /// Spells on local rolls, in order of time.
    pub(super) rolls: Vec<Roll>,
    /// Two fixed draws in [0, 1): whether and when the child gets help with special needs.
    pub(super) sen_draws: [f64; 2],
}

impl Child {
    /// Whether the child is born and under 18.
    pub(super) fn is_child_on(&self, day: i32) -> bool {
        self.birth <= day && day < self.adult_from
    }

    /// Whether the child is on a local roll on a day.
    pub(super) fn on_roll(&self, day: i32) -> bool {
        self.rolls.iter().any(|roll| roll.start <= day && day < roll.end)
    }
}

/// One person living in one household for a time.
pub(super) struct Stay {
    /// Place in the family: carers first, then children.
    pub(super) member: usize,
    /// Place among the family's households.
    pub(super) household: u32,
    pub(super) start: i32,
    pub(super) end: i32,
}

/// A family: one or two carers, their children, and the households they have lived in. Nothing passes
/// between families, so they can be worked on apart.
pub(super) struct Family {
    pub(super) number: u32,
    /// Number of its first person among all people; carers come first, then children.
    pub(super) first_person: u32,
    /// Number of its first household among all households.
    pub(super) first_household: u32,
    pub(super) households: u32,
    pub(super) area: u8,
    pub(super) over_recorded: bool,
    pub(super) carers: Vec<Person>,
    pub(super) children: Vec<Child>,
    pub(super) stays: Vec<Stay>,
    /// When the second carer left; [`OPEN`] if never.
    pub(super) separated: i32,
}

impl Family {
    /// Global number of a carer.
    pub(super) fn carer(&self, place: usize) -> u32 {
        self.first_person + place as u32
    }

    /// Global number of a child.
    pub(super) fn child(&self, place: usize) -> u32 {
        self.first_person + (self.carers.len() + place) as u32
    }

    /// Whether a second carer lives in the family's home on a day.
    pub(super) fn has_second_carer(&self, day: i32) -> bool {
        self.carers.len() > 1 && day < self.separated
    }

    /// Whether any child is under 18 on a day.
    pub(super) fn has_children_on(&self, day: i32) -> bool {
        self.children.iter().any(|child| child.is_child_on(day))
    }
}

/// All families, and how many people and households they make.
pub(super) struct Population {
    pub(super) families: Vec<Family>,
    pub(super) people: u32,
    pub(super) households: u32,
}

impl Population {
    /// Draws families until so many children are under 18 on the day before the extract.
    pub(super) fn draw(seed: u64, children: u32) -> Self {
        let mut population = Self { families: Vec::new(), people: 0, households: 0 };
        let (mut found, mut attempt) = (0, 0);
        while found < children {
            let mut draw = Draw::stream(seed, Purpose::Population, attempt);
            attempt += 1;
            let births = births(&mut draw);
            if births.is_empty() {
                continue;
            }
            let mut family = family(&births, &mut draw);
            family.number = population.families.len() as u32;
            family.first_person = population.people;
            family.first_household = population.households;
            population.people += (family.carers.len() + family.children.len()) as u32;
            population.households += family.households;
            found += family.children.iter().filter(|child| child.is_child_on(EXTRACT - 1)).count() as u32;
            population.families.push(family);
        }
        population
    }
}

/// Birth dates of a family's children who are under 18 at some time from the first record to the
/// extract. First births are spread evenly over forty years, so the council neither grows nor shrinks.
fn births(draw: &mut Draw) -> Vec<i32> {
    let oldest = plus_years(RECORDS_START, -18);
    let mut birth = draw.between(day(1985, 4, 1), EXTRACT - 1);
    let size = draw.pick(&FAMILY_SIZES) + 1;
    let mut kept = Vec::new();
    for _ in 0..size {
        if birth >= EXTRACT {
            break;
        }
        if birth > oldest {
            kept.push(birth);
        }
        // At least 14 months apart, three years on average.
        birth += ((1.17 + draw.exponential(1.8)) * YEAR) as i32;
    }
    kept
}

fn family(births: &[i32], draw: &mut Draw) -> Family {
    let area = draw.pick(&AREAS.map(|(_, weight)| weight)) as u8;
    let ethnicity = draw.pick(&ETHNICITY.map(|(_, thousands)| thousands)) as u8;
    let lone = draw.chance(LONE_CARER);
    let first = births.first().copied().unwrap_or(EXTRACT);
    let mut carers = Vec::with_capacity(2);
    for place in 0..if lone { 1 } else { 2 } {
        let age = draw.normal(29.0, 5.5).clamp(18.0, 50.0);
        // Nobody who cares is under 18 in the years with records: children are exactly the children.
        let (birth, latest) = (first - (age * YEAR) as i32, plus_years(RECORDS_START, -18));
        let birth = if birth < latest { birth } else { latest - draw.between(30, 3 * 365) };
        let female = if place == 0 { draw.chance(0.9) } else { draw.chance(0.1) };
        carers.push(person(birth, female, ethnicity, 0.17, draw));
    }
    let children: Vec<Child> = births
        .iter()
        .map(|&birth| {
            let female = draw.chance(0.488);
            Child {
                person: person(birth, female, ethnicity, 0.08, draw),
                birth,
                adult_from: plus_years(birth, 18),
                rolls: rolls(birth, draw),
                sen_draws: [draw.unit(), draw.unit()],
            }
        })
        .collect();
    let mut family = Family {
        number: 0,
        first_person: 0,
        first_household: 0,
        households: 1,
        area,
        over_recorded: OVER_RECORDED.contains(&ethnicity),
        carers,
        children,
        stays: Vec::new(),
        separated: OPEN,
    };
    settle(&mut family, first, draw);
    family
}

/// Shares of disability are choices near survey figures (8% of children, 17% here for carers).
fn person(birth: i32, female: bool, ethnicity: u8, disabled: f64, draw: &mut Draw) -> Person {
    let (year, month) = year_and_month(birth);
    // A missing date in one of 500, an unknown day in one of 200: choices, "a few".
    let shown_birth = match draw.unit() {
        u if u < 0.002 => OPEN,
        u if u < 0.007 => day(year, month, 15),
        _ => birth,
    };
    let written = match draw.unit() {
        u if u < ETHNICITY_REFUSED => 18,
        u if u < ETHNICITY_REFUSED + ETHNICITY_NOT_OBTAINED => 19,
        _ => ethnicity,
    };
    let disability = (!draw.chance(0.1)).then(|| draw.chance(disabled));
    Person { shown_birth, female, ethnicity: written, disability }
}

/// School spells: reception to year 6, years 7 to 11, and sixth form for some.
fn rolls(birth: i32, draw: &mut Draw) -> Vec<Roll> {
    let (year, month) = year_and_month(birth);
    let entry = if month >= 9 { year + 5 } else { year + 4 };
    let mut rolls = Vec::with_capacity(2);
    for (from, years, share) in [(0, 7, 1.0 - NOT_ON_ROLL), (7, 5, 1.0 - NOT_ON_ROLL), (12, 2, SIXTH_FORM)] {
        let (start, end) = (day(entry + from, 9, 1), day(entry + from + years, 7, 22));
        // Drawn for every child alike, so that the draws that follow do not depend on the outcome.
        if draw.chance(share) && start < EXTRACT && end > RECORDS_START {
            rolls.push(Roll { start, end });
        }
    }
    rolls
}

/// Lets the family live in its homes: moves, a separation, grown-up children leaving.
fn settle(family: &mut Family, first_birth: i32, draw: &mut Draw) {
    let formed = first_birth - draw.between(0, 3 * 365);
    let last_move_before = RECORDS_START - draw.exponential(YEAR / MOVES_A_YEAR) as i32;
    let mut starts = vec![formed.max(last_move_before)];
    let mut next = formed.max(RECORDS_START) + draw.exponential(YEAR / MOVES_A_YEAR) as i32;
    while next < EXTRACT {
        starts.push(next);
        next += 1 + draw.exponential(YEAR / MOVES_A_YEAR) as i32;
    }
    family.households = starts.len() as u32;
    if family.carers.len() > 1 {
        let parted = formed.max(RECORDS_START) + draw.exponential(YEAR / SEPARATIONS_A_YEAR) as i32;
        if parted < EXTRACT {
            family.separated = parted;
            family.households += 1;
        }
    }
    for member in 0..family.carers.len() + family.children.len() {
        let child = member.checked_sub(family.carers.len()).map(|place| &family.children[place]);
        let (arrives, leaves_home) = child.map_or((i32::MIN, OPEN), |child| {
            (child.birth, child.adult_from.saturating_add(draw.exponential(3.0 * YEAR) as i32))
        });
        let goes_along = draw.chance(CHILD_GOES_ALONG);
        let leaves = match child {
            None if member == 1 => family.separated,
            Some(child) if goes_along && child.is_child_on(family.separated) => family.separated,
            _ => OPEN,
        };
        let mut stay = |household: u32, start: i32, end: i32| {
            let (start, end) = (start.max(arrives), end.min(leaves_home));
            if start < end && start < EXTRACT {
                family.stays.push(Stay { member, household, start, end });
            }
        };
        for (place, &start) in starts.iter().enumerate() {
            let end = starts.get(place + 1).copied().unwrap_or(OPEN);
            stay(place as u32, start, end.min(leaves));
        }
        if leaves < EXTRACT {
            stay(starts.len() as u32, leaves, OPEN);
        }
    }
}

/// Gives the numbers 0..count as pseudonyms 1..=count in an order that tells nothing about families:
/// multiplication by a number without common factor near the golden section of `count`.
pub(super) struct Pseudonyms {
    count: u64,
    factor: u64,
}

impl Pseudonyms {
    pub(super) fn new(count: u32) -> Self {
        fn common(a: u64, b: u64) -> u64 {
            if b == 0 { a } else { common(b, a % b) }
        }
        let count = u64::from(count.max(1));
        let near = (count as f64 * 0.618_034) as u64;
        let factor = (near.max(1)..=count).find(|&factor| common(factor, count) == 1).unwrap_or(1);
        Self { count, factor }
    }

    pub(super) fn of(&self, number: u32) -> u32 {
        (u64::from(number) * self.factor % self.count) as u32 + 1
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pseudonyms_are_a_permutation() {
        for count in [1, 2, 3, 10, 97, 1_000, 65_536] {
            let names = Pseudonyms::new(count);
            let mut all: Vec<u32> = (0..count).map(|number| names.of(number)).collect();
            all.sort_unstable();
            assert!(all.into_iter().eq(1..=count));
        }
    }

    #[test]
    fn stays_follow_each_other_and_households_have_about_seven_children_to_four() {
        let population = Population::draw(3, 8_000);
        let date = day(2022, 4, 1);
        let (mut children, mut homes) = (0, std::collections::BTreeSet::new());
        for family in &population.families {
            for pair in family.stays.windows(2) {
                if pair[0].member == pair[1].member {
                    assert_eq!(pair[0].end, pair[1].start);
                }
            }
            for stay in family.stays.iter().filter(|stay| stay.start <= date && date < stay.end) {
                let child = stay.member.checked_sub(family.carers.len());
                if child.is_some_and(|place| family.children[place].is_child_on(date)) {
                    children += 1;
                    homes.insert(family.first_household + stay.household);
                }
            }
        }
        let mean = f64::from(children) / homes.len() as f64;
        assert!((1.68..1.82).contains(&mean), "{mean} children a household");
    }

    #[test]
    fn the_number_of_children_is_steady() {
        let population = Population::draw(5, 8_000);
        for year in 2019..=2025 {
            let date = day(year, 3, 31).max(RECORDS_START);
            let on = |family: &Family| family.children.iter().filter(|c| c.is_child_on(date)).count();
            let count: usize = population.families.iter().map(on).sum();
            assert!((7_600..8_400).contains(&count), "{count} in {year}");
        }
    }
}
