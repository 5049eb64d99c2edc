//! A mapping test as it is written.

use std::collections::BTreeMap;

use jiff::civil::Date;
use schemars::{JsonSchema, Schema};
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{Map, Value};

use crate::config::{Csv, Format, Inner, Verdict, schema_of};
use crate::model::Resident;

use super::mapped::Excluded;
use super::person::WrittenPerson;

/// The schema of mapping tests.
pub fn schema() -> Schema {
    schema_of::<Written>("mapping test")
}

/// A case as it is written.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Written {
    /// Version of the file's form: 1.
    #[schemars(extend("const" = 1))]
    pub(super) version: u32,
    /// The script; without it the one named as the folder.
    #[serde(default)]
    pub(super) script: Option<String>,
    /// One record, as the script sees it.
    #[serde(default)]
    pub(super) record: Option<Value>,
    /// Several records, or the name of a file beside this one with an answer of the PMS.
    #[serde(default)]
    pub(super) records: Option<Value>,
    /// Path of the records in the file that `records` names.
    #[serde(default)]
    pub(super) path: Option<String>,
    /// Its form.
    #[serde(default = "json")]
    pub(super) format: Format,
    /// Of that file: a text inside it that is itself an answer, as connectors say it.
    #[serde(default)]
    pub(super) inner: Option<Inner>,
    /// Of that file, if it is CSV: what separates the columns.
    #[serde(default)]
    pub(super) delimiter: Option<char>,
    /// Of that file, if it is CSV: what stands around the rows, as connectors say it.
    #[serde(default)]
    pub(super) csv: Option<Csv>,
    /// Its encoding, such as `windows-1252`, where it does not say so itself.
    #[serde(default)]
    pub(super) encoding: Option<String>,
    /// Path of the PMS property inside a record, where the records are of several, as of a request that is asked once: each is
    /// mapped as one of its property, and those of others than `ctx.properties` are left out.
    #[serde(default)]
    pub(super) property: Option<String>,
    /// The date at the property.
    #[serde(default = "some_day")]
    pub(super) today: Date,
    /// In place of records, an answer of the PMS: `expect` says the `verdict` that the connector's rules, the script's
    /// function `verdict` or its status must give.
    #[serde(default)]
    pub(super) answer: Option<WrittenAnswer>,
    /// The connector whose rules judge `answer`; without it the one named as the folder.
    #[serde(default)]
    pub(super) connector: Option<String>,
    /// Records to look up that stand in files beside this one, by request; besides those of `ctx.lookups`.
    #[serde(default)]
    pub(super) lookups: BTreeMap<String, Vec<LookupFile>>,
    /// What the script may know besides the record, as `ctx`.
    #[serde(default)]
    pub(super) ctx: WrittenContext,
    /// What must come out.
    pub(super) expect: Expect,
    /// In place of records, somebody whom the script of a target gives grants: `expect` says what is `wanted`.
    #[serde(default)]
    pub(super) person: Option<WrittenPerson>,
}

/// An answer of the PMS to the request that `ctx.request` names.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct WrittenAnswer {
    /// The status code.
    #[serde(default = "success")]
    pub(super) status: u16,
    /// Its headers.
    #[serde(default)]
    pub(super) headers: BTreeMap<String, String>,
    /// The name of a file beside this one with its body.
    #[serde(default)]
    pub(super) file: Option<String>,
    /// Its body, where there is no `file`.
    #[serde(default)]
    pub(super) text: Option<String>,
}

