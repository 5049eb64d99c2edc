//! Erasing people: nothing of them stands in any table afterwards, whatever the feed goes on saying, and nobody else
//! loses anything.

use proptest::prelude::*;

use super::*;
use crate::acts::{self, ActError, Erase, Finished};
use crate::model::{ErasureState, LeftAt, Resolution, TargetId};
use crate::store::View;

/// What says who Ada is, and nobody else: each alone would.
const ADA: [&str; 5] = [
    "adaline",
    "quillon",
    "ada.q@mail.com",
    "+12125550142",
    "ada-77",
];

fn ada() -> Resident {
    Resident {
        phone: Some("+12125550142".into()),
        unit: unit("ada-77"),
        ..resident("t1", "Adaline", "Quillon", "ada.q@mail.com")
    }
}

#[allow(clippy::unnecessary_wraps, reason = "the form of what asks targets")]
fn nothing_left(_: &View, _: &BTreeSet<PersonId>) -> Result<Vec<LeftAt>, StoreError> {
    Ok(Vec::new())
}

/// Two grants of each at the doors.
#[allow(clippy::unnecessary_wraps, reason = "the form of what asks targets")]
fn two_grants_left(_: &View, people: &BTreeSet<PersonId>) -> Result<Vec<LeftAt>, StoreError> {
    let left = people.iter().map(|person| LeftAt {
        target: TargetId::new("doors"),
        person: *person,
        grants: 2,
        why: None,
    });
    Ok(left.collect())
}

impl World {
    fn erase(&self, person: u64) -> Result<crate::model::Erasure, ActError> {
        let asked = Erase {
            person: PersonId(person),
            reason: Some("Adaline Quillon asked for it".into()),
            force: false,
        };
        acts::erase(&self.store, &asked, &nothing_left, &self.hand())
    }

    /// Where one of these stands, in any table: key or value.
    fn traces(&self, words: &[&str]) -> Vec<String> {
        let dump = self.store.read().unwrap().dump().unwrap();
        let mut found = Vec::new();
        for ((table, key), value) in dump {
            for bytes in [&key, &value] {
                let text = String::from_utf8_lossy(bytes).to_lowercase();
                for word in words {
                    if text.contains(word) {
                        found.push(format!("{table}: {word}: {text}"));
                    }
                }
            }
        }
        found
    }

    #[track_caller]
    fn nothing_says(&self, words: &[&str]) {
        assert_eq!(self.traces(words), Vec::<String>::new());
        let found = self.store.read().unwrap().verify().unwrap();
        assert_eq!((found.flaws, found.lost), (vec![], vec![]));
    }
}

/// Ada lived here, and has left.
fn gone() -> World {
    let mut world = World::new();
    world.unguarded();
    world.run([ada(), bob()]);
    world.run([past(ada()), bob()]);
    assert!(!world.traces(&ADA).is_empty());
    world
}

#[test]
fn whoever_was_erased_stands_in_no_table_and_stays_away() {
    let mut world = gone();
    let erasure = world.erase(1).unwrap();
    assert_eq!(erasure.state, ErasureState::Erased);
    assert_eq!(erasure.people, [PersonId(1)]);
    assert_eq!(erasure.done.changes[0].kind, ChangeKind::Erased);
    world.nothing_says(&ADA);
    assert!(world.person(1).erased);
    assert!(!world.links().contains_key("t1"));
    let seen = world.run([past(ada()), bob()]);
    assert_eq!(seen.ruled("t1"), (Fate::Excluded, "erased"));
    assert_eq!(seen.decision("t1").reason, "erased");
    assert_eq!(seen.fate("t2"), Fate::Unchanged);
    assert_eq!(seen.report.excluded_by["erased"], 1);
    world.nothing_says(&ADA);
    world.settles([past(ada()), bob()]);
    world.nothing_says(&ADA);
    // The log goes on saying what happened, and no more.
    let log = world
        .store
        .read()
        .unwrap()
        .changes_of(PersonId(1), u64::MAX, 9)
        .unwrap();
    let kinds: Vec<ChangeKind> = log.iter().map(|one| one.kind).collect();
    assert_eq!(
        kinds,
        [ChangeKind::Erased, ChangeKind::Closed, ChangeKind::Created]
    );
    assert!(
        log[2]
            .fields
            .iter()
            .any(|field| field.field == crate::model::Field::Email)
    );
    assert_eq!(
        world.erase(1).unwrap_err().to_string(),
        "p1 was erased already"
    );
}

