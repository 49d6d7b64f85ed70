//! An audit in depth in every form.

use super::{audit_csv, audit_html};
use crate::error::ReportError;
use crate::project::FullAudit;

/// An audit in depth as files, by name: a page and a table of every figure of every group, all of it as data, and
/// proxies, carriers, ablation and label as text.
///
/// # Errors
/// [`ReportError::Render`] where one cannot be made.
pub fn audit_files(full: &FullAudit, title: &str) -> Result<Vec<(&'static str, String)>, ReportError> {
    let json = serde_json::to_string_pretty(full).map_err(|error| ReportError::Render(error.to_string()))?;
    let mut text = format!("{}\n\n{}\n\n{}\n", full.proxies, full.carriers, full.ablation);
    if let Some(label) = &full.label {
        text.push_str(&format!("\n{label}\n"));
    }
    Ok(vec![
        ("audit.html", audit_html(&full.audit, title, None)?),
        ("audit.csv", audit_csv(&full.audit)?),
        ("audit.json", json + "\n"),
        ("proxies.txt", text),
    ])
}
