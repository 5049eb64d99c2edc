//! Claims about the sandbox's ResMan, over real sockets.

use std::collections::BTreeSet;

use reqwest::RequestBuilder;
use serde_json::Value;

use crate::sandbox::testing::{client, start, told};
use crate::sandbox::{Kind, Sandbox, Trap};

/// A request that is let in.
fn request(sandbox: &Sandbox, path: &str) -> RequestBuilder {
    let fields = sandbox.credential();
    client()
        .get(format!("{}/{path}", sandbox.url()))
        .basic_auth(&fields["partner_id"], Some(&fields["api_key"]))
        .header("ResMan-Account-Id", &fields["account_id"])
}

/// All leases of a property.
pub(in crate::sandbox) fn leases_of(sandbox: &Sandbox, property: &str) -> RequestBuilder {
    let path = format!(
        "Leasing/Leases?propertyId={property}&modifiedSince=1970-01-01&includeLeaseHistory=true"
    );
    request(sandbox, &path)
}

async fn all(sandbox: &Sandbox) -> Vec<Value> {
    let (status, body) = told(leases_of(sandbox, &sandbox.property_id(0))).await;
    assert_eq!(status, 200, "{body}");
    body["leases"].as_array().unwrap().clone()
}

#[tokio::test]
async fn a_login_that_is_wrong_and_one_that_may_not_have_the_same_status_and_another_code() {
    let sandbox = start(Kind::ResMan, 24, 0).await;
    let fields = sandbox.credential();
    let url = format!("{}/Properties", sandbox.url());
    let wrong = client()
        .get(&url)
        .basic_auth(&fields["partner_id"], Some("no"));
    let (status, body) = told(wrong.header("ResMan-Account-Id", "402")).await;
    assert_eq!((status, &body["code"]), (401, &20_000.into()));
    let other = client()
        .get(&url)
        .basic_auth(&fields["partner_id"], Some(&fields["api_key"]))
        .header("ResMan-Account-Id", "403");
    let (status, body) = told(other).await;
    assert_eq!((status, &body["code"]), (401, &20_001.into()));
    let (status, body) = told(leases_of(&sandbox, "nowhere")).await;
    assert_eq!((status, &body["code"]), (401, &20_001.into()));
}

#[tokio::test]
async fn leases_are_asked_for_by_what_has_changed_since_and_the_others_are_left_out() {
    let sandbox = start(Kind::ResMan, 60, 0).await;
    let property = sandbox.property_id(0);
    let path = format!("Leasing/Leases?propertyId={property}");
    assert_eq!(told(request(&sandbox, &path)).await.0, 400);
    let since = |day: &str| format!("{path}&modifiedSince={day}");
    let number = async |day: &str| {
        let (status, body) = told(request(&sandbox, &since(day))).await;
        assert_eq!(status, 200, "{body}");
        body["leases"].as_array().unwrap().len()
    };
    let mut days: Vec<String> = all(&sandbox)
        .await
        .iter()
        .map(|lease| lease["lastModified"].as_str().unwrap()[..10].to_owned())
        .collect();
    days.sort();
    let middle = &days[days.len() / 2];
    let late = days.iter().filter(|day| *day >= middle).count();
    assert!(late < days.len(), "{days:?}");
    assert_eq!(number("1970-01-01").await, days.len());
    assert_eq!(number(middle).await, late);
}

#[tokio::test]
async fn a_person_has_a_status_of_their_own_and_a_guarantor_a_flag() {
    let sandbox = start(Kind::ResMan, 400, 0).await;
    let leases = all(&sandbox).await;
    let mut words = BTreeSet::new();
    for lease in &leases {
        words.insert(lease["leaseStatus"].as_str().unwrap().to_owned());
        assert!(lease["history"].is_array());
    }
    for word in [
        "Pending",
        "Current",
        "Notice to Vacate",
        "Former",
        "Month to Month",
    ] {
        assert!(words.contains(word), "{words:?}");
    }
    let gone = sandbox.world().trapped(Trap::DepartedRoommate)[0];
    let gone = sandbox.person_id(gone).unwrap();
    let people = leases.iter().flat_map(|lease| {
        let people = lease["people"].as_array().unwrap();
        people.iter().map(move |one| (lease, one))
    });
    let mut found = people
        .clone()
        .filter(|(_, one)| one["personId"] == gone.as_str());
    let (lease, person) = found.next().unwrap();
    assert_eq!(person["residencyStatus"], "Former");
    assert_ne!(lease["leaseStatus"], "Former");
    assert!(people.clone().any(|(_, one)| one["isGuarantor"] == true));
    assert!(people.clone().any(|(_, one)| one["isDependent"] == true));
}

#[tokio::test]
async fn who_is_transferred_has_another_account_and_the_old_one_names_it() {
    let sandbox = start(Kind::ResMan, 24, 0).await;
    let person = {
        let mut world = sandbox.world();
        let person = world.move_in("elm", "Ada", "Newcome", None, None).unwrap();
        let home = world.household_of(person).unwrap();
        let unit = world.vacant_unit(0).unwrap();
        world.transfer(home, unit).unwrap();
        person
    };
    let id = sandbox.person_id(person).unwrap();
    let leases = all(&sandbox).await;
    let of_her: Vec<&Value> = leases
        .iter()
        .filter(|lease| lease["people"][0]["personId"] == id.as_str())
        .collect();
    assert_eq!(of_her.len(), 2);
    assert_eq!(of_her[0]["leaseStatus"], "Former");
    let named = &of_her[0]["transferredTo"];
    assert_eq!(named["billingAccountId"], of_her[1]["billingAccountId"]);
    assert_eq!(named["unitId"], of_her[1]["unitId"]);
    assert_ne!(of_her[0]["unitId"], of_her[1]["unitId"]);
}
