//! The owner of the schedule: starts runs, tells those who wait how they go, and drains them at the end.
//! What is due is decided in `schedule`; what a run does, in `sync`.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use tokio_util::task::AbortOnDropHandle;

use crate::catalog::{Catalog, Integration, Slot};
use crate::config::{CredentialValue, Proxy, SecretReference};
use crate::control::protocol::{ProblemDocument, ProgressEvent};
use crate::control::server::{Answer, Followed};
use crate::model::{Cause, IntegrationId, Outcome, Run, RunId};
use crate::outbound::{Account, Patience, Seats, Waits};
use crate::store::{History, StoreError};
use crate::sync::{Job, RunError, Stuck, Tools, Turn};

use super::absence::Absences;
use super::clock::Steady;
use super::expiring::Expiring;
use super::follow::{Waiting, Work};
use super::leave;
use super::metrics::Metrics;
use super::pauses::Pauses;
use super::schedule::{Ended, Known, Phase, Rhythm, Schedule};

/// What the owner of the schedule is asked for.
pub(super) enum Command {
    /// Runs of these integrations, or of all that are switched on.
    Sync(
        Option<Vec<IntegrationId>>,
        oneshot::Sender<Answer<Vec<Followed>>>,
    ),
    /// A run that is queued or under way.
    Follow(RunId, oneshot::Sender<Option<Followed>>),
    /// Looks anew at what may run: something was paused or resumed.
    Adopt(oneshot::Sender<()>),
    /// Does something to these integrations as a whole, while no run of theirs is under way.
    Exclusive(Vec<IntegrationId>, Work, oneshot::Sender<Answer<()>>),
    /// What every integration is doing, and when its next run is due.
    Phases(oneshot::Sender<BTreeMap<IntegrationId, Doing>>),
}

/// What an integration is doing.
#[derive(Debug, Clone)]
pub(super) struct Doing {
    pub(super) phase: Phase,
    /// When its next run is due.
    pub(super) next: Option<Timestamp>,
    /// Why it may not run yet.
    pub(super) waits_for: Option<String>,
    /// Why its runs are further apart than its schedule says.
    pub(super) slowed_by: Option<String>,
}

/// The runs of all integrations.
pub(super) struct Runs {
    pub(super) catalog: watch::Receiver<Arc<Catalog>>,
    pub(super) commands: mpsc::Receiver<Command>,
    pub(super) tools: Tools,
    /// By which moments are due.
    pub(super) clock: Steady,
    /// Counts commits, for those who follow the change log.
    pub(super) commits: watch::Sender<u64>,
    pub(super) metrics: Arc<Metrics>,
    pub(super) stop: CancellationToken,
}

pub(super) struct State {
    /// Those who wait until it is looked at anew what may run.
    to_adopt: Vec<oneshot::Sender<()>>,
    /// The catalog could not be taken over, because the store failed.
    pub(super) adopt_again: bool,
    /// People go along with a file once a run under way has ended.
    pub(super) move_again: bool,
    /// Those that may not run yet, and why.
    pub(super) waiting_for: Waiting,
    /// What is to be done to integrations as a whole.
    to_do: Vec<(Vec<IntegrationId>, Work, oneshot::Sender<Answer<()>>)>,
    /// The catalog as it was taken over: by nothing newer a run begins, before people went along with the files.
    adopted: Arc<Catalog>,
    /// What is gone although people of it are there.
    pub(super) absences: Absences,
    /// When pauses by hand are over.
    pub(super) pauses: Pauses,
    /// What is told of credentials that expire; none where nothing was told yet.
    pub(super) expiring: Option<Expiring>,
    /// Stale feeds whose alert could not be written yet.
    untold: Vec<IntegrationId>,
    /// Runs whose threads do not come back, and of which was told.
    stuck: Vec<Stuck>,
    pub(super) schedule: Schedule,
    /// The workers that runs have.
    seats: Arc<Seats>,
    tasks: JoinSet<Finished>,
    /// The last reports that are in no store, oldest first, for whoever asks late.
    unwritten: VecDeque<Run>,
    /// Those who wait for a run, by run.
    waiting: BTreeMap<RunId, (IntegrationId, watch::Sender<ProgressEvent>)>,
    /// The credentials of the runs under way, by their names.
    under_way: BTreeMap<RunId, String>,
    /// Whose tokens are to be given back, once no run uses them.
    to_leave: Vec<Arc<Integration>>,
    leaving: JoinSet<()>,
    /// The credentials as the last runs began with them: other values forget that a source failed.
    accounts: BTreeMap<IntegrationId, Account>,
}

