//! Whether a request comes from another site: a browser says so in headers that no page can set. Looks at headers alone,
//! not at who asks.

use axum::extract::Request;
use axum::http::{HeaderMap, HeaderValue, Method, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use crate::control::protocol::ProblemDocument;

/// Where a browser says that a request comes from.
const FETCH_SITE: &str = "sec-fetch-site";

/// Lets through what only reads, and of what acts only what no other site asks for.
pub(super) async fn own(request: Request, next: Next) -> Response {
    let reads = matches!(*request.method(), Method::GET | Method::HEAD);
    if reads || is_own(request.headers()) {
        return next.run(request).await;
    }
    ProblemDocument::denied(
        "another site asks for this in your browser; open the page here and do it from there. A program sends neither `Sec-Fetch-Site` nor `Origin`",
    )
    .into_response()
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
