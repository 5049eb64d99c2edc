//! The commit of a run: what was read becomes a plan, and the plan is written together with the report of
//! the run, all of it or nothing.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::Timestamp;

use crate::config::{EmailChange, Guard, OnTrip, Retention};
use crate::model::{
    Alert, AlertId, AlertKind, AlertState, Counts, GuardState, IntegrationId, Link, Live, Outcome,
    Person, PersonId, Preview, Run, Step,
};
use crate::store::{self, Lookup, Store, StoreError, Write};

use super::entry::Entry;
use super::guard::{self, Facts, Verdict};
use super::matching::{People, candidates, considered};
use super::memory::{Amiss, Kept, MappedBy, Memory, Taken, gather, keep};
use super::plan::{Inputs, Plan, plan};
use super::retention;
use super::standing::{self, Cause};

/// Decisions are kept for so many runs of an integration.
const DECISIONS_KEPT: usize = 24;

/// Why a run wrote nothing.
#[derive(Debug)]
pub(super) enum Stop {
    /// The reading was not complete.
    Incomplete(String),
    /// It could not run to its end.
    Failed(String),
    /// The PMS refused the login of this credential.
    LoginFailed { credential: String, reason: String },
}

impl From<Stop> for Outcome {
    fn from(stop: Stop) -> Outcome {
        match stop {
            Stop::Incomplete(reason) => Outcome::Incomplete { reason },
            Stop::Failed(reason) | Stop::LoginFailed { reason, .. } => Outcome::Failed { reason },
        }
    }
}

/// What a complete reading gave, and how the integration wants it carried out.
#[derive(Debug)]
pub(super) struct Work {
    pub(super) credential: String,
    pub(super) email_change: EmailChange,
    pub(super) missing_after: u32,
    pub(super) guard: Guard,
    /// The records, in the order of the feed.
    pub(super) taken: Vec<Taken>,
    /// How many entries they have, counted where records are mapped: there must be a decision for each.
    pub(super) seen: u64,
    /// Attached PMS properties that sent nothing.
    pub(super) silent: BTreeSet<String>,
    pub(super) lookups: Vec<(String, Lookup)>,
    /// What the run before remembered.
    pub(super) memory: Option<Arc<Memory>>,
    pub(super) mapped: MappedBy,
}

/// Writes that a run began.
pub(super) fn begin(store: &Store, report: &Run) -> Result<(), StoreError> {
    let write = store.write()?;
    // One whose report could not be written says still that it is under way.
    write.interrupt(&report.integration)?;
    write.put_run(report)?;
    let mut history = write.history(&report.integration)?;
    history.last_started = Some(report.started);
    history.last_run = Some(report.id);
    write.put_history(&report.integration, &history)?;
    write.commit()
}

/// Commits what was read, or writes why nothing is.
pub(super) fn conclude(
    store: &Store,
    now: impl Fn() -> Timestamp,
    report: Run,
    read: Result<Work, Stop>,
    retention: &Retention,
) -> Result<Run, StoreError> {
    let done = read.map(|work| commit(store, &now, report.clone(), work, retention));
    let stop = match done {
        Ok(Ok(Ok(report))) => return Ok(report),
        Ok(Ok(Err(stop))) | Err(stop) => stop,
        Ok(Err(error)) => {
            // A disk may have kept what it failed to confirm.
            let kept = store.read().and_then(|view| view.run(report.id));
            match kept {
                Ok(Some(kept)) if kept.outcome != Outcome::Running => return Ok(kept),
                Ok(_) => Stop::Failed(format!("{error}; nothing was written")),
                Err(_) => return Err(error),
            }
        }
    };
    fail(store, now, report, stop, retention)
}

/// Writes why a run wrote nothing else.
pub(super) fn fail(
    store: &Store,
    now: impl Fn() -> Timestamp,
    mut report: Run,
    stop: Stop,
    retention: &Retention,
) -> Result<Run, StoreError> {
    let at = now();
    report.ended = Some(at);
    let write = store.write()?;
    if let Stop::LoginFailed { credential, reason } = &stop {
        standing::login_failed(&write, credential, &report, reason, at)?;
    }
    report.outcome = stop.into();
    write.put_run(&report)?;
    let mut history = write.history(&report.integration)?;
    history.failures = history.failures.saturating_add(1);
    history.last_error = report.outcome.reason().map(String::from);
    write.put_history(&report.integration, &history)?;
    retention::forget(&write, &report.integration, retention, at)?;
    write.commit()?;
    Ok(report)
}

/// Plans and commits, all together or not at all.
pub(super) fn commit(
    store: &Store,
    now: impl Fn() -> Timestamp,
    report: Run,
    work: Work,
    retention: &Retention,
) -> Result<Result<Run, Stop>, StoreError> {
    let write = store.write()?.by_run_of(&report.integration);
    let (report, _) = match carry_out(&write, &now, report, work)? {
        Ok(done) => done,
        Err(stop) => return Ok(Err(stop)),
    };
    retention::forget(&write, &report.integration, retention, now())?;
    write.commit()?;
    Ok(Ok(report))
}

