//! R41: a run that cannot map what it reads is no success, writes nothing, and waits for a script that is right or for
//! approval. Records of nobody linked stop nobody.

use proptest::prelude::*;

use super::guarding::{house, with};
use super::*;
use crate::acts::dismiss;
use crate::config::Span;
use crate::model::{Actor, Field};
use crate::store::History;

impl World {
    fn history(&self) -> History {
        let view = self.store.read().unwrap();
        view.history(&self.integration).unwrap()
    }

    fn feed_as_remembered(&self) -> Vec<Vec<u8>> {
        self.store.read().unwrap().feed(&self.integration).unwrap()
    }

    /// A run that is not understood: nobody and nothing is written but its report and what it tells.
    #[track_caller]
    fn is_not_understood<I: Into<Item>>(&mut self, items: impl IntoIterator<Item = I>) -> Seen {
        let before = (self.people(), self.links(), self.feed_as_remembered());
        let success = self.history().last_success;
        let seen = self.run(items);
        assert_eq!(
            seen.report.outcome.as_str(),
            "not_understood",
            "{:?}",
            seen.report
        );
        let after = (self.people(), self.links(), self.feed_as_remembered());
        assert_eq!(after, before);
        assert_eq!(seen.changes, []);
        let history = self.history();
        assert_eq!(history.last_success, success);
        assert_eq!(history.last_error.as_deref(), seen.report.outcome.reason());
        assert_eq!(history.failures, 0, "the source answered");
        let tells = [AlertKind::RecordsRejected, AlertKind::BadDates];
        let telling = |alert: &&Alert| {
            let says = format!("`epms approve {}`", seen.report.id);
            tells.contains(&alert.kind) && alert.detail.contains(&says)
        };
        assert!(seen.alerts.iter().any(|alert| telling(&alert)), "{seen:#?}");
        seen
    }

    #[track_caller]
    fn is_understood<I: Into<Item>>(&mut self, items: impl IntoIterator<Item = I>) -> Seen {
        let seen = self.run(items);
        assert!(seen.report.outcome.is_success(), "{:?}", seen.report);
        assert_eq!(self.history().last_success, seen.report.ended);
        seen
    }

    fn dismiss_rejected(&self, seen: &Seen) {
        let hand = crate::acts::Hand {
            by: Actor::User(1000),
            now: self.now,
        };
        let id = seen.alert(AlertKind::RecordsRejected).id;
        dismiss(&self.store, id, &hand).unwrap();
    }
}

fn here(residents: impl IntoIterator<Item = Resident>) -> Vec<Item> {
    residents.into_iter().map(Item::Here).collect()
}

/// The house, of which the records in `which` are as `broken` makes them.
fn broken(
    house: &[Resident],
    which: std::ops::Range<usize>,
    broken: impl Fn(String) -> Item,
) -> Vec<Item> {
    let mut items = here(house.to_vec());
    for item in &mut items[which] {
        *item = broken(item.id().to_owned());
    }
    items
}

fn unread(count: usize) -> impl Iterator<Item = Item> {
    (0..count).map(|number| Item::Unread(format!("application-{number}")))
}

/// A1: it was `committed`, a success, with an alert for each record.
#[test]
fn r41_a_feed_of_which_nothing_can_be_mapped_is_no_success_and_one_alert() {
    for reject in [Item::Bad, Item::Unread] {
        let mut world = World::new();
        let house = house(20);
        world.run(house.clone());
        let seen = world.is_not_understood(broken(&house, 0..20, reject));
        let reason = seen.report.outcome.reason().unwrap();
        assert!(
            reason.starts_with("none of the 20 records could be mapped; 20 at "),
            "{reason}"
        );
        assert!(reason.contains("`epms approve r2`"), "{reason}");
        assert_eq!(seen.kinds(), [AlertKind::RecordsRejected]);
        let alert = &seen.alerts[0];
        assert_eq!(alert.count, Some(20));
        assert_eq!(alert.examples, ["t00", "t01", "t02"]);
        assert!(alert.detail.contains("`epms approve r2`"), "{alert:?}");
        assert_eq!(seen.report.counts.rejected, 20);
        // Set right, it goes on as if nothing had been.
        let seen = world.is_understood(house.clone());
        assert_eq!((seen.changes.len(), seen.kinds()), (0, Vec::new()));
        world.settles(house);
    }
}

