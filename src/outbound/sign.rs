//! Signatures of requests: HMAC with SHA-256 (RFC 2104), and how it is written. Pure.

use std::fmt::Write;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ring::{digest, hmac};

use crate::config::{KeyForm, SignatureForm};

/// The signature of a text; an error says why the key cannot be used, and nothing of it.
pub(crate) fn signed(
    key: &str,
    key_is: KeyForm,
    text: &str,
    form: SignatureForm,
) -> Result<String, &'static str> {
    let key = key.trim();
    let bytes = match key_is {
        KeyForm::Text => Some(key.as_bytes().to_vec()),
        KeyForm::Base64 => STANDARD.decode(key).ok(),
        KeyForm::Hex => from_hex(key),
    };
    let bytes = bytes.ok_or("the key is not written as `key_is` says")?;
    if bytes.is_empty() {
        return Err("the key is empty");
    }
    let key = hmac::Key::new(hmac::HMAC_SHA256, &bytes);
    let tag = hmac::sign(&key, text.as_bytes());
    Ok(match form {
        SignatureForm::Hex => hex(tag.as_ref()),
        SignatureForm::Base64 => STANDARD.encode(tag),
    })
}

/// The key of a secret of Standard Webhooks, in base64: `whsec_` and 24 to 64 bytes; an error says what is wrong with the
/// secret, and nothing of it.
pub(crate) fn standard_key(secret: &str) -> Result<&str, &'static str> {
    let key = secret.trim();
    let key = key.strip_prefix("whsec_").unwrap_or(key);
    match STANDARD.decode(key).map(|bytes| bytes.len()) {
        Ok(24..=64) => Ok(key),
        Ok(..24) => Err(
            "is too short to sign webhooks; write `whsec_` and 24 to 64 random bytes in base64 into it",
        ),
        Ok(_) => Err(
            "is too long to sign webhooks; write `whsec_` and 24 to 64 random bytes in base64 into it",
        ),
        Err(_) => Err(
            "is none that signs webhooks; write `whsec_` and 24 to 64 random bytes in base64 into it",
        ),
    }
}

/// Whether a signature in base64 is that of these bytes with a secret of Standard Webhooks.
pub(crate) fn is_signed(secret: &str, content: &[u8], signature: &str) -> bool {
    let key = standard_key(secret)
        .ok()
        .and_then(|key| STANDARD.decode(key).ok());
    let (Some(key), Ok(signature)) = (key, STANDARD.decode(signature)) else {
        return false;
    };
    let key = hmac::Key::new(hmac::HMAC_SHA256, &key);
    hmac::verify(&key, content, &signature).is_ok()
}

/// The SHA-256 of a text, in hexadecimal digits.
pub(crate) fn sha256(text: &str) -> String {
    hex(digest::digest(&digest::SHA256, text.as_bytes()).as_ref())
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        // Writing into a text never fails.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

fn from_hex(text: &str) -> Option<Vec<u8>> {
    let digits: Option<Vec<u32>> = text.chars().map(|digit| digit.to_digit(16)).collect();
    let digits = digits.filter(|digits| digits.len() % 2 == 0)?;
    let bytes = digits.chunks(2).map(|pair| match pair {
        [high, low] => u8::try_from(high * 16 + low).ok(),
        _ => None,
    });
    bytes.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_of_webhooks_has_24_to_64_bytes() {
        let of = |bytes: usize| format!("whsec_{}\n", STANDARD.encode(vec![7; bytes]));
        for bytes in [24, 32, 64] {
            assert!(standard_key(&of(bytes)).is_ok(), "{bytes}");
        }
        for (secret, told) in [
            (of(0), "too short"),
            (of(23), "too short"),
            (of(65), "too long"),
            ("whsec_hunter2?".to_owned(), "is none"),
        ] {
            let error = standard_key(&secret).unwrap_err();
            assert!(error.contains(told), "{error}");
        }
    }

    /// RFC 4231, test case 2.
    #[test]
    fn a_signature_is_that_of_the_rfc_however_the_key_is_written() {
        let text = "what do ya want for nothing?";
        let hex = "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843";
        let of = |key, key_is| signed(key, key_is, text, SignatureForm::Hex);
        assert_eq!(of("Jefe", KeyForm::Text).unwrap(), hex);
        assert_eq!(of("SmVmZQ==", KeyForm::Base64).unwrap(), hex);
        assert_eq!(of("4a656665", KeyForm::Hex).unwrap(), hex);
        for (key, key_is) in [
            ("4a6", KeyForm::Hex),
            ("x!", KeyForm::Base64),
            (" ", KeyForm::Text),
        ] {
            assert!(of(key, key_is).is_err(), "{key}");
        }
        let base64 = signed("Jefe", KeyForm::Text, text, SignatureForm::Base64);
        assert_eq!(
            base64.unwrap(),
            "W9zBRr9gdU5qBCQmCJV1x1oAPwidJzmDnexYuWTsOEM="
        );
        assert_eq!(
            sha256(""),
            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
        );
    }
}
