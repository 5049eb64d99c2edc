//! A try whether somebody can be told: a message to all who are told by a notification, at once and whatever the hour.

use std::sync::Arc;

use crate::config::Notify;
use crate::control::protocol::{
    NotifyTest, NotifyTested, ProblemDocument, TriedNotification, TriedRecipient,
};
use crate::control::server::{Answer, Peer};
use crate::notify::{Ways, all_of, of_test};

use super::super::notices::mended;
use super::Daemon;

impl Daemon {
    /// Sends a test to all who are told by the named notification, or by every one.
    pub(super) async fn tested_notify(
        &self,
        asked: NotifyTest,
        peer: Peer,
    ) -> Answer<NotifyTested> {
        let catalog = Arc::clone(&self.catalog.borrow());
        let settings = &catalog.settings;
        let wanted: Vec<Notify> = match &asked.name {
            None => settings.notify.clone(),
            Some(name) => {
                let named = settings.notify.iter().find(|one| one.name() == name);
                let named = named.ok_or_else(|| {
                    let names: Vec<&str> = settings.notify.iter().map(Notify::name).collect();
                    ProblemDocument::not_found(format!(
                        "there is no notification `{name}`; there are: {}",
                        names.join(", ")
                    ))
                })?;
                vec![named.clone()]
            }
        };
        if wanted.is_empty() {
            return Err(ProblemDocument::not_found(
                "nobody is told of anything: write `notify` into config/epms.yaml",
            ));
        }
        let ways = self.notices.ways(settings.proxy.as_ref(), self.tools.now);
        let ways = ways.map_err(|error| ProblemDocument::internal(error.to_string()))?;
        let tried = wanted.iter().map(|one| self.test_of(one, &ways));
        let notifications = futures_util::future::join_all(tried).await;
        tracing::info!(
            uid = peer.uid,
            account = peer.account(),
            notifications = wanted.len(),
            "notifications tested"
        );
        Ok(NotifyTested { notifications })
    }

    async fn test_of(&self, notify: &Notify, ways: &Ways) -> TriedNotification {
        let now = (self.tools.now)();
        let id = format!("{:016x}{:016x}", fastrand::u64(..), fastrand::u64(..));
        let letter = of_test(notify, id, now);
        let mut recipients = Vec::new();
        for to in all_of(notify) {
            let sent = ways.send(notify, &letter, &to).await;
            recipients.push(TriedRecipient {
                to,
                error: sent.err().map(|error| error.to_string()),
            });
        }
        if recipients.iter().all(|one| one.error.is_none()) {
            let (store, name) = (Arc::clone(&self.store), notify.name().to_owned());
            let mend = move || mended(&store, &name, now);
            // It is logged there.
            let _ = tokio::task::spawn_blocking(mend).await;
        }
        TriedNotification {
            name: notify.name().to_owned(),
            way: notify.to.as_str().to_owned(),
            recipients,
        }
    }
}