#[test]
fn r41_of_a_first_feed_two_records_must_not_all_be_rejected_and_one_may() {
    let mut world = World::new();
    let first = [Item::Unread("a".into())];
    assert!(world.run(first).report.outcome.is_success());
    world.is_not_understood(unread(2));
    assert_eq!(world.people(), []);
    // One that maps is enough, where nobody is linked.
    let mut feed = here([ana()]);
    feed.extend(unread(8));
    world.is_understood(feed);
    // Somebody is linked now.
    let seen = world.is_not_understood([Item::Unread("a".into())]);
    let reason = seen.report.outcome.reason().unwrap();
    assert!(
        reason.starts_with("the only record could not be mapped"),
        "{reason}"
    );
}

#[test]
fn r41_records_of_as_many_linked_people_as_may_leave_may_be_rejected_and_no_more() {
    for reject in [Item::Bad, Item::Unread] {
        let mut world = World::new();
        let house = house(20);
        world.run(house.clone());
        let seen = world.is_not_understood(broken(&house, 0..6, reject));
        let reason = seen.report.outcome.reason().unwrap();
        assert!(
            reason.starts_with("the records of 6 of 20 linked people could not be mapped, and could in the last run"),
            "{reason}"
        );
        world.is_understood(broken(&house, 0..5, reject));
        // Those five are known to be so; five others more are no news beyond the limit either.
        world.is_understood(broken(&house, 0..10, reject));
        world.is_not_understood(broken(&house, 0..16, reject));
        world.is_understood(broken(&house, 0..10, reject));
    }
    // Of many people a tenth.
    let mut world = World::new();
    let house = house(80);
    world.run(house.clone());
    world.is_not_understood(broken(&house, 0..9, Item::Unread));
    world.is_understood(broken(&house, 0..8, Item::Unread));
}

#[test]
fn r41_who_is_past_is_not_counted() {
    let mut world = World::new();
    world.guard.limit = 1000;
    let house = house(40);
    world.run(house.clone());
    let left = with(&house, 0..20, past);
    world.run(left.clone());
    world.guard.limit = 5;
    world.is_understood(left.clone());
    world.is_understood(broken(&left, 0..20, Item::Bad));
    world.is_not_understood(broken(&left, 14..34, Item::Bad));
}

/// E2.
#[test]
fn r41_applications_in_a_form_that_the_script_does_not_know_stop_nobody() {
    let mut world = World::new();
    let house = house(100);
    world.run(house.clone());
    let mut feed = here(with(&house, 3..4, past));
    feed.extend(unread(12));
    let seen = world.is_understood(feed.clone());
    assert_eq!(
        seen.change_kinds(),
        [ChangeKind::Closed],
        "the rest goes on"
    );
    assert_eq!(seen.kinds(), [AlertKind::RecordsRejected]);
    let alert = &seen.alerts[0];
    assert_eq!((alert.count, alert.examples.len()), (Some(12), 3));
    assert_eq!(alert.subject, "scripts/elm.rhai:3:9");
    assert_eq!(alert.detail, "LeaseFrom: is no date");
    world.settles(feed);
    // Nor on a morning on which as many leave the feed.
    let mut feed = here(house[12..].to_vec());
    feed.extend((20..33).map(|number| Item::Unread(format!("application-{number}"))));
    world.is_understood(feed);
}

#[test]
fn r41_a_record_with_no_id_may_be_that_of_whoever_is_newly_absent() {
    let mut world = World::new();
    let house = house(20);
    world.run(house.clone());
    let numbered = |count: usize| (0..count).map(|number| Item::Unread(format!("record {number}")));
    let mut feed = here(house[6..].to_vec());
    feed.extend(numbered(6));
    world.is_not_understood(feed);
    // Nobody is absent: they are nobody's.
    let mut feed = here(house.clone());
    feed.extend(numbered(9));
    world.is_understood(feed.clone());
    // They were there before anybody was absent.
    let mut feed = here(house[8..].to_vec());
    feed.extend(numbered(9));
    world.is_understood(feed.clone());
    feed.extend((9..20).map(|number| Item::Unread(format!("record {number}"))));
    world.is_understood(feed.clone());
    // Now others are absent, too.
    let mut feed = here(house[14..].to_vec());
    feed.extend((0..28).map(|number| Item::Unread(format!("record {number}"))));
    world.is_not_understood(feed);
}

