//! A library that holds families' records links no network client, and nothing of a licence that `deny.toml`
//! does not allow.

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

fn table(path: &str) -> toml::Table {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    std::fs::read_to_string(root.join(path)).unwrap().parse().unwrap()
}

fn texts(value: &toml::Value) -> Vec<String> {
    value.as_array().unwrap().iter().map(|text| text.as_str().unwrap().to_owned()).collect()
}

/// The lines of cargo's account of a tree of dependencies on this platform.
fn tree(arguments: &[&str]) -> String {
    tried_tree(arguments).unwrap()
}

/// The same, or what cargo says where it has not got them all.
fn tried_tree(arguments: &[&str]) -> Result<String, String> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let output = Command::new(cargo)
        .args(["tree", "--offline", "--prefix"])
        .arg(if arguments.contains(&"--no-dedupe") { "depth" } else { "none" })
        .args(arguments)
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .unwrap();
    let complaint = String::from_utf8_lossy(&output.stderr);
    if output.status.success() {
        Ok(String::from_utf8(output.stdout).unwrap())
    } else {
        Err(complaint.into())
    }
}

/// The features whose tree is looked at: the default ones, and the ledger's client with them where its crates were fetched, which
/// nothing but a build with it does.
fn trees() -> Vec<&'static [&'static str]> {
    let with: &[&str] = &["--features", "postgres"];
    match tried_tree(with) {
        Ok(_) => vec![&[], with],
        Err(why) => {
            assert!(why.contains("--offline") || why.contains("download"), "{why}");
            println!("skipped: the crates of the feature `postgres` are not here (cargo fetch gets them)");
            vec![&[]]
        }
    }
}

