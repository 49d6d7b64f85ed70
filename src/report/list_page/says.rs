//! What the page says of the list as a whole, as data.

use std::collections::BTreeMap;

use serde::Serialize;

use super::super::about::Fact;
use super::Page;
use crate::review::ReviewList;

/// The sentences above and below the cases.
#[derive(Serialize)]
pub(in crate::report) struct Says<'a> {
    /// What is to be known first, by what it is of.
    facts: BTreeMap<&'static str, String>,
    /// What the list is and is not.
    is: Vec<&'static str>,
    /// What a reader does.
    to_do: Vec<String>,
    /// What the list cannot see.
    cannot_see: &'a [String],
    /// What is not as usual, by what it is of.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    notes: Vec<(&'static str, String)>,
    /// How to read rates and points.
    how_to_read: Vec<String>,
    /// The reasons that most places share.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    shared: Vec<String>,
    /// How many were not scored, and what that says.
    #[serde(skip_serializing_if = "String::is_empty")]
    unscored: String,
}

/// The sentences of a list's page.
pub(in crate::report) fn says(list: &ReviewList) -> Says<'_> {
    let Page { about, tested, average, shared, .. } = Page::of(list, "", "");
    let fact = |fact: Fact<'_>| (fact.label, fact.text);
    let of_all =
        if average.is_empty() { average } else { format!("Of all cases, {average} had the outcome.") };
    let read = [tested, of_all, about.rate_note.to_owned(), about.points_note.to_owned()];
    Says {
        facts: about.facts.into_iter().map(fact).collect(),
        is: about.lead.to_vec(),
        to_do: about.steps.iter().map(|(first, rest)| format!("{first}{rest}")).collect(),
        cannot_see: about.cannot_see,
        notes: about.notes,
        how_to_read: read.into_iter().filter(|text| !text.is_empty()).collect(),
        shared: shared
            .iter()
            .map(|held| {
                let how = if held.raises { "raises" } else { "lowers" };
                format!("{}: {} {how} the score.", held.how_many, held.what)
            })
            .collect(),
        unscored: about.unscored,
    }
}
