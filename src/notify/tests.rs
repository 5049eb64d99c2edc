//! What is told when, over whatever happens: each trouble once, its end after it, nothing in quiet hours, and nothing lost
//! over them, over a mail server that takes nothing, or over a restart.

mod said;

use std::collections::{BTreeMap, BTreeSet};

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;

use crate::config::{Quiet, RunEnd};
use crate::model::{AlertId, AlertKind, IntegrationId, RunId};
use crate::testing::searching;

use super::due::{Fold, Hours, News};
use super::hours::Zoned;
use super::kept::{Cause, Kept, Letter, Seen, SeenAlert, SeenRun, Wanted};

const FOLD: Fold = SignedDuration::from_hours(1);
const ALL: [&str; 2] = ["ada@example.com", "bob@example.com"];

/// Something that happens.
#[derive(Debug, Clone)]
enum Happens {
    /// An alert is raised, or opens again.
    Opens(u8),
    /// An alert closes.
    Closes(u8),
    /// A run ends.
    Runs(u8, Option<RunEnd>),
    /// So many minutes pass.
    Passes(u16),
    /// Somebody looks and sends; of those who are to have messages, these take them.
    Looks(bool, bool),
    /// The daemon is killed before what was looked at was kept.
    Killed,
}

fn happens() -> impl Strategy<Value = Happens> {
    let ends = [
        None,
        None,
        Some(RunEnd::Failed),
        Some(RunEnd::NotUnderstood),
        Some(RunEnd::Held),
    ];
    prop_oneof![
        (0u8..6).prop_map(Happens::Opens),
        (0u8..6).prop_map(Happens::Closes),
        ((0u8..2), prop::sample::select(ends.to_vec()))
            .prop_map(|(at, end)| Happens::Runs(at, end)),
        (1u16..400).prop_map(Happens::Passes),
        (any::<bool>(), any::<bool>()).prop_map(|(ada, bob)| Happens::Looks(ada, bob)),
        Just(Happens::Looks(true, true)),
        Just(Happens::Killed),
    ]
}

/// A message, as it was written.
#[derive(Debug)]
struct Told {
    at: Timestamp,
    integration: IntegrationId,
    says: Vec<(News, Cause, Timestamp)>,
}

struct World {
    now: Timestamp,
    alerts: Vec<SeenAlert>,
    runs: Vec<SeenRun>,
    kept: Kept,
    on_disk: Kept,
    hours: Zoned,
    told: Vec<Told>,
    /// Who has which message, how often.
    came: BTreeMap<(String, &'static str), u32>,
    /// Every occurrence: of what, since when.
    occurred: BTreeSet<(Cause, Timestamp)>,
    letters: u64,
    /// The alerts' ids, in the order in which they were raised first.
    ids: Vec<u8>,
}

fn at(index: u8) -> IntegrationId {
    IntegrationId::new(if index.is_multiple_of(2) {
        "elm"
    } else {
        "oak"
    })
}

fn wanted() -> Wanted {
    Wanted {
        alerts: [AlertKind::SyncStale, AlertKind::MassChangeHeld].into(),
        runs: [RunEnd::Failed, RunEnd::NotUnderstood].into(),
    }
}

impl World {
    fn new() -> World {
        let quiet: Quiet = serde_json::from_value("22:00-06:00".into()).unwrap();
        let york = TimeZone::get("America/New_York").unwrap();
        World {
            now: "2026-03-07T17:00:00Z".parse().unwrap(),
            alerts: Vec::new(),
            runs: Vec::new(),
            kept: Kept::default(),
            on_disk: Kept::default(),
            hours: Zoned {
                quiet: Some(quiet),
                named: None,
                zones: [(at(0), york)].into(),
            },
            told: Vec::new(),
            came: BTreeMap::new(),
            occurred: BTreeSet::new(),
            letters: 0,
            ids: Vec::new(),
        }
    }

    fn pass(&mut self, minutes: i64) {
        self.now += SignedDuration::from_mins(minutes);
    }

    /// The id of an alert; one that never was raised has a later one.
    fn id(&self, index: u8) -> AlertId {
        let place = self.ids.iter().position(|one| *one == index);
        AlertId(place.unwrap_or(self.ids.len()) as u64 + 1)
    }

    fn seen(&self) -> Seen {
        let since = self.kept.alert.unwrap_or(AlertId(0));
        let is_seen =
            |alert: &&SeenAlert| alert.ended.is_none() || self.kept.looked && alert.id > since;
        let is_new = |run: &&SeenRun| {
            let after = self.kept.runs.get(&run.integration);
            after.is_none_or(|after| run.id > *after)
        };
        Seen {
            alerts: self.alerts.iter().filter(is_seen).cloned().collect(),
            alert: self.alerts.iter().map(|alert| alert.id).max(),
            known: [at(0), at(1)].into(),
            runs: self.runs.iter().filter(is_new).cloned().collect(),
        }
    }

