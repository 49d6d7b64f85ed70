//! What only the organisation can say.

use serde::{Deserialize, Serialize};

use crate::error::ReportError;

/// What an organisation says about its use of a model, for the papers. Everything is optional: what is not
/// said is marked in the papers as still to be completed.
///
/// All fields are plain text in whole sentences, for the public. Name roles where you can, and people only
/// where they are public office holders: the record will be published.
///
/// # Examples
/// ```
/// use earlyhelp::report::papers::Organisation;
///
/// let organisation = Organisation::from_toml(
///     r#"
/// name = "A Borough Council"
/// contact_email = "early.help@example.org"
/// senior_responsible_owner = "Director of Children's Services"
/// appeals = "Write to the address above; an officer who did not see the list looks at the case again."
/// "#,
/// )?;
/// assert_eq!(organisation.name.as_deref(), Some("A Borough Council"));
/// assert!(organisation.website.is_none());
/// # Ok::<(), earlyhelp::error::ReportError>(())
/// ```
///
/// # References
/// Government Digital Service, *Algorithmic Transparency Recording Standard: guidance for public sector bodies*
/// (gov.uk, updated 8 May 2025).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
#[non_exhaustive]
pub struct Organisation {
    /// The full name of the public body.
    pub name: Option<String>,
    /// A public page about the tool.
    pub website: Option<String>,
    /// Where the public can write to.
    pub contact_email: Option<String>,
    /// How far the use has come: idea, design, development, beta or pilot, production, retired.
    pub phase: Option<String>,
    /// Where the tool is used.
    pub region: Option<String>,
    /// The team that is responsible.
    pub team: Option<String>,
    /// The role of the one person who answers for the tool.
    pub senior_responsible_owner: Option<String>,
    /// Whether others than the organisation build, run or supply the tool, and how.
    pub third_party_involvement: Option<String>,
    /// The supplier's name.
    pub third_party: Option<String>,
    /// The supplier's number at Companies House.
    pub companies_house_number: Option<String>,
    /// What the supplier does.
    pub third_party_role: Option<String>,
    /// How the contract was awarded.
    pub procurement: Option<String>,
    /// What data the supplier can see, and on what terms.
    pub third_party_data_access: Option<String>,
    /// What problem the tool is to solve here, and why it was chosen.
    pub description: Option<String>,
    /// What the tool is hoped to bring, and for whom.
    pub benefits: Option<String>,
    /// How it was done before.
    pub previous_process: Option<String>,
    /// What else was considered, and why it was not chosen.
    pub alternatives: Option<String>,
    /// How the lists fit into the service's work.
    pub process: Option<String>,
    /// Who reviews, with what information, time and power to disagree.
    pub human_review: Option<String>,
    /// How often lists are made, and how many people they are about.
    pub frequency: Option<String>,
    /// The training of those who review and those who run it.
    pub training: Option<String>,
    /// How people are told, can contest, and have a person look again.
    pub appeals: Option<String>,
    /// Where the software runs, and what is around it.
    pub system_architecture: Option<String>,
    /// Who maintains it, and when it is checked.
    pub maintenance: Option<String>,
    /// Which data are special category or criminal offence data, and why they are needed.
    pub sensitive_data: Option<String>,
    /// Who is missing from the data or misrepresented in it.
    pub completeness: Option<String>,
    /// What was done to the data before the extracts were made.
    pub cleaning: Option<String>,
    /// What the data were first gathered for, and by whom.
    pub collection: Option<String>,
    /// Where data, lists and models are kept, and who has access.
    pub storage: Option<String>,
    /// The agreements under which data are shared.
    pub sharing: Option<String>,
    /// The lawful basis, source by source.
    pub legal_basis: Option<String>,
    /// How long extracts, lists and decisions are kept, and who deletes them.
    pub retention: Option<String>,
    /// Who was asked for their views: those affected, staff, the data protection officer.
    pub consultation: Option<String>,
    /// The data protection impact assessment: a link, or when it was done and by whom.
    pub dpia: Option<String>,
    /// The equality impact assessment: the same.
    pub equality_impact_assessment: Option<String>,
    /// Other assessments: human rights, children's rights, ethics.
    pub other_assessments: Option<String>,
    /// Further risks, and what is done about them.
    pub risks: Option<String>,
}

impl Organisation {
    /// Reads a TOML text.
    ///
    /// # Errors
    /// [`ReportError::Render`] where it is not such a text, or has a field that there is not.
    pub fn from_toml(text: &str) -> Result<Self, ReportError> {
        toml::from_str(text).map_err(|error| unreadable(error.message()))
    }

    /// Reads a JSON text.
    ///
    /// # Errors
    /// [`ReportError::Render`] where it is not such a text, or has a field that there is not.
    pub fn from_json(text: &str) -> Result<Self, ReportError> {
        serde_json::from_str(text).map_err(|error| unreadable(&error.to_string()))
    }
}

/// What was said, where that is more than blanks.
pub(super) fn stated(said: Option<&str>) -> Option<&str> {
    said.filter(|text| !text.trim().is_empty())
}

fn unreadable(why: &str) -> ReportError {
    ReportError::Render(format!("the file about the organisation cannot be read: {why}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_forms_are_read_and_a_misspelt_field_is_refused() {
        let toml = Organisation::from_toml("name = \"A\"\nappeals = \"Write to us.\"").unwrap();
        let json = Organisation::from_json(&serde_json::to_string(&toml).unwrap()).unwrap();
        assert_eq!(toml, json);
        assert_eq!(Organisation::from_toml("").unwrap(), Organisation::default());
        for refused in
            [Organisation::from_toml("contact_mail = \"a@b.c\""), Organisation::from_json("{\"nam\":1}")]
        {
            assert!(refused.unwrap_err().to_string().contains("about the organisation"));
        }
    }
}
