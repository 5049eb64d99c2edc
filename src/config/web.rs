//! `web` of `config/epms.yaml`: the page over the network, and the files that say who gets in. Listens nowhere.

mod groups;
mod oidc;
mod proxy;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::model::Tier;

use super::files::is_name;
use super::secret::{SecretError, SecretReference, read_closed};

pub use groups::TierGroups;
pub use oidc::{OidcClaims, OidcSettings, REDIRECT_PATH};
pub use proxy::WebProxy;

/// The page over the network, and behind a proxy. Without this it is on the control socket alone, for users of this machine.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct WebSettings {
    /// Where it listens: an address and a port. Other than on loopback only with `cert` and `key`. Without this it is on the
    /// control socket alone, which is for `proxy`.
    #[serde(default)]
    pub listen: Option<SocketAddr>,
    /// The certificates for TLS, the server's own first (PEM); read anew when the file changes.
    #[serde(default)]
    pub cert: Option<PathBuf>,
    /// The key of the first certificate (PEM), closed like a secret; read anew when the file changes.
    #[serde(default)]
    pub key: Option<PathBuf>,
    /// The names under which it is asked besides its address, such as `epms.example.org`: whoever asks under another is
    /// refused.
    #[serde(default)]
    pub hosts: Vec<String>,
    /// The file of accounts, as `epms web passwd` writes it; beneath the home where it does not begin with `/`.
    #[serde(default)]
    pub accounts: Option<PathBuf>,
    /// The file of tokens of programs, as `epms web token` writes it.
    #[serde(default)]
    pub tokens: Option<PathBuf>,
    /// The provider of identities by which people sign in.
    #[serde(default)]
    pub oidc: Option<OidcSettings>,
    /// The proxy before the control socket that says who asks.
    #[serde(default)]
    pub proxy: Option<WebProxy>,
    /// Integrations that a PMS, or whoever else has the secret, may ask a sync for: a signed POST to `/hooks/INTEGRATION`.
    #[serde(default)]
    pub hooks: BTreeMap<String, WebHook>,
}

/// A hook of an integration.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct WebHook {
    /// What a request is signed with (Standard Webhooks): `whsec_` and 24 to 64 bytes in base64.
    pub secret: SecretReference,
}

impl WebSettings {
    /// What is wrong with it, by field.
    pub(super) fn problems(&self) -> Vec<(String, String)> {
        let mut found = Vec::new();
        let mut wrong = |field: &str, what: String| found.push((field.to_owned(), what));
        match (&self.cert, &self.key) {
            (Some(_), None) => wrong(
                "cert",
                "has no `key` beside it; name the file with the key of the certificate".to_owned(),
            ),
            (None, Some(_)) => wrong(
                "key",
                "has no `cert` beside it; name the file with the certificate".to_owned(),
            ),
            _ => {}
        }
        if let Some(listen) = self.listen {
            for (field, what) in self.of_listener(listen) {
                wrong(field, what);
            }
        } else {
            for field in self.over_the_network() {
                let told = "is for the page over the network, and nothing is listened on; add `listen`, such as 127.0.0.1:8080";
                wrong(field, told.to_owned());
            }
            if self.proxy.is_none() && self.over_the_network().is_empty() {
                let told = "says neither where the page listens nor which proxy is before it; add `listen`, such as 127.0.0.1:8080";
                wrong("listen", told.to_owned());
            }
        }
        for host in &self.hosts {
            let odd = ['/', '*', ' ', '@', ':'];
            if host.is_empty() || host.contains(odd) || host.ends_with('.') {
                let told = format!(
                    "`{host}` is no host; write a name such as epms.example.org, without a port"
                );
                wrong("hosts", told);
            }
        }
        found.extend(self.oidc.iter().flat_map(|oidc| oidc.problems(&self.hosts)));
        found.extend(self.proxy.iter().flat_map(WebProxy::problems));
        found
    }

    /// What is wrong with where it listens, and with who gets in there.
    fn of_listener(&self, listen: SocketAddr) -> Vec<(&'static str, String)> {
        let mut found = Vec::new();
        let is_loopback = listen.ip().to_canonical().is_loopback();
        if self.cert.is_none() && self.key.is_none() && !is_loopback {
            let told = format!(
                "{listen} is reached from other machines, and passwords would go there in the clear; name `cert` and `key`, or listen on 127.0.0.1"
            );
            found.push(("listen", told));
        }
        let ways = [
            self.accounts.is_some(),
            self.tokens.is_some(),
            self.oidc.is_some(),
            !self.hooks.is_empty(),
        ];
        if ways == [false; 4] {
            let told = "says nowhere who gets in; name a file of `accounts`, which `epms web passwd NAME` writes, or of `tokens`, or `oidc`";
            found.push(("listen", told.to_owned()));
        }
        if listen.ip().is_unspecified() && self.hosts.is_empty() {
            let told = "is every address of this machine; name in `hosts` under which it is asked, such as epms.example.org";
            found.push(("listen", told.to_owned()));
        }
        found
    }

