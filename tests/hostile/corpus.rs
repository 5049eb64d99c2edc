//! Everything in the corpora of the fuzz targets, through the functions that the fuzzer calls: what was once found
//! stays put right. A fuzzer is not needed for it.

#![allow(
    clippy::print_stdout,
    reason = "a test that fails shows on which input"
)]

#[path = "../../fuzz/src/lib.rs"]
#[allow(
    unreachable_pub,
    reason = "the same files are a crate of their own for the fuzzer"
)]
mod fuzz;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

fn corpus() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus")
}

/// What is in the corpus of a target, besides what no corpus need have: nothing, and a little of it.
fn replay(name: &str) {
    let (_, target) = fuzz::TARGETS.iter().find(|(of, _)| *of == name).unwrap();
    let mut files: Vec<PathBuf> = std::fs::read_dir(corpus().join(name))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    files.sort();
    assert!(files.len() >= 3, "{name}: {files:?}");
    for file in files {
        let data = std::fs::read(&file).unwrap();
        // Should it panic, this says on what.
        println!("{}", file.display());
        target(&data);
        for cut in [0, 1, data.len() / 2, data.len().saturating_sub(1)] {
            target(&data[..cut.min(data.len())]);
        }
    }
}

#[test]
fn every_target_has_a_corpus_and_every_corpus_a_target_of_the_fuzzer() {
    let folders = std::fs::read_dir(corpus()).unwrap();
    let folders: BTreeSet<String> = folders
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    let targets: BTreeSet<String> = fuzz::TARGETS
        .iter()
        .map(|(name, _)| (*name).into())
        .collect();
    assert_eq!(folders, targets);
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/Cargo.toml");
    let manifest = std::fs::read_to_string(manifest).unwrap();
    for name in &targets {
        assert!(manifest.contains(&format!(
            "name = \"{name}\"\npath = \"fuzz_targets/{name}.rs\""
        )));
    }
}

#[test]
fn every_shipped_connector_and_an_answer_to_it_are_in_the_corpora() {
    let shipped = Path::new(env!("CARGO_MANIFEST_DIR")).join("config/connectors");
    let mut count = 0;
    for file in std::fs::read_dir(shipped).unwrap() {
        let file = file.unwrap().path();
        let name = file.file_stem().unwrap().to_str().unwrap();
        let connector = corpus().join(format!("yaml/connectors-{name}"));
        assert!(connector.is_file(), "{}", connector.display());
        let answers = ["json", "xml", "csv_answer"].map(|form| corpus().join(form).join(name));
        assert!(answers.iter().any(|file| file.is_file()), "{answers:?}");
        count += 1;
    }
    assert!(count >= 10);
}

#[test]
fn yaml() {
    replay("yaml");
}

#[test]
fn script_result() {
    replay("script_result");
}

#[test]
fn json() {
    replay("json");
}

#[test]
fn xml() {
    replay("xml");
}

#[test]
fn csv_answer() {
    replay("csv_answer");
}

#[test]
fn verdict() {
    replay("verdict");
}

#[test]
fn dates() {
    replay("dates");
}

#[test]
fn template() {
    replay("template");
}

#[test]
fn socket() {
    replay("socket");
}

#[test]
fn people_csv() {
    replay("people_csv");
}

#[test]
fn record() {
    replay("record");
}
