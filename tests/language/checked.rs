//! What `check` passed and a run made nothing of, or something smaller, without a word: values that are never set, keys that
//! change nothing, rules that take any answer for an empty one, properties that nothing tells apart.

use std::collections::BTreeSet;
use std::path::Path;

use epms::config::{Document, File};
use epms::model::{Outcome, Problem};
use epms::source::Source;
use serde_json::json;

use crate::attached::{SCRIPT, World, connector, integration};
use crate::silent::{ONCE, list, people};
use crate::support::small_pms::{Pms, Reply, ok};
use crate::support::{Daemon, said};

/// What is found in a connector with these requests, in a file of this version.
fn found(version: u32, requests: &str) -> Vec<Problem> {
    let text = connector(version, requests);
    let document = Document::parse(Path::new("pms.yaml"), &text).unwrap();
    let file = File {
        value: document.read().unwrap(),
        document,
        hash: [0; 32],
    };
    match Source::compile(&file) {
        Ok(source) => source.warnings().to_vec(),
        Err(problems) => problems,
    }
}

/// Asserts that just this is warned of in a connector with these requests, and that version 2 takes none of it.
fn is_told(requests: &str, told: &[&str]) {
    let (warned, refused) = (found(1, requests), found(2, requests));
    assert!(warned.iter().all(|one| one.code.is_warning()), "{warned:?}");
    assert!(
        !refused.iter().any(|one| one.code.is_warning()),
        "{refused:?}"
    );
    for found in [warned, refused] {
        let texts = found
            .iter()
            .map(|one| format!("{}: {}", one.field, one.message));
        let texts: Vec<String> = texts.collect();
        for one in told {
            let is_there = texts.iter().any(|text| text.starts_with(one));
            assert!(is_there, "{one}: {texts:?}");
        }
        assert_eq!(texts.len(), told.len(), "{texts:?}");
        assert!(found.iter().all(|one| one.place.is_some()), "{found:?}");
    }
}

/// Asserts that nothing is found in a connector with these requests.
fn is_right(requests: &str) {
    assert_eq!(found(2, requests), [], "{requests}");
}

