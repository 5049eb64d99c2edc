//! Silent wrong results (connector language, 1): a check that does not apply says so. What a run says of each kind, what
//! `check` says, and what `doctor` says.
//!
//! 1. Rules and `verdict` see the whole answer: `readings::rules_see_the_records_too_and_none_is_thrown_away`,
//!    `readings::a_script_that_says_empty_throws_no_record_away_either`; what can never match:
//!    [`a_rule_that_never_decides_is_told_by_check`].
//! 2. Properties that are not attached: [`of_a_request_that_is_asked_once_only_attached_properties_come_in`] and those behind it;
//!    one reading for all integrations of the credential: `once`.
//! 3. Paths that no answer has: `readings::a_path_that_no_record_has_is_no_check`,
//!    [`a_lookup_whose_records_have_no_key_makes_a_run_incomplete`], [`doctor_shows_what_makes_every_run_incomplete`].
//! 4. CSV that is cut off: `readings::what_is_cut_off_or_twice_or_in_another_encoding_is_told_or_read`,
//!    [`rows_with_another_number_of_fields_are_told_whatever_ends_their_lines`].
//! 5. Names that do not exist: [`what_does_not_exist_or_can_never_fit_is_told_by_check_with_its_place`].
//! 6. Numbers beyond 64 bits: `unusable::ids_beyond_64_bits_are_those_of_two_people`.
//! 7. One parent without any: [`one_parent_without_any_is_the_same_in_json_and_xml`].
//! 8. Lookups that nobody asks: [`a_lookup_that_may_not_be_asked_at_all_fails_no_run_that_does_not_ask_it`] and those behind it.
//! 9. Pages: `readings`, from `a_page_that_is_shorter_than_asked_with_more_behind_it_is_incomplete` on;
//!    [`a_short_page_says_nothing_where_the_next_one_is_linked`].
//! 10. Encodings, envelopes, `&#0;`: `readings::what_is_cut_off_or_twice_or_in_another_encoding_is_told_or_read`.
//! 11. Dead tokens: `refusals::a_token_that_is_refused_in_any_form_is_not_kept_for_the_next_run`.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use epms::model::{Outcome, Reading};
use serde_json::{Value, json};

use crate::attached::{SCRIPT, World, connector, integration};
use crate::support::small_pms::{Asked, Pms, Reply, compile, ok, status};
use crate::support::{Daemon, Home, said, told};

pub(crate) const ONCE: &str = "requests:\n  residents: { url: \"{{ credential.url }}/people\", format: json, records: data, id: id, per: once, property: site }\n";

fn person(id: u32, first: &str, site: Value) -> Value {
    let email = format!("{}@mail.com", first.to_lowercase());
    json!({ "id": id, "first": first, "email": email, "unit": id.to_string(), "site": site })
}

pub(crate) fn people() -> Value {
    json!([
        person(1, "Ana", json!("P1 ")),
        person(2, "Bo", json!("p2")),
        person(3, "Cy", json!(null)),
        person(4, "Di", json!("p3")),
    ])
}

pub(crate) fn list(people: &Value) -> Reply {
    ok(json!({ "data": people }).to_string())
}

/// Connector language, 1.2.
#[tokio::test]
async fn of_a_request_that_is_asked_once_only_attached_properties_come_in() {
    let mut pms = Pms::start(ONCE, |_, _| list(&people())).await;
    pms.properties = vec!["p3".into(), "p1".into()];
    let (reading, records) = pms.read().await;
    let came: Vec<(&str, Value)> = records
        .iter()
        .map(|one| {
            (
                &*one.property,
                serde_json::from_str::<Value>(&one.json).unwrap()["id"].clone(),
            )
        })
        .collect();
    assert_eq!(came, [("p1", json!(1)), ("p3", json!(4))]);
    assert!(
        matches!(reading, Reading::Complete { records: 2, .. }),
        "what is left out is not counted: {reading:?}"
    );
    assert_eq!(pms.asked().len(), 1, "all are asked for at once");
    // Where no record names any, it is no check.
    let pms = Pms::start(ONCE, |_, _| list(&json!([{ "id": 1 }]))).await;
    let told = pms.failure().await.to_string();
    assert!(
        told.contains("no record has anything at `site`, where `property` of the connector looks"),
        "{told}"
    );
}

