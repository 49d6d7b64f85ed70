//! The form of the Algorithmic Transparency Recording Standard.
//!
//! Section and field names and their numbers are those of template version 4.0 as far as the authors know them.
//! Some twenty were compared with a public crosswalk (0.1 to 0.5, 1.1 to 1.4, 2.1.1 to 2.1.4, 2.2.1, 2.3.2,
//! 2.4.1.2, 2.4.1.3, 2.4.1.5, 2.4.2.2, 2.4.3.1, 2.4.3.4, 2.4.4.2, 2.5.1 and 2.5.2); the others were not
//! compared with anything, and the record says so. Numbers have moved from version to version, so
//! fields are to be matched by name. The hints are ours.
//!
//! # References
//! Government Digital Service, *Algorithmic Transparency Recording Standard: guidance for public sector bodies*
//! (gov.uk, updated 8 May 2025), and the template at
//! <https://www.gov.uk/government/publications/algorithmic-transparency-template>.

/// The version of the template.
pub(super) const VERSION: &str = "4.0";

/// Where the current template stands.
pub(super) const WHERE: &str = "https://www.gov.uk/government/publications/algorithmic-transparency-template";

/// A field: its number, its name, and what belongs there.
pub(super) struct Asked {
    pub number: &'static str,
    pub name: &'static str,
    pub hint: &'static str,
}

/// A part of the form.
pub(super) struct Part {
    /// The section it stands in.
    pub section: &'static str,
    /// Its own heading, where the section has several parts.
    pub title: &'static str,
    pub fields: &'static [Asked],
}

const fn ask(number: &'static str, name: &'static str, hint: &'static str) -> Asked {
    Asked { number, name, hint }
}

/// The whole form, in order.
pub(super) const FORM: [Part; 10] = [
    Part { section: "Title and metadata", title: "", fields: &METADATA },
    Part { section: "Tier 1", title: "", fields: &TIER_1 },
    Part { section: "Tier 2: Owner and responsibility", title: "", fields: &OWNER },
    Part { section: "Tier 2: Description and rationale", title: "", fields: &RATIONALE },
    Part {
        section: "Tier 2: Deployment context (in earlier versions: Decision-making process)",
        title: "",
        fields: &DEPLOYMENT,
    },
    Part { section: "Tier 2: Tool specification", title: "System", fields: &SYSTEM },
    Part { section: "Tier 2: Tool specification", title: "Model", fields: &MODEL },
    Part { section: "Tier 2: Tool specification", title: "Development data", fields: &DEVELOPMENT },
    Part { section: "Tier 2: Tool specification", title: "Operational data", fields: &OPERATIONAL },
    Part { section: "Tier 2: Risks, mitigations and impact assessments", title: "", fields: &RISKS },
];

const METADATA: [Asked; 5] = [
    ask("0.1", "Title", "The organisation and the name of the tool."),
    ask("0.2", "Organisation name", "The full name of the public body."),
    ask("0.3", "Phase", "One of: idea, design, development, beta or pilot, production, retired."),
    ask("0.4", "Region", "Where the tool is used, such as England or one council's area."),
    ask("0.5", "One sentence description", "What it does, for whom, in one sentence."),
];

const TIER_1: [Asked; 4] = [
    ask("1.1", "Name", "What the tool is called in public."),
    ask("1.2", "Description", "What problem it is to solve here, and why it was chosen."),
    ask("1.3", "Website URL", "A public page about the tool, with this record and the model card."),
    ask("1.4", "Contact email", "An address that somebody reads."),
];

const OWNER: [Asked; 9] = [
    ask("2.1.1", "Organisation or department", "The full name of the body that carries the responsibility."),
    ask("2.1.2", "Team", "The team that runs it and answers questions."),
    ask(
        "2.1.3",
        "Senior responsible owner",
        "The role of the one person who answers for the tool, not of the person who signed for the model unless they are the same.",
    ),
    ask(
        "2.1.4",
        "Third party involvement",
        "Yes or no: whether a supplier builds, runs, hosts or supports it, or somebody else prepares the data.",
    ),
    ask("2.1.4.1", "Third party", "The name of the supplier, or \"none\"."),
    ask("2.1.4.2", "Companies House number", "The supplier's registration number, or \"none\"."),
    ask("2.1.4.3", "Third party role", "What the supplier does: installs, trains, runs, advises."),
    ask("2.1.4.4", "Procurement procedure type", "How the contract was awarded, or that none was needed."),
    ask(
        "2.1.4.5",
        "Third party data access terms",
        "What personal data the supplier can see, where, for how long, and under which contract.",
    ),
];

