//! `epms init --upgrade`: a home of an earlier version gets what is shipped now, and nothing that somebody wrote is lost.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crate::support::{epms, output, said};
use serde_json::Value;

/// A home as `epms init` makes it.
async fn made() -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let home = folder.path().join("acme");
    let mut command = epms();
    command.arg("init").arg(&home);
    said(&output(command).await, 0);
    (folder, home)
}

async fn upgrade(home: &Path, words: &[&str]) -> std::process::Output {
    let mut command = epms();
    command
        .arg("--home")
        .arg(home)
        .args(["init", "--upgrade"])
        .args(words);
    output(command).await
}

async fn upgraded(home: &Path, words: &[&str]) -> Value {
    let ended = upgrade(home, &[words, &["--json"]].concat()).await;
    serde_json::from_str(&said(&ended, 0)).unwrap()
}

fn names(list: &Value) -> Vec<&str> {
    list.as_array()
        .unwrap()
        .iter()
        .map(|one| one.as_str().or(one["file"].as_str()).unwrap())
        .collect()
}

const YARDI: &str = "scripts/yardi.rhai";
const ENTRATA: &str = "config/connectors/entrata.yaml";
const LIBRARY: &str = "scripts/lib";

/// Lets a file be as an earlier version shipped it: with another line at its end.
fn older(home: &Path, name: &str) {
    for root in [home.to_owned(), home.join("config/.shipped")] {
        let text = std::fs::read_to_string(root.join(name)).unwrap();
        let sign = if name == ENTRATA { "#" } else { "//" };
        std::fs::write(root.join(name), format!("{text}{sign} as it was\n")).unwrap();
    }
}

fn append(path: &Path, line: &str) {
    let text = std::fs::read_to_string(path).unwrap();
    std::fs::write(path, format!("{text}{line}\n")).unwrap();
}

/// All files below a folder, with what stands in them.
fn all(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let (mut found, mut folders) = (BTreeMap::new(), vec![folder.to_owned()]);
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                let bytes = std::fs::read(&path).unwrap();
                found.insert(path, bytes);
            }
        }
    }
    found
}

#[tokio::test]
async fn a_home_of_today_has_nothing_to_upgrade() {
    let (_folder, home) = made().await;
    let before = all(&home);
    let text = said(&upgrade(&home, &[]).await, 0);
    assert!(
        text.ends_with("as shipped, 0 changed here alone, 0 to look at\n"),
        "{text}"
    );
    assert_eq!(all(&home), before);
}

#[tokio::test]
async fn what_was_not_touched_is_taken_over_and_what_is_new_comes() {
    let (_folder, home) = made().await;
    let before = all(&home);
    older(&home, YARDI);
    older(&home, ENTRATA);
    let library: Vec<PathBuf> = all(&home.join(LIBRARY)).into_keys().collect();
    let library = library[0].strip_prefix(&home).unwrap().to_str().unwrap();
    std::fs::remove_file(home.join(library)).unwrap();
    std::fs::remove_file(home.join("config/.shipped").join(library)).unwrap();
    let told = upgraded(&home, &["--dry-run"]).await;
    assert_eq!(names(&told["taken"]), [ENTRATA, library, YARDI]);
    assert!(
        std::fs::read_to_string(home.join(YARDI))
            .unwrap()
            .ends_with("as it was\n")
    );
    let told = upgraded(&home, &[]).await;
    assert_eq!(names(&told["taken"]), [ENTRATA, library, YARDI]);
    assert_eq!(all(&home), before);
}

