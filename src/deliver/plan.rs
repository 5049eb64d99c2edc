//! What is to be done for a person at a target: wanted − held, grants before revocations, each with what it waits for
//! (R37). Pure: sends nothing, and says the same for the same.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::lane::Lane;

/// A grant as the script of a target words it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Grant {
    /// What tells it from the person's other grants at the target. A grant with another key is another grant.
    pub key: String,
    /// What the target is told, in the script's words.
    pub fields: Map<String, Value>,
}

/// One thing to do.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Deed {
    /// Grant what is not there.
    Create(Grant),
    /// Make a grant that is there another.
    Change(Grant),
    /// Take a grant away.
    Remove {
        /// Its key.
        key: String,
    },
    /// Take away one of two that are the same.
    RemoveTwin {
        /// The target's id of it.
        id: String,
    },
}

impl Deed {
    /// The key of the grant that it is about; none for a twin.
    pub fn key(&self) -> Option<&str> {
        match self {
            Deed::Create(grant) | Deed::Change(grant) => Some(&grant.key),
            Deed::Remove { key } => Some(key),
            Deed::RemoveTwin { .. } => None,
        }
    }

    /// What is approved when it is, and nothing else.
    pub fn print(&self) -> Print {
        let (word, key, fields) = match self {
            Deed::Create(grant) => ("create", &grant.key, Some(&grant.fields)),
            Deed::Change(grant) => ("change", &grant.key, Some(&grant.fields)),
            Deed::Remove { key } => ("remove", key, None),
            Deed::RemoveTwin { id } => ("twin", id, None),
        };
        let fields = fields.map(|fields| Value::Object(fields.clone()).to_string());
        let mut hash = blake3::Hasher::new();
        for part in [word, key, fields.as_deref().unwrap_or_default()] {
            hash.update(&(part.len() as u64).to_le_bytes());
            hash.update(part.as_bytes());
        }
        let mut print = [0; 16];
        hash.finalize_xof().fill(&mut print);
        Print(u128::from_le_bytes(print))
    }
}

/// Tells one deed from every other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Print(pub u128);

/// Why something is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Cause {
    /// The person is to have it now.
    Opens,
    /// What the person has is to be another.
    Changes,
    /// Every stay of the person is over (R38).
    Over,
    /// The person lives elsewhere now; what is there instead comes first.
    Moved,
    /// The files say otherwise than when it was granted.
    Files,
    /// It is there, it is ours, and nobody here knows of it.
    Found,
    /// It is there twice.
    Twice,
}

/// One thing to do, and why.
#[derive(Debug, Clone, PartialEq)]
pub struct Planned {
    /// What.
    pub deed: Deed,
    /// Why.
    pub cause: Cause,
}

/// What a plan for a person is made from.
pub struct Wish<'a> {
    /// The grants that the person should have there now.
    pub wanted: &'a [Grant],
    /// Nothing is taken away: a stay rests (R8), or a unit has no place at the target.
    pub keeps: bool,
    /// Every stay of the person is over, and none rests.
    pub is_over: bool,
    /// The target can make a grant another, without a new one.
    pub can_change: bool,
    /// Tells the files that say what is wanted: the target's, its script's, its connector's.
    pub files: u128,
}

/// What is to be done for a person, in the order in which it is done: what opens, what changes, and at last what is taken
/// away. What is parked or under way stays out of it.
pub fn plan(wish: &Wish<'_>, lane: &Lane) -> Vec<Planned> {
    let mut planned = Vec::new();
    for grant in wish.wanted {
        let Some(granted) = lane.grants.get(&grant.key) else {
            planned.push(Planned {
                deed: Deed::Create(grant.clone()),
                cause: Cause::Opens,
            });
            continue;
        };
        if granted.is_parked() || granted.is_under_way() {
            continue;
        }
        match &granted.there {
            None => planned.push(Planned {
                deed: Deed::Create(grant.clone()),
                cause: Cause::Opens,
            }),
            Some(there) if *there != grant.fields && wish.can_change => {
                planned.push(Planned {
                    deed: Deed::Change(grant.clone()),
                    cause: Cause::Changes,
                });
            }
            _ => {}
        }
    }
    if !wish.keeps {
        planned.extend(takes(wish, lane));
    }
    let twins = lane.twins.keys().map(|id| Planned {
        deed: Deed::RemoveTwin { id: id.clone() },
        cause: Cause::Twice,
    });
    planned.extend(twins);
    planned
}

/// What is taken away: what is there and not wanted.
fn takes(wish: &Wish<'_>, lane: &Lane) -> impl Iterator<Item = Planned> {
    let is_wanted = |key: &str| wish.wanted.iter().any(|grant| grant.key == key);
    let unwanted = lane.grants.iter().filter(move |(key, granted)| {
        let rests = granted.is_parked() || granted.is_under_way();
        // What a look did not find is gone, or left at a door: nothing is to be sent, and no id is known to send it by.
        let is_there = granted.there.is_some();
        !is_wanted(key) && !rests && is_there
    });
    unwanted.map(|(key, granted)| {
        let cause = if wish.is_over {
            Cause::Over
        } else if granted.is_found {
            Cause::Found
        } else if granted.files != wish.files {
            Cause::Files
        } else {
            Cause::Moved
        };
        Planned {
            deed: Deed::Remove { key: key.clone() },
            cause,
        }
    })
}

/// What of a target's plans waits for somebody (R37).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Waits {
    /// What opens and what changes; the access of somebody who is past is taken away at once.
    #[default]
    Approve,
    /// Everything.
    ApproveAll,
    /// Nothing but what the guard holds, and what only the files take away.
    Automatic,
}

/// Whether something planned is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Permit {
    /// It is.
    Goes,
    /// It waits until somebody approves it.
    Waits,
    /// The guard holds it until somebody approves it.
    Held,
    /// The store was restored, and the person's feed was not read since: what is known of them is as old as the backup.
    Outdated,
}

impl Permit {
    /// Whether somebody's approval lets it through.
    pub fn is_for_approval(self) -> bool {
        matches!(self, Permit::Waits | Permit::Held)
    }
}

/// Whether something planned is done now. `is_approved` where somebody approved this very deed, `is_held` where the guard
/// holds what is taken away, and `is_named` where the approval of a run named the person.
pub fn permit(
    planned: &Planned,
    waits: Waits,
    is_approved: bool,
    is_held: bool,
    is_named: bool,
) -> Permit {
    if is_approved {
        return Permit::Goes;
    }
    let takes = matches!(planned.deed, Deed::Remove { .. });
    if takes && is_held && !is_named {
        return Permit::Held;
    }
    match (planned.cause, waits) {
        // One of two that are the same opens nothing that the other does not.
        (Cause::Twice, _) | (Cause::Over, Waits::Approve) => Permit::Goes,
        (Cause::Files | Cause::Found, _) | (_, Waits::ApproveAll | Waits::Approve) => Permit::Waits,
        (_, Waits::Automatic) => Permit::Goes,
    }
}
