//! What things are: ids, residents, people, alerts, changes, runs. No I/O, no clock, no other module.

mod act;
mod alert;
mod attachment;
mod change;
mod delivery;
mod email;
mod enrolment;
mod explain;
mod guard;
mod identity;
mod ids;
mod keeping;
mod number;
mod packed;
mod people;
mod person;
mod phone;
mod preview;
mod problem;
mod record;
mod reload;
mod resident;
mod rule;
mod run;
mod shown;
mod soundness;
mod status;
mod tier;
mod zone;

pub use act::{Act, ActKind, Done, OfResident, OfUnit, Resolution, Ruling, Swap};
pub use alert::{
    Alert, AlertKind, AlertState, Beside, CANNOT_BE, Closes, Confidence, KindFacts, Side, Way,
};
pub use attachment::{
    Absence, Attachment, Feeds, Holding, Holdings, Leaver, Move, MovedAlert, OfIntegration,
    Retirement, TakenOver, is_same_property,
};
pub use change::{Actor, Change, ChangeKind, FieldChange};
pub use delivery::{
    DeedKind, DeliveriesTouched, Delivery, DeliveryPlan, DeliveryState, Tally, TargetId,
    TargetState, TargetStatus, WaitsFor,
};
pub use email::{NoAddress, address, addresses};
pub use enrolment::{
    EXPORT_COLUMNS, Enrolment, ExportRow, Imported, LineProblem, of_spreadsheet, spreadsheet,
};
pub use explain::{Considered, Explanation, Live, Mapping, RuleSeen, Step};
pub use guard::{
    Admitted, Approval, Approved, ApprovedGaps, AtLeast, Came, Dwelling, Gone, GuardState, Guarded,
    GuardedKind, HeldPlan, NotUnderstood, Passed, Rejection, Stopped, TakenFrom, Understanding,
};
pub use identity::StoreIdentity;
pub use ids::{ActId, AlertId, IdError, IntegrationId, PersonId, RunId};
pub use keeping::{BackupsKept, GoodBackup, Keeping, StoreGrowth};
pub use number::{exact, float_text, may_be_inexact, number_text};
pub use people::People;
pub use person::{Field, Link, Origin, Person, Stay};
pub use phone::{country_of, phone, phones, phones_of};
pub use preview::Preview;
pub use problem::{Code, Place, Problem, Problems};
pub use record::{Print, Printer, Reading, Record};
pub use reload::{ReloadOutcome, Reloaded, ReloadedTarget};
pub use resident::{Relationship, Resident, Unit, is_sentinel, is_sentinel_text};
pub use rule::{RULES, rule_text};
pub use run::{Cause, Counts, Decision, Fate, Outcome, Progress, Run};
pub use shown::{shown, shown_json, shown_lines, steers};
pub use soundness::{Flaw, Soundness};
pub use status::LeaseStatus;
pub use tier::Tier;
pub use zone::time_zone;