#[tokio::test]
async fn a_first_page_that_is_taken_for_all_is_told_by_check() {
    let requests = "\
requests:
  residents:
    url: \"{{ credential.url }}/{{ property }}\"
    query: { page: \"{{ page.number }}\", size: \"{{ page.size }}\", from: \"{{ page.offset }}\", after: \"{{ page.cursor }}\" }
    format: json
    records: data
    id: id
";
    // All that a run says of it.
    let two = json!([people()[0], people()[1]]);
    let pms = Pms::start(requests, move |_, _| list(&two)).await;
    assert_eq!(pms.records().await.len(), 2);
    assert_eq!(pms.paths(), ["/p1?from=0&page=0&size=0"], "one page alone");
    is_told(
        requests,
        &[
            "requests.residents.query.page: `page.number` is 0 here: it grows by `page: { number: { first: 1, size: 100 } }`",
            "requests.residents.query.size: `page.size` is 0 here: it is `size` of",
            "requests.residents.query.from: `page.offset` is 0 here: it grows by",
            "requests.residents.query.after: `page.cursor` is empty here: it comes from `page: { cursor: PATH }`",
        ],
    );
    // One that is not the request's own, and one that is the connector's.
    is_told(
        "\
headers: { X-Page: \"{{ page.number }}\" }
requests:
  residents:
    url: \"{{ credential.url }}/{{ property }}?o={{ page.offset }}\"
    format: json
    id: id
    page: { cursor: next }
    query: { after: \"{{ page.cursor }}\", size: \"{{ page.size }}\" }
",
        &[
            "headers.X-Page: `page.number` is 0 here",
            "requests.residents.url: `page.offset` is 0 here",
            "requests.residents.query.size: `page.size` is 0 here",
        ],
    );
    for page in [
        "page: { number: { size: 5 } }, query: { p: \"{{ page.number }}\", s: \"{{ page.size }}\" }",
        "page: { offset: { size: 5 } }, query: { p: \"{{ page.offset }}\", s: \"{{ page.size }}\" }",
        "page: { cursor: next }, query: { p: \"{{ page.cursor }}\" }",
    ] {
        is_right(&format!(
            "requests: {{ residents: {{ url: \"{{{{ credential.url }}}}/{{{{ property }}}}\", format: json, id: id, {page} }} }}\n"
        ));
    }
}

#[test]
fn a_page_and_a_since_that_no_template_asks_with_are_told_by_check() {
    for (page, value) in [
        ("number: { size: 5 }", "page.number"),
        ("offset: { size: 5 }", "page.offset"),
        ("cursor: next", "page.cursor"),
    ] {
        let requests = format!(
            "requests: {{ residents: {{ url: \"{{{{ credential.url }}}}/{{{{ property }}}}\", format: json, id: id, page: {{ {page} }} }} }}\n"
        );
        let told = format!(
            "requests.residents.page: is of no use here: no template of the request has {{{{ {value} }}}}"
        );
        is_told(&requests, &[&told]);
        // One that the connector has for every request is as good.
        is_right(&format!(
            "headers: {{ X-Page: \"{{{{ {value} }}}}\" }}\n{requests}"
        ));
    }
    let since = "requests: { residents: { url: \"{{ credential.url }}/{{ property }}\", format: json, id: id, since: {} } }\n";
    is_told(
        since,
        &[
            "requests.residents.since: is of no use here: no template of the request has {{ since }}",
        ],
    );
    is_right(&since.replace("since: {}", "since: {}, query: { from: \"{{ since }}\" }"));
}

#[test]
fn a_property_in_what_is_asked_once_for_all_is_told_by_check() {
    let requests = "\
requests:
  residents:
    url: \"{{ credential.url }}/{{ given.job }}\"
    query: { of: \"{{ property }}\" }
    format: json
    id: id
    per: once
    property: site
    after: [order]
  order: { url: \"{{ credential.url }}/order/{{ property }}\", format: json, gives: { job: job } }
  properties: { url: \"{{ credential.url }}/sites?{{ property }}\", format: json, id: id, per: once }
";
    is_told(
        requests,
        &[
            "requests.residents.query.of: `property` is empty here: `residents` is asked once for all PMS properties",
            "requests.order.url: `property` is empty here: `residents` is asked once",
        ],
    );
}

#[tokio::test]
async fn everybody_in_each_of_two_integrations_is_told_by_check() {
    let yaml = ONCE.replace(", per: once, property: site", "");
    let world = World::start(&yaml, SCRIPT, |_, _| list(&people())).await;
    let home = &world.home;
    home.write("config/integrations/oak.yaml", integration("p2"));
    let warned = said(&home.epms(&["check"]).await, 0);
    for told in [
        "elm.yaml:4:1: warning: pms_properties: `residents` of the connector `pms` asks the same for each PMS property, and `oak` attaches others",
        "oak.yaml:4:1: warning: pms_properties: `residents` of the connector `pms` asks the same for each PMS property, and `elm` attaches others",
        "2 warnings",
    ] {
        assert!(warned.contains(told), "{told}: {warned}");
    }
    said(&home.epms(&["check", "--strict"]).await, 2);
    // What it is about: R5.
    let daemon = Daemon::start(home).await;
    daemon.settle().await;
    let in_both = daemon.people().await;
    let in_both = in_both.iter().filter(|one| one.stays.len() == 2);
    assert_ne!(in_both.count(), 0, "somebody came into both");
    let log = daemon.log();
    for id in ["elm", "oak"] {
        let told = format!("integration={id} ");
        let mut lines = log.lines();
        let is_told =
            |line: &str| line.contains("most likely not meant so") && line.contains(&told);
        assert!(lines.any(is_told), "it is told when it is loaded: {log}");
    }
    // Version 2 takes it in neither of them.
    home.write("config/connectors/pms.yaml", connector(2, &yaml));
    let refused = said(&home.epms(&["check"]).await, 2);
    assert!(refused.contains("2 problems"), "{refused}");
    let daemon = Daemon::start(home).await;
    for id in ["elm", "oak"] {
        let status = daemon.integration(id).await;
        assert_eq!(status.problems.len(), 1, "{status:?}");
    }
    // One of another account, or that is switched off, or that the request tells from the other.
    let other = home
        .read("config/credentials/acme.yaml")
        .replace("http://127", "http://localhost#");
    home.write("config/credentials/bell.yaml", &other);
    home.edit("config/integrations/oak.yaml", "acme", "bell");
    said(&home.epms(&["check", "--strict"]).await, 0);
    home.edit("config/integrations/oak.yaml", "bell", "acme");
    home.edit(
        "config/integrations/oak.yaml",
        "credential:",
        "enabled: false\ncredential:",
    );
    said(&home.epms(&["check", "--strict"]).await, 0);
    home.edit("config/integrations/oak.yaml", "enabled: false\n", "");
    for asks in [
        yaml.replace("/people", "/people/{{ property }}"),
        ONCE.to_owned(),
    ] {
        home.write("config/connectors/pms.yaml", connector(2, &asks));
        said(&home.epms(&["check", "--strict"]).await, 0);
    }
}

#[tokio::test]
async fn one_property_by_two_names_is_told_by_check() {
    let world = World::start(ONCE, SCRIPT, |_, _| list(&people())).await;
    let home = &world.home;
    home.write("config/integrations/elm.yaml", integration("p3, P3"));
    let warned = said(&home.epms(&["check"]).await, 0);
    for told in [
        "elm.yaml:4:18: warning: pms_properties.0: `p3` and `P3`, which stands here too, are one PMS property",
        "elm.yaml:4:22: warning: pms_properties.1: `P3` and `p3`, which stands here too, are one PMS property",
        "2 warnings",
    ] {
        assert!(warned.contains(told), "{told}: {warned}");
    }
    said(&home.epms(&["check", "--strict"]).await, 2);
    home.write("config/connectors/pms.yaml", connector(2, ONCE));
    said(&home.epms(&["check"]).await, 2);
    // In two files it is one too many, whatever the version.
    home.write("config/connectors/pms.yaml", connector(1, ONCE));
    home.write("config/integrations/elm.yaml", integration("p1"));
    home.write("config/integrations/oak.yaml", integration("p3, P1"));
    let refused = said(&home.epms(&["check"]).await, 2);
    for told in [
        "elm.yaml:4:18: pms_properties.0: `p1` stands in config/integrations/oak.yaml too",
        "oak.yaml:4:22: pms_properties.1: `P1` stands in config/integrations/elm.yaml too",
        "2 problems",
    ] {
        assert!(refused.contains(told), "{told}: {refused}");
    }
}

#[tokio::test]
async fn an_answer_without_its_records_that_is_nobody_whatever_the_reason_is_told_by_check() {
    let with = |more: &str| {
        format!(
            "requests: {{ residents: {{ url: \"{{{{ credential.url }}}}/{{{{ property }}}}\", format: json, records: data/list, id: id, {more} }} }}\n"
        )
    };
    // An error, as a PMS may word it, ends in nobody at all.
    let error = r#"{"problem": "no such database"}"#;
    for more in [
        "missing: { empty: { absent: data/list } }",
        "errors: [{ absent: data/list, is: empty }]",
    ] {
        let pms = Pms::start(&with(more), move |_, _| ok(error)).await;
        assert!(pms.records().await.is_empty());
    }
    for (more, at) in [
        ("missing: { empty: { absent: data/list } }", "missing.empty"),
        ("missing: { empty: { absent: data } }", "missing.empty"),
        (
            "missing: { empty: { absent: data/list/id, status: 2xx } }",
            "missing.empty",
        ),
        ("errors: [{ absent: data/list, is: empty }]", "errors.0"),
    ] {
        let told =
            format!("requests.residents.{at}: says no more than that the records are not there");
        is_told(&with(more), &[&told]);
    }
    let shared = with("per: property");
    let shared = format!("errors: [{{ absent: \"*\", is: empty }}]\n{shared}");
    is_told(
        &shared,
        &["errors.0: says no more than that the records are not there"],
    );
    for more in [
        "missing: { empty: { absent: problem } }",
        "missing: { empty: { absent: data, path: status, equals: OK } }",
        "errors: [{ absent: data, status: 404, is: empty }]",
        "errors: [{ absent: data, is: fatal }]",
    ] {
        is_right(&with(more));
    }
}

#[tokio::test]
async fn a_condition_of_missing_that_no_answer_comes_to_is_told_by_check() {
    let with = |more: &str| {
        format!(
            "requests: {{ residents: {{ url: \"{{{{ credential.url }}}}/{{{{ property }}}}\", format: json, records: data, id: id, {more} }} }}\n"
        )
    };
    for status in [404, 204] {
        let more = format!("missing: {{ empty: {{ status: {status} }} }}");
        let pms = Pms::start(&with(&more), move |_, _| {
            Reply(
                status,
                Vec::new(),
                if status == 204 {
                    Vec::new()
                } else {
                    b"{}".to_vec()
                },
            )
        })
        .await;
        pms.failure().await;
        is_told(
            &with(&more),
            &[
                "requests.residents.missing.empty.status: no answer can fit it: one of such a status is judged by `errors`",
            ],
        );
    }
    for more in [
        "missing: { empty: { status: [200, 404], path: none } }",
        "missing: { empty: { status: 404 } }, errors: [{ status: 404, is: ok }]",
        "missing: { empty: { status: 404 } }, errors: [{ path: none, is: ok }]",
    ] {
        is_right(&with(more));
    }
    let csv = "requests: { residents: { url: \"{{ credential.url }}/{{ property }}\", format: csv, id: Id, missing: { empty: { text: none } } } }\n";
    is_told(
        csv,
        &["requests.residents.missing: is of no use here: CSV has its rows"],
    );
}

#[test]
fn a_report_that_is_asked_for_once_or_without_a_pause_is_told_by_check() {
    let with = |poll: &str| {
        format!(
            "\
requests:
  residents: {{ url: \"{{{{ credential.url }}}}/{{{{ given.job }}}}/{{{{ property }}}}\", format: json, id: id, after: [order] }}
  order: {{ url: \"{{{{ credential.url }}}}/order\", format: json, gives: {{ job: job }}, poll: {{ {poll} }} }}
"
        )
    };
    is_told(
        &with("every: 1m, at_most: 30s"),
        &["requests.order.poll: is of no use here: `every` is not less than `at_most`"],
    );
    is_told(
        &with("every: 30s, at_most: 30s"),
        &["requests.order.poll: is of no use here: `every` is not less than `at_most`"],
    );
    is_told(
        &with("every: 0s"),
        &[
            "requests.order.poll.every: is 0, so that the PMS is asked again and again without a pause",
        ],
    );
    is_right(&with("every: 29s, at_most: 30s"));
    is_right(&format!(
        "limits: {{ per_second: 2 }}\n{}",
        with("every: 0s")
    ));
}

#[tokio::test]
async fn a_host_that_no_request_has_is_told_by_check() {
    let world = World::start(ONCE, SCRIPT, |_, _| ok("[]")).await;
    world.home.edit(
        "config/connectors/pms.yaml",
        "hosts: [\"{{ credential.url | host }}\"]",
        "hosts: [\"{{ credential.url }}\", \"*.example.com\"]",
    );
    let warned = world.check(&[], 0).await;
    for told in [
        "pms.yaml:5:9: warning: hosts.0: is the host of no request: `credential.url` is a URL, with which a request begins; write {{ credential.url | host }}",
        "pms.yaml:5:33: warning: hosts.1: is the host of no request: `*` stands for nothing here",
        "2 warnings",
    ] {
        assert!(warned.contains(told), "{told}: {warned}");
    }
    let run = world.run().await;
    assert!(matches!(run.outcome, Outcome::Failed { .. }), "{run:?}");
    world
        .home
        .edit("config/connectors/pms.yaml", "version: 1", "version: 2");
    world.check(&[], 2).await;
}

#[tokio::test]
async fn a_field_that_an_integration_does_not_set_is_told_by_check() {
    let yaml = "\
requests:
  residents:
    url: \"{{ credential.url }}/{{ fields.zone }}/{{ property }}\"
    query: { of: \"{{ fields.group | default('all') }}\" }
    format: json
    id: id
  properties: { url: \"{{ credential.url }}/{{ fields.all }}\", format: json, id: id }
";
    let world = World::start(yaml, SCRIPT, |_, _| ok("[]")).await;
    let home = &world.home;
    let warned = said(&home.epms(&["check"]).await, 0);
    assert!(
        warned.contains(
            "elm.yaml:1:1: warning: fields: there is no `zone`, and `requests.residents.url` of the connector `pms` cannot be asked without; add it, or write {{ fields.zone | default('') }} there"
        ) && warned.contains("1 warning\n"),
        "{warned}"
    );
    let run = world.run().await;
    assert!(matches!(run.outcome, Outcome::Failed { .. }), "{run:?}");
    let with_field = format!("{}fields: {{ zon: north }}\n", integration("p1"));
    home.write("config/integrations/elm.yaml", &with_field);
    let warned = said(&home.epms(&["check"]).await, 0);
    assert!(warned.contains("is `zon` meant?"), "{warned}");
    home.write("config/connectors/pms.yaml", connector(2, yaml));
    said(&home.epms(&["check"]).await, 2);
    home.write(
        "config/integrations/elm.yaml",
        with_field.replace("zon:", "zone:"),
    );
    said(&home.epms(&["check", "--strict"]).await, 0);
}

#[test]
fn a_filter_that_makes_nothing_of_what_it_is_given_is_told_by_check() {
    let with = |template: &str| {
        format!(
            "requests: {{ residents: {{ url: \"{{{{ credential.url }}}}/{{{{ property }}}}\", format: json, id: id, since: {{}}, query: {{ since: \"{{{{ since }}}}\", from: \"{template}\" }} }} }}\n"
        )
    };
    let templates = [
        (
            "{{ today | date('YYYY-MM-DD') }}",
            "`YYYY-MM-DD` is no date format; write one such as %m/%d/%Y",
        ),
        (
            "{{ today | days_ago('x') }}",
            "`days_ago` takes a whole number of days",
        ),
        ("{{ since | moment('%Q') }}", "`%Q` is no form of a moment"),
        ("{{ property | days_ago(3) }}", "`days_ago` is for `today`"),
    ];
    for (template, told) in templates {
        let told = format!("requests.residents.query.from: {told}");
        is_told(&with(template), &[&told]);
    }
    is_right(&with("{{ since | moment('%Y-%m-%d') }}"));
}

#[test]
fn details_that_are_asked_for_without_their_record_are_told_by_check() {
    let requests = "\
requests:
  list: { url: \"{{ credential.url }}/{{ property }}\", format: json, id: id }
  residents: { url: \"{{ credential.url }}/{{ property }}/details\", format: json, id: id, each: list }
";
    is_told(
        requests,
        &[
            "requests.residents.each: is of no use here: no template of the request has a {{ record.NAME }}",
        ],
    );
    is_right(&requests.replace("/details", "/{{ record.id }}"));
}

#[test]
fn a_name_in_one_brace_is_told_by_check() {
    let with = |query: &str| {
        format!(
            "requests: {{ residents: {{ url: \"{{{{ credential.url }}}}/people\", query: {{ of: \"{query}\" }}, format: json, id: id }} }}\n"
        )
    };
    is_told(
        &with("{property}"),
        &[
            "requests.residents.query.of: `{property}` is sent as it is written; write {{ property }}",
        ],
    );
    is_right(&with("{{ property }}"));
}

#[test]
fn a_header_in_the_place_of_which_another_is_sent_is_told_by_check() {
    let requests = "\
headers: { authorization: none }
auth: { bearer: { token: \"{{ credential.url }}\" } }
sign: { header: X-Signed, key: \"{{ credential.url }}\", text: \"{{ body }}\" }
requests: { residents: { url: \"{{ credential.url }}/{{ property }}\", headers: { x-signed: none }, format: json, id: id } }
";
    is_told(
        requests,
        &[
            "headers.authorization: is of no use here: `auth` sends another in its place",
            "requests.residents.headers.x-signed: is of no use here: `sign` sends another in its place",
        ],
    );
    // What logs in has no token yet.
    let login = "\
headers: { Authorization: Basic x }
auth: { login: { request: login, lifetime: 0s } }
requests:
  login: { url: \"{{ credential.url }}/login\", format: json, headers: { Authorization: Basic y } }
  residents: { url: \"{{ credential.url }}/{{ property }}\", format: json, id: id }
";
    is_told(
        login,
        &["auth.login.lifetime: is 0, so that each request logs in anew"],
    );
}

/// Each kind of fault has a word of its own, by which whoever reads `--json` tells it.
#[tokio::test]
async fn what_is_told_has_its_word() {
    let yaml = "\
requests:
  residents:
    url: \"{{ credential.url }}/people?{{ page.number }}{{ fields.zone }}\"
    format: json
    records: data
    id: id
    since: {}
    missing: { empty: { absent: data } }
";
    let world = World::start(yaml, SCRIPT, |_, _| ok("[]")).await;
    let home = &world.home;
    home.edit(
        "config/connectors/pms.yaml",
        "hosts: [",
        "hosts: [\"*.x\", ",
    );
    home.write("config/integrations/elm.yaml", integration("p1, P1"));
    let checked = home.epms(&["check", "--json"]).await;
    said(&checked, 0);
    let problems: serde_json::Value = serde_json::from_slice(&checked.stdout).unwrap();
    let problems = problems.as_array().unwrap().iter();
    let words: BTreeSet<&str> = problems.map(|one| one["code"].as_str().unwrap()).collect();
    let expected = ["host", "rule", "same_property", "unset_value", "unused_key"];
    assert_eq!(words, BTreeSet::from(expected));
}
