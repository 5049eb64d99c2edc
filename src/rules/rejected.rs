//! Records that could not be mapped, folded: one for each place of the script, or rule, with how many it stopped
//! (R41). Decides nothing. Pure.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::entry::Entry;

/// So many examples stand for all records of a place.
const EXAMPLES: usize = 3;

/// The records that one place stopped.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub(crate) struct Rejected {
    /// How many.
    pub(crate) count: u64,
    /// The ids of some of them: the first ones in order, so that the same records give the same examples.
    pub(crate) examples: BTreeSet<String>,
    /// What is said of them. Where that differs, what comes first in order.
    pub(crate) text: String,
    /// Of how many just that is said.
    same: u64,
}

impl Rejected {
    fn one(record: &str, text: &str) -> Rejected {
        Rejected {
            count: 1,
            examples: BTreeSet::from([record.to_owned()]),
            text: text.to_owned(),
            same: 1,
        }
    }

    fn add(&mut self, other: Rejected) {
        let Rejected {
            count,
            examples,
            text,
            same,
        } = other;
        let key = |text: &str| (shape(text), text.to_owned());
        if self.text == text {
            self.same += same;
        } else if self.count == 0 || key(&text) < key(&self.text) {
            (self.text, self.same) = (text, same);
        }
        self.count += count;
        self.examples.extend(examples);
        while self.examples.len() > EXAMPLES {
            self.examples.pop_last();
        }
    }

    /// False where an example is gone, or the last one of which is said what is said.
    fn take(&mut self, other: &Rejected) -> bool {
        self.count = self.count.saturating_sub(other.count);
        if other.text == self.text {
            self.same = self.same.saturating_sub(other.same);
        }
        self.same > 0 && self.examples.is_disjoint(&other.examples)
    }
}

/// What was rejected, by place of the script, or rule.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct Places(pub(crate) BTreeMap<String, Rejected>);

impl Places {
    /// Of what mapping made of records.
    pub(crate) fn of(entries: &[Entry]) -> Places {
        let mut places = Places::default();
        for entry in entries {
            places.note(entry);
        }
        places
    }

    /// Of one thing more that mapping made of a record.
    pub(crate) fn note(&mut self, entry: &Entry) {
        if let Entry::Rejected {
            record,
            place,
            message,
            ..
        } = entry
        {
            self.put(place, Rejected::one(record, message));
        }
    }

    fn put(&mut self, place: &str, rejected: Rejected) {
        match self.0.get_mut(place) {
            Some(known) => known.add(rejected),
            None => drop(self.0.insert(place.to_owned(), rejected)),
        }
    }

    /// Whether nothing was.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Adds what another one has.
    pub(crate) fn add(&mut self, other: &Places) {
        for (place, rejected) in &other.0 {
            self.put(place, rejected.clone());
        }
    }

    /// Takes away what another one has. False where what is left can only be told by its records.
    pub(crate) fn take(&mut self, other: &Places) -> bool {
        let mut holds = true;
        for (place, rejected) in &other.0 {
            if let Some(known) = self.0.get_mut(place) {
                let is_told = known.take(rejected);
                holds &= is_told || known.count == 0;
            }
        }
        self.0.retain(|_, rejected| rejected.count > 0);
        holds
    }
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
        let places = Places::of(&entries).0;
        assert_eq!(places.len(), 2);
        let one = &places["scripts/a.rhai:3:9"];
        assert_eq!((one.count, one.text.as_str()), (2000, "is no date"));
        assert_eq!(
            one.examples.iter().collect::<Vec<_>>(),
            ["t0000", "t0001", "t0002"]
        );
        assert_eq!(places["last_name"].count, 1);
        entries.reverse();
        assert_eq!(
            Places::of(&entries).0,
            places,
            "in whatever order they come"
        );
    }

    #[test]
    fn texts_that_differ_by_a_number_of_the_record_say_the_same() {
        assert!(says_the_same("lease 77 is broken", "lease 8 is broken"));
        assert!(!says_the_same("lease 77 is broken", "lease 77 is gone"));
        let texts = ["lease 9 of 2", "lease 10 of 2", "a lease"];
        let entries = texts.map(|text| rejected(text, "scripts/a.rhai:1:1", text));
        assert_eq!(Places::of(&entries).0["scripts/a.rhai:1:1"].text, "a lease");
    }

    #[test]
    fn what_is_taken_away_was_never_there_or_it_is_said_that_it_must_be_counted_anew() {
        let texts = ["lease 9 of 2", "lease 10 of 2", "a lease"];
        let all: Vec<Entry> = (0..60)
            .map(|number| {
                let place = ["scripts/a.rhai:1:1", "email"][number % 2];
                rejected(&format!("t{:02}", number % 50), place, texts[number % 3])
            })
            .collect();
        let whole = Places::of(&all);
        let mut recounted = 0;
        for number in 0..all.len() {
            let (mut rest, mut left) = (all.clone(), whole.clone());
            let one = Places::of(&[rest.remove(number)]);
            if left.take(&one) {
                assert_eq!(left, Places::of(&rest), "{number}");
            } else {
                recounted += 1;
            }
            left.add(&one);
            assert_eq!(left.0.values().map(|one| one.count).sum::<u64>(), 60);
        }
        assert!((6..=12).contains(&recounted), "the examples: {recounted}");
        let mut left = whole.clone();
        for one in &all {
            let _ = left.take(&Places::of(std::slice::from_ref(one)));
        }
        assert_eq!(left, Places::default());
    }
}
