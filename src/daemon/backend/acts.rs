//! What is done by hand over the socket, carried to `acts`. Whoever follows the change log hears of it.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use crate::acts::{self, ActError, Approve, Forms, Hand};
use crate::catalog::Catalog;
use crate::control::protocol::{AlertAct, IntegrationStatus, PersonAct, ProblemDocument, RunState};
use crate::control::server::{Answer, Backend, Followed, Peer};
use crate::model::{
    Actor, AlertId, Done, Enrolment, Imported, IntegrationId, PersonId, Preview, RunId,
};
use crate::store::Store;
use crate::sync;

use super::super::runs::Command;
use super::Daemon;

impl Daemon {
    pub(super) async fn see(&self, id: IntegrationId, peer: Peer) -> Answer<Preview> {
        let catalog = Arc::clone(&self.catalog.borrow());
        let slot = catalog.integrations.get(&id).ok_or_else(|| {
            ProblemDocument::not_found(format!(
                "there is no integration `{id}`; `epms status` lists them"
            ))
        })?;
        let integration = slot.current.clone().ok_or_else(|| {
            ProblemDocument::conflict(format!(
                "the files of `{id}` were never right; `epms check` says what is wrong with them"
            ))
        })?;
        tracing::info!(integration = %id, uid = peer.uid, "preview asked for");
        // It reads as a run does, within the budget of the credential, and holds the store only while it plans:
        // a run under way is not in its way.
        sync::preview(integration, self.tools.clone(), Arc::new(|_| {}))
            .await
            .map_err(|error| {
                tracing::error!(integration = %id, %error, "preview failed");
                ProblemDocument::internal(error.to_string())
            })
    }

    pub(super) async fn approved(
        &self,
        run: RunId,
        digest: Option<String>,
        peer: Peer,
    ) -> Answer<Vec<Followed>> {
        let catalog = Arc::clone(&self.catalog.borrow());
        let asked = Approve { run, digest };
        let id = self
            .act(peer, move |store, hand| {
                let lasts = |id: &IntegrationId| lasts(&catalog, id);
                acts::approve(store, &asked, hand.by.clone(), hand.now, lasts)
            })
            .await?;
        tracing::info!(integration = %id, run = %run, uid = peer.uid, "held plan approved");
        self.sync(Some(vec![id]), peer).await
    }

    pub(super) async fn rejected(
        &self,
        run: RunId,
        digest: Option<String>,
        peer: Peer,
    ) -> Answer<RunState> {
        let asked = Approve { run, digest };
        let (id, report) = self
            .act(peer, move |store, hand| {
                let id = acts::reject(store, &asked, hand)?;
                Ok((id, store.read()?.run(run)?))
            })
            .await?;
        tracing::info!(integration = %id, run = %run, uid = peer.uid, "held plan rejected");
        Ok(RunState {
            id: run,
            integration: id,
            report,
            progress: None,
        })
    }

    pub(super) async fn done_to_alert(
        &self,
        alert: AlertId,
        act: AlertAct,
        peer: Peer,
    ) -> Answer<Done> {
        let catalog = Arc::clone(&self.catalog.borrow());
        let done = self
            .act(peer, move |store, hand| match &act {
                AlertAct::Resolve(resolution) => {
                    let of = store.read()?.alert(alert)?.map(|alert| alert.integration);
                    let slot = of.and_then(|id| catalog.integrations.get(&id));
                    let current = slot.and_then(|slot| slot.current.as_ref());
                    let units = current.map(|integration| &integration.config.units);
                    acts::resolve(store, alert, resolution, units, hand)
                }
                AlertAct::Dismiss => acts::dismiss(store, alert, hand),
                AlertAct::Undo => acts::undo(store, alert, hand),
            })
            .await?;
        tracing::info!(alert = %alert, act = %done.act, kind = %done.kind, uid = peer.uid, "alert acted on");
        Ok(done)
    }

    pub(super) async fn done_to_person(
        &self,
        person: PersonId,
        act: PersonAct,
        peer: Peer,
    ) -> Answer<Done> {
        if let PersonAct::Link(integration, resident) = &act {
            self.is_resident(person, integration, resident).await?;
        }
        let done = self
            .act(peer, move |store, hand| match &act {
                PersonAct::Link(integration, resident) => {
                    acts::link(store, person, integration, resident, hand)
                }
                PersonAct::Unlink(integration, resident) => {
                    acts::unlink(store, person, integration, resident, hand)
                }
                PersonAct::Lock(fields) => acts::lock(store, person, fields, hand),
                PersonAct::Unlock(fields) => acts::unlock(store, person, fields, hand),
                PersonAct::Pin => acts::pin(store, person, hand),
                PersonAct::Unpin => acts::unpin(store, person, hand),
            })
            .await?;
        tracing::info!(person = %person, act = %done.act, kind = %done.kind, uid = peer.uid, "person acted on");
        Ok(done)
    }

