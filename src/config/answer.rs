//! `config/connectors/*.yaml`: what the answers of a PMS mean. The language only; `source` judges by it.

use std::borrow::Cow;
use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{self, Deserializer, SeqAccess, Visitor};
use serde::{Deserialize, Serialize};

/// What an answer means. All conditions given must hold; the first rule that matches decides.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AnswerRule {
    /// Status codes: `429`, `5xx`, or a list of them. An answer that leads elsewhere, such as `302`, is read only where a rule
    /// names its status; nobody goes there.
    #[serde(default)]
    pub status: Option<Statuses>,
    /// A header of the answer; it must be there, for an error page of a gateway often says so only there.
    #[serde(default)]
    pub header: Option<HeaderRule>,
    /// Path in the answer, the records included; there must be something. An object, a list or an element is something where a
    /// text, a number or `true` stands in it, at any depth; one in which there is nothing but null, empty texts, 0 and `false` is
    /// not, nor is what only holds the records. Of several values there, one that fits is enough; `Message[@type=Error]` looks
    /// only at those with that attribute or member.
    #[serde(default)]
    pub path: Option<String>,
    /// Path in the answer, the records included, at which there must be nothing, or an empty element. Needs an answer that is
    /// readable.
    #[serde(default)]
    pub absent: Option<String>,
    /// Text that stands at `path`, or anywhere in the answer; case does not matter. Of an object, a list or an element at
    /// `path`, each text in it is looked at, unless the records are in it.
    #[serde(default)]
    pub text: Option<String>,
    /// All of one of these texts, or of the answer, but for blanks around it; case does not matter: `success` is not
    /// `Unsuccessful`.
    #[serde(default)]
    pub equals: Option<String>,
    /// What it means.
    pub is: Verdict,
    /// What to do about it, for whoever is woken.
    #[serde(default)]
    pub hint: Option<String>,
}

impl AnswerRule {
    /// What it looks for, as it is written in a file.
    pub fn condition(&self) -> String {
        let mut parts = Vec::new();
        let quoted = |key: &str, text: &Option<String>| {
            let text = text.as_ref()?;
            let is_plain =
                |c: char| c.is_alphanumeric() || matches!(c, ' ' | '_' | '/' | '.' | '-');
            let is_word = text.starts_with(char::is_alphabetic) && text.chars().all(is_plain);
            Some(if is_word && text.trim() == text {
                format!("{key}: {text}")
            } else {
                format!("{key}: \"{}\"", text.escape_debug())
            })
        };
        if let Some(statuses) = &self.status {
            parts.push(format!("status: {statuses}"));
        }
        if let Some(HeaderRule { name, text, equals }) = &self.header {
            let mut header = vec![format!("name: {name}")];
            header.extend(quoted("text", text));
            header.extend(quoted("equals", equals));
            parts.push(format!("header: {{ {} }}", header.join(", ")));
        }
        parts.extend(quoted("path", &self.path));
        parts.extend(quoted("absent", &self.absent));
        parts.extend(quoted("text", &self.text));
        parts.extend(quoted("equals", &self.equals));
        format!("{{ {} }}", parts.join(", "))
    }
}

/// What a header must say. Of several of that name, one that fits is enough.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct HeaderRule {
    /// Its name; case does not matter.
    pub name: String,
    /// Text that stands in it; case does not matter. Without one it is enough that the header is there.
    #[serde(default)]
    pub text: Option<String>,
    /// All of its text, but for blanks around it; case does not matter.
    #[serde(default)]
    pub equals: Option<String>,
}

/// What an answer must say. All that is given must hold.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Condition {
    /// Status codes: `200`, `2xx`, or a list of them.
    pub status: Option<Statuses>,
    /// A header of the answer; it must be there.
    pub header: Option<HeaderRule>,
    /// Path in the answer; there must be something, as rules about answers have it.
    pub path: Option<String>,
    /// Path in the answer at which there must be nothing.
    pub absent: Option<String>,
    /// Text that stands at `path`, or anywhere in the answer; case does not matter.
    pub text: Option<String>,
    /// All of the text at `path`, or of the answer; case does not matter.
    pub equals: Option<String>,
}

impl Condition {
    /// The rule that says what such an answer means.
    pub fn means(&self, is: Verdict) -> AnswerRule {
        let Condition {
            status,
            header,
            path,
            absent,
            text,
            equals,
        } = self.clone();
        AnswerRule {
            status,
            header,
            path,
            absent,
            text,
            equals,
            is,
            hint: None,
        }
    }
}

/// What an answer means.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// Records follow.
    Ok,
    /// There are no records, truly. Where some came all the same, the reading is incomplete.
    Empty,
    /// Try again soon.
    Retry,
    /// Too many requests; try again when the PMS says.
    RateLimited,
    /// The PMS is closed for a while.
    Maintenance,
    /// The login is wrong: trying again could lock the account.
    LoginFailed,
    /// The login may be right, and may not do this.
    Denied,
    /// It will be done, or is not ready yet: it is asked again where the request has `poll`; else the next run does. What a
    /// target accepts is as good as done, until it is read back.
    Accepted,
    /// What was asked for is there no more. A detail that is gone since its list came (`each`) is nobody, and so is what
    /// `find` of a target looks for; any other reading is incomplete. What is to be changed or removed at a target is gone.
    Gone,
    /// It contradicts what is there: what is to be granted at a target most likely is there already.
    Conflict,
    /// Wrong, and trying again would not help.
    Fatal,
}

impl Verdict {
    /// All of them, as files and scripts write them.
    pub const WORDS: [&str; 11] = [
        "ok",
        "empty",
        "retry",
        "rate_limited",
        "maintenance",
        "login_failed",
        "denied",
        "accepted",
        "gone",
        "conflict",
        "fatal",
    ];
}

/// One status code or many: `429`, `5xx`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Statuses(Vec<(u16, u16)>);

impl Statuses {
    /// These.
    pub fn of(codes: &[u16]) -> Statuses {
        Statuses(codes.iter().map(|code| (*code, *code)).collect())
    }

    /// Whether all of the others are among them.
    pub fn covers(&self, others: &Statuses) -> bool {
        let mut codes = others.0.iter().flat_map(|(low, high)| *low..=*high);
        codes.all(|code| self.contains(code))
    }

    /// Whether `status` is one of them.
    pub fn contains(&self, status: u16) -> bool {
        self.0
            .iter()
            .any(|(low, high)| (*low..=*high).contains(&status))
    }
}

impl fmt::Display for Statuses {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let one = |(low, high): &(u16, u16)| match high - low {
            99 => format!("{}xx", low / 100),
            _ => low.to_string(),
        };
        match self.0.as_slice() {
            [only] => f.write_str(&one(only)),
            many => {
                let all: Vec<String> = many.iter().map(one).collect();
                write!(f, "[{}]", all.join(", "))
            }
        }
    }
}

impl JsonSchema for Statuses {
    fn schema_name() -> Cow<'static, str> {
        "Statuses".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let one = json_schema!({
            "type": ["string", "integer"],
            "pattern": "^[1-5](xx|[0-9][0-9])$",
            "minimum": 100,
            "maximum": 599,
        });
        json_schema!({
            "description": "One status code or many: `429`, `5xx`.",
            "anyOf": [one, { "type": "array", "items": one }],
        })
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
