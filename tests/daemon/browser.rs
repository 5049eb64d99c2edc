//! The web page in a real browser, over the network listener: what somebody signs in for, from their first press to what is
//! different afterwards, with scripts and without. What each page has in it is in `web.rs`, who gets in is in `net.rs`.

use std::net::TcpListener;
use std::sync::Arc;

use crate::support::browser::Window;
use crate::support::{Daemon, Doors, Home, found, outside, pms, pms_of, shut};
use epms::model::{AlertKind, AlertState, Outcome, Person};
use epms::sandbox::{Kind, Sandbox};
use serde_json::{Value, json};

use super::held::everybody_moves_out;
use super::net::{PASSWORD, SETTINGS, account, url_of};
use super::web::somebody_stands_there_twice;

async fn started(residents: usize) -> (Arc<Sandbox>, Home, Daemon) {
    let pms = pms(Kind::AppFolio, 1, residents).await;
    let home = Home::new();
    home.feed("elm", &pms);
    let daemon = Daemon::start(&home).await;
    daemon.settle().await;
    (pms, home, daemon)
}

/// Puts the page on the network, and signs somebody in who may everything; also gives where the page is.
async fn signed_in(home: &Home, daemon: &Daemon, window: &Window) -> String {
    home.set(SETTINGS);
    account(home, "ada", "configure");
    let url = url_of(daemon, 0).await;
    window.goes(&url).await;
    window.shows("Sign in").await;
    window.writes("name", "ada").await;
    window.writes("password", PASSWORD).await;
    window.presses("Sign in").await;
    window.shows("Signed in as ada").await;
    assert_eq!(window.is_at().await, format!("{url}/"));
    url
}

#[tokio::test(flavor = "multi_thread")]
async fn somebody_signs_in_sees_a_sync_go_on_and_end_on_the_page_and_signs_out() {
    let Some(window) = Window::open(true).await else {
        return;
    };
    let (pms, home, daemon) = started(60).await;
    let url = signed_in(&home, &daemon, &window).await;
    {
        let _gate = shut(&pms);
        window.presses("Sync now").await;
        window.shows("under way").await;
        // It is gone where the page is loaded anew.
        window.runs("window.mark = 1").await;
    }
    let ended = |text: &str| text.contains("The elm") && !text.contains("under way");
    window.waits("the end of the run is shown", ended).await;
    found("it is one run more", async || {
        let strip = "return document.querySelector('svg.strip')?.textContent";
        let told = window.runs(strip).await;
        told.as_str()?.contains("2 runs").then_some(())
    })
    .await;
    assert_eq!(window.runs("return window.mark").await, 1);
    window.presses("Sign out").await;
    window.shows("Password").await;
    window.goes(&format!("{url}/people")).await;
    window.shows("Password").await;
    assert!(window.is_at().await.contains("/sign-in?next="));
}

/// Whether the page's own script has run, which tells moments in the reader's time zone as well.
async fn has_run(window: &Window) -> Value {
    let told = "return document.querySelector('time[data-here]') !== null";
    window.runs(told).await
}

