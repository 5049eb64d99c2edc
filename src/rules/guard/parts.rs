//! The parts of a plan that the guard looks at: what each person would lose, who arrives, who is newly absent. It
//! counts nothing against a limit.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;

use crate::model::{
    Decision, Dwelling, Fate, Guarded, GuardedKind, LeaseStatus, Link, Person, PersonId,
    SpoolError, Stay, Unit,
};

use super::super::People;
use super::super::normal::same;
use super::super::plan::Plan;
use super::ties::{Moment, Planned, Tie, Ties, dwellings, is_linked, is_open};
use super::window::Window;
use super::{Facts, mark};

/// A lease end that is so many days ahead may go without a word: month to month.
const MONTH_TO_MONTH: i64 = 31;

/// Something that a person loses.
#[derive(Debug)]
pub(super) struct Loss {
    pub(super) person: PersonId,
    pub(super) item: Guarded,
    /// Where the person lived before.
    pub(super) lived_in: Vec<Dwelling>,
    /// Hashes of the phones before and after, where the phone changes.
    pub(super) phones: Option<[String; 2]>,
    /// It counts whatever others do: no renaming, no notice, no new number.
    pub(super) is_sure: bool,
}

/// Somebody who comes: somebody new, or somebody past who is current again.
#[derive(Debug)]
pub(super) struct Arrival {
    pub(super) person: PersonId,
    pub(super) item: Guarded,
    pub(super) is_new: bool,
    /// Where the person lives, if current.
    pub(super) lives_in: Vec<Dwelling>,
}

/// What the guard looks at.
#[derive(Debug, Default)]
pub(super) struct Found {
    pub(super) losses: Vec<Loss>,
    /// Those who come, but for whom a first reading brings.
    pub(super) arrivals: Vec<Arrival>,
    /// Linked people who were named by the last successful run and are not named by this one. Only looked for where
    /// somebody arrives.
    pub(super) absent: BTreeSet<PersonId>,
    /// What is told in the report and holds nothing.
    pub(super) notes: BTreeMap<String, u64>,
}

impl Found {
    /// How many are new, and into how many units somebody comes.
    pub(super) fn came(&self) -> (usize, usize) {
        let new = self.arrivals.iter().filter(|one| one.is_new).count();
        let homes = self.arrivals.iter().flat_map(|one| &one.lives_in);
        let units: BTreeSet<_> = homes.map(|one| (&one.property, &one.id)).collect();
        (new, units.len())
    }
}

pub(super) fn find<P: People>(
    plan: &Plan,
    facts: &Facts<'_, P>,
    window: &Window<'_>,
) -> Result<Found, P::Error> {
    let planned = Planned::of(&plan.links);
    let ties = Ties::new(facts.links.iter(), &planned);
    let mut found = Found::default();
    let mut swaps = Swaps::default();
    for after in &plan.people {
        let after = &after?;
        let Some(before) = facts.people.person(after.id)? else {
            if !window.is_first_of_all() {
                found
                    .arrivals
                    .extend(newcomer(after, facts, &ties, window)?);
            }
            continue;
        };
        let ties = ties.of(after.id)?;
        let lived_in = dwellings(&before, facts.integration, ties, Moment::Before);
        let lives_in = dwellings(after, facts.integration, ties, Moment::After);
        found.arrivals.extend(returned(
            &before, after, facts, ties, &lived_in, &lives_in, window,
        ));
        swaps.note(&before, after, &lived_in, &lives_in);
        let pair = Pair {
            before: &before,
            after,
            was: before.stay(facts.integration),
            is: after.stay(facts.integration),
            lived_in: &lived_in,
            lives_in: &lives_in,
        };
        pair.losses(facts.today, &mut found.losses);
    }
    unlinked(plan, facts, &ties, &mut found)?;
    if !found.arrivals.is_empty() {
        found.absent = newly_absent(plan, facts, &ties)?;
    }
    swaps.tell(&mut found.notes);
    Ok(found)
}

