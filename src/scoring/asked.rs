//! One person or family that somebody asks about, apart from any list.

use std::sync::Arc;

use serde::Serialize;
use sha2::{Digest as _, Sha256};

use super::abstention::{Gate, WhyNot};
use super::case::ScoredCase;
use super::provenance::{Provenance, ScoredTable, SourceState};
use super::release::Scorer;
use super::request::{Found, Request};
use super::scores::Scores;
use crate::calendar::AsOf;
use crate::cohort::{Cohort, NotInCohort};
use crate::error::ScoringError;
use crate::features::{Cell, FeatureMatrix, Scope};
use crate::held::Held;
use crate::known_to::{self, KnownTo};
use crate::records::Snapshot;
use crate::words;

/// What a released model says of one person or family that somebody asked about: the very score and reasons that a list of the
/// same date would give, or why there is none. It has no rank: who is asked about is not compared with anybody. It is no
/// alert, either: [`Ledger::record_asked`](crate::ledger::Ledger::record_asked) puts it on record as what it is.
///
/// # Examples
/// ```
/// use earlyhelp::records::Snapshot;
/// use earlyhelp::scoring::{Answer, Request, Scorer};
///
/// fn say(scorer: &Scorer, today: &Snapshot<'_>, id: &str, request: &Request) -> earlyhelp::Result<()> {
///     let asked = scorer.score_one(today, id, request)?;
///     match asked.answer() {
///         Answer::Scored(case) => {
///             for reason in case.contributions().iter().take(3) {
///                 println!("{:+.2}  {}", reason.log_odds, reason.words);
///             }
///         }
///         Answer::NotScored(why) => println!("{}", why.words()),
///         Answer::NotInCohort(why) => println!("{}", why.words()),
///         _ => {}
///     }
///     Ok(())
/// }
/// ```
#[derive(Clone, PartialEq, Serialize)]
pub struct Asked {
    entity: String,
    #[serde(flatten)]
    said: Said,
    /// What the model's features say; none where the case is not in the cohort.
    #[serde(skip)]
    cells: Vec<Cell>,
}

/// What is said, with where it comes from: a case has that itself.
#[derive(Clone, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
enum Said {
    Scored(Box<ScoredCase>),
    #[serde(untagged)]
    NotScored {
        #[serde(rename = "not_scored")]
        why: WhyNot,
        #[serde(rename = "audit")]
        provenance: Box<Provenance>,
    },
    #[serde(untagged)]
    NotInCohort {
        #[serde(rename = "not_in_cohort")]
        why: NotInCohort,
        #[serde(rename = "audit")]
        provenance: Box<Provenance>,
    },
}

