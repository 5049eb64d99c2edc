//! Mistakes that people make, each as files in `tests/fixtures/mistakes`: what `epms check` says to them, word for
//! word. Every message names the place and the remedy.

use std::path::Path;

use crate::support::{Home, told};
use epms::model::Problem;

/// A home without mistakes, and the files of one written over it.
fn home_with(mistake: &str) -> Home {
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/mistakes");
    let home = Home::new();
    for name in ["config", "scripts"] {
        std::fs::remove_dir_all(home.path(name)).unwrap();
        home.copy(&fixtures.join("base"), name);
    }
    home.write("secrets/acme", "hunter2\n");
    if !mistake.is_empty() {
        let text = std::fs::read_to_string(fixtures.join(format!("{mistake}.txt"))).unwrap();
        for file in text.split("=== ").skip(1) {
            let (name, text) = file.split_once('\n').unwrap();
            home.write(name, text);
        }
    }
    home
}

async fn check(mistake: &str) -> (String, Vec<Problem>) {
    let home = home_with(mistake);
    let output = home.epms(&["check"]).await;
    assert_eq!(
        output.status.code(),
        Some(2),
        "{mistake}: {}",
        told(&output)
    );
    let shown = told(&output);
    assert!(!shown.contains("hunter2"), "{shown}");
    let json = home.epms(&["check", "--json"]).await;
    assert_eq!(json.status.code(), Some(2));
    (shown, serde_json::from_slice(&json.stdout).unwrap())
}

#[tokio::test]
async fn without_a_mistake_everything_is_right() {
    let home = home_with("");
    let output = home.epms(&["check"]).await;
    assert_eq!(output.status.code(), Some(0), "{}", told(&output));
}

macro_rules! mistakes {
    ($($name:ident: $file:literal is $code:ident;)*) => {
        $(
            #[tokio::test]
            async fn $name() {
                let (shown, problems) = check($file).await;
                insta::assert_snapshot!($file, shown);
                let codes: Vec<&str> = problems.iter().map(|one| one.code.as_str()).collect();
                assert!(codes.contains(&stringify!($code)), "{codes:?}");
            }
        )*

        #[test]
        fn every_mistake_of_the_folder_is_checked() {
            let tested = [$($file),*];
            let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/mistakes");
            let mut there: Vec<String> = std::fs::read_dir(fixtures)
                .unwrap()
                .filter_map(|entry| entry.unwrap().file_name().into_string().ok())
                .filter_map(|name| name.strip_suffix(".txt").map(String::from))
                .collect();
            there.sort();
            let mut tested = tested.map(String::from).to_vec();
            tested.sort();
            assert_eq!(there, tested);
        }
    };
}

mistakes! {
    a_boolean_in_words: "a-boolean-in-words" is value;
    a_brace_too_few: "a-brace-too-few" is script_syntax;
    a_credential_without_a_field: "a-credential-without-a-field" is missing_field;
    a_date_form_without_percent: "a-date-form-without-percent" is script_output;
    a_duration_in_words: "a-duration-in-words" is value;
    a_field_that_no_resident_has: "a-field-that-no-resident-has" is script_output;
    a_file_that_ends_in_yml: "a-file-that-ends-in-yml" is file;
    a_function_of_other_parameters: "a-function-of-other-parameters" is script_function;
    a_function_that_is_not_there: "a-function-that-is-not-there" is script_function;
    a_grant_misspelt: "a-grant-misspelt" is template;
    a_helper_misspelt: "a-helper-misspelt" is script_call;
    a_helper_with_an_argument_too_many: "a-helper-with-an-argument-too-many" is script_call;
    a_key_twice: "a-key-twice" is duplicate_key;
    a_list_that_is_text: "a-list-that-is-text" is value;
    a_map_without_its_hash: "a-map-without-its-hash" is script_syntax;
    a_missing_key: "a-missing-key" is missing_field;
    a_misspelt_key: "a-misspelt-key" is unknown_field;
    a_name_with_capitals: "a-name-with-capitals" is file;
    a_rule_for_every_answer: "a-rule-for-every-answer" is value;
    a_secret_as_text: "a-secret-as-text" is secret;
    a_status_with_other_case: "a-status-with-other-case" is script_output;
    a_tab_in_yaml: "a-tab-in-yaml" is syntax;
    a_template_left_open: "a-template-left-open" is template;
    a_template_with_an_unknown_field: "a-template-with-an-unknown-field" is template;
    a_time_zone_in_words: "a-time-zone-in-words" is value;
    a_variable_misspelt: "a-variable-misspelt" is script_syntax;
    a_wrong_connector: "a-wrong-connector" is reference;
    a_wrong_credential: "a-wrong-credential" is reference;
    a_wrong_indent: "a-wrong-indent" is syntax;
    a_wrong_script: "a-wrong-script" is reference;
    an_import_cycle: "an-import-cycle" is script_import;
    an_import_that_is_not_there: "an-import-that-is-not-there" is script_import;
    an_integration_of_a_target: "an-integration-of-a-target" is reference;
    an_older_version: "an-older-version" is value;
    two_integrations_with_one_property: "two-integrations-with-one-property" is conflict;
}

