//! The gate over the network: under which name it is asked, who asks, and what somebody may see who did not sign in. What a
//! tier may is decided behind it, as on the control socket.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use axum::Form;
use axum::body::Body;
use axum::extract::rejection::FormRejection;
use axum::extract::{ConnectInfo, Request, State};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Redirect, Response};
use futures_util::StreamExt;
use serde::Deserialize;

use crate::control::net::NetListening;
use crate::control::protocol::ProblemDocument;
use crate::model::{NamedBy, Signed};

use super::Peer;
use super::away::{Came, Leaving, NoWay};
use super::hook::{Hook, Hooked};

/// The page on which somebody signs in.
pub(super) const PAGE: &str = "/sign-in";

/// The page that leads on from there within this site: to another site's link no browser adds the cookie of the session.
pub(super) const DONE: &str = "/sign-in/done";

/// So much may be written on it.
pub(super) const MOST_WRITTEN: usize = 8 * 1024;

/// How often it is looked whether whoever listens to what goes on is still signed in.
const LOOK: Duration = Duration::from_secs(5);

/// Why nobody was signed in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NoSignIn {
    /// There is no such name, or it has another password; which of the two is not told.
    Wrong,
    /// There were too many failures; so long.
    Wait(Duration),
}

/// Who gets in over the network.
pub trait SignIn: Send + Sync + 'static {
    /// Whose token that is now.
    fn by_token(&self, token: String) -> impl Future<Output = Option<Signed>> + Send;
    /// Whose session that is now.
    fn by_session(&self, session: String) -> impl Future<Output = Option<Signed>> + Send;
    /// Whether the token, or else the session, is still somebody's; asking that is no use of it.
    fn is_in(
        &self,
        token: Option<String>,
        session: Option<String>,
    ) -> impl Future<Output = bool> + Send;
    /// Begins a session; gives what the browser shows from then on.
    fn sign_in(
        &self,
        name: String,
        password: String,
        address: IpAddr,
    ) -> impl Future<Output = Result<String, NoSignIn>> + Send;
    /// Whether a hook's request is genuine, and when a sync is asked for by it; none where it is not.
    fn hooked(&self, hooked: Hooked) -> impl Future<Output = Option<Hook>> + Send;
    /// Ends a session; gives by what somebody had signed in.
    fn sign_out(&self, session: String) -> impl Future<Output = Option<NamedBy>> + Send;
    /// Somebody leaves for the provider of identities, and wants to go on to `next` afterwards.
    fn leave(
        &self,
        next: String,
        address: IpAddr,
    ) -> impl Future<Output = Result<Leaving, NoWay>> + Send;
    /// Somebody came back from there: begins a session; gives what the browser shows from then on, and where they go on.
    fn came_back(
        &self,
        came: Came,
        address: IpAddr,
    ) -> impl Future<Output = Result<(String, String), NoWay>> + Send;
    /// Where the provider sends people back to.
    fn redirect_uri(&self) -> Option<&str>;
    /// Where somebody is signed out at the provider itself.
    fn signs_out_at(&self) -> impl Future<Output = Option<String>> + Send;
    /// Somebody was let in by this, or was not: for those who count.
    fn counted(&self, by: NamedBy, succeeded: bool);
    /// A request was answered with this status: for those who count.
    fn answered(&self, status: u16);
}

/// The gate of one listener.
pub struct Gate<S> {
    pub(super) sign_in: Arc<S>,
    /// Under which it may be asked, in lower case, without ports.
    hosts: Vec<String>,
    is_secured: bool,
    /// The cookie's name. Ports of one host share cookies: another daemon has another.
    cookie: String,
}

