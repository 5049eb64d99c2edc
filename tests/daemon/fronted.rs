//! A proxy before the control socket that says who asks: whose headers count, and whose do not. Only root can be another user:
//! without it, the tests say by name what they did not show.

use super::net::{account, url_of};
use super::tiers::{OBSERVER, Open, STRANGER, USERS, is_root};
use crate::support::{Daemon, Home, pms};
use epms::sandbox::Kind;

/// The user that the proxy runs as.
const PROXY: u32 = 61_010;

fn web(open: &Open, home: &Home, more: &str) {
    open.settings(home, "0666", "\n    observe: { users: [61001] }\n");
    let text = home.read("config/epms.yaml");
    let web = format!(
        "web:\n  hosts: [epms.example.org]\n  proxy:\n    uid: {PROXY}\n    user: X-User\n    groups: X-Groups\n    \
         tiers: {{ observe: [staff], operate: [office], approve: [leads] }}\n{more}"
    );
    home.write("config/epms.yaml", text + &web);
}

fn by(request: &str, user: &str, groups: &str) -> String {
    format!("{request}\tx-user: {user}\tx-groups: {groups}")
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_the_proxy_names_is_themselves_and_nobody_else_can_name_anybody() {
    if !is_root("headers of identity count of the proxy's own user alone") {
        return;
    }
    let (home, open) = (Home::new(), Open::new());
    web(&open, &home, "");
    let daemon = open.daemon(&home).await;
    let status = "GET /v1/status";
    let forged = by(status, "ada", "leads");
    let asked = [
        (200, by(status, "ada", "staff")),
        (403, by(status, "eve", "others")),
        (403, status.to_owned()),
        (403, format!("{status}\tx-groups: leads")),
        (403, format!("{forged}\tx-user: eve")),
        (403, format!("{forged}\tx-groups: staff")),
        (403, format!("{status}\tx_user: ada\tx_groups: leads")),
        (
            403,
            format!("{status}\tremote-user: ada\tx-forwarded-user: ada\tx-forwarded-groups: leads"),
        ),
        (200, format!("{forged}\thost: epms.example.org")),
        (200, format!("{forged}\thost: EPMS.example.org:443")),
        (421, format!("{forged}\thost: evil.example")),
        // Its own site, and another.
        (
            200,
            by("POST /v1/reload", "ada", "office")
                + "\thost: epms.example.org\torigin: https://epms.example.org",
        ),
        (
            403,
            by("POST /v1/reload", "ada", "office")
                + "\thost: epms.example.org\torigin: https://evil.example",
        ),
        (
            403,
            by("POST /v1/reload", "ada", "office") + "\tsec-fetch-site: cross-site",
        ),
        (403, by("POST /v1/reload", "ada", "staff")),
    ];
    let requests: Vec<String> = asked.iter().map(|(_, request)| request.clone()).collect();
    let answers = open.ask(PROXY, USERS, &requests).await;
    for ((wanted, request), (status, _, body)) in asked.iter().zip(&answers) {
        assert_eq!(status, wanted, "{request}: {body}");
    }
    // Others of this machine may what the settings say of them, whatever they write.
    let tries = [forged.clone(), by("POST /v1/reload", "ada", "leads")];
    let statuses = async |uid| {
        let answers = open.ask(uid, USERS, &tries).await;
        answers
            .iter()
            .map(|(status, ..)| *status)
            .collect::<Vec<_>>()
    };
    assert_eq!(statuses(OBSERVER).await, [200, 403]);
    assert_eq!(statuses(STRANGER).await, [403, 403]);
    let log = daemon.log();
    assert!(
        log.contains("reload asked for") && log.contains("account=\"ada\""),
        "{log}"
    );
    assert!(log.contains("the proxy names nobody who may ask"), "{log}");
    let metrics = daemon.get("/metrics").await.body;
    assert!(
        metrics.contains("epms_web_sign_ins_total{by=\"proxy\",outcome=\"failed\"} 7"),
        "{metrics}"
    );
    // The settings change it without a restart.
    let text = home.read("config/epms.yaml").replace("61010", "61011");
    home.write("config/epms.yaml", text);
    assert_eq!(daemon.post("/v1/reload").await.status, 200);
    assert_eq!(open.ask(PROXY, USERS, &[forged]).await[0].0, 403);
}

#[tokio::test(flavor = "multi_thread")]
async fn each_tier_sees_behind_the_proxy_what_it_may_and_acts_under_its_own_name() {
    if !is_root("each tier sees behind the proxy what it may") {
        return;
    }
    let pms = pms(Kind::AppFolio, 1, 40).await;
    let (home, open) = (Home::new(), Open::new());
    home.feed("elm", &pms);
    web(&open, &home, "");
    let daemon = open.daemon(&home).await;
    daemon.settle().await;
    for (reach, group) in ["staff", "office", "leads"].into_iter().enumerate() {
        let pages = ["GET /", "GET /people/p1", "GET /people/p1/erase"];
        let pages = pages.map(|page| by(page, "ada", group));
        let answers = open.ask(PROXY, USERS, &pages).await;
        for (status, kind, body) in &answers {
            assert_eq!((*status, &**kind), (200, "text/html; charset=utf-8"));
            assert!(body.contains("Signed in as <bdi>ada</bdi>"), "{body}");
            assert!(!body.contains("sign-out"), "the proxy signs out: {body}");
            assert!(reach > 0 || !body.contains("method=\"post\""), "{body}");
        }
        assert_eq!(answers[0].2.contains("Sync now"), reach > 0);
        let acts = [(1, "POST /people/p1/pin"), (2, "POST /people/p1/erase")];
        for (needs, act) in acts {
            let (status, _, body) = open
                .ask(PROXY, USERS, &[by(act, "ada", group)])
                .await
                .remove(0);
            assert_eq!(
                status,
                if reach >= needs { 400 } else { 403 },
                "{act} {group}"
            );
            assert!(status == 400 || body.contains("web.proxy.tiers"), "{body}");
        }
    }
    let sync = by("POST /v1/people/p1/pin", "ada", "office");
    assert_eq!(open.ask(PROXY, USERS, &[sync]).await[0].0, 200);
    let changes = daemon.changes().await;
    let by = changes.iter().map(|one| one.actor.to_string());
    assert!(
        by.clone().any(|by| by == "ada (proxy)"),
        "{:?}",
        by.collect::<Vec<_>>()
    );
}

#[tokio::test]
async fn over_the_network_nobody_is_whom_a_header_names() {
    let home = Home::new();
    home.set(&format!(
        "web: {{ listen: 127.0.0.1:0, accounts: secrets/accounts.yaml, proxy: {{ uid: {PROXY}, user: X-User, groups: X-Groups, tiers: {{ approve: [leads] }} }} }}"
    ));
    account(&home, "ada", "observe");
    let daemon = Daemon::start(&home).await;
    let url = url_of(&daemon, 0).await;
    let _ = rustls::crypto::ring::default_provider().install_default();
    let http = reqwest::Client::builder()
        .no_proxy()
        .tls_certs_only([])
        .build()
        .unwrap();
    for headers in [
        vec![("x-user", "ada"), ("x-groups", "leads")],
        vec![("x-forwarded-user", "ada"), ("remote-user", "ada")],
    ] {
        let mut request = http.get(format!("{url}/v1/status"));
        for (name, value) in headers {
            request = request.header(name, value);
        }
        assert_eq!(request.send().await.unwrap().status(), 401);
    }
    assert_eq!(daemon.stop().await, Some(0));
}

#[tokio::test]
async fn a_proxy_needs_no_listener_and_what_is_for_one_is_refused_without() {
    let home = Home::new();
    let proxy = format!(
        "proxy: {{ uid: {PROXY}, user: X-User, groups: X-Groups, tiers: {{ approve: [leads] }} }}"
    );
    home.set(&format!("web: {{ {proxy}, hosts: [epms.example.org] }}"));
    crate::support::said(&home.epms(&["check"]).await, 0);
    let url = crate::support::said(&home.epms(&["web", "url"]).await, 0);
    assert_eq!(url, "https://epms.example.org/\n");
    for (web, told) in [
        (
            "{ hosts: [epms.example.org] }".to_owned(),
            "neither where the page listens nor which proxy",
        ),
        (
            format!("{{ accounts: a, {proxy} }}"),
            "nothing is listened on",
        ),
        (format!("{{ {} }}", proxy.replace("61010", "0")), "is root"),
        (
            format!("{{ {} }}", proxy.replace("X-Groups", "Cookie")),
            "means something else",
        ),
        (
            format!("{{ {} }}", proxy.replace("X-Groups", "X-User")),
            "is the header of `user`",
        ),
    ] {
        home.set(&format!("web: {web}"));
        let checked = home.epms(&["check"]).await;
        let text =
            String::from_utf8_lossy(&checked.stdout) + String::from_utf8_lossy(&checked.stderr);
        assert_eq!(checked.status.code(), Some(2), "{text}");
        assert!(text.contains(told), "{told}: {text}");
    }
}
