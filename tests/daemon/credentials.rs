//! What the integrations of one credential share, through the daemon.

use std::path::Path;
use std::sync::{Arc, Mutex};

use crate::small;
use crate::support::small_pms::{Pms, Reply, ok, status};
use crate::support::{Daemon, Home, eventually, told};
use epms::model::AlertKind;
use epms::sandbox::{Kind, Limits, PropertySpec, Sandbox, Settings, World, WorldOptions};
use serde_json::json;

#[tokio::test]
async fn integrations_of_one_credential_keep_its_budget_together() {
    let codes = ["elm", "oak", "ash"];
    let world = World::seeded(WorldOptions {
        seed: 3,
        properties: codes
            .map(|code| PropertySpec {
                code: code.into(),
                name: format!("{code} court"),
            })
            .to_vec(),
        residents: 90,
        today: epms::sandbox::today(),
    });
    let settings = Settings {
        page_size: 4,
        limits: Some(Limits::APPFOLIO),
        ..Settings::default()
    };
    let pms = Sandbox::start(Kind::AppFolio, world, settings)
        .await
        .unwrap();
    let home = Home::new();
    // As it is shipped, with its limits; who is refused once is refused for good.
    let name = "config/connectors/appfolio.yaml";
    home.copy(Path::new(env!("CARGO_MANIFEST_DIR")), name);
    home.write(name, home.read(name) + "\nretry: { attempts: 1 }\n");
    home.set("workers: 3");
    home.credential("acme", &pms);
    for (at, code) in codes.into_iter().enumerate() {
        home.integration(code, "acme", &pms);
        let file = format!("config/integrations/{code}.yaml");
        home.edit(&file, &pms.property_id(0), &pms.property_id(at));
    }
    let daemon = Daemon::start(&home).await;
    daemon.settle().await;
    for code in codes {
        let one = daemon.integration(code).await;
        assert_eq!((one.failures, one.last_error), (0, None), "{code}");
    }
    // More than a second's worth, so that the budget was needed.
    let requests = pms.requests();
    assert!(requests.len() > 24, "{}", requests.len());
}

/// Whoever tries it in the daemon's place may use up the one that the daemon needs.
#[tokio::test]
async fn doctor_leaves_a_refresh_token_to_the_daemon() {
    let connector = "auth: { oauth2: { grant: refresh_token, token_url: \"{{ credential.url }}/token\", client_id: me, client_secret: \"{{ credential.secret }}\", refresh_token: \"{{ credential.secret }}\" } }\nrequests: { residents: { url: \"{{ credential.url }}/\", format: json, id: id } }\n";
    let pms = Pms::start(connector, |_, _| ok("[]")).await;
    let home = small::home(&pms, connector, 1);
    let looked = home.epms(&["doctor"]).await;
    let shown = told(&looked);
    assert!(
        shown.contains("the daemon keeps the one that counts"),
        "{shown}"
    );
    assert!(
        !pms.paths().contains(&"/token".to_owned()),
        "{:?}",
        pms.paths()
    );
}

const OPEN: &str =
    "requests: { residents: { url: \"{{ credential.url }}/\", format: json, id: id } }\n";

async fn credentials(home: &Home) -> serde_json::Value {
    let output = home.epms(&["credentials", "--json"]).await;
    assert_eq!(output.status.code(), Some(0), "{}", told(&output));
    serde_json::from_slice(&output.stdout).unwrap()
}

#[tokio::test]
async fn what_is_used_and_left_of_a_budget_is_told_also_after_a_restart() {
    let connector = format!("limits: {{ per_day: 640, per_month: 1000 }}\n{OPEN}");
    let pms = Pms::start(&connector, |_, _| ok("[{\"id\": \"1\"}]")).await;
    let home = small::home(&pms, &connector, 2);
    let daemon = Daemon::start(&home).await;
    daemon.settle().await;
    daemon.sync("home-0").await;
    let asked = pms.asked().len() as u64;
    assert!(asked >= 3);
    let shown = credentials(&home).await;
    assert_eq!(shown[0]["name"], "acme");
    assert_eq!(
        shown[0]["integrations"],
        serde_json::json!(["home-0", "home-1"])
    );
    let day = &shown[0]["budgets"][0];
    let expected = serde_json::json!({ "per": "day", "limit": 640, "used": asked, "left": 640 - asked, "by_hand": 64 });
    assert_eq!(*day, expected);
    assert_eq!(shown[0]["budgets"][1]["left"], 1000 - asked);
    let plain = told(&home.epms(&["credentials", "show", "acme"]).await);
    assert!(
        plain.contains(&format!("{} of 640 left; {asked} used", 640 - asked)),
        "{plain}"
    );
    let metrics = daemon.get("/metrics").await.body;
    let series = format!(
        "epms_credential_requests_left{{credential=\"acme\",per=\"day\"}} {}",
        640 - asked
    );
    assert!(metrics.contains(&series), "{metrics}");
    daemon.stop().await;
    let offline = home.epms(&["credentials", "--offline", "--json"]).await;
    let offline: serde_json::Value = serde_json::from_slice(&offline.stdout).unwrap();
    assert!(
        offline[0]["budgets"][0]["used"].as_u64().unwrap() >= asked,
        "{offline}"
    );
    let wrong = home
        .epms(&["credentials", "show", "acne", "--offline"])
        .await;
    assert!(
        told(&wrong).contains("did you mean `acme`?"),
        "{}",
        told(&wrong)
    );
}

