//! Where people are after an integration got another name, or a PMS property went to another file (R46): links and
//! stays go together. Whose people go where is decided elsewhere.

use std::collections::{BTreeMap, BTreeSet};

use crate::model::{IntegrationId, LeaseStatus, Link, Move, Person, PersonId, Stay};

/// A resident of an integration, by the PMS id.
pub(crate) type Resident = (IntegrationId, String);

/// The people and the links of some integrations.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Census {
    /// The people who are linked there or have a stay there.
    pub people: BTreeMap<PersonId, Person>,
    /// The links.
    pub links: BTreeMap<Resident, Link>,
}

/// Two people would be linked to one resident.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Clash {
    /// The resident's PMS id.
    pub resident: String,
    /// One of the two, and the integration where they are linked.
    pub one: (PersonId, IntegrationId),
    /// The other.
    pub other: (PersonId, IntegrationId),
}

/// The same people with their links and stays where `moves` says. Nobody gains or loses a stay that is not over,
/// unless they had one on both sides: those become one.
pub(crate) fn relocate(moves: &[Move], before: &Census) -> Result<Census, Box<Clash>> {
    let links = relocated_links(moves, &before.links)?;
    let mut of_person: BTreeMap<(PersonId, &IntegrationId), Vec<&Link>> = BTreeMap::new();
    for ((at, _), link) in &before.links {
        of_person.entry((link.person, at)).or_default().push(link);
    }
    let mut people = before.people.clone();
    for person in people.values_mut() {
        let stays = std::mem::take(&mut person.stays);
        let mut going = Vec::new();
        for (at, stay) in stays {
            let links = of_person.get(&(person.id, &at)).map_or(&[][..], |all| all);
            let to = home_of(moves, &at, &stay, links).clone();
            if to == at {
                person.stays.insert(at, stay);
            } else {
                going.push((to, stay));
            }
        }
        for (to, stay) in going {
            match person.stays.remove(&to) {
                Some(there) => person.stays.insert(to, Box::new(joined(*there, *stay))),
                None => person.stays.insert(to, stay),
            };
        }
    }
    Ok(Census { people, links })
}

/// What is kept by hand of residents and units, where `moves` says: it goes with everybody, and where only some go it
/// holds on both sides.
pub(crate) fn relocate_kept<V: Clone>(
    moves: &[Move],
    before: &BTreeMap<Resident, V>,
    join: impl Fn(&V, &V) -> V,
) -> BTreeMap<Resident, V> {
    let mut after = before.clone();
    let whole = |at: &IntegrationId| {
        let mut from_here = moves.iter().filter(|one| one.from == *at);
        from_here.any(|one| one.properties.is_none())
    };
    after.retain(|(at, _), _| !whole(at));
    for ((at, of), value) in before {
        for one in moves.iter().filter(|one| one.from == *at) {
            let key = (one.to.clone(), of.clone());
            let joined = after.get(&key).map(|there| join(there, value));
            after.insert(key, joined.unwrap_or_else(|| value.clone()));
        }
    }
    after
}

/// The same people without anybody who still lives at an integration that is given up, or, with `property`, by a lease
/// of that PMS property.
pub(crate) fn retire(at: &IntegrationId, property: Option<&str>, before: &Census) -> Census {
    let goes = |link: &Link| property.is_none_or(|of| link.property.as_deref() == Some(of));
    let mut after = before.clone();
    let mut kept: BTreeSet<PersonId> = BTreeSet::new();
    let mut gone: BTreeSet<PersonId> = BTreeSet::new();
    for ((of, _), link) in &mut after.links {
        if of != at {
            continue;
        }
        if goes(link) {
            gone.insert(link.person);
            // A word that nobody knows keeps the last status (R8): that is over now.
            if !link.status.is_closed() {
                link.status = LeaseStatus::Past;
            }
        } else if !link.status.is_closed() && !link.superseded {
            kept.insert(link.person);
        }
    }
    for person in after.people.values_mut() {
        // By hand somebody may have a stay without a link: they go with the whole only.
        let ends = match property {
            None => true,
            Some(_) => gone.contains(&person.id) && !kept.contains(&person.id),
        };
        if let Some(stay) = person
            .stays
            .get_mut(at)
            .filter(|stay| ends && !stay.is_closed())
        {
            stay.status = LeaseStatus::Past;
        }
    }
    after
}

