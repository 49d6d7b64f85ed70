//! The published rates the council is built on, each with its source, and the choices that no
//! publication settles, each with its reason.
//!
//! Rates "per 10,000" are per 10,000 children aged 0 to 17 and, unless they are "at a date", per year.
//! The government statistics are under the Open Government Licence v3.0.

use serde::Serialize;

/// A published figure and where it comes from.
///
/// # Examples
/// ```
/// use earlyhelp::synthetic::rates;
/// assert!(rates::ALL.iter().any(|rate| rate.what.contains("referrals") && rate.value == 519.4));
/// assert!(rates::ALL.iter().all(|rate| !rate.source.is_empty()));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Published {
    /// What is counted, with its unit.
    pub what: &'static str,
    /// The figure for England.
    pub value: f64,
    /// Publisher, publication and year.
    pub source: &'static str,
}

const fn published(what: &'static str, value: f64, source: &'static str) -> Published {
    Published { what, value, source }
}

const CIN: &str = "Department for Education, Children in need, reporting year 2025";
const CLA: &str = "Department for Education, Children looked after in England, reporting year 2025";
const ABSENCE: &str = "Department for Education, Pupil absence in schools in England, 2022/23";
const PUPILS: &str = "Department for Education, Schools, pupils and their characteristics, 2024/25";
const SEND: &str = "Department for Education, Special educational needs in England, 2024/25";
const EXCLUSIONS: &str = "Department for Education, Suspensions and permanent exclusions in England, 2023/24";
const INCOME: &str =
    "Department for Work and Pensions, Children in low income families: local area statistics, 2025";

/// Referrals to children's social care.
pub const REFERRALS: Published = published("referrals per 10,000 children", 519.4, CIN);
/// Referrals that follow another one for the same child within 12 months.
pub const RE_REFERRALS: Published = published("percent of referrals within 12 months of another", 22.6, CIN);
/// Referrals closed without action.
pub const NO_FURTHER_ACTION: Published = published("percent of referrals with no further action", 6.5, CIN);
/// Referrals assessed, with the child found not to be in need.
pub const NOT_IN_NEED: Published = published("percent of referrals assessed as not in need", 30.8, CIN);
/// Episodes of need that start: 396,870 among 12,183,016 children (371,550 different children).
pub const NEED_STARTS: Published = published("episodes of need started per 10,000 children", 325.8, CIN);
/// Children in need on 31 March.
pub const IN_NEED: Published = published("children in need at a date per 10,000 children", 330.3, CIN);
/// Child protection plans that start: 61,840 among 12,183,016 children.
pub const PROTECTION_STARTS: Published = published("protection plans started per 10,000 children", 50.8, CIN);
/// Children who come into care.
pub const CARE_STARTS: Published = published("children starting to be looked after per 10,000", 26.0, CLA);
/// Share of referrals made by the police.
pub const FROM_POLICE: Published = published("percent of referrals from the police", 28.3, CIN);
/// Share of referrals made by schools.
pub const FROM_SCHOOL: Published = published("percent of referrals from schools", 20.6, CIN);
/// Share of referrals made by health services.
pub const FROM_HEALTH: Published = published("percent of referrals from health services", 15.2, CIN);
/// Persistent absence (10% or more of sessions missed) with free school meals and special needs.
pub const ABSENT_FSM_SEN: Published = published("percent persistently absent, FSM and SEN", 43.8, ABSENCE);
/// Persistent absence with free school meals only.
pub const ABSENT_FSM: Published = published("percent persistently absent, FSM only", 33.7, ABSENCE);
/// Persistent absence with special educational needs only.
pub const ABSENT_SEN: Published = published("percent persistently absent, SEN only", 24.7, ABSENCE);
/// Persistent absence with neither.
pub const ABSENT_NEITHER: Published = published("percent persistently absent, neither", 14.1, ABSENCE);
/// Free school meals: primary 24.7%, secondary 25.8%; taken as 25% of all pupils.
pub const FREE_MEALS: Published = published("percent of pupils with free school meals", 25.0, PUPILS);
/// Pupils with special-needs support but no plan.
pub const SEN_SUPPORT: Published = published("percent of pupils with SEN support", 14.2, SEND);
/// Pupils with an education, health and care plan.
pub const EHC_PLAN: Published = published("percent of pupils with an EHC plan", 5.3, SEND);
/// Pupils suspended at least once in the school year, all schools.
pub const SUSPENDED: Published =
    published("percent of pupils suspended in the school year", 4.04, EXCLUSIONS);
/// Permanent exclusions in the school year.
pub const EXCLUDED: Published = published("permanent exclusions per 100 pupils", 0.129, EXCLUSIONS);
/// Children in families with a low income.
pub const LOW_INCOME: Published = published("percent of children in low income families", 19.8, INCOME);
/// How many times the rate of plans and care of the least deprived tenth of neighbourhoods the most
/// deprived tenth has, at the least.
pub const DEPRIVATION_RATIO: Published = published(
    "times the rate of plans and care, most against least deprived tenth of areas",
    10.0,
    "Child Welfare Inequalities Project, inequalities in intervention rates, briefing paper 1: England, 2017",
);

