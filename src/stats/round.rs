//! Round numbers, which people can read and which are no single person's.

/// The roundest decimal number above `below` and not above `above`: people have to read it, and no person's
/// exact value is in it.
pub(crate) fn round_between(below: f64, above: f64) -> f64 {
    let largest = below.abs().max(above.abs());
    let first = largest.log10().ceil() as i32 + 1;
    for power in (first - 18..=first).rev() {
        let scale = 10_f64.powi(power.abs());
        let steps = (if power < 0 { above * scale } else { above / scale }).floor();
        let round = if power < 0 { steps / scale } else { steps * scale };
        if round > below && round <= above {
            return round;
        }
    }
    above
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cut_is_the_roundest_number_in_its_gap() {
        for (below, above, round) in [
            (2.0, 3.0, 3.0),
            (0.0, 1.0, 1.0),
            (67.3, 153.2, 100.0),
            (0.371, 0.3794, 0.379),
            (-1.0, 0.0, 0.0),
            (-2.5, -1.2, -2.0),
            (0.28, 0.31, 0.3),
            (1999.0, 2001.0, 2000.0),
        ] {
            let found = round_between(below, above);
            assert!(found > below && found <= above);
            assert!((found - round).abs() <= 1e-12, "{below} {above} {found}");
        }
        let (below, above) = (f64::from(0.1_f32), f64::from(0.1_f32.next_up()));
        let found = round_between(below, above);
        assert!(found > below && found <= above);
    }
}
