//! The JSON Schema of a project file, held against what the reader accepts and refuses.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::LazyLock;

use earlyhelp::calendar::Day;
use earlyhelp::project::{DraftParams, Project};
use earlyhelp::synthetic::{CouncilParams, Format};
use serde::Deserialize;
use serde_json::{Map, Value};

/// A validator of as much of JSON Schema as the schema uses. A keyword that it does not know fails the test, so that nothing
/// in the schema goes unheeded; what it says is held against another program's verdicts below.
struct Validator(Value);

static SCHEMA: LazyLock<Validator> = LazyLock::new(|| Validator(Project::json_schema()));

/// What the schema says against a project; `None` where it accepts it.
pub fn refusal(text: &str) -> Option<String> {
    let project: Value = toml::from_str(text).unwrap_or_else(|error| panic!("no TOML: {error}\n{text}"));
    SCHEMA.check(&SCHEMA.0, &project).err()
}

impl Validator {
    fn check(&self, schema: &Value, value: &Value) -> Result<(), String> {
        let Value::Object(keywords) = schema else {
            return if schema == &Value::Bool(true) { Ok(()) } else { Err("nothing may stand here".into()) };
        };
        keywords.iter().try_for_each(|(keyword, asked)| {
            self.keyword(keywords, (keyword, asked), value).map_err(|why| format!("{keyword}: {why}"))
        })
    }

    fn keyword(
        &self,
        beside: &Map<String, Value>,
        (keyword, asked): (&str, &Value),
        value: &Value,
    ) -> Result<(), String> {
        let all = |holds: bool| if holds { Ok(()) } else { Err(format!("{asked} against {value}")) };
        let fitting = || {
            let ways = asked.as_array().unwrap();
            ways.iter().filter(|way| self.check(way, value).is_ok()).count()
        };
        match keyword {
            "$schema" | "$defs" | "title" | "description" | "default" | "format" => Ok(()),
            "$ref" => {
                let place = asked.as_str().unwrap().strip_prefix('#').unwrap();
                self.check(self.0.pointer(place).expect("what is referred to is there"), value)
            }
            "type" => all(is_of_type(asked.as_str().expect("one type"), value)),
            "const" => all(asked == value),
            "enum" => all(asked.as_array().unwrap().contains(value)),
            "anyOf" => all(fitting() > 0),
            "oneOf" => all(fitting() == 1),
            "minimum" => all(value.as_f64().is_none_or(|number| number >= asked.as_f64().unwrap())),
            "maximum" => all(value.as_f64().is_none_or(|number| number <= asked.as_f64().unwrap())),
            "minItems" => {
                all(value.as_array().is_none_or(|items| items.len() as u64 >= asked.as_u64().unwrap()))
            }
            "maxItems" => {
                all(value.as_array().is_none_or(|items| items.len() as u64 <= asked.as_u64().unwrap()))
            }
            "pattern" => all(value.as_str().is_none_or(|text| fits(asked.as_str().unwrap(), text))),
            "required" => all(value.as_object().is_none_or(|object| {
                asked.as_array().unwrap().iter().all(|key| object.contains_key(key.as_str().unwrap()))
            })),
            "items" => {
                let begun = beside.get("prefixItems").map_or(0, |items| items.as_array().unwrap().len());
                let items = value.as_array().into_iter().flatten().skip(begun);
                items.into_iter().try_for_each(|item| self.check(asked, item))
            }
            "prefixItems" => {
                let items = asked.as_array().unwrap().iter().zip(value.as_array().into_iter().flatten());
                items.into_iter().try_for_each(|(asked, item)| self.check(asked, item))
            }
            "properties" => value.as_object().into_iter().flatten().try_for_each(|(key, held)| {
                asked
                    .get(key)
                    .map_or(Ok(()), |asked| self.check(asked, held).map_err(|why| format!("{key}: {why}")))
            }),
            "additionalProperties" => value.as_object().into_iter().flatten().try_for_each(|(key, held)| {
                let known = beside.get("properties").is_some_and(|known| known.get(key).is_some());
                if known { Ok(()) } else { self.check(asked, held).map_err(|why| format!("{key}: {why}")) }
            }),
            other => panic!("the schema has a keyword that this test does not know: {other}"),
        }
    }
}

fn is_of_type(name: &str, value: &Value) -> bool {
    match name {
        "object" => value.is_object(),
        "array" => value.is_array(),
        "string" => value.is_string(),
        "boolean" => value.is_boolean(),
        "number" => value.is_number(),
        "integer" => value.as_f64().is_some_and(|number| number.fract() == 0.0),
        other => panic!("no type of a project file: {other}"),
    }
}

/// The three patterns that there are.
fn fits(pattern: &str, text: &str) -> bool {
    let is_day = || {
        let shape: String = text.chars().map(|c| if c.is_ascii_digit() { '0' } else { c }).collect();
        shape == "0000-00-00"
    };
    let is_span = || {
        text.split_once(' ').is_some_and(|(count, unit)| {
            let most = if unit.starts_with("day") { 5 } else { 4 };
            let is_count = count.chars().all(|c| c.is_ascii_digit()) && !count.starts_with('0');
            is_count
                && (1..=most).contains(&count.len())
                && ["day", "days", "month", "months"].contains(&unit)
        })
    };
    match pattern {
        r"^\d{4}-\d{2}-\d{2}$" => is_day(),
        r"^([1-9]\d{0,4} days?|[1-9]\d{0,3} months?)$" => is_span(),
        r"^(ever|[1-9]\d{0,4} days?|[1-9]\d{0,3} months?)$" => text == "ever" || is_span(),
        other => panic!("the schema has a pattern that this test does not know: {other}"),
    }
}

