//! Scores cases whose features another system has computed: a released model in, a JSON line a case in, the whole answer a line out.
//!
//! ```text
//! earlyhelp-scorer RELEASED.json AS-OF ON BY PURPOSE < cases.jsonl
//! ```
//!
//! A case is `{"id": "...", "features": {"NAME": 2, "OTHER": "missing", "THIRD": "not covered"}}`; a feature that is not named is
//! missing. The answer has the reasons, what was missing, and where it comes from; or why there is no score. Nothing is put on
//! record here: that is for the program which shows an answer to somebody.

use std::collections::{HashMap, HashSet};
use std::fmt::Display;
use std::io::{BufRead, Read as _, Write as _};
use std::process::ExitCode;

use earlyhelp::calendar::AsOf;
use earlyhelp::features::{Cell, FeatureMatrix};
use earlyhelp::scoring::{Asked, Request, Scorer};

/// A line that is longer is no case.
const LONGEST_LINE: u64 = 1 << 20;

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    id: String,
    #[serde(deserialize_with = "each_once")]
    features: HashMap<String, Cell>,
}

/// A feature that stands twice is refused: of two values neither is the right one.
fn each_once<'de, D: serde::Deserializer<'de>>(given: D) -> Result<HashMap<String, Cell>, D::Error> {
    struct Once;
    impl<'de> serde::de::Visitor<'de> for Once {
        type Value = HashMap<String, Cell>;

        fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.write_str("features by their names")
        }

        fn visit_map<A: serde::de::MapAccess<'de>>(self, mut given: A) -> Result<Self::Value, A::Error> {
            let mut features = HashMap::new();
            while let Some((name, cell)) = given.next_entry()? {
                if features.insert(name, cell).is_some() {
                    return Err(serde::de::Error::custom("a feature stands twice"));
                }
            }
            Ok(features)
        }
    }
    given.deserialize_map(Once)
}

fn main() -> ExitCode {
    let arguments: Option<Vec<String>> =
        std::env::args_os().skip(1).map(|text| text.into_string().ok()).collect();
    let Some([model, as_of, on, by, purpose]) = arguments.as_deref() else {
        eprintln!("usage: earlyhelp-scorer RELEASED.json AS-OF ON BY PURPOSE < cases.jsonl");
        return ExitCode::from(2);
    };
    match run([model, as_of, on, by, purpose]) {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            eprintln!("earlyhelp-scorer: {why}");
            ExitCode::FAILURE
        }
    }
}

fn run([model, as_of, on, by, purpose]: [&String; 5]) -> Result<(), String> {
    let failed = |of: &str, why: &dyn Display| format!("{of}: {why}");
    let text = std::fs::read_to_string(model).map_err(|why| failed(model, &why))?;
    let scorer = Scorer::from_json(&text).map_err(|why| failed(model, &why))?;
    let as_of = AsOf::new(as_of.parse().map_err(|why| failed("AS-OF", &why))?);
    let request = Request::new(by, purpose, on.parse().map_err(|why| failed("ON", &why))?);
    let names = scorer.candidate().model().features();
    let score = |ids: &[&str], columns: &[Vec<Cell>]| -> Result<Vec<Asked>, String> {
        let matrix = FeatureMatrix::from_cells(names.to_vec(), ids.len(), columns).unwrap_or_default();
        let answers = scorer.score_matrix(ids, &matrix, as_of, "earlyhelp-scorer", &request);
        answers.map_err(|why| why.to_string())
    };
    // Nobody asks for scores that would be refused, whether there are cases or not.
    score(&[], &vec![Vec::new(); names.len()])?;
    let (mut input, mut output) = (std::io::stdin().lock(), std::io::stdout().lock());
    let (mut line, mut met) = (Vec::new(), HashSet::new());
    for number in 1.. {
        line.clear();
        let wrong = |why: &dyn Display| format!("line {number}: {why}");
        let read = input.by_ref().take(LONGEST_LINE).read_until(b'\n', &mut line);
        if read.map_err(|why| wrong(&why))? == 0 {
            break;
        }
        // What serde says could hold a value of the line.
        let mut case: Case = serde_json::from_slice(&line).map_err(|_| wrong(&"it is no case"))?;
        let columns: Vec<Vec<Cell>> =
            names.iter().map(|name| vec![case.features.remove(name).unwrap_or(Cell::Missing)]).collect();
        if !case.features.is_empty() {
            return Err(wrong(&"it has a feature that is none of the model's"));
        }
        if !met.insert(case.id.clone()) {
            return Err(wrong(&"its id stood in a line before"));
        }
        for answer in score(&[&case.id], &columns).map_err(|why| wrong(&why))? {
            let text = serde_json::to_string(&answer).map_err(|why| wrong(&why))?;
            writeln!(output, "{text}")
                .and_then(|()| output.flush())
                .map_err(|why| failed("standard output", &why))?;
        }
    }
    Ok(())
}
