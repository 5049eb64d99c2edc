//! A run that remembers the run before decides what a run decides that looks at everything.

use proptest::prelude::*;

use super::histories::{Event, Pms, by_hand};
use super::*;
use crate::config::OnTrip;
use crate::model::Field;
use crate::sync::memory::gather;

/// Two worlds in which the same happens; one of them forgets.
struct Both {
    remembers: World,
    forgets: World,
}

impl Both {
    fn new(set: impl Fn(&mut World)) -> Both {
        let world = |forgetful: bool| {
            let mut world = World::new();
            world.forgetful = forgetful;
            set(&mut world);
            world
        };
        Both {
            remembers: world(false),
            forgets: world(true),
        }
    }

    /// Both run, and nothing tells them apart afterwards.
    fn run(&mut self, at: &str, items: &[Item]) {
        let one = self.remembers.at(at).run(items.to_vec());
        let other = self.forgets.at(at).run(items.to_vec());
        are_alike((&self.remembers, &one), (&self.forgets, &other));
    }
}

/// Two worlds in which the same happened are the same, and said the same of it.
#[track_caller]
pub(super) fn are_alike((one, seen): (&World, &Seen), (other, told): (&World, &Seen)) {
    assert_eq!(seen.report, told.report);
    let sorted = |seen: &Seen| {
        let mut told: Vec<String> = seen
            .decisions
            .iter()
            .map(|one| format!("{one:?}"))
            .collect();
        told.sort();
        told
    };
    assert_eq!(sorted(seen), sorted(told));
    assert_eq!(seen.changes, told.changes);
    assert_eq!(one.people(), other.people());
    assert_eq!(one.links(), other.links());
    let alerts = |world: &World| {
        let view = world.store.read().unwrap();
        view.alerts(None, usize::MAX, |_| true).unwrap()
    };
    assert_eq!(alerts(one), alerts(other));
    let guard = |world: &World| {
        let write = world.store.write().unwrap();
        write.guard(&world.integration).unwrap()
    };
    assert_eq!(guard(one), guard(other));
}

proptest! {
    #![proptest_config(searching(32))]

    #[test]
    fn a_memory_can_be_dropped_at_any_time_and_no_result_changes(
        history in prop::collection::vec(
            (
                prop::collection::vec((0u8..23, 0usize..12, 0usize..6), 0..4),
                prop::collection::vec((0usize..24, 0usize..10), 0..4),
                0usize..4,
                any::<bool>(),
            ),
            4..14,
        ),
        strangers in 0usize..12,
        hold_email in any::<bool>(),
        missing_after in 1u32..4,
        limit in prop::sample::select(vec![1_u32, 1000]),
        stop in any::<bool>(),
        per_record in 1usize..4,
        unknown_word in any::<bool>(),
    ) {
        let mut both = Both::new(|world| {
            world.guard.limit = limit;
            world.guard.on_trip = if stop { OnTrip::Stop } else { OnTrip::Stage };
            world.missing_after = missing_after;
            world.per_record = per_record;
            if hold_email {
                world.email_change = EmailChange::HoldEmail;
            }
        });
        let mut pms = Pms::with_strangers(strangers);
        for (events, odd, turn, drop) in history {
            for (who, value) in odd {
                pms.becomes_odd(who, value);
            }
            for event in events {
                let (kind, who, value): Event = event;
                if kind >= 20 {
                    by_hand(&both.remembers, kind, who, value);
                    by_hand(&both.forgets, kind, who, value);
                } else {
                    pms.happens(&both.forgets, event);
                }
            }
            if drop && turn == 0 {
                let write = both.remembers.store.write().unwrap();
                write.forget_feed(&IntegrationId::new(HOME)).unwrap();
                write.commit().unwrap();
            }
            for property in [HOME, OTHER] {
                let mut feed = pms.feed(property);
                for item in &mut feed {
                    if let Item::LeftOut(one, _) = item && unknown_word {
                        one.status = LeaseStatus::Unknown;
                    }
                }
                if !feed.is_empty() {
                    let turn = turn % feed.len();
                    feed.rotate_left(turn);
                }
                both.run(property, &feed);
            }
        }
    }
}

