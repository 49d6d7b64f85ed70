//! A model file that somebody forged, digests and all: it is refused, or shown and scored as any other, with finite figures
//! and in bounded room.

use std::sync::LazyLock;

use earlyhelp::calendar::AsOf;
use earlyhelp::evaluate::Capacity;
use earlyhelp::project::Project;
use earlyhelp::records::Records;
use earlyhelp::report::list_json;
use earlyhelp::review::ReviewList;
use earlyhelp::scoring::{ModelFile, Request, Scorer};
use earlyhelp::synthetic::{CouncilParams, Format};
use proptest::prelude::*;

use crate::fuzz::seeds;
use crate::fuzz::targets::{compact, resealed, shown};

/// A part of a JSON text that can be changed by itself.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Kind {
    Whole,
    Real,
    Text,
    List,
}

/// What it is, and where in the text it begins and ends.
type Part = (Kind, usize, usize);

/// The numbers, texts (not keys) and lists of a compact JSON text, each with where it stands.
fn parts(text: &str) -> Vec<Part> {
    let bytes = text.as_bytes();
    let (mut found, mut lists, mut at) = (Vec::new(), Vec::new(), 0);
    while at < bytes.len() {
        let start = at;
        match bytes[at] {
            b'"' => {
                at += 1;
                while bytes[at] != b'"' {
                    at += if bytes[at] == b'\\' { 2 } else { 1 };
                }
                at += 1;
                if bytes.get(at) != Some(&b':') {
                    found.push((Kind::Text, start, at));
                }
            }
            b'-' | b'0'..=b'9' => {
                while matches!(bytes[at], b'-' | b'+' | b'.' | b'e' | b'E' | b'0'..=b'9') {
                    at += 1;
                }
                let is_real = text[start..at].contains(['.', 'e']);
                found.push((if is_real { Kind::Real } else { Kind::Whole }, start, at));
            }
            b'[' => {
                lists.push(start);
                at += 1;
            }
            b']' => {
                at += 1;
                found.extend(lists.pop().map(|start| (Kind::List, start, at)));
            }
            _ => at += 1,
        }
    }
    found
}

/// The elements of a list.
fn elements(list: &str) -> Vec<&str> {
    let inner = &list[1..list.len() - 1];
    let (mut depth, mut in_text, mut escaped, mut start) = (0, false, false, 0);
    let mut found = Vec::new();
    for (at, c) in inner.char_indices() {
        match c {
            '"' if !escaped => in_text = !in_text,
            '[' | '{' if !in_text => depth += 1,
            ']' | '}' if !in_text => depth -= 1,
            ',' if !in_text && depth == 0 => {
                found.push(&inner[start..at]);
                start = at + 1;
            }
            _ => {}
        }
        escaped = in_text && c == '\\' && !escaped;
    }
    if start < inner.len() {
        found.push(&inner[start..]);
    }
    found
}

/// What one part becomes. Numbers are written as the crate writes them, since a digest is over that.
fn changed(kind: Kind, was: &str, how: usize) -> String {
    const WHOLE: [&str; 8] =
        ["0", "1", "-1", "255", "4294967295", "9223372036854775807", "18446744073709551615", "1e999"];
    const REAL: [&str; 9] = ["0.0", "-1.0", "1e300", "-1e300", "1e-300", "1e18", "1e9", "40.0", "1e999"];
    match kind {
        Kind::Whole => WHOLE[how % WHOLE.len()].to_owned(),
        Kind::Real => REAL[how % REAL.len()].to_owned(),
        Kind::Text => match how % 6 {
            0 => "\"\"".to_owned(),
            1 => "\"é\"".to_owned(),
            2 => format!("\"{}\"", "long ".repeat(20_000)),
            3 => "\"<script>\"".to_owned(),
            4 => "\"0001-01-01\"".to_owned(),
            _ => "\"9999-12-31\"".to_owned(),
        },
        Kind::List => {
            let mut held = elements(was);
            match how % 6 {
                0 => held.clear(),
                1 => drop(held.pop()),
                2 => held.extend(held.first().copied()),
                3 => held.reverse(),
                4 => held = held.repeat(2_000 / held.len().max(1) + 1),
                _ => return format!("{}{was}{}", "[".repeat(100_000), "]".repeat(100_000)),
            }
            format!("[{}]", held.join(","))
        }
    }
}

/// Small models of the three trainers, each with the parts of its text.
static MODELS: LazyLock<Vec<(String, Vec<Part>)>> = LazyLock::new(|| {
    let models = seeds("model").into_iter().map(|(_, bytes)| String::from_utf8(bytes).unwrap());
    models.map(|text| (compact(&text), parts(&compact(&text)))).collect()
});

struct Town {
    project: Project,
    records: Records,
    _folder: tempfile::TempDir,
}

