//! `config/connectors/*.yaml`: how a kind of PMS is reached. The language only; `source` speaks it.

use std::collections::BTreeMap;
use std::fmt;

use schemars::JsonSchema;
use serde::de::{self, Deserializer, MapAccess, Visitor};
use serde::{Deserialize, Serialize};

use super::answer::AnswerRule;
use super::credential::ContractLimits;
use super::request::{Request, text_or_mapping};
use super::target_requests::TargetRequests;
use super::{Proxy, Span};

/// How a kind of PMS is reached. Texts marked *template* may hold `{{ credential.NAME }}`, `{{ property }}`,
/// `{{ today }}`, `{{ now.seconds }}`, `{{ now.milliseconds }}`, `{{ page.… }}` and `{{ fields.NAME }}`; values are escaped for the place they stand in.
/// What proves who asks (`auth`, and the request of a login) is shared by all integrations of a credential,
/// so only `credential.NAME`, `today` and `now` may stand there.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Connector {
    /// Version of the file's form: 1 or 2. In version 2 what could end in a feed that looks whole and is not is an error:
    /// what `epms check` warns of in version 1 as `all_properties`, `same_property`, `rule`, `unused_key`, `unset_value`, `host`,
    /// `filter`, `date_form`, `script_name`, `same_name`, `unknown_lookup` and `unasked_request`, and a limit or a pause of 0.
    #[schemars(extend("enum" = [1, 2]))]
    pub version: u32,
    /// What whoever sets it up has to know or to see to elsewhere, such as a setting in the vendor's own console, a sentence
    /// each. `epms add` and `epms doctor` show them.
    #[serde(default)]
    pub notes: Vec<String>,
    /// What a credential needs that somebody else has to give or to switch on: whom to ask, and for what, a sentence each.
    /// `epms add` shows them before it asks for the fields.
    #[serde(default)]
    pub ask_vendor_for: Vec<String>,
    /// The script that maps its records, or words what people should have at a target; a file in `scripts/`. A target that is
    /// only told what happens (`send`) has none.
    #[serde(default)]
    pub script: String,
    /// The fields that a credential must have.
    pub credential_fields: BTreeMap<String, CredentialField>,
    /// Templates of the hosts that requests may go to (`host` or `host:port`). Nothing else is reachable: a `*` stands for
    /// nothing here, and of a URL the host is written `{{ credential.url | host }}`.
    pub hosts: Vec<String>,
    /// Requests may go over plain http, and secrets with them in the clear, to other machines too. Only for a
    /// PMS that has nothing better, in a network that nobody else is in.
    #[serde(default)]
    pub plain_http: bool,
    /// A proxy that requests go through, in place of the one in `config/epms.yaml`; `none` for none. Requests to loopback
    /// go through none, and the names of hosts are resolved by the proxy.
    #[serde(default)]
    pub proxy: Option<Proxy>,
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
    /// A header that proves with a key that a request is whole and new, beside `auth`.
    #[serde(default)]
    pub sign: Option<Sign>,
    /// Headers of every request; templates.
    #[serde(default)]
    pub headers: BTreeMap<String, String>,
    /// What `epms record` does with fields that it would judge otherwise.
    #[serde(default)]
    pub record: Recorded,
    /// What answers mean, for every request; after the request's own rules.
    #[serde(default)]
    pub errors: Vec<AnswerRule>,
    /// The requests. `residents` must be there; one with `feeds: residents` is read with it, one that
    /// `auth.login` names is the login, `properties` is for `discover`, and the others are lookups that
    /// scripts may ask. Of a connector with `target` they are the login, and what its operations name in `after` and `each`.
    #[serde(default)]
    pub requests: BTreeMap<String, Request>,
    /// Where this is a place that access is delivered to: then there are no `residents`.
    #[serde(default)]
    pub target: Option<TargetRequests>,
}

/// What `epms record` does with fields that it would judge otherwise. Names, emails, phones and any other text become
/// made-up ones of the same form; the words that the script knows, statuses, types, dates and short numbers stay.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Recorded {
    /// Names of fields that are about a person, whatever stands in them.
    pub personal: Vec<String>,
    /// Names of fields that say nothing about anybody, and stay as they are.
    pub keep: Vec<String>,
}

