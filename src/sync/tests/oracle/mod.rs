//! A small second reading of `user-sync` §3–§6 for one property, written from the rules and sharing nothing with
//! the planner: random histories must go the same way in both. What the guard holds is another test's.
//!
//! `EPMS_CASES=5000 cargo test --release --lib oracle` searches long.

mod pms;
mod rules;

use std::collections::BTreeMap;

use proptest::prelude::*;

use self::pms::{KINDS, Pms};
use self::rules::{Causes, Home, Known, Oracle, REASON, number};
use super::*;
use crate::model::Field;

/// Neighbours to whom nothing happens.
const NEIGHBOURS: usize = 12;

const MISSING_AFTER: u32 = 2;

/// What the store knows of people, in the oracle's words.
fn people(world: &World) -> Vec<Known> {
    let people = world.people();
    let known = people.iter().map(|person| {
        let stay = &person.stays[&world.integration];
        let units = stay.unit.iter().chain(&stay.more_units);
        Known {
            first: person.first_name.clone(),
            last: person.last_name.clone(),
            email: person.email.clone(),
            home: Home {
                status: stay.status,
                units: units.map(|unit| unit.label.clone()).collect(),
                start: stay.lease_start,
                end: stay.lease_end,
                rests: stay.excluded,
            },
        }
    });
    known.collect()
}

/// Whose the ids are, and the email that each has in the PMS.
fn ties(world: &World) -> BTreeMap<String, (String, Option<String>)> {
    let links = world.links().into_iter();
    links
        .map(|(id, link)| (id, (link.person.to_string(), link.email)))
        .collect()
}

/// What is open, in the oracle's words.
fn open(seen: &Seen) -> Causes {
    let causes = seen.alerts.iter().filter_map(|alert| {
        let email = alert
            .sides
            .first()
            .and_then(|side| side.values.get(&Field::Email));
        match alert.kind {
            AlertKind::DuplicateEmails => Some((alert.kind, email.unwrap().clone())),
            // Both say that a record is another human's; which of them says it, the tests of the rules say.
            AlertKind::DuplicateIds => Some((AlertKind::IdentityChanged, alert.subject.clone())),
            // A month's count is the guard's.
            AlertKind::SlowDrain => None,
            _ => Some((alert.kind, alert.subject.clone())),
        }
    });
    causes.collect()
}

/// What tells of something: nobody is interested in why nothing happened.
fn told(fates: impl Iterator<Item = (String, Fate)>, oracle: &Oracle) -> BTreeMap<String, Fate> {
    let tells = |fate: Fate| {
        let nothing = [Fate::Unchanged, Fate::Excluded, Fate::Ineligible];
        !nothing.contains(&fate)
    };
    fates
        .filter(|(id, fate)| tells(*fate) && !oracle.doubted.contains(id))
        .collect()
}

proptest! {
    #![proptest_config(searching(128))]

    #[test]
    fn a_history_goes_as_a_second_reading_of_the_rules_says(
        history in prop::collection::vec(
            prop::collection::vec((0u8..KINDS, 0usize..8, 0usize..6), 0..4),
            3..14,
        ),
        hold_email in any::<bool>(),
    ) {
        let mut world = World::new();
        let mut oracle = Oracle::new(hold_email, MISSING_AFTER);
        world.missing_after = MISSING_AFTER;
        world.guard.limit = 1000;
        if hold_email {
            world.email_change = EmailChange::HoldEmail;
        }
        let mut pms = Pms::beside(NEIGHBOURS);
        for events in history {
            for event in events {
                pms.happens(NEIGHBOURS, event);
            }
            let feed = pms.feed();
            oracle.run(&feed);
            let seen = world.runs(feed.iter().map(|row| if row.left_out {
                Item::LeftOut(row.resident.clone(), REASON)
            } else {
                Item::Here(row.resident.clone())
            }));
            let feed = &feed[NEIGHBOURS..];
            prop_assert!(seen.report.outcome.is_success(), "{:?}", seen.report);
            let fates = seen.decisions.iter().rev().map(|one| (one.subject.clone(), one.fate));
            // The first decision about an id is the one that tells.
            let fates: BTreeMap<String, Fate> = fates.collect();
            prop_assert_eq!(
                told(fates.into_iter(), &oracle),
                told(oracle.fates.clone().into_iter(), &oracle),
                "fates of {:#?}", feed
            );
            prop_assert_eq!(&people(&world)[NEIGHBOURS..], &oracle.people[NEIGHBOURS..], "people after {:#?}", feed);
            let expected: BTreeMap<_, _> = oracle.ties.iter()
                .map(|(id, tie)| (id.clone(), (number(tie.person), tie.email.clone())))
                .collect();
            prop_assert_eq!(ties(&world), expected, "links after {:#?}", feed);
            for (id, misses) in oracle.counted() {
                let counted = world.links()[&id].misses.min(MISSING_AFTER);
                prop_assert_eq!(counted, misses, "misses of {} after {:#?}", id, feed);
            }
            let open = open(&seen);
            let differ: Vec<_> = open.symmetric_difference(&oracle.alerts)
                .filter(|cause| !oracle.maybe.contains(*cause))
                .collect();
            prop_assert!(differ.is_empty(), "{differ:?} of {open:?} after {feed:#?}");
        }
    }
}
