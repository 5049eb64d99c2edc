//! `config/connectors/*.yaml`: how a kind of PMS is reached. The language only; `source` speaks it.

use std::collections::BTreeMap;
use std::fmt;

use serde::Deserialize;
use serde::de::{self, Deserializer, MapAccess, SeqAccess, Visitor};

use super::Span;

/// How a kind of PMS is reached. Texts marked *template* may hold `{{ credential.NAME }}`, `{{ property }}`,
/// `{{ today }}`, `{{ page.… }}` and `{{ fields.NAME }}`; values are escaped for the place they stand in.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Connector {
    /// Version of the file's form: 1.
    pub version: u32,
    /// The script that maps its records; a file in `scripts/`.
    pub script: String,
    /// The fields that a credential must have.
    pub credential_fields: BTreeMap<String, CredentialField>,
    /// Templates of the hosts that requests may go to (`host` or `host:port`). Nothing else is reachable.
    pub hosts: Vec<String>,
    /// One budget per credential, shared by all its integrations.
    #[serde(default)]
    pub limits: Limits,
    /// How long one request may take, from its start to the last byte.
    #[serde(default = "timeout")]
    pub timeout: Span,
    /// How often and how long a request is repeated.
    #[serde(default)]
    pub retry: Retry,
    /// How requests prove who asks.
    #[serde(default)]
    pub auth: Option<Auth>,
    /// Headers of every request; templates.
    #[serde(default)]
    pub headers: BTreeMap<String, String>,
    /// What answers mean, for every request; after the request's own rules.
    #[serde(default)]
    pub errors: Vec<AnswerRule>,
    /// The requests. `residents` must be there; the others are lookups that scripts may ask.
    pub requests: BTreeMap<String, Request>,
}

/// A field of a credential.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CredentialField {
    /// Whether it is a secret, and so stands in files only by reference.
    pub secret: bool,
    /// Its value where the credential does not give one.
    pub default: Option<String>,
    /// What it is and where to get it, for whoever sets it up.
    pub help: Option<String>,
}

/// A budget. What is absent is not limited.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
#[allow(missing_docs)]
pub struct Limits {
    pub per_second: Option<u32>,
    pub per_minute: Option<u32>,
    pub per_hour: Option<u32>,
    /// Requests under way at once.
    pub concurrent: Option<usize>,
}

/// How often and how long a request is repeated that may succeed later.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Retry {
    /// Tries in all, the first included.
    pub attempts: u32,
    /// The first pause; each further one is up to twice as long, at random.
    pub pause: Span,
    /// The longest pause, also where the PMS asks for a longer one: then the run gives up.
    pub longest: Span,
}

/// How requests prove who asks. All fields are templates.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
#[allow(missing_docs)]
pub enum Auth {
    /// HTTP Basic.
    Basic { username: String, password: String },
    /// `Authorization: Bearer …`.
    Bearer { token: String },
}

/// One kind of request.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Request {
    /// The method.
    #[serde(default)]
    pub method: Method,
    /// That a POST only reads, and may be repeated.
    #[serde(default)]
    pub reads: bool,
    /// Template of the URL. Values are escaped as path segments, except one that is itself an http(s) URL.
    pub url: String,
    /// Templates of query parameters. One that comes out empty is left out.
    #[serde(default)]
    pub query: BTreeMap<String, String>,
    /// Headers; templates.
    #[serde(default)]
    pub headers: BTreeMap<String, String>,
    /// The body.
    #[serde(default)]
    pub body: Option<Body>,
    /// The form of the answer.
    pub format: Format,
    /// Path of the records in the answer: names separated by `/`; `*` is any name, `**` any depth. For
    /// `soap` it begins inside the Body. Empty for an answer that is the list itself.
    #[serde(default)]
    pub records: String,
    /// Path of the id inside a record; for reports, and as the key of lookups.
    #[serde(default)]
    pub id: Option<String>,
    /// Path of what people call it, for `discover`.
    #[serde(default)]
    pub name: Option<String>,
    /// How the next page is found. Without it there is one page.
    #[serde(default)]
    pub page: Option<Page>,
    /// Path of the number of records in all, as the PMS declares it.
    #[serde(default)]
    pub total: Option<String>,
    /// What answers mean, first match first; before the connector's rules and the usual reading.
    #[serde(default)]
    pub errors: Vec<AnswerRule>,
    /// Whether it is asked once for each PMS property, or once in all.
    #[serde(default)]
    pub per: Per,
    /// For lookups: how long an answer serves.
    #[serde(default)]
    pub refresh: Option<Span>,
}

/// The methods that read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
#[allow(missing_docs)]
pub enum Method {
    #[default]
    Get,
    Post,
}

/// The body of a request. Text leaves are templates.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Body {
    /// `application/x-www-form-urlencoded`.
    Form(BTreeMap<String, String>),
    /// `application/json`.
    Json(serde_json::Value),
    /// XML.
    Xml(String),
    /// The content of a SOAP body; the envelope is added.
    Soap(Soap),
}

/// A SOAP request.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Soap {
    /// `1.1` or `1.2`.
    #[serde(default)]
    pub version: SoapVersion,
    /// The SOAPAction.
    pub action: String,
    /// Template of the element inside the Body.
    pub xml: String,
}

