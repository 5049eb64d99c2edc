//! What a run remembers of its feed for the next one: every record by its print, what was made of it, and whether
//! the run after would decide the same again whatever else happens. It can be dropped at any time; then the next run
//! looks at everything. What has to be looked at again is in `gather`, what is remembered in `keep`.

mod gather;
mod households;
mod keep;
mod taken;
mod upgrade;
mod withheld;

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;
use minicbor::{Decode, Encode};
use serde::{Deserialize, Serialize};
use xxhash_rust::xxh3::{xxh3_64_with_seed, xxh3_128};

use crate::model::{Counts, Decision, Fate, PersonId, Print, RunId};
use crate::script::Lookups;
use crate::source::Known;

use crate::rules;
use crate::rules::dates::BadDates;
use crate::rules::entry::Entry;
use crate::rules::normal::Notes;
use crate::rules::odd::Odd;
use crate::rules::understood::unread_id;

pub(super) use gather::Amiss;
use gather::first_half;
pub(super) use gather::{Gathered, gather};
pub(super) use households::households;
pub(super) use keep::{Kept, MappedBy, keep};
pub(super) use taken::Takings;
pub(super) use upgrade::{Earlier, Upgrade};
pub(super) use withheld::withhold;

/// The form of everything that is remembered; another one is dropped. Records stand in it as in the first; since the
/// third those are found by nobody that are named by their place, since the fourth what was made and decided is packed.
const FORM: u32 = 4;

/// So many records stand in one part of a feed.
const PART: usize = 1024;

/// What mapping made of a record.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub(super) struct Made {
    #[cbor(skip)]
    pub(super) print: Print,
    /// The length of the record's text in bytes.
    #[cbor(skip)]
    pub(super) length: usize,
    #[n(0)]
    pub(super) entries: Vec<Entry>,
    #[cbor(n(1), skip_if = "BTreeMap::is_empty")]
    pub(super) notes: Notes,
    /// PMS units that the mapping list does not know (R35), and what to do about each.
    #[cbor(n(2), skip_if = "BTreeMap::is_empty")]
    pub(super) unmapped: BTreeMap<String, String>,
    /// All that, as it is remembered; empty where that is not known yet.
    #[cbor(skip)]
    bytes: Vec<u8>,
}

impl Made {
    pub(super) fn of(print: Print, length: usize) -> Made {
        Made {
            print,
            length,
            bytes: Vec::new(),
            entries: Vec::new(),
            notes: Notes::new(),
            unmapped: BTreeMap::new(),
        }
    }

    /// What has no id is named by its place in the feed: then it is looked at by every run, and nothing of it is found by
    /// its text, which may come several times, and elsewhere the next time.
    pub(super) fn keep_place(&mut self, name: &str, number: u64) {
        let is_of_place = |subject: &str| {
            let rest = subject.strip_prefix(name);
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(','))
        };
        if self.entries.iter().any(|entry| is_of_place(subject(entry))) {
            self.print.0 ^= xxh3_128(&number.to_le_bytes());
            self.length = usize::MAX;
        }
    }

    /// Encodes it where it was made, which may be on several cores.
    pub(super) fn encode(&mut self) {
        // What cannot be encoded is told where it is remembered.
        self.bytes = first_half(self).unwrap_or_default();
    }

    /// By what it hangs together with others: its residents, or itself where it made none, and their emails.
    fn keys(&self) -> Vec<u64> {
        let mut keys = Vec::new();
        for entry in &self.entries {
            keys.push(key_of(subject(entry)));
            if let Entry::Resident { normal, .. } = entry
                && let Some(email) = &normal.resident.email
            {
                keys.push(key_of_email(email));
            }
        }
        keys
    }
}

/// Whom a decision about an entry is about.
fn subject(entry: &Entry) -> &str {
    match entry {
        Entry::Resident { normal, .. } => &normal.resident.id,
        Entry::Rejected { record, .. } | Entry::Nobody { record } => record,
        Entry::Erased { resident, .. } => resident,
    }
}

fn key_of(subject: &str) -> u64 {
    xxh3_64_with_seed(subject.as_bytes(), 1)
}

fn key_of_email(email: &str) -> u64 {
    xxh3_64_with_seed(email.as_bytes(), 2)
}

fn key_of_person(person: PersonId) -> u64 {
    xxh3_64_with_seed(&person.0.to_le_bytes(), 3)
}

