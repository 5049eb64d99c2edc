//! What a PMS, a script, a caller, a disk or mere bytes may do to the program, and that nothing comes of it.

#![allow(clippy::unwrap_used, reason = "a test may fail anywhere")]

#[path = "../support/mod.rs"]
mod support;

mod answers;
mod corpus;
mod egress;
mod faults;
mod full_disk;
mod misbehaving;
mod proxies;
mod scripts;
mod socket_under_fire;
