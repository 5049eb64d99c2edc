//! Undoing an act, or the last one on an alert (R31): everything as it was, unless something newer touched the same.

use crate::model::{
    Act, ActId, ActKind, Alert, AlertId, ChangeKind, Done, Link, Move, OfResident, Person,
    PersonId, Swap,
};
use crate::store::Store;

use super::admit::keep_out;
use super::desk::{Desk, Where};
use super::{ActError, Hand, care};

type Answer<T> = Result<T, ActError>;

/// Undoes the last act on an alert, which is then as it was before. A comment stays said: it is undone by its own id.
pub fn undo(store: &Store, id: AlertId, hand: &Hand) -> Result<Done, ActError> {
    let desk = Desk::open(store, ActKind::Undo, hand)?;
    let alert = desk.alert(id)?;
    let act = last_act(&desk, &alert.acts, |kind| kind != ActKind::Comment)?;
    let act = act.ok_or_else(|| {
        ActError::Refused(format!(
            "nothing was done to {id} that could be undone; `epms alerts show {id}` shows what was, and `epms people undo ACT` takes a comment back"
        ))
    })?;
    take_back(store, desk, act, Some(alert))
}

/// Undoes an act, whatever it was done to. Acts on whole integrations are undone where no run of theirs is in the way: by
/// [`undo_integration`](super::undo_integration).
pub fn undo_act(store: &Store, id: ActId, hand: &Hand) -> Result<Done, ActError> {
    let desk = Desk::open(store, ActKind::Undo, hand)?;
    let act = desk.store().act(id)?;
    let act = act.ok_or_else(|| {
        ActError::NotFound(format!(
            "there is no act {id}; `epms people history` shows the acts on a person"
        ))
    })?;
    if act.kind == ActKind::Undo {
        return Err(ActError::Refused(format!(
            "{id} undid another act, and is not undone itself: do again what it undid"
        )));
    }
    if act.kind == ActKind::Erase {
        return Err(ActError::Refused(format!(
            "{id} erased somebody: nothing of them is kept that could be given back"
        )));
    }
    if let Some(by) = act.undone_by {
        let other = desk.store().act(by)?;
        let is_erased = other.is_some_and(|other| other.kind == ActKind::Erase);
        return Err(ActError::Refused(if is_erased {
            format!(
                "{id} was done to somebody whom {by} erased: nothing of it is kept that could be given back"
            )
        } else {
            format!("{id} was undone by {by} already")
        }));
    }
    if !act.moves.is_empty() || !act.attachments.is_empty() {
        return Err(ActError::Refused(format!(
            "{id} was done to an integration as a whole; `epms integration undo` undoes the last such act"
        )));
    }
    let alert = match act.alert {
        Some((alert, _)) => desk.store().alert(alert)?,
        None => None,
    };
    if let Some(alert) = &alert {
        // A comment stands in nobody's way, and is found whatever was said since.
        let of_its_sort =
            |kind: ActKind| kind.is_care() == act.kind.is_care() && kind != ActKind::Comment;
        let last = last_act(&desk, &alert.acts, of_its_sort)?;
        let last = last.filter(|last| last.id != id && act.kind != ActKind::Comment);
        if let Some(last) = last {
            return Err(ActError::Refused(format!(
                "{} was done to {} since; undo that first",
                last.id, alert.id
            )));
        }
    }
    take_back(store, desk, act, alert)
}

