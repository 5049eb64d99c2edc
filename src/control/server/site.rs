//! Whether a request comes from another site: a browser says so in headers that no page can set, or asks the control socket
//! under a name that is not this machine's. Decides nothing about who asks.

use std::net::IpAddr;

use axum::extract::{ConnectInfo, Request};
use axum::http::{HeaderMap, HeaderValue, Method, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use crate::control::protocol::ProblemDocument;

use super::Peer;
use super::gate::bare;

/// Where a browser says that a request comes from.
const FETCH_SITE: &str = "sec-fetch-site";

/// Lets through what no other site asks for, and the links that lead from one to a page here.
pub(super) async fn own(request: Request, next: Next) -> Response {
    let peer = request.extensions().get::<ConnectInfo<Peer>>();
    // Over the network the gate knows the names, and behind a proxy who asked it.
    let is_known = |peer: &Peer| peer.is_remote() || peer.signed.is_some();
    let is_known = peer.is_some_and(|ConnectInfo(peer)| is_known(peer));
    if !is_known && !is_of_this_machine(request.headers()) {
        return ProblemDocument::denied(
            "this is asked under a name that is not this machine's, as a page of somebody else would; ask under `localhost`",
        )
        .into_response();
    }
    let reads = matches!(*request.method(), Method::GET | Method::HEAD);
    let is_let_in = if reads {
        may_read(request.headers(), request.uri().path())
    } else {
        is_own(request.headers())
    };
    if is_let_in {
        return next.run(request).await;
    }
    ProblemDocument::denied(
        "another site asks for this in your browser; open the page here and do it from there. A program sends neither `Sec-Fetch-Site` nor `Origin`",
    )
    .into_response()
}

/// Whether another site asks for no more than a page to be shown: of what it embeds or fetches it would see nothing, and what it
/// costs would be ours.
fn may_read(headers: &HeaderMap, path: &str) -> bool {
    let mut sites = headers.get_all(FETCH_SITE).iter();
    if sites.all(|site| site == "same-origin" || site == "none") {
        return true;
    }
    let shows = headers
        .get("sec-fetch-mode")
        .is_some_and(|mode| mode == "navigate");
    shows && !path.starts_with("/v1")
}

/// Whether the control socket is asked under a name that nobody else can give to their own page and then lead here: this
/// machine's own, or one without a dot, as programs write it. Who names none is no browser.
pub(super) fn is_of_this_machine(headers: &HeaderMap) -> bool {
    let mut hosts = headers.get_all(header::HOST).iter();
    hosts.all(|host| {
        let name = bare(host.to_str().unwrap_or("?.?"));
        let address = name.trim_start_matches('[').trim_end_matches(']');
        let is_loopback = address
            .parse::<IpAddr>()
            .is_ok_and(|address| address.to_canonical().is_loopback());
        is_loopback || name.ends_with(".localhost") || !name.contains(['.', ':'])
    })
}

/// Whether no header says that another site asks. Who sends neither header is no browser. `Origin` counts only without
/// `Sec-Fetch-Site`: a page that tells no referrer sends `null` of itself.
fn is_own(headers: &HeaderMap) -> bool {
    let mut sites = headers.get_all(FETCH_SITE).iter().peekable();
    if sites.peek().is_some() {
        return sites.all(|site| site == "same-origin" || site == "none");
    }
    let host = headers.get(header::HOST).map(HeaderValue::as_bytes);
    let mut origins = headers.get_all(header::ORIGIN).iter();
    origins.all(|origin| {
        let origin = origin.as_bytes();
        let place = [&b"http://"[..], b"https://"]
            .iter()
            .find_map(|scheme| origin.strip_prefix(*scheme));
        match (place, host) {
            (Some(place), Some(host)) => !place.is_empty() && place.eq_ignore_ascii_case(host),
            _ => false,
        }
    })
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderName;

    use super::*;

    #[test]
    fn the_socket_is_asked_under_this_machine_s_names_and_none_that_a_page_can_have() {
        for (own, host) in [
            (true, "localhost"),
            (true, "localhost:8080"),
            (true, "LOCALHOST."),
            (true, "epms.localhost:8080"),
            (true, "127.0.0.1:8080"),
            (true, "127.9.9.9"),
            (true, "[::1]:8080"),
            (true, "[::ffff:127.0.0.1]"),
            (true, "epms"),
            (true, ""),
            (false, "evil.example:8080"),
            (false, "localhost.evil.example"),
            (false, "192.0.2.1:8080"),
            (false, "[2001:db8::1]"),
            (false, "evil.example."),
        ] {
            let mut map = HeaderMap::new();
            map.append(header::HOST, HeaderValue::from_static(host));
            assert_eq!(is_of_this_machine(&map), own, "{host}");
        }
        assert!(is_of_this_machine(&HeaderMap::new()));
    }

    #[test]
    fn another_site_may_lead_to_a_page_and_fetch_nothing() {
        for (may, site, mode, path) in [
            (true, "none", "navigate", "/v1/verify"),
            (true, "same-origin", "cors", "/v1/verify"),
            (true, "cross-site", "navigate", "/people"),
            (false, "cross-site", "navigate", "/v1/verify"),
            (false, "cross-site", "no-cors", "/people"),
            (false, "same-site", "cors", "/live"),
        ] {
            let mut map = HeaderMap::new();
            map.append(FETCH_SITE, HeaderValue::from_static(site));
            map.append("sec-fetch-mode", HeaderValue::from_static(mode));
            assert_eq!(may_read(&map, path), may, "{site} {mode} {path}");
        }
        assert!(may_read(&HeaderMap::new(), "/v1/status"));
    }

    #[test]
    fn what_another_site_asks_for_is_known_by_its_headers() {
        let host = ("host", "epms.test:8080");
        let site = |site| ("sec-fetch-site", site);
        let origin = |origin| ("origin", origin);
        for (own, headers) in [
            (true, vec![]),
            (true, vec![host]),
            (true, vec![host, site("same-origin")]),
            (true, vec![host, site("none")]),
            (false, vec![host, site("same-site")]),
            (false, vec![host, site("cross-site")]),
            (false, vec![host, site("")]),
            (false, vec![host, site("Same-Origin")]),
            (false, vec![host, site("same-origin"), site("cross-site")]),
            // A page of our own that tells no referrer.
            (true, vec![host, site("same-origin"), origin("null")]),
            (
                false,
                vec![host, site("cross-site"), origin("http://epms.test:8080")],
            ),
            (true, vec![host, origin("http://epms.test:8080")]),
            (true, vec![host, origin("https://EPMS.test:8080")]),
            (false, vec![host, origin("null")]),
            (false, vec![host, origin("")]),
            (false, vec![host, origin("http://epms.test")]),
            (false, vec![host, origin("http://epms.test:8081")]),
            (false, vec![host, origin("http://epms.test:8080.evil.test")]),
            (false, vec![host, origin("ftp://epms.test:8080")]),
            (
                false,
                vec![host, origin("http://epms.test:8080"), origin("null")],
            ),
            (false, vec![origin("http://epms.test:8080")]),
            (false, vec![("host", ""), origin("http://")]),
        ] {
            let mut map = HeaderMap::new();
            for (name, value) in &headers {
                let name = HeaderName::from_static(name);
                map.append(name, HeaderValue::from_static(value));
            }
            assert_eq!(is_own(&map), own, "{headers:?}");
        }
    }
}
