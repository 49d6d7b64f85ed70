//! A council that does not exist: linked service records with known truth, to train, show and test on.
//!
//! Nobody may publish real families' records, so every example and benchmark needs invented ones. These
//! are built on published rates ([`rates`]), and what is in them is known ([`Truth`]): which need raises
//! the risk by how much, which source is unfair to whom, which rows are damaged. A model or an audit that
//! does not find that back is wrong.
//!
//! ```text
//! families, homes, schools → hidden needs by half-year ─┬→ services write records (late, as services do)
//!                                                        └→ hazard → referral → episode of need → plan, care
//! ```
//!
//! The hazard of an episode of need is `base × exp(sum of planted effects + area + what no record shows)`.
//! Ethnicity, sex and disability have no part in it. The base rate and other numbers that nobody
//! publishes are solved from the published ones for each council.
//!
//! # The files
//! Every date is a civil date; `recorded` is the day the council knew, never before the event; an empty
//! `end` is still open, or its end was not known yet. Children, carers and their records share `person_id`.
//!
//! | file | columns |
//! |---|---|
//! | people | `person_id, date_of_birth` |
//! | households | `person_id, household_id, start, end` |
//! | protected (for audit only) | `person_id, sex, ethnicity, disability, area` |
//! | `school_roll` | `record_id, person_id, start, end, recorded` |
//! | sen, fsm, benefits | `record_id, person_id, start, end, recorded, kind` |
//! | attendance (percent of sessions missed in a term), housing (pounds) | `record_id, person_id, occurred, recorded, kind, value` |
//! | suspensions | `record_id, person_id, occurred, recorded, kind, reason` |
//! | police, `domestic_abuse` | `record_id, person_id, occurred, recorded, kind, role` |
//! | `youth_justice`, health, `youth_activity` | `record_id, person_id, occurred, recorded, kind` |
//! | contacts, referrals | `record_id, person_id, occurred, recorded, kind, referral_source` |
//! | `early_help` | `record_id, person_id, start, end, recorded, end_recorded, kind` |
//! | plans | `record_id, person_id, start, end, recorded, end_recorded, kind, category` |
//!
//! Records run from 2019-04-01 to the extract on 2025-04-01: as-of dates from 2022-04-01 to 2024-04-01 have
//! three years to look back on and twelve months to look ahead.
//!
//! # What it is not
//! Needs come and go independently of each other, and help changes nothing: do not learn about real
//! families from it. The order of planted effects is an invention.
//!
//! # Examples
//! ```
//! use earlyhelp::synthetic::CouncilParams;
//!
//! let council = CouncilParams::new(2_000, 1).generate()?;
//! assert_eq!(council.extract_date().to_string(), "2025-04-01");
//! for extract in council.extracts() {
//!     let mut csv = Vec::new();
//!     extract.write_csv(&mut csv)?;
//! }
//! // The same parameters give the same council, bit for bit.
//! assert!(council == CouncilParams::new(2_000, 1).generate()?);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod care;
mod dirt;
mod export;
mod files;
mod needs;
mod population;
mod random;
pub mod rates;
mod services;
mod ssd;
mod table;
mod timeline;
mod truth;

use rayon::prelude::*;

pub use dirt::{DirtKind, PlantedDirt};
pub use export::Format;
pub use table::CouncilFile;
pub use truth::{PlantedBias, PlantedEffect, SourceCoverage, Truth};

use crate::calendar::Day;
use crate::error::SyntheticError;
use care::ChildCourse;
use needs::{FamilyNeeds, Shares};
use population::{Population, Pseudonyms};
use rates::{CONTACTS_PER_REFERRAL, EARLY_HELP, FREE_MEALS, LOW_INCOME, REFERRALS};
use services::{Context, Records, SchoolRates};
use timeline::{BOUNDS, EXTRACT, FIRST_HALF, HALVES};

/// Fewest and most children. Below, areas are empty and rates cannot be solved; above there is no council: no English one has
/// half as many.
const CHILDREN: std::ops::RangeInclusive<u32> = 1_000..=1_500_000;

/// Most attendance records of a child in a term: as many as the longest has school days.
const ATTENDANCE_RECORDS: std::ops::RangeInclusive<u32> = 1..=75;

/// How large a council, which one, and how clean its files.
///
/// # Examples
/// ```
/// use earlyhelp::error::SyntheticError;
/// use earlyhelp::synthetic::CouncilParams;
/// let council = CouncilParams::new(2_000, 7).dirty(true).generate()?;
/// assert!(council.planted_dirt().iter().any(|dirt| dirt.kind.must_be_rejected()));
/// assert_eq!(CouncilParams::new(5, 7).generate().err(), Some(SyntheticError::Children { least: 1_000, most: 1_500_000, given: 5 }));
/// # Ok::<(), SyntheticError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CouncilParams {
    children: u32,
    seed: u64,
    dirt: bool,
    families: bool,
    attendance: u32,
}

/// 50,000 children, because outcomes are rare (3 in 100 a year) and planted effects need some thousands
/// of them; seed 1; clean files.
impl Default for CouncilParams {
    fn default() -> Self {
        Self::new(50_000, 1)
    }
}

impl CouncilParams {
    /// A council with so many children under 18 on the day before the extract (up to four more, so
    /// that the last family is whole), 1,000 to 1,500,000, and a seed. Files are clean.
    pub fn new(children: u32, seed: u64) -> Self {
        Self { children, seed, dirt: false, families: false, attendance: 1 }
    }

