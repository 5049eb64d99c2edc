//! Opening the store, and opening it anew after what it lies on failed: once is enough for redb to do nothing
//! more, and a disk that was full need not end the daemon.

use std::fmt;
use std::fs::{File, Metadata, Permissions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use jiff::Timestamp;
use redb::backends::{FileBackend, InMemoryBackend};
use redb::{Database, DatabaseError, ReadableDatabase, StorageBackend, StorageError};
use tempfile::NamedTempFile;

use crate::model::Outcome;

use super::mark::{Keeper, MARK, Mark};
use super::medium::Watched;
use super::migrations::{Notes, SCHEMA, migrate};
use super::tombstones::{Graveyard, TOMBSTONES, Tombstones};
use super::{OpenError, StoreError, View, Write};

/// The name of the store's file in the state folder.
pub(super) const FILE: &str = "epms.redb";

/// How much of the store redb keeps in memory, in bytes, where the settings say nothing.
const CACHE: usize = 32 * 1024 * 1024;

/// What a store lies on.
enum Medium {
    /// A file.
    File(PathBuf),
    /// What this gives whenever it is asked.
    Given(Box<dyn Fn() -> io::Result<Box<dyn StorageBackend>> + Send + Sync>),
}

/// Which file it is, by the device and its number there, whatever name it has.
type FileId = (u64, u64);

/// The people store: one file, one process.
pub struct Store {
    /// Its name in errors.
    path: PathBuf,
    medium: Medium,
    /// How much of it redb keeps in memory, in bytes.
    cache: usize,
    /// What was put right when it was opened first.
    notes: Notes,
    /// Who keeps the mark beside it; none where it lies in no file of its own.
    keeper: Option<Arc<Keeper>>,
    /// Who was erased.
    graves: Arc<Graveyard>,
    /// None where it failed and could not be opened anew.
    pub(super) opened: Mutex<Option<Opened>>,
}

/// The store as it is open now.
pub(super) struct Opened {
    database: Arc<Database>,
    /// Whether what it lies on failed since.
    failed: Arc<AtomicBool>,
    /// The file; none where it lies in none.
    file: Option<FileId>,
}

impl Drop for Store {
    fn drop(&mut self) {
        // redb does not survive it, when it closes a file from which something was taken away.
        if self.in_place().is_err() {
            let opened = self
                .opened
                .get_mut()
                .unwrap_or_else(PoisonError::into_inner);
            std::mem::forget(opened.take());
        }
    }
}

impl fmt::Debug for Store {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Store").field(&self.path).finish()
    }
}

impl Store {
    /// Opens the store in `folder`, and makes it when there is none. Runs that were under way when the
    /// process before ended are marked interrupted.
    pub fn open(folder: &Path) -> Result<Store, OpenError> {
        Store::open_cached(folder, CACHE)
    }

    /// The same, where redb keeps so many bytes of it in memory.
    pub fn open_cached(folder: &Path, cache: usize) -> Result<Store, OpenError> {
        let path = folder.join(FILE);
        make_folder(folder).map_err(|source| OpenError::Io {
            path: path.clone(),
            source,
        })?;
        let closed = close(folder)?;
        let io = |source| OpenError::Io {
            path: path.clone(),
            source,
        };
        let mark = Mark::read(folder)?;
        match std::fs::metadata(&path) {
            Ok(file) if file.len() == 0 => return Err(OpenError::Empty(path)),
            Ok(_) => {}
            Err(error) if error.kind() == io::ErrorKind::NotFound && mark.is_some() => {
                return Err(OpenError::Lost(path));
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                make(folder, &path, cache, |_| Ok(()))?;
            }
            Err(error) => return Err(io(error)),
        }
        let medium = Medium::File(path.clone());
        let opened = open(&path, &medium, Expect::Anything, cache)?;
        let mut store = Store::kept(path, medium, cache, opened, mark)?;
        store.notes.extend(closed);
        store.notes.extend(remove_leftovers(folder));
        Ok(store)
    }

    /// Opens the store in `folder` as [`Store::open`] does, once every page of it was looked at.
    pub fn open_thoroughly(folder: &Path) -> Result<Store, OpenError> {
        let path = folder.join(FILE);
        let mark = Mark::read(folder)?;
        if mark.is_some() && !path.exists() {
            return Err(OpenError::Lost(path));
        }
        let medium = Medium::File(path.clone());
        let opened = open(&path, &medium, Expect::Sound, CACHE)?;
        Store::kept(path, medium, CACHE, opened, mark)
    }

