//! Claims about the sandbox's RealPage, over real sockets.

use std::collections::{BTreeMap, BTreeSet};

use reqwest::RequestBuilder;

use crate::sandbox::soap::element;
use crate::sandbox::testing::{client, send, start};
use crate::sandbox::{Kind, PersonId, Sandbox, Status, Trap};

const AUTH: [(&str, &str); 5] = [
    ("pmcid", "pmc_id"),
    ("username", "username"),
    ("password", "password"),
    ("licensekey", "license_key"),
    ("system", "system"),
];

/// A call that is let in, but for the tags in `wrong`.
pub(in crate::sandbox) fn call(
    sandbox: &Sandbox,
    operation: &str,
    site: &str,
    argument: &str,
    wrong: &[&str],
) -> RequestBuilder {
    let credential = sandbox.credential();
    let mut auth = String::new();
    element(&mut auth, "tem:siteid", site);
    for (tag, name) in AUTH {
        let bad = wrong.contains(&tag);
        let text = if bad { "wrong" } else { &credential[name] };
        element(&mut auth, &format!("tem:{tag}"), text);
    }
    let body = format!(
        "<e:Envelope xmlns:e=\"http://schemas.xmlsoap.org/soap/envelope/\" \
         xmlns:tem=\"http://tempuri.org/\"><e:Header/><e:Body><tem:{operation}>\
         <tem:auth>{auth}</tem:auth>{argument}</tem:{operation}></e:Body></e:Envelope>"
    );
    client()
        .post(sandbox.url())
        .header("content-type", "text/xml; charset=utf-8")
        .header(
            "SOAPAction",
            format!("\"http://tempuri.org/IRPXService/{operation}\""),
        )
        .body(body)
}

type Row = BTreeMap<String, String>;

/// The elements called `tag`, each as its inner elements that hold text.
fn rows(body: &str, tag: &str) -> Vec<Row> {
    let (open, close) = (format!("<{tag}>"), format!("</{tag}>"));
    let inner = body
        .split(&open)
        .skip(1)
        .map(|rest| rest.split(&close).next().unwrap());
    inner
        .map(|row| {
            let mut fields = Row::new();
            for part in row.split('<').filter(|part| !part.starts_with('/')) {
                let Some((name, text)) = part.split_once('>') else {
                    continue;
                };
                fields.insert(name.trim_end_matches('/').to_owned(), text.to_owned());
            }
            fields
        })
        .collect()
}

async fn residents(sandbox: &Sandbox, status: &str) -> Vec<Row> {
    let sites = sandbox.world().properties().len();
    let mut all = Vec::new();
    for site in 0..sites {
        let argument = format!(
            "<tem:getresidentlistinfo><tem:headofhousehold>false</tem:headofhousehold>\
             <tem:status>{status}</tem:status></tem:getresidentlistinfo>"
        );
        let id = sandbox.property_id(site);
        let (code, body) = send(call(sandbox, "getresidentlistinfo", &id, &argument, &[])).await;
        assert_eq!(code, 200, "{body}");
        assert!(body.contains("<residentlist xmlns=\"\">"), "{body}");
        all.extend(rows(&body, "resident"));
    }
    all
}

fn of<'a>(rows: &'a [Row], sandbox: &Sandbox, person: PersonId) -> Vec<&'a Row> {
    let id = sandbox.person_id(person).unwrap();
    let mine = rows.iter().filter(|row| row["residentmemberid"] == id);
    mine.collect()
}

#[tokio::test]
async fn everybody_is_listed_and_no_lease_lists_anybody_twice() {
    let sandbox = start(Kind::RealPage, 60, 1000).await;
    let rows = residents(&sandbox, "ALL").await;
    let ids: BTreeSet<&String> = rows.iter().map(|row| &row["residentmemberid"]).collect();
    let keys: BTreeSet<_> = rows
        .iter()
        .map(|row| (&row["leaseid"], &row["residentmemberid"]))
        .collect();
    let booked = 2 * (sandbox.world().properties().len() - 1);
    // What is booked as if it were people has the same ids in each site.
    assert_eq!(ids.len(), sandbox.world().people().count() + 2);
    assert_eq!(keys.len() + booked, rows.len());
    assert!(rows.iter().all(|row| row["activebit"] == "TRUE"));
}

