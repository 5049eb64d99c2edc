//! Makes a seeded world more like that of one PMS: a long history, many guarantors, renewals
//! signed ahead, transfers under way, beds. What it adds depends on the world's seed alone.

use fastrand::Rng;
use jiff::{ToSpan, tz::TimeZone};

use super::names;
use super::recipe::{Recipe, Trap};
use super::seed::Seeder;
use super::world::{Household, Person, PersonId, PhoneKind, Relation, Status, UnitId, World};

impl World {
    /// Adds people who moved out, and with each hundred of them about thirty whose application
    /// came to nothing.
    pub(super) fn with_history(self, people: usize) -> World {
        if self.properties.is_empty() {
            return self;
        }
        let properties = self.properties.len();
        let rng = Rng::with_seed(self.seed ^ 0x0f0e);
        let mut seeder = Seeder::over(self, rng);
        let (mut left, mut gone) = (people, 0);
        for turn in 0.. {
            if left == 0 {
                break;
            }
            let more = names::pick(&mut seeder.rng, &[0, 0, 0, 1, 1, 2]).min(left - 1);
            left -= 1 + more;
            gone += 1 + more;
            let long = seeder.rng.u8(..10) < 8;
            let mut traps: Vec<Trap> = long.then_some(Trap::LongGone).into_iter().collect();
            if seeder.rng.u8(..10) < 3 {
                traps.push(Trap::PlaceholderEmail);
            }
            let members = vec![Relation::Roommate; more];
            let recipe = |status, members, traps| Recipe {
                status,
                members,
                traps,
            };
            seeder.household(turn % properties, recipe(Status::Past, members, traps));
            while gone >= 10 {
                gone -= 10;
                for status in [Status::Canceled, Status::Denied, Status::Canceled] {
                    seeder.household(turn % properties, recipe(status, vec![], vec![]));
                }
            }
        }
        seeder.world
    }

    /// Gives this many households in a hundred somebody who answers for the rent.
    pub(super) fn with_guarantors(mut self, percent: u8) -> World {
        let mut rng = Rng::with_seed(self.seed ^ 0x6a7a);
        let mut added = Vec::new();
        let mut next = self.next_person;
        for home in &mut self.households {
            let has = home
                .members
                .iter()
                .any(|one| one.relation == Relation::Guarantor);
            if has || home.members.is_empty() || rng.u8(..100) >= percent {
                continue;
            }
            let (first, last) = names::person(&mut rng);
            let id = PersonId(next);
            next += 1;
            added.push(id);
            home.members.push(Person {
                id,
                relation: Relation::Guarantor,
                email: Some(names::email(&mut rng, &first, &last, id.0)),
                phones: vec![(PhoneKind::Cell, names::phone(&mut rng))],
                first,
                last,
                company: None,
                move_in: None,
                move_out: None,
                departure: None,
            });
        }
        self.next_person = next;
        self.traps.entry(Trap::Guarantor).or_default().extend(added);
        self
    }

    /// About one current household in twenty has signed its next lease; the first one always.
    pub(super) fn with_renewals(mut self) -> World {
        let mut rng = Rng::with_seed(self.seed ^ 0x4e3d);
        let (today, mut signed) = (self.today, Vec::new());
        for home in &mut self.households {
            let Some(end) = home.lease_end.filter(|&end| end >= today) else {
                continue;
            };
            let lasting = home.status == Status::Current && home.lease_start < Some(end);
            if !lasting || !(signed.is_empty() || rng.u8(..20) == 0) {
                continue;
            }
            let start = end.saturating_add(1.day());
            home.next_lease = Some((start, start.saturating_add(364.days())));
            signed.extend(home.primary().map(|one| one.id));
        }
        self.traps.insert(Trap::RenewalAhead, signed);
        self
    }

    /// About one current household in thirty is to move to another unit of its property; the first two always, one three
    /// days ago, one in ten days.
    pub(super) fn with_transfers(mut self) -> World {
        let mut rng = Rng::with_seed(self.seed ^ 0x7a5f);
        let (today, mut moving) = (self.today, Vec::new());
        for at in 0..self.households.len() {
            let home = &self.households[at];
            let stays = home.status == Status::Current
                && home.next_lease.is_none()
                && home.lease_start < home.lease_end
                && home.members.iter().all(|one| one.move_out.is_none());
            if !stays || !(moving.len() < 2 || rng.u8(..30) == 0) {
                continue;
            }
            let property = home.property;
            let days = if moving.len().is_multiple_of(2) {
                -3
            } else {
                10
            };
            let day = today.saturating_add(days.days());
            let unit = self.add_unit(property);
            let home = &mut self.households[at];
            home.moving_to = Some((unit, day));
            moving.extend(home.primary().map(|one| one.id));
        }
        self.traps.insert(Trap::TransferAhead, moving);
        self
    }