/// A person before and after.
struct Pair<'a> {
    before: &'a Person,
    after: &'a Person,
    was: Option<&'a Stay>,
    is: Option<&'a Stay>,
    lived_in: &'a [Dwelling],
    lives_in: &'a [Dwelling],
}

impl Pair<'_> {
    fn loss(&self, kind: GuardedKind, values: &[&str], from: String, to: String) -> Loss {
        Loss {
            person: self.after.id,
            item: Guarded {
                kind,
                subject: self.after.id.to_string(),
                mark: mark(values),
                count: 0,
                person: Some(self.after.id),
                name: name(self.before),
                unit: self.was.map(unit_labels).unwrap_or_default(),
                from,
                to,
            },
            lived_in: self.lived_in.to_vec(),
            phones: None,
            is_sure: match kind {
                GuardedKind::UnitChange => self.is_elsewhere(),
                GuardedKind::Notice | GuardedKind::PhoneTaken => false,
                _ => true,
            },
        }
    }

    /// Whether a unit is left, or one is added to others, and none has its name for it.
    fn is_elsewhere(&self) -> bool {
        let differ = |these: &[Dwelling], those: &[Dwelling]| {
            let mut these = these.iter();
            these.any(|one| {
                let mut those = those.iter();
                !those.any(|other| is_same_unit(one, other) || other.label == one.label)
            })
        };
        differ(self.lived_in, self.lives_in) || self.adds() && differ(self.lives_in, self.lived_in)
    }

    /// Whether every unit is what was lived in before, or a part of it that has an id of its own by now.
    fn is_parts_of_it(&self) -> bool {
        let stays = |old: &Dwelling| self.lives_in.iter().any(|new| is_part_of(new, old));
        let was_there = |new: &Dwelling| {
            let mut lived_in = self.lived_in.iter();
            lived_in.any(|old| is_part_of(new, old) || old == new)
        };
        self.lived_in
            .iter()
            .all(|old| stays(old) || self.lives_in.contains(old))
            && self.lives_in.iter().all(was_there)
    }

    /// Whether a unit is added to others. Who lived in none that is known gets to know theirs.
    fn adds(&self) -> bool {
        let is_known = |new: &Dwelling| self.lived_in.iter().any(|old| is_same_unit(old, new));
        !self.lived_in.is_empty() && self.lives_in.iter().any(|new| !is_known(new))
    }

    fn losses(&self, today: Date, into: &mut Vec<Loss>) {
        self.of_profile(into);
        let (Some(was), Some(is)) = (self.was, self.is) else {
            return;
        };
        let status = |stay: &Stay| stay.status.to_string();
        if !was.is_closed() && is.is_closed() {
            let values = [is.status.as_str()];
            into.push(self.loss(GuardedKind::Closing, &values, status(was), status(is)));
        }
        if was.status == LeaseStatus::Current && is.status == LeaseStatus::Pending {
            into.push(self.loss(GuardedKind::BackToPending, &[], status(was), status(is)));
        }
        if !was.excluded && is.excluded {
            let to = "excluded".to_owned();
            into.push(self.loss(GuardedKind::Rest, &[], status(was), to));
        }
        if was.status == LeaseStatus::Current && is.status == LeaseStatus::Current {
            self.while_current(was, is, today, into);
        }
    }

    /// Name, email and phone.
    fn of_profile(&self, into: &mut Vec<Loss>) {
        let (before, after) = (self.before, self.after);
        if let Some(email) = &before.email
            && before.email != after.email
        {
            let new = after.email.clone().unwrap_or_default();
            let values = [email.as_str(), new.as_str()];
            into.push(self.loss(
                GuardedKind::EmailChange,
                &values,
                email.clone(),
                new.clone(),
            ));
        }
        let (old, new) = (name(before), name(after));
        let another = |old: &str, new: &str| old != new && !same(old, new);
        let another_first = another(&before.first_name, &after.first_name);
        let another_last = another(&before.last_name, &after.last_name);
        if another_first && another_last && !old.is_empty() {
            let values = [old.as_str(), new.as_str()];
            into.push(self.loss(GuardedKind::NameChange, &values, old.clone(), new.clone()));
        }
        if let Some(new) = &after.phone
            && before.phone != after.phone
        {
            let old = before.phone.clone().unwrap_or_default();
            let values = [old.as_str(), new.as_str()];
            let loss = self.loss(GuardedKind::PhoneTaken, &values, old.clone(), new.clone());
            into.push(Loss {
                phones: Some([mark(&[&old]), mark(&[new])]),
                ..loss
            });
        }
    }

    fn while_current(&self, was: &Stay, is: &Stay, today: Date, into: &mut Vec<Loss>) {
        let is_other = self.lived_in.iter().any(|one| !self.lives_in.contains(one)) || self.adds();
        if is_other && !self.is_parts_of_it() {
            into.push(self.unit_change());
        }
        into.extend(self.end_passed(was, is, today));
        let far = |date: &Date| i64::from((*date - today).get_days()) > MONTH_TO_MONTH;
        if let Some(end) = was.lease_end.filter(far)
            && is.lease_end.is_none()
        {
            let from = format!("lease_end {end}");
            into.push(self.loss(GuardedKind::EndTaken, &[&from], from.clone(), "–".into()));
        }
        if is.notice && !was.notice {
            let to = "notice".to_owned();
            into.push(self.loss(GuardedKind::Notice, &[], String::new(), to));
        }
    }

    fn unit_change(&self) -> Loss {
        let key = |all: &[Dwelling]| -> Vec<String> {
            all.iter()
                .flat_map(|one| [one.property.clone(), one.id.clone(), one.label.clone()])
                .collect()
        };
        let (old, new) = (key(self.lived_in), key(self.lives_in));
        let values: Vec<&str> = old.iter().chain(&new).map(String::as_str).collect();
        let (mut from, mut to) = (told(self.lived_in), told(self.lives_in));
        if from == to {
            (from, to) = (told_with_ids(self.lived_in), told_with_ids(self.lives_in));
        }
        self.loss(GuardedKind::UnitChange, &values, from, to)
    }

    fn end_passed(&self, was: &Stay, is: &Stay, today: Date) -> Option<Loss> {
        let is_past = |date: Option<Date>| date.is_some_and(|date| date < today);
        let date = |date: Option<Date>| date.map_or_else(|| "–".to_owned(), |one| one.to_string());
        let ends = [
            ("lease_end", was.lease_end, is.lease_end),
            ("move_out", was.move_out, is.move_out),
        ];
        let (mut from, mut to) = (Vec::new(), Vec::new());
        for (name, was, is) in ends {
            if is_past(is) && !is_past(was) {
                from.push(format!("{name} {}", date(was)));
                to.push(format!("{name} {}", date(is)));
            }
        }
        let (from, to) = (from.join(", "), to.join(", "));
        let values = [from.as_str(), to.as_str()];
        (!to.is_empty())
            .then(|| self.loss(GuardedKind::EndPassed, &values, from.clone(), to.clone()))
    }
}

