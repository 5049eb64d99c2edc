//! Secrets: named by reference in files, read when a run begins, never printed.

use std::fmt;
use std::path::{Path, PathBuf};

use schemars::JsonSchema;
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;

/// Where a secret is kept. A file under version control holds only this.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum SecretReference {
    /// A file that holds the secret and nothing else; one line break at its end is not part of it.
    File(PathBuf),
    /// An environment variable of the daemon.
    Env(String),
    /// A credential that systemd passes (`LoadCredential=`), by its name in `$CREDENTIALS_DIRECTORY`.
    Credential(String),
}

/// A secret text. It cannot be printed, serialised or compared, and is wiped when dropped.
#[derive(Clone)]
pub struct Secret(SecretString);

impl Secret {
    /// Takes the text over.
    pub fn new(text: String) -> Secret {
        Secret(SecretString::from(text))
    }

    /// The text itself, for the request that needs it.
    pub fn expose(&self) -> &str {
        self.0.expose_secret()
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(..)")
    }
}

/// Why a secret could not be read. The text names the reference, never the secret.
#[derive(Debug, thiserror::Error)]
pub enum SecretError {
    /// The file is not there or not readable.
    #[error("cannot read the secret file {}: {source}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The variable is not set.
    #[error("the environment variable {0} is not set; set it for the daemon")]
    Env(String),
    /// systemd passed no credentials.
    #[error(
        "there is no $CREDENTIALS_DIRECTORY for the credential {0}; add LoadCredential={0} to the unit"
    )]
    NoCredentials(String),
    /// There is nothing in it.
    #[error("the secret {0} is empty")]
    Empty(String),
}

impl SecretReference {
    /// Reads the secret. Relative files lie in `home`.
    pub fn read(&self, home: &Path) -> Result<Secret, SecretError> {
        let text = match self {
            SecretReference::File(path) => read_file(&home.join(path))?,
            SecretReference::Env(name) => {
                std::env::var(name).map_err(|_| SecretError::Env(name.clone()))?
            }
            SecretReference::Credential(name) => {
                let folder = std::env::var_os("CREDENTIALS_DIRECTORY")
                    .ok_or_else(|| SecretError::NoCredentials(name.clone()))?;
                read_file(&Path::new(&folder).join(name))?
            }
        };
        let text = text
            .strip_suffix('\n')
            .map_or(text.as_str(), |t| t.strip_suffix('\r').unwrap_or(t));
        if text.is_empty() {
            return Err(SecretError::Empty(self.to_string()));
        }
        Ok(Secret::new(text.to_owned()))
    }
}

fn read_file(path: &Path) -> Result<String, SecretError> {
    std::fs::read_to_string(path).map_err(|source| SecretError::File {
        path: path.to_owned(),
        source,
    })
}

impl fmt::Display for SecretReference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            SecretReference::File(path) => write!(f, "file {}", path.display()),
            SecretReference::Env(name) => write!(f, "env {name}"),
            SecretReference::Credential(name) => write!(f, "credential {name}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_file_loses_one_line_break_and_is_read_anew_each_time() {
        let home = tempfile::tempdir().unwrap();
        std::fs::write(home.path().join("s"), "one \n").unwrap();
        let reference = SecretReference::File("s".into());
        assert_eq!(reference.read(home.path()).unwrap().expose(), "one ");
        std::fs::write(home.path().join("s"), "two\r\n").unwrap();
        assert_eq!(reference.read(home.path()).unwrap().expose(), "two");
    }

    #[test]
    fn what_cannot_be_read_is_named_by_its_reference() {
        let home = tempfile::tempdir().unwrap();
        let error = SecretReference::Env("EPMS_NO_SUCH".into())
            .read(home.path())
            .unwrap_err();
        assert_eq!(
            error.to_string(),
            "the environment variable EPMS_NO_SUCH is not set; set it for the daemon"
        );
        std::fs::write(home.path().join("empty"), "\n").unwrap();
        let error = SecretReference::File("empty".into())
            .read(home.path())
            .unwrap_err();
        assert_eq!(error.to_string(), "the secret file empty is empty");
    }

    #[test]
    fn a_secret_does_not_show_itself() {
        assert_eq!(format!("{:?}", Secret::new("hunter2".into())), "Secret(..)");
    }
}
