//! The care of the store, while it is in use.

use std::sync::Arc;

use crate::control::protocol::ProblemDocument;
use crate::control::server::{Answer, Peer, Snapshot};
use crate::store::{CopyError, Store};

use super::Daemon;

impl Daemon {
    /// A copy as of now, beside the store: what comes in meanwhile is not in it, and does not wait for it.
    pub(super) async fn copied(&self, peer: Peer) -> Answer<Snapshot> {
        let store = Arc::clone(&self.store);
        let copy = tokio::task::spawn_blocking(move || copy(&store)).await;
        match copy {
            Ok(Ok(copy)) => {
                tracing::info!(bytes = copy.length, uid = peer.uid, "backup taken");
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

fn copy(store: &Store) -> Result<Snapshot, CopyError> {
    let (file, length) = store.snapshot()?;
    Ok(Snapshot { file, length })
}
