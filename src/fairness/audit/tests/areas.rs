//! Areas between curves, on scores of few values and of many.

use super::*;

fn abroca(audit: &Audit) -> &Disparity {
    let differs = |group: &&AuditedGroup| {
        shown(group)
            .unwrap()
            .1
            .iter()
            .any(|held| held.measure == GroupMeasure::Abroca && is_largest(&held.against))
    };
    let group = groups(&audit.attributes[0]).iter().find(differs).unwrap();
    disparity(shown(group).unwrap().1, GroupMeasure::Abroca, is_largest)
}

/// Two groups of rows of two scores: how many with and without the outcome score high and low.
fn two_valued(a: [usize; 4], b: [usize; 4]) -> Audit {
    table(&[("a", a), ("b", b)]).audit(&params(OperatingPoint::Threshold(0.5), 1, 999)).unwrap()
}

#[test]
fn an_area_of_two_corners_has_an_interval_that_does_not_collapse() {
    // Corners at (0.3, 0.55) and (0.25, 0.6): between straight lines the area is the mean distance, here by 20,000 places.
    let audit = two_valued([35, 15, 9, 11], [38, 12, 12, 18]);
    let found = abroca(&audit);
    let corner =
        |x: f64, (f, t): (f64, f64)| if x <= f { t * x / f } else { t + (1.0 - t) * (x - f) / (1.0 - f) };
    let (one, other) = ((15.0 / 50.0, 11.0 / 20.0), (12.0 / 50.0, 18.0 / 30.0));
    let places = 20_000;
    let area = (0..places)
        .map(|place| (f64::from(place) + 0.5) / f64::from(places))
        .map(|x| (corner(x, one) - corner(x, other)).abs())
        .sum::<f64>()
        / f64::from(places);
    let difference = found.difference.unwrap();
    close(difference.value, area, 1e-6);
    // By a bootstrap of the same corners in another program, 2.5 to 97.5%: 0.007 to 0.25.
    assert!(difference.interval.low.abs() < 1e-12, "{difference:?}");
    assert!((0.18..0.32).contains(&difference.interval.high), "{difference:?}");
    assert_eq!(found.verdict, DisparityVerdict::CannotTell);
    // The same curve twice: chance alone could hide as much as the interval's end.
    let audit = two_valued([350, 150, 90, 110], [350, 150, 90, 110]);
    let found = abroca(&audit);
    let held = found.difference_simultaneous.unwrap();
    assert!(held.low.abs() < 1e-12 && (0.03..0.1).contains(&held.high), "{held:?}");
    // And where the curves do differ, they are found to.
    let audit = two_valued([350, 150, 30, 170], [350, 150, 90, 110]);
    assert_eq!(abroca(&audit).verdict, DisparityVerdict::Present);
    // No score at all: both curves are the diagonal.
    let rows = 200;
    let names: Vec<Option<&str>> = (0..rows).map(|row| Some(["a", "b"][row % 2])).collect();
    let same = ScoreTable::new(vec![0.5; rows], (0..rows).map(|row| row % 3 == 0).collect()).unwrap();
    let audit = same.group("area", &names).unwrap().audit(&params(OperatingPoint::Threshold(0.2), 1, 199));
    assert_eq!(abroca(&audit.unwrap()).verdict, DisparityVerdict::AbsentWithin);
}

/// Rows of groups whose curves are the same: `values` distinct scores, families of two where asked for.
fn same_curves(made: &mut Made, groups: &[usize], values: usize, families: bool) -> ScoreTable {
    let (mut scores, mut outcomes, mut names, mut clusters) = (vec![], vec![], vec![], vec![]);
    let mut family = 0;
    for (group, &n) in groups.iter().enumerate() {
        let mut shared = 0.0;
        for row in 0..n {
            if !families || row % 2 == 0 {
                family += 1;
                shared = made.normal();
            }
            // Siblings are alike in score and outcome; the outcome is likelier at a higher score.
            let latent = 0.7 * shared + 0.714 * made.normal();
            let outcome = 0.6 * latent + 0.8 * made.normal() > 0.5;
            let place = 1.0 / (1.0 + (-1.7 * latent).exp());
            let score = if values > 100 { place } else { (place * values as f64).floor() / values as f64 };
            scores.push(score);
            outcomes.push(outcome);
            names.push(Some(["a", "b", "c", "d"][group]));
            clusters.push(family);
        }
    }
    let table = ScoreTable::new(scores, outcomes).unwrap().group("area", &names).unwrap();
    if families { table.clusters(clusters).unwrap() } else { table }
}

/// How often areas between equal curves are called present: each by itself, and any of a column.
fn called_present(sets: u32, groups_of: &[usize], values: usize, families: bool) -> [f64; 2] {
    let mut made = Made::seeded(97 + values as u64 * 13 + groups_of[0] as u64);
    let (mut each, mut all, mut any) = (0.0, 0.0, 0.0);
    for _ in 0..sets {
        let table = same_curves(&mut made, groups_of, values, families);
        let audit = table.audit(&params(OperatingPoint::Threshold(0.5), 1, 199)).unwrap();
        let mut present = false;
        for group in groups(&audit.attributes[0]) {
            let (_, disparities) = shown(group).unwrap();
            let compared =
                |held: &&Disparity| held.measure == GroupMeasure::Abroca && is_largest(&held.against);
            for found in disparities.iter().filter(compared) {
                let Some(difference) = found.difference else { continue };
                each += f64::from(u8::from(difference.interval.low > 0.0));
                all += 1.0;
                present |= found.verdict == DisparityVerdict::Present;
            }
        }
        any += f64::from(u8::from(present));
    }
    let found = [each / all, any / f64::from(sets)];
    println!(
        "{values} values, groups of {groups_of:?}, families {families}: {:.3} each, {:.3} of any",
        found[0], found[1]
    );
    found
}

#[test]
fn equal_curves_are_called_different_as_rarely_as_a_test_errs() {
    for (values, groups_of, families) in [
        (2, &[300, 320][..], false),
        (3, &[200, 220], true),
        (5, &[500, 510], false),
        (20, &[300, 320], true),
        (1_000, &[300, 310], false),
    ] {
        let [each, any] = called_present(300, groups_of, values, families);
        // 300 samples: two standard errors are 2.5 in 100.
        assert!((0.025..=0.075).contains(&each), "{values}: {each}");
        assert!(any <= 0.075, "{values}: {any}");
    }
}

/// The same for many more samples and sizes; takes minutes.
#[test]
#[ignore = "takes minutes: run by hand, with --nocapture, after a change to areas"]
fn equal_curves_in_many_samples() {
    for values in [2, 3, 5, 20, 1_000] {
        for groups_of in [&[30, 60][..], &[100, 2_000], &[2_000, 2_100], &[100, 120, 140, 160]] {
            for families in [false, true] {
                let [each, any] = called_present(1_000, groups_of, values, families);
                assert!(each <= 0.075 && any <= 0.075);
            }
        }
    }
}
