//! Hooks over the network: a signed request asks for a sync of one integration. Whether it is genuine is for others to say.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Bytes;
use axum::extract::{ConnectInfo, Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use tokio_util::sync::CancellationToken;

use crate::control::protocol::ProblemDocument;
use crate::model::{IntegrationId, NamedBy, Signed};

use super::gate::{Gate, SignIn};
use super::{Backend, Peer};

/// So much may be sent to a hook.
pub(super) const MOST_SENT: usize = 256 * 1024;

/// A request, as it came.
#[derive(Debug, Clone)]
pub struct Hooked {
    /// The integration of the path.
    pub integration: IntegrationId,
    /// `webhook-id`, `webhook-timestamp` and `webhook-signature`; empty where they are missing.
    pub headers: [String; 3],
    /// What came.
    pub body: Vec<u8>,
}

/// When a sync is asked for by it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Hook {
    /// At once, by this caller.
    Now(Signed),
    /// After so long.
    After(Duration, Signed),
    /// By one that was asked for and has not begun.
    Already,
}

/// What a hook needs.
pub(super) struct Around<B, S> {
    pub(super) backend: Arc<B>,
    pub(super) gate: Arc<Gate<S>>,
    pub(super) stop: CancellationToken,
}

impl<B, S> Clone for Around<B, S> {
    fn clone(&self) -> Self {
        Around {
            backend: Arc::clone(&self.backend),
            gate: Arc::clone(&self.gate),
            stop: self.stop.clone(),
        }
    }
}

pub(super) async fn hooked<B: Backend, S: SignIn>(
    State(around): State<Around<B, S>>,
    ConnectInfo(peer): ConnectInfo<Peer>,
    Path(integration): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let header = |name: &str| {
        let value = headers.get(name).and_then(|value| value.to_str().ok());
        value.unwrap_or_default().to_owned()
    };
    let integration = IntegrationId::new(integration);
    let hooked = Hooked {
        integration: integration.clone(),
        headers: ["webhook-id", "webhook-timestamp", "webhook-signature"].map(header),
        body: body.to_vec(),
    };
    let answer = around.gate.hooked(hooked).await;
    let counted = |succeeded| around.gate.sign_in.counted(NamedBy::Hook, succeeded);
    counted(answer.is_some());
    let (wait, signed) = match answer {
        // Which hooks there are is told to nobody.
        None => return ProblemDocument::unknown_caller().into_response(),
        Some(Hook::Already) => return StatusCode::ACCEPTED.into_response(),
        Some(Hook::Now(signed)) => (Duration::ZERO, signed),
        Some(Hook::After(wait, signed)) => (wait, signed),
    };
    let peer = Peer {
        signed: Some(Arc::new(signed)),
        ..peer
    };
    let asks = async move {
        tokio::select! {
            () = tokio::time::sleep(wait) => {}
            () = around.stop.cancelled() => return,
        }
        let asked = around.backend.sync(Some(vec![integration.clone()]), peer);
        if let Err(problem) = asked.await {
            tracing::warn!(%integration, kind = %problem.kind, "a hook asked for a sync that cannot be");
        }
    };
    // Whoever sent it does not wait for it.
    tokio::spawn(asks);
    StatusCode::ACCEPTED.into_response()
}
