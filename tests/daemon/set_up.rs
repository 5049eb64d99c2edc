//! The set-up of an integration on the web page by the real binary, form by form as a browser sends them: what is written, what
//! is asked first, what is refused, and what is never told.

use std::os::unix::fs::MetadataExt;
use std::sync::Arc;

use crate::support::{Daemon, Home, eventually, pms, pms_of, told};
use epms::sandbox::{Kind, Sandbox};
use nix::unistd::geteuid;
use reqwest::header::LOCATION;

use super::web::{Browser, Seen};

/// Lets whoever runs the tests set integrations up.
pub(super) fn may_configure(home: &Home) {
    home.set(&format!(
        "socket: {{ mode: \"0660\", tiers: {{ configure: {{ users: [{}] }} }} }}",
        geteuid()
    ));
}

async fn started(kind: Kind, properties: &[&str]) -> (Arc<Sandbox>, Home, Daemon, Browser) {
    with(kind, properties, |_, _| ()).await
}

/// The same of a home in which something is already.
async fn with(
    kind: Kind,
    properties: &[&str],
    there: impl Fn(&Home, &Sandbox),
) -> (Arc<Sandbox>, Home, Daemon, Browser) {
    let pms = pms_of(kind, properties, 120).await;
    let home = Home::new();
    may_configure(&home);
    there(&home, &pms);
    let daemon = Daemon::start(&home).await;
    daemon.settle().await;
    let browser = Browser::of(&daemon);
    (pms, home, daemon, browser)
}

/// A set-up under way: where it is, and everything that was answered.
struct Way<'b> {
    browser: &'b Browser,
    base: String,
    draft: String,
    /// Every page and every address so far.
    all: String,
}