async fn an_alert_is_resolved_and_undone(scripts: bool) {
    let Some(window) = Window::open(scripts).await else {
        return;
    };
    let (_doors, home, daemon) = somebody_stands_there_twice().await;
    let alerts = daemon.alerts().await;
    let mut alerts = alerts.iter();
    let alert = alerts
        .find(|alert| alert.kind == AlertKind::DuplicateAccounts)
        .unwrap();
    let state = async || daemon.client.alert(alert.id).await.unwrap().alert.state;
    let url = signed_in(&home, &daemon, &window).await;
    window.goes(&format!("{url}/alerts")).await;
    window.follows("duplicate accounts").await;
    window.shows("Each one, by kind").await;
    window.follows_to(&format!("/alerts/{}", alert.id)).await;
    window.shows("What to do").await;
    assert_eq!(has_run(&window).await, scripts);
    window.presses("Merge into p").await;
    window.shows("The alert is resolved.").await;
    assert_eq!(state().await, AlertState::Resolved);
    window.presses("Undo").await;
    window.shows("It is as it was before.").await;
    assert_eq!(state().await, AlertState::Open);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_alert_is_resolved_by_its_button_and_undone() {
    an_alert_is_resolved_and_undone(true).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_alert_is_resolved_by_its_button_and_undone_without_scripts() {
    an_alert_is_resolved_and_undone(false).await;
}

async fn a_person_is_found_opened_and_explained(scripts: bool) {
    let Some(window) = Window::open(scripts).await else {
        return;
    };
    let (_pms, home, daemon) = started(60).await;
    let person = daemon.people().await.remove(5);
    let link = daemon.client.person(person.id).await.unwrap().links;
    let url = signed_in(&home, &daemon, &window).await;
    window.goes(&format!("{url}/people")).await;
    let beginning: String = person.first_name.chars().take(3).collect();
    window.writes("q", &beginning.to_lowercase()).await;
    window.chooses("in", "name").await;
    window.presses("Search").await;
    window.shows("Who fits").await;
    assert!(window.is_at().await.contains("in=name"));
    let name = format!("{} {}", person.first_name, person.last_name);
    window.follows(&name).await;
    window.shows("Fields, and where each came from").await;
    assert_eq!(window.is_at().await, format!("{url}/people/{}", person.id));
    assert_eq!(has_run(&window).await, scripts);
    window.follows("why?").await;
    window.shows("Why: resident").await;
    for told in [&name, link[0].resident.as_str(), "The last run", "created"] {
        window.shows(told).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_is_found_by_the_beginning_of_a_name_opened_and_explained() {
    a_person_is_found_opened_and_explained(true).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_is_found_by_the_beginning_of_a_name_opened_and_explained_without_scripts() {
    a_person_is_found_opened_and_explained(false).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mass_move_out_is_looked_at_and_approved() {
    let Some(window) = Window::open(true).await else {
        return;
    };
    let (pms, home, daemon) = started(60).await;
    everybody_moves_out(&pms, 60);
    let run = daemon.sync("elm").await;
    assert!(matches!(run.outcome, Outcome::Held { .. }), "{run:?}");
    let current = |people: &[Person]| {
        let living = people.iter().filter(|one| one.current_at().count() > 0);
        living.count()
    };
    let before = current(&daemon.people().await);
    let held = daemon.client.run(run.id).await.unwrap().held.unwrap();
    let url = signed_in(&home, &daemon, &window).await;
    window.goes(&format!("{url}/runs/{}", run.id)).await;
    window.shows("This plan waits for approval").await;
    let named = held.items.iter().find(|item| !item.name.is_empty());
    window.shows(&named.unwrap().name).await;
    window.presses("Approve exactly this").await;
    window.shows("Approved by").await;
    window.shows("ada (account)").await;
    window.shows("committed").await;
    assert_ne!(window.is_at().await, format!("{url}/runs/{}", run.id));
    let people = daemon.people().await;
    assert!(current(&people) < before / 2, "{before}");
}

/// What was clicked last is gone, and the page that follows shows a text.
async fn goes_on(window: &Window, button: &str, text: &str) {
    window.presses(button).await;
    window.shows(text).await;
}

async fn elm_court_is_set_up_from_nothing_to_people(scripts: bool) {
    let Some(window) = Window::open(scripts).await else {
        return;
    };
    let pms = pms(Kind::Yardi, 1, 40).await;
    let home = Home::new();
    let daemon = Daemon::start(&home).await;
    let url = signed_in(&home, &daemon, &window).await;
    window.shows("No integration yet.").await;
    window.follows("Add an integration").await;
    window.shows("Kind of PMS").await;
    window.ticks("connector", "yardi").await;
    goes_on(&window, "Next", "What you need for it").await;
    for (field, value) in pms.credential() {
        let of = if Sandbox::SECRETS.contains(&field) {
            "secret"
        } else {
            "field"
        };
        window.writes(&format!("{of}.{field}"), &value).await;
    }
    goes_on(&window, "Next", "Properties that the PMS has").await;
    // There is only one, and it is ticked; whoever goes back finds what they wrote.
    window.follows("Back").await;
    window.shows("It was typed already").await;
    goes_on(&window, "Next", "Properties that the PMS has").await;
    goes_on(&window, "Next", "Time zone").await;
    window.empties("timezone").await;
    window.writes("timezone", "America/New_York").await;
    goes_on(&window, "Next", "Leave out").await;
    window.ticks("word", "Applicant").await;
    goes_on(&window, "Next", "Who would come in").await;
    window.shows("config/integrations/").await;
    assert!(daemon.people().await.is_empty());
    goes_on(&window, "Write, and switch on", "It is set up").await;
    assert!(
        window
            .is_at()
            .await
            .starts_with(&format!("{url}/integrations/"))
    );
    let there = found("people are there", async || {
        let people = daemon.people().await;
        (!people.is_empty()).then_some(people)
    })
    .await;
    window.goes(&format!("{url}/people")).await;
    window.shows(&there[0].last_name).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn elm_court_is_set_up_from_nothing_to_people_by_clicking_alone() {
    elm_court_is_set_up_from_nothing_to_people(true).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn elm_court_is_set_up_from_nothing_to_people_by_clicking_alone_without_scripts() {
    elm_court_is_set_up_from_nothing_to_people(false).await;
}

/// Everything that there is a page for: people and alerts, doors with what waits, and a run that is held.
async fn everything() -> (Doors, Arc<Sandbox>, Home, Daemon, Vec<String>) {
    let doors = Doors::start().await;
    doors.lives(1, "1A", "current");
    let pms = pms(Kind::AppFolio, 1, 40).await;
    let home = Home::new();
    doors.files(&home, "mode: approve\nstart_delay: 0s\n");
    home.feed("oak", &pms);
    let daemon = Daemon::start(&home).await;
    daemon.settle().await;
    everybody_moves_out(&pms, 40);
    let run = daemon.sync("oak").await.id;
    found("what is to be opened waits", async || {
        let page = daemon.get("/targets/doors").await;
        page.body
            .contains("Approve exactly what waits")
            .then_some(())
    })
    .await;
    let alert = daemon.alerts().await[0].id;
    let people = daemon.people().await;
    let in_the_pms = people.iter().find(|one| one.stays.len() == 1).unwrap().id;
    let link = daemon.client.person(in_the_pms).await.unwrap().links;
    let (integration, resident) = (&link[0].integration, &link[0].resident);
    let pages = [
        "/".to_owned(),
        "/integrations/oak".to_owned(),
        "/people".to_owned(),
        format!("/people/{in_the_pms}"),
        format!("/integrations/{integration}/residents/{resident}"),
        "/alerts".to_owned(),
        "/alerts?each=yes".to_owned(),
        format!("/alerts/{alert}"),
        "/runs".to_owned(),
        format!("/runs/{run}"),
        "/targets".to_owned(),
        "/targets/doors".to_owned(),
        "/deliveries".to_owned(),
        "/health".to_owned(),
        "/people/p999999".to_owned(),
        format!("/people/{in_the_pms}/erase"),
        "/people/new".to_owned(),
        "/people/import".to_owned(),
        "/integrations/oak/rename".to_owned(),
        "/integrations/new".to_owned(),
        "/integrations/oak/settings".to_owned(),
        "/sign-in".to_owned(),
    ];
    (doors, pms, home, daemon, pages.into())
}

/// What axe has against the page as it stands, in light and dark, narrow and wide.
async fn against(window: &Window, axe: &str, page: &str) -> Vec<String> {
    let look = "const done = arguments[arguments.length - 1];
        const told = (one) => `${one.id}: ${one.nodes.map((node) => node.html).join(' ')}`;
        axe.run(document).then((seen) => done({ passed: seen.passes.length, against: seen.violations.map(told) }),
            (error) => done({ passed: 0, against: [String(error)] }));";
    let mut against = Vec::new();
    window.runs(axe).await;
    for (colours, width) in [
        ("light", 360),
        ("light", 1280),
        ("dark", 360),
        ("dark", 1280),
    ] {
        let wide =
            json!({ "width": width, "height": 900, "deviceScaleFactor": 1, "mobile": false });
        window
            .commands("Emulation.setDeviceMetricsOverride", wide)
            .await;
        let scheme = json!({ "features": [{ "name": "prefers-color-scheme", "value": colours }] });
        window.commands("Emulation.setEmulatedMedia", scheme).await;
        let is = window
            .runs(&format!(
                "return [innerWidth, matchMedia('(prefers-color-scheme: {colours})').matches]"
            ))
            .await;
        assert_eq!(is, json!([width, true]));
        let seen = window.awaits(look).await;
        assert!(seen["passed"].as_u64().unwrap() > 5, "{page}: {seen}");
        for one in seen["against"].as_array().unwrap() {
            against.push(format!("{page}, {colours}, {width}: {one}"));
        }
    }
    against
}

#[tokio::test(flavor = "multi_thread")]
async fn axe_finds_nothing_on_any_page_in_light_and_dark_narrow_and_wide() {
    let Some(axe) = outside::axe() else { return };
    let Some(window) = Window::open(true).await else {
        return;
    };
    let (_doors, _pms, home, daemon, pages) = everything().await;
    let url = signed_in(&home, &daemon, &window).await;
    let mut found = Vec::new();
    for page in pages {
        window.goes(&format!("{url}{page}")).await;
        found.extend(against(&window, &axe, &page).await);
    }
    // What a form is answered by has no address of its own.
    home.edit(
        "config/integrations/oak.yaml",
        "enabled: true",
        "enabled: false",
    );
    daemon.client.reload().await.unwrap();
    window.goes(&format!("{url}/integrations/oak")).await;
    window.presses_summary("Retire").await;
    goes_on(&window, "Look at whom it takes", "to go on").await;
    found.extend(against(&window, &axe, "whom a retirement takes").await);
    window.goes(&format!("{url}/people/import")).await;
    let people = "first_name,last_name,email\nRosa,Quill,rosa@example.com\n";
    window.writes("csv", people).await;
    goes_on(&window, "Look at what it would do", "would be made").await;
    found.extend(against(&window, &axe, "what an import would make").await);
    assert!(found.is_empty(), "{}", found.join("\n"));
    // It does find what is wrong.
    window
        .runs("document.querySelector('main').append(new Image())")
        .await;
    let seen = against(&window, &axe, "a page with a fault").await;
    assert!(seen[0].contains("image-alt"), "{seen:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn axe_finds_nothing_on_the_steps_of_a_set_up() {
    let Some(axe) = outside::axe() else { return };
    let Some(window) = Window::open(true).await else {
        return;
    };
    let pms = pms_of(Kind::AppFolio, &["Elm Court", "Oak", "Ash"], 40).await;
    let home = Home::new();
    home.feed("elm", &pms);
    let daemon = Daemon::start(&home).await;
    daemon.settle().await;
    let url = signed_in(&home, &daemon, &window).await;
    let mut found = Vec::new();
    let at = async |what: &str| against(&window, &axe, what).await;
    window.goes(&format!("{url}/integrations/new")).await;
    window.ticks("connector", "appfolio").await;
    goes_on(&window, "Next", "An account that is here").await;
    found.extend(at("credential").await);
    window.writes("secret.client_secret", "no secret").await;
    window.writes("field.client_id", "nobody").await;
    window.writes("field.developer_id", "nobody").await;
    window.empties("name").await;
    window.writes("name", "elm-account").await;
    window.presses_last("Next").await;
    window.shows("It was typed already").await;
    found.extend(at("credential with trouble").await);
    window.ticks("credential", "elm-account").await;
    goes_on(&window, "Next", "Properties that the PMS has").await;
    found.extend(at("properties").await);
    for property in [1, 2] {
        window.ticks("property", &pms.property_id(property)).await;
    }
    window.ticks("each", "yes").await;
    goes_on(&window, "Next", "becomes").await;
    found.extend(at("details of each").await);
    window.follows("Properties").await;
    window.ticks("each", "no").await;
    goes_on(&window, "Next", "What people call").await;
    window.empties("name").await;
    window.writes("name", "Oak").await;
    found.extend(at("details").await);
    goes_on(&window, "Next", "Leave out").await;
    found.extend(at("statuses").await);
    goes_on(&window, "Next", "Who would come in").await;
    found.extend(at("preview").await);
    goes_on(&window, "Write, and leave it off", "It is set up").await;
    window
        .goes(&format!("{url}/integrations/elm/settings"))
        .await;
    window.writes("every", "").await;
    goes_on(&window, "Next", "has not been asked").await;
    found.extend(at("properties of one that is there").await);
    goes_on(&window, "Ask the PMS", "Properties that the PMS has").await;
    goes_on(&window, "Next", "Leave out").await;
    window.ticks("word", "Past").await;
    goes_on(&window, "Next", "What the next run would do").await;
    found.extend(at("difference of one that is there").await);
    assert!(found.is_empty(), "{}", found.join("\n"));
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_that_stands_in_a_name_runs_or_leads_the_browser_elsewhere() {
    let Some(window) = Window::open(true).await else {
        return;
    };
    let elsewhere = TcpListener::bind("127.0.0.1:0").unwrap();
    let there = elsewhere.local_addr().unwrap();
    let image = format!("\"><img src=\"http://{there}/x\" onerror=\"window.ran=1\">");
    let style = format!("</title><link rel=stylesheet href=//{there}/y>");
    let long = |most| format!("<svg onload=window.ran=1>{}", "x".repeat(most));
    let (long, longer) = (long(350), long(10_000));
    let names = [
        ("<script>window.ran=1</script>", image.as_str()),
        ("' onmouseover='window.ran=1", &style),
        ("javascript:window.ran=1", "{{ 7 * 7 }}{% raw %}"),
        (
            "\u{202e}nur\u{2066}",
            "\u{202d}</script><script>window.ran=1",
        ),
        ("Bo", &long),
        ("Bo", &longer),
    ];
    let doors = Doors::start().await;
    for (id, (first, last)) in names.iter().enumerate() {
        let one = json!({ "id": id.to_string(), "first": first, "last": last, "email": format!("bo{id}@example.com"), "unit": image, "status": "current" });
        doors.known().roll.push(one);
    }
    let home = Home::new();
    doors.files(&home, "");
    home.remove("config/targets/doors.yaml");
    let daemon = Daemon::start(&home).await;
    daemon.settle().await;
    let people = daemon.people().await;
    // The longest is refused, and stands in an alert.
    assert_eq!(people.len(), names.len() - 1, "{}", daemon.log());
    let mut alerts = daemon.alerts().await.into_iter();
    let told = alerts.any(|one| one.kind == AlertKind::RecordsRejected);
    assert!(told, "{:?}", daemon.alerts().await);
    let url = signed_in(&home, &daemon, &window).await;
    let alerts = daemon.alerts().await;
    let pages = [
        "/",
        "/integrations/elm",
        "/people",
        "/people?sort=name",
        "/alerts?each=yes",
        "/runs/r1",
    ];
    let pages = pages.map(str::to_owned).into_iter();
    let pages = pages
        .chain(people.iter().map(|one| format!("/people/{}", one.id)))
        .chain(alerts.iter().map(|one| format!("/alerts/{}", one.id)))
        .chain((0..names.len()).map(|id| format!("/integrations/elm/residents/{id}")));
    for page in pages {
        window.goes(&format!("{url}{page}")).await;
        assert_eq!(
            window.runs("return window.ran").await,
            Value::Null,
            "{page}"
        );
    }
    window.goes(&format!("{url}/people")).await;
    window.shows("<script>window.ran=1</script>").await;
    let asked = window.requests().await;
    assert!(asked.len() > 10, "{asked:?}");
    let others: Vec<_> = asked.iter().filter(|one| !one.starts_with(&url)).collect();
    assert!(others.is_empty(), "{others:?}");
    assert_eq!(window.complaints().await, [""; 0]);
    elsewhere.set_nonblocking(true).unwrap();
    assert!(elsewhere.accept().is_err(), "somebody came");
}
