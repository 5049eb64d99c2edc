//! Whose record it is that a linked PMS id has, and whether the leases of one id are of one human (R21, R21a). What is not
//! believed writes nothing, and raises its alert.

use std::borrow::Cow;

use crate::model::{AlertKind, Fate, Link, Person, Side};

use super::super::alerts;
use super::super::entry::{Group, Lease, rank};
use super::super::identity::{are_two, is_somebody_else};
use super::super::matching::is_named;
use super::Planner;
use crate::model::People;

impl<P: People> Planner<'_, P> {
    /// Of a linked id, the leases that are its person's; none where all are somebody else's. What is not theirs is
    /// decided and told.
    pub(super) fn believed<'g>(
        &mut self,
        group: &'g Group,
        person: &Person,
    ) -> Option<Cow<'g, Group>> {
        let Some(link) = self.inputs.links.get(&group.id) else {
            return Some(Cow::Borrowed(group));
        };
        let (own, strange) = self.split(group, person, link);
        if strange.is_empty() {
            return Some(Cow::Borrowed(group));
        }
        let mut sides: Vec<Side> = vec![alerts::person_side(person, self.inputs.integration)];
        let open: Vec<&Lease> = strange
            .iter()
            .filter(|one| !one.is_over())
            .copied()
            .collect();
        if own.is_empty() {
            self.unbelieved.insert(group.id.clone());
            self.unjudged.insert(group.id.clone());
            self.plan.estranged.insert(person.id);
            let several = are_several(&open);
            let shown = if several { &open[..] } else { &strange[..1] };
            sides.splice(0..0, shown.iter().map(|lease| alerts::lease_side(lease)));
            let (kind, detail) = if several {
                (
                    AlertKind::DuplicateIds,
                    "the leases of this PMS id are of several people, and none is the linked person's",
                )
            } else {
                (
                    AlertKind::IdentityChanged,
                    "the record of this PMS id has another first and last name and not the same email: nothing of it is written",
                )
            };
            self.causes.raise(kind, &group.id, sides, detail);
            let rule = if several { "R21" } else { "R21a" };
            for _ in &strange {
                let reason = "it is not the linked person's record";
                self.decide(&group.id, Fate::Held, rule, reason, Some(person.id));
            }
            return None;
        }
        // What is left out is nobody's that one could take in, or tell apart.
        let open: Vec<&Lease> = open
            .into_iter()
            .filter(|one| one.excluded.is_none())
            .collect();
        if !open.is_empty() {
            let theirs = own
                .first()
                .into_iter()
                .chain(&open)
                .map(|lease| alerts::lease_side(lease));
            sides.splice(0..0, theirs);
            let detail = "some leases of this PMS id are somebody else's than the linked person's: those are held";
            self.causes
                .raise(AlertKind::DuplicateIds, &group.id, sides, detail);
        }
        for lease in &strange {
            if let Some(reason) = &lease.excluded {
                self.exclude(&group.id, reason, Some(person.id));
                continue;
            }
            let (fate, reason) = if lease.is_over() {
                (
                    Fate::Ineligible,
                    "a lease of somebody else under this PMS id is over",
                )
            } else {
                (
                    Fate::Held,
                    "this lease is somebody else's than the linked person's",
                )
            };
            self.decide(&group.id, fate, "R21", reason, Some(person.id));
        }
        let own = own.into_iter().cloned().collect();
        Some(Cow::Owned(group.with(own)))
    }

    /// The leases that are the person's, and the others.
    fn split<'g>(
        &self,
        group: &'g Group,
        person: &Person,
        link: &Link,
    ) -> (Vec<&'g Lease>, Vec<&'g Lease>) {
        if link.by_hand || self.is_one_by_hand(&group.id) {
            return (group.leases().iter().collect(), Vec::new());
        }
        let (own, mut strange): (Vec<&Lease>, Vec<&Lease>) =
            group.leases().iter().partition(|lease| {
                let resident = &lease.normal.resident;
                !is_somebody_else(resident, person, link.email.as_deref())
            });
        let open: Vec<&Lease> = own.iter().filter(|one| !one.is_over()).copied().collect();
        if !are_several(&open) {
            return (own, strange);
        }
        // Each has something of the person. The whole name is who they are; without it, the email is; and else it is
        // nobody's to say.
        let theirs = |lease: &&&Lease| is_named(person, &lease.normal.resident);
        let emails = [person.email.as_deref(), link.email.as_deref()];
        let reached = |lease: &&&Lease| {
            let email = lease.normal.resident.email.as_deref();
            email.is_some() && emails.contains(&email)
        };
        let mut sure: Vec<&Lease> = open.iter().filter(theirs).copied().collect();
        if sure.is_empty() {
            sure = open.iter().filter(reached).copied().collect();
        }
        if sure.is_empty() || are_several(&sure) {
            strange.extend(own);
            return (Vec::new(), strange);
        }
        let (own, others): (Vec<&Lease>, Vec<&Lease>) = own.into_iter().partition(|lease| {
            let resident = &lease.normal.resident;
            let mut sure = sure.iter();
            !sure.any(|one| are_two(&one.normal.resident, resident))
        });
        strange.extend(others);
        (own, strange)
    }

    /// The lease that counts of those that are their person's. Where they are of several people, none does.
    pub(super) fn counts<'g>(&self, group: &'g Group) -> Result<Option<&'g Lease>, P::Error> {
        let Some(link) = self.inputs.links.get(&group.id) else {
            return Ok(group.lease().filter(|_| !self.are_of_two(group)));
        };
        let person = self.people.named_elsewhere(link.person)?;
        let (own, _) = self.split(group, &person, link);
        Ok(own.into_iter().min_by(|one, other| rank(one, other)))
    }

    /// Whether the leases of an id that is not linked are of several people (R21).
    fn are_of_two(&self, group: &Group) -> bool {
        are_several(&in_question(group)) && !self.is_one_by_hand(&group.id)
    }

    /// R21: whether the leases of an id that is not linked are of several people. Then all are held, and it is told.
    pub(super) fn is_of_two(&mut self, group: &Group) -> bool {
        if !self.are_of_two(group) {
            return false;
        }
        let leases = group.leases();
        let sides = in_question(group)
            .iter()
            .map(|lease| alerts::lease_side(lease))
            .collect();
        let detail = "the leases of this PMS id are of several people: nobody is taken in";
        self.causes
            .raise(AlertKind::DuplicateIds, &group.id, sides, detail);
        for lease in leases {
            if let Some(reason) = &lease.excluded {
                self.exclude(&group.id, reason, None);
            } else {
                let reason = "the leases of this PMS id are of several people";
                self.decide(&group.id, Fate::Held, "R21", reason, None);
            }
        }
        true
    }

    /// Whether somebody decided that all leases under an id are one human's.
    pub(super) fn is_one_by_hand(&self, id: &str) -> bool {
        let ruling = self.inputs.rulings.get(id);
        ruling.is_some_and(|ruling| ruling.together)
    }
}

/// The leases of an id that is not linked by which it is seen whether they are of several people.
fn in_question(group: &Group) -> Vec<&Lease> {
    let leases = group.leases().iter();
    leases
        .filter(|lease| lease.excluded.is_none() && !lease.is_over())
        .collect()
}

/// Whether any two of the leases are of two people.
fn are_several(leases: &[&Lease]) -> bool {
    leases.iter().enumerate().any(|(place, one)| {
        let mut later = leases.iter().skip(place + 1);
        later.any(|other| are_two(&one.normal.resident, &other.normal.resident))
    })
}
