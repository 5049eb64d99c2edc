//! A record: what the PMS sent, before mapping.

use std::fmt;
use std::sync::Arc;

use xxhash_rust::xxh3::{Xxh3Default, xxh3_64_with_seed, xxh3_128_with_seed};

/// One object of a PMS's answer, as JSON text whatever form it came in (XML elements become objects:
/// names without their namespace, attributes as `@name`, text beside attributes as `#text`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// The request that it answers, as the connector names it.
    pub request: Arc<str>,
    /// The PMS property that was asked for, or that the record names where all are asked for at once; empty where it is
    /// not known.
    pub property: Arc<str>,
    /// The record.
    pub json: Box<str>,
    /// Its place among the records of an earlier run, where it is known to be the same as there. Then its text is
    /// left out.
    pub known: Option<usize>,
}

/// What tells a record from every other one: a hash of its text, and of what was asked for it. The seed is one that
/// no sender knows, so that nobody can make two records with one print.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Print(pub u128);

impl fmt::Debug for Print {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Print({:032x})", self.0)
    }
}

impl Print {
    /// What tells a page from every other one: the prints of its records, in their order.
    pub fn of_page(records: impl Iterator<Item = Print>) -> Print {
        let mut page = Xxh3Default::new();
        for record in records {
            page.update(&record.0.to_le_bytes());
        }
        Print(page.digest128())
    }
}

/// Makes the prints of the records of one request and property.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Printer(u64);

impl Printer {
    /// For the records that answer `request` for `property`.
    pub fn new(seed: u64, request: &str, property: &str) -> Printer {
        let of_request = xxh3_64_with_seed(request.as_bytes(), seed);
        Printer(xxh3_64_with_seed(property.as_bytes(), of_request))
    }

    /// The print of a record's text.
    pub fn print(self, json: &str) -> Print {
        Print(xxh3_128_with_seed(json.as_bytes(), self.0))
    }
}

/// Whether everything was read that there is.
#[derive(Debug)]
pub enum Reading<E> {
    /// All of it: what is missing is missing in the PMS.
    Complete {
        /// Pages read.
        pages: u64,
        /// Records read.
        records: u64,
        /// What was taken for granted although no answer says it, with how often: a kind, and the place in the connector's
        /// file that it is about.
        notes: std::collections::BTreeMap<String, u64>,
    },
    /// Not all of it. Nothing follows from what is missing, and nothing may be written (R26).
    Partial {
        /// Why.
        reason: E,
    },
}
