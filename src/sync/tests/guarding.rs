//! The mass-change guard (R27), and the worst mornings that it is for: in each nobody loses anything without
//! approval.

use proptest::prelude::*;

use super::*;
use crate::acts::{ActError, Approve, approve};
use crate::config::{OnTrip, Span};
use crate::model::Actor;

/// So many neighbours, each in a unit of their own.
pub(super) fn house(count: usize) -> Vec<Resident> {
    (0..count)
        .map(|number| Resident {
            unit: unit(&format!("{}", 100 + number)),
            ..resident(
                &format!("t{number:02}"),
                &format!("Name{number}"),
                "Ortiz",
                &format!("n{number}@x.com"),
            )
        })
        .collect()
}

/// The house after `change` came over the residents in `which`.
pub(super) fn with(
    house: &[Resident],
    which: std::ops::Range<usize>,
    change: impl Fn(Resident) -> Resident,
) -> Vec<Resident> {
    let mut house = house.to_vec();
    for resident in &mut house[which] {
        *resident = change(resident.clone());
    }
    house
}

impl World {
    pub(super) fn approve(&self, run: RunId, digest: Option<&str>) -> Result<(), ActError> {
        let asked = Approve {
            run,
            digest: digest.map(String::from),
        };
        let lasts = SignedDuration::try_from(self.guard.approval_expires.0).unwrap();
        approve(&self.store, &asked, Actor::User(7), self.now, |_| lasts)?;
        Ok(())
    }

    /// A run that is held, and changes nothing.
    #[track_caller]
    pub(super) fn is_held<I: Into<Item>>(&mut self, items: impl IntoIterator<Item = I>) -> Seen {
        let (people, links) = (self.people(), self.links());
        let seen = self.run(items);
        assert_eq!(seen.report.outcome.as_str(), "held", "{:?}", seen.report);
        assert_eq!((self.people(), self.links()), (people, links));
        assert_eq!(seen.changes, []);
        assert!(seen.kinds().contains(&AlertKind::MassChangeHeld));
        seen
    }
}

impl Seen {
    #[track_caller]
    pub(super) fn digest(&self) -> &str {
        match &self.report.outcome {
            Outcome::Held { digest, .. } => digest,
            other => panic!("{other:?}"),
        }
    }

    pub(super) fn reason(&self) -> &str {
        self.report.outcome.reason().unwrap()
    }
}

#[test]
fn r27_five_closings_pass_and_six_are_held() {
    let mut world = World::new();
    let house = house(20);
    world.run(house.clone());
    let seen = world.run(with(&house, 0..5, past));
    assert_eq!(seen.report.outcome, Outcome::Committed);
    assert_eq!(seen.report.counts.updated, 5);

    let mut world = World::new();
    world.run(house.clone());
    let seen = world.is_held(with(&house, 0..6, past));
    assert_eq!(seen.ruled("t00"), (Fate::Held, "R27"));
    assert_eq!(seen.decision("t00").reason, "waits for approval: closing");
    assert!(seen.reason().starts_with("6 of 20 linked people"));
    assert!(seen.reason().contains("epms approve r2"));
    let view = world.store.read().unwrap();
    let history = view.history(&world.integration).unwrap();
    assert_eq!(history.last_error.as_deref(), Some(seen.reason()));
    assert!(history.last_success.unwrap() < seen.report.ended.unwrap());
}

#[test]
fn r27_of_many_people_a_tenth_may_go() {
    let mut world = World::new();
    let house = house(80);
    world.run(house.clone());
    let eight = with(&house, 0..8, past);
    assert!(world.run(eight).report.outcome.is_success());
    let mut world = World::new();
    world.run(house.clone());
    world.is_held(with(&house, 0..9, past));
}

#[test]
fn r27_both_numbers_are_settings() {
    let mut world = World::new();
    world.guard.limit = 1;
    world.guard.percent = 50;
    let house = house(4);
    world.run(house.clone());
    world.is_held(with(&house, 0..3, past));
    assert!(
        world
            .run(with(&house, 0..2, past))
            .report
            .outcome
            .is_success()
    );
}

