//! Answers to the texts of files. Pure; nothing is asked, read or written here.

use std::collections::BTreeMap;

use crate::cli::schema::Kind;
use crate::config::{CredentialField, CredentialValue, SecretReference};

/// A credential as it is to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct NewCredential {
    pub(super) connector: String,
    /// What was answered. A field that is absent here keeps the connector's default.
    pub(super) fields: BTreeMap<String, CredentialValue>,
}

/// An integration as it is to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct NewIntegration {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) timezone: String,
    pub(super) country: String,
    pub(super) credential: String,
    pub(super) pms_properties: Vec<String>,
    pub(super) exclude_statuses: Vec<String>,
    pub(super) enabled: bool,
}

/// The file of a credential. Each field has the connector's words about it above it.
pub(super) fn credential(new: &NewCredential, asked: &[(&str, &CredentialField)]) -> String {
    let mut text = format!(
        "{}# One account at a PMS; several integrations may name it. Secrets stand here only by reference:\n\
         # {{ file: PATH }}, {{ env: NAME }}, {{ credential: NAME }} or {{ exec: [PROGRAM, ARGUMENT] }}.\n\
         version: 1\nconnector: {}\nfields:{}\n",
        Kind::Credential.line(),
        scalar(&new.connector),
        if new.fields.is_empty() { " {}" } else { "" }
    );
    for (name, field) in asked {
        if let Some(help) = &field.help {
            text += &format!("  # {}\n", one_line(help));
        }
        match (new.fields.get(*name), &field.default) {
            (Some(CredentialValue::Plain(value)), _) => {
                text += &format!("  {name}: {}\n", scalar(value));
            }
            (Some(CredentialValue::Secret(reference)), _) => {
                text += &format!("  {name}: {}\n", secret(reference));
            }
            (None, Some(default)) => {
                text += &format!("  # {name}: {}   (the default)\n", scalar(default));
            }
            (None, None) => {}
        }
    }
    text
}

/// The file of an integration.
pub(super) fn integration(new: &NewIntegration) -> String {
    let NewIntegration { id, country, .. } = new;
    format!(
        "{line}# One property here, and what of the PMS feeds it. The file's name without .yaml is its id: {id}
version: 1

# The time zone decides what day it is there, the country how phones are read.
property: {{ name: {name}, timezone: {timezone}, country: {country} }}

# The account: config/credentials/{credential}.yaml
credential: {quoted}

# The PMS's own ids of the properties that feed this one; nothing else is looked at. `epms discover {id}` lists them.
pms_properties: {properties}

# The PMS's own words of status; residents with these are never pulled. `epms discover {id}` counts them.
exclude_statuses: {statuses}

# With false nothing is synced, and nobody is changed.
enabled: {enabled}

# Left out unless they are named here: guarantor, minor, company.
# include: [guarantor]
",
        line = Kind::Integration.line(),
        name = scalar(&new.name),
        timezone = scalar(&new.timezone),
        country = scalar(country),
        credential = new.credential,
        quoted = scalar(&new.credential),
        properties = sequence(&new.pms_properties),
        statuses = sequence(&new.exclude_statuses),
        enabled = new.enabled,
    )
}

fn secret(reference: &SecretReference) -> String {
    match reference {
        SecretReference::File(path) => {
            format!("{{ file: {} }}", scalar(&path.to_string_lossy()))
        }
        SecretReference::Env(name) => format!("{{ env: {} }}", scalar(name)),
        SecretReference::Credential(name) => format!("{{ credential: {} }}", scalar(name)),
        SecretReference::Exec(words) => format!("{{ exec: {} }}", sequence(words)),
    }
}

fn sequence(texts: &[String]) -> String {
    let texts: Vec<String> = texts.iter().map(|text| scalar(text)).collect();
    format!("[{}]", texts.join(", "))
}

/// Bare where no reader of YAML can take it for anything but text; else in quotes, as JSON writes it, which
/// YAML reads: so no number, date or sign is taken for something else.
fn scalar(text: &str) -> String {
    const OTHERS: [&str; 9] = ["y", "n", "yes", "no", "on", "off", "true", "false", "null"];
    let begins = text.starts_with(|c: char| c.is_ascii_alphabetic());
    let goes_on = |c: char| c.is_ascii_alphanumeric() || "_-./ ".contains(c);
    let bare = begins
        && text.chars().all(goes_on)
        && !text.ends_with(' ')
        && !OTHERS.contains(&text.to_ascii_lowercase().as_str());
    if bare {
        text.to_owned()
    } else {
        serde_json::Value::from(text).to_string()
    }
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::config::{Credential, Document, Integration};

    fn field(secret: bool, default: Option<&str>, help: &str) -> CredentialField {
        CredentialField {
            secret,
            default: default.map(str::to_owned),
            help: Some(help.to_owned()),
        }
    }

    #[test]
    fn a_credential_keeps_what_was_answered_and_leaves_defaults_to_the_connector() {
        let (url, key, number) = (
            field(false, Some("https://h"), "where"),
            field(true, None, "the key,\n from Ana"),
            field(false, None, "its number"),
        );
        let asked = [("url", &url), ("key", &key), ("number", &number)];
        let reference = SecretReference::File("secrets/a: b # c".into());
        let new = NewCredential {
            connector: "pms".into(),
            fields: BTreeMap::from([
                ("key".to_owned(), CredentialValue::Secret(reference)),
                ("number".to_owned(), CredentialValue::Plain("007".into())),
            ]),
        };
        let text = credential(&new, &asked);
        assert!(text.contains("  # the key, from Ana\n  key: { file: \"secrets/a: b # c\" }\n"));
        assert!(text.contains("  # url: \"https://h\"   (the default)\n"));
        let read: Credential = Document::parse(Path::new("c.yaml"), &text)
            .unwrap()
            .read()
            .unwrap();
        assert_eq!(read.fields, new.fields);
        let none = NewCredential {
            fields: BTreeMap::new(),
            ..new
        };
        let text = credential(&none, &asked);
        let read = Document::parse(Path::new("c.yaml"), &text).unwrap();
        assert!(read.read::<Credential>().unwrap().fields.is_empty());
    }

    #[test]
    fn an_integration_is_read_back_as_it_was_answered() {
        let new = NewIntegration {
            id: "elm".into(),
            name: "Elm \"Court\": #1".into(),
            timezone: "America/New_York".into(),
            country: "NO".into(),
            credential: "acme".into(),
            pms_properties: vec!["0012".into(), "yes".into()],
            exclude_statuses: vec!["Applicant".into(), "~".into()],
            enabled: false,
        };
        let text = integration(&new);
        let read: Integration = Document::parse(Path::new("i.yaml"), &text)
            .unwrap()
            .read()
            .unwrap();
        assert_eq!(read.property.name, new.name);
        assert_eq!(read.property.country, "NO");
        assert_eq!(read.pms_properties, new.pms_properties);
        assert_eq!(read.exclude_statuses, new.exclude_statuses);
        assert!(!read.enabled);
    }
}
