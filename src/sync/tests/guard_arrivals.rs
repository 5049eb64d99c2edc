//! Whom the guard lets in (R27 (c)): beside those who stay, in great numbers, or in place of nearly everybody.

use super::guard_people::stranger;
use super::guarding::{house, with};
use super::*;
use crate::model::GuardedKind;

fn strangers(units: std::ops::Range<usize>) -> Vec<Resident> {
    units.map(|unit| stranger(unit, unit)).collect()
}

fn both(one: &[Resident], other: &[Resident]) -> Vec<Resident> {
    one.iter().chain(other).cloned().collect()
}

fn kinds(seen: &Seen) -> BTreeMap<GuardedKind, usize> {
    let mut kinds = BTreeMap::new();
    for item in &seen.state.held.as_ref().unwrap().items {
        *kinds.entry(item.kind).or_default() += 1;
    }
    kinds
}

impl World {
    fn last_success(&self) -> Option<Timestamp> {
        let view = self.store.read().unwrap();
        view.history(&self.integration).unwrap().last_success
    }
}

/// A16: last year's backup.
#[test]
fn r27_former_tenants_who_are_current_in_the_units_of_those_who_stay_are_held() {
    let mut world = World::new();
    let former = strangers(100..130);
    world.run(former.clone());
    let gone: Vec<Resident> = former.iter().cloned().map(past).collect();
    let held = world.is_held(gone.clone());
    world.approve(held.report.id, None).unwrap();
    world.run(gone.clone());
    world.now += SignedDuration::from_hours(48);
    let today = house(60);
    let morning = both(&today, &gone);
    world.run(morning.clone());
    world.now += SignedDuration::from_hours(48);
    // Those who left live here, and so do those who live here; or those who came after them are not there.
    let backup = both(&today, &former);
    let seen = world.run(backup.clone());
    assert_eq!(seen.report.outcome.as_str(), "held");
    assert_eq!(kinds(&seen), BTreeMap::from([(GuardedKind::Arrival, 30)]));
    assert!(
        seen.reason()
            .starts_with("in 30 of 60 occupied units somebody would come"),
        "{}",
        seen.reason()
    );
    assert_eq!(world.run(morning.clone()).alerts, []);
    let seen = world.run(both(&today[30..], &former));
    assert_eq!(seen.report.outcome.as_str(), "held");
    for id in 1..=30 {
        assert!(world.stay(id).is_closed());
    }
    let seen = world.run(morning);
    assert_eq!(seen.alerts, []);
    let mut few = backup;
    few.truncate(66);
    few.extend(gone[6..].to_vec());
    assert_eq!(world.run(few).report.outcome, Outcome::Committed);
}

#[test]
fn r27_arrivals_of_that_kind_are_held_and_the_rest_is_committed() {
    let mut world = World::new();
    let house = house(60);
    world.run(house.clone());
    world.now += SignedDuration::from_hours(48);
    // Seven come in beside others, two into vacant units; one is renamed, one leaves, one is not named.
    let mut feed = with(&house, 20..21, past);
    feed[30].first_name = "Zoe".into();
    feed.remove(40);
    let beside = strangers(101..108);
    let vacant = strangers(300..302);
    let feed = both(&both(&feed, &beside), &vacant);
    let before = world.last_success();
    let seen = world.run(feed.clone());
    assert_eq!(seen.report.outcome.as_str(), "held");
    assert!(seen.reason().contains("the rest was written"));
    assert_eq!(kinds(&seen), BTreeMap::from([(GuardedKind::Arrival, 7)]));
    for one in &beside {
        assert_eq!(seen.ruled(&one.id), (Fate::Held, "R27"));
        assert_eq!(
            seen.decision(&one.id).reason,
            "waits for approval: arrival in an occupied unit"
        );
        assert_eq!(seen.decision(&one.id).person, None);
    }
    assert_eq!(seen.fate("s300"), Fate::Created);
    assert!(world.stay(21).is_closed());
    assert_eq!(world.person(31).first_name, "Zoe");
    let item = &seen.state.held.as_ref().unwrap().items[0];
    assert_eq!(
        (
            item.subject.as_str(),
            item.name.as_str(),
            item.unit.as_str(),
            item.to.as_str()
        ),
        ("s101", "Stranger101 Of101", "101", "current")
    );
    // A held run is no last successful one, and counts no misses.
    assert_eq!(world.last_success(), before);
    assert_eq!(world.links()["t40"].misses, 0);
    // The same feed is the same plan, whatever ids people would get by now.
    world
        .at(OTHER)
        .run([resident("o1", "Other", "One", "o1@x.com")]);
    let again = world.at(HOME).run(feed.clone());
    assert_eq!(again.digest(), seen.digest());
    assert_eq!(again.alerts[0].id, seen.alerts[0].id);
    world.approve(again.report.id, Some(seen.digest())).unwrap();
    let seen = world.run(feed.clone());
    assert_eq!(seen.report.outcome, Outcome::Committed, "{}", seen.reason());
    assert_eq!(seen.report.counts.created, 7);
    assert_eq!(world.links()["t40"].misses, 1);
    assert_eq!(seen.alerts, []);
    // What was approved is not counted again.
    let more = both(&feed, &strangers(110..116));
    assert_eq!(world.run(more.clone()).report.counts.created, 6);
    let more = both(&more, &strangers(116..117));
    assert_eq!(world.run(more).report.outcome.as_str(), "held");
}

