//! The whole path on real records: students of the Open University, from 10.6 million clicks to a
//! backtest with a fairness check, and what happens to the figures when the guard against looking ahead
//! is bypassed on purpose.
//!
//! ```text
//! cargo run --release --example oulad [-- --day 28] [--trainer additive] [--ladder]
//! cargo run --release --example oulad -- --day 28 --export cases.parquet
//! ```
//!
//! The command gives the same cohorts and figures from the project file beside this program, `oulad.toml`. Here the tables are
//! read by the program itself: another road to the same end, and the one on which it can be told lies.
//!
//! Reads the Open University Learning Analytics Dataset (Kuzilek, Hlosta and Zdrahal, *Scientific Data*
//! 4:170171, 2017, CC BY 4.0) from the folder `oulad` in `EARLYHELP_DATA`, or in `../shared/data`.
//!
//! - entity: a student in a presentation of a module; family: the student, who may come again
//! - cohort at day *t*: registered on or before it, and not unregistered by it
//! - outcome: the result is *fail* or *withdrawn*
//! - trained on the presentations of 2013, tested on that of October 2014
//! - protected, for audit alone: gender, disability, age band, deprivation band, region

#![allow(clippy::missing_errors_doc, reason = "an example: errors are shown and end it")]

use std::collections::{BTreeMap, HashMap, HashSet};
use std::error::Error;
use std::fs::File;
use std::path::{Path, PathBuf};

use earlyhelp::calendar::{AsOf, Day, Horizon, Lookback};
use earlyhelp::cohort::{Cohort, CohortSpec};
use earlyhelp::dataset::Dataset;
use earlyhelp::evaluate::{Backtest, BacktestPlan, BandRule, Bootstrap, Capacity, FamilyRule, Split};
use earlyhelp::fairness::audit::{AuditParams, OperatingPoint, ScoreTable};
use earlyhelp::fairness::{FairnessAudit, Protected, ProtectedColumns};
use earlyhelp::features::{Feature, FeatureSpec, Measure};
use earlyhelp::model::{Candidate, Trainer, TrainingContext};
use earlyhelp::outcome::OutcomeSpec;
use earlyhelp::records::{Coverage, Extract, HouseholdColumns, Known, Records, Selector, SourceMapping};
use earlyhelp::report::audit::{audit_html, audit_text};
use polars::prelude::*;

type Anyhow<T> = std::result::Result<T, Box<dyn Error>>;

/// Presentations and the day that their day 0 is.
pub const PRESENTATIONS: [(&str, &str); 4] =
    [("2013B", "2013-02-01"), ("2013J", "2013-10-01"), ("2014B", "2014-02-01"), ("2014J", "2014-10-01")];
const PROTECTED: [&str; 5] = ["gender", "disability", "age_band", "imd_band", "region"];

/// Which lies are told to the library. Its guard rests on the dates it is given: it cannot be told to
/// look ahead, but it can be deceived about when something became known.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Lies {
    /// Withdrawals are hidden: students who have left are still in the cohort.
    pub leavers_stay: bool,
    /// Clicks and submissions after this day are said to have happened the day before it.
    pub backdate_to: Option<i32>,
}

