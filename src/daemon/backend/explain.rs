//! Why a resident is where they are: what the store knows of them and what is delivered of it, and on request what the PMS
//! says now.

use std::sync::Arc;

use jiff::Timestamp;

use crate::control::protocol::ProblemDocument;
use crate::control::server::{Answer, Peer};
use crate::model::{ChangeKind, Explanation, IntegrationId, PersonId};
use crate::store::{StoreError, View};
use crate::sync;

use super::Daemon;
use super::residents::last_decisions;

/// So many changes are told.
const CHANGES: usize = 50;

impl Daemon {
    pub(super) async fn explained(
        &self,
        id: IntegrationId,
        resident: String,
        live: bool,
        peer: Peer,
    ) -> Answer<Explanation> {
        let catalog = Arc::clone(&self.catalog.borrow());
        let slot = catalog
            .integrations
            .get(&id)
            .ok_or_else(|| ProblemDocument::no_integration(&id))?;
        let asked = resident.parse().ok();
        let resident = self.meant(&id, resident, live).await?;
        let (of, who) = (id.clone(), resident.clone());
        let mut explanation = self.ask(move |view| known(view, of, who)).await?;
        let is_unknown = explanation.link.is_none() && explanation.decisions.is_empty();
        let asked = asked.filter(|person: &PersonId| person.to_string() == explanation.resident);
        if let Some(person) = asked.filter(|_| is_unknown) {
            self.is_not_erased(person).await?;
        }
        explanation.erased = self.store.tombstones().when(&explanation.resident);
        if let Some(current) = &slot.current {
            explanation.settings.clone_from(&current.settings);
        }
        if let Some(person) = explanation.person.as_ref().map(|person| person.id) {
            explanation.deliveries = self.deliveries_of(person).await?;
        }
        if live {
            let integration = slot.current.clone().ok_or_else(|| {
                ProblemDocument::conflict(format!(
                    "the files of `{id}` were never right; `epms check` says what is wrong with them"
                ))
            })?;
            tracing::info!(integration = %id, uid = peer.uid, account = peer.account(), "live explanation asked for");
            let told = sync::explain(integration, self.tools.clone(), resident).await;
            explanation.live = Some(told.map_err(|error| {
                tracing::error!(integration = %id, %error, "a live explanation failed");
                ProblemDocument::internal(error.to_string())
            })?);
        }
        Ok(explanation)
    }

    /// An error where a person was erased, which says when.
    async fn is_not_erased(&self, person: PersonId) -> Answer<()> {
        let Some(at) = self.ask(move |view| erased_at(view, person)).await? else {
            return Ok(());
        };
        Err(ProblemDocument::not_found(format!(
            "{person} was erased at {at:.0}: nothing is kept that could be explained; `epms people history {person}` shows \
             what is left"
        )))
    }
}

/// When a person was erased; none where they were not.
fn erased_at(view: &View, person: PersonId) -> Result<Option<Timestamp>, StoreError> {
    let is_erased = view.person(person)?.is_some_and(|person| person.erased);
    if !is_erased {
        return Ok(None);
    }
    let changes = view.changes_of(person, u64::MAX, CHANGES)?;
    let erased = changes.iter().find(|one| one.kind == ChangeKind::Erased);
    Ok(erased.or(changes.first()).map(|change| change.at))
}

/// What the store knows of a resident.
fn known(
    view: &View,
    integration: IntegrationId,
    resident: String,
) -> Result<Explanation, StoreError> {
    let (run, mut decisions) = last_decisions(view, &integration)?;
    decisions.retain(|decision| decision.subject == resident);
    let link = view.link(&integration, &resident)?;
    let linked = link.as_ref().map(|link| link.person);
    let person = linked.or_else(|| decisions.iter().find_map(|one| one.person));
    let mut alerts = view.open_alerts(Some(&integration))?;
    alerts.retain(|alert| alert.is_about(&resident, &decisions));
    alerts.sort_by_key(|alert| alert.id);
    let mut changes = match person {
        Some(person) => view.changes_of(person, u64::MAX, CHANGES)?,
        None => Vec::new(),
    };
    changes.retain(|change| change.resident.as_deref() == Some(resident.as_str()));
    Ok(Explanation {
        run,
        decisions,
        ruling: view.ruling(&integration, &resident)?,
        link,
        person: person.map_or(Ok(None), |person| view.person(person))?,
        erased: None,
        deliveries: Vec::new(),
        alerts,
        changes,
        settings: Vec::new(),
        integration,
        resident,
        live: None,
    })
}
