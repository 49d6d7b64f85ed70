//! What is doubtful of a project's records: what it declares and they do not bear out, or what it leaves unsaid.
//!
//! Checking, training and scoring all say it, each what bears on it, from here: who trains without a check is to hear the
//! same.

use super::{Project, SourceFile, Timeliness, UNDECIDED, counted};
use crate::calendar::{AsOf, Lookback};
use crate::features::Feature;
use crate::records::{Coverage, DaysFound, IdMismatch, Records, RemarkKind, TableRead};
use crate::words;

impl Project {
    /// What makes features and outcomes at the training dates doubtful: each a sentence. None of it stops a run, since only
    /// the council knows what is right; [`Checked::warnings`](super::Checked::warnings) says the same, and what bears on a
    /// list.
    ///
    /// # Examples
    /// ```
    /// use earlyhelp::project::Project;
    /// use earlyhelp::synthetic::{CouncilParams, Format};
    ///
    /// let council = CouncilParams::new(1_000, 1).generate()?;
    /// let folder = std::env::temp_dir().join("earlyhelp-training-warnings");
    /// let path = council.write(&folder, Format::Csv)?;
    ///
    /// // Ten years before the first record.
    /// let mut early = Project::load(&path)?;
    /// early.training.as_of[0] = "2012-04-01".parse()?;
    /// let warnings = early.training_warnings(&early.records()?);
    /// assert!(warnings.iter().any(|warning| warning.contains("begins too late for that at 2012-04-01")));
    /// # Ok::<(), earlyhelp::Error>(())
    /// ```
    #[must_use]
    pub fn training_warnings(&self, records: &Records) -> Vec<String> {
        let last = self.training.as_of.iter().max();
        last.map_or_else(Vec::new, |&last| of_training(self, records, last))
    }

    /// What makes features at one date doubtful, and with them a list: each a sentence. In what a source is not what it was
    /// when a model was trained is another matter: that stops [scoring](crate::scoring::Scorer::score).
    #[must_use]
    pub fn scoring_warnings(&self, records: &Records, as_of: AsOf) -> Vec<String> {
        let mut warnings = Vec::new();
        for source in &self.sources {
            warnings.extend(match records.days_found(&source.name) {
                None => Some(holds_nothing(&source.name)),
                Some(found) => ends_early(source, found),
            });
        }
        warnings.extend(of_people(self, records));
        warnings.extend(records.unlisted_codes().map(ToString::to_string));
        warnings.extend(records.tables().iter().flat_map(unmatched));
        warnings.extend(keys_spelt_otherwise(records));
        warnings.extend(stale(records, as_of));
        warnings.extend(not_covered(self, records, &[as_of]));
        if let Ok(features) = self.features() {
            warnings
                .extend(features.features().iter().filter_map(|feature| without_amounts(records, feature)));
        }
        warnings
    }
}

/// What bears on training; months are looked at until a date.
pub(super) fn of_training(project: &Project, records: &Records, until: AsOf) -> Vec<String> {
    let mut warnings: Vec<String> = Vec::new();
    if project.purpose.trim() == UNDECIDED {
        warnings.push("the purpose is still to be decided: say in `purpose`, in the council's own words, what scores are for".to_owned());
    }
    for source in &project.sources {
        warnings.extend(of_source(source, records.days_found(&source.name)));
    }
    warnings.extend(of_people(project, records));
    warnings.extend(records.unlisted_codes().map(ToString::to_string));
    warnings.extend(days_between_lists(project));
    warnings.extend(silent_months(records, until));
    warnings.extend(records.tables().iter().flat_map(unmatched));
    warnings.extend(keys_spelt_otherwise(records));
    if let Ok(features) = project.features() {
        let features = features.features();
        warnings.extend(counted::more_than_once(records, features, project.cohort.unit));
        warnings.extend(features.iter().filter_map(|feature| without_amounts(records, feature)));
        warnings.extend(not_covered(project, records, &project.training.as_of));
    }
    warnings
}

/// Sources that end longer before a date than is allowed.
pub(super) fn stale(records: &Records, as_of: AsOf) -> impl Iterator<Item = String> {
    records.all_sources().filter_map(move |source| {
        let (name, coverage) = (&source.name, &source.coverage);
        let allowed = coverage.stale_after_days.unwrap_or(Coverage::STALE_AFTER_DAYS);
        let found = || source.days_found().map(|found| found.last_occurred.max(found.last_known));
        let behind = as_of.day() - 1 - coverage.to.or_else(found)?;
        if behind <= i32::try_from(allowed).unwrap_or(i32::MAX) {
            return None;
        }
        let (days, end) = (words::counted(behind as usize, "day", "days"), if coverage.to.is_some() { "ends" } else { "has its last record" });
        let means = if coverage.to.is_some() {
            "its features are not covered there"
        } else {
            "it declares no `to`, so its silence since then counts as \"nothing happened\""
        };
        Some(format!(
            "source {name} {end} {days} before {as_of}, and {allowed} are allowed: {means}; get a later extract, take an earlier \
             date, or, where it comes less often than monthly, say so (`stale_after_days` in its coverage)"
        ))
    })
}

