//! Copies of the store, and a copy in the place of the store. A copy is a store itself, as of one moment; nothing
//! takes the place of a store that was not opened and verified before, and what it replaces is kept.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::PoisonError;

use jiff::Timestamp;
use redb::{
    Database, Key, ReadTransaction, ReadableTable, TableDefinition, Value, WriteTransaction,
};
use tempfile::NamedTempFile;

use crate::model::{Soundness, StoreIdentity};

use super::mark::Mark;
use super::open::{FILE, aside, private};
use super::tombstones::TOMBSTONES;
use super::{OpenError, Store, StoreError, View, Write, tables};

/// Where nothing tells which numbers were given, they go on so much higher.
const BEYOND: u64 = 10_000_000;

/// redb keeps so many bytes of a copy in memory.
const CACHE: usize = 16 * 1024 * 1024;

/// Why a copy was not made, or did not take the place of the store. What was there is there still.
#[derive(Debug, thiserror::Error)]
pub enum CopyError {
    /// The copy, or the store, could not be opened.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// Reading the store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A file could not be written.
    #[error("{} cannot be written: {source}; look at its folder and at the room on its disk", path.display())]
    Write {
        /// The file or its folder.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The copy does not fit itself.
    #[error("{} is not sound: {} in it, the first: {}; take another backup", path.display(), flaws(found), first(found))]
    Unsound {
        /// The copy.
        path: PathBuf,
        /// What is wrong with it.
        found: Soundness,
    },
}

fn flaws(found: &Soundness) -> String {
    match found.flaws.len() {
        1 => "one flaw".to_owned(),
        many => format!("{many} flaws"),
    }
}

fn first(found: &Soundness) -> String {
    let first = found.flaws.first();
    first.map_or_else(String::new, |flaw| format!("{}: {}", flaw.table, flaw.what))
}

/// What came of a restore.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Restored {
    /// What is in the store now.
    pub found: Soundness,
    /// What was put right in the copy, of what an earlier version left.
    pub notes: Vec<String>,
    /// Where the store before is kept; none where there was none.
    pub kept: Option<PathBuf>,
    /// Which store it is, and the epoch that begins with it.
    pub identity: StoreIdentity,
}

struct Copying<'a> {
    from: &'a ReadTransaction,
    to: WriteTransaction,
}

impl tables::EachTable for Copying<'_> {
    type Error = StoreError;

    fn table<K: Key + 'static, V: Value + 'static>(
        &mut self,
        table: TableDefinition<'static, K, V>,
    ) -> Result<(), StoreError> {
        let mut to = self.to.open_table(table)?;
        for entry in self.from.open_table(table)?.iter()? {
            let (key, value) = entry?;
            to.insert(key.value(), value.value())?;
        }
        Ok(())
    }
}

impl View {
    /// Writes everything that is in this view into `file`, which must be empty: a store of its own, which says when it was
    /// copied where that is told.
    fn copy_to(&self, file: &Path, copied: Option<Timestamp>) -> Result<(), CopyError> {
        let failed = |error: redb::DatabaseError| CopyError::Write {
            path: file.to_owned(),
            source: io::Error::other(error),
        };
        let database = Database::builder()
            .set_cache_size(CACHE)
            .create(file)
            .map_err(failed)?;
        let mut to = database.begin_write().map_err(StoreError::from)?;
        to.set_quick_repair(true);
        let mut copying = Copying {
            from: &self.transaction,
            to,
        };
        tables::each(&mut copying)?;
        let copy = Write::new(copying.to, None);
        if let Some(now) = copied {
            copy.put_copied(now)?;
        }
        copy.commit()?;
        database.close().map_err(failed)
    }
}

impl Store {
    /// A copy as of now, at its beginning, and its length. It lies beside the store and has no name.
    pub fn snapshot(&self, now: Timestamp) -> Result<(File, u64), CopyError> {
        let folder = self.folder();
        let write = |source| CopyError::Write {
            path: folder.to_owned(),
            source,
        };
        let copy = private(folder).map_err(write)?;
        self.read()?.copy_to(copy.path(), Some(now))?;
        let file = File::open(copy.path()).map_err(write)?;
        let length = file.metadata().map_err(write)?.len();
        Ok((file, length))
    }

