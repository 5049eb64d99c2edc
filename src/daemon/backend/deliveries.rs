//! What is asked of targets and deliveries, answered by the workers where they run, and else from the store.

use std::sync::Arc;

use crate::catalog::{Catalog, TargetSlot};
use crate::control::protocol::{Page, ProblemDocument};
use crate::control::server::{Answer, DeliveryQuery, Peer};
use crate::daemon::deliveries::{Deliveries, Running, Side};
use crate::deliver::{self, Counted, DeliverError, Question, Ways};
use crate::model::{
    DeliveriesTouched, Delivery, DeliveryPlan, DeliveryState, PeopleQuery, PersonId, TargetId,
    TargetState, TargetStatus,
};
use crate::store::View;

use super::Daemon;

impl Daemon {
    /// Every target that has a file, had one, or at which anything is kept.
    pub(super) async fn all_targets(&self) -> Answer<Vec<TargetStatus>> {
        let catalog = Arc::clone(&self.catalog.borrow());
        let deliveries = Arc::clone(&self.deliveries);
        self.deliver(move |view| {
            let mut all = Vec::new();
            for (id, slot) in &catalog.targets {
                all.push(status(view, id, Some(slot), deliveries.of(id).as_ref())?);
            }
            for id in view.targets_known()? {
                if !catalog.targets.contains_key(&id) {
                    all.push(status(view, &id, None, None)?);
                }
            }
            Ok(all)
        })
        .await
    }

    /// The deliveries that are asked for, target by target.
    pub(super) async fn delivered(&self, asked: DeliveryQuery) -> Answer<Page<Delivery>> {
        let catalog = Arc::clone(&self.catalog.borrow());
        let deliveries = Arc::clone(&self.deliveries);
        if let Some(target) = &asked.target {
            self.is_known(target).await?;
        }
        self.deliver(move |view| {
            let limit = asked.size();
            let (from, mut after) = match asked.cursor.as_deref().and_then(cursor) {
                Some((target, person)) => (Some(target), Some(person)),
                None => (None, None),
            };
            let mut targets = view.targets_known()?;
            targets.retain(|id| asked.target.as_ref().is_none_or(|target| target == id));
            let mut items = Vec::new();
            for id in targets {
                if from.as_ref().is_some_and(|from| id < *from) {
                    continue;
                }
                let question = Question {
                    person: asked.person,
                    state: asked.state,
                    after: after.take(),
                };
                let room = limit.saturating_sub(items.len());
                let (more, next) = match deliveries.of(&id).map(|running| running.side) {
                    Some(Side::Desk(desk)) => desk.deliveries(&question, room)?,
                    Some(Side::Events(_)) => (Vec::new(), None),
                    None => {
                        let ways = ways_of(&catalog, &id);
                        deliver::deliveries(view, &id, &ways, false, &question, room)?
                    }
                };
                items.extend(more);
                if let Some(next) = next {
                    let next = Some(format!("{id}:{next}"));
                    return Ok(Page { items, next });
                }
            }
            Ok(Page { items, next: None })
        })
        .await
    }

    /// What is to be done at a target now.
    pub(super) async fn planned_at(&self, target: TargetId) -> Answer<DeliveryPlan> {
        self.is_known(&target).await?;
        let catalog = Arc::clone(&self.catalog.borrow());
        let running = self.deliveries.of(&target);
        self.deliver(move |view| match running.map(|running| running.side) {
            Some(Side::Desk(desk)) => desk.planned(),
            Some(Side::Events(_)) | None => {
                deliver::planned(view, &target, &ways_of(&catalog, &target), false)
            }
        })
        .await
    }

