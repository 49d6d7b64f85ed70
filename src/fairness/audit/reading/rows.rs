//! Rows on their way into a table: audited, set apart, or rejected; none is lost.

use hashbrown::HashMap;

use super::cell::{Cell, Score};
use super::columns::ScoreColumns;
use super::intake::{LoneScore, OutcomeJump, ScoreIntake};
use crate::calendar::Day;
use crate::error::ScoresError;
use crate::fairness::audit::table::{ScoreTable, folded};
use crate::records::{Batch, Column, DateForm, DatesRead, OrderFault, Reject, RejectReason};

/// The most cases that a table of counts may stand for. Each takes some twenty bytes, and a mistyped count should not
/// fill a computer's memory.
const MOST_CASES: u64 = 100_000_000;

/// Under which a table of scores stands among the rejects.
pub(super) const SOURCE: &str = "scores";

/// Where the columns stand among those that are read.
#[derive(Default)]
struct Places {
    score: Option<usize>,
    outcome: Option<usize>,
    predicted: Option<usize>,
    against: Option<usize>,
    weight: Option<usize>,
    count: Option<usize>,
    confusion: Option<[usize; 4]>,
    scored_on: Option<usize>,
    arm: Option<usize>,
    cluster: Option<usize>,
    person: Option<usize>,
    groups: Vec<usize>,
}

/// Why a row is not audited: the column at fault by its place, and what is wrong with it.
type Fault = (Option<usize>, RejectReason);

/// What becomes of a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fate {
    Audited,
    Unresolved,
    NotFollowed,
    NotRandom,
    Rejected,
}

/// What a row says of its cases.
#[derive(Debug, Clone, Copy, Default)]
struct Said {
    score: f64,
    outcome: bool,
    predicted: bool,
    usual: bool,
    weight: f64,
}

/// Yes or no, and what was met on the way that makes it doubtful.
#[derive(Default)]
struct Coded {
    two: bool,
    no: bool,
}

/// Rows on their way into a table.
pub(super) struct Rows<'a> {
    columns: &'a ScoreColumns,
    wanted: Vec<&'a str>,
    places: Places,
    /// One entry for each row that came as far as its cells.
    fates: Vec<Fate>,
    groups: Vec<Labels>,
    clusters: Labels,
    people: Labels,
    /// Whether the ranking chose the row, for those of an arm.
    ranked: Vec<Option<bool>>,
    /// The cases: their row, and what is said of them.
    of_case: Vec<u32>,
    cases: Vec<Said>,
    /// Of outcome, selection, and the other selection.
    coded: [Coded; 3],
    /// Whether scores had a per cent sign, and whether some had none.
    percent: [bool; 2],
    /// Whether each named value of the outcome, and of the arm, was met.
    met: Vec<bool>,
    /// The days of scoring, and which of them belong to audited rows with what outcome.
    dates: DatesRead,
    dated: Vec<(Day, bool)>,
    /// Whether counts add up to more cases than can be held.
    too_many: bool,
    intake: ScoreIntake,
    /// The file of each rejected row, by its number.
    reject_files: Vec<Option<u32>>,
}

