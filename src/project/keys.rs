//! What a key or a choice that does not exist was likely meant to be.

use crate::records::nearest;

/// A parser's message about an unknown key or choice, with the nearest of those that there are.
pub(super) fn with_near_miss(message: &str) -> String {
    let message = message.trim_end();
    let unknown = ["unknown field `", "unknown variant `"].into_iter().find_map(|mark| {
        let (_, behind) = message.rsplit_once(mark)?;
        behind.split_once('`')
    });
    let near = unknown.and_then(|(name, behind)| {
        // What stands between backticks: every second part.
        nearest(behind.split('`').skip(1).step_by(2), name)
    });
    near.map_or_else(|| message.to_owned(), |near| format!("{message}; did you mean `{near}`?"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_name_is_told_where_one_is_near() {
        let told = |unknown: &str| {
            with_near_miss(&format!(
                "at line 3\nunknown field `{unknown}`, expected one of `kind`, `occurred`, `not_open`\n"
            ))
        };
        assert!(told("occured").ends_with("; did you mean `occurred`?"));
        assert!(told("notopen").ends_with("; did you mean `not_open`?"));
        assert!(told("colour").ends_with("`not_open`"));
        assert_eq!(with_near_miss("missing field `name`\n"), "missing field `name`");
    }
}
