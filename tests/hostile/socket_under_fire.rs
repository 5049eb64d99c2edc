//! A socket that is flooded, stalled or broken off costs other callers nothing (promise 8): while each attack lasts
//! another caller is answered, refusals say why as far as HTTP lets them, and afterwards the daemon holds no more
//! than before. Callers here are of one user: what is bounded for each user besides, unit tests show.

use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::time::Duration;

use crate::support::{Daemon, Home, PATIENCE, eventually, pms};
use epms::control::client::Client;
use epms::control::protocol::ProblemDocument;
use epms::sandbox::Kind;

/// So many connections the daemon has at most, and of these so many that last for one user.
const MOST: usize = 256;
const LASTING: usize = 128;

/// A daemon with some people, and how many files it has open when nobody asks.
struct Attacked {
    home: Home,
    daemon: Daemon,
    _pms: std::sync::Arc<epms::sandbox::Sandbox>,
    quiet: usize,
}

impl Attacked {
    async fn new() -> Attacked {
        let pms = pms(Kind::AppFolio, 5, 40).await;
        let home = Home::new();
        home.feed("elm", &pms);
        let daemon = Daemon::start(&home).await;
        daemon.settle().await;
        let quiet = daemon.open_files();
        Attacked {
            home,
            daemon,
            _pms: pms,
            quiet,
        }
    }

    fn socket(&self) -> PathBuf {
        self.home.socket()
    }

    fn connect(&self) -> UnixStream {
        let stream = UnixStream::connect(self.socket()).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream.set_write_timeout(Some(PATIENCE)).unwrap();
        stream
    }

    fn connect_and_send(&self, text: &str) -> UnixStream {
        let mut stream = self.connect();
        stream.write_all(text.as_bytes()).unwrap();
        stream
    }

    /// Another caller, on a connection of their own, is answered.
    async fn others_are_answered(&self) {
        let status = Client::new(&self.socket()).unwrap().status().await;
        let status = status.unwrap_or_else(|error| panic!("{error}\n{}", self.daemon.log()));
        assert_eq!(status.integrations.len(), 1);
        // Those who had to go are closed in a moment.
        eventually("connections are bounded", async || {
            self.daemon.open_files() < self.quiet + MOST + 20
        })
        .await;
    }

    /// Everything that was taken is given back, and nothing went wrong inside.
    async fn recovers(&self) {
        eventually("what was taken is given back", async || {
            // The test's own connection may be among them.
            self.daemon.open_files() <= self.quiet + 2
        })
        .await;
        self.others_are_answered().await;
        assert_eq!(self.daemon.get("/v1/people").await.status, 200);
        let log = self.daemon.log();
        assert!(!log.contains("panicked"), "{log}");
        assert!(!log.contains("ERROR"), "{log}");
    }
}

/// An answer to its end: status, and the problem that it must be when it is a refusal.
fn answer(stream: &mut UnixStream) -> (u16, Option<ProblemDocument>) {
    let mut text = Vec::new();
    // Whoever is refused while they still send is told first and broken off then.
    let _ = stream.read_to_end(&mut text);
    let text = String::from_utf8_lossy(&text).into_owned();
    let (head, body) = text
        .split_once("\r\n\r\n")
        .unwrap_or_else(|| panic!("no answer: {text:?}"));
    let status: u16 = head.split(' ').nth(1).unwrap().parse().unwrap();
    if status < 400 {
        return (status, None);
    }
    assert!(
        head.contains("content-type: application/problem+json"),
        "{head}"
    );
    let problem: ProblemDocument = serde_json::from_str(body).unwrap();
    assert_eq!(problem.status, status);
    assert!(!problem.detail.is_empty());
    (status, Some(problem))
}

const WHOLE: &str = "GET /v1/status HTTP/1.1\r\nhost: epms\r\nconnection: close\r\n\r\n";

