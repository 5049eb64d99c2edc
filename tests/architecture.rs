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

/// Where a clock is read or chance is asked, by the beginning of the path in `src/`, and for what. Everything else takes the
/// moment as an argument. A ban of clippy's would hold for the whole crate, and be allowed again in each of these files.
const EDGES: &[(&str, &str)] = &[
    ("catalog/watch.rs", "how long a load takes, and when it was"),
    (
        "cli/",
        "a command is asked now, and times are told beside it",
    ),
    (
        "config/program.rs",
        "a program that tells a secret has a deadline",
    ),
    ("control/server/", "callers who stall are given up"),
    (
        "daemon/",
        "the wiring: whoever decides is given the moment here",
    ),
    (
        "deliver/lookups.rs",
        "how long what a target said is taken to be so",
    ),
    ("deliver/worker.rs", "when a lane is due, with jitter"),
    ("notify/worker.rs", "when a letter is due, with jitter"),
    ("outbound/", "deadlines, pauses with jitter, budgets"),
    ("sandbox/", "a PMS has a clock, and people by chance"),
    ("setup/", "what is written aside first has a name by chance"),
    ("signin/", "how long what a provider said is taken to be so"),
    (
        "source/chain.rs",
        "how long a request is asked again until it is ready",
    ),
    ("source/changes.rs", "when all is to be read once more"),
    ("source/probe.rs", "how long an answer took"),
    (
        "source/shared.rs",
        "whether a reading of another run is young enough",
    ),
    ("source/template/values.rs", "`{{ now }}` of a request"),
    ("store/identity.rs", "a store's identity is made by chance"),
    ("sync/run.rs", "a run has a deadline"),
    ("sync/trial.rs", "so has a trial"),
    ("sync/workers.rs", "how long a worker is at work"),
    ("web/live.rs", "when a page hears something"),
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

/// The modules that are named from the root: `crate::a::…` and `use crate::{a::…, b}`.
fn named_from_the_root(code: &str) -> BTreeSet<&str> {
    let mut named = words_after(code, "crate::");
    for list in code.split("crate::{").skip(1) {
        let mut depth = 0_u32;
        let mut begins = true;
        for (at, c) in list.char_indices() {
            match c {
                '{' => depth += 1,
                '}' if depth == 0 => break,
                '}' => depth -= 1,
                ',' if depth == 0 => begins = true,
                c if begins && !c.is_whitespace() => {
                    let word = list[at..].split(|c: char| !c.is_alphanumeric() && c != '_');
                    named.extend(word.take(1));
                    begins = false;
                }
                _ => {}
            }
        }
    }
    named
}

#[test]
fn names_from_the_root_are_seen_in_lists_too() {
    let code = "use crate::model::Run;\nuse crate::{store::{Store, View}, sync, rules::plan};\n";
    let named: Vec<_> = named_from_the_root(code).into_iter().collect();
    assert_eq!(named, ["model", "rules", "store", "sync"]);
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
        for named in named_from_the_root(&file.code) {
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
fn clocks_are_read_and_chance_is_asked_at_the_edges_alone() {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut used = BTreeSet::new();
    for file in files() {
        let asks = ["SystemTime::now", "Instant::now", "fastrand::"]
            .iter()
            .any(|clock| file.code.contains(clock));
        if !asks {
            continue;
        }
        let path = file.path.strip_prefix(&src).unwrap().to_str().unwrap();
        let edge = EDGES.iter().find(|(edge, _)| path.starts_with(edge));
        let (edge, _) = edge.unwrap_or_else(|| {
            panic!("src/{path} reads a clock or asks chance; take it as an argument")
        });
        used.insert(*edge);
    }
    for (edge, _) in EDGES {
        assert!(
            used.contains(edge),
            "nothing in src/{edge} needs to be an edge"
        );
    }
}

/// The files that the walks and the map name are there, and as many as they say.
#[test]
fn the_walks_lead_over_files_that_there_are() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let lib = std::fs::read_to_string(root.join("src/lib.rs")).unwrap();
    let walks = lib.split("# Four walks").nth(1).unwrap();
    let walks = walks.split("\n//! # ").next().unwrap();
    let walks: Vec<&str> = walks.split("//! **").skip(1).collect();
    assert_eq!(walks.len(), 4);
    let numbers = [
        "Six", "Seven", "Eight", "Nine", "Ten", "Eleven", "Twelve", "Thirteen", "Fourteen",
        "Fifteen",
    ];
    for walk in walks {
        let files: Vec<&str> = walk
            .split('`')
            .filter(|word| word.starts_with("src/"))
            .collect();
        for file in &files {
            assert!(root.join(file).is_file(), "{file} is not there");
        }
        let said = numbers
            .iter()
            .position(|number| walk.contains(&format!("{number} files")));
        let at_most = said.unwrap() + 6;
        assert!(
            (at_most..=at_most + 1).contains(&files.len()),
            "{} files in: {walk}",
            files.len()
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
