//! Makes up the people of a world from a seed. The same options give the same world; nothing here
//! reads the clock.

use std::collections::BTreeMap;

use fastrand::Rng;
use jiff::{Timestamp, ToSpan, civil::Date, tz::TimeZone};

use super::names;
use super::recipe::{self, Recipe, Trap};
use super::world::{
    Household, HouseholdId, Person, PersonId, PhoneKind, Property, Relation, Status, UnitId, World,
};

/// A property to put into a world.
#[derive(Clone, Debug)]
pub struct PropertySpec {
    /// Its code (Voyager allows eight characters). A UUID is also AppFolio's id as it stands.
    pub code: String,
    /// Its marketing name.
    pub name: String,
}

/// What a world is made from.
#[derive(Clone, Debug)]
pub struct WorldOptions {
    /// Decides every name and date.
    pub seed: u64,
    /// The properties; people are dealt out to them in turn.
    pub properties: Vec<PropertySpec>,
    /// How many people there are in all, of every status and relation.
    pub residents: usize,
    /// The day it is.
    pub today: Date,
}

impl World {
    /// Makes up a world. About 100,000 residents a second or faster.
    pub fn seeded(options: WorldOptions) -> World {
        let mut seeder = Seeder::new(&options);
        let mut first = recipe::first_households().into_iter();
        let properties = options.properties.len();
        let mut left = if properties == 0 {
            0
        } else {
            options.residents
        };
        for turn in 0.. {
            if left == 0 {
                break;
            }
            let mut recipe = first
                .next()
                .unwrap_or_else(|| recipe::any_household(&mut seeder.rng));
            recipe.members.truncate(left - 1);
            left -= 1 + recipe.members.len();
            seeder.household(turn % properties, recipe);
        }
        for property in 0..properties {
            for _ in 0..3 {
                seeder.world.add_unit(property);
            }
        }
        seeder.world
    }
}

/// Puts one household after the other into a world.
pub(super) struct Seeder {
    pub(super) rng: Rng,
    pub(super) world: World,
    doors: Vec<Vec<UnitId>>,
    waiting: Vec<Option<UnitId>>,
    start: Timestamp,
}

impl Seeder {
    fn new(options: &WorldOptions) -> Self {
        const TOWNS: [(&str, &str); 5] = [
            ("Fernhollow", "OR"),
            ("Lake Merrow", "MN"),
            ("Port Quillan", "WA"),
            ("Saint Audrey", "TX"),
            ("Wexcombe", "PA"),
        ];
        let mut rng = Rng::with_seed(options.seed);
        let mut property = |spec: &PropertySpec| {
            let (city, state) = names::pick(&mut rng, &TOWNS);
            Property {
                code: spec.code.clone(),
                name: spec.name.clone(),
                street: format!("{} {} Street", rng.u16(10..990), names::last(&mut rng)),
                city,
                state,
                postal: format!("{:05}", rng.u32(10_000..99_000)),
            }
        };
        let properties: Vec<Property> = options.properties.iter().map(&mut property).collect();
        let midnight = options
            .today
            .to_zoned(TimeZone::UTC)
            .map(|zoned| zoned.timestamp());
        Self {
            rng,
            doors: vec![Vec::new(); properties.len()],
            waiting: vec![None; properties.len()],
            start: midnight.unwrap_or_default(),
            world: World {
                seed: options.seed,
                today: options.today,
                properties,
                units: Vec::new(),
                households: Vec::new(),
                traps: BTreeMap::new(),
                next_person: 1,
                departures: 0,
            },
        }
    }

    /// A seeder of a world that has people already.
    pub(super) fn over(world: World, rng: Rng) -> Self {
        let mut doors = vec![Vec::new(); world.properties.len()];
        let mut waiting = vec![None; world.properties.len()];
        for unit in &world.units {
            if unit.pseudo {
                waiting[unit.property] = Some(unit.id);
            } else {
                doors[unit.property].push(unit.id);
            }
        }
        let midnight = world.today.to_zoned(TimeZone::UTC);
        Self {
            rng,
            doors,
            waiting,
            start: midnight.map(|zoned| zoned.timestamp()).unwrap_or_default(),
            world,
        }
    }

    fn ago(&mut self, days: std::ops::Range<i64>) -> Date {
        self.world.today.saturating_sub(self.rng.i64(days).days())
    }

