//! Whose id is whose: the ids of several systems, and ids that were merged, as the people that they stand for.

use std::collections::BTreeMap;

use super::column::{Batch, Column, NO_DAY};
use super::dictionary::Dictionary;
use super::events::OPEN;
use super::extract::Extract;
use super::identity_columns::IdentityColumns;
use super::intake::{DayOf, Faults, Ledger, Reader};
use super::links::{Edge, Link, LinkKind, weigh};
use super::merges::Merges;
use super::pseudonyms::PseudonymKey;
use super::reject::{Intake, Reject, RejectReason, Remark, RemarkKind};
use crate::calendar::Day;
use crate::error::RecordsError;

/// The people that the ids of several systems stand for, and the key that makes pseudonyms of them.
///
/// # Examples
/// ```
/// use earlyhelp::calendar::AsOf;
/// use earlyhelp::records::{Extract, Identities, IdentityColumns, Records, SourceMapping};
/// use polars::df;
///
/// let columns = IdentityColumns::Crosswalk {
///     system: "system".into(),
///     local: vec!["id".into()],
///     person: "person".into(),
///     from: None,
///     to: None,
///     probability: None,
/// };
/// let whose = df!("system" => ["police", "housing"], "id" => ["N1", "T1"], "person" => ["p1", "p1"])?;
/// let identities = Identities::read([(columns, Extract::frame(whose))])?;
///
/// let notices = df!("nominal" => ["N1"], "on" => ["2024-01-05"])?;
/// let police = SourceMapping::new("police", "nominal", "incident", "on").system("police");
/// let records = Records::builder().identities(identities).source(police, Extract::frame(notices)).build()?;
/// assert_eq!(records.as_of(AsOf::new("2024-04-01".parse()?)).events("police", "p1").count(), 1);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Default)]
pub struct Identities {
    /// The place of each system, by its name in small letters.
    systems: BTreeMap<String, usize>,
    /// For each system its ids, and for each of them whose it is.
    locals: Vec<Dictionary>,
    links: Vec<Vec<Vec<Link>>>,
    pub(super) merges: Merges,
    edges: Option<Vec<Edge>>,
    intake: Vec<Intake>,
    rejects: Vec<Reject>,
    remarks: Vec<Remark>,
    key: Option<PseudonymKey>,
    keeps_way_back: bool,
}

crate::opaque_debug!(Identities);

/// What is being read of one table.
struct Table<'t> {
    reader: &'t mut Reader,
    faults: Faults,
    batch: &'t Batch,
}

impl Table<'_> {
    fn text(&self, place: usize, row: usize) -> Option<std::borrow::Cow<'_, str>> {
        self.batch.columns[place].text(row)
    }

    /// The text of a cell that has to have one.
    fn needed(&mut self, place: usize, row: usize, reason: RejectReason) -> Option<String> {
        let text = self.batch.columns[place].text(row).map(std::borrow::Cow::into_owned);
        if text.is_none() {
            self.faults.add(row, place as u32, reason);
        }
        text
    }

    fn system(&mut self, of: Of, row: usize) -> Option<Named> {
        match of {
            Of::All(place) => Some(Named::Place(place)),
            Of::Column(place) => self.needed(place, row, RejectReason::ValueMissing).map(Named::Text),
        }
    }

    fn days(&mut self, place: usize, of: DayOf) -> Vec<i32> {
        let cells: &Column = &self.batch.columns[place];
        self.faults.days((cells, self.batch.rows.len()), (place as u32, of), self.reader)
    }

    /// The probabilities of a column, or certainty where there is none.
    fn probabilities(&mut self, place: Option<usize>) -> Vec<f64> {
        let rows = self.batch.rows.len();
        match place {
            None => vec![1.0; rows],
            Some(place) => {
                self.faults.probabilities((&self.batch.columns[place], rows), place as u32, self.reader)
            }
        }
    }
}

/// The columns that a table is asked for, each once.
#[derive(Default)]
struct Asked(Vec<String>);

