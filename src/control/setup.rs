//! What the pages of the set-up ask, and what they are told: steps, choices, and what comes of them. A secret goes one way only.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::model::{IntegrationId, LeaseStatus, Problem};

/// A step of the set-up, in its order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SetupStep {
    /// Which kind of PMS.
    Pms,
    /// Which account of it.
    Credential,
    /// What of it feeds the integration.
    Properties,
    /// What the property is here; of an integration that is there, its settings.
    Details,
    /// Who is never pulled.
    Statuses,
    /// Who would come in, and what is written.
    Preview,
}

/// Which set-up: one that is under way, or a new one; of a new integration, or of one that is there.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SetupOf {
    /// The one under way.
    pub draft: Option<String>,
    /// The integration whose settings they are.
    pub integration: Option<IntegrationId>,
}

/// A secret that somebody typed. It is never shown.
#[derive(Clone, PartialEq, Eq)]
pub struct Typed(pub String);

impl fmt::Debug for Typed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a secret")
    }
}

/// The answer to a step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SetupAnswer {
    /// This kind of PMS.
    Pms(String),
    /// This account, which is there.
    Known(String),
    /// A new account.
    New {
        /// What it is called.
        name: String,
        /// Its fields that are no secrets.
        fields: Vec<(String, String)>,
        /// Those that are; an empty one is as it was typed before.
        secrets: Vec<(String, Typed)>,
    },
    /// These properties of the PMS.
    Properties {
        /// Those that were ticked.
        ids: Vec<String>,
        /// Those that were written.
        typed: String,
        /// An integration for each of them.
        each: bool,
    },
    /// What the property is here, and how it is kept.
    Details {
        /// That.
        details: SetupDetails,
        /// Whether it goes on to the difference at once; of one that is there.
        look: bool,
    },
    /// Who is never pulled.
    Statuses {
        /// The words that were ticked.
        words: Vec<String>,
        /// Those that were written.
        typed: String,
        /// Whether what was ticked was shown: then what is not ticked comes in.
        shown: bool,
    },
    /// Asks the PMS anew for what this step shows.
    Ask(SetupStep),
    /// Finds out anew who would come in.
    Foresee,
    /// Writes exactly what was looked at.
    Write {
        /// What stands for it.
        digest: String,
        /// Whether it is switched on; none leaves that as it is.
        enabled: Option<bool>,
    },
    /// Gives it up.
    Drop,
}

/// What a property is here, as texts: what is empty is as it was.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct SetupDetails {
    /// What people call it.
    pub name: String,
    /// The id; of a new one.
    pub id: String,
    /// Its time zone.
    pub timezone: String,
    /// Its country.
    pub country: String,
    /// Whether it is switched on; of one that is there.
    pub enabled: Option<bool>,
    /// How often it is synced.
    pub every: String,
    /// From how many people on a run is held.
    pub limit: String,
    /// From which part of them on.
    pub percent: String,
    /// What is summed up for that.
    pub window: String,
    /// How many may come in at once.
    pub newcomers: String,
}

/// Where an answer leads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SetupNext {
    /// The set-up that goes on; none where it has ended.
    pub draft: Option<String>,
    /// Its step.
    pub step: SetupStep,
    /// The integrations whose files were written.
    pub written: Option<Vec<IntegrationId>>,
}

