//! People who are linked: which of their residents counts (R21, R22), and what of it is written (R8,
//! R18–R20). What an update changes, is in `update`.

use std::collections::BTreeSet;

use crate::model::{
    AlertKind, ChangeKind, Fate, IntegrationId, LeaseStatus, Link, Person, PersonId, Resident, Unit,
};
use crate::store::StoreError;

use super::super::alerts;
use super::super::entry::{Group, rank};
use super::super::matching::People;
use super::super::update::{differences, update};
use super::Planner;

impl<P: People> Planner<'_, P> {
    /// Updates a person from all residents that are tied to them here: the one that counts decides (R21, R22).
    pub(super) fn update(
        &mut self,
        id: PersonId,
        mut groups: Vec<(&Group, Option<Person>)>,
    ) -> Result<(), StoreError> {
        groups.sort_by(|(a, _), (b, _)| {
            let (Some(one), Some(other)) = (a.lease(), b.lease()) else {
                return std::cmp::Ordering::Equal;
            };
            rank(one, other).then_with(|| a.id.cmp(&b.id))
        });
        let matched = groups.iter_mut().find_map(|(_, person)| person.take());
        let newly: BTreeSet<&str> = groups
            .iter()
            .filter(|(group, _)| !self.inputs.links.contains_key(&group.id))
            .map(|(group, _)| group.id.as_str())
            .collect();
        let before = match matched {
            Some(person) => person,
            None => self.people.person(id)?.ok_or_else(|| StoreError::Value {
                table: "people-1",
                what: format!("{id} is linked and is not there"),
            })?,
        };
        if before.pinned {
            self.told_of.insert(id.to_string());
            for (group, _) in &groups {
                self.leave(group, &before);
            }
            return Ok(());
        }
        let Some((chosen, _)) = groups.first() else {
            return Ok(());
        };
        let Some(lease) = chosen.lease() else {
            return Ok(());
        };
        let is_new = newly.contains(chosen.id.as_str());
        if let Some(reason) = &lease.excluded {
            self.told_of.insert(id.to_string());
            self.rest(chosen, &before, reason);
        } else if lease.normal.resident.status.is_closed()
            && !is_lease_of(&before, self.inputs.integration, &lease.normal.resident)
            && groups
                .iter()
                .any(|(group, _)| self.unjudged.contains(&group.id))
        {
            self.decide(
                &chosen.id,
                Fate::Held,
                "R12",
                "this lease is over, and another one of this person could not be mapped",
                Some(id),
            );
        } else if let Some(absent) = self.better_absent(id, &groups, &lease.normal.resident) {
            let reason =
                format!("a lease that the feed leaves out now counts more (status {absent})");
            self.unjudged.insert(chosen.id.clone());
            self.link_only(chosen, &lease.normal.resident, id);
            if is_new {
                self.change(id, &chosen.id, ChangeKind::Linked, "R22", Vec::new());
            }
            self.decide(
                &chosen.id,
                if is_new {
                    Fate::Linked
                } else {
                    Fate::Unchanged
                },
                "R25",
                reason,
                Some(id),
            );
        } else {
            self.told_of.insert(id.to_string());
            let ids: Vec<&Group> = groups.iter().map(|(group, _)| *group).collect();
            match Group::of_all(&ids) {
                Some(all) if ids.len() > 1 => self.write(&all, before, is_new)?,
                _ => self.write(chosen, before, is_new)?,
            }
        }
        self.others(chosen, Some(id));
        for (group, _) in groups.iter().skip(1) {
            let Some(lease) = group.lease() else { continue };
            if let Some(reason) = &lease.excluded {
                self.exclude(&group.id, reason, Some(id));
            } else {
                let fate = if newly.contains(group.id.as_str()) {
                    Fate::Linked
                } else {
                    Fate::Unchanged
                };
                if fate == Fate::Linked {
                    self.change(id, &group.id, ChangeKind::Linked, "R22", Vec::new());
                }
                self.link_only(group, &lease.normal.resident, id);
                self.decide(
                    &group.id,
                    fate,
                    "R22",
                    "another lease of this person counts",
                    Some(id),
                );
            }
            self.others(group, Some(id));
        }
        Ok(())
    }

    /// The status of a link of the person that this run did not see and that counts more than what it saw:
    /// its absence proves nothing (R25).
    fn better_absent(
        &self,
        person: PersonId,
        groups: &[(&Group, Option<Person>)],
        seen: &Resident,
    ) -> Option<LeaseStatus> {
        self.links_of(person)
            .filter(|(id, _)| !groups.iter().any(|(group, _)| group.id == **id))
            .map(|(_, link)| link.status)
            .filter(|status| *status < seen.status && seen.status != LeaseStatus::Unknown)
            .min()
    }

    /// Further units of a person who lives somewhere: those that the feed names (R21), and those of residents of
    /// theirs that it leaves out now, which proves nothing (R25) until they are missing.
    fn more_units(&self, group: &Group, person: &Person) -> Vec<Unit> {
        // A word that nobody knows keeps the homes that are known, as it keeps the status (§10).
        if group.resident().map(|one| one.status) == Some(LeaseStatus::Unknown) {
            let stay = person.stays.get(self.inputs.integration);
            return stay.map(|stay| stay.more_units.clone()).unwrap_or_default();
        }
        let mut units = group.more_units();
        let Some(resident) = group
            .resident()
            .filter(|one| one.status == LeaseStatus::Current)
        else {
            return units;
        };
        let absent = self.links_of(person.id).filter(|(id, link)| {
            link.status == LeaseStatus::Current
                && link.misses.saturating_add(1) < self.inputs.missing_after
                && !self.seen.contains(id)
        });
        for unit in absent.filter_map(|(_, link)| link.unit.as_ref()) {
            let known = resident.unit.iter().chain(&units);
            if !known.into_iter().any(|known| known.id == unit.id) {
                units.push(unit.clone());
            }
        }
        units
    }

    /// A person who was kept from runs by hand: nothing of them is written. That their resident was seen is.
    fn leave(&mut self, group: &Group, person: &Person) {
        if let Some(link) = self.inputs.links.get(&group.id)
            && link.misses > 0
        {
            let link = Link {
                misses: 0,
                ..link.clone()
            };
            self.put_link(&group.id, link);
        }
        self.decide(
            &group.id,
            Fate::Unchanged,
            "pin",
            "pinned by hand: no run writes to this person",
            Some(person.id),
        );
        self.others(group, Some(person.id));
    }

    /// R8: a linked person whose status is excluded now stops being updated, stays, and shows it.
    fn rest(&mut self, group: &Group, before: &Person, reason: &str) {
        let mut person = before.clone();
        if let Some(stay) = person.stays.get_mut(self.inputs.integration)
            && !stay.excluded
        {
            stay.excluded = true;
            let fields = differences(before, &person, self.inputs.integration);
            self.change(person.id, &group.id, ChangeKind::Excluded, "R8", fields);
            self.plan.people.push(person);
        }
        if let Some(link) = self
            .inputs
            .links
            .get(&group.id)
            .filter(|link| link.misses > 0)
        {
            let link = Link {
                misses: 0,
                ..link.clone()
            };
            self.put_link(&group.id, link);
        }
        self.exclude(&group.id, reason, Some(before.id));
    }

    /// R18–R20: writes what the PMS says about a person, or what of it may be written.
    fn write(&mut self, group: &Group, before: Person, is_new: bool) -> Result<(), StoreError> {
        let Some(normal) = group.stay() else {
            return Ok(());
        };
        let resident = &normal.resident;
        let link = self.inputs.links.get(&group.id);
        let holder = match &resident.email {
            Some(email) if before.email.as_ref() != Some(email) => {
                self.people.person_with_email(email)?
            }
            _ => None,
        };
        let other = holder.filter(|holder| *holder != before.id);
        let is_free = other.is_none()
            && resident
                .email
                .as_ref()
                .is_none_or(|email| !self.taken.contains(email));
        let more_units = self.more_units(group, &before);
        self.multiple(group, before.id, &more_units);
        let ask = self.ask(&normal, more_units, link, is_free);
        let update = update(&before, &ask);
        if resident.status == LeaseStatus::Unknown {
            self.unknown_status(resident);
        }
        let sides = || {
            vec![
                alerts::resident_side(resident),
                alerts::person_side(&before, self.inputs.integration),
            ]
        };
        let mut waits = None;
        if update.held {
            waits = Some(("R19", "the email changed in the PMS"));
            self.causes.raise(
                AlertKind::EmailMismatch,
                &group.id,
                sides(),
                "the email of a linked resident changed in the PMS",
            );
        } else if update.email_taken {
            waits = Some(("R18", "another person has the email that the PMS gives"));
            let mut sides = sides();
            if let Some(other) = other {
                let other = self.people.person(other)?;
                sides.extend(
                    other
                        .iter()
                        .map(|other| alerts::person_side(other, self.inputs.integration)),
                );
            }
            self.causes.raise(
                AlertKind::DuplicateAccounts,
                &group.id,
                sides,
                "another person has the email that the PMS gives",
            );
        } else if update.email_gone {
            self.causes.raise(
                AlertKind::MissingEmail,
                &group.id,
                sides(),
                "the PMS has no usable email any more; the one here stays",
            );
        }
        // What the PMS said last is only taken over where it was carried out; else it would not be seen as
        // a change in the next run.
        let email = match (update.email_changed, &resident.email, link) {
            (true, _, Some(link)) | (false, None, Some(link)) => link.email.clone(),
            _ => resident.email.clone(),
        };
        self.link(group, resident, before.id, email);
        let changed = !update.fields.is_empty();
        let (rule, kind, fate) = if is_new {
            // A person who was linked here before, under another PMS id, comes back or moved (R22).
            let returns = self.links_of(before.id).next().is_some();
            (
                if returns { "R22" } else { "R13" },
                ChangeKind::Linked,
                Fate::Linked,
            )
        } else {
            let fate = match (waits, changed) {
                (Some(_), _) => Fate::Held,
                (None, true) => Fate::Updated,
                (None, false) => Fate::Unchanged,
            };
            let rule = if update.kind == ChangeKind::Closed {
                "R8"
            } else {
                "R18"
            };
            (rule, update.kind, fate)
        };
        if changed || is_new {
            self.change(before.id, &group.id, kind, rule, update.fields);
            if update.person.email != before.email {
                self.taken.extend(update.person.email.clone());
            }
            self.plan.people.push(update.person);
        }
        let (rule, reason) = match (fate, waits) {
            (Fate::Held, Some((rule, reason))) => (rule, reason),
            (Fate::Unchanged, _) => ("", ""),
            _ => (rule, ""),
        };
        self.decide(&group.id, fate, rule, reason, Some(before.id));
        Ok(())
    }
}

/// Whether a lease is the one that the person's stay was made of, as far as one can see.
fn is_lease_of(person: &Person, integration: &IntegrationId, resident: &Resident) -> bool {
    person.stays.get(integration).is_some_and(|stay| {
        let unit = |unit: &Option<Unit>| unit.as_ref().map(|unit| unit.id.clone());
        stay.lease_start == resident.lease_start && unit(&stay.unit) == unit(&resident.unit)
    })
}