/// A run that ended.
struct Finished {
    integration: IntegrationId,
    report: Run,
    /// The report is in the store.
    written: bool,
}

/// So many reports that could not be written are kept.
const UNWRITTEN: usize = 100;

impl State {
    /// Tells whoever waits for a run that it has ended; a report that is in no store is kept for whoever asks late.
    fn tell(&mut self, report: Run, written: bool) {
        if !written {
            if self.unwritten.len() == UNWRITTEN {
                self.unwritten.pop_front();
            }
            self.unwritten.push_back(report.clone());
        }
        if let Some((_, events)) = self.waiting.remove(&report.id) {
            events.send_replace(ProgressEvent::Ended(Box::new(report)));
        }
    }

    /// The run, where somebody may wait for it, or where nobody else knows how it ended.
    fn followed(&self, run: RunId) -> Option<Followed> {
        if let Some((integration, events)) = self.waiting.get(&run) {
            return Some(Followed {
                id: run,
                integration: integration.clone(),
                events: events.subscribe(),
            });
        }
        let report = self.unwritten.iter().find(|report| report.id == run)?;
        let ended = ProgressEvent::Ended(Box::new(report.clone()));
        Some(Followed {
            id: run,
            integration: report.integration.clone(),
            events: watch::channel(ended).1,
        })
    }
}

impl Runs {
    /// Runs what is due until `stop`, then finishes what runs within the grace time.
    pub(super) async fn run(mut self) -> Result<(), StoreError> {
        let last = self.tools.store.read()?.last_run()?;
        let workers = self.catalog.borrow().settings.workers;
        let mut state = self.state(workers, last);
        self.adopt(&mut state).await?;
        loop {
            for (ids, work, reply) in std::mem::take(&mut state.to_do) {
                // Whoever asked may have gone meanwhile.
                let _ = reply.send(self.exclusively(&mut state, &ids, work).await);
            }
            let is_news = self.catalog.has_changed().unwrap_or(false);
            if !state.to_adopt.is_empty() || state.adopt_again || is_news {
                let asked = std::mem::take(&mut state.to_adopt);
                // A store that fails now may not fail in a minute: the daemon goes on with what it knows.
                state.adopt_again = false;
                let adopted = self.adopt(&mut state).await;
                if let Err(error) = adopted {
                    state.adopt_again = true;
                    tracing::error!(%error, "the store failed; the catalog is taken over later");
                }
                for reply in asked {
                    let _ = reply.send(());
                }
            }
            self.resume(&mut state).await;
            self.tell_of_a_jump();
            self.tell_stuck(&mut state);
            self.look_again(&mut state);
            self.leave(&mut state);
            self.start(&mut state);
            self.tell_stale(&mut state).await;
            self.tell_left_behind(&mut state).await;
            self.tell_expiring(&mut state).await;
            let due = state
                .schedule
                .next_moment()
                .map_or(Duration::from_hours(1), |due| {
                    Duration::try_from(due.duration_since(self.clock.now())).unwrap_or_default()
                });
            let rest = state.absences.rest().unwrap_or(SignedDuration::MAX);
            let paused = state.pauses.next();
            let paused = paused.map(|end| end.duration_since(self.clock.now()));
            let rest = rest.min(paused.unwrap_or(SignedDuration::MAX));
            // A clock that was set is noticed within a minute.
            let due = due
                .min(Duration::try_from(rest).unwrap_or_default())
                .min(Duration::from_mins(1));
            tokio::select! {
                () = self.stop.cancelled() => break,
                Some(command) = self.commands.recv() => self.obey(&mut state, command),
                Some(ended) = state.tasks.join_next() => self.ended(&mut state, ended),
                Ok(()) = self.catalog.changed() => state.adopt_again = true,
                () = state.seats.moved() => {}
                () = tokio::time::sleep(due) => {}
            }
        }
        self.drain(&mut state).await;
        Ok(())
    }

