//! Everybody at three moments: before the window, before the plan, after it. It is taken only where a plan could be
//! too much, as it reads everybody who is linked.

use std::collections::{BTreeMap, BTreeSet};

use crate::model::{
    Dwelling, GuardedKind, IntegrationId, LeaseStatus, Passed, Person, PersonId, Unit,
};

use super::super::People;
use super::super::plan::Plan;
use super::parts::Found;
use super::renaming::Renaming;
use super::ties::{Moment, Planned, Tie, Ties, dwellings, is_linked, is_open};
use super::window::Window;
use super::{Facts, mark};

/// A unit by its PMS property and its id there.
pub(super) type Key = (String, String);

pub(super) fn key(dwelling: &Dwelling) -> Key {
    (dwelling.property.clone(), dwelling.id.clone())
}

/// A person who is linked.
#[derive(Debug)]
pub(super) struct One {
    /// The PMS properties of their residents.
    pub(super) properties: BTreeSet<String>,
    /// The PMS ids of their residents, after the plan.
    pub(super) residents: Vec<String>,
    pub(super) name: String,
    pub(super) last_name: String,
    /// Linked, and not over, before the window.
    pub(super) was_linked: bool,
    /// Current before the window.
    pub(super) was_current: bool,
    /// Where they lived before the window.
    pub(super) was_in: Vec<Dwelling>,
    /// The same; of somebody who came within the window, where they lived first.
    pub(super) lived_in: Vec<Dwelling>,
    /// Linked, and not over, before the plan.
    pub(super) before_linked: bool,
    /// Where they lived before the plan.
    pub(super) before_in: Vec<Dwelling>,
    /// Linked, and not over, after the plan.
    pub(super) is_linked: bool,
    /// Where they live after the plan.
    pub(super) is_in: Vec<Dwelling>,
    /// Made by a run within the window, and by no first reading.
    pub(super) is_newcomer: bool,
    /// Past, and current again, within the window.
    pub(super) is_back: bool,
    /// The feed does not name them.
    pub(super) is_absent: bool,
    /// What the feed says of where they live is not written.
    pub(super) keeps_unit: bool,
    /// The feed named them in the last successful run, and does not name them any more.
    pub(super) is_newly_absent: bool,
}

/// Everybody who is linked, or would be.
#[derive(Debug)]
pub(super) struct Census {
    pub(super) people: BTreeMap<PersonId, One>,
    /// Units that have another id or another name.
    pub(super) renaming: Renaming,
    /// Who has a phone, by its hash: of the phones that somebody gets within the window.
    phones: BTreeMap<String, BTreeSet<PersonId>>,
    /// The PMS properties that are judged each for itself; none where there is one alone.
    pub(super) properties: BTreeSet<String>,
}