impl<'a> Rows<'a> {
    /// `form` is what is stated about dates.
    pub(super) fn new(columns: &'a ScoreColumns, form: Option<&DateForm>) -> Result<Self, ScoresError> {
        let dates = DatesRead::new(form).ok_or(ScoresError::Columns {
            what: "the day of scoring is a date and not a number of days: `dates` is \"dd/mm/yyyy\" or \"mm/dd/yyyy\" here",
        })?;
        let mut wanted = Vec::new();
        let mut place = |name: &'a str| {
            wanted.push(name);
            wanted.len() - 1
        };
        let mut chosen = |name: &'a Option<String>| name.as_deref().map(&mut place);
        let (score, outcome) = (chosen(&columns.score), chosen(&columns.outcome));
        let places = Places {
            score,
            outcome,
            predicted: chosen(&columns.predicted),
            against: chosen(&columns.against),
            weight: chosen(&columns.weight),
            count: chosen(&columns.count),
            scored_on: chosen(&columns.scored_on),
            cluster: chosen(&columns.cluster),
            person: chosen(&columns.person),
            confusion: columns.confusion.as_ref().map(|names| names.each_ref().map(|name| place(name))),
            arm: columns.arm.as_ref().map(|arm| place(&arm.column)),
            groups: columns.groups.iter().map(|name| place(name)).collect(),
        };
        let named = columns.outcome_true.len()
            + columns.outcome_unresolved.len()
            + columns.arm.as_ref().map_or(0, |arm| arm.random.len());
        Ok(Self {
            columns,
            wanted,
            places,
            fates: Vec::new(),
            groups: columns.groups.iter().map(|_| Labels::default()).collect(),
            clusters: Labels::default(),
            people: Labels::default(),
            ranked: Vec::new(),
            of_case: Vec::new(),
            cases: Vec::new(),
            coded: [Coded::default(), Coded::default(), Coded::default()],
            percent: [false; 2],
            met: vec![false; named],
            dates,
            dated: Vec::new(),
            too_many: false,
            intake: ScoreIntake::default(),
            reject_files: Vec::new(),
        })
    }

    /// The columns to be read.
    pub(super) fn wanted(&self) -> Vec<&'a str> {
        self.wanted.clone()
    }

    /// The next rows.
    pub(super) fn take(&mut self, batch: &Batch) -> Result<(), ScoresError> {
        self.check_types(batch)?;
        for &(row, reason) in &batch.unreadable {
            self.intake.read += 1;
            self.fates.push(Fate::Rejected);
            self.ranked.push(None);
            self.groups.iter_mut().for_each(|labels| labels.push(None));
            self.clusters.push(None);
            self.people.push(None);
            self.reject(row, batch.file, (None, reason));
        }
        for row in 0..batch.rows.len() {
            let cell = |place: usize| Cell::of(&batch.columns[place], row);
            self.intake.read += 1;
            self.ranked.push(None);
            for (labels, &place) in self.groups.iter_mut().zip(&self.places.groups) {
                labels.push(cell(place).label().as_deref());
            }
            self.clusters.push(self.places.cluster.map(cell).as_ref().and_then(Cell::label).as_deref());
            self.people.push(self.places.person.map(cell).as_ref().and_then(Cell::label).as_deref());
            let cases = self.cases.len();
            let fate = match self.row(cell) {
                Ok(fate) => fate,
                Err(fault) => {
                    self.reject(batch.rows.position(row), batch.file, fault);
                    Fate::Rejected
                }
            };
            if fate == Fate::Rejected {
                self.cases.truncate(cases);
                self.of_case.truncate(cases);
                self.ranked.pop();
                self.ranked.push(None);
            }
            if self.too_many {
                return Err(ScoresError::TooManyCases { most: MOST_CASES });
            }
            self.fates.push(fate);
        }
        Ok(())
    }

    /// A column of dates where a number is needed, or the other way round, is no column of bad rows.
    fn check_types(&self, batch: &Batch) -> Result<(), ScoresError> {
        let numbers = [self.places.score, self.places.weight, self.places.count];
        let flags = [self.places.outcome, self.places.predicted, self.places.against];
        let confusion = self.places.confusion.into_iter().flatten();
        let wrong = |place: usize, found: &str, wanted: &'static str| ScoresError::ColumnType {
            column: self.wanted[place].to_owned(),
            found: found.to_owned(),
            wanted,
        };
        for (places, wanted) in [
            (numbers.into_iter().flatten().chain(confusion).collect::<Vec<_>>(), "a number"),
            (flags.into_iter().flatten().collect(), "a boolean, 0 and 1, or yes and no"),
        ] {
            for place in places {
                if matches!(batch.columns[place], Column::Day(_)) {
                    return Err(wrong(place, "date", wanted));
                }
            }
        }
        match self.places.scored_on {
            Some(place) if matches!(batch.columns[place], Column::Integer(_) | Column::Number(_)) => {
                Err(wrong(place, "number", "a date"))
            }
            _ => Ok(()),
        }
    }

    /// A row that cannot be audited.
    fn reject(&mut self, row: u64, file: Option<u32>, (place, reason): Fault) {
        self.reject_files.push(file);
        self.intake.rejected.push(Reject {
            source: SOURCE.to_owned(),
            file: None,
            row,
            column: place.map(|place| self.wanted[place].to_owned()),
            reason,
            pattern: None,
        });
    }

    /// The cases of a row, and what becomes of it; or the first cell that cannot be used.
    fn row<'c>(&mut self, cell: impl Fn(usize) -> Cell<'c> + Copy) -> Result<Fate, Fault> {
        let at = |place: usize| move |reason: RejectReason| (Some(place), reason);
        let mut said = Said { weight: 1.0, ..Said::default() };
        if let Some(place) = self.places.weight {
            said.weight = cell(place).weight().map_err(at(place))?;
        }
        // Whom the ranking chose says nothing but that: what became of them is not asked.
        let ranked = self.places.arm.and_then(|place| self.is_ranked(&cell(place)));
        if let Some(last) = self.ranked.last_mut() {
            *last = ranked;
        }
        let fate = if self.places.arm.is_some() && ranked != Some(false) {
            Fate::NotRandom
        } else {
            self.case(cell, &mut said)?
        };
        let row = self.fates.len() as u32;
        let counts = self.counts(cell, said)?;
        let more: u64 = counts.iter().map(|(_, count)| u64::from(*count)).sum();
        if self.cases.len() as u64 + more > MOST_CASES {
            self.too_many = true;
        } else {
            for (said, count) in counts {
                self.cases.extend(std::iter::repeat_n(said, count as usize));
                self.of_case.extend(std::iter::repeat_n(row, count as usize));
            }
        }
        match fate {
            Fate::Audited => self.intake.audited += 1,
            Fate::Unresolved => self.intake.unresolved += 1,
            Fate::NotFollowed => self.intake.not_followed += 1,
            Fate::NotRandom => self.intake.not_random += 1,
            Fate::Rejected => {}
        }
        Ok(fate)
    }

    /// What is said of one case.
    fn case<'c>(&mut self, cell: impl Fn(usize) -> Cell<'c> + Copy, said: &mut Said) -> Result<Fate, Fault> {
        let at = |place: usize| move |reason: RejectReason| (Some(place), reason);
        let mut fate = Fate::Audited;
        if let Some(place) = self.places.score {
            said.score = self.score(&cell(place)).map_err(at(place))?;
        }
        if let Some(place) = self.places.outcome {
            match self.outcome(&cell(place)).map_err(at(place))? {
                Some(outcome) => said.outcome = outcome,
                None => fate = Fate::Unresolved,
            }
        }
        let selections =
            [(self.places.predicted, &mut said.predicted), (self.places.against, &mut said.usual)];
        for ((place, selected), coded) in selections.into_iter().zip(&mut self.coded[1..]) {
            let Some(place) = place else { continue };
            let cell = cell(place);
            let flag = cell.flag();
            coded.two |= cell.is_two();
            coded.no |= flag == Ok(false);
            *selected = flag.map_err(at(place))?;
        }
        if let Some(place) = self.places.scored_on {
            let day = cell(place).day(&mut self.dates).map_err(at(place))?;
            if fate == Fate::Audited {
                if self.columns.follow_up.is_some_and(|follow_up| !follow_up.is_complete(day)) {
                    fate = Fate::NotFollowed;
                } else if self.places.outcome.is_some() {
                    self.dated.push((day, said.outcome));
                }
            }
        }
        Ok(fate)
    }

    /// The cases that a row stands for, each kind with how many.
    fn counts<'c>(
        &self,
        cell: impl Fn(usize) -> Cell<'c> + Copy,
        said: Said,
    ) -> Result<Vec<(Said, u32)>, Fault> {
        let count = |place: usize| cell(place).count().map_err(|reason| (Some(place), reason));
        if let Some(places) = self.places.confusion {
            let truths = [(true, true), (true, false), (false, true), (false, false)];
            let kind =
                |(place, (predicted, outcome))| Ok((Said { outcome, predicted, ..said }, count(place)?));
            return places.into_iter().zip(truths).map(kind).collect();
        }
        Ok(vec![(said, self.places.count.map_or(Ok(1), count)?)])
    }

    fn score(&mut self, cell: &Cell<'_>) -> Result<f64, RejectReason> {
        let order = &self.columns.score_order;
        if !order.is_empty() {
            let label = cell.label().ok_or(RejectReason::ValueMissing)?;
            let label = folded(Some(&label));
            let place = order.iter().position(|band| folded(Some(band)) == label);
            return place.map(|place| place as f64).ok_or(RejectReason::BandUnknown);
        }
        let Score { value, percent } = cell.score()?;
        self.percent[usize::from(percent)] = true;
        Ok(value)
    }

    /// `None` for an outcome that is not resolved.
    fn outcome(&mut self, cell: &Cell<'_>) -> Result<Option<bool>, RejectReason> {
        let (yes, open) = (&self.columns.outcome_true, &self.columns.outcome_unresolved);
        if !(yes.is_empty() && open.is_empty()) {
            let label = cell.label().ok_or(RejectReason::ValueMissing)?;
            let label = folded(Some(&label));
            let named = yes.iter().chain(open).position(|value| folded(Some(value)) == label);
            if let Some(place) = named {
                self.met[place] = true;
                return Ok((place < yes.len()).then_some(true));
            }
            if !yes.is_empty() {
                return Ok(Some(false));
            }
        }
        let flag = cell.flag();
        self.coded[0].two |= cell.is_two();
        self.coded[0].no |= flag == Ok(false);
        flag.map(Some)
    }

    /// Whether the ranking chose the row, or chance; `None` where the row is of neither arm.
    fn is_ranked(&mut self, cell: &Cell<'_>) -> Option<bool> {
        let label = folded(Some(&cell.label()?));
        let random = self.columns.arm.as_ref().map_or(&[][..], |arm| &arm.random);
        let place = random.iter().position(|value| folded(Some(value)) == label);
        if let Some(place) = place {
            let before = self.met.len() - random.len();
            self.met[before + place] = true;
        }
        Some(place.is_none())
    }

    /// What the file as a whole says that no row by itself could.
    fn check(&self) -> Result<(), ScoresError> {
        let columns = self.columns;
        let flags = [&columns.outcome, &columns.predicted, &columns.against];
        for (name, coded) in flags.into_iter().zip(&self.coded) {
            if let Some(column) = name.as_ref().filter(|_| coded.two && !coded.no) {
                return Err(ScoresError::OneAndTwo { column: column.clone() });
            }
        }
        if let Some(column) = columns.score.as_ref().filter(|_| self.percent == [true, true]) {
            return Err(ScoresError::MixedPercent { column: column.clone() });
        }
        if let Some((column, fault)) = columns.scored_on.as_ref().zip(self.dates.fault()) {
            return Err(ScoresError::DateOrder { column: column.clone(), why: what_to_do(fault) });
        }
        let outcome = columns.outcome.as_ref();
        let random =
            columns.arm.iter().flat_map(|arm| arm.random.iter().map(|value| (Some(&arm.column), value)));
        let named =
            columns.outcome_true.iter().chain(&columns.outcome_unresolved).map(|value| (outcome, value));
        for ((column, value), met) in named.chain(random).zip(&self.met) {
            if let (Some(column), false) = (column, met) {
                return Err(ScoresError::NoSuchValue { column: column.clone(), value: value.clone() });
            }
        }
        if self.fates.contains(&Fate::Audited) {
            return Ok(());
        }
        let why = self.intake.reasons().first().map(|(column, reason, _)| {
            let column = column.map_or_else(String::new, |column| format!(", mostly column \"{column}\""));
            format!("{column}: {}", reason.words())
        });
        let apart = self.intake.set_apart().first().map(|(what, rows)| format!("; {rows} are {what}"));
        Err(ScoresError::NoRow { read: self.intake.read, why: why.or(apart).unwrap_or_default() })
    }

    /// The table; `files` are the names of the files that were read.
    pub(super) fn finish(mut self, files: &[String]) -> Result<(ScoreTable, ScoreIntake), ScoresError> {
        for (reject, file) in self.intake.rejected.iter_mut().zip(&self.reject_files) {
            reject.file = file.and_then(|file| files.get(file as usize).cloned());
        }
        self.intake.rejected.sort_by(|a, b| (&a.file, a.row).cmp(&(&b.file, b.row)));
        self.check()?;
        self.intake.jump = OutcomeJump::find(&mut self.dated);
        let cases: Vec<usize> = (0..self.cases.len())
            .filter(|&case| self.fates[self.of_case[case] as usize] == Fate::Audited)
            .collect();
        let rows: Vec<usize> = cases.iter().map(|&case| self.of_case[case] as usize).collect();
        let of =
            |said: fn(&Said) -> bool| cases.iter().map(|&case| said(&self.cases[case])).collect::<Vec<_>>();
        let columns = self.columns;
        let (followed, selects) = match &columns.confusion {
            Some(_) => (true, true),
            None => (columns.outcome.is_some(), columns.predicted.is_some()),
        };
        let outcomes = followed.then(|| of(|said| said.outcome));
        let mut table = if columns.score.is_some() {
            let scores = cases.iter().map(|&case| self.cases[case].score).collect();
            match outcomes {
                Some(outcomes) => ScoreTable::new(scores, outcomes)?,
                None => ScoreTable::without_outcomes(scores)?,
            }
        } else {
            ScoreTable::without_scores(of(|said| said.predicted), outcomes)?
        };
        table.bands = !columns.score_order.is_empty();
        if columns.score.is_some() && !table.bands {
            self.intake.lone_scores = LoneScore::find(&table.scores);
        }
        if columns.score.is_some() && selects {
            table = table.predicted(of(|said| said.predicted))?;
        }
        if columns.against.is_some() {
            table = table.usual(of(|said| said.usual))?;
        }
        if columns.weight.is_some() {
            table = table.weights(cases.iter().map(|&case| self.cases[case].weight).collect())?;
        }
        if columns.cluster.is_some() {
            let mut audited: Vec<usize> = rows.clone();
            audited.dedup();
            self.intake.without_cluster = self.clusters.missing(&audited);
        }
        if columns.person.is_some() {
            let mut audited: Vec<usize> = rows.clone();
            audited.dedup();
            self.intake.without_person = self.people.missing(&audited);
        }
        table = self.described(table, &rows)?;
        for name in &columns.not_held {
            table = table.not_held(name)?;
        }
        table.lost = self.lost()?.map(Box::new);
        table.chosen = self.chosen()?.map(Box::new);
        Ok((table, self.intake))
    }

    /// A table with the families and groups of its rows.
    fn described(&self, mut table: ScoreTable, rows: &[usize]) -> Result<ScoreTable, ScoresError> {
        for (name, labels) in self.columns.groups.iter().zip(&self.groups) {
            let codes: Vec<u32> = rows.iter().map(|&row| labels.codes[row]).collect();
            table = table.group_coded(name, &codes, &labels.values())?;
        }
        if self.columns.cluster.is_some() {
            let clusters = self.clusters.as_clusters(rows, &table);
            table = table.clusters(clusters)?;
        }
        if self.columns.person.is_some() {
            // Of rows that do not say whom they are about nobody can tell that they are of different people, so they are
            // of one.
            let people = rows.iter().map(|&row| self.people.codes[row]).collect();
            table = table.people(people)?;
            if self.columns.cluster.is_none() {
                let clusters = self.people.as_clusters(rows, &table);
                table = table.clusters(clusters)?;
                table.by_person = true;
            }
        }
        Ok(table)
    }

    /// Who is left out of the audit, as a table of those "selected"; none where nobody is.
    fn lost(&self) -> Result<Option<ScoreTable>, ScoresError> {
        let is_lost = |fate: &Fate| matches!(fate, Fate::Rejected | Fate::Unresolved | Fate::NotFollowed);
        if !self.fates.iter().any(is_lost) {
            return Ok(None);
        }
        let rows: Vec<usize> =
            (0..self.fates.len()).filter(|&row| self.fates[row] != Fate::NotRandom).collect();
        let lost = rows.iter().map(|&row| is_lost(&self.fates[row])).collect();
        Ok(Some(self.described(ScoreTable::without_scores(lost, None)?, &rows)?))
    }

    /// Whom the ranking chose, among the rows of both arms.
    fn chosen(&self) -> Result<Option<ScoreTable>, ScoresError> {
        if self.columns.arm.is_none() {
            return Ok(None);
        }
        let is_of_arm = |row: usize| self.fates[row] != Fate::Rejected && self.ranked[row].is_some();
        let cases: Vec<usize> =
            (0..self.cases.len()).filter(|&case| is_of_arm(self.of_case[case] as usize)).collect();
        let rows: Vec<usize> = cases.iter().map(|&case| self.of_case[case] as usize).collect();
        let ranked = rows.iter().map(|&row| self.ranked[row] == Some(true)).collect();
        let mut table = ScoreTable::without_scores(ranked, None)?;
        if self.columns.weight.is_some() {
            table = table.weights(cases.iter().map(|&case| self.cases[case].weight).collect())?;
        }
        Ok(Some(self.described(table, &rows)?))
    }
}

