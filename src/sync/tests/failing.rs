//! Runs and acts on a disk that fails at each of its steps, fills up, or loses its power. Whatever happens, the
//! store is the one before or the one after, and the next run comes to where it would have come.
//!
//! `EPMS_POWER_CUTS=50 cargo test --release --lib power -- --nocapture` tries as many outcomes of each power cut.

#![allow(clippy::print_stdout, reason = "the counts are what is to be seen")]

use std::collections::BTreeSet;

use super::*;
use crate::acts::{self, Hand};
use crate::model::{Actor, Resolution};
use crate::store::testing::{Disk, Dump, Fault, Loss};

/// What is done while the disk fails.
#[derive(Clone, Copy)]
struct Case {
    name: &'static str,
    /// How things stand before.
    before: fn(&mut World),
    /// What happens then; the outcome of a run.
    what: fn(&mut World) -> Result<Option<Run>, String>,
    /// The feed that is read in the end.
    feed: fn() -> Vec<Item>,
}

const CASES: [Case; 3] = [
    Case {
        name: "first sync",
        before: |_| {},
        what: |world| sync(world, first()),
        feed: first,
    },
    Case {
        name: "changed sync",
        before: |world| drop(world.run(first())),
        what: |world| sync(world, changed()),
        feed: changed,
    },
    Case {
        name: "act by hand",
        before: |world| drop(world.run(first())),
        what: merge,
        feed: first,
    },
];

fn sync(world: &mut World, items: Vec<Item>) -> Result<Option<Run>, String> {
    let run = world.try_run(items);
    run.map(Some).map_err(|error| error.to_string())
}

fn merge(world: &mut World) -> Result<Option<Run>, String> {
    let view = world.store.read().map_err(|error| error.to_string())?;
    let mismatch = |alert: &Alert| alert.kind == AlertKind::NameMismatch;
    let alerts = view.alerts(None, 1, mismatch);
    let alert = alerts.map_err(|error| error.to_string())?.remove(0);
    let hand = Hand {
        by: Actor::User(1000),
        now: world.now,
    };
    let merge = Resolution::Merge { into: None };
    acts::resolve(&world.store, alert.id, &merge, None, &hand)
        .map(|_| None)
        .map_err(|error| error.to_string())
}

/// Twenty people, one of whom is here by another name, two who share an email, and a record that does not map.
fn first() -> Vec<Item> {
    let many = (0..20).map(|n| {
        let (id, email) = (format!("m{n}"), format!("m{n}@x.com"));
        Item::Here(resident(&id, "Max", &format!("Many{n}"), &email))
    });
    let mut items: Vec<Item> = many.collect();
    items.push(resident("k1", "Kit", "Known", "kim@x.com").into());
    items.push(resident("d1", "Dan", "Double", "double@x.com").into());
    items.push(resident("d2", "Dot", "Double", "double@x.com").into());
    items.push(Item::Unread("record 9".into()));
    items
}

/// One left, one moved, one has another email, one is new, one is not told of.
fn changed() -> Vec<Item> {
    let mut items = first();
    for item in &mut items {
        let Item::Here(resident) = item else { continue };
        match resident.id.as_str() {
            "m1" => *resident = past(resident.clone()),
            "m2" => resident.unit = unit("777"),
            "m3" => *resident = with_email(resident.clone(), "other@x.com"),
            _ => {}
        }
    }
    items.remove(5);
    items.push(resident("n1", "Nia", "New", "nia@x.com").into());
    items
}

/// A world on a disk; its clock and its runs go on where those on the disk ended.
fn world_on(disk: &Disk) -> World {
    let store = Store::on("disk", disk.medium()).unwrap_or_else(|error| panic!("{error}"));
    let runs = store.read().unwrap().last_run().unwrap();
    let mut world = World::on(store);
    // Runs that only show that nothing moves would raise it.
    world.missing_after = 1000;
    for _ in 0..runs.map_or(0, |run| run.0) {
        world.now += SignedDuration::from_hours(1);
        world.last_run += 1;
    }
    world
}

fn dump(world: &World) -> Dump {
    world.store.read().unwrap().dump().unwrap()
}