/// Numbers are given by what is committed alone.
fn unnumber(plan: &mut Plan) {
    for change in &mut plan.changes {
        change.seq = 0;
    }
}

/// The same run, of which nothing remains in the store.
pub(super) fn preview(
    store: &Store,
    now: impl Fn() -> Timestamp,
    report: Run,
    work: Work,
) -> Result<Result<Preview, Stop>, StoreError> {
    let write = store.write()?.by_run_of(&report.integration);
    let (report, mut plan) = match carry_out(&write, now, report, work)? {
        Ok(done) => done,
        Err(stop) => return Ok(Err(stop)),
    };
    unnumber(&mut plan);
    let decisions = write.decisions(report.id)?;
    let mut names = BTreeMap::new();
    for change in &plan.changes {
        if let Some(person) = write.person(change.person)? {
            let name = format!("{} {}", person.first_name, person.last_name);
            names.insert(person.id, name.trim().to_owned());
        }
    }
    Ok(Ok(Preview {
        report,
        changes: plan.changes,
        decisions,
        raised: plan.alerts.raised,
        closed: plan.alerts.closed,
        names,
    }))
}

/// What the same run makes of one resident, and whom it considers, of which nothing remains in the store.
pub(super) fn explain(
    store: &Store,
    now: impl Fn() -> Timestamp,
    report: Run,
    work: Work,
    steps: Vec<Step>,
    resident: &str,
) -> Result<Result<Live, Stop>, StoreError> {
    let write = store.write()?.by_run_of(&report.integration);
    let id = report.integration.clone();
    let property = Property::of(&write, &id)?;
    let mut seen = Vec::new();
    // Somebody linked is not matched any more.
    if write.link(&id, resident)?.is_none() {
        let ruling = write.ruling(&id, resident)?;
        let made = work.taken.iter().filter_map(|taken| match taken {
            Taken::Made(made) => Some(made),
            Taken::Known(_) => None,
        });
        let mut entries = made.flat_map(|made| &made.entries);
        let normal = entries.find_map(|entry| match entry {
            Entry::Resident { normal, .. } if normal.resident.id == resident => Some(normal),
            _ => None,
        });
        if let Some(normal) = normal
            && let Some(email) = &normal.resident.email
        {
            let candidates = candidates(&normal.resident, email, &property)?;
            seen = considered(&normal.resident, ruling.as_ref(), &candidates);
        }
    }
    drop(property);
    let (report, mut plan) = match carry_out(&write, now, report, work)? {
        Ok(done) => done,
        Err(stop) => return Ok(Err(stop)),
    };
    unnumber(&mut plan);
    let about = |alert: &Alert| {
        let sides = &alert.sides;
        alert.subject == resident
            || sides
                .iter()
                .any(|side| side.resident.as_deref() == Some(resident))
    };
    let (mut decisions, mut changes, mut raised) =
        (plan.decisions, plan.changes, plan.alerts.raised);
    decisions.retain(|decision| decision.subject == resident);
    changes.retain(|change| change.resident.as_deref() == Some(resident));
    raised.retain(about);
    Ok(Ok(Live {
        outcome: report.outcome,
        steps,
        considered: seen,
        decisions,
        changes,
        raised,
    }))
}

