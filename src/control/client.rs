//! The client of the control socket: one method for each request. It prints nothing, and repeats
//! nothing that failed.

mod acts;
mod care;
mod deliveries;
mod error;
mod lines;
mod lists;
mod notices;

pub use deliveries::DeliveryFilter;
pub use error::ClientError;

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use reqwest::{Method, Response};
use serde::de::DeserializeOwned;
use url::Url;

use crate::model::{
    Alert, AlertId, AlertKind, AlertState, ChangeKind, CredentialStatus, IntegrationId,
    PeopleQuery, PersonId, Run, RunId,
};

use super::protocol::{
    AlertDetail, AlertGroups, IntegrationStatus, LogLine, Page, PeoplePage, PersonDetail, Place,
    ProgressEvent, ReloadReply, RunDetail, RunState, Status, SyncReply,
};
use lines::Lines;

/// How long an answer that waits for no run may take.
const PATIENCE: Duration = Duration::from_secs(30);

/// How long an answer may take that the daemon has at hand.
const AT_HAND: Duration = Duration::from_secs(10);

/// Whoever waits is told so after this time.
const A_WHILE: Duration = Duration::from_secs(3);

/// Of a run that is followed something is heard at least so often: a daemon that says nothing shows that it lives.
const SIGN_OF_LIFE: Duration = Duration::from_mins(1);

/// Syncs of single integrations are asked for so many at once.
const ASKED_AT_ONCE: usize = 32;

/// Is told on which socket an answer is waited for.
type Waits = dyn Fn(&Path) + Send + Sync;

/// A client of the daemon that listens on one socket.
#[derive(Clone)]
pub struct Client {
    socket: PathBuf,
    http: reqwest::Client,
    /// Is told, once, that an answer is waited for.
    waits: Option<Arc<Waits>>,
    is_told: Arc<AtomicBool>,
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Client").field(&self.socket).finish()
    }
}

/// Which integrations a request is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Which<'a> {
    /// All that are switched on.
    All,
    /// These.
    These(&'a [IntegrationId]),
}

/// Where in a list to begin, and how much of it to give.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Cut {
    /// The most items; the daemon may give fewer.
    pub limit: Option<usize>,
    /// `next` of the page before.
    pub cursor: Option<String>,
}

/// Which alerts to list; by default the open ones.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AlertFilter {
    /// Only in this state; none for all.
    pub state: Option<AlertState>,
    /// Only this kind.
    pub kind: Option<AlertKind>,
    /// Only from there.
    pub integration: Option<IntegrationId>,
}

impl Default for AlertFilter {
    fn default() -> Self {
        AlertFilter {
            state: Some(AlertState::Open),
            kind: None,
            integration: None,
        }
    }
}

/// Which lines of the change log.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct LogQuery {
    /// Only those after it.
    pub after: Place,
    /// Only the last so many, and those to come; `after` is nothing then.
    pub tail: Option<usize>,
    /// So many at most.
    pub limit: Option<u64>,
    /// Only of this person.
    pub person: Option<PersonId>,
    /// Only those that this integration caused.
    pub integration: Option<IntegrationId>,
    /// Only of this kind.
    pub kind: Option<ChangeKind>,
    /// Go on with those to come.
    pub follow: bool,
}

impl LogQuery {
    fn query(&self) -> Query {
        let mut query = match self.tail {
            Some(count) => vec![("tail", count.to_string())],
            None => vec![("after", self.after.to_string())],
        };
        query.push(("follow", self.follow.to_string()));
        query.extend(self.limit.map(|limit| ("limit", limit.to_string())));
        query.extend(self.person.map(|person| ("person", person.to_string())));
        query.extend((self.integration.as_ref()).map(|at| ("integration", at.to_string())));
        query.extend(self.kind.map(|kind| ("kind", kind.to_string())));
        query
    }
}

