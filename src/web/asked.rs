//! What a handler of the page is asked: by whom, with which tier, for what. Reads no body.

use axum::extract::{ConnectInfo, Extension, FromRequestParts, RawPathParams};
use axum::http::request::Parts;
use jiff::Timestamp;

use crate::control::protocol::ProblemDocument;
use crate::control::server::{Answer, App, Backend, Granted, Peer};
use crate::model::{IdError, Tier};

use super::fields::Fields;
use super::look::Frame;

/// A request of a page.
pub(super) struct Asked<B> {
    /// What answers.
    pub(super) app: App<B>,
    /// Who asks.
    peer: Peer,
    /// How much they may do.
    granted: Granted,
    /// What stands in the place of the path's names.
    names: Vec<(String, String)>,
    /// What stands behind `?`.
    pub(super) query: Fields,
    /// The path as it came.
    path: String,
}

impl<B: Backend> FromRequestParts<App<B>> for Asked<B> {
    type Rejection = ProblemDocument;

    async fn from_request_parts(parts: &mut Parts, app: &App<B>) -> Answer<Asked<B>> {
        let unknown = || ProblemDocument::internal("the request came without its caller");
        let ConnectInfo(peer) = ConnectInfo::<Peer>::from_request_parts(parts, app)
            .await
            .map_err(|_| unknown())?;
        let Extension(granted) = Extension::<Granted>::from_request_parts(parts, app)
            .await
            .map_err(|_| unknown())?;
        let names = RawPathParams::from_request_parts(parts, app)
            .await
            .map_err(|error| ProblemDocument::bad_request(error.body_text()))?;
        let names = names.iter();
        Ok(Asked {
            app: app.clone(),
            peer,
            granted,
            names: names
                .map(|(name, value)| (name.to_owned(), value.to_owned()))
                .collect(),
            query: Fields::read(parts.uri.query().unwrap_or_default().as_bytes()),
            path: parts.uri.path().to_owned(),
        })
    }
}

impl<B: Backend> Asked<B> {
    /// What does what is asked.
    pub(super) fn backend(&self) -> &B {
        &self.app.backend
    }

    /// Who asks.
    pub(super) fn peer(&self) -> Peer {
        self.peer.clone()
    }

    /// Whether they have this tier.
    pub(super) fn may(&self, tier: Tier) -> bool {
        self.granted.may(tier)
    }

    /// What stands in the path in the place of `{name}`.
    pub(super) fn name(&self, name: &str) -> &str {
        let found = self.names.iter().find(|(of, _)| of == name);
        found.map_or("", |(_, value)| value)
    }

    /// The same as an id.
    pub(super) fn id<T: std::str::FromStr<Err = IdError>>(&self, name: &str) -> Answer<T> {
        let id = self.name(name).parse();
        id.map_err(|error: IdError| ProblemDocument::bad_request(error.to_string()))
    }

    /// The moment.
    pub(super) fn now(&self) -> Timestamp {
        self.app.backend.now()
    }

    /// What every page has around it.
    pub(super) fn frame(&self) -> Frame {
        Frame {
            now: self.now(),
            may_operate: self.may(Tier::Operate),
            may_approve: self.may(Tier::Approve),
            may_configure: self.may(Tier::Configure),
            account: self.peer.account().map(String::from),
            may_sign_out: self.peer.has_session(),
            said: super::said::said(&self.query),
            path: self.path.clone(),
            commits: *self.app.backend.commits().borrow(),
        }
    }
}