#[test]
fn what_the_guard_keeps_of_whoever_left_today_says_nothing_of_them() {
    let mut world = World::new();
    world.run([ada(), bob()]);
    world.run([past(ada()), bob()]);
    let kept = world.traces(&ADA);
    assert!(
        kept.iter().any(|one| one.starts_with("guards-1")),
        "{kept:?}"
    );
    world.erase(1).unwrap();
    world.nothing_says(&ADA);
    world.settles([past(ada()), bob()]);
    world.nothing_says(&ADA);
}

#[test]
fn whoever_is_current_is_not_erased_and_it_says_where() {
    let mut world = World::new();
    world.run([ada()]);
    let error = world.erase(1).unwrap_err().to_string();
    assert!(error.contains("p1 is current at `elm`"), "{error}");
    assert_eq!(world.person(1).first_name, "Adaline");
}

#[test]
fn whoever_is_current_again_is_told_and_comes_in_as_somebody_new_once_admitted() {
    let mut world = gone();
    world.erase(1).unwrap();
    let seen = world.run([ada(), bob()]);
    assert_eq!(seen.kinds(), [AlertKind::ErasedReturned]);
    world.nothing_says(&ADA);
    world.settles([ada(), bob()]);
    let done = world
        .resolve(AlertKind::ErasedReturned, &Resolution::Admit)
        .unwrap();
    world.nothing_says(&ADA);
    // Undone before a run has seen it, nobody comes in.
    acts::undo(&world.store, done.alert.unwrap(), &world.hand()).unwrap();
    let seen = world.run([ada(), bob()]);
    assert_eq!(seen.fate("t1"), Fate::Excluded);
    let done = world
        .resolve(AlertKind::ErasedReturned, &Resolution::Admit)
        .unwrap();
    let seen = world.run([ada(), bob()]);
    assert_eq!(seen.ruled("t1"), (Fate::Created, "R17"));
    assert_eq!(seen.kinds(), NO_ALERTS);
    let new = world.links()["t1"].person;
    assert_ne!(new, PersonId(1));
    assert_eq!(world.person(new.0).email.as_deref(), Some("ada.q@mail.com"));
    assert!(world.person(1).erased);
    let error = acts::undo(&world.store, done.alert.unwrap(), &world.hand());
    let error = error.unwrap_err().to_string();
    assert!(error.contains(&format!("came in as {new}")), "{error}");
    // Erased once more, they stay away once more.
    world.run([past(ada()), bob()]);
    world.erase(new.0).unwrap();
    world.nothing_says(&ADA);
    let seen = world.run([ada(), bob()]);
    assert_eq!(seen.kinds(), [AlertKind::ErasedReturned]);
    world.nothing_says(&ADA);
}

#[test]
fn an_alert_that_somebody_returned_closes_once_they_have_left_again() {
    let mut world = gone();
    world.erase(1).unwrap();
    world.run([ada(), bob()]);
    let seen = world.run([past(ada()), bob()]);
    assert_eq!(seen.kinds(), NO_ALERTS);
    let pending = with_status(ada(), LeaseStatus::Pending);
    assert_eq!(world.run([pending, bob()]).kinds(), NO_ALERTS);
}

#[test]
fn an_id_that_is_somebody_elses_by_now_comes_in() {
    let mut world = gone();
    world.erase(1).unwrap();
    let other = resident("t1", "Cleo", "Marsh", "cleo@mail.com");
    let seen = world.run([other, bob()]);
    assert_eq!(seen.fate("t1"), Fate::Created);
    // Under another id the same email and name are the same human's.
    let seen = world.run([with_id(ada(), "t9"), bob()]);
    assert_eq!(seen.fate("t9"), Fate::Excluded);
    world.nothing_says(&ADA);
}

