//! The HTTP of a local OpenDOOR: tokens, routes, pages, and what goes wrong. What an act does is the keyring's.

use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{Request, State};
use axum::http::{HeaderValue, Method, header};
use axum::response::Response;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use futures_util::stream;
use serde_json::{Value, json};

use super::super::fault::FaultKind;
use super::super::serve::{Reply as Sent, send};
use super::faults::{faulty, instead, seen};
use super::keyring::{Door, Key, Keyring, Refused};
use super::{ListMishap, Mishap, Shared};

/// Where the document's paths begin.
pub(super) const BASE: &str = "/access/sdk";

/// Where a token is asked for: beside the API, as with the vendor.
const TOKEN: &str = "/oauth/token";

/// A token is good for so many seconds.
const LASTS: i64 = 3600;

/// The largest body that is read.
const BODY: usize = 1 << 20;

/// What is answered.
struct Reply {
    status: u16,
    body: Option<Value>,
    retry_after: Option<u64>,
}

impl Reply {
    fn new(status: u16, body: Value) -> Reply {
        Reply {
            status,
            body: Some(body),
            retry_after: None,
        }
    }

    fn bare(status: u16) -> Reply {
        Reply {
            status,
            body: None,
            retry_after: None,
        }
    }

    fn message(status: u16, code: &str) -> Reply {
        Reply::new(status, json!({ "message": code }))
    }

    fn refused((status, code): Refused) -> Reply {
        code.map_or_else(|| Reply::bare(status), |code| Reply::message(status, code))
    }
}

/// What is asked for.
struct Asked {
    method: Method,
    /// The path below the base, in its parts.
    path: Vec<String>,
    query: Vec<(String, String)>,
    body: Value,
}

impl Asked {
    fn parameter(&self, name: &str) -> Option<&str> {
        let mut named = self.query.iter().filter(|(key, _)| key == name);
        named.next().map(|(_, value)| value.as_str())
    }
}

pub(super) async fn handle(State(shared): State<Arc<Shared>>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let path = parts.uri.path().to_owned();
    let bytes = to_bytes(body, BODY).await.unwrap_or_default();
    let below = path.strip_prefix(BASE).unwrap_or_default();
    let is_token = path == TOKEN || below == TOKEN;
    let faults = shared.faults.due(&seen(&path));
    for fault in &faults {
        if let FaultKind::Delay(time) = fault {
            tokio::time::sleep(*time).await;
        }
    }
    if let Some(instead) = instead(&shared, &faults, is_token) {
        note(&shared, &parts.method, below, Some(instead.status));
        return send(instead, &faults);
    }
    if is_token {
        return sent(&token(&shared, &bytes), &faults);
    }
    let told = parts.headers.get(header::AUTHORIZATION);
    let told = told
        .and_then(|value| value.to_str().ok())
        .map(str::to_owned);
    let query = parts.uri.query().unwrap_or_default().as_bytes();
    let asked = Asked {
        method: parts.method,
        path: below.split('/').skip(1).map(str::to_owned).collect(),
        query: url::form_urlencoded::parse(query).into_owned().collect(),
        body: serde_json::from_slice(&bytes).unwrap_or_default(),
    };
    let reply = answer(&shared, told.as_deref(), &asked, &faults);
    let status = reply.as_ref().map(|reply| reply.status);
    note(&shared, &asked.method, below, status);
    match reply {
        Some(reply) => sent(&reply, &faults),
        None => broken_off(),
    }
}

fn note(shared: &Shared, method: &Method, path: &str, status: Option<u16>) {
    shared.state().requests.push(super::Request {
        method: method.to_string(),
        path: path.to_owned(),
        status,
    });
}

