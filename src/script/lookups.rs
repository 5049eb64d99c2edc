//! Records that scripts look up, by request, PMS property and key. Reads none.

use std::collections::BTreeMap;

/// Records by their key, as JSON texts.
pub type Keyed = BTreeMap<String, String>;

/// Records to look up. Two PMS properties may use one key for two things: each has its own records, and those of a request
/// that is asked once are everybody's.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Lookups(BTreeMap<String, BTreeMap<String, Keyed>>);

impl Lookups {
    /// None at all.
    pub fn new() -> Lookups {
        Lookups::default()
    }

    /// Adds a record of `request`; `property` is empty where it is asked once.
    pub fn put(&mut self, request: &str, property: &str, key: String, record: String) {
        let of_request = self.0.entry(request.to_owned()).or_default();
        let of_property = of_request.entry(property.to_owned()).or_default();
        of_property.insert(key, record);
    }

    /// Knows all records of `request`, by PMS property; none is there too.
    pub fn know(&mut self, request: &str, records: BTreeMap<String, Keyed>) {
        self.0.insert(request.to_owned(), records);
    }

    /// The record of `request` with a key, as somebody of a PMS property means it: its own, else everybody's. Who is of no
    /// property known means the only one that there is.
    pub fn get(&self, request: &str, property: &str, key: &str) -> Option<&str> {
        let of_request = self.0.get(request)?;
        let of = |property: &str| of_request.get(property)?.get(key);
        let found = of(property).or_else(|| of("")).or_else(|| {
            let mut all = of_request.values().filter_map(|records| records.get(key));
            let first = all.next().filter(|_| property.is_empty())?;
            all.all(|other| other == first).then_some(first)
        });
        found.map(String::as_str)
    }

    /// All of it: the request, the PMS property, and the records.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str, &Keyed)> {
        self.0.iter().flat_map(|(request, of_request)| {
            let of_request = of_request.iter();
            of_request.map(|(property, records)| (request.as_str(), property.as_str(), records))
        })
    }
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
}
