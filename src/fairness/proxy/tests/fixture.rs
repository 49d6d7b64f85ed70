//! What scikit-learn, scipy and fairlearn say of the same cases (`tests/fixtures/make_proxy.py`).

use serde::Deserialize;

use super::super::separation::{Levels, Separation, simultaneous_z};
use super::*;
use crate::evaluate::ranking::ranking;
use crate::evaluate::{Capacity, Cases};
use crate::fairness::audit::AuditParams;
use crate::fairness::proxy::TermDirection;
use crate::stats::{Bootstrap, Estimate};

#[derive(Deserialize)]
struct Fixture {
    z: Vec<(usize, f64)>,
    separating: Vec<f64>,
    member: Vec<bool>,
    auc: f64,
    delong: f64,
    capacity: u32,
    group: Vec<String>,
    log_odds: Vec<f64>,
    outcome: Vec<bool>,
    contributions: Vec<(Vec<String>, Vec<f64>)>,
    ranking: [f64; 3],
    gaps: Vec<[f64; 3]>,
    without: Vec<(String, [f64; 3], Vec<[f64; 3]>)>,
    carriers: (Vec<Vec<f64>>, Vec<f64>),
}

impl Fixture {
    fn load() -> Self {
        serde_json::from_str(include_str!("../../../../tests/fixtures/proxy.json")).unwrap()
    }

    fn scores(&self) -> AdditiveScores {
        let rows = self.log_odds.len();
        AdditiveScores {
            cases: Cases {
                log_odds: self.log_odds.clone(),
                outcomes: self.outcome.clone(),
                families: (0..rows as u32).collect(),
                dates: vec!["2024-04-01".parse().unwrap(); rows],
                ..Cases::default()
            },
            contributions: self.contributions.clone(),
            capacity: Capacity::Cases(self.capacity),
        }
    }

    fn groups(&self) -> Vec<Option<&str>> {
        self.group.iter().map(|group| Some(group.as_str())).collect()
    }
}

#[track_caller]
fn close(ours: f64, theirs: f64) {
    assert!((ours - theirs).abs() < 1e-9, "{ours} is not {theirs}");
}

#[test]
fn areas_and_normal_points_are_those_of_other_programs() {
    let fixture = Fixture::load();
    for &(comparisons, z) in &fixture.z {
        assert!((simultaneous_z(comparisons) / z - 1.0).abs() < 2e-9, "{comparisons}");
    }
    let rows = fixture.member.len();
    let levels = Levels::of_scores(&fixture.separating);
    let clusters = Clusters::new(&(0..rows as u32).collect::<Vec<_>>());
    let found = Separation::of(&levels, &fixture.member, &clusters).unwrap();
    close(found.auc, fixture.auc);
    // DeLong's divides by one less in each of the two groups, ours by one less family.
    let interval = found.within(1e-3);
    let ours = (interval.high - interval.low) / 2e-3;
    assert!((ours / fixture.delong - 1.0).abs() < 0.005, "{ours} {}", fixture.delong);
}