/// The rungs of the leakage ladder, each named for what it is.
pub fn ladder(day: i32) -> [(&'static str, Lies); 4] {
    let whole = Some(day);
    [
        ("honest: what was known before the day", Lies::default()),
        ("leak: students who had already left kept in", Lies { leavers_stay: true, ..Lies::default() }),
        ("leak: clicks and submissions of the whole course", Lies { backdate_to: whole, ..Lies::default() }),
        ("leak: no cut-off at all", Lies { leavers_stay: true, backdate_to: whole }),
    ]
}

/// The folder with the data, if it is there.
pub fn data_folder() -> Option<PathBuf> {
    let base = std::env::var_os("EARLYHELP_DATA")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/data"), PathBuf::from);
    Some(base.join("oulad")).filter(|folder| folder.is_dir())
}

fn main() -> Anyhow<()> {
    let arguments: Vec<String> = std::env::args().collect();
    let day = match arguments.iter().position(|argument| argument == "--day") {
        Some(place) => arguments.get(place + 1).ok_or("--day needs a number")?.parse()?,
        None => 28,
    };
    let after = |name: &str| {
        arguments
            .iter()
            .position(|held| held == name)
            .and_then(|place| arguments.get(place + 1))
            .map(String::as_str)
    };
    // Ridge logistic regression, unless another trainer is named: what the baseline beside it uses.
    let trainer = Trainer::by_name(after("--trainer").unwrap_or("logistic")).ok_or("no such trainer")?;
    let Some(folder) = data_folder() else {
        println!("skipped: no folder oulad in EARLYHELP_DATA or ../shared/data");
        return Ok(());
    };
    if arguments.iter().any(|argument| argument == "--ladder") {
        for (name, lies) in ladder(day) {
            let auc = run(&load(&folder, lies)?, day, &trainer)?.report().overall.auc.ok_or("no AUC")?;
            println!("{:.4}  {name}", auc.value);
        }
        return Ok(());
    }
    let records = load(&folder, Lies::default())?;
    if let Some(file) = after("--export") {
        return export(&records, day, Path::new(file));
    }
    for intake in records.intake() {
        println!("{:<13} {:>9} rows read, {:>4} rejected", intake.source, intake.read, intake.rejected);
    }
    let size: usize = cohorts(&records, day)?.iter().map(Cohort::len).sum();
    println!("\ncohort at day {day}: {size}\n");
    let backtest = run(&records, day, &trainer)?;
    println!("{}", backtest.report().overall);
    let protected = protected(&folder)?;
    if let Some(out) = after("--audit") {
        // Every figure of every group, for those on the list of the highest fifth.
        let table = ScoreTable::of_backtest(&backtest, &protected)?;
        let audit = table.audit(&AuditParams::at(OperatingPoint::Predicted))?;
        let out = Path::new(out);
        std::fs::create_dir_all(out)?;
        std::fs::write(
            out.join("audit.html"),
            audit_html(&audit, &format!("Open University students, day {day}"), None)?,
        )?;
        std::fs::write(out.join("audit.json"), serde_json::to_string_pretty(&audit)?)?;
        println!("{}", audit_text(&audit));
        return Ok(());
    }
    let audit = FairnessAudit::of(&backtest, &protected, &AuditParams::at_release())?;
    println!("{}", audit_text(audit.audit()));
    Ok(())
}

/// The cohort of every presentation at a day of the course.
pub fn cohorts(records: &Records, day: i32) -> Anyhow<Vec<Cohort<'_>>> {
    let rules = CohortSpec::default().open(Selector::source("enrolment"));
    PRESENTATIONS
        .iter()
        .map(|(_, start)| Ok(rules.choose(&records.as_of(AsOf::new(start.parse::<Day>()? + day)))?))
        .collect()
}

/// The cases of 2013 and of October 2014, and the dates they are of.
pub fn cases(records: &Records, day: i32) -> Anyhow<(Dataset, Split)> {
    let cohorts = cohorts(records, day)?;
    let [first, second, _, test] = cohorts.as_slice() else { return Err("four presentations".into()) };
    let outcome = OutcomeSpec::any(
        "not_passed",
        "The result is fail or withdrawn",
        [Selector::source("results")],
        // The longest presentation has 269 days.
        Horizon::Days(270),
    );
    let data = Dataset::build(&features()?, &outcome, &[first.clone(), second.clone(), test.clone()])?;
    Ok((data, Split { train: vec![first.as_of(), second.as_of()], test: test.as_of() }))
}

/// Trains on 2013, tests on October 2014.
pub fn run(records: &Records, day: i32, trainer: &Trainer) -> Anyhow<Backtest> {
    let (data, split) = cases(records, day)?;
    let context =
        TrainingContext { protected: PROTECTED.map(str::to_owned).to_vec(), ..TrainingContext::default() };
    let candidate = Candidate::train(&data, trainer, context)?;
    let plan = BacktestPlan {
        splits: vec![split],
        families: FamilyRule::LeaveOut,
        capacity: Capacity::Share(0.2),
        bootstrap: Bootstrap::default(),
        bands: BandRule::default(),
    };
    Ok(Backtest::run(&candidate, &data, &plan)?)
}