const RATIONALE: [Asked; 4] = [
    ask("2.2.1", "Detailed description", "Anything about the tool in your service that is not said above."),
    ask(
        "2.2.2",
        "Benefits",
        "What it is hoped to bring, for whom, and how that will be measured against doing without it.",
    ),
    ask("2.2.3", "Previous process", "How families came to notice before, and what happened then."),
    ask(
        "2.2.4",
        "Alternatives considered",
        "What else was considered (other services, more staff, a simple rule) and why it was not chosen.",
    ),
];

const DEPLOYMENT: [Asked; 5] = [
    ask(
        "2.3.1",
        "Integration into broader operational process",
        "When lists are made, who gets them, what is done next, and how families are approached.",
    ),
    ask(
        "2.3.2",
        "Human review",
        "Who reviews, by role; with what information and how much time; who has the power to disagree; who reads why they did.",
    ),
    ask(
        "2.3.3",
        "Frequency and scale of usage",
        "How often lists are made, how many people are scored, how many cases are reviewed in a year.",
    ),
    ask(
        "2.3.4",
        "Required training",
        "What reviewers and those who run it must have learnt: what a band is, what the model cannot see, how to disagree.",
    ),
    ask(
        "2.3.5",
        "Appeals and review",
        "How people are told, how they can contest, who looks again, and how a wrong record is put right.",
    ),
];

const SYSTEM: [Asked; 5] = [
    ask(
        "2.4.1.1",
        "System architecture",
        "Where it runs in your organisation, what it is connected to, and who hosts it.",
    ),
    ask("2.4.1.2", "System-level input", "What else goes in, if anything."),
    ask("2.4.1.3", "System-level output", "Where lists go, and in what form reviewers see them."),
    ask(
        "2.4.1.4",
        "Maintenance",
        "Who keeps it up, how often it is checked for drift, and who can switch it off.",
    ),
    ask("2.4.1.5", "Models", "Other models in the same process, if any."),
];

const MODEL: [Asked; 8] = [
    ask("2.4.2.1", "Model name", "The model's name."),
    ask("2.4.2.2", "Model version", "The model's version."),
    ask("2.4.2.3", "Model task", "What the model is to do."),
    ask("2.4.2.4", "Model input", "What the model reads."),
    ask("2.4.2.5", "Model output", "What the model gives."),
    ask("2.4.2.6", "Model architecture", "What kind of model it is."),
    ask("2.4.2.7", "Model performance", "How well it does."),
    ask("2.4.2.8", "Datasets and their purposes", "Which data were used for what."),
];

const DEVELOPMENT: [Asked; 9] = [
    ask(
        "2.4.3.1",
        "Development data description",
        "The systems and services that the data come from, in words the public knows.",
    ),
    ask("2.4.3.2", "Data modality", "The form of the data."),
    ask("2.4.3.3", "Data quantities", "How much data there were."),
    ask(
        "2.4.3.4",
        "Sensitive attributes",
        "Which of the data are special category or criminal offence data in your legal view, and why they are needed.",
    ),
    ask(
        "2.4.3.5",
        "Data completeness and representativeness",
        "Who is absent from the data or misrepresented in it: who uses other services, who is watched more closely, who moved.",
    ),
    ask(
        "2.4.3.6",
        "Data cleaning",
        "What was done to the data before the extracts were made: matching of people, duplicates, corrections.",
    ),
    ask(
        "2.4.3.7",
        "Data collection",
        "What the data were first gathered for, by whom, and what people were told.",
    ),
    ask(
        "2.4.3.8",
        "Data access and storage",
        "Where extracts and models are kept, who has access, and when they are deleted.",
    ),
    ask(
        "2.4.3.9",
        "Data sharing agreements",
        "The agreements, with their parties and dates, and the lawful basis for each source.",
    ),
];

const OPERATIONAL: [Asked; 5] = [
    ask("2.4.4.1", "Data sources", "Differences from the development data, if any."),
    ask("2.4.4.2", "Sensitive attributes", "Differences from the development data, if any."),
    ask(
        "2.4.4.3",
        "Data processing methods",
        "What is done to new extracts before they are read: matching, removal of names.",
    ),
    ask(
        "2.4.4.4",
        "Data access and storage",
        "Where extracts, lists and decisions are kept, who has access, and when they are deleted.",
    ),
    ask(
        "2.4.4.5",
        "Data sharing agreements",
        "The agreements for use in practice, and the lawful basis for each source.",
    ),
];

const RISKS: [Asked; 2] = [
    ask(
        "2.5.1",
        "Impact assessments",
        "The data protection impact assessment and the equality impact assessment: date, result, link.",
    ),
    ask(
        "2.5.2",
        "Risks and mitigations",
        "Risks in your own use, how likely and how grave they are, and what you do about each.",
    ),
];
