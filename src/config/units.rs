//! Which unit here a PMS unit looks like, by its label. Decides nothing about whom it houses.

use super::Units;

impl Units {
    /// The units here that no PMS unit is mapped onto.
    fn free(&self) -> impl Iterator<Item = &String> {
        let is_free = |here: &&String| !self.map.values().any(|mapped| mapped == *here);
        self.here.iter().filter(is_free)
    }

    /// The unit here of equal label, where nobody is mapped onto it.
    pub fn equal(&self, label: &str) -> Option<&String> {
        self.free().find(|here| here.trim() == label.trim())
    }

    /// A unit here that nobody is mapped onto: of equal label, else of equal label without building, punctuation and leading
    /// zeros. Only where it is the only one (R35).
    pub fn suggested(&self, label: &str) -> Option<&String> {
        let core = core(label);
        self.equal(label).or_else(|| {
            let is_alike = |here: &&String| !core.is_empty() && self::core(here) == core;
            let mut alike = self.free().filter(is_alike);
            alike.next().filter(|_| alike.next().is_none())
        })
    }
}

/// What is left of `Bldg A - 012B`: `12b`.
fn core(label: &str) -> String {
    let unit = label
        .rsplit([' ', '-', '/', '#', ','])
        .find(|part| part.chars().any(char::is_alphanumeric))
        .unwrap_or_default();
    let plain: String = unit.chars().filter(|c| c.is_alphanumeric()).collect();
    plain.trim_start_matches('0').to_lowercase()
}