/// Somebody new, unless a first reading brings them.
fn newcomer<'a, P: People, L: Iterator<Item = (&'a String, &'a Link)> + Clone>(
    person: &Person,
    facts: &Facts<'_, P>,
    ties: &Ties<'a, L>,
    window: &Window<'_>,
) -> Result<Option<Arrival>, SpoolError> {
    let ties = ties.of(person.id)?;
    let properties = ties
        .iter()
        .map(|tie| tie.after.and_then(|link| link.property.as_deref()));
    if window.admits(facts.now, properties).is_some() {
        return Ok(None);
    }
    let resident = ties.first().map_or("", |tie| tie.resident);
    let Some(stay) = person.stay(facts.integration) else {
        return Ok(None);
    };
    let lives_in = dwellings(person, facts.integration, ties, Moment::After);
    let (name, unit) = (name(person), unit_labels(stay));
    let email = person.email.as_deref().unwrap_or_default();
    let values = [&name, email, &unit, stay.status.as_str()];
    Ok(Some(Arrival {
        person: person.id,
        item: Guarded {
            kind: GuardedKind::Newcomer,
            subject: resident.to_owned(),
            mark: mark(&values),
            count: 0,
            person: None,
            from: String::new(),
            to: stay.status.to_string(),
            name,
            unit,
        },
        is_new: true,
        lives_in,
    }))
}

