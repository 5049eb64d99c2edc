//! The daemon as a process of its own, on a real store and a local PMS: what it does, what it answers over its socket, and
//! how it starts and ends.

#![allow(clippy::unwrap_used, reason = "a test may fail anywhere")]

#[path = "../support/mod.rs"]
mod support;

mod alerts;
mod backups;
mod browser;
mod by_hand;
mod changes;
mod crash;
mod credentials;
mod dialogs;
mod many;
mod secret_set;
mod dates;
mod deliveries;
mod demo;
mod demo_traps;
mod doctor;
mod doors;
mod erase;
mod failing;
mod flat;
mod fronted;
mod health;
mod held;
mod lost_store;
mod metrics;
mod net;
mod not_understood;
mod notify;
mod offline;
mod oidc;
mod openapi;
mod opendoor;
mod people;
mod people_acts;
mod people_files;
mod readings;
mod recordings;
mod refusals;
mod renaming;
mod runs;
mod secrets;
mod service;
mod set_up;
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
mod trying;
mod two_feeds;
mod units_in_bulk;
mod unknown;
mod upgrade;
mod waiting;
mod web;
mod webhook;
mod week;