#[test]
fn leaving_features_out_gives_the_figures_of_scikit_learn_and_fairlearn() {
    let fixture = Fixture::load();
    let groups = fixture.groups();
    let asked = [Characteristic::Held { name: "area", groups: &groups }];
    let bootstrap = Bootstrap { resamples: 199, seed: 1 };
    // Figures, and not what is withheld: of the smallest group seven are listed, some with the outcome and some without.
    let params = AuditParams { minimum: 1, ..AuditParams::at_release() };
    let report = AblationReport::measure(&fixture.scores(), &asked, &bootstrap, &params).unwrap();
    let of_ranking = |ranking: &RankingFigures| {
        [ranking.auc, ranking.average_precision, ranking.outcome_share].map(|figure| figure.unwrap())
    };
    for (ours, theirs) in of_ranking(&report.ranking).iter().zip(fixture.ranking) {
        close(ours.value, theirs);
        assert!(ours.interval.low < ours.value && ours.value < ours.interval.high);
    }
    let of_gap = |gap: &GroupGap| {
        [gap.selection_rate, gap.true_positive_rate, gap.false_positive_rate].map(|rate| rate.unwrap().value)
    };
    for (ours, theirs) in report.gaps.iter().zip(&fixture.gaps) {
        of_gap(ours).iter().zip(theirs).for_each(|(&ours, &theirs)| close(ours, theirs));
    }
    assert_eq!((report.features.len(), fixture.without.len()), (3, 3));
    for (feature, ranking, gaps) in &fixture.without {
        let found = report.feature(feature).unwrap();
        assert_eq!(found.terms.len(), if feature == "age" { 1 } else { 2 });
        for ((ours, then), now) in of_ranking(&found.ranking).iter().zip(ranking).zip(fixture.ranking) {
            close(ours.value, then - now);
        }
        for ((ours, then), now) in found.gaps.iter().zip(gaps).zip(&fixture.gaps) {
            let ours = [ours.selection_rate, ours.true_positive_rate, ours.false_positive_rate];
            for ((ours, then), now) in ours.iter().zip(then).zip(now) {
                let ours = ours.unwrap();
                close(ours.value, then - now);
                assert!(ours.interval.low <= ours.value && ours.value <= ours.interval.high);
            }
        }
    }
    // Police puts group b on the list: without it, clearly less of the difference is left.
    let change = report.feature("police").unwrap().gaps[1].selection_rate.unwrap();
    assert!(report.gaps[1].selection_rate.unwrap().interval.low > 0.0 && change.interval.high < 0.0);
    assert!(report.feature("police").unwrap().ranking.auc.unwrap().interval.high < 0.0);
    assert!(report.to_string().contains("(the model as it is)"));
}

#[test]
fn rates_that_give_few_away_are_withheld_and_so_is_what_they_would_follow_from() {
    let fixture = Fixture::load();
    let groups = fixture.groups();
    let asked = [Characteristic::Held { name: "area", groups: &groups }];
    let bootstrap = Bootstrap { resamples: 99, seed: 1 };
    let params = AuditParams { minimum: 5, ..AuditParams::at_release() };
    let report = AblationReport::measure(&fixture.scores(), &asked, &bootstrap, &params).unwrap();
    let is_told = |rate: Option<Estimate>| rate.is_some();
    let told = report.gaps.iter().map(|gap| {
        let rates = [gap.selection_rate, gap.true_positive_rate, gap.false_positive_rate].map(is_told);
        assert!(rates == [true; 3] || rates == [false; 3], "all of a group's rates, or none: {gap:?}");
        rates[0]
    });
    let told: Vec<bool> = told.collect();
    // Fewer than five of the smallest group are listed and had the outcome, or had it not; of three groups' rates with the totals
    // the third would follow, so another is withheld with it.
    assert!(told.iter().filter(|told| !**told).count() >= 2, "{told:?}");
    for feature in &report.features {
        let changes = feature.gaps.iter().map(|gap| gap.true_positive_rate.is_some());
        assert_eq!(changes.collect::<Vec<_>>(), told);
    }
}

#[test]
fn differences_are_split_into_terms_without_a_rest() {
    let fixture = Fixture::load();
    let groups = fixture.groups();
    let asked =
        [Characteristic::Held { name: "area", groups: &groups }, Characteristic::NotHeld { name: "faith" }];
    let report = CarrierReport::measure(&fixture.scores(), &asked, &AuditParams::at_release()).unwrap();
    for (nth, name) in ["a", "b", "c"].iter().enumerate() {
        let group = report.group("area", name).unwrap();
        close(group.difference.value, fixture.carriers.1[nth]);
        for ((on, _), theirs) in fixture.contributions.iter().zip(&fixture.carriers.0[nth]) {
            close(group.terms.iter().find(|term| term.on == *on).unwrap().difference.value, *theirs);
        }
        let sum: f64 = group.terms.iter().map(|term| term.difference.value).sum();
        close(sum + group.intercepts.value, group.difference.value);
    }
    assert_eq!(report.most_raising("area", "b").unwrap().on, ["police"]);
    assert_eq!(
        report.group("area", "c").unwrap().n,
        fixture.group.iter().filter(|g| *g == "c").count() as u64
    );
    let age = report.group("area", "c").unwrap().terms.iter().find(|term| term.on == ["age"]).unwrap();
    assert_eq!(age.verdict, TermDirection::Lower);
    assert_eq!(report.comparisons, [("area".to_owned(), 12)]);
    assert_eq!(report.not_measurable.len(), 1);
    let text = report.to_string();
    assert!(text.contains("raises the group's scores") && text.contains("faith: not measurable"), "{text}");
}

