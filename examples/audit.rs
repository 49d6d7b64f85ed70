//! Somebody else's scores, audited: who is selected, who is rightly, and what cannot be told.
//!
//! ```text
//! cargo run --example audit
//! ```
//!
//! The people are made up. As many of 1,200 children in the north, of 1,200 in the south and of 400 on the coast are in
//! need, and a vendor's score sees need less well in the south. Six more children are of an area that was never written
//! down: they are too few to be shown, and so is whatever they could be worked out from, which here is the coast.

use earlyhelp::evaluate::Capacity;
use earlyhelp::fairness::audit::{
    AttributeFinding, AuditParams, AuditedGroup, AuditedOutcome, DisparityVerdict, OperatingPoint, ScoreTable,
};
use earlyhelp::report::audit::{audit_html, audit_text};

/// A number from 0 to 99 that looks random and is the same every time.
fn scatter(child: u32, salt: u32) -> u32 {
    (child.wrapping_mul(7919).wrapping_add(salt.wrapping_mul(104_729)) ^ (child >> 3)) % 100
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    // What an auditor is given: a score, what followed, and the group of each child.
    let (mut scores, mut outcomes, mut areas) = (vec![], vec![], vec![]);
    for child in 0..2_806 {
        let area = match child {
            0..1_200 => Some("north"),
            1_200..2_400 => Some("south"),
            2_400..2_800 => Some("coast"),
            _ => None,
        };
        let in_need = scatter(child, 1) < 20;
        let seen = in_need && (area != Some("south") || scatter(child, 2) < 40);
        scores.push(f64::from(scatter(child, 3) + if seen { 60 } else { 0 }));
        outcomes.push(in_need);
        areas.push(area);
    }
    // A characteristic that nobody recorded is named all the same: the audit says that it is blind to it.
    let table = ScoreTable::new(scores, outcomes)?.group("area", &areas)?.not_held("disability")?;

    // Who counts as selected has no default: here the 200 highest scores. Counts under 10 are withheld.
    let params = AuditParams::at(OperatingPoint::Capacity(Capacity::Cases(200)));
    let audit = table.audit(&params)?;
    println!("{}", audit_text(&audit));

    // The same, as a program reads it. A verdict is about this table, and "cannot tell" is not "no difference".
    for attribute in &audit.attributes {
        match &attribute.finding {
            AttributeFinding::NotMeasurable { .. } => println!("{}: not measured", attribute.name()),
            AttributeFinding::Measured { criteria, groups, .. } => {
                for report in criteria {
                    println!("{}: {}: {}", attribute.name(), report.criterion, report.verdict);
                }
                let held = |group: &&AuditedGroup| matches!(group.outcome, AuditedOutcome::Suppressed { .. });
                let withheld = criteria.iter().filter(|report| report.verdict == DisparityVerdict::Withheld);
                println!(
                    "{}: withheld: {} groups, {} verdicts",
                    attribute.name(),
                    groups.iter().filter(held).count(),
                    withheld.count()
                );
            }
        }
    }

    // And as a page to hand over.
    let page = std::env::temp_dir().join("earlyhelp-audit-example.html");
    std::fs::write(&page, audit_html(&audit, "A vendor's score, by area", None)?)?;
    println!("The page: {}", page.display());
    Ok(())
}