    pub(super) fn state(&self, workers: usize, last: Option<RunId>) -> State {
        State {
            schedule: Schedule::new(workers, last),
            seats: Arc::new(Seats::new(workers)),
            tasks: JoinSet::new(),
            unwritten: VecDeque::new(),
            waiting: BTreeMap::new(),
            under_way: BTreeMap::new(),
            to_leave: Vec::new(),
            leaving: JoinSet::new(),
            accounts: BTreeMap::new(),
            to_adopt: Vec::new(),
            adopt_again: false,
            move_again: false,
            waiting_for: Waiting::new(),
            to_do: Vec::new(),
            adopted: Arc::clone(&self.catalog.borrow()),
            absences: Absences::default(),
            pauses: Pauses::default(),
            expiring: None,
            untold: Vec::new(),
            stuck: Vec::new(),
        }
    }

    /// Takes the catalog over as it is now.
    pub(super) async fn adopt(&mut self, state: &mut State) -> Result<(), StoreError> {
        let catalog = Arc::clone(&self.catalog.borrow_and_update());
        let before = std::mem::replace(&mut state.adopted, Arc::clone(&catalog));
        state.to_leave.extend(leave::dropped(&before, &catalog));
        state.move_again = false;
        state.waiting_for = self.follow(state, &catalog).await;
        let store = Arc::clone(&self.tools.store);
        let ids: Vec<IntegrationId> = catalog.integrations.keys().cloned().collect();
        let known = tokio::task::spawn_blocking(move || -> Result<_, StoreError> {
            let view = store.read()?;
            let histories: Result<Vec<History>, StoreError> =
                ids.iter().map(|id| view.history(id)).collect();
            Ok((histories?, view.outdated()?))
        });
        let (histories, outdated) = match known.await {
            Ok(known) => known?,
            Err(_) => return Ok(()),
        };
        let now = self.clock.now();
        state.schedule.set_workers(catalog.settings.workers);
        state.seats.set_workers(catalog.settings.workers);
        let wall = (self.tools.now)();
        let is_known = |id: &IntegrationId| catalog.integrations.contains_key(id);
        state.pauses.retain(is_known);
        for ((id, slot), history) in catalog.integrations.iter().zip(histories) {
            let pause = history.pause.as_ref().filter(|_| history.paused);
            state.pauses.set(id, pause, wall, now);
            let waits = state.waiting_for.contains_key(id);
            let rhythm = rhythm(slot, history.paused).filter(|_| !waits);
            let known = Known {
                generation: slot
                    .current
                    .as_ref()
                    .map(|integration| integration.generation),
                last_success: history.last_success,
                is_outdated: outdated.contains(id),
                last_started: history.last_started,
                apart: catalog
                    .share(id, history.requests)
                    .map_or(SignedDuration::ZERO, |share| share.apart),
            };
            state
                .schedule
                .adopt(id, rhythm, known, now, fastrand::f64());
        }
        state
            .schedule
            .retain(|id| catalog.integrations.contains_key(id));
        self.drop_queued(state, &catalog);
        self.look_for_gone(state, &catalog).await
    }

    /// Lets those go who wait for runs of what does not run any more.
    fn drop_queued(&self, state: &mut State, catalog: &Catalog) {
        for (id, run) in state.schedule.drop_queued() {
            let why = match catalog.integrations.get(&id) {
                Some(slot) => why_not(&id, slot, state.waiting_for.get(&id)),
                None => format!("`{id}` is gone"),
            };
            let now = (self.tools.now)();
            let begun = Run::begun(run, id, Cause::Manual, 0, now);
            let report = Run {
                ended: Some(now),
                outcome: Outcome::Failed { reason: why },
                ..begun
            };
            state.tell(report, false);
        }
    }

