//! Claims about the sandbox's MRI, over real sockets.

use std::collections::BTreeSet;

use reqwest::RequestBuilder;
use serde_json::Value;

use super::{DETAILS, PENDING, PROPERTIES, RENT_ROLL, RESIDENTS};
use crate::sandbox::testing::{client, send, start, world};
use crate::sandbox::{Kind, Relation, Sandbox, Settings, Status, Trap};

fn let_in(sandbox: &Sandbox, url: &str) -> RequestBuilder {
    let fields = sandbox.credential();
    let user =
        ["client_id", "database", "web_user", "partner_key"].map(|name| fields[name].clone());
    client()
        .get(url)
        .basic_auth(user.join("/"), Some(&fields["password"]))
}

/// A request that is let in.
pub(in crate::sandbox) fn call(sandbox: &Sandbox, api: &str, more: &str) -> RequestBuilder {
    let url = format!("{}/mriapiservices/api.asp?$api={api}{more}", sandbox.url());
    let_in(sandbox, &url)
}

/// A request for the lease details of one property.
pub(in crate::sandbox) fn details_of(sandbox: &Sandbox, at: usize, more: &str) -> RequestBuilder {
    let id = sandbox.property_id(at);
    call(
        sandbox,
        DETAILS,
        &format!("&$format=json&RMPROPID={id}{more}"),
    )
}

/// All rows of an API for all properties, page after page.
async fn rows(sandbox: &Sandbox, api: &str, parameter: &str) -> Vec<Value> {
    let mut all = Vec::new();
    for at in 0..3 {
        let id = sandbox.property_id(at);
        let mut request = call(sandbox, api, &format!("&$format=json&{parameter}={id}"));
        loop {
            let (status, text) = send(request).await;
            assert_eq!(status, 200, "{text}");
            let body: Value = serde_json::from_str(&text).unwrap();
            all.extend(body["value"].as_array().unwrap().iter().cloned());
            let Some(next) = body["nextLink"].as_str() else {
                break;
            };
            let json = next.replace("%24format=xml", "%24format=json");
            request = let_in(sandbox, &json);
        }
    }
    all
}

#[tokio::test]
async fn paging_gives_everybody_who_lives_or_lived_there_once() {
    let sandbox = start(Kind::Mri, 60, 7).await;
    let all = rows(&sandbox, DETAILS, "RMPROPID").await;
    let ids: BTreeSet<&str> = all
        .iter()
        .map(|row| row["ResidentNameID"].as_str().unwrap())
        .collect();
    assert_eq!(ids.len(), all.len());
    let world = sandbox.world();
    let known = world
        .people()
        .filter(|(home, _)| home.status.lives_there() || home.status == Status::Past);
    assert_eq!(ids.len(), known.count());
    let seen = sandbox.requests();
    assert!(seen.len() > 6, "{}", seen.len());
    assert!(
        seen[1].target.contains("%24top=7&%24skip=8"),
        "{}",
        seen[1].target
    );
}

#[tokio::test]
async fn every_status_word_appears_in_full_and_as_a_letter() {
    let sandbox = start(Kind::Mri, 60, 1000).await;
    let all = rows(&sandbox, DETAILS, "RMPROPID").await;
    let words: BTreeSet<&str> = all
        .iter()
        .map(|row| row["ResidentStatus"].as_str().unwrap())
        .collect();
    for word in ["Current", "Co-Resident", "Other Resident", "Old", "O", "R"] {
        assert!(words.contains(word), "{word}: {words:?}");
    }
    let short = sandbox.world().trapped(Trap::ShortStatus).len();
    let letters = all
        .iter()
        .filter(|row| row["ResidentStatus"].as_str().unwrap().len() == 1);
    assert_eq!(letters.count(), short);
    let pending = rows(&sandbox, PENDING, "PropertyID").await;
    assert!(!pending.is_empty());
    assert!(pending.iter().all(|row| row["ResidentStatus"] == "New"));
    let residents = rows(&sandbox, RESIDENTS, "RMPROPID").await;
    assert_eq!(residents.len(), all.len());
    let codes: BTreeSet<&str> = residents
        .iter()
        .map(|row| row["Status"].as_str().unwrap())
        .collect();
    assert_eq!(codes, ["C", "O", "R"].into());
}

