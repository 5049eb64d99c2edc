//! What can happen to the people of a world, each as one method. A change shows in the next answer
//! of the server that renders the world; nothing happens by itself.

use jiff::{Timestamp, ToSpan, civil::Date};

use super::world::{
    Household, HouseholdId, Person, PersonId, PhoneKind, Relation, Status, UnitId, World,
};

/// Something was asked of a person, household, unit or property that is not there.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the sandbox has no such {0}")]
pub struct NoSuch(pub &'static str);

impl World {
    /// A new household of one moves into a vacant unit today, on a lease of a year.
    pub fn move_in(
        &mut self,
        property: &str,
        first: &str,
        last: &str,
        email: Option<&str>,
        phone: Option<&str>,
    ) -> Result<PersonId, NoSuch> {
        let property = self.find_property(property).ok_or(NoSuch("property"))?;
        let unit = self
            .vacant_unit(property)
            .unwrap_or_else(|| self.add_unit(property));
        let mut primary = self.newcomer(first, last, email);
        primary.relation = Relation::Primary;
        primary.phones = phone
            .map(|number| (PhoneKind::Cell, number.to_owned()))
            .into_iter()
            .collect();
        let person = primary.id;
        let id = self.next_household();
        let lease = self.next_lease(unit);
        let beds = self.free_bed(unit).into_iter().collect();
        self.households.push(Household {
            id,
            occupancy: id.0,
            property,
            unit,
            status: Status::Current,
            lease_start: Some(self.today),
            lease_end: Some(self.today.saturating_add(364.days())),
            renewed: None,
            next_lease: None,
            moving_to: None,
            beds,
            lease,
            move_in: Some(self.today),
            move_out: None,
            notice: None,
            leaving: None,
            transferred: None,
            members: vec![primary],
            updated: Timestamp::now(),
        });
        Ok(person)
    }

    /// A roommate joins a household today.
    pub fn join(
        &mut self,
        household: HouseholdId,
        first: &str,
        last: &str,
        email: Option<&str>,
    ) -> Result<PersonId, NoSuch> {
        let roommate = self.newcomer(first, last, email);
        let person = roommate.id;
        self.change(household)?.members.push(roommate);
        Ok(person)
    }

    /// One person leaves on `date`. A roommate leaves a household that stays. A primary with
    /// roommates becomes a past tenancy of their own and the first roommate is promoted, which
    /// changes that roommate's Voyager code. Otherwise the whole household leaves; on a date to
    /// come it is only on notice.
    pub fn move_out(&mut self, person: PersonId, date: Date) -> Result<(), NoSuch> {
        let household = self.household_of(person).ok_or(NoSuch("person"))?;
        let (ordinal, today) = (self.departures, self.today);
        let home = self.change(household)?;
        let leaver = home
            .members
            .iter_mut()
            .find(|one| one.id == person)
            .ok_or(NoSuch("person"))?;
        if leaver.relation != Relation::Primary {
            leaver.move_out = Some(date);
            leaver.departure = Some(ordinal);
            self.departures += 1;
            return Ok(());
        }
        if date > today {
            return self.give_notice(household, date);
        }
        let heir = home
            .members
            .iter()
            .position(|one| one.relation == Relation::Roommate && one.move_out.is_none());
        let Some(heir) = heir else {
            home.status = Status::Past;
            home.move_out = Some(date);
            return Ok(());
        };
        let mut past = home.clone();
        home.members[heir].relation = Relation::Primary;
        home.members.retain(|one| one.id != person);
        home.members
            .sort_by_key(|one| one.relation != Relation::Primary);
        past.members.retain(|one| one.id == person);
        past.status = Status::Past;
        past.move_out = Some(date);
        past.id = self.next_household();
        self.households.push(past);
        Ok(())
    }

    /// A household gives notice today, to leave on `date`.
    pub fn give_notice(&mut self, household: HouseholdId, date: Date) -> Result<(), NoSuch> {
        let today = self.today;
        let home = self.change(household)?;
        home.status = Status::Notice;
        home.notice = Some(today);
        home.move_out = Some(date);
        Ok(())
    }

    /// A person gets another name; a company gets `last` as its name.
    pub fn rename(&mut self, person: PersonId, first: &str, last: &str) -> Result<(), NoSuch> {
        let one = self.change_person(person)?;
        if let Some(company) = &mut one.company {
            last.clone_into(company);
            return Ok(());
        }
        first.clone_into(&mut one.first);
        last.clone_into(&mut one.last);
        Ok(())
    }

    /// A person gets another e-mail address, or none.
    pub fn change_email(&mut self, person: PersonId, email: Option<String>) -> Result<(), NoSuch> {
        self.change_person(person)?.email = email;
        Ok(())
    }

    /// A person gets another telephone number in place of all they had, or none.
    pub fn change_phone(&mut self, person: PersonId, phone: Option<String>) -> Result<(), NoSuch> {
        let phones = phone.map(|number| (PhoneKind::Cell, number));
        self.change_person(person)?.phones = phones.into_iter().collect();
        Ok(())
    }

    /// A lease gets another status; dates that go with it are filled in when they are missing, and
    /// a household that lives there again has no day of moving out.
    pub fn set_status(&mut self, lease: HouseholdId, status: Status) -> Result<(), NoSuch> {
        let today = self.today;
        let home = self.change(lease)?;
        home.status = status;
        match status {
            Status::Past => {
                home.move_out = home.move_out.filter(|&day| day <= today).or(Some(today));
            }
            Status::Notice => home.notice = home.notice.or(Some(today)),
            Status::Current => {
                (home.move_out, home.notice, home.leaving) = (None, None, None);
            }
            _ => {}
        }
        Ok(())
    }

    /// A household is to move to another unit of its property on `day`. It is up to the office to make it so.
    pub fn plan_transfer(
        &mut self,
        household: HouseholdId,
        unit: UnitId,
        day: Date,
    ) -> Result<(), NoSuch> {
        let property = self.unit(unit).ok_or(NoSuch("unit"))?.property;
        let home = self.change(household)?;
        if home.property != property {
            return Err(NoSuch("unit of that property"));
        }
        home.moving_to = Some((unit, day));
        Ok(())
    }

    /// A household moves to another unit, of the same property or another.
    pub fn transfer(&mut self, household: HouseholdId, unit: UnitId) -> Result<(), NoSuch> {
        let property = self.unit(unit).ok_or(NoSuch("unit"))?.property;
        let today = self.today;
        self.change(household)?;
        let lease = self.next_lease(unit);
        let beds = self.free_bed(unit).into_iter().collect();
        let home = self.change(household)?;
        home.transferred = Some((home.unit, today)).filter(|_| home.property == property);
        (home.unit, home.property, home.lease) = (unit, property, lease);
        (home.beds, home.moving_to) = (beds, None);
        Ok(())
    }

    /// A lease is renewed; without `end` it goes on from month to month.
    pub fn renew(
        &mut self,
        household: HouseholdId,
        start: Date,
        end: Option<Date>,
    ) -> Result<(), NoSuch> {
        let today = self.today;
        let home = self.change(household)?;
        home.lease_start = Some(start);
        home.lease_end = end;
        home.renewed = Some(today);
        home.next_lease = None;
        Ok(())
    }

    /// A contact vanishes from the PMS without a trace; the rest of the household stays.
    pub fn delete(&mut self, person: PersonId) -> Result<(), NoSuch> {
        let household = self.household_of(person).ok_or(NoSuch("person"))?;
        let home = self.change(household)?;
        home.members.retain(|one| one.id != person);
        if home.primary().is_none()
            && let Some(first) = home.members.first_mut()
        {
            first.relation = Relation::Primary;
        }
        Ok(())
    }

    /// It becomes another day: who was to move in has done so, who was on notice is gone.
    pub fn advance_to(&mut self, today: Date) {
        self.today = today;
        for home in &mut self.households {
            if let Some((start, end)) = home.next_lease.filter(|(start, _)| *start <= today) {
                (home.lease_start, home.lease_end) = (Some(start), Some(end));
                home.next_lease = None;
                home.renewed = Some(start);
                home.updated = Timestamp::now();
            }
            let due = match home.status {
                Status::Future if home.move_in.is_some_and(|day| day <= today) => Status::Current,
                Status::Notice if home.move_out.is_some_and(|day| day < today) => Status::Past,
                _ => continue,
            };
            home.status = due;
            home.updated = Timestamp::now();
        }
    }

    pub(super) fn next_household(&self) -> HouseholdId {
        HouseholdId(u32::try_from(self.households.len()).unwrap_or(u32::MAX))
    }

    pub(super) fn newcomer(&mut self, first: &str, last: &str, email: Option<&str>) -> Person {
        let id = PersonId(self.next_person);
        self.next_person += 1;
        Person {
            id,
            relation: Relation::Roommate,
            first: first.to_owned(),
            last: last.to_owned(),
            company: None,
            email: email.map(str::to_owned),
            phones: Vec::new(),
            move_in: Some(self.today),
            move_out: None,
            departure: None,
        }
    }

    pub(super) fn change(&mut self, household: HouseholdId) -> Result<&mut Household, NoSuch> {
        let home = self
            .households
            .get_mut(household.0 as usize)
            .ok_or(NoSuch("household"))?;
        home.updated = Timestamp::now();
        Ok(home)
    }

    pub(super) fn change_person(&mut self, person: PersonId) -> Result<&mut Person, NoSuch> {
        let household = self.household_of(person).ok_or(NoSuch("person"))?;
        let members = &mut self.change(household)?.members;
        members
            .iter_mut()
            .find(|one| one.id == person)
            .ok_or(NoSuch("person"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sandbox::testing::{residents, rows, start, world};
    use crate::sandbox::{Entity, Kind, Sandbox, Trap};

    async fn tenant(sandbox: &Sandbox, person: PersonId) -> Option<serde_json::Value> {
        let id = sandbox.world().uuid(Entity::Person, person.0);
        rows(sandbox, "tenants")
            .await
            .into_iter()
            .find(|row| row["Id"] == id.as_str())
    }

    #[tokio::test]
    async fn each_change_shows_in_the_next_answer_of_appfolio() {
        let sandbox = start(Kind::AppFolio, 24, 1000).await;
        let today = sandbox.world().today();
        let person = sandbox
            .world()
            .move_in("elm", "Ada", "Newcome", None, None)
            .unwrap();
        let home = sandbox.world().household_of(person).unwrap();
        assert_eq!(tenant(&sandbox, person).await.unwrap()["Status"], "Current");
        sandbox.world().rename(person, "Ada", "Oldcome").unwrap();
        sandbox
            .world()
            .change_email(person, Some("a@example.com".into()))
            .unwrap();
        let unit = sandbox.world().vacant_unit(0).unwrap();
        sandbox.world().transfer(home, unit).unwrap();
        sandbox.world().renew(home, today, None).unwrap();
        sandbox
            .world()
            .give_notice(home, today.saturating_add(9.days()))
            .unwrap();
        let row = tenant(&sandbox, person).await.unwrap();
        assert_eq!(row["LastName"], "Oldcome");
        assert_eq!(row["Email"], "a@example.com");
        assert_eq!(
            row["UnitId"],
            sandbox.world().uuid(Entity::Unit, unit.0).as_str()
        );
        assert_eq!(
            (&row["Status"], &row["LeaseEndDate"]),
            (&"Notice".into(), &().into())
        );
        assert_eq!(row["MoveOutOn"], "2026-03-19");
        sandbox.world().move_out(person, today).unwrap();
        assert_eq!(tenant(&sandbox, person).await.unwrap()["Status"], "Past");
        sandbox
            .world()
            .set_status(home, Status::Other("Limbo"))
            .unwrap();
        assert_eq!(tenant(&sandbox, person).await.unwrap()["Status"], "Limbo");
        sandbox.world().delete(person).unwrap();
        assert!(tenant(&sandbox, person).await.is_none());
        assert_eq!(sandbox.world().delete(person), Err(NoSuch("person")));
    }

    #[tokio::test]
    async fn a_primary_who_leaves_roommates_becomes_past_and_promotes_the_first() {
        let sandbox = start(Kind::Yardi, 24, 0).await;
        let person = sandbox.world().trapped(Trap::SharedEmail)[0];
        let heir = sandbox.world().trapped(Trap::SharedEmail)[1];
        let code = |id| sandbox.world().person(id).unwrap().1.code();
        let (old, before) = (code(person), code(heir));
        let today = sandbox.world().today();
        sandbox.world().move_out(person, today).unwrap();
        let after = code(heir);
        assert!(before.starts_with('r') && after.starts_with('t'));
        let home = sandbox.world().household_of(heir).unwrap();
        let property = sandbox.world().household(home).unwrap().property;
        let property = sandbox.world().properties()[property].code.clone();
        let body = residents(&sandbox, &property, &[]).await;
        assert!(body.contains(&after) && !body.contains(&before) && !body.contains(&old));
        let body = residents(&sandbox, &property, &[("MoveOut1", "03/10/2026")]).await;
        assert!(body.contains(&old));
        assert_eq!(sandbox.world().find_by_id(&after), Some(heir));
    }

    #[test]
    fn the_next_day_lets_people_in_and_out() {
        let mut world = world(7, 200);
        world.advance_to(world.today().saturating_add(90.days()));
        assert!(
            !world
                .households()
                .iter()
                .any(|home| home.status == Status::Notice)
        );
        assert!(
            !world
                .households()
                .iter()
                .any(|home| home.status == Status::Future)
        );
    }

    #[test]
    fn people_are_found_by_name_in_any_case() {
        let mut world = world(7, 24);
        let person = world
            .move_in("oak01", "Zoë", "O'Dunmore", None, None)
            .unwrap();
        assert_eq!(world.find_by_name("zoë o'dunmore"), [person]);
        assert_eq!(
            world.move_in("x", "A", "B", None, None),
            Err(NoSuch("property"))
        );
    }
}
