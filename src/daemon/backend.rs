//! What the control socket asks, answered from the store, the catalog and the schedule.

mod acts;
mod alerts;
mod callers;
mod care;
mod credentials;
mod deliveries;
mod erase;
mod explain;
mod health;
mod integrations;
mod lists;
mod log;
mod standing;
mod trial;
mod reads;
mod residents;
mod notices;
mod setup;
mod upgrade;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::{mpsc, oneshot, watch};
use tokio_util::sync::CancellationToken;

use crate::catalog::{self, Catalog, ReloadRequest, Slot};
use crate::config::Home;
use crate::control::protocol::{
    ActDetail, AlertAct, AlertDetail, AlertGroups, ApproveSinceUpgrade, EraseAsk, IntegrationState,
    IntegrationStatus, LinkDetail, NotifyTest, NotifyTested, Page, PauseFor, PeoplePage, PersonAct,
    PersonDetail, Place, ProblemDocument, ProgressEvent, Reads, ReloadReply, RunDetail, RunState,
    SinceUpgrade, Status,
};
use crate::control::server::{
    Answer, Backend, ChangeFilter, Changes, DeliveryQuery, Followed, Front, GroupQuery, ListQuery,
    Peer, Places, Snapshot,
};
use crate::control::setup::{Setup, SetupAnswer, SetupNext, SetupOf};
use crate::model::{
    ActId, Alert, AlertId, AlertKind, AlertQuery, Change, DeliveriesTouched, Delivery,
    DeliveryPlan, Difference, DismissMany, Dismissed, Done, Enrolment, Erasure, Explanation,
    Imported, IntegrationId, Keeping, NamedBy, Outcome, PeopleQuery, PersonId, Preview, Retirement,
    RunId, RunQuery, Setting, Soundness, TargetId, TargetStatus, Tier, TriedFiles,
};
use crate::store::{Store, StoreError, View};
use crate::sync::Tools;

use super::backups::Backups;
use super::deliveries::Deliveries;
use super::drafts::Drafts;
use super::metrics::Metrics;
use super::net::Listener;
use super::notices::Notices;
use super::runs::Command;
use super::schedule::Phase;

use standing::{Facts, Standing, standing};

/// Who asks for a reload hears of it by then, before the client's patience is at its end.
const RELOAD: Duration = Duration::from_secs(25);

/// What answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Nature {
    /// A daemon of this user.
    Daemon {
        /// The user's number.
        owner: u32,
    },
    /// The store alone, while no daemon runs: it is only read.
    Offline,
}

/// Answers for the daemon.
pub(super) struct Daemon {
    pub(super) started: Timestamp,
    pub(super) nature: Nature,
    pub(super) store: Arc<Store>,
    pub(super) catalog: watch::Receiver<Arc<Catalog>>,
    pub(super) commands: mpsc::Sender<Command>,
    pub(super) reloads: mpsc::Sender<ReloadRequest>,
    /// Since when files are looked at.
    pub(super) looking: watch::Receiver<Option<Timestamp>>,
    pub(super) tools: Tools,
    /// The targets whose workers run.
    pub(super) deliveries: Arc<Deliveries>,
    /// The way out of messages to those who are told of what is wrong.
    pub(super) notices: Arc<Notices>,
    /// The copies that the daemon makes by itself.
    pub(super) backups: Arc<Backups>,
    /// Set-ups under way on the page.
    pub(super) drafts: Arc<Drafts>,
    /// The home.
    pub(super) home: Home,
    /// Counts commits, for those who follow the change log.
    pub(super) commits: watch::Sender<u64>,
    pub(super) metrics: Arc<Metrics>,
    /// The page over the network.
    pub(super) listener: Arc<Listener>,
    /// The pages that are live.
    pub(super) places: Places,
    pub(super) stop: CancellationToken,
}

