//! Random edits of a home, loaded after each: what runs is always the last that was right, nothing that was refused
//! has any effect, and no PMS property ever feeds two integrations.

mod naming;
mod targets;

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use crate::testing::searching;
use proptest::prelude::*;

use super::*;
use crate::config::Home;
use crate::model::ReloadOutcome;

const CONNECTOR: &str = "config/connectors/letterbox.yaml";
const SCRIPT: &str = "scripts/letterbox.rhai";
const LIBRARY: &str = "scripts/lib/letters.rhai";
const FOLDER: &str = "config/integrations";

/// The files that are edited: three integrations, two credentials, and what all of them share.
const FILES: [&str; 8] = [
    "config/integrations/ash.yaml",
    "config/integrations/elm.yaml",
    "config/integrations/oak.yaml",
    "config/credentials/acme.yaml",
    "config/credentials/bell.yaml",
    CONNECTOR,
    SCRIPT,
    LIBRARY,
];
const PROPERTIES: [&str; 4] = ["1", "2", "1, 2", "3"];
const CREDENTIALS: [&str; 2] = ["acme", "bell"];

#[derive(Debug, Clone)]
enum Edit {
    /// Written in place, or put in the place of the old file, or as a link to a file elsewhere.
    Write(usize, u8, Way),
    /// Something that is not right.
    Break(usize, u8),
    Delete(usize),
    /// The folder of all integrations goes away, or comes back.
    Folder,
}

#[derive(Debug, Clone, Copy)]
enum Way {
    InPlace,
    Rename,
    Link,
}

fn edits() -> impl Strategy<Value = Vec<Edit>> {
    let way = prop_oneof![Just(Way::InPlace), Just(Way::Rename), Just(Way::Link)];
    let file = 0..FILES.len();
    let edit = prop_oneof![
        6 => (file.clone(), 0..16u8, way).prop_map(|(file, variant, way)| Edit::Write(file, variant, way)),
        3 => (file.clone(), 0..4u8).prop_map(|(file, how)| Edit::Break(file, how)),
        1 => file.prop_map(Edit::Delete),
        1 => Just(Edit::Folder),
    ];
    prop::collection::vec(edit, 1..24)
}

fn right(file: usize, variant: u8) -> String {
    let credential = CREDENTIALS[usize::from(variant) % 2];
    let properties = PROPERTIES[usize::from(variant) / 2 % 4];
    match FILES[file] {
        CONNECTOR => format!(
            "version: 1\nscript: letterbox.rhai\ncredential_fields: {{ url: plain }}\nhosts: [pms.example.com]\n\
             requests:\n  residents: {{ url: \"{{{{ credential.url }}}}/{variant}/{{{{ property }}}}\", format: json, id: Id }}\n"
        ),
        SCRIPT => format!(
            "import \"lib/letters\" as letters;\nfn residents(record, ctx) {{ #{{ id: letters::id(record), status_word: \"{variant}\" }} }}\n"
        ),
        LIBRARY => format!("fn id(record) {{ \"{variant}\" + record.Id }}\n"),
        name if name.contains("credentials") => format!(
            "version: 1\nconnector: letterbox\nfields: {{ url: \"https://pms.example.com/{variant}\" }}\n"
        ),
        name => format!(
            "version: 1\nproperty: {{ name: {name}, timezone: America/New_York, country: US }}\ncredential: {credential}\n\
             pms_properties: [{properties}]\nexclude_statuses: [S{variant}]\n"
        ),
    }
}

fn wrong(file: usize, how: u8) -> String {
    let text = right(file, 0);
    let script = FILES[file].starts_with("scripts/");
    match (how, script) {
        (0, false) => format!("{text}colour: blue\n"),
        (0, true) => text
            .replace("record", "recrod")
            .replacen("recrod", "record", 1),
        (1, false) => text.replace("version: 1", "\tversion: 1"),
        (1, true) => format!("{text}fn more() {{ txet(1) }}\n"),
        // Half of it is written.
        (2, false) => "version: 1\n".to_owned(),
        (2, true) => text[..text.len() - 3].to_owned(),
        (_, false) => text.replace("version: 1", "version: 1\nversion: 1"),
        (_, true) => format!("import \"lib/nothing\" as nothing;\n{text}"),
    }
}

/// A home on disk, and what lies in it.
struct Disk {
    folder: tempfile::TempDir,
    home: Home,
    /// The variant that lies there; none where it is not right. Absent files are not in it.
    files: BTreeMap<usize, Option<u8>>,
    /// Whether the folder of integrations is there.
    there: bool,
}

impl Disk {
    fn new() -> Disk {
        let folder = tempfile::tempdir().unwrap();
        for name in ["integrations", "credentials", "connectors"] {
            std::fs::create_dir_all(folder.path().join("home/config").join(name)).unwrap();
        }
        std::fs::create_dir_all(folder.path().join("home/scripts/lib")).unwrap();
        let home = Home::at(folder.path().join("home"));
        let mut disk = Disk {
            folder,
            home,
            files: BTreeMap::new(),
            there: true,
        };
        for (file, variant) in [0, 2, 6, 0, 1, 0, 0, 0].into_iter().enumerate() {
            disk.apply(&Edit::Write(file, variant, Way::InPlace));
        }
        disk
    }

