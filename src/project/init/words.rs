//! What the names of columns and files say, in the words that councils' systems use.

/// The words of a name, in small letters: `Date of Birth`, `date_of_birth` and `DateOfBirth` are the same.
pub(super) fn words(name: &str) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    let mut open = false;
    let mut after_small = false;
    for c in name.chars() {
        if !c.is_alphanumeric() {
            open = false;
            continue;
        }
        if !open || (c.is_uppercase() && after_small) {
            words.push(String::new());
        }
        open = true;
        after_small = c.is_lowercase() || c.is_ascii_digit();
        if let Some(word) = words.last_mut() {
            word.extend(c.to_lowercase());
        }
    }
    words
}

/// Whether one of the words is among these.
pub(super) fn has(name: &str, any: &[&str]) -> bool {
    words(name).iter().any(|word| any.contains(&word.as_str()))
}

/// The place of the first of these that is among the words.
pub(super) fn first(name: &str, any: &[&str]) -> Option<usize> {
    let words = words(name);
    any.iter().position(|wanted| words.iter().any(|word| word == wanted))
}

/// A name for a source, and for what is made of it: `ASB incidents 2024.csv` becomes `asb_incidents_2024`.
pub(super) fn plain(name: &str) -> String {
    let plain = words(name).join("_");
    if plain.is_empty() { "source".to_owned() } else { plain }
}

/// Why a column cannot be a feature, if its name says so.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Unfit {
    /// Its value on the day of the extract, whatever date is asked about.
    OfExtractDay,
    /// A day that is planned.
    Planned,
    /// Who or where somebody is.
    Identifying,
    /// A protected characteristic.
    Protected,
}

impl Unfit {
    pub(super) fn words(self) -> &'static str {
        match self {
            Self::OfExtractDay => {
                "its value is that of the day of the extract, so at an earlier date it would show what came later"
            }
            Self::Planned => "a day that is planned; whether it came about is another record",
            Self::Identifying => "it says who or where somebody is, or what was written about them",
            Self::Protected => "a protected characteristic: for the fairness audit alone",
        }
    }
}

const PROTECTED: [&str; 22] = [
    "sex",
    "gender",
    "ethnic",
    "ethnicity",
    "ethnicities",
    "race",
    "disability",
    "disabilities",
    "disabled",
    "religion",
    "faith",
    "belief",
    "sexuality",
    "orientation",
    "pregnancy",
    "pregnant",
    "maternity",
    "marital",
    "nationality",
    "transgender",
    "uasc",
    "asylum",
];

/// Words of sources whose open episodes mean that somebody is working with a family.
pub(super) const WORKED_WITH: [&str; 13] = [
    "help",
    "cin",
    "cp",
    "cla",
    "care",
    "plan",
    "plans",
    "referral",
    "referrals",
    "assessment",
    "assessments",
    "intervention",
    "involvement",
];

/// Words for a place that a fairness audit may compare.
pub(super) const AREAS: [&str; 7] = ["area", "ward", "region", "locality", "district", "imd", "lsoa"];

pub(super) fn is_protected(name: &str) -> bool {
    let is_age_band = has(name, &["age"]) && has(name, &["band", "group", "range"]);
    has(name, &PROTECTED) || is_age_band
}

pub(super) fn is_birth(name: &str) -> bool {
    // `D.O.B.` comes apart into letters.
    (has(name, &["dob", "birth", "born", "birthdate", "dateofbirth", "birthday"])
        || words(name).concat() == "dob")
        && !has(name, &["expected", "mc", "childs", "due"])
}