impl Daemon {
    /// Asks the store, off the threads that answer.
    async fn ask<T: Send + 'static>(
        &self,
        question: impl FnOnce(&View) -> Result<T, StoreError> + Send + 'static,
    ) -> Answer<T> {
        let store = Arc::clone(&self.store);
        let answer = tokio::task::spawn_blocking(move || question(&store.read()?)).await;
        match answer {
            Ok(Ok(answer)) => Ok(answer),
            Ok(Err(error)) => {
                tracing::error!(%error, "the store failed a question");
                Err(ProblemDocument::internal(error.to_string()))
            }
            Err(_) => Err(ProblemDocument::internal("the question ended unexpectedly")),
        }
    }

    /// Whether the store's file lies where it was opened.
    pub(super) async fn in_place(&self) -> Answer<()> {
        let store = Arc::clone(&self.store);
        let place = tokio::task::spawn_blocking(move || store.in_place()).await;
        match place {
            Ok(place) => place.map_err(|error| ProblemDocument::internal(error.to_string())),
            Err(_) => Err(ProblemDocument::internal("the question ended unexpectedly")),
        }
    }

    async fn command<T>(&self, make: impl FnOnce(oneshot::Sender<T>) -> Command) -> Answer<T> {
        let (reply, answer) = oneshot::channel();
        self.commands
            .send(make(reply))
            .await
            .map_err(|_| ProblemDocument::stopping())?;
        answer.await.map_err(|_| ProblemDocument::stopping())
    }
}

/// A page of at most `size`, where one more was asked for to see whether there is another.
fn page<T>(mut items: Vec<T>, size: usize, id: impl Fn(&T) -> String) -> Page<T> {
    let more = items.len() > size;
    items.truncate(size);
    let next = if more { items.last().map(id) } else { None };
    Page { items, next }
}

/// The run of an integration that did not understand its records, and waits (R41).
fn not_understood(view: &View, id: &IntegrationId) -> Result<Option<RunId>, StoreError> {
    let waits = view.guard(id)?.understanding.waits;
    Ok(waits.map(|plan| plan.run))
}

impl Backend for Daemon {
    fn now(&self) -> Timestamp {
        (self.tools.now)()
    }

    async fn tier(&self, peer: Peer) -> Option<Tier> {
        self.tier_of(peer).await
    }

    async fn status(&self) -> Answer<Status> {
        let phases = self.command(Command::Phases).await?;
        let catalog = Arc::clone(&self.catalog.borrow());
        let (started, offline) = (self.started, self.nature == Nature::Offline);
        let up = (self.tools.up)();
        let stuck = self.stuck();
        let (outbound, now) = (Arc::clone(&self.tools.reader), (self.tools.now)());
        let loading_since = slow(*self.looking.borrow(), (self.tools.now)());
        let web = self.listener.status();
        self.ask(move |view| {
            let mut open: BTreeMap<IntegrationId, BTreeMap<AlertKind, u64>> = BTreeMap::new();
            for ((integration, kind), count) in view.count_open_alerts()? {
                open.entry(integration).or_default().insert(kind, count);
            }
            let nothing = BTreeMap::new();
            let mut integrations = Vec::new();
            for (id, slot) in &catalog.integrations {
                let history = view.history(id)?;
                let known = view.attachment(id)?;
                let linked = view.count_links(id)?;
                // Its people went along with a file that has another name: it is no more.
                if slot.removed && linked == 0 && known.is_none() {
                    continue;
                }
                let attachment = known.unwrap_or_default();
                let doing = phases.get(id);
                let phase = doing.map_or(Phase::Idle, |doing| doing.phase);
                let current = slot.current.as_ref();
                let ours = open.get(id).unwrap_or(&nothing);
                let guard = view.guard(id)?;
                let facts = Facts {
                    id,
                    catalog: &catalog,
                    slot,
                    state: state(slot, phase, history.paused),
                    at_rest: state(slot, Phase::Idle, history.paused),
                    waits_for: doing.and_then(|doing| doing.waits_for.as_deref()),
                    stuck: stuck.contains_key(id),
                    attachment: &attachment,
                    linked,
                    history: &history,
                    guard: &guard,
                    open: ours,
                };
                let state = facts.state;
                let Standing {
                    health,
                    because,
                    severity,
                } = standing(&facts);
                integrations.push(IntegrationStatus {
                    id: id.clone(),
                    property: current
                        .map(|i| i.config.property.name.clone())
                        .unwrap_or_default(),
                    connector: current.map(|i| i.connector.clone()).unwrap_or_default(),
                    state,
                    health,
                    because,
                    severity,
                    pause: history.pause.filter(|_| history.paused),
                    waits_for: doing.and_then(|doing| doing.waits_for.clone()),
                    slowed_by: doing.and_then(|doing| doing.slowed_by.clone()),
                    stuck: stuck.get(id).cloned(),
                    took_over: attachment.took_over,
                    generation: current.map(|i| i.generation),
                    loaded: current.map(|i| i.loaded),
                    problems: slot.problems.clone(),
                    last_started: history.last_started,
                    last_success: history.last_success,
                    last_error: history.last_error,
                    not_understood: guard.understanding.waits.map(|plan| plan.run),
                    failures: history.failures,
                    next: doing.and_then(|doing| doing.next),
                    linked,
                    open_alerts: ours.values().sum(),
                    running: match phase {
                        Phase::Running { run, .. } => Some(run),
                        _ => None,
                    },
                    settings: Vec::new(),
                });
            }
            Ok(Status {
                version: env!("CARGO_PKG_VERSION").to_owned(),
                started,
                up: up.seconds,
                offline,
                store: view.identity()?,
                people: view.count_people()?,
                open_alerts: open.values().flat_map(BTreeMap::values).sum(),
                problems: catalog.problems.clone(),
                loading_since,
                integrations,
                credentials: credentials::credentials(&catalog, outbound.outbound(), view, now)?,
                web,
            })
        })
        .await
    }

