//! What a worker does with the store for one target: takes changes in, looks at people, notes what is sent before it is,
//! and what came of it. Each act is one transaction. Asks no target.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use serde_json::{Map, Value};

use crate::catalog::Target;
use crate::config::DeliveryMode;
use crate::model::{Change, ChangeKind, Field, IntegrationId, Person, PersonId, RunId, TargetId};
use crate::script::{Context, Inputs, Lookups, Script};
use crate::source::Operation;
use crate::store::{Store, StoreError, View, Write};

use super::error::DeliverError;
use super::index::{Index, step};
use super::moments::within;
use super::record::{Bookmark, Record, Ways};
use super::words::words;
use super::{Answer, Deed, Grant, Granted, Held, Planned, Policy, Step, Timing, Waits, access};

/// Whose grants nobody here knows of.
pub(super) const NOBODY: PersonId = PersonId(0);

/// So many people are looked at in one transaction.
pub(super) const AT_ONCE: usize = 200;

/// So many changes are read at once.
const CHANGES: usize = 1000;

/// Whatever is sent has been done by then, or never will be, however short a request may take.
const SETTLES: Duration = Duration::from_secs(10);

/// So many lanes that want a look are looked at one by one; more are by one list.
const LOOKS_ONE_BY_ONE: usize = 20;

/// A target's work with the store.
pub struct Desk {
    /// The target.
    pub target: Arc<Target>,
    /// What words what people should have there.
    pub(super) script: Arc<Script>,
    pub(super) store: Arc<Store>,
    pub(super) ways: Ways,
    pub(super) timing: Timing,
    index: Mutex<Index>,
    /// One act at a time: what is read is still so when it is written.
    work: Mutex<()>,
}

/// What is to be asked of a target.
#[derive(Debug, Clone, PartialEq)]
pub enum Ask {
    /// What it has of a person: of each of these grants.
    Look(PersonId, Vec<Value>),
    /// One deed of a person; with the grant, as templates see it.
    Act(PersonId, Deed, Value),
    /// Everything that it has.
    List,
}

/// What was heard of it.
#[derive(Debug, Clone)]
pub enum Heard {
    /// What it has of a person.
    Looked(PersonId, Result<Vec<Held>, Option<Duration>>),
    /// What came of a deed.
    Acted(PersonId, Deed, Answer),
    /// Everything, and when that was asked.
    Listed(Timestamp, Vec<Held>),
}

/// What a look at a person comes to.
pub(super) struct Looked {
    pub(super) person: PersonId,
    pub(super) record: Record,
}

/// Why people are looked at.
#[derive(Debug, Clone, Copy)]
pub(super) struct Why {
    /// When the store learned of what is new.
    pub(super) detected: Timestamp,
    /// The approval of a run named what they lose; none where nothing is known of it.
    pub(super) is_named: Option<bool>,
}

impl Desk {
    /// For a target. What is kept of its people is read once.
    pub fn new(
        target: Arc<Target>,
        store: Arc<Store>,
        now: Timestamp,
    ) -> Result<Desk, DeliverError> {
        let script = target.script.clone().ok_or(DeliverError::NoScript)?;
        let settle = target.source.timeout().saturating_mul(2);
        let desk = Desk {
            ways: ways(&target),
            timing: Timing {
                settle: settle.max(SETTLES),
                ..Timing::default()
            },
            target,
            script,
            store,
            index: Mutex::default(),
            work: Mutex::default(),
        };
        let view = desk.store.read()?;
        let mut after = None;
        let mut index = desk.index();
        loop {
            let records: Vec<(PersonId, Record)> = view.lanes(desk.id(), after, AT_ONCE)?;
            let Some((last, _)) = records.last() else {
                break;
            };
            after = Some(*last);
            for (person, record) in &records {
                index.put(*person, Some(record), &desk.ways, &desk.timing, now);
            }
        }
        drop(index);
        Ok(desk)
    }

    pub(super) fn id(&self) -> &TargetId {
        &self.target.id
    }

