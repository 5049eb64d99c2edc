//! What goes over the control socket: the JSON of answers. The same types serve the server,
//! the client and `--json`.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::model::{
    ActId, ActKind, Actor, Alert, AlertId, AlertKind, Change, Counts, CredentialStatus, Decision,
    Delivery, Erasing, Field, HeldPlan, IntegrationId, LeftAt, Pause, Person, PersonId, Problem,
    ProfileEdit, Progress, Resolution, Run, RunId, Setting, StoreIdentity, TakenOver, TargetStatus,
};
pub use crate::model::{ReloadOutcome, Reloaded, ReloadedTarget};

pub use super::place::{LogLine, Place, True};
pub use super::problem::ProblemDocument;

/// `GET /v1/status`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Status {
    /// The daemon's version.
    pub version: String,
    /// When the daemon started.
    pub started: Timestamp,
    /// For how many seconds the daemon has been up, by no clock that anybody sets.
    #[serde(default)]
    pub up: u64,
    /// Told from the store alone, while no daemon runs.
    #[serde(default, skip_serializing_if = "is_false")]
    pub offline: bool,
    /// Which store it is, and its epoch (R47).
    #[serde(default)]
    pub store: StoreIdentity,
    /// People in the store.
    pub people: u64,
    /// Open alerts.
    pub open_alerts: u64,
    /// Problems of files that belong to no single integration.
    #[serde(default)]
    pub problems: Vec<Problem>,
    /// Since when files are being loaded, where that takes long: what lies on disk is not in effect yet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub loading_since: Option<Timestamp>,
    /// Every integration, by id.
    pub integrations: Vec<IntegrationStatus>,
    /// Every credential that an integration or a target uses, by name.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub credentials: Vec<CredentialStatus>,
    /// The page over the network, where `web.listen` names where.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub web: Option<WebStatus>,
}

/// How the page over the network stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct WebStatus {
    /// Where it is to listen.
    pub listen: String,
    /// Where it is; none while it is nowhere.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// Why it is not there, or not with the certificate that lies on disk.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub problem: Option<String>,
}

/// `GET /v1/integrations/{id}`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct IntegrationStatus {
    /// The id.
    pub id: IntegrationId,
    /// The property's name; empty when its file was never loaded.
    #[serde(default)]
    pub property: String,
    /// The connector's name.
    #[serde(default)]
    pub connector: String,
    /// What it is doing.
    pub state: IntegrationState,
    /// How it stands.
    #[serde(default)]
    pub health: Health,
    /// Why it stands so and what to do about it, in one sentence; none where nothing is to be said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub because: Option<String>,
    /// How much that matters to whoever watches it, whether a run is under way or not.
    #[serde(default)]
    pub severity: Severity,
    /// By whom it is paused, until when, and why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pause: Option<Pause>,
    /// Why it does not run yet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub waits_for: Option<String>,
    /// Why its runs are further apart than its schedule says: a budget of its credential (R43).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub slowed_by: Option<String>,
    /// That a run of it was given up, and its script still keeps a thread.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stuck: Option<String>,
    /// Whose people came to it last, because its file has another name or names another PMS property (R46).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub took_over: Option<TakenOver>,
    /// The generation that runs; none when its files were never right.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub generation: Option<u64>,
    /// Since when that generation runs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub loaded: Option<Timestamp>,
    /// Why the files on disk are not what runs. Empty when they are.
    #[serde(default)]
    pub problems: Vec<Problem>,
    /// When a run began last (R4).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_started: Option<Timestamp>,
    /// When a run succeeded last (R4).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_success: Option<Timestamp>,
    /// Why the last run did not succeed; none when it did (R4).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_error: Option<String>,
    /// The run that did not understand its records (R41); none once a run succeeds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub not_understood: Option<RunId>,
    /// Runs in a row whose source failed: the more, the rarer it is asked (R28).
    #[serde(default, skip_serializing_if = "is_zero")]
    pub failures: u32,
    /// When the next run is due.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<Timestamp>,
    /// Residents linked to people.
    pub linked: u64,
    /// Open alerts.
    pub open_alerts: u64,
    /// The run under way.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub running: Option<RunId>,
    /// What applies at it, and which file says so. Only where it is asked for alone.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub settings: Vec<Setting>,
}

#[allow(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde passes fields by reference"
)]
fn is_false(truth: &bool) -> bool {
    !truth
}

#[allow(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde passes fields by reference"
)]
fn is_zero(number: &u32) -> bool {
    *number == 0
}

