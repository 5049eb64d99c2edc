//! Erasing people: who may be, what has to happen first, and what is said of it. What goes where is in the store; what
//! targets have is asked of whoever delivers.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use jiff::Timestamp;

use crate::model::{
    Act, ActKind, ChangeKind, Erasing, Erasure, ErasureState, IntegrationId, LeftAt, Person,
    PersonId,
};
use crate::rules::{is_due, left_at};
use crate::store::{Store, StoreError, View, Why};

use super::desk::{Desk, Where};
use super::{ActError, Hand};

type Answer<T> = Result<T, ActError>;

/// By hand.
const BY_HAND: &str = "erase";

/// By the rule of a property.
const BY_RULE: &str = "erase_after";

/// What people still have at targets.
pub type Left<'a> = &'a dyn Fn(&View, &BTreeSet<PersonId>) -> Result<Vec<LeftAt>, StoreError>;

/// Whom somebody erases, and how.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Erase {
    /// The person.
    pub person: PersonId,
    /// Why.
    pub reason: Option<String>,
    /// Whatever targets still have.
    pub force: bool,
}

/// Erases a person, and whoever became one with them. Where targets have something of theirs, that is taken away first: they
/// are erased by [`finish`] once nothing is left there, or at once with `force`.
pub fn erase(store: &Store, asked: &Erase, left: Left<'_>, hand: &Hand) -> Answer<Erasure> {
    let mut desk = Desk::open(store, ActKind::Erase, hand)?;
    let person = may_be_erased(&desk, asked.person)?;
    let people = desk.store().one_with(person.id)?;
    let left = left(&store.read()?, &people)?;
    let is_under_way = desk.store().erasing(person.id)?.is_some();
    if is_under_way && !asked.force && !left.is_empty() {
        return Err(ActError::Refused(format!(
            "{} is being erased: {} to hear of it first; `--force` erases all the same, and leaves there what is there",
            person.id,
            waits(&left)
        )));
    }
    desk.act().reason.clone_from(&asked.reason);
    let is_now = left.is_empty() || asked.force;
    let erased = if is_now {
        let why = why(&mut desk, BY_HAND);
        desk.erase(&BTreeSet::from([person.id]), &why)?
    } else {
        begin(&mut desk, person.id, &people, BY_HAND)?;
        people.into_iter().collect()
    };
    let done = desk.done()?;
    let (waits_for, stays_at) = if is_now {
        (Vec::new(), left)
    } else {
        (left, Vec::new())
    };
    Ok(Erasure {
        person: asked.person,
        people: erased,
        state: if is_now {
            ErasureState::Erased
        } else {
            ErasureState::Erasing
        },
        waits_for,
        stays_at,
        copies: Vec::new(),
        still: Vec::new(),
        done,
    })
}

/// Erases people by the rule of their properties, in one act. Those of whom targets have something are erased once they have
/// not. Gives how many were erased, or are to be.
pub fn erase_by_rule(
    store: &Store,
    people: &BTreeSet<PersonId>,
    left: Left<'_>,
    now: Timestamp,
) -> Answer<usize> {
    let hand = Hand::of_the_files(now);
    let mut desk = Desk::open(store, ActKind::Erase, &hand)?;
    let view = store.read()?;
    let mut at_once = BTreeSet::new();
    let mut later = 0;
    for id in people {
        if may_be_erased(&desk, *id).is_err() || desk.store().erasing(*id)?.is_some() {
            continue;
        }
        let one = desk.store().one_with(*id)?;
        if left(&view, &one)?.is_empty() {
            at_once.insert(*id);
        } else {
            begin(&mut desk, *id, &one, BY_RULE)?;
            later += 1;
        }
    }
    if at_once.is_empty() && later == 0 {
        return Ok(0);
    }
    let why = why(&mut desk, BY_RULE);
    desk.erase(&at_once, &why)?;
    desk.done()?;
    Ok(at_once.len() + later)
}

/// So many people are looked at at once.
const AT_ONCE: usize = 1000;

/// The people who are to be erased by the rules of their properties, at most so many, those after `after`; and where to go on.
pub fn due_by_rule(
    view: &View,
    rules: &BTreeMap<IntegrationId, Duration>,
    mut after: Option<PersonId>,
    most: usize,
    now: Timestamp,
) -> Result<(BTreeSet<PersonId>, Option<PersonId>), StoreError> {
    let mut due = BTreeSet::new();
    let by_rule = |at: &IntegrationId| rules.get(at).copied();
    let could_be = |person: &Person| is_due(person, Timestamp::MIN, by_rule, now);
    loop {
        let people = view.people(after, AT_ONCE, |_| true)?;
        let Some(last) = people.last() else {
            return Ok((due, None));
        };
        after = Some(last.id);
        for person in people.iter().filter(|one| could_be(one)) {
            let changes = view.changes_of(person.id, u64::MAX, CHANGES)?;
            let left = left_at(person, &changes);
            if is_due(person, left, by_rule, now) && view.erasing(person.id)?.is_none() {
                due.insert(person.id);
            }
            if due.len() >= most {
                return Ok((due, Some(person.id)));
            }
        }
    }
}

