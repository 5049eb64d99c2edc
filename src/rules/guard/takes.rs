//! What is taken from people (a), and from units (b): counted over the window, everywhere and for each PMS property,
//! against those who were there before. Pure.

use std::collections::{BTreeMap, BTreeSet};

use crate::config::Guard;
use crate::model::{Approved, AtLeast, Gone, Guarded, GuardedKind, PersonId};

use super::census::{Census, Key, One, key};
use super::parts::{Found, Loss};
use super::window::Window;
use super::{allowed, length, mark, number, of, within};

/// Where fewer units are occupied, more than half of them may not be touched.
pub(super) const SMALL: usize = 12;
/// So many units may always be touched, and so many people be absent.
pub(super) const ALWAYS: usize = 2;

/// The same, by the settings: a limit that no small building reaches lets it be emptied.
pub(super) fn always(limits: &Guard) -> usize {
    let limit = usize::try_from(limits.limit).unwrap_or(usize::MAX);
    if limit >= SMALL { limit } else { ALWAYS }
}

/// One loss that counts.
#[derive(Debug)]
struct Counted {
    person: PersonId,
    kind: GuardedKind,
    /// By this plan.
    now: bool,
}

/// What counts of a plan, and of the window before it.
pub(super) struct Counting<'a> {
    census: &'a Census,
    found: &'a Found,
    window: &'a Window<'a>,
    limits: &'a Guard,
    counted: Vec<Counted>,
    /// Of them, what this plan takes.
    now: BTreeSet<(PersonId, GuardedKind)>,
    /// The PMS properties, none for everywhere, of which more than half of those who are current have newly given
    /// notice.
    notices: BTreeSet<Option<&'a str>>,
}

