//! What is done by hand over the socket, carried to `acts`. Whoever follows the change log hears of it.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use crate::acts::{self, ActError, Approve, Forms, Hand};
use crate::catalog::Catalog;
use crate::control::protocol::{
    AlertAct, IntegrationStatus, PauseFor, PersonAct, ProblemDocument, RunState,
};
use crate::control::server::{Answer, Backend, Followed, Peer};
use crate::model::{
    Act, ActId, ActKind, Actor, AlertId, DismissMany, Dismissed, Done, Enrolment, Imported,
    IntegrationId, PersonId, Preview, RunId,
};
use crate::store::{Store, StoreError, View};
use crate::sync;

use super::super::runs::Command;
use super::Daemon;
use super::callers::name_of;

impl Daemon {
    pub(super) async fn see(&self, id: IntegrationId, peer: Peer) -> Answer<Preview> {
        let integration = self.running(&id)?;
        tracing::info!(integration = %id, uid = peer.uid, account = peer.account(), "preview asked for");
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
            .act(&peer, move |store, hand| {
                let lasts = |id: &IntegrationId| lasts(&catalog, id);
                acts::approve(store, &asked, hand.by.clone(), hand.now, lasts)
            })
            .await?;
        tracing::info!(integration = %id, run = %run, uid = peer.uid, account = peer.account(), "held plan approved");
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
            .act(&peer, move |store, hand| {
                let id = acts::reject(store, &asked, hand)?;
                Ok((id, store.read()?.run(run)?))
            })
            .await?;
        tracing::info!(integration = %id, run = %run, uid = peer.uid, account = peer.account(), "held plan rejected");
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
            .act(&peer, move |store, hand| match &act {
                AlertAct::Resolve(resolution) => {
                    let of = store.read()?.alert(alert)?.map(|alert| alert.integration);
                    let slot = of.and_then(|id| catalog.integrations.get(&id));
                    let current = slot.and_then(|slot| slot.current.as_ref());
                    let units = current.map(|integration| &integration.config.units);
                    acts::resolve(store, alert, resolution, units, hand)
                }
                AlertAct::Dismiss => acts::dismiss(store, alert, hand),
                AlertAct::Undo => acts::undo(store, alert, hand),
                AlertAct::Comment(text) => acts::comment(store, alert, text, hand),
                AlertAct::Assign(to) => acts::assign(store, alert, to.as_deref(), hand),
            })
            .await?;
        tracing::info!(alert = %alert, act = %done.act, kind = %done.kind, uid = peer.uid, account = peer.account(), "alert acted on");
        Ok(done)
    }

    pub(super) async fn dismissed(&self, asked: DismissMany, peer: Peer) -> Answer<Dismissed> {
        let kind = asked.kind;
        let dismissed = self
            .act(&peer, move |store, hand| {
                acts::dismiss_many(store, &asked, hand)
            })
            .await?;
        tracing::info!(%kind, alerts = dismissed.alerts.len(), uid = peer.uid, account = peer.account(), "alerts dismissed");
        Ok(dismissed)
    }

    pub(super) async fn done_to_person(
        &self,
        person: PersonId,
        act: PersonAct,
        peer: Peer,
    ) -> Answer<Done> {
        let catalog = Arc::clone(&self.catalog.borrow());
        if let PersonAct::Link(id, _) = &act
            && !catalog.integrations.contains_key(id)
        {
            return Err(ProblemDocument::no_integration(id));
        }
        let act = match act {
            PersonAct::Unlink(id, asked) => {
                let resident = self.meant(&id, asked, false).await?;
                PersonAct::Unlink(id, resident)
            }
            other => other,
        };
        let done = self
            .act(&peer, move |store, hand| match &act {
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
                PersonAct::Set(edit) => {
                    let country = |id: &IntegrationId| country(&catalog, id);
                    let forms = Forms {
                        country: &country,
                        placeholders: &catalog.settings.placeholder_emails,
                    };
                    acts::set(store, person, edit, &forms, hand)
                }
                PersonAct::End(place) => acts::end(store, person, place.as_ref(), hand),
            })
            .await?;
        tracing::info!(person = %person, act = %done.act, kind = %done.kind, uid = peer.uid, account = peer.account(), "person acted on");
        Ok(done)
    }

