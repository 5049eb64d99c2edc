//! What a leasing office does, by name: each act as the steps of some days, on a household that it makes first. It says
//! nothing of what a PMS shows of it, nor of what becomes of it elsewhere.

use jiff::{ToSpan, civil::Date};

use super::life::NoSuch;
use super::world::{
    Household, HouseholdId, Leaving, Person, PersonId, Relation, Status, UnitId, World,
};

/// The last name of everybody in these acts; a company has it in its name.
const FAMILY: &str = "Winterbourne";

/// One thing that a leasing office does.
pub struct Act {
    /// What it is called: "correct an email".
    pub name: &'static str,
    /// Who lives there before, in the first of the properties; nobody where the act brings them in.
    pub before: fn(&mut World) -> Result<(), NoSuch>,
    /// What is done, day by day.
    pub steps: &'static [Step],
}

/// What an office does on one day, before it is read again.
pub struct Step {
    /// How many days after the first.
    pub day: i64,
    /// As half a sentence, of the people by their first names: "Ada moves in".
    pub what: &'static str,
    /// Whether nobody here should notice, since nothing about who lives where is different.
    pub is_nothing: bool,
    /// What it does to the world, where it is more than that the day has come.
    pub happens: fn(&mut World) -> Result<(), NoSuch>,
}

const fn step(day: i64, what: &'static str, happens: fn(&mut World) -> Result<(), NoSuch>) -> Step {
    Step {
        day,
        what,
        is_nothing: false,
        happens,
    }
}

const fn comes(day: i64, what: &'static str, is_nothing: bool) -> Step {
    Step {
        day,
        what,
        is_nothing,
        happens: |_| Ok(()),
    }
}

