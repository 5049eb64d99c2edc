//! Files that are tried before they are live: compiled beside what runs, and run on what that reads. Nothing of it
//! remains, and no secret goes where the running files do not send it.

use std::sync::Arc;

use jiff::Timestamp;
use tokio::time::Instant;

use crate::catalog::{self, Integration, Refused};
use crate::control::protocol::ProblemDocument;
use crate::control::server::{Answer, Peer};
use crate::model::{Difference, IntegrationId, Preview, Tried, TriedFiles};
use crate::sync;

use super::Daemon;

impl Daemon {
    /// What the next run would do by these files.
    pub(super) async fn tried(
        &self,
        id: IntegrationId,
        files: TriedFiles,
        peer: Peer,
    ) -> Answer<Preview> {
        let running = self.running(&id)?;
        let (with, tried) = self.compiled(&running, files, peer).await?;
        let previews = self.foreseen(running, vec![with]).await?;
        let preview = previews.into_iter().next();
        let preview = preview.ok_or_else(|| ProblemDocument::internal("there is no preview"))?;
        Ok(Preview {
            tried: Some(tried),
            ..preview
        })
    }

    /// What it would do otherwise than by those that run. Where the files say the same, nothing is read.
    pub(super) async fn differs(
        &self,
        id: IntegrationId,
        files: TriedFiles,
        peer: Peer,
    ) -> Answer<Difference> {
        let running = self.running(&id)?;
        let (with, tried) = self.compiled(&running, files, peer).await?;
        if tried.same {
            return Ok(Difference::none(id, tried));
        }
        let maps = vec![Arc::clone(&running), with];
        match self.foreseen(running, maps).await?.as_slice() {
            [now, with] => Ok(Difference::between(now, with, tried)),
            _ => Err(ProblemDocument::internal("there are no two previews")),
        }
    }

    /// What runs, whether it may run now or not.
    pub(super) fn running(&self, id: &IntegrationId) -> Answer<Arc<Integration>> {
        let catalog = self.catalog.borrow();
        let slot = catalog
            .integrations
            .get(id)
            .ok_or_else(|| ProblemDocument::no_integration(id))?;
        slot.current.clone().ok_or_else(|| {
            ProblemDocument::conflict(format!(
                "the files of `{id}` were never right; `epms check` says what is wrong with them"
            ))
        })
    }

    /// Compiles off the threads that answer.
    async fn compiled(
        &self,
        running: &Arc<Integration>,
        files: TriedFiles,
        peer: Peer,
    ) -> Answer<(Arc<Integration>, Tried)> {
        tracing::info!(integration = %running.id, uid = peer.uid, account = peer.account(), "files are tried");
        let (running, now) = (Arc::clone(running), (self.tools.now as fn() -> Timestamp)());
        let compiled = move || catalog::trial(&running, &files, now);
        let compiled = tokio::task::spawn_blocking(compiled).await;
        let compiled =
            compiled.map_err(|_| ProblemDocument::internal("compiling ended unexpectedly"))?;
        compiled.map_err(|Refused(problems)| ProblemDocument::not_right(problems.to_string()))
    }

    /// Since when a reading may have begun that the daemon keeps for all integrations of the credential, to be tried on:
    /// for as long as it serves runs that the clock asks for.
    fn fresh_from(&self, running: &Integration) -> Option<Instant> {
        let is_kept = self.catalog.borrow().shares_readings(running);
        let serves = running.schedule.every.0 / 4;
        Instant::now().checked_sub(serves).filter(|_| is_kept)
    }

    async fn foreseen(
        &self,
        running: Arc<Integration>,
        maps: Vec<Arc<Integration>>,
    ) -> Answer<Vec<Preview>> {
        let id = running.id.clone();
        let fresh_from = self.fresh_from(&running);
        let previews = sync::trial(running, maps, fresh_from, self.tools.clone()).await;
        previews.map_err(|error| {
            tracing::error!(integration = %id, %error, "a trial failed");
            ProblemDocument::internal(error.to_string())
        })
    }
}