    fn integrations(&self) -> Vec<IntegrationId> {
        let catalog = self.catalog.borrow();
        catalog.integrations.keys().cloned().collect()
    }

    fn settings(&self, integration: &IntegrationId) -> Vec<Setting> {
        let catalog = self.catalog.borrow();
        let slot = catalog.integrations.get(integration);
        let current = slot.and_then(|slot| slot.current.as_ref());
        current.map_or_else(Vec::new, |current| current.settings.clone())
    }

    async fn reads(&self, integration: &IntegrationId) -> Answer<Option<Reads>> {
        self.read_by(integration).await
    }

    async fn sync(
        &self,
        integrations: Option<Vec<IntegrationId>>,
        peer: Peer,
    ) -> Answer<Vec<Followed>> {
        let followed = self
            .command(|reply| Command::Sync(integrations, reply))
            .await??;
        for run in &followed {
            tracing::info!(integration = %run.integration, run = %run.id, uid = peer.uid, account = peer.account(), "sync asked for");
        }
        Ok(followed)
    }

    async fn follow(&self, run: RunId) -> Answer<Followed> {
        if let Some(followed) = self.command(|reply| Command::Follow(run, reply)).await? {
            return Ok(followed);
        }
        let report = self.ask(move |view| view.run(run)).await?;
        let report = report.ok_or_else(|| no_run(run))?;
        let integration = report.integration.clone();
        let (_, events) = watch::channel(ProgressEvent::Ended(Box::new(report)));
        Ok(Followed {
            id: run,
            integration,
            events,
        })
    }

    async fn runs(&self, query: RunQuery) -> Answer<Page<RunState>> {
        self.listed_runs(query).await
    }

    async fn run(&self, run: RunId) -> Answer<RunDetail> {
        let followed = self.command(|reply| Command::Follow(run, reply)).await?;
        let (report, decisions, guard) = self
            .ask(move |view| {
                let report = view.run(run)?;
                let of = report.as_ref().map(|report| &report.integration);
                let guard = of.map(|of| view.guard(of)).transpose()?.unwrap_or_default();
                Ok((report, view.decisions(run)?, guard))
            })
            .await?;
        // Runs that hold the same plan wait for the same word.
        let digest = report.as_ref().and_then(|report| match &report.outcome {
            Outcome::Held { digest, .. } => Some(digest.clone()),
            _ => None,
        });
        let held = guard.held;
        let held = held.filter(|held| held.run == run || Some(&held.digest) == digest.as_ref());
        let (integration, progress) = match (&report, &followed) {
            (_, Some(followed)) => {
                let progress = match &*followed.events.borrow() {
                    ProgressEvent::Progress(progress) => Some(*progress),
                    _ => None,
                };
                (followed.integration.clone(), progress)
            }
            (Some(report), None) => (report.integration.clone(), None),
            (None, None) => return Err(no_run(run)),
        };
        Ok(RunDetail {
            state: RunState {
                id: run,
                integration,
                report,
                progress,
            },
            decisions,
            held,
            since_upgrade: guard.since_upgrade.filter(|plan| plan.run == run),
        })
    }

