//! Signatures that others make, and their public keys (RFC 7518, RFC 8037), by the crypto that TLS has already. Pure.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::digest;
use ring::signature::{
    ECDSA_P256_SHA256_FIXED, ECDSA_P384_SHA384_FIXED, ED25519, RSA_PKCS1_2048_8192_SHA256,
    RSA_PKCS1_2048_8192_SHA384, RSA_PKCS1_2048_8192_SHA512, RSA_PSS_2048_8192_SHA256,
    RSA_PSS_2048_8192_SHA384, RSA_PSS_2048_8192_SHA512, RsaParameters, RsaPublicKeyComponents,
    UnparsedPublicKey,
};

/// How somebody signs. `none`, and what is signed with a key that both sides have, are not among them: they say nothing of who
/// signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Signing {
    /// RSA with PKCS #1, and SHA-2 of so many bits.
    Rs(u16),
    /// RSA with PSS.
    Ps(u16),
    /// ECDSA on P-256.
    Es256,
    /// ECDSA on P-384.
    Es384,
    /// Ed25519.
    EdDsa,
}

impl Signing {
    /// By the word that a signature names.
    pub(crate) fn named(word: &str) -> Option<Signing> {
        Some(match word {
            "RS256" => Signing::Rs(256),
            "RS384" => Signing::Rs(384),
            "RS512" => Signing::Rs(512),
            "PS256" => Signing::Ps(256),
            "PS384" => Signing::Ps(384),
            "PS512" => Signing::Ps(512),
            "ES256" => Signing::Es256,
            "ES384" => Signing::Es384,
            "EdDSA" | "Ed25519" => Signing::EdDsa,
            _ => return None,
        })
    }

    fn of_rsa(self) -> Option<&'static RsaParameters> {
        Some(match self {
            Signing::Rs(256) => &RSA_PKCS1_2048_8192_SHA256,
            Signing::Rs(384) => &RSA_PKCS1_2048_8192_SHA384,
            Signing::Rs(512) => &RSA_PKCS1_2048_8192_SHA512,
            Signing::Ps(256) => &RSA_PSS_2048_8192_SHA256,
            Signing::Ps(384) => &RSA_PSS_2048_8192_SHA384,
            Signing::Ps(512) => &RSA_PSS_2048_8192_SHA512,
            _ => return None,
        })
    }
}

/// A public key.
#[derive(Clone, PartialEq, Eq)]
pub(crate) enum PublicKey {
    /// Modulus and exponent, in bytes from the highest.
    Rsa(Vec<u8>, Vec<u8>),
    /// A point of P-256, not compressed.
    P256(Vec<u8>),
    /// A point of P-384, not compressed.
    P384(Vec<u8>),
    /// Of Ed25519.
    Ed25519(Vec<u8>),
}

impl PublicKey {
    /// By the members of a JSON Web Key; none where it is of no kind that is known here.
    pub(crate) fn of<'a>(
        kind: &str,
        curve: Option<&str>,
        member: impl Fn(&str) -> Option<&'a str>,
    ) -> Option<PublicKey> {
        let bytes = |name: &str| URL_SAFE_NO_PAD.decode(member(name)?).ok();
        let point = |size: usize| {
            let (x, y) = (bytes("x")?, bytes("y")?);
            (x.len() == size && y.len() == size).then(|| [&[4][..], &x, &y].concat())
        };
        match (kind, curve) {
            ("RSA", _) => {
                let stripped = |bytes: Vec<u8>| -> Vec<u8> {
                    bytes.into_iter().skip_while(|byte| *byte == 0).collect()
                };
                Some(PublicKey::Rsa(stripped(bytes("n")?), stripped(bytes("e")?)))
            }
            ("EC", Some("P-256")) => point(32).map(PublicKey::P256),
            ("EC", Some("P-384")) => point(48).map(PublicKey::P384),
            ("OKP", Some("Ed25519")) => bytes("x").map(PublicKey::Ed25519),
            _ => None,
        }
    }

    /// Whether it is a key for signing so.
    pub(crate) fn is_for(&self, signing: Signing) -> bool {
        matches!(
            (self, signing),
            (PublicKey::Rsa(..), Signing::Rs(_) | Signing::Ps(_))
                | (PublicKey::P256(_), Signing::Es256)
                | (PublicKey::P384(_), Signing::Es384)
                | (PublicKey::Ed25519(_), Signing::EdDsa)
        )
    }

    /// Whether a signature of these bytes is by whoever has the private one. An RSA key of fewer than 2,048 bits is nobody's.
    pub(crate) fn has_signed(&self, signing: Signing, content: &[u8], signature: &[u8]) -> bool {
        if !self.is_for(signing) {
            return false;
        }
        let verified =
            match self {
                PublicKey::Rsa(n, e) => match signing.of_rsa() {
                    Some(parameters) => {
                        let key = RsaPublicKeyComponents { n, e };
                        key.verify(parameters, content, signature)
                    }
                    None => return false,
                },
                PublicKey::P256(point) => UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point)
                    .verify(content, signature),
                PublicKey::P384(point) => UnparsedPublicKey::new(&ECDSA_P384_SHA384_FIXED, point)
                    .verify(content, signature),
                PublicKey::Ed25519(key) => {
                    UnparsedPublicKey::new(&ED25519, key).verify(content, signature)
                }
            };
        verified.is_ok()
    }
}