/// The score with its explanation, or why there is none.
#[derive(Clone, Copy, PartialEq)]
#[non_exhaustive]
pub enum Answer<'a> {
    /// The case, whole.
    Scored(&'a ScoredCase),
    /// The model is for such cases, and too little is known, or too much that training never saw.
    NotScored(&'a WhyNot),
    /// The model is not for such cases.
    NotInCohort(NotInCohort),
}

crate::opaque_debug!(Asked);
crate::opaque_debug!(Answer<'_>);

impl Asked {
    /// The pseudonymous id.
    #[must_use]
    pub fn entity(&self) -> &str {
        &self.entity
    }

    /// What the model says.
    #[must_use]
    pub fn answer(&self) -> Answer<'_> {
        match &self.said {
            Said::Scored(case) => Answer::Scored(case),
            Said::NotScored { why, .. } => Answer::NotScored(why),
            Said::NotInCohort { why, .. } => Answer::NotInCohort(*why),
        }
    }

    /// The case; `None` where it is not scored.
    #[must_use]
    pub fn case(&self) -> Option<&ScoredCase> {
        match &self.said {
            Said::Scored(case) => Some(case),
            Said::NotScored { .. } | Said::NotInCohort { .. } => None,
        }
    }

    /// Where the answer comes from. Its [`run_id`](Provenance::run_id) is of the model, the date, the request and the id.
    #[must_use]
    pub fn provenance(&self) -> &Provenance {
        match &self.said {
            Said::Scored(case) => case.provenance(),
            Said::NotScored { provenance, .. } | Said::NotInCohort { provenance, .. } => provenance,
        }
    }

    /// The day of its own that the case was seen on.
    pub(crate) fn own_day(&self) -> Option<AsOf> {
        self.case().and_then(ScoredCase::own_day)
    }

    /// What the model's features say, in their order.
    pub(crate) fn cells(&self) -> &[Cell] {
        &self.cells
    }
}

/// A released model and the records as they were known on a date, ready to be asked about one person after another: what the
/// records say whoever is asked about is looked at once.
///
/// # Examples
/// ```
/// use std::sync::Arc;
/// use earlyhelp::calendar::AsOf;
/// use earlyhelp::records::Records;
/// use earlyhelp::scoring::{Asking, Scorer};
///
/// /// What a service holds, for all its threads.
/// fn ready(scorer: &Arc<Scorer>, records: &Arc<Records>, as_of: AsOf) -> Asking<'static, 'static> {
///     scorer.asking_shared(&records.as_of_shared(as_of))
/// }
/// ```
pub struct Asking<'s, 'r> {
    scorer: Held<'s, Scorer>,
    snapshot: Snapshot<'r>,
    found: Found,
    known_to: Vec<KnownTo>,
    /// Where the records come from, where they are of those asked about alone.
    given: Option<String>,
}

crate::opaque_debug!(Asking<'_, '_>);

impl Scorer {
    /// Scores one person or family of the records as they were known on a date. For several, [`Scorer::asking`] looks at the
    /// records once.
    ///
    /// # Errors
    /// As [`Scorer::score`].
    pub fn score_one(
        &self,
        snapshot: &Snapshot<'_>,
        entity: &str,
        request: &Request,
    ) -> Result<Asked, ScoringError> {
        self.asking(snapshot).one(entity, request)
    }

    /// Makes ready for questions about one person or family after another.
    #[must_use]
    pub fn asking<'r>(&self, snapshot: &Snapshot<'r>) -> Asking<'_, 'r> {
        Asking::of(Held::Lent(self), snapshot.clone())
    }

    /// The same for records that came with a question: of the people asked about and their households, and of nobody else. So
    /// nothing is seen of whether whole sources are what they were when the model was trained; that this was so, and the words of
    /// `origin` for where the records come from, stand in each answer's [`given`](Provenance::given).
    ///
    /// # Errors
    /// [`ScoringError::Request`] where `origin` is blank.
    ///
    /// # Examples
    /// ```
    /// use earlyhelp::calendar::AsOf;
    /// use earlyhelp::project::Project;
    /// use earlyhelp::records::Extract;
    /// use earlyhelp::scoring::{Asked, Request, Scorer};
    ///
    /// #[derive(serde::Serialize)]
    /// struct Person { person_id: String, born: String }
    ///
    /// fn one(project: &Project, scorer: &Scorer, as_of: AsOf, request: &Request) -> earlyhelp::Result<Asked> {
    ///     let people = [Person { person_id: "P1".into(), born: "2012-05-01".into() }];
    ///     // Every table: of those that the program holds nothing of, none.
    ///     let records = project.records_from(|table| {
    ///         Some(if table == "people" { Extract::rows(&people) } else { Extract::rows([(); 0]) })
    ///     })?;
    ///     Ok(scorer.asking_given(&records.as_of(as_of), "the case system")?.one("P1", request)?)
    /// }
    /// ```
    pub fn asking_given<'r>(
        &self,
        snapshot: &Snapshot<'r>,
        origin: &str,
    ) -> Result<Asking<'_, 'r>, ScoringError> {
        if words::is_blank(origin) {
            return Err(ScoringError::Request("it is not said where the records come from".to_owned()));
        }
        let (found, given) = (Self::found_of_few(snapshot), Some(origin.to_owned()));
        Ok(Asking {
            scorer: Held::Lent(self),
            snapshot: snapshot.clone(),
            found,
            known_to: Vec::new(),
            given,
        })
    }

    /// The same where model and records are shared: it can be kept, and asked by several threads.
    #[must_use]
    pub fn asking_shared(self: &Arc<Self>, snapshot: &Snapshot<'static>) -> Asking<'static, 'static> {
        Asking::held(self, snapshot.clone())
    }
}

impl<'r> Asking<'static, 'r> {
    /// Of a model that is shared and records that are lent.
    pub(crate) fn held(scorer: &Arc<Scorer>, snapshot: Snapshot<'r>) -> Self {
        Self::of(Held::Shared(Arc::clone(scorer)), snapshot)
    }
}

