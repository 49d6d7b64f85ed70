//! Evidence for a data protection impact assessment.

use super::super::words;
use super::document::{Document, Kind, Section};
use super::intrusion::{alternative, margins};
use super::organisation::Organisation;
use super::parts::{Block, Cell, Field};
use super::{afterwards, data, evidence, groups, risks, wording};
use crate::calendar::Lookback;
use crate::features::Scope;
use crate::project::Project;
use crate::records::Intake;
use crate::report::AnyModel;

/// Evidence for a data protection impact assessment (DPIA): which data flow where, what could be left out, how
/// often the lists are wrong, and what a less intrusive way would have done.
///
/// It is not a DPIA. It weighs nothing and asks nobody; it gives those who do the figures they need. `intake`
/// is what became of the rows of each source ([`Records::intake`](crate::records::Records::intake)).
///
/// # Examples
/// ```
/// use earlyhelp::project::Project;
/// use earlyhelp::report::papers::{Organisation, dpia_evidence};
/// use earlyhelp::scoring::Scorer;
///
/// fn write(model: &Scorer, project: &Project) -> earlyhelp::Result<String> {
///     let records = project.records()?;
///     let intake = Some(records.intake());
///     Ok(dpia_evidence(model, Some(project), &Organisation::default(), intake).to_markdown())
/// }
/// ```
///
/// # References
/// UK GDPR, Article 35(7), on what an assessment has to hold. Information Commissioner's Office, *Data protection
/// impact assessments*, on its steps.
#[must_use]
pub fn dpia_evidence<'a>(
    model: impl Into<AnyModel<'a>>,
    project: Option<&Project>,
    organisation: &Organisation,
    intake: Option<&[Intake]>,
) -> Document {
    let model = model.into();
    let title = format!(
        "Evidence for a data protection impact assessment: {}",
        model.candidate().outcome().words.trim_end_matches('.')
    );
    let lead = vec![
        "This is not a data protection impact assessment (DPIA). It is evidence for one: facts and figures that the \
         software can give. To weigh them, to ask those affected, and to decide is for people."
            .to_owned(),
        "Behind each measured figure stand its 95% interval and n, the number of cases it rests on. Counts are of \
         everything there was and have no interval. Words of the field are explained at the end."
            .to_owned(),
    ];
    let sections = vec![
        purpose(model, project),
        flow(model, project),
        categories(model, project),
        quantities(model, intake),
        minimisation(model, project),
        retention(model),
        margins(model),
        alternative(model),
        treated(model),
        who(model),
        Section::new("What can be checked and asked for", afterwards::blocks(), ""),
        Section::new("Risks, and what is done about them", vec![risks::table()], ""),
        left(organisation),
    ];
    Document::new(Kind::DpiaEvidence, title, model.digest(), lead, sections)
}

fn purpose(model: AnyModel<'_>, project: Option<&Project>) -> Section {
    let candidate = model.candidate();
    let purpose = model
        .sign_off()
        .map(|says| says.purpose.clone())
        .or_else(|| project.map(|project| project.purpose.clone()));
    let mut facts = vec![
        (
            "Purpose",
            purpose.map_or_else(
                || Cell::NotShown("nobody has signed for one".to_owned()),
                |purpose| Cell::text(wording::sentence(&purpose)),
            ),
        ),
        ("About whom", Cell::text(wording::capitalised(&wording::cohort(candidate.cohort())))),
        ("What is foreseen", Cell::text(wording::sentence(&candidate.outcome().words))),
    ];
    if !candidate.outcome().measures.trim().is_empty() {
        facts.push(("What that measures", Cell::text(wording::sentence(&candidate.outcome().measures))));
    }
    facts.push((
        "What it leads to",
        Cell::text("A short list for people to review. The software decides nothing."),
    ));
    facts.push(("Status", Cell::text(wording::status(model))));
    facts.push(("Digest of the model file", Cell::Code(model.digest().to_owned())));
    let mut blocks = vec![Block::facts(facts)];
    let differs = project
        .is_some_and(|project| project.features().is_ok_and(|features| features != *candidate.features()));
    if differs {
        blocks.push(Block::text(
            "Note: the project file asks for other features than those that this model has. What is said of sources and \
             columns is of the project file as it is now; what is said of features is of the model.",
        ));
    }
    Section::new("What it is for", blocks, "")
}