    /// Keeps everybody else out until it is dropped.
    pub(super) fn work(&self) -> MutexGuard<'_, ()> {
        self.work.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn index(&self) -> MutexGuard<'_, Index> {
        self.index.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes in what happened since, or looks at everybody where the log does not say that. Whether there may be more.
    pub fn take_in(&self, now: Timestamp) -> Result<bool, DeliverError> {
        let _alone = self.work();
        let view = self.store.read()?;
        let bookmark: Bookmark = view.target_state(self.id())?.unwrap_or_default();
        let epoch = view.identity()?.epoch;
        let from = view.changes_from()?;
        let is_whole = bookmark.has_begun
            && bookmark.epoch == epoch
            && bookmark.by == self.target.fingerprint()
            && bookmark.outdated == self.outdated(&view)?
            && bookmark.seq.saturating_add(1) >= from;
        if !is_whole {
            self.look_at_everybody(&view, &bookmark, epoch, now)?;
            return Ok(true);
        }
        let changes = view.changes(bookmark.seq, CHANGES)?;
        let Some(last) = changes.last().map(|change| change.seq) else {
            return Ok(false);
        };
        let mut whom: BTreeMap<PersonId, Why> = BTreeMap::new();
        let mut named: BTreeMap<RunId, bool> = BTreeMap::new();
        for change in &changes {
            let mut is_named = false;
            if let Some(run) = change.run {
                let known = named.get(&run).copied();
                let known = known.map_or_else(|| was_approved(&view, run), Ok)?;
                named.insert(run, known);
                is_named = known;
            }
            let why = whom.entry(change.person).or_insert(Why {
                detected: change.at,
                is_named: None,
            });
            if says_where_somebody_stands(change) {
                *why = Why {
                    detected: change.at,
                    is_named: Some(is_named),
                };
            }
        }
        let mut looked = Vec::new();
        for (person, why) in whom {
            let before: Option<Record> = view.lane(self.id(), person)?;
            looked.push(self.look_at(&view, person, before, why, now)?);
        }
        drop(view);
        let bookmark = Bookmark {
            seq: last,
            ..bookmark
        };
        let mut parts = looked.chunks(AT_ONCE).peekable();
        while let Some(part) = parts.next() {
            let is_last = parts.peek().is_none();
            self.keep(part, is_last.then_some(&bookmark), now)?;
        }
        Ok(true)
    }

    /// Looks at those whose moment has come, the oldest first. Whether there may be more.
    pub fn moments(&self, now: Timestamp) -> Result<bool, DeliverError> {
        let _alone = self.work();
        let due: Vec<(Timestamp, PersonId)> = self.index().moments(now).take(AT_ONCE).collect();
        let Some((first, _)) = due.first() else {
            return Ok(false);
        };
        self.index().late = first.duration_until(now).as_secs().unsigned_abs();
        let view = self.store.read()?;
        let mut looked = Vec::new();
        for (_, person) in &due {
            let before: Option<Record> = view.lane(self.id(), *person)?;
            let why = Why {
                detected: now,
                is_named: None,
            };
            looked.push(self.look_at(&view, *person, before, why, now)?);
        }
        drop(view);
        self.keep(&looked, None, now)?;
        Ok(true)
    }

    fn look_at(
        &self,
        view: &View,
        id: PersonId,
        before: Option<Record>,
        why: Why,
        now: Timestamp,
    ) -> Result<Looked, DeliverError> {
        let person = who_stays(view, view.person(id)?)?;
        let outdated = self.outdated(view)?;
        let mut looked = self.looked(person.as_ref(), id, before, why, &outdated, now);
        if let Some(other) = person.and_then(|person| person.merged_into)
            && !self.has_all(view, other)?
        {
            // What the two have is moved: the new one first.
            looked.record.keeps = true;
            let again = now.checked_add(self.timing.fresh).unwrap_or(now);
            looked.record.again = looked.record.again.or(Some(again));
        }
        Ok(looked)
    }

    /// Whose integrations were not read since the store was restored, of those that the target serves.
    pub(super) fn outdated(&self, view: &View) -> Result<BTreeSet<IntegrationId>, StoreError> {
        let mut outdated = view.outdated()?;
        outdated.retain(|id| self.target.serves.contains_key(id));
        Ok(outdated)
    }