/// Ids of a table that are on no list of people, where there is a guess why.
pub(super) fn unmatched(table: &TableRead) -> impl Iterator<Item = String> {
    let name = &table.source;
    table.unmatched.iter().filter(|held| held.why != IdMismatch::NotListed).map(move |held| {
        let rows = words::counted(held.rows as usize, "row has an id", "rows have an id");
        format!("{rows} in {name} that is on no list of people: {}", held.why.words())
    })
}

/// Rows whose key is in a look-up table in another spelling.
fn keys_spelt_otherwise(records: &Records) -> impl Iterator<Item = String> {
    let kind = RemarkKind::KeySpeltOtherwise;
    records.remarks().iter().filter(move |remark| remark.kind == kind).map(move |remark| {
        let rows = words::counted(remark.rows as usize, "row", "rows");
        format!("{}: {rows} whose key is in its look-up table but for zeros before it, capitals, blanks, marks, .0 behind it, or \
             the form of a date; write it alike in both, since nothing is looked up for them", remark.source)
    })
}

/// Months that should have records and have none.
fn silent_months(records: &Records, until: AsOf) -> impl Iterator<Item = String> {
    records.all_sources().filter_map(move |source| {
        let counted = source.counted(records.people());
        let silent = Timeliness::of(records, &source.name, &counted, until).missing_months()?;
        Some(format!("source {} {silent}", source.name))
    })
}

/// A feature of amounts none of whose records has one.
fn without_amounts(records: &Records, feature: &Feature) -> Option<String> {
    let selection = feature.records.resolve(records, &feature.name).ok()?;
    let events = records.source_at(selection.source).events();
    let amounts = events.value.as_ref().filter(|_| feature.measure.needs_value())?;
    let read = || (0..events.rows()).filter(|&row| selection.matches(&events, row));
    if read().any(|row| !amounts[row].is_nan()) {
        return None;
    }
    let count = read().count();
    let rows = words::counted(count, "record", "records");
    (count > 0).then(|| format!(
        "feature {} is missing for everybody: of the {rows} that it reads in source {} none has an amount; look whether the column that \
         `value` names is the right one, and filled",
        feature.name, feature.records.source
    ))
}

/// Features that a source does not cover at some of the dates: for anybody, or for all but the youngest.
fn not_covered(project: &Project, records: &Records, dates: &[AsOf]) -> Vec<String> {
    let Ok(features) = project.features() else { return Vec::new() };
    let mut warnings = Vec::new();
    for feature in features.features() {
        let at = |is_bare: &dyn Fn(AsOf) -> bool| -> String {
            let dates = dates.iter().filter(|&&as_of| is_bare(as_of));
            dates.map(AsOf::to_string).collect::<Vec<_>>().join(", ")
        };
        let Some(source) = records.source(&feature.records.source) else { continue };
        let (begins_too_late, ended) = (
            at(&|as_of| begins_too_late(project, records, feature, as_of)),
            at(&|as_of| !source.is_fresh(as_of)),
        );
        if !begins_too_late.is_empty() {
            warnings.push(format!(
                "feature {} reads {}, and source {} begins too late for that at {begins_too_late}: there it is not covered for \
                 whoever was born before the window; take later dates or a shorter window, or state an earlier `from` where \
                 the source does hold more",
                feature.name, feature.over, source.name
            ));
        }
        if !ended.is_empty() {
            warnings.push(format!(
                "feature {} is not covered for anybody at {ended}: source {} ends too long before; take earlier dates, get a \
                 later extract, or state a later `to` where the source does hold more",
                feature.name, source.name
            ));
        }
    }
    warnings
}

fn begins_too_late(project: &Project, records: &Records, feature: &Feature, as_of: AsOf) -> bool {
    let Some(source) = records.source(&feature.records.source) else { return false };
    let from = source.begins_by(as_of);
    let start = feature.over.start(AsOf::new(project.cohort.first_seen(as_of)));
    // "Ever" begins with the source; but there has to be one.
    from.is_none_or(|from| feature.over != Lookback::Ever && from > start.epoch_days())
}

/// Where cases have days of their own: that dates lie further apart than the span that each takes.
fn days_between_lists(project: &Project) -> Option<String> {
    let cohort = &project.cohort;
    let within = cohort.own_day.as_ref()?.within;
    let mut dates = project.training.as_of.clone();
    dates.sort_unstable();
    let (before, after) = dates
        .windows(2)
        .map(|pair| (pair[0], pair[1]))
        .find(|&(before, after)| cohort.first_seen(after) > before.day() + 1)?;
    Some(format!(
        "`own_day` takes those who are due in the {within} up to each date, and from {before} to {after} it is longer: whoever is \
         due in between is in no cohort; make `within` as long as dates are apart, or add dates"
    ))
}