    /// Lets through what waits.
    pub(super) async fn approved_at(
        &self,
        target: TargetId,
        digest: Option<String>,
        peer: Peer,
    ) -> Answer<DeliveriesTouched> {
        let running = self.at_work(&target).await?;
        let (side, now) = (running.side.clone(), (self.tools.now)());
        let id = target.clone();
        let approve = move |_: &View| match side {
            Side::Desk(desk) => desk.approve(digest.as_deref(), now),
            Side::Events(_) => Err(DeliverError::NothingWaits(id)),
        };
        let touched = self.deliver(approve).await?;
        tracing::info!(uid = peer.uid, account = peer.account(), target_id = %target, count = touched.count, "deliveries approved");
        running.wake();
        Ok(touched)
    }

    /// Lets be tried again what is parked or paused.
    pub(super) async fn retried_at(
        &self,
        target: TargetId,
        person: Option<PersonId>,
        peer: Peer,
    ) -> Answer<DeliveriesTouched> {
        let running = self.at_work(&target).await?;
        let (side, now) = (running.side.clone(), (self.tools.now)());
        let id = target.clone();
        let retry = move |_: &View| match side {
            Side::Desk(desk) => desk.retry(person, now),
            Side::Events(events) => {
                events.retry()?;
                Ok(DeliveriesTouched {
                    target: id,
                    count: 1,
                })
            }
        };
        let touched = self.deliver(retry).await?;
        tracing::info!(uid = peer.uid, account = peer.account(), target_id = %target, count = touched.count, "deliveries are tried again");
        running.wake();
        Ok(touched)
    }

    /// What of a person is delivered, at every target.
    pub(super) async fn deliveries_of(&self, person: PersonId) -> Answer<Vec<Delivery>> {
        let asked = DeliveryQuery {
            person: Some(person),
            ..DeliveryQuery::default()
        };
        Ok(self.delivered(asked).await?.items)
    }

    pub(super) async fn is_known(&self, target: &TargetId) -> Answer<()> {
        let is_known = self.catalog.borrow().targets.contains_key(target);
        let id = target.clone();
        if is_known
            || self
                .ask(move |view| Ok(view.targets_known()?.contains(&id)))
                .await?
        {
            return Ok(());
        }
        Err(ProblemDocument::no_target(target))
    }

    async fn at_work(&self, target: &TargetId) -> Answer<Running> {
        self.is_known(target).await?;
        self.deliveries.of(target).ok_or_else(|| {
            ProblemDocument::conflict(format!(
                "nothing is delivered to `{target}` now: it is switched off, its file is gone or not right; `epms targets` says which"
            ))
        })
    }

    /// Asks the store, off the threads that answer.
    pub(super) async fn deliver<T: Send + 'static>(
        &self,
        question: impl FnOnce(&View) -> Result<T, DeliverError> + Send + 'static,
    ) -> Answer<T> {
        let store = Arc::clone(&self.store);
        let asked = move || question(&store.read()?);
        match tokio::task::spawn_blocking(asked).await {
            Ok(Ok(answer)) => Ok(answer),
            Ok(Err(error @ (DeliverError::Changed { .. } | DeliverError::NothingWaits(_)))) => {
                Err(ProblemDocument::conflict(error.to_string()))
            }
            Ok(Err(error)) => {
                tracing::error!(%error, "the store failed a question");
                Err(ProblemDocument::internal(error.to_string()))
            }
            Err(_) => Err(ProblemDocument::internal("the question ended unexpectedly")),
        }
    }
}

/// What people must have at targets to be listed.
pub(super) struct At {
    target: Option<TargetId>,
    state: Option<DeliveryState>,
    catalog: Arc<Catalog>,
    deliveries: Arc<Deliveries>,
}

impl At {
    /// What a question says of it; none where it says nothing.
    pub(super) fn of(
        query: &PeopleQuery,
        catalog: &Arc<Catalog>,
        deliveries: Arc<Deliveries>,
    ) -> Option<At> {
        let is_asked = query.target.is_some() || query.target_state.is_some();
        is_asked.then(|| At {
            target: query.target.clone(),
            state: query.target_state,
            catalog: Arc::clone(catalog),
            deliveries,
        })
    }