#[tokio::test]
async fn a_wrong_part_of_the_user_or_password_is_401_in_plain_words() {
    let sandbox = start(Kind::Mri, 24, 1000).await;
    let fields = sandbox.credential();
    let url = format!("{}/mriapiservices/api.asp?$api={PROPERTIES}", sandbox.url());
    let names = ["client_id", "database", "web_user", "partner_key"];
    for wrong in [
        "client_id",
        "database",
        "web_user",
        "partner_key",
        "password",
    ] {
        let part = |name: &str| {
            if name == wrong {
                "no".to_owned()
            } else {
                fields[name].clone()
            }
        };
        let user = names.map(part).join("/");
        let request = client().get(&url).basic_auth(user, Some(part("password")));
        let (status, text) = send(request).await;
        assert_eq!(status, 401, "{wrong}");
        assert_eq!(
            text,
            "401 - Unauthorized: Access is denied due to invalid credentials."
        );
    }
    assert_eq!(send(call(&sandbox, "MRI_S-PMRM_Secrets", "")).await.0, 401);
}

#[tokio::test]
async fn scalars_are_text_or_null_and_some_keys_are_padded() {
    let sandbox = start(Kind::Mri, 60, 1000).await;
    let all = rows(&sandbox, DETAILS, "RMPROPID").await;
    let scalar = |value: &Value| value.is_string() || value.is_null();
    assert!(
        all.iter()
            .all(|row| row.as_object().unwrap().values().all(scalar))
    );
    let padded: BTreeSet<&str> = all
        .iter()
        .filter(|row| row["UnitID"].as_str().unwrap().ends_with(' '))
        .map(|row| row["ResidentNameID"].as_str().unwrap())
        .collect();
    let trapped = sandbox.world().trapped(Trap::PaddedKeys)[0];
    assert!(padded.contains(sandbox.person_id(trapped).unwrap().as_str()));
    assert!(padded.len() < all.len());
}

#[tokio::test]
async fn a_household_shares_its_key_and_group_and_is_current_by_its_own_flag() {
    let sandbox = start(Kind::Mri, 60, 1000).await;
    let all = rows(&sandbox, DETAILS, "RMPROPID").await;
    let find = |person| {
        let id = sandbox.person_id(person).unwrap();
        all.iter()
            .find(|row| row["ResidentNameID"] == id.as_str())
            .unwrap()
    };
    let pair = sandbox.world().trapped(Trap::SharedEmail).to_vec();
    let (one, other) = (find(pair[0]), find(pair[1]));
    for same in ["PropertyID", "BuildingID", "UnitID", "LeaseID", "Namegroup"] {
        assert_eq!(one[same], other[same]);
    }
    assert_eq!(one["Namegroup"], one["ResidentNameID"]);
    assert_eq!(
        (&one["ResidentStatus"], &other["ResidentStatus"]),
        (&"Current".into(), &"Co-Resident".into())
    );
    assert_eq!(other["IsCurrent"], "Y");
    let trapped = |trap| sandbox.world().trapped(trap)[0];
    let gone = find(trapped(Trap::DepartedRoommate));
    assert_eq!(gone["IsCurrent"], "N");
    assert!(gone["ResidentVacateDate"].is_string());
    assert_eq!(find(trapped(Trap::Guarantor))["Guarantor"], "Y");
    assert_eq!(find(trapped(Trap::Minor))["Minor"], "True");
    let monthly = find(trapped(Trap::MonthToMonthOver));
    assert_eq!(
        (&monthly["IsCurrent"], &monthly["LeaseMonthToMonth"]),
        (&"Y".into(), &"N".into())
    );
}

