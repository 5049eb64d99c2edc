//! Which residents of the PMS are tied to a person, before a plan and after it, and where the person lives by it.

use std::cell::OnceCell;
use std::collections::HashMap;

use crate::model::{
    Dwelling, IntegrationId, LeaseStatus, Link, Person, PersonId, SpoolError, Spooled,
};

/// One resident of a person: the link before the plan, and after it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Tie<'a> {
    pub(super) resident: &'a str,
    pub(super) before: Option<&'a Link>,
    pub(super) after: Option<&'a Link>,
}

/// Before the plan, or after it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Moment {
    Before,
    After,
}

/// The links of a plan, read when somebody asks first.
pub(super) struct Planned<'a> {
    links: &'a Spooled<(String, Link)>,
    read: OnceCell<Vec<(String, Link)>>,
}

impl<'a> Planned<'a> {
    pub(super) fn of(links: &'a Spooled<(String, Link)>) -> Planned<'a> {
        Planned {
            links,
            read: OnceCell::new(),
        }
    }

    fn all(&self) -> Result<&[(String, Link)], SpoolError> {
        if let Some(read) = self.read.get() {
            return Ok(read);
        }
        let read = self.links.to_vec()?;
        Ok(self.read.get_or_init(|| read))
    }
}

/// The links of people, indexed when somebody asks first: most plans need none of it.
pub(super) struct Ties<'a, L> {
    links: L,
    planned: &'a Planned<'a>,
    by_person: OnceCell<HashMap<PersonId, Vec<Tie<'a>>>>,
}

impl<'a, L: Iterator<Item = (&'a String, &'a Link)> + Clone> Ties<'a, L> {
    pub(super) fn new(links: L, planned: &'a Planned<'a>) -> Ties<'a, L> {
        Ties {
            links,
            planned,
            by_person: OnceCell::new(),
        }
    }

    /// The residents of a person.
    pub(super) fn of(&self, person: PersonId) -> Result<&[Tie<'a>], SpoolError> {
        Ok(self.all()?.get(&person).map_or(&[], Vec::as_slice))
    }

    /// Everybody's.
    pub(super) fn all(&self) -> Result<&HashMap<PersonId, Vec<Tie<'a>>>, SpoolError> {
        let every = self.planned.all()?;
        Ok(self.by_person.get_or_init(|| {
            let planned: HashMap<&str, &Link> = every
                .iter()
                .map(|(resident, link)| (resident.as_str(), link))
                .collect();
            let mut all: HashMap<PersonId, Vec<Tie<'a>>> = HashMap::new();
            let mut add = |person: PersonId, tie: Tie<'a>| all.entry(person).or_default().push(tie);
            let mut known = HashMap::new();
            for (resident, link) in self.links.clone() {
                let resident = resident.as_str();
                let after = planned.get(resident).copied();
                known.insert(resident, link);
                let stays = after.is_none_or(|after| after.person == link.person);
                let tie = Tie {
                    resident,
                    before: Some(link),
                    after: after.or(Some(link)).filter(|_| stays),
                };
                add(link.person, tie);
            }
            for (resident, link) in every {
                let before = known.get(resident.as_str());
                if before.is_none_or(|before| before.person != link.person) {
                    let tie = Tie {
                        resident,
                        before: None,
                        after: Some(link),
                    };
                    add(link.person, tie);
                }
            }
            for ties in all.values_mut() {
                ties.sort_by_key(|tie| tie.resident);
            }
            all
        }))
    }
}

impl<'a> Tie<'a> {
    pub(super) fn at(&self, moment: Moment) -> Option<&'a Link> {
        match moment {
            Moment::Before => self.before,
            Moment::After => self.after,
        }
    }
}

/// Whether a link ties its person to a lease that is not over. One that the person has another id for does not (R22).
pub(super) fn is_open(link: &Link) -> bool {
    !link.status.is_closed() && !link.superseded
}

/// Whether somebody has a link that is not over.
pub(super) fn is_linked(ties: &[Tie<'_>], moment: Moment) -> bool {
    let mut links = ties.iter().filter_map(|tie| tie.at(moment));
    links.any(is_open)
}

/// Where somebody lives who is current; with none of it, nowhere.
pub(super) fn dwellings(
    person: &Person,
    integration: &IntegrationId,
    ties: &[Tie<'_>],
    moment: Moment,
) -> Vec<Dwelling> {
    let stay = person.stay(integration);
    let current = stay.filter(|stay| stay.status == LeaseStatus::Current);
    let units = current
        .into_iter()
        .flat_map(|stay| stay.unit.iter().chain(&stay.more_units));
    let mut found: Vec<Dwelling> = units
        .map(|unit| Dwelling {
            property: property_of(&unit.id, ties, moment),
            id: unit.id.clone(),
            label: unit.label.clone(),
            formerly: unit.formerly.clone(),
        })
        .collect();
    found.sort();
    found
}

/// The PMS property of a unit of somebody. A link that does not name it yet has the one that it gets.
fn property_of(unit: &str, ties: &[Tie<'_>], moment: Moment) -> String {
    let other = match moment {
        Moment::Before => Moment::After,
        Moment::After => Moment::Before,
    };
    let links = |moment: Moment| ties.iter().filter_map(move |tie| tie.at(moment));
    let of_unit = |link: &&Link| link.unit.as_ref().is_some_and(|one| one.id == unit);
    let open = |link: &&Link| is_open(link);
    let property = |link: &Link| link.property.clone();
    links(moment)
        .filter(of_unit)
        .find_map(property)
        .or_else(|| links(other).filter(of_unit).find_map(property))
        .or_else(|| links(moment).filter(open).find_map(property))
        .or_else(|| links(moment).find_map(property))
        .or_else(|| links(other).find_map(property))
        .unwrap_or_default()
}
