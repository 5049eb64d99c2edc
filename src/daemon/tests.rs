//! Following the files over the real store (R46): whatever files come and go, nobody is lost and nobody is in two
//! places; who is left behind is told by the owner of the schedule.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use crate::testing::searching;
use jiff::Timestamp;
use proptest::prelude::*;
use tempfile::TempDir;
use tokio::sync::{mpsc, watch};
use tokio_util::sync::CancellationToken;

use super::metrics::Metrics;
use super::runs::Runs;
use crate::acts::{self, Hand};
use crate::catalog::{Catalog, load_with};
use crate::config::Home;
use crate::control::server::Backend;
use crate::model::{
    Actor, Alert, AlertKind, AlertState, IntegrationId, LeaseStatus, Link, Origin, Person, RunId,
    Stay, Unit,
};
use crate::source::Reader;
use crate::store::Store;
use crate::sync::{Tools, Workers};

const NAMES: [&str; 3] = ["ash", "elm", "oak"];

fn id(name: &str) -> IntegrationId {
    IntegrationId::new(name)
}

/// A home with one account, and files of integrations in it.
struct Files {
    _folder: TempDir,
    home: Home,
}

impl Files {
    fn new() -> Files {
        let folder = tempfile::tempdir().unwrap();
        let home = Home::at(folder.path());
        let write = |name: &str, text: &str| {
            let path = folder.path().join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        };
        write("config/epms.yaml", "version: 1\n");
        write(
            "config/connectors/letterbox.yaml",
            "version: 1\nscript: letterbox.rhai\ncredential_fields: { url: plain }\nhosts: [pms.example.com]\n\
             requests:\n  residents: { url: \"{{ credential.url }}/{{ property }}\", format: json, id: Id }\n",
        );
        write(
            "config/credentials/acme.yaml",
            "version: 1\nconnector: letterbox\nfields: { url: \"https://pms.example.com\" }\n",
        );
        write(
            "scripts/letterbox.rhai",
            "fn residents(record, ctx) { #{ id: record.Id } }\n",
        );
        std::fs::create_dir_all(folder.path().join("config/integrations")).unwrap();
        Files {
            _folder: folder,
            home,
        }
    }

    fn path(&self, name: &str) -> std::path::PathBuf {
        let folder = self.home.config().join("integrations");
        folder.join(format!("{name}.yaml"))
    }

    fn names(&self, name: &str, properties: &str) {
        let text = format!(
            "version: 1\nproperty: {{ name: {name}, timezone: UTC, country: US }}\ncredential: acme\n\
             pms_properties: [{properties}]\n"
        );
        std::fs::write(self.path(name), text).unwrap();
    }

    fn remove(&self, name: &str) {
        // It may be gone already.
        let _ = std::fs::remove_file(self.path(name));
    }

    fn rename(&self, old: &str, new: &str) {
        std::fs::rename(self.path(old), self.path(new)).unwrap();
    }

    fn load(&self, before: Option<&Catalog>, store: &Store) -> Catalog {
        let holdings = store.read().unwrap().holdings().unwrap();
        load_with(&self.home, before, &holdings, Timestamp::UNIX_EPOCH)
    }
}

/// What a run of an integration would do with the two residents of each of its PMS properties: whoever is not linked
/// to it comes in.
fn come_in(store: &Store, catalog: &Catalog, at: &IntegrationId) {
    let Some(integration) = catalog.integrations[at].running() else {
        return;
    };
    let write = store.write().unwrap();
    for property in &integration.config.pms_properties {
        for number in 0..2 {
            let resident = format!("t{property}{number}");
            if write.link(at, &resident).unwrap().is_some() {
                continue;
            }
            let person = write.new_person_id().unwrap();
            let unit = Unit {
                id: resident.clone(),
                label: resident.clone(),
                formerly: None,
            };
            let stay = Stay {
                status: LeaseStatus::Current,
                unit: Some(unit.clone()),
                more_units: Vec::new(),
                lease_start: None,
                lease_end: None,
                move_in: None,
                move_out: None,
                notice: false,
                eviction: false,
                excluded: false,
            };
            let new = Person {
                first_name: resident.clone(),
                stays: BTreeMap::from([(at.clone(), Box::new(stay))]),
                ..Person::new(person, Origin::Sync, Timestamp::UNIX_EPOCH)
            };
            write.put_person(&new).unwrap();
            let link = Link {
                status: LeaseStatus::Current,
                unit: Some(unit),
                property: Some(property.clone()),
                ..Link::new(person, Timestamp::UNIX_EPOCH)
            };
            write.put_link(at, &resident, &link).unwrap();
        }
    }
    write.commit().unwrap();
}

