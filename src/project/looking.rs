//! Looks at what was read, and says what is in it and what is wrong with it.

use std::collections::BTreeMap;

use super::check::Checked;
use super::quality::{
    CohortAtDate, DataQuality, FindingWeight, ModelAtTheDoor, NamedCount, Names, Overlap, OverlapShare,
    QualityFinding, RejectGroup, ShownCount, TableQuality, Timeliness,
};
use crate::calendar::AsOf;
use crate::error::{Error, SpecError};
use crate::monitor::{Monitor, MonitorParams};
use crate::records::{
    IdMismatch, Intake, LinkCertainty, MOST_NAMES, NameCounts, Reject, RemarkKind, SourceCounts,
};
use crate::scoring::ModelFile;
use crate::words;

impl Checked<'_> {
    /// What is in the extracts and what is wrong with it, as of a date; with what a model says of them
    /// ([`Checked::at_the_door`]), where there is one.
    ///
    /// Whatever is found is a finding, also what would be an error to a run: all of it is to be seen at once.
    ///
    /// # Examples
    /// ```
    /// use earlyhelp::project::Project;
    /// use earlyhelp::synthetic::{CouncilParams, Format};
    ///
    /// let council = CouncilParams::new(1_000, 1).generate()?;
    /// let folder = std::env::temp_dir().join("earlyhelp-project-quality");
    /// let project = Project::load(council.write(&folder, Format::Csv)?)?;
    ///
    /// let quality = project.check()?.quality("2025-04-01".parse()?, None);
    /// for table in &quality.tables {
    ///     assert_eq!(table.intake.read, table.intake.accepted + table.intake.rejected);
    /// }
    /// # Ok::<(), earlyhelp::Error>(())
    /// ```
    #[must_use]
    pub fn quality(&self, as_of: AsOf, model: Option<ModelAtTheDoor>) -> DataQuality {
        let records = self.records();
        let counts: Vec<(&str, SourceCounts)> =
            records.all_sources().map(|held| (held.name.as_str(), held.counted(records.people()))).collect();
        let tables: Vec<TableQuality> = records
            .intake()
            .iter()
            .chain(self.protected().intake())
            .map(|intake| {
                let counted = counts.iter().find(|(name, _)| *name == intake.source).map(|(_, held)| held);
                self.table(intake, counted, as_of)
            })
            .collect();
        let mut findings: Vec<QualityFinding> = Vec::new();
        let mut add = |weight, words: String| findings.push(QualityFinding { weight, words });
        for fault in self.faults() {
            add(FindingWeight::Error, without_counts(fault));
        }
        if let Some(said) = &model {
            if let Some(why) = &said.failed {
                add(FindingWeight::Error, why.clone());
            }
            for words in said.warnings() {
                add(FindingWeight::Warning, words);
            }
        }
        for words in self.warnings(as_of) {
            add(FindingWeight::Warning, words);
        }
        for table in &tables {
            table.notes(&mut add);
        }
        for words in notes(&tables) {
            add(FindingWeight::Note, words);
        }
        let mut told = std::collections::BTreeSet::new();
        findings.retain(|finding| told.insert(finding.words.clone()));
        findings.sort_by_key(|finding| finding.weight);
        DataQuality {
            project: self.project().name.clone(),
            as_of,
            people: records.people() as u64,
            families: records.families() as u64,
            findings,
            tables,
            cohorts: self.cohorts(),
            overlaps: overlaps(&counts),
            model,
        }
    }

    /// The cohorts of the training dates; of those that cannot be chosen the faults speak.
    fn cohorts(&self) -> Vec<CohortAtDate> {
        let (project, records) = (self.project(), self.records());
        let chosen = project.training.as_of.iter().filter_map(|&as_of| project.cohort(records, as_of).ok());
        chosen.map(|cohort| CohortAtDate::of(&cohort)).collect()
    }

    /// What a model says of the records: whether its sources are what they were when it was trained, and every test of
    /// [`Monitor`] that needs no outcome.
    #[must_use]
    pub fn at_the_door(&self, model: &ModelFile, as_of: AsOf) -> ModelAtTheDoor {
        let candidate = model.candidate();
        let params = MonitorParams { seed: self.project().seed, ..MonitorParams::default() };
        let watch = match model {
            ModelFile::Released(scorer) => Monitor::new(scorer),
            ModelFile::Audited(model) => Monitor::audited(model),
        };
        let (tests, failed) = match watch.run_at_the_door(self.records(), as_of, &params) {
            Ok(report) => (report.deciding().0, None),
            Err(fault) => (Vec::new(), Some(fault.to_string())),
        };
        let changes = candidate.changed_sources(&self.records().as_of(as_of));
        ModelAtTheDoor { candidate: candidate.digest().to_owned(), changes, tests, failed }
    }

    fn table(&self, intake: &Intake, counted: Option<&SourceCounts>, as_of: AsOf) -> TableQuality {
        let records = self.records();
        let protected = self.protected();
        let mut tables = records.tables().iter().chain(protected.table());
        let read = tables.find(|table| table.source == intake.source);
        let remarks = records.remarks().iter().chain(protected.remarks());
        let remarks = remarks.filter(|remark| remark.source == intake.source);
        let rejects = self.rejects().filter(|reject| reject.source == intake.source);
        let (mut kinds, mut roles, mut categories) = (Names::default(), Names::default(), BTreeMap::new());
        if let Some(counted) = counted {
            (kinds, roles) = (Names::of(&counted.kinds), Names::of(&counted.roles));
            let named = |(column, names): &(String, Vec<NameCounts>)| (column.clone(), Names::of(names));
            categories = counted.categories.iter().map(named).collect();
        }
        TableQuality {
            intake: intake.clone(),
            files: read.map(|read| read.files.clone()).unwrap_or_default(),
            completeness: read.map(|read| read.columns.clone()).unwrap_or_default(),
            validity: RejectGroup::all(rejects),
            uniqueness: remarks.map(|remark| (remark.kind, remark.rows)).collect(),
            superseded: counted.map_or(0, |counted| counted.superseded),
            timeliness: counted.map(|counted| Timeliness::of(records, &intake.source, counted, as_of)),
            people: counted.map(|counted| ShownCount::of(people_in(&counted.has))),
            kinds,
            roles,
            categories,
            unmatched: read.map(|read| read.unmatched.clone()).unwrap_or_default(),
            links: read.and_then(|read| read.links.clone()),
        }
    }
}

