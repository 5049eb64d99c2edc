//! People who are linked: which of their residents counts (R21, R22), and what of it is written (R8,
//! R18–R20). What an update changes, is in `update`.

use std::borrow::Cow;
use std::collections::BTreeMap;

use jiff::Timestamp;
use jiff::civil::Date;

use crate::model::{
    AlertKind, ChangeKind, Fate, Field, IntegrationId, LeaseStatus, Link, Person, PersonId,
    Resident, Stay, Unit,
};

use super::super::alerts;
use super::super::dates;
use super::super::entry::{Group, rank};
use super::super::groups::mark;
use super::super::update::{Ask, differences, update};
use super::Planner;
use super::absent::Stands;
use crate::model::People;

impl<P: People> Planner<'_, P> {
    /// Updates a person from all residents that are tied to them here: the one that counts decides (R21, R22).
    pub(super) fn update(&mut self, id: PersonId, groups: &[Group]) -> Result<(), P::Error> {
        let before = self.people.named_elsewhere(id)?;
        if before.pinned {
            self.told_of.insert(id.to_string());
            for group in groups {
                self.leave(group, &before);
            }
            return Ok(());
        }
        let mut theirs: Vec<Cow<'_, Group>> = Vec::with_capacity(groups.len());
        for group in groups {
            theirs.extend(self.believed(group, &before));
        }
        theirs.sort_by(|a, b| {
            let (Some(one), Some(other)) = (a.lease(), b.lease()) else {
                return std::cmp::Ordering::Equal;
            };
            rank(one, other).then_with(|| a.id.cmp(&b.id))
        });
        self.supersede(&before, &theirs)?;
        let Some((chosen, rest)) = theirs.split_first() else {
            return Ok(());
        };
        self.by_the_chosen(chosen, &theirs, before)?;
        self.others(chosen, Some(id));
        for group in rest {
            self.beside(group, id);
        }
        Ok(())
    }

    /// What the lease that counts does to its person.
    fn by_the_chosen(
        &mut self,
        chosen: &Group,
        theirs: &[Cow<'_, Group>],
        before: Person,
    ) -> Result<(), P::Error> {
        let Some(lease) = chosen.lease() else {
            return Ok(());
        };
        let id = before.id;
        let resident = &lease.normal.resident;
        let is_new = !self.inputs.links.contains_key(&chosen.id);
        let is_over = resident.status.is_closed();
        let stay = before.stay(self.inputs.integration);
        match &lease.excluded {
            Some(reason) if !is_over => {
                self.told_of.insert(id.to_string());
                self.rest(chosen, &before, reason);
                return Ok(());
            }
            // Who has left already is left out like anybody else.
            Some(reason) if stay.is_none_or(Stay::is_closed) => {
                self.told_of.insert(id.to_string());
                self.link_only(chosen, resident, id);
                self.exclude(&chosen.id, reason, Some(id));
                return Ok(());
            }
            _ => {}
        }
        let unread = theirs.iter().any(|group| self.unjudged.contains(&group.id));
        if is_over && unread && !is_lease_of(&before, self.inputs.integration, resident) {
            self.decide(
                &chosen.id,
                Fate::Held,
                "R12",
                "this lease is over, and another one of this person could not be mapped",
                Some(id),
            );
        } else if let Some(absent) = self.better_absent(id, theirs, resident) {
            let reason =
                format!("a lease that the feed leaves out now counts more (status {absent})");
            self.unjudged.insert(chosen.id.clone());
            self.link_only(chosen, resident, id);
            if is_new {
                self.change(id, &chosen.id, ChangeKind::Linked, "R22", Vec::new());
            }
            let fate = if is_new {
                Fate::Linked
            } else {
                Fate::Unchanged
            };
            self.decide(&chosen.id, fate, "R25", reason, Some(id));
        } else {
            self.told_of.insert(id.to_string());
            let all: Vec<&Group> = theirs.iter().map(AsRef::as_ref).collect();
            match Group::of_all(&all) {
                Some(all) if theirs.len() > 1 => self.write(&all, before, is_new)?,
                _ => self.write(chosen, before, is_new)?,
            }
        }
        Ok(())
    }

    /// An id of a person whose lease does not count.
    fn beside(&mut self, group: &Group, person: PersonId) {
        let Some(lease) = group.lease() else { return };
        if let Some(reason) = &lease.excluded {
            // That a lease is over is taken over, or its absence would keep the person later (R8).
            if lease.is_over() && self.inputs.links.contains_key(&group.id) {
                self.link_only(group, &lease.normal.resident, person);
            } else {
                self.is_named_again(&group.id);
            }
            self.exclude(&group.id, reason, Some(person));
        } else {
            let is_new = !self.inputs.links.contains_key(&group.id);
            let fate = if is_new {
                Fate::Linked
            } else {
                Fate::Unchanged
            };
            if is_new {
                self.change(person, &group.id, ChangeKind::Linked, "R22", Vec::new());
            }
            self.link_only(group, &lease.normal.resident, person);
            self.tell_unknown(&lease.normal.resident);
            let reason = "another lease of this person counts";
            self.decide(&group.id, fate, "R22", reason, Some(person));
        }
        self.others(group, Some(person));
    }

    /// R22: who is linked under a new id now, and not named under an old one, has the new one for the old one; so has who
    /// was named under another one alone for long enough.
    fn supersede(&mut self, person: &Person, theirs: &[Cow<'_, Group>]) -> Result<(), P::Error> {
        let new: Vec<&Resident> = theirs
            .iter()
            .filter(|group| !self.inputs.links.contains_key(&group.id))
            .filter_map(|group| group.resident())
            .collect();
        let stay = person.stay(self.inputs.integration);
        let now = |id: &str| {
            let group = theirs.iter().find(|group| group.id == id)?;
            group.resident().map(Stands::of)
        };
        let mut gone: Vec<(String, Link)> = Vec::new();
        for (id, link) in self.links_of(person.id) {
            if link.status.is_closed() || self.names(id) {
                continue;
            }
            let is_followed =
                !self.unjudged.contains(id) && new.iter().any(|new| may_follow(new, link, stay));
            if is_followed || self.missed(id, link, now)?.is_given_up {
                gone.push((id.to_owned(), superseded(link)));
            }
        }
        for (id, link) in gone {
            self.put_link(&id, &link);
        }
        Ok(())
    }

    /// The status of a link of the person that this run did not see and that counts more than what it saw:
    /// its absence proves nothing (R25).
    fn better_absent(
        &self,
        person: PersonId,
        theirs: &[Cow<'_, Group>],
        seen: &Resident,
    ) -> Option<LeaseStatus> {
        self.links_of(person)
            .filter(|(id, _)| !theirs.iter().any(|group| group.id == **id))
            .filter_map(|(id, _)| Some(self.now(id)?.status))
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
                && !self.names(id)
                && !self.now(id).is_some_and(|now| now.superseded)
        });
        for unit in absent.filter_map(|(_, link)| link.unit.as_ref()) {
            let mut known = resident.unit.iter().chain(&units);
            if !known.any(|known| known.is(unit)) {
                units.push(unit.clone());
            }
        }
        units
    }

    /// R25: nothing of a resident is written, and that the feed names them ends the count of its misses.
    fn is_named_again(&mut self, id: &str) {
        let links = &self.inputs.links;
        if let Some(link) = links.get(id).filter(|link| link.misses > 0) {
            let link = Link {
                misses: 0,
                ..link.clone()
            };
            self.put_link(id, &link);
        }
    }

    /// A person who was kept from runs by hand: nothing of them is written. That their resident was seen is.
    fn leave(&mut self, group: &Group, person: &Person) {
        self.is_named_again(&group.id);
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
            self.plan.people.push(&person);
        }
        self.is_named_again(&group.id);
        *self.resting.entry(reason.to_owned()).or_default() += 1;
        self.left_out(&group.id, "R8", reason, Some(before.id));
    }

    /// R8: one alert for each reason for which linked people rest.
    pub(super) fn tell_resting(&mut self) {
        for (reason, count) in std::mem::take(&mut self.resting) {
            let detail = format!(
                "`{reason}` leaves out linked people who have not left: nothing of them is updated"
            );
            self.causes
                .raise_counted(AlertKind::ExcludedLinked, &reason, count, &detail);
        }
    }

    /// When the person was linked first, here and elsewhere, where that decides who says who they are (R13b).
    fn since(&self, person: &Person) -> Result<BTreeMap<IntegrationId, Timestamp>, P::Error> {
        let here = self.inputs.integration;
        let mut stays = person.stays.iter();
        if !stays.any(|(place, stay)| place != here && !stay.is_closed()) {
            return Ok(BTreeMap::new());
        }
        let mut since = self.people.linked_since(person.id)?;
        since.entry(here.clone()).or_insert(self.inputs.now);
        Ok(since)
    }

    /// R18–R20: writes what the PMS says about a person, or what of it may be written.
    fn write(&mut self, group: &Group, before: Person, is_new: bool) -> Result<(), P::Error> {
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
                .is_none_or(|email| !self.taken.contains(&mark(email)));
        let left_out = group.lease().is_some_and(|lease| lease.excluded.is_some());
        let more_units = self.more_units(group, &before);
        self.multiple(group, before.id, &more_units);
        let ask = Ask {
            left_out,
            email_was_cut: self.inputs.cut_emails.contains(&before.id),
            since: self.since(&before)?,
            ..self.ask(&normal, more_units.clone(), link, is_free)
        };
        let update = update(&before, &ask);
        self.tell_unknown(resident);
        let sides = || {
            let property = group.lease().and_then(|lease| lease.property.clone());
            vec![
                alerts::stay_side(&normal, more_units.clone(), property, group.own_start()),
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
        } else if update.other_name && !self.is_one_by_hand(&group.id) {
            self.causes.raise(
                AlertKind::NameMismatch,
                &group.id,
                sides(),
                "this property's PMS has another name than the one where the person was linked first, which counts",
            );
        }
        // What the PMS said last is only taken over where it was carried out; else it would not be seen as
        // a change in the next run.
        let email = match (update.email_changed || left_out, &resident.email, link) {
            (false, None, Some(_)) if update.email_removed => None,
            (true, _, Some(link)) | (false, None, Some(link)) => link.email.clone(),
            _ => resident.email.clone(),
        };
        let known = update.person.stay(self.inputs.integration);
        let known = known.map_or(LeaseStatus::Past, |stay| stay.status);
        self.link(group, resident, before.id, email, known);
        let changed = !update.fields.is_empty();
        let (rule, kind, fate) = if is_new {
            // A person who was linked here before, under another PMS id, comes back or moved (R22).
            let returns = self.links_of(before.id).next().is_some();
            let kind = if update.kind == ChangeKind::Closed {
                ChangeKind::Closed
            } else {
                ChangeKind::Linked
            };
            (if returns { "R22" } else { "R13" }, kind, Fate::Linked)
        } else {
            let fate = match (waits, changed) {
                (Some(_), _) => Fate::Held,
                (None, true) => Fate::Updated,
                (None, false) => Fate::Unchanged,
            };
            let rule = match update.kind {
                ChangeKind::Closed => "R8",
                _ if update.email_removed => "R20",
                _ => "R18",
            };
            (rule, update.kind, fate)
        };
        if changed || is_new {
            self.change(before.id, &group.id, kind, rule, update.fields);
            if update.person.email != before.email {
                self.taken.extend(update.person.email.as_deref().map(mark));
            }
            self.plan.people.push(&update.person);
        }
        let (rule, reason) = match (fate, waits) {
            (Fate::Held, Some((rule, reason))) => (rule, reason),
            (Fate::Unchanged, _) => ("", ""),
            (Fate::Updated, _) if left_out => {
                (rule, "the record is left out, and says that they left")
            }
            (Fate::Updated, _) if update.email_removed => (
                rule,
                "an earlier version cut the email out of a text that holds no address: it is removed",
            ),
            _ => (rule, ""),
        };
        let says = Some(reason.to_owned()).filter(|reason| !reason.is_empty());
        let says: Vec<String> = says.into_iter().chain(dates::told_of(group)).collect();
        self.decide(&group.id, fate, rule, says.join("; "), Some(before.id));
        Ok(())
    }
}

