//! One run: read, map, plan, commit, report. Either all of it is in the store afterwards, or only the
//! report that says why not (R26).

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use tokio::sync::mpsc;

use crate::catalog::Integration;
use crate::model::{
    AlertId, Cause, Counts, IntegrationId, Link, Outcome, Person, PersonId, Progress, Reading, Run,
    RunId,
};
use crate::script::Lookups;
use crate::source::{Account, Reader, Records, Scope, SourceError};
use crate::store::{Lookup, Store, StoreError, Write};

use super::mapping::Mapping;
use super::matching::People;
use super::plan::{Inputs, Plan, plan};

/// Decisions are kept for so many runs of an integration.
const DECISIONS_KEPT: usize = 24;

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

/// Why a run wrote nothing.
enum Stop {
    /// The reading was not complete.
    Incomplete(String),
    /// It could not run to its end.
    Failed(String),
}

/// Everything that was read, mapped.
struct Mapped {
    mapping: Mapping,
    pages: u64,
    records: u64,
    lookups: Vec<(String, Lookup)>,
}

/// Runs one sync. Failures of the PMS end in the report; only a failing store is an error.
pub async fn run(job: Job, tools: Tools, on_progress: OnProgress) -> Result<Run, RunError> {
    let started = (tools.now)();
    let mut report = Run {
        id: job.run,
        integration: job.integration.id.clone(),
        cause: job.cause,
        generation: job.integration.generation,
        started,
        ended: None,
        outcome: Outcome::Running,
        pages: 0,
        records: 0,
        counts: Counts::default(),
        changes: 0,
        excluded_by: BTreeMap::new(),
        notes: BTreeMap::new(),
    };
    let (store, beginning) = (Arc::clone(&tools.store), report.clone());
    tokio::task::spawn_blocking(move || begin(&store, &beginning)).await??;

    let outcome = match read(&job, &tools, started, &on_progress).await? {
        Ok(mapped) => {
            let (pages, records, seen) = (mapped.pages, mapped.records, mapped.mapping.seen);
            on_progress(Progress {
                pages,
                records,
                mapped: seen,
                planning: true,
            });
            report.pages = mapped.pages;
            report.records = mapped.records;
            let (tools, job, report) = (tools.clone(), job.clone(), report.clone());
            tokio::task::spawn_blocking(move || commit(&job, &tools, report, mapped)).await??
        }
        Err(stop) => Err(stop),
    };
    let report = match outcome {
        Ok(report) => report,
        Err(stop) => {
            report.ended = Some((tools.now)());
            report.outcome = match stop {
                Stop::Incomplete(reason) => Outcome::Incomplete { reason },
                Stop::Failed(reason) => Outcome::Failed { reason },
            };
            let (store, ending) = (Arc::clone(&tools.store), report.clone());
            tokio::task::spawn_blocking(move || fail(&store, &ending)).await??;
            report
        }
    };
    tell(&report);
    Ok(report)
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
    match report.outcome.reason() {
        None => tracing::info!(
            integration = %report.integration, run = %report.id, cause = %report.cause,
            outcome = report.outcome.as_str(), seen, created, linked, updated, unchanged, held, flagged, excluded,
            ineligible, rejected, changes = report.changes, elapsed_ms = elapsed, "sync committed"
        ),
        Some(reason) => tracing::warn!(
            integration = %report.integration, run = %report.id, cause = %report.cause,
            outcome = report.outcome.as_str(), reason, elapsed_ms = elapsed, "sync wrote nothing"
        ),
    }
}

fn begin(store: &Store, report: &Run) -> Result<(), StoreError> {
    let write = store.write()?;
    write.put_run(report)?;
    let mut history = write.history(&report.integration)?;
    history.last_started = Some(report.started);
    history.last_run = Some(report.id);
    write.put_history(&report.integration, &history)?;
    write.commit()
}

fn fail(store: &Store, report: &Run) -> Result<(), StoreError> {
    let write = store.write()?;
    write.put_run(report)?;
    let mut history = write.history(&report.integration)?;
    history.last_error = report.outcome.reason().map(String::from);
    write.put_history(&report.integration, &history)?;
    write.commit()
}

