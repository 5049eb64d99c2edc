//! Records that could not be mapped, folded: one for each place of the script, or rule, with how many it stopped
//! (R41). Decides nothing. Pure.

use std::collections::{BTreeMap, BTreeSet};

use super::entry::Entry;

/// So many examples stand for all records of a place.
const EXAMPLES: usize = 3;

/// The records that one place stopped.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Rejected {
    /// How many.
    pub(crate) count: u64,
    /// The ids of some of them: the first ones in order, so that the same records give the same examples.
    pub(crate) examples: BTreeSet<String>,
    /// What is said of them. Where that differs, what comes first in order.
    pub(crate) text: String,
}

impl Rejected {
    fn add(&mut self, record: &str, text: &str) {
        let key = |text: &str| (shape(text), text.to_owned());
        if self.count == 0 || key(text) < key(&self.text) {
            text.clone_into(&mut self.text);
        }
        self.count += 1;
        let comes_first = self
            .examples
            .last()
            .is_none_or(|last| record < last.as_str());
        if self.examples.len() < EXAMPLES || comes_first {
            self.examples.insert(record.to_owned());
        }
        if self.examples.len() > EXAMPLES {
            self.examples.pop_last();
        }
    }
}

/// What was rejected, by place.
pub(crate) fn by_place(entries: &[Entry]) -> BTreeMap<String, Rejected> {
    let mut places: BTreeMap<String, Rejected> = BTreeMap::new();
    for entry in entries {
        if let Entry::Rejected {
            record,
            place,
            message,
            ..
        } = entry
        {
            if let Some(rejected) = places.get_mut(place) {
                rejected.add(record, message);
            } else {
                let mut rejected = Rejected::default();
                rejected.add(record, message);
                places.insert(place.clone(), rejected);
            }
        }
    }
    places
}

/// Whether two texts say the same of perhaps other records: a script may put a number of the record into its text.
pub(crate) fn says_the_same(one: &str, other: &str) -> bool {
    shape(one) == shape(other)
}

/// A text with one mark in the place of each number.
fn shape(text: &str) -> String {
    let mut shape = String::with_capacity(text.len());
    for character in text.chars() {
        if !character.is_ascii_digit() {
            shape.push(character);
        } else if !shape.ends_with('#') {
            shape.push('#');
        }
    }
    shape
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rejected(record: &str, place: &str, message: &str) -> Entry {
        Entry::Rejected {
            record: record.into(),
            has_id: true,
            resident: None,
            place: place.into(),
            message: message.into(),
        }
    }

    #[test]
    fn r41_two_thousand_records_of_one_text_are_one_place_with_a_count_and_three_examples() {
        let mut entries: Vec<Entry> = (0..2000)
            .map(|number| rejected(&format!("t{number:04}"), "scripts/a.rhai:3:9", "is no date"))
            .collect();
        entries.push(rejected("t9", "last_name", "is empty"));
        entries.push(Entry::Nobody {
            record: "t10".into(),
        });
        let places = by_place(&entries);
        assert_eq!(places.len(), 2);
        let one = &places["scripts/a.rhai:3:9"];
        assert_eq!((one.count, one.text.as_str()), (2000, "is no date"));
        assert_eq!(
            one.examples.iter().collect::<Vec<_>>(),
            ["t0000", "t0001", "t0002"]
        );
        assert_eq!(places["last_name"].count, 1);
        entries.reverse();
        assert_eq!(by_place(&entries), places, "in whatever order they come");
    }

    #[test]
    fn texts_that_differ_by_a_number_of_the_record_say_the_same() {
        assert!(says_the_same("lease 77 is broken", "lease 8 is broken"));
        assert!(!says_the_same("lease 77 is broken", "lease 77 is gone"));
        let texts = ["lease 9 of 2", "lease 10 of 2", "a lease"];
        let entries = texts.map(|text| rejected(text, "scripts/a.rhai:1:1", text));
        assert_eq!(by_place(&entries)["scripts/a.rhai:1:1"].text, "a lease");
    }
}
