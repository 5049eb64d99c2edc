//! Erasing by itself: whoever was asked to be, once every target has heard of it, and whoever has left for as long as the file
//! of their property says. Who may be erased is decided in `acts`.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::watch;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::acts::{self, ActError, Finished};
use crate::catalog::Catalog;
use crate::model::{IntegrationId, LeftAt, PersonId};
use crate::store::{Store, StoreError, View};

/// While targets have not all heard of it, it is looked after so long whether they have.
const SOON: Duration = Duration::from_millis(500);

/// It is looked for whoever has left for long enough so often.
const OFTEN: Duration = Duration::from_hours(1);

/// So many people are erased in one transaction.
const AT_ONCE: usize = 100;

/// Erases by itself until it is stopped.
pub(super) struct Eraser {
    pub(super) store: Arc<Store>,
    pub(super) catalog: watch::Receiver<Arc<Catalog>>,
    pub(super) now: fn() -> Timestamp,
    /// Counts commits, for those who follow the change log.
    pub(super) commits: watch::Sender<u64>,
    pub(super) stop: CancellationToken,
}

impl Eraser {
    pub(super) async fn run(mut self) {
        let mut commits = self.commits.subscribe();
        let mut by_rule = Instant::now();
        loop {
            if by_rule <= Instant::now() {
                self.by_rule().await;
                by_rule = Instant::now() + OFTEN;
            }
            commits.mark_unchanged();
            let waits = self.finish().await;
            tokio::select! {
                () = self.stop.cancelled() => return,
                changed = commits.changed(), if !waits => if changed.is_err() { return },
                () = tokio::time::sleep(SOON), if waits => {}
                () = tokio::time::sleep_until(by_rule) => {}
                changed = self.catalog.changed() => {
                    if changed.is_err() { return }
                    // A rule may be new.
                    by_rule = Instant::now();
                }
            }
        }
    }

    /// Does something with the store, off the threads that wait.
    async fn on_store<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Store, Timestamp) -> Result<T, ActError> + Send + 'static,
    ) -> Option<T> {
        let (store, now) = (Arc::clone(&self.store), (self.now)());
        let done = tokio::task::spawn_blocking(move || work(&store, now)).await;
        match done {
            Ok(Ok(done)) => Some(done),
            Ok(Err(error)) => {
                tracing::error!(%error, "nobody could be erased; it is tried again");
                None
            }
            Err(error) => {
                tracing::error!(%error, "erasing ended unexpectedly; it is tried again");
                None
            }
        }
    }

    /// Erases those of whom nothing is left at any target. Whether somebody waits still.
    async fn finish(&self) -> bool {
        let finish = |store: &Store, now| {
            let mut all = Vec::new();
            for (person, _) in store.read()?.all_erasing()? {
                all.push((person, acts::finish(store, person, &left, now)?));
            }
            Ok(all)
        };
        let Some(all) = self.on_store(finish).await else {
            return true;
        };
        let mut did = false;
        for (person, finished) in &all {
            match finished {
                Finished::Erased => {
                    tracing::info!(person = %person, "person erased: every target has heard of it");
                }
                Finished::Stays => {
                    tracing::warn!(person = %person, "person not erased: they are current again");
                }
                Finished::Waits => continue,
            }
            did = true;
        }
        if did {
            self.commits.send_modify(|commits| *commits += 1);
        }
        all.iter().any(|(_, finished)| *finished == Finished::Waits)
    }

    /// Erases whoever has left for as long as the files of all of their properties say.
    async fn by_rule(&self) {
        let rules = rules(&self.catalog.borrow());
        if rules.is_empty() {
            return;
        }
        let mut after = None;
        loop {
            let rules = rules.clone();
            let erase = move |store: &Store, now| {
                let (due, next) = acts::due_by_rule(&store.read()?, &rules, after, AT_ONCE, now)?;
                let erased = acts::erase_by_rule(store, &due, &left, now)?;
                Ok((erased, next))
            };
            let Some((erased, next)) = self.on_store(erase).await else {
                return;
            };
            if erased > 0 {
                tracing::info!(
                    people = erased,
                    "people erased, as the files of their properties say (erase_after)"
                );
                self.commits.send_modify(|commits| *commits += 1);
            }
            if next.is_none() || self.stop.is_cancelled() {
                return;
            }
            after = next;
        }
    }
}

/// How long somebody has left before they are erased, by integration. A file that is gone or was never right says nothing.
fn rules(catalog: &Catalog) -> BTreeMap<IntegrationId, Duration> {
    let slots = catalog
        .integrations
        .iter()
        .filter(|(_, slot)| !slot.removed);
    let rules = slots.filter_map(|(id, slot)| {
        let age = slot.current.as_ref()?.config.erase_after?;
        Some((id.clone(), age.duration()))
    });
    rules.collect()
}

fn left(view: &View, people: &BTreeSet<PersonId>) -> Result<Vec<LeftAt>, StoreError> {
    crate::deliver::left_at(view, people)
}
