//! epms: resident feeds from property management systems.

pub mod model;

pub mod config;
pub mod source;
pub mod script;
pub mod control;
pub mod sandbox;
pub mod cli;
