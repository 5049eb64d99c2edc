//! Of a feed that is mostly as it was, what has to be looked at again: what is new or gone, what never rests, and
//! what hangs together with either, by resident, person or email. The rest would be decided as before.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use crate::model::People;
use crate::model::{
    Alert, AlertKind, AlertState, Decision, Fate, IntegrationId, Link, PersonId, Print, Spooled,
    Understanding,
};
use crate::store::{Stirred, StoreError, Write};

use super::taken::{Packed, Taken, made_at};
use super::{Adds, Made, Memory, Row, Sum, Takings, key_of, key_of_email, key_of_person, subject};
use crate::rules::dates::BadDates;
use crate::rules::entry::Entry;
use crate::rules::matching::candidates;
use crate::rules::normal::Notes;
use crate::rules::odd::Odd;
use crate::rules::plan::Plan;
use crate::rules::understood::{nobodys, record_of};

/// What a run has to decide on, and what it need not.
#[derive(Debug, Default)]
pub(in crate::sync) struct Gathered {
    /// In the order of the feed.
    pub(in crate::sync) entries: Spooled<Entry>,
    /// How many of them could not be mapped, and how many are records with nobody in them.
    rejected: u64,
    nobody: u64,
    pub(in crate::sync) unmapped: BTreeMap<String, String>,
    /// The links that may matter.
    pub(in crate::sync) links: BTreeMap<String, Link>,
    /// What the records add that need not be looked at.
    pub(in crate::sync) quiet: Sum,
    /// What those add to the notes that are looked at.
    pub(in crate::sync) notes: Notes,
    /// The records, in the order of the feed.
    pub(super) records: Vec<Handled>,
    pub(super) looked_at: Vec<LookedAt>,
    /// What was made of those that are looked at.
    pub(super) made: Spooled<Packed>,
    /// Records that are gone, with those whom they were about.
    pub(super) gone: Vec<(usize, Vec<String>)>,
}

/// How a record is handled, and where it is.
#[derive(Debug, Clone, Copy)]
pub(super) enum Handled {
    /// Remembered, and left as it is.
    Quiet(u32),
    /// Among those that are looked at.
    LookedAt(u32),
}

/// A record that is looked at. In a first sync there is one of everybody.
#[derive(Debug)]
pub(super) struct LookedAt {
    /// As bytes, so that it takes no more room than it has.
    print: [u8; 16],
    pub(super) adds: Option<Box<Adds>>,
    /// What was decided before, as bytes, if it was there before.
    pub(super) before: Option<Box<[u8]>>,
    length: u32,
    entries: u32,
    /// Which of those that were made it is.
    pub(super) made: u32,
    pub(super) restless: bool,
    bad_dates: bool,
    rejected: bool,
}

impl LookedAt {
    pub(super) fn print(&self) -> u128 {
        u128::from_le_bytes(self.print)
    }

    /// As it is remembered.
    pub(super) fn row(&self, quiet: bool, since: bool) -> Row {
        Row {
            print: Print(self.print()),
            length: self.length,
            entries: self.entries,
            quiet,
            since,
            bad_dates: self.bad_dates,
            rejected: self.rejected,
            keys: (0, 0),
        }
    }

    pub(super) fn has_unknown_word(&self) -> bool {
        let adds = self.adds.as_ref();
        adds.is_some_and(|adds| !adds.odd.words.is_empty())
    }
}

/// The first half of a value that is remembered: what was made of a record, behind its length. The other half is what
/// was decided.
pub(super) fn first_half(made: &Made) -> Result<Vec<u8>, StoreError> {
    let mut bytes = vec![0; LENGTH];
    minicbor::encode(made, &mut bytes).map_err(|_| unreadable())?;
    let length = u32::try_from(bytes.len() - LENGTH).map_err(|_| unreadable())?;
    if let Some(begin) = bytes.first_chunk_mut() {
        *begin = length.to_le_bytes();
    }
    Ok(bytes)
}

