//! Gives the tokens of PMSs back, where their connectors say how: when the daemon stops, and when files were changed so that
//! nothing uses a credential any more as it was. Nothing waits long for it.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use tokio::task::JoinSet;

use crate::catalog::{Catalog, Integration, Slot};
use crate::source::{Reader, Scope};

/// A stop is not held up for longer.
pub(super) const WITHIN: Duration = Duration::from_secs(8);

/// Logs out with each credential of which a token is kept. What fails is told, and costs nothing else.
pub(super) async fn log_out(catalog: &Catalog, reader: &Arc<Reader>, now: Timestamp) {
    let integrations = catalog.integrations.values();
    let current = integrations.filter_map(|slot| slot.current.as_ref());
    let mut tasks = JoinSet::new();
    for integration in by_credential(current) {
        let reader = Arc::clone(reader);
        tasks.spawn(async move { give_back(&reader, &integration, now).await });
    }
    let all = async { while tasks.join_next().await.is_some() {} };
    // Who is not done by then has said so, or waits for a secret that nobody needs any more.
    let _ = tokio::time::timeout(WITHIN, all).await;
}

/// One integration of each credential whose tokens are given back.
fn by_credential<'a>(all: impl Iterator<Item = &'a Arc<Integration>>) -> Vec<Arc<Integration>> {
    let by_credential: BTreeMap<&str, &Arc<Integration>> = all
        .filter(|integration| integration.source.logs_out())
        .map(|integration| (integration.config.credential.as_str(), integration))
        .collect();
    by_credential.into_values().cloned().collect()
}

/// Of each credential that is used no more as it was, an integration that used it.
pub(super) fn dropped(before: &Catalog, after: &Catalog) -> Vec<Arc<Integration>> {
    let used = before.integrations.values().filter_map(Slot::running);
    by_credential(used.filter(|one| !is_used(after, one)))
}

/// Whether anything that runs uses the credential of an integration as that does.
pub(super) fn is_used(catalog: &Catalog, integration: &Integration) -> bool {
    let running = catalog.integrations.values().filter_map(Slot::running);
    let mut enabled = running.filter(|one| one.config.enabled);
    enabled.any(|one| {
        one.config.credential == integration.config.credential
            && one.credential == integration.credential
            && one.source.is_as(&integration.source)
    })
}

/// Gives the token of the credential of an integration back, where one is kept.
pub(super) async fn give_back(
    reader: &Arc<Reader>,
    integration: &Arc<Integration>,
    now: Timestamp,
) {
    let name = &integration.config.credential;
    if !reader.outbound().holds_token(name).await {
        return;
    }
    let account = {
        let (reader, of) = (Arc::clone(reader), Arc::clone(integration));
        let name = name.clone();
        let read = move || reader.account(&name, &of.credential, &of.source, &of.home);
        tokio::task::spawn_blocking(read).await
    };
    // Whose secrets cannot be read any more was told when a run asked for them.
    let Ok(Ok(account)) = account else { return };
    let scope = Scope {
        properties: Vec::new(),
        fields: BTreeMap::new(),
        today: integration.today(now),
        judge: None,
        known: None,
    };
    let account = account.asked_once();
    if let Err(error) = reader.log_out(&integration.source, &account, &scope).await {
        tracing::warn!(credential = %name, %error, "the token could not be given back to the PMS");
    }
}
