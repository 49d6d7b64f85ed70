//! What the features of a model read, why they are there, and what each term makes of them.

use super::super::figure::{plain, signed};
use super::super::{labels, words};
use super::data::is_used;
use super::known::Known;
use super::parts::{Block, Blocks, Cell};
use crate::calendar::Lookback;
use crate::features::{Feature, Scope};
use crate::model::{GridCell, GridSide, ShapeRow, ShapeTable, Shares, TermTable};

/// What one term adds to the score.
pub(super) struct TermSheet {
    pub name: String,
    pub table: Blocks,
}

impl Known<'_> {
    /// `17 features`.
    pub(super) fn given(&self) -> String {
        words::counted(self.features().len(), "feature", "features")
    }

    /// `none of them plays`, `1 of them plays`, `3 of them play`.
    pub(super) fn idle(&self) -> String {
        match self.training().unused.len() {
            0 => "none of them plays".to_owned(),
            unused => words::counted(unused, "of them plays", "of them play"),
        }
    }

    pub(super) fn reads_for_ever(&self) -> bool {
        let is_endless = |feature: &Feature| {
            feature.over == Lookback::Ever && labels::window(feature) != labels::ON_THE_DAY
        };
        self.features().iter().any(is_endless)
    }

    /// The features that read records of others in the household; nothing where there is none.
    pub(super) fn household_features(&self) -> Option<String> {
        let count = self.features().iter().filter(|feature| feature.scope == Scope::Household).count();
        (count > 0).then(|| words::counted(count, "feature", "features"))
    }

    /// Of how many features nobody said why they are there.
    pub(super) fn on_reasons(&self) -> String {
        let all = self.features().len();
        match self.features().iter().filter(|feature| feature.why.is_none()).count() {
            0 => "Why each feature is there was written down by those who chose it.".to_owned(),
            lacking if lacking == all => "Nobody gave a reason why any of its features is there.".to_owned(),
            lacking => format!(
                "Of the {} that it was given, {} there without a reason: nobody wrote down why.",
                self.given(),
                words::counted(lacking, "is", "are")
            ),
        }
    }

    /// What the model reads, a line for each feature that plays a part.
    pub(super) fn inputs(&self) -> Vec<String> {
        let used = self.features().iter().filter(|feature| is_used(self.candidate(), feature));
        let line = |feature: &Feature| {
            let why = feature.why.as_deref().map_or("nobody gave a reason.".to_owned(), words::sentence);
            format!("{}; from {}. Why it is there: {why}", feature.label, labels::source(feature))
        };
        used.map(line).collect()
    }

    /// How far back features read, with how many read so far.
    pub(super) fn look_backs(&self) -> Block {
        let mut windows: std::collections::BTreeMap<Lookback, u64> = std::collections::BTreeMap::new();
        for feature in self.features().iter().filter(|feature| labels::window(feature) != labels::ON_THE_DAY)
        {
            *windows.entry(feature.over).or_default() += 1;
        }
        let rows = windows.into_iter().map(|(over, count)| {
            let reads = match over {
                Lookback::Ever => "as far back as the records go".to_owned(),
                over => format!("{over} before the date"),
            };
            vec![Cell::text(reads), Cell::Count(count)]
        });
        Block::table(["How far back features read", "Features"], rows)
    }

    /// Every feature that the model was given.
    pub(super) fn features_read(&self) -> Block {
        let heads = [
            "Feature",
            "Why it is there",
            "Source",
            "What it computes",
            "Window",
            "Whose records",
            "The risk",
            "Missing (cases)",
            "Not covered (cases)",
            "Notes",
        ];
        let (candidate, unit) = (self.candidate(), self.candidate().cohort().unit);
        let rows = self.features().iter().map(|feature| {
            let mut marks = Vec::new();
            if !is_used(candidate, feature) {
                marks.push("plays no part in the model".to_owned());
            }
            if feature.help_seeking {
                marks.push("help-seeking".to_owned());
            }
            marks.extend(feature.need.as_ref().map(|need| format!("need on record: {}", words::plain(need))));
            let (missing, not_covered) = self.absent(&feature.name);
            vec![
                Cell::text(&feature.label),
                match &feature.why {
                    Some(why) => Cell::text(words::sentence(why)),
                    None => Cell::NotShown("nobody gave a reason".to_owned()),
                },
                Cell::text(labels::source(feature)),
                Cell::text(labels::measure(feature)),
                Cell::text(labels::window(feature)),
                Cell::text(labels::whose(feature.scope, unit)),
                Cell::text(labels::direction(feature.direction, candidate.trainer())),
                missing,
                not_covered,
                Cell::text(if marks.is_empty() { "none".to_owned() } else { marks.join("; ") }),
            ]
        });
        Block::table(heads, rows)
    }

    /// For how many cases a feature's value was missing, and for how many it was not covered.
    fn absent(&self, feature: &str) -> (Cell, Cell) {
        let counted = |share: f64| {
            let cases = (share * self.training().rows as f64).round() as u64;
            if (1..10).contains(&cases) {
                Cell::NotShown("fewer than 10".to_owned())
            } else {
                Cell::Count(cases)
            }
        };
        match self.training().ranges.iter().find(|range| range.feature == feature) {
            Some(range) => (counted(range.missing), counted(range.not_covered)),
            None => (Cell::NotShown("not known".to_owned()), Cell::NotShown("not known".to_owned())),
        }
    }

    /// What the average case has, in log-odds.
    pub(super) fn intercept(&self) -> String {
        signed(self.candidate().model().intercept(), 3)
    }

    /// A scorecard's points; nothing of other models.
    pub(super) fn points(&self) -> Blocks {
        let Some(card) = self.training().cards.first() else { return Blocks(Vec::new()) };
        let rows = card.lines.iter().map(|line| {
            vec![
                Cell::text(labels::label(self.candidate(), &line.feature)),
                Cell::text(self.candidate().condition_in_words(&line.feature, line.condition)),
                Cell::text(signed(f64::from(line.points), 0)),
            ]
        });
        let text = format!(
            "As a card: one point is worth {} log-odds, and a case with none of them starts from {}.",
            plain(card.unit, 3),
            plain(card.offset, 3)
        );
        Blocks(vec![Block::text(text), Block::table(["Feature", "If it is", "Points"], rows)])
    }

    /// What each term adds, in the order of the model file.
    pub(super) fn terms(&self) -> Vec<TermSheet> {
        let sheet = |table: TermTable| TermSheet {
            name: table.labels.join(" together with "),
            table: Blocks(vec![adds(&table)]),
        };
        self.candidate().tables().into_iter().map(sheet).collect()
    }
}

