//! What the words mean that a stranger to the field would not know: one list for all pages and papers.

use serde::{Deserialize, Serialize};

use super::words;

/// The list.
const TEXT: &str = include_str!("glossary.md");

/// A term and what it means, in plain words.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Term {
    pub term: String,
    pub meaning: String,
}

/// A term with the forms by which a text is searched for it, in small letters.
struct Known {
    term: Term,
    forms: Vec<&'static str>,
}

/// All terms, in alphabetical order.
fn all() -> Vec<Known> {
    let entry = |part: &'static str| {
        let (head, meaning) = part.split_once("\n: ")?;
        let (term, forms) = head.trim().strip_suffix(')')?.rsplit_once(" (")?;
        let meaning = meaning.split_whitespace().collect::<Vec<_>>().join(" ");
        let forms = forms.split("; ").filter(|form| !form.is_empty()).collect();
        Some(Known { term: Term { term: term.to_owned(), meaning }, forms })
    };
    TEXT.split("\n\n").filter_map(entry).collect()
}

/// These terms in this order, as headings.
pub(super) fn named(terms: &[&str]) -> Vec<Term> {
    let all = all();
    let found = terms.iter().filter_map(|name| all.iter().find(|known| known.term.term == *name));
    found
        .map(|Known { term: Term { term, meaning }, .. }| Term {
            term: words::capitalised(term),
            meaning: meaning.clone(),
        })
        .collect()
}

/// The terms that occur in a text, and those that occur in what is said about them.
pub(super) fn in_text(text: &str) -> Vec<Term> {
    let mut text = text.to_lowercase();
    let all = all();
    let mut taken = vec![false; all.len()];
    loop {
        let before = taken.clone();
        for (taken, Known { term, forms }) in taken.iter_mut().zip(&all) {
            if !*taken && forms.iter().any(|form| occurs(&text, form)) {
                *taken = true;
                text.push('\n');
                text.push_str(&term.meaning.to_lowercase());
            }
        }
        if taken == before {
            break;
        }
    }
    all.into_iter().zip(taken).filter(|(_, taken)| *taken).map(|(known, _)| known.term).collect()
}

/// Whether a form stands in a text as words of its own. Both are in small letters.
fn occurs(text: &str, form: &str) -> bool {
    text.match_indices(form).any(|(start, found)| {
        let before = text[..start].chars().next_back();
        let after = text[start + found.len()..].chars().next();
        // Names of files and features (`cases_2`) are no words.
        let joins = |c: char| c.is_alphanumeric() || c == '_';
        !before.is_some_and(joins) && !after.is_some_and(joins)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn terms(text: &str) -> Vec<String> {
        in_text(text).into_iter().map(|entry| entry.term).collect()
    }

    #[test]
    fn only_what_occurs_is_explained_and_what_the_explanations_need() {
        assert!(terms("Nothing to see here.").is_empty());
        assert_eq!(terms("The seed was 3."), ["seed"]);
        // Log loss is told in nats, and a Brier score speaks of nothing else.
        assert_eq!(terms("Log loss"), ["log loss", "nat"]);
        let found = terms("AUC");
        assert!(found.contains(&"case".to_owned()) && found.contains(&"score".to_owned()), "{found:?}");
        assert!(terms("seeds, auckland, bandage").is_empty());
    }

    #[test]
    fn terms_stand_in_alphabetical_order_and_each_is_found_by_its_name() {
        let all = all();
        assert_eq!(all.len(), TEXT.matches("\n: ").count(), "a term was not understood");
        let names: Vec<String> = all.iter().map(|known| known.term.term.to_lowercase()).collect();
        assert!(names.is_sorted(), "{names:?}");
        assert_eq!(
            names.iter().collect::<std::collections::BTreeSet<_>>().len(),
            names.len(),
            "a term has two meanings"
        );
        for Known { term: Term { term, meaning }, forms } in all {
            assert!(forms.iter().all(|form| *form == form.to_lowercase()), "{term}");
            assert!(meaning.ends_with('.') && meaning.len() > 15, "{term}");
            assert!(term == "n" || forms.is_empty() || terms(&term).contains(&term), "{term}");
        }
    }
}