#[tokio::test]
async fn what_was_changed_on_both_sides_is_shown_and_left_until_it_is_named() {
    let (_folder, home) = made().await;
    let shipped = std::fs::read_to_string(home.join(YARDI)).unwrap();
    older(&home, YARDI);
    append(&home.join(YARDI), "// our own");
    let before = all(&home);
    let text = said(&upgrade(&home, &[]).await, 0);
    for part in [
        "scripts/yardi.rhai was changed in this home, and in what is shipped",
        "--- shipped before",
        "+++ shipped now",
        "-// as it was",
        "+++ in this home",
        "+// our own",
        "--keep scripts/yardi.rhai",
        "1 to look at",
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
    assert_eq!(all(&home), before);
    // It is asked again until somebody decides.
    assert_eq!(names(&upgraded(&home, &[]).await["asked"]), [YARDI]);
    let kept = upgraded(&home, &["--keep", YARDI]).await;
    assert_eq!(names(&kept["kept"]), [YARDI]);
    let told = upgraded(&home, &[]).await;
    assert_eq!(
        (names(&told["asked"]).len(), told["own"].as_u64()),
        (0, Some(1))
    );
    let text = std::fs::read_to_string(home.join(YARDI)).unwrap();
    assert!(text.ends_with("// our own\n"));
    // By its path, too.
    let path = home.join(YARDI);
    let taken = upgraded(&home, &["--take", path.to_str().unwrap()]).await;
    assert_eq!(names(&taken["taken"]), [YARDI]);
    assert_eq!(std::fs::read_to_string(&path).unwrap(), shipped);
}

#[tokio::test]
async fn what_the_home_alone_changed_or_removed_stays_so() {
    let (_folder, home) = made().await;
    append(&home.join(ENTRATA), "# our own");
    std::fs::remove_file(home.join(YARDI)).unwrap();
    let before = all(&home);
    let told = upgraded(&home, &[]).await;
    assert_eq!(told["own"], 2);
    assert_eq!(all(&home), before);
    older_shipped(&home, YARDI);
    let told = upgraded(&home, &[]).await;
    assert_eq!(names(&told["asked"]), [YARDI]);
    assert!(!home.join(YARDI).exists());
}

/// Lets only what was shipped be another.
fn older_shipped(home: &Path, name: &str) {
    append(&home.join("config/.shipped").join(name), "// as it was");
}

#[tokio::test]
async fn a_home_that_an_earlier_version_made_is_asked_about_every_file_that_differs() {
    let (_folder, home) = made().await;
    std::fs::remove_dir_all(home.join("config/.shipped")).unwrap();
    append(&home.join(YARDI), "// whose line is this?");
    let text = said(&upgrade(&home, &[]).await, 0);
    assert!(
        text.contains("what was shipped when this home was made is not known"),
        "{text}"
    );
    assert!(text.contains("-// whose line is this?"), "{text}");
    // From now on it is known of all others.
    let shipped = all(&home.join("config/.shipped"));
    assert!(shipped.len() > 50 && !shipped.contains_key(&home.join("config/.shipped").join(YARDI)));
    let told = upgraded(&home, &["--keep", YARDI]).await;
    assert_eq!(names(&told["kept"]), [YARDI]);
    assert_eq!(upgraded(&home, &[]).await["own"], 1);
}

#[tokio::test]
async fn a_file_that_is_not_shipped_any_more_is_told_and_stays() {
    let (_folder, home) = made().await;
    for root in [home.clone(), home.join("config/.shipped")] {
        std::fs::write(
            root.join("scripts/old.rhai"),
            "fn residents(r, ctx) { () }\n",
        )
        .unwrap();
    }
    let told = upgraded(&home, &[]).await;
    assert_eq!(names(&told["dropped"]), ["scripts/old.rhai"]);
    assert!(home.join("scripts/old.rhai").exists());
}

#[tokio::test]
async fn a_link_is_not_replaced_and_nothing_outside_the_home_is_written() {
    let (folder, home) = made().await;
    older(&home, YARDI);
    let outside = folder.path().join("outside.rhai");
    std::fs::rename(home.join(YARDI), &outside).unwrap();
    std::os::unix::fs::symlink(&outside, home.join(YARDI)).unwrap();
    let before = std::fs::read(&outside).unwrap();
    assert_eq!(names(&upgraded(&home, &[]).await["asked"]), [YARDI]);
    let refused = said(&upgrade(&home, &["--take", YARDI]).await, 2);
    assert!(refused.contains("nothing was written"), "{refused}");
    assert_eq!(std::fs::read(&outside).unwrap(), before);
    assert!(home.join(YARDI).is_symlink());
}

#[tokio::test]
async fn what_is_no_home_and_what_is_not_shipped_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let refused = said(&upgrade(folder.path(), &[]).await, 2);
    assert!(refused.contains("is no home"), "{refused}");
    let (_folder, home) = made().await;
    let refused = said(&upgrade(&home, &["--take", "config/epms.yaml"]).await, 2);
    assert!(
        refused.contains("does not come with this epms"),
        "{refused}"
    );
}

#[tokio::test]
async fn a_file_that_was_changed_and_is_not_shipped_any_more_is_listed() {
    let (_folder, home) = made().await;
    let old = "fn residents(r, ctx) { () }\n";
    std::fs::write(home.join("config/.shipped/scripts/old.rhai"), old).unwrap();
    std::fs::write(home.join("scripts/old.rhai"), format!("{old}// mine\n")).unwrap();
    let told = upgraded(&home, &[]).await;
    assert_eq!(names(&told["orphaned"]), ["scripts/old.rhai"]);
    assert_eq!(told["own"], 0);
    let text = said(&upgrade(&home, &[]).await, 0);
    assert!(
        text.contains("changed in this home, and not shipped any more"),
        "{text}"
    );
}

#[tokio::test]
async fn a_file_that_is_named_by_take_and_by_keep_is_refused() {
    let (_folder, home) = made().await;
    older(&home, YARDI);
    let before = all(&home);
    let both = ["--take", YARDI, "--keep", YARDI];
    let refused = said(&upgrade(&home, &both).await, 2);
    assert!(
        refused.contains("is named by --take and by --keep"),
        "{refused}"
    );
    assert_eq!(all(&home), before);
}

#[tokio::test]
async fn a_folder_of_epms_s_own_that_leads_out_of_the_home_is_refused() {
    for name in [".shipped", ".schema", ".definitions", ".shipped/scripts"] {
        let (folder, home) = made().await;
        older(&home, YARDI);
        let (inside, outside) = (
            home.join("config").join(name),
            folder.path().join("outside"),
        );
        std::fs::rename(&inside, &outside).unwrap();
        std::os::unix::fs::symlink(&outside, &inside).unwrap();
        let before = all(&outside);
        let refused = said(&upgrade(&home, &[]).await, 2);
        let told = format!("config/{name} leads out of the home by a link");
        assert!(refused.contains(&told), "{refused}");
        assert_eq!(all(&outside), before);
    }
}

#[tokio::test]
async fn what_is_kept_as_a_link_is_not_asked_about_again_and_take_is_not_offered() {
    let (folder, home) = made().await;
    older(&home, YARDI);
    let outside = folder.path().join("outside.rhai");
    std::fs::rename(home.join(YARDI), &outside).unwrap();
    std::os::unix::fs::symlink(&outside, home.join(YARDI)).unwrap();
    let asked = said(&upgrade(&home, &[]).await, 0);
    assert!(asked.contains("--keep scripts/yardi.rhai"), "{asked}");
    assert!(!asked.contains("--take"), "{asked}");
    assert_eq!(
        names(&upgraded(&home, &["--keep", YARDI]).await["kept"]),
        [YARDI]
    );
    let after = upgraded(&home, &[]).await;
    assert_eq!((names(&after["asked"]), &after["own"]), (vec![], &1.into()));
}