    /// Whether a person has everything that they should have there.
    fn has_all(&self, view: &View, person: PersonId) -> Result<bool, StoreError> {
        let Some(record) = view.lane::<Record>(self.id(), person)? else {
            return Ok(true);
        };
        let wanted = record.compared(&self.ways);
        Ok(wanted.iter().all(|grant| {
            let granted = record.lane.grants.get(&grant.key);
            granted.is_some_and(|granted| {
                granted.is_parked() || granted.there.as_ref() == Some(&grant.fields)
            })
        }))
    }

    /// What a person should have there. Of somebody who is there no more nothing is wanted.
    pub(super) fn looked(
        &self,
        person: Option<&Person>,
        id: PersonId,
        before: Option<Record>,
        why: Why,
        outdated: &BTreeSet<IntegrationId>,
        now: Timestamp,
    ) -> Looked {
        let mut record = before.unwrap_or_default();
        record.is_named = why.is_named.unwrap_or(record.is_named);
        let mut stays = person.into_iter().flat_map(|person| person.stays.keys());
        record.is_outdated = stays.any(|id| outdated.contains(id));
        let Some(person) = person else {
            record.wanted.clear();
            record.seen.clear();
            record.unmapped.clear();
            record.ahead.clear();
            record.wrong = None;
            record.again = None;
            record.keeps = false;
            record.is_over = id != NOBODY;
            return Looked { person: id, record };
        };
        let target = &self.target;
        let policy = policy(target);
        let access = access(
            person,
            &mut record.seen,
            &policy,
            &target.serves,
            why.detected,
            now,
        );
        let starts = access.openings.iter().map(|one| one.start);
        let then = starts.filter(|start| *start > now).max();
        let told = words(person, &access, &target.config.places, &target.names, now);
        record.again = access.again;
        record.is_over = access.is_over;
        record.unmapped = told.unmapped;
        let ctx = self.context("wanted", Arc::default(), &Value::Null, now);
        record.ahead.clear();
        if let Some(then) = then {
            let ahead = words(person, &access, &target.config.places, &target.names, then);
            let ahead = self.script.wanted(&ahead.person.to_string(), &ctx);
            // What the script cannot say of then it cannot say of now.
            record
                .ahead
                .extend(ahead.into_iter().flatten().map(|one| one.key));
        }
        match self.script.wanted(&told.person.to_string(), &ctx) {
            Ok(worded) => {
                let grants = worded.into_iter().map(|one| Grant {
                    key: one.key,
                    fields: one.fields,
                });
                record.wanted = grants.collect();
                record.wrong = None;
            }
            Err(error) => record.wrong = Some(error.to_string()),
        }
        let is_unread = |id| target.unread.contains(id);
        record.keeps = !access.resting.is_empty()
            || !record.unmapped.is_empty()
            || record.wrong.is_some()
            || person.stays.keys().any(is_unread);
        let wanted = record.compared(&self.ways);
        let wish = record.wish(&wanted, &self.ways);
        let mut lane = std::mem::take(&mut record.lane);
        lane.heed(&wish);
        record.lane = lane;
        Looked { person: id, record }
    }

    /// What scripts know besides what they are called with. `about` is the grant that was looked for.
    pub(super) fn context(
        &self,
        function: &str,
        lookups: Arc<Lookups>,
        about: &Value,
        now: Timestamp,
    ) -> Context {
        let target = &self.target;
        let zone = target.serves.values().next();
        let zone = zone.cloned().unwrap_or(jiff::tz::TimeZone::UTC);
        Context::new(Inputs {
            today: now.to_zoned(zone.clone()).date(),
            request: function.to_owned(),
            timezone: zone.iana_name().unwrap_or_default().to_owned(),
            country: "US".to_owned(),
            fields: target.config.fields.clone(),
            lookups,
            grant: about.is_object().then(|| about.to_string()),
            ..Inputs::default()
        })
    }