    /// Whether some rows of the files are damaged, as in real ones.
    #[must_use]
    pub fn dirty(self, dirt: bool) -> Self {
        Self { dirt, ..self }
    }

    /// Whether the project scores families in place of children: every feature then reads the records of all members.
    #[must_use]
    pub fn families(self, families: bool) -> Self {
        Self { families, ..self }
    }

    /// How many attendance records a child has in a term, 1 (the default) to 75: one for each part of it, all equally long.
    /// With 7 there are 40 records a resident, where there are 13. What a child misses in a term is the same, however often it is
    /// written down.
    #[must_use]
    pub fn attendance(self, records_a_term: u32) -> Self {
        Self { attendance: records_a_term, ..self }
    }

    /// Makes the council. The same parameters give the same bytes at any number of threads.
    ///
    /// # Errors
    /// When the number of children, or of attendance records, is out of range.
    pub fn generate(&self) -> Result<Council, SyntheticError> {
        if !CHILDREN.contains(&self.children) {
            let (least, most) = (*CHILDREN.start(), *CHILDREN.end());
            return Err(SyntheticError::Children { least, most, given: self.children });
        }
        if !ATTENDANCE_RECORDS.contains(&self.attendance) {
            let most = *ATTENDANCE_RECORDS.end();
            return Err(SyntheticError::Attendance { most, given: self.attendance });
        }
        let seed = self.seed;
        let population = Population::draw(seed, self.children);
        let low = LOW_INCOME.value / 100.0;
        let shares = Shares::solve(low, FREE_MEALS.value / 100.0);
        let needs: Vec<FamilyNeeds> =
            population.families.par_iter().map(|family| FamilyNeeds::draw(seed, family, &shares)).collect();
        let courses = care::courses(&population, &needs, &shares);
        let hazard = care::solve(seed, &population, &courses);
        let school = SchoolRates::solve(&population, &needs);
        let scale = offer_scale(&population, &courses);
        let contacts = scale * CONTACTS_PER_REFERRAL * REFERRALS.value / 1e4;
        let early_help = scale * EARLY_HELP / 1e4;
        let context = Context {
            seed,
            hazard: &hazard,
            school: &school,
            contacts,
            early_help,
            attendance: self.attendance,
        };
        let records = write_records(&context, &population, &needs, &courses);

        let people = Pseudonyms::new(population.people);
        let mut extracts = files::of_people(&population, &people);
        let (services, coverage) = files::of_services(records, &people);
        extracts.extend(services);
        let planted_dirt = if self.dirt { dirt::plant(seed, &mut extracts) } else { Vec::new() };
        Ok(Council { extracts, truth: Truth::planted(), coverage, planted_dirt, families: self.families })
    }
}

/// How many times the rate over all children that of a child at relative hazard 1 is, for what grows with
/// the square root of the hazard.
fn offer_scale(population: &Population, courses: &[Vec<ChildCourse>]) -> f64 {
    let children = population.families.iter().flat_map(|family| &family.children);
    let mut weight = 0.0;
    for (child, course) in children.zip(courses.iter().flatten()) {
        for half in FIRST_HALF..HALVES {
            let days = child.adult_from.min(BOUNDS[half + 1]) - child.birth.max(BOUNDS[half]);
            weight += f64::from(days.max(0)) / timeline::YEAR * f64::from(course.relative[half]).sqrt();
        }
    }
    care::child_years(population) / weight.max(1.0)
}

fn write_records(
    context: &Context,
    population: &Population,
    needs: &[FamilyNeeds],
    courses: &[Vec<ChildCourse>],
) -> Records {
    let pieces: Vec<Records> = population
        .families
        .par_chunks(1024)
        .map(|families| {
            let mut records = Records::new();
            for family in families {
                let place = family.number as usize;
                services::write_family(context, family, &needs[place], &courses[place], &mut records);
            }
            records
        })
        .collect();
    let mut all = Records::new();
    for piece in pieces {
        all.append(piece);
    }
    all
}

/// The files of a council, and what is known about them.
#[derive(Debug, Clone, PartialEq)]
pub struct Council {
    extracts: Vec<CouncilFile>,
    truth: Truth,
    coverage: Vec<SourceCoverage>,
    planted_dirt: Vec<PlantedDirt>,
    families: bool,
}

impl Council {
    /// The files: people, households and protected characteristics, then one for each service.
    pub fn extracts(&self) -> &[CouncilFile] {
        &self.extracts
    }

    /// One file by its name.
    pub fn extract(&self, name: &str) -> Option<&CouncilFile> {
        self.extracts.iter().find(|extract| extract.name() == name)
    }

    /// What was planted: effects and faults.
    pub fn truth(&self) -> &Truth {
        &self.truth
    }

    /// What each service declares to hold. The planted silence of one area is not declared.
    pub fn coverage(&self) -> &[SourceCoverage] {
        &self.coverage
    }

    /// The damaged rows; none in clean files.
    pub fn planted_dirt(&self) -> &[PlantedDirt] {
        &self.planted_dirt
    }

    /// The day the files were drawn. Nothing known on it or later is in them.
    pub fn extract_date(&self) -> Day {
        Day::from_epoch_days(EXTRACT)
    }
}

#[cfg(test)]
mod tests;
