//! What things are: ids, residents, people, alerts, changes, runs. No I/O, no clock, no other module.

mod act;
mod actor;
mod alert;
mod attachment;
mod change;
mod credential;
mod delivery;
mod difference;
mod email;
mod enrolment;
mod erasure;
mod explain;
mod guard;
mod identity;
mod ids;
mod import;
mod keeping;
mod number;
mod packed;
mod pause;
mod people;
mod person;
mod phone;
mod preview;
mod problem;
mod query;
mod record;
mod reload;
mod resident;
mod rule;
mod run;
mod setting;
mod shown;
mod soundness;
mod spooled;
mod status;
mod tier;
mod tried;
mod zone;

pub use act::{Act, ActKind, Done, OfResident, OfUnit, ProfileEdit, Resolution, Ruling, Swap};
pub use actor::{Actor, NamedBy, Signed};
pub use alert::{
    Alert, AlertKind, AlertState, Assigned, Beside, CANNOT_BE, Closes, Comment, Confidence,
    DismissMany, Dismissed, KindFacts, Side, Way,
};
pub use attachment::{
    Absence, Attachment, Feeds, Holding, Holdings, Leaver, Move, MovedAlert, OfIntegration,
    Retirement, TakenOver, is_same_property,
};
pub use change::{Change, ChangeKind, FieldChange};
pub use credential::{BudgetPeriod, BudgetStatus, CredentialStatus, Expiry, ExpiryBy};
pub use delivery::{
    DeedKind, DeliveriesTouched, Delivery, DeliveryPlan, DeliveryState, Tally, TargetId,
    TargetState, TargetStatus, WaitsFor,
};
pub use difference::{AlertDiffers, AlertWould, Difference, Differs, Effect, Foreseen};
pub use email::{NoAddress, address, addresses};
pub use enrolment::{
    EXPORT_COLUMNS, Enrolment, ExportRow, Imported, LineProblem, of_spreadsheet, spreadsheet,
};
pub use erasure::{Erasing, Erasure, ErasureState, LeftAt};
pub use explain::{Considered, Explanation, Live, Mapping, RuleSeen, Step};
pub use guard::{
    Admitted, Approval, Approved, ApprovedGaps, AtLeast, Came, Dwelling, Gone, GuardState, Guarded,
    GuardedKind, HeldPlan, NotUnderstood, Passed, Rejection, Stopped, TakenFrom, Understanding,
};
pub use identity::StoreIdentity;
pub use ids::{ActId, AlertId, IdError, IntegrationId, PersonId, RunId};
pub use import::{ImportRow, list_cell, of_list_cell};
pub use keeping::{BackupsKept, GoodBackup, Keeping, StoreGrowth};
pub use number::{exact, float_text, may_be_inexact, number_text};
pub use pause::Pause;
pub use people::People;
pub use person::{Field, Link, Origin, Person, Stay};
pub use phone::{country_of, phone, phones, phones_of};
pub use preview::Preview;
pub use problem::{Code, Place, Problem, Problems};
pub use query::{
    AfterAlert, AlertQuery, Behind, OutcomeAsked, PeopleQuery, PeopleSort, RunQuery, StateAsked,
};
pub use record::{Print, Printer, Reading, Record};
pub use reload::{ReloadOutcome, Reloaded, ReloadedTarget};
pub use resident::{Relationship, Resident, Unit, is_sentinel, is_sentinel_text};
pub use rule::{RULES, rule_text};
pub use run::{Cause, Counts, Decision, Fate, Outcome, Progress, Run};
pub use setting::Setting;
pub use shown::{shown, shown_json, shown_lines, steers};
pub use soundness::{Flaw, Soundness};
pub use spooled::{InOrder, Items, Kept, Raw, Spool, SpoolError, Spooled};
pub use status::LeaseStatus;
pub use tier::Tier;
pub use tried::{Switch, Tried, TriedFiles};
pub use zone::time_zone;