/// Without what is reported of a run that did not come to its end.
fn without_reports(dump: &Dump) -> Dump {
    // When it ended is counted as hours.
    let reports = ["runs-1", "runs-by-integration-1", "histories-1", "hours-1"];
    let of = |(table, key): &(String, Vec<u8>)| {
        reports.contains(&table.as_str()) || (table == "meta-1" && key == b"up")
    };
    let kept = dump.iter().filter(|(key, _)| !of(key));
    kept.map(|(key, value)| (key.clone(), value.clone()))
        .collect()
}

/// Where everything comes to: people, links and alerts, without times.
fn settled(world: &mut World, feed: &[Item]) -> String {
    while world.run(feed.to_vec()).report.outcome != Outcome::Unchanged {}
    world.settles(feed.to_vec());
    let mut people = world.people();
    for person in &mut people {
        person.created = Timestamp::UNIX_EPOCH;
    }
    let links = world.links().into_iter();
    let links: Vec<_> = links.map(|(id, one)| (id, one.person, one.email)).collect();
    let alerts = world.open_alerts();
    let alerts = alerts
        .iter()
        .map(|one| (one.kind, &one.subject, &one.sides));
    format!("{people:#?} {links:#?} {:#?}", alerts.collect::<Vec<_>>())
}

/// A case without any fault.
struct Expected {
    case: Case,
    disk: Disk,
    before: Dump,
    /// A run begins in a transaction of its own, and is interrupted when the store opens the next time.
    begun: Dump,
    after: Dump,
    settled: String,
    steps: u64,
    /// Ends that were seen already: what follows from the same store is the same.
    seen: BTreeSet<&'static str>,
}

impl Expected {
    fn of(case: Case) -> Expected {
        let disk = Disk::default();
        let mut world = world_on(&disk);
        world.by_hand("Kim", "Known", Some("kim@x.com"));
        (case.before)(&mut world);
        let before = dump(&world);
        drop(world);

        let whole = disk.copy();
        let mut world = world_on(&whole);
        whole.set(None);
        (case.what)(&mut world).unwrap();
        let (steps, after) = (whole.steps(), dump(&world));
        let settled = settled(&mut world, &(case.feed)());

        let interrupted = disk.copy();
        let world = world_on(&interrupted);
        let (run, id) = (RunId(world.last_run + 1), world.integration.clone());
        let began = world.now + SignedDuration::from_hours(1);
        begin(
            &world.store,
            &Run::begun(run, id, Cause::Schedule, 1, began),
        )
        .unwrap();
        drop(world);
        Expected {
            case,
            before,
            begun: dump(&world_on(&interrupted)),
            after,
            settled,
            steps,
            disk,
            seen: BTreeSet::new(),
        }
    }

    /// Does it on a disk that fails. Whether it was told that it is done, and the world as it is then.
    fn on(&self, disk: &Disk, fault: Fault) -> (bool, World) {
        let mut world = world_on(disk);
        disk.set(Some(fault));
        let told = (self.case.what)(&mut world);
        let done = match told {
            Ok(Some(run)) => run.outcome.is_success(),
            Ok(None) => true,
            Err(_) => false,
        };
        (done, world)
    }

    /// What is there is the store before or the one after, and it comes to where it would have come.
    fn check(&mut self, mut world: World, done: bool, what: &str) {
        let found = dump(&world);
        let mut which = if found == self.after {
            "after"
        } else if found == self.before {
            "before"
        } else if found == self.begun {
            "begun"
        } else if without_reports(&found) == without_reports(&self.before) {
            "reported"
        } else {
            panic!("{what}: neither the store before nor the one after");
        };
        assert!(!done || which == "after", "{what}: lost what was done");
        if which != "reported" && !self.seen.insert(which) {
            return;
        }
        if which != "after" {
            (self.case.what)(&mut world).unwrap();
        }
        which = self.case.name;
        let settled = settled(&mut world, &(self.case.feed)());
        assert_eq!(settled, self.settled, "{what}: {which}");
    }
}

