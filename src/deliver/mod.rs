//! Delivery (R37–R40): from the people of the store to what they may open at a target, by desired state. What a person's
//! stays open is `access`; how the script sees it, `words`; what is to be done about it, `plan`; how far each grant has
//! come, and what is done next, `lane`; whether too much is taken away, `guard`. All of that is pure: time comes in, and
//! nothing is sent or stored. `desk` is the store's side of one target, `worker` asks it; `told` is what is told of it.
//! `events` is for those who are told what happens and nothing else. Knows no target by name.
//!
//! # How a grant comes to be there, once
//!
//! A person's lane at a target is a loop of *look, act, look*. A look asks the target what the person has there; an act is
//! one request that creates, changes or removes one grant. Before an act is sent, the lane notes it as
//! [`Unknown`](GrantState::Unknown), and the note is kept: whatever happens then (a timeout after the target has done it, a
//! crash between sending and hearing) the next step is a look, and never the act again. Only a look makes a grant
//! [`Confirmed`](GrantState::Confirmed), and only a confirmed grant lets an older one be removed.
//!
//! # What wakes it
//!
//! The change log, which is written in the transaction of every run and act: each target keeps how far it has taken the
//! log in, and looks at the people in it as they are in the store by now. Nothing else of delivery happens in a run. Where
//! the log does not go back far enough, the store was restored, or the target's files are others, everybody is looked at.

mod access;
mod alerts;
mod desk;
mod error;
mod everybody;
mod events;
mod guard;
mod index;
mod lane;
mod left;
mod look;
mod lookups;
mod moments;
mod plan;
mod record;
mod told;
mod words;
mod worker;

#[cfg(test)]
mod tests;

pub use access::{Access, Opening, Policy, Seen, Standing, access};
pub use alerts::tell_of_files;
pub use desk::{Ask, Desk, Heard, ways};
pub use error::DeliverError;
pub use events::{Events, Teller};
pub use guard::{Recent, is_too_much};
pub use lane::{Answer, Found, GrantState, Granted, Held, Lane, Step, Timing};
pub use left::left_at;
pub use plan::{Cause, Deed, Grant, Permit, Planned, Print, Waits, Wish, permit, plan};
pub use record::{Bookmark, Record, Ways};
pub use told::{Counted, Question, counted, deliveries, planned};
pub use worker::{Surroundings, Trouble, Worker};