fn flow(model: AnyModel<'_>, project: Option<&Project>) -> Section {
    let capacity = wording::capacity(model.backtest().plan.capacity);
    let steps = vec![
        "Extracts: each service's records are copied to files, with pseudonymous ids in place of names.".to_owned(),
        "Records: every row is checked. Rows with a fault are rejected, counted and reported; only the columns named \
         below are read."
            .to_owned(),
        "Features: for each case, numbers and yes-or-no answers are computed from what was known before the day."
            .to_owned(),
        "Score: the model adds up what each term says. Score, reasons and record of use are made together and cannot be \
         parted."
            .to_owned(),
        format!("List: the highest scores make a list as long as the team can look at (in the test: {capacity})."),
        "Person: somebody opens one case, sees the reasons and the records behind them, and decides. Only then is a name \
         put to the id, outside the software."
            .to_owned(),
        "Ledger, where the organisation keeps one: who asked and for what, what each feature said of every case that was \
         scored and the score, what was shown of listed cases, who opened them and what they decided."
            .to_owned(),
    ];
    let blocks = vec![
        Block::list(steps),
        Block::text("What is read of each source, and what for:"),
        data::flows(model, project),
    ];
    Section::new("How data flow", blocks, "")
}

fn categories(model: AnyModel<'_>, project: Option<&Project>) -> Section {
    let candidate = model.candidate();
    let (one, many) = wording::unit(candidate.cohort());
    let young = candidate.cohort().ages.is_some_and(|(youngest, _)| youngest < 18);
    let mut people = vec![format!("Those who are asked about: {}.", wording::cohort(candidate.cohort()))];
    if young {
        people.push(
            "Children among them. The UK GDPR (recital 38) asks for particular care with children's data, and the \
             Information Commissioner's Office counts children among the vulnerable, and the matching of data from several \
             sources among the signs that an assessment is needed."
                .to_owned(),
        );
    }
    let household =
        candidate.features().features().iter().filter(|feature| feature.scope == Scope::Household).count();
    if household > 0 {
        people.push(format!(
            "Others in the household of such a {one}, whose records are read by {}. They are not scored themselves, and \
             may not know of it.",
            words::counted(household, "feature", "features")
        ));
    }
    let is_role = |file: &crate::project::SourceFile| file.columns.role.is_some();
    let roles: Vec<String> = project.map_or_else(Vec::new, |project| {
        project.sources.iter().filter(|file| is_role(file)).map(|file| wording::plain(&file.name)).collect()
    });
    if !roles.is_empty() {
        people.push(format!(
            "Victims, suspects and witnesses: the part that somebody played is recorded in {}.",
            wording::listed(&roles)
        ));
    }
    people.push(
        "Reviewers and those who ask for lists: their names and roles stand in the records of use and, where one is kept, \
         in the ledger."
            .to_owned(),
    );
    let mut blocks =
        vec![Block::text(format!("Kinds of people (the records are about {many}):")), Block::list(people)];
    blocks.extend(data::sensitive(model, project));
    blocks.push(Block::text(
        "What is said here goes by names alone. Whether data are special category data or criminal offence data, and \
         whether they may be used for this, is a legal question.",
    ));
    Section::new("Kinds of people and of data", blocks, "")
}