    /// The store at `path` that was opened, held against the mark beside it, which is kept from here on.
    fn kept(
        path: PathBuf,
        medium: Medium,
        cache: usize,
        (opened, notes): (Opened, Notes),
        mark: Option<Mark>,
    ) -> Result<Store, OpenError> {
        let mut store = Store {
            path,
            medium,
            cache,
            notes,
            keeper: None,
            graves: Arc::default(),
            opened: Mutex::new(Some(opened)),
        };
        let (graves, closed) = Graveyard::open(store.folder())?;
        store.graves = Arc::new(graves);
        store.notes.extend(closed);
        let view = store.read()?;
        let (identity, numbers) = (view.identity()?, view.next_numbers()?);
        if store.tombstones().is_empty() && view.has_erased()? {
            store.notes.push(format!(
                "people were erased here, and {} is gone, by which they are known: put it back from where the store was before, or whoever of them still stands in a feed comes in again",
                store.folder().join(TOMBSTONES).display()
            ));
        }
        drop(view);
        if let Some(mark) = &mark {
            let what = if mark.store.id != identity.id {
                Some("another store")
            } else if identity.epoch < mark.store.epoch || !numbers.reach(mark.seen) {
                Some("an earlier copy")
            } else {
                None
            };
            if let Some(what) = what {
                return Err(OpenError::Replaced {
                    path: store.path.clone(),
                    what,
                });
            }
        }
        let keeper = Keeper::of(store.folder(), identity, numbers, mark);
        let keeper = keeper.map_err(|source| OpenError::Io {
            path: store.folder().join(MARK),
            source,
        })?;
        store.keeper = Some(Arc::new(keeper));
        if let Err(error) = store.interrupt() {
            if !error.is_full() {
                return Err(error.into());
            }
            // It is read all the same, and written once there is room.
            store.notes.push(format!(
                "a run was under way when the daemon ended before, and is not marked interrupted yet: {error}"
            ));
        }
        Ok(store)
    }

    /// Makes a new store in `folder`, where one was lost, whose numbers go on from the mark of that one. What lies
    /// there in its place without being a store is kept under another name, which is given.
    pub fn anew(folder: &Path, now: Timestamp) -> Result<(Store, Option<PathBuf>), OpenError> {
        let path = folder.join(FILE);
        let io = |path: &Path| {
            let path = path.to_owned();
            move |source| OpenError::Io { path, source }
        };
        make_folder(folder).map_err(io(&path))?;
        let mark = Mark::read(folder)?;
        let aside = if path.exists() {
            match Store::of_file(&path, &path) {
                Ok(_) => return Err(OpenError::NotLost(path)),
                Err(OpenError::Empty(_) | OpenError::Damaged { .. }) => {}
                Err(other) => return Err(other),
            }
            let aside = aside(folder, now);
            std::fs::rename(&path, &aside).map_err(io(&path))?;
            Some(aside)
        } else {
            None
        };
        let go_on = |write: &Write| {
            let Some(mark) = mark else { return Ok(()) };
            write.put_identity(&mark.store.renewed())?;
            write.put_numbers(mark.free)
        };
        make(folder, &path, CACHE, go_on)?;
        Ok((Store::open(folder)?, aside))
    }

    /// Opens the store that is `file` itself, and that errors call `name`. Every page of it is looked at first:
    /// it may come from anywhere.
    pub(super) fn of_file(name: &Path, file: &Path) -> Result<Store, OpenError> {
        let medium = Medium::File(file.to_owned());
        let (opened, notes) = open(name, &medium, Expect::Sound, CACHE)?;
        Ok(Store {
            path: name.to_owned(),
            medium,
            cache: CACHE,
            notes,
            keeper: None,
            graves: Arc::default(),
            opened: Mutex::new(Some(opened)),
        })
    }