impl Asked {
    fn place(&mut self, name: &str) -> usize {
        self.0.iter().position(|held| held == name).unwrap_or_else(|| {
            self.0.push(name.to_owned());
            self.0.len() - 1
        })
    }

    fn optional(&mut self, name: Option<&String>) -> Option<usize> {
        name.map(|name| self.place(name))
    }
}

/// Where the parts of a table stand.
struct Layout {
    system: Of,
    local: Vec<usize>,
    person: usize,
    from: Option<usize>,
    to: Option<usize>,
    probability: Option<usize>,
    kind: LinkKind,
}

struct MergeLayout {
    table: usize,
    system: Option<usize>,
    old: usize,
    into: usize,
    on: Option<usize>,
}

struct PairLayout {
    ends: [(Of, usize); 2],
    probability: usize,
}

/// Where it stands which system an id is of.
#[derive(Clone, Copy)]
enum Of {
    /// In a column.
    Column(usize),
    /// Nowhere: all are of this one.
    All(usize),
}

/// A system that a row is about.
enum Named {
    Place(usize),
    Text(String),
}

impl Identities {
    /// Reads tables that say whose id is whose, in any number and order.
    ///
    /// # Errors
    /// [`RecordsError`] where a file cannot be read, a mapped column is not there, ids were merged in a circle, or pairs come
    /// without clusters.
    pub fn read(tables: impl IntoIterator<Item = (IdentityColumns, Extract)>) -> Result<Self, RecordsError> {
        let mut identities = Self::default();
        let tables: Vec<(IdentityColumns, Extract)> = tables.into_iter().collect();
        let several = tables.len() > 1;
        for (nth, (columns, extract)) in tables.into_iter().enumerate() {
            let name = if several { format!("{TABLES} {}", nth + 1) } else { TABLES.to_owned() };
            identities.read_table(&name, &columns, extract)?;
        }
        identities.merges.check()?;
        identities.weigh_clusters()?;
        let twice = identities.ids_of_two();
        if twice > 0 {
            let remark = Remark { source: TABLES.into(), kind: RemarkKind::IdentityTwice, rows: twice };
            identities.remarks.push(remark);
        }
        Ok(identities)
    }

    /// Makes pseudonyms of all ids by this key.
    #[must_use]
    pub fn pseudonyms(mut self, key: PseudonymKey) -> Self {
        self.key = Some(key);
        self
    }

    /// Keeps for each pseudonym the id that it was made of, for
    /// [`Records::write_way_back`](super::Records::write_way_back). Without it nothing does.
    #[cfg(feature = "full")]
    #[must_use]
    pub fn keep_way_back(mut self) -> Self {
        self.keeps_way_back = true;
        self
    }

    /// What became of the tables' rows.
    #[must_use]
    pub fn intake(&self) -> &[Intake] {
        &self.intake
    }

    /// The rejected rows of the tables.
    #[must_use]
    pub fn rejects(&self) -> &[Reject] {
        &self.rejects
    }

    pub(super) fn remarks(&self) -> &[Remark] {
        &self.remarks
    }

    pub(super) fn key(&self) -> Option<&PseudonymKey> {
        self.key.as_ref()
    }

    /// Whether they say of an id whose it is, so that the list of people decides with them.
    pub(super) fn are_plain(&self) -> bool {
        self.systems.is_empty() && !self.merges.reach(None)
    }

    /// Tells all that they say of ids.
    pub(super) fn fingerprint(&self, tell: &mut dyn FnMut(&str)) {
        tell(&format!("{:?}", self.systems));
        for (ids, links) in self.locals.iter().zip(&self.links) {
            for (nth, id) in ids.texts().enumerate() {
                tell(id);
                tell(&format!("{:?}", links.get(nth)));
            }
        }
        self.merges.fingerprint(tell);
        tell(&self.key.as_ref().map(PseudonymKey::fingerprint).unwrap_or_default());
    }

    pub(super) fn keeps_way_back(&self) -> bool {
        self.keeps_way_back
    }

