//! Among whom the guard counts: everybody linked, and those of each PMS property where several feed one property
//! here. A small one that is lost must not hide behind a large one.

use std::collections::{BTreeMap, BTreeSet};

use crate::model::Link;

use super::Facts;

/// People who are linked.
#[derive(Debug, Default)]
pub(super) struct Linked {
    /// With a link that is not over.
    pub(super) open: BTreeSet<String>,
    /// With any link.
    pub(super) ever: BTreeSet<String>,
}

impl Linked {
    fn add(&mut self, link: &Link) {
        let person = link.person.to_string();
        if !link.status.is_closed() {
            self.open.insert(person.clone());
        }
        self.ever.insert(person);
    }
}

/// Everybody, and by PMS property.
#[derive(Debug, Default)]
pub(super) struct AllLinked {
    pub(super) all: Linked,
    /// Empty where one PMS property feeds them all.
    pub(super) of_each: BTreeMap<String, Linked>,
}

pub(super) fn linked(links: &BTreeMap<String, Link>) -> AllLinked {
    let mut linked = AllLinked::default();
    for link in links.values() {
        linked.all.add(link);
        if let Some(property) = &link.property {
            linked
                .of_each
                .entry(property.clone())
                .or_default()
                .add(link);
        }
    }
    linked
}

/// Empty feeds where people are linked, each with how many: of PMS properties, or the whole, which has no name.
pub(super) fn silent<P>(facts: &Facts<'_, P>, linked: &AllLinked) -> Vec<(String, usize)> {
    let open = linked.all.open.len();
    if facts.empty {
        let whole = (open > 0).then(|| (String::new(), open));
        return whole.into_iter().collect();
    }
    let silent = facts.silent.iter().filter_map(|property| {
        let open = linked.of_each.get(property)?.open.len();
        (open > 0).then(|| (property.clone(), open))
    });
    silent.collect()
}
