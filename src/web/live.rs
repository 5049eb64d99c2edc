//! What happens, as it happens: that something was committed, and that runs come on. A page is told nothing but that, and
//! fetches anew what it shows. Holds nothing for a reader but its place: who reads slowly hears less often.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use futures_util::future::select_all;
use futures_util::stream::unfold;
use tokio::sync::watch;
use tokio::time::{Instant, sleep_until};
use tokio_util::sync::CancellationToken;

use crate::control::protocol::{ProblemDocument, ProgressEvent};
use crate::control::server::{Answer, Backend, LivePlace, Route, Weight};
use crate::model::RunId;

use super::asked::Asked;
use super::look::{Look, guarded};

/// So many runs one page follows.
const RUNS: usize = 32;
/// A page is not told more often.
const PACE: Duration = Duration::from_millis(700);

/// What one page hears.
struct Hears {
    commits: watch::Receiver<u64>,
    runs: Vec<watch::Receiver<ProgressEvent>>,
    /// Something came between the page and this.
    missed: bool,
    /// Not before then.
    not_before: Instant,
    stop: CancellationToken,
    _place: LivePlace,
}

impl Hears {
    /// Waits until there is something; none where nothing comes any more.
    async fn next(mut self) -> Option<(Result<Event, Infallible>, Hears)> {
        let stop = self.stop.clone();
        tokio::select! {
            () = stop.cancelled() => return None,
            heard = self.heard() => heard?,
        }
        tokio::select! {
            () = stop.cancelled() => return None,
            () = sleep_until(self.not_before) => {}
        }
        // What came meanwhile is told with it.
        self.commits.mark_unchanged();
        for run in &mut self.runs {
            run.mark_unchanged();
        }
        self.not_before = Instant::now() + PACE;
        Some((Ok(Event::default().event("changed").data("{}")), self))
    }

    async fn heard(&mut self) -> Option<()> {
        if std::mem::take(&mut self.missed) {
            return Some(());
        }
        loop {
            if self.runs.is_empty() {
                return self.commits.changed().await.ok();
            }
            let runs = self.runs.iter_mut().map(|run| Box::pin(run.changed()));
            let ended = tokio::select! {
                changed = self.commits.changed() => return changed.ok(),
                (changed, index, _) = select_all(runs) => match changed {
                    Ok(()) => return Some(()),
                    Err(_) => index,
                },
            };
            // Of a run that is over nothing comes any more.
            self.runs.swap_remove(ended);
        }
    }
}

pub(super) fn route<B: Backend>(look: &Arc<Look>) -> Route<B> {
    let look = Arc::clone(look);
    let served = move |asked: Result<Asked<B>, ProblemDocument>| {
        let look = Arc::clone(&look);
        async move {
            match begun(asked).await {
                Ok(stream) => stream,
                Err(problem) => look.problem(&problem),
            }
        }
    };
    Route::page("/live", served).takes(Weight::Lasting)
}

async fn begun<B: Backend>(asked: Answer<Asked<B>>) -> Answer<Response> {
    let asked = asked?;
    let place = asked.backend().places().take(&asked.peer())?;
    let commits = asked.backend().commits();
    let since = asked.query.parsed::<u64>("since")?;
    let mut hears = Hears {
        missed: since.is_some_and(|since| since != *commits.borrow()),
        commits,
        runs: Vec::new(),
        not_before: Instant::now(),
        stop: asked.app.stop.clone(),
        _place: place,
    };
    for run in asked.query.all("run").take(RUNS) {
        // A run that is over, or never was, is no reason to hear nothing.
        if let Ok(run) = run.parse::<RunId>()
            && let Ok(followed) = asked.backend().follow(run).await
        {
            hears.missed |= matches!(*followed.events.borrow(), ProgressEvent::Ended(_));
            hears.runs.push(followed.events);
        }
    }
    let stream = unfold(hears, Hears::next);
    let answer = Sse::new(stream).keep_alive(KeepAlive::default());
    Ok(guarded(answer.into_response()))
}