    pub(super) fn household(&mut self, property: usize, recipe: Recipe) {
        let Recipe {
            status,
            members,
            traps,
        } = recipe;
        let has = |trap| traps.contains(&trap);
        let unit = self.unit(property, status, has(Trap::PseudoUnit));
        let id = HouseholdId(u32::try_from(self.world.households.len()).unwrap_or(u32::MAX));
        let lease = self.world.next_lease(unit);
        let seconds = self.rng.i64(3_600..7_000_000);
        let mut home = Household {
            id,
            occupancy: id.0,
            property,
            unit,
            status,
            lease_start: None,
            lease_end: None,
            renewed: None,
            next_lease: None,
            moving_to: None,
            beds: Vec::new(),
            lease,
            move_in: None,
            move_out: None,
            notice: None,
            leaving: None,
            transferred: None,
            members: Vec::new(),
            updated: self
                .start
                .saturating_sub(seconds.seconds())
                .unwrap_or(self.start),
        };
        self.dates(&mut home, &traps);
        let relations = std::iter::once(Relation::Primary).chain(members);
        for (at, relation) in relations.enumerate() {
            let person = self.person(&home, at, relation, &traps);
            home.members.push(person);
        }
        let primary = home.members[0].id;
        for trap in traps {
            let at_roommate = matches!(trap, Trap::DepartedRoommate | Trap::SharedEmail);
            if at_roommate && home.members.len() < 2 {
                continue; // The world was full before the roommate came.
            }
            let who = if trap == Trap::DepartedRoommate {
                home.members[1].id
            } else {
                primary
            };
            self.note(trap, who);
            if trap == Trap::SharedEmail {
                self.note(trap, home.members[1].id);
            }
        }
        self.world.households.push(home);
    }

    fn unit(&mut self, property: usize, status: Status, pseudo: bool) -> UnitId {
        if pseudo {
            if let Some(unit) = self.waiting[property] {
                return unit;
            }
            let unit = self.world.push_unit(property, "WAIT".to_owned(), None, 0);
            self.waiting[property] = Some(unit);
            return unit;
        }
        let doors = &self.doors[property];
        if !status.lives_there() && !doors.is_empty() {
            return names::pick(&mut self.rng, doors);
        }
        let unit = self.world.put_unit(property, self.doors[property].len());
        self.doors[property].push(unit);
        unit
    }

    fn dates(&mut self, home: &mut Household, traps: &[Trap]) {
        let has = |trap| traps.contains(&trap);
        let today = self.world.today;
        let year = |start: Date| start.saturating_add(364.days());
        let start = match home.status {
            Status::Future | Status::Applicant => today.saturating_add(self.rng.i64(3..60).days()),
            Status::Past => {
                let gone = if has(Trap::LongGone) { 400..900 } else { 3..90 };
                let out = self.ago(gone);
                home.move_out = Some(out);
                home.notice = Some(out.saturating_sub(40.days()));
                out.saturating_sub(364.days())
            }
            _ if has(Trap::MonthToMonthOver) => self.ago(395..900),
            _ => self.ago(20..340),
        };
        home.lease_start = Some(start);
        home.lease_end = Some(year(start));
        home.move_in = Some(start);
        if home.status == Status::Notice {
            home.notice = Some(self.ago(1..19));
            home.move_out = Some(today.saturating_add(self.rng.i64(1..45).days()));
        }
        if matches!(home.status, Status::Canceled | Status::Denied) {
            home.move_in = None;
        }
        if has(Trap::MonthToMonthOpen) {
            home.lease_end = None;
        } else if has(Trap::LeaseReversed) {
            home.lease_end = Some(start.saturating_sub(30.days()));
        } else if home.status == Status::Current && self.rng.u8(..4) == 0 {
            home.move_in = Some(start.saturating_sub(365.days()));
            home.renewed = home.lease_start;
        }
    }

    fn person(
        &mut self,
        home: &Household,
        at: usize,
        relation: Relation,
        traps: &[Trap],
    ) -> Person {
        let primary = at == 0;
        let here = |trap| primary && traps.contains(&trap);
        let id = PersonId(self.world.next_person);
        self.world.next_person += 1;
        let rng = &mut self.rng;
        let (mut first, mut last) = if here(Trap::Accented) {
            names::accented(rng)
        } else {
            names::person(rng)
        };
        if let Some(family) = home.members.first().filter(|_| rng.u8(..5) < 2) {
            last.clone_from(&family.last);
        }
        let mut email = match (traps.contains(&Trap::SharedEmail), at) {
            (true, 1) => home.members[0].email.clone(),
            _ if here(Trap::NoEmail) => None,
            _ if here(Trap::PlaceholderEmail) => Some(names::no_email(rng)),
            _ if relation == Relation::Occupant => None,
            _ if primary || rng.u8(..5) > 0 => Some(names::email(rng, &first, &last, id.0)),
            _ => None,
        };
        let mut phones = Vec::new();
        if here(Trap::UnusablePhone) {
            phones.push((PhoneKind::Cell, names::no_phone(rng)));
        } else if relation != Relation::Occupant {
            for (kind, percent) in [
                (PhoneKind::Cell, 85),
                (PhoneKind::Home, 15),
                (PhoneKind::Office, 8),
            ] {
                if rng.u8(..100) < percent {
                    phones.push((kind, names::phone(rng)));
                }
            }
        }
        let company = here(Trap::Company).then(|| {
            first.clear();
            last.clear();
            names::company(rng)
        });
        if here(Trap::Padded) && company.is_none() {
            first = format!("  {}", first.to_uppercase());
            last = format!("{} ", last.to_lowercase());
            email = email.map(|text| format!(" {} ", text.replace("example", "Example")));
        }
        let departed = at == 1 && traps.contains(&Trap::DepartedRoommate);
        let move_out = departed.then(|| self.ago(1..15));
        let departure = departed.then(|| {
            self.world.departures += 1;
            self.world.departures - 1
        });
        match relation {
            Relation::Guarantor => self.note(Trap::Guarantor, id),
            Relation::Occupant => self.note(Trap::Minor, id),
            Relation::Primary | Relation::Roommate => {}
        }
        let move_in = home.move_in.filter(|_| relation != Relation::Guarantor);
        Person {
            id,
            relation,
            first,
            last,
            company,
            email,
            phones,
            move_in,
            move_out,
            departure,
        }
    }

