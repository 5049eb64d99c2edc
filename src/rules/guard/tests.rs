//! The guard as a pure function: over people in memory, plans made by the planner, and random misfortunes.

use std::cell::Cell;

use crate::testing::searching;
use jiff::civil::date;
use proptest::prelude::*;

use super::*;
use crate::config::EmailChange;
use crate::model::{Decision, Fate, LeaseStatus, Person, Relationship, Resident, SpoolError, Unit};
use crate::rules::dates::BadDates;
use crate::rules::entry::Entry;
use crate::rules::normal::Normal;
use crate::rules::plan::{Inputs, plan};

/// People and links in memory.
#[derive(Default)]
struct Town {
    people: BTreeMap<PersonId, Person>,
    links: BTreeMap<String, Link>,
    next: Cell<u64>,
    state: GuardState,
    hours: i64,
    limits: Guard,
}

impl People for Town {
    type Error = SpoolError;

    fn person(&self, id: PersonId) -> Result<Option<Person>, SpoolError> {
        Ok(self.people.get(&id).cloned())
    }

    fn named_elsewhere(&self, id: PersonId) -> Result<Person, SpoolError> {
        Ok(self.people[&id].clone())
    }

    fn person_with_email(&self, email: &str) -> Result<Option<PersonId>, SpoolError> {
        let mut people = self.people.values();
        let found = people.find(|one| one.email.as_deref() == Some(email));
        Ok(found.map(|one| one.id))
    }

    fn people_named(&self, first: &str, last: &str) -> Result<Vec<PersonId>, SpoolError> {
        let named = |one: &&Person| one.first_name == first && one.last_name == last;
        Ok(self
            .people
            .values()
            .filter(named)
            .map(|one| one.id)
            .collect())
    }

    fn linked_since(&self, id: PersonId) -> Result<BTreeMap<IntegrationId, Timestamp>, SpoolError> {
        let links = self.links.values().filter(|link| link.person == id);
        let since = links.map(|link| link.since).min();
        Ok(since.map(|since| (home(), since)).into_iter().collect())
    }

    fn new_person_id(&self) -> Result<PersonId, SpoolError> {
        self.next.set(self.next.get() + 1);
        Ok(PersonId(self.next.get()))
    }
}

fn home() -> IntegrationId {
    IntegrationId::new("elm")
}

impl Town {
    fn now(&self) -> Timestamp {
        let begin: Timestamp = "2026-03-01T10:00:00Z".parse().unwrap();
        begin + SignedDuration::from_hours(self.hours)
    }

    fn plan(&self, feed: &[Resident]) -> Plan {
        let integration = home();
        let entries = feed.iter().map(|resident| Entry::Resident {
            property: None,
            normal: Normal {
                resident: resident.clone(),
                keep_phone: false,
                reversed: false,
            },
            excluded: None,
            record: None,
        });
        let mut inputs = Inputs {
            integration: &integration,
            run: RunId(1),
            now: self.now(),
            not_understood: false,
            // What befalls emails is to be seen.
            email_change: EmailChange::HoldEmail,
            missing_after: 24,
            entries: entries.collect(),
            unmapped: BTreeMap::new(),
            odd: crate::rules::Odd::default(),
            bad_dates: BadDates::default(),
            links: self.links.clone(),
            rulings: BTreeMap::new(),
            alerts: BTreeMap::new(),
            resting: BTreeMap::new(),
            cut_emails: BTreeSet::new(),
        };
        plan(&mut inputs, self).unwrap()
    }

    fn judged<T>(&self, plan: &Plan, then: impl FnOnce(&Judged<'_>, &Facts<'_, Town>) -> T) -> T {
        let (integration, nothing) = (home(), BTreeSet::new());
        let facts = Facts {
            integration: &integration,
            run: RunId(1),
            now: self.now(),
            today: date(2026, 3, 1),
            limits: &self.limits,
            state: &self.state,
            links: &self.links,
            all_links: &|| Ok(self.links.clone()),
            households: &|_| Ok(BTreeMap::new()),
            people: self,
            records: 1,
            empty: false,
            emptied: &BTreeSet::new(),
            attached: &nothing,
            silent: &nothing,
            retroactive: &BTreeSet::new(),
        };
        let judged = judge(plan, &facts).unwrap();
        then(&judged, &facts)
    }

    fn verdict(&self, feed: &[Resident]) -> Verdict {
        self.judged(&self.plan(feed), |judged, _| match &judged.verdict {
            Verdict::Passes { approved_by } => Verdict::Passes {
                approved_by: approved_by.clone(),
            },
            Verdict::Trips {
                plan,
                reason,
                stops,
                people,
            } => Verdict::Trips {
                plan: plan.clone(),
                reason: reason.clone(),
                stops: *stops,
                people: people.clone(),
            },
        })
    }

