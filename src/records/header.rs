//! Which column of a header is meant: one rule for delimited text, Parquet, Arrow and frames.

use crate::error::RecordsError;
use crate::limits;

/// A column that is asked for, and the other names that it has in some files.
#[derive(Debug, Clone, Copy)]
pub(super) struct Name<'a> {
    pub(super) column: &'a str,
    pub(super) aliases: &'a [String],
}

impl Name<'_> {
    /// Whether a header's name is one of these.
    pub(super) fn is(&self, held: &str) -> bool {
        is_same(held, self.column) || self.aliases.iter().any(|alias| is_of(held.trim(), alias.trim()))
    }
}

/// Whether a name is the one asked for, in which `*` stands for any text; in capitals or not.
pub(super) fn is_of(name: &str, asked: &str) -> bool {
    fn fits(name: &str, asked: &str) -> bool {
        match asked.split_once('*') {
            None => name == asked,
            Some((before, behind)) => {
                let Some(rest) = name.strip_prefix(before) else { return false };
                (0..=rest.len()).filter(|&at| rest.is_char_boundary(at)).any(|at| fits(&rest[at..], behind))
            }
        }
    }
    fits(&name.to_lowercase(), &asked.to_lowercase())
}

/// The place of the column that `wanted` names, if there is one. Names are compared without regard to case and
/// outer blanks, since the headers of real extracts vary from month to month. Which of two columns of one name is meant
/// cannot be told, so that is refused (`recorded` beside `Recorded`, too); and so are two columns that have a name of it
/// each.
pub(super) fn place(source: &str, names: &[&str], wanted: Name<'_>) -> Result<Option<usize>, RecordsError> {
    let of = |is: &dyn Fn(&str) -> bool| -> Vec<usize> {
        (0..names.len()).filter(|&place| is(names[place].trim())).collect()
    };
    let by_name = |name: &str| -> Result<Option<usize>, RecordsError> {
        match of(&|held| held.eq_ignore_ascii_case(name))[..] {
            [] => Ok(None),
            [place] => Ok(Some(place)),
            _ => Err(RecordsError::ColumnTwice { extract: source.to_owned(), column: name.to_owned() }),
        }
    };
    let own = by_name(wanted.column.trim())?;
    if wanted.aliases.is_empty() {
        return Ok(own);
    }
    let mut found: Vec<usize> = own.into_iter().collect();
    for alias in wanted.aliases.iter().map(|alias| alias.trim()) {
        let more = if alias.contains('*') {
            of(&|held| is_of(held, alias))
        } else {
            by_name(alias)?.into_iter().collect()
        };
        for place in more {
            if !found.contains(&place) {
                found.push(place);
            }
        }
    }
    match found[..] {
        [] => Ok(None),
        [place] => Ok(Some(place)),
        _ => {
            let told = |&place: &usize| match names[place].trim() {
                name if is_a_value(name) => format!("the column in place {}", place + 1),
                name => format!("\"{name}\""),
            };
            Err(RecordsError::ColumnsAlike {
                extract: source.to_owned(),
                column: wanted.column.trim().to_owned(),
                found: found.iter().map(told).collect::<Vec<_>>().join(", "),
            })
        }
    }
}

/// Refuses a table of more columns than anybody asks of one: their names alone could fill the memory.
pub(super) fn check_width(source: &str, columns: usize) -> Result<(), RecordsError> {
    if columns <= limits::COLUMNS {
        return Ok(());
    }
    let limit = limits::COLUMNS as u64;
    Err(RecordsError::TooMany { extract: source.to_owned(), what: "columns", limit })
}

