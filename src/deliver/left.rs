//! What people still have at targets, as far as anybody here knows. Asks no target.

use std::collections::BTreeSet;

use crate::model::{LeftAt, PersonId};
use crate::store::{StoreError, View};

use super::Granted;
use super::record::{Record, state};

/// What these people have at every target of which anything is kept: what is there, was sent, or may be.
pub fn left_at(view: &View, people: &BTreeSet<PersonId>) -> Result<Vec<LeftAt>, StoreError> {
    let mut left = Vec::new();
    for target in view.targets_known()? {
        for person in people {
            let Some(record) = view.lane::<Record>(&target, *person)? else {
                continue;
            };
            let granted = record.lane.grants.values();
            let there = granted.filter(|granted| state(granted).is_some()).count();
            let grants = there + record.lane.twins.len();
            if grants == 0 {
                continue;
            }
            let mut granted = record.lane.grants.values();
            let why = if granted.any(Granted::is_parked) {
                Some("the target refuses it")
            } else if record.lane.grants.values().any(Granted::is_left_at_a_door) {
                Some("a door may not have heard of it")
            } else {
                None
            };
            left.push(LeftAt {
                target: target.clone(),
                person: *person,
                grants: u64::try_from(grants).unwrap_or(u64::MAX),
                why: why.map(String::from),
            });
        }
    }
    Ok(left)
}
