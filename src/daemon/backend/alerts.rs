//! Open alerts by kind and integration, and how many there are of each.

use std::collections::{BTreeMap, BTreeSet};

use crate::control::protocol::{AlertGroup, AlertGroups};
use crate::control::server::{Answer, GroupQuery};
use crate::model::{Alert, AlertKind, Confidence, IntegrationId};

use super::Daemon;

impl Daemon {
    /// The open alerts, grouped.
    pub(super) async fn grouped(&self, query: GroupQuery) -> Answer<AlertGroups> {
        self.ask(move |view| {
            let mut open = view.open_alerts(query.integration.as_ref())?;
            open.retain(|alert| query.kind.is_none_or(|kind| kind == alert.kind));
            Ok(AlertGroups {
                groups: groups(&open),
            })
        })
        .await
    }
}

fn groups(open: &[Alert]) -> Vec<AlertGroup> {
    let mut groups: BTreeMap<(AlertKind, &IntegrationId), AlertGroup> = BTreeMap::new();
    for alert in open {
        let key = (alert.kind, &alert.integration);
        let group = groups.entry(key).or_insert_with(|| AlertGroup {
            kind: alert.kind,
            integration: alert.integration.clone(),
            count: 0,
            namesakes: 0,
            first: alert.id,
            oldest: alert.first_seen,
            newest: alert.first_seen,
            assigned: BTreeSet::new(),
        });
        group.count += 1;
        group.namesakes += u64::from(alert.confidence == Some(Confidence::Low));
        group.first = group.first.min(alert.id);
        group.oldest = group.oldest.min(alert.first_seen);
        group.newest = group.newest.max(alert.first_seen);
        group
            .assigned
            .extend(alert.assigned.iter().map(|one| one.to.clone()));
    }
    groups.into_values().collect()
}
