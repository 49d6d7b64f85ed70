//! A module uses only modules declared above it in `src/lib.rs`, the files of a room do not use each other in
//! circles, and no public type has the name of another.

use std::collections::{BTreeMap, BTreeSet};
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

/// The library's files without their tests, by the path of the module that each is.
fn library() -> BTreeMap<Vec<String>, String> {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = BTreeMap::new();
    for file in rust_files(&source) {
        let mut path = module_path(file.strip_prefix(&source).unwrap());
        let is_test = path.iter().any(|part| part == "tests" || part.ends_with("_tests"));
        // The command stands beside the library, not in it.
        if is_test || path[0] == "cli" || path[0] == "main" {
            continue;
        }
        if path[0] == "lib" {
            path.clear();
        }
        files.insert(path, code_of(&std::fs::read_to_string(&file).unwrap()));
    }
    files
}

/// The paths that a tree of `use` stands for, each with the name that it brings in.
fn leaves(tree: &str) -> Vec<(Vec<String>, String)> {
    let words = |path: &str| -> Vec<String> {
        path.split("::").map(|word| word.trim().to_owned()).filter(|word| !word.is_empty()).collect()
    };
    let Some((head, group)) = tree.split_once('{') else {
        let (path, alias) = tree.split_once(" as ").map_or((tree, None), |(path, name)| (path, Some(name)));
        let mut path = words(path);
        if path.len() > 1 && path.last().is_some_and(|last| last == "self") {
            path.pop();
        }
        let name = alias.map(|name| name.trim().to_owned()).or_else(|| path.last().cloned());
        return name.map(|name| (path, name)).into_iter().collect();
    };
    let (head, group) = (words(head), group.trim_end().strip_suffix('}').unwrap_or(group));
    let mut depth = 0;
    let parts = group.split(|c| {
        depth += i32::from(c == '{') - i32::from(c == '}');
        c == ',' && depth == 0
    });
    let below = |part: &str| leaves(&format!("{}::{}", head.join("::"), part.trim()));
    parts.filter(|part| !part.trim().is_empty()).flat_map(below).collect()
}

/// The path, or the tree of paths, that a text begins with.
fn tree_at(code: &str) -> &str {
    let mut depth = 0_u32;
    let end = code.char_indices().find(|&(_, c)| {
        match c {
            '{' => depth += 1,
            '}' if depth == 1 => return true,
            '}' => depth -= 1,
            _ => {}
        }
        depth == 0 && !is_word(c) && c != ':'
    });
    end.map_or(code, |(end, c)| &code[..end + usize::from(c == '}')])
}

/// A path from the crate's root, of one that a module writes; `None` where it leads out of the crate.
fn from_root(path: &[String], module: &[String]) -> Option<Vec<String>> {
    let mut base = module;
    let mut rest = path;
    match path.first()?.as_str() {
        "crate" => return Some(path[1..].to_vec()),
        "self" => rest = &path[1..],
        "super" => {}
        _ => return None,
    }
    while rest.first().is_some_and(|word| word == "super") {
        base = &base[..base.len().checked_sub(1)?];
        rest = &rest[1..];
    }
    Some([base, rest].concat())
}

/// What each module brings into its names by `use`: where from.
fn imports(files: &BTreeMap<Vec<String>, String>) -> BTreeMap<(Vec<String>, String), Vec<String>> {
    let mut all = BTreeMap::new();
    for (module, code) in files {
        for (at, _) in code.match_indices("use ") {
            if code[..at].chars().last().is_some_and(is_word) {
                continue;
            }
            let statement = code[at + "use ".len()..].split(';').next().unwrap_or_default();
            for (path, name) in leaves(statement) {
                let child = [module.as_slice(), &path[..1]].concat();
                let own = files.contains_key(&child).then(|| [module.as_slice(), &path].concat());
                if let Some(path) = from_root(&path, module).or(own) {
                    all.insert((module.clone(), name), path);
                }
            }
        }
    }
    all
}