    /// What is to be asked now, at most so much. Whatever is sent is noted before.
    pub fn steps(
        &self,
        under_way: &BTreeSet<PersonId>,
        room: usize,
        now: Timestamp,
    ) -> Result<Vec<Ask>, DeliverError> {
        let _alone = self.work();
        let bookmark: Bookmark = self
            .store
            .read()?
            .target_state(self.id())?
            .unwrap_or_default();
        let touched = {
            let mut index = self.index();
            index.judge(&bookmark.recent, &self.target.config.guard, now)
        };
        if !touched.is_empty() {
            self.anew(touched, now)?;
        }
        if self.lists(&bookmark, now) {
            return Ok(if under_way.is_empty() {
                vec![Ask::List]
            } else {
                Vec::new()
            });
        }
        let index = self.index();
        let due = index.due(now).filter(|who| !under_way.contains(who));
        let due: Vec<PersonId> = due.take(room.max(LOOKS_ONE_BY_ONE + 1)).collect();
        let is_held = index.is_held;
        drop(index);
        if due.is_empty() {
            return Ok(Vec::new());
        }
        let write = self.store.write()?;
        let mut bookmark: Bookmark = write.target_state(self.id())?.unwrap_or_default();
        let (mut asks, mut looks, mut kept) = (Vec::new(), Vec::new(), Vec::new());
        let mut notes = false;
        let finds = self.target.source.can(Operation::Find);
        for person in due {
            let Some(mut record) = write.lane::<Record>(self.id(), person)? else {
                kept.push((person, None));
                continue;
            };
            let due = record.due(&self.ways, is_held);
            let planned: Vec<Planned> = due.iter().map(|due| due.planned.clone()).collect();
            let approved = record.lane.approved.len();
            record.lane.forget_approvals(&planned);
            let is_same = record.lane.approved.len() == approved;
            match step(&record.lane, &due, &self.timing, now) {
                Step::Rest { .. } => {}
                Step::Look if record.lane.looks_before_it_grants() && finds => {
                    if asks.len() < room {
                        asks.push(Ask::Look(person, Desk::all_about(&record)));
                    }
                    if is_same {
                        continue;
                    }
                }
                Step::Look => {
                    looks.push((person, Desk::all_about(&record)));
                    if is_same {
                        continue;
                    }
                }
                Step::Act(_) if asks.len() >= room => continue,
                Step::Act(planned) => {
                    let about = about_deed(&record, &planned.deed);
                    if matches!(planned.deed, Deed::Remove { .. }) && !record.is_named {
                        let limits = &self.target.config.guard;
                        let approved = &record.lane.approved;
                        if !approved.contains(&planned.deed.print()) {
                            bookmark.recent.note(person, limits, now);
                            notes = true;
                        }
                    }
                    record
                        .lane
                        .sends(&planned, self.ways.files, &self.timing, now);
                    asks.push(Ask::Act(person, planned.deed, about));
                }
            }
            kept.push((person, Some(record)));
        }
        // A list in the place of many looks is asked for when nothing is under way that it would not show.
        // What is nobody's came by a list, and may not say any more by what it would be found.
        let of_nobody = looks.iter().any(|(person, _)| *person == NOBODY);
        let many = looks.len() > LOOKS_ONE_BY_ONE || !finds || of_nobody;
        if many && !looks.is_empty() && self.target.source.can(Operation::List) {
            // One list after the other, and not one for each that is due.
            let last = bookmark.read_back;
            let is_soon = last.is_some_and(|last| within(last, self.timing.confirm, now));
            if asks.is_empty() && under_way.is_empty() && !is_soon {
                asks.push(Ask::List);
            }
        } else {
            let room = room.saturating_sub(asks.len());
            let looks = looks.into_iter().take(room);
            asks.extend(looks.map(|(person, about)| Ask::Look(person, about)));
        }
        if notes {
            write.put_target_state(self.id(), &bookmark)?;
        }
        self.commit(write, kept, now)?;
        Ok(asks)
    }

