//! A library that holds families' records links no network client.

use std::collections::BTreeSet;
use std::process::Command;

const CLIENTS: [&str; 14] = [
    "reqwest",
    "hyper",
    "ureq",
    "curl",
    "isahc",
    "surf",
    "attohttpc",
    "rustls",
    "native-tls",
    "openssl",
    "object_store",
    "h2",
    "h3",
    "quinn",
];

#[test]
fn no_network_client_is_linked() {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let output = Command::new(cargo)
        .args(["tree", "-e", "normal", "--prefix", "none", "--offline"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let tree = String::from_utf8(output.stdout).unwrap();
    let linked: BTreeSet<&str> = tree.lines().filter_map(|line| line.split_whitespace().next()).collect();
    // The tree was read: the crate itself and its largest dependency are in it.
    assert!(linked.contains("earlyhelp") && linked.contains("polars-core"), "{linked:?}");
    let found: Vec<&&str> = linked
        .iter()
        .filter(|name| {
            CLIENTS.iter().any(|client| *name == client || name.starts_with(&format!("{client}-")))
        })
        .collect();
    assert!(found.is_empty(), "linked: {found:?}");
}