    /// Resumes what was paused for a while that is over.
    async fn resume(&mut self, state: &mut State) {
        let over = state.pauses.over(self.clock.now());
        if over.is_empty() {
            return;
        }
        let store = Arc::clone(&self.tools.store);
        let resumed = tokio::task::spawn_blocking(move || crate::acts::resume_all(&store, &over));
        match resumed.await {
            Ok(Ok(resumed)) => {
                for id in resumed {
                    tracing::info!(integration = %id, "the pause is over; the integration is resumed");
                }
                self.commits.send_modify(|commits| *commits += 1);
                if let Err(error) = self.adopt(state).await {
                    state.adopt_again = true;
                    tracing::error!(%error, "the store failed; the catalog is taken over later");
                }
            }
            Ok(Err(error)) => {
                state.pauses.again(self.clock.now());
                tracing::error!(%error, "the store failed; what is paused is resumed later");
            }
            Err(_) => state.pauses.again(self.clock.now()),
        }
    }

    /// R45: what is due stays due when the clock is set; that it was is told.
    fn tell_of_a_jump(&mut self) {
        if let Some(by) = self.clock.jumped() {
            tracing::warn!(
                seconds = by.as_secs(),
                "the wall clock was set; what is due stays due, and nothing is older for it"
            );
            self.metrics.clock_jumped();
        }
    }

    /// Tells once of each run that was given up and has kept its thread since.
    fn tell_stuck(&self, state: &mut State) {
        let stuck = self.tools.workers.stuck(tokio::time::Instant::now());
        for one in &stuck {
            if !state.stuck.contains(one) {
                tracing::error!(
                    integration = %one.integration, run = %one.run,
                    "a run was given up, and its script still keeps a thread; a restart ends it"
                );
            }
        }
        state.stuck = stuck;
    }

    /// R28: tells of feeds that have been silent for too long.
    async fn tell_stale(&self, state: &mut State) {
        let now = (self.tools.now)();
        let mut silent = std::mem::take(&mut state.untold);
        for id in state.schedule.stale(self.clock.now()) {
            tracing::warn!(integration = %id, "no successful sync for too long");
            silent.push(id);
        }
        for id in silent {
            let (store, of) = (Arc::clone(&self.tools.store), id.clone());
            let slowed = state.schedule.is_slowed(&id).and_then(|apart| {
                let share = self.catalog.borrow().share(&id, 0)?;
                Some(share.told(apart))
            });
            let told = tokio::task::spawn_blocking(move || {
                crate::sync::stale(&store, &of, slowed.as_deref(), now)
            });
            if let Ok(Err(error)) = told.await {
                tracing::error!(integration = %id, %error, "the store failed; the alert is raised later");
                state.untold.push(id);
            }
        }
    }

    /// The credential of an integration as it is now; none where its secrets cannot be read, or a program gives
    /// one: that is asked by runs alone.
    fn account(&self, integration: &Integration) -> Option<Account> {
        let (name, credential) = (&integration.config.credential, &integration.credential);
        let asks_a_program = |value: &CredentialValue| match value {
            CredentialValue::Secret(reference) => reference.is_program(),
            CredentialValue::Plain(_) => false,
        };
        let proxy = integration.source.proxy().and_then(Proxy::password);
        if credential.fields.values().any(asks_a_program)
            || proxy.is_some_and(SecretReference::is_program)
        {
            return None;
        }
        let reader = &self.tools.reader;
        reader
            .account(name, credential, &integration.source, &integration.home)
            .ok()
    }

    /// Tries again at once where a source failed and its credential has other values now (R28): secrets are
    /// no part of the catalog, so no reload tells of them.
    fn look_again(&self, state: &mut State) {
        let catalog = Arc::clone(&self.catalog.borrow());
        let failing: Vec<IntegrationId> = state.schedule.failing().cloned().collect();
        for id in failing {
            let slot = catalog.integrations.get(&id);
            let Some(account) = slot
                .and_then(|slot| slot.current.as_ref())
                .and_then(|integration| self.account(integration))
            else {
                continue;
            };
            let before = state.accounts.get(&id);
            if before.is_none_or(|before| !before.is_as(&account)) {
                state.schedule.forgive(&id, self.clock.now());
                state.accounts.insert(id, account);
            }
        }
    }

