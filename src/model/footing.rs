//! Whether there are families enough to learn something from.

/// Fewer families than this are too few to learn from: the rule of thumb of ten cases for a coefficient. Families and not
/// cases, because one person at a dozen dates is a dozen cases and one story: what a model learnt from them alone
/// would be what became of that person.
pub(super) const FEWEST: usize = 10;

/// Whether cases are of [`FEWEST`] families or more. Where families are not known, each case is one.
pub(super) fn is_broad(cases: impl IntoIterator<Item = usize>, families: Option<&[u64]>) -> bool {
    let mut seen = [0_u64; FEWEST];
    let mut count = 0;
    for case in cases {
        let family = families.map_or(case as u64, |families| families[case]);
        if !seen[..count].contains(&family) {
            seen[count] = family;
            count += 1;
            if count == FEWEST {
                return true;
            }
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_family_at_many_dates_is_one() {
        assert!(is_broad(0..10, None) && !is_broad(0..9, None));
        let families: Vec<u64> = (0..40).map(|case| case / 5).collect();
        assert!(!is_broad(0..40, Some(&families)));
        let families: Vec<u64> = (0..40).map(|case| case / 4).collect();
        assert!(is_broad(0..40, Some(&families)));
    }
}