#[test]
fn r27_who_comes_to_their_own_household_is_no_arrival() {
    let mut world = World::new();
    let mut house = house(60);
    for (place, one) in house.iter_mut().enumerate() {
        one.household = Some(format!("h{place}"));
    }
    world.run(house.clone());
    world.now += SignedDuration::from_hours(48);
    let members = |of: usize| -> Vec<Resident> {
        let members = strangers(100..130).into_iter().enumerate();
        let members = members.map(|(place, one)| Resident {
            household: Some(format!("h{}", place + of)),
            ..one
        });
        members.collect()
    };
    let seen = world.run(both(&house, &members(1)));
    assert_eq!(seen.report.outcome.as_str(), "held");
    assert_eq!(seen.report.counts.created, 0);
    let seen = world.run(both(&house, &members(0)));
    assert_eq!(seen.report.counts.created, 30, "{}", seen.reason());
}

#[test]
fn r27_where_the_feed_names_no_households_one_last_name_is_one() {
    let mut world = World::new();
    let house = house(60);
    world.run(house.clone());
    world.now += SignedDuration::from_hours(48);
    let members = strangers(100..130).into_iter().map(|one| Resident {
        last_name: "ORTIZ".into(),
        ..one
    });
    let seen = world.run(both(&house, &members.collect::<Vec<_>>()));
    assert_eq!(seen.report.counts.created, 30, "{}", seen.reason());
}

/// A16: ten times as many people.
#[test]
fn r27_more_newcomers_than_ever_are_held() {
    let mut world = World::new();
    let house = house(60);
    world.run(house.clone());
    world.now += SignedDuration::from_hours(48);
    let seen = world.run(both(&house, &strangers(1000..1540)));
    assert_eq!(seen.report.outcome.as_str(), "held");
    assert_eq!(kinds(&seen), BTreeMap::from([(GuardedKind::Newcomer, 540)]));
    assert!(
        seen.reason()
            .starts_with("540 new people would come to 60 who are linked"),
        "{}",
        seen.reason()
    );
    assert_eq!(world.people().len(), 60);
    // In small steps they are as many.
    assert_eq!(
        world
            .run(both(&house, &strangers(1000..1400)))
            .report
            .counts
            .created,
        400
    );
    let seen = world.run(both(&house, &strangers(1000..1401)));
    assert_eq!(seen.report.outcome.as_str(), "held");
    world.guard.newcomers = 600;
    assert_eq!(
        world
            .run(both(&house, &strangers(1000..1401)))
            .report
            .counts
            .created,
        1
    );
}

/// A4.
#[test]
fn r27_another_database_behind_the_same_login_is_held_as_a_whole() {
    for on_trip in [crate::config::OnTrip::Stop, crate::config::OnTrip::Stage] {
        let mut world = World::new();
        world.guard.on_trip = on_trip;
        let house = house(60);
        world.run(house.clone());
        world.now += SignedDuration::from_hours(48);
        let seen = world.is_held(strangers(1000..1030));
        assert_eq!(
            kinds(&seen),
            BTreeMap::from([
                (GuardedKind::OtherDatabase, 1),
                (GuardedKind::Newcomer, 30),
                (GuardedKind::Absent, 60),
            ])
        );
        assert!(
            seen.reason().starts_with(
                "60 of 60 linked people are not in the feed any more, and 30 others come"
            ),
            "{}",
            seen.reason()
        );
        // It is so again in the next hour: a held run is no last successful one.
        let again = world.is_held(strangers(1000..1030));
        assert_eq!(again.digest(), seen.digest());
        let seen = world.run(house);
        assert_eq!(
            (seen.report.outcome, seen.alerts),
            (Outcome::Unchanged, vec![])
        );
    }
}

/// A2, A4: the other database numbers its people as the first one did.
#[test]
fn r27_another_database_with_the_same_ids_is_held_as_a_whole() {
    let mut world = World::new();
    let house = house(60);
    world.run(house.clone());
    world.now += SignedDuration::from_hours(48);
    let other: Vec<Resident> = house
        .iter()
        .enumerate()
        .map(|(place, one)| with_id(stranger(place, 300 + place), &one.id))
        .chain(strangers(1000..1003))
        .collect();
    let seen = world.is_held(other);
    assert_eq!(kinds(&seen)[&GuardedKind::Absent], 60);
    assert_eq!(world.run(house).alerts, []);
}

