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
    /// The last day on which it is taken, as its file says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires: Option<Date>,
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
