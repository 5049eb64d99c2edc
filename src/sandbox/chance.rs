//! Life by chance: one random thing at a time, made of the methods in `life`.

use fastrand::Rng;
use jiff::ToSpan;

use super::names;
use super::world::{HouseholdId, PersonId, World};

/// One step of life, for a log or a demo to show.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Happening {
    /// To whom.
    pub person: PersonId,
    /// What, as half a sentence: "moved out".
    pub what: &'static str,
}

impl World {
    /// One thing happens to somebody, as `rng` has it. Nothing can happen in an empty world.
    pub fn live(&mut self, rng: &mut Rng) -> Option<Happening> {
        let living: Vec<(HouseholdId, PersonId)> = self
            .households
            .iter()
            .filter(|home| home.status.lives_there())
            .filter_map(|home| home.primary().map(|primary| (home.id, primary.id)))
            .collect();
        let today = self.today;
        let (first, last) = names::person(rng);
        let email = names::email(rng, &first, &last, self.next_person);
        if living.is_empty() || rng.u8(..5) == 0 {
            let property = rng.choice(&self.properties)?.code.clone();
            let phone = names::phone(rng);
            let person = self
                .move_in(&property, &first, &last, Some(&email), Some(&phone))
                .ok()?;
            return Some(Happening {
                person,
                what: "moved in",
            });
        }
        let (household, person) = *rng.choice(&living)?;
        // Sooner or later the office makes a transfer so.
        if let Some((unit, _)) = self.household(household)?.moving_to {
            let done = self.transfer(household, unit);
            return done.ok().map(|()| Happening {
                person,
                what: "moved to the other unit",
            });
        }
        let (done, what) = match rng.u8(..9) {
            0 | 1 => (self.move_out(person, today), "moved out"),
            2 => {
                let date = today.saturating_add(rng.i64(5..60).days());
                (self.give_notice(household, date), "gave notice")
            }
            3 => {
                let kept = self.person(person)?.1.first.clone();
                (self.rename(person, &kept, &last), "has a new last name")
            }
            4 => (
                self.change_email(person, Some(email)),
                "has a new e-mail address",
            ),
            5 => {
                let property = self.household(household)?.property;
                let unit = self
                    .vacant_unit(property)
                    .unwrap_or_else(|| self.add_unit(property));
                (self.transfer(household, unit), "moved to another unit")
            }
            6 => {
                let property = self.household(household)?.property;
                let unit = self
                    .vacant_unit(property)
                    .unwrap_or_else(|| self.add_unit(property));
                let day = today.saturating_add(rng.i64(-3..10).days());
                let done = self.plan_transfer(household, unit, day);
                (done, "is to move to another unit")
            }
            7 => {
                let joined = self.join(household, &first, &last, Some(&email)).ok()?;
                return Some(Happening {
                    person: joined,
                    what: "joined a household",
                });
            }
            _ => {
                let end = today.saturating_add(365.days());
                (self.renew(household, today, Some(end)), "renewed the lease")
            }
        };
        done.ok().map(|()| Happening { person, what })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sandbox::Relation;
    use crate::sandbox::testing::world;

    #[test]
    fn life_goes_on_and_everybody_has_one_place_in_it() {
        let mut world = world(7, 60);
        let mut rng = Rng::with_seed(1);
        for _ in 0..500 {
            let happening = world.live(&mut rng).unwrap();
            assert!(world.person(happening.person).is_some());
        }
        let mut ids: Vec<PersonId> = world.people().map(|(_, one)| one.id).collect();
        let all = ids.len();
        ids.sort();
        ids.dedup();
        assert_eq!(ids.len(), all);
        for home in world
            .households()
            .iter()
            .filter(|home| !home.members.is_empty())
        {
            let primaries = home
                .members
                .iter()
                .filter(|one| one.relation == Relation::Primary)
                .count();
            assert_eq!(primaries, 1);
        }
    }
}