async fn read(
    job: &Job,
    tools: &Tools,
    started: Timestamp,
    on_progress: &OnProgress,
) -> Result<Result<Mapped, Stop>, RunError> {
    let integration = &job.integration;
    let name = &integration.config.credential;
    let account = match tools.reader.account(
        name,
        &integration.credential,
        &integration.source,
        &integration.home,
    ) {
        Ok(account) => account,
        Err(error) => return Ok(Err(Stop::Failed(format!("credential `{name}`: {error}")))),
    };
    let today = integration.today(started);
    let scope = Scope {
        properties: integration.config.pms_properties.clone(),
        fields: integration.config.fields.clone(),
        today,
    };
    let (known, fresh) = match lookups(job, tools, &account, &scope, started).await? {
        Ok(lookups) => lookups,
        Err(stop) => return Ok(Err(stop)),
    };

    let (taker, mut pages) = mpsc::channel::<Records>(2);
    let mapping = Mapping::new(Arc::clone(integration), today, Arc::new(known));
    let on_progress = Arc::clone(on_progress);
    let mapper = tokio::task::spawn_blocking(move || {
        let (mut mapping, mut progress) = (mapping, Progress::default());
        while let Some(records) = pages.blocking_recv() {
            progress.pages += 1;
            progress.records += records.len() as u64;
            for record in &records {
                mapping.map(record);
            }
            progress.mapped = mapping.seen;
            on_progress(progress);
        }
        mapping
    });
    let reading = tools
        .reader
        .residents(&integration.source, &account, &scope, taker)
        .await;
    let mapping = mapper.await?;
    Ok(match reading {
        Reading::Complete { pages, records } => Ok(Mapped {
            mapping,
            pages,
            records,
            lookups: fresh,
        }),
        Reading::Partial { reason } => Err(stop(&reason)),
    })
}

fn stop(error: &SourceError) -> Stop {
    match error {
        SourceError::Unavailable(_) | SourceError::Unexpected(_) | SourceError::Stopped => {
            Stop::Incomplete(error.to_string())
        }
        SourceError::LoginFailed(_) | SourceError::Denied(_) | SourceError::NotAllowed(_) => {
            Stop::Failed(error.to_string())
        }
    }
}

type Known = (Lookups, Vec<(String, Lookup)>);

/// The lookups of the run: those that still serve from the store, the others from the PMS. They are
/// written with the run's commit.
async fn lookups(
    job: &Job,
    tools: &Tools,
    account: &Account,
    scope: &Scope,
    now: Timestamp,
) -> Result<Result<Known, Stop>, RunError> {
    let source = &job.integration.source;
    let (mut known, mut fresh) = (Lookups::new(), Vec::new());
    for (request, refresh) in source.lookups() {
        let (store, id, name) = (
            Arc::clone(&tools.store),
            job.integration.id.clone(),
            request.to_owned(),
        );
        let kept = tokio::task::spawn_blocking(move || store.read()?.lookup(&id, &name)).await??;
        let age = |lookup: &Lookup| now.duration_since(lookup.read);
        let refresh = SignedDuration::try_from(refresh.0).unwrap_or(SignedDuration::MAX);
        // What was read with other properties or by another connector does not serve.
        let kept = kept
            .filter(|kept| age(kept) < refresh && kept.read_by == job.integration.fingerprint());
        if let Some(kept) = kept {
            known.insert(request.to_owned(), kept.records);
            continue;
        }
        let (taker, mut pages) = mpsc::channel::<Records>(2);
        let collect = async {
            let mut records = BTreeMap::new();
            while let Some(page) = pages.recv().await {
                for record in page {
                    if let Some(id) = source.record_id(request, &record.json) {
                        records.insert(id, String::from(record.json));
                    }
                }
            }
            records
        };
        let (reading, records) = tokio::join!(
            tools.reader.read(source, account, request, scope, taker),
            collect
        );
        if let Reading::Partial { reason } = reading {
            return Ok(Err(stop(&reason)));
        }
        known.insert(request.to_owned(), records.clone());
        fresh.push((
            request.to_owned(),
            Lookup {
                read: now,
                read_by: job.integration.fingerprint(),
                records,
            },
        ));
    }
    Ok(Ok((known, fresh)))
}

