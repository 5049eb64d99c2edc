//! Claims about every kind of sandbox at once: what differs from one PMS to the next is in a table.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use reqwest::RequestBuilder;

use super::testing::{ALL, Soap, request, start, world};
use super::{
    Fault, FaultKind, Kind, Sandbox, Settings, Trap, entrata, mri, realpage, rentmanager, resman,
};

/// A request for people of the first property, page `page` where there are pages.
fn people(sandbox: &Sandbox, page: usize) -> RequestBuilder {
    let property = sandbox.property_id(0);
    match sandbox.kind() {
        Kind::AppFolio => request(
            sandbox,
            &format!("/api/v0/tenants?{ALL}&filters[PropertyId]={property}&page[number]={page}"),
        ),
        Kind::Yardi => {
            Soap::new(sandbox, "GetResidents", &[("YardiPropertyId", &property)]).request(sandbox)
        }
        Kind::RealPage => realpage::tests::call(sandbox, "getresidentlistinfo", &property, "", &[]),
        Kind::Entrata => {
            let query = format!("?page_no={page}");
            entrata::tests::leases_of(sandbox, 0, "1,2,3,4,5,6", &query)
                .header("X-Send-Pagination-Links", "1")
        }
        Kind::Mri => {
            let skip = (page - 1) * SIZE + 1;
            mri::tests::details_of(sandbox, 0, &format!("&$skip={skip}"))
        }
        Kind::ResMan => resman::tests::leases_of(sandbox, &property),
        Kind::RentManager => rentmanager::tests::tenants_of(sandbox, &property, page),
    }
}

const SIZE: usize = 5;

/// Status, headers that matter, body.
async fn told(request: RequestBuilder) -> Result<(u16, String, String), reqwest::Error> {
    let answer = request.send().await?;
    let header = |name: &str| {
        let value = answer.headers().get(name);
        value
            .map(|value| value.to_str().unwrap().to_owned())
            .unwrap_or_default()
    };
    let headers = [
        header("retry-after"),
        header("link"),
        header("x-total-count"),
        header("x-total-results"),
    ]
    .join("|");
    Ok((answer.status().as_u16(), headers, answer.text().await?))
}

#[tokio::test]
async fn every_fault_shows_on_the_wire_of_every_kind_that_can_have_it() {
    for kind in Kind::ALL {
        // A long history would take long to drip.
        let settings = Settings {
            page_size: SIZE,
            former: 0,
            ..Settings::default()
        };
        let sandbox = Sandbox::start(kind, world(7, 60), settings).await.unwrap();
        for (name, fault) in FaultKind::NAMED {
            let well = told(people(&sandbox, 2)).await.unwrap();
            assert!(matches!(well.0, 200 | 206), "{well:?}");
            let short = match fault {
                FaultKind::Delay(_) => FaultKind::Delay(Duration::from_millis(60)),
                FaultKind::Drip(_) => FaultKind::Drip(Duration::from_micros(10)),
                other => other,
            };
            sandbox.fault(Fault::new(short).times(1));
            let start = Instant::now();
            // The last page of a hundred is where an endless list shows.
            let page = if fault == FaultKind::EndlessNext {
                100
            } else {
                2
            };
            let ill = told(people(&sandbox, page)).await;
            let what = format!("{name} on {kind}: {ill:?}");
            match (fault, ill) {
                (FaultKind::CutConnection, ill) => assert!(ill.is_err(), "{what}"),
                (FaultKind::Delay(_), ill) => {
                    assert_eq!(ill.unwrap().2.len(), well.2.len());
                    assert!(start.elapsed() >= Duration::from_millis(60), "{what}");
                }
                (FaultKind::Drip(_), ill) => assert_eq!(ill.unwrap().2.len(), well.2.len()),
                (FaultKind::EndlessNext, ill) if fault.shows_on(kind) => {
                    let (_, headers, body) = ill.unwrap();
                    let next = [
                        "page[number]=101",
                        "nextLink",
                        "page_no=101",
                        "PageNumber=101",
                    ];
                    let all = headers + &body;
                    assert!(next.iter().any(|next| all.contains(next)), "{what}");
                }
                (_, ill) if fault.shows_on(kind) => assert_ne!(ill.unwrap(), well, "{what}"),
                (_, ill) => assert_eq!(ill.unwrap(), well, "{what}"),
            }
            sandbox.clear_faults();
        }
    }
}

#[tokio::test]
async fn refusals_have_the_code_each_kind_gives_them() {
    // The codes are in the order of the kinds: AppFolio, Yardi, RealPage, Entrata, MRI, ResMan, Rent Manager.
    let after = FaultKind::TooMany {
        retry_after: Some(9),
    };
    let table = [
        (FaultKind::LoginFailed, [401, 200, 200, 200, 401, 401, 401]),
        (FaultKind::ExpiredToken, [401; 7]),
        (FaultKind::TooMany { retry_after: None }, [429; 7]),
        (after, [429; 7]),
        (FaultKind::ServerError, [500; 7]),
        (FaultKind::Unavailable, [503; 7]),
        (FaultKind::Maintenance, [533, 200, 200, 200, 200, 200, 200]),
        (FaultKind::Html, [200; 7]),
        (FaultKind::Empty, [200, 200, 200, 200, 200, 200, 204]),
        (FaultKind::NoResult, [200; 7]),
    ];
    for (at, kind) in Kind::ALL.into_iter().enumerate() {
        let sandbox = start(kind, 24, 1000).await;
        for (fault, codes) in table {
            sandbox.fault(fault);
            let (code, headers, body) = told(people(&sandbox, 1)).await.unwrap();
            assert_eq!(code, codes[at], "{fault} on {kind}");
            assert_eq!(
                headers.starts_with("9|"),
                fault == after,
                "{fault} on {kind}"
            );
            let html = body.contains("<html>");
            assert!(fault != FaultKind::Html || html, "{fault} on {kind}");
            let name = sandbox.world().people().next().unwrap().1.last.clone();
            assert!(!body.contains(&name), "{fault} on {kind}");
            sandbox.clear_faults();
        }
    }
}