    /// Writes the file anew with what is in the store and nothing else: room that it does not need is given back, and
    /// nothing is left of what was taken out of it. Tells how long it was and is, in bytes.
    pub fn compact(self) -> Result<(u64, u64), CopyError> {
        let (path, before) = (self.folder().join(FILE), self.length());
        let write = |source| CopyError::Write {
            path: path.clone(),
            source,
        };
        let copy = private(self.folder()).map_err(write)?;
        self.read()?.copy_to(copy.path(), None)?;
        let failed = |error: redb::Error| write(io::Error::other(error));
        let mut database = Database::builder()
            .set_cache_size(CACHE)
            .open(copy.path())
            .map_err(|error| failed(error.into()))?;
        while database.compact().map_err(|error| failed(error.into()))? {}
        database.close().map_err(|error| failed(error.into()))?;
        copy.as_file().sync_all().map_err(write)?;
        // Held until the end: no daemon opens the one that goes.
        let held = self
            .opened
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        copy.persist(&path).map_err(|error| write(error.error))?;
        let folder = File::open(self.folder()).and_then(|folder| folder.sync_all());
        folder.map_err(write)?;
        drop(held);
        Ok((before, self.length()))
    }

    /// The files beside the store that are earlier ones of it, by name: those that were put aside after `since`, and so may
    /// hold what came to be then.
    pub fn earlier_beside(&self, since: Timestamp) -> Vec<String> {
        let begin = format!("{FILE}.before-");
        let files = std::fs::read_dir(self.folder()).into_iter().flatten();
        let names = files.filter_map(|file| file.ok()?.file_name().into_string().ok());
        let is_since = |name: &String| {
            let put_aside = name.strip_prefix(&begin).map(put_aside);
            put_aside.is_some_and(|at| at.is_none_or(|at| at.as_second() >= since.as_second()))
        };
        let mut names: Vec<String> = names.filter(is_since).collect();
        names.sort_unstable();
        names
    }

    /// Writes a copy as of now into `file`, which must be empty.
    pub fn copy_at(&self, file: &Path, now: Timestamp) -> Result<(), CopyError> {
        self.read()?.copy_to(file, Some(now))
    }

    /// A copy of which nothing tells when it was made.
    #[cfg(test)]
    pub(crate) fn copy_to(&self, file: &Path) -> Result<(), CopyError> {
        self.copy_at(file, Timestamp::UNIX_EPOCH)
    }
}

/// When a store was put aside, as the end of its name says: `20260301T100000Z`, or with `-2` behind it.
fn put_aside(end: &str) -> Option<Timestamp> {
    let moment = end.split('-').next()?;
    let parsed = jiff::civil::DateTime::strptime("%Y%m%dT%H%M%SZ", moment).ok()?;
    let zoned = parsed.to_zoned(jiff::tz::TimeZone::UTC).ok()?;
    Some(zoned.timestamp())
}

/// Opens the copy in `file` and holds every table of it against every other. The file itself is not written to.
pub fn inspect(file: &Path) -> Result<Soundness, CopyError> {
    inspect_in(file, &std::env::temp_dir()).map(|(found, _)| found)
}

/// The same, by a copy of it in `folder`; and since when nothing is in it, where that is known.
pub fn inspect_in(file: &Path, folder: &Path) -> Result<(Soundness, Option<Timestamp>), CopyError> {
    let beside = taken(file, folder)?;
    let store = Store::of_file(file, beside.path())?;
    let made = store.read()?.copied()?;
    Ok((sound(file, &store)?, made))
}