impl<'s, 'r> Asking<'s, 'r> {
    fn of(scorer: Held<'s, Scorer>, snapshot: Snapshot<'r>) -> Self {
        let found = scorer.found(&snapshot);
        Self { scorer, snapshot, found, known_to: Vec::new(), given: None }
    }

    /// Marks each case with what services it is known to already, as [`Scores::known_to`] does.
    ///
    /// # Errors
    /// [`ScoringError::Spec`] where `to` cannot be told from records.
    pub fn known_to(mut self, to: &[KnownTo]) -> Result<Self, ScoringError> {
        known_to::check_all(to)?;
        self.known_to = to.to_vec();
        if self.given.is_some() {
            // Of a few people alone there may well be no record of a service.
            self.known_to
                .iter_mut()
                .flat_map(|known| &mut known.records)
                .for_each(|chosen| chosen.optional = true);
        }
        Ok(self)
    }

    /// What each source said on the date.
    pub(crate) fn sources(&self) -> &[SourceState] {
        &self.found.sources
    }

    /// The model.
    #[must_use]
    pub fn scorer(&self) -> &Scorer {
        &self.scorer
    }

    /// The records as they were known on the date.
    #[must_use]
    pub fn snapshot(&self) -> &Snapshot<'r> {
        &self.snapshot
    }

    /// Scores one person or family.
    ///
    /// # Errors
    /// As [`Scorer::score`].
    pub fn one(&self, entity: &str, request: &Request) -> Result<Asked, ScoringError> {
        let rules = self.scorer.candidate().cohort();
        self.scorer.check(rules, (&self.snapshot, Some(&self.found)), request)?;
        match rules.choose_one(&self.snapshot, entity)? {
            Ok(cohort) => self.of_cohort(&cohort, entity, request),
            Err(why) => {
                let (as_of, stated) = (self.snapshot.as_of(), self.found.stated(request)?);
                let mut provenance = self.scorer.provenance(as_of, request, stated, None);
                provenance.given.clone_from(&self.given);
                provenance.name_run(Some(&entity));
                let entity = entity.to_owned();
                let said = Said::NotInCohort { why, provenance: Box::new(provenance) };
                Ok(Asked { entity, said, cells: Vec::new() })
            }
        }
    }

    fn of_cohort(&self, cohort: &Cohort<'r>, entity: &str, request: &Request) -> Result<Asked, ScoringError> {
        let features = |cohort: &Cohort<'r>| self.scorer.candidate().features().compute(cohort);
        let scorer = Held::Lent(&*self.scorer);
        let mut scores = Scores::of(scorer, (cohort, Some(&self.found)), request, features, None)?
            .known_to(&self.known_to)?;
        scores.name_after(entity, self.given.as_deref());
        let said = match scores.not_scored().first() {
            Some(case) => Said::NotScored {
                why: case.reason().clone(),
                provenance: Box::new(scores.provenance().clone()),
            },
            None => Said::Scored(Box::new(scores.case_of_row(0)?)),
        };
        Ok(Asked { entity: entity.to_owned(), said, cells: scores.cells_of(0) })
    }
}