/// How many residents of the next run of this feed are looked at, by what is remembered.
fn looked_at(world: &World, items: &[Item]) -> usize {
    let memory = world.memory().unwrap();
    let taken = world.taken(items.to_vec(), Some(&memory), memory.seed());
    let write = world.store.write().unwrap();
    let property = Property::of(&write, &world.integration).unwrap();
    let alerts = write.open_alerts(&world.integration).unwrap();
    let id = &world.integration;
    let gathered = gather(&write, id, &property, &alerts, Some(&memory), taken);
    gathered.unwrap().entries.len()
}

fn tenant(number: usize) -> Resident {
    let id = format!("t{number}");
    Resident {
        unit: unit(&id),
        ..resident(
            &id,
            "Ana",
            &format!("Ortiz{number}"),
            &format!("{id}@x.com"),
        )
    }
}

#[test]
fn of_a_feed_that_is_as_it_was_nobody_is_looked_at_and_of_one_that_is_not_who_changed() {
    let mut world = World::new();
    let mut feed: Vec<Item> = (0..50).map(|number| tenant(number).into()).collect();
    feed.push(Item::LeftOut(tenant(90), "status X"));
    let unknown = with_status(tenant(92), LeaseStatus::Unknown);
    feed.push(Item::LeftOut(unknown, "status Applicant"));
    feed.push(past(tenant(91)).into());
    world.run(feed.clone());
    assert_eq!(looked_at(&world, &feed), 0);
    world.settles(feed.clone());

    feed[7] = past(tenant(7)).into();
    feed.remove(9);
    assert_eq!(looked_at(&world, &feed), 1);
    let seen = world.run(feed.clone());
    assert_eq!(seen.change_kinds(), [ChangeKind::Closed]);
    assert_eq!(seen.decisions.len(), feed.len());
    assert_eq!(
        looked_at(&world, &feed),
        0,
        "who is absent is counted, not looked at"
    );
}

/// E7: a feed that has them for months must cost no more than one that has none.
#[test]
fn r12_of_a_feed_with_bad_dates_nobody_is_looked_at_and_the_alert_goes_on_counting() {
    let mut world = World::new();
    let bad = |number: usize| Resident {
        lease_end: None,
        unreadable: [Field::LeaseEnd].into(),
        ..tenant(number)
    };
    let mut feed: Vec<Item> = (0..50).map(|number| tenant(number).into()).collect();
    for number in [7, 9, 11, 13, 15] {
        feed[number] = bad(number).into();
    }
    world.run(feed.clone());
    assert_eq!(looked_at(&world, &feed), 0);
    world.settles(feed.clone());
    let told = |world: &World| {
        let mut alerts = world.open_alerts().into_iter();
        let alert = alerts.find(|one| one.kind == AlertKind::BadDates);
        alert.map(|alert| (alert.count, alert.examples.join(" ")))
    };
    assert_eq!(told(&world), Some((Some(5), "t7 t9 t11".into())));
    feed[9] = tenant(9).into();
    let seen = world.run(feed.clone());
    assert_eq!(seen.report.notes["unreadable_date"], 4);
    assert_eq!(told(&world), Some((Some(4), "t7 t11 t13".into())));
    for number in [7, 11, 13, 15] {
        feed[number] = tenant(number).into();
    }
    world.run(feed.clone());
    assert_eq!(told(&world), None);
    assert_eq!(looked_at(&world, &feed), 0);
}

/// Every fifth record is rejected, and every fifth has a status word that nobody knows; of half of both somebody is linked.
fn with_odd_ones(count: usize) -> Vec<Item> {
    let words = ["is no date", "has no year"];
    let items = (0..count).map(|number| match number % 10 {
        2 | 7 => Item::Wrong(format!("t{number}"), "email", words[number % 2].to_owned()),
        4 | 9 => Item::Here(Resident {
            status: LeaseStatus::Unknown,
            status_word: "Renewed".into(),
            ..tenant(number)
        }),
        _ => tenant(number).into(),
    });
    items.collect()
}

