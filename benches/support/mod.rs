//! What the benchmarks share: an invented feed, a home to read it with, and what is measured of it.

#![allow(
    dead_code,
    reason = "each benchmark is a crate of its own, and uses a part of it"
)]

pub(crate) mod by_hand;
pub(crate) mod child;
pub(crate) mod daemon;
pub(crate) mod feed;
pub(crate) mod fleet;
pub(crate) mod home;
pub(crate) mod invented;
pub(crate) mod measure;
pub(crate) mod plot;
pub(crate) mod report;
pub(crate) mod shipped;
pub(crate) mod stages;
pub(crate) mod sync;
pub(crate) mod usage;
pub(crate) mod wire;

/// What ships is what is measured.
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;