/// The circles in which the parts of a room use each other: for each room who uses whom in one, or between two.
/// A part is a file, or a folder with all that is in it; what stands in the room's own `mod.rs` is not a part, and
/// what it passes on counts as used where it stands.
fn circles(files: &BTreeMap<Vec<String>, String>) -> Vec<String> {
    let imports = imports(files);
    let file_of = |path: Vec<String>| {
        let (mut path, mut module, mut steps) = (path, Vec::new(), 0);
        while let Some(word) = path.get(module.len()).cloned() {
            let child = [module.as_slice(), std::slice::from_ref(&word)].concat();
            if files.contains_key(&child) {
                module = child;
            } else if let Some(target) = imports.get(&(module.clone(), word)).filter(|_| steps < 20) {
                path = [target.as_slice(), &path[module.len() + 1..]].concat();
                module.clear();
                steps += 1;
            } else {
                break;
            }
        }
        module
    };
    let mut edges: BTreeMap<Vec<String>, BTreeSet<(String, String)>> = BTreeMap::new();
    for (module, code) in files {
        for beginning in ["crate::", "super::", "self::"] {
            for (at, _) in code.match_indices(beginning) {
                if code[..at].chars().last().is_some_and(|c| is_word(c) || c == ':') {
                    continue;
                }
                for (path, _) in leaves(tree_at(&code[at..])) {
                    let Some(path) = from_root(&path, module) else { continue };
                    let used = file_of(path);
                    let shared = module.iter().zip(&used).take_while(|(own, used)| own == used).count();
                    if let (Some(own), Some(used)) = (module.get(shared), used.get(shared)) {
                        let room = edges.entry(module[..shared].to_vec()).or_default();
                        room.insert((own.clone(), used.clone()));
                    }
                }
            }
        }
    }
    let mut found = Vec::new();
    for (room, edges) in edges {
        // Parts that use nothing, and parts that nothing uses, are taken away until there is none: what stays is in a
        // circle or between two.
        let mut left = edges;
        loop {
            let users: BTreeSet<String> = left.iter().map(|(user, _)| user.clone()).collect();
            let used: BTreeSet<String> = left.iter().map(|(_, used)| used.clone()).collect();
            let before = left.len();
            left.retain(|(user, of)| users.contains(of) && used.contains(user));
            if left.len() == before {
                break;
            }
        }
        let name = if room.is_empty() { "crate".to_owned() } else { room.join("::") };
        found.extend(left.iter().map(|(user, used)| format!("{name}: {user} uses {used}")));
    }
    found
}

#[test]
fn the_parts_of_a_room_do_not_use_each_other_in_circles() {
    let files = library();
    assert!(files.len() > 200, "only {} files were found", files.len());
    let found = circles(&files);
    assert!(found.is_empty(), "move what both need to a file below them:\n{}", found.join("\n"));
}

#[test]
fn a_circle_is_found_however_a_name_is_reached() {
    let of = |files: &[(&str, &str)]| {
        let module =
            |path: &str| path.split("::").map(str::to_owned).filter(|part| !part.is_empty()).collect();
        circles(&files.iter().map(|&(path, code)| (module(path), code.to_owned())).collect())
    };
    let files = |used: &'static str| {
        [
            ("", "mod a;"),
            ("a", "mod b; mod c; mod d; pub use b::B; pub(crate) use self::c::{C, D as E};"),
            ("a::b", used),
            ("a::c", "use super::B; struct C; struct D;"),
            ("a::d", "use super::b::B; use crate::a::{c, E};"),
        ]
    };
    let both = ["a: b uses c", "a: c uses b"];
    for used in ["use crate::a::{d as _d, C};", "fn f() -> super::E { 1 }", "use super::c::{self, C};"] {
        let found = of(&files(used));
        assert!(both.iter().all(|one| found.iter().any(|held| held == one)), "{used}: {found:?}");
    }
    assert_eq!(of(&files("use super::Other; use std::c::C; fn f() { crate::f::<C>() }")), [""; 0]);
}

#[test]
fn no_public_type_has_the_name_of_another() {
    let mut by_name: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (module, code) in library() {
        for line in code.lines() {
            let words: Vec<&str> = line.split_whitespace().collect();
            if let ["pub", "struct" | "enum" | "trait" | "union", name, ..] = words.as_slice() {
                let name = name.chars().take_while(|&c| is_word(c)).collect();
                by_name.entry(name).or_default().push(module.join("::"));
            }
        }
    }
    assert!(by_name.len() > 150, "only {} types were found", by_name.len());
    by_name.retain(|_, places| places.len() > 1);
    assert!(by_name.is_empty(), "one name, several types: {by_name:?}");
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