/// A project that is right, and parts of it that are replaced by another.
#[derive(Deserialize)]
struct Cases {
    base: String,
    reads: Vec<Case>,
    refused: Vec<Case>,
}

#[derive(Deserialize)]
struct Case {
    part: String,
    other: String,
}

impl Cases {
    fn with(&self, case: &Case) -> String {
        assert_eq!(self.base.matches(&case.part).count(), 1, "{}", case.part);
        self.base.replace(&case.part, &case.other)
    }
}

static CASES: LazyLock<Cases> =
    LazyLock::new(|| toml::from_str(include_str!("fixtures/project_schema.toml")).unwrap());

#[test]
fn every_form_that_is_read_is_described() {
    assert_eq!(refusal(&CASES.base), None);
    assert!(CASES.reads.len() >= 30);
    for text in CASES.reads.iter().map(|case| CASES.with(case)) {
        Project::from_toml(&text, ".").unwrap_or_else(|error| panic!("{error}\n{text}"));
        assert_eq!(refusal(&text), None, "{text}");
    }
}

#[test]
fn what_is_misspelt_or_cannot_be_is_refused_by_both() {
    assert!(CASES.refused.len() >= 30);
    for text in CASES.refused.iter().map(|case| CASES.with(case)) {
        assert!(refusal(&text).is_some(), "{text}");
        assert!(Project::from_toml(&text, ".").is_err(), "{text}");
    }
}

/// `make_project_schema.py` beside the fixture had the schema held against JSON Schema's own, and these projects against it.
#[test]
fn another_program_says_the_same() {
    #[derive(Deserialize)]
    struct Verdicts {
        meta_schema: bool,
        base: bool,
        reads: Vec<bool>,
        refused: Vec<bool>,
    }
    let said: Verdicts = serde_json::from_str(include_str!("fixtures/project_schema.json")).unwrap();
    assert!(said.meta_schema && said.base);
    for (cases, said) in [(&CASES.reads, &said.reads), (&CASES.refused, &said.refused)] {
        let own: Vec<bool> = cases.iter().map(|case| refusal(&CASES.with(case)).is_none()).collect();
        assert_eq!(&own, said, "run tests/fixtures/make_project_schema.py again after a change to the cases");
    }
}

#[test]
fn projects_that_are_written_for_people_hold() {
    let folder = tempfile::tempdir().unwrap();
    let mut projects: Vec<PathBuf> = Vec::new();
    let council = CouncilParams::new(1_000, 1).generate().unwrap();
    projects.push(council.write(&folder.path().join("person"), Format::Csv).unwrap());
    projects.push(council.write(&folder.path().join("parquet"), Format::Parquet).unwrap());
    for path in &projects {
        assert_eq!(refusal(&std::fs::read_to_string(path).unwrap()), None);
    }
    let extracts = folder.path().join("person");
    let draft = DraftParams::new(&extracts).read_on(council.extract_date()).draft(&extracts).unwrap();
    assert_eq!(refusal(draft.text()), None, "{}", draft.text());

    // A project that is written back from what was read, with every default spelt out.
    let read = toml::to_string(&Project::load(&projects[0]).unwrap()).unwrap();
    assert_eq!(refusal(&read), None, "{read}");
    let page = include_str!("../src/guide/project_file.md");
    let examples = page.split("```toml\n").skip(1).map(|part| part.split("```").next().unwrap());
    assert_eq!(refusal(&examples.collect::<String>()), None);
}

#[test]
fn what_it_says() {
    let schema = serde_json::to_string_pretty(&Project::json_schema()).unwrap();
    insta::assert_snapshot!("schema", schema);
}

#[test]
fn the_commands_print_it_and_write_it_beside_a_draft() {
    let run = |arguments: &[&str]| {
        Command::new(env!("CARGO_BIN_EXE_earlyhelp")).args(arguments).output().expect("the command runs")
    };
    let printed = run(&["schema"]);
    assert!(printed.status.success());
    assert_eq!(serde_json::from_slice::<Value>(&printed.stdout).unwrap(), Project::json_schema());

    let folder = tempfile::tempdir().unwrap();
    let mut rows = "Child ID,Referral Date,Referral Source\n".to_owned();
    for child in 0..200_i32 {
        let day = Day::from_epoch_days(19_000 + 7 * child);
        rows.push_str(&format!(
            "{},{day},{}\n",
            81_000 + child / 2,
            ["School", "Police"][child as usize % 2]
        ));
    }
    std::fs::write(folder.path().join("Referrals.csv"), rows).unwrap();
    let to = folder.path().to_string_lossy().into_owned();
    let drafted = run(&["init", &to, "--schema"]);
    assert!(drafted.status.success(), "{}", String::from_utf8_lossy(&drafted.stderr));
    let of = |name: &str| std::fs::read_to_string(Path::new(&to).join(name)).unwrap();
    assert!(of("project.toml").starts_with("#:schema ./project.schema.json\n"));
    assert_eq!(of("project.schema.json").as_bytes(), printed.stdout);
    assert_eq!(refusal(&of("project.toml")), None);
}
