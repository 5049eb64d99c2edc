//! What is done by hand to integrations as a whole (R46).

use std::collections::BTreeMap;
use std::sync::Arc;

use tokio::sync::oneshot;

use crate::acts::{self, ActError, Hand};
use crate::catalog::{Catalog, Slot};
use crate::control::protocol::ProblemDocument;
use crate::control::server::{Answer, Backend, Peer};
use crate::model::{Attachment, Done, Feeds, IntegrationId, Move, Retirement};
use crate::store::Store;

use super::super::runs::Command;
use super::Daemon;
use super::acts::problem;

impl Daemon {
    /// Gives the people of one integration to another, whose file must be there.
    pub(super) async fn rename(
        &self,
        from: IntegrationId,
        to: IntegrationId,
        peer: Peer,
    ) -> Answer<Done> {
        let question = what_moves(&self.catalog.borrow(), &from, &to);
        let (one, feeds) = self.ask(question).await??;
        let places = vec![from.clone(), to.clone()];
        let act = move |store: &Store, hand: &Hand| {
            let feeds = BTreeMap::from([(one.to.clone(), feeds)]);
            acts::relocate(store, std::slice::from_ref(&one), &feeds, hand)
        };
        let done = self.exclusively(&peer, places, act).await?.ok_or_else(|| {
            ProblemDocument::not_found(format!(
                "nobody of `{from}` is there to be given to `{to}`; `epms status` shows who is linked where"
            ))
        })?;
        tracing::info!(from = %from, integration = %to, act = %done.act, people = done.changes.len(), uid = peer.uid, account = peer.account(), "integration renamed by hand");
        self.reload(peer).await?;
        Ok(done)
    }

    /// Gives an integration up, or the people of one of its PMS properties.
    pub(super) async fn retire(
        &self,
        id: IntegrationId,
        property: Option<String>,
        dry_run: bool,
        peer: Peer,
    ) -> Answer<Retirement> {
        let slot = self.catalog.borrow().integrations.get(&id).cloned();
        may_retire(&id, slot.as_ref(), property.as_deref())?;
        let of = id.clone();
        let act = move |store: &Store, hand: &Hand| {
            acts::retire(store, &of, property.as_deref(), dry_run, hand)
        };
        let told = self.exclusively(&peer, vec![id.clone()], act).await?;
        if let Some(done) = &told.done {
            tracing::info!(integration = %id, property = told.property, act = %done.act, people = told.people.len(), uid = peer.uid, account = peer.account(), "integration retired");
            self.reload(peer).await?;
        }
        Ok(told)
    }

    /// Undoes the last renaming or retirement of an integration.
    pub(super) async fn undo_integration(&self, id: IntegrationId, peer: Peer) -> Answer<Done> {
        let store = Arc::clone(&self.store);
        let of = id.clone();
        let places = tokio::task::spawn_blocking(move || acts::touched_by_undo(&store, &of)).await;
        let places = places
            .map_err(|_| ProblemDocument::internal("the question ended unexpectedly"))?
            .map_err(|error| problem(ActError::Store(error)))?;
        let of = id.clone();
        let act = move |store: &Store, hand: &Hand| acts::undo_integration(store, &of, hand);
        let done = self.exclusively(&peer, places, act).await?;
        tracing::info!(integration = %id, act = %done.act, uid = peer.uid, account = peer.account(), "act on an integration undone");
        self.reload(peer).await?;
        Ok(done)
    }

    /// Does something to integrations as a whole, while no run of theirs is under way.
    async fn exclusively<T: Send + 'static>(
        &self,
        peer: &Peer,
        ids: Vec<IntegrationId>,
        act: impl FnOnce(&Store, &Hand) -> Result<T, ActError> + Send + 'static,
    ) -> Answer<T> {
        let hand = self.hand(peer).await?;
        let store = Arc::clone(&self.store);
        let (tell, told) = oneshot::channel();
        let work = Box::new(move || {
            // Whoever asked may have gone meanwhile; what was done is done all the same.
            let _ = tell.send(act(&store, &hand));
        });
        self.command(|reply| Command::Exclusive(ids, work, reply))
            .await??;
        let done = told.await.map_err(|_| ProblemDocument::stopping())?;
        self.commits.send_modify(|commits| *commits += 1);
        done.map_err(problem)
    }
}

/// What a renaming by hand moves. Where the old file is still there, only the people of the PMS properties that the new
/// one names go, and only within one account.
fn what_moves(
    catalog: &Arc<Catalog>,
    from: &IntegrationId,
    to: &IntegrationId,
) -> impl FnOnce(&crate::store::View) -> Result<Answer<(Move, Feeds)>, crate::store::StoreError>
+ Send
+ 'static {
    let catalog = Arc::clone(catalog);
    let (from, to) = (from.clone(), to.clone());
    move |view| {
        let attachment = view.attachment(&from)?;
        Ok(renaming(&catalog, attachment.as_ref(), from, to))
    }
}

fn renaming(
    catalog: &Catalog,
    attachment: Option<&Attachment>,
    from: IntegrationId,
    to: IntegrationId,
) -> Answer<(Move, Feeds)> {
    if from == to {
        return Err(ProblemDocument::bad_request(
            "the old name and the new one are the same; write `epms integration rename OLD NEW`",
        ));
    }
    let slot = |id: &IntegrationId| {
        let slot = catalog.integrations.get(id);
        slot.filter(|slot| !slot.removed)
    };
    let new = slot(&to).ok_or_else(|| {
        ProblemDocument::conflict(format!(
            "there is no file config/integrations/{to}.yaml; give the file its new name first, then the people"
        ))
    })?;
    let feeds = new.feeds.clone().ok_or_else(|| {
        ProblemDocument::conflict(format!(
            "config/integrations/{to}.yaml is not right; `epms check` says what is wrong with it"
        ))
    })?;
    let mut properties = None;
    if slot(&from).is_some() {
        let known = attachment.filter(|known| known.account == feeds.account);
        let known = known.ok_or_else(|| {
            ProblemDocument::conflict(format!(
                "config/integrations/{from}.yaml is still there, and `{to}` reads another account; remove the old file first"
            ))
        })?;
        let both: std::collections::BTreeSet<String> = known
            .properties
            .intersection(&feeds.properties)
            .cloned()
            .collect();
        if both.is_empty() {
            return Err(ProblemDocument::conflict(format!(
                "config/integrations/{from}.yaml is still there, and the two files name no PMS property in common; remove the old file first"
            )));
        }
        properties = (both != known.properties).then_some(both);
    }
    let renamed = slot(&from).is_none();
    let one = Move {
        from,
        to,
        properties,
        renamed,
    };
    Ok((one, feeds))
}

fn may_retire(id: &IntegrationId, slot: Option<&Slot>, property: Option<&str>) -> Answer<()> {
    let Some(slot) = slot.filter(|slot| !slot.removed) else {
        return Ok(());
    };
    let refused = match (property, &slot.feeds, slot.running()) {
        (Some(property), Some(feeds), _) if feeds.names(property) => format!(
            "config/integrations/{id}.yaml names `{property}`; remove it from the file first"
        ),
        (Some(_), Some(_), _) => return Ok(()),
        (None, Some(_), Some(integration)) if !integration.config.enabled => return Ok(()),
        (None, Some(_), Some(_)) => format!(
            "config/integrations/{id}.yaml is there and switched on; remove the file, or write `enabled: false` into it, first"
        ),
        _ => format!(
            "config/integrations/{id}.yaml is there and does not come into effect; remove the file, or put it right, first"
        ),
    };
    Err(ProblemDocument::conflict(refused))
}