/// The link of an id in whose place the PMS has another one now: it weighs nothing any more (R22).
pub(crate) fn superseded(link: &Link) -> Link {
    Link {
        status: LeaseStatus::Past,
        unit: None,
        misses: link.misses.saturating_add(1),
        superseded: true,
        ..link.clone()
    }
}

/// Whether a new id may be the one that an old one's person has now: its lease does not start before the old one's (R22).
/// Who is to move in lives where they lived until then; an application, or a lease that never came to be, ends none;
/// nor does one that is over and of which nobody knows when it began. `stay` is the person's.
pub(crate) fn may_follow(new: &Resident, old: &Link, stay: Option<&Stay>) -> bool {
    let start = old.lease_start.or(stay.and_then(|stay| stay.lease_start));
    let follows = match new.status {
        LeaseStatus::Current | LeaseStatus::Unknown => true,
        LeaseStatus::Pending => old.status != LeaseStatus::Current,
        LeaseStatus::Past => new.lease_start.is_some(),
        LeaseStatus::Applicant | LeaseStatus::Void => false,
    };
    follows && does_not_start_before(new.lease_start, start)
}

/// Whether a lease may come after another one. A day that nobody knows says nothing.
pub(super) fn does_not_start_before(new: Option<Date>, old: Option<Date>) -> bool {
    new.is_none() || old.is_none() || new >= old
}

/// Whether a lease is the one that the person's stay was made of, as far as one can see.
fn is_lease_of(person: &Person, integration: &IntegrationId, resident: &Resident) -> bool {
    person.stays.get(integration).is_some_and(|stay| {
        let start_is_known = !resident.unreadable.contains(&Field::LeaseStart);
        let is_there = match (&resident.unit, &stay.unit) {
            (Some(unit), Some(known)) => unit.is(known),
            (unit, known) => unit.is_none() && known.is_none(),
        };
        (stay.lease_start == resident.lease_start || !start_is_known) && is_there
    })
}
