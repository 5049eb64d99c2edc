//! `epms add integration`: by flags alone, and by answers against a local PMS.

use std::ffi::OsString;
use std::io::BufRead;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use clap::Parser;
use tempfile::TempDir;

use super::super::testing::{Ran, plain};
use super::super::{Arguments, Exit, Screen, Verb, add, run_line, shipped};
use crate::config::{Environment, Home};
use crate::sandbox::{Kind, PropertySpec, Sandbox, Settings, World, WorldOptions};

const FLAGS: [(&str, &str); 9] = [
    ("--connector", "appfolio"),
    ("--credential", "acme"),
    ("--field", "client_id=c-1"),
    ("--field", "developer_id=d-1"),
    ("--secret", "client_secret=file:secrets/acme"),
    ("--name", "Elm Court"),
    ("--timezone", "America/New_York"),
    ("--pms-property", "4f1c"),
    ("--exclude-status", "Evict"),
];

fn home() -> TempDir {
    let home = tempfile::tempdir().unwrap();
    shipped::write(home.path()).unwrap();
    std::fs::create_dir(home.path().join("secrets")).unwrap();
    std::fs::write(home.path().join("secrets/acme"), "hunter2\n").unwrap();
    home
}

fn words(home: &TempDir, flags: &[(&str, &str)]) -> Vec<OsString> {
    let mut words: Vec<OsString> = vec!["epms".into(), "--home".into(), home.path().into()];
    words.extend(["add".into(), "integration".into()]);
    for (flag, value) in flags {
        words.push(flag.into());
        if !value.is_empty() {
            words.push(value.into());
        }
    }
    words
}

/// Without a terminal.
async fn with_flags(home: &TempDir, flags: &[(&str, &str)]) -> Ran {
    let (mut out, mut err) = (Vec::new(), Vec::new());
    let mut screen = Screen {
        out: &mut out,
        err: &mut err,
        view: plain(),
        progress: false,
    };
    let exit = run_line(words(home, flags), &Environment::default(), &mut screen).await;
    Ran {
        exit,
        out: String::from_utf8(out).unwrap(),
        err: String::from_utf8(err).unwrap(),
    }
}

/// With somebody who answers `answers`, line by line.
async fn with_answers(home: &TempDir, flags: &[(&str, &str)], answers: &str) -> Ran {
    let arguments = Arguments::try_parse_from(words(home, flags)).unwrap();
    let Verb::Add { what } = &arguments.verb else {
        unreachable!()
    };
    let (mut out, mut err) = (Vec::new(), Vec::new());
    let mut screen = Screen {
        out: &mut out,
        err: &mut err,
        view: plain(),
        progress: true,
    };
    let mut input = answers.as_bytes();
    let input = Some(&mut input as &mut dyn BufRead);
    let ended = add::run(what, false, &Home::at(home.path()), input, &mut screen).await;
    let (exit, told) = match ended {
        Ok(exit) => (exit, String::new()),
        Err(failure) => (failure.exit(), failure.to_string()),
    };
    Ran {
        exit,
        out: String::from_utf8(out).unwrap(),
        err: String::from_utf8(err).unwrap() + &told,
    }
}

fn read(home: &TempDir, name: &str) -> String {
    std::fs::read_to_string(home.path().join(name)).unwrap()
}

fn is_empty(home: &TempDir) -> bool {
    let none = |name: &str| !Path::new(&home.path().join(name)).exists();
    none("config/credentials/acme.yaml") && none("config/integrations/elm-court.yaml")
}

async fn checked(home: &TempDir) -> Ran {
    let (mut out, mut err) = (Vec::new(), Vec::new());
    let mut screen = Screen {
        out: &mut out,
        err: &mut err,
        view: plain(),
        progress: false,
    };
    let words = ["--home".into(), home.path().into(), OsString::from("check")];
    let line = std::iter::once("epms".into()).chain(words);
    let exit = run_line(line, &Environment::default(), &mut screen).await;
    Ran {
        exit,
        out: String::from_utf8(out).unwrap(),
        err: String::from_utf8(err).unwrap(),
    }
}