    fn does(&mut self, happens: &Happens) {
        // No two things happen in one moment.
        self.now += SignedDuration::from_secs(1);
        match happens {
            Happens::Opens(index) => self.opens(*index),
            Happens::Closes(index) => {
                // Whoever opened it again committed, and that was looked at.
                let was_looked_at = self.kept.alert.is_some_and(|last| self.id(*index) <= last);
                if was_looked_at {
                    self.look();
                    self.keep();
                }
                let (now, id) = (self.now, self.id(*index));
                let alert = self.alerts.iter_mut().find(|alert| alert.id == id);
                if let Some(alert) = alert {
                    alert.ended = alert.ended.or(Some(now));
                }
            }
            Happens::Runs(index, end) => {
                let cause = end.map(|end| Cause::Runs(at(*index), end));
                let before = self
                    .runs
                    .iter()
                    .rev()
                    .filter(|run| run.integration == at(*index));
                let goes_on = before
                    .take_while(|run| run.end.is_some())
                    .any(|run| run.end == *end);
                let is_wanted = end.is_some_and(|end| wanted().runs.contains(&end));
                if let Some(cause) = cause.filter(|_| is_wanted && !goes_on) {
                    self.occurred.insert((cause, self.now));
                }
                self.runs.push(SeenRun {
                    id: RunId(self.runs.len() as u64 + 1),
                    integration: at(*index),
                    end: *end,
                    ended: self.now,
                });
            }
            Happens::Passes(minutes) => self.pass(i64::from(*minutes)),
            Happens::Looks(ada, bob) => {
                self.look();
                self.keep();
                self.send([*ada, *bob]);
            }
            Happens::Killed => {
                // What was looked at, and not kept, never happened.
                let told = self.told.len();
                self.look();
                self.told.truncate(told);
                self.kept = self.on_disk.clone();
            }
        }
    }

    fn opens(&mut self, index: u8) {
        if !self.ids.contains(&index) {
            self.ids.push(index);
        }
        let id = self.id(index);
        let kinds = [
            AlertKind::SyncStale,
            AlertKind::MassChangeHeld,
            AlertKind::LeftBehind,
        ];
        let (kind, began) = (kinds[usize::from(index % 3)], self.now);
        let before = self.alerts.iter().position(|alert| alert.id == id);
        if before.is_some_and(|index| self.alerts[index].ended.is_none()) {
            return;
        }
        let alert = SeenAlert {
            id,
            kind,
            integration: at(index),
            began,
            ended: None,
        };
        if wanted().alerts.contains(&kind) {
            self.occurred.insert((Cause::Alert(id), began));
        }
        match before {
            Some(index) => self.alerts[index] = alert,
            None => self.alerts.push(alert),
        }
    }

    fn look(&mut self) {
        let now = self.now;
        self.kept.see(&self.seen(), &wanted(), now);
        self.kept.forget(FOLD, now);
        for due in self.kept.due(FOLD, &self.hours, now) {
            self.letters += 1;
            self.told.push(Told {
                at: now,
                integration: due.integration.clone(),
                says: due
                    .says
                    .iter()
                    .map(|(news, one)| (*news, one.cause.clone(), one.began))
                    .collect(),
            });
            let letter = Letter {
                id: self.letters.to_string(),
                integration: due.integration.clone(),
                made: now,
                subject: String::new(),
                text: String::new(),
                data: serde_json::Value::Null,
                has: BTreeSet::new(),
            };
            self.kept.write(&due, letter);
        }
    }

    fn keep(&mut self) {
        if !self.kept.is_as_good_as(&self.on_disk) {
            // As it comes back from the disk.
            let bytes = serde_json::to_vec(&self.kept).unwrap();
            self.on_disk = serde_json::from_slice(&bytes).unwrap();
        }
    }

    fn send(&mut self, takes: [bool; 2]) {
        let all = ALL.map(String::from);
        for letter in self.kept.letters.clone() {
            for (to, takes) in ALL.into_iter().zip(takes) {
                if takes && !letter.has.contains(to) {
                    *self.came.entry((letter.id.clone(), to)).or_default() += 1;
                    self.kept.has(&letter.id, to, &all);
                }
            }
        }
        self.keep();
    }

    /// Until everything is told.
    fn calms(&mut self) {
        for _ in 0..200 {
            self.pass(15);
            self.does(&Happens::Looks(true, true));
        }
    }

    fn holds(&self) {
        let mut standing: BTreeMap<&Cause, News> = BTreeMap::new();
        let mut said: BTreeMap<(&Cause, Timestamp), u32> = BTreeMap::new();
        let mut last: BTreeMap<&IntegrationId, Timestamp> = BTreeMap::new();
        for told in &self.told {
            let quiet = self.hours.quiet_until(&told.integration, told.at);
            assert_eq!(quiet, None, "told in quiet hours: {told:?}");
            if let Some(last) = last.insert(&told.integration, told.at) {
                assert!(told.at.duration_since(last) >= FOLD, "not folded: {told:?}");
            }
            assert!(!told.says.is_empty());
            for (news, cause, began) in &told.says {
                let before = standing.insert(cause, *news);
                if *news == News::Over {
                    assert_eq!(before, Some(News::New), "over before it was told: {told:?}");
                } else {
                    *said.entry((cause, *began)).or_default() += 1;
                }
            }
        }
        for ((cause, began), times) in &said {
            assert_eq!(*times, 1, "told more than once: {cause:?} since {began}");
        }
        for (cause, began) in &self.occurred {
            // One that came again before anybody could be told of it is told as the one that came again.
            let is_told = said
                .keys()
                .any(|(of, since)| *of == cause && since >= began);
            assert!(
                is_told,
                "never told: {cause:?} since {began}: {:?}",
                self.told
            );
        }
    }