/// All of them, in the order of a manual.
pub const OFFICE: [Act; 23] = [
    Act {
        name: "move in",
        before: |_| Ok(()),
        steps: &[step(0, "Ada moves in", |world| {
            world.ada_lives_there().map(drop)
        })],
    },
    Act {
        name: "sign a lease ahead",
        before: |_| Ok(()),
        steps: &[
            step(0, "Ada signs a lease that begins in nine days", |world| {
                world.ada_signs(9)
            }),
            comes(9, "the lease begins, and Ada moves in", false),
        ],
    },
    Act {
        name: "cancel before moving in",
        before: |world| world.ada_signs(9),
        steps: &[step(0, "Ada cancels", |world| {
            let home = world.home_of("Ada")?;
            world.set_status(home, Status::Canceled)
        })],
    },
    Act {
        name: "add a roommate",
        before: |world| world.ada_lives_there().map(drop),
        steps: &[step(0, "Ben is put on Ada's lease", |world| {
            world.joins("Ben", Relation::Roommate).map(drop)
        })],
    },
    Act {
        name: "transfer",
        before: ada_and_ben,
        steps: &[step(
            0,
            "both move to another unit, on a new lease",
            |world| {
                let home = world.home_of("Ada")?;
                let unit = world.another_unit();
                world.transfer(home, unit)
            },
        )],
    },
    Act {
        name: "transfer, late",
        before: ada_and_ben,
        steps: &[
            step(0, "both are to move to another unit on day 3", |world| {
                let home = world.home_of("Ada")?;
                let (unit, day) = (world.another_unit(), world.today().saturating_add(2.days()));
                world.plan_transfer(home, unit, day)
            }),
            comes(2, "they move; the office does not get round to it", false),
            step(4, "the office makes it so", |world| {
                let home = world.home_of("Ada")?;
                let moving = world.household(home).and_then(|home| home.moving_to);
                let (unit, _) = moving.ok_or(NoSuch("unit"))?;
                world.transfer(home, unit)
            }),
        ],
    },
    Act {
        name: "renew",
        before: |world| {
            world.ada_lives_there()?;
            world.lease_of_ada(-362, Some(2))
        },
        steps: &[
            step(0, "Ada signs the next lease, from day 4 on", |world| {
                let today = world.today();
                let home = world.home_of("Ada")?;
                let starts = today.saturating_add(3.days());
                world.sign_renewal(home, starts, starts.saturating_add(364.days()))
            }),
            comes(3, "the next lease begins", false),
        ],
    },
    Act {
        name: "let it run from month to month",
        before: |world| {
            world.ada_lives_there()?;
            world.lease_of_ada(-362, Some(2))
        },
        steps: &[comes(3, "the lease has ended, and Ada stays on", true)],
    },
    Act {
        name: "give notice",
        before: ada_and_ben,
        steps: &[
            step(0, "both give notice for day 4", |world| {
                let (home, day) = (
                    world.home_of("Ada")?,
                    world.today().saturating_add(3.days()),
                );
                world.give_notice(home, day)
            }),
            comes(4, "they have left", false),
        ],
    },
    Act {
        name: "take a notice back",
        before: |world| {
            world.ada_lives_there()?;
            let (home, day) = (
                world.home_of("Ada")?,
                world.today().saturating_add(9.days()),
            );
            world.give_notice(home, day)
        },
        steps: &[step(0, "Ada stays after all", |world| {
            let home = world.home_of("Ada")?;
            world.set_status(home, Status::Current)
        })],
    },
    Act {
        name: "evict",
        before: |world| world.ada_lives_there().map(drop),
        steps: &[
            step(0, "the office files for eviction", |world| {
                let home = world.home_of("Ada")?;
                world.set_status(home, Status::Eviction)
            }),
            step(5, "Ada has been put out", |world| {
                let today = world.today();
                world.leaves(today, Some(Leaving::Evicted))
            }),
        ],
    },
    Act {
        name: "skip",
        before: |world| {
            world.ada_lives_there()?;
            world.lease_of_ada(-90, Some(274))
        },
        steps: &[step(
            0,
            "the office finds that Ada left six days ago without a word",
            |world| {
                let day = world.today().saturating_sub(6.days());
                world.leaves(day, Some(Leaving::Skipped))
            },
        )],
    },
    Act {
        name: "move out",
        before: |world| world.ada_lives_there().map(drop),
        steps: &[step(0, "Ada moves out, without a notice before", |world| {
            let today = world.today();
            world.leaves(today, None)
        })],
    },
    Act {
        name: "a roommate moves out",
        before: ada_and_ben,
        steps: &[step(0, "Ben moves out, Ada stays", |world| {
            let (ben, today) = (world.one("Ben")?, world.today());
            world.move_out(ben, today)
        })],
    },
    Act {
        name: "the main resident moves out",
        before: ada_and_ben,
        steps: &[step(
            0,
            "Ada moves out, Ben stays and has the lease",
            |world| {
                let (ada, today) = (world.one("Ada")?, world.today());
                world.move_out(ada, today)
            },
        )],
    },
    Act {
        name: "correct a name",
        before: |world| world.ada_lives_there().map(drop),
        steps: &[step(0, "Ada was Adah all along", |world| {
            let ada = world.one("Ada")?;
            world.rename(ada, "Adah", FAMILY)
        })],
    },
    Act {
        name: "correct an email",
        before: |world| world.ada_lives_there().map(drop),
        steps: &[step(0, "Ada has another email", |world| {
            let ada = world.one("Ada")?;
            world.change_email(ada, Some("adaw@example.com".to_owned()))
        })],
    },
    Act {
        name: "correct a unit",
        before: |world| world.ada_lives_there().map(drop),
        steps: &[
            step(0, "Ada was put into the wrong unit", |world| {
                let home = world.home_of("Ada")?;
                let unit = world.another_unit();
                world.correct_unit(home, unit)
            }),
            step(1, "and that unit's number was wrong, too", |world| {
                let home = world.home_of("Ada")?;
                let unit = world.household(home).ok_or(NoSuch("household"))?.unit;
                world.renumber(unit, "1099")
            }),
        ],
    },
    Act {
        name: "a guarantor",
        before: |world| world.ada_lives_there().map(drop),
        steps: &[step(0, "Gus answers for Ada's rent", |world| {
            world.joins("Gus", Relation::Guarantor).map(drop)
        })],
    },
    Act {
        name: "a company",
        before: |_| Ok(()),
        steps: &[step(0, "Winterbourne Holdings LLC rents a unit", |world| {
            let email = Some("office@winterbourne.example.com");
            let one = world.moves_in("", "", email)?;
            world.change_person(one)?.company = Some(format!("{FAMILY} Holdings LLC"));
            Ok(())
        })],
    },
    Act {
        name: "a minor who comes of age",
        before: |world| world.ada_lives_there().map(drop),
        steps: &[
            step(0, "Mia, a child, lives with Ada", |world| {
                let mia = world.joins("Mia", Relation::Occupant)?;
                world.change_email(mia, None)
            }),
            step(
                3,
                "Mia is of age, has an email, and is put on the lease",
                |world| {
                    let mia = world.one("Mia")?;
                    world.change_email(mia, Some("mia.winterbourne@example.com".to_owned()))?;
                    world.change_person(mia)?.relation = Relation::Roommate;
                    Ok(())
                },
            ),
        ],
    },
    Act {
        name: "come back",
        before: |world| world.ada_lives_there().map(drop),
        steps: &[
            step(0, "Ada moves out", |world| {
                let today = world.today();
                world.leaves(today, None)
            }),
            step(2, "it was a mistake: Ada lives there", |world| {
                let home = world.home_of("Ada")?;
                world.set_status(home, Status::Current)
            }),
        ],
    },
    Act {
        name: "delete a record",
        before: ada_and_ben,
        steps: &[step(
            0,
            "the office deletes Ben, who lives there",
            |world| {
                let ben = world.one("Ben")?;
                world.delete(ben)
            },
        )],
    },
];

fn ada_and_ben(world: &mut World) -> Result<(), NoSuch> {
    world.ada_lives_there()?;
    world.joins("Ben", Relation::Roommate).map(drop)
}

impl World {
    /// Everybody of the acts, who have one name in common.
    pub fn of_the_office(&self) -> Vec<PersonId> {
        let is_one = |person: &Person| {
            let company = person.company.as_deref().unwrap_or_default();
            person.last == FAMILY || company.starts_with(FAMILY)
        };
        let people = self.people().filter(|(_, one)| is_one(one));
        people.map(|(_, one)| one.id).collect()
    }

