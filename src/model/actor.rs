//! Who did something: a run, or somebody, with the name that they had then. Looks nobody up.

use std::fmt;

use minicbor::{Decode, Encode};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Tier;

/// Who did it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema, Encode, Decode)]
#[serde(rename_all = "snake_case")]
pub enum Actor {
    /// A run of a sync, or the daemon that follows the files.
    #[n(0)]
    Sync,
    /// A caller of the control socket whose user id has no name on this machine; everybody, in what earlier versions wrote.
    #[n(1)]
    User(#[n(0)] u32),
    /// Somebody with a name, as it was when they did it.
    #[n(2)]
    Named {
        /// The name.
        #[n(0)]
        name: String,
        /// What says that it is theirs.
        #[n(1)]
        by: NamedBy,
        /// The user id, where they are a user of this machine.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[n(2)]
        uid: Option<u32>,
    },
}

/// What says what an actor is called.
#[derive(
    Debug,
    Clone,
    Copy,
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
#[cbor(index_only)]
#[serde(rename_all = "snake_case")]
pub enum NamedBy {
    /// The control socket: a user of this machine.
    #[n(0)]
    Socket,
    /// An account of the web page.
    #[n(1)]
    Account,
    /// A provider of identities, by OpenID Connect.
    #[n(2)]
    Oidc,
    /// A proxy before the web page, in its headers.
    #[n(3)]
    Proxy,
    /// A bearer token of a program.
    #[n(4)]
    Token,
    /// A signed request of somebody who may ask for a sync.
    #[n(5)]
    Hook,
}

impl NamedBy {
    /// The word as commands and JSON write it.
    pub fn as_str(self) -> &'static str {
        match self {
            NamedBy::Socket => "socket",
            NamedBy::Account => "account",
            NamedBy::Oidc => "oidc",
            NamedBy::Proxy => "proxy",
            NamedBy::Token => "token",
            NamedBy::Hook => "hook",
        }
    }
}

/// Who signed in over the network, and how much they may do now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signed {
    /// What they are called.
    pub name: String,
    /// What says so.
    pub by: NamedBy,
    /// How much they may do.
    pub tier: Tier,
}

impl From<&Signed> for Actor {
    fn from(signed: &Signed) -> Actor {
        Actor::Named {
            name: signed.name.clone(),
            by: signed.by,
            uid: None,
        }
    }
}

impl Actor {
    /// A user of this machine, by the name that it has for them where it has one.
    pub fn user(uid: u32, name: Option<String>) -> Actor {
        match name.filter(|name| !name.is_empty()) {
            Some(name) => Actor::Named {
                name,
                by: NamedBy::Socket,
                uid: Some(uid),
            },
            None => Actor::User(uid),
        }
    }
}

/// For people: `ada (uid 1000)`, `uid 1000` where there was no name, `ada (account)`, `a sync`.
impl fmt::Display for Actor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Actor::Sync => f.write_str("a sync"),
            Actor::User(uid) => write!(f, "uid {uid}"),
            Actor::Named {
                name,
                uid: Some(uid),
                ..
            } => write!(f, "{name} (uid {uid})"),
            Actor::Named { name, by, .. } => write!(f, "{name} ({})", by.as_str()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_actor_is_told_by_name_and_number_and_says_what_named_them() {
        let ada = Actor::user(1000, Some("ada".into()));
        assert_eq!(ada.to_string(), "ada (uid 1000)");
        assert_eq!(Actor::user(1000, None), Actor::User(1000));
        assert_eq!(
            Actor::user(1000, Some(String::new())).to_string(),
            "uid 1000"
        );
        assert_eq!(Actor::Sync.to_string(), "a sync");
        let by_account = Actor::Named {
            name: "bo".into(),
            by: NamedBy::Account,
            uid: None,
        };
        assert_eq!(by_account.to_string(), "bo (account)");
        assert_eq!(
            serde_json::to_string(&by_account).unwrap(),
            r#"{"named":{"name":"bo","by":"account"}}"#
        );
        assert_eq!(
            serde_json::to_string(&ada).unwrap(),
            r#"{"named":{"name":"ada","by":"socket","uid":1000}}"#
        );
        let old: Actor = serde_json::from_str(r#"{"user":1000}"#).unwrap();
        assert_eq!(old, Actor::User(1000));
    }
}