#[test]
fn r27_email_changes_and_closings_count_together() {
    let mut world = World::new();
    let house = house(20);
    world.run(house.clone());
    // Emails that were edited here, and that the PMS sets back.
    for id in 1..=3 {
        world.edit(id, |person| person.email = Some(format!("hand{id}@x.com")));
    }
    let feed = with(&house, 3..6, past);
    let seen = world.is_held(feed);
    assert_eq!(
        seen.decision("t00").reason,
        "waits for approval: email change"
    );
}

#[test]
fn r27_an_exclusion_of_linked_people_counts_and_one_of_strangers_does_not() {
    let leave_out = |house: &[Resident], count: usize| -> Vec<Item> {
        let items = house.iter().enumerate();
        let items = items.map(|(place, one)| {
            if place < count {
                Item::LeftOut(one.clone(), "status Current")
            } else {
                Item::Here(one.clone())
            }
        });
        items.collect()
    };
    let mut world = World::new();
    let house = house(20);
    world.run(house.clone());
    assert!(world.run(leave_out(&house, 5)).report.outcome.is_success());
    let seen = world.is_held(leave_out(&house, 6));
    assert!(
        seen.reason().starts_with(
            "6 of 20 linked people would lose something within 1d, 1 of them by this run: exclusion of a linked person 1"
        ),
        "{}",
        seen.reason()
    );
    // An office that cancels all old applications takes nothing from anybody.
    let mut world = World::new();
    world.run(house.clone());
    let mut feed: Vec<Item> = house.iter().cloned().map(Item::Here).collect();
    feed.extend((0..30).map(|one| {
        let stranger = super::guard_people::stranger(one, one + 500);
        Item::LeftOut(stranger, "status Canceled")
    }));
    let seen = world.run(feed);
    assert!(seen.report.outcome.is_success());
    assert_eq!(seen.report.excluded_by["status Canceled"], 30);
}

#[test]
fn r27_a_slow_drain_trips_it_too() {
    let mut world = World::new();
    let house = house(20);
    world.run(house.clone());
    for gone in 1..=5 {
        let seen = world.run(with(&house, 0..gone, past));
        assert_eq!(seen.report.outcome, Outcome::Committed, "{gone}");
    }
    let seen = world.is_held(with(&house, 0..6, past));
    assert!(
        seen.reason().contains("within 1d, 1 of them by this run"),
        "{}",
        seen.reason()
    );
    // A day later the first of them count no more.
    world.now += SignedDuration::from_hours(20);
    let seen = world.run(with(&house, 0..6, past));
    assert_eq!(seen.report.outcome, Outcome::Committed);
    assert_eq!(seen.alerts, []);
}

#[test]
fn r27_a_slow_drain_of_units_trips_it_too() {
    let mut world = World::new();
    let house = house(12);
    world.run(house.clone());
    let moved = |count: usize| {
        with(&house, 0..count, |one| Resident {
            unit: unit("500"),
            ..one
        })
    };
    assert!(world.run(moved(3)).report.outcome.is_success());
    assert!(world.run(moved(5)).report.outcome.is_success());
    world.is_held(moved(6));
}

#[test]
fn r27_an_approved_plan_passes_once_and_does_not_count_again() {
    let mut world = World::new();
    let house = house(30);
    world.run(house.clone());
    let feed = with(&house, 0..10, past);
    let held = world.is_held(feed.clone());
    let again = world.is_held(feed.clone());
    assert_eq!(held.digest(), again.digest(), "the same plan");
    assert_eq!(held.alerts[0].id, again.alerts[0].id);
    // The word for the first counts for the second: it is the same plan.
    world.approve(held.report.id, Some(held.digest())).unwrap();
    let seen = world.run(feed.clone());
    assert_eq!(seen.report.outcome, Outcome::Committed);
    assert_eq!(seen.report.approved_by, Some(Actor::User(7)));
    assert_eq!(seen.report.counts.updated, 10);
    assert_eq!(seen.alerts, []);
    world.settles(feed);
    // Five more are as many as on any other day.
    assert!(
        world
            .run(with(&house, 0..15, past))
            .report
            .outcome
            .is_success()
    );
    let held = world.is_held(with(&house, 0..16, past));
    assert_eq!(held.report.approved_by, None, "an approval is used up");
}

