//! Opening the store, and opening it anew after what it lies on failed: once is enough for redb to do nothing
//! more, and a disk that was full need not end the daemon.

use std::fmt;
use std::fs::{File, Permissions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use redb::backends::{FileBackend, InMemoryBackend};
use redb::{Database, DatabaseError, ReadableDatabase, StorageBackend, StorageError};

use crate::model::Outcome;

use super::medium::Watched;
use super::migrations::{SCHEMA, migrate};
use super::{OpenError, StoreError, View, Write};

/// The name of the store's file in the state folder.
pub(super) const FILE: &str = "epms.redb";

type Medium = Box<dyn Fn() -> io::Result<Box<dyn StorageBackend>> + Send + Sync>;

/// The people store: one file, one process.
pub struct Store {
    /// Its name in errors.
    path: PathBuf,
    medium: Medium,
    /// None where it failed and could not be opened anew.
    opened: Mutex<Option<Opened>>,
}

/// The store as it is open now.
struct Opened {
    database: Arc<Database>,
    /// Whether what it lies on failed since.
    failed: Arc<AtomicBool>,
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
        let path = folder.join(FILE);
        make_folder(folder).map_err(|source| OpenError::Io {
            path: path.clone(),
            source,
        })?;
        let medium = of_file(path.clone(), true);
        Store::on(path, medium)
    }

    /// Opens the store in `folder` as [`Store::open`] does, once every page of it was looked at.
    pub fn open_thoroughly(folder: &Path) -> Result<Store, OpenError> {
        let path = folder.join(FILE);
        let store = Store::of_file(&path, &path)?;
        store.interrupt()?;
        Ok(store)
    }

    /// Opens the store that is `file` itself, and that errors call `name`. Every page of it is looked at first:
    /// it may come from anywhere.
    pub(super) fn of_file(name: &Path, file: &Path) -> Result<Store, OpenError> {
        let medium: Medium = Box::new(of_file(file.to_owned(), false));
        let opened = open(name, &medium, Pages::All)?;
        Ok(Store {
            path: name.to_owned(),
            medium,
            opened: Mutex::new(Some(opened)),
        })
    }

    /// Opens the store on what `medium` gives, which is asked again after a failure of it. `name` is what
    /// errors call it.
    pub fn on(
        name: impl Into<PathBuf>,
        medium: impl Fn() -> io::Result<Box<dyn StorageBackend>> + Send + Sync + 'static,
    ) -> Result<Store, OpenError> {
        let (path, medium) = (name.into(), Box::new(medium) as Medium);
        let opened = open(&path, &medium, Pages::AsNeeded)?;
        let store = Store {
            path,
            medium,
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
        begin(&database)
    }

    /// The database, opened anew where it failed before. Those who still work with the one that failed hear
    /// of it with their next step; until they have, it may not be opened.
    fn database(&self) -> Result<Arc<Database>, StoreError> {
        let mut opened = self.opened.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(open) = opened.take_if(|open| open.failed.load(Ordering::Acquire)) {
            drop(open);
        }
        if let Some(open) = &*opened {
            return Ok(Arc::clone(&open.database));
        }
        let anew = open(&self.path, &self.medium, Pages::AsNeeded)
            .map_err(|error| StoreError::Closed(Box::new(error)))?;
        Ok(Arc::clone(&opened.insert(anew).database))
    }

    /// Gives back the room that the file does not need, and tells how long it was and is, in bytes.
    pub fn compact(self) -> Result<(u64, u64), StoreError> {
        let (path, before) = (self.path.clone(), self.length());
        // Nobody else can have it: only those who ask this store do.
        let opened = self.opened.into_inner();
        let opened = opened.unwrap_or_else(PoisonError::into_inner);
        if let Some(mut database) = opened.and_then(|open| Arc::into_inner(open.database)) {
            while database.compact()? {}
        }
        let after = std::fs::metadata(&path).map_or(0, |file| file.len());
        Ok((before, after))
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

fn begin(database: &Database) -> Result<Write, StoreError> {
    let mut transaction = database.begin_write()?;
    // Opens in a millisecond after a kill, and commits in two phases, which redb recommends for data
    // that outsiders can influence.
    transaction.set_quick_repair(true);
    Ok(Write::new(transaction))
}

/// Makes the folder of a store, which only its owner may enter.
pub(super) fn make_folder(folder: &Path) -> io::Result<()> {
    std::fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(folder)
}

fn of_file(
    path: PathBuf,
    create: bool,
) -> impl Fn() -> io::Result<Box<dyn StorageBackend>> + Send + Sync {
    move || {
        let mut options = File::options();
        options.read(true).write(true).create(create);
        let file = options.truncate(false).open(&path)?;
        file.set_permissions(Permissions::from_mode(0o600))?;
        Ok(Box::new(FileBackend::new(file).map_err(io::Error::other)?))
    }
}

/// Which pages are looked at when a store is opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Pages {
    /// What opening needs: the file was written by redb and by nobody else.
    AsNeeded,
    /// Every one, by its checksum.
    All,
}

fn open(path: &Path, medium: &Medium, pages: Pages) -> Result<Opened, OpenError> {
    let io = |source| OpenError::Io {
        path: path.to_owned(),
        source,
    };
    let failed = Arc::new(AtomicBool::new(false));
    let watched = Watched::new(medium().map_err(io)?, Arc::clone(&failed));
    let database = Database::builder()
        .set_check_integrity_on_open(pages == Pages::All)
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
    if found.is_none() && (pages == Pages::All || !view.is_blank()?) {
        return Err(OpenError::Foreign(path.to_owned()));
    }
    drop(view);
    match found {
        // A disk that is full is read all the same: nothing is written that need not be.
        Some(SCHEMA) => {}
        Some(found) if found > SCHEMA => {
            return Err(OpenError::Newer {
                path: path.to_owned(),
                found,
                known: SCHEMA,
            });
        }
        found => {
            let write = begin(&database)?;
            migrate(&write, found)?;
            write.commit()?;
        }
    }
    Ok(Opened {
        database: Arc::new(database),
        failed,
    })
}