    /// Whether a person has that.
    pub(super) fn is_asked_for(&self, view: &View, person: PersonId) -> Result<bool, DeliverError> {
        let targets = match &self.target {
            Some(target) => vec![target.clone()],
            None => view.targets_known()?,
        };
        let question = Question {
            person: Some(person),
            state: self.state,
            after: None,
        };
        for id in targets {
            let (found, _) = match self.deliveries.of(&id).map(|running| running.side) {
                Some(Side::Desk(desk)) => desk.deliveries(&question, 1)?,
                Some(Side::Events(_)) => continue,
                None => {
                    let ways = ways_of(&self.catalog, &id);
                    deliver::deliveries(view, &id, &ways, false, &question, 1)?
                }
            };
            if !found.is_empty() {
                return Ok(true);
            }
        }
        Ok(false)
    }
}

/// Where the page before ended.
fn cursor(text: &str) -> Option<(TargetId, PersonId)> {
    let (target, person) = text.rsplit_once(':')?;
    Some((TargetId::new(target), person.parse().ok()?))
}

/// How plans of a target are made, as far as its files are known.
fn ways_of(catalog: &Catalog, target: &TargetId) -> Ways {
    let current = catalog
        .targets
        .get(target)
        .and_then(|slot| slot.current.as_ref());
    current
        .map(|target| deliver::ways(target))
        .unwrap_or_default()
}

fn status(
    view: &View,
    id: &TargetId,
    slot: Option<&TargetSlot>,
    running: Option<&Running>,
) -> Result<TargetStatus, DeliverError> {
    let current = slot.and_then(|slot| slot.current.as_ref());
    let counted: Counted = match running.map(|running| &running.side) {
        Some(Side::Desk(desk)) => desk.counted()?,
        Some(Side::Events(events)) => events.counted()?,
        None => {
            let ways = current
                .map(|target| deliver::ways(target))
                .unwrap_or_default();
            deliver::counted(view, id, &ways)?
        }
    };
    let trouble = running.and_then(|running| running.trouble.borrow().clone());
    let waits = counted.grants.waiting + counted.grants.held > 0;
    let digest = match running.map(|running| &running.side) {
        Some(Side::Desk(desk)) if waits => desk.planned()?.digest,
        _ => None,
    };
    let problem = slot.and_then(|slot| slot.problems.first());
    let of_files = problem.filter(|_| current.is_some()).map(|problem| {
        format!("its files are not right, and what was right before goes on until the daemon ends: {problem}")
    });
    let is_removed = slot.is_none_or(|slot| slot.removed);
    let state = match current {
        _ if is_removed => TargetState::Removed,
        None => TargetState::Broken,
        Some(target) if !target.config.enabled => TargetState::Off,
        Some(_) if trouble.is_some() || of_files.is_some() => TargetState::Failing,
        Some(_) if counted.is_held => TargetState::Held,
        Some(_) if counted.grants.waiting > 0 => TargetState::Waiting,
        Some(_) => TargetState::Ok,
    };
    Ok(TargetStatus {
        id: id.clone(),
        state,
        connector: current
            .map(|target| target.connector.clone())
            .unwrap_or_default(),
        mode: current.map_or_else(String::new, |target| target.config.mode.as_str().to_owned()),
        from: current.map_or_else(Vec::new, |target| target.serves.keys().cloned().collect()),
        people: counted.people,
        grants: counted.grants,
        oldest_wanted: counted.oldest_wanted,
        behind: counted.behind,
        late: counted.late,
        read_back: counted.read_back,
        others: counted.others,
        error: trouble
            .as_ref()
            .map(|trouble| trouble.what.clone())
            .or(of_files),
        failing_since: trouble.map(|trouble| trouble.since),
        digest,
        problems: slot.map(|slot| slot.problems.clone()).unwrap_or_default(),
    })
}
