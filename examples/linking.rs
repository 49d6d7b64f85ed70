//! Two services whose ids have nothing in common, linked with Splink: a child's absences at school beside the arrears of
//! the home, and how sure it is that both are the same child's.
//!
//! ```text
//! cargo run --example linking
//! ```
//!
//! `examples/linking/link.py` makes up 400 children, links the two services' lists with Splink, and writes the tables that
//! stand beside it. They are read here as they are. What each step means is in the guide's page on linking.

use std::path::Path;

use earlyhelp::calendar::Lookback;
use earlyhelp::cohort::CohortSpec;
use earlyhelp::features::{Feature, FeatureSpec, Measure};
use earlyhelp::records::{Coverage, Extract, Identities, IdentityColumns, Records, Selector, SourceMapping};

fn main() -> std::result::Result<(), Box<dyn std::error::Error>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/linking");
    let file = |name: &str| Extract::path(folder.join(name));

    // The cluster is the person, the data set is the system; the pairs say how sure each link is.
    let form = |text: &str| toml::from_str::<IdentityColumns>(text);
    let identities = Identities::read([
        (form("form = \"splink_clusters\"")?, file("clusters.csv")),
        (form("form = \"splink_pairs\"")?, file("pairs.csv")),
    ])?;

    let whole: Coverage = Coverage {
        from: Some("2023-01-01".parse()?),
        to: Some("2024-06-30".parse()?),
        ..Coverage::default()
    };
    let mut absences =
        SourceMapping::new("absences", "pupil", "absence", "date").value("sessions").coverage(whole.clone());
    absences.columns.system = Some("school".to_owned());
    let mut arrears =
        SourceMapping::new("arrears", "tenant_child", "arrears", "date").value("pounds").coverage(whole);
    arrears.columns.system = Some("housing".to_owned());
    let records = Records::builder()
        .identities(identities)
        .source(absences, file("absences.csv"))
        .source(arrears, file("arrears.csv"))
        .build()?;
    for intake in records.intake() {
        println!(
            "{}: {} rows read, {} accepted, {} rejected",
            intake.source, intake.read, intake.accepted, intake.rejected
        );
    }

    let spec = FeatureSpec::new(vec![
        Feature::new(Selector::source("absences"), Measure::Sum, Lookback::Months(12))
            .label("Sessions missed"),
        Feature::new(Selector::source("arrears"), Measure::Max, Lookback::Months(12))
            .label("Highest arrears"),
    ])?;
    let cohort = CohortSpec::default().choose(&records.as_of("2024-05-16".parse()?))?;
    let matrix = spec.compute(&cohort)?;
    let seen_by_both =
        |row: &usize| (0..2).all(|column| matrix.cell(*row, column).value().is_some_and(|value| value > 0.0));
    let both: Vec<usize> = (0..cohort.len()).filter(seen_by_both).collect();
    println!(
        "{} children, {} of them with absences and arrears in the last 12 months",
        cohort.len(),
        both.len()
    );

    // How sure the links are comes with the records behind a feature.
    let mut behind = Vec::new();
    for &row in &both {
        for column in 0..2 {
            behind.extend(spec.records_behind(&cohort, row, column)?);
        }
    }
    behind.sort_by_key(|record| record.link);
    for record in behind.iter().filter(|record| record.link.is_some()).take(3) {
        let link = record.link.map_or_else(String::new, |link| link.to_string());
        println!("among the least sure: {} of {}, linked with {link}", record.kind, record.occurred);
    }
    Ok(())
}
