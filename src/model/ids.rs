//! The names by which things are found again. Ids are short, in order of creation, and never reused.

use std::fmt;
use std::str::FromStr;

use minicbor::{Decode, Encode};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A text that is no id of the kind asked for.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{given}` is not {kind}; it looks like `{example}`")]
pub struct IdError {
    given: String,
    kind: &'static str,
    example: &'static str,
}

macro_rules! numbered_id {
    ($(#[$doc:meta])* $name:ident, $letter:literal, $kind:literal, $example:literal) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema, Encode, Decode)]
        #[cbor(transparent)]
        #[serde(into = "String", try_from = "String")]
        #[schemars(extend("pattern" = concat!("^", $letter, "[0-9]+$")))]
        pub struct $name(#[n(0)] pub u64);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!($letter, "{}"), self.0)
            }
        }

        impl FromStr for $name {
            type Err = IdError;

            fn from_str(text: &str) -> Result<Self, IdError> {
                text.strip_prefix($letter)
                    .filter(|digits| digits.bytes().all(|b| b.is_ascii_digit()))
                    .and_then(|digits| digits.parse().ok())
                    .map($name)
                    .ok_or_else(|| IdError {
                        given: text.chars().take(40).collect(),
                        kind: $kind,
                        example: $example,
                    })
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> String {
                id.to_string()
            }
        }

        impl TryFrom<String> for $name {
            type Error = IdError;

            fn try_from(text: String) -> Result<Self, IdError> {
                text.parse()
            }
        }
    };
}

numbered_id!(
    /// A person of the store: `p17`. Once given, it stays with that person for ever.
    PersonId, "p", "a person's id", "p17"
);
numbered_id!(
    /// Something done by hand: `x4`.
    ActId, "x", "an act's id", "x4"
);
numbered_id!(
    /// One sync of one integration: `r3`.
    RunId, "r", "a run's id", "r3"
);
numbered_id!(
    /// An alert: `a5`.
    AlertId, "a", "an alert's id", "a5"
);

impl RunId {
    /// What a preview, or an explanation, has in place of a number: nobody can ask for it.
    pub const NONE: RunId = RunId(0);
}

/// An integration, named by the stem of its file in `config/integrations/`.
#[derive(
    Debug,
    Clone,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Serialize,
    Deserialize,
    JsonSchema,
    Encode,
    Decode,
)]
#[serde(transparent)]
#[cbor(transparent)]
pub struct IntegrationId(#[n(0)] String);

impl IntegrationId {
    /// Any text names an integration; whether it exists is the catalog's to say.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for IntegrationId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_reads_back_as_it_was_written() {
        assert_eq!("p17".parse(), Ok(PersonId(17)));
        assert_eq!(PersonId(17).to_string(), "p17");
        assert_eq!(serde_json::to_string(&RunId(3)).unwrap(), "\"r3\"");
        assert_eq!(
            serde_json::from_str::<AlertId>("\"a5\"").unwrap(),
            AlertId(5)
        );
    }

    #[test]
    fn an_id_of_another_kind_is_refused_with_an_example() {
        let error = "r3".parse::<PersonId>().unwrap_err();
        assert_eq!(
            error.to_string(),
            "`r3` is not a person's id; it looks like `p17`"
        );
        assert!("p".parse::<PersonId>().is_err());
        assert!("p+1".parse::<PersonId>().is_err());
    }
}
