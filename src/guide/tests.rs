//! What the guide says of keys and defaults is what the code does.

use crate::calendar::Day;
use crate::cohort::CohortSpec;
use crate::evaluate::calibration::Calibration;
use crate::evaluate::{Bootstrap, Performance};
use crate::fairness::audit::AuditParams;
use crate::features::Scopes;
use crate::limits;
use crate::model::{AdditiveParams, LogisticParams, PathParams, ScorecardParams};
use crate::project::Project;
use crate::records::{Coverage, DEFAULT_REJECT_LIMIT, Known, PseudonymKey, ReadOptions};
use crate::scoring::Request;

const PROJECT_FILE: &str = include_str!("project_file.md");
const DEFAULTS: &str = include_str!("defaults.md");

/// The page's TOML examples, one after another.
fn examples() -> String {
    let mut inside = false;
    let mut text = String::new();
    for line in PROJECT_FILE.lines() {
        match line {
            "```toml" => inside = true,
            "```" => inside = false,
            _ if inside => text.extend([line, "\n"]),
            _ => {}
        }
    }
    text
}

/// The project without the keys that have a default.
const SHORTEST: &str = r#"
name = "n"
purpose = "p"
[[source]]
name = "s"
path = "s.csv"
columns = { entity = "e", kind = { constant = "k" }, occurred = "o" }
[[feature]]
source = "s"
measure = "count"
over = ["1 days"]
[outcome]
name = "o"
words = "w"
horizon = "1 days"
records = [{ source = "s" }]
[training]
as_of = ["2024-01-01"]
capacity = { cases = 1 }
"#;

fn shortest() -> Project {
    Project::from_toml(SHORTEST, ".").unwrap()
}

/// The second cell of the row of a table that begins with `what`.
fn stated(page: &str, what: &str, column: usize) -> String {
    let start = format!("| {what} |");
    let rows: Vec<&str> = page.lines().filter(|line| line.starts_with(&start)).collect();
    assert_eq!(rows.len(), 1, "{what}");
    rows[0].split('|').nth(column + 1).unwrap().trim().to_owned()
}

#[test]
fn the_examples_together_are_a_project() {
    let project = Project::from_toml(&examples(), ".").unwrap();
    let names: Vec<String> =
        project.features().unwrap().features().iter().map(|feature| feature.name.clone()).collect();
    assert_eq!(names.len(), 10);
    assert!(names.contains(&"rent_arrears_latest_12m_household".to_owned()), "{names:?}");
}

/// The keys that a table may have, as its reader names them when it is given one that it does not know.
/// `place` is where in the examples the unknown key goes: behind the words before the `|`.
fn keys_of(place: &str) -> Vec<String> {
    let (words, unknown) = place.split_once('|').unwrap();
    let text = examples();
    assert!(text.contains(words), "{words}");
    let text = text.replacen(words, &format!("{words}{unknown}"), 1);
    let error = Project::from_toml(&text, ".").unwrap_err().to_string();
    let (_, expected) = error.split_once("`no_such_key`, expected").unwrap();
    expected.split('`').skip(1).step_by(2).map(str::to_owned).collect()
}

#[test]
fn every_key_has_its_row_and_stands_in_an_example() {
    let keys: Vec<String> = [
        "seed = 1|\nno_such_key = 1",
        "[people]|\nno_such_key = 1",
        "read = { |no_such_key = 1, ",
        "columns = { |no_such_key = 1, ",
        "lag_days = 14|, no_such_key = 1",
        "not_held = [\"religion\"]|, no_such_key = 1",
        "form = \"crosswalk\"|, no_such_key = 1",
        "form = \"wide\"|, no_such_key = 1",
        "form = \"merged\"|, no_such_key = 1",
        "form = \"splink_clusters\"|, no_such_key = 1",
        "form = \"splink_pairs\"|, no_such_key = 1",
        "[[source]]|\nno_such_key = 1",
        "ended_known = \"end_recorded\"|, no_such_key = 1",
        "coverage = { |no_such_key = 1, ",
        "[cohort]|\nno_such_key = 1",
        "open = [{ |no_such_key = 1, ",
        "[[feature]]|\nno_such_key = 1",
        "noun = { |no_such_key = 1, ",
        "[list]|\nno_such_key = 1",
        "[outcome]|\nno_such_key = 1",
        "follow_up = { |no_such_key = 1, ",
        "[[known_to]]|\nno_such_key = 1",
        "[training]|\nno_such_key = 1",
        "trainer = { |no_such_key = 1, ",
        "mitigation = { |no_such_key = 1, ",
    ]
    .into_iter()
    .flat_map(keys_of)
    .collect();
    assert!(keys.len() > 70, "{keys:?}");
    let text = examples();
    for key in keys {
        assert!(PROJECT_FILE.contains(&format!("`{key}`")), "{key} has no row on the page");
        let stands = text.contains(&format!("[{key}]")) || text.contains(&format!("{key} = "));
        assert!(stands, "{key} stands in no example");
    }
}

#[test]
fn an_unknown_key_and_an_unquoted_date_are_errors() {
    assert!(Project::from_toml(&SHORTEST.replace("words =", "word ="), ".").is_err());
    assert!(Project::from_toml(&SHORTEST.replace("\"2024-01-01\"", "2024-01-01"), ".").is_err());
}