fn quantities(model: AnyModel<'_>, intake: Option<&[Intake]>) -> Section {
    let candidate = model.candidate();
    let training = candidate.training();
    let last = training.dates.last().map_or(0, |date| date.cohort);
    let facts = [
        ("Cases that the model learnt from", Cell::Count(training.rows)),
        ("Families among them", Cell::Count(training.families)),
        ("Cases with the outcome", Cell::Count(training.positives)),
        ("Cases asked about on the last date", Cell::Count(last)),
        ("Features computed for each case", Cell::Count(candidate.features().features().len() as u64)),
    ];
    let mut blocks = vec![Block::facts(facts)];
    let rows: Vec<Vec<Cell>> = intake
        .unwrap_or_default()
        .iter()
        .map(|taken| {
            vec![
                Cell::text(wording::plain(&taken.source)),
                Cell::Count(taken.read),
                Cell::Count(taken.accepted),
                Cell::Count(taken.rejected),
                Cell::text(format!("{:.1}%", 100.0 * taken.rejected_share())),
            ]
        })
        .collect();
    if rows.is_empty() {
        blocks.push(Block::text(
            "How many rows were read of each source is not known here: this paper was made without the extracts.",
        ));
    } else {
        blocks.push(Block::text("Rows of each source; those read are those accepted and those rejected:"));
        blocks.push(Block::table(["Source", "Rows read", "Accepted", "Rejected", "Share rejected"], rows));
    }
    Section::new("How much", blocks, "")
}

fn minimisation(model: AnyModel<'_>, project: Option<&Project>) -> Section {
    let mut blocks = vec![Block::text(
        "What adds nothing to any score of this model. What nothing needs should not be read: take it out of the project, \
         and train and test again.",
    )];
    for (what, found) in data::needless(model, project) {
        if found.is_empty() {
            blocks.push(Block::text(format!("{what}: none found.")));
        } else {
            blocks.push(Block::text(format!("{what}:")));
            blocks.push(Block::list(found));
        }
    }
    if project.is_none() {
        blocks.push(Block::text(
            "Columns could not be looked at: this paper was made without the project file.",
        ));
    }
    let parts = Section::new(
        "What each part is worth",
        vec![
            Block::text(
                evidence::not_shown_needed(model)
                    .map_or_else(String::new, |count| format!("{count} {}", evidence::ON_TERMS)),
            ),
            evidence::without(model),
        ],
        "The test did not look at single terms.",
    );
    Section::new("What could be left out", blocks, "").with(vec![parts])
}

fn retention(model: AnyModel<'_>) -> Section {
    let candidate = model.candidate();
    let features = candidate.features().features();
    let mut windows: Vec<(Lookback, usize)> = Vec::new();
    for feature in features.iter().filter(|feature| wording::window(feature) != "on the day") {
        match windows.iter_mut().find(|(over, _)| *over == feature.over) {
            Some((_, count)) => *count += 1,
            None => windows.push((feature.over, 1)),
        }
    }
    windows.sort_unstable();
    let rows = windows.iter().map(|(over, count)| {
        let reads = match over {
            Lookback::Ever => "as far back as the records go".to_owned(),
            over => format!("{over} before the date"),
        };
        vec![Cell::text(reads), Cell::Count(*count as u64)]
    });
    let expiry = "A score expires 31 days after its date unless the request says otherwise. After that no case can be \
                  opened or decided.";
    let review = match model.sign_off() {
        Some(says) => format!("The model expires: after {} it cannot score.", words::date(says.review_by)),
        None => "The model is not released, so it has no review-by date yet.".to_owned(),
    };
    let blocks = vec![
        Block::text(
            "The software keeps no copy of the extracts. For scoring, records older than the longest look-back below are \
             not read, so extracts need not hold them; learning from past dates needs them as far back from the earliest \
             of those dates.",
        ),
        Block::table(["How far back features read", "Features"], rows),
        Block::list([expiry.to_owned(), review]),
        Block::text(
            "Lists, decisions and records of use are files that the organisation keeps, and so is a ledger. A ledger has no \
             expiry of its own: earlyhelp purge takes one person's content out of it. How long all this is kept, and who \
             deletes it, is for the organisation to say.",
        ),
    ];
    Section::new("How long", blocks, "")
}

