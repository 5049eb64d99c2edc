//! Looks things up in a world and gives them UUIDs. It changes nothing.

use std::collections::HashSet;

use jiff::civil::Date;

use super::recipe::Trap;
use super::world::{
    Entity, Household, HouseholdId, Person, PersonId, Property, Status, Unit, UnitId, World,
};

impl World {
    /// The day it is in the world.
    pub fn today(&self) -> Date {
        self.today
    }

    /// The properties, in the order they were given.
    pub fn properties(&self) -> &[Property] {
        &self.properties
    }

    /// All units, pseudo units included.
    pub fn units(&self) -> &[Unit] {
        &self.units
    }

    /// All households, of every status.
    pub fn households(&self) -> &[Household] {
        &self.households
    }

    /// Everybody, each with their household.
    pub fn people(&self) -> impl Iterator<Item = (&Household, &Person)> {
        self.households
            .iter()
            .flat_map(|home| home.members.iter().map(move |one| (home, one)))
    }

    /// The people that carry a trap, in the order they were seeded; see [`Trap`].
    pub fn trapped(&self, trap: Trap) -> &[PersonId] {
        self.traps.get(&trap).map_or(&[], Vec::as_slice)
    }

    /// One person and their household, unless deleted.
    pub fn person(&self, id: PersonId) -> Option<(&Household, &Person)> {
        self.people().find(|(_, person)| person.id == id)
    }

    /// The household a person belongs to.
    pub fn household_of(&self, id: PersonId) -> Option<HouseholdId> {
        self.person(id).map(|(home, _)| home.id)
    }

    /// One household.
    pub fn household(&self, id: HouseholdId) -> Option<&Household> {
        self.households.get(id.0 as usize)
    }

    /// One unit.
    pub fn unit(&self, id: UnitId) -> Option<&Unit> {
        self.units.get(id.0 as usize)
    }

    /// People whose "First Last" (or company) is `name`, in any case.
    pub fn find_by_name(&self, name: &str) -> Vec<PersonId> {
        let wanted = name.trim().to_lowercase();
        let same = |person: &Person| person.name().to_lowercase() == wanted;
        self.people()
            .filter(|(_, one)| same(one))
            .map(|(_, one)| one.id)
            .collect()
    }

    /// The person a PMS calls `id`: a t-code, an r-code or a UUID.
    pub fn find_by_id(&self, id: &str) -> Option<PersonId> {
        let named = |person: &Person| {
            person.code() == id
                || self
                    .uuid(Entity::Person, person.id.0)
                    .eq_ignore_ascii_case(id)
        };
        self.people()
            .find(|(_, one)| named(one))
            .map(|(_, one)| one.id)
    }

    /// Index of the property with this code, in any case, or with this UUID.
    pub fn find_property(&self, id: &str) -> Option<usize> {
        let uuid = |index: usize| self.property_uuid(index);
        (0..self.properties.len()).find(|&index| {
            self.properties[index].code.eq_ignore_ascii_case(id)
                || uuid(index).eq_ignore_ascii_case(id)
        })
    }

    /// A unit nobody lives in or is about to move into.
    pub fn vacant_unit(&self, property: usize) -> Option<UnitId> {
        let homes = self.households.iter();
        let taken: HashSet<UnitId> = homes
            .filter(|home| home.status.lives_there() || home.status == Status::Future)
            .flat_map(|home| [Some(home.unit), home.moving_to.map(|(unit, _)| unit)])
            .flatten()
            .collect();
        let free =
            |unit: &&Unit| unit.property == property && !unit.pseudo && !taken.contains(&unit.id);
        self.units.iter().find(free).map(|unit| unit.id)
    }

    /// The UUID of a property: its code when that is one already.
    pub fn property_uuid(&self, index: usize) -> String {
        match self.properties.get(index) {
            Some(property) if is_uuid(&property.code) => property.code.to_lowercase(),
            _ => self.uuid(Entity::Property, u32::try_from(index).unwrap_or(u32::MAX)),
        }
    }

    /// A UUID that stays the same for the same seed, entity and number.
    pub fn uuid(&self, entity: Entity, number: u32) -> String {
        let start = self.seed ^ ((entity as u64 + 1) << 40) ^ u64::from(number);
        let (high, low) = (scatter(start), scatter(scatter(start) ^ 0x5eed));
        format!(
            "{:08x}-{:04x}-4{:03x}-{:04x}-{:012x}",
            high >> 32,
            (high >> 16) & 0xffff,
            high & 0xfff,
            0x8000 | ((low >> 48) & 0x3fff),
            low & 0xffff_ffff_ffff
        )
    }
}

fn is_uuid(text: &str) -> bool {
    text.len() == 36
        && text.char_indices().all(|(at, sign)| {
            if matches!(at, 8 | 13 | 18 | 23) {
                sign == '-'
            } else {
                sign.is_ascii_hexdigit()
            }
        })
}

/// The finalizer of SplitMix64: neighbouring numbers come out unlike each other.
fn scatter(number: u64) -> u64 {
    let mut mixed = number.wrapping_add(0x9e37_79b9_7f4a_7c15);
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}
