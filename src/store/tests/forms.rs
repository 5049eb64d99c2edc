//! Packed values read back as they were, values of earlier versions go on being read, and what is broken ends in an error
//! without a word of it.

use jiff::civil::{Date, date};
use proptest::collection::{btree_map, btree_set, vec};
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;
use serde::de::DeserializeOwned;

use crate::model::{
    Act, ActId, Actor, Change, ChangeKind, Decision, Fate, Field, FieldChange, IntegrationId,
    LeaseStatus, Link, NamedBy, Origin, Person, PersonId, RunId, Stay, Unit,
};
use crate::store::value::{Kept, from_bytes, to_bytes};

use super::Timestamp;

const FIELDS: [Field; 11] = [
    Field::FirstName,
    Field::LastName,
    Field::Email,
    Field::Phone,
    Field::LeaseStart,
    Field::LeaseEnd,
    Field::MoveIn,
    Field::MoveOut,
    Field::Unit,
    Field::Status,
    Field::Flags,
];

const KINDS: [ChangeKind; 17] = [
    ChangeKind::Created,
    ChangeKind::Linked,
    ChangeKind::Updated,
    ChangeKind::Closed,
    ChangeKind::Excluded,
    ChangeKind::Readmitted,
    ChangeKind::Unlinked,
    ChangeKind::Merged,
    ChangeKind::Withdrawn,
    ChangeKind::Locked,
    ChangeKind::Unlocked,
    ChangeKind::Pinned,
    ChangeKind::Unpinned,
    ChangeKind::Undone,
    ChangeKind::Moved,
    ChangeKind::Erasing,
    ChangeKind::Erased,
];

fn moments() -> impl Strategy<Value = Timestamp> {
    let nanos = prop_oneof![Just(0), 0..1_000_000_000];
    (-2_000_000_000_i64..20_000_000_000, nanos)
        .prop_map(|(second, nanos)| Timestamp::new(second, nanos).unwrap())
}

fn days() -> impl Strategy<Value = Option<Date>> {
    let day = (-9999_i16..=9999, 1_i8..=12, 1_i8..=28)
        .prop_map(|(year, month, day)| date(year, month, day));
    let edges = select(vec![
        Date::MIN,
        Date::MAX,
        date(2000, 1, 1),
        date(1999, 12, 31),
    ]);
    option::of(prop_oneof![day, edges])
}

fn units() -> impl Strategy<Value = Unit> {
    (".*", ".*", option::of(".*")).prop_map(|(id, label, formerly)| Unit {
        id,
        label,
        formerly,
    })
}

fn statuses() -> impl Strategy<Value = LeaseStatus> {
    select(LeaseStatus::ALL.to_vec())
}

prop_compose! {
    fn stays()(
        status in statuses(),
        unit in option::of(units()),
        more_units in vec(units(), 0..3),
        days in (days(), days(), days(), days()),
        flags in any::<(bool, bool, bool)>(),
    ) -> Stay {
        Stay {
            status,
            unit,
            more_units,
            lease_start: days.0,
            lease_end: days.1,
            move_in: days.2,
            move_out: days.3,
            notice: flags.0,
            eviction: flags.1,
            excluded: flags.2,
        }
    }
}

prop_compose! {
    fn people()(
        ids in (any::<u64>(), option::of(any::<u64>())),
        names in (".*", ".*"),
        ways in (option::of(".*"), option::of(".*")),
        stays in btree_map(".*", stays(), 0..3),
        locks in btree_set(select(FIELDS.to_vec()), 0..4),
        flags in any::<(bool, bool, bool)>(),
        origin in select(vec![Origin::Hand, Origin::Sync]),
        created in moments(),
    ) -> Person {
        let stays = stays.into_iter();
        Person {
            id: PersonId(ids.0),
            first_name: names.0,
            last_name: names.1,
            email: ways.0,
            phone: ways.1,
            stays: stays.map(|(at, stay)| (IntegrationId::new(at), Box::new(stay))).collect(),
            locks,
            pinned: flags.0,
            merged_into: ids.1.map(PersonId),
            withdrawn: flags.1,
            erased: flags.2,
            origin,
            created,
        }
    }
}

