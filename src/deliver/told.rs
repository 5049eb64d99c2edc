//! What is told of a target and of what is delivered there, and what somebody approves. Asks no target.

use jiff::Timestamp;
use serde::de::DeserializeOwned;

use crate::model::{
    DeedKind, DeliveriesTouched, Delivery, DeliveryPlan, DeliveryState, PersonId, Tally, TargetId,
    WaitsFor,
};
use crate::store::View;

use super::desk::Desk;
use super::error::DeliverError;
use super::record::{Bookmark, Due, Record, Ways, kind, state};
use super::{Cause, Deed, GrantState, Granted, Permit};

/// So many records are read at once.
const AT_ONCE: usize = 500;

/// What is kept of a target, counted.
#[derive(Debug, Clone, Default)]
pub struct Counted {
    /// How many people anything is kept of.
    pub people: u64,
    /// How many grants stand where.
    pub grants: Tally,
    /// When everything there was read back last.
    pub read_back: Option<Timestamp>,
    /// How many grants there are somebody else's.
    pub others: u64,
    /// Since when the oldest that may be sent was not.
    pub oldest_wanted: Option<Timestamp>,
    /// How many changes of people were not looked at yet.
    pub behind: u64,
    /// By how many seconds the latest moment was missed.
    pub late: u64,
    /// The guard holds what would be taken away.
    pub is_held: bool,
}

/// What of a target's people is asked for.
#[derive(Debug, Clone, Default)]
pub struct Question {
    /// Of this person alone.
    pub person: Option<PersonId>,
    /// Those that stand so alone.
    pub state: Option<DeliveryState>,
    /// Of people behind this one.
    pub after: Option<PersonId>,
}

/// The deliveries of a person, grant by grant. What is to be done and has no grant yet is one, too.
fn of_person(target: &TargetId, person: PersonId, record: &Record, due: &[Due]) -> Vec<Delivery> {
    let mut told: Vec<Delivery> = Vec::new();
    for (key, granted) in &record.lane.grants {
        let of_key = due.iter().find(|due| due.planned.deed.key() == Some(key));
        let Some(state) = state(granted).or(of_key.map(|_| DeliveryState::Wanted)) else {
            continue;
        };
        let why = match &granted.state {
            GrantState::Parked { why, .. } => Some(why.clone()),
            _ if granted.is_left_at_a_door() => Some(
                "taken away at the target; a door may not have heard of it: once somebody was there, `epms deliveries retry`"
                    .to_owned(),
            ),
            _ => None,
        };
        told.push(Delivery {
            target: target.clone(),
            person,
            key: key.clone(),
            state,
            since: granted.since,
            deed: of_key.map(|due| kind(&due.planned.deed)),
            cause: of_key.map(|due| due.planned.cause.as_str().to_owned()),
            waits_for: of_key.map(|due| waits_for(due, record)),
            next: record.lane.due,
            id: granted.id.clone(),
            why,
        });
    }
    for due in due {
        let key = match &due.planned.deed {
            Deed::Create(grant) | Deed::Change(grant) => grant.key.clone(),
            Deed::Remove { key } => key.clone(),
            Deed::RemoveTwin { id } => id.clone(),
        };
        if record.lane.grants.contains_key(&key) {
            continue;
        }
        told.push(Delivery {
            target: target.clone(),
            person,
            key,
            state: DeliveryState::Wanted,
            since: record.due_since.unwrap_or_default(),
            deed: Some(kind(&due.planned.deed)),
            cause: Some(due.planned.cause.as_str().to_owned()),
            waits_for: Some(waits_for(due, record)),
            next: record.lane.due,
            id: None,
            why: record.wrong.clone(),
        });
    }
    if told.is_empty()
        && let Some(again) = record.again
    {
        let is_ahead = !record.is_over;
        told.push(Delivery {
            target: target.clone(),
            person,
            key: String::new(),
            state: DeliveryState::Wanted,
            since: again,
            deed: is_ahead.then_some(DeedKind::Create),
            cause: is_ahead.then(|| Cause::Opens.as_str().to_owned()),
            waits_for: Some(WaitsFor::Moment),
            next: Some(again),
            id: None,
            why: None,
        });
    }
    told
}

