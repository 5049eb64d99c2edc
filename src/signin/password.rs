//! Passwords: hashed with Argon2id, and compared with a hash. Knows no account.

use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher, PasswordVerifier};
use argon2::{Algorithm, Argon2, Params, Version};

use crate::config::Secret;

/// So many bytes has a password at most: what is longer costs time and protects nobody better.
const MOST_PASSWORD: usize = 1024;

/// So many characters has one at least (NIST SP 800-63B asks for 8, and for 15 where it is all there is).
const LEAST: usize = 12;

/// Why a password was not taken.
#[derive(Debug, thiserror::Error)]
pub enum PasswordError {
    /// Too short.
    #[error("the password has fewer than {LEAST} characters; take a longer one")]
    Short,
    /// Too long.
    #[error("the password has more than {MOST_PASSWORD} bytes; take a shorter one")]
    Long,
    /// It could not be hashed.
    #[error("the password could not be hashed: {0}")]
    Hash(argon2::password_hash::Error),
    /// The system gave no chance.
    #[error("the system gives no random numbers: {0}")]
    Chance(getrandom::Error),
}

/// Hashes and compares with OWASP's least for Argon2id: 19 MiB, two passes, one lane.
pub struct Passwords {
    hasher: Argon2<'static>,
    /// Of nobody's password: who is not there takes as long as who is.
    nobody: String,
}

impl Passwords {
    /// As the program uses them.
    pub fn new() -> Result<Passwords, PasswordError> {
        Passwords::with(Params::DEFAULT)
    }

    /// That cost next to nothing.
    #[cfg(test)]
    pub(super) fn cheap() -> Passwords {
        Passwords::with(Params::new(8, 1, 1, None).unwrap()).unwrap()
    }

    fn with(params: Params) -> Result<Passwords, PasswordError> {
        let hasher = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
        let mut passwords = Passwords {
            hasher,
            nobody: String::new(),
        };
        passwords.nobody = passwords.hashed("nobody's password")?;
        Ok(passwords)
    }

    /// The hash of a new password, as it stands in the file of accounts: a PHC string.
    pub fn hash(&self, password: &Secret) -> Result<String, PasswordError> {
        let password = password.expose();
        if password.chars().count() < LEAST {
            return Err(PasswordError::Short);
        }
        if password.len() > MOST_PASSWORD {
            return Err(PasswordError::Long);
        }
        self.hashed(password)
    }

    fn hashed(&self, password: &str) -> Result<String, PasswordError> {
        let mut salt = [0; 16];
        getrandom::fill(&mut salt).map_err(PasswordError::Chance)?;
        let hash = self
            .hasher
            .hash_password_with_salt(password.as_bytes(), &salt);
        let hash: PasswordHash = hash.map_err(PasswordError::Hash)?;
        Ok(hash.to_string())
    }

    /// Whether a password is the one that was hashed; of nobody it never is, and takes as long. Takes some 20 ms: not for
    /// an async worker.
    pub fn fits(&self, password: &Secret, hash: Option<&str>) -> bool {
        let password = password.expose();
        if password.len() > MOST_PASSWORD {
            return false;
        }
        let parsed = PasswordHash::new(hash.unwrap_or(&self.nobody));
        let fits = parsed.is_ok_and(|parsed| {
            let fits = self.hasher.verify_password(password.as_bytes(), &parsed);
            fits.is_ok()
        });
        fits && hash.is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secret(text: &str) -> Secret {
        Secret::new(text.to_owned())
    }

    #[test]
    fn a_password_fits_its_own_hash_and_no_other_and_nobody_s_fits_nothing() {
        let passwords = Passwords::cheap();
        let ada = passwords.hash(&secret("correct horse battery")).unwrap();
        let again = passwords.hash(&secret("correct horse battery")).unwrap();
        assert_ne!(ada, again, "each has its own salt");
        assert!(ada.starts_with("$argon2id$v=19$m=8,t=1,p=1$"), "{ada}");
        assert!(passwords.fits(&secret("correct horse battery"), Some(&ada)));
        assert!(!passwords.fits(&secret("correct horse batterY"), Some(&ada)));
        assert!(!passwords.fits(&secret("correct horse battery"), None));
        assert!(!passwords.fits(&secret("nobody's password"), None));
        assert!(!passwords.fits(&secret("anything at all"), Some("not a hash")));
    }

    #[test]
    fn a_new_password_has_twelve_characters_and_at_most_a_kibibyte() {
        let passwords = Passwords::cheap();
        assert!(matches!(
            passwords.hash(&secret("elevenchars")),
            Err(PasswordError::Short)
        ));
        assert!(passwords.hash(&secret("twelve chars")).is_ok());
        let long = "x".repeat(MOST_PASSWORD + 1);
        assert!(matches!(
            passwords.hash(&secret(&long)),
            Err(PasswordError::Long)
        ));
    }
}