impl<S: SignIn> Gate<S> {
    /// For a listener, asked under its own address and these names. `instance` tells this daemon from others on this host.
    pub fn new(
        listener: &NetListening,
        address: SocketAddr,
        hosts: &[String],
        instance: &str,
        sign_in: Arc<S>,
    ) -> Gate<S> {
        let is_secured = listener.is_secured();
        let mut known: Vec<String> = hosts.iter().map(|host| host.to_lowercase()).collect();
        known.push(bare(&address.to_string()));
        if address.ip().is_loopback() {
            known.extend(["localhost", "127.0.0.1", "[::1]"].map(String::from));
        }
        Gate {
            sign_in,
            hosts: known,
            is_secured,
            cookie: if is_secured {
                format!("__Host-epms-{instance}")
            } else {
                format!("epms-{instance}")
            },
        }
    }

    pub(super) async fn hooked(&self, hooked: Hooked) -> Option<Hook> {
        self.sign_in.hooked(hooked).await
    }

    /// Whether it is asked under a name that is this daemon's: one, and the same wherever it stands.
    fn knows(&self, request: &Request) -> bool {
        let mut hosts = request.headers().get_all(header::HOST).iter();
        let (Some(host), None) = (hosts.next(), hosts.next()) else {
            return false;
        };
        let in_the_path = request.uri().host().map(bare);
        let is_known = |host: &String| self.hosts.contains(host);
        host.to_str().is_ok_and(|host| is_known(&bare(host)))
            && in_the_path.is_none_or(|host| is_known(&host))
    }

    /// What the browser shows as its session.
    fn session(&self, headers: &HeaderMap) -> Option<String> {
        let own = cookies(headers).filter(|(name, _)| *name == self.cookie);
        // What another port of this host set under the same name is none of ours.
        let mut own = own.filter(|(_, session)| session.starts_with("epms_"));
        own.next().map(|(_, session)| session.to_owned())
    }

    pub(super) fn cookie(&self, session: &str, is_over: bool) -> Option<HeaderValue> {
        let lasts = is_over.then_some(0);
        self.any_cookie(&self.cookie, session, "Strict", lasts)
    }

    /// The name of the cookie for the way to the provider of identities and back.
    fn way(&self) -> String {
        format!("{}-way", self.cookie)
    }

    /// What the browser shows that left for the provider of identities.
    pub(super) fn binding(&self, headers: &HeaderMap) -> Option<String> {
        let name = self.way();
        let mut own = cookies(headers).filter(|(of, _)| *of == name);
        own.next().map(|(_, binding)| binding.to_owned())
    }

    /// The same as a cookie, for so many seconds: the browser has to send it where another site leads back here.
    pub(super) fn binds(&self, binding: &str, lasts: u32) -> Option<HeaderValue> {
        self.any_cookie(&self.way(), binding, "Lax", Some(lasts))
    }

    fn any_cookie(
        &self,
        name: &str,
        value: &str,
        site: &str,
        lasts: Option<u32>,
    ) -> Option<HeaderValue> {
        let secure = if self.is_secured { "; Secure" } else { "" };
        let lasts = lasts.map_or_else(String::new, |lasts| format!("; Max-Age={lasts}"));
        let cookie = format!("{name}={value}; Path=/; HttpOnly; SameSite={site}{secure}{lasts}");
        HeaderValue::from_str(&cookie).ok()
    }
}

/// All cookies that a browser shows.
fn cookies(headers: &HeaderMap) -> impl Iterator<Item = (&str, &str)> {
    let all = headers.get_all(header::COOKIE).into_iter();
    all.filter_map(|cookies| cookies.to_str().ok())
        .flat_map(|cookies| cookies.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
}

/// A host without its port, in lower case.
pub(super) fn bare(host: &str) -> String {
    let name = match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|b| b.is_ascii_digit()) && !name.is_empty() => name,
        _ => host,
    };
    name.trim_end_matches('.').to_lowercase()
}

/// A token that a program shows.
fn bearer(headers: &HeaderMap) -> Option<String> {
    let shown = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, token) = shown.split_once(' ')?;
    scheme
        .eq_ignore_ascii_case("bearer")
        .then(|| token.trim().to_owned())
}