/// What an integration's file says that it reads, and what is mapped of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Reads {
    /// The credential, by the name of its file.
    pub credential: String,
    /// The PMS properties.
    pub properties: Vec<String>,
    /// The PMS's own status words that are never pulled (R6).
    pub exclude_statuses: Vec<String>,
    /// Whether units are synced at all (R33).
    pub units_synced: bool,
    /// The units of the property here, where the file names them.
    pub units_here: Vec<String>,
    /// PMS units and the units here, by the file and by hand.
    pub units_mapped: BTreeMap<String, UnitMapped>,
}

/// A PMS unit that is a unit here.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct UnitMapped {
    /// The unit here.
    pub here: String,
    /// Somebody said so by hand; otherwise the file does.
    pub by_hand: bool,
}

/// What an integration is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum IntegrationState {
    /// Waits for its hour.
    Idle,
    /// Waits for a worker.
    Queued,
    /// A run is under way.
    Running,
    /// Switched off in its file.
    Disabled,
    /// Paused by hand.
    Paused,
    /// Its file is gone; its people stay.
    Removed,
    /// Its files were never right.
    Broken,
}

impl IntegrationState {
    /// One word for tables.
    pub fn as_str(self) -> &'static str {
        match self {
            IntegrationState::Idle => "idle",
            IntegrationState::Queued => "queued",
            IntegrationState::Running => "running",
            IntegrationState::Disabled => "disabled",
            IntegrationState::Paused => "paused",
            IntegrationState::Removed => "removed",
            IntegrationState::Broken => "broken",
        }
    }
}

/// How much it matters how an integration stands.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// Nothing is to be done.
    #[default]
    Ok,
    /// Somebody should look at it.
    Warning,
    /// Somebody must: people do not come in, or do not leave.
    Critical,
}

/// How an integration stands. The first that applies, in about this order from the end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Health {
    /// The last run succeeded, or none has run yet.
    #[default]
    Ok,
    /// A run is under way, or waits for a worker.
    Syncing,
    /// It does not run yet: `waits_for` says why.
    Waiting,
    /// A plan waits for approval.
    Held,
    /// The last run failed.
    Failing,
    /// No run has succeeded for too long.
    Stale,
    /// Its files do not come into effect, and nothing runs.
    Broken,
    /// Paused by hand.
    Paused,
    /// Switched off in its file, or its file is gone.
    Off,
    /// Its file is gone, or a PMS property out of it, and people are current there.
    LeftBehind,
    /// Given up for good.
    Retired,
}

impl Health {
    /// One word for tables.
    pub fn as_str(self) -> &'static str {
        match self {
            Health::Ok => "ok",
            Health::Syncing => "syncing",
            Health::Waiting => "waiting",
            Health::Held => "held",
            Health::Failing => "failing",
            Health::Stale => "stale",
            Health::Broken => "broken",
            Health::Paused => "paused",
            Health::Off => "off",
            Health::LeftBehind => "left_behind",
            Health::Retired => "retired",
        }
    }
}

/// The answer to a request to sync: 200 with ended runs, or 202 with runs to come.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct SyncReply {
    /// The runs, one for each integration asked for.
    pub runs: Vec<RunState>,
}

/// A run, ended or not.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct RunState {
    /// The run's id, given as soon as it is asked for.
    pub id: RunId,
    /// The integration.
    pub integration: IntegrationId,
    /// The report, once the run has begun.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub report: Option<Run>,
    /// How far it has come, while it is under way.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub progress: Option<Progress>,
}

/// `GET /v1/runs/{id}`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct RunDetail {
    /// The run.
    #[serde(flatten)]
    pub state: RunState,
    /// The decision for every record, while they are kept.
    #[serde(default)]
    pub decisions: Vec<Decision>,
    /// The plan that waits for approval since this run: everybody whom it takes something from, or lets in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub held: Option<HeldPlan>,
    /// What only the rules of a new version would take at the integration, and waits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since_upgrade: Option<HeldPlan>,
}

/// `GET /v1/since-upgrade`: what only the rules of a new version would take, and waits.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SinceUpgrade {
    /// Of each integration where there is anything, by its id.
    pub plans: BTreeMap<IntegrationId, HeldPlan>,
}

/// The body of `POST /v1/since-upgrade/approve`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ApproveSinceUpgrade {
    /// The digests of the plans that were looked at, by integration; where another one waits, none is approved.
    pub digests: BTreeMap<IntegrationId, String>,
}