/// Somebody past who is current again. Who was linked to another resident by this run is none (R13, R22).
fn returned<P: People>(
    before: &Person,
    after: &Person,
    facts: &Facts<'_, P>,
    ties: &[Tie<'_>],
    lived_in: &[Dwelling],
    lives_in: &[Dwelling],
    window: &Window<'_>,
) -> Option<Arrival> {
    let (was, is) = (
        before.stay(facts.integration)?,
        after.stay(facts.integration)?,
    );
    let came_back = was.is_closed() && is.status == LeaseStatus::Current;
    let newly_linked = ties.iter().any(|tie| tie.before.is_none());
    let properties = ties
        .iter()
        .map(|tie| tie.after.and_then(|link| link.property.as_deref()));
    if !came_back || newly_linked || window.admits(facts.now, properties).is_some() {
        return None;
    }
    debug_assert!(lived_in.is_empty());
    let unit = unit_labels(is);
    Some(Arrival {
        person: after.id,
        item: Guarded {
            kind: GuardedKind::Arrival,
            subject: after.id.to_string(),
            mark: mark(&[&unit]),
            count: 0,
            person: Some(after.id),
            name: name(after),
            unit,
            from: was.status.to_string(),
            to: is.status.to_string(),
        },
        is_new: false,
        lives_in: lives_in.to_vec(),
    })
}

/// People whose last link is given up, and whose stay the plan does not close. Who keeps another link loses nothing.
fn unlinked<'a, P: People, L: Iterator<Item = (&'a String, &'a Link)> + Clone>(
    plan: &'a Plan,
    facts: &Facts<'_, P>,
    ties: &Ties<'a, L>,
    found: &mut Found,
) -> Result<(), P::Error> {
    let mut judged = BTreeSet::new();
    let mut places = None;
    for linked in &plan.links {
        let (resident, link) = &linked?;
        let ended = !is_open(link) && facts.links.get(resident).is_some_and(is_open);
        if !ended || !judged.insert(link.person) || is_linked(ties.of(link.person)?, Moment::After)
        {
            continue;
        }
        let places = match &places {
            Some(places) => places,
            None => &*places.insert(plan.places()?),
        };
        let planned = places.get(&link.person);
        let planned = planned.map(|place| plan.people.get(*place)).transpose()?;
        let planned = planned.as_ref();
        let open = |person: &Person| {
            let stay = person.stay(facts.integration);
            stay.is_some_and(|stay| !stay.is_closed())
        };
        // A stay that the plan closes is a closing.
        if planned.is_some_and(|person| !open(person)) {
            continue;
        }
        let stored = facts.people.person(link.person)?;
        let Some(person) = planned.or(stored.as_ref()).filter(|person| open(person)) else {
            continue;
        };
        let unit = person.stay(facts.integration).map(unit_labels);
        let ties = ties.of(link.person)?;
        let lived_in = stored
            .as_ref()
            .map(|stored| dwellings(stored, facts.integration, ties, Moment::Before));
        found.losses.push(Loss {
            person: link.person,
            item: Guarded {
                kind: GuardedKind::Unlink,
                subject: link.person.to_string(),
                mark: mark(&[resident]),
                count: 0,
                person: Some(link.person),
                name: name(person),
                unit: unit.unwrap_or_default(),
                from: format!("resident {resident}"),
                to: "–".into(),
            },
            lived_in: lived_in.unwrap_or_default(),
            phones: None,
            is_sure: true,
        });
    }
    Ok(())
}

