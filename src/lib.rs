//! epms: resident feeds from property management systems.

pub mod model;

pub mod config;
pub mod source;
pub mod script;
pub mod cases;
pub mod catalog;
pub mod store;
pub mod sync;
pub mod control;
pub mod sandbox;
pub mod daemon;
pub mod cli;
