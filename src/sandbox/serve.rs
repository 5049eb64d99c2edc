//! What all sandboxes do with a request: count it, apply faults, send the answer. It does not know
//! what an answer says; that is the file of each PMS.

use std::collections::{BTreeMap, VecDeque};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::{Duration, Instant};

use axum::body::{Body, Bytes};
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use axum::response::Response;
use base64::Engine;
use futures_util::stream;

use super::fault::{FaultKind, Faults};
use super::world::World;
use super::{Kind, Limits, Settings, appfolio, entrata, mri, realpage, rentmanager, resman, yardi};

/// One request as the sandbox understood it, whether it was let in or not. Holds no secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seen {
    /// The endpoint (`tenants`) or the SOAP operation (`GetResidents`); empty if there was none.
    pub operation: String,
    /// The property asked for, as the request named it.
    pub property: Option<String>,
    /// The page asked for.
    pub page: Option<u32>,
    /// Path and query.
    pub target: String,
}

/// A request, read to its end.
pub(super) struct Asked {
    pub(super) method: Method,
    pub(super) path: String,
    pub(super) query: String,
    pub(super) headers: HeaderMap,
    pub(super) body: String,
    /// How many requests there were, this one included.
    pub(super) number: u32,
}

impl Asked {
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    /// User and password of HTTP Basic.
    pub(super) fn basic(&self) -> Option<(String, String)> {
        let (scheme, coded) = self.header("authorization")?.split_once(' ')?;
        let engine = base64::engine::general_purpose::STANDARD;
        let bytes = engine.decode(coded.trim()).ok()?;
        let text = String::from_utf8(bytes).ok()?;
        let (user, password) = text.split_once(':')?;
        scheme
            .eq_ignore_ascii_case("basic")
            .then(|| (user.to_owned(), password.to_owned()))
    }

    /// Path and query.
    pub(super) fn target(&self) -> String {
        match self.query.as_str() {
            "" => self.path.clone(),
            query => format!("{}?{query}", self.path),
        }
    }
}

/// An answer before it is sent.
pub(super) struct Reply {
    pub(super) status: u16,
    pub(super) content_type: &'static str,
    pub(super) headers: Vec<(&'static str, String)>,
    pub(super) body: String,
}

impl Reply {
    pub(super) fn new(status: u16, content_type: &'static str, body: String) -> Self {
        Self {
            status,
            content_type,
            headers: Vec::new(),
            body,
        }
    }

    /// What a web server in front says when the application is not there.
    pub(super) fn html(status: u16) -> Self {
        let body = "<!DOCTYPE html>\r\n<html><head><title>Please stand by</title></head>\r\n\
                    <body><h1>We&#39;ll be back soon</h1><p>The site is down for maintenance.<br>\
                    </body></html>\r\n";
        Self::new(status, "text/html; charset=utf-8", body.to_owned())
    }

    pub(super) fn with(mut self, name: &'static str, value: impl ToString) -> Self {
        self.headers.push((name, value.to_string()));
        self
    }
}

/// What the requests of one sandbox share.
pub(super) struct Shared {
    pub(super) kind: Kind,
    pub(super) world: RwLock<World>,
    pub(super) settings: Settings,
    pub(super) secrets: BTreeMap<&'static str, String>,
    pub(super) faults: Faults,
    pub(super) seen: Mutex<Vec<Seen>>,
    pub(super) asked: AtomicUsize,
    pub(super) busy: AtomicUsize,
    pub(super) peak: AtomicUsize,
    pub(super) recent: Mutex<VecDeque<Instant>>,
}

impl Shared {
    /// Whether `given` is the credential field `name`.
    pub(super) fn secret_is(&self, name: &str, given: Option<&str>) -> bool {
        self.secrets.get(name).map(String::as_str) == given
    }

    /// Keeps what was asked; gives the number of requests so far.
    fn note(&self, seen: Seen) -> u32 {
        self.seen
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(seen);
        let before = self.asked.fetch_add(1, Ordering::Relaxed);
        u32::try_from(before + 1).unwrap_or(u32::MAX)
    }

