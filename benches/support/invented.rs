//! The invented residents of the feed: the same number gives the same record, about 950 bytes of it.

use std::fmt::Write;

use serde::{Deserialize, Serialize};

/// Residents on a page.
pub(crate) const PAGE: u64 = 1_000;

/// What the feed says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Round {
    /// As it is at the beginning.
    First,
    /// One in a hundred has another phone and another end of the lease.
    Changed,
}

/// What a sync must make of so many residents, for the benchmark to have measured what it says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Expected {
    /// They live there or will.
    pub(crate) people: u64,
    /// Their status is on the exclude list.
    pub(crate) excluded: u64,
    /// Of the people, those whom [`Round::Changed`] changes.
    pub(crate) changed: u64,
}

impl Expected {
    pub(crate) fn of(residents: u64) -> Expected {
        let mut expected = Expected {
            people: 0,
            excluded: 0,
            changed: 0,
        };
        for number in 0..residents {
            match status(number) {
                "Current" | "Notice" | "Future" => expected.people += 1,
                "Applicant" | "Cancelled" => expected.excluded += 1,
                _ => {}
            }
            expected.changed += u64::from(changes(number));
        }
        expected
    }
}

fn status(number: u64) -> &'static str {
    match number % 100 {
        0..76 => "Current",
        76..84 => "Notice",
        84..90 => "Future",
        90..94 => "Past",
        94..97 => "Applicant",
        _ => "Cancelled",
    }
}

fn changes(number: u64) -> bool {
    number % 100 == 7
}

const FIRST: [&str; 40] = [
    "Maren", "Bram", "Odile", "Tomas", "Ines", "Rufus", "Saskia", "Emil", "Noor", "Pavel", "Lena",
    "Arlo", "Mina", "Jonas", "Greta", "Ivo", "Zelda", "Otto", "Yara", "Felix", "Nadia", "Hugo",
    "Tess", "Milan", "Vera", "Oscar", "Lucia", "Anton", "Flora", "Casper", "Edda", "Silas",
    "Renata", "Boris", "Dalia", "Kasper", "Marta", "Leon", "Petra", "Simon",
];

const SYLLABLES: [&str; 20] = [
    "ba", "ke", "li", "mo", "nu", "ra", "se", "ti", "vo", "du", "fa", "ge", "hi", "jo", "pu", "wa",
    "ze", "ri", "lo", "ne",
];

/// Appends the last name of a resident: of the first name and it there is one pair for each number.
fn last_name(out: &mut String, number: u64) {
    let mut rest = number / 40;
    let start = out.len();
    for _ in 0..5 {
        out.push_str(SYLLABLES[usize::try_from(rest % 20).unwrap()]);
        rest /= 20;
    }
    out[start..=start].make_ascii_uppercase();
}

/// Appends the record of a resident, as JSON.
pub(crate) fn record(out: &mut String, number: u64, round: Round) {
    let changed = changes(number) && round == Round::Changed;
    let first = FIRST[usize::try_from(number % 40).unwrap()];
    let mut last = String::with_capacity(10);
    last_name(&mut last, number);
    let (status, lower) = (status(number), last.to_lowercase());
    let (building, flat) = (number / 200, number % 200 + 1);
    let (month, day) = (number % 12 + 1, number % 28 + 1);
    let (line, end) = if changed {
        (200 + number % 700, 2028)
    } else {
        (100 + number % 100, 2027)
    };
    let rent = 900 + number % 2_400;
    write!(
        out,
        r#"{{"id":"R-{number:08}","kind":"resident","person":{{"first":"{first}","middle":null,"last":"{last}","title":"","born":null,"emails":[{{"kind":"home","address":"{first}.{lower}.{number}@Example.com","confirmed":true}},{{"kind":"work","address":"","confirmed":false}}],"phones":[{{"kind":"mobile","number":"(503) 555-{line:04}","sms":true}},{{"kind":"work","number":null,"sms":false}}],"language":"en","portal":{{"invited":true,"active":{active}}}}},"lease":{{"id":"L-{number:08}","status":"{status}","from":"2025-{month:02}-{day:02}","to":"{end}-{month:02}-{day:02}","moved_in":"{month:02}/{day:02}/2025","moved_out":null,"signed":"2025-01-15T10:30:00Z","unit":{{"id":"U-{building}-{flat}","label":"Bldg {building} - {flat}","floor":{floor},"type":"2B2B","area":{{"value":84.5,"unit":"m2"}}}},"rent":{{"amount":"{rent}.00","currency":"USD","due":1,"balance":"0.00"}},"term_months":24,"renewal":"none"}},"vehicles":[],"pets":[{{"kind":"cat","name":"Mog","weight":4.2}}],"tags":["autopay","paperless"],"created":"2025-01-10T08:00:00Z","source":"office"}}"#,
        active = number.is_multiple_of(3),
        floor = flat / 20,
    )
    .unwrap();
}

/// A page of residents, as the feed answers: those from `from` on, at most `count`, of numbers below `end`.
pub(crate) fn page(from: u64, count: u64, end: u64, round: Round) -> String {
    let numbers = from..from.saturating_add(count).min(end);
    let mut out = String::with_capacity(usize::try_from(count).unwrap() * 1_100 + 16);
    out.push_str("{\"data\":[");
    for number in numbers.clone() {
        if number > numbers.start {
            out.push(',');
        }
        record(&mut out, number, round);
    }
    out.push_str("]}");
    out
}

/// All pages of so many residents.
pub(crate) fn pages(residents: u64, round: Round) -> Vec<String> {
    let starts = (0..residents).step_by(usize::try_from(PAGE).unwrap());
    starts
        .map(|from| page(from, PAGE, residents, round))
        .collect()
}