#[test]
fn everybody_who_became_one_with_somebody_is_erased_with_them() {
    let mut world = World::new();
    world.unguarded();
    world.by_hand("Adaline", "Quillon", Some("ada.old@mail.com"));
    world.by_hand("Adaline", "Quillon", None);
    let elm = IntegrationId::new(HOME);
    for id in [1, 2] {
        let write = world.store.write().unwrap();
        let mut person = write.person(PersonId(id)).unwrap().unwrap();
        let stay = Stay {
            status: LeaseStatus::Past,
            unit: unit("ada-77"),
            more_units: Vec::new(),
            lease_start: None,
            lease_end: None,
            move_in: None,
            move_out: None,
            notice: false,
            eviction: false,
            excluded: false,
        };
        person.stays.insert(elm.clone(), Box::new(stay));
        write.put_person(&person).unwrap();
        write.commit().unwrap();
    }
    let seen = world.run([ada()]);
    assert_eq!(seen.kinds(), [AlertKind::DuplicateAccounts]);
    let into = Resolution::Merge {
        into: Some(PersonId(1)),
    };
    world.resolve(AlertKind::DuplicateAccounts, &into).unwrap();
    world.run([past(ada())]);
    let error = world.erase(2).unwrap_err().to_string();
    assert!(error.contains("erase p1, and p2 goes along"), "{error}");
    assert_eq!(world.erase(1).unwrap().people, [PersonId(1), PersonId(2)]);
    let words = [
        "adaline",
        "quillon",
        "ada.q@",
        "ada.old@",
        "+12125550142",
        "ada-77",
    ];
    world.nothing_says(&words);
    world.run([past(ada())]);
    world.nothing_says(&words);
}

