//! Each verb against a server that gives made-up answers: what is printed, and how it ends.

mod adding;
mod asking;
mod delivering;
mod records;
mod syncing;