/// What is wrong with the order of day and month, and what to do.
fn what_to_do(fault: OrderFault) -> &'static str {
    match fault {
        OrderFault::Unclear => {
            "every date could have the day or the month first; say which (`dates`, --dates): dd/mm/yyyy or mm/dd/yyyy"
        }
        OrderFault::MonthFirst => {
            "the month stands first in its dates; say so (`dates`, --dates): mm/dd/yyyy"
        }
        OrderFault::Mixed => {
            "some dates have the day first and some the month, so none can be trusted; write them in one form, best as \
             yyyy-mm-dd"
        }
    }
}

/// Texts, each coded by its place among the different ones.
#[derive(Default)]
struct Labels {
    codes: Vec<u32>,
    places: HashMap<Box<str>, u32>,
    /// The code of no text.
    none: Option<u32>,
    names: Vec<Option<Box<str>>>,
}

impl Labels {
    fn push(&mut self, text: Option<&str>) {
        let known = match text {
            Some(text) => self.places.get(text).copied(),
            None => self.none,
        };
        let code = known.unwrap_or_else(|| {
            let code = self.names.len() as u32;
            match text {
                Some(text) => {
                    self.places.insert(text.into(), code);
                }
                None => self.none = Some(code),
            }
            self.names.push(text.map(Into::into));
            code
        });
        self.codes.push(code);
    }