    /// Seconds to wait, when the budget is used up; otherwise the request is counted.
    fn over_budget(&self) -> Option<u64> {
        let Limits {
            per_second,
            per_minute,
            per_hour,
        } = self.settings.limits?;
        let mut recent = self.recent.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        while recent
            .front()
            .is_some_and(|at| now.duration_since(*at).as_secs() >= 3600)
        {
            recent.pop_front();
        }
        for (limit, seconds) in [(per_hour, 3600), (per_minute, 60), (per_second, 1)] {
            let oldest = recent
                .len()
                .checked_sub(limit)
                .and_then(|at| recent.get(at));
            let age = oldest.map(|at| now.duration_since(*at).as_secs());
            if let Some(age) = age.filter(|&age| age < seconds) {
                return Some(seconds - age);
            }
        }
        recent.push_back(now);
        None
    }

    /// Index of the property its PMS knows by this id.
    pub(super) fn property(&self, world: &World, id: &str) -> Option<usize> {
        let named = |at: &usize| self.kind.property_id(world, *at).eq_ignore_ascii_case(id);
        (0..world.properties().len()).find(named)
    }

    fn reply(&self, asked: &Asked, faults: &[FaultKind]) -> Reply {
        let mut faults = faults.to_vec();
        if let Some(seconds) = self.over_budget() {
            // The others do not say how long to wait.
            let told = matches!(self.kind, Kind::AppFolio | Kind::Yardi);
            let retry_after = told.then_some(seconds);
            faults.insert(0, FaultKind::TooMany { retry_after });
        }
        match self.kind {
            Kind::AppFolio => appfolio::answer(self, asked, &faults),
            Kind::Yardi => yardi::answer(self, asked, &faults),
            Kind::RealPage => realpage::answer(self, asked, &faults),
            Kind::Entrata => entrata::answer(self, asked, &faults),
            Kind::Mri => mri::answer(self, asked, &faults),
            Kind::ResMan => resman::answer(self, asked, &faults),
            Kind::RentManager => rentmanager::answer(self, asked, &faults),
        }
    }
}

/// Answers one request of any kind.
pub(super) async fn handle(State(shared): State<Arc<Shared>>, request: Request) -> Response {
    let busy = Busy::new(Arc::clone(&shared));
    let (parts, body) = request.into_parts();
    let Ok(body) = axum::body::to_bytes(body, 1 << 20).await else {
        return send(Reply::html(413), &[]);
    };
    let mut asked = Asked {
        method: parts.method,
        path: parts.uri.path().to_owned(),
        query: parts.uri.query().unwrap_or_default().to_owned(),
        headers: parts.headers,
        body: String::from_utf8_lossy(&body).into_owned(),
        number: 0,
    };
    let seen = match shared.kind {
        Kind::AppFolio => appfolio::seen(&asked),
        Kind::Yardi => yardi::seen(&asked),
        Kind::RealPage => realpage::seen(&asked),
        Kind::Entrata => entrata::seen(&asked),
        Kind::Mri => mri::seen(&asked),
        Kind::ResMan => resman::seen(&asked),
        Kind::RentManager => rentmanager::seen(&asked),
    };
    let faults = shared.faults.due(&seen);
    asked.number = shared.note(seen);
    for fault in &faults {
        if let FaultKind::Delay(time) = fault {
            tokio::time::sleep(*time).await;
        }
    }
    let due = faults.clone();
    let rendered = tokio::task::spawn_blocking(move || shared.reply(&asked, &due)).await;
    drop(busy);
    send(rendered.unwrap_or_else(|_| Reply::html(500)), &faults)
}

/// Sends an answer, with the faults that are of the way and not of what it says. One without a type has no body.
pub(super) fn send(mut reply: Reply, faults: &[FaultKind]) -> Response {
    if faults.contains(&FaultKind::Truncated) {
        let half = reply.body.floor_char_boundary(reply.body.len() / 2);
        reply.body.truncate(half);
    }
    let drip = faults.iter().find_map(|fault| match fault {
        FaultKind::Drip(pause) => Some(*pause),
        _ => None,
    });
    let body = Bytes::from(reply.body);
    let body = if faults.contains(&FaultKind::CutConnection) {
        cut(body.slice(..body.len() / 2))
    } else if let Some(pause) = drip {
        dripping(body, pause)
    } else {
        Body::from(body)
    };
    let mut response = Response::new(body);
    *response.status_mut() =
        StatusCode::from_u16(reply.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let headers = response.headers_mut();
    if !reply.content_type.is_empty() {
        let content_type = HeaderValue::from_static(reply.content_type);
        headers.insert(header::CONTENT_TYPE, content_type);
    }
    for (name, value) in reply.headers {
        if let Ok(value) = HeaderValue::from_str(&value) {
            headers.insert(HeaderName::from_static(name), value);
        }
    }
    response
}

fn dripping(body: Bytes, pause: Duration) -> Body {
    Body::from_stream(stream::unfold(body, move |mut rest| async move {
        if rest.is_empty() {
            return None;
        }
        tokio::time::sleep(pause).await;
        let drop = rest.split_to(rest.len().min(16));
        Some((Ok::<_, std::io::Error>(drop), rest))
    }))
}

fn cut(half: Bytes) -> Body {
    Body::from_stream(stream::unfold(Some(half), |half| async move {
        if let Some(half) = half {
            return Some((Ok(half), None));
        }
        // The half must be on the wire before the connection goes.
        tokio::time::sleep(Duration::from_millis(20)).await;
        Some((
            Err(std::io::Error::from(std::io::ErrorKind::ConnectionReset)),
            None,
        ))
    }))
}

/// Counts a request while it is being answered.
struct Busy(Arc<Shared>);

impl Busy {
    fn new(shared: Arc<Shared>) -> Self {
        let busy = shared.busy.fetch_add(1, Ordering::Relaxed) + 1;
        shared.peak.fetch_max(busy, Ordering::Relaxed);
        Self(shared)
    }
}

impl Drop for Busy {
    fn drop(&mut self) {
        self.0.busy.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use crate::sandbox::testing::{ALL, client, get, request, start};
    use crate::sandbox::{FaultKind, Kind, Sandbox};

    async fn fetch(sandbox: &Sandbox) -> Result<String, reqwest::Error> {
        request(sandbox, &format!("/api/v0/tenants?{ALL}"))
            .send()
            .await?
            .text()
            .await
    }

    #[tokio::test]
    async fn a_cut_connection_is_an_error_of_the_transport() {
        let sandbox = start(Kind::AppFolio, 24, 1000).await;
        sandbox.fault(FaultKind::CutConnection);
        assert!(fetch(&sandbox).await.is_err());
        sandbox.clear_faults();
        assert!(fetch(&sandbox).await.is_ok());
    }

    #[tokio::test]
    async fn a_truncated_answer_is_whole_http_and_half_a_body() {
        let sandbox = start(Kind::AppFolio, 24, 1000).await;
        let whole = fetch(&sandbox).await.unwrap();
        sandbox.fault(FaultKind::Truncated);
        let half = fetch(&sandbox).await.unwrap();
        assert!(whole.starts_with(&half) && half.len() <= whole.len() / 2);
    }

    #[tokio::test]
    async fn a_delayed_answer_and_a_dripping_one_take_their_time() {
        let sandbox = start(Kind::AppFolio, 1, 1000).await;
        for kind in [
            FaultKind::Delay(Duration::from_millis(80)),
            FaultKind::Drip(Duration::from_millis(2)),
        ] {
            let start = Instant::now();
            sandbox.fault(kind);
            fetch(&sandbox).await.unwrap();
            assert!(start.elapsed() >= Duration::from_millis(75), "{kind:?}");
            sandbox.clear_faults();
        }
    }

    #[tokio::test]
    async fn a_stopped_sandbox_answers_no_more() {
        let sandbox = start(Kind::AppFolio, 1, 1000).await;
        let url = sandbox.url();
        get(&sandbox, "/").await;
        sandbox.stop().await;
        assert!(client().get(url).send().await.is_err());
    }
}
