//! A target with all the faults that real ones have, and people who come, move and go. What must hold at every request is
//! asserted where the request is made.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use fastrand::Rng;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Map, Value, json};

use crate::deliver::{
    Answer, Cause, Deed, Grant, Held, Lane, Permit, Planned, Step, Timing, Waits, Wish, permit,
    plan,
};

/// Who decides what is done.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Modes {
    /// Nobody: all of it goes.
    Automatic,
    /// Somebody, for what opens and changes.
    Approved,
}

/// A grant at the target.
#[derive(Clone, Debug)]
struct There {
    key: String,
    fields: Map<String, Value>,
    by_us: bool,
}

/// Something that the target does later.
enum Later {
    Create(Grant),
    Change(Grant),
    Remove(String),
}

/// One person as the store knows them.
#[derive(Clone, Default)]
struct Person {
    wanted: Vec<Grant>,
    keeps: bool,
    is_over: bool,
}

pub(super) struct World {
    seed: u64,
    rng: Rng,
    now: Timestamp,
    modes: Modes,
    timing: Timing,
    /// The chance of each fault, in a thousand; nothing of it once it is calm.
    bad: u32,
    down_until: Option<Timestamp>,
    files: u128,
    people: Vec<Person>,
    lanes: Vec<Lane>,
    /// The lanes as a backup has them.
    backup: Option<Vec<Lane>>,
    there: BTreeMap<u64, There>,
    pending: Vec<(Timestamp, Later)>,
    next_id: u64,
    refused: BTreeSet<String>,
    /// Faults that may make one more of a grant necessary, by key.
    excuses: BTreeMap<String, u32>,
    /// How often each was created at the target, by key and by how often it was wanted.
    created: BTreeMap<String, u32>,
    wishes: BTreeMap<String, u32>,
}

const PLACES: [&str; 4] = ["lobby", "u1", "u2", "u3"];

impl World {
    pub(super) fn new(seed: u64, modes: Modes) -> World {
        let mut rng = Rng::with_seed(seed);
        let count = rng.usize(1..6);
        let mut world = World {
            seed,
            now: "2026-03-01T00:00:00Z".parse().unwrap(),
            modes,
            timing: Timing::default(),
            bad: [0, 30, 120, 300][rng.usize(0..4)],
            down_until: None,
            files: 1,
            people: vec![Person::default(); count],
            lanes: vec![Lane::default(); count],
            backup: None,
            there: BTreeMap::new(),
            pending: Vec::new(),
            next_id: 1,
            refused: BTreeSet::new(),
            excuses: BTreeMap::new(),
            created: BTreeMap::new(),
            wishes: BTreeMap::new(),
            rng,
        };
        // Somebody else granted a few things before.
        for person in 0..count {
            if world.rng.bool() {
                let place = PLACES[world.rng.usize(0..PLACES.len())];
                world.put(
                    Grant {
                        key: format!("{person}/{place}"),
                        fields: Map::new(),
                    },
                    false,
                );
            }
        }
        world
    }

    fn fault(&mut self) -> bool {
        self.rng.u32(0..1000) < self.bad
    }

    fn put(&mut self, grant: Grant, by_us: bool) -> u64 {
        let id = self.next_id;
        self.next_id += 1;
        self.there.insert(
            id,
            There {
                key: grant.key,
                fields: grant.fields,
                by_us,
            },
        );
        id
    }

    /// Some hundred moments in which something happens.
    pub(super) fn live(&mut self) {
        for _ in 0..self.rng.usize(40..160) {
            if self.rng.u32(0..6) == 0 {
                self.something_happens();
            }
            self.work();
            self.pass();
        }
    }

    /// Nothing goes wrong any more, and what is parked is tried again by hand.
    pub(super) fn calm(&mut self) {
        self.bad = 0;
        self.down_until = None;
        self.refused.clear();
        self.passes(self.timing.settle + self.timing.settle);
        for round in 0..400 {
            if round % 50 == 0 {
                for lane in &mut self.lanes {
                    lane.unpark();
                    lane.forget_look();
                }
            }
            self.work();
            self.passes(Duration::from_secs(30));
        }
    }

    fn pass(&mut self) {
        let seconds = [1, 5, 30, 300, 4000][self.rng.usize(0..5)];
        self.passes(Duration::from_secs(seconds));
    }