    /// Opens the store on what `medium` gives, which is asked again after a failure of it. `name` is what
    /// errors call it.
    pub fn on(
        name: impl Into<PathBuf>,
        medium: impl Fn() -> io::Result<Box<dyn StorageBackend>> + Send + Sync + 'static,
    ) -> Result<Store, OpenError> {
        let (path, medium) = (name.into(), Medium::Given(Box::new(medium)));
        let (opened, notes) = open(&path, &medium, Expect::Anything, CACHE)?;
        let store = Store {
            path,
            medium,
            cache: CACHE,
            notes,
            keeper: None,
            graves: Arc::default(),
            opened: Mutex::new(Some(opened)),
        };
        store.interrupt()?;
        Ok(store)
    }

    /// A store that lives in memory and ends with the process.
    pub fn in_memory() -> Result<Store, OpenError> {
        let memory = Mutex::new(Some(InMemoryBackend::new()));
        Store::on("memory", move || {
            let memory = memory.lock().unwrap_or_else(PoisonError::into_inner).take();
            let memory = memory.ok_or_else(|| io::Error::other("what was in memory is gone"))?;
            Ok(Box::new(memory))
        })
    }

    /// Where its file lies.
    pub(super) fn folder(&self) -> &Path {
        self.path.parent().unwrap_or(Path::new("."))
    }

    /// Where its file lies; none where it lies in no file.
    pub(super) fn own_folder(&self) -> Option<PathBuf> {
        match &self.medium {
            Medium::File(_) => Some(self.folder().to_owned()),
            Medium::Given(_) => None,
        }
    }

    /// What was put right when it was opened, of what an earlier version left: for whoever keeps it.
    pub fn notes(&self) -> &[String] {
        &self.notes
    }

    /// How long its file is, in bytes; 0 where it lies in no file.
    pub fn length(&self) -> u64 {
        std::fs::metadata(&self.path).map_or(0, |file| file.len())
    }

    /// A view of the store as it is now.
    pub fn read(&self) -> Result<View, StoreError> {
        Ok(View::new(self.database()?.begin_read()?))
    }

    /// Begins a transaction; waits until the one before has ended.
    pub fn write(&self) -> Result<Write, StoreError> {
        let database = self.database()?;
        self.in_place()?;
        let write = begin(&database, self.keeper.clone())?;
        Ok(write.beside(Arc::clone(&self.graves)))
    }

    /// Who was erased.
    pub fn tombstones(&self) -> Arc<Tombstones> {
        self.graves.now()
    }

    /// Takes those who lie beside another store for its own: it is to take that one's place.
    pub(super) fn beside_those_in(&mut self, folder: &Path) -> Result<(), OpenError> {
        let (graves, closed) = Graveyard::open(folder)?;
        self.graves = Arc::new(graves);
        self.notes.extend(closed);
        Ok(())
    }

    /// Whether the file that is open lies there still: what is written into one that does not is lost.
    pub fn in_place(&self) -> Result<(), StoreError> {
        let Medium::File(path) = &self.medium else {
            return Ok(());
        };
        let opened = self.opened.lock().unwrap_or_else(PoisonError::into_inner);
        let file = opened.as_ref().and_then(|open| open.file);
        let there = std::fs::metadata(path).ok();
        let there = there
            .filter(|file| file.len() > 0)
            .map(|file| file_id(&file));
        if file.is_none() || file == there {
            Ok(())
        } else {
            Err(StoreError::Displaced(path.clone()))
        }
    }

    /// The database, opened anew where it failed before. Those who still work with the one that failed hear
    /// of it with their next step; until they have, it may not be opened.
    fn database(&self) -> Result<Arc<Database>, StoreError> {
        let mut opened = self.opened.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(open) = opened.take_if(|open| open.failed.load(Ordering::Acquire)) {
            drop(open);
        }
        // redb does not survive it when what it reads has gone.
        if let Medium::File(path) = &self.medium
            && std::fs::metadata(path).is_ok_and(|file| file.len() == 0)
        {
            return Err(StoreError::Displaced(path.clone()));
        }
        if let Some(open) = &*opened {
            return Ok(Arc::clone(&open.database));
        }
        let (anew, _) = open(&self.path, &self.medium, Expect::Store, self.cache)
            .map_err(|error| StoreError::Closed(Box::new(error)))?;
        Ok(Arc::clone(&opened.insert(anew).database))
    }

