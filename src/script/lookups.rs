//! Records that scripts look up, by request, PMS property and key. Reads none.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::model::exact;

/// Records by their key, as JSON texts.
pub type Keyed = BTreeMap<String, String>;

/// Records to look up. Two PMS properties may use one key for two things: each has its own records, and those of a request
/// that is asked once, and does not say of which property they are, are everybody's.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Lookups {
    records: BTreeMap<String, BTreeMap<String, Keyed>>,
    /// Keys of several records that differ, by request and PMS property: the last has it, and that is told.
    doubtful: BTreeMap<String, BTreeMap<String, BTreeSet<String>>>,
}

impl Lookups {
    /// None at all.
    pub fn new() -> Lookups {
        Lookups::default()
    }

    /// Adds a record of `request`; `property` is empty where it is everybody's.
    pub fn put(&mut self, request: &str, property: &str, key: String, record: String) {
        let of_request = self.records.entry(request.to_owned()).or_default();
        let of_property = of_request.entry(property.to_owned()).or_default();
        let before = of_property.get(&key);
        if before.is_some_and(|before| *before != record && differ(before, &record)) {
            let doubtful = self.doubtful.entry(request.to_owned()).or_default();
            let doubtful = doubtful.entry(property.to_owned()).or_default();
            doubtful.insert(key.clone());
        }
        of_property.insert(key, record);
    }

    /// Knows all records of `request`, by PMS property; none is there too.
    pub fn know(&mut self, request: &str, records: BTreeMap<String, Keyed>) {
        self.records.insert(request.to_owned(), records);
    }

    /// Takes what others know of `request`.
    pub fn take(&mut self, request: &str, mut others: Lookups) {
        let records = others.records.remove(request).unwrap_or_default();
        self.know(request, records);
        if let Some(doubtful) = others.doubtful.remove(request) {
            self.doubtful.insert(request.to_owned(), doubtful);
        }
    }

    /// The record of `request` with a key, as somebody of a PMS property means it: its own, else everybody's. Who is of no
    /// property known means the only one that there is.
    pub fn get(&self, request: &str, property: &str, key: &str) -> Option<&str> {
        let of_request = self.records.get(request)?;
        let of = |property: &str| of_request.get(property)?.get(key).map(String::as_str);
        of(property).or_else(|| of("")).or_else(|| {
            let properties = of_request.keys().filter(|_| property.is_empty());
            let mut all = properties.filter_map(|property| of(property));
            let first = all.next()?;
            all.all(|other| other == first).then_some(first)
        })
    }

    /// How many keys of a request are of several records that differ.
    pub fn doubtful(&self, request: &str) -> u64 {
        let of_request = self.doubtful.get(request);
        let keys = of_request.into_iter().flat_map(BTreeMap::values);
        keys.map(|keys| keys.len() as u64).sum()
    }

    /// The records of one request, by PMS property.
    pub fn of(&self, request: &str) -> Option<&BTreeMap<String, Keyed>> {
        self.records.get(request)
    }

    /// All of it: the request, the PMS property, and the records.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str, &Keyed)> {
        self.records.iter().flat_map(|(request, of_request)| {
            let of_request = of_request.iter();
            of_request.map(|(property, records)| (request.as_str(), property.as_str(), records))
        })
    }
}

/// Whether two records say two things, however they are written.
fn differ(one: &str, other: &str) -> bool {
    let read = |json: &str| serde_json::from_str::<Value>(&exact(json)).ok();
    read(one) != read(other)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_means_what_it_means_at_the_property_and_then_what_it_means_to_all() {
        let mut lookups = Lookups::new();
        for (property, key, record) in [
            ("p1", "7", "of p1"),
            ("p2", "7", "of p2"),
            ("p2", "8", "of p2"),
            ("", "8", "of all"),
            ("", "9", "of all"),
            ("p1", "10", "the same"),
            ("p2", "10", "the same"),
            ("p2", "11", "of p2"),
        ] {
            lookups.put("units", property, key.to_owned(), record.to_owned());
        }
        let get = |property, key| lookups.get("units", property, key);
        assert_eq!(get("p1", "7"), Some("of p1"));
        assert_eq!(get("p2", "7"), Some("of p2"));
        assert_eq!(get("p3", "7"), None);
        assert_eq!(get("", "7"), None);
        assert_eq!(get("p2", "8"), Some("of p2"));
        assert_eq!(get("p1", "8"), Some("of all"));
        assert_eq!(get("", "8"), Some("of all"));
        assert_eq!(get("p1", "9"), Some("of all"));
        assert_eq!(get("p1", "11"), None);
        assert_eq!(get("", "10"), Some("the same"));
        assert_eq!(get("", "11"), Some("of p2"));
        assert_eq!(lookups.get("rooms", "p1", "7"), None);
    }

    #[test]
    fn keys_of_two_records_that_differ_are_counted() {
        let mut lookups = Lookups::new();
        for (property, key, record) in [
            ("p1", "7", r#"{"id":7,"label":"1A"}"#),
            ("p1", "7", r#"{"id":7,"label":"1B"}"#),
            ("p1", "8", r#"{"id":8,"label":"1A"}"#),
            ("p1", "8", r#"{ "label": "1A", "id": 8 }"#),
            ("p2", "7", r#"{"id":7}"#),
        ] {
            lookups.put("units", property, key.to_owned(), record.to_owned());
        }
        let last = lookups.get("units", "p1", "7").unwrap();
        assert!(last.contains("1B"), "{last}");
        assert_eq!(
            (lookups.doubtful("units"), lookups.doubtful("rooms")),
            (1, 0)
        );
    }
}