#[test]
fn r27_half_of_the_people_absent_are_no_other_database_and_nobody_who_was_absent_before() {
    let mut world = World::new();
    world.missing_after = 24;
    let house = house(60);
    world.run(house.clone());
    world.now += SignedDuration::from_hours(48);
    let one = strangers(1000..1001);
    // Absence proves nothing while nobody comes.
    assert!(world.run(house[30..].to_vec()).report.outcome.is_success());
    assert!(
        world
            .run(both(&house[40..], &one))
            .report
            .outcome
            .is_success()
    );
    assert!(world.run(house.clone()).report.outcome.is_success());
    let two = strangers(1000..1002);
    assert!(
        world
            .run(both(&house[30..], &two))
            .report
            .outcome
            .is_success()
    );
    assert!(world.run(house.clone()).report.outcome.is_success());
    world.is_held(both(&house[32..], &strangers(1000..1003)));
}

#[test]
fn r27_somebody_whose_record_is_renumbered_is_not_absent() {
    let mut world = World::new();
    let house = house(60);
    world.run(house.clone());
    let renumbered: Vec<Resident> = house
        .iter()
        .map(|one| with_id(one.clone(), &format!("new-{}", one.id)))
        .collect();
    let seen = world.run(both(&renumbered, &strangers(1000..1010)));
    assert_eq!(seen.report.outcome, Outcome::Committed, "{}", seen.reason());
    assert_eq!(
        (seen.report.counts.linked, seen.report.counts.created),
        (60, 10)
    );
}

#[test]
fn r27_another_database_for_one_of_two_pms_properties_is_one() {
    let mut world = World::new();
    world.pms_properties = vec!["north", "south"];
    let of = |property: &str, all: Vec<Resident>| -> Vec<Resident> {
        let all = all.into_iter();
        all.map(|one| with_id(one.clone(), &format!("{property}/{}", one.id)))
            .collect()
    };
    let (north, south) = (of("north", house(60)), of("south", strangers(500..510)));
    world.run(both(&north, &south));
    world.now += SignedDuration::from_hours(48);
    let seen = world.is_held(both(&north, &of("south", strangers(600..605))));
    assert!(
        seen.reason()
            .starts_with("10 of 10 linked people of the PMS property `south` are not in the feed"),
        "{}",
        seen.reason()
    );
}

/// E1: a second building is attached, also to an integration that is old.
#[test]
fn r27_the_first_complete_reading_of_a_pms_property_is_exempt() {
    for is_old in [false, true] {
        let mut world = World::new();
        world.pms_properties = vec!["north"];
        let of = |property: &str, all: Vec<Resident>| -> Vec<Resident> {
            let all = all.into_iter();
            all.map(|one| with_id(one.clone(), &format!("{property}/{}", one.id)))
                .collect()
        };
        let north = of("north", house(60));
        world.run(north.clone());
        if is_old {
            // A store of an earlier version knows nothing of what was attached.
            let write = world.store.write().unwrap();
            let mut state = write.guard(&world.integration).unwrap();
            (state.attached, state.admitted, state.at_least) = (None, Vec::new(), None);
            write.put_guard(&world.integration, &state).unwrap();
            write.commit().unwrap();
            world.now += SignedDuration::from_hours(48);
        }
        world.pms_properties = vec!["north", "south"];
        // Its units have the names of those of the first.
        let south = of("south", strangers(100..1100));
        let seen = world.run(both(&north, &south));
        assert_eq!(seen.report.outcome, Outcome::Committed, "{}", seen.reason());
        assert_eq!(seen.report.counts.created, 1000);
        // They were there before: a tenth of them may leave on the same day.
        let leaving = with(&south, 0..90, past);
        let seen = world.run(both(&north, &leaving));
        assert!(seen.report.outcome.is_success(), "{}", seen.reason());
        // Whoever comes later is an arrival.
        let more: Vec<Resident> = (0..120)
            .map(|one| stranger(2000 + one, 300 + one))
            .collect();
        let more = of("south", more);
        let seen = world.run(both(&both(&north, &leaving), &more));
        assert_eq!(seen.report.outcome.as_str(), "held", "{is_old}");
    }
}

#[test]
fn r27_who_is_linked_to_somebody_who_was_there_is_no_arrival() {
    let mut world = World::new();
    let house = house(60);
    for one in 0..30 {
        // Made by hand, and matched by name and email (R13).
        world.by_hand(
            &format!("Stranger{one}"),
            &format!("Of{one}"),
            Some(&format!("s{one}@x.com")),
        );
    }
    world.run(house.clone());
    world.now += SignedDuration::from_hours(48);
    let known: Vec<Resident> = (0..30).map(|one| stranger(one, 100 + one)).collect();
    let seen = world.run(both(&house, &known));
    assert_eq!(seen.report.counts.linked, 30, "{}", seen.reason());
    // Those who left come back under other ids (R22).
    let gone = with(&known, 0..6, past);
    assert!(world.run(both(&house, &gone)).report.outcome.is_success());
    world.now += SignedDuration::from_hours(48);
    let back: Vec<Resident> = known[..6]
        .iter()
        .map(|one| with_id(one.clone(), &format!("new-{}", one.id)))
        .collect();
    let seen = world.run(both(&both(&house, &gone), &both(&known[6..], &back)));
    assert_eq!(seen.report.outcome, Outcome::Committed, "{}", seen.reason());
}