    fn path(&self, file: usize) -> PathBuf {
        if FILES[file].starts_with(FOLDER) && !self.there {
            self.folder
                .path()
                .join("away")
                .join(&FILES[file][FOLDER.len() + 1..])
        } else {
            self.home.root().join(FILES[file])
        }
    }

    fn apply(&mut self, edit: &Edit) {
        match *edit {
            Edit::Write(file, variant, way) => {
                self.put(file, &right(file, variant), way);
                self.files.insert(file, Some(variant));
            }
            Edit::Break(file, how) => {
                self.put(file, &wrong(file, how), Way::InPlace);
                self.files.insert(file, None);
            }
            Edit::Delete(file) => {
                let _ = std::fs::remove_file(self.path(file));
                self.files.remove(&file);
            }
            Edit::Folder => {
                let (folder, away) = (
                    self.home.root().join(FOLDER),
                    self.folder.path().join("away"),
                );
                let (from, to) = if self.there {
                    (folder, away)
                } else {
                    (away, folder)
                };
                std::fs::rename(from, to).unwrap();
                self.there = !self.there;
            }
        }
    }

    fn put(&self, file: usize, text: &str, way: Way) {
        let path = self.path(file);
        let other = path.with_extension("swp");
        match way {
            Way::InPlace => {
                // What a link points to is not what is edited here.
                let _ = std::fs::remove_file(&path);
                std::fs::write(path, text).unwrap();
            }
            Way::Rename => {
                std::fs::write(&other, text).unwrap();
                std::fs::rename(other, path).unwrap();
            }
            Way::Link => {
                let target = self
                    .folder
                    .path()
                    .join(format!("home/target-{}", blake3::hash(text.as_bytes())));
                std::fs::write(&target, text).unwrap();
                std::os::unix::fs::symlink(target, &other).unwrap();
                std::fs::rename(other, path).unwrap();
            }
        }
    }

    /// The variants of everything that an integration depends on, where all of it is right.
    fn candidate(&self, file: usize) -> Option<[u8; 5]> {
        let variant = self.variant(file)?;
        let credential = self.variant(3 + usize::from(variant) % 2)?;
        Some([
            variant,
            credential,
            self.variant(5)?,
            self.variant(6)?,
            self.variant(7)?,
        ])
    }

    fn variant(&self, file: usize) -> Option<u8> {
        self.files.get(&file).copied().flatten()
    }
}

/// The PMS properties of an account that an integration reads. Two credentials of the same variant are one account.
fn keys(integration: &Integration) -> BTreeSet<(String, String)> {
    let account = match &integration.credential.fields["url"] {
        crate::config::CredentialValue::Plain(url) => url.clone(),
        crate::config::CredentialValue::Secret(_) => unreachable!("the url is plain"),
    };
    let properties = integration.config.pms_properties.iter();
    properties
        .map(|property| (account.clone(), property.clone()))
        .collect()
}

fn keys_of([variant, credential, ..]: [u8; 5]) -> BTreeSet<(String, String)> {
    let properties = PROPERTIES[usize::from(variant) / 2 % 4].split(", ");
    properties
        .map(|property| {
            let account = format!("https://pms.example.com/{credential}");
            (account, property.to_owned())
        })
        .collect()
}

fn running(catalog: &Catalog, id: &IntegrationId) -> Option<Arc<Integration>> {
    let slot = catalog.integrations.get(id).filter(|slot| !slot.removed)?;
    slot.current.clone()
}

#[derive(Default)]
struct Seen {
    /// Every generation that ran, and what it was made of.
    made_of: BTreeMap<(IntegrationId, String), [u8; 5]>,
}

