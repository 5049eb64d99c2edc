//! What lies on disk beside the program: homes with and without mistakes, changes under a daemon that runs, schemas, what is
//! packaged, the README and the manual.

#![allow(clippy::unwrap_used, reason = "a test may fail anywhere")]

#[path = "../support/mod.rs"]
mod support;

mod beneath;
mod config;
mod manual;
mod mistakes;
mod packaging;
mod pages;
mod readme;
mod reload;
mod reload_model;
mod require_tests;
mod schemas;
mod system_home;
mod upgraded_home;
