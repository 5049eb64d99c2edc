//! Units that have another id or another name, with the same people in them: that is told, and takes nothing from
//! anybody. Pure.

use std::collections::{BTreeMap, BTreeSet};

use crate::model::{Dwelling, PersonId};

use super::census::{Key, One, key};
use super::parts::is_part_of;

/// Which units were only renamed.
#[derive(Debug, Default)]
pub(super) struct Renaming {
    /// The new key of a unit, by the old one.
    ids: BTreeMap<Key, Key>,
    /// Units that were known by the id of another one before, which they are parts of, by that one.
    parts: BTreeMap<Key, BTreeSet<Key>>,
    /// Units whose new name is that of another unit with other people, too: those people were put together.
    merged: BTreeSet<Key>,
}

impl Renaming {
    /// Compares where people lived before the window with where they live after the plan; and, each for themselves,
    /// where those lived first who came within it. Who is absent from the feed, or keeps the unit that is known whatever it says,
    /// says nothing about it.
    pub(super) fn of(people: &BTreeMap<PersonId, One>) -> Renaming {
        let here = || {
            let people = people.iter();
            people.filter(|(_, one)| !one.is_absent && !one.keeps_unit)
        };
        let stays = || here().filter(|(_, one)| one.was_current && !one.is_in.is_empty());
        let came = || {
            let came = here().filter(|(_, one)| !one.was_linked && !one.lived_in.is_empty());
            came.filter(|(_, one)| !one.is_in.is_empty())
        };
        let after: BTreeSet<Key> = here()
            .flat_map(|(_, one)| one.is_in.iter().map(key))
            .collect();
        let known: BTreeSet<Key> = people
            .values()
            .flat_map(|one| one.was_in.iter().map(key))
            .collect();
        let mut ids = renamed(stays(), &after, &known);
        let known = people.values().flat_map(|one| one.lived_in.iter().map(key));
        for (from, to) in renamed(came(), &after, &known.collect()) {
            ids.entry(from).or_insert(to);
        }
        let mut parts = BTreeMap::<Key, BTreeSet<Key>>::new();
        for unit in people.values().flat_map(|one| &one.is_in) {
            if let Some(formerly) = &unit.formerly {
                let whole = (unit.property.clone(), formerly.clone());
                parts.entry(whole).or_default().insert(key(unit));
            }
        }
        Renaming {
            ids,
            parts,
            merged: merged(stays().chain(came()).map(|(_, one)| one)),
        }
    }

    /// Whether somebody lives elsewhere than before, or in one more unit, and it was no renaming.
    pub(super) fn moved(&self, one: &One) -> bool {
        self.left(one) || self.added(one)
    }

    /// Whether a unit is added to those that somebody lived in.
    fn added(&self, one: &One) -> bool {
        let was: BTreeSet<Key> = one
            .lived_in
            .iter()
            .flat_map(|old| {
                let parts = self.parts.get(&key(old)).into_iter().flatten().cloned();
                [key(old), self.now(&key(old))].into_iter().chain(parts)
            })
            .collect();
        !was.is_empty() && one.is_in.iter().any(|new| !was.contains(&key(new)))
    }

    fn left(&self, one: &One) -> bool {
        one.lived_in.iter().any(|old| {
            let old_key = key(old);
            if let Some(new) = one.is_in.iter().find(|new| key(new) == old_key) {
                return new.label != old.label && self.merged.contains(&old_key);
            }
            if one.is_in.iter().any(|new| is_part_of(new, old)) {
                return false;
            }
            let new = self.ids.get(&old_key);
            !new.is_some_and(|new| one.is_in.iter().any(|is| key(is) == *new))
        })
    }

    /// What became of a unit.
    pub(super) fn now(&self, unit: &Key) -> Key {
        self.ids.get(unit).unwrap_or(unit).clone()
    }

    /// What a unit is in now: what became of it, and its parts.
    pub(super) fn now_in(&self, unit: &Key) -> BTreeSet<Key> {
        let parts = self.parts.get(unit).into_iter().flatten().cloned();
        parts.chain([self.now(unit)]).collect()
    }

