//! A provider's hand, for tests: a key of P-256, and what it signs.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use super::keys::Keys;
use crate::outbound::Signer as Key;

pub(super) struct Signer(Key);

impl Signer {
    pub(super) fn new() -> Signer {
        Signer(Key::new())
    }

    /// Its public key, under this name.
    pub(super) fn keys(&self, id: &str) -> Keys {
        let point = self.0.public();
        let part = |of: &[u8]| URL_SAFE_NO_PAD.encode(of);
        let key = json!({
            "kty": "EC", "crv": "P-256", "kid": id, "use": "sig",
            "x": part(&point[1..33]), "y": part(&point[33..]),
        });
        let other = json!({ "kty": "oct", "k": "AAAA", "kid": id });
        Keys::read(json!({ "keys": [other, key] }).to_string().as_bytes()).unwrap()
    }

    /// A token, signed with it whatever its header says.
    pub(super) fn signs(&self, header: &Value, claims: &Value) -> String {
        let part = |of: &Value| URL_SAFE_NO_PAD.encode(of.to_string());
        let content = format!("{}.{}", part(header), part(claims));
        let signature = URL_SAFE_NO_PAD.encode(self.0.signs(content.as_bytes()));
        format!("{content}.{signature}")
    }
}
