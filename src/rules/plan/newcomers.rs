//! Residents that are not linked yet: held because others share their email (R16), matched (R13–R15, R22),
//! or made people (R17). What matching is, is in `matching`.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use crate::model::People;
use crate::model::{
    AlertKind, ChangeKind, Fate, LeaseStatus, Origin, Person, PersonId, Resident, Side,
};

use super::super::alerts;
use super::super::dates;
use super::super::entry::{self, Group, Lease};
use super::super::groups::mark;
use super::super::matching::{Match, is_named, match_resident};
use super::super::update::update;
use super::{Attach, Planner};

fn may_share(lease: &Lease) -> bool {
    entry::may_share(&lease.normal.resident, lease.excluded.as_deref())
}

impl<P: People> Planner<'_, P> {
    /// The ids of the groups that are held because others have the same email (R16).
    pub(super) fn duplicate_emails(&mut self) -> Result<BTreeSet<String>, P::Error> {
        let mut by_email: BTreeMap<String, Vec<Group>> = BTreeMap::new();
        for places in self.groups.sharing() {
            for place in places {
                let group = self.group(*place)?;
                let leases = group.leases().iter().filter(|lease| may_share(lease));
                let emails = leases.filter_map(|lease| lease.normal.resident.email.clone());
                for email in emails.collect::<BTreeSet<_>>() {
                    let sharing = by_email.entry(email).or_default();
                    // With two emails it may be here by the other one, too.
                    if sharing.iter().all(|known| known.id != group.id) {
                        sharing.push(group.clone());
                    }
                }
            }
        }
        by_email.retain(|_, several| several.len() > 1);
        let mut held = BTreeSet::new();
        for (email, several) in by_email {
            let mut sharing: Vec<&Group> = Vec::new();
            let mut residents: Vec<Resident> = Vec::new();
            for group in &several {
                let counts = self.counts(group)?.filter(|lease| {
                    may_share(lease) && lease.normal.resident.email.as_ref() == Some(&email)
                });
                if let Some(lease) = counts {
                    sharing.push(group);
                    residents.push(lease.normal.resident.clone());
                }
            }
            let (linked, new): (Vec<&Group>, Vec<&Group>) = sharing
                .iter()
                .copied()
                .partition(|group| self.inputs.links.contains_key(&group.id));
            let people: BTreeSet<PersonId> = linked
                .iter()
                .filter_map(|group| self.inputs.links.get(&group.id))
                .map(|link| link.person)
                .collect();
            if people.len() + new.len() < 2 || self.is_one_human(&people, &new)? {
                continue;
            }
            self.taken.insert(mark(&email));
            let subject = format!("email:{}", &blake3::hash(email.as_bytes()).to_hex()[..16]);
            let sides = residents.iter().map(alerts::resident_side).collect();
            let detail = format!(
                "{} residents of the feed have the same email; correct it in the PMS",
                sharing.len()
            );
            self.causes
                .raise(AlertKind::DuplicateEmails, &subject, sides, &detail);
            held.extend(new.iter().map(|group| group.id.clone()));
        }
        Ok(held)
    }

    /// Somebody who is linked, and a resident with a new PMS id but the same email and name: a transfer, a new
    /// lease or a return (R22), not two humans.
    fn is_one_human(&self, people: &BTreeSet<PersonId>, new: &[&Group]) -> Result<bool, P::Error> {
        let (Some(person), 1, [new]) = (people.first(), people.len(), new) else {
            return Ok(false);
        };
        let (Some(person), Some(resident)) = (self.people.person(*person)?, new.resident()) else {
            return Ok(false);
        };
        Ok(person.email == resident.email && is_named(&person, resident))
    }

    /// Decides where a group belongs, and tells at once where nothing is written for it.
    pub(super) fn attach(
        &mut self,
        group: &Group,
        duplicates: &BTreeSet<String>,
    ) -> Result<Attach, P::Error> {
        if let Some(link) = self.inputs.links.get(&group.id) {
            return Ok(Attach::Linked(link.person));
        }
        let Some(Lease {
            normal, excluded, ..
        }) = group.lease()
        else {
            return Ok(Attach::Not);
        };
        let resident = &normal.resident;
        if resident.status.is_closed() && resident.email.is_some() {
            return Ok(Attach::Late);
        }
        if self.is_of_two(group) {
            return Ok(Attach::Not);
        }
        if let Some(reason) = excluded {
            let reason = reason.clone();
            self.exclude(&group.id, &reason, None);
        } else if resident.status == LeaseStatus::Unknown && resident.email.is_some() {
            return Ok(Attach::Late);
        } else if !resident.status.may_come_in() {
            self.ineligible(group);
        } else if let Some(email) = &resident.email {
            if duplicates.contains(&group.id) {
                self.decide(
                    &group.id,
                    Fate::Held,
                    "R16",
                    "another resident has the same email",
                    None,
                );
            } else {
                let apart = self.inputs.rulings.get(&group.id);
                match match_resident(resident, email, apart, self.people)? {
                    Match::Create => return Ok(Attach::Create),
                    Match::Link(person) => return Ok(Attach::Link(person.id)),
                    Match::Flag {
                        kind,
                        rule,
                        people,
                        detail,
                        confidence,
                    } => {
                        let person = people.first().map(|person| person.id);
                        let property = group.lease().and_then(|lease| lease.property.clone());
                        let normal = group.stay().map(Cow::into_owned);
                        let mut sides: Vec<Side> = normal
                            .iter()
                            .map(|normal| {
                                let (units, start) = (group.more_units(), group.own_start());
                                alerts::stay_side(normal, units, property.clone(), start)
                            })
                            .collect();
                        sides.extend(
                            people
                                .iter()
                                .map(|person| alerts::person_side(person, self.inputs.integration)),
                        );
                        self.causes
                            .raise_with(kind, &group.id, sides, &detail, confidence);
                        self.decide(&group.id, Fate::Flagged, rule, detail, person);
                    }
                }
            }
        } else {
            let sides = vec![alerts::resident_side(resident)];
            self.causes.raise(
                AlertKind::MissingEmail,
                &group.id,
                sides,
                "the PMS has no usable email; add it there",
            );
            self.decide(&group.id, Fate::Held, "R17", "it has no email", None);
        }
        self.others(group, None);
        Ok(Attach::Not)
    }

    /// R7: who is past, has applied, or whose lease never came to be, does not come in new; nor does who has a status
    /// that nobody knows.
    pub(super) fn ineligible(&mut self, group: &Group) {
        let Some(resident) = group.resident() else {
            return;
        };
        let reason = if resident.status == LeaseStatus::Unknown {
            self.unknown_word(&resident.status_word);
            "its status is not known to the mapping".to_owned()
        } else {
            format!("{} does not come in new", resident.status)
        };
        self.decide(&group.id, Fate::Ineligible, "R7", reason, None);
    }

    /// R17: a person from the PMS.
    pub(super) fn create(&mut self, group: &Group) -> Result<(), P::Error> {
        let Some(normal) = group.stay() else {
            return Ok(());
        };
        let resident = &normal.resident;
        let nobody = Person::new(self.people.new_person_id()?, Origin::Sync, self.inputs.now);
        let more_units = group.more_units();
        self.multiple(group, nobody.id, &more_units);
        let ask = self.ask(&normal, more_units, None, true);
        let made = update(&nobody, &ask);
        self.taken.extend(made.person.email.as_deref().map(mark));
        let status = resident.status;
        self.link(
            group,
            resident,
            made.person.id,
            resident.email.clone(),
            status,
        );
        self.change(
            made.person.id,
            &group.id,
            ChangeKind::Created,
            "R17",
            made.fields,
        );
        let says = dates::told_of(group).unwrap_or_default();
        self.decide(&group.id, Fate::Created, "R17", says, Some(made.person.id));
        self.others(group, Some(made.person.id));
        self.plan.people.push(&made.person);
        Ok(())
    }
}
