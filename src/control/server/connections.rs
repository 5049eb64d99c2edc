//! The connections of the socket: how many there are, how long a caller may owe something, and who has to go when
//! there are too many. A caller who stalls, floods or breaks off costs the others nothing: what goes first is
//! whatever waits for its caller, of the user who has the most connections. Knows no route, and not where they come from.

mod crowd;
mod line;
mod refusal;

use std::convert::Infallible;
use std::future::poll_fn;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::{ConnectInfo, Request};
use axum::response::IntoResponse;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpStream, UnixStream};
use tokio::task::JoinSet;
use tokio_rustls::server::TlsStream;
use tokio_util::either::Either;
use tokio_util::sync::CancellationToken;
use tower_service::Service;

use crate::control::listen::Listening;
use crate::control::net::NetListening;
use crate::control::protocol::ProblemDocument;

use super::Peer;
use crowd::Crowd;
pub(super) use line::Kept;
use line::{Line, Owed, Watched};

/// What callers may take of the daemon.
#[derive(Debug, Clone, Copy)]
pub(super) struct Limits {
    /// Connections at once. What is above takes the place of a connection that waits for its caller.
    pub(super) most: usize,
    /// How long a request's head may take to arrive, or the next request on a connection.
    pub(super) head: Duration,
    /// How long a caller may send nothing more of a request that has begun.
    pub(super) owed: Duration,
    /// How long a caller may take nothing of an answer.
    pub(super) stall: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Limits {
            most: 256,
            head: Duration::from_secs(10),
            owed: Duration::from_secs(30),
            stall: Duration::from_mins(2),
        }
    }
}

/// Where connections come from.
pub(super) trait Accepts: Send {
    /// One that has come, and was not spoken on.
    type Came: Send + 'static;
    /// One that HTTP is spoken on.
    type Stream: AsyncRead + AsyncWrite + Unpin + Send + 'static;

    /// The next who connects. May be given up at any time, and called again.
    fn accept(&mut self) -> impl Future<Output = std::io::Result<(Self::Came, Peer)>> + Send;

    /// What comes before HTTP: nothing, or TLS.
    fn greet(
        &self,
        came: Self::Came,
    ) -> impl Future<Output = std::io::Result<Self::Stream>> + Send + 'static;
}

impl Accepts for Listening {
    type Came = UnixStream;
    type Stream = UnixStream;

    async fn accept(&mut self) -> std::io::Result<(UnixStream, Peer)> {
        let stream = Listening::accept(self).await?;
        let peer = Peer::of(&stream);
        Ok((stream, peer))
    }

    fn greet(
        &self,
        came: UnixStream,
    ) -> impl Future<Output = std::io::Result<UnixStream>> + Send + 'static {
        std::future::ready(Ok(came))
    }
}

impl Accepts for NetListening {
    type Came = TcpStream;
    type Stream = Either<TcpStream, TlsStream<TcpStream>>;

    async fn accept(&mut self) -> std::io::Result<(TcpStream, Peer)> {
        let (stream, address) = NetListening::accept(self).await?;
        Ok((stream, Peer::at(address.ip())))
    }

    fn greet(
        &self,
        came: TcpStream,
    ) -> impl Future<Output = std::io::Result<Self::Stream>> + Send + 'static {
        let acceptor = self.acceptor();
        async move {
            Ok(match acceptor {
                None => Either::Left(came),
                Some(acceptor) => Either::Right(acceptor.accept(came).await?),
            })
        }
    }
}

/// So much is read ahead of a request, and so large may its head be.
const AHEAD: usize = 64 * 1024;
/// How often it is looked whether a caller still owes something.
const LOOK: Duration = Duration::from_secs(2);
/// How long a refused caller may take to hear why.
const GOODBYE: Duration = Duration::from_millis(200);

