//! One POST to a URL that the daemon's own file names, and what came of it: over the same guarded way out as what is asked of
//! PMSs, without a credential and without a budget. Repeats nothing.

use std::error::Error;
use std::path::Path;
use std::time::Duration;

use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use url::Url;

use crate::beneath::{self, MAX_FILE};
use crate::config::Proxy;

use super::clients::{Outbound, client};
use super::egress::{Host, Permitted, Refused, authority, cause};
use super::error::{impersonal, shorten};
use super::proxy::Through;

/// So much of an answer is looked at.
const LOOKED_AT: usize = 2_000;

/// What is sent, where, and by which way.
#[derive(Debug)]
pub struct Post<'a> {
    /// Where: the only host that is asked.
    pub url: &'a Url,
    /// Names and values.
    pub headers: Vec<(&'static str, String)>,
    /// What.
    pub body: String,
    /// How long it may take in all.
    pub timeout: Duration,
    /// What it goes through, except to loopback.
    pub proxy: Option<&'a Proxy>,
    /// Authorities that the server may be signed by, besides those of the system; relative to `home`.
    pub ca_file: Option<&'a Path>,
    /// Where files lie.
    pub home: &'a Path,
}

/// Why it is not known that somebody took it. The texts hold nothing of the URL but its host.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unposted {
    /// It may not be sent there, or cannot.
    #[error("{0}")]
    NotAllowed(String),
    /// The server does not take it, and will not take it as it is.
    #[error("{0}")]
    Refused(String),
    /// The server may have taken it, or may take it later.
    #[error("{0}")]
    Unknown(String),
}

impl Outbound {
    /// Sends it, once.
    pub async fn post(&self, post: Post<'_>) -> Result<(), Unposted> {
        let host = authority(post.url).unwrap_or_default();
        let url = permitted(post.url, &host)?;
        let http = self.client_by(post.proxy, post.ca_file, post.home)?;
        let mut headers = HeaderMap::new();
        for (name, value) in &post.headers {
            let mut value = HeaderValue::from_str(value)
                .map_err(|_| Unposted::NotAllowed(format!("the header {name} cannot be sent")))?;
            value.set_sensitive(true);
            headers.insert(HeaderName::from_static(name), value);
        }
        let request = http
            .post(url.url().clone())
            .headers(headers)
            .timeout(post.timeout)
            .body(post.body);
        let mut response = request
            .send()
            .await
            .map_err(|error| unsent(&error, &host))?;
        let status = response.status().as_u16();
        let mut said = Vec::new();
        while said.len() < LOOKED_AT {
            match response.chunk().await {
                Ok(Some(chunk)) => said.extend_from_slice(&chunk),
                // The status is what counts.
                Ok(None) | Err(_) => break,
            }
        }
        said.truncate(LOOKED_AT);
        judged(status, &host, &String::from_utf8_lossy(&said))
    }

    /// By way of a proxy, or with authorities of somebody's own.
    pub(super) fn client_by(
        &self,
        proxy: Option<&Proxy>,
        ca_file: Option<&Path>,
        home: &Path,
    ) -> Result<reqwest::Client, Unposted> {
        let wrong = |what: String| Unposted::NotAllowed(what);
        let proxy = Through::read(proxy, home);
        let proxy = proxy.map_err(|error| wrong(format!("proxy: {error}")))?;
        if proxy.is_none() && ca_file.is_none() {
            return Ok(self.client.clone());
        }
        let certificates = match ca_file {
            None => Vec::new(),
            Some(path) => {
                let pem = beneath::read_anywhere(&home.join(path), MAX_FILE);
                let pem = pem.map_err(|error| wrong(no_authority(path, &error.to_string())))?;
                reqwest::Certificate::from_pem_bundle(&pem)
                    .map_err(|_| wrong(no_authority(path, "has no certificate in it")))?
            }
        };
        client(&self.lookup, self.roots(), certificates, proxy.as_ref())
            .map_err(|_| wrong("its certificates, or the proxy, cannot be used".to_owned()))
    }
}

/// That a `ca_file` is of no use.
pub(super) fn no_authority(path: &Path, what: &str) -> String {
    format!(
        "ca_file: {}: {what}; name a PEM file with the certificate of the server's own authority",
        path.display()
    )
}

pub(super) fn permitted(url: &Url, host: &str) -> Result<Permitted, Unposted> {
    let named = Host {
        name: host.to_owned(),
        is_written_out: false,
    };
    Permitted::judge(url, [Ok(named)], false, |refusal| {
        Unposted::NotAllowed(refusal.what)
    })
}

pub(super) fn unsent(error: &reqwest::Error, host: &str) -> Unposted {
    if let Some(refused) = cause::<Refused>(error) {
        return Unposted::NotAllowed(format!("{host} {refused}"));
    }
    if let Some(tls) = cause::<rustls::Error>(error) {
        return Unposted::Unknown(format!("no encrypted connection to {host} ({tls})"));
    }
    if error.is_timeout() {
        return Unposted::Unknown(format!("{host} did not answer in time"));
    }
    let root = std::iter::successors(error.source(), |&cause| cause.source()).last();
    let root = root.map_or_else(|| "it broke off".to_owned(), ToString::to_string);
    Unposted::Unknown(format!("{host} cannot be asked: {root}"))
}

/// What an answer means. Whoever is busy, or broken, may take it later.
fn judged(status: u16, host: &str, said: &str) -> Result<(), Unposted> {
    let told = || {
        let said = shorten(&impersonal(said));
        let said = if said.is_empty() {
            String::new()
        } else {
            format!(" (it said: {said})")
        };
        format!("{host} answered with status {status}{said}")
    };
    match status {
        200..300 => Ok(()),
        408 | 409 | 425 | 429 | 500.. => Err(Unposted::Unknown(told())),
        _ => Err(Unposted::Refused(told())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whoever_is_busy_may_take_it_later_and_whoever_refuses_does_not() {
        assert_eq!(judged(204, "h", ""), Ok(()));
        for status in [408, 425, 429, 500, 503, 599] {
            assert!(
                matches!(judged(status, "h", ""), Err(Unposted::Unknown(_))),
                "{status}"
            );
        }
        for status in [301, 400, 401, 403, 404, 410, 413] {
            assert!(
                matches!(judged(status, "h", ""), Err(Unposted::Refused(_))),
                "{status}"
            );
        }
        let told = judged(404, "hooks.example.com", "no_service for ada@example.com").unwrap_err();
        assert_eq!(
            told.to_string(),
            "hooks.example.com answered with status 404 (it said: no_service for ***)"
        );
    }

    #[test]
    fn what_leaves_this_machine_is_encrypted_and_goes_to_no_place_of_metadata() {
        let judged = |text: &str| {
            let url = Url::parse(text).unwrap();
            permitted(&url, &authority(&url).unwrap_or_default()).map(drop)
        };
        assert!(judged("https://hooks.example.com/x").is_ok());
        assert!(judged("http://127.0.0.1:8080/x").is_ok());
        for wrong in [
            "http://hooks.example.com/x",
            "https://169.254.169.254/x",
            "ftp://hooks.example.com/x",
        ] {
            assert!(judged(wrong).is_err(), "{wrong}");
        }
    }
}
