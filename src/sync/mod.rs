//! One run: read → map → exclude → match → plan → commit → report. What is decided is decided in pure
//! functions; a run that does not end in a commit has written only its report.

mod normal;
mod entry;
mod cores;
mod mapping;
mod struck;
mod memory;
mod matching;
mod units;
mod update;
mod alerts;
mod plan;
mod guard;
mod standing;
mod retention;
mod commit;
mod run;

#[cfg(test)]
mod tests;

pub use alerts::AlertWrites;
pub use entry::Entry;
pub use matching::People;
pub use normal::{Normal, NotNormal, Notes, normalise};
pub use plan::{Inputs, Plan, plan};
pub use run::{Job, OnProgress, RunError, Tools, explain, preview, run};
pub use standing::stale;
pub use update::{differences, stay};
