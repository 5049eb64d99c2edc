//! Who comes (c): into units in which others stay, in great numbers, or in place of nearly everybody who was there.
//! Pure but for the question which household somebody is of.

use std::collections::{BTreeMap, BTreeSet};

use crate::config::Guard;
use crate::model::{Guarded, GuardedKind, PersonId};

use super::super::People;
use super::super::normal::same;
use super::census::{Census, Key, One, key};
use super::parts::{Arrival, Found};
use super::takes::{Counting, always};
use super::{Facts, of, within};

/// So many units may always get somebody beside those who stay, or `limit` where that is more.
const FEW: usize = 5;
/// And so many of a hundred.
const PERCENT: usize = 10;

pub(super) fn allowed(limits: &Guard, occupied: usize) -> usize {
    let limit = usize::try_from(limits.limit).unwrap_or(usize::MAX);
    FEW.max(limit).max(occupied.saturating_mul(PERCENT) / 100)
}

/// Arrivals that are too many.
#[derive(Debug, Default)]
pub(super) struct Held {
    pub(super) items: Vec<Guarded>,
    pub(super) reasons: Vec<String>,
    pub(super) people: BTreeSet<PersonId>,
}

/// Those who come into units in which somebody of another household stays, and all newcomers where there are very
/// many.
pub(super) fn judge<P: People>(
    census: &Census,
    counting: &Counting<'_>,
    found: &Found,
    facts: &Facts<'_, P>,
) -> Result<Held, P::Error> {
    let mut held = Held::default();
    let beside = beside(census, facts)?;
    for property in census.scopes() {
        let here = |place: &&(PersonId, Key)| {
            let one = census.people.get(&place.0);
            one.is_some_and(|one| one.is_of(property))
                && property.is_none_or(|property| place.1.0 == property)
        };
        let units: BTreeSet<&Key> = beside.iter().filter(here).map(|(_, unit)| unit).collect();
        let people: BTreeSet<PersonId> = beside.iter().filter(here).map(|(id, _)| *id).collect();
        let now: Vec<&Arrival> = found
            .arrivals
            .iter()
            .filter(|one| people.contains(&one.person))
            .collect();
        let occupied = counting.occupied_before(property);
        if !now.is_empty() && units.len() > allowed(facts.limits, occupied) {
            let units_now: BTreeSet<Key> = now
                .iter()
                .flat_map(|one| one.lives_in.iter().map(key))
                .filter(|unit| units.contains(unit))
                .collect();
            held.reasons.push(format!(
                "in {} of {occupied} occupied units{} somebody would come beside another household that stays{}",
                units.len(),
                of(property),
                within(facts.limits, units_now.len(), units.len())
            ));
            held.hold(GuardedKind::Arrival, now);
        }
        let newcomers = census
            .of(property)
            .filter(|(_, one)| one.is_newcomer)
            .count();
        let now: Vec<&Arrival> = found
            .arrivals
            .iter()
            .filter(|one| one.is_new && is_of(census, one.person, property))
            .collect();
        let linked = counting.linked_before(property);
        if !now.is_empty() && is_flood(facts.limits, newcomers, linked) {
            held.reasons.push(format!(
                "{newcomers} new people{} would come to {linked} who are linked{}",
                of(property),
                within(facts.limits, now.len(), newcomers)
            ));
            held.hold(GuardedKind::Newcomer, now);
        }
    }
    Ok(held)
}

fn is_of(census: &Census, person: PersonId, property: Option<&str>) -> bool {
    let one = census.people.get(&person);
    one.is_some_and(|one| one.is_of(property))
}

/// More new people than `guard.newcomers`, and than twice those who are linked.
pub(super) fn is_flood(limits: &Guard, newcomers: usize, linked: usize) -> bool {
    let limit = usize::try_from(limits.newcomers).unwrap_or(usize::MAX);
    newcomers > limit && newcomers > linked.saturating_mul(2)
}

impl Held {
    fn hold(&mut self, kind: GuardedKind, arrivals: Vec<&Arrival>) {
        for arrival in arrivals {
            // Somebody may be too many in both ways.
            if self.people.insert(arrival.person) {
                self.items.push(Guarded {
                    kind,
                    ..arrival.item.clone()
                });
            }
        }
    }
}

