//! `epms record`: what it writes runs in `epms test` unchanged, and nobody of the PMS is in it.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use crate::support::{Home, pms_of_pages, told};
use epms::sandbox::{Kind, PropertySpec, Sandbox, Settings, World, WorldOptions};
use serde_json::Value;

/// The files of a folder, by name.
fn files(folder: &Path) -> BTreeMap<String, String> {
    let entries = std::fs::read_dir(folder).unwrap();
    entries
        .map(|entry| {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_str().unwrap().to_owned();
            (name, std::fs::read_to_string(path).unwrap())
        })
        .collect()
}

/// What is planted, in lower case: names, emails, phones and addresses, and the secrets.
fn planted(pms: &Sandbox) -> BTreeSet<String> {
    let placeholders = epms::config::Settings::default().placeholder_emails;
    let world = pms.world();
    let mut planted = BTreeSet::new();
    for (_, person) in world.people() {
        planted.insert(person.first.clone());
        planted.insert(person.last.clone());
        planted.extend(person.company.clone());
        let email = person.email.as_deref().unwrap_or_default().trim();
        let local = email.split('@').next().unwrap_or_default();
        let stands_for_none = placeholders
            .iter()
            .any(|one| one == email || one.strip_suffix("@*") == Some(local));
        if !stands_for_none {
            planted.insert(email.to_owned());
            planted.insert(local.to_owned());
        }
        for (_, phone) in &person.phones {
            let digits = phone.chars().filter(char::is_ascii_digit).count();
            if digits >= 10 && !phone.starts_with("000") {
                planted.insert(phone.clone());
            }
        }
    }
    for property in world.properties() {
        planted.insert(property.name.clone());
        planted.insert(property.street.clone());
        planted.insert(property.city.to_owned());
        planted.insert(property.postal.clone());
    }
    drop(world);
    for (field, value) in pms.credential() {
        if Sandbox::SECRETS.contains(&field) {
            planted.insert(value);
        }
    }
    planted
        .into_iter()
        .map(|text| text.trim().to_lowercase())
        .filter(|text| text.chars().count() > 1)
        .collect()
}

/// Whether something stands in a text, not as a part of a word.
fn stands(text: &str, wanted: &str) -> bool {
    let of_word = |c: Option<char>| c.is_some_and(char::is_alphanumeric);
    text.match_indices(wanted).any(|(at, found)| {
        let (before, after) = (
            text[..at].chars().next_back(),
            text[at + found.len()..].chars().next(),
        );
        !of_word(before) && !of_word(after)
    })
}

/// Whether a planted text is a phone, in whichever way it is written.
fn is_phone(text: &str) -> bool {
    let digits = text.chars().filter(char::is_ascii_digit).count();
    digits >= 10 && !text.contains(char::is_alphabetic)
}

