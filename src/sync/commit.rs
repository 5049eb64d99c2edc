//! The commit of a run: what was read becomes a plan, and the plan is written together with the report of
//! the run, all of it or nothing.

use std::collections::BTreeMap;

use jiff::Timestamp;

use crate::config::EmailChange;
use crate::model::{AlertId, Counts, IntegrationId, Link, Outcome, Person, PersonId, Run};
use crate::store::{Lookup, Store, StoreError, Write};

use super::entry::Entry;
use super::matching::People;
use super::normal::Notes;
use super::plan::{Inputs, Plan, plan};

/// Decisions are kept for so many runs of an integration.
const DECISIONS_KEPT: usize = 24;

/// Why a run wrote nothing.
#[derive(Debug)]
pub(super) enum Stop {
    /// The reading was not complete.
    Incomplete(String),
    /// It could not run to its end.
    Failed(String),
}

/// What a complete reading gave, and how the integration wants it carried out.
#[derive(Debug)]
pub(super) struct Work {
    pub(super) email_change: EmailChange,
    pub(super) missing_after: u32,
    pub(super) entries: Vec<Entry>,
    /// How many of them there are, counted where records are mapped: there must be a decision for each.
    pub(super) seen: u64,
    pub(super) notes: Notes,
    /// PMS units that the mapping list does not know (R35), and what to do about each.
    pub(super) unmapped: BTreeMap<String, String>,
    pub(super) lookups: Vec<(String, Lookup)>,
}

/// Writes that a run began.
pub(super) fn begin(store: &Store, report: &Run) -> Result<(), StoreError> {
    let write = store.write()?;
    write.put_run(report)?;
    let mut history = write.history(&report.integration)?;
    history.last_started = Some(report.started);
    history.last_run = Some(report.id);
    write.put_history(&report.integration, &history)?;
    write.commit()
}

/// Writes why a run wrote nothing else.
pub(super) fn fail(
    store: &Store,
    now: impl Fn() -> Timestamp,
    mut report: Run,
    stop: Stop,
) -> Result<Run, StoreError> {
    report.ended = Some(now());
    report.outcome = match stop {
        Stop::Incomplete(reason) => Outcome::Incomplete { reason },
        Stop::Failed(reason) => Outcome::Failed { reason },
    };
    let write = store.write()?;
    write.put_run(&report)?;
    let mut history = write.history(&report.integration)?;
    history.last_error = report.outcome.reason().map(String::from);
    write.put_history(&report.integration, &history)?;
    write.commit()?;
    Ok(report)
}

/// Plans and commits, all together or not at all.
pub(super) fn commit(
    store: &Store,
    now: impl Fn() -> Timestamp,
    mut report: Run,
    work: Work,
) -> Result<Result<Run, Stop>, StoreError> {
    let id = &report.integration.clone();
    let write = store.write()?;
    let links = write.links(id)?;
    let open = links
        .values()
        .filter(|link| !link.status.is_closed())
        .count();
    if report.records == 0 && open > 0 {
        // R26: nothing where there was something proves nothing.
        return Ok(Err(Stop::Incomplete(format!(
            "the feed is empty, and {open} residents of it are linked; nothing was written: check `pms_properties` and \
             the rights of the credential"
        ))));
    }
    let inputs = Inputs {
        integration: id,
        run: report.id,
        now: now(),
        email_change: work.email_change,
        missing_after: work.missing_after,
        entries: work.entries,
        unmapped: work.unmapped,
        links,
        alerts: write.alerts(id)?,
    };
    let property = Property {
        write: &write,
        integration: id,
    };
    let plan = plan(inputs, &property)?;
    report.counts = Counts {
        seen: work.seen,
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
    report.notes = work.notes;
    report.outcome = if plan.writes_nothing() {
        Outcome::Unchanged
    } else {
        Outcome::Committed
    };
    apply(&write, id, plan, &report)?;
    for (request, lookup) in &work.lookups {
        write.put_lookup(id, request, lookup)?;
    }
    report.ended = Some(now());
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
pub(super) struct Property<'a> {
    pub(super) write: &'a Write,
    pub(super) integration: &'a IntegrationId,
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