/// Everything as it was before an act; an alert that it was done to, too.
fn take_back(
    store: &Store,
    mut desk: Desk<'_>,
    act: Act,
    alert: Option<Alert>,
) -> Result<Done, ActError> {
    if act.kind.is_care() {
        let alert = alert.ok_or_else(|| {
            ActError::Refused(format!(
                "the alert that {} was done to is not kept any more",
                act.id
            ))
        })?;
        // Whatever else was done to it since stays done.
        let (alert, state) = (care::take_back(alert.clone(), &act)?, alert.state);
        desk.undoes(act)?;
        desk.settle(alert, state)?;
        return desk.done();
    }
    let rule = format!("undo {}", act.id);
    give_back(store, &mut desk, &act, &rule)?;
    match &alert {
        Some(alert) => keep_out(&mut desk, &alert.integration, &act.admitted)?,
        None if act.admitted.is_empty() => {}
        None => {
            return Err(ActError::Refused(format!(
                "the alert that {} was done to is not kept any more; erase the person anew, once they have left",
                act.id
            )));
        }
    }
    let all: Vec<_> = act.alert.iter().chain(&act.with).copied().collect();
    desk.undoes(act)?;
    for (other, state) in all {
        match &alert {
            Some(alert) if alert.id == other => desk.settle(alert.clone(), state)?,
            // One that has been forgotten since need not be as it was.
            _ => {
                if let Some(other) = desk.store().alert(other)? {
                    desk.settle_too(other, state)?;
                }
            }
        }
    }
    desk.done()
}

/// Links, people, and what was said by hand of residents and units, as they were.
pub(super) fn give_back(store: &Store, desk: &mut Desk<'_>, act: &Act, rule: &str) -> Answer<()> {
    for link in act.links.iter().rev() {
        if act.kind == ActKind::Link {
            nobody_came_by(desk, link)?;
        }
        untie(desk, link)?;
    }
    people(store, desk, act, rule)?;
    for ruling in &act.rulings {
        let OfResident {
            integration,
            resident,
            swap,
        } = ruling;
        if desk.store().ruling(integration, resident)? != swap.after {
            return Err(ActError::Refused(format!(
                "what is remembered of resident {resident} at {integration} has changed since; undo is not possible \
                 any more"
            )));
        }
        desk.put_ruling(integration, resident, swap.before.clone())?;
    }
    for unit in &act.units {
        let now = desk.store().units(&unit.integration)?.remove(&unit.unit);
        if now != unit.swap.after {
            return Err(ActError::Refused(format!(
                "the unit {} at {} has been mapped anew since; undo is not possible any more",
                unit.unit, unit.integration
            )));
        }
        desk.put_unit(&unit.integration, &unit.unit, unit.swap.before.clone())?;
    }
    Ok(())
}

/// The last act on the list that was not undone, and can be; only one of such a kind.
pub(super) fn last_act(
    desk: &Desk<'_>,
    acts: &[ActId],
    is_meant: impl Fn(ActKind) -> bool,
) -> Answer<Option<Act>> {
    for id in acts.iter().rev() {
        match desk.store().act(*id)? {
            Some(act)
                if act.undone_by.is_none() && act.kind.can_be_undone() && is_meant(act.kind) =>
            {
                return Ok(Some(act));
            }
            _ => {}
        }
    }
    Ok(None)
}

/// A person was changed since: by what.
fn touched(store: &Store, act: &Act, person: PersonId) -> Answer<ActError> {
    let changes = store.read()?.changes_of(person, u64::MAX, 1)?;
    let by = changes.first().map_or_else(String::new, |change| {
        let run = change
            .run
            .map_or_else(String::new, |run| format!(" of {run}"));
        format!(
            ": change {} ({} by {}{run}) is newer",
            change.seq, change.kind, change.rule
        )
    });
    Ok(ActError::Refused(format!(
        "{person} has changed since the {} at {:.0}{by}; undo is not possible any more",
        act.kind, act.at
    )))
}

/// A link that was made by hand is taken back only while no run has gone by it: what that wrote would stay.
fn nobody_came_by(desk: &Desk<'_>, link: &OfResident<Link>) -> Answer<()> {
    let OfResident {
        integration,
        resident,
        swap,
    } = link;
    let now = desk.store().link(integration, resident)?;
    let (Some(now), Some(after)) = (now, &swap.after) else {
        return Ok(());
    };
    if now.by_hand || now.person != after.person {
        return Ok(());
    }
    Err(ActError::Refused(format!(
        "a run has written what resident {resident} at {integration} says since; undo is not possible any more. `epms \
         people unlink {} {integration} {resident}` unties them",
        now.person
    )))
}