    /// Nothing runs yet: what is under way in the store was, when the process before ended.
    fn interrupt(&self) -> Result<(), StoreError> {
        let view = self.read()?;
        let mut under_way = Vec::new();
        for id in view.integrations()? {
            let run = view.history(&id)?.last_run;
            let run = run.map_or(Ok(None), |run| view.run(run))?;
            if run.is_some_and(|run| run.outcome == Outcome::Running) {
                under_way.push(id);
            }
        }
        if under_way.is_empty() {
            return Ok(());
        }
        let write = self.write()?;
        for id in under_way {
            write.interrupt(&id)?;
        }
        write.commit()
    }
}

fn begin(database: &Database, keeper: Option<Arc<Keeper>>) -> Result<Write, StoreError> {
    let mut transaction = database.begin_write()?;
    // Opens in a millisecond after a kill, and commits in two phases, which redb recommends for data
    // that outsiders can influence.
    transaction.set_quick_repair(true);
    Ok(Write::new(transaction, keeper))
}

/// Makes the folder of a store, which only its owner may enter.
pub(super) fn make_folder(folder: &Path) -> io::Result<()> {
    std::fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(folder)
}

/// What a folder is closed to that others may look into, or write into; none where they may neither. Whoever only passes
/// through it, to a socket in it, goes on doing so.
fn closed_mode(mode: u32) -> Option<u32> {
    match mode & 0o777 {
        mode if mode & 0o022 != 0 => Some(0o700),
        mode if mode & 0o044 != 0 => Some(mode & !0o044),
        _ => None,
    }
}

/// Closes the folder of a store to others, and says so.
fn close(folder: &Path) -> Result<Option<String>, OpenError> {
    let failed = |source| OpenError::Io {
        path: folder.to_owned(),
        source,
    };
    let mode = std::fs::metadata(folder).map_err(failed)?.mode() & 0o7777;
    let Some(closed) = closed_mode(mode) else {
        return Ok(None);
    };
    let set = std::fs::set_permissions(folder, Permissions::from_mode(closed));
    set.map_err(|source| OpenError::Accessible {
        path: folder.to_owned(),
        mode,
        source,
    })?;
    let shown = folder.display();
    Ok(Some(if mode & 0o022 == 0 {
        format!("others could look into {shown} (mode {mode:04o}); its mode is {closed:04o} now")
    } else {
        format!(
            "others could write into {shown} (mode {mode:04o}); its mode is {closed:04o} now. Look whether what lies in it is the daemon's"
        )
    }))
}

/// Makes a store where there is none, and does `more` with it. It gets its name when it is whole: an empty file is
/// never one of ours.
fn make(
    folder: &Path,
    path: &Path,
    cache: usize,
    more: impl FnOnce(&Write) -> Result<(), StoreError>,
) -> Result<(), OpenError> {
    let io = |source| OpenError::Io {
        path: path.to_owned(),
        source,
    };
    let file = private(folder).map_err(io)?;
    let medium = Medium::File(file.path().to_owned());
    let (opened, _) = open(path, &medium, Expect::Anything, cache)?;
    let write = begin(&opened.database, None)?;
    more(&write)?;
    write.commit()?;
    drop(opened);
    match file.persist_noclobber(path) {
        Ok(_) => {}
        // Somebody else was faster.
        Err(error) if error.error.kind() == io::ErrorKind::AlreadyExists => return Ok(()),
        Err(error) => return Err(io(error.error)),
    }
    File::open(folder).and_then(|it| it.sync_all()).map_err(io)
}

/// How a copy is called that has no name of its own yet.
const UNNAMED: &str = ".epms-";

/// Removes the copies that a process left behind which was killed: whoever opens the store has it alone. They may have people
/// in them who were erased since. Says how many there were.
fn remove_leftovers(folder: &Path) -> Option<String> {
    let entries = std::fs::read_dir(folder).ok()?;
    let names = entries.flatten().filter(|entry| {
        let is_copy = entry.file_name().to_string_lossy().starts_with(UNNAMED);
        is_copy && entry.file_type().is_ok_and(|kind| kind.is_file())
    });
    let removed = names.filter(|entry| std::fs::remove_file(entry.path()).is_ok());
    match removed.count() {
        0 => None,
        1 => Some("an unfinished copy of the store was removed".to_owned()),
        count => Some(format!(
            "{count} unfinished copies of the store were removed"
        )),
    }
}