impl ModelAtTheDoor {
    fn warnings(&self) -> impl Iterator<Item = String> {
        let changed = self.changes.iter().map(|change| {
            format!(
                "source {} is not what it was when the model was trained: {}; find out at the service why, or accept it \
                 by name when scoring",
                change.source, change.words
            )
        });
        // What a source lost is told above.
        let beyond = self.beyond().into_iter().filter(|about| !about.ends_with(": as at training"));
        changed.chain(beyond.map(|about| {
            format!(
                "beyond the limit of monitoring: {about}; find out whether the extract is late or changed in form, or \
                 families have changed, before a list is made"
            )
        }))
    }
}

impl RejectGroup {
    /// Groups rejects.
    fn all<'a>(rejects: impl Iterator<Item = &'a Reject>) -> Vec<Self> {
        let mut groups: BTreeMap<_, Vec<u64>> = BTreeMap::new();
        for reject in rejects {
            let key = (&reject.file, &reject.column, reject.reason, &reject.pattern);
            groups.entry(key).or_default().push(reject.row);
        }
        let group = |((file, column, reason, pattern), mut rows): ((&_, &_, _, &_), Vec<u64>)| {
            rows.sort_unstable();
            Self {
                file: Option::clone(file),
                column: Option::clone(column),
                reason,
                pattern: Option::clone(pattern),
                rows: rows.len() as u64,
                first: rows.into_iter().take(Self::FIRST).collect(),
            }
        };
        let mut groups: Vec<Self> = groups.into_iter().map(group).collect();
        groups.sort_by_key(|group| std::cmp::Reverse(group.rows));
        groups
    }
}

impl Names {
    /// Names with their counts. Where one number of records alone would be withheld, the next smallest is, too:
    /// otherwise it could be worked out from the sum.
    fn of(names: &[NameCounts]) -> Self {
        let different = names.len() as u64;
        if names.len() > MOST_NAMES {
            return Self { different, listed: Vec::new() };
        }
        let named = |held: &NameCounts| {
            let people = ShownCount::of(held.people);
            let rows = (people != ShownCount::Few).then_some(held.rows);
            NamedCount { name: held.name.clone(), people, rows }
        };
        let mut listed: Vec<NamedCount> = names.iter().map(named).collect();
        let withheld = listed.iter().filter(|held| held.rows.is_none()).count();
        if withheld == 1
            && let Some(smallest) =
                listed.iter_mut().filter(|held| held.rows.is_some()).min_by_key(|held| held.rows)
        {
            smallest.rows = None;
        }
        Self { different, listed }
    }
}

fn people_in(has: &[bool]) -> u64 {
    has.iter().filter(|&&has| has).count() as u64
}

/// For each source and each other one the share of its people who are in the other.
fn overlaps(counts: &[(&str, SourceCounts)]) -> Vec<Overlap> {
    let both = |a: &[bool], b: &[bool]| a.iter().zip(b).filter(|&(&a, &b)| a && b).count() as u64;
    let mut all = Vec::new();
    for (of, counted) in counts {
        let people = people_in(&counted.has);
        for (within, other) in counts.iter().filter(|(within, _)| within != of) {
            let share = OverlapShare::of(both(&counted.has, &other.has), people);
            all.push(Overlap { of: (*of).to_owned(), within: (*within).to_owned(), share });
        }
    }
    all
}

