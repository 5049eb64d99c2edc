//! A PMS property feeds one integration. Where two claim it, who has it keeps it. Pure.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::model::IntegrationId;

use super::Integration;

/// What lies on disk and what runs, of one integration.
#[derive(Debug, Default)]
pub(super) struct Claim {
    /// What lies on disk, where it is right.
    pub(super) found: Option<Arc<Integration>>,
    /// What runs; none where nothing does.
    pub(super) running: Option<Arc<Integration>>,
}

impl Claim {
    /// What will run.
    fn next(&self) -> Option<&Arc<Integration>> {
        self.found.as_ref().or(self.running.as_ref())
    }
}

/// A claim that is turned down.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Refusal {
    /// Who claimed.
    pub(super) id: IntegrationId,
    /// The place among its PMS properties.
    pub(super) index: usize,
    /// The PMS property.
    pub(super) property: String,
    /// Who has it.
    pub(super) by: IntegrationId,
}

/// Turns down claims until every PMS property feeds one integration. Whoever is turned down stays with what
/// runs, which may in turn keep others from what they claim.
pub(super) fn settle(claims: &mut BTreeMap<IntegrationId, Claim>) -> Vec<Refusal> {
    let mut refused = Vec::new();
    loop {
        let found = refusals(claims);
        if found.is_empty() {
            return refused;
        }
        let losers: BTreeSet<&IntegrationId> = found.iter().map(|refusal| &refusal.id).collect();
        for id in losers {
            if let Some(claim) = claims.get_mut(id) {
                claim.found = None;
            }
        }
        refused.extend(found);
    }
}

fn feeds(integration: &Integration) -> impl Iterator<Item = (&str, &str)> {
    let credential = integration.config.credential.as_str();
    let properties = integration.config.pms_properties.iter();
    properties.map(move |property| (credential, property.as_str()))
}

fn refusals(claims: &BTreeMap<IntegrationId, Claim>) -> Vec<Refusal> {
    // Who has it goes before who comes; among those who come, the first by name.
    let mut owners: BTreeMap<(&str, &str), &IntegrationId> = BTreeMap::new();
    for (id, claim) in claims {
        if let (Some(running), Some(next)) = (&claim.running, claim.next()) {
            let kept: BTreeSet<_> = feeds(next).collect();
            owners.extend(
                feeds(running)
                    .filter(|key| kept.contains(key))
                    .map(|key| (key, id)),
            );
        }
    }
    let mut found = Vec::new();
    for (id, claim) in claims {
        for (index, key) in claim
            .next()
            .into_iter()
            .flat_map(|next| feeds(next).enumerate())
        {
            let owner = *owners.entry(key).or_insert(id);
            if owner != id {
                found.push(Refusal {
                    id: id.clone(),
                    index,
                    property: key.1.to_owned(),
                    by: owner.clone(),
                });
            }
        }
    }
    found
}