#[test]
fn lists_are_drawn_for_each_date_and_bad_scores_are_refused() {
    let fixture = Fixture::load();
    let mut scores = fixture.scores();
    let half = scores.cases.dates.len() / 2;
    scores.cases.dates[half..].fill("2025-04-01".parse().unwrap());
    // Everybody of the second date scores higher; still each date has its list.
    scores.cases.log_odds[half..].iter_mut().for_each(|score| *score += 50.0);
    let params = AuditParams::at_release();
    let bootstrap = Bootstrap { resamples: 39, seed: 1 };
    let report = AblationReport::measure(&scores, &[], &bootstrap, &params).unwrap();
    assert_eq!(report.listed, 2 * u64::from(fixture.capacity));
    let listed = scores.listed(&scores.cases.log_odds);
    assert_eq!(listed[..half].iter().filter(|&&listed| listed).count() as u32, fixture.capacity);

    let measure =
        |scores: &AdditiveScores| AblationReport::measure(scores, &[], &bootstrap, &params).unwrap_err();
    let mut bad = scores.clone();
    bad.contributions[0].1.pop();
    assert!(matches!(measure(&bad), EvaluateError::LengthMismatch { what, .. } if what.contains("police")));
    let mut bad = scores.clone();
    bad.cases.log_odds[7] = f64::NAN;
    assert_eq!(measure(&bad), EvaluateError::Score { row: 7 });
    let mut bad = scores.clone();
    bad.cases.families.fill(1);
    assert_eq!(measure(&bad), EvaluateError::OneFamily);
    let few = Bootstrap { resamples: 38, seed: 1 };
    assert!(AblationReport::measure(&scores, &[], &few, &params).is_err());
}

#[test]
fn a_group_that_nobody_lists_is_not_sure_to_stay_so() {
    let fixture = Fixture::load();
    let scores = fixture.scores();
    let listed = scores.listed(&scores.cases.log_odds);
    // Fifteen people who are on no list, and lose nothing with any feature.
    let lowest: Vec<usize> =
        ranking(&scores.cases.log_odds).into_iter().rev().take(15).map(|row| row as usize).collect();
    let groups: Vec<Option<&str>> =
        (0..listed.len()).map(|row| Some(if lowest.contains(&row) { "low" } else { "other" })).collect();
    let asked = [Characteristic::Held { name: "k", groups: &groups }];
    let bootstrap = Bootstrap { resamples: 99, seed: 1 };
    // That nobody of them is listed is not shown at the usual minimum.
    let held = AblationReport::measure(&scores, &asked, &bootstrap, &AuditParams::at_release()).unwrap();
    assert_eq!(held.gaps[0].selection_rate, None);
    assert_eq!(held.feature("age").unwrap().gaps[0].selection_rate, None);
    let params = AuditParams { minimum: 0, ..AuditParams::at_release() };
    let report = AblationReport::measure(&scores, &asked, &bootstrap, &params).unwrap();
    let gap = report.gaps[0].selection_rate.unwrap();
    // 0 of 15 against 15%: an interval that reaches up to a fifth, less 15 points.
    assert!(gap.interval.high > 0.0, "{gap}");
    let change = report.feature("age").unwrap().gaps[0].selection_rate.unwrap();
    assert!(change.interval.high - change.interval.low > 0.2, "{change}");
}