    pub(super) async fn enrolled(&self, told: Enrolment, peer: Peer) -> Answer<Done> {
        let catalog = Arc::clone(&self.catalog.borrow());
        let done = self
            .act(peer, move |store, hand| {
                let country = |id: &IntegrationId| country(&catalog, id);
                let forms = Forms {
                    country: &country,
                    placeholders: &catalog.settings.placeholder_emails,
                };
                acts::add(store, &told, &forms, hand)
            })
            .await?;
        tracing::info!(act = %done.act, uid = peer.uid, "person added by hand");
        Ok(done)
    }

    pub(super) async fn imported(
        &self,
        csv: String,
        dry_run: bool,
        peer: Peer,
    ) -> Answer<Imported> {
        let catalog = Arc::clone(&self.catalog.borrow());
        let imported = self
            .act(peer, move |store, hand| {
                let country = |id: &IntegrationId| country(&catalog, id);
                let forms = Forms {
                    country: &country,
                    placeholders: &catalog.settings.placeholder_emails,
                };
                acts::import(store, &csv, dry_run, &forms, hand)
            })
            .await?;
        tracing::info!(
            made = imported.made.len(),
            there = imported.there.len(),
            problems = imported.problems.len(),
            dry_run,
            uid = peer.uid,
            "people imported by hand"
        );
        Ok(imported)
    }

    pub(super) async fn paused(
        &self,
        id: IntegrationId,
        paused: bool,
        peer: Peer,
    ) -> Answer<IntegrationStatus> {
        if !self.catalog.borrow().integrations.contains_key(&id) {
            return Err(ProblemDocument::not_found(format!(
                "there is no integration `{id}`; `epms status` lists them"
            )));
        }
        let of = id.clone();
        self.act(peer, move |store, _| {
            let write = store.write()?;
            let mut history = write.history(&of)?;
            history.paused = paused;
            write.put_history(&of, &history)?;
            Ok(write.commit()?)
        })
        .await?;
        tracing::info!(integration = %id, paused, uid = peer.uid, "integration paused or resumed");
        self.command(Command::Adopt).await?;
        let status = self.status().await?;
        let status = status.integrations.into_iter().find(|one| one.id == id);
        status.ok_or_else(|| ProblemDocument::internal("the integration is gone"))
    }

    /// Whose hand it is.
    pub(super) fn hand(&self, peer: Peer) -> Answer<Hand> {
        let uid = peer.uid.ok_or_else(|| {
            ProblemDocument::internal("the system does not tell who asks; nothing was done")
        })?;
        Ok(Hand {
            by: Actor::User(uid),
            now: (self.tools.now as fn() -> Timestamp)(),
        })
    }

    /// Does something to the store, off the threads that answer, and tells those who follow the change log.
    pub(super) async fn act<T: Send + 'static>(
        &self,
        peer: Peer,
        act: impl FnOnce(&Store, &Hand) -> Result<T, ActError> + Send + 'static,
    ) -> Answer<T> {
        let hand = self.hand(peer)?;
        let store = Arc::clone(&self.store);
        let done = tokio::task::spawn_blocking(move || act(&store, &hand)).await;
        match done {
            Ok(Ok(done)) => {
                self.commits.send_modify(|commits| *commits += 1);
                Ok(done)
            }
            Ok(Err(error)) => Err(problem(error)),
            Err(_) => Err(ProblemDocument::internal("the act ended unexpectedly")),
        }
    }
}

/// How long an approval counts at an integration.
pub(super) fn lasts(catalog: &Catalog, id: &IntegrationId) -> SignedDuration {
    let slot = catalog.integrations.get(id);
    let current = slot.and_then(|slot| slot.current.as_ref());
    let guard = current.map(|integration| integration.config.guard.clone());
    let lasts = guard.unwrap_or_default().approval_expires.0;
    SignedDuration::try_from(lasts).unwrap_or(SignedDuration::MAX)
}

/// The country of an integration's property, where its files were ever right.
fn country(catalog: &Catalog, id: &IntegrationId) -> Option<String> {
    let slot = catalog.integrations.get(id)?;
    let country = slot
        .current
        .as_ref()
        .map(|one| one.config.property.country.clone());
    Some(country.unwrap_or_else(|| "US".to_owned()))
}

pub(super) fn problem(error: ActError) -> ProblemDocument {
    match error {
        ActError::NotFound(detail) => ProblemDocument::not_found(detail),
        ActError::Invalid(detail) => ProblemDocument::bad_request(detail),
        ActError::Refused(detail) => ProblemDocument::conflict(detail),
        ActError::Store(error) => {
            tracing::error!(%error, "the store failed an act");
            ProblemDocument::internal(error.to_string())
        }
    }
}
