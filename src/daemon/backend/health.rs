//! Whether the daemon can work, and what it tells of itself to those who watch it.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use crate::control::protocol::ProblemDocument;
use crate::control::server::{Answer, Backend};
use crate::model::{AlertKind, AlertState, IntegrationId};
use crate::store::{StoreError, View};

use super::{Command, Daemon};
use crate::daemon::metrics::Scrape;

/// Who owns the schedule answers within so long, or does not work any more.
const PATIENCE: Duration = Duration::from_secs(5);

impl Daemon {
    /// The catalog is loaded and the store was opened before there was a socket to ask; both must still be of
    /// use, and runs must be started.
    pub(super) async fn fit(&self) -> Answer<()> {
        let mut reasons = Vec::new();
        if self.stop.is_cancelled() {
            reasons.push("the daemon is stopping".to_owned());
        }
        if let Err(problem) = self.ask(View::count_people).await {
            reasons.push(format!("the store cannot be read: {}", problem.detail));
        }
        let phases = self.command(Command::Phases);
        if !matches!(tokio::time::timeout(PATIENCE, phases).await, Ok(Ok(_))) {
            reasons.push("no runs are started: the schedule does not answer".to_owned());
        }
        if reasons.is_empty() {
            Ok(())
        } else {
            Err(ProblemDocument::not_ready(reasons.join("; ")))
        }
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
        let alerts = self.ask(open_alerts).await?;
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

type Open = BTreeMap<(IntegrationId, AlertKind), u64>;

fn open_alerts(view: &View) -> Result<Open, StoreError> {
    let mut open = Open::new();
    let alerts = view.alerts(None, usize::MAX, |alert| alert.state == AlertState::Open)?;
    for alert in alerts {
        *open.entry((alert.integration, alert.kind)).or_default() += 1;
    }
    Ok(open)
}
