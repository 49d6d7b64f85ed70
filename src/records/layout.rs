//! Which columns a mapping asks a source for, and where each of its parts is among them.

use super::extract::Extract;
use super::kind::Kind;
use super::mapping::{EventColumns, Known, SourceMapping};
use super::shape::{KIND_OF_FILE, KNOWN_OF_FILE};
use crate::error::RecordsError;

/// The columns that a mapping asks for, each once, and the places of its parts among them.
pub(super) struct Layout<'m> {
    pub(super) wanted: Vec<&'m str>,
    pub(super) entity: Vec<usize>,
    pub(super) kind: Option<usize>,
    /// The two dates that say the kind, where they do.
    pub(super) kind_dates: Option<[usize; 2]>,
    pub(super) occurred: usize,
    pub(super) ended: Option<usize>,
    pub(super) known: Option<usize>,
    pub(super) ended_known: Option<usize>,
    pub(super) value: Option<usize>,
    pub(super) of: Option<usize>,
    pub(super) role: Option<usize>,
    pub(super) reference: Option<usize>,
    pub(super) incident: Option<usize>,
    pub(super) link: Option<usize>,
    pub(super) categories: Vec<usize>,
}

impl<'m> Layout<'m> {
    pub(super) fn of(columns: &'m EventColumns) -> Self {
        let mut wanted: Vec<&str> = Vec::new();
        let mut place = |name: &'m str| {
            wanted.iter().position(|&held| held == name).unwrap_or_else(|| {
                wanted.push(name);
                wanted.len() - 1
            })
        };
        let entity = columns.entity.iter().map(|name| place(name)).collect();
        let kind = match &columns.kind {
            Kind::Constant(_) | Kind::ByDates(_) => None,
            Kind::Column(name) => Some(place(name)),
            Kind::FileName(_) => Some(place(KIND_OF_FILE)),
        };
        let kind_dates = match &columns.kind {
            Kind::ByDates(by) => Some([place(&by.column), place(&by.after)]),
            Kind::Constant(_) | Kind::Column(_) | Kind::FileName(_) => None,
        };
        let occurred = place(&columns.occurred);
        let known = match &columns.known {
            Known::Column(name) => Some(place(name)),
            Known::LagDays(_) => None,
            Known::FileName(_) => Some(place(KNOWN_OF_FILE)),
        };
        let mut optional = |name: &'m Option<String>| name.as_deref().map(&mut place);
        let ended = optional(&columns.ended);
        let ended_known = optional(&columns.ended_known);
        let value = optional(&columns.value);
        let of = optional(&columns.of);
        let role = optional(&columns.role);
        let reference = optional(&columns.reference);
        let incident = optional(&columns.incident);
        let link = optional(&columns.link_probability);
        let categories = columns.categories.iter().map(|name| place(name)).collect();
        Self {
            wanted,
            entity,
            kind,
            kind_dates,
            occurred,
            ended,
            known,
            ended_known,
            value,
            of,
            role,
            reference,
            incident,
            link,
            categories,
        }
    }
}

/// Refuses codes and look-ups for columns in which nothing means something: an end that is not found would be an open
/// episode, and a role that is not found a subject.
pub(super) fn placed(mapping: &SourceMapping, extract: Extract) -> Result<Extract, RecordsError> {
    let wrong = |why: String| Err(RecordsError::Mapping { extract: mapping.name.clone(), why });
    let columns = &mapping.columns;
    let is = |named: &Option<String>, column: &str| named.as_deref() == Some(column);
    let is_kind = |column: &str| matches!(&columns.kind, Kind::Column(name) if name == column);
    let is_category = |column: &str| columns.categories.iter().any(|name| name == column);
    for column in extract.coded() {
        if !(is_kind(column) || is(&columns.role, column) || is_category(column)) {
            return wrong(format!("codes are given for \"{column}\", which is no kind, role or category"));
        }
    }
    for column in extract.joined() {
        if [&columns.role, &columns.ended, &columns.ended_known].into_iter().any(|named| is(named, column)) {
            return wrong(format!(
                "a look-up table gives \"{column}\"; a role or an end has to stand in the extract"
            ));
        }
    }
    // A role that is not known is a reject by itself.
    Ok(match &columns.role {
        Some(role) => extract.keep_unlisted(role),
        None => extract,
    })
}
