//! What was sent and what came back, kept for whoever looks at a single request (`epms probe`). It holds secrets: what of
//! it may be shown is `redact`'s.

use std::sync::{Mutex, PoisonError};

use reqwest::header::{ACCEPT, CONTENT_LENGTH, HOST, HeaderMap, HeaderValue};
use url::Url;

use super::clients::USER_AGENT;
use super::egress::authority;

/// Everything that is sent while somebody looks, in its order.
#[derive(Default)]
pub(crate) struct Watch(Mutex<Vec<Exchanged>>);

/// A request as it was sent, and its answer as far as it came.
pub(crate) struct Exchanged {
    /// As errors name it.
    pub(crate) request: String,
    pub(crate) method: String,
    pub(crate) url: Url,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Option<Vec<u8>>,
    pub(crate) reply: Option<Replied>,
}

/// An answer as it came.
pub(crate) struct Replied {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    /// Unpacked; none where not all of it came.
    pub(crate) body: Option<Vec<u8>>,
}

impl Watch {
    fn with(&self, does: impl FnOnce(&mut Vec<Exchanged>)) {
        does(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner));
    }

    /// A request is about to be sent.
    pub(super) fn sent(&self, name: &str, request: &reqwest::Request) {
        let mut headers = request.headers().clone();
        let body = request.body().and_then(reqwest::Body::as_bytes);
        // What the client adds by itself.
        let host = authority(request.url()).and_then(|host| HeaderValue::try_from(host).ok());
        if let Some(host) = host {
            headers.entry(HOST).or_insert(host);
        }
        let accept = HeaderValue::from_static("*/*");
        headers.entry(ACCEPT).or_insert(accept);
        let agent = HeaderValue::from_static(USER_AGENT);
        headers.entry(reqwest::header::USER_AGENT).or_insert(agent);
        if let Some(body) = body {
            headers
                .entry(CONTENT_LENGTH)
                .or_insert_with(|| HeaderValue::from(body.len()));
        }
        let exchanged = Exchanged {
            request: name.to_owned(),
            method: request.method().to_string(),
            url: request.url().clone(),
            headers,
            body: body.map(<[u8]>::to_vec),
            reply: None,
        };
        self.with(|all| all.push(exchanged));
    }

    /// An answer to the last request begins.
    pub(super) fn answered(&self, status: u16, headers: &HeaderMap) {
        let reply = Replied {
            status,
            headers: headers.clone(),
            body: None,
        };
        self.with(|all| {
            if let Some(last) = all.last_mut() {
                last.reply = Some(reply);
            }
        });
    }

    /// All of it came.
    pub(super) fn came(&self, body: &[u8]) {
        self.with(|all| {
            if let Some(reply) = all.last_mut().and_then(|last| last.reply.as_mut()) {
                reply.body = Some(body.to_vec());
            }
        });
    }

    /// What was sent and came so far.
    pub(crate) fn take(&self) -> Vec<Exchanged> {
        let mut taken = Vec::new();
        self.with(|all| taken = std::mem::take(all));
        taken
    }
}