    /// Gives tokens back of credentials that were used until files were changed. What a run uses is left to it.
    fn leave(&self, state: &mut State) {
        while state.leaving.try_join_next().is_some() {}
        let in_use = |one: &Arc<Integration>| {
            let credential = &one.config.credential;
            state.under_way.values().any(|name| name == credential)
        };
        let all = std::mem::take(&mut state.to_leave);
        let (waits, free): (Vec<_>, Vec<_>) = all.into_iter().partition(in_use);
        state.to_leave = waits;
        for one in free {
            // The files may have been changed back meanwhile.
            if !leave::is_used(&state.adopted, &one) {
                let (reader, now) = (Arc::clone(&self.tools.reader), (self.tools.now)());
                let leaving = async move { leave::give_back(&reader, &one, now).await };
                state.leaving.spawn(leaving);
            }
        }
    }

    fn start(&mut self, state: &mut State) {
        let catalog = Arc::clone(&state.adopted);
        let away = state.seats.away();
        let waits = |id: &IntegrationId| waits_too(&catalog, &away, id).is_some();
        let now = self.clock.now();
        // The same moment by the clock of readings, before any of these runs begins one: it serves the others, too.
        let moment = tokio::time::Instant::now();
        for (id, run, cause) in state.schedule.start(now, away.len(), waits) {
            let Some(integration) = catalog
                .integrations
                .get(&id)
                .and_then(|slot| slot.current.clone())
            else {
                // Its file went between being asked for and being started.
                state
                    .schedule
                    .finished(&id, Ended::Held, self.clock.now(), fastrand::f64());
                continue;
            };
            match self.account(&integration) {
                Some(account) => state.accounts.insert(id.clone(), account),
                None => state.accounts.remove(&id),
            };
            let events = state
                .waiting
                .entry(run)
                .or_insert_with(|| waiting(&id))
                .1
                .clone();
            let job = Job {
                integration,
                run,
                cause,
            };
            let credential = job.integration.config.credential.clone();
            state.under_way.insert(run, credential);
            let (tools, generation) = (self.tools.clone(), job.integration.generation);
            let longest = state.schedule.may_wait(&id, now).unwrap_or_default();
            let longest = Duration::try_from(longest).unwrap_or_default();
            let turn = Turn {
                patience: Patience::new(Arc::clone(&state.seats), run, longest),
                fresh_from: catalog
                    .shares_readings(&job.integration)
                    .then(|| state.schedule.fresh_from(&id, cause, now))
                    .and_then(|since| {
                        let ago = Duration::try_from(now.duration_since(since?)).ok()?;
                        moment.checked_sub(ago)
                    }),
            };
            state.tasks.spawn(async move {
                let on_progress = {
                    let events = events.clone();
                    Arc::new(move |progress| {
                        events.send_replace(ProgressEvent::Progress(progress));
                    })
                };
                // A task of its own: should it panic, the schedule and whoever waits still hear of its end.
                let report = AbortOnDropHandle::new(tokio::spawn(crate::sync::run_in_turn(
                    job,
                    tools.clone(),
                    on_progress,
                    turn,
                )))
                .await;
                let report = report.map_err(RunError::from).flatten();
                let written = report.is_ok();
                let report = report.unwrap_or_else(|error| {
                    tracing::error!(integration = %id, run = %run, %error, "sync failed");
                    let now = (tools.now)();
                    // Its report could not be written; whoever waits has it all the same.
                    Run {
                        ended: Some(now),
                        outcome: Outcome::Failed {
                            reason: error.to_string(),
                        },
                        ..Run::begun(run, id.clone(), cause, generation, now)
                    }
                });
                Finished {
                    integration: id,
                    report,
                    written,
                }
            });
        }
    }

