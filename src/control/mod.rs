//! HTTP over the Unix socket: protocol, server, client. Decides nothing and stores nothing.

mod place;
mod problem;
pub mod protocol;
pub mod listen;
pub mod server;
pub mod client;