/// What everybody reaches: the page to sign in on, what it looks like, and hooks, whose requests are signed.
fn is_open(path: &str) -> bool {
    let mut parts = path.split('/').skip(1);
    match parts.next() {
        Some("assets") => parts.count() == 2,
        Some("hooks") => parts.count() == 1,
        _ => path == PAGE || path == DONE || super::away::is_its(path),
    }
}

/// Lets through who is known, says who they are, and sends everybody else to sign in.
pub(super) async fn gated<S: SignIn>(
    State(gate): State<Arc<Gate<S>>>,
    ConnectInfo(peer): ConnectInfo<Peer>,
    mut request: Request,
    next: Next,
) -> Response {
    let headers = request.headers();
    if !gate.knows(&request) {
        // Not louder: anybody may ask so as often as they like.
        tracing::debug!("asked under a name that `web.hosts` does not have");
        let answer = ProblemDocument::misdirected().into_response();
        gate.sign_in.answered(answer.status().as_u16());
        return answer;
    }
    let token = bearer(headers);
    let session = gate.session(headers);
    let is_act = !matches!(*request.method(), Method::GET | Method::HEAD);
    let says_its_site =
        headers.contains_key("sec-fetch-site") || headers.contains_key(header::ORIGIN);
    let shown = (token.clone(), session.clone());
    let signed = match (token, session) {
        (Some(token), _) => {
            let signed = gate.sign_in.by_token(token).await;
            gate.sign_in.counted(NamedBy::Token, signed.is_some());
            signed
        }
        // A browser says from which site it acts; what does not is none, and has no business with a cookie.
        (None, Some(_)) if is_act && !says_its_site => None,
        (None, Some(session)) => gate.sign_in.by_session(session).await,
        (None, None) => None,
    };
    if signed.is_none() && !is_open(request.uri().path()) {
        let answer = unknown(&request);
        gate.sign_in.answered(answer.status().as_u16());
        return answer;
    }
    let is_signed = signed.is_some();
    request.extensions_mut().insert(ConnectInfo(Peer {
        signed: signed.map(Arc::new),
        ..peer
    }));
    let mut answer = next.run(request).await;
    gate.sign_in.answered(answer.status().as_u16());
    let headers = answer.headers_mut();
    if !headers.contains_key(header::CACHE_CONTROL) {
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    }
    headers.insert(
        header::X_CONTENT_TYPE_OPTIONS,
        HeaderValue::from_static("nosniff"),
    );
    if is_signed && goes_on(headers) {
        return answer.map(|body| until_out(body, gate, shown));
    }
    answer
}

/// Whether an answer goes on for as long as its caller listens.
fn goes_on(headers: &HeaderMap) -> bool {
    let kind = headers.get(header::CONTENT_TYPE);
    let kind = kind.and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    kind.starts_with("text/event-stream") || kind.starts_with("application/x-ndjson")
}

/// The same until whoever asked is out.
fn until_out<S: SignIn>(
    body: Body,
    gate: Arc<Gate<S>>,
    (token, session): (Option<String>, Option<String>),
) -> Body {
    let out = async move {
        loop {
            tokio::time::sleep(LOOK).await;
            if !gate.sign_in.is_in(token.clone(), session.clone()).await {
                return;
            }
        }
    };
    Body::from_stream(body.into_data_stream().take_until(Box::pin(out)))
}

/// For somebody who is not known: a page to sign in, for whoever looks at pages.
fn unknown(request: &Request) -> Response {
    let accepts = request.headers().get(header::ACCEPT);
    let looks = accepts
        .and_then(|accepts| accepts.to_str().ok())
        .is_some_and(|accepts| accepts.contains("text/html"));
    let path = request.uri().path_and_query();
    let path = path.map_or("/", |path| path.as_str());
    if looks && !path.starts_with("/v1") {
        let mut query = url::form_urlencoded::Serializer::new(String::new());
        if request.method() != Method::GET {
            query.append_pair("out", "1");
        } else if path != "/" {
            query.append_pair("next", path);
        }
        let query = query.finish();
        let mark = if query.is_empty() { "" } else { "?" };
        return Redirect::to(&format!("{PAGE}{mark}{query}")).into_response();
    }
    let mut answer = ProblemDocument::unknown_caller().into_response();
    answer
        .headers_mut()
        .insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
    answer
}

