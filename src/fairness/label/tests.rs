use super::*;
use crate::calendar::{AsOf, Horizon};
use crate::records::Selector;
use crate::stats::clustered_mean;

fn plan() -> OutcomeSpec {
    OutcomeSpec::any("plan", "A plan begins", [Selector::source("plans")], Horizon::Months(12))
}

/// 400 people, each a family: the first 300 in the east. In the east one in three is helped, in the west and
/// the north six people each are; of those helped half have the outcome, of the others one in ten.
struct People {
    cases: Cases,
    helped: Vec<bool>,
    groups: Vec<Option<&'static str>>,
}

impl People {
    fn new() -> Self {
        let helped: Vec<bool> =
            (0..400).map(|row| if row < 300 { row % 3 == 0 } else { row % 8 == 0 }).collect();
        Self {
            cases: Cases {
                log_odds: (0..400)
                    .map(|row| f64::from(row % 7) / 7.0 - if helped[row as usize] { 1.0 } else { 3.0 })
                    .collect(),
                outcomes: (0..400_usize)
                    .map(|row| if helped[row] { row % 2 == 0 } else { row % 10 == 1 })
                    .collect(),
                families: (0..400).collect(),
                dates: vec!["2024-04-01".parse().unwrap(); 400],
                ..Cases::default()
            },
            helped,
            groups: (0..400)
                .map(|row| {
                    Some(if row < 300 {
                        "east"
                    } else if row < 350 {
                        "west"
                    } else {
                        "north"
                    })
                })
                .collect(),
        }
    }

    /// Those in the east, and as many in the south who are like them: of neither anything is withheld for others' sake.
    fn of_two_areas() -> Self {
        let one = Self::new();
        let twice = |row: usize| row % 300;
        Self {
            cases: Cases {
                log_odds: (0..600).map(|row| one.cases.log_odds[twice(row)]).collect(),
                outcomes: (0..600).map(|row| one.cases.outcomes[twice(row)]).collect(),
                families: (0..600).collect(),
                dates: vec![one.cases.dates[0]; 600],
                ..Cases::default()
            },
            helped: (0..600).map(|row| one.helped[twice(row)]).collect(),
            groups: (0..600).map(|row| Some(if row < 300 { "east" } else { "south" })).collect(),
        }
    }

    fn cases<'a>(&'a self, referrals: Option<Referrals<'a>>) -> LabelCases<'a> {
        LabelCases { cases: &self.cases, helped: &self.helped, referrals }
    }

    fn report(&self, referrals: Option<Referrals<'_>>) -> LabelReport {
        let asked = [
            Characteristic::Held { name: "area", groups: &self.groups },
            Characteristic::NotHeld { name: "faith" },
        ];
        LabelReport::measure(&self.cases(referrals), &plan(), &asked, &AuditParams::at_release()).unwrap()
    }
}

#[test]
fn those_helped_stand_beside_those_not_helped() {
    let people = People::new();
    let report = people.report(None);
    let all = report.all.unwrap();
    assert_eq!((all.helped.n, all.not_helped.n), (112, 288));
    assert_eq!(all.helped_share, wilson(112, 400));
    // Of the twelve helped in the west and the north six have the outcome: all less the east would tell.
    let east = report.group("area", "east").unwrap();
    assert_eq!((east.helped.n, east.helped.positives, east.outcome_difference), (100, None, None));
    let (people, report) = (People::of_two_areas(), People::of_two_areas().report(None));
    let east = report.group("area", "east").unwrap();
    assert_eq!((east.helped.n, east.helped.positives), (100, Some(50)));
    assert_eq!(east.helped.outcome_rate, wilson(50, 100));
    let not: Vec<usize> = (0..300).filter(|row| row % 3 != 0).collect();
    let with = not.iter().filter(|&&row| row % 10 == 1).count() as u64;
    assert_eq!(east.not_helped.outcome_rate, wilson(with, 200));
    let scores: Vec<f64> = not.iter().map(|&row| people.cases.log_odds[row]).collect();
    assert_eq!(east.not_helped.mean_score, clustered_mean(&scores, &(0..200).collect::<Vec<_>>()));
    let difference = east.outcome_difference.unwrap();
    assert!((difference.value - (0.5 - with as f64 / 200.0)).abs() < 1e-12 && difference.interval.low > 0.2);
    let score = east.score_difference.unwrap();
    assert!((score.value - 2.0).abs() < 0.05 && score.n == 300, "{score}");
    assert_eq!(report.label.horizon, "12 months");
}

