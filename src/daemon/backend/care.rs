//! The care of the store, while it is in use.

use std::sync::Arc;

use jiff::Timestamp;

use crate::control::protocol::ProblemDocument;
use crate::control::server::{Answer, Peer, Snapshot};
use crate::model::{BackupsKept, GoodBackup, Keeping, StoreGrowth};
use crate::store::{CopyError, Store};

use super::Daemon;

/// What came in during so many hours tells by how much the store grows: thirty days.
const LATELY: u64 = 30 * 24;

impl Daemon {
    /// How the store is kept.
    pub(super) async fn kept(&self) -> Answer<Keeping> {
        let growth = self.ask(|view| view.growth(LATELY)).await?;
        Ok(Keeping {
            bytes: self.store.length(),
            growth: growth.map(|growth| StoreGrowth {
                per_day: growth.per_day,
                hours: growth.hours,
            }),
            backup: self.backups_kept(),
        })
    }

    /// The backups, where some are to be made.
    pub(super) fn backups_kept(&self) -> Option<BackupsKept> {
        let known = self.backups.known();
        let settings = known.settings?;
        let age = self.backups.age().unwrap_or_default().as_secs();
        let last = known.last.map(|last| GoodBackup {
            file: last.file,
            at: last.at,
            age: age.unsigned_abs(),
            bytes: last.bytes,
        });
        Some(BackupsKept {
            to: settings.to.display().to_string(),
            every: settings.every.0.as_secs(),
            keep: settings.keep as u64,
            last,
            failing: known.failing,
        })
    }

    /// A copy as of now, beside the store: what comes in meanwhile is not in it, and does not wait for it.
    pub(super) async fn copied(&self, peer: Peer) -> Answer<Snapshot> {
        let (store, now) = (Arc::clone(&self.store), (self.tools.now)());
        let copy = tokio::task::spawn_blocking(move || copy(&store, now)).await;
        match copy {
            Ok(Ok(copy)) => {
                tracing::info!(
                    bytes = copy.length,
                    uid = peer.uid,
                    account = peer.account(),
                    "backup taken"
                );
                Ok(copy)
            }
            Ok(Err(error)) => {
                tracing::error!(%error, "backup failed");
                Err(ProblemDocument::internal(error.to_string()))
            }
            Err(_) => Err(ProblemDocument::internal("the backup ended unexpectedly")),
        }
    }
}

fn copy(store: &Store, now: Timestamp) -> Result<Snapshot, CopyError> {
    let (file, length) = store.snapshot(now)?;
    Ok(Snapshot { file, length })
}