    fn note(&mut self, trap: Trap, person: PersonId) {
        self.world.traps.entry(trap).or_default().push(person);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sandbox::testing::world;

    const TRAPS: [Trap; 15] = [
        Trap::DepartedRoommate,
        Trap::NoEmail,
        Trap::PlaceholderEmail,
        Trap::UnusablePhone,
        Trap::SharedEmail,
        Trap::Company,
        Trap::PseudoUnit,
        Trap::LeaseReversed,
        Trap::Padded,
        Trap::MonthToMonthOver,
        Trap::MonthToMonthOpen,
        Trap::Guarantor,
        Trap::Minor,
        Trap::Accented,
        Trap::LongGone,
    ];

    #[test]
    fn the_same_seed_gives_the_same_world_and_another_seed_another() {
        assert_eq!(world(7, 300), world(7, 300));
        assert_ne!(world(7, 300), world(8, 300));
    }

    #[test]
    fn a_world_has_as_many_people_as_asked_for() {
        for residents in [0, 1, 5, 24, 1000] {
            assert_eq!(world(3, residents).people().count(), residents);
        }
    }

    #[test]
    fn twenty_six_people_suffice_for_every_status_and_every_trap() {
        for seed in 0..50 {
            let world = world(seed, 26);
            for trap in TRAPS {
                assert!(!world.trapped(trap).is_empty(), "{trap:?}");
            }
            for status in Status::ALL {
                assert!(
                    world.households().iter().any(|home| home.status == status),
                    "{status:?}"
                );
            }
        }
    }

    #[test]
    fn traps_are_what_they_say() {
        for seed in 0..50 {
            let world = world(seed, 200);
            let each = |trap| {
                world
                    .trapped(trap)
                    .iter()
                    .map(|id| world.person(*id).unwrap())
            };
            assert!(each(Trap::NoEmail).all(|(_, one)| one.email.is_none()));
            assert!(each(Trap::Company).all(|(_, one)| one.company.is_some()));
            assert!(each(Trap::LeaseReversed).all(|(home, _)| {
                home.lease_end
                    .is_some_and(|end| Some(end) < home.lease_start)
            }));
            assert!(each(Trap::MonthToMonthOver).all(|(home, _)| home.monthly(world.today())));
            assert!(each(Trap::MonthToMonthOpen).all(|(home, _)| home.lease_end.is_none()));
            assert!(each(Trap::SharedEmail).all(|(home, one)| {
                one.email.is_some()
                    && home
                        .members
                        .iter()
                        .filter(|other| other.email == one.email)
                        .count()
                        > 1
            }));
            assert!(each(Trap::DepartedRoommate).all(|(home, one)| {
                home.status.lives_there() && home.status_of(one, world.today()) == Status::Past
            }));
        }
    }

    #[test]
    fn nobody_else_shares_an_id_and_units_in_use_are_lived_in_once() {
        let world = world(5, 5000);
        let mut codes: Vec<String> = world.people().map(|(_, one)| one.code()).collect();
        codes.sort();
        codes.dedup();
        assert_eq!(codes.len(), 5000);
        let living = world
            .households()
            .iter()
            .filter(|home| home.status.lives_there());
        let mut units: Vec<UnitId> = living.map(|home| home.unit).collect();
        let all = units.len();
        units.sort();
        units.dedup();
        assert_eq!(units.len(), all);
    }

    #[test]
    fn a_hundred_thousand_people_are_made_up_in_seconds() {
        let start = std::time::Instant::now();
        assert_eq!(world(1, 100_000).people().count(), 100_000);
        assert!(start.elapsed().as_secs() < 10, "{:?}", start.elapsed());
    }
}