const LENGTH: usize = size_of::<u32>();

/// The two halves of a value, the first without its length, or that it cannot be read.
pub(super) fn halves(value: &[u8]) -> Result<(&[u8], &[u8]), StoreError> {
    let halves = value.split_first_chunk().and_then(|(length, rest)| {
        let length = usize::try_from(u32::from_le_bytes(*length)).ok()?;
        rest.split_at_checked(length)
    });
    halves.ok_or_else(unreadable)
}

pub(super) fn decode<'b, T: minicbor::Decode<'b, ()>>(bytes: &'b [u8]) -> Result<T, StoreError> {
    minicbor::decode(bytes).map_err(|_| unreadable())
}

pub(super) fn encode(decisions: &[Decision]) -> Result<Vec<u8>, StoreError> {
    minicbor::to_vec(decisions).map_err(|_| unreadable())
}

pub(super) fn unreadable() -> StoreError {
    StoreError::Value {
        table: "remembered-1",
        what: "what is remembered of a record does not fit".into(),
    }
}

/// What a run sees of the store while it gathers.
struct Gathering<'a, P> {
    write: &'a Write,
    integration: &'a IntegrationId,
    people: &'a P,
    /// As the run before left them.
    shielded: &'a BTreeMap<String, BTreeSet<String>>,
    /// Residents whose links may matter, with those.
    links: BTreeMap<String, Option<Link>>,
    persons: BTreeSet<PersonId>,
    /// What hangs together with something that is looked at.
    keys: HashSet<u64>,
}

impl<P: People<Error = StoreError>> Gathering<'_, P> {
    /// Whether the resident is linked.
    fn resident(&mut self, resident: &str) -> Result<bool, StoreError> {
        self.keys.insert(key_of(resident));
        if let Some(known) = self.links.get(resident) {
            return Ok(known.is_some());
        }
        let link = self.write.link(self.integration, resident)?;
        self.links.insert(resident.to_owned(), link.clone());
        let Some(link) = link else { return Ok(false) };
        // Their record may be one that nobody could read, or in which there is nobody.
        self.keys.insert(key_of(record_of(resident, &link)));
        self.person(link.person)?;
        Ok(true)
    }

    fn person(&mut self, person: PersonId) -> Result<(), StoreError> {
        self.keys.insert(key_of_person(person));
        if self.persons.insert(person) {
            // Whoever has their email and is not linked may be another id of theirs (R22).
            let known = self.people.person(person)?;
            if let Some(email) = known.and_then(|known| known.email) {
                self.keys.insert(key_of_email(&email));
            }
            for (of, resident) in self.write.links_of(person)? {
                if of == *self.integration {
                    self.resident(&resident)?;
                }
            }
        }
        Ok(())
    }

    /// Whoever an entry may be about.
    fn entry(&mut self, entry: &Entry) -> Result<(), StoreError> {
        self.keys.insert(key_of(subject(entry)));
        match entry {
            Entry::Resident { normal, record, .. } => {
                let resident = &normal.resident;
                // Another record of this id may be one that nobody could read.
                self.keys.extend(record.as_deref().map(key_of));
                let is_linked = self.resident(&resident.id)?;
                if let Some(email) = &resident.email {
                    self.keys.insert(key_of_email(email));
                    if !is_linked {
                        let could_be = candidates(resident, email, self.people)?;
                        for person in could_be.by_email.iter().chain(&could_be.by_name) {
                            self.person(person.id)?;
                        }
                    }
                }
            }
            Entry::Rejected {
                resident: Some(resident),
                ..
            }
            | Entry::Erased { resident, .. } => {
                self.resident(resident)?;
            }
            Entry::Rejected { resident: None, .. } | Entry::Nobody { .. } => {
                if let Some(record) = nobodys(entry) {
                    self.record(record)?;
                }
            }
        }
        Ok(())
    }

    /// Whoever a record named last, and does not name now.
    fn record(&mut self, record: &str) -> Result<(), StoreError> {
        self.resident(record)?;
        for resident in self.shielded.get(record).into_iter().flatten() {
            self.resident(resident)?;
        }
        Ok(())
    }

    /// What is written about by others, does not rest, or is open.
    fn begin(
        &mut self,
        memory: &Memory,
        alerts: &BTreeMap<(AlertKind, String), Alert>,
    ) -> Result<(), StoreError> {
        for stirred in self.write.stirred(self.integration)? {
            match stirred {
                Stirred::Person(person) => self.person(person)?,
                Stirred::Resident(resident) => _ = self.resident(&resident)?,
            }
        }
        for resident in &memory.header.absent {
            self.resident(resident)?;
        }
        for alert in alerts.values() {
            if alert.state != AlertState::Open {
                continue;
            }
            self.keys.insert(key_of(&alert.subject));
            if let Ok(person) = alert.subject.parse() {
                self.person(person)?;
            }
            for side in &alert.sides {
                if let Some(resident) = &side.resident {
                    self.resident(resident)?;
                }
                if let Some(person) = side.person {
                    self.person(person)?;
                }
            }
        }
        Ok(())
    }
}

