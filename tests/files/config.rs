//! Mistakes that people make in files, and exactly what they are told: file, line, column, field, what is
//! wrong, and what to do.

use std::path::Path;

use epms::catalog;
use epms::config::Home;
use jiff::Timestamp;
use tempfile::TempDir;

const CREDENTIAL: &str = "\
version: 1
connector: yardi
fields:
  url: https://voyager.example.com/acme
  username: epms
  password: { file: secrets/yardi }
  server_name: server
  database: acme
  interface_entity: Example
  interface_license: { env: EPMS_LICENSE }
";

const INTEGRATION: &str = "\
version: 1
property: { name: Elm Court, timezone: America/New_York, country: US }
credential: acme
pms_properties: [elm]
exclude_statuses: [Past]
enabled: true
";

/// A home that is right, with the shipped connectors and scripts.
fn home() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    for below in ["config/connectors", "scripts", "scripts/lib"] {
        std::fs::create_dir_all(folder.path().join(below)).unwrap();
        for entry in std::fs::read_dir(root.join(below)).unwrap() {
            let path = entry.unwrap().path();
            if path.is_file() {
                std::fs::copy(
                    &path,
                    folder.path().join(below).join(path.file_name().unwrap()),
                )
                .unwrap();
            }
        }
    }
    let folder_path = folder.path().to_owned();
    write(&folder_path, "config/epms.yaml", "version: 1\n");
    write(&folder_path, "config/credentials/acme.yaml", CREDENTIAL);
    write(
        &folder_path,
        "config/integrations/elm-court.yaml",
        INTEGRATION,
    );
    folder
}

fn write(home: &Path, path: &str, text: &str) {
    let path = home.join(path);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, text).unwrap();
}

fn problems(home: &Path) -> Vec<String> {
    let found = catalog::check(&Home::at(home), Timestamp::UNIX_EPOCH);
    found.0.iter().map(ToString::to_string).collect()
}

/// What is told when one file of a right home is written so.
fn told(path: &str, text: &str) -> Vec<String> {
    let home = home();
    write(home.path(), path, text);
    problems(home.path())
}

fn integration(line: &str, instead: &str) -> Vec<String> {
    assert!(INTEGRATION.contains(line), "{line}");
    told(
        "config/integrations/elm-court.yaml",
        &INTEGRATION.replace(line, instead),
    )
}

fn credential(line: &str, instead: &str) -> Vec<String> {
    assert!(CREDENTIAL.contains(line), "{line}");
    told(
        "config/credentials/acme.yaml",
        &CREDENTIAL.replace(line, instead),
    )
}

#[test]
fn a_home_that_is_right_has_no_problems() {
    assert_eq!(problems(home().path()), Vec::<String>::new());
}

#[test]
fn the_home_of_this_repository_is_right() {
    assert_eq!(
        problems(Path::new(env!("CARGO_MANIFEST_DIR"))),
        Vec::<String>::new()
    );
}

#[test]
fn a_misspelt_key_is_told_with_what_was_meant() {
    assert_eq!(
        integration("exclude_statuses:", "exclude_status:"),
        [
            "config/integrations/elm-court.yaml:5:1: exclude_status: unknown field; did you mean `exclude_statuses`?"
        ]
    );
}

#[test]
fn a_key_that_stands_twice_is_refused() {
    assert_eq!(
        integration("enabled: true", "enabled: true\nenabled: false"),
        [
            "config/integrations/elm-court.yaml:7:1: enabled: the key stands here a second time, first in line 6; keep one"
        ]
    );
}