    async fn people(&self, query: PeopleQuery) -> Answer<PeoplePage> {
        self.listed_people(query).await
    }

    async fn person(&self, id: PersonId) -> Answer<PersonDetail> {
        let catalog = Arc::clone(&self.catalog.borrow());
        let detail = self
            .ask(move |view| {
                let Some(person) = view.person(id)? else {
                    return Ok(None);
                };
                let links = view
                    .links_of(id)?
                    .into_iter()
                    .map(|(integration, resident, link)| LinkDetail {
                        integration,
                        resident,
                        since: link.since,
                        misses: link.misses,
                    });
                let alerts = view.open_alerts_about(id)?;
                Ok(Some(PersonDetail {
                    person,
                    links: links.collect(),
                    deliveries: Vec::new(),
                    alerts,
                    changes: view.changes_of(id, u64::MAX, 20)?,
                    erasing: erase::erasing(view, id, &catalog)?,
                }))
            })
            .await?;
        let mut detail = detail.ok_or_else(|| no_person(id))?;
        detail.deliveries = self.deliveries_of(id).await?;
        Ok(detail)
    }

    async fn alerts(&self, query: AlertQuery) -> Answer<Page<Alert>> {
        self.listed_alerts(query).await
    }

    async fn alert(&self, id: AlertId) -> Answer<AlertDetail> {
        let detail = self
            .ask(move |view| {
                let Some(alert) = view.alert(id)? else {
                    return Ok(None);
                };
                let mut done = Vec::new();
                for act in &alert.acts {
                    let Some(act) = view.act(*act)? else { continue };
                    let ended = act.undone_by.map(|by| view.act(by)).transpose()?.flatten();
                    let is_erased = ended.is_some_and(|by| by.kind == crate::model::ActKind::Erase);
                    done.push(ActDetail {
                        id: act.id,
                        kind: act.kind,
                        at: act.at,
                        by: act.by,
                        said: act.said,
                        undone_by: act.undone_by.filter(|_| !is_erased),
                        erased_by: act.undone_by.filter(|_| is_erased),
                    });
                }
                Ok(Some(AlertDetail { alert, done }))
            })
            .await?;
        detail.ok_or_else(|| {
            ProblemDocument::not_found(format!("there is no alert {id}; `epms alerts` lists them"))
        })
    }

    async fn changes(&self, after: Place, filter: ChangeFilter, among: usize) -> Answer<Changes> {
        self.ask(move |view| log::changes(view, after, &filter, among))
            .await?
    }

    async fn tail(&self, filter: ChangeFilter, count: usize) -> Answer<Place> {
        self.ask(move |view| log::tail(view, &filter, count)).await
    }

    async fn preview(&self, integration: IntegrationId, peer: Peer) -> Answer<Preview> {
        self.see(integration, peer).await
    }

    async fn preview_with(
        &self,
        integration: IntegrationId,
        files: TriedFiles,
        peer: Peer,
    ) -> Answer<Preview> {
        self.tried(integration, files, peer).await
    }

    async fn diff(
        &self,
        integration: IntegrationId,
        files: TriedFiles,
        peer: Peer,
    ) -> Answer<Difference> {
        self.differs(integration, files, peer).await
    }

    async fn explain(
        &self,
        integration: IntegrationId,
        resident: String,
        live: bool,
        peer: Peer,
    ) -> Answer<Explanation> {
        self.explained(integration, resident, live, peer).await
    }

