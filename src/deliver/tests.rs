//! Worlds of people and a target that misbehaves, by chance: what holds all the time, and once it has calmed down.

#![allow(clippy::unwrap_used, reason = "a test may fail anywhere")]

mod access;
mod guard;
mod lane;
mod words;
mod world;

use world::{Modes, World};

/// How many worlds are tried: `EPMS_WORLDS`, or as many as are right for every landing.
fn worlds() -> u64 {
    let asked = std::env::var("EPMS_WORLDS").ok();
    asked.map_or(300, |asked| asked.parse().expect("EPMS_WORLDS is a number"))
}

#[test]
fn whatever_a_target_does_once_it_is_calm_there_is_what_is_wanted_and_each_once() {
    for seed in 0..worlds() {
        let mut world = World::new(seed, Modes::Automatic);
        world.live();
        world.calm();
        world.is_as_wanted();
    }
}

#[test]
fn whatever_a_target_does_nothing_opens_or_changes_that_nobody_approved() {
    for seed in 0..worlds() {
        let mut world = World::new(seed, Modes::Approved);
        world.live();
        world.calm();
        world.is_as_wanted();
    }
}