#[tokio::test]
async fn what_is_read_again_from_its_beginning_comes_in_once_whatever_its_property() {
    let yaml = ONCE.replace(
        "property: site",
        "property: site, total: total, page: { number: { first: 1, size: 2 } }, query: { page: \"{{ page.number }}\" }",
    );
    let world = World::start(&yaml, SCRIPT, |n, asked| {
        let everybody = people();
        let everybody = everybody.as_array().unwrap();
        // Somebody comes between the first two pages.
        let there = &everybody[..if n == 0 { 3 } else { 4 }];
        let number: usize = asked.to.split_once("page=").unwrap().1.parse().unwrap();
        let page: Vec<&Value> = there.iter().skip((number - 1) * 2).take(2).collect();
        ok(json!({ "data": page, "total": there.len() }).to_string())
    })
    .await;
    world
        .home
        .write("config/integrations/elm.yaml", integration("p1, p2"));
    let daemon = Daemon::start(&world.home).await;
    daemon.settle().await;
    assert_eq!(world.pms.asked().len(), 4, "twice, with two pages each");
    let run = daemon.sync("elm").await;
    assert_eq!(run.outcome, Outcome::Unchanged, "{run:?}");
    assert_eq!((run.records, run.counts.seen), (2, 2), "{run:?}");
    assert_eq!(daemon.people().await.len(), 2);
}

#[tokio::test]
async fn residents_of_a_feed_that_is_asked_once_are_linked_at_their_property_and_nameless_ones_are_counted()
 {
    let world = World::start(ONCE, SCRIPT, |_, _| list(&people())).await;
    let daemon = Daemon::start(&world.home).await;
    daemon.settle().await;
    let run = daemon.sync("elm").await;
    assert_eq!(run.outcome, Outcome::Unchanged, "{run:?}");
    assert_eq!((run.records, run.counts.seen), (1, 1));
    assert_eq!(run.notes["without_property"], 1);
    let everybody = daemon.people().await;
    assert_eq!(everybody.len(), 1, "{everybody:?}");
    assert_eq!(everybody[0].first_name, "Ana");
}

#[tokio::test]
async fn a_feed_of_changes_that_is_asked_once_gives_each_integration_its_own_and_nobody_who_went() {
    let yaml = ONCE.replace("property: site", "property: site, since: {}");
    let mut pms = Pms::start(&yaml, |n, _| match n {
        0 => list(&people()),
        // Ana went to another property.
        _ => list(&json!([person(1, "Ana", json!("p2"))])),
    })
    .await;
    let ids = |records: Vec<Value>| -> Vec<u64> {
        records
            .iter()
            .map(|one| one["id"].as_u64().unwrap())
            .collect()
    };
    assert_eq!(ids(pms.records().await), [1]);
    assert!(ids(pms.records().await).is_empty());
    pms.properties = vec!["p2".into()];
    assert_eq!(ids(pms.records().await), [1, 2]);
}

#[tokio::test]
async fn a_request_for_all_properties_that_does_not_say_whose_a_record_is_is_told_by_check() {
    let yaml = ONCE.replace(", property: site", "");
    let world = World::start(&yaml, SCRIPT, |_, _| list(&people())).await;
    let warned = world.check(&[], 0).await;
    insta::assert_snapshot!("all-properties", warned);
    world.check(&["--strict"], 2).await;
    // What loads today goes on loading.
    assert_eq!(world.run().await.counts.seen, 4);
    world
        .home
        .write("config/connectors/pms.yaml", connector(2, &yaml));
    let refused = world.check(&[], 2).await;
    assert!(
        refused.contains("requests.residents.per: reads the residents of all"),
        "{refused}"
    );
    world
        .home
        .write("config/connectors/pms.yaml", connector(2, ONCE));
    world.check(&["--strict"], 0).await;
    assert_eq!(world.run().await.counts.seen, 1);
}

#[tokio::test]
async fn a_request_that_asks_the_same_for_each_of_several_properties_is_told_by_check() {
    let yaml = ONCE.replace(", per: once, property: site", "");
    let world = World::start(&yaml, SCRIPT, |_, _| list(&people())).await;
    said(&world.home.epms(&["check", "--strict"]).await, 0);
    world
        .home
        .write("config/integrations/elm.yaml", integration("p1, p2"));
    let warned = said(&world.home.epms(&["check"]).await, 0);
    assert!(
        warned.contains(
            "elm.yaml:4:1: warning: pms_properties: `residents` of the connector `pms` asks the same for each PMS property"
        ),
        "{warned}"
    );
    world
        .home
        .write("config/connectors/pms.yaml", connector(2, &yaml));
    said(&world.home.epms(&["check"]).await, 2);
    let asks = yaml.replace("/people", "/people/{{ property }}");
    world
        .home
        .write("config/connectors/pms.yaml", connector(2, &asks));
    said(&world.home.epms(&["check", "--strict"]).await, 0);
}

