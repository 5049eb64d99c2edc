//! The workers of all targets: one for each whose files are right and that is switched on, begun anew when its files
//! change. What a worker does is in `deliver`.

use std::collections::BTreeMap;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::{Notify, watch};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::catalog::{Catalog, Target};
use crate::deliver::{self, DeliverError, Desk, Events, Surroundings, Teller, Trouble, Worker};
use crate::model::TargetId;
use crate::source::Operation;
use crate::sync::Tools;

/// What a worker works at.
#[derive(Clone)]
pub(super) enum Side {
    /// What people have there.
    Desk(Arc<Desk>),
    /// What happens.
    Events(Arc<Events>),
}

/// A target whose worker runs.
#[derive(Clone)]
pub(super) struct Running {
    pub(super) side: Side,
    pub(super) trouble: watch::Receiver<Option<Trouble>>,
    wake: Arc<Notify>,
}

impl Running {
    /// Lets the worker look at what somebody did.
    pub(super) fn wake(&self) {
        self.wake.notify_one();
    }
}

/// The targets whose workers run.
#[derive(Default)]
pub(super) struct Deliveries {
    running: Mutex<BTreeMap<TargetId, Running>>,
}

impl Deliveries {
    fn running(&self) -> MutexGuard<'_, BTreeMap<TargetId, Running>> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A target whose worker runs.
    pub(super) fn of(&self, target: &TargetId) -> Option<Running> {
        self.running().get(target).cloned()
    }
}

/// A worker at work.
struct AtWork {
    target: Arc<Target>,
    stop: CancellationToken,
    task: JoinHandle<()>,
}

/// Keeps the workers as the files have them, until it is stopped.
pub(super) async fn keep(
    deliveries: Arc<Deliveries>,
    mut catalog: watch::Receiver<Arc<Catalog>>,
    tools: Tools,
    commits: watch::Sender<u64>,
    stop: CancellationToken,
) {
    let mut at_work: BTreeMap<TargetId, AtWork> = BTreeMap::new();
    loop {
        let now = Arc::clone(&catalog.borrow_and_update());
        tell_of_files(&now, &tools).await;
        let wanted: BTreeMap<&TargetId, &Arc<Target>> = now
            .targets
            .iter()
            .filter_map(|(id, slot)| Some((id, slot.running()?)))
            .filter(|(_, target)| target.config.enabled)
            .collect();
        let gone: Vec<TargetId> = at_work
            .iter()
            .filter(|(id, one)| {
                one.task.is_finished()
                    || wanted
                        .get(id)
                        .is_none_or(|target| !Arc::ptr_eq(target, &one.target))
            })
            .map(|(id, _)| id.clone())
            .collect();
        for id in gone {
            end(&deliveries, &mut at_work, &id).await;
        }
        for (id, target) in wanted {
            if at_work.contains_key(id) {
                continue;
            }
            let begun = begin(&deliveries, Arc::clone(target), &tools, &commits).await;
            if let Some(begun) = begun {
                at_work.insert(id.clone(), begun);
            }
        }
        tokio::select! {
            () = stop.cancelled() => break,
            changed = catalog.changed() => if changed.is_err() { break },
            // A worker that ended by itself, or could not begin, is begun anew.
            () = tokio::time::sleep(AGAIN) => {}
        }
    }
    for one in at_work.values() {
        one.stop.cancel();
    }
    let ids: Vec<TargetId> = at_work.keys().cloned().collect();
    for id in ids {
        end(&deliveries, &mut at_work, &id).await;
    }
}

/// What a worker does until it is stopped.
type Work = Pin<Box<dyn Future<Output = Result<(), DeliverError>> + Send>>;

/// Tells of targets whose files are not right: what was right before goes on, and after a restart nothing does.
async fn tell_of_files(catalog: &Catalog, tools: &Tools) {
    let mut told = Vec::new();
    for (id, slot) in &catalog.targets {
        let served = slot.current.as_ref();
        let served = served.and_then(|target| target.serves.keys().next());
        let Some(integration) = served.or(catalog.integrations.keys().next()) else {
            continue;
        };
        let what = slot.problems.first().map(|problem| match slot.current {
            Some(_) => format!(
                "the files of the target `{id}` are not right, and what was right before goes on until the daemon ends: {problem}"
            ),
            None => format!(
                "the files of the target `{id}` are not right, and nothing is delivered there: {problem}"
            ),
        });
        told.push((id.clone(), integration.clone(), what));
    }
    let (store, now) = (Arc::clone(&tools.store), (tools.now)());
    let tell = move || {
        told.iter().try_for_each(|(id, integration, what)| {
            deliver::tell_of_files(&store, id, integration, what.as_deref(), now)
        })
    };
    let ended = tokio::task::spawn_blocking(tell).await;
    if let Err(error) = ended.map_err(DeliverError::from).flatten() {
        tracing::error!(%error, "the alert about targets' files could not be written");
    }
}

/// A worker that ended by itself is begun anew after so long.
const AGAIN: std::time::Duration = std::time::Duration::from_secs(30);

async fn begin(
    deliveries: &Deliveries,
    target: Arc<Target>,
    tools: &Tools,
    commits: &watch::Sender<u64>,
) -> Option<AtWork> {
    let (id, now) = (target.id.clone(), tools.now);
    let (trouble, seen) = watch::channel(None);
    let wake = Arc::new(Notify::new());
    let stop = CancellationToken::new();
    let around = Surroundings {
        reader: Arc::clone(&tools.reader),
        now,
        random: fastrand::f64,
        commits: commits.subscribe(),
        wake: Arc::clone(&wake),
        trouble,
        stop: stop.clone(),
    };
    let (side, work): (Side, Work) = if target.source.can(Operation::Send) {
        let events = Events::new(Arc::clone(&target), Arc::clone(&tools.store));
        let events = Arc::new(events);
        let teller = Teller {
            events: Arc::clone(&events),
            around,
        };
        (Side::Events(events), Box::pin(teller.run()))
    } else {
        let (store, of) = (Arc::clone(&tools.store), Arc::clone(&target));
        let desk = tokio::task::spawn_blocking(move || Desk::new(of, store, now())).await;
        let desk = match desk.map_err(DeliverError::from).flatten() {
            Ok(desk) => Arc::new(desk),
            Err(error) => {
                tracing::error!(target_id = %id, %error, "deliveries could not begin");
                return None;
            }
        };
        let worker = Worker {
            desk: Arc::clone(&desk),
            around,
        };
        (Side::Desk(desk), Box::pin(worker.run()))
    };
    let running = Running {
        side,
        trouble: seen,
        wake,
    };
    deliveries.running().insert(id.clone(), running);
    tracing::info!(target_id = %id, generation = target.generation, "deliveries begin");
    let task = tokio::spawn(async move {
        if let Err(error) = work.await {
            tracing::error!(target_id = %id, %error, "deliveries ended, and are begun anew");
        }
    });
    Some(AtWork { target, stop, task })
}

/// Ends a worker, once what it has under way has been heard.
async fn end(deliveries: &Deliveries, at_work: &mut BTreeMap<TargetId, AtWork>, id: &TargetId) {
    if let Some(mut one) = at_work.remove(id) {
        one.stop.cancel();
        // What was sent is noted; what is not heard of it is looked at by the next.
        let _ = tokio::time::timeout(GRACE, &mut one.task).await;
        one.task.abort();
    }
    deliveries.running().remove(id);
}

/// Whatever a target has under way is waited for so long.
const GRACE: std::time::Duration = std::time::Duration::from_secs(2);