fn everybody(store: &Store) -> Vec<Person> {
    let view = store.read().unwrap();
    view.people(None, usize::MAX, |_| true).unwrap()
}

/// One for all: it reads the certificates of the system.
fn reader() -> Arc<Reader> {
    static READER: OnceLock<Arc<Reader>> = OnceLock::new();
    Arc::clone(READER.get_or_init(|| Arc::new(Reader::new().unwrap())))
}

/// The owner of the schedule over a store, by a clock of its own.
struct Owner {
    runs: Runs,
    catalog: watch::Sender<Arc<Catalog>>,
    _commands: mpsc::Sender<super::runs::Command>,
}

fn owner(
    store: &Arc<Store>,
    reader: &Arc<Reader>,
    catalog: Catalog,
    now: fn() -> Timestamp,
) -> Owner {
    let (sender, catalog) = watch::channel(Arc::new(catalog));
    let (commands, requests) = mpsc::channel(1);
    let runs = Runs {
        clock: super::clock::Steady::new(now, super::clock::since_boot),
        catalog,
        commands: requests,
        tools: Tools {
            reader: Arc::clone(reader),
            store: Arc::clone(store),
            now,
            up: super::up,
            workers: Workers::default(),
        },
        commits: watch::Sender::new(0),
        metrics: Arc::new(Metrics::new(true, Timestamp::UNIX_EPOCH)),
        stop: CancellationToken::new(),
    };
    Owner {
        runs,
        catalog: sender,
        _commands: commands,
    }
}

#[derive(Debug, Clone)]
enum Edit {
    /// A file names these PMS properties.
    Names(usize, &'static str),
    Break(usize),
    Remove(usize),
    /// A file gets another name, in the place of what was called so.
    Rename(usize, usize),
}

/// Some edits, after which the files are loaded; whether the daemon was started anew.
fn mornings() -> impl Strategy<Value = Vec<(Vec<Edit>, bool)>> {
    let properties = prop_oneof![Just("1"), Just("2"), Just("1, 2"), Just("3"), Just("2, 3")];
    let edit = prop_oneof![
        4 => (0..3_usize, properties).prop_map(|(file, properties)| Edit::Names(file, properties)),
        1 => (0..3_usize).prop_map(Edit::Break),
        2 => (0..3_usize).prop_map(Edit::Remove),
        3 => (0..3_usize, 0..3_usize).prop_map(|(old, new)| Edit::Rename(old, new)),
    ];
    let edits = prop::collection::vec(edit, 1..4);
    prop::collection::vec((edits, prop::bool::weighted(0.3)), 1..10)
}

fn apply(files: &Files, edit: &Edit) {
    match *edit {
        Edit::Names(file, properties) => files.names(NAMES[file], properties),
        Edit::Break(file) => std::fs::write(files.path(NAMES[file]), "version: 1\n").unwrap(),
        Edit::Remove(file) => files.remove(NAMES[file]),
        Edit::Rename(old, new) => {
            if files.path(NAMES[old]).exists() {
                files.rename(NAMES[old], NAMES[new]);
            }
        }
    }
}

fn fixed() -> Timestamp {
    Timestamp::UNIX_EPOCH
}

/// Every resident who ever came in is one person, with one open stay, where they are linked.
fn nobody_is_lost_or_doubled(store: &Store, ever: &BTreeSet<String>) -> Result<(), TestCaseError> {
    let people = everybody(store);
    let names: BTreeSet<String> = people.iter().map(|one| one.first_name.clone()).collect();
    prop_assert_eq!(people.len(), names.len(), "somebody came in twice");
    prop_assert!(ever.is_subset(&names));
    let view = store.read().unwrap();
    for person in &people {
        let links = view.links_of(person.id).unwrap();
        prop_assert_eq!(links.len(), 1, "{} has {:?}", person.first_name, links);
        let at: Vec<_> = person.stays.keys().cloned().collect();
        prop_assert_eq!(&at, &vec![links[0].0.clone()], "{}", person.first_name);
        prop_assert_eq!(person.stays[&at[0]].status, LeaseStatus::Current);
    }
    prop_assert_eq!(view.verify().unwrap().flaws, []);
    Ok(())
}

proptest! {
    #![proptest_config(searching(64))]

    #[test]
    fn r46_whatever_files_come_and_go_nobody_is_lost_and_nobody_is_in_two_places(
        mornings in mornings()
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let files = Files::new();
            let reader = reader();
            let store = Arc::new(Store::in_memory().unwrap());
            files.names("elm", "1");
            let mut before: Option<Catalog> = None;
            let mut ever = BTreeSet::new();
            let first = (Vec::new(), true);
            for (edits, anew) in std::iter::once(first).chain(mornings) {
                for edit in &edits {
                    apply(&files, edit);
                }
                let catalog = files.load(before.as_ref().filter(|_| !anew), &store);
                let mut owner = owner(&store, &reader, catalog, fixed);
                let mut state = owner.runs.state(2, None);
                owner.runs.adopt(&mut state).await.unwrap();
                let catalog = Arc::clone(&owner.catalog.borrow());
                prop_assert!(state.waiting_for.is_empty(), "{:?}", state.waiting_for);
                for at in catalog.integrations.keys() {
                    come_in(&store, &catalog, at);
                }
                ever.extend(everybody(&store).into_iter().map(|one| one.first_name));
                nobody_is_lost_or_doubled(&store, &ever)?;
                drop(owner);
                before = Arc::into_inner(catalog);
            }
            Ok(())
        })?;
    }
}