fn tell(what: &str, count: u64) {
    println!("{what}: {count}");
}

#[test]
fn a_disk_that_fails_at_any_step_leaves_the_store_before_or_the_one_after() {
    for case in CASES {
        let mut expected = Expected::of(case);
        for step in 0..expected.steps {
            let disk = expected.disk.copy();
            let (done, world) = expected.on(&disk, Fault::From(step));
            drop(world);
            assert!(disk.failed());
            disk.set(None);
            let what = format!("{}, step {step} and all after it", case.name);
            expected.check(world_on(&disk), done, &what);
        }
        tell(
            &format!("disk failures survived, {}", case.name),
            expected.steps,
        );
        assert!(expected.seen.len() > 1, "{:?}", expected.seen);
    }
}

#[test]
fn a_disk_that_fails_once_needs_no_other_process_than_the_one_that_met_it() {
    for case in CASES {
        let mut expected = Expected::of(case);
        for step in 0..expected.steps {
            let disk = expected.disk.copy();
            let (done, world) = expected.on(&disk, Fault::Once(step));
            assert!(disk.failed());
            let what = format!("{}, step {step} once", case.name);
            expected.check(world, done, &what);
        }
        tell(
            &format!("single failures survived, {}", case.name),
            expected.steps,
        );
    }
}

#[test]
fn a_disk_that_is_full_keeps_what_is_on_it() {
    let mut tried = 0;
    for case in CASES {
        let mut expected = Expected::of(case);
        let whole = expected.disk.copy();
        drop(expected.on(&whole, Fault::Full(usize::MAX)));
        for room in (expected.disk.size()..whole.size()).step_by(4096) {
            let disk = expected.disk.copy();
            let (done, world) = expected.on(&disk, Fault::Full(room));
            assert!(disk.failed());
            let people = world.people();
            // Somebody makes room.
            disk.set(None);
            assert_eq!(world.people(), people);
            expected.check(world, done, &format!("{}, {room} bytes", case.name));
            tried += 1;
        }
    }
    assert!(tried > 0);
    tell("full disks survived", tried);
}

#[test]
fn a_disk_that_loses_its_power_at_any_step_keeps_what_was_done() {
    let by_chance = std::env::var("EPMS_POWER_CUTS").map_or(1, |text| text.parse().unwrap());
    for case in CASES {
        let mut expected = Expected::of(case);
        let mut tried = 0;
        // The last one: it fails right after the last step.
        for step in 0..=expected.steps {
            let disk = expected.disk.copy();
            let (done, world) = expected.on(&disk, Fault::From(step));
            let some = (0..by_chance).map(|n| Loss::Some(step * 1000 + n));
            for loss in [Loss::All, Loss::Nothing].into_iter().chain(some) {
                let what = format!("{}, power cut at step {step}, {loss:?}", case.name);
                expected.check(world_on(&disk.after_power_cut(loss)), done, &what);
                tried += 1;
            }
            drop(world);
        }
        tell(&format!("power cuts survived, {}", case.name), tried);
    }
}

#[test]
fn a_disk_that_fails_while_the_store_opens_is_told_and_changes_nothing() {
    let expected = Expected::of(CASES[1]);
    // A run is under way: opening has something to write.
    let disk = expected.disk.copy();
    let world = world_on(&disk);
    let (run, id) = (RunId(world.last_run + 1), world.integration.clone());
    begin(
        &world.store,
        &Run::begun(run, id, Cause::Schedule, 1, world.now),
    )
    .unwrap();
    drop(world);
    let whole = disk.copy();
    whole.set(None);
    drop(Store::on("disk", whole.medium()).unwrap());
    let after = dump(&world_on(&whole));
    for step in 0..whole.steps() {
        let disk = disk.copy();
        disk.set(Some(Fault::From(step)));
        match Store::on("disk", disk.medium()) {
            Ok(store) => drop(store),
            Err(error) => assert!(error.to_string().contains("the disk failed"), "{error}"),
        }
        disk.set(None);
        assert_eq!(dump(&world_on(&disk)), after, "step {step}");
    }
    tell("failed openings survived", whole.steps());
}