prop_compose! {
    fn links()(
        person in any::<u64>(),
        since in moments(),
        status in statuses(),
        texts in (option::of(".*"), option::of(".*"), option::of(".*")),
        unit in option::of(units()),
        lease_start in days(),
        counts in any::<(u32, u32)>(),
        flags in any::<(bool, bool, bool)>(),
    ) -> Link {
        Link {
            person: PersonId(person),
            since,
            status,
            email: texts.0,
            unit,
            property: texts.1,
            record: texts.2,
            lease_start,
            misses: counts.0,
            outlived: counts.1,
            superseded: flags.0,
            overruled: flags.1,
            by_hand: flags.2,
        }
    }
}

const WAYS: [NamedBy; 6] = [
    NamedBy::Socket,
    NamedBy::Account,
    NamedBy::Oidc,
    NamedBy::Proxy,
    NamedBy::Token,
    NamedBy::Hook,
];

fn actors() -> impl Strategy<Value = Actor> {
    let named = (".*", select(WAYS.to_vec()), option::of(any::<u32>()));
    prop_oneof![
        Just(Actor::Sync),
        any::<u32>().prop_map(Actor::User),
        named.prop_map(|(name, by, uid)| Actor::Named { name, by, uid }),
    ]
}

prop_compose! {
    fn changes()(
        numbers in (any::<u64>(), any::<u64>(), option::of(any::<u64>())),
        at in moments(),
        kind in select(KINDS.to_vec()),
        places in (option::of(".*"), option::of(".*"), option::of(".*")),
        rule in ".*",
        fields in vec((select(FIELDS.to_vec()), option::of(".*"), option::of(".*")), 0..4),
        actor in actors(),
        act in option::of(any::<u64>().prop_map(ActId)),
    ) -> Change {
        let fields = fields.into_iter();
        Change {
            seq: numbers.0,
            at,
            person: PersonId(numbers.1),
            kind,
            integration: places.0.map(IntegrationId::new),
            from: places.1.map(IntegrationId::new),
            resident: places.2,
            run: numbers.2.map(RunId),
            rule,
            fields: fields
                .map(|(field, before, after)| FieldChange { field, before, after })
                .collect(),
            actor,
            act,
        }
    }
}

prop_compose! {
    fn decisions()(
        subject in ".*",
        fate in select(Fate::ALL.to_vec()),
        rule in "R?[0-9]*",
        reason in ".*",
        person in option::of(any::<u64>()),
    ) -> Decision {
        Decision { subject, fate, rule, reason, person: person.map(PersonId) }
    }
}

/// It reads back from its packed form and from the JSON of earlier versions, and any part of it that is missing or changed
/// is an error or another value, and never a panic.
fn goes_both_ways<T>(value: &T, broken: (usize, u8)) -> Result<(), TestCaseError>
where
    T: Kept + serde::Serialize + DeserializeOwned + PartialEq + std::fmt::Debug,
{
    let bytes = to_bytes("t", value).unwrap();
    prop_assert_eq!(&from_bytes::<T>("t", &bytes).unwrap(), value);
    let mut json = vec![1];
    serde_json::to_writer(&mut json, value).unwrap();
    prop_assert_eq!(&from_bytes::<T>("t", &json).unwrap(), value);
    prop_assert!(bytes.len() < json.len());
    let mut cut = bytes.clone();
    cut.truncate(broken.0 % bytes.len());
    prop_assert!(from_bytes::<T>("t", &cut).is_err());
    let mut longer = bytes.clone();
    longer.push(broken.1);
    prop_assert!(from_bytes::<T>("t", &longer).is_err());
    let mut other = bytes;
    let at = broken.0 % other.len();
    other[at] ^= broken.1;
    if let Err(error) = from_bytes::<T>("t", &other) {
        let told = error.to_string();
        prop_assert!(told.len() < 200, "{}", told);
    }
    Ok(())
}

proptest! {
    #[test]
    fn a_person_reads_back(value in people(), broken in any::<(usize, u8)>()) {
        goes_both_ways(&value, broken)?;
    }

    #[test]
    fn a_link_reads_back(value in links(), broken in any::<(usize, u8)>()) {
        goes_both_ways(&value, broken)?;
    }

    #[test]
    fn a_change_reads_back(value in changes(), broken in any::<(usize, u8)>()) {
        goes_both_ways(&value, broken)?;
    }

    #[test]
    fn decisions_read_back(value in vec(decisions(), 0..20), broken in any::<(usize, u8)>()) {
        goes_both_ways(&value, broken)?;
    }
}