/// Writes the very cases that are trained and tested on, for other programs: `y`, `is_test`, and the
/// features as numbers, missing where there is none.
fn export(records: &Records, day: i32, to: &Path) -> Anyhow<()> {
    let (data, split) = cases(records, day)?;
    let is_test: Vec<bool> = (0..data.rows()).map(|row| data.as_of(row) == split.test).collect();
    let tested: HashSet<u32> =
        data.families().iter().zip(&is_test).filter(|(_, test)| **test).map(|(family, _)| *family).collect();
    // A student of the test is nowhere trained on.
    let kept: BooleanChunked = data
        .families()
        .iter()
        .zip(&is_test)
        .map(|(family, test)| *test || !tested.contains(family))
        .collect();
    let mut columns = vec![
        Series::new("y".into(), data.outcomes()).cast(&DataType::Int32)?.into_column(),
        Series::new("is_test".into(), is_test).cast(&DataType::Int32)?.into_column(),
    ];
    let features = data.matrix().to_polars()?;
    columns.extend(features.columns().iter().filter(|column| !column.name().ends_with(".absent")).cloned());
    let mut frame = DataFrame::new(data.rows(), columns)?.filter(&kept)?;
    ParquetWriter::new(File::create(to)?).finish(&mut frame)?;
    println!("{} cases, {} columns in {}", frame.height(), frame.width(), to.display());
    Ok(())
}

/// Protected characteristics, which no feature reads.
pub fn protected(folder: &Path) -> Anyhow<Protected> {
    let columns = ProtectedColumns {
        entity: entity(),
        characteristics: PROTECTED.map(str::to_owned).to_vec(),
        not_held: vec!["religion".to_owned()],
        of_family: None,
        ..ProtectedColumns::default()
    };
    Ok(Protected::read(&columns, Extract::path(folder.join("studentInfo.parquet")))?)
}

fn features() -> Anyhow<FeatureSpec> {
    use Measure::{Any, Count, DaysSinceFirst, DaysSinceLast, Distinct, DistinctDays, Latest, Sum};
    let clicks = |measure, over| Feature::new(Selector::source("clicks"), measure, over);
    let registered = |kind| Selector::source("registration").kind(kind);
    let submissions = |kind| Selector::source("submissions").kind(kind);
    let mut features = vec![
        clicks(Sum, Lookback::Ever),
        clicks(Sum, Lookback::Days(7)),
        clicks(Sum, Lookback::Days(14)),
        clicks(DistinctDays, Lookback::Ever),
        clicks(DistinctDays, Lookback::Days(14)),
        clicks(Distinct("id_site".into()), Lookback::Ever),
        clicks(DaysSinceLast, Lookback::Ever),
        Feature::new(Selector::source("submissions"), Count, Lookback::Ever),
        Feature::new(submissions("late"), Count, Lookback::Ever),
        Feature::new(registered("registered"), DaysSinceFirst, Lookback::Ever),
        Feature::new(registered("previous_attempts"), Latest, Lookback::Ever),
        Feature::new(registered("credits"), Latest, Lookback::Ever),
    ];
    // All modules and educations, none as the yardstick: a module that is new in the test (CCC is) then
    // counts as an average one, and not as the one that was left out.
    for module in ["AAA", "BBB", "CCC", "DDD", "EEE", "FFF", "GGG"] {
        let of = registered("registered").category("code_module", module);
        features.push(Feature::new(of, Any, Lookback::Ever));
    }
    for education in [
        "A Level or Equivalent",
        "HE Qualification",
        "Lower Than A Level",
        "No Formal quals",
        "Post Graduate Qualification",
    ] {
        let of = registered("registered").category("highest_education", education);
        features.push(Feature::new(of, Any, Lookback::Ever));
    }
    Ok(FeatureSpec::new(features)?)
}

fn entity() -> Vec<String> {
    ["code_module", "code_presentation", "id_student"].map(str::to_owned).to_vec()
}