#[test]
fn the_defaults_are_those_of_the_project() {
    let project = shortest();
    let trainer = toml::Value::try_from(&project.training.trainer).unwrap();
    let families = toml::Value::try_from(project.training.families).unwrap();
    let columns = &project.sources[0].columns;
    let expected = [
        ("`reject_limit`", format!("`{}`", project.reject_limit)),
        ("`minimum_link`", format!("`{}`", columns.minimum_link)),
        ("`stale_after_days`", format!("`{}`", Coverage::STALE_AFTER_DAYS)),
        ("`trainer`", format!("`{}`", trainer["trainer"].as_str().unwrap())),
        ("`families`", format!("`{{ cross_fit = {} }}`", families["cross_fit"])),
        ("`resamples`", format!("`{}`", project.training.resamples)),
        ("`minimum_group`", format!("`{}`", project.training.minimum_group)),
        ("fewest bytes of a key for pseudonyms", format!("`{}`", PseudonymKey::LEAST_BYTES)),
        ("`list_letters`", format!("`{}`", ReadOptions::default().list_letters)),
    ];
    for (what, value) in expected {
        assert_eq!(stated(DEFAULTS, what, 1), value, "{what}");
    }
    // The seed has a row of its own twice: for a project and for a synthetic council.
    assert_eq!(DEFAULTS.matches(&format!("| `seed` | `{}` |", project.seed)).count(), 2);
    assert_eq!(columns.known, Known::LagDays(0));
    assert_eq!(stated(DEFAULTS, "`known`", 1), "`{ lag_days = 0 }`");
    let nulls: Vec<String> = ReadOptions::default().nulls.iter().map(|null| format!("`{null}`")).collect();
    assert_eq!(stated(DEFAULTS, "`nulls`", 1), nulls.join(", "));
    assert_eq!(project.cohort, CohortSpec::default());
    assert_eq!(project.features[0].scope, Scopes::Own);
    assert_eq!(stated(DEFAULTS, "feature: `scope`", 1), "`own`");
    assert_eq!(stated(DEFAULTS, "outcome: `counts`", 1), "`any`");
}

#[test]
fn the_defaults_are_those_of_the_library() {
    let logistic = LogisticParams::default();
    let request = Request::new("a", "b", Day::from_epoch_days(0));
    let bootstrap = Bootstrap::default();
    let expected = [
        ("`reject_limit`", format!("`{DEFAULT_REJECT_LIMIT}`")),
        ("`l1_ratio`", format!("`{:.1}`", logistic.l1_ratio)),
        ("`max_iterations`", format!("`{}`", logistic.max_iterations)),
        ("`steps`", format!("`{}`", AdditiveParams::default().steps)),
        ("`pairs`", format!("`{}`", AdditiveParams::default().pairs)),
        ("`refits`", format!("`{}`", AdditiveParams::default().refits)),
        ("scorecard: `terms`", format!("`{}`", ScorecardParams::default().terms.unwrap())),
        ("scorecard: `points`", format!("`{}`", ScorecardParams::default().points)),
        ("`strengths`", format!("`{}`", PathParams::default().strengths)),
        ("abstention: `widths_outside`", format!("`{}`", request.abstention.widths_outside)),
        ("abstention: `unknown_share`", format!("`{}`", request.abstention.unknown_share)),
        ("abstention: `stale_days`", format!("`{}`", request.abstention.stale_days)),
        ("`tolerance`", format!("`{:e}`", logistic.tolerance)),
        ("`valid_for_days`", format!("`{}`", request.valid_for_days)),
        ("`resamples`", format!("`{}`", bootstrap.resamples)),
        ("`minimum_group`", format!("`{}`", AuditParams::at_release().minimum)),
        ("calibration bins", format!("`{}`", Calibration::BINS)),
        ("fewest resamples", format!("`{}`", Bootstrap::LEAST)),
        ("most resamples", format!("`{}`", Bootstrap::MOST)),
        ("bytes of a file of settings", format!("`{}`", limits::SETTINGS_BYTES)),
        ("places of a list of a service", format!("`{}`", limits::PLACES)),
        ("bytes of a question to a service", format!("`{}`", limits::QUESTION_BYTES)),
        ("bytes of a model file", format!("`{}`", limits::MODEL_BYTES)),
        ("bytes of one record of a text", format!("`{}`", limits::RECORD_BYTES)),
        ("columns of a table", format!("`{}`", limits::COLUMNS)),
        ("columns within columns", format!("`{}` deep", limits::DEPTH)),
        ("what a file unpacks to, and a page of Parquet", format!("`{}`", limits::UNPACKED_BYTES)),
        ("larger files: what one unpacks to", format!("`{}` times its size", limits::UNPACKED_FOLD)),
        ("features", format!("`{}`", limits::FEATURES)),
        ("terms of a model", format!("`{}`", limits::TERMS)),
        ("a figure of a model", format!("within `{:e}` of zero", limits::FIGURE)),
    ];
    for (what, value) in expected {
        assert_eq!(stated(DEFAULTS, what, 1), value, "{what}");
    }
    assert_eq!(logistic.strength, None);
    let least = Performance::LEAST_FAMILIES;
    let families = stated(DEFAULTS, "fewest families for an AUC", 1);
    assert_eq!(families, format!("`{least}` with the outcome and `{least}` without"));
    assert!(stated(DEFAULTS, "seed of the bootstrap", 1).contains(&format!("`{}`", bootstrap.seed)));
}

#[test]
fn both_pages_state_the_same_defaults() {
    for key in
        ["minimum_link", "stale_after_days", "resamples", "minimum_group", "families", "steps", "pairs"]
    {
        let key = format!("`{key}`");
        assert_eq!(stated(PROJECT_FILE, &key, 2), stated(DEFAULTS, &key, 1), "{key}");
    }
}