/// Why nothing could be gathered.
#[derive(Debug)]
pub(in crate::sync) enum Amiss {
    /// Another run remembered something else while this one was reading.
    MovedOn,
    /// What was remembered was dropped while this run was reading.
    Dropped,
    /// The store failed.
    Store(StoreError),
}

impl From<StoreError> for Amiss {
    fn from(error: StoreError) -> Amiss {
        Amiss::Store(error)
    }
}

/// A remembered record that is looked at again.
struct Pulled {
    /// Which of those that were made it is.
    made: u32,
    /// What was decided before, as bytes.
    decided: Vec<u8>,
}

/// Gathers what a run decides on. Without a memory that is everything.
pub(in crate::sync) fn gather(
    write: &Write,
    integration: &IntegrationId,
    people: &impl People<Error = StoreError>,
    alerts: &BTreeMap<(AlertKind, String), Alert>,
    memory: Option<&Memory>,
    taken: Takings,
) -> Result<Gathered, Amiss> {
    let Some(memory) = memory else {
        let links = write.links(integration)?;
        return Ok(everything(links, taken)?);
    };
    let header = write.first_of_feed(integration)?;
    if header.is_none() {
        return Err(Amiss::Dropped);
    }
    let header = header.and_then(|header| serde_json::from_slice(&header).ok());
    if header.as_ref() != Some(&memory.header) {
        return Err(Amiss::MovedOn);
    }
    let mut gathering = Gathering {
        write,
        integration,
        people,
        shielded: &memory.header.shielded,
        links: BTreeMap::new(),
        persons: BTreeSet::new(),
        keys: HashSet::new(),
    };
    gathering.begin(memory, alerts)?;
    // 0, 1, or several times in the feed.
    let mut came = vec![0_u8; memory.rows.len()];
    for taken in &taken.order {
        if let Taken::Known(place) = taken
            && let Some(came) = came.get_mut(*place)
        {
            *came = came.saturating_add(1);
        }
    }
    for made in taken.each_made() {
        for entry in &made?.entries {
            gathering.entry(entry)?;
        }
    }
    let mut pulled: BTreeMap<usize, Pulled> = BTreeMap::new();
    let Takings { order, mut made } = taken;
    let mut left: Vec<usize> = Vec::new();
    for (place, (row, came)) in memory.rows.iter().zip(&came).enumerate() {
        if *came == 1 && row.quiet {
            left.push(place);
        } else {
            gathering.pull(memory, place, &mut pulled, &mut made)?;
        }
    }
    gathering.pull_what_hangs_together(memory, &mut left, &mut pulled, &mut made)?;
    if !holds_without(memory, &pulled, &made)? {
        let is_rejected = |place: &usize| memory.rows.get(*place).is_some_and(|row| row.rejected);
        let (rejected, rest): (Vec<usize>, Vec<usize>) = left.into_iter().partition(is_rejected);
        left = rest;
        for place in rejected {
            gathering.pull(memory, place, &mut pulled, &mut made)?;
        }
        gathering.pull_what_hangs_together(memory, &mut left, &mut pulled, &mut made)?;
    }
    let links = gathering.links.into_iter();
    let links = links.filter_map(|(resident, link)| Some((resident, link?)));
    let taken = Takings { order, made };
    Ok(sorted(memory, links.collect(), taken, &came, pulled)?)
}

