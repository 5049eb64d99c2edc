//! The architecture as rules: which module may name which, where a foreign crate has its home, and that
//! every file says what it is. The picture itself is in the crate docs of `src/lib.rs`.

#![allow(clippy::unwrap_used, reason = "a test may fail anywhere")]

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// Module, and the modules it may name.
const MAY_NAME: &[(&str, &[&str])] = &[
    ("model", &[]),
    ("beneath", &[]),
    ("config", &["model", "beneath"]),
    ("outbound", &["model", "beneath", "config"]),
    ("source", &["model", "beneath", "config", "outbound"]),
    ("script", &["model", "beneath"]),
    ("rules", &["model", "config"]),
    (
        "cases",
        &["model", "beneath", "config", "source", "script", "rules"],
    ),
    (
        "catalog",
        &[
            "model", "beneath", "config", "outbound", "source", "script", "cases",
        ],
    ),
    (
        "setup",
        &[
            "model", "beneath", "config", "outbound", "source", "script", "catalog",
        ],
    ),
    ("store", &["model"]),
    (
        "sync",
        &[
            "model", "config", "outbound", "source", "script", "catalog", "store", "rules",
        ],
    ),
    ("acts", &["model", "config", "store", "rules"]),
    (
        "deliver",
        &[
            "model", "config", "outbound", "source", "script", "catalog", "store",
        ],
    ),
    ("notify", &["model", "config", "outbound", "store"]),
    ("signin", &["model", "beneath", "config", "outbound"]),
    ("control", &["model"]),
    ("web", &["model", "control"]),
    ("sandbox", &[]),
    (
        "daemon",
        &[
            "model", "config", "outbound", "source", "catalog", "store", "sync", "acts", "deliver",
            "notify", "signin", "setup", "control", "web",
        ],
    ),
    (
        "cli",
        &[
            "model", "beneath", "config", "outbound", "source", "script", "cases", "catalog",
            "store", "signin", "setup", "control", "sandbox", "daemon",
        ],
    ),
];

/// Foreign crate, and the modules that may name it.
const AT_HOME: &[(&str, &[&str])] = &[
    ("rhai", &["script"]),
    ("redb", &["store"]),
    ("reqwest", &["outbound", "source", "control"]),
    ("rustls_native_certs", &["outbound"]),
    ("webpki_root_certs", &["outbound"]),
    (
        "minijinja",
        &["config", "outbound", "source", "notify", "web"],
    ),
    ("lettre", &["notify"]),
    ("flate2", &["outbound"]),
    ("zip", &["outbound"]),
    ("ring", &["outbound"]),
    ("quick_xml", &["outbound", "source", "sandbox", "cli"]),
    ("serde_yaml", &["config"]),
    ("schemars", &["model", "config", "cases", "control", "cli"]),
    ("notify", &["catalog"]),
    ("rustix", &["beneath", "setup", "cli"]),
    ("axum", &["control", "web", "sandbox"]),
    ("prometheus_client", &["daemon"]),
    ("sd_notify", &["daemon"]),
    ("hyper", &["control"]),
    ("hyper_util", &["control"]),
    ("http_body", &["control"]),
    ("tower_service", &["control"]),
    ("clap", &["cli"]),
    ("clap_mangen", &["cli"]),
    ("comfy_table", &["cli"]),
    ("indicatif", &["cli"]),
    ("crossterm", &["cli"]),
    ("secrecy", &["config"]),
    ("phonenumber", &["model"]),
    ("regex", &["outbound", "script"]),
    ("similar", &["setup", "cli"]),
];

struct File {
    path: PathBuf,
    module: String,
    /// Without its tests, its comments and its strings' insides as far as they do not matter here.
    code: String,
}

fn files() -> Vec<File> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut found = Vec::new();
    let mut folders = vec![root.clone()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|ending| ending == "rs") {
                let below = path.strip_prefix(&root).unwrap();
                let module = below
                    .iter()
                    .next()
                    .unwrap()
                    .to_str()
                    .unwrap()
                    .trim_end_matches(".rs")
                    .to_owned();
                let text = std::fs::read_to_string(&path).unwrap();
                let is_test = ["tests", "testing", "examples"].iter().any(|name| {
                    below
                        .iter()
                        .any(|part| part.to_str().unwrap().trim_end_matches(".rs") == *name)
                });
                let code = if is_test {
                    String::new()
                } else {
                    code_of(&text)
                };
                found.push(File { path, module, code });
            }
        }
    }
    assert!(found.len() > 50, "the sources were not found");
    found
}