#[test]
fn r41_a_record_of_a_household_is_that_of_all_its_members() {
    let mut world = World::new();
    world.per_record = 3;
    let house = house(30);
    world.run(house.clone());
    assert_eq!(world.links()["t01"].record.as_deref(), Some("t00"));
    assert_eq!(world.links()["t00"].record, None);
    let without = |households: usize| {
        let mut feed: Vec<Item> = Vec::new();
        for members in house.chunks(3).skip(households) {
            feed.extend(here(members.to_vec()));
        }
        // Each stands alone in a record of its own at the end of the feed.
        let unread = house.chunks(3).take(households);
        feed.extend(unread.map(|members| Item::Unread(members[0].id.clone())));
        feed
    };
    let feed = without(2);
    world.per_record = 3;
    let seen = world.run(feed);
    // Two households are six people, whatever stands together in the last record.
    assert_eq!(seen.report.outcome.as_str(), "not_understood");
    assert!(seen.report.outcome.reason().unwrap().contains("6 of 30"));
    world.is_understood(without(1));
}

#[test]
fn r41_a_small_pms_property_that_is_lost_does_not_hide_behind_a_large_one() {
    let mut world = World::new();
    world.pms_properties = vec!["big", "small"];
    let of = |property: &str, one: Resident| {
        let id = format!("{property}/{}", one.id);
        with_id(one, &id)
    };
    let house = house(100);
    let feed: Vec<Resident> = house
        .into_iter()
        .enumerate()
        .map(|(number, one)| of(if number < 8 { "small" } else { "big" }, one))
        .collect();
    world.run(feed.clone());
    let seen = world.is_not_understood(broken(&feed, 0..7, Item::Bad));
    let reason = seen.report.outcome.reason().unwrap();
    assert!(
        reason.starts_with("the records of 7 of 8 linked people of the PMS property `small`"),
        "{reason}"
    );
    world.is_understood(broken(&feed, 8..15, Item::Bad));
}

#[test]
fn r41_approval_lets_that_very_run_through_and_no_other() {
    let mut world = World::new();
    let house = house(20);
    world.run(house.clone());
    let moved = with(&house, 19..20, past);
    let feed = broken(&moved, 0..8, Item::Unread);
    let seen = world.is_not_understood(feed.clone());
    assert_eq!(
        seen.decision("t19").reason,
        "waits with the run; would be updated"
    );
    assert_eq!(seen.ruled("t19"), (Fate::Held, "R41"));
    let digest = seen.report.outcome.digest().unwrap().to_owned();
    assert_eq!(
        world
            .is_not_understood(feed.clone())
            .report
            .outcome
            .digest(),
        Some(&*digest)
    );
    let refused = world.approve(seen.report.id, Some("0000")).unwrap_err();
    assert!(refused.to_string().contains("holds the plan"), "{refused}");
    world.approve(seen.report.id, Some(&digest)).unwrap();
    // More records, or another place, were not approved.
    world.is_not_understood(broken(&moved, 0..9, Item::Unread));
    world.is_not_understood(broken(&moved, 0..8, Item::Bad));
    let seen = world.is_understood(feed.clone());
    assert_eq!(seen.report.approved_by, Some(Actor::User(7)));
    assert_eq!(seen.change_kinds(), [ChangeKind::Closed]);
    assert_eq!(seen.report.counts.rejected, 8);
    // What was approved is not counted again.
    world.settles(feed);
    world.is_understood(broken(&moved, 0..12, Item::Unread));
    let refused = world.approve(seen.report.id, None).unwrap_err();
    assert!(
        refused
            .to_string()
            .contains("only a run that is held or not_understood")
    );
}

#[test]
fn r41_an_approval_of_a_feed_without_anything_that_maps_holds_until_another_place_fails() {
    let mut world = World::new();
    let feed: Vec<Item> = unread(3).collect();
    let seen = world.is_not_understood(feed.clone());
    world.approve(seen.report.id, None).unwrap();
    world.is_understood(feed.clone());
    world.settles(feed);
    world.is_not_understood(["a", "b"].map(|id| Item::Bad(id.into())));
}