type Query = Vec<(&'static str, String)>;

impl Client {
    /// A client for `socket`. Nothing is sent yet.
    pub fn new(socket: &Path) -> Result<Client, ClientError> {
        // The HTTP client asks for a TLS provider even where no TLS is spoken. Already set is as good.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let http = reqwest::Client::builder()
            .unix_socket(socket)
            .no_proxy()
            // A connection for each request: one that is kept may be closed by the daemon just when it is used again,
            // to make room for others, and the request would fail although it could have been answered.
            .pool_max_idle_per_host(0)
            .tls_certs_only([])
            .redirect(reqwest::redirect::Policy::none())
            .build()
            .map_err(|error| ClientError::of_transport(socket, &error))?;
        Ok(Client {
            socket: socket.to_owned(),
            http,
            waits: None,
            is_told: Arc::default(),
        })
    }

    /// The same, which tells `waits` once when an answer is waited for longer than a moment.
    #[must_use]
    pub fn telling(self, waits: impl Fn(&Path) + Send + Sync + 'static) -> Client {
        Client {
            waits: Some(Arc::new(waits)),
            ..self
        }
    }

    /// The socket it speaks to.
    pub fn socket(&self) -> &Path {
        &self.socket
    }

    /// Whether the daemon answers at all.
    pub async fn healthz(&self) -> Result<(), ClientError> {
        let request = self.http.get(address(&["healthz"], Vec::new()));
        self.send(request, Some(AT_HAND)).await.map(drop)
    }

    /// Whether the daemon can work; it says why not, where it cannot.
    pub async fn readyz(&self) -> Result<(), ClientError> {
        let request = self.http.get(address(&["readyz"], Vec::new()));
        self.send(request, Some(AT_HAND)).await.map(drop)
    }

    /// The daemon and all of its integrations.
    pub async fn status(&self) -> Result<Status, ClientError> {
        let request = self.http.get(address(&["v1", "status"], Vec::new()));
        self.json(request, Some(AT_HAND)).await
    }

    /// All integrations, by id.
    pub async fn integrations(&self) -> Result<Vec<IntegrationStatus>, ClientError> {
        self.get(&["v1", "integrations"], Vec::new()).await
    }

    /// Every credential that is in use.
    pub async fn credentials(&self) -> Result<Vec<CredentialStatus>, ClientError> {
        self.get(&["v1", "credentials"], Vec::new()).await
    }

    /// One integration.
    pub async fn integration(&self, id: &IntegrationId) -> Result<IntegrationStatus, ClientError> {
        let path = ["v1", "integrations", id.as_str()];
        let request = self.http.get(address(&path, Vec::new()));
        self.json(request, Some(AT_HAND)).await
    }

    /// Asks for a sync. With `wait` the answer comes when the runs have ended.
    pub async fn sync(&self, which: Which<'_>, wait: bool) -> Result<SyncReply, ClientError> {
        let ids = match which {
            Which::All => return self.post_sync(&["v1", "sync"], wait).await,
            Which::These(ids) => ids,
        };
        // A wrong id among several is found before the first of them starts.
        if ids.len() > 1 {
            for id in ids {
                self.integration(id).await?;
            }
        }
        let mut runs = Vec::new();
        // Fewer at once than the daemon lets one user wait for.
        for ids in ids.chunks(ASKED_AT_ONCE) {
            let replies = ids.iter().map(async |id| {
                self.post_sync(&["v1", "integrations", id.as_str(), "sync"], wait)
                    .await
            });
            let replies = futures_util::future::try_join_all(replies).await?;
            runs.extend(replies.into_iter().flat_map(|reply| reply.runs));
        }
        Ok(SyncReply { runs })
    }

    async fn post_sync(&self, path: &[&str], wait: bool) -> Result<SyncReply, ClientError> {
        let address = address(path, vec![("wait", wait.to_string())]);
        let request = self.http.request(Method::POST, address);
        if wait {
            return self.patiently(request).await;
        }
        self.json(request, Some(PATIENCE)).await
    }

    /// Tells `each` how a run comes on, and gives its report when it has ended.
    pub async fn follow(
        &self,
        run: RunId,
        mut each: impl FnMut(&ProgressEvent),
    ) -> Result<Run, ClientError> {
        let path = ["v1", "runs", &run.to_string(), "progress"];
        let request = self.http.get(address(&path, Vec::new()));
        let mut lines = Lines::of(self.send(request, Some(PATIENCE)).await?);
        loop {
            let line = tokio::time::timeout(SIGN_OF_LIFE, lines.next(&self.socket)).await;
            let line = line.map_err(|_| self.silent(SIGN_OF_LIFE))??;
            let Some(line) = line else { break };
            // Other lines of server-sent events are comments, names and ends of events.
            let Some(data) = line.strip_prefix("data:") else {
                continue;
            };
            let event = self.read(data.as_bytes())?;
            each(&event);
            if let ProgressEvent::Ended(report) = event {
                return Ok(*report);
            }
        }
        Err(ClientError::Broken(format!(
            "the daemon stopped telling about {run} before it ended; see `epms run {run}`"
        )))
    }

    /// Runs, latest first.
    pub async fn runs(
        &self,
        integration: Option<&IntegrationId>,
        cut: &Cut,
    ) -> Result<Page<RunState>, ClientError> {
        let mut query = cut.query();
        query.extend(integration.map(|id| ("integration", id.to_string())));
        self.get(&["v1", "runs"], query).await
    }

    /// One run with its decisions.
    pub async fn run(&self, id: RunId) -> Result<RunDetail, ClientError> {
        self.get(&["v1", "runs", &id.to_string()], Vec::new()).await
    }

    /// People, by id or name; how many and from where on, `cut` says.
    pub async fn people(&self, asked: &PeopleQuery, cut: &Cut) -> Result<PeoplePage, ClientError> {
        let mut query = cut.query();
        query.extend(lists::people(asked));
        self.get(&["v1", "people"], query).await
    }

    /// One person.
    pub async fn person(&self, id: PersonId) -> Result<PersonDetail, ClientError> {
        self.get(&["v1", "people", &id.to_string()], Vec::new())
            .await
    }

    /// Alerts, by kind.
    pub async fn alerts(
        &self,
        filter: &AlertFilter,
        cut: &Cut,
    ) -> Result<Page<Alert>, ClientError> {
        let mut query = cut.query();
        let state = filter
            .state
            .map_or("all".to_owned(), |state| state.to_string());
        query.push(("state", state));
        query.extend(filter.kind.map(|kind| ("kind", kind.to_string())));
        query.extend(
            filter
                .integration
                .iter()
                .map(|id| ("integration", id.to_string())),
        );
        self.get(&["v1", "alerts"], query).await
    }

    /// How many alerts are open, by kind and integration.
    pub async fn alert_groups(
        &self,
        kind: Option<AlertKind>,
        integration: Option<&IntegrationId>,
    ) -> Result<AlertGroups, ClientError> {
        let mut query: Query = Vec::new();
        query.extend(kind.map(|kind| ("kind", kind.to_string())));
        query.extend(integration.map(|id| ("integration", id.to_string())));
        self.get(&["v1", "alerts", "groups"], query).await
    }

    /// One alert.
    pub async fn alert(&self, id: AlertId) -> Result<AlertDetail, ClientError> {
        self.get(&["v1", "alerts", &id.to_string()], Vec::new())
            .await
    }

    /// Gives `each` line of the change log that is asked for; where it is followed also those to come, until the daemon
    /// or `each` ends it.
    pub async fn changes<E: From<ClientError>>(
        &self,
        which: &LogQuery,
        mut each: impl FnMut(LogLine) -> Result<(), E>,
    ) -> Result<(), E> {
        let query = which.query();
        let request = self.http.get(address(&["v1", "changes"], query));
        let mut lines = Lines::of(self.send(request, Some(PATIENCE)).await?);
        while let Some(line) = lines.next(&self.socket).await? {
            // An empty line only shows that the connection lives.
            if !line.is_empty() {
                each(self.read(line.as_bytes())?)?;
            }
        }
        Ok(())
    }

    /// Reads all files again. The answer is the outcome.
    pub async fn reload(&self) -> Result<ReloadReply, ClientError> {
        let address = address(&["v1", "reload"], Vec::new());
        self.json(self.http.request(Method::POST, address), Some(PATIENCE))
            .await
    }

    async fn get<T: DeserializeOwned>(
        &self,
        path: &[&str],
        query: Query,
    ) -> Result<T, ClientError> {
        self.json(self.http.get(address(path, query)), Some(PATIENCE))
            .await
    }

    /// The answer to a request that may take as long as it takes, of a daemon that says anything at all.
    async fn patiently<T: DeserializeOwned>(
        &self,
        request: reqwest::RequestBuilder,
    ) -> Result<T, ClientError> {
        self.lives().await?;
        self.json(request, None).await
    }

    /// Whether somebody answers, whatever they say.
    async fn lives(&self) -> Result<(), ClientError> {
        match self.healthz().await {
            Err(error @ (ClientError::Silent { .. } | ClientError::NotRunning { .. })) => {
                Err(error)
            }
            Ok(()) | Err(_) => Ok(()),
        }
    }

    async fn json<T: DeserializeOwned>(
        &self,
        request: reqwest::RequestBuilder,
        patience: Option<Duration>,
    ) -> Result<T, ClientError> {
        let answer = async {
            let response = self.answer(request).await?;
            let bytes = response.bytes().await;
            bytes.map_err(|error| ClientError::of_transport(&self.socket, &error))
        };
        self.read(&self.waited_for(answer, patience).await?)
    }

    /// The beginning of an answer.
    async fn send(
        &self,
        request: reqwest::RequestBuilder,
        patience: Option<Duration>,
    ) -> Result<Response, ClientError> {
        self.waited_for(self.answer(request), patience).await
    }

    /// What is asked for, within so long. Who waits is told.
    async fn waited_for<T>(
        &self,
        asked: impl Future<Output = Result<T, ClientError>>,
        patience: Option<Duration>,
    ) -> Result<T, ClientError> {
        let mut asked = std::pin::pin!(asked);
        let for_a_while = patience.map_or(A_WHILE, |patience| patience.min(A_WHILE));
        if let Ok(answer) = tokio::time::timeout(for_a_while, &mut asked).await {
            return answer;
        }
        if let Some(waits) = &self.waits
            && !self.is_told.swap(true, Ordering::Relaxed)
        {
            waits(&self.socket);
        }
        let Some(patience) = patience else {
            return asked.await;
        };
        let rest = patience.saturating_sub(for_a_while);
        let answer = tokio::time::timeout(rest, asked).await;
        answer.unwrap_or_else(|_| Err(self.silent(patience)))
    }

    fn silent(&self, waited: Duration) -> ClientError {
        ClientError::Silent {
            socket: self.socket.clone(),
            waited,
        }
    }

    async fn answer(&self, request: reqwest::RequestBuilder) -> Result<Response, ClientError> {
        let response = request.send().await;
        let response = response.map_err(|error| ClientError::of_transport(&self.socket, &error))?;
        let status = response.status();
        if status.is_success() {
            return Ok(response);
        }
        let bytes = response.bytes().await;
        let bytes = bytes.map_err(|error| ClientError::of_transport(&self.socket, &error))?;
        Err(ClientError::of_answer(
            status.as_u16(),
            &bytes,
            &self.socket,
        ))
    }

    fn read<T: DeserializeOwned>(&self, json: &[u8]) -> Result<T, ClientError> {
        serde_json::from_slice(json).map_err(|error| ClientError::of_content(&self.socket, &error))
    }
}

impl Cut {
    fn query(&self) -> Query {
        let mut query = Query::new();
        query.extend(self.limit.map(|limit| ("limit", limit.to_string())));
        query.extend(self.cursor.iter().map(|cursor| ("cursor", cursor.clone())));
        query
    }
}

/// The address of `path`, each part escaped. The host is never looked up: the socket is the way.
fn address(path: &[&str], query: Query) -> Url {
    let mut address = base();
    if let Ok(mut segments) = address.path_segments_mut() {
        segments.extend(path);
    }
    if !query.is_empty() {
        address.query_pairs_mut().extend_pairs(query);
    }
    address
}

fn base() -> Url {
    Url::parse("http://epms").expect("a constant address")
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::UnixListener;

    use super::*;

    /// Met in a daemon that was flooded: it closed connections that were kept, to make room.
    #[tokio::test]
    async fn a_daemon_that_closes_the_connection_after_an_answer_breaks_no_later_request() {
        let folder = tempfile::tempdir().unwrap();
        let socket = folder.path().join("epms.sock");
        let listener = UnixListener::bind(&socket).unwrap();
        tokio::spawn(async move {
            loop {
                let (mut stream, _) = listener.accept().await.unwrap();
                tokio::spawn(async move {
                    let mut head = Vec::new();
                    while !head.ends_with(b"\r\n\r\n") {
                        head.push(stream.read_u8().await.unwrap());
                    }
                    let answer = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok";
                    stream.write_all(answer).await.unwrap();
                    // Whatever comes besides is lost with the connection.
                    stream.readable().await.unwrap();
                });
            }
        });
        let client = Client::new(&socket).unwrap();
        for _ in 0..10 {
            assert_eq!(client.healthz().await, Ok(()));
        }
    }
}
