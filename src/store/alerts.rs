//! Alerts: found by their cause; those that are open by an index, and counted, so that closed ones cost nobody anything
//! who does not ask for them; closed ones by the hour in which they were written last, by which they are forgotten.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use redb::{ReadableTable, Table};

use crate::model::{Alert, AlertId, AlertKind, AlertState, IntegrationId, PersonId};

use super::read::behind;
use super::value::{from_bytes, to_bytes};
use super::write::Done;
use super::{View, Write, tables};

pub(super) const NEXT_ALERT: &str = "next-alert";

type Alerts<'a> = &'a dyn Fn(u64) -> Done<Option<Alert>>;

fn alert_in(table: &impl ReadableTable<u64, &'static [u8]>, id: u64) -> Done<Option<Alert>> {
    table
        .get(id)?
        .map(|value| from_bytes("alerts-1", value.value()))
        .transpose()
}

/// The open alerts of a kind, of one integration or of all.
fn open_of_kind(
    index: &impl ReadableTable<(&'static str, &'static str, u64), ()>,
    kind: AlertKind,
    integration: Option<&IntegrationId>,
    alerts: Alerts<'_>,
    mut each: impl FnMut(Alert),
) -> Done<()> {
    let at = integration.map_or("", IntegrationId::as_str);
    for entry in index.range((kind.as_str(), at, 0)..)? {
        let (key, ()) = entry.map(|(key, value)| (key, value.value()))?;
        let (of_kind, of, id) = key.value();
        if of_kind != kind.as_str() || integration.is_some_and(|wanted| wanted.as_str() != of) {
            break;
        }
        if let Some(alert) = alerts(id)? {
            each(alert);
        }
    }
    Ok(())
}

