//! Mapping tests as data: one record, or several, and the residents that a script must make of them. Reaches no PMS
//! and no store, and prints nothing.
//!
//! A case is `scripts/tests/<pms>/<case>.yaml`; recorded answers may lie beside it.

mod written;
mod case;
mod difference;
mod recorded;

pub use case::{Case, CaseOutcome, load};
pub use recorded::recorded;
pub use written::schema;