    async fn approve(
        &self,
        run: RunId,
        digest: Option<String>,
        peer: Peer,
    ) -> Answer<Vec<Followed>> {
        self.approved(run, digest, peer).await
    }

    async fn since_upgrade(&self) -> Answer<SinceUpgrade> {
        self.waits_since_upgrade().await
    }

    async fn approve_since_upgrade(
        &self,
        asked: ApproveSinceUpgrade,
        peer: Peer,
    ) -> Answer<Vec<Followed>> {
        self.approved_since_upgrade(asked, peer).await
    }

    async fn reject(&self, run: RunId, digest: Option<String>, peer: Peer) -> Answer<RunState> {
        self.rejected(run, digest, peer).await
    }

    async fn pause(
        &self,
        integration: IntegrationId,
        pause: Option<PauseFor>,
        peer: Peer,
    ) -> Answer<IntegrationStatus> {
        self.paused(integration, pause, peer).await
    }

    async fn rename(&self, from: IntegrationId, to: IntegrationId, peer: Peer) -> Answer<Done> {
        Daemon::rename(self, from, to, peer).await
    }

    async fn retire(
        &self,
        integration: IntegrationId,
        property: Option<String>,
        dry_run: bool,
        peer: Peer,
    ) -> Answer<Retirement> {
        Daemon::retire(self, integration, property, dry_run, peer).await
    }

    async fn undo_integration(&self, integration: IntegrationId, peer: Peer) -> Answer<Done> {
        Daemon::undo_integration(self, integration, peer).await
    }

    async fn to_alert(&self, alert: AlertId, act: AlertAct, peer: Peer) -> Answer<Done> {
        self.done_to_alert(alert, act, peer).await
    }

    async fn to_person(&self, person: PersonId, act: PersonAct, peer: Peer) -> Answer<Done> {
        self.done_to_person(person, act, peer).await
    }

    async fn erase_person(&self, person: PersonId, asked: EraseAsk, peer: Peer) -> Answer<Erasure> {
        self.erased(person, asked, peer).await
    }

    async fn undo_act(&self, act: ActId, peer: Peer) -> Answer<Done> {
        self.undone(act, peer).await
    }

    async fn add_person(&self, told: Enrolment, peer: Peer) -> Answer<Done> {
        self.enrolled(told, peer).await
    }

    async fn import_people(&self, csv: String, dry_run: bool, peer: Peer) -> Answer<Imported> {
        self.imported(csv, dry_run, peer).await
    }

    async fn history(&self, id: PersonId, query: ListQuery) -> Answer<Page<Change>> {
        let size = query.size();
        let before = match &query.cursor {
            None => u64::MAX,
            Some(cursor) => cursor.parse().map_err(|_| {
                ProblemDocument::bad_request(format!("`{cursor}` is no cursor of a history"))
            })?,
        };
        let changes = self
            .ask(move |view| {
                Ok(match view.person(id)? {
                    Some(_) => Some(view.changes_of(id, before, size + 1)?),
                    None => None,
                })
            })
            .await?;
        let changes = changes.ok_or_else(|| no_person(id))?;
        Ok(page(changes, size, |change| change.seq.to_string()))
    }

    async fn targets(&self) -> Answer<Vec<TargetStatus>> {
        self.all_targets().await
    }

    async fn deliveries(&self, query: DeliveryQuery) -> Answer<Page<Delivery>> {
        self.delivered(query).await
    }

    async fn delivery_plan(&self, target: TargetId) -> Answer<DeliveryPlan> {
        self.planned_at(target).await
    }

    async fn approve_deliveries(
        &self,
        target: TargetId,
        digest: Option<String>,
        peer: Peer,
    ) -> Answer<DeliveriesTouched> {
        self.approved_at(target, digest, peer).await
    }

    async fn retry_deliveries(
        &self,
        target: TargetId,
        person: Option<PersonId>,
        peer: Peer,
    ) -> Answer<DeliveriesTouched> {
        self.retried_at(target, person, peer).await
    }

    async fn ready(&self) -> Answer<Vec<String>> {
        self.fit().await
    }

    async fn metrics(&self) -> Answer<String> {
        self.scraped().await
    }

