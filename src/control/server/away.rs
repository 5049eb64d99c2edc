//! The way to a provider of identities and back: who leaves, with what, and where they go on. Who they are is for others to say.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::{ConnectInfo, RawQuery, State};
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse, Redirect, Response};
use url::form_urlencoded::{Serializer, parse};

use crate::control::protocol::ProblemDocument;

use super::Peer;
use super::gate::{DONE, Gate, PAGE, SignIn, local};

/// Where somebody leaves.
pub(super) const LEAVE: &str = "/sign-in/oidc";
/// Where they come back.
pub(super) const BACK: &str = "/sign-in/oidc/back";
/// Where they go to sign out at the provider as well.
pub(super) const OUT: &str = "/sign-in/oidc/out";

/// So many seconds the browser keeps what it has to show when it comes back.
const KEPT: u32 = 600;
/// So long is what comes back at most, in bytes.
const MOST: usize = 16 * 1024;

/// Somebody who leaves.
pub struct Leaving {
    /// Where to.
    pub url: String,
    /// What the browser has to show when it comes back.
    pub binding: String,
}

/// What came back with somebody, as the address says it.
#[derive(Default)]
pub struct Came {
    /// `state`.
    pub state: Option<String>,
    /// `code`.
    pub code: Option<String>,
    /// `error`.
    pub error: Option<String>,
    /// `iss`.
    pub iss: Option<String>,
    /// What the browser shows.
    pub binding: Option<String>,
}

/// Why nobody was signed in by the provider.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NoWay {
    /// There is no provider.
    None,
    /// It cannot be asked now.
    Away,
    /// It is set up otherwise here than there.
    Unfit,
    /// Nobody of this browser left, or too long ago, or they came back already.
    Over,
    /// The provider let nobody in.
    Declined,
    /// What came is not to be trusted.
    Distrusted,
    /// None of their groups may do anything here.
    Groupless,
    /// There were too many failures; so long.
    Wait(Duration),
}

/// Whether a path is of this way.
pub(super) fn is_its(path: &str) -> bool {
    [LEAVE, BACK, OUT].contains(&path)
}

/// What a query says of a name; nothing where it says it twice.
fn once(query: &str, name: &str) -> Option<String> {
    let mut all = parse(query.as_bytes()).filter(|(of, _)| of == name);
    let one = all.next()?.1.into_owned();
    all.next().is_none().then_some(one)
}

/// `https://host:port` of an address.
fn origin(url: &str) -> Option<(&str, &str)> {
    let (_, rest) = url.split_once("://")?;
    let authority = rest.split('/').next()?;
    let end = url.len() - rest.len() + authority.len();
    Some((url.get(..end)?, authority))
}

pub(super) async fn leave<S: SignIn>(
    State(gate): State<Arc<Gate<S>>>,
    ConnectInfo(peer): ConnectInfo<Peer>,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
) -> Response {
    let query = query.unwrap_or_default();
    let next = once(&query, "next").unwrap_or_default();
    let next = local(&next).to_owned();
    // The cookie for the way back is of the name under which the provider sends back.
    if let Some((origin, authority)) = gate.sign_in.redirect_uri().and_then(origin)
        && once(&query, "there").is_none()
    {
        let host = headers.get(header::HOST);
        let host = host.and_then(|host| host.to_str().ok()).unwrap_or_default();
        if !host.eq_ignore_ascii_case(authority) {
            let query = Serializer::new(String::new())
                .append_pair("next", &next)
                .append_pair("there", "1")
                .finish();
            return Redirect::to(&format!("{origin}{LEAVE}?{query}")).into_response();
        }
    }
    let Some(address) = peer.address else {
        return ProblemDocument::bad_request("the control socket tells who asks").into_response();
    };
    match gate.sign_in.leave(next.clone(), address).await {
        Ok(leaving) => {
            let mut answer = Redirect::to(&leaving.url).into_response();
            if let Some(cookie) = gate.binds(&leaving.binding, KEPT) {
                answer.headers_mut().insert(header::SET_COOKIE, cookie);
            }
            answer
        }
        Err(why) => refused(why, &next),
    }
}

pub(super) async fn back<S: SignIn>(
    State(gate): State<Arc<Gate<S>>>,
    ConnectInfo(peer): ConnectInfo<Peer>,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
) -> Response {
    let query = query.unwrap_or_default();
    let Some(address) = peer.address else {
        return ProblemDocument::bad_request("the control socket tells who asks").into_response();
    };
    let came = if query.len() > MOST {
        Came::default()
    } else {
        Came {
            state: once(&query, "state"),
            code: once(&query, "code"),
            error: once(&query, "error"),
            iss: once(&query, "iss"),
            binding: gate.binding(&headers),
        }
    };
    let mut answer = match gate.sign_in.came_back(came, address).await {
        Ok((session, next)) => {
            let query = Serializer::new(String::new())
                .append_pair("next", local(&next))
                .finish();
            let mut answer = Redirect::to(&format!("{DONE}?{query}")).into_response();
            if let Some(cookie) = gate.cookie(&session, false) {
                answer.headers_mut().append(header::SET_COOKIE, cookie);
            }
            answer
        }
        Err(why) => refused(why, "/"),
    };
    // It has served.
    if let Some(cookie) = gate.binds("", 0) {
        answer.headers_mut().append(header::SET_COOKIE, cookie);
    }
    answer
}

pub(super) async fn out<S: SignIn>(State(gate): State<Arc<Gate<S>>>) -> Response {
    let to = gate.sign_in.signs_out_at().await;
    let to = to.unwrap_or_else(|| format!("{PAGE}?why=no-sign-out"));
    Redirect::to(&to).into_response()
}

/// The page to sign in on says why.
fn refused(why: NoWay, next: &str) -> Response {
    let word = match why {
        NoWay::None => "none",
        NoWay::Away => "away",
        NoWay::Unfit => "unfit",
        NoWay::Over => "over",
        NoWay::Declined => "declined",
        NoWay::Distrusted => "distrusted",
        NoWay::Groupless => "groupless",
        NoWay::Wait(_) => "",
    };
    let mut query = Serializer::new(String::new());
    match why {
        NoWay::Wait(wait) => query.append_pair("wait", &(wait.as_secs() + 1).to_string()),
        _ => query.append_pair("why", word),
    };
    if next != "/" {
        query.append_pair("next", next);
    }
    Redirect::to(&format!("{PAGE}?{}", query.finish())).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_said_twice_is_not_said() {
        let query = "state=a&code=b%20c&state=d&iss=&error";
        assert_eq!(once(query, "state"), None);
        assert_eq!(once(query, "code").as_deref(), Some("b c"));
        assert_eq!(once(query, "iss").as_deref(), Some(""));
        assert_eq!(once(query, "nonce"), None);
    }

    #[test]
    fn an_origin_ends_before_the_path() {
        for (url, told) in [
            (
                "https://epms.example.org/sign-in/oidc/back",
                ("https://epms.example.org", "epms.example.org"),
            ),
            ("http://[::1]:80/x", ("http://[::1]:80", "[::1]:80")),
        ] {
            assert_eq!(origin(url), Some(told));
        }
        assert_eq!(origin("x"), None);
    }
}
