//! Alerts about the feed itself and not about a resident: a held plan (R27), a refused login, a feed that is
//! silent for too long (R28). Written with the report that shows their cause, or its end.

use std::collections::BTreeMap;

use jiff::Timestamp;

use crate::model::{Alert, AlertId, AlertKind, AlertState, GuardState, IntegrationId, Run, RunId};
use crate::store::{Store, StoreError, Write};

/// The subject of the alert about a held plan: there is one for each integration.
pub(super) const GUARD: &str = GuardState::SUBJECT;

/// The subject of the alert about what only the rules of a new version would take.
pub(super) const SINCE_UPGRADE: &str = "since_upgrade";

/// The subject of the alert about what a month took.
pub(super) const MONTH: &str = "month";

/// The subject of the alert about a feed without a successful run.
const FEED: &str = "feed";

/// The kind of the alert about a credential that is soon taken no more.
const EXPIRES: AlertKind = AlertKind::CredentialExpires;

/// What an alert about a feed is about.
pub(super) struct Cause<'a> {
    pub(super) kind: AlertKind,
    pub(super) integration: &'a IntegrationId,
    pub(super) subject: &'a str,
    pub(super) run: RunId,
}

/// The alert as it is open now: the one before, refreshed, or a new one.
pub(super) fn open(
    before: Option<Alert>,
    cause: &Cause<'_>,
    detail: &str,
    now: Timestamp,
) -> Alert {
    let about = (
        cause.kind,
        cause.integration.clone(),
        cause.subject.to_owned(),
    );
    Alert::opened(before, about, cause.run, detail, now)
}

/// The PMS refused the login (R28): one alert for the credential, whichever of its integrations met it first.
pub(super) fn login_failed(
    write: &Write,
    credential: &str,
    report: &Run,
    detail: &str,
    now: Timestamp,
) -> Result<(), StoreError> {
    let before = write.alert_about(AlertKind::CredentialFailing, credential)?;
    let cause = Cause {
        kind: AlertKind::CredentialFailing,
        integration: &report.integration,
        subject: credential,
        run: report.id,
    };
    put(write, open(before, &cause, detail, now))
}

/// The PMS took the login.
pub(super) fn login_worked(
    write: &Write,
    credential: &str,
    now: Timestamp,
) -> Result<(), StoreError> {
    let before = write.open_alert_about(AlertKind::CredentialFailing, credential)?;
    Alert::closed(before, now).map_or(Ok(()), |alert| put(write, alert))
}

/// A run succeeded: the feed is not silent.
pub(super) fn fresh(
    write: &Write,
    integration: &IntegrationId,
    now: Timestamp,
) -> Result<(), StoreError> {
    let before = write.alert_of(integration, AlertKind::SyncStale, FEED)?;
    Alert::closed(before, now).map_or(Ok(()), |alert| put(write, alert))
}

/// No run has succeeded for too long (R28), `slowed` by a budget where one does (R43). Nothing else is written.
pub fn stale(
    store: &Store,
    integration: &IntegrationId,
    slowed: Option<&str>,
    now: Timestamp,
) -> Result<(), StoreError> {
    let write = store.write()?;
    let history = write.history(integration)?;
    let before = write.alert_of(integration, AlertKind::SyncStale, FEED)?;
    let cause = Cause {
        kind: AlertKind::SyncStale,
        integration,
        subject: FEED,
        run: history.last_run.unwrap_or(RunId(0)),
    };
    let since = match history.last_success {
        Some(last) => format!("no run has succeeded since {last:.0}"),
        None => "no run has ever succeeded".to_owned(),
    };
    let why = match (&history.last_error, slowed) {
        (Some(error), None) => format!("the last one said: {error}"),
        (Some(error), Some(slowed)) => format!("{slowed}; the last one said: {error}"),
        (None, Some(slowed)) => slowed.to_owned(),
        (None, None) => "none has ended; `epms status` shows what it waits for".to_owned(),
    };
    let detail = format!("{since}; {why}");
    put(&write, open(before, &cause, &detail, now))?;
    write.commit()
}

/// Tells which credentials are soon taken no more: at which integration, and in which words. What is told of others is over.
/// Gives those that were not told before. Nothing else is written.
pub fn expiring(
    store: &Store,
    wanted: &BTreeMap<String, (IntegrationId, String)>,
    now: Timestamp,
) -> Result<Vec<String>, StoreError> {
    let write = store.write()?;
    let mut new = Vec::new();
    for alert in store.read()?.open_alerts(None)? {
        let is_over = alert.kind == EXPIRES && !wanted.contains_key(&alert.subject);
        if let Some(closed) = Alert::closed(Some(alert).filter(|_| is_over), now) {
            put(&write, closed)?;
        }
    }
    for (credential, (integration, detail)) in wanted {
        let before = write.alert_about(EXPIRES, credential)?;
        let is_open = |alert: &Alert| alert.state == AlertState::Open;
        if !before.as_ref().is_some_and(is_open) {
            new.push(credential.clone());
        }
        let cause = Cause {
            kind: EXPIRES,
            integration,
            subject: credential,
            run: write.history(integration)?.last_run.unwrap_or(RunId(0)),
        };
        put(&write, open(before, &cause, detail, now))?;
    }
    write.commit()?;
    Ok(new)
}

/// Writes an alert, which gets an id where it is new.
pub(super) fn put(write: &Write, mut alert: Alert) -> Result<(), StoreError> {
    if alert.id == AlertId(0) {
        alert.id = write.new_alert_id()?;
    }
    write.put_alert(&alert)
}