/// Reads all tables as linked records. The data has day offsets from each presentation's start; records
/// have dates.
pub fn load(folder: &Path, lies: Lies) -> Anyhow<Records> {
    let source = |name: &str, kind: &str| SourceMapping::new(name, "", kind, "occurred").entity(entity());
    let clicks = source("clicks", "click").value("sum_click").category("id_site");
    let submissions = source("submissions", "").kind_column("kind");
    // The register is kept ahead of the day: whoever registers or leaves on a day is known of before it.
    let registration = source("registration", "")
        .kind_column("kind")
        .value("value")
        .known(Known::LagDays(-1))
        .category("code_module")
        .category("highest_education");
    let enrolment = source("enrolment", "enrolled").ended("ended").known(Known::LagDays(-1));
    // All courses were over, and all results final, by then.
    let complete = Coverage { to: Some("2015-12-31".parse()?), ..Coverage::default() };
    let results = source("results", "not_passed").coverage(complete);

    let students = Students::read(folder)?;
    let families = HouseholdColumns {
        person: entity(),
        household: "id_student".into(),
        start: None,
        end: None,
        lag_days: 0,
        ..HouseholdColumns::default()
    };
    let students_frame =
        parquet(&folder.join("studentInfo.parquet"), &["code_module", "code_presentation", "id_student"])?;
    let students_frame = students_frame
        .select(entity())?
        .with_column(students_frame.column("id_student")?.cast(&DataType::Int64)?)?
        .clone();
    Ok(Records::builder()
        .households(families, Extract::frame(students_frame))
        .source(clicks, Extract::frames(click_frames(folder, lies)?))
        .source(submissions, Extract::frame(submission_frame(folder, lies)?))
        .source(registration, Extract::frame(students.registration()?))
        .source(enrolment, Extract::frame(students.enrolment(lies)?))
        .source(results, Extract::frame(students.results()?))
        .build()?)
}

fn parquet(path: &Path, columns: &[&str]) -> Anyhow<DataFrame> {
    let columns = columns.iter().map(|&name| name.to_owned()).collect();
    Ok(ParquetReader::new(File::open(path)?).with_columns(Some(columns)).finish()?)
}

fn start_of(presentation: &str) -> Anyhow<i32> {
    let (_, start) = PRESENTATIONS.iter().find(|(name, _)| *name == presentation).ok_or("presentation")?;
    Ok(start.parse::<Day>()?.epoch_days())
}

/// A day offset as a date, or, told as a lie, the day before the one on which it would be too late.
fn dated(offset: f64, start: i32, lies: Lies) -> i32 {
    let offset = offset as i32;
    start + lies.backdate_to.map_or(offset, |day| offset.min(day - 1))
}

fn date_column(name: &str, days: Vec<Option<i32>>) -> Anyhow<Column> {
    Ok(Series::new(name.into(), days).cast(&DataType::Date)?.into_column())
}

/// The clicks of each module and presentation: one frame after another, each from its own file.
fn click_frames(folder: &Path, lies: Lies) -> Anyhow<impl Iterator<Item = PolarsResult<DataFrame>> + use<>> {
    let mut files = Vec::new();
    for module in sub_folders(&folder.join("studentVle_ds"))? {
        for presentation in sub_folders(&module)? {
            for file in sub_folders(&presentation)? {
                let value = |path: &Path| Some(path.file_name()?.to_str()?.split_once('=')?.1.to_owned());
                let (module, term) = (value(&module), value(&presentation));
                let term = term.ok_or("the folder of a presentation")?;
                files.push((file, module.ok_or("the folder of a module")?, start_of(&term)?, term));
            }
        }
    }
    Ok(files.into_iter().map(move |(file, module, start, term)| {
        let columns = ["id_student", "id_site", "date", "sum_click"].map(str::to_owned).to_vec();
        let frame = ParquetReader::new(File::open(file)?).with_columns(Some(columns)).finish()?;
        let offsets = frame.column("date")?.f64()?;
        let occurred = offsets.into_no_null_iter().map(|offset| dated(offset, start, lies)).collect();
        let occurred = Int32Chunked::from_vec("occurred".into(), occurred).into_series();
        let same = |name: &str, text: &str| {
            Column::new_scalar(name.into(), Scalar::from(PlSmallStr::from(text)), frame.height())
        };
        let mut columns = frame.select(["id_student", "id_site", "sum_click"])?.columns().to_vec();
        columns.push(same("code_module", &module));
        columns.push(same("code_presentation", &term));
        columns.push(occurred.cast(&DataType::Date)?.into_column());
        DataFrame::new(frame.height(), columns)
    }))
}

fn sub_folders(folder: &Path) -> Anyhow<Vec<PathBuf>> {
    let mut found: Vec<PathBuf> =
        std::fs::read_dir(folder)?.map(|entry| Ok(entry?.path())).collect::<Anyhow<_>>()?;
    found.sort();
    Ok(found)
}

