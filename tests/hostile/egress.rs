//! Where requests may go, and whom they trust: judged by address when a name is resolved, encrypted, and verified.

use std::net::SocketAddr;
use std::sync::Arc;

use crate::support::encrypted;
use crate::support::small_pms::{Pms, compile, ok};
use epms::outbound::Lookup;
use epms::source::{Reader, SourceError};

const PLAIN: &str =
    "requests:\n  residents: { url: \"{{ credential.url }}/people\", format: json }\n";
const PLAIN_HTTP: &str = "plain_http: true\nrequests:\n  residents: { url: \"{{ credential.url }}/people\", format: json }\n";

/// Every name leads to these addresses.
pub(crate) fn leads_to(addresses: &'static [&'static str]) -> Lookup {
    Arc::new(|_| {
        let found = addresses
            .iter()
            .map(|one| SocketAddr::new(one.parse().unwrap(), 0));
        let found: Vec<SocketAddr> = found.collect();
        Box::pin(async move { Ok(found) })
    })
}

/// A PMS behind a name that leads to these addresses.
async fn named(yaml: &str, addresses: &'static [&'static str]) -> Pms {
    let mut pms = Pms::start(yaml, |_, _| ok("[]")).await;
    pms.url = pms.url.replace("127.0.0.1", "pms.test");
    pms.reader = Reader::with_lookup(leads_to(addresses)).unwrap();
    pms
}

#[tokio::test]
async fn a_name_that_leads_to_metadata_or_to_the_local_link_is_not_followed() {
    for (addresses, told) in [
        (
            &["169.254.169.254"] as &[&str],
            "leads to 169.254.169.254, an address of the local link",
        ),
        // One of several is enough: any of them may be the one that is asked.
        (
            &["127.0.0.1", "fd00:ec2::254"],
            "leads to fd00:ec2::254, the metadata service of a cloud",
        ),
    ] {
        let pms = named(PLAIN_HTTP, addresses).await;
        let error = pms.failure().await;
        assert!(matches!(error, SourceError::NotAllowed(_)), "{error:?}");
        assert!(error.to_string().contains(told), "{error}");
        assert!(pms.paths().is_empty());
    }
    let pms = named(PLAIN_HTTP, &["127.0.0.1"]).await;
    assert!(pms.records().await.is_empty());
    assert_eq!(pms.paths(), ["/people"]);
}

/// What is asked there by plain http may not leave this machine.
#[tokio::test]
async fn a_name_of_this_machine_that_leads_elsewhere_is_not_followed() {
    for name in ["localhost", "localhost."] {
        for (addresses, leads_here) in [
            (&["127.0.0.1"] as &[&str], true),
            (&["10.0.0.5"], false),
            (&["::1", "2001:db8::5"], false),
        ] {
            let mut pms = Pms::start(PLAIN, |_, _| ok("[]")).await;
            pms.url = pms.url.replace("127.0.0.1", name);
            pms.reader = Reader::with_lookup(leads_to(addresses)).unwrap();
            if leads_here {
                assert!(pms.records().await.is_empty(), "{name}");
                continue;
            }
            let error = pms.failure().await;
            assert!(matches!(error, SourceError::NotAllowed(_)), "{error:?}");
            assert!(
                error.to_string().contains("which is not this machine"),
                "{error}"
            );
        }
    }
}

#[tokio::test]
async fn plain_http_goes_to_this_machine_alone_unless_the_connector_says_so() {
    let pms = named(PLAIN, &["127.0.0.1"]).await;
    let error = pms.failure().await;
    assert!(matches!(error, SourceError::NotAllowed(_)), "{error:?}");
    assert!(
        error
            .to_string()
            .contains("over plain http; write https://"),
        "{error}"
    );
    assert!(pms.paths().is_empty());
}

const THROUGH: &str = "proxy: http://HOST\nplain_http: true\nrequests:\n  residents: { url: \"{{ credential.url }}/people\", format: json }\n";

/// B6. What a proxy is asked names the host: it is the one who listens, and so is the PMS.
#[tokio::test]
async fn requests_go_through_the_proxy_and_those_to_loopback_never_do() {
    let mut pms = Pms::start(THROUGH, |_, _| ok("[]")).await;
    assert!(pms.records().await.is_empty());
    let port = pms.url.rsplit_once(':').unwrap().1.to_owned();
    pms.url = format!("http://localhost:{port}");
    assert!(pms.records().await.is_empty());
    pms.url = "http://pms.test".into();
    assert!(pms.records().await.is_empty());
    assert_eq!(
        pms.paths(),
        ["/people", "/people", "http://pms.test/people"]
    );
}

