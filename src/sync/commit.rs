//! The commit of a run: what was read becomes a plan, and the plan is written together with the report of
//! the run, all of it or nothing.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::Timestamp;
use jiff::civil::Date;

use crate::config::{EmailChange, Guard};
use crate::model::{
    AlertId, Counts, GuardState, GuardedKind, HeldPlan, IntegrationId, Link, Live, Outcome,
    PersonId, Preview, Run, Spool, Step,
};
use crate::store::{Lookup, Property, Stirred, Store, StoreError, Write};

use super::hold;
use super::memory::{
    Amiss, Earlier, Gathered, Kept, MappedBy, Memory, Takings, Upgrade, gather, households, keep,
    withhold,
};
use super::retention::{self, Forgetting};
use super::standing;
use crate::rules::AlertWrites;
use crate::rules::entry::Entry;
use crate::rules::guard::Facts;
use crate::rules::matching::{candidates, considered};
use crate::rules::plan::{Inputs, Plan, plan};
use crate::rules::understood::{self, Beside, Reading};

/// Decisions are kept for so many runs of an integration.
const DECISIONS_KEPT: usize = 24;

/// Why a run wrote nothing.
#[derive(Debug)]
pub(super) enum Stop {
    /// The reading was not complete.
    Incomplete(String),
    /// The PMS may not be asked before the next run (R43).
    Postponed(String),
    /// It could not run to its end.
    Failed(String),
    /// The PMS refused the login of this credential.
    LoginFailed { credential: String, reason: String },
}

