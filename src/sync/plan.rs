//! What a run would write: the decisions of `user-sync` §3–§6 over everything that was read. Pure but for
//! questions to the people of the store; the same inputs give the same plan.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use crate::config::EmailChange;
use crate::model::{
    Actor, Alert, AlertKind, Change, ChangeKind, Counts, Decision, Fate, FieldChange,
    IntegrationId, LeaseStatus, Link, Origin, Person, PersonId, Resident, RunId, Unit,
};
use crate::store::StoreError;

use super::alerts::{AlertWrites, Causes, Judged};
use super::entry::{Entry, Group, Lease, group, rank};
use super::matching::{Match, People, match_resident};
use super::normal::same;
use super::update::{Ask, differences, update};

/// What a plan is made of, besides the people.
#[derive(Debug)]
pub struct Inputs<'a> {
    /// The integration.
    pub integration: &'a IntegrationId,
    /// The run.
    pub run: RunId,
    /// When the run commits.
    pub now: Timestamp,
    /// What an email that changed in the PMS holds back.
    pub email_change: EmailChange,
    /// After how many misses an alert is raised.
    pub missing_after: u32,
    /// What mapping made of the records, in their order.
    pub entries: Vec<Entry>,
    /// PMS units that the mapping list does not know (R35), and what to do about each.
    pub unmapped: BTreeMap<String, String>,
    /// The links of the integration.
    pub links: BTreeMap<String, Link>,
    /// The alerts of the integration.
    pub alerts: BTreeMap<(AlertKind, String), Alert>,
}

/// What a run would write.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Plan {
    /// People, new and changed.
    pub people: Vec<Person>,
    /// Links, new and changed, by the resident's PMS id.
    pub links: Vec<(String, Link)>,
    /// Alerts raised, refreshed and closed.
    pub alerts: AlertWrites,
    /// The change log; sequence numbers come with the commit.
    pub changes: Vec<Change>,
    /// A decision for every resident, and for every record that made none.
    pub decisions: Vec<Decision>,
    /// What became of them. Its `seen` is 0: that is counted where records are read.
    pub counts: Counts,
    /// What was excluded, by reason.
    pub excluded_by: BTreeMap<String, u64>,
}

/// What was decided about a group, before people are written.
enum Attach {
    /// It belongs to this person, and did before.
    Linked(PersonId),
    /// It belongs to this person from now on.
    Link(Box<Person>),
    /// It becomes a person.
    Create,
    /// Nothing is written for it.
    Not,
}

struct Planner<'a, P> {
    inputs: &'a Inputs<'a>,
    people: &'a P,
    plan: Plan,
    causes: Causes,
    new_links: BTreeMap<String, Link>,
    /// Emails that nobody is given in this run any more.
    taken: BTreeSet<String>,
    /// Residents whose record was rejected, or of whom not everything is known.
    unjudged: BTreeSet<String>,
}

/// Plans a run.
pub fn plan(mut inputs: Inputs<'_>, people: &impl People) -> Result<Plan, StoreError> {
    let mut leases = Vec::new();
    let mut failed = Vec::new();
    for entry in std::mem::take(&mut inputs.entries) {
        match entry {
            Entry::Resident { normal, excluded } => leases.push(Lease { normal, excluded }),
            other => failed.push(other),
        }
    }
    let (mut unjudged, mut unread) = (BTreeSet::new(), false);
    for entry in &failed {
        if let Entry::Rejected { resident, .. } = entry {
            unread |= resident.is_none();
            unjudged.extend(resident.clone());
        }
    }
    let rejected = unread || !unjudged.is_empty();
    let groups = group(leases);
    let alerts = std::mem::take(&mut inputs.alerts);
    let mut planner = Planner {
        inputs: &inputs,
        people,
        plan: Plan::default(),
        causes: Causes::default(),
        new_links: BTreeMap::new(),
        taken: BTreeSet::new(),
        unjudged: unjudged.clone(),
    };
    for entry in failed {
        planner.failed(entry);
    }
    for (unit, detail) in &inputs.unmapped {
        planner
            .causes
            .raise(AlertKind::UnmappedUnit, unit, Vec::new(), detail);
    }
    let duplicates = planner.duplicate_emails(&groups)?;
    let mut homes: BTreeMap<PersonId, Vec<(&Group, Option<Person>)>> = BTreeMap::new();
    for group in &groups {
        match planner.attach(group, &duplicates)? {
            Attach::Linked(person) => homes.entry(person).or_default().push((group, None)),
            Attach::Link(person) => homes
                .entry(person.id)
                .or_default()
                .push((group, Some(*person))),
            Attach::Create => planner.create(group)?,
            Attach::Not => {}
        }
    }
    for (person, groups) in homes {
        planner.update(person, groups)?;
    }
    let seen: BTreeSet<&str> = groups.iter().map(|group| group.id.as_str()).collect();
    planner.missing(&seen, &unjudged, unread)?;
    let judged = Judged {
        seen: &seen,
        unjudged: &planner.unjudged,
        unread,
        rejected,
    };
    let mut plan = planner.plan;
    plan.links = planner.new_links.into_iter().collect();
    plan.alerts = planner.causes.settle(alerts, &inputs, &judged);
    Ok(plan)
}