/// What the script may know besides the record, as `ctx`.
#[derive(Debug, Deserialize, JsonSchema, Serialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct WrittenContext {
    /// The PMS property that the record came from.
    pub(super) property: String,
    /// The request that the record answers, as the connector names it; without it `residents`, or `target.list` of what is
    /// `held`.
    pub(super) request: Option<String>,
    /// The integration.
    pub(super) integration: String,
    /// The property's country, by ISO 3166 code.
    pub(super) country: String,
    /// The property's time zone, by IANA name.
    pub(super) timezone: String,
    /// The PMS properties that feed the integration.
    pub(super) properties: Vec<String>,
    /// The integration's `fields`.
    pub(super) fields: BTreeMap<String, String>,
    /// The records of the connector's lookups, by request and id.
    pub(super) lookups: BTreeMap<String, BTreeMap<String, Value>>,
    /// The grant that the target was asked about, where the record answers that: the fields that `wanted` gave, and `key`.
    pub(super) grant: Option<Map<String, Value>>,
}

/// An answer of the PMS with records to look up.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct LookupFile {
    /// The file's name.
    pub(super) file: String,
    /// Path of the records in it.
    #[serde(default)]
    pub(super) path: Option<String>,
    /// Its form.
    #[serde(default = "json")]
    pub(super) format: Format,
    /// A text inside it that is itself an answer, as connectors say it.
    #[serde(default)]
    pub(super) inner: Option<Inner>,
    /// If it is CSV: what separates the columns.
    #[serde(default)]
    pub(super) delimiter: Option<char>,
    /// If it is CSV: what stands around the rows, as connectors say it.
    #[serde(default)]
    pub(super) csv: Option<Csv>,
    /// Its encoding, such as `windows-1252`, where it does not say so itself.
    #[serde(default)]
    pub(super) encoding: Option<String>,
    /// Path of the key inside a record.
    pub(super) id: String,
    /// The PMS property that it was asked for; without one it is of all.
    #[serde(default)]
    pub(super) property: String,
}

/// What must come out. What is not listed must not come.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Expect {
    /// Those that come in, in full: a field that is absent here must be absent.
    #[serde(default)]
    pub(super) residents: Vec<Resident>,
    /// What the `person` should have at the target: grants in full, each with its `key`; a field that is absent here must be
    /// absent.
    #[serde(default)]
    pub(super) wanted: Option<Vec<Map<String, Value>>>,
    /// What a record that was read back from a target is: the grant in full, with its `key` and its `id`; `null` where it is
    /// none of ours, and a list of grants for several records.
    #[serde(default, deserialize_with = "as_it_is")]
    pub(super) held: Option<Value>,
    /// Those that the script leaves out.
    #[serde(default)]
    pub(super) excluded: Vec<Excluded>,
    /// The error that rejects a record.
    #[serde(default)]
    pub(super) error: Option<ExpectedError>,
    /// Errors, where several records are rejected: each must come, and no other may.
    #[serde(default)]
    pub(super) errors: Vec<ExpectedError>,
    /// What `answer` means.
    #[serde(default)]
    pub(super) verdict: Option<Verdict>,
    /// A part of what is to be done about it.
    #[serde(default)]
    pub(super) hint: Option<String>,
    /// That a run would be incomplete for `answer`, or because no record has anything at `property`: a part of why, as the
    /// run says it.
    #[serde(default)]
    pub(super) incomplete: Option<String>,
}

/// An error: the field it must name, and a part of its message.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ExpectedError {
    /// The field that it names.
    #[serde(default)]
    pub(super) field: Option<String>,
    /// A part of its message.
    #[serde(default)]
    pub(super) message: Option<String>,
}

/// Also nothing is a value here.
fn as_it_is<'de, D: Deserializer<'de>>(value: D) -> Result<Option<Value>, D::Error> {
    Value::deserialize(value).map(Some)
}

fn success() -> u16 {
    200
}

fn json() -> Format {
    Format::Json
}

/// Mappings must not depend on the day they are tested on.
fn some_day() -> Date {
    jiff::civil::date(2026, 1, 1)
}

impl Default for WrittenContext {
    fn default() -> Self {
        WrittenContext {
            property: String::new(),
            request: None,
            integration: String::new(),
            country: "US".into(),
            timezone: "UTC".into(),
            properties: Vec::new(),
            fields: BTreeMap::new(),
            lookups: BTreeMap::new(),
            grant: None,
        }
    }
}