#[test]
fn a_group_with_few_helped_is_held_back_with_the_next_smallest() {
    let mut people = People::new();
    let report = people.report(None);
    // Six helped in each of west and north, fifty people each: large groups, but not both halves of them.
    assert_eq!(report.held_back, [("area".to_owned(), 2)]);
    let json = serde_json::to_string(&report).unwrap();
    for group in ["north", "west"] {
        assert!(report.group("area", group).is_none() && !json.contains(group), "{group}");
    }
    assert!(report.group("area", "east").is_some() && report.group("area", "west").is_none());
    let text = report.to_string();
    for told in ["held back", "faith: not measurable", "nobody has said", "not asked for"] {
        assert!(text.contains(told), "{told}: {text}");
    }
    // Four helped in the two together: everybody less the east would give them away.
    for row in 300..400 {
        people.helped[row] = row % 25 == 0;
    }
    assert_eq!(people.report(None).held_back[0].1, 3);
    // Nobody helped at all: nothing to compare, and that is not a rate of zero.
    people.helped.fill(false);
    let report = people.report(None);
    assert_eq!((report.all, report.groups.len()), (None, 0));
}

#[test]
fn a_small_number_with_the_outcome_is_told_nowhere() {
    let with = |number: usize| {
        let mut people = People::of_two_areas();
        let helped: Vec<usize> = (0..600).filter(|&row| people.helped[row]).collect();
        for (nth, row) in helped.into_iter().enumerate() {
            people.cases.outcomes[row] = nth % 100 < number;
        }
        people.report(None)
    };
    // Of the hundred in the east who were helped, and all or none or ten of whom had the outcome, it is said.
    for number in [0, 10, 90, 100] {
        let report = with(number);
        assert_eq!(report.group("area", "east").unwrap().helped.positives, Some(number as u64));
    }
    for number in [1, 9, 91, 99] {
        let report = with(number);
        let east = report.group("area", "east").unwrap();
        assert_eq!((east.helped.n, east.helped_share), (100, wilson(100, 300)));
        // Nor of those not helped: an audit gives both together.
        for side in [east.helped, east.not_helped] {
            assert_eq!((side.positives, side.outcome_rate), (None, None), "{number}");
        }
        assert_eq!(east.outcome_difference, None);
    }
    // The same of a source of referrals, and with it of the others, by which it could be worked out.
    let mut people = People::new();
    let sources: Vec<Option<&str>> = (0..400).map(|row| (row < 60).then_some("school")).collect();
    for row in 0..60 {
        people.cases.outcomes[row] = row < 9;
    }
    let report = people.report(Some(Referrals { sources: &sources, from_model: &[] })).referrals.unwrap();
    assert!(report.sources.iter().all(|held| held.cases.unwrap().positives.is_none()));
}

#[test]
fn a_closed_loop_is_said_aloud() {
    let people = People::new();
    let report = |source: &dyn Fn(usize) -> Option<&'static str>| {
        let sources: Vec<Option<&str>> = (0..400).map(source).collect();
        people.report(Some(Referrals { sources: &sources, from_model: &["list"] })).referrals.unwrap()
    };
    let closed = report(&|row| (row < 40).then_some("list"));
    assert_eq!(
        (closed.closed_loop, closed.from_model, closed.referred),
        (ClosedLoop::Closed, wilson(40, 40), 40)
    );
    assert_eq!(closed.sources.len(), 2);
    assert_eq!(closed.sources[1].cases.unwrap().n, 360);
    let of = |model: usize| report(&|row| (row < 100).then_some(if row < model { "list" } else { "school" }));
    assert_eq!(of(70).closed_loop, ClosedLoop::Mostly);
    assert_eq!((of(50).closed_loop, of(50).from_model), (ClosedLoop::Partly, wilson(50, 100)));
    assert_eq!((of(0).closed_loop, of(0).from_model), (ClosedLoop::Open, wilson(0, 100)));
    // Three from the list: not counted out, and the next source goes with them.
    let few = of(3);
    assert_eq!((few.closed_loop, few.from_model), (ClosedLoop::Partly, None));
    let held: Vec<bool> = few.sources.iter().map(|source| source.cases.is_none()).collect();
    assert_eq!(held, [true, true, false]);
    assert_eq!(report(&|row| (row < 9).then_some("list")).closed_loop, ClosedLoop::CannotTell);
    let school = of(50).sources.into_iter().find(|held| held.source.as_deref() == Some("school")).unwrap();
    let with = (50..100).filter(|&row| people.cases.outcomes[row]).count() as u64;
    assert_eq!(school.cases.unwrap().outcome_rate, wilson(with, 50));
    // Seven of the thirty whom the school referred have it.
    let few = of(70).sources.into_iter().find(|held| held.source.as_deref() == Some("school")).unwrap();
    assert_eq!((few.cases.unwrap().n, few.cases.unwrap().positives), (30, None));
    assert!(!school.from_model);
}

