//! The daemon as a process of its own, on a real store and a local PMS: what it does, what it answers over its socket, and
//! how it starts and ends.

#![allow(clippy::unwrap_used, reason = "a test may fail anywhere")]

#[path = "../support/mod.rs"]
mod support;

mod backups;
mod by_hand;
mod changes;
mod crash;
mod credentials;
mod dates;
mod deliveries;
mod demo;
mod demo_traps;
mod doctor;
mod doors;
mod failing;
mod flat;
mod held;
mod lost_store;
mod metrics;
mod not_understood;
mod offline;
mod openapi;
mod opendoor;
mod readings;
mod recordings;
mod refusals;
mod renaming;
mod runs;
mod secrets;
mod service;
mod shipped_scripts;
mod signals;
mod small;
mod start;
mod store_care;
mod stores;
mod surroundings;
mod targets;
mod terminal;
mod texts;
mod tiers;
mod traps;
mod two_feeds;
mod unknown;
mod upgrade;
mod waiting;
mod webhook;
