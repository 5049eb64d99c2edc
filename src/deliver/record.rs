//! What is kept of a person at a target, and of a target: the lane, what is wanted, and since when. Forms alone; read and
//! written by whoever has the store.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::model::{DeedKind, DeliveryState, IntegrationId, Tally};

use super::guard::Recent;
use super::{Cause, Deed, Grant, GrantState, Granted, Lane, Permit, Planned, Seen, Waits, Wish};
use super::{permit, plan};

/// One person at one target.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Record {
    /// How far each grant has come.
    #[serde(default)]
    pub lane: Lane,
    /// Where each stay stood when the person was looked at last.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub seen: BTreeMap<IntegrationId, Seen>,
    /// What the person should have there now, in the script's words, with what is never compared.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub wanted: Vec<Grant>,
    /// Nothing is taken away: a stay rests (R8), a unit has no place there, or the script failed.
    #[serde(default)]
    pub keeps: bool,
    /// Every stay is over.
    #[serde(default)]
    pub is_over: bool,
    /// When what is wanted becomes another without anything happening: a start, or an end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub again: Option<Timestamp>,
    /// Units that have no place at the target.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub unmapped: BTreeSet<(IntegrationId, String)>,
    /// The approval of a run named what the person loses.
    #[serde(default)]
    pub is_named: bool,
    /// An integration of the person's stays was not read since the store was restored: nothing is done for them until it
    /// is. Of what is nobody's: any integration that the target serves.
    #[serde(default)]
    pub is_outdated: bool,
    /// Why the script did not say what is wanted. What was wanted before stays so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wrong: Option<String>,
    /// The grants that the person is to have once their access starts: where they have them already, it has started.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub ahead: BTreeSet<String>,
    /// Since when anything is to be done.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub due_since: Option<Timestamp>,
    /// Since when something is to be done that may be done.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub open_since: Option<Timestamp>,
}

/// What of a target's files says how plans are made.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Ways {
    /// What waits for approval.
    pub waits: Waits,
    /// The target can make a grant another.
    pub can_change: bool,
    /// The grant's fields that are never compared.
    pub write_only: Vec<String>,
    /// Tells the files that say what is wanted.
    pub files: u128,
}

/// What is to be done for a person, and whether it may be.
#[derive(Debug, Clone, PartialEq)]
pub struct Due {
    /// What.
    pub planned: Planned,
    /// Whether.
    pub permit: Permit,
}

impl Record {
    /// What is wanted, as it is compared.
    pub fn compared(&self, ways: &Ways) -> Vec<Grant> {
        let compared = |grant: &Grant| {
            let mut grant = grant.clone();
            grant
                .fields
                .retain(|name, _| !ways.write_only.contains(name));
            grant
        };
        self.wanted.iter().map(compared).collect()
    }

    /// What a plan is made from; `wanted` is what [`compared`](Record::compared) gives.
    pub fn wish<'a>(&self, wanted: &'a [Grant], ways: &Ways) -> Wish<'a> {
        Wish {
            wanted,
            keeps: self.keeps,
            is_over: self.is_over,
            can_change: ways.can_change,
            files: ways.files,
        }
    }

    /// What is to be done, each with whether it may be. `is_held` where the guard holds what is taken away.
    pub fn due(&self, ways: &Ways, is_held: bool) -> Vec<Due> {
        let wanted = self.compared(ways);
        let planned = plan(&self.wish(&wanted, ways), &self.lane);
        let due = planned.into_iter().map(|planned| {
            let is_approved = self.lane.approved.contains(&planned.deed.print());
            let permit = permit(&planned, ways.waits, is_approved, is_held, self.is_named);
            Due {
                permit: if self.is_outdated {
                    Permit::Outdated
                } else {
                    permit
                },
                planned,
            }
        });
        due.collect()
    }

    /// Whether something is taken away by it that the guard counts: neither approved, nor named by a run's approval, nor
    /// waiting for somebody anyway.
    pub fn loses(&self, ways: &Ways) -> bool {
        let counts = |due: &Due| {
            let takes = matches!(due.planned.deed, Deed::Remove { .. });
            let is_approved = self.lane.approved.contains(&due.planned.deed.print());
            takes && due.permit == Permit::Goes && !is_approved && !self.is_named
        };
        self.due(ways, false).iter().any(counts)
    }

    /// Whether anything is there, wanted, or known of it that a new look at the person would not come to.
    pub fn is_needed(&self) -> bool {
        let stands = |seen: &Seen| seen.start.is_some();
        !self.lane.grants.is_empty()
            || !self.lane.twins.is_empty()
            || !self.wanted.is_empty()
            || self.again.is_some()
            || !self.unmapped.is_empty()
            || self.wrong.is_some()
            || self.seen.values().any(stands)
    }

    /// How many of its grants stand where.
    pub fn tally(&self, due: &[Due]) -> Tally {
        let mut tally = Tally::default();
        for granted in self.lane.grants.values() {
            let count = match state(granted) {
                Some(DeliveryState::Sent) => &mut tally.sent,
                Some(DeliveryState::Confirmed) => &mut tally.confirmed,
                Some(DeliveryState::Unknown) => &mut tally.unknown,
                Some(DeliveryState::Parked) => &mut tally.parked,
                Some(DeliveryState::Visit) => &mut tally.visit,
                Some(DeliveryState::Wanted) | None => continue,
            };
            *count += 1;
        }
        for due in due {
            tally.wanted += 1;
            match due.permit {
                Permit::Waits => tally.waiting += 1,
                Permit::Held => tally.held += 1,
                Permit::Goes | Permit::Outdated => {}
            }
        }
        tally
    }
}

/// How far a grant has come, as it is told; none of one that was never there.
pub(super) fn state(granted: &Granted) -> Option<DeliveryState> {
    Some(match granted.state {
        GrantState::Sent => DeliveryState::Sent,
        GrantState::Unknown => DeliveryState::Unknown,
        GrantState::Parked { .. } => DeliveryState::Parked,
        GrantState::Visit => DeliveryState::Visit,
        GrantState::Confirmed if granted.there.is_some() => DeliveryState::Confirmed,
        GrantState::Confirmed => return None,
    })
}

/// What a deed does, as it is told.
pub(super) fn kind(deed: &Deed) -> DeedKind {
    match deed {
        Deed::Create(_) => DeedKind::Create,
        Deed::Change(_) => DeedKind::Change,
        Deed::Remove { .. } | Deed::RemoveTwin { .. } => DeedKind::Remove,
    }
}

impl Cause {
    /// The word as commands and JSON write it.
    pub fn as_str(self) -> &'static str {
        match self {
            Cause::Opens => "opens",
            Cause::Changes => "changes",
            Cause::Over => "over",
            Cause::Moved => "moved",
            Cause::Files => "files",
            Cause::Found => "found",
            Cause::Twice => "twice",
        }
    }
}

/// How far a target has come.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Bookmark {
    /// Up to where the change log is taken in, and in which epoch of the store.
    pub seq: u64,
    /// The epoch.
    pub epoch: u64,
    /// Whether everybody was looked at once.
    pub has_begun: bool,
    /// Tells everything by which everybody was looked at: the target's files, and the time zones of those that it serves.
    pub by: String,
    /// Whoever lost something lately.
    pub recent: Recent,
    /// When everything there was read back last.
    pub read_back: Option<Timestamp>,
    /// How many of it somebody else granted.
    pub others: u64,
    /// The integrations that had not been read since a restore when everybody was looked at.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub outdated: BTreeSet<IntegrationId>,
}