    fn held(&self, feed: &[Resident]) -> Option<HeldPlan> {
        match self.verdict(feed) {
            Verdict::Passes { .. } => None,
            Verdict::Trips { plan, .. } => Some(plan),
        }
    }

    /// Carries a plan out that passes.
    fn carry_out(&mut self, feed: &[Resident]) {
        let plan = self.plan(feed);
        let state = self.judged(&plan, |judged, facts| {
            assert!(matches!(judged.verdict, Verdict::Passes { .. }));
            judged.remembered(facts, Written::All).unwrap().0
        });
        self.state = GuardState {
            excluded_by: Some(BTreeMap::new()),
            ..state
        };
        for person in &plan.people {
            let person = person.unwrap();
            self.people.insert(person.id, person);
        }
        self.links.extend(plan.links.to_vec().unwrap());
        self.hours += 1;
    }

    /// So many neighbours, each in a unit of their own.
    fn of(count: usize) -> (Town, Vec<Resident>) {
        let mut town = Town::default();
        let feed: Vec<Resident> = (0..count).map(neighbour).collect();
        town.carry_out(&feed);
        (town, feed)
    }
}

fn neighbour(number: usize) -> Resident {
    Resident {
        id: format!("t{number:03}"),
        lease_id: None,
        household: None,
        relationship: Relationship::Primary,
        first_name: format!("First{number}"),
        last_name: format!("Last{number}"),
        email: Some(format!("n{number}@x.com")),
        phone: Some(format!("+1212555{number:04}")),
        unit: Some(Unit {
            id: format!("u{number}"),
            label: format!("{}", 100 + number),
            formerly: None,
        }),
        lease_start: Some(date(2026, 1, 1)),
        lease_end: Some(date(2026, 12, 31)),
        move_in: None,
        move_out: None,
        unreadable: BTreeSet::new(),
        status: LeaseStatus::Current,
        status_word: "Current".into(),
        notice: false,
        eviction: false,
    }
}

/// What the feed does to one of `all`.
#[derive(Debug, Clone, Copy)]
enum Misfortune {
    Closed,
    SetBack,
    MovedToTheNext,
    EndsInThePast,
    EndTaken,
    PhoneOfTheNext,
    Renamed,
    SeveralAtOnce,
}

fn befalls(feed: &mut [Resident], all: &[Resident], place: usize, misfortune: Misfortune) {
    let next = all[(place + 1) % all.len()].clone();
    let one = &mut feed[place];
    match misfortune {
        Misfortune::Closed => one.status = LeaseStatus::Past,
        Misfortune::SetBack => one.status = LeaseStatus::Pending,
        Misfortune::MovedToTheNext => one.unit = next.unit,
        Misfortune::EndsInThePast => one.move_out = Some(date(2026, 2, 27)),
        Misfortune::EndTaken => one.lease_end = None,
        Misfortune::PhoneOfTheNext => one.phone = next.phone,
        Misfortune::Renamed => {
            one.first_name = format!("Other{place}");
            one.last_name = format!("Stranger{place}");
        }
        Misfortune::SeveralAtOnce => {
            one.unit = next.unit;
            one.phone = next.phone;
            one.move_out = Some(date(2026, 2, 27));
            one.lease_end = None;
            one.notice = true;
        }
    }
}

fn misfortune() -> impl Strategy<Value = Misfortune> {
    prop_oneof![
        Just(Misfortune::Closed),
        Just(Misfortune::SetBack),
        Just(Misfortune::MovedToTheNext),
        Just(Misfortune::EndsInThePast),
        Just(Misfortune::EndTaken),
        Just(Misfortune::PhoneOfTheNext),
        Just(Misfortune::Renamed),
        Just(Misfortune::SeveralAtOnce),
    ]
}

/// A house of 12 to 90, and what befalls whom: each once.
fn morning() -> impl Strategy<Value = (usize, Vec<(usize, Misfortune)>)> {
    (12_usize..90).prop_flat_map(|count| {
        let places = Just((0..count).collect::<Vec<_>>()).prop_shuffle();
        let fates = prop::collection::vec(misfortune(), 0..16.min(count));
        (places, fates)
            .prop_map(move |(places, fates)| (count, places.into_iter().zip(fates).collect()))
    })
}

fn after(all: &[Resident], fates: &[(usize, Misfortune)]) -> Vec<Resident> {
    let mut feed = all.to_vec();
    for (place, misfortune) in fates {
        befalls(&mut feed, all, *place, *misfortune);
    }
    feed
}

