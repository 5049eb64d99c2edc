//! What happens is told to a receiver of one's own by the real daemon: in order, until it is taken, over restarts.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use serde_json::Value;

use crate::support::{Daemon, Doors, Home, eventually, said};

/// An event as it came: its id, its body, and what was answered.
#[derive(Debug, Clone)]
struct Came {
    id: String,
    body: Value,
    answered: u16,
}

#[derive(Clone, Default)]
struct Receiver {
    came: Arc<Mutex<Vec<Came>>>,
    /// What is answered next, in the place of 200.
    answers: Arc<Mutex<Vec<u16>>>,
}

impl Receiver {
    async fn start() -> (Receiver, String) {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/events", listener.local_addr().unwrap());
        let receiver = Receiver::default();
        let app = Router::new()
            .route("/events", post(takes))
            .with_state(receiver.clone());
        tokio::spawn(async move { axum::serve(listener, app).await.unwrap() });
        (receiver, url)
    }

    fn came(&self) -> Vec<Came> {
        self.came.lock().unwrap().clone()
    }

    /// The kinds of the events that were taken, in the order in which they came.
    fn taken(&self) -> Vec<(u64, String)> {
        let came = self.came().into_iter().filter(|one| one.answered == 200);
        let told = came.map(|one| {
            let kind = one.body["kind"].as_str().unwrap().to_owned();
            (one.body["seq"].as_u64().unwrap(), kind)
        });
        told.collect()
    }
}

async fn takes(State(receiver): State<Receiver>, headers: HeaderMap, body: Bytes) -> StatusCode {
    let word = |name: &str| headers[name].to_str().unwrap().to_owned();
    assert!(word("webhook-signature").starts_with("v1,"));
    let mut answers = receiver.answers.lock().unwrap();
    let answered = if answers.is_empty() {
        200
    } else {
        answers.remove(0)
    };
    receiver.came.lock().unwrap().push(Came {
        id: word("webhook-id"),
        body: serde_json::from_slice(&body).unwrap(),
        answered,
    });
    StatusCode::from_u16(answered).unwrap()
}

#[tokio::test]
async fn what_happens_is_told_in_order_until_it_is_taken_and_over_a_restart() {
    let (home, doors) = (Home::new(), Doors::start().await);
    doors.files(&home, "enabled: false\n");
    let (receiver, url) = Receiver::start().await;
    home.write(
        "secrets/hook",
        "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=",
    );
    home.write(
        "config/credentials/hook.yaml",
        format!(
            "version: 1\nconnector: webhook\nfields: {{ url: {url:?}, secret: {{ file: secrets/hook }} }}\n"
        ),
    );
    home.write(
        "config/targets/hook.yaml",
        "version: 1\ncredential: hook\nfields: { state: \"yes\" }\n",
    );
    receiver.answers.lock().unwrap().extend([500, 429]);
    doors.lives(1, "1A", "current");
    let daemon = Daemon::start(&home).await;
    daemon.settle().await;
    eventually("the beginning is taken", async || {
        receiver.taken().iter().any(|(_, kind)| kind == "resync")
    })
    .await;
    // However often it was sent, it was one event.
    let came = receiver.came();
    assert_eq!(came[0].id, came[1].id);
    assert_eq!(came[1].id, came[2].id);
    daemon.kill();

    doors.lives(2, "2B", "current");
    let daemon = Daemon::start(&home).await;
    daemon.settle().await;
    daemon.sync("elm").await;
    // What came before the kill may come once more.
    eventually("what happened since is taken", async || {
        let came = receiver.came();
        let last = came.last().filter(|last| last.answered == 200);
        last.is_some_and(|last| {
            last.body["kind"] == "created" && last.body["state"]["last_name"] == "Quill 2"
        })
    })
    .await;
    let taken = receiver.taken();
    assert!(taken.is_sorted(), "{taken:?}");
    let resyncs: BTreeSet<u64> = taken
        .iter()
        .filter_map(|(seq, kind)| (kind == "resync").then_some(*seq))
        .collect();
    assert_eq!(resyncs.len(), 1, "{taken:?}");

    // 410 switches it off, until somebody lets it go on.
    receiver.answers.lock().unwrap().push(410);
    doors.lives(3, "3C", "current");
    daemon.sync("elm").await;
    eventually("it is told", async || {
        let alerts = daemon.alerts().await;
        let of_it = alerts.iter().find(|alert| alert.subject == "hook");
        of_it.is_some_and(|alert| alert.detail.contains("switched off"))
    })
    .await;
    let before = receiver.came().len();
    said(&home.epms(&["deliveries", "retry", "hook"]).await, 0);
    eventually("it goes on", async || receiver.came().len() > before).await;
    assert_eq!(receiver.came()[before].id, receiver.came()[before - 1].id);
}
