//! What can go wrong with the store, by what to do about it.

use std::path::PathBuf;

use crate::model::SpoolError;

/// The store could not be opened. Nothing in it was changed, and none is put in its place.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Another process has it.
    #[error("another process holds {}; stop that daemon, or ask it over its socket", .0.display())]
    InUse(PathBuf),
    /// It is a file of redb's, with tables of somebody else.
    #[error("{} is no store of epms; look at `state_dir` in config/epms.yaml", .0.display())]
    Foreign(PathBuf),
    /// It was written by a later version of epms.
    #[error("{} has schema {found}, and this epms knows {known}; start the newer epms, or restore a backup", path.display())]
    Newer {
        /// The file.
        path: PathBuf,
        /// Its schema.
        found: u64,
        /// The newest schema that is known here.
        known: u64,
    },
    /// The folder or the file cannot be read or written.
    #[error("cannot open {}: {source}; check that the folder is there and belongs to the daemon", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// Others may read or write the folder, and that could not be put right.
    #[error("others may look or write into {} (mode {mode:04o}), and that cannot be put right: {source}; chmod 700 {0}", path.display())]
    Accessible {
        /// The folder.
        path: PathBuf,
        /// Its mode.
        mode: u32,
        /// What the system said.
        source: std::io::Error,
    },
    /// It is no store, or damaged.
    #[error("{} is no readable store: {source}; restore a backup, it is not replaced by an empty one", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What redb said.
        source: Box<redb::Error>,
    },
    /// It has nothing in it, which no store ever has.
    #[error("{} is empty, which no store ever is: it is damaged, and is not taken for a new one; restore a backup with `epms restore FILE`, or begin anew, with nobody, with `epms init --fresh-store`", .0.display())]
    Empty(PathBuf),
    /// There was a store, and there is none.
    #[error("{} is gone: the mark beside it says that there was a store, and it is not taken for a new one; put the file back, restore a backup with `epms restore FILE`, or begin anew, with nobody, with `epms init --fresh-store`", .0.display())]
    Lost(PathBuf),
    /// There is a store, although it was called lost.
    #[error("{} is a store: it is not lost, and none is put in its place; start the daemon, or `epms restore FILE`", .0.display())]
    NotLost(PathBuf),
    /// What lies there is not what was there.
    #[error("{} is {what} than the mark beside it says: numbers of people and changes would be given twice; put the file back, or take this one with `epms restore FILE`", path.display())]
    Replaced {
        /// The file.
        path: PathBuf,
        /// What it is instead.
        what: &'static str,
    },
    /// The mark cannot be read.
    #[error("{} is no readable mark of a store, so that nobody knows what the store beside it should be; `epms restore FILE` makes it anew, also with the store's own file", .0.display())]
    Mark(PathBuf),
    /// The tombstones of whoever was erased cannot be read.
    #[error("{} cannot be read: it says who was erased, so that nobody of them comes back; put it back from where it was kept, or remove it, and whoever was erased and still stands in a feed comes in again", .0.display())]
    Tombstones(PathBuf),
    /// It opened, but its first transaction failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// A transaction failed. None of it is in the store.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// redb, or the disk below it.
    #[error("the store failed: {0}")]
    Storage(#[source] Box<redb::Error>),
    /// The disk failed before, and the store could not be opened anew since.
    #[error("the store cannot be opened after it failed: {0}")]
    Closed(#[source] Box<OpenError>),
    /// The file that is open is not the one that lies there any more.
    #[error("{} was removed, replaced or emptied while it was open: nothing is written any more that would be lost at the next start; save what is open with `epms backup FILE` where that goes, stop the daemon, and `epms restore FILE`", .0.display())]
    Displaced(PathBuf),
    /// How far numbers went cannot be kept.
    #[error("{} cannot be written: {source}; look at its folder and at its disk", path.display())]
    Mark {
        /// The mark.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// Who was erased cannot be kept.
    #[error("{} cannot be written: {source}; nobody was erased; look at its folder and at its disk", path.display())]
    Tombstones {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// What a run put away cannot be written, or read again.
    #[error(transparent)]
    Spool(#[from] SpoolError),
    /// A value is not what its table says.
    #[error("the store holds something unreadable in {table}: {what}; run a backup's restore")]
    Value {
        /// The table.
        table: &'static str,
        /// What is wrong with it, without the value.
        what: String,
    },
}

impl StoreError {
    /// Whether the disk was full, and no more than that.
    pub(super) fn is_full(&self) -> bool {
        let StoreError::Storage(error) = self else {
            return false;
        };
        matches!(&**error, redb::Error::Io(error) if error.kind() == std::io::ErrorKind::StorageFull)
    }
}

macro_rules! storage {
    ($($error:ty),*) => {$(
        impl From<$error> for StoreError {
            fn from(error: $error) -> Self {
                StoreError::Storage(Box::new(error.into()))
            }
        }
    )*};
}

storage!(
    redb::TransactionError,
    redb::TableError,
    redb::StorageError,
    redb::CommitError,
    redb::CompactionError,
    redb::SetDurabilityError
);