    fn passes(&mut self, long: Duration) {
        self.now = self
            .now
            .checked_add(SignedDuration::try_from(long).unwrap())
            .unwrap();
        let now = self.now;
        let (due, later) = std::mem::take(&mut self.pending)
            .into_iter()
            .partition(|(at, _)| *at <= now);
        self.pending = later;
        let due: Vec<_> = due;
        for (_, what) in due {
            match what {
                Later::Create(grant) => drop(self.put(grant, true)),
                Later::Change(grant) => self.change(&grant),
                Later::Remove(key) => self
                    .there
                    .retain(|_, there| there.key != key || !there.by_us),
            }
        }
    }

    fn change(&mut self, grant: &Grant) {
        for there in self
            .there
            .values_mut()
            .filter(|there| there.by_us && there.key == grant.key)
        {
            there.fields = grant.fields.clone();
        }
    }

    /// People come, move, change and go; the target is down for a month, or loses something; a file is edited; the store is
    /// restored.
    fn something_happens(&mut self) {
        let who = self.rng.usize(0..self.people.len());
        match self.rng.u32(0..12) {
            0..=3 => self.lives(who, true),
            4 | 5 => self.lives(who, false),
            6 => self.people[who].keeps = !self.people[who].keeps,
            7 if self.bad > 0 => {
                let days = [1, 3, 30][self.rng.usize(0..3)];
                self.down_until = self
                    .now
                    .checked_add(SignedDuration::from_hours(24 * days))
                    .ok();
            }
            8 if self.bad > 0 => {
                // It forgets one.
                let ids: Vec<u64> = self.there.keys().copied().collect();
                if !ids.is_empty() {
                    let id = ids[self.rng.usize(0..ids.len())];
                    let is_ours = self.there[&id].by_us;
                    if is_ours {
                        let gone = self.there.remove(&id).unwrap();
                        *self.excuses.entry(gone.key).or_default() += 1;
                        for lane in &mut self.lanes {
                            lane.forget_look();
                        }
                    }
                }
            }
            9 if self.bad > 0 => {
                let place = PLACES[self.rng.usize(0..PLACES.len())];
                let key = format!("{who}/{place}");
                if !self.refused.remove(&key) {
                    self.refused.insert(key);
                }
            }
            10 => self.files += 1,
            11 if self.rng.bool() => self.backup = Some(self.lanes.clone()),
            11 => self.is_restored(),
            _ => {}
        }
    }

    /// A backup takes the place of the store, if there is one: nothing that it knows of the target counts.
    fn is_restored(&mut self) {
        let Some(lanes) = self.backup.clone() else {
            return;
        };
        self.lanes = lanes;
        for lane in &mut self.lanes {
            lane.forget_look();
        }
        // Nobody knows any more of what the target does later.
        for (_, later) in &self.pending {
            if let Later::Create(grant) = later {
                *self.excuses.entry(grant.key.clone()).or_default() += 1;
            }
        }
    }

    fn lives(&mut self, who: usize, anywhere: bool) {
        let before = self.people[who].clone();
        let mut wanted = Vec::new();
        if anywhere {
            let name = self.rng.u32(0..3);
            let unit = PLACES[self.rng.usize(1..PLACES.len())];
            for place in ["lobby", unit] {
                let fields = json!({ "name": name, "place": place });
                let fields = fields.as_object().unwrap().clone();
                wanted.push(Grant {
                    key: format!("{who}/{place}"),
                    fields,
                });
            }
        }
        for grant in &wanted {
            let was = before.wanted.iter().any(|before| before.key == grant.key);
            if !was {
                *self.wishes.entry(grant.key.clone()).or_default() += 1;
            }
        }
        self.people[who].is_over = wanted.is_empty();
        self.people[who].wanted = wanted;
    }

    /// Every lane does what it can at this moment.
    fn work(&mut self) {
        for who in 0..self.lanes.len() {
            for _ in 0..12 {
                if !self.step(who) {
                    break;
                }
            }
        }
    }