    /// One of them, by the first name.
    fn one(&self, first: &str) -> Result<PersonId, NoSuch> {
        let found = self.find_by_name(&format!("{first} {FAMILY}"));
        found.first().copied().ok_or(NoSuch("person"))
    }

    fn home_of(&self, first: &str) -> Result<HouseholdId, NoSuch> {
        self.household_of(self.one(first)?)
            .ok_or(NoSuch("household"))
    }

    fn moves_in(
        &mut self,
        first: &str,
        last: &str,
        email: Option<&str>,
    ) -> Result<PersonId, NoSuch> {
        let property = self.properties.first().ok_or(NoSuch("property"))?;
        let property = property.code.clone();
        self.move_in(&property, first, last, email, Some("(503) 555-0142"))
    }

    fn ada_lives_there(&mut self) -> Result<PersonId, NoSuch> {
        self.moves_in("Ada", FAMILY, Some("ada.winterbourne@example.com"))
    }

    /// Ada has a lease that has not begun.
    fn ada_signs(&mut self, days: i64) -> Result<(), NoSuch> {
        self.ada_lives_there()?;
        let begins = self.today.saturating_add(days.days());
        let home = self.home_of("Ada")?;
        let home = self.change(home)?;
        home.status = Status::Future;
        (home.lease_start, home.move_in) = (Some(begins), Some(begins));
        home.lease_end = Some(begins.saturating_add(364.days()));
        for person in &mut home.members {
            person.move_in = Some(begins);
        }
        Ok(())
    }

    /// Ada's lease began and ends so many days from today.
    fn lease_of_ada(&mut self, begins: i64, ends: Option<i64>) -> Result<(), NoSuch> {
        let day = |days: i64| self.today.saturating_add(days.days());
        let (begins, ends) = (day(begins), ends.map(day));
        let home = self.home_of("Ada")?;
        let home = self.change(home)?;
        (home.lease_start, home.move_in, home.lease_end) = (Some(begins), Some(begins), ends);
        for person in &mut home.members {
            person.move_in = Some(begins);
        }
        Ok(())
    }

    /// Somebody more in Ada's household.
    fn joins(&mut self, first: &str, relation: Relation) -> Result<PersonId, NoSuch> {
        let home = self.home_of("Ada")?;
        let email = format!("{}.winterbourne@example.com", first.to_lowercase());
        let person = self.join(home, first, FAMILY, Some(&email))?;
        let one = self.change_person(person)?;
        one.relation = relation;
        if relation == Relation::Guarantor {
            one.move_in = None;
        }
        Ok(person)
    }

    /// A unit of the first property in which nobody lives.
    fn another_unit(&mut self) -> UnitId {
        self.vacant_unit(0).unwrap_or_else(|| self.add_unit(0))
    }

    /// Ada's household is gone since a day.
    fn leaves(&mut self, day: Date, leaving: Option<Leaving>) -> Result<(), NoSuch> {
        let home = self.home_of("Ada")?;
        let home = self.change(home)?;
        home.status = Status::Past;
        home.move_out = Some(day);
        home.leaving = leaving;
        Ok(())
    }

    /// A household has signed its next lease, which has not begun.
    pub fn sign_renewal(
        &mut self,
        household: HouseholdId,
        starts: Date,
        ends: Date,
    ) -> Result<(), NoSuch> {
        self.change(household)?.next_lease = Some((starts, ends));
        Ok(())
    }

    /// A household was put into the wrong unit; its lease is the same.
    pub fn correct_unit(&mut self, household: HouseholdId, unit: UnitId) -> Result<(), NoSuch> {
        let property = self.unit(unit).ok_or(NoSuch("unit"))?.property;
        let home: &mut Household = self.change(household)?;
        (home.unit, home.property) = (unit, property);
        Ok(())
    }

    /// A unit has another number from now on.
    pub fn renumber(&mut self, unit: UnitId, label: &str) -> Result<(), NoSuch> {
        let found = self.units.get_mut(unit.0 as usize).ok_or(NoSuch("unit"))?;
        label.clone_into(&mut found.label);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sandbox::testing::world;

    #[test]
    fn every_act_can_be_played_and_is_about_its_own_people() {
        for act in OFFICE {
            let mut world = world(7, 40);
            let others = world.people().count();
            (act.before)(&mut world).unwrap();
            let first = world.today();
            for step in act.steps {
                world.advance_to(first.saturating_add(step.day.days()));
                (step.happens)(&mut world).unwrap();
            }
            let about = world.of_the_office();
            assert_eq!(world.people().count(), others + about.len(), "{}", act.name);
            assert!(!about.is_empty() || act.name == "delete a record");
        }
    }

    #[test]
    fn no_two_acts_have_one_name() {
        let names: std::collections::BTreeSet<&str> = OFFICE.iter().map(|act| act.name).collect();
        assert_eq!(names.len(), OFFICE.len());
    }
}
