//! One run: read, map, plan, commit, report. Either all of it is in the store afterwards, or only the
//! report that says why not (R26).

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use jiff::{SignedDuration, Timestamp};
use tokio::sync::mpsc;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tokio_util::task::AbortOnDropHandle;

use crate::catalog::Integration;
use crate::config::Span;
use crate::model::{
    Cause, Counts, Live, Outcome, Preview, Progress, Reading, Run, RunId, SpoolError,
};
use crate::outbound::{Account, Patience, without_said};
use crate::script::{Keyed, Lookups, Script};
use crate::source::{Handed, Reader, Scope, Sharing, SourceError, collected};
use crate::store::{Lookup, Store, StoreError, Uptime};

use super::commit::{self, Stop, Work, begin, conclude};
use super::mapping::Mapping;
use super::memory::{Basis, Earlier, MappedBy, Memory};
use super::retention::Forgetting;
use super::workers::{AtWork, Workers};

/// What a run is started with. It ends with what it began with (R9).
#[derive(Debug, Clone)]
pub struct Job {
    /// The generation of the integration.
    pub integration: Arc<Integration>,
    /// The run's id, given when it was asked for.
    pub run: RunId,
    /// Why it runs.
    pub cause: Cause,
}

/// What a run works with.
#[derive(Clone)]
pub struct Tools {
    /// Reads PMSs.
    pub reader: Arc<Reader>,
    /// The store.
    pub store: Arc<Store>,
    /// The clock.
    pub now: fn() -> Timestamp,
    /// How long this process has been up, whatever the clock says.
    pub up: fn() -> Uptime,
    /// The runs that have threads at work.
    pub workers: Workers,
}

/// Is told how far a run has come.
pub type OnProgress = Arc<dyn Fn(Progress) + Send + Sync>;

/// The store failed, so that not even the report could be written.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// It said so.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The thread that worked on it ended.
    #[error("the run ended unexpectedly: {0}")]
    Panicked(#[from] tokio::task::JoinError),
}

/// Everything that was read, mapped.
pub(super) struct Mapped {
    pub(super) mapping: Mapping,
    pub(super) memory: Option<Arc<Memory>>,
    /// What was remembered by earlier rules, where that is all.
    pub(super) earlier: Option<Earlier>,
    pub(super) by: MappedBy,
    pub(super) pages: u64,
    pub(super) records: u64,
    pub(super) lookups: Vec<(String, Lookup)>,
    /// What reading tells in the report.
    pub(super) notes: BTreeMap<String, u64>,
}

/// Runs one sync. Failures of the PMS end in the report; only a failing store is an error.
pub async fn run(job: Job, tools: Tools, on_progress: OnProgress) -> Result<Run, RunError> {
    run_by(job, tools, on_progress, How::default()).await
}

/// The same, in turn with others: it has a worker while it works, and none while it waits (R43).
pub async fn run_in_turn(
    job: Job,
    tools: Tools,
    on_progress: OnProgress,
    turn: Turn,
) -> Result<Run, RunError> {
    turn.patience.sit().await;
    let how = How {
        patience: Some(Arc::new(turn.patience)),
        fresh_from: turn.fresh_from,
        ..How::default()
    };
    run_by(job, tools, on_progress, how).await
}

/// How a run has its turn among others.
#[derive(Debug)]
pub struct Turn {
    /// How it waits.
    pub patience: Patience,
    /// Since when a reading may have begun that another integration of the credential began, to serve this run as well; none
    /// where it reads alone.
    pub fresh_from: Option<Instant>,
}

async fn run_by(
    job: Job,
    tools: Tools,
    on_progress: OnProgress,
    how: How,
) -> Result<Run, RunError> {
    let started = (tools.now)();
    let mut report = Run::begun(
        job.run,
        job.integration.id.clone(),
        job.cause,
        job.integration.generation,
        started,
    );
    let (store, beginning) = (Arc::clone(&tools.store), report.clone());
    tokio::task::spawn_blocking(move || begin(&store, &beginning)).await??;

    let requests = Arc::clone(&how.requests);
    let read = read(&job, &tools, started, &on_progress, how).await?;
    report.requests = requests.load(Ordering::Relaxed);
    if let Ok(mapped) = &read {
        mapped.tell(&mut report);
        on_progress(Progress {
            pages: mapped.pages,
            records: mapped.records,
            mapped: mapped.mapping.mapped,
            planning: true,
        });
    }
    let (store, now) = (Arc::clone(&tools.store), tools.now);
    let forgetting = Forgetting {
        retention: job.integration.retention,
        up: (tools.up)(),
    };
    let work = move || {
        let read = read.map(|mapped| mapped.work(&job.integration, started));
        conclude(&store, now, report, read, &forgetting)
    };
    let report = tokio::task::spawn_blocking(work).await??;
    tell(&report);
    Ok(report)
}

