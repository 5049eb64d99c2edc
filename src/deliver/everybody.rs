//! What a worker does for everybody of a target at once: looks at all people, takes a list of everything over, begins again
//! once the target answers. Asks no target.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use crate::model::PersonId;
use crate::source::{Operation, Source};
use crate::store::{Tombstones, View};

use super::desk::{AT_ONCE, Desk, Looked, NOBODY, Why, keys, who_stays};
use super::error::DeliverError;
use super::moments::{after, within};
use super::record::{Bookmark, Record};
use super::{Grant, GrantState, Granted, Held};

/// Why something is not taken away that is somebody's who was erased.
const STUCK: &str = "it is somebody's who was erased, and the target takes it away only by what says who that was: take it \
                     away there by hand";

impl Desk {
    /// Looks at everybody of the store, and at everybody of whom anything is kept here.
    pub(super) fn look_at_everybody(
        &self,
        view: &View,
        before: &Bookmark,
        epoch: u64,
        now: Timestamp,
    ) -> Result<(), DeliverError> {
        let seq = view.last_change()?;
        let why = Why {
            detected: now,
            is_named: None,
        };
        let outdated = self.outdated(view)?;
        let mut after = None;
        loop {
            let people = view.people(after, AT_ONCE, |_| true)?;
            let Some(last) = people.last() else { break };
            after = Some(last.id);
            let mut looked = Vec::new();
            for person in &people {
                let before: Option<Record> = view.lane(self.id(), person.id)?;
                let is_served = |id| self.target.serves.contains_key(id);
                if before.is_some() || person.stays.keys().any(is_served) {
                    let stays = who_stays(view, Some(person.clone()))?;
                    let stays = stays.as_ref();
                    looked.push(self.looked(stays, person.id, before, why, &outdated, now));
                }
            }
            self.keep(&looked, None, now)?;
        }
        // In another epoch nothing that was read back counts any more (R47).
        let is_same = before.epoch == epoch;
        let bookmark = Bookmark {
            seq,
            epoch,
            has_begun: true,
            by: self.target.fingerprint(),
            recent: before.recent.clone(),
            read_back: before.read_back.filter(|_| is_same),
            others: before.others,
            outdated,
        };
        if !is_same {
            self.forget_looks(now)?;
        }
        let nobody: Option<Record> = self.store.read()?.lane(self.id(), NOBODY)?;
        let nobody = nobody.map(|mut record| {
            // Whose it is may be known once the feed is read.
            record.is_outdated = !bookmark.outdated.is_empty();
            Looked {
                person: NOBODY,
                record,
            }
        });
        self.keep(nobody.as_slice(), Some(&bookmark), now)
    }

    /// Nothing that was read back counts any more.
    pub(super) fn forget_looks(&self, now: Timestamp) -> Result<(), DeliverError> {
        let mut after = None;
        loop {
            let records: Vec<(PersonId, Record)> =
                self.store.read()?.lanes(self.id(), after, AT_ONCE)?;
            let Some((last, _)) = records.last() else {
                return Ok(());
            };
            after = Some(*last);
            let looked = records.into_iter().map(|(person, mut record)| {
                record.lane.forget_look();
                Looked { person, record }
            });
            self.keep(&looked.collect::<Vec<_>>(), None, now)?;
        }
    }

    /// Whether everything is to be read back before anything else is asked.
    pub(super) fn lists(&self, bookmark: &Bookmark, now: Timestamp) -> bool {
        if !self.target.source.can(Operation::List) {
            return false;
        }
        let Some(last) = bookmark.read_back else {
            return true;
        };
        !within(last, self.target.config.read_back.0, now)
    }

    /// When everything is read back next.
    pub fn next_list(&self) -> Result<Option<Timestamp>, DeliverError> {
        let bookmark: Bookmark = self
            .store
            .read()?
            .target_state(self.id())?
            .unwrap_or_default();
        let every = self.target.config.read_back.0;
        Ok(bookmark.read_back.map(|last| after(last, every)))
    }

