//! The owner of the catalog: reloads when files change, when somebody asks, and now and then in case a
//! change made no noise. Events are only hints; what counts is what lies on disk.

mod told;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use notify::{RecommendedWatcher, RecursiveMode, Watcher};
use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::beneath::{Beneath, Entry, Kind, MAX_FILE, Unread};
use crate::config::Home;
use crate::model::{Holdings, Problem, Reloaded, ReloadedTarget};

use super::{Catalog, load_with, outcomes, outcomes_of_targets};

/// No event for so long: the save is over.
const QUIET: Duration = Duration::from_millis(150);
/// A stream of events is cut off here.
const LONGEST: Duration = Duration::from_secs(2);
/// How often the disk is looked at without an event: some changes make none (links switched, network
/// file systems, queues that ran over).
const POLL: Duration = Duration::from_secs(20);
/// An editor that saves by removing and writing anew is through by then.
const VANISHED: Duration = Duration::from_millis(500);
/// A look at the files that takes longer is told: what they lie on may not answer.
pub const SLOW: Duration = Duration::from_secs(10);

/// Somebody asks for a reload, and waits for what it did.
pub type ReloadRequest = oneshot::Sender<Loaded>;

/// What a reload did.
#[derive(Debug, Clone, PartialEq)]
pub struct Loaded {
    /// To each integration.
    pub integrations: Vec<Reloaded>,
    /// To each target.
    pub targets: Vec<ReloadedTarget>,
    /// Problems of files that belong to none of them.
    pub problems: Vec<Problem>,
}

impl Loaded {
    fn of(before: &Catalog, after: &Catalog) -> Loaded {
        Loaded {
            integrations: outcomes(before, after),
            targets: outcomes_of_targets(before, after),
            problems: after.problems.clone(),
        }
    }

    /// Whether all that lies on disk is what runs.
    pub fn is_right(&self) -> bool {
        self.problems.is_empty()
            && self.integrations.iter().all(|one| one.problems.is_empty())
            && self.targets.iter().all(|one| one.problems.is_empty())
    }
}

/// What the files of a home hold, to tell whether they have changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fingerprint([u8; 32]);

/// What the owner of the catalog lets others see.
#[derive(Debug)]
pub struct Shown {
    /// The catalog, as the disk has it.
    pub catalog: watch::Sender<Arc<Catalog>>,
    /// Since when files are looked at; none between two looks.
    pub looking: watch::Sender<Option<Timestamp>>,
}

/// Keeps the catalog in `shown` as the disk has it, until `stop`, whatever a look at the disk waits for. `seen` was
/// taken before what is in `shown` was loaded: what changed since then is loaded at once. `on_reload` is told of every
/// load, before anybody sees it. `holdings` gives what the store knows; none while it fails, and what it
/// knew before counts.
pub async fn watch(
    home: Home,
    holdings: impl Fn() -> Option<Holdings> + Clone + Send + 'static,
    seen: Fingerprint,
    shown: Shown,
    mut requests: mpsc::Receiver<ReloadRequest>,
    on_reload: impl Fn(&Loaded) + Send,
    stop: CancellationToken,
) {
    let (hint, mut hints) = mpsc::channel::<()>(1);
    let mut owner = Owner {
        home,
        holdings,
        seen,
        shown,
        on_reload,
        hint,
        watcher: None,
    };
    let watching = async {
        owner.arm().await;
        let mut poll = tokio::time::interval(POLL);
        poll.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            let mut asked = Vec::new();
            tokio::select! {
                Some(request) = requests.recv() => asked.push(request),
                Some(()) = hints.recv() => quiet(&mut hints).await,
                _ = poll.tick() => {}
            }
            while let Ok(request) = requests.try_recv() {
                asked.push(request);
            }
            owner.look(asked).await;
        }
    };
    let _: Option<()> = stop.run_until_cancelled(watching).await;
}

/// The owner of the catalog.
struct Owner<H, R> {
    home: Home,
    holdings: H,
    seen: Fingerprint,
    shown: Shown,
    on_reload: R,
    hint: mpsc::Sender<()>,
    watcher: Option<RecommendedWatcher>,
}

