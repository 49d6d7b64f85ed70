//! The record of the Algorithmic Transparency Recording Standard.

use std::collections::BTreeMap;

use super::answers::{self, Answer, Known};
use super::document::{Document, Kind, Section};
use super::organisation::Organisation;
use super::parts::{Block, Field};
use super::template::{Asked, FORM, Part, VERSION, WHERE};
use crate::project::Project;
use crate::report::AnyModel;

/// The record of the UK Algorithmic Transparency Recording Standard: tier 1 and every field of tier 2, by name.
///
/// What the model file and the project file say is filled in, and so is what the organisation says. Where
/// something is left for the organisation, the field says so and what belongs there;
/// [`Document::fields`] finds them. The names of the fields are those of template version 4.0; compare with the
/// current template before publishing.
///
/// # Examples
/// ```
/// use earlyhelp::report::papers::{Organisation, atrs};
/// use earlyhelp::scoring::Scorer;
///
/// fn open_questions(model: &Scorer) -> usize {
///     let record = atrs(model, None, &Organisation::default());
///     record.fields().iter().filter(|field| field.to_complete.is_some()).count()
/// }
/// ```
///
/// # References
/// Government Digital Service, *Algorithmic Transparency Recording Standard: guidance for public sector bodies*
/// (gov.uk, updated 8 May 2025).
#[must_use]
pub fn atrs<'a>(
    model: impl Into<AnyModel<'a>>,
    project: Option<&Project>,
    organisation: &Organisation,
) -> Document {
    let known = Known { model: model.into(), project, organisation };
    let mut answers = answers::all(&known);
    let sections = sections(&mut answers);
    let lead = vec![
        format!(
            "This record is laid out after the UK Algorithmic Transparency Recording Standard, version {VERSION}, as far as \
             the makers of this software know it: they did not have the template file itself to compare with. Names and \
             numbers of fields have moved from version to version, so match fields by name, and compare with the \
             current template before you publish: {WHERE}"
        ),
        "What the model file and the project file say is filled in by the software. What only the organisation can say \
         is marked, with a hint of what belongs there. Behind each measured figure stand its 95% interval and n, the \
         number of cases it rests on. Words of the field are explained at the end."
            .to_owned(),
    ];
    let title = format!("Algorithmic transparency record: {}", known.name());
    Document::new(Kind::AtrsRecord, title, known.model.digest(), lead, sections)
}

/// The form with its answers.
fn sections(answers: &mut BTreeMap<&str, Answer>) -> Vec<Section> {
    let mut sections: Vec<(&str, Vec<Block>, Vec<Section>)> = Vec::new();
    for Part { section, title, fields } in FORM {
        let blocks: Vec<Block> =
            fields.iter().map(|asked| field(asked, answers.remove(asked.number))).collect();
        if sections.last().is_none_or(|last| last.0 != section) {
            sections.push((section, Vec::new(), Vec::new()));
        }
        let Some((_, own, inner)) = sections.last_mut() else { continue };
        if title.is_empty() { own.extend(blocks) } else { inner.push(Section::new(title, blocks, "")) }
    }
    sections
        .into_iter()
        .map(|(title, blocks, inner)| match Section::over(title, inner) {
            Some(section) => section,
            None => Section::new(title, blocks, ""),
        })
        .collect()
}

fn field(asked: &Asked, answer: Option<Answer>) -> Block {
    let Answer { blocks, asks } = answer.unwrap_or_else(|| Answer::asked(None));
    Block::Field(Field {
        number: asked.number.to_owned(),
        name: asked.name.to_owned(),
        blocks,
        to_complete: asks.then(|| asked.hint.to_owned()),
    })
}
