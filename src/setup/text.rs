//! Answers to the texts of files. Pure; nothing is asked, read or written here.

use std::collections::BTreeMap;

use crate::config::quoted::{one_line, scalar, sequence};
use crate::config::{
    CredentialField, CredentialValue, Defaults, DeliveryMode, SecretReference, schema_line,
};

/// A credential as it is to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewCredential {
    /// The connector.
    pub connector: String,
    /// What was answered. A field that is absent here keeps the connector's default.
    pub fields: BTreeMap<String, CredentialValue>,
}

/// An integration as it is to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewIntegration {
    /// The id, which is the name of its file.
    pub id: String,
    /// What people call the property.
    pub name: String,
    /// None for that of the credential's `defaults`.
    pub timezone: Option<String>,
    /// By two letters.
    pub country: String,
    /// The account, by the name of its file.
    pub credential: String,
    /// The PMS's ids of the properties that feed it.
    pub pms_properties: Vec<String>,
    /// None for those of the credential's `defaults`.
    pub exclude_statuses: Option<Vec<String>>,
    /// Whether it is switched on.
    pub enabled: bool,
}

impl NewIntegration {
    /// The same, with what is as the credential's `defaults` have it left to them.
    #[must_use]
    pub fn inheriting(self, defaults: &Defaults) -> NewIntegration {
        let words = &defaults.exclude_statuses;
        let is_own = |own: &Vec<String>| words.is_empty() || own != words;
        NewIntegration {
            timezone: self
                .timezone
                .filter(|zone| defaults.timezone.as_ref() != Some(zone)),
            exclude_statuses: self.exclude_statuses.filter(is_own),
            ..self
        }
    }
}

/// A target as it is to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewTarget {
    /// The id, which is the name of its file.
    pub id: String,
    /// The account, by the name of its file.
    pub credential: String,
    /// The integrations whose people it gets; none for all.
    pub from: Vec<String>,
    /// What waits for somebody.
    pub mode: DeliveryMode,
    /// What everybody gets.
    pub common: Vec<String>,
    /// It is only told what happens: nothing is granted there.
    pub is_told: bool,
    /// Whether it is switched on.
    pub enabled: bool,
}

/// The file of a credential. Each field has the connector's words about it above it.
pub fn credential(new: &NewCredential, asked: &[(&str, &CredentialField)]) -> String {
    let mut text = format!(
        "{}# One account at a PMS or a target; several files may name it. Secrets stand here only by reference:\n\
         # {{ file: PATH }}, {{ env: NAME }}, {{ credential: NAME }} or {{ exec: [PROGRAM, ARGUMENT] }}.\n\
         version: 1\nconnector: {}\nfields:{}\n",
        schema_line("credential"),
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
pub fn integration(new: &NewIntegration) -> String {
    let NewIntegration {
        id,
        country,
        credential,
        ..
    } = new;
    let (zone, comes) = match &new.timezone {
        Some(zone) => (
            format!("timezone: {}, ", scalar(zone)),
            "The time zone decides what day it is there, the country how phones are read."
                .to_owned(),
        ),
        None => (
            String::new(),
            format!(
                "The country decides how phones are read; the time zone is that of `defaults` in config/credentials/{credential}.yaml."
            ),
        ),
    };
    let statuses = match &new.exclude_statuses {
        Some(words) => format!(
            "The PMS's own words of status; residents with these are never pulled. `epms discover {id}` counts them.\nexclude_statuses: {}",
            sequence(words)
        ),
        None => format!(
            "Words of status that are never pulled: those of `defaults` in config/credentials/{credential}.yaml.\n# exclude_statuses: []"
        ),
    };
    format!(
        "{line}# One property here, and what of the PMS feeds it. The file's name without .yaml is its id: {id}
version: 1

# {comes}
property: {{ name: {name}, {zone}country: {country} }}

# The account: config/credentials/{credential}.yaml
credential: {quoted}

# The PMS's own ids of the properties that feed this one; nothing else is looked at. `epms discover {id}` lists them.
pms_properties: {properties}

# {statuses}

# With false nothing is synced, and nobody is changed.
enabled: {enabled}

# Left out unless they are named here: guarantor, minor, company.
# include: [guarantor]
",
        line = schema_line("integration"),
        name = scalar(&new.name),
        country = scalar(country),
        quoted = scalar(credential),
        properties = sequence(&new.pms_properties),
        enabled = new.enabled,
    )
}

/// The file of a target.
pub fn target(new: &NewTarget) -> String {
    let NewTarget { id, credential, .. } = new;
    let mut text = format!(
        "{line}# A place that access is delivered to. The file's name without .yaml is its id: {id}
version: 1

# The account: config/credentials/{credential}.yaml
credential: {quoted}

# The integrations whose people it gets, by the names of their files; [] for all.
from: {from}
",
        line = schema_line("target"),
        quoted = scalar(credential),
        from = sequence(&new.from),
    );
    if !new.is_told {
        text += &format!(
            "
# What waits for somebody's approval: approve (what opens or changes; whoever is past loses it at once), approve_all
# (everything), automatic (nothing but what is too much at once).
mode: {mode}

# When access starts: so long after somebody was seen to live there, and so many whole days before they move in.
start_delay: 15m
early: 0d

# When it ends: status (once the status is past), move_out (also ahead, where that day is known), and so many days later.
end: status
late: 0d

# What there belongs to which unit: the PMS's unit, by its id or label, and the target's ids; `common` is what everybody
# gets. `epms discover {id} --yaml` gives this block with what there is. Whoever lives in a unit without an entry gets
# nothing new, and an alert says so; with no entry at all, everybody gets `common` alone.
places:
  map: {{}}
  common: {common}
",
            mode = new.mode.as_str(),
            common = sequence(&new.common),
        );
    }
    text + &format!(
        "
# With false nothing is sent, and what was granted stays.
enabled: {}
",
        new.enabled
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

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::config::{Credential, Document, Integration, Target};

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
            timezone: Some("America/New_York".into()),
            country: "NO".into(),
            credential: "acme".into(),
            pms_properties: vec!["0012".into(), "yes".into()],
            exclude_statuses: Some(vec!["Applicant".into(), "~".into()]),
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
        assert_eq!(Some(read.exclude_statuses), new.exclude_statuses);
        assert!(!read.enabled);
        let text = integration(&NewIntegration {
            timezone: None,
            exclude_statuses: None,
            ..new
        });
        let document = Document::parse(Path::new("i.yaml"), &text).unwrap();
        assert!(document.read::<Integration>().is_ok());
        assert!(!document.names("property.timezone") && !document.names("exclude_statuses"));
    }

    #[test]
    fn a_target_is_read_back_as_it_was_answered() {
        let new = NewTarget {
            id: "doors".into(),
            credential: "on".into(),
            from: vec!["elm".into()],
            mode: DeliveryMode::ApproveAll,
            common: vec!["007".into()],
            is_told: false,
            enabled: false,
        };
        let read = |new: &NewTarget| {
            let document = Document::parse(Path::new("t.yaml"), &target(new)).unwrap();
            document.read::<Target>().unwrap()
        };
        let granted = read(&new);
        assert_eq!(
            (&granted.credential, &granted.from),
            (&new.credential, &new.from)
        );
        assert_eq!((granted.mode, granted.enabled), (new.mode, false));
        assert_eq!(granted.places.common, new.common);
        // What is written out beside it is what applies without it.
        let told = NewTarget {
            is_told: true,
            ..new
        };
        let bare = read(&told);
        let written = Target {
            mode: bare.mode,
            places: bare.places.clone(),
            ..granted
        };
        assert_eq!(written, bare);
    }
}