/// What a record adds to the report of a run, besides its decisions. Most add nothing.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Adds {
    notes: Notes,
    bad_dates: BadDates,
    odd: Odd,
    /// The ids of records of which nothing could be read.
    unread: Vec<String>,
    /// Those of records with nobody in them.
    nobodys: Vec<String>,
}

impl Adds {
    fn of(made: &Made) -> Option<Box<Adds>> {
        let unread = made.entries.iter().filter_map(unread_id);
        let nobodys = made.entries.iter().filter_map(|entry| match entry {
            Entry::Nobody { record } => Some(record.clone()),
            _ => None,
        });
        let adds = Adds {
            notes: made.notes.clone(),
            bad_dates: BadDates::of(&made.entries),
            odd: Odd::of(&made.entries),
            unread: unread.map(String::from).collect(),
            nobodys: nobodys.collect(),
        };
        (adds != Adds::default()).then(|| Box::new(adds))
    }
}

/// What the quiet records add to the report of every run.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub(super) struct Sum {
    pub(super) counts: Counts,
    pub(super) excluded_by: BTreeMap<String, u64>,
    /// Linked people who rest because they are left out (R8), by reason.
    #[serde(default)]
    pub(super) resting: BTreeMap<String, u64>,
    pub(super) notes: Notes,
    #[serde(default, skip_serializing_if = "BadDates::is_empty")]
    pub(super) bad_dates: BadDates,
    /// What is told of those that could not be mapped, or have a word that nobody knows.
    #[serde(default)]
    pub(super) odd: Odd,
}

impl Sum {
    /// Counts what a record adds, or does not add any more.
    fn count(&mut self, decisions: &[Decision], adds: Option<&Adds>, more: bool) {
        let change = |count: &mut u64, by: u64| {
            *count = if more {
                *count + by
            } else {
                count.saturating_sub(by)
            };
        };
        for decision in decisions {
            if more {
                self.counts.add(decision.fate);
            } else {
                self.counts.take(decision.fate);
            }
            if decision.fate == Fate::Excluded {
                change(
                    self.excluded_by.entry(decision.reason.clone()).or_default(),
                    1,
                );
                if decision.rule == "R8" {
                    change(self.resting.entry(decision.reason.clone()).or_default(), 1);
                }
            }
        }
        for (kind, count) in adds.iter().flat_map(|adds| &adds.notes) {
            change(self.notes.entry(kind.clone()).or_default(), *count);
        }
        match adds {
            Some(adds) if more => {
                self.bad_dates.add(&adds.bad_dates);
                self.odd.add(&adds.odd);
            }
            Some(adds) => {
                self.bad_dates.take(&adds.bad_dates);
                // Where that cannot be told by what is left, all of them are looked at.
                let _ = self.odd.take(&adds.odd);
            }
            None => {}
        }
        self.excluded_by.retain(|_, count| *count > 0);
        self.resting.retain(|_, count| *count > 0);
        self.notes.retain(|_, count| *count > 0);
    }
}

/// What the memory of a feed begins with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Header {
    form: u32,
    /// The version of the rules by which everything was decided; 0 where none was kept yet.
    #[serde(default)]
    rules: u32,
    /// A hash of the script that mapped it; none where none was kept yet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    script: Option<String>,
    /// Counts up with every change of the memory.
    serial: u64,
    /// What everything was mapped by, besides the records.
    basis: String,
    /// The day for which it was mapped, where that may matter.
    today: Option<Date>,
    /// Of the prints.
    seed: u64,
    quiet: Sum,
    /// Residents who are linked, and whom the feed does not name any more (R25).
    absent: BTreeSet<String>,
    /// Residents who are linked, and of whose record nothing could be read, by its id: it protects them (R25), and they are
    /// not looked at until it is.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    shielded: BTreeMap<String, BTreeSet<String>>,
    /// The run whose decisions stand for the quiet records that are not marked `since`.
    base: RunId,
    /// Whose decisions of that run do not stand any more.
    gone: BTreeSet<String>,
}

/// A record that is remembered.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Row {
    print: Print,
    length: u32,
    entries: u32,
    /// The next run decides the same, unless something happens to what it hangs together with.
    quiet: bool,
    /// It was decided on after the run whose decisions stand.
    since: bool,
    /// Somebody in it has dates that cannot be (R12).
    bad_dates: bool,
    /// Something in it could not be mapped.
    rejected: bool,
    /// Where its keys are among all.
    keys: (u32, u32),
}

/// What is remembered of a feed.
#[derive(Debug)]
pub(super) struct Memory {
    header: Header,
    rows: Vec<Row>,
    keys: Vec<u64>,
    /// Of each part, to see whether it has to be written.
    parts: Vec<u128>,
}