static CLOCK: AtomicI64 = AtomicI64::new(1_800_000_000);

fn clock() -> Timestamp {
    Timestamp::from_second(CLOCK.load(Ordering::SeqCst)).unwrap()
}

fn open(store: &Store) -> Vec<Alert> {
    let view = store.read().unwrap();
    let is_open = |one: &Alert| one.kind == AlertKind::LeftBehind && one.state == AlertState::Open;
    view.alerts(None, usize::MAX, is_open).unwrap()
}

/// A13, E9: a file that is gone was never told of; a deploy, a sleep or a clock that is set tells nothing.
#[tokio::test]
async fn r46_people_whose_file_has_been_gone_for_a_rhythm_are_told_until_it_is_back() {
    let files = Files::new();
    let store = Arc::new(Store::in_memory().unwrap());
    let reader = reader();
    files.names("elm", "1, 2");
    let first = files.load(None, &store);
    let mut owner = owner(&store, &reader, first, clock);
    let mut state = owner.runs.state(2, None);
    owner.runs.adopt(&mut state).await.unwrap();
    let catalog = Arc::clone(&owner.catalog.borrow());
    come_in(&store, &catalog, &id("elm"));

    let reload = async |owner: &mut Owner, state: &mut super::runs::State| {
        let before = Arc::clone(&owner.catalog.borrow());
        let after = files.load(Some(&before), &store);
        owner.catalog.send_replace(Arc::new(after));
        owner.runs.adopt(state).await.unwrap();
    };
    let minutes = async |owner: &Owner, state: &mut super::runs::State, minutes: u32| {
        for _ in 0..minutes {
            CLOCK.fetch_add(60, Ordering::SeqCst);
            owner.runs.tell_left_behind(state).await;
        }
    };
    // A deploy takes 40 minutes; then it is back.
    files.remove("elm");
    reload(&mut owner, &mut state).await;
    minutes(&owner, &mut state, 40).await;
    files.names("elm", "1, 2");
    reload(&mut owner, &mut state).await;
    minutes(&owner, &mut state, 40).await;
    assert_eq!(open(&store), []);

    // Gone, and the machine sleeps for three weeks.
    files.remove("elm");
    reload(&mut owner, &mut state).await;
    minutes(&owner, &mut state, 50).await;
    CLOCK.fetch_add(3 * 7 * 24 * 3600, Ordering::SeqCst);
    owner.runs.tell_left_behind(&mut state).await;
    assert_eq!(open(&store), []);
    minutes(&owner, &mut state, 10).await;
    let alerts = open(&store);
    assert_eq!(alerts.len(), 1, "{alerts:?}");
    assert!(
        alerts[0].detail.contains("4 people are current"),
        "{alerts:?}"
    );
    assert!(
        alerts[0].detail.contains("epms integration retire elm"),
        "{alerts:?}"
    );
    // It has no twin, also not one of its PMS properties.
    minutes(&owner, &mut state, 130).await;
    let again = open(&store);
    assert_eq!(again.len(), 1, "{again:?}");
    assert!(again[0].last_seen > alerts[0].last_seen);
    files.names("elm", "1, 2");
    reload(&mut owner, &mut state).await;
    assert_eq!(open(&store), []);

    // A PMS property out of the file.
    files.names("elm", "1");
    reload(&mut owner, &mut state).await;
    minutes(&owner, &mut state, 61).await;
    let alerts = open(&store);
    assert_eq!(alerts.len(), 1, "{alerts:?}");
    assert!(alerts[0].detail.contains("`2`"), "{alerts:?}");
    // It stands in another file: its people went there.
    files.names("oak", "2");
    reload(&mut owner, &mut state).await;
    assert_eq!(open(&store), []);
    let at = |name: &str| {
        let people = everybody(&store);
        people
            .iter()
            .filter(|one| one.stays.contains_key(&id(name)))
            .count()
    };
    assert_eq!((at("elm"), at("oak")), (2, 2));

    // Started anew with a file that is gone, it counts from then on.
    files.remove("oak");
    let anew = files.load(None, &store);
    assert!(anew.integrations[&id("oak")].removed);
    let mut owner = self::owner(&store, &reader, anew, clock);
    let mut state = owner.runs.state(2, None);
    owner.runs.adopt(&mut state).await.unwrap();
    minutes(&owner, &mut state, 59).await;
    assert_eq!(open(&store), []);
    minutes(&owner, &mut state, 2).await;
    assert_eq!(open(&store).len(), 1);
    // Given up, nobody is left behind.
    let hand = Hand {
        by: Actor::User(7),
        now: clock(),
    };
    let told = acts::retire(&store, &id("oak"), None, false, &hand).unwrap();
    assert_eq!((told.people.len(), told.alerts.len()), (2, 1));
    assert_eq!(open(&store), []);
    owner.runs.adopt(&mut state).await.unwrap();
    minutes(&owner, &mut state, 130).await;
    assert_eq!(open(&store), []);
}