#[test]
fn all_problems_of_all_files_are_told_at_once() {
    let home = home();
    write(
        home.path(),
        "config/integrations/elm-court.yaml",
        "version: 2\nproperty: { name: '', timezone: New York, country: usa }\ncredential: amce\npms_properties: [elm, elm]\nenabled: yes\n",
    );
    write(
        home.path(),
        "config/epms.yaml",
        "version: 1\nschedule: { every: 5 minutes }\nworkers: 0\n",
    );
    assert_eq!(
        problems(home.path()),
        [
            "config/epms.yaml:2:20: schedule.every: `5 minutes` is not a duration; write `5m`",
            "config/epms.yaml:3:10: workers: is out of range; write 1 to 64",
            "config/integrations/elm-court.yaml:1:10: version: this epms reads version 1, not 2",
            "config/integrations/elm-court.yaml:2:19: property.name: is empty; write what people call the property",
            "config/integrations/elm-court.yaml:2:33: property.timezone: `New York` is no IANA time zone; did you mean `America/New_York`?",
            "config/integrations/elm-court.yaml:2:52: property.country: `usa` is no ISO 3166 country code; write two capital letters such as `US`",
            "config/integrations/elm-court.yaml:3:13: credential: there is no credential `amce`; did you mean `acme`?",
            "config/integrations/elm-court.yaml:4:23: pms_properties.1: `elm` stands here twice; keep one",
            "config/integrations/elm-court.yaml:5:10: enabled: expected true or false, found `yes`",
        ]
    );
    write(
        home.path(),
        "config/integrations/elm-court.yaml",
        "version: 2\nproperty: { name: '', timezone: New York, country: usa }\ncredential: amce\npms_properties: [elm, elm]\n",
    );
    write(
        home.path(),
        "config/epms.yaml",
        "version: 1\nschedule: { every: 5h }\nworkers: 0\n",
    );
    assert_eq!(
        problems(home.path()),
        [
            "config/epms.yaml:2:20: schedule.every: 5h is out of range; write `1m` to `1h`",
            "config/epms.yaml:3:10: workers: is out of range; write 1 to 64",
            "config/integrations/elm-court.yaml:1:10: version: this epms reads version 1, not 2",
            "config/integrations/elm-court.yaml:2:19: property.name: is empty; write what people call the property",
            "config/integrations/elm-court.yaml:2:33: property.timezone: `New York` is no IANA time zone; did you mean `America/New_York`?",
            "config/integrations/elm-court.yaml:2:52: property.country: `usa` is no ISO 3166 country code; write two capital letters such as `US`",
            "config/integrations/elm-court.yaml:3:13: credential: there is no credential `amce`; did you mean `acme`?",
            "config/integrations/elm-court.yaml:4:23: pms_properties.1: `elm` stands here twice; keep one",
        ]
    );
}

#[test]
fn names_that_lead_nowhere_are_refused() {
    assert_eq!(
        integration("credential: acme", "credential: acne"),
        [
            "config/integrations/elm-court.yaml:3:13: credential: there is no credential `acne`; did you mean `acme`?"
        ]
    );
    assert_eq!(
        credential("connector: yardi", "connector: yardy"),
        [
            "config/credentials/acme.yaml:2:12: connector: there is no connector `yardy`; did you mean `yardi`?"
        ]
    );
    assert_eq!(
        integration("enabled: true", "enabled: true\nscript: yardi2.rhai"),
        [
            "config/integrations/elm-court.yaml:7:9: script: there is no script `yardi2.rhai`; there are: appfolio, appfolio-reports, entrata, mri, opendoor, realpage, rentmanager, resman, scim, unifi-access, yardi, yardi-billing"
        ]
    );
}

#[test]
fn a_secret_as_text_is_refused_and_not_repeated() {
    let found = credential("{ file: secrets/yardi }", "hunter2-canary");
    assert_eq!(
        found,
        [
            "config/credentials/acme.yaml:6:13: fields.password: a secret stands here as text; put it elsewhere and \
          write `{ file: PATH }`, `{ env: NAME }`, `{ credential: NAME }` or `{ exec: [PROGRAM, ARGUMENT] }`"
        ]
    );
}

#[test]
fn credential_fields_are_those_that_the_connector_asks_for() {
    assert_eq!(
        credential("  database: acme\n", "  databse: acme\n"),
        [
            "config/credentials/acme.yaml:3:1: fields: `database` is missing (text); the connector `yardi` asks for it",
            "config/credentials/acme.yaml:8:12: fields.databse: the connector `yardi` has no such field; did you mean `database`?",
        ]
    );
}

