//! What things are: ids, residents, people, alerts, changes, runs. No I/O, no clock, no other module.

mod act;
mod alert;
mod change;
mod enrolment;
mod explain;
mod guard;
mod ids;
mod person;
mod preview;
mod problem;
mod record;
mod reload;
mod resident;
mod run;
mod soundness;
mod status;
mod tier;

pub use act::{Act, ActKind, Done, OfResident, OfUnit, Resolution, Ruling, Swap};
pub use alert::{Alert, AlertKind, AlertState, Confidence, Side};
pub use change::{Actor, Change, ChangeKind, FieldChange};
pub use enrolment::{EXPORT_COLUMNS, Enrolment, ExportRow, Imported, LineProblem};
pub use explain::{Considered, Explanation, Live, Mapping, RuleSeen, Step, rule_text};
pub use guard::{Approval, GuardState, Guarded, GuardedKind, HeldPlan, Passed};
pub use ids::{ActId, AlertId, IdError, IntegrationId, PersonId, RunId};
pub use person::{Field, Link, Origin, Person, Stay};
pub use preview::Preview;
pub use problem::{Code, Place, Problem, Problems};
pub use record::{Print, Printer, Reading, Record};
pub use reload::{ReloadOutcome, Reloaded};
pub use resident::{Relationship, Resident, Unit};
pub use run::{Cause, Counts, Decision, Fate, Outcome, Progress, Run};
pub use soundness::{Flaw, Soundness};
pub use status::LeaseStatus;
pub use tier::Tier;
