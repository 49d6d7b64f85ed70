//! The corpora of the fuzz targets are replayed, so that what was once found stays mended; `tests/fuzz/Cargo.toml` says how
//! to look for more with coverage, and `searches_without_coverage` does without a nightly toolchain.

pub mod targets;

use std::path::{Path, PathBuf};

use earlyhelp::calendar::Day;
use earlyhelp::ledger::{Content, Draft, Ledger};
use polars::df;
use polars::prelude::{IpcWriter, ParquetWriter, SerWriter};

fn corpus() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fuzz/corpus")
}

/// The files of a target's corpus, in the order of their names.
pub fn seeds(target: &str) -> Vec<(PathBuf, Vec<u8>)> {
    let mut files: Vec<PathBuf> =
        std::fs::read_dir(corpus().join(target)).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files.into_iter().map(|path| (path.clone(), std::fs::read(path).unwrap())).collect()
}

#[test]
fn every_corpus_is_replayed_and_small() {
    let mut all = 0;
    for (name, target) in targets::ALL {
        let seeds = seeds(name);
        assert!(seeds.len() >= 2, "the corpus of {name} has only {} files", seeds.len());
        for (path, bytes) in seeds {
            all += bytes.len();
            // The test shows which file it was where one panics.
            let outcome = std::panic::catch_unwind(|| target(&bytes));
            assert!(outcome.is_ok(), "{}", path.display());
            // Cut off anywhere, too: a copy that was interrupted.
            for part in [2, 3, 10] {
                let cut = &bytes[..bytes.len() / part];
                let outcome = std::panic::catch_unwind(|| target(cut));
                assert!(outcome.is_ok(), "the first {} bytes of {}", cut.len(), path.display());
            }
        }
    }
    assert!(all < 1 << 20, "the corpora have {all} bytes together");
}

#[test]
fn every_target_has_its_program_and_its_corpus() {
    let manifest = std::fs::read_to_string(corpus().parent().unwrap().join("Cargo.toml")).unwrap();
    for (name, _) in targets::ALL {
        assert!(manifest.contains(&format!("name = \"{name}\"")), "{name}");
        let program = corpus().parent().unwrap().join(format!("fuzz_targets/{name}.rs"));
        let program = std::fs::read_to_string(program).unwrap();
        assert!(program.contains(&format!("targets::{name}(data)")), "{name}");
    }
    assert_eq!(std::fs::read_dir(corpus()).unwrap().count(), targets::ALL.len());
}

/// Bytes of a small random generator: which is all the same here, but for the same seed the same.
pub struct Dice(u64);

impl Dice {
    pub fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    pub fn below(&mut self, most: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) as usize % most.max(1)
    }
}

/// A file with one to four things done to it: a bit turned, bytes taken out, doubled, or put in from another file.
fn mutated(bytes: &[u8], other: &[u8], dice: &mut Dice) -> Vec<u8> {
    const TELLING: [&[u8]; 12] = [
        b"\"",
        b"\n",
        b",",
        b"\0",
        b"\xff\xff\xff\xff",
        b"-1",
        b"9999999999",
        b"1e300",
        b"{",
        b"[",
        b"\xef\xbb\xbf",
        b"''",
    ];
    let mut bytes = bytes.to_vec();
    for _ in 0..=dice.below(4) {
        let at = dice.below(bytes.len() + 1);
        let end = (at + 1 + dice.below(64)).min(bytes.len());
        match dice.below(6) {
            0 if at < bytes.len() => bytes[at] ^= 1 << dice.below(8),
            1 if at < bytes.len() => bytes[at] = dice.below(256) as u8,
            2 if at < end => drop(bytes.drain(at..end)),
            3 if at < end => {
                let part = bytes[at..end].to_vec();
                let times = 1 + dice.below(3);
                bytes.splice(at..at, part.repeat(times));
            }
            4 if !other.is_empty() => {
                let from = dice.below(other.len());
                let part = other[from..(from + 1 + dice.below(64)).min(other.len())].to_vec();
                bytes.splice(at..at, part);
            }
            _ => {
                let part = TELLING[dice.below(TELLING.len())];
                bytes.splice(at..at, part.iter().copied());
            }
        }
    }
    bytes
}