impl Scorer {
    /// Scores features that were computed elsewhere, for instance by an engine from the texts of [`sql`](crate::sql), with the
    /// guards of any other scoring that need no records: who asks, for what, on which days, and when too little is known or a value
    /// lies outside what training saw. **It cannot see** whether sources changed since training or are out of date, whether the
    /// features are those of the records, and who belongs to the model's cohort: `origin`, the words that say where the features
    /// come from, stands in each answer's [`table`](Provenance::table), and reasons have no records behind them. A household counts
    /// as known where some feature of it has a value.
    ///
    /// - `ids`: a pseudonymous id for each row of the matrix, each once.
    /// - `matrix`: the model's features, in the model's order. A value that a measure cannot have, such as an age below 0, is refused.
    ///
    /// For a list, whose every case is computed again from its records, see [`Texts::scores`](crate::sql::Texts::scores).
    ///
    /// # Errors
    /// [`ScoringError::Request`] where there is no id for each row, one is there twice, a value is none that the feature can have, or `origin` is blank; where the request is
    /// refused as in [`Scorer::score`]; [`ScoringError::Model`] where the features are not the model's.
    ///
    /// # Examples
    /// ```
    /// use earlyhelp::calendar::AsOf;
    /// use earlyhelp::features::{Cell, FeatureMatrix};
    /// use earlyhelp::scoring::{Asked, Request, Scorer};
    ///
    /// fn one(scorer: &Scorer, cells: Vec<Cell>, as_of: AsOf, request: &Request) -> earlyhelp::Result<Vec<Asked>> {
    ///     let names = scorer.candidate().model().features().to_vec();
    ///     let columns: Vec<Vec<Cell>> = cells.into_iter().map(|cell| vec![cell]).collect();
    ///     let matrix = FeatureMatrix::from_cells(names, 1, &columns).expect("a column a feature");
    ///     Ok(scorer.score_matrix(&["P-0001"], &matrix, as_of, "the nightly job of the warehouse", request)?)
    /// }
    /// ```
    pub fn score_matrix<S: AsRef<str>>(
        &self,
        ids: &[S],
        matrix: &FeatureMatrix,
        as_of: AsOf,
        origin: &str,
        request: &Request,
    ) -> Result<Vec<Asked>, ScoringError> {
        let wrong = |why: &str| Err(ScoringError::Request(why.to_owned()));
        if words::is_blank(&request.requested_by) {
            return wrong("nobody is named who asks for the scores");
        }
        if words::is_blank(origin) {
            return wrong("it is not said where the features come from");
        }
        self.check_request(self.candidate().cohort(), as_of, request)?;
        let mut met = hashbrown::HashSet::new();
        let mut named = ids.iter().map(AsRef::as_ref);
        if ids.len() != matrix.rows() || !named.all(|id| !words::is_blank(id) && met.insert(id)) {
            return wrong("there is to be an id for each row of the matrix, each once");
        }
        let model = self.candidate().model();
        let log_odds = model.log_odds(matrix)?;
        self.check_values(matrix)?;
        let gate = Gate::new(self.candidate(), (as_of, |_| None), request.abstention);
        let features = self.candidate().features().features();
        let mut answers = Vec::with_capacity(ids.len());
        for (row, id) in ids.iter().enumerate() {
            let entity = id.as_ref().to_owned();
            let cells: Vec<Cell> = (0..features.len()).map(|place| matrix.cell(row, place)).collect();
            let of_household = || {
                features
                    .iter()
                    .zip(&cells)
                    .any(|(feature, cell)| feature.scope == Scope::Household && cell.value().is_some())
            };
            let mut provenance = self.provenance(as_of, request, (Vec::new(), Vec::new()), None);
            provenance.table =
                Some(ScoredTable { dialect: origin.to_owned(), digest: digest_of(&cells), recomputed: 0 });
            provenance.name_run(Some(&entity));
            let said = if let Some(why) = gate.refuses(matrix, row, of_household) {
                Said::NotScored { why, provenance: Box::new(provenance) }
            } else {
                let again = self.explain_again(&cells, as_of, |_| 0)?;
                debug_assert_eq!(again.band, self.band(log_odds[row]));
                Said::Scored(Box::new(ScoredCase {
                    entity: entity.clone(),
                    seen_on: None,
                    band: again.band,
                    chance: again.chance,
                    score: model.explain(matrix, row)?.score(),
                    average: again.average,
                    contributions: again.contributions,
                    absent: again.absent,
                    cannot_see: self.cannot_see(self.candidate().cohort().own_day.is_some(), as_of),
                    known_to: Vec::new(),
                    provenance,
                }))
            };
            answers.push(Asked { entity, said, cells });
        }
        Ok(answers)
    }

    /// Refuses values that no records could have made.
    fn check_values(&self, matrix: &FeatureMatrix) -> Result<(), ScoringError> {
        for (place, feature) in self.candidate().features().features().iter().enumerate() {
            let cannot = |cell: Cell| cell.value().is_some_and(|value| !feature.measure.can_be(value));
            if let Some(row) = matrix.column(place).position(cannot) {
                return Err(ScoringError::Request(format!(
                    "row {row} (counted from 0) has a value of the feature \"{}\" that it cannot have",
                    feature.name
                )));
            }
        }
        Ok(())
    }
}

/// SHA-256 over what a case's features say.
fn digest_of(cells: &[Cell]) -> String {
    let mut hash = Sha256::new();
    for cell in cells {
        hash.update(cell.encode().to_bits().to_le_bytes());
    }
    hex::encode(hash.finalize())
}
