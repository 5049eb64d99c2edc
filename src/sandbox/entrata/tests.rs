//! Claims about the sandbox's Entrata, over real sockets.

use std::collections::BTreeSet;

use reqwest::RequestBuilder;
use reqwest::header::HeaderMap;
use serde_json::{Value, json};

use crate::sandbox::testing::{client, start};
use crate::sandbox::{Fault, FaultKind, Kind, Relation, Sandbox, Status, Trap};

const ALL: &str = "1,2,3,4,5,6";

/// A call that is let in.
pub(in crate::sandbox) fn call(
    sandbox: &Sandbox,
    service: &str,
    (name, version): (&str, &str),
    params: Value,
) -> RequestBuilder {
    let body = json!({
        "auth": { "type": "apikey" }, "requestId": "15",
        "method": { "name": name, "version": version, "params": params },
    });
    client()
        .post(format!("{}/v1/{service}", sandbox.url()))
        .header("X-Api-Key", &sandbox.credential()["api_key"])
        .header("content-type", "application/json")
        .body(body.to_string())
}

/// A call for the leases of one property.
pub(in crate::sandbox) fn leases_of(
    sandbox: &Sandbox,
    at: usize,
    statuses: &str,
    query: &str,
) -> RequestBuilder {
    let property = sandbox.property_id(at).parse::<u32>().unwrap();
    let mut params = json!({ "propertyId": property });
    if !statuses.is_empty() {
        params["leaseStatusTypeIds"] = statuses.into();
    }
    let service = format!("leases{query}");
    call(sandbox, &service, ("getLeases", "r2"), params)
}

async fn send(request: RequestBuilder) -> (u16, HeaderMap, Value) {
    let answer = request.send().await.unwrap();
    let (status, headers) = (answer.status().as_u16(), answer.headers().clone());
    let text = answer.text().await.unwrap();
    (
        status,
        headers,
        serde_json::from_str(&text).unwrap_or_default(),
    )
}

fn list(value: &Value) -> Vec<Value> {
    match value {
        Value::Array(rows) => rows.clone(),
        Value::Null => Vec::new(),
        one => vec![one.clone()],
    }
}

async fn leases(sandbox: &Sandbox, statuses: &str) -> Vec<Value> {
    let mut all = Vec::new();
    for at in 0..3 {
        let (status, _, body) = send(leases_of(sandbox, at, statuses, "")).await;
        assert_eq!(
            (status, &body["response"]["requestId"]),
            (200, &"15".into())
        );
        all.extend(list(&body["response"]["result"]["leases"]["lease"]));
    }
    all
}

fn customers(lease: &Value) -> Vec<Value> {
    list(&lease["customers"]["customer"])
}

#[tokio::test]
async fn paging_by_link_gives_every_customer_once_and_the_total_is_right() {
    let sandbox = start(Kind::Entrata, 60, 1000).await;
    let (mut ids, mut pages, mut total) = (Vec::new(), 0, 0);
    for at in 0..3 {
        let mut number = 1;
        loop {
            let query = format!("?page_no={number}&per_page=5");
            let request =
                leases_of(&sandbox, at, ALL, &query).header("X-Send-Pagination-Links", "1");
            let (_, headers, body) = send(request).await;
            pages += 1;
            let rows = list(&body["response"]["result"]["leases"]["lease"]);
            assert!(rows.len() <= 5);
            ids.extend(
                rows.iter()
                    .flat_map(customers)
                    .map(|one| one["id"].to_string()),
            );
            let link = headers["link"].to_str().unwrap();
            if !link.contains("rel=\"next\"") {
                total += headers["x-total-count"]
                    .to_str()
                    .unwrap()
                    .parse::<usize>()
                    .unwrap();
                break;
            }
            number += 1;
            assert!(link.contains(&format!("page_no={number}&per_page=5>; rel=\"next\"")));
        }
    }
    let unique: BTreeSet<&String> = ids.iter().collect();
    assert_eq!(unique.len(), ids.len());
    let world = sandbox.world();
    assert_eq!(ids.len(), world.people().count());
    assert_eq!(total, world.households().len());
    assert!(pages > 6, "{pages}");
}

