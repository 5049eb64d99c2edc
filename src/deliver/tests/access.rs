//! What stays open, by status and day (R37–R39).

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;

use crate::deliver::{Access, Policy, Seen, access};
use crate::model::{IntegrationId, LeaseStatus, Origin, Person, PersonId, Stay, Unit};

const DELAYED: Policy = Policy {
    start_delay: Duration::from_mins(15),
    early: 0,
    late: 0,
    ends_with_move_out: false,
};

fn time(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn day(text: &str) -> Date {
    text.parse().unwrap()
}

fn here() -> IntegrationId {
    IntegrationId::new("elm")
}

fn stay(status: LeaseStatus) -> Stay {
    Stay {
        status,
        unit: Some(Unit {
            id: "u1".into(),
            label: "12B".into(),
            formerly: None,
        }),
        more_units: Vec::new(),
        lease_start: None,
        lease_end: None,
        move_in: None,
        move_out: None,
        notice: false,
        eviction: false,
        excluded: false,
    }
}

/// One person as the store has them at one moment after the other, and what is remembered between.
struct Life {
    person: Person,
    seen: BTreeMap<IntegrationId, Seen>,
    zones: BTreeMap<IntegrationId, TimeZone>,
    policy: Policy,
}

impl Life {
    fn new(policy: Policy) -> Life {
        Life {
            person: Person::new(PersonId(1), Origin::Sync, Timestamp::UNIX_EPOCH),
            seen: BTreeMap::new(),
            zones: [(here(), TimeZone::get("America/New_York").unwrap())].into(),
            policy,
        }
    }

    fn at(&mut self, now: &str, stay: Option<Stay>) -> Access {
        let stay = stay.map(|stay| (here(), Box::new(stay)));
        self.person.stays = stay.into_iter().collect();
        self.again(now)
    }

    fn again(&mut self, now: &str) -> Access {
        let now = time(now);
        access(
            &self.person,
            &mut self.seen,
            &self.policy,
            &self.zones,
            now,
            now,
        )
    }
}

#[test]
fn r38_access_starts_a_delay_after_somebody_is_seen_to_live_there() {
    let mut life = Life::new(DELAYED);
    let first = life.at("2026-03-01T10:00:00Z", Some(stay(LeaseStatus::Current)));
    assert_eq!(first.openings[0].start, time("2026-03-01T10:15:00Z"));
    assert_eq!(first.openings[0].end, None);
    assert_eq!(first.again, Some(time("2026-03-01T10:15:00Z")));
    assert_eq!(first.open(time("2026-03-01T10:14:59Z")).count(), 0);
    let later = life.again("2026-03-01T12:00:00Z");
    assert_eq!(later.openings[0].start, time("2026-03-01T10:15:00Z"));
    assert_eq!(later.open(time("2026-03-01T12:00:00Z")).count(), 1);
    assert_eq!(later.again, None);
}

#[test]
fn r38_a_delay_that_is_edited_holds_for_whoever_has_not_started_yet() {
    let mut life = Life::new(DELAYED);
    life.at("2026-03-01T10:00:00Z", Some(stay(LeaseStatus::Current)));
    life.policy.start_delay = Duration::ZERO;
    let now = time("2026-03-01T10:05:00Z");
    let edited = life.again("2026-03-01T10:05:00Z");
    assert_eq!(edited.openings[0].start, time("2026-03-01T10:00:00Z"));
    assert_eq!(edited.open(now).count(), 1);
    // Whoever has started keeps what they have.
    life.policy.start_delay = Duration::from_hours(48);
    let later = life.again("2026-03-01T11:00:00Z");
    assert_eq!(later.openings[0].start, time("2026-03-01T10:00:00Z"));
}

#[test]
fn r38_who_will_move_in_has_nothing_but_for_early_days() {
    let mut pending = stay(LeaseStatus::Pending);
    pending.move_in = Some(day("2026-03-10"));
    let mut life = Life::new(DELAYED);
    assert_eq!(
        life.at("2026-03-01T10:00:00Z", Some(pending.clone()))
            .openings,
        []
    );
    let mut life = Life::new(Policy {
        early: 2,
        ..DELAYED
    });
    let access = life.at("2026-03-01T10:00:00Z", Some(pending));
    // Midnight at the property, on the day when clocks went forward two hours later.
    assert_eq!(access.openings[0].start, time("2026-03-08T05:00:00Z"));
    let moved = life.at("2026-03-09T10:00:00Z", Some(stay(LeaseStatus::Current)));
    assert_eq!(moved.openings[0].start, time("2026-03-08T05:00:00Z"));
}

#[test]
fn r39_an_end_that_passes_while_the_status_stays_closes_nothing() {
    let mut current = stay(LeaseStatus::Current);
    current.lease_end = Some(day("2026-02-28"));
    current.move_out = Some(day("2026-02-28"));
    current.notice = true;
    current.eviction = true;
    let mut life = Life::new(DELAYED);
    let access = life.at("2026-03-15T10:00:00Z", Some(current));
    assert_eq!(access.openings.len(), 1);
    assert_eq!(access.openings[0].end, None);
    assert!(!access.is_over);
}

#[test]
fn r38_a_status_that_is_past_closes_at_once_or_after_the_days_of_grace() {
    for (late, until) in [(0, None), (3, Some("2026-03-19T04:00:00Z"))] {
        let mut life = Life::new(Policy { late, ..DELAYED });
        life.at("2026-03-01T10:00:00Z", Some(stay(LeaseStatus::Current)));
        let past = life.at("2026-03-15T12:00:00Z", Some(stay(LeaseStatus::Past)));
        let end = past.openings.first().and_then(|opening| opening.end);
        assert_eq!(end, until.map(time));
        assert_eq!(past.is_over, until.is_none());
        let after = life.again("2026-03-20T12:00:00Z");
        assert!(after.is_over && after.openings.is_empty());
    }
}

#[test]
fn grace_is_for_whoever_had_access() {
    let mut life = Life::new(Policy { late: 3, ..DELAYED });
    life.at("2026-03-01T10:00:00Z", Some(stay(LeaseStatus::Pending)));
    let void = life.at("2026-03-02T10:00:00Z", Some(stay(LeaseStatus::Void)));
    assert_eq!(void.openings, []);
}

#[test]
fn an_end_is_ahead_where_the_target_says_so_and_notice_was_given() {
    let policy = Policy {
        ends_with_move_out: true,
        late: 1,
        ..DELAYED
    };
    let mut current = stay(LeaseStatus::Current);
    current.move_out = Some(day("2026-03-31"));
    let mut life = Life::new(policy);
    let without = life.at("2026-03-15T10:00:00Z", Some(current.clone()));
    assert_eq!(without.openings[0].end, None);
    current.notice = true;
    let with = life.at("2026-03-15T11:00:00Z", Some(current.clone()));
    assert_eq!(with.openings[0].end, Some(time("2026-04-02T04:00:00Z")));
    assert_eq!(life.again("2026-04-03T10:00:00Z").openings, []);
}

#[test]
fn r8_who_rests_while_current_keeps_what_they_have_and_who_is_past_does_not() {
    let mut life = Life::new(DELAYED);
    life.at("2026-03-01T10:00:00Z", Some(stay(LeaseStatus::Current)));
    let mut resting = stay(LeaseStatus::Current);
    resting.excluded = true;
    let access = life.at("2026-03-02T10:00:00Z", Some(resting));
    assert_eq!(access.resting, [here()]);
    assert!(!access.is_over);
    let mut past = stay(LeaseStatus::Past);
    past.excluded = true;
    assert!(life.at("2026-03-03T10:00:00Z", Some(past)).is_over);
}

#[test]
fn a_property_that_a_target_serves_no_more_makes_nobody_past() {
    let mut life = Life::new(DELAYED);
    life.at("2026-03-01T10:00:00Z", Some(stay(LeaseStatus::Current)));
    life.zones.clear();
    let access = life.again("2026-03-02T10:00:00Z");
    assert!(access.openings.is_empty() && !access.is_over);
    let access = life.at("2026-03-03T10:00:00Z", Some(stay(LeaseStatus::Past)));
    assert!(access.is_over);
}

#[test]
fn a_stay_that_was_ended_by_hand_is_over() {
    let mut life = Life::new(DELAYED);
    life.at("2026-03-01T10:00:00Z", Some(stay(LeaseStatus::Current)));
    assert!(life.at("2026-03-02T10:00:00Z", None).is_over);
}

#[test]
fn r46_who_goes_along_with_a_file_that_the_target_does_not_serve_keeps_what_they_have() {
    let mut life = Life::new(DELAYED);
    life.at("2026-03-01T10:00:00Z", Some(stay(LeaseStatus::Current)));
    let moved = Box::new(stay(LeaseStatus::Current));
    life.person.stays = [(IntegrationId::new("elm-court"), moved)].into();
    for now in ["2026-03-02T10:00:00Z", "2026-03-03T10:00:00Z"] {
        let access = life.again(now);
        assert_eq!(access.resting, [here()]);
        assert!(!access.is_over);
    }
    // Once that stay is over too, nothing is kept.
    let past = Box::new(stay(LeaseStatus::Past));
    life.person.stays = [(IntegrationId::new("elm-court"), past)].into();
    let access = life.again("2026-03-04T10:00:00Z");
    assert!(access.is_over && access.resting.is_empty());
}

#[test]
fn each_unit_of_a_stay_opens() {
    let mut current = stay(LeaseStatus::Current);
    current.more_units = vec![Unit {
        id: "garage".into(),
        label: "G1".into(),
        formerly: None,
    }];
    let mut life = Life::new(DELAYED);
    let access = life.at("2026-03-01T10:00:00Z", Some(current));
    let units: Vec<_> = access
        .openings
        .iter()
        .map(|one| one.unit.as_ref().unwrap().id.as_str())
        .collect();
    assert_eq!(units, ["u1", "garage"]);
}