impl<H, R> Owner<H, R>
where
    H: Fn() -> Option<Holdings> + Clone + Send + 'static,
    R: Fn(&Loaded) + Send,
{
    /// Looks at the disk, and loads what it has where that is another, or somebody asks. Others see that it goes on.
    async fn look(&mut self, asked: Vec<ReloadRequest>) {
        self.shown.looking.send_replace(Some(Timestamp::now()));
        {
            let home = self.home.root().to_owned();
            let mut loaded = std::pin::pin!(self.load(asked));
            tokio::select! {
                () = &mut loaded => {}
                () = tokio::time::sleep(SLOW) => {
                    tracing::warn!(home = %home.display(), "loading files takes long; look whether what they lie on answers. What runs goes on meanwhile");
                    loaded.await;
                }
            }
        }
        self.shown.looking.send_replace(None);
    }

    async fn load(&mut self, asked: Vec<ReloadRequest>) {
        if fingerprint(&self.home).await == self.seen && asked.is_empty() {
            return;
        }
        // Folders may have been replaced: a watch stays with the one that was there.
        self.arm().await;
        // Only now: what the watch before did not get to tell is in it, the rest the new one tells.
        let found = fingerprint(&self.home).await;
        let before = Arc::clone(&self.shown.catalog.borrow());
        let mut after = read(&self.home, &before, &self.holdings).await;
        let vanished = |after: &Catalog| {
            let targets = after.targets.iter();
            after.integrations.iter().any(|(id, slot)| {
                slot.removed && before.integrations.get(id).is_some_and(|old| !old.removed)
            }) || targets.into_iter().any(|(id, slot)| {
                slot.removed && before.targets.get(id).is_some_and(|old| !old.removed)
            })
        };
        if asked.is_empty() && vanished(&after) {
            tokio::time::sleep(VANISHED).await;
            after = read(&self.home, &before, &self.holdings).await;
        }
        self.seen = found;
        let loaded = Loaded::of(&before, &after);
        told::tell(&before, &loaded);
        (self.on_reload)(&loaded);
        self.shown.catalog.send_replace(Arc::new(after));
        for request in asked {
            // Whoever asked may have gone; the reload has happened all the same.
            let _ = request.send(loaded.clone());
        }
    }

    /// Watches the folders as they are now. Off the threads that run tasks: finding the folders may wait for the disk.
    async fn arm(&mut self) {
        let (folders, hint) = (folders(&self.home), self.hint.clone());
        let armed = tokio::task::spawn_blocking(move || arm(&folders, &hint)).await;
        self.watcher = armed.unwrap_or_default();
    }
}

async fn read<H: Fn() -> Option<Holdings> + Clone + Send + 'static>(
    home: &Home,
    before: &Arc<Catalog>,
    holdings: &H,
) -> Catalog {
    let (home, previous, holdings) = (home.clone(), Arc::clone(before), holdings.clone());
    let load = move || {
        let known = holdings().unwrap_or_else(|| previous.holdings.clone());
        load_with(&home, Some(&previous), &known, Timestamp::now())
    };
    let loaded = tokio::task::spawn_blocking(load).await;
    // A load does not panic; if it did, nothing has changed.
    loaded.unwrap_or_else(|_| Catalog {
        settings: before.settings.clone(),
        integrations: before.integrations.clone(),
        targets: before.targets.clone(),
        problems: before.problems.clone(),
        moves: before.moves.clone(),
        holdings: before.holdings.clone(),
    })
}

/// Waits until nothing has changed for a moment.
pub(super) async fn quiet(hints: &mut mpsc::Receiver<()>) {
    let end = Instant::now() + LONGEST;
    while Instant::now() < end {
        match tokio::time::timeout(QUIET, hints.recv()).await {
            Ok(Some(())) => {}
            Ok(None) | Err(_) => break,
        }
    }
}

/// The folders of a home, and how deep each is watched.
fn folders(home: &Home) -> [(PathBuf, RecursiveMode); 3] {
    [
        (home.root().to_owned(), RecursiveMode::NonRecursive),
        (home.config(), RecursiveMode::Recursive),
        (home.scripts(), RecursiveMode::Recursive),
    ]
}

