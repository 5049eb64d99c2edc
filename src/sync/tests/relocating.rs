//! What goes along with an integration that has another name, and what the next run and an undoing make of it (R46).

use super::*;
use crate::acts::{self, ActError, Hand};
use crate::model::{Actor, Done, Feeds, Move, Ruling};

fn feeds(properties: &[&str]) -> Feeds {
    Feeds {
        account: "acme".into(),
        secrets: String::new(),
        properties: properties.iter().map(ToString::to_string).collect(),
    }
}

/// Everything that an integration has of its own.
#[derive(Debug, PartialEq)]
struct Owned {
    links: BTreeMap<String, Link>,
    alerts: Vec<(AlertKind, String, AlertState, u64)>,
    rulings: BTreeMap<String, Ruling>,
    units: BTreeMap<String, String>,
    runs: usize,
    passed: usize,
    has_run: bool,
}

impl World {
    fn remembers(&self, properties: &[&str]) {
        let running = BTreeMap::from([(self.integration.clone(), (feeds(properties), true))]);
        acts::remember(&self.store, &running).unwrap();
    }

    /// Its people go to the other one, whose runs are the next.
    fn goes_to(&mut self, other: &str, properties: &[&str]) -> Done {
        let one = Move {
            from: self.integration.clone(),
            to: IntegrationId::new(other),
            properties: None,
            renamed: true,
        };
        let to = BTreeMap::from([(one.to.clone(), feeds(properties))]);
        let hand = Hand::of_the_files(self.now);
        let done = acts::relocate(&self.store, &[one], &to, &hand).unwrap();
        self.at(other);
        self.is_sound();
        done.unwrap()
    }

    fn given_back(&self) -> Result<Done, ActError> {
        acts::undo_integration(&self.store, &self.integration, &self.hand())
    }

    fn owned(&self, of: &str) -> Owned {
        let id = IntegrationId::new(of);
        let write = self.store.write().unwrap();
        let alerts = write.alerts(&id).unwrap();
        let alerts = alerts.into_values();
        Owned {
            links: write.links(&id).unwrap(),
            alerts: alerts
                .map(|one| (one.kind, one.subject, one.state, one.id.0))
                .collect(),
            rulings: write.rulings(&id).unwrap(),
            units: write.units(&id).unwrap(),
            runs: write.run_ids(&id).unwrap().len(),
            passed: write.guard(&id).unwrap().passed.len(),
            has_run: write.history(&id).unwrap().last_run.is_some(),
        }
    }

    fn is_sound(&self) {
        let view = self.store.read().unwrap();
        assert_eq!(view.verify().unwrap().flaws, []);
    }
}

/// A property with an open alert and a dismissed one, somebody who left, and what was said by hand.
fn lived_in() -> (World, Vec<Resident>) {
    let mut world = World::new();
    let mut residents = neighbours(12);
    residents.push(without_email(with_id(ana(), "t901")));
    residents.push(without_email(with_id(bob(), "t902")));
    world.run(residents.clone());
    world.remembers(&["1"]);
    residents[0] = past(residents[0].clone());
    let seen = world.run(residents.clone());
    assert_eq!(seen.report.outcome, Outcome::Committed);
    let alerts = world.open_alerts();
    assert_eq!(alerts.len(), 2, "{alerts:?}");
    acts::dismiss(&world.store, alerts[0].id, &world.hand()).unwrap();
    let write = world.store.write().unwrap();
    let ruling = Ruling {
        apart: BTreeSet::from([PersonId(1)]),
        together: true,
    };
    write
        .put_ruling(&world.integration, "t77", Some(&ruling))
        .unwrap();
    write
        .put_unit(&world.integration, "u77", Some("12B"))
        .unwrap();
    write.commit().unwrap();
    (world, residents)
}

/// A13.
#[test]
fn r46_everything_that_an_integration_has_goes_with_its_new_name_and_comes_back() {
    let (mut world, residents) = lived_in();
    let (before, people) = (world.owned(HOME), world.people());
    assert!(before.has_run && before.passed > 0 && before.links.len() == 12);
    let done = world.goes_to(OTHER, &["1"]);
    assert_eq!(world.owned(OTHER), before);
    let nothing = world.owned(HOME);
    assert!(nothing.links.is_empty() && nothing.alerts.is_empty() && nothing.runs == 0);
    assert!(nothing.rulings.is_empty() && nothing.units.is_empty() && !nothing.has_run);
    assert_eq!(done.changes.len(), people.len());
    for change in &done.changes {
        assert_eq!(
            (change.kind, &change.actor),
            (ChangeKind::Moved, &Actor::Sync)
        );
        assert_eq!(change.from, Some(IntegrationId::new(HOME)));
    }
    let moved = world.people();
    for (was, is) in people.iter().zip(&moved) {
        assert_eq!(
            was.stays.values().collect::<Vec<_>>(),
            is.stays.values().collect::<Vec<_>>()
        );
        assert_eq!(
            is.stays.keys().collect::<Vec<_>>(),
            [&IntegrationId::new(OTHER)]
        );
    }
    // The next run finds everybody as the one before would have.
    world.settles(residents.clone());

    let undone = world.given_back().unwrap();
    assert!(
        undone
            .changes
            .iter()
            .all(|one| one.kind == ChangeKind::Undone)
    );
    assert_eq!(world.people(), people);
    world.is_sound();
    let back = world.owned(HOME);
    assert_eq!(
        (&back.alerts, &back.rulings, &back.units),
        (&before.alerts, &before.rulings, &before.units)
    );
    assert_eq!(
        back.links.keys().collect::<Vec<_>>(),
        before.links.keys().collect::<Vec<_>>()
    );
    assert!(world.owned(OTHER).links.is_empty());
    world.at(HOME).settles(residents);
    assert!(world.at(OTHER).given_back().is_err(), "once");
}