/// One mistake of each kind, each in a file of its own or beside others: what is put in the place of what, where.
const MISTAKES: [(&str, &str, &str); 22] = [
    ("config/epms.yaml", "version: 1", "version: 1\nwokers: 2"),
    (
        "config/epms.yaml",
        "version: 1",
        "version: 1\nlog: { level: loud }",
    ),
    ("config/epms.yaml", "version: 1", "version: 1\ngrace: soon"),
    (
        "config/epms.yaml",
        "version: 1",
        "version: 1\nretention: { most_runs: 3 }",
    ),
    (
        "config/epms.yaml",
        "version: 1",
        "version: 1\nbackup: { every: 1s, to: x }",
    ),
    ("config/epms.yaml", "version: 1", "version: 1\ndeadline: 0s"),
    (
        "config/epms.yaml",
        "version: 1",
        "version: 1\nnotify: [{ alerts: [nope], to: { smtp: { host: h, from: nobody, to: [a@example.com] } } }]",
    ),
    ("config/epms.yaml", "version: 1", "version: 2"),
    ("config/credentials/acme.yaml", "user: ana", "usr: ana"),
    (
        "config/credentials/acme.yaml",
        "version: 1",
        "version: 1\nexpires: 2020-01-31",
    ),
    (
        "config/credentials/acme.yaml",
        "key: { file: secrets/acme }",
        "key: hunter2",
    ),
    (
        "config/credentials/oak.yaml",
        "connector: letterbox",
        "connector: leterbox",
    ),
    (
        "config/connectors/letterbox.yaml",
        "version: 1",
        "version: 1\nretry: { attempts: 0 }",
    ),
    (
        "config/connectors/letterbox.yaml",
        "{{ credential.url }}/people",
        "{{ credential.uri }}/people",
    ),
    (
        "config/connectors/oak.yaml",
        "script: letterbox.rhai",
        "script: oak.rhai",
    ),
    (
        "config/integrations/elm.yaml",
        "pms_properties: [elm]",
        "pms_properties: []",
    ),
    (
        "config/integrations/elm.yaml",
        "version: 1",
        "version: 1\nunits: { map: { a: b, a: c } }",
    ),
    (
        "config/integrations/elm.yaml",
        "exclude_statuses",
        "exclude_status",
    ),
    (
        "config/integrations/elm.yaml",
        "credential: acme",
        "credential: acne",
    ),
    (
        "config/integrations/elm.yaml",
        "country: US",
        "country: usa",
    ),
    (
        "config/integrations/oak.yaml",
        "credential: oak",
        "credential: oak\nscript: none.rhai",
    ),
    (
        "scripts/letterbox.rhai",
        "letters::name(record)",
        "letters::nmae(record)",
    ),
];

/// What the mistakes are made in: the base, and as much again.
fn home_of_mistakes() -> Home {
    let home = home_with("");
    for (name, base) in [
        (
            "config/credentials/oak.yaml",
            "config/credentials/acme.yaml",
        ),
        (
            "config/connectors/oak.yaml",
            "config/connectors/letterbox.yaml",
        ),
    ] {
        home.write(name, home.read(base));
    }
    let elm = home.read("config/integrations/elm.yaml");
    let oak = elm.replace("acme", "oak").replace("[elm]", "[oak]");
    home.write("config/integrations/oak.yaml", oak);
    home
}

async fn problems(home: &Home) -> Vec<Problem> {
    let json = home.epms(&["check", "--json"]).await;
    serde_json::from_slice(&json.stdout).unwrap()
}

/// D6: whoever mends all that is told is told nothing new.
#[tokio::test]
async fn all_mistakes_are_told_at_once() {
    let whole = home_of_mistakes();
    assert_eq!(problems(&whole).await, []);
    let together = home_of_mistakes();
    for (name, from, to) in MISTAKES {
        together.edit(name, from, to);
    }
    let together = problems(&together).await;
    let told = |one: &Problem| {
        let mut same = together.iter();
        same.any(|other| (&other.file, &other.field) == (&one.file, &one.field))
    };
    for (name, from, to) in MISTAKES {
        let home = home_of_mistakes();
        home.edit(name, from, to);
        let alone = problems(&home).await;
        assert!(!alone.is_empty(), "{name}: {to}");
        for one in &alone {
            assert!(
                told(one),
                "{name}: {to}: {one}\nis not among\n{together:#?}"
            );
        }
    }
}

/// What is made of a mistake, such as a list that is empty without it, is none.
#[tokio::test]
async fn a_kind_that_is_not_known_is_one_mistake() {
    let home = home_with("");
    home.edit(
        "config/epms.yaml",
        "version: 1",
        "version: 1\nnotify: [{ alerts: [nope], to: { exec: [/bin/true] } }]",
    );
    let found = problems(&home).await;
    let fields: Vec<&str> = found.iter().map(|one| one.field.as_str()).collect();
    assert_eq!(fields, ["notify.0.alerts.0"], "{found:#?}");
}

#[tokio::test]
async fn a_credential_whose_last_day_is_past_is_a_warning() {
    let home = home_with("");
    home.edit(
        "config/credentials/acme.yaml",
        "version: 1",
        "version: 1\nexpires: 2020-01-31",
    );
    let output = home.epms(&["check"]).await;
    assert_eq!(output.status.code(), Some(0), "{}", told(&output));
    let output = home.epms(&["check", "--strict"]).await;
    assert_eq!(output.status.code(), Some(2), "{}", told(&output));
    let text = told(&output);
    assert!(
        text.contains("acme.yaml:2:10: warning: expires: 2020-01-31 is past"),
        "{text}"
    );
}
