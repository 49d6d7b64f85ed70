//! Which columns each service's file has, and the words in them.

/// A service, as the place of its layout and of its rows.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(in super::super) enum Source {
    SchoolRoll,
    Attendance,
    Suspensions,
    Sen,
    Fsm,
    Housing,
    Police,
    DomesticAbuse,
    Benefits,
    YouthJustice,
    Health,
    Contacts,
    Referrals,
    EarlyHelp,
    Plans,
    YouthActivity,
}

impl Source {
    pub(in super::super) const COUNT: usize = 16;
}

/// The dates that a file has.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(in super::super) enum Dates {
    /// occurred, recorded
    Point,
    /// start, end, recorded
    Spell,
    /// start, end, recorded, `end_recorded`
    SpellWithEnd,
}

/// The columns of one file.
pub(in super::super) struct Layout {
    pub(in super::super) name: &'static str,
    /// Letters before the record numbers.
    pub(in super::super) prefix: &'static str,
    pub(in super::super) dates: Dates,
    /// Words of the column `kind`; no such column when empty.
    pub(in super::super) kinds: &'static [&'static str],
    /// A further column of words: header and words.
    pub(in super::super) detail: Option<(&'static str, &'static [&'static str])>,
    pub(in super::super) has_value: bool,
}

const ROLES: &[&str] = &["victim", "suspect", "witness"];

const fn layout(
    name: &'static str,
    prefix: &'static str,
    dates: Dates,
    kinds: &'static [&'static str],
    detail: Option<(&'static str, &'static [&'static str])>,
    has_value: bool,
) -> Layout {
    Layout { name, prefix, dates, kinds, detail, has_value }
}

use Dates::{Point, Spell, SpellWithEnd};

/// The layouts, in the order of [`Source`].
pub(in super::super) const LAYOUTS: [Layout; Source::COUNT] = [
    layout("school_roll", "ROL-", Spell, &[], None, false),
    layout("attendance", "ATT-", Point, &["attendance_period"], None, true),
    layout(
        "suspensions",
        "SUS-",
        Point,
        &["suspension", "permanent_exclusion"],
        Some((
            "reason",
            &[
                "disruptive_behaviour",
                "verbal_abuse",
                "assault_on_pupil",
                "assault_on_adult",
                "drugs",
                "other",
            ],
        )),
        false,
    ),
    layout("sen", "SEN-", Spell, &["sen_support", "ehc_plan"], None, false),
    layout("fsm", "FSM-", Spell, &["fsm_period"], None, false),
    layout(
        "housing",
        "HOU-",
        Point,
        &["arrears_snapshot", "tenancy_warning", "homelessness_application"],
        None,
        true,
    ),
    layout("police", "POL-", Point, &["police_incident"], Some(("role", ROLES)), false),
    layout("domestic_abuse", "DAN-", Point, &["domestic_abuse_notification"], Some(("role", ROLES)), false),
    layout("benefits", "BEN-", Spell, &["benefit_claim", "council_tax_arrears"], None, false),
    layout("youth_justice", "YJS-", Point, &["youth_justice_outcome"], None, false),
    layout(
        "health",
        "HEA-",
        Point,
        &["health_attendance", "substance_referral", "mental_health_referral"],
        None,
        false,
    ),
    layout(
        "contacts",
        "CON-",
        Point,
        &["contact"],
        Some(("referral_source", &super::super::rates::REFERRAL_SOURCES)),
        false,
    ),
    layout(
        "referrals",
        "REF-",
        Point,
        &["referral"],
        Some(("referral_source", &super::super::rates::REFERRAL_SOURCES)),
        false,
    ),
    layout("early_help", "EHE-", SpellWithEnd, &["early_help_episode"], None, false),
    layout(
        "plans",
        "PLA-",
        SpellWithEnd,
        &["cin_episode", "cp_plan", "cla_episode"],
        Some((
            "category",
            &[
                "abuse_or_neglect",
                "family_dysfunction",
                "family_stress",
                "child_disability",
                "behaviour",
                "other",
            ],
        )),
        false,
    ),
    layout("youth_activity", "YOU-", Point, &["youth_activity"], None, false),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn layouts_stand_at_their_sources() {
        let places = [
            (Source::SchoolRoll, "school_roll"),
            (Source::Housing, "housing"),
            (Source::DomesticAbuse, "domestic_abuse"),
            (Source::Health, "health"),
            (Source::Plans, "plans"),
            (Source::YouthActivity, "youth_activity"),
        ];
        for (source, name) in places {
            assert_eq!(LAYOUTS[source as usize].name, name);
        }
    }
}
