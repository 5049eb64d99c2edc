//! People out to a file and in again, as they were.

use std::os::unix::fs::PermissionsExt;

use super::by_hand::House;
use crate::support::said;
use serde_json::Value;

/// The rows of an export without what another store gives anew.
async fn rows(house: &House) -> Vec<Value> {
    let text = house.epms("people export --format json").await;
    let mut rows: Vec<Value> = serde_json::from_str(&text).unwrap();
    for row in &mut rows {
        let row = row.as_object_mut().unwrap();
        row.remove("person");
        row.remove("origin");
    }
    rows.sort_by_key(Value::to_string);
    rows
}

/// A house of people with everything that an export tells.
async fn house() -> House {
    let house = House::start().await;
    house.move_in("=Ada", "O'Quill; \"the\", Elder", "ada@example.com");
    house.sync().await;
    let ada = house.person("ada@example.com").await.id;
    house
        .epms(&format!("people lock {ada} email lease_end"))
        .await;
    house
        .epms("people add --first-name Bo --last-name Adams --integration elm --unit 9Z --lease-end 2027-03-31 --status pending")
        .await;
    house.epms("people add --last-name 'Tis").await;
    house
}

#[tokio::test]
async fn what_is_exported_is_imported_again_as_it_was_from_csv_and_from_json() {
    let from = house().await;
    let all = rows(&from).await;
    assert!(
        all.iter().any(|row| row["locks"] == "email; lease_end"),
        "{all:?}"
    );
    for (format, name) in [("csv", "people.csv"), ("json", "people.json")] {
        let file = from.home.path(name);
        let written = from
            .epms(&format!(
                "people export --format {format} --out {}",
                file.display()
            ))
            .await;
        assert!(
            written.contains(&format!("{} rows in", all.len())),
            "{written}"
        );
        // Into its own store nobody comes twice, those without an email neither.
        let again = from
            .epms(&format!("people import {}", file.display()))
            .await;
        assert!(
            again.contains(&format!(
                "0 people were made, {} were there already",
                all.len()
            )),
            "{again}"
        );
        let to = House::empty().await;
        let made = to.epms(&format!("people import {}", file.display())).await;
        assert!(
            made.contains(&format!("{} people were made", all.len())),
            "{made}"
        );
        assert_eq!(rows(&to).await, all, "{format}");
    }
}

#[tokio::test]
async fn the_stays_of_one_person_are_several_rows_and_one_person_again() {
    let to = House::empty().await;
    let file = to.home.path("people.csv");
    let elm = to.home.read("config/integrations/elm.yaml");
    let elm: Vec<&str> = elm
        .lines()
        .filter(|line| !line.starts_with("pms_properties"))
        .collect();
    let oak = format!("{}\npms_properties: [another]\n", elm.join("\n"));
    to.home.write("config/integrations/oak.yaml", oak);
    to.epms("reload").await;
    std::fs::write(
        &file,
        "last_name,email,integration,unit,unit_id,more_units,status,notice,excluded,locks,person\n\
         Quill,ada@example.com,elm,1A,u1,2B; \"C; D\",current,true,false,unit,p17\n\
         Quill,ada@example.com,oak,3C,,,void,false,true,unit,p17\n\
         Hall,,elm,,,,,,,,p18\n",
    )
    .unwrap();
    let made = to.epms(&format!("people import {}", file.display())).await;
    assert!(made.contains("2 people were made"), "{made}");
    let ada = to.person("ada@example.com").await;
    assert_eq!(ada.stays.len(), 2);
    let stays: Vec<_> = ada.stays.values().collect();
    let labels: Vec<&str> = stays[0]
        .more_units
        .iter()
        .map(|unit| unit.label.as_str())
        .collect();
    assert_eq!(labels, ["2B", "C; D"]);
    assert_eq!(stays[0].unit.as_ref().unwrap().id, "u1");
    assert!(stays[0].notice && !stays[0].excluded && stays[1].excluded);
    let csv = to.epms("people export").await;
    assert!(csv.contains(r#""2B; ""C; D""""#), "{csv}");

    for (rows, says) in [
        (
            "Quill,a@example.com,p1\nQuince,a@example.com,p1\n",
            "line 3: person: is that of line 2 too",
        ),
        (
            "Quill,b@example.com,p1\nQuill,b@example.com,p2\n",
            "line 3: email: stands in line 2 too",
        ),
        (
            "Quill,c@example.com,17\n",
            "line 2: person: `17` is not a person's id",
        ),
    ] {
        std::fs::write(&file, format!("last_name,email,person\n{rows}")).unwrap();
        let told = to
            .fails(&format!("people import {}", file.display()), 1)
            .await;
        assert!(told.contains(says), "{says}: {told}");
    }
    for (json, says) in [
        (
            r#"[{"last_name":"Quill","mail":"x"}]"#,
            "row 1: unknown column `mail`; did you mean `email`",
        ),
        (
            r#"[{"last_name":["Quill"]}]"#,
            "row 1: last_name: is no text",
        ),
        (r#"[{"last_name":"#, "is no JSON of an export"),
    ] {
        std::fs::write(&file, json).unwrap();
        let told = to
            .fails(&format!("people import {}", file.display()), 2)
            .await;
        assert!(told.contains(says), "{says}: {told}");
    }
}

#[tokio::test]
async fn a_file_of_people_is_its_owners_alone_and_takes_no_other_s_place_unasked() {
    let house = house().await;
    let file = house.home.path("out.csv");
    let export = format!("people export --out {}", file.display());
    house.epms(&export).await;
    let mode = |path: &std::path::Path| path.metadata().unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&file), 0o600);
    std::fs::write(&file, "mine").unwrap();
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o644)).unwrap();
    let told = house.fails(&export, 1).await;
    assert!(
        told.contains("is there already") && told.contains("--force"),
        "{told}"
    );
    assert_eq!(std::fs::read_to_string(&file).unwrap(), "mine");
    house.epms(&format!("{export} --force")).await;
    assert_eq!(mode(&file), 0o600);
    assert!(
        std::fs::read_to_string(&file)
            .unwrap()
            .starts_with("first_name,")
    );
    let people = house.daemon.people().await.len();
    let json = said(
        &house
            .home
            .epms(&[
                "people",
                "export",
                "--json",
                "--force",
                "--out",
                file.to_str().unwrap(),
            ])
            .await,
        0,
    );
    let json: Value = serde_json::from_str(&json).unwrap();
    assert_eq!(json["people"], people);
    // What is no regular file is left alone.
    let link = house.home.path("link.csv");
    std::os::unix::fs::symlink(&file, &link).unwrap();
    let told = house
        .fails(
            &format!("people export --force --out {}", link.display()),
            3,
        )
        .await;
    assert!(told.contains("no regular file"), "{told}");
    assert!(link.is_symlink());
    house.fails("people export --force", 2).await;
}
