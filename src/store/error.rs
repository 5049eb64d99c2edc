//! What can go wrong with the store, by what to do about it.

use std::path::PathBuf;

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
    #[error("{} is empty, which no store ever is: it is damaged, and is not taken for a new one; restore a backup with `epms restore FILE`, or remove it to begin anew, with nobody", .0.display())]
    Empty(PathBuf),
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
    /// A value is not what its table says.
    #[error("the store holds something unreadable in {table}: {what}; run a backup's restore")]
    Value {
        /// The table.
        table: &'static str,
        /// What is wrong with it, without the value.
        what: String,
    },
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
