//! Who may call what: every request is held against the tier of its route before anything of it is read. What
//! is refused is logged with numbers and the route's own words, never with words of the caller.

use axum::extract::{ConnectInfo, Extension, Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use crate::control::protocol::ProblemDocument;
use crate::model::{NamedBy, Tier};

use super::{App, Backend, Peer};

/// The tier that a caller has, for handlers that need a higher one in some cases.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Granted(Option<Tier>);

/// What a route needs, and how it is named in the log.
#[derive(Debug, Clone, Copy)]
pub(super) struct Needed {
    pub(super) tier: Tier,
    pub(super) route: &'static str,
}

/// Looks up the caller's tier. Whoever has none learns nothing, not even what is here.
pub(super) async fn known<B: Backend>(
    State(app): State<App<B>>,
    ConnectInfo(peer): ConnectInfo<Peer>,
    mut request: Request,
    next: Next,
) -> Response {
    let granted = Granted(app.backend.tier(peer.clone()).await);
    if granted.0.is_none() {
        let needed = Needed {
            tier: Tier::Observe,
            route: "any",
        };
        return refused(needed, granted, &peer).into_response();
    }
    request.extensions_mut().insert(granted);
    next.run(request).await
}

/// Lets through who has the tier that the route needs.
pub(super) async fn admitted(
    State(needed): State<Needed>,
    ConnectInfo(peer): ConnectInfo<Peer>,
    Extension(granted): Extension<Granted>,
    request: Request,
    next: Next,
) -> Response {
    match granted.reaches(needed, &peer) {
        Ok(()) => next.run(request).await,
        Err(problem) => problem.into_response(),
    }
}

impl Granted {
    /// Whether the caller has this tier. Says nothing in the log: it is for what is shown.
    pub fn may(self, tier: Tier) -> bool {
        self.0 >= Some(tier)
    }

    /// Whether it is enough.
    pub(super) fn reaches(self, needed: Needed, peer: &Peer) -> Result<(), ProblemDocument> {
        if self.may(needed.tier) {
            return Ok(());
        }
        Err(refused(needed, self, peer))
    }
}

fn refused(needed: Needed, granted: Granted, peer: &Peer) -> ProblemDocument {
    tracing::warn!(
        uid = peer.uid,
        gid = peer.gid,
        pid = peer.pid,
        account = peer.account(),
        route = needed.route,
        needs = %needed.tier,
        has = granted.0.map_or("nothing", Tier::as_str),
        "call denied"
    );
    let has = granted.0.map_or("nothing", Tier::as_str);
    let tier = needed.tier;
    let by = peer.signed.as_ref().map(|signed| signed.by);
    let remedy = match by {
        Some(NamedBy::Oidc) => format!(
            "add a group of theirs at the provider of identities to web.oidc.tiers.{tier} in config/epms.yaml"
        ),
        Some(NamedBy::Proxy) => {
            format!("add a group of theirs to web.proxy.tiers.{tier} in config/epms.yaml")
        }
        _ if peer.is_remote() => {
            "the account or the token has its tier in the file that `web` in config/epms.yaml names"
                .to_owned()
        }
        _ => {
            format!(
                "add the user, or a group of theirs, to socket.tiers.{tier} in config/epms.yaml"
            )
        }
    };
    ProblemDocument::denied(format!(
        "this needs `{tier}`, and {peer} has {has}; {remedy}"
    ))
}