    /// One step of one lane; whether there may be another at once.
    fn step(&mut self, who: usize) -> bool {
        let person = self.people[who].clone();
        let wish = Wish {
            wanted: &person.wanted,
            keeps: person.keeps,
            is_over: person.is_over,
            can_change: true,
            files: self.files,
        };
        let mut lane = self.lanes[who].clone();
        lane.heed(&wish);
        let planned = plan(&wish, &lane);
        if self.modes == Modes::Approved && self.rng.u32(0..3) == 0 {
            lane.approved
                .extend(planned.iter().map(|planned| planned.deed.print()));
        }
        lane.forget_approvals(&planned);
        let waits = match self.modes {
            Modes::Automatic => Waits::Automatic,
            Modes::Approved => Waits::Approve,
        };
        let automatic = self.modes == Modes::Automatic;
        let goes = |planned: &Planned| {
            // Somebody approves what the files alone take away, sooner or later.
            let is_approved = automatic || lane.approved.contains(&planned.deed.print());
            permit(planned, waits, is_approved, false, false) == Permit::Goes
        };
        let step = lane.next(&planned, goes, &self.timing, self.now);
        let random = self.rng.f64();
        match step {
            Step::Rest { .. } => {
                self.lanes[who] = lane;
                return false;
            }
            Step::Look => {
                let answer = self.look(who);
                match answer {
                    Some(held) => drop(lane.looked(&wish, &held, &self.timing, self.now)),
                    None => lane.look_failed(None, &self.timing, self.now, random),
                }
            }
            Step::Act(planned) => {
                self.may_be_sent(who, &planned, &lane);
                lane.sends(&planned, self.files, &self.timing, self.now);
                // What is kept before the request is all that is left after a crash.
                self.lanes[who] = lane.clone();
                let answer = self.act(&planned.deed);
                if self.bad > 0 && self.rng.u32(0..20) == 0 {
                    return false;
                }
                lane.answered(&planned.deed, answer, &self.timing, self.now, random);
            }
        }
        self.lanes[who] = lane;
        true
    }

    /// What must hold of everything that is sent.
    fn may_be_sent(&self, who: usize, planned: &Planned, lane: &Lane) {
        let person = &self.people[who];
        let seed = self.seed;
        match &planned.deed {
            Deed::Create(grant) | Deed::Change(grant) => {
                assert!(
                    person.wanted.contains(grant),
                    "world {seed}: {grant:?} is sent and not wanted"
                );
            }
            Deed::Remove { key } => {
                let is_wanted = person.wanted.iter().any(|grant| grant.key == *key);
                assert!(!is_wanted, "world {seed}: {key} is taken away and wanted");
                assert!(
                    !person.keeps,
                    "world {seed}: {key} is taken away from somebody who keeps what they have"
                );
                assert!(
                    lane.grants[key].there.is_some(),
                    "world {seed}: {key} is taken away, and the last look did not find it"
                );
                if planned.cause == Cause::Moved {
                    let has = |grant: &Grant| {
                        lane.grants
                            .get(&grant.key)
                            .is_some_and(|granted| granted.there.is_some())
                    };
                    assert!(
                        person.wanted.iter().all(has),
                        "world {seed}: {key} is taken away before the new is there"
                    );
                }
            }
            Deed::RemoveTwin { id } => {
                let there = id.parse().ok().and_then(|id: u64| self.there.get(&id));
                if let Some(there) = there {
                    assert!(there.by_us, "world {seed}: a grant of others is taken away");
                    let same = self
                        .there
                        .values()
                        .filter(|other| other.by_us && other.key == there.key);
                    assert!(
                        same.count() > 1,
                        "world {seed}: the only one is taken for a twin"
                    );
                }
            }
        }
        if self.modes == Modes::Approved
            && matches!(planned.deed, Deed::Create(_) | Deed::Change(_))
        {
            assert!(
                lane.approved.contains(&planned.deed.print()),
                "world {seed}: sent without approval"
            );
        }
    }

    fn is_down(&self) -> bool {
        self.down_until.is_some_and(|until| until > self.now)
    }

    /// What the target says it has of a person; none where it says nothing.
    fn look(&mut self, who: usize) -> Option<Vec<Held>> {
        if self.is_down() || self.fault() {
            return None;
        }
        let prefix = format!("{who}/");
        let mut held: Vec<Held> = Vec::new();
        for (id, there) in &self.there {
            if there.key.starts_with(&prefix) {
                held.push(Held {
                    grant: Grant {
                        key: there.key.clone(),
                        fields: there.fields.clone(),
                    },
                    id: id.to_string(),
                    is_others: !there.by_us,
                    needs_visit: self.rng.u32(0..9) == 0,
                    is_off: false,
                });
            }
        }
        self.rng.shuffle(&mut held);
        // A list that is short, without a word.
        if self.fault() && self.rng.bool() && !held.is_empty() {
            let gone = held.pop().unwrap();
            if !gone.is_others {
                *self.excuses.entry(gone.grant.key).or_default() += 1;
            }
        }
        Some(held)
    }

