//! The beacon: signed JSON, a cookie for whoever is logged in, and people told as what has changed.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard};

use axum::body::Body;
use axum::http::Method;
use axum::response::Response;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::super::Home;
use super::{Heard, home, serve, with_status};

/// As its key stands in the secret.
const KEY: &[u8] = b"beacon & key; of 27 letters";

/// People by their ids with the moment of their last change, and what goes on.
#[derive(Debug, Default)]
pub struct State {
    pub people: BTreeMap<String, (Timestamp, Value)>,
    pub sessions: BTreeSet<String>,
    logins: usize,
    /// Methods and paths, in their order; of questions for people also since when.
    pub asked: Vec<String>,
    /// It takes no token back.
    pub keeps_sessions: bool,
    /// The clock of whoever asks is wrong.
    pub is_stale: bool,
}

/// A beacon with its home.
pub struct Beacon {
    pub home: Home,
    pub url: String,
    state: Arc<Mutex<State>>,
}

impl Beacon {
    /// A house with so many people.
    pub async fn start(people: usize) -> Beacon {
        let state: Arc<Mutex<State>> = Arc::default();
        let of_server = Arc::clone(&state);
        let url = serve(move |heard| answer(&mut of_server.lock().unwrap(), heard)).await;
        let home = home("beacon", &url, &STANDARD.encode(KEY));
        let beacon = Beacon { home, url, state };
        for number in 0..people {
            beacon.put(number, "in");
        }
        beacon
    }

    pub fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    /// Somebody comes, or is another than before.
    pub fn put(&self, number: usize, word: &str) {
        let until = match word {
            "gone" | "notice" => json!({ "at": 1_772_452_800_000_u64 }),
            _ => Value::Null,
        };
        let family = number.to_string();
        let family = family.bytes().map(|digit| char::from(b'a' + digit - b'0'));
        let one = json!({
            "house": "harbour",
            "who": format!("Dr. Maren Holm{} Jr.", family.collect::<String>()),
            "mail": [format!("mailto:maren.{number}@example.com")],
            "cell": format!("cell 503-555-{:04} (after 5)", number + 100),
            "flat": format!("f-{number}"),
            "lease": format!("L-{number}"),
            "lead": "Y",
            "from": { "at": 1_740_000_000_000_u64 },
            "until": until,
            "word": word,
        });
        let changed = (Timestamp::now(), one);
        self.state().people.insert(format!("p-{number}"), changed);
    }

    /// The questions for people since the last look, as the moments that they ask from.
    pub fn asked_since(&self) -> Vec<String> {
        let asked = std::mem::take(&mut self.state().asked);
        let since = asked
            .iter()
            .filter_map(|one| one.strip_prefix("POST /people since "));
        since.map(str::to_owned).collect()
    }
}

/// Whether a request is signed with the key, for this moment.
fn is_signed(heard: &Heard) -> bool {
    let mut text = format!("{} {}?{} ", heard.method, heard.path, heard.query);
    text += heard.header("x-beacon-time");
    let hash = ring::digest::digest(&ring::digest::SHA256, &heard.body);
    text += " ";
    for byte in hash.as_ref() {
        text += &format!("{byte:02x}");
    }
    let key = ring::hmac::Key::new(ring::hmac::HMAC_SHA256, KEY);
    let signature = heard.header("x-beacon-signature").strip_prefix("v1;epms;");
    let signature = signature.and_then(|signature| STANDARD.decode(signature).ok());
    let verified =
        signature.map(|signature| ring::hmac::verify(&key, text.as_bytes(), &signature).is_ok());
    verified == Some(true)
}

fn to(status: u16, location: &str) -> Response {
    with_status(status)
        .header("location", location)
        .header("content-type", "text/html")
        .body(Body::from("<html>elsewhere</html>"))
        .unwrap()
}

fn json_of(status: u16, value: &Value) -> Response {
    with_status(status)
        .header("content-type", "application/json")
        .body(Body::from(value.to_string()))
        .unwrap()
}