/// Plans and commits, all together or not at all.
fn commit(
    job: &Job,
    tools: &Tools,
    mut report: Run,
    mapped: Mapped,
) -> Result<Result<Run, Stop>, StoreError> {
    let Mapped {
        mapping,
        records,
        lookups,
        ..
    } = mapped;
    let id = &job.integration.id;
    let write = tools.store.write()?;
    let links = write.links(id)?;
    let open = links
        .values()
        .filter(|link| !link.status.is_closed())
        .count();
    if records == 0 && open > 0 {
        // R26: nothing where there was something proves nothing.
        return Ok(Err(Stop::Incomplete(format!(
            "the feed is empty, and {open} residents of it are linked; nothing was written: check `pms_properties` and \
             the rights of the credential"
        ))));
    }
    let now = (tools.now)();
    let inputs = Inputs {
        integration: id,
        run: job.run,
        now,
        email_change: job.integration.config.email_change,
        missing_after: job.integration.config.missing_after,
        entries: mapping.entries,
        links,
        alerts: write.alerts(id)?,
    };
    let property = Property {
        write: &write,
        integration: id,
    };
    let plan = plan(inputs, &property)?;
    report.counts = Counts {
        seen: mapping.seen,
        ..plan.counts
    };
    if !report.counts.add_up() {
        return Ok(Err(Stop::Failed(format!(
            "the counts do not add up ({:?}); nothing was written: this is a mistake in epms, report it",
            report.counts
        ))));
    }
    report.changes = plan.changes.len() as u64;
    report.excluded_by.clone_from(&plan.excluded_by);
    report.notes = mapping.notes;
    report.outcome = if plan.writes_nothing() {
        Outcome::Unchanged
    } else {
        Outcome::Committed
    };
    apply(&write, id, plan, &report)?;
    for (request, lookup) in &lookups {
        write.put_lookup(id, request, lookup)?;
    }
    report.ended = Some((tools.now)());
    write.put_run(&report)?;
    let mut history = write.history(id)?;
    history.last_success = report.ended;
    history.last_error = None;
    write.put_history(id, &history)?;
    write.commit()?;
    Ok(Ok(report))
}

fn apply(
    write: &Write,
    integration: &IntegrationId,
    plan: Plan,
    report: &Run,
) -> Result<(), StoreError> {
    for person in &plan.people {
        write.put_person(person)?;
    }
    for (resident, link) in &plan.links {
        write.put_link(integration, resident, link)?;
    }
    for mut alert in plan.alerts.raised {
        if alert.id == AlertId(0) {
            alert.id = write.new_alert_id()?;
        }
        write.put_alert(&alert)?;
    }
    for alert in plan.alerts.refreshed.iter().chain(&plan.alerts.closed) {
        write.put_alert(alert)?;
    }
    for change in plan.changes {
        write.append_change(change)?;
    }
    write.put_decisions(integration, report.id, &plan.decisions, DECISIONS_KEPT)
}

/// The people as one property's matching sees them.
struct Property<'a> {
    write: &'a Write,
    integration: &'a IntegrationId,
}

impl People for Property<'_> {
    fn person(&self, id: PersonId) -> Result<Option<Person>, StoreError> {
        self.write.person(id)
    }

    fn person_with_email(&self, email: &str) -> Result<Option<PersonId>, StoreError> {
        self.write.person_with_email(email)
    }

    fn people_named(&self, first: &str, last: &str) -> Result<Vec<PersonId>, StoreError> {
        self.write.people_named(self.integration, first, last)
    }

    fn new_person_id(&self) -> Result<PersonId, StoreError> {
        self.write.new_person_id()
    }
}

impl Plan {
    /// Whether nothing that anybody would notice is written: misses and `last_seen` are not.
    fn writes_nothing(&self) -> bool {
        self.people.is_empty()
            && self.changes.is_empty()
            && self.alerts.raised.is_empty()
            && self.alerts.closed.is_empty()
            && self
                .links
                .iter()
                .all(|(_, link): &(String, Link)| link.misses > 0)
    }
}