    fn act(&mut self, deed: &Deed) -> Answer {
        if self.is_down() {
            return if self.rng.bool() {
                Answer::Later(None)
            } else {
                Answer::Doubtful
            };
        }
        let key = deed.key().unwrap_or_default().to_owned();
        if self.refused.contains(&key) && !matches!(deed, Deed::Remove { .. }) {
            return Answer::Refused("no".to_owned());
        }
        if self.fault() {
            return Answer::Later(Some(Duration::from_secs(7)));
        }
        if self.fault() {
            return Answer::Doubtful;
        }
        if self.fault() {
            // It does it later, and says nothing.
            let seconds = self.rng.i64(0..100);
            let at = self
                .now
                .checked_add(SignedDuration::from_secs(seconds))
                .unwrap();
            let later = match deed.clone() {
                Deed::Create(grant) => {
                    *self.created.entry(grant.key.clone()).or_default() += 1;
                    Later::Create(grant)
                }
                Deed::Change(grant) => Later::Change(grant),
                Deed::Remove { key } => Later::Remove(key),
                Deed::RemoveTwin { .. } => return Answer::Doubtful,
            };
            self.pending.push((at, later));
            return Answer::Doubtful;
        }
        let answer = self.does(deed);
        if self.fault() {
            Answer::Doubtful
        } else {
            answer
        }
    }

    fn does(&mut self, deed: &Deed) -> Answer {
        match deed {
            Deed::Create(grant) => {
                *self.created.entry(grant.key.clone()).or_default() += 1;
                let id = self.put(grant.clone(), true);
                if self.fault() {
                    // Twice.
                    self.put(grant.clone(), true);
                }
                if self.fault() {
                    // It says so and does nothing.
                    self.there
                        .retain(|_, there| there.key != grant.key || !there.by_us);
                    *self.excuses.entry(grant.key.clone()).or_default() += 1;
                }
                Answer::Done(self.rng.bool().then(|| id.to_string()))
            }
            Deed::Change(grant) => {
                let has = self
                    .there
                    .values()
                    .any(|there| there.by_us && there.key == grant.key);
                if !has {
                    return Answer::Otherwise;
                }
                if !self.fault() {
                    self.change(grant);
                }
                Answer::Done(None)
            }
            Deed::Remove { key } => {
                let before = self.there.len();
                self.there
                    .retain(|_, there| there.key != *key || !there.by_us);
                if self.there.len() == before {
                    Answer::Otherwise
                } else {
                    Answer::Done(None)
                }
            }
            Deed::RemoveTwin { id } => {
                let removed = id.parse().ok().and_then(|id: u64| self.there.remove(&id));
                if removed.is_some() {
                    Answer::Done(None)
                } else {
                    Answer::Otherwise
                }
            }
        }
    }

    /// What must hold once nothing goes wrong any more.
    pub(super) fn is_as_wanted(&self) {
        let seed = self.seed;
        for (who, person) in self.people.iter().enumerate() {
            let prefix = format!("{who}/");
            let ours = self
                .there
                .values()
                .filter(|there| there.by_us && there.key.starts_with(&prefix));
            let mut ours: Vec<(&str, &Map<String, Value>)> = ours
                .map(|there| (there.key.as_str(), &there.fields))
                .collect();
            ours.sort_by_key(|(key, _)| *key);
            let mut wanted: Vec<_> = person
                .wanted
                .iter()
                .map(|grant| (grant.key.as_str(), &grant.fields))
                .collect();
            wanted.sort_by_key(|(key, _)| *key);
            if person.keeps {
                // Whoever keeps what they have may have more.
                for one in &wanted {
                    assert!(
                        ours.contains(one),
                        "world {seed}: {one:?} is wanted and not there"
                    );
                }
            } else {
                assert_eq!(
                    ours, wanted,
                    "world {seed}: person {who}, {:#?}",
                    self.lanes[who]
                );
            }
        }
        for (key, created) in &self.created {
            let wishes = self.wishes.get(key).copied().unwrap_or_default();
            let excuses = self.excuses.get(key).copied().unwrap_or_default();
            assert!(
                *created <= wishes + excuses,
                "world {seed}: {key} was granted {created} times; wanted {wishes} times, and lost {excuses} times"
            );
        }
    }
}
