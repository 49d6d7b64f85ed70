//! What no file holds: the needs of families and children, switched on and off by the half-year.
//!
//! Each need is a chain: in every half-year it is drawn anew with probability [`REDRAW`], from the
//! share of families that have it in their area. So a need lasts some years, and its share stays
//! the same over time. All family needs lean on deprivation to the same degree: deprivation then lifts
//! their estimated effects alike and cannot turn their order round.

use super::population::{Child, Family};
use super::random::{Draw, Purpose};
use super::rates::{AREAS, FRAILTY_SD, HAZARD_RATIO};
use super::timeline::{BOUNDS, HALVES, YEAR};
use crate::stats::link::probability;

/// Probability that a state is drawn anew in a half-year: a need then lasts some six years. A choice: long
/// enough that last year's records say something about next year's risk.
pub(super) const REDRAW: f64 = 0.08;

/// A need, or the one protective factor, as the place of its bit.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Need {
    DomesticAbuse,
    SubstanceUse,
    Offending,
    Housing,
    Financial,
    MentalHealth,
    SchoolDisengagement,
    YouthActivity,
}

impl Need {
    pub(super) const FAMILY: [Self; 6] = [
        Self::DomesticAbuse,
        Self::SubstanceUse,
        Self::Offending,
        Self::Housing,
        Self::Financial,
        Self::MentalHealth,
    ];

    const fn bit(self) -> u8 {
        1 << self as u8
    }

    /// Whether the need is on in a half-year's bits.
    pub(super) const fn in_bits(self, bits: u8) -> bool {
        bits & self.bit() != 0
    }

    /// The planted effect on the hazard of an episode of need, in log-odds. Neighbours
    /// stand a third apart or more (0.2 next to the zero), so that their order can be told from 50,000
    /// children at three dates.
    pub(super) const fn log_odds(self) -> f64 {
        match self {
            Self::DomesticAbuse => 2.3,
            Self::Offending => 1.85,
            Self::SubstanceUse => 1.4,
            Self::Housing => 1.05,
            Self::SchoolDisengagement => 0.55,
            Self::Financial => 0.2,
            Self::MentalHealth => 0.0,
            Self::YouthActivity => -0.5,
        }
    }

    /// Share of families (of children, for the last two) that have it at a date.
    const fn share(self) -> f64 {
        match self {
            Self::DomesticAbuse => 0.085,
            Self::SubstanceUse => 0.055,
            Self::Offending => 0.09,
            Self::Housing => 0.1,
            Self::Financial => 0.14,
            Self::MentalHealth => 0.08,
            Self::SchoolDisengagement => 0.02,
            Self::YouthActivity => 0.25,
        }
    }

    /// Log-odds of having it, for each step towards the most deprived tenth. Mental-health referrals
    /// and youth clubs do not depend on the area, so that the planted zero stays a zero.
    const fn gradient(self) -> f64 {
        match self {
            Self::MentalHealth | Self::YouthActivity => 0.0,
            _ => 0.1,
        }
    }
}

/// Share of secondary pupils who are disengaged from school. About four times the primary share, near
/// the published ratio of suspended pupils (7.8% against 1.0%) without leaving primary schools empty.
const DISENGAGED_SECONDARY: f64 = 0.085;
/// Log-odds of a low income for each step towards the most deprived tenth.
const INCOME_GRADIENT: f64 = 0.25;

/// Money at home: enough; free school meals although not low any more (meals are kept for a while
/// after the income rises); low.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Income {
    Enough,
    MealsOnly,
    Low,
}

/// The needs of one family and its children, by half-year.
pub(super) struct FamilyNeeds {
    /// Bits of the family's needs.
    pub(super) family: [u8; HALVES],
    pub(super) income: [Income; HALVES],
    /// Bits of each child's own needs, in the order of the family's children.
    pub(super) children: Vec<[u8; HALVES]>,
    frailty: f64,
}

/// Shares of each need in each area, solved from the overall shares.
pub(super) struct Shares {
    family: [[f64; 6]; AREAS.len()],
    /// Primary and secondary.
    school: [[f64; 2]; AREAS.len()],
    activity: f64,
    low_income: [f64; AREAS.len()],
    meals: [f64; AREAS.len()],
    /// Log-hazard for one step towards the most deprived tenth, beyond what the needs explain.
    slope: f64,
}

/// Steps from the middle of the scale towards the most deprived tenth.
fn deprivation(area: usize) -> f64 {
    5.5 - f64::from(AREAS[area].0)
}

/// Shares by area whose weighted mean is `overall`, with a gradient in log-odds: by bisection.
fn by_area(overall: f64, gradient: f64) -> [f64; AREAS.len()] {
    let at =
        |intercept: f64| std::array::from_fn(|area| probability(intercept + gradient * deprivation(area)));
    let (mut low, mut high) = (-20.0, 20.0);
    for _ in 0..60 {
        let middle = f64::midpoint(low, high);
        let shares: [f64; AREAS.len()] = at(middle);
        let mean: f64 = shares.iter().zip(AREAS).map(|(share, (_, weight))| share * weight).sum();
        if mean < overall { low = middle } else { high = middle }
    }
    at(f64::midpoint(low, high))
}