/// Does everything that a run does, and leaves nothing of it in the store: what it tells is what the next run
/// does when nothing changed. Its run has no id, and its reports of failures are not kept either.
pub async fn preview(
    integration: Arc<Integration>,
    tools: Tools,
    on_progress: OnProgress,
) -> Result<Preview, RunError> {
    let started = (tools.now)();
    let job = Job {
        integration,
        run: RunId::NONE,
        cause: Cause::Manual,
    };
    let id = job.integration.id.clone();
    let mut report = Run::begun(job.run, id, job.cause, job.integration.generation, started);
    let outcome = match read(&job, &tools, started, &on_progress, How::default()).await? {
        Ok(mapped) => {
            mapped.tell(&mut report);
            let (tools, report) = (tools.clone(), report.clone());
            let work = move || {
                let work = mapped.work(&job.integration, started);
                commit::preview(&tools.store, tools.now, report, work)
            };
            tokio::task::spawn_blocking(work).await??
        }
        Err(stop) => Err(stop),
    };
    Ok(outcome.unwrap_or_else(|stop| {
        report.ended = Some((tools.now)());
        report.outcome = stop.into();
        Preview::of(report)
    }))
}

/// Does everything that a run does, keeps the way of one resident, and leaves nothing in the store.
pub async fn explain(
    integration: Arc<Integration>,
    tools: Tools,
    resident: String,
) -> Result<Live, RunError> {
    let started = (tools.now)();
    let job = Job {
        integration,
        run: RunId::NONE,
        cause: Cause::Manual,
    };
    let id = job.integration.id.clone();
    let mut report = Run::begun(job.run, id, job.cause, job.integration.generation, started);
    let quiet: OnProgress = Arc::new(|_| {});
    let how = How {
        watched: Some(resident.clone()),
        ..How::default()
    };
    let outcome = match read(&job, &tools, started, &quiet, how).await? {
        Ok(mut mapped) => {
            mapped.tell(&mut report);
            let steps = std::mem::take(&mut mapped.mapping.steps);
            let work = move || {
                let work = mapped.work(&job.integration, started);
                commit::explain(&tools.store, tools.now, report, work, steps, &resident)
            };
            tokio::task::spawn_blocking(work).await??
        }
        Err(stop) => Err(stop),
    };
    Ok(outcome.unwrap_or_else(|stop| Live {
        outcome: stop.into(),
        steps: Vec::new(),
        considered: Vec::new(),
        decisions: Vec::new(),
        changes: Vec::new(),
        raised: Vec::new(),
    }))
}

impl Mapped {
    /// What the report says of the reading.
    pub(super) fn tell(&self, report: &mut Run) {
        report.pages = self.pages;
        report.records = self.records;
        report.notes.clone_from(&self.notes);
    }

    pub(super) fn work(self, integration: &Integration, started: Timestamp) -> Work {
        let config = &integration.config;
        Work {
            today: integration.today(started),
            attached: config.pms_properties.iter().cloned().collect(),
            earlier: self.earlier,
            credential: config.credential.clone(),
            email_change: config.email_change,
            missing_after: config.missing_after,
            guard: config.guard.clone(),
            silent: self.mapping.silent(),
            seen: self.mapping.mapped,
            taken: self.mapping.taken,
            spool: self.mapping.spool,
            lookups: self.lookups,
            notes: self.notes,
            memory: self.memory,
            mapped: self.by,
        }
    }
}

