//! A proxy that wants to know who asks: what it is shown, what it never sees, and what is told where it lets nobody through.

use std::os::unix::fs::PermissionsExt;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use crate::egress::leads_to;
use crate::support::small_pms::{Asked, Pms, compile, ok};
use crate::support::{SmallProxy, encrypted};
use epms::source::{Reader, SourceError};

const PASSWORD: &str = "pr0xy-secret";
const EMPTY: &str = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: close\r\n\r\n[]";

/// A PMS that is asked through a proxy, which is shown this.
async fn behind(proxy: &SmallProxy, login: &str, url: &str) -> Pms {
    let yaml = format!(
        "\nretry: {{ attempts: 3, pause: 0s }}\n{}",
        asking(proxy, login, "")
    );
    let mut pms = Pms::start(&yaml, |_, _: &Asked| ok("[]")).await;
    let secret = pms.home.path().join("proxy");
    std::fs::write(&secret, PASSWORD).unwrap();
    std::fs::set_permissions(secret, PermissionsExt::from_mode(0o600)).unwrap();
    url.clone_into(&mut pms.url);
    pms
}

/// The connector of such a PMS.
fn asking(proxy: &SmallProxy, login: &str, more: &str) -> String {
    let at = format!("\"http://{}\"", proxy.address);
    let at = match login {
        "" => at,
        login => format!("{{ url: {at}, {login} }}"),
    };
    format!(
        "proxy: {at}\nplain_http: true\n{more}headers: {{ X-Key: \"{{{{ credential.secret }}}}\" }}\n\
         requests: {{ residents: {{ url: \"{{{{ credential.url }}}}/people\", format: json }} }}\n"
    )
}

/// For a server alone.
const NOBODY: &str = "requests: { residents: { url: x, format: json } }\n";
const LOGIN: &str = "username: svc, password: { file: proxy }";

fn proof() -> String {
    STANDARD.encode(format!("svc:{PASSWORD}"))
}

#[tokio::test]
async fn a_proxy_is_shown_the_password_and_by_tls_nothing_of_what_is_asked() {
    let (port, authority) = encrypted(EMPTY).await;
    let proxy = SmallProxy::start(port, Some("svc:pr0xy-secret")).await;
    let mut pms = behind(&proxy, LOGIN, "https://pms.test").await;
    std::fs::write(pms.home.path().join("ca.pem"), &authority).unwrap();
    pms.ca_file = Some("ca.pem".into());
    assert!(pms.records().await.is_empty());
    let heads = proxy.heads();
    assert_eq!(heads.len(), 1);
    assert!(
        heads[0].starts_with("CONNECT pms.test:443 HTTP/1.1\r\n"),
        "{heads:?}"
    );
    assert!(heads[0].contains(&proof()), "{heads:?}");
    assert!(
        !heads[0].contains("s3cret") && !heads[0].contains("people"),
        "{heads:?}"
    );
}

#[tokio::test]
async fn a_proxy_is_shown_the_password_by_plain_http_and_loopback_never_sees_it() {
    let pms = Pms::start(NOBODY, |_, _| ok("[]")).await;
    let port = pms.url.rsplit_once(':').unwrap().1.parse().unwrap();
    let proxy = SmallProxy::start(port, Some("svc:pr0xy-secret")).await;
    let asked = behind(&proxy, LOGIN, "http://pms.test").await;
    assert!(asked.records().await.is_empty());
    assert!(proxy.heads()[0].starts_with("GET http://pms.test/people HTTP/1.1\r\n"));
    assert_eq!(
        pms.asked()[0].header("proxy-authorization"),
        format!("Basic {}", proof())
    );
    // Whatever this machine is called.
    let port = pms.url.rsplit_once(':').unwrap().1.to_owned();
    for here in ["127.0.0.1", "localhost", "localhost.", "[::ffff:127.0.0.1]"] {
        let mut asked = behind(&proxy, LOGIN, "http://pms.test").await;
        asked.url = format!("http://{here}:{port}");
        asked.reader = Reader::with_lookup(leads_to(&["127.0.0.1"])).unwrap();
        assert!(asked.records().await.is_empty());
        let last = pms.asked().pop().unwrap();
        assert_eq!(last.to, "/people", "{here}");
        assert_eq!(last.header("proxy-authorization"), "", "{here}");
    }
    assert_eq!(proxy.heads().len(), 1);
}

/// An account at a proxy may be locked as one at a PMS may.
#[tokio::test]
async fn a_proxy_that_lets_nobody_in_is_told_and_not_asked_again() {
    let proxy = SmallProxy::start(9, Some("svc:another")).await;
    for url in ["http://pms.test", "https://pms.test"] {
        for (login, told) in [
            (
                "",
                format!(
                    "the proxy {} asks for a password; write `proxy: {{ url: …, username: …",
                    proxy.address
                ),
            ),
            (
                LOGIN,
                format!(
                    "the proxy {} does not let `svc` in; check `username` and `password`",
                    proxy.address
                ),
            ),
        ] {
            let before = proxy.heads().len();
            let error = behind(&proxy, login, url).await.failure().await;
            assert!(matches!(error, SourceError::NotAllowed(_)), "{error:?}");
            let error = error.to_string();
            assert!(error.contains(&told), "{error}");
            assert!(
                !error.contains(PASSWORD) && !error.contains(&proof()),
                "{error}"
            );
            assert_eq!(proxy.heads().len(), before + 1, "{url} {login}");
        }
    }
}

/// What a proxy repeats of its own password is quoted nowhere.
#[tokio::test]
async fn what_repeats_the_password_of_a_proxy_is_not_quoted() {
    let echo = Pms::start(NOBODY, |_, asked: &Asked| {
        ok(format!(
            "{{\"error\": \"no way for {}\"}}",
            asked.header("proxy-authorization")
        ))
    })
    .await;
    let port = echo.url.rsplit_once(':').unwrap().1.parse().unwrap();
    let proxy = SmallProxy::start(port, None).await;
    let mut pms = behind(&proxy, LOGIN, "http://pms.test").await;
    let rules = "errors: [{ path: error, is: fatal }]\n";
    pms.source = compile(&asking(&proxy, LOGIN, rules)).unwrap();
    let error = pms.failure().await.to_string();
    assert!(error.contains("not quoted"), "{error}");
    assert!(
        !error.contains(&proof()) && !error.contains(PASSWORD),
        "{error}"
    );
}