/// The answer; none where the connection ends without one.
fn answer(
    shared: &Arc<Shared>,
    told: Option<&str>,
    asked: &Asked,
    faults: &[FaultKind],
) -> Option<Reply> {
    let mut state = shared.state();
    let good = format!("Bearer {}", bearer(shared, state.token));
    if told != Some(good.as_str()) {
        return Some(Reply::message(401, "UNAUTHORIZED"));
    }
    let is_act = asked.method != Method::GET;
    let Some(mishap) = is_act.then(|| state.mishap()).flatten() else {
        if is_act {
            return Some(act(&mut state.keyring, asked));
        }
        let mishap = state.list_mishap();
        let size = shared.settings.page_size;
        return Some(list(&state.keyring, asked, mishap, faults, size));
    };
    let keyring = &mut state.keyring;
    match mishap {
        Mishap::DoneUnheard => {
            act(keyring, asked);
            None
        }
        Mishap::Unheard => None,
        Mishap::DoneLate(after) => {
            drop(state);
            later(shared, after, asked);
            None
        }
        Mishap::DoneTwice => {
            act(keyring, asked);
            Some(act(keyring, asked))
        }
        Mishap::DoneServerError => {
            act(keyring, asked);
            Some(Reply::message(500, "INTERNAL_SERVER_ERROR"))
        }
        Mishap::ServerError => Some(Reply::message(500, "INTERNAL_SERVER_ERROR")),
        Mishap::TooMany(retry_after) => Some(Reply {
            retry_after,
            ..Reply::bare(429)
        }),
        Mishap::Unavailable => Some(Reply::bare(503)),
        Mishap::ExpiredToken => {
            state.token += 1;
            Some(Reply::message(401, "UNAUTHORIZED"))
        }
        Mishap::BareCreated => {
            let reply = act(keyring, asked);
            Some(if reply.status == 200 {
                Reply::bare(201)
            } else {
                reply
            })
        }
        Mishap::NotDone => Some(act(&mut keyring.clone(), asked)),
    }
}

/// Does it after a while, whether anybody waits or not.
fn later(shared: &Arc<Shared>, after: Duration, asked: &Asked) {
    let shared = Arc::clone(shared);
    let asked = Asked {
        method: asked.method.clone(),
        path: asked.path.clone(),
        query: asked.query.clone(),
        body: asked.body.clone(),
    };
    tokio::spawn(async move {
        tokio::time::sleep(after).await;
        act(&mut shared.state().keyring, &asked);
    });
}

/// What asks for something to be done.
fn act(keyring: &mut Keyring, asked: &Asked) -> Reply {
    let path: Vec<&str> = asked.path.iter().map(String::as_str).collect();
    match (asked.method.as_str(), path.as_slice()) {
        ("POST", [version @ ("v1" | "v2"), "users"]) => match keyring.post_user(&asked.body) {
            Ok(user) if *version == "v2" => Reply::new(200, shown(keyring, &user)),
            Ok(user) => {
                let doors = keyring
                    .doors
                    .iter()
                    .filter(|door| opened(keyring, &user, door));
                let doors: Vec<Value> = doors.map(door_shown).collect();
                Reply::new(200, json!({ "userUuid": user, "doors": doors }))
            }
            Err(refused) => Reply::refused(refused),
        },
        ("PATCH", ["v1", "users", user, "doors", opens]) => {
            match keyring.patch(user, opens, &asked.body) {
                Ok(()) => Reply::new(200, shown(keyring, user)),
                Err(refused) => Reply::refused(refused),
            }
        }
        ("DELETE", ["v1", "users", user, "doors", opens]) => match keyring.delete(user, opens) {
            Ok(()) => Reply::bare(204),
            Err(refused) => Reply::refused(refused),
        },
        _ => Reply::bare(404),
    }
}