#[test]
fn what_does_not_fit_is_refused() {
    let people = People::new();
    let measure = |cases: &LabelCases<'_>| {
        LabelReport::measure(cases, &plan(), &[], &AuditParams::at_release()).unwrap_err()
    };
    let short = LabelCases { helped: &people.helped[1..], ..people.cases(None) };
    assert!(matches!(measure(&short), EvaluateError::LengthMismatch { what, .. } if what == "helped"));
    let none = LabelCases { cases: &Cases::default(), helped: &[], referrals: None };
    assert_eq!(measure(&none), EvaluateError::Empty);
    let mut cases = people.cases.clone();
    cases.log_odds[3] = f64::INFINITY;
    assert_eq!(measure(&LabelCases { cases: &cases, ..people.cases(None) }), EvaluateError::Score { row: 3 });
    let sources = [Some("list")];
    let referrals = Some(Referrals { sources: &sources, from_model: &[] });
    assert!(matches!(measure(&people.cases(referrals)), EvaluateError::LengthMismatch { .. }));
}

#[test]
fn referrals_are_read_from_records_and_the_first_source_counts() {
    use crate::cohort::CohortSpec;
    use crate::records::{Coverage, Extract, Records, SourceMapping};
    let contacts = polars::df!(
        "who" => ["a", "b", "b", "c", "d", "e"],
        "what" => ["school", "list", "school", "list", "school", "police"],
        "on" => ["2024-04-10", "2024-04-02", "2024-05-01", "2024-06-29", "2024-03-31", "2024-04-05"],
    )
    .unwrap();
    let complete = Coverage { to: Some("2024-07-01".parse().unwrap()), ..Coverage::default() };
    let mut mapping = SourceMapping::new("contacts", "who", "contact", "on").coverage(complete);
    mapping.columns.kind = crate::records::Kind::Column("what".into());
    let records = Records::builder().source(mapping, Extract::frame(contacts)).build().unwrap();
    let as_of: AsOf = "2024-04-01".parse().unwrap();
    let cohort = CohortSpec::default().choose(&records.as_of(as_of)).unwrap();
    let source = |name: &str, from_model: bool| ReferralSource {
        name: name.to_owned(),
        records: vec![Selector::source("contacts").kind(name)],
        from_model,
    };
    let sources = [source("school", false), source("list", true)];
    let cohort = std::slice::from_ref(&cohort);
    let referred = Referred::within(cohort, &sources, Horizon::Days(90)).unwrap();
    let cases = ["a", "b", "c", "d", "e"].map(|who| (as_of, who));
    // The school's contact about d came before the date; the police are no source that is asked about.
    let found = [Some("school"), Some("school"), Some("list"), None, None];
    assert_eq!(referred.sources(&cases), Some(found.to_vec()));
    assert_eq!(referred.from_model(), ["list"]);
    assert_eq!(referred.sources(&[("2023-04-01".parse().unwrap(), "a")]), None);
    let other = [source("list", true), source("school", false)];
    let other = Referred::within(cohort, &other, Horizon::Days(90)).unwrap();
    assert_eq!(other.sources(&cases[1..2]), Some(vec![Some("list")]));
    let twice = [source("school", false), source("school", true)];
    assert!(Referred::within(cohort, &twice, Horizon::Days(90)).is_err());
    assert!(Referred::within(cohort, &sources, Horizon::Days(100)).is_err(), "beyond the extract");
}

#[test]
fn help_is_read_as_an_outcome_is() {
    use crate::cohort::CohortSpec;
    use crate::records::{Coverage, Extract, Records, SourceMapping};
    let visits = polars::df!(
        "who" => ["a", "b", "b", "c", "d"],
        "on" => ["2024-03-31", "2023-01-01", "2024-04-01", "2024-06-29", "2024-06-30"],
    )
    .unwrap();
    let complete = Coverage { to: Some("2024-07-01".parse().unwrap()), ..Coverage::default() };
    let mapping = SourceMapping::new("support", "who", "visit", "on").coverage(complete);
    let records = Records::builder().source(mapping, Extract::frame(visits)).build().unwrap();
    let as_of: AsOf = "2024-04-01".parse().unwrap();
    let cohort = CohortSpec::default().choose(&records.as_of(as_of)).unwrap();
    let support = [Selector::source("support")];
    let helped = Helped::within(std::slice::from_ref(&cohort), &support, Horizon::Days(90)).unwrap();
    let cases = [(as_of, "a"), (as_of, "b"), (as_of, "c"), (as_of, "d")];
    // From the date itself on, and up to the 90th day, which is no longer in it.
    assert_eq!(helped.mask(&cases), Some(vec![false, true, true, false]));
    assert_eq!(helped.mask(&[("2023-04-01".parse().unwrap(), "b")]), None);
    assert!(!format!("{helped:?}").contains("\"b\""));
    // Beyond the end of the extract nobody can be said not to have been helped.
    assert!(Helped::within(&[cohort], &support, Horizon::Days(100)).is_err());
}