async fn recorded(kind: Kind) {
    let world = World::seeded(WorldOptions {
        seed: 5,
        properties: vec![PropertySpec {
            code: "elm".into(),
            name: "Quillhaven Court".into(),
        }],
        residents: 120,
        today: epms::sandbox::today(),
    });
    let settings = Settings {
        // Entrata is asked for 500 at once, and takes a shorter page for the last.
        page_size: if kind == Kind::Entrata { 1000 } else { 40 },
        former: 1,
        ..Settings::default()
    };
    let pms = Sandbox::start(kind, world, settings).await.unwrap();
    let home = Home::new();
    home.feed("elm", &pms);
    let folder = home.path(&format!("scripts/tests/{kind}"));
    let before: BTreeSet<String> = files(&folder).into_keys().collect();
    let out = folder.to_str().unwrap();
    let words = ["record", "elm", "--out", out, "--limit", "1000", "--json"];
    let output = home.epms(&words).await;
    assert_eq!(output.status.code(), Some(0), "{}", told(&output));
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    let counted = |name: &str| -> u64 {
        let files = report["files"].as_array().unwrap();
        files.iter().filter_map(|file| file[name].as_u64()).sum()
    };
    assert!(counted("residents") > 40, "{report}");

    // Everything is about somebody else.
    let mut written = files(&folder);
    written.retain(|name, _| !before.contains(name));
    assert!(written.len() >= 2, "{written:?}");
    let planted = planted(&pms);
    assert!(planted.len() > 200, "{}", planted.len());
    for (name, text) in &written {
        let lower = text.to_lowercase();
        // As XML writes it, too.
        let plain = lower
            .replace("&apos;", "'")
            .replace("&amp;", "&")
            .replace("&quot;", "\"");
        // Phones are looked for below: the few that are kept for fiction may be made up again.
        for wanted in planted.iter().filter(|text| !is_phone(text)) {
            assert!(
                !stands(&plain, wanted),
                "`{wanted}` stands in {kind}/{name}"
            );
        }
    }
    // What is made up may by chance be the phone of somebody who is not in the recording, but not twice: each
    // recording makes up others.
    let again = home.path("again");
    let words = [
        "record",
        "elm",
        "--out",
        again.to_str().unwrap(),
        "--limit",
        "1000",
    ];
    assert_eq!(home.epms(&words).await.status.code(), Some(0));
    let found = |files: &BTreeMap<String, String>| -> BTreeSet<String> {
        let digits = files.values().flat_map(|text| text.lines()).map(|line| {
            let digits = line.chars().filter(char::is_ascii_digit);
            digits.collect::<String>()
        });
        let digits: Vec<String> = digits.collect();
        let phones = planted.iter().filter(|text| is_phone(text));
        let nationals = phones.filter_map(|phone| {
            let phone: String = phone.chars().filter(char::is_ascii_digit).collect();
            Some(phone.get(phone.len().checked_sub(10)?..)?.to_owned())
        });
        nationals
            .filter(|phone| digits.iter().any(|digits| digits.contains(phone.as_str())))
            .collect()
    };
    let (one, other) = (found(&written), found(&files(&again)));
    let both: Vec<&String> = one.intersection(&other).collect();
    assert!(both.is_empty(), "{both:?} in {kind}");

    // It runs as it is, and tells the same story.
    let tested = home.epms(&["test", &format!("{kind}/recorded")]).await;
    assert_eq!(tested.status.code(), Some(0), "{}", told(&tested));
    assert!(told(&tested).contains("ok  "), "{}", told(&tested));
    let live: Value = {
        let output = home.epms(&["discover", "elm", "--json"]).await;
        serde_json::from_slice(&output.stdout).unwrap()
    };
    let mut statuses: BTreeMap<String, u64> = BTreeMap::new();
    let mut emails: BTreeMap<String, u64> = BTreeMap::new();
    let mut reasons: BTreeSet<String> = BTreeSet::new();
    let mut placeholders = 0;
    let is_case = |name: &&String| Path::new(name).extension().is_some_and(|end| end == "yaml");
    for name in written.keys().filter(is_case) {
        let case = folder.join(name);
        let script = format!("{kind}");
        let output = home
            .epms(&["map", &script, case.to_str().unwrap(), "--json"])
            .await;
        let mapped: Value = serde_json::from_slice(&output.stdout).unwrap();
        for resident in mapped["residents"].as_array().unwrap() {
            let word = resident["status_word"].as_str().unwrap();
            *statuses.entry(word.to_owned()).or_default() += 1;
            if let Some(email) = resident["email"].as_str() {
                *emails.entry(email.trim().to_lowercase()).or_default() += 1;
            }
        }
        placeholders += mapped["notes"]["placeholder_email"].as_u64().unwrap_or(0);
        for excluded in mapped["excluded"].as_array().unwrap() {
            *statuses.entry("left out".to_owned()).or_default() += 1;
            let reason = excluded["reason"].as_str().unwrap();
            assert!(!reason.is_empty());
            reasons.insert(reason.to_owned());
        }
    }
    let count = |list: &str| -> u64 {
        let found = live[list].as_array().into_iter().flatten();
        found.map(|one| one["residents"].as_u64().unwrap()).sum()
    };
    assert_eq!(
        statuses.values().sum::<u64>(),
        count("statuses") + count("left_out")
    );
    for one in live["statuses"].as_array().unwrap() {
        let word = one["word"].as_str().unwrap();
        assert!(statuses.contains_key(word), "{word}: {statuses:?}");
    }
    for one in live["left_out"].as_array().into_iter().flatten() {
        let reason = one["reason"].as_str().unwrap();
        // Whoever is nobody by their name has a made-up one now.
        let by_name = ["placeholder", "company"].contains(&reason);
        assert!(by_name || reasons.contains(reason), "{reason}: {reasons:?}");
    }
    // The email that two share is one that two share still, and a placeholder is one.
    let shared = emails.iter().filter(|(_, count)| **count > 1);
    assert!(shared.count() > 0, "{emails:?}");
    assert!(placeholders > 0, "{written:?}");
}

#[tokio::test]
async fn what_appfolio_sent_is_about_nobody_and_runs_as_a_test() {
    recorded(Kind::AppFolio).await;
}

#[tokio::test]
async fn what_yardi_sent_is_about_nobody_and_runs_as_a_test() {
    recorded(Kind::Yardi).await;
}

#[tokio::test]
async fn what_realpage_sent_is_about_nobody_and_runs_as_a_test() {
    recorded(Kind::RealPage).await;
}

#[tokio::test]
async fn what_entrata_sent_is_about_nobody_and_runs_as_a_test() {
    recorded(Kind::Entrata).await;
}

#[tokio::test]
async fn what_resman_sent_is_about_nobody_and_runs_as_a_test() {
    recorded(Kind::ResMan).await;
}

#[tokio::test]
async fn what_rent_manager_sent_is_about_nobody_and_runs_as_a_test() {
    recorded(Kind::RentManager).await;
}

#[tokio::test]
async fn what_mri_sent_is_about_nobody_and_runs_as_a_test() {
    recorded(Kind::Mri).await;
}

#[tokio::test]
async fn a_recording_is_shown_and_nothing_is_overwritten() {
    let pms = pms_of_pages(Kind::AppFolio, 5, 24, 1000).await;
    let home = Home::new();
    home.feed("elm", &pms);
    let out = home.beside().join("seen");
    let words = [
        "record",
        "elm",
        "--out",
        out.to_str().unwrap(),
        "--limit",
        "3",
    ];
    let output = home.epms(&words).await;
    assert_eq!(output.status.code(), Some(0), "{}", told(&output));
    let shown = told(&output).replace(out.to_str().unwrap(), "SEEN");
    insta::assert_snapshot!(shown);
    let before = files(&out);
    let answer: Value = serde_json::from_str(&before["recorded-residents.json"]).unwrap();
    assert_eq!(answer["data"].as_array().unwrap().len(), 3);
    let again = home.epms(&words).await;
    assert_eq!(again.status.code(), Some(2));
    assert!(
        told(&again).contains("is there already"),
        "{}",
        told(&again)
    );
    assert_eq!(files(&out), before);
    // Each recording makes them up anew.
    let other = [
        "record",
        "elm",
        "--out",
        out.to_str().unwrap(),
        "--name",
        "other",
    ];
    assert_eq!(home.epms(&other).await.status.code(), Some(0));
    assert_ne!(
        files(&out)["other-residents.json"],
        before["recorded-residents.json"]
    );
}
