//! Copies of the store that the daemon makes by itself, as `backup` in `config/epms.yaml` says: when they are due is
//! decided in `due`, and made they are in `folder`. What fails is told, and closes with the next good one.

mod due;
mod folder;

use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::catalog::Catalog;
use crate::config::{BackupSettings, Home};
use crate::model::{Alert, AlertId, AlertKind, IntegrationId, RunId};
use crate::store::{LastBackup, Store, StoreError};

use super::clock::Steady;
use due::Due;
use folder::{BackupError, Made};

/// The subject of the alert: there is one.
const SUBJECT: &str = "backup";

/// A clock that was set is noticed within so long, and so is a rhythm that is another.
const LOOK: Duration = Duration::from_mins(1);

/// What is known of the backups, for those who ask.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Known {
    /// How they are to be made; none where none are.
    pub(super) settings: Option<BackupSettings>,
    /// The last good one.
    pub(super) last: Option<LastBackup>,
    /// When that was, by the clock that nobody sets.
    made: Option<Timestamp>,
    /// Why there is none newer.
    pub(super) failing: Option<String>,
}

/// The backups, as they stand.
pub(super) struct Backups {
    clock: Steady,
    known: Mutex<Known>,
}

impl Backups {
    pub(super) fn new(clock: Steady) -> Backups {
        Backups {
            clock,
            known: Mutex::default(),
        }
    }

    fn known_now(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How they stand.
    pub(super) fn known(&self) -> Known {
        self.known_now().clone()
    }

    /// How old the last good one is.
    pub(super) fn age(&self) -> Option<SignedDuration> {
        let made = self.known_now().made?;
        Some(
            self.clock
                .now()
                .duration_since(made)
                .max(SignedDuration::ZERO),
        )
    }
}

/// What makes them.
pub(super) struct Keeper {
    pub(super) home: Home,
    pub(super) catalog: watch::Receiver<Arc<Catalog>>,
    pub(super) store: Arc<Store>,
    pub(super) backups: Arc<Backups>,
    pub(super) now: fn() -> Timestamp,
    pub(super) stop: CancellationToken,
}

impl Keeper {
    /// Makes them until it is stopped. One that is under way then is left unfinished, without its name.
    pub(super) async fn run(mut self) {
        self.remember().await;
        let mut plan: Option<(BackupSettings, Due)> = None;
        let mut rests = false;
        loop {
            let wanted = self.catalog.borrow_and_update().settings.backup.clone();
            if wanted.is_none() && !rests {
                // Whatever failed need not be made any more.
                self.backups.known_now().failing = None;
                self.tell(None).await;
            }
            rests = wanted.is_none();
            plan = self.planned(plan, wanted);
            let now = self.backups.clock.now();
            if let Some((settings, due)) = &mut plan
                && due.at <= now
            {
                let made = self.make(settings.clone()).await;
                let (now, every) = (self.backups.clock.now(), every(settings));
                *due = match &made {
                    Ok(_) => Due::good(every, now),
                    Err(_) => due.failed(every, now),
                };
                self.ended(made, now).await;
            }
            let now = self.backups.clock.now();
            let rest = plan.as_ref().map_or(LOOK, |(_, due)| {
                Duration::try_from(due.at.duration_since(now))
                    .unwrap_or_default()
                    .min(LOOK)
            });
            tokio::select! {
                () = self.stop.cancelled() => return,
                changed = self.catalog.changed() => if changed.is_err() { return },
                () = tokio::time::sleep(rest) => {}
            }
        }
    }

    /// What the store remembers.
    async fn remember(&self) {
        let store = Arc::clone(&self.store);
        let read = move || store.read().and_then(|view| view.last_backup());
        let last = match tokio::task::spawn_blocking(read).await {
            Ok(Ok(last)) => last,
            Ok(Err(error)) => {
                tracing::error!(%error, "the store does not tell when the last backup was made");
                None
            }
            Err(_) => None,
        };
        let now = self.backups.clock.now();
        let mut known = self.backups.known_now();
        // A time that has not come yet is one of a clock that was ahead.
        known.made = last.as_ref().map(|last| last.at.min(now));
        known.last = last;
    }

