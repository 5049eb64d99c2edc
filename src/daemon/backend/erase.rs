//! Erasing a person: carried to `acts`, with what targets have, and with what is known of copies.

use std::collections::BTreeSet;
use std::sync::Arc;

use jiff::Timestamp;

use crate::acts::{self, Erase};
use crate::catalog::Catalog;
use crate::control::protocol::{EraseAsk, ErasingDetail};
use crate::control::server::{Answer, Peer};
use crate::model::{Erasure, ErasureState, LeftAt, PersonId};
use crate::store::{Store, StoreError, View};

use super::Daemon;

impl Daemon {
    /// Erases a person, and says what still holds what was erased.
    pub(super) async fn erased(
        &self,
        person: PersonId,
        asked: EraseAsk,
        peer: Peer,
    ) -> Answer<Erasure> {
        let catalog = Arc::clone(&self.catalog.borrow());
        let asked = Erase {
            person,
            reason: asked.reason.filter(|reason| !reason.trim().is_empty()),
            force: asked.force,
        };
        let erasure = self
            .act(&peer, move |store, hand| {
                let left = |view: &View, people: &BTreeSet<PersonId>| left(view, people, &catalog);
                let mut erasure = acts::erase(store, &asked, &left, hand)?;
                erasure.copies = store.earlier_beside(since(store, &erasure)?);
                erasure.still = still(&erasure);
                Ok(erasure)
            })
            .await?;
        let state = match erasure.state {
            ErasureState::Erased => "erased",
            ErasureState::Erasing => "erasing",
        };
        tracing::info!(person = %person, act = %erasure.done.act, state, uid = peer.uid, account = peer.account(), "person erased by hand");
        Ok(erasure)
    }
}

/// Since when anything was known of those who are erased.
fn since(store: &Store, erasure: &Erasure) -> Result<Timestamp, StoreError> {
    let view = store.read()?;
    let mut since = Timestamp::MAX;
    for person in &erasure.people {
        since = since.min(
            view.person(*person)?
                .map_or(Timestamp::MIN, |one| one.created),
        );
    }
    Ok(since)
}

/// Whether a person is being erased, and what that waits for.
pub(super) fn erasing(
    view: &View,
    person: PersonId,
    catalog: &Catalog,
) -> Result<Option<ErasingDetail>, StoreError> {
    let Some(asked) = view.erasing(person)? else {
        return Ok(None);
    };
    let people = asked.people.iter().copied().collect();
    Ok(Some(ErasingDetail {
        asked,
        waits_for: left(view, &people, catalog)?,
    }))
}

/// What people have at targets, and why nothing is taken away there where nothing is.
fn left(
    view: &View,
    people: &BTreeSet<PersonId>,
    catalog: &Catalog,
) -> Result<Vec<LeftAt>, StoreError> {
    let left = crate::deliver::left_at(view, people)?.into_iter();
    let left = left.map(|one| {
        let slot = catalog.targets.get(&one.target);
        let current = slot.filter(|slot| !slot.removed);
        let current = current.and_then(|slot| slot.current.as_ref());
        let why = match current {
            None => Some("the target has no file, or one that was never right".to_owned()),
            Some(target) if !target.config.enabled => Some("the target is switched off".to_owned()),
            Some(_) => one.why.clone(),
        };
        LeftAt { why, ..one }
    });
    Ok(left.collect())
}

/// What else still holds what was erased, and until when.
fn still(erasure: &Erasure) -> Vec<String> {
    let mut still = Vec::new();
    if erasure.state == ErasureState::Erasing {
        still.push(
            "everything is kept until the targets have heard; the daemon goes on by itself"
                .to_owned(),
        );
    }
    still.push(
        "the store's file may hold the bytes until `epms compact` writes it anew, while no daemon runs".to_owned(),
    );
    still.push(
        "backups from before hold them until you delete them; one that is restored here is erased again, by epms.erased beside the store"
            .to_owned(),
    );
    still
}
