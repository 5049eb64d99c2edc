//! Mapping tests as data: one record, or several, and the residents that a script must make of them; or an answer, and
//! what the connector's rules and the script's `verdict` must make of it. Of a target's script, a person and what it wants, or
//! what was read back and what that is. Reaches no PMS and no store, and prints nothing.
//!
//! A case is `scripts/tests/<pms>/<case>.yaml`; recorded answers may lie beside it.

mod contexts;
mod flow;
mod mapped;
mod person;
mod written;
mod case;
mod judge;
mod judged;
mod read;
mod find;
mod difference;
mod granted;
mod accept;
mod recorded;
mod replay;
mod coverage;
mod pseudonym;
mod recording;

pub use accept::accept;
pub use case::{Case, CaseOutcome, run};
pub use contexts::Contexts;
pub use coverage::{Coverage, coverage};
pub use find::{load, open, placeholders};
pub use flow::flow;
pub use granted::{Granted, held, wanted};
pub use judge::{CaseJudge, ScriptJudge};
pub use mapped::{Excluded, Mapped, Printed, Unmapped, map};
pub use person::{person, person_schema};
pub use recorded::recorded;
pub use recording::{Counts, Fixture, Recording, fixtures};
pub use replay::Replay;
pub use written::schema;
