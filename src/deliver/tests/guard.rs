//! How many may lose something at once.

use std::collections::BTreeSet;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use crate::config::{Span, TargetGuard};
use crate::deliver::{Recent, is_too_much};
use crate::model::PersonId;

fn people(ids: std::ops::Range<u64>) -> BTreeSet<PersonId> {
    ids.map(PersonId).collect()
}

fn limits() -> TargetGuard {
    TargetGuard {
        limit: 5,
        percent: 10,
        window: Span(Duration::from_hours(24)),
    }
}

#[test]
fn r27_so_many_lose_access_unasked_and_one_more_does_not() {
    let (recent, now) = (Recent::default(), Timestamp::UNIX_EPOCH);
    assert!(!is_too_much(&people(0..5), &recent, 20, &limits(), now));
    assert!(is_too_much(&people(0..6), &recent, 20, &limits(), now));
    assert!(!is_too_much(&people(0..10), &recent, 100, &limits(), now));
    assert!(is_too_much(&people(0..11), &recent, 100, &limits(), now));
}

#[test]
fn r27_what_was_taken_away_within_the_window_counts_and_nothing_older() {
    let mut recent = Recent::default();
    let start = Timestamp::UNIX_EPOCH;
    for person in 0..5 {
        recent.note(PersonId(person), &limits(), start);
    }
    let at = |hours| {
        start
            .checked_add(SignedDuration::from_hours(hours))
            .unwrap()
    };
    assert!(is_too_much(&people(9..10), &recent, 20, &limits(), at(24)));
    // The same person once more is no further one.
    assert!(!is_too_much(&people(0..1), &recent, 20, &limits(), at(24)));
    assert!(!is_too_much(&people(9..10), &recent, 20, &limits(), at(25)));
}

#[test]
fn where_nobody_loses_anything_nothing_is_held() {
    let mut recent = Recent::default();
    for person in 0..50 {
        recent.note(PersonId(person), &limits(), Timestamp::UNIX_EPOCH);
    }
    let nobody = BTreeSet::new();
    assert!(!is_too_much(
        &nobody,
        &recent,
        20,
        &limits(),
        Timestamp::UNIX_EPOCH
    ));
}