/// All published figures, in the order above.
pub const ALL: &[Published] = &[
    REFERRALS,
    RE_REFERRALS,
    NO_FURTHER_ACTION,
    NOT_IN_NEED,
    NEED_STARTS,
    IN_NEED,
    PROTECTION_STARTS,
    CARE_STARTS,
    FROM_POLICE,
    FROM_SCHOOL,
    FROM_HEALTH,
    ABSENT_FSM_SEN,
    ABSENT_FSM,
    ABSENT_SEN,
    ABSENT_NEITHER,
    FREE_MEALS,
    SEN_SUPPORT,
    EHC_PLAN,
    SUSPENDED,
    EXCLUDED,
    LOW_INCOME,
    DEPRIVATION_RATIO,
];

/// Ethnic group codes of the school census, with the people of each in England in thousands (Office for
/// National Statistics, Census 2021, ethnic group in 20 categories). Roma people are counted with WROM,
/// Gypsy or Irish Traveller with WIRT, Arab with OOTH, because the school codes have no nearer place.
pub const ETHNICITY: [(&str, f64); 18] = [
    ("WBRI", 41_540.791),
    ("WIRI", 494.251),
    ("WIRT", 64.218),
    ("WROM", 99.138),
    ("WOTH", 3_585.003),
    ("MWBC", 499.310),
    ("MWBA", 241.528),
    ("MWAS", 474.190),
    ("MOTH", 454.350),
    ("AIND", 1_843.248),
    ("APKN", 1_570.285),
    ("ABAN", 629.567),
    ("AOTH", 952.127),
    ("BCRB", 619.419),
    ("BAFR", 1_468.474),
    ("BOTH", 293.831),
    ("CHNE", 431.165),
    ("OOTH", 1_229.153),
];
/// Ethnicity values as written: the groups above, then refused and not yet obtained.
pub(super) const ETHNICITY_VALUES: [&str; 20] = [
    "WBRI", "WIRI", "WIRT", "WROM", "WOTH", "MWBC", "MWBA", "MWAS", "MOTH", "AIND", "APKN", "ABAN", "AOTH",
    "BCRB", "BAFR", "BOTH", "CHNE", "OOTH", "REFU", "NOBT",
];
/// Share of people whose ethnicity was refused or not yet obtained (a choice: a few percent, as in
/// school censuses).
pub(super) const ETHNICITY_REFUSED: f64 = 0.01;
pub(super) const ETHNICITY_NOT_OBTAINED: f64 = 0.02;
/// The groups that the police over-record, as places in [`ETHNICITY`]: the codes that start with B.
pub(super) const OVER_RECORDED: std::ops::RangeInclusive<u8> = 13..=15;
/// How many times the rate, for the same need. Large enough for an audit to see at the top 5%.
pub(super) const OVER_RECORDING: f64 = 2.5;

/// Areas: deprivation tenth (1 = most deprived) and share of families. Both ends of the scale appear
/// twice, so that the gradient can be measured; Area 07 is the largest and about average, so that what
/// its missing source does is not mixed up with deprivation.
pub(super) const AREAS: [(u8, f64); 12] = [
    (1, 0.08),
    (10, 0.08),
    (3, 0.08),
    (6, 0.07),
    (2, 0.08),
    (8, 0.08),
    (5, 0.14),
    (9, 0.08),
    (4, 0.08),
    (7, 0.07),
    (1, 0.08),
    (10, 0.08),
];
/// Area names as written.
pub(super) const AREA_VALUES: [&str; 12] = [
    "Area 01", "Area 02", "Area 03", "Area 04", "Area 05", "Area 06", "Area 07", "Area 08", "Area 09",
    "Area 10", "Area 11", "Area 12",
];
/// The area whose domestic-abuse records never arrive, as a place in [`AREAS`].
pub(super) const SILENT_AREA: u8 = 6;

/// Aimed-at ratio of the hazard between the ends of the deprivation scale. Above the published "over 10
/// times", because children with open plans cannot start another one, which flattens the gradient.
pub(super) const HAZARD_RATIO: f64 = 18.0;
/// What no record shows: standard deviation (log-odds) of a family's own, lasting level of risk. A
/// choice: large enough that history predicts, small enough that needs matter more.
pub(super) const FRAILTY_SD: f64 = 0.4;
/// Sources of referrals. The first three are published; the others share the rest (a choice).
pub(super) const REFERRAL_SOURCES: [&str; 6] =
    ["police", "school", "health", "local_authority", "individual", "other"];
/// Their shares, in percent.
pub(super) const REFERRAL_SHARES: [f64; 6] =
    [FROM_POLICE.value, FROM_SCHOOL.value, FROM_HEALTH.value, 14.0, 9.0, 12.9];
/// Contacts that come to nothing, for each referral (a choice: most contacts end there).
pub(super) const CONTACTS_PER_REFERRAL: f64 = 1.5;
/// Early-help episodes per 10,000 children a year (a choice: there is no national count).
pub(super) const EARLY_HELP: f64 = 200.0;
/// Share of children of school age who are not on a local roll in a phase: independent schools, home
/// education, schools outside the area (a choice).
pub(super) const NOT_ON_ROLL: f64 = 0.06;
/// Share of pupils who stay at school after 16 (a choice: the others go to colleges, which keep no roll
/// here).
pub(super) const SIXTH_FORM: f64 = 0.45;
/// Probability of persistent absence while disengaged from school (a choice).
pub(super) const ABSENT_IF_DISENGAGED: f64 = 0.75;
/// Suspensions of pupils who are not disengaged, as a share of the rate of those who are (a choice).
pub(super) const BACKGROUND_SUSPENSION: f64 = 0.004;
