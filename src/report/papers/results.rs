//! What the test of a model found, as sections of its card.

use super::super::words;
use super::document::Section;
use super::evidence::{self, LINES};
use super::groups::{self, Groups};
use super::markdown::{said, signed};
use super::parts::{Block, Figure, Unit};
use super::wording;
use crate::evaluate::Performance;
use crate::report::AnyModel;

/// What a reader who stops after a minute should have read.
pub(super) fn in_short(model: AnyModel<'_>) -> Section {
    let report = model.backtest();
    let share = |found: &Performance| {
        Figure::of(&found.precision_at_capacity?, Unit::Share).map(|figure| said(&figure))
    };
    let mut points = vec![wording::status(model)];
    points.extend(evidence::in_a_hundred(report));
    if let Some(own) = share(&report.overall) {
        let mut shares = vec![format!("{own} with this model")];
        shares.extend(report.rules.iter().filter_map(|rule| {
            Some(format!("{} with the simple rule \"{}\"", share(&rule.performance)?, rule.rule.words()))
        }));
        points.push(format!(
            "Of the cases on lists of the same length, these shares had the outcome: {}.",
            wording::listed(&shares)
        ));
    }
    points.extend(groups::in_short(&model.fairness()));
    points.extend(evidence::not_shown_needed(model));
    Section::new("In short", vec![Block::list(points)], "")
}

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
    blocks.push(evidence::contenders(model, &LINES));
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
        match evidence::not_shown_needed(model) {
            Some(_) => vec![Block::text(evidence::ON_TERMS), evidence::without(model)],
            None => Vec::new(),
        },
        "The test did not look at single terms.",
    );
    let bootstrap = report.plan.bootstrap;
    let how = Section::new(
        "How the intervals were made",
        vec![Block::text(format!(
            "Shares have Wilson's interval and differences of shares have Newcombe's, which are the usual ones. Both take cases \
             as independent; the cases of one family, and of one person on several dates, are not, so these intervals are \
             somewhat too narrow. AUC and average precision have the interval of {} resamples of whole families (seed {}). Log \
             loss, Brier score and calibration have an interval that counts families, not cases.",
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
        "Over all cases the test could not show that foreseen chances are off: the intervals of the first two figures below \
         hold what would be right. A chance is shown beside a case where the test measured finely enough, and its band always."
    } else {
        "Foreseen chances did not pass their check, or could not be checked. Readers are shown bands with the rates \
         that were observed, and never a chance."
    };
    let mut blocks = vec![Block::text(verdict)];
    if let Some(found) = &report.overall.calibration {
        blocks.extend([
            evidence::calibration(found),
            Block::text(evidence::bins_off(found)),
            evidence::bins(found),
        ]);
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
    let audit = model.fairness();
    let text = format!(
        "The test's lists ({} of {} cases) are looked at group by group. The characteristics are held apart \
         and are never read to make a score. {} Groups of fewer than {} cases are held back without their names.",
        audit.selected.map_or_else(|| "some".to_owned(), words::count),
        words::count(audit.n),
        groups::on_differences(&audit),
        audit.params.minimum
    );
    let groups: Vec<Section> = groups::of(&audit)
        .into_iter()
        .map(|Groups { name, blocks }| Section::new(&name, blocks, "No group may be shown."))
        .collect();
    let nobody = "No characteristic was held, so nothing can be said about fairness. That is a gap, and not a finding \
                  that all is well.";
    let blocks = if groups.is_empty() { Vec::new() } else { vec![Block::text(text)] };
    Section::new("How its lists treat groups", blocks, nobody).with(groups)
}
