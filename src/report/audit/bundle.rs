//! An audit in depth in every form.

use super::{audit_csv, audit_html};
use crate::error::ReportError;
use crate::outputs::json_text;
use crate::project::FullAudit;

/// The names of the files that [`audit_files`] gives.
pub const AUDIT_FILES: [&str; 4] = ["audit.html", "audit.csv", "audit.json", "proxies.txt"];

/// An audit in depth as files, by name: a page and a table of every figure of every group, all of it as data, and
/// proxies, carriers, ablation and label as text.
///
/// # Errors
/// [`ReportError::Render`] where one cannot be made.
pub fn audit_files(full: &FullAudit, title: &str) -> Result<[(&'static str, String); 4], ReportError> {
    let json = json_text(full).map_err(|error| ReportError::Render(error.to_string()))?;
    let mut text = format!("{}\n\n{}\n\n{}\n", full.proxies, full.carriers, full.ablation);
    if let Some(label) = &full.label {
        text.push_str(&format!("\n{label}\n"));
    }
    let texts = [audit_html(&full.audit, title, None)?, audit_csv(&full.audit)?, json, text];
    let mut texts = texts.into_iter();
    Ok(AUDIT_FILES.map(|name| (name, texts.next().unwrap_or_default())))
}
