//! What the service manager is told (`sd_notify`): that the daemon is ready, loads its files anew, or stops; how it
//! stands; and, as long as runs can be started and get a processor, that it works. Without a manager nothing is told to anybody.

use std::path::PathBuf;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use sd_notify::NotifyState;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::{Instant, MissedTickBehavior, interval_at};
use tokio_util::sync::CancellationToken;

use crate::catalog::{Catalog, ReloadRequest};
use crate::control::client::Client;
use crate::control::protocol::{IntegrationState, Status};
use crate::control::server::Backend;

use super::backend::Daemon;

/// So long after an answer that it is not ready the daemon asks itself again.
const ASK_AGAIN: Duration = Duration::from_millis(100);

/// Speaks with the service manager, and obeys its wish to load files anew.
pub(super) struct Service {
    pub(super) daemon: Arc<Daemon>,
    pub(super) socket: PathBuf,
    pub(super) catalog: watch::Receiver<Arc<Catalog>>,
    /// Is marked changed whenever something was committed.
    pub(super) commits: watch::Receiver<u64>,
    /// Wishes from outside that the files be loaded anew.
    pub(super) reload: mpsc::Receiver<()>,
    pub(super) reloads: mpsc::Sender<ReloadRequest>,
    pub(super) stop: CancellationToken,
    /// What ran when the daemon was told to stop has ended.
    pub(super) drained: CancellationToken,
}

impl Service {
    /// Tells until the daemon ends.
    pub(super) async fn run(mut self) {
        let mut ready = pin!(is_ready(self.socket.clone()));
        let (mut is_ready, mut is_stopping) = (false, false);
        let mut reloading = None;
        // Twice as often as it must be heard, as sd_watchdog_enabled(3) advises.
        let pace = sd_notify::watchdog_enabled().map(|longest| longest / 2);
        let pace = pace.filter(|pace| !pace.is_zero());
        let beat = pace.unwrap_or(Duration::from_hours(1));
        let mut beats = interval_at(Instant::now() + beat, beat);
        beats.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                // That it stops is told also where nothing is left to be waited for.
                biased;
                () = self.stop.cancelled(), if !is_stopping => {
                    is_stopping = true;
                    tell(&[NotifyState::Stopping, NotifyState::Status("finishing the runs under way")]);
                }
                () = self.drained.cancelled() => return,
                () = &mut ready, if !is_ready => {
                    is_ready = true;
                    self.tell_how_it_stands(Some(NotifyState::Ready)).await;
                }
                Some(()) = self.reload.recv(), if reloading.is_none() => {
                    // Who is not ready yet is not waited for by those who want a reload.
                    if is_ready {
                        let now = NotifyState::monotonic_usec_now().ok();
                        let state: Vec<_> = std::iter::once(NotifyState::Reloading).chain(now).collect();
                        tell(&state);
                    }
                    let (reply, done) = oneshot::channel();
                    // The watcher logs what the reload did.
                    let _ = self.reloads.send(reply).await;
                    reloading = Some(done);
                }
                () = ended(&mut reloading) => {
                    reloading = None;
                    if is_ready && !is_stopping {
                        self.tell_how_it_stands(Some(NotifyState::Ready)).await;
                    }
                }
                Ok(()) = self.commits.changed(), if is_ready && !is_stopping => {
                    self.tell_how_it_stands(None).await;
                }
                Ok(()) = self.catalog.changed(), if is_ready && !is_stopping => {
                    self.tell_how_it_stands(None).await;
                }
                _ = beats.tick(), if pace.is_some() => {
                    if self.daemon.is_jammed() {
                        tracing::error!("runs that were given up keep all processors: the service manager is not told that all is well");
                    } else if self.daemon.starts_runs(beat).await {
                        tell(&[NotifyState::Watchdog]);
                    } else {
                        tracing::error!("the schedule does not answer: the service manager is not told that all is well");
                    }
                }
            }
        }
    }

    async fn tell_how_it_stands(&self, state: Option<NotifyState<'_>>) {
        // A daemon that has begun to stop has nothing to say of how it stands.
        let text = self.daemon.status().await.map(|status| summary(&status));
        let text = text.as_deref().ok().map(NotifyState::Status);
        let state: Vec<_> = state.into_iter().chain(text).collect();
        tell(&state);
    }
}

/// Comes back once the socket answers that the store can be read and runs can be started.
async fn is_ready(socket: PathBuf) {
    loop {
        if let Ok(client) = Client::new(&socket)
            && client.readyz().await.is_ok()
        {
            return;
        }
        tokio::time::sleep(ASK_AGAIN).await;
    }
}

/// The end of a reload that is under way; without one, never.
async fn ended<T>(reloading: &mut Option<oneshot::Receiver<T>>) {
    match reloading {
        // It ended also where nobody is left who could say how.
        Some(done) => drop(done.await),
        None => std::future::pending().await,
    }
}

fn tell(state: &[NotifyState]) {
    if let Err(error) = sd_notify::notify(state) {
        tracing::warn!(%error, "the service manager could not be told");
    }
}

/// One line on how everything stands, without names.
fn summary(status: &Status) -> String {
    let there = || {
        let all = status.integrations.iter();
        all.filter(|one| one.state != IntegrationState::Removed)
    };
    let failing = there().filter(|one| one.last_error.is_some()).count();
    let refused = there().filter(|one| !one.problems.is_empty()).count();
    let count = there().count();
    let plural = if count == 1 { "" } else { "s" };
    let mut text = format!("{count} integration{plural}, {failing} failing");
    if refused > 0 {
        text += &format!(", {refused} with files that are not right");
    }
    if !status.problems.is_empty() {
        text += "; settings that are not right";
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn told(integrations: serde_json::Value, problems: serde_json::Value) -> String {
        let status = json!({
            "version": "0", "started": "2026-01-01T00:00:00Z", "people": 0, "open_alerts": 0,
            "problems": problems, "integrations": integrations,
        });
        summary(&serde_json::from_value(status).unwrap())
    }

    #[test]
    fn how_everything_stands_is_one_line_of_numbers() {
        let problem = json!([{ "file": "config/a.yaml", "message": "no" }]);
        let one = |state: &str, error: Option<&str>| {
            json!({
                "id": "elm", "state": state, "linked": 0, "open_alerts": 0, "last_error": error,
            })
        };
        assert_eq!(told(json!([]), json!([])), "0 integrations, 0 failing");
        assert_eq!(
            told(json!([one("idle", Some("refused"))]), json!([])),
            "1 integration, 1 failing"
        );
        let mut broken = one("broken", None);
        broken["problems"] = problem.clone();
        let all = json!([broken, one("running", None), one("removed", Some("old"))]);
        assert_eq!(
            told(all, problem),
            "2 integrations, 0 failing, 1 with files that are not right; settings that are not right"
        );
    }
}
