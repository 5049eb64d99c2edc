//! What a run believes, held against the truth: a building of which the test knows who each row is really about, and on
//! which day who left. It knows no rule but the thresholds of the guard.
//!
//! `EPMS_CASES=5000 cargo test --release --lib truth` searches long.

mod building;
mod lies;
mod searching;
mod year;

use super::*;
use crate::model::GuardedKind;
use building::Building;
use lies::resident_of;

/// Remembers who the people of the store really are, and what was let through.
#[derive(Debug, Default)]
struct Watch {
    owners: BTreeMap<PersonId, usize>,
    /// When days began in which a feed said something that could be true, and is not.
    deceived: Vec<Timestamp>,
    /// The leases that a feed ever told of, in a run that was carried out.
    heard: BTreeSet<String>,
    /// When the feed named an id last.
    named: BTreeMap<String, Timestamp>,
}

/// Alerts which say that a record may be somebody else's.
const DOUBTS: [AlertKind; 2] = [AlertKind::IdentityChanged, AlertKind::DuplicateIds];

/// Alerts which say that a newcomer may be somebody who is linked.
const MATCHES: [AlertKind; 4] = [
    AlertKind::DuplicateAccounts,
    AlertKind::DuplicateEmails,
    AlertKind::NameMismatch,
    AlertKind::EmailMismatch,
];

impl Watch {
    /// Holds the store against the truth after a run. `truth` is what the feed should have said, `told` what it said.
    fn looks(
        &mut self,
        world: &World,
        building: &Building,
        (truth, told): (&[Item], &[Item]),
        seen: &Seen,
    ) -> Result<(), String> {
        let people = world.people();
        self.learns(building, &people, told, seen);
        let named = told.iter().map(|one| (one.id().to_owned(), world.now));
        self.named.extend(named);
        let (lies, true_ones): (Vec<&Item>, Vec<&Item>) = if truth == told {
            (Vec::new(), told.iter().collect())
        } else {
            told.iter().partition(|one| !truth.contains(one))
        };
        if seen.report.outcome.is_success() {
            let leases = true_ones
                .iter()
                .filter_map(|one| resident_of(one).lease_id.clone());
            self.heard.extend(leases);
        }
        if lies.iter().any(|one| deceives(building, resident_of(one))) {
            let is_new = |last: &Timestamp| world.now.duration_since(*last).as_hours() >= 24;
            if self.deceived.last().is_none_or(is_new) {
                self.deceived.push(world.now);
            }
        }
        let links = world.links();
        let mut wrong: Vec<String> = Vec::new();
        let is_true = lies.is_empty() && seen.report.outcome.is_success();
        // A human may be two people where name and email changed while an alert held both: then one of them lives here.
        let is_open = |person: &&Person| person.stays.values().any(|stay| !stay.is_closed());
        let open = people.iter().filter(is_open);
        let here: BTreeSet<usize> = open
            .filter_map(|one| self.owners.get(&one.id).copied())
            .collect();
        for person in &people {
            let Some(owner) = self.owners.get(&person.id).copied() else {
                return Err(format!("nobody knows who {person:?} is"));
            };
            let view = View {
                building,
                owner,
                person,
                links: links
                    .iter()
                    .filter(|(_, link)| link.person == person.id)
                    .collect(),
                seen,
                told,
            };
            view.has_own_email()?;
            view.is_not_kept(world.missing_after, truth, &self.named)?;
            let found = view.is_another().or_else(|| {
                view.is_closed_wrongly(&self.heard)
                    .filter(|_| !here.contains(&owner))
            });
            if let Some(found) = found {
                if is_true && view.is_seen() {
                    return Err(format!("the lie is over, and {found}"));
                }
                wrong.push(found);
            }
        }
        // So many as the guard lets through in a day, whatever is said of them.
        let allowed = people.len().div_ceil(10).max(5) * self.deceived.len();
        if wrong.len() > allowed {
            return Err(format!("{} and not {allowed}: {wrong:#?}", wrong.len()));
        }
        Ok(())
    }

