//! How credentials stand that integrations and targets use: the catalog says which there are, the way out what was asked with
//! them. Reads no secret.

use std::collections::BTreeMap;

use jiff::Timestamp;

use crate::catalog::Catalog;
use crate::config::{Credential, Limits};
use crate::model::{AlertKind, CredentialStatus};
use crate::outbound::{Outbound, budgets};
use crate::store::{StoreError, View};

/// A credential, and what may be asked with it.
struct Used {
    status: CredentialStatus,
    limits: Limits,
}

/// Every credential that something uses, by name.
pub(super) fn credentials(
    catalog: &Catalog,
    outbound: &Outbound,
    view: &View,
    now: Timestamp,
) -> Result<Vec<CredentialStatus>, StoreError> {
    let refused = view.open_alerts(None)?.into_iter();
    let refused: Vec<String> = refused
        .filter(|alert| alert.kind == AlertKind::CredentialFailing)
        .map(|alert| alert.subject)
        .collect();
    let mut all = Vec::new();
    for (name, Used { mut status, limits }) in used(catalog) {
        let asked = match outbound.asked(&name) {
            Some(asked) => asked,
            None => view.requests(&name)?,
        };
        status.budgets = budgets(&limits, &asked, now);
        if let Some(seen) = outbound.secrets_seen(&name) {
            status.secrets_read = Some(seen.read);
            status.secrets_changed = seen.changed;
        }
        status.refused = refused.contains(&name);
        all.push(status);
    }
    Ok(all)
}

fn used(catalog: &Catalog) -> BTreeMap<String, Used> {
    let mut used: BTreeMap<String, Used> = BTreeMap::new();
    let new = |name: &str, credential: &Credential, limits| Used {
        status: CredentialStatus {
            name: name.to_owned(),
            connector: credential.connector.clone(),
            integrations: Vec::new(),
            targets: Vec::new(),
            expires: credential.expires,
            budgets: Vec::new(),
            secrets_read: None,
            secrets_changed: None,
            refused: false,
        },
        limits,
    };
    for (id, slot) in &catalog.integrations {
        if let Some(one) = slot.current.as_ref().filter(|_| !slot.removed) {
            let name = &one.config.credential;
            let entry = used.entry(name.clone());
            let entry = entry.or_insert_with(|| new(name, &one.credential, one.limits()));
            entry.status.integrations.push(id.clone());
        }
    }
    for (id, slot) in &catalog.targets {
        if let Some(one) = slot.running() {
            let name = &one.config.credential;
            let entry = used.entry(name.clone());
            let entry = entry.or_insert_with(|| new(name, &one.credential, one.limits()));
            entry.status.targets.push(id.clone());
        }
    }
    used
}