    /// The place of a system that a table is said to have its ids of.
    pub(super) fn system(&self, of: &str, name: &str) -> Result<usize, RecordsError> {
        let place = self.systems.get(&folded(name)).copied();
        place.filter(|&place| self.links[place].iter().any(|links| !links.is_empty())).ok_or_else(|| {
            let why = format!(
                "it has the ids of system \"{name}\", and no row of `[[identities]]` is about that system; write the system as \
                 the tables name it"
            );
            RecordsError::Mapping { extract: of.to_owned(), why }
        })
    }

    /// Whose an id is: each person with the days on which it is theirs. Without a system it is a person's own already.
    pub(super) fn whose(&self, system: Option<usize>, id: &str) -> Vec<Link> {
        let mut found = Vec::new();
        for (id, merged) in self.merges.follow(system, id) {
            let Some(place) = system else {
                found.push(Link { known: merged, ..Link::of(&id) });
                continue;
            };
            let code = self.locals[place].find(&id);
            for link in code.map_or(&[][..], |code| &self.links[place][code as usize]) {
                for (person, again) in self.merges.follow(None, &link.person) {
                    found.push(Link { person, known: merged.max(again), ..link.clone() });
                }
            }
        }
        found
    }

    /// How many ids were merged on a day after this one: until then their records are nobody's.
    pub(super) fn merged_after(&self, day: Day) -> u64 {
        self.merges.after(day.epoch_days())
    }

    /// How many ids were merged into one that is nobody's: into a person's whom `is_listed` does not know, where there is a
    /// list, or into a system's that no table says whose it is.
    pub(super) fn merged_into_nobody(&self, is_listed: Option<&dyn Fn(&str) -> bool>) -> u64 {
        let is_somebodys = |system: Option<usize>, id: &str| match system {
            None => is_listed.is_none_or(|is_listed| {
                let pseudonym = self.key.as_ref().map(|key| key.of_person(id));
                is_listed(pseudonym.as_deref().unwrap_or(id))
            }),
            Some(place) => {
                let code = self.locals[place].find(id);
                code.is_some_and(|code| {
                    self.links[place].get(code as usize).is_some_and(|links| !links.is_empty())
                })
            }
        };
        let is_lost = |(system, id): &(Option<usize>, &str)| {
            self.merges.follow(*system, id).iter().all(|(end, _)| !is_somebodys(*system, end))
        };
        self.merges.ids().filter(is_lost).count() as u64
    }

    fn place_of(&mut self, system: &str) -> usize {
        let place = *self.systems.entry(folded(system)).or_insert(self.locals.len());
        if place == self.locals.len() {
            self.locals.push(Dictionary::default());
            self.links.push(Vec::new());
        }
        place
    }

    /// The place of an id among those of its system.
    fn local(&mut self, system: usize, id: &str) -> u32 {
        let code = self.locals[system].intern(id);
        let links = &mut self.links[system];
        if links.len() <= code as usize {
            links.resize_with(code as usize + 1, Vec::new);
        }
        code
    }

    fn add(&mut self, system: usize, id: &str, link: Link) {
        let code = self.local(system, id);
        let held = &mut self.links[system][code as usize];
        match held
            .iter_mut()
            .find(|held| (&held.person, held.from, held.to) == (&link.person, link.from, link.to))
        {
            // Of two rows that say the same the surer one: each alone is enough.
            Some(held) => held.probability = held.probability.max(link.probability),
            None => held.push(link),
        }
    }