#[test]
fn r41_an_approval_expires() {
    let mut world = World::new();
    world.guard.approval_expires = Span::seconds(1800);
    let feed: Vec<Item> = unread(3).collect();
    let seen = world.is_not_understood(feed.clone());
    world.approve(seen.report.id, None).unwrap();
    world.is_not_understood(feed);
}

#[test]
fn r41_an_approval_waits_while_the_guard_holds_the_same_run_for_another_reason() {
    let mut world = World::new();
    let house = house(30);
    world.run(house.clone());
    let feed = broken(&with(&house, 10..20, past), 0..8, Item::Unread);
    let seen = world.is_not_understood(feed.clone());
    world.approve(seen.report.id, None).unwrap();
    let held = world.is_held(feed.clone());
    world.approve(held.report.id, None).unwrap();
    let seen = world.is_understood(feed);
    assert_eq!(seen.report.counts.updated, 10);
}

#[test]
fn r41_a_held_plan_still_waits_while_a_run_is_not_understood() {
    let mut world = World::new();
    let house = house(20);
    world.run(house.clone());
    let left = with(&house, 0..8, past);
    let held = world.is_held(left.clone());
    let seen = world.is_not_understood(broken(&house, 0..20, Item::Unread));
    assert!(seen.kinds().contains(&AlertKind::MassChangeHeld));
    world.approve(held.report.id, None).unwrap();
    let seen = world.is_understood(left);
    assert_eq!(seen.report.counts.updated, 8);
    assert_eq!(seen.kinds(), NO_ALERTS);
}

#[test]
fn r30_a_dismissed_alert_about_rejected_records_is_opened_by_another_text_and_not_by_a_count() {
    let mut world = World::new();
    let feed = |count: usize| {
        let mut feed = here([ana(), bob()]);
        feed.extend(unread(count));
        feed
    };
    world.run([ana(), bob()]);
    let seen = world.run(feed(3));
    world.dismiss_rejected(&seen);
    for count in [1, 7, 3] {
        assert_eq!(world.run(feed(count)).kinds(), NO_ALERTS);
    }
    // A run that writes nothing because of them is told all the same, until that is dismissed, too.
    let none = || unread(4).collect::<Vec<_>>();
    let seen = world.is_not_understood(none());
    world.dismiss_rejected(&seen);
    assert_eq!(world.run(none()).kinds(), NO_ALERTS);
}

/// The store of a version that raised one alert for each record.
#[test]
fn r41_open_alerts_of_an_earlier_version_close_and_their_records_are_no_news() {
    let mut world = World::new();
    let house = house(20);
    world.run(house.clone());
    let feed = broken(&house, 0..8, Item::Bad);
    world.earlier_version_ran(&feed);
    let seen = world.is_understood(feed.clone());
    assert_eq!(seen.kinds(), [AlertKind::RecordsRejected]);
    assert_eq!(seen.alerts[0].count, Some(8));
    world.settles(feed);
    // Where it says nothing of them they are news.
    let mut world = World::new();
    world.run(house.clone());
    world.earlier_version_ran(&[]);
    world.is_not_understood(broken(&house, 0..8, Item::Bad));
}

impl World {
    /// What a run of an earlier version left: an alert for each record that it rejected, and no word of R41.
    fn earlier_version_ran(&self, feed: &[Item]) {
        let write = self.store.write().unwrap();
        for item in feed {
            let Item::Bad(id) = item else { continue };
            let alert = Alert {
                id: write.new_alert_id().unwrap(),
                kind: AlertKind::MappingFailed,
                integration: self.integration.clone(),
                subject: id.clone(),
                state: AlertState::Open,
                sides: Vec::new(),
                detail: "lease_end: is wrong".into(),
                confidence: None,
                count: None,
                examples: Vec::new(),
                suggestion: None,
                raised_by: RunId(self.last_run),
                first_seen: self.now,
                last_seen: self.now,
                acts: Vec::new(),
                assigned: None,
                comments: Vec::new(),
            };
            write.put_alert(&alert).unwrap();
        }
        let mut state = write.guard(&self.integration).unwrap();
        state.understanding = crate::model::Understanding::default();
        write.put_guard(&self.integration, &state).unwrap();
        write.forget_feed(&self.integration).unwrap();
        write.commit().unwrap();
    }
}

/// Somebody of whom the script cannot read when the lease ends.
fn endless(one: Resident) -> Resident {
    Resident {
        lease_end: None,
        unreadable: [Field::LeaseEnd].into(),
        ..one
    }
}

