//! `config/credentials/*.yaml`: one account at a PMS. Secrets stand here only by reference.

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;

use jiff::civil::Date;
use schemars::JsonSchema;
use serde::de::{self, Deserializer, MapAccess, Visitor};
use serde::{Deserialize, Serialize};

use super::{Guard, Schedule, SecretReference};

/// One PMS account; several integrations may name it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Credential {
    /// Version of the file's form: 1.
    #[schemars(extend("const" = 1))]
    pub version: u32,
    /// The connector, by the stem of its file.
    pub connector: String,
    /// The fields that the connector asks for.
    pub fields: BTreeMap<String, CredentialValue>,
    /// A PEM file with certificates of authorities that the PMS's server may be signed by, besides those that
    /// the system trusts; as seen from the home.
    #[serde(default)]
    pub ca_file: Option<PathBuf>,
    /// What this account's contract allows, where that is less than the connector's `limits`: those are only ever lowered.
    #[serde(default)]
    pub limits: ContractLimits,
    /// The last day on which the PMS or the target takes it, such as `2027-03-31`: an alert tells it 14 days ahead.
    #[serde(default, deserialize_with = "day")]
    pub expires: Option<Date>,
    /// What its integrations have where their own files do not name it.
    #[serde(default)]
    pub defaults: Defaults,
}

impl Credential {
    /// The last day on which it was taken, where that is past.
    pub fn expired(&self, today: Date) -> Option<Date> {
        self.expires.filter(|day| *day < today)
    }
}

/// A key of `guard` and of `schedule` counts by itself. What is not named here either is as in `config/epms.yaml`, or as the
/// program has it.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Defaults {
    /// The PMS's own status words that are never pulled (R6). A file with a list of its own has that list alone.
    pub exclude_statuses: Vec<String>,
    /// The time zone of properties whose files name none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub timezone: Option<String>,
    /// When a run is held until somebody approves it (R27).
    pub guard: Guard,
    /// When they are synced.
    pub schedule: Schedule,
}

fn day<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Date>, D::Error> {
    let text = String::deserialize(deserializer)?;
    let date = text.trim().parse().map_err(|_| {
        de::Error::custom(format!(
            "`{text}` is no date; write year, month and day, such as `2027-03-31`"
        ))
    })?;
    Ok(Some(date))
}

/// How many requests the contract of one account allows. What is absent is as the connector says.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[allow(missing_docs)]
pub struct ContractLimits {
    pub per_second: Option<u32>,
    pub per_minute: Option<u32>,
    pub per_hour: Option<u32>,
    pub per_day: Option<u32>,
    pub per_month: Option<u32>,
}

/// A field of a credential: plain text, or the place of a secret.
#[derive(Debug, Clone, PartialEq, Eq, JsonSchema)]
#[schemars(untagged)]
#[allow(missing_docs)]
pub enum CredentialValue {
    Plain(String),
    Secret(SecretReference),
}

impl<'de> Deserialize<'de> for CredentialValue {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct ValueVisitor;

        impl<'de> Visitor<'de> for ValueVisitor {
            type Value = CredentialValue;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("text, or where a secret is kept: `{ file: PATH }`")
            }

            fn visit_bool<E>(self, truth: bool) -> Result<CredentialValue, E> {
                Ok(CredentialValue::Plain(truth.to_string()))
            }

            fn visit_i64<E>(self, number: i64) -> Result<CredentialValue, E> {
                Ok(CredentialValue::Plain(number.to_string()))
            }

            fn visit_str<E>(self, text: &str) -> Result<CredentialValue, E> {
                Ok(CredentialValue::Plain(text.to_owned()))
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<CredentialValue, A::Error> {
                SecretReference::deserialize(de::value::MapAccessDeserializer::new(map))
                    .map(CredentialValue::Secret)
            }
        }

        deserializer.deserialize_any(ValueVisitor)
    }
}