    fn values(&self) -> Vec<Option<&str>> {
        self.names.iter().map(Option::as_deref).collect()
    }

    /// How many of the rows have no text.
    fn missing(&self, rows: &[usize]) -> u64 {
        rows.iter().filter(|&&row| Some(self.codes[row]) == self.none).count() as u64
    }

    /// Codes of the rows, in the order of the texts. Each row without a text has a code of its own, after the others, in the
    /// order of what the rows of `table` say. So no code depends on the order in which rows come.
    fn as_clusters(&self, rows: &[usize], table: &ScoreTable) -> Vec<u32> {
        let mut order: Vec<usize> = (0..self.names.len()).collect();
        order.sort_unstable_by(|a, b| self.names[*a].cmp(&self.names[*b]));
        let mut ranks = vec![0; order.len()];
        for (rank, place) in order.into_iter().enumerate() {
            ranks[place] = rank as u32;
        }
        let mut codes: Vec<u32> = rows.iter().map(|&row| ranks[self.codes[row] as usize]).collect();
        let is_alone = |place: &usize| Some(self.codes[rows[*place]]) == self.none;
        let mut alone: Vec<usize> = (0..rows.len()).filter(is_alone).collect();
        alone.sort_by(|&a, &b| table.compare(a, b));
        for (place, code) in alone.into_iter().zip(ranks.len() as u32..) {
            codes[place] = code;
        }
        codes
    }
}