#[test]
fn r46_nobody_is_given_back_whose_stay_a_run_has_changed_since() {
    let (mut world, mut residents) = lived_in();
    world.goes_to(OTHER, &["1"]);
    residents[3].unit = unit("77X");
    let seen = world.run(residents);
    assert_eq!(seen.report.counts.updated, 1, "{:?}", seen.report);
    let (people, owned) = (world.people(), world.owned(OTHER));
    let refused = world.given_back().unwrap_err().to_string();
    assert!(
        refused.contains("has changed since the rename"),
        "{refused}"
    );
    assert_eq!((world.people(), world.owned(OTHER)), (people, owned));
}

/// R31: what the renaming did not touch is no reason to refuse, and stays as it is.
#[test]
fn r46_a_newer_phone_is_kept_by_whoever_is_given_back() {
    let (mut world, mut residents) = lived_in();
    world.goes_to(OTHER, &["1"]);
    residents[3].phone = Some("+12125550199".into());
    let seen = world.run(residents.clone());
    assert_eq!(seen.report.counts.updated, 1, "{:?}", seen.report);
    world.given_back().unwrap();
    world.is_sound();
    let phones: Vec<_> = world.people().into_iter().map(|one| one.phone).collect();
    assert!(phones.contains(&residents[3].phone), "{phones:?}");
    world.at(HOME).settles(residents);
}

#[test]
fn r46_nobody_is_given_back_where_somebody_came_in_since() {
    let mut world = World::new();
    let mut residents = vec![with_id(ana(), "1/t1")];
    world.run(residents.clone());
    world.remembers(&["1"]);
    world.goes_to(OTHER, &["1"]);
    residents.push(with_id(bob(), "1/t2"));
    world.run(residents);
    let people = world.people();
    let refused = world.given_back().unwrap_err().to_string();
    assert!(
        refused.contains("came to `oak` by a run since"),
        "{refused}"
    );
    assert_eq!(world.people(), people);
}

#[test]
fn r46_an_integration_that_had_people_keeps_what_is_its_own_when_others_are_given_back() {
    let mut world = World::new();
    world.at(OTHER).run(strangers(3));
    world.remembers(&["2"]);
    let before = world.owned(OTHER);
    world.at(HOME).run(neighbours(4));
    world.remembers(&["1"]);
    world.goes_to(OTHER, &["1", "2"]);
    assert_eq!(world.owned(OTHER).links.len(), 7);
    world.given_back().unwrap();
    world.is_sound();
    let after = world.owned(OTHER);
    assert_eq!(after.links, before.links);
    assert!(after.runs >= before.runs && after.has_run);
    assert_eq!(world.owned(HOME).links.len(), 4);
    world.at(OTHER).settles(strangers(3));
    world.at(HOME).settles(neighbours(4));
}

#[test]
fn r46_what_is_moved_once_is_not_moved_again() {
    let (mut world, residents) = lived_in();
    world.goes_to(OTHER, &["1"]);
    let one = Move {
        from: IntegrationId::new(HOME),
        to: IntegrationId::new(OTHER),
        properties: None,
        renamed: true,
    };
    let to = BTreeMap::from([(one.to.clone(), feeds(&["1"]))]);
    let people = world.people();
    let again = acts::relocate(&world.store, &[one], &to, &world.hand()).unwrap();
    assert_eq!(again, None);
    assert_eq!(world.people(), people);
    world.settles(residents);
}

#[test]
fn r46_whoever_is_retired_is_past_and_comes_back_only_by_a_run_or_an_undoing() {
    let (mut world, residents) = lived_in();
    let people = world.people();
    let id = world.integration.clone();
    let would = acts::retire(&world.store, &id, None, true, &world.hand()).unwrap();
    assert_eq!((would.people.len(), would.done), (11, None));
    assert_eq!(world.people(), people, "it was only asked");
    let told = acts::retire(&world.store, &id, None, false, &world.hand()).unwrap();
    assert_eq!(told.people, would.people);
    assert!(
        world
            .people()
            .iter()
            .all(|one| one.stays.values().all(|stay| stay.is_closed()))
    );
    assert_eq!(world.open_alerts(), []);
    world.is_sound();
    let again = acts::retire(&world.store, &id, None, false, &world.hand());
    assert!(again.unwrap_err().to_string().contains("retired already"));
    world.given_back().unwrap();
    assert_eq!(world.people(), people);
    world.settles(residents);
}
