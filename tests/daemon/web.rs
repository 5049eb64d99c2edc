//! The web page by the real binary, asked over its socket as a browser asks: every page with its facts and headers, every form
//! with what it does, and what is refused.

use std::sync::Arc;

use crate::support::{Daemon, Doors, Home, found, pms};
use epms::model::{Alert, AlertKind, AlertState, LeaseStatus, Outcome, PersonId};
use epms::sandbox::{FaultKind, Kind, Sandbox};
use reqwest::Method;
use reqwest::header::{HeaderMap, LOCATION};

/// A browser: it keeps no connection, and goes nowhere by itself.
pub(super) struct Browser {
    http: reqwest::Client,
}

/// What it gets.
#[derive(Debug)]
pub(super) struct Seen {
    pub(super) status: u16,
    pub(super) headers: HeaderMap,
    pub(super) body: String,
}

impl Seen {
    fn header(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .map_or("", |value| value.to_str().unwrap())
    }

    /// That the page has each of these texts.
    #[track_caller]
    pub(super) fn has(&self, texts: &[&str]) {
        for text in texts {
            assert!(self.body.contains(text), "`{text}` is not in {}", self.body);
        }
    }
}

impl Browser {
    pub(super) fn of(daemon: &Daemon) -> Browser {
        let http = reqwest::Client::builder()
            .unix_socket(daemon.client.socket())
            .no_proxy()
            .pool_max_idle_per_host(0)
            .redirect(reqwest::redirect::Policy::none())
            .tls_certs_only([])
            .build()
            .unwrap();
        Browser { http }
    }

    async fn ask(&self, method: Method, path: &str, headers: &[(&str, &str)], body: &str) -> Seen {
        let url = format!("http://localhost:8080{path}");
        let mut request = self.http.request(method, url).body(body.to_owned());
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let answer = request.send().await.unwrap();
        Seen {
            status: answer.status().as_u16(),
            headers: answer.headers().clone(),
            body: answer.text().await.unwrap(),
        }
    }

    pub(super) async fn opens(&self, path: &str) -> Seen {
        let headers = [
            ("accept", "text/html,application/xhtml+xml;q=0.9"),
            ("sec-fetch-site", "none"),
        ];
        self.ask(Method::GET, path, &headers, "").await
    }

    /// Sends a form of a page.
    pub(super) async fn sends(&self, path: &str, form: &[(&str, &str)]) -> Seen {
        let mut body = url::form_urlencoded::Serializer::new(String::new());
        let body = body.extend_pairs(form).finish();
        let headers = [
            ("content-type", "application/x-www-form-urlencoded"),
            ("sec-fetch-site", "same-origin"),
            // What a page that tells no referrer sends.
            ("origin", "null"),
        ];
        self.ask(Method::POST, path, &headers, &body).await
    }

    /// Sends a form, and opens the page that follows.
    pub(super) async fn does(&self, path: &str, form: &[(&str, &str)]) -> (String, Seen) {
        let sent = self.sends(path, form).await;
        assert_eq!(sent.status, 303, "{path}: {sent:?}");
        let to = sent.headers[LOCATION].to_str().unwrap().to_owned();
        let page = self.opens(&to).await;
        assert_eq!(page.status, 200, "{to}: {page:?}");
        page.has(&["class=\"said\""]);
        (to, page)
    }
}

async fn started(residents: usize) -> (Arc<Sandbox>, Home, Daemon, Browser) {
    let pms = pms(Kind::AppFolio, 1, residents).await;
    let home = Home::new();
    home.feed("elm", &pms);
    let daemon = Daemon::start(&home).await;
    daemon.settle().await;
    let browser = Browser::of(&daemon);
    (pms, home, daemon, browser)
}

const POLICY: &str = "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; connect-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'";

fn is_guarded(path: &str, seen: &Seen) {
    assert_eq!(seen.header("content-security-policy"), POLICY, "{path}");
    assert_eq!(seen.header("x-content-type-options"), "nosniff", "{path}");
    assert_eq!(seen.header("referrer-policy"), "no-referrer", "{path}");
}