/// Another database: more than half of those who are linked are newly absent, while others arrive. Two may always be
/// absent. Returns the PMS properties, empty for everywhere, with what is told of each.
pub(super) fn other_database(
    census: &Census,
    found: &Found,
    limits: &Guard,
) -> Vec<(String, String)> {
    let percent = usize::try_from(limits.percent.max(50)).unwrap_or(usize::MAX);
    let mut told = Vec::new();
    for property in census.scopes() {
        let here = || census.of(property).map(|(_, one)| one);
        let linked = here().filter(|one| one.before_linked).count();
        let absent = here()
            .filter(|one| one.before_linked && one.is_newly_absent)
            .count();
        let arrivals = found.arrivals.iter();
        let arrivals = arrivals
            .filter(|one| is_of(census, one.person, property))
            .count();
        if arrivals > 0 && absent > always(limits) && absent * 100 > linked.saturating_mul(percent)
        {
            let reason = format!(
                "{absent} of {linked} linked people{} are not in the feed any more, and {arrivals} others come: it looks \
                 like another database",
                of(property)
            );
            told.push((property.unwrap_or_default().to_owned(), reason));
            if property.is_none() {
                break;
            }
        }
    }
    told
}

/// Who would be replaced, and by whom.
pub(super) fn replaced(census: &Census, found: &Found) -> Vec<Guarded> {
    let absent = census.people.iter().filter(|(_, one)| one.is_newly_absent);
    let absent = absent.map(|(id, one)| {
        let units: Vec<&str> = one
            .before_in
            .iter()
            .map(|unit| unit.label.as_str())
            .collect();
        Guarded {
            person: Some(*id),
            name: one.name.clone(),
            unit: units.join(", "),
            from: "in the feed".to_owned(),
            to: "absent".to_owned(),
            ..Guarded::of_feed(GuardedKind::Absent, id.to_string())
        }
    });
    let arrivals = found.arrivals.iter().map(|one| one.item.clone());
    absent.chain(arrivals).collect()
}

/// Everybody who came within the window into a unit in which somebody of another household stays, with the unit.
fn beside<P: People>(
    census: &Census,
    facts: &Facts<'_, P>,
) -> Result<BTreeSet<(PersonId, Key)>, P::Error> {
    let came = |one: &One| one.is_newcomer || one.is_back;
    let mut stay: BTreeMap<Key, Vec<PersonId>> = BTreeMap::new();
    for (id, one) in &census.people {
        // Who was absent before is not known to live there still; who vanishes as others come is.
        let is_there = one.was_current && (!one.is_absent || one.is_newly_absent);
        if !is_there || came(one) {
            continue;
        }
        let was: BTreeSet<Key> = one
            .was_in
            .iter()
            .map(|unit| census.renaming.now(&key(unit)))
            .collect();
        for unit in one.is_in.iter().map(key) {
            if was.contains(&unit) {
                stay.entry(unit).or_default().push(*id);
            }
        }
    }
    let mut places: Vec<(PersonId, Key)> = Vec::new();
    for (id, one) in census.people.iter().filter(|(_, one)| came(one)) {
        let units = one.is_in.iter().map(key);
        places.extend(
            units
                .filter(|unit| stay.contains_key(unit))
                .map(|unit| (*id, unit)),
        );
    }
    let mut residents = BTreeSet::new();
    for (id, unit) in &places {
        let stay = stay.get(unit).into_iter().flatten();
        for one in stay.chain([id]).filter_map(|id| census.people.get(id)) {
            residents.extend(one.residents.iter().cloned());
        }
    }
    let households = if residents.is_empty() {
        BTreeMap::new()
    } else {
        (facts.households)(&residents)?
    };
    let is_other = |place: &(PersonId, Key)| {
        let Some(came) = census.people.get(&place.0) else {
            return false;
        };
        let mut stay = stay.get(&place.1).into_iter().flatten();
        stay.any(|stays| {
            let stays = census.people.get(stays);
            stays.is_some_and(|stays| !is_one_household(came, stays, &households))
        })
    };
    Ok(places.into_iter().filter(is_other).collect())
}

/// Whether two people are of one household. Where the feed does not say so of one of them, a common last name does.
fn is_one_household(one: &One, other: &One, households: &BTreeMap<String, String>) -> bool {
    let of = |one: &One| -> BTreeSet<&String> {
        let named = one.residents.iter().filter_map(|one| households.get(one));
        named.collect()
    };
    let (first, second) = (of(one), of(other));
    if first.is_empty() || second.is_empty() {
        return same(&one.last_name, &other.last_name);
    }
    !first.is_disjoint(&second)
}
