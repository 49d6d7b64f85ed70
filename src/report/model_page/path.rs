//! How the strength of a penalty was chosen.

use super::px;
use crate::model::PathReport;

/// The path as a drawing and a table.
pub(super) struct PathSheet {
    pub tried: usize,
    pub strength: String,
    pub coefficients: u32,
    pub line: String,
    pub band: String,
    pub chosen: (String, String),
    pub ends: (String, String),
    pub losses: (String, String),
    pub rows: Vec<PathRow>,
}

pub(super) struct PathRow {
    pub strength: String,
    pub loss: String,
    pub error: String,
    pub coefficients: u32,
    pub chosen: bool,
}

/// The drawing's sides within its frame.
const WIDTH: f64 = 560.0;
const HEIGHT: f64 = 160.0;

impl PathSheet {
    pub(super) fn of(path: &PathReport) -> Self {
        let last = path.strengths.len().saturating_sub(1);
        let chosen = path.chosen.min(last);
        let lows = path.mean_losses.iter().zip(&path.standard_errors).map(|(loss, error)| loss - error);
        let low = lows.fold(f64::INFINITY, f64::min);
        let highs = path.mean_losses.iter().zip(&path.standard_errors).map(|(loss, error)| loss + error);
        let high = highs.fold(low + f64::MIN_POSITIVE, f64::max);
        let x = |nth: usize| px(WIDTH * nth as f64 / last.max(1) as f64);
        let y = |loss: f64| px(HEIGHT * (high - loss) / (high - low));
        let through = |points: Vec<String>| format!("M{}", points.join(" L"));
        let losses = || path.mean_losses.iter().zip(&path.standard_errors).enumerate();
        let line = losses().map(|(nth, (loss, _))| format!("{} {}", x(nth), y(*loss))).collect();
        let upper = losses().map(|(nth, (loss, error))| format!("{} {}", x(nth), y(loss + error)));
        let lower = losses().rev().map(|(nth, (loss, error))| format!("{} {}", x(nth), y(loss - error)));
        let strength = |nth: usize| path.strengths.get(nth).map(|s| format!("{s:.2e}")).unwrap_or_default();
        let row = |(nth, (loss, error)): (usize, (&f64, &f64))| PathRow {
            strength: strength(nth),
            loss: format!("{loss:.5}"),
            error: format!("{error:.5}"),
            coefficients: path.non_zero.get(nth).copied().unwrap_or_default(),
            chosen: nth == chosen,
        };
        Self {
            tried: path.strengths.len(),
            strength: strength(chosen),
            coefficients: path.non_zero.get(chosen).copied().unwrap_or_default(),
            line: through(line),
            band: format!("{}Z", through(upper.chain(lower).collect())),
            chosen: (x(chosen), y(path.mean_losses.get(chosen).copied().unwrap_or(high))),
            ends: (strength(0), strength(last)),
            losses: (format!("{high:.4}"), format!("{low:.4}")),
            rows: losses().map(row).collect(),
        }
    }
}
