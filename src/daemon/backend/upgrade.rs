//! What only the rules of a new version would take (R27): looked at, and let through, of all integrations at once.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::acts;
use crate::control::protocol::{ApproveSinceUpgrade, ProblemDocument, SinceUpgrade};
use crate::control::server::{Answer, Backend, Followed, Peer};

use super::Daemon;
use super::acts::lasts;

impl Daemon {
    pub(super) async fn waits_since_upgrade(&self) -> Answer<SinceUpgrade> {
        let plans = self.ask(|view| {
            let mut plans = BTreeMap::new();
            for id in view.integrations()? {
                if let Some(plan) = view.guard(&id)?.since_upgrade {
                    plans.insert(id, plan);
                }
            }
            Ok(plans)
        });
        Ok(SinceUpgrade {
            plans: plans.await?,
        })
    }

    pub(super) async fn approved_since_upgrade(
        &self,
        asked: ApproveSinceUpgrade,
        peer: Peer,
    ) -> Answer<Vec<Followed>> {
        let digests = asked.digests;
        if digests.is_empty() {
            return Err(ProblemDocument::bad_request(
                "no plan is named; GET /v1/since-upgrade lists those that wait, with their digests",
            ));
        }
        let catalog = Arc::clone(&self.catalog.borrow());
        let ids: Vec<_> = digests.keys().cloned().collect();
        self.act(&peer, move |store, hand| {
            let lasts = |id: &_| lasts(&catalog, id);
            acts::approve_since_upgrade(store, &digests, &hand.by, hand.now, lasts)
        })
        .await?;
        let mut followed = Vec::new();
        for id in ids {
            tracing::info!(integration = %id, uid = peer.uid, account = peer.account(), "what waits since the upgrade approved");
            // One that is paused, or whose files are not right now, carries it out later.
            followed.extend(
                self.sync(Some(vec![id]), peer.clone())
                    .await
                    .unwrap_or_default(),
            );
        }
        Ok(followed)
    }
}
