//! One request to a URL that the daemon's own file names, or what lies there, and the whole of its small answer: over the same
//! guarded way out as what is asked of PMSs, without a budget. Repeats nothing, and follows nobody elsewhere.

use std::path::Path;
use std::time::Duration;

use reqwest::header::{ACCEPT, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use url::Url;

use crate::config::Proxy;

use super::clients::Outbound;
use super::egress::authority;
use super::post::{Unposted, permitted, unsent};

/// So many bytes has an answer at most.
const MOST: usize = 256 * 1024;

/// What is asked, where, and by which way.
#[derive(Debug)]
pub struct Fetch<'a> {
    /// Where: the only host that is asked.
    pub url: &'a Url,
    /// Names and values; none of them is ever told.
    pub headers: Vec<(&'static str, String)>,
    /// A form that is posted; without one it is read.
    pub form: Option<String>,
    /// How long it may take in all, its answer with it.
    pub timeout: Duration,
    /// What it goes through, except to loopback.
    pub proxy: Option<&'a Proxy>,
    /// Authorities that the server may be signed by, besides those of the system; relative to `home`.
    pub ca_file: Option<&'a Path>,
    /// Where files lie.
    pub home: &'a Path,
}

/// What came.
pub struct Fetched {
    /// The status.
    pub status: u16,
    /// The body; it may hold secrets.
    pub body: Vec<u8>,
}

impl Outbound {
    /// Asks, once.
    pub async fn fetch(&self, fetch: Fetch<'_>) -> Result<Fetched, Unposted> {
        let host = authority(fetch.url).unwrap_or_default();
        let url = permitted(fetch.url, &host)?;
        let http = self.client_by(fetch.proxy, fetch.ca_file, fetch.home)?;
        let mut headers = HeaderMap::new();
        headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
        for (name, value) in &fetch.headers {
            let mut value = HeaderValue::from_str(value)
                .map_err(|_| Unposted::NotAllowed(format!("the header {name} cannot be sent")))?;
            value.set_sensitive(true);
            headers.insert(HeaderName::from_static(name), value);
        }
        let request = match fetch.form {
            None => http.get(url.url().clone()),
            Some(form) => {
                let kind = HeaderValue::from_static("application/x-www-form-urlencoded");
                headers.insert(CONTENT_TYPE, kind);
                http.post(url.url().clone()).body(form)
            }
        };
        let request = request.headers(headers).timeout(fetch.timeout);
        let sent = request.send().await;
        let mut response = sent.map_err(|error| unsent(&error, &host))?;
        let status = response.status().as_u16();
        let mut body = Vec::new();
        while let Some(chunk) = response
            .chunk()
            .await
            .map_err(|error| unsent(&error, &host))?
        {
            if body.len() + chunk.len() > MOST {
                return Err(Unposted::Unknown(format!(
                    "{host} answered with more than {} KiB",
                    MOST >> 10
                )));
            }
            body.extend_from_slice(&chunk);
        }
        Ok(Fetched { status, body })
    }
}