/// Watches folders; events become hints.
pub(super) fn arm(
    folders: &[(PathBuf, RecursiveMode)],
    hint: &mpsc::Sender<()>,
) -> Option<RecommendedWatcher> {
    let hint = hint.clone();
    let watcher = notify::recommended_watcher(move |event: notify::Result<notify::Event>| {
        let only_read = event.is_ok_and(|event| event.kind.is_access());
        if !only_read {
            // A full channel means that a look is due already.
            let _ = hint.try_send(());
        }
    });
    let mut watcher = match watcher {
        Ok(watcher) => watcher,
        Err(error) => {
            tracing::warn!(%error, "cannot watch files; changes are found by looking now and then");
            return None;
        }
    };
    for (folder, mode) in folders {
        if folder.exists()
            && let Err(error) = watcher.watch(folder, *mode)
        {
            tracing::warn!(folder = %folder.display(), %error, "cannot watch a folder; it is looked at now and then");
        }
    }
    Some(watcher)
}

/// Takes the fingerprint of a home's files.
pub async fn fingerprint(home: &Home) -> Fingerprint {
    let folders = [home.config(), home.scripts()];
    let tests = home.scripts().join("tests");
    let home = home.beneath();
    let hashed = tokio::task::spawn_blocking(move || {
        let mut hasher = blake3::Hasher::new();
        for folder in folders {
            hash_folder(&home, &folder, &mut hasher, 0);
        }
        hash_answers(&home, &tests, &mut hasher, 0);
        Fingerprint(*hasher.finalize().as_bytes())
    });
    // It does not panic; if it did, nothing would look like it, and all would be read anew.
    hashed.await.unwrap_or(Fingerprint([0; 32]))
}

fn hash_folder(home: &Beneath, folder: &Path, hasher: &mut blake3::Hasher, depth: usize) {
    let entries = match home.list(folder) {
        Ok(entries) => entries,
        Err(error) => return hash_refused(folder, &error, hasher),
    };
    for Entry { path, kind } in entries {
        let ours = path
            .extension()
            .is_some_and(|ending| ending == "yaml" || ending == "yml" || ending == "rhai");
        let is_hidden = path
            .file_name()
            .is_some_and(|name| name.as_encoded_bytes().starts_with(b".."));
        match kind {
            Ok(Kind::Folder) if depth < 6 && !is_hidden => {
                hash_folder(home, &path, hasher, depth + 1);
            }
            _ if ours => match home.read(&path, MAX_FILE) {
                Ok(bytes) => {
                    hasher.update(path.as_os_str().as_encoded_bytes());
                    hasher.update(blake3::hash(&bytes).as_bytes());
                }
                Err(error) => hash_refused(&path, &error, hasher),
            },
            Err(error @ Unread::Outside) => hash_refused(&path, &error, hasher),
            Ok(_) | Err(_) => {}
        }
    }
}

/// What is there and is not read changes when it is read, or no longer for the same reason.
fn hash_refused(path: &Path, why: &Unread, hasher: &mut blake3::Hasher) {
    if !matches!(why, Unread::Absent) {
        hasher.update(path.as_os_str().as_encoded_bytes());
        hasher.update(why.to_string().as_bytes());
    }
}

