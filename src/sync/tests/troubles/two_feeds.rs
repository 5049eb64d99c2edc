//! One human in the feeds of two properties (R13b): who says what they are called, and how they move between the two.

use super::*;

const MOBILE: &str = "+12125550001";
const ANOTHER: &str = "+12125550002";

fn with_phone(resident: Resident, phone: &str) -> Resident {
    Resident {
        phone: Some(phone.into()),
        ..resident
    }
}

/// Ana as the other property has her: an application form is enough for the name and the email.
fn applied() -> Resident {
    Resident {
        unit: unit("500"),
        lease_start: day(3, 1),
        move_in: day(3, 1),
        ..with_phone(with_id(ana(), "o1"), ANOTHER)
    }
}

fn named(resident: Resident, first: &str, last: &str) -> Resident {
    Resident {
        first_name: first.into(),
        last_name: last.into(),
        ..resident
    }
}

/// A18. Another property's feed has a record with a resident's name and email, and a phone of its own; later another
/// name. It writes its own stay, and nothing of the person.
#[test]
fn r13b_a_second_property_writes_its_own_stay_and_nothing_else() {
    for (first, last) in [("Eve", "Marsh"), ("Ana", "Marsh"), ("Eve", "Ortiz")] {
        let mut world = World::new();
        world.at(HOME).is_ordinary([with_phone(ana(), MOBILE)]);
        let before = world.person(1);
        let seen = world.at(OTHER).is_ordinary([applied()]);
        assert_eq!(seen.fate("o1"), Fate::Linked);
        let profile = |world: &World| {
            let Person {
                first_name,
                last_name,
                email,
                phone,
                ..
            } = world.person(1);
            (first_name, last_name, email, phone)
        };
        let was = (
            before.first_name,
            before.last_name,
            before.email,
            before.phone,
        );
        assert_eq!(profile(&world), was);
        assert_eq!(world.stay(1).unit, unit("500"));

        let seen = world.at(OTHER).run([named(applied(), first, last)]);
        assert!(seen.report.outcome.is_success(), "{:?}", seen.report);
        assert_eq!(seen.kinds(), [AlertKind::NameMismatch], "{first} {last}");
        assert_eq!(profile(&world), was, "{first} {last}");
        // Neither feed takes turns with the other.
        world.at(HOME).settles([with_phone(ana(), MOBILE)]);
        world.at(OTHER).settles([named(applied(), first, last)]);
        // The stay stays its own.
        let moved = Resident {
            unit: unit("501"),
            ..named(applied(), first, last)
        };
        world.at(OTHER).run([moved]);
        assert_eq!(world.stay(1).unit, unit("501"));
        assert_eq!(profile(&world), was);
    }
}

/// A18. The stay that was linked first speaks, whichever lease is newer; when it is over, the other does.
#[test]
fn r13b_the_first_feed_speaks_until_its_stay_is_past() {
    let mut world = World::new();
    world.at(HOME).is_ordinary([with_phone(ana(), MOBILE)]);
    world.at(OTHER).is_ordinary([applied()]);
    let renamed = with_phone(named(ana(), "Annie", "Ortiz"), "+12125550009");
    world.at(HOME).is_ordinary([renamed.clone()]);
    assert_eq!(world.person(1).first_name, "Annie");
    assert_eq!(world.person(1).phone.as_deref(), Some("+12125550009"));

    world.at(HOME).run([past(renamed.clone())]);
    world.at(OTHER).is_ordinary([applied()]);
    assert_eq!(world.person(1).first_name, "Ana");
    assert_eq!(world.person(1).phone.as_deref(), Some(ANOTHER));
    // Who is over has no say any more.
    world.at(HOME).run([past(renamed)]);
    assert_eq!(world.person(1).first_name, "Ana");
}

/// E11. A resident moves between two buildings of one owner, and both are fed: two stays, then one.
#[test]
fn a_move_between_two_buildings_of_one_owner_is_two_stays_and_then_one() {
    let leaving = |one: Resident| Resident {
        lease_end: day(3, 31),
        notice: true,
        ..with_phone(one, MOBILE)
    };
    let coming = || Resident {
        lease_start: day(3, 15),
        move_in: day(3, 15),
        unit: unit("500"),
        ..with_phone(with_id(ana(), "o1"), MOBILE)
    };
    let mut world = World::new();
    world
        .at(HOME)
        .is_ordinary([with_phone(ana(), MOBILE), bob()]);
    // The new lease is signed.
    let pending = with_status(coming(), LeaseStatus::Pending);
    world.at(OTHER).is_ordinary([pending]);
    assert_eq!(world.people().len(), 2);
    world.at(HOME).is_ordinary([leaving(ana()), bob()]);
    // For two weeks she has both.
    world.at(OTHER).is_ordinary([coming()]);
    let open = |world: &World| {
        let stays = world.person(1).stays;
        stays.values().filter(|stay| !stay.is_closed()).count()
    };
    assert_eq!(open(&world), 2);
    world.at(HOME).is_ordinary([leaving(ana()), bob()]);
    // She is out.
    world.at(HOME).is_ordinary([past(leaving(ana())), bob()]);
    assert_eq!(open(&world), 1);
    let seen = world.at(OTHER).is_ordinary([coming()]);
    assert_eq!(seen.changes, []);
    assert_eq!(world.stay(1).status, LeaseStatus::Current);
    // The feed of the first forgets her.
    for _ in 0..4 {
        world.at(HOME).is_ordinary([bob()]);
    }
    assert_eq!(world.people().len(), 2);
    assert_eq!(open(&world), 1);
}