/// The alert of a cause, open or not.
fn of_cause(
    index: &impl ReadableTable<(&'static str, &'static str, &'static str), u64>,
    alerts: &impl ReadableTable<u64, &'static [u8]>,
    integration: &IntegrationId,
    kind: AlertKind,
    subject: &str,
) -> Done<Option<Alert>> {
    let id = index.get((integration.as_str(), kind.as_str(), subject))?;
    id.map_or(Ok(None), |id| alert_in(alerts, id.value()))
}

impl View {
    /// An alert.
    pub fn alert(&self, id: AlertId) -> Done<Option<Alert>> {
        alert_in(&self.transaction.open_table(tables::ALERTS)?, id.0)
    }

    /// The alert of a cause, open or not.
    pub fn alert_of(
        &self,
        integration: &IntegrationId,
        kind: AlertKind,
        subject: &str,
    ) -> Done<Option<Alert>> {
        let index = self.transaction.open_table(tables::ALERTS_BY_CAUSE)?;
        let alerts = self.transaction.open_table(tables::ALERTS)?;
        of_cause(&index, &alerts, integration, kind, subject)
    }

    /// All alerts by id, also those that are not open; those after `after`, at most `limit` that `keep` keeps.
    pub fn alerts(
        &self,
        after: Option<AlertId>,
        limit: usize,
        mut keep: impl FnMut(&Alert) -> bool,
    ) -> Done<Vec<Alert>> {
        let table = self.transaction.open_table(tables::ALERTS)?;
        let mut alerts = Vec::new();
        for entry in table.range(behind(after.map(|id| id.0)))? {
            if alerts.len() >= limit {
                break;
            }
            let alert: Alert = from_bytes("alerts-1", entry?.1.value())?;
            if keep(&alert) {
                alerts.push(alert);
            }
        }
        Ok(alerts)
    }

    /// The open alerts of an integration, or of all, by kind and id.
    pub fn open_alerts(&self, integration: Option<&IntegrationId>) -> Done<Vec<Alert>> {
        let index = self.transaction.open_table(tables::OPEN_ALERTS)?;
        let table = self.transaction.open_table(tables::ALERTS)?;
        let alert = |id| alert_in(&table, id);
        let mut open = Vec::new();
        for kind in AlertKind::ALL {
            open_of_kind(&index, kind, integration, &alert, |alert| open.push(alert))?;
        }
        open.sort_by_key(|alert| (alert.kind, alert.id));
        Ok(open)
    }

    /// The open alerts about a person, by id.
    pub fn open_alerts_about(&self, person: PersonId) -> Done<Vec<Alert>> {
        let index = self.transaction.open_table(tables::OPEN_ALERTS_BY_PERSON)?;
        let table = self.transaction.open_table(tables::ALERTS)?;
        let mut open = Vec::new();
        for entry in index.range((person.0, 0)..=(person.0, u64::MAX))? {
            open.extend(alert_in(&table, entry?.0.value().1)?);
        }
        Ok(open)
    }

    /// Calls `each` with every open alert of a kind, by integration and id.
    pub(super) fn each_open_of(&self, kind: AlertKind, each: impl FnMut(Alert)) -> Done<()> {
        let index = self.transaction.open_table(tables::OPEN_ALERTS)?;
        let table = self.transaction.open_table(tables::ALERTS)?;
        open_of_kind(&index, kind, None, &|id| alert_in(&table, id), each)
    }

    /// How many alerts are open, by integration and kind.
    pub fn count_open_alerts(&self) -> Done<BTreeMap<(IntegrationId, AlertKind), u64>> {
        let table = self.transaction.open_table(tables::OPEN_ALERT_COUNTS)?;
        let mut counts = BTreeMap::new();
        for entry in table.iter()? {
            let (key, count) = entry?;
            let (integration, word) = key.value();
            let kind = AlertKind::ALL
                .into_iter()
                .find(|kind| kind.as_str() == word);
            if let Some(kind) = kind {
                counts.insert((IntegrationId::new(integration), kind), count.value());
            }
        }
        Ok(counts)
    }
}

impl Write {
    /// An id that no alert ever had.
    pub fn new_alert_id(&self) -> Done<AlertId> {
        self.take_number(NEXT_ALERT).map(AlertId)
    }

    /// An alert.
    pub fn alert(&self, id: AlertId) -> Done<Option<Alert>> {
        alert_in(&self.transaction.open_table(tables::ALERTS)?, id.0)
    }

    /// Every alert of an integration by its cause, also those that are not open.
    pub fn alerts(
        &self,
        integration: &IntegrationId,
    ) -> Done<BTreeMap<(AlertKind, String), Alert>> {
        let index = self.transaction.open_table(tables::ALERTS_BY_CAUSE)?;
        let alerts = self.transaction.open_table(tables::ALERTS)?;
        let mut found = BTreeMap::new();
        for entry in index.range((integration.as_str(), "", "")..)? {
            let (key, id) = entry?;
            if key.value().0 != integration.as_str() {
                break;
            }
            if let Some(alert) = alert_in(&alerts, id.value())? {
                found.insert((alert.kind, alert.subject.clone()), alert);
            }
        }
        Ok(found)
    }

    /// The open alerts of an integration, by their cause.
    pub fn open_alerts(
        &self,
        integration: &IntegrationId,
    ) -> Done<BTreeMap<(AlertKind, String), Alert>> {
        let index = self.transaction.open_table(tables::OPEN_ALERTS)?;
        let table = self.transaction.open_table(tables::ALERTS)?;
        let alert = |id| alert_in(&table, id);
        let mut open = BTreeMap::new();
        for kind in AlertKind::ALL {
            open_of_kind(&index, kind, Some(integration), &alert, |alert| {
                open.insert((kind, alert.subject.clone()), alert);
            })?;
        }
        Ok(open)
    }

    /// The alert of a cause, open or not.
    pub fn alert_of(
        &self,
        integration: &IntegrationId,
        kind: AlertKind,
        subject: &str,
    ) -> Done<Option<Alert>> {
        let index = self.transaction.open_table(tables::ALERTS_BY_CAUSE)?;
        let alerts = self.transaction.open_table(tables::ALERTS)?;
        of_cause(&index, &alerts, integration, kind, subject)
    }

    /// The open alert of a kind about a subject, whichever integration raised it.
    pub fn open_alert_about(&self, kind: AlertKind, subject: &str) -> Done<Option<Alert>> {
        let index = self.transaction.open_table(tables::OPEN_ALERTS)?;
        let table = self.transaction.open_table(tables::ALERTS)?;
        let (alert, mut found) = (|id| alert_in(&table, id), None);
        open_of_kind(&index, kind, None, &alert, |alert| {
            if alert.subject == subject {
                found = Some(alert);
            }
        })?;
        Ok(found)
    }

    /// The alert of a kind about a subject, whichever integration raised it; an open one before others, which are
    /// looked for among all causes.
    pub fn alert_about(&self, kind: AlertKind, subject: &str) -> Done<Option<Alert>> {
        if let Some(open) = self.open_alert_about(kind, subject)? {
            return Ok(Some(open));
        }
        let index = self.transaction.open_table(tables::ALERTS_BY_CAUSE)?;
        for entry in index.iter()? {
            let (key, id) = entry?;
            let (_, of_kind, of) = key.value();
            if of_kind == kind.as_str() && of == subject {
                return self.alert(AlertId(id.value()));
            }
        }
        Ok(None)
    }

    /// Writes an alert, new or not.
    pub fn put_alert(&self, alert: &Alert) -> Done<()> {
        self.put_alerts([alert])
    }

    /// Writes alerts, new or not.
    pub fn put_alerts<'a>(&self, all: impl IntoIterator<Item = &'a Alert>) -> Done<()> {
        let mut alerts = self.transaction.open_table(tables::ALERTS)?;
        let (mut places, hour) = (Places::of(self)?, self.hour()?);
        for alert in all {
            let before = alert_in(&alerts, alert.id.0)?;
            places.concern(before.as_ref(), alert)?;
            let stays = |before: &Alert| same_place(before, alert);
            match before {
                Some(before) if stays(&before) && before.state == AlertState::Open => {}
                Some(before) if !stays(&before) => {
                    // One about a credential is raised again by whichever integration meets its cause.
                    places.leave(&before)?;
                    places.take(alert, hour)?;
                }
                _ => places.take(alert, hour)?,
            }
            alerts.insert(alert.id.0, to_bytes("alerts-1", alert)?.as_slice())?;
        }
        Ok(())
    }

    /// Forgets alerts that have not been open, nor found again, for more than so many hours; at most `most` of them.
    pub fn forget_alerts(&self, hours: u64, most: usize) -> Done<()> {
        let since = self.since(hours)?;
        let mut old = Vec::new();
        let index = self.transaction.open_table(tables::CLOSED_ALERTS_BY_HOUR)?;
        for entry in index.range(..(since, 0))?.take(most) {
            old.push(entry?.0.value().1);
        }
        drop(index);
        if old.is_empty() {
            return Ok(());
        }
        let mut places = Places::of(self)?;
        let mut alerts = self.transaction.open_table(tables::ALERTS)?;
        for id in old {
            match alert_in(&alerts, id)? {
                Some(alert) => places.leave(&alert)?,
                None => places.close(id, None)?,
            }
            alerts.remove(id)?;
        }
        Ok(())
    }

    /// Open alerts are found by the people whom they are about.
    pub(super) fn index_open_alerts_by_person(&self) -> Done<()> {
        let mut places = Places::of(self)?;
        for entry in self.transaction.open_table(tables::ALERTS)?.iter()? {
            let alert: Alert = from_bytes("alerts-1", entry?.1.value())?;
            places.concern(None, &alert)?;
        }
        Ok(())
    }

    /// Writes every index of alerts anew. Those that are not open were written last before hours were counted, which
    /// began at `begin`.
    pub(super) fn index_alerts(&self, begin: Timestamp) -> Done<()> {
        let mut places = Places::of(self)?;
        places.clear()?;
        for entry in self.transaction.open_table(tables::ALERTS)?.iter()? {
            let alert: Alert = from_bytes("alerts-1", entry?.1.value())?;
            let age = begin.duration_since(alert.last_seen).as_hours().max(0);
            places.take(&alert, -age)?;
        }
        Ok(())
    }
}

