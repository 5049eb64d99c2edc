//! What sent files may say, and what they may not.

use std::collections::BTreeMap;

use super::*;
use crate::config::Home;
use crate::model::IntegrationId;

const CONNECTOR: &str = "version: 1\nscript: letterbox.rhai\n\
    credential_fields: { url: plain, password: secret }\nhosts: [\"{{ credential.url | host }}\"]\n\
    headers: { authorization: \"{{ credential.password }}\" }\n\
    requests: { residents: { url: \"{{ credential.url }}/{{ property }}\", per: property, format: json, records: all } }\n";
const INTEGRATION: &str = "version: 1\nproperty: { name: Elm, timezone: UTC, country: US }\n\
    credential: acme\npms_properties: [\"1\", \"2\"]\n";
const SCRIPT: &str = "fn residents(record, ctx) { [] }\n";

fn running() -> (tempfile::TempDir, Arc<Integration>) {
    let home = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| {
        let path = home.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    };
    write("config/epms.yaml", "version: 1\n");
    write("config/connectors/letterbox.yaml", CONNECTOR);
    write(
        "config/credentials/acme.yaml",
        "version: 1\nconnector: letterbox\nfields: { url: \"https://pms.example.com\", password: { env: ACME } }\n",
    );
    write("config/integrations/elm.yaml", INTEGRATION);
    write("scripts/letterbox.rhai", SCRIPT);
    let catalog = super::super::load(&Home::at(home.path()), None, Timestamp::UNIX_EPOCH);
    let slot = &catalog.integrations[&IntegrationId::new("elm")];
    assert_eq!(slot.problems, []);
    let current = slot.current.clone().unwrap();
    (home, current)
}

fn files(integration: &str, connector: Option<&str>, script: &str) -> TriedFiles {
    TriedFiles {
        integration: integration.to_owned(),
        connector: connector.map(str::to_owned),
        defaults: None,
        scripts: BTreeMap::from([("letterbox".to_owned(), script.to_owned())]),
    }
}

fn tried(files: &TriedFiles) -> Result<(Arc<Integration>, Tried), String> {
    let (_home, running) = running();
    let tried = trial(&running, files, Timestamp::UNIX_EPOCH);
    if let Ok((integration, _)) = &tried {
        assert!(Arc::ptr_eq(&integration.source, &running.source));
        assert_eq!(integration.credential, running.credential);
    }
    tried.map_err(|refused| refused.to_string())
}

#[test]
fn the_same_files_say_the_same() {
    let (_, said) = tried(&files(INTEGRATION, Some(CONNECTOR), SCRIPT)).unwrap();
    assert_eq!((said.same, said.untried.len()), (true, 0));
}

#[test]
fn the_mapping_side_is_taken_from_the_files() {
    let text = format!("{INTEGRATION}exclude_statuses: [Past]\nguard: {{ limit: 9 }}\n");
    let (one, said) = tried(&files(&text, None, "fn residents(record, ctx) { [()] }")).unwrap();
    assert!(!said.same && said.untried.is_empty(), "{said:?}");
    assert_eq!(one.config.exclude_statuses, ["Past"]);
    assert_eq!(one.config.guard.limit, 9);
}

#[test]
fn a_connector_that_names_another_host_is_never_asked_with_and_that_is_told() {
    let stolen = CONNECTOR
        .replace("{{ credential.url | host }}", "thief.example.com")
        .replace("{{ credential.url }}/", "https://thief.example.com/");
    let (one, said) = tried(&files(INTEGRATION, Some(&stolen), SCRIPT)).unwrap();
    assert!(!format!("{:?}", one.source).contains("thief"));
    assert!(said.untried[0].contains("that is not tried"), "{said:?}");
    assert!(!said.same);
}

#[test]
fn a_connector_that_only_names_another_script_is_tried_whole() {
    let other = CONNECTOR.replace("letterbox.rhai", "other.rhai");
    let mut files = files(INTEGRATION, Some(&other), SCRIPT);
    let told = tried(&files).unwrap_err();
    assert!(told.contains("there is no such script"), "{told}");
    files.scripts.insert("other".into(), SCRIPT.into());
    let (one, said) = tried(&files).unwrap();
    assert_eq!(said.untried, [""; 0]);
    assert_eq!(one.script.file(), PathBuf::from("scripts/other.rhai"));
}

#[test]
fn another_credential_is_refused() {
    let text = INTEGRATION.replace("acme", "bell");
    let told = tried(&files(&text, None, SCRIPT)).unwrap_err();
    assert!(told.contains("no other credential is used"), "{told}");
}

#[test]
fn a_property_that_is_new_is_told_and_one_that_is_gone_does_not_count() {
    let text = INTEGRATION.replace("[\"1\", \"2\"]", "[\"2\", \"3\"]");
    let (one, said) = tried(&files(&text, None, SCRIPT)).unwrap();
    assert_eq!(one.config.pms_properties, ["2"]);
    assert!(
        said.untried[0].contains("`3` is not attached yet"),
        "{said:?}"
    );
    let text = INTEGRATION.replace("[\"1\", \"2\"]", "[\"3\"]");
    let told = tried(&files(&text, None, SCRIPT)).unwrap_err();
    assert!(told.contains("none of them is read"), "{told}");
}

#[test]
fn what_is_wrong_with_a_sent_file_is_told_with_its_place() {
    let told = tried(&files(INTEGRATION, None, "fn residents(record, ctx) { ")).unwrap_err();
    assert!(told.starts_with("scripts/letterbox.rhai:1:"), "{told}");
    let text = format!("{INTEGRATION}exclude: []\n");
    let told = tried(&files(&text, None, SCRIPT)).unwrap_err();
    assert!(
        told.starts_with("config/integrations/elm.yaml:5:1"),
        "{told}"
    );
    let large = " ".repeat(1024 * 1024 + 1);
    let told = tried(&files(INTEGRATION, None, &large)).unwrap_err();
    assert!(told.contains("larger than 1 MiB"), "{told}");
}

#[test]
fn the_defaults_of_the_credential_are_tried_but_for_its_rhythm() {
    let mut files = files(INTEGRATION, None, SCRIPT);
    let defaults =
        r#"{"exclude_statuses":["Past"],"guard":{"limit":9},"schedule":{"every":"20m"}}"#;
    files.defaults = Some(defaults.into());
    let (one, said) = tried(&files).unwrap();
    assert!(!said.same);
    assert_eq!(one.config.exclude_statuses, ["Past"]);
    assert_eq!((one.config.guard.limit, one.config.guard.percent), (9, 10));
    assert_eq!(said.untried.len(), 1, "{said:?}");
    assert!(
        said.untried[0].contains("config/credentials/acme.yaml has another `defaults.schedule`"),
        "{said:?}"
    );
    files.defaults = Some(r#"{"timezone":"Mars/Base"}"#.into());
    let told = tried(&files).unwrap_err();
    assert!(
        told.contains("config/credentials/acme.yaml") && told.contains("timezone"),
        "{told}"
    );
}

#[test]
fn a_rhythm_of_its_own_is_told_as_not_tried() {
    let text = format!("{INTEGRATION}schedule: {{ every: 20m }}\n");
    let (_, said) = tried(&files(&text, None, SCRIPT)).unwrap();
    assert!(said.untried[0].contains("another `schedule`"), "{said:?}");
}

#[test]
fn an_integration_that_is_switched_off_is_a_change() {
    let text = format!("{INTEGRATION}enabled: false\n");
    let (_, said) = tried(&files(&text, None, SCRIPT)).unwrap();
    assert_eq!((said.switch, said.same), (Some(Switch::Off), false));
}