#[tokio::test]
async fn every_status_word_appears_and_former_people_are_by_far_the_most() {
    let sandbox = start(Kind::RealPage, 60, 1000).await;
    let rows = residents(&sandbox, "ALL").await;
    let mut words: BTreeMap<&str, usize> = BTreeMap::new();
    for row in &rows {
        *words.entry(&row["leasestatus"]).or_default() += 1;
    }
    for word in [
        "Applicant",
        "Applicant - Lease Signed",
        "Future Lease",
        "Current",
        "Former",
        "Former Applicant",
    ] {
        assert!(words.contains_key(word), "{word}: {words:?}");
    }
    assert!(words["Former"] >= 10 * words["Current"], "{words:?}");
    assert!(
        words["Former Applicant"] >= 3 * words["Current"],
        "{words:?}"
    );
}

#[tokio::test]
async fn the_three_statuses_of_a_call_share_out_all_rows() {
    let sandbox = start(Kind::RealPage, 60, 1000).await;
    let all = residents(&sandbox, "ALL").await.len();
    let mut parts = 0;
    for status in ["C", "P", "F"] {
        let rows = residents(&sandbox, status).await;
        assert!(!rows.is_empty(), "{status}");
        parts += rows.len();
    }
    assert_eq!(parts, all);
}

#[tokio::test]
async fn each_wrong_field_of_the_credential_is_a_fault_with_200() {
    let sandbox = start(Kind::RealPage, 24, 0).await;
    for (tag, _) in AUTH {
        let (status, body) = send(call(&sandbox, "getsitelist", "", "", &[tag])).await;
        let text = if tag == "licensekey" {
            "LicenseKey is not authorized to call the method.</faultstring>"
        } else {
            "correct Auth information</faultstring>"
        };
        assert_eq!(status, 200);
        assert!(body.contains(text), "{tag} {body}");
        assert!(body.contains("<RPXApplicationFault"), "{tag} {body}");
    }
    let (status, body) = send(call(&sandbox, "unitlist", "1", "", &[])).await;
    assert_eq!(status, 200);
    assert!(body.contains("correct Auth information"), "{body}");
}

#[tokio::test]
async fn an_operation_outside_the_contract_is_the_fault_of_wcf_with_500() {
    let sandbox = start(Kind::RealPage, 24, 0).await;
    let (status, body) = send(call(&sandbox, "getguestcardlist", "", "", &[])).await;
    assert_eq!(status, 500);
    assert!(body.contains(">a:ActionNotSupported</faultcode>"), "{body}");
    let text = "Action 'http://tempuri.org/IRPXService/getguestcardlist' cannot be processed at the \
                receiver, due to a ContractFilter mismatch";
    assert!(body.contains(text), "{body}");
}

#[tokio::test]
async fn a_renewal_lists_the_same_person_again_with_the_old_day_of_moving_in() {
    let sandbox = start(Kind::RealPage, 60, 0).await;
    let rows = residents(&sandbox, "ALL").await;
    let person = sandbox.world().trapped(Trap::RenewalAhead)[0];
    let mine = of(&rows, &sandbox, person);
    assert_eq!(mine.len(), 2);
    let (now, next) = (mine[0], mine[1]);
    assert_eq!(now["leasestatus"], "Current");
    assert_eq!(next["leasestatus"], "Future Lease");
    assert_eq!(next["leasetype"], "Renewal");
    assert_ne!(now["leaseid"], next["leaseid"]);
    for same in ["residenthouseholdid", "unitid", "moveindate"] {
        assert_eq!(now[same], next[same]);
    }
    assert!(next["moveindate"] < next["begindate"]);
}

#[tokio::test]
async fn who_left_and_who_answers_for_the_rent_stay_on_the_current_lease() {
    let sandbox = start(Kind::RealPage, 60, 0).await;
    let rows = residents(&sandbox, "C").await;
    let today = sandbox.world().today().to_string();
    let gone = sandbox.world().trapped(Trap::DepartedRoommate)[0];
    let row = of(&rows, &sandbox, gone)[0];
    assert_eq!(row["leasestatus"], "Current");
    assert_eq!(row["contactstatus"], "Former resident");
    assert!(!row["moveoutdate"].is_empty() && row["moveoutdate"] <= today);
    let guarantors = rows.iter().filter(|row| row["guarantorbit"] == "TRUE");
    assert!(guarantors.clone().count() > 0);
    assert!(guarantors.clone().all(|row| row["occupantbit"] == "FALSE"));
}

#[tokio::test]
async fn notice_eviction_and_month_to_month_are_current_and_told_by_other_fields() {
    let sandbox = start(Kind::RealPage, 60, 0).await;
    let rows = residents(&sandbox, "C").await;
    let today = sandbox.world().today().to_string();
    let notice = |row: &Row| row["leasetype"] == "Notice given - move out";
    assert!(
        rows.iter()
            .any(|row| notice(row) && row["noticefordate"] >= today)
    );
    assert!(rows.iter().any(|row| row["inevict"] == "Y"));
    let monthly = sandbox.world().trapped(Trap::MonthToMonthOver)[0];
    assert!(of(&rows, &sandbox, monthly)[0]["enddate"] < today);
}