#[tokio::test(flavor = "multi_thread")]
async fn idle_connections_and_half_requests_make_room_for_others() {
    let attacked = Attacked::new().await;
    for begun in [
        "",
        "GET /v1/status HTTP/1.1\r\nhost: ep",
        "G",
        "POST /v1/people HTTP/1.1\r\nhost: epms\r\ncontent-length: 999\r\n\r\n{",
    ] {
        let mut held = Vec::new();
        for count in 0..600 {
            held.push(attacked.connect_and_send(begun));
            if count % 100 == 99 {
                attacked.others_are_answered().await;
            }
        }
        // The first of them had to go, and heard why when they had begun to ask.
        let mut first = held.swap_remove(0);
        if begun.is_empty() {
            assert_eq!(first.read(&mut [0; 10]).unwrap_or(0), 0);
        } else {
            let (status, problem) = answer(&mut first);
            assert_eq!((status, &*problem.unwrap().kind), (503, "urn:epms:busy"));
        }
        drop(held);
        attacked.recovers().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_sends_half_a_request_and_waits_is_told_and_closed() {
    let attacked = Attacked::new().await;
    let halves = [
        "GET /v1/status HTTP/1.1\r\nhost: epms\r\nx-never: en",
        "POST /v1/people HTTP/1.1\r\nhost: epms\r\ncontent-length: 999\r\n\r\n{\"first_",
        "POST /v1/people/import HTTP/1.1\r\nhost: epms\r\ntransfer-encoding: chunked\r\n\r\n5\r\nfirst\r\n",
    ];
    let mut held: Vec<UnixStream> = halves
        .iter()
        .map(|half| attacked.connect_and_send(half))
        .collect();
    let idle = attacked.connect();
    attacked.others_are_answered().await;
    let told = tokio::task::spawn_blocking(move || {
        let told: Vec<_> = held.iter_mut().map(answer).collect();
        // Nobody waits on a connection without a request: it is closed without a word.
        let mut idle = idle;
        assert_eq!(idle.read(&mut [0; 10]).unwrap(), 0);
        told
    });
    for (status, problem) in told.await.unwrap() {
        assert_eq!(
            (status, &*problem.unwrap().kind),
            (408, "urn:epms:too-slow")
        );
    }
    attacked.recovers().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_caller_who_does_not_read_holds_up_nobody() {
    let attacked = Attacked::new().await;
    // Some megabytes of answers each, of which nothing is taken.
    let many = "GET /v1/openapi.json HTTP/1.1\r\nhost: epms\r\n\r\n".repeat(60);
    let mut held = Vec::new();
    for count in 0..400 {
        let mut stream = attacked.connect();
        stream.set_nonblocking(true).unwrap();
        // What does not fit any more is not sent: the daemon does not read on.
        let _ = stream.write_all(many.as_bytes());
        held.push(stream);
        if count % 50 == 49 {
            attacked.others_are_answered().await;
        }
    }
    let peak = resident_megabytes(attacked.daemon.pid());
    assert!(peak < 400, "{peak} MB are held for callers who do not read");
    drop(held);
    attacked.recovers().await;
}

fn resident_megabytes(pid: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = status.lines().find(|line| line.starts_with("VmRSS:"));
    let kilobytes = line.unwrap().split_whitespace().nth(1).unwrap();
    kilobytes.parse::<u64>().unwrap() / 1024
}

#[tokio::test(flavor = "multi_thread")]
async fn who_waits_for_too_much_at_once_is_refused_and_others_are_not() {
    let attacked = Attacked::new().await;
    let follow = "GET /v1/changes?after=0&follow=true HTTP/1.1\r\nhost: epms\r\n\r\n";
    let mut held = Vec::new();
    for count in 0..LASTING {
        let mut stream = attacked.connect_and_send(follow);
        let mut begin = [0; 15];
        stream.read_exact(&mut begin).unwrap();
        assert_eq!(&begin, b"HTTP/1.1 200 OK", "{count}");
        held.push(stream);
    }
    for _ in 0..50 {
        let mut stream =
            attacked.connect_and_send(&follow.replace("\r\n\r\n", "\r\nconnection: close\r\n\r\n"));
        let (status, problem) = answer(&mut stream);
        assert_eq!((status, &*problem.unwrap().kind), (503, "urn:epms:busy"));
    }
    // Idle ones besides take only what is left, and give it back.
    let idle: Vec<_> = (0..MOST).map(|_| attacked.connect()).collect();
    attacked.others_are_answered().await;
    let report = attacked.daemon.get("/v1/people").await;
    assert_eq!(report.status, 200);
    drop((held, idle));
    attacked.recovers().await;
    let ids = [epms::model::IntegrationId::new("elm")];
    let which = epms::control::client::Which::These(&ids);
    let client = Client::new(&attacked.socket()).unwrap();
    assert!(client.sync(which, true).await.is_ok());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_too_large_is_refused_without_being_held() {
    let attacked = Attacked::new().await;
    let before = resident_megabytes(attacked.daemon.pid());
    let chunk = vec![b'a'; 1 << 20];
    let bodies = [
        ("/v1/people", "content-length: 2000000000"),
        ("/v1/people/import", "content-length: 2000000000"),
        (
            "/v1/people/import?dry_run=true",
            "transfer-encoding: chunked",
        ),
    ];
    for (path, framing) in bodies {
        let head = format!("POST {path} HTTP/1.1\r\nhost: epms\r\n{framing}\r\n\r\n");
        let mut stream = attacked.connect_and_send(&head);
        let mut sent = 0;
        while sent < 64 {
            if framing.starts_with("transfer") && write!(stream, "{:x}\r\n", chunk.len()).is_err() {
                break;
            }
            if stream.write_all(&chunk).is_err() {
                break;
            }
            if framing.starts_with("transfer") && stream.write_all(b"\r\n").is_err() {
                break;
            }
            sent += 1;
        }
        assert!(sent < 64, "{path}: all of it was taken");
        let (status, problem) = answer(&mut stream);
        assert_eq!(
            (status, &*problem.unwrap().kind),
            (413, "urn:epms:too-large"),
            "{path}"
        );
        attacked.others_are_answered().await;
    }
    let heads = [
        (
            format!(
                "GET /v1/status HTTP/1.1\r\nhost: epms\r\nx: {}\r\n\r\n",
                "a".repeat(1 << 20)
            ),
            431,
        ),
        (
            format!(
                "GET /{} HTTP/1.1\r\nhost: epms\r\n\r\n",
                "a".repeat(1 << 20)
            ),
            431,
        ),
        (
            format!(
                "GET /v1/status HTTP/1.1\r\n{}\r\n",
                "x: y\r\n".repeat(5_000)
            ),
            431,
        ),
    ];
    for (head, expected) in heads {
        let mut stream = attacked.connect();
        // It is refused before all of it was sent.
        let _ = stream.write_all(head.as_bytes());
        let (status, problem) = answer(&mut stream);
        assert!(status == expected || status == 414, "{status}");
        assert_eq!(problem.unwrap().kind, "urn:epms:too-large");
    }
    let after = resident_megabytes(attacked.daemon.pid());
    assert!(after < before + 100, "{before} MB, and then {after}");
    attacked.recovers().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_request_is_refused_with_a_reason() {
    let attacked = Attacked::new().await;
    let begun: [&[u8]; 6] = [
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        b"GET /v1/status\r\n\r\n",
        b"GET /v1/status HTTP/1.1\r\n\xff\xfe: x\r\n\r\n",
        b"GET /v1/status HTTP/9.9\r\nhost: epms\r\n\r\n",
        b"POST /v1/reload HTTP/1.1\r\nhost: epms\r\ncontent-length: -7\r\n\r\n",
    ];
    for bytes in begun {
        let mut stream = attacked.connect();
        stream.write_all(bytes).unwrap();
        let (status, problem) = answer(&mut stream);
        let bytes = String::from_utf8_lossy(bytes);
        assert_eq!(
            (status, &*problem.unwrap().kind),
            (400, "urn:epms:bad-request"),
            "{bytes}"
        );
    }
    attacked.recovers().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_breaks_off_in_the_middle_leaves_nothing_behind() {
    let attacked = Attacked::new().await;
    let requests = [
        WHOLE,
        "GET /v1/openapi.json HTTP/1.1\r\nhost: epms\r\n\r\n",
        "GET /v1/changes?follow=true HTTP/1.1\r\nhost: epms\r\n\r\n",
        "POST /v1/people/import HTTP/1.1\r\nhost: epms\r\ncontent-length: 5000\r\n\r\nfirst_name",
        "POST /v1/integrations/elm/sync HTTP/1.1\r\nhost: epms\r\n\r\n",
        "POST /v1/backup HTTP/1.1\r\nhost: epms\r\n\r\n",
        "GET /v1/st",
    ];
    for count in 0..700 {
        drop(attacked.connect_and_send(requests[count % requests.len()]));
        if count % 100 == 99 {
            attacked.others_are_answered().await;
        }
    }
    attacked.daemon.settle().await;
    attacked.recovers().await;
    assert_eq!(attacked.daemon.stop().await, Some(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flood_of_requests_from_many_threads_is_answered_and_so_is_everybody_else() {
    let attacked = Attacked::new().await;
    let threads: Vec<_> = (0..16)
        .map(|_| {
            let socket = attacked.socket();
            std::thread::spawn(move || {
                let mut answered = 0;
                for _ in 0..60 {
                    let Ok(mut stream) = UnixStream::connect(&socket) else {
                        continue;
                    };
                    stream
                        .set_read_timeout(Some(Duration::from_secs(30)))
                        .unwrap();
                    stream.write_all(WHOLE.as_bytes()).unwrap();
                    assert_eq!(answer(&mut stream).0, 200);
                    answered += 1;
                }
                answered
            })
        })
        .collect();
    for _ in 0..20 {
        attacked.others_are_answered().await;
    }
    for thread in threads {
        let answered = tokio::task::spawn_blocking(move || thread.join().unwrap());
        assert_eq!(answered.await.unwrap(), 60);
    }
    attacked.recovers().await;
}