impl Census {
    pub(super) fn take<P: People>(
        plan: &Plan,
        facts: &Facts<'_, P>,
        window: &Window<'_>,
        found: &Found,
    ) -> Result<Census, P::Error> {
        let links = (facts.all_links)()?;
        let written = Planned::of(&plan.links);
        let ties = Ties::new(links.iter(), &written);
        let planned = plan.places()?;
        let mut earlier: BTreeMap<PersonId, Vec<&Passed>> = BTreeMap::new();
        for passed in &window.passed {
            if let Ok(person) = passed.subject.parse() {
                earlier.entry(person).or_default().push(passed);
            }
        }
        let returning: BTreeSet<PersonId> = found
            .arrivals
            .iter()
            .filter(|one| !one.is_new)
            .map(|one| one.person)
            .collect();
        let mut phones = wanted_phones(window, found);
        let mut people = BTreeMap::new();
        for (id, ties) in ties.all()? {
            let stored = facts.people.person(*id)?;
            if let Some(phone) = stored.as_ref().and_then(|one| one.phone.as_deref())
                && !phones.is_empty()
                && let Some(holders) = phones.get_mut(&mark(&[phone]))
            {
                holders.insert(*id);
            }
            let planned = planned.get(id);
            let planned = planned.map(|place| plan.people.get(*place)).transpose()?;
            let passed = earlier.get(id).map_or(&[][..], Vec::as_slice);
            let person = Seen {
                id: *id,
                ties,
                passed,
                stored: stored.as_ref(),
                planned: planned.as_ref(),
                returns: returning.contains(id),
            };
            people.extend(person.counted(facts, window, found).map(|one| (*id, one)));
        }
        for loss in &found.losses {
            note_phone(&mut phones, loss.phones.as_ref(), loss.person);
        }
        for (person, all) in &earlier {
            for passed in all {
                note_phone(&mut phones, passed.phones.as_ref(), *person);
            }
        }
        let of = |one: &One| one.properties.clone();
        let mut properties: BTreeSet<String> = people.values().flat_map(of).collect();
        if properties.len() == 1 && people.values().all(|one| !one.properties.is_empty()) {
            properties.clear();
        }
        Ok(Census {
            renaming: Renaming::of(&people),
            people,
            phones,
            properties,
        })
    }

    /// Those of a PMS property, or everybody.
    pub(super) fn of<'a>(
        &'a self,
        property: Option<&'a str>,
    ) -> impl Iterator<Item = (PersonId, &'a One)> {
        self.people
            .iter()
            .filter(move |(_, one)| one.is_of(property))
            .map(|(id, one)| (*id, one))
    }

    /// Everywhere, and then each PMS property for itself.
    pub(super) fn scopes(&self) -> impl Iterator<Item = Option<&str>> {
        std::iter::once(None).chain(self.properties.iter().map(|one| Some(one.as_str())))
    }

    /// Whether somebody lives elsewhere than before the window, and it was no renaming.
    pub(super) fn has_moved(&self, person: PersonId) -> bool {
        let one = self.people.get(&person);
        one.is_some_and(|one| self.renaming.moved(one))
    }

    /// Whether a phone is, or was within the window, that of another linked person.
    pub(super) fn is_anothers(&self, person: PersonId, phones: &[String; 2]) -> bool {
        let holders = self.phones.get(&phones[1]);
        holders.is_some_and(|holders| holders.iter().any(|holder| *holder != person))
    }
}

impl One {
    pub(super) fn is_of(&self, property: Option<&str>) -> bool {
        property.is_none_or(|property| self.properties.contains(property))
    }
}

/// The phones that somebody got within the window, or gets now, by their hashes.
fn wanted_phones(window: &Window<'_>, found: &Found) -> BTreeMap<String, BTreeSet<PersonId>> {
    let now = found.losses.iter().filter_map(|loss| loss.phones.as_ref());
    let before = window.passed.iter().filter_map(|one| one.phones.as_ref());
    let wanted = now.chain(before).map(|phones| phones[1].clone());
    wanted.map(|phone| (phone, BTreeSet::new())).collect()
}

/// Who changes their phone had another one before.
fn note_phone(
    phones: &mut BTreeMap<String, BTreeSet<PersonId>>,
    changed: Option<&[String; 2]>,
    person: PersonId,
) {
    if let Some([old, _]) = changed
        && let Some(holders) = phones.get_mut(old)
    {
        holders.insert(person);
    }
}

/// What is known of a person before they are counted.
struct Seen<'a> {
    id: PersonId,
    ties: &'a [Tie<'a>],
    passed: &'a [&'a Passed],
    stored: Option<&'a Person>,
    planned: Option<&'a Person>,
    /// Past, and current again by the plan.
    returns: bool,
}