static TOWN: LazyLock<Town> = LazyLock::new(|| {
    let folder = tempfile::tempdir().unwrap();
    let council = CouncilParams::new(1_000, 3).generate().unwrap();
    let project = Project::load(council.write(folder.path(), Format::Csv).unwrap()).unwrap();
    let records = project.records().unwrap();
    Town { project, records, _folder: folder }
});

/// Scores the town with a released model and lists it; whether it would.
fn scored(scorer: &Scorer) -> bool {
    let today = scorer.sign_off().signed_on;
    let Ok(cohort) = TOWN.project.cohort(&TOWN.records, AsOf::new(today)) else { return false };
    let request = Request::new("B. Lead", &scorer.sign_off().purpose, today);
    let Ok(scores) = scorer.score(&cohort, &request) else { return false };
    let Ok(list) = ReviewList::draw(&scores, Capacity::Cases(3)) else { return false };
    // JSON knows no infinite number: one would stand as null.
    let text = list_json(&list).unwrap();
    assert!(!text.contains("\"log_odds\": null") && !text.contains("\"score\": null"), "an infinite score");
    true
}

fn tried(text: &str) -> bool {
    match ModelFile::from_json(&resealed(text)) {
        Ok(file) => {
            shown(&file);
            if let ModelFile::Released(scorer) = &file {
                scored(scorer);
            }
            true
        }
        Err(error) => {
            assert!(error.to_string().len() < 250_000, "an error of {} bytes", error.to_string().len());
            false
        }
    }
}

fn with_part(model: usize, part: usize, how: usize) -> String {
    let (text, parts) = &MODELS[model % MODELS.len()];
    let (kind, start, end) = parts[part % parts.len()];
    format!("{}{}{}", &text[..start], changed(kind, &text[start..end], how), &text[end..])
}

#[test]
fn the_small_models_are_whole_and_score() {
    for (text, _) in MODELS.iter() {
        assert_eq!(&resealed(text), text, "its digests are not those of its content");
        let ModelFile::Released(scorer) = ModelFile::from_json(text).unwrap() else { panic!("released") };
        shown(&ModelFile::Released(scorer.clone()));
        assert!(scored(&scorer));
    }
}

#[test]
fn a_forged_digest_gets_a_change_past_the_check_of_digests() {
    // Else the tests below would try nothing.
    let (text, _) = &MODELS[0];
    let changed = text.replacen("\"seed\":1", "\"seed\":2", 1);
    assert!(&changed != text && ModelFile::from_json(&changed).is_err());
    let forged = resealed(&changed);
    assert!(tried(&forged));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, max_shrink_iters: 0, failure_persistence: None, ..ProptestConfig::default() })]
    #[test]
    fn a_forged_model_is_refused_or_is_one(model in 0_usize..3, part: usize, how: usize) {
        tried(&with_part(model, part, how));
    }
}

/// Every part of every small model, in every way.
#[test]
#[ignore = "thousands of models: some minutes"]
fn every_forgery_of_one_part_is_refused_or_is_a_model() {
    let (mut all, mut taken) = (0, 0);
    for (model, (_, parts)) in MODELS.iter().enumerate() {
        for (part, &(kind, start, end)) in parts.iter().enumerate() {
            for how in 0..9 {
                all += 1;
                let text = with_part(model, part, how);
                let outcome = std::panic::catch_unwind(|| tried(&text));
                let around = &MODELS[model].0[start.saturating_sub(60)..end.min(start + 40)];
                taken +=
                    usize::from(*outcome.as_ref().unwrap_or_else(|_| panic!("{kind:?} {how}: {around}")));
            }
        }
    }
    println!("{all} forgeries, {taken} of which are models");
    assert!(taken > 1_000);
}

#[test]
fn what_was_found_is_refused() {
    let (additive, logistic) = (&MODELS[0].0, &MODELS[1].0);
    let refused = |text: &str, from: &str, to: &str, why: &str| {
        let forged = text.replacen(from, to, 1);
        assert_ne!(&forged, text, "{from}");
        let error = ModelFile::from_json(&resealed(&forged)).unwrap_err().to_string();
        assert!(error.contains(why), "{why}: {error}");
    };
    // Billions of bars between two tenths, and billions of levels on a drawing.
    let quantiles =
        |text: &str| text.split_once("\"quantiles\":[").unwrap().1.split_once(',').unwrap().0.to_owned();
    let first = format!("\"quantiles\":[{}", quantiles(logistic));
    refused(logistic, &first, "\"quantiles\":[1e12", "quantiles that rise");
    // A score beyond all numbers.
    refused(additive, "\"values\":[", "\"values\":[1e300,", "not a model");
    refused(additive, "\"intercept\":-", "\"intercept\":-99999999999", "beyond all log-odds");
    refused(additive, "\"importance\":[", "\"importance\":[1.0,", "importance for each term");
}