/// Work that was handed in, on time or late; marks carried over from an earlier year are not.
fn submission_frame(folder: &Path, lies: Lies) -> Anyhow<DataFrame> {
    let due = parquet(
        &folder.join("assessments.parquet"),
        &["id_assessment", "code_module", "code_presentation", "date"],
    )?;
    let text = |frame: &DataFrame, name: &str| -> Anyhow<Vec<String>> {
        Ok(frame.column(name)?.str()?.iter().map(|text| text.unwrap_or_default().to_owned()).collect())
    };
    let (modules, terms) = (text(&due, "code_module")?, text(&due, "code_presentation")?);
    let of_assessment: HashMap<i64, usize> = due
        .column("id_assessment")?
        .cast(&DataType::Int64)?
        .i64()?
        .into_no_null_iter()
        .enumerate()
        .map(|(row, id)| (id, row))
        .collect();
    let due_day: Vec<Option<f64>> = due.column("date")?.f64()?.iter().collect();

    let handed_in = parquet(
        &folder.join("studentAssessment.parquet"),
        &["id_assessment", "id_student", "date_submitted", "is_banked"],
    )?;
    let assessment = handed_in.column("id_assessment")?.cast(&DataType::Int64)?;
    let student = handed_in.column("id_student")?.cast(&DataType::Int64)?;
    let submitted = handed_in.column("date_submitted")?.f64()?;
    let banked = handed_in.column("is_banked")?.f64()?;
    let (mut module, mut term, mut who, mut when, mut kind) = (vec![], vec![], vec![], vec![], vec![]);
    for (((assessment, student), day), banked) in
        assessment.i64()?.iter().zip(student.i64()?.iter()).zip(submitted.iter()).zip(banked.iter())
    {
        let row = of_assessment[&assessment.ok_or("assessment")?];
        if banked == Some(1.0) {
            continue;
        }
        let start = start_of(&terms[row])?;
        module.push(modules[row].as_str());
        term.push(terms[row].as_str());
        who.push(student);
        when.push(day.map(|day| dated(day, start, lies)));
        kind.push(if day > due_day[row] && due_day[row].is_some() { "late" } else { "on_time" });
    }
    Ok(DataFrame::new(
        who.len(),
        vec![
            Series::new("code_module".into(), module).into_column(),
            Series::new("code_presentation".into(), term).into_column(),
            Series::new("id_student".into(), who).into_column(),
            date_column("occurred", when)?,
            Series::new("kind".into(), kind).into_column(),
        ],
    )?)
}

/// What the tables about students say, row by row.
struct Students {
    module: Vec<String>,
    term: Vec<String>,
    id: Vec<i64>,
    education: Vec<String>,
    attempts: Vec<f64>,
    credits: Vec<f64>,
    failed: Vec<bool>,
    registered: Vec<Option<i32>>,
    unregistered: Vec<Option<i32>>,
    /// The first day and the last of the presentation.
    start: Vec<i32>,
    end: Vec<i32>,
}

impl Students {
    fn read(folder: &Path) -> Anyhow<Self> {
        let key = ["code_module", "code_presentation", "id_student"];
        let texts = |frame: &DataFrame, name: &str| -> Anyhow<Vec<String>> {
            Ok(frame.column(name)?.str()?.iter().map(|text| text.unwrap_or_default().to_owned()).collect())
        };
        let numbers = |frame: &DataFrame, name: &str| -> Anyhow<Vec<Option<f64>>> {
            Ok(frame.column(name)?.cast(&DataType::Float64)?.f64()?.iter().collect())
        };
        let keys = |frame: &DataFrame| -> Anyhow<Vec<(String, String, i64)>> {
            let ids = numbers(frame, "id_student")?;
            Ok(texts(frame, key[0])?
                .into_iter()
                .zip(texts(frame, key[1])?)
                .zip(ids)
                .map(|((module, term), id)| (module, term, id.unwrap_or_default() as i64))
                .collect())
        };
        let courses = parquet(
            &folder.join("courses.parquet"),
            &["code_module", "code_presentation", "module_presentation_length"],
        )?;
        let length: BTreeMap<(String, String), i32> = texts(&courses, key[0])?
            .into_iter()
            .zip(texts(&courses, key[1])?)
            .zip(numbers(&courses, "module_presentation_length")?)
            .map(|(key, days)| (key, days.unwrap_or_default() as i32))
            .collect();
        let registration = parquet(
            &folder.join("studentRegistration.parquet"),
            &[key[0], key[1], key[2], "date_registration", "date_unregistration"],
        )?;
        let dates: HashMap<_, _> = keys(&registration)?
            .into_iter()
            .zip(
                numbers(&registration, "date_registration")?
                    .into_iter()
                    .zip(numbers(&registration, "date_unregistration")?),
            )
            .collect();
        let info = parquet(
            &folder.join("studentInfo.parquet"),
            &[
                key[0],
                key[1],
                key[2],
                "highest_education",
                "num_of_prev_attempts",
                "studied_credits",
                "final_result",
            ],
        )?;
        let of = keys(&info)?;
        let offset = |day: Option<f64>, start: i32| day.map(|day| start + day as i32);
        let mut students = Self {
            module: Vec::new(),
            term: Vec::new(),
            id: Vec::new(),
            education: texts(&info, "highest_education")?,
            attempts: numbers(&info, "num_of_prev_attempts")?.into_iter().flatten().collect(),
            credits: numbers(&info, "studied_credits")?.into_iter().flatten().collect(),
            failed: texts(&info, "final_result")?.iter().map(|r| r == "Fail" || r == "Withdrawn").collect(),
            registered: Vec::new(),
            unregistered: Vec::new(),
            start: Vec::new(),
            end: Vec::new(),
        };
        for key in of {
            let start = start_of(&key.1)?;
            let (registered, unregistered) = dates[&key];
            students.registered.push(offset(registered, start));
            students.unregistered.push(offset(unregistered, start));
            students.start.push(start);
            students.end.push(start + length[&(key.0.clone(), key.1.clone())]);
            students.module.push(key.0);
            students.term.push(key.1);
            students.id.push(key.2);
        }
        Ok(students)
    }

