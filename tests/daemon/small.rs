//! A home for a PMS of a few lines.

use crate::support::Home;
use crate::support::small_pms::Pms;

/// Every record is somebody who lives there.
const SCRIPT: &str = r#"
fn residents(record, ctx) {
    [#{
        id: record.id, first_name: "Ana", last_name: "Ortiz " + record.id, email: "ana." + record.id + "@mail.com",
        status: "current", status_word: "Current", lease_start: "2026-01-01", unit: record.id,
    }]
}
"#;

/// A home with so many integrations of one credential of this PMS, each with a PMS property of its own: `home-0` has `p0`.
pub(crate) fn home(pms: &Pms, connector: &str, integrations: usize) -> Home {
    let home = Home::new();
    home.write(
        "config/connectors/small.yaml",
        format!(
            "version: 1\nscript: small.rhai\ncredential_fields: {{ url: plain, user: plain, secret: secret }}\n\
             hosts: [\"{{{{ credential.url | host }}}}\"]\nretry: {{ attempts: 1 }}\n{connector}"
        ),
    );
    home.write("scripts/small.rhai", SCRIPT);
    home.write("secrets/small", "old");
    home.write(
        "config/credentials/acme.yaml",
        format!(
            "version: 1\nconnector: small\nfields: {{ url: \"{}\", user: ana, secret: {{ file: secrets/small }} }}\n",
            pms.url
        ),
    );
    for number in 0..integrations {
        integration(
            &home,
            &format!("home-{number}"),
            "acme",
            &format!("p{number}"),
        );
    }
    home
}

pub(crate) fn integration(home: &Home, id: &str, credential: &str, property: &str) {
    home.write(
        &format!("config/integrations/{id}.yaml"),
        format!(
            "version: 1\nproperty: {{ name: The {id}, timezone: America/New_York }}\ncredential: {credential}\n\
             pms_properties: [{property}]\n"
        ),
    );
}