#[tokio::test]
async fn the_link_of_pending_moves_turns_to_xml_and_to_another_host() {
    let settings = Settings {
        page_size: 1,
        link_host: Some("elsewhere.example".to_owned()),
        ..Settings::default()
    };
    let sandbox = Sandbox::start(Kind::Mri, world(7, 300), settings)
        .await
        .unwrap();
    let id = sandbox.property_id(0);
    let (_, text) = send(call(
        &sandbox,
        PENDING,
        &format!("&$format=json&PropertyID={id}"),
    ))
    .await;
    let body: Value = serde_json::from_str(&text).unwrap();
    let link = body["nextLink"].as_str().unwrap();
    assert!(
        link.starts_with("http://elsewhere.example/mriapiservices/api.asp?%24api="),
        "{link}"
    );
    assert!(link.contains("%24format=xml&%24top=1&%24skip=2"), "{link}");
    let (_, query) = link.split_once('?').unwrap();
    let url = format!("{}/mriapiservices/api.asp?{query}", sandbox.url());
    let (_, text) = send(let_in(&sandbox, &url)).await;
    let head = "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<mri_s-pmrm_pendingmoveins";
    assert!(text.starts_with(head), "{text}");
}

#[tokio::test]
async fn xml_has_entries_empty_elements_exact_times_and_an_escaped_link() {
    let sandbox = start(Kind::Mri, 60, 5).await;
    let id = sandbox.property_id(0);
    let (_, text) = send(call(
        &sandbox,
        DETAILS,
        &format!("&$format=xml&RMPROPID={id}"),
    ))
    .await;
    assert_eq!(text.matches("<entry>").count(), 5);
    assert!(text.contains("<PayAllowed />"), "{text}");
    assert!(text.contains("T00:00:00.0000000</LeaseEnd>"), "{text}");
    assert!(text.contains(" NextPageLink=\"http://"), "{text}");
    assert!(text.contains("&amp;%24skip=6\">"), "{text}");
}

#[tokio::test]
async fn a_wrong_parameter_is_a_row_with_an_error_and_200() {
    let sandbox = start(Kind::Mri, 24, 1000).await;
    for format in ["json", "xml"] {
        let more = format!("&$format={format}&RMPROPID=NOWHERE");
        let (status, text) = send(call(&sandbox, DETAILS, &more)).await;
        assert_eq!(status, 200);
        assert!(
            text.contains("The specified property does not exist."),
            "{text}"
        );
        assert!(text.contains("Error"), "{text}");
    }
    let (_, text) = send(call(&sandbox, DETAILS, "&$format=xml&PROPERTYID=ELM")).await;
    assert!(text.contains("<entry><Error><Message>"), "{text}");
}

#[tokio::test]
async fn changed_rows_are_found_by_day_and_units_show_who_lives_there() {
    let sandbox = start(Kind::Mri, 60, 1000).await;
    let since = |day: &str| {
        call(
            &sandbox,
            DETAILS,
            &format!("&$format=json&LastUpdateDate={day}"),
        )
    };
    let count = async |day: &str| {
        let (_, text) = send(since(day)).await;
        let body: Value = serde_json::from_str(&text).unwrap();
        body["value"].as_array().unwrap().len()
    };
    let (ever, lately) = (count("2000-01-01").await, count("2026-03-01").await);
    assert!(lately > 0 && lately < ever, "{lately} {ever}");
    let units = rows(&sandbox, RENT_ROLL, "PROPERTYID").await;
    let listed: usize = units
        .iter()
        .map(|row| row["Residents"].as_array().unwrap().len())
        .sum();
    let world = sandbox.world();
    let there = world.people().filter(|(home, one)| {
        home.status_of(one, world.today()).lives_there()
            && one.relation != Relation::Guarantor
            && !world.unit(home.unit).unwrap().pseudo
    });
    assert_eq!(listed, there.count());
}

#[tokio::test]
async fn the_properties_are_those_of_the_world() {
    let sandbox = start(Kind::Mri, 24, 1000).await;
    let (_, text) = send(call(&sandbox, PROPERTIES, "&$format=json")).await;
    let body: Value = serde_json::from_str(&text).unwrap();
    let ids: Vec<&str> = body["value"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| row["PropertyID"].as_str().unwrap())
        .collect();
    assert_eq!(ids, ["ELM", "OAK01", "P3"]);
}