#[tokio::test]
async fn a_token_expires_once_and_the_next_request_is_let_in() {
    for kind in Kind::ALL {
        let sandbox = start(kind, 24, 1000).await;
        sandbox.fault(FaultKind::ExpiredToken);
        assert_eq!(told(people(&sandbox, 1)).await.unwrap().0, 401);
        assert_eq!(told(people(&sandbox, 1)).await.unwrap().0, 200);
    }
}

#[tokio::test]
async fn the_same_seed_gives_the_same_answers_and_the_same_credential() {
    for kind in Kind::ALL {
        let (one, other) = (start(kind, 60, 1000).await, start(kind, 60, 1000).await);
        assert_eq!(*one.world(), *other.world());
        let plain = |sandbox: &Sandbox, text: String| text.replace(&sandbox.url()[7..22], "");
        let first = told(people(&one, 1)).await.unwrap().2;
        let second = told(people(&other, 1)).await.unwrap().2;
        assert_eq!(plain(&one, first), plain(&other, second), "{kind}");
        let secrets = |sandbox: &Sandbox| {
            let mut fields = sandbox.credential();
            fields.remove("url");
            fields
        };
        assert_eq!(secrets(&one), secrets(&other));
    }
}

#[tokio::test]
async fn life_shows_in_the_next_answer() {
    for kind in Kind::ALL {
        let sandbox = start(kind, 24, 1000).await;
        let person = sandbox
            .world()
            .move_in("elm", "Zebulon", "Quirkwood", Some("zq@example.com"), None)
            .unwrap();
        let text = told(people(&sandbox, 1)).await.unwrap().2;
        assert!(
            text.contains("Zebulon") && text.contains("zq@example.com"),
            "{kind}"
        );
        assert!(text.contains(&sandbox.person_id(person).unwrap()), "{kind}");
        sandbox.world().rename(person, "Zebulon", "Newby").unwrap();
        let text = told(people(&sandbox, 1)).await.unwrap().2;
        assert!(
            text.contains("Newby") && !text.contains("Quirkwood"),
            "{kind}"
        );
        sandbox.world().delete(person).unwrap();
        let text = told(people(&sandbox, 1)).await.unwrap().2;
        assert!(!text.contains("Zebulon"), "{kind}");
    }
}

#[tokio::test]
async fn properties_have_an_id_of_the_kind_s_own_shape() {
    for kind in Kind::ALL {
        let sandbox = start(kind, 24, 1000).await;
        let ids: BTreeSet<String> = (0..3).map(|at| sandbox.property_id(at)).collect();
        assert_eq!(ids.len(), 3);
        let number = ids
            .iter()
            .all(|id| id.bytes().all(|sign| sign.is_ascii_digit()));
        assert_eq!(
            number,
            matches!(kind, Kind::RealPage | Kind::Entrata | Kind::RentManager),
            "{ids:?}"
        );
        assert_eq!(sandbox.property_id(3), "");
        told(people(&sandbox, 1)).await.unwrap();
        assert_eq!(
            sandbox.requests()[0].property,
            Some(sandbox.property_id(0)),
            "{kind}"
        );
    }
}

#[tokio::test]
async fn a_fault_for_one_property_leaves_the_others_alone() {
    for kind in Kind::ALL {
        let sandbox = start(kind, 24, 1000).await;
        let other = sandbox.property_id(1);
        sandbox.fault(Fault::new(FaultKind::Unavailable).only(&other));
        assert_eq!(told(people(&sandbox, 1)).await.unwrap().0, 200, "{kind}");
        let own = sandbox.property_id(0);
        sandbox.fault(Fault::new(FaultKind::Unavailable).only(&own));
        assert_eq!(told(people(&sandbox, 1)).await.unwrap().0, 503, "{kind}");
    }
}

#[tokio::test]
async fn a_credential_asks_for_what_the_pms_asks_for() {
    let fields: [(Kind, &[&str]); 5] = [
        (
            Kind::RealPage,
            &[
                "license_key",
                "password",
                "pmc_id",
                "system",
                "url",
                "username",
            ],
        ),
        (Kind::Entrata, &["api_key", "url"]),
        (
            Kind::ResMan,
            &["account_id", "api_key", "partner_id", "url"],
        ),
        (
            Kind::RentManager,
            &["location_id", "password", "url", "username"],
        ),
        (
            Kind::Mri,
            &[
                "client_id",
                "database",
                "partner_key",
                "password",
                "url",
                "web_user",
            ],
        ),
    ];
    for (kind, names) in fields {
        let sandbox = start(kind, 24, 1000).await;
        assert!(sandbox.credential().keys().eq(names), "{kind}");
        assert!(!sandbox.world().trapped(Trap::Guarantor).is_empty());
    }
}