fn tell(report: &Run) {
    let Counts {
        seen,
        created,
        linked,
        updated,
        unchanged,
        held,
        flagged,
        excluded,
        ineligible,
        rejected,
    } = report.counts;
    let elapsed = report
        .ended
        .map(|ended| ended.duration_since(report.started).as_millis());
    match &report.outcome {
        // Somebody knows of it.
        Outcome::Held { digest, .. } if report.rejected_by.is_some() => tracing::info!(
            integration = %report.integration, run = %report.id, cause = %report.cause, digest, seen, held,
            changes = report.changes, elapsed_ms = elapsed, "sync held: the plan was rejected"
        ),
        // The reason may quote a script's: it stands in the report.
        Outcome::Held { digest, .. } => tracing::warn!(
            integration = %report.integration, run = %report.id, cause = %report.cause, digest, seen, held,
            changes = report.changes, elapsed_ms = elapsed, "sync held"
        ),
        Outcome::NotUnderstood { digest, .. } => tracing::warn!(
            integration = %report.integration, run = %report.id, cause = %report.cause, digest, seen, rejected,
            elapsed_ms = elapsed, "sync not understood: nothing was written"
        ),
        outcome if outcome.is_success() => tracing::info!(
            integration = %report.integration, run = %report.id, cause = %report.cause,
            outcome = report.outcome.as_str(), seen, created, linked, updated, unchanged, held, flagged, excluded,
            ineligible, rejected, changes = report.changes, elapsed_ms = elapsed, "sync committed"
        ),
        outcome => tracing::warn!(
            integration = %report.integration, run = %report.id, cause = %report.cause,
            outcome = outcome.as_str(), reason = outcome.reason().map(without_said).as_deref(), elapsed_ms = elapsed,
            "sync wrote nothing"
        ),
    }
}

/// How a run reads.
#[derive(Default)]
struct How {
    /// A resident whose way is kept.
    watched: Option<String>,
    patience: Option<Arc<Patience>>,
    /// As in [`Turn`].
    fresh_from: Option<Instant>,
    /// Counts the requests that are made.
    requests: Arc<AtomicU64>,
}

/// Reads and maps all, within the time that a run may take, beside what it waits for the PMS. What is dropped then has
/// written nothing. It is a task of its own: one that does not come back is left behind.
async fn read(
    job: &Job,
    tools: &Tools,
    started: Timestamp,
    on_progress: &OnProgress,
    how: How,
) -> Result<Result<Mapped, Stop>, RunError> {
    let deadline = job.integration.deadline;
    let patience = how.patience.clone();
    let (at_work, _waiter) = tools.workers.begin(&job.integration.id, job.run);
    let read = {
        let (job, tools, on_progress) = (job.clone(), tools.clone(), Arc::clone(on_progress));
        async move { read_all(&job, &tools, started, &on_progress, how, at_work).await }
    };
    let read = AbortOnDropHandle::new(tokio::spawn(read));
    let read = match patience {
        Some(patience) => patience.at_most(deadline.0, read).await,
        None => tokio::time::timeout(deadline.0, read).await.ok(),
    };
    match read {
        Some(read) => read?,
        None => Ok(Err(too_late(deadline))),
    }
}

/// It took longer than a run may take.
pub(super) fn too_late(deadline: Span) -> Stop {
    Stop::Incomplete(format!(
        "deadline: the run had not read and mapped all within {deadline}; nothing was written, and the next run is an ordinary one; see how long the PMS and the script take, or raise `deadline` in config/epms.yaml"
    ))
}

/// The account of an integration, with its secrets as they are now.
pub(super) async fn account(
    integration: &Arc<Integration>,
    tools: &Tools,
) -> Result<Result<Account, Stop>, RunError> {
    let (reader, of) = (Arc::clone(&tools.reader), Arc::clone(integration));
    let read = move || {
        let name = &of.config.credential;
        let account = reader.account(name, &of.credential, &of.source, &of.home);
        account.map_err(|error| Stop::Failed(format!("credential `{name}`: {error}")))
    };
    Ok(tokio::task::spawn_blocking(read).await?)
}

