//! A library that holds families' records links no network client, and nothing of a licence that `deny.toml`
//! does not allow.

use std::collections::BTreeMap;
use std::process::Command;

fn table(path: &str) -> toml::Table {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    std::fs::read_to_string(root.join(path)).unwrap().parse().unwrap()
}

fn texts(value: &toml::Value) -> Vec<String> {
    value.as_array().unwrap().iter().map(|text| text.as_str().unwrap().to_owned()).collect()
}

/// The licence of each crate that is linked, or run while building, on this platform.
fn linked() -> BTreeMap<String, String> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let output = Command::new(cargo)
        .args(["tree", "-e", "normal,build", "--prefix", "none", "--offline", "--format", "{p};{l}"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let tree = String::from_utf8(output.stdout).unwrap();
    let linked: BTreeMap<String, String> = tree
        .lines()
        .filter_map(|line| line.split_once(';'))
        .map(|(package, licence)| {
            let name = package.split_whitespace().next().unwrap();
            (name.to_owned(), licence.trim_end_matches(" (*)").to_owned())
        })
        .collect();
    // The tree was read: the crate itself and its largest dependency are in it.
    assert!(linked.contains_key("earlyhelp") && linked.contains_key("polars-core"), "{linked:?}");
    linked
}

/// Whether each part that is joined by AND offers an allowed licence. Brackets are not followed: that can
/// refuse what is allowed, and never allows what is not.
fn allows(allowed: &[String], licence: &str) -> bool {
    licence.replace(['(', ')'], "").split(" AND ").all(|part| {
        part.replace('/', " OR ").split(" OR ").any(|one| allowed.iter().any(|name| name == one.trim()))
    })
}

#[test]
fn no_network_client_is_linked() {
    let banned = texts(&table("deny.toml")["bans"]["deny"]);
    assert!(banned.len() >= 14, "{banned:?}");
    let found: Vec<String> = linked()
        .into_keys()
        .filter(|name| banned.iter().any(|ban| name == ban || name.starts_with(&format!("{ban}-"))))
        .collect();
    assert!(found.is_empty(), "linked: {found:?}");
}

#[test]
fn every_licence_is_allowed() {
    let allowed = texts(&table("deny.toml")["licenses"]["allow"]);
    let refused: Vec<_> = linked().into_iter().filter(|(_, licence)| !allows(&allowed, licence)).collect();
    assert!(refused.is_empty(), "{refused:?}");
}

#[test]
fn a_licence_is_read_with_its_and_and_or() {
    let allowed = ["MIT".to_owned(), "ISC".to_owned()];
    for licence in ["MIT", "GPL-3.0 OR MIT", "MIT/Apache-2.0", "(MIT OR GPL-3.0) AND ISC"] {
        assert!(allows(&allowed, licence), "{licence}");
    }
    for licence in ["", "GPL-3.0", "MIT AND GPL-3.0", "(MIT OR ISC) AND GPL-3.0", "MIT WITH some-exception"] {
        assert!(!allows(&allowed, licence), "{licence}");
    }
}

#[test]
fn no_dependency_takes_any_version() {
    let manifest = table("Cargo.toml");
    for section in ["dependencies", "dev-dependencies"] {
        for (name, wanted) in manifest[section].as_table().unwrap() {
            let version = wanted.as_str().unwrap_or_else(|| wanted["version"].as_str().unwrap());
            assert!(!version.contains('*'), "{name} = {version}");
        }
    }
}
