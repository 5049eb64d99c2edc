//! Where an answer tells until when a credential is taken, and how that is written. The language only; `source` reads it.

use schemars::JsonSchema;
use serde::de;
use serde::{Deserialize, Deserializer};

use super::request::text_or_mapping;

/// A path in the answer, `{ header: NAME }`, or `{ path: PATH, form: FORM }` where it is not written plainly.
#[derive(Debug, Clone, PartialEq, Eq, JsonSchema)]
#[schemars(with = "ExpiresForm")]
pub struct Expires {
    /// Where it stands.
    pub at: ExpiresAt,
    /// How it is written, where that is not plain.
    pub form: Option<String>,
}

/// Where it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ExpiresAt {
    /// At this path in the answer.
    Path(String),
    /// In this header.
    Header(String),
}

/// How it is written.
#[derive(JsonSchema)]
#[schemars(untagged)]
#[allow(dead_code, reason = "says how it is written")]
enum ExpiresForm {
    Path(String),
    Long(Long),
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Long {
    /// The path in the answer; it, or `header`.
    #[serde(default)]
    path: Option<String>,
    /// The header's name; case does not matter.
    #[serde(default)]
    header: Option<String>,
    /// `days` or `seconds` where a number says how many are left, or a form such as `%m/%d/%Y`. Without it: a date or a
    /// moment from the year on, one as HTTP writes it, or seconds or milliseconds since 1970.
    #[serde(default)]
    form: Option<String>,
}

impl<'de> Deserialize<'de> for Expires {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        text_or_mapping(
            deserializer,
            "a path, `{ header: NAME }`, or `{ path: PATH, form: FORM }`",
            |path| {
                Ok(Expires {
                    at: ExpiresAt::Path(path),
                    form: None,
                })
            },
            |Long { path, header, form }| {
                let at = match (path, header) {
                    (Some(path), None) => ExpiresAt::Path(path),
                    (None, Some(header)) => ExpiresAt::Header(header),
                    _ => {
                        return Err(de::Error::custom(
                            "has to name one place: `path` or `header`",
                        ));
                    }
                };
                Ok(Expires { at, form })
            },
        )?
    }
}