/// What is shown of a secret before the secret itself is shown (RFC 7636, `S256`).
pub(crate) fn challenge(verifier: &str) -> String {
    URL_SAFE_NO_PAD.encode(digest::digest(&digest::SHA256, verifier.as_bytes()))
}

/// A private key of P-256, for tests of what others sign.
#[cfg(test)]
pub(crate) struct Signer(ring::signature::EcdsaKeyPair);

#[cfg(test)]
impl Signer {
    pub(crate) fn new() -> Signer {
        use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING as HOW, EcdsaKeyPair};
        let chance = ring::rand::SystemRandom::new();
        let pair = EcdsaKeyPair::generate_pkcs8(&HOW, &chance).unwrap();
        Signer(EcdsaKeyPair::from_pkcs8(&HOW, pair.as_ref(), &chance).unwrap())
    }

    /// The public point, not compressed.
    pub(crate) fn public(&self) -> &[u8] {
        ring::signature::KeyPair::public_key(&self.0).as_ref()
    }

    pub(crate) fn signs(&self, content: &[u8]) -> Vec<u8> {
        let chance = ring::rand::SystemRandom::new();
        self.0.sign(&chance, content).unwrap().as_ref().to_vec()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    /// Made by OpenSSL, by way of Node.
    const MADE: &str = include_str!("../../tests/fixtures/signatures.json");

    fn key(made: &Value, name: &str) -> PublicKey {
        let key = &made["keys"][name];
        let member = |name: &str| key[name].as_str();
        PublicKey::of(key["kty"].as_str().unwrap(), key["crv"].as_str(), member).unwrap()
    }

    fn signature(made: &Value, name: &str) -> Vec<u8> {
        let text = made["signatures"][name].as_str().unwrap();
        URL_SAFE_NO_PAD.decode(text).unwrap()
    }

    #[test]
    fn what_somebody_signed_is_known_by_their_key_and_by_no_other() {
        let made: Value = serde_json::from_str(MADE).unwrap();
        let message = made["message"].as_str().unwrap().as_bytes();
        let all = [
            ("RS256", "rsa"),
            ("RS384", "rsa"),
            ("RS512", "rsa"),
            ("PS256", "rsa"),
            ("PS384", "rsa"),
            ("PS512", "rsa"),
            ("ES256", "ES256"),
            ("ES384", "ES384"),
            ("EdDSA", "EdDSA"),
        ];
        for (word, of) in all {
            let signing = Signing::named(word).unwrap();
            let signed = signature(&made, word);
            for (other, name) in all {
                let is = key(&made, name).has_signed(signing, message, &signed);
                assert_eq!(is, of == name, "{word} by the key of {other}");
                let otherwise = Signing::named(other).unwrap();
                let is = key(&made, of).has_signed(otherwise, message, &signed);
                assert_eq!(is, word == other, "{word} as {other}");
            }
            assert!(!key(&made, of).has_signed(signing, b"what was not", &signed));
            assert!(!key(&made, of).has_signed(signing, message, &signed[1..]));
            assert!(!key(&made, of).has_signed(signing, message, &[]));
        }
    }

    #[test]
    fn what_says_nothing_of_who_signed_is_no_signature() {
        for word in ["none", "None", "HS256", "HS512", "ES256K", "", "rs256"] {
            assert_eq!(Signing::named(word), None, "{word}");
        }
        let made: Value = serde_json::from_str(MADE).unwrap();
        let message = made["message"].as_str().unwrap().as_bytes();
        let small = key(&made, "small");
        let signed = signature(&made, "small");
        assert!(!small.has_signed(Signing::Rs(256), message, &signed));
    }

    /// RFC 7636, appendix B.
    #[test]
    fn a_challenge_is_that_of_the_rfc() {
        assert_eq!(
            challenge("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"),
            "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
        );
    }
}
