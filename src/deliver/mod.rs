//! Delivery (R37–R40): from the people of the store to what they may open at a target, by desired state. What a person's
//! stays open is `access`; what is to be done about it is `plan`; how far each grant has come, and what is done next, is
//! `lane`; whether too much is taken away is `guard`. All of it pure: time comes in, and nothing is sent or stored here.
//!
//! # How a grant comes to be there, once
//!
//! A person's lane at a target is a loop of *look, act, look*. A look asks the target what the person has there; an act is
//! one request that creates, changes or removes one grant. Before an act is sent, the lane notes it as
//! [`Unknown`](GrantState::Unknown), and the note is kept: whatever happens then (a timeout after the target has done it, a
//! crash between sending and hearing) the next step is a look, and never the act again. Only a look makes a grant
//! [`Confirmed`](GrantState::Confirmed), and only a confirmed grant lets an older one be removed.

mod access;
mod guard;
mod lane;
mod plan;

#[cfg(test)]
mod tests;

pub use access::{Access, Opening, Policy, Seen, Standing, access};
pub use guard::{Recent, is_too_much};
pub use lane::{Answer, Found, GrantState, Granted, Held, Lane, Step, Timing};
pub use plan::{Cause, Deed, Grant, Permit, Planned, Print, Waits, Wish, permit, plan};