/// B6. It leaves this machine, whether the proxy is on it or not.
#[tokio::test]
async fn plain_http_through_a_proxy_is_refused_as_without_one() {
    let yaml = THROUGH.replace("plain_http: true\n", "");
    let mut pms = Pms::start(&yaml, |_, _| ok("[]")).await;
    pms.url = "http://pms.test".into();
    let error = pms.failure().await;
    assert!(matches!(error, SourceError::NotAllowed(_)), "{error:?}");
    assert!(error.to_string().contains("over plain http"), "{error}");
    assert!(pms.paths().is_empty());
}

/// B6.
#[tokio::test]
async fn a_connector_goes_before_the_daemons_proxy_and_none_is_none() {
    for (own, way) in [("", "http://pms.test/people"), ("proxy: none\n", "/people")] {
        let yaml = THROUGH.replace("proxy: http://HOST\n", own);
        let mut pms = Pms::start(&yaml, |_, _| ok("[]")).await;
        let named: epms::config::Proxy = serde_json::from_value(pms.url.clone().into()).unwrap();
        pms.source = compile(&yaml).unwrap().through(Some(&named));
        pms.reader = Reader::with_lookup(leads_to(&["127.0.0.1"])).unwrap();
        let port = pms.url.rsplit_once(':').unwrap().1.to_owned();
        pms.url = match own {
            "" => "http://pms.test".into(),
            _ => format!("http://pms.test:{port}"),
        };
        assert!(pms.records().await.is_empty());
        assert_eq!(pms.paths(), [way]);
    }
}

/// B6.
#[tokio::test]
async fn a_proxy_that_does_not_answer_is_named() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let proxy = listener.local_addr().unwrap().to_string();
    drop(listener);
    let yaml = THROUGH.replace("HOST", &proxy);
    let mut pms = Pms::start(&yaml, |_, _| ok("[]")).await;
    for url in ["http://pms.test", "https://pms.test"] {
        pms.url = url.into();
        let error = pms.failure().await;
        assert!(matches!(error, SourceError::Unavailable(_)), "{error:?}");
        let told = format!("cannot connect to pms.test through the proxy {proxy}");
        assert!(error.to_string().contains(&told), "{error}");
    }
}

/// `0.0.0.0` stands for all that is forbidden: asked by accident, it is only this machine.
#[tokio::test]
async fn an_address_that_no_name_may_lead_to_is_asked_only_where_it_is_listed_as_it_is() {
    let mut pms = Pms::start(PLAIN_HTTP, |_, _| ok("[]")).await;
    pms.url = pms.url.replace("127.0.0.1", "0.0.0.0");
    let error = pms.failure().await;
    assert!(
        error
            .to_string()
            .contains("0.0.0.0 is no address of a server"),
        "{error}"
    );
    assert!(pms.paths().is_empty());

    let port = pms.url.rsplit_once(':').unwrap().1;
    let listed = format!("hosts: [\"0.0.0.0:{port}\"]\n{PLAIN_HTTP}");
    pms.source = compile(&format!("\n{listed}")).unwrap();
    assert!(pms.records().await.is_empty());
}

const EMPTY: &str = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: close\r\n\r\n[]";

#[tokio::test]
async fn a_server_that_the_system_does_not_trust_needs_the_ca_file_of_the_credential() {
    let (port, authority) = encrypted(EMPTY).await;
    let mut pms = Pms::start(PLAIN, |_, _| ok("[]")).await;
    pms.url = format!("https://localhost:{port}");
    let error = pms.failure().await;
    assert!(matches!(error, SourceError::Unavailable(_)), "{error:?}");
    let told = error.to_string();
    assert!(
        told.contains("the certificate of localhost:")
            && told.contains("as `ca_file` in the credential"),
        "{told}"
    );

    std::fs::write(pms.home.path().join("ca.pem"), &authority).unwrap();
    pms.ca_file = Some("ca.pem".into());
    assert!(pms.records().await.is_empty());

    // Another authority's certificate helps nobody.
    let (_, other) = encrypted(EMPTY).await;
    std::fs::write(pms.home.path().join("ca.pem"), other).unwrap();
    assert!(pms.failure().await.to_string().contains("is not trusted"));
}