/// A field of a credential.
#[derive(Debug, Clone, PartialEq, Eq, JsonSchema)]
#[schemars(with = "FieldForm")]
pub struct CredentialField {
    /// Whether it is a secret, and so stands in files only by reference.
    pub secret: bool,
    /// Its value where the credential does not give one.
    pub default: Option<String>,
    /// What it is and where to get it, for whoever sets it up.
    pub help: Option<String>,
}

/// A budget. What is absent is not limited.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[allow(missing_docs)]
pub struct Limits {
    pub per_second: Option<u32>,
    pub per_minute: Option<u32>,
    pub per_hour: Option<u32>,
    /// In 24 hours, also over restarts. A tenth is kept for manual syncs, the rest dealt out over the integrations of a
    /// credential and the hours: where it does not last for their schedule, they run less often (R43).
    pub per_day: Option<u32>,
    /// The same in 31 days.
    pub per_month: Option<u32>,
    /// Requests under way at once.
    pub concurrent: Option<usize>,
    /// The header in which the PMS tells how many requests are left: one number, or one for each of its
    /// windows, separated by `;`. At 0 the next request waits for `reset`.
    pub remaining: Option<String>,
    /// The header in which it tells when they are back: seconds, or a Unix time; one for each window as in
    /// `remaining`. It also says how long to wait after a refusal without `Retry-After`.
    pub reset: Option<String>,
}

impl Connector {
    /// Whether what may be meant, and most likely is not, is an error in its file.
    pub fn is_strict(&self) -> bool {
        self.version >= 2
    }
}

impl Limits {
    /// What becomes of one that allows nothing.
    pub const ZERO: &str = "is 0, which is taken as 1, as nothing would ever be asked; write how many requests are allowed, or remove it";

    /// Those of its keys that allow nothing.
    pub fn zeros(&self) -> Vec<&'static str> {
        let keys = [
            ("per_second", self.per_second == Some(0)),
            ("per_minute", self.per_minute == Some(0)),
            ("per_hour", self.per_hour == Some(0)),
            ("per_day", self.per_day == Some(0)),
            ("per_month", self.per_month == Some(0)),
            ("concurrent", self.concurrent == Some(0)),
        ];
        let zeros = keys.into_iter().filter(|(_, is_zero)| *is_zero);
        zeros.map(|(key, _)| key).collect()
    }

    /// With what one credential's contract allows, where that is less.
    #[must_use]
    pub fn lowered(&self, by: &ContractLimits) -> Limits {
        let least = |one: Option<u32>, other: Option<u32>| one.into_iter().chain(other).min();
        Limits {
            per_second: least(self.per_second, by.per_second),
            per_minute: least(self.per_minute, by.per_minute),
            per_hour: least(self.per_hour, by.per_hour),
            per_day: least(self.per_day, by.per_day),
            per_month: least(self.per_month, by.per_month),
            ..self.clone()
        }
    }
}

/// How often and how long a request is repeated that may succeed later.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Retry {
    /// Tries in all, the first included.
    pub attempts: u32,
    /// The first pause; each further one is up to twice as long, at random.
    pub pause: Span,
    /// The longest pause. Where the PMS asks for a longer one, a run that somebody asked for gives up; one that the clock
    /// started gives its worker to others and waits, but not beyond its next moment.
    pub longest: Span,
}

/// How requests prove who asks. All texts are templates, unless they are said to be something else.
/// Headers with a key or a secret need none of this: they stand in `headers`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
#[allow(missing_docs)]
pub enum Auth {
    /// HTTP Basic.
    Basic { username: String, password: String },
    /// `Authorization: Bearer …`.
    Bearer { token: String },
    /// A request that answers with a token.
    Login(Login),
    /// OAuth2, with client credentials unless it says otherwise.
    #[serde(rename = "oauth2")]
    OAuth2(OAuth2),
}

