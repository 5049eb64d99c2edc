//! An account at a PMS as a hash: the same account under another name has the same. No secret goes into it.

use crate::config::{Credential, CredentialValue, Integration, SecretReference};
use crate::model::Feeds;

/// So many digits of a hash are enough to tell accounts apart.
const DIGITS: usize = 32;

/// What stands for an account: the same under another name is the same.
pub fn account(credential: &Credential) -> String {
    let mut account = vec![credential.connector.clone()];
    for (name, value) in &credential.fields {
        if let CredentialValue::Plain(text) = value {
            account.extend([name.clone(), text.clone()]);
        }
    }
    hash(&account)
}

/// What an integration reads.
pub(super) fn feeds(credential: &Credential, config: &Integration) -> Feeds {
    let mut secrets = Vec::new();
    for (name, value) in &credential.fields {
        if let CredentialValue::Secret(reference) = value {
            secrets.push(name.clone());
            secrets.extend(place(reference));
        }
    }
    Feeds {
        account: account(credential),
        secrets: hash(&secrets),
        properties: config.pms_properties.iter().cloned().collect(),
    }
}

/// Where a secret is kept, as texts.
fn place(reference: &SecretReference) -> Vec<String> {
    match reference {
        SecretReference::File(path) => vec!["file".into(), path.display().to_string()],
        SecretReference::Env(name) => vec!["env".into(), name.clone()],
        SecretReference::Credential(name) => vec!["credential".into(), name.clone()],
        SecretReference::Exec(words) => {
            let words = words.iter().cloned();
            std::iter::once("exec".to_owned()).chain(words).collect()
        }
    }
}

/// A hash of texts, in which no two lists look alike.
fn hash(texts: &[String]) -> String {
    let mut hasher = blake3::Hasher::new();
    for text in texts {
        hasher.update(&(text.len() as u64).to_le_bytes());
        hasher.update(text.as_bytes());
    }
    let digits = hasher.finalize().to_hex();
    digits.chars().take(DIGITS).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    fn of(url: &str, password: SecretReference) -> Feeds {
        let credential = Credential {
            version: 1,
            connector: "yardi".into(),
            fields: BTreeMap::from([
                ("url".to_owned(), CredentialValue::Plain(url.into())),
                ("password".to_owned(), CredentialValue::Secret(password)),
            ]),
            ca_file: None,
            limits: crate::config::ContractLimits::default(),
            expires: None,
            defaults: crate::config::Defaults::default(),
        };
        let text = "version: 1\ncredential: acme\npms_properties: [\"1\", \"2\"]\n\
            property: { name: Elm, timezone: UTC, country: US }\n";
        let document = crate::config::Document::parse(std::path::Path::new("elm.yaml"), text);
        feeds(&credential, &document.unwrap().read().unwrap())
    }

    #[test]
    fn r46_an_account_is_its_connector_and_its_plain_fields() {
        let file = |name: &str| SecretReference::File(name.into());
        let one = of("https://a.example.com", file("secrets/a"));
        assert_eq!(one, of("https://a.example.com", file("secrets/a")));
        let moved = of("https://a.example.com", file("secrets/b"));
        assert_eq!(one.account, moved.account);
        assert_ne!(one.secrets, moved.secrets);
        assert_ne!(
            one.account,
            of("https://b.example.com", file("secrets/a")).account
        );
        assert_eq!(one.properties.len(), 2);
    }
}
