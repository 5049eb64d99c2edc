//! Mapping tests as data: one record, or several, and the residents that a script must make of them. Reaches no PMS
//! and no store, and prints nothing.
//!
//! A case is `scripts/tests/<pms>/<case>.yaml`; recorded answers may lie beside it.

mod mapped;
mod written;
mod case;
mod read;
mod find;
mod difference;
mod accept;
mod recorded;
mod coverage;
mod pseudonym;
mod recording;

pub use accept::accept;
pub use case::{Case, CaseOutcome, run};
pub use coverage::{Coverage, coverage};
pub use find::{load, open, placeholders};
pub use mapped::{Excluded, Mapped, Printed, Unmapped, map};
pub use recorded::recorded;
pub use recording::{Counts, Fixture, Recording, fixtures};
pub use written::schema;
