//! A module uses only modules declared above it in `src/lib.rs`.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// The source without comments, texts and tests, so that what is left is what the library does.
fn code_of(text: &str) -> String {
    without_tests(&without_comments_and_texts(text))
}

fn without_comments_and_texts(text: &str) -> String {
    let chars: Vec<char> = text.chars().collect();
    let mut code = String::new();
    let mut at = 0;
    let starts = |at: usize, word: &str| word.chars().enumerate().all(|(n, c)| chars.get(at + n) == Some(&c));
    while at < chars.len() {
        if starts(at, "//") {
            while at < chars.len() && chars[at] != '\n' {
                at += 1;
            }
        } else if starts(at, "/*") {
            let mut depth = 0;
            while at < chars.len() {
                if starts(at, "/*") {
                    depth += 1;
                    at += 2;
                } else if starts(at, "*/") {
                    depth -= 1;
                    at += 2;
                } else {
                    at += 1;
                }
                if depth == 0 {
                    break;
                }
            }
        } else if chars[at] == 'r' && (starts(at, "r\"") || starts(at, "r#")) && !ends_in_word(&code) {
            let hashes = chars[at + 1..].iter().take_while(|&&c| c == '#').count();
            if chars.get(at + 1 + hashes) == Some(&'"') {
                let close: String = std::iter::once('"').chain(std::iter::repeat_n('#', hashes)).collect();
                at += 2 + hashes;
                while at < chars.len() && !starts(at, &close) {
                    at += 1;
                }
                at += close.len();
                code.push_str("\"\"");
            } else {
                code.push('r');
                at += 1;
            }
        } else if chars[at] == '"' {
            at += 1;
            while at < chars.len() && chars[at] != '"' {
                at += if chars[at] == '\\' { 2 } else { 1 };
            }
            at += 1;
            code.push_str("\"\"");
        } else if chars[at] == '\'' && (chars.get(at + 1) == Some(&'\\') || chars.get(at + 2) == Some(&'\''))
        {
            at += if chars.get(at + 1) == Some(&'\\') { 3 } else { 2 };
            while at < chars.len() && chars[at] != '\'' {
                at += 1;
            }
            at += 1;
        } else {
            code.push(chars[at]);
            at += 1;
        }
    }
    code
}

fn ends_in_word(code: &str) -> bool {
    code.chars().last().is_some_and(|c| c.is_alphanumeric() || c == '_')
}

/// Drops whatever stands behind `#[cfg(test)]`: an item up to its `;` or its closing brace.
fn without_tests(code: &str) -> String {
    let mut kept = String::new();
    let mut rest = code;
    while let Some(at) = rest.find("#[cfg(test)]") {
        kept.push_str(&rest[..at]);
        rest = &rest[at + "#[cfg(test)]".len()..];
        let mut depth = 0_u32;
        let end = rest.char_indices().find(|&(_, c)| {
            match c {
                '{' => depth += 1,
                '}' => depth -= 1,
                _ => {}
            }
            depth == 0 && (c == ';' || c == '}')
        });
        rest = end.map_or("", |(end, _)| &rest[end + 1..]);
    }
    kept + rest
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// The names that follow a path's beginning (`crate::`): one, or those of a group in braces.
fn names_behind(code: &str, beginning: &str) -> Vec<String> {
    let mut names = Vec::new();
    for (at, _) in code.match_indices(beginning) {
        let before = code[..at].chars().last();
        if before.is_some_and(|c| is_word(c) || c == ':') {
            continue;
        }
        let rest = code[at + beginning.len()..].trim_start();
        if let Some(group) = rest.strip_prefix('{') {
            let mut depth = 0_u32;
            let mut first = true;
            let mut name = String::new();
            for c in group.chars() {
                match c {
                    '{' => depth += 1,
                    '}' if depth == 0 => break,
                    '}' => depth -= 1,
                    ',' if depth == 0 => {
                        names.push(std::mem::take(&mut name));
                        first = true;
                    }
                    c if depth == 0 && first && is_word(c) => name.push(c),
                    c if depth == 0 && !c.is_whitespace() => first = false,
                    _ => {}
                }
            }
            names.push(name);
        } else {
            names.push(rest.chars().take_while(|&c| is_word(c)).collect());
        }
    }
    names.retain(|name| !name.is_empty());
    names
}

/// The modules of `lib.rs` in the order in which they are declared.
fn declared(lib: &str) -> Vec<String> {
    lib.lines()
        .filter_map(|line| {
            let line = line.trim_start();
            let line = line.strip_prefix("pub ").or_else(|| line.strip_prefix("pub(crate) ")).unwrap_or(line);
            line.strip_prefix("mod ")?.trim_end().strip_suffix(';').map(str::to_owned)
        })
        .collect()
}

/// Names that `lib.rs` re-exports, each with the module it comes from.
fn re_exported(lib: &str, modules: &[String]) -> BTreeMap<String, String> {
    let mut of = BTreeMap::new();
    for module in modules {
        for name in names_behind(lib, &format!("{module}::")) {
            of.insert(name, module.clone());
        }
    }
    of
}

fn rust_files(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files.extend(rust_files(&path));
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            files.push(path);
        }
    }
    files.sort();
    files
}

