//! Whether the daemon can work, and what it tells of itself to those who watch it.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{mpsc, oneshot};

use crate::control::protocol::ProblemDocument;
use crate::control::server::{Answer, Backend};
use crate::model::{IntegrationId, RunId};
use crate::store::View;

use super::{Command, Daemon, not_understood};
use crate::daemon::metrics::Scrape;

/// Who owns the schedule answers within so long, or does not work any more.
const PATIENCE: Duration = Duration::from_secs(5);

impl Daemon {
    /// The catalog is loaded and the store was opened before there was a socket to ask; both must still be of
    /// use, and runs must be started. Gives the runs that did not understand their records (R41): the daemon can
    /// work all the same, and another integration may be well.
    pub(super) async fn fit(&self) -> Answer<Vec<(IntegrationId, RunId)>> {
        let mut reasons = Vec::new();
        if self.stop.is_cancelled() {
            reasons.push("the daemon is stopping".to_owned());
        }
        let catalog = Arc::clone(&self.catalog.borrow());
        let waiting = self.ask(move |view| {
            view.count_people()?;
            let mut waiting = Vec::new();
            for id in catalog.integrations.keys() {
                let run = not_understood(view, id)?;
                waiting.extend(run.map(|run| (id.clone(), run)));
            }
            Ok(waiting)
        });
        let waiting = waiting.await.unwrap_or_else(|problem| {
            reasons.push(format!("the store cannot be read: {}", problem.detail));
            Vec::new()
        });
        if let Err(problem) = self.in_place().await {
            reasons.push(problem.detail);
        }
        if !self.starts_runs(PATIENCE).await {
            reasons.push("no runs are started: the schedule does not answer".to_owned());
        }
        if reasons.is_empty() {
            Ok(waiting)
        } else {
            Err(ProblemDocument::not_ready(reasons.join("; ")))
        }
    }

    /// Whether who owns the schedule answers within so long.
    pub(in crate::daemon) async fn starts_runs(&self, patience: Duration) -> bool {
        answers(&self.commands, patience).await
    }

    /// One scrape.
    pub(super) async fn scraped(&self) -> Answer<String> {
        let status = self.status().await?;
        let catalog = Arc::clone(&self.catalog.borrow());
        let currents = catalog.integrations.iter();
        let intervals = currents
            .filter_map(|(id, slot)| {
                let every = slot.current.as_ref()?.schedule.every.0;
                Some((id.clone(), every.as_secs_f64()))
            })
            .collect();
        let alerts = self.ask(View::count_open_alerts).await?;
        let scrape = Scrape {
            status,
            alerts,
            intervals,
            store: self.store.length(),
        };
        let text = self.metrics.exposition(scrape);
        text.map_err(|error| ProblemDocument::internal(error.to_string()))
    }
}

async fn answers(schedule: &mpsc::Sender<Command>, patience: Duration) -> bool {
    let asked = async {
        let (reply, answer) = oneshot::channel();
        schedule.send(Command::Phases(reply)).await.is_ok() && answer.await.is_ok()
    };
    tokio::time::timeout(patience, asked).await == Ok(true)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    #[tokio::test]
    async fn a_schedule_answers_only_when_its_owner_does() {
        let (schedule, mut asked) = mpsc::channel(1);
        let (short, long) = (Duration::from_millis(20), Duration::from_secs(15));
        // Nobody takes the question up, and there is no room for a second one.
        assert!(!answers(&schedule, short).await);
        assert!(!answers(&schedule, short).await);
        drop(asked.recv().await);
        let owner = tokio::spawn(async move {
            if let Some(Command::Phases(reply)) = asked.recv().await {
                reply.send(BTreeMap::new()).unwrap();
            }
            // The next is taken up, and its asker never hears of it.
            asked.recv().await
        });
        assert!(answers(&schedule, long).await);
        assert!(!answers(&schedule, short).await);
        drop(owner.await);
        assert!(!answers(&schedule, short).await, "it is gone");
    }
}
