//! How well a model did in its backtest, as a workbook and as a table.

use super::super::about;
use super::super::chances::Chances;
use super::super::metrics::figures;
use super::super::model_page::AnyModel;
use super::super::table::{Column, Table, Value};
use super::super::words;
use super::super::workbook::{Head, Note, Sheet, fixed_day, workbook};
use crate::error::ReportError;
use crate::evaluate::{BacktestReport, Estimate, Figure, KnownReport};

/// What the backtest found, as an Excel workbook: every figure of the model and of the simple rules beside it, over all tests and date by
/// date; lists of other lengths; bands; what was foreseen against what came about; what each term is worth; and who on the lists was
/// known already, where the project says what that means. Its first sheet says what such figures are and are not.
///
/// Numbers are those of the model's JSON, whole. Shares are from 0 to 1, and shown in percent; log loss is in nats. The file's
/// day of creation is the last date of the backtest: the same model gives the same bytes.
///
/// # Errors
/// [`ReportError::Render`] where the workbook cannot be made.
///
/// # Examples
/// ```
/// use earlyhelp::report::metrics_xlsx;
/// use earlyhelp::scoring::AuditedModel;
///
/// fn write(model: &AuditedModel, folder: &std::path::Path) -> Result<(), Box<dyn std::error::Error>> {
///     std::fs::write(folder.join("model.metrics.xlsx"), metrics_xlsx(model, "Early help")?)?;
///     Ok(())
/// }
/// ```
pub fn metrics_xlsx<'a>(model: impl Into<AnyModel<'a>>, title: &str) -> Result<Vec<u8>, ReportError> {
    let model = model.into();
    let report = model.backtest();
    let made = report.splits.iter().map(|split| split.split.test.day()).max().unwrap_or_else(fixed_day);
    let sheets = [
        ("Figures", figures(report)),
        ("Lists", lengths(report)),
        ("Bands", bands(report)),
        ("Calibration", calibration(report)),
        ("Terms", terms(report)),
        ("Known already", report.known_to.as_ref().map(known).unwrap_or_default()),
    ]
    .map(|(name, table)| Sheet { name: name.to_owned(), table });
    workbook(&Head { title, made, printed: "" }, &notes(model, title), &sheets)
}

fn notes(model: AnyModel<'_>, title: &str) -> Vec<Note> {
    let (report, candidate) = (model.backtest(), model.candidate());
    let overall = &report.overall;
    let chances = Chances::of(report);
    let tests: Vec<String> = report.splits.iter().map(|split| words::date(split.split.test.day())).collect();
    let heading = |text: &str| Note::Heading(text.to_owned());
    vec![
        Note::Title(title.to_owned()),
        Note::fact("Model", candidate.digest()),
        Note::fact("What is foreseen", &candidate.outcome().words),
        Note::fact("Tested on", words::listed(&tests)),
        Note::fact(
            "Cases",
            format!("{} in {} families", words::count(overall.n), words::count(overall.families)),
        ),
        heading("What these figures are, and are not"),
        Note::Line(about::MODEL.join(" ")),
        Note::Line(
            "The same training on earlier dates, tested on later ones, for which it is known what followed. What was so there need \
             not be so elsewhere or later. The figures are of groups of cases: nobody can tell from them what will happen to one \
             person."
                .into(),
        ),
        Note::Line("Do not choose a threshold by them above which something is done without a person's decision.".into()),
        Note::fact("Chances", format!("{} {}", chances.verdict, chances.means)),
        heading("How to read the figures"),
        Note::fact("Low, high", "The ends of the 95% interval."),
        Note::fact(words::capitalised(Figure::Auc.words()), "How well cases are ranked; chance gives 0.5, and 1 is the best."),
        Note::fact(words::capitalised(Figure::LogLoss.words()), "Prediction error in nats; less is better."),
    ]
}

/// A table whose last columns are a share with its interval and the cases that it is of.
fn of_shares<const N: usize>(first: [&str; N], share: &str) -> Table {
    let mut table = Table::new(first.map(Column::new));
    table.columns.push(Column::new(share).bars());
    table.columns.extend(["low", "high", "cases"].map(Column::new));
    table
}

fn share(observed: &Estimate) -> impl Iterator<Item = Value> {
    Value::estimate(Some(observed), Value::Share).into_iter().chain([Value::Whole(observed.n)])
}

fn lengths(report: &BacktestReport) -> Table {
    let mut table = of_shares(["places_on_each_list", "lists"], "had_the_outcome");
    table.rows.extend(report.lengths.iter().map(|held| {
        let first = [Value::whole(held.cases), Value::whole(held.lists)];
        first.into_iter().chain(share(&held.observed)).collect()
    }));
    table
}

fn bands(report: &BacktestReport) -> Table {
    let mut table = of_shares(["band", "from_log_odds"], "had_the_outcome");
    table.rows.extend(report.bands.iter().map(|band| {
        let first = [Value::text(&band.name), band.from.map_or(Value::Empty, Value::Points)];
        first.into_iter().chain(share(&band.observed)).collect()
    }));
    table
}

fn calibration(report: &BacktestReport) -> Table {
    let mut table = of_shares(["foreseen_on_average"], "had_the_outcome");
    let bins = report.overall.calibration.iter().flat_map(|found| &found.bins);
    table.rows.extend(
        bins.map(|bin| [Value::Share(bin.mean_predicted)].into_iter().chain(share(&bin.observed)).collect()),
    );
    table
}

fn terms(report: &BacktestReport) -> Table {
    let mut table = Table::new([Column::new("term")]);
    table.columns.push(Column::new("mean_size_in_points").bars());
    table.columns.extend(
        ["log_loss_without_it", "log_loss_low", "log_loss_high", "share_of_lists_kept_without_it"]
            .map(Column::new),
    );
    table.rows.extend(report.terms.iter().map(|term| {
        let mut row = vec![Value::text(term.on.join(" and ")), Value::Points(term.importance)];
        row.extend(Value::estimate(term.log_loss_without.as_ref(), Value::Number));
        row.push(Value::Share(term.list_kept));
        row
    }));
    table
}

/// A share of too few cases is held back where it is measured, and so it is empty here.
fn known(report: &KnownReport) -> Table {
    let mut table = of_shares(["who", "what"], "share");
    let mut add = |who: &str, what: &str, found: Option<&Estimate>| {
        let shares = match found {
            Some(found) => share(found).collect(),
            None => vec![Value::Empty; 4],
        };
        table.rows.push([Value::text(who), Value::text(what)].into_iter().chain(shares).collect());
    };
    let each = report.each.iter().map(|kind| (kind.words.as_str(), &kind.shares));
    for (who, shares) in each.chain([("any of them", &report.any)]) {
        add(who, "known, of those on the lists", shares.listed.as_ref());
        add(who, "cannot be told, of those on the lists", shares.listed_cannot_tell.as_ref());
        add(who, "known, of all cases", shares.cases.as_ref());
        add(who, "cannot be told, of all cases", shares.cases_cannot_tell.as_ref());
    }
    let nobody = "nobody was working with";
    add(nobody, "had the outcome", report.prevalence.as_ref());
    add(nobody, "on these lists: had the outcome", report.lists.precision.as_ref());
    add(nobody, "had the outcome: on these lists", report.lists.recall.as_ref());
    add(nobody, "on lists of these cases alone: had the outcome", report.own_lists.precision.as_ref());
    add(nobody, "had the outcome: on lists of these cases alone", report.own_lists.recall.as_ref());
    table
}
