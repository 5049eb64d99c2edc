//! Keeping people from the PMS by hand: single fields (R18), or all of a person.

use std::collections::BTreeSet;

use crate::model::{ActKind, ChangeKind, Done, Field, FieldChange, Person, PersonId};
use crate::store::Store;

use super::desk::{Desk, Where};
use super::{ActError, Hand};

/// Keeps fields as they are: no run overwrites them (R18).
pub fn lock(
    store: &Store,
    person: PersonId,
    fields: &BTreeSet<Field>,
    hand: &Hand,
) -> Result<Done, ActError> {
    if let Some(field) = fields
        .iter()
        .find(|field| matches!(field, Field::Status | Field::Flags))
    {
        return Err(ActError::Invalid(format!(
            "{field} cannot be locked: a lock must not keep a moved-out person's access alive; lock one of the nine \
             synced fields"
        )));
    }
    change_locks(store, ActKind::Lock, person, fields, hand)
}

/// Gives fields back to the PMS: the next run writes them.
pub fn unlock(
    store: &Store,
    person: PersonId,
    fields: &BTreeSet<Field>,
    hand: &Hand,
) -> Result<Done, ActError> {
    change_locks(store, ActKind::Unlock, person, fields, hand)
}

fn change_locks(
    store: &Store,
    act: ActKind,
    person: PersonId,
    fields: &BTreeSet<Field>,
    hand: &Hand,
) -> Result<Done, ActError> {
    if fields.is_empty() {
        return Err(ActError::Invalid(
            "name the fields, such as `email`".to_owned(),
        ));
    }
    let (kind, locks) = if act == ActKind::Lock {
        (ChangeKind::Locked, true)
    } else {
        (ChangeKind::Unlocked, false)
    };
    keep(store, act, kind, person, hand, |person| {
        let mut changed = Vec::new();
        for field in fields {
            let is_new = if locks {
                person.locks.insert(*field)
            } else {
                person.locks.remove(field)
            };
            if is_new {
                changed.push(FieldChange {
                    field: *field,
                    before: None,
                    after: None,
                });
            }
        }
        changed
    })
}

/// Keeps a person from every run, also from closing: only what is done by hand changes them.
pub fn pin(store: &Store, person: PersonId, hand: &Hand) -> Result<Done, ActError> {
    keep(
        store,
        ActKind::Pin,
        ChangeKind::Pinned,
        person,
        hand,
        |person| {
            person.pinned = true;
            Vec::new()
        },
    )
}

/// Gives a person back to runs: the next one writes what the PMS says.
pub fn unpin(store: &Store, person: PersonId, hand: &Hand) -> Result<Done, ActError> {
    keep(
        store,
        ActKind::Unpin,
        ChangeKind::Unpinned,
        person,
        hand,
        |person| {
            person.pinned = false;
            Vec::new()
        },
    )
}

fn keep(
    store: &Store,
    act: ActKind,
    kind: ChangeKind,
    person: PersonId,
    hand: &Hand,
    change: impl FnOnce(&mut Person) -> Vec<FieldChange>,
) -> Result<Done, ActError> {
    let mut desk = Desk::open(store, act, hand)?;
    let before = desk.living(person)?;
    let mut after = before.clone();
    let fields = change(&mut after);
    if after == before {
        return Err(ActError::Refused(format!("{person} is so already")));
    }
    let at = Where {
        integration: None,
        resident: None,
        rule: "by hand",
    };
    desk.put_kept(before, after, kind, &at, fields)?;
    desk.done()
}