/// The path of modules that a file below `src` stands for.
fn module_path(file: &Path) -> Vec<String> {
    let mut path: Vec<String> =
        file.with_extension("").iter().map(|part| part.to_string_lossy().into_owned()).collect();
    if path.last().is_some_and(|last| last == "mod") {
        path.pop();
    }
    path
}

/// Every use of a top-level module that a file makes, by name.
fn uses(code: &str, path: &[String]) -> Vec<String> {
    let mut names = names_behind(code, "crate::");
    // As many `super` as the file lies deep come out at the crate's root as well.
    names.extend(names_behind(code, &"super::".repeat(path.len())));
    names
}

#[test]
fn a_module_uses_only_modules_declared_above_it() {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let lib = code_of(&std::fs::read_to_string(source.join("lib.rs")).unwrap());
    let modules = declared(&lib);
    assert!(modules.len() >= 10, "lib.rs was not understood: {modules:?}");
    let aliases = re_exported(&lib, &modules);
    let place = |name: &str| modules.iter().position(|module| module == name);
    let (mut wrong, mut checked) = (Vec::new(), 0);
    for file in rust_files(&source) {
        let file = file.strip_prefix(&source).unwrap();
        let path = module_path(file);
        let is_test = path.iter().any(|part| part == "tests");
        // The command stands beside the library, not in it.
        let Some(own) = place(&path[0]).filter(|_| !is_test) else { continue };
        let code = code_of(&std::fs::read_to_string(source.join(file)).unwrap());
        for name in uses(&code, &path) {
            let used = place(&name).or_else(|| aliases.get(&name).and_then(|module| place(module)));
            checked += 1;
            if used.is_some_and(|used| used > own) {
                wrong.push(format!("{} uses {name}", file.display()));
            }
        }
    }
    assert!(checked > 50, "only {checked} uses were found");
    assert!(wrong.is_empty(), "a module uses one declared below it:\n{}", wrong.join("\n"));
}

#[test]
fn the_design_page_lists_the_modules_in_their_order() {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let page = std::fs::read_to_string(source.join("guide/design.md")).unwrap();
    let rows: Vec<&str> =
        page.lines().filter_map(|line| line.strip_prefix("| `")?.split('`').next()).collect();
    let lib = code_of(&std::fs::read_to_string(source.join("lib.rs")).unwrap());
    assert_eq!(rows, declared(&lib));
}

#[test]
fn the_check_sees_every_way_to_name_a_module() {
    let code = code_of(
        r##"
        //! crate::in_a_comment
        use crate::{one, two::{Inner, crate_like}, three::Three};
        /* crate::in_a_block /* crate::nested */ */
        fn f<'a>(x: &'a str) -> char { let _ = "crate::in_a_text \" crate::x"; let _ = r#"crate::raw"#; '"' }
        fn g() { crate::four::run(); super::five::run(); super::super::six::run() }
        #[cfg(test)]
        mod tests { use crate::tested; fn h() { { crate::tested_too() } } }
        #[cfg(test)] use crate::tested_as_well;
        fn last() -> crate::seven::X { todo }
        "##,
    );
    let named = |path: &[&str]| uses(&code, &path.iter().map(|&part| part.to_owned()).collect::<Vec<_>>());
    assert_eq!(named(&["a"]), ["one", "two", "three", "four", "seven", "five", "super"]);
    assert_eq!(named(&["a", "b"]), ["one", "two", "three", "four", "seven", "six"]);
}
