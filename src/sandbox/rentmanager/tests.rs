//! Claims about the sandbox's Rent Manager, over real sockets.

use std::collections::BTreeSet;

use reqwest::RequestBuilder;
use serde_json::{Value, json};

use crate::sandbox::testing::{client, start, told};
use crate::sandbox::{Kind, Sandbox, Trap};

const EMBEDS: &str = "Leases,Leases.LeaseRenewals,Leases.Unit,Contacts,Contacts.ContactType,\
                      Contacts.PhoneNumbers,Contacts.PhoneNumbers.PhoneNumberType";

/// A request that is let in.
fn request(sandbox: &Sandbox, path: &str) -> RequestBuilder {
    client()
        .get(format!("{}/{path}", sandbox.url()))
        .header("X-RM12Api-ApiToken", super::token(&sandbox.world()))
}

/// A page of the tenants of a property.
pub(in crate::sandbox) fn tenants_of(
    sandbox: &Sandbox,
    property: &str,
    page: usize,
) -> RequestBuilder {
    let path =
        format!("Tenants?filters=PropertyID,eq,{property}&embeds={EMBEDS}&PageNumber={page}");
    request(sandbox, &path)
}

async fn all(sandbox: &Sandbox) -> Vec<Value> {
    let mut tenants = Vec::new();
    for page in 1.. {
        let (status, body) = told(tenants_of(sandbox, &sandbox.property_id(0), page)).await;
        if status == 204 {
            break;
        }
        assert!(matches!(status, 200 | 206), "{body}");
        tenants.extend(body.as_array().unwrap().clone());
    }
    tenants
}

#[tokio::test]
async fn a_login_gives_a_text_that_lets_in_and_a_wrong_one_an_error_of_their_kind() {
    let sandbox = start(Kind::RentManager, 24, 1000).await;
    let fields = sandbox.credential();
    let login = |password: &str| {
        let url = format!("{}/Authentication/AuthorizeUser", sandbox.url());
        let body = json!({
            "Username": fields["username"], "Password": password, "LocationID": 1,
        });
        client().post(url).body(body.to_string())
    };
    let (status, body) = told(login("no")).await;
    assert_eq!((status, &body["ErrorCode"]), (401, &1.into()));
    let (status, token) = told(login(&fields["password"])).await;
    assert_eq!(status, 200);
    let properties = client().get(format!("{}/Properties", sandbox.url()));
    let let_in = properties.header("X-RM12Api-ApiToken", token.as_str().unwrap());
    assert_eq!(told(let_in).await.0, 200);
    let without = client().get(format!("{}/Properties", sandbox.url()));
    assert_eq!(told(without).await.0, 401);
}

#[tokio::test]
async fn a_page_with_more_behind_it_is_206_and_the_one_behind_the_last_204() {
    let sandbox = start(Kind::RentManager, 60, 5).await;
    let property = sandbox.property_id(0);
    let answer = tenants_of(&sandbox, &property, 1).send().await.unwrap();
    assert_eq!(answer.status(), 206);
    let link = answer.headers()["link"].to_str().unwrap().to_owned();
    assert!(
        link.contains("PageNumber=2") && link.ends_with("rel=\"next\""),
        "{link}"
    );
    let total: usize = answer.headers()["x-total-results"]
        .to_str()
        .unwrap()
        .parse()
        .unwrap();
    let tenants = all(&sandbox).await;
    assert_eq!(tenants.len(), total);
    let ids: BTreeSet<String> = tenants
        .iter()
        .map(|one| one["TenantID"].to_string())
        .collect();
    assert_eq!(ids.len(), total);
    assert_eq!(told(tenants_of(&sandbox, "9999", 1)).await.0, 204);
}

#[tokio::test]
async fn only_what_a_request_names_is_embedded() {
    let sandbox = start(Kind::RentManager, 24, 1000).await;
    let bare = told(request(&sandbox, "Tenants")).await.1;
    assert!(bare[0].get("Contacts").is_none() && bare[0].get("Leases").is_none());
    let some = told(request(&sandbox, "Tenants?embeds=Contacts,Leases"))
        .await
        .1;
    let contact = &some[0]["Contacts"][0];
    assert!(contact["ContactID"].is_number() && contact.get("ContactType").is_none());
    assert!(some[0]["Leases"][0].get("EndDate").is_none());
}

#[tokio::test]
async fn an_account_has_contacts_of_every_kind_and_who_has_left_is_not_active() {
    let sandbox = start(Kind::RentManager, 400, 1000).await;
    let tenants = all(&sandbox).await;
    let words: BTreeSet<&str> = tenants
        .iter()
        .filter_map(|one| one["Status"].as_str())
        .collect();
    assert_eq!(words, BTreeSet::from(["Current", "Future", "Past"]));
    let contacts: Vec<&Value> = tenants
        .iter()
        .flat_map(|one| one["Contacts"].as_array().unwrap())
        .collect();
    let kinds: BTreeSet<&str> = contacts
        .iter()
        .filter_map(|one| one["ContactType"]["Name"].as_str())
        .collect();
    for kind in ["Tenant", "Emergency Contact"] {
        assert!(kinds.contains(kind), "{kinds:?}");
    }
    let gone = sandbox.world().trapped(Trap::DepartedRoommate)[0];
    let gone: u32 = sandbox.person_id(gone).unwrap().parse().unwrap();
    let found = contacts
        .iter()
        .find(|one| one["ContactID"] == gone)
        .unwrap();
    assert_eq!(found["IsActive"], false);
    assert!(tenants.iter().any(|one| one["EvictionID"].is_number()));
}

#[tokio::test]
async fn who_is_transferred_has_two_leases_on_one_account() {
    let sandbox = start(Kind::RentManager, 24, 1000).await;
    let person = {
        let mut world = sandbox.world();
        let person = world.move_in("elm", "Ada", "Newcome", None, None).unwrap();
        let home = world.household_of(person).unwrap();
        let unit = world.vacant_unit(0).unwrap();
        world.transfer(home, unit).unwrap();
        person
    };
    let id: u32 = sandbox.person_id(person).unwrap().parse().unwrap();
    let tenants = all(&sandbox).await;
    let hers = tenants
        .iter()
        .find(|one| one["Contacts"][0]["ContactID"] == id)
        .unwrap();
    let leases = hers["Leases"].as_array().unwrap();
    assert_eq!(leases.len(), 2);
    assert!(leases[0]["MoveOutDate"].is_string() && leases[1]["MoveOutDate"].is_null());
}