/// An event of `GET /v1/runs/{id}/progress`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ProgressEvent {
    /// It waits for its turn.
    Queued,
    /// It has come so far.
    Progress(Progress),
    /// It has ended; no event follows.
    Ended(Box<Run>),
}

/// A page of a list. `next` is the `cursor` of the following page. A page that has a `next` and fewer items than were asked
/// for ended because 10,000 were looked at: no index finds what is asked for.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Page<T> {
    /// The items.
    pub items: Vec<T>,
    /// Where to go on; none at the end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}

/// `GET /v1/people`: a page of people, and the place in the change log that they were read at. Whoever takes all pages
/// and goes on in the log after the place of the *first* misses nothing.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct PeoplePage {
    /// The people.
    pub items: Vec<Person>,
    /// Where to go on; none at the end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
    /// How many people were looked at, where the page ended because they were so many: no index finds who is asked for, and
    /// `next` goes on from there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stopped: Option<usize>,
    /// The number of the last change that is in it.
    #[serde(default)]
    pub seq: u64,
    /// The epoch of the store (R47).
    #[serde(default)]
    pub epoch: u64,
}

/// `GET /v1/people/{id}`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct PersonDetail {
    /// The person.
    pub person: Person,
    /// Their links: integration and the resident's PMS id.
    pub links: Vec<LinkDetail>,
    /// What they have at each target, or shall have there.
    #[serde(default)]
    pub deliveries: Vec<Delivery>,
    /// Open alerts that concern them.
    pub alerts: Vec<Alert>,
    /// Their latest changes, newest first.
    pub changes: Vec<Change>,
    /// They are to be erased once every target has heard of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub erasing: Option<ErasingDetail>,
}

/// Somebody who is to be erased once every target has heard of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ErasingDetail {
    /// Who asked, when, and by which rule.
    #[serde(flatten)]
    pub asked: Erasing,
    /// The targets that have to hear of it first.
    pub waits_for: Vec<LeftAt>,
}

/// `POST /v1/people/{id}/erase`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct EraseAsk {
    /// Why.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Erase at once, whatever targets still have: it stays there.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub force: bool,
}

/// A link of a person.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct LinkDetail {
    /// The integration.
    pub integration: IntegrationId,
    /// The resident's PMS id.
    pub resident: String,
    /// When it was tied.
    pub since: Timestamp,
    /// Complete runs in a row that did not see the resident.
    pub misses: u32,
}

/// `GET /v1/alerts/{id}`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct AlertDetail {
    /// The alert.
    #[serde(flatten)]
    pub alert: Alert,
    /// What was done to it by hand, oldest first.
    #[serde(default)]
    pub done: Vec<ActDetail>,
}

/// Something done by hand, without what it was done to.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ActDetail {
    /// The act.
    pub id: ActId,
    /// What was done.
    pub kind: ActKind,
    /// When.
    pub at: Timestamp,
    /// By whom.
    pub by: Actor,
    /// What was said, or who looks after it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub said: Option<String>,
    /// The act that undid it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub undone_by: Option<ActId>,
    /// The act that erased whom it was done to: it can be undone no more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub erased_by: Option<ActId>,
}

impl ActDetail {
    /// Whether it stands, and could be undone.
    pub fn can_be_undone(&self) -> bool {
        self.undone_by.is_none() && self.erased_by.is_none() && self.kind.can_be_undone()
    }

    /// Whether undoing the last act on the alert may come to it: a comment is taken back by its own id.
    pub fn is_undone_with_alert(&self) -> bool {
        self.can_be_undone() && self.kind != ActKind::Comment
    }
}

/// What is done to an alert by hand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AlertAct {
    /// `POST /v1/alerts/{id}/resolve`.
    Resolve(Resolution),
    /// `POST /v1/alerts/{id}/dismiss`.
    Dismiss,
    /// `POST /v1/alerts/{id}/undo`.
    Undo,
    /// `POST /v1/alerts/{id}/comment`.
    Comment(String),
    /// `POST /v1/alerts/{id}/assign`: to somebody, or to nobody.
    Assign(Option<String>),
}

/// The body of `POST /v1/alerts/{id}/comment`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NewComment {
    /// What is said.
    pub text: String,
}

/// The body of `POST /v1/alerts/{id}/assign`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NewAssignee {
    /// Who looks after it; nobody, where it is absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<String>,
}

/// `GET /v1/alerts/groups`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct AlertGroups {
    /// Open alerts by kind and integration, in the order in which alerts are listed.
    pub groups: Vec<AlertGroup>,
}