impl<'a> Counting<'a> {
    pub(super) fn new(
        census: &'a Census,
        found: &'a Found,
        window: &'a Window<'a>,
        limits: &'a Guard,
    ) -> Counting<'a> {
        let counts = |kind: GuardedKind, person: PersonId, phones: Option<&[String; 2]>| match kind
        {
            GuardedKind::UnitChange => census.has_moved(person),
            GuardedKind::PhoneTaken => {
                phones.is_some_and(|phones| census.is_anothers(person, phones))
            }
            GuardedKind::Arrival => false,
            _ => true,
        };
        let now = found
            .losses
            .iter()
            .filter(|loss| counts(loss.item.kind, loss.person, loss.phones.as_ref()))
            .map(|loss| (loss.person, loss.item.kind, true));
        let before = window.passed.iter().filter_map(|one| {
            let person = one.subject.parse().ok()?;
            counts(one.kind, person, one.phones.as_ref()).then_some((person, one.kind, false))
        });
        let counted: Vec<Counted> = now
            .chain(before)
            .map(|(person, kind, now)| Counted { person, kind, now })
            .collect();
        let notices = census.scopes().filter(|property| {
            let notice = counted.iter().filter(|one| one.kind == GuardedKind::Notice);
            let notice = notice.filter(|counted| {
                let one = census.people.get(&counted.person);
                one.is_some_and(|one| one.is_of(*property))
            });
            let people: BTreeSet<PersonId> = notice.map(|one| one.person).collect();
            let current = census.of(*property).filter(|(_, one)| one.was_current);
            people.len() * 2 > current.count()
        });
        Counting {
            notices: notices.collect(),
            now: counted
                .iter()
                .filter(|one| one.now)
                .map(|one| (one.person, one.kind))
                .collect(),
            census,
            found,
            window,
            limits,
            counted,
        }
    }

    /// What is too much, each in words; none where nothing is.
    pub(super) fn judge(&self) -> Vec<String> {
        let mut reasons = Vec::new();
        for property in self.census.scopes() {
            reasons.extend(self.people(property));
            reasons.extend(self.units(property));
            if property.is_none() && !reasons.is_empty() {
                break;
            }
        }
        reasons
    }

    /// Whether a loss of this plan counts.
    pub(super) fn is_counted(&self, loss: &Loss) -> bool {
        let kind = loss.item.kind;
        self.now.contains(&(loss.person, kind))
            && (kind != GuardedKind::Notice || self.is_notice_counted(loss.person))
    }

    fn is_notice_counted(&self, person: PersonId) -> bool {
        let one = self.census.people.get(&person);
        let mut scopes = self.notices.iter();
        one.is_some_and(|one| scopes.any(|scope| one.is_of(*scope)))
    }

    fn one(&self, person: PersonId, property: Option<&str>) -> Option<&One> {
        let one = self.census.people.get(&person);
        one.filter(|one| one.is_of(property))
    }

    /// What counts of a PMS property, or everywhere.
    fn of<'b>(&'b self, property: Option<&'b str>) -> impl Iterator<Item = (&'b Counted, &'b One)> {
        let counts_notice = self.notices.contains(&property);
        let counted = self.counted.iter();
        let counted = counted.filter(move |one| counts_notice || one.kind != GuardedKind::Notice);
        counted.filter_map(move |counted| Some((counted, self.one(counted.person, property)?)))
    }

    /// (a): who loses something, each once, whatever befalls them.
    fn people(&self, property: Option<&str>) -> Option<String> {
        let (mut people, mut now) = (BTreeSet::new(), BTreeSet::new());
        let mut kinds: BTreeMap<GuardedKind, BTreeSet<PersonId>> = BTreeMap::new();
        for (one, _) in self.of(property) {
            people.insert(one.person);
            if one.now {
                now.insert(one.person);
                kinds.entry(one.kind).or_default().insert(one.person);
            }
        }
        let linked = self.linked(property);
        if now.is_empty() || people.len() <= allowed(self.limits, linked) {
            return None;
        }
        let kinds: Vec<String> = kinds
            .iter()
            .map(|(kind, people)| format!("{} {}", kind.as_str(), people.len()))
            .collect();
        Some(format!(
            "{} of {linked} linked people{} would lose something{}: {}",
            people.len(),
            of(property),
            within(self.limits, now.len(), people.len()),
            kinds.join(", ")
        ))
    }

    fn linked(&self, property: Option<&str>) -> usize {
        let here = self.census.of(property).filter(|(_, one)| one.was_linked);
        here.count() + number(self.window.gone(property).linked)
    }

    /// (b): units that are left without anybody; and in a small building, units that are touched at all.
    fn units(&self, property: Option<&str>) -> Option<String> {
        let units = self.occupied(property);
        let occupied = units.was.len() + number(self.window.gone(property).occupied);
        let vacated: BTreeSet<&Key> = units.vacated().collect();
        let now = vacated.iter().filter(|unit| units.before.contains(**unit));
        let now = now.count();
        if now > 0 && vacated.len() > allowed(self.limits, occupied) {
            return Some(format!(
                "{} of {occupied} occupied units{} would lose their last resident{}",
                vacated.len(),
                of(property),
                within(self.limits, now, vacated.len())
            ));
        }
        if occupied >= SMALL {
            return None;
        }
        let (mut touched, mut touched_now) = (BTreeSet::new(), BTreeSet::new());
        for (counted, one) in self.of(property) {
            let homes = one.was_in.iter().map(key);
            let homes: Vec<Key> = homes.filter(|unit| units.was.contains(unit)).collect();
            if counted.now {
                touched_now.extend(homes.iter().cloned());
            }
            touched.extend(homes);
        }
        touched.extend(vacated.into_iter().cloned());
        let percent = number(u64::from(self.limits.percent));
        let too_many = touched.len() > always(self.limits)
            && touched.len() * 2 > occupied
            && touched.len() * 100 > occupied.saturating_mul(percent);
        (too_many && !touched_now.is_empty()).then(|| {
            format!(
                "{} of only {occupied} occupied units{} would be touched{}",
                touched.len(),
                of(property),
                within(self.limits, touched_now.len(), touched.len())
            )
        })
    }

    fn occupied(&self, property: Option<&str>) -> Occupied {
        let mut units = Occupied::default();
        // Units of other PMS properties that somebody lives in beside are not judged here.
        let here = |key: &Key| property.is_none_or(|property| key.0 == property);
        for (_, one) in self.census.of(property) {
            if one.was_current {
                units.was.extend(one.was_in.iter().map(key).filter(here));
            }
            units.before.extend(one.before_in.iter().map(key));
        }
        for one in self.census.people.values() {
            units.is.extend(one.is_in.iter().map(key));
        }
        let renamed = units.was.iter().map(|unit| {
            let now = self.census.renaming.now_in(unit);
            (unit.clone(), now)
        });
        units.renamed = renamed.collect();
        units
    }

    /// Everything that the plan takes, and the units that it empties.
    pub(super) fn items(&self) -> Vec<Guarded> {
        let losses = self
            .found
            .losses
            .iter()
            .filter(|loss| self.is_counted(loss));
        let mut items: Vec<Guarded> = losses.map(|loss| loss.item.clone()).collect();
        let units = self.occupied(None);
        let vacated = units.vacated().filter(|unit| units.before.contains(*unit));
        items.extend(vacated.map(|unit| self.vacancy(unit)));
        items
    }

    fn vacancy(&self, unit: &Key) -> Guarded {
        let lived = |one: &&One| one.before_in.iter().any(|home| key(home) == *unit);
        let people = self.census.people.values().filter(lived).count();
        let mut homes = self.census.people.values().flat_map(|one| &one.before_in);
        let label = homes.find(|home| key(home) == *unit);
        let subject = if unit.0.is_empty() {
            unit.1.clone()
        } else {
            format!("{}/{}", unit.0, unit.1)
        };
        Guarded {
            mark: mark(&[&unit.0, &unit.1]),
            unit: label.map(|home| home.label.clone()).unwrap_or_default(),
            from: match people {
                1 => "1 resident".to_owned(),
                many => format!("{many} residents"),
            },
            to: "nobody".to_owned(),
            ..Guarded::of_feed(GuardedKind::Vacancy, subject)
        }
    }

    /// What the plan takes of what was there, for the runs after its approval.
    pub(super) fn approved(&self, now: jiff::Timestamp) -> Approved {
        let gone = |property: Option<&str>| {
            let left = |one: &&One| one.before_linked && one.was_linked && !one.is_linked;
            let people = self.census.of(property).map(|(_, one)| one);
            let units = self.occupied(property);
            let vacated = units.vacated().filter(|unit| units.before.contains(*unit));
            Gone {
                linked: people.filter(left).count() as u64,
                occupied: vacated.count() as u64,
            }
        };
        let properties = self.census.properties.iter();
        Approved {
            at: now,
            all: gone(None),
            of_each: properties
                .map(|one| (one.clone(), gone(Some(one))))
                .collect(),
        }
    }

    /// What was there before the window, still is, and stays whether the plan is carried out or not: it will have
    /// been there before every window to come that reaches back to it.
    pub(super) fn at_least(&self, now: jiff::Timestamp) -> AtLeast {
        let least = |of: &dyn Fn(Option<&str>) -> usize| {
            let all = self.census.scopes().map(of).min().unwrap_or_default();
            all as u64
        };
        let linked = |property: Option<&str>| {
            let still = |one: &One| one.was_linked && one.before_linked && one.is_linked;
            self.census
                .of(property)
                .filter(|(_, one)| still(one))
                .count()
        };
        let occupied = |property: Option<&str>| {
            let units = self.occupied(property);
            let still = units.was.intersection(&units.before);
            still.filter(|unit| units.is.contains(*unit)).count()
        };
        AtLeast {
            until: now
                .checked_add(length(self.limits.window))
                .unwrap_or(jiff::Timestamp::MAX),
            linked: least(&linked),
            occupied: least(&occupied),
        }
    }

    /// The occupied units before the window.
    pub(super) fn occupied_before(&self, property: Option<&str>) -> usize {
        let units = self.occupied(property);
        units.was.len() + number(self.window.gone(property).occupied)
    }

    /// The linked people before the window.
    pub(super) fn linked_before(&self, property: Option<&str>) -> usize {
        self.linked(property)
    }
}

/// Units in which somebody lives.
#[derive(Debug, Default)]
struct Occupied {
    /// Before the window.
    was: BTreeSet<Key>,
    /// Before the plan.
    before: BTreeSet<Key>,
    /// After the plan.
    is: BTreeSet<Key>,
    /// The ids that they, or their parts, have now.
    renamed: BTreeMap<Key, BTreeSet<Key>>,
}

impl Occupied {
    /// Units in which nobody lives any more.
    fn vacated(&self) -> impl Iterator<Item = &Key> {
        self.was.iter().filter(|unit| {
            let now = self.renamed.get(*unit);
            !now.is_some_and(|now| now.iter().any(|unit| self.is.contains(unit)))
        })
    }
}