impl Seen<'_> {
    /// Whether somebody keeps the unit that is known, whatever the feed says: they rest (R8), are pinned, wait for their
    /// email (R19), or have a unit that somebody locked. Of the last two the link knows what the feed said.
    fn keeps_unit(&self, after: &Person, integration: &IntegrationId) -> bool {
        let Some(stay) = after.stay(integration) else {
            return false;
        };
        let mut named = self.ties.iter().filter_map(|tie| {
            let link = tie.after.filter(|link| is_open(link) && link.misses == 0)?;
            link.unit.as_ref()
        });
        let is_known = |unit: &Unit| {
            stay.unit
                .iter()
                .chain(&stay.more_units)
                .any(|one| one == unit)
        };
        after.pinned || stay.excluded || named.any(|unit| !is_known(unit))
    }

    fn counted<P: People>(
        &self,
        facts: &Facts<'_, P>,
        window: &Window<'_>,
        found: &Found,
    ) -> Option<One> {
        let after = self.planned.or(self.stored)?;
        let at = |moment: Moment| self.ties.iter().filter_map(move |tie| tie.at(moment));
        let all = || at(Moment::Before).chain(at(Moment::After));
        let since = all().map(|link| link.since).min()?;
        let admitted = window.admits(since, all().map(|link| link.property.as_deref()));
        let was_there = !window.has(since) || admitted.is_some_and(|one| one.first);
        let lives =
            |person: &Person, moment| dwellings(person, facts.integration, self.ties, moment);
        let before_in = self.stored.map(|one| lives(one, Moment::Before));
        let before_in = before_in.unwrap_or_default();
        let before_linked = is_linked(self.ties, Moment::Before);
        let is_current = |person: &Person| {
            let stay = person.stay(facts.integration);
            stay.is_some_and(|stay| stay.status == LeaseStatus::Current)
        };
        let first = self.passed.first();
        let came_or_went = self.passed.iter().map(|one| one.kind).find(|kind| {
            matches!(
                kind,
                GuardedKind::Closing | GuardedKind::Unlink | GuardedKind::Arrival
            )
        });
        let was_linked = was_there
            && match came_or_went {
                Some(GuardedKind::Arrival) => false,
                Some(_) => true,
                None if window.has(since) && !before_linked => is_linked(self.ties, Moment::After),
                None => before_linked,
            };
        let (was_in, was_current) = match first.filter(|_| was_linked) {
            Some(first) => (first.units.clone(), !first.units.is_empty()),
            None if !was_linked => (Vec::new(), false),
            // By a first reading, which this is.
            None if self.stored.is_none() => (lives(after, Moment::After), is_current(after)),
            None => (before_in.clone(), self.stored.is_some_and(is_current)),
        };
        let lived_in = if was_linked {
            was_in.clone()
        } else {
            let came = |one: &&Passed| one.kind == GuardedKind::Arrival;
            let since = self.passed.iter().rposition(came).unwrap_or(0);
            let mut moved = self.passed.iter().skip(since).map(|one| &one.units);
            let first = moved.find(|units| !units.is_empty());
            first.unwrap_or(&before_in).clone()
        };
        let mut open = at(Moment::After).filter(|link| is_open(link)).peekable();
        let is_absent = open.peek().is_some() && open.all(|link| link.misses > 0);
        let is_newly_absent = found.absent.contains(&self.id);
        Some(One {
            properties: all().filter_map(|link| link.property.clone()).collect(),
            residents: self
                .ties
                .iter()
                .map(|tie| tie.resident.to_owned())
                .collect(),
            name: super::parts::name(after),
            last_name: after.last_name.clone(),
            was_linked,
            was_current,
            was_in,
            lived_in,
            before_linked,
            before_in,
            is_linked: is_linked(self.ties, Moment::After),
            is_in: lives(after, Moment::After),
            is_newcomer: window.has(since) && admitted.is_none() && after.created == since,
            is_back: self.returns || came_or_went == Some(GuardedKind::Arrival),
            is_absent: is_absent || is_newly_absent,
            keeps_unit: self.keeps_unit(after, facts.integration),
            is_newly_absent,
        })
    }
}
