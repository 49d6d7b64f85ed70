//! Any order of what people do with a recorded list, on both kinds of ledger, against a model in memory: what is refused and
//! why, what is counted afterwards, and that the ledger still leads to every checkpoint that was taken on the way. Between any
//! two steps the program may end, and a write may have been torn.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::Path;

use earlyhelp::calendar::{AsOf, Day};
use earlyhelp::ledger::{Checkpoint, Erasure, Ledger, LedgerError};
use earlyhelp::review::{Agreement, Reviewer, Step};
use earlyhelp::scoring::Request;
use proptest::collection::vec;
use proptest::prelude::*;

use crate::ledger_proof::{FILES, TOLD, copy};

/// Places on the list; one more than there are, so that some name no case.
const PLACES: u32 = 12;

#[derive(Debug, Clone)]
enum Act {
    /// A reviewer opens a case.
    Open(u32, u8),
    /// A reviewer decides about a case that they opened.
    Decide(u32, u8),
    /// The same, in place of the last decision.
    Again(u32, u8),
    /// The person in a place is taken out.
    Purge(u32),
    /// The model is taken out of use.
    Retire,
    /// A run is asked for and does not end.
    Start,
    /// Days go by.
    Later(u8),
    /// Somebody dates something before the last entry.
    Back,
    /// A checkpoint is taken and kept.
    Keep,
    /// The program ends; a write was torn after so many bytes.
    End(u16),
}

fn act() -> impl Strategy<Value = Act> {
    let case = || (1..=PLACES, 0_u8..2);
    prop_oneof![
        5 => case().prop_map(|(place, who)| Act::Open(place, who)),
        5 => case().prop_map(|(place, who)| Act::Decide(place, who)),
        2 => case().prop_map(|(place, who)| Act::Again(place, who)),
        1 => (1..=PLACES).prop_map(Act::Purge),
        1 => Just(Act::Retire),
        1 => Just(Act::Start),
        3 => (0_u8..9).prop_map(Act::Later),
        1 => Just(Act::Back),
        2 => Just(Act::Keep),
        2 => any::<u16>().prop_map(Act::End),
    ]
}

/// What a step came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Came {
    Done,
    NoPlace,
    Purged,
    NotOpened,
    Decided,
    NotTheLast,
    Retired,
    Expired,
    Earlier,
    Nobody,
}

impl Came {
    fn of(error: &LedgerError) -> Self {
        match error {
            LedgerError::NoPlace(_) => Self::NoPlace,
            LedgerError::Purged | LedgerError::NotListed => Self::Purged,
            LedgerError::NotOpened => Self::NotOpened,
            LedgerError::Decided { .. } => Self::Decided,
            LedgerError::NotTheLast(_) => Self::NotTheLast,
            LedgerError::Retired(_) => Self::Retired,
            LedgerError::Expired(_) => Self::Expired,
            LedgerError::Earlier { .. } => Self::Earlier,
            LedgerError::NobodyOfThatId => Self::Nobody,
            other => panic!("{other}"),
        }
    }
}

#[derive(Default, Clone)]
struct Case {
    /// The last day on which each reviewer opened it.
    opened: BTreeMap<u8, Day>,
    decided: bool,
    purged: bool,
}

/// What should be so.
struct Model {
    today: Day,
    expires: Day,
    retired: bool,
    cases: BTreeMap<u32, Case>,
    purges: u64,
    starts: u64,
}

impl Model {
    fn new() -> Self {
        let told = &*TOLD;
        let mut cases: BTreeMap<u32, Case> = (1..PLACES).map(|place| (place, Case::default())).collect();
        // As the ledger begins: see `TOLD`.
        for (place, on) in [(1, 1), (2, 2), (3, 3)] {
            let case = cases.get_mut(&place).unwrap();
            case.opened.insert(0, told.today + on);
            case.decided = place < 3;
        }
        Self { today: told.today + 3, expires: told.today + 31, retired: false, cases, purges: 0, starts: 0 }
    }

    /// Whether a case can be looked at, by the first of the reasons that are asked for.
    fn listed(&self, place: u32) -> Result<&Case, Came> {
        if self.retired {
            return Err(Came::Retired);
        }
        if self.today > self.expires {
            return Err(Came::Expired);
        }
        let case = self.cases.get(&place).ok_or(Came::NoPlace)?;
        if case.purged { Err(Came::Purged) } else { Ok(case) }
    }

    fn expect(&mut self, act: &Act) -> Came {
        let mut take = || -> Result<(), Came> {
            match *act {
                Act::Open(place, who) => {
                    self.listed(place)?;
                    let today = self.today;
                    self.cases.get_mut(&place).unwrap().opened.insert(who, today);
                }
                Act::Decide(place, who) | Act::Again(place, who) => {
                    let case = self.listed(place)?;
                    if !case.opened.contains_key(&who) {
                        return Err(Came::NotOpened);
                    }
                    match (case.decided, act) {
                        (true, Act::Decide(..)) => return Err(Came::Decided),
                        (false, Act::Again(..)) => return Err(Came::NotTheLast),
                        _ => {}
                    }
                    self.cases.get_mut(&place).unwrap().decided = true;
                }
                Act::Purge(place) => {
                    let case = self.cases.get_mut(&place).ok_or(Came::Nobody)?;
                    if case.purged {
                        return Err(Came::Nobody);
                    }
                    case.purged = true;
                    self.purges += 1;
                }
                Act::Retire => {
                    if self.retired {
                        return Err(Came::Retired);
                    }
                    self.retired = true;
                }
                Act::Start => {
                    if self.retired {
                        return Err(Came::Retired);
                    }
                    self.starts += 1;
                }
                Act::Later(days) => self.today = self.today + i32::from(days),
                Act::Back => return Err(Came::Earlier),
                Act::Keep | Act::End(_) => {}
            }
            Ok(())
        };
        take().err().unwrap_or(Came::Done)
    }
}

