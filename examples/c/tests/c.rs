//! The header is that of the code, and a program in C does a whole review with it, under a memory checker where there is one.

use std::path::{Path, PathBuf};
use std::process::Command;

use earlyhelp::ledger::{EntryKind, Filter, Ledger};
use earlyhelp::synthetic::{CouncilParams, Format};

const HERE: &str = env!("CARGO_MANIFEST_DIR");

#[test]
fn the_header_is_that_of_the_code() {
    let mut config = cbindgen::Config::from_file(Path::new(HERE).join("cbindgen.toml")).unwrap();
    config.language = cbindgen::Language::C;
    let made = cbindgen::Builder::new().with_src(Path::new(HERE).join("src/lib.rs")).with_config(config);
    let mut text = Vec::new();
    made.generate().unwrap().write(&mut text);
    let path = Path::new(HERE).join("earlyhelp.h");
    if std::env::var_os("EARLYHELP_WRITE_HEADER").is_some() {
        std::fs::write(&path, &text).unwrap();
    }
    let held = std::fs::read_to_string(path).unwrap_or_default();
    assert!(held.as_bytes() == text, "make it anew: EARLYHELP_WRITE_HEADER=1 cargo test");
}

/// The folder of the library that this test was built with.
fn built() -> PathBuf {
    let test = std::env::current_exe().unwrap();
    test.parent().unwrap().parent().unwrap().to_owned()
}

fn runs(command: &mut Command) -> String {
    let output = command.output().unwrap();
    let (said, told) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{said}{told}");
    format!("{said}{told}")
}

#[test]
fn a_program_in_c_does_a_whole_review() {
    let folder = tempfile::tempdir().unwrap();
    let council = CouncilParams::new(1_000, 5).generate().unwrap();
    let project = council.write(folder.path(), Format::Parquet).unwrap();
    let model = Path::new(HERE).join("../../models/synthetic_council_additive.json");
    let program = folder.path().join("review");
    // A test builds no library for C by itself.
    runs(Command::new(env!("CARGO")).args(["build", "--locked"]).current_dir(HERE));
    let mut compiler = Command::new("cc");
    compiler
        .args(["-std=c99", "-Wall", "-Wextra", "-Werror", "-pedantic", "-g", "-I", HERE, "-o"])
        .arg(&program);
    compiler.arg(Path::new(HERE).join("review.c")).arg("-L").arg(built()).arg("-learlyhelp_c");
    runs(compiler.arg(format!("-Wl,-rpath,{}", built().display())));

    let has_checker =
        Command::new("valgrind").arg("--version").output().is_ok_and(|output| output.status.success());
    let turns: &[bool] = if has_checker { &[false, true] } else { &[false] };
    if !has_checker {
        eprintln!("skipped: this machine has no valgrind");
    }
    for &is_checked in turns {
        let ledger = folder.path().join(format!("{is_checked}.sqlite"));
        let mut command = if is_checked {
            let mut command = Command::new("valgrind");
            // What threads of a pool hold until the end is no leak: it is still reachable.
            command.args([
                "--error-exitcode=9",
                "--leak-check=full",
                "--errors-for-leak-kinds=definite,indirect",
            ]);
            command.arg(&program);
            command
        } else {
            Command::new(&program)
        };
        let purpose = "Offer early help to families before a crisis";
        command.args([&project, &model, &ledger]).args([purpose, &council.extract_date().to_string()]);
        let said = runs(&mut command);
        assert!(
            said.contains("place 1: ") && said.contains("decided: {\"v\":1,\"id\":1,\"ok\":{\"entry\":"),
            "{said}"
        );
        assert!(said.contains("\"class\":\"bad_input\""), "{said}");
        assert!(!is_checked || said.contains("ERROR SUMMARY: 0 errors"), "{said}");
        let ledger = Ledger::open(&ledger).unwrap();
        for kind in [EntryKind::RunFinished, EntryKind::CaseOpened, EntryKind::CaseAsked, EntryKind::Decision]
        {
            assert_eq!(ledger.entries(&Filter::of(&[kind])).unwrap().len(), 1, "{kind:?}");
        }
        assert_eq!(ledger.verify(&[]).unwrap().finding, None);
    }
}