    fn read_table(
        &mut self,
        name: &str,
        columns: &IdentityColumns,
        extract: Extract,
    ) -> Result<(), RecordsError> {
        let mut asked = Asked::default();
        let layouts = self.layouts(columns, &mut asked);
        let merges = self.merges_of(name, columns, &mut asked);
        let pairs = self.pairs_of(columns, &mut asked);
        let wanted: Vec<&str> = asked.0.iter().map(String::as_str).collect();
        let mut ledger = Ledger::default();
        let mut reader = Reader::new(extract.how(), None);
        let mut files = Vec::new();
        extract.read(name, (&wanted, &[]), &mut files, &mut |batch| {
            reader.begin(&batch);
            let mut table = Table { reader: &mut reader, faults: Faults::default(), batch: &batch };
            for layout in &layouts {
                self.take_links(&mut table, layout);
            }
            if let Some(layout) = &merges {
                self.take_merges(&mut table, layout);
            }
            if let Some(layout) = &pairs {
                self.take_pairs(&mut table, layout);
            }
            ledger.judge(&batch, &table.faults);
            Ok(())
        })?;
        reader.check(name, &wanted)?;
        let closed = ledger.close(name, &files, &wanted);
        self.intake.push(closed.intake);
        self.rejects.extend(closed.rejects);
        self.remarks.extend(closed.remarks);
        Ok(())
    }

    /// Where each link of a row stands: one, or one for each system.
    fn layouts(&mut self, columns: &IdentityColumns, asked: &mut Asked) -> Vec<Layout> {
        match columns {
            IdentityColumns::Crosswalk { system, local, person, from, to, probability } => vec![Layout {
                system: Of::Column(asked.place(system)),
                local: local.iter().map(|name| asked.place(name)).collect(),
                person: asked.place(person),
                from: asked.optional(from.as_ref()),
                to: asked.optional(to.as_ref()),
                probability: asked.optional(probability.as_ref()),
                kind: LinkKind::Id,
            }],
            IdentityColumns::Wide { person, systems, probability } => {
                let person = asked.place(person);
                let probability = asked.optional(probability.as_ref());
                let of_system = |(system, column): (&String, &String)| Layout {
                    system: Of::All(self.place_of(system)),
                    local: vec![asked.place(column)],
                    person,
                    from: None,
                    to: None,
                    probability,
                    kind: LinkKind::Person,
                };
                systems.iter().map(of_system).collect()
            }
            IdentityColumns::SplinkClusters { cluster, id, dataset, system } => vec![Layout {
                system: match system {
                    Some(system) => Of::All(self.place_of(system)),
                    None => Of::Column(asked.place(dataset)),
                },
                local: vec![asked.place(id)],
                person: asked.place(cluster),
                from: None,
                to: None,
                probability: None,
                kind: LinkKind::Cluster,
            }],
            IdentityColumns::Merged { .. } | IdentityColumns::SplinkPairs { .. } => Vec::new(),
        }
    }

    fn merges_of(&mut self, name: &str, columns: &IdentityColumns, asked: &mut Asked) -> Option<MergeLayout> {
        let IdentityColumns::Merged { old, into, on, system } = columns else { return None };
        Some(MergeLayout {
            table: self.merges.table(name),
            system: system.as_deref().map(|system| self.place_of(system)),
            old: asked.place(old),
            into: asked.place(into),
            on: asked.optional(on.as_ref()),
        })
    }

    fn pairs_of(&mut self, columns: &IdentityColumns, asked: &mut Asked) -> Option<PairLayout> {
        let IdentityColumns::SplinkPairs { probability, id, dataset, system } = columns else { return None };
        self.edges.get_or_insert_default();
        let system = system.as_deref().map(|system| self.place_of(system));
        let ends = ["l", "r"].map(|side| {
            let of = match system {
                Some(place) => Of::All(place),
                None => Of::Column(asked.place(&format!("{dataset}_{side}"))),
            };
            (of, asked.place(&format!("{id}_{side}")))
        });
        Some(PairLayout { ends, probability: asked.place(probability) })
    }

