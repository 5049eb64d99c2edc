//! HTTP over the Unix socket, and over the network where the settings say so: protocol, server, client. Decides nothing and
//! stores nothing.

mod place;
mod problem;
pub mod protocol;
pub mod listen;
pub mod net;
pub mod server;
pub mod setup;
pub mod client;