impl Memory {
    /// What is remembered, where it serves: mapped by the same, and for the same day where that matters.
    pub(super) fn read(parts: &[Vec<u8>], basis: &Basis, today: Date) -> Option<Memory> {
        let (header, parts) = parts.split_first()?;
        let header: Header = serde_json::from_slice(header).ok()?;
        if header.form != FORM
            || header.rules != rules::VERSION
            || header.basis != basis.0
            || header.today.is_some_and(|day| day != today)
        {
            return None;
        }
        Memory::of(header, parts)
    }

    fn of(header: Header, parts: &[Vec<u8>]) -> Option<Memory> {
        let mut memory = Memory {
            header,
            rows: Vec::new(),
            keys: Vec::new(),
            parts: parts.iter().map(|part| xxh3_128(part)).collect(),
        };
        for part in parts {
            let mut rest = part.as_slice();
            while !rest.is_empty() {
                rest = memory.row(rest)?;
            }
        }
        Some(memory)
    }

    fn row<'a>(&mut self, bytes: &'a [u8]) -> Option<&'a [u8]> {
        let (print, bytes) = bytes.split_first_chunk()?;
        let (length, bytes) = bytes.split_first_chunk()?;
        let (entries, bytes) = bytes.split_first_chunk()?;
        let ([marks, keys], mut bytes) = bytes.split_first_chunk()?;
        let begin = u32::try_from(self.keys.len()).ok()?;
        for _ in 0..*keys {
            let (key, rest) = bytes.split_first_chunk()?;
            self.keys.push(u64::from_le_bytes(*key));
            bytes = rest;
        }
        self.rows.push(Row {
            print: Print(u128::from_le_bytes(*print)),
            length: u32::from_le_bytes(*length),
            entries: u32::from_le_bytes(*entries),
            quiet: marks & 1 != 0,
            since: marks & 2 != 0,
            bad_dates: marks & 4 != 0,
            rejected: marks & 8 != 0,
            keys: (begin, begin + u32::from(*keys)),
        });
        Some(bytes)
    }

    fn keys(&self, row: &Row) -> &[u64] {
        let (begin, end) = row.keys;
        self.keys
            .get(begin as usize..end as usize)
            .unwrap_or_default()
    }

    /// The records as a reading compares with them.
    pub(super) fn known(&self) -> Known {
        let records = self.rows.iter().map(|row| (row.print, row.length));
        Known::new(self.header.seed, records.collect())
    }

    pub(super) fn seed(&self) -> u64 {
        self.header.seed
    }

    /// How many entries a record has.
    pub(super) fn entries(&self, place: usize) -> u64 {
        self.rows.get(place).map_or(0, |row| u64::from(row.entries))
    }

    /// The day it holds for, where that may matter.
    pub(super) fn today(&self) -> Option<Date> {
        self.header.today
    }
}

fn put_row(bytes: &mut Vec<u8>, row: &Row, keys: &[u64]) {
    bytes.extend(row.print.0.to_le_bytes());
    bytes.extend(row.length.to_le_bytes());
    bytes.extend(row.entries.to_le_bytes());
    let marks = [row.quiet, row.since, row.bad_dates, row.rejected];
    let marks = marks.iter().enumerate();
    bytes.push(marks.fold(0, |all, (place, mark)| all | u8::from(*mark) << place));
    bytes.push(u8::try_from(keys.len()).unwrap_or(u8::MAX));
    for key in keys.iter().take(usize::from(u8::MAX)) {
        bytes.extend(key.to_le_bytes());
    }
}

/// Everything that a mapping depends on besides the record and the day.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Basis(pub(super) String);

impl Basis {
    /// Of an integration's fingerprint, the units that were mapped by hand, and the lookups.
    pub(super) fn of(
        fingerprint: &str,
        units: &BTreeMap<String, String>,
        lookups: &Lookups,
    ) -> Basis {
        let mut hasher = blake3::Hasher::new();
        let mut add = |text: &str| {
            hasher.update(&(text.len() as u64).to_le_bytes());
            hasher.update(text.as_bytes());
        };
        add(fingerprint);
        add(&format!("rules {}", rules::VERSION));
        for (unit, here) in units {
            add(unit);
            add(here);
        }
        for (request, property, records) in lookups.iter() {
            add(request);
            if !property.is_empty() {
                add(property);
            }
            for (id, record) in records {
                add(id);
                add(record);
            }
        }
        Basis(hasher.finalize().to_hex()[..32].to_owned())
    }
}