/// The licence of each crate that is linked, or run while building, on this platform, with such features.
fn linked(features: &[&str]) -> BTreeMap<String, String> {
    let mut arguments = vec!["-e", "normal,build", "--format", "{p};{l}"];
    arguments.extend(features);
    let tree = tree(&arguments);
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

/// The banned crates, each with those through which alone it may come with a feature that nobody has unasked.
fn banned() -> BTreeMap<String, Vec<String>> {
    let deny = table("deny.toml");
    let banned: BTreeMap<String, Vec<String>> = deny["bans"]["deny"]
        .as_array()
        .unwrap()
        .iter()
        .map(|held| {
            if let Some(name) = held.as_str() {
                return (name.to_owned(), Vec::new());
            }
            assert!(held["reason"].as_str().is_some_and(|why| !why.is_empty()), "{held}");
            (held["crate"].as_str().unwrap().to_owned(), texts(&held["wrappers"]))
        })
        .collect();
    assert!(banned.len() >= 14, "{banned:?}");
    banned
}

#[test]
fn no_network_client_is_linked() {
    let banned = banned();
    let found: Vec<String> = linked(&[])
        .into_keys()
        .filter(|name| banned.keys().any(|ban| name == ban || name.starts_with(&format!("{ban}-"))))
        .collect();
    assert!(found.is_empty(), "linked: {found:?}");
    // Nor by a feature that another one brings along.
    let manifest = table("Cargo.toml");
    for (name, brings) in manifest["features"].as_table().unwrap() {
        let brings = texts(brings);
        let network = ["postgres", "dep:postgres", "dep:rustls", "dep:tokio-postgres-rustls"];
        assert!(
            name == "postgres" || !brings.iter().any(|brought| network.contains(&brought.as_str())),
            "{name}"
        );
    }
}

#[test]
fn the_ledgers_client_comes_by_its_feature_and_through_known_crates_alone() {
    let banned = banned();
    if trees().len() < 2 {
        return;
    }
    let tree = tree(&["-e", "normal,build", "--features", "postgres", "--no-dedupe", "--format", " {p}"]);
    let (mut above, mut found): (Vec<&str>, BTreeMap<&str, BTreeSet<&str>>) = (Vec::new(), BTreeMap::new());
    for line in tree.lines() {
        let mut words = line.split_whitespace();
        let (depth, name) = (words.next().unwrap().parse().unwrap(), words.next().unwrap());
        above.truncate(depth);
        if let Some(parent) = above.last().filter(|_| banned.contains_key(name)) {
            found.entry(name).or_default().insert(parent);
        }
        above.push(name);
    }
    assert_eq!(
        found.keys().copied().collect::<Vec<_>>(),
        ["postgres", "rustls", "tokio-postgres", "tokio-rustls"]
    );
    for (name, parents) in found {
        assert_eq!(parents, banned[name].iter().map(String::as_str).collect(), "{name}");
    }
}

#[test]
fn every_licence_is_allowed() {
    let allowed = texts(&table("deny.toml")["licenses"]["allow"]);
    for features in trees() {
        let refused: Vec<_> =
            linked(features).into_iter().filter(|(_, licence)| !allows(&allowed, licence)).collect();
        assert!(refused.is_empty(), "{refused:?}");
    }
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

/// The names of the crates that `Cargo.toml` names for what is linked.
fn direct(manifest: &toml::Table) -> BTreeSet<String> {
    let of_unix = &manifest["target"]["cfg(unix)"]["dependencies"];
    let sections = [&manifest["dependencies"], of_unix].map(|section| section.as_table().unwrap());
    sections.into_iter().flat_map(|section| section.keys().cloned()).collect()
}

#[test]
fn each_direct_dependency_has_its_reason_in_the_guide() {
    let page = include_str!("../src/guide/design.md");
    let (_, list) = page.split_once("### Each one, and why").unwrap();
    let rows = list.lines().filter_map(|line| line.strip_prefix("- `")?.split_once("`: "));
    let said: BTreeMap<String, &str> = rows.map(|(name, why)| (name.to_owned(), why)).collect();
    assert!(said.values().all(|why| why.len() > 3), "{said:?}");
    assert_eq!(said.into_keys().collect::<BTreeSet<_>>(), direct(&table("Cargo.toml")));
}

/// What a program links that takes the core alone, or the whole library without the command. A change of a list is a decision:
/// look at what came, and why, before it is accepted.
#[test]
#[cfg(all(target_os = "linux", target_arch = "x86_64"))]
fn the_trees_of_core_and_library_are_those_on_the_lists() {
    let of_core = include_str!("fixtures/core.txt");
    let of_library = include_str!("fixtures/whole_library.txt");
    for (features, list) in [("", of_core), ("full", of_library)] {
        let tree =
            tree(&["-e", "normal", "--no-default-features", "--features", features, "--format", "{p}"]);
        let names = tree.lines().filter_map(|line| line.split_whitespace().next());
        let found: BTreeSet<&str> = names.filter(|name| *name != "earlyhelp").collect();
        let listed: BTreeSet<&str> = list.lines().collect();
        let came: Vec<_> = found.difference(&listed).collect();
        let went: Vec<_> = listed.difference(&found).collect();
        assert!(came.is_empty() && went.is_empty(), "came: {came:?}; went: {went:?}");
    }
    assert!(of_core.lines().count() < 60 && of_library.lines().count() > 100);
}

#[test]
fn a_second_version_of_a_crate_has_its_reason() {
    let all: Vec<String> = trees()
        .into_iter()
        .map(|features| tree(&[&["-e", "normal,build", "--format", "{p}"], features].concat()))
        .collect();
    let mut versions: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for mut words in all.iter().flat_map(|tree| tree.lines()).map(str::split_whitespace) {
        if let (Some(name), Some(version)) = (words.next(), words.next()) {
            versions.entry(name).or_default().insert(version.trim_start_matches('v'));
        }
    }
    let deny = table("deny.toml");
    assert_eq!(deny["bans"]["multiple-versions"].as_str(), Some("deny"));
    let skipped = deny["bans"]["skip"].as_array().unwrap();
    assert!(skipped.iter().all(|held| held["reason"].as_str().is_some_and(|why| !why.is_empty())));
    let is_skipped = |name: &str, version: &str| {
        skipped.iter().any(|held| {
            let (of, from) = held["crate"].as_str().unwrap().split_once('@').unwrap();
            of == name && (version == from || version.starts_with(&format!("{from}.")))
        })
    };
    let found: Vec<String> = versions
        .into_iter()
        .filter(|(name, held)| held.iter().filter(|version| !is_skipped(name, version)).count() > 1)
        .map(|(name, held)| format!("{name} {held:?}"))
        .collect();
    assert!(found.is_empty(), "{found:?}");
}

#[test]
fn unsafe_code_is_forbidden_and_no_crate_comes_from_elsewhere() {
    let manifest = table("Cargo.toml");
    // Forbidden, unlike denied, cannot be allowed again further down.
    assert_eq!(manifest["lints"]["rust"]["unsafe_code"].as_str(), Some("forbid"));
    let lock = table("Cargo.lock");
    let packages = lock["package"].as_array().unwrap();
    let others = || packages.iter().filter(|package| package["name"].as_str() != Some("earlyhelp"));
    // One registry, whichever Cargo takes by default; no folder, no branch of a repository.
    let registry = others().next().and_then(|package| package["source"].as_str()).unwrap();
    assert!(registry.starts_with("registry+"), "{registry}");
    for package in others() {
        let name = package["name"].as_str().unwrap();
        assert_eq!(package["source"].as_str(), Some(registry), "{name}");
        assert_eq!(package["checksum"].as_str().map(str::len), Some(64), "{name}");
    }
}

#[test]
#[ignore = "it needs Python 3.11; `.ci/run` runs it where there is one"]
fn the_bill_of_materials_names_every_linked_package_once() {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    let output = Command::new("python3").arg(root.join(".ci/sbom")).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let bill: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((bill["bomFormat"].as_str(), bill["specVersion"].as_str()), (Some("CycloneDX"), Some("1.5")));
    assert_eq!(bill["metadata"]["component"]["name"], "earlyhelp");
    let text = |value: &serde_json::Value| value.as_str().unwrap().to_owned();
    let components = bill["components"].as_array().unwrap();
    let told: BTreeSet<String> = components.iter().map(|held| text(&held["purl"])).collect();
    assert_eq!(told.len(), components.len(), "a package stands twice");

    // Against the lock file and cargo's own account, neither of which the script's result is copied from here.
    let lock = table("Cargo.lock");
    let sums: BTreeMap<String, String> = lock["package"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|package| {
            let [name, version] = ["name", "version"].map(|key| package[key].as_str().unwrap());
            let sum = package.get("checksum")?.as_str()?;
            Some((format!("pkg:cargo/{name}@{version}"), sum.to_owned()))
        })
        .collect();
    let tree = tree(&["-e", "normal,build", "--format", "{p}"]);
    let linked: BTreeSet<String> = tree
        .lines()
        .filter_map(|line| line.split_once(" v"))
        .filter(|(name, _)| *name != "earlyhelp")
        .map(|(name, rest)| format!("pkg:cargo/{name}@{}", rest.split_whitespace().next().unwrap()))
        .collect();
    assert_eq!(told, linked);
    for held in components {
        let purl = text(&held["purl"]);
        assert_eq!(held["hashes"][0]["content"].as_str(), Some(sums[&purl].as_str()), "{purl}");
        assert!(!text(&held["licenses"][0]["expression"]).is_empty(), "{purl}");
    }
    let known = |purl: &serde_json::Value| {
        let purl = purl.as_str().unwrap();
        told.contains(purl) || purl.starts_with("pkg:cargo/earlyhelp@")
    };
    for held in bill["dependencies"].as_array().unwrap() {
        assert!(known(&held["ref"]) && held["dependsOn"].as_array().unwrap().iter().all(known), "{held}");
    }
}

#[test]
fn each_test_that_the_security_page_names_is_there() {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut folders = vec![root.join("tests"), root.join("src")];
    let mut code = String::new();
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|ending| ending == "rs") {
                code += &std::fs::read_to_string(path).unwrap();
            }
        }
    }
    let page = include_str!("../src/guide/security.md");
    let cells = page.lines().filter(|line| line.starts_with('|')).filter_map(|line| line.split('|').nth(2));
    let named: Vec<&str> = cells.flat_map(|cell| cell.split('`').skip(1).step_by(2)).collect();
    let tests: Vec<&&str> = named.iter().filter(|name| name.contains('_')).collect();
    assert!(tests.len() > 15, "{named:?}");
    for name in tests {
        assert!(code.contains(&format!("fn {name}(")), "{name}");
    }
}