/// Puts the copy in `file` in the place of the store in `folder`, once it is known to be sound. The store must not
/// be open; it is kept under another name.
pub fn restore(file: &Path, folder: &Path, now: Timestamp) -> Result<Restored, CopyError> {
    let store = folder.join(FILE);
    // Held until the end: no daemon opens it meanwhile.
    let held = if store.exists() {
        match Store::of_file(&store, &store) {
            Ok(store) => Some(store),
            Err(error @ OpenError::InUse(_)) => return Err(error.into()),
            // A store that cannot be opened is what restoring is for.
            Err(_) => None,
        }
    } else {
        None
    };
    let write = |source| CopyError::Write {
        path: folder.to_owned(),
        source,
    };
    super::open::make_folder(folder).map_err(write)?;
    let copy = taken(file, folder)?;
    let mut taken = Store::of_file(file, copy.path())?;
    taken.beside_those_in(folder)?;
    let mut found = sound(file, &taken)?;
    let mut notes = taken.notes().to_vec();
    if let Some(held) = &held
        && held.tombstones().is_empty()
        && held.read()?.has_erased()?
    {
        notes.push(format!(
            "people were erased from the store before, and {} is gone, by which they are known: whoever of them is in this backup is back",
            folder.join(TOMBSTONES).display()
        ));
    }
    let mark = renew(&taken, before(folder, held.as_ref())?, &mut notes)?;
    // With numbers that were never given.
    if let Some(held) = &held {
        let going_on = taken.go_on_erasing(held, now)?;
        if !going_on.is_empty() {
            found = sound(file, &taken)?;
        }
        notes.extend(going_on);
    }
    let erased = taken.erase_again(now)?;
    if erased > 0 {
        found = sound(file, &taken)?;
        notes.push(format!(
            "{} in this backup, and erased since: erased again",
            if erased == 1 {
                "one person was".to_owned()
            } else {
                format!("{erased} people were")
            }
        ));
    }
    let seen = taken.read()?.next_numbers()?;
    let mark = Mark {
        seen,
        free: mark.free.or_higher(seen),
        ..mark
    };
    drop(taken);
    let kept = if store.exists() {
        let aside = aside(folder, now);
        // Not by another name alone: at every moment there is a store.
        std::fs::hard_link(&store, &aside).map_err(write)?;
        Some(aside)
    } else {
        None
    };
    copy.persist(&store).map_err(|error| write(error.error))?;
    // Syncs the folder, too.
    mark.write(folder).map_err(write)?;
    drop(held);
    Ok(Restored {
        found,
        notes,
        kept,
        identity: mark.store,
    })
}

/// What is known of the store before: from the mark beside it, or from itself where an earlier version made it.
fn before(folder: &Path, held: Option<&Store>) -> Result<Option<Mark>, CopyError> {
    match Mark::read(folder) {
        Ok(Some(mark)) => return Ok(Some(mark)),
        // It is made anew here.
        Ok(None) | Err(OpenError::Mark(_)) => {}
        Err(error) => return Err(error.into()),
    }
    let Some(held) = held else { return Ok(None) };
    let view = held.read()?;
    let seen = view.next_numbers()?;
    Ok(Some(Mark {
        store: view.identity()?,
        seen,
        free: seen,
    }))
}

/// A new epoch for the store that was restored, and numbers that were never given (R47); gives its mark.
fn renew(store: &Store, before: Option<Mark>, notes: &mut Vec<String>) -> Result<Mark, CopyError> {
    let write = store.write()?;
    let mut identity = store.read()?.identity()?;
    let mine = write.next_numbers()?;
    let next = if let Some(before) = before {
        identity.epoch = identity.epoch.max(before.store.epoch);
        mine.or_higher(before.free)
    } else {
        notes.push(format!(
            "nothing tells which numbers were given since this backup was made: those of people, alerts, changes, runs and acts go on {BEYOND} higher"
        ));
        mine.plus(BEYOND)
    };
    let identity = identity.renewed();
    write.put_identity(&identity)?;
    write.put_numbers(next)?;
    let integrations = store.read()?.integrations()?;
    write.put_outdated(&integrations.into_iter().collect())?;
    write.commit()?;
    Ok(Mark {
        store: identity,
        seen: next,
        free: next,
    })
}

/// A copy of `file` in `folder`, which only its owner may read. It goes unless it is kept.
pub(super) fn taken(file: &Path, folder: impl AsRef<Path>) -> Result<NamedTempFile, CopyError> {
    let folder = folder.as_ref();
    let write = |source| CopyError::Write {
        path: folder.to_owned(),
        source,
    };
    let read = |source| OpenError::Io {
        path: file.to_owned(),
        source,
    };
    let mut from = File::open(file).map_err(read)?;
    if from.metadata().map_err(read)?.is_dir() {
        return Err(read(io::Error::new(
            io::ErrorKind::IsADirectory,
            "it is a folder",
        ))
        .into());
    }
    let mut copy = private(folder).map_err(write)?;
    io::copy(&mut from, &mut copy).map_err(write)?;
    copy.as_file().sync_all().map_err(write)?;
    Ok(copy)
}

/// What is in a store, which is told of as `file`; an error where it is not sound.
pub(super) fn sound(file: &Path, store: &Store) -> Result<Soundness, CopyError> {
    let found = store.read()?.verify()?;
    if found.flaws.is_empty() {
        Ok(found)
    } else {
        Err(CopyError::Unsound {
            path: file.to_owned(),
            found,
        })
    }
}
