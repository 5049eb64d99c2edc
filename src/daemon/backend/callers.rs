//! How much a caller may do, from the settings as they are now: who was taken out of them is out at the next
//! request, also on a connection that was there before.

use std::sync::Arc;
use std::time::Duration;

use crate::config::{Caller, Tiers};
use crate::control::server::{Front, Peer};
use crate::model::Tier;

use super::{Daemon, Nature};

impl Daemon {
    pub(super) async fn tier_of(&self, peer: Peer) -> Option<Tier> {
        let Nature::Daemon { owner } = self.nature else {
            return Some(Tier::Observe);
        };
        // The permissions of the socket say nothing of who comes over the network, or through a proxy.
        if peer.is_remote() || peer.signed.is_some() {
            return peer.signed.as_ref().map(|signed| signed.tier);
        }
        let catalog = Arc::clone(&self.catalog.borrow());
        let tiers = catalog.settings.socket.tiers.as_ref();
        let always = always(tiers, owner, &peer);
        // Only who is named for it has more than that.
        if always.is_some() && !tiers.is_some_and(|tiers| tiers.has(Tier::Configure)) {
            return always;
        }
        let (Some(uid), Some(gid)) = (peer.uid, peer.gid) else {
            return always;
        };
        // A directory service may take its time: not on the threads that answer.
        let known = tokio::task::spawn_blocking(move || Caller::known(uid, gid)).await;
        let caller = match known {
            Ok(Ok(caller)) => caller,
            Ok(Err(error)) => {
                tracing::warn!(uid, %error, "the system does not tell who a caller is; only numbers count");
                by_number(uid, gid)
            }
            Err(_) => by_number(uid, gid),
        };
        always.max(tiers.and_then(|tiers| tiers.of(&caller)))
    }

    /// The proxy of this user, by the settings as they are now. The daemon's own user is none: they may everything.
    pub(super) fn front_of(&self, uid: u32) -> Option<Front> {
        let Nature::Daemon { owner } = self.nature else {
            return None;
        };
        let catalog = self.catalog.borrow();
        let web = catalog.settings.web.as_ref()?;
        let proxy = web.proxy.as_ref()?;
        if proxy.uid != uid || uid == owner {
            return None;
        }
        let tiers = proxy.tiers.clone();
        Some(Front {
            user: proxy.user.clone(),
            groups: proxy.groups.clone(),
            hosts: web.hosts.clone(),
            tier: Box::new(move |groups| tiers.of(groups)),
        })
    }
}

/// So long a name is waited for: without it an act is done under the number alone.
const NAME: Duration = Duration::from_secs(2);

/// The name that this machine has for a user now.
pub(super) async fn name_of(uid: u32) -> Option<String> {
    let look = tokio::task::spawn_blocking(move || Caller::name(uid));
    match tokio::time::timeout(NAME, look).await {
        Ok(Ok(Ok(name))) => name,
        Ok(Ok(Err(error))) => {
            tracing::warn!(uid, %error, "the system does not tell what a caller is called; only the number is kept");
            None
        }
        Ok(Err(_)) | Err(_) => {
            tracing::warn!(
                uid,
                "the system does not tell in time what a caller is called; only the number is kept"
            );
            None
        }
    }
}

/// What a caller may whoever they are called: without tiers everybody, with them the daemon's own user and root.
fn always(tiers: Option<&Tiers>, owner: u32, peer: &Peer) -> Option<Tier> {
    let all = tiers.is_none() || peer.uid.is_some_and(|uid| uid == owner || uid == 0);
    all.then_some(Tier::Approve)
}

fn by_number(uid: u32, gid: u32) -> Caller {
    Caller {
        uid,
        user: None,
        groups: vec![(gid, None)],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn peer(uid: Option<u32>) -> Peer {
        Peer {
            uid,
            gid: Some(100),
            ..Peer::default()
        }
    }

    #[test]
    fn without_tiers_the_permissions_of_the_socket_decide_and_nothing_else() {
        for uid in [None, Some(0), Some(7), Some(1000)] {
            assert_eq!(always(None, 7, &peer(uid)), Some(Tier::Approve));
        }
    }

    #[test]
    fn with_tiers_only_the_daemons_user_and_root_need_not_be_named() {
        let tiers = Tiers::default();
        let of = |uid| always(Some(&tiers), 7, &peer(uid));
        assert_eq!(of(Some(0)), Some(Tier::Approve));
        assert_eq!(of(Some(7)), Some(Tier::Approve));
        assert_eq!(of(Some(1000)), None);
        assert_eq!(of(None), None, "a caller without a name is nobody");
        assert_eq!(tiers.of(&by_number(1000, 100)), None);
    }
}