/// The table of one term, or of the points of a pair's cells.
fn adds(table: &TermTable) -> Block {
    let heads = |of: &[String]| {
        let with_unit = of.iter().zip(&table.units).map(|(label, unit)| match unit.as_str() {
            "yes or no" | "value" => label.clone(),
            unit => format!("{label}, in {unit}"),
        });
        let common = ["Adds to the score, in log-odds", "95% interval", "Share of cases"].map(str::to_owned);
        with_unit.chain(common).collect::<Vec<_>>()
    };
    match &table.shape {
        ShapeTable::Steps { rows } | ShapeTable::Line { rows, .. } => {
            let is_about = table.shares == Shares::FromTenths;
            let row = |row: &ShapeRow| {
                let share = Cell::text(labels::share(row, is_about));
                let [adds, interval] = figures(row.contribution, row.reach);
                vec![Cell::text(&row.label), adds, interval, share]
            };
            Block::table(heads(&["Value".to_owned()]), rows.iter().map(row))
        }
        ShapeTable::Grid { first, second, cells } => {
            let row = |(side, other, cell): (&GridSide, &GridSide, &GridCell)| {
                let share = cell.share.map_or_else(|| "fewer than 10 cases".to_owned(), words::percent);
                let [adds, interval] = figures(cell.contribution, cell.reach);
                vec![Cell::text(&side.label), Cell::text(&other.label), adds, interval, Cell::text(share)]
            };
            let all = first.iter().zip(cells).flat_map(|(side, cells)| {
                second.iter().zip(cells).map(move |(other, cell)| (side, other, cell))
            });
            // What a pair adds where nobody was says nothing about anybody.
            let told: Vec<_> =
                all.filter(|(.., cell)| cell.share.is_some() || cell.contribution != 0.0).collect();
            Block::table(heads(&table.labels), told.into_iter().map(row))
        }
    }
}

/// What is added, and its interval.
fn figures(contribution: f64, reach: Option<f64>) -> [Cell; 2] {
    let interval = reach.map_or_else(
        || Cell::NotShown("not known".to_owned()),
        |reach| {
            Cell::text(format!("{} to {}", signed(contribution - reach, 3), signed(contribution + reach, 3)))
        },
    );
    [Cell::text(signed(contribution, 3)), interval]
}