#[tokio::test]
async fn absent_values_are_empty_elements_and_a_placeholder_stands_for_no_address() {
    let sandbox = start(Kind::RealPage, 60, 0).await;
    let rows = residents(&sandbox, "ALL").await;
    let placeholder = sandbox.world().trapped(Trap::PlaceholderEmail)[0];
    assert_eq!(
        of(&rows, &sandbox, placeholder)[0]["email"],
        "none@nowhere.com"
    );
    let none = sandbox.world().trapped(Trap::NoEmail)[0];
    assert_eq!(of(&rows, &sandbox, none)[0]["email"], "");
    assert!(rows.iter().any(|row| row["unitid"].is_empty()));
    let waiting = sandbox.world().trapped(Trap::PseudoUnit)[0];
    assert_eq!(of(&rows, &sandbox, waiting)[0]["unitid"], "");
}

#[tokio::test]
async fn units_are_not_told_apart_by_number_and_some_are_no_homes() {
    let sandbox = start(Kind::RealPage, 60, 0).await;
    let site = sandbox.property_id(0);
    let (_, body) = send(call(&sandbox, "unitlist", &site, "", &[])).await;
    let units = rows(&body, "Unit");
    let first = units
        .iter()
        .filter(|row| row["UnitNumber"] == units[0]["UnitNumber"]);
    assert_eq!(first.count(), 2);
    assert!(units.iter().any(|row| row["UnitNumber"] == "Elevator"));
    assert!(
        units
            .iter()
            .all(|row| row["UnitMadeReadyDate"] == "1900-01-01 00:00:00")
    );
    let ids: BTreeSet<&String> = units.iter().map(|row| &row["UnitID"]).collect();
    assert_eq!(ids.len(), units.len());
}

#[tokio::test]
async fn the_leases_have_dates_in_four_formats_and_leave_out_absent_ones() {
    let sandbox = start(Kind::RealPage, 60, 0).await;
    let mut leases = Vec::new();
    for at in 0..3 {
        let site = sandbox.property_id(at);
        let (_, body) = send(call(&sandbox, "getleaseinfo", &site, "", &[])).await;
        leases.extend(rows(&body, "Lease"));
    }
    let like = |text: &str, pattern: &str| {
        text.len() == pattern.len()
            && text
                .bytes()
                .zip(pattern.bytes())
                .all(|(sign, wanted)| match wanted {
                    b'9' => sign.is_ascii_digit(),
                    _ => sign == wanted,
                })
    };
    assert!(
        leases
            .iter()
            .all(|row| like(&row["LeaseBeginDate"], "99/99/9999"))
    );
    assert!(
        leases
            .iter()
            .all(|row| like(&row["InitialLeaseDate"], "9999-99-99"))
    );
    assert!(
        leases
            .iter()
            .all(|row| like(&row["PaymentDueDate"], "9999-99-99 00:00:00.000"))
    );
    let renewed = leases.iter().filter_map(|row| row.get("LastRenewalDate"));
    assert!(renewed.clone().count() > 0 && renewed.clone().all(|day| day.ends_with(" 12:00AM")));
    assert!(leases.iter().any(|row| row["Evict"] == "Y"));
    assert!(leases.iter().any(|row| !row.contains_key("LeaseEndDate")));
}

#[tokio::test]
async fn the_sites_are_those_of_the_world() {
    let sandbox = start(Kind::RealPage, 24, 0).await;
    let (_, body) = send(call(&sandbox, "getsitelist", "", "", &[])).await;
    let ids: Vec<String> = rows(&body, "Site")
        .iter()
        .map(|row| row["SiteID"].clone())
        .collect();
    let known: Vec<String> = (0..3).map(|at| sandbox.property_id(at)).collect();
    assert_eq!(ids, known);
    assert!(
        body.contains("<SiteName>Elm &amp; Oak</SiteName>"),
        "{body}"
    );
}

#[tokio::test]
async fn an_unknown_word_is_shown_as_it_is() {
    let sandbox = start(Kind::RealPage, 24, 0).await;
    let person = sandbox.world().trapped(Trap::Company)[0];
    let home = sandbox.world().household_of(person).unwrap();
    sandbox
        .world()
        .set_status(home, Status::Other("Limbo"))
        .unwrap();
    let rows = residents(&sandbox, "ALL").await;
    assert_eq!(of(&rows, &sandbox, person)[0]["leasestatus"], "Limbo");
}