async fn read_all(
    job: &Job,
    tools: &Tools,
    started: Timestamp,
    on_progress: &OnProgress,
    How {
        watched,
        patience,
        fresh_from,
        requests,
    }: How,
    at_work: AtWork,
) -> Result<Result<Mapped, Stop>, RunError> {
    let integration = &job.integration;
    let name = &integration.config.credential;
    let account = match account(integration, tools).await? {
        Ok(account) => account
            .asked_by_hand(job.cause == Cause::Manual)
            .waiting_by(patience)
            .counted_by(requests),
        Err(stop) => return Ok(Err(stop)),
    };
    let today = integration.today(started);
    let mut scope = Scope {
        properties: integration.config.pms_properties.clone(),
        fields: integration.config.fields.clone(),
        today,
        judge: integration.judge(today),
        known: None,
    };
    let LookedUp {
        known,
        fresh,
        failed,
        noted,
    } = match lookups(
        integration,
        &[&integration.script],
        tools,
        &account,
        &scope,
        started,
    )
    .await?
    {
        Ok(lookups) => lookups,
        Err(stop) => return Ok(Err(stop)),
    };

    let (taker, mut pages) = mpsc::channel::<Handed>(2);
    let (store, id) = (Arc::clone(&tools.store), integration.id.clone());
    let fingerprint = integration.fingerprint();
    let script = integration.script_print();
    let shipped = integration.is_as_shipped.then(|| script.clone());
    // Whoever is watched is looked at, whatever is known of them.
    let remembers = watched.is_none();
    let remembered = move || {
        let view = store.read()?;
        let units = view.units(&id)?;
        let basis = Basis::of(&fingerprint, &units, &known);
        let parts = view.feed(&id)?;
        let memory = Memory::read(&parts, &basis, today).filter(|_| remembers);
        let earlier = Earlier::read(&parts, shipped.as_deref());
        Ok::<_, StoreError>((units, known, basis, memory.map(Arc::new), earlier))
    };
    let (units, known, basis, memory, earlier) = tokio::task::spawn_blocking(remembered).await??;
    scope.known = memory.as_ref().map(|memory| Arc::new(memory.known()));
    let seed = memory.as_ref().map(|memory| memory.seed());
    let seed = seed.or(earlier.as_ref().map(Earlier::seed));
    let seed = seed.unwrap_or_else(|| fastrand::u64(..));
    let spool = tools.store.spool();
    let mapping = Mapping::new(Arc::clone(integration), today, Arc::new(known), spool)
        .with_units(units)
        .without(unread(integration, &failed))
        .beside(seed, memory.clone())
        .watching(watched);
    let on_progress = Arc::clone(on_progress);
    // Mapping ends with the one who waits for it, not only with the page.
    let dropped = CancellationToken::new();
    let _waits = dropped.clone().drop_guard();
    let maps = at_work.clone();
    let mapper = tokio::task::spawn_blocking(move || {
        let _at_work = maps;
        let (mut mapping, mut progress) = (mapping, Progress::default());
        let mut nameless = 0;
        while let Some(handed) = pages.blocking_recv() {
            match handed {
                Handed::Page(records) => {
                    progress.pages += 1;
                    progress.records += records.len() as u64;
                    mapping.map(&records, &dropped);
                }
                Handed::Begin => mapping.begin(),
                Handed::Again => progress.records -= mapping.forget()?,
                Handed::Nameless(count) => nameless += count,
            }
            progress.mapped = mapping.mapped;
            on_progress(progress);
        }
        Ok::<_, SpoolError>((mapping, nameless))
    });
    let sharing = fresh_from.map(|fresh_from| Sharing {
        integration: integration.id.to_string(),
        fresh_from,
    });
    let reading = tools
        .reader
        .residents(
            &integration.source,
            &account,
            &scope,
            sharing.as_ref(),
            taker,
        )
        .await;
    let (mapping, nameless) = match mapper.await? {
        Ok(mapped) => mapped,
        Err(error) => return Ok(Err(not_spooled(&error))),
    };
    let in_vain = in_vain(&mapping, integration, &failed);
    let (pages, records, granted) = match (reading, in_vain) {
        (Reading::Partial { reason }, _) => return Ok(Err(stop(&reason, name))),
        (Reading::Complete { .. }, Some(stop)) => return Ok(Err(stop)),
        (
            Reading::Complete {
                pages,
                records,
                notes,
            },
            None,
        ) => (pages, records, notes),
    };
    let failed = failed.into_keys();
    let failed = failed.map(|lookup| (format!("unread_lookup:{lookup}"), 1));
    let mut notes: BTreeMap<String, u64> = noted.into_iter().chain(granted).collect();
    notes.extend(failed);
    if nameless > 0 {
        notes.insert("without_property".into(), nameless);
    }
    notes.extend(unnamed(integration, &mapping.silent()));
    let since_then = memory.as_ref().and_then(|memory| memory.today());
    let by = MappedBy {
        basis,
        today: since_then.or_else(|| mapping.asked_today().then_some(today)),
        seed,
        script,
    };
    Ok(Ok(Mapped {
        mapping,
        memory,
        earlier,
        by,
        pages,
        records,
        lookups: fresh,
        notes,
    }))
}