/// Connector language, 1.1.
#[tokio::test]
async fn a_rule_that_never_decides_is_told_by_check() {
    let requests = "\
errors:
  - { status: 5xx, is: retry }
  - { status: 503, text: night, is: maintenance }
  - { path: error, equals: ok, text: bad, is: fatal }
requests:
  residents:
    url: \"{{ credential.url }}/{{ property }}\"
    format: csv
    id: Id
    errors:
      - { path: Message, is: fatal }
      - { text: '', is: fatal }
";
    let world = World::start(requests, SCRIPT, |_, _| ok("Id\n1\n")).await;
    let warned = world.check(&[], 0).await;
    insta::assert_snapshot!("rules-that-never-decide", warned);
    world.check(&["--strict"], 2).await;
    world
        .home
        .write("config/connectors/pms.yaml", connector(2, requests));
    let refused = world.check(&[], 2).await;
    assert!(refused.contains("4 problems"), "{refused}");
}

#[tokio::test]
async fn a_key_that_nothing_looks_at_and_an_emptiness_that_every_answer_says_are_told_by_check() {
    let requests = "\
errors:
  - { status: 2xx, is: empty }
requests:
  residents:
    url: \"{{ credential.url }}/{{ property }}?{{ given.job }}{{ given.file }}{{ given.page }}\"
    format: json
    id: id
    after: [order, files, pages]
    gives: { a: b }
    name: title
    refresh: 1h
    missing: { empty: { status: 200 } }
  order:
    url: \"{{ credential.url }}/order\"
    format: json
    gives: { job: job }
    total: total
    page: { next: next }
  files:
    url: \"{{ credential.url }}/files\"
    format: json
    gives: { file: { newest: name, by: name } }
    total: total
    page: { next: next }
  pages:
    url: \"{{ credential.url }}/pages\"
    format: json
    records: list
    missing: { empty: { path: list, absent: more } }
    gives: { page: page }
";
    let world = World::start(requests, SCRIPT, |_, _| list(&json!([]))).await;
    let warned = world.check(&[], 0).await;
    for told in [
        "pms.yaml:7:5: warning: errors.0: fits every answer without records, so that nobody is there where `records` leads nowhere; add `path`",
        "pms.yaml:14:5: warning: requests.residents.gives: is of no use here: no request names this one in `after`",
        "pms.yaml:15:11: warning: requests.residents.name: is of no use here: it is what `epms discover` calls",
        "pms.yaml:16:14: warning: requests.residents.refresh: is of no use here: every run reads it",
        "pms.yaml:17:16: warning: requests.residents.missing.empty: fits every answer without records",
        "pms.yaml:22:12: warning: requests.order.total: is of no use here: of a request that another names in `after`, the first answer alone",
        "pms.yaml:23:5: warning: requests.order.page: is of no use here",
        "pms.yaml:34:5: warning: requests.pages.missing: is of no use here",
        "8 warnings",
    ] {
        assert!(warned.contains(told), "{told}: {warned}");
    }
    world
        .home
        .write("config/connectors/pms.yaml", connector(2, requests));
    let refused = world.check(&[], 2).await;
    assert!(refused.contains("8 problems"), "{refused}");
}

