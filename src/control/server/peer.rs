//! Who asks: the peer of a connection as the kernel says, or who signed in over the network. Decides nothing.

use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;

use tokio::net::UnixStream;

use crate::model::{NamedBy, Signed};

/// Who asks.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Peer {
    /// The user, on the control socket; none when the system does not tell.
    pub uid: Option<u32>,
    /// The user's group at that moment.
    pub gid: Option<u32>,
    /// The process that connected; it may have ended since.
    pub pid: Option<i32>,
    /// Where they are, over the network.
    pub address: Option<IpAddr>,
    /// Who signed in, over the network; none of whom that is not known yet.
    pub signed: Option<Arc<Signed>>,
}

/// Whose share of the daemon a request takes.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Share {
    /// A user of this machine.
    User(Option<u32>),
    /// Whoever is at an address.
    Address(IpAddr),
    /// Somebody who signed in.
    Signed(NamedBy, String),
}

impl Peer {
    pub(super) fn of(stream: &UnixStream) -> Peer {
        let credentials = stream.peer_cred().ok();
        Peer {
            uid: credentials.map(|peer| peer.uid()),
            gid: credentials.map(|peer| peer.gid()),
            pid: credentials.and_then(|peer| peer.pid()),
            ..Peer::default()
        }
    }

    /// Over the network, before anybody signed in.
    pub(super) fn at(address: IpAddr) -> Peer {
        Peer {
            address: Some(address),
            ..Peer::default()
        }
    }

    /// Whether it is over the network.
    pub fn is_remote(&self) -> bool {
        self.address.is_some()
    }

    /// Whether they signed in here, and can sign out: no proxy says who they are, and no token.
    pub fn has_session(&self) -> bool {
        let by = self.signed.as_ref().map(|signed| signed.by);
        matches!(by, Some(NamedBy::Account | NamedBy::Oidc))
    }

    /// The name of who signed in, for the log.
    pub fn account(&self) -> Option<&str> {
        self.signed.as_ref().map(|signed| &*signed.name)
    }

    pub(super) fn share(&self) -> Share {
        match (&self.signed, self.address) {
            (Some(signed), _) => Share::Signed(signed.by, signed.name.clone()),
            (None, Some(address)) => Share::Address(address),
            (None, None) => Share::User(self.uid),
        }
    }
}

/// For people: `user 1000`, `ada (account)`, `somebody`.
impl fmt::Display for Peer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.signed, self.uid) {
            (Some(signed), _) => write!(f, "{} ({})", signed.name, signed.by.as_str()),
            (None, Some(uid)) => write!(f, "user {uid}"),
            (None, None) if self.is_remote() => f.write_str("somebody who did not sign in"),
            (None, None) => f.write_str("a user unknown"),
        }
    }
}