/// Another order of what an enumeration has, or a number given anew, would read what is kept as something else.
#[test]
fn the_form_on_the_disk_is_this_one() {
    let stay = Stay {
        status: LeaseStatus::Current,
        unit: Some(Unit {
            id: "u7".into(),
            label: "12B".into(),
            formerly: None,
        }),
        more_units: Vec::new(),
        lease_start: Some(date(2025, 6, 1)),
        lease_end: None,
        move_in: None,
        move_out: None,
        notice: true,
        eviction: false,
        excluded: false,
    };
    let person = Person {
        email: Some("ana@example.com".into()),
        stays: [(IntegrationId::new("elm"), Box::new(stay))].into(),
        locks: FIELDS.into(),
        ..super::person(17, None)
    };
    let hex = |bytes: Vec<u8>| {
        let bytes = bytes.iter().map(|byte| format!("{byte:02x}"));
        bytes.collect::<String>()
    };
    insta::assert_snapshot!(hex(to_bytes("t", &person).unwrap()));
    let kinds = KINDS.map(|kind| to_bytes("t", &change_of(kind)).unwrap());
    let fates: Vec<Decision> = Fate::ALL
        .into_iter()
        .map(|fate| Decision {
            subject: "t".into(),
            fate,
            rule: "R7".into(),
            reason: String::new(),
            person: Some(PersonId(1)),
        })
        .collect();
    let statuses = LeaseStatus::ALL.map(|status| {
        let link = Link {
            status,
            ..Link::new(PersonId(1), Timestamp::UNIX_EPOCH)
        };
        to_bytes("t", &link).unwrap()
    });
    let all: Vec<String> = kinds
        .into_iter()
        .chain(statuses)
        .chain([to_bytes("t", &fates).unwrap()])
        .map(hex)
        .collect();
    insta::assert_snapshot!(all.join("\n"));
}

/// What was written when an actor was a number: a change, packed and as JSON before that, and an act.
#[test]
fn what_was_done_by_a_number_goes_on_being_read() {
    let bytes = |hex: &str| -> Vec<u8> {
        let digits = hex.as_bytes().chunks(2);
        digits
            .map(|two| u8::from_str_radix(std::str::from_utf8(two).unwrap(), 16).unwrap())
            .collect()
    };
    let packed: Change =
        from_bytes("t", &bytes("02a70001010002010300070108635231370a82018101")).unwrap();
    assert_eq!(packed, change_of(ChangeKind::Created));
    let json = br#"{"seq":1,"at":"1970-01-01T00:00:00Z","person":"p1","kind":"created","run":"r1","rule":"R17","actor":{"user":1}}"#;
    let json = from_bytes::<Change>("t", &[&[1], &json[..]].concat()).unwrap();
    assert_eq!(json, packed);
    let act = br#"{"id":"x1","kind":"lock","at":"2026-03-01T08:51:17Z","by":{"user":1000}}"#;
    let act = from_bytes::<Act>("t", &[&[1], &act[..]].concat()).unwrap();
    assert_eq!(act.by, Actor::User(1000));
}

/// A number given anew would read whoever acted as somebody else.
#[test]
fn the_form_of_actors_on_the_disk_is_this_one() {
    let actors = WAYS.map(|by| Actor::Named {
        name: "ada".into(),
        by,
        uid: (by == NamedBy::Socket).then_some(1000),
    });
    let all = actors.map(|actor| {
        let change = Change {
            actor,
            ..change_of(ChangeKind::Created)
        };
        let bytes = to_bytes("t", &change).unwrap();
        bytes
            .iter()
            .fold(String::new(), |text, byte| format!("{text}{byte:02x}"))
    });
    insta::assert_snapshot!(all.join("\n"));
}

pub(super) fn change_of(kind: ChangeKind) -> Change {
    Change {
        seq: 1,
        at: Timestamp::UNIX_EPOCH,
        person: PersonId(1),
        kind,
        integration: None,
        from: None,
        resident: None,
        run: Some(RunId(1)),
        rule: "R17".into(),
        fields: Vec::new(),
        actor: Actor::User(1),
        act: None,
    }
}
