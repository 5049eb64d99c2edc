//! Undoing the last act on an integration as a whole (R46): its people back where they were, unless something newer
//! touched them.

use std::collections::BTreeSet;

use crate::model::{Act, ActKind, Attachment, Done, IntegrationId, Move, OfIntegration, Swap};
use crate::store::{Store, StoreError};

use super::desk::Desk;
use super::relocate::{forget_counts, give_itself};
use super::undo::{give_back, last_act};
use super::{ActError, Hand};

type Answer<T> = Result<T, ActError>;

/// The integrations that undoing the last act on `id` would touch.
pub fn touched_by_undo(
    store: &Store,
    id: &IntegrationId,
) -> Result<Vec<IntegrationId>, StoreError> {
    let view = store.read()?;
    let mut touched = BTreeSet::from([id.clone()]);
    let attachment = view.attachment(id)?.unwrap_or_default();
    for act in attachment.acts {
        let moves = view.act(act)?.map(|act| act.moves).unwrap_or_default();
        touched.extend(moves.into_iter().flat_map(|one| [one.from, one.to]));
    }
    Ok(touched.into_iter().collect())
}

/// Undoes the last renaming or retirement of an integration. Whoever was given back is not moved along again by the
/// same files.
pub fn undo_integration(store: &Store, id: &IntegrationId, hand: &Hand) -> Answer<Done> {
    let mut desk = Desk::open(store, ActKind::Undo, hand)?;
    let known = desk.store().attachment(id)?.unwrap_or_default();
    let act = last_act(&desk, &known.acts, |_| true)?.ok_or_else(|| {
        ActError::Refused(format!(
            "nothing was done to `{id}` that could be undone; `epms status` tells whose people came to which \
             integration"
        ))
    })?;
    let rule = format!("undo {}", act.id);
    give_back(store, &mut desk, &act, &rule)?;
    let moves = act.moves.clone();
    for one in &moves {
        nobody_came_since(&desk, &act, one)?;
    }
    for moved in act.alerts.iter().rev() {
        let alert = desk.alert(moved.alert)?;
        if alert.integration == moved.to {
            desk.move_alert(alert, &moved.from)?;
        }
    }
    for one in moves
        .iter()
        .filter(|one| one.renamed && !had_people(&act, &one.to))
    {
        give_itself(desk.store(), &one.to, &one.from)?;
    }
    for OfIntegration { integration, swap } in &act.attachments {
        let after = attachment(&desk, &moves, &act, integration, swap)?;
        desk.put_attachment(integration, after)?;
        forget_counts(desk.store(), integration)?;
    }
    let with = act.with.clone();
    desk.undoes(act)?;
    for (alert, state) in with {
        let alert = desk.alert(alert)?;
        desk.settle_too(alert, state)?;
    }
    desk.done()
}

/// The PMS properties whose people went.
fn went(act: &Act, one: &Move) -> BTreeSet<String> {
    let before = act
        .attachments
        .iter()
        .find(|of| of.integration == one.from)
        .and_then(|of| of.swap.before.clone());
    let all = before.unwrap_or_default().properties;
    one.properties.clone().unwrap_or(all)
}

/// Whether an integration had people before the act: then it keeps what is its own.
fn had_people(act: &Act, id: &IntegrationId) -> bool {
    let mut all = act.attachments.iter();
    let before = all.find(|of| of.integration == *id);
    let before = before.and_then(|of| of.swap.before.as_ref());
    before.is_some_and(|before| !before.properties.is_empty())
}

/// Whoever came in by a run since then has no place to be given back to.
fn nobody_came_since(desk: &Desk<'_>, act: &Act, one: &Move) -> Answer<()> {
    let went = went(act, one);
    let of_us = |property: Option<&String>| property.is_some_and(|of| went.contains(of));
    let came_back = act.moves.iter().any(|other| other.from == one.to);
    let links = desk.store().links(&one.to)?;
    let new = links
        .values()
        .find(|link| !came_back && of_us(link.property.as_ref()));
    match new {
        None => Ok(()),
        Some(link) => Err(ActError::Refused(format!(
            "{} came to `{}` by a run since; undo is not possible any more. Give the file its old name, and its \
             people go along",
            link.person, one.to
        ))),
    }
}

/// What is remembered of an integration once its people are back.
fn attachment(
    desk: &Desk<'_>,
    moves: &[Move],
    act: &Act,
    id: &IntegrationId,
    swap: &Swap<Attachment>,
) -> Answer<Option<Attachment>> {
    let now = desk.store().attachment(id)?;
    if act.kind == ActKind::Retire {
        if now != swap.after {
            return Err(ActError::Refused(format!(
                "`{id}` was taken up again since; undo is not possible any more"
            )));
        }
        let acts = now.unwrap_or_default().acts;
        let before = swap.before.clone().unwrap_or_default();
        return Ok(Some(Attachment { acts, ..before }));
    }
    let is_there = now.is_some();
    let mut back = now.unwrap_or_default();
    for one in moves.iter().filter(|one| one.to == *id) {
        let went = went(act, one);
        back.properties.retain(|property| !went.contains(property));
        back.took_over = swap.before.clone().and_then(|before| before.took_over);
    }
    let to: BTreeSet<_> = moves.iter().filter(|one| one.from == *id).collect();
    if to.is_empty() {
        return Ok(Some(back));
    }
    let Some(before) = &swap.before else {
        return Ok(is_there.then_some(back));
    };
    if is_there && back.account != before.account && !back.properties.is_empty() {
        return Err(ActError::Refused(format!(
            "`{id}` reads another account by now; undo is not possible any more"
        )));
    }
    back.account.clone_from(&before.account);
    back.properties.extend(before.properties.iter().cloned());
    back.apart.extend(to.into_iter().map(|one| one.to.clone()));
    Ok(Some(back))
}