/// A1: a format that changed in the PMS costs nobody a date, and is no success.
#[test]
fn r41_a_date_that_cannot_be_read_of_more_linked_people_than_may_leave_is_not_understood() {
    let mut world = World::new();
    let house = house(20);
    world.run(house.clone());
    let moved = with(&house, 19..20, past);
    let feed = with(&moved, 0..6, endless);
    let seen = world.is_not_understood(feed.clone());
    let reason = seen.report.outcome.reason().unwrap();
    assert!(
        reason.starts_with(
            "the lease_end of 6 of 20 linked people could not be read, and could in the last run that succeeded; \
             nothing was written"
        ),
        "{reason}"
    );
    assert_eq!(seen.kinds(), [AlertKind::BadDates]);
    assert_eq!(seen.alerts[0].count, Some(6));
    // Fewer are told, and no news in the next run; then again as many may come.
    world.is_understood(with(&moved, 0..5, endless));
    world.settles(with(&moved, 0..5, endless));
    world.is_understood(with(&moved, 0..10, endless));
    world.is_not_understood(with(&moved, 0..16, endless));
    // Read again, they are news when they are lost again.
    world.is_understood(moved.clone());
    assert_eq!(world.stay(1).lease_end, day(12, 31));
    let seen = world.is_not_understood(feed.clone());
    world.approve(seen.report.id, None).unwrap();
    world.is_not_understood(with(&moved, 0..7, endless));
    let seen = world.is_understood(feed.clone());
    assert!(!seen.alert(AlertKind::BadDates).detail.contains("approve"));
    assert_eq!(world.stay(1).lease_end, day(12, 31));
    world.settles(feed);
    world.is_understood(with(&moved, 0..11, endless));
}

#[test]
fn r41_each_date_counts_for_itself_and_only_of_linked_people_who_have_not_left() {
    let mut world = World::new();
    world.guard.limit = 1000;
    let house = house(40);
    world.run(house[..32].to_vec());
    let left = with(&house[..32], 0..10, past);
    world.run(left.clone());
    world.guard.limit = 5;
    // Those who have left, and newcomers, whose forms the script does not know.
    let mut feed = with(&left, 0..10, endless);
    feed.extend(house[32..].iter().cloned().map(endless));
    let seen = world.is_understood(feed.clone());
    assert_eq!(
        (
            seen.alert(AlertKind::BadDates).count,
            seen.report.counts.created
        ),
        (Some(8), 8)
    );
    let beginless = |one: Resident| Resident {
        lease_start: None,
        unreadable: [Field::LeaseStart].into(),
        ..one
    };
    let feed = with(&feed, 10..15, endless);
    let feed = with(&feed, 15..20, beginless);
    world.is_understood(feed.clone());
    world.is_not_understood(with(&feed, 20..26, beginless));
}

/// Who came in with such a date, or came back with one, had none that could be read before.
#[test]
fn r41_a_date_that_could_not_be_read_of_somebody_when_they_came_is_no_news_later() {
    let mut world = World::new();
    let house = house(20);
    world.run(with(&house, 0..7, endless));
    world.settles(with(&house, 0..7, endless));
    let married = |one: Resident| Resident {
        last_name: "Hall".into(),
        ..endless(one)
    };
    world.is_understood(with(&house, 0..7, married));
    // Seven who left come back.
    world.unguarded();
    world.is_understood(with(&with(&house, 0..7, married), 8..15, past));
    let back = with(&with(&house, 0..7, married), 8..15, endless);
    world.is_understood(back.clone());
    world.settles(back);
    world.guard = Guard::default();
    let back = with(&with(&house, 0..7, married), 8..15, |one| Resident {
        phone: None,
        ..endless(one)
    });
    world.is_understood(back);
}

#[test]
fn r41_dates_of_a_small_pms_property_do_not_hide_behind_a_large_one() {
    let mut world = World::new();
    world.pms_properties = vec!["big", "small"];
    let house = house(100).into_iter().enumerate();
    let feed: Vec<Resident> = house
        .map(|(number, one)| {
            let property = if number < 8 { "small" } else { "big" };
            let id = format!("{property}/{}", one.id);
            with_id(one, &id)
        })
        .collect();
    world.run(feed.clone());
    let seen = world.is_not_understood(with(&feed, 0..7, endless));
    let reason = seen.report.outcome.reason().unwrap();
    assert!(
        reason.starts_with("the lease_end of 7 of 8 linked people of the PMS property `small`"),
        "{reason}"
    );
    world.is_understood(with(&feed, 8..15, endless));
}