/// What asks for what is there.
fn list(
    keyring: &Keyring,
    asked: &Asked,
    mishap: Option<ListMishap>,
    faults: &[FaultKind],
    size: usize,
) -> Reply {
    if mishap == Some(ListMishap::ServerError) {
        return Reply::message(500, "INTERNAL_SERVER_ERROR");
    }
    let path: Vec<&str> = asked.path.iter().map(String::as_str).collect();
    let building = asked.parameter("buildingUuid");
    let (name, items, is_paged) = match path.as_slice() {
        ["v1", "buildings"] => ("buildings", keyring.buildings.iter().map(|building| json!({
            "uuid": building.uuid,
            "name": building.name,
            "timezone": crate::sandbox::TIMEZONE,
            "address": {
                "addressLine1": "1 Example Street", "addressLine2": "", "addressLine3": "",
                "city": "Springfield", "country": "US", "postalCode": "10001", "state": "NY",
            },
        })).collect(), false),
        ["v1", "doors"] => {
            let of = keyring.doors.iter().filter(|door| building.is_none_or(|uuid| door.building == uuid));
            ("doors", of.map(door_shown).collect(), true)
        }
        ["v1", "keys"] => {
            let with_doors = asked.parameter("includeDoors") == Some("true");
            let of = keyring.keys.iter().filter(|key| building.is_none_or(|uuid| key.building == uuid));
            ("keys", of.map(|key| key_shown(keyring, key, with_doors)).collect(), true)
        }
        ["v1", "users"] => ("users", keyring.users.iter().map(|user| keyring.user_shown(user)).collect(), true),
        ["v1", "keys", key, "accesses"] => match keyring.key_accesses(key) {
            Some(accesses) => ("accesses", accesses, false),
            None => return Reply::bare(404),
        },
        ["v1", "buildings", building, "residents"] => match keyring.residents(building) {
            Some(residents) => ("residents", residents, true),
            None => return Reply::bare(404),
        },
        ["v1", "users", user] => {
            let known = keyring.users.iter().find(|known| known.uuid == *user);
            return known.map_or_else(
                || Reply::message(404, "NOT_FOUND"),
                |user| Reply::new(200, keyring.user_shown(user)),
            );
        }
        _ => return Reply::bare(404),
    };
    let items = faulty(items, faults);
    if faults.contains(&FaultKind::NoResult) {
        return Reply::new(200, json!({}));
    }
    page(asked, name, items, is_paged.then_some(size), mishap, faults)
}

/// A page of a list, with the token of the next.
fn page(
    asked: &Asked,
    name: &str,
    mut items: Vec<Value>,
    size: Option<usize>,
    mishap: Option<ListMishap>,
    faults: &[FaultKind],
) -> Reply {
    if mishap == Some(ListMishap::Short) {
        items.pop();
    }
    let Some(size) = size else {
        return Reply::new(200, json!({ name: items }));
    };
    let asked_size = asked.parameter("pageSize").map(str::parse);
    let size = match asked_size.transpose() {
        Ok(asked) => asked.unwrap_or(size).clamp(1, 1000),
        Err(_) => return Reply::bare(400),
    };
    let Ok(page) = asked.parameter("pageToken").unwrap_or("0").parse::<usize>() else {
        return Reply::bare(400);
    };
    let is_repeated = faults.contains(&FaultKind::RepeatedPage);
    let is_more = page.saturating_add(1).saturating_mul(size) < items.len();
    let is_more = is_more || faults.contains(&FaultKind::EndlessNext);
    let first = if is_repeated { 0 } else { page };
    let begin = first.saturating_mul(size).min(items.len());
    let end = begin.saturating_add(size).min(items.len());
    let shown: Vec<Value> = items.drain(begin..end).collect();
    let mut body = json!({ name: shown });
    if mishap == Some(ListMishap::EndlessPages) {
        body["nextPageToken"] = page.to_string().into();
    } else if is_more {
        body["nextPageToken"] = (page + 1).to_string().into();
    }
    Reply::new(200, body)
}

fn shown(keyring: &Keyring, user: &str) -> Value {
    let known = keyring.users.iter().find(|known| known.uuid == user);
    known.map_or(Value::Null, |user| keyring.user_shown(user))
}