/// Whether what is told of the odd records that are left is known without them.
fn holds_without(
    memory: &Memory,
    pulled: &BTreeMap<usize, Pulled>,
    made: &Spooled<Packed>,
) -> Result<bool, StoreError> {
    let mut odd = memory.header.quiet.odd.clone();
    let quiet = |place: &usize| memory.rows.get(*place).is_some_and(|row| row.quiet);
    for (_, one) in pulled.iter().filter(|(place, _)| quiet(place)) {
        let made = made.get(one.made as usize)?.made()?;
        if !odd.take(&Odd::of(&made.entries)) {
            return Ok(false);
        }
    }
    Ok(true)
}

impl<P: People<Error = StoreError>> Gathering<'_, P> {
    /// Takes in what hangs together with what was taken in, and with that in turn.
    fn pull_what_hangs_together(
        &mut self,
        memory: &Memory,
        left: &mut Vec<usize>,
        pulled: &mut BTreeMap<usize, Pulled>,
        all: &mut Spooled<Packed>,
    ) -> Result<(), StoreError> {
        while !self.keys.is_empty() {
            let is_hit = |place: &usize| {
                let row = memory.rows.get(*place);
                row.is_some_and(|row| memory.keys(row).iter().any(|key| self.keys.contains(key)))
            };
            let (hit, rest): (Vec<usize>, Vec<usize>) =
                std::mem::take(left).into_iter().partition(is_hit);
            *left = rest;
            if hit.is_empty() {
                break;
            }
            for place in hit {
                self.pull(memory, place, pulled, all)?;
            }
        }
        Ok(())
    }

    /// Takes a remembered record in, whole.
    fn pull(
        &mut self,
        memory: &Memory,
        place: usize,
        pulled: &mut BTreeMap<usize, Pulled>,
        all: &mut Spooled<Packed>,
    ) -> Result<(), StoreError> {
        let Some(row) = memory.rows.get(place) else {
            return Ok(());
        };
        let value = self.write.remembered(self.integration, row.print.0)?;
        let mut value = value.ok_or_else(unreadable)?;
        let (made, decided) = halves(&value)?;
        let (made, decided): (Made, Vec<u8>) = (decode(made)?, decided.to_vec());
        for entry in &made.entries {
            self.entry(entry)?;
        }
        self.keys.extend(memory.keys(row));
        value.truncate(value.len() - decided.len());
        let made = u32::try_from(all.len()).unwrap_or(u32::MAX);
        // How long its text is stands in its row.
        all.push(&Packed::of(row.print, 0, value));
        pulled.insert(place, Pulled { made, decided });
        Ok(())
    }
}

fn is_rejected(entry: &Entry) -> bool {
    matches!(entry, Entry::Rejected { .. })
}

fn row_of(made: &Made) -> Row {
    Row {
        print: made.print,
        // A longer one is never found by its length, and read again.
        length: u32::try_from(made.length).unwrap_or(u32::MAX),
        entries: u32::try_from(made.entries.len()).unwrap_or(u32::MAX),
        quiet: false,
        since: true,
        bad_dates: !BadDates::of(&made.entries).is_empty(),
        rejected: made.entries.iter().any(is_rejected),
        keys: (0, 0),
    }
}