#[tokio::test]
async fn a_credential_that_expires_is_told_until_its_file_says_a_later_day() {
    let pms = Pms::start(OPEN, |_, _| ok("[{\"id\": \"1\"}]")).await;
    let home = small::home(&pms, OPEN, 2);
    let file = "config/credentials/acme.yaml";
    let today = jiff::Timestamp::now()
        .to_zoned(jiff::tz::TimeZone::UTC)
        .date();
    let day = |ahead: i64| today.checked_add(jiff::Span::new().days(ahead)).unwrap();
    let first = format!("expires: {}\n", day(3));
    home.write(file, home.read(file) + &first);
    let daemon = Daemon::start(&home).await;
    daemon.settle().await;
    let of_kind = async || -> Vec<String> {
        let alerts = daemon.alerts().await.into_iter();
        let alerts = alerts.filter(|alert| alert.kind == AlertKind::CredentialExpires);
        alerts
            .map(|alert| format!("{}: {}", alert.subject, alert.detail))
            .collect()
    };
    let open = of_kind().await;
    assert_eq!(open.len(), 1, "{open:?}");
    let begins = format!("acme: the credential `acme` is taken until {}", day(3));
    assert!(open[0].starts_with(&begins), "{open:?}");
    assert_eq!(credentials(&home).await[0]["expires"], day(3).to_string());
    let metrics = daemon.get("/metrics").await.body;
    let end = day(4)
        .to_zoned(jiff::tz::TimeZone::UTC)
        .unwrap()
        .timestamp();
    let series = format!(
        "epms_credential_expires_timestamp_seconds{{credential=\"acme\"}} {}",
        end.as_second()
    );
    assert!(metrics.contains(&series), "{metrics}");
    home.edit(file, &first, &format!("expires: {}\n", day(15)));
    told(&home.epms(&["reload"]).await);
    eventually("the alert is closed", async || of_kind().await.is_empty()).await;
    home.edit(file, &format!("{}", day(15)), &format!("{}", day(-1)));
    told(&home.epms(&["reload"]).await);
    eventually("the alert is open again", async || {
        let open = of_kind().await;
        open.len() == 1 && open[0].contains("was taken until")
    })
    .await;
}

/// The PMS tells it by a header of its pages, by days left in the answer to the login, and by a date in that to a step.
#[tokio::test]
async fn a_credential_whose_expiry_the_pms_tells_is_told_until_the_pms_tells_a_later_day() {
    let headers = "residents: { url: \"{{ credential.url }}/people\", format: json, id: id, after: [me], expires: { header: X-Key-Expires } }";
    let login = "login: { method: POST, reads: true, url: \"{{ credential.url }}/login\", format: json, expires: { path: password/days_left, form: days } }";
    let step = "me: { url: \"{{ credential.url }}/me\", format: json, expires: { path: key/valid_until, form: \"%m/%d/%Y\" } }";
    let connector = format!(
        "auth: {{ login: {{ request: login, token: token }} }}\nrequests: {{ {headers}, {login}, {step} }}\n"
    );
    let today = jiff::Timestamp::now()
        .to_zoned(jiff::tz::TimeZone::UTC)
        .date();
    let day = move |ahead: i64| today.checked_add(jiff::Span::new().days(ahead)).unwrap();
    // In days from today: the header's, the login's, the step's.
    let ahead = Arc::new(Mutex::new([Some(3), Some(40), Some(50)]));
    let says = Arc::clone(&ahead);
    let pms = Pms::start(&connector, move |_, asked| {
        let [header, login, step] = *says.lock().unwrap();
        match asked.to.split('?').next().unwrap() {
            "/login" => {
                ok(json!({ "token": "t0ken", "password": { "days_left": login } }).to_string())
            }
            "/me" => {
                let day = step.map(|ahead| day(ahead).strftime("%m/%d/%Y").to_string());
                ok(json!({ "key": { "valid_until": day } }).to_string())
            }
            _ => {
                let header =
                    header.map(|ahead| ("x-key-expires", format!("{}T12:00:00Z", day(ahead))));
                Reply(200, Vec::from_iter(header), b"[{\"id\": \"1\"}]".to_vec())
            }
        }
    })
    .await;
    let home = small::home(&pms, &connector, 1);
    let daemon = Daemon::start(&home).await;
    daemon.settle().await;
    let told_alerts = async |daemon: &Daemon| -> Vec<String> {
        let alerts = daemon.alerts().await.into_iter();
        let alerts = alerts.filter(|alert| alert.kind == AlertKind::CredentialExpires);
        alerts.map(|alert| alert.detail).collect()
    };
    let is_told = async |daemon: &Daemon, ahead: i64| {
        let last = day(ahead);
        eventually(&format!("{last} is told"), async || {
            let open = told_alerts(daemon).await;
            open.len() == 1 && open[0].contains(&format!("until {last}, as the answers to it say"))
        })
        .await;
        let known = &credentials(&home).await[0];
        let known = (&known["expires"], &known["expires_by"]);
        assert_eq!(known, (&json!(last.to_string()), &json!("answer")));
    };
    is_told(&daemon, 3).await;
    let open = told_alerts(&daemon).await;
    assert!(
        open[0].ends_with("the next sync hears the new day"),
        "{open:?}"
    );
    let status = told(&home.epms(&["status"]).await);
    assert!(status.contains("the next sync hears"), "{status}");

    // A restart forgets nothing, and asks nobody before its time.
    let alert = daemon.alerts().await.remove(0).id;
    assert_eq!(daemon.stop().await, Some(0));
    let asked = pms.asked().len();
    let daemon = Daemon::start(&home).await;
    is_told(&daemon, 3).await;
    assert_eq!(daemon.alerts().await.remove(0).id, alert);
    assert_eq!(pms.asked().len(), asked);

    // Each place counts, and the earliest day of all.
    for (says, first) in [
        ([Some(60), Some(5), Some(50)], 5),
        ([Some(60), Some(20), Some(-1)], -1),
        ([None, None, Some(9)], 9),
    ] {
        *ahead.lock().unwrap() = says;
        // A login whose answer is heard: the token of the one before is of another secret.
        home.write("secrets/small", format!("next-{first}"));
        daemon.sync("home-0").await;
        is_told(&daemon, first).await;
    }
    *ahead.lock().unwrap() = [None, None, Some(50)];
    daemon.sync("home-0").await;
    eventually("it is over", async || told_alerts(&daemon).await.is_empty()).await;

    // `doctor` hears it too, and a connector that no longer says where it stands is not believed.
    *ahead.lock().unwrap() = [Some(2), None, None];
    let doctor = told(&home.epms(&["doctor", "home-0"]).await);
    let doctor = doctor.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(
        doctor.contains(&format!("it is taken until {}", day(2))),
        "{doctor}"
    );
    daemon.sync("home-0").await;
    is_told(&daemon, 2).await;
    let file = "config/connectors/small.yaml";
    home.edit(file, ", expires: { header: X-Key-Expires }", "");
    told(&home.epms(&["reload"]).await);
    eventually("it is over", async || told_alerts(&daemon).await.is_empty()).await;
}

