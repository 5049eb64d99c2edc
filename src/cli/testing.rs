//! For tests: a server on a Unix socket that gives made-up answers, and a run of the program against it.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

use axum::Router;
use axum::extract::{Request, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use futures_util::stream;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde::Serialize;

use crate::config::Environment;
use crate::control::protocol::ProblemDocument;

use super::{Exit, Screen, View, run_line};

/// A time, as JSON writes it.
pub(super) fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

/// A terminal of 80 columns without colours, at noon.
pub(super) fn view() -> View {
    View {
        width: Some(80),
        color: false,
        now: at("2026-03-01T12:00:00Z"),
        zone: TimeZone::UTC,
    }
}

/// No terminal.
pub(super) fn plain() -> View {
    View {
        width: None,
        ..view()
    }
}

/// Answers by method, path and query: `GET /v1/status`.
#[derive(Clone, Default)]
pub(super) struct Answers(BTreeMap<String, (u16, &'static str, String)>);

impl Answers {
    pub(super) fn json(self, request: &str, value: &impl Serialize) -> Answers {
        self.text(
            request,
            200,
            "application/json",
            serde_json::to_string(value).unwrap(),
        )
    }

    pub(super) fn problem(self, request: &str, problem: &ProblemDocument) -> Answers {
        let body = serde_json::to_string(problem).unwrap();
        self.text(request, problem.status, "application/problem+json", body)
    }

    /// Server-sent events, with the comments and the line ends that servers may send.
    pub(super) fn events(self, request: &str, events: &[impl Serialize]) -> Answers {
        let mut body = ": keep-alive\n\n".to_owned();
        for event in events {
            let event = serde_json::to_string(event).unwrap();
            body.extend(["event: progress\r\ndata: ", &event, "\r\n\r\n"]);
        }
        self.text(request, 200, "text/event-stream", body)
    }

    pub(super) fn lines(self, request: &str, values: &[impl Serialize]) -> Answers {
        let lines: Vec<String> = values
            .iter()
            .map(|value| serde_json::to_string(value).unwrap() + "\n")
            .collect();
        self.text(request, 200, "application/x-ndjson", lines.join("\n"))
    }

    pub(super) fn text(
        mut self,
        request: &str,
        status: u16,
        kind: &'static str,
        body: String,
    ) -> Answers {
        self.0.insert(request.to_owned(), (status, kind, body));
        self
    }
}

async fn answer(State(answers): State<Answers>, request: Request) -> Response {
    let asked = format!("{} {}", request.method(), request.uri());
    let body = axum::body::to_bytes(request.into_body(), usize::MAX).await;
    // Where the body matters, it stands behind what is asked.
    let told = format!("{asked} {}", String::from_utf8_lossy(&body.unwrap()));
    match answers.0.get(&told).or_else(|| answers.0.get(&asked)) {
        Some((status, kind, body)) => {
            let status = StatusCode::from_u16(*status).unwrap();
            // In small parts, so that lines and characters are torn.
            let parts: Vec<Vec<u8>> = body.as_bytes().chunks(7).map(<[u8]>::to_vec).collect();
            let parts = stream::iter(parts.into_iter().map(Ok::<_, std::convert::Infallible>));
            let body = axum::body::Body::from_stream(parts);
            (status, [(header::CONTENT_TYPE, *kind)], body).into_response()
        }
        None => (StatusCode::NOT_IMPLEMENTED, asked).into_response(),
    }
}

/// A server on a socket of its own. It ends with the test.
pub(super) struct Server {
    folder: tempfile::TempDir,
}

impl Server {
    pub(super) fn start(answers: Answers) -> Server {
        let folder = tempfile::tempdir().unwrap();
        let listener = tokio::net::UnixListener::bind(folder.path().join("epms.sock")).unwrap();
        let router = Router::new().fallback(answer).with_state(answers);
        tokio::spawn(async move { axum::serve(listener, router).await });
        Server { folder }
    }

    pub(super) fn socket(&self) -> PathBuf {
        self.folder.path().join("epms.sock")
    }
}

/// What a run of the program left behind.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Ran {
    pub(super) exit: Exit,
    pub(super) out: String,
    pub(super) err: String,
}

/// Runs `epms` with the words of `line` against `answers`, on a terminal of 80 columns.
pub(super) async fn epms(line: &str, answers: Answers) -> Ran {
    let server = Server::start(answers);
    epms_at(line, &server.socket(), view()).await
}

/// Runs `epms` with the words of `line` against `socket`.
pub(super) async fn epms_at(line: &str, socket: &Path, view: View) -> Ran {
    let (mut out, mut err) = (Vec::new(), Vec::new());
    let mut screen = Screen {
        out: &mut out,
        err: &mut err,
        view,
        progress: false,
    };
    let mut words: Vec<OsString> = vec!["epms".into(), "--socket".into(), socket.into()];
    words.extend(line.split_whitespace().map(OsString::from));
    let exit = run_line(words, &Environment::default(), &mut screen).await;
    Ran {
        exit,
        out: String::from_utf8(out).unwrap(),
        err: String::from_utf8(err).unwrap(),
    }
}
