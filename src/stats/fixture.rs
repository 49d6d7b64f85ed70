//! What other programs say of the same data; `tests/fixtures/make_metrics.py` makes it.

use serde::Deserialize;

#[derive(Deserialize)]
pub(crate) struct Fixture {
    pub(crate) wilson: Vec<(u64, u64, f64, f64)>,
    pub(crate) newcombe: Vec<(u64, u64, u64, u64, f64, f64)>,
    pub(crate) datasets: Vec<Dataset>,
}

#[derive(Deserialize)]
pub(crate) struct Dataset {
    pub(crate) name: String,
    pub(crate) log_odds: Vec<f64>,
    outcomes: Vec<u8>,
    pub(crate) families: Vec<u32>,
    selected: Vec<u8>,
    pub(crate) groups: Vec<String>,
    pub(crate) times_drawn: Vec<u8>,
    pub(crate) auc: f64,
    pub(crate) average_precision: f64,
    pub(crate) auc_weighted: f64,
    pub(crate) average_precision_weighted: f64,
    pub(crate) log_loss: f64,
    pub(crate) log_loss_error: f64,
    pub(crate) brier: f64,
    pub(crate) brier_error: f64,
    pub(crate) slope: f64,
    pub(crate) slope_error: f64,
    pub(crate) intercept: f64,
    pub(crate) intercept_error: f64,
    pub(crate) bins: Option<Vec<(f64, f64)>>,
    pub(crate) rates: Vec<Rates>,
}

#[derive(Deserialize)]
pub(crate) struct Rates {
    pub(crate) group: String,
    pub(crate) n: f64,
    pub(crate) selection: f64,
    pub(crate) found: f64,
    pub(crate) wrong: f64,
    pub(crate) selection_difference: (f64, f64),
    pub(crate) found_difference: (f64, f64),
    pub(crate) wrong_difference: (f64, f64),
}

impl Dataset {
    pub(crate) fn outcomes(&self) -> Vec<bool> {
        self.outcomes.iter().map(|&flag| flag == 1).collect()
    }

    pub(crate) fn selected(&self) -> Vec<bool> {
        self.selected.iter().map(|&flag| flag == 1).collect()
    }
}

pub(crate) fn load() -> Fixture {
    serde_json::from_str(include_str!("../../tests/fixtures/metrics.json")).unwrap()
}

#[track_caller]
pub(crate) fn close(ours: f64, theirs: f64, tolerance: f64) {
    assert!((ours - theirs).abs() <= tolerance, "{ours} is not {theirs}");
}