fn untie(desk: &mut Desk<'_>, link: &OfResident<Link>) -> Answer<()> {
    let OfResident {
        integration,
        resident,
        swap,
    } = link;
    let now = desk.store().link(integration, resident)?;
    let person = |link: &Option<Link>| link.as_ref().map(|link| link.person);
    if person(&now) != person(&swap.after) {
        return Err(ActError::Refused(format!(
            "the link of resident {resident} at {integration} has changed since; undo is not possible any more"
        )));
    }
    desk.put_link(integration, resident, swap.before.clone())
}

/// People as they were. Emails are freed before they are given back.
fn people(store: &Store, desk: &mut Desk<'_>, act: &Act, rule: &str) -> Answer<()> {
    let mut back = Vec::new();
    for Swap { before, after } in &act.people {
        let Some(after) = after else { continue };
        let now = desk.person(after.id)?;
        let wanted = match before {
            Some(before) => restored(&now, before, after),
            // Somebody who was made stays for the record, and is nobody any more.
            None if !desk.store().links_of(after.id)?.is_empty() => {
                return Err(ActError::Refused(format!(
                    "{} is linked to a resident since; `epms people show {0}` shows the links, and `epms people unlink` \
                     unties them",
                    after.id
                )));
            }
            None => Some(Person {
                email: None,
                stays: std::collections::BTreeMap::new(),
                withdrawn: true,
                ..now.clone()
            })
            .filter(|_| unchanged(&now, after)),
        };
        let Some(wanted) = wanted else {
            return Err(touched(store, act, after.id)?);
        };
        back.push((now, wanted));
    }
    for (now, wanted) in &back {
        if now.email.is_some() && now.email != wanted.email {
            desk.store().put_person(&Person {
                email: None,
                ..now.clone()
            })?;
        }
    }
    for (now, wanted) in back {
        let moved = |one: &&Move| now.stays.get(&one.from) != wanted.stays.get(&one.from);
        let moved = act.moves.iter().find(moved).or(act.moves.first());
        if let Some(Move { from, to, .. }) = moved {
            desk.put_moved(now, wanted, ChangeKind::Undone, (to, from), rule)?;
            continue;
        }
        if let Some(email) = &wanted.email
            && let Some(other) = desk.store().person_with_email(email)?
            && other != wanted.id
        {
            return Err(ActError::Refused(format!(
                "{other} has the email by now that {} had; undo is not possible any more",
                wanted.id
            )));
        }
        let kind = if wanted.withdrawn && !now.withdrawn {
            ChangeKind::Withdrawn
        } else {
            ChangeKind::Undone
        };
        let at = Where {
            integration: None,
            resident: None,
            rule,
        };
        desk.put_person(Some(now), wanted, kind, &at)?;
    }
    Ok(())
}

/// The person with everything that the act changed as it was before; none when something newer touched it.
fn restored(now: &Person, before: &Person, after: &Person) -> Option<Person> {
    let mut person = now.clone();
    macro_rules! back {
        ($($field:ident),*) => {$(
            if before.$field != after.$field {
                if now.$field != after.$field {
                    return None;
                }
                person.$field.clone_from(&before.$field);
            }
        )*};
    }
    back!(
        first_name,
        last_name,
        email,
        phone,
        locks,
        pinned,
        merged_into,
        withdrawn
    );
    let places = before.stays.keys().chain(after.stays.keys());
    for place in places {
        let (was, is) = (before.stays.get(place), after.stays.get(place));
        if was == is {
            continue;
        }
        if now.stays.get(place) != is {
            return None;
        }
        match was {
            Some(stay) => person.stays.insert(place.clone(), stay.clone()),
            None => person.stays.remove(place),
        };
    }
    Some(person)
}

fn unchanged(now: &Person, after: &Person) -> bool {
    now == after
}
