//! The keys by which a provider signs (RFC 7517). Fetches none.

use serde::Deserialize;
use serde_json::{Map, Value};

use crate::outbound::{PublicKey, Signing};

/// So many keys of a provider are looked at.
const MOST: usize = 100;

/// The keys of a provider.
#[derive(Default)]
pub(super) struct Keys(Vec<Key>);

struct Key {
    id: Option<String>,
    /// What alone it signs by, where that is said.
    only: Option<String>,
    public: PublicKey,
}

#[derive(Deserialize)]
struct Document {
    keys: Vec<Map<String, Value>>,
}

impl Keys {
    /// Reads them. What is of another kind, or for something else than to sign, is passed over.
    pub(super) fn read(body: &[u8]) -> Option<Keys> {
        let document: Document = serde_json::from_slice(body).ok()?;
        let keys = document.keys.iter().take(MOST).filter_map(key);
        Some(Keys(keys.collect()))
    }

    /// Those by which something may be signed that names this key, or none.
    pub(super) fn that_fit(
        &self,
        id: Option<&str>,
        word: &str,
        signing: Signing,
    ) -> impl Iterator<Item = &PublicKey> {
        let fits = move |key: &&Key| {
            let is_it = id.is_none_or(|id| key.id.as_deref() == Some(id));
            let may = key.only.as_deref().is_none_or(|only| only == word);
            is_it && may && key.public.is_for(signing)
        };
        self.0.iter().filter(fits).map(|key| &key.public)
    }
}

fn key(members: &Map<String, Value>) -> Option<Key> {
    let text = |name: &str| members.get(name).and_then(Value::as_str);
    if text("use").is_some_and(|for_what| for_what != "sig") {
        return None;
    }
    let operations = members.get("key_ops").and_then(Value::as_array);
    if operations.is_some_and(|all| !all.iter().any(|one| one == "verify")) {
        return None;
    }
    Some(Key {
        id: text("kid").map(str::to_owned),
        only: text("alg").map(str::to_owned),
        public: PublicKey::of(text("kty")?, text("crv"), text)?,
    })
}