    /// How many units a plan renames.
    pub(super) fn count(&self, people: &BTreeMap<PersonId, One>) -> u64 {
        let mut renamed = BTreeSet::new();
        for one in people.values() {
            for old in &one.before_in {
                let old_key = key(old);
                let mut is = one.is_in.iter();
                let is = is.find(|new| key(new) == self.now(&old_key) || is_part_of(new, old));
                let other = is.is_some_and(|new| key(new) != old_key || new.label != old.label);
                if other && !self.merged.contains(&old_key) {
                    renamed.insert(old_key);
                }
            }
        }
        renamed.len() as u64
    }
}

type Occupants = BTreeMap<Key, BTreeSet<PersonId>>;

/// The units that have another id now, with the same ones of these people in them. `after` are all units in which
/// somebody lives after the plan, `known` those in which somebody lived.
fn renamed<'a>(
    people: impl Iterator<Item = (&'a PersonId, &'a One)> + Clone,
    after: &BTreeSet<Key>,
    known: &BTreeSet<Key>,
) -> BTreeMap<Key, Key> {
    let (mut was, mut is) = (Occupants::new(), Occupants::new());
    for (id, one) in people.clone() {
        for dwelling in &one.lived_in {
            was.entry(key(dwelling)).or_default().insert(*id);
        }
        for dwelling in &one.is_in {
            is.entry(key(dwelling)).or_default().insert(*id);
        }
    }
    let mut ids = BTreeMap::new();
    for (_, one) in people {
        let Some((old, new)) = changed(one) else {
            continue;
        };
        let (from, to) = (key(old), key(new));
        let is_gone = !after.contains(&from);
        // One with another id and another name is the same unit only where it is new, and the old one is gone.
        let is_new = || !known.contains(&to);
        let same_people = was.get(&from) == is.get(&to);
        if same_people && (old.label == new.label || is_gone && is_new()) {
            ids.insert(from, to);
        }
    }
    ids
}

/// The unit that somebody lived in and does not live in any more, and the one that they live in for it.
fn changed(one: &One) -> Option<(&Dwelling, &Dwelling)> {
    let without = |all: &'_ [Dwelling], other: &[Dwelling]| -> Vec<usize> {
        let other: Vec<Key> = other.iter().map(key).collect();
        let places = all.iter().enumerate();
        let gone = places.filter(|(_, one)| !other.contains(&key(one)));
        gone.map(|(place, _)| place).collect()
    };
    let left = without(&one.lived_in, &one.is_in);
    let came = without(&one.is_in, &one.lived_in);
    match (left.as_slice(), came.as_slice()) {
        ([old], [new]) => Some((one.lived_in.get(*old)?, one.is_in.get(*new)?)),
        _ => None,
    }
}

/// Units that have another name now, which is also that of a unit that was called otherwise before.
fn merged<'a>(people: impl Iterator<Item = &'a One> + Clone) -> BTreeSet<Key> {
    // The units that are called so now, each with what it was called before.
    let mut called: BTreeMap<(&str, &str), BTreeMap<Key, &str>> = BTreeMap::new();
    let mut pairs: Vec<(&Dwelling, &Dwelling)> = Vec::new();
    for one in people {
        for old in &one.lived_in {
            if let Some(new) = one.is_in.iter().find(|new| key(new) == key(old)) {
                let name = (new.property.as_str(), new.label.as_str());
                called.entry(name).or_default().insert(key(old), &old.label);
                pairs.push((old, new));
            }
        }
    }
    let is_merged = |old: &Dwelling, new: &Dwelling| {
        let units = called.get(&(new.property.as_str(), new.label.as_str()));
        let mut units = units.into_iter().flatten();
        old.label != new.label
            && units.any(|(unit, label)| *unit != key(old) && *label != old.label)
    };
    pairs
        .into_iter()
        .filter(|(old, new)| is_merged(old, new))
        .map(|(old, _)| key(old))
        .collect()
}
