//! Scores cases whose features another system has computed: a released model in, a JSON line a case in, the whole answer a line out.
//!
//! ```text
//! earlyhelp-scorer released.json AS-OF ON BY < cases.jsonl
//! ```
//!
//! A case is `{"id": "...", "features": {"NAME": 2, "OTHER": "missing", "THIRD": "not covered"}}`; a feature that is not named is
//! missing. The answer has the reasons, what was missing, and where it comes from; or why there is no score. Nothing is put on
//! record here: that is for the program which shows an answer to somebody.

use std::collections::HashMap;
use std::io::BufRead as _;

use earlyhelp::calendar::AsOf;
use earlyhelp::features::{Cell, FeatureMatrix};
use earlyhelp::scoring::{Request, Scorer};

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    id: String,
    features: HashMap<String, Cell>,
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [model, as_of, on, by] = &arguments[..] else {
        return Err("usage: earlyhelp-scorer RELEASED.json AS-OF ON BY < cases.jsonl".into());
    };
    let scorer = Scorer::from_json(&std::fs::read_to_string(model)?)?;
    let names = scorer.candidate().model().features();
    let (as_of, request) =
        (AsOf::new(as_of.parse()?), Request::new(by, &scorer.sign_off().purpose, on.parse()?));
    for (number, line) in std::io::stdin().lock().lines().enumerate() {
        // What serde says could hold a value of the line.
        let wrong = |why: &str| format!("line {}: {why}", number + 1);
        let mut case: Case = serde_json::from_str(&line?).map_err(|_| wrong("it is no case"))?;
        let cell = |name: &String| vec![case.features.remove(name).unwrap_or(Cell::Missing)];
        let cells: Vec<Vec<Cell>> = names.iter().map(cell).collect();
        if !case.features.is_empty() {
            return Err(wrong("it has a feature that is none of the model's").into());
        }
        let matrix =
            FeatureMatrix::from_cells(names.to_vec(), 1, &cells).ok_or_else(|| wrong("it is no row"))?;
        for answer in scorer.score_matrix(&[case.id], &matrix, as_of, "earlyhelp-scorer", &request)? {
            println!("{}", serde_json::to_string(&answer)?);
        }
    }
    Ok(())
}