/// What somebody wrote on the page.
#[derive(Deserialize)]
pub(super) struct Written {
    name: String,
    password: String,
    #[serde(default)]
    next: String,
}

/// Where somebody goes once they are in: a page here, and nothing else.
pub fn local(next: &str) -> &str {
    let begins = next.starts_with('/') && !next.starts_with("//");
    let fits = next.bytes().all(|b| b.is_ascii_graphic() && b != b'\\');
    if begins && fits && !next.starts_with("/sign-") {
        next
    } else {
        "/"
    }
}

pub(super) async fn sign_in<S: SignIn>(
    State(gate): State<Arc<Gate<S>>>,
    ConnectInfo(peer): ConnectInfo<Peer>,
    written: Result<Form<Written>, FormRejection>,
) -> Response {
    let Ok(Form(written)) = written else {
        let told = "this takes the form of its page: `name` and `password`, once each";
        return ProblemDocument::bad_request(told).into_response();
    };
    let Some(address) = peer.address else {
        return ProblemDocument::bad_request("the control socket tells who asks").into_response();
    };
    let Written {
        name,
        password,
        next,
    } = written;
    let next = local(&next);
    match gate.sign_in.sign_in(name, password, address).await {
        Ok(session) => {
            let mut answer = Redirect::to(next).into_response();
            if let Some(cookie) = gate.cookie(&session, false) {
                answer.headers_mut().insert(header::SET_COOKIE, cookie);
            }
            answer
        }
        Err(why) => {
            let mut query = url::form_urlencoded::Serializer::new(String::new());
            match why {
                NoSignIn::Wrong => query.append_pair("failed", "1"),
                NoSignIn::Wait(wait) => {
                    query.append_pair("wait", &(wait.as_secs() + 1).to_string())
                }
            };
            if next != "/" {
                query.append_pair("next", next);
            }
            Redirect::to(&format!("{PAGE}?{}", query.finish())).into_response()
        }
    }
}

pub(super) async fn sign_out<S: SignIn>(
    State(gate): State<Arc<Gate<S>>>,
    headers: HeaderMap,
) -> Response {
    let mut to = PAGE.to_owned();
    if let Some(session) = gate.session(&headers)
        && gate.sign_in.sign_out(session).await == Some(NamedBy::Oidc)
    {
        // A form's answer may not lead to another site: the page has a link there.
        to += "?left=oidc";
    }
    let mut answer = Redirect::to(&to).into_response();
    if let Some(cookie) = gate.cookie("", true) {
        answer.headers_mut().insert(header::SET_COOKIE, cookie);
    }
    // What the browser kept of pages with people goes, too.
    answer
        .headers_mut()
        .insert("clear-site-data", HeaderValue::from_static("\"cache\""));
    *answer.status_mut() = StatusCode::SEE_OTHER;
    answer
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_is_known_by_its_name_whatever_its_port_and_letters() {
        for (host, name) in [
            ("epms.example.org", "epms.example.org"),
            ("EPMS.Example.org:8443", "epms.example.org"),
            ("epms.example.org.", "epms.example.org"),
            ("127.0.0.1:8080", "127.0.0.1"),
            ("[::1]:8080", "[::1]"),
            ("[::1]", "[::1]"),
            (":8080", ":8080"),
        ] {
            assert_eq!(bare(host), name, "{host}");
        }
    }

    #[test]
    fn whoever_signed_in_goes_to_a_page_here_and_nowhere_else() {
        for next in ["/", "/people/p17", "/people?name=a%20b"] {
            assert_eq!(local(next), next);
        }
        for next in [
            "",
            "//evil.example",
            "https://evil.example",
            "/\\evil.example",
            "javascript:alert(1)",
            "/a\r\nset-cookie: b=c",
            "/sign-in?next=/sign-in",
            "people",
        ] {
            assert_eq!(local(next), "/", "{next}");
        }
    }
}
