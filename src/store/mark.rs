//! The mark beside the store (R47): a small file that tells that there is a store, which one, and how far its numbers
//! went. By it a lost store is told from a new one, an earlier copy from the store itself, and no number is given
//! twice. It holds nothing of what is in the store, and decides nothing.

use std::fs::{File, Permissions};
use std::io;
use std::os::unix::fs::{FileExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use serde::{Deserialize, Serialize};

use crate::model::StoreIdentity;

use super::OpenError;
use super::identity::Numbers;
use super::open::private;

/// The name of the mark's file in the state folder.
pub(super) const MARK: &str = "epms.mark";

/// How long the file is, in bytes: no write of it ever needs room, or is written in part.
const LENGTH: usize = 512;

/// Numbers are taken so many ahead, so that the disk need not be waited for whenever some are given.
const AHEAD: u64 = 1_000;

/// What the mark says.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub(super) struct Mark {
    /// Which store lies beside it.
    pub(super) store: StoreIdentity,
    /// The store had come so far. What lies there and has not is an earlier copy. After a power cut this may be
    /// less than was.
    pub(super) seen: Numbers,
    /// No number from here on was ever given. Lasts before one of them is.
    pub(super) free: Numbers,
}

impl Mark {
    /// The mark in `folder`; none where there is none.
    pub(super) fn read(folder: &Path) -> Result<Option<Mark>, OpenError> {
        let path = folder.join(MARK);
        let text = match std::fs::read(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(source) => return Err(OpenError::Io { path, source }),
        };
        let mark = serde_json::from_slice(&text).map_err(|_| OpenError::Mark(path))?;
        Ok(Some(mark))
    }

    /// Puts it into `folder`, in the place of the one that is there.
    pub(super) fn write(&self, folder: &Path) -> io::Result<()> {
        let file = private(folder)?;
        file.as_file().write_all_at(&self.bytes(), 0)?;
        file.as_file().sync_all()?;
        file.persist(folder.join(MARK))?;
        File::open(folder)?.sync_all()
    }

    /// Its file: JSON, and blanks up to the end.
    fn bytes(&self) -> Vec<u8> {
        let mut bytes = serde_json::to_vec(self).unwrap_or_default();
        bytes.resize(LENGTH - 1, b' ');
        bytes.push(b'\n');
        bytes
    }
}

/// Keeps the mark of a store that is open.
#[derive(Debug)]
pub(super) struct Keeper {
    path: PathBuf,
    file: File,
    mark: Mutex<Mark>,
}

impl Keeper {
    /// Keeps the mark in `folder` for a store that is `store` and has come to `numbers`.
    pub(super) fn of(
        folder: &Path,
        store: StoreIdentity,
        numbers: Numbers,
        before: Option<Mark>,
    ) -> io::Result<Keeper> {
        let path = folder.join(MARK);
        let free = numbers.plus(AHEAD);
        let mark = Mark {
            store,
            seen: numbers,
            free: before
                .as_ref()
                .map_or(free, |before| before.free.or_higher(free)),
        };
        if before.is_none() {
            mark.write(folder)?;
        }
        let file = File::options().write(true).open(&path)?;
        if before.is_some_and(|before| before != mark) {
            // In its place: a full disk has room for it.
            file.write_all_at(&mark.bytes(), 0)?;
            file.sync_data()?;
        }
        file.set_permissions(Permissions::from_mode(0o600))?;
        Ok(Keeper {
            path,
            file,
            mark: Mutex::new(mark),
        })
    }

    /// Where it lies.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Before numbers below `next` are the store's: that they are given outlasts the store.
    pub(super) fn reserve(&self, next: Numbers) -> io::Result<()> {
        let mut mark = self.mark.lock().unwrap_or_else(PoisonError::into_inner);
        if mark.free.reach(next) {
            return Ok(());
        }
        let free = mark.free.or_higher(next.plus(AHEAD));
        let more = Mark {
            free,
            ..mark.clone()
        };
        self.file.write_all_at(&more.bytes(), 0)?;
        self.file.sync_data()?;
        *mark = more;
        Ok(())
    }

    /// After they are: the store has come so far. It need not outlast a power cut.
    pub(super) fn note(&self, next: Numbers) -> io::Result<()> {
        let mut mark = self.mark.lock().unwrap_or_else(PoisonError::into_inner);
        mark.seen = mark.seen.or_higher(next);
        self.file.write_all_at(&mark.bytes(), 0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mark_of_the_longest_numbers_fits_its_file() {
        let longest = Numbers([u64::MAX; 5]);
        let mark = Mark {
            store: StoreIdentity {
                id: "f".repeat(32),
                epoch: u64::MAX,
            },
            seen: longest,
            free: longest,
        };
        let bytes = mark.bytes();
        assert_eq!(bytes.len(), LENGTH);
        let read: Mark = serde_json::from_slice(&bytes).unwrap();
        assert_eq!(read, mark);
    }
}
