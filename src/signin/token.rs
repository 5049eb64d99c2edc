//! Bearer tokens of programs, and the secrets of sessions: made by chance, and known again by their hash.

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::config::Secret;

/// A token begins so: who finds one in a file or a log knows what it is (as secret scanners do).
const PREFIX: &str = "epms_";

/// The hash by which a token or a session is known again. What was hashed cannot be told from it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Token([u8; 32]);

/// A token that was made, and shown once.
pub struct NewToken {
    /// The token itself.
    pub secret: Secret,
    /// What is kept of it.
    pub kept: Token,
}

impl NewToken {
    /// By 32 bytes of chance.
    pub fn new(chance: [u8; 32]) -> NewToken {
        let secret = format!("{PREFIX}{}", URL_SAFE_NO_PAD.encode(chance));
        let kept = Token::of(&secret);
        NewToken {
            secret: Secret::new(secret),
            kept,
        }
    }
}

impl Token {
    /// Of a text that somebody presents.
    pub fn of(presented: &str) -> Token {
        Token(blake3::derive_key(
            "epms 2026 bearer token",
            presented.as_bytes(),
        ))
    }

    /// Reads what a file has: `blake3:` and 64 hex digits.
    pub fn parse(text: &str) -> Option<Token> {
        let hash = blake3::Hash::from_hex(text.strip_prefix("blake3:")?).ok()?;
        Some(Token(*hash.as_bytes()))
    }
}

/// As a file has it.
impl fmt::Display for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "blake3:{}", blake3::Hash::from_bytes(self.0).to_hex())
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_known_again_by_what_a_file_keeps_of_it() {
        let token = NewToken::new([7; 32]);
        assert!(token.secret.expose().starts_with("epms_"));
        assert_eq!(Token::of(token.secret.expose()), token.kept);
        assert_eq!(Token::parse(&token.kept.to_string()), Some(token.kept));
        assert!(!token.kept.to_string().contains(token.secret.expose()));
        assert_ne!(Token::of("epms_else"), token.kept);
        for wrong in [
            "",
            "blake3:",
            "blake3:00",
            "sha256:00",
            token.secret.expose(),
        ] {
            assert_eq!(Token::parse(wrong), None, "{wrong}");
        }
    }
}