    async fn alert_groups(&self, query: GroupQuery) -> Answer<AlertGroups> {
        self.grouped(query).await
    }

    async fn dismiss_many(&self, asked: DismissMany, peer: Peer) -> Answer<Dismissed> {
        self.dismissed(asked, peer).await
    }

    async fn notify_test(&self, asked: NotifyTest, peer: Peer) -> Answer<NotifyTested> {
        self.tested_notify(asked, peer).await
    }

    async fn keeping(&self) -> Answer<Keeping> {
        self.kept().await
    }

    async fn backup(&self, peer: Peer) -> Answer<Snapshot> {
        self.copied(peer).await
    }

    async fn verify(&self) -> Answer<Soundness> {
        let found = self.ask(View::verify).await?;
        // What is sound and lies nowhere is lost at the next start.
        self.in_place().await?;
        Ok(found)
    }

    fn commits(&self) -> watch::Receiver<u64> {
        self.commits.subscribe()
    }

    async fn setup(&self, of: SetupOf, peer: Peer) -> Answer<Setup> {
        self.setup_of(of, peer).await
    }

    async fn set_up(&self, of: SetupOf, answer: SetupAnswer, peer: Peer) -> Answer<SetupNext> {
        self.answered(of, answer, peer).await
    }

    fn front(&self, uid: u32) -> Option<Front> {
        self.front_of(uid)
    }

    fn counted(&self, by: NamedBy, succeeded: bool) {
        self.metrics.signed_in(by, succeeded);
    }

    fn places(&self) -> &Places {
        &self.places
    }

    async fn reload(&self, peer: Peer) -> Answer<ReloadReply> {
        tracing::info!(uid = peer.uid, account = peer.account(), "reload asked for");
        let (reply, answer) = oneshot::channel();
        let reloaded = async {
            self.reloads.send(reply).await.ok()?;
            answer.await.ok()
        };
        match tokio::time::timeout(RELOAD, reloaded).await {
            Ok(Some(loaded)) => Ok(ReloadReply {
                integrations: loaded.integrations,
                targets: loaded.targets,
                problems: loaded.problems,
            }),
            Ok(None) => Err(ProblemDocument::stopping()),
            Err(_) => Err(ProblemDocument::not_ready(format!(
                "the files were not loaded within {} s, and what runs goes on; look whether what they lie on answers. `epms status` tells as long as it lasts",
                RELOAD.as_secs()
            ))),
        }
    }
}

/// Since when files are looked at, where that takes long.
fn slow(looking: Option<Timestamp>, now: Timestamp) -> Option<Timestamp> {
    looking.filter(|since| now.duration_since(*since).unsigned_abs() >= catalog::SLOW)
}

fn no_person(id: PersonId) -> ProblemDocument {
    ProblemDocument::not_found(format!("there is no person {id}; `epms people` lists them"))
}

fn no_run(run: RunId) -> ProblemDocument {
    ProblemDocument::not_found(format!("there is no run {run}; `epms runs` lists them"))
}

fn state(slot: &Slot, phase: Phase, paused: bool) -> IntegrationState {
    match (phase, &slot.current) {
        (Phase::Running { .. }, _) => IntegrationState::Running,
        (Phase::Queued { .. }, _) => IntegrationState::Queued,
        (Phase::Idle, _) if slot.removed => IntegrationState::Removed,
        (Phase::Idle, _) if slot.stopped => IntegrationState::Broken,
        (Phase::Idle, None) => IntegrationState::Broken,
        (Phase::Idle, Some(_)) if paused => IntegrationState::Paused,
        (Phase::Idle, Some(integration)) if !integration.config.enabled => {
            IntegrationState::Disabled
        }
        (Phase::Idle, Some(_)) => IntegrationState::Idle,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_load_is_told_only_where_it_takes_long() {
        let at = |second| Timestamp::from_second(second).unwrap();
        assert_eq!(slow(None, at(100)), None);
        assert_eq!(slow(Some(at(91)), at(100)), None);
        assert_eq!(slow(Some(at(90)), at(100)), Some(at(90)));
    }
}