/// Everything that a run does to the store, but for the commit.
fn carry_out(
    write: &Write,
    now: impl Fn() -> Timestamp,
    mut report: Run,
    work: Work,
) -> Result<Result<(Run, Plan), Stop>, StoreError> {
    let id = &report.integration.clone();
    let property = Property::of(write, id)?;
    let mut alerts = write.alerts(id)?;
    let held_before = alerts.remove(&(AlertKind::MassChangeHeld, standing::GUARD.to_owned()));
    let memory = work.memory.as_deref();
    let mut gathered = match gather(write, id, &property, &alerts, memory, work.taken) {
        Ok(gathered) => gathered,
        Err(Amiss::MovedOn) => {
            return Ok(Err(Stop::Failed(
                "another run of the integration ended while this one was reading; ask again".into(),
            )));
        }
        Err(Amiss::Store(error)) => return Err(error),
    };
    let mut inputs = Inputs {
        integration: id,
        run: report.id,
        now: now(),
        email_change: work.email_change,
        missing_after: work.missing_after,
        entries: std::mem::take(&mut gathered.entries),
        unmapped: std::mem::take(&mut gathered.unmapped),
        links: std::mem::take(&mut gathered.links),
        rulings: write.rulings(id)?,
        alerts,
    };
    let at = inputs.now;
    let mut plan = plan(&mut inputs, &property)?;
    gathered.add_to(&mut plan);
    plan.counts.seen = work.seen;
    if !plan.counts.add_up() {
        return Ok(Err(does_not_add_up(plan.counts)));
    }
    let mut state = write.guard(id)?;
    let facts = Facts {
        integration: id,
        run: report.id,
        now: at,
        limits: &work.guard,
        state: &state,
        links: &inputs.links,
        all_links: &|| write.links(id),
        people: &property,
        seen: work.seen,
        empty: report.records == 0,
        silent: &work.silent,
    };
    let verdict = guard::judge(&plan, &facts)?;
    let held = matches!(verdict, Verdict::Trips { .. });
    let mut staged = Vec::new();
    let stopped = match &verdict {
        Verdict::Passes { .. } => false,
        Verdict::Trips { plan: held, .. } => {
            let stops = work.guard.on_trip == OnTrip::Stop || held.is_of_an_empty_feed();
            if stops {
                guard::stop(&mut plan, held);
            } else {
                guard::stage(&mut plan, held, &facts)?;
                staged = guard::staged(&plan, &facts)?;
            }
            stops
        }
    };
    if !plan.counts.add_up() {
        return Ok(Err(does_not_add_up(plan.counts)));
    }
    report.counts = plan.counts;
    report.changes = plan.changes.len() as u64;
    report.excluded_by.clone_from(&plan.excluded_by);
    report.notes = gathered.all_notes();
    report.outcome = if plan.writes_nothing() {
        Outcome::Unchanged
    } else {
        Outcome::Committed
    };
    match verdict {
        Verdict::Passes {
            approved_by,
            passed,
        } => {
            state = GuardState {
                passed,
                excluded_by: Some(report.excluded_by.clone()),
                seen: Some(report.counts.seen),
                held: None,
                approval: None,
            };
            report.approved_by = approved_by;
            plan.alerts.closed.extend(standing::close(held_before, at));
            standing::fresh(write, id, at)?;
        }
        Verdict::Trips { plan: held, reason } => {
            let reason = guard::advice(&reason, report.id, stopped);
            let digest = held.digest.clone();
            let cause = Cause {
                kind: AlertKind::MassChangeHeld,
                integration: id,
                subject: standing::GUARD,
                run: report.id,
            };
            let is_open = |alert: &Alert| alert.state == AlertState::Open;
            let refreshes = held_before.as_ref().is_some_and(is_open);
            let alert = standing::open(held_before, &cause, &reason, at);
            if refreshes {
                plan.alerts.refreshed.push(alert);
            } else {
                plan.alerts.raised.push(alert);
            }
            // What is written of a staged plan takes nothing from anybody; units may be left by it.
            state.passed.extend(staged);
            state.held = Some(held);
            report.outcome = Outcome::Held { reason, digest };
        }
    }
    standing::login_worked(write, &work.credential, at)?;
    gathered.links = std::mem::take(&mut inputs.links);
    let kept = keep(write, &report, memory, gathered, &plan, &work.mapped, held)?;
    property.people.settle()?;
    apply(write, id, &mut plan, kept, &report)?;
    write.put_guard(id, &state)?;
    if !stopped {
        for (request, lookup) in &work.lookups {
            write.put_lookup(id, request, lookup)?;
        }
    }
    report.ended = Some(now());
    write.put_run(&report)?;
    let mut history = write.history(id)?;
    history.last_error = report.outcome.reason().map(String::from);
    if report.outcome.is_success() {
        history.last_success = report.ended;
    }
    // The source answered, whatever the guard says to it.
    history.failures = 0;
    write.put_history(id, &history)?;
    Ok(Ok((report, plan)))
}

fn does_not_add_up(counts: Counts) -> Stop {
    Stop::Failed(format!(
        "the counts do not add up ({counts:?}); nothing was written: this is a mistake in epms, report it"
    ))
}

fn apply(
    write: &Write,
    integration: &IntegrationId,
    plan: &mut Plan,
    kept: Kept,
    report: &Run,
) -> Result<(), StoreError> {
    write.people()?.put(&plan.people)?;
    let links = plan.links.iter();
    write.put_links(
        integration,
        links.map(|(resident, link)| (resident.as_str(), link)),
    )?;
    for alert in &mut plan.alerts.raised {
        if alert.id == AlertId(0) {
            alert.id = write.new_alert_id()?;
        }
        write.put_alert(alert)?;
    }
    for alert in plan.alerts.refreshed.iter().chain(&plan.alerts.closed) {
        write.put_alert(alert)?;
    }
    write.append_changes(&mut plan.changes)?;
    let Kept { own, standing } = kept;
    write.put_decisions(
        integration,
        report.id,
        &own,
        standing.as_ref(),
        DECISIONS_KEPT,
    )
}

/// The people as one property's matching sees them.
pub(super) struct Property<'a> {
    people: store::People<'a>,
    integration: &'a IntegrationId,
}

impl<'a> Property<'a> {
    pub(super) fn of(
        write: &'a Write,
        integration: &'a IntegrationId,
    ) -> Result<Property<'a>, StoreError> {
        Ok(Property {
            people: write.people()?,
            integration,
        })
    }
}

impl People for Property<'_> {
    fn person(&self, id: PersonId) -> Result<Option<Person>, StoreError> {
        self.people.person(id)
    }

    fn person_with_email(&self, email: &str) -> Result<Option<PersonId>, StoreError> {
        self.people.person_with_email(email)
    }

    fn people_named(&self, first: &str, last: &str) -> Result<Vec<PersonId>, StoreError> {
        self.people.people_named(self.integration, first, last)
    }

    fn new_person_id(&self) -> Result<PersonId, StoreError> {
        self.people.new_person_id()
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