/// The place of each column asked for, all of which have to be there. `form` says how the names were read.
pub(super) fn places(
    source: &str,
    names: &[&str],
    wanted: &[Name<'_>],
    form: &str,
) -> Result<Vec<usize>, RecordsError> {
    check_width(source, names.len())?;
    let find = |name: &Name<'_>| {
        place(source, names, *name)?.ok_or_else(|| {
            let head = names.iter().map(|&name| name.to_owned()).collect();
            missing(source, &[head], wanted, (form, Lines::No))
        })
    };
    let places: Vec<usize> = wanted.iter().map(find).collect::<Result<_, _>>()?;
    // A pattern may reach for a column that is something else already.
    for (at, name) in wanted.iter().enumerate().filter(|(_, name)| !name.aliases.is_empty()) {
        if let Some(other) = (0..wanted.len()).find(|&other| other != at && places[other] == places[at]) {
            return Err(RecordsError::ColumnForTwo {
                extract: source.to_owned(),
                column: wanted[other].column.to_owned(),
                other: name.column.to_owned(),
            });
        }
    }
    Ok(places)
}

/// Whether names stand in a line of a table, so that another line may be taken for them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Lines {
    Yes,
    /// A form in which columns have names.
    No,
}

/// That a column is not there, with what is: `heads` are the first lines, and `form` says how they were read. The names in
/// a line are told only where it holds one of the columns asked for, and nothing that looks like a value: else it may be
/// somebody's record, in part or whole.
pub(super) fn missing(
    source: &str,
    heads: &[Vec<String>],
    wanted: &[Name<'_>],
    (form, lines): (&str, Lines),
) -> RecordsError {
    let has = |head: &Vec<String>, name: &Name<'_>| head.iter().any(|held| name.is(held));
    let found = |head: &Vec<String>| wanted.iter().filter(|name| has(head, name)).count();
    // Of equals the first.
    let best = heads.iter().rev().max_by_key(|head| found(head));
    let lacking = wanted.iter().find(|name| best.is_none_or(|head| !has(head, name)));
    let column = lacking.map_or("", |name| name.column);
    // A line that nothing follows may be a header that ran into the only record.
    let is_last = |head: &Vec<String>| lines == Lines::Yes && heads.last() == Some(head);
    let telling = best.is_some_and(|head| is_last(head) || head.iter().any(|name| is_a_value(name)));
    let nearest = best.filter(|_| !telling).and_then(|head| nearest(head.iter().map(String::as_str), column));
    let near = nearest.map_or_else(String::new, |near| format!("; the nearest is \"{}\"", near.trim()));
    let seen = match best {
        None => format!("there is no header in it ({form})"),
        Some(head) if found(head) == 0 => {
            format!("none of the columns asked for stands in its first lines ({form}){near}")
        }
        Some(head) if telling => format!(
            "it has {} columns, whose names are not told, since a value of somebody's record may be among them ({form})",
            head.len()
        ),
        Some(head) => {
            const SHOWN: usize = 40;
            let names: Vec<&str> =
                head.iter().map(|name| name.trim()).filter(|name| !name.is_empty()).collect();
            let more = names.len().saturating_sub(SHOWN);
            let more = if more > 0 { format!(" and {more} more") } else { String::new() };
            format!("it has {}{more} ({form}){near}", names[..names.len().min(SHOWN)].join(", "))
        }
    };
    RecordsError::NoColumn { extract: source.to_owned(), column: column.to_owned(), seen }
}

/// Whether a name of a column may be a value: a date, an amount, an id. A year is none, since headers have years.
pub(super) fn is_a_value(name: &str) -> bool {
    let mut numbers = name.split(|c: char| !c.is_ascii_digit()).filter(|number| !number.is_empty());
    let is_year = |number: &str| number.len() == 4 && (number.starts_with("19") || number.starts_with("20"));
    let is_amount = name.chars().any(|c| c.is_ascii_digit()) && !name.chars().any(char::is_alphabetic);
    is_amount && !is_year(name.trim()) && !is_school_year(name.trim())
        || numbers.any(|number| number.len() >= 3 && !is_year(number))
}

/// `2023/24`, `2023-24`, `2023-2024`.
fn is_school_year(name: &str) -> bool {
    name.split_once(['/', '-']).is_some_and(|(from, to)| {
        from.len() == 4
            && matches!(to.len(), 2 | 4)
            && (from.to_owned() + to).bytes().all(|b| b.is_ascii_digit())
    })
}

/// How many of the columns asked for stand in the line that has the most of them.
pub(super) fn most_found(heads: &[Vec<String>], wanted: &[Name<'_>]) -> usize {
    let found =
        |head: &Vec<String>| wanted.iter().filter(|name| head.iter().any(|held| name.is(held))).count();
    heads.iter().map(found).max().unwrap_or_default()
}

fn is_same(held: &str, wanted: &str) -> bool {
    held.trim().eq_ignore_ascii_case(wanted.trim())
}

/// The name that is written most like the one asked for, if any is.
pub(crate) fn nearest<'a>(names: impl Iterator<Item = &'a str>, wanted: &str) -> Option<&'a str> {
    /// From here on two names are likely meant to be the same: `person_id` and `PersonID`, `recorded` and `record`.
    const ALIKE: f64 = 0.7;
    let plain = |name: &str| -> String {
        name.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
    };
    let wanted = plain(wanted);
    let likeness = |name: &str| strsim::normalized_levenshtein(&plain(name), &wanted);
    let best =
        names.map(|name| (likeness(name), name)).max_by(|a, b| a.0.total_cmp(&b.0).then(b.1.cmp(a.1)))?;
    (best.0 >= ALIKE).then_some(best.1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn capitals_and_outer_blanks_do_not_matter_and_two_of_one_name_are_refused() {
        let name = |column| Name { column, aliases: &[] };
        let found = |names: &[&str], wanted| place("s", names, name(wanted));
        assert_eq!(found(&["Risk ", "sex"], "risk"), Ok(Some(0)));
        assert_eq!(found(&["sex"], "risk"), Ok(None));
        for names in [["risk", "risk"], ["Risk", "risk"], ["RISK", "Risk"], ["risk", " risk"]] {
            let refused = found(&names, "risk").unwrap_err();
            assert!(matches!(&refused, RecordsError::ColumnTwice { column, .. } if column == "risk"));
        }
        // A column that nobody asks for may stand twice.
        assert_eq!(places("s", &["note", "note", "sex"], &[name("sex")], "a frame"), Ok(vec![2]));
        assert!(places("s", &["sex"], &[name("risk")], "a frame").is_err());
    }

    #[test]
    fn one_of_several_names_is_taken_and_two_in_one_file_are_refused() {
        let aliases = ["PersonID".to_owned(), "child*ref".to_owned()];
        let wanted = Name { column: "person_id", aliases: &aliases };
        for names in [["x", "PERSON_ID"], ["x", "personid "], ["x", "Child Ref"], ["x", "child's own ref"]] {
            assert_eq!(place("s", &names, wanted), Ok(Some(1)), "{names:?}");
        }
        assert_eq!(place("s", &["x", "child"], wanted), Ok(None));
        let told = place("s", &["PersonID", "child ref"], wanted).unwrap_err().to_string();
        assert!(told.contains("\"PersonID\", \"child ref\"") && told.contains("person_id"), "{told}");
        let told = place("s", &["PersonID", "child 47110815 ref"], wanted).unwrap_err().to_string();
        assert!(told.contains("place 2") && !told.contains("4711"), "{told}");
        // A pattern that reaches for what is another column already.
        let ids = ["*id".to_owned()];
        let both = [Name { column: "event_id", aliases: &[] }, Name { column: "person", aliases: &ids }];
        let refused = places("s", &["event_id", "on"], &both, "a frame").unwrap_err();
        assert!(matches!(refused, RecordsError::ColumnForTwo { .. }), "{refused}");
    }

    #[test]
    fn a_star_stands_for_any_text() {
        for (name, asked) in [
            ("List 1", "list 1"),
            ("2024 Data", "*data"),
            ("Data (2)", "data*"),
            ("a-b-c", "a*c"),
            ("x", "*"),
        ] {
            assert!(is_of(name, asked), "{name} {asked}");
        }
        for (name, asked) in [("List 10", "list 1"), ("Data (2)", "*data"), ("ab", "a*bc")] {
            assert!(!is_of(name, asked), "{name} {asked}");
        }
    }
}