/// All that the pages of a set-up show.
#[derive(Debug, Clone, Serialize)]
pub struct Setup {
    /// What it is found again by; none before the first answer.
    pub draft: Option<String>,
    /// The integration whose settings they are.
    pub integration: Option<IntegrationId>,
    /// How far it has come.
    pub reached: SetupStep,
    /// What is wrong with an answer, and at which step.
    pub trouble: Option<(SetupStep, String)>,
    /// Kinds of PMS.
    pub connectors: Vec<SetupConnector>,
    /// The one that was chosen.
    pub connector: String,
    /// Accounts of it.
    pub credentials: Vec<SetupCredential>,
    /// The one that was chosen, or what the new one is called.
    pub credential: String,
    /// Whether that is a new one.
    pub is_new: bool,
    /// What has to be asked of the vendor and the customer first.
    pub ask_vendor_for: Vec<String>,
    /// What has to be seen to elsewhere.
    pub notes: Vec<String>,
    /// The fields of a new account.
    pub fields: Vec<SetupField>,
    /// What the PMS has, where it was asked.
    pub properties: Option<Vec<SetupProperty>>,
    /// Why it cannot be told.
    pub unlisted: Option<String>,
    /// Chosen properties that the PMS did not list.
    pub typed_properties: String,
    /// Chosen ones, by their ids.
    pub chosen: Vec<String>,
    /// Whether each of them becomes an integration.
    pub each: bool,
    /// The ids that each becomes.
    pub ids: Vec<(String, String)>,
    /// What the property is here.
    pub details: SetupDetails,
    /// Time zones that there are.
    pub zones: Vec<String>,
    /// Words of status with counts, where the PMS was asked.
    pub statuses: Option<Vec<SetupStatus>>,
    /// Why they cannot be told.
    pub uncounted: Option<String>,
    /// Words that are left out and that nobody has now.
    pub typed_statuses: String,
    /// Whether these are those of the account's `defaults`.
    pub are_inherited: bool,
    /// Who is left out in any case, and why.
    pub left_out: Vec<(String, u64)>,
    /// Records that cannot be mapped, and why the first cannot.
    pub rejected: Option<(u64, String)>,
    /// Who would come in.
    pub foreseen: Vec<SetupForeseen>,
    /// So many more integrations are not looked at.
    pub not_foreseen: usize,
    /// What would be written.
    pub files: Vec<SetupFile>,
    /// Files that secrets are kept in, each with its field.
    pub secrets: Vec<(String, String)>,
    /// What somebody writes by hand, as it cannot be changed without changing what is around it.
    pub by_hand: Vec<String>,
    /// What `epms check` would say of the files.
    pub problems: Vec<Problem>,
    /// What stands for exactly these files.
    pub digest: String,
    /// Whether it would be switched on.
    pub enabled: bool,
    /// The same as a patch, where nothing may be written.
    pub patch: Option<String>,
    /// Why nothing may be written.
    pub unwritable: Option<String>,
    /// The checkout in which the files lie; where there is none and a patch is told, the home.
    pub root: Option<String>,
    /// Whether that is a checkout.
    pub is_checkout: bool,
}

/// A kind of PMS.
#[derive(Debug, Clone, Serialize)]
pub struct SetupConnector {
    /// The name of its file.
    pub name: String,
    /// What its file says that it is.
    pub title: String,
    /// Accounts of it that are there.
    pub credentials: usize,
    /// Why it cannot be used.
    pub problem: Option<String>,
}

/// An account that is there.
#[derive(Debug, Clone, Serialize)]
pub struct SetupCredential {
    /// The name of its file.
    pub name: String,
    /// Integrations that it serves.
    pub integrations: usize,
    /// Why it cannot be used.
    pub problem: Option<String>,
}

/// A field of a new account.
#[derive(Debug, Clone, Serialize)]
pub struct SetupField {
    /// Its name.
    pub name: String,
    /// What it is.
    pub help: String,
    /// Whether it is never shown.
    pub is_secret: bool,
    /// What applies where it is empty.
    pub default: Option<String>,
    /// What was written; never a secret.
    pub value: String,
    /// Whether a secret was typed already.
    pub is_kept: bool,
}

/// A property of the PMS.
#[derive(Debug, Clone, Serialize)]
pub struct SetupProperty {
    /// The PMS's id.
    pub id: String,
    /// What the PMS calls it.
    pub name: String,
    /// Another integration that it feeds.
    pub feeds: Option<String>,
    /// Whether it was chosen.
    pub chosen: bool,
}

/// A word of status.
#[derive(Debug, Clone, Serialize)]
pub struct SetupStatus {
    /// The PMS's own word.
    pub word: String,
    /// What the script makes of it.
    pub status: LeaseStatus,
    /// How many have it.
    pub residents: u64,
    /// Whether they are never pulled.
    pub excluded: bool,
    /// The first of them: name and unit.
    pub who: Vec<(String, String)>,
}

/// What the first or next run of an integration would do.
#[derive(Debug, Clone, Serialize)]
pub struct SetupForeseen {
    /// The integration.
    pub id: String,
    /// How the run would end, in a word.
    pub outcome: String,
    /// Why it would not end well.
    pub reason: Option<String>,
    /// How many of what, without those of which there are none.
    pub counts: Vec<(String, u64)>,
    /// The first of those of whom something would be different.
    pub people: Vec<SetupPerson>,
    /// So many more.
    pub more: usize,
    /// Who would be left out, by word or reason.
    pub left_out: Vec<(String, u64)>,
    /// Alerts that would be raised, by kind.
    pub alerts: Vec<(String, u64)>,
}

/// Somebody of whom something would be different.
#[derive(Debug, Clone, Serialize)]
pub struct SetupPerson {
    /// The name.
    pub name: String,
    /// What would happen.
    pub what: String,
    /// The unit.
    pub unit: String,
    /// The status.
    pub status: String,
}

/// A file that would be written.
#[derive(Debug, Clone, Serialize)]
pub struct SetupFile {
    /// Its name in the home.
    pub name: String,
    /// Whether it is not there yet.
    pub is_new: bool,
    /// Its lines: `new`, `gone`, `same`, `left_out`, and what stands there.
    pub lines: Vec<(&'static str, String)>,
}