fn waits_for(due: &Due, record: &Record) -> WaitsFor {
    match due.permit {
        Permit::Waits => WaitsFor::Approval,
        Permit::Held => WaitsFor::Guard,
        Permit::Outdated => WaitsFor::Sync,
        Permit::Goes if record.lane.failures > 0 => WaitsFor::Target,
        Permit::Goes => WaitsFor::Before,
    }
}

/// Every record of a target, page by page, until `each` has enough.
fn every<R: DeserializeOwned>(
    view: &View,
    target: &TargetId,
    mut after: Option<PersonId>,
    mut each: impl FnMut(PersonId, R) -> bool,
) -> Result<(), DeliverError> {
    loop {
        let records: Vec<(PersonId, R)> = view.lanes(target, after, AT_ONCE)?;
        let Some((last, _)) = records.last() else {
            return Ok(());
        };
        after = Some(*last);
        for (person, record) in records {
            if !each(person, record) {
                return Ok(());
            }
        }
    }
}

/// What is kept of a target whose worker does not run.
pub fn counted(view: &View, target: &TargetId, ways: &Ways) -> Result<Counted, DeliverError> {
    let bookmark: Bookmark = view.target_state(target)?.unwrap_or_default();
    let mut counted = Counted {
        behind: view.last_change()?.saturating_sub(bookmark.seq),
        read_back: bookmark.read_back,
        others: bookmark.others,
        ..Counted::default()
    };
    every::<Record>(view, target, None, |_, record| {
        counted.people += 1;
        let tally = record.tally(&record.due(ways, false));
        counted.grants.confirmed += tally.confirmed;
        counted.grants.sent += tally.sent;
        counted.grants.unknown += tally.unknown;
        counted.grants.parked += tally.parked;
        counted.grants.visit += tally.visit;
        true
    })?;
    Ok(counted)
}

/// The deliveries of a target that are asked for, at most `limit` and whole people; and behind whom there may be more.
pub fn deliveries(
    view: &View,
    target: &TargetId,
    ways: &Ways,
    is_held: bool,
    question: &Question,
    limit: usize,
) -> Result<(Vec<Delivery>, Option<PersonId>), DeliverError> {
    let mut found = Vec::new();
    let keeps = |delivery: &Delivery| question.state.is_none_or(|state| delivery.state == state);
    if let Some(person) = question.person {
        if let Some(record) = view.lane::<Record>(target, person)? {
            let due = record.due(ways, is_held);
            found.extend(
                of_person(target, person, &record, &due)
                    .into_iter()
                    .filter(keeps),
            );
        }
        return Ok((found, None));
    }
    let mut more = None;
    every::<Record>(view, target, question.after, |person, record| {
        let due = record.due(ways, is_held);
        found.extend(
            of_person(target, person, &record, &due)
                .into_iter()
                .filter(keeps),
        );
        more = (found.len() >= limit).then_some(person);
        more.is_none()
    })?;
    Ok((found, more))
}

/// What is to be done at a target now, and what of it waits.
pub fn planned(
    view: &View,
    target: &TargetId,
    ways: &Ways,
    is_held: bool,
) -> Result<DeliveryPlan, DeliverError> {
    let mut deeds = Vec::new();
    let mut digest = Digest::default();
    every::<Record>(view, target, None, |person, record| {
        let due = record.due(ways, is_held);
        for due in &due {
            digest.take(person, due);
        }
        let told = of_person(target, person, &record, &due).into_iter();
        deeds.extend(told.filter(|delivery| delivery.deed.is_some()));
        true
    })?;
    Ok(DeliveryPlan {
        target: target.clone(),
        digest: digest.word(),
        deeds,
    })
}

/// Stands for everything that waits.
#[derive(Default)]
struct Digest {
    hash: blake3::Hasher,
    waits: bool,
}