    /// Undoes an act; one on whole integrations while no run of theirs is under way, and only where it is their last.
    pub(super) async fn undone(&self, act: ActId, peer: Peer) -> Answer<Done> {
        let of = self.ask(move |view| integration_of(view, act)).await?;
        if let Some((integration, last)) = of {
            if last != Some(act) {
                return Err(ProblemDocument::conflict(format!(
                    "something newer was done to `{integration}`, or {act} was undone already; `epms integration undo \
                     {integration}` undoes what was done last"
                )));
            }
            return self.undo_integration(integration, peer).await;
        }
        let done = self
            .act(&peer, move |store, hand| acts::undo_act(store, act, hand))
            .await?;
        tracing::info!(act = %done.act, undone = %act, uid = peer.uid, account = peer.account(), "act undone");
        Ok(done)
    }

    pub(super) async fn enrolled(&self, told: Enrolment, peer: Peer) -> Answer<Done> {
        let catalog = Arc::clone(&self.catalog.borrow());
        let done = self
            .act(&peer, move |store, hand| {
                let country = |id: &IntegrationId| country(&catalog, id);
                let forms = Forms {
                    country: &country,
                    placeholders: &catalog.settings.placeholder_emails,
                };
                acts::add(store, &told, &forms, hand)
            })
            .await?;
        tracing::info!(act = %done.act, uid = peer.uid, account = peer.account(), "person added by hand");
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
            .act(&peer, move |store, hand| {
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
            account = peer.account(),
            "people imported by hand"
        );
        Ok(imported)
    }

    pub(super) async fn paused(
        &self,
        id: IntegrationId,
        pause: Option<PauseFor>,
        peer: Peer,
    ) -> Answer<IntegrationStatus> {
        let is_gone = {
            let catalog = self.catalog.borrow();
            let slot = catalog.integrations.get(&id);
            slot.ok_or_else(|| ProblemDocument::no_integration(&id))?
                .removed
        };
        if is_gone && pause.is_some() {
            return Err(ProblemDocument::conflict(format!(
                "the file of `{id}` is gone, so it does not run, and there is nothing to pause; `epms status {id}` says what became of its people"
            )));
        }
        let (of, paused) = (id.clone(), pause.is_some());
        self.act(&peer, move |store, hand| {
            let Some(PauseFor { seconds, reason }) = pause else {
                return acts::resume(store, &of);
            };
            let reason = reason.unwrap_or_default();
            acts::pause(store, &of, seconds, &reason, hand).map(drop)
        })
        .await?;
        tracing::info!(integration = %id, paused, uid = peer.uid, account = peer.account(), "integration paused or resumed");
        self.command(Command::Adopt).await?;
        let status = self.status().await?;
        let status = status.integrations.into_iter().find(|one| one.id == id);
        status.ok_or_else(|| ProblemDocument::internal("the integration is gone"))
    }

    /// Whose hand it is, with the name that they have now.
    pub(super) async fn hand(&self, peer: &Peer) -> Answer<Hand> {
        let by = if let Some(signed) = &peer.signed {
            Actor::from(&**signed)
        } else {
            let uid = peer.uid.ok_or_else(|| {
                ProblemDocument::internal("the system does not tell who asks; nothing was done")
            })?;
            Actor::user(uid, name_of(uid).await)
        };
        Ok(Hand {
            by,
            now: (self.tools.now as fn() -> Timestamp)(),
        })
    }

    /// Does something to the store, off the threads that answer, and tells those who follow the change log.
    pub(super) async fn act<T: Send + 'static>(
        &self,
        peer: &Peer,
        act: impl FnOnce(&Store, &Hand) -> Result<T, ActError> + Send + 'static,
    ) -> Answer<T> {
        let hand = self.hand(peer).await?;
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

/// The integration that an act was done to as a whole, and the last act on it that can be undone.
fn integration_of(
    view: &View,
    id: ActId,
) -> Result<Option<(IntegrationId, Option<ActId>)>, StoreError> {
    let Some(act) = view.act(id)? else {
        return Ok(None);
    };
    for of in act.attachments {
        let acts = view.attachment(&of.integration)?.unwrap_or_default().acts;
        if !acts.contains(&id) {
            continue;
        }
        for last in acts.iter().rev() {
            let known = view.act(*last)?;
            let stands = |act: &Act| act.undone_by.is_none() && act.kind != ActKind::Undo;
            if known.as_ref().is_some_and(stands) {
                return Ok(Some((of.integration, Some(*last))));
            }
        }
        return Ok(Some((of.integration, None)));
    }
    Ok(None)
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