    fn obey(&mut self, state: &mut State, command: Command) {
        // Whoever asked may have gone meanwhile; what was done is done all the same.
        match command {
            Command::Sync(_, reply) if self.stop.is_cancelled() => {
                let _ = reply.send(Err(ProblemDocument::stopping()));
            }
            Command::Sync(ids, reply) => {
                let _ = reply.send(self.request(state, ids));
            }
            Command::Follow(run, reply) => {
                let _ = reply.send(state.followed(run));
            }
            Command::Adopt(reply) => state.to_adopt.push(reply),
            Command::Exclusive(ids, work, reply) => state.to_do.push((ids, work, reply)),
            Command::Phases(reply) => {
                let catalog = self.catalog.borrow();
                let (away, now) = (state.seats.away(), self.clock.now());
                let phases = catalog
                    .integrations
                    .keys()
                    .filter_map(|id| {
                        let (phase, next) = state.schedule.phase(id)?;
                        let is_ready = match phase {
                            Phase::Idle => next.is_some_and(|next| next <= now),
                            Phase::Queued { .. } => true,
                            Phase::Running { .. } => false,
                        };
                        let waits = match phase {
                            Phase::Running { run, .. } => away.get(&run),
                            _ => waits_too(&catalog, &away, id).filter(|_| is_ready),
                        };
                        let for_files = state.waiting_for.get(id).cloned();
                        let doing = Doing {
                            phase,
                            next: next.map(|next| self.clock.on_the_wall(next)),
                            waits_for: for_files.or_else(|| waits.and_then(told)),
                            slowed_by: state.schedule.is_slowed(id).and_then(|apart| {
                                let share = catalog.share(id, 0)?;
                                Some(share.told(apart))
                            }),
                        };
                        Some((id.clone(), doing))
                    })
                    .collect();
                let _ = reply.send(phases);
            }
        }
    }

    fn request(&self, state: &mut State, ids: Option<Vec<IntegrationId>>) -> Answer<Vec<Followed>> {
        let catalog = Arc::clone(&self.catalog.borrow());
        let all = ids.is_none();
        let ids = ids.unwrap_or_else(|| catalog.integrations.keys().cloned().collect());
        let mut followed = Vec::new();
        for id in ids {
            let Some(slot) = catalog.integrations.get(&id) else {
                return Err(ProblemDocument::no_integration(&id));
            };
            let Some(run) = state.schedule.request(&id, self.clock.now()) else {
                if all {
                    continue;
                }
                let waits = state.waiting_for.get(&id);
                return Err(ProblemDocument::conflict(why_not(&id, slot, waits)));
            };
            let (_, events) = state.waiting.entry(run).or_insert_with(|| waiting(&id));
            followed.push(Followed {
                id: run,
                integration: id,
                events: events.subscribe(),
            });
        }
        Ok(followed)
    }

    fn ended(&self, state: &mut State, ended: Result<Finished, tokio::task::JoinError>) {
        let Ok(Finished {
            integration: id,
            report,
            written,
        }) = ended
        else {
            return;
        };
        state.under_way.remove(&report.id);
        let how = match &report.outcome {
            outcome if outcome.is_success() => Ended::Good,
            Outcome::Held { .. } => Ended::Held,
            Outcome::NotUnderstood { .. } => Ended::NotUnderstood,
            Outcome::Postponed { .. } => Ended::Postponed,
            _ => Ended::Failed,
        };
        state
            .schedule
            .finished(&id, how, self.clock.now(), fastrand::f64());
        if how != Ended::Failed
            && how != Ended::Postponed
            && let Some(share) = self.catalog.borrow().share(&id, report.requests)
        {
            state.schedule.deal(&id, share.apart);
        }
        // People may have waited for it to go along with a file.
        state.adopt_again |= state.move_again;
        self.drop_queued(state, &Arc::clone(&self.catalog.borrow()));
        self.metrics.ran(&report);
        state.tell(report, written);
        self.commits.send_modify(|commits| *commits += 1);
    }