    fn frame(&self, rows: &[usize], mut columns: Vec<Column>) -> Anyhow<DataFrame> {
        let text = |name: &str, of: &[String]| {
            let texts: Vec<&str> = rows.iter().map(|&row| of[row].as_str()).collect();
            Series::new(name.into(), texts).into_column()
        };
        let ids: Vec<i64> = rows.iter().map(|&row| self.id[row]).collect();
        columns.push(text("code_module", &self.module));
        columns.push(text("code_presentation", &self.term));
        columns.push(text("highest_education", &self.education));
        columns.push(Series::new("id_student".into(), ids).into_column());
        Ok(DataFrame::new(rows.len(), columns)?)
    }

    /// What was known of a student at registration, as records of that day.
    fn registration(&self) -> Anyhow<DataFrame> {
        let all: Vec<usize> = (0..self.id.len()).collect();
        let rows: Vec<usize> = [all.as_slice(), &all, &all].concat();
        let kinds: Vec<&str> = ["registered", "previous_attempts", "credits"]
            .into_iter()
            .flat_map(|kind| std::iter::repeat_n(kind, all.len()))
            .collect();
        let values: Vec<Option<f64>> = std::iter::repeat_n(None, all.len())
            .chain(self.attempts.iter().chain(&self.credits).map(|&value| Some(value)))
            .collect();
        let days = rows.iter().map(|&row| self.registered[row]).collect();
        self.frame(
            &rows,
            vec![
                Series::new("kind".into(), kinds).into_column(),
                Series::new("value".into(), values).into_column(),
                date_column("occurred", days)?,
            ],
        )
    }

    /// The first 120 days of the course, from registration on, until the student leaves: presentations
    /// overlap in time, but their first terms do not, so a date stands for one presentation's cohort.
    fn enrolment(&self, lies: Lies) -> Anyhow<DataFrame> {
        let all: Vec<usize> = (0..self.id.len()).collect();
        let left = |row: usize| self.unregistered[row].filter(|_| !lies.leavers_stay);
        let term = |row: usize| self.start[row] + 120;
        let ended = |row: usize| left(row).map_or(term(row), |day| day.min(term(row)));
        let began = |row: usize| self.registered[row].map(|day| day.max(self.start[row]).min(ended(row)));
        self.frame(
            &all,
            vec![
                date_column("occurred", all.iter().map(|&row| began(row)).collect())?,
                date_column("ended", all.iter().map(|&row| Some(ended(row))).collect())?,
            ],
        )
    }

    /// The result, on the last day of the course, of those who did not pass.
    fn results(&self) -> Anyhow<DataFrame> {
        let rows: Vec<usize> = (0..self.id.len()).filter(|&row| self.failed[row]).collect();
        let days = rows.iter().map(|&row| Some(self.end[row])).collect();
        self.frame(&rows, vec![date_column("occurred", days)?])
    }
}