/// Where what is linked at `at` belongs; none where it stays.
fn target<'m>(moves: &'m [Move], at: &IntegrationId, link: &Link) -> Option<&'m IntegrationId> {
    let goes = |one: &&Move| match (&one.properties, &link.property) {
        (None, _) => true,
        (Some(all), Some(property)) => all.contains(property),
        (Some(_), None) => false,
    };
    let mut from_here = moves.iter().filter(|one| one.from == *at);
    from_here.find(goes).map(|one| &one.to)
}

fn relocated_links(
    moves: &[Move],
    before: &BTreeMap<Resident, Link>,
) -> Result<BTreeMap<Resident, Link>, Box<Clash>> {
    let mut after: BTreeMap<Resident, (&IntegrationId, &Link)> = BTreeMap::new();
    for ((at, resident), link) in before {
        let to = target(moves, at, link).unwrap_or(at);
        let key = (to.clone(), resident.clone());
        let Some((from, there)) = after.get(&key).copied() else {
            after.insert(key, (at, link));
            continue;
        };
        if there.person != link.person {
            return Err(Box::new(Clash {
                resident: resident.clone(),
                one: (there.person, from.clone()),
                other: (link.person, at.clone()),
            }));
        }
        let weight = |link: &Link, at: &IntegrationId| (link.superseded, link.status, at != to);
        if weight(link, at) < weight(there, from) {
            after.insert(key, (at, link));
        }
    }
    let links = after.into_iter();
    Ok(links.map(|(key, (_, link))| (key, link.clone())).collect())
}

/// Where a stay at `at` belongs: where the lease went by which it is lived in. Without any link it goes with everybody,
/// and stays where only some go.
fn home_of<'m>(
    moves: &'m [Move],
    at: &'m IntegrationId,
    stay: &Stay,
    links: &[&Link],
) -> &'m IntegrationId {
    let mut from_here = moves.iter().filter(|one| one.from == *at);
    if let Some(whole) = from_here.find(|one| one.properties.is_none()) {
        return &whole.to;
    }
    let unit = |unit: Option<&crate::model::Unit>| unit.map(|unit| unit.id.clone());
    let lived_in = links.iter().min_by_key(|link| {
        let elsewhere = unit(link.unit.as_ref()) != unit(stay.unit.as_ref());
        let goes = target(moves, at, link).is_some();
        (link.superseded, link.status, elsewhere, goes)
    });
    lived_in
        .and_then(|link| target(moves, at, link))
        .unwrap_or(at)
}

/// Two stays of one person at the same property: the one that counts more (R21), with both units where both count the
/// same.
fn joined(there: Stay, came: Stay) -> Stay {
    let (mut better, other) = if came.status < there.status {
        (came, there)
    } else {
        (there, came)
    };
    if better.status == other.status && !better.is_closed() {
        for unit in other.unit.into_iter().chain(other.more_units) {
            if better.unit.as_ref() != Some(&unit) && !better.more_units.contains(&unit) {
                better.more_units.push(unit);
            }
        }
    }
    better
}

#[cfg(test)]
mod tests {
    use crate::testing::searching;
    use jiff::Timestamp;
    use proptest::prelude::*;

    use super::*;
    use crate::model::{Origin, Unit};

    const PLACES: [&str; 3] = ["ash", "elm", "oak"];
    const PROPERTIES: [&str; 3] = ["1", "2", "3"];

    fn id(name: &str) -> IntegrationId {
        IntegrationId::new(name)
    }

    fn unit(name: &str) -> Unit {
        Unit {
            id: name.into(),
            label: name.into(),
            formerly: None,
        }
    }

    fn link(person: u64, status: LeaseStatus, property: Option<&str>, home: &str) -> Link {
        Link {
            status,
            unit: Some(unit(home)),
            property: property.map(String::from),
            ..Link::new(PersonId(person), Timestamp::UNIX_EPOCH)
        }
    }

