//! Records that come as ever, and in which nobody stands any more (R26, R27): as good as an empty feed.

use super::guarding::house;
use super::*;

/// These residents' records, with nobody in them.
fn emptied(house: &[Resident]) -> impl Iterator<Item = Item> {
    house.iter().map(|one| Item::Nobody(one.id.clone()))
}

/// The house, of whom the first have nobody in their records any more.
fn without_the_first(count: usize, house: &[Resident]) -> Vec<Item> {
    let rest = house[count..].iter().cloned().map(Item::from);
    emptied(&house[..count]).chain(rest).collect()
}

#[test]
fn r27_a_feed_in_whose_records_there_is_nobody_any_more_is_held_like_an_empty_one() {
    for count in [1, 2, 10] {
        let mut world = World::new();
        let house = house(count);
        world.run(house.clone());
        let seen = world.is_held(emptied(&house));
        let told = format!("none of the {count} records has anybody in it, and {count} people");
        assert!(seen.reason().contains(&told), "{}", seen.reason());
        // It is held as long as it stays so.
        world.is_held(emptied(&house));
        world.settles_held(house);
    }
}

impl World {
    /// What was held is over with this feed, and nobody was missed by it.
    #[track_caller]
    fn settles_held(&mut self, house: Vec<Resident>) {
        assert!(self.links().values().all(|link| link.misses == 0));
        let seen = self.run(house.clone());
        assert!(seen.report.outcome.is_success());
        assert_eq!((seen.kinds(), seen.changes.len()), (NO_ALERTS.into(), 0));
        self.settles(house);
    }
}

#[test]
fn r27_records_without_anybody_may_be_approved_like_an_empty_feed() {
    let mut world = World::new();
    let house = house(10);
    world.run(house.clone());
    let seen = world.is_held(emptied(&house));
    world.approve(seen.report.id, None).unwrap();
    let seen = world.run(emptied(&house));
    assert!(seen.report.outcome.is_success(), "{:?}", seen.report);
    assert!(world.links().values().all(|link| link.misses == 1));
}

#[test]
fn r27_more_than_half_of_those_who_are_linked_may_not_be_gone_from_their_records() {
    let mut world = World::new();
    let house = house(10);
    world.run(house.clone());
    let seen = world.is_held(without_the_first(6, &house));
    let told = "the records of 6 of 10 linked people have nobody in them any more";
    assert!(seen.reason().starts_with(told), "{}", seen.reason());
    // Five is half: they are missed, like anybody whom a feed does not name (R25).
    let seen = world.run(without_the_first(5, &house));
    assert!(seen.report.outcome.is_success(), "{:?}", seen.report);
    assert_eq!(seen.kinds(), NO_ALERTS);
    let missed = world
        .links()
        .values()
        .filter(|link| link.misses == 1)
        .count();
    assert_eq!(missed, 5);
}

#[test]
fn r27_of_a_household_it_is_the_record_that_tells_whose_it_was() {
    let mut world = World::new();
    world.per_record = 3;
    let house = house(9);
    world.run(house.clone());
    world.per_record = 1;
    // One record for each three; one of them is still as it was.
    let mut items: Vec<Item> = vec![Item::Nobody("t00".into()), Item::Nobody("t03".into())];
    items.extend(house[6..].iter().cloned().map(Item::from));
    let seen = world.is_held(items);
    assert!(
        seen.reason().starts_with("the records of 6 of 9"),
        "{}",
        seen.reason()
    );
}

#[test]
fn r27_each_pms_property_is_judged_by_its_own_records() {
    let mut world = World::new();
    world.pms_properties = vec!["p1", "p2"];
    let of = |property: &str, house: Vec<Resident>| -> Vec<Resident> {
        let named = |one: Resident| {
            let id = format!("{property}/{}", one.id);
            with_id(one, &id)
        };
        house.into_iter().map(named).collect()
    };
    let here = of("p1", neighbours(20));
    let there = of("p2", humans("u", 100..104));
    world.run([here.clone(), there.clone()].concat());
    let here = here.into_iter().map(Item::from);
    let seen = world.is_held(here.chain(emptied(&there)));
    let told = "the records of 4 of 4 linked people of the PMS property `p2` have nobody";
    assert!(seen.reason().starts_with(told), "{}", seen.reason());
}

#[test]
fn r27_records_in_which_there_never_was_anybody_are_nothing_to_hold() {
    let mut world = World::new();
    let all = house(40);
    let lots = || emptied(&all[20..]);
    let seen = world.run(lots());
    assert_eq!(seen.report.outcome, Outcome::Unchanged, "nobody is linked");
    let house: Vec<Item> = house(20).into_iter().map(Item::from).collect();
    let all: Vec<Item> = house.iter().cloned().chain(lots()).collect();
    assert!(world.run(all).report.outcome.is_success());
    // Two units more are vacant.
    let some = without_the_first(2, &super::guarding::house(20));
    let seen = world.run(some.into_iter().chain(lots()));
    assert!(seen.report.outcome.is_success());
    assert_eq!(seen.kinds(), NO_ALERTS);
}

/// R22: the record of where they lived has nobody in it any more, and they have another one.
#[test]
fn r27_who_has_another_record_now_is_not_gone_from_the_one_before() {
    let mut world = World::new();
    let house = house(8);
    world.run(house.clone());
    let moved = house.iter().map(|one| {
        let id = format!("n{}", one.id);
        Item::from(with_id(one.clone(), &id))
    });
    let seen = world.run(emptied(&house).chain(moved));
    assert!(seen.report.outcome.is_success(), "{:?}", seen.report);
    assert_eq!(seen.report.counts.linked, 8);
}

/// R25: whose record has nobody in it is missed by every run, and told of in the end.
#[test]
fn r25_who_stands_in_their_record_no_more_goes_on_being_missed() {
    let mut world = World::new();
    let house = house(10);
    world.run(house.clone());
    for missed in 1..=3 {
        let seen = world.run(without_the_first(1, &house));
        assert!(seen.report.outcome.is_success());
        assert_eq!(world.links()["t00"].misses, missed);
        let told = seen.kinds().contains(&AlertKind::MissingFromFeed);
        assert_eq!(told, missed == world.missing_after);
    }
}