#[tokio::test]
async fn names_of_scripts_and_numbers_that_mean_nothing_are_told_by_check_with_their_place() {
    let requests = "\
limits: { per_second: 0, concurrent: 0 }
requests:
  residents: { url: \"{{ credential.url }}/{{ property }}\", format: json, records: data, id: id }
";
    let script = r#"fn residents(record, ctx) {
    if ctx.tody > "2026-01-01" { return (); }
    #{ id: text(record, "id"), status: "current", lease_end: instant_date(record, "end", "America/New York") }
}
fn verdict(answer, ctx) {
    if answer.status == 403 { return "deny"; }
    if answer.status == 409 { #{ verdict: "busy" } }
}
"#;
    let world = World::start(requests, script, |_, _| list(&json!([]))).await;
    let home = &world.home;
    let credential = home.read("config/credentials/acme.yaml");
    let limited = format!("{credential}limits: {{ per_hour: 0 }}\n");
    home.write("config/credentials/acme.yaml", limited);
    let files = [
        "config/connectors/pms.yaml",
        "config/credentials",
        "scripts/pms.rhai",
    ];
    let files = files.map(|file| home.path(file));
    let mut words = vec!["check"];
    words.extend(files.iter().map(|file| file.to_str().unwrap()));
    let warned = said(&home.epms(&words).await, 0);
    for told in [
        "connectors/pms.yaml:6:23: warning: limits.per_second: is 0, which is taken as 1",
        "connectors/pms.yaml:6:38: warning: limits.concurrent: is 0, which is taken as 1",
        "credentials/acme.yaml:4:21: warning: limits.per_hour: is 0, which is taken as 1",
        "scripts/pms.rhai:2:12: warning: `ctx` has no `tody`; did you mean `today`?",
        "scripts/pms.rhai:3:90: warning: `America/New York` is no IANA time zone; did you mean `America/New_York`?",
        "scripts/pms.rhai:6:38: warning: `deny` is no verdict; did you mean `denied`?",
        "scripts/pms.rhai:7:43: warning: `busy` is no verdict; it is one of: ok, empty, ",
    ] {
        assert!(warned.contains(told), "{told}: {warned}");
    }
    // What can never be is refused.
    home.edit(
        "config/connectors/pms.yaml",
        "retry:",
        "timeout: 0s\nretry:",
    );
    home.edit(
        "config/integrations/elm.yaml",
        "timezone: UTC",
        "timezone: Amercia/Chicago",
    );
    let refused = said(&home.epms(&["check"]).await, 2);
    for told in [
        "config/connectors/pms.yaml:4:10: timeout: is out of range: no answer comes in no time; write `1s` or more, such as `60s`",
        "config/integrations/elm.yaml:2:34: property.timezone: `Amercia/Chicago` is no IANA time zone; did you mean `America/Chicago`?",
    ] {
        assert!(refused.contains(told), "{refused}");
    }
}

#[tokio::test]
async fn no_rule_that_is_shipped_never_decides() {
    let home = Home::new();
    let checked = told(&home.epms(&["check", "--strict"]).await);
    assert!(!checked.contains("never decides"), "{checked}");
    assert!(!checked.contains("no answer can fit"), "{checked}");
    assert!(!checked.contains("fits every answer"), "{checked}");
    assert!(!checked.contains("is of no use here"), "{checked}");
}

/// Connector language, 1.3 and 1.4.
#[tokio::test]
async fn doctor_shows_what_makes_every_run_incomplete() {
    let csv = "requests: { residents: { url: \"{{ credential.url }}/{{ property }}\", format: csv, id: Id } }\n";
    let json = |more: &str| {
        format!(
            "requests: {{ residents: {{ url: \"{{{{ credential.url }}}}/{{{{ property }}}}\", format: json, records: data{more} }} }}\n"
        )
    };
    let answer = json!({ "data": people(), "count": 4 }).to_string();
    let rows = "Id,Name\n1,\"Ana\n2,Bo\n";
    let cases = [
        (
            json(", id: Id"),
            "no record has anything at `Id`, where `id` of the connector looks",
        ),
        (
            json(", property: property"),
            "no record has anything at `property`, where `property` of the connector looks",
        ),
        (
            json(", id: id, total: total"),
            "no answer has the number of records at `total`",
        ),
        (
            json(", id: id, total: { header: X-Total }"),
            "no answer has the number of records at `total`",
        ),
        (
            json(", total: total, page: { number: { size: 2 } }"),
            "no answer has the number of records at `total`",
        ),
        (
            csv.to_owned(),
            "the quote that opens in line 2 is not closed",
        ),
    ];
    for (yaml, told) in cases {
        let body = if yaml.contains("csv") {
            rows.to_owned()
        } else {
            answer.clone()
        };
        let world = World::start(&yaml, SCRIPT, move |_, _| ok(body.clone())).await;
        let (doctor, exit) = world.doctor().await;
        assert_ne!(exit, 0, "{doctor}");
        assert!(doctor.contains(told), "{yaml}: {doctor}");
    }
    // Of all properties, none that is attached.
    let world = World::start(ONCE, SCRIPT, |_, _| list(&people())).await;
    world
        .home
        .write("config/integrations/elm.yaml", integration("P-1"));
    let (doctor, _) = world.doctor().await;
    assert!(
        doctor.contains("those that came are of P1, p2, p3") && doctor.contains("`pms_properties`"),
        "{doctor}"
    );
}

#[tokio::test]
async fn a_lookup_whose_records_have_no_key_makes_a_run_incomplete() {
    let yaml = format!(
        "{ONCE}  units: {{ url: \"{{{{ credential.url }}}}/units\", format: json, id: Id }}\n"
    );
    let script = SCRIPT.replace(
        "    #{",
        "    let unit = ctx.lookup(\"units\", text(record, \"unit\"));\n    #{",
    );
    let world = World::start(&yaml, &script, |_, asked| match asked.to.as_str() {
        "/units" => ok(r#"[{"id":1}]"#),
        _ => list(&people()),
    })
    .await;
    let run = world.run().await;
    assert!(matches!(run.outcome, Outcome::Incomplete { .. }), "{run:?}");
    let reason = run.outcome.reason().unwrap();
    assert!(
        reason.contains("`units`") && reason.contains("correct `id` of the request"),
        "{reason}"
    );
}

/// Connector language, 1.4.
#[tokio::test]
async fn rows_with_another_number_of_fields_are_told_whatever_ends_their_lines() {
    let csv = "requests: { residents: { url: \"{{ credential.url }}/r\", format: csv, id: Id } }\n";
    for line in ["\n", "\r\n", "\r"] {
        let rows = ["Id,Name", "1,Ana", "2,Bo,Ek", "3,Cy", ""].join(line);
        let pms = Pms::start(csv, move |_, _| ok(rows.clone())).await;
        let told = pms.failure().await.to_string();
        assert!(
            told.contains("3 fields in line 3, and 2 in the header"),
            "{line:?}: {told}"
        );
    }
}

/// Connector language, 1.5.
#[tokio::test]
async fn what_does_not_exist_or_can_never_fit_is_told_by_check_with_its_place() {
    let yaml = "requests:
  residents: { url: \"{{ credential.url }}/{{ property }}\", format: json, id: id, query: { from: \"{{ today }}\" } }
  units: { url: \"{{ credential.url }}/units\", format: json, id: id }
";
    let script = SCRIPT.replace(
        "    #{",
        "    let unit = ctx.lookup(\"units\", 1);\n    let day = parse_date(record, \"day\", [\"%m/%d/%Y\"]);\n    #{",
    );
    let world = World::start(yaml, &script, |_, _| ok("[]")).await;
    said(&world.home.epms(&["check", "--strict"]).await, 0);
    for (file, from, to, exit, part) in [
        (
            "scripts/pms.rhai",
            "lookup(\"units\"",
            "lookup(\"unit\"",
            0,
            "scripts/pms.rhai:2:27: warning: the connector `pms` has no lookup `unit`, so that it gives nothing; did you mean `units`?",
        ),
        (
            "scripts/pms.rhai",
            "%m/%d/%Y",
            "MM/dd/yyyy",
            0,
            "scripts/pms.rhai:3:42: warning: no date is of the form `MM/dd/yyyy`; parts are written %Y, %m and %d",
        ),
        (
            "scripts/pms.rhai",
            "[\"%m/%d/%Y\"]",
            "\"%m/%d\"",
            0,
            "scripts/pms.rhai:3:41: warning: no date is of the form `%m/%d`",
        ),
        (
            "scripts/pms.rhai",
            "[\"%m/%d/%Y\"]",
            "\"MM/dd/yyyy\"",
            2,
            "scripts/pms.rhai:3:41: `MM/dd/yyyy` is no form of a date",
        ),
        (
            "config/connectors/pms.yaml",
            "{{ today }}",
            "{{ today | dat('%Y') }}",
            0,
            "warning: requests.residents.query.from: the template has no filter `dat`; did you mean `date`?",
        ),
        (
            "config/connectors/pms.yaml",
            "{{ today }}",
            "{{ today | days_ago }}",
            0,
            "warning: requests.residents.query.from: a filter of the template gets other arguments than it takes (missing argument)",
        ),
        (
            "config/connectors/pms.yaml",
            "{{ today }}",
            "{{ today | date('%Q') }}",
            0,
            "warning: requests.residents.query.from: `%Q` is no date format; write one such as %m/%d/%Y",
        ),
        (
            "config/connectors/pms.yaml",
            "{{ today }}",
            "{{ todai }}",
            2,
            "requests.residents.query.from: the template uses `todai`, which does not exist",
        ),
    ] {
        let before = world.home.edit(file, from, to);
        let checked = said(&world.home.epms(&["check"]).await, exit);
        assert!(checked.contains(part), "{to}: {checked}");
        said(&world.home.epms(&["check", "--strict"]).await, 2);
        world.home.write(file, before);
    }
    // Version 2 takes no lookup that is not there, and nothing of it loads.
    world
        .home
        .write("config/connectors/pms.yaml", connector(2, yaml));
    said(&world.home.epms(&["check"]).await, 0);
    world
        .home
        .edit("scripts/pms.rhai", "lookup(\"units\"", "lookup(\"unit\"");
    let refused = said(&world.home.epms(&["check"]).await, 2);
    assert!(
        refused.contains("has no lookup `unit`") && refused.contains("requests.units: nobody asks"),
        "{refused}"
    );
    let daemon = Daemon::start(&world.home).await;
    let status = daemon.integration("elm").await;
    assert_eq!(status.problems.len(), 2, "{status:?}");
}

/// Connector language, 1.7.
#[tokio::test]
async fn one_parent_without_any_is_the_same_in_json_and_xml() {
    let yaml = |format: &str, records: &str| {
        format!(
            "requests: {{ residents: {{ url: \"{{{{ credential.url }}}}/r\", format: {format}, records: {records}, id: id }} }}\n"
        )
    };
    let json = [
        r#"{"people":[{"leases":null},{"leases":[{"id":"1"}]}]}"#,
        r#"{"people":[{"leases":[]},{"leases":{"id":"1"}}]}"#,
        r#"{"people":[{},{"leases":[{"id":"1"}]}]}"#,
    ];
    for body in json {
        let pms = Pms::start(&yaml("json", "people/leases"), move |_, _| ok(body)).await;
        assert_eq!(pms.records().await, [json!({ "id": "1" })], "{body}");
    }
    let xml = "<r><people><leases/></people><people><leases><lease><id>1</id></lease></leases></people></r>";
    let pms = Pms::start(&yaml("xml", "r/people/leases/lease"), move |_, _| ok(xml)).await;
    assert_eq!(pms.records().await, [json!({ "id": "1" })]);
    // Nobody at all has any: nothing is missing.
    for (format, records, body) in [
        (
            "json",
            "people/leases",
            r#"{"people":[{"leases":null},{"leases":null}]}"#,
        ),
        (
            "xml",
            "r/people/leases/lease",
            "<r><people><leases/></people><people><leases/></people></r>",
        ),
    ] {
        let pms = Pms::start(&yaml(format, records), move |_, _| ok(body)).await;
        assert!(pms.records().await.is_empty(), "{body}");
    }
}

/// A PMS of one property with two lookups, of which the one of `rooms` may fail.
async fn with_lookups(script: &str) -> (World, Arc<AtomicBool>) {
    let yaml = "requests:
  residents: { url: \"{{ credential.url }}/{{ property }}\", format: json, records: data, id: id }
  units: { url: \"{{ credential.url }}/units\", format: json, id: id, refresh: 0s }
  rooms: { url: \"{{ credential.url }}/rooms\", format: json, id: id, refresh: 0s }
";
    let fails = Arc::new(AtomicBool::new(true));
    let of_server = Arc::clone(&fails);
    let world = World::start(yaml, script, move |_, asked| match asked.to.as_str() {
        "/rooms" if of_server.load(Ordering::Relaxed) => status(403),
        "/units" | "/rooms" => ok(r#"[{"id":"1","name":"No. 1"}]"#),
        _ => list(&json!([
            person(1, "Ana", json!("units")),
            person(2, "Bo", json!("units"))
        ])),
    })
    .await;
    (world, fails)
}

const BY_KIND: &str = r#"fn residents(record, ctx) {
    let unit = ctx.lookup(record.site, "1");
    #{ id: text(record, "id"), first_name: text(record, "first"), last_name: "Ek", email: text(record, "email"),
       status: "current", status_word: "In", unit: text(unit, "name") }
}
"#;

/// Connector language, 1.8.
#[tokio::test]
async fn a_lookup_that_may_not_be_asked_at_all_fails_no_run_that_does_not_ask_it() {
    let (world, fails) = with_lookups(BY_KIND).await;
    let checked = said(&world.home.epms(&["check"]).await, 0);
    insta::assert_snapshot!("a-lookup-that-is-not-named", checked);
    let daemon = Daemon::start(&world.home).await;
    daemon.settle().await;
    let run = daemon.sync("elm").await;
    assert_eq!(run.outcome, Outcome::Unchanged, "{run:?}");
    assert_eq!(run.counts.seen, 2);
    assert_eq!(run.notes["unread_lookup:rooms"], 1, "it is told");
    assert!(
        daemon
            .log()
            .contains("a lookup that may not be asked at all could not be read")
    );
    // One that is asked and was not read is no lookup without such a record.
    let before = daemon.generation("elm").await;
    world.home.edit(
        "scripts/pms.rhai",
        "record.site",
        "if record.first == \"Ana\" { \"rooms\" } else { \"units\" }",
    );
    daemon.reloaded("elm", before).await;
    let run = daemon.sync("elm").await;
    let reason = run.outcome.reason().unwrap();
    assert!(matches!(run.outcome, Outcome::Failed { .. }), "{run:?}");
    assert!(
        reason.contains("`rooms`") && reason.contains("403"),
        "{reason}"
    );
    fails.store(false, Ordering::Relaxed);
    let run = daemon.sync("elm").await;
    assert!(run.outcome.is_success(), "{run:?}");
    assert_eq!(run.notes.get("unread_lookup:rooms"), None);
}

#[tokio::test]
async fn calling_a_function_of_ones_own_has_no_lookup_read() {
    let script = BY_KIND.replace(
        "ctx.lookup(record.site, \"1\")",
        "{ let of = |key| ctx.lookup(\"units\", key); of.call(\"1\") }",
    );
    let (world, _) = with_lookups(&script).await;
    said(&world.home.epms(&["check", "--strict"]).await, 0);
    let run = world.run().await;
    assert_eq!(run.outcome, Outcome::Unchanged, "{run:?}");
    assert!(run.notes.is_empty(), "{run:?}");
    let asked = world.pms.paths();
    assert!(!asked.contains(&"/rooms".to_owned()), "{asked:?}");
}

/// Connector language, 1.9.
#[tokio::test]
async fn a_short_page_says_nothing_where_the_next_one_is_linked() {
    let yaml = |page: &str| {
        format!(
            "requests: {{ residents: {{ url: \"{{{{ credential.url }}}}/r\", format: json, records: data, id: id, page: {page} }} }}\n"
        )
    };
    let answer = |_: usize, asked: &Asked| {
        let (ids, next): (&[u32], _) = match asked.to.as_str() {
            "/r" => (&[1, 2, 3], Some("/r?p=2")),
            "/r?p=2" => (&[], Some("/r?p=3")),
            "/r?p=3" => (&[4], Some("/r?p=4")),
            _ => (&[5, 6], None),
        };
        let data: Vec<Value> = ids.iter().map(|id| json!({ "id": id })).collect();
        let header = next.map(|next| ("link", format!("<{next}>; rel=\"next\"")));
        let body = json!({ "data": data, "next": next }).to_string();
        Reply(200, header.into_iter().collect(), body.into())
    };
    for page in ["{ link: next }", "{ next: next }"] {
        let pms = Pms::start(&yaml(page), answer).await;
        assert_eq!(pms.records().await.len(), 6, "{page}");
        assert_eq!(pms.asked().len(), 4, "{page}");
    }
}

#[test]
fn version_2_takes_no_warning_of_a_connector_and_there_is_no_version_3() {
    let once = ONCE.replace(", property: site", "");
    let source = compile(&once).unwrap();
    assert_eq!(source.warnings().len(), 1);
    assert!(source.warnings()[0].code.is_warning());
    let home = Home::new();
    home.write("config/connectors/pms.yaml", connector(3, ONCE));
    home.write("scripts/pms.rhai", SCRIPT);
    let found = epms::catalog::check(
        &epms::config::Home::at(home.root()),
        jiff::Timestamp::UNIX_EPOCH,
    );
    let found = found.to_string();
    assert!(
        found.contains(
            "pms.yaml:1:10: version: this epms reads versions 1 and 2 of a connector, not 3"
        ),
        "{found}"
    );
}