    /// About one unit in twelve that somebody lives in is let by four beds, the first one always: who lives there has one
    /// of them or two, and students whom a university knows or does not know yet have others. One more unit of each
    /// property is a model unit.
    pub(super) fn with_beds(mut self) -> World {
        let mut rng = Rng::with_seed(self.seed ^ 0xbed5);
        let mut let_by_beds = 0_u32;
        for at in 0..self.households.len() {
            let home = &self.households[at];
            let unit = home.unit;
            let alone = home.members.len() == 1
                && home.members[0].company.is_none()
                && has_email(&home.members[0])
                && home.lease_start < home.lease_end;
            let fits = home.status == Status::Current
                && alone
                && !self.unit(unit).is_some_and(|unit| unit.pseudo);
            if !fits || !(let_by_beds == 0 || rng.u8(..12) == 0) {
                continue;
            }
            self.units[unit.0 as usize].beds = 4;
            let (property, two) = (home.property, let_by_beds % 3 == 1);
            let beds = if two { vec![0, 1] } else { vec![0] };
            let trap = if two { Trap::TwoBeds } else { Trap::Bed };
            let person = home.members[0].id;
            self.households[at].beds = beds;
            self.traps.entry(trap).or_default().push(person);
            let (first, last) = names::person(&mut rng);
            let email = names::email(&mut rng, &first, &last, self.next_person);
            self.student(property, unit, (&first, &last), Some(email), Trap::Bed);
            let number = let_by_beds + 1;
            let domain = ["example.org", "example.invalid"][usize::from(number % 2 == 1)];
            let email = format!("dean{number}@alder.{domain}");
            let name = ("Alder State", &*format!("University {number}"));
            let dean = self.student(property, unit, name, Some(email), Trap::University);
            if number % 2 == 1 {
                self.traps
                    .entry(Trap::ReservedDomain)
                    .or_default()
                    .extend(dean);
                let holder = format!("Resident {number}");
                self.bed_holder(dean, ("ASU", &holder));
            }
            let_by_beds += 1;
        }
        for property in 0..self.properties.len() {
            let unit = self.add_unit(property);
            let name = self.properties[property].name.clone();
            let email = Some(format!("model{property}@example.com"));
            self.student(property, unit, (&name, "MODEL A"), email, Trap::ModelUnit);
        }
        self
    }

    /// Somebody with a lease of their own on the first bed of a unit that is free, or on all of it.
    fn student(
        &mut self,
        property: usize,
        unit: UnitId,
        (first, last): (&str, &str),
        email: Option<String>,
        trap: Trap,
    ) -> Option<PersonId> {
        let code = self.properties[property].code.clone();
        let person = self
            .move_in(&code, first, last, email.as_deref(), None)
            .ok()?;
        let home = self.household_of(person)?;
        self.transfer(home, unit).ok()?;
        let since = self.today.saturating_sub(200.days());
        let midnight = since.to_zoned(TimeZone::UTC).map(|zoned| zoned.timestamp());
        let home = self.households.get_mut(home.0 as usize)?;
        home.transferred = None;
        home.lease_start = Some(since);
        home.lease_end = Some(since.saturating_add(364.days()));
        home.move_in = Some(since);
        home.updated = midnight.unwrap_or_default();
        for one in &mut home.members {
            one.move_in = Some(since);
        }
        self.traps.entry(trap).or_default().push(person);
        Some(person)
    }

    /// Somebody on a university's lease whom nobody knows yet.
    fn bed_holder(&mut self, dean: Option<PersonId>, (first, last): (&str, &str)) {
        let Some(home) = dean.and_then(|dean| self.household_of(dean)) else {
            return;
        };
        let updated = self.households[home.0 as usize].updated;
        let Ok(holder) = self.join(home, first, last, None) else {
            return;
        };
        let home = &mut self.households[home.0 as usize];
        let since = home.move_in;
        home.updated = updated;
        if let Some(one) = home.members.iter_mut().find(|one| one.id == holder) {
            one.move_in = since;
        }
        self.traps.entry(Trap::BedHolder).or_default().push(holder);
    }

    /// Remembers whose record a PMS renders in an odd way.
    pub(super) fn with_trap(
        mut self,
        trap: Trap,
        odd: impl Fn(&Household, &Person) -> bool,
    ) -> World {
        let odd_ones = self.people().filter(|(home, one)| odd(home, one));
        let ids = odd_ones.map(|(_, one)| one.id).collect();
        self.traps.insert(trap, ids);
        self
    }
}

fn has_email(person: &Person) -> bool {
    let email = person.email.as_deref();
    email.is_some_and(|email| !names::is_no_email(email))
}