impl From<Stop> for Outcome {
    fn from(stop: Stop) -> Outcome {
        match stop {
            Stop::Incomplete(reason) => Outcome::Incomplete { reason },
            Stop::Postponed(reason) => Outcome::Postponed { reason },
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
    /// The day at the property.
    pub(super) today: Date,
    /// The PMS properties that feed the integration.
    pub(super) attached: BTreeSet<String>,
    /// What is remembered of the records by the rules of an earlier version.
    pub(super) earlier: Option<Earlier>,
    /// The records, in the order of the feed.
    pub(super) taken: Takings,
    /// Where the run puts what it cannot keep in memory.
    pub(super) spool: Arc<dyn Spool>,
    /// How many entries they have, counted where records are mapped: there must be a decision for each.
    pub(super) seen: u64,
    /// Attached PMS properties that sent nothing.
    pub(super) silent: BTreeSet<String>,
    pub(super) lookups: Vec<(String, Lookup)>,
    /// What the reading took for granted.
    pub(super) notes: BTreeMap<String, u64>,
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
    forgetting: &Forgetting,
) -> Result<Run, StoreError> {
    let done = read.map(|work| commit(store, &now, report.clone(), work, forgetting));
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
    fail(store, now, report, stop, forgetting)
}

/// Writes why a run wrote nothing else.
pub(super) fn fail(
    store: &Store,
    now: impl Fn() -> Timestamp,
    mut report: Run,
    stop: Stop,
    forgetting: &Forgetting,
) -> Result<Run, StoreError> {
    let at = now();
    report.ended = Some(at);
    let write = store.write()?;
    write.count_hours(forgetting.up)?;
    if let Stop::LoginFailed { credential, reason } = &stop {
        standing::login_failed(&write, credential, &report, reason, at)?;
    }
    let is_failure = !matches!(stop, Stop::Postponed(_));
    report.outcome = stop.into();
    write.put_run(&report)?;
    let mut history = write.history(&report.integration)?;
    if is_failure {
        history.failures = history.failures.saturating_add(1);
    }
    history.last_error = report.outcome.reason().map(String::from);
    write.put_history(&report.integration, &history)?;
    retention::forget(&write, &report.integration, forgetting)?;
    write.commit()?;
    Ok(report)
}

/// Plans and commits, all together or not at all.
pub(super) fn commit(
    store: &Store,
    now: impl Fn() -> Timestamp,
    report: Run,
    work: Work,
    forgetting: &Forgetting,
) -> Result<Result<Run, Stop>, StoreError> {
    let write = store.write()?.by_run_of(&report.integration);
    // What the run writes is of this hour.
    write.count_hours(forgetting.up)?;
    let report = match carry_out(&write, &now, report, work)? {
        Ok(carried) => carried.report,
        Err(stop) => return Ok(Err(stop)),
    };
    retention::forget(&write, &report.integration, forgetting)?;
    write.commit()?;
    Ok(Ok(report))
}

/// The same run, of which nothing remains in the store.
pub(super) fn preview(
    store: &Store,
    now: impl Fn() -> Timestamp,
    report: Run,
    work: Work,
) -> Result<Result<Preview, Stop>, StoreError> {
    let write = store.write()?.by_run_of(&report.integration);
    let carried = match carry_out(&write, now, report, work)? {
        Ok(carried) => carried,
        Err(stop) => return Ok(Err(stop)),
    };
    let Carried {
        report,
        plan,
        held,
        since_upgrade,
    } = carried;
    // Numbers are given by what is committed alone: these have none.
    let changes = plan.changes.to_vec()?;
    let decisions = write.decisions(report.id)?;
    let mut names = BTreeMap::new();
    for change in &changes {
        if let Some(person) = write.person(change.person)? {
            let name = format!("{} {}", person.first_name, person.last_name);
            names.insert(person.id, name.trim().to_owned());
        }
    }
    Ok(Ok(Preview {
        report,
        changes,
        decisions,
        raised: plan.alerts.raised,
        closed: plan.alerts.closed,
        names,
        held,
        since_upgrade,
        tried: None,
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
        let mut normal = None;
        for made in work.taken.each_made() {
            normal = made?.entries.into_iter().find_map(|entry| match entry {
                Entry::Resident { normal, .. } if normal.resident.id == resident => Some(normal),
                _ => None,
            });
            if normal.is_some() {
                break;
            }
        }
        if let Some(normal) = normal
            && let Some(email) = &normal.resident.email
        {
            let candidates = candidates(&normal.resident, email, &property)?;
            seen = considered(&normal.resident, ruling.as_ref(), &candidates);
        }
    }
    drop(property);
    let Carried {
        report, mut plan, ..
    } = match carry_out(&write, now, report, work)? {
        Ok(carried) => carried,
        Err(stop) => return Ok(Err(stop)),
    };
    plan.decisions
        .retain(|decision| decision.subject == resident)?;
    plan.changes
        .retain(|change| change.resident.as_deref() == Some(resident))?;
    let (decisions, changes) = (plan.decisions.to_vec()?, plan.changes.to_vec()?);
    let mut raised = plan.alerts.raised;
    raised.retain(|alert| alert.is_about(resident, &decisions));
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
    mut work: Work,
) -> Result<Result<Carried, Stop>, StoreError> {
    let mut taken = std::mem::take(&mut work.taken);
    // Of what could not be put away something may be left that is no whole reading.
    work.spool.sound()?;
    let earlier = work.earlier.take();
    let upgrade = earlier.map(|earlier| earlier.compare(&taken)).transpose()?;
    let id = &report.integration.clone();
    let tombstones = write.tombstones();
    withhold(&mut taken, &tombstones, |resident| {
        Ok(write.link(id, resident)?.is_some())
    })?;
    for (_, lookup) in &mut work.lookups {
        tombstones.clean_lookup(lookup);
    }
    let property = Property::of(write, id)?;
    let mut alerts = write.open_alerts(id)?;
    let told = hold::Told::of(write, id, &mut alerts)?;
    let memory = work.memory.as_deref();
    let mut gathered = match gather(write, id, &property, &alerts, memory, taken) {
        Ok(gathered) => gathered,
        Err(Amiss::MovedOn) => {
            return Ok(Err(Stop::Failed(
                "another run of the integration ended while this one was reading; ask again".into(),
            )));
        }
        Err(Amiss::Dropped) => {
            return Ok(Err(Stop::Postponed(
                "what was remembered of the feed was dropped while this run was reading, as somebody was erased or let in again: nothing was written, and the next run looks at everything".into(),
            )));
        }
        Err(Amiss::Store(error)) => return Err(error),
    };
    let at = now();
    let mut state = write.guard(id)?;
    let (understood, mut emptied) = understands(write, &report, at, &work, &state, &gathered)?;
    let is_empty = gathered.nobody() == work.seen;
    let mut inputs = Inputs {
        integration: id,
        run: report.id,
        now: at,
        not_understood: matches!(understood, understood::Verdict::Not { .. }),
        email_change: work.email_change,
        missing_after: work.missing_after,
        entries: std::mem::take(&mut gathered.entries),
        unmapped: std::mem::take(&mut gathered.unmapped),
        odd: gathered.quiet.odd.clone(),
        bad_dates: gathered.bad_dates(write, id, memory)?,
        links: std::mem::take(&mut gathered.links),
        rulings: write.rulings(id)?,
        alerts,
        resting: gathered.quiet.resting.clone(),
        cut_emails: BTreeSet::new(),
    };
    inputs.cut_emails = cut_emails(upgrade.as_ref(), &state, &inputs);
    let mut plan = plan(&mut inputs, &property)?;
    plan.alerts
        .recall(|kind, subject| write.alert_of(id, kind, subject))?;
    gathered.add_to(&mut plan);
    plan.counts.seen = work.seen;
    if !plan.counts.add_up() {
        return Ok(Err(does_not_add_up(plan.counts)));
    }
    gathered.links = std::mem::take(&mut inputs.links);
    let (mut understanding, gaps, gaps_approved_by) = match understood {
        understood::Verdict::Understood {
            understanding,
            gaps,
            approved_by,
        } => (*understanding, gaps, approved_by),
        understood::Verdict::Not {
            plan: waits,
            reason,
        } => {
            understood::stop(&mut plan)?;
            report.outcome = Outcome::NotUnderstood {
                reason: understood::advice(&reason, report.id),
                digest: waits.digest.clone(),
            };
            state.understanding.waits = Some(waits);
            let ending = Ending {
                plan,
                state,
                waits: true,
                ..Ending::default()
            };
            let carried = end(write, now, report, property, &work, gathered, ending)?;
            // What an earlier run held is not what this one would do.
            return Ok(Ok(Carried {
                held: None,
                since_upgrade: None,
                ..carried
            }));
        }
    };
    // Whoever is linked to another record by this run is not gone.
    let is_new = |resident: &String| !gathered.links.contains_key(resident);
    for linked in &plan.links {
        if emptied.is_empty() {
            break;
        }
        let (resident, link) = linked?;
        if is_new(&resident) {
            emptied.remove(&link.person);
        }
    }
    let upgrade = upgrade.as_ref();
    let retroactive = upgrade.map(|upgrade| upgrade.people(&gathered.links, &plan));
    let retroactive = retroactive.transpose()?;
    let facts = Facts {
        integration: id,
        run: report.id,
        now: at,
        today: work.today,
        limits: &work.guard,
        state: &state,
        links: &gathered.links,
        all_links: &|| write.links(id),
        households: &|residents| households(write, id, memory, &gathered, residents),
        people: &property,
        records: report.records,
        empty: is_empty,
        emptied: &emptied,
        attached: &work.attached,
        silent: &work.silent,
        retroactive: &retroactive.unwrap_or_default(),
    };
    let guarded = hold::hold(&mut plan, &facts)?;
    if !plan.counts.add_up() {
        return Ok(Err(does_not_add_up(plan.counts)));
    }
    report.outcome = if plan.writes_nothing(&gathered.links)? {
        Outcome::Unchanged
    } else {
        Outcome::Committed
    };
    guarded.tell(&mut plan, &mut report, told, at);
    let waits = guarded.is_held();
    let (mut state, mut cut) = (guarded.state, guarded.cut);
    if waits {
        // What was read was understood, or somebody said that it need not be.
        state.understanding.waits = None;
    } else {
        state.excluded_by = Some(plan.excluded_by.clone());
        state.seen = Some(plan.counts.seen);
        gaps.tell(&mut understanding, &plan.links)?;
        state.understanding = understanding;
        cut.extend(gathered.unsettled(&plan, &state.understanding)?);
        report.approved_by = report.approved_by.or(gaps_approved_by);
        standing::fresh(write, id, at)?;
    }
    let ending = Ending {
        plan,
        state,
        waits,
        notes: guarded.notes,
        cut,
        lookups: if guarded.stopped { &[] } else { &work.lookups },
    };
    end(write, now, report, property, &work, gathered, ending).map(Ok)
}

/// The people whose email earlier rules alone made of their record: found by the first run of this version, and waiting
/// for approval since (R20).
fn cut_emails(
    upgrade: Option<&Upgrade>,
    state: &GuardState,
    inputs: &Inputs<'_>,
) -> BTreeSet<PersonId> {
    let waits = state.since_upgrade.iter().flat_map(|plan| &plan.items);
    let waits = waits.filter(|item| item.kind == GuardedKind::EmailChange && item.to.is_empty());
    let mut people: BTreeSet<PersonId> = waits.filter_map(|item| item.person).collect();
    people.extend(
        upgrade
            .iter()
            .flat_map(|upgrade| upgrade.with_emails(&inputs.links, &inputs.alerts)),
    );
    people
}

/// Whether the run understood what it read (R41), and in whose records there is nobody any more.
fn understands(
    write: &Write,
    report: &Run,
    now: Timestamp,
    work: &Work,
    state: &GuardState,
    gathered: &Gathered,
) -> Result<(understood::Verdict, BTreeSet<PersonId>), StoreError> {
    let before = &state.understanding;
    // What this version keeps goes before what an earlier one said.
    let rejected_before = if before.known {
        BTreeSet::new()
    } else {
        understood::rejected_before(&write.alerts(&report.integration)?)
    };
    let beside = Beside {
        odd: Some(&gathered.quiet.odd),
        theirs: gathered.unmapped_beside(write, &report.integration, before)?,
    };
    let reading = Reading::of(&gathered.entries, &gathered.links, &rejected_before, beside)?;
    let facts = understood::Facts {
        run: report.id,
        now,
        limits: &work.guard,
        before,
        records: report.records,
        seen: work.seen,
        rejected: gathered.rejected(),
        all_links: &|| write.links(&report.integration),
    };
    let verdict = understood::judge(&reading, &facts)?;
    Ok((verdict, reading.emptied().clone()))
}

/// How a run ends whose plan, or what is left of it, is written.
#[derive(Default)]
struct Ending<'a> {
    plan: Plan,
    state: GuardState,
    /// Some of the plan, or all of it, waits.
    waits: bool,
    /// What is told in the report beside the notes of the records.
    notes: BTreeMap<String, u64>,
    /// Whom the next run has to look at: their part of the plan waits although the run goes on, or is not settled.
    cut: BTreeSet<PersonId>,
    lookups: &'a [(String, Lookup)],
}

/// Writes what is left of the plan, what the next run is judged by, and the report.
fn end(
    write: &Write,
    now: impl Fn() -> Timestamp,
    mut report: Run,
    property: Property<'_>,
    work: &Work,
    gathered: Gathered,
    ending: Ending<'_>,
) -> Result<Carried, StoreError> {
    let id = &report.integration.clone();
    let Ending {
        mut plan,
        state,
        waits,
        mut notes,
        cut,
        lookups,
    } = ending;
    report.counts = plan.counts;
    report.changes = plan.changes.len() as u64;
    report.excluded_by.clone_from(&plan.excluded_by);
    report.notes.append(&mut gathered.all_notes());
    report.notes.append(&mut notes);
    report.notes.extend(work.notes.clone());
    let ended = now();
    standing::login_worked(write, &work.credential, ended)?;
    let memory = work.memory.as_deref();
    let kept = keep(write, &report, memory, gathered, &plan, &work.mapped, waits)?;
    write.stir(id, cut.into_iter().map(Stirred::Person))?;
    property.settle()?;
    apply(write, id, &mut plan, kept, &report)?;
    // What was written is what was decided only where all of it was there to be read.
    work.spool.sound()?;
    write.put_guard(id, &state)?;
    for (request, lookup) in lookups {
        write.put_lookup(id, request, lookup)?;
    }
    report.ended = Some(ended);
    write.put_run(&report)?;
    let mut history = write.history(id)?;
    history.last_error = report.outcome.reason().map(String::from);
    if report.outcome.is_success() {
        history.last_success = report.ended;
        write.put_up_to_date(id)?;
    }
    // The source answered, whatever was made of that.
    history.failures = 0;
    history.requests = report.requests;
    write.put_history(id, &history)?;
    let GuardState {
        held,
        since_upgrade,
        ..
    } = state;
    Ok(Carried {
        report,
        plan,
        held,
        since_upgrade,
    })
}

/// What a run did.
struct Carried {
    report: Run,
    plan: Plan,
    /// The plan that waits.
    held: Option<HeldPlan>,
    /// What only the rules of a new version would take, and waits.
    since_upgrade: Option<HeldPlan>,
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
    write.people()?.put_many(plan.people.iter())?;
    write.put_many_links(integration, plan.links.iter())?;
    for alert in &mut plan.alerts.raised {
        if alert.id == AlertId(0) {
            alert.id = write.new_alert_id()?;
        }
    }
    let AlertWrites {
        raised,
        refreshed,
        closed,
    } = &plan.alerts;
    write.put_alerts(raised.iter().chain(refreshed).chain(closed))?;
    write.append_many_changes(plan.changes.iter())?;
    let Kept { earlier, standing } = kept;
    write.put_decisions(
        integration,
        report.id,
        earlier.iter().chain(plan.decisions.iter()),
        standing.as_ref(),
        DECISIONS_KEPT,
    )
}

impl Plan {
    /// Whether nothing that anybody would notice is written: misses and `last_seen` are not, nor what a link knows
    /// about ids and leases. `links` are those before.
    fn writes_nothing(&self, links: &BTreeMap<String, Link>) -> Result<bool, StoreError> {
        let says = |link: &Link| {
            (
                link.person,
                link.status,
                link.email.clone(),
                link.unit.clone(),
                link.property.clone(),
            )
        };
        if !self.people.is_empty()
            || !self.changes.is_empty()
            || !self.alerts.raised.is_empty()
            || !self.alerts.closed.is_empty()
        {
            return Ok(false);
        }
        for linked in &self.links {
            let (resident, link) = linked?;
            if link.misses == 0 && links.get(&resident).map(says) != Some(says(&link)) {
                return Ok(false);
            }
        }
        Ok(true)
    }
}