#[tokio::test(flavor = "multi_thread")]
async fn every_page_is_there_with_its_facts_and_lets_a_browser_load_nothing_from_elsewhere() {
    let (_pms, home, daemon, browser) = started(60).await;
    let person = daemon.people().await.remove(0);
    let alert = daemon.alerts().await.remove(0);
    let name = format!("{} {}", person.first_name, person.last_name);
    let link = daemon.client.person(person.id).await.unwrap().links;
    let (person_page, alert_page) = (
        format!("/people/{}", person.id),
        format!("/alerts/{}", alert.id),
    );
    let erase_page = format!("{person_page}/erase");
    let resident = format!("/integrations/elm/residents/{}", link[0].resident);
    let word = alert.kind.as_str().replace('_', " ");
    let sentence = alert.kind.facts().sentence.get(1..).unwrap();
    for (path, facts) in [
        (
            "/",
            vec![
                "The elm",
                "appfolio",
                "<svg class=\"strip\"",
                "1 run: 1 committed",
                "Sync now",
            ],
        ),
        (
            "/integrations/elm",
            vec![
                "The elm",
                "Latest runs",
                "guard.limit",
                "config/epms.yaml",
                "elm-account",
                "The last seven days",
                "1 run in seven days: 1 committed",
                "People by status now: ",
                "<svg class=\"chart\"",
                "The same in numbers",
            ],
        ),
        ("/people", vec!["<caption", "Everybody, by name", "elm"]),
        (
            &person_page,
            vec![
                &*name,
                "Fields, and where each came from",
                "stay",
                "What happened, newest first",
            ],
        ),
        (
            &resident,
            vec!["Why: resident", "The last run", "Ask the PMS now"],
        ),
        (
            "/alerts",
            vec!["Open alerts by kind and integration", &*word],
        ),
        ("/alerts?each=yes", vec!["Each one, by kind", &*alert_page]),
        (&alert_page, vec!["What to do", sentence, "Comment"]),
        (
            "/runs",
            vec![
                "Latest first",
                ">r1<",
                "committed",
                "1 run in seven days: 1 committed",
                "Runs a day (UTC)",
            ],
        ),
        ("/people/new", vec!["Add a person", "Lives at"]),
        ("/people/import", vec!["Import people", "<textarea"]),
        (
            "/integrations/elm/rename",
            vec!["Who is there", "Give them to"],
        ),
        (&erase_page, vec![&*name, "Nobody can undo it"]),
        (
            "/runs/r1",
            vec!["What became of each resident", "created", "at the start"],
        ),
        (
            "/runs/r1?fate=excluded",
            vec!["aria-current=\"true\">excluded"],
        ),
        ("/targets", vec!["No target."]),
        ("/deliveries", vec!["None"]),
        (
            "/health",
            vec!["ready", "elm-account", env!("CARGO_PKG_VERSION")],
        ),
    ] {
        let page = browser.opens(path).await;
        assert_eq!(page.status, 200, "{path}: {page:?}");
        page.has(&facts);
        is_guarded(path, &page);
        assert_eq!(page.header("cache-control"), "no-store");
        assert!(page.header("content-type").starts_with("text/html"));
        for never in [" style=", "<style", " onclick", "src=\"http", "href=\"http"] {
            assert!(!page.body.contains(never), "{path}: {never}");
        }
        assert_eq!(page.body.matches("<h1").count(), 1, "{path}");
    }
    // What it loads from here is kept for ever, as another content has another name.
    let page = browser.opens("/").await.body;
    let assets = page.split("\"/assets/").skip(1);
    let assets: Vec<&str> = assets.map(|rest| rest.split('"').next().unwrap()).collect();
    assert_eq!(assets.len(), 3);
    for asset in assets {
        let path = format!("/assets/{asset}");
        let file = browser.opens(&path).await;
        assert_eq!(file.status, 200, "{path}");
        assert!(file.header("cache-control").ends_with("immutable"));
        is_guarded(&path, &file);
    }
    assert_eq!(
        browser.opens("/assets/000000000000/style.css").await.status,
        404
    );
    drop(home);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_there_is_a_page_for_a_browser_and_a_problem_for_a_program() {
    let home = Home::new();
    let daemon = Daemon::start(&home).await;
    let browser = Browser::of(&daemon);
    browser.opens("/").await.has(&["No integration yet."]);
    browser.opens("/people").await.has(&["No people yet"]);
    for (path, status, says) in [
        ("/people/p9", 404, "there is no person p9"),
        ("/people/r9", 400, "it looks like `p17`"),
        (
            "/people?status=gone",
            400,
            "`status`: unknown variant `gone`",
        ),
        ("/integrations/oak", 404, "there is no integration `oak`"),
        ("/integrations/%ff", 400, "id"),
        ("/alerts/a9", 404, "there is no alert a9"),
        ("/runs/r9", 404, "there is no run r9"),
        ("/runs?cursor=p3", 400, "it looks like"),
        ("/targets/oak", 404, "there is no target `oak`"),
        ("/nothing", 404, "there is nothing here"),
        ("/sync", 405, "asked in another way"),
    ] {
        let page = browser.opens(path).await;
        assert_eq!(page.status, status, "{path}: {page:?}");
        page.has(&[says, "<h1"]);
        is_guarded(path, &page);
    }
    let problem = daemon.get("/nothing").await.problem();
    assert_eq!(problem.status, 404);
    // Nothing but a form does anything.
    let wrong = daemon.post("/sync").await;
    assert_eq!(wrong.status, 400);
    assert!(
        wrong.body.contains("application/x-www-form-urlencoded"),
        "{wrong:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_form_asks_for_is_done_and_the_page_that_follows_says_so() {
    let (_pms, _home, daemon, browser) = started(60).await;
    // Syncs and pauses.
    let (to, _) = browser.does("/integrations/elm/sync", &[]).await;
    let run = to
        .strip_prefix("/runs/")
        .unwrap()
        .split('?')
        .next()
        .unwrap();
    daemon.settle().await;
    browser
        .opens(&format!("/runs/{run}"))
        .await
        .has(&["unchanged", "asked for"]);
    let (to, _) = browser
        .does("/integrations/elm/sync", &[("from", "all")])
        .await;
    assert!(to.starts_with("/?done=sync&of=r"), "{to}");
    assert_eq!(browser.does("/sync", &[]).await.0, "/?done=syncs");
    daemon.settle().await;
    let pause = [("hours", "4"), ("reason", "the <PMS> moves")];
    let (_, page) = browser.does("/integrations/elm/pause", &pause).await;
    page.has(&["paused", "the &lt;PMS&gt; moves", "Resume"]);
    let (_, page) = browser.does("/integrations/elm/resume", &[]).await;
    page.has(&["It is resumed.", "Pause"]);

    // A person.
    let person = daemon.people().await.remove(3);
    let at = format!("/people/{}", person.id);
    let said = |word: &str| format!("{at}/{word}");
    let form = [
        ("first_name", person.first_name.as_str()),
        ("last_name", "Zzyzx"),
        ("email", person.email.as_deref().unwrap_or_default()),
        ("phone", person.phone.as_deref().unwrap_or_default()),
        ("lock", "on"),
    ];
    let (_, page) = browser.does(&said("set"), &form).await;
    page.has(&["Zzyzx", "locked", "Undo"]);
    let act = page.body.split("action=\"/acts/").nth(1).unwrap();
    let act = act.split('/').next().unwrap();
    let (to, page) = browser.does(&format!("/acts/{act}/undo"), &[]).await;
    assert_eq!(to, format!("{at}?done=undone"));
    page.has(&[person.last_name.as_str()]);
    let now = daemon.client.person(person.id).await.unwrap().person;
    assert_eq!(
        (now.last_name, now.locks),
        (person.last_name.clone(), person.locks.clone())
    );
    let same = [
        form[0],
        ("last_name", person.last_name.as_str()),
        form[2],
        form[3],
    ];
    assert_eq!(
        browser.does(&said("set"), &same).await.0,
        format!("{at}?done=nothing")
    );
    let fields = [("field", "email"), ("field", "phone")];
    browser.does(&said("lock"), &fields).await;
    let locks = daemon.client.person(person.id).await.unwrap().person.locks;
    assert_eq!(locks.len(), 2);
    browser.does(&said("unlock"), &fields).await;
    assert_eq!(browser.sends(&said("lock"), &[]).await.status, 400);
    browser.does(&said("pin"), &[]).await.1.has(&["Unpin"]);
    browser.does(&said("unpin"), &[]).await;
    let link = daemon
        .client
        .person(person.id)
        .await
        .unwrap()
        .links
        .remove(0);
    let tie = [("integration", "elm"), ("resident", link.resident.as_str())];
    browser
        .does(&said("unlink"), &tie)
        .await
        .1
        .has(&["Linked to no resident."]);
    browser
        .does(&said("link"), &tie)
        .await
        .1
        .has(&[link.resident.as_str()]);
    let refused = browser.sends(&said("end"), &[("integration", "elm")]).await;
    assert_eq!(refused.status, 409, "{refused:?}");
    is_guarded("a refusal", &refused);
}

/// A daemon with an alert of one who stands there twice, and some of residents without an email.
pub(crate) async fn somebody_stands_there_twice() -> (Doors, Home, Daemon) {
    let doors = Doors::start().await;
    doors.lives(1, "1A", "current");
    for id in ["7", "8"] {
        let nobody = serde_json::json!({
            "id": id, "first": "Bo", "last": format!("Pen {id}"), "email": "", "unit": "2B", "status": "current",
        });
        doors.known().roll.push(nobody);
    }
    doors.known().roll_is_down = true;
    let home = Home::new();
    doors.files(&home, "");
    home.remove("config/targets/doors.yaml");
    let daemon = Daemon::start(&home).await;
    daemon.settle().await;
    for email in ["work@example.com", "home@example.com"] {
        let person = serde_json::json!({
            "first_name": "Ada", "last_name": "Quill 1", "email": email, "integration": "elm",
        });
        let made = daemon
            .send(Method::POST, "/v1/people", &person.to_string())
            .await;
        assert_eq!(made.status, 200, "{made:?}");
    }
    doors.known().roll_is_down = false;
    daemon.sync("elm").await;
    (doors, home, daemon)
}

#[tokio::test(flavor = "multi_thread")]
async fn an_alert_is_resolved_undone_commented_assigned_and_many_are_dismissed_by_forms() {
    let (_doors, _home, daemon) = somebody_stands_there_twice().await;
    let browser = Browser::of(&daemon);
    let alerts = daemon.alerts().await;
    let of =
        |kind: AlertKind| -> &Alert { alerts.iter().find(|alert| alert.kind == kind).unwrap() };
    let state = async |alert: &Alert| daemon.client.alert(alert.id).await.unwrap().alert.state;

    let alert = of(AlertKind::DuplicateAccounts);
    let at = format!("/alerts/{}", alert.id);
    let into: Vec<PersonId> = alert.sides.iter().filter_map(|side| side.person).collect();
    let page = browser.opens(&at).await;
    for person in &into {
        page.has(&[&format!("Merge into {person}")]);
    }
    page.has(&["Different people", "<tr class=\"differs\">", "differs: "]);
    let into = into[0].to_string();
    let form = [("how", "merge"), ("into", into.as_str())];
    let (_, page) = browser.does(&format!("{at}/resolve"), &form).await;
    page.has(&["The alert is resolved.", "Undo", "merge"]);
    assert_eq!(state(alert).await, AlertState::Resolved);
    browser.does(&format!("{at}/undo"), &[]).await;
    assert_eq!(state(alert).await, AlertState::Open);
    let text = [("text", "called <b>them</b>\r\non Monday")];
    let (_, page) = browser.does(&format!("{at}/comment"), &text).await;
    page.has(&["called &lt;b&gt;them&lt;/b&gt;\non Monday"]);
    browser
        .does(&format!("{at}/assign"), &[("to", "Ada Quill")])
        .await
        .1
        .has(&["Ada Quill"]);
    let (to, _) = browser.does(&format!("{at}/assign"), &[("to", " ")]).await;
    assert!(to.ends_with("done=unassigned"));
    browser.does(&format!("{at}/dismiss"), &[]).await;
    assert_eq!(state(alert).await, AlertState::Dismissed);
    // A way that is none of its kind's.
    let wrong = browser
        .sends(&format!("{at}/resolve"), &[("how", "admit")])
        .await;
    assert_eq!(wrong.status, 409, "{wrong:?}");

    let many = of(AlertKind::MissingEmail);
    let page = browser.opens("/alerts").await.body;
    let seen = page.split("name=\"seen\" value=\"").nth(1).unwrap();
    let seen = seen.split('"').next().unwrap();
    let form = [
        ("kind", "missing_email"),
        ("integration", "elm"),
        ("seen", seen),
    ];
    browser.does("/alerts/dismiss", &form).await;
    assert_eq!(state(many).await, AlertState::Dismissed);
    let none = browser.sends("/alerts/dismiss", &form[..2]).await;
    assert_eq!(none.status, 400, "nobody dismisses what nobody looked at");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mass_move_out_is_looked_at_and_approved_by_exactly_what_was_looked_at() {
    let (pms, _home, daemon, browser) = started(60).await;
    {
        let mut world = pms.world();
        let today = epms::sandbox::today();
        let homes = world.households().iter();
        let homes = homes.filter(|home| home.status.lives_there());
        let who: Vec<_> = homes
            .flat_map(|home| home.members.iter().map(|one| one.id))
            .collect();
        for one in who {
            let _ = world.move_out(one, today);
        }
    }
    let run = daemon.sync("elm").await;
    let Outcome::Held { digest, .. } = &run.outcome else {
        panic!("{run:?}");
    };
    let at = format!("/runs/{}", run.id);
    let page = browser.opens(&at).await;
    page.has(&[
        "This plan waits for approval",
        "closing",
        "Approve exactly this",
        digest,
    ]);
    let held = daemon.client.run(run.id).await.unwrap().held.unwrap();
    let named = held
        .items
        .iter()
        .find(|item| !item.name.is_empty())
        .unwrap();
    page.has(&[&named.name]);
    let approve = format!("{at}/approve");
    for (form, status) in [
        (&[][..], 400),
        (&[("digest", "")][..], 400),
        (&[("digest", "another")][..], 409),
    ] {
        let refused = browser.sends(&approve, form).await;
        assert_eq!(refused.status, status, "{refused:?}");
    }
    let current = |people: &[epms::model::Person]| {
        people
            .iter()
            .filter(|one| one.current_at().count() > 0)
            .count()
    };
    let before = current(&daemon.people().await);
    let (_, page) = browser
        .does(&format!("{at}/reject"), &[("digest", digest.as_str())])
        .await;
    page.has(&["Rejected by", "Approve exactly this"]);
    assert_eq!(current(&daemon.people().await), before);
    let (to, _) = browser.does(&approve, &[("digest", digest.as_str())]).await;
    daemon.settle().await;
    assert!(current(&daemon.people().await) < before / 2);
    let run = to.split('?').next().unwrap();
    browser.opens(run).await.has(&["Approved by", "committed"]);
    let closed = daemon.people().await;
    let closed = closed.iter().find(|one| {
        one.stays
            .values()
            .any(|stay| stay.status == LeaseStatus::Past)
    });
    browser
        .opens(&format!("/people/{}", closed.unwrap().id))
        .await
        .has(&["past", "closed"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_waits_at_a_target_is_approved_by_exactly_what_was_looked_at() {
    let doors = Doors::start().await;
    doors.lives(1, "1A", "current");
    doors.lives(2, "2B", "current");
    let home = Home::new();
    doors.files(&home, "mode: approve\nstart_delay: 0s\n");
    let daemon = Daemon::start(&home).await;
    daemon.settle().await;
    let browser = Browser::of(&daemon);
    let digest = found("what is to be opened waits", async || {
        let page = browser.opens("/targets/doors").await;
        let rest = page.body.split("name=\"digest\" value=\"").nth(1)?;
        page.body
            .contains("they are to have it now")
            .then(|| rest.split('"').next().unwrap().to_owned())
    });
    let digest = digest.await;
    browser.opens("/targets").await.has(&["doors", "waiting"]);
    browser
        .opens("/deliveries?target=doors")
        .await
        .has(&["wanted", "approval"]);
    let refused = browser
        .sends("/targets/doors/approve", &[("digest", "another")])
        .await;
    assert_eq!(refused.status, 409, "{refused:?}");
    assert_eq!(doors.open(), Vec::<String>::new());
    browser
        .does("/targets/doors/approve", &[("digest", &digest)])
        .await;
    found("the doors are open", async || {
        (!doors.open().is_empty()).then_some(())
    })
    .await;
    browser.does("/targets/doors/retry", &[]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_done_that_another_site_asks_for_in_a_browser() {
    let (_pms, _home, daemon, browser) = started(40).await;
    let before = daemon.client.status().await.unwrap().integrations[0].last_started;
    let form = ("content-type", "application/x-www-form-urlencoded");
    for headers in [
        &[form, ("sec-fetch-site", "cross-site")][..],
        &[form, ("sec-fetch-site", "same-site")],
        &[form, ("origin", "http://evil.test")],
        &[form, ("origin", "http://localhost:9090")],
        &[form, ("origin", "null")],
    ] {
        for path in [
            "/sync",
            "/integrations/elm/pause",
            "/v1/sync",
            "/v1/integrations/elm/pause",
            "/v1/reload",
            "/nothing",
        ] {
            let refused = browser.ask(Method::POST, path, headers, "").await;
            assert_eq!(refused.status, 403, "{path} {headers:?}: {refused:?}");
            assert_eq!(refused.header("content-type"), "application/problem+json");
            // A browser shows what it was refused; beneath /v1 are programs.
            let accept = ("accept", "text/html,application/xhtml+xml;q=0.9");
            let headers = [headers, &[accept]].concat();
            let page = browser.ask(Method::POST, path, &headers, "").await;
            assert_eq!(page.status, 403, "{path}: {page:?}");
            if path.starts_with("/v1") {
                assert_eq!(page.header("content-type"), "application/problem+json");
            } else {
                page.has(&["<h1", "another site asks for this in your browser"]);
                is_guarded(path, &page);
            }
        }
    }
    let now = daemon.client.status().await.unwrap();
    assert_eq!(now.integrations[0].last_started, before);
    assert_eq!(now.integrations[0].pause, None);
    // A link leads to a page; what another site embeds or fetches is not given. A program sends none of these.
    let embeds = [
        ("sec-fetch-site", "cross-site"),
        ("sec-fetch-mode", "no-cors"),
    ];
    let refused = browser.ask(Method::GET, "/people", &embeds, "").await;
    assert_eq!(refused.status, 403);
    let cross = [
        ("sec-fetch-site", "cross-site"),
        ("sec-fetch-mode", "navigate"),
    ];
    assert_eq!(
        browser.ask(Method::GET, "/people", &cross, "").await.status,
        200
    );
    assert_eq!(daemon.post("/v1/integrations/elm/pause").await.status, 200);
    let own = [form, ("origin", "http://localhost:8080")];
    assert_eq!(
        browser
            .ask(Method::POST, "/integrations/elm/resume", &own, "")
            .await
            .status,
        303
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn markup_and_length_in_what_others_write_stay_text() {
    let (_pms, _home, daemon, browser) = started(40).await;
    let odd = "\"><img src=x onerror=alert(1)>'\u{202e}";
    let long = format!("<b>{}", "x".repeat(4_000));
    let alert = daemon.alerts().await.remove(0).id;
    for text in [odd, &long] {
        let body = serde_json::json!({ "text": text, "to": text }).to_string();
        let comment = format!("/v1/alerts/{alert}/comment");
        let body_of = |key: &str| {
            let value: serde_json::Value = serde_json::from_str(&body).unwrap();
            serde_json::json!({ key: value[key] }).to_string()
        };
        let told = daemon.send(Method::POST, &comment, &body_of("text")).await;
        assert!([200, 400].contains(&told.status), "{told:?}");
    }
    let assigned = serde_json::json!({ "to": odd }).to_string();
    daemon
        .send(
            Method::POST,
            &format!("/v1/alerts/{alert}/assign"),
            &assigned,
        )
        .await;
    let name =
        serde_json::json!({ "first_name": "<script>x</script>", "last_name": odd }).to_string();
    let set = daemon.send(Method::POST, "/v1/people/p1/set", &name).await;
    assert_eq!(set.status, 200, "{set:?}");
    let reason = serde_json::json!({ "reason": "<script>\"'" }).to_string();
    daemon
        .send(Method::POST, "/v1/integrations/elm/pause", &reason)
        .await;
    let pages = [
        "/",
        "/integrations/elm",
        "/people",
        "/people?q=%3Cscript%3E%22%27",
        "/people?integration=%3Cscript%3E",
        "/people/p1",
        "/alerts?each=yes",
        &format!("/alerts/{alert}"),
        "/runs?integration=%22%3E%3Cscript%3E",
        "/runs/r1?q=%3Cscript%3E",
        "/integrations/elm/residents/%3Cscript%3E%22%2F..",
        "/integrations/%3Cscript%3E",
        "/deliveries?person=%3Cscript%3E",
        "/?q=%22%3E%3Cscript%3E&done=%3Cscript%3E&of=%3Cscript%3E",
    ];
    for path in pages {
        let page = browser.opens(path).await;
        let body = page.body.replace("<script src=\"/assets/", "");
        for never in ["<script", "<img", "<b>x", "\u{202e}"] {
            assert!(!body.contains(never), "{path}: {never}: {body}");
        }
    }
    browser
        .opens("/people/p1")
        .await
        .has(&["&lt;script&gt;x", "\\u{202e}"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_of_many_people_is_sorted_narrowed_and_paged_by_its_address_and_light() {
    let (_pms, _home, daemon, browser) = started(400).await;
    let everybody = daemon.people().await.len();
    let mut seen = Vec::new();
    let mut at = "/people?sort=name".to_owned();
    loop {
        let page = browser.opens(&at).await;
        assert!(page.body.len() < 50_000, "{at}: {}", page.body.len());
        let rows = page
            .body
            .split("data-label=\"Name\"><a href=\"/people/")
            .skip(1);
        seen.extend(rows.map(|row| row.split('"').next().unwrap().to_owned()));
        let Some(next) = page
            .body
            .split("\" rel=\"next\"")
            .next()
            .filter(|before| before.len() < page.body.len())
        else {
            break;
        };
        let next = next.rsplit("href=\"").next().unwrap().replace("&amp;", "&");
        assert!(next.contains("sort=name"), "{next}");
        at = format!("/people{next}");
    }
    let mut once = seen.clone();
    once.sort();
    once.dedup();
    assert_eq!((seen.len(), once.len()), (everybody, everybody));
    let person = &daemon.people().await[7];
    let email = person.email.clone().unwrap();
    let page = browser
        .opens(&format!(
            "/people?in=email&q={}",
            email.split('@').next().unwrap()
        ))
        .await;
    page.has(&[&email, "Who fits"]);
    browser
        .opens("/people?q=nobody-at-all")
        .await
        .has(&["Nobody fits"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_live_page_hears_of_runs_and_commits_and_no_more_are_live_than_there_is_room_for() {
    let (_pms, _home, daemon, browser) = started(40).await;
    let page = browser.opens("/").await.body;
    let since = page.split("data-commits=\"").nth(1).unwrap();
    let since = since.split('"').next().unwrap();
    let live = format!("http://localhost:8080/live?since={since}");
    let mut stream = browser.http.get(&live).send().await.unwrap();
    assert_eq!(stream.headers()["content-type"], "text/event-stream");
    daemon.sync("elm").await;
    let chunk = stream.chunk().await.unwrap().unwrap();
    assert_eq!(&chunk[..], b"event: changed\ndata: {}\n\n");
    // What came before it listened is told at once.
    let mut late = browser.http.get(&live).send().await.unwrap();
    assert!(late.chunk().await.unwrap().is_some());
    let run = format!("{live}&run=r1&run=r99&run=x");
    let mut of_a_run_that_is_over = browser.http.get(&run).send().await.unwrap();
    assert!(of_a_run_that_is_over.chunk().await.unwrap().is_some());

    let mut open = vec![stream, late, of_a_run_that_is_over];
    let refused = loop {
        let answer = browser.http.get(&live).send().await.unwrap();
        if answer.status() != 200 {
            break answer;
        }
        open.push(answer);
        assert!(open.len() <= 16);
    };
    assert_eq!(refused.status(), 503);
    assert_eq!(open.len(), 16, "the rest is for others");
    assert_eq!(browser.opens("/people").await.status, 200);
    open.clear();
    found("a place is free again", async || {
        let answer = browser.http.get(&live).send().await.unwrap();
        (answer.status() == 200).then_some(())
    })
    .await;
    let _open = browser.http.get(&live).send().await.unwrap();
    assert_eq!(
        daemon.stop().await,
        Some(0),
        "a page that listens holds no stop up"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_as_it_should_be_stands_on_the_pages_with_its_reason() {
    let pms = pms(Kind::AppFolio, 1, 40).await;
    let home = Home::new();
    home.feed("elm", &pms);
    home.set("backup: { every: 1h, to: backups }");
    let credential = home.read("config/credentials/elm-account.yaml");
    let limited = format!("{credential}limits: {{ per_day: 2500 }}\nexpires: 2100-01-01\n");
    home.write("config/credentials/elm-account.yaml", limited);
    home.write(
        "config/integrations/oak.yaml",
        "version: 1\nproperty: { nmae: Oak }\n",
    );
    let daemon = Daemon::start(&home).await;
    daemon.settle().await;
    let browser = Browser::of(&daemon);
    let page = browser.opens("/health").await;
    page.has(&[
        "oak",
        "config/integrations/oak.yaml",
        "of 2,500 a day",
        "2100-01-01",
        "backups",
    ]);
    browser.opens("/").await.has(&["oak", "broken"]);
    browser
        .opens("/integrations/oak")
        .await
        .has(&["What lies on disk is not what runs", "nmae"]);
    browser
        .opens("/integrations/elm")
        .await
        .has(&["of 2,500 used"]);

    let resident = daemon
        .client
        .run(daemon.sync("elm").await.id)
        .await
        .unwrap();
    let resident = &resident.decisions[0].subject;
    let asked = browser
        .sends(&format!("/integrations/elm/residents/{resident}"), &[])
        .await;
    assert_eq!(asked.status, 200, "{asked:?}");
    asked.has(&["What the PMS says now", "A run would now", "<pre"]);
    is_guarded("an answer", &asked);

    pms.fault(FaultKind::Empty);
    let run = daemon.sync("elm").await;
    assert_eq!(run.outcome.as_str(), "held", "{run:?}");
    let page = browser.opens(&format!("/runs/{}", run.id)).await;
    page.has(&["This plan waits for approval", "empty feed"]);
    browser.opens("/").await.has(&["held"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_is_added_by_hand_erased_after_their_id_is_typed_and_the_fields_say_so() {
    let (_pms, _home, daemon, browser) = started(40).await;
    let wrong = [("first_name", "Ada"), ("unit", "12B")];
    let refused = browser.sends("/people/new", &wrong).await;
    assert_eq!(refused.status, 400, "{refused:?}");
    refused.has(&["integration", "is missing"]);
    let form = [
        ("first_name", "Ada"),
        ("last_name", "Quill"),
        ("email", "ada@example.com"),
        ("phone", ""),
        ("integration", "elm"),
        ("unit", "12B"),
        ("status", "pending"),
        ("lease_start", "2026-03-01"),
    ];
    let (to, page) = browser.does("/people/new", &form).await;
    page.has(&[
        "They are added.",
        "Ada Quill",
        "ada@example.com",
        "by hand or by an import",
        "Undo",
    ]);
    assert!(!page.body.contains("no change is kept"), "{page:?}");
    let at = to.split('?').next().unwrap();
    let id = at.strip_prefix("/people/").unwrap();
    let made = daemon.person_with("ada@example.com").await.unwrap();
    assert_eq!(made.id.to_string(), id);
    let erase = format!("{at}/erase");
    browser
        .opens(&erase)
        .await
        .has(&["Ada Quill", "<bdi>elm</bdi>: pending", "Type <b>"]);
    for form in [&[][..], &[("confirm", "yes")], &[("confirm", "p1")]] {
        let refused = browser.sends(&erase, form).await;
        assert_eq!(refused.status, 400, "{refused:?}");
        refused.has(&["nothing was done"]);
    }
    assert!(daemon.person_with("ada@example.com").await.is_some());
    let form = [("confirm", id), ("reason", "asked by letter")];
    let erased = browser.sends(&erase, &form).await;
    assert_eq!(erased.status, 200, "{erased:?}");
    erased.has(&["is erased", "Nothing is kept here any more"]);
    is_guarded(&erase, &erased);
    assert_eq!(daemon.person_with("ada@example.com").await, None);
    let page = browser.opens(at).await;
    page.has(&["Erased: nothing is kept"]);
    assert!(!page.body.contains("Quill"), "{page:?}");
    assert!(!browser.opens(&erase).await.body.contains("method=\"post\""));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_of_people_is_looked_at_first_and_made_exactly_as_it_was_looked_at() {
    let (_pms, _home, daemon, browser) = started(40).await;
    let before = daemon.people().await.len();
    let wrong = "first_name,email,unit\r\nAda,ada@example.com,12B\r\n";
    let page = browser.sends("/people/import", &[("csv", wrong)]).await;
    assert_eq!(page.status, 200, "{page:?}");
    page.has(&[
        "Nothing is made, as 1 line is not right",
        "integration",
        "ada@example.com,12B",
    ]);
    assert!(!page.body.contains("name=\"encoded\""));
    let known = daemon.people().await;
    let known = known.iter().find_map(|one| one.email.clone()).unwrap();
    let right = format!(
        "first_name,last_name,email,integration,unit\r\n\"Ada, <b>\",Quill & 100%,ada@example.com,elm,12+B\r\nBo,Pen,bo@example.com,,\r\nCy,Oak,{known},,\r\n"
    );
    let page = browser.sends("/people/import", &[("csv", &right)]).await;
    page.has(&[
        "2 people would be made, 1 are there already",
        "line 4 is",
        "Make 2 people",
    ]);
    assert_eq!(daemon.people().await.len(), before, "it was only looked at");
    let encoded = page.body.split("name=\"encoded\" value=\"").nth(1).unwrap();
    let encoded = encoded.split('"').next().unwrap();
    let made = browser
        .sends("/people/import", &[("encoded", encoded)])
        .await;
    assert_eq!(made.status, 200, "{made:?}");
    made.has(&["2 people were made, 1 were there already"]);
    let ada = daemon.person_with("ada@example.com").await.unwrap();
    assert_eq!(
        (&*ada.first_name, &*ada.last_name),
        ("Ada, <b>", "Quill & 100%")
    );
    let at = format!("/people/{}", ada.id);
    made.has(&[&format!("href=\"{at}\"")]);
    let page = browser.opens(&at).await;
    page.has(&["by hand or by an import", "12+B"]);
    assert!(!page.body.contains("no change is kept"), "{page:?}");
    assert_eq!(daemon.people().await.len(), before + 2);
    let large = format!("first_name\n{}", "Ada\n".repeat(300_000));
    let refused = browser.sends("/people/import", &[("csv", &large)]).await;
    assert_eq!(refused.status, 413, "{}", refused.status);
    refused.has(&["epms people import"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_integration_is_renamed_and_retired_after_its_people_were_shown_and_given_back() {
    let (_pms, home, daemon, browser) = started(40).await;
    let people = daemon.people().await;
    let there = async |name: &str| {
        let people = daemon.people().await;
        let at = epms::model::IntegrationId::new(name);
        let lives =
            |one: &&epms::model::Person| one.stay(&at).is_some_and(|stay| !stay.is_closed());
        people.iter().filter(lives).count()
    };
    let all = there("elm").await;
    let refused = browser.sends("/integrations/elm/retire/preview", &[]).await;
    assert_eq!(refused.status, 409, "{refused:?}");
    refused.has(&["is there and switched on"]);

    let file = |name: &str| format!("config/integrations/{name}.yaml");
    home.edit(&file("elm"), "enabled: true", "enabled: false");
    assert_eq!(daemon.post("/v1/reload").await.status, 200);
    let preview = browser.sends("/integrations/elm/retire/preview", &[]).await;
    assert_eq!(preview.status, 200, "{preview:?}");
    let one = people
        .iter()
        .find(|one| one.stays.values().any(|stay| !stay.is_closed()));
    let one = one.unwrap();
    let name = format!("{} {}", one.first_name, one.last_name);
    preview.has(&[&format!("<b>{all}</b> stays end"), &name, "Type <b>elm</b>"]);
    is_guarded("a preview", &preview);
    assert_eq!(daemon.people().await, people, "it was only looked at");
    let refused = browser
        .sends("/integrations/elm/retire", &[("confirm", "oak")])
        .await;
    assert_eq!(refused.status, 400, "{refused:?}");
    assert_eq!(there("elm").await, all);
    let form = [("confirm", "elm")];
    let (to, page) = browser.does("/integrations/elm/retire", &form).await;
    assert_eq!(to, "/integrations/elm?done=retired");
    page.has(&["It is retired", "Undo the last renaming or retirement"]);
    assert_eq!(there("elm").await, 0);
    browser
        .does("/integrations/elm/undo", &[])
        .await
        .1
        .has(&["is undone"]);
    assert_eq!(daemon.people().await, people);

    let missing = browser
        .sends("/integrations/elm/rename", &[("to", "oak")])
        .await;
    assert_eq!(missing.status, 409, "{missing:?}");
    let none = browser.sends("/integrations/elm/rename", &[]).await;
    assert_eq!(none.status, 400, "{none:?}");
    let gone = browser.sends("/integrations/fir/undo", &[]).await;
    assert!([404, 409].contains(&gone.status), "{gone:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn people_are_given_to_another_integration_by_hand_and_given_back() {
    let (_pms, home, daemon, browser) = started(40).await;
    let before = daemon.people().await;
    let file = |name: &str| format!("config/integrations/{name}.yaml");
    // The file goes first, so that nobody goes along with it by itself.
    let text = home.read(&file("elm"));
    home.remove(&file("elm"));
    assert_eq!(daemon.post("/v1/reload").await.status, 200);
    home.write(&file("oak"), text);
    assert_eq!(daemon.post("/v1/reload").await.status, 200);
    let at = |people: &[epms::model::Person], name: &str| {
        let at = epms::model::IntegrationId::new(name);
        people.iter().filter(|one| one.stay(&at).is_some()).count()
    };
    found("the people have gone along", async || {
        (at(&daemon.people().await, "oak") > 0).then_some(())
    })
    .await;
    browser
        .opens("/integrations/oak")
        .await
        .has(&["Took over", "Undo the last renaming or retirement"]);
    browser.does("/integrations/oak/undo", &[]).await;
    assert_eq!(daemon.people().await, before);
    let page = browser.opens("/integrations/elm/rename").await;
    let name = format!("{} {}", before[0].first_name, before[0].last_name);
    page.has(&["Who is there", "<option value=\"oak\">", name.trim()]);
    let (to, page) = browser
        .does("/integrations/elm/rename", &[("to", "oak")])
        .await;
    assert_eq!(to, "/integrations/oak?done=renamed");
    page.has(&["The people have gone to this integration."]);
    let now = daemon.people().await;
    assert_eq!((at(&now, "elm"), at(&now, "oak")), (0, at(&before, "elm")));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_waits_since_an_upgrade_is_approved_by_exactly_what_was_looked_at() {
    let (_feeds, home) = crate::upgrade::left_by_the_old_build().await;
    let daemon = Daemon::start(&home).await;
    let browser = Browser::of(&daemon);
    browser.does("/integrations/elm/resume", &[]).await;
    let run = daemon.sync("elm").await;
    let page = browser.opens(&format!("/runs/{}", run.id)).await;
    page.has(&[
        "What only the rules of a new version would take",
        "Cora Cedar",
    ]);
    let form = page
        .body
        .split("/integrations/elm/approve-since-upgrade")
        .nth(1);
    let digest = form
        .unwrap()
        .split("name=\"digest\" value=\"")
        .nth(1)
        .unwrap();
    let digest = digest.split('"').next().unwrap();
    let approve = "/integrations/elm/approve-since-upgrade";
    for (form, status) in [(&[][..], 400), (&[("digest", "another")][..], 409)] {
        let refused = browser.sends(approve, form).await;
        assert_eq!(refused.status, status, "{refused:?}");
    }
    assert_eq!(crate::upgrade::closed(&daemon, "elm").await, [""; 0]);
    browser.does(approve, &[("digest", digest)]).await;
    daemon.settle().await;
    let closed = crate::upgrade::closed(&daemon, "elm").await;
    assert_eq!(closed, ["Ada", "Ben", "Cora"]);
}