impl Shares {
    /// Solves the shares of every area, and the slope that gives the aimed-at deprivation ratio.
    pub(super) fn solve(low_income: f64, meals: f64) -> Self {
        let needs = Need::FAMILY.map(|need| by_area(need.share(), need.gradient()));
        let family: [[f64; 6]; AREAS.len()] = std::array::from_fn(|area| needs.map(|shares| shares[area]));
        let school = Need::SchoolDisengagement;
        let primary = by_area(school.share(), school.gradient());
        let secondary = by_area(DISENGAGED_SECONDARY, school.gradient());
        // The needs are independent within an area, so the mean of their joint effect is a product.
        let through_needs = |decile: u8| {
            let area = AREAS.iter().position(|&(d, _)| d == decile).unwrap_or(0);
            let effect = |(need, share): (&Need, &f64)| 1.0 + share * (need.log_odds().exp() - 1.0);
            Need::FAMILY.iter().zip(&family[area]).map(effect).product::<f64>()
        };
        let slope = (HAZARD_RATIO * through_needs(10) / through_needs(1)).ln() / 9.0;
        Self {
            family,
            school: std::array::from_fn(|area| [primary[area], secondary[area]]),
            activity: Need::YouthActivity.share(),
            low_income: by_area(low_income, INCOME_GRADIENT),
            meals: by_area(meals, INCOME_GRADIENT),
            slope,
        }
    }
}

impl FamilyNeeds {
    /// Draws the needs of a family over all half-years.
    pub(super) fn draw(seed: u64, family: &Family, shares: &Shares) -> Self {
        let mut draw = Draw::stream(seed, Purpose::Needs, u64::from(family.number));
        let area = usize::from(family.area);
        let frailty = draw.normal(0.0, FRAILTY_SD);
        let mut bits = [0; HALVES];
        for (need, &share) in Need::FAMILY.iter().zip(&shares.family[area]) {
            let mut on = false;
            for (half, bits) in bits.iter_mut().enumerate() {
                if half == 0 || draw.chance(REDRAW) {
                    on = draw.chance(share);
                }
                *bits |= if on { need.bit() } else { 0 };
            }
        }
        let mut income = [Income::Enough; HALVES];
        for half in 0..HALVES {
            income[half] = if half == 0 || draw.chance(REDRAW) {
                let level = draw.unit();
                if level < shares.low_income[area] {
                    Income::Low
                } else if level < shares.meals[area] {
                    Income::MealsOnly
                } else {
                    Income::Enough
                }
            } else {
                income[half - 1]
            };
        }
        let children =
            family.children.iter().map(|child| child_bits(child, shares, area, &mut draw)).collect();
        Self { family: bits, income, children, frailty }
    }

    /// A child's hazard in each half-year, relative to the base rate.
    pub(super) fn relative_hazard(&self, child: usize, area: u8, shares: &Shares) -> [f32; HALVES] {
        let fixed = self.frailty + shares.slope * deprivation(usize::from(area));
        std::array::from_fn(|half| {
            let effects: f64 = Need::FAMILY
                .iter()
                .filter(|need| need.in_bits(self.family[half]))
                .chain(
                    [Need::SchoolDisengagement, Need::YouthActivity]
                        .iter()
                        .filter(|need| need.in_bits(self.children[child][half])),
                )
                .map(|need| need.log_odds())
                .sum();
            (fixed + effects).exp() as f32
        })
    }
}

fn child_bits(child: &Child, shares: &Shares, area: usize, draw: &mut Draw) -> [u8; HALVES] {
    let mut bits = [0; HALVES];
    let (mut school, mut activity) = (None, None);
    for (half, bits) in bits.iter_mut().enumerate() {
        let age = f64::from(BOUNDS[half] - child.birth) / YEAR;
        // Disengagement can begin with school, and is drawn again when the child changes to secondary.
        if (4.5..18.0).contains(&age) {
            let phase = usize::from(age >= 11.0);
            let stays = school.filter(|&(old, _)| old == phase && !draw.chance(REDRAW));
            let on = stays.map_or_else(|| draw.chance(shares.school[area][phase]), |(_, on)| on);
            school = Some((phase, on));
            *bits |= if on { Need::SchoolDisengagement.bit() } else { 0 };
        }
        if (7.5..18.0).contains(&age) {
            let stays = activity.filter(|_| !draw.chance(REDRAW));
            let on = stays.unwrap_or_else(|| draw.chance(shares.activity));
            activity = Some(on);
            *bits |= if on { Need::YouthActivity.bit() } else { 0 };
        }
    }
    bits
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_keep_their_mean_and_lean_on_deprivation() {
        let shares = by_area(0.198, 0.25);
        let mean: f64 = shares.iter().zip(AREAS).map(|(share, (_, weight))| share * weight).sum();
        assert!((mean - 0.198).abs() < 1e-12);
        let odds = |p: f64| p / (1.0 - p);
        assert!(((odds(shares[0]) / odds(shares[1])).ln() - 9.0 * 0.25).abs() < 1e-9);
    }

    #[test]
    fn areas_cover_the_whole_scale() {
        let total: f64 = AREAS.iter().map(|(_, weight)| weight).sum();
        assert!((total - 1.0).abs() < 1e-12);
        for decile in 1..=10 {
            assert!(AREAS.iter().any(|&(d, _)| d == decile));
        }
    }
}
