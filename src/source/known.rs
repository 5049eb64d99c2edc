//! The records that an earlier run read, by their prints: what comes again need not be read again.

use std::collections::HashMap;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::model::{Print, Printer};

/// So many places further a record is looked for at once: records were deleted between.
const NEAR: usize = 8;

/// A record that is the same as a known one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Same {
    /// Which one of the known records it is.
    pub(super) place: usize,
    pub(super) print: Print,
}

/// The records of an earlier reading, in their order.
#[derive(Debug)]
pub struct Known {
    seed: u64,
    /// Each with the length of its text in bytes.
    records: Vec<(Print, u32)>,
    /// The one that is expected next, which is no more than a guess.
    next: AtomicUsize,
    by_print: OnceLock<HashMap<Print, usize>>,
}

impl Known {
    /// Records whose prints were made with this seed.
    pub fn new(seed: u64, records: Vec<(Print, u32)>) -> Known {
        Known {
            seed,
            records,
            next: AtomicUsize::new(0),
            by_print: OnceLock::new(),
        }
    }

    pub(super) fn printer(&self, request: &str, property: &str) -> Printer {
        Printer::new(self.seed, request, property)
    }

    /// The record that `text` begins with, where it is one that is expected now, and its length.
    pub(super) fn begins(&self, printer: Printer, text: &str) -> Option<(Same, usize)> {
        let next = self.next.load(Ordering::Relaxed);
        let near = self.records.iter().enumerate().skip(next).take(NEAR);
        for (place, (print, length)) in near {
            let length = usize::try_from(*length).ok()?;
            let ends = matches!(
                text.as_bytes().get(length),
                Some(b',' | b']' | b' ' | b'\n' | b'\r' | b'\t')
            );
            if ends
                && text
                    .get(..length)
                    .is_some_and(|text| printer.print(text) == *print)
            {
                self.next.store(place + 1, Ordering::Relaxed);
                let print = *print;
                return Some((Same { place, print }, length));
            }
        }
        None
    }

    /// Where a record is among the known ones.
    pub fn place_of(&self, print: Print) -> Option<usize> {
        let by_print = self.by_print.get_or_init(|| {
            let places = self.records.iter().enumerate();
            places.map(|(place, (print, _))| (*print, place)).collect()
        });
        by_print.get(&print).copied()
    }

    /// The record with this text, wherever it stood.
    pub(super) fn find(&self, printer: Printer, text: &str) -> Option<Same> {
        let print = printer.print(text);
        let place = self.place_of(print)?;
        self.next.store(place + 1, Ordering::Relaxed);
        Some(Same { place, print })
    }

    /// A record that is none of these is another one, most likely in the place of the one expected.
    pub(super) fn skip(&self) {
        self.next.fetch_add(1, Ordering::Relaxed);
    }
}