fn opened(keyring: &Keyring, user: &str, door: &Door) -> bool {
    let is_theirs = |key: &str| {
        let mut accesses = keyring.accesses.iter();
        accesses.any(|access| access.user == user && access.opens == key)
    };
    is_theirs(&door.uuid)
        || (keyring.keys.iter()).any(|key| key.doors.contains(&door.uuid) && is_theirs(&key.uuid))
}

fn door_shown(door: &Door) -> Value {
    json!({
        "uuid": door.uuid,
        "buildingUuid": door.building,
        "name": door.name,
        "sdkDoorUuid": door.uuid,
        "type": "DOOR",
        "accessibilityType": if door.is_communal { "COMMUNAL" } else { "PRIVATE" },
        "isConnected": door.is_connected,
    })
}

fn key_shown(keyring: &Keyring, key: &Key, with_doors: bool) -> Value {
    let kind = if key.doors.len() == 1 {
        "SINGLE"
    } else {
        "REGULAR"
    };
    let mut shown = json!({
        "uuid": key.uuid,
        "buildingUuid": key.building,
        "name": key.name,
        "keyType": kind,
        "doorsType": "DOOR",
    });
    if with_doors {
        let doors = keyring
            .doors
            .iter()
            .filter(|door| key.doors.contains(&door.uuid));
        let doors: Vec<Value> = doors
            .map(|door| {
                json!({
                    "name": door.name,
                    "sdkDoorUuid": door.uuid,
                    "type": if door.is_communal { "COMMUNAL" } else { "RESIDENCE" },
                })
            })
            .collect();
        shown["doors"] = doors.into();
    }
    shown
}

/// The token of a number: a JWT as far as anybody may look into one, which says when it ends.
fn bearer(shared: &Shared, number: u64) -> String {
    let part = |value: Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let head = part(json!({ "alg": "RS256", "typ": "JWT" }));
    let end = jiff::Timestamp::now().as_second() / LASTS * LASTS + 2 * LASTS;
    let claims = part(json!({ "sub": shared.secrets["client_id"], "exp": end, "jti": number }));
    let proof = super::keyring::made_up(shared.settings.seed, "proof", number);
    format!("{head}.{claims}.{}", URL_SAFE_NO_PAD.encode(proof))
}

/// OAuth 2 with client credentials, as JSON or as a form. No `expires_in`: the token says when it ends.
fn token(shared: &Shared, body: &[u8]) -> Reply {
    let form = || url::form_urlencoded::parse(body).into_owned();
    let json: Option<Value> = serde_json::from_slice(body).ok();
    let field = |name: &str| match &json {
        Some(json) => json.get(name).and_then(Value::as_str).map(str::to_owned),
        None => form().find(|(key, _)| key == name).map(|(_, value)| value),
    };
    let is_right =
        |name: &str| field(name).as_deref() == shared.secrets.get(name).map(String::as_str);
    let are_right = ["client_id", "client_secret", "audience"]
        .into_iter()
        .all(is_right);
    if field("grant_type").as_deref() != Some("client_credentials") || !are_right {
        return Reply::message(401, "UNAUTHORIZED");
    }
    let token = bearer(shared, shared.state().token);
    Reply::new(
        200,
        json!({ "access_token": token, "token_type": "Bearer" }),
    )
}

fn sent(reply: &Reply, faults: &[FaultKind]) -> Response {
    let plain = match &reply.body {
        Some(body) => Sent::new(reply.status, "application/json", body.to_string()),
        None => Sent::new(reply.status, "", String::new()),
    };
    let plain = match reply.retry_after {
        Some(seconds) => plain.with("retry-after", seconds),
        None => plain,
    };
    send(plain, faults)
}

/// An answer that ends before it began: nobody learns what came of the request.
fn broken_off() -> Response {
    let nothing = stream::once(async { Err::<Bytes, _>(std::io::Error::other("broken off")) });
    let mut response = Response::new(Body::from_stream(nothing));
    // A length that never comes: the connection ends in the middle of the answer.
    response
        .headers_mut()
        .insert(header::CONTENT_LENGTH, HeaderValue::from_static("2"));
    response
}