/// Recorded answers beside mapping tests: they can be large, so their size and time of change stand for them.
fn hash_answers(home: &Beneath, folder: &Path, hasher: &mut blake3::Hasher, depth: usize) {
    for Entry { path, .. } in home.list(folder).unwrap_or_default() {
        let Ok(look) = home.look(&path) else {
            continue;
        };
        if look.kind == Kind::Folder {
            if depth < 2 {
                hash_answers(home, &path, hasher, depth + 1);
            }
        } else {
            hasher.update(path.as_os_str().as_encoded_bytes());
            hasher.update(format!("{}{:?}", look.length, look.changed).as_bytes());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::load;
    use super::*;
    use crate::model::ReloadOutcome;

    fn home(workers: u32) -> (tempfile::TempDir, Home) {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("config")).unwrap();
        let home = Home::at(folder.path());
        set(&home, workers);
        (folder, home)
    }

    fn set(home: &Home, workers: u32) {
        let text = format!("version: 1\nworkers: {workers}\n");
        std::fs::write(home.config().join("epms.yaml"), text).unwrap();
    }

    fn shown(catalog: watch::Sender<Arc<Catalog>>) -> (Shown, watch::Receiver<Option<Timestamp>>) {
        let (looking, seen) = watch::channel(None);
        (Shown { catalog, looking }, seen)
    }

    /// D7: a disk that does not answer holds up whoever asks it, for good.
    #[tokio::test]
    async fn a_load_that_does_not_end_is_seen_and_is_not_in_the_way_of_the_end() {
        let (_folder, home) = home(2);
        let seen = fingerprint(&home).await;
        let first = Arc::new(load(&home, None, Timestamp::UNIX_EPOCH));
        let (sender, catalog) = watch::channel(first);
        let (shown, looking) = shown(sender);
        // Every load waits here until the test is over.
        let (_over, never) = std::sync::mpsc::channel::<()>();
        let never = Arc::new(std::sync::Mutex::new(never));
        let (begun, mut begins) = mpsc::unbounded_channel();
        let held_up = move || {
            let _ = begun.send(());
            let _ = never.lock().unwrap().recv();
            None
        };
        let (requests, asked) = mpsc::channel(1);
        let stop = CancellationToken::new();
        let watching = super::watch(home, held_up, seen, shown, asked, |_| {}, stop.clone());
        let watching = tokio::spawn(watching);
        let (reply, answer) = oneshot::channel();
        let patience = Duration::from_secs(15);
        requests.send(reply).await.unwrap();
        let begins = tokio::time::timeout(patience, begins.recv()).await;
        assert_eq!(begins, Ok(Some(())));
        assert!(looking.borrow().is_some());
        stop.cancel();
        tokio::time::timeout(patience, watching)
            .await
            .expect("it ends although a load does not")
            .unwrap();
        assert!(answer.await.is_err(), "whoever asked hears that it is over");
        assert_eq!(catalog.borrow().settings.workers, 2);
    }

    #[tokio::test]
    async fn what_changes_between_the_load_and_the_watch_is_loaded_too() {
        let (_folder, home) = home(2);
        let seen = fingerprint(&home).await;
        let (sender, mut catalog) =
            watch::channel(Arc::new(load(&home, None, Timestamp::UNIX_EPOCH)));
        set(&home, 3);
        let (_requests, requests) = mpsc::channel(1);
        let stop = CancellationToken::new();
        let watching = super::watch(
            home,
            || None,
            seen,
            shown(sender).0,
            requests,
            |_| {},
            stop.clone(),
        );
        let watching = tokio::spawn(watching);
        let changed = catalog.wait_for(|catalog| catalog.settings.workers == 3);
        let patience = Duration::from_secs(15);
        assert!(tokio::time::timeout(patience, changed).await.is_ok());
        stop.cancel();
        watching.await.unwrap();
    }

    fn target(home: &Home, text: &str) {
        let folder = home.config().join("targets");
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::write(folder.join("acme-door.yaml"), text).unwrap();
    }

    #[tokio::test]
    async fn what_is_written_into_a_target_s_file_is_another_home() {
        let (_folder, home) = home(2);
        let none = fingerprint(&home).await;
        target(&home, "version: 1\n");
        let one = fingerprint(&home).await;
        target(&home, "version: 2\n");
        let other = fingerprint(&home).await;
        assert!(none != one && one != other && other != none);
    }

    #[tokio::test]
    async fn whoever_asks_for_a_reload_hears_what_became_of_targets() {
        let (_folder, home) = home(2);
        let seen = fingerprint(&home).await;
        let (sender, catalog) = watch::channel(Arc::new(load(&home, None, Timestamp::UNIX_EPOCH)));
        target(&home, "version: 1\ncredential: acme\n");
        let (requests, asked) = mpsc::channel(1);
        let stop = CancellationToken::new();
        let shown = shown(sender).0;
        let watching = super::watch(home, || None, seen, shown, asked, |_| {}, stop.clone());
        let watching = tokio::spawn(watching);
        let (reply, answer) = oneshot::channel();
        requests.send(reply).await.unwrap();
        let loaded = tokio::time::timeout(Duration::from_secs(15), answer).await;
        let loaded = loaded.unwrap().unwrap();
        assert!(!loaded.is_right() && loaded.problems.is_empty());
        let [acme] = loaded.targets.as_slice() else {
            panic!("{loaded:?}")
        };
        assert_eq!(acme.id.as_str(), "acme-door");
        assert_eq!(acme.outcome, ReloadOutcome::Rejected);
        assert_eq!(acme.problems.len(), 1);
        assert!(
            catalog
                .borrow()
                .targets
                .values()
                .all(|slot| slot.current.is_none())
        );
        stop.cancel();
        watching.await.unwrap();
    }
}
