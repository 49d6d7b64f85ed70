//! What the test of a model found.

use super::super::chances::Chances;
use super::super::figure::{Figure, Unit};
use super::super::{labels, words};
use super::evidence::{self, LINES};
use super::groups::{self, Groups};
use super::known::Known;
use super::parts::{Block, Blocks, Cell};
use crate::evaluate::Performance;

impl Known<'_> {
    /// What a reader who stops after a minute should have read.
    pub(super) fn in_short(&self) -> Vec<String> {
        let report = self.model.backtest();
        let share = |found: &Performance| {
            Figure::of(&found.precision_at_capacity?, Unit::Share).map(|figure| figure.words())
        };
        let mut points = vec![self.status()];
        points.extend(evidence::in_a_hundred(report));
        if let Some(own) = share(&report.overall) {
            let mut shares = vec![format!("{own} with this model")];
            shares.extend(report.rules.iter().filter_map(|rule| {
                Some(format!("{} with the simple rule \"{}\"", share(&rule.performance)?, rule.rule.words()))
            }));
            points.push(format!(
                "Of the cases on lists of the same length, these shares had the outcome: {}.",
                words::listed(&shares)
            ));
        }
        points.extend(groups::in_short(&self.model.fairness()));
        points.extend(self.not_shown_needed());
        points
    }

    pub(super) fn capacity(&self) -> String {
        labels::capacity(self.model.backtest().plan.capacity)
    }

    pub(super) fn test_size(&self) -> String {
        evidence::size(self.model.backtest())
    }

    pub(super) fn in_a_hundred(&self) -> String {
        evidence::in_a_hundred(self.model.backtest()).unwrap_or_default()
    }

    pub(super) fn family_rule(&self) -> String {
        labels::families(self.model.backtest().plan.families)
    }

    /// The model beside simple rules, by all figures.
    pub(super) fn contenders(&self) -> Block {
        evidence::contenders(self.model, &LINES)
    }

    /// The same, by the figures that matter most.
    pub(super) fn main_contenders(&self) -> Block {
        evidence::contenders(self.model, &LINES[..4])
    }

    pub(super) fn test_dates(&self) -> Block {
        evidence::splits(self.model.backtest())
    }

    /// Lists of other lengths; nothing where the file was written before they were measured.
    pub(super) fn lengths(&self) -> Option<Block> {
        let report = self.model.backtest();
        (!report.lengths.is_empty()).then(|| evidence::lengths(report))
    }

    /// What of the lists was known to a service already, and what the lists add; nothing where the project does not say what
    /// that means.
    pub(super) fn known_already(&self) -> Option<[Block; 2]> {
        let report = self.model.backtest().known_to.as_ref()?;
        Some([evidence::known_already(report), evidence::not_known(report)])
    }

    /// Of whom it cannot be told, and how common the outcome is among those nobody was working with.
    pub(super) fn on_not_known(&self) -> Vec<String> {
        let Some(report) = &self.model.backtest().known_to else { return Vec::new() };
        let unknown = Some(report.any.cannot_tell_words()).filter(|said| !said.is_empty());
        let share = report.prevalence.as_ref().and_then(|share| Figure::of(share, Unit::Share));
        let share = share.map(|figure| {
            format!("Of the cases nobody was working with, {} had the outcome.", figure.words())
        });
        unknown.map(|said| format!("{said} They count as neither.")).into_iter().chain(share).collect()
    }

    pub(super) fn bands(&self) -> Block {
        evidence::bands(self.model.backtest())
    }

    pub(super) fn not_shown_needed(&self) -> Option<String> {
        evidence::not_shown_needed(self.model)
    }

    pub(super) fn without(&self) -> Block {
        evidence::without(self.model)
    }

    pub(super) fn resamples(&self) -> String {
        words::count(u64::from(self.model.backtest().plan.bootstrap.resamples))
    }

    pub(super) fn chances(&self) -> Chances {
        Chances::of(self.model.backtest())
    }

    /// Slope and calibration in the large; nothing where they could not be measured.
    pub(super) fn calibration(&self) -> Blocks {
        let found = self.model.backtest().overall.calibration.as_ref();
        Blocks(found.map(evidence::calibration).into_iter().collect())
    }

    pub(super) fn bins(&self) -> Blocks {
        let found = self.model.backtest().overall.calibration.as_ref();
        Blocks(found.map(evidence::bins).into_iter().collect())
    }

    /// The groups of each characteristic.
    pub(super) fn groups(&self) -> Vec<Groups> {
        groups::of(&self.model.fairness())
    }

    pub(super) fn on_groups(&self) -> String {
        let audit = self.model.fairness();
        format!(
            "The test's lists ({} of {} cases) are looked at group by group. The characteristics are held apart and are \
             never read to make a score. {} Groups of fewer than {} {} are held back without their names.",
            audit.selected.map_or_else(|| "some".to_owned(), words::count),
            words::count(audit.n),
            groups::on_differences(&audit),
            audit.params.minimum,
            if audit.people.is_some() { "people" } else { "cases" }
        )
    }

    pub(super) fn disparities(&self) -> Blocks {
        Blocks(groups::disparities(&self.model.fairness()))
    }

    /// What each as-of date brought.
    pub(super) fn training_dates(&self) -> Block {
        let heads = [
            "As-of date",
            "Cases asked about",
            "With the outcome",
            "Without it",
            "Left out: follow-up ended early",
            "Left out: outcome came before the date",
        ];
        let rows = self.training().dates.iter().map(|date| {
            let counts =
                [date.cohort, date.positive, date.negative, date.follow_up_ended, date.already_happened];
            std::iter::once(Cell::text(words::date(date.as_of.day())))
                .chain(counts.map(Cell::Count))
                .collect()
        });
        Block::table(heads, rows)
    }

    pub(super) fn rows(&self) -> String {
        words::count(self.training().rows)
    }

    pub(super) fn families(&self) -> String {
        words::count(self.training().families)
    }

    pub(super) fn positives(&self) -> String {
        words::count(self.training().positives)
    }

    pub(super) fn learnt_on(&self) -> String {
        labels::dates(self.training().dates.iter().map(|date| date.as_of))
    }

    /// How much data there were.
    pub(super) fn quantities(&self) -> Block {
        let training = self.training();
        Block::facts([
            ("Cases that the model learnt from", Cell::Count(training.rows)),
            ("Families among them", Cell::Count(training.families)),
            ("Cases with the outcome", Cell::Count(training.positives)),
            (
                "Cases asked about on the last date",
                Cell::Count(training.dates.last().map_or(0, |date| date.cohort)),
            ),
            ("Features computed for each case", Cell::Count(self.features().len() as u64)),
        ])
    }

    /// What became of the rows of each source, in the order of their names.
    pub(super) fn rows_read(&self) -> Block {
        let mut taken: Vec<_> = self.intake.iter().collect();
        taken.sort_by(|a, b| a.source.cmp(&b.source));
        let rows = taken.into_iter().map(|taken| {
            vec![
                Cell::text(words::plain(&taken.source)),
                Cell::Count(taken.read),
                Cell::Count(taken.accepted),
                Cell::Count(taken.rejected),
                Cell::text(format!("{:.1}%", 100.0 * taken.rejected_share())),
            ]
        });
        Block::table(["Source", "Rows read", "Accepted", "Rejected", "Share rejected"], rows)
    }

    /// The trainer's settings.
    pub(super) fn settings(&self) -> Block {
        let settings = labels::settings(self.candidate().trainer()).into_iter();
        Block::facts(settings.map(|(name, says)| (name, Cell::Code(says))))
    }
}