/// E7: on the first of a month leases are rolled over, and end before they start until somebody writes the new end.
#[test]
fn r41_leases_that_end_before_they_start_are_told_and_stop_nobody() {
    let mut world = World::new();
    let house = house(20);
    world.run(house.clone());
    let rolled_over = |one: Resident| Resident {
        lease_start: day(3, 1),
        lease_end: day(2, 28),
        ..one
    };
    let feed = with(&house, 0..20, rolled_over);
    let seen = world.is_understood(feed.clone());
    assert_eq!(
        (seen.changes.len(), seen.kinds()),
        (0, vec![AlertKind::BadDates])
    );
    assert_eq!(seen.alerts[0].count, Some(20));
    world.settles(feed);
}

/// It would be opened on the first of each month.
#[test]
fn r30_a_dismissed_alert_about_dates_is_not_opened_by_a_count() {
    let mut world = World::new();
    let house = house(20);
    world.run(house.clone());
    let seen = world.run(with(&house, 0..2, endless));
    let hand = crate::acts::Hand {
        by: Actor::User(1000),
        now: world.now,
    };
    dismiss(&world.store, seen.alert(AlertKind::BadDates).id, &hand).unwrap();
    for count in [1, 5, 2] {
        assert_eq!(
            world.run(with(&house, 0..count, endless)).kinds(),
            NO_ALERTS
        );
    }
}

/// A version before this one rejected whose lease ends before it starts, and of whom a date is none.
#[test]
fn r41_dates_that_an_earlier_version_rejected_are_no_news() {
    let mut world = World::new();
    let house = house(20);
    world.run(house.clone());
    let rejected = broken(&house, 0..8, Item::Bad);
    world.earlier_version_ran(&rejected);
    let seen = world.is_understood(with(&house, 0..8, endless));
    assert_eq!(seen.kinds(), [AlertKind::BadDates]);
    let mut world = World::new();
    world.run(house.clone());
    world.earlier_version_ran(&[]);
    world.is_not_understood(with(&house, 0..8, endless));
}

proptest! {
    #![proptest_config(searching(48))]

    /// E2, whatever else the morning brings.
    #[test]
    fn r41_records_of_nobody_linked_never_change_the_outcome(
        mornings in prop::collection::vec(
            (
                prop::collection::vec((0usize..24, 0usize..5), 0..14),
                0usize..40,
            ),
            1..5,
        ),
        per_record in 1usize..3,
    ) {
        let house = house(24);
        let (mut with, mut without) = (World::new(), World::new());
        for world in [&mut with, &mut without] {
            world.per_record = per_record;
            world.run(house.clone());
        }
        let mut strangers = 0;
        for (events, more) in mornings {
            let mut feed: Vec<Option<Item>> = house.iter().cloned().map(|one| Some(one.into())).collect();
            for (who, what) in events {
                let one = house[who].clone();
                feed[who] = match what {
                    0 => None,
                    1 => Some(Item::Bad(one.id)),
                    2 => Some(Item::Unread(one.id)),
                    3 => Some(past(one).into()),
                    _ => Some(one.into()),
                };
            }
            let mut feed: Vec<Item> = feed.into_iter().flatten().collect();
            // Residents of a household stay together.
            while !feed.len().is_multiple_of(per_record) {
                feed.push(house[23].clone().into());
            }
            prop_assume!(feed.iter().any(|item| matches!(item, Item::Here(_))));
            let one = without.run(feed.clone());
            for _ in 0..more {
                feed.push(Item::Unread(format!("application-{strangers}")));
                strangers += 1;
            }
            let other = with.run(feed);
            let how = |seen: &Seen| match &seen.report.outcome {
                outcome if outcome.is_success() => "success",
                outcome => outcome.as_str(),
            };
            prop_assert_eq!(how(&one), how(&other));
            prop_assert_eq!(one.report.counts.rejected + more as u64, other.report.counts.rejected);
            prop_assert_eq!(without.people(), with.people());
        }
    }
}
