//! How a credential stands: what may still be asked with it, until when it is taken, and when its secrets were read. No secret
//! is in it.

use jiff::Timestamp;
use jiff::civil::Date;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{IntegrationId, TargetId};

/// A credential that an integration or a target uses.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CredentialStatus {
    /// The name of its file.
    pub name: String,
    /// The connector's name.
    pub connector: String,
    /// The integrations that use it.
    #[serde(default)]
    pub integrations: Vec<IntegrationId>,
    /// The targets that use it.
    #[serde(default)]
    pub targets: Vec<TargetId>,
    /// The last day on which it is taken: the earlier of what its file and the PMS's answers say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires: Option<Date>,
    /// Who says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_by: Option<ExpiryBy>,
    /// What may be asked with it in a day and in a month (R43); nothing where neither is limited.
    #[serde(default)]
    pub budgets: Vec<BudgetStatus>,
    /// When its secrets were read last since the daemon started.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secrets_read: Option<Timestamp>,
    /// When they were found to be others than before; none where they were always the same since the daemon started.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secrets_changed: Option<Timestamp>,
    /// That the PMS refuses the login (R28).
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub refused: bool,
}

/// Who says until when a credential is taken.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum ExpiryBy {
    /// Its file, by `expires`.
    File,
    /// The answers of the PMS or of the target, where `expires` of a request says.
    Answer,
}

/// Until when a credential is taken, and who says so.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Expiry {
    /// The last day on which it is taken.
    pub last: Date,
    /// Who says so.
    pub by: ExpiryBy,
}

impl Expiry {
    /// The earlier of what the file and the answers say.
    pub fn earliest(file: Option<Date>, answers: impl IntoIterator<Item = Date>) -> Option<Expiry> {
        let of = |by| move |last| Expiry { last, by };
        let answers = answers.into_iter().map(of(ExpiryBy::Answer));
        file.map(of(ExpiryBy::File))
            .into_iter()
            .chain(answers)
            .min()
    }

    /// What is to be done where it is near: get the next, give it, and say its day where that is not told by itself.
    pub fn remedy(self, credential: &str) -> String {
        let get = "ask whoever gave it for the next one, and put its secret in the place of the old one, as `epms secret set` does";
        match self.by {
            ExpiryBy::File => format!(
                "{get}; then write the new day into `expires` of config/credentials/{credential}.yaml"
            ),
            ExpiryBy::Answer => format!("{get}; the next sync hears the new day"),
        }
    }
}

/// How much of a budget is used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct BudgetStatus {
    /// Of which time.
    pub per: BudgetPeriod,
    /// How many requests may be made in it.
    pub limit: u64,
    /// How many were made in the last 24 hours, or 31 days.
    pub used: u64,
    /// How many may still be made.
    pub left: u64,
    /// How many of those are kept for who asks by hand.
    pub by_hand: u64,
}

/// The time that a budget is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum BudgetPeriod {
    /// 24 hours.
    Day,
    /// 31 days.
    Month,
}

impl BudgetPeriod {
    /// The word as JSON and metrics write it.
    pub fn as_str(self) -> &'static str {
        match self {
            BudgetPeriod::Day => "day",
            BudgetPeriod::Month => "month",
        }
    }
}
