//! What the store lies on, watched: redb does nothing more after the first failure, so the store must be opened
//! anew. Decides nothing.

use std::io;
use std::ops::Bound;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use redb::{BackendError, StorageBackend};

/// A medium, and whether it ever failed.
#[derive(Debug)]
pub(super) struct Watched {
    medium: Box<dyn StorageBackend>,
    failed: Arc<AtomicBool>,
}

impl Watched {
    pub(super) fn new(medium: Box<dyn StorageBackend>, failed: Arc<AtomicBool>) -> Watched {
        Watched { medium, failed }
    }

    fn watch<T>(&self, outcome: io::Result<T>) -> io::Result<T> {
        if outcome.is_err() {
            self.failed.store(true, Ordering::Release);
        }
        outcome
    }
}

type Locked<T> = Result<T, BackendError>;
type End = Bound<u64>;

impl StorageBackend for Watched {
    fn len(&self) -> io::Result<u64> {
        self.watch(self.medium.len())
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        self.watch(self.medium.read(offset, out))
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.watch(self.medium.set_len(len))
    }

    fn sync_data(&self) -> io::Result<()> {
        self.watch(self.medium.sync_data())
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        self.watch(self.medium.write(offset, data))
    }

    fn close(&self) -> io::Result<()> {
        self.medium.close()
    }

    fn try_lock_range(&self, start: End, end: End) -> Locked<bool> {
        self.medium.try_lock_range(start, end)
    }

    fn try_lock_shared_range(&self, start: End, end: End) -> Locked<bool> {
        self.medium.try_lock_shared_range(start, end)
    }

    fn lock_range(&self, start: End, end: End) -> Locked<()> {
        self.medium.lock_range(start, end)
    }

    fn lock_shared_range(&self, start: End, end: End) -> Locked<()> {
        self.medium.lock_shared_range(start, end)
    }

    fn unlock_range(&self, start: End, end: End) -> Locked<()> {
        self.medium.unlock_range(start, end)
    }

    fn query_lock_range(&self, start: End, end: End) -> Locked<bool> {
        self.medium.query_lock_range(start, end)
    }
}
