//! What people do to the store by hand, and what follows from the files: one transaction an act, with its actor, before
//! and after. Reads no PMS, and decides nothing that a run decides: what an act leaves behind, the next run finds as it
//! would have made it.

mod error;
mod desk;
mod approve;
mod care;
mod reject;
mod admit;
mod erase;
mod map;
mod pause;
mod agree;
mod resolve;
mod identity;
mod undo;
mod tie;
mod keep;
mod enrol;
mod import;
mod set;
mod end;
mod relocate;
mod retire;
mod restore;

pub use approve::{Approve, approve, approve_since_upgrade};
pub use care::{assign, comment, dismiss_many};
pub use end::end;
pub use enrol::{Forms, add};
pub use erase::{Erase, Finished, Left, due_by_rule, erase, erase_by_rule, finish};
pub use error::ActError;
pub use import::import;
pub use keep::{lock, pin, unlock, unpin};
pub use pause::{pause, resume, resume_all};
pub use reject::reject;
pub use relocate::{relocate, remember};
pub use resolve::{dismiss, resolve};
pub use restore::{touched_by_undo, undo_integration};
pub use retire::retire;
pub use set::set;
pub use tie::{link, unlink};
pub use undo::{undo, undo_act};

use jiff::Timestamp;

use crate::model::Actor;

/// Who acts, and when.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hand {
    /// Who, as the socket's peer credentials say.
    pub by: Actor,
    /// When.
    pub now: Timestamp,
}