/// What is doubtful of the lists of people and households.
fn of_people(project: &Project, records: &Records) -> Vec<String> {
    let mut doubts = Vec::new();
    let (people, housed) = (records.people(), records.housed());
    if project.households.is_some() && 2 * housed < people {
        doubts.push(format!(
            "the list of households has {housed} of {people} people: of the others nobody knows with whom they live, each is a \
             family by themselves, and features of a household are missing"
        ));
    }
    let unusable = records.remarks().iter().filter(|remark| remark.kind == RemarkKind::PartingUnusable);
    let unusable: u64 = unusable.map(|remark| remark.rows).sum();
    if unusable > 0 {
        let days = words::counted(unusable as usize, "day", "days");
        doubts.push(format!(
            "the list of people has {days} of death or leaving that cannot be read or cannot be: these people count as being \
             here, and may be listed"
        ));
    }
    doubts
}

fn holds_nothing(source: &str) -> String {
    format!("source {source} holds no record")
}

/// Where a source's declared coverage and the days in its records do not fit.
fn of_source(source: &SourceFile, found: Option<DaysFound>) -> Vec<String> {
    let (name, coverage) = (&source.name, &source.coverage);
    let Some(found) = found else { return vec![holds_nothing(name)] };
    let mut doubts = Vec::new();
    match coverage.from {
        None => doubts.push(format!(
            "source {name} declares no `from` in its coverage: it counts as beginning on {}, the first day in its records; \
             state the day from which it is complete",
            found.first_occurred
        )),
        Some(from) if found.first_occurred - from > SILENT_DAYS => doubts.push(format!(
            "source {name} is declared complete from {from}, and its first record is of {}: a record missing before that day \
             counts as \"nothing happened\"",
            found.first_occurred
        )),
        Some(_) => {}
    }
    doubts.extend(ends_early(source, found));
    doubts
}

/// Where the last record and the declared end do not fit.
fn ends_early(source: &SourceFile, found: DaysFound) -> Option<String> {
    let (name, coverage) = (&source.name, &source.coverage);
    let last = found.last_occurred.max(found.last_known);
    let allowed = coverage.stale_after_days.unwrap_or(Coverage::STALE_AFTER_DAYS);
    match coverage.to {
        None => Some(format!(
            "source {name} declares no `to` in its coverage: it counts as complete up to any date, and its last record is of \
             {last}"
        )),
        Some(to) if to - last > i32::try_from(allowed).unwrap_or(i32::MAX) => Some(format!(
            "source {name} is declared complete up to {to}, and its last record is of {last}: it may have been cut short"
        )),
        Some(_) => None,
    }
}

/// Days at the beginning of a source without any record from which somebody has to be asked: about a month.
const SILENT_DAYS: i32 = 31;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::records::{Extract, SourceMapping};

    #[test]
    fn what_is_declared_stands_beside_what_is_found() {
        let day = |text: &str| text.parse().unwrap();
        let found = DaysFound {
            first_occurred: day("2021-05-01"),
            last_occurred: day("2021-06-01"),
            first_known: day("2021-05-01"),
            last_known: day("2021-06-01"),
        };
        let doubts = |from: Option<&str>, to: Option<&str>| {
            let text = "name = \"contacts\"\npath = \"contacts.csv\"\ncolumns = { entity = \"who\", kind = { constant = \"contact\" }, \
                        occurred = \"on\" }\n";
            let mut source: SourceFile = toml::from_str(text).unwrap();
            source.coverage.from = from.map(day);
            source.coverage.to = to.map(day);
            of_source(&source, Some(found)).join("\n")
        };
        assert_eq!(doubts(Some("2021-04-20"), Some("2021-06-20")), "");
        assert!(doubts(Some("2020-01-01"), Some("2021-06-20")).contains("first record is of 2021-05-01"));
        assert!(doubts(Some("2021-04-20"), Some("2023-01-01")).contains("last record is of 2021-06-01"));
        let both = doubts(None, None);
        assert!(both.contains("no `from`") && both.contains("no `to`"), "{both}");
    }

    #[test]
    fn a_source_that_ends_says_what_its_silence_means() {
        let read = |to: Option<&str>| {
            let coverage = Coverage { to: to.map(|day| day.parse().unwrap()), ..Coverage::default() };
            let table = polars::df!("who" => ["a"], "on" => ["2021-06-01"]).unwrap();
            let mapping = SourceMapping::new("contacts", "who", "contact", "on").coverage(coverage);
            Records::builder().source(mapping, Extract::frame(table)).build().unwrap()
        };
        let told = |to, as_of: &str| stale(&read(to), as_of.parse().unwrap()).collect::<Vec<_>>().join("\n");
        assert_eq!(told(Some("2021-06-30"), "2021-07-15"), "");
        let ended = told(Some("2021-06-30"), "2023-07-01");
        assert!(ended.contains("ends 730 days before") && ended.contains("not covered there"), "{ended}");
        let open = told(None, "2023-07-01");
        assert!(open.contains("759 days before") && open.contains("\"nothing happened\""), "{open}");
    }
}