/// What was mapped is not there any more.
pub(super) fn not_spooled(error: &SpoolError) -> Stop {
    Stop::Failed(format!("{error}; nothing was written"))
}

/// Why what was mapped does not count: the script asked for a lookup that was not read.
pub(super) fn in_vain(
    mapping: &Mapping,
    integration: &Integration,
    failed: &BTreeMap<String, SourceError>,
) -> Option<Stop> {
    let (lookup, why) = mapping.unread()?;
    Some(match failed.get(lookup) {
        Some(error) => stop(error, &integration.config.credential),
        None => Stop::Failed(format!(
            "{} looks something up in `{lookup}`: {why}",
            integration.script.file().display()
        )),
    })
}

/// A note for each attached PMS property that no record names, where all are asked for at once: it may be misspelled, or
/// gone from the PMS.
pub(super) fn unnamed<'a>(
    integration: &Integration,
    silent: &'a BTreeSet<String>,
) -> impl Iterator<Item = (String, u64)> + 'a {
    let source = &integration.source;
    let at_once = source
        .feeds()
        .all(|request| source.tells_properties(request));
    let silent = silent.iter().filter(move |_| at_once);
    silent.map(|property| (format!("property_not_named:{property}"), 1))
}

pub(super) fn stop(error: &SourceError, credential: &str) -> Stop {
    match error {
        SourceError::Unavailable(_) | SourceError::Unexpected(_) | SourceError::Stopped => {
            Stop::Incomplete(error.to_string())
        }
        SourceError::Postponed(_) => Stop::Postponed(error.to_string()),
        SourceError::LoginFailed(_) => Stop::LoginFailed {
            credential: credential.to_owned(),
            reason: error.to_string(),
        },
        SourceError::Denied(_) | SourceError::NotAllowed(_) => Stop::Failed(error.to_string()),
    }
}

/// What scripts look things up in.
#[derive(Default)]
pub(super) struct LookedUp {
    pub(super) known: Lookups,
    /// What was read now, and is written with the run's commit.
    pub(super) fresh: Vec<(String, Lookup)>,
    /// What could not be read, and may not be asked at all.
    pub(super) failed: BTreeMap<String, SourceError>,
    /// What the readings took for granted.
    pub(super) noted: BTreeMap<String, u64>,
}