#[test]
fn lookups_lose_whoever_was_erased_now_and_when_they_are_read_again() {
    let mut world = gone();
    let record = r#"{"unit":"9","rent":"100","tenant":{"first":"Adaline","last":"Quillon"},"call":"(212) 555-0142","mail":"Ada.Q@mail.com","by":"Bob Marsh"}"#;
    let lookup = Lookup {
        read: world.now,
        read_by: "x".into(),
        records: BTreeMap::from([("9".to_owned(), record.to_owned())]),
        of_properties: BTreeMap::new(),
    };
    world.lookups = vec![("units".into(), lookup)];
    world.run([past(ada()), bob()]);
    let words = ["adaline", "quillon", "ada.q@", "555-0142"];
    assert!(!world.traces(&words).is_empty());
    world.erase(1).unwrap();
    world.nothing_says(&words);
    world.run([past(ada()), bob()]);
    world.nothing_says(&words);
    let kept = world
        .store
        .read()
        .unwrap()
        .lookup(&world.integration, "units")
        .unwrap();
    let kept = kept.unwrap().records["9"].clone();
    assert!(
        kept.contains(r#""rent":"100""#) && kept.contains("Bob Marsh"),
        "{kept}"
    );
}

#[test]
fn whom_targets_have_something_of_is_erased_once_they_have_not() {
    let mut world = gone();
    let asked = Erase {
        person: PersonId(1),
        reason: None,
        force: false,
    };
    let erasure = acts::erase(&world.store, &asked, &two_grants_left, &world.hand()).unwrap();
    assert_eq!(erasure.state, ErasureState::Erasing);
    assert_eq!(erasure.waits_for.len(), 1);
    assert_eq!(world.person(1).first_name, "Adaline");
    let finish = |left| acts::finish(&world.store, PersonId(1), left, world.now).unwrap();
    assert_eq!(finish(&two_grants_left), Finished::Waits);
    let again = acts::erase(&world.store, &asked, &two_grants_left, &world.hand());
    let again = again.unwrap_err().to_string();
    assert!(
        again.contains("the target `doors` has to hear of it first"),
        "{again}"
    );
    assert_eq!(finish(&nothing_left), Finished::Erased);
    world.nothing_says(&ADA);
    world.run([past(ada()), bob()]);
    world.nothing_says(&ADA);
}

#[test]
fn whoever_lives_here_again_while_targets_are_told_is_not_erased() {
    let mut world = gone();
    let asked = Erase {
        person: PersonId(1),
        reason: None,
        force: false,
    };
    acts::erase(&world.store, &asked, &two_grants_left, &world.hand()).unwrap();
    world.run([ada(), bob()]);
    let finished = acts::finish(&world.store, PersonId(1), &nothing_left, world.now).unwrap();
    assert_eq!(finished, Finished::Stays);
    assert_eq!(world.person(1).first_name, "Adaline");
    assert!(
        world
            .store
            .read()
            .unwrap()
            .all_erasing()
            .unwrap()
            .is_empty()
    );
    world.settles([ada(), bob()]);
    // Forced, nobody is waited for.
    world.run([past(ada()), bob()]);
    let force = Erase {
        force: true,
        ..asked
    };
    let erasure = acts::erase(&world.store, &force, &two_grants_left, &world.hand()).unwrap();
    assert_eq!(erasure.state, ErasureState::Erased);
    assert_eq!(erasure.stays_at[0].target, TargetId::new("doors"));
    world.nothing_says(&ADA);
}

#[test]
fn an_act_that_was_done_to_somebody_erased_is_not_undone_and_says_nothing_of_them() {
    let mut world = World::new();
    world.unguarded();
    world.by_hand("Addie", "Quillon", Some("ada.q@mail.com"));
    world.run([ada(), bob()]);
    let merge = Resolution::Merge { into: None };
    let done = world.resolve(AlertKind::NameMismatch, &merge).unwrap();
    world.run([past(ada()), bob()]);
    world.erase(1).unwrap();
    let words = ["adaline", "quillon", "addie", "ada.q@", "ada-77"];
    world.nothing_says(&words);
    let error = acts::undo(&world.store, done.alert.unwrap(), &world.hand());
    assert!(error.is_err());
    let error = acts::undo_act(&world.store, done.act, &world.hand()).unwrap_err();
    let error = error.to_string();
    assert!(error.contains("erased: nothing of it is kept"), "{error}");
    let act = world.store.read().unwrap().act(done.act).unwrap().unwrap();
    assert_eq!(act.by, world.hand().by);
    assert!(act.people.is_empty() && act.links.is_empty());
}

/// What somebody says of her, without her whole name.
const WRITTEN: &str = "Ms QUILLON asked, by Adaline's phone";

#[test]
fn what_people_wrote_says_no_name_of_somebody_erased_not_even_the_last_one_alone() {
    let mut world = World::new();
    world.unguarded();
    world.run([ada(), bob()]);
    let seen = world.run([past(ada()), without_email(with_id(bob(), "t8")), bob()]);
    assert_eq!(seen.kinds(), [AlertKind::MissingEmail]);
    let alert = world.store.read().unwrap().open_alerts(None).unwrap()[0].id;
    let elm = IntegrationId::new(HOME);
    let hand = world.hand();
    let said = "beside Mrs Quillon, in May";
    let comment = acts::comment(&world.store, alert, said, &hand).unwrap();
    acts::pause(&world.store, &elm, None, "Quillon moves", &hand).unwrap();
    let asked = Erase {
        person: PersonId(1),
        reason: Some(WRITTEN.into()),
        force: false,
    };
    // Asked for first, done by force: both acts have a reason.
    acts::erase(&world.store, &asked, &two_grants_left, &hand).unwrap();
    let forced = Erase {
        force: true,
        ..asked
    };
    let erasure = acts::erase(&world.store, &forced, &two_grants_left, &hand).unwrap();
    world.nothing_says(&["adaline", "quillon"]);
    let view = world.store.read().unwrap();
    let act = |id| view.act(id).unwrap().unwrap();
    let reason = act(erasure.done.act).reason;
    assert_eq!(
        reason.as_deref(),
        Some("Ms (erased) asked, by (erased)'s phone")
    );
    let kept = "beside Mrs (erased), in May";
    assert_eq!(act(comment.act).said.as_deref(), Some(kept));
    assert_eq!(view.alert(alert).unwrap().unwrap().comments[0].text, kept);
    let pause = view.history(&elm).unwrap().pause.unwrap();
    assert_eq!(pause.reason, "(erased) moves");
}

#[test]
fn what_was_said_of_an_alert_about_somebody_erased_goes_with_its_act() {
    let mut world = World::new();
    world.unguarded();
    world.run([ada(), bob()]);
    let seen = world.run([without_email(ada()), bob()]);
    assert_eq!(seen.kinds(), [AlertKind::MissingEmail]);
    let alert = world.store.read().unwrap().open_alerts(None).unwrap()[0].id;
    let text = "the tall one from the third floor";
    let comment = acts::comment(&world.store, alert, text, &world.hand()).unwrap();
    world.run([past(ada()), bob()]);
    world.erase(1).unwrap();
    world.nothing_says(&["third floor"]);
    let view = world.store.read().unwrap();
    let act = view.act(comment.act).unwrap().unwrap();
    assert_eq!(act.said.as_deref(), Some("(erased)"));
}

#[test]
fn whoever_has_left_for_as_long_as_their_property_says_is_erased_by_rule() {
    let mut world = gone();
    let elm = IntegrationId::new(HOME);
    let day = std::time::Duration::from_hours(24);
    let rules = BTreeMap::from([(elm, day * 90)]);
    let due = |world: &World| {
        let view = world.store.read().unwrap();
        acts::due_by_rule(&view, &rules, None, 100, world.now).unwrap()
    };
    assert_eq!(due(&world), (BTreeSet::new(), None));
    world.clock_jumps(SignedDuration::from_hours(24 * 91));
    let (people, next) = due(&world);
    assert_eq!((&people, next), (&BTreeSet::from([PersonId(1)]), None));
    let erased = acts::erase_by_rule(&world.store, &people, &nothing_left, world.now);
    assert_eq!(erased.unwrap(), 1);
    world.nothing_says(&ADA);
    assert_eq!(due(&world), (BTreeSet::new(), None));
    assert_eq!(world.person(2).first_name, "Bob");
}

/// What a morning has of Ada.
#[derive(Debug, Clone)]
enum Ada {
    Absent,
    Here(LeaseStatus),
    LeftOut,
    /// Under another id, too.
    Twice,
    WithoutEmail,
    /// The PMS has another email, or another last name.
    OtherEmail,
    OtherName,
    Unread,
    /// Somebody else has her email.
    Shared,
}

fn mornings() -> impl Strategy<Value = Vec<Ada>> {
    let statuses = proptest::sample::select(LeaseStatus::ALL.to_vec());
    let morning = prop_oneof![
        Just(Ada::Absent),
        statuses.prop_map(Ada::Here),
        Just(Ada::LeftOut),
        Just(Ada::Twice),
        Just(Ada::WithoutEmail),
        Just(Ada::OtherEmail),
        Just(Ada::OtherName),
        Just(Ada::Unread),
        Just(Ada::Shared),
    ];
    proptest::collection::vec(morning, 1..6)
}

fn morning(ada_is: &Ada) -> Vec<Item> {
    let mut items: Vec<Item> = vec![bob().into()];
    let mut put = |resident: Resident| items.push(resident.into());
    match ada_is {
        Ada::Absent => {}
        Ada::Here(status) => put(with_status(ada(), *status)),
        Ada::LeftOut => items.push(Item::LeftOut(past(ada()), "Canceled")),
        Ada::Twice => {
            put(past(ada()));
            put(with_id(past(ada()), "t9"));
        }
        Ada::WithoutEmail => put(without_email(past(ada()))),
        Ada::OtherEmail => put(with_email(past(ada()), "ada.q@mail.com.adaline.net")),
        Ada::OtherName => put(Resident {
            last_name: "Quillonson".into(),
            ..past(ada())
        }),
        Ada::Unread => items.push(Item::Bad("t1".into())),
        Ada::Shared => {
            put(ada());
            put(resident("t5", "Dora", "Marsh", "ada.q@mail.com"));
        }
    }
    items
}

/// What the PMS says of her by then, as it said it before.
fn after(ada_is: &Ada) -> bool {
    // What it says otherwise for the first time was never erased, and whoever else has her email is told of.
    !matches!(
        ada_is,
        Ada::OtherEmail | Ada::OtherName | Ada::Shared | Ada::WithoutEmail
    )
}

proptest! {
    #![proptest_config(searching(48))]

    /// Whatever the feed said of somebody before, and whatever of that it goes on saying.
    #[test]
    fn after_an_erasure_nothing_of_the_person_stands_in_any_table_whatever_runs_come(
        before in mornings(),
        later in mornings(),
        per_record in 1..3_usize,
        lock in any::<bool>(),
    ) {
        let mut world = World::new();
        world.unguarded();
        world.per_record = per_record;
        world.run([ada(), bob()]);
        if lock {
            let fields = BTreeSet::from([crate::model::Field::Phone]);
            acts::lock(&world.store, PersonId(1), &fields, &world.hand()).unwrap();
        }
        for one in &before {
            world.runs(morning(one));
        }
        // She has left by now, and nobody else has anything of hers.
        for _ in 0..4 {
            world.runs([past(ada()), bob()]);
        }
        if world.erase(1).is_err() {
            // Something holds her here.
            prop_assert!(world.person(1).current_at().next().is_some());
            return Ok(());
        }
        world.nothing_says(&ADA);
        let bob_before = world.links()["t2"].person;
        for one in later.iter().filter(|one| after(one)) {
            world.runs(morning(one));
            world.nothing_says(&ADA);
        }
        prop_assert_eq!(world.links()["t2"].person, bob_before);
        prop_assert_eq!(world.person(bob_before.0).first_name, "Bob");
    }
}