/// Serves `router` until `stop`, then lets the requests under way end.
pub(super) async fn serve<L: Accepts>(
    mut listener: L,
    router: Router,
    limits: Limits,
    stop: CancellationToken,
) {
    let crowd = Arc::new(Crowd::new(limits.most));
    let mut tasks = JoinSet::new();
    loop {
        let accepted = tokio::select! {
            () = stop.cancelled() => break,
            Some(_) = tasks.join_next() => continue,
            accepted = listener.accept() => accepted,
        };
        let (came, peer) = match accepted {
            Ok(came) => came,
            Err(error) => {
                // No file is free, most likely: one that somebody else holds for nothing helps at once.
                tracing::warn!(%error, "no connection could be accepted");
                if !crowd.make_room() {
                    tokio::time::sleep(Duration::from_millis(500)).await;
                }
                continue;
            }
        };
        let greeted = tokio::time::timeout(limits.head, listener.greet(came));
        let Some(line) = crowd.enter(&peer) else {
            tracing::warn!(uid = peer.uid, pid = peer.pid, "too many connections");
            let busy = "every connection is at work; ask again in a moment";
            tasks.spawn(async move {
                if let Ok(Ok(stream)) = greeted.await {
                    refuse(stream, ProblemDocument::busy(busy)).await;
                }
            });
            continue;
        };
        let (router, crowd, stop) = (router.clone(), Arc::clone(&crowd), stop.clone());
        tasks.spawn(async move {
            let greeted = tokio::select! {
                greeted = greeted => greeted.ok().and_then(Result::ok),
                () = line.has_to_go() => None,
                () = stop.cancelled() => None,
            };
            if let Some(stream) = greeted {
                speak(stream, peer, router, &line, limits, stop).await;
            }
            crowd.leave(&line);
        });
    }
    drop(listener);
    while tasks.join_next().await.is_some() {}
}

/// Speaks HTTP on one connection until either side ends it.
async fn speak<S: AsyncRead + AsyncWrite + Unpin + Send + 'static>(
    stream: S,
    peer: Peer,
    router: Router,
    line: &Arc<Line>,
    limits: Limits,
    stop: CancellationToken,
) {
    let service = service_fn(|request: hyper::Request<Incoming>| {
        let answering = line.answers();
        let mut request: Request = request.map(|body| Body::new(Owed::new(body, Arc::clone(line))));
        request.extensions_mut().insert(ConnectInfo(peer.clone()));
        let mut router = router.clone();
        Box::pin(async move {
            let answer = poll_fn(|cx| Service::<Request>::poll_ready(&mut router, cx)).await;
            let answer = match answer {
                Ok(()) => router.call(request).await,
                Err(never) => Err(never),
            };
            let answer = answer.unwrap_or_else(|never: Infallible| never.into_response());
            Ok::<_, Infallible>(answer.map(|body| Kept::new(body, answering)))
        })
    });
    let watched = TokioIo::new(Watched::new(stream, Arc::clone(line), limits.stall));
    let mut connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(limits.head)
        .max_buf_size(AHEAD)
        .serve_connection(watched, service);
    let mut look = tokio::time::interval(LOOK);
    look.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let why = {
        let mut ending = false;
        loop {
            tokio::select! {
                ended = poll_fn(|cx| connection.poll_without_shutdown(cx)) => match ended {
                    Err(error) if error.is_timeout() => break Some(ProblemDocument::too_slow(
                        "the request did not come to its end in time; send it whole",
                    )),
                    _ => break None,
                },
                () = line.has_to_go() => break Some(ProblemDocument::busy(
                    "others need the connection, and the request had not come to its end; ask again",
                )),
                _ = look.tick() => {
                    let slow = line.is_owed() && line.waits_for() > limits.owed;
                    if slow || ending && line.waits_for() > LOOK {
                        break Some(ProblemDocument::too_slow(
                            "the request did not come to its end in time; send it whole",
                        ));
                    }
                }
                () = stop.cancelled(), if !ending => {
                    ending = true;
                    Pin::new(&mut connection).graceful_shutdown();
                }
            }
        }
    };
    let (owed, may_be_told) = (line.is_owed(), line.may_be_told());
    let parts = connection.into_parts();
    let mut stream = parts.io.into_inner().into_inner();
    match why {
        // Where nothing of a request came, nobody waits for an answer; and none is begun within another.
        Some(problem) if may_be_told && (owed || !parts.read_buf.is_empty()) => {
            refuse(stream, problem).await;
        }
        // The HTTP library breaks off without a word where it is spoken to in another version.
        None if may_be_told && parts.read_buf.starts_with(b"PRI ") => {
            refuse(stream, refusal::no_request()).await;
        }
        _ => {
            // It is closed in any case.
            let _ = tokio::time::timeout(GOODBYE, stream.shutdown()).await;
        }
    }
}

/// Says why, as far as the caller listens.
async fn refuse<S: AsyncWrite + Unpin>(mut stream: S, problem: ProblemDocument) {
    let answer = refusal::answer(&problem);
    let said = pin!(async {
        stream.write_all(&answer).await?;
        stream.shutdown().await
    });
    let _ = tokio::time::timeout(GOODBYE, said).await;
}