/// Mutates the corpora for `EARLYHELP_FUZZ_SECONDS` (10) a target, and leaves what it found in a folder of its own.
#[test]
#[ignore = "a search, not a check: it takes as long as it is given"]
fn searches_without_coverage() {
    let of = |name: &str, default: u64| {
        std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(default)
    };
    let seconds = of("EARLYHELP_FUZZ_SECONDS", 10);
    let only = std::env::var("EARLYHELP_FUZZ_TARGET").ok();
    let mut dice = Dice::new(of("EARLYHELP_FUZZ_SEED", 1));
    let mut found = Vec::new();
    for (name, target) in targets::ALL {
        if only.as_ref().is_some_and(|only| only != name) {
            continue;
        }
        let seeds = seeds(name);
        let begun = std::time::Instant::now();
        let mut tried = 0_u64;
        let mut known = std::collections::BTreeSet::new();
        while begun.elapsed().as_secs() < seconds {
            let (_, seed) = &seeds[dice.below(seeds.len())];
            let (_, other) = &seeds[dice.below(seeds.len())];
            let bytes = mutated(seed, other, &mut dice);
            tried += 1;
            let last = std::env::temp_dir().join(format!("earlyhelp-fuzz-{name}-last"));
            std::fs::write(&last, &bytes).unwrap();
            if let Err(panic) = std::panic::catch_unwind(|| target(&bytes)) {
                let said = panic.downcast_ref::<String>().cloned();
                let said = said.or_else(|| panic.downcast_ref::<&str>().map(|said| (*said).to_owned()));
                if known.insert(said.clone()) {
                    let kept = std::env::temp_dir().join(format!("earlyhelp-fuzz-{name}-{}", known.len()));
                    std::fs::write(&kept, &bytes).unwrap();
                    found.push(format!("{}: {}", kept.display(), said.unwrap_or_default()));
                }
            }
        }
        println!("{name}: {tried} inputs, {} kinds of panic", known.len());
    }
    assert!(found.is_empty(), "{}", found.join("\n"));
}

/// Rows of people whom there are not.
const TABLE: &str = "id,kind,on,value,note\np1,visit,2023-05-01,2.5,\np2,call,2023-06-30,,\"two\nlines\"\np3,visit,31/12/2022,1,x\n";