impl<P: People> Planner<'_, P> {
    fn decide(
        &mut self,
        subject: &str,
        fate: Fate,
        rule: &str,
        reason: impl Into<String>,
        person: Option<PersonId>,
    ) {
        self.plan.counts.add(fate);
        self.plan.decisions.push(Decision {
            subject: subject.to_owned(),
            fate,
            rule: rule.to_owned(),
            reason: reason.into(),
            person,
        });
    }

    fn exclude(&mut self, subject: &str, reason: &str, person: Option<PersonId>) {
        *self.plan.excluded_by.entry(reason.to_owned()).or_default() += 1;
        self.decide(subject, Fate::Excluded, "R6", reason, person);
    }

    fn change(
        &mut self,
        person: PersonId,
        resident: &str,
        kind: ChangeKind,
        rule: &str,
        fields: Vec<FieldChange>,
    ) {
        self.plan.changes.push(Change {
            seq: 0,
            at: self.inputs.now,
            person,
            kind,
            integration: Some(self.inputs.integration.clone()),
            resident: Some(resident.to_owned()),
            run: Some(self.inputs.run),
            rule: rule.to_owned(),
            fields,
            actor: Actor::Sync,
        });
    }

    fn failed(&mut self, entry: Entry) {
        match entry {
            Entry::Rejected {
                record, message, ..
            } => {
                self.causes
                    .raise(AlertKind::MappingFailed, &record, Vec::new(), &message);
                self.decide(&record, Fate::Rejected, "R12", message, None);
            }
            Entry::Nobody { record } => {
                self.decide(
                    &record,
                    Fate::Ineligible,
                    "",
                    "the script made no resident of it",
                    None,
                );
            }
            Entry::Resident { .. } => {}
        }
    }

    /// The groups that are held because others have the same email (R16), by position.
    fn duplicate_emails(&mut self, groups: &[Group]) -> Result<BTreeSet<String>, StoreError> {
        let mut by_email: BTreeMap<&str, Vec<&Group>> = BTreeMap::new();
        for group in groups {
            let Some(lease) = group.lease().filter(|lease| lease.excluded.is_none()) else {
                continue;
            };
            let resident = &lease.normal.resident;
            let Some(email) = resident.email.as_deref() else {
                continue;
            };
            let counts = match self.inputs.links.get(&group.id) {
                Some(_) => !resident.status.is_closed(),
                None => resident.status.may_come_in(),
            };
            if counts {
                by_email.entry(email).or_default().push(group);
            }
        }
        let mut held = BTreeSet::new();
        for (email, sharing) in by_email {
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
            self.taken.insert(email.to_owned());
            let subject = format!("email:{}", &blake3::hash(email.as_bytes()).to_hex()[..16]);
            let sides = sharing
                .iter()
                .filter_map(|group| group.resident())
                .map(super::alerts::resident_side)
                .collect();
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
    fn is_one_human(
        &self,
        people: &BTreeSet<PersonId>,
        new: &[&Group],
    ) -> Result<bool, StoreError> {
        let (Some(person), 1, [new]) = (people.first(), people.len(), new) else {
            return Ok(false);
        };
        let (Some(person), Some(resident)) = (self.people.person(*person)?, new.resident()) else {
            return Ok(false);
        };
        Ok(person.email == resident.email
            && same(&person.first_name, &resident.first_name)
            && same(&person.last_name, &resident.last_name))
    }

    /// Decides where a group belongs, and tells at once where nothing is written for it.
    fn attach(
        &mut self,
        group: &Group,
        duplicates: &BTreeSet<String>,
    ) -> Result<Attach, StoreError> {
        if let Some(link) = self.inputs.links.get(&group.id) {
            return Ok(Attach::Linked(link.person));
        }
        let Some(Lease { normal, excluded }) = group.lease() else {
            return Ok(Attach::Not);
        };
        let resident = &normal.resident;
        if let Some(reason) = excluded {
            let reason = reason.clone();
            self.exclude(&group.id, &reason, None);
        } else if resident.status == LeaseStatus::Unknown {
            self.unknown_status(resident);
            self.decide(
                &group.id,
                Fate::Ineligible,
                "R7",
                "its status is not known to the mapping",
                None,
            );
        } else if !resident.status.may_come_in() {
            self.decide(
                &group.id,
                Fate::Ineligible,
                "R7",
                format!("{} does not come in new", resident.status),
                None,
            );
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
                match match_resident(resident, email, self.people)? {
                    Match::Create => return Ok(Attach::Create),
                    Match::Link(person) => return Ok(Attach::Link(person)),
                    Match::Flag {
                        kind,
                        rule,
                        people,
                        detail,
                    } => {
                        let person = people.first().map(|person| person.id);
                        let mut sides = vec![super::alerts::resident_side(resident)];
                        sides.extend(people.iter().map(|person| {
                            super::alerts::person_side(person, self.inputs.integration)
                        }));
                        self.causes.raise(kind, &group.id, sides, &detail);
                        self.decide(&group.id, Fate::Flagged, rule, detail, person);
                    }
                }
            }
        } else {
            let sides = vec![super::alerts::resident_side(resident)];
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

    /// The leases of a group that do not count (R21).
    fn others(&mut self, group: &Group, person: Option<PersonId>) {
        for lease in group.others() {
            if lease.excluded.is_none() && lease.normal.resident.status == LeaseStatus::Unknown {
                self.unknown_status(&lease.normal.resident);
            }
            match &lease.excluded {
                Some(reason) => self.exclude(&group.id, reason, person),
                None => {
                    self.decide(
                        &group.id,
                        Fate::Ineligible,
                        "R21",
                        "another lease of this person counts",
                        person,
                    );
                }
            }
        }
    }

    fn unknown_status(&mut self, resident: &Resident) {
        let detail = format!(
            "the mapping does not know the status word `{}`; add it to the script",
            resident.status_word
        );
        self.causes.raise(
            AlertKind::UnknownStatus,
            &resident.status_word,
            Vec::new(),
            &detail,
        );
    }

    /// R17: a person from the PMS.
    fn create(&mut self, group: &Group) -> Result<(), StoreError> {
        let Some(normal) = group.stay() else {
            return Ok(());
        };
        let resident = &normal.resident;
        let nobody = Person {
            id: self.people.new_person_id()?,
            first_name: String::new(),
            last_name: String::new(),
            email: None,
            phone: None,
            stays: BTreeMap::new(),
            locks: BTreeSet::new(),
            origin: Origin::Sync,
            created: self.inputs.now,
        };
        let ask = self.ask(group, &normal, None, true);
        let made = update(&nobody, &ask);
        self.multiple(group);
        self.taken.extend(made.person.email.clone());
        self.link(group, resident, made.person.id, resident.email.clone());
        self.change(
            made.person.id,
            &group.id,
            ChangeKind::Created,
            "R17",
            made.fields,
        );
        self.decide(&group.id, Fate::Created, "R17", "", Some(made.person.id));
        self.others(group, Some(made.person.id));
        self.plan.people.push(made.person);
        Ok(())
    }

    fn ask<'b>(
        &'b self,
        group: &Group,
        normal: &'b super::normal::Normal,
        link: Option<&'b Link>,
        email_is_free: bool,
    ) -> Ask<'b> {
        Ask {
            integration: self.inputs.integration,
            normal,
            more_units: group.more_units(),
            link,
            email_change: self.inputs.email_change,
            email_is_free,
        }
    }

    fn multiple(&mut self, group: &Group) {
        let units = group.more_units().len() + 1;
        if units > 1 {
            let sides = group
                .lease()
                .into_iter()
                .chain(group.others())
                .map(|lease| super::alerts::resident_side(&lease.normal.resident))
                .collect();
            let detail = format!("{units} units at the same time; all are kept");
            self.causes
                .raise(AlertKind::MultipleCurrentLeases, &group.id, sides, &detail);
        }
    }

    /// Writes the link of a group where it is new or changed.
    fn link(
        &mut self,
        group: &Group,
        resident: &Resident,
        person: PersonId,
        email: Option<String>,
    ) {
        let old = self.inputs.links.get(&group.id);
        let status = match (resident.status, old) {
            (LeaseStatus::Unknown, Some(old)) => old.status,
            (status, _) => status,
        };
        let link = Link {
            person,
            since: old.map_or(self.inputs.now, |old| old.since),
            status,
            email,
            misses: 0,
        };
        if old != Some(&link) {
            self.new_links.insert(group.id.clone(), link);
        }
    }

    /// Writes the link of a group whose lease does not count. The email that is known stays: another one must
    /// still be seen as a change when the lease counts (R19).
    fn link_only(&mut self, group: &Group, resident: &Resident, person: PersonId) {
        let email = match self.inputs.links.get(&group.id) {
            Some(old) => old.email.clone(),
            None => resident.email.clone(),
        };
        self.link(group, resident, person, email);
    }

    /// Updates a person from all residents that are tied to them here: the one that counts decides (R21, R22).
    fn update(
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
        let Some((chosen, _)) = groups.first() else {
            return Ok(());
        };
        let Some(lease) = chosen.lease() else {
            return Ok(());
        };
        let is_new = newly.contains(chosen.id.as_str());
        if let Some(reason) = &lease.excluded {
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
        self.inputs
            .links
            .iter()
            .filter(|(id, link)| {
                link.person == person && !groups.iter().any(|(group, _)| group.id == **id)
            })
            .map(|(_, link)| link.status)
            .filter(|status| *status < seen.status && seen.status != LeaseStatus::Unknown)
            .min()
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
            self.new_links.insert(
                group.id.clone(),
                Link {
                    misses: 0,
                    ..link.clone()
                },
            );
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
        let ask = self.ask(group, &normal, link, is_free);
        let update = update(&before, &ask);
        self.multiple(group);
        if resident.status == LeaseStatus::Unknown {
            self.unknown_status(resident);
        }
        let sides = || {
            vec![
                super::alerts::resident_side(resident),
                super::alerts::person_side(&before, self.inputs.integration),
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
                        .map(|other| super::alerts::person_side(other, self.inputs.integration)),
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
        let email = match (update.held, &resident.email, link) {
            (true, _, Some(link)) | (false, None, Some(link)) => link.email.clone(),
            _ => resident.email.clone(),
        };
        self.link(group, resident, before.id, email);
        let changed = !update.fields.is_empty();
        let (rule, kind, fate) = if is_new {
            // A person who was linked here before, under another PMS id, comes back or moved (R22).
            let returns = self
                .inputs
                .links
                .values()
                .any(|link| link.person == before.id);
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

    /// Whether this run names the person of a link under another id, with a lease that counts as much.
    fn is_named_otherwise(&self, resident: &str, link: &Link, seen: &BTreeSet<&str>) -> bool {
        self.inputs
            .links
            .keys()
            .chain(self.new_links.keys())
            .any(|other| {
                let same = self
                    .new_links
                    .get(other)
                    .or_else(|| self.inputs.links.get(other));
                other != resident
                    && seen.contains(other.as_str())
                    && same.is_some_and(|same| {
                        same.person == link.person
                            && !same.status.is_closed()
                            && same.status <= link.status
                    })
            })
    }

    /// R25: counts misses of linked residents that a complete reading did not name.
    fn missing(
        &mut self,
        seen: &BTreeSet<&str>,
        rejected: &BTreeSet<String>,
        unread: bool,
    ) -> Result<(), StoreError> {
        for (resident, link) in &self.inputs.links {
            if seen.contains(resident.as_str()) || link.status.is_closed() {
                continue;
            }
            let misses = if rejected.contains(resident) {
                0
            } else if unread {
                // What could not be read may have been theirs.
                link.misses
            } else {
                link.misses.saturating_add(1)
            };
            // Beyond the alert there is nothing to count.
            if misses < link.misses
                || (misses > link.misses && link.misses <= self.inputs.missing_after)
            {
                self.new_links.insert(
                    resident.clone(),
                    Link {
                        misses,
                        ..link.clone()
                    },
                );
            }
            if misses >= self.inputs.missing_after && self.is_named_otherwise(resident, link, seen)
            {
                // The PMS gave the person another id, as when a roommate is promoted: this one is out of date,
                // and must not keep the stay open when the other ends.
                let over = LeaseStatus::Past;
                let out_of_date = Link {
                    status: over,
                    misses: 0,
                    ..link.clone()
                };
                self.new_links.insert(resident.clone(), out_of_date);
                continue;
            }
            if misses >= self.inputs.missing_after
                && let Some(person) = self.people.person(link.person)?
            {
                let sides = vec![super::alerts::person_side(&person, self.inputs.integration)];
                let detail = format!(
                    "not in the feed for {} complete runs or more; nothing else has changed",
                    self.inputs.missing_after
                );
                self.causes
                    .raise(AlertKind::MissingFromFeed, resident, sides, &detail);
            }
        }
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
