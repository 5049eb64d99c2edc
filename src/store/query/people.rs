//! Which people: by the narrowest index that what is asked for has, or one by one in the order asked for.

use std::cell::Cell;
use std::ops::Bound;

use jiff::Timestamp;
use redb::{ReadOnlyTable, ReadableTable};

use crate::model::{
    Behind, Change, IntegrationId, Link, PeopleQuery, PeopleSort, Person, PersonId,
};
use crate::store::value::from_bytes;
use crate::store::write::Done;
use crate::store::{View, name_key, tables};

use super::fits::fits;
use super::names::{ByName, Names};
use super::{Found, MOST, Page};

type Bytes = &'static [u8];

/// To read a value takes as long as so many entries of an index.
const VALUE: usize = 5;

/// What is asked of each person besides, of whom the tables of people know nothing.
pub(super) type Also<'a> = &'a mut dyn FnMut(PersonId) -> Done<bool>;

impl View {
    /// The people whom a question is for, behind a place, of whom `also` says yes.
    pub fn find_people(
        &self,
        query: &PeopleQuery,
        behind: Option<&Behind>,
        also: Also<'_>,
    ) -> Done<Found<Person, Behind>> {
        self.find_people_among(query, behind, also, MOST)
    }

    /// The same, with at most so many looked at.
    pub(in crate::store) fn find_people_among(
        &self,
        query: &PeopleQuery,
        behind: Option<&Behind>,
        also: Also<'_>,
        most: usize,
    ) -> Done<Found<Person, Behind>> {
        let search = Search::of(self, query, most)?;
        match query.sort.unwrap_or_default() {
            PeopleSort::Id => search.by_id(behind, also),
            PeopleSort::Name => search.by_name(behind, also),
        }
    }
}

struct Search<'q> {
    query: &'q PeopleQuery,
    most: usize,
    people: ReadOnlyTable<u64, Bytes>,
    by_name: ByName,
    by_email: ReadOnlyTable<&'static str, u64>,
    links: ReadOnlyTable<(&'static str, &'static str), Bytes>,
    link_counts: ReadOnlyTable<&'static str, u64>,
    links_of: ReadOnlyTable<(u64, &'static str, &'static str), ()>,
    alerts_of: ReadOnlyTable<(u64, u64), ()>,
    changes: ReadOnlyTable<u64, Bytes>,
    changes_of: ReadOnlyTable<(u64, u64), ()>,
    /// The first change since the moment that is asked for.
    since: Option<u64>,
    /// What stands in a text, in lower case.
    text: Option<String>,
    rows: Cell<usize>,
}

/// Those that an index names, each once, by id; none where they are too many.
type Candidates = Option<Vec<u64>>;