/// Whether a column of such a name is one that no feature may read.
pub(super) fn unfit(name: &str) -> Option<Unfit> {
    let all = words(name);
    let is = |any: &[&str]| all.iter().any(|word| any.contains(&word.as_str()));
    if is_protected(name) {
        return Some(Unfit::Protected);
    }
    let is_person = is(&["name", "names", "forename", "surname", "firstname", "lastname", "initials"]);
    let is_place =
        is(&["postcode", "post", "address", "phone", "telephone", "mobile", "email", "nhs", "house"]);
    let is_prose = is(&["note", "notes", "comment", "comments", "narrative", "summary", "json", "text"]);
    let is_staff = is(&["worker", "team", "advisor", "officer", "practitioner", "allocated", "clinician"]);
    if is_person || is_place || is_prose || is_staff {
        return Some(Unfit::Identifying);
    }
    if is(&["due", "target", "next", "planned", "expected", "scheduled", "forecast"]) {
        return Some(Unfit::Planned);
    }
    let of_late = is(&["latest", "last", "current", "currently", "recent", "previous", "now", "today"]);
    let state = is(&[
        "age",
        "status",
        "flag",
        "updated",
        "modified",
        "refreshed",
        "snapshot",
        "extract",
        "extracted",
    ]);
    let counted = is(&["months", "weeks", "days"]) && is(&["in", "within", "past", "number", "count"])
        || is(&["number"]) && is(&["of"])
        || is(&["day28", "28d"])
        || is(&["day"]) && is(&["28"]);
    (of_late || state || counted).then_some(Unfit::OfExtractDay)
}

/// What the name of a date says about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum DateRole {
    Birth,
    Occurred,
    Ended,
    Known,
    EndedKnown,
}

const KNOWN: [&str; 17] = [
    "recorded",
    "recording",
    "created",
    "creation",
    "entered",
    "received",
    "recvd",
    "logged",
    "known",
    "input",
    "inserted",
    "notified",
    "loaded",
    "added",
    "keyed",
    "captured",
    "reported",
];

const ENDED: [&str; 22] = [
    "end",
    "ended",
    "ending",
    "close",
    "closed",
    "closure",
    "cease",
    "ceased",
    "finish",
    "finished",
    "until",
    "left",
    "leaving",
    "exit",
    "completed",
    "completion",
    "discharged",
    "stop",
    "stopped",
    "dec",
    "unregistration",
    "to",
];

/// In the order in which they are believed.
pub(super) const STARTED: [&str; 26] = [
    "start",
    "started",
    "begin",
    "began",
    "begins",
    "commenced",
    "opened",
    "open",
    "decom",
    "occurred",
    "incident",
    "event",
    "happened",
    "offence",
    "from",
    "admitted",
    "joined",
    "submitted",
    "registration",
    "referral",
    "contact",
    "visit",
    "seen",
    "on",
    "date",
    "day",
];

pub(super) fn date_role(name: &str) -> Option<DateRole> {
    let (known, ended) = (has(name, &KNOWN), has(name, &ENDED) || name.to_lowercase().ends_with("_dec"));
    Some(match (is_birth(name), known, ended) {
        (true, ..) => DateRole::Birth,
        (_, true, true) => DateRole::EndedKnown,
        (_, true, false) => DateRole::Known,
        (_, false, true) => DateRole::Ended,
        _ if has(name, &STARTED) || has(name, &["datetime", "dt", "when", "time", "timestamp"]) => {
            DateRole::Occurred
        }
        _ => return None,
    })
}

/// Words for the one whom a record is about.
pub(super) const PEOPLE: [&str; 16] = [
    "person",
    "child",
    "childs",
    "pupil",
    "student",
    "client",
    "individual",
    "resident",
    "people",
    "customer",
    "subject",
    "pid",
    "personid",
    "service",
    "user",
    "upn",
];

/// Words for a record's own number.
pub(super) const RECORDS: [&str; 14] = [
    "record",
    "event",
    "case",
    "episode",
    "ref",
    "reference",
    "incident",
    "row",
    "plan",
    "notice",
    "contact",
    "referral",
    "enquiry",
    "urn",
];

pub(super) const HOUSEHOLDS: [&str; 9] =
    ["household", "family", "hh", "home", "uprn", "dwelling", "property", "address", "household_id"];

pub(super) const IDS: [&str; 10] =
    ["id", "ids", "ref", "reference", "no", "number", "key", "identifier", "urn", "pid"];

/// Words for an id that was merged into another, and for the column of that other one.
pub(super) const MERGED: [&str; 7] =
    ["merged", "merge", "superseded", "replaced", "surviving", "survivor", "survivors"];