impl Digest {
    fn take(&mut self, person: PersonId, due: &Due) {
        if !due.permit.is_for_approval() {
            return;
        }
        self.waits = true;
        self.hash.update(&person.0.to_le_bytes());
        self.hash.update(&due.planned.deed.print().0.to_le_bytes());
    }

    fn word(&self) -> Option<String> {
        let hex = self.hash.finalize().to_hex();
        self.waits.then(|| hex.chars().take(8).collect())
    }
}

impl Desk {
    /// Lets through what waits, where it is still what was shown.
    pub fn approve(
        &self,
        given: Option<&str>,
        now: Timestamp,
    ) -> Result<DeliveriesTouched, DeliverError> {
        let _alone = self.work();
        let target = &self.target.id;
        let is_held = self.index().is_held;
        let mut count = 0;
        let mut digest = Digest::default();
        let mut waiting = Vec::new();
        every::<Record>(&self.store.read()?, target, None, |person, mut record| {
            let due = record.due(&self.ways, is_held);
            let mut waits = false;
            for due in due.iter().filter(|due| due.permit.is_for_approval()) {
                digest.take(person, due);
                record.lane.approved.insert(due.planned.deed.print());
                waits = true;
                count += 1;
            }
            if waits {
                waiting.push((person, Some(record)));
            }
            true
        })?;
        let Some(word) = digest.word() else {
            return Err(DeliverError::NothingWaits(target.clone()));
        };
        if let Some(given) = given.filter(|given| *given != word) {
            return Err(DeliverError::Changed {
                target: target.clone(),
                now: word,
                given: given.to_owned(),
            });
        }
        self.commit(self.store.write()?, waiting, now)?;
        Ok(DeliveriesTouched {
            target: target.clone(),
            count,
        })
    }

    /// Lets be tried again what is parked or paused, of one person or of all.
    pub fn retry(
        &self,
        person: Option<PersonId>,
        now: Timestamp,
    ) -> Result<DeliveriesTouched, DeliverError> {
        let _alone = self.work();
        let target = &self.target.id;
        let mut count = 0;
        let mut touched = Vec::new();
        every::<Record>(&self.store.read()?, target, None, |who, mut record| {
            if person.is_none_or(|person| person == who) {
                let rests = |one: &&Granted| one.is_parked() || one.is_left_at_a_door();
                let parked = record.lane.grants.values().filter(rests);
                let parked = parked.count() as u64;
                if parked > 0 || record.lane.failures > 0 {
                    count += parked.max(1);
                    record.lane.unpark();
                    touched.push((who, Some(record)));
                }
            }
            true
        })?;
        self.commit(self.store.write()?, touched, now)?;
        Ok(DeliveriesTouched {
            target: target.clone(),
            count,
        })
    }

    /// What is kept of the target, counted.
    pub fn counted(&self) -> Result<Counted, DeliverError> {
        let view = self.store.read()?;
        let bookmark: Bookmark = view.target_state(self.id())?.unwrap_or_default();
        let behind = view.last_change()?.saturating_sub(bookmark.seq);
        let index = self.index();
        Ok(Counted {
            behind,
            people: index.people(),
            grants: index.tally(),
            read_back: bookmark.read_back,
            others: bookmark.others,
            oldest_wanted: index.oldest_wanted(),
            late: index.late,
            is_held: index.is_held,
        })
    }

    /// What is to be done now, and what of it waits.
    pub fn planned(&self) -> Result<DeliveryPlan, DeliverError> {
        let is_held = self.index().is_held;
        planned(&self.store.read()?, &self.target.id, &self.ways, is_held)
    }

    /// The deliveries that are asked for.
    pub fn deliveries(
        &self,
        question: &Question,
        limit: usize,
    ) -> Result<(Vec<Delivery>, Option<PersonId>), DeliverError> {
        let is_held = self.index().is_held;
        let (view, target) = (self.store.read()?, &self.target.id);
        deliveries(&view, target, &self.ways, is_held, question, limit)
    }
}
