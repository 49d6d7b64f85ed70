//! Which column of a header is meant: one rule for delimited text, Parquet, Arrow and frames.

use crate::error::RecordsError;

/// The place of the column that `wanted` names, if there is one. Names are compared without regard to case and
/// outer blanks, since the headers of real extracts vary from month to month; a name that is the same to the
/// letter goes first. Which of two columns of one name is meant cannot be told, so that is refused.
pub(super) fn place(source: &str, names: &[&str], wanted: &str) -> Result<Option<usize>, RecordsError> {
    let wanted = wanted.trim();
    let of = |is: &dyn Fn(&str) -> bool| -> Vec<usize> {
        (0..names.len()).filter(|&place| is(names[place].trim())).collect()
    };
    let mut found = of(&|name| name == wanted);
    if found.is_empty() {
        found = of(&|name| name.eq_ignore_ascii_case(wanted));
    }
    match found[..] {
        [] => Ok(None),
        [place] => Ok(Some(place)),
        _ => Err(RecordsError::ColumnTwice { extract: source.to_owned(), column: wanted.to_owned() }),
    }
}

/// The place of each column asked for, all of which have to be there.
pub(super) fn places(source: &str, names: &[&str], wanted: &[&str]) -> Result<Vec<usize>, RecordsError> {
    let find = |name: &&str| {
        place(source, names, name)?
            .ok_or_else(|| RecordsError::NoColumn { extract: source.to_owned(), column: (*name).to_owned() })
    };
    wanted.iter().map(find).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_to_the_letter_goes_first_and_two_of_one_name_are_refused() {
        let found = |names: &[&str], wanted: &str| place("s", names, wanted);
        assert_eq!(found(&["Risk ", "sex"], "risk"), Ok(Some(0)));
        assert_eq!(found(&["Risk", "risk"], "risk"), Ok(Some(1)));
        assert_eq!(found(&["sex"], "risk"), Ok(None));
        for names in [["risk", "risk"], ["RISK", "Risk"], ["risk", " risk"]] {
            let refused = found(&names, "risk").unwrap_err();
            assert!(matches!(&refused, RecordsError::ColumnTwice { column, .. } if column == "risk"));
        }
        // A column that nobody asks for may stand twice.
        assert_eq!(places("s", &["note", "note", "sex"], &["sex"]), Ok(vec![2]));
        assert!(places("s", &["sex"], &["risk"]).is_err());
    }
}