impl Gathered {
    /// Adds what need not be looked at to a plan's counts.
    pub(in crate::sync) fn add_to(&self, plan: &mut Plan) {
        for fate in Fate::ALL {
            plan.counts.add_many(fate, self.quiet.counts.of(fate));
        }
        for (reason, count) in &self.quiet.excluded_by {
            *plan.excluded_by.entry(reason.clone()).or_default() += count;
        }
    }

    /// How many residents, or records, could not be mapped.
    pub(in crate::sync) fn rejected(&self) -> u64 {
        self.rejected + self.quiet.counts.rejected
    }

    /// How many records have nobody in them.
    pub(in crate::sync) fn nobody(&self) -> u64 {
        self.nobody + self.quiet.odd.nobody
    }

    /// Linked people of whom a record could not be mapped, and is not looked at: whoever is not looked at is as they were.
    pub(in crate::sync) fn unmapped_beside(
        &self,
        write: &Write,
        integration: &IntegrationId,
        before: &Understanding,
    ) -> Result<BTreeSet<PersonId>, StoreError> {
        let looked_at: HashSet<PersonId> = self.links.values().map(|link| link.person).collect();
        let mut beside = BTreeSet::new();
        for person in before
            .unmapped
            .iter()
            .filter(|one| !looked_at.contains(one))
        {
            let links = write.links_of(*person)?;
            if links.iter().any(|(of, _)| of == integration) {
                beside.insert(*person);
            }
        }
        Ok(beside)
    }

    /// The notes of all records.
    pub(in crate::sync) fn all_notes(&self) -> Notes {
        let mut all = self.notes.clone();
        for (kind, count) in &self.quiet.notes {
            *all.entry(kind.clone()).or_default() += count;
        }
        all
    }

    /// The dates of all records that cannot be. Those who are named are the first of the feed, whether they are looked at
    /// or not.
    pub(in crate::sync) fn bad_dates(
        &self,
        write: &Write,
        integration: &IntegrationId,
        memory: Option<&Memory>,
    ) -> Result<BadDates, StoreError> {
        let mut all = self.quiet.bad_dates.clone();
        let adds = self.looked_at.iter().filter_map(|one| one.adds.as_ref());
        for adds in adds {
            all.add(&adds.bad_dates);
        }
        for record in &self.records {
            if all.is_named() {
                break;
            }
            match *record {
                Handled::LookedAt(place) => {
                    let one = self.looked_at.get(place as usize);
                    if let Some(adds) = one.and_then(|one| one.adds.as_ref()) {
                        all.name_those_of(&adds.bad_dates);
                    }
                }
                Handled::Quiet(place) => {
                    let row = memory.and_then(|memory| memory.rows.get(place as usize));
                    if let Some(row) = row.filter(|row| row.bad_dates) {
                        let value = write.remembered(integration, row.print.0)?;
                        let value = value.ok_or_else(unreadable)?;
                        let made: Made = decode(halves(&value)?.0)?;
                        all.name_those_of(&BadDates::of(&made.entries));
                    }
                }
            }
        }
        Ok(all)
    }

    /// Whoever has to be looked at once more: what could not be mapped of them was judged by their links as they were, and
    /// those are others now.
    pub(in crate::sync) fn unsettled(
        &self,
        plan: &Plan,
        understanding: &Understanding,
    ) -> Result<BTreeSet<PersonId>, StoreError> {
        let adds = self.looked_at.iter().filter_map(|one| one.adds.as_deref());
        let unread: HashSet<&str> = adds
            .flat_map(|adds| &adds.unread)
            .map(String::as_str)
            .collect();
        let mut people = BTreeSet::new();
        if unread.is_empty() && understanding.unmapped.is_empty() {
            return Ok(people);
        }
        let is_unread = |resident: &str, link: &Link| unread.contains(record_of(resident, link));
        for linked in &plan.links {
            let (resident, link) = linked?;
            let before = self.links.get(&resident);
            if understanding.unmapped.contains(&link.person)
                || is_unread(&resident, &link)
                || before.is_some_and(|before| is_unread(&resident, before))
            {
                people.insert(link.person);
            }
        }
        Ok(people)
    }