#[test]
fn r27_a_plan_that_asks_for_more_than_was_approved_is_held_again() {
    let mut world = World::new();
    let house = house(30);
    world.run(house.clone());
    let held = world.is_held(with(&house, 0..10, past));
    world.approve(held.report.id, None).unwrap();
    let more = world.is_held(with(&house, 0..11, past));
    assert_ne!(more.digest(), held.digest());
    let other = world.is_held(with(&house, 1..11, past));
    assert_ne!(other.digest(), held.digest());
    // Fewer are within what was approved.
    let fewer = world.run(with(&house, 0..9, past));
    assert_eq!(fewer.report.outcome, Outcome::Committed);
}

#[test]
fn r27_approvals_expire() {
    let mut world = World::new();
    world.guard.approval_expires = Span::seconds(2 * 3600);
    let house = house(30);
    world.run(house.clone());
    let feed = with(&house, 0..10, past);
    let held = world.is_held(feed.clone());
    world.approve(held.report.id, None).unwrap();
    world.now += SignedDuration::from_hours(1);
    let held = world.is_held(feed.clone());
    world.approve(held.report.id, None).unwrap();
    assert!(world.run(feed).report.outcome.is_success());
}

#[test]
fn r27_what_cannot_be_approved_is_refused() {
    let mut world = World::new();
    let house = house(30);
    let first = world.run(house.clone()).report.id;
    let refused = |world: &World, run: RunId, digest: Option<&str>| {
        world.approve(run, digest).unwrap_err().to_string()
    };
    assert!(refused(&world, RunId(99), None).contains("no run r99"));
    assert!(refused(&world, first, None).contains("r1 is committed: only a run that is held"));
    let held = world.is_held(with(&house, 0..10, past)).report.id;
    assert!(refused(&world, held, Some("0123")).contains("not 0123"));
    let other = world.is_held(with(&house, 0..12, past)).report.id;
    assert!(refused(&world, held, None).contains("r3 holds another plan"));
    world.run(house.clone());
    assert!(refused(&world, other, None).contains("a later run of `elm` passed"));
}

#[test]
fn r27_staged_the_rest_is_written_and_what_takes_away_waits() {
    let mut world = World::new();
    world.guard.on_trip = OnTrip::Stage;
    let house = house(20);
    world.run(house.clone());
    let mut feed = with(&house, 0..6, past);
    feed[10].first_name = "Zoe".into();
    feed.push(with_id(with_email(ana(), "new@x.com"), "new"));
    let seen = world.run(feed.clone());
    assert_eq!(seen.report.outcome.as_str(), "held");
    assert!(seen.reason().contains("the rest was written"));
    assert_eq!(seen.fate("new"), Fate::Created);
    assert_eq!(seen.ruled("t00"), (Fate::Held, "R27"));
    assert_eq!(seen.ruled("t10"), (Fate::Updated, "R18"));
    assert_eq!(world.person(11).first_name, "Zoe");
    assert_eq!(world.stay(1).status, LeaseStatus::Current);
    assert_eq!(world.links()["t00"].status, LeaseStatus::Current);
    assert_eq!(seen.kinds(), [AlertKind::MassChangeHeld]);
    world.approve(seen.report.id, None).unwrap();
    let seen = world.run(feed);
    assert_eq!(seen.report.outcome, Outcome::Committed);
    assert!(world.stay(1).is_closed());
}

#[test]
fn the_pms_answers_200_with_an_empty_list() {
    for on_trip in [OnTrip::Stop, OnTrip::Stage] {
        let mut world = World::new();
        world.guard.on_trip = on_trip;
        // Even where the limits would let everybody go.
        world.guard.limit = 1000;
        world.missing_after = 1;
        world.run(house(3));
        let seen = world.is_held(nobody());
        assert!(
            seen.reason().contains("the feed is empty, and 3 people"),
            "{}",
            seen.reason()
        );
        assert!(seen.reason().contains("nothing was written"));
        // Approved, it may be counted that nobody was named; and that takes nothing from anybody.
        world.approve(seen.report.id, None).unwrap();
        let people = world.people();
        let seen = world.run(nobody());
        assert!(seen.report.outcome.is_success());
        assert_eq!(seen.kinds(), [AlertKind::MissingFromFeed; 3]);
        assert_eq!(world.people(), people);
    }
}

