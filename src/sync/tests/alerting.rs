//! One alert per cause: R30.

use super::*;

fn stranger() -> Resident {
    with_email(bob(), "ana@x.com")
}

#[test]
fn r30_one_alert_per_cause_is_refreshed_and_never_gets_a_twin() {
    let mut world = World::new();
    world.by_hand("Anna", "Ortiz", Some("ana@x.com"));
    let first = world.run([ana()]).alerts;
    let again = world.run([Resident {
        phone: Some("(415) 555-0100".into()),
        ..ana()
    }]);
    let [alert] = &again.alerts[..] else {
        panic!("{again:#?}");
    };
    assert_eq!(alert.id, first[0].id);
    assert_eq!(alert.first_seen, first[0].first_seen);
    assert_eq!(alert.raised_by, first[0].raised_by);
    assert_eq!(alert.last_seen, world.now);
    assert_eq!(
        alert.sides[0].values[&crate::model::Field::Phone],
        "+14155550100"
    );
}

#[test]
fn r30_an_alert_closes_itself_and_opens_again_without_a_twin() {
    let mut world = World::new();
    let id = world.by_hand("Anna", "Ortiz", Some("ana@x.com"));
    let first = world.run([ana()]);
    assert_eq!(first.report.outcome, Outcome::Committed);
    world.edit(id, |person| person.email = Some("anna@x.com".into()));
    let cured = world.run([ana()]);
    assert_eq!(cured.kinds(), NO_ALERTS);
    let all = |world: &World| {
        let view = world.store.read().unwrap();
        view.alerts(None, usize::MAX, |_| true).unwrap()
    };
    assert_eq!(all(&world)[0].state, AlertState::AutoClosed);

    // The same cause again.
    world.run([with_email(ana(), "new@x.com")]);
    world.run([ana()]);
    let seen = world.run([with_email(ana(), "new@x.com")]);
    assert_eq!(seen.kinds(), [AlertKind::EmailMismatch]);
    let alerts = all(&world);
    assert_eq!(alerts.len(), 2);
    assert_eq!(alerts[1].raised_by, seen.report.id);
    assert_eq!(alerts[1].first_seen, world.now);
}

#[test]
fn r30_each_property_has_its_own_alerts() {
    let mut world = World::new();
    world.by_hand("Anna", "Ortiz", Some("ana@x.com"));
    world.run([ana()]);
    let seen = world
        .at(OTHER)
        .run([resident("t1", "Cy", "Dean", "cy@x.com")]);
    assert_eq!(seen.kinds(), NO_ALERTS);
    assert_eq!(world.at(HOME).open_alerts().len(), 1);
}

#[test]
fn r30_an_alert_about_a_record_that_could_not_be_mapped_stays_open() {
    type Cause = fn(&mut World) -> Vec<Item>;
    let causes: [(&str, Cause); 3] = [
        ("name", |world| {
            world.by_hand("Ana", "Ott", Some("bob@x.com"));
            vec![bob().into()]
        }),
        ("email", |world| {
            world.run([bob()]);
            vec![with_email(bob(), "new@x.com").into()]
        }),
        ("shared", |world| {
            world.run([ana()]);
            vec![stranger().into(), ana().into()]
        }),
    ];
    for (name, cause) in causes {
        let mut world = World::new();
        let feed = cause(&mut world);
        let before = world.run(feed).alerts;
        assert_eq!(before.len(), 1, "{name}");
        for bad in [Item::Bad("t2".into()), Item::Unread("record 1".into())] {
            let seen = world.run([bad, ana().into()]);
            let open = seen.alerts.iter().find(|alert| alert.id == before[0].id);
            assert_eq!(open, Some(&before[0]), "{name}");
        }
    }
}

#[test]
fn r30_a_word_that_nobody_knows_stays_named_while_a_record_could_not_be_mapped() {
    let mut world = World::new();
    world.run([with_status(ana(), LeaseStatus::Unknown)]);
    let seen = world.run([Item::Bad("t1".into())]);
    assert_eq!(
        seen.kinds(),
        [AlertKind::UnknownStatus, AlertKind::RecordsRejected]
    );
    assert_eq!(world.run([ana()]).kinds(), NO_ALERTS);
}

#[test]
fn r30_an_alert_about_a_linked_resident_who_is_not_in_the_feed_stays_open() {
    let mut world = World::new();
    world.run([ana(), bob()]);
    world.run([with_email(ana(), "new@x.com"), bob()]);
    for _ in 0..2 {
        let seen = world.run([bob()]);
        assert_eq!(seen.kinds(), [AlertKind::EmailMismatch]);
    }
    assert_eq!(world.run([ana(), bob()]).kinds(), NO_ALERTS);
}

#[test]
fn r30_an_alert_about_a_newcomer_who_left_the_feed_closes() {
    let mut world = World::new();
    world.run([ana()]);
    let namesake = with_id(with_email(ana(), "a.ortiz@x.com"), "t9");
    let feed = [
        ana(),
        stranger(),
        namesake,
        without_email(with_id(bob(), "t8")),
    ];
    assert_eq!(world.run(feed).alerts.len(), 3);
    assert_eq!(world.run([ana()]).kinds(), NO_ALERTS);
}

#[test]
fn r30_an_alert_closes_when_its_resident_is_left_out() {
    let mut world = World::new();
    world.by_hand("Anna", "Ortiz", Some("ana@x.com"));
    world.run([ana()]);
    let seen = world.run([Item::LeftOut(ana(), "status Current")]);
    assert_eq!(seen.kinds(), NO_ALERTS);
}
