//! Makes a seeded world more like that of one PMS: a long history, many guarantors, renewals
//! signed ahead. What it adds depends on the world's seed alone.

use fastrand::Rng;
use jiff::ToSpan;

use super::names;
use super::recipe::{Recipe, Trap};
use super::seed::Seeder;
use super::world::{Household, Person, PersonId, PhoneKind, Relation, Status, World};

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