#[test]
fn credentials_change_and_half_the_properties_are_gone() {
    let mut world = World::new();
    let house = house(40);
    world.run(house.clone());
    let people = world.people();
    for _ in 0..30 {
        world.run(house[..20].to_vec());
    }
    assert_eq!(world.people(), people, "absence takes nothing from anybody");
    assert_eq!(world.open_alerts().len(), 20);
    world.run(house);
    assert_eq!(world.open_alerts(), []);
}

#[test]
fn a_status_is_renamed_by_the_pms_overnight() {
    let mut world = World::new();
    let house = house(20);
    world.run(house.clone());
    let people = world.people();
    // A word that the mapping does not know changes nobody.
    let renamed = with(&house, 0..20, |one| Resident {
        status_word: "Resident".into(),
        ..with_status(one, LeaseStatus::Unknown)
    });
    let seen = world.run(renamed);
    assert_eq!(seen.kinds(), [AlertKind::UnknownStatus]);
    assert_eq!(world.people(), people);
    // One that it takes for another thing closes nobody without approval.
    world.is_held(with(&house, 0..20, past));
    world.is_held(with(&house, 0..20, |one| {
        with_status(one, LeaseStatus::Applicant)
    }));
}

#[test]
fn an_export_window_drops_past_residents() {
    let mut world = World::new();
    let house = house(40);
    let feed = with(&house, 0..4, past);
    world.run(house.clone());
    world.run(feed.clone());
    let people = world.people();
    for _ in 0..30 {
        let seen = world.run(feed[4..].to_vec());
        assert_eq!(seen.report.outcome, Outcome::Unchanged);
        assert_eq!(seen.alerts, [], "who is over is not missed");
    }
    assert_eq!(world.people(), people);
}

#[test]
fn a_filter_is_changed_in_the_config() {
    let mut world = World::new();
    let house = house(20);
    world.run(house.clone());
    let all_left_out = house
        .iter()
        .map(|one| Item::LeftOut(one.clone(), "status Current"));
    let feed: Vec<Item> = all_left_out.collect();
    let seen = world.is_held(feed);
    assert_eq!(seen.report.counts.excluded, 20);
    assert_eq!(world.run(house).alerts, []);
}

#[test]
fn a_feed_is_restored_from_last_years_backup() {
    let mut world = World::new();
    let today = house(30);
    world.run(today.clone());
    world.run(with(&today, 0..4, past));
    let people = world.people();
    // Ten who live here now had not come yet and were past elsewhere; others have their old emails; those
    // who have left live here.
    let mut backup = today.clone();
    for resident in &mut backup[10..20] {
        *resident = past(resident.clone());
    }
    for resident in &mut backup[20..25] {
        resident.email = Some(format!("old-{}@x.com", resident.id));
    }
    let seen = world.is_held(backup);
    assert!(seen.report.counts.held >= 14, "{:?}", seen.report.counts);
    assert_eq!(world.people(), people);
    assert_eq!(world.run(with(&today, 0..4, past)).alerts, []);
    assert_eq!(world.people(), people);
}

/// What a bad morning does to the feed.
#[derive(Debug, Clone, Copy)]
enum Morning {
    Leave(usize),
    Empty,
    Half,
    Renamed,
    Excluded(usize),
    Emails(usize),
    Units(usize),
    AsItWas,
}

fn morning() -> impl Strategy<Value = Morning> {
    prop_oneof![
        (0usize..12).prop_map(Morning::Leave),
        Just(Morning::Empty),
        Just(Morning::Half),
        Just(Morning::Renamed),
        (0usize..12).prop_map(Morning::Excluded),
        (0usize..12).prop_map(Morning::Emails),
        (0usize..12).prop_map(Morning::Units),
        Just(Morning::AsItWas),
    ]
}