    fn stay(status: LeaseStatus, home: &str) -> Stay {
        Stay {
            status,
            unit: Some(unit(home)),
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

    /// A person, and where and how they are linked: integration, resident, PMS property, status, unit.
    type Linked<'a> = (u64, &'a str, &'a str, Option<&'a str>, LeaseStatus, &'a str);

    /// Each person with these links. The stay at an integration is that of
    /// the link that counts most.
    fn census(links: &[Linked<'_>]) -> Census {
        let mut census = Census::default();
        for (person, at, resident, property, status, home) in links {
            let one = link(*person, *status, *property, home);
            census.links.insert((id(at), (*resident).into()), one);
            let new = || Person::new(PersonId(*person), Origin::Sync, Timestamp::UNIX_EPOCH);
            let stays = &mut census
                .people
                .entry(PersonId(*person))
                .or_insert_with(new)
                .stays;
            let better = stays.get(&id(at)).is_none_or(|one| *status < one.status);
            if better {
                stays.insert(id(at), Box::new(stay(*status, home)));
            }
        }
        census
    }

    fn moved(from: &str, to: &str, properties: Option<&[&str]>) -> Move {
        Move {
            from: id(from),
            to: id(to),
            properties: properties.map(|all| all.iter().map(ToString::to_string).collect()),
            renamed: false,
        }
    }

    use LeaseStatus::{Current, Past, Pending};

    #[test]
    fn r46_of_an_integration_with_two_pms_properties_only_the_people_of_the_one_go() {
        let before = census(&[
            (1, "elm", "t1", Some("1"), Current, "1a"),
            (2, "elm", "t2", Some("2"), Current, "2a"),
            (3, "elm", "t3", None, Current, "3a"),
        ]);
        let after = relocate(&[moved("elm", "oak", Some(&["2"]))], &before).unwrap();
        let at = |person: u64| {
            let stays = &after.people[&PersonId(person)].stays;
            stays.keys().cloned().collect::<Vec<_>>()
        };
        assert_eq!(at(1), [id("elm")]);
        assert_eq!(at(2), [id("oak")]);
        // Of whom nobody knows which of the two they belong to, stays.
        assert_eq!(at(3), [id("elm")]);
        assert!(after.links.contains_key(&(id("oak"), "t2".into())));
        assert!(!after.links.contains_key(&(id("elm"), "t2".into())));
    }

    #[test]
    fn r46_a_stay_goes_with_the_lease_by_which_it_is_lived_in() {
        let before = census(&[
            (1, "elm", "t1", Some("1"), Past, "1a"),
            (1, "elm", "t9", Some("2"), Current, "2a"),
        ]);
        let after = relocate(&[moved("elm", "oak", Some(&["2"]))], &before).unwrap();
        let stays = &after.people[&PersonId(1)].stays;
        assert_eq!(stays.keys().collect::<Vec<_>>(), [&id("oak")]);
        let after = relocate(&[moved("elm", "oak", Some(&["1"]))], &before).unwrap();
        let stays = &after.people[&PersonId(1)].stays;
        assert_eq!(stays.keys().collect::<Vec<_>>(), [&id("elm")]);
        assert_eq!(after.links.len(), 2);
    }

    #[test]
    fn r46_two_integrations_that_swap_their_properties_swap_their_people() {
        let before = census(&[
            (1, "elm", "t1", Some("1"), Current, "1a"),
            (1, "oak", "t1", Some("2"), Past, "2a"),
            (2, "oak", "t2", Some("2"), Current, "2b"),
        ]);
        let moves = [moved("elm", "oak", None), moved("oak", "elm", None)];
        let after = relocate(&moves, &before).unwrap();
        assert_eq!(after.people[&PersonId(1)].stays[&id("oak")].status, Current);
        assert_eq!(after.people[&PersonId(1)].stays[&id("elm")].status, Past);
        assert_eq!(
            after.links[&(id("oak"), "t1".into())].property.as_deref(),
            Some("1")
        );
        assert_eq!(relocate(&moves, &after).unwrap(), before);
    }

    #[test]
    fn r46_who_lives_in_both_lives_in_both_units_of_the_one_that_is_left() {
        let before = census(&[
            (1, "elm", "t1", Some("1"), Current, "1a"),
            (1, "oak", "t2", Some("2"), Current, "2a"),
        ]);
        let after = relocate(&[moved("elm", "oak", None)], &before).unwrap();
        let stay = &after.people[&PersonId(1)].stays[&id("oak")];
        assert_eq!(
            (stay.unit.clone(), &stay.more_units[..]),
            (Some(unit("2a")), &[unit("1a")][..])
        );
    }

    #[test]
    fn r46_one_resident_of_two_people_is_told_and_nobody_is_moved() {
        let before = census(&[
            (1, "elm", "t1", Some("1"), Current, "1a"),
            (2, "oak", "t1", Some("2"), Current, "2a"),
        ]);
        let clash = relocate(&[moved("elm", "oak", None)], &before).unwrap_err();
        assert_eq!(clash.resident, "t1");
        assert_ne!(clash.one.0, clash.other.0);
    }

    #[test]
    fn r46_a_retired_integration_houses_nobody_and_others_as_before() {
        let before = census(&[
            (1, "elm", "t1", Some("1"), Current, "1a"),
            (1, "oak", "t1", Some("2"), Current, "2a"),
            (2, "elm", "t2", Some("2"), Pending, "2b"),
        ]);
        let after = retire(&id("elm"), None, &before);
        let status = |census: &Census, person: u64, at: &str| {
            census.people[&PersonId(person)].stays[&id(at)].status
        };
        assert_eq!(status(&after, 1, "elm"), Past);
        assert_eq!(status(&after, 1, "oak"), Current);
        assert_eq!(status(&after, 2, "elm"), Past);
        let after = retire(&id("elm"), Some("1"), &before);
        assert_eq!(status(&after, 1, "elm"), Past);
        assert_eq!(status(&after, 2, "elm"), Pending);
    }

    fn links() -> impl Strategy<Value = Vec<(u64, usize, u8, usize, LeaseStatus)>> {
        let status = prop_oneof![Just(Current), Just(Pending), Just(Past)];
        prop::collection::vec((1..6_u64, 0..3_usize, 0..8_u8, 0..4_usize, status), 0..24)
    }

    /// Moves in which every integration, or each of its PMS properties, goes to one other at most.
    fn moves() -> impl Strategy<Value = Vec<Move>> {
        let one = (0..3_usize, prop::option::of(0..3_usize), 0..3_usize);
        prop::collection::vec(one, 0..5).prop_map(|all| {
            let mut moves: Vec<Move> = Vec::new();
            for (from, property, to) in all {
                let taken = moves.iter().any(|one| {
                    let same = match (&one.properties, property) {
                        (Some(all), Some(property)) => all.contains(PROPERTIES[property]),
                        _ => true,
                    };
                    one.from == id(PLACES[from]) && same
                });
                if from != to && !taken {
                    let property = property.map(|property| [PROPERTIES[property]]);
                    let property = property.as_ref().map(|one| &one[..]);
                    moves.push(moved(PLACES[from], PLACES[to], property));
                }
            }
            moves
        })
    }

    proptest! {
        #![proptest_config(searching(256))]

        #[test]
        fn r46_wherever_people_are_moved_nobody_is_lost_and_nobody_is_in_two_places(
            links in links(), moves in moves()
        ) {
            // A resident is one person everywhere, unless somebody made a mistake.
            let told: Vec<_> = links.iter().map(|(person, at, resident, property, status)| {
                let resident = format!("t{person}-{resident}");
                let property = PROPERTIES.get(*property).copied();
                (*person, PLACES[*at], resident, property, *status)
            }).collect();
            let told: Vec<_> = told.iter().map(|(person, at, resident, property, status)| {
                (*person, *at, resident.as_str(), *property, *status, resident.as_str())
            }).collect();
            let before = census(&told);
            let after = relocate(&moves, &before).unwrap();
            prop_assert_eq!(before.people.len(), after.people.len());
            for (who, was) in &before.people {
                let is = &after.people[who];
                let living = |one: &Person| {
                    one.stays.values().filter(|stay| !stay.is_closed()).count()
                };
                prop_assert_eq!(living(was) == 0, living(is) == 0, "{} is lost or came back", who);
                prop_assert!(living(is) <= living(was), "{} is in two places", who);
                let units = |one: &Person| -> BTreeSet<String> {
                    one.stays.values().filter(|stay| stay.status == Current)
                        .flat_map(|stay| stay.unit.iter().chain(&stay.more_units))
                        .map(|unit| unit.id.clone()).collect()
                };
                prop_assert_eq!(units(was), units(is), "{} lives elsewhere", who);
            }
            for ((at, resident), link) in &before.links {
                let to = target(&moves, at, link).unwrap_or(at).clone();
                let there = after.links.get(&(to, resident.clone()));
                prop_assert_eq!(there.map(|link| link.person), Some(link.person));
            }
            // Nobody is linked anywhere who was not.
            for ((at, resident), link) in &after.links {
                let mut before = before.links.iter();
                let came = before.any(|((from, of), was)| {
                    of == resident && was == link
                        && target(&moves, from, was).unwrap_or(from) == at
                });
                prop_assert!(came, "{} at {}", resident, at);
            }
        }
    }
}