    /// Takes a record in that is looked at: what was made of it is the one at `place`.
    fn look_at(&mut self, made: Made, place: u32, row: &Row, before: Option<Vec<u8>>) {
        let one = LookedAt {
            print: row.print.0.to_le_bytes(),
            adds: Adds::of(&made),
            before: before.map(Vec::into_boxed_slice),
            length: row.length,
            entries: row.entries,
            made: place,
            restless: !made.unmapped.is_empty(),
            bad_dates: row.bad_dates,
            rejected: row.rejected,
        };
        for entry in &made.entries {
            self.rejected += u64::from(is_rejected(entry));
            self.nobody += u64::from(matches!(entry, Entry::Nobody { .. }));
            self.entries.push(entry);
        }
        self.unmapped.extend(made.unmapped);
        for (kind, count) in made.notes {
            *self.notes.entry(kind).or_default() += count;
        }
        self.records
            .push(Handled::LookedAt(number(self.looked_at.len())));
        self.looked_at.push(one);
    }
}

fn number(place: usize) -> u32 {
    u32::try_from(place).unwrap_or(u32::MAX)
}

fn everything(links: BTreeMap<String, Link>, taken: Takings) -> Result<Gathered, StoreError> {
    let mut gathered = Gathered {
        links,
        entries: taken.made.beside(),
        ..Gathered::default()
    };
    for (place, made) in (0..).zip(taken.each_made()) {
        let made = made?;
        let row = row_of(&made);
        gathered.look_at(made, place, &row, None);
    }
    gathered.made = taken.made;
    Ok(gathered)
}

fn sorted(
    memory: &Memory,
    links: BTreeMap<String, Link>,
    taken: Takings,
    came: &[u8],
    mut pulled: BTreeMap<usize, Pulled>,
) -> Result<Gathered, StoreError> {
    let Takings { order, made: all } = taken;
    let mut gathered = Gathered {
        links,
        quiet: memory.header.quiet.clone(),
        entries: all.beside(),
        ..Gathered::default()
    };
    for (place, one) in &pulled {
        let Some(row) = memory.rows.get(*place) else {
            continue;
        };
        let is_gone = came.get(*place) == Some(&0);
        if !row.quiet && !is_gone {
            continue;
        }
        let made = all.get(one.made as usize)?.made()?;
        if row.quiet {
            let decisions: Vec<Decision> = decode(&one.decided)?;
            gathered
                .quiet
                .count(&decisions, Adds::of(&made).as_deref(), false);
        }
        if is_gone {
            let subjects = made.entries.iter().map(|entry| subject(entry).to_owned());
            gathered.gone.push((*place, subjects.collect()));
        }
    }
    let mut in_order = all.in_order();
    for taken in order {
        match taken {
            Taken::Made(place) => {
                let made = made_at(&mut in_order, place)?;
                let row = row_of(&made);
                gathered.look_at(made, place, &row, None);
            }
            Taken::Known(place) => {
                let again = came.get(place).is_some_and(|came| *came > 1);
                let one = if again {
                    pulled
                        .get(&place)
                        .map(|one| (one.made, one.decided.clone()))
                } else {
                    pulled.remove(&place).map(|one| (one.made, one.decided))
                };
                let (Some((made_at, decided)), Some(row)) = (one, memory.rows.get(place)) else {
                    gathered.records.push(Handled::Quiet(number(place)));
                    continue;
                };
                let made = all.get(made_at as usize)?.made()?;
                gathered.look_at(made, made_at, row, Some(decided));
            }
        }
    }
    drop(in_order);
    gathered.made = all;
    Ok(gathered)
}
