//! Sends one request, once, and takes its answer in.

use std::time::{Duration, SystemTime};

use reqwest::StatusCode;
use reqwest::header::{ACCEPT_ENCODING, HeaderMap, LOCATION, RANGE, RETRY_AFTER};

use crate::config::Method;

use super::OutboundError;
use super::egress::{Refused, authority, cause};
use super::exchange::{Exchange, Prepared};
use super::proxy::Refusal;
use super::unpack::{Incoming, Unfit};
use super::unreached;

/// What came back.
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Vec<u8>,
    /// That only a part of it was asked for.
    pub(crate) of_part: bool,
}

impl Answer {
    /// A header, where it stands once and is text.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }
}

/// Why there is no answer.
pub(super) struct Unanswered {
    pub(super) error: OutboundError,
    /// That the server may have got it all the same.
    pub(super) was_sent: bool,
}

impl From<OutboundError> for Unanswered {
    /// Of what was not sent.
    fn from(error: OutboundError) -> Unanswered {
        Unanswered {
            error,
            was_sent: false,
        }
    }
}

/// Sends it, once.
pub(super) async fn send(
    exchange: &Exchange<'_>,
    prepared: &Prepared,
) -> Result<Answer, Unanswered> {
    let Prepared {
        method,
        url,
        headers,
        body,
        ..
    } = prepared;
    let url = url.url();
    let timeout = exchange.timeout;
    let client = &exchange.account.client;
    exchange.account.shows_in(url);
    let mut builder = match method {
        Method::Get => client.get(url.clone()),
        Method::Post => client.post(url.clone()),
        Method::Put => client.put(url.clone()),
        Method::Patch => client.patch(url.clone()),
        Method::Delete => client.delete(url.clone()),
    };
    builder = builder
        .header(ACCEPT_ENCODING, "gzip")
        .headers(headers.clone());
    if let Some(body) = body {
        builder = builder.body(body.clone());
    }
    let host = authority(url).unwrap_or_default();
    let way = match exchange.account.through(url).and_then(authority) {
        Some(proxy) => format!("{host} through the proxy {proxy}"),
        None => host.clone(),
    };
    let by_proxy = |came: Result<StatusCode, &reqwest::Error>| {
        let Refusal { what, remedy } = exchange.account.refused_by_proxy(url, came)?;
        Some(OutboundError::NotAllowed(
            exchange.told(&what, None, remedy),
        ))
    };
    let unavailable = |error: &reqwest::Error| {
        if let Some(refused) = by_proxy(Err(error)) {
            return refused;
        }
        if let Some(refused) = cause::<Refused>(error) {
            let what = format!("{way} {refused}");
            let remedy = "no name may lead there; see who answers for this name";
            return OutboundError::NotAllowed(exchange.told(&what, None, remedy));
        }
        if let Some(tls) = cause::<rustls::Error>(error) {
            return distrusted(exchange, &host, tls);
        }
        let again = "the next run tries again";
        let (what, remedy) = if error.is_timeout() {
            (format!("no answer within {timeout}"), again)
        } else if error.is_connect() {
            let what = format!("cannot connect to {way}{}", unreached::why(error));
            (what, unreached::REMEDY)
        } else {
            let what = "the connection broke off in the middle of the answer";
            (what.to_owned(), again)
        };
        OutboundError::Unavailable(exchange.told(&what, None, remedy))
    };
    let request = builder.timeout(timeout.0).build();
    let request = request.map_err(|error| unavailable(&error))?;
    let watch = exchange.account.watch.as_deref();
    if let Some(watch) = watch {
        watch.sent(exchange.request, &request);
    }
    let mut response = client.execute(request).await.map_err(|error| Unanswered {
        was_sent: !error.is_connect(),
        error: unavailable(&error),
    })?;
    if let Some(watch) = watch {
        watch.answered(response.status().as_u16(), response.headers());
    }
    if let Some(refused) = by_proxy(Ok(response.status())) {
        return Err(refused.into());
    }
    let broken = |error: OutboundError| Unanswered {
        error,
        was_sent: true,
    };
    let unfit = |unfit: Unfit| {
        broken(match unfit {
            Unfit::Large | Unfit::Bomb => OutboundError::Unexpected(exchange.told(
                &unfit.to_string(),
                None,
                "ask for smaller pages",
            )),
            Unfit::Broken | Unfit::Archive(_) => OutboundError::Unavailable(exchange.told(
                &unfit.to_string(),
                None,
                "the next run tries again",
            )),
        })
    };
    let mut incoming = Incoming::of(response.headers());
    while let Some(chunk) = response
        .chunk()
        .await
        .map_err(|error| broken(unavailable(&error)))?
    {
        incoming.take(&chunk).map_err(unfit)?;
    }
    let body = incoming.finish().map_err(unfit)?;
    if let Some(watch) = watch {
        watch.came(&body);
    }
    Ok(Answer {
        status: response.status().as_u16(),
        headers: std::mem::take(response.headers_mut()),
        body,
        of_part: headers.contains_key(RANGE),
    })
}

