//! What people do to the store by hand: one transaction an act, with its actor, before and after. Reads no
//! PMS, and decides nothing that a run decides.

mod error;
mod approve;

pub use approve::{Approve, approve};
pub use error::ActError;