#[test]
fn records_that_are_rejected_or_unknown_rest_until_they_change() {
    let mut world = World::new();
    world.guard.limit = 100;
    let half = (0..50).map(|number| Item::from(tenant(number)));
    world.run(half);
    let mut feed = with_odd_ones(100);
    let seen = world.run(feed.clone());
    assert!(seen.report.outcome.is_success(), "{:?}", seen.report);
    assert_eq!(seen.report.counts.rejected, 20);
    assert_eq!(looked_at(&world, &feed), 0);
    world.settles(feed.clone());
    let told = |world: &World| {
        let mut alerts = world.open_alerts().into_iter();
        let alert = alerts
            .find(|one| one.kind == AlertKind::RecordsRejected)
            .unwrap();
        assert_eq!(alert.last_seen, world.now);
        (alert.count.unwrap(), alert.examples.join(" "), alert.detail)
    };
    let by = |count: u64, examples: &str| (count, examples.to_owned(), "has no year".to_owned());
    assert_eq!(told(&world), by(20, "t12 t17 t2"));
    // None that is named changes: nothing else is looked at.
    feed[97] = tenant(97).into();
    feed[94] = tenant(94).into();
    assert_eq!(looked_at(&world, &feed), 2);
    world.run(feed.clone());
    assert_eq!(told(&world), by(19, "t12 t17 t2"));
    assert!(world.links().values().all(|link| link.misses == 0), "R25");
    // One that is named does: of the others it is looked up who is named now.
    feed[17] = tenant(17).into();
    assert_eq!(looked_at(&world, &feed), 19);
    world.run(feed.clone());
    assert_eq!(told(&world), by(18, "t12 t2 t22"));
    assert_eq!(looked_at(&world, &feed), 0);
    let feed: Vec<Item> = (0..100).map(|number| tenant(number).into()).collect();
    let seen = world.run(feed.clone());
    assert_eq!(seen.kinds(), NO_ALERTS);
    world.settles(feed);
}

/// R25: of a household nobody is missed while its record cannot be read, and all are once it is gone.
#[test]
fn r25_a_record_that_cannot_be_read_protects_its_people_while_it_rests() {
    let mut world = World::new();
    world.guard.limit = 100;
    world.per_record = 2;
    let mut feed: Vec<Item> = (0..20).map(|number| tenant(number).into()).collect();
    world.run(feed.clone());
    // One record stood for the two of them.
    world.per_record = 1;
    feed.splice(0..2, [Item::Unread("t0".into())]);
    world.run(feed.clone());
    assert_eq!(looked_at(&world, &feed), 0);
    world.settles(feed.clone());
    let misses = |world: &World| ["t0", "t1"].map(|id| world.links()[id].misses);
    assert_eq!(misses(&world), [0, 0]);
    feed.remove(0);
    world.run(feed.clone());
    assert_eq!(misses(&world), [1, 1]);
}

#[test]
fn whoever_somebody_wrote_about_is_looked_at_and_who_shares_an_email_with_a_newcomer() {
    let mut world = World::new();
    let mut feed: Vec<Item> = (0..50).map(|number| tenant(number).into()).collect();
    world.run(feed.clone());
    world.edit(3, |person| person.first_name = "Hand".into());
    assert_eq!(looked_at(&world, &feed), 1);
    world.run(feed.clone());
    assert_eq!(world.person(3).first_name, "Ana");

    feed.push(with_email(tenant(60), "t5@x.com").into());
    assert_eq!(looked_at(&world, &feed), 2);
    let seen = world.run(feed.clone());
    assert_eq!(seen.ruled("t60"), (Fate::Held, "R16"));
    assert_eq!(looked_at(&world, &feed), 2, "what waits is looked at again");
}

