//! Signing in by a provider of identities (OpenID Connect Core 1.0): the code flow with PKCE, and who it was that came back.
//! What is judged is pure; only [`Provider`] asks. Keeps no token of the provider's, and lets none into a text.
//!
//! ```text
//! metadata  what the provider says of itself (discovery)
//! keys      the keys by which it signs
//! token     its ID token: signature and claims
//! claims    what somebody is called there, and their groups
//! ways      who left for it and has not come back
//! provider  asks it, and remembers what it said of itself
//! ```

mod claims;
mod keys;
mod metadata;
mod provider;
#[cfg(test)]
mod signing;
mod token;
mod ways;

pub use provider::{Asks, Came, Leaving, Provider};

use crate::config::OidcSettings;
use crate::model::Tier;

/// Why nobody was signed in. The texts are for the log: they hold nothing that the provider or the browser sent.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OidcError {
    /// The provider cannot be asked now; it may answer later.
    #[error("the provider cannot be asked: {0}")]
    Away(String),
    /// Something is set up otherwise here than there.
    #[error("{0}")]
    Unfit(String),
    /// Nobody of this browser left for the provider, or long ago, or they came back already.
    #[error("{0}")]
    Over(&'static str),
    /// The provider let nobody in.
    #[error("the provider let nobody in: {0}")]
    Declined(&'static str),
    /// What came is not what the provider says to us of somebody who was just there.
    #[error("what came is not to be trusted: {0}")]
    Distrusted(String),
    /// Somebody is known there, and none of their groups may do anything here.
    #[error(
        "somebody is in no group that `web.oidc.tiers` names; see `web.oidc.claims.groups` and `scopes` where they should be"
    )]
    Groupless,
}

/// Who came back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    issuer: String,
    client_id: String,
    /// Who it is there, for ever.
    subject: String,
    name: String,
    /// Of their groups those that the settings named when they came.
    groups: Vec<String>,
}

impl Identity {
    /// What they are called.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// How much they may do by the settings as they are now; none where these name another provider.
    pub(super) fn tier(&self, settings: Option<&OidcSettings>) -> Option<Tier> {
        let settings = settings?;
        let is_same = settings.issuer == self.issuer && settings.client_id == self.client_id;
        settings.tiers.of(&self.groups).filter(|_| is_same)
    }

    /// Whether it is the same somebody.
    pub(super) fn is(&self, other: &Identity) -> bool {
        self.issuer == other.issuer && self.subject == other.subject
    }
}