/// What must hold between what ran before and what runs now.
fn holds(disk: &Disk, before: &Catalog, after: &Catalog, seen: &mut Seen) {
    let ids: Vec<IntegrationId> = ["ash", "elm", "oak"].map(IntegrationId::new).to_vec();
    let outcomes: BTreeMap<IntegrationId, ReloadOutcome> = outcomes(before, after)
        .into_iter()
        .map(|one| (one.id, one.outcome))
        .collect();
    for (file, id) in ids.iter().enumerate() {
        let Some(slot) = after.integrations.get(id) else {
            assert!(
                !disk.files.contains_key(&file) || !disk.there,
                "{id} is not loaded"
            );
            continue;
        };
        let old = before.integrations.get(id);
        let was = old.and_then(|slot| slot.current.clone());
        let same = match (&slot.current, &was) {
            (Some(now), Some(was)) => Arc::ptr_eq(now, was),
            (None, None) => true,
            _ => false,
        };
        if !disk.there {
            assert!(same, "{id}: a folder that is gone changes nothing");
            assert_eq!(slot.removed, old.is_some_and(|slot| slot.removed));
            assert!(
                after
                    .problems
                    .iter()
                    .any(|one| one.file.ends_with("integrations"))
            );
            continue;
        }
        if !disk.files.contains_key(&file) {
            assert!(
                slot.removed && same,
                "{id}: whoever is deleted stays as it was"
            );
            continue;
        }
        let candidate = disk.candidate(file);
        if slot.problems.is_empty() {
            let now = slot.current.as_ref().unwrap();
            let made_of =
                candidate.unwrap_or_else(|| panic!("{id}: runs although it is not right"));
            let key = (id.clone(), now.fingerprint());
            assert_eq!(
                *seen.made_of.entry(key).or_insert(made_of),
                made_of,
                "{id}: runs something else"
            );
            assert_eq!(now.config.exclude_statuses, [format!("S{}", made_of[0])]);
            assert!(!slot.removed);
            if same {
                let back = old.is_some_and(|slot| slot.removed);
                let expected = if back {
                    ReloadOutcome::Loaded
                } else {
                    ReloadOutcome::Unchanged
                };
                assert_eq!(outcomes[id], expected);
            } else {
                assert_eq!(now.generation, was.map_or(1, |was| was.generation + 1));
                assert_eq!(outcomes[id], ReloadOutcome::Loaded);
            }
        } else {
            assert!(same, "{id}: what was refused has no effect");
            assert_eq!(slot.removed, old.is_some_and(|slot| slot.removed));
            assert_eq!(outcomes[id], ReloadOutcome::Rejected);
            for problem in &slot.problems {
                assert!(
                    !problem.message.is_empty() && problem.file.is_relative(),
                    "{problem}"
                );
            }
            if let Some(candidate) = candidate {
                let ours = keys_of(candidate);
                let contested = ids
                    .iter()
                    .enumerate()
                    .filter(|(_, other)| *other != id)
                    .any(|(file, other)| {
                        let claimed = disk.candidate(file).map(keys_of);
                        let had = running(before, other).map(|one| keys(&one));
                        claimed.is_some_and(|theirs| !theirs.is_disjoint(&ours))
                            || had.is_some_and(|theirs| !theirs.is_disjoint(&ours))
                    });
                assert!(
                    contested,
                    "{id}: refused without a cause: {:?}",
                    slot.problems
                );
            }
        }
    }
    let mut fed = BTreeSet::new();
    for id in &ids {
        for key in running(after, id).iter().flat_map(|one| keys(one)) {
            assert!(fed.insert(key.clone()), "{key:?} feeds two integrations");
        }
    }
}

proptest! {
    #![proptest_config(searching(24))]

    #[test]
    fn what_runs_is_the_last_that_was_right_whatever_is_edited(edits in edits()) {
        let mut disk = Disk::new();
        let mut catalog = load(&disk.home, None, Timestamp::UNIX_EPOCH);
        prop_assert!(catalog.integrations.values().all(|slot| slot.problems.is_empty()), "{catalog:?}");
        let mut seen = Seen::default();
        for edit in edits {
            disk.apply(&edit);
            let after = load(&disk.home, Some(&catalog), Timestamp::UNIX_EPOCH);
            holds(&disk, &catalog, &after, &mut seen);
            // A load of the same files changes nothing more.
            let again = load(&disk.home, Some(&after), Timestamp::UNIX_EPOCH);
            for (id, slot) in &again.integrations {
                let one = &after.integrations[id];
                prop_assert_eq!(slot.removed, one.removed);
                prop_assert_eq!(&slot.problems, &one.problems);
                let generation = |slot: &Slot| slot.current.as_ref().map(|one| one.generation);
                prop_assert_eq!(generation(slot), generation(one));
            }
            catalog = after;
        }
    }
}

#[test]
fn a_property_stays_with_the_integration_that_it_feeds() {
    let mut disk = Disk::new();
    let first = load(&disk.home, None, Timestamp::UNIX_EPOCH);
    // `ash` comes before `elm` by name and claims what `elm` has.
    disk.apply(&Edit::Write(0, 2, Way::InPlace));
    let second = load(&disk.home, Some(&first), Timestamp::UNIX_EPOCH);
    let (ash, elm) = (IntegrationId::new("ash"), IntegrationId::new("elm"));
    assert_eq!(
        second.integrations[&ash].problems[0].to_string(),
        "config/integrations/ash.yaml:4:18: pms_properties.0: `2` stands in config/integrations/elm.yaml too, and feeds one integration; remove it from one of the two files"
    );
    assert!(second.integrations[&elm].problems.is_empty());
    // Handed over in one go, it goes.
    disk.apply(&Edit::Write(1, 4, Way::InPlace));
    disk.apply(&Edit::Delete(2));
    disk.apply(&Edit::Write(1, 6, Way::InPlace));
    let third = load(&disk.home, Some(&second), Timestamp::UNIX_EPOCH);
    assert!(
        third
            .integrations
            .values()
            .all(|slot| slot.problems.is_empty()),
        "{third:?}"
    );
}
