//! How credentials stand that integrations and targets use: the catalog says which there are, the way out what was asked with
//! them. Reads no secret.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;

use crate::catalog::Catalog;
use crate::config::{Credential, Limits};
use crate::model::{AlertKind, CredentialStatus, ExpiryBy};
use crate::outbound::{Outbound, budgets};
use crate::source::Source;
use crate::store::{StoreError, View};

use super::super::expiring::expiry;

/// A credential, and what may be asked with it.
struct Used {
    status: CredentialStatus,
    limits: Limits,
    source: Arc<Source>,
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
    for (name, used) in used(catalog) {
        let Used {
            mut status,
            limits,
            source,
        } = used;
        if source.tells_any_expiry() {
            let expiry = expiry(status.expires, &source, Some(&view.expiries(&name)?));
            status.expires = expiry.map(|expiry| expiry.last);
            status.expires_by = expiry.map(|expiry| expiry.by);
        }
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
    let new = |name: &str, credential: &Credential, source: &Arc<Source>, limits| Used {
        status: CredentialStatus {
            name: name.to_owned(),
            connector: credential.connector.clone(),
            integrations: Vec::new(),
            targets: Vec::new(),
            expires: credential.expires,
            expires_by: credential.expires.map(|_| ExpiryBy::File),
            budgets: Vec::new(),
            secrets_read: None,
            secrets_changed: None,
            refused: false,
        },
        limits,
        source: Arc::clone(source),
    };
    for (id, slot) in &catalog.integrations {
        if let Some(one) = slot.current.as_ref().filter(|_| !slot.removed) {
            let name = &one.config.credential;
            let entry = used.entry(name.clone());
            let entry =
                entry.or_insert_with(|| new(name, &one.credential, &one.source, one.limits()));
            entry.status.integrations.push(id.clone());
        }
    }
    for (id, slot) in &catalog.targets {
        if let Some(one) = slot.running() {
            let name = &one.config.credential;
            let entry = used.entry(name.clone());
            let entry =
                entry.or_insert_with(|| new(name, &one.credential, &one.source, one.limits()));
            entry.status.targets.push(id.clone());
        }
    }
    used
}