/// A request that answers with a token for the others. The token is kept in memory for the credential,
/// shared by its integrations, and fetched again when it is idle or old, or when the PMS refuses it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Login {
    /// The request, by its name in `requests`. Where it leads elsewhere once it has let somebody in, it has the rule
    /// `{ status: 302, is: ok }`.
    pub request: String,
    /// Where the token is: its path in the answer, which is empty where the whole answer is the token as a JSON text;
    /// `{ header: NAME }`, `{ cookie: NAME }` for one that `Set-Cookie` sets, or `{ body: text }` where the whole answer
    /// is the token as it is.
    #[serde(default)]
    pub token: TokenPlace,
    /// The header in which requests carry the token: `Authorization`, or `Cookie` for a cookie, unless it says otherwise.
    #[serde(default)]
    pub header: Option<String>,
    /// Template of that header; here `{{ token }}` is the token. `Bearer {{ token }}`, or `NAME={{ token }}` for a cookie,
    /// unless it says otherwise.
    #[serde(default)]
    pub value: Option<String>,
    /// A token that was not used for so long is not used again.
    #[serde(default)]
    pub idle: Option<Span>,
    /// A token that is so old is not used again.
    #[serde(default)]
    pub lifetime: Option<Span>,
    /// The request that gives a token back, by its name in `requests`, for a PMS that lets only so many be logged in at once:
    /// it is asked when the daemon stops and when a command ends, and of its templates each may hold `{{ token }}`. Where it
    /// fails, that is told, and nothing else fails.
    #[serde(default)]
    pub logout: Option<String>,
}

/// Where a token is in the answer to a login.
#[derive(Debug, Clone, PartialEq, Eq, JsonSchema)]
#[schemars(with = "TokenForm")]
pub enum TokenPlace {
    /// At this path.
    Path(String),
    /// In this header.
    Header(String),
    /// In the cookie of this name.
    Cookie(String),
    /// The answer itself, as text.
    Text,
}

/// Where a token is in the answer to a login.
#[derive(JsonSchema)]
#[schemars(untagged)]
#[allow(dead_code, reason = "says how it is written")]
enum TokenForm {
    Path(#[schemars(extend("minLength" = 0))] String),
    Beside(TokenBeside),
}

/// A token that is not at a path.
#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum TokenBeside {
    /// The name of the header.
    Header(String),
    /// The name of the cookie.
    Cookie(String),
    /// What of the body it is.
    Body(BodyPart),
}

/// What of a body a token is.
#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum BodyPart {
    /// All of it, but for blanks around it.
    Text,
}

impl Default for TokenPlace {
    fn default() -> Self {
        TokenPlace::Path(String::new())
    }
}

impl<'de> Deserialize<'de> for TokenPlace {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        text_or_mapping(
            deserializer,
            "a path, `{ header: NAME }`, `{ cookie: NAME }` or `{ body: text }`",
            TokenPlace::Path,
            |beside| match beside {
                TokenBeside::Header(name) => TokenPlace::Header(name),
                TokenBeside::Cookie(name) => TokenPlace::Cookie(name),
                TokenBeside::Body(BodyPart::Text) => TokenPlace::Text,
            },
        )
    }
}

impl Login {
    /// The header that carries the token.
    pub fn header(&self) -> &str {
        self.header.as_deref().unwrap_or(match &self.token {
            TokenPlace::Cookie(_) => "Cookie",
            _ => "Authorization",
        })
    }

    /// The template of that header.
    pub fn value(&self) -> String {
        self.value.clone().unwrap_or_else(|| match &self.token {
            TokenPlace::Cookie(name) => format!("{name}={{{{ token }}}}"),
            _ => "Bearer {{ token }}".into(),
        })
    }
}

/// A signature of each request: HMAC with SHA-256 (RFC 2104).
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Sign {
    /// The header that carries it.
    pub header: String,
    /// Template of the key.
    pub key: String,
    /// Template of the key before this one, while both count: where it comes out as anything, a second signature stands behind
    /// the first one, with a blank between.
    #[serde(default)]
    pub previous: Option<String>,
    /// How the key is written.
    #[serde(default)]
    pub key_is: KeyForm,
    /// Template of what is signed. Besides what stands everywhere there are `{{ method }}`, `{{ path }}`, `{{ query }}`
    /// (without its `?`) and `{{ body }}` of the request, and the filter `sha256` (in hexadecimal digits). `{{ now.seconds }}`
    /// and `{{ now.milliseconds }}` are the same as in the request's headers. Of a target that is told of events, there is
    /// `{{ event.NAME }}` too.
    pub text: String,
    /// How the signature is written.
    #[serde(default)]
    pub encoding: SignatureForm,
    /// Template of the header; here `{{ signature }}` is the signature, and nothing else but it is there where none is
    /// given.
    #[serde(default = "signature")]
    pub value: String,
}