    /// What is there for the network alone.
    fn over_the_network(&self) -> Vec<&'static str> {
        let all = [
            ("cert", self.cert.is_some() && self.key.is_some()),
            ("accounts", self.accounts.is_some()),
            ("tokens", self.tokens.is_some()),
            ("oidc", self.oidc.is_some()),
            ("hooks", !self.hooks.is_empty()),
        ];
        let there = all.into_iter().filter(|(_, is_there)| *is_there);
        there.map(|(field, _)| field).collect()
    }

    /// Where the provider of identities sends people back to, where there is one and a page that listens.
    pub fn redirect_uri(&self, listens: SocketAddr) -> Option<String> {
        let oidc = self.oidc.as_ref()?;
        Some(oidc.sends_back_to(listens, self.cert.is_some(), &self.hosts))
    }
}

/// An account of the page.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Account {
    /// How much it may do.
    pub tier: Tier,
    /// The hash of the password: Argon2id, as a PHC string.
    pub password: String,
}

/// A token of a program.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct TokenEntry {
    /// How much it may do.
    pub tier: Tier,
    /// The hash of the token: `blake3:` and 64 hex digits.
    pub token: String,
    /// From when on it is nobody's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires: Option<Timestamp>,
}

/// The file of accounts.
pub type Accounts = BTreeMap<String, Account>;
/// The file of tokens.
pub type Tokens = BTreeMap<String, TokenEntry>;

#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct AccountsFile {
    version: u32,
    #[serde(default)]
    accounts: Accounts,
}

#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct TokensFile {
    version: u32,
    #[serde(default)]
    tokens: Tokens,
}

/// Why a file of accounts or tokens was not taken.
#[derive(Debug, thiserror::Error)]
pub enum WebFileError {
    /// It is not there, or open to others.
    #[error(transparent)]
    Read(#[from] SecretError),
    /// It is not as it should be. The text says nothing of what stands in it.
    #[error("{}:{what}", path.display())]
    Form {
        /// The file.
        path: PathBuf,
        /// Where, and what to do.
        what: String,
    },
}

/// Reads the file of accounts.
pub fn read_accounts(path: &Path) -> Result<Accounts, WebFileError> {
    let file: AccountsFile = read(path, "accounts")?;
    check(path, file.version, file.accounts.keys())?;
    Ok(file.accounts)
}

/// Reads the file of tokens.
pub fn read_tokens(path: &Path) -> Result<Tokens, WebFileError> {
    let file: TokensFile = read(path, "tokens")?;
    check(path, file.version, file.tokens.keys())?;
    Ok(file.tokens)
}

/// The text of a file of accounts.
pub fn accounts_text(accounts: Accounts) -> String {
    let file = AccountsFile {
        version: 1,
        accounts,
    };
    text("accounts of the page; `epms web passwd` writes them", &file)
}

/// The text of a file of tokens.
pub fn tokens_text(tokens: Tokens) -> String {
    let file = TokensFile { version: 1, tokens };
    text("tokens of programs; `epms web token` writes them", &file)
}

fn read<T: serde::de::DeserializeOwned>(path: &Path, what: &str) -> Result<T, WebFileError> {
    let text = read_closed(path)?;
    serde_yaml::from_str(&text).map_err(|error| WebFileError::Form {
        path: path.to_owned(),
        // The error's own text may quote the file.
        what: match error.location() {
            Some(at) => format!(
                "{}:{}: this is no file of {what}; write it by `epms web`",
                at.line(),
                at.column()
            ),
            None => format!(" this is no file of {what}; write it by `epms web`"),
        },
    })
}

fn check<'a>(
    path: &Path,
    version: u32,
    mut names: impl Iterator<Item = &'a String>,
) -> Result<(), WebFileError> {
    let form = |what: String| WebFileError::Form {
        path: path.to_owned(),
        what,
    };
    if version != 1 {
        return Err(form(format!(" this epms reads version 1, not {version}")));
    }
    match names.find(|name| !is_name(name)) {
        Some(_) => Err(form(
            " a name in it is none: use lower-case letters, digits, `-`, `_` and `.`".to_owned(),
        )),
        None => Ok(()),
    }
}

fn text<T: Serialize>(title: &str, file: &T) -> String {
    // Names, words and times alone: there is nothing that YAML cannot say.
    let text = serde_yaml::to_string(file).unwrap_or_default();
    format!("# {title}\n{text}")
}