/// So many changes of somebody are looked at: one of them says where they stand, or it is long ago.
const CHANGES: usize = 100;

/// What became of somebody who was to be erased once targets have heard.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Finished {
    /// They are erased.
    Erased,
    /// Something is left at a target.
    Waits,
    /// They live somewhere again, and stay.
    Stays,
}

/// Erases somebody who was to be erased, where targets have nothing of theirs any more. Whoever is current again is not: it was
/// asked for when they were not.
pub fn finish(store: &Store, id: PersonId, left: Left<'_>, now: Timestamp) -> Answer<Finished> {
    let write = store.write()?;
    let Some(erasing) = write.erasing(id)? else {
        return Ok(Finished::Erased);
    };
    let person = write.person(id)?;
    let people = write.one_with(id)?;
    let outdated = store.read()?.outdated()?;
    let is_outdated = |one: &Person| one.current_at().any(|at| outdated.contains(at));
    if person.as_ref().is_some_and(is_outdated) {
        // Where they stand is as old as the backup that was restored.
        return Ok(Finished::Waits);
    }
    if person.is_some_and(|person| person.current_at().next().is_some()) {
        drop(write);
        stop(store, id, &erasing, &people, now)?;
        return Ok(Finished::Stays);
    }
    if !left(&store.read()?, &people)?.is_empty() {
        return Ok(Finished::Waits);
    }
    let act = write.act(erasing.act)?;
    let why = Why {
        by: erasing.by,
        at: now,
        rule: erasing.rule,
        act: erasing.act,
        reason: act.as_ref().and_then(|act| act.reason.clone()),
    };
    let erased = write.erase(&BTreeSet::from([id]), &why)?;
    if let Some(act) = act {
        let mut all: BTreeSet<PersonId> = act.erased.iter().copied().collect();
        all.extend(erased.people);
        write.put_act(&Act {
            erased: all.into_iter().collect(),
            reason: erased.reason,
            ..act
        })?;
    }
    write.commit()?;
    Ok(Finished::Erased)
}

/// Nobody is erased who lives somewhere again.
fn stop(
    store: &Store,
    id: PersonId,
    erasing: &Erasing,
    people: &BTreeSet<PersonId>,
    now: Timestamp,
) -> Answer<()> {
    let hand = Hand::of_the_files(now);
    let mut desk = Desk::open(store, ActKind::Undo, &hand)?;
    desk.store().put_erasing(id, None)?;
    for person in people {
        let at = at(BY_HAND);
        desk.change(*person, ChangeKind::Undone, &at, Vec::new());
    }
    // One act may be of several people, of whom the others are erased.
    if let Some(act) = desk
        .store()
        .act(erasing.act)?
        .filter(|_| erasing.rule == BY_HAND)
    {
        desk.undoes(act)?;
    }
    desk.done()?;
    Ok(())
}

/// The person, where they may be erased.
fn may_be_erased(desk: &Desk<'_>, id: PersonId) -> Answer<Person> {
    let person = desk.person(id)?;
    if person.erased {
        return Err(ActError::Refused(format!("{id} was erased already")));
    }
    if let Some(into) = person.merged_into {
        return Err(ActError::Refused(format!(
            "{id} was merged into {into}; erase {into}, and {id} goes along"
        )));
    }
    let current: Vec<String> = person.current_at().map(|at| format!("`{at}`")).collect();
    if current.is_empty() {
        return Ok(person);
    }
    Err(ActError::Refused(format!(
        "{id} is current at {}: whoever lives somewhere is not erased; end the lease in the PMS, or unlink them, first",
        current.join(", ")
    )))
}

/// From here on they shall have nothing at any target.
fn begin(desk: &mut Desk<'_>, id: PersonId, people: &BTreeSet<PersonId>, rule: &str) -> Answer<()> {
    let (by, at_, act) = (desk.hand().by.clone(), desk.hand().now, desk.act().id);
    let erasing = Erasing {
        by,
        at: at_,
        rule: rule.to_owned(),
        act,
        people: people.iter().copied().collect(),
    };
    desk.store().put_erasing(id, Some(&erasing))?;
    for person in people {
        desk.change(*person, ChangeKind::Erasing, &at(rule), Vec::new());
    }
    Ok(())
}

fn at(rule: &str) -> Where<'_> {
    Where {
        integration: None,
        resident: None,
        rule,
    }
}

fn why(desk: &mut Desk<'_>, rule: &str) -> Why {
    let (by, at) = (desk.hand().by.clone(), desk.hand().now);
    let act = desk.act();
    Why {
        by,
        at,
        rule: rule.to_owned(),
        act: act.id,
        reason: act.reason.clone(),
    }
}

/// Who has to hear of it first: `the target `doors` has`.
fn waits(left: &[LeftAt]) -> String {
    let targets: BTreeSet<String> = left.iter().map(|one| format!("`{}`", one.target)).collect();
    let targets: Vec<String> = targets.into_iter().collect();
    match &targets[..] {
        [one] => format!("the target {one} has"),
        several => format!("the targets {} have", several.join(", ")),
    }
}