/// The SOAP versions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[allow(missing_docs)]
pub enum SoapVersion {
    #[default]
    #[serde(rename = "1.1")]
    V11,
    #[serde(rename = "1.2")]
    V12,
}

/// The form of an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
#[allow(missing_docs)]
pub enum Format {
    Json,
    Xml,
    Soap,
}

/// How the next page is found.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Page {
    /// Path of a URL, or a path on the same host, in the answer; none at the end.
    Next(String),
    /// Path of a cursor for `{{ page.cursor }}` in the answer; none at the end.
    Cursor(String),
    /// `{{ page.offset }}` grows by what came, until a page has fewer than `{{ page.size }}` records.
    Offset(Counted),
    /// `{{ page.number }}` grows by one, until a page has fewer than `{{ page.size }}` records.
    Number(Counted),
}

/// A page that is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Counted {
    /// The number of the first record or page.
    #[serde(default)]
    pub first: u64,
    /// Records on a page.
    pub size: u64,
}

/// For what a request is repeated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
#[allow(missing_docs)]
pub enum Per {
    #[default]
    Property,
    Once,
}

/// What an answer means. All conditions given must hold; the first rule that matches decides.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AnswerRule {
    /// Status codes: `429`, `5xx`, or a list of them.
    #[serde(default)]
    pub status: Option<Statuses>,
    /// Path in the answer; it must be there and not empty. Of several values there, one that fits is
    /// enough; `Message[@type=Error]` looks only at those with that attribute or member.
    #[serde(default)]
    pub path: Option<String>,
    /// Path in the answer at which there must be nothing, or an empty element. Needs an answer that is readable.
    #[serde(default)]
    pub absent: Option<String>,
    /// Text that stands at `path`, or anywhere in the answer; case does not matter.
    #[serde(default)]
    pub text: Option<String>,
    /// What it means.
    pub is: Verdict,
    /// What to do about it, for whoever is woken.
    #[serde(default)]
    pub hint: Option<String>,
}

/// What an answer means.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// Records follow.
    Ok,
    /// There are no records, truly.
    Empty,
    /// Try again soon.
    Retry,
    /// Too many requests; try again when the PMS says.
    RateLimited,
    /// The PMS is closed for a while.
    Maintenance,
    /// The login is wrong: trying again could lock the account.
    LoginFailed,
    /// The login is right and may not do this.
    Denied,
    /// Wrong, and trying again would not help.
    Fatal,
}

/// One status code or many: `429`, `5xx`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Statuses(Vec<(u16, u16)>);

impl Statuses {
    /// Whether `status` is one of them.
    pub fn contains(&self, status: u16) -> bool {
        self.0
            .iter()
            .any(|(low, high)| (*low..=*high).contains(&status))
    }
}

impl<'de> Deserialize<'de> for Statuses {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct StatusesVisitor;

        fn range<E: de::Error>(text: &str) -> Result<(u16, u16), E> {
            let number = match text.strip_suffix("xx") {
                Some(class) => class
                    .parse()
                    .ok()
                    .map(|class: u16| (class * 100, class * 100 + 99)),
                None => text.parse().ok().map(|code| (code, code)),
            };
            number
                .filter(|(low, _)| (100..600).contains(low))
                .ok_or_else(|| {
                    E::custom(format!(
                        "`{text}` is not a status code; write `429`, `5xx` or a list of them"
                    ))
                })
        }

        impl<'de> Visitor<'de> for StatusesVisitor {
            type Value = Statuses;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a status code")
            }

            fn visit_i64<E: de::Error>(self, code: i64) -> Result<Statuses, E> {
                self.visit_str(&code.to_string())
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Statuses, E> {
                Ok(Statuses(vec![range(text)?]))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Statuses, A::Error> {
                let mut ranges = Vec::new();
                while let Some(text) = seq.next_element::<String>()? {
                    ranges.push(range(&text)?);
                }
                Ok(Statuses(ranges))
            }
        }

        deserializer.deserialize_any(StatusesVisitor)
    }
}

impl<'de> Deserialize<'de> for CredentialField {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(rename_all = "snake_case")]
        enum Kind {
            Plain,
            Secret,
        }

        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Long {
            kind: Kind,
            #[serde(default)]
            default: Option<String>,
            #[serde(default)]
            help: Option<String>,
        }

        struct FieldVisitor;

        impl<'de> Visitor<'de> for FieldVisitor {
            type Value = CredentialField;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("`plain`, `secret`, or `{ kind: …, default: …, help: … }`")
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<CredentialField, E> {
                let kind = Kind::deserialize(de::value::StrDeserializer::new(text))?;
                let secret = matches!(kind, Kind::Secret);
                Ok(CredentialField {
                    secret,
                    default: None,
                    help: None,
                })
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<CredentialField, A::Error> {
                let long = Long::deserialize(de::value::MapAccessDeserializer::new(map))?;
                let secret = matches!(long.kind, Kind::Secret);
                Ok(CredentialField {
                    secret,
                    default: long.default,
                    help: long.help,
                })
            }
        }

        deserializer.deserialize_any(FieldVisitor)
    }
}

impl Default for Retry {
    fn default() -> Self {
        Retry {
            attempts: 4,
            pause: Span::seconds(1),
            longest: Span::seconds(120),
        }
    }
}

fn timeout() -> Span {
    Span::seconds(60)
}
