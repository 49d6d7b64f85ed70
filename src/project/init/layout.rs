//! Layouts that many councils share: which of their tables and columns mean what, as data.

use serde::{Deserialize, Serialize};

use super::aim::Wanted;
use super::guess::{shown, stem};
use super::plan::{Plan, Taken};
use super::words;
use crate::error::ProjectError;
use crate::fairness::ProtectedColumns;
use crate::features::FeatureTemplate;
use crate::records::{EventColumns, HouseholdColumns, Kind, Known, PeopleColumns, Table};

/// A layout that is shipped with the crate.
///
/// Tables of a folder are found by the names of files or sheets and of columns; what a folder lacks is left out and said.
///
/// # Examples
/// ```
/// use earlyhelp::project::Layout;
///
/// assert_eq!("annex-a".parse(), Ok(Layout::AnnexA));
/// assert!("annex-b".parse::<Layout>().is_err());
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Layout {
    /// The Standard Safeguarding Dataset: what the sector's own extract makes of most case systems.
    Ssd,
    /// Annex A: the lists of children that a council hands to inspectors. They hold one inspection's window, so they
    /// rather try out a project than train a model.
    AnnexA,
    /// SSDA903: the yearly return on looked-after children.
    Ssda903,
    /// The children in need census: the yearly return on children who were referred to children's social care, a table for
    /// each of its modules.
    CscCensus,
}

impl Layout {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Ssd, Self::AnnexA, Self::Ssda903, Self::CscCensus];

    /// What it is called on the command line.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Ssd => "ssd",
            Self::AnnexA => "annex-a",
            Self::Ssda903 => "ssda903",
            Self::CscCensus => "csc-census",
        }
    }

    fn text(self) -> &'static str {
        match self {
            Self::Ssd => include_str!("layouts/ssd.toml"),
            Self::AnnexA => include_str!("layouts/annex_a.toml"),
            Self::Ssda903 => include_str!("layouts/ssda903.toml"),
            Self::CscCensus => include_str!("layouts/csc_census.toml"),
        }
    }

    pub(super) fn read(self) -> Result<LayoutText, ProjectError> {
        toml::from_str(self.text())
            .map_err(|error| ProjectError::Parse(format!("layout {}: {error}", self.name())))
    }
}

impl std::str::FromStr for Layout {
    type Err = ProjectError;

    fn from_str(text: &str) -> Result<Self, ProjectError> {
        Self::ALL.into_iter().find(|layout| layout.name() == text).ok_or_else(|| ProjectError::Range {
            key: "layout",
            why: format!("there are {}", Self::ALL.map(Self::name).join(", ")),
        })
    }
}

/// A layout as it is written down.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct LayoutText {
    table: Vec<LaidOut>,
    /// What a model could foresee, the likeliest first.
    pub(super) outcome: Vec<Wanted>,
    pub(super) feature: Vec<FeatureTemplate>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct LaidOut {
    name: String,
    /// Names of files or sheets.
    files: Vec<String>,
    columns: ColumnsOf,
    /// Other names of its columns.
    #[serde(default)]
    aliases: std::collections::BTreeMap<String, Vec<String>>,
    #[serde(default)]
    notes: Vec<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
enum ColumnsOf {
    People(PeopleColumns),
    Households(HouseholdColumns),
    Protected(ProtectedColumns),
    Source(Box<EventColumns>),
}

/// The names of a table's columns, by what a layout calls them.
struct Names<'t> {
    table: &'t Table,
    laid_out: &'t LaidOut,
}

fn same(a: &str, b: &str) -> bool {
    words::words(a).concat() == words::words(b).concat()
}

