//! The alert that somebody could not be told: one for each notification, at the integration that it was about. It is closed
//! once a message has come to all.

use jiff::Timestamp;

use crate::model::{Alert, AlertId, AlertKind, IntegrationId, RunId};
use crate::store::{Store, StoreError};

/// Raises it, or says in the one that is open what is wrong now. True where something was written.
pub(super) fn raise(
    store: &Store,
    name: &str,
    integration: &IntegrationId,
    what: &str,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let detail =
        format!("nobody, or not everybody, could be told by the notification `{name}`: {what}");
    let write = store.write()?;
    let open = write.open_alert_about(AlertKind::NotifyFailed, name)?;
    if open.as_ref().is_some_and(|open| open.detail == detail) {
        return Ok(false);
    }
    let before = match open {
        Some(open) => Some(open),
        None => write.alert_of(integration, AlertKind::NotifyFailed, name)?,
    };
    let at = before
        .as_ref()
        .map_or(integration, |before| &before.integration)
        .clone();
    let run = write.history(&at)?.last_run.unwrap_or(RunId(0));
    let about = (AlertKind::NotifyFailed, at, name.to_owned());
    let mut alert = Alert::opened(before, about, run, &detail, now);
    if alert.id == AlertId(0) {
        alert.id = write.new_alert_id()?;
    }
    write.put_alert(&alert)?;
    write.commit()?;
    Ok(true)
}

/// Closes it. True where it was open.
pub fn close(store: &Store, name: &str, now: Timestamp) -> Result<bool, StoreError> {
    let kinds = [AlertKind::NotifyFailed].into();
    let open = store.read()?.open_alerts_of(&kinds)?;
    if !open.iter().any(|alert| alert.subject == name) {
        return Ok(false);
    }
    let write = store.write()?;
    let open = write.open_alert_about(AlertKind::NotifyFailed, name)?;
    let Some(alert) = Alert::closed(open, now) else {
        return Ok(false);
    };
    write.put_alert(&alert)?;
    write.commit()?;
    Ok(true)
}

/// Forgets notifications that there are no more, and closes their alerts. True where something was written.
pub fn forget_others(store: &Store, names: &[&str], now: Timestamp) -> Result<bool, StoreError> {
    let known = store.read()?.notices_known()?;
    let mut wrote = false;
    for gone in known.iter().filter(|one| !names.contains(&one.as_str())) {
        close(store, gone, now)?;
        let write = store.write()?;
        write.forget_notice(gone)?;
        write.commit()?;
        wrote = true;
    }
    Ok(wrote)
}