/// How a key is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum KeyForm {
    /// Its letters are the key.
    #[default]
    Text,
    /// In base64.
    Base64,
    /// In hexadecimal digits.
    Hex,
}

/// How a signature is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum SignatureForm {
    /// In hexadecimal digits, in lower case.
    #[default]
    Hex,
    /// In base64.
    Base64,
}

/// OAuth2 (RFC 6749). The token goes into `Authorization: Bearer …`, and is
/// fetched again a while before `expires_in` ends, or when the PMS refuses it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct OAuth2 {
    /// The token endpoint. Its host must be among the connector's `hosts`.
    pub token_url: String,
    /// The client's id.
    pub client_id: String,
    /// The client's secret; a client that has none may leave it out where it does not ask with `client_credentials`.
    #[serde(default)]
    pub client_secret: String,
    /// What the token is asked for with.
    #[serde(default)]
    pub grant: Grant,
    /// For `grant: password`: the user's name.
    #[serde(default)]
    pub username: Option<String>,
    /// For `grant: password`: the user's password.
    #[serde(default)]
    pub password: Option<String>,
    /// For `grant: refresh_token`: the first refresh token. Where the server gives another one with each token, that is
    /// kept in the store, and goes before this one until this one is changed. The daemon alone asks with it: what looks
    /// without it (`doctor`, `probe`, `discover`, `record`) could use up the one that counts.
    #[serde(default)]
    pub refresh_token: Option<String>,
    /// The scope asked for.
    #[serde(default)]
    pub scope: Option<String>,
    /// The audience, where the server wants one.
    #[serde(default)]
    pub audience: Option<String>,
    /// Where the client proves itself.
    #[serde(default)]
    pub style: ClientStyle,
}

/// What an OAuth2 token is asked for with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Grant {
    /// The client alone (4.4).
    #[default]
    ClientCredentials,
    /// A user's name and password (4.3).
    Password,
    /// A refresh token that a user got for it (6).
    RefreshToken,
}

/// Where an OAuth2 client proves itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ClientStyle {
    /// With HTTP Basic.
    #[default]
    Basic,
    /// In the form.
    Body,
}

/// What a field is: `plain` or `secret`, or a mapping that says more.
#[derive(JsonSchema)]
#[schemars(untagged)]
#[allow(dead_code, reason = "says how it is written")]
enum FieldForm {
    Short(FieldKind),
    Long(LongField),
}

/// How a field stands in credentials.
#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum FieldKind {
    /// As text.
    Plain,
    /// Only by reference: the place where it is kept.
    Secret,
}

/// A field, with more about it.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct LongField {
    /// How it stands in credentials.
    kind: FieldKind,
    /// Its value where a credential does not give one.
    #[serde(default)]
    default: Option<String>,
    /// What it is and where to get it, for whoever sets it up.
    #[serde(default)]
    help: Option<String>,
}

impl<'de> Deserialize<'de> for CredentialField {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct FieldVisitor;

        impl<'de> Visitor<'de> for FieldVisitor {
            type Value = CredentialField;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("`plain`, `secret`, or `{ kind: …, default: …, help: … }`")
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<CredentialField, E> {
                let kind = FieldKind::deserialize(de::value::StrDeserializer::new(text))?;
                let secret = matches!(kind, FieldKind::Secret);
                Ok(CredentialField {
                    secret,
                    default: None,
                    help: None,
                })
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<CredentialField, A::Error> {
                let long = LongField::deserialize(de::value::MapAccessDeserializer::new(map))?;
                let secret = matches!(long.kind, FieldKind::Secret);
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

fn signature() -> String {
    "{{ signature }}".into()
}