/// The lookups of the run: those that still serve from the store, the others from the PMS. One that a script asks by its
/// name must be there; one that it may ask or not fails no run that does not ask for it.
pub(super) async fn lookups(
    integration: &Integration,
    scripts: &[&Script],
    tools: &Tools,
    account: &Account,
    scope: &Scope,
    now: Timestamp,
) -> Result<Result<LookedUp, Stop>, RunError> {
    let source = &integration.source;
    let mut looked_up = LookedUp::default();
    let asked = |request: &str| scripts.iter().any(|script| script.asks(request));
    for (request, refresh) in source.lookups().filter(|(request, _)| asked(request)) {
        let (store, id, name) = (
            Arc::clone(&tools.store),
            integration.id.clone(),
            request.to_owned(),
        );
        let kept = tokio::task::spawn_blocking(move || store.read()?.lookup(&id, &name)).await??;
        let age = |lookup: &Lookup| now.duration_since(lookup.read);
        let refresh = SignedDuration::try_from(refresh.0).unwrap_or(SignedDuration::MAX);
        // What was read with other properties or by another connector does not serve.
        let kept = kept.filter(|kept| {
            age(kept) < refresh
                && kept.read_by == integration.fingerprint()
                && tells_apart(kept, source.has_own_of_each(request), &scope.properties)
        });
        if let Some(kept) = kept {
            looked_up.known.know(request, by_property(kept));
            continue;
        }
        let (taker, pages) = mpsc::channel::<Handed>(2);
        let collect = async {
            let mut came = Lookups::new();
            for record in collected(pages).await {
                let key = source.lookup_key(request, &record.property, &record.json);
                if let Some((property, id)) = key {
                    came.put(request, property, id, record.json.into());
                }
            }
            came
        };
        let (reading, came) = tokio::join!(
            tools.reader.read(source, account, request, scope, taker),
            collect
        );
        match reading {
            Reading::Complete { notes, .. } => looked_up.noted.extend(notes),
            Reading::Partial { reason }
                if !scripts
                    .iter()
                    .any(|one| one.lookups().contains_key(request))
                    && is_of_its_own(&reason) =>
            {
                tracing::warn!(
                    integration = %integration.id, lookup = request, reason = %reason,
                    "a lookup that may not be asked at all could not be read"
                );
                looked_up.failed.insert(request.to_owned(), reason);
                continue;
            }
            Reading::Partial { reason } => {
                let credential = &integration.config.credential;
                return Ok(Err(stop(&reason, credential)));
            }
        }
        let doubtful = came.doubtful(request);
        if doubtful > 0 {
            let note = format!("several_in_lookup:{request}");
            looked_up.noted.insert(note, doubtful);
        }
        let mut of_properties = came.of(request).cloned().unwrap_or_default();
        let mut lookup = Lookup {
            read: now,
            read_by: integration.fingerprint(),
            records: of_properties.remove("").unwrap_or_default(),
            of_properties,
        };
        // What is told of somebody who was erased is not taken in.
        if tools.store.tombstones().clean_lookup(&mut lookup) {
            looked_up.known.know(request, by_property(lookup.clone()));
        } else {
            looked_up.known.take(request, came);
        }
        looked_up.fresh.push((request.to_owned(), lookup));
    }
    Ok(Ok(looked_up))
}

/// Whether a kept lookup has what each PMS property has of its own, where it does. Earlier versions kept one record for an id,
/// of whichever property.
fn tells_apart(kept: &Lookup, own_of_each: bool, properties: &[String]) -> bool {
    !own_of_each || kept.records.is_empty() || properties.len() < 2
}

/// The records of a lookup, by PMS property.
fn by_property(lookup: Lookup) -> BTreeMap<String, Keyed> {
    let mut all = lookup.of_properties;
    all.insert(String::new(), lookup.records);
    all
}

/// Whether a failure is one of what was asked for, and not of all that the credential asks.
fn is_of_its_own(error: &SourceError) -> bool {
    match error {
        SourceError::Unavailable(_)
        | SourceError::Unexpected(_)
        | SourceError::Denied(_)
        | SourceError::NotAllowed(_) => true,
        SourceError::LoginFailed(_) | SourceError::Postponed(_) | SourceError::Stopped => false,
    }
}

/// The lookups that were not read, and why.
pub(super) fn unread(
    integration: &Integration,
    failed: &BTreeMap<String, SourceError>,
) -> BTreeMap<String, String> {
    let (source, script) = (&integration.source, &integration.script);
    let unnamed = source
        .lookups()
        .filter(|(lookup, _)| !script.asks(lookup))
        .map(|(lookup, _)| {
            let why = "its name stands nowhere in the script, so that it was not read; write it as a text where it is asked";
            (lookup.to_owned(), why.to_owned())
        });
    let failed = failed
        .iter()
        .map(|(lookup, error)| (lookup.clone(), error.to_string()));
    unnamed.chain(failed).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lookup_that_an_earlier_version_kept_serves_where_it_is_of_one_property_or_of_all() {
        let kept = r#"{"read":"2026-03-01T00:00:00Z","read_by":"me","records":{"7":"{}"}}"#;
        let kept: Lookup = serde_json::from_str(kept).unwrap();
        let one = ["p1".to_owned()];
        let two = ["p1".to_owned(), "p2".to_owned()];
        assert!(tells_apart(&kept, false, &two));
        assert!(tells_apart(&kept, true, &one));
        assert!(!tells_apart(&kept, true, &two));
        let now = Lookup {
            of_properties: BTreeMap::from([("p1".to_owned(), kept.records.clone())]),
            records: Keyed::new(),
            ..kept
        };
        assert!(tells_apart(&now, true, &two));
        let mut lookups = Lookups::new();
        lookups.know("units", by_property(now));
        assert_eq!(lookups.get("units", "p1", "7"), Some("{}"));
        assert_eq!(lookups.get("units", "p2", "7"), None);
    }
}