#[tokio::test]
async fn flags_alone_make_files_that_pass_the_check() {
    let home = home();
    let ran = with_flags(&home, &FLAGS).await;
    assert_eq!(ran.exit, Exit::Done, "{ran:?}");
    insta::assert_snapshot!(ran.out, @r"
    wrote config/credentials/acme.yaml
    wrote config/integrations/elm-court.yaml

    next
      epms doctor elm-court   see whether the PMS lets us in, and this machine is ready
      epms run                the daemon; one that runs already takes the new files in by itself
      epms sync elm-court     sync it now, and see what came
    ");
    let credential = read(&home, "config/credentials/acme.yaml");
    assert!(credential.contains("client_secret: { file: secrets/acme }"));
    assert!(credential.contains("# url: \"https://api.appfolio.com\""));
    assert!(!credential.contains("hunter2"));
    let integration = read(&home, "config/integrations/elm-court.yaml");
    assert!(integration.contains("exclude_statuses: [Evict]\n"));
    assert!(integration.contains("enabled: true\n"));
    assert_eq!(checked(&home).await.exit, Exit::Done);
}

#[tokio::test]
async fn without_a_terminal_a_missing_answer_ends_with_2_and_names_its_flag() {
    for (at, (flag, value)) in FLAGS.iter().enumerate() {
        if *flag == "--exclude-status" {
            continue;
        }
        let home = home();
        let mut flags = FLAGS.to_vec();
        flags.remove(at);
        let ran = with_flags(&home, &flags).await;
        assert_eq!(ran.exit, Exit::Invalid, "{flag}: {ran:?}");
        assert!(ran.err.contains(flag), "{flag}: {}", ran.err);
        let name = value.split_once('=').map_or("", |(name, _)| name);
        assert!(ran.err.contains(name), "{flag}: {}", ran.err);
        assert!(is_empty(&home), "{flag}");
    }
}

/// RealPage's user and password are for some contracts only.
const REALPAGE: [(&str, &str); 7] = [
    ("--connector", "realpage"),
    ("--credential", "acme"),
    ("--field", "url=http://127.0.0.1:1/a.svc"),
    ("--field", "pmc_id=7"),
    ("--secret", "license_key=file:secrets/acme"),
    ("--name", "Elm Court"),
    ("--timezone", "America/New_York"),
];

#[tokio::test]
async fn a_field_that_may_be_empty_is_left_to_the_connector_by_flags_and_by_answers() {
    let home = home();
    let flags = [
        &REALPAGE[..],
        &[("--pms-property", "4120101"), ("--yes", "")],
    ]
    .concat();
    let ran = with_flags(&home, &flags).await;
    assert_eq!(ran.exit, Exit::Done, "{ran:?}");
    let by_flags = read(&home, "config/credentials/acme.yaml");
    assert!(!by_flags.contains("\n  username:") && !by_flags.contains("\n  password:"));
    assert_eq!(checked(&home).await.exit, Exit::Done);

    let home = self::home();
    // username, password, system, properties, country, statuses, on, write.
    let ran = with_answers(&home, &REALPAGE, "\n\n\n4120101\n\n\n\n\n\n").await;
    assert_eq!(ran.exit, Exit::Done, "{ran:?}");
    assert_eq!(read(&home, "config/credentials/acme.yaml"), by_flags);
}

#[tokio::test]
async fn a_url_that_is_none_and_a_number_that_is_none_are_asked_for_again_at_once() {
    let flags = [
        ("--connector", "rentmanager"),
        ("--credential", "acme"),
        ("--secret", "password=file:secrets/acme"),
        ("--name", "Elm Court"),
        ("--timezone", "America/New_York"),
    ];
    let home = home();
    // url, username, location, property, id, country, statuses, on, write.
    let answers = "acme.example\nhttp://127.0.0.1:1\nepms\nmain\n2\n31\n\n\n\n\n\n";
    let ran = with_answers(&home, &flags, answers).await;
    assert_eq!(ran.exit, Exit::Done, "{ran:?}");
    for told in ["the value is no http(s) URL", "the value is no number"] {
        let told = format!("  the connector cannot use it: {told}\n");
        assert_eq!(ran.err.matches(&told).count(), 1, "{}", ran.err);
    }
    let credential = read(&home, "config/credentials/acme.yaml");
    assert!(
        credential.contains("\n  location_id: \"2\"\n"),
        "{credential}"
    );
    let home = self::home();
    let flags = [
        &flags[..],
        &[("--field", "url=acme.example"), ("--yes", "")],
    ]
    .concat();
    let ran = with_flags(&home, &flags).await;
    assert_eq!(ran.exit, Exit::Invalid, "{ran:?}");
    let told = "--field url: the connector cannot use it: the value is no http(s) URL";
    assert!(ran.err.contains(told), "{}", ran.err);
    assert!(is_empty(&home));
}

#[tokio::test]
async fn a_secret_that_some_contracts_need_is_asked_for() {
    let home = home();
    let ran = with_answers(
        &home,
        &REALPAGE,
        "epms\nsecrets/acme\n\n4120101\n\n\n\n\n\n",
    )
    .await;
    assert_eq!(ran.exit, Exit::Done, "{ran:?}");
    assert!(
        ran.err.contains("where password is kept (a file's path, env:NAME or credential:NAME; empty: there is none): "),
        "{}",
        ran.err
    );
    let credential = read(&home, "config/credentials/acme.yaml");
    assert!(credential.contains("\n  username: epms\n"), "{credential}");
    assert!(
        credential.contains("\n  password: { file: secrets/acme }\n"),
        "{credential}"
    );
    assert_eq!(checked(&home).await.exit, Exit::Done);
}

#[tokio::test]
async fn what_is_there_is_not_overwritten() {
    let home = home();
    let name = "config/integrations/elm-court.yaml";
    std::fs::create_dir(home.path().join("config/integrations")).unwrap();
    std::fs::write(home.path().join(name), "# mine\n").unwrap();
    let ran = with_flags(&home, &FLAGS).await;
    assert_eq!(ran.exit, Exit::Invalid);
    assert!(
        ran.err.contains(&format!("{name} is there already")),
        "{ran:?}"
    );
    assert_eq!(read(&home, name), "# mine\n");
    assert!(!home.path().join("config/credentials/acme.yaml").exists());
}

#[tokio::test]
async fn a_secret_as_text_is_refused_and_not_told_back() {
    for wrong in [
        ("--secret", "client_secret=hunter2"),
        ("--field", "client_secret=hunter2"),
    ] {
        let home = home();
        let mut flags = FLAGS.to_vec();
        flags[4] = wrong;
        let ran = with_flags(&home, &flags).await;
        assert_eq!(ran.exit, Exit::Invalid);
        assert!(
            ran.err.contains("client_secret") && ran.err.contains("file:PATH"),
            "{ran:?}"
        );
        assert!(
            !ran.err.contains("hunter2") && !ran.out.contains("hunter2"),
            "{ran:?}"
        );
        assert!(is_empty(&home));
    }
}

#[tokio::test]
async fn a_secret_that_is_not_there_yet_is_something_to_do_next() {
    for (place, next) in [
        (
            "file:secrets/later",
            "secrets/later, which only the daemon's user may read",
        ),
        ("env:ACME", "set ACME to client_secret for the daemon"),
        ("credential:acme", "LoadCredential=acme with client_secret"),
    ] {
        let home = home();
        let mut flags = FLAGS.to_vec();
        let secret = format!("client_secret={place}");
        flags[4] = ("--secret", &secret);
        flags.push(("--disabled", ""));
        let ran = with_flags(&home, &flags).await;
        assert_eq!(ran.exit, Exit::Done, "{ran:?}");
        assert!(ran.out.contains(next), "{}", ran.out);
        assert!(ran.out.contains("to switch it on"), "{}", ran.out);
        assert!(read(&home, "config/integrations/elm-court.yaml").contains("enabled: false"));
    }
}

#[tokio::test]
async fn a_credential_serves_a_second_integration_and_a_pms_property_only_one() {
    let home = home();
    assert_eq!(with_flags(&home, &FLAGS).await.exit, Exit::Done);
    let mut second = vec![
        ("--credential", "acme"),
        ("--name", "Ash Court"),
        ("--timezone", "America/New_York"),
        ("--pms-property", "4f1c"),
    ];
    let ran = with_flags(&home, &second).await;
    assert_eq!(ran.exit, Exit::Invalid);
    assert!(
        ran.err
            .contains("`4f1c` feeds the integration `elm-court` already"),
        "{ran:?}"
    );
    second[3].1 = "5a2d";
    let before = read(&home, "config/credentials/acme.yaml");
    let ran = with_flags(&home, &second).await;
    assert_eq!(ran.exit, Exit::Done, "{ran:?}");
    assert_eq!(read(&home, "config/credentials/acme.yaml"), before);
    assert_eq!(checked(&home).await.exit, Exit::Done);
    for (wrong, told) in [
        (("--connector", "mri"), "is for the connector `appfolio`"),
        (("--field", "client_id=x"), "is not changed"),
    ] {
        let mut flags = second.clone();
        flags.push(wrong);
        let ran = with_flags(&home, &flags).await;
        assert_eq!(ran.exit, Exit::Invalid);
        assert!(ran.err.contains(told), "{ran:?}");
    }
}

#[tokio::test]
async fn answers_at_a_terminal_are_helped_by_what_the_pms_has() {
    let home = home();
    let world = World::seeded(WorldOptions {
        seed: 7,
        properties: vec![PropertySpec {
            code: "elm".into(),
            name: "Elm Court".into(),
        }],
        residents: 40,
        today: jiff::civil::date(2026, 3, 1),
    });
    let pms = Sandbox::start(Kind::AppFolio, world, Settings::default())
        .await
        .unwrap();
    let mut answers = "appfoli\nappfolio\nacme\n".to_owned();
    for field in ["url", "client_id", "client_secret", "developer_id"] {
        let given = pms.credential();
        let value = given[field].clone();
        if field == "client_secret" {
            let secret = home.path().join("secrets/acme");
            std::fs::write(&secret, &value).unwrap();
            std::fs::set_permissions(secret, PermissionsExt::from_mode(0o600)).unwrap();
            answers += &format!("{value}\nsecrets/acme\n");
        } else {
            answers += &format!("{value}\n");
        }
    }
    // The name, the id and the country are as they are proposed, and it is switched on.
    answers += &format!(
        "{}\n\n\nAmerica/Nowhere\nAmerica/New_York\n\nEvct\nEvict, Lost\n\n\n\n",
        pms.property_id(0)
    );
    let ran = with_answers(&home, &[], &answers).await;
    assert_eq!(ran.exit, Exit::Done, "{ran:?}");
    for told in [
        "did you mean `appfolio`?",
        "client_secret: the client secret that belongs to the client id",
        "no file has this name",
        &format!("  {}  Elm Court\n", pms.property_id(0)),
        "`America/Nowhere` is no IANA time zone",
        "  Current: ",
        "  the PMS shows no `Evct` now; did you mean `Evict`? Enter keeps it\n",
        "  the PMS shows no `Lost` now; Enter keeps it\n",
        "id of the integration [elm-court]: ",
    ] {
        assert!(ran.err.contains(told), "{told}: {}", ran.err);
    }
    let integration = read(&home, "config/integrations/elm-court.yaml");
    assert!(
        integration.contains("exclude_statuses: [Evict, Lost]\n"),
        "{integration}"
    );
    assert_eq!(checked(&home).await.exit, Exit::Done);
}

#[tokio::test]
async fn a_pms_out_of_reach_keeps_nobody_from_going_on_and_a_no_writes_nothing() {
    let home = home();
    let mut flags = FLAGS[..5].to_vec();
    flags.extend([("--field", "url=http://127.0.0.1:9"), ("--timezone", "UTC")]);
    let path = home.path().join("config/connectors/appfolio.yaml");
    let text = std::fs::read_to_string(&path).unwrap() + "\nretry: { attempts: 1 }\n";
    std::fs::write(&path, text).unwrap();
    let ran = with_answers(&home, &flags, "4f1c\nElm Court\n\n\n\n\nn\n").await;
    assert_eq!(ran.exit, Exit::Failed, "{ran:?}");
    assert!(ran.err.contains("they cannot be seen now"), "{}", ran.err);
    assert!(
        ran.err.ends_with("nothing was written, as you said"),
        "{}",
        ran.err
    );
    assert!(is_empty(&home));
    let ran = with_answers(&home, &flags, "4f1c\n").await;
    assert_eq!(ran.exit, Exit::Invalid);
    assert!(ran.err.ends_with("give it with --name"), "{}", ran.err);
}