#[test]
fn a_template_with_an_unknown_field_is_refused() {
    let home = home();
    let path = home.path().join("config/connectors/yardi.yaml");
    let text = std::fs::read_to_string(&path).unwrap();
    let wrong = text.replacen(
        "<Password>{{ credential.password }}",
        "<Password>{{ credential.pasword }}",
        1,
    );
    assert_ne!(text, wrong);
    std::fs::write(&path, wrong).unwrap();
    let found = problems(home.path());
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(
        found[0].ends_with(
            "the template uses `credential.pasword`, which is no credential field; did you mean `credential.password`?"
        ) && found[0].starts_with("config/connectors/yardi.yaml:"),
        "{found:?}"
    );
}

#[test]
fn a_pms_property_feeds_one_integration_only() {
    let home = home();
    write(
        home.path(),
        "config/integrations/oak-court.yaml",
        INTEGRATION,
    );
    assert_eq!(
        problems(home.path()),
        [
            "config/integrations/elm-court.yaml:4:18: pms_properties.0: `elm` stands in config/integrations/oak-court.yaml too, and feeds one integration; remove it from one of the two files",
            "config/integrations/oak-court.yaml:4:18: pms_properties.0: `elm` stands in config/integrations/elm-court.yaml too, and feeds one integration; remove it from one of the two files",
        ]
    );
}

#[test]
fn r35_two_pms_units_onto_one_unit_are_refused_unless_both_are_meant() {
    let twice =
        "enabled: true\nunits: { here: [A-1], map: { '101': A-1, '102': A-1, '103': A-l } }";
    assert_eq!(
        integration("enabled: true", twice),
        [
            "config/integrations/elm-court.yaml:7:49: units.map.102: `A-1` is the unit of `101` already; if both are meant, add `A-1` to `units.shared`",
            "config/integrations/elm-court.yaml:7:61: units.map.103: `A-l` is not among the units here; did you mean `A-1`?",
        ]
    );
    let meant = "enabled: true\nunits: { map: { '101': A-1, '102': A-1 }, shared: [A-1] }";
    assert_eq!(integration("enabled: true", meant), Vec::<String>::new());
}

#[test]
fn a_tab_is_told_as_what_it_is() {
    assert_eq!(
        integration("enabled: true", "include:\n\t- minor"),
        [
            "config/integrations/elm-court.yaml:7:1: a tab stands in the indent; YAML indents with spaces"
        ]
    );
}

#[test]
fn a_file_with_another_ending_or_name_is_told() {
    let home = home();
    write(home.path(), "config/integrations/oak.yml", INTEGRATION);
    write(
        home.path(),
        "config/integrations/Oak Court.yaml",
        INTEGRATION,
    );
    write(
        home.path(),
        "config/integrations/.elm-court.yaml.swp",
        "\u{0}",
    );
    assert_eq!(
        problems(home.path()),
        [
            "config/integrations/Oak Court.yaml: the file's name is the id: use lower-case letters, digits, `-`, `_` and `.` only; rename it",
            "config/integrations/oak.yml: is not read; rename it to end in .yaml",
        ]
    );
}

#[test]
fn a_script_that_cannot_run_is_refused_with_its_place() {
    assert_eq!(
        told(
            "scripts/yardi.rhai",
            "fn residents(record, ctx) {\n    { id: text(record, \"@tCode\") }\n}\n"
        ),
        [
            "scripts/yardi.rhai:2:7: there is no variable `id`; declare it with let, or write #{ id: … } if a map is meant"
        ]
    );
    assert_eq!(
        told(
            "scripts/yardi.rhai",
            "fn residents(record, ctx) {\n    #{ id: txt(record, \"@tCode\") }\n}\n"
        ),
        ["scripts/yardi.rhai:2:12: there is no function `txt`; did you mean `text`?"]
    );
}

#[test]
fn what_is_no_yaml_at_all_ends_in_an_error() {
    for text in [
        "",
        "\u{0}\u{1}",
        "{{{{",
        "&a [*a]",
        "- - - -",
        "version: 1\nversion",
    ] {
        let found = told("config/integrations/elm-court.yaml", text);
        assert!(
            !found.is_empty() && found[0].starts_with("config/integrations/elm-court.yaml"),
            "{text:?}"
        );
    }
    let home = home();
    std::fs::write(home.path().join("config/epms.yaml"), b"\xff\xfe\x00").unwrap();
    assert_eq!(
        problems(home.path()),
        ["config/epms.yaml: is not UTF-8; save it as UTF-8"]
    );
}
