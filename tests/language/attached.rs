//! A PMS of a few lines on loopback, and a home with one integration at it, for what the program says of both.

use epms::model::Run;

use crate::support::small_pms::{Asked, Pms, Reply};
use crate::support::{Daemon, Home, said};

/// Maps what is there, and nothing else.
pub(crate) const SCRIPT: &str = r#"fn residents(record, ctx) {
    #{ id: text(record, "id"), first_name: text(record, "first"), last_name: "Ek", email: text(record, "email"),
       status: "current", status_word: "In", unit: text(record, "unit") }
}
"#;

/// A PMS, and a home with one integration at it, `elm`, of the PMS property `p1`.
pub(crate) struct World {
    pub(crate) pms: Pms,
    pub(crate) home: Home,
}

impl World {
    pub(crate) async fn start(
        requests: &str,
        script: &str,
        answer: impl Fn(usize, &Asked) -> Reply + Clone + Send + Sync + 'static,
    ) -> World {
        // What the program reads from its files need not be taken by the harness.
        let harness = "requests: { residents: { url: \"{{ credential.url }}\", format: json } }\n";
        let pms = Pms::start(harness, answer).await;
        let home = Home::new();
        home.write("config/connectors/pms.yaml", connector(1, requests));
        home.write("scripts/pms.rhai", script);
        home.write(
            "config/credentials/acme.yaml",
            format!(
                "version: 1\nconnector: pms\nfields: {{ url: \"{}\" }}\n",
                pms.url
            ),
        );
        home.write("config/integrations/elm.yaml", integration("p1"));
        World { pms, home }
    }

    pub(crate) async fn check(&self, more: &[&str], exit: i32) -> String {
        let file = self.home.path("config/connectors/pms.yaml");
        let words = [&["check", file.to_str().unwrap()], more].concat();
        said(&self.home.epms(&words).await, exit)
    }

    /// What `epms doctor` says, and how it ends.
    pub(crate) async fn doctor(&self) -> (String, i32) {
        let ended = self.home.epms(&["doctor", "elm"]).await;
        let exit = ended.status.code().unwrap();
        (said(&ended, exit), exit)
    }

    /// What one run comes to.
    pub(crate) async fn run(&self) -> Run {
        let daemon = Daemon::start(&self.home).await;
        daemon.settle().await;
        daemon.sync("elm").await
    }
}

pub(crate) fn connector(version: u32, requests: &str) -> String {
    format!(
        "version: {version}\nscript: pms.rhai\ncredential_fields: {{ url: plain }}\nretry: {{ attempts: 1 }}\n\
         hosts: [\"{{{{ credential.url | host }}}}\"]\n{requests}"
    )
}

pub(crate) fn integration(properties: &str) -> String {
    format!(
        "version: 1\nproperty: {{ name: Elm, timezone: UTC, country: US }}\ncredential: acme\npms_properties: [{properties}]\n"
    )
}