    fn take_links(&mut self, table: &mut Table<'_>, layout: &Layout) {
        let from = layout.from.map(|place| table.days(place, DayOf::Optional));
        let to = layout.to.map(|place| table.days(place, DayOf::End));
        let probabilities = table.probabilities(layout.probability);
        for (row, &probability) in probabilities.iter().enumerate() {
            let system = table.system(layout.system, row);
            let id: Option<Vec<_>> = layout.local.iter().map(|&place| table.text(place, row)).collect();
            let id = id.map(|parts| parts.join("/"));
            if id.is_none() && layout.kind != LinkKind::Person {
                table.faults.add(row, layout.local[0] as u32, RejectReason::EntityMissing);
            }
            let person = table.needed(layout.person, row, RejectReason::EntityMissing);
            let day = |days: Option<&Vec<i32>>, none: i32| {
                days.map_or(none, |days| if days[row] == NO_DAY { none } else { days[row] })
            };
            let (from, to) = (day(from.as_ref(), i32::MIN), day(to.as_ref(), OPEN));
            if to <= from {
                let column = layout.to.unwrap_or(layout.person);
                table.faults.add(row, column as u32, RejectReason::EndBeforeStart);
            }
            let (Some(system), Some(id), Some(person)) = (system, id, person) else { continue };
            if table.faults.is_sound(row) {
                let link = Link { from, to, probability, kind: layout.kind, ..Link::of(&person) };
                let system = self.place_in(&system);
                self.add(system, &id, link);
            }
        }
    }

    fn take_merges(&mut self, table: &mut Table<'_>, layout: &MergeLayout) {
        let on = layout.on.map(|place| table.days(place, DayOf::Optional));
        for row in 0..table.batch.rows.len() {
            let old = table.needed(layout.old, row, RejectReason::EntityMissing);
            let into = table.text(layout.into, row);
            let (Some(old), Some(into)) = (old, into) else { continue };
            if !table.faults.is_sound(row) {
                continue;
            }
            if old == into {
                table.faults.remark(RemarkKind::MergedIntoItself);
                continue;
            }
            let on = on.as_ref().map_or(NO_DAY, |on| on[row]);
            let place = (layout.table, table.batch.rows.position(row));
            self.merges.add((layout.system, &old), (&into, on), place);
        }
    }

    fn take_pairs(&mut self, table: &mut Table<'_>, layout: &PairLayout) {
        let probabilities = table.probabilities(Some(layout.probability));
        for (row, &probability) in probabilities.iter().enumerate() {
            let ends = layout.ends.map(|(of, id)| {
                table.system(of, row).zip(table.needed(id, row, RejectReason::EntityMissing))
            });
            let [Some(left), Some(right)] = ends else { continue };
            if table.faults.is_sound(row) {
                let ends = [left, right].map(|(system, id)| {
                    let system = self.place_in(&system);
                    (system, self.local(system, &id))
                });
                self.edges.get_or_insert_default().push(Edge { ends, probability });
            }
        }
    }

    fn place_in(&mut self, system: &Named) -> usize {
        match system {
            Named::Place(place) => *place,
            Named::Text(name) => self.place_of(name),
        }
    }

    /// Gives each record of a cluster its probability: see [`weigh`].
    fn weigh_clusters(&mut self) -> Result<(), RecordsError> {
        let Some(edges) = self.edges.take() else { return Ok(()) };
        let Some(weights) = weigh(&self.links, &edges) else {
            let why = "pairs say how sure a link is, and not whose an id is; give the clusters that Splink made of them as well \
                       (form = \"splink_clusters\")";
            return Err(RecordsError::Mapping { extract: TABLES.into(), why: why.into() });
        };
        for ([system, id, nth], weight) in weights {
            self.links[system][id][nth].probability = weight;
        }
        Ok(())
    }

    /// How many ids stand for two people on one day: what is recorded under them is nobody's.
    fn ids_of_two(&self) -> u64 {
        let mut found = self.merges.of_two(None);
        for (system, (names, links)) in self.locals.iter().zip(&self.links).enumerate() {
            for (id, held) in links.iter().enumerate() {
                let id = names.text(id as u32);
                if held.len() < 2 && !self.merges.has(Some(system), id) {
                    continue;
                }
                let whose = self.whose(Some(system), id);
                let clash = |a: &Link, b: &Link| a.person != b.person && a.from < b.to && b.from < a.to;
                found += u64::from(whose.iter().any(|a| whose.iter().any(|b| clash(a, b))));
            }
        }
        found
    }
}

/// The name of the tables in what is said of them.
pub(super) const TABLES: &str = "identities";

fn folded(system: &str) -> String {
    system.trim().to_lowercase()
}
