//! The change log, line by line: from a place on, what is asked for of it, and what is to come. Knows no table.

use std::convert::Infallible;
use std::time::Duration;

use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use futures_util::stream::unfold;
use schemars::JsonSchema;
use serde::Deserialize;
use tokio::sync::watch;
use tokio::time::{Instant, sleep_until};

use crate::model::{Change, ChangeKind, IntegrationId, PersonId};

use super::super::protocol::{LogLine, Place, ProblemDocument, True};
use super::{Answer, App, Asked, Backend};

/// Which changes, from where, and how many.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ChangesQuery {
    /// Begin after the change of this number: `N`, or `EPOCH:N`, which is refused in another epoch (R47). 0 is the
    /// beginning.
    after: Option<String>,
    /// Begin before the last so many, in place of `after`.
    tail: Option<usize>,
    /// So many at most; then the answer ends.
    limit: Option<u64>,
    /// Only of this person.
    person: Option<PersonId>,
    /// Only those that this integration caused.
    integration: Option<IntegrationId>,
    /// Only of this kind.
    kind: Option<ChangeKind>,
    /// Go on with the changes to come.
    follow: Option<bool>,
    /// With `follow`: after so many seconds without a line, 1 to 300, comes one that says up to where the log was looked
    /// at. 30 unless it is said.
    heartbeat: Option<u64>,
}

/// Which changes of the log.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ChangeFilter {
    /// Only of this person.
    pub person: Option<PersonId>,
    /// Only those that this integration caused.
    pub integration: Option<IntegrationId>,
    /// Only of this kind.
    pub kind: Option<ChangeKind>,
}

impl ChangeFilter {
    /// Whether a change is asked for.
    pub fn keeps(&self, change: &Change) -> bool {
        self.person.is_none_or(|person| change.person == person)
            && self.kind.is_none_or(|kind| change.kind == kind)
            && (self.integration.as_ref()).is_none_or(|at| change.integration.as_ref() == Some(at))
    }
}

/// A piece of the log.
#[derive(Debug, Clone, PartialEq)]
pub struct Changes {
    /// The epoch of the store.
    pub epoch: u64,
    /// The number of the last change that was looked at; that of the place where nothing was.
    pub seq: u64,
    /// Whether any was looked at.
    pub is_more: bool,
    /// Those that are asked for.
    pub changes: Vec<Change>,
}

/// Changes read from the store at once.
const AMONG: usize = 500;

/// After so many seconds without a line comes one that says so.
const HEARTBEAT: u64 = 30;

/// An answer under way.
struct Log<B> {
    app: App<B>,
    commits: watch::Receiver<u64>,
    filter: ChangeFilter,
    after: Place,
    /// What was read before the answer began.
    first: Option<Changes>,
    /// How many more lines are asked for.
    left: u64,
    follow: bool,
    heartbeat: Duration,
    /// When the last line was sent.
    spoke: Instant,
}

pub(super) async fn changes<B: Backend>(
    State(app): State<App<B>>,
    Asked(query): Asked<ChangesQuery>,
) -> Answer<Response> {
    let filter = ChangeFilter {
        person: query.person,
        integration: query.integration,
        kind: query.kind,
    };
    let after = match (&query.after, query.tail) {
        (Some(_), Some(_)) => {
            let told = "`after` and `tail` both say where to begin; write one of them";
            return Err(ProblemDocument::bad_request(told));
        }
        (Some(after), None) => after.parse().map_err(ProblemDocument::bad_request)?,
        (None, Some(count)) => app.backend.tail(filter.clone(), count).await?,
        (None, None) => Place::default(),
    };
    let heartbeat = query.heartbeat.unwrap_or(HEARTBEAT).clamp(1, 300);
    // The first read tells problems while a status can still be sent; what is committed after it is heard of.
    let commits = app.backend.commits();
    let first = app.backend.changes(after, filter.clone(), AMONG).await?;
    let log = Log {
        app,
        commits,
        filter,
        after,
        first: Some(first),
        left: query.limit.unwrap_or(u64::MAX),
        follow: query.follow.unwrap_or(false),
        heartbeat: Duration::from_secs(heartbeat),
        spoke: Instant::now(),
    };
    let stream = unfold(log, |mut log| async {
        let lines = log.next().await?;
        Some((Ok::<_, Infallible>(lines), log))
    });
    let body = axum::body::Body::from_stream(stream);
    Ok(([(header::CONTENT_TYPE, "application/x-ndjson")], body).into_response())
}

impl<B: Backend> Log<B> {
    /// The next lines; none at the end of the answer.
    async fn next(&mut self) -> Option<Vec<u8>> {
        while self.left > 0 {
            let piece = match self.first.take() {
                Some(piece) => piece,
                None => self.read().await?,
            };
            self.after = Place {
                epoch: Some(piece.epoch),
                seq: piece.seq,
            };
            let count = usize::try_from(self.left).unwrap_or(usize::MAX);
            let lines: Vec<LogLine> = piece
                .changes
                .into_iter()
                .take(count)
                .map(|change| LogLine::Change {
                    epoch: piece.epoch,
                    change: Box::new(change),
                })
                .collect();
            if !lines.is_empty() {
                self.left -= lines.len() as u64;
                return self.written(&lines);
            }
            if piece.is_more {
                continue;
            }
            if !self.follow {
                return None;
            }
            tokio::select! {
                biased;
                changed = self.commits.changed() => changed.ok()?,
                () = self.app.stop.cancelled() => return None,
                () = sleep_until(self.spoke + self.heartbeat) => {
                    let line = LogLine::Heartbeat { heartbeat: True, epoch: piece.epoch, seq: piece.seq };
                    return self.written(&[line]);
                }
            }
        }
        None
    }

    async fn read(&self) -> Option<Changes> {
        let piece = self
            .app
            .backend
            .changes(self.after, self.filter.clone(), AMONG);
        // Why it cannot go on is told to whoever asks anew from there.
        piece.await.ok()
    }

    fn written(&mut self, lines: &[LogLine]) -> Option<Vec<u8>> {
        let mut written = Vec::new();
        for line in lines {
            serde_json::to_writer(&mut written, line).ok()?;
            written.push(b'\n');
        }
        self.spoke = Instant::now();
        Some(written)
    }
}