#[tokio::test]
async fn a_secret_that_was_replaced_is_told_and_never_shown() {
    let pms = Pms::start(OPEN, |_, _| ok("[{\"id\": \"1\"}]")).await;
    let home = small::home(&pms, OPEN, 1);
    let daemon = Daemon::start(&home).await;
    daemon.settle().await;
    let before = credentials(&home).await;
    assert!(before[0]["secrets_read"].is_string(), "{before}");
    assert!(before[0]["secrets_changed"].is_null(), "{before}");
    let status = told(&home.epms(&["status"]).await);
    assert!(!status.contains("replaced"), "{status}");
    home.write("secrets/small", "a-new-one");
    daemon.sync("home-0").await;
    let after = credentials(&home).await;
    assert!(after[0]["secrets_changed"].is_string(), "{after}");
    let status = told(&home.epms(&["status"]).await);
    assert!(
        status.contains("credential acme: its secret was replaced"),
        "{status}"
    );
    let whole = told(&home.epms(&["status", "--json"]).await);
    assert!(
        whole.contains("secrets_changed") && !whole.contains("a-new-one"),
        "{whole}"
    );
}

#[tokio::test]
async fn doctor_asks_each_request_that_is_needed_and_names_the_right_that_is_missing() {
    let connector = "requests:
  residents: { url: \"{{ credential.url }}/people\", format: json, id: id }
  units: { url: \"{{ credential.url }}/units\", format: json, id: id, right: the right to see units }
  properties: { url: \"{{ credential.url }}/properties\", per: once, format: json, id: id, right: the right to see properties }
";
    let pms = Pms::start(connector, |_, asked| match asked.to.as_str() {
        "/people" => ok("[{\"id\": \"1\"}]"),
        _ => status(403),
    })
    .await;
    let home = small::home(&pms, connector, 1);
    home.edit(
        "scripts/small.rhai",
        "unit: record.id",
        "unit: ctx.lookup(\"units\", record.id).id",
    );
    let looked = home.epms(&["doctor", "home-0"]).await;
    let shown = told(&looked).replace('\n', " ");
    assert_eq!(looked.status.code(), Some(1), "{shown}");
    assert!(
        shown.contains("the account needs the right to see units"),
        "{shown}"
    );
    // What no run needs keeps nobody out.
    home.edit(
        "scripts/small.rhai",
        "unit: ctx.lookup(\"units\", record.id).id",
        "unit: record.id",
    );
    let looked = home.epms(&["doctor", "home-0"]).await;
    let shown = told(&looked);
    assert_eq!(looked.status.code(), Some(0), "{shown}");
    assert!(
        shown.contains("the account needs the right to see properties"),
        "{shown}"
    );
    assert!(shown.contains("2 warnings"), "{shown}");
}
