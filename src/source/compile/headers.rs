//! Headers of requests: their names and templates, and those in the place of which another one is sent. Sends nothing.

use std::collections::BTreeMap;

use crate::config::{Auth, Connector};
use crate::model::Code;

use super::super::template::Place;
use super::Compile;

impl Compile<'_> {
    pub(super) fn header_name(&mut self, field: &str, name: &str) {
        if reqwest::header::HeaderName::from_bytes(name.as_bytes()).is_err() {
            self.problem(
                field,
                format!("`{name}` is no name of a header; write one such as X-Total-Count"),
            );
        }
    }

    pub(super) fn headers(&mut self, field: &str, headers: &BTreeMap<String, String>) {
        for (name, value) in headers {
            let field = format!("{field}.{name}");
            self.header_name(&field, name);
            self.template(Place::Header, &field, value);
        }
    }

    /// Tells of headers in the place of which that of `auth` or `sign` is sent.
    pub(super) fn replaced(&mut self) {
        for (field, by) in replaced(self.connector) {
            let message =
                format!("is of no use here: `{by}` sends another in its place; remove one of them");
            self.warn(&field, message, Code::UnusedKey);
        }
    }
}

/// The headers in the place of which another one is sent, by where they stand, each with the key whose is sent.
fn replaced(connector: &Connector) -> Vec<(String, &'static str)> {
    let login = match &connector.auth {
        Some(Auth::Login(login)) => Some(login),
        _ => None,
    };
    let proof = match &connector.auth {
        Some(Auth::Login(login)) => Some(login.header()),
        Some(Auth::Basic { .. } | Auth::Bearer { .. } | Auth::OAuth2(_)) => Some("Authorization"),
        None => None,
    };
    let signature = connector.sign.as_ref().map(|sign| sign.header.as_str());
    let mut found = Vec::new();
    let mut look = |place: &str, headers: &BTreeMap<String, String>, is_of_login: bool| {
        let is = |name: &str, other: Option<&str>| {
            other.is_some_and(|other| other.eq_ignore_ascii_case(name))
        };
        for name in headers.keys() {
            // What logs in has no token yet.
            if !is_of_login && is(name, proof) {
                found.push((format!("{place}.{name}"), "auth"));
            } else if is(name, signature) {
                found.push((format!("{place}.{name}"), "sign"));
            }
        }
    };
    look("headers", &connector.headers, login.is_some());
    for (name, request) in connector.all_requests() {
        let is_of_login = login.is_some_and(|login| login.request == name);
        look(
            &format!("{}.headers", Connector::place_of(name)),
            &request.headers,
            is_of_login,
        );
    }
    found
}
