//! The yardsticks: reading the bytes and nothing else, and what somebody would write by hand in Rust for this one feed
//! and no other: typed, without a script, without matching, without a history. `benches/by_hand.py` is the same in
//! Python.

use std::path::PathBuf;
use std::process::Command;

use epms::model::{LeaseStatus, Relationship, Resident, Unit};
use jiff::civil::Date;
use redb::{Database, TableDefinition};
use serde::{Deserialize, Serialize};

use super::invented::PAGE;
use super::usage::{Usage, measured};
use super::wire::Wire;

/// Reads everybody from the feed and does nothing with it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Read {
    pub(crate) url: String,
    pub(crate) residents: u64,
}

/// Reads everybody, maps them, and puts them into a table.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct ByHand {
    pub(crate) read: Read,
    /// The file of the table.
    pub(crate) file: PathBuf,
}

impl Read {
    fn each_page(&self, mut page: impl FnMut(&[u8])) {
        let (mut wire, mut body) = (Wire::to(&self.url), Vec::new());
        for from in (0..self.residents).step_by(usize::try_from(PAGE).unwrap()) {
            let path = format!("/buildings/all/residents?from={from}&count={PAGE}");
            wire.ask("GET", &path, &mut body);
            page(&body);
        }
    }
}

pub(crate) fn read(task: &Read) -> Usage {
    let mut bytes = 0;
    let ((), usage) = measured(|| task.each_page(|page| bytes += page.len()));
    assert!(bytes > usize::try_from(task.residents).unwrap() * 800);
    usage
}

const PEOPLE: TableDefinition<&str, &[u8]> = TableDefinition::new("people");

pub(crate) fn by_hand(task: &ByHand) -> Usage {
    let database = Database::create(&task.file).unwrap();
    let work = || {
        let transaction = database.begin_write().unwrap();
        let mut table = transaction.open_table(PEOPLE).unwrap();
        task.read.each_page(|page| {
            let page: Page = serde_json::from_slice(page).unwrap();
            for resident in page.data.iter().filter_map(person) {
                let value = serde_json::to_vec(&resident).unwrap();
                table.insert(resident.id.as_str(), &*value).unwrap();
            }
        });
        drop(table);
        transaction.commit().unwrap();
    };
    measured(work).1
}

/// The same in Python; none where there is no `python3`.
pub(crate) fn by_hand_in_python(task: &ByHand) -> Option<Usage> {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/benches/by_hand.py");
    let mut python = Command::new("python3");
    let output = python.args([script, &task.read.url]).arg(&task.file);
    let output = output.output().ok()?;
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{errors}");
    Some(serde_json::from_slice(&output.stdout).unwrap())
}

/// A page of the feed.
#[derive(Deserialize)]
struct Page<'a> {
    #[serde(borrow)]
    data: Vec<Record<'a>>,
}

/// A record of the feed, as far as anybody wants it.
#[derive(Deserialize)]
pub(crate) struct Record<'a> {
    id: &'a str,
    #[serde(borrow)]
    person: Person<'a>,
    lease: Lease<'a>,
}

#[derive(Deserialize)]
struct Person<'a> {
    first: &'a str,
    last: &'a str,
    #[serde(borrow)]
    emails: Vec<Email<'a>>,
    phones: Vec<Phone<'a>>,
}

#[derive(Deserialize)]
struct Email<'a> {
    address: Option<&'a str>,
}

#[derive(Deserialize)]
struct Phone<'a> {
    number: Option<&'a str>,
}

#[derive(Deserialize)]
struct Lease<'a> {
    id: &'a str,
    status: &'a str,
    from: Option<Date>,
    to: Option<Date>,
    moved_in: Option<&'a str>,
    #[serde(borrow)]
    unit: LeasedUnit<'a>,
}

#[derive(Deserialize)]
struct LeasedUnit<'a> {
    id: &'a str,
    label: &'a str,
}

/// A record as the person that it is, in the normal forms; none where the status is on the exclude list.
pub(crate) fn person(record: &Record<'_>) -> Option<Resident> {
    let status = match record.lease.status {
        "Current" | "Notice" => LeaseStatus::Current,
        "Future" => LeaseStatus::Pending,
        "Past" => LeaseStatus::Past,
        "Applicant" | "Cancelled" => return None,
        _ => LeaseStatus::Unknown,
    };
    let emails = record.person.emails.iter();
    let email = emails
        .filter_map(|email| email.address)
        .map(str::trim)
        .find(|address| !address.is_empty());
    let phone = record.person.phones.first().and_then(|phone| phone.number);
    let unit = &record.lease.unit;
    Some(Resident {
        id: record.id.to_owned(),
        lease_id: Some(record.lease.id.to_owned()),
        household: None,
        relationship: Relationship::Primary,
        first_name: record.person.first.trim().to_owned(),
        last_name: record.person.last.trim().to_owned(),
        email: email.map(str::to_lowercase),
        phone: phone.map(e164),
        unit: Some(Unit {
            id: unit.id.to_owned(),
            label: unit.label.to_owned(),
            formerly: None,
        }),
        lease_start: record.lease.from,
        lease_end: record.lease.to,
        move_in: record.lease.moved_in.and_then(month_first),
        move_out: None,
        unreadable: std::collections::BTreeSet::new(),
        status,
        status_word: record.lease.status.to_owned(),
        notice: false,
        eviction: false,
    })
}

fn e164(number: &str) -> String {
    let mut phone = String::from("+1");
    phone.extend(number.chars().filter(char::is_ascii_digit));
    phone
}

fn month_first(text: &str) -> Option<Date> {
    let mut parts = text.split('/').map(str::parse);
    let (month, day) = (parts.next()?.ok()?, parts.next()?.ok()?);
    let year: i16 = text.get(6..)?.parse().ok()?;
    Date::new(year, month, day).ok()
}