proptest! {
    #![proptest_config(searching(48))]

    #[test]
    fn r27_as_many_people_may_lose_something_as_the_limits_say_whatever_befalls_them(
        (count, fates) in morning(),
    ) {
        let (town, all) = Town::of(count);
        let limit = 5.max(count / 10);
        for most in [limit, limit + 1, fates.len()].into_iter().filter(|most| *most <= fates.len()) {
            // Nobody is counted twice, and nobody is overlooked: exactly so many people decide it.
            let held = town.held(&after(&all, &fates[..most]));
            prop_assert_eq!(held.is_some(), most > limit, "{} of {}", most, count);
            let Some(held) = held else { continue };
            let people: BTreeSet<PersonId> = held.items.iter().filter_map(|one| one.person).collect();
            let whom: BTreeSet<String> = fates[..most].iter()
                .map(|(place, _)| format!("First{place} Last{place}"))
                .collect();
            let named: BTreeSet<String> = held.items.iter()
                .map(|one| one.name.clone())
                .filter(|name| !name.is_empty())
                .collect();
            prop_assert_eq!(people.len(), most);
            prop_assert_eq!(named, whom);
        }
    }

    #[test]
    fn r27_the_order_of_the_feed_is_nothing_to_the_guard(
        (count, fates) in morning(),
        turn in 0_usize..90,
    ) {
        let (town, all) = Town::of(count);
        let feed = after(&all, &fates);
        let mut turned = feed.clone();
        turned.rotate_left(turn % count);
        turned[..count / 2].reverse();
        prop_assert_eq!(town.verdict(&feed), town.verdict(&turned));
    }

    #[test]
    fn r27_small_steps_count_as_one_large_one((count, fates) in morning(), steps in 1_usize..5) {
        let (mut town, all) = Town::of(count);
        let mut done = 0;
        let mut held = false;
        for part in fates.chunks(steps) {
            let feed = after(&all, &fates[..done + part.len()]);
            if town.held(&feed).is_some() {
                held = true;
                break;
            }
            town.carry_out(&feed);
            done += part.len();
        }
        prop_assert!(done <= 5.max(count / 10), "{} of {} passed", done, count);
        prop_assert_eq!(held, done < fates.len());
    }

    #[test]
    fn r27_an_approval_lets_through_what_was_held_and_not_one_person_more(
        (count, fates) in morning(),
    ) {
        let (mut town, all) = Town::of(count);
        let most = fates.len();
        let Some(held) = town.held(&after(&all, &fates)) else { return Ok(()) };
        town.state.approval = Some(Approval {
            plan: held.clone(),
            by: Actor::User(7),
            at: town.now(),
            expires: town.now() + SignedDuration::from_hours(1),
        });
        let passes = Verdict::Passes { approved_by: Some(Actor::User(7)) };
        prop_assert_eq!(town.verdict(&after(&all, &fates)), passes);
        // Whoever was not among them is not covered.
        let other = (0..count).find(|place| !fates.iter().any(|(one, _)| one == place));
        let Some(other) = other else { return Ok(()) };
        let more: Vec<_> = fates.iter().copied().chain([(other, Misfortune::Closed)]).collect();
        let again = town.held(&after(&all, &more));
        prop_assert!(again.is_some_and(|again| again.digest != held.digest), "{}", most);
        // Afterwards it does not count again: as many as on any day may follow.
        town.carry_out(&after(&all, &fates));
        prop_assert_eq!(town.held(&after(&all, &fates)), None);
        let rest: Vec<usize> = (0..count).filter(|place| !fates.iter().any(|(one, _)| one == place)).collect();
        let five = rest.iter().take(5).map(|place| (*place, Misfortune::EndTaken));
        let next: Vec<_> = fates.iter().copied().chain(five).collect();
        prop_assert_eq!(town.held(&after(&all, &next)), None);
    }

    #[test]
    fn r27_what_needs_no_counting_is_judged_as_if_everybody_had_been_counted((count, fates) in morning()) {
        let (mut town, all) = Town::of(count);
        let mut done = 0;
        for part in fates.chunks(2) {
            let feed = after(&all, &fates[..done + part.len()]);
            let quick = town.verdict(&feed);
            let known = town.state.at_least.take();
            prop_assert_eq!(&quick, &town.verdict(&feed));
            town.state.at_least = known;
            if matches!(quick, Verdict::Trips { .. }) {
                break;
            }
            town.carry_out(&feed);
            done += part.len();
        }
    }
}

#[test]
fn r27_what_a_run_decides_about_whoever_waits_is_that_they_wait() {
    let (town, all) = Town::of(20);
    let fates: Vec<_> = (0..6).map(|place| (place, Misfortune::Closed)).collect();
    let mut plan = town.plan(&after(&all, &fates));
    let held = town.held(&after(&all, &fates)).unwrap();
    stop(&mut plan, &held).unwrap();
    let waits = |decision: &&Decision| decision.fate == Fate::Held;
    let decisions = plan.decisions.to_vec().unwrap();
    assert_eq!(decisions.iter().filter(waits).count(), 6);
    assert_eq!((plan.counts.held, plan.counts.updated), (6, 0));
    assert!(plan.people.is_empty() && plan.links.is_empty() && plan.changes.is_empty());
}