#[tokio::test]
async fn every_status_appears_when_asked_for_and_only_current_otherwise() {
    let sandbox = start(Kind::Entrata, 60, 1000).await;
    let words = |rows: &[Value]| -> BTreeSet<String> {
        rows.iter()
            .map(|row| row["leaseStatusTypeId"].as_str().unwrap().to_owned())
            .collect()
    };
    let all = leases(&sandbox, ALL).await;
    assert_eq!(
        words(&all),
        ["1", "2", "3", "4", "5", "6"].map(String::from).into()
    );
    assert_eq!(words(&leases(&sandbox, "").await), ["4".to_owned()].into());
    assert_eq!(
        words(&leases(&sandbox, "3,5").await),
        ["3", "5"].map(String::from).into()
    );
    let evicted = all.iter().filter(|row| {
        row["leaseSubStatus"]
            .as_str()
            .is_some_and(|text| text.contains("Eviction"))
    });
    assert!(evicted.clone().count() > 0);
    assert!(evicted.clone().all(|row| row["leaseStatusTypeId"] == "4"));
}

#[tokio::test]
async fn a_wrong_key_is_an_error_inside_a_200() {
    let sandbox = start(Kind::Entrata, 24, 1000).await;
    let url = format!("{}/v1/leases", sandbox.url());
    let request = client()
        .post(&url)
        .header("X-Api-Key", "wrong")
        .body(r#"{"auth":{"type":"apikey"},"requestId":"7","method":{"name":"getLeases"}}"#);
    let (status, headers, body) = send(request).await;
    assert_eq!(status, 200);
    assert_eq!(body["response"]["requestId"], "7");
    assert_eq!(body["response"]["error"]["code"], 113);
    assert!(headers.contains_key("x-ratelimit-limit"));
    let (status, _, body) = send(call(&sandbox, "leases", ("getLeases", "r2"), json!({}))).await;
    assert_eq!(status, 200);
    assert_eq!(
        body["response"]["error"]["message"],
        "propertyId is required."
    );
    let (_, _, body) = send(call(&sandbox, "leases", ("getResidents", "r1"), json!({}))).await;
    assert!(body["response"]["error"]["code"].is_number());
}

#[tokio::test]
async fn no_records_is_a_text_in_place_of_the_result() {
    let sandbox = start(Kind::Entrata, 24, 1000).await;
    let property = sandbox.property_id(0);
    let params = json!({ "propertyId": property, "leaseIds": "1" });
    let (status, _, body) = send(call(&sandbox, "leases", ("getLeases", "r2"), params)).await;
    assert_eq!(status, 200);
    assert_eq!(
        body["response"]["result"],
        "No records found with mentioned preferences."
    );
}

#[tokio::test]
async fn a_person_who_left_is_past_on_a_current_lease_and_minors_are_children() {
    let sandbox = start(Kind::Entrata, 60, 1000).await;
    let all = leases(&sandbox, ALL).await;
    let find = |person| {
        let id: u64 = sandbox.person_id(person).unwrap().parse().unwrap();
        let mut found = all
            .iter()
            .flat_map(|lease| customers(lease).into_iter().map(move |one| (lease, one)));
        found.find(|(_, one)| one["id"] == id).unwrap()
    };
    let trapped = |trap| sandbox.world().trapped(trap)[0];
    let (lease, gone) = find(trapped(Trap::DepartedRoommate));
    assert_eq!(
        (&lease["leaseStatusTypeId"], &gone["leaseCustomerStatus"]),
        (&"4".into(), &"Past".into())
    );
    let (_, minor) = find(trapped(Trap::Minor));
    assert_eq!(
        (&minor["customerType"], &minor["relationshipName"]),
        (&"Occupant".into(), &"Child".into())
    );
    let (_, silent) = find(trapped(Trap::NoEmail));
    assert!(silent.get("emailAddress").is_none());
    let (lease, _) = find(trapped(Trap::RenewalAhead));
    let intervals = list(&lease["leaseIntervals"]["leaseInterval"]);
    assert_eq!(intervals[1]["leaseIntervalStatusTypeName"], "Future");
    let (lease, _) = find(trapped(Trap::TwoUnitSpaces));
    assert_eq!(list(&lease["unitSpaces"]["unitSpace"]).len(), 2);
    let (lease, _) = find(trapped(Trap::LoneObject));
    assert!(lease["customers"]["customer"].is_object());
}

#[tokio::test]
async fn guarantors_are_the_second_largest_group() {
    let sandbox = start(Kind::Entrata, 200, 1000).await;
    let all: Vec<Value> = leases(&sandbox, ALL)
        .await
        .iter()
        .flat_map(customers)
        .collect();
    let count = |kind| all.iter().filter(|one| one["customerType"] == kind).count();
    assert!(count("Primary") > count("Guarantor"));
    assert!(count("Guarantor") > count("Occupant").max(count("Co-Applicant")));
    assert_eq!(
        count("Guarantor"),
        sandbox
            .world()
            .people()
            .filter(|(_, one)| one.relation == Relation::Guarantor)
            .count()
    );
}

#[tokio::test]
async fn ids_are_text_and_numbers_dates_american_and_nothing_is_null() {
    let sandbox = start(Kind::Entrata, 60, 1000).await;
    let all = leases(&sandbox, ALL).await;
    assert!(
        all.iter()
            .all(|row| row["id"].is_string() && row["propertyId"].is_string())
    );
    assert!(
        all.iter()
            .flat_map(customers)
            .all(|one| one["id"].is_number())
    );
    let interval = |row: &Value| row["leaseIntervals"]["leaseInterval"][0].clone();
    assert!(all.iter().any(|row| interval(row)["id"].is_string()));
    assert!(all.iter().any(|row| interval(row)["id"].is_number()));
    assert!(
        all.iter()
            .all(|row| interval(row)["startDate"].as_str().unwrap().as_bytes()[2] == b'/')
    );
    assert!(!Value::from(all).to_string().contains("null"));
}

#[tokio::test]
async fn properties_units_and_the_pick_list_are_answered_in_their_own_shapes() {
    let sandbox = start(Kind::Entrata, 60, 1000).await;
    let (_, _, body) = send(call(
        &sandbox,
        "properties",
        ("getProperties", "r1"),
        json!({}),
    ))
    .await;
    let rows = list(&body["response"]["result"]["PhysicalProperty"]["property"]);
    let ids: Vec<String> = rows
        .iter()
        .map(|row| row["PropertyID"].to_string())
        .collect();
    assert_eq!(ids, [0, 1, 2].map(|at| sandbox.property_id(at)));
    let one = json!({ "propertyIds": ids[0] });
    let (_, _, body) = send(call(
        &sandbox,
        "propertyunits",
        ("getPropertyUnits", "r1"),
        one,
    ))
    .await;
    let property = &body["response"]["result"]["properties"]["property"];
    assert!(property.is_object());
    assert!(property["units"]["unit"].as_array().unwrap().len() > 5);
    let two = json!({ "propertyIds": ids[..2].join(",") });
    let (_, _, body) = send(call(
        &sandbox,
        "propertyunits",
        ("getPropertyUnits", "r1"),
        two,
    ))
    .await;
    assert!(body["response"]["result"]["properties"]["property"].is_array());
    let (_, _, body) = send(call(
        &sandbox,
        "leases",
        ("getLeasePickList", "r1"),
        json!({}),
    ))
    .await;
    let types = &body["response"]["result"]["leaseStatusTypes"]["leaseStatusType"];
    assert_eq!(types[3]["@attributes"]["name"], "Current");
}

#[tokio::test]
async fn a_wrong_total_differs_from_the_right_one_by_seven() {
    let sandbox = start(Kind::Entrata, 60, 1000).await;
    let total = async || {
        let request = leases_of(&sandbox, 0, ALL, "").header("X-Send-Pagination-Links", "1");
        let (_, headers, _) = send(request).await;
        headers["x-total-count"]
            .to_str()
            .unwrap()
            .parse::<usize>()
            .unwrap()
    };
    let right = total().await;
    sandbox.fault(Fault::new(FaultKind::WrongTotal).times(1));
    assert_eq!(total().await, right + 7);
    assert_eq!(total().await, right);
}

#[tokio::test]
async fn an_unknown_word_is_shown_as_it_is() {
    let sandbox = start(Kind::Entrata, 24, 1000).await;
    let person = sandbox.world().trapped(Trap::Company)[0];
    let home = sandbox.world().household_of(person).unwrap();
    sandbox
        .world()
        .set_status(home, Status::Other("Limbo"))
        .unwrap();
    let rows = leases(&sandbox, "3,4,5").await;
    let row = rows
        .iter()
        .find(|row| row["leaseIntervalStatus"] == "Limbo")
        .unwrap();
    assert_eq!(row["leaseStatusTypeId"], "9");
}