impl<'q> Search<'q> {
    fn of(view: &View, query: &'q PeopleQuery, most: usize) -> Done<Search<'q>> {
        let open = &view.transaction;
        let mut search = Search {
            query,
            most,
            people: open.open_table(tables::PEOPLE)?,
            by_name: open.open_table(tables::PEOPLE_BY_NAME)?,
            by_email: open.open_table(tables::PEOPLE_BY_EMAIL)?,
            links: open.open_table(tables::LINKS)?,
            link_counts: open.open_table(tables::LINK_COUNTS)?,
            links_of: open.open_table(tables::LINKS_BY_PERSON)?,
            alerts_of: open.open_table(tables::OPEN_ALERTS_BY_PERSON)?,
            changes: open.open_table(tables::CHANGES)?,
            changes_of: open.open_table(tables::CHANGES_BY_PERSON)?,
            since: None,
            text: query.q.as_deref().map(str::to_lowercase),
            rows: Cell::new(0),
        };
        if let Some(moment) = query.updated_since {
            search.since = Some(search.first_since(moment)?);
        }
        Ok(search)
    }

    fn read(&self, rows: usize) {
        self.rows.set(self.rows.get() + rows);
    }

    fn by_id(&self, behind: Option<&Behind>, also: Also<'_>) -> Done<Found<Person, Behind>> {
        let after = behind.map(|behind| behind.person.0);
        let from = after.map_or(Bound::Unbounded, Bound::Excluded);
        let mut page = Page::new(self.query.size(), self.most);
        let at = |id| Behind {
            person: PersonId(id),
            name: None,
        };
        if let Some(all) = self.candidates(self.most)? {
            let mut all = all.into_iter().skip_while(|id| Some(*id) <= after);
            while page.has_room() {
                let Some(id) = all.next() else {
                    return Ok(page.end(true, self.rows.get()));
                };
                let person = self.person(id)?;
                page.look(at(id), self.fitting(person, also)?);
            }
            return Ok(page.end(false, self.rows.get()));
        }
        let mut range = self.people.range((from, Bound::Unbounded))?;
        while page.has_room() {
            let Some(entry) = range.next() else {
                return Ok(page.end(true, self.rows.get()));
            };
            self.read(1);
            let person: Person = from_bytes("people-1", entry?.1.value())?;
            page.look(at(person.id.0), self.fitting(Some(person), also)?);
        }
        Ok(page.end(false, self.rows.get()))
    }

    fn by_name(&self, behind: Option<&Behind>, also: Also<'_>) -> Done<Found<Person, Behind>> {
        let behind = match behind {
            None => None,
            Some(Behind {
                person,
                name: Some(name),
            }) => Some((name.clone(), person.0)),
            Some(Behind { person, name: None }) => self.person(person.0)?.map(|one| {
                let name = name_key(&one.first_name, &one.last_name);
                (name, one.id.0)
            }),
        };
        let mut page = Page::new(self.query.size(), self.most);
        let at = |(name, id): (String, u64)| Behind {
            person: PersonId(id),
            name: Some(name),
        };
        if let Some(all) = self.narrow(self.most / VALUE)? {
            let mut sorted = Vec::new();
            for person in all {
                if let Some(person) = self.person(person)? {
                    let name = name_key(&person.first_name, &person.last_name);
                    sorted.push(((name, person.id.0), person));
                }
            }
            sorted.sort_by(|one, other| one.0.cmp(&other.0));
            let rest = sorted.into_iter();
            let mut rest = rest.skip_while(|(place, _)| Some(place) <= behind.as_ref());
            while page.has_room() {
                let Some((place, person)) = rest.next() else {
                    return Ok(page.end(true, self.rows.get()));
                };
                page.look(at(place), self.fitting(Some(person), also)?);
            }
            return Ok(page.end(false, self.rows.get()));
        }
        let (of, name) = (self.query.integration.as_ref(), self.query.name.as_deref());
        let mut names = Names::of(&self.by_name, of, name, behind.as_ref())?;
        let mut is_all = false;
        while page.has_room() {
            let Some(place) = names.next()? else {
                is_all = true;
                break;
            };
            let person = self.person(place.1)?;
            page.look(at(place), self.fitting(person, also)?);
        }
        self.read(names.rows());
        Ok(page.end(is_all, self.rows.get()))
    }

    fn person(&self, id: u64) -> Done<Option<Person>> {
        self.read(1);
        let value = self.people.get(id)?;
        value
            .map(|value| from_bytes("people-1", value.value()))
            .transpose()
    }

    /// The person, where the question is for them.
    fn fitting(&self, person: Option<Person>, also: Also<'_>) -> Done<Option<Person>> {
        let Some(person) = person else {
            return Ok(None);
        };
        let fits = fits(self.query, self.text.as_deref(), &person)
            && self.is_linked(person.id)?
            && self.has_alert(person.id)?
            && self.is_updated(person.id)?
            && also(person.id)?;
        Ok(fits.then_some(person))
    }

    fn is_linked(&self, person: PersonId) -> Done<bool> {
        let Some(wanted) = self.query.resident.as_deref() else {
            return Ok(true);
        };
        for entry in self.links_of.range((person.0, "", "")..)? {
            self.read(1);
            let (key, _) = entry?;
            let (of, at, resident) = key.value();
            if of != person.0 {
                return Ok(false);
            }
            let is_there = self.query.integration.as_ref();
            if is_there.is_none_or(|id| id.as_str() == at) && resident.starts_with(wanted) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn has_alert(&self, person: PersonId) -> Done<bool> {
        let Some(wanted) = self.query.alert else {
            return Ok(true);
        };
        self.read(1);
        let mut open = self.alerts_of.range((person.0, 0)..=(person.0, u64::MAX))?;
        Ok(open.next().transpose()?.is_some() == wanted)
    }

    fn is_updated(&self, person: PersonId) -> Done<bool> {
        let Some(since) = self.since else {
            return Ok(true);
        };
        self.read(1);
        let range = (person.0, since)..=(person.0, u64::MAX);
        Ok(self.changes_of.range(range)?.next().transpose()?.is_some())
    }

    /// The number of the first change since a moment, as clocks told it; where one was set back in between, of one of those
    /// near it.
    fn first_since(&self, moment: Timestamp) -> Done<u64> {
        let last = self.changes.last()?.map_or(0, |(seq, _)| seq.value());
        let (mut low, mut high) = (0, last + 1);
        while low < high {
            let middle = low + (high - low) / 2;
            self.read(1);
            let change = self.changes.range(middle..)?.next().transpose()?;
            let change = change.map(|(_, value)| from_bytes::<Change>("changes-1", value.value()));
            match change.transpose()? {
                Some(change) if change.at < moment => low = change.seq + 1,
                _ => high = middle,
            }
        }
        Ok(low)
    }

    /// Those whom the narrowest index names, by id.
    fn candidates(&self, most: usize) -> Done<Candidates> {
        if let Some(found) = self.narrow(most)? {
            return Ok(Some(found));
        }
        if self.query.name.is_none() && self.query.integration.is_none() {
            return Ok(None);
        }
        let (of, name) = (self.query.integration.as_ref(), self.query.name.as_deref());
        let mut names = Names::of(&self.by_name, of, name, None)?;
        let mut found = Vec::new();
        while found.len() <= most {
            let Some((_, person)) = names.next()? else {
                break;
            };
            found.push(person);
        }
        self.read(names.rows());
        Ok(bounded(found, most))
    }

    /// The same, of the indexes that are in no order of people.
    fn narrow(&self, most: usize) -> Done<Candidates> {
        if self.query.email.is_some() {
            let found = self.with_email(most)?;
            if found.is_some() {
                return Ok(found);
            }
        }
        if self.query.resident.is_some() {
            let found = self.with_resident(most / VALUE)?;
            if found.is_some() {
                return Ok(found);
            }
        }
        if self.query.alert == Some(true) {
            let found = self.with_alert(most)?;
            if found.is_some() {
                return Ok(found);
            }
        }
        match self.since {
            Some(since) => self.changed_since(since, most / VALUE),
            None => Ok(None),
        }
    }

    fn with_email(&self, most: usize) -> Done<Candidates> {
        let wanted = self.query.email.as_deref().unwrap_or_default();
        let wanted = wanted.trim().to_lowercase();
        let mut found = Vec::new();
        for entry in self.by_email.range(wanted.as_str()..)?.take(most + 1) {
            self.read(1);
            let (email, person) = entry?;
            if !email.value().starts_with(&wanted) {
                break;
            }
            found.push(person.value());
        }
        Ok(bounded(found, most))
    }

    fn with_resident(&self, most: usize) -> Done<Candidates> {
        let wanted = self.query.resident.as_deref().unwrap_or_default();
        let places = match &self.query.integration {
            Some(id) => vec![id.clone()],
            None => self.linked_integrations()?,
        };
        let mut found = Vec::new();
        for place in places {
            let room = most + 1 - found.len().min(most);
            for entry in self.links.range((place.as_str(), wanted)..)?.take(room) {
                self.read(1);
                let (key, value) = entry?;
                let (at, resident) = key.value();
                if at != place.as_str() || !resident.starts_with(wanted) {
                    break;
                }
                let link: Link = from_bytes("links-1", value.value())?;
                found.push(link.person.0);
            }
            if found.len() > most {
                break;
            }
        }
        Ok(bounded(found, most))
    }

    fn linked_integrations(&self) -> Done<Vec<IntegrationId>> {
        let all = self.link_counts.iter()?.map(|entry| {
            self.read(1);
            Ok(IntegrationId::new(entry?.0.value()))
        });
        all.collect()
    }

    fn with_alert(&self, most: usize) -> Done<Candidates> {
        let mut found = Vec::new();
        for entry in self.alerts_of.iter()?.take(most + 1) {
            self.read(1);
            found.push(entry?.0.value().0);
        }
        Ok(bounded(found, most))
    }

    fn changed_since(&self, since: u64, most: usize) -> Done<Candidates> {
        let mut found = Vec::new();
        for entry in self.changes.range(since..)?.take(most + 1) {
            self.read(1);
            let change: Change = from_bytes("changes-1", entry?.1.value())?;
            found.push(change.person.0);
        }
        Ok(bounded(found, most))
    }
}

/// Each once, by id; none where they are more than so many.
fn bounded(mut found: Vec<u64>, most: usize) -> Candidates {
    if found.len() > most {
        return None;
    }
    found.sort_unstable();
    found.dedup();
    Some(found)
}