impl TableQuality {
    /// What is worth a look in this table alone; what is doubtful is among the warnings.
    fn notes(&self, add: &mut impl FnMut(FindingWeight, String)) {
        let name = &self.intake.source;
        if let Some(links) = &self.links
            && links.below[0] > 0
        {
            add(
                FindingWeight::Note,
                format!(
                    "{} of {name} about {} people are linked with less than {}: look at how the linkage was made",
                    words::counted(links.below[0] as usize, "row", "rows"),
                    ShownCount::of(links.people_below[0]),
                    LinkCertainty::LIMITS[0]
                ),
            );
        }
    }
}

/// A fault in words, without the number of records that each name has: they may be about few people.
fn without_counts(mut fault: Error) -> String {
    if let Error::Spec(SpecError::NoValue { held, .. }) = &mut fault {
        // As in `"school" (410), "other" (3)`.
        let mut parts = held.split("\" (");
        let mut names = parts.next().unwrap_or_default().to_owned();
        for part in parts {
            let behind =
                part.split_once(')').filter(|(count, _)| count.bytes().all(|byte| byte.is_ascii_digit()));
            names.push('"');
            names.push_str(&behind.map_or_else(|| format!(" ({part}"), |(_, behind)| behind.to_owned()));
        }
        *held = names;
    }
    fault.to_string()
}

/// What is known and dealt with, each once for all tables.
fn notes(tables: &[TableQuality]) -> Vec<String> {
    let mut notes = Vec::new();
    let by_table = |of: &dyn Fn(&TableQuality) -> u64| -> (u64, String) {
        let counts = tables.iter().map(|table| (&table.intake.source, of(table)));
        let counts: Vec<_> = counts.filter(|(_, rows)| *rows > 0).collect();
        let named: Vec<String> =
            counts.iter().map(|(name, rows)| format!("{name} {}", words::count(*rows))).collect();
        (counts.iter().map(|(_, rows)| rows).sum(), named.join(", "))
    };
    let (rejected, by) = by_table(&|table| table.intake.rejected);
    if rejected > 0 {
        let rows = words::counted(rejected as usize, "row was rejected", "rows were rejected");
        notes.push(format!(
            "{rows} ({by}): the tables below say why; mend them at the source, or the mapping"
        ));
    }
    let of_why = |table: &TableQuality| {
        let listed = table.unmatched.iter().filter(|held| held.why == IdMismatch::NotListed);
        listed.map(|held| held.rows).sum::<u64>()
    };
    let (unmatched, by) = by_table(&of_why);
    if unmatched > 0 {
        let rows = words::counted(unmatched as usize, "row has an id", "rows have an id");
        notes.push(format!("{rows} that is on no list of people ({by}): {}", IdMismatch::NotListed.words()));
    }
    let kinds: std::collections::BTreeSet<RemarkKind> =
        tables.iter().flat_map(|table| table.uniqueness.keys().copied()).collect();
    for kind in kinds {
        let (rows, by) = by_table(&|table| table.uniqueness.get(&kind).copied().unwrap_or_default());
        notes.push(format!("{}: {} ({by})", kind.words(), words::count(rows)));
    }
    notes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn few_people_are_not_told_nor_can_they_be_worked_out() {
        let shown = |people| ShownCount::of(people).to_string();
        assert_eq!([0, 1, 9, 10, 1_204].map(shown), ["0", "<10", "<10", "10", "1,204"]);
        let counts = |name: &str, rows, people| NameCounts { name: name.to_owned(), rows, people };
        let names = Names::of(&[counts("a", 50, 40), counts("b", 30, 20), counts("c", 12, 3)]);
        let rows: Vec<Option<u64>> = names.listed.iter().map(|held| held.rows).collect();
        assert_eq!(rows, [Some(50), None, None]);
        assert_eq!(names.listed[2].people, ShownCount::Few);
        let many: Vec<NameCounts> = (0..51).map(|nth| counts(&nth.to_string(), 100, 100)).collect();
        assert_eq!(Names::of(&many), Names { different: 51, listed: Vec::new() });
        for (both, all, share) in [
            (0, 40, OverlapShare::Nobody),
            (9, 40, OverlapShare::Few),
            (8, 8, OverlapShare::Few),
            (40, 40, OverlapShare::All),
            (31, 40, OverlapShare::NearlyAll),
            (10, 40, OverlapShare::Share(0.25)),
        ] {
            assert_eq!(OverlapShare::of(both, all), share, "{both} of {all}");
        }
    }

    #[test]
    fn a_fault_names_what_there_is_without_counting_it() {
        let fault = SpecError::NoValue {
            of: "feature a".to_owned(),
            source_name: "contacts".to_owned(),
            what: "kind".to_owned(),
            wanted: "schools".to_owned(),
            nearest: "; did you mean \"school\"?".to_owned(),
            held: "there are \"school\" (410), \"other\" (3) and 4 more".to_owned(),
        };
        let told = without_counts(fault.into());
        assert!(told.contains("(there are \"school\", \"other\" and 4 more)"), "{told}");
    }
}
