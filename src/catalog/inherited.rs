//! What an integration's file leaves out, from its credential's `defaults` and from `config/epms.yaml`: what applies, and which
//! file says so. Reads no files.

use crate::config::{self, Credential, Document, File, Schedule, Settings};
use crate::model::Setting;

/// An integration with everything that applies to it.
pub(super) struct Inherited {
    pub(super) config: config::Integration,
    pub(super) schedule: Schedule,
    /// Where each of them comes from.
    pub(super) settings: Vec<Setting>,
}

/// The files that may name a setting, the nearest first.
struct Files<'a> {
    integration: &'a File<config::Integration>,
    credential: &'a File<Credential>,
    epms: Option<&'a Document>,
}

/// Which of the files names a setting.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum By {
    Integration,
    Credential,
    Epms,
    Nobody,
}

impl Files<'_> {
    /// Who names `key`, under the name that it has in the integration's file and in the credential's `defaults`.
    fn by(&self, own: &str, key: &str) -> By {
        if self.integration.document.names(own) {
            By::Integration
        } else if self.credential.document.names(&format!("defaults.{key}")) {
            By::Credential
        } else {
            let named = self.epms.is_some_and(|document| document.names(own));
            if named { By::Epms } else { By::Nobody }
        }
    }

    fn file(&self, by: By) -> Option<String> {
        let document = match by {
            By::Integration => &self.integration.document,
            By::Credential => &self.credential.document,
            By::Epms => self.epms?,
            By::Nobody => return None,
        };
        Some(document.file().display().to_string())
    }
}

/// What applies to the integration of a file.
pub(super) fn inherited(
    integration: &File<config::Integration>,
    credential: &File<Credential>,
    (settings, epms): (&Settings, Option<&Document>),
) -> Inherited {
    let files = Files {
        integration,
        credential,
        epms,
    };
    let mut found = Vec::new();
    let mut config = integration.value.clone();
    let defaults = &credential.value.defaults;
    let mut tell = |key: &str, value: String, by| {
        found.push(Setting {
            key: key.to_owned(),
            value,
            from: files.file(by),
        });
    };

    let by = files.by("property.timezone", "timezone");
    if let (By::Credential, Some(zone)) = (by, &defaults.timezone) {
        config.property.timezone.clone_from(zone);
    }
    tell("property.timezone", config.property.timezone.clone(), by);

    let by = files.by("exclude_statuses", "exclude_statuses");
    if by == By::Credential {
        config
            .exclude_statuses
            .clone_from(&defaults.exclude_statuses);
    }
    let words = format!("[{}]", config.exclude_statuses.join(", "));
    tell("exclude_statuses", words, by);

    let own = config.schedule.unwrap_or_default();
    let of = |by, part: fn(&Schedule) -> config::Span| match by {
        By::Integration => part(&own),
        By::Credential => part(&defaults.schedule),
        By::Epms | By::Nobody => part(&settings.schedule),
    };
    let by = ["schedule.every", "schedule.jitter"].map(|key| files.by(key, key));
    let every = of(by[0], |schedule| schedule.every);
    let jitter = of(by[1], |schedule| schedule.jitter);
    let schedule = Schedule {
        every,
        // One that was written for another rhythm.
        jitter: jitter.min(every),
    };
    tell("schedule.every", schedule.every.to_string(), by[0]);
    tell("schedule.jitter", schedule.jitter.to_string(), by[1]);

    let (guard, theirs) = (&mut config.guard, &defaults.guard);
    // `guard` is no key of config/epms.yaml.
    macro_rules! inherit {
        ($($key:ident),*) => {$(
            let key = concat!("guard.", stringify!($key));
            let by = files.by(key, key);
            if by == By::Credential {
                guard.$key = theirs.$key;
            }
            tell(key, word(&guard.$key), by);
        )*};
    }
    inherit!(
        limit,
        percent,
        window,
        newcomers,
        month,
        on_trip,
        approval_expires
    );
    Inherited {
        config,
        schedule,
        settings: found,
    }
}

/// As a file has it.
fn word(value: &impl serde::Serialize) -> String {
    match serde_json::to_value(value) {
        Ok(serde_json::Value::String(word)) => word,
        Ok(other) => other.to_string(),
        Err(_) => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use serde::de::DeserializeOwned;

    fn file<T: DeserializeOwned>(name: &str, text: &str) -> File<T> {
        let document = Document::parse(Path::new(name), text).unwrap();
        File {
            value: document.read().unwrap(),
            document,
            hash: [0; 32],
        }
    }

    fn of(integration: &str, credential: &str, epms: &str) -> Inherited {
        let head = "version: 1\ncredential: acme\npms_properties: [p1]\n";
        let integration = file("i.yaml", &format!("{head}{integration}"));
        let head = "version: 1\nconnector: pms\nfields: {}\n";
        let credential = file("c.yaml", &format!("{head}{credential}"));
        let epms: File<Settings> = file("e.yaml", &format!("version: 1\n{epms}"));
        let settings = (&epms.value, Some(&epms.document));
        inherited(&integration, &credential, settings)
    }

    fn told(inherited: &Inherited, key: &str) -> (String, String) {
        let found = inherited.settings.iter().find(|one| one.key == key);
        let Setting { value, from, .. } = found.unwrap().clone();
        (value, from.unwrap_or_default())
    }

    #[test]
    fn what_a_file_does_not_name_comes_from_the_credential_then_from_epms_then_from_the_program() {
        let credential = "defaults:\n  timezone: America/Chicago\n  exclude_statuses: [Evict]\n  \
            guard: { limit: 9, percent: 20 }\n  schedule: { every: 20m }\n";
        let own = "property: { name: Elm }\nguard: { limit: 3 }\n";
        let one = of(own, credential, "schedule: { every: 30m, jitter: 2m }\n");
        let pair = |value: &str, from: &str| (value.to_owned(), from.to_owned());
        for (key, expected) in [
            ("property.timezone", pair("America/Chicago", "c.yaml")),
            ("exclude_statuses", pair("[Evict]", "c.yaml")),
            ("schedule.every", pair("20m", "c.yaml")),
            ("schedule.jitter", pair("2m", "e.yaml")),
            ("guard.limit", pair("3", "i.yaml")),
            ("guard.percent", pair("20", "c.yaml")),
            ("guard.on_trip", pair("stop", "")),
        ] {
            assert_eq!(told(&one, key), expected, "{key}");
        }
        assert_eq!(one.config.guard.limit, 3);
        assert_eq!(one.config.guard.percent, 20);
        assert_eq!(one.config.property.timezone, "America/Chicago");
    }

    #[test]
    fn an_empty_list_of_its_own_is_a_list() {
        let own = "property: { name: Elm, timezone: UTC }\nexclude_statuses: []\n";
        let one = of(own, "defaults: { exclude_statuses: [Evict] }\n", "");
        assert!(one.config.exclude_statuses.is_empty());
        assert_eq!(told(&one, "exclude_statuses").1, "i.yaml");
    }

    #[test]
    fn a_jitter_from_elsewhere_is_never_longer_than_the_rhythm() {
        let own = "property: { name: Elm, timezone: UTC }\nschedule: { every: 1m }\n";
        let one = of(own, "", "schedule: { jitter: 10m }\n");
        assert_eq!(one.schedule.jitter, one.schedule.every);
    }
}
