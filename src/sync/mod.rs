//! One run: read → map → exclude → match → plan → commit → report. What is decided is decided in pure
//! functions; a run that does not end in a commit has written only its report.

mod cores;
mod mapping;
mod struck;
mod memory;
mod standing;
mod left_behind;
mod retention;
mod commit;
mod hold;
mod run;
mod trial;
mod workers;

#[cfg(test)]
mod tests;

pub use left_behind::{found_again, left_behind};
pub use run::{Job, OnProgress, RunError, Tools, Turn, explain, preview, run, run_in_turn};
pub use standing::{expiring, stale};
pub use trial::{Recorded, rehearse, trial};
pub use workers::{Stuck, Workers};