    /// Takes no new work, and waits for what runs; an uncommitted transaction never happened.
    async fn drain(&mut self, state: &mut State) {
        let grace = self.catalog.borrow().settings.grace.0;
        if !state.tasks.is_empty() {
            tracing::info!(
                runs = state.tasks.len(),
                grace_s = grace.as_secs(),
                "waiting for runs under way"
            );
        }
        // What is queued will not run: whoever waits for it need not wait for the others.
        let State {
            schedule, waiting, ..
        } = state;
        waiting.retain(|waited, (id, _)| {
            matches!(schedule.phase(id), Some((Phase::Running { run, .. }, _)) if run == *waited)
        });
        let finish = async {
            // Whoever waits for its PMS would not be ready any sooner.
            while state.tasks.len() > state.seats.away().len() {
                tokio::select! {
                    Some(command) = self.commands.recv() => self.obey(state, command),
                    Some(ended) = state.tasks.join_next() => self.ended(state, ended),
                    () = state.seats.moved() => {}
                }
            }
        };
        if tokio::time::timeout(grace, finish).await.is_err() {
            tracing::warn!(
                runs = state.tasks.len(),
                "grace time is over; runs under way are dropped, they wrote nothing"
            );
        }
        state.tasks.shutdown().await;
        state.under_way.clear();
        self.leave(state);
        let left = async { while state.leaving.join_next().await.is_some() {} };
        let _ = tokio::time::timeout(leave::WITHIN, left).await;
    }
}

/// What an integration would wait for, as a run of the same credential waits for it.
fn waits_too<'a>(
    catalog: &Catalog,
    away: &'a BTreeMap<RunId, Waits>,
    id: &IntegrationId,
) -> Option<&'a Waits> {
    let integration = catalog.integrations.get(id)?.current.as_ref()?;
    let credential = &integration.config.credential;
    away.values().find(|waits| waits.credential == *credential)
}

/// What is waited for, as people would say it; nothing of a wait that is over before they have read it.
fn told(waits: &Waits) -> Option<String> {
    let what = format!("until the credential `{}` may ask again", waits.credential);
    let left = waits.until.map_or(Duration::ZERO, |until| {
        until.saturating_duration_since(tokio::time::Instant::now())
    });
    match left.as_secs() {
        0 if waits.since.elapsed() < Duration::from_secs(1) => None,
        0 => Some(what),
        seconds => Some(format!("{what}, {seconds}s more")),
    }
}

fn waiting(id: &IntegrationId) -> (IntegrationId, watch::Sender<ProgressEvent>) {
    (id.clone(), watch::Sender::new(ProgressEvent::Queued))
}

/// The rhythm of what may run; none for what may not.
fn rhythm(slot: &Slot, paused: bool) -> Option<Rhythm> {
    let integration = slot.running().filter(|_| !paused)?;
    let duration = |span: crate::config::Span| {
        SignedDuration::try_from(span.0).unwrap_or(SignedDuration::ZERO)
    };
    integration.config.enabled.then(|| Rhythm {
        every: duration(integration.schedule.every),
        jitter: duration(integration.schedule.jitter),
    })
}

fn why_not(id: &IntegrationId, slot: &Slot, waits: Option<&String>) -> String {
    if let Some(why) = waits {
        return format!("`{id}` does not run yet: {why}");
    }
    match &slot.current {
        Some(_) if slot.stopped => format!(
            "what `{id}` reads is another integration's by now; `epms status` says what is wrong with its file"
        ),
        None if slot.removed => format!("the file of `{id}` is gone; put it back to sync it"),
        None if slot.feeds.is_some() => {
            format!("the file of `{id}` does not come into effect; `epms status` says why")
        }
        None => format!(
            "the files of `{id}` were never right; `epms check` says what is wrong with them"
        ),
        Some(_) if slot.removed && !slot.problems.is_empty() => format!(
            "the file of `{id}` was gone, and what came back is not right; `epms status` says what is wrong with it"
        ),
        Some(_) if slot.removed => format!("the file of `{id}` is gone; put it back to sync it"),
        Some(integration) if !integration.config.enabled => {
            format!("`{id}` is switched off; write `enabled: true` into its file")
        }
        Some(_) => format!("`{id}` is paused; resume it first"),
    }
}