fn treated(model: AnyModel<'_>) -> Section {
    let blocks = groups::clear_differences(model.fairness());
    Section::new(
        "How groups are treated",
        blocks,
        "No characteristic was held, so nothing can be said about it. That is a gap, and not a finding that all is well.",
    )
}

fn who(model: AnyModel<'_>) -> Section {
    let heads = ["Who", "Sees", "Does not see"];
    let rows = [
        (
            "Those who make the extracts",
            "the records of their own service, and who is behind an id if they hold the key",
            "scores and lists",
        ),
        (
            "Those who run the software",
            "extracts with pseudonymous ids, and the lists in all their forms",
            "names, unless the extracts hold them: a name has no use here and should not be in a file",
        ),
        (
            "Reviewers",
            "for each case on a list: its id, its band with the rate that was observed, the reasons and the records \
             behind them, what was absent",
            "cases that are not on the list; the characteristics that are held for audit",
        ),
        (
            "Auditors",
            "the model file, the papers, and the records of use; in the JSON of a list every score and reason; in a ledger \
             every case that was scored, and the names of reviewers",
            "names of the people scored",
        ),
        (
            "Readers of the model file and of this paper",
            "counts and rates of groups; groups that are too small are held back",
            "any single person",
        ),
        (
            "The person concerned",
            "on request, what is held and what was inferred about them, with reasons in plain words",
            "others' records, where the law does not allow it",
        ),
    ];
    let rows = rows.map(|(who, sees, not)| [who, sees, not].map(Cell::text).to_vec());
    let refits = if model.candidate().training().ranges.is_empty() {
        ""
    } else {
        " The model file describes the values of a feature only where at least 100 cases have one."
    };
    let text = format!("As the software is made; what people do with its files is beyond it.{refits}");
    Section::new("Who sees what", vec![Block::text(text), Block::table(heads, rows)], "")
}

/// What an assessment needs and the software cannot know.
fn left(organisation: &Organisation) -> Section {
    let asked: [(&str, Option<&String>, &str); 9] = [
        (
            "Lawful basis",
            organisation.legal_basis.as_ref(),
            "For each source: the lawful basis under Article 6, and the condition for special category or criminal \
             offence data.",
        ),
        (
            "Necessity and proportion",
            organisation.alternatives.as_ref(),
            "Why this way is needed for the purpose, given the figures of the simple rules above.",
        ),
        (
            "Those affected",
            organisation.consultation.as_ref(),
            "Who was asked (families, young people, staff, the data protection officer), and what they said.",
        ),
        (
            "Information and rights",
            organisation.appeals.as_ref(),
            "How people are told, and how they can see, correct, object and contest.",
        ),
        (
            "Human review",
            organisation.human_review.as_ref(),
            "Who reviews, with what information, time and power to disagree.",
        ),
        (
            "Retention",
            organisation.retention.as_ref(),
            "How long extracts, lists, decisions and models are kept, and who deletes them.",
        ),
        (
            "Storage and access",
            organisation.storage.as_ref(),
            "Where the files are, who has access, and how it is looked after.",
        ),
        (
            "Sharing",
            organisation.sharing.as_ref(),
            "Under which agreements the data of each service are shared.",
        ),
        (
            "Risks in this use",
            organisation.risks.as_ref(),
            "How likely and how grave each risk is here, what is done about it, what remains, and who accepts it.",
        ),
    ];
    let fields = asked.into_iter().enumerate().map(|(nth, (name, said, hint))| {
        let said = said.filter(|text| !text.trim().is_empty());
        Block::Field(Field {
            number: (nth + 1).to_string(),
            name: name.to_owned(),
            blocks: said.map(Block::text).into_iter().collect(),
            to_complete: said.is_none().then(|| hint.to_owned()),
        })
    });
    Section::new("What the assessment still needs", fields.collect(), "")
}
