//! Following the files (R46): people go along with a file that has another name, what integrations read is remembered,
//! and who is left behind is told. Which people go where is decided in the catalog; here it is seen to that nobody reads
//! for them meanwhile.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::acts::{self, ActError, Hand};
use crate::catalog::Catalog;
use crate::control::protocol::ProblemDocument;
use crate::control::server::Answer;
use crate::model::{Feeds, Holdings, IntegrationId, Move};
use crate::store::{Store, StoreError};

use super::absence;
use super::runs::{Runs, State};
use super::schedule::Phase;

/// Why integrations may not run yet.
pub(super) type Waiting = BTreeMap<IntegrationId, String>;

/// What is done while no run of some integrations is under way.
pub(super) type Work = Box<dyn FnOnce() + Send>;

impl Runs {
    /// Moves people along with the files, and remembers what runs. Gives those that may not run yet, and why.
    pub(super) async fn follow(&self, state: &mut State, catalog: &Arc<Catalog>) -> Waiting {
        let mut waiting = Waiting::new();
        for moves in connected(&catalog.moves) {
            let Err(why) = self.move_along(state, catalog, &moves).await else {
                continue;
            };
            for one in moves {
                if state.waiting_for.get(&one.to) != Some(&why) {
                    tracing::warn!(from = %one.from, integration = %one.to, why, "people do not go along with a file yet");
                }
                waiting.insert(one.to, why.clone());
            }
        }
        let running = running(catalog, &waiting);
        if let Err(error) = self
            .on_store(move |store| acts::remember(store, &running))
            .await
        {
            tracing::error!(%error, "the store failed; what integrations read is remembered later");
            state.adopt_again = true;
        }
        waiting
    }

    /// People of these moves go, unless a run of theirs is under way.
    async fn move_along(
        &self,
        state: &mut State,
        catalog: &Arc<Catalog>,
        moves: &[Move],
    ) -> Result<(), String> {
        let places = moves.iter().flat_map(|one| [&one.from, &one.to]);
        if let Some(busy) = under_way(state, places) {
            state.move_again = true;
            return Err(format!(
                "it waits until the run of `{busy}` under way has ended; then people go along with the file"
            ));
        }
        let feeds = feeds(catalog, moves);
        let (all, hand) = (moves.to_vec(), Hand::of_the_files((self.tools.now)()));
        let done = self
            .on_store(move |store| acts::relocate(store, &all, &feeds, &hand))
            .await;
        match done {
            Ok(None) => Ok(()),
            Ok(Some(done)) => {
                for one in moves {
                    tracing::warn!(
                        from = %one.from, integration = %one.to, act = %done.act, people = done.changes.len(),
                        "people went along with a file that has another name, or names another PMS property"
                    );
                }
                self.commits.send_modify(|commits| *commits += 1);
                Ok(())
            }
            Err(ActError::Store(error)) => {
                state.adopt_again = true;
                Err(format!(
                    "the store failed, and people go along with the file later: {error}"
                ))
            }
            Err(error) => Err(error.to_string()),
        }
    }

    /// Looks at what is gone: closes the alerts of what is back, and counts for how long the rest is.
    pub(super) async fn look_for_gone(
        &self,
        state: &mut State,
        catalog: &Catalog,
    ) -> Result<(), StoreError> {
        let now = (self.tools.now)();
        let holdings: Holdings = self.on_store(|store| store.read()?.holdings()).await?;
        let gone = absence::absent(catalog, &holdings);
        let known = absence::known(catalog, &holdings);
        let all: BTreeSet<_> = gone.keys().cloned().collect();
        state.absences.set(gone, now);
        let found = self
            .on_store(move |store| crate::sync::found_again(store, &known, &all, now))
            .await?;
        for one in found {
            tracing::info!(integration = %one.integration, property = one.property, "what was gone is back");
        }
        Ok(())
    }

    /// Tells of people who are left behind.
    pub(super) async fn tell_left_behind(&self, state: &mut State) {
        let now = (self.tools.now)();
        for absence in state.absences.look(now) {
            let of = absence.clone();
            let told = self
                .on_store(move |store| crate::sync::left_behind(store, &of, now))
                .await;
            match told {
                Ok(0) => {}
                Ok(people) => tracing::warn!(
                    integration = %absence.integration, property = absence.property, people,
                    "people are current where nothing is read any more"
                ),
                Err(error) => {
                    tracing::error!(integration = %absence.integration, %error, "the store failed; the alert is raised later");
                    state.absences.again(&absence);
                }
            }
        }
    }

    /// Does something to integrations as a whole while no run of theirs is under way.
    pub(super) async fn exclusively(
        &self,
        state: &mut State,
        ids: &[IntegrationId],
        work: Work,
    ) -> Answer<()> {
        if let Some(busy) = under_way(state, ids) {
            return Err(ProblemDocument::conflict(format!(
                "a run of `{busy}` is under way; ask again when it has ended"
            )));
        }
        tokio::task::spawn_blocking(work)
            .await
            .map_err(|_| ProblemDocument::internal("the act ended unexpectedly"))
    }

    /// Asks the store, off the threads that answer.
    async fn on_store<T: Send + 'static, E: From<StoreError> + Send + 'static>(
        &self,
        work: impl FnOnce(&Store) -> Result<T, E> + Send + 'static,
    ) -> Result<T, E> {
        let store = Arc::clone(&self.tools.store);
        let done = tokio::task::spawn_blocking(move || work(&store)).await;
        done.unwrap_or_else(|_| {
            Err(E::from(StoreError::Value {
                table: "attachments-1",
                what: "the work on the store ended unexpectedly".into(),
            }))
        })
    }
}

/// One of these that has a run under way.
fn under_way<'i>(
    state: &State,
    ids: impl IntoIterator<Item = &'i IntegrationId>,
) -> Option<&'i IntegrationId> {
    let is_running = |id: &&IntegrationId| {
        let phase = state.schedule.phase(id).map(|(phase, _)| phase);
        matches!(phase, Some(Phase::Running { .. }))
    };
    ids.into_iter().find(is_running)
}

/// Moves that share an integration belong together: they are done together.
fn connected(moves: &[Move]) -> Vec<Vec<Move>> {
    let mut groups: Vec<Vec<Move>> = Vec::new();
    for one in moves {
        let touches = |group: &Vec<Move>| {
            group.iter().any(|other| {
                [&other.from, &other.to]
                    .iter()
                    .any(|id| [&one.from, &one.to].contains(id))
            })
        };
        let (mut with, without): (Vec<_>, Vec<_>) = groups.into_iter().partition(touches);
        let mut group: Vec<Move> = with.drain(..).flatten().collect();
        group.push(one.clone());
        groups = without;
        groups.push(group);
    }
    groups
}

fn feeds(catalog: &Catalog, moves: &[Move]) -> BTreeMap<IntegrationId, Feeds> {
    let to = moves.iter().map(|one| &one.to);
    let known = to.filter_map(|id| {
        let slot = catalog.integrations.get(id)?;
        let feeds = slot.running().map(|one| one.feeds());
        Some((id.clone(), feeds?))
    });
    known.collect()
}

/// What runs reads, and whether it is switched on.
fn running(catalog: &Catalog, waiting: &Waiting) -> BTreeMap<IntegrationId, (Feeds, bool)> {
    let slots = catalog.integrations.iter();
    let running = slots.filter(|(id, _)| !waiting.contains_key(*id));
    let running = running.filter_map(|(id, slot)| {
        let one = slot.running()?;
        Some((id.clone(), (one.feeds(), one.config.enabled)))
    });
    running.collect()
}
