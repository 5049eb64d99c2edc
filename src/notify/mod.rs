//! Somebody is told: of alerts that are open and of runs that end otherwise than they should, and once when that is over. Woken
//! by what is in the store, never by a run: nothing that happens here holds one.
//!
//! ```text
//! store ──▶ look ──▶ kept: what is wrong, what of it was told ──▶ due: fold, quiet hours ──▶ text ──▶ letter ──▶ send
//! ```
//!
//! What is told is written down, as a letter, in the transaction that marks it as told, before it is sent; it is taken off once
//! all have it. So nothing is lost over a restart, and what may come twice comes under the same id.

mod kept;
mod due;
mod hours;
mod look;
mod text;
mod send;
mod mail;
mod hook;
mod failing;
mod worker;

#[cfg(test)]
mod tests;

pub use failing::{close, forget_others};
pub use kept::Letter;
pub use look::{Place, Places};
pub use send::{Unsent, Ways, all_of};
pub use worker::{Counts, NotifyError, Surroundings, Teller};

use std::collections::BTreeSet;

use jiff::Timestamp;

use crate::config::Notify;
use crate::model::IntegrationId;

/// A message that only tries the way.
pub fn of_test(notify: &Notify, id: String, now: Timestamp) -> Letter {
    let matter = text::Matter {
        is_test: true,
        ..text::Matter::default()
    };
    let written = text::written(notify, &matter);
    Letter {
        id,
        integration: IntegrationId::new(""),
        made: now,
        subject: written.subject,
        text: written.text,
        data: written.data,
        has: BTreeSet::new(),
    }
}
