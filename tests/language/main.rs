//! What people write to have a PMS read and mapped: connectors, scripts and their tests; those that come with the program too.

#![allow(clippy::unwrap_used, reason = "a test may fail anywhere")]

#[path = "../support/mod.rs"]
mod support;

mod alone;
mod attached;
mod blamed;
mod chains;
mod checked;
mod connectors;
mod granted;
mod grants;
mod invented;
mod judged_answers;
mod live;
mod looking;
mod mapping;
mod mutation;
mod office;
mod once;
mod opendoor;
mod outside;
mod probe;
mod proofs;
mod readings;
mod recording;
mod refusals;
mod remedies;
mod scim;
mod scripts;
mod silent;
mod targets;
mod second_ways;
mod third_pms;
mod unifi_access;
mod unusable;
mod webhook;
mod words;