    /// Takes in everything that the target has. A lane that something was sent for since is not looked at by it.
    pub(super) fn listed(
        &self,
        began: Timestamp,
        held: Vec<Held>,
        now: Timestamp,
    ) -> Result<(), DeliverError> {
        let others = held.iter().filter(|held| held.is_others).count() as u64;
        let mut by_key: BTreeMap<String, Vec<Held>> = BTreeMap::new();
        for held in held {
            by_key.entry(held.grant.key.clone()).or_default().push(held);
        }
        let mut after = Some(NOBODY);
        loop {
            let view = self.store.read()?;
            let records: Vec<(PersonId, Record)> = view.lanes(self.id(), after, AT_ONCE)?;
            drop(view);
            let Some((last, _)) = records.last() else {
                break;
            };
            after = Some(*last);
            let write = self.store.write()?;
            let mut kept = Vec::new();
            for (person, _) in records {
                let Some(mut record) = write.lane::<Record>(self.id(), person)? else {
                    continue;
                };
                let mut own = Vec::new();
                for key in keys(&record) {
                    own.extend(by_key.remove(&key).unwrap_or_default());
                }
                if has_begun(&mut record, &mut by_key, now) {
                    kept.push((person, Some(record)));
                    continue;
                }
                let is_newer = |granted: &Granted| granted.since >= began && granted.is_under_way();
                if record.lane.grants.values().any(is_newer) {
                    continue;
                }
                self.takes_over(&mut record, &own, began);
                if self.target.source.can(Operation::Find) {
                    record.lane.came_by_list();
                }
                kept.push((person, Some(record)));
            }
            self.commit(write, kept, now)?;
        }
        let write = self.store.write()?;
        let mut rest: Vec<Held> = by_key.into_values().flatten().collect();
        let stuck = without_erased(&mut rest, &write.tombstones(), &self.target.source);
        let mut nobody: Record = write.lane(self.id(), NOBODY)?.unwrap_or_default();
        nobody.is_outdated = !self.outdated(&self.store.read()?)?.is_empty();
        self.takes_over(&mut nobody, &rest, began);
        let grants = nobody.lane.grants.iter_mut();
        for (_, granted) in grants.filter(|(key, _)| stuck.contains(*key)) {
            granted.state = GrantState::Parked {
                why: STUCK.to_owned(),
                does_not_converge: false,
            };
        }
        let mut bookmark: Bookmark = write.target_state(self.id())?.unwrap_or_default();
        bookmark.read_back = Some(began);
        if bookmark.others != others {
            bookmark.others = others;
            tracing::info!(target_id = %self.id(), others, "somebody else granted these there; they are left alone");
        }
        write.put_target_state(self.id(), &bookmark)?;
        self.commit(write, vec![(NOBODY, Some(nobody))], now)
    }

    /// As the target answers again: what waits for nothing else is asked at once. How many lanes that is.
    pub fn recover(&self, now: Timestamp) -> Result<usize, DeliverError> {
        let _alone = self.work();
        let (mut after, mut count) = (None, 0);
        loop {
            let records: Vec<(PersonId, Record)> =
                self.store.read()?.lanes(self.id(), after, AT_ONCE)?;
            let Some((last, _)) = records.last() else {
                return Ok(count);
            };
            after = Some(*last);
            let kept = records.into_iter().filter_map(|(person, mut record)| {
                record.lane.recovers().then_some((person, Some(record)))
            });
            let kept: Vec<_> = kept.collect();
            count += kept.len();
            if !kept.is_empty() {
                self.commit(self.store.write()?, kept, now)?;
            }
        }
    }

    /// Looks anew at how people stand, of whom nothing is new.
    pub(super) fn anew(&self, people: Vec<PersonId>, now: Timestamp) -> Result<(), DeliverError> {
        let view = self.store.read()?;
        let mut index = self.index();
        for person in people {
            let record: Option<Record> = view.lane(self.id(), person)?;
            index.put(person, record.as_ref(), &self.ways, &self.timing, now);
        }
        Ok(())
    }
}

/// Takes out of what is nobody's here what says who somebody was who was erased. Gives the keys of what cannot be taken away
/// without that.
fn without_erased(held: &mut [Held], stones: &Tombstones, source: &Source) -> BTreeSet<String> {
    let mut stuck = BTreeSet::new();
    for one in held.iter_mut().filter(|one| !one.is_others) {
        let Some(left) = stones.nameless(&one.grant.key, &one.id, &one.grant.fields) else {
            continue;
        };
        if source.removes_by(&left.gone) {
            stuck.insert(left.key.clone());
        }
        one.id = left.id;
        one.grant = Grant {
            key: left.key,
            fields: left.fields,
        };
    }
    stuck
}

/// Whether somebody has what they are to have once their access starts: then it has started, before this store or this
/// file knew of it. They are looked at again at once.
fn has_begun(
    record: &mut Record,
    by_key: &mut BTreeMap<String, Vec<Held>>,
    now: Timestamp,
) -> bool {
    let counts = |held: &Held| !held.is_others && !held.is_off;
    let begun: Vec<String> = record
        .ahead
        .iter()
        .filter(|key| by_key.get(*key).is_some_and(|held| held.iter().any(counts)))
        .cloned()
        .collect();
    for key in &begun {
        by_key.remove(key);
    }
    if begun.is_empty() {
        return false;
    }
    for seen in record.seen.values_mut() {
        seen.start = seen.start.map(|start| start.min(now));
    }
    record.again = Some(now);
    record.lane.forget_look();
    true
}
