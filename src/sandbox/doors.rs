//! Numbers the units of a property, each property in its own way. It puts nobody in them.

use super::world::{Status, Unit, UnitId, World};

impl World {
    /// Builds one more unit.
    pub(super) fn add_unit(&mut self, property: usize) -> UnitId {
        let number = self
            .units
            .iter()
            .rev()
            .filter(|unit| unit.property == property)
            .count();
        self.put_unit(property, number)
    }

    /// Builds the unit with this number, counted from 0 in its property.
    pub(super) fn put_unit(&mut self, property: usize, number: usize) -> UnitId {
        let (floor, door) = (number / 12 + 1, number % 12 + 1);
        let letter = |at: usize| char::from(b'A' + u8::try_from(at % 26).unwrap_or(0));
        let (label, building) = match property % 3 {
            0 => (format!("{floor}{door:02}"), None),
            1 => {
                let block = letter(number / 48);
                let floor = floor - number / 48 * 4;
                (
                    format!("{block}-{floor}{door:02}"),
                    Some(format!("Building {block}")),
                )
            }
            _ => (format!("{floor}{}", letter(door - 1)), None),
        };
        let bedrooms = u32::try_from(door % 3 + 1).unwrap_or(1);
        self.push_unit(property, label, building, bedrooms)
    }

    /// Adds a unit; one without a bedroom is a pseudo unit.
    pub(super) fn push_unit(
        &mut self,
        property: usize,
        label: String,
        building: Option<String>,
        bedrooms: u32,
    ) -> UnitId {
        let id = UnitId(u32::try_from(self.units.len()).unwrap_or(u32::MAX));
        let rent = 700 + bedrooms * 275 + id.0 % 7 * 15;
        let pseudo = bedrooms == 0;
        self.units.push(Unit {
            id,
            property,
            label,
            building,
            pseudo,
            bedrooms,
            beds: 0,
            rent,
            leases: 0,
        });
        id
    }

    /// The number of the next lease of a unit, which is then taken.
    pub(super) fn next_lease(&mut self, unit: UnitId) -> u32 {
        self.units.get_mut(unit.0 as usize).map_or(1, |unit| {
            unit.leases += 1;
            unit.leases
        })
    }
}

impl World {
    /// The first bed of a unit that nobody has; none where the unit is let as a whole, or is full.
    pub(super) fn free_bed(&self, unit: UnitId) -> Option<u32> {
        let beds = self.units.get(unit.0 as usize)?.beds;
        let is_taken = |bed: &u32| {
            let mut homes = self.households.iter();
            homes.any(|home| {
                let stays = home.status.lives_there() || home.status == Status::Future;
                stays && home.unit == unit && home.beds.contains(bed)
            })
        };
        (0..beds).find(|bed| !is_taken(bed))
    }
}

#[cfg(test)]
mod tests {
    use crate::sandbox::testing::world;

    #[test]
    fn labels_of_units_are_unique_in_a_property() {
        let world = world(5, 5000);
        let mut labels: Vec<(usize, &str)> = world
            .units()
            .iter()
            .map(|unit| (unit.property, unit.label.as_str()))
            .collect();
        labels.sort_unstable();
        let all = labels.len();
        labels.dedup();
        assert_eq!(labels.len(), all);
    }
}
