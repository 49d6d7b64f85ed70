//! Names of tables and columns: safe in every engine, and never two alike.

use std::collections::HashSet;

/// The longest name: PostgreSQL cuts what is longer than 63 bytes, and two cut names may be one.
const LONGEST: usize = 50;

/// Gives names out.
#[derive(Debug, Default)]
pub(super) struct Names {
    given: HashSet<String>,
}

impl Names {
    /// A name of lower-case letters, digits and `_` that is like this one, and was not given yet.
    pub(super) fn like(&mut self, name: &str) -> String {
        let safe = |c: char| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '_' };
        let plain: String = name.chars().map(safe).take(LONGEST).collect();
        let mut given = plain.clone();
        let mut nth = 2;
        while !self.given.insert(given.clone()) {
            given = format!("{plain}_{nth}");
            nth += 1;
        }
        given
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_safe_and_never_two_alike() {
        let mut names = Names::default();
        assert_eq!(names.like("police.victim count"), "police_victim_count");
        assert_eq!(names.like("Police_Victim_Count"), "police_victim_count_2");
        assert_eq!(names.like("\u{e9}'; DROP TABLE x; --"), "____drop_table_x____");
        let long = "a".repeat(80);
        assert_eq!(names.like(&long).len(), LONGEST);
        assert_eq!(names.like(&long).len(), LONGEST + 2);
    }
}