/// That an answer leads elsewhere: nobody goes there, as what proves who asks is for this host alone.
pub(super) fn redirected(
    exchange: &Exchange<'_>,
    prepared: &Prepared,
    answer: &Answer,
) -> Option<OutboundError> {
    let leads_elsewhere = (300..400).contains(&answer.status);
    if !leads_elsewhere || prepared.redirects.contains(&answer.status) {
        return None;
    }
    let Some(to) = answer.header(LOCATION.as_str()) else {
        let what = format!(
            "the server answered with status {}, and neither with what was asked for nor with where it is",
            answer.status
        );
        let remedy = "correct the connector's request; where it means something, say what with a rule that names this `status`";
        let told = exchange.told(&what, None, remedy);
        return Some(OutboundError::NotAllowed(told));
    };
    let to = prepared.url.url().join(to).ok();
    let to = to.and_then(|url| authority(&url));
    let to = to.unwrap_or_else(|| "another place".into());
    let what = format!("the server redirects to {to}");
    let remedy = "write the right URL into the credential; where it means something else, say what with a rule that names this `status`";
    Some(OutboundError::NotAllowed(
        exchange.told(&what, None, remedy),
    ))
}

/// A server that cannot be trusted, or with which no encryption could be agreed on.
fn distrusted(exchange: &Exchange<'_>, host: &str, error: &rustls::Error) -> OutboundError {
    let (what, remedy) = match error {
        rustls::Error::InvalidCertificate(why) => (
            format!("the certificate of {host} is not trusted ({why:?})"),
            "correct the host in the credential; if the server has an authority of its own, name its certificate as `ca_file` in the credential",
        ),
        _ => (
            format!("no encrypted connection to {host} ({error})"),
            "the server must speak TLS 1.2 or later",
        ),
    };
    OutboundError::Unavailable(exchange.told(&what, None, remedy))
}

/// `Retry-After` in seconds, of which some servers send parts, or as a date: HTTP's (RFC 9110, 5.6.7) or that of RFC 3339.
pub(super) fn retry_after(headers: &HeaderMap, now: SystemTime) -> Option<Duration> {
    let value = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    if let Ok(seconds) = value.parse::<f64>() {
        return Duration::try_from_secs_f64(seconds).ok();
    }
    let date = httpdate::parse_http_date(value).ok();
    let date = date.or_else(|| Some(value.parse::<jiff::Timestamp>().ok()?.into()));
    date?.duration_since(now).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn retry_after_is_read_as_seconds_and_as_a_date() {
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(784_111_777);
        let of = |text: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(RETRY_AFTER, text.parse().unwrap());
            retry_after(&headers, now)
        };
        assert_eq!(of("7"), Some(Duration::from_secs(7)));
        assert_eq!(of("4.5"), Some(Duration::from_millis(4500)));
        for date in ["1994-11-06T08:49:40Z", "1994-11-06T09:49:40+01:00"] {
            assert_eq!(of(date), Some(Duration::from_secs(3)), "{date}");
        }
        for nothing in ["-1", "NaN", "1994-11-06T08:49:30Z", ""] {
            assert_eq!(of(nothing), None, "{nothing}");
        }
        assert_eq!(
            of("Sun, 06 Nov 1994 08:49:40 GMT"),
            Some(Duration::from_secs(3))
        );
        assert_eq!(of("soon"), None);
    }
}