/// An empty file in `folder` that only its owner may read; it goes unless it is kept.
pub(super) fn private(folder: &Path) -> io::Result<NamedTempFile> {
    tempfile::Builder::new()
        .prefix(UNNAMED)
        .permissions(Permissions::from_mode(0o600))
        .tempfile_in(folder)
}

impl Medium {
    /// Opens it; and which file it is.
    fn open(&self) -> io::Result<(Box<dyn StorageBackend>, Option<FileId>)> {
        match self {
            Medium::File(path) => {
                let file = File::options().read(true).write(true).open(path)?;
                file.set_permissions(Permissions::from_mode(0o600))?;
                let id = file_id(&file.metadata()?);
                let backend = FileBackend::new(file).map_err(io::Error::other)?;
                Ok((Box::new(backend), Some(id)))
            }
            Medium::Given(give) => Ok((give()?, None)),
        }
    }
}

fn file_id(file: &Metadata) -> FileId {
    (file.dev(), file.ino())
}

/// Where the store in `folder` is kept when another takes its place.
pub(super) fn aside(folder: &Path, now: Timestamp) -> PathBuf {
    let name = format!("{FILE}.before-{}", now.strftime("%Y%m%dT%H%M%SZ"));
    let first = folder.join(&name);
    let others = (2..1000).map(|number| folder.join(format!("{name}-{number}")));
    // Whoever restores twice in a second keeps both.
    let mut names = std::iter::once(first.clone()).chain(others);
    names.find(|name| !name.exists()).unwrap_or(first)
}

/// What is expected of what is opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Expect {
    /// A store, or nothing yet.
    Anything,
    /// A store that was written by redb and by nobody else.
    Store,
    /// A store that may come from anywhere: every page of it is looked at, by its checksum.
    Sound,
}

fn open(
    path: &Path,
    medium: &Medium,
    expect: Expect,
    cache: usize,
) -> Result<(Opened, Notes), OpenError> {
    let io = |source| OpenError::Io {
        path: path.to_owned(),
        source,
    };
    let failed = Arc::new(AtomicBool::new(false));
    let (backend, file) = medium.open().map_err(io)?;
    // redb would make a store of it.
    if expect != Expect::Anything && backend.len().map_err(io)? == 0 {
        return Err(OpenError::Empty(path.to_owned()));
    }
    let watched = Watched::new(backend, Arc::clone(&failed));
    let database = Database::builder()
        .set_check_integrity_on_open(expect == Expect::Sound)
        .set_cache_size(cache)
        .create_with_backend(watched)
        .map_err(|error| match error {
            DatabaseError::DatabaseAlreadyOpen => OpenError::InUse(path.to_owned()),
            DatabaseError::Storage(StorageError::Io(source))
                if source.kind() != io::ErrorKind::InvalidData =>
            {
                io(source)
            }
            other => OpenError::Damaged {
                path: path.to_owned(),
                source: Box::new(other.into()),
            },
        })?;
    let view = View::new(database.begin_read().map_err(StoreError::from)?);
    let found = view.schema()?;
    if found.is_none() && (expect != Expect::Anything || !view.is_blank()?) {
        return Err(OpenError::Foreign(path.to_owned()));
    }
    drop(view);
    let notes = match found {
        // A disk that is full is read all the same: nothing is written that need not be.
        Some(SCHEMA) => Notes::new(),
        Some(found) if found > SCHEMA => {
            return Err(OpenError::Newer {
                path: path.to_owned(),
                found,
                known: SCHEMA,
            });
        }
        found => {
            let write = begin(&database, None)?;
            let notes = migrate(&write, found)?;
            write.commit()?;
            notes
        }
    };
    let opened = Opened {
        database: Arc::new(database),
        failed,
        file,
    };
    Ok((opened, notes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_is_closed_to_those_who_look_or_write_and_not_to_those_who_pass() {
        for (mode, closed) in [
            (0o700, None),
            (0o711, None),
            (0o2710, None),
            (0o777, Some(0o700)),
            (0o770, Some(0o700)),
            (0o1777, Some(0o700)),
            (0o755, Some(0o711)),
            (0o750, Some(0o710)),
        ] {
            assert_eq!(closed_mode(mode), closed, "{mode:o}");
        }
    }
}