impl Names<'_> {
    fn held(&self, wanted: &str) -> Option<String> {
        let others = self.laid_out.aliases.get(wanted).into_iter().flatten().map(String::as_str);
        let held = |name: &str| self.table.columns.iter().find(|facts| same(&facts.name, name));
        std::iter::once(wanted).chain(others).find_map(held).map(|facts| facts.name.clone())
    }

    fn all(&self, wanted: &[String]) -> Option<Vec<String>> {
        wanted.iter().map(|name| self.held(name)).collect()
    }

    fn some(&self, wanted: Option<&String>) -> Option<String> {
        wanted.and_then(|name| self.held(name))
    }

    /// The columns under the names that the table has; `None` where it lacks one that is needed.
    fn columns(&self) -> Option<ColumnsOf> {
        Some(match &self.laid_out.columns {
            ColumnsOf::People(of) => ColumnsOf::People(PeopleColumns {
                person: self.all(&of.person)?,
                date_of_birth: self.some(of.date_of_birth.as_ref()),
                died: self.some(of.died.as_ref()),
                left: self.some(of.left.as_ref()),
                system: of.system.clone(),
            }),
            ColumnsOf::Households(of) => ColumnsOf::Households(HouseholdColumns {
                person: self.all(&of.person)?,
                household: self.held(&of.household)?,
                start: self.some(of.start.as_ref()),
                end: self.some(of.end.as_ref()),
                lag_days: of.lag_days,
                system: of.system.clone(),
            }),
            ColumnsOf::Protected(of) => {
                let characteristics: Vec<String> =
                    of.characteristics.iter().filter_map(|name| self.held(name)).collect();
                if characteristics.is_empty() {
                    return None;
                }
                ColumnsOf::Protected(ProtectedColumns {
                    entity: self.all(&of.entity)?,
                    characteristics,
                    not_held: of.not_held.clone(),
                    ..ProtectedColumns::default()
                })
            }
            ColumnsOf::Source(of) => {
                let kind = match &of.kind {
                    Kind::Column(column) => Kind::Column(self.held(column)?),
                    other @ (Kind::Constant(_) | Kind::FileName(_) | Kind::ByDates(_)) => other.clone(),
                };
                let known = match &of.known {
                    Known::Column(column) => Known::Column(self.held(column)?),
                    other @ (Known::LagDays(_) | Known::FileName(_)) => other.clone(),
                };
                ColumnsOf::Source(Box::new(EventColumns {
                    entity: self.all(&of.entity)?,
                    kind,
                    occurred: self.held(&of.occurred)?,
                    ended: self.some(of.ended.as_ref()),
                    known,
                    ended_known: self.some(of.ended_known.as_ref()),
                    value: self.some(of.value.as_ref()),
                    of: self.some(of.of.as_ref()),
                    role: self.some(of.role.as_ref()),
                    reference: self.some(of.reference.as_ref()),
                    categories: of.categories.iter().filter_map(|name| self.held(name)).collect(),
                    ..(**of).clone()
                }))
            }
        })
    }
}

impl LayoutText {
    /// What its tables are called, each by its first name.
    pub(super) fn files(&self) -> Vec<&str> {
        self.table.iter().filter_map(|table| table.files.first()).map(String::as_str).collect()
    }

    /// What the tables of a folder are in this layout.
    pub(super) fn plan(&self, tables: &[Table]) -> Plan {
        let mut plan = Plan::default();
        let mut used = vec![false; tables.len()];
        for laid_out in &self.table {
            let named = |table: &Table| {
                let name = table.sheet.clone().unwrap_or_else(|| stem(&table.path));
                laid_out.files.iter().any(|file| same(&name, file))
            };
            let fits = |(place, table): (usize, &Table)| {
                let columns = Names { table, laid_out }.columns()?;
                Some((named(table), place, columns))
            };
            // By name first; and only a table that holds something.
            let fitting = tables.iter().enumerate().filter(|(_, table)| table.rows > 0).filter_map(fits);
            let Some((_, place, columns)) =
                fitting.max_by_key(|(named, place, _)| (*named, usize::MAX - place))
            else {
                plan.left_out
                    .push(format!("The folder has no table of {} ({}).", laid_out.name, laid_out.files[0]));
                continue;
            };
            used[place] = true;
            let mut notes = vec![format!("{}: {} rows.", shown(&tables[place]), tables[place].rows)];
            notes.extend(laid_out.notes.iter().cloned());
            let name = laid_out.name.clone();
            match columns {
                ColumnsOf::People(columns) => {
                    plan.people = Some(Taken { name, table: place, columns, notes });
                }
                ColumnsOf::Households(columns) => {
                    plan.households = Some(Taken { name, table: place, columns, notes });
                }
                ColumnsOf::Protected(columns) => {
                    plan.protected = Some(Taken { name, table: place, columns, notes });
                }
                ColumnsOf::Source(columns) => {
                    plan.sources.push(Taken { name, table: place, columns: *columns, notes });
                }
            }
        }
        plan.leave_out_strangers(tables);
        let rest = tables.iter().zip(&used).filter(|(_, used)| !**used);
        plan.left_out.extend(rest.map(|(table, _)| format!("{}: not read by this layout.", shown(table))));
        plan
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_layout_can_be_read_and_means_what_it_names() {
        for layout in Layout::ALL {
            let text = layout.read().unwrap();
            let names: Vec<&str> = text.table.iter().map(|table| table.name.as_str()).collect();
            for source in text.outcome.iter().map(|wanted| &wanted.source) {
                assert!(names.contains(&source.as_str()), "{}: {source}", layout.name());
            }
            for template in &text.feature {
                let is_there = names.contains(&template.source.as_str());
                assert!(is_there, "{}: {}", layout.name(), template.source);
                assert!(template.expand().is_ok() && template.why.is_some());
            }
            assert_eq!(layout.name().parse(), Ok(layout));
        }
    }
}