impl<'b> Way<'b> {
    fn new(browser: &'b Browser, base: &str) -> Way<'b> {
        Way {
            browser,
            base: base.to_owned(),
            draft: String::new(),
            all: String::new(),
        }
    }

    /// Answers a step; gives the step that it leads to, and its page.
    async fn answers(&mut self, step: &str, form: &[(&str, &str)]) -> (String, Seen) {
        let mut all = vec![("step", step)];
        let draft = self.draft.clone();
        if !draft.is_empty() {
            all.push(("draft", &draft));
        }
        all.extend(form);
        let sent = self.browser.sends(&self.base, &all).await;
        assert_eq!(sent.status, 303, "{step}: {sent:?}");
        let to = sent.headers[LOCATION].to_str().unwrap().to_owned();
        if let Some((_, query)) = to.split_once("?draft=") {
            query.split('&').next().unwrap().clone_into(&mut self.draft);
        }
        let page = self.browser.opens(&to).await;
        assert_eq!(page.status, 200, "{to}: {page:?}");
        self.all += &format!("{to}\n{}\n", page.body);
        let step = to.split_once("step=").map_or(to.as_str(), |(_, step)| step);
        (step.to_owned(), page)
    }

    async fn opens(&mut self, step: &str) -> Seen {
        let path = format!("{}?draft={}&step={step}", self.base, self.draft);
        let page = self.browser.opens(&path).await;
        self.all += &page.body;
        page
    }
}

/// The fields of an account as its form has them.
fn account(pms: &Sandbox) -> Vec<(String, String)> {
    let each = pms.credential().into_iter().map(|(field, value)| {
        let of = if Sandbox::SECRETS.contains(&field) {
            "secret"
        } else {
            "field"
        };
        (format!("{of}.{field}"), value)
    });
    each.collect()
}

fn pairs(of: &[(String, String)]) -> Vec<(&str, &str)> {
    of.iter().map(|(name, value)| (&**name, &**value)).collect()
}

fn digest(page: &Seen) -> String {
    let rest = page.body.split("name=\"digest\" value=\"").nth(1);
    let rest = rest.unwrap_or_else(|| panic!("there is nothing to write: {}", page.body));
    rest.split('"').next().unwrap().to_owned()
}

/// Of what the sandbox asks for as a secret, each text.
fn secrets(pms: &Sandbox) -> Vec<String> {
    let all = pms.credential().into_iter();
    all.filter(|(field, _)| Sandbox::SECRETS.contains(field))
        .map(|(_, value)| value)
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_integration_is_set_up_from_nothing_and_its_files_are_those_of_the_command() {
    let (pms, home, daemon, browser) = started(Kind::Yardi, &["Elm Court", "Oak"]).await;
    browser
        .opens("/")
        .await
        .has(&["No integration yet.", "href=\"/integrations/new\""]);
    let first = browser.opens("/integrations/new").await;
    first.has(&["value=\"yardi\"", "Yardi Voyager 7", "Kind of PMS"]);
    assert!(!first.body.contains("value=\"webhook\""), "delivers only");
    let mut way = Way::new(&browser, "/integrations/new");
    let (step, page) = way.answers("pms", &[("connector", "yardi")]).await;
    assert_eq!(step, "credential");
    page.has(&[
        "What you need for it",
        "name of our interface entity",
        "type=\"password\"",
    ]);
    let mut form = account(&pms);
    form.push(("name".into(), "acme".into()));
    let (step, page) = way.answers("credential", &pairs(&form)).await;
    assert_eq!(step, "properties", "{page:?}");
    let (property, other) = (pms.property_id(0), pms.property_id(1));
    page.has(&[&format!("value=\"{property}\""), &other]);
    let (step, page) = way
        .answers("properties", &[("property", &property), ("each", "no")])
        .await;
    assert_eq!(step, "details");
    page.has(&["Time zone", "value=\"US\""]);
    let details = [
        ("name", "Elm Court"),
        ("timezone", "America/New_York"),
        ("country", "us"),
    ];
    let (step, page) = way.answers("details", &details).await;
    assert_eq!(step, "statuses", "{page:?}");
    page.has(&["Canceled", "Who that is", "Leave out"]);
    let words = [("shown", "yes"), ("word", "Canceled"), ("word", "Denied")];
    let (step, page) = way.answers("statuses", &words).await;
    assert_eq!(step, "preview");
    page.has(&[
        "Who would come in",
        "come in",
        "config/credentials/acme.yaml",
        "config/integrations/elm-court.yaml",
        "secrets/acme-password",
        "Write, and switch on",
    ]);
    // Whoever goes back to the account and on again finds everything as they left it.
    let mut again = account(&pms);
    again.retain(|(name, _)| name.starts_with("field."));
    again.push(("name".into(), "acme".into()));
    let (step, _) = way.answers("credential", &pairs(&again)).await;
    assert_eq!(step, "properties");
    let page = way.opens("statuses").await;
    page.has(&["value=\"Canceled\" checked", "value=\"Denied\" checked"]);
    let page = way.opens("preview").await;
    page.has(&[
        "Write, and switch on",
        "exclude_statuses: [Canceled, Denied]",
    ]);
    // Until then nothing is there.
    for folder in ["config/credentials", "config/integrations", "secrets"] {
        let entries = std::fs::read_dir(home.path(folder)).unwrap();
        assert_eq!(entries.count(), 0, "{folder}");
    }
    assert_eq!(daemon.people().await.len(), 0);
    let digest = digest(&page);
    let (to, page) = way
        .answers("preview", &[("do", "write-on"), ("digest", &digest)])
        .await;
    assert_eq!(to, "/integrations/elm-court?done=set-up");
    page.has(&["It is set up", "Generation"]);
    eventually("people come in", async || !daemon.people().await.is_empty()).await;

    let by_command = Home::new();
    let mut words: Vec<String> = [
        "add",
        "integration",
        "--connector",
        "yardi",
        "--credential",
        "acme",
        "--name",
        "Elm Court",
        "--timezone",
        "America/New_York",
        "--exclude-status",
        "Canceled",
        "--exclude-status",
        "Denied",
        "--yes",
        "--pms-property",
    ]
    .map(String::from)
    .into();
    words.push(property);
    // What is as the connector has it anyway is left to it, where nobody insists by a flag.
    let insists = |field: &str| field != "platform";
    for (field, value) in pms
        .credential()
        .into_iter()
        .filter(|(field, _)| insists(field))
    {
        if Sandbox::SECRETS.contains(&field) {
            words.extend([
                "--secret".into(),
                format!("{field}=file:secrets/acme-{field}"),
            ]);
        } else {
            words.extend(["--field".into(), format!("{field}={value}")]);
        }
    }
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let added = by_command.epms(&words).await;
    assert!(added.status.success(), "{}", told(&added));
    for name in [
        "config/credentials/acme.yaml",
        "config/integrations/elm-court.yaml",
    ] {
        assert_eq!(home.read(name), by_command.read(name), "{name}");
    }
    for (field, value) in pms.credential() {
        if Sandbox::SECRETS.contains(&field) {
            let name = format!("secrets/acme-{field}");
            assert_eq!(home.read(&name).trim_end(), value);
            let mode = home.path(&name).metadata().unwrap().mode();
            assert_eq!(mode & 0o777, 0o600);
        }
    }
    let log = daemon.log();
    for secret in secrets(&pms) {
        assert!(!way.all.contains(&secret), "a page tells {secret}");
        assert!(!log.contains(&secret), "the log tells {secret}");
    }
    assert!(log.contains("files were written on the page"), "{log}");
    // Its draft is over.
    let over = way.opens("preview").await;
    assert_eq!(over.status, 410);
    over.has(&["this set-up has ended"]);
    assert_eq!(daemon.stop().await, Some(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_step_back_keeps_what_was_chosen_and_a_wrong_answer_is_told_beside_what_was_written() {
    let (pms, home, daemon, browser) = started(Kind::Yardi, &["Elm Court"]).await;
    let mut way = Way::new(&browser, "/integrations/new");
    way.answers("pms", &[("connector", "yardi")]).await;
    let mut form = account(&pms);
    form.push(("name".into(), "Acme Yardi".into()));
    for (name, value) in &mut form {
        if name == "secret.password" {
            "wrong-hunter2".clone_into(value);
        }
    }
    let (step, page) = way.answers("credential", &pairs(&form)).await;
    assert_eq!(step, "credential");
    page.has(&["cannot be a file&#39;s name", "value=\"Acme Yardi\""]);
    page.has(&["leave this empty to keep it", &pms.url()]);
    // What was typed as a secret is kept where it is left empty.
    form.retain(|(name, _)| !name.starts_with("secret.") && name != "name");
    form.push(("name".into(), "acme".into()));
    let (step, page) = way.answers("credential", &pairs(&form)).await;
    assert_eq!(step, "credential", "the PMS refuses it");
    page.has(&["role=\"alert\"", "Go on without the PMS"]);
    assert!(!page.body.contains("wrong-hunter2"));
    let right = pms.credential()["password"].clone();
    form.push(("secret.password".into(), right));
    let (step, page) = way.answers("credential", &pairs(&form)).await;
    assert_eq!(step, "properties", "{page:?}");
    let property = pms.property_id(0);
    let (step, page) = way.answers("properties", &[]).await;
    assert_eq!(step, "properties");
    page.has(&["choose at least one property"]);
    way.answers("properties", &[("property", &property)]).await;
    let details = [
        ("name", "Elm"),
        ("timezone", "America/New_Yrk"),
        ("country", "US"),
    ];
    let (step, page) = way.answers("details", &details).await;
    assert_eq!(step, "details");
    page.has(&["time zone:", "value=\"America/New_Yrk\"", "value=\"Elm\""]);
    let page = way.opens("properties").await;
    page.has(&[&format!("value=\"{property}\" checked")]);
    let page = way.opens("credential").await;
    page.has(&["value=\"acme\"", "It was typed already"]);
    let page = way.opens("pms").await;
    page.has(&["value=\"yardi\" required checked"]);
    for secret in secrets(&pms).iter().chain([&"wrong-hunter2".to_owned()]) {
        assert!(!way.all.contains(secret.as_str()) && !daemon.log().contains(secret.as_str()));
    }
    let (to, _) = way.answers("pms", &[("do", "drop")]).await;
    assert_eq!(to, "/");
    assert_eq!(way.opens("pms").await.status, 410);
    let entries = std::fs::read_dir(home.path("secrets")).unwrap();
    assert_eq!(entries.count(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn each_property_of_an_account_becomes_an_integration_and_what_feeds_another_is_marked() {
    let there = |home: &Home, pms: &Sandbox| home.feed("elm", pms);
    let names = ["Elm Court", "Oak", "Oak"];
    let (pms, home, _daemon, browser) = with(Kind::AppFolio, &names, there).await;
    let mut way = Way::new(&browser, "/integrations/new");
    way.answers("pms", &[("connector", "appfolio")]).await;
    let (step, page) = way
        .answers("credential", &[("credential", "elm-account")])
        .await;
    assert_eq!(step, "properties", "{page:?}");
    let feeds = format!("value=\"{}\" disabled", pms.property_id(0));
    page.has(&[&feeds, "href=\"/integrations/elm\""]);
    let taken = pms.property_id(0);
    let (step, page) = way.answers("properties", &[("property", &taken)]).await;
    assert_eq!(step, "properties");
    page.has(&["feeds the integration `elm` already"]);
    let (one, two) = (pms.property_id(1), pms.property_id(2));
    let both = [("property", &*one), ("property", &*two), ("each", "yes")];
    let (step, page) = way.answers("properties", &both).await;
    assert_eq!(step, "details");
    page.has(&["Each of the 2 properties"]);
    let zone = [("timezone", "America/New_York"), ("country", "US")];
    way.answers("details", &zone).await;
    let (step, page) = way.answers("statuses", &[("shown", "yes")]).await;
    assert_eq!(step, "preview");
    assert_eq!(page.body.matches("Who would come in:").count(), 2);
    let digest = digest(&page);
    let off = [("do", "write-off"), ("digest", &*digest)];
    let (to, _) = way.answers("preview", &off).await;
    assert_eq!(to, "/?done=set-ups");
    let names: Vec<String> = std::fs::read_dir(home.path("config/integrations"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    assert_eq!(names.len(), 3, "{names:?}");
    for name in names.iter().filter(|name| *name != "elm.yaml") {
        let text = home.read(&format!("config/integrations/{name}"));
        assert!(text.contains("\nenabled: false\n"), "{text}");
        assert!(text.contains("credential: elm-account"), "{text}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn settings_are_changed_in_the_file_as_it_stands_and_never_over_somebody_elses_change() {
    let file = "config/integrations/elm.yaml";
    let there = |home: &Home, pms: &Sandbox| {
        home.feed("elm", pms);
        let to = "# for now\nenabled: true # Ana\n";
        home.edit(file, "enabled: true\n", to);
    };
    let (pms, home, daemon, browser) = with(Kind::AppFolio, &["Elm Court", "Oak"], there).await;
    let page = browser.opens("/integrations/elm").await;
    page.has(&["href=\"/integrations/elm/settings\""]);
    let base = "/integrations/elm/settings";
    let page = browser.opens(base).await;
    assert_eq!(page.status, 200);
    page.has(&[
        "value=\"The elm\"",
        "value=\"America/New_York\"",
        "value=\"10\"",
    ]);
    let mut way = Way::new(&browser, base);
    let form = [
        ("name", "Oak: \"North\""),
        ("timezone", "America/New_York"),
        ("country", "US"),
        ("every", "30m"),
        ("limit", "7"),
        ("percent", "10"),
        ("window", "1d"),
        ("newcomers", "400"),
        ("enabled", "yes"),
    ];
    let mut wrong = form;
    wrong[3].1 = "2h";
    let (step, page) = way.answers("details", &wrong).await;
    assert_eq!(step, "details");
    page.has(&["role=\"alert\"", "value=\"2h\""]);
    let look = [&form[..], &[("do", "look")]].concat();
    let (step, page) = way.answers("details", &look).await;
    assert_eq!(step, "preview", "{page:?}");
    page.has(&["Oak: \\&quot;North\\&quot;", "every: 30m", "limit: 7"]);
    let (step, page) = way.answers("details", &form).await;
    assert_eq!(step, "properties", "{page:?}");
    let (step, page) = way.answers("properties", &[("do", "ask")]).await;
    assert_eq!(step, "properties");
    let other = pms.property_id(1);
    page.has(&[&format!("value=\"{other}\""), "checked"]);
    let mine = pms.property_id(0);
    let both = [("property", &*mine), ("property", &*other)];
    let (step, _) = way.answers("properties", &both).await;
    assert_eq!(step, "statuses");
    let words = [("shown", "yes"), ("word", "Evict")];
    let (step, page) = way.answers("statuses", &words).await;
    assert_eq!(step, "preview");
    page.has(&["What the next run would do", "<ins>", "<del>"]);
    let looked = digest(&page);
    // Somebody saves it in an editor meanwhile.
    home.edit(file, "# for now", "# for now, as Bo says");
    let (step, page) = way
        .answers("preview", &[("do", "write"), ("digest", &looked)])
        .await;
    assert_eq!(step, "preview");
    page.has(&["the files are not as they were when you looked"]);
    assert!(!home.read(file).contains("Oak"));
    let before = daemon.generation("elm").await;
    let looked = digest(&page);
    let (to, page) = way
        .answers("preview", &[("do", "write"), ("digest", &looked)])
        .await;
    assert_eq!(to, "/integrations/elm?done=settings");
    page.has(&[
        "Its file is written",
        "Generation",
        "Oak: &quot;North&quot;",
    ]);
    assert!(daemon.generation("elm").await > before);
    let expected = format!(
        "version: 1
property: {{ name: \"Oak: \\\"North\\\"\", timezone: America/New_York, country: US }}
credential: elm-account
pms_properties: [{}, {}]
exclude_statuses: [Evict]
# for now, as Bo says
enabled: true # Ana

schedule: {{ every: 30m }}

guard: {{ limit: 7 }}
",
        epms::config::quoted::scalar(&mine),
        epms::config::quoted::scalar(&other),
    );
    assert_eq!(home.read(file), expected);
    // What is wrong with a file is told in its place.
    home.write(file, "version: 1\nno: yes\n");
    eventually("the file is refused", async || {
        browser
            .opens("/integrations/elm")
            .await
            .body
            .contains("unknown field")
    })
    .await;
    let page = browser.opens(base).await;
    assert_eq!(page.status, 409);
    page.has(&["is not right"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_may_not_configure_sees_no_link_and_is_told_how() {
    let pms = pms(Kind::AppFolio, 1, 20).await;
    let home = Home::new();
    home.feed("elm", &pms);
    let daemon = Daemon::start(&home).await;
    daemon.settle().await;
    let browser = Browser::of(&daemon);
    for path in ["/", "/integrations/elm"] {
        let page = browser.opens(path).await;
        assert!(!page.body.contains("/integrations/new"), "{path}");
        assert!(!page.body.contains("/settings\""), "{path}");
        page.has(&["You may read, operate and approve."]);
    }
    for path in ["/integrations/new", "/integrations/elm/settings"] {
        for page in [
            browser.opens(path).await,
            browser
                .sends(path, &[("step", "pms"), ("connector", "yardi")])
                .await,
        ] {
            assert_eq!(page.status, 403, "{path}: {page:?}");
            page.has(&["this needs `configure`", "socket.tiers.configure", "<h1>"]);
        }
    }
    may_configure(&home);
    eventually("it is taken up", async || {
        browser.opens("/integrations/new").await.status == 200
    })
    .await;
    browser
        .opens("/")
        .await
        .has(&["href=\"/integrations/new\""]);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_integration_that_is_called_new_has_its_page_all_the_same() {
    let there = |home: &Home, pms: &Sandbox| home.feed("new", pms);
    let (_pms, _home, _daemon, browser) = with(Kind::AppFolio, &["Elm Court"], there).await;
    let page = browser.opens("/").await;
    page.has(&["href=\"/integrations/%6Eew\""]);
    let page = browser.opens("/integrations/%6Eew").await;
    page.has(&["The new", "href=\"/integrations/%6Eew/settings\""]);
    let page = browser.opens("/integrations/new").await;
    page.has(&["Kind of PMS"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_stands_in_a_connector_or_a_property_is_text_on_the_pages_of_the_set_up() {
    let odd = "<script>alert(1)</script>\"'";
    let (pms, home, daemon, browser) = started(Kind::AppFolio, &[odd]).await;
    let told = "&lt;script&gt;alert(1)&lt;/script&gt;&quot;&#39;";
    let connector = home.read("config/connectors/appfolio.yaml");
    let connector = connector.replacen("# AppFolio", &format!("# {odd} AppFolio"), 1);
    let at = connector.find("\nversion:").unwrap();
    let quoted = serde_json::to_string(odd).unwrap();
    let (head, tail) = connector.split_at(at + 1);
    let tail = tail
        .replacen(
            "ask_vendor_for:\n",
            &format!("ask_vendor_for:\n  - {quoted}\n"),
            1,
        )
        .replacen(
            "credential_fields:\n",
            &format!("credential_fields:\n  odd: {{ kind: plain, default: x, help: {quoted} }}\n"),
            1,
        );
    home.write("config/connectors/appfolio.yaml", format!("{head}{tail}"));
    let mut way = Way::new(&browser, "/integrations/new");
    way.opens("pms").await.has(&[told]);
    let (_, page) = way.answers("pms", &[("connector", "appfolio")]).await;
    assert!(page.body.matches(told).count() >= 2, "{}", page.body);
    let mut form = account(&pms);
    form.push(("name".into(), "acme".into()));
    let (step, page) = way.answers("credential", &pairs(&form)).await;
    assert_eq!(step, "properties", "{page:?}");
    page.has(&[told]);
    let property = pms.property_id(0);
    let (_, page) = way.answers("properties", &[("property", &property)]).await;
    page.has(&[told]);
    let details = [
        ("name", odd),
        ("id", "odd"),
        ("timezone", "UTC"),
        ("country", "US"),
    ];
    way.answers("details", &details).await;
    let (step, page) = way
        .answers("statuses", &[("shown", "yes"), ("typed", odd)])
        .await;
    assert_eq!(step, "preview");
    page.has(&["Write, and switch on", "&lt;script&gt;"]);
    assert!(!way.all.contains(odd) && !way.all.contains("<script>alert"));
    let digest = digest(&page);
    let (to, page) = way
        .answers("preview", &[("do", "write-on"), ("digest", &digest)])
        .await;
    assert!(to.starts_with("/integrations/odd"), "{to}");
    page.has(&[told]);
    assert_eq!(daemon.stop().await, Some(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_is_answered_the_page_writes_what_the_command_writes() {
    use proptest::prelude::*;
    use proptest::strategy::ValueTree;
    use proptest::test_runner::TestRunner;

    let there = |home: &Home, pms: &Sandbox| home.credential("acme", pms);
    let (pms, home, _daemon, browser) = with(Kind::AppFolio, &["Elm Court"], there).await;
    home.edit(
        "config/credentials/acme.yaml",
        "fields:",
        "defaults: { exclude_statuses: [Evict, Past], timezone: America/Chicago }\nfields:",
    );
    let by_command = Home::new();
    by_command.credential("acme", &pms);
    by_command.write(
        "config/credentials/acme.yaml",
        home.read("config/credentials/acme.yaml"),
    );
    let word = "[A-Za-z0-9 :#'\"{}\\[\\]|>&*!%@`~äß-]{1,10}";
    let words = proptest::collection::vec(word, 1..4);
    let zone = prop_oneof![Just("America/Chicago"), Just("Europe/Oslo")];
    let statuses = prop_oneof![
        Just(vec!["Evict".to_owned(), "Past".to_owned()]),
        proptest::collection::vec(word, 1..3),
    ];
    let country = prop_oneof![Just("US"), Just("no")];
    let answers = (word, words, zone, statuses, country, any::<bool>());
    let mut runner = TestRunner::deterministic();
    let mut taken = Vec::new();
    for case in 0..12 {
        let (name, properties, zone, statuses, country, is_on) =
            answers.new_tree(&mut runner).unwrap().current();
        let all = [&[name.clone()][..], &properties, &statuses].concat();
        let is_taken = properties.iter().any(|one| taken.contains(one));
        if is_taken || all.iter().any(|one| one.trim().is_empty()) {
            continue;
        }
        taken.extend(properties.clone());
        let id = format!("case-{case}");
        let mut way = Way::new(&browser, "/integrations/new");
        way.answers("pms", &[("connector", "appfolio")]).await;
        way.answers("credential", &[("credential", "acme")]).await;
        let typed = properties.join(",");
        let (step, page) = way.answers("properties", &[("typed", &typed)]).await;
        assert_eq!(step, "details", "{properties:?}: {}", page.body);
        let details = [
            ("name", &*name),
            ("id", &*id),
            ("timezone", zone),
            ("country", country),
        ];
        way.answers("details", &details).await;
        let typed = statuses.join(",");
        let (step, page) = way.answers("statuses", &[("typed", &typed)]).await;
        assert_eq!(step, "preview");
        let act = if is_on { "write-on" } else { "write-off" };
        let form = [("do", act), ("digest", &*digest(&page))];
        let (to, page) = way.answers("preview", &form).await;
        assert!(
            to.starts_with(&format!("/integrations/{id}")),
            "{}",
            page.body
        );

        let mut flags = vec![
            "--credential=acme".to_owned(),
            format!("--name={name}"),
            format!("--id={id}"),
            format!("--timezone={zone}"),
            format!("--country={country}"),
            "--yes".to_owned(),
        ];
        flags.extend(properties.iter().map(|one| format!("--pms-property={one}")));
        flags.extend(statuses.iter().map(|one| format!("--exclude-status={one}")));
        flags.extend((!is_on).then(|| "--disabled".to_owned()));
        let mut words = vec!["add", "integration"];
        words.extend(flags.iter().map(String::as_str));
        let added = by_command.epms(&words).await;
        assert!(added.status.success(), "{words:?}: {}", told(&added));
        let file = format!("config/integrations/{id}.yaml");
        assert_eq!(home.read(&file), by_command.read(&file), "{words:?}");
    }
    assert!(taken.len() > 6, "{taken:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_name_that_leads_out_of_its_folder_names_no_file_whatever_step_is_asked_for() {
    let (pms, home, _daemon, browser) = started(Kind::AppFolio, &["Elm Court"]).await;
    let mut way = Way::new(&browser, "/integrations/new");
    way.answers("pms", &[("connector", "appfolio")]).await;
    let mut form = account(&pms);
    form.push(("name".into(), "acme".into()));
    way.answers("credential", &pairs(&form)).await;
    let property = pms.property_id(0);
    way.answers("properties", &[("property", &property)]).await;
    let details = [("name", "Elm"), ("timezone", "UTC"), ("country", "US")];
    way.answers("details", &details).await;
    let (_, page) = way.answers("statuses", &[("shown", "yes")]).await;
    let looked = digest(&page);
    let out = [&details[..], &[("id", "../../out")]].concat();
    let (step, page) = way.answers("details", &out).await;
    assert_eq!(step, "details");
    page.has(&["cannot be a file&#39;s name"]);
    let page = way.opens("preview").await;
    assert!(!page.body.contains("name=\"digest\""), "{}", page.body);
    way.answers("details", &details).await;
    form.retain(|(name, _)| name != "name");
    form.push(("name".into(), "../../out".into()));
    let (step, _) = way.answers("credential", &pairs(&form)).await;
    assert_eq!(step, "credential");
    let (step, page) = way
        .answers("preview", &[("do", "write-on"), ("digest", &looked)])
        .await;
    assert_eq!(step, "preview");
    assert!(!page.body.contains("name=\"digest\""), "{}", page.body);
    for folder in ["config/credentials", "config/integrations", "secrets"] {
        let entries = std::fs::read_dir(home.path(folder)).unwrap();
        assert_eq!(entries.count(), 0, "{folder}");
    }
    let there = std::fs::read_dir(home.root()).unwrap();
    let there: Vec<_> = there.map(|one| one.unwrap().file_name()).collect();
    assert!(
        there
            .iter()
            .all(|name| !name.to_string_lossy().contains("out")),
        "{there:?}"
    );
}

/// What another user's daemon needs of a folder.
fn give(path: &std::path::Path, user: u32) {
    std::os::unix::fs::chown(path, Some(user), Some(user)).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn where_the_daemon_may_not_write_the_page_gives_a_patch_and_says_where_secrets_go() {
    use std::os::unix::fs::PermissionsExt;
    use std::os::unix::process::CommandExt;

    const USER: u32 = 61_010;
    // Only root can start a daemon as somebody else.
    if !geteuid().is_root() {
        return;
    }
    let pms = pms_of(Kind::Yardi, &["Elm Court"], 40).await;
    let home = Home::new();
    may_configure(&home);
    let open = |path: &std::path::Path, mode| {
        std::fs::set_permissions(path, PermissionsExt::from_mode(mode)).unwrap();
    };
    let outside = home.root().parent().unwrap().to_owned();
    let is_open = outside.metadata().unwrap().permissions().mode() & 0o001 != 0;
    if !is_open {
        return;
    }
    open(home.root(), 0o755);
    std::fs::create_dir(home.path("state")).unwrap();
    give(&home.path("state"), USER);
    std::fs::create_dir(home.path(".git")).unwrap();
    let program = home.path("epms");
    std::fs::copy(env!("CARGO_BIN_EXE_epms"), &program).unwrap();
    let mut command = std::process::Command::new(&program);
    command
        .args(["--home".as_ref(), home.root().as_os_str(), "run".as_ref()])
        .current_dir("/")
        .uid(USER)
        .gid(USER);
    let daemon = Daemon::spawn(command, &home.socket(), home.beside()).await;
    let browser = Browser::of(&daemon);
    let mut way = Way::new(&browser, "/integrations/new");
    way.answers("pms", &[("connector", "yardi")]).await;
    let mut form = account(&pms);
    form.push(("name".into(), "acme".into()));
    way.answers("credential", &pairs(&form)).await;
    let property = pms.property_id(0);
    way.answers("properties", &[("property", &property)]).await;
    let details = [
        ("name", "Elm Court"),
        ("timezone", "UTC"),
        ("country", "US"),
    ];
    way.answers("details", &details).await;
    let (step, page) = way.answers("statuses", &[("shown", "yes")]).await;
    assert_eq!(step, "preview", "{page:?}");
    page.has(&[
        "Who would come in",
        "The daemon may not write there",
        "epms secret set acme-password",
        "git apply",
        "+++ b/config/integrations/elm-court.yaml",
    ]);
    assert!(!page.body.contains("name=\"digest\""), "{}", page.body);
    for secret in secrets(&pms) {
        assert!(!way.all.contains(&secret), "a page tells {secret}");
    }
    // Whoever may write there does what the page says.
    let patch = page.body.split("wrap=\"off\">").nth(1).unwrap();
    let patch = patch.split("</textarea>").next().unwrap();
    let patch = patch
        .replace("&lt;", "<")
        .replace("&gt;", ">")
        .replace("&quot;", "\"")
        .replace("&#39;", "'")
        .replace("&amp;", "&");
    std::fs::remove_dir(home.path(".git")).unwrap();
    home.write("x.patch", patch);
    let applied = std::process::Command::new("git")
        .args(["apply", "x.patch"])
        .current_dir(home.root())
        .output();
    let Ok(applied) = applied else { return };
    assert!(applied.status.success(), "{applied:?}");
    assert!(
        home.read("config/integrations/elm-court.yaml")
            .contains("name: Elm Court")
    );
    assert_eq!(daemon.stop().await, Some(0));
}