fn answer(state: &mut State, heard: &Heard) -> Response {
    let mut asked = format!("{} {}", heard.method, heard.path);
    if heard.path == "/people" {
        asked += &format!(
            " since {}",
            heard.json()["since"].as_str().unwrap_or_default()
        );
    }
    state.asked.push(asked);
    let now = Timestamp::now().as_second();
    let time: i64 = heard.header("x-beacon-time").parse().unwrap_or(0);
    if state.is_stale || (now - time).abs() > 300 {
        return json_of(400, &json!({ "problem": "stale" }));
    }
    if (&heard.method, &*heard.path) == (&Method::POST, "/session") {
        let login = heard.json();
        let is_now = login["at"].as_i64().is_some_and(|at| at / 1000 == time);
        if !is_signed(heard) || !is_now || login["key"] != "epms" {
            return to(303, "/denied?why=signature");
        }
        state.logins += 1;
        let session = format!("beacon-session-{}", state.logins);
        let mut made = to(303, "/start");
        for cookie in [
            "lang=en; Path=/",
            &format!("beacon_sid={session}; HttpOnly; Path=/"),
        ] {
            made.headers_mut()
                .append("set-cookie", cookie.parse().unwrap());
        }
        state.sessions.insert(session);
        return made;
    }
    let session = heard.header("cookie").strip_prefix("beacon_sid=");
    let Some(session) = session.filter(|session| state.sessions.contains(*session)) else {
        return to(302, "/signin");
    };
    if !is_signed(heard) {
        return json_of(401, &json!({ "problem": "signature" }));
    }
    let query = Heard::pairs(heard.query.as_bytes());
    match (&heard.method, &*heard.path) {
        (&Method::DELETE, "/session") => {
            if state.keeps_sessions {
                return json_of(500, &json!({ "problem": "busy" }));
            }
            if heard.header("x-beacon-session") != session {
                return json_of(400, &json!({ "problem": "which session?" }));
            }
            let session = session.to_owned();
            state.sessions.remove(&session);
            with_status(204).body(Body::empty()).unwrap()
        }
        (&Method::POST, "/people") => people(state, &query, &heard.json()),
        (&Method::GET, "/flats") => {
            let flats = state.people.values().map(|(_, one)| {
                let flat = one["flat"].as_str().unwrap();
                (
                    flat.to_owned(),
                    json!({ "door": flat.replace("f-", "Pier ") }),
                )
            });
            json_of(200, &json!({ "flats": flats.collect::<Map<_, _>>() }))
        }
        (&Method::GET, "/houses") => json_of(
            200,
            &json!({ "houses": [{ "code": "harbour", "title": "Harbour Street" }] }),
        ),
        _ => json_of(404, &json!({})),
    }
}

fn people(state: &State, query: &BTreeMap<String, String>, body: &Value) -> Response {
    let Some(take) = body["take"]
        .as_u64()
        .and_then(|take| usize::try_from(take).ok())
    else {
        return json_of(400, &json!({ "problem": "how many?" }));
    };
    if query.get("house").is_none_or(|house| house != "harbour") {
        return json_of(400, &json!({ "problem": "no such house" }));
    }
    let since = body["since"].as_str().unwrap_or_default();
    let since: Option<Timestamp> = (!since.is_empty()).then(|| since.parse().unwrap());
    let changed: Vec<(&String, &Value)> = state
        .people
        .iter()
        .filter(|(_, (at, _))| since.is_none_or(|since| *at >= since))
        .map(|(id, (_, one))| (id, one))
        .collect();
    if changed.is_empty() && since.is_some() {
        return json_of(200, &json!({ "status": "unchanged" }));
    }
    let from = body["after"].as_str().and_then(|from| from.parse().ok());
    let from: usize = from.unwrap_or(0);
    let page = changed.iter().skip(from).take(take);
    let page = page.map(|(id, one)| ((*id).clone(), (*one).clone()));
    let next = (from + take < changed.len()).then(|| (from + take).to_string());
    json_of(
        200,
        &json!({
            "status": "ok",
            "result/people": page.collect::<Map<_, _>>(),
            "result/count": changed.len(),
            "result/next": next,
        }),
    )
}
