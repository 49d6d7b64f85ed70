//! What the test of a model found, as sections of its card.

use super::super::words;
use super::document::Section;
use super::evidence::{self, Groups};
use super::markdown::signed;
use super::parts::Block;
use super::wording;
use crate::report::AnyModel;

/// How well it did.
pub(super) fn tested(model: AnyModel<'_>) -> Section {
    let report = model.backtest();
    let mut blocks = vec![
        Block::text(
            "The test is a backtest: the same training, on earlier dates only, and then asked about a later date. It \
             shows how the model would have done. It does not show whether anybody was helped.",
        ),
        Block::text(evidence::size(report)),
        Block::text(wording::families(report.plan.families)),
    ];
    blocks.extend(evidence::in_a_hundred(report).map(Block::text));
    blocks.push(evidence::contenders(model));
    blocks.push(Block::text(
        "The simple rules stand beside the model because a model that does no better than they is not worth its cost \
         in intrusion. A rule that gives everybody the same score draws its list by lot.",
    ));
    let each = Section::new("Each test date", vec![evidence::splits(report)], "There was one test.");
    let bands = Section::new(
        "Bands of the score",
        vec![
            Block::text(
                "A reader is shown the band of a case and what came of such cases in the test. A band is a statement \
                 about past cases that had such scores, and not about this one.",
            ),
            evidence::bands(report),
        ],
        "",
    );
    let parts = Section::new(
        "What each term is worth",
        vec![evidence::without(model)],
        "The test did not look at single terms.",
    );
    let bootstrap = report.plan.bootstrap;
    let how = Section::new(
        "How the intervals were made",
        vec![Block::text(format!(
            "Shares have Wilson's interval, a standard one for shares. AUC and average precision have the interval of {} resamples of whole \
             families (seed {}). Log loss, Brier score and calibration have an interval that counts families, not cases. \
             A difference between two figures is clear only where its interval does not hold 0.",
            words::count(u64::from(bootstrap.resamples)),
            bootstrap.seed
        ))],
        "",
    );
    Section::new("How well it did when it was tested", blocks, "").with(vec![each, bands, parts, how])
}

/// Whether foreseen chances came true.
pub(super) fn chances(model: AnyModel<'_>) -> Section {
    let report = model.backtest();
    let verdict = if report.is_calibrated() {
        "The test could not show that foreseen chances are off: the intervals of both figures below hold what would be \
         right. A chance is shown beside a case where the test measured finely enough, and its band always."
    } else {
        "Foreseen chances did not pass their check, or could not be checked. Readers are shown bands with the rates \
         that were observed, and never a chance."
    };
    let mut blocks = vec![Block::text(verdict)];
    if let Some(found) = &report.overall.calibration {
        blocks.extend([evidence::calibration(found), evidence::bins(found)]);
    }
    if let Some(moved) = &report.recalibration {
        blocks.push(Block::text(format!(
            "Scores were moved to fit later data: multiplied by {:.3} and shifted by {} log-odds. In the test, each \
             family's cases were moved by what the other half of the families said. No ranking changed.",
            moved.slope,
            signed(moved.offset, 3)
        )));
    }
    Section::new("Whether its chances can be believed", blocks, "")
}

/// How lists treat groups.
pub(super) fn fairness(model: AnyModel<'_>) -> Section {
    let report = model.fairness();
    let text = format!(
        "The test's lists ({} of {} cases) are looked at group by group. Characteristics are held apart for this and \
         never reach the model. \"No clear difference\" means that this test could not show one. It does not mean that \
         there is none: a small group cannot show a difference, however large. Where many groups are compared, about one \
         comparison in twenty is called clear by chance alone. Groups of fewer than {} cases are held back.",
        words::count(report.selected),
        words::count(report.n),
        report.minimum_group
    );
    let groups: Vec<Section> = evidence::groups(report)
        .into_iter()
        .map(|Groups { name, block }| Section::new(&name, vec![block], "No group may be shown."))
        .collect();
    let nobody = "No characteristic was held, so nothing can be said about fairness. That is a gap, and not a finding \
                  that all is well.";
    let blocks = if groups.is_empty() { Vec::new() } else { vec![Block::text(text)] };
    Section::new("How its lists treat groups", blocks, nobody).with(groups)
}