fn reviewer(who: u8) -> Reviewer {
    // The first is the one who opened cases before.
    Reviewer::new(if who == 0 { "C. Worker" } else { "D. Worker" }, "family worker")
}

/// The ids of the list's places.
fn entities() -> Vec<String> {
    let list: serde_json::Value = serde_json::from_str(&TOLD.list).unwrap();
    let entries = list["entries"].as_array().unwrap();
    entries.iter().map(|entry| entry["case"]["entity"].as_str().unwrap().to_owned()).collect()
}

/// What is done to the ledger.
struct Real<'p> {
    path: &'p Path,
    ledger: Ledger,
    kept: Vec<Checkpoint>,
    entities: Vec<String>,
    decisions: BTreeMap<u32, u64>,
}

impl Real<'_> {
    fn take(&mut self, act: &Act, today: Day) -> Came {
        match self.try_to(act, today) {
            Ok(()) => Came::Done,
            Err(error) => Came::of(&error),
        }
    }

    fn try_to(&mut self, act: &Act, today: Day) -> Result<(), LedgerError> {
        let told = &*TOLD;
        let run = told.run.as_str();
        match *act {
            Act::Open(place, who) => {
                self.ledger.open_case((run, place), reviewer(who), None, today).map(|_| ())
            }
            Act::Decide(place, who) | Act::Again(place, who) => {
                let case = self.ledger.opened_case((run, place), reviewer(who), today)?;
                let decision =
                    case.decide(Step::SeekInformation, Agreement::CannotTell, "To be asked", today).unwrap();
                let entry = if let Act::Decide(..) = act {
                    self.ledger.record_decision(&decision)?
                } else {
                    let last = self.decisions.get(&place).copied().unwrap_or(1);
                    self.ledger.supersede_decision(last, &decision)?
                };
                self.decisions.insert(place, entry);
                Ok(())
            }
            Act::Purge(place) => {
                let entity = self.entities.get(place as usize - 1).cloned();
                let erasure = Erasure {
                    entity: entity.unwrap_or_else(|| "nobody of this list".to_owned()),
                    by: "D. Officer".into(),
                    reason: "erasure".into(),
                    ..Erasure::default()
                };
                self.ledger.purge(&erasure, today).map(|_| ())
            }
            Act::Retire => self.ledger.retire(told.scorer.digest(), "A. Manager", "replaced", today),
            Act::Start => {
                let request = Request::new("B. Lead", &told.scorer.sign_off().purpose, today);
                self.ledger.start_run(&told.scorer, &request, AsOf::new(told.today), None).map(|_| ())
            }
            Act::Back => {
                // The day of the list, after which something happened.
                let draft = earlyhelp::ledger::Draft::new("a note of ours", told.today);
                self.ledger.append(vec![draft]).map(|_| ())
            }
            Act::Keep => {
                self.kept.push(self.ledger.checkpoint(today)?);
                Ok(())
            }
            Act::End(torn) => {
                let text = std::fs::read(self.path).unwrap();
                // As a write that was cut off leaves it: the beginning of a line, never all of it. The next writer mends
                // that before it writes, so that there is never one behind another.
                if self.path.extension().is_some_and(|ending| ending == "jsonl") && text.ends_with(b"\n") {
                    let last = text[..text.len() - 1].rsplit(|&byte| byte == b'\n').next().unwrap().to_vec();
                    let torn = usize::from(torn) % last.len();
                    let mut file = std::fs::OpenOptions::new().append(true).open(self.path).unwrap();
                    file.write_all(&last[..torn]).unwrap();
                }
                self.ledger = Ledger::open_existing(self.path)?;
                Ok(())
            }
            Act::Later(_) => Ok(()),
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn any_order_of_steps_comes_to_what_it_should(acts in vec(act(), 1..40)) {
        for name in FILES {
            let folder = tempfile::tempdir().unwrap();
            let path = copy(folder.path(), name);
            let ledger = Ledger::open_existing(&path).unwrap();
            let decided = ledger.entries(&earlyhelp::ledger::Filter::all().kind("decision")).unwrap();
            let decisions = (1..).zip(decided.iter().map(earlyhelp::ledger::LedgerEntry::seq)).collect();
            let mut real = Real { path: &path, ledger, kept: Vec::new(), entities: entities(), decisions };
            let mut model = Model::new();
            for (nth, act) in acts.iter().enumerate() {
                let expected = model.expect(act);
                let came = real.take(act, model.today);
                prop_assert_eq!(came, expected, "step {} of {}: {:?}", nth, name, act);
            }
            let ledger = Ledger::open_to_read(&path).unwrap();
            let found = ledger.verify(&real.kept).unwrap();
            prop_assert_eq!(found.finding, None);
            let account = ledger.account(None, 10, model.today).unwrap();
            let count = |is: fn(&Case) -> bool| model.cases.values().filter(|case| is(case)).count() as u64;
            let (opened, decided) = (
                account.alerts.opened + account.at_random.opened,
                account.alerts.decided + account.at_random.decided,
            );
            prop_assert_eq!(opened, count(|case| !case.opened.is_empty()));
            prop_assert_eq!(decided, count(|case| case.decided));
            prop_assert_eq!((account.purges, account.unfinished_runs), (model.purges, model.starts));
        }
    }
}