    /// Whoever comes in is who has the email.
    fn learns(&mut self, building: &Building, people: &[Person], told: &[Item], seen: &Seen) {
        let created = seen
            .decisions
            .iter()
            .filter(|one| one.fate == Fate::Created);
        for decision in created {
            let of = |item: &&Item| item.id() == decision.subject;
            let person = people.iter().find(|one| Some(one.id) == decision.person);
            let email = person.and_then(|one| one.email.as_ref());
            // Of two records under one id, theirs is the one with the email.
            let mut said: Vec<&Resident> = told.iter().filter(of).map(resident_of).collect();
            said.sort_by_key(|one| one.email.as_ref() != email);
            let owner = said.into_iter().find_map(|one| building.owner(one));
            self.owners.insert(decision.person.unwrap(), owner.unwrap());
        }
    }
}

/// Whether a record that is not true says something of somebody who could be meant.
fn deceives(building: &Building, said: &Resident) -> bool {
    building.humans.iter().any(|human| {
        let has_email = human
            .emails
            .iter()
            .any(|one| said.email.as_ref() == Some(one));
        let is_named = human.first == said.first_name || human.lasts.contains(&said.last_name);
        has_email || is_named && human.ids.contains(&said.id)
    })
}

/// A person, and everything that is known of them.
struct View<'a> {
    building: &'a Building,
    owner: usize,
    person: &'a Person,
    links: Vec<(&'a String, &'a Link)>,
    seen: &'a Seen,
    told: &'a [Item],
}