    /// What is asked about, to see what a person has there.
    fn all_about(record: &Record) -> Vec<Value> {
        let wanted = record.wanted.iter().map(|grant| {
            let granted = record.lane.grants.get(&grant.key);
            about(&grant.key, &grant.fields, granted)
        });
        let is_wanted = |key: &str| record.wanted.iter().any(|grant| grant.key == key);
        // What is over at the target, and not yet at a door, is not there to be found.
        let known = record.lane.grants.iter();
        let known = known.filter(|(key, one)| !is_wanted(key) && !one.is_left_at_a_door());
        let nothing = Map::new();
        let known = known.map(|(key, granted)| {
            let fields = granted.there.as_ref().or(granted.sent.as_ref());
            about(key, fields.unwrap_or(&nothing), Some(granted))
        });
        wanted.chain(known).collect()
    }

    /// Takes in what was heard.
    pub fn hear(&self, heard: Vec<Heard>, now: Timestamp, random: f64) -> Result<(), DeliverError> {
        let _alone = self.work();
        let mut listed = Vec::new();
        let write = self.store.write()?;
        let mut kept: BTreeMap<PersonId, Record> = BTreeMap::new();
        for heard in heard {
            let person = match &heard {
                Heard::Looked(person, _) | Heard::Acted(person, _, _) => *person,
                Heard::Listed(began, held) => {
                    listed.push((*began, held.clone()));
                    continue;
                }
            };
            let mut record = match kept.remove(&person) {
                Some(record) => record,
                None => write.lane(self.id(), person)?.unwrap_or_default(),
            };
            match heard {
                Heard::Looked(_, Ok(mut held)) => {
                    // What was looked for before somebody was erased says who they were.
                    let about = write.person(person)?;
                    if about.is_some_and(|person| person.erased) {
                        held.clear();
                    }
                    self.takes_over(&mut record, &held, now);
                }
                Heard::Looked(_, Err(pause)) => {
                    record.lane.look_failed(pause, &self.timing, now, random);
                }
                Heard::Acted(_, deed, answer) => {
                    record
                        .lane
                        .answered(&deed, answer, &self.timing, now, random);
                }
                Heard::Listed(..) => {}
            }
            kept.insert(person, record);
        }
        let kept = kept.into_iter().map(|(person, one)| (person, Some(one)));
        self.commit(write, kept.collect(), now)?;
        for (began, held) in listed {
            self.listed(began, held, now)?;
        }
        Ok(())
    }

    pub(super) fn takes_over(&self, record: &mut Record, held: &[Held], now: Timestamp) {
        let wanted = record.compared(&self.ways);
        let wish = record.wish(&wanted, &self.ways);
        let mut lane = std::mem::take(&mut record.lane);
        // What of it somebody should know stands in the lane.
        drop(lane.looked(&wish, held, &self.timing, now));
        record.lane = lane;
    }

    /// Keeps what looks came to. What was sent, heard and approved meanwhile stays.
    pub(super) fn keep(
        &self,
        looked: &[Looked],
        bookmark: Option<&Bookmark>,
        now: Timestamp,
    ) -> Result<(), DeliverError> {
        let write = self.store.write()?;
        if let Some(bookmark) = bookmark {
            write.put_target_state(self.id(), bookmark)?;
        }
        let kept = looked.iter();
        let kept = kept.map(|looked| (looked.person, Some(looked.record.clone())));
        let mut kept: Vec<_> = kept.collect();
        // What is somebody's by now is nobody's no more.
        if let Some(mut nobody) = write.lane::<Record>(self.id(), NOBODY)? {
            let all = looked.iter().flat_map(|looked| &looked.record.wanted);
            let of_nobody = all.filter_map(|grant| nobody.lane.grants.remove(&grant.key));
            if of_nobody.count() > 0 {
                kept.push((NOBODY, Some(nobody)));
            }
        }
        self.commit(write, kept, now)
    }