/// D1.
#[tokio::test]
async fn a_run_that_was_given_up_and_keeps_its_thread_is_told_and_ready_all_the_same() {
    let (files, store) = (Files::new(), Arc::new(Store::in_memory().unwrap()));
    files.names("elm", "1");
    files.names("oak", "2");
    let catalog = files.load(None, &store);
    let stop = CancellationToken::new();
    let daemon = super::offline::answering(store, catalog, Timestamp::now, stop).unwrap();
    let series = async |value: &str| {
        let metrics = daemon.metrics().await.unwrap();
        let series = format!("epms_stuck_runs{{integration=\"elm\"}} {value}\n");
        assert!(metrics.contains(&series), "{metrics}");
    };
    let elm = async || {
        let status = daemon.status().await.unwrap();
        let mut all = status.integrations.into_iter();
        all.find(|one| one.id == id("elm")).unwrap().stuck
    };
    let workers = daemon.tools.workers.clone();
    let may_stop_yet = workers.given_up(&id("elm"), RunId(6), Duration::from_secs(1));
    assert_eq!(daemon.ready().await.unwrap(), [""; 0]);
    assert_eq!(elm().await, None);
    series("0").await;
    drop(may_stop_yet);
    let minute = Duration::from_mins(1);
    let mut stuck = vec![workers.given_up(&id("elm"), RunId(7), minute)];
    let told = elm().await.unwrap();
    assert!(told.starts_with("run r7 was given up 6"), "{told}");
    let unwell = daemon.ready().await.unwrap();
    assert_eq!(unwell.len(), 1);
    assert!(unwell[0].starts_with("elm: run r7"), "{unwell:?}");
    series("1").await;
    // The service manager is told that all is well as long as a processor is left.
    let threads = std::thread::available_parallelism().unwrap().get();
    assert_eq!(daemon.is_jammed(), threads == 1);
    stuck.extend((1..threads).map(|_| workers.given_up(&id("oak"), RunId(8), minute)));
    assert!(daemon.is_jammed());
    drop(stuck);
    assert!(!daemon.is_jammed());
    assert_eq!(elm().await, None);
    series("0").await;
}
