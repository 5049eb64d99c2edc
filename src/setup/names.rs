//! What new integrations are called, and what is proposed for them from those that are there. Pure.

use std::collections::{BTreeMap, BTreeSet};

use crate::config::Files;

use super::answer;
use super::of_account::OfAccount;

/// What a property is called, by the PMS where that calls it anything.
pub fn called(one: &OfAccount) -> &str {
    match one.name.trim() {
        "" => &one.id,
        name => name,
    }
}

/// An id that no file has: of the name, with the PMS's id behind it where two are called alike. None where no name of a
/// file can be made of either.
pub fn free_id(one: &OfAccount, taken: &BTreeSet<String>) -> Option<String> {
    let name = called(one);
    let both = format!("{name} {}", one.id);
    let mut ids = [name, &both, &one.id].into_iter().filter_map(answer::slug);
    ids.find(|id| !taken.contains(id))
}

/// The time zone that all other integrations of a credential have.
pub fn common_zone(files: &Files, credential: &str) -> Option<String> {
    let right = files.integrations.values();
    let right = right.filter_map(|read| Some(&read.as_ref().ok()?.value));
    let of_it = right.filter(|one| one.credential == credential);
    let zones = of_it.map(|one| one.property.timezone.as_str());
    let mut counted: BTreeMap<&str, u32> = BTreeMap::new();
    for zone in zones.filter(|zone| !zone.is_empty()) {
        *counted.entry(zone).or_default() += 1;
    }
    match counted.into_keys().collect::<Vec<_>>().as_slice() {
        [only] => Some((*only).to_owned()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_that_are_called_alike_have_files_of_two_names() {
        let property = |id: &str, name: &str| OfAccount {
            id: id.into(),
            name: name.into(),
            integration: None,
        };
        let taken = BTreeSet::from(["elm-court".to_owned()]);
        let id = |one: &OfAccount| free_id(one, &taken);
        assert_eq!(
            id(&property("7F", "Elm Court")).as_deref(),
            Some("elm-court-7f")
        );
        assert_eq!(id(&property("7F", "Oak")).as_deref(), Some("oak"));
        assert_eq!(id(&property("7F", "—")).as_deref(), Some("7f"));
        assert_eq!(id(&property("—", "—")), None);
    }
}
