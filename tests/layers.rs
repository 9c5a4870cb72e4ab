//! Imports point one way (ARCHITECTURE.md, "Code map").

use std::fs;
use std::path::{Path, PathBuf};

/// The modules with the modules that each may import, itself included.
const LAYERS: &[(&str, &[&str])] = &[
    ("api", &["api"]),
    ("cluster", &["cluster", "api"]),
    ("containers", &["containers", "cluster", "api"]),
    ("controllers", &["controllers", "containers", "cluster", "api"]),
    ("network", &["network", "containers", "cluster", "api"]),
    ("simulation", &["simulation", "controllers", "network", "containers", "cluster", "api"]),
    (
        "explain",
        &["explain", "simulation", "controllers", "network", "containers", "cluster", "api", "words"],
    ),
    (
        "shell",
        &[
            "shell",
            "explain",
            "simulation",
            "controllers",
            "network",
            "containers",
            "cluster",
            "api",
            "words",
        ],
    ),
    (
        "session",
        &[
            "session",
            "shell",
            "explain",
            "simulation",
            "controllers",
            "network",
            "containers",
            "cluster",
            "api",
            "words",
        ],
    ),
];

fn rust_files(folder: &Path, found: &mut Vec<PathBuf>) {
    let Ok(entries) = fs::read_dir(folder) else { return };
    for entry in entries {
        let path = entry.expect("the source folder can be listed").path();
        if path.is_dir() {
            rust_files(&path, found);
        } else if path.extension().is_some_and(|ending| ending == "rs") && !path.ends_with("tests.rs") {
            // A module's tests may look at it from above.
            found.push(path);
        }
    }
}

/// The modules that a source text names after `crate::`, without comments and without its tests.
fn imports(text: &str) -> Vec<String> {
    let text = text.split("#[cfg(test)]\nmod tests").next().unwrap_or_default();
    let code: String =
        text.lines().filter(|line| !line.trim_start().starts_with("//")).map(|l| format!("{l}\n")).collect();
    let names = code.split("crate::").skip(1);
    names.map(|rest| rest.chars().take_while(|c| c.is_ascii_lowercase() || *c == '_').collect()).collect()
}

#[test]
fn no_module_imports_one_above_it() {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut wrong = Vec::new();
    for (layer, allowed) in LAYERS {
        let mut files = Vec::new();
        rust_files(&source.join(layer), &mut files);
        for file in files {
            for name in imports(&fs::read_to_string(&file).expect("sources are text")) {
                let is_layer = name == "ui" || LAYERS.iter().any(|(layer, _)| *layer == name);
                if is_layer && !allowed.contains(&name.as_str()) {
                    wrong.push(format!("{} imports {name}", file.strip_prefix(&source).unwrap().display()));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_check_sees_an_import() {
    assert_eq!(
        imports("use crate::network::Hop;\n// crate::ui\nlet x = crate::api::value!();"),
        ["network", "api"]
    );
}
