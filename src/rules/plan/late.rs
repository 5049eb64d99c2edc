//! Records of nobody linked that are over, or of which nobody knows whether they are. They make nobody (R7), but one with the email, name and property of somebody
//! who is linked is no newcomer: it is another id of theirs (R22).

use std::collections::{HashMap, HashSet};

use crate::model::People;
use crate::model::{ChangeKind, Fate, Person, PersonId, Resident};

use super::super::entry::Group;
use super::super::matching::is_named;
use super::{Homes, Planner};

impl<P: People> Planner<'_, P> {
    /// Decides on these records when it is known who comes in.
    pub(super) fn late(&mut self, late: Vec<u32>, homes: &mut Homes) -> Result<(), P::Error> {
        if late.is_empty() {
            return Ok(());
        }
        let mut emails: HashSet<String> = HashSet::new();
        for place in &late {
            let group = self.group(*place)?;
            emails.extend(group.resident().and_then(|resident| resident.email.clone()));
        }
        let mut new: HashMap<String, Person> = HashMap::new();
        for person in &self.plan.people {
            let person = person?;
            if let Some(email) = person
                .email
                .as_ref()
                .filter(|email| emails.contains(*email))
            {
                new.insert(email.clone(), person);
            }
        }
        for place in late {
            let group = &self.group(place)?;
            let (Some(lease), Some(resident)) = (group.lease(), group.resident()) else {
                continue;
            };
            let excluded = lease.excluded.clone();
            let created = resident.email.as_ref().and_then(|email| new.get(email));
            let created = created
                .filter(|person| excluded.is_none() && is_named(person, resident))
                .map(|person| person.id);
            if let Some(id) = created {
                self.another_id(group, resident, id);
            } else if let Some(person) = self.is_another_id(group, resident, homes)? {
                homes.add(person, true, place);
                continue;
            } else if let Some(reason) = excluded {
                self.exclude(&group.id, &reason, None);
            } else {
                self.ineligible(group);
            }
            self.others(group, created);
        }
        Ok(())
    }

    /// Another lease of somebody who comes in with this run.
    fn another_id(&mut self, group: &Group, resident: &Resident, person: PersonId) {
        self.tell_unknown(resident);
        self.link_only(group, resident, person);
        self.change(person, &group.id, ChangeKind::Linked, "R22", Vec::new());
        let reason = "another lease of this person counts";
        self.decide(&group.id, Fate::Linked, "R22", reason, Some(person));
    }

    /// The linked person who has the email and the name. What is left out links nobody (R6), unless the feed names that
    /// person under no other id any more: then it says that they left (R8).
    fn is_another_id(
        &self,
        group: &Group,
        resident: &Resident,
        homes: &Homes,
    ) -> Result<Option<PersonId>, P::Error> {
        let Some(email) = &resident.email else {
            return Ok(None);
        };
        let Some(id) = self.people.person_with_email(email)? else {
            return Ok(None);
        };
        if homes.of(id).next().is_none() && self.links_of(id).next().is_none() {
            return Ok(None);
        }
        let is_left_out = group.lease().is_some_and(|lease| lease.excluded.is_some());
        if is_left_out {
            // A record that is not theirs does not name them (R21a).
            for other in homes.of(id) {
                if self.counts(&self.group(other)?)?.is_some() {
                    return Ok(None);
                }
            }
        }
        let ruling = self.inputs.rulings.get(&group.id);
        if ruling.is_some_and(|ruling| ruling.apart.contains(&id)) {
            return Ok(None);
        }
        let person = self.people.named_elsewhere(id)?;
        Ok(is_named(&person, resident).then_some(id))
    }
}