fn code_of(text: &str) -> String {
    let code = text.split("#[cfg(test)]\nmod tests {").next().unwrap();
    code.lines()
        .map(|line| line.split("//").next().unwrap())
        .collect::<Vec<_>>()
        .join("\n")
}

/// The words that follow `before` in the code.
fn words_after<'a>(code: &'a str, before: &str) -> BTreeSet<&'a str> {
    code.split(before)
        .skip(1)
        .map(|rest| {
            rest.split(|c: char| !c.is_alphanumeric() && c != '_')
                .next()
                .unwrap()
        })
        .filter(|word| !word.is_empty())
        .collect()
}

#[test]
fn modules_name_only_those_below_them() {
    for file in files()
        .iter()
        .filter(|file| !matches!(file.module.as_str(), "lib" | "main" | "testing"))
    {
        let (_, allowed) = MAY_NAME
            .iter()
            .find(|(module, _)| *module == file.module)
            .unwrap_or_else(|| panic!("the module `{}` is not in the table", file.module));
        for named in words_after(&file.code, "crate::") {
            assert!(
                named == file.module || allowed.contains(&named),
                "{} names `{named}`, which `{}` may not",
                file.path.display(),
                file.module
            );
        }
    }
}

#[test]
fn a_foreign_crate_is_named_only_at_home() {
    for file in files() {
        for (foreign, homes) in AT_HOME {
            let named = file.code.contains(&format!("use {foreign}::"))
                || file.code.contains(&format!(" {foreign}::"))
                || file.code.contains(&format!("({foreign}::"))
                || file.code.contains(&format!("<{foreign}::"));
            assert!(
                !named || homes.contains(&file.module.as_str()),
                "{} names `{foreign}`, whose home is {homes:?}",
                file.path.display()
            );
        }
    }
}

#[test]
fn the_way_out_knows_no_pms_and_no_record() {
    for file in files().iter().filter(|file| file.module == "outbound") {
        for known in [
            "Connector",
            "Integration",
            "Record",
            "Resident",
            "Property",
            "Page",
        ] {
            let is_named = file
                .code
                .split(|c: char| !c.is_alphanumeric() && c != '_')
                .any(|word| word == known);
            assert!(!is_named, "{} names `{known}`", file.path.display());
        }
    }
}

#[test]
fn only_main_ends_the_process_and_only_the_edges_read_the_clock() {
    for file in files() {
        assert!(
            !file.code.contains("process::exit"),
            "{}",
            file.path.display()
        );
        let reads_the_clock =
            file.code.contains("Timestamp::now") || file.code.contains("Zoned::now");
        assert!(
            !reads_the_clock
                || matches!(
                    file.module.as_str(),
                    "catalog" | "daemon" | "cli" | "sandbox"
                ),
            "{} reads the clock; take the time as an argument",
            file.path.display()
        );
    }
}

#[test]
fn every_file_says_in_its_first_line_what_it_is() {
    for file in files() {
        let text = std::fs::read_to_string(&file.path).unwrap();
        assert!(
            text.starts_with("//! "),
            "{} does not open with a //! line",
            file.path.display()
        );
    }
}

#[test]
fn the_docs_of_the_crate_name_every_module() {
    let lib =
        std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("src/lib.rs")).unwrap();
    for (module, _) in MAY_NAME {
        assert!(
            lib.contains(&format!("//! {module} ")),
            "src/lib.rs does not show `{module}`"
        );
    }
}

/// The texts of all files with tests.
fn tests() -> String {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut folders = vec![root.join("src"), root.join("tests")];
    let mut all = String::new();
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|ending| ending == "rs") {
                all += &std::fs::read_to_string(&path).unwrap();
            }
        }
    }
    all
}

#[test]
fn every_promise_names_tests_that_there_are() {
    let lib = include_str!("../src/lib.rs");
    let table = lib.split("# What is promised").nth(1).unwrap();
    let rows = table.lines().skip_while(|line| !line.contains("|---"));
    let rows = rows.skip(1).take_while(|line| line.starts_with("//! |"));
    let tests = tests();
    let mut named = 0;
    for row in rows {
        let before = named;
        for name in row.split('`').skip(1).step_by(2) {
            let is_there = tests.contains(&format!("fn {name}("));
            assert!(is_there, "there is no test `{name}`");
            named += 1;
        }
        assert!(named > before, "no test shows: {row}");
    }
    assert!(named > 20, "the table was not found");
}