/// Those who were named until now under any of their ids, and are named under none by this run. Whose record is
/// somebody else's now is not named by it (R21a).
fn newly_absent<'a, P: People, L: Iterator<Item = (&'a String, &'a Link)> + Clone>(
    plan: &'a Plan,
    facts: &Facts<'_, P>,
    ties: &Ties<'a, L>,
) -> Result<BTreeSet<PersonId>, SpoolError> {
    let missed = |resident: &String, link: &Link| {
        let old = facts.links.get(resident);
        link.misses == 1 && old.is_some_and(|old| old.misses == 0 && is_open(old))
    };
    let mut absent: BTreeSet<PersonId> = BTreeSet::new();
    for linked in &plan.links {
        let (resident, link) = linked?;
        if missed(&resident, &link) {
            absent.insert(link.person);
        }
    }
    if absent.is_empty() {
        return Ok(absent);
    }
    // A record that is not believed to be its person's is held by the rule that says whose it is.
    let is_strange = |decision: &Decision| {
        let person = decision.person;
        person.is_some_and(|person| plan.estranged.contains(&person))
            && decision.fate == Fate::Held
            && matches!(decision.rule.as_str(), "R21" | "R21a")
    };
    let ties = ties.all()?;
    let of_absent = absent.iter().filter_map(|person| ties.get(person));
    let asked: BTreeSet<&str> = of_absent.flatten().map(|tie| tie.resident).collect();
    let mut named: BTreeSet<&str> = BTreeSet::new();
    for decision in &plan.decisions {
        let decision = decision?;
        if !is_strange(&decision) {
            named.extend(asked.get(decision.subject.as_str()));
        }
    }
    absent.retain(|person| {
        let mut theirs = ties.get(person).into_iter().flatten();
        !theirs.any(|tie| named.contains(tie.resident))
    });
    Ok(absent)
}

/// Two who change places: told, and no more.
#[derive(Default)]
struct Swaps {
    units: BTreeMap<(Dwelling, Dwelling), u64>,
    phones: BTreeMap<(String, String), u64>,
}

impl Swaps {
    fn note(
        &mut self,
        before: &Person,
        after: &Person,
        lived_in: &[Dwelling],
        lives_in: &[Dwelling],
    ) {
        if let ([from], [to]) = (lived_in, lives_in)
            && from != to
        {
            let moved = (from.clone(), to.clone());
            *self.units.entry(moved).or_default() += 1;
        }
        if let (Some(from), Some(to)) = (&before.phone, &after.phone)
            && from != to
        {
            let changed = (from.clone(), to.clone());
            *self.phones.entry(changed).or_default() += 1;
        }
    }

    fn tell(self, notes: &mut BTreeMap<String, u64>) {
        for (note, count) in [
            ("swapped_units", swapped(&self.units)),
            ("swapped_phones", swapped(&self.phones)),
        ] {
            if count > 0 {
                notes.insert(note.to_owned(), count);
            }
        }
    }
}

/// How many pairs changed places with each other.
fn swapped<T: Ord + Clone>(changes: &BTreeMap<(T, T), u64>) -> u64 {
    let pairs = changes.iter().filter(|((from, to), _)| from < to);
    pairs
        .filter_map(|((from, to), one)| {
            let other = changes.get(&(to.clone(), from.clone()))?;
            Some(*one.min(other))
        })
        .sum()
}

fn is_same_unit(one: &Dwelling, other: &Dwelling) -> bool {
    one.property == other.property && one.id == other.id
}

/// Whether a unit was known by the id of another one that it is a part of.
pub(super) fn is_part_of(new: &Dwelling, old: &Dwelling) -> bool {
    new.property == old.property && new.formerly.as_ref() == Some(&old.id)
}

pub(super) fn name(person: &Person) -> String {
    let name = format!("{} {}", person.first_name, person.last_name);
    name.trim().to_owned()
}

fn unit_labels(stay: &Stay) -> String {
    let units: Vec<&str> = stay
        .unit
        .iter()
        .chain(&stay.more_units)
        .map(|unit: &Unit| unit.label.as_str())
        .collect();
    units.join(", ")
}

fn told(all: &[Dwelling]) -> String {
    if all.is_empty() {
        return "–".to_owned();
    }
    let labels: Vec<&str> = all.iter().map(|one| one.label.as_str()).collect();
    labels.join(", ")
}

fn told_with_ids(all: &[Dwelling]) -> String {
    let units: Vec<String> = all
        .iter()
        .map(|one| format!("{} ({})", one.label, one.id))
        .collect();
    units.join(", ")
}