    /// When the next one is due, by what is wanted now.
    fn planned(
        &self,
        before: Option<(BackupSettings, Due)>,
        wanted: Option<BackupSettings>,
    ) -> Option<(BackupSettings, Due)> {
        let mut known = self.backups.known_now();
        known.settings.clone_from(&wanted);
        let wanted = wanted?;
        let now = self.backups.clock.now();
        let due = match before {
            Some((settings, due)) if settings == wanted => due,
            // Whatever was wrong may be mended, and in another folder there is none yet.
            Some((settings, _)) if known.failing.is_some() || settings.to != wanted.to => {
                Due::after(None, every(&wanted), now)
            }
            _ => Due::after(known.last.as_ref().map(|last| last.at), every(&wanted), now),
        };
        Some((wanted, due))
    }

    async fn make(&self, settings: BackupSettings) -> Result<Made, BackupError> {
        let folder = folder_of(&self.home, &settings);
        let (store, now) = (Arc::clone(&self.store), (self.now)());
        let make = move || folder::make(&store, &folder, settings.keep, now);
        let made = self
            .stop
            .run_until_cancelled(tokio::task::spawn_blocking(make));
        match made.await {
            Some(Ok(made)) => made,
            Some(Err(_)) | None => Err(BackupError::Ended),
        }
    }

    /// Tells how it ended.
    async fn ended(&self, made: Result<Made, BackupError>, now: Timestamp) {
        match made {
            Ok(made) => {
                tracing::info!(
                    file = made.last.file,
                    bytes = made.last.bytes,
                    removed = made.removed.len(),
                    "backup made and verified"
                );
                if let Some(error) = &made.unremoved {
                    tracing::warn!(%error, "older backups cannot be removed");
                }
                {
                    let mut known = self.backups.known_now();
                    known.last = Some(made.last);
                    known.made = Some(now);
                    known.failing = None;
                }
                self.tell(None).await;
            }
            // It was stopped.
            Err(_) if self.stop.is_cancelled() => {}
            Err(error) => {
                tracing::error!(%error, "backup failed");
                let told = error.to_string();
                self.backups.known_now().failing = Some(told.clone());
                self.tell(Some(told)).await;
            }
        }
    }

    /// Raises the alert, or closes it.
    async fn tell(&self, failing: Option<String>) {
        let first = self.catalog.borrow().integrations.keys().next().cloned();
        let (store, now) = (Arc::clone(&self.store), (self.now)());
        let last = self.backups.known().last;
        let tell = move || match failing {
            Some(why) => first.map_or(Ok(()), |first| {
                raise(&store, first, &why, last.as_ref(), now)
            }),
            None => close(&store, now),
        };
        if let Ok(Err(error)) = tokio::task::spawn_blocking(tell).await {
            tracing::error!(%error, "the alert about backups could not be written");
        }
    }
}

/// Where they go.
pub(super) fn folder_of(home: &Home, settings: &BackupSettings) -> PathBuf {
    home.root().join(&settings.to)
}

fn every(settings: &BackupSettings) -> SignedDuration {
    SignedDuration::try_from(settings.every.0).unwrap_or(SignedDuration::MAX)
}

fn raise(
    store: &Store,
    integration: IntegrationId,
    why: &str,
    last: Option<&LastBackup>,
    now: Timestamp,
) -> Result<(), StoreError> {
    let detail = match last {
        Some(last) => format!("no backup is good since {:.0}: {why}", last.at),
        None => format!("no backup was ever good: {why}"),
    };
    let write = store.write()?;
    let before = write.alert_about(AlertKind::BackupFailing, SUBJECT)?;
    // It is about the store; an alert has an integration, and this one that of the first.
    let integration = before
        .as_ref()
        .map_or(integration, |alert| alert.integration.clone());
    let about = (AlertKind::BackupFailing, integration, SUBJECT.to_owned());
    let mut alert = Alert::opened(before, about, RunId(0), &detail, now);
    if alert.id == AlertId(0) {
        alert.id = write.new_alert_id()?;
    }
    write.put_alert(&alert)?;
    write.commit()
}

fn close(store: &Store, now: Timestamp) -> Result<(), StoreError> {
    // Most of the time there is nothing to write.
    let open = store.read()?.open_alerts(None)?;
    if !open
        .iter()
        .any(|alert| alert.kind == AlertKind::BackupFailing)
    {
        return Ok(());
    }
    let write = store.write()?;
    let before = write.open_alert_about(AlertKind::BackupFailing, SUBJECT)?;
    if let Some(alert) = Alert::closed(before, now) {
        write.put_alert(&alert)?;
        write.commit()?;
    }
    Ok(())
}