/// Whether two states of an alert are found in the same places, but for the hour.
fn same_place(one: &Alert, other: &Alert) -> bool {
    let place = |alert: &Alert| (alert.kind, alert.state == AlertState::Open);
    place(one) == place(other)
        && one.integration == other.integration
        && one.subject == other.subject
}

/// The people whom an alert that is open is about.
pub(super) fn concerned(alert: &Alert) -> BTreeSet<u64> {
    let is_open = alert.state == AlertState::Open;
    let sides = alert.sides.iter().filter(|_| is_open);
    sides.filter_map(|side| Some(side.person?.0)).collect()
}

/// Where alerts are found.
struct Places<'a> {
    by_cause: Table<'a, (&'static str, &'static str, &'static str), u64>,
    open: Table<'a, (&'static str, &'static str, u64), ()>,
    counts: Table<'a, (&'static str, &'static str), u64>,
    by_person: Table<'a, (u64, u64), ()>,
    closed: Table<'a, u64, i64>,
    by_hour: Table<'a, (i64, u64), ()>,
}

impl Places<'_> {
    fn of(write: &Write) -> Done<Places<'_>> {
        Ok(Places {
            by_cause: write.transaction.open_table(tables::ALERTS_BY_CAUSE)?,
            open: write.transaction.open_table(tables::OPEN_ALERTS)?,
            counts: write.transaction.open_table(tables::OPEN_ALERT_COUNTS)?,
            by_person: write
                .transaction
                .open_table(tables::OPEN_ALERTS_BY_PERSON)?,
            closed: write.transaction.open_table(tables::CLOSED_ALERTS)?,
            by_hour: write
                .transaction
                .open_table(tables::CLOSED_ALERTS_BY_HOUR)?,
        })
    }

    fn clear(&mut self) -> Done<()> {
        self.by_cause.retain(|_, _| false)?;
        self.open.retain(|_, ()| false)?;
        self.counts.retain(|_, _| false)?;
        self.closed.retain(|_, _| false)?;
        self.by_hour.retain(|_, ()| false)?;
        Ok(())
    }

    /// An alert is about these people now.
    fn concern(&mut self, before: Option<&Alert>, alert: &Alert) -> Done<()> {
        let (was, is) = (before.map(concerned).unwrap_or_default(), concerned(alert));
        for person in was.difference(&is) {
            self.by_person.remove((*person, alert.id.0))?;
        }
        for person in is.difference(&was) {
            self.by_person.insert((*person, alert.id.0), ())?;
        }
        Ok(())
    }

    /// An alert is here now.
    fn take(&mut self, alert: &Alert, hour: i64) -> Done<()> {
        let (at, kind, id) = (alert.integration.as_str(), alert.kind.as_str(), alert.id.0);
        self.by_cause
            .insert((at, kind, alert.subject.as_str()), id)?;
        if alert.state == AlertState::Open {
            self.close(id, None)?;
            let is_new = self.open.insert((kind, at, id), ())?.is_none();
            if is_new {
                self.recount(at, kind, |count| count + 1)?;
            }
            return Ok(());
        }
        self.close(id, Some(hour))
    }

    /// An alert is here no more.
    fn leave(&mut self, alert: &Alert) -> Done<()> {
        let (at, kind, id) = (alert.integration.as_str(), alert.kind.as_str(), alert.id.0);
        self.by_cause.remove((at, kind, alert.subject.as_str()))?;
        let was_open = self.open.remove((kind, at, id))?.is_some();
        if was_open {
            self.recount(at, kind, |count| count.saturating_sub(1))?;
        }
        self.close(id, None)
    }

    /// An alert was written in this hour and is not open, or is open.
    fn close(&mut self, id: u64, hour: Option<i64>) -> Done<()> {
        let before = match hour {
            Some(hour) => self.closed.insert(id, hour)?,
            None => self.closed.remove(id)?,
        };
        let before = before.map(|hour| hour.value());
        if let Some(before) = before.filter(|before| Some(*before) != hour) {
            self.by_hour.remove((before, id))?;
        }
        if let Some(hour) = hour {
            self.by_hour.insert((hour, id), ())?;
        }
        Ok(())
    }

    fn recount(&mut self, at: &str, kind: &str, now: impl FnOnce(u64) -> u64) -> Done<()> {
        let count = self.counts.get((at, kind))?;
        let count = now(count.map_or(0, |count| count.value()));
        if count == 0 {
            self.counts.remove((at, kind))?;
        } else {
            self.counts.insert((at, kind), count)?;
        }
        Ok(())
    }
}