    fn ends_calmly(&self) {
        assert_eq!(self.kept.letters, []);
        for trouble in &self.kept.troubles {
            assert!(trouble.told && trouble.ended.is_none(), "{trouble:?}");
        }
    }
}

proptest! {
    #![proptest_config(searching(400))]

    #[test]
    fn each_trouble_is_told_once_its_end_after_it_and_nothing_in_quiet_hours(
        all in prop::collection::vec(happens(), 1..60),
    ) {
        let mut world = World::new();
        world.does(&Happens::Looks(true, true));
        for one in &all {
            world.does(one);
        }
        world.calms();
        world.holds();
        world.ends_calmly();
        // Nobody has a message twice whose taking was noted.
        prop_assert!(world.came.values().all(|times| *times == 1));
    }
}

#[test]
fn what_was_over_before_the_first_look_is_nobody_s_concern_and_what_is_open_is() {
    let mut world = World::new();
    world.does(&Happens::Opens(0));
    world.does(&Happens::Closes(0));
    world.does(&Happens::Opens(3));
    world.does(&Happens::Looks(true, true));
    let said: Vec<&Cause> = world
        .told
        .iter()
        .flat_map(|told| &told.says)
        .map(|(_, cause, _)| cause)
        .collect();
    assert_eq!(said, [&Cause::Alert(world.id(3))]);
}

#[test]
fn what_comes_and_goes_in_quiet_hours_is_told_when_they_are_over() {
    let mut world = World::new();
    world.does(&Happens::Looks(true, true));
    world.now = "2026-03-08T04:00:00Z".parse().unwrap();
    world.does(&Happens::Opens(0));
    world.does(&Happens::Looks(true, true));
    world.does(&Happens::Closes(0));
    world.does(&Happens::Opens(4));
    world.does(&Happens::Looks(true, true));
    assert!(world.told.is_empty(), "{:?}", world.told);
    // Six o'clock in New York, on the day on which the clock is set.
    let next = world.kept.next(FOLD, &world.hours, world.now);
    assert_eq!(next, Some("2026-03-08T10:00:00Z".parse().unwrap()));
    world.now = next.unwrap();
    world.does(&Happens::Looks(true, true));
    let says: Vec<(News, &Cause)> = world.told[0]
        .says
        .iter()
        .map(|(news, cause, _)| (*news, cause))
        .collect();
    let (first, other) = (Cause::Alert(world.id(0)), Cause::Alert(world.id(4)));
    assert_eq!(says, [(News::New, &other), (News::Passed, &first)]);
}

#[test]
fn what_comes_while_nobody_takes_a_message_is_told_with_the_next() {
    let mut world = World::new();
    world.does(&Happens::Opens(0));
    world.does(&Happens::Looks(false, false));
    for index in [4, 0] {
        world.pass(120);
        world.does(&Happens::Opens(index));
        world.does(&Happens::Looks(false, false));
    }
    assert_eq!(world.kept.letters.len(), 1);
    // One who takes it lets the next go out; the other gets both once they can.
    world.does(&Happens::Looks(true, false));
    world.does(&Happens::Looks(true, false));
    assert_eq!(world.kept.letters.len(), 2);
    world.does(&Happens::Looks(true, true));
    assert!(world.kept.letters.is_empty());
    assert!(world.came.values().all(|times| *times == 1));
    assert_eq!(world.came.len(), 4);
}

#[test]
fn a_message_that_somebody_has_is_given_up_for_the_others_after_a_day() {
    let mut world = World::new();
    world.does(&Happens::Opens(0));
    world.does(&Happens::Looks(true, false));
    let all = ALL.map(String::from);
    world
        .kept
        .give_up(&all, world.now - SignedDuration::from_hours(1));
    assert_eq!(world.kept.letters.len(), 1);
    world
        .kept
        .give_up(&all, world.now + SignedDuration::from_secs(1));
    assert!(world.kept.letters.is_empty());
    // What nobody has is not given up, however long it waits.
    world.does(&Happens::Closes(0));
    world.pass(120);
    world.does(&Happens::Looks(false, false));
    world
        .kept
        .give_up(&all, world.now + SignedDuration::from_hours(1000));
    assert_eq!(world.kept.letters.len(), 1);
}

#[test]
fn a_clock_that_is_set_back_keeps_nothing_from_being_told() {
    let mut world = World::new();
    world.does(&Happens::Opens(0));
    world.does(&Happens::Looks(true, true));
    world.now = "2026-03-06T17:00:00Z".parse().unwrap();
    world.does(&Happens::Opens(4));
    world.does(&Happens::Looks(true, true));
    assert_eq!(world.told.len(), 2);
}