impl View<'_> {
    fn stay(&self) -> &Stay {
        self.person.stays.values().next().unwrap()
    }

    fn human(&self) -> &building::Human {
        &self.building.humans[self.owner]
    }

    fn is_open(&self, kinds: &[AlertKind], about: impl Fn(&Alert) -> bool) -> bool {
        let mut alerts = self.seen.alerts.iter();
        alerts.any(|alert| kinds.contains(&alert.kind) && about(alert))
    }

    /// A plan is held that is about more than who comes.
    fn is_held(&self) -> bool {
        let comes = |item: &crate::model::Guarded| {
            let kinds = [GuardedKind::Arrival, GuardedKind::Newcomer];
            kinds.contains(&item.kind)
        };
        let held = self.seen.state.held.as_ref();
        let stops = held.is_some_and(|plan| !plan.items.iter().all(comes));
        stops || held.is_none() && !self.seen.report.outcome.is_success()
    }

    /// They have this name and email.
    fn is_named(&self, said: &Resident) -> bool {
        let one = self.person;
        one.email.is_some()
            && (&one.first_name, &one.last_name, &one.email)
                == (&said.first_name, &said.last_name, &said.email)
    }

    fn is_linked(&self, id: &str) -> bool {
        self.links.iter().any(|(linked, _)| *linked == id)
    }

    /// The email is what everything else goes by: whatever is let through, that is not.
    fn has_own_email(&self) -> Result<(), String> {
        let email = self.person.email.as_ref();
        if email.is_some_and(|email| !self.human().emails.contains(email)) {
            return Err(format!("{:?} has another human's email", self.person));
        }
        Ok(())
    }

    /// Somebody lives where another human does, or is tied to what is another's.
    fn is_another(&self) -> Option<String> {
        let (person, human, stay) = (self.person, self.human(), self.stay());
        if person.first_name != human.first && !human.lasts.contains(&person.last_name) {
            return Some(format!("{} has the name of another: {person:?}", person.id));
        }
        if human.units.is_empty() || stay.is_closed() {
            return None;
        }
        let mut units = stay.unit.iter().chain(&stay.more_units);
        let elsewhere = units.find(|unit| {
            let home = self.building.home(unit);
            home.is_none_or(|home| !human.units.contains(&home))
        });
        if let Some(unit) = elsewhere {
            return Some(format!(
                "{} lives at another's, {unit:?}: {person:?}",
                person.id
            ));
        }
        if stay
            .lease_start
            .is_some_and(|start| !human.starts.contains(&start))
        {
            return Some(format!("{} has another's lease: {person:?}", person.id));
        }
        let mut ids = self.links.iter().filter(|(_, link)| !link.superseded);
        let strange = ids.find(|(id, _)| !human.ids.contains(*id));
        strange.map(|(id, _)| format!("{} is tied to another's {id}", person.id))
    }

    /// The feed names them, nothing is left out of it, and no alert is open about it.
    fn is_seen(&self) -> bool {
        let here = |item: &Item| matches!(item, Item::Here(one) if self.is_linked(&one.id));
        let is_told = self.seen.alerts.iter().any(|alert| {
            let mut sides = alert.sides.iter();
            sides.any(|side| side.person == Some(self.person.id))
        });
        self.told.iter().any(here) && !self.stay().excluded && !is_told
    }

    /// Somebody is closed who lives here, as the feed once said, and nothing tells that another record may be theirs.
    fn is_closed_wrongly(&self, heard: &BTreeSet<String>) -> Option<String> {
        if !self.stay().is_closed() {
            return None;
        }
        // What is another id of theirs for nobody, and is not named now, tells nothing.
        let tells = |id: &str| self.is_linked(id) || self.told.iter().any(|one| one.id() == id);
        let mut open = self
            .building
            .open_rows(self.owner)
            .map(|row| &self.building.rows[row]);
        let lives = open.any(|row| {
            let lease = row.resident.lease_id.as_ref();
            lease.is_some_and(|lease| heard.contains(lease)) && tells(&row.resident.id)
        });
        if !lives {
            return None;
        }
        // Who came back with another email waits until somebody has looked at it (R19).
        if self.is_open(&[AlertKind::EmailMismatch], |alert| {
            self.is_linked(&alert.subject)
        }) {
            return None;
        }
        let ids = &self.human().ids;
        let is_told = self.is_open(&MATCHES, |alert| {
            let mut residents = alert.sides.iter().filter_map(|side| side.resident.as_ref());
            residents.any(|id| ids.contains(id) && !self.is_linked(id))
        });
        (!is_told).then(|| {
            format!(
                "{} is closed, and lives here: {:?}",
                self.person.id, self.links
            )
        })
    }

    /// Nobody is kept of whom the feed says that they left, but who has an alert that says so.
    fn is_not_kept(
        &self,
        missing_after: u32,
        truth: &[Item],
        named: &BTreeMap<String, Timestamp>,
    ) -> Result<(), String> {
        let human = self.human();
        if self.stay().is_closed() || self.building.lives(self.owner) {
            return Ok(());
        }
        let is_theirs = |item: &&Item| {
            let resident = resident_of(item);
            let mut emails = human.emails.iter();
            human.ids.contains(&resident.id)
                || emails.any(|one| resident.email.as_ref() == Some(one))
        };
        let told: Vec<&Item> = self.told.iter().filter(is_theirs).collect();
        let says_so = |item: &&Item| {
            truth.contains(item)
                && resident_of(item).status.is_closed()
                && (self.is_linked(item.id()) || self.is_named(resident_of(item)))
        };
        if told.is_empty() || !told.iter().all(says_so) {
            return Ok(());
        }
        let is_doubted = self.is_open(&DOUBTS, |alert| {
            let mut sides = alert.sides.iter();
            self.is_linked(&alert.subject) || sides.any(|side| side.person == Some(self.person.id))
        });
        // An id in whose place they have another one now keeps nobody (R22).
        let is_replaced = |id: &str, link: &Link| {
            self.links.iter().any(|(other, new)| {
                told.iter().any(|item| item.id() == *other)
                    && new.since > named[id]
                    && new.lease_start >= link.lease_start
            })
        };
        let waits = self.links.iter().any(|(id, link)| {
            let is_absent = !told.iter().any(|item| item.id() == *id);
            let is_missing =
                || self.is_open(&[AlertKind::MissingFromFeed], |one| one.subject == **id);
            !link.status.is_closed()
                && is_absent
                && (link.misses < missing_after || is_missing())
                && !is_replaced(id, link)
        });
        if is_doubted || waits || self.is_held() {
            return Ok(());
        }
        Err(format!(
            "{:?} has left, and is kept: {:?} by {told:?}",
            self.person, self.links
        ))
    }
}
