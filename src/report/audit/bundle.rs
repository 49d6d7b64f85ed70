//! An audit in depth in every form.

use super::{audit_csv, audit_html};
use crate::error::ReportError;
use crate::outputs::{json_text, printable};
use crate::project::FullAudit;

/// The names of the files that [`audit_files`] gives.
pub const AUDIT_FILES: &[&str] = &[
    "audit.html",
    "audit.csv",
    "audit.json",
    "proxies.txt",
    #[cfg(feature = "excel")]
    "audit.xlsx",
];

/// An audit in depth as files, by name: a page, a table and (with the feature `excel`) a workbook of every figure of every group, all of
/// it as data, and proxies, carriers, ablation and label as text.
///
/// # Errors
/// [`ReportError::Render`] where one cannot be made.
pub fn audit_files(full: &FullAudit, title: &str) -> Result<Vec<(&'static str, Vec<u8>)>, ReportError> {
    let json = json_text(full).map_err(|error| ReportError::Render(error.to_string()))?;
    let mut text = format!("{}\n\n{}\n\n{}\n", full.proxies, full.carriers, full.ablation);
    if let Some(label) = &full.label {
        text.push_str(&format!("\n{label}\n"));
    }
    let files = [
        audit_html(&full.audit, title, None)?.into_bytes(),
        audit_csv(&full.audit)?.into_bytes(),
        json.into_bytes(),
        printable(&text).into_owned().into_bytes(),
        #[cfg(feature = "excel")]
        super::audit_xlsx(&full.audit, title, None)?,
    ];
    Ok(AUDIT_FILES.iter().copied().zip(files).collect())
}
