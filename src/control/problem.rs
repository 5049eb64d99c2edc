//! Errors as they go over the control socket: each kind with its status, its stable name and what to do. The same type serves
//! the server, the client and `--json`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::model::{IntegrationId, TargetId};

/// An error, as RFC 9457 has it (`application/problem+json`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema, thiserror::Error)]
#[error("{title}: {detail}")]
pub struct ProblemDocument {
    /// A stable name of the kind of error, such as `urn:epms:not-found`.
    #[serde(rename = "type")]
    pub kind: String,
    /// The kind, in words.
    pub title: String,
    /// The HTTP status.
    pub status: u16,
    /// What happened, and what to do.
    pub detail: String,
}

impl ProblemDocument {
    fn new(status: u16, kind: &str, title: &str, detail: impl Into<String>) -> Self {
        ProblemDocument {
            kind: format!("urn:epms:{kind}"),
            title: title.to_owned(),
            status,
            detail: detail.into(),
        }
    }

    /// There is no such thing.
    pub fn not_found(detail: impl Into<String>) -> Self {
        Self::new(404, "not-found", "not found", detail)
    }

    /// There is no such integration.
    pub fn no_integration(integration: &IntegrationId) -> Self {
        Self::not_found(format!(
            "there is no integration `{integration}`; `epms status` lists them"
        ))
    }

    /// There is no such target.
    pub fn no_target(target: &TargetId) -> Self {
        Self::not_found(format!(
            "there is no target `{target}`; `epms targets` lists them"
        ))
    }

    /// The request itself is wrong.
    pub fn bad_request(detail: impl Into<String>) -> Self {
        Self::new(400, "bad-request", "bad request", detail)
    }

    /// Files that came with the request are not right.
    pub fn not_right(detail: impl Into<String>) -> Self {
        Self::new(422, "not-right", "the files are not right", detail)
    }

    /// The caller may not do this.
    pub fn denied(detail: impl Into<String>) -> Self {
        Self::new(403, "denied", "denied", detail)
    }

    /// Over the network, and nobody is signed in.
    pub fn unknown_caller() -> Self {
        let told = "nobody is signed in; sign in on /sign-in, or show a token as `Authorization: Bearer`, which `epms web token` makes";
        Self::new(401, "unknown-caller", "unknown caller", told)
    }

    /// Over the network, under a name that is not this daemon's.
    pub fn misdirected() -> Self {
        let told = "this is asked under a name that is not in `web.hosts` of config/epms.yaml; add it there, or ask under one that is";
        Self::new(421, "misdirected", "misdirected", told)
    }

    /// The path is asked with another method.
    pub fn method_not_allowed(detail: impl Into<String>) -> Self {
        Self::new(405, "method-not-allowed", "method not allowed", detail)
    }

    /// The thing is there, but in a state in which this cannot be done.
    pub fn conflict(detail: impl Into<String>) -> Self {
        Self::new(409, "conflict", "conflict", detail)
    }

    /// The thing was there, and is not kept any more.
    pub fn gone(detail: impl Into<String>) -> Self {
        Self::new(410, "gone", "gone", detail)
    }

    /// The body of the request is too large.
    pub fn too_large(detail: impl Into<String>) -> Self {
        Self::new(413, "too-large", "too large", detail)
    }

    /// The head of the request is too large: its address (414), or all of it (431).
    pub fn too_large_head(status: u16) -> Self {
        Self::new(
            status,
            "too-large",
            "too large",
            "the head of the request is too large; send fewer and shorter headers, and a shorter path",
        )
    }

    /// The request did not come to its end in time.
    pub fn too_slow(detail: impl Into<String>) -> Self {
        Self::new(408, "too-slow", "too slow", detail)
    }

    /// Whether there was no room for it, and it may be asked again.
    pub fn is_busy(&self) -> bool {
        self.kind == "urn:epms:busy"
    }

    /// There is no room for it now.
    pub fn busy(detail: impl Into<String>) -> Self {
        Self::new(503, "busy", "busy", detail)
    }

    /// The daemon is stopping.
    pub fn stopping() -> Self {
        Self::new(
            503,
            "stopping",
            "stopping",
            "the daemon is stopping; ask again when it runs",
        )
    }

    /// The daemon lives and cannot work.
    pub fn not_ready(detail: impl Into<String>) -> Self {
        Self::new(503, "not-ready", "not ready", detail)
    }

    /// The daemon failed.
    pub fn internal(detail: impl Into<String>) -> Self {
        Self::new(500, "internal", "internal error", detail)
    }
}