/// The open alerts of one kind at one integration.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct AlertGroup {
    /// What is wrong.
    pub kind: AlertKind,
    /// Where.
    pub integration: IntegrationId,
    /// How many there are.
    pub count: u64,
    /// How many of them are probably about namesakes (R15).
    #[serde(default, skip_serializing_if = "is_none")]
    pub namesakes: u64,
    /// The first of them.
    pub first: AlertId,
    /// Since when the oldest is open.
    pub oldest: Timestamp,
    /// Since when the newest is.
    pub newest: Timestamp,
    /// Who looks after some of them.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub assigned: BTreeSet<String>,
}

/// What `epms alerts list --json` prints: the groups, and the alerts themselves.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct GroupedAlerts {
    /// Open alerts by kind and integration.
    pub groups: Vec<AlertGroup>,
    /// The alerts.
    #[serde(flatten)]
    pub page: Page<Alert>,
}

#[allow(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde passes fields by reference"
)]
fn is_none(number: &u64) -> bool {
    *number == 0
}

/// What is done to a person by hand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PersonAct {
    /// `POST /v1/people/{id}/link`: ties a resident of an integration to the person.
    Link(IntegrationId, String),
    /// `POST /v1/people/{id}/unlink`.
    Unlink(IntegrationId, String),
    /// `POST /v1/people/{id}/lock`.
    Lock(BTreeSet<Field>),
    /// `POST /v1/people/{id}/unlock`.
    Unlock(BTreeSet<Field>),
    /// `POST /v1/people/{id}/pin`.
    Pin,
    /// `POST /v1/people/{id}/unpin`.
    Unpin,
    /// `POST /v1/people/{id}/set`: writes fields.
    Set(ProfileEdit),
    /// `POST /v1/people/{id}/end`: ends a stay that was made by hand; the only one, where no integration is named.
    End(Option<IntegrationId>),
}

/// The body of `POST /v1/people/{id}/end`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct EndStay {
    /// Where the stay is; the only one that there is, unless it is said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub integration: Option<IntegrationId>,
}

/// `POST /v1/integrations/{id}/pause`: the body, which may be left out.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PauseFor {
    /// After so many seconds it resumes by itself; without it when somebody resumes it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seconds: Option<u64>,
    /// Why, for whoever reads the status: one line.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// `POST /v1/integrations/{id}/rename`: the body.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NewName {
    /// The integration whose people they are from now on: the new name of the file, without `.yaml`.
    pub to: IntegrationId,
}

/// `GET /v1/targets`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Targets {
    /// Every target, by id.
    pub items: Vec<TargetStatus>,
}

/// The body of `POST /v1/deliveries/{target}/approve`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ApproveDeliveries {
    /// The digest of what was looked at: exactly that is let through, and nothing that changed since.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub digest: Option<String>,
}

/// The body of `POST /v1/deliveries/{target}/retry`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RetryDeliveries {
    /// Only what is this person's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub person: Option<PersonId>,
}

/// The body of `POST /v1/notify/test`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NotifyTest {
    /// Only this notification, by its name in the daemon's file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
}

/// `POST /v1/notify/test`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct NotifyTested {
    /// Each notification that was tried.
    pub notifications: Vec<TriedNotification>,
}

/// A notification that was tried.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct TriedNotification {
    /// What it is called.
    pub name: String,
    /// By which way it tells: `smtp`, `webhook` or `exec`.
    pub way: String,
    /// All who are told by it.
    pub recipients: Vec<TriedRecipient>,
}

/// Somebody to whom a test was sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct TriedRecipient {
    /// Their address, or the way.
    pub to: String,
    /// Why they may not have it; none where it was taken.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

/// `POST /v1/reload`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ReloadReply {
    /// What became of each integration, by id.
    pub integrations: Vec<Reloaded>,
    /// What became of each target, by id.
    #[serde(default)]
    pub targets: Vec<ReloadedTarget>,
    /// Problems of files that belong to no single integration or target.
    #[serde(default)]
    pub problems: Vec<Problem>,
}

/// One line for people: `12 seen: 3 created, 9 unchanged`.
pub fn summary(counts: &Counts) -> String {
    let parts: Vec<String> = crate::model::Fate::ALL
        .into_iter()
        .filter(|fate| counts.of(*fate) > 0)
        .map(|fate| format!("{} {}", counts.of(fate), fate.told()))
        .collect();
    if parts.is_empty() {
        format!("{} seen", counts.seen)
    } else {
        format!("{} seen: {}", counts.seen, parts.join(", "))
    }
}