pub(super) const INTO: [&str; 6] = ["into", "to", "by", "surviving", "survivor", "survivors"];
/// Words for an id that is no longer used.
pub(super) const OLD: [&str; 6] = ["old", "former", "previous", "retired", "obsolete", "duplicate"];

/// Words for an id that is used in place of an old one.
pub(super) const NEW: [&str; 3] = ["new", "current", "replacement"];

/// Words for how sure it is that two records are one person's.
pub(super) const LINKS: [&str; 6] = ["probability", "match", "certainty", "confidence", "linkage", "link"];

/// Words for the day of death.
pub(super) const DEATHS: [&str; 5] = ["died", "death", "deceased", "dod", "deathdate"];

pub(super) const KINDS: [&str; 8] =
    ["kind", "type", "event", "incident", "activity", "measure", "category", "classification"];

pub(super) const VALUES: [&str; 16] = [
    "amount",
    "value",
    "balance",
    "pounds",
    "arrears",
    "score",
    "percent",
    "percentage",
    "total",
    "sum",
    "cost",
    "sessions",
    "hours",
    "clicks",
    "click",
    "debt",
];

/// What a number is called that is a part of another one, the likeliest first.
pub(super) const PARTS: [&str; 9] =
    ["missed", "absent", "absence", "absences", "lost", "unauthorised", "late", "attended", "present"];

/// What the number is called that others are a part of.
pub(super) const WHOLES: [&str; 5] = ["possible", "maximum", "available", "offered", "eligible"];

/// What a model may be asked to foresee, the likeliest first: the words of its sources or kinds, what it is called, and
/// what such a record does not say.
pub(super) const OUTCOMES: [(&[&str], &str); 7] = [
    (&["protection", "cp", "cpp", "cppl", "registration"], "a child protection plan"),
    (&["cin", "need", "statutory"], "a child-in-need episode"),
    (&["cla", "lac", "looked", "care", "decom", "placement", "accommodated"], "a period of care"),
    (&["plan", "plans"], "a plan"),
    (&["referral", "referrals", "mash"], "a referral"),
    (&["contact", "contacts"], "a contact"),
    (&["assessment", "assessments", "enquiry", "s47"], "an assessment"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_the_same_however_they_are_written() {
        for name in ["Date of Birth", "date_of_birth", "DateOfBirth", "DATE-OF-BIRTH", " dateOf birth"] {
            assert_eq!(words(name), ["date", "of", "birth"], "{name}");
            assert_eq!(date_role(name), Some(DateRole::Birth));
        }
        assert!(is_birth("D.O.B.") && is_birth("DOB") && !is_birth("D.O.C."));
        assert_eq!(plain("ASB incidents (2024)"), "asb_incidents_2024");
    }

    #[test]
    fn what_a_date_is_stands_in_its_name() {
        for (name, role) in [
            ("CIN Closure Date", DateRole::Ended),
            ("end_recorded", DateRole::EndedKnown),
            ("Date Received", DateRole::Known),
            ("DECOM", DateRole::Occurred),
            ("DEC", DateRole::Ended),
            ("Referral Date", DateRole::Occurred),
        ] {
            assert_eq!(date_role(name), Some(role), "{name}");
        }
        assert_eq!(date_role("reason"), None);
    }

    #[test]
    fn values_of_the_day_of_the_extract_are_no_features() {
        for name in [
            "Age",
            "Number of Referrals in Last 12 Months",
            "Latest Category of Abuse",
            "Case Status",
            "day_28_flag",
            "Date of the Last Statutory Visit",
        ] {
            assert_eq!(unfit(name), Some(Unfit::OfExtractDay), "{name}");
        }
        for (name, why) in [
            ("Gender", Unfit::Protected),
            ("age_band", Unfit::Protected),
            ("Allocated Worker", Unfit::Identifying),
            ("review_due", Unfit::Planned),
        ] {
            assert_eq!(unfit(name), Some(why), "{name}");
        }
        assert_eq!(unfit("Contact Source"), None);
    }
}