/// R22: a record that is over makes nobody, until somebody who is linked has its email and name.
#[test]
fn r22_who_gets_the_email_of_a_record_that_is_over_has_its_id_too_whatever_is_remembered() {
    let over = |id: &str| past(with_id(with_email(tenant(7), "old@x.com"), id));
    let feed: Vec<Item> = (0..50).map(|number| tenant(number).into()).collect();
    let with = |feed: &[Item], more: Resident| [feed, &[more.into()]].concat();

    // By hand.
    let mut world = World::new();
    let both = with(&feed, over("t60"));
    let seen = world.run(both.clone());
    assert_eq!(seen.ruled("t60"), (Fate::Ineligible, "R7"));
    let person = world.links()["t7"].person;
    world.edit(person.0, |one| one.email = Some("old@x.com".into()));
    let seen = world.run(both.clone());
    assert_eq!(seen.ruled("t60"), (Fate::Linked, "R22"));

    // By a run that writes the name, where the email is locked.
    let mut world = World::new();
    let mut both = with(&feed, over("t60"));
    both[7] = with_email(resident("t7", "Eva", "Ortiz7", ""), "old@x.com").into();
    world.run(both.clone());
    let person = world.links()["t7"].person;
    world.edit(person.0, |one| one.locks = [Field::Email].into());
    both[7] = with_email(resident("t7", "Eva", "Ortiz7", ""), "new@x.com").into();
    world.run(both.clone());
    both[7] = with_email(tenant(7), "new@x.com").into();
    let seen = world.run(both.clone());
    assert_eq!(seen.ruled("t7"), (Fate::Updated, "R18"));
    assert_eq!(seen.ruled("t60"), (Fate::Ineligible, "R7"));
    let seen = world.run(both.clone());
    assert_eq!(seen.ruled("t60"), (Fate::Linked, "R22"));
    world.settles(both);
}

#[test]
fn decisions_of_a_run_are_told_whole_for_as_long_as_runs_are_kept() {
    let mut world = World::new();
    let mut feed: Vec<Item> = (0..30).map(|number| tenant(number).into()).collect();
    for turn in 0..60 {
        if turn % 3 == 0 {
            let number = turn % 30;
            let moved = Resident {
                lease_end: day(11, 1 + i8::try_from(turn / 3).unwrap()),
                ..tenant(number)
            };
            feed[number] = moved.into();
        }
        world.run(feed.clone());
    }
    let view = world.store.read().unwrap();
    let kept = |run: u64| view.decisions(RunId(run)).unwrap().len();
    assert_eq!((37..=60).map(kept).collect::<Vec<_>>(), [30; 24]);
    assert_eq!(
        (1..=36).map(kept).filter(|kept| *kept > 0).count(),
        1,
        "the one that stands for them"
    );
}

/// What has no id is named by its place: such a record is read again wherever it stands.
#[test]
fn a_record_that_is_named_by_its_place_is_never_found_by_its_text() {
    let made = |name: &str| {
        let mut made = Made::of(Printer::new(7, "residents", "p1").print("{}"), 2);
        let unread = Item::Unread(name.to_owned());
        made.entries = vec![World::entry(unread, None, &mut Notes::new())];
        let before = made.clone();
        made.keep_place("record 7", 7);
        made != before
    };
    assert!(made("record 7"));
    assert!(made("record 7, resident residents[1]"));
    assert!(!made("record 70"));
    assert!(!made("lease-7, resident residents[1]"));
}

/// Of a record that cannot be read somebody is while their link says so, and no longer.
#[test]
fn who_has_another_record_now_is_not_taken_for_one_of_a_record_that_cannot_be_read() {
    let mut both = Both::new(|world| {
        world.guard.limit = 100;
        world.per_record = 2;
    });
    let mut feed: Vec<Item> = (0..20).map(|number| tenant(number).into()).collect();
    both.run(HOME, &feed);
    // The two of a household have records of their own, of which the first keeps the id.
    (both.remembers.per_record, both.forgets.per_record) = (1, 1);
    feed[0] = Item::Unread("t0".into());
    let unmapped = |world: &World| {
        let view = world.store.read().unwrap();
        view.guard(&world.integration)
            .unwrap()
            .understanding
            .unmapped
    };
    both.run(HOME, &feed);
    assert_eq!(unmapped(&both.remembers).len(), 2);
    both.run(HOME, &feed);
    let first = both.remembers.links()["t0"].person;
    assert_eq!(unmapped(&both.remembers), [first].into());
    both.run(HOME, &feed);
    assert_eq!(looked_at(&both.remembers, &feed), 0);
}