    /// Writes how people stand, and then takes it over into memory.
    pub(super) fn commit(
        &self,
        write: Write,
        mut kept: Vec<(PersonId, Option<Record>)>,
        now: Timestamp,
    ) -> Result<(), DeliverError> {
        let is_held = self.index().is_held;
        for (person, record) in &mut kept {
            if let Some(one) = record {
                let due = one.due(&self.ways, is_held);
                let is_open = due.iter().any(|due| due.permit == super::Permit::Goes);
                one.open_since = one.open_since.or(Some(now)).filter(|_| is_open);
                one.due_since = one.due_since.or(Some(now)).filter(|_| !due.is_empty());
                if !one.is_needed() {
                    *record = None;
                }
            }
            match record {
                Some(record) => write.put_lane(self.id(), *person, record)?,
                None => write.forget_lane(self.id(), *person)?,
            }
        }
        write.commit()?;
        let mut index = self.index();
        for (person, record) in &kept {
            index.put(*person, record.as_ref(), &self.ways, &self.timing, now);
        }
        Ok(())
    }
}

/// A person as far as anything is for them: who is to be erased shall have nothing, unless they live somewhere again.
pub(super) fn who_stays(view: &View, person: Option<Person>) -> Result<Option<Person>, StoreError> {
    let Some(person) = person else {
        return Ok(None);
    };
    let lives = person.current_at().next().is_some();
    let stays = lives || view.erasing(person.id)?.is_none();
    Ok(stays.then_some(person))
}

/// The keys that are a person's at a target.
pub(super) fn keys(record: &Record) -> BTreeSet<String> {
    let wanted = record.wanted.iter().map(|grant| grant.key.clone());
    wanted.chain(record.lane.grants.keys().cloned()).collect()
}

/// Whether somebody approved what a run took away.
fn was_approved(view: &View, run: RunId) -> Result<bool, StoreError> {
    let run = view.run(run)?;
    Ok(run.is_some_and(|run| run.approved_by.is_some()))
}

/// Whether a change says where somebody stands, and so when access by it starts or ends.
fn says_where_somebody_stands(change: &Change) -> bool {
    change.kind != ChangeKind::Updated || change.fields.iter().any(|one| one.field == Field::Status)
}

/// A grant as templates see it.
fn about(key: &str, fields: &Map<String, Value>, granted: Option<&Granted>) -> Value {
    let mut about = fields.clone();
    about.insert("key".to_owned(), key.into());
    if let Some(id) = granted.and_then(|granted| granted.id.as_ref()) {
        about.insert("id".to_owned(), id.as_str().into());
    }
    Value::Object(about)
}

/// The grant of a deed as templates see it: whole where it is wanted, and as it was there where it is taken away.
fn about_deed(record: &Record, deed: &Deed) -> Value {
    let nothing = Map::new();
    let of_key = |key: &str| record.lane.grants.get(key);
    match deed {
        Deed::Create(grant) | Deed::Change(grant) => {
            let whole = record.wanted.iter().find(|wanted| wanted.key == grant.key);
            let fields = whole.map_or(&grant.fields, |whole| &whole.fields);
            about(&grant.key, fields, of_key(&grant.key))
        }
        Deed::Remove { key } => {
            let granted = of_key(key);
            let fields =
                granted.and_then(|granted| granted.there.as_ref().or(granted.sent.as_ref()));
            about(key, fields.unwrap_or(&nothing), granted)
        }
        Deed::RemoveTwin { id } => {
            let key = record.lane.twins.get(id).map_or("", String::as_str);
            let fields = of_key(key).and_then(|granted| granted.there.as_ref());
            let mut about = fields.cloned().unwrap_or(nothing);
            about.insert("key".to_owned(), key.into());
            about.insert("id".to_owned(), id.as_str().into());
            Value::Object(about)
        }
    }
}

/// What of a target's files says how plans are made.
pub fn ways(target: &Target) -> Ways {
    Ways {
        waits: match target.config.mode {
            DeliveryMode::Approve => Waits::Approve,
            DeliveryMode::ApproveAll => Waits::ApproveAll,
            DeliveryMode::Automatic => Waits::Automatic,
        },
        can_change: target.source.can(Operation::Change),
        write_only: target.source.write_only().to_vec(),
        files: target.files(),
    }
}

/// What a target's file says about times.
fn policy(target: &Target) -> Policy {
    Policy {
        start_delay: target.config.start_delay.0,
        early: target.config.early_days(),
        late: target.config.late_days(),
        ends_with_move_out: target.config.end == crate::config::AccessEnd::MoveOut,
    }
}
