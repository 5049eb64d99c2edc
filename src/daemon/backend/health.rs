//! Whether the daemon can work, and what it tells of itself to those who watch it.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use tokio::sync::{mpsc, oneshot};
use tokio::time::Instant;

use crate::control::protocol::ProblemDocument;
use crate::control::server::{Answer, Backend};
use crate::model::IntegrationId;
use crate::store::View;

use super::{Command, Daemon, not_understood};
use crate::daemon::metrics::Scrape;

/// Who owns the schedule answers within so long, or does not work any more.
const PATIENCE: Duration = Duration::from_secs(5);

impl Daemon {
    /// The catalog is loaded and the store was opened before there was a socket to ask; both must still be of
    /// use, and runs must be started. Gives a line for each integration that is not well, of which the daemon can work
    /// all the same: those that did not understand their records (R41), and those whose scripts do not come back.
    pub(super) async fn fit(&self) -> Answer<Vec<String>> {
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
                waiting.extend(run.map(|run| {
                    format!("{id}: not_understood, run {run}; `epms run {run}` says which records")
                }));
            }
            Ok(waiting)
        });
        let mut unwell = waiting.await.unwrap_or_else(|problem| {
            reasons.push(format!("the store cannot be read: {}", problem.detail));
            Vec::new()
        });
        let stuck = self.stuck().into_iter();
        unwell.extend(stuck.map(|(id, why)| format!("{id}: {why}")));
        let web = self.listener.status().and_then(|web| web.problem);
        unwell.extend(web.map(|problem| format!("the page over the network: {problem}")));
        if let Err(problem) = self.in_place().await {
            reasons.push(problem.detail);
        }
        if !self.starts_runs(PATIENCE).await {
            reasons.push("no runs are started: the schedule does not answer".to_owned());
        }
        if reasons.is_empty() {
            Ok(unwell)
        } else {
            Err(ProblemDocument::not_ready(reasons.join("; ")))
        }
    }

    /// The integrations of which a run was given up and keeps its thread, and what is told of the last such.
    pub(super) fn stuck(&self) -> BTreeMap<IntegrationId, String> {
        let now = Instant::now();
        let stuck = self.tools.workers.stuck(now).into_iter();
        stuck
            .map(|one| {
                let told = one.told(now);
                (one.integration, told)
            })
            .collect()
    }

    /// Whether runs that were given up keep as many threads as the machine has processors: the others get little of
    /// them, and a restart is all that helps.
    pub(in crate::daemon) fn is_jammed(&self) -> bool {
        let processors = thread::available_parallelism().map_or(1, usize::from);
        self.tools.workers.stuck(Instant::now()).len() >= processors
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
        let mut stuck = BTreeMap::new();
        for one in self.tools.workers.stuck(Instant::now()) {
            *stuck.entry(one.integration).or_insert(0) += 1;
        }
        let scrape = Scrape {
            status,
            alerts,
            targets: self.all_targets().await?,
            intervals,
            stuck,
            store: self.store.length(),
            backup: self.backups_kept(),
            live: self.places.taken(),
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