fn feed_of(house: &[Resident], morning: Morning) -> Vec<Item> {
    let here = |feed: Vec<Resident>| feed.into_iter().map(Item::Here).collect();
    match morning {
        Morning::Leave(count) => here(with(house, 0..count, past)),
        Morning::Empty => Vec::new(),
        Morning::Half => here(house[..house.len() / 2].to_vec()),
        Morning::Renamed => here(with(house, 0..house.len(), |one| {
            with_status(one, LeaseStatus::Void)
        })),
        Morning::Excluded(count) => house
            .iter()
            .enumerate()
            .map(|(place, one)| {
                if place < count {
                    Item::LeftOut(one.clone(), "status X")
                } else {
                    Item::Here(one.clone())
                }
            })
            .collect(),
        Morning::Emails(count) => here(with(house, 0..count, |one| {
            let email = format!("new-{}@x.com", one.id);
            with_email(one, &email)
        })),
        Morning::Units(count) => here(with(house, 0..count, |one| Resident {
            unit: unit("500"),
            ..one
        })),
        Morning::AsItWas => here(house.to_vec()),
    }
}

/// Who has lost something against before: a stay, an email, updates.
fn losers(before: &[Person], after: &[Person], home: &IntegrationId) -> Vec<PersonId> {
    let lost = |was: &Person, is: &Person| {
        let (old, new) = (&was.stays[home], &is.stays[home]);
        !old.is_closed() && new.is_closed()
            || was.email.is_some() && was.email != is.email
            || !old.excluded && new.excluded
    };
    let pairs = before.iter().zip(after);
    pairs
        .filter(|(was, is)| lost(was, is))
        .map(|(was, _)| was.id)
        .collect()
}

proptest! {
    #![proptest_config(searching(32))]

    #[test]
    fn r27_whatever_the_mornings_bring_no_day_takes_from_more_than_it_may_without_approval(
        mornings in prop::collection::vec((morning(), any::<bool>(), 1i64..30), 1..12),
        staged in any::<bool>(),
    ) {
        let mut world = World::new();
        if staged {
            world.guard.on_trip = OnTrip::Stage;
        }
        world.email_change = EmailChange::HoldEmail;
        let house = house(30);
        world.run(house.clone());
        let mut lost: Vec<(Timestamp, PersonId)> = Vec::new();
        for (morning, approved, hours) in mornings {
            world.now += SignedDuration::from_hours(hours);
            let feed = feed_of(&house, morning);
            let before = world.people();
            let seen = world.run(feed.clone());
            let after = world.people();
            let losers = losers(&before, &after, &world.integration);
            if let Outcome::Held { digest, .. } = &seen.report.outcome {
                prop_assert_eq!(losers.len(), 0, "{:?}", morning);
                if !staged || feed.is_empty() {
                    prop_assert_eq!(&after, &before);
                }
                // The same feed is the same plan; an hour later the day before may be over.
                world.now -= SignedDuration::from_hours(1);
                let again = world.run(feed.clone());
                prop_assert_eq!(again.digest(), digest);
                if approved {
                    world.approve(seen.report.id, Some(digest)).unwrap();
                    world.now -= SignedDuration::from_hours(1);
                    let passed = world.run(feed);
                    prop_assert!(passed.report.outcome.is_success(), "{:?}", passed.report);
                    prop_assert!(passed.report.approved_by.is_some());
                }
                continue;
            }
            prop_assert_eq!(seen.report.approved_by, None);
            let now = world.now;
            lost.extend(losers.into_iter().map(|id| (now, id)));
            lost.retain(|(at, _)| now.duration_since(*at) < SignedDuration::from_hours(24));
            let people: std::collections::BTreeSet<PersonId> = lost.iter().map(|(_, id)| *id).collect();
            prop_assert!(people.len() <= 5, "{:?} took from {}", morning, people.len());
        }
    }
}

#[test]
fn r27_a_newcomer_who_waits_with_a_plan_is_nobody_yet() {
    let mut world = World::new();
    world.guard.limit = 1;
    world.run([ana(), bob()]);
    let newcomer = resident("t9", "Cleo", "Hart", "cleo@x.com");
    let seen = world.run([past(ana()), past(bob()), newcomer]);
    assert_eq!(seen.ruled("t9"), (Fate::Held, "R27"));
    assert_eq!(seen.decision("t9").person, None);
    assert_eq!(seen.decision("t1").person, Some(PersonId(1)));
}