/// Writes the corpora anew, but for those of models (`tests/fuzz/make_models.py`).
#[test]
#[ignore = "it writes into the tree"]
fn writes_the_corpora() {
    let write = |target: &str, name: &str, bytes: &[u8]| {
        let folder = corpus().join(target);
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::write(folder.join(name), bytes).unwrap();
    };
    write("text", "plain.csv", TABLE.as_bytes());
    write("text", "semicolon.csv", TABLE.replace(',', ";").as_bytes());
    write("text", "bom.csv", format!("\u{feff}{TABLE}").as_bytes());
    write("text", "titles.csv", format!("A report\r\nof a day\r\n\r\n{TABLE}").as_bytes());
    write("text", "open_quote.csv", TABLE.replace("two\n", "two\"\"\n").as_bytes());
    let wide: Vec<u8> = format!("\u{feff}{TABLE}").encode_utf16().flat_map(u16::to_le_bytes).collect();
    write("text", "utf16.csv", &wide);
    write("text", "latin.csv", b"id,kind,on,value\np1,caf\xe9,2023-05-01,1\n");
    let mut frame = df!(
        "id" => ["p1", "p2", "p3"],
        "kind" => [Some("visit"), None, Some("call")],
        "on" => ["2023-05-01", "2023-06-30", "x"],
        "value" => [Some(2.5), None, Some(-1.0)],
    )
    .unwrap();
    let mut days = df!(
        "id" => [1_i64, 2, 3],
        "kind" => ["a", "b", "a"],
        "on" => [19_000_i32, 19_001, -1],
        "value" => [1_u32, 2, 3],
    )
    .unwrap();
    let date = days.column("on").unwrap().cast(&polars::prelude::DataType::Date).unwrap();
    days.with_column(date).unwrap();
    for (name, frame) in [("texts", &mut frame), ("days", &mut days)] {
        let mut bytes = Vec::new();
        ParquetWriter::new(&mut bytes).finish(frame).unwrap();
        write("parquet", &format!("{name}.parquet"), &bytes);
        let mut bytes = Vec::new();
        IpcWriter::new(&mut bytes).finish(frame).unwrap();
        write("arrow", &format!("{name}.arrow"), &bytes);
    }
    let twins = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/twins");
    for name in ["all_text.xlsx", "mixed_cells.xlsx", "open.ods", "old.xls"] {
        write("workbook", name, &std::fs::read(twins.join(name)).unwrap());
    }
    let guide = include_str!("../src/guide/project_file.md");
    let examples: Vec<&str> =
        guide.split("```toml\n").skip(1).map(|rest| rest.split("```").next().unwrap()).collect();
    write("project", "guide.toml", examples.concat().as_bytes());
    write("project", "synthetic.toml", include_bytes!("../src/synthetic/project.toml"));
    write("project", "keys.toml", include_bytes!("fixtures/project_schema.toml"));
    write(
        "settings",
        "shares.toml",
        b"column = \"area\"\nby = \"group_size\"\nfrom = \"2025-04-01\"\nuntil = \"2026-03-31\"\n",
    );
    write("settings", "organisation.toml", b"name = \"A council\"\ncontact = \"data@example.org\"\n");
    write("settings", "monitor.toml", b"seed = 1\nresamples = 99\n");
    let scores: String = (0..40)
        .flat_map(|row| [(row % 10).to_string(), format!(",{},{}\n", row % 3 / 2, ["F", "M"][row % 2])])
        .collect();
    write("scores", "plain.csv", format!("score,outcome,sex\n{scores}").as_bytes());
    write("scores", "words.csv", b"Score;Outcome;Sex\nhigh;yes;F\nlow;no;M\n12%;;F\n-inf;1;\nnan;0;X\n");
    let folder = tempfile::tempdir().unwrap();
    for name in ["l.jsonl", "l.sqlite"] {
        let path = folder.path().join(name);
        let ledger = Ledger::open(&path).unwrap();
        let day = Day::from_ymd(2025, 4, 1).unwrap();
        let about = |nth: u64| {
            let says = serde_json::json!({ "score": nth as f64 / 3.0, "words": "owes rent" });
            let content = Content::of_subject(format!("P-{nth}"), says);
            Draft::new("scored", day).run("r1").facts(serde_json::json!({ "rank": nth })).content(content)
        };
        ledger.append((1..=3).map(about).collect()).unwrap();
        let target = if name == "l.jsonl" { "ledger_lines" } else { "ledger_sqlite" };
        ledger.checkpoint(day).unwrap().save(folder.path().join("checkpoint.json")).unwrap();
        let checkpoint = std::fs::read(folder.path().join("checkpoint.json")).unwrap();
        write("settings", "checkpoint.json", &checkpoint);
        std::fs::remove_file(folder.path().join("checkpoint.json")).unwrap();
        drop(ledger);
        write(target, name, &std::fs::read(&path).unwrap());
        let ledger = Ledger::open(&path).unwrap();
        ledger
            .redact(
                &[2],
                vec![
                    Draft::new("purge", day)
                        .facts(serde_json::json!({ "by": "D. Officer", "reason": "asked for" })),
                ],
            )
            .unwrap();
        drop(ledger);
        write(target, &name.replace("l.", "purged."), &std::fs::read(&path).unwrap());
    }
}
