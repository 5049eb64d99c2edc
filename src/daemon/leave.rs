//! Gives the tokens of PMSs back when the daemon stops, where their connectors say how. Nothing waits long for it.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use tokio::task::JoinSet;

use crate::catalog::{Catalog, Integration};
use crate::source::{Reader, Scope};

/// A stop is not held up for longer.
const WITHIN: Duration = Duration::from_secs(8);

/// Logs out with each credential of which a token is kept. What fails is told, and costs nothing else.
pub(super) async fn log_out(catalog: &Catalog, reader: &Arc<Reader>, now: Timestamp) {
    let integrations = catalog.integrations.values();
    let current = integrations.filter_map(|slot| slot.current.as_ref());
    let by_credential: BTreeMap<&str, &Arc<Integration>> = current
        .filter(|integration| integration.source.logs_out())
        .map(|integration| (integration.config.credential.as_str(), integration))
        .collect();
    let mut tasks = JoinSet::new();
    for (name, integration) in by_credential {
        if reader.outbound().holds_token(name).await {
            let (reader, of) = (Arc::clone(reader), Arc::clone(integration));
            tasks.spawn(async move { one(&reader, &of, now).await });
        }
    }
    let all = async { while tasks.join_next().await.is_some() {} };
    // Who is not done by then has said so, or waits for a secret that nobody needs any more.
    let _ = tokio::time::timeout(WITHIN, all).await;
}

async fn one(reader: &Arc<Reader>, integration: &Arc<Integration>, now: Timestamp) {
    let name = &integration.config.credential;
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
